"""What `catalog.answers` must hold before a build is published."""

from __future__ import annotations

import polars as pl

from dagster_project.quality.mart_parts import no_row_has
from dagster_project.quality.parts import ROUNDING, is_not_blank, matches

_POINT = r"[0-9]{4}(-[0-9]{2}){0,2}"

RULES = (
    is_not_blank("subject"),
    is_not_blank("unit"),
    is_not_blank("detail"),
    no_row_has(
        "a_share_lies_between_0_and_1_within_rounding",
        "A part is not more than the whole, nor less than nothing.",
        share_out_of_range=pl.when(
            (pl.col("unit") == "share") & ~pl.col("figure").is_between(0, 1 + ROUNDING)
        ).then("figure"),
    ),
    no_row_has(
        "only_a_return_is_negative",
        "An amount, a number of codes or a price is not less than nothing.",
        negative_figure=pl.when((pl.col("unit") != "return") & (pl.col("figure") < 0)).then(
            "figure"
        ),
    ),
    matches(
        "period_is_a_year_a_month_a_day_or_an_interval",
        "period",
        rf"^{_POINT}(/{_POINT})?$",
        "A period is written as in ISO 8601.",
    ),
    matches(
        "trend_from_is_a_year_or_a_month",
        "trend_from",
        r"^[0-9]{4}(-[0-9]{2})?$",
        "A trend has a value a year or a month.",
    ),
)
