"""Rows of `exposure.measure_scope` that hold, and a change that breaks each rule."""

from collections.abc import Sequence

from tests.unit.quality.seeded import Defects, Row

GOOD: Sequence[Row] = [
    {"hs6_code": "284690", "mineral": "all_rare_earths", "control_share_low": 0.0,
     "control_share_high": 1.0, "basis": "heading"},
]  # fmt: skip

DEFECTS: Defects = {
    "hs6_code_has_six_digits": ({"hs6_code": "8505"}, 1),
    "mineral_is_a_name": ({"mineral": "REE all"}, 1),
    "basis_is_known": ({"basis": "ten_digit"}, 1),
    "control_share_low_is_between_0_and_1": ({"control_share_low": -0.5}, 1),
    "control_share_high_is_between_0_and_1": ({"control_share_high": 1.5}, 1),
    "control_share_low_is_not_above_high": ({"control_share_low": 1.5}, 1),
}
