"""The description of a published table: grain, columns, sources, an example; and the nearest names.

It is read from `catalog.tables` and `catalog.columns` of the file. A file of an earlier version
without `catalog.tables` is read from the comments of its tables and views.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dagster_project.errors import KidoError, counted
from dagster_project.lake.build_file import connect
from dagster_project.serving.dictionary import NAMES_SUFFIX, grain_and_rest, has_table

if TYPE_CHECKING:
    import duckdb

CLOSE_ENOUGH = 0.6
"""Least similarity (difflib's ratio) of a name that is suggested for another."""

_LISTED = """
select
    tables.schema_name,
    tables.table_name,
    tables.is_view,
    tables.grain,
    tables.description,
    tables.rows,
    cast(tables.latest_period as varchar) as latest_period
from catalog.tables as tables
order by tables.schema_name, tables.table_name
"""

_COMMENTED = """
select schema_name, table_name, false as is_view, comment, estimated_size as rows
from duckdb_tables() where database_name = current_database() and not internal
union all
select schema_name, view_name, true, comment, null
from duckdb_views() where database_name = current_database() and not internal
order by schema_name, table_name
"""


@dataclass(frozen=True)
class TableEntry:
    """A published table or view. `grain` is what one row is of; `latest_period` is ISO text, null
    where it is not known.
    """

    schema_name: str
    table_name: str
    is_view: bool
    grain: str | None
    description: str | None
    rows: int | None
    latest_period: str | None

    @property
    def name(self) -> str:
        return f"{self.schema_name}.{self.table_name}"


@dataclass(frozen=True)
class ColumnEntry:
    column_name: str
    data_type: str
    unit: str | None
    description: str | None


@dataclass(frozen=True)
class SourceEntry:
    source: str
    title: str | None
    publisher: str | None
    licence: str | None


@dataclass(frozen=True)
class Description:
    """The description of one table; `example` is its first row, None if it is empty."""

    table: TableEntry
    columns: Sequence[ColumnEntry]
    sources: Sequence[SourceEntry]
    example: Mapping[str, Any] | None
    example_query: str


def published_tables(published_file: Path) -> list[TableEntry]:
    """The tables and views of the file, by schema and name."""
    with connect(published_file, read_only=True) as connection:
        return tables_of(connection)


def tables_of(connection: duckdb.DuckDBPyConnection) -> list[TableEntry]:
    """The tables and views of the file that is connected."""
    if has_table(connection, "catalog", "tables"):
        return [TableEntry(*row) for row in connection.execute(_LISTED).fetchall()]
    entries = []
    for schema, table, is_view, comment, rows in connection.execute(_COMMENTED).fetchall():
        if is_view:
            (rows,) = connection.execute(f'select count(*) from "{schema}"."{table}"').fetchall()[0]
        grain, more = grain_and_rest(comment or "")
        entries.append(TableEntry(schema, table, is_view, grain or None, more or None, rows, None))
    return entries


def describe(published_file: Path, name: str) -> Description:
    """The description of a table, by its full name or its name without the schema.

    Raises KidoError with the nearest name where there is no such table.
    """
    with connect(published_file, read_only=True) as connection:
        tables = {table.name: table for table in tables_of(connection)}
        table = tables[full_name(name, tables)]
        columns = _columns(connection, table)
        result = connection.execute(f"from {table.name} limit 1")
        names = [column[0] for column in result.description or ()]
        rows = result.fetchall()
        example = dict(zip(names, rows[0], strict=True)) if rows else None
        return Description(
            table, columns, _sources(connection, table, names), example,
            _example_query(table, example),
        )  # fmt: skip


def full_name(given: str, names: Iterable[str]) -> str:
    """The full name of a table that is given with its schema or without.

    Raises KidoError with the nearest name where there is none.
    """
    known = list(names)
    matches = [name for name in known if given in (name, name.partition(".")[2])]
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise KidoError(
            f"{given!r} is in several schemas.", hint=f"{' or '.join(sorted(matches))}?"
        )
    raise KidoError(
        f"No published table is called {given!r}.", hint=did_you_mean_table(given, known)
    )


def did_you_mean_table(given: str, names: Iterable[str]) -> str:
    """A hint with the nearest table, or with the command that lists them.

    The table's name is compared first: `dependency.economies` means `reference.economies`.
    """
    known = list(names)
    schema, _, table = given.rpartition(".")
    by_table: dict[str, list[str]] = {}
    for name in known:
        by_table.setdefault(name.partition(".")[2], []).append(name)
    close = difflib.get_close_matches(table.lower(), by_table, n=1, cutoff=CLOSE_ENOUGH)
    if close:
        of_that_name = by_table[close[0]]
        nearest = difflib.get_close_matches(
            f"{schema}.{close[0]}".lower(), of_that_name, n=1, cutoff=0
        )
        return f"Did you mean {nearest[0]}?"
    return did_you_mean(given.lower(), known) or "kido tables lists them."


def did_you_mean(given: str, names: Iterable[str]) -> str:
    """A hint with the nearest of the names, empty if none is near."""
    close = difflib.get_close_matches(given, list(names), n=1, cutoff=CLOSE_ENOUGH)
    return f"Did you mean {close[0]}?" if close else ""


def _columns(connection: duckdb.DuckDBPyConnection, table: TableEntry) -> list[ColumnEntry]:
    """The columns in their order, with their units and descriptions."""
    dictionary = {}
    if has_table(connection, "catalog", "columns"):
        dictionary = {
            name: (unit, text)
            for name, unit, text in connection.execute(
                "select column_name, unit, description from catalog.columns "
                "where schema_name = ? and table_name = ?",
                [table.schema_name, table.table_name],
            ).fetchall()
        }
    columns = connection.execute(
        "select column_name, data_type, comment from duckdb_columns() where schema_name = ? "
        "and table_name = ? and database_name = current_database() order by column_index",
        [table.schema_name, table.table_name],
    ).fetchall()
    return [
        ColumnEntry(name, kind.lower(), *dictionary.get(name, (None, comment)))
        for name, kind, comment in columns
    ]


def _sources(
    connection: duckdb.DuckDBPyConnection, table: TableEntry, columns: Sequence[str]
) -> list[SourceEntry]:
    """The sources of the rows, from their column `source` or from their snapshots.

    Empty for a table that has neither, such as a list of codes.
    """
    if not (
        has_table(connection, "catalog", "sources")
        and has_table(connection, "catalog", "snapshots")
    ):
        return []
    if "snapshot_ids" in columns:
        named = f"select unnest(snapshot_ids) as snapshot_id from {table.name}"
    elif "snapshot_id" in columns:
        named = f"select snapshot_id from {table.name}"
    elif "source" in columns:
        return _sources_in(
            connection, f"select unnest(string_split(source, ', ')) from {table.name}"
        )
    else:
        return []
    return _sources_in(
        connection,
        "select snapshots.source from catalog.snapshots as snapshots "
        f"where snapshots.snapshot_id in ({named})",
    )


def _sources_in(connection: duckdb.DuckDBPyConnection, named: str) -> list[SourceEntry]:
    rows = connection.execute(
        "select named.source, sources.title, sources.publisher, sources.licence "
        f"from (select distinct * from ({named}) as one (source)) as named "
        "left join catalog.sources as sources using (source) "
        "where named.source is not null order by named.source"
    ).fetchall()
    return [SourceEntry(*row) for row in rows]


def _example_query(table: TableEntry, example: Mapping[str, Any] | None) -> str:
    """A query for the rows that share the first text of the example row."""
    for column, value in (example or {}).items():
        if isinstance(value, str) and "'" not in value and '"' not in value:
            return f"from {table.name} where {column} = '{value}'"
    return f"from {table.name}"


def print_tables(tables: Sequence[TableEntry], *, with_views: bool = False) -> None:
    """Print the tables; views with names are listed only `with_views`."""
    from dagster_project.serving.terminal import Column, note, print_table

    named = {table.name for table in tables if table.table_name.endswith(NAMES_SUFFIX)}
    if not with_views:
        tables = [table for table in tables if table.name not in named]
    latest = [table.latest_period or "" for table in tables]
    print_table(
        [
            Column("table", [table.name for table in tables]),
            Column("rows", [_rows(table) for table in tables], is_number=True),
            *([Column("latest", latest)] if any(latest) else []),
            Column("one row per", [_grain(table) for table in tables]),
        ]
    )
    if named and not with_views:
        note(
            f"{counted(len(named), 'more view')} with the names of codes, TABLE{NAMES_SUFFIX}: "
            "--views lists them too."
        )


def _rows(table: TableEntry) -> str:
    return "" if table.rows is None else f"{table.rows:,}"


def _grain(table: TableEntry) -> str:
    return (table.grain or "") + (" (view)" if table.is_view else "")


def print_rows(rows: Sequence[Mapping[str, str | int]]) -> None:
    """Print rows of texts and counts, all of the same columns; one with only zeros is left out."""
    from dagster_project.serving.terminal import Column, print_table

    columns = {name: [row[name] for row in rows] for name in rows[0]} if rows else {}
    print_table(
        [
            Column(
                name,
                [f"{cell:,}" if isinstance(cell, int) else cell for cell in cells],
                is_number=isinstance(cells[0], int),
            )
            for name, cells in columns.items()
            if any(cells)
        ]
    )


def print_description(description: Description) -> None:
    """The description of a table for a terminal."""
    from dagster_project.serving.terminal import (
        Column,
        print_table,
        print_text,
        print_values,
        shown,
    )

    table = description.table
    kind = "view" if table.is_view else "table"
    rows = "" if table.rows is None else f", {counted(table.rows, 'row')}"
    latest = f", latest period {table.latest_period}" if table.latest_period else ""
    print_text(f"{table.name}: {kind}{rows}{latest}", style="bold")
    if table.grain:
        print_text(f"One row per {table.grain}.")
    if table.description:
        print_text(table.description)
    print_text("")
    units = [column.unit or "" for column in description.columns]
    print_table(
        [
            Column("column", [column.column_name for column in description.columns]),
            *([Column("unit", units)] if any(units) else []),
            Column("meaning", [column.description or "" for column in description.columns]),
            Column("type", [column.data_type for column in description.columns]),
        ]
    )
    print_text("")
    if description.sources:
        print_table(
            [
                Column("source", [source.source for source in description.sources]),
                Column("title", [source.title or "" for source in description.sources]),
                Column("publisher", [source.publisher or "" for source in description.sources]),
                Column("licence", [source.licence or "" for source in description.sources]),
            ]
        )
    else:
        print_text("Its rows name no source.")
    if description.example is not None:
        print_text("\nExample row", style="bold")
        print_values(
            list(description.example),
            [
                shown(value, is_year=name.endswith("year"))
                for name, value in description.example.items()
            ],
        )
    print_text("\nExample query", style="bold")
    print_text(f'kido query "{description.example_query}"', indent=2)
