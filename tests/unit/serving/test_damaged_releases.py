"""A damaged published file is replaced by the kept copy; a full disk leaves nothing."""

from __future__ import annotations

import errno
import logging
import os
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import NoReturn

import duckdb
import pytest

from dagster_project import cli
from dagster_project.errors import (
    DamagedError,
    DamagedReleaseError,
    KidoError,
    PublicationError,
)
from dagster_project.serving import damage as damages
from dagster_project.serving import publication
from dagster_project.serving.query import run_query
from dagster_project.settings import Settings
from tests.unit.serving.test_publication import (
    START,
    TODAY,
    build,
    completing,
    publish,
    published_close,
    state,
)


def cut(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 2)


def flip_header(file: Path) -> None:
    flip(file, 8)


def flip(file: Path, position: int) -> None:
    with file.open("r+b") as opened:
        opened.seek(position)
        (byte,) = opened.read(1)
        opened.seek(position)
        opened.write(bytes([byte ^ 1]))


def flip_a_block(file: Path) -> None:
    """A bit of the rows of a table, so that the file can be opened."""
    position = file.read_bytes().index(b"USDJPY")
    flip(file, position)


def empty(file: Path) -> None:
    file.write_bytes(b"")


def replace_by_text(file: Path) -> None:
    file.write_bytes(b"no database\n" * 1000)


DAMAGES = [cut, flip_header, empty, replace_by_text]
Damage = Callable[[Path], None]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.load(home=tmp_path / "home")


def kept(settings: Settings, release: publication.Release) -> Path:
    return settings.releases_dir / release.release_id / "kido.duckdb"


@pytest.mark.parametrize("damage", [*DAMAGES, flip_a_block])
def test_a_rollback_replaces_a_damaged_file_by_the_copy_of_its_release(
    settings: Settings, damage: Damage, caplog: pytest.LogCaptureFixture
) -> None:
    publish(settings, 0, 150.0)
    second = publish(settings, 1, 151.0)
    before = state(settings)
    damage(settings.published_file)
    assert publication.rollback(settings) == second
    assert settings.published_file.read_bytes() == kept(settings, second).read_bytes()
    assert state(settings) == before
    (message,) = [record.getMessage() for record in caplog.records]
    assert message == (
        f"{settings.published_file} was damaged: it is release {second.release_id} again."
    )
    # The next one goes back.
    publication.rollback(settings)
    assert published_close(settings) == 150.0


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_publication_replaces_a_damaged_file(settings: Settings, damage: Damage) -> None:
    first = publish(settings, 0, 150.0)
    damage(settings.published_file)
    second = publish(settings, 1, 151.0)
    assert published_close(settings) == 151.0
    assert state(settings) == (second.release_id, *[[first.release_id, second.release_id]] * 2)


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_without_any_copy_does_not_stop_a_publication(
    settings: Settings, damage: Damage
) -> None:
    publish(settings, 0, 150.0)
    shutil.rmtree(settings.releases_dir)
    damage(settings.published_file)
    publish(settings, 1, 151.0)
    assert published_close(settings) == 151.0
    assert settings.published_file.with_name("kido.duckdb.damaged").exists()


def write_another_database(file: Path) -> None:
    file.unlink()
    with duckdb.connect(str(file)) as connection:
        connection.execute("create table mine as select 42 as answer")


def replace_by_a_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


@pytest.mark.parametrize("damage", [write_another_database, replace_by_a_folder])
def test_what_is_no_file_of_kido_is_put_aside_and_the_copy_restored(
    settings: Settings, damage: Damage
) -> None:
    """Nothing that is there is lost, not even what was put aside before."""
    publish(settings, 0, 150.0)
    second = publish(settings, 1, 151.0)
    aside = settings.published_file.with_name("kido.duckdb.damaged")
    aside.write_text("of last year")
    damage(settings.published_file)
    assert publication.rollback(settings) == second
    assert published_close(settings) == 151.0
    assert aside.read_text() == "of last year"
    assert aside.with_name(f"{aside.name}.2").exists()
    damage(settings.published_file)
    publish(settings, 2, 152.0)
    assert published_close(settings) == 152.0


def test_a_copy_whose_record_is_damaged_is_passed_over(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    first = publish(settings, 0, 150.0)
    second = publish(settings, 1, 151.0)
    empty(kept(settings, second).with_name("release.json"))
    cut(settings.published_file)
    with pytest.raises(DamagedError, match="remove its folder"):
        publication.rollback(settings)
    assert publication.current_release(settings) == first
    assert f"release {first.release_id} again" in caplog.text


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("command", [["query", "from catalog.releases"], ["tables"], ["answers"]])
def test_a_reader_of_a_damaged_file_gets_the_remedy_in_a_sentence(
    settings: Settings, damage: Damage, command: list[str], monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    publish(settings, 0, 150.0)
    damage(settings.published_file)
    monkeypatch.setenv("KIDO_HOME", str(settings.home))
    monkeypatch.setattr("sys.argv", ["kido", *command])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 1
    sentence = " ".join(capsys.readouterr().err.split())
    assert sentence == (
        f"kido: {settings.published_file} is damaged: DuckDB cannot read it. "
        "kido rollback restores the kept copy; kido build makes a new one."
    )


@pytest.mark.parametrize("output", ["table", "csv", "json", "markdown"])
def test_a_query_that_meets_a_damaged_block_names_the_remedy(
    output: str,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("KIDO_HOME", str(settings.home))
    publish(settings, 0, 150.0)
    flip_a_block(settings.published_file)
    monkeypatch.setattr("sys.argv", ["kido", "query", "from market.prices", "--format", output])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 1
    assert " ".join(capsys.readouterr().err.split()) == (
        f"kido: {settings.published_file} is damaged: DuckDB cannot read it. "
        f"{publication.HOW_TO_REPLACE}"
    )


def test_a_query_that_is_wrong_does_not_read_the_whole_file(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That takes a second per 200 MB."""
    publish(settings, 0, 150.0)
    read: list[Path] = []
    monkeypatch.setattr(damages, "read_all", read.append)
    for query in ("from market.price", "select 'x'::int", "select"):
        with pytest.raises(KidoError), damages.naming_damage(settings.published_file, ""):
            run_query(settings.published_file, query)
    assert read == []


def test_a_file_that_is_in_use_is_not_damaged(settings: Settings) -> None:
    error = duckdb.IOException('IO Error: Could not set lock on file "x": Conflicting lock')
    found = publication.damaged(settings.published_file, error, "Restore it.")
    assert not isinstance(found, DamagedReleaseError)
    assert "another program has it open for writing" in str(found)
    assert "Restore it." not in str(found)


def test_damaged_copies_are_passed_over(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    first, second, third = (publish(settings, minute, 150.0 + minute) for minute in range(3))
    flip_a_block(kept(settings, second))
    with pytest.raises(DamagedReleaseError, match="is damaged"):
        publication.rollback(settings, second.release_id)
    assert publication.current_release(settings) == third
    assert publication.rollback(settings) == first
    assert published_close(settings) == 150.0
    assert f"The kept copy of release {second.release_id} is damaged" in caplog.text
    # Nor is a damaged copy used for a damaged file.
    publication.rollback(settings, third.release_id)
    cut(kept(settings, third))
    empty(settings.published_file)
    caplog.set_level(logging.WARNING)
    publication.restore_damaged(settings)
    assert publication.current_release(settings) == first


# A full disk.


def test_a_publication_that_fails_leaves_nothing(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(settings, 0, 150.0)
    before = state(settings)

    def full(*files: Path) -> NoReturn:
        files[-1].write_bytes(b"half of it")
        raise OSError(errno.ENOSPC, "No space left on device")

    release = publication.new_release(START + timedelta(minutes=1), TODAY, "0.1.0")
    path = build(settings.build_dir, release, 151.0)
    for broken in ("_duplicate", "_flush"):
        with monkeypatch.context() as context:
            context.setattr(publication, broken, full)
            with pytest.raises(OSError, match="No space left"):
                publication.publish(settings, path, release, completing(path), START)
        assert not list(settings.releases_dir.glob(".new-*"))
        assert not list(settings.home.glob(".kido*"))
        assert state(settings) == before
    publication.publish(settings, path, release, completing(path), START)
    assert published_close(settings) == 151.0


def test_records_that_were_being_written_go_with_the_next_publication(
    settings: Settings,
) -> None:
    first = publish(settings, 0, 150.0)
    leftovers = [
        settings.releases_dir / "..current.json.1a2b3c4d",
        settings.releases_dir / first.release_id / ".rolled-back.json.1a2b3c4d",
    ]
    for leftover in leftovers:
        leftover.write_bytes(b"{")
    publish(settings, 1, 151.0)
    assert not any(leftover.exists() for leftover in leftovers)


def test_only_a_damaged_replay_is_built_again(tmp_path: Path) -> None:
    from tests.unit.serving.test_publication import replay

    settings = replay(tmp_path / "home", TODAY - timedelta(days=30), 140.0, "inputs")
    assert publication.replay_inputs(settings) == "inputs"
    cut(settings.replay_file)
    assert publication.replay_inputs(settings) is None


def test_without_a_release_nothing_is_restored(settings: Settings) -> None:
    publication.restore_damaged(settings)
    assert not settings.published_file.exists()
    with pytest.raises(PublicationError, match="no earlier release"):
        publication.rollback(settings)
