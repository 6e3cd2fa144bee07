"""Rows of `governance_scores` that hold, and a change that breaks each rule."""

import math
from collections.abc import Sequence

from tests.unit.quality.seeded import PROVENANCE, Defects, Row

SCORE: Row = {
    **PROVENANCE, "indicator": "rule_of_law", "economy_iso3": "PRK", "year": 2021,
    "estimate": -1.61, "standard_error": 0.2,
}  # fmt: skip

GOOD: Sequence[Row] = [
    SCORE,
    {**SCORE, "economy_iso3": "FIN", "estimate": 2.06, "standard_error": None},
    {**SCORE, "indicator": "control_of_corruption"},
]

DEFECTS: Defects = {
    "there_is_at_least_one_row": ([], 0),
    "required_columns_are_filled": ({"estimate": None}, 1),
    "one_row_per_score": ([*GOOD, {**SCORE, "estimate": -1.5}], 2),
    # A region among the countries.
    "economy_is_a_known_economy": ({"economy_iso3": "EAS"}, 1),
    "indicator_is_a_name": ({"indicator": "RL.EST"}, 1),
    "year_is_plausible": ({"year": 21}, 1),
    "figures_are_finite_numbers": ({"standard_error": math.inf}, 1),
    "estimate_is_on_the_normal_scale": ({"estimate": 97.6}, 1),
    "standard_error_is_not_negative": ({"standard_error": -1.0}, 1),
}
