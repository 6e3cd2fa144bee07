"""Rows of `exposure.company_exposure` that hold, and a change that breaks each rule."""

from collections.abc import Sequence
from datetime import date

from tests.unit.quality.seeded import Defects, Row

GOOD: Sequence[Row] = [
    {"company": "TDK", "home_iso3": "JPN", "evidence": "disclosed", "evidence_class": "reported",
     "statement": "Procurement is difficult.", "known_at": date(2026, 2, 2),
     "source_url": "https://example.org/tdk"},
    {"company": "SUBARU", "home_iso3": "JPN", "evidence": "listed", "evidence_class": "official",
     "statement": "Named in 12/2026.", "known_at": date(2026, 2, 24), "source_url": None},
]  # fmt: skip

DEFECTS: Defects = {
    "company_is_not_blank": ({"company": ""}, 1),
    "statement_is_not_blank": ({"statement": " "}, 1),
    "home_is_a_known_economy": ({"home_iso3": "JAP"}, 1),
    "evidence_is_known": ({"evidence": "rumoured"}, 1),
    "evidence_class_is_known": ({"evidence_class": "B"}, 1),
    "every_company_has_a_name": ({"company": "unnamed"}, 1),
    "known_at_is_not_after_the_day_of_the_build": ({"known_at": date(2027, 2, 2)}, 1),
    "source_url_is_a_web_address": ({"source_url": "Reuters"}, 1),
}
