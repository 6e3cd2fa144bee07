"""Rows of `company_facts` that hold, and a change that breaks each rule."""

from collections.abc import Sequence
from datetime import date

from tests.unit.quality.seeded import PROVENANCE, Defects, Row

FACT: Row = {
    **PROVENANCE, "company": "TDK", "home_iso3": "JPN", "clause_id": "CN-2025-18",
    "minerals": ["dysprosium"], "evidence": "disclosed", "evidence_class": "reported",
    "statement": "Procurement is difficult.", "known_at": date(2026, 2, 2),
    "source_url": "https://example.org/tdk",
}  # fmt: skip

GOOD: Sequence[Row] = [
    FACT,
    {
        **FACT, "clause_id": "CN-2026-12", "minerals": [], "evidence": "listed",
        "evidence_class": "official", "source_url": None,
    },
]  # fmt: skip

DEFECTS: Defects = {
    "required_columns_are_filled": ({"known_at": None}, 1),
    "one_row_per_company_and_clause": ([*GOOD, FACT], 2),
    "company_is_not_blank": ({"company": " "}, 1),
    "statement_is_not_blank": ({"statement": ""}, 1),
    "home_is_a_known_economy": ({"home_iso3": "JAP"}, 1),
    "minerals_are_names": ({"minerals": ["dysprosium", "Tb oxide"]}, 1),
    "evidence_is_known": ({"evidence": "rumoured"}, 1),
    "evidence_class_is_known": ({"evidence_class": "B"}, 1),
    "known_at_is_not_in_the_future": ({"known_at": date(2052, 2, 2)}, 1),
    "source_url_is_a_web_address": ({"source_url": "Reuters"}, 1),
}
