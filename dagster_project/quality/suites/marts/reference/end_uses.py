"""Rules that `reference.end_uses` must satisfy before a build is published."""

from __future__ import annotations

import polars as pl

from dagster_project.quality import parts
from dagster_project.quality.mart_parts import no_row_has
from dagster_project.quality.parts import is_a_share, is_not_blank, matches
from dagster_project.quality.rules import report

RULES = (
    is_a_share("use_share"),
    is_not_blank("sector"),
    is_not_blank("applications"),
    matches(
        "nace2_code_is_a_division", "nace2_code", parts.NACE_DIVISION,
        "A letter and two digits (`C25`): a section or a class is another level.",
    ),
    no_row_has(
        "the_residual_is_of_no_division",
        "A use with a division is not `other`: a filter by sector would miss it.",
        division_of_residual=pl.when(pl.col("sector") == "other").then("nace2_code"),
    ),
    report(
        "magnets_and_semiconductors_are_covered",
        "What neodymium and gallium go into is what a reader asks about.",
        "ExpectColumnDistinctValuesToContainSet",
        column="mineral", value_set=("gallium", "neodymium"),
    ),
)  # fmt: skip
