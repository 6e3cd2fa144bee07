"""Rows of `catalog.lineage` that hold, and a change that breaks each rule."""

from collections.abc import Sequence

from tests.unit.quality.seeded import Defects, Row, without

GOOD: Sequence[Row] = [
    {"schema_name": "dependency", "table_name": "supplier_shares", "input_schema": schema,
     "input_table": table, "source": source}
    for schema, table, source in (
        ("lake", "baci_reconciled_trade", "baci"), ("seeds", "seed_measures", None),
        ("runtime", "sources", None), ("reference", "mineral_groups", None),
        ("trade", "reported_flows", None),
    )
]  # fmt: skip

DEFECTS: Defects = {
    "there_is_at_least_one_row": ([], 0),
    "every_kind_of_input_is_there": (without(GOOD, "input_schema", "seeds"), 0),
    "an_input_of_the_lake_has_its_source": ({"source": None}, 1),
    "a_table_is_not_its_own_input": (
        {"input_schema": "dependency", "input_table": "supplier_shares"}, 1
    ),
}  # fmt: skip
