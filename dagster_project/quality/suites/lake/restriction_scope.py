"""Rules that a batch of `restriction_scope` must satisfy before it is used."""

from __future__ import annotations

from dagster_project import words
from dagster_project.quality import shared_rules
from dagster_project.quality.shared_lake_rules import is_filled, key_of
from dagster_project.quality.shared_rules import (
    has_rows,
    is_not_above,
    is_one_of,
    matches,
    one_row_per,
)

RULES = (
    has_rows(),
    is_filled("restriction_scope"),
    one_row_per("clause_code_and_mineral", *key_of("restriction_scope")),
    matches(
        "hs_code_is_an_hs6_code_or_a_heading", "hs_code", shared_rules.HS6_OR_HEADING,
        "Ten-digit codes of the act belong in `source_codes`; a lost leading zero shows here.",
    ),
    matches(
        "mineral_is_a_name", "mineral", shared_rules.SLUG,
        "Minerals have one form of name (`all_rare_earths`), else they match nothing.",
    ),
    is_one_of(
        "basis_is_known", "basis", words.SCOPE_BASES,
        "The evidence for the bounds decides how reliable they are.",
    ),
    shared_rules.is_a_share("control_share_low"),
    shared_rules.is_a_share("control_share_high"),
    is_not_above(
        "control_share_low_is_not_above_high", "control_share_low", "control_share_high",
        "The bounds are swapped.",
    ),
)  # fmt: skip
