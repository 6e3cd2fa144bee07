"""Rules that `market.performance` must satisfy before a build is published."""

from __future__ import annotations

from dagster_project import words
from dagster_project.quality.mart_parts import is_at_least
from dagster_project.quality.parts import is_not_later_than_today, is_one_of
from dagster_project.quality.rules import report, stop

LARGEST_VOLATILITY = 3
"""REMX had 0.5 a year in 2025/26, exchange rates by 0.1: nothing here has come near 3."""

RULES = (
    is_one_of(
        "window_is_known", "window", words.WINDOWS,
        "A reader filters by these words and no others.",
    ),
    stop(
        "return_share_is_above_minus_1",
        "No price falls by more than 100 %; -41 is a percentage.",
        "ExpectColumnValuesToBeBetween",
        column="return_share", min_value=-1, strict_min=True,
    ),
    stop(
        "max_drawdown_share_is_between_minus_1_and_0",
        "A fall is written as a negative share of the highest close before it.",
        "ExpectColumnValuesToBeBetween",
        column="max_drawdown_share", min_value=-1, strict_min=True, max_value=0,
    ),
    is_at_least("annualised_volatility", 0, "A deviation is never negative."),
    report(
        "annualised_volatility_is_below_3",
        f"Above {LARGEST_VOLATILITY} a close is a misprint or its unit has changed; it may "
        "be true.",
        "ExpectColumnValuesToBeBetween",
        column="annualised_volatility", max_value=LARGEST_VOLATILITY,
    ),
    is_at_least("sessions", 1, "Without a close after the first there is no return."),
    is_not_later_than_today("window_end"),
)  # fmt: skip
