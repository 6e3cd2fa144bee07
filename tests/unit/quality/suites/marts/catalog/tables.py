"""Rows of `catalog.tables` that hold, and a change that breaks each rule."""

from collections.abc import Sequence

from tests.unit.quality.seeded import Defects, Row, without

GOOD: Sequence[Row] = [
    {"schema_name": schema, "table_name": "prices", "is_view": False, "grain": "instrument and day",
     "description": "Closing prices.", "rows": 0}
    for schema in ("trade", "reference", "dependency", "exposure", "market", "catalog")
]  # fmt: skip

DEFECTS: Defects = {
    "there_is_at_least_one_row": ([], 0),
    "one_row_per_table": ({"schema_name": "reference"}, 2),
    "every_schema_has_tables": (without(GOOD, "schema_name", "market"), 0),
    "grain_is_not_blank": ({"grain": " "}, 1),
    "description_is_not_blank": ({"description": ""}, 1),
    "rows_are_counted": ({"rows": None}, 1),
}
