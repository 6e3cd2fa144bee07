"""Rows of `corrections` that hold, and a change that breaks each rule."""

from collections.abc import Sequence

from tests.unit.quality.seeded import PROVENANCE, Defects, Row

PRICE: Row = {
    **PROVENANCE, "correction_id": "USGS-MCS-2023-ND-2021", "table_name": "price_quotes",
    "row_key": "edition=2023 | instrument=NEODYMIUM_OXIDE | price_date=2021-01-01",
    "action": "replace", "wrong_value": "49", "right_value": "98", "found_value": "49",
    "reason": "The figure of 2020 once more.", "citation": "MCS 2024", "source_url": None,
    "status": "applied", "rows_changed": 1,
}  # fmt: skip

GOOD: Sequence[Row] = [
    PRICE,
    {**PRICE, "correction_id": "USGS-MCS-2022-ND-2021", "found_value": None,
     "status": "no_longer_matches", "rows_changed": 0},
]  # fmt: skip

DEFECTS: Defects = {
    "there_is_at_least_one_row": ([], 0),
    "required_columns_are_filled": ({"reason": None}, 1),
    "one_row_per_correction": ([*GOOD, PRICE], 2),
    "table_is_one_that_sources_fill": ({"table_name": "coverage"}, 1),
    "action_is_known": ({"action": "drop"}, 1),
    "status_is_known": ({"status": "mended"}, 1),
    "rows_changed_is_not_negative": ({"rows_changed": -1}, 1),
}
