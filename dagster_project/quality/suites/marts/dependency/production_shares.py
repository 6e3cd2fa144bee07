"""Rules that `dependency.production_shares` must satisfy before a build is published."""

from __future__ import annotations

import polars as pl

from dagster_project.quality.mart_parts import (
    LARGEST_PRODUCTION_SHARE,
    is_within_rounding,
    no_row_has,
    production_in_common,
)
from dagster_project.quality.rules import report

RULES = (
    *production_in_common(),
    is_within_rounding(
        "share", 1, LARGEST_PRODUCTION_SHARE,
        "A share above that is a percentage, or a total that lost a digit.",
    ),
    no_row_has(
        "a_share_of_a_total_has_an_amount",
        "More is a share of another total than the one in its row.",
        share_without_amount=pl.when(
            pl.col("world_total_t").is_not_null() & pl.col("amount_t").is_null()
        ).then("share"),
    ),
    report(
        "china_is_covered",
        "China is the first producer a reader asks about.",
        "ExpectColumnDistinctValuesToContainSet",
        column="economy_iso3", value_set=("CHN",),
    ),
)  # fmt: skip
