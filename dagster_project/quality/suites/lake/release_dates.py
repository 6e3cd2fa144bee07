"""Rules that a batch of `release_dates` must satisfy before it is used."""

from __future__ import annotations

import polars as pl

from dagster_project import words
from dagster_project.quality.rules import stop
from dagster_project.quality.shared_lake_rules import is_filled, key_of
from dagster_project.quality.shared_rules import has_rows, is_one_of, one_row_per

RULES = (
    has_rows(),
    is_filled("release_dates"),
    one_row_per("period", *key_of("release_dates")),
    is_one_of(
        "frequency_is_known", "frequency", words.FREQUENCIES,
        "What is due is decided by years and months.",
    ),
    stop(
        "a_period_is_released_within_two_years_of_its_begin",
        "Another date was read as the release of the period, or as another year's.",
        "ExpectColumnValuesToBeNull",
        {
            "out_of_reach": pl.when(
                ~pl.col("released_at").is_between(
                    pl.col("period_start").cast(pl.Datetime("us")),
                    pl.col("period_start").dt.offset_by("2y").cast(pl.Datetime("us")),
                )
            ).then("released_at")
        },
        column="out_of_reach",
    ),
)  # fmt: skip
