"""Rows of `material_labels` that hold, and a change that breaks each rule."""

from collections.abc import Sequence

from tests.unit.quality.seeded import PROVENANCE, Defects, Row

LABEL: Row = {
    **PROVENANCE, "label": "Natural graphite", "material": "natural_graphite",
    "mineral": "graphite", "mineral_group": "natural_graphite", "stage": None,
    "content_basis": None, "left_out": None,
}  # fmt: skip

GOOD: Sequence[Row] = [
    LABEL,
    {**LABEL, "label": "Peat: Reserves", "material": "peat", "mineral": None,
     "mineral_group": None, "left_out": "No mineral followed here."},
    {**LABEL, "label": "Rare Earths: Mine production", "material": "rare_earths", "mineral": None,
     "mineral_group": "rare_earths", "stage": "extraction", "content_basis": "oxide"},
]  # fmt: skip

DEFECTS: Defects = {
    "there_is_at_least_one_row": ([], 0),
    "required_columns_are_filled": ({"material": None}, 1),
    "one_row_per_label": ([*GOOD, LABEL], 2),
    "material_is_a_name": ({"material": "Natural graphite"}, 1),
    "mineral_is_a_name": ({"mineral": "C"}, 1),
    "mineral_group_is_known": ({"mineral_group": "graphite"}, 1),
    "stage_is_known": ({"stage": "mine"}, 1),
    "content_basis_is_known": ({"content_basis": "rare-earth oxide"}, 1),
    "reason_is_in_words": ({"left_out": " "}, 1),
}
