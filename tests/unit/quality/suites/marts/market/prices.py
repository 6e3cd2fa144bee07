"""Rows of `market.prices` that hold, and a change that breaks each rule."""

from collections.abc import Sequence
from datetime import date

from tests.unit.quality.seeded import Defects, Row, without

GOOD: Sequence[Row] = [
    {"instrument": name, "price_date": day, "close": close, "adjusted_close": close,
     "return_close": close, "frequency": "D", "currency": "JPY", "unit": "per"}
    for name, close in (("USDJPY", 153.9), ("CNYJPY", 21.6), ("EURUSD", 1.16),
                        ("EURJPY", 178.3), ("EURCNY", 8.23))
    for day in (date(2026, 10, 29), date(2026, 10, 30))
] + [
    # Of trade: another mix of goods is no slip.
    {"instrument": "UNIT_VALUE_250490_BRA_EX_CHINA_FOB", "price_date": day, "close": close,
     "adjusted_close": close, "frequency": "M", "currency": "USD", "unit": "USD per kg"}
    for day, close in ((date(2026, 6, 1), 4.0), (date(2026, 7, 1), 12.0))
] + [
    # Of the same days as the dollar's rate of the ECB, and of a day that one has not.
    {**dict.fromkeys(("close", "adjusted_close", "return_close"), close), "instrument": "DEXJPUS",
     "price_date": day, "frequency": "D", "currency": "JPY", "unit": "JPY per USD"}
    for day, close in ((date(2026, 10, 29), 149.4), (date(2026, 10, 30), 158.4),
                       (date(2026, 11, 2), 120.0))
] + [
    # An average of the year is of no session, and no close before that of the next day.
    {"instrument": "REMX", "price_date": date(2026, 1, 1), "close": 1.0, "return_close": 1.0,
     "frequency": "A", "currency": "USD", "unit": "USD"}
]  # fmt: skip

SHARE = {**GOOD[0], "instrument": "REMX", "unit": "USD"}
"""A share's close on a Thursday."""

DEFECTS: Defects = {
    "close_is_positive": ({"close": 0.0}, 1),
    "adjusted_close_is_positive": ({"adjusted_close": -1.0}, 1),
    "exchange_rate_is_not_implausibly_low": ({"close": 1 / 153.9}, 1),
    "exchange_rate_is_not_implausibly_high": ({"close": 15390.0}, 1),
    "currency_is_an_iso_4217_code": ({"currency": "JPY/USD"}, 1),
    "unit_is_not_blank": ({"unit": ""}, 1),
    "frequency_is_known": ({"frequency": "W"}, 1),
    "price_date_is_not_after_the_day_of_the_build": ({"price_date": date(2026, 12, 24)}, 1),
    "close_is_between_half_and_double_the_one_before": ({"close": 60.0}, 1),
    "return_close_is_positive": ({"return_close": 0.0}, 1),
    "no_close_has_the_step_of_a_split": (
        [SHARE, {**SHARE, "price_date": date(2026, 10, 30), "return_close": 153.9 / 5}],
        1,
    ),
    # A Saturday.
    "price_date_is_a_session_of_the_exchange": ({"price_date": date(2026, 10, 31)}, 1),
    # The 28th and the 30th: the 29th is missing.
    "no_session_is_missing": ({"price_date": date(2026, 10, 28)}, 1),
    # 158.6 / 153.9 is 1.031.
    "dollar_of_the_federal_reserve_is_near_that_of_the_ecb": (
        [GOOD[0], {**GOOD[0], "instrument": "DEXJPUS", "close": 158.6}],
        1,
    ),
    "the_exchange_rates_are_covered": (without(GOOD, "instrument", "USDJPY"), 0),
}
