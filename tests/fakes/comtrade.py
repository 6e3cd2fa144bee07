"""A local server with the API of UN Comtrade v1, and the same flows as downloadable files.

The figures are a small world of `Flow`s; what UN Comtrade is known to do with a question (caps,
breakdown rows, quota, refusals) is in `FakeComtrade`.
"""

from __future__ import annotations

import csv
import gzip
import io
import random
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import openpyxl

from tests.fakes.server import Behaviour, FakePublisher, Reply, Seen, instead, json_reply

KEY_HEADER = "Ocp-Apim-Subscription-Key"
WORLD = 0
AREAS_NES = 899
PREVIEW_CAP = 500
MOST_PERIODS = 12
LONGEST_ADDRESS = 4096
QUOTA_WAIT = timedelta(hours=3, minutes=14, seconds=17)

AREAS: Mapping[int, tuple[str, str]] = {
    0: ("W00", "World"),
    36: ("AUS", "Australia"),
    76: ("BRA", "Brazil"),
    104: ("MMR", "Myanmar"),
    124: ("CAN", "Canada"),
    156: ("CHN", "China"),
    251: ("FRA", "France"),
    276: ("DEU", "Germany"),
    384: ("CIV", "Côte d'Ivoire"),
    392: ("JPN", "Japan"),
    410: ("KOR", "Rep. of Korea"),
    458: ("MYS", "Malaysia"),
    490: ("S19", "Other Asia, nes"),
    643: ("RUS", "Russian Federation"),
    699: ("IND", "India"),
    704: ("VNM", "Viet Nam"),
    757: ("CHE", "Switzerland"),
    792: ("TUR", "Türkiye"),
    826: ("GBR", "United Kingdom"),
    842: ("USA", "USA"),
    899: ("_X", "Areas, nes"),
}
"""UN Comtrade's own numbers (not ISO's for the USA, India, France and Switzerland), its three
letters and its names. Taiwan is reported as 490."""

FLOWS = {"M": "Import", "X": "Export", "RM": "Re-import", "RX": "Re-export"}
CUSTOMS = {"C00": "TOTAL CPC"}
TRANSPORT = {0: "TOTAL MOT", 1000: "Air", 2100: "Sea", 3200: "Road"}

COLUMNS = (
    *("typeCode", "freqCode", "refPeriodId", "refYear", "refMonth", "period"),
    *("reporterCode", "reporterISO", "reporterDesc", "flowCode", "flowDesc"),
    *("partnerCode", "partnerISO", "partnerDesc", "partner2Code", "partner2ISO", "partner2Desc"),
    *("classificationCode", "classificationSearchCode", "isOriginalClassification"),
    *("cmdCode", "cmdDesc", "aggrLevel", "isLeaf", "customsCode", "customsDesc"),
    *("mosCode", "motCode", "motDesc", "qtyUnitCode", "qtyUnitAbbr", "qty", "isQtyEstimated"),
    *("altQtyUnitCode", "altQtyUnitAbbr", "altQty", "isAltQtyEstimated"),
    *("netWgt", "isNetWgtEstimated", "grossWgt", "isGrossWgtEstimated"),
    *("cifvalue", "fobvalue", "primaryValue"),
    *("legacyEstimationFlag", "isReported", "isAggregate"),
)
"""The 47 fields of a row, in the order of the API."""

DESCRIPTIONS = frozenset(
    {"reporterISO", "reporterDesc", "flowDesc", "partnerISO", "partnerDesc", "partner2ISO"}
    | {"partner2Desc", "cmdDesc", "aggrLevel", "isLeaf", "customsDesc", "motDesc"}
    | {"qtyUnitAbbr", "altQtyUnitAbbr"}
)
"""Null unless the request has `includeDesc=true`."""

BULK_COLUMNS = (
    *("datasetCode", "typeCode", "freqCode", "refPeriodId", "refYear", "refMonth", "period"),
    *("reporterCode", "flowCode", "partnerCode", "partner2Code"),
    *("classificationSearchCode", "classificationCode", "isOriginalClassification", "cmdCode"),
    *("customsCode", "mosCode", "motCode", "qtyUnitCode", "qty", "isQtyEstimated"),
    *("altQtyUnitCode", "altQty", "isAltQtyEstimated", "netWgt", "isnetWgtEstimated"),
    *("grossWgt", "isgrossWgtEstimated", "cifValue", "fobValue", "primaryValue"),
    *("legacyEstimationFlag", "isReported", "isAggregate"),
)
"""The columns of a bulk file: other letters in upper case than the API, and no descriptions."""


class Part(NamedTuple):
    """A breakdown row of a flow. Several ways to break it down stand beside each other."""

    partner2: int
    customs: str
    mot: int
    value: float
    weight: float | None


@dataclass(frozen=True)
class Flow:
    """What `reporter` declares: `value` in US dollars, `weight` in kilograms.

    `period` is `2024` or `202406`, and with it the frequency. `parts` are the rows that come too
    unless second partner, customs procedure and mode of transport are pinned to their totals.
    """

    reporter: int
    partner: int
    flow: str
    code: str
    period: str
    value: float
    weight: float | None = None
    edition: str = "H6"
    parts: tuple[Part, ...] = ()

    @property
    def slice(self) -> tuple[int, str, str, str]:
        """All its partners together: reporter, flow, code and period."""
        return (self.reporter, self.flow, self.code, self.period)


# A world.


def flows_for(
    reporters: Sequence[int],
    partners: Sequence[int],
    codes: Sequence[str],
    periods: Sequence[str],
    flows: Sequence[str] = ("M", "X"),
    *,
    seed: int = 0,
    gaps: float = 0.2,
    edition: str = "H6",
    with_parts: bool = False,
) -> list[Flow]:
    """A world that is the same for the same seed, whatever else is asked for beside a flow.

    About `gaps` of the slices (reporter, flow, code, period) are empty. The others have one to all
    of the partners, and a World row that is their sum.
    """
    world: list[Flow] = []
    for period, reporter, code, flow in product(periods, reporters, codes, flows):
        if _chance(seed, reporter, flow, code, period).random() < gaps:
            continue
        others = [one for one in partners if one not in (reporter, WORLD)]
        kept = [one for one in others if _chance(seed, reporter, one, code).random() < 0.8]
        rows = [
            _filled(Flow(reporter, partner, flow, code, period, 0.0, None, edition), seed)
            for partner in kept or others[:1]
        ]
        if not with_parts:
            rows = [replace(row, parts=()) for row in rows]
        world += [*rows, world_total(rows)] if rows else []
    return world


def world_total(flows: Sequence[Flow]) -> Flow:
    """The World row of one slice: the sum of its partners, and of their parts of the same kind."""
    parts: dict[tuple[int, str, int], list[Part]] = {}
    for flow in flows:
        for part in flow.parts:
            parts.setdefault(part[:3], []).append(part)
    return replace(
        flows[0],
        partner=WORLD,
        value=sum(flow.value for flow in flows),
        weight=_sum(flow.weight for flow in flows),
        parts=tuple(
            Part(*kind, sum(one.value for one in some), _sum(one.weight for one in some))
            for kind, some in parts.items()
        ),
    )


def _filled(flow: Flow, seed: int) -> Flow:
    """With figures that are whole dollars and kilograms, so that sums are exact.

    What two economies trade holds its level: from one period to the next it halves or doubles.
    """
    reporter, direction, code, _ = flow.slice
    level = _chance(seed, reporter, direction, code, flow.partner)
    chance = _chance(seed, *flow.slice, flow.partner)
    value = float(round(10 ** level.uniform(3, 8) * 2 ** chance.uniform(-0.5, 0.5)))
    weight = float(round(value / level.uniform(2, 80) * 2 ** chance.uniform(-0.2, 0.2)) + 1)
    by_air = (float(value // 3), float(weight // 4))
    parts = (
        # The whole once more, under the partner it was consigned from.
        Part(flow.partner, "C00", 0, value, weight),
        Part(0, "C00", 1000, *by_air),
        Part(0, "C00", 2100, value - by_air[0], weight - by_air[1]),
    )
    return replace(flow, value=value, weight=weight, parts=parts)


def _chance(*key: object) -> random.Random:
    return random.Random("/".join(map(str, key)))


def _sum(weights: Iterable[float | None]) -> float | None:
    known = [weight for weight in weights if weight is not None]
    return sum(known) if known else None


# Its rows, and the files they come in.


def rows_of(
    flows: Iterable[Flow], *, pinned: bool = True, described: bool = True
) -> Iterator[dict[str, Any]]:
    """The rows as the API has them. `pinned`: totals only, no breakdown rows."""
    for flow in flows:
        total = Part(0, "C00", 0, flow.value, flow.weight)
        for part in (total,) if pinned else (total, *flow.parts):
            row = _row(flow, part)
            yield (
                row
                if described
                else {name: None if name in DESCRIPTIONS else value for name, value in row.items()}
            )


def _row(flow: Flow, part: Part) -> dict[str, Any]:
    year, month = int(flow.period[:4]), int(flow.period[4:] or 0)
    is_import = flow.flow in ("M", "RM")
    is_world = flow.partner == WORLD
    unit = (-1, "N/A") if part.weight is None else (8, "kg")
    values = (
        *("C", "M" if month else "A", int(f"{year}{month or 1:02}01"), year, month or 52),
        *(flow.period, flow.reporter, *_area(flow.reporter), flow.flow, FLOWS[flow.flow]),
        *(flow.partner, *_area(flow.partner), part.partner2, *_area(part.partner2)),
        *(flow.edition, "HS", True, flow.code, f"Commodity {flow.code}"),
        *((0, False) if flow.code == "TOTAL" else (len(flow.code), len(flow.code) == 6)),
        *(part.customs, CUSTOMS.get(part.customs), "0", part.mot, TRANSPORT.get(part.mot)),
        *(*unit, part.weight, False, -1, "N/A", None, False, part.weight, False, None, False),
        *(part.value if is_import else None, None if is_import else part.value, part.value),
        *(0, not is_world, is_world),
    )
    return dict(zip(COLUMNS, values, strict=True))


def _area(number: int) -> tuple[str | None, str | None]:
    """Letters and name; of an economy that no made-up world has, none."""
    return AREAS.get(number, (None, None))


def as_json(flows: Iterable[Flow], *, pinned: bool = True, described: bool = True) -> bytes:
    """The answer to one question, saved as a file."""
    return _answer(list(rows_of(flows, pinned=pinned, described=described)), 0.21).body


def as_csv(
    flows: Iterable[Flow], *, pinned: bool = True, case: Callable[[str], str] = str
) -> bytes:
    """All 47 columns; `case` is `str.lower` or `str.upper` where a client changed their names."""
    rows = rows_of(flows, pinned=pinned)
    return _text([list(map(case, COLUMNS)), *(row.values() for row in rows)], ",", "\n")


def as_xlsx(flows: Iterable[Flow], *, pinned: bool = True) -> bytes:
    """One sheet with all 47 columns."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(COLUMNS)
    for row in rows_of(flows, pinned=pinned):
        sheet.append(list(row.values()))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def as_bulk(flows: Iterable[Flow], *, pinned: bool = True, packed: bool = False) -> bytes:
    """A bulk file: tabs, lines that end with CR LF; `packed` as it is downloaded (gzip)."""
    lines: list[Iterable[Any]] = [BULK_COLUMNS]
    for row in rows_of(flows, pinned=pinned):
        by_name = {name.lower(): value for name, value in row.items()}
        by_name["datasetcode"] = f"20{row['reporterCode']:03}{row['period']}"
        lines.append([by_name[name.lower()] for name in BULK_COLUMNS])
    text = _text(lines, "\t", "\r\n")
    return gzip.compress(text, mtime=0) if packed else text


def _text(lines: Iterable[Iterable[Any]], delimiter: str, end: str) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator=end)
    for line in lines:
        # Whole numbers without `.0`, as the publisher prints them.
        writer.writerow(
            [int(one) if isinstance(one, float) and one == int(one) else one for one in line]
        )
    return out.getvalue().encode()


# The publisher's answers.


def _answer(rows: Sequence[Mapping[str, Any]], seconds: float) -> Reply:
    return json_reply(
        {"elapsedTime": f"{seconds:.2f} secs", "count": len(rows), "data": rows, "error": ""}
    )


def _refusal(status: int, message: str, **headers: str) -> Reply:
    return json_reply({"statusCode": status, "message": message}, status, **headers)


def _invalid(message: str) -> Reply:
    return json_reply({"statusCode": 400, "errorObject": {"errorMessage": message}}, 400)


def _no_access(which: str) -> Reply:
    hint = {
        "missing": "Make sure to include subscription key when making requests to an API.",
        "invalid": "Make sure to provide a valid key for an active subscription.",
    }
    challenge = f'AzureApiManagementKey realm="fake",name="{KEY_HEADER}",type="header"'
    message = f"Access denied due to {which} subscription key. {hint[which]}"
    return _refusal(401, message, WWW_Authenticate=challenge)


def _out_of_quota(wait: timedelta) -> Reply:
    seconds = int(wait.total_seconds())
    clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    message = f"Out of call volume quota. Quota will be replenished in {clock}."
    return _refusal(403, message, Retry_After=str(seconds))


def rate_limited(seconds: int = 1) -> Behaviour:
    message = f"Rate limit is exceeded. Try again in {seconds} seconds."
    return instead(_refusal(429, message, Retry_After=str(seconds)))


def out_of_quota(wait: timedelta = QUOTA_WAIT) -> Behaviour:
    return instead(_out_of_quota(wait))


class FakeComtrade(FakePublisher):
    """`with FakeComtrade(flows_for(...)) as comtrade:` answers for these flows.

    `cap` is the largest count of a keyed answer: what is more is left out without a word.
    `calls_a_day` counts keyed calls until `replenish`. Equal questions never get equal bytes: the
    time it took and the order of the rows differ.
    """

    def __init__(
        self,
        flows: Iterable[Flow] = (),
        *,
        key: str = "fake-subscription-key",
        cap: int = 100_000,
        calls_a_day: int | None = None,
        periods_per_preview: int = MOST_PERIODS,
        seed: int = 0,
        log: Path | None = None,
    ) -> None:
        super().__init__(log=log)
        self.flows = list(flows)
        self.key = key
        self.cap = cap
        self.calls_a_day = calls_a_day
        self.calls_today = 0
        self.periods_per_preview = periods_per_preview
        self._seed = seed

    # What changes at the publisher. A World row follows the partners it sums up, and is itself
    # revised or withdrawn only where `partner=0` is given.

    def publish(self, *flows: Flow) -> None:
        """New flows, or other figures for those that are there."""
        with self.lock:
            by_key = {(*flow.slice, flow.partner): flow for flow in self.flows}
            by_key.update({(*flow.slice, flow.partner): flow for flow in flows})
            self._set(list(by_key.values()), flows)

    def revise(self, change: Callable[[Flow], Flow], **which: object) -> None:
        """Other figures: `revise(lambda flow: replace(flow, value=1.0), reporter=392)`."""
        with self.lock:
            found = self._found(which)
            self._set([change(one) if one in found else one for one in self.flows], found)

    def withdraw(self, **which: object) -> None:
        """Flows that are no longer there: `withdraw(reporter=392, period="2024")`."""
        with self.lock:
            found = self._found(which)
            self._set([one for one in self.flows if one not in found], found)

    def replenish(self) -> None:
        """A new day: the quota is whole again."""
        with self.lock:
            self.calls_today = 0

    def _found(self, which: Mapping[str, object]) -> set[Flow]:
        found = {
            flow
            for flow in self.flows
            if all(getattr(flow, name) == value for name, value in which.items())
            and (flow.partner != WORLD or "partner" in which)
        }
        if not found:
            raise LookupError(f"no flow with {dict(which)}")
        return found

    def _set(self, flows: list[Flow], touched: Iterable[Flow]) -> None:
        touched = list(touched)
        stale = {flow.slice for flow in touched if flow.partner != WORLD}
        stale -= {flow.slice for flow in touched if flow.partner == WORLD}
        partners: dict[tuple[int, str, str, str], list[Flow]] = {}
        for flow in flows:
            if flow.slice in stale and flow.partner != WORLD:
                partners.setdefault(flow.slice, []).append(flow)
        self.flows = []
        for flow in flows:
            if flow.partner != WORLD or flow.slice not in stale:
                self.flows.append(flow)
            elif flow.slice in partners:
                self.flows.append(world_total(partners[flow.slice]))

    # What it answers.

    def answer(self, request: Seen) -> Reply:
        if len(request.target) > LONGEST_ADDRESS:
            return Reply(414, b"Request URL Too Long", "text/plain")
        keyed = re.fullmatch(r"/data/v1/get/C/([AM])/HS", request.path)
        address = keyed or re.fullmatch(r"/public/v1/preview/C/([AM])/HS", request.path)
        if address is None:
            return _refusal(404, "Resource not found")
        if keyed and (refusal := self._refusal_of_the_key(request)):
            return refusal
        query = {name.lower(): value for name, value in request.query.items()}
        most = MOST_PERIODS if keyed else self.periods_per_preview
        if query.get("period", "").count(",") >= most:
            return _invalid(f"period: at most {most} values are allowed.")
        for name in ("reportercode", "partnercode", "partner2code", "motcode", "maxrecords"):
            if not re.fullmatch(r"(\d+(,\d+)*)?", query.get(name, "")):
                return _invalid(f"{name}: the value {query[name]!r} is not valid.")
        rows = self._rows(address[1], query)
        number = len(self.requests)
        random.Random(f"{self._seed}/{number}").shuffle(rows)
        cap = min(self.cap if keyed else PREVIEW_CAP, int(query.get("maxrecords") or self.cap))
        return _answer(rows[:cap], 0.1 + number / 100)

    def _refusal_of_the_key(self, request: Seen) -> Reply | None:
        key = request.headers.get(KEY_HEADER.lower()) or request.query.get("subscription-key")
        if key != self.key:
            return _no_access("invalid" if key else "missing")
        if self.calls_a_day is not None and self.calls_today >= self.calls_a_day:
            return _out_of_quota(QUOTA_WAIT)
        self.calls_today += 1
        return None

    def _rows(self, frequency: str, query: Mapping[str, str]) -> list[dict[str, Any]]:
        """The rows asked for. A parameter that is absent or blank asks for everything."""
        flows = [flow for flow in self.flows if len(flow.period) == _DIGITS[frequency]]
        # Without a period the publisher answers for the newest one anybody reported.
        newest = max((flow.period for flow in flows), default="")
        wanted = {"period": newest, **{name: value for name, value in query.items() if value}}
        pins = {name: set(value.split(",")) for name, value in wanted.items()}
        asked = [
            flow
            for flow in flows
            if all(
                str(getattr(flow, attribute)) in pins[name]
                for name, attribute in _OF_A_FLOW.items()
                if name in pins
            )
        ]
        described = query.get("includedesc", "").lower() == "true"
        return [
            row
            for row in rows_of(asked, pinned=False, described=described)
            if all(
                str(row[column]) in pins[column.lower()]
                for column in _OF_A_PART
                if column.lower() in pins
            )
        ]


_DIGITS = {"A": 4, "M": 6}
_OF_A_FLOW = {
    "reportercode": "reporter",
    "partnercode": "partner",
    "flowcode": "flow",
    "cmdcode": "code",
    "period": "period",
}
_OF_A_PART = ("partner2Code", "customsCode", "motCode")
