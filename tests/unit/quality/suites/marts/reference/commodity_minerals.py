"""Rows of `reference.commodity_minerals` that hold, and a change that breaks each rule."""

from collections.abc import Sequence

from tests.unit.quality.seeded import CODES, Defects, Row

GOOD: Sequence[Row] = [
    {"hs6_code": "284690", "code_share_low": 0.0, "code_share_high": 1.0,
     "basis": "several", "source": "HS 2022"},
]  # fmt: skip

DEFECTS: Defects = {
    **CODES,
    "there_is_at_least_one_row": ([], 0),
    "code_share_low_is_between_0_and_1": ({"code_share_low": -1.0}, 1),
    "code_share_high_is_between_0_and_1": ({"code_share_high": 100.0}, 1),
    "code_share_low_is_not_above_high": (
        {"code_share_low": 1.0, "code_share_high": 0.5},
        1,
    ),
    "basis_is_not_blank": ({"basis": ""}, 1),
    "source_is_not_blank": ({"source": " "}, 1),
}
