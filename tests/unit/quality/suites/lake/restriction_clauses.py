"""Rows of `restriction_clauses` that hold, and a change that breaks each rule."""

from collections.abc import Sequence
from datetime import date

from tests.unit.quality.seeded import PROVENANCE, Defects, Row

CLAUSE: Row = {
    **PROVENANCE, "measure_id": "CN-2025-57", "clause_id": "CN-2025-57", "title": "Five more",
    "implementer_iso3": "CHN", "direction": "restrict", "announced_date": date(2025, 10, 9),
    "date_precision": "day", "effective_date": date(2025, 11, 8),
    "unknown_from": date(2026, 11, 11), "unknown_known_at": date(2026, 11, 11),
    "known_at": date(2025, 10, 9), "target_iso3": "ALL", "target_class": "all",
    "target_names": [], "reach": "direct", "evidence_class": "official",
    "inferred": ["official_reference"],
    "source_url": "https://exportcontrol.mofcom.gov.cn/article/1177.html",
}  # fmt: skip

GOOD: Sequence[Row] = [
    CLAUSE,
    {
        **CLAUSE, "clause_id": "CN-2026-11", "target_iso3": "JPN", "target_class": "entity",
        "target_names": ["one"], "source_url": None, "unknown_from": None,
    },
    # A duty to report may reach back before its announcement.
    {
        **CLAUSE, "clause_id": "CN-2023-11-REEREP", "direction": "monitor",
        "announced_date": date(2023, 11, 7), "effective_date": date(2023, 10, 31), "inferred": [],
    },
]  # fmt: skip

DEFECTS: Defects = {
    "there_is_at_least_one_row": ([], 0),
    "required_columns_are_filled": ({"title": None}, 1),
    "one_row_per_clause": ([*GOOD, CLAUSE], 2),
    "implementer_is_a_known_economy": ({"implementer_iso3": "PRC"}, 1),
    "target_is_a_known_economy": ({"target_iso3": "WORLD"}, 1),
    "direction_is_known": ({"direction": "litigate"}, 1),
    "target_class_is_known": ({"target_class": "firm"}, 1),
    "target_class_all_means_every_economy": ({"target_iso3": "JPN"}, 1),
    "reach_is_known": ({"reach": "worldwide"}, 1),
    "evidence_class_is_known": ({"evidence_class": "rumour"}, 1),
    "date_precision_is_known": ({"date_precision": "quarter"}, 1),
    "inferred_names_columns_of_the_measures": ({"inferred": ["title", "announced"]}, 1),
    "announced_date_is_since_1988_and_not_far_ahead": (
        {"announced_date": date(2205, 10, 9)},
        1,
    ),
    "effective_date_is_within_five_years_from_now": ({"effective_date": date(2035, 11, 8)}, 1),
    "known_at_is_not_in_the_future": ({"known_at": date(2027, 10, 9)}, 1),
    "clause_does_not_end_before_it_is_announced": (
        {"ended_date": date(2025, 9, 10), "ended_known_at": date(2025, 10, 9)},
        1,
    ),
    "every_change_of_state_says_when_it_was_known": ({"unknown_known_at": None}, 1),
    "measure_is_not_effective_before_it_is_announced": (
        {"effective_date": date(2025, 8, 11)},
        1,
    ),
    "source_url_is_a_web_address": ({"source_url": "MOFCOM 57/2025"}, 1),
}
