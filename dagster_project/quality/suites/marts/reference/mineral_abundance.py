"""Rules that `reference.mineral_abundance` must satisfy before a build is published."""

from __future__ import annotations

from dagster_project.quality import parts
from dagster_project.quality.mart_parts import is_at_least
from dagster_project.quality.parts import is_not_above, matches
from dagster_project.quality.rules import report

RULES = (
    matches(
        "element_is_a_symbol", "element", parts.ELEMENT,
        "One or two letters (`Nd`): the abundance is of the element, not of an oxide.",
    ),
    is_at_least(
        "crust_ppm_low", 0, "Every element occurs; a 0 is a mark for missing.",
        strict=True,
    ),
    is_not_above(
        "crust_ppm_low_is_not_above_high", "crust_ppm_low", "crust_ppm_high",
        "The bounds are swapped.",
    ),
    report(
        "rare_earths_and_what_they_are_held_against_are_covered",
        "Copper and tin are the comparison for how rare the others are.",
        "ExpectColumnDistinctValuesToContainSet",
        column="mineral", value_set=("copper", "dysprosium", "neodymium", "tin"),
    ),
)  # fmt: skip
