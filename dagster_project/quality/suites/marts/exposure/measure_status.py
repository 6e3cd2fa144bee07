"""Rules that `exposure.measure_status` must satisfy before a build is published."""

from __future__ import annotations

import polars as pl

from dagster_project import words
from dagster_project.quality.mart_parts import no_row_has
from dagster_project.quality.parts import is_not_blank, is_one_of
from dagster_project.quality.rules import Today, stop

RULES = (
    is_one_of(
        "status_is_known", "status", words.MEASURE_STATUSES,
        "A reader filters by these words and no others.",
    ),
    stop(
        "interval_is_not_empty",
        "An interval that ends on or before its first day holds on no day.",
        "ExpectColumnPairValuesAToBeGreaterThanB",
        column_A="valid_to", column_B="valid_from",
        ignore_row_if="either_value_is_missing",
    ),
    is_not_blank("because"),
    stop(
        "interval_begins_within_five_years_from_now",
        "No measure is announced longer ahead; the year is a misprint.",
        "ExpectColumnValuesToBeBetween",
        column="valid_from", max_value=Today(5 * 366),
    ),
    no_row_has(
        "the_last_word_is_open_or_followed",
        "`ended` is final: no status follows it.",
        end_of_the_end=pl.when(pl.col("status") == "ended").then("valid_to"),
    ),
)  # fmt: skip
