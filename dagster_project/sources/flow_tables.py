"""Trade flows in Kido's tidy table -> rows of `trade_flows`, for every source that has one.

One layout; publisher, valuation and the day from which figures count are given by the source.
Publishers' own formats are not read here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from dagster_project import words
from dagster_project.errors import UnknownCodeError
from dagster_project.lake.schemas import INSTANT, TRADE_FLOWS
from dagster_project.lake.vocabulary import economies, mineral_groups
from dagster_project.sources.card import Document
from dagster_project.sources.formats import read_text_table, require_every, utc_naive

COLUMNS = (
    "reporter_iso3",
    "partner_iso3",
    "flow",
    "commodity_code",
    "frequency",
    "period",
    "value_usd",
    "net_weight_kg",
    "figure_source",
)
OPTIONAL_COLUMNS = ("hs_revision",)
REPORTED_ON = "reported_on"
"""Day of the report a figure was read in, where a source takes its figures from reports."""
UNSPLIT = ("procedure_code", "transport_code", "second_partner_iso3")
"""Columns of publishers that split a flow further; these extracts do not."""

CIF_IMPORTS = {"import": "CIF", "re_import": "CIF", "export": "FOB", "re_export": "FOB"}
"""The usual convention: imports with freight and insurance, exports free on board."""
FOB_THROUGHOUT = dict.fromkeys(CIF_IMPORTS, "FOB")
"""Imports free on board too, freight and insurance apart."""

MOST_OF_A_TOTAL = 1.1
"""Partners' weights over the total's: reports round to tonnes, or to thousands of them."""

MONTHS_TO_RELEASE = {"A": "18mo", "M": "4mo"}
"""From the first day of a period to the day a bundled figure counts from: a year's first of July
of the year after, a month's first day of the fourth month after."""


def flows_of(
    payload: bytes,
    document: Document,
    *,
    source: str,
    valuation: Mapping[str, str] = CIF_IMPORTS,
    revised_for: str | None = None,
    has_reports: bool = False,
) -> pl.DataFrame:
    """A tidy table of flows -> `trade_flows`, one row per reporter, partner, flow, code and period.

    Columns in any order: COLUMNS, and `hs_revision` for rows of HS6 codes. `period` is `2024` with
    frequency A or `2024-05` with M. Values are US dollars, weights kilograms; a blank is missing
    (null) and a 0 stays 0. `figure_source` must give the origin of the figure and is not kept.
    A figure is provisional until `revised_for` after the first day of its period has passed at the
    time of retrieval. `vintage_at` is the convention of MONTHS_TO_RELEASE for bundled figures, else
    the time of retrieval; where a source `has_reports`, the day of the report (REPORTED_ON) if that
    is later than the convention.
    Raises UpstreamFormatError for another layout or a cut file, and for partners that weigh more
    than a total without a value (by value it is a rule of the lake); UnknownCodeError that names
    the economy, commodity, flow, frequency or edition of the HS that is in no list.
    """
    required = (*COLUMNS, REPORTED_ON) if has_reports else COLUMNS
    table = read_text_table(payload, source=source, required=required, optional=OPTIONAL_COLUMNS)
    groups = list(mineral_groups())
    _require_known_codes(table, groups, source)
    _require_periods_figures_and_sources(table, source)
    _require_partners_within_their_total(table, source)
    if has_reports:
        _require_days_of_reports(table, source)
    retrieved = pl.lit(utc_naive(document.retrieved_at), INSTANT)
    is_provisional = (
        pl.lit(False)
        if revised_for is None
        else pl.col("period_start").dt.offset_by(revised_for).cast(INSTANT) > retrieved
    )
    return (
        table.lazy()
        .with_columns(
            pl.col("commodity_code").is_in(groups).alias("is_basket"),
            _period_start().alias("period_start"),
            pl.col(words.MEASURES).cast(pl.Float64),
        )
        .select(
            pl.lit(source).alias("source"),
            "reporter_iso3",
            "partner_iso3",
            "flow",
            "commodity_code",
            "is_basket",
            pl.when(~pl.col("is_basket")).then("hs_revision").alias("hs_revision"),
            "frequency",
            "period_start",
            *(pl.lit(None, pl.String).alias(column) for column in UNSPLIT),
            *words.MEASURES,
            pl.col("flow").replace_strict(valuation).alias("valuation"),
            is_provisional.alias("is_provisional"),
            (_release(has_reports) if document.is_bundled else retrieved).alias("vintage_at"),
        )
        .sort(TRADE_FLOWS.key, nulls_last=True)
        .collect()
    )


def _period_start() -> pl.Expr:
    """First day of the year or month in `period`."""
    return (
        pl.when(pl.col("frequency") == "A")
        .then(pl.format("{}-01-01", "period"))
        .otherwise(pl.format("{}-01", "period"))
        .str.to_date("%Y-%m-%d")
    )


def _release(has_reports: bool) -> pl.Expr:
    """The day from which a bundled figure is known: by convention, or that of a later report."""
    release = pl.coalesce(
        pl.when(pl.col("frequency") == frequency).then(pl.col("period_start").dt.offset_by(months))
        for frequency, months in MONTHS_TO_RELEASE.items()
    ).cast(INSTANT)
    if not has_reports:
        return release
    return pl.max_horizontal(release, pl.col(REPORTED_ON).str.to_date("%Y-%m-%d").cast(INSTANT))


def _require_days_of_reports(table: pl.DataFrame, source: str) -> None:
    require_every(
        pl.col(REPORTED_ON).str.to_date("%Y-%m-%d", strict=False).is_not_null(),
        table=table,
        value=pl.col(REPORTED_ON),
        what=f"is not a day like 2026-01-19 ({REPORTED_ON})",
        source=source,
    )


def _require_known_codes(table: pl.DataFrame, groups: Sequence[str], source: str) -> None:
    economy = "is not a known economy"
    known = list(economies())
    group_or_hs6 = pl.col("commodity_code").is_in(groups) | pl.col("commodity_code").str.contains(
        r"^[0-9]{6}$"
    )
    rules = (
        ("reporter_iso3", pl.col("reporter_iso3").is_in(known), economy),
        ("partner_iso3", pl.col("partner_iso3").is_in(known), economy),
        ("flow", pl.col("flow").is_in(list(CIF_IMPORTS)), "is not a flow"),
        ("frequency", pl.col("frequency").is_in(list(MONTHS_TO_RELEASE)), "is not a frequency"),
        ("commodity_code", group_or_hs6, "is neither a mineral group nor a code of six digits"),
        (
            "hs_revision",
            pl.col("hs_revision").is_null() | pl.col("hs_revision").str.contains(r"^HS[0-9]{4}$"),
            "is not an edition of the HS like HS2022",
        ),
    )
    for column, rule, what in rules:
        require_every(
            rule,
            table=table,
            value=pl.col(column),
            what=what,
            source=source,
            error=UnknownCodeError,
        )


def _require_periods_figures_and_sources(table: pl.DataFrame, source: str) -> None:
    is_year = pl.col("period").str.contains(r"^[0-9]{4}$")
    is_month = pl.col("period").str.contains(r"^[0-9]{4}-(0[1-9]|1[0-2])$")
    rules = (
        (
            "period",
            pl.when(pl.col("frequency") == "A").then(is_year).otherwise(is_month),
            "is not a period of its frequency (2024 for A, 2024-05 for M)",
        ),
        *(
            (
                measure,
                pl.col(measure).is_null()
                | pl.col(measure).cast(pl.Float64, strict=False).is_finite(),
                f"is not a number ({measure})",
            )
            for measure in words.MEASURES
        ),
        (
            "figure_source",
            pl.col("figure_source").is_not_null(),
            "is not a source (figure_source gives the origin of each figure)",
        ),
    )
    for column, rule, what in rules:
        require_every(rule, table=table, value=pl.col(column), what=what, source=source)


def _require_partners_within_their_total(table: pl.DataFrame, source: str) -> None:
    """Reject a column of weights that is shifted by a row, where no values show it."""
    flow = ("reporter_iso3", "flow", "commodity_code", "frequency", "period")
    is_total = pl.col("partner_iso3") == "WLD"
    weight = pl.col("net_weight_kg").cast(pl.Float64)
    weighed = (
        table.group_by(flow)
        .agg(
            is_total.sum().alias("totals"),
            pl.col("value_usd").filter(is_total).count().alias("values"),
            weight.filter(is_total).max().alias("total"),
            weight.filter(~is_total).sum().alias("partners"),
        )
        # A duplicated total, or one below 0, breaks a rule of the lake.
        .filter((pl.col("totals") == 1) & (pl.col("values") == 0) & (pl.col("total") >= 0))
    )
    require_every(
        pl.col("partners") <= MOST_OF_A_TOTAL * pl.col("total"),
        table=weighed,
        value=pl.format("{} of {}, {}", "flow", "commodity_code", "period"),
        what="has partners that weigh more than the total",
        source=source,
    )
