"""Rows of `exposure.notices` that hold, and a change that breaks each rule."""

from collections.abc import Sequence
from datetime import date

from tests.unit.quality.seeded import Defects, Row

GOOD: Sequence[Row] = [
    {"source": "mofcom", "notice_id": "2026-1", "published_at": date(2026, 1, 6),
     "kind": "announcement", "title": "商务部公告2026年第1号", "implementer_iso3": "CHN",
     "clause_id": "CN-2026-1", "state": "known", "because": "CN-2026-1 names it",
     "decided_at": date(2026, 1, 6)},
    {"source": "screening_list", "notice_id": "a", "published_at": None, "kind": "listing",
     "title": "A Ltd", "implementer_iso3": None, "clause_id": None, "state": "to_be_read",
     "because": "it is about A; no clause names it", "decided_at": None},
]  # fmt: skip

DEFECTS: Defects = {
    "kind_is_known": ({"kind": "Rule"}, 1),
    "state_is_known": ({"state": "read", "clause_id": None}, 1),
    "source_is_known": ({"source": "reuters"}, 1),
    "implementer_is_a_known_economy": ({"implementer_iso3": "CHI"}, 1),
    "title_is_not_blank": ({"title": " "}, 1),
    "because_is_not_blank": ({"because": ""}, 1),
    "published_at_is_not_after_the_day_of_the_build": ({"published_at": date(2027, 2, 2)}, 1),
    "decided_at_is_not_after_the_day_of_the_build": ({"decided_at": date(2027, 2, 2)}, 1),
    "a_known_notice_has_its_clause_and_no_other_has": ({"clause_id": None}, 1),
}
