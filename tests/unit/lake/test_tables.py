"""Rows count once their record is there; the build file sees exactly those."""

import io
import uuid
from datetime import date, datetime
from pathlib import Path

import polars as pl
import pytest

from dagster_project.errors import UpstreamFormatError
from dagster_project.lake.build_file import connect, prepare
from dagster_project.lake.schemas import LAKE_TABLES, PRICE_QUOTES, RECONCILED_TRADE
from dagster_project.lake.store import Store
from dagster_project.lake.tables import Lake, Record, TableRecord


def quotes(snapshot_id: str, *closes: float) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "source": "ecb",
            "instrument": "EURJPY",
            "price_date": [date(2026, 10, 1 + day) for day in range(len(closes))],
            "frequency": "D",
            "close": list(closes),
            "unit": "JPY per EUR",
            "is_provisional": False,
            "document": "rates.csv",
            "vintage_at": datetime(2026, 10, 30),
            "snapshot_id": snapshot_id,
        }
    )


def record(rows: int) -> Record:
    table = TableRecord(rows=rows, quarantined=0, suite_version="1", checks=[])
    return Record(parser_version="1", tables={"price_quotes": table})


@pytest.fixture(params=["folder", "memory"])
def lake(request: pytest.FixtureRequest, tmp_path: Path) -> Lake:
    here = str(tmp_path / "lake")
    return Lake(Store(here if request.param == "folder" else f"memory://{uuid.uuid4().hex}"))


def test_vintages_lie_side_by_side_in_the_build_file(lake: Lake, tmp_path: Path) -> None:
    lake.write("ecb", "ecb-1", {"price_quotes": quotes("ecb-1", 170.0, 171.0)}, record(2))
    lake.write("ecb", "ecb-2", {"price_quotes": quotes("ecb-2", 170.5)}, record(1))
    prepare(tmp_path / "kido.duckdb", lake, {"releases": pl.DataFrame({"release_id": ["r"]})})
    with connect(tmp_path / "kido.duckdb", read_only=True) as connection:
        if not lake.store.is_local:
            found = connection.execute(
                "select view_name from duckdb_views() where schema_name = 'lake'"
            )
            assert found.fetchall() == []
        rows = connection.execute(
            "select snapshot_id, close from lake.price_quotes order by snapshot_id, price_date"
        ).fetchall()
        assert rows == [("ecb-1", 170.0), ("ecb-1", 171.0), ("ecb-2", 170.5)]
        assert connection.execute("from runtime.releases").fetchall() == [("r",)]


def test_rows_without_a_record_do_not_count(lake: Lake) -> None:
    lake.write("ecb", "ecb-1", {"price_quotes": quotes("ecb-1", 170.0)}, record(1))
    lake.store.remove("_snapshots/ecb/ecb-1.json")
    assert lake.files(PRICE_QUOTES) == []


def test_what_is_removed_is_gone_with_its_files_and_the_rest_stays(lake: Lake) -> None:
    lake.write("ecb", "ecb-1", {"price_quotes": quotes("ecb-1", 170.0)}, record(1))
    lake.write("ecb", "ecb-2", {"price_quotes": quotes("ecb-2", 170.5)}, record(1))
    lake.remove("ecb", "ecb-1")
    lake.remove("ecb", "ecb-1")
    assert list(lake.records("ecb")) == ["ecb-2"]
    assert lake.store.names("price_quotes/ecb") == ["ecb-2.parquet"]


def test_rows_that_were_taken_out_are_read_by_whoever_chose_them_until_they_are_swept(
    lake: Lake, tmp_path: Path
) -> None:
    for snapshot_id in ("ecb-1", "ecb-2", "ecb-3"):
        frames = {"price_quotes": quotes(snapshot_id, 170.0)}
        (lake.stage if snapshot_id == "ecb-3" else lake.write)(
            "ecb", snapshot_id, frames, record(1)
        )
    prepare(tmp_path / "before.duckdb", lake, {})

    def seen(file: str) -> list[str]:
        with connect(tmp_path / file, read_only=True) as connection:
            found = connection.execute("select snapshot_id from lake.price_quotes order by 1")
            return [snapshot_id for (snapshot_id,) in found.fetchall()]

    for _ in range(2):
        lake.take_out("ecb", "ecb-1")
        assert list(lake.records("ecb")) == ["ecb-2"]
        assert seen("before.duckdb") == ["ecb-1", "ecb-2"]
    prepare(tmp_path / "after.duckdb", lake, {})
    lake.sweep("ecb", ["price_quotes", "coverage"])
    # What counts stays, and what lies ready to count.
    assert lake.store.names("price_quotes/ecb") == ["ecb-2.parquet", "ecb-3.parquet"]
    assert seen("after.duckdb") == ["ecb-2"]


def test_the_record_of_a_removed_snapshot_goes_first(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake.write("ecb", "ecb-1", {"price_quotes": quotes("ecb-1", 170.0)}, record(1))
    removed: list[str] = []
    monkeypatch.setattr(lake.store, "remove", removed.append)
    lake.remove("ecb", "ecb-1")
    rows_and_records = [name for name in removed if not name.endswith(".index.json")]
    assert rows_and_records[0] == "_snapshots/ecb/ecb-1.json"
    assert "price_quotes/ecb/ecb-1.parquet" in removed


def test_an_empty_lake_still_has_every_table(lake: Lake, tmp_path: Path) -> None:
    prepare(tmp_path / "kido.duckdb", lake, {})
    with connect(tmp_path / "kido.duckdb", read_only=True) as connection:
        for table in LAKE_TABLES.values():
            relation = connection.sql(f"from lake.{table.name}")
            assert relation.columns == list(table.columns)
            assert relation.fetchall() == []


def test_rows_from_before_a_column_was_there_lack_it(lake: Lake, tmp_path: Path) -> None:
    """A lake written by the version before opens in this one, beside rows of this one."""
    flow = {
        "source": "baci", "exporter_iso3": "CHN", "importer_iso3": "JPN", "hs6_code": "850511",
        "hs_revision": "HS2022", "period_start": date(2024, 1, 1), "edition": 202601,
        "is_provisional": False, "document": "b.csv", "vintage_at": datetime(2026, 1, 31),
    }  # fmt: skip
    for snapshot_id in ("baci-1", "baci-2"):
        rows = RECONCILED_TRADE.conform(pl.DataFrame({**flow, "snapshot_id": snapshot_id}))
        table = TableRecord(rows=1, quarantined=0, suite_version="1", checks=[])
        written = Record(parser_version="1", tables={"reconciled_trade": table})
        lake.write("baci", snapshot_id, {"reconciled_trade": rows}, written)
        if snapshot_id == "baci-1":
            before = io.BytesIO()
            rows.drop("edition").write_parquet(before)
            lake.store.write("reconciled_trade/baci/baci-1.parquet", before.getvalue())
            prepare(tmp_path / "before.duckdb", lake, {})
    prepare(tmp_path / "kido.duckdb", lake, {})
    for file, found in (("before", [None]), ("kido", [None, 202601])):
        with connect(tmp_path / f"{file}.duckdb", read_only=True) as connection:
            relation = connection.sql("from lake.reconciled_trade order by snapshot_id")
            assert relation.columns == list(RECONCILED_TRADE.columns)
            assert [str(kind) for kind in relation.select("edition").types] == ["INTEGER"]
            if lake.store.is_local and file == "before":
                continue  # A view: it reads what lies there by now.
            assert relation.select("edition").fetchall() == [(edition,) for edition in found]


def test_a_frame_of_another_shape_is_named_column_by_column() -> None:
    frame = quotes("ecb-1", 170.0).drop("close", "unit").with_columns(shut=1)
    with pytest.raises(UpstreamFormatError) as error:
        PRICE_QUOTES.conform(frame)
    assert "columns missing: unit" in str(error.value)
    assert "columns not declared: shut" in str(error.value)


def test_a_value_of_another_type_is_refused() -> None:
    frame = quotes("ecb-1", 170.0).with_columns(close=pl.lit("n/a"))
    with pytest.raises(UpstreamFormatError, match="does not fit its type"):
        PRICE_QUOTES.conform(frame)


def test_the_rows_of_a_source_are_those_of_all_its_snapshots_wherever_the_lake_lies(
    lake: Lake,
) -> None:
    assert lake.rows(PRICE_QUOTES, "ecb") is None
    lake.write("ecb", "s1", {"price_quotes": quotes("s1", 178.0, 179.0)}, record(2))
    lake.write("ecb", "s2", {"price_quotes": quotes("s2", 180.0)}, record(1))
    rows = lake.rows(PRICE_QUOTES, "ecb")
    assert rows is not None
    assert sorted(rows.collect()["close"]) == [178.0, 179.0, 180.0]
    assert lake.rows(PRICE_QUOTES, "fred") is None
