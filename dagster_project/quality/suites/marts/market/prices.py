"""Rules that `market.prices` must satisfy before a build is published."""

from __future__ import annotations

import polars as pl

from dagster_project.quality import parts
from dagster_project.quality.mart_parts import is_at_least
from dagster_project.quality.parts import is_not_blank, is_not_later_than_today, matches
from dagster_project.quality.rules import report

LONGEST_GAP_DAYS = 100
"""A price may double or halve from the average of one year to that of the next: of the 28 yearly
series of the Mineral Commodity Summaries six did. Quotes of months that are further apart have
months missing."""

_FOLLOWS_SOON = pl.col("price_date") - pl.col("price_date").shift(1).over(
    "instrument", order_by="price_date"
) < pl.duration(days=LONGEST_GAP_DAYS)
"""Whether the quote before is at most a month earlier: the mart has no frequency."""

_IS_QUOTED = ~pl.col("instrument").str.starts_with("UNIT_VALUE_")
"""Not a unit value of trade, which moves with the mix of goods too: of 957 that follow soon in the
bundled figures 84 are double or half of the one before, which would hide the jump of a quote. Slips
in the flows themselves are found there: `unit_value_is_plausible`."""

_RETURN_CLOSE = pl.col("return_close")
_SERIES = ("instrument", "unit")
_IS_ANY = pl.col("price_date").is_not_null()
"""Instruments with a calendar are daily."""

RULES = (
    is_at_least("close", 0, "No return can be computed from 0 or less.", strict=True),
    is_at_least(
        "adjusted_close", 0, "No return can be computed from 0 or less.", strict=True
    ),
    *parts.rates_are_plausible(report),
    matches(
        "currency_is_an_iso_4217_code", "currency", parts.ISO_4217,
        "`cents` is a unit, not a currency.",
    ),
    is_not_blank("unit"),
    is_not_later_than_today("price_date"),
    parts.does_not_jump(("instrument",), _FOLLOWS_SOON & _IS_QUOTED),
    is_at_least("return_close", 0, "No return can be computed from 0 or less.", strict=True),
    parts.has_no_step_of_a_split(
        _RETURN_CLOSE / _RETURN_CLOSE.shift(1).over(_SERIES, order_by="price_date"), _IS_ANY
    ),
    parts.is_a_session(_IS_ANY),
    parts.no_session_is_missing(_SERIES, _IS_ANY),
    report(
        "the_exchange_rates_are_covered",
        "Yen, dollar, euro and renminbi are what trade is paid in.",
        "ExpectColumnDistinctValuesToContainSet",
        column="instrument", value_set=tuple(parts.RATE_BOUNDS),
    ),
)  # fmt: skip
