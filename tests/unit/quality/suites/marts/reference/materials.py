"""Rows of `reference.materials` that hold, and a change that breaks each rule."""

from collections.abc import Sequence

from tests.unit.quality.seeded import Defects, Row

GOOD: Sequence[Row] = [
    {"label": "Rare earths: Mine production", "material": "rare_earths"},
    {"label": "Natural graphite", "material": "natural_graphite"},
]  # fmt: skip

DEFECTS: Defects = {
    "label_is_not_blank": ({"label": ""}, 1),
    "material_is_a_name": ({"material": "rare earths"}, 1),
}
