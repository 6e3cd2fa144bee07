"""Rows of `reference.relief_assumptions` that hold, and a change that breaks each rule."""

from collections.abc import Sequence

from tests.unit.quality.seeded import Defects, Row

GOOD: Sequence[Row] = [
    {"basis": "assumed", "source": "Kido", "unit": "share", "source_url": None, "low": 0.5,
     "high": 0.9},
    {"basis": "published", "source": "JAMSTEC", "unit": "t a day",
     "source_url": "https://example.org/trial", "low": 350.0, "high": 350.0},
]  # fmt: skip

DEFECTS: Defects = {
    "there_is_at_least_one_row": ([], 0),
    "basis_is_known": ({"basis": "guess"}, 1),
    "source_is_not_blank": ({"source": ""}, 1),
    "unit_is_not_blank": ({"unit": " "}, 1),
    "source_url_is_a_web_address": ({"source_url": "jamstec"}, 1),
    "low_is_not_above_high": ({"low": 1.0}, 1),
}
