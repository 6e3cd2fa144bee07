"""Rules that `reference.mineral_groups` must satisfy before a build is published."""

from __future__ import annotations

import polars as pl

from dagster_project.quality import parts
from dagster_project.quality.mart_parts import contains, is_in_japanese, no_row_has
from dagster_project.quality.parts import has_rows, is_not_blank, matches

GROUPS = ("rare_earths", "permanent_magnets", "natural_graphite", "artificial_graphite")

RULES = (
    has_rows(),
    contains(
        "the_named_groups_are_there", "mineral_group", GROUPS,
        "The contract promises these by name.",
    ),
    matches(
        "mineral_group_is_a_name", "mineral_group", parts.SLUG,
        "The name is typed into filters: lower case, no blanks.",
    ),
    is_not_blank("name"),
    is_in_japanese(),
    no_row_has(
        "no_group_is_a_part_of_itself",
        "A reader leaves out what is part of another: the group would be gone.",
        part_of_itself=pl.when(
            pl.col("is_part_of").list.contains(pl.col("mineral_group"))
        ).then("mineral_group"),
    ),
)  # fmt: skip
