"""Worldwide Governance Indicators -> `governance_scores`.

Only estimates (about -2.5 to 2.5) and their standard errors; ranks and 0-100 scores are another
scale, and the six are combined to one weight elsewhere.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Literal

import polars as pl

from dagster_project.errors import UnknownCodeError, UpstreamFormatError, listed, shortened
from dagster_project.lake.schemas import GOVERNANCE_SCORES, INSTANT
from dagster_project.lake.scope import DEFAULT_SCOPE, CommodityScope
from dagster_project.lake.vocabulary import economy_named, economy_of
from dagster_project.sources.card import (
    Answer,
    Calendar,
    Document,
    Done,
    Extract,
    More,
    Request,
    Scope,
    SourceCard,
    Step,
    Window,
)
from dagster_project.sources.formats import (
    is_it_the_file_of,
    looks_like,
    looks_like_zip,
    read_sheet,
    read_text_table,
    require_every,
    require_short_fields,
    require_width,
    utc_naive,
)
from dagster_project.sources.limits import MOST_CELLS

CARD = SourceCard(
    name="wgi",
    title="Worldwide Governance Indicators",
    publisher="World Bank",
    licence="CC BY 4.0",
    licence_url="https://creativecommons.org/licenses/by/4.0/",
    is_redistributable=True,
    cadence="annual",
    domain="production_and_uses",
    homepage="https://www.worldbank.org/en/publication/worldwide-governance-indicators",
    tables=("governance_scores",),
    lists=("economies",),
    description=(
        "Six indicators of how well an economy is governed, estimated from surveys and expert "
        "assessments: 1996, 1998, 2000 and every year since 2002. Bundled: to 2021, with standard "
        "errors, by the method before 2025. Asked for: every year to the newest one, without "
        "standard errors; the releases since 2025 restate all years by another method, and "
        "replace the bundled estimates."
    ),
    bundled=("estimates.csv",),
    base_url="https://api.worldbank.org",
    # The year 2024 was published on 5 November 2025, earlier ones from late September on.
    published_after=timedelta(days=365),
    calendar=Calendar(
        "30 9 * * 1",
        "America/New_York",
        "Mondays at 9:30 in Washington: a year is published between late September and November "
        "of the next one, on no fixed day.",
    ),
)

DATABASE = "3"
"""The indicators' own database at the World Bank, in which estimates are spelt with `.EST`."""

ROWS_PER_PAGE = 20_000
"""A page with more than an indicator has: 7,000 rows of 30 years, aggregates included."""

UNKNOWN_INDICATOR = "175"
"""The number of the service's message about an indicator that it does not have."""

INDICATORS: Mapping[str, str] = {
    "va": "voice_and_accountability",
    "pv": "political_stability",
    "ge": "government_effectiveness",
    "rq": "regulatory_quality",
    "rl": "rule_of_law",
    "cc": "control_of_corruption",
}
"""Indicators by the two letters the publisher's codes and columns begin with."""

API_CODES: Mapping[str, str] = {
    f"GOV_WGI_{letters.upper()}{separator}EST": indicator
    for letters, indicator in INDICATORS.items()
    for separator in "._"
}
"""Codes of the service for estimates; the copies in other databases spell them with `_EST`."""

OTHER_ECONOMY_CODES: Mapping[str, str] = {
    "ADO": "AND",
    "KSV": "XKX",
    "ROM": "ROU",
    "TMP": "TLS",
    "WBG": "PSE",
    "ZAR": "COD",
}
"""The World Bank's codes that are not ISO 3166, and the economies they are."""

AGGREGATE_CODES = frozenset(
    {
        "AFE", "AFR", "AFW", "ARB", "CAA", "CEA", "CEB", "CEU", "CLA", "CME", "CSA", "CSS", "EAP",
        "EAR", "EAS", "ECA", "ECS", "EMU", "EUU", "FCS", "FXS", "HIC", "HPC", "IBB", "IBD", "IBT",
        "IDA", "IDB", "IDX", "INX", "LAC", "LCN", "LCR", "LDC", "LIC", "LMC", "LMY", "LTE", "MDE",
        "MEA", "MIC", "MNA", "NAC", "NAF", "NRS", "NXS", "OED", "OSS", "PRE", "PSS", "PST", "RRS",
        "SAS", "SSA", "SSF", "SST", "SXZ", "TEA", "TEC", "TLA", "TMN", "TSA", "TSS", "UMC", "WLD",
        "XZN",
    }
)  # fmt: skip
"""The World Bank's codes for regions, income and lending groups: dropped, not economies."""

AGGREGATE_NAMES = frozenset(
    name.casefold()
    for name in (
        "Africa Eastern and Southern", "Africa Western and Central", "Arab World",
        "Caribbean small states", "Central Europe and the Baltics", "Early-demographic dividend",
        "East Asia & Pacific", "East Asia & Pacific (excluding high income)",
        "East Asia & Pacific (IDA & IBRD countries)", "Euro area", "Europe & Central Asia",
        "Europe & Central Asia (excluding high income)",
        "Europe & Central Asia (IDA & IBRD countries)", "European Union",
        "Fragile and conflict affected situations", "Heavily indebted poor countries (HIPC)",
        "High income", "IBRD only", "IDA & IBRD total", "IDA blend", "IDA only", "IDA total",
        "Late-demographic dividend", "Latin America & Caribbean",
        "Latin America & Caribbean (excluding high income)",
        "Latin America & the Caribbean (IDA & IBRD countries)",
        "Least developed countries: UN classification", "Low & middle income", "Low income",
        "Lower middle income", "Middle East & North Africa",
        "Middle East & North Africa (excluding high income)",
        "Middle East & North Africa (IDA & IBRD countries)",
        "Middle East, North Africa, Afghanistan & Pakistan", "Middle income", "North America",
        "Not classified", "OECD members", "Other small states", "Pacific island small states",
        "Post-demographic dividend", "Pre-demographic dividend", "Small states", "South Asia",
        "South Asia (IDA & IBRD)", "Sub-Saharan Africa",
        "Sub-Saharan Africa (excluding high income)", "Sub-Saharan Africa (IDA & IBRD countries)",
        "Upper middle income", "World",
    )
)  # fmt: skip
"""The same by name, for rows without a code."""

RELEASE_MONTH, RELEASE_DAY = 9, 30
"""A bundled figure of year Y counts from 30 September of the year after."""

_WHOSE = is_it_the_file_of(CARD.homepage)
_ASK = (
    "The service answers at https://api.worldbank.org/v2/country/all/indicator/GOV_WGI_RL.EST"
    "?source=3&format=json."
)

_STATA = b"<stata_dta>"
_STATA_END = b"</stata_dta>"
_STATA_HEADER_BYTES = 200
_STATA_SIZE = re.compile(
    rb"<byteorder>(MSF|LSF)</byteorder><K>(.{2,4}?)</K><N>(.{4}|.{8})</N>", re.DOTALL
)
"""The counts of variables and observations in the header of a Stata file since version 13."""
_STATA_TYPES = b"<variable_types>"
_STATA_LONG_TEXT = 32768
"""The type of texts stored separately, where many rows may point to one: a small file of them may
unpack to any size."""
_OLDER_STATA = range(102, 116)
"""First byte of a Stata file before version 13; the second is 1 or 2 (byte order)."""


def plan(windows: Sequence[Window], scope: Scope) -> Sequence[Extract]:
    """The six estimates, each of all economies and years: one release, so one extract."""
    codes = (f"GOV_WGI_{letters.upper()}.EST" for letters in INDICATORS)
    return [Extract("estimates.json", tuple(_page(code, 1) for code in codes))]


def _page(code: str, page: int) -> Request:
    return Request(
        f"v2/country/all/indicator/{code}",
        ("json",),
        params={
            "source": DATABASE,
            "format": "json",
            "per_page": f"{ROWS_PER_PAGE}",
            "page": f"{page}",
        },
        context={"code": code, "page": f"{page}"},
    )


def follow(request: Request, answer: Answer) -> Step:
    """The next page of an indicator, until its last one.

    Raises UpstreamFormatError for an error (the service sends it with status 200), an answer
    without rows, another page or indicator than asked for, and fewer rows than the page must have;
    UnknownCodeError for an indicator that the service does not have.
    """
    code, page = request.context["code"], int(request.context["page"])
    about, rows = _read_answer(answer.file.read_bytes(), asked=code)
    shown, pages, per_page, total = (
        _count(about, name) for name in ("page", "pages", "per_page", "total")
    )
    due = min(per_page, total - per_page * (page - 1))
    if shown != page or rows.height != due:
        raise UpstreamFormatError(
            f"{CARD.name}: the answer for {code} has {rows.height:,} rows of page {shown}, and "
            f"{due:,} of page {page} were expected."
        )
    others = [other for other in rows["indicator"].unique().sort().to_list() if other != code]
    if others:
        raise UpstreamFormatError(
            f"{CARD.name}: the answer for {code} is about {listed(map(repr, others))}."
        )
    return More((_page(code, page + 1),)) if page < pages else Done()


def _count(about: Mapping[str, Any], name: str) -> int:
    """A number of an answer's head, which some answers print as a text."""
    try:
        return int(about[name])
    except (KeyError, TypeError, ValueError):
        raise UpstreamFormatError(
            f"{CARD.name}: the head of the answer has no number of {name}.", hint=_ASK
        ) from None


def parse_extract(
    parts: Sequence[bytes], document: Document, scope: CommodityScope = DEFAULT_SCOPE
) -> Mapping[str, pl.DataFrame]:
    """The answers for the six indicators -> `governance_scores`.

    Raises UpstreamFormatError where the pages are of different releases (fetched on both sides of
    one), an indicator is missing, and what `parse` raises.
    """
    releases = {str(_read_answer(part)[0].get("lastupdated") or "no day") for part in parts}
    if len(releases) > 1:
        raise UpstreamFormatError(
            f"{CARD.name}: the answers are of different releases ({listed(sorted(releases))}).",
            hint="Fetch them again.",
        )
    frames = [parse(part, document, scope)["governance_scores"] for part in parts]
    scores = pl.concat(frames).sort(GOVERNANCE_SCORES.key)
    missing = sorted(set(INDICATORS.values()) - set(scores["indicator"].unique()))
    if missing:
        raise UpstreamFormatError(f"{CARD.name}: no estimate of {listed(missing)}.", hint=_ASK)
    return {"governance_scores": scores}


def parse(
    payload: bytes, document: Document, scope: CommodityScope = DEFAULT_SCOPE
) -> Mapping[str, pl.DataFrame]:
    """The indicators -> `governance_scores`, one row per indicator, economy and year.

    Reads the publisher's Stata file (`code`, `year`, and per indicator `vae`, `vas` ...; or one row
    per indicator: `code`, `year`, `indicator`, `estimate`, `stddev`), its workbook of the second
    shape, an answer of the World Bank's service (`[about, rows]`, whole or a page of it), and the
    bundled table. Years without an estimate make no row; regions and income groups in an answer of
    the service are dropped. `vintage_at` is the release of the year for bundled figures, else the
    time of retrieval.
    Raises UpstreamFormatError for another file, a cut one, an error of the service (with its text)
    or an answer without rows; UnknownCodeError that names an economy or indicator that is in no
    list, and any measure that is not an estimate. Source: World Bank, database 3 (WGI).
    """
    if _is_stata(payload):
        scores = _from_columns(_read_stata(payload))
    elif looks_like_zip(payload):
        scores = _from_columns(_read_workbook(payload))
    elif looks_like(payload, "json"):
        scores = _from_service(payload)
    else:
        scores = _from_table(payload)
    if scores.is_empty():
        raise UpstreamFormatError(f"{CARD.name}: the file contains no estimate.", hint=_WHOSE)
    release = pl.date(pl.col("year") + 1, RELEASE_MONTH, RELEASE_DAY)
    retrieved = pl.lit(utc_naive(document.retrieved_at), INSTANT)
    return {
        "governance_scores": scores.lazy()
        .select(
            pl.lit(CARD.name).alias("source"),
            "indicator",
            "economy_iso3",
            "year",
            "estimate",
            "standard_error",
            pl.lit(False).alias("is_provisional"),
            (release.cast(INSTANT) if document.is_bundled else retrieved).alias("vintage_at"),
        )
        .sort(GOVERNANCE_SCORES.key)
        .collect()
    }


def _is_stata(payload: bytes) -> bool:
    return payload.startswith(_STATA) or (
        len(payload) > 1 and payload[0] in _OLDER_STATA and payload[1] in (1, 2)
    )


def _read_stata(payload: bytes) -> pl.DataFrame:
    import pandas as pd

    if payload.startswith(_STATA) and not payload.rstrip().endswith(_STATA_END):
        raise UpstreamFormatError(
            f"{CARD.name}: the Stata file is cut.", hint="Fetch or land the file again."
        )
    _require_plausible_size(payload)
    try:
        table = pd.read_stata(
            io.BytesIO(payload), convert_categoricals=False, convert_missing=False
        )
    except Exception as error:  # pandas raises any error for a damaged part
        reason = shortened(" ".join(str(error).split()))
        raise UpstreamFormatError(
            f"{CARD.name}: the Stata file is cut or damaged ({reason}).",
            hint="Fetch or land the file again.",
        ) from error
    columns = pl.DataFrame(
        {str(name).lower(): table[name].to_numpy() for name in table.columns}, nan_to_null=True
    )
    require_short_fields(columns, source=CARD.name)
    return columns


def _require_plausible_size(payload: bytes) -> None:
    """Reject a Stata file whose header counts more than the file can contain.

    A value takes a byte at least. Source: Stata, `help dta`, section 5.1 of each version.
    """
    match = _STATA_SIZE.search(payload[:_STATA_HEADER_BYTES])
    if match is None and payload.startswith(_STATA):
        raise UpstreamFormatError(
            f"{CARD.name}: the Stata file is cut or damaged (its header gives no size).",
            hint="Fetch or land the file again.",
        )
    if match:
        order: Literal["big", "little"] = "big" if match[1] == b"MSF" else "little"
        sizes = match[2], match[3]
    else:
        order = "big" if payload[1] == 1 else "little"
        sizes = payload[4:6], payload[6:10]
    columns, rows = (int.from_bytes(size, order) for size in sizes)
    require_width(columns, source=CARD.name)
    if columns * rows > min(MOST_CELLS, len(payload)) or rows > len(payload):
        raise UpstreamFormatError(
            f"{CARD.name}: the Stata header gives {rows:,} rows of {columns:,} columns, more "
            "than the file contains or than is read.",
            hint=_WHOSE,
        )
    types = payload.partition(_STATA_TYPES)[2][: 2 * columns]
    if any(
        int.from_bytes(types[at : at + 2], order) == _STATA_LONG_TEXT
        for at in range(0, len(types), 2)
    ):
        raise UpstreamFormatError(
            f"{CARD.name}: the Stata file contains texts of any length (strL), and the indicators "
            "have none.",
            hint=_WHOSE,
        )


def _read_workbook(payload: bytes) -> pl.DataFrame:
    table = read_sheet(payload, None, source=CARD.name)
    if table.is_empty():
        raise UpstreamFormatError(
            f"{CARD.name}: the first sheet of the workbook is empty.", hint=_WHOSE
        )
    header = [(name or "").lower() for name in table.row(0)]
    named = {f"column {place}": name for place, name in enumerate(header) if name}
    if len(set(named.values())) < len(named):
        raise UpstreamFormatError(
            f"{CARD.name}: two columns of the workbook have one name.", hint=_WHOSE
        )
    return (
        table.slice(1)
        .select(pl.col(column).alias(name) for column, name in named.items())
        .filter(pl.any_horizontal(pl.all().is_not_null()))
    )


def _from_columns(table: pl.DataFrame) -> pl.DataFrame:
    """The publisher's columns, of either shape -> scores."""
    if "indicator" in table.columns:
        _require_columns(table, ("code", "year", "indicator", "estimate", "stddev"))
        long = table.select(
            pl.col("code", "indicator").cast(pl.String),
            _number("year", table),
            _number("estimate", table),
            _number("stddev", table).alias("standard_error"),
        )
        indicators = _mapping(long["indicator"], _indicator_lettered)
        long = long.with_columns(pl.col("indicator").replace_strict(indicators))
    else:
        _require_columns(
            table,
            ("code", "year", *(f"{letters}{kind}" for letters in INDICATORS for kind in "es")),
        )
        long = pl.concat(
            table.select(
                pl.col("code").cast(pl.String),
                pl.lit(indicator).alias("indicator"),
                _number("year", table),
                _number(f"{letters}e", table).alias("estimate"),
                _number(f"{letters}s", table).alias("standard_error"),
            )
            for letters, indicator in INDICATORS.items()
        )
    _require_years(long, pl.col("year").cast(pl.String))
    economies = _mapping(long["code"], _economy_coded)
    return _scores(long.with_columns(pl.col("code").replace_strict(economies)))


def _require_columns(table: pl.DataFrame, required: Iterable[str]) -> None:
    missing = [name for name in required if name not in table.columns]
    if missing:
        raise UpstreamFormatError(
            f"{CARD.name}: columns missing: {', '.join(missing)}.", hint=_WHOSE
        )


def _number(name: str, table: pl.DataFrame) -> pl.Expr:
    """A column as numbers; in text, `..` and a blank are missing and any other word is refused."""
    column = pl.col(name)
    if table[name].dtype == pl.String:
        column = column.str.strip_chars().replace({"..": None, "": None})
        require_every(
            column.is_null() | column.cast(pl.Float64, strict=False).is_finite(),
            table=table,
            value=pl.format("{}: {}", pl.lit(name), column),
            what="is not a number",
            source=CARD.name,
        )
    return column.cast(pl.Float64)


def _require_years(table: pl.DataFrame, printed: pl.Expr) -> None:
    year = pl.col("year")
    require_every(
        (year >= 1900) & (year <= 2200) & (year.round() == year),
        table=table,
        value=printed,
        what="is not a year",
        source=CARD.name,
    )


def _scores(long: pl.DataFrame) -> pl.DataFrame:
    return long.filter(
        pl.col("estimate").is_not_null(),
        pl.col("code").is_not_null(),
    ).select(
        "indicator",
        pl.col("code").alias("economy_iso3"),
        pl.col("year").cast(pl.Int32),
        "estimate",
        "standard_error",
    )


def _from_service(payload: bytes) -> pl.DataFrame:
    _, table = _read_answer(payload)
    indicators = _mapping(table["indicator"], _indicator_coded)
    _require_years(
        table.with_columns(pl.col("date").cast(pl.Float64, strict=False).alias("year")),
        pl.col("date"),
    )
    # Taiwan and a few territories have a name and no code in this database: a row without a code
    # is not necessarily an aggregate.
    place = pl.format("{}|{}", pl.col("code").fill_null(""), pl.col("name").fill_null(""))
    economies = _mapping(table.select(place).to_series(), _economy_or_aggregate)
    return _scores(
        table.select(
            place.replace_strict(economies, return_dtype=pl.String).alias("code"),
            pl.col("indicator").replace_strict(indicators),
            pl.col("date").cast(pl.Float64).cast(pl.Int32).alias("year"),
            pl.col("value").alias("estimate"),
            pl.lit(None, pl.Float64).alias("standard_error"),
        )
    )


def _read_answer(payload: bytes, asked: str = "") -> tuple[Mapping[str, Any], pl.DataFrame]:
    """The head of an answer, and its rows: `indicator`, `code`, `name`, `date`, `value`."""
    about, rows = _head_and_rows(payload, asked)
    text = pl.Struct({"id": pl.String, "value": pl.String})
    try:
        table = pl.DataFrame(
            rows,
            schema={
                "indicator": text,
                "country": text,
                "countryiso3code": pl.String,
                "date": pl.String,
                "value": pl.Float64,
            },
            orient="row",
            strict=True,
        )
    except (TypeError, ValueError, pl.exceptions.PolarsError) as error:
        reason = shortened(str(error).splitlines()[0])
        raise UpstreamFormatError(
            f"{CARD.name}: a row of the answer is not of the known shape ({reason}).", hint=_ASK
        ) from error
    figures = table.select(
        pl.col("indicator").struct.field("id").alias("indicator"),
        pl.col("countryiso3code").alias("code"),
        pl.col("country").struct.field("value").alias("name"),
        "date",
        "value",
    )
    require_short_fields(figures, source=CARD.name)
    return about, figures


def _head_and_rows(payload: bytes, asked: str) -> tuple[Mapping[str, Any], Any]:
    """The two parts of an answer; `asked` is the indicator, where it is known.

    Raises UnknownCodeError for an indicator that the service does not have, UpstreamFormatError for
    its other errors, another shape and an answer without rows.
    """
    try:
        answer = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise UpstreamFormatError(
            f"{CARD.name}: the JSON is cut or damaged ({shortened(str(error))}).",
            hint="Fetch or land the file again.",
        ) from error
    about = answer[0] if isinstance(answer, list) and answer else None
    if isinstance(about, dict) and "message" in about:
        words = _words(about)
        is_unknown = f"(id {UNKNOWN_INDICATOR})" in words
        kind = UnknownCodeError if is_unknown else UpstreamFormatError
        raise kind(
            f"{CARD.name}: the World Bank answers{f' for {asked}' * bool(asked)}: "
            f"{shortened(words)}"
        )
    if not isinstance(about, dict) or len(answer) != 2:
        raise UpstreamFormatError(
            f"{CARD.name}: the JSON is not an answer of the World Bank's service (a list of what "
            "it is about and its rows).",
            hint=_ASK,
        )
    if not answer[1]:
        named = f" for {asked}" if asked else ""
        raise UpstreamFormatError(
            f"{CARD.name}: the World Bank's answer{named} is empty: it has no figures for the "
            "request.",
            hint=_ASK,
        )
    return about, answer[1]


def _words(about: Mapping[str, object]) -> str:
    messages = about["message"]
    parts = [
        f"{part.get('value') or part.get('key')} (id {part.get('id')})"
        for part in (messages if isinstance(messages, list) else [])
        if isinstance(part, dict)
    ]
    return "; ".join(parts) or repr(messages)


def _from_table(payload: bytes) -> pl.DataFrame:
    """The bundled table: per economy and year `rule_of_law`, `rule_of_law_error` and so on."""
    figures = [
        name for indicator in INDICATORS.values() for name in (indicator, f"{indicator}_error")
    ]
    table = read_text_table(
        payload,
        source=CARD.name,
        required=("economy_iso3", "year", *figures),
        reads=("Stata file", "workbook", "JSON", "CSV"),
        hint=_WHOSE,
    ).with_columns(pl.col("economy_iso3").fill_null(""), pl.col("year").fill_null(""))
    require_every(
        pl.col("year").str.contains(r"^[0-9]{4}$"),
        table=table,
        value=pl.col("year"),
        what="is not a year",
        source=CARD.name,
    )
    economies = _mapping(table["economy_iso3"], _economy_coded)
    named = table.with_columns(pl.col("economy_iso3").replace_strict(economies).alias("code"))
    return _scores(
        pl.concat(
            named.select(
                "code",
                pl.lit(indicator).alias("indicator"),
                pl.col("year").cast(pl.Int32),
                _number(indicator, named).alias("estimate"),
                _number(f"{indicator}_error", named).alias("standard_error"),
            )
            for indicator in INDICATORS.values()
        )
    )


def _mapping(values: pl.Series, find: Callable[[str], str | None]) -> dict[str, str | None]:
    """The result of `find` for each distinct value."""
    return {value: find(value) for value in values.fill_null("").unique().to_list()}


def _economy_coded(code: str) -> str:
    return OTHER_ECONOMY_CODES.get(code.strip()) or economy_of(code, publisher=CARD.name)


def _economy_or_aggregate(place: str) -> str | None:
    """The economy of a `code|name`, by its code where there is one; None for an aggregate."""
    code, _, name = place.partition("|")
    if not code.strip():
        if name.strip().casefold() in AGGREGATE_NAMES:
            return None
        return economy_named(name, publisher=CARD.name)
    return None if code.strip() in AGGREGATE_CODES else _economy_coded(code)


def _indicator_lettered(letters: str) -> str:
    try:
        return INDICATORS[letters.strip().lower()]
    except KeyError:
        raise UnknownCodeError(
            f"{CARD.name}: no indicator has the letters {letters!r}.",
            hint=f"Those read are {', '.join(INDICATORS)}: see dagster_project/sources/wgi.py.",
        ) from None


def _indicator_coded(code: str) -> str:
    try:
        return API_CODES[code.strip()]
    except KeyError:
        raise UnknownCodeError(
            f"{CARD.name}: {code!r} is not an estimate of a governance indicator (-2.5 to 2.5).",
            hint="Ask for GOV_WGI_RL.EST and its like; `.SC` is a score from 0 to 100.",
        ) from None
