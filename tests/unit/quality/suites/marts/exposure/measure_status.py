"""Rows of `exposure.measure_status` that hold, and a change that breaks each rule."""

from collections.abc import Sequence
from datetime import date

from tests.unit.quality.seeded import Defects, Row

GOOD: Sequence[Row] = [
    {"valid_from": date(2025, 10, 9), "valid_to": date(2025, 11, 7), "status": "announced",
     "because": "57/2025"},
    {"valid_from": date(2025, 11, 7), "valid_to": None, "status": "ended",
     "because": "70/2025"},
]  # fmt: skip

DEFECTS: Defects = {
    "status_is_known": ({"status": "paused"}, 1),
    "interval_is_not_empty": ({"valid_to": date(2025, 10, 9)}, 1),
    "because_is_not_blank": ({"because": ""}, 1),
    "interval_begins_within_five_years_from_now": ({"valid_from": date(2052, 1, 1)}, 1),
    "the_last_word_is_open_or_followed": ({"status": "ended"}, 1),
}
