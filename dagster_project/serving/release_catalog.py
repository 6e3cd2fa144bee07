"""The tables of the catalog that describe a release: its checks, its tables, what is new in it, and
all releases.

They are written while a build is published, when the results of all checks are known. Their columns
are described in dbt's project, as sources, since dbt does not build them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from dagster_project.lake.build_file import connect
from dagster_project.lake.schemas import INSTANT
from dagster_project.serving.dictionary import Table, comment_on, latest_period_of
from dagster_project.serving.publication import Release
from dagster_project.serving.release_changes import CHANGES

CHECKS, RELEASES, TABLES = "catalog.checks", "catalog.releases", "catalog.tables"
RELEASE_TABLES = (CHANGES, CHECKS, RELEASES, TABLES)

_RELEASE: Mapping[str, Any] = {
    "release_id": pl.String, "published_at": INSTANT, "as_of": pl.Date,
    "contract_version": pl.String, "code_version": pl.String, "duckdb_version": pl.String,
    "built_on": pl.Date, "scope": pl.String, "accepted_at": INSTANT, "accepted_losses": pl.String,
}  # fmt: skip
_TABLE: Mapping[str, Any] = {
    "schema_name": pl.String, "table_name": pl.String, "is_view": pl.Boolean, "grain": pl.String,
    "description": pl.String, "rows": pl.Int64, "latest_period": pl.Date,
}  # fmt: skip


def catalog_frames(
    build_file: Path,
    tables: Sequence[Table],
    releases: Sequence[Release],
    checks: pl.DataFrame,
    changes: pl.DataFrame,
    *,
    rows_of_checks: int,
    memory: int | None = None,
) -> dict[str, pl.DataFrame]:
    """The rows of these tables, by name, for a build whose marts and views are made.

    `tables` are all published tables and views, `releases` all published ones with this one last,
    `changes` what is new in them. `rows_of_checks` is the number of rows that `catalog.checks` will
    have: the results of these tables are still missing. DuckDB uses at most `memory` bytes.
    """
    of_releases = pl.DataFrame([release.model_dump() for release in releases], schema=_RELEASE)
    rows_and_period: dict[str, tuple[int, date | None]] = {
        CHANGES: (changes.height, None),
        CHECKS: (rows_of_checks, None),
        RELEASES: (len(releases), max(release.published_at for release in releases).date()),
        TABLES: (len(tables), None),
    }
    with connect(build_file, read_only=True, memory=memory) as connection:
        for table in tables:
            if table.full_name not in rows_and_period and not table.statement:
                rows_and_period[table.full_name] = _rows_and_period(connection, table)
    of_tables = pl.DataFrame(
        [
            (
                table.schema, table.name, table.is_view, table.grain, table.description,
                *rows_and_period[table.name_of_rows],
            )
            for table in tables
        ],
        schema=_TABLE,
        orient="row",
    )  # fmt: skip
    return {CHANGES: changes, CHECKS: checks, RELEASES: of_releases, TABLES: of_tables}


def _rows_and_period(
    connection: duckdb.DuckDBPyConnection, table: Table
) -> tuple[int, date | None]:
    """The number of rows of a table of the file, and its latest period."""
    query = f"select count(*), {latest_period_of(table)} from {table.full_name}"
    rows, latest = connection.execute(query).fetchall()[0]
    return rows, latest


def write_catalog(
    build_file: Path,
    tables: Collection[Table],
    frames: Mapping[str, pl.DataFrame],
    memory: int | None = None,
) -> None:
    """Write these tables into a build file, with the types and comments of their description."""
    described = {table.full_name: table for table in tables}
    with connect(build_file, memory=memory) as connection:
        connection.execute("begin")
        for name, rows in frames.items():
            table = described[name]
            columns = ", ".join(
                f"{column.name} {column.data_type}{' not null' if column.is_required else ''}"
                for column in table.columns
            )
            connection.execute(f"create schema if not exists {table.schema}")
            connection.execute(f"create or replace table {name} ({columns})")
            connection.register("rows_of_table", rows.to_arrow())
            connection.execute(f"insert into {name} by name from rows_of_table order by all")
            connection.unregister("rows_of_table")
            comment_on(connection, table)
        connection.execute("commit")
