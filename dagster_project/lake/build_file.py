"""The two private DuckDB files of a build: one for the marts, one for their inputs.

The marts' file will be published. The inputs are the lake, as views with tables of their slices,
and the facts of the run, as tables: the dbt project does not depend on the location of the lake.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path

import duckdb
import polars as pl

from dagster_project.lake.relations import quoted, rows_of, slices_of
from dagster_project.lake.schemas import LAKE_TABLES, LakeTable
from dagster_project.lake.slices import as_frame
from dagster_project.lake.tables import Contents, Lake

STORAGE_VERSION = "v1.0.0"
"""Format of the marts' file, DuckDB's oldest stable one: every driver since 1.0 opens it."""

SPILL = "spill"
"""Folder beside a build file for what exceeds DuckDB's memory.

DuckDB removes it when it is closed; if the process was killed, it goes with the build's folder.
"""


def spill_settings(build_file: Path, memory: int) -> dict[str, str]:
    """DuckDB's settings for work on a build: at most `memory` bytes, and the folder to spill to."""
    return {
        "memory_limit": f"{memory} bytes",
        "temp_directory": str(build_file.parent / SPILL),
    }


DBT_BUILD_FILE, DBT_MEMORY_LIMIT, DBT_PARENT = "DBT_BUILD_FILE", "DBT_MEMORY_LIMIT", "DBT_PARENT"
"""Dbt's environment: the file of the marts, with the work file beside it (without it both are in
memory); bytes of memory; the process with which dbt ends."""


def dbt_environment(build_file: Path, memory: int) -> dict[str, str]:
    """The environment of a dbt that works on a build, and ends with this process."""
    return {
        DBT_BUILD_FILE: str(build_file),
        DBT_MEMORY_LIMIT: str(memory),
        DBT_PARENT: str(os.getpid()),
    }


@contextlib.contextmanager
def connect(
    path: Path, *, read_only: bool = False, memory: int | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a DuckDB file; it is closed on an error, too.

    `memory` (bytes) limits it as in `spill_settings`; without it, DuckDB uses its default.
    """
    config = spill_settings(path, memory) if memory else {}
    connection = duckdb.connect(str(path), read_only=read_only, config=config)
    try:
        # DuckDB prints it to standard output, even where that is not a terminal.
        connection.execute("set enable_progress_bar = false")
        yield connection
    finally:
        connection.close()


@contextlib.contextmanager
def connect_in_memory(
    build_file: Path, memory: int | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """An in-memory database to attach the build file and others to; limited as in `connect`."""
    config = spill_settings(build_file, memory) if memory else {}
    with duckdb.connect(config=config) as connection:
        connection.execute("set enable_progress_bar = false")
        yield connection


def read_all(path: Path, memory: int | None = None) -> int:
    """Read every block of a file; DuckDB compares each with its checksum. Returns its tables.

    Raises DuckDB's error for a damaged file.
    """
    with connect(path, read_only=True, memory=memory) as connection:
        tables = connection.execute(
            "select schema_name, table_name from duckdb_tables() order by all"
        ).fetchall()
        for schema, table in tables:
            connection.execute(f'select max(hash(rows)) from "{schema}"."{table}" as rows')
    return len(tables)


def work_file(build_file: Path) -> Path:
    """The file with the inputs of a build file's marts, beside it."""
    return build_file.with_suffix(".work.duckdb")


def prepare(
    path: Path,
    lake: Lake,
    facts: Mapping[str, pl.DataFrame],
    memory: int | None = None,
    left_out: Callable[[LakeTable], Collection[str]] = lambda table: (),
) -> dict[str, Contents]:
    """Create the build file without marts, if absent; `lake.*` and `runtime.*` in its work file.

    For every table there are its rows (`lake.<table>`, a view on its files) and its slices with the
    number of their rows (`lake.<table>_slices`), of the same moment: the slices decide which rows
    are current. They are a table, so that the planner of a join knows its size. Rows of the
    snapshots that are `left_out` of a table are in neither (`Copies.left_out`). `facts` are the
    tables of `runtime`, by name. Returns what the lake's tables were made from, by name.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    read: dict[str, Contents] = {}
    with connect_in_memory(path) as connection:
        connection.execute(
            f"attach {quoted([path])} as marts (storage_version '{STORAGE_VERSION}')"
        )
    with connect(work_file(path), memory=memory) as connection:
        connection.execute("create schema if not exists lake")
        connection.execute("create schema if not exists runtime")
        for table in LAKE_TABLES.values():
            contents = read[table.name] = lake.contents(table, left_out=left_out(table))
            rows = rows_of(lake, table, contents.files)
            connection.execute(f"create or replace view lake.{table.name} as {rows}")
            unrecorded = rows_of(lake, table, contents.files_without_slices())
            connection.register("recorded", as_frame(table, contents.slices).to_arrow())
            connection.execute(
                f"create or replace table lake.{table.name}_slices as "
                f"from recorded union all {slices_of(table, f'({unrecorded})')}"
            )
            connection.unregister("recorded")
        for name, frame in facts.items():
            connection.register("fact", frame.to_arrow())
            connection.execute(f"create or replace table runtime.{name} as from fact")
            connection.unregister("fact")
    return read
