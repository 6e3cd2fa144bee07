"""A local server in place of the ECB: the history of reference rates, and the data API."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tests.fakes.server import (
    NOT_FOUND,
    FakePublisher,
    Reply,
    Seen,
    cut_body,
    failing,
    json_reply,
    maintenance_page,
    no_answer,
    not_found,
    send,
    slow,
    too_many_requests,
)

__all__ = [
    "COLUMNS",
    "MEMBER",
    "ROWS",
    "FakeEcb",
    "cut_body",
    "failing",
    "history_csv",
    "history_zip",
    "maintenance_page",
    "no_answer",
    "not_found",
    "send",
    "slow",
    "too_many_requests",
]

MEMBER = "eurofxref-hist.csv"
PATH = "/stats/eurofxref"

COLUMNS = ("Date", "USD", "JPY", "BGN", "CNY")

ROWS = (
    ("2026-10-30", "1.1172", "175.68", "N/A", "7.4326"),
    ("2026-10-29", "1.113", "175.92", "N/A", "7.4144"),
    ("2005-04-01", "1.2959", "139.07", "1.9558", "10.7255"),
    ("2005-03-31", "1.2964", "138.44", "1.9559", "N/A"),
    ("1999-01-04", "1.1789", "133.73", "N/A", "N/A"),
)
"""Days as the ECB prints them: newest first, `N/A` where a currency was not quoted."""

DATA_ONLY = (
    "KEY",
    "FREQ",
    "CURRENCY",
    "CURRENCY_DENOM",
    "EXR_TYPE",
    "EXR_SUFFIX",
    "TIME_PERIOD",
    "OBS_VALUE",
)
ATTRIBUTES = (
    "OBS_STATUS",
    "OBS_CONF",
    "OBS_PRE_BREAK",
    "OBS_COM",
    "TIME_FORMAT",
    "BREAKS",
    "COLLECTION",
    "COMPILING_ORG",
    "DISS_ORG",
    "DOM_SER_IDS",
    "PUBL_ECB",
    "PUBL_MU",
    "PUBL_PUBLIC",
    "UNIT_INDEX_BASE",
    "COMPILATION",
    "COVERAGE",
    "DECIMALS",
    "NAT_TITLE",
    "SOURCE_AGENCY",
    "SOURCE_PUB",
    "TITLE",
    "TITLE_COMPL",
    "UNIT",
    "UNIT_MULT",
)
"""What the data API adds unless it is asked for `detail=dataonly`."""

CSV_DATA = "application/vnd.sdmx.data+csv;version=1.0.0"


def history_csv(rows: Sequence[Sequence[str]] = ROWS, columns: Sequence[str] = COLUMNS) -> bytes:
    """The publisher's CSV: every line, the header too, ends with a comma."""
    return "".join(",".join(line) + ",\n" for line in (columns, *rows)).encode()


def history_zip(payload: bytes | None = None, *, member: str = MEMBER) -> bytes:
    """The publisher's zip, which holds the CSV alone."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        # A fixed time, so that the same rows always make the same bytes.
        entry = zipfile.ZipInfo(member, date_time=(2026, 10, 30, 15, 56, 0))
        entry.compress_type = zipfile.ZIP_DEFLATED
        archive.writestr(entry, history_csv() if payload is None else payload)
    return buffer.getvalue()


class FakeEcb(FakePublisher):
    """`with FakeEcb() as ecb:` serves the ECB's addresses below `ecb.base_url`.

    `/stats/eurofxref/...` sends `documents`; `/service/data/EXR/...` makes its answer of the rates
    in `rows`. `publish` changes both.
    """

    def __init__(self, history: bytes | None = None, *, log: Path | None = None) -> None:
        super().__init__(log=log)
        payload = history_csv() if history is None else history
        self.documents: dict[str, bytes] = {
            f"{PATH}/eurofxref-hist.zip": history_zip(payload),
            f"{PATH}/{MEMBER}": payload,
        }
        header, *lines = list(csv.reader(io.StringIO(payload.decode()))) or [[]]
        self.columns = tuple(name for name in header if name)
        self.rows = [tuple(line[: len(self.columns)]) for line in lines]

    def publish(self, *rows: Sequence[str]) -> None:
        """A new day, or another version of one: the day, then a rate for each of `columns`."""
        with self.lock:
            days = {**{row[0]: row for row in self.rows}, **{row[0]: tuple(row) for row in rows}}
            self.rows = sorted(days.values(), reverse=True)
            payload = history_csv(self.rows, self.columns)
            self.documents[f"{PATH}/eurofxref-hist.zip"] = history_zip(payload)
            self.documents[f"{PATH}/{MEMBER}"] = payload

    def answer(self, request: Seen) -> Reply:
        if key := re.fullmatch(r"/service/data/EXR/([^/]+)/?", request.path):
            return self._series(key[1], request)
        document = self.documents.get(request.path)
        if document is None:
            return NOT_FOUND
        is_csv = request.path.endswith(".csv")
        return Reply(200, document, "text/csv" if is_csv else "application/zip")

    def _series(self, key: str, request: Seen) -> Reply:
        """Rates as `format=csvdata`: one series after the other, oldest day first."""
        query = request.query
        period = r"\d{4}(-\d{2}(-\d{2})?)?"
        allowed = {
            "format": "csvdata",
            "startPeriod": period,
            "endPeriod": period,
            "detail": "full|dataonly",
        }
        for name, value in query.items():
            if not re.fullmatch(allowed.get(name, "(?!)"), value):
                return _problem(400, f"Invalid parameter {name}.", request)
        wanted = key.split(".")
        if len(wanted) != 5:
            return _problem(400, "The key must have 5 dimensions.", request)
        if "format" not in query:
            return _problem(406, "Only format=csvdata is served here.", request)
        first = query.get("startPeriod", "")
        # A month or a year as the end means its last day: `~` sorts after every digit and hyphen.
        last = query.get("endPeriod", "") + "~"
        columns = DATA_ONLY if query.get("detail") == "dataonly" else (*DATA_ONLY, *ATTRIBUTES)
        out = io.StringIO()
        table = csv.DictWriter(out, columns, extrasaction="ignore", lineterminator="\n")
        table.writeheader()
        header = out.tell()
        for row in self._observations():
            parts = row["KEY"].split(".")[1:]
            is_wanted = all(
                not some or part in some.split("+")
                for some, part in zip(wanted, parts, strict=True)
            )
            if is_wanted and first <= row["TIME_PERIOD"] <= last:
                table.writerow(row)
        if out.tell() == header:
            return _problem(404, "No results found.", request)
        return Reply(200, out.getvalue().encode(), CSV_DATA)

    def _observations(self) -> Iterator[Mapping[str, str]]:
        """A day without a quote is left out before a currency's first one, and blank after it."""
        for currency in sorted(self.columns[1:]):
            position = self.columns.index(currency)
            has_begun = False
            for row in sorted(self.rows):
                quoted = row[position] != "N/A"
                has_begun = has_begun or quoted
                if not has_begun:
                    continue
                yield {
                    "KEY": f"EXR.D.{currency}.EUR.SP00.A",
                    "FREQ": "D",
                    "CURRENCY": currency,
                    "CURRENCY_DENOM": "EUR",
                    "EXR_TYPE": "SP00",
                    "EXR_SUFFIX": "A",
                    "TIME_PERIOD": row[0],
                    "OBS_VALUE": row[position] if quoted else "",
                    "OBS_STATUS": "A" if quoted else "H",
                    "OBS_CONF": "F",
                    "TIME_FORMAT": "P1D",
                    "COLLECTION": "A",
                    "DECIMALS": str(len(row[position].partition(".")[2])) if quoted else "",
                    "SOURCE_AGENCY": "4F0",
                    "TITLE": f"{currency}/Euro",
                    "TITLE_COMPL": f"ECB reference exchange rate, {currency}/Euro, 2:15 pm",
                    "UNIT": currency,
                    "UNIT_MULT": "0",
                }


def _problem(status: int, detail: str, request: Seen) -> Reply:
    titles = {400: "Bad Request", 404: "Not Found", 406: "Not Acceptable"}
    content = {
        "type": request.path,
        "title": titles[status],
        "status": status,
        "detail": detail,
        "instance": request.path,
    }
    return json_reply(content, status)
