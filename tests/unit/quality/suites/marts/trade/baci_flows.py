"""Rows of `trade.baci_flows` that hold, and a change that breaks each rule."""

from collections.abc import Sequence
from datetime import datetime

from tests.unit.quality.seeded import CODES, EDITION, Defects, Row

GOOD: Sequence[Row] = [
    {"importer_iso3": "JPN", "hs6_code": "850511", "hs_revision": "HS2022", "year": 2024,
     "value_usd": 1.5688e8, "net_weight_kg": 3.7e6, "vintage_at": datetime(2026, 1, 31)},
    {"importer_iso3": "_X", "hs6_code": "081340", "hs_revision": "HS1992", "year": 2026,
     "value_usd": 1.0, "net_weight_kg": None, "vintage_at": datetime(2026, 11, 25, 23)},
]  # fmt: skip

DEFECTS: Defects = {
    **CODES,
    **EDITION,
    "year_is_at_least_1988": ({"year": 24}, 1),
    "first_day_of_year_is_not_after_the_day_of_the_build": ({"year": 2027}, 1),
    "vintage_at_is_not_after_the_day_of_the_build": (
        {"vintage_at": datetime(2026, 11, 27)},
        1,
    ),
    "net_weight_kg_is_not_negative": ({"net_weight_kg": -1.0}, 1),
    # A value in dollars beside a weight that went through a thousand once too often.
    "unit_value_is_plausible": ({"net_weight_kg": 3.7}, 1),
    "japan_is_covered": ([{**GOOD[0], "importer_iso3": "KOR"}], 0),
}
