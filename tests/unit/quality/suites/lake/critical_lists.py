"""Rows of `critical_lists` that hold, and a change that breaks each rule."""

from collections.abc import Sequence
from datetime import date

from tests.unit.quality.seeded import PROVENANCE, Defects, Row

LISTED: Row = {
    **PROVENANCE, "list_id": "US-USGS-2022", "material_as_printed": "Aluminum",
    "jurisdiction_iso3": "USA", "list_name": "Final List of Critical Minerals",
    "list_date": date(2022, 2, 24), "date_precision": "day", "class": "critical",
    "status": "superseded", "status_known_at": date(2025, 11, 7), "status_before": "in force",
    "slug": "aluminium", "confidence": "verified in stored page",
    "source_url": "https://example.org/list", "known_at": date(2022, 2, 24),
}  # fmt: skip

GOOD: Sequence[Row] = [
    LISTED,
    {
        **LISTED, "list_id": "EU-CRMA-II", "jurisdiction_iso3": "EU27", "date_precision": "month",
        "status_known_at": None, "status_before": None, "slug": "heavy_rare_earths",
    },
]  # fmt: skip

DEFECTS: Defects = {
    "there_is_at_least_one_row": ([], 0),
    "required_columns_are_filled": ({"status": None}, 1),
    "one_row_per_list_and_material": ([*GOOD, LISTED], 2),
    "material_as_printed_is_not_blank": ({"material_as_printed": " "}, 1),
    "jurisdiction_is_a_known_economy": ({"jurisdiction_iso3": "EU"}, 1),
    "class_is_known": ({"class": "stockpile"}, 1),
    "confidence_is_known": ({"confidence": "certain"}, 1),
    "date_precision_is_known": ({"date_precision": "week"}, 1),
    "slug_is_a_name": ({"slug": "Rare earths"}, 1),
    "a_later_status_says_what_it_was_before": ({"status_before": None}, 1),
    "known_at_is_not_in_the_future": ({"known_at": date(2052, 2, 24)}, 1),
    "source_url_is_a_web_address": ({"source_url": "example.org"}, 1),
}
