"""Rows of `trade.national_lines` that hold, and a change that breaks each rule."""

from collections.abc import Sequence
from datetime import date, datetime

from tests.unit.quality.seeded import Defects, Row

LINE: Row = {
    "reporter_iso3": "JPN", "flow": "import", "national_code": "280530010", "hs6_code": "280530",
    "period_start": date(2026, 9, 1), "value_local": 98_000_000.0, "currency": "JPY",
    "usd_per_unit": 0.0065, "value_usd": 637_000.0, "reason": None, "net_weight_kg": 12_000.0,
    "vintage_at": datetime(2026, 10, 29),
}  # fmt: skip

GOOD: Sequence[Row] = [
    LINE,
    {**LINE, "usd_per_unit": None, "value_usd": None, "reason": "rates_incomplete"},
]

DEFECTS: Defects = {
    "flow_is_import_export_or_their_returns": ({"flow": "2"}, 1),
    "conversion_reason_is_known": ({"value_usd": None, "reason": "no rate"}, 1),
    "a_value_is_in_dollars_or_says_why_not": ({"value_usd": None}, 1),
    # Thousand yen that were taken for yen.
    "value_usd_is_the_value_at_the_rate": ({"value_local": 98_000.0}, 1),
    "value_usd_is_not_negative": ({"value_usd": -637_000.0, "value_local": -98_000_000.0}, 1),
    "net_weight_kg_is_not_negative": ({"net_weight_kg": -1.0}, 1),
    "code_is_an_hs6_code": ({"hs6_code": "280530010"}, 1),
    "period_start_is_not_after_the_day_of_the_build": ({"period_start": date(2027, 1, 1)}, 1),
    "vintage_at_is_not_after_the_day_of_the_build": ({"vintage_at": datetime(2026, 11, 27)}, 1),
    "unit_value_is_plausible": ({"net_weight_kg": 0.000012}, 1),
}
