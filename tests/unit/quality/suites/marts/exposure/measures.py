"""Rows of `exposure.measures` that hold, and a change that breaks each rule."""

from collections.abc import Sequence
from datetime import date

from tests.unit.quality.seeded import Defects, Row

GOOD: Sequence[Row] = [
    {"title": "Seven rare earths", "implementer_iso3": "CHN", "target_iso3": "ALL",
     "target_class": "all", "target_name": "", "reach": "direct", "direction": "restrict",
     "date_precision": "day", "inferred": ["announced_date", "official_reference"],
     "announced_date": date(2025, 4, 4), "effective_date": date(2025, 4, 4),
     "known_at": date(2025, 4, 4), "evidence_class": "official",
     "source_url": "https://exportcontrol.mofcom.gov.cn/"},
    {"title": "Twenty entities", "implementer_iso3": "CHN", "target_iso3": "JPN",
     "target_class": "entity", "target_name": "one", "reach": "direct", "direction": "restrict",
     "date_precision": "month", "inferred": [],
     "announced_date": date(2026, 2, 24), "effective_date": None,
     "known_at": date(2026, 2, 24), "evidence_class": "official", "source_url": None},
    {"title": "Reports, from before the announcement", "implementer_iso3": "CHN",
     "target_iso3": "ALL", "target_class": "all", "target_name": "", "reach": "direct",
     "direction": "monitor", "date_precision": "day", "inferred": [],
     "announced_date": date(2023, 11, 7),
     "effective_date": date(2023, 10, 31), "known_at": date(2023, 11, 7),
     "evidence_class": "official", "source_url": None},
]  # fmt: skip

DEFECTS: Defects = {
    "direction_is_known": ({"direction": "ban"}, 1),
    "target_class_is_known": ({"target_class": "everyone"}, 1),
    "target_class_all_means_every_economy": ({"target_class": "economy"}, 1),
    "reach_is_known": ({"reach": "worldwide"}, 1),
    "evidence_class_is_known": ({"evidence_class": "A"}, 1),
    "date_precision_is_known": ({"date_precision": "about"}, 1),
    "inferred_names_columns_of_the_measures": ({"inferred": ["title", "names"]}, 1),
    "implementer_is_a_known_economy": ({"implementer_iso3": "EU"}, 1),
    "target_is_a_known_economy": ({"target_iso3": "all"}, 1),
    "title_is_not_blank": ({"title": ""}, 1),
    "entities_are_named": ({"target_class": "entity", "target_iso3": "JPN"}, 1),
    "known_at_is_not_after_the_day_of_the_build": ({"known_at": date(2026, 12, 1)}, 1),
    "measure_is_not_effective_before_it_is_announced": (
        {"effective_date": date(2025, 4, 3)},
        1,
    ),
    "source_url_is_a_web_address": ({"source_url": "mofcom.gov.cn"}, 1),
}
