"""Rows of `dependency.scenario_results` that hold, and a change that breaks each rule."""

from collections.abc import Sequence

from tests.unit.quality.seeded import Defects, Row

GOOD: Sequence[Row] = [
    {"metric": "supplier_share_CHN", "measure": "net_weight_kg", "year": 2027,
     "baseline_value": 0.713, "scenario_value": 0.0, "value_at_high_supply": 0.0,
     "assumptions": "cut CHN 1 2027-01"},
    {"metric": "hhi", "measure": "value_usd", "year": 2027, "baseline_value": 1.0,
     "scenario_value": None, "value_at_high_supply": None, "assumptions": "cut CHN 1 2027-01"},
    {"metric": "uncovered_t", "measure": "net_weight_kg", "year": 2028, "baseline_value": 0.0,
     "scenario_value": 15981.5, "value_at_high_supply": 15981.5,
     "assumptions": "cut CHN 1 2027-01"},
]  # fmt: skip

DEFECTS: Defects = {
    "metric_is_known": ({"metric": "share of China"}, 1),
    "measure_is_known": ({"measure": "usd"}, 1),
    "year_is_of_this_age": ({"year": 20270}, 1),
    "a_share_lies_between_0_and_1": ({"baseline_value": 71.3}, 1),
    "no_amount_is_negative": ({"value_at_high_supply": -0.5}, 1),
    "assumptions_is_not_blank": ({"assumptions": ""}, 1),
}
