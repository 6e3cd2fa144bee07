"""The lake's files as relations of DuckDB: the SQL that reads their rows.

The list of files comes from the lake (`tables.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import polars as pl

from dagster_project.lake.schemas import LakeTable
from dagster_project.lake.slices import slice_columns
from dagster_project.lake.tables import Lake, LakeFile

_DUCKDB_TYPES: Mapping[object, str] = {
    pl.String: "varchar",
    pl.Float64: "double",
    pl.Int32: "integer",
    pl.Int64: "bigint",
    pl.Boolean: "boolean",
    pl.Date: "date",
    pl.Datetime("us"): "timestamp",
    pl.List(pl.String): "varchar[]",
}


def rows_of(lake: Lake, table: LakeTable, files: Sequence[LakeFile]) -> str:
    """A query for the rows in files of a table, without those of snapshots that are not in use.

    It has the declared columns; a column that is newer than a file is null in its rows.
    """
    declared = ", ".join(
        f"cast(null as {duckdb_type(column.dtype)}) as {name}"
        for name, column in table.columns.items()
    )
    rows = f"select {declared} where false"
    for addresses, others in lake.to_read(files):
        rows += f" union all by name from read_parquet([{quoted(addresses)}], union_by_name = true)"
        if others:
            rows += f" where snapshot_id not in ({quoted(sorted(others))})"
    return f"select {', '.join(table.columns)} from ({rows})"


def slices_of(table: LakeTable, rows: str) -> str:
    """A query for the slices in the rows of a relation or query: `slices.count_slices` in SQL."""
    columns = ", ".join([*slice_columns(table), "snapshot_id"])
    return f"select {columns}, count(*) as rows from {rows} group by {columns}"


def quoted(values: Iterable[object]) -> str:
    """Values as SQL literals, separated by commas."""
    return ", ".join("'" + str(value).replace("'", "''") + "'" for value in values)


def duckdb_type(dtype: object) -> str:
    """The DuckDB type of a column of a lake table. Raises TypeError where none is known."""
    for known, name in _DUCKDB_TYPES.items():
        if dtype == known:
            return name
    raise TypeError(f"no DuckDB type is known for {dtype}")
