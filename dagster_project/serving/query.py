"""Queries on the published file: read-only, and without access to other files."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import duckdb

from dagster_project.errors import KidoError
from dagster_project.lake.build_file import connect

if TYPE_CHECKING:
    import polars as pl
    from rich.table import Table

ROWS_SHOWN = 200


def run_query(
    published_file: Path,
    sql: str,
    how: Literal["table", "csv", "json", "parquet"],
) -> None:
    """Print the rows of a query to standard output. Raises KidoError when DuckDB rejects it."""
    with connect(published_file, read_only=True) as connection:
        # The query may read the published file and nothing else on this machine.
        connection.execute("set enable_external_access = false")
        try:
            if len(connection.extract_statements(sql)) > 1:
                raise KidoError("One query at a time, please.")
            relation = connection.sql(sql)
            frame = None if relation is None else relation.pl()
        except duckdb.Error as error:
            raise KidoError(f"The query cannot be run: {str(error).strip()}") from None
    if frame is None:
        return
    if how == "csv":
        sys.stdout.write(frame.write_csv())
    elif how == "json":
        sys.stdout.write(frame.write_json() + "\n")
    elif how == "parquet":
        if sys.stdout.isatty():
            raise KidoError(
                "Parquet is not for a terminal.", hint="Send it to a file: > rows.parquet"
            )
        frame.write_parquet(sys.stdout.buffer)
    else:
        _print_table(frame)


def rows_as_table(frame: pl.DataFrame) -> Table:
    """The rows for a terminal: numbers to the right, missing values empty."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for name, dtype in frame.schema.items():
        table.add_column(name, justify="right" if dtype.is_numeric() else "left", overflow="fold")
    for row in frame.iter_rows():
        table.add_row(*("" if value is None else str(value) for value in row))
    return table


def _print_table(frame: pl.DataFrame) -> None:
    from rich.console import Console

    console = Console()
    console.print(rows_as_table(frame.head(ROWS_SHOWN)))
    if frame.height > ROWS_SHOWN:
        console.print(f"… and {frame.height - ROWS_SHOWN:,} more rows; --format csv prints all")
