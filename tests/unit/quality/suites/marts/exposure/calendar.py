"""Rows of `exposure.calendar` that hold, and a change that breaks each rule."""

from collections.abc import Sequence
from datetime import date

from tests.unit.quality.seeded import Defects, Row

GOOD: Sequence[Row] = [
    {"kind": "suspension_ends", "title": "Five more rare earths", "implementer_iso3": "CHN",
     "target_iso3": "ALL", "status_before": "suspended", "status_after": "unknown",
     "date_precision": "day", "known_at": date(2025, 11, 7), "because": "nobody knows",
     "source_url": "https://www.mofcom.gov.cn/"},
    {"kind": "planned", "title": "A trial", "implementer_iso3": "JPN", "target_iso3": None,
     "status_before": None, "status_after": None, "date_precision": "month",
     "known_at": date(2026, 2, 2), "because": "as planned", "source_url": None},
]  # fmt: skip

DEFECTS: Defects = {
    "kind_is_known": ({"kind": "announcement", "status_after": None}, 1),
    "status_before_is_known": ({"status_before": "paused"}, 1),
    "status_after_is_known": ({"status_after": "paused"}, 1),
    "only_changes_of_clauses_have_statuses": ({"status_after": None}, 1),
    "date_precision_is_known": ({"date_precision": "week"}, 1),
    "implementer_is_a_known_economy": ({"implementer_iso3": "EU"}, 1),
    "target_is_a_known_economy": ({"target_iso3": "all"}, 1),
    "title_is_not_blank": ({"title": ""}, 1),
    "because_is_not_blank": ({"because": " "}, 1),
    "known_at_is_not_after_the_day_of_the_build": ({"known_at": date(2052, 2, 1)}, 1),
    "source_url_is_a_web_address": ({"source_url": "mofcom"}, 1),
}
