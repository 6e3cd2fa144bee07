"""Rows of `catalog.answers` that hold, and a change that breaks each rule."""

from collections.abc import Sequence

from tests.unit.quality.seeded import Defects, Row

GOOD: Sequence[Row] = [
    {"subject": "Rare-earth imports from China, by weight", "figure": figure, "unit": unit,
     "period": period, "detail": "of 22,406 t", "trend_from": trend_from,
     "newer_period": "2025" if period == "2024" else None}
    for figure, unit, period, trend_from in (
        (0.713, "share", "2024", "2010"),
        (1.0, "share", "2023", None),
        (0.849, "share", "2016/2020", None),
        (36.0, "t", "2024-01/2024-12", "2023-01"),
        (-0.2, "return", "2025-06-30/2026-08-05", "2024-09"),
        (2.0, "clauses", "2026-11-25", None),
        (None, "share", None, None),
    )
]  # fmt: skip

DEFECTS: Defects = {
    "subject_is_not_blank": ({"subject": " "}, 1),
    "unit_is_not_blank": ({"unit": ""}, 1),
    "detail_is_not_blank": ({"detail": ""}, 1),
    # A share in per cent.
    "a_share_lies_between_0_and_1_within_rounding": ({"figure": 71.3}, 1),
    "only_a_return_is_negative": ({"figure": -1.0, "unit": "t"}, 1),
    "period_is_a_year_a_month_a_day_or_an_interval": ({"period": "Oct 2025"}, 1),
    "newer_period_is_a_year_a_month_or_a_day": ({"newer_period": "November"}, 1),
    "trend_from_is_a_year_or_a_month": ({"trend_from": "2010-01-01"}, 1),
}
