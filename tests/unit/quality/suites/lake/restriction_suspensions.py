"""Rows of `restriction_suspensions` that hold, and a change that breaks each rule."""

from collections.abc import Sequence
from datetime import date

from tests.unit.quality.seeded import PROVENANCE, Defects, Row

SUSPENSION: Row = {
    **PROVENANCE, "clause_id": "CN-2025-57", "suspended_from": date(2025, 11, 7),
    "suspended_to": date(2026, 11, 10), "suspended_by": "CN-2025-70",
    "known_at": date(2025, 11, 7), "evidence_class": "official",
}  # fmt: skip

GOOD: Sequence[Row] = [
    SUSPENSION,
    {**SUSPENSION, "suspended_from": date(2026, 11, 11), "suspended_to": None},
    {**SUSPENSION, "clause_id": "CN-2025-58", "suspended_by": None},
]

DEFECTS: Defects = {
    "required_columns_are_filled": ({"known_at": None}, 1),
    "one_row_per_clause_and_first_day": ([*GOOD, SUSPENSION], 2),
    "suspension_ends_after_it_begins": ({"suspended_to": date(2025, 10, 11)}, 1),
    "suspension_begins_within_five_years_from_now": (
        {"suspended_from": date(2035, 11, 7), "suspended_to": None},
        1,
    ),
    "evidence_class_is_known": ({"evidence_class": "rumour"}, 1),
    "known_at_is_not_in_the_future": ({"known_at": date(2052, 11, 7)}, 1),
}
