"""`kido compact`, and the build that compacts by itself: no figure changes, killed or not."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import fsspec
import polars as pl
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from polars.testing import assert_frame_equal
from typer.testing import CliRunner

from dagster_project.cli import app
from dagster_project.intake import compact as compacting
from dagster_project.intake.compact import compact_many_small_files
from dagster_project.intake.conform import conform
from dagster_project.intake.land import land_bundled
from dagster_project.intake.source_lock import source_lock
from dagster_project.intake.stores import lake_of, landing_of
from dagster_project.intake.withdraw import sweep
from dagster_project.lake.build_file import connect, prepare, work_file
from dagster_project.lake.schemas import LAKE_TABLES, PRICE_QUOTES, LakeTable
from dagster_project.lake.tables import Lake, Record, TableRecord
from dagster_project.lake.vintages import current_rows
from dagster_project.settings import Settings
from dagster_project.sources.registry import source_named
from tests.integration.killing import kill_at_seeded_moments
from tests.integration.marts import Marts, models
from tests.unit.lake.test_vintages import rows

ECB, BACI = source_named("ecb"), source_named("baci")
PRICES = "price_quotes/ecb"


def kido(*arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == 0, result.output + str(result.exception)
    return result.output


def land_rates(settings: Settings, folder: Path, *days: int) -> None:
    """A document per day of November 2026, each a snapshot of its own."""
    for day in days:
        file = folder / f"rates-{day}.csv"
        file.write_text(f"Date,USD,JPY,CNY\n2026-11-{day:02},1.{day:02},175.68,7.4326\n")
        kido("land", "ecb", str(file))
    conform(settings, ECB)


def prices(settings: Settings) -> pl.DataFrame:
    found = lake_of(settings).rows(PRICE_QUOTES, "ecb")
    assert found is not None
    return found.collect().sort(pl.all())


# What counts, in SQL and in polars, however the rows lie


def any_rows(table: LakeTable, chance: random.Random, snapshot_id: str) -> pl.DataFrame:
    """Rows of a few slices; of a snapshot the vintages and editions may differ, or lack."""
    return rows(
        table,
        *(
            {
                "snapshot_id": snapshot_id,
                "source": "x",
                "came": chance.choice(INSTANTS),
                **{
                    name: chance.choice(values)
                    for name, values in VALUES.items()
                    if name in table.columns
                },
            }
            for _ in range(chance.randint(8, 24))
        ),
    )


INSTANTS = [datetime(2026, 1, 1), datetime(2026, 1, 1, 0, 0, 0, 1), datetime(2990, 1, 1)]
VALUES: dict[str, list[Any]] = {
    "hs6_code": ["280530", "850511"], "commodity_code": ["280530", "850511"],
    "period_start": [date(2023, 1, 1), date(2024, 1, 1)], "year": [2023, 2024],
    "edition": [202401, 202501], "value_usd": [1.0, 2.0, None], "label": ["Tin", "Zinc"],
    "stage": ["extraction", "processing"], "instrument": ["EURJPY", "EURUSD"],
    "price_date": [date(2024, 1, 1), date(2024, 1, 2)], "document": ["a", "b"],
    "economy_iso3": ["CHN", "JPN"], "clause_id": ["C", "D"], "milestone_id": ["M", "N"],
    "claim_id": ["C"], "evidence_class": ["official", "reported", "de_facto"],
    "known_at": [date(2024, 5, 1)] * 3 + [date(2990, 1, 1)], "importer_iso3": ["JPN", "DEU"],
}  # fmt: skip


def test_what_counts_in_sql_is_what_counts_in_polars_however_the_rows_lie(
    settings: Settings, marts: Marts
) -> None:
    chance = random.Random(7)
    lake = lake_of(settings)
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    ids = [f"{name}-2026010{day}T000000000000" for name in ("b", "a") for day in (1, 2, 3)]
    tables = list(LAKE_TABLES.values())
    for snapshot_id in ids:
        frames = {table.name: any_rows(table, chance, snapshot_id) for table in tables}
        nullable = frames["reconciled_trade"].with_columns(
            edition=pl.when(pl.col("value_usd") == 1).then(pl.col("edition"))
        )
        frames["reconciled_trade"] = nullable
        records = {
            name: TableRecord(rows=frame.height, quarantined=0, suite_version="1", checks=[])
            for name, frame in frames.items()
        }
        lake.write("x", snapshot_id, frames, Record(parser_version="1", tables=records))
    staging = {
        table.name: next(one for one in models() if one.endswith(f".stg_lake__{table.name}"))
        for table in tables
    }

    def equal() -> None:
        staged = marts(settings, ECB, tuple(staging.values()), keep_snapshots=True)
        for table in tables:
            found = lake_of(settings).rows(table, "x")
            assert found is not None
            expected = current_rows(table, table.conform(found.collect()), tomorrow)
            assert 0 < expected.height < found.collect().height, table.name
            assert_frame_equal(
                staged[staging[table.name]],
                expected.select(list(table.columns)).sort(pl.all(), nulls_last=True),
            )
            of_slices = lake_of(settings).current_row_counts(table, "x", {}, tomorrow)
            assert of_slices == dict(expected.group_by("snapshot_id").len().iter_rows())

    equal()
    # As a version before has written it: the slices are found in the rows.
    (settings.home / "lake" / "_snapshots" / "x" / ".index.json").unlink(missing_ok=True)
    for snapshot_id in ids[::2]:
        file = settings.home / "lake" / "_snapshots" / "x" / f"{snapshot_id}.json"
        record = Record.model_validate_json(file.read_bytes())
        bare = {name: of.model_copy(update={"slices": None}) for name, of in record.tables.items()}
        file.write_text(record.model_copy(update={"tables": bare}).model_dump_json())
    equal()
    for table in tables:
        folder = settings.spool_dir / "test"
        done = compacting.compact(lake_of(settings), table, "x", folder, settings.memory)
        assert done is not None
        assert (done.before, done.after) == (len(ids), 1)
    lake_of(settings).sweep("x", LAKE_TABLES)
    assert len(list((settings.home / "lake").rglob("*.parquet"))) == len(tables)
    equal()
    lake_of(settings).withdraw("x", ids[3])
    equal()


# The command


def test_it_reports_what_became_of_the_files_and_no_row_is_lost(
    settings: Settings, tmp_path: Path
) -> None:
    land_bundled(settings, ECB)
    land_rates(settings, tmp_path, 2, 3)
    before = prices(settings)
    text = kido("compact")
    assert text == (
        f"price_quotes of ecb: 3 files became 1 file, {before.height:,} rows merged.\n"
        "The old files are removed by the next build with new data.\n"
    )
    assert_frame_equal(prices(settings), before)
    assert "Nothing to compact" in kido("compact", "ecb")
    assert len(list((settings.home / "lake" / PRICES).rglob("*.parquet"))) == 4
    sweep(settings, ECB)
    assert len(list((settings.home / "lake" / PRICES).rglob("*.parquet"))) == 1
    assert_frame_equal(prices(settings), before)


def test_a_withdrawn_snapshot_stays_out_of_compacted_files_until_it_is_brought_back(
    settings: Settings, tmp_path: Path
) -> None:
    land_rates(settings, tmp_path, 2, 3, 4)
    before = prices(settings)
    kido("compact")
    sweep(settings, ECB)
    second = landing_of(settings).snapshots("ecb")[1].snapshot_id
    of_others = before.filter(pl.col("snapshot_id") != second)
    kido("withdraw", second, "--because", "a slip")
    assert_frame_equal(prices(settings), of_others)
    kido("compact")
    sweep(settings, ECB)
    assert_frame_equal(prices(settings), of_others)
    assert "3 rows of price_quotes" in kido("reinstate", second)
    assert_frame_equal(prices(settings), before)
    kido("compact")
    sweep(settings, ECB)
    assert_frame_equal(prices(settings), before)
    assert kido("landed", "ecb").count("all current") == 3


def test_what_is_read_again_by_another_parser_replaces_its_compacted_rows(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    land_rates(settings, tmp_path, 2, 3)
    kido("compact")
    sweep(settings, ECB)
    before = prices(settings)
    monkeypatch.setattr("dagster_project.intake.conform.parser_version", lambda source: "another")
    assert conform(settings, ECB).parsed == 2
    sweep(settings, ECB)
    assert_frame_equal(prices(settings), before)
    assert not list((settings.home / "lake" / PRICES / "by_period").iterdir())


# By itself


def test_a_build_compacts_what_piled_up_unless_somebody_lands(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compacting, "MOST_SMALL_FILES", 2)
    land_rates(settings, tmp_path, 2, 3)
    assert compact_many_small_files(settings, ECB) == []
    land_rates(settings, tmp_path, 4)
    before = prices(settings)
    with source_lock(settings, "ecb"):
        assert compact_many_small_files(settings, ECB) == []
    (done,) = compact_many_small_files(settings, ECB)
    assert (done.table, done.before, done.after) == ("price_quotes", 3, 1)
    assert_frame_equal(prices(settings), before)
    # Those that were put together do not pile up again.
    land_rates(settings, tmp_path, 5, 6)
    assert compact_many_small_files(settings, ECB) == []


def test_a_build_goes_on_with_small_files_where_the_disk_has_no_room_to_compact_them(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compacting, "MOST_SMALL_FILES", 1)
    land_rates(settings, tmp_path, 2, 3)
    before = prices(settings)

    def fails(error: Exception) -> None:
        def made(*_: object) -> None:
            raise error

        monkeypatch.setattr("dagster_project.lake.compaction._write_group", made)

    fails(OSError(28, "No space left on device"))
    assert compact_many_small_files(settings, ECB) == []
    assert_frame_equal(prices(settings), before)
    fails(OSError(5, "Input/output error"))
    with pytest.raises(OSError, match="Input/output"):
        compact_many_small_files(settings, ECB)


# Killed


def compact_and_sweep() -> None:
    """What a build does before it chooses what it reads."""
    compacting.MOST_SMALL_FILES = 1
    settings = Settings.load()
    compact_many_small_files(settings, ECB)
    sweep(settings, ECB)


def test_killed_at_any_moment_the_files_before_count_or_those_after(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    land_rates(settings, tmp_path, 2, 3)
    kido("compact")
    land_rates(settings, tmp_path, 4, 5)
    before = prices(settings)
    assert before.height == 12
    seen = set()

    def check(home: Path) -> None:
        monkeypatch.setenv("KIDO_HOME", str(home))
        left = Settings.load()
        files = lake_of(left).contents(PRICE_QUOTES, "ecb").files
        seen.add(len(files))
        assert_frame_equal(prices(left), before)
        prepare(home / "kido.duckdb", lake_of(left), {})
        with connect(work_file(home / "kido.duckdb"), read_only=True) as connection:
            for count in ("count(*) from lake.price_quotes",
                          "sum(rows) from lake.price_quotes_slices"):  # fmt: skip
                assert connection.execute(f"select {count}").fetchall() == [(12,)]
        # The next build finishes it; nothing is left of what was begun.
        compact_and_sweep()
        monkeypatch.setattr(compacting, "MOST_SMALL_FILES", 64)
        assert_frame_equal(prices(left), before)
        assert len(list((home / "lake" / PRICES).rglob("*.parquet"))) == 1

    kill_at_seeded_moments(21, settings.home, [], check, act=compact_and_sweep, kills=12)
    assert seen == {1, 3}


# Elsewhere than on this machine


class Counting(MemoryFileSystem):
    """An object store that notes which files were fetched from it."""

    protocol = "counted"
    store: ClassVar[dict[str, Any]] = {}
    pseudo_dirs: ClassVar[list[str]] = [""]
    fetched: ClassVar[list[str]] = []

    def get_file(self, rpath: str, lpath: str, **options: Any) -> None:
        self.fetched.append(rpath.rsplit("/", 1)[-1])
        super().get_file(rpath, lpath, **options)

    def cat_file(self, path: str, **options: Any) -> Any:
        assert not path.endswith(".parquet"), "read through, not kept"
        return super().cat_file(path, **options)


@pytest.fixture
def elsewhere(settings: Settings) -> Iterator[Settings]:
    fsspec.register_implementation("counted", Counting, clobber=True)
    Counting.store.clear()
    Counting.pseudo_dirs[:] = [""]
    Counting.fetched.clear()
    settings.lake_url = "counted://bucket/lake"
    yield settings
    Counting.store.clear()


def test_of_a_lake_elsewhere_only_what_changed_is_fetched(
    elsewhere: Settings, tmp_path: Path
) -> None:
    settings = elsewhere
    lake = lake_of(settings)

    def build(name: str) -> int:
        Counting.fetched.clear()
        prepare(tmp_path / f"{name}.duckdb", lake_of(settings), {})
        with connect(work_file(tmp_path / f"{name}.duckdb"), read_only=True) as connection:
            views = connection.execute(
                "select count(*) from duckdb_views() where schema_name = 'lake'"
            ).fetchall()
            assert views == [(len(LAKE_TABLES),)]
            ((count,),) = connection.execute("select count(*) from lake.price_quotes").fetchall()
        return int(count)

    def write(snapshot_id: str, day: int) -> None:
        of = rows(PRICE_QUOTES, {"snapshot_id": snapshot_id, "price_date": date(2026, 1, day)})
        came = TableRecord(rows=1, quarantined=0, suite_version="1", checks=[])
        lake.write("ecb", snapshot_id, {"price_quotes": of},
                   Record(parser_version="1", tables={"price_quotes": came}))  # fmt: skip

    write("ecb-1", 1)
    write("ecb-2", 2)
    assert build("first") == 2
    assert sorted(name.split(".")[0] for name in Counting.fetched) == ["ecb-1", "ecb-2"]
    assert build("second") == 2
    assert Counting.fetched == []
    write("ecb-3", 3)
    assert build("third") == 3
    assert [name.split(".")[0] for name in Counting.fetched] == ["ecb-3"]
    # Polars reads the same copies.
    found = lake_of(settings).rows(PRICE_QUOTES, "ecb")
    assert found is not None
    assert found.collect().height == 3
    assert len(Counting.fetched) == 1
    compacting.compact(lake_of(settings), PRICE_QUOTES, "ecb", tmp_path / "spool", settings.memory)
    lake_of(settings).sweep("ecb", ["price_quotes"])
    kept = settings.lake_cache_dir / PRICES
    assert not list(kept.rglob("*.parquet"))
    assert build("fourth") == 3
    assert len(Counting.fetched) == len(list(kept.rglob("*.parquet"))) == 1
    lake.withdraw("ecb", "ecb-2")
    assert build("fifth") == 2
    assert Counting.fetched == []


def test_a_lake_elsewhere_needs_a_folder_on_this_machine(elsewhere: Settings) -> None:
    lake = lake_of(elsewhere)
    of = rows(PRICE_QUOTES, {"snapshot_id": "ecb-1"})
    came = TableRecord(rows=1, quarantined=0, suite_version="1", checks=[])
    record = Record(parser_version="1", tables={"price_quotes": came})
    lake.write("ecb", "ecb-1", {"price_quotes": of}, record)
    with pytest.raises(Exception, match="needs a folder"):
        Lake(lake.store).rows(PRICE_QUOTES, "ecb")
