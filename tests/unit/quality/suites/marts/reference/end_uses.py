"""Rows of `reference.end_uses` that hold, and a change that breaks each rule."""

from collections.abc import Sequence

from tests.unit.quality.seeded import Defects, Row

GOOD: Sequence[Row] = [
    {"mineral": "neodymium", "sector": "Manufacture of fabricated metal products",
     "nace2_code": "C25", "use_share": 0.8, "applications": "Magnets"},
    {"mineral": "gallium", "sector": "other", "nace2_code": None, "use_share": 0.0,
     "applications": "Others"},
]  # fmt: skip

DEFECTS: Defects = {
    "use_share_is_between_0_and_1": ({"use_share": 80.0}, 1),
    "sector_is_not_blank": ({"sector": ""}, 1),
    "applications_is_not_blank": ({"applications": " "}, 1),
    "nace2_code_is_a_division": ({"nace2_code": "C25.4"}, 1),
    "the_residual_is_of_no_division": ({"sector": "other"}, 1),
    "magnets_and_semiconductors_are_covered": ({"mineral": "Neodymium"}, 0),
}
