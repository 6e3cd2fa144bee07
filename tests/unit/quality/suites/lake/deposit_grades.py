"""Rows of `deposit_grades` that hold, and a change that breaks each rule."""

from collections.abc import Sequence
from datetime import date

from tests.unit.quality.seeded import PROVENANCE, Defects, Row

GRADE: Row = {
    **PROVENANCE, "deposit": "MINAMITORISHIMA", "part": "all of it", "figure": "grade_max",
    "mineral": "all_rare_earths", "amount": 6500.0, "qualifier": "at_least",
    "known_at": date(2013, 3, 21), "known_precision": "day",
}  # fmt: skip

GOOD: Sequence[Row] = [
    GRADE,
    {
        **GRADE, "figure": "resource", "amount": 16e6, "qualifier": None,
        "source_url": "https://example.org/a",
    },
]  # fmt: skip

DEFECTS: Defects = {
    "there_is_at_least_one_row": ([], 0),
    "required_columns_are_filled": ({"part": None}, 1),
    "one_row_per_figure_of_a_deposit": ([*GOOD, GRADE], 2),
    "figure_is_known": ({"figure": "grade"}, 1),
    "qualifier_is_known": ({"qualifier": "more"}, 1),
    "amount_is_positive": ({"amount": 0.0}, 1),
    "grade_is_below_a_tenth": ({"amount": 650_000.0}, 1),
    "known_at_is_not_in_the_future": ({"known_at": date(2052, 3, 19)}, 1),
    "source_url_is_a_web_address": ({"source_url": "jamstec.go.jp"}, 1),
}
