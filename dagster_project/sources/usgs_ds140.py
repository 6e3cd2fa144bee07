"""USGS Data Series 140, rare earths -> `production` (world, United States) and `price_quotes`.

A century of yearly figures. Mine output by country since 2020 and market prices of single oxides
are in `usgs_mcs`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import polars as pl

from dagster_project.errors import UnknownCodeError, UpstreamFormatError, listed
from dagster_project.lake.schemas import INSTANT, PRICE_QUOTES, PRODUCTION
from dagster_project.lake.scope import DEFAULT_SCOPE, CommodityScope
from dagster_project.lake.vocabulary import require_known_labels
from dagster_project.sources.card import Document, SourceCard
from dagster_project.sources.formats import labels_of, read_text_table, require_every, utc_naive

CARD = SourceCard(
    name="usgs_ds140",
    title="Historical Statistics for Mineral and Material Commodities (Data Series 140)",
    publisher="United States Geological Survey",
    licence="Public domain (work of the United States Government)",
    licence_url="https://www.usgs.gov/information-policies-and-instructions/copyrights-and-credits",
    is_redistributable=True,
    cadence="annual",
    domain="production_and_uses",
    homepage="https://www.usgs.gov/centers/national-minerals-information-center/"
    "historical-statistics-mineral-and-material-commodities-united",
    tables=("production", "price_quotes", "material_labels"),
    description=(
        "Rare earths by the year: output of the world's mines and of those of the United States "
        "since 1900, and the unit value of what the United States trade since 1972, to 2020."
    ),
    bundled=("rare_earths.csv",),
)

RELEASED = datetime(2024, 1, 31)
"""Day from which the bundled figures count. The workbook gives no day; its last year is 2020, and
three years after that is a late assumption, so that no build for an earlier day uses it too
soon."""

COLUMNS = ("label", "economy_iso3", "year", "figure", "flag")
WORLD, UNITED_STATES = "Rare earths: World production", "Rare earths: Production"
UNIT_VALUE = "Rare earths: Unit value ($/t)"
ECONOMY_OF: Mapping[str, str] = {WORLD: "WLD", UNITED_STATES: "USA", UNIT_VALUE: "USA"}
"""The labels that are read, and the economy of each."""

FLAGS = ("reported", "zero", "estimated", "withheld", "not_available")
INSTRUMENT, UNIT = "RARE_EARTHS_UNIT_VALUE", "USD per t of oxides"
FIRST_YEAR = 1900


def parse(
    payload: bytes, document: Document, scope: CommodityScope = DEFAULT_SCOPE
) -> Mapping[str, pl.DataFrame]:
    """Kido's table `label,economy_iso3,year,figure,flag` -> the three lake tables.

    `production` is metric tons of rare-earth oxides, one row per economy and year, `price_quotes`
    current US dollars per metric ton of oxides, dated on the first day of the year. A unit value is
    the average value of a traded ton, over all elements and forms: not a price of any of them.
    A year without a figure has a row of `production` with the reason, and no quote.
    `edition` is the last year of the file, which is how the workbook's editions differ.
    `vintage_at` is RELEASED for bundled figures, else the time of retrieval.
    Raises UpstreamFormatError for another layout, an invalid year or figure, a missing year between
    the first and the last, a missing series, and a figure that does not fit its flag;
    UnknownCodeError that names a label, economy or flag that is in no list.
    Source: USGS, Data Series 140, rare earths (10.3133/ds140).
    """
    source = CARD.name
    rows = _yearly_figures(read_text_table(payload, source=source, required=COLUMNS))
    vintage_at = RELEASED if document.is_bundled else utc_naive(document.retrieved_at)
    vintage = pl.lit(vintage_at, INSTANT).alias("vintage_at")
    return {
        "production": _production(rows, vintage),
        "price_quotes": _unit_values(rows, vintage),
        "material_labels": labels_of(source, vintage),
    }


def _yearly_figures(table: pl.DataFrame) -> pl.DataFrame:
    """The printed table with numbers for years and figures, after its checks."""
    source = CARD.name
    require_known_labels(table["label"].drop_nulls().unique(), source=source)
    figure = pl.col("figure").cast(pl.Float64, strict=False)
    place = pl.format("{}, {}", pl.col("label").fill_null(""), pl.col("year").fill_null(""))
    for rule, what in (
        (pl.col("label").is_in(list(ECONOMY_OF)), "is not a series that is read"),
        (
            pl.col("economy_iso3") == pl.col("label").replace(ECONOMY_OF),
            "is not of the economy of its series",
        ),
        (pl.col("flag").is_in(FLAGS), "has a flag that is not known"),
    ):
        require_every(
            rule, table=table, value=place, what=what, source=source, error=UnknownCodeError
        )
    for rule, what in (
        (
            pl.col("year").str.contains("^[0-9]{4}$")
            & (pl.col("year").cast(pl.Int32, strict=False) >= FIRST_YEAR),
            f"is not a year since {FIRST_YEAR}",
        ),
        (
            pl.when(pl.col("flag") == "zero")
            .then(figure == 0)
            .when(pl.col("flag").is_in(["reported", "estimated"]))
            .then(figure.is_finite() & (figure > 0))
            .otherwise(pl.col("figure").is_null()),
            "has a figure that does not fit its flag",
        ),
    ):
        require_every(rule, table=table, value=place, what=what, source=source)
    rows = table.with_columns(year=pl.col("year").cast(pl.Int32), figure=figure)
    _require_every_year(rows)
    return rows


def _production(rows: pl.DataFrame, vintage: pl.Expr) -> pl.DataFrame:
    """Output of the world's mines and of those of the United States, metric tons of oxides."""
    return (
        rows.filter(pl.col("label") != UNIT_VALUE)
        .select(
            pl.lit(CARD.name).alias("source"),
            "label",
            pl.lit("extraction").alias("stage"),
            pl.lit("WLD").alias("scope_iso3"),
            "economy_iso3",
            "year",
            pl.col("year").cast(pl.String).alias("reference_period"),
            pl.lit(rows["year"].max(), pl.Int32).alias("edition"),
            pl.col("figure").alias("amount_t"),
            pl.lit(None, pl.Float64).alias("share"),
            pl.lit("exact").alias("bound"),
            "flag",
            pl.lit(None, pl.Float64).alias("trade_parameter"),
            pl.lit(None, pl.String).alias("printed"),
            pl.lit(None, pl.String).alias("notes"),
            pl.lit(False).alias("is_provisional"),
            vintage,
        )
        .sort(PRODUCTION.key)
    )


def _unit_values(rows: pl.DataFrame, vintage: pl.Expr) -> pl.DataFrame:
    """Value of a traded ton of oxides in current US dollars, for the years that have one."""
    return (
        rows.filter(pl.col("label") == UNIT_VALUE, pl.col("figure").is_not_null())
        .select(
            pl.lit(CARD.name).alias("source"),
            pl.lit(INSTRUMENT).alias("instrument"),
            pl.date("year", 1, 1).alias("price_date"),
            pl.lit(None, pl.Int32).alias("edition"),
            pl.lit("A").alias("frequency"),
            pl.col("figure").alias("close"),
            pl.lit(None, pl.Float64).alias("adjusted_close"),
            pl.lit("USD").alias("currency"),
            pl.lit(UNIT).alias("unit"),
            pl.lit(False).alias("is_provisional"),
            vintage,
        )
        .sort(PRICE_QUOTES.key)
    )


def _require_every_year(rows: pl.DataFrame) -> None:
    """Reject a series with missing years between its first and last, or duplicated ones."""
    spans = rows.group_by("label").agg(
        pl.len().alias("rows"),
        pl.col("year").n_unique().alias("years"),
        (pl.col("year").max() - pl.col("year").min() + 1).alias("span"),
        pl.col("year").max().alias("last"),
    )
    require_every(
        (pl.col("rows") == pl.col("years")) & (pl.col("years") == pl.col("span")),
        table=spans,
        value=pl.col("label"),
        what="has missing or duplicated years",
        source=CARD.name,
    )
    if spans["last"].n_unique() > 1:
        raise UpstreamFormatError(
            f"{CARD.name}: the series do not end in the same year: the file is cut.",
            hint="Fetch or land it again.",
        )
    if missing := [label for label in ECONOMY_OF if label not in spans["label"]]:
        raise UpstreamFormatError(
            f"{CARD.name}: there is no row of {listed(missing)}: the file is cut.",
            hint="Fetch or land it again.",
        )
