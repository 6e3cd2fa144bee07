"""Rows of `reference.commodities` that hold, and a change that breaks each rule."""

from collections.abc import Sequence

from tests.unit.quality.seeded import CODES, EDITION, Defects, Row, without

GOOD: Sequence[Row] = [
    {"hs6_code": code, "hs_revision": "HS2022", "description": "Magnets",
     "product_form": "magnet"} for code in ("850511", "280530", "284610", "284690", "081340")
]  # fmt: skip

DEFECTS: Defects = {
    **CODES,
    **EDITION,
    "there_is_at_least_one_row": ([], 0),
    "product_form_is_known": ({"product_form": "oxide"}, 1),
    "description_is_not_blank": ({"description": ""}, 1),
    "rare_earths_and_magnets_are_there": (
        without(GOOD, "hs6_code", "850511"),
        0,
    ),
}
