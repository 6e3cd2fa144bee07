"""Rows of `exposure.industry_exposure` that hold, and a change that breaks each rule."""

from collections.abc import Sequence

from tests.unit.quality.seeded import Defects, Row

GOOD: Sequence[Row] = [
    {"mineral": "terbium", "sector": "Manufacture of electrical equipment", "tier": 1,
     "nace2_code": "C27", "use_share": 0.1, "exposed_value_low_usd": 0.0,
     "exposed_value_high_usd": 25.0, "share_of_clause_low": 0.0, "share_of_clause_high": 0.25},
    {"mineral": "all_rare_earths", "sector": "other", "tier": 2, "nace2_code": None,
     "use_share": None, "exposed_value_low_usd": 0.0, "exposed_value_high_usd": 40.0,
     "share_of_clause_low": 0.0, "share_of_clause_high": 0.4},
    {"mineral": "terbium", "sector": "all", "tier": 1, "nace2_code": None, "use_share": None,
     "exposed_value_low_usd": 50.0, "exposed_value_high_usd": 100.0, "share_of_clause_low": 0.5,
     "share_of_clause_high": 1.0},
]  # fmt: skip

DEFECTS: Defects = {
    "mineral_is_a_name": ({"mineral": "Terbium"}, 1),
    "sector_is_not_blank": ({"sector": ""}, 1),
    "tier_is_one_or_two": ({"tier": 3}, 1),
    "use_share_is_between_0_and_1": ({"use_share": 10.0}, 1),
    "exposed_value_low_usd_is_not_negative": ({"exposed_value_low_usd": -1.0}, 1),
    "exposed_value_low_is_not_above_high": ({"exposed_value_high_usd": -1.0}, 1),
    "share_of_clause_low_is_between_0_and_1": ({"share_of_clause_low": -0.5}, 1),
    "share_of_clause_high_is_between_0_and_1": ({"share_of_clause_high": 1.57}, 1),
    "share_of_clause_low_is_not_above_high": ({"share_of_clause_low": 0.3}, 1),
    "all_is_no_sector": ({"sector": "all"}, 1),
}
