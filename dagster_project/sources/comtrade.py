"""UN Comtrade: trade as each reporter declared it, at HS6, by year and month -> `trade_flows`.

The requests to its API, how an answer at the cap is requested again in smaller pieces, and how its
JSON, tables and bulk files are read. Sums over a mineral group are `comtrade_baskets`.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode

import polars as pl

from dagster_project.errors import (
    ConfigurationError,
    ContradictionError,
    DeniedError,
    OutOfScopeError,
    UnknownCodeError,
    UpstreamFormatError,
    shortened,
)
from dagster_project.lake.schemas import INSTANT, TRADE_FLOWS
from dagster_project.lake.scope import DEFAULT_SCOPE, OUT_OF_SCOPE, CommodityScope
from dagster_project.lake.vocabulary import economy_by
from dagster_project.sources.card import (
    Answer,
    Asked,
    Calendar,
    Document,
    Done,
    Extract,
    Frequency,
    Instead,
    Limits,
    Meaning,
    Request,
    Scope,
    SourceCard,
    Step,
    Stop,
    Window,
    Windows,
)
from dagster_project.sources.formats import (
    gunzip,
    header_of,
    is_it_the_file_of,
    looks_like,
    looks_like_gzip,
    looks_like_html,
    looks_like_zip,
    read_sheet,
    read_text_table,
    require_columns,
    require_every,
    require_short_fields,
    require_width,
    utc_naive,
)
from dagster_project.sources.limits import LONGEST_LINE

BASE_URL = "https://comtradeapi.un.org"
ROWS_PER_CALL = (100_000, 500)

CARD = SourceCard(
    name="comtrade",
    title="UN Comtrade",
    publisher="United Nations Statistics Division",
    licence="UN Comtrade policy on use and re-dissemination; internal use",
    licence_url="https://uncomtrade.org/docs/policy-on-use-and-re-dissemination/",
    is_redistributable=False,
    cadence="monthly",
    domain="trade",
    homepage="https://comtradeplus.un.org/",
    tables=("trade_flows",),
    lists=("economies", "commodities"),
    description=(
        "Imports, exports, re-imports and re-exports of the HS6 codes in scope as each reporter "
        "declared them, by partner and with the printed total: years since 2000 and months since "
        "2010, in US dollars and kilograms. With a subscription key the data service, 100,000 rows "
        "an answer; without one, where the source is enabled, the preview of 500 rows an answer, "
        "which is enough for one reporter or a few codes. Its files are read too: land them as "
        "they are."
    ),
    base_url=BASE_URL,
    needs_key=True,
    windows=(
        # Reporters send a year three to nine months after its end, and revise it later on.
        Windows(
            "A", date(2000, 1, 1), timedelta(days=180), revised_for=3, tolerance=timedelta(days=90)
        ),
        # Japan's months come after 60 to 90 days; any of the last two years may still change.
        Windows(
            "M", date(2010, 1, 1), timedelta(days=60), revised_for=24, tolerance=timedelta(days=30)
        ),
    ),
    limits=Limits(
        # A token bucket of about one call a second with a burst of two or three: a little below
        # it, an even pace is never refused.
        calls_a_minute=50,
        calls_a_day=500,
        # A row is about 1,050 bytes: 250,000 of them, the most any subscription gets, are 260 MB.
        largest_answer_bytes=1 << 30,
    ),
    rows_per_call=ROWS_PER_CALL,
    # No weekday is better than another, and one round of all reporters takes about a fifth of a
    # day's calls: once a week is frequent enough for figures that are two months old.
    calendar=Calendar(
        "0 7 * * 2",
        "America/New_York",
        "Tuesday mornings in New York: reporters are published on any day of the week, so a new "
        "month is fetched after a week at most.",
    ),
)

KNOWN_CAPS = (500, 100_000, 250_000)
"""Largest counts of an answer: preview, free key, premium key. Larger answers are cut silently."""

MOST_PERIODS = 12
LONGEST_ADDRESS = 4_000
"""Of 4,096 allowed characters; the rest is for a stand-in with a longer address."""

ROWS_PER_CODE = 2_000
"""Rows of one code and period of all reporters, for the first cut. In a pull of 2024 (31 codes, 136
reporters, imports and exports) 1,140 on average; codes of wide use have more (magnets: 7,016)."""

ROWS_PER_CODE_OF_ONE = 55
"""The same of one reporter: in that pull the Netherlands had the most, 54."""

FLOWS: Mapping[str, str] = MappingProxyType(
    {"M": "import", "X": "export", "RM": "re_import", "RX": "re_export"}
)
PARTIAL_FLOWS = ("DX", "FM", "MIP", "XIP", "MOP", "XOP", "MIF", "XIF")
"""Parts of M and X: domestic, foreign, for or after processing, within firms."""

BREAKDOWN_TOTALS: Mapping[str, str] = MappingProxyType(
    {"partner2code": "0", "customscode": "C00", "motcode": "0"}
)
"""The columns by which a flow is broken down, and the code of the total in each."""

EDITIONS: Mapping[str, str] = MappingProxyType(
    {
        "H0": "HS1992",
        "H1": "HS1996",
        "H2": "HS2002",
        "H3": "HS2007",
        "H4": "HS2012",
        "H5": "HS2017",
        "H6": "HS2022",
    }
)

GROUPS_THAT_REPORT = ("97", "975", "711")
"""European Union and ASEAN, whose members report themselves too, and the Southern African Customs
Union, one report for five economies until 1999."""

NOT_REPORTERS = ("WLD", "_X")

COLUMNS = (
    "freqcode",
    "period",
    "reportercode",
    "flowcode",
    "partnercode",
    "classificationcode",
    "isoriginalclassification",
    "cmdcode",
    "netwgt",
    "cifvalue",
    "fobvalue",
    "primaryvalue",
)
MEASURES = ("netwgt", "cifvalue", "fobvalue", "primaryvalue")

VALUATION: Mapping[str, str] = MappingProxyType(
    {"import": "CIF", "re_import": "CIF", "export": "FOB", "re_export": "FOB"}
)
"""UN Comtrade's convention: imports with freight and insurance, exports free on board."""

KEY_HEADER = "Ocp-Apim-Subscription-Key"
STATUSES: Mapping[int, Meaning] = MappingProxyType(
    {401: "quota", 403: "quota", 413: "too_much", 414: "too_much"}
)
"""The text of 401 and 403 tells whether the key or the day's quota is the reason; 414 is an address
that is too long."""

SPLIT_BY = ("period", "cmdCode", "reportercode", "flowCode")
"""The parameters by which a request for too large an answer is halved, in order of preference.
Never by partner: the partners of a flow are one slice."""

_WHOSE = is_it_the_file_of(CARD.homepage)
_AGAIN = "Fetch or land the file again."
_WAIT = re.compile(
    r"replenished in (?:([0-9]{1,3})\.)?([0-9]{1,3}):([0-9][0-9]):([0-9][0-9])", re.IGNORECASE
)
_HEAD = re.compile(
    rb'(?:\xef\xbb\xbf)?\s*\{\s*"elapsedTime"\s*:\s*"[^"]*"\s*,\s*"count"\s*:\s*(\d{1,9})\s*,'
    rb'\s*"data"\s*:\s*\['
)
_TAIL = re.compile(rb'\]\s*,\s*"error"\s*:\s*("(?:[^"\\]|\\.)*")\s*\}\s*$')
_END_BYTES = 16 << 10
"""Bytes read at each end of an answer, where its count and error are: 100 MB are between them."""


# Requests.


def plan(windows: Sequence[Window], scope: Scope) -> Sequence[Extract]:
    """Extracts of up to 12 years, or up to 12 months of one calendar year, in order.

    An extract has as many periods as probably fit in one answer: an answer at the cap is dropped.
    Where one period is too much already (all reporters), it is split into several requests, by
    code. Requested are totals over the second partner, the customs procedure and the mode of
    transport; with a key from the data service, without one from the preview. Raises
    ConfigurationError for a reporter that UN Comtrade has no number for, and without codes.
    """
    if not scope.commodity_codes:
        raise ConfigurationError(f"{CARD.name}: there is no commodity code to ask for.")
    most_rows = scope.rows_per_call or ROWS_PER_CALL[0 if scope.has_key else 1]
    codes = sorted(set(scope.commodity_codes))
    asked = Asked(
        "trade_flows",
        tuple(sorted(set(scope.reporters) or set(_reporters().values()))),
        tuple(FLOWS.values()),
        tuple(codes),
    )
    params = {
        "flowCode": ",".join(FLOWS),
        "cmdCode": ",".join(codes),
        **_reporters_param(scope.reporters),
        "partner2Code": "0",
        "motCode": "0",
        "customsCode": "C00",
        "maxRecords": str(most_rows),
        "format": "JSON",
        "includeDesc": "false",
    }
    # The preview is documented to accept one period only.
    most_periods = (
        min(MOST_PERIODS, max(1, most_rows // _expected_rows(params))) if scope.has_key else 1
    )
    return [
        Extract(
            _document_name(group, scope.reporters),
            tuple(_sized(_request(group, params, scope.has_key), most_rows)),
            windows=tuple(group),
            asked=(asked,),
        )
        for group in _groups(windows, most_periods)
    ]


def _groups(windows: Sequence[Window], most: int) -> Iterator[list[Window]]:
    """Windows that follow each other, of one frequency; months of one calendar year."""
    group: list[Window] = []
    for window in sorted(set(windows)):
        if group and not (
            len(group) < most
            and window.frequency == group[-1].frequency
            and window.start == group[-1].end
            and (window.frequency == "A" or window.start.year == group[-1].start.year)
        ):
            yield group
            group = []
        group.append(window)
    if group:
        yield group


def _document_name(group: Sequence[Window], reporters: Collection[str]) -> str:
    first, last = group[0], group[-1]
    period = first.key if first == last else f"{first.key}..{last.key}"
    named = sorted(set(reporters))
    if len(named) > 8:
        digest = hashlib.sha256(",".join(named).encode()).hexdigest()[:8]
        named = [f"{len(named)}-reporters", digest]
    return f"{'-'.join(['C', first.frequency, 'HS', period, *named])}.json"


def _request(group: Sequence[Window], params: Mapping[str, str], has_key: bool) -> Request:
    frequency: Frequency = group[0].frequency
    service = "data/v1/get" if has_key else "public/v1/preview"
    text = "%Y" if frequency == "A" else "%Y%m"
    return Request(
        url=f"{service}/C/{frequency}/HS",
        expects=("json",),
        params={"period": ",".join(f"{window.start:{text}}" for window in group), **params},
        headers={KEY_HEADER: "{key}"} if has_key else {},
        statuses=dict(STATUSES),
    )


def _reporters() -> Mapping[str, str]:
    """The economies that may report, by number; an economy may have several."""
    numbers = economy_by("comtrade_code").items()
    return {number: iso3 for number, iso3 in numbers if iso3 not in NOT_REPORTERS}


def _reporters_param(reporters: Collection[str]) -> Mapping[str, str]:
    if not reporters:
        return {}
    known = _reporters()
    unknown = sorted(set(reporters) - set(known.values()))
    if unknown:
        raise ConfigurationError(
            f"{CARD.name}: UN Comtrade has no number for the reporter "
            f"{', '.join(map(repr, unknown))}.",
            hint="Reporters are named by their ISO 3166 alpha-3 codes, such as JPN.",
        )
    numbers = (number for number, iso3 in known.items() if iso3 in reporters)
    # In lower case: the preview takes no other spelling of this name.
    return {"reportercode": ",".join(sorted(numbers, key=int))}


def _expected_rows(params: Mapping[str, str]) -> int:
    """How many rows one period probably has."""
    reporters = params["reportercode"].count(",") + 1 if "reportercode" in params else None
    of_one_code = min(ROWS_PER_CODE, (reporters or ROWS_PER_CODE) * ROWS_PER_CODE_OF_ONE)
    return of_one_code * (params["cmdCode"].count(",") + 1)


def _sized(request: Request, most_rows: int) -> Iterator[Request]:
    """The request, or its halves by code (by reporter, if the address is too long) that fit."""
    halves = None
    periods = request.params["period"].count(",") + 1
    if _address_length(request) > LONGEST_ADDRESS:
        halves = _halves(request, ("cmdCode", "reportercode"))
    elif periods * _expected_rows(request.params) > most_rows:
        halves = _halves(request, ("cmdCode",))
    if halves is None:
        yield request
    else:
        for half in halves:
            yield from _sized(half, most_rows)


def _address_length(request: Request) -> int:
    return len(f"{BASE_URL}/{request.url}?{urlencode(request.params)}")


def _halves(request: Request, by: Sequence[str] = SPLIT_BY) -> tuple[Request, Request] | None:
    """Two requests that ask for the same together; None where each list has one value left."""
    for name in by:
        values = request.params[name].split(",") if name in request.params else []
        if name == "reportercode" and not values:
            values = sorted(_reporters(), key=int)
        if len(values) > 1:
            middle = len(values) // 2
            return (
                _asking(request, name, values[:middle]),
                _asking(request, name, values[middle:]),
            )
    return None


def _asking(request: Request, name: str, values: Sequence[str]) -> Request:
    return replace(request, params={**request.params, name: ",".join(values)})


# Answers.


def follow(request: Request, answer: Answer) -> Step:
    """Done, or two smaller requests where the answer was cut at the cap, or Stop out of quota.

    An answer as large as `maxRecords` or as one of KNOWN_CAPS was probably cut: there is no other
    sign. A request that cannot be halved and gets another cap than it asked for is complete.
    Raises UpstreamFormatError for an answer that is not the API's, that contains an error, or is
    cut and cannot be asked for in smaller pieces; DeniedError when the key is refused.
    """
    if answer.meaning == "quota":
        return _stop(answer)
    if answer.meaning == "nothing":
        return Done()
    most_rows = int(request.params["maxRecords"])
    is_refused = answer.meaning == "too_much"
    count = None if is_refused else _count(answer.file)
    if not is_refused and count != most_rows and count not in KNOWN_CAPS:
        return Done()
    halves = _halves(request)
    if halves is not None:
        return Instead(halves)
    if not is_refused and count != most_rows:
        return Done()
    asked = ", ".join(request.params[name] for name in SPLIT_BY)
    size = f"HTTP {answer.status}" if is_refused else f"{count:,} rows"
    raise UpstreamFormatError(
        f"{CARD.name}: the answer for {asked} is too large ({size}) and cannot be split further.",
        hint="Raise KIDO_COMTRADE_ROWS_PER_CALL to what the subscription allows.",
    )


def _stop(answer: Answer) -> Stop:
    words = _words(answer.text)
    wait, message = _WAIT.search(words), shortened(words)
    if not wait and "quota" not in words.lower():
        raise DeniedError(
            f"{CARD.name}: HTTP {answer.status}: {message or 'access denied'}",
            hint="Check KIDO_COMTRADE_KEY.",
        )
    if answer.retry_after_s is not None:
        return Stop(message, timedelta(seconds=answer.retry_after_s))
    if not wait:
        return Stop(message)
    days, hours, minutes, seconds = (int(part or 0) for part in wait.groups())
    return Stop(
        shortened(words), timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    )


def _words(text: str) -> str:
    """The sentence of a refusal, which comes as JSON (`{"statusCode": 403, "message": ...}`)."""
    try:
        refusal = json.loads(text)
    except ValueError:
        return " ".join(text.split())
    return _message(refusal) or " ".join(text.split())


def _message(answer: object) -> str:
    """The error message in a JSON answer; empty where there is none."""
    if not isinstance(answer, dict):
        return ""
    nested = answer.get("errorObject")
    message = (nested.get("errorMessage") if isinstance(nested, dict) else None) or next(
        (answer[name] for name in ("error", "message") if answer.get(name)), ""
    )
    return " ".join(str(message).split())


def _count(file: Path) -> int:
    """The number of rows given in an answer, read from its two ends where their layout is usual."""
    with file.open("rb") as stream:
        head = stream.read(_END_BYTES)
        stream.seek(max(0, os.fstat(stream.fileno()).st_size - _END_BYTES))
        tail = stream.read(_END_BYTES)
    start, end = _HEAD.match(head), _TAIL.search(tail)
    if start and end and end[1] == b'""':
        return int(start[1])
    count, _ = _load(file.read_bytes())
    return count


def _load(payload: bytes) -> tuple[int, list[Any]]:
    """The count and the rows of an answer of the API."""
    if looks_like_html(payload):
        raise UpstreamFormatError(
            f"{CARD.name}: HTML page where JSON was expected.", hint="Ask or land it again."
        )
    try:
        answer = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise UpstreamFormatError(
            f"{CARD.name}: the answer is cut or not JSON ({shortened(str(error))}).", hint=_AGAIN
        ) from error
    if message := _message(answer):
        raise UpstreamFormatError(
            f"{CARD.name}: the publisher answered with an error: {shortened(message)}"
        )
    count, data = (
        (answer.get("count"), answer.get("data")) if isinstance(answer, dict) else (None, None)
    )
    if type(count) is not int or not isinstance(data, list):
        raise UpstreamFormatError(
            f"{CARD.name}: JSON without `count` and `data`, as every answer of the API has them.",
            hint=_WHOSE,
        )
    return count, data


# Reading.


def parse(
    payload: bytes, document: Document, scope: CommodityScope = DEFAULT_SCOPE
) -> Mapping[str, pl.DataFrame]:
    """An answer or file of UN Comtrade -> `trade_flows`, one row per flow, partner and period.

    Reads the API's JSON, its 47 columns as CSV or workbook (first sheet), and the bulk files (tabs,
    gzip or not); columns in any order and case, further ones are dropped. Values are US dollars,
    weights kilograms; null stays null, and a weight of 0 beside a value was not reported (null).

    Dropped on purpose: codes out of scope (totals and headings among them), PARTIAL_FLOWS,
    GROUPS_THAT_REPORT, and what the UN converted to another edition of the HS where the reporter's
    own edition of the same code is there. Breakdown columns are null for the total of each; the
    three may all be absent. Rows of one key are the same figure, or a total and its parts: the
    largest value is kept. Partners that are one economy here (`_X`) are summed, and a sum with a
    missing part is missing. `valuation` is CIF or FOB by the value that is printed, else by the
    convention of the flow. `vintage_at` is the time of retrieval.
    A number that is of no known economy stays as text: the table's rules quarantine its rows.
    Raises UpstreamFormatError when the payload is none of these, is cut, lacks a column, has an
    invalid number or period, or no code in scope; UnknownCodeError that names the flow or edition
    that is in no list, or a reporter or partner that is no number, or no economy.
    Source: UN Comtrade v1, reference files TradeDataItems, Reporters, partnerAreas, tradeRegimes.
    """
    return parse_together([(payload, document)], scope)


def parse_together(
    parts: Sequence[tuple[bytes, Document]], scope: CommodityScope = DEFAULT_SCOPE
) -> Mapping[str, pl.DataFrame]:
    """Several files of one pull, read like one file by `parse`.

    A key may be in two of them: a total in one and its parts in the other, or two numbers that are
    one partner here. Raises ContradictionError where two files differ on one figure.
    """
    pieces = [_in_scope(_read(payload), scope) for payload, _ in parts]
    _require_no_contradiction(pieces)
    rows = pl.concat(pieces)
    _require_known_codes(rows)
    _require_periods_and_numbers(rows)
    flows = _by_economy(_counted_once(_typed(rows)))
    retrieved_at = max(utc_naive(document.retrieved_at) for _, document in parts)
    return {
        "trade_flows": flows.with_columns(
            pl.lit(CARD.name).alias("source"),
            pl.lit(False).alias("is_basket"),
            pl.lit(False).alias("is_provisional"),
            pl.lit(retrieved_at, INSTANT).alias("vintage_at"),
        )
        .select("source", *_OWN_COLUMNS, "is_provisional", "vintage_at")
        .sort(TRADE_FLOWS.key, nulls_last=True)
    }


_OWN_COLUMNS = (
    "reporter_iso3",
    "partner_iso3",
    "flow",
    "commodity_code",
    "is_basket",
    "hs_revision",
    "frequency",
    "period_start",
    "procedure_code",
    "transport_code",
    "second_partner_iso3",
    "value_usd",
    "net_weight_kg",
    "valuation",
)


def _read(payload: bytes) -> pl.DataFrame:
    """COLUMNS and BREAKDOWN_TOTALS as text; blank is null."""
    if looks_like_gzip(payload):
        payload = gunzip(payload, source=CARD.name)
    if looks_like(payload, "json"):
        table = _rows_of_answer(payload)
    elif looks_like_zip(payload):
        table = _rows_of_sheet(payload)
    else:
        separator = "\t" if b"\t" in payload[:LONGEST_LINE].partition(b"\n")[0] else ","
        header = header_of(payload, source=CARD.name, separator=separator)
        required = _required(header)
        table = read_text_table(
            payload,
            source=CARD.name,
            required=required,
            optional=[name for name in BREAKDOWN_TOTALS if name not in required],
            others=True,
            separator=separator,
            reads=("JSON", "workbook", "CSV"),
            hint=_WHOSE,
        )
    # A number that went through another program may have come out as 156.0.
    numbers = ("period", "reportercode", "partnercode", "partner2code", "motcode")
    return table.select(
        pl.col(name).str.replace(r"^([0-9]+)\.0$", "$1") if name in numbers else pl.col(name)
        for name in (*COLUMNS, *BREAKDOWN_TOTALS)
    )


def _required(names: Collection[str]) -> tuple[str, ...]:
    """The required columns: of the breakdowns all three or none, else one was renamed."""
    return (
        (*COLUMNS, *BREAKDOWN_TOTALS)
        if any(name in names for name in BREAKDOWN_TOTALS)
        else COLUMNS
    )


def _rows_of_answer(payload: bytes) -> pl.DataFrame:
    count, data = _load(payload)
    if count != len(data):
        raise UpstreamFormatError(
            f"{CARD.name}: the answer is cut: it has {len(data):,} of {count:,} rows.",
            hint=_AGAIN,
        )
    if not data:
        return pl.DataFrame(schema=dict.fromkeys((*COLUMNS, *BREAKDOWN_TOTALS), pl.String))
    try:
        spelt = list(data[0])
        require_width(len(spelt), source=CARD.name)
        header = [str(name).lower() for name in spelt]
        require_columns(header, _required(header), source=CARD.name, hint=_WHOSE)
        table = pl.from_dicts(
            data, schema=dict.fromkeys(_columns(spelt, header).values(), pl.String), strict=False
        )
    except (TypeError, ValueError, AttributeError, pl.exceptions.PolarsError) as error:
        raise UpstreamFormatError(
            f"{CARD.name}: `data` does not contain rows of plain values.", hint=_WHOSE
        ) from error
    require_short_fields(table, source=CARD.name)
    return _text(table, _columns(spelt, header))


def _rows_of_sheet(payload: bytes) -> pl.DataFrame:
    sheet = read_sheet(payload, None, source=CARD.name)
    sheet = sheet.filter(~pl.all_horizontal(pl.all().is_null())) if sheet.width else sheet
    header = [(name or "").lower() for name in sheet.row(0)] if sheet.height else []
    require_columns(header, _required(header), source=CARD.name, hint=_WHOSE)
    if sheet.height == 1:
        raise UpstreamFormatError(f"{CARD.name}: the first sheet has a header and no rows.")
    return _text(sheet.slice(1), _columns(sheet.columns, header))


def _columns(spelt: Sequence[str], header: Sequence[str]) -> Mapping[str, str]:
    """By known column that is present, its name in the file."""
    known = (*COLUMNS, *BREAKDOWN_TOTALS)
    return {name: spelt[header.index(name)] for name in known if name in header}


def _text(table: pl.DataFrame, at: Mapping[str, str]) -> pl.DataFrame:
    return table.select(
        pl.col(at[name]).str.strip_chars().replace("", None).alias(name)
        if name in at
        else pl.lit(None, pl.String).alias(name)
        for name in (*COLUMNS, *BREAKDOWN_TOTALS)
    )


def _in_scope(rows: pl.DataFrame, scope: CommodityScope) -> pl.DataFrame:
    """The rows of codes, flows and reporters that are read."""
    codes = scope.select(rows["cmdcode"].unique())
    of_codes = rows.filter(pl.col("cmdcode").is_in(codes))
    if of_codes.is_empty() and not rows.is_empty():
        raise OutOfScopeError(
            f"{CARD.name}: no row is of an HS6 code in scope.",
            hint=OUT_OF_SCOPE,
        )
    _require_known(
        pl.col("flowcode").is_in([*FLOWS, *PARTIAL_FLOWS]), of_codes, "flowcode", "is not a flow"
    )
    return of_codes.filter(
        pl.col("flowcode").is_in(list(FLOWS)),
        pl.col("reportercode").is_null() | ~pl.col("reportercode").is_in(GROUPS_THAT_REPORT),
    )


def _require_known(rule: pl.Expr, rows: pl.DataFrame, column: str, what: str) -> None:
    require_every(
        rule,
        table=rows,
        value=pl.col(column),
        what=f"{what} ({column})",
        source=CARD.name,
        error=UnknownCodeError,
    )


def _is_number(column: str) -> pl.Expr:
    return pl.col(column).str.contains(r"^[0-9]+$")


def _economies(*columns: pl.Series) -> Mapping[str, str]:
    """The economies of the numbers in these columns."""
    economies = economy_by("comtrade_code")
    return {
        number: economies[number] for number in pl.concat(columns).unique() if number in economies
    }


def _require_known_codes(rows: pl.DataFrame) -> None:
    economies = _economies(rows["reportercode"])
    no_reporters = [number for number, iso3 in economies.items() if iso3 in NOT_REPORTERS]
    second = pl.col("partner2code")
    rules = {
        "reportercode": _is_number("reportercode") & ~pl.col("reportercode").is_in(no_reporters),
        "partnercode": _is_number("partnercode"),
        "partner2code": second.is_null() | _is_number("partner2code"),
    }
    for column, rule in rules.items():
        _require_known(rule, rows, column, "is not the number of an economy")
    _require_known(
        pl.col("classificationcode").is_in(list(EDITIONS)),
        rows,
        "classificationcode",
        "is not an edition of the HS like H6",
    )


def _require_periods_and_numbers(rows: pl.DataFrame) -> None:
    is_year = pl.col("period").str.contains(r"^[12][0-9]{3}$")
    is_month = pl.col("period").str.contains(r"^[12][0-9]{3}(0[1-9]|1[0-2])$")
    original = pl.col("isoriginalclassification").str.to_lowercase()
    rules = (
        ("freqcode", pl.col("freqcode").is_in(["A", "M"]), "is not a frequency, A or M"),
        (
            "period",
            pl.when(pl.col("freqcode") == "A").then(is_year).otherwise(is_month),
            "is not a period of its frequency (2024 for A, 202405 for M)",
        ),
        (
            "isoriginalclassification",
            original.is_in([*_TRUE, *_FALSE]),
            "is neither true nor false (isoriginalclassification)",
        ),
        *(
            (
                measure,
                pl.col(measure).is_null()
                | pl.col(measure).cast(pl.Float64, strict=False).is_finite(),
                f"is not a number ({measure})",
            )
            for measure in MEASURES
        ),
    )
    for column, rule, what in rules:
        require_every(rule, table=rows, value=pl.col(column), what=what, source=CARD.name)


_TRUE = ("true", "1")
_FALSE = ("false", "0")


def _typed(rows: pl.DataFrame) -> pl.LazyFrame:
    """Rows in the lake's columns, of all their partner numbers, with `is_original`.

    A number of no known economy stands for itself.
    """
    economies = _economies(*(rows[name] for name in ("reportercode", "partnercode")))
    second = _economies(rows["partner2code"])
    is_original = pl.col("isoriginalclassification").str.to_lowercase().is_in(list(_TRUE))
    has_value = pl.col("primaryvalue") > 0
    pinned = {
        name: pl.when(pl.col(name) != total).then(name) for name, total in BREAKDOWN_TOTALS.items()
    }
    month = pl.col("period").str.slice(4).replace("", "01")
    return (
        rows.lazy()
        .with_columns(pl.col(MEASURES).cast(pl.Float64))
        .select(
            pl.col("reportercode").replace(economies).alias("reporter_iso3"),
            pl.col("partnercode").replace(economies).alias("partner_iso3"),
            _worded("flowcode", FLOWS).alias("flow"),
            pl.col("cmdcode").alias("commodity_code"),
            _worded("classificationcode", EDITIONS).alias("hs_revision"),
            pl.col("freqcode").alias("frequency"),
            pl.format("{}-{}-01", pl.col("period").str.head(4), month)
            .str.to_date("%Y-%m-%d")
            .alias("period_start"),
            pinned["customscode"].alias("procedure_code"),
            pinned["motcode"].alias("transport_code"),
            pinned["partner2code"].replace(second).alias("second_partner_iso3"),
            pl.col("primaryvalue").alias("value_usd"),
            pl.when(~((pl.col("netwgt") == 0) & has_value.fill_null(False)))
            .then("netwgt")
            .alias("net_weight_kg"),
            pl.when(has_value & (pl.col("primaryvalue") == pl.col("cifvalue")))
            .then(pl.lit("CIF"))
            .when(has_value & (pl.col("primaryvalue") == pl.col("fobvalue")))
            .then(pl.lit("FOB"))
            .otherwise(_worded("flowcode", {code: VALUATION[FLOWS[code]] for code in FLOWS}))
            .alias("valuation"),
            is_original.alias("is_original"),
            "partnercode",
            pinned["partner2code"].alias("partner2code"),
        )
    )


def _worded(column: str, words: Mapping[str, str]) -> pl.Expr:
    return pl.col(column).replace_strict(words, default=None, return_dtype=pl.String)


def _require_no_contradiction(pieces: Sequence[pl.DataFrame]) -> None:
    """Raise ContradictionError where two files differ on one figure.

    Of rows of one key in a file, a total and its parts, the largest is compared.
    """
    if len(pieces) < 2:
        return
    figures = (*MEASURES, "isoriginalclassification")
    key = [name for name in (*COLUMNS, *BREAKDOWN_TOTALS) if name not in figures]
    value, weight = (
        pl.col(name).cast(pl.Float64, strict=False) for name in ("primaryvalue", "netwgt")
    )
    largest = [
        piece.lazy()
        .group_by(key)
        .agg(pl.struct(value, weight.replace(0, None)).sort_by(value, weight).last())
        for piece in pieces
    ]
    contradicted = (
        pl.concat(largest)
        .group_by(key)
        .agg(pl.col("primaryvalue").n_unique().alias("values"))
        .filter(pl.col("values") > 1)
        .sort(key)
        .head(1)
        .collect()
    )
    if contradicted.height:
        row = contradicted.row(0, named=True)
        raise ContradictionError(
            f"{CARD.name}: the files differ on {row['cmdcode']} of reporter {row['reportercode']} "
            f"and partner {row['partnercode']} in {row['period']}."
        )


def _counted_once(flows: pl.LazyFrame) -> pl.LazyFrame:
    """One row per key and partner number, of the reporter's own edition where present."""
    own = pl.col("is_original").any().over(TRADE_FLOWS.vintage_slice[1:])
    key = [name for name in TRADE_FLOWS.key if name != "source"]
    key += ["partnercode", "partner2code"]
    return (
        flows.filter(pl.col("is_original") | ~own)
        .sort(
            *key,
            "value_usd",
            "net_weight_kg",
            "valuation",
            descending=[False] * len(key) + [True, True, False],
            nulls_last=True,
        )
        # Of the remaining rows of a flow and its breakdown the total is the largest.
        .unique(key, keep="first", maintain_order=True)
    )


def _by_economy(flows: pl.LazyFrame) -> pl.DataFrame:
    """Partner numbers that are one economy here are summed; a missing part makes the sum
    missing.
    """
    key = [name for name in TRADE_FLOWS.key if name != "source"]
    measures = ("value_usd", "net_weight_kg")
    one_valuation = pl.col("valuation").n_unique() == 1
    return (
        flows.group_by(key, maintain_order=True)
        .agg(
            *(
                pl.when(~pl.col(measure).has_nulls()).then(pl.col(measure).sum()).alias(measure)
                for measure in measures
            ),
            pl.when(one_valuation).then(pl.col("valuation").first()).alias("valuation"),
        )
        .with_columns(pl.coalesce("valuation", _worded("flow", VALUATION)).alias("valuation"))
        .collect()
    )
