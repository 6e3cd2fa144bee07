"""Queries on a published or built file: its newest release, its snapshots, rows by name.

`database` is the name under which a file is attached; the default is the connected file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from dagster_project.safe_text import printable

if TYPE_CHECKING:
    import duckdb

Row = Mapping[str, Any]
Ask = Callable[..., list[Row]]
"""Runs a query with its named parameters: `ask("from t where c = $code", code="JPN")`."""


def asking(connection: duckdb.DuckDBPyConnection) -> Ask:
    """The function that runs queries on this connection and returns rows by column name.

    Texts are those for a page or a terminal: a line each.
    """

    def ask(query: str, **parameters: object) -> list[Row]:
        result = connection.execute(query, parameters)
        names = [column[0] for column in result.description or ()]
        return [dict(zip(names, map(_in_a_line, row), strict=True)) for row in result.fetchall()]

    return ask


def _in_a_line(value: Any) -> Any:
    if isinstance(value, list):
        return [_in_a_line(part) for part in value]
    return printable(value) if isinstance(value, str) else value


def select_newest_release(database: str = "") -> str:
    """The query for the last release that a file lists, which is its own."""
    return f"from {_in(database)}catalog.releases order by release_id desc limit 1"


def select_snapshots(database: str = "") -> str:
    """The query for the snapshots a file was made from: source, snapshot_id, document and more."""
    return f"from {_in(database)}catalog.snapshots"


def _in(database: str) -> str:
    return f"{database}." if database else ""
