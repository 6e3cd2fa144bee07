"""Rules that a batch of `end_uses` must satisfy before it is used."""

from __future__ import annotations

from dagster_project.quality import shared_rules
from dagster_project.quality.rules import quarantine
from dagster_project.quality.shared_lake_rules import (
    is_filled,
    is_finite,
    is_not_negative,
    key_of,
    year_has_begun,
)
from dagster_project.quality.shared_rules import has_rows, matches, one_row_per

RULES = (
    has_rows(),
    is_filled("end_uses"),
    one_row_per("use", *key_of("end_uses")),
    matches(
        "nace2_code_is_a_division", "nace2_code", shared_rules.NACE_DIVISION,
        "A letter and two digits (`C25`): a section or a class is another level.",
    ),
    year_has_begun(),
    is_finite("use_share", "sector_value_added_eur_m"),
    quarantine(
        "use_share_is_between_0_and_1",
        "A share above 1 is a percentage.",
        "ExpectColumnValuesToBeBetween",
        column="use_share",
        min_value=0,
        max_value=1,
    ),
    is_not_negative("sector_value_added_eur_m"),
)  # fmt: skip
