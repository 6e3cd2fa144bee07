"""United Kingdom customs: UK Trade Info by OData -> `national_trade`; a tidy table of months, which
is bundled -> `trade_flows`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import pairwise
from types import MappingProxyType
from typing import Any

import polars as pl

from dagster_project.errors import UpstreamFormatError, exception_text
from dagster_project.lake.scope import DEFAULT_SCOPE, CommodityScope
from dagster_project.lake.vocabulary import economy_by_code
from dagster_project.sources.card import (
    Answer,
    Asked,
    Calendar,
    Document,
    Done,
    Extract,
    Limits,
    More,
    Request,
    Scope,
    SourceCard,
    Step,
    Window,
    Windows,
)
from dagster_project.sources.flow_tables import flows_of
from dagster_project.sources.formats import looks_like, utc_naive
from dagster_project.sources.national import lines_of, summed

BASE_URL = "https://api.uktradeinfo.com"

CARD = SourceCard(
    name="hmrc",
    title="United Kingdom, overseas trade in goods by month",
    publisher="HM Revenue and Customs",
    licence="Open Government Licence v3.0",
    licence_url="https://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/",
    is_redistributable=True,
    cadence="monthly",
    domain="trade",
    homepage="https://www.uktradeinfo.com/trade-data/ots-custom-table/",
    tables=("trade_flows", "national_trade"),
    lists=("economies", "mineral_groups", "commodities"),
    description=(
        "Imports and exports of the United Kingdom by partner. Bundled: each month from 2024-05 to "
        "2026-06, in 26 HS6 codes and in magnets of rare earths (national line 85051110, the "
        "basket `rare_earth_magnets`), pounds converted to US dollars at monthly rates of the "
        "European Central Bank; by the convention for monthly trade, such a month counts from the "
        "first day of the fourth month after. Asked for: months since 2000 at eight digits, in "
        "pounds, in the codes in scope, which replace the bundled ones. Imports CIF and by country "
        "of dispatch, exports FOB. No total is printed: it is the sum of partners. A quantity or a "
        "partner may be suppressed. Magnets from Germany in 2025-06 have an impossible weight "
        "(836 t for 0.15 million dollars), as published: shares of that month by weight are wrong."
    ),
    bundled=("monthly_flows.csv",),
    base_url=BASE_URL,
    windows=(
        # A month is published about six weeks after it ends; every release revises, and any of the
        # 20 newest months may change.
        Windows(
            "M", date(2000, 1, 1), timedelta(days=40), revised_for=20, tolerance=timedelta(days=7)
        ),
    ),
    limits=Limits(calls_a_minute=50),  # 60 are allowed
    calendar=Calendar(
        "45 9 10-18 * *",
        "Europe/London",
        "Mornings of the 10th to the 18th in London: the release of overseas trade, about six "
        "weeks after a month.",
    ),
)

REVISED_FOR = "20mo"
"""HMRC publishes a month within two months and may revise it for 18 months from then on.
Source: UK Trade Info, Suppressions and Revisions."""

FLOWS: Mapping[int, str] = MappingProxyType({1: "import", 2: "export", 3: "import", 4: "export"})
"""`FlowTypeId`: imports and exports, first with the European Union, then with others."""

VALUATION: Mapping[str, str] = MappingProxyType({"import": "CIF", "export": "FOB"})

VALUE_SUPPRESSED = (1,)
PARTNER_SUPPRESSED = (1, 2, 3)
WEIGHT_SUPPRESSED = (1, 3, 4, 5)
"""`SuppressionIndex`: 1 all suppressed; 2 country; 3 country and quantity; 4 quantity by country; 5
quantity. Source: UK Trade Info, Suppressions and Revisions."""

MOST_MONTHS = 12
MOST_CODES = 20
"""HS6 codes in one address, which then has less than 2,000 characters."""

ROW = ("MonthId", "FlowTypeId", "SuppressionIndex", "CommodityId", "CountryId")
_NEXT = "@odata.nextLink"


def plan(windows: Sequence[Window], scope: Scope) -> Sequence[Extract]:
    """Extracts of up to 12 months of a calendar year, all codes in scope; sums over ports are made
    by the server. The list of countries comes first.
    """
    codes = sorted(set(scope.commodity_codes))
    asked = Asked("national_trade", ("GBR",), ("import", "export"), tuple(codes))
    extracts = []
    for year in sorted({window.start.year for window in windows}):
        months = sorted(window for window in windows if window.start.year == year)
        extracts.append(
            Extract(
                f"OTS-{months[0].key}..{months[-1].key}.json",
                (
                    Request("Country", ("json",)),
                    *(_request(months, part) for part in _parts(codes)),
                ),
                windows=tuple(months),
                asked=(asked,),
            )
        )
    return extracts


def _parts(codes: Sequence[str]) -> Iterator[Sequence[str]]:
    for first in range(0, len(codes), MOST_CODES):
        yield codes[first : first + MOST_CODES]


def _request(months: Sequence[Window], codes: Sequence[str]) -> Request:
    # A chain of `or`: the operator `in` is refused.
    ranges = " or ".join(
        f"(CommodityId ge {int(code)}00 and CommodityId le {int(code)}99)" for code in codes
    )
    listed = " or ".join(f"MonthId eq {window.start:%Y%m}" for window in months)
    is_a_run = all(first.end == second.start for first, second in pairwise(months))
    if is_a_run:
        listed = f"MonthId ge {months[0].start:%Y%m} and MonthId le {months[-1].start:%Y%m}"
    return Request(
        "OTS",
        ("json",),
        # Without `$top`: with it the server sends no link to the next page.
        params={
            "$apply": f"filter(({listed}) and ({ranges}))/groupby(({','.join(ROW)}),"
            "aggregate(Value with sum as Value,NetMass with sum as NetMass))"
        },
    )


def follow(request: Request, answer: Answer) -> Step:
    """The next page, where the answer has the link to one.

    Raises UpstreamFormatError for an answer that is no page of rows.
    """
    page = _page(answer.file.read_bytes())
    link = page.get(_NEXT)
    if link is None:
        return Done()
    if not isinstance(link, str) or not link.startswith(f"{BASE_URL}/"):
        raise UpstreamFormatError(f"{CARD.name}: the link to the next page leads elsewhere.")
    return More((Request(link, ("json",)),))


def _page(payload: bytes) -> Mapping[str, Any]:
    try:
        page = json.loads(payload)
    except ValueError as error:
        raise UpstreamFormatError(
            f"{CARD.name}: the answer is cut or no JSON ({exception_text(error)})."
        ) from error
    if not isinstance(page, dict) or not isinstance(page.get("value"), list):
        raise UpstreamFormatError(f"{CARD.name}: the answer has no list `value`.")
    return page


def parse(
    payload: bytes, document: Document, scope: CommodityScope = DEFAULT_SCOPE
) -> Mapping[str, pl.DataFrame]:
    """A tidy table of flows -> `trade_flows`; its layout and errors are those of `flows_of`.

    Imports are valued CIF and exports FOB. A month is provisional for REVISED_FOR from its first
    day. Pages of OData are read with their list of countries, by `parse_extract`.
    """
    if looks_like(payload, "json"):
        return parse_extract([payload], document, scope)
    return {"trade_flows": flows_of(payload, document, source=CARD.name, revised_for=REVISED_FOR)}


def parse_together(
    parts: Sequence[tuple[bytes, Document]], scope: CommodityScope = DEFAULT_SCOPE
) -> Mapping[str, pl.DataFrame]:
    """Pages that are landed together, read as `parse_extract` does; tables one by one."""
    pages = [payload for payload, _ in parts if looks_like(payload, "json")]
    frames = [parse(payload, document, scope) for payload, document in parts
              if not looks_like(payload, "json")]  # fmt: skip
    tables = (
        {"trade_flows": pl.concat([frame["trade_flows"] for frame in frames])} if frames else {}
    )
    return {**tables, **(parse_extract(pages, parts[0][1], scope) if pages else {})}


def parse_extract(
    parts: Sequence[bytes], document: Document, scope: CommodityScope = DEFAULT_SCOPE
) -> Mapping[str, pl.DataFrame]:
    """Pages of `OTS` with the list `Country` -> `national_trade`.

    A row per code of eight digits, country and month: `value_local` is pounds (imports CIF, exports
    FOB), `net_weight_kg` kilograms; ports, and trade with the European Union and with others, are
    summed. A suppressed value or weight is null, a suppressed country is `_X`. A month is
    provisional for REVISED_FOR from its first day. Ids that are no code of the tariff
    (below-threshold estimates, chapters) are left out. A country in no list keeps its code, without
    an economy.
    Raises UpstreamFormatError for pages without the list of countries, another layout, a row
    without an id or with an unknown flow or suppression, and one that is on two pages.
    Source: UK Trade Info, API documentation, OTS.
    """
    countries: dict[int, str] = {}
    rows: list[Mapping[str, Any]] = []
    for payload in parts:
        for row in _page(payload)["value"]:
            if "CountryCodeAlpha" in row:
                countries[row["CountryId"]] = str(row["CountryCodeAlpha"] or "").strip()
            else:
                rows.append(row)
    if rows and not countries:
        raise UpstreamFormatError(
            f"{CARD.name}: pages of OTS cannot be read without the list of countries.",
            hint=f"Land them together with {BASE_URL}/Country.",
        )
    table = _typed(rows)
    if not any("PortId" in row for row in rows):
        _require_rows_once(table)
    codes = scope.select(table["national_code"].str.head(6).unique())
    economies = economy_by_code("hmrc")
    code = pl.col("CountryId").replace_strict(countries, default=None, return_dtype=pl.String)
    retrieved = pl.lit(utc_naive(document.retrieved_at))
    lines = (
        table.lazy()
        .filter(pl.col("national_code").str.head(6).is_in(codes))
        .with_columns(
            pl.lit("GBR").alias("reporter_iso3"),
            pl.when(pl.col("SuppressionIndex").is_in(PARTNER_SUPPRESSED))
            .then(pl.lit("QV"))
            .otherwise(pl.coalesce(code, pl.col("CountryId").cast(pl.String)))
            .alias("partner_code"),
            pl.when(~pl.col("SuppressionIndex").is_in(VALUE_SUPPRESSED))
            .then("Value")
            .alias("value_local"),
            pl.when(~pl.col("SuppressionIndex").is_in(WEIGHT_SUPPRESSED))
            .then("NetMass")
            .alias("net_weight_kg"),
        )
        .pipe(
            summed,
            by=("reporter_iso3", "partner_code", "flow", "national_code", "period_start"),
            amounts=("value_local", "net_weight_kg"),
        )
        .with_columns(
            pl.col("partner_code")
            .replace_strict(economies, default=None, return_dtype=pl.String)
            .alias("partner_iso3"),
            (
                pl.col("period_start").dt.offset_by(REVISED_FOR).cast(pl.Datetime("us")) > retrieved
            ).alias("is_provisional"),
        )
    )
    return {
        "national_trade": lines_of(
            lines, source=CARD.name, currency="GBP", valuation=VALUATION, retrieved_at=retrieved
        )
    }


def _require_rows_once(table: pl.DataFrame) -> None:
    """Raise where a sum over ports is on two pages: rows were added before it in between."""
    repeated = table.filter(table.select(ROW).is_duplicated())
    if repeated.height:
        first = repeated.row(0, named=True)
        raise UpstreamFormatError(
            f"{CARD.name}: code {first['national_code']} in {first['MonthId']} is on two pages.",
            hint="The figures may have been renewed while they were read: fetch them again.",
        )


def _typed(rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """The rows of codes of the tariff, with `flow`, `national_code` and `period_start`."""
    types = {name: pl.Int64() for name in ROW} | {"Value": pl.Float64(), "NetMass": pl.Float64()}
    try:
        table = pl.DataFrame(
            [{name: row.get(name) for name in types} for row in rows], schema=types, orient="row"
        )
    except (TypeError, pl.exceptions.PolarsError) as error:
        raise UpstreamFormatError(
            f"{CARD.name}: a row holds something else than numbers ({exception_text(error)})."
        ) from error
    month = pl.col("MonthId").cast(pl.String)
    is_whole = pl.all_horizontal(pl.col(name).is_not_null() for name in ROW)
    is_known = (
        is_whole
        & pl.col("FlowTypeId").is_in(list(FLOWS))
        & pl.col("SuppressionIndex").is_between(0, 5)
        & month.str.contains(r"^[12][0-9]{3}(0[1-9]|1[0-2])$")
    )
    unknown = table.filter(~is_known.fill_null(False))
    if unknown.height:
        raise UpstreamFormatError(
            f"{CARD.name}: {unknown.height:,} rows have no valid month, flow, suppression, code or "
            f"country, first {unknown.row(0, named=True)}."
        )
    return table.filter(pl.col("CommodityId").is_between(1_000_000, 99_999_999)).with_columns(
        pl.col("FlowTypeId").replace_strict(FLOWS, return_dtype=pl.String).alias("flow"),
        pl.col("CommodityId").cast(pl.String).str.zfill(8).alias("national_code"),
        (month + "01").str.to_date("%Y%m%d").alias("period_start"),
    )
