"""Rows of `reference.mineral_abundance` that hold, and a change that breaks each rule."""

from collections.abc import Sequence

from tests.unit.quality.seeded import Defects, Row

GOOD: Sequence[Row] = [
    {"mineral": mineral, "element": element, "crust_ppm_low": 1.0, "crust_ppm_high": 2.0}
    for mineral, element in (
        ("copper", "Cu"), ("dysprosium", "Dy"), ("neodymium", "Nd"), ("tin", "Sn"),
    )
]  # fmt: skip

DEFECTS: Defects = {
    "element_is_a_symbol": ({"element": "copper"}, 1),
    "crust_ppm_low_is_positive": ({"crust_ppm_low": 0.0}, 1),
    "crust_ppm_low_is_not_above_high": ({"crust_ppm_low": 3.0}, 1),
    "rare_earths_and_what_they_are_held_against_are_covered": ({"mineral": "Copper"}, 0),
}
