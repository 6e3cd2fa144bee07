"""Rows of `exposure.measure_timeline` that hold, and a change that breaks each rule."""

from collections.abc import Sequence

from tests.unit.quality.seeded import Defects, Row

GOOD: Sequence[Row] = [
    {"title": "Seven rare earths", "implementer_iso3": "CHN", "target_iso3": "ALL",
     "target_class": "all", "target_name": "", "direction": "restrict", "status": "in_force",
     "because": "18/2025"},
    {"title": "Twenty entities", "implementer_iso3": "CHN", "target_iso3": "JPN",
     "target_class": "entity", "target_name": "one", "direction": "restrict",
     "status": "announced", "because": "11/2026"},
]  # fmt: skip

DEFECTS: Defects = {
    "status_is_known": ({"status": "paused"}, 1),
    "direction_is_known": ({"direction": "ban"}, 1),
    "target_class_all_means_every_economy": ({"target_class": "economy"}, 1),
    "implementer_is_a_known_economy": ({"implementer_iso3": "EU"}, 1),
    "target_is_a_known_economy": ({"target_iso3": "all"}, 1),
    "title_is_not_blank": ({"title": ""}, 1),
    "because_is_not_blank": ({"because": " "}, 1),
}
