"""Rows of `catalog.claims` that hold, and a change that breaks each rule."""

from collections.abc import Sequence
from datetime import date

from tests.unit.quality.seeded import Defects, Row

GOOD: Sequence[Row] = [
    {"statement": "More than 60 %", "claimed_by": "METI", "claimed_at": date(2025, 1, 1),
     "claimed_low": 0.6, "claimed_high": 1.0, "computed_low": 0.44, "computed_high": 0.713,
     "verdict": "depends_on_basis", "explanation": "By weight yes, by value no."},
    {"statement": "A feeling", "claimed_by": "X", "claimed_at": None,
     "claimed_low": None, "claimed_high": 1.0, "computed_low": None, "computed_high": None,
     "verdict": "not_testable", "explanation": "No figure."},
]  # fmt: skip

DEFECTS: Defects = {
    "verdict_is_known": ({"verdict": "true"}, 1),
    "statement_is_not_blank": ({"statement": ""}, 1),
    "claimed_by_is_not_blank": ({"claimed_by": ""}, 1),
    "explanation_is_not_blank": ({"explanation": ""}, 1),
    "claimed_low_is_not_above_high": ({"claimed_high": 0.5}, 1),
    "computed_low_is_not_above_high": ({"computed_low": 0.8}, 1),
    "a_verdict_rests_on_a_figure": ({"computed_low": None, "computed_high": None}, 1),
    "a_statement_that_is_judged_gives_a_bound": (
        {"claimed_low": None, "claimed_high": None},
        1,
    ),
    "claimed_at_is_not_after_the_day_of_the_build": ({"claimed_at": date(2028, 1, 1)}, 1),
}
