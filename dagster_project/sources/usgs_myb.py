"""USGS Minerals Yearbook, rare earths, mine production by country -> `production`.

Five years of an edition, each economy by itself. The Mineral Commodity Summaries (`usgs_mcs`) print
a year sooner, with a world total that is rounded more (of 2022: 300,000 against 297,000).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from math import floor, log10

import polars as pl

from dagster_project.errors import UnknownCodeError, UpstreamFormatError
from dagster_project.lake.schemas import INSTANT, PRODUCTION
from dagster_project.lake.scope import DEFAULT_SCOPE, CommodityScope
from dagster_project.lake.vocabulary import economies, require_known_labels
from dagster_project.sources.card import Document, SourceCard
from dagster_project.sources.formats import labels_of, read_text_table, require_every, utc_naive

CARD = SourceCard(
    name="usgs_myb",
    title="Minerals Yearbook, volume I, Metals and Minerals: Rare Earths",
    publisher="United States Geological Survey",
    licence="Public domain (work of the United States Government)",
    licence_url="https://www.usgs.gov/information-policies-and-instructions/copyrights-and-credits",
    is_redistributable=True,
    cadence="annual",
    domain="production_and_uses",
    homepage="https://www.usgs.gov/centers/national-minerals-information-center/"
    "rare-earths-statistics-and-information",
    tables=("production", "material_labels"),
    lists=("economies",),
    description=(
        "Rare earths mined by country, in metric tons of oxides, by year, 2018 to 2022: table 8 of "
        "the yearbook of 2022."
    ),
    bundled=("rare_earths.csv",),
)

RELEASED = datetime(2026, 1, 31)
"""From when the bundled figures count. The table names no day; its last year is 2022, and three
years after that is a late reading, so that no build of an earlier day knows it too soon."""

COLUMNS = ("label", "economy_iso3", "year", "figure", "flag", "note")
WORLD = "WLD"
FLAGS = ("reported", "estimated", "zero")
REVISED = "revised"
NOTES = (
    REVISED,
    "Official production quota. Illegal production could not be quantified.",
    "India's Department of Atomic Energy did not disclose monazite production data.",
    "Rare-earth oxide content of exports.",
)
"""What the edition revises of the one before, and the footnotes to countries, as printed."""
BETWEEN_NOTES = " -- "
YEARS = 5
"""Of an edition: the last one is the year of the yearbook."""

DIGITS = 3
"""Significant ones of a world total."""


def parse(
    payload: bytes, document: Document, scope: CommodityScope = DEFAULT_SCOPE
) -> Mapping[str, pl.DataFrame]:
    """Our table `label,economy_iso3,year,figure,flag,note` -> the two lake tables.

    `production` is metric tons of rare-earth oxides, one row per economy and year, with the world
    total as printed. `note` is blank, or one or more of NOTES with BETWEEN_NOTES between them.
    `edition` is the last year of the file, which is the year of the yearbook.
    `vintage_at` is RELEASED for bundled figures, else the time of retrieval.
    Raises UpstreamFormatError for another layout, an invalid year, a figure that does not fit its
    flag, an economy and year with several rows, an economy without each of the five years, a world
    total that is missing, and one that is not the sum of its parts, rounded to three significant
    digits; UnknownCodeError that names a label, economy, flag or note of no list.
    Source: USGS, Minerals Yearbook 2022, volume I, Rare Earths, table 8.
    """
    source = CARD.name
    table = read_text_table(payload, source=source, required=COLUMNS)
    require_known_labels(table["label"].drop_nulls().unique(), source=source)
    _require_words_and_figures(table)
    rows = table.with_columns(
        year=pl.col("year").cast(pl.Int32), figure=pl.col("figure").cast(pl.Float64)
    )
    edition = rows.select(pl.col("year").max()).item()
    _require_five_years(rows, edition)
    _require_world_totals(rows)

    vintage_at = RELEASED if document.is_bundled else utc_naive(document.retrieved_at)
    vintage = pl.lit(vintage_at, INSTANT).alias("vintage_at")
    production = rows.select(
        pl.lit(source).alias("source"),
        "label",
        pl.lit("extraction").alias("stage"),
        pl.lit(WORLD).alias("scope_iso3"),
        "economy_iso3",
        "year",
        pl.col("year").cast(pl.String).alias("reference_period"),
        pl.lit(edition, pl.Int32).alias("edition"),
        pl.col("figure").alias("amount_t"),
        pl.lit(None, pl.Float64).alias("share"),
        pl.lit("exact").alias("bound"),
        "flag",
        pl.lit(None, pl.Float64).alias("trade_parameter"),
        pl.lit(None, pl.String).alias("printed"),
        pl.col("note").alias("notes"),
        pl.lit(False).alias("is_provisional"),
        vintage,
    ).sort(PRODUCTION.key)
    return {"production": production, "material_labels": labels_of(source, vintage)}


def _require_words_and_figures(table: pl.DataFrame) -> None:
    """Raise UnknownCodeError for a word of no list, UpstreamFormatError for an invalid figure."""
    known = list(economies())
    figure = pl.col("figure").cast(pl.Float64, strict=False)
    place = pl.format("{}, {}", pl.col("economy_iso3").fill_null(""), pl.col("year").fill_null(""))
    for rule, what in (
        (pl.col("label").is_not_null(), "has no label"),
        (pl.col("economy_iso3").is_in(known), "is not of an economy of our list"),
        (pl.col("flag").is_in(FLAGS), "has a flag that is not known"),
        (
            pl.col("note")
            .fill_null(REVISED)
            .str.split(BETWEEN_NOTES)
            .list.eval(pl.element().is_in(NOTES))
            .list.all(),
            "has a note that is not known",
        ),
    ):
        require_every(
            rule, table=table, value=place, what=what, source=CARD.name, error=UnknownCodeError
        )
    for rule, what in (
        (pl.col("year").str.contains("^[0-9]{4}$"), "has an invalid year"),
        (
            pl.when(pl.col("flag") == "zero")
            .then(figure == 0)
            .otherwise(figure.is_finite() & (figure > 0)),
            "has a figure that does not fit its flag",
        ),
        (~pl.struct("economy_iso3", "year").is_duplicated(), "is duplicated"),
    ):
        require_every(rule, table=table, value=place, what=what, source=CARD.name)


def _require_five_years(rows: pl.DataFrame, edition: int) -> None:
    """Refuse rows of years before the five of the edition, and an economy without each of them."""
    first = edition - YEARS + 1
    require_every(
        pl.col("year") >= first,
        table=rows,
        value=pl.format("{}, {}", "economy_iso3", "year"),
        what=f"is before the years of the edition, {first} to {edition}",
        source=CARD.name,
    )
    require_every(
        pl.col("len") == YEARS,
        table=rows.group_by("economy_iso3").len(),
        value=pl.col("economy_iso3"),
        what=f"has missing years between {first} and {edition}",
        source=CARD.name,
    )


def _require_world_totals(rows: pl.DataFrame) -> None:
    """Refuse a file without world totals, and one that is not the sum of its parts, rounded."""
    is_total = pl.col("economy_iso3") == WORLD
    if rows.filter(is_total).is_empty():
        raise UpstreamFormatError(
            f"{CARD.name}: the world total is missing: the file is cut.",
            hint="Fetch or land it again.",
        )
    sums = (
        rows.sort("economy_iso3")
        .group_by("year")
        .agg(
            pl.col("figure").filter(is_total).sum().alias("total"),
            pl.col("figure").filter(~is_total).sum().alias("parts"),
        )
        .sort("year")
    )
    for year, total, parts in sums.iter_rows():
        half_a_unit = 0.5 * 10 ** (floor(log10(total)) - DIGITS + 1) if total else 0
        if abs(total - parts) > half_a_unit:
            raise UpstreamFormatError(
                f"{CARD.name}: the world total of {year} is {total:,.0f} and the sum of its parts "
                f"{parts:,.0f}: they differ by more than rounding."
            )
