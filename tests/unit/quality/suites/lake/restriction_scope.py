"""Rows of `restriction_scope` that hold, and a change that breaks each rule."""

from collections.abc import Sequence

from tests.unit.quality.seeded import PROVENANCE, Defects, Row

SCOPE: Row = {
    **PROVENANCE, "clause_id": "CN-2025-57", "hs_code": "284690", "mineral": "holmium",
    "control_share_low": 0.0, "control_share_high": 1.0, "basis": "element_split",
}  # fmt: skip

GOOD: Sequence[Row] = [
    SCOPE,
    {**SCOPE, "hs_code": "8505", "mineral": "all_rare_earths", "basis": "heading"},
]

DEFECTS: Defects = {
    "there_is_at_least_one_row": ([], 0),
    "required_columns_are_filled": ({"mineral": None}, 1),
    "one_row_per_clause_code_and_mineral": ([*GOOD, SCOPE], 2),
    "hs_code_is_an_hs6_code_or_a_heading": ({"hs_code": "2846904000"}, 1),
    "mineral_is_a_name": ({"mineral": "Ho"}, 1),
    "basis_is_known": ({"basis": "guess"}, 1),
    "control_share_low_is_between_0_and_1": ({"control_share_low": -0.1}, 1),
    "control_share_high_is_between_0_and_1": ({"control_share_high": 100.0}, 1),
    "control_share_low_is_not_above_high": (
        {"control_share_low": 1.0, "control_share_high": 0.0},
        1,
    ),
}
