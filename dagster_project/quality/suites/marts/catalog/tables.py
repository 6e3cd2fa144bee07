"""Rules that `catalog.tables` must satisfy before a build is published."""

from __future__ import annotations

import polars as pl

from dagster_project import words
from dagster_project.quality.mart_parts import contains, no_row_has
from dagster_project.quality.parts import has_rows, is_not_blank, one_row_per

RULES = (
    has_rows(),
    one_row_per("table", "schema_name", "table_name"),
    contains(
        "every_schema_has_tables", "schema_name", words.SCHEMAS,
        "A schema without tables was not built.",
    ),
    is_not_blank("grain"),
    is_not_blank("description"),
    no_row_has(
        "rows_are_counted",
        "They are counted when all tables are built.",
        table_without_count=pl.when(pl.col("rows").is_null()).then("table_name"),
    ),
)  # fmt: skip
