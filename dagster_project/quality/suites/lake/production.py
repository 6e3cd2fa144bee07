"""Rules that a batch of `production` must satisfy before it is used."""

from __future__ import annotations

import polars as pl

from dagster_project import words
from dagster_project.quality.rules import quarantine, stop
from dagster_project.quality.shared_lake_rules import (
    is_filled,
    is_finite,
    is_not_negative,
    key_of,
    year_has_begun,
)
from dagster_project.quality.shared_rules import (
    has_rows,
    is_known_economy,
    is_one_of,
    matches,
    one_row_per,
)

LARGEST_AMOUNT_T = 1e12
"""A million million tons: no output, capacity or reserves of any material reach it."""

RULES = (
    has_rows(),
    is_filled("production"),
    one_row_per("figure", *key_of("production")),
    is_known_economy("economy_iso3"),
    is_known_economy("scope_iso3"),
    is_one_of(
        "stage_is_known", "stage", words.STAGES,
        "The mine and the refinery of one mineral are in different countries.",
    ),
    is_one_of(
        "bound_is_known", "bound", words.BOUNDS,
        "`<1` read as 1 is a figure that was not printed.",
    ),
    is_one_of(
        "flag_is_known", "flag", words.FIGURE_FLAGS,
        "Withheld, not available and zero are three different things.",
    ),
    year_has_begun(),
    matches(
        "reference_period_is_a_year_or_an_interval_of_years", "reference_period",
        r"^[0-9]{4}(/[0-9]{4})?$",
        "A period is written as in ISO 8601.",
    ),
    is_finite("amount_t", "share", "trade_parameter"),
    is_not_negative("amount_t"),
    quarantine(
        "amount_t_is_not_above_the_largest_of_reserves",
        "The world's reserves of iron ore are a fifth of this: more is a unit read wrong, or "
        "two numbers run together.",
        "ExpectColumnValuesToBeBetween",
        column="amount_t",
        max_value=LARGEST_AMOUNT_T,
    ),
    quarantine(
        "trade_parameter_is_between_0_and_10",
        "The factor is printed from 0.8 to 1.5; more is a percentage or another column.",
        "ExpectColumnValuesToBeBetween",
        column="trade_parameter",
        min_value=0,
        max_value=10,
    ),
    quarantine(
        "share_is_between_0_and_1",
        "A share above 1 is a percentage.",
        "ExpectColumnValuesToBeBetween",
        column="share",
        min_value=0,
        max_value=1,
    ),
    stop(
        "figure_that_is_not_printed_has_no_amount",
        "Missing is null: a withheld figure with an amount is a mark read as a number.",
        "ExpectColumnValuesToBeNull",
        {
            "amount_of_no_figure": pl.when(
                pl.col("flag").is_in(["withheld", "not_available", "not_applicable"])
            ).then(pl.coalesce("amount_t", "share"))
        },
        column="amount_of_no_figure",
    ),
    stop(
        "figure_that_is_printed_has_an_amount_or_a_share",
        "A figure lost in parsing would look like a missing one.",
        "ExpectColumnValuesToBeNull",
        {
            "lost_figure": pl.when(
                pl.col("flag").is_in(["reported", "estimated", "zero"])
                & pl.coalesce("amount_t", "share").is_null()
            ).then("label")
        },
        column="lost_figure",
    ),
)  # fmt: skip
