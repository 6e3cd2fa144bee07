"""Rules that `catalog.claims` must satisfy before a build is published."""

from __future__ import annotations

import polars as pl

from dagster_project import words
from dagster_project.quality.mart_parts import no_row_has
from dagster_project.quality.parts import (
    is_not_above,
    is_not_blank,
    is_not_later_than_today,
    is_one_of,
)

RULES = (
    is_one_of(
        "verdict_is_known", "verdict", words.VERDICTS,
        "A reader filters by these words and no others.",
    ),
    is_not_blank("statement"),
    is_not_blank("claimed_by"),
    is_not_blank("explanation"),
    is_not_above(
        "claimed_low_is_not_above_high", "claimed_low", "claimed_high",
        "The bounds are swapped.",
    ),
    is_not_above(
        "computed_low_is_not_above_high", "computed_low", "computed_high",
        "The bounds are swapped.",
    ),
    no_row_has(
        "a_verdict_rests_on_a_figure",
        "Only a `not_testable` claim has none.",
        verdict_without_figure=pl.when(
            (pl.col("verdict") != "not_testable")
            & pl.coalesce("computed_low", "computed_high").is_null()
        ).then("verdict"),
    ),
    no_row_has(
        "a_statement_that_is_judged_gives_a_bound",
        "Without one every figure would support it.",
        verdict_without_bound=pl.when(
            (pl.col("verdict") != "not_testable")
            & pl.coalesce("claimed_low", "claimed_high").is_null()
        ).then("verdict"),
    ),
    is_not_later_than_today("claimed_at"),
)  # fmt: skip
