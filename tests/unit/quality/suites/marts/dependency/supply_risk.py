"""Rows of `dependency.supply_risk` that hold, and a change that breaks each rule."""

from collections.abc import Sequence

from tests.unit.quality.seeded import Defects, Row

GOOD: Sequence[Row] = [
    {"material": "niobium", "year": 2024, "method": "ec_2017", "stage": "processing",
     "supply_used": "global_and_consumer", "group_reason": None, "supply_risk": 4.3,
     "published_supply_risk": None, "import_reliance": 1.0, "economic_importance": 6.5,
     "hhi_global_supply": 4.4},
    {"material": "gallium", "year": 2023, "method": "ec_2017", "stage": "not_stated",
     "supply_used": None, "group_reason": "code_of_several_minerals", "supply_risk": None,
     "published_supply_risk": 3.9, "import_reliance": None, "economic_importance": 3.7,
     "hhi_global_supply": None},
]  # fmt: skip

DEFECTS: Defects = {
    "material_is_a_name": ({"material": "Rare earths"}, 1),
    "first_day_of_year_is_not_after_the_day_of_the_build": ({"year": 2052}, 1),
    "method_is_known": ({"method": "yale"}, 1),
    "stage_is_known": ({"stage": "refining"}, 1),
    "supply_used_is_known": ({"supply_used": "GS + EUS"}, 1),
    "group_reason_is_known": ({"group_reason": "none"}, 1),
    # Without dividing the sum of squares of percentages.
    "supply_risk_is_in_range": ({"supply_risk": 43400.0}, 1),
    "published_supply_risk_is_in_range": ({"published_supply_risk": 43.0}, 1),
    "import_reliance_is_in_range": ({"import_reliance": 100.0}, 1),
    "economic_importance_is_in_range": ({"economic_importance": 65.0}, 1),
    "hhi_global_supply_is_in_range": ({"hhi_global_supply": 44000.0}, 1),
}
