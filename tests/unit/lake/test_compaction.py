"""CompactionReport, a lake holds the same rows in fewer files; what does not count stays out."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from dagster_project.errors import DamagedError
from dagster_project.lake import build_file, compaction
from dagster_project.lake.build_file import connect, prepare, work_file
from dagster_project.lake.compaction import compact
from dagster_project.lake.schemas import COVERAGE, MATERIAL_LABELS, RECONCILED_TRADE
from dagster_project.lake.store import Store
from dagster_project.lake.tables import BY_PERIOD, Lake
from tests.unit.lake.test_slices import record, trade
from tests.unit.lake.test_vintages import rows

MEMORY = 200_000_000
FOLDER = f"reconciled_trade/baci/{BY_PERIOD}"
OWN = "reconciled_trade/baci"
Row = tuple[str, int, float]


@pytest.fixture(autouse=True)
def one_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """A build file of the table that is compacted here, without the views of all others."""
    only = {RECONCILED_TRADE.name: RECONCILED_TRADE}
    monkeypatch.setattr(build_file, "LAKE_TABLES", only)


@pytest.fixture(params=["folder", "memory"])
def lake(request: pytest.FixtureRequest, tmp_path: Path) -> Lake:
    here = str(tmp_path / "lake")
    url = here if request.param == "folder" else f"memory://{uuid.uuid4().hex}"
    return Lake(Store(url), tmp_path / "cache")


@pytest.fixture
def compacted(lake: Lake, tmp_path: Path) -> Callable[[], tuple[int, int] | None]:
    def run() -> tuple[int, int] | None:
        done = compact(lake, RECONCILED_TRADE, "baci", tmp_path / "spool", MEMORY)
        assert not (tmp_path / "spool").exists() or not list((tmp_path / "spool").iterdir())
        return None if done is None else (done.before, done.after)

    return run


def write(lake: Lake, snapshot_id: str, *of: tuple[int, float], **output: Any) -> None:
    """A snapshot with a row for each year and value; several of a year go to several economies."""
    found = rows(
        RECONCILED_TRADE,
        *(
            trade(snapshot_id=snapshot_id, period_start=date(year, 1, 1), value_usd=value,
                  importer_iso3=f"{number:03}", **output)
            for number, (year, value) in enumerate(of)
        ),
    )  # fmt: skip
    lake.write("baci", snapshot_id, {"reconciled_trade": found}, record(found))


def held(lake: Lake) -> list[Row]:
    """What the lake holds, as both ways to read it say: polars, and a new build file."""
    found = lake.rows(RECONCILED_TRADE, "baci")
    of_polars = [] if found is None else sorted(
        found.select("snapshot_id", pl.col("period_start").dt.year(), "value_usd").collect().rows()
    )  # fmt: skip
    file = Path(str(lake._cache)) / f"{uuid.uuid4().hex}.duckdb"
    prepare(file, lake, {})
    assert sorted(seen(file)) == of_polars
    with connect(work_file(file), read_only=True) as connection:
        slices = connection.execute(
            "select snapshot_id, sum(rows) from lake.reconciled_trade_slices group by 1"
        ).fetchall()
    assert dict(slices) == {
        one: sum(row[0] == one for row in of_polars) for one in {row[0] for row in of_polars}
    }
    return of_polars


def seen(file: Path) -> list[Row]:
    with connect(work_file(file), read_only=True) as connection:
        found = connection.execute(
            "select snapshot_id, year(period_start), value_usd from lake.reconciled_trade"
        )
        return [(one, year, value) for one, year, value in found.fetchall()]


def test_all_vintages_lie_in_one_file_and_each_row_knows_its_snapshot(
    lake: Lake, compacted: Callable[[], Any], tmp_path: Path
) -> None:
    write(lake, "baci-1", (2023, 1.0), (2024, 2.0))
    write(lake, "baci-2", (2024, 3.0), came=datetime(2026, 2, 1))  # supersedes 2024
    prepare(tmp_path / "under_way.duckdb", lake, {})
    expected = [("baci-1", 2023, 1.0), ("baci-1", 2024, 2.0), ("baci-2", 2024, 3.0)]
    assert held(lake) == expected
    assert compacted() == (2, 1)
    assert held(lake) == expected
    # Who chose the files before reads them until they are swept.
    assert len(lake.store.names(OWN)) == 3
    assert sorted(seen(tmp_path / "under_way.duckdb")) == expected
    lake.sweep("baci", ["reconciled_trade"])
    assert lake.store.names(OWN) == [BY_PERIOD]
    (file,) = lake.store.names(FOLDER)
    assert file.startswith("2023-01-01_2024-01-01-")
    assert held(lake) == expected
    assert compacted() is None
    assert [lake.store.names(FOLDER), held(lake)] == [[file], expected]


def test_one_file_is_left_as_it_is(lake: Lake, compacted: Callable[[], Any]) -> None:
    assert compacted() is None
    write(lake, "baci-1", (2023, 1.0), (2024, 2.0))
    assert compacted() is None
    assert lake.compaction(RECONCILED_TRADE, "baci").files == ()


def test_a_file_ends_with_the_period_in_which_it_is_full(
    lake: Lake, compacted: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compaction, "ROWS_OF_A_WHOLE_FILE", 3)
    write(lake, "baci-1", (2020, 1.0), (2021, 2.0))
    write(lake, "baci-2", (2021, 3.0), (2021, 4.0))
    write(lake, "baci-3", (2022, 5.0), (2023, 6.0))
    before = held(lake)
    assert compacted() == (3, 2)
    assert held(lake) == before
    first, second = lake.compaction(RECONCILED_TRADE, "baci").files
    assert (first.first, first.last, first.rows) == ("2020-01-01", "2021-01-01", 4)
    assert (second.first, second.last, second.rows) == ("2022-01-01", "2023-01-01", 2)
    # A later year fills the last file up and leaves the full one untouched; its neighbours in time
    # do not lie on both sides of it.
    write(lake, "baci-4", (2019, 8.0), (2024, 7.0))
    before = held(lake)
    assert compacted() == (3, 3)
    assert held(lake) == before
    older, kept, newer = lake.compaction(RECONCILED_TRADE, "baci").files
    assert kept == first
    assert [(one.first, one.last, one.rows) for one in (older, newer)] == [
        ("2019-01-01", "2019-01-01", 1), ("2022-01-01", "2024-01-01", 3),
    ]  # fmt: skip
    lake.sweep("baci", ["reconciled_trade"])
    assert held(lake) == before
    assert set(lake.store.names(FOLDER)) == {
        one.name.removeprefix(f"{BY_PERIOD}/") for one in (older, kept, newer)
    }


def test_rows_are_sorted_by_period_and_then_by_slice(
    lake: Lake, compacted: Callable[[], Any]
) -> None:
    write(lake, "baci-1", (2024, 1.0), (2023, 2.0), hs6_code="850511")
    write(lake, "baci-2", (2024, 3.0), (2023, 4.0), hs6_code="280530")
    compacted()
    found = lake.rows(RECONCILED_TRADE, "baci")
    assert found is not None
    order = ["period_start", "hs6_code"]
    frame = found.collect()
    assert frame.select(order).equals(frame.sort(order).select(order))


def test_a_snapshot_that_was_taken_out_does_not_count_and_is_left_out_next_time(
    lake: Lake, compacted: Callable[[], Any]
) -> None:
    for number in (1, 2, 3):
        write(lake, f"baci-{number}", (2024, float(number)))
    compacted()
    lake.withdraw("baci", "baci-2")
    left = [("baci-1", 2024, 1.0), ("baci-3", 2024, 3.0)]
    assert held(lake) == left
    lake.sweep("baci", ["reconciled_trade"])
    assert held(lake) == left
    write(lake, "baci-4", (2024, 4.0))
    assert compacted() == (2, 1)
    assert held(lake) == [*left, ("baci-4", 2024, 4.0)]
    (file,) = lake.compaction(RECONCILED_TRADE, "baci").files
    assert set(file.snapshots) == {"baci-1", "baci-3", "baci-4"}


def test_a_snapshot_that_is_written_anew_counts_with_its_new_rows_only(
    lake: Lake, compacted: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compaction, "ROWS_OF_A_WHOLE_FILE", 4)
    write(lake, "baci-1", (2023, 1.0), (2023, 2.0), (2024, 3.0))
    write(lake, "baci-2", (2023, 4.0), (2023, 5.0), (2024, 6.0))
    assert compacted() == (2, 2)
    write(lake, "baci-1", (2024, 30.0))
    of_other = [("baci-2", 2023, 4.0), ("baci-2", 2023, 5.0), ("baci-2", 2024, 6.0)]
    expected = [("baci-1", 2024, 30.0), *of_other]
    for _ in range(2):
        assert held(lake) == expected
        lake.sweep("baci", ["reconciled_trade"])
    assert compacted() == (3, 1)
    lake.sweep("baci", ["reconciled_trade"])
    assert held(lake) == expected
    # Taken out and brought back, it counts again with what is written then.
    lake.withdraw("baci", "baci-1")
    assert held(lake) == of_other
    write(lake, "baci-1", (2024, 30.0))
    assert held(lake) == expected


def test_staged_rows_stay_and_count_once_they_are_committed(
    lake: Lake, compacted: Callable[[], Any]
) -> None:
    write(lake, "baci-1", (2023, 1.0))
    write(lake, "baci-2", (2024, 2.0))
    ready = rows(RECONCILED_TRADE, trade(snapshot_id="baci-3", value_usd=3.0))
    lake.stage("baci", "baci-3", {"reconciled_trade": ready}, record(ready))
    compacted()
    lake.sweep("baci", ["reconciled_trade"])
    assert len(held(lake)) == 2
    lake.commit("baci", "baci-3", lake.staged("baci")["baci-3"])
    assert held(lake)[2:] == [("baci-3", 2024, 3.0)]


def test_a_large_file_of_one_snapshot_is_no_small_file(
    lake: Lake, compacted: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compaction, "ROWS_OF_A_WHOLE_FILE", 3)
    write(lake, "baci-1", (2022, 1.0), (2023, 2.0), (2024, 3.0))
    assert compaction.small_files(lake, RECONCILED_TRADE, "baci") == []
    for number in (2, 3):
        write(lake, f"baci-{number}", (2024, float(number)))
    before = held(lake)
    assert len(compaction.small_files(lake, RECONCILED_TRADE, "baci")) == 2
    assert compacted() == (3, 2)
    assert held(lake) == before
    lake.sweep("baci", ["reconciled_trade"])
    assert held(lake) == before
    assert [name.split(".")[0] for name in lake.store.names(OWN)] == ["baci-1", BY_PERIOD]


def test_rows_that_are_not_those_on_record_are_not_put_together(
    lake: Lake, compacted: Callable[[], Any]
) -> None:
    write(lake, "baci-1", (2023, 1.0))
    found = rows(RECONCILED_TRADE, trade(snapshot_id="baci-2"))
    lake.write("baci", "baci-2", {"reconciled_trade": found}, record(2))
    with pytest.raises(DamagedError, match=r"baci-2: the lake has 1 rows .* 2 are on record"):
        compacted()
    assert lake.compaction(RECONCILED_TRADE, "baci").files == ()
    assert lake.store.names(FOLDER) == []


def test_what_was_made_counts_not_where_the_record_cannot_be_written_and_goes_with_a_sweep(
    lake: Lake, compacted: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(lake, "baci-1", (2023, 1.0))
    write(lake, "baci-2", (2024, 2.0))
    before = held(lake)

    def fails(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr(lake, "record_compaction", fails)
        with pytest.raises(OSError, match="No space"):
            compacted()
    assert held(lake) == before
    lake.sweep("baci", [RECONCILED_TRADE.name])
    assert lake.store.names(FOLDER) == []
    assert held(lake) == before


def test_a_record_that_is_written_although_the_store_reports_an_error_loses_nothing(
    lake: Lake, compacted: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(lake, "baci-1", (2023, 1.0))
    write(lake, "baci-2", (2024, 2.0))
    before, record = held(lake), lake.record_compaction

    def answers_too_late(*args: Any) -> None:
        record(*args)
        raise TimeoutError

    with monkeypatch.context() as slow:
        slow.setattr(lake, "record_compaction", answers_too_late)
        with pytest.raises(TimeoutError):
            compacted()
    assert held(lake) == before
    lake.sweep("baci", [RECONCILED_TRADE.name])
    assert held(lake) == before


def test_tables_without_a_period_and_with_lists_are_put_together_too(
    lake: Lake, tmp_path: Path
) -> None:
    for number in (1, 2):
        for table in (MATERIAL_LABELS, COVERAGE):
            found = rows(table, {"snapshot_id": f"x-{number}", "source": "x"})
            lake.write("x", f"x-{table.name}-{number}", {table.name: found.with_columns(
                snapshot_id=pl.lit(f"x-{table.name}-{number}"))}, record(found, table))  # fmt: skip
    for table in (MATERIAL_LABELS, COVERAGE):
        before = lake.rows(table, "x")
        assert before is not None
        expected = before.collect().sort("snapshot_id")
        done = compact(lake, table, "x", tmp_path / "spool", MEMORY)
        assert done is not None
        assert (done.before, done.after, done.rows) == (2, 1, 2)
        after = lake.rows(table, "x")
        assert after is not None
        assert after.collect().sort("snapshot_id").equals(expected)
