"""Rows of `reference.deposit_grades` that hold, and a change that breaks each rule."""

from collections.abc import Sequence
from datetime import date

from tests.unit.quality.seeded import Defects, Row

GOOD: Sequence[Row] = [
    {"figure": "grade_max", "qualifier": "at_least", "date_precision": "day", "amount": 6500.0,
     "published_date": date(2013, 3, 21), "source_url": "https://example.org/mud"},
    {"figure": "resource", "qualifier": None, "date_precision": "year", "amount": 16e6,
     "published_date": date(2018, 12, 31), "source_url": None},
]  # fmt: skip

DEFECTS: Defects = {
    "figure_is_known": ({"figure": "grade"}, 1),
    "qualifier_is_known": ({"qualifier": "more"}, 1),
    "date_precision_is_known": ({"date_precision": "week"}, 1),
    "amount_is_positive": ({"amount": 0.0}, 1),
    "published_date_is_not_after_the_day_of_the_build": ({"published_date": date(2052, 1, 1)}, 1),
    "source_url_is_a_web_address": ({"source_url": "example.org"}, 1),
}
