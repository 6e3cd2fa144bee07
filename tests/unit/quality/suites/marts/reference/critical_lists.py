"""Rows of `reference.critical_lists` that hold, and a change that breaks each rule."""

from collections.abc import Sequence
from datetime import date

from tests.unit.quality.seeded import Defects, Row

GOOD: Sequence[Row] = [
    {"class": "critical", "confidence": "verified in stored page", "date_precision": "day",
     "jurisdiction_iso3": "EU27", "slug": "heavy_rare_earths", "status": "in force",
     "list_date": date(2024, 4, 11), "known_at": date(2024, 4, 11),
     "source_url": "https://example.org/annex"},
    {"class": "watch", "confidence": "disputed", "date_precision": "month",
     "jurisdiction_iso3": "GBR", "slug": "graphite", "status": "unsettled",
     "list_date": date(2024, 11, 30), "known_at": date(2025, 1, 15),
     "source_url": "https://example.org/list"},
]  # fmt: skip

DEFECTS: Defects = {
    "class_is_known": ({"class": "stockpile"}, 1),
    "confidence_is_known": ({"confidence": "certain"}, 1),
    "date_precision_is_known": ({"date_precision": "week"}, 1),
    "jurisdiction_is_a_known_economy": ({"jurisdiction_iso3": "EU"}, 1),
    "slug_is_a_name": ({"slug": "Rare earths"}, 1),
    "status_is_not_blank": ({"status": " "}, 1),
    "known_at_is_not_after_the_day_of_the_build": ({"known_at": date(2052, 1, 1)}, 1),
    "list_is_not_known_before_its_day": ({"known_at": date(2024, 4, 10)}, 1),
    "source_url_is_a_web_address": ({"source_url": "example.org"}, 1),
}
