"""Rows of `catalog.quarantine` that hold, and a change that breaks each rule."""

from collections.abc import Sequence

from tests.unit.quality.seeded import Defects, Row

GOOD: Sequence[Row] = [
    {"row_number": 1, "rule": "close_is_positive", "explanation": "0 is a mark for missing.",
     "rows_of_rule": 2500},
    {"row_number": 1001, "rule": "close_is_positive, quote_has_a_close",
     "explanation": "0 is a mark for missing. A day without a price has no row.",
     "rows_of_rule": 1},
]  # fmt: skip

DEFECTS: Defects = {
    "row_number_counts_from_1": ({"row_number": 0}, 1),
    "rule_is_not_blank": ({"rule": " "}, 1),
    "explanation_is_not_blank": ({"explanation": ""}, 1),
    "rows_of_rule_is_positive": ({"rows_of_rule": 0}, 1),
}
