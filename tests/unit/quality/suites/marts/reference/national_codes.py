"""Rows of `reference.national_codes` that hold, and a change that breaks each rule."""

from collections.abc import Sequence

from tests.unit.quality.seeded import Defects, Row

GOOD: Sequence[Row] = [
    {"reporter_iso3": "GBR", "national_code": "85051110", "hs6_code": "850511",
     "minerals": ["neodymium", "samarium"], "code_share_low": 0.0, "code_share_high": 1.0},
]  # fmt: skip

DEFECTS: Defects = {
    "code_is_an_hs6_code": ({"hs6_code": "85051110"}, 1),
    "code_share_low_is_between_0_and_1": ({"code_share_low": -0.1}, 1),
    "code_share_high_is_between_0_and_1": ({"code_share_high": 1.1}, 1),
    "code_share_low_is_not_above_high": ({"code_share_low": 0.9, "code_share_high": 0.1}, 1),
}
