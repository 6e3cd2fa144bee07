"""Eurostat Comext, trade of the European Union and of its members at eight digits ->
`national_trade`.

SDMX-CSV of the dissemination API; the bulk files (.7z) are not read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from types import MappingProxyType

import polars as pl

from dagster_project.errors import ConfigurationError, UpstreamFormatError
from dagster_project.lake.scope import DEFAULT_SCOPE, CommodityScope
from dagster_project.lake.vocabulary import UNION, economy_by_code, eu27_members
from dagster_project.sources.card import (
    Answer,
    Asked,
    Calendar,
    Document,
    Done,
    Extract,
    Instead,
    Limits,
    Request,
    Scope,
    SourceCard,
    Step,
    Stop,
    Window,
    Windows,
    months_of_year,
)
from dagster_project.sources.formats import (
    header_of,
    looks_like_xml,
    read_text_table,
    require_every,
    utc_naive,
)
from dagster_project.sources.national import lines_of

BASE_URL = "https://ec.europa.eu/eurostat/api/comext/dissemination"
DATA_SET = "DS-045409"

CARD = SourceCard(
    name="comext",
    title="Comext, international trade in goods of the European Union by month",
    publisher="Eurostat",
    licence="CC BY 4.0, reuse policy of the European Commission",
    licence_url="https://ec.europa.eu/eurostat/help/copyright-notice",
    is_redistributable=True,
    cadence="monthly",
    domain="trade",
    homepage="https://ec.europa.eu/eurostat/comext/newxtweb/",
    tables=("national_trade",),
    lists=("economies", "commodities"),
    description=(
        "Imports and exports of the European Union (what comes from outside it and goes there) and "
        "of its 27 members (all partners), months since 2002 at eight digits in the codes in "
        "scope, in euros, with the weight. Imports CIF, exports FOB. Confidential partners are "
        "`_X`, and confidential amounts null. The union and its members are never in one sum. "
        "KIDO_COMEXT_REPORTERS asks for some of them only, such as EU27."
    ),
    base_url=BASE_URL,
    windows=(
        # Published about 45 days after a month; months of the current and the last year are
        # revised each time.
        Windows(
            "M", date(2002, 1, 1), timedelta(days=44), revised_for=20, tolerance=timedelta(days=6)
        ),
    ),
    limits=Limits(calls_a_minute=30),
    calendar=Calendar(
        "30 11 16,20 * *",
        "Europe/Luxembourg",
        "The 16th and the 20th at 11:30 in Luxembourg: figures are renewed at 11:00 in the middle "
        "of the month, and all members take a thousand calls.",
    ),
)

REPORTER_UNION = "EU27_2020"
TOTALS: Mapping[str, str] = MappingProxyType({REPORTER_UNION: "EXT_EU27_2020"})
TOTAL_OF_MEMBERS = "WORLD"
"""The partner that is the total: of the union what is outside it, of a member the world."""
AGGREGATES = ("WORLD", "EXT_EU27_2020", "INT_EU27_2020")

BRITAIN = "GB"
PARTS_OF_BRITAIN = ("XU", "XI")
"""Great Britain and Northern Ireland, since 2021 listed beside the United Kingdom, not instead."""

FLOWS: Mapping[str, str] = MappingProxyType({"1": "import", "2": "export"})
VALUATION: Mapping[str, str] = MappingProxyType({"import": "CIF", "export": "FOB"})
VALUE, QUANTITY = "VALUE_IN_EUROS", "QUANTITY_IN_100KG"

COLUMNS = (
    "freq", "reporter", "partner", "product", "flow", "indicators", "time_period", "obs_value",
)  # fmt: skip
FLAGS = ("obs_flag", "conf_status")

PARTNERS = 290
"""Partners of one reporter, at most: of the data set's 282 not all have trade."""
MOST_CELLS = 500_000
"""An answer with more cells, filled or not, is queued."""
WAIT_FOR_QUEUE = timedelta(seconds=30)

_ROOT = re.compile(r"<([A-Za-z_][\w.:-]*)")
PRODUCT = r"[0-9]{6}(?:[0-9]{2}|XX)"
"""A product of eight digits; `XX` is what is confidential of an HS6 code."""
_PRODUCT = re.compile(rf'"({PRODUCT})"|>\s*({PRODUCT})\s*<')


def plan(windows: Sequence[Window], scope: Scope) -> Sequence[Extract]:
    """An extract per calendar year: first the products of eight digits that exist, then the figures
    of each reporter, in requests below MOST_CELLS.

    Raises ConfigurationError for a reporter that is not in the union.
    """
    reporters = _reporters(scope.reporters)
    codes = tuple(sorted(set(scope.commodity_codes)))
    extracts = []
    for year in sorted({window.start.year for window in windows}):
        requested = sorted(window for window in windows if window.start.year == year)
        # An answer has all months between the first and the last.
        months = [
            window
            for window in months_of_year(year, requested, requested[-1].end)
            if window >= requested[0]
        ]
        extracts.append(
            Extract(
                f"{DATA_SET}-{months[0].key}..{months[-1].key}{_named(scope.reporters)}",
                (
                    Request(
                        f"sdmx/2.1/contentconstraint/ESTAT/{DATA_SET}",
                        ("xml",),
                        context={
                            "step": "products",
                            "codes": ",".join(codes),
                            "reporters": ",".join(reporters.values()),
                            "months": ",".join(window.key for window in months),
                        },
                    ),
                ),
                windows=tuple(months),
                asked=(
                    Asked(
                        "national_trade",
                        tuple(sorted(reporters)),
                        ("import", "export"),
                        codes,
                    ),
                ),
            )
        )
    return extracts


def _named(reporters: Sequence[str]) -> str:
    return f"-{'-'.join(sorted(set(reporters)))}" if reporters else ""


def _reporters(wanted: Sequence[str]) -> Mapping[str, str]:
    """Eurostat's code of each reporter."""
    codes = {economy: code for code, economy in economy_by_code("eurostat").items()
             if economy in eu27_members()}  # fmt: skip
    all_of_them = {UNION: REPORTER_UNION, **codes}
    unknown = sorted(set(wanted) - set(all_of_them))
    if unknown:
        raise ConfigurationError(
            f"{CARD.name}: {', '.join(unknown)} is not in the European Union.",
            hint="Reporters are EU27 and the ISO 3166 alpha-3 codes of its members, such as DEU.",
        )
    return {name: code for name, code in all_of_them.items() if not wanted or name in wanted}


def follow(request: Request, answer: Answer) -> Step:
    """The products lead to the requests for figures; a request for too much is halved.

    Where an extraction is queued, the answer is XML instead of figures: it is asked again after
    WAIT_FOR_QUEUE. Raises UpstreamFormatError for another answer in XML, and for a 404 that is not
    about missing results.
    """
    if request.context["step"] == "products":
        return Instead(tuple(_requests(answer.file.read_text("utf-8"), request.context)))
    if answer.meaning == "too_much":
        return Instead(_halves(request))
    if answer.meaning == "nothing":
        if "no results" in answer.text.lower() or "no data" in answer.text.lower():
            return Done()
        raise UpstreamFormatError(f"{CARD.name}: {DATA_SET} is no longer at {request.url}.")
    payload = answer.file.read_bytes()[: 1 << 16]
    if looks_like_xml(payload):
        if b"<queued>" in payload or b":queued>" in payload:
            return Stop("the extraction is queued at Eurostat", WAIT_FOR_QUEUE)
        raise UpstreamFormatError(f"{CARD.name}: XML where figures were expected.")
    _, end, rows = payload.partition(b"\n")
    is_table = bool(end) and set(COLUMNS) <= set(header_of(payload, source=CARD.name))
    if is_table and not rows.strip():
        return Instead(())  # Nothing is published, as with a 404.
    return Done()


def _requests(constraint: str, context: Mapping[str, str]) -> Iterator[Request]:
    """Requests for the figures of the products below the wanted codes."""
    prefixes = tuple(context["codes"].split(","))
    root = _ROOT.search(constraint)
    if root is None or not constraint.rstrip().endswith(f"</{root[1]}>"):
        raise UpstreamFormatError(f"{CARD.name}: the constraint of {DATA_SET} is cut or no XML.")
    products = sorted({first or second for first, second in _PRODUCT.findall(constraint)})
    if not products:
        raise UpstreamFormatError(
            f"{CARD.name}: the constraint of {DATA_SET} lists no product of eight digits."
        )
    wanted = [product for product in products if product.startswith(prefixes)]
    months = context["months"].split(",")
    per_month = PARTNERS * len(FLOWS) * 2
    most = max(1, MOST_CELLS // (per_month * len(months)))
    for reporter in context["reporters"].split(","):
        for first in range(0, len(wanted), most):
            yield _data(reporter, wanted[first : first + most], months[0], months[-1])


def _data(reporter: str, products: Sequence[str], first: str, last: str) -> Request:
    key = f"M.{reporter}..{'+'.join(products)}.{'+'.join(FLOWS)}.{VALUE}+{QUANTITY}"
    return Request(
        f"sdmx/2.1/data/{DATA_SET}/{key}",
        # XML is an answer about the extraction, and no figures.
        ("csv", "xml"),
        params={
            "format": "SDMX-CSV",
            "compressed": "false",
            "startPeriod": first,
            "endPeriod": last,
        },
        statuses={413: "too_much", 404: "nothing"},
        context={"step": "data", "reporter": reporter, "products": ",".join(products)},
    )


def _halves(request: Request) -> tuple[Request, ...]:
    products = request.context["products"].split(",")
    if len(products) == 1:
        raise UpstreamFormatError(
            f"{CARD.name}: one product of one reporter is too much for an answer."
        )
    middle = len(products) // 2
    return tuple(
        _data(
            request.context["reporter"],
            part,
            request.params["startPeriod"],
            request.params["endPeriod"],
        )
        for part in (products[:middle], products[middle:])
    )


def parse(
    payload: bytes, document: Document, scope: CommodityScope = DEFAULT_SCOPE
) -> Mapping[str, pl.DataFrame]:
    """SDMX-CSV of DS-045409 -> `national_trade`, one row per reporter, partner, flow, code, month.

    `value_local` is euros, `net_weight_kg` a hundred times the quantity in 100 kg. A blank is not
    shown (null). Yearly rows, quantities in other units, codes that have not eight digits, trade
    inside the union as the union's, sums over partners other than the total, and the parts of the
    United Kingdom where it is listed itself are left out. A
    line is provisional where a figure of it has the flag `p`. A partner in no list keeps its code,
    without an economy.
    Raises UpstreamFormatError for another layout, a cut file and an invalid number or period.
    Source: Eurostat, Comext, API of data sets DS-045409; SDMX-CSV 1.0 and 2.0.
    """
    header = header_of(payload, source=CARD.name)
    table = read_text_table(
        payload, source=CARD.name, required=COLUMNS, optional=FLAGS, others=True,
        hint=f"Is it {DATA_SET} as SDMX-CSV ({', '.join(header[:4])})?",
    )  # fmt: skip
    monthly = table.filter(
        pl.col("freq") == "M",
        pl.col("indicators").is_in([VALUE, QUANTITY]),
        pl.col("product").str.contains(f"^{PRODUCT}$"),
    )
    codes = scope.select(monthly["product"].str.head(6).unique())
    rows = monthly.filter(pl.col("product").str.head(6).is_in(codes))
    _require_codes_and_numbers(rows)
    return {
        "national_trade": lines_of(
            _lines(rows),
            source=CARD.name,
            currency="EUR",
            valuation=VALUATION,
            retrieved_at=pl.lit(utc_naive(document.retrieved_at)),
        )
    }


def _require_codes_and_numbers(rows: pl.DataFrame) -> None:
    value = pl.col("obs_value")
    rules = (
        ("flow", pl.col("flow").is_in(list(FLOWS)), "is not a flow, 1 or 2"),
        (
            "time_period",
            pl.col("time_period").str.contains(r"^[12][0-9]{3}-(0[1-9]|1[0-2])$"),
            "is not a month like 2026-09",
        ),
        (
            "obs_value",
            value.is_null() | value.cast(pl.Float64, strict=False).is_finite(),
            "is not a number (OBS_VALUE)",
        ),
    )
    for column, rule, what in rules:
        require_every(rule, table=rows, value=pl.col(column), what=what, source=CARD.name)


def _lines(rows: pl.DataFrame) -> pl.LazyFrame:
    economies = {**economy_by_code("eurostat"), REPORTER_UNION: UNION}
    members = [code for code, economy in economies.items() if economy in eu27_members()]
    is_union = pl.col("reporter") == REPORTER_UNION
    total = (
        pl.when(is_union).then(pl.lit(TOTALS[REPORTER_UNION])).otherwise(pl.lit(TOTAL_OF_MEMBERS))
    )
    is_total = pl.col("partner") == total
    is_left_out = (pl.col("partner").is_in(AGGREGATES) & ~is_total) | (
        is_union & pl.col("partner").is_in(members)
    )
    is_listed_twice = pl.col("partner").is_in(PARTS_OF_BRITAIN) & (
        (pl.col("partner") == BRITAIN)
        .any()
        .over("reporter", "product", "flow", "indicators", "time_period")
    )
    value = pl.col("obs_value").cast(pl.Float64)
    by = ("reporter", "partner", "product", "flow", "time_period")
    return (
        rows.lazy()
        .filter(~is_left_out & ~is_listed_twice)
        .group_by(by)
        .agg(
            value.filter(pl.col("indicators") == VALUE).max().alias("value_local"),
            (value.filter(pl.col("indicators") == QUANTITY).max() * 100).alias("net_weight_kg"),
            pl.col("obs_flag").str.contains("p").any().fill_null(False).alias("is_provisional"),
        )
        .select(
            pl.col("reporter")
            .replace_strict(economies, default=None, return_dtype=pl.String)
            .alias("reporter_iso3"),
            pl.col("partner").alias("partner_code"),
            pl.when(is_total)
            .then(pl.lit("WLD"))
            .otherwise(
                pl.col("partner").replace_strict(economies, default=None, return_dtype=pl.String)
            )
            .alias("partner_iso3"),
            pl.col("flow").replace_strict(FLOWS, return_dtype=pl.String).alias("flow"),
            pl.col("product").alias("national_code"),
            pl.format("{}-01", "time_period").str.to_date().alias("period_start"),
            "value_local",
            "net_weight_kg",
            "is_provisional",
        )
    )
