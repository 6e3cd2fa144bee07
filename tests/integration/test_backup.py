"""`kido backup` and `kido restore` on small homes: what is in a backup, and what stops one."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import time_machine
from click.testing import Result
from filelock import FileLock
from typer.testing import CliRunner

from dagster_project.cli import app
from dagster_project.errors import QuotaError
from dagster_project.intake.calls import counter, sent_today
from dagster_project.intake.conform import conform
from dagster_project.intake.land import land_bundled
from dagster_project.intake.ledger import Ledger
from dagster_project.intake.stores import lake_of, landing_of
from dagster_project.intake.withdraw import reinstate, withdraw
from dagster_project.lake import records
from dagster_project.lake.landing import Landing
from dagster_project.settings import Settings
from dagster_project.sources.registry import all_sources, source_named
from tests.conftest import CHECKOUT, made_once
from tests.fakes.comtrade import Flow, as_json, world_total
from tests.integration.killing import changes, kill
from tests.nightly import times

SOURCES = ("china_customs_reported", "equity_indices")
RELEASES = {"releases/20261128T090000-aaaaaa/inputs": "abc", "quarantine/ecb/x/reason.txt": "HTML"}


def kido(home: Path, *arguments: object, **settings: str) -> Result:
    environment = {"KIDO_HOME": str(home), "COLUMNS": "400", **settings}
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], env=environment)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def refused(home: Path, *arguments: object, **settings: str) -> str:
    from dagster_project.errors import KidoError

    with pytest.raises(KidoError) as error:
        kido(home, *arguments, **settings)
    return str(error.value)


@pytest.fixture(scope="session")
def landed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_once(tmp_path_factory, "home of backups", make_home)


@pytest.fixture
def home(landed: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(landed, tmp_path / "home"))


def make_home(home: Path) -> None:
    """Two sources are landed, one snapshot is withdrawn; a release, a quarantined answer, a run."""
    settings = Settings.load(home=home)
    for name in SOURCES:
        new = land_bundled(settings, source_named(name)).new
        conform(settings, source_named(name))
    withdraw(settings, all_sources(), new[0].snapshot_id, "a slip", lambda _: None)
    for name, text in RELEASES.items():
        (home / name).parent.mkdir(parents=True)
        (home / name).write_text(text)
    database(home).parent.mkdir(parents=True)
    add_run(home, "first")
    (home / "dagster" / "dagster.yaml").write_text("telemetry: {enabled: false}\n")


def database(home: Path) -> Path:
    return home / "dagster" / "history" / "own.db"


def add_run(home: Path, name: str) -> None:
    connection = sqlite3.connect(database(home))
    with connection:
        connection.execute("create table if not exists runs (name)")
        connection.execute("insert into runs values (?)", [name])
    connection.close()


def runs(home: Path) -> list[str]:
    connection = sqlite3.connect(database(home))
    found = [name for (name,) in connection.execute("select name from runs")]
    connection.close()
    return found


def content(root: Path) -> Mapping[str, bytes]:
    """Files that a restore has to bring back as they are; the lake is parsed again."""
    return {
        str(path.relative_to(root)): path.read_bytes()
        for folder in ("landing", "quarantine", "releases")
        for path in (root / folder).rglob("*")
        if path.is_file() and not path.name.startswith(".")
    }


def test_a_restored_home_has_the_same_bytes_and_rows(home: Path, tmp_path: Path) -> None:
    assert kido(home, "backup", tmp_path / "backups").exit_code == 0
    other = tmp_path / "elsewhere" / "home"
    result = kido(other, "restore", tmp_path / "backups")
    assert result.exit_code == 0
    assert content(other) == content(home)
    assert len(content(home)) == 6
    assert runs(other) == ["first"]
    before, after = (lake_of(Settings.load(home=each)) for each in (home, other))
    for name in SOURCES:
        assert {key: record.tables for key, record in before.records(name).items()} == {
            key: record.tables for key, record in after.records(name).items()
        }
    (withdrawn,) = landing_of(Settings.load(home=other)).withdrawn("equity_indices").values()
    assert withdrawn.reason == "a slip"
    reinstate(Settings.load(home=other), all_sources(), withdrawn.snapshot.snapshot_id, print)


def test_a_second_backup_copies_only_what_is_new(home: Path, tmp_path: Path) -> None:
    kido(home, "backup", tmp_path / "backups")
    files = {path: path.stat().st_mtime_ns for path in (tmp_path / "backups" / "files").glob("*/*")}
    output = kido(home, "backup", tmp_path / "backups").output
    assert "0 B of them new. " in output
    assert "has 2 backups" in output
    (home / "quarantine" / "ecb" / "x" / "more.txt").write_text("four")
    output = kido(home, "backup", tmp_path / "backups").output
    assert "4 B of them new. " in output
    now = {path: path.stat().st_mtime_ns for path in (tmp_path / "backups" / "files").glob("*/*")}
    assert files.items() < now.items()
    assert len(now) == len(files) + 1


def test_only_the_last_backups_are_kept_with_their_files(home: Path, tmp_path: Path) -> None:
    backups, passing = tmp_path / "backups", home / "quarantine" / "ecb" / "passing"
    for number in range(4):
        passing.write_text(f"of day {number}")
        kido(home, "backup", backups, "--keep", 2)
    texts = [path.read_bytes() for path in (backups / "files").glob("*/*")]
    assert [f"of day {number}".encode() in texts for number in range(4)] == [0, 0, 1, 1]
    first, last = sorted(path.stem for path in (backups / "backups").glob("*.json"))
    for name, number in ((first, 2), (last, 3)):
        other = tmp_path / name
        kido(other, "restore", backups, "--backup", name)
        assert (other / "quarantine/ecb/passing").read_text() == f"of day {number}"


def test_a_clock_that_is_set_back_changes_no_order(home: Path, tmp_path: Path) -> None:
    passing = home / "quarantine" / "ecb" / "passing"
    for day in ("2026-11-29", "2026-11-27", "2026-11-28"):
        passing.write_text(day)
        with time_machine.travel(f"{day}T10:00:00Z", tick=False):
            kido(home, "backup", tmp_path / "backups", "--keep", 1)
    kido(tmp_path / "other", "restore", tmp_path / "backups")
    assert (tmp_path / "other" / "quarantine/ecb/passing").read_text() == "2026-11-28"


def test_a_flipped_bit_is_found_and_the_file_named(home: Path, tmp_path: Path) -> None:
    kido(home, "backup", tmp_path / "backups")
    name = next(name for name in content(home) if name.endswith(".csv"))
    payload = (home / name).read_bytes()
    (stored,) = (
        path for path in (tmp_path / "backups/files").glob("*/*") if path.read_bytes() == payload
    )
    stored.write_bytes(bytes([payload[0] ^ 1]) + payload[1:])
    for arguments in ((), ("--check",)):
        message = refused(tmp_path / "other", "restore", tmp_path / "backups", *arguments)
        assert name in message
        assert str(stored) in message
    assert not (tmp_path / "other" / "landing").exists()
    stored.unlink()
    assert name in refused(tmp_path / "other", "restore", tmp_path / "backups")
    assert "new" in kido(home, "backup", tmp_path / "backups").output  # the home has the bytes
    assert kido(tmp_path / "other", "restore", tmp_path / "backups").exit_code == 0


def test_a_changed_record_is_not_restored(home: Path, tmp_path: Path) -> None:
    kido(home, "backup", tmp_path / "backups")
    (record,) = (tmp_path / "backups/backups").glob("*.json")
    record.write_text(record.read_text().replace("quarantine/", "quarantinf/"))
    message = refused(tmp_path / "other", "restore", tmp_path / "backups")
    assert message.startswith(f"{record} was changed after it was written.")


def test_a_landed_file_that_was_changed_stops_the_backup(home: Path, tmp_path: Path) -> None:
    name = next(name for name in content(home) if name.endswith(".csv"))
    (home / name).write_bytes(b"changed")
    message = refused(home, "backup", tmp_path / "backups")
    assert message.startswith(f"{home / name} was changed after it was received.")
    assert "has no complete backup" in refused(tmp_path / "o", "restore", tmp_path / "backups")


def test_a_record_that_was_changed_stops_the_backup_also_behind_an_index(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "FEWEST_UNINDEXED", 0)
    kido(home, "landed")
    record = next(
        path for path in home.glob("landing/*/*/origin.json")
        if (path.parents[1] / records.INDEX).exists()
    )  # fmt: skip
    record.write_bytes(record.read_bytes().replace(b"2026", b"2025", 1))
    message = refused(home, "backup", tmp_path / "backups")
    assert message.startswith(f"{record} was changed after it was written.")


def test_bytes_that_rot_in_the_home_are_restored_as_received(home: Path, tmp_path: Path) -> None:
    name = next(name for name in content(home) if name.endswith(".csv"))
    received = (home / name).read_bytes()
    kido(home, "backup", tmp_path / "backups")
    (home / name).write_bytes(b"changed")
    kido(home, "backup", tmp_path / "backups")
    kido(tmp_path / "other", "restore", tmp_path / "backups")
    assert (tmp_path / "other" / name).read_bytes() == received


def test_a_restore_refuses_a_home_that_is_not_empty(home: Path, tmp_path: Path) -> None:
    kido(home, "backup", tmp_path / "backups")
    before = content(home)
    message = refused(home, "restore", tmp_path / "backups")
    assert message.startswith(f"{home} is not empty (it has dagster, ")
    assert content(home) == before


@pytest.mark.parametrize("inside", ["home/backups", "home", "."])
def test_a_backup_is_never_inside_the_home_nor_around_it(
    home: Path, tmp_path: Path, inside: str
) -> None:
    assert "overlap" in refused(home, "backup", (tmp_path / inside).resolve())


def test_an_empty_home_is_not_backed_up(tmp_path: Path) -> None:
    assert "has nothing to back up" in refused(tmp_path / "home", "backup", tmp_path / "backups")
    assert not (tmp_path / "backups").exists()


def test_the_backups_of_another_home_are_left_alone(home: Path, tmp_path: Path) -> None:
    kido(home, "backup", tmp_path / "backups", "--keep", 1)
    other = Settings.load(home=tmp_path / "other")
    land_bundled(other, source_named("equity_indices"))
    message = refused(other.home, "backup", tmp_path / "backups", "--keep", 1)
    assert "has the backups of another warehouse" in message
    assert kido(tmp_path / "third", "restore", tmp_path / "backups").exit_code == 0


def test_snapshots_that_are_gone_are_named(home: Path, tmp_path: Path) -> None:
    kido(home, "backup", tmp_path / "backups")
    (snapshot, *_) = landing_of(Settings.load(home=home)).snapshots("china_customs_reported")
    shutil.rmtree(home / "landing" / "china_customs_reported" / snapshot.snapshot_id)
    output = kido(home, "backup", tmp_path / "backups").output
    assert f"1 snapshot of the last backup gone: {snapshot.snapshot_id}" in output


def test_two_backups_into_one_folder_do_not_mix(home: Path, tmp_path: Path) -> None:
    (tmp_path / "backups").mkdir()
    with FileLock(tmp_path / "backups" / ".lock"):
        assert "is running" in refused(home, "backup", tmp_path / "backups")


def test_a_database_in_use_is_copied_as_of_one_moment(home: Path, tmp_path: Path) -> None:
    writer = sqlite3.connect(database(home), isolation_level=None)
    writer.execute("pragma journal_mode = wal")
    writer.execute("insert into runs values ('only in the log yet')")
    writer.execute("begin")
    writer.execute("insert into runs values ('not committed')")
    kido(home, "backup", tmp_path / "backups")
    writer.execute("commit")
    kido(home, "backup", tmp_path / "backups")
    writer.close()
    first, last = sorted(path.stem for path in (tmp_path / "backups/backups").glob("*.json"))
    kept = ["first", "only in the log yet"]
    for name, expected in ((first, kept), (last, [*kept, "not committed"])):
        kido(tmp_path / name, "restore", tmp_path / "backups", "--backup", name)
        assert runs(tmp_path / name) == expected
        assert not database(tmp_path / name).with_name("own.db-wal").exists()


def test_dagster_in_another_database_is_said(home: Path, tmp_path: Path) -> None:
    (home / "dagster" / "dagster.yaml").write_text(
        "storage:\n  postgres:\n    postgres_url: postgresql://kido:secret@db/kido\n"
    )
    output = kido(home, "backup", tmp_path / "backups").output
    assert "in another database" in output
    assert "pg_dump" in output
    assert "secret" not in output
    assert (tmp_path / "backups").stat().st_mode & 0o077 == 0


def test_a_landing_in_another_folder_is_in_the_backup(home: Path, tmp_path: Path) -> None:
    landed = content(home)
    (home / "landing").rename(tmp_path / "disk")
    kido(home, "backup", tmp_path / "backups", KIDO_LANDING_URL=f"file://{tmp_path}/disk")
    other = tmp_path / "other"
    (tmp_path / "new disk" / "lost+found").mkdir(parents=True)
    kido(other, "restore", tmp_path / "backups", KIDO_LANDING_URL=str(tmp_path / "new disk"))
    assert not (other / "landing").exists()
    (tmp_path / "new disk").rename(other / "landing")
    assert content(other) == landed


def test_a_landing_on_another_store_is_left_there(tmp_path: Path) -> None:
    home, address = tmp_path / "home", "memory://of-a-backup"
    settings = Settings.load(home=home, landing_url=address)
    land_bundled(settings, source_named("equity_indices"))
    output = kido(home, "backup", tmp_path / "backups", KIDO_LANDING_URL=address).output
    assert "landing: left out, it is at memory:///of-a-backup" in output
    other = tmp_path / "other"
    assert "memory:///of-a-backup" in refused(other, "restore", tmp_path / "backups")
    kido(other, "restore", tmp_path / "backups", KIDO_LANDING_URL=address)
    restored = Settings.load(home=other, landing_url=address)
    assert lake_of(restored).snapshot_ids("equity_indices") == {
        snapshot.snapshot_id for snapshot in landing_of(restored).snapshots("equity_indices")
    }


def test_a_full_disk_leaves_the_earlier_backup(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backups = tmp_path / "backups"
    kido(home, "backup", backups)
    (home / "quarantine" / "large").write_bytes(b"0" * 100)

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(shutil, "copyfile", fail)
        assert f"The disk of {backups} is full" in refused(home, "backup", backups)
    assert kido(tmp_path / "other", "restore", backups).exit_code == 0
    assert not (tmp_path / "other" / "quarantine" / "large").exists()
    assert not list((backups / "files").glob(".*"))


def moved(act: Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `act` happen once, when the first file of a landing is about to be copied."""
    recorded, is_done = Landing.recorded_files, []

    def recorded_files(self: Landing, source: str):  # type: ignore[no-untyped-def]
        for name, sha256 in recorded(self, source):
            if sha256 and not is_done:
                is_done.append(True)
                act()
            yield name, sha256

    monkeypatch.setattr(Landing, "recorded_files", recorded_files)


def test_a_withdrawal_during_a_backup_loses_no_bytes(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings.load(home=home)
    (snapshot, *_) = landing_of(settings).snapshots("china_customs_reported")
    moved(
        lambda: withdraw(settings, all_sources(), snapshot.snapshot_id, "x", lambda _: None),
        monkeypatch,
    )
    kido(home, "backup", tmp_path / "backups")
    kido(tmp_path / "other", "restore", tmp_path / "backups")
    assert content(tmp_path / "other") == content(home)
    restored = landing_of(Settings.load(home=tmp_path / "other"))
    assert snapshot.snapshot_id in restored.withdrawn("china_customs_reported")


def test_an_unfinished_download_is_not_in_a_backup(home: Path, tmp_path: Path) -> None:
    folder = home / "landing" / "comtrade" / "comtrade-20261128T000000000000-abcdef01"
    folder.mkdir(parents=True)
    (folder / "part.json").write_text("{}")
    kido(home, "backup", tmp_path / "backups")
    kido(tmp_path / "other", "restore", tmp_path / "backups")
    assert not (tmp_path / "other" / "landing" / "comtrade").exists()


def test_what_was_asked_is_known_after_a_restore(home: Path, tmp_path: Path) -> None:
    from dagster_project.intake.ledger import Ask

    settings = Settings.load(home=home)
    asked_at = datetime.now(UTC).replace(microsecond=0, tzinfo=None)
    Ledger(landing_of(settings), "ecb").record(Ask(document="EXR", asked_at=asked_at, answer="ok"))
    kido(home, "backup", tmp_path / "backups")
    kido(tmp_path / "other", "restore", tmp_path / "backups")
    (ask,) = Ledger(landing_of(Settings.load(home=tmp_path / "other")), "ecb").asks()
    assert (ask.document, ask.asked_at) == ("EXR", asked_at)


def test_what_is_landed_after_a_restore_is_compared_with_what_was_known(
    home: Path, tmp_path: Path
) -> None:
    """The lake is rebuilt by the restore: without it no file would look like a mistake."""
    flows = [
        Flow(392, partner, "M", "280530", "2024", 1e6 + partner, 3e5) for partner in (156, 704)
    ]
    right, wrong = tmp_path / "right.json", tmp_path / "wrong.json"
    right.write_bytes(as_json([*flows, world_total(flows)]))
    thousandfold = [
        Flow(392, partner, "M", "280530", "2024", 1e9 + partner, 3e5) for partner in (156, 704)
    ]
    wrong.write_bytes(as_json([*thousandfold, world_total(thousandfold)]))
    kido(home, "land", "comtrade", right)
    message = refused(home, "land", "comtrade", wrong)
    kido(home, "backup", tmp_path / "backups")
    kido(tmp_path / "other", "restore", tmp_path / "backups")
    assert refused(tmp_path / "other", "land", "comtrade", wrong) == message


def test_killed_at_any_moment_it_leaves_the_earlier_backup(home: Path, tmp_path: Path) -> None:
    backups, counted = Path(f"{home}-backups"), tmp_path / "counted"
    kido(home, "backup", backups)
    (earlier,) = (path.stem for path in (backups / "backups").glob("*.json"))
    before = content(home)
    (home / "quarantine" / "ecb" / "new.txt").write_text("new")
    number = changes(home, "backup", str(Path(shutil.copytree(backups, f"{home}-calm"))),
                     counted=counted)  # fmt: skip
    for moment in range(1, number + 1, number // times(at_night=6, by_day=2)):
        copy = Path(shutil.copytree(backups, f"{home}-killed-{moment}"))
        kill(home, "backup", str(copy), moment=moment, counted=counted)
        other = tmp_path / f"other-{moment}"
        kido(other, "restore", copy, "--backup", earlier)
        assert content(other) == before
        kido(home, "backup", copy)
        assert not list((copy / "files").glob(".*"))
        assert "all as they were backed up" in kido(home, "restore", copy, "--check").output


def test_a_killed_restore_can_be_repeated(home: Path, tmp_path: Path) -> None:
    kido(home, "backup", tmp_path / "backups")
    other, counted = tmp_path / "other", tmp_path / "counted"
    kill(other, "restore", str(tmp_path / "backups"), moment=9, counted=counted)
    assert [path.name for path in other.iterdir()] == [".restoring"]
    kido(other, "restore", tmp_path / "backups")
    assert content(other) == content(home)
    assert not (other / ".restoring").exists()


@pytest.mark.parametrize("which", [0, -1], ids=["an old one", "the last one"])
def test_a_damaged_record_stops_no_backup_and_loses_nothing(
    home: Path, tmp_path: Path, which: int
) -> None:
    backups, passing = tmp_path / "backups", home / "quarantine" / "ecb" / "passing"
    for number in range(2):
        passing.write_text(f"of day {number}")
        kido(home, "backup", backups)
    damaged = sorted((backups / "backups").glob("*.json"))[which]
    intact = damaged.read_bytes()
    damaged.write_bytes(intact[:-1])
    passing.write_text("of day 2")
    result = kido(home, "backup", backups, "--keep", 1)
    assert (result.exit_code, f"{damaged} is damaged" in result.output) == (0, True)
    kido(tmp_path / "newest", "restore", backups)
    assert (tmp_path / "newest/quarantine/ecb/passing").read_text() == "of day 2"
    # Whoever mends the record has its backup again; whoever removes it, the room.
    damaged.write_bytes(intact)
    kido(tmp_path / "mended", "restore", backups, "--backup", damaged.stem)
    damaged.unlink()
    assert "is damaged" not in kido(home, "backup", backups, "--keep", 1).output
    texts = [path.read_bytes() for path in (backups / "files").glob("*/*")]
    assert [f"of day {number}".encode() in texts for number in range(3)] == [0, 0, 1]


def test_a_file_of_the_same_time_and_another_size_is_copied(home: Path, tmp_path: Path) -> None:
    rejected = home / "quarantine" / "ecb" / "x" / "reason.txt"
    kido(home, "backup", tmp_path / "backups")
    before = rejected.stat().st_mtime_ns
    rejected.write_text("another text")
    os.utime(rejected, ns=(before, before))
    kido(home, "backup", tmp_path / "backups")
    kido(tmp_path / "other", "restore", tmp_path / "backups")
    assert content(tmp_path / "other") == content(home)


def test_a_database_that_is_removed_meanwhile_ends_no_backup(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = shutil.copy(database(home), database(home).with_name("old.db"))
    connect = sqlite3.connect

    def remove_first(name: str, *arguments: Any, **options: Any) -> sqlite3.Connection:
        if "old.db" in str(name):
            Path(old).unlink()
        return connect(name, *arguments, **options)

    with monkeypatch.context() as patched:
        patched.setattr(sqlite3, "connect", remove_first)
        assert kido(home, "backup", tmp_path / "backups").exit_code == 0
    assert not Path(old).exists()
    kido(tmp_path / "other", "restore", tmp_path / "backups")
    assert runs(tmp_path / "other") == ["first"]


def test_the_first_publication_during_a_backup_is_in_it(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dagster_project.orchestration import backup

    @contextlib.contextmanager
    def published_before(settings: Settings) -> Iterator[None]:
        settings.published_file.write_bytes(b"the first release")
        yield

    monkeypatch.setattr(backup, "release_lock", published_before)
    kido(home, "backup", tmp_path / "backups")
    kido(tmp_path / "other", "restore", tmp_path / "backups")
    assert (tmp_path / "other" / "kido.duckdb").read_bytes() == b"the first release"


@pytest.mark.parametrize("arguments", [(), ("--check",)], ids=["restore", "check"])
def test_a_backup_that_is_read_is_not_removed_meanwhile(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    from dagster_project.lake.backup_folder import BackupFolder

    damaged, refusals = BackupFolder.damaged, []

    def meanwhile(self: BackupFolder, record: Any) -> list[str]:
        refusals.append(refused(home, "backup", tmp_path / "backups", "--keep", "1"))
        return damaged(self, record)

    kido(home, "backup", tmp_path / "backups")
    monkeypatch.setattr(BackupFolder, "damaged", meanwhile)
    assert kido(tmp_path / "o", "restore", tmp_path / "backups", *arguments).exit_code == 0
    (message,) = refusals
    assert "Another backup or restore is running" in message
    assert kido(home, "backup", tmp_path / "backups").exit_code == 0


def test_a_restore_that_was_killed_without_a_lake_is_not_taken_for_whole(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dagster_project.orchestration import backup

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    other = tmp_path / "other"
    kido(home, "backup", tmp_path / "backups")
    with monkeypatch.context() as patched:
        patched.setattr(backup, "conform", killed)
        assert CliRunner().invoke(
            app, ["restore", str(tmp_path / "backups")], env={"KIDO_HOME": str(other)}
        ).exit_code  # fmt: skip
    assert (other / "landing").exists()
    message = refused(other, "restore", tmp_path / "backups")
    assert message.startswith(f"{other} is restored in part: the restore was killed.")
    shutil.rmtree(other)
    kido(other, "restore", tmp_path / "backups")
    assert content(other) == content(home)
    assert "is not empty" in refused(other, "restore", tmp_path / "backups")


def test_the_calls_of_today_are_counted_on_after_a_restore(home: Path, tmp_path: Path) -> None:
    with time_machine.travel("2026-11-29T10:00:00Z", tick=False):
        send = counter(home / "intake", "comtrade", 3)
        send()
        send()
        kido(home, "backup", tmp_path / "backups")
        kido(tmp_path / "other", "restore", tmp_path / "backups")
        assert sent_today(tmp_path / "other" / "intake", "comtrade") == 2
        send_again = counter(tmp_path / "other" / "intake", "comtrade", 3)
        send_again()
        with pytest.raises(QuotaError):
            send_again()
    (record,) = (tmp_path / "backups/backups").glob("*.json")
    kept = [name for name in json.loads(record.read_text())["files"] if name.startswith("intake/")]
    assert kept == ["intake/comtrade-calls-2026-11-29"]


def test_the_record_says_which_code_made_it(home: Path, tmp_path: Path) -> None:
    from dagster_project.serving.publication import CONTRACT_VERSION

    kido(home, "backup", tmp_path / "backups")
    (record,) = (tmp_path / "backups/backups").glob("*.json")
    told = json.loads(record.read_text())
    assert told["contract_version"] == CONTRACT_VERSION
    assert date.fromisoformat(told["made_at"][:10])
    assert CHECKOUT.name not in record.read_text()


def test_a_record_of_a_later_version_is_refused(home: Path, tmp_path: Path) -> None:
    import hashlib

    kido(home, "backup", tmp_path / "backups")
    (record,) = (tmp_path / "backups/backups").glob("*.json")
    outside = {"../../out": {"sha256": "0", "bytes": 0, "modified_ns": 0}}
    for change in ({"format": 2}, {"files": outside}):
        payload = json.dumps({**json.loads(record.read_text()), **change}).encode()
        name = f"20991231T000000-{hashlib.sha256(payload).hexdigest()[:8]}"
        record.with_name(f"{name}.json").write_bytes(payload)
        message = refused(tmp_path / "o", "restore", tmp_path / "backups", "--backup", name)
        assert "was written by another version of Kido" in message
