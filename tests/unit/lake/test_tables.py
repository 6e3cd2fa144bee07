"""Rows count once their record is there; the build file sees exactly those."""

import io
import uuid
from datetime import date, datetime
from pathlib import Path

import polars as pl
import pytest

from dagster_project.errors import UpstreamFormatError
from dagster_project.lake.build_file import connect, prepare, work_file
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
    url = here if request.param == "folder" else f"memory://{uuid.uuid4().hex}"
    return Lake(Store(url), tmp_path / "cache")


def snapshots_in(lake: Lake, folder: str) -> list[str]:
    """Whose files lie in a folder of the lake."""
    return [name.split(".")[0] for name in lake.store.names(folder)]


def test_vintages_lie_side_by_side_in_the_build_file(lake: Lake, tmp_path: Path) -> None:
    lake.write("ecb", "ecb-1", {"price_quotes": quotes("ecb-1", 170.0, 171.0)}, record(2))
    lake.write("ecb", "ecb-2", {"price_quotes": quotes("ecb-2", 170.5)}, record(1))
    prepare(tmp_path / "kido.duckdb", lake, {"releases": pl.DataFrame({"release_id": ["r"]})})
    with connect(work_file(tmp_path / "kido.duckdb"), read_only=True) as connection:
        slices = (
            "select snapshot_id, day(price_date), rows from lake.price_quotes_slices order by all"
        )
        assert connection.execute(slices).fetchall() == [
            ("ecb-1", 1, 1), ("ecb-1", 2, 1), ("ecb-2", 1, 1),
        ]  # fmt: skip
        rows = connection.execute(
            "select snapshot_id, close from lake.price_quotes order by snapshot_id, price_date"
        ).fetchall()
        assert rows == [("ecb-1", 170.0), ("ecb-1", 171.0), ("ecb-2", 170.5)]
        assert connection.execute("from runtime.releases").fetchall() == [("r",)]


def test_rows_without_a_record_do_not_count(lake: Lake) -> None:
    lake.write("ecb", "ecb-1", {"price_quotes": quotes("ecb-1", 170.0)}, record(1))
    lake.store.remove("_snapshots/ecb/ecb-1.json")
    assert lake.rows(PRICE_QUOTES, "ecb") is None
    assert lake.contents(PRICE_QUOTES).files == ()


def test_what_is_removed_is_gone_with_its_files_and_the_rest_stays(lake: Lake) -> None:
    lake.write("ecb", "ecb-1", {"price_quotes": quotes("ecb-1", 170.0)}, record(1))
    lake.write("ecb", "ecb-2", {"price_quotes": quotes("ecb-2", 170.5)}, record(1))
    lake.remove("ecb", "ecb-1")
    lake.remove("ecb", "ecb-1")
    assert list(lake.records("ecb")) == ["ecb-2"]
    assert snapshots_in(lake, "price_quotes/ecb") == ["ecb-2"]


def test_rows_that_were_taken_out_are_readable_until_they_are_swept(
    lake: Lake, tmp_path: Path
) -> None:
    for snapshot_id in ("ecb-1", "ecb-2", "ecb-3"):
        frames = {"price_quotes": quotes(snapshot_id, 170.0)}
        (lake.stage if snapshot_id == "ecb-3" else lake.write)(
            "ecb", snapshot_id, frames, record(1)
        )
    prepare(tmp_path / "before.duckdb", lake, {})

    def seen(file: str) -> list[str]:
        with connect(work_file(tmp_path / file), read_only=True) as connection:
            found = connection.execute("select snapshot_id from lake.price_quotes order by 1")
            return [snapshot_id for (snapshot_id,) in found.fetchall()]

    for _ in range(2):
        lake.withdraw("ecb", "ecb-1")
        assert list(lake.records("ecb")) == ["ecb-2"]
        assert seen("before.duckdb") == ["ecb-1", "ecb-2"]
    prepare(tmp_path / "after.duckdb", lake, {})
    lake.sweep("ecb", ["price_quotes", "coverage"])
    # Rows that count are kept, and staged ones.
    assert snapshots_in(lake, "price_quotes/ecb") == ["ecb-2", "ecb-3"]
    assert seen("after.duckdb") == ["ecb-2"]


def test_the_record_of_a_removed_snapshot_goes_first(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake.write("ecb", "ecb-1", {"price_quotes": quotes("ecb-1", 170.0)}, record(1))
    (file,) = lake.store.names("price_quotes/ecb")
    removed: list[str] = []
    monkeypatch.setattr(lake.store, "remove", removed.append)
    lake.remove("ecb", "ecb-1")
    rows_and_records = [name for name in removed if not name.endswith(".index.json")]
    assert rows_and_records[0] == "_snapshots/ecb/ecb-1.json"
    assert f"price_quotes/ecb/{file}" in removed


def test_an_empty_lake_still_has_every_table(lake: Lake, tmp_path: Path) -> None:
    prepare(tmp_path / "kido.duckdb", lake, {})
    with connect(work_file(tmp_path / "kido.duckdb"), read_only=True) as connection:
        for table in LAKE_TABLES.values():
            relation = connection.sql(f"from lake.{table.name}")
            assert relation.columns == list(table.columns)
            assert relation.fetchall() == []


def test_rows_from_before_a_column_was_there_lack_it(lake: Lake, tmp_path: Path) -> None:
    """A lake written by versions before opens in this one, beside rows of this one."""
    flow = {
        "source": "baci", "exporter_iso3": "CHN", "importer_iso3": "JPN", "hs6_code": "850511",
        "hs_revision": "HS2022", "period_start": date(2024, 1, 1), "edition": 202601,
        "is_provisional": False, "document": "b.csv", "vintage_at": datetime(2026, 1, 31),
    }  # fmt: skip
    table = TableRecord(rows=1, quarantined=0, suite_version="1", checks=[])
    written = Record(parser_version="1", tables={"reconciled_trade": table})
    rows = RECONCILED_TRADE.conform(pl.DataFrame({**flow, "snapshot_id": "baci-1"}))
    before = io.BytesIO()
    rows.drop("edition").write_parquet(before)
    lake.store.write("reconciled_trade/baci/baci-1.parquet", before.getvalue())
    lake.store.write(
        "_snapshots/baci/baci-1.json",
        b'{"parser_version": "1", "tables": {"reconciled_trade": {"rows": 1, "quarantined": 0, '
        b'"suite_version": "1", "checks": []}}}',
    )
    prepare(tmp_path / "before.duckdb", lake, {})
    rows = RECONCILED_TRADE.conform(pl.DataFrame({**flow, "snapshot_id": "baci-2"}))
    lake.write("baci", "baci-2", {"reconciled_trade": rows}, written)
    lake.sweep("baci", ["reconciled_trade"])
    prepare(tmp_path / "kido.duckdb", lake, {})
    for file, found in (("before", [None]), ("kido", [None, 202601])):
        with connect(work_file(tmp_path / f"{file}.duckdb"), read_only=True) as connection:
            for name in ("reconciled_trade", "reconciled_trade_slices"):
                relation = connection.sql(f"from lake.{name} order by snapshot_id")
                assert [str(kind) for kind in relation.select("edition").types] == ["INTEGER"]
                assert relation.select("edition").fetchall() == [(edition,) for edition in found]
            relation = connection.sql("from lake.reconciled_trade")
            assert relation.columns == list(RECONCILED_TRADE.columns)


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


def test_the_rows_of_a_source_are_those_of_all_its_snapshots_wherever_the_lake_is(
    lake: Lake,
) -> None:
    assert lake.rows(PRICE_QUOTES, "ecb") is None
    lake.write("ecb", "s1", {"price_quotes": quotes("s1", 178.0, 179.0)}, record(2))
    lake.write("ecb", "s2", {"price_quotes": quotes("s2", 180.0)}, record(1))
    rows = lake.rows(PRICE_QUOTES, "ecb")
    assert rows is not None
    assert sorted(rows.collect()["close"]) == [178.0, 179.0, 180.0]
    assert lake.rows(PRICE_QUOTES, "fred") is None
