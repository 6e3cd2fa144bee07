"""Rows of `reference.mineral_group_codes` that hold, and a change that breaks each rule."""

from collections.abc import Sequence

from tests.unit.quality.seeded import CODES, EDITION, Defects, Row

GOOD: Sequence[Row] = [
    {"mineral_group": "rare_earths", "hs6_code": code, "hs_revision": "HS2022"}
    for code in ("280530", "284610", "284690")
] + [{"mineral_group": "hs_850511", "hs6_code": "850511", "hs_revision": "HS2022"}]  # fmt: skip

DEFECTS: Defects = {
    **CODES,
    **EDITION,
    "there_is_at_least_one_row": ([], 0),
    "rare_earths_have_their_three_codes": ({"hs6_code": "280519"}, 0),
    "a_group_of_one_code_bears_its_number": ({"mineral_group": "hs_284690"}, 1),
}
