"""Rows of `exposure.relief_scenarios` that hold, and a change that breaks each rule."""

from collections.abc import Sequence

from tests.unit.quality.seeded import Defects, Row

GOOD: Sequence[Row] = [
    {"scenario": "trial", "material": "rare_earth_oxides", "year": 2027, "tonnes_low": 126.0,
     "tonnes_high": 453.6, "consumption_t": 18835.0, "consumption_basis": "cited",
     "consumption_share_low": 0.0067, "consumption_share_high": 0.0241,
     "assumptions": "days_per_year = 300", "reason": None},
    {"scenario": "as_announced", "material": "magnets", "year": 2030, "tonnes_low": 0.0,
     "tonnes_high": 1000.0, "consumption_t": None, "consumption_basis": None,
     "consumption_share_low": None, "consumption_share_high": None,
     "assumptions": "ramp_years = 4", "reason": "buyer_not_known"},
]  # fmt: skip

DEFECTS: Defects = {
    "scenario_is_known": ({"scenario": "dream"}, 1),
    "material_is_known": ({"material": "oxides"}, 1),
    "consumption_basis_is_known": ({"consumption_basis": "guess"}, 1),
    "reason_is_known": ({"reason": "unknown"}, 1),
    "year_is_of_this_age": ({"year": 20270}, 1),
    "tonnes_low_is_in_range": ({"tonnes_low": -1.0}, 1),
    "tonnes_high_is_in_range": ({"tonnes_high": 2e6}, 1),
    "tonnes_low_is_not_above_high": ({"tonnes_low": 500.0}, 1),
    "consumption_share_low_is_in_range": ({"consumption_share_low": -0.1}, 1),
    "consumption_share_high_is_in_range": ({"consumption_share_high": 2.41}, 1),
    "consumption_is_positive": ({"consumption_t": 0.0}, 1),
    "assumptions_is_not_blank": ({"assumptions": " "}, 1),
}
