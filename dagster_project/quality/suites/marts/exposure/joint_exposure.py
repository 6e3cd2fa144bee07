"""Rules that `exposure.joint_exposure` must satisfy before a build is published."""

from __future__ import annotations

from dagster_project import words
from dagster_project.quality.mart_parts import is_at_least
from dagster_project.quality.parts import SLUG, is_a_share, is_not_above, is_one_of, matches
from dagster_project.quality.rules import stop

RULES = (
    matches(
        "commodity_is_a_code_or_a_group", "commodity_code", rf"^[0-9]{{6}}$|{SLUG}",
        "A code that went through a number has lost its leading zero.",
    ),
    stop(
        "interval_is_not_empty",
        "An interval that ends on or before its first day holds on no day.",
        "ExpectColumnPairValuesAToBeGreaterThanB",
        column_A="valid_to", column_B="valid_from",
        ignore_row_if="either_value_is_missing",
    ),
    is_one_of(
        "reason_is_known", "reason", words.EXPOSURE_REASONS,
        "A reader looks the reason up in the list.",
    ),
    is_a_share("exposed_share_low"),
    is_a_share("exposed_share_high"),
    is_at_least("exposed_value_low_usd", 0, "Clauses control some trade or none."),
    is_not_above(
        "exposed_share_low_is_not_above_high", "exposed_share_low", "exposed_share_high",
        "The bounds are swapped.",
    ),
    is_not_above(
        "exposed_value_low_is_not_above_high", "exposed_value_low_usd", "exposed_value_high_usd",
        "The bounds are swapped.",
    ),
)  # fmt: skip
