"""Rows of `dependency.risk_ranking` that hold, and a change that breaks each rule."""

from collections.abc import Sequence

from tests.unit.quality.seeded import Defects, Row

GOOD: Sequence[Row] = [
    {"material": "niobium", "year": 2024, "stage": "processing",
     "supply_used": "global_and_consumer", "reason": None, "import_hhi": 0.96,
     "production_hhi": 0.84, "top_supplier_share": 0.98, "restricted_share_low": 0.0,
     "restricted_share_high": 0.0, "single_country_share_high": 0.98, "governance_score": 5.3,
     "supply_risk": 4.3},
    {"material": "gallium", "year": 2024, "stage": "processing", "supply_used": "global",
     "reason": "code_of_several_minerals", "import_hhi": None, "production_hhi": 0.98,
     "top_supplier_share": None, "restricted_share_low": None, "restricted_share_high": None,
     "single_country_share_high": None, "governance_score": None, "supply_risk": 5.9},
]  # fmt: skip

DEFECTS: Defects = {
    "material_is_a_name": ({"material": "Rare earths"}, 1),
    "first_day_of_year_is_not_after_the_day_of_the_build": ({"year": 2052}, 1),
    "stage_is_known": ({"stage": "not_stated"}, 1),
    "supply_used_is_known": ({"supply_used": "both"}, 1),
    "reason_is_known": ({"reason": "no data"}, 1),
    "import_hhi_is_in_range": ({"import_hhi": 9600.0}, 1),
    "production_hhi_is_in_range": ({"production_hhi": 8400.0}, 1),
    "top_supplier_share_is_in_range": ({"top_supplier_share": 98.0}, 1),
    "restricted_share_low_is_in_range": ({"restricted_share_low": -0.1}, 1),
    "restricted_share_high_is_in_range": ({"restricted_share_high": 1.2}, 1),
    "single_country_share_high_is_in_range": ({"single_country_share_high": 98.0}, 1),
    "governance_score_is_in_range": ({"governance_score": 53.0}, 1),
    "supply_risk_is_in_range": ({"supply_risk": 43400.0}, 1),
}
