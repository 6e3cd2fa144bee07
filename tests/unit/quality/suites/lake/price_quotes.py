"""Rows of `price_quotes` that hold, and a change that breaks each rule."""

import math
from collections.abc import Sequence
from datetime import date

from tests.unit.quality.seeded import PROVENANCE, Defects, Row

QUOTE: Row = {
    **PROVENANCE, "instrument": "EURJPY", "price_date": date(2026, 10, 29), "frequency": "D",
    "close": 178.0, "adjusted_close": None, "split_ratio": None,
    "currency": "JPY", "unit": "JPY per EUR",
}  # fmt: skip

SHARE: Row = {
    **QUOTE, "instrument": "REMX", "price_date": date(2026, 10, 30), "close": 100.0,
    "currency": "USD", "unit": "USD",
}  # fmt: skip
"""A share's close on a Friday."""

GOOD: Sequence[Row] = [
    QUOTE,
    {**QUOTE, "price_date": date(2026, 10, 30), "close": 179.0},
    {
        **QUOTE, "instrument": "NICKEL", "price_date": date(2026, 9, 1), "frequency": "M",
        "close": 15100.0, "adjusted_close": 15100.0, "currency": "USD", "unit": "USD per t",
    },
]  # fmt: skip

DEFECTS: Defects = {
    "there_is_at_least_one_row": ([], 0),
    "required_columns_are_filled": ({"price_date": None}, 1),
    "one_row_per_instrument_and_day": ([*GOOD, QUOTE], 2),
    "frequency_is_daily_monthly_or_annual": ({"frequency": "W"}, 1),
    "currency_is_an_iso_4217_code": ({"currency": "¥"}, 1),
    "instrument_is_in_the_list": ({"instrument": "PNEODYM"}, 1),
    "unit_is_given": ({"unit": " "}, 1),
    "monthly_price_is_dated_on_the_first": ({"frequency": "M"}, 1),
    "annual_price_is_dated_on_the_first_of_january": ({"frequency": "A"}, 1),
    "price_date_is_not_in_the_future": ({"price_date": date(2062, 10, 29)}, 1),
    "quote_has_a_close": ({"close": None}, 1),
    "figures_are_finite_numbers": ({"close": math.nan}, 1),
    "close_is_positive": ({"close": 0.0}, 1),
    "adjusted_close_is_positive": ({"adjusted_close": -1.0}, 1),
    "close_is_at_most_a_thousand_million": ({"close": 1e30}, 1),
    # Upside down: euros per yen.
    "exchange_rate_is_not_implausibly_low": ({"close": 1 / 178}, 1),
    # Yen per hundred euros.
    "exchange_rate_is_not_implausibly_high": ({"close": 17800.0}, 1),
    # 17.8 on the 29th, 179 on the 30th: it is the second that jumps.
    "close_is_between_half_and_double_the_one_before": ({"close": 17.8}, 1),
    "split_ratio_is_plausible": ({"split_ratio": 0.0}, 1),
    "no_close_has_the_step_of_a_split": (
        [SHARE, {**SHARE, "price_date": date(2026, 11, 2), "close": 66.7}],
        1,
    ),
    # A Saturday.
    "price_date_is_a_session_of_the_exchange": ({"price_date": date(2026, 10, 31)}, 1),
    # The 28th and the 30th: the 29th is missing.
    "no_session_is_missing": ({"price_date": date(2026, 10, 28)}, 1),
}
