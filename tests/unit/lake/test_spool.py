from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import duckdb
import polars as pl
import pyarrow.parquet as pq
import pytest
from polars.testing import assert_frame_equal

from dagster_project.lake.schemas import RECONCILED_TRADE, text_of_all
from dagster_project.lake.spool import Spooled, spool

EXPORTERS = ["CHN", "VNM", "MYS"] * 100


def rows(exporter: pl.DataType, *, is_written_as_enum: bool) -> pl.LazyFrame:
    def text(value: str) -> pl.Expr:
        return text_of_all(value) if is_written_as_enum else pl.lit(value)

    return pl.LazyFrame({"exporter_iso3": pl.Series(EXPORTERS, dtype=exporter)}).select(
        "exporter_iso3",
        source=text("baci"),
        importer_iso3=text("JPN"),
        hs6_code=text("284610"),
        hs_revision=text("HS2022"),
        period_start=date(2024, 1, 1),
        value_usd=pl.int_range(pl.len()).cast(pl.Float64),
        is_provisional=False,
        document=text("archive.zip"),
        vintage_at=datetime(2026, 1, 31),
        snapshot_id=text("baci-1"),
    )


@pytest.mark.parametrize("economies", [["CHN", "MYS", "VNM", "USA"], ["VNM", "USA", "MYS", "CHN"]])
def test_texts_that_come_as_enum_are_texts_for_every_reader(
    tmp_path: Path, economies: list[str]
) -> None:
    as_text = spool(RECONCILED_TRADE, rows(pl.String(), is_written_as_enum=False), tmp_path)
    as_enum = spool(RECONCILED_TRADE, rows(pl.Enum(economies), is_written_as_enum=True), tmp_path)
    assert pl.scan_parquet(as_enum).collect_schema() == RECONCILED_TRADE.polars_schema
    assert pq.read_schema(as_enum).equals(pq.read_schema(as_text), check_metadata=True)
    assert_frame_equal(Spooled.from_files([as_enum]).scan().collect(), pl.read_parquet(as_text))
    in_duckdb = [duckdb.sql(f"select * from '{file}'") for file in (as_text, as_enum)]
    assert in_duckdb[0].types == in_duckdb[1].types
    assert in_duckdb[0].fetchall() == in_duckdb[1].fetchall()


def test_statistics_of_enum_are_those_of_the_texts_that_are_there(tmp_path: Path) -> None:
    # By the order of texts; neither by that of the Enum, nor with texts that no row has.
    of = pl.Enum(["VNM", "USA", "MYS", "CHN", "AUS"])
    file = spool(RECONCILED_TRADE, rows(of, is_written_as_enum=True), tmp_path)
    metadata = pq.read_metadata(file)
    column = metadata.schema.names.index("exporter_iso3")
    found = metadata.row_group(0).column(column).statistics
    assert (found.min, found.max, found.null_count) == ("CHN", "VNM", 0)
    later = pl.scan_parquet(file).filter(pl.col("exporter_iso3") > "CHN").collect()
    assert set(later["exporter_iso3"]) == {"MYS", "VNM"}
