"""Rows of `catalog.releases` that hold, and a change that breaks each rule."""

from collections.abc import Sequence

from tests.unit.quality.seeded import Defects, Row

GOOD: Sequence[Row] = [
    {"release_id": "20261125T120000-abc", "contract_version": "1.0",
     "code_version": "0.1.0+83e2935", "duckdb_version": "2.0.1"},
]  # fmt: skip

DEFECTS: Defects = {
    "there_is_at_least_one_row": ([], 0),
    "one_row_per_release": ([*GOOD, *GOOD], 2),
    "contract_version_is_a_version": ({"contract_version": "latest"}, 1),
    "duckdb_version_is_a_version": ({"duckdb_version": "2"}, 1),
    "release_id_is_not_blank": ({"release_id": ""}, 1),
    "code_version_is_not_blank": ({"code_version": ""}, 1),
}
