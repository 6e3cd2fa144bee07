"""Rules that `catalog.columns` must satisfy before a build is published."""

from __future__ import annotations

import polars as pl

from dagster_project import words
from dagster_project.quality.mart_parts import contains, no_row_has
from dagster_project.quality.parts import has_rows, is_not_blank, matches

RULES = (
    has_rows(),
    contains(
        "every_schema_is_described", "schema_name", words.SCHEMAS,
        "A BI tool shows the description beside the column.",
    ),
    is_not_blank("description"),
    matches(
        "data_type_is_one_of_the_contract", "data_type",
        r"(?i)^(varchar(\[\])?|double(\[\])?|date|timestamp|boolean|integer|bigint)$",
        "Older BI drivers support only these.",
    ),
    no_row_has(
        "a_figure_has_its_unit",
        "Dollars, kilograms and tonnes are distinguished by the unit.",
        figure_without_unit=pl.when(
            pl.col("column_name").str.contains("_(usd|kg|t|share)$")
            & pl.col("unit").is_null()
        ).then("column_name"),
    ),
)  # fmt: skip
