"""Rows of `exposure.milestones` that hold, and a change that breaks each rule."""

from collections.abc import Sequence
from datetime import date

from tests.unit.quality.seeded import Defects, Row

GOOD: Sequence[Row] = [
    {"kind": "supply_project", "title": "Trial", "economy_iso3": "JPN",
     "event_date": date(2026, 1, 12), "planned_precision": "month", "evidence_class": "reported",
     "known_at": date(2025, 12, 23), "source_url": "https://www.jamstec.go.jp/"},
]  # fmt: skip

DEFECTS: Defects = {
    "kind_is_known": ({"kind": "news"}, 1),
    "evidence_class_is_known": ({"evidence_class": "C"}, 1),
    "planned_precision_is_known": ({"planned_precision": "week"}, 1),
    "economy_is_a_known_economy": ({"economy_iso3": "JAP"}, 1),
    "title_is_not_blank": ({"title": "  "}, 1),
    "event_date_is_not_after_the_day_of_the_build": ({"event_date": date(2027, 2, 1)}, 1),
    "known_at_is_not_after_the_day_of_the_build": ({"known_at": date(2027, 2, 1)}, 1),
    "source_url_is_a_web_address": ({"source_url": "jamstec"}, 1),
}
