"""Rules that `catalog.checks` must satisfy before a build is published."""

from __future__ import annotations

import polars as pl

from dagster_project import words
from dagster_project.quality.mart_parts import is_at_least, no_row_has
from dagster_project.quality.parts import is_one_of, one_row_per

RULES = (
    one_row_per("layer_table_and_check", "layer", "table_name", "check_name"),
    is_one_of(
        "engine_is_known", "engine", words.ENGINES,
        "The layer gives the place of the rule.",
    ),
    is_one_of(
        "severity_is_known", "severity", words.SEVERITIES,
        "The severity decides whether a failure blocks a publication.",
    ),
    is_one_of(
        "status_is_known", "status", words.CHECK_STATUSES,
        "A check that could not run is not a check that failed.",
    ),
    is_at_least("failing_rows", 0, "Rows are counted."),
    no_row_has(
        "a_passed_check_has_no_failing_rows",
        "A check with failing rows did not pass.",
        passed_with_failing_rows=pl.when(
            (pl.col("status") == "passed") & (pl.col("failing_rows") > 0)
        ).then("failing_rows"),
    ),
)  # fmt: skip
