"""Abundance of the elements in the earth's crust, in Kido's tidy table -> `element_abundance`.

One layout; the author of an estimate and the day from which it counts are given by the source.
"""

from __future__ import annotations

from datetime import datetime

import polars as pl

from dagster_project import words
from dagster_project.lake.schemas import ELEMENT_ABUNDANCE, INSTANT
from dagster_project.sources.card import Document
from dagster_project.sources.formats import read_text_table, require_every, utc_naive

COLUMNS = ("element", "reservoir", "abundance_ppm", "two_sigma_ppm")
"""The upper continental crust, all of the continental crust, and the crust as such."""


def abundance_of(
    payload: bytes, document: Document, *, source: str, published_at: datetime | None = None
) -> pl.DataFrame:
    """A tidy table -> `element_abundance`, one row per element and reservoir.

    Columns in any order: COLUMNS. Abundances are parts per million by weight (milligrams per
    kilogram); a blank error means that none is given. `vintage_at` is `published_at` for bundled
    figures whose publication has a date, else the time of retrieval. Raises UpstreamFormatError for
    another layout, a cut file, and an invalid element, reservoir or amount.
    """
    table = read_text_table(payload, source=source, required=COLUMNS)
    amounts = table.with_columns(
        pl.col("abundance_ppm", "two_sigma_ppm").cast(pl.Float64, strict=False).name.suffix("_read")
    )
    named = pl.format("{} {}", pl.col("element").fill_null(""), pl.col("reservoir").fill_null(""))
    for rule, value, what in (
        (
            pl.col("element").str.contains(r"^[A-Z][a-z]?$"),
            pl.col("element"),
            "is not the symbol of an element",
        ),
        (
            pl.col("reservoir").is_in(words.RESERVOIRS),
            pl.col("reservoir"),
            f"is not a reservoir ({', '.join(words.RESERVOIRS)})",
        ),
        (pl.col("abundance_ppm_read").is_finite(), named, "has no number in abundance_ppm"),
        (
            pl.col("two_sigma_ppm").is_null() | pl.col("two_sigma_ppm_read").is_finite(),
            named,
            "has no number in two_sigma_ppm",
        ),
    ):
        require_every(rule, table=amounts, value=value, what=what, source=source)
    counts_from = (
        published_at
        if document.is_bundled and published_at is not None
        else utc_naive(document.retrieved_at)
    )
    return amounts.select(
        pl.lit(source).alias("source"),
        "element",
        "reservoir",
        pl.col("abundance_ppm_read").alias("abundance_ppm"),
        pl.col("two_sigma_ppm_read").alias("two_sigma_ppm"),
        pl.lit(False).alias("is_provisional"),
        pl.lit(counts_from, INSTANT).alias("vintage_at"),
    ).sort(ELEMENT_ABUNDANCE.key)
