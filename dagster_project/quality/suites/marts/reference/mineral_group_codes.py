"""Rules that `reference.mineral_group_codes` must satisfy before a build is published."""

from __future__ import annotations

import polars as pl

from dagster_project.quality.mart_parts import contains, has_a_known_edition, is_an_hs6_code
from dagster_project.quality.parts import has_rows
from dagster_project.quality.rules import stop

RARE_EARTH_CODES = ("rare_earths 280530", "rare_earths 284610", "rare_earths 284690")

RULES = (
    has_rows(),
    is_an_hs6_code(),
    has_a_known_edition(),
    contains(
        "rare_earths_have_their_three_codes", "group_and_code", RARE_EARTH_CODES,
        "A basket without one of them is another basket.",
        {"group_and_code": pl.format("{} {}", "mineral_group", "hs6_code")},
    ),
    stop(
        "a_group_of_one_code_bears_its_number",
        "`hs_850511` holds 850511 and nothing else.",
        "ExpectColumnPairValuesToBeEqual",
        {
            "code_in_name": pl.when(pl.col("mineral_group").str.starts_with("hs_")).then(
                pl.col("mineral_group").str.strip_prefix("hs_")
            )
        },
        column_A="hs6_code", column_B="code_in_name",
        ignore_row_if="either_value_is_missing",
    ),
)  # fmt: skip
