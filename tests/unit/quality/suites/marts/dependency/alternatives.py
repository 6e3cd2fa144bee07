"""Rows of `dependency.alternatives` that hold, and a change that breaks each rule."""

from collections.abc import Sequence

from tests.unit.quality.seeded import CODES, Defects, Row

GOOD: Sequence[Row] = [
    {"hs6_code": "250410", "year": 2024, "supplier_rank": 2, "share_of_importer": 0.036,
     "share_of_world": 0.11, "exports_usd": 59_783_226.0, "exports_kg": 83_584_066.0,
     "production_t": 80_000.0, "production_stage": "extraction", "production_year": 2025,
     "production_reason": None, "governance_score": 6.5, "restricted_share_low": 0.0,
     "restricted_share_high": 0.0, "hub_share_high": 0.667, "hub_reason": None},
    {"hs6_code": "850511", "year": 2024, "supplier_rank": 3, "share_of_importer": 0.324,
     "share_of_world": 0.057, "exports_usd": 285_261_034.0, "exports_kg": None,
     "production_t": None, "production_stage": None, "production_year": None,
     "production_reason": "no_material_of_code", "governance_score": None,
     "restricted_share_low": 0.0, "restricted_share_high": 1.0, "hub_share_high": None,
     "hub_reason": "is_top_supplier"},
]  # fmt: skip

DEFECTS: Defects = {
    **CODES,
    "first_day_of_year_is_not_after_the_day_of_the_build": ({"year": 2052}, 1),
    "first_day_of_production_year_is_not_after_the_day_of_the_build": (
        {"production_year": 2052}, 1,
    ),
    "supplier_rank_is_in_range": ({"supplier_rank": 0}, 1),
    "share_of_importer_is_in_range": ({"share_of_importer": 3.6}, 1),
    "share_of_world_is_in_range": ({"share_of_world": 11.0}, 1),
    "exports_usd_is_in_range": ({"exports_usd": -1.0}, 1),
    "exports_kg_is_in_range": ({"exports_kg": -1.0}, 1),
    "production_t_is_in_range": ({"production_t": -1.0}, 1),
    "production_stage_is_known": ({"production_stage": "refining"}, 1),
    "production_reason_is_known": ({"production_reason": "unknown"}, 1),
    "governance_score_is_in_range": ({"governance_score": 65.0}, 1),
    "restricted_share_low_is_in_range": ({"restricted_share_low": -0.1}, 1),
    "restricted_share_high_is_in_range": ({"restricted_share_high": 1.2}, 1),
    "hub_share_high_is_in_range": ({"hub_share_high": 66.7}, 1),
    "hub_reason_is_known": ({"hub_reason": "unknown"}, 1),
}  # fmt: skip
