"""The preview of a table for the UI: its latest period, and a few relevant rows.

Reads existing tables; computes no figure of its own.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

import duckdb
import polars as pl

from dagster_project.lake.schemas import LakeTable
from dagster_project.lake.tables import Lake
from dagster_project.orchestration.private_rows import select_shown
from dagster_project.serving.dictionary import period_column

SUBJECT_COLUMNS = (
    "importer_iso3", "reporter_iso3", "economy_iso3", "target_iso3", "instrument", "mineral_group",
)  # fmt: skip
"""Columns with the subject of a row."""

SHOWN_FIRST = ("JPN", "ALL", "REMX", "rare_earths")
"""Values that come first in a preview."""

ROWS = 8
LONGEST_CELL = 80


def lake_reach(
    lake: Lake, table: LakeTable, source: str, left_out: Collection[str] = frozenset()
) -> tuple[str, str]:
    """Days of the last vintage and of the latest period of a source's table in the lake.

    The snapshots `left_out` are ignored. Empty texts if there are no rows, or the table has no
    period; that of facts is the day they became known.
    """
    is_dated_by_facts = table.known_from not in (None, "vintage_at")
    period = table.period or (table.known_from if is_dated_by_facts else None)
    rows = lake.rows(table, source, left_out)
    if period is None or rows is None:
        return "", ""
    last, latest = (
        rows.select(pl.col("vintage_at").max().dt.date(), pl.col(period).max().alias("period"))
        .collect()
        .row(0)
    )
    return str(last or ""), str(latest or "")


def lake_preview(
    lake: Lake, table: LakeTable, source: str, left_out: Collection[str] = frozenset()
) -> list[Mapping[str, Any]]:
    """A few rows of a source's table, the latest first, without empty columns.

    The snapshots `left_out` are ignored.
    """
    rows = lake.rows(table, source, left_out)
    if rows is None:
        return []
    period = period_column(list(table.columns))
    rows = rows.drop("source", "document", "snapshot_id")
    if period:
        rows = rows.top_k(ROWS, by=period)
    return _legible(rows.head(ROWS).collect())


def mart_preview(
    connection: duckdb.DuckDBPyConnection, schema: str, table: str, today: date
) -> tuple[int, str, list[Mapping[str, Any]]]:
    """Number of rows, latest period (empty text where there is none), and a few relevant rows.

    Periods after `today`, the day of the build, are not the latest one and come last. Rows on
    Japan, on rare earths and on all economies come first, then the latest. Rows of private sources
    are counted, and not shown.
    """
    name = f'"{schema}"."{table}"'
    columns = [row[0] for row in connection.execute(f"describe {name}").fetchall()]
    period = period_column(columns)
    # Years are numbers; instants are compared by their day.
    is_after_today = (
        f"coalesce({period} > {today.year}, false)"
        if period == "year"
        else f"coalesce(cast({period} as date) > date '{today}', false)"
    )
    latest_period = f"max({period}) filter (not {is_after_today})" if period else "null"
    ((count, latest),) = connection.execute(
        f"select count(*), {latest_period} from {name}"
    ).fetchall()
    firsts = ", ".join(f"'{first}'" for first in SHOWN_FIRST)
    order = [is_after_today] if period else []
    order += [f"{column} not in ({firsts})" for column in SUBJECT_COLUMNS if column in columns]
    order += [f"{period} desc nulls last"] if period else []
    order += ["share desc nulls last"] if "share" in columns else []
    sample = connection.sql(
        f"{select_shown(connection, name)} "
        f"{'order by ' + ', '.join(order) if order else ''} limit {ROWS}"
    ).pl()
    return int(count), "" if latest is None else str(latest), _legible(sample)


def _legible(frame: pl.DataFrame) -> list[Mapping[str, Any]]:
    """Rows for display: no empty columns, texts cut at LONGEST_CELL, six digits."""
    filled = [name for name in frame.columns if frame[name].null_count() < frame.height]
    return [
        {name: _cell(value) for name, value in row.items()}
        for row in frame.select(filled).iter_rows(named=True)
    ]


def _cell(value: object) -> object:
    if isinstance(value, float):
        return f"{value:.6g}" if abs(value) < 1e6 else f"{value:,.0f}"
    if isinstance(value, str) and len(value) > LONGEST_CELL:
        return f"{value[:LONGEST_CELL]}…"
    return value
