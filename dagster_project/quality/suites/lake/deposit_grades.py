"""Rules that a batch of `deposit_grades` must satisfy before it is used."""

from __future__ import annotations

import polars as pl

from dagster_project import words
from dagster_project.quality.rules import quarantine, stop
from dagster_project.quality.shared_lake_rules import (
    has_a_web_address,
    is_filled,
    key_of,
    known_by_today,
)
from dagster_project.quality.shared_rules import has_rows, is_one_of, one_row_per

RULES = (
    has_rows(),
    is_filled("deposit_grades"),
    one_row_per("figure_of_a_deposit", *key_of("deposit_grades")),
    is_one_of(
        "figure_is_known", "figure", words.DEPOSIT_FIGURES,
        "The figure says what unit the amount has.",
    ),
    is_one_of(
        "qualifier_is_known", "qualifier", words.QUALIFIERS,
        "A reader must be able to distinguish a bound from a measurement.",
    ),
    stop(
        "amount_is_positive",
        "A 0 is a mark for missing.",
        "ExpectColumnValuesToBeBetween",
        column="amount",
        min_value=0,
        strict_min=True,
    ),
    quarantine(
        "grade_is_below_a_tenth",
        "Parts per million above 100,000: per cent were taken for parts per million.",
        "ExpectColumnValuesToBeBetween",
        {
            "grade_ppm": pl.when(pl.col("figure").is_in(["grade_max", "grade_mean"])).then(
                pl.col("amount")
            )
        },
        column="grade_ppm",
        max_value=100_000,
    ),
    known_by_today(),
    has_a_web_address(),
)  # fmt: skip
