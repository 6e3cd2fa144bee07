"""Rows of `trade.revisions` that hold, and a change that breaks each rule."""

from collections.abc import Sequence
from datetime import date, datetime

from tests.unit.quality.seeded import Defects, Row

CHANGE: Row = {
    "source": "comtrade", "series_key": "trade_flows/A/JPN/CHN/import/850511/HS2022",
    "table_name": "trade_flows", "frequency": "A", "period_start": date(2024, 1, 1),
    "measure": "value_usd", "previous_vintage_at": datetime(2025, 7, 1),
    "vintage_at": datetime(2026, 2, 1), "previous_value": 157519221.538, "value": 157519222.0,
    "kind": "precision",
}  # fmt: skip

GOOD: Sequence[Row] = [
    CHANGE,
    {**CHANGE, "measure": "net_weight_kg", "previous_value": None, "kind": "revision"},
    {**CHANGE, "table_name": "price_quotes", "frequency": "D", "measure": "close",
     "previous_value": 160.0, "value": 160.4, "kind": "revision"},
]  # fmt: skip

DEFECTS: Defects = {
    "table_is_known": ({"table_name": "production"}, 1),
    "frequency_is_known": ({"frequency": "Q"}, 1),
    "measure_is_known": ({"measure": "quantity"}, 1),
    "kind_is_revision_or_precision": ({"kind": "correction"}, 1),
    "a_listed_figure_changed": (
        [{**CHANGE, "value": 157519221.538}, {**CHANGE, "previous_value": None, "value": None}],
        2,
    ),
    "two_vintages_are_compared": ({"previous_vintage_at": datetime(2026, 2, 1)}, 1),
    "a_difference_of_digits_is_at_most_half_a_unit": ({"value": 157519220.0}, 1),
    "vintage_at_is_not_after_the_day_of_the_build": ({"vintage_at": datetime(2027, 1, 1)}, 1),
}
