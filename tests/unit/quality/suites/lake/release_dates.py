"""Rows of `release_dates` that hold, and a change that breaks each rule."""

from collections.abc import Sequence
from datetime import date, datetime

from tests.unit.quality.seeded import PROVENANCE, Defects, Row

SEPTEMBER: Row = {
    **PROVENANCE, "frequency": "M", "period_start": date(2026, 9, 1),
    "released_at": datetime(2026, 10, 29, 0, 30),
}  # fmt: skip

GOOD: Sequence[Row] = [
    SEPTEMBER,
    {**SEPTEMBER, "period_start": date(2026, 12, 1), "released_at": datetime(2027, 1, 28, 0, 30)},
]

DEFECTS: Defects = {
    "there_is_at_least_one_row": ([], 0),
    "required_columns_are_filled": ({"released_at": None}, 1),
    "one_row_per_period": ([*GOOD, SEPTEMBER], 2),
    "frequency_is_known": ({"frequency": "Q"}, 1),
    "a_period_is_released_within_two_years_of_its_begin": (
        {"released_at": datetime(2026, 8, 27, 0, 30)}, 1
    ),
}  # fmt: skip
