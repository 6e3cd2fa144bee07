"""Rules that `exposure.measure_scope` must satisfy before a build is published."""

from __future__ import annotations

from dagster_project import words
from dagster_project.quality import parts
from dagster_project.quality.mart_parts import is_an_hs6_code
from dagster_project.quality.parts import is_a_share, is_not_above, is_one_of, matches

RULES = (
    is_an_hs6_code(),
    matches(
        "mineral_is_a_name", "mineral", parts.SLUG,
        "Minerals have one form of name (`all_rare_earths`), else they match nothing.",
    ),
    is_one_of(
        "basis_is_known", "basis", words.SCOPE_BASES,
        "The evidence for the bounds decides how reliable they are.",
    ),
    is_a_share("control_share_low"),
    is_a_share("control_share_high"),
    is_not_above(
        "control_share_low_is_not_above_high", "control_share_low", "control_share_high",
        "The bounds are swapped.",
    ),
)  # fmt: skip
