"""Rules that `exposure.industry_exposure` must satisfy before a build is published."""

from __future__ import annotations

import polars as pl

from dagster_project.quality import parts
from dagster_project.quality.mart_parts import is_at_least, no_row_has
from dagster_project.quality.parts import is_a_share, is_not_above, is_not_blank, matches
from dagster_project.quality.rules import stop

RULES = (
    matches(
        "mineral_is_a_name", "mineral", parts.SLUG,
        "Minerals have one form of name (`all_rare_earths`), else they match nothing.",
    ),
    is_not_blank("sector"),
    stop(
        "tier_is_one_or_two",
        "An industry uses a mineral, or builds in what another makes of it.",
        "ExpectColumnValuesToBeBetween",
        column="tier", min_value=1, max_value=2,
    ),
    is_a_share("use_share"),
    is_at_least("exposed_value_low_usd", 0, "A clause exposes some trade or none."),
    is_not_above(
        "exposed_value_low_is_not_above_high", "exposed_value_low_usd", "exposed_value_high_usd",
        "The bounds are swapped.",
    ),
    is_a_share("share_of_clause_low"),
    is_a_share("share_of_clause_high"),
    is_not_above(
        "share_of_clause_low_is_not_above_high", "share_of_clause_low", "share_of_clause_high",
        "The bounds are swapped.",
    ),
    no_row_has(
        "all_is_no_sector",
        "The total of a tier has neither a division nor a share of use.",
        total_with_a_division=pl.when(
            (pl.col("sector") == "all")
            & pl.any_horizontal(pl.col("nace2_code", "use_share").is_not_null())
        ).then("mineral"),
    ),
)  # fmt: skip
