"""Rules that `reference.commodity_minerals` must satisfy before a build is published."""

from __future__ import annotations

from dagster_project.quality.mart_parts import is_an_hs6_code
from dagster_project.quality.parts import has_rows, is_a_share, is_not_above, is_not_blank

RULES = (
    has_rows(),
    is_an_hs6_code(),
    is_a_share("code_share_low"),
    is_a_share("code_share_high"),
    is_not_above(
        "code_share_low_is_not_above_high", "code_share_low", "code_share_high",
        "The bounds are swapped.",
    ),
    is_not_blank("basis"),
    is_not_blank("source"),
)  # fmt: skip
