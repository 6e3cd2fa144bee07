"""Rules that `exposure.importer_exposure` must satisfy before a build is published."""

from __future__ import annotations

import polars as pl

from dagster_project import words
from dagster_project.quality.mart_parts import is_at_least, no_row_has
from dagster_project.quality.parts import (
    ROUNDING,
    SLUG,
    is_a_share,
    is_not_above,
    is_not_later_than_today,
    is_one_of,
    matches,
    starts_its_period,
)

RULES = (
    is_one_of(
        "baseline_frequency_is_annual_or_monthly", "baseline_frequency", words.FREQUENCIES,
        "A baseline is of twelve months or of a year.",
    ),
    matches(
        "commodity_is_a_code_or_a_group", "commodity_code", rf"^[0-9]{{6}}$|{SLUG}",
        "A code that went through a number has lost its leading zero.",
    ),
    starts_its_period("baseline_from", "baseline_frequency"),
    no_row_has(
        "baseline_is_of_twelve_months",
        "Less than a year is not compared with a year.",
        another_end=pl.when(
            pl.col("baseline_from").dt.offset_by("1y").dt.offset_by("-1d") != pl.col("baseline_to")
        ).then("baseline_to"),
    ),
    is_not_later_than_today("baseline_to"),
    no_row_has(
        "baseline_is_at_most_a_year_older_than_it_should_be",
        "Trade of years before says nothing about what a clause hits.",
        gap=pl.when(~pl.col("baseline_gap_years").is_in([0, 1])).then("baseline_gap_years"),
    ),
    is_at_least(
        "baseline_value_usd", 0, "No flow, no row; no figure is null.", strict=True
    ),
    is_at_least("baseline_weight_kg", 0, "A weight that is not known is null, not negative."),
    is_a_share("baseline_share"),
    is_a_share("control_share_low"),
    is_a_share("control_share_high"),
    is_a_share("exposed_share_low"),
    is_a_share("exposed_share_high"),
    is_a_share("other_exporters_share"),
    is_one_of(
        "reason_is_known", "reason", words.EXPOSURE_REASONS,
        "A reader looks the reason up in the list.",
    ),
    is_at_least("exposed_value_low_usd", 0, "A clause controls some trade or none."),
    is_not_above(
        "control_share_low_is_not_above_high", "control_share_low", "control_share_high",
        "The bounds are swapped.",
    ),
    is_not_above(
        "exposed_share_low_is_not_above_high", "exposed_share_low", "exposed_share_high",
        "The bounds are swapped.",
    ),
    is_not_above(
        "exposed_value_low_is_not_above_high", "exposed_value_low_usd", "exposed_value_high_usd",
        "The bounds are swapped.",
    ),
    is_not_above(
        "exposed_value_is_not_above_what_was_bought",
        "exposed_value_high_usd", "value_bought",
        "No more is controlled than there was.",
    ).with_derived(value_bought=pl.col("baseline_value_usd") * (1 + ROUNDING)),
)  # fmt: skip
