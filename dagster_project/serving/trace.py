"""The lineage of a published row: the lake's rows it was made from, and their snapshots.

The row names its snapshots (`snapshot_ids`). Which of their rows it was made from is declared in
the mart's YAML (`meta.lake_rows`): for each lake table a condition in SQL on its row `lake` and the
row `mart`, or the name of another mart with the same condition. A condition may read the published
tables and the lake tables by their names.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import yaml

from dagster_project.errors import KidoError, counted, listed
from dagster_project.lake.build_file import connect
from dagster_project.lake.corrections import corrections
from dagster_project.lake.landing import Landing, Snapshot
from dagster_project.lake.relations import rows_of
from dagster_project.lake.schemas import LAKE_TABLES, LakeTable
from dagster_project.lake.tables import Lake
from dagster_project.lake.vintages import current_rows
from dagster_project.safe_text import printable
from dagster_project.serving.dictionary import NAMES_SUFFIX
from dagster_project.serving.tables import did_you_mean, full_name
from dagster_project.settings import DBT_PROJECT
from dagster_project.sources.registry import all_sources

ROWS_SHOWN = 25
VALUES_NAMED = 8

SNAPSHOT_IDS = "snapshot_ids"
PREVIOUS_SNAPSHOT_ID = "previous_snapshot_id"
"""In a row that compares two vintages, the snapshot of the earlier one."""

_TOTAL = "WLD"
_NAME = re.compile(r"\w+\.\w+")

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Origin:
    """A snapshot, and what a reader needs to find and cite it.

    `places` are the addresses of its bytes; empty if they are not in this home.
    """

    row: Row
    publisher: str
    licence: str
    citation: str
    url: str
    places: Sequence[str]


@dataclass(frozen=True)
class Lineage:
    """The lineage of one row of a mart.

    `rows` are the lake's rows by table, those that share most values with the row first.
    `corrections` are the rows of `catalog.corrections` that changed some of them, `origins` the
    snapshots. All are empty where the row names no snapshots.
    """

    mart: str
    row: Row
    model: Path
    rows: Mapping[str, pl.DataFrame]
    corrections: Sequence[Row]
    origins: Sequence[Origin]


def trace(
    published_file: Path,
    lake: Lake,
    landing: Landing,
    mart: str,
    filters: Sequence[str],
    today: date,
) -> Lineage:
    """The lineage of the row of a mart that meets all `filters`, each written `column=value`.

    `mart` may lack its schema (`supplier_shares`); of vintages, those of `today` are current.
    Raises KidoError where there is no such mart, column or row, or more than one row.
    """
    with connect(published_file, read_only=True) as connection:
        mart, columns = _mart_with_columns(connection, mart)
        row = _row(connection, mart, columns, filters)
        model = _file(mart, ".sql")
        own = row.get("snapshot_id")
        snapshot_ids = row.get(SNAPSHOT_IDS) or ([own] if own else [])
        origins = _origins(connection, landing, snapshot_ids)
        rows = _lake_rows(connection, lake, mart, row, snapshot_ids, today) if origins else {}
        corrected = _corrections(connection, rows, snapshot_ids) if rows else []
    return Lineage(mart, row, model, rows, corrected, origins)


def conditions(mart: str) -> Mapping[str, str]:
    """The conditions that a mart declares, by table of the lake."""
    (model,) = yaml.load(_file(mart, ".yml").read_text("utf8"), yaml.CSafeLoader)["models"]
    declared = model.get("config", {}).get("meta", {}).get("lake_rows", {})
    return {
        table: conditions(condition)[table] if _NAME.fullmatch(condition) else condition
        for table, condition in declared.items()
    }


def _file(mart: str, suffix: str) -> Path:
    schema, table = mart.removesuffix(NAMES_SUFFIX).split(".")
    return DBT_PROJECT / "models" / "marts" / schema / f"{table}{suffix}"


def _mart_with_columns(
    connection: duckdb.DuckDBPyConnection, mart: str
) -> tuple[str, Mapping[str, str]]:
    """The full name of the mart, and its columns with their types."""
    tables: dict[str, dict[str, str]] = {}
    for schema, table, column, kind in connection.execute(
        "select schema_name, table_name, column_name, data_type from duckdb_columns() "
        "where database_name = current_database() and not internal"
    ).fetchall():
        tables.setdefault(f"{schema}.{table}", {})[column] = kind
    name = full_name(mart, tables)
    return name, tables[name]


def _row(
    connection: duckdb.DuckDBPyConnection,
    mart: str,
    columns: Mapping[str, str],
    filters: Sequence[str],
) -> Row:
    relation = connection.table(mart)
    for pair in filters:
        column, separator, value = pair.partition("=")
        if not separator:
            raise KidoError(f"{pair!r} is not column=value.", hint="E.g. importer_iso3=JPN.")
        if column not in columns:
            raise KidoError(
                f"{mart} has no column {column!r}.",
                hint=did_you_mean(column, columns) or f"It has {listed(columns)}.",
            )
        try:
            relation = relation.filter(
                duckdb.ColumnExpression(column)
                == duckdb.ConstantExpression(_whole_date(value, columns[column])).cast(
                    columns[column]
                )
            )
            frame = relation.limit(2).pl()
        except duckdb.Error:
            raise KidoError(
                f"{value!r} is no {columns[column].lower()}, as {mart} has in {column!r}."
            ) from None
        if frame.is_empty():
            raise KidoError(
                f"No row of {mart} has {' and '.join(filters[: filters.index(pair) + 1])}."
            )
    rows = relation.limit(2).pl()
    if rows.is_empty():
        raise KidoError(f"{mart} has no rows.")
    if rows.height > 1:
        raise _ambiguous(relation, mart, columns, filters)
    row: Row = rows.row(0, named=True)
    return row


def _whole_date(value: str, kind: str) -> str:
    """A year or a month as its first day, where the column has days."""
    return value + "-01" * ((len("2024-01-01") - len(value)) // 3) if kind == "DATE" else value


def _ambiguous(
    relation: duckdb.DuckDBPyRelation, mart: str, columns: Mapping[str, str], filters: Sequence[str]
) -> KidoError:
    """The error for several rows, with the values of the first column in which they differ."""
    count = len(relation)
    for column in columns:
        values = relation.project(f'"{column}"').distinct().order(f'"{column}"').fetchall()
        if len(values) > 1:
            named = [str(value) for (value,) in values[:VALUES_NAMED]]
            more = f" and {len(values) - len(named)} more" if len(values) > len(named) else ""
            return KidoError(
                f"{counted(count, 'row')} of {mart} have {' and '.join(filters) or 'been found'}.",
                hint=f"Say which {column}: {', '.join(named)}{more}.",
            )
    return KidoError(f"{counted(count, 'row')} of {mart} are alike.")


def _lake_rows(
    connection: duckdb.DuckDBPyConnection,
    lake: Lake,
    mart: str,
    row: Row,
    snapshot_ids: Sequence[str],
    today: date,
) -> Mapping[str, pl.DataFrame]:
    declared = conditions(mart)
    read = " ".join((*declared, *declared.values()))
    for table in LAKE_TABLES.values():
        if table.name in read:
            files = lake.contents(table).files_of(snapshot_ids)
            connection.execute(f"create temp view {table.name} as {rows_of(lake, table, files)}")
    connection.register("mart", pl.DataFrame([row], strict=False).to_arrow())
    by_table = {}
    for name, condition in declared.items():
        try:
            rows = connection.sql(f"select lake.* from {name} as lake, mart where {condition}").pl()
        except duckdb.Error as error:
            raise KidoError(f"The rows of {name} that {mart} was made from: {error}") from None
        table = LAKE_TABLES[name]
        rows = table.conform(rows)
        if PREVIOUS_SNAPSHOT_ID not in row:
            rows = current_rows(table, rows, today)
        if not rows.is_empty():
            by_table[name] = _nearest_first(table, rows, row)
    return by_table


def _corrections(
    connection: duckdb.DuckDBPyConnection,
    rows: Mapping[str, pl.DataFrame],
    snapshot_ids: Sequence[str],
) -> list[Row]:
    """The corrections that changed some of these rows, so that they differ from the document."""
    applied = (
        connection.sql(
            "select * from catalog.corrections "
            "where status = 'applied' and list_contains(?, snapshot_id) order by correction_id",
            params=[list(snapshot_ids)],
        )
        .pl()
        .to_dicts()
    )
    return [
        line
        for line in applied
        if line["table_name"] in rows
        and line["correction_id"] in (register := corrections(line["source"]))
        and register[line["correction_id"]].reaches(rows[line["table_name"]])
    ]


def _nearest_first(table: LakeTable, rows: pl.DataFrame, row: Row) -> pl.DataFrame:
    """The rows that share most values with the mart's row first; a total counts as shared."""
    values = [_TOTAL, *(str(value) for value in row.values() if value is not None)]
    values += [_whole_date(value, "DATE") for value in values if re.fullmatch(r"[-\d]{4,7}", value)]
    shared = pl.sum_horizontal(
        pl.col(name).cast(pl.String).is_in(values).cast(pl.Int32)
        for name in table.columns
        if not isinstance(rows.schema[name], pl.List)
    )
    return rows.sort(shared, descending=True, maintain_order=True)


def _origins(
    connection: duckdb.DuckDBPyConnection, landing: Landing, snapshot_ids: Sequence[str]
) -> list[Origin]:
    rows = (
        connection.sql(
            "select snapshots.*, sources.publisher, sources.licence "
            "from catalog.snapshots left join catalog.sources using (source) "
            "where list_contains(?, snapshot_id) order by snapshot_id",
            params=[list(snapshot_ids)],
        )
        .pl()
        .to_dicts()
    )
    landed: dict[str, Snapshot] = {
        snapshot.snapshot_id: snapshot
        for source in {row["source"] for row in rows} & set(all_sources())
        for snapshot in landing.snapshots(source)
    }
    return [_origin(row, landed.get(row["snapshot_id"]), landing) for row in rows]


def _origin(row: dict[str, Any], snapshot: Snapshot | None, landing: Landing) -> Origin:
    publisher, licence = row.pop("publisher"), row.pop("licence")
    if snapshot is None:
        return Origin(row, publisher, licence, "", "", ())
    origin = snapshot.origin
    return Origin(
        row, origin.producer, origin.licence, origin.citation, origin.url,
        landing.addresses(snapshot),
    )  # fmt: skip


def print_lineage(lineage: Lineage, most: int = ROWS_SHOWN) -> None:
    """Print the lineage, from the row to the bytes. Snapshots are numbered.

    At most `most` rows of a lake table are printed, 0 for all.
    """
    from dagster_project.serving.terminal import print_text

    numbers = {origin.row["snapshot_id"]: f"[{n}]" for n, origin in enumerate(lineage.origins, 1)}
    print_text(lineage.mart, style="bold")
    _print_values(lineage.row)
    print_text(f"\nMade by {lineage.model.relative_to(DBT_PROJECT.parent)}")
    if not lineage.origins:
        print_text("It names no snapshots: a list, or a fact with its own source.")
    for name, rows in lineage.rows.items():
        _print_rows(name, rows, numbers, most or rows.height)
    for line in lineage.corrections:
        print_text(
            f"\nCorrected by {line['correction_id']}: "
            f"{printable(str(line['wrong_value']))} in the document is "
            f"{printable(str(line['right_value']))}, {counted(line['rows_changed'], 'row')} in all",
        )
        _print_values({"row": line["row_key"], "reason": line["reason"]})
    for origin in lineage.origins:
        row = origin.row
        snapshot_id = row["snapshot_id"]
        print_text(f"\nSnapshot {numbers[snapshot_id]} {snapshot_id}")
        _print_values(
            {
                "publisher": origin.publisher, "cited as": origin.citation,
                "licence": origin.licence, "address": origin.url, "document": row["document"],
                "request": row["request"], "retrieved": f"{row['retrieved_at']} UTC",
                "sha256": row["sha256"],
                "bytes": ", ".join(origin.places) or "not in this home: withdrawn, or of another",
            },
        )  # fmt: skip


def _print_rows(name: str, rows: pl.DataFrame, numbers: Mapping[str, str], most: int) -> None:
    """The values that all rows share, once, then a table of the others."""
    from dagster_project.serving.terminal import MOST_LINES, Column, print_table, print_text

    shown = rows.drop("source", "document", "is_provisional", "vintage_at").with_columns(
        pl.col("snapshot_id").replace(numbers).alias("snapshot")
    ).drop("snapshot_id")  # fmt: skip
    shown = shown.select(
        pl.col(column).list.join(", ") if isinstance(kind, pl.List) else pl.col(column)
        for column, kind in shown.schema.items()
    )
    is_cut = rows.height > most
    first_rows, more = (f"the first {most} of ", " (--rows 0 prints all)") if is_cut else ("", "")
    print_text(f"\nFrom lake.{name}, {first_rows}{counted(rows.height, 'row')}{more}")
    same = [column for column in shown.columns if shown[column].n_unique() == 1]
    _print_values(shown.select(same).row(0, named=True))
    differing = shown.drop(same).head(most)
    print_table(
        [
            Column(
                column.name,
                [_unrounded(value) for value in column],
                is_number=column.dtype.is_numeric(),
            )
            for column in differing
        ],
        most_lines=MOST_LINES,
    )


def _print_values(row: Row) -> None:
    from dagster_project.serving.terminal import print_values

    values = {
        name: value
        for name, value in row.items()
        if value not in (None, "") and name != SNAPSHOT_IDS
    }
    print_values(list(values), list(map(_unrounded, values.values())))


def _unrounded(value: object) -> str:
    """A value as text, not rounded, to compare it with the document."""
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)
