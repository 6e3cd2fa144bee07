"""Rows of `dependency.supplier_shares` that hold, and a change that breaks each rule."""

from collections.abc import Sequence
from datetime import date

from tests.unit.quality.seeded import SHARES_IN_COMMON, Defects, Row

GOOD: Sequence[Row] = [
    {"importer_iso3": "JPN", "mineral_group": "rare_earths", "frequency": "A",
     "period_start": date(2024, 1, 1), "measure": "net_weight_kg", "supplier_iso3": "CHN",
     "amount": 1.5975e7, "share": 0.713, "supplier_rank": 1},
    {"importer_iso3": "JPN", "mineral_group": "rare_earths", "frequency": "A",
     "period_start": date(2024, 1, 1), "measure": "value_usd", "supplier_iso3": "_X",
     "amount": 0.0, "share": 1.0 + 1e-12, "supplier_rank": None},
]  # fmt: skip

DEFECTS: Defects = {
    **SHARES_IN_COMMON,
    "japan_is_covered": (
        [{**GOOD[0], "importer_iso3": "KOR"}],
        0,
    ),
    "share_is_between_0_and_1": ({"share": 71.3}, 1),
    "amount_is_not_negative": ({"amount": -1.0}, 1),
    "supplier_rank_is_at_least_1": ({"supplier_rank": 0}, 1),
    "supplier_is_not_the_world": ({"supplier_iso3": "WLD"}, 1),
    "supplier_is_not_the_importer": ({"supplier_iso3": "JPN"}, 1),
    "the_unpublished_part_has_no_rank": ({"supplier_iso3": "_X"}, 1),
}
