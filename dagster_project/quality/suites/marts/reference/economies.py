"""Rules that `reference.economies` must satisfy before a build is published."""

from __future__ import annotations

import polars as pl

from dagster_project.quality import parts
from dagster_project.quality.mart_parts import contains, is_in_japanese
from dagster_project.quality.parts import has_rows, is_not_blank, matches
from dagster_project.quality.rules import stop

RULES = (
    has_rows(),
    contains(
        "the_well_known_are_there", "economy_iso3", parts.WELL_KNOWN,
        "Without them the first question has no answer.",
    ),
    is_not_blank("name"),
    is_in_japanese(),
    matches(
        "m49_code_has_three_digits", "m49_code", r"^[0-9]{3}$",
        "A number has lost its leading zeros (`004` is not `4`).",
    ),
    stop(
        "the_european_union_has_27_members",
        "Another number of members is that of another year.",
        "ExpectColumnSumToBeBetween",
        {"members": pl.col("is_eu27").cast(pl.Int64)},
        column="members", min_value=27, max_value=27,
    ),
)  # fmt: skip
