"""Rows of `catalog.columns` that hold, and a change that breaks each rule."""

from collections.abc import Sequence

from tests.unit.quality.seeded import Defects, Row, without

GOOD: Sequence[Row] = [
    {"schema_name": schema, "column_name": "value_usd", "data_type": "double", "unit": "USD",
     "description": "Value in US dollars."}
    for schema in ("trade", "reference", "dependency", "exposure", "market", "catalog")
] + [{"schema_name": "trade", "column_name": "flow", "data_type": "VARCHAR", "unit": None,
      "description": "Direction."}]  # fmt: skip

DEFECTS: Defects = {
    "there_is_at_least_one_row": ([], 0),
    "every_schema_is_described": (without(GOOD, "schema_name", "market"), 0),
    "description_is_not_blank": ({"description": " "}, 1),
    "data_type_is_one_of_the_contract": ({"data_type": "hugeint[]"}, 1),
    "a_figure_has_its_unit": ({"unit": None}, 1),
}
