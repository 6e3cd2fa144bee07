"""Rows of `element_abundance` that hold, and a change that breaks each rule."""

import math
from collections.abc import Sequence

from tests.unit.quality.seeded import PROVENANCE, Defects, Row

ESTIMATE: Row = {
    **PROVENANCE, "element": "Nd", "reservoir": "upper_crust", "abundance_ppm": 27.0,
    "two_sigma_ppm": 4.0,
}  # fmt: skip

GOOD: Sequence[Row] = [
    ESTIMATE,
    {**ESTIMATE, "reservoir": "bulk_crust", "abundance_ppm": 20.0, "two_sigma_ppm": None},
    {**ESTIMATE, "element": "W", "abundance_ppm": 1.9},
]

DEFECTS: Defects = {
    "there_is_at_least_one_row": ([], 0),
    "required_columns_are_filled": ({"reservoir": None}, 1),
    "one_row_per_estimate": ([*GOOD, ESTIMATE], 2),
    "element_is_a_symbol": ({"element": "neodymium"}, 1),
    "reservoir_is_known": ({"reservoir": "mantle"}, 1),
    "figures_are_finite_numbers": ({"two_sigma_ppm": math.nan}, 1),
    "abundance_ppm_is_above_0_and_at_most_a_million": ({"abundance_ppm": 0.0}, 1),
    "two_sigma_ppm_is_not_negative": ({"two_sigma_ppm": -4.0}, 1),
}
