"""A file of the lake, or a record of a home, that was changed by a disk or by hand."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from typer.testing import CliRunner

from dagster_project.cli import app
from dagster_project.errors import DamagedError
from dagster_project.intake.conform import conform
from dagster_project.intake.land import land_bundled
from dagster_project.intake.stores import lake_of, landing_of
from dagster_project.intake.withdraw import sweep
from dagster_project.lake import compaction as compacting
from dagster_project.lake.landing import Snapshot
from dagster_project.lake.schemas import LAKE_TABLES, PRICE_QUOTES
from dagster_project.orchestration.inputs import inputs_version
from dagster_project.settings import Settings
from dagster_project.sources.registry import source_named
from tests.conftest import made_once
from tests.nightly import times

ECB = source_named("ecb")
SOURCES = ("ecb", "usgs_mcs", "comtrade_baskets")
Figures = Mapping[str, pl.DataFrame]


def figures(settings: Settings) -> Figures:
    """Every row of the lake: all that a release is made from."""
    lake, rows = lake_of(settings), {}
    for source in SOURCES:
        for table in LAKE_TABLES.values():
            scan = lake.rows(table, source)
            if scan is not None:
                rows[f"{source} {table.name}"] = scan.collect().sort(*table.key, "snapshot_id")
    return rows


def equal(actual: Figures, expected: Figures) -> None:
    assert actual.keys() == expected.keys()
    for name, frame in expected.items():
        assert_frame_equal(actual[name], frame)


def conform_all(settings: Settings) -> list[str]:
    """Let a build's steps look at the lake; the faults that they repaired."""
    return [fault for name in SOURCES for fault in conform(settings, source_named(name)).repaired]


@pytest.fixture(scope="session")
def conformed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    def make(folder: Path) -> None:
        settings = Settings.load(home=folder)
        for name in SOURCES:
            land_bundled(settings, source_named(name))
            conform(settings, source_named(name))

    return made_once(tmp_path_factory, "conformed", make)


@pytest.fixture
def settings(conformed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    home = Path(shutil.copytree(conformed, tmp_path / "home"))
    monkeypatch.setenv("KIDO_HOME", str(home))
    return Settings.load(home=home)


def flip(file: Path, bit: int) -> None:
    content = bytearray(file.read_bytes())
    content[bit // 8] ^= 1 << bit % 8
    file.write_bytes(content)


def lake_files(settings: Settings) -> list[Path]:
    return sorted((settings.home / "lake").glob("[!_]*/*/**/*.parquet"))


FLIPS = times(at_night=60, by_day=3)


def test_no_flipped_bit_of_a_lake_file_gives_another_figure(
    settings: Settings, record_property: Callable[[str, object], None]
) -> None:
    expected, chance = figures(settings), random.Random(37)
    for _ in range(FLIPS):
        file = chance.choice(lake_files(settings))
        flip(file, chance.randrange(8 * file.stat().st_size))
        with pytest.raises(DamagedError, match="changed after it was written"):
            figures(settings)
        (fault,) = conform_all(settings)
        assert fault.startswith(f"{file} was changed after it was written.")
        equal(figures(settings), expected)
        assert conform_all(settings) == []
        sweep(settings, source_named(file.parent.name))
        assert not file.exists()
    record_property("flipped bits of lake files, repaired", FLIPS)


def test_a_lake_file_with_all_closes_times_1000_is_noticed(settings: Settings) -> None:
    expected = figures(settings)
    (file,) = (settings.home / "lake" / "price_quotes" / "ecb").glob("*.parquet")
    pl.read_parquet(file).with_columns(pl.col("close") * 1000).write_parquet(file)
    assert lake_of(settings).damage("ecb").snapshots
    # A build that would say that nothing has changed looks at it, too.
    assert inputs_version(settings) is None
    conform_all(settings)
    equal(figures(settings), expected)


@pytest.mark.parametrize("how", ["missing", "empty", "cut", "a folder"])
def test_a_lake_file_that_cannot_be_read_is_made_again(how: str, settings: Settings) -> None:
    expected = figures(settings)
    (file,) = (settings.home / "lake" / "price_quotes" / "ecb").glob("*.parquet")
    content = file.read_bytes()
    file.unlink()
    if how == "a folder":
        file.mkdir()
    elif how != "missing":
        file.write_bytes(content[: len(content) // 2 if how == "cut" else 0])
    (fault,) = conform_all(settings)
    assert str(file) in fault
    equal(figures(settings), expected)


def test_rows_that_cannot_be_made_again_are_not_said_to_be(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The landed bytes of an answer are gone, too: it is left out, and that is said."""
    monkeypatch.setattr(Snapshot, "was_fetched", True)
    (file,) = (settings.home / "lake" / "price_quotes" / "ecb").glob("*.parquet")
    flip(file, 800)
    (snapshot,) = landing_of(settings).snapshots("ecb")
    for payload in (settings.home / "landing" / "ecb" / snapshot.snapshot_id).glob("[!o]*"):
        payload.unlink()
    report = conform(settings, ECB)
    (fault,) = report.repaired
    assert fault.endswith(f"except those of {snapshot.snapshot_id}: its bytes cannot be used.")
    assert report.rejected.keys() == {snapshot.document}
    assert report.rows == {}


def test_a_lake_of_an_earlier_version_is_parsed_again_once(settings: Settings) -> None:
    expected = figures(settings)
    for record in (settings.home / "lake" / "_snapshots").rglob("*.json"):
        content = json.loads(record.read_text())
        content.pop("checksum", None)
        for table in content.get("tables", {}).values():
            del table["sha256"]
        record.write_text(json.dumps(content))
    equal(figures(settings), expected)
    reports = [conform(settings, source_named(name)) for name in SOURCES]
    assert all(report.parsed and not report.repaired for report in reports)
    assert all(not lake_of(settings).damage(name).snapshots for name in SOURCES)
    equal(figures(settings), expected)


def test_a_damaged_file_of_an_object_store_is_made_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIDO_LAKE_URL", f"memory://{settings.home.parent.name}")
    remote = Settings.load(home=settings.home)
    conform_all(remote)
    expected, store = figures(remote), lake_of(remote).store
    (file,) = store.names("price_quotes/ecb")
    name = f"price_quotes/ecb/{file}"
    # The copy on this machine: it is fetched again.
    flip(remote.lake_cache_dir / name, 800)
    equal(figures(remote), expected)
    # Both: the rows are made again.
    store.write(name, store.read(name)[:-1] + b"x")
    flip(remote.lake_cache_dir / name, 800)
    (fault,) = conform_all(remote)
    assert fault.startswith(f"{store.address(name)} was changed")
    equal(figures(remote), expected)


def compacted(settings: Settings) -> Path:
    """The merged file of the ECB's rates, of two snapshots."""
    file = settings.home.parent / "rates.csv"
    file.write_text("Date,USD,JPY,CNY\n2026-11-26,1.26,175.68,7.4326\n")
    result = CliRunner().invoke(app, ["land", "ecb", str(file)])
    assert result.exit_code == 0, result.output
    folder = settings.spool_dir / "test"
    report = compacting.compact(lake_of(settings), PRICE_QUOTES, "ecb", folder, settings.memory)
    assert report is not None
    sweep(settings, ECB)
    (merged,) = (settings.home / "lake" / "price_quotes" / "ecb").rglob("*.parquet")
    return merged


@pytest.mark.parametrize("what", ["file", "record"])
def test_damaged_merged_rows_are_made_again(what: str, settings: Settings) -> None:
    merged = compacted(settings)
    expected = figures(settings)
    record = settings.home / "lake" / "_compacted" / "ecb" / "price_quotes.json"
    damaged = merged if what == "file" else record
    damaged.write_bytes(damaged.read_bytes()[:-9])
    with pytest.raises(DamagedError, match=str(damaged)):
        figures(settings)
    report = conform(settings, ECB)
    assert any(str(damaged) in fault for fault in report.repaired)
    assert report.parsed == 2
    sweep(settings, ECB)
    equal(figures(settings), expected)


# Records.


def damaged_in(file: Path, fault: str) -> None:
    content = file.read_bytes()
    at = content.index(b'"')
    changed = {
        "cut": content[: len(content) // 2],
        "empty": b"",
        "flipped": content[: at + 1] + bytes([content[at + 1] ^ 1]) + content[at + 2 :],
        "another figure": content.replace(b"0", b"1", 1),
        "no text": b"\xff" + content[1:],
    }[fault]
    assert changed != content
    file.write_bytes(changed)


FAULTS = ("cut", "empty", "flipped", "another figure", "no text")


@pytest.mark.parametrize("fault", FAULTS)
def test_a_damaged_origin_record_is_named_with_the_remedy(fault: str, settings: Settings) -> None:
    (record,) = (settings.home / "landing" / "ecb").glob("*/origin.json")
    damaged_in(record, fault)
    result = CliRunner().invoke(app, ["landed"])
    assert isinstance(result.exception, DamagedError)
    sentence = str(result.exception)
    assert str(record) in sentence
    assert "Restore it from a backup, or remove its folder" in sentence
    assert "pydantic" not in sentence
    # The second remedy: the document is landed again, from the bundle.
    shutil.rmtree(record.parent)
    assert len(land_bundled(settings, ECB).new) == 1
    conform(settings, ECB)
    assert lake_of(settings).damage("ecb").faults == ()


def test_a_missing_origin_record_is_named_and_its_bytes_are_kept(settings: Settings) -> None:
    (record,) = (settings.home / "landing" / "ecb").glob("*/origin.json")
    record.unlink()
    with pytest.raises(DamagedError, match=f"{record} is missing. Restore it"):
        conform(settings, ECB)
    landing_of(settings).sweep("ecb", lake_of(settings).snapshot_ids("ecb"))
    assert list(record.parent.iterdir())


@pytest.mark.parametrize("fault", FAULTS)
def test_a_damaged_record_of_the_lake_is_made_again(fault: str, settings: Settings) -> None:
    expected = figures(settings)
    (record,) = (settings.home / "lake" / "_snapshots" / "ecb").glob("*.json")
    damaged_in(record, fault)
    with pytest.raises(DamagedError, match=f"{record} .* kido build makes it again"):
        figures(settings)
    (repaired,) = conform_all(settings)
    assert repaired.startswith(str(record))
    equal(figures(settings), expected)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_damaged_record_of_a_withdrawal_is_named(fault: str, settings: Settings) -> None:
    (snapshot,) = landing_of(settings).snapshots("ecb")
    arguments = ["withdraw", snapshot.snapshot_id, "--because", "a slip"]
    assert CliRunner().invoke(app, arguments).exit_code == 0
    (record,) = (settings.home / "landing" / "withdrawn" / "ecb").glob("*.json")
    damaged_in(record, fault)
    result = CliRunner().invoke(app, ["landed"])
    assert isinstance(result.exception, DamagedError)
    assert str(record) in str(result.exception)
    assert "Restore it from a backup" in str(result.exception)


def test_a_landing_onto_a_damaged_lake_is_compared_with_the_repaired_one(
    settings: Settings,
) -> None:
    (file,) = (settings.home / "lake" / "price_quotes" / "ecb").glob("*.parquet")
    flip(file, 8 * file.stat().st_size // 2)
    (bundled,) = (settings.home / "landing" / "ecb").glob("*/*.csv")
    shifted = settings.home.parent / "rates.csv"
    rates = pl.read_csv(bundled, schema_overrides={"cny": pl.Float64}).select(
        Date="date", USD=pl.col("usd") * 0.6, JPY=pl.col("jpy") * 0.6, CNY=pl.col("cny") * 0.6
    )
    rates.write_csv(shifted)
    result = CliRunner().invoke(app, ["land", "ecb", str(shifted)])
    assert result.exit_code == 1
    assert "--replace" in str(result.exception)
    assert lake_of(settings).damage("ecb").faults == ()


# What reads all of it.


def verify() -> tuple[int, list[dict[str, str]]]:
    result = CliRunner().invoke(app, ["verify", "--json"])
    return result.exit_code, json.loads(result.stdout)


def test_verify_names_every_damaged_file(settings: Settings) -> None:
    code, findings = verify()
    assert code == 0, findings
    assert {finding["status"] for finding in findings} == {"ok"}
    (payload,) = (settings.home / "landing" / "ecb").glob("*/*.csv")
    (rows,) = (settings.home / "lake" / "price_quotes" / "ecb").glob("*.parquet")
    record = next((settings.home / "landing" / "usgs_mcs").glob("*/origin.json"))
    flip(payload, 1000)
    flip(rows, 1000)
    record.write_bytes(b"")
    before = {file: file.read_bytes() for file in (payload, rows, record)}
    code, findings = verify()
    assert code == 1
    faults = [finding["finding"] for finding in findings if finding["status"] == "failure"]
    for file in before:
        assert any(str(file) in fault for fault in faults), (file, faults)
    assert len(faults) == 3
    assert {file: file.read_bytes() for file in before} == before
