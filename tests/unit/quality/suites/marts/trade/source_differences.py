"""Rows of `trade.source_differences` that hold, and a change that breaks each rule."""

from collections.abc import Sequence
from datetime import date

from tests.unit.quality.seeded import Defects, Row

PAIR: Row = {
    "reporter_iso3": "JPN", "flow": "import", "commodity_code": "850511", "frequency": "M",
    "period_start": date(2026, 5, 1), "measure": "net_weight_kg", "source": "comtrade",
    "other_source": "japan_customs", "amount": 1000.0, "other_amount": 1001.0,
}  # fmt: skip

GOOD: Sequence[Row] = [PAIR, {**PAIR, "measure": "value_usd"}]

DEFECTS: Defects = {
    "bundled_months_are_those_of_the_customs": ({"source": "japan_customs"}, 1),
    "measure_is_value_or_weight": ({"measure": "pieces"}, 1),
    "amounts_are_not_negative": ({"amount": -1.0}, 1),
    "a_listed_pair_differs": ({"amount": 1001.0}, 1),
}
