"""Rows of `notice_decisions` that hold, and a change that breaks each rule."""

from collections.abc import Sequence
from datetime import date

from tests.unit.quality.seeded import PROVENANCE, Defects, Row

OF_A_CLAUSE: Row = {
    **PROVENANCE, "publisher": "mofcom", "notice_id": "2026-1", "published_to": None,
    "clause_id": "CN-2026-1", "reason": None, "known_at": date(2026, 1, 6),
}  # fmt: skip

GOOD: Sequence[Row] = [
    OF_A_CLAUSE,
    {
        **OF_A_CLAUSE, "notice_id": "*", "published_to": date(2025, 12, 31), "clause_id": "",
        "reason": "Read before the notices were fetched.", "known_at": date(2026, 3, 1),
    },
]  # fmt: skip

DEFECTS: Defects = {
    "required_columns_are_filled": ({"known_at": None}, 1),
    "one_row_per_notice_and_clause": ([*GOOD, OF_A_CLAUSE], 2),
    "notice_id_is_not_blank": ({"notice_id": " "}, 1),
    "a_clause_or_a_reason_is_given": ({"clause_id": ""}, 1),
    "known_at_is_not_in_the_future": ({"known_at": date(2052, 1, 6)}, 1),
}
