"""Rules that a batch of `coverage` must satisfy before it is used."""

from __future__ import annotations

from dagster_project.lake.schemas import LAKE_TABLES
from dagster_project.quality import shared_rules
from dagster_project.quality.rules import stop
from dagster_project.quality.shared_lake_rules import is_filled, key_of
from dagster_project.quality.shared_rules import has_rows, is_known_economy, is_one_of, one_row_per

TABLES_WITH_A_PERIOD = tuple(
    table.name for table in LAKE_TABLES.values() if table.period and table.name != "coverage"
)


RULES = (
    has_rows(),
    is_filled("coverage"),
    one_row_per("slice", *key_of("coverage")),
    is_one_of(
        "table_is_a_lake_table_with_a_period", "table_name", TABLES_WITH_A_PERIOD,
        "An answer for a table that does not exist has no meaning.",
    ),
    is_known_economy("reporter_iso3", ""),
    *shared_rules.names_a_slice(),
    stop(
        "rows_is_not_negative",
        "Rows are counted.",
        "ExpectColumnValuesToBeBetween",
        column="rows",
        min_value=0,
    ),
)  # fmt: skip
