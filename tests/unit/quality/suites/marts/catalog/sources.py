"""Rows of `catalog.sources` that hold, and a change that breaks each rule."""

from collections.abc import Sequence
from datetime import date, datetime

from tests.unit.quality.seeded import Defects, Row, without

GOOD: Sequence[Row] = [
    {"source": name, "title": "T", "publisher": "P", "licence": "CC BY 4.0",
     "cadence": cadence, "enabled": True, "is_fetched": is_fetched, "last_vintage_at": at,
     "last_answer": "ok" if is_fetched else "not_asked",
     "is_late": name == "ecb", "days_late": 28 * (name == "ecb"),
     "expected_period": date(2026, 11, 2) if name == "ecb" else None}
    for name, cadence, is_fetched, at in (
        ("ecb", "daily", True, datetime(2026, 10, 30)),
        ("comtrade_baskets", "annual", True, datetime(2025, 7, 1)),
        ("catalogue", "edited by hand", True, datetime(2019, 1, 1)),
        ("pink_sheet", "monthly", False, datetime(2020, 1, 1)),
    )
]  # fmt: skip

DEFECTS: Defects = {
    "there_is_at_least_one_row": ([], 0),
    "the_sources_of_the_first_answer_are_there": (
        without(GOOD, "source", "ecb"),
        0,
    ),
    "cadence_is_known": ({"cadence": "weekly"}, 1),
    "title_is_not_blank": ({"title": ""}, 1),
    "publisher_is_not_blank": ({"publisher": ""}, 1),
    "licence_is_not_blank": ({"licence": ""}, 1),
    "last_answer_is_known": ({"last_answer": "404"}, 1),
    "last_vintage_at_is_not_after_the_day_of_the_build": (
        {"last_vintage_at": datetime(2026, 12, 24)},
        1,
    ),
    "a_late_source_has_an_expected_period": (
        {"is_late": True, "days_late": 3, "expected_period": None},
        1,
    ),
}
