"""How far the figures of a source reach in the lake, bundled ones included."""

from __future__ import annotations

from datetime import date

import polars as pl

from dagster_project.lake.copies import copies_of
from dagster_project.lake.landing import Landing
from dagster_project.lake.schemas import LAKE_TABLES
from dagster_project.lake.tables import Lake
from dagster_project.sources.card import Source
from dagster_project.words import PriceFrequency


def newest_periods(
    lake: Lake, landing: Landing, source: Source, today: date
) -> dict[PriceFrequency, date]:
    """The newest period of a source in the lake, by frequency, as known on a day."""
    newest: dict[PriceFrequency, date] = {}
    copies = copies_of(landing, source.CARD.name, lake)
    for table in (LAKE_TABLES[name] for name in source.CARD.tables):
        rows = lake.rows(table, source.CARD.name, copies.left_out(table, today))
        if table.period is None or rows is None:
            continue
        period = pl.col(table.period)
        if table.columns[table.period].dtype == pl.Int32:
            period = pl.date(period, 1, 1)
        has_frequency = "frequency" in table.columns
        frequency = pl.col("frequency") if has_frequency else pl.lit(table.frequency)
        reached = (
            rows.filter(pl.col("vintage_at").dt.date() <= today)
            .group_by(frequency.alias("frequency"))
            .agg(period.max().alias("period"))
            .collect()
        )
        for each, day in reached.drop_nulls("period").iter_rows():
            newest[each] = max(day, newest.get(each, day))
    return newest
