"""Rows of `dependency.strategic_products` that hold, and a change that breaks each rule."""

from collections.abc import Sequence

from tests.unit.quality.seeded import CODES, Defects, Row

GOOD: Sequence[Row] = [
    {"hs6_code": "810411", "year": 2024, "cdi1": 0.96, "cdi2": None, "cdi3": 98.1,
     "reason": "production_not_known", "years_flagged_of_last_5": 1},
    {"hs6_code": "850511", "year": 2024, "cdi1": 0.26, "cdi2": 0.7, "cdi3": 1.3, "reason": None,
     "years_flagged_of_last_5": 0},
]  # fmt: skip

DEFECTS: Defects = {
    **CODES,
    "first_day_of_year_is_not_after_the_day_of_the_build": ({"year": 2052}, 1),
    "cdi1_is_in_range": ({"cdi1": 9606.0}, 1),
    "cdi2_is_in_range": ({"cdi2": 70.0}, 1),
    "cdi3_is_in_range": ({"cdi3": -1.0}, 1),
    "reason_is_known": ({"reason": "no production"}, 1),
    "years_flagged_of_last_5_is_in_range": ({"years_flagged_of_last_5": 6}, 1),
}
