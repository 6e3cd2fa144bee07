"""Rows of `catalog.corrections` that hold, and a change that breaks each rule."""

from collections.abc import Sequence

from tests.unit.quality.seeded import Defects, Row

PRICE: Row = {
    "correction_id": "USGS-MCS-2023-ND-2021", "source": "usgs_mcs", "table_name": "price_quotes",
    "row_key": "edition=2023 | instrument=NEODYMIUM_OXIDE | price_date=2021-01-01",
    "action": "replace", "wrong_value": "49", "right_value": "98", "found_value": "49",
    "reason": "The figure of 2020 once more.", "citation": "MCS 2024",
    "source_url": "https://doi.org/10.5066/P144BA54", "status": "applied", "rows_changed": 1,
}  # fmt: skip

GOOD: Sequence[Row] = [
    PRICE,
    {**PRICE, "correction_id": "CN-2023-23-GALLIUM-CODE", "action": "read_as", "source_url": None},
]

DEFECTS: Defects = {
    "row_key_is_not_blank": ({"row_key": " "}, 1),
    "reason_is_not_blank": ({"reason": ""}, 1),
    "citation_is_not_blank": ({"citation": ""}, 1),
    "source_url_is_a_web_address": ({"source_url": "page 12"}, 1),
    "action_is_known": ({"action": "drop"}, 1),
    "status_is_known": ({"status": "mended"}, 1),
    "rows_changed_is_not_negative": ({"rows_changed": -1}, 1),
    "every_correction_still_matches": ({"status": "no_longer_matches", "found_value": None}, 1),
}
