"""Rows of `dependency.production_shares` that hold, and a change that breaks each rule."""

from collections.abc import Sequence

from tests.unit.quality.seeded import PRODUCTION_IN_COMMON, Defects, Row

GOOD: Sequence[Row] = [
    # China's 900 t and others' 9 t of a total rounded to 900 t.
    {"material": "gallium", "stage": "processing", "year": 2025, "economy_iso3": "CHN",
     "amount_t": 909.0, "share": 1.01, "world_total_t": 900.0},
    {"material": "gallium", "stage": "processing", "year": 2025, "economy_iso3": "KOR",
     "amount_t": None, "share": None, "world_total_t": 900.0},
    {"material": "neodymium", "stage": "processing", "year": 2023, "economy_iso3": "CHN",
     "amount_t": None, "share": 0.849, "world_total_t": None},
]  # fmt: skip

DEFECTS: Defects = {
    **PRODUCTION_IN_COMMON,
    "share_is_between_0_and_1_within_rounding": ({"share": 84.9}, 1),
    "a_share_of_a_total_has_an_amount": ({"amount_t": None}, 1),
    "china_is_covered": ([{**GOOD[0], "economy_iso3": "C"}], 0),
}
