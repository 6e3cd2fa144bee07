"""Rules that a batch of `element_abundance` must satisfy before it is used."""

from __future__ import annotations

from dagster_project import words
from dagster_project.quality import shared_rules
from dagster_project.quality.rules import quarantine
from dagster_project.quality.shared_lake_rules import is_filled, is_finite, key_of
from dagster_project.quality.shared_rules import has_rows, is_one_of, matches, one_row_per

RULES = (
    has_rows(),
    is_filled("element_abundance"),
    one_row_per("estimate", *key_of("element_abundance")),
    matches(
        "element_is_a_symbol", "element", shared_rules.ELEMENT,
        "One or two letters (`Nd`): a name or an oxide is another thing.",
    ),
    is_one_of(
        "reservoir_is_known", "reservoir", words.RESERVOIRS,
        "The upper crust contains twice as much of some elements as the whole.",
    ),
    is_finite("abundance_ppm", "two_sigma_ppm"),
    quarantine(
        "abundance_ppm_is_above_0_and_at_most_a_million",
        "Every element occurs, and a part is at most the whole: a 0 is a mark for missing, more "
        "is another unit.",
        "ExpectColumnValuesToBeBetween",
        column="abundance_ppm",
        min_value=0,
        strict_min=True,
        max_value=1_000_000,
    ),
    quarantine(
        "two_sigma_ppm_is_not_negative",
        "An error is never negative: a minus is a mark for missing, or another column.",
        "ExpectColumnValuesToBeBetween",
        column="two_sigma_ppm",
        min_value=0,
    ),
)  # fmt: skip
