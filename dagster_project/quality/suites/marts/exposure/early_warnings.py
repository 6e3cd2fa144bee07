"""Rules that `exposure.early_warnings` must satisfy before a build is published."""

from __future__ import annotations

import polars as pl

from dagster_project import words
from dagster_project.quality.mart_parts import is_at_least, no_row_has
from dagster_project.quality.parts import is_not_blank, is_one_of, starts_its_period
from dagster_project.quality.rules import Today, stop

OF_CLAUSES = ("new_restriction", "lapse_ahead", "lapsed_unknown")
IS_OF_A_CLAUSE = pl.col("signal").is_in(OF_CLAUSES)
IS_AT_MOST = pl.col("signal").is_in(("volume_drop", "lapse_ahead", "lapsed_unknown"))

RULES = (
    is_one_of(
        "frequency_is_known", "frequency", words.FREQUENCIES, "A warning is of a year or a month.",
    ),
    starts_its_period(),
    is_one_of(
        "signal_is_known", "signal", words.WARNING_SIGNALS,
        "A reader filters by these words and no others.",
    ),
    is_one_of(
        "severity_is_known", "severity", words.WARNING_SEVERITIES,
        "A reader sorts by these words and no others.",
    ),
    is_one_of(
        "unit_is_known", "unit", words.UNITS_OF_WARNINGS,
        "A figure without a known unit says nothing.",
    ),
    is_one_of(
        "basis_is_known", "basis", words.WARNING_BASES,
        "A figure is judged by changes, or by the figures before it.",
    ),
    is_not_blank("explanation"),
    is_at_least("value", 0, "Amounts, prices, shares and days are not negative."),
    is_at_least("observations", 5, "Of fewer figures the spread says nothing."),
    is_at_least("scaled_mads", 3, "What is nearer to the usual is no warning."),
    no_row_has(
        "signals_of_clauses_name_their_clause_and_others_none",
        "A reader looks up the clause, and counts the figures without one.",
        without_its_clause=pl.when((pl.col("clause_id") == "") == IS_OF_A_CLAUSE).then("signal"),
    ),
    no_row_has(
        "signals_of_figures_say_what_is_usual_and_how_it_is_known",
        "A warning that cannot be checked is not published.",
        without_the_usual=pl.when(
            ~IS_OF_A_CLAUSE
            & pl.any_horizontal(pl.col("value", "usual", "basis", "observations").is_null())
        ).then("signal"),
    ),
    no_row_has(
        "figure_is_beyond_its_threshold",
        "A drop is at or below it, days are at most as many, all else is at or above it.",
        on_the_wrong_side=pl.when(
            pl.when(IS_AT_MOST)
            .then(pl.col("value") > pl.col("threshold") * (1 + 1e-9))
            .otherwise(pl.col("value") < pl.col("threshold") * (1 - 1e-9))
        ).then("signal"),
    ),
    stop(
        "only_a_lapse_is_ahead",
        "A figure or a clause of after the day of the build must not appear in it.",
        "ExpectColumnValuesToBeBetween",
        {"period_of_a_fact": pl.when(pl.col("signal") != "lapse_ahead").then("period_start")},
        column="period_of_a_fact", max_value=Today(),
    ),
)  # fmt: skip
