"""The private DuckDB file dbt builds in: the lake as views, and the facts of the run as tables.

Prepared here so that the dbt project never knows where the lake lies.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import duckdb
import polars as pl

from dagster_project.lake.schemas import LAKE_TABLES, LakeTable
from dagster_project.lake.tables import Lake

SPILL = "spill"
"""Folder beside a build file, for what DuckDB cannot hold; it goes when DuckDB is closed, and with
the build's folder where it was killed."""


def spilling(build_file: Path, memory: int) -> dict[str, str]:
    """DuckDB's settings for work on a build: `memory` in bytes, and where it spills beyond."""
    return {
        "memory_limit": f"{memory} bytes",
        "temp_directory": str(build_file.parent / SPILL),
    }


@contextlib.contextmanager
def connect(
    path: Path, *, read_only: bool = False, memory: int | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a DuckDB file; always closed again, whatever happens.

    With `memory` (bytes) it is held as `spilling` says; without, DuckDB takes what it wants.
    """
    config = spilling(path, memory) if memory else {}
    connection = duckdb.connect(str(path), read_only=read_only, config=config)
    try:
        # It would be drawn on standard output, also where that is no terminal.
        connection.execute("set enable_progress_bar = false")
        yield connection
    finally:
        connection.close()


@contextlib.contextmanager
def beside(build_file: Path, memory: int | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to which files are attached, the build file among them; held like `connect`."""
    config = spilling(build_file, memory) if memory else {}
    with duckdb.connect(config=config) as connection:
        connection.execute("set enable_progress_bar = false")
        yield connection


def prepare(
    path: Path, lake: Lake, facts: Mapping[str, pl.DataFrame], memory: int | None = None
) -> None:
    """Create (or renew) `lake.*` and `runtime.*` in the build file.

    A lake on this machine is read in place through views; a lake elsewhere is copied into tables,
    since DuckDB's own reader does not know every fsspec address.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with connect(path, memory=memory) as connection:
        if not lake.store.is_local:
            connection.register_filesystem(lake.store.filesystem)
        connection.execute("create schema if not exists lake")
        connection.execute("create schema if not exists runtime")
        for table in LAKE_TABLES.values():
            connection.execute(_lake_relation(table, lake.files(table), lake.store.is_local))
        for name, frame in facts.items():
            connection.register("fact", frame.to_arrow())
            connection.execute(f"create or replace table runtime.{name} as from fact")
            connection.unregister("fact")


def _lake_relation(table: LakeTable, files: list[str], in_place: bool) -> str:
    """A relation with the declared columns: null where a file was written before a column was."""
    kind = "view" if in_place else "table"
    declared = ", ".join(
        f"cast(null as {_duckdb_type(column.dtype)}) as {name}"
        for name, column in table.columns.items()
    )
    rows = f"select {declared} where false"
    if files:
        listed = ", ".join("'" + file.replace("'", "''") + "'" for file in files)
        rows += f" union all by name from read_parquet([{listed}], union_by_name = true)"
    columns = ", ".join(table.columns)
    return f"create or replace {kind} lake.{table.name} as select {columns} from ({rows})"


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


def _duckdb_type(dtype: object) -> str:
    for known, name in _DUCKDB_TYPES.items():
        if dtype == known:
            return name
    raise TypeError(f"no DuckDB type is known for {dtype}")
