"""Rows of `end_uses` that hold, and a change that breaks each rule."""

import math
from collections.abc import Sequence

from tests.unit.quality.seeded import PROVENANCE, Defects, Row

USE: Row = {
    **PROVENANCE, "label": "Neodymium", "application": "Magnets",
    "sector": "Manufacture of fabricated metal products", "nace2_code": "C25", "year": 2023,
    "use_share": 0.8, "sector_value_added_eur_m": 163_568.0,
}  # fmt: skip

GOOD: Sequence[Row] = [
    USE,
    {**USE, "application": "Glass", "nace2_code": "C23", "use_share": 0.0},
    {**USE, "label": "Indium", "application": "Others", "sector": "other", "nace2_code": None,
     "use_share": 0.1, "sector_value_added_eur_m": None},
]  # fmt: skip

DEFECTS: Defects = {
    "there_is_at_least_one_row": ([], 0),
    "required_columns_are_filled": ({"sector": None}, 1),
    "one_row_per_use": ([*GOOD, USE], 2),
    "nace2_code_is_a_division": ({"nace2_code": "C"}, 1),
    "year_is_plausible": ({"year": 163_568}, 1),
    "figures_are_finite_numbers": ({"sector_value_added_eur_m": math.nan}, 1),
    "use_share_is_between_0_and_1": ({"use_share": 80.0}, 1),
    "sector_value_added_eur_m_is_not_negative": ({"sector_value_added_eur_m": -1.0}, 1),
}
