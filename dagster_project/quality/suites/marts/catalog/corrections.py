"""Rules that `catalog.corrections` must satisfy before a build is published."""

from __future__ import annotations

import polars as pl

from dagster_project import words
from dagster_project.quality.mart_parts import has_a_web_address, is_at_least
from dagster_project.quality.parts import is_not_blank, is_one_of
from dagster_project.quality.rules import report

RULES = (
    is_not_blank("row_key"),
    is_not_blank("reason"),
    is_not_blank("citation"),
    has_a_web_address(),
    is_one_of(
        "action_is_known", "action", words.CORRECTION_ACTIONS,
        "How many rows it may change follows from the action.",
    ),
    is_one_of(
        "status_is_known", "status", words.CORRECTION_STATUSES,
        "A correction is applied, or its publisher has corrected the figure.",
    ),
    is_at_least("rows_changed", 0, "Rows are counted."),
    report(
        "every_correction_still_matches",
        "The publisher has another value there than the wrong one, and its figures are used as "
        "they are: its entry in corrections.yaml can be removed, or has to be renewed.",
        "ExpectColumnValuesToBeNull",
        {
            "no_longer_matches": pl.when(pl.col("status") == "no_longer_matches").then(
                pl.format("{}: {}", "correction_id", pl.col("found_value").fill_null("no figure"))
            )
        },
        column="no_longer_matches",
    ),
)  # fmt: skip
