"""Which slices a window was asked for, and how many rows came: a row each, also where none came."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import polars as pl

from dagster_project.lake.landing import AskedSlices, Snapshot
from dagster_project.lake.schemas import LAKE_TABLES
from dagster_project.sources.card import Asked, Window


def slices_asked(
    asked: Sequence[Asked] | Sequence[AskedSlices],
    windows: Sequence[Window],
    frames: Mapping[str, pl.DataFrame],
    *,
    source: str,
    document: str,
    asked_at: datetime,
    snapshot_id: str,
) -> pl.DataFrame:
    """Rows of the lake's `coverage`: table, reporter, flow and window, with the rows that came."""
    table = LAKE_TABLES["coverage"]
    found = [_of_table(each, windows, frames[each.table]) for each in asked if each.table in frames]
    if not found or not windows:
        return table.empty()
    return table.conform(
        pl.concat(found).with_columns(
            source=pl.lit(source),
            document=pl.lit(document),
            vintage_at=pl.lit(asked_at),
            snapshot_id=pl.lit(snapshot_id),
            is_provisional=pl.lit(False),
        )
    )


def coverage_of(snapshot: Snapshot, frames: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """The coverage of a snapshot, from its own record and its rows."""
    return slices_asked(
        snapshot.asked,
        windows_of(snapshot),
        frames,
        source=snapshot.source,
        document=snapshot.document,
        asked_at=snapshot.retrieved_at,
        snapshot_id=snapshot.snapshot_id,
    )


def windows_of(snapshot: Snapshot) -> tuple[Window, ...]:
    """The windows that a snapshot speaks for."""
    return tuple(Window(period.frequency, period.start) for period in snapshot.windows)  # type: ignore[arg-type]


def _of_table(
    asked: Asked | AskedSlices, windows: Sequence[Window], frame: pl.DataFrame
) -> pl.DataFrame:
    slices = pl.DataFrame({"reporter_iso3": list(asked.reporters) or [""]}).join(
        pl.DataFrame({"flow": list(asked.flows) or [""]}), how="cross"
    )
    periods = pl.DataFrame(
        {
            "frequency": [window.frequency for window in windows],
            "period_start": [window.start for window in windows],
        },
        schema={"frequency": pl.String, "period_start": pl.Date},
    )
    keys = ["reporter_iso3", "flow", "frequency", "period_start"]
    there = frame.select(
        pl.col(name) if name in frame.columns else pl.lit("").alias(name) for name in keys[:3]
    ).with_columns(frame[LAKE_TABLES[asked.table].period or "period_start"].alias("period_start"))
    counted = there.group_by(keys).agg(pl.len().cast(pl.Int64).alias("rows"))
    return (
        slices.join(periods, how="cross")
        .join(counted, on=keys, how="left")
        .with_columns(pl.col("rows").fill_null(0), table_name=pl.lit(asked.table))
    )
