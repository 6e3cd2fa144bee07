"""Rules that a batch of `corrections` must satisfy before it is used."""

from __future__ import annotations

from dagster_project import words
from dagster_project.lake.schemas import INTAKE_TABLES, LAKE_TABLES
from dagster_project.quality.rules import stop
from dagster_project.quality.shared_lake_rules import is_filled, key_of
from dagster_project.quality.shared_rules import has_rows, is_one_of, one_row_per

TABLES_OF_SOURCES = tuple(LAKE_TABLES.keys() - {table.name for table in INTAKE_TABLES})

RULES = (
    has_rows(),
    is_filled("corrections"),
    one_row_per("correction", *key_of("corrections")),
    is_one_of(
        "table_is_one_that_sources_fill", "table_name", tuple(sorted(TABLES_OF_SOURCES)),
        "A correction of another table would be applied to nothing.",
    ),
    is_one_of(
        "action_is_known", "action", words.CORRECTION_ACTIONS,
        "How many rows it may change follows from the action.",
    ),
    is_one_of(
        "status_is_known", "status", words.CORRECTION_STATUSES,
        "A correction is applied, or its publisher has corrected the figure.",
    ),
    stop(
        "rows_changed_is_not_negative",
        "Rows are counted.",
        "ExpectColumnValuesToBeBetween",
        column="rows_changed",
        min_value=0,
    ),
)  # fmt: skip
