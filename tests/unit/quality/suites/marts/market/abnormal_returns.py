"""Rows of `market.abnormal_returns` that hold, and a change that breaks each rule."""

from collections.abc import Sequence
from datetime import date

from tests.unit.quality.seeded import MARKET_ANSWERS, Defects, Row

FIRST: Row = {
    "event_id": "CN-2026-1", "instrument": "REMX", "model": "constant_mean", "session_offset": -5,
    "session_date": date(2025, 12, 29), "abnormal_return": 0.01,
    "cumulative_abnormal_return": 0.01, "standard_error": 0.02, "ci95_low": -0.03,
    "ci95_high": 0.05, "market_instrument": None,
}  # fmt: skip

GOOD: Sequence[Row] = [
    FIRST,
    {**FIRST, "session_offset": -4, "abnormal_return": -0.02, "cumulative_abnormal_return": -0.01},
    {**FIRST, "instrument": "6762.T", "model": "market", "market_instrument": "PEERS_6762.T"},
]

DEFECTS: Defects = {
    **MARKET_ANSWERS,
    "interval_begins_below_the_estimate": ({"ci95_low": 0.02}, 1),
    "interval_ends_above_the_estimate": ({"ci95_high": 0.0}, 1),
    "session_offset_is_on_the_path": ({"session_offset": 11}, 1),
    "path_begins_with_its_first_abnormal_return": ({"abnormal_return": 0.02}, 1),
}
