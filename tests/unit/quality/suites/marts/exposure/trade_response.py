"""Rows of `exposure.trade_response` that hold, and a change that breaks each rule."""

from collections.abc import Sequence
from datetime import date

from tests.unit.quality.seeded import Defects, Row

GOOD: Sequence[Row] = [
    {"clause_id": "CN-2023-39", "importer_iso3": "WLD", "supplier_iso3": "CHN",
     "commodity_code": "380110", "period_start": date(2023, 12, 1), "measure": "value_usd",
     "amount": 4.71e7, "baseline_amount": 9.3e7, "baseline_observations": 2,
     "baseline_reason": None, "shortfall_share": 0.49, "unit_value": 1.24,
     "unit_value_change_share": -0.47, "is_true_zero": False, "flow": "export"},
    {"clause_id": "CN-2023-23", "importer_iso3": "JPN", "supplier_iso3": "CHN",
     "commodity_code": "811292", "period_start": date(2023, 2, 1), "measure": "net_weight_kg",
     "amount": 0.0, "baseline_amount": None, "baseline_observations": 0,
     "baseline_reason": "before_announcement", "shortfall_share": None, "unit_value": None,
     "unit_value_change_share": None, "is_true_zero": True, "flow": "import"},
    {"clause_id": "CN-2023-39", "importer_iso3": "DEU", "supplier_iso3": "CHN",
     "commodity_code": "250410", "period_start": date(2023, 12, 1), "measure": "net_weight_kg",
     "amount": 0.0, "baseline_amount": 500.0, "baseline_observations": 1,
     "baseline_reason": None, "shortfall_share": 1.0, "unit_value": 0.0,
     "unit_value_change_share": -1.0, "is_true_zero": True, "flow": "export"},
]  # fmt: skip

DEFECTS: Defects = {
    "measure_is_value_or_weight": ({"measure": "quantity"}, 1),
    "flow_is_a_declared_one": ({"flow": "re_import"}, 1),
    "baseline_reason_is_known": ({"baseline_reason": "unknown"}, 1),
    "period_starts_on_its_first_day": ({"period_start": date(2023, 12, 31)}, 1),
    "period_start_is_not_after_the_day_of_the_build": ({"period_start": date(2027, 1, 1)}, 1),
    "amount_is_not_negative": ({"amount": -1.0}, 1),
    "baseline_amount_is_not_negative": ({"baseline_amount": -1.0}, 1),
    "unit_value_is_not_negative": ({"unit_value": -1.0}, 1),
    "unit_value_change_share_is_at_least_-1": ({"unit_value_change_share": -1.1}, 1),
    "baseline_is_of_two_months_at_most": ({"baseline_observations": 3}, 1),
    "shortfall_is_at_most_the_whole": ({"shortfall_share": 1.1}, 1),
    "a_true_zero_is_zero": ({"is_true_zero": True}, 1),
    "importer_is_not_the_supplier": ({"importer_iso3": "CHN"}, 1),
}
