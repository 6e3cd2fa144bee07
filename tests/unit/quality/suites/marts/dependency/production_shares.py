"""Rows of `dependency.production_shares` that hold, and a change that breaks each rule."""

from collections.abc import Sequence

from tests.unit.quality.seeded import PRODUCTION_IN_COMMON, Defects, Row

GOOD: Sequence[Row] = [
    {"material": "gallium", "stage": "processing", "year": 2025, "economy_iso3": "CHN",
     "amount_t": 900.0, "share": 1.0, "world_total_t": 900.0, "content_basis": "metal",
     "note": None, "reason": None},
    # A figure above a total rounded to 900 t.
    {"material": "gallium", "stage": "processing", "year": 2024, "economy_iso3": "CHN",
     "amount_t": 909.0, "share": None, "world_total_t": 900.0, "content_basis": "metal",
     "note": "Primary.", "reason": "The figure exceeds the published total, which is rounded."},
    {"material": "neodymium", "stage": "processing", "year": 2023, "economy_iso3": "CHN",
     "amount_t": None, "share": 0.849, "world_total_t": None, "content_basis": None,
     "note": None, "reason": None},
]  # fmt: skip

DEFECTS: Defects = {
    **PRODUCTION_IN_COMMON,
    # Of a total that is rounded down.
    "share_is_between_0_and_1": ({"share": 1.01}, 1),
    "content_basis_is_known": ({"content_basis": "Cr2O3"}, 1),
    "note_is_not_blank": ({"note": ""}, 1),
    "reason_is_not_blank": ({"reason": " "}, 1),
    "a_share_of_a_total_has_an_amount": ({"amount_t": None}, 1),
    "china_is_covered": ([{**GOOD[0], "economy_iso3": "C"}], 0),
}
