"""Which rows of a published or built file come from sources that may not be shown or passed on."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import duckdb

from dagster_project.serving.dictionary import quoted

SEPARATOR = ", "
"""Between the sources of a row that has several in one text."""


def rows_of_sources(connection: duckdb.DuckDBPyConnection, table: str, sources: set[str]) -> str:
    """A condition in SQL: whether a row of a table is made from a snapshot of one of the sources,
    or names one of them. Empty for a table whose rows do not tell.

    A row with several sources or snapshots is of each of them.
    """
    snapshots = snapshots_of(connection, sources)
    columns = columns_of(connection, table)
    conditions = []
    if "snapshot_ids" in columns:
        conditions.append(f"list_has_any(snapshot_ids, {_list(snapshots)})")
    if "snapshot_id" in columns:
        conditions.append(f"list_contains({_list(snapshots)}, snapshot_id)")
    for column in columns:
        if column == "source" or column.endswith("_source"):
            named = f"string_split({column}, '{SEPARATOR}')"
            conditions.append(f"list_has_any({named}, {_list(sources)})")
    return " or ".join(f"coalesce({condition}, false)" for condition in conditions)


def snapshots_of(connection: duckdb.DuckDBPyConnection, sources: Collection[str]) -> list[str]:
    """The snapshots of some sources in a file."""
    rows = connection.execute(
        "select snapshot_id from catalog.snapshots where list_contains(?, source) order by all",
        [sorted(sources)],
    ).fetchall()
    return [snapshot_id for (snapshot_id,) in rows]


def columns_of(connection: duckdb.DuckDBPyConnection, table: str) -> list[str]:
    """The columns of a table or view."""
    return [name for name, *_ in connection.execute(f"describe {table}").fetchall()]


def _list(texts: Iterable[str]) -> str:
    listed = ", ".join(f"'{quoted(text)}'" for text in sorted(texts))
    return f"[{listed}]::varchar[]"
