"""Rows of `exposure.industry_exposure` that hold, and a change that breaks each rule."""

from collections.abc import Sequence

from tests.unit.quality.seeded import Defects, Row

GOOD: Sequence[Row] = [
    {"mineral": "terbium", "sector": "Manufacture of electrical equipment", "tier": 1,
     "use_share": 0.1, "exposed_value_low_usd": 0.0, "exposed_value_high_usd": 25.0},
    {"mineral": "all_rare_earths", "sector": "other", "tier": 2, "use_share": None,
     "exposed_value_low_usd": 0.0, "exposed_value_high_usd": 40.0},
]  # fmt: skip

DEFECTS: Defects = {
    "mineral_is_a_name": ({"mineral": "Terbium"}, 1),
    "sector_is_not_blank": ({"sector": ""}, 1),
    "tier_is_one_or_two": ({"tier": 3}, 1),
    "use_share_is_between_0_and_1": ({"use_share": 10.0}, 1),
    "exposed_value_low_usd_is_not_negative": ({"exposed_value_low_usd": -1.0}, 1),
    "exposed_value_low_is_not_above_high": ({"exposed_value_high_usd": -1.0}, 1),
}
