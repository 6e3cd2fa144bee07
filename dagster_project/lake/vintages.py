"""Which rows of a lake table are current on a day, for frames.

The rule is declared on `LakeTable` and written once, in SQL, in the macros of dbt's project
(`vintages.sql`, `newest_of_each.sql`), from which the staging models are made. Here DuckDB runs the
same macros on frames. Neither gets rows of a replaced copy of a bundled document (`copies.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
from jinja2 import Environment, StrictUndefined, Template

from dagster_project.lake.schemas import LakeTable

DBT_AS_OF = "DBT_AS_OF"
"""The day of a build, in the environment that dbt's macros read."""

_MACROS = Path(__file__).resolve().parents[2] / "dbt" / "macros"
_POSITION = "position of the row"


class _Frame(str):
    """The name of a registered frame; as for a relation of a unit test, its slices are counted."""

    is_cte = True


def current_rows(table: LakeTable, rows: pl.DataFrame, today: date) -> pl.DataFrame:
    """The rows that are current in a build for `today`, in the order of `rows`.

    `rows` are all vintages of a table, with its columns.
    """
    query = _macros_on(today).current_rows(_Frame("vintages"), **arguments_of_current_rows(table))
    return _run_on(table, rows, query)


def not_withdrawn(
    table: LakeTable,
    rows: pl.DataFrame,
    coverage: pl.DataFrame,
    asked: Mapping[str, Iterable[str]],
    today: date,
) -> pl.DataFrame:
    """Current rows (`current_rows`) without the slices that their publisher has withdrawn.

    Only for a table that is `asked_by` a code; of another table all rows are returned. `coverage`
    are the rows of that lake table, `asked` the codes that were requested for each snapshot.
    """
    if table.asked_by is None:
        return rows
    snapshots = pl.DataFrame(
        [(snapshot_id, list(codes)) for snapshot_id, codes in asked.items()],
        schema={"snapshot_id": pl.String, "commodity_codes": pl.List(pl.String)},
        orient="row",
    )
    query = _macros_on(today).not_withdrawn(
        _Frame("vintages"),
        _Frame("coverage"),
        _Frame("snapshots"),
        **arguments_of_not_withdrawn(table),
    )
    return _run_on(table, rows, query, coverage=coverage, snapshots=snapshots)


def arguments_of_current_rows(table: LakeTable) -> dict[str, Any]:
    """The arguments of the macro `current_rows` for a table, from its declaration."""
    return {
        "slice": list(table.vintage_slice),
        "known_from": table.known_from or "none",
        "edition": table.edition,
        "subject": list(table.subject),
        "evidence": table.evidence,
    }


def arguments_of_not_withdrawn(table: LakeTable) -> dict[str, Any]:
    """The arguments of the macro `not_withdrawn` for a table that is `asked_by` a code."""
    named = ("source", "reporter_iso3", "flow", "frequency")
    return {
        "table_name": table.name,
        "columns": [name for name in named if name in table.columns],
        "period": table.period,
        "code": table.asked_by,
    }


@cache
def _template() -> Template:
    text = "\n".join(
        (_MACROS / name).read_text("utf8") for name in ("vintages.sql", "newest_of_each.sql")
    )
    return Environment(undefined=StrictUndefined, autoescape=False).from_string(text)


def _macros_on(day: date) -> Any:
    """Dbt's macros for a build of that day; they know it by the environment."""
    environment = {DBT_AS_OF: day.isoformat()}
    return _template().make_module({"env_var": lambda name, _: environment[name]})


def _run_on(
    table: LakeTable, rows: pl.DataFrame, query: str, **others: pl.DataFrame
) -> pl.DataFrame:
    """The rows that a query of `vintages` selects, in their order and with the declared types."""
    import duckdb

    with duckdb.connect() as connection:
        connection.execute("set enable_progress_bar = false")
        for name, frame in {"vintages": rows.with_row_index(_POSITION), **others}.items():
            connection.register(name, frame.to_arrow())
        selected: pl.DataFrame = connection.sql(f'({query}) order by "{_POSITION}"').pl()
    types = {name: dtype for name, dtype in table.polars_schema.items() if name in rows.columns}
    return selected.select(rows.columns).cast(types)  # type: ignore[arg-type]
