"""Rows of `reference.mass_conversions` that hold, and a change that breaks each rule."""

from collections.abc import Sequence

from tests.unit.quality.seeded import CODES, Defects, Row

GOOD: Sequence[Row] = [
    {"hs6_code": "283691", "mineral": "lithium", "oxide_factor": 0.4044, "metal_factor": 0.1879,
     "source": "Li2CO3"},
    {"hs6_code": "810411", "mineral": "magnesium", "oxide_factor": None, "metal_factor": 1.0,
     "source": "the text of the code"},
]  # fmt: skip

DEFECTS: Defects = {
    **CODES,
    "there_is_at_least_one_row": ([], 0),
    "oxide_factor_is_between_0_and_2": ({"oxide_factor": 2.473}, 1),
    # Lithium carbonate per ton of lithium.
    "metal_factor_is_between_0_and_1": ({"metal_factor": 5.323}, 1),
    "source_is_not_blank": ({"source": ""}, 1),
}
