"""Rules that `market.prices` must satisfy before a build is published."""

from __future__ import annotations

import polars as pl

from dagster_project import words
from dagster_project.quality import parts
from dagster_project.quality.mart_parts import is_at_least
from dagster_project.quality.parts import (
    is_not_blank,
    is_not_later_than_today,
    is_one_of,
    matches,
)
from dagster_project.quality.rules import report

LONGEST_GAP_DAYS = 100
"""A price may double or halve from the average of one year to that of the next: of the 28 yearly
series of the Mineral Commodity Summaries six did. Quotes of months that are further apart have
months missing."""

_FOLLOWS_SOON = pl.col("price_date") - pl.col("price_date").shift(1).over(
    "instrument", "frequency", order_by="price_date"
) < pl.duration(days=LONGEST_GAP_DAYS)
"""Whether the quote before is at most a month earlier: not of a year."""

_IS_QUOTED = ~pl.col("instrument").str.starts_with("UNIT_VALUE_")
"""Not a unit value of trade, which moves with the mix of goods too: of 957 that follow soon in the
bundled figures 84 are double or half of the one before, which would hide the jump of a quote. Slips
in the flows themselves are found there: `unit_value_is_plausible`."""

_RETURN_CLOSE = pl.col("return_close")
_SERIES = ("instrument", "frequency", "unit")
_IS_DAILY = pl.col("frequency") == "D"
"""An average of a month or a year is of no session."""

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
    is_one_of(
        "frequency_is_known", "frequency", words.PRICE_FREQUENCIES,
        "An average of a year is no price of a day.",
    ),
    is_not_later_than_today("price_date"),
    parts.does_not_jump(("instrument", "frequency"), _FOLLOWS_SOON & _IS_QUOTED),
    is_at_least("return_close", 0, "No return can be computed from 0 or less.", strict=True),
    parts.has_no_step_of_a_split(
        _RETURN_CLOSE / _RETURN_CLOSE.shift(1).over(_SERIES, order_by="price_date"), _IS_DAILY
    ),
    parts.is_a_session(_IS_DAILY),
    parts.no_session_is_missing(_SERIES, _IS_DAILY),
    report(
        "the_exchange_rates_are_covered",
        "Yen, dollar, euro and renminbi are what trade is paid in.",
        "ExpectColumnDistinctValuesToContainSet",
        column="instrument", value_set=tuple(parts.RATE_BOUNDS),
    ),
)  # fmt: skip
