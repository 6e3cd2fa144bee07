"""Rows of `reference.code_concordance` that hold, and a change that breaks each rule."""

from collections.abc import Sequence

from tests.unit.quality.seeded import CODES, EDITION, Defects, Row

GOOD: Sequence[Row] = [
    {"hs6_code": "811231", "hs_revision": "HS2022", "target_hs6_code": "811292",
     "target_hs_revision": "HS2017", "weight": 1.0, "basis": "merged"},
    {"hs6_code": "811292", "hs_revision": "HS2017", "target_hs6_code": "811231",
     "target_hs_revision": "HS2022", "weight": None, "basis": "split"},
    {"hs6_code": "283692", "hs_revision": "HS2012", "target_hs6_code": "283692",
     "target_hs_revision": "HS2017", "weight": None, "basis": "not_known"},
]  # fmt: skip

DEFECTS: Defects = {
    **CODES,
    **EDITION,
    "there_is_at_least_one_row": ([], 0),
    "target_hs6_code_has_six_digits": ({"target_hs6_code": "81292"}, 1),
    "target_hs_revision_is_a_known_edition": ({"target_hs_revision": "H6"}, 1),
    "basis_is_a_known_word": ({"basis": "renamed"}, 1),
    "weight_is_a_part_of_the_code": ({"weight": 1.01}, 1),
}
