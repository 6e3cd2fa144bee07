"""Rules that `catalog.claim_findings` must satisfy before a build is published."""

from __future__ import annotations

import polars as pl

from dagster_project import words
from dagster_project.quality.mart_parts import no_row_has
from dagster_project.quality.parts import ROUNDING, is_not_blank, is_one_of, matches

RULES = (
    is_not_blank("basis"),
    is_one_of(
        "moment_is_known", "moment", words.MOMENTS,
        "A figure that was not known when a statement was made does not judge it.",
    ),
    is_one_of(
        "unit_is_known", "unit", words.UNITS_OF_FINDINGS,
        "A value is read by its unit.",
    ),
    no_row_has(
        "a_share_lies_between_0_and_1_within_rounding",
        "A part is between nothing and the whole.",
        share_out_of_range=pl.when(
            pl.col("unit").str.starts_with("share_of_")
            & ~pl.col("value").is_between(0, 1 + ROUNDING)
        ).then("value"),
    ),
    no_row_has(
        "a_ratio_or_an_amount_is_not_negative",
        "Neither an abundance nor a flow is negative.",
        negative_value=pl.when(
            pl.col("unit").is_in(["times_as_abundant", "t"]) & (pl.col("value") < 0)
        ).then("value"),
    ),
    matches(
        "period_is_a_year_a_month_or_an_interval",
        "period",
        r"^[0-9]{4}(-[0-9]{2})?$|^[0-9]{4}/[0-9]{4}$"
        r"|^[0-9]{4}(-[0-9]{2}){2}/[0-9]{4}(-[0-9]{2}){2}$",
        "A period is written as in ISO 8601.",
    ),
    no_row_has(
        "a_value_has_a_source",
        "A figure that cannot be traced to its publisher decides nothing.",
        value_without_source=pl.when(
            pl.col("value").is_not_null() & pl.col("source").is_null()
        ).then("basis"),
    ),
)  # fmt: skip
