"""Rows of `market.performance` that hold, and a change that breaks each rule."""

from collections.abc import Sequence
from datetime import date

from tests.unit.quality.seeded import Defects, Row

GOOD: Sequence[Row] = [
    {"instrument": "REMX", "window": "since_2025_06_30", "window_start": date(2025, 6, 30),
     "window_end": date(2026, 8, 5), "return_share": 0.818, "annualised_volatility": 0.497,
     "max_drawdown_share": -0.41, "sessions": 276},
    {"instrument": "GOLD", "window": "all", "window_start": date(1960, 1, 1),
     "window_end": date(2026, 10, 1), "return_share": 129.0, "annualised_volatility": None,
     "max_drawdown_share": 0.0, "sessions": 1},
]  # fmt: skip

DEFECTS: Defects = {
    "window_is_known": ({"window": "1Y"}, 1),
    "return_share_is_above_minus_1": ({"return_share": -1.0}, 1),
    "max_drawdown_share_is_between_minus_1_and_0": ({"max_drawdown_share": 0.41}, 1),
    "annualised_volatility_is_not_negative": ({"annualised_volatility": -0.5}, 1),
    # In per cent.
    "annualised_volatility_is_below_3": ({"annualised_volatility": 49.7}, 1),
    "sessions_is_at_least_1": ({"sessions": 0}, 1),
    "window_end_is_not_after_the_day_of_the_build": ({"window_end": date(2027, 8, 5)}, 1),
}
