"""Which slices were requested of each window, with the number of rows received, even if 0."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from dagster_project.lake.landing import AskedSlices, Snapshot
from dagster_project.lake.schemas import LAKE_TABLES
from dagster_project.sources.card import Window


def coverage_of(snapshot: Snapshot, frames: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """The rows of the lake table `coverage` of a snapshot.

    One per table, reporter, flow and window that were requested, with the number of rows received.
    `frames` are the rows of the snapshot, by table.
    """
    table, windows = LAKE_TABLES["coverage"], windows_of(snapshot)
    coverages = [
        _coverage_of_table(asked, windows, frames[asked.table])
        for asked in snapshot.asked
        if asked.table in frames
    ]
    if not coverages or not windows:
        return table.empty()
    return table.conform(
        pl.concat(coverages).with_columns(
            source=pl.lit(snapshot.source),
            document=pl.lit(snapshot.document),
            vintage_at=pl.lit(snapshot.retrieved_at),
            snapshot_id=pl.lit(snapshot.snapshot_id),
            is_provisional=pl.lit(False),
        )
    )


def windows_of(snapshot: Snapshot) -> tuple[Window, ...]:
    """The windows whose rows of a snapshot are used."""
    return tuple(Window(period.frequency, period.start) for period in snapshot.windows)  # type: ignore[arg-type]


def _coverage_of_table(
    asked: AskedSlices, windows: Sequence[Window], frame: pl.DataFrame
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
    declared = LAKE_TABLES[asked.table]
    of_all = {"reporter_iso3": "", "flow": "", "frequency": declared.frequency}
    keys = [*of_all, "period_start"]
    received = frame.select(
        pl.col(name) if name in frame.columns else pl.lit(of_all[name]).alias(name)
        for name in of_all
    ).with_columns(frame[declared.period or "period_start"].alias("period_start"))
    counts = received.group_by(keys).agg(pl.len().cast(pl.Int64).alias("rows"))
    return (
        slices.join(periods, how="cross")
        .join(counts, on=keys, how="left")
        .with_columns(pl.col("rows").fill_null(0), table_name=pl.lit(asked.table))
    )
