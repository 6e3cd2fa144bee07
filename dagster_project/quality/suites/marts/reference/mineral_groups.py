"""Rules that `reference.mineral_groups` must satisfy before a build is published."""

from __future__ import annotations

from dagster_project.quality import parts
from dagster_project.quality.mart_parts import contains, is_in_japanese
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
)  # fmt: skip
