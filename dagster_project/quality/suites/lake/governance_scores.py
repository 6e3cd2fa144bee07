"""Rules that a batch of `governance_scores` must satisfy before it is used."""

from __future__ import annotations

from dagster_project.quality import shared_rules
from dagster_project.quality.rules import quarantine
from dagster_project.quality.shared_lake_rules import is_filled, is_finite, key_of, year_has_begun
from dagster_project.quality.shared_rules import has_rows, is_known_economy, matches, one_row_per

RULES = (
    has_rows(),
    is_filled("governance_scores"),
    one_row_per("score", *key_of("governance_scores")),
    is_known_economy("economy_iso3"),
    matches(
        "indicator_is_a_name", "indicator", shared_rules.SLUG,
        "Indicators are named one way (`rule_of_law`), else they match nothing.",
    ),
    year_has_begun(),
    is_finite("estimate", "standard_error"),
    quarantine(
        "estimate_is_on_the_normal_scale",
        "Estimates are between about -2.5 and 2.5; a rank of 0 to 100 is another column.",
        "ExpectColumnValuesToBeBetween",
        column="estimate",
        min_value=-4,
        max_value=4,
    ),
    quarantine(
        "standard_error_is_not_negative",
        "An error is never negative: a minus is a mark for missing, or the estimate's column.",
        "ExpectColumnValuesToBeBetween",
        column="standard_error",
        min_value=0,
    ),
)  # fmt: skip
