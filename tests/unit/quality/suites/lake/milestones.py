"""Rows of `milestones` that hold, and a change that breaks each rule."""

from collections.abc import Sequence
from datetime import date

from tests.unit.quality.seeded import PROVENANCE, Defects, Row

MILESTONE: Row = {
    **PROVENANCE, "milestone_id": "JP-2026-01-CHIKYU", "kind": "supply_project", "title": "Trial",
    "clauses": [],
    "economy_iso3": "JPN", "announced_date": date(2025, 12, 23), "event_date": date(2026, 2, 1),
    "ended_date": date(2026, 2, 14), "evidence_class": "reported", "known_at": date(2025, 12, 23),
}  # fmt: skip

GOOD: Sequence[Row] = [
    MILESTONE,
    {
        **MILESTONE, "milestone_id": "JP-2027-02-FULL", "event_date": None, "ended_date": None,
        "planned_date": date(2027, 2, 1), "planned_precision": "month", "source_url": "https://example.org/a",
    },
]  # fmt: skip

DEFECTS: Defects = {
    "there_is_at_least_one_row": ([], 0),
    "required_columns_are_filled": ({"known_at": None}, 1),
    "one_row_per_milestone": ([*GOOD, MILESTONE], 2),
    "economy_is_a_known_economy": ({"economy_iso3": "JP"}, 1),
    "kind_is_known": ({"kind": "project"}, 1),
    "evidence_class_is_known": ({"evidence_class": "B"}, 1),
    "milestone_has_a_date": ({"announced_date": None, "event_date": None}, 1),
    "known_at_is_not_in_the_future": ({"known_at": date(2052, 12, 23)}, 1),
    "event_date_is_not_in_the_future": ({"event_date": date(2027, 2, 1)}, 1),
    "planned_date_is_within_thirty_years_from_now": ({"planned_date": date(2207, 2, 1)}, 1),
    "review_date_is_within_thirty_years_from_now": ({"review_date": date(2207, 7, 13)}, 1),
    "milestone_does_not_end_before_it_happens": ({"ended_date": date(2025, 2, 14)}, 1),
    "source_url_is_a_web_address": ({"source_url": "nippon.com/en"}, 1),
}
