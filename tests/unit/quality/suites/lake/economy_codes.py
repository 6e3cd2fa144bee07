"""Rows of `economy_codes` that hold, and a change that breaks each rule."""

from collections.abc import Sequence
from datetime import date

from tests.unit.quality.seeded import PROVENANCE, Defects, Row

CODE: Row = {
    **PROVENANCE, "scheme": "eurostat", "code": "CS", "valid_from": date(2003, 1, 1),
    "valid_to": date(2005, 5, 31), "economy_iso3": "SCG", "name": "Serbia and Montenegro",
}  # fmt: skip

GOOD: Sequence[Row] = [
    CODE,
    {**CODE, "code": "XS", "valid_from": date(2005, 6, 1), "valid_to": None,
     "economy_iso3": "SRB", "name": "Serbia"},
]  # fmt: skip

DEFECTS: Defects = {
    "there_is_at_least_one_row": ([], 0),
    "required_columns_are_filled": ({"valid_from": None}, 1),
    "one_row_per_code": ([*GOOD, CODE], 2),
    "economy_is_a_known_economy": ({"economy_iso3": "CS"}, 1),
    "scheme_is_known": ({"scheme": "geonom"}, 1),
    "a_code_ends_after_it_begins": ({"valid_to": date(2002, 5, 31)}, 1),
}
