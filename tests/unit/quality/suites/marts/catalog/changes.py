"""Rows of `catalog.changes` that hold, and a change that breaks each rule."""

from collections.abc import Sequence

from tests.unit.quality.seeded import Defects, Row

GOOD: Sequence[Row] = [
    {"release_id": "20261125T120000-abc", "kind": "period", "subject": "hmrc trade_flows M",
     "before": "2026-05", "after": "2026-06", "source": "hmrc", "position": 2,
     "sentence": "hmrc: months of trade flows through 2026-06, 2026-05 before"},
    {"release_id": "20261125T120000-abc", "kind": "status", "subject": "CN-2025-57",
     "before": "ended", "after": "unknown", "source": "catalogue", "position": 1,
     "sentence": "CN-2025-57 (Licences): of unknown state since 11 November 2026, ended before"},
]  # fmt: skip

DEFECTS: Defects = {
    "one_row_per_release_kind_and_subject": (
        {"kind": "status", "subject": "CN-2025-57"}, 2
    ),
    "kind_is_known": ({"kind": "revision"}, 1),
    "subject_is_not_blank": ({"subject": " "}, 1),
    "sentence_is_not_blank": ({"sentence": ""}, 1),
    "position_counts_from_1": ({"position": 0}, 1),
}  # fmt: skip
