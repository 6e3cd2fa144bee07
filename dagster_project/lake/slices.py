"""The slices of a snapshot: what slice and vintage its rows belong to, with their number.

Which rows are current is decided on these few instead of on the rows; the rule is in `vintages.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl
from pydantic import BaseModel, ConfigDict

from dagster_project.lake.schemas import INSTANT, LakeTable

ALWAYS_RECORDED = 100
"""Up to this many slices are recorded, however few rows they have."""

MOST_RECORDED = 50_000
"""More slices of one snapshot are read from its rows: their list would be too large a record."""

ROWS_PER_SLICE = 2
"""With fewer rows per slice (a price, a governance score) a list is no smaller than the rows."""

_INSTANT_FORMAT = "%Y-%m-%d %H:%M:%S%.6f"


class SliceColumn(BaseModel):
    """A column of the slices: its distinct values, and `at`, the index of each slice's value.

    Without `at` there is one value for all slices, or one per slice, in their order.
    """

    model_config = ConfigDict(frozen=True)

    values: list[Any]
    at: list[int] | None = None


class Slices(BaseModel):
    """The slices of a snapshot's rows of a table, by column, and the number of rows of each."""

    model_config = ConfigDict(frozen=True)

    columns: Mapping[str, SliceColumn]
    rows: list[int]


def slice_columns(table: LakeTable) -> list[str]:
    """The columns that distinguish the vintages of a table's slices within a snapshot."""
    return [*table.vintage_slice, *([table.edition] if table.edition else []), "vintage_at"]


def slice_schema(table: LakeTable) -> dict[str, Any]:
    """The columns of a table's slices, with their snapshot and the number of their rows."""
    columns = {name: table.columns[name].dtype for name in slice_columns(table)}
    return {**columns, "snapshot_id": pl.String, "rows": pl.Int64}


def count_slices(table: LakeTable, rows: pl.LazyFrame) -> pl.DataFrame:
    """The slices of rows of a table, with the columns of `slice_schema`; the rows are streamed."""
    columns = [*slice_columns(table), "snapshot_id"]
    counts = rows.group_by(columns).agg(pl.len().cast(pl.Int64).alias("rows"))
    return counts.select(*slice_schema(table)).collect(engine="streaming")


def _count_slices_of_snapshot(table: LakeTable, rows: pl.LazyFrame) -> pl.DataFrame:
    """The slices of one snapshot's rows: they are grouped only by the columns that vary in it.

    Of a Parquet file the statistics give these columns, without reading rows.
    """
    columns = [*slice_columns(table), "snapshot_id"]
    first = rows.select(columns).head(1).collect()
    if first.is_empty():
        return count_slices(table, rows)
    in_first = {name: pl.lit(first[name].item(), table.columns[name].dtype) for name in columns}
    other_values = pl.collect_all(
        rows.filter(pl.col(name).ne_missing(value)).select(name).head(1)
        for name, value in in_first.items()
    )
    varying = [name for name, other in zip(columns, other_values, strict=True) if other.height]
    counts = rows.group_by(varying or pl.lit(1)).agg(pl.len().cast(pl.Int64).alias("rows"))
    constant = {name: value for name, value in in_first.items() if name not in varying}
    return counts.with_columns(**constant).select(*slice_schema(table)).collect(engine="streaming")


def slices_to_record(table: LakeTable, rows: pl.LazyFrame, count: int) -> Slices | None:
    """The slices of a snapshot's `count` rows for its record; None where there are too many."""
    slices = _count_slices_of_snapshot(table, rows).sort(slice_columns(table), nulls_last=True)
    is_few = slices.height <= ALWAYS_RECORDED or slices.height * ROWS_PER_SLICE <= count
    if not is_few or slices.height > MOST_RECORDED:
        return None
    return Slices(
        columns={name: _pack(slices[name]) for name in slice_columns(table)},
        rows=slices["rows"].to_list(),
    )


def as_frame(table: LakeTable, by_snapshot: Mapping[str, Slices]) -> pl.DataFrame:
    """The recorded slices, by snapshot, with the columns of `slice_schema`."""
    columns: dict[str, list[Any]] = {name: [] for name in slice_schema(table)}
    for snapshot_id, slices in by_snapshot.items():
        size = len(slices.rows)
        for name in slice_columns(table):
            columns[name] += _unpack(slices.columns[name], size)
        columns["snapshot_id"] += [snapshot_id] * size
        columns["rows"] += slices.rows
    return pl.DataFrame(
        [_series(name, columns[name], dtype) for name, dtype in slice_schema(table).items()]
    )


def _pack(column: pl.Series) -> SliceColumn:
    text = column
    if column.dtype == INSTANT:
        text = column.dt.strftime(_INSTANT_FORMAT)
    elif column.dtype == pl.Date:
        text = column.cast(pl.String)
    values = text.unique(maintain_order=True).to_list()
    if len(values) in (1, column.len()):
        return SliceColumn(values=text.to_list() if len(values) > 1 else values)
    place = {value: number for number, value in enumerate(values)}
    return SliceColumn(values=values, at=[place[value] for value in text])


def _unpack(column: SliceColumn, size: int) -> list[Any]:
    if column.at is not None:
        return [column.values[place] for place in column.at]
    return column.values * size if len(column.values) == 1 else column.values


def _series(name: str, values: list[Any], dtype: Any) -> pl.Series:
    """A column of its values as in a record, where instants and days are text."""
    if dtype == INSTANT:
        return pl.Series(name, values, pl.String).str.to_datetime(_INSTANT_FORMAT, time_unit="us")
    if dtype == pl.Date:
        return pl.Series(name, values, pl.String).str.to_date("%Y-%m-%d")
    return pl.Series(name, values, dtype)
