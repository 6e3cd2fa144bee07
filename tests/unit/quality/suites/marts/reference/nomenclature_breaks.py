"""Rows of `reference.nomenclature_breaks` that hold, and a change that breaks each rule."""

from collections.abc import Sequence

from tests.unit.quality.seeded import CODES, Defects, Row

GOOD: Sequence[Row] = [
    {"hs6_code": "811292", "hs_revision_before": "HS2002", "hs_revision_after": "HS2007",
     "reason": "Germanium came in", "source": "HS 2007"},
]  # fmt: skip

DEFECTS: Defects = {
    **CODES,
    "there_is_at_least_one_row": ([], 0),
    "edition_is_named_as_in_the_flows": ({"hs_revision_after": "2007"}, 1),
    "reason_is_not_blank": ({"reason": ""}, 1),
    "source_is_not_blank": ({"source": " "}, 1),
}
