"""The published file changes by one rename, keeps its comments, and can go back."""

import contextlib
import errno
import os
import random
import shutil
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from dagster_project import words
from dagster_project.errors import BlockedError, DamagedError, PublicationError
from dagster_project.orchestration import dbt_runner
from dagster_project.serving import publication
from dagster_project.settings import Settings
from tests.conftest import CHECKOUT
from tests.nightly import nightly, times
from tests.unit.serving.test_dictionary import node

START = datetime(2026, 11, 25, 12)
TODAY = START.date()
FIRST = publication.new_release(START, TODAY, "0.1.0")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.load(home=tmp_path / "home")


def build(
    folder: Path, release: publication.Release, close: float, snapshots: Sequence[str] = ()
) -> Path:
    """A build file with the published schemas, a private one, comments and a constraint."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{release.release_id}.duckdb"
    with duckdb.connect(str(path)) as connection:
        for schema in (*publication.PUBLISHED_SCHEMAS, "staging"):
            connection.execute(f"create schema {schema}")
            connection.execute(f"create table {schema}.something as select 1 as one")
        connection.execute(
            f"create table market.prices as select 'USDJPY' as instrument, {close}::double as close"
        )
        connection.execute("alter table market.prices alter column instrument set not null")
        connection.execute("comment on table market.prices is 'One row per instrument''s day.'")
        connection.execute("comment on column market.prices.close is 'Yen per dollar.'")
        connection.execute(
            "create table catalog.releases (release_id varchar, published_at timestamp, "
            "as_of date, contract_version varchar, code_version varchar, duckdb_version varchar, "
            "built_on date, scope varchar, accepted_at timestamp, accepted_losses varchar)"
        )
        connection.register(
            "release", pl.DataFrame([release.model_dump(exclude={"contents"})]).to_arrow()
        )
        connection.execute("insert into catalog.releases by name from release")
        connection.execute(
            "create table catalog.snapshots as select unnest(?::varchar[]) as snapshot_id, "
            "'ecb' as source, 'rates.csv' as document",
            [list(snapshots)],
        )
    return path


def manifest_of_builds() -> Mapping[str, Any]:
    """The manifest of a project that builds these files and describes the rest of the catalog."""
    sources = dbt_runner.load_manifest()["sources"]
    return {
        "nodes": {schema: node(f"{schema}.something", "one") for schema in words.SCHEMAS},
        "sources": {key: each for key, each in sources.items() if each["source_name"] == "catalog"},
    }


def completing(build_file: Path) -> Callable[[publication.Release], None]:
    """Writes the release into a build file, as it is judged and with the time of publication."""

    def complete(release: publication.Release) -> None:
        with duckdb.connect(str(build_file)) as connection:
            connection.execute(
                "delete from catalog.releases where release_id = ?", [release.release_id]
            )
            connection.register(
                "release", pl.DataFrame([release.model_dump(exclude={"contents"})]).to_arrow()
            )
            connection.execute("insert into catalog.releases by name from release")

    return complete


def publish(
    settings: Settings, minute: int, close: float, *snapshots: str, as_of: date = TODAY
) -> publication.Release:
    moment = START + timedelta(minutes=minute)
    release = publication.new_release(moment, as_of, "0.1.0")
    path = build(settings.build_dir, release, close, snapshots)
    return publication.publish(settings, path, release, completing(path), moment)


def published_close(settings: Settings) -> float:
    return close_in(settings.published_file)


def close_in(file: Path) -> float:
    with duckdb.connect(str(file), read_only=True) as connection:
        (close,) = connection.execute("select close from market.prices").fetchone() or (0.0,)
    return float(close)


def replay(home: Path, day: date, close: float, inputs: str | None = None) -> Settings:
    """The settings of a replay that was published."""
    settings = Settings.load(home=home, as_of=day)
    settings.started_on = START.date()
    release = publication.new_release(START, day, "0.1.0")
    path = build(settings.build_dir, release, close)
    publication.publish_replay(settings, path, release, completing(path), START, inputs)
    return settings


def state(settings: Settings) -> tuple[str, list[str], list[str]]:
    """The current release, those that were published, and those that can be gone back to."""
    current = publication.current_release(settings)
    names = [release.release_id for release in publication.published_releases(settings)]
    kept = [name for name in names if publication.is_kept(settings, name)]
    return current.release_id if current else "", names, kept


def test_only_the_published_schemas_come_out_with_comments_and_constraints(
    settings: Settings,
) -> None:
    publish(settings, 0, 150.0)
    with duckdb.connect(str(settings.published_file), read_only=True) as connection:
        schemas = {
            row[0]
            for row in connection.execute(
                "select distinct schema_name from duckdb_tables()"
            ).fetchall()
        }
        assert schemas == set(publication.PUBLISHED_SCHEMAS)
        assert connection.execute(
            "select comment from duckdb_tables() where table_name = 'prices'"
        ).fetchone() == ("One row per instrument's day.",)
        assert connection.execute(
            "select comment, is_nullable from duckdb_columns() where table_name = 'prices' "
            "order by column_index"
        ).fetchall() == [(None, False), ("Yen per dollar.", True)]


def for_readers_alone(build_file: Path) -> Path:
    """The same build as one without private tables, in the readers' format."""
    path = build_file.with_name(f"fit-{build_file.name}")
    with duckdb.connect() as connection:
        connection.execute(f"attach '{build_file}' as original (read_only)")
        connection.execute(f"attach '{path}' as fit (storage_version 'v1.0.0')")
        connection.execute("copy from database original to fit")
        connection.execute("drop schema fit.staging cascade")
    return path


@pytest.mark.parametrize("is_fit", [False, True], ids=["copied", "duplicated"])
def test_a_view_is_published_with_its_comments_and_reads_the_file_it_lies_in(
    tmp_path: Path, is_fit: bool
) -> None:
    """Whatever the file is called, and attached beside the file of another day."""
    build_file = build(tmp_path / "build", FIRST, 150.5)
    with duckdb.connect(str(build_file)) as connection:
        connection.execute("create view market.dear as select * from market.prices where close > 1")
        connection.execute("comment on view market.dear is 'One row per dear day.'")
        connection.execute("comment on column market.dear.close is 'Yen.'")
    if is_fit:
        build_file = for_readers_alone(build_file)
    target = tmp_path / "as-of-2025.duckdb"
    publication.copy_marts(build_file, target)
    assert (target.read_bytes() == build_file.read_bytes()) == is_fit
    with duckdb.connect() as connection:
        connection.execute(f"attach '{target}' as past (read_only)")
        assert connection.execute("from past.market.dear").fetchall() == [("USDJPY", 150.5)]
        assert connection.execute(
            "select comment from duckdb_views() where view_name = 'dear'"
        ).fetchall() == [("One row per dear day.",)]
        assert connection.execute(
            "select comment from duckdb_columns() where table_name = 'dear' order by column_index"
        ).fetchall() == [(None,), ("Yen.",)]


def test_a_build_with_nothing_private_is_published_as_it_is(tmp_path: Path) -> None:
    build_file = for_readers_alone(build(tmp_path / "build", FIRST, 150.5))
    target = tmp_path / "published.duckdb"
    publication.copy_marts(build_file, target)
    assert target.read_bytes() == build_file.read_bytes()


def test_what_was_dropped_in_a_build_is_not_published(tmp_path: Path) -> None:
    """Dropped rows stay in a DuckDB file, in blocks that are free; a reader could dig them out."""
    build_file = for_readers_alone(build(tmp_path / "build", FIRST, 150.5))
    with duckdb.connect(str(build_file)) as connection:
        connection.execute(
            "create table market.quotes as "
            "select 'secret' || hash(i) as text from range(300000) as rows (i)"
        )
        # It keeps the file from being cut behind what is free.
        connection.execute(
            "create table market.behind as select hash(i) from range(9999) as rows (i)"
        )
    with duckdb.connect(str(build_file)) as connection:
        connection.execute("drop table market.quotes")
    assert b"secret" in build_file.read_bytes()
    target = tmp_path / "published.duckdb"
    publication.copy_marts(build_file, target)
    assert b"secret" not in target.read_bytes()
    assert target.stat().st_size < build_file.stat().st_size / 2
    with duckdb.connect(str(target), read_only=True) as connection:
        assert connection.execute("from market.prices").fetchall() == [("USDJPY", 150.5)]


def test_the_file_is_in_the_storage_format_that_duckdb_1_1_opens(settings: Settings) -> None:
    publish(settings, 0, 150.0)
    header = settings.published_file.read_bytes()[:20]
    assert header[8:12] == b"DUCK"
    # DuckDB 1.0 and 1.1 read storage version 64; newer formats carry larger numbers.
    assert struct.unpack("<Q", header[12:20]) == (64,)


def test_a_reader_with_the_file_open_keeps_its_release_and_blocks_nothing(
    settings: Settings,
) -> None:
    publish(settings, 0, 150.0)
    with settings.published_file.open("rb") as reader:
        before = reader.read()
        publish(settings, 1, 151.0)
        reader.seek(0)
        assert reader.read() == before
    assert published_close(settings) == 151.0


@pytest.mark.parametrize("sharing", ["done", "refused", "said to be done"])
def test_who_writes_into_one_file_changes_no_other(
    sharing: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The published file and the release kept of it are two files, also where blocks are shared."""

    def copies_nothing(*_: object) -> int:
        if sharing == "refused":
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        return 0

    if sharing != "done":
        monkeypatch.setattr(os, "copy_file_range", copies_nothing, raising=False)
    release = publish(settings, 1, 150.0)
    kept = settings.releases_dir / release.release_id / "kido.duckdb"
    before = kept.read_bytes()
    assert settings.published_file.read_bytes() == before
    with duckdb.connect(str(settings.published_file)) as reader:
        reader.execute("create table trade.own_notes as select 'changed' as note")
    assert kept.read_bytes() == before
    publish(settings, 2, 160.0)
    published = settings.published_file.read_bytes()
    with duckdb.connect(str(kept)) as reader:
        reader.execute("create table trade.own_notes as select 'changed' as note")
    assert settings.published_file.read_bytes() == published


def test_five_releases_are_kept_and_one_can_go_back_step_by_step(settings: Settings) -> None:
    releases = [publish(settings, minute, 150.0 + minute) for minute in range(7)]
    kept = sorted(path.name for path in settings.releases_dir.iterdir() if path.is_dir())
    assert kept == [release.release_id for release in releases[-5:]]
    assert publication.rollback(settings).release_id == releases[-2].release_id
    assert published_close(settings) == 155.0
    assert publication.rollback(settings).release_id == releases[-3].release_id
    assert published_close(settings) == 154.0
    assert publication.rollback(settings, releases[-1].release_id) == releases[-1]
    assert published_close(settings) == 156.0


def test_going_back_too_far_reports_it_and_changes_nothing(settings: Settings) -> None:
    only = publish(settings, 0, 150.0)
    with pytest.raises(PublicationError, match="no earlier release"):
        publication.rollback(settings)
    with pytest.raises(PublicationError, match=f"Kept: {only.release_id}"):
        publication.rollback(settings, "20200101T000000-abcdef")
    assert published_close(settings) == 150.0


def test_what_a_killed_publication_left_is_swept_and_never_published(settings: Settings) -> None:
    publish(settings, 0, 150.0)
    leftover = settings.releases_dir / ".new-20261125T120100-abcdef"
    leftover.mkdir()
    (leftover / "kido.duckdb").write_bytes(b"half a file")
    (settings.home / ".kido.duckdb.12345678").write_bytes(b"half a copy")
    assert [release.as_of for release in publication.published_releases(settings)] == [
        date(2026, 11, 25)
    ]
    publish(settings, 1, 151.0)
    assert not leftover.exists()
    assert not (settings.home / ".kido.duckdb.12345678").exists()


def test_a_build_without_a_published_schema_is_refused(settings: Settings) -> None:
    release = publication.new_release(START, date(2026, 11, 25), "0.1.0")
    path = build(settings.build_dir, release, 150.0)
    with duckdb.connect(str(path)) as connection:
        connection.execute("drop schema exposure cascade")
    with pytest.raises(PublicationError, match="exposure"):
        publication.publish(settings, path, release, completing(path), START)
    assert not settings.published_file.exists()


def test_the_same_build_published_again_is_the_same_release(settings: Settings) -> None:
    release = publication.new_release(START, date(2026, 11, 25), "0.1.0")
    path = build(settings.build_dir, release, 150.0)
    publication.publish(settings, path, release, completing(path), START)
    publish(settings, 1, 151.0)
    publication.publish(settings, path, release, completing(path), START)
    assert published_close(settings) == 150.0
    assert len(publication.published_releases(settings)) == 2


# What may take the place of what readers see.


def test_a_blocked_build_leaves_everything_as_it_is(settings: Settings) -> None:
    publish(settings, 0, 150.0)
    before, file = state(settings), settings.published_file.read_bytes()
    release = publication.new_release(START + timedelta(minutes=1), date(2026, 11, 25), "0.1.0")
    path = build(settings.build_dir, release, 151.0)

    def approve(release: publication.Release) -> publication.Release:
        raise BlockedError("Half of it would go.")

    with pytest.raises(BlockedError, match="Half of it"):
        publication.publish(settings, path, release, completing(path), START, approve=approve)
    assert state(settings) == before
    assert settings.published_file.read_bytes() == file
    assert not list(settings.releases_dir.glob(".new-*"))


def test_what_was_accepted_is_on_record_in_the_file_and_beside_it(settings: Settings) -> None:
    publish(settings, 0, 150.0)
    release = publication.new_release(START + timedelta(minutes=1), date(2026, 11, 25), "0.1.0")
    path = build(settings.build_dir, release, 151.0)
    accepted = {"accepted_at": START, "accepted_losses": "Half of it would go."}
    publication.publish(
        settings, path, release, completing(path), START,
        approve=lambda release: release.model_copy(update=accepted),
    )  # fmt: skip
    with duckdb.connect(str(settings.published_file), read_only=True) as connection:
        assert connection.execute(
            "select accepted_at, accepted_losses from catalog.releases where release_id = ?",
            [release.release_id],
        ).fetchall() == [(START, "Half of it would go.")]
    for found in (
        publication.current_release(settings),
        publication.published_releases(settings)[-1],
    ):
        assert found is not None
        assert found.accepted_losses == "Half of it would go."


def rolled_back(settings: Settings) -> tuple[str, tuple[str, ...]] | None:
    found = publication.rolled_back(settings)
    return (found.release.release_id, found.brought_by) if found else None


def test_a_release_that_was_gone_back_from_is_noted_with_what_brought_it(
    settings: Settings,
) -> None:
    publish(settings, 0, 150.0, "a", "gone")
    second = publish(settings, 1, 151.0, "a", "b", "c")
    assert rolled_back(settings) is None
    publication.rollback(settings)
    assert rolled_back(settings) == (second.release_id, ("b", "c"))
    note = publication.rolled_back(settings)
    assert note is not None
    assert note.made_from == ("a", "b", "c")
    publish(settings, 2, 152.0, "a")
    assert rolled_back(settings) is None


def test_going_forward_again_clears_the_note(settings: Settings) -> None:
    first = publish(settings, 0, 150.0, "a")
    second = publish(settings, 1, 151.0, "a", "b")
    publication.rollback(settings)
    publication.rollback(settings, second.release_id)
    assert rolled_back(settings) is None
    third = publish(settings, 2, 152.0, "a", "b", "c")
    assert rolled_back(settings) is None
    # Nor is an old note taken for what was gone back from now.
    publication.rollback(settings, first.release_id)
    assert rolled_back(settings) == (third.release_id, ("b", "c"))


def test_who_goes_back_twice_has_gone_back_from_the_newest(settings: Settings) -> None:
    first, second, third = (
        publish(settings, minute, 150.0 + minute, *"abc"[: minute + 1]) for minute in range(3)
    )
    publication.rollback(settings)
    publication.rollback(settings)
    assert publication.current_release(settings) == first
    assert rolled_back(settings) == (third.release_id, ("b", "c"))
    publication.rollback(settings, second.release_id)
    assert rolled_back(settings) == (third.release_id, ("c",))
    publication.rollback(settings, third.release_id)
    assert rolled_back(settings) is None


def test_a_past_day_published_as_today_hides_nothing(settings: Settings) -> None:
    """A build of today is compared with the last of its own day, rolled back or not."""
    last = publication.last_for_build_day
    first = publish(settings, 0, 1.0, "a")
    rolled_back = publish(settings, 1, 2.0, "a", "b")
    publication.rollback(settings)
    for minute in range(2, 3 + publication.RELEASES_KEPT):
        publish(settings, minute, 9.0, as_of=date(2025, 10, 20))
        assert published_close(settings) == 9.0
        assert last(settings) == first
        (file,) = publication.last_files_for_build_day(settings)
        assert close_in(file) == 1.0
        note = publication.rolled_back(settings)
        assert note is not None
        assert note.release == rolled_back
    _, _, kept = state(settings)
    assert len(kept) == publication.RELEASES_KEPT
    assert kept[0] == first.release_id
    # Back to today, it counts like any other.
    today = publish(settings, 12, 3.0, "a")
    assert last(settings) == today
    kept = settings.releases_dir / today.release_id / "kido.duckdb"
    assert publication.last_files_for_build_day(settings) == [kept, settings.published_file]
    assert publication.rolled_back(settings) is None


def test_before_the_first_release_of_its_own_day_there_is_none(settings: Settings) -> None:
    assert publication.last_files_for_build_day(settings) == []
    publish(settings, 0, 9.0, as_of=date(2025, 10, 20))
    assert publication.last_files_for_build_day(settings) == []


def test_a_build_that_a_newer_one_has_overtaken_is_not_published(settings: Settings) -> None:
    def refuse(release: publication.Release) -> publication.Release:
        raise AssertionError("what is not published is not judged")

    oldest = publish(settings, -1, 0.5)
    older = publication.new_release(START, START.date(), "0.1.0")
    path = build(settings.build_dir, older, 1.0)
    newer = publish(settings, 1, 2.0)
    published = publication.publish(settings, path, older, completing(path), START, approve=refuse)
    assert published == newer
    assert published_close(settings) == 2.0
    names = [oldest.release_id, newer.release_id]
    assert state(settings) == (newer.release_id, names, names)
    # Of what readers see after going back, it is the newer.
    publication.rollback(settings)
    assert (
        publication.publish(settings, path, older, completing(path), START).release_id
        == older.release_id
    )
    assert published_close(settings) == 1.0


def test_a_release_that_lists_no_snapshots_can_be_gone_back_to(settings: Settings) -> None:
    """One of an earlier version of Kido."""
    first = publish(settings, 0, 150.0)
    file = settings.releases_dir / first.release_id / "kido.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute("drop table catalog.snapshots")
    second = publish(settings, 1, 151.0, "a")
    publication.rollback(settings)
    assert published_close(settings) == 150.0
    assert rolled_back(settings) == (second.release_id, ("a",))


# A day beside today.


def test_a_replay_is_published_beside_the_file_that_readers_hold(settings: Settings) -> None:
    publish(settings, 0, 150.0)
    before, bytes_before = state(settings), settings.published_file.read_bytes()
    for number in range(10):
        replay(settings.home, date(2025, 10, 1 + number), 100.0 + number)
    assert state(settings) == before
    assert settings.published_file.read_bytes() == bytes_before
    files = sorted((settings.home / "as_of").glob("*.duckdb"))
    assert [file.name for file in files] == [
        f"kido-2025-10-{day:02}.duckdb" for day in range(1, 11)
    ]
    assert [close_in(file) for file in files] == [100.0 + number for number in range(10)]


def test_a_replay_remembers_what_it_was_made_from_as_long_as_its_file_is_that_one(
    settings: Settings,
) -> None:
    day = date(2025, 10, 20)
    made = replay(settings.home, day, 100.0, inputs="first")
    assert publication.replay_inputs(made) == "first"
    assert publication.current_inputs(made) is None
    other = Settings.load(home=settings.home, as_of=date(2025, 10, 21))
    assert publication.replay_inputs(other) is None
    record = made.replay_file.with_suffix(".json").read_bytes()
    replay(settings.home, day, 101.0, inputs="second")
    assert publication.replay_inputs(made) == "second"
    # The record of another release than the one in the file is ignored.
    made.replay_file.with_suffix(".json").write_bytes(record)
    assert publication.replay_inputs(made) is None


# One write decides.


class StopError(Exception):
    """The process is gone."""


def stops_at(moment: int, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let the process be gone before its `moment`-th write that others can see; lists them."""
    writes: list[str] = []

    def counted(name: str, write: Callable[..., Any]) -> Callable[..., Any]:
        def stopping(*arguments: Any, **options: Any) -> Any:
            writes.append(f"{name} {Path(str(arguments[0])).name}")
            if len(writes) >= moment:
                raise StopError
            return write(*arguments, **options)

        return stopping

    monkeypatch.setattr(publication.os, "replace", counted("replace", os.replace))
    monkeypatch.setattr(publication, "_duplicate", counted("copy", publication._duplicate))
    monkeypatch.setattr(publication.shutil, "rmtree", counted("remove", shutil.rmtree))
    monkeypatch.setattr(Path, "unlink", counted("unlink", Path.unlink))
    return writes


@pytest.mark.parametrize(
    "what",
    [
        "publish",
        *(pytest.param(what, marks=nightly) for what in ("publish again", "rollback", "replay")),
    ],
)
def test_a_stop_between_any_two_writes_leaves_the_state_before_or_the_one_after(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = Settings.load(home=tmp_path / "original")
    for minute in range(5):
        publish(original, minute, 150.0 + minute)
    moment = START + timedelta(minutes=9)
    release = publication.new_release(moment, date(2026, 11, 25), "0.1.0")
    first = publication.published_releases(original)[0]

    def act(settings: Settings) -> None:
        if what == "rollback":
            publication.rollback(settings)
        elif what == "publish again":
            none = settings.build_dir / "none"
            publication.publish(settings, none, first, completing(none), moment)
        elif what == "publish":
            path = build(settings.build_dir, release, 160.0)
            publication.publish(settings, path, release, completing(path), moment, "inputs")
        else:
            replay(settings.home, date(2025, 10, 20), 100.0, "inputs")

    outcomes = set()
    # By day before every third write; the last pass is the one that nothing stops.
    for stop in range(1, 100, times(at_night=1, by_day=3)):
        settings = Settings.load(home=tmp_path / f"{what}-{stop}")
        shutil.copytree(original.home, settings.home)
        before = state(settings)
        replayed = Settings.load(home=settings.home, as_of=date(2025, 10, 20))
        replayed.started_on = START.date()
        with monkeypatch.context() as patch:
            writes = stops_at(stop, patch)
            with contextlib.suppress(StopError):
                act(settings)
        after = state(settings)
        current, names, kept = after
        if what == "replay":
            assert after == before
            is_done = replayed.replay_file.exists()
            assert publication.replay_inputs(replayed) == ("inputs" if is_done else None)
        else:
            is_done = current != before[0]
            expected = {"rollback": before[1][-2], "publish again": first.release_id}
            assert current == (expected.get(what, release.release_id) if is_done else before[0])
            news = [release.release_id] if is_done and what == "publish" else []
            assert [name for name in names if name in before[1] or name in news] == names
            assert set(news) <= set(kept)
            inputs = "inputs" if news else None
            assert publication.current_inputs(settings) == inputs
            # The note of the rolled-back release is valid from the same write on.
            assert (publication.rolled_back(settings) is not None) == (
                is_done and what == "rollback"
            )
        outcomes.add(is_done)
        # The next publication completes unfinished folders, and keeps five.
        publish(settings, 30, 170.0)
        assert published_close(settings) == 170.0
        assert len(state(settings)[2]) == 5
        assert not list(settings.releases_dir.glob(".new-*"))
        assert not list(settings.releases_dir.glob(".gone-*"))
        assert not list(settings.home.glob(".kido*"))
        if len(writes) < stop:
            break
    assert outcomes == {False, True}
    assert stop > 3


def test_the_note_of_the_current_release_ignores_another_file(settings: Settings) -> None:
    """It spares opening the file; what is in the file decides."""
    first, second = publish(settings, 0, 150.0), publish(settings, 1, 151.0)
    for release in (first, second):
        (settings.releases_dir / release.release_id / "inputs").write_text(release.release_id)
    assert publication.current_inputs(settings) == second.release_id
    shutil.copyfile(
        settings.releases_dir / first.release_id / "kido.duckdb", settings.published_file
    )
    assert publication.current_inputs(settings) == first.release_id
    settings.published_file.unlink()
    assert publication.current_inputs(settings) is None


def test_a_home_of_an_earlier_version_keeps_its_releases_and_its_inputs(
    settings: Settings,
) -> None:
    first, second = publish(settings, 0, 150.0), publish(settings, 1, 151.0)
    # This was the pointer to the current release.
    (settings.releases_dir / "current").write_text(second.release_id)
    (settings.releases_dir / second.release_id / "inputs").write_text("hash")
    assert publication.current_inputs(settings) == "hash"
    assert publication.rollback(settings).release_id == first.release_id
    assert publication.current_inputs(settings) is None
    assert publication.rollback(settings, second.release_id) == second
    assert publication.current_inputs(settings) == "hash"


PUBLISH_MANY = """
import sys
from pathlib import Path
from tests.unit.serving import test_publication as this
settings = this.Settings.load(home=Path(sys.argv[1]))
for number in range(12):
    this.publish(settings, int(sys.argv[2]) + number, 150.0)
    if number % 4 == 3:
        newest = this.publication.published_releases(settings)[-1]
        this.publication.rollback(settings, newest.release_id)
"""


@nightly
def test_two_processes_that_publish_and_go_back_at_once_both_end_well(tmp_path: Path) -> None:
    home = tmp_path / "home"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", PUBLISH_MANY, str(home), first],
            cwd=CHECKOUT, stderr=subprocess.PIPE, text=True,
        )
        for first in ("0", "500")
    ]  # fmt: skip
    for process in processes:
        _, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors
    settings = Settings.load(home=home)
    current, _, kept = state(settings)
    assert current in kept
    assert len(kept) == 5
    assert {path.name for path in settings.releases_dir.glob("[!.]*")} == set(kept)
    assert not list(settings.releases_dir.glob(".new-*"))


PUBLISH_ON = """
import sys
from pathlib import Path
from tests.unit.serving import test_publication as this
settings = this.Settings.load(home=Path(sys.argv[1]))
for number in range(1000):
    release = this.publish(settings, int(sys.argv[2]) + number, 150.0)
    print(release.release_id, flush=True)
"""


def test_kill_9_at_any_moment_lists_no_release_that_no_reader_saw(tmp_path: Path) -> None:
    chance = random.Random(20260206)
    settings = Settings.load(home=tmp_path / "home")
    for turn in range(times(at_night=5, by_day=1)):
        process = subprocess.Popen(
            [sys.executable, "-c", PUBLISH_ON, str(settings.home), str(1000 * turn)],
            cwd=CHECKOUT, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert process.stdout is not None
        published = [process.stdout.readline().strip()]
        time.sleep(chance.uniform(0, 0.5))
        process.kill()
        published += process.stdout.read().split()
        process.wait()
        current, names, kept = state(settings)
        # It was killed before the last one was printed, or after.
        assert current == published[-1] or current == names[-1] > published[-1]
        assert names[-1] == current
        assert set(published[-4:]) <= set(kept)
        assert published_close(settings) == 150.0


# Its small records.


@pytest.mark.parametrize("fault", ["cut", "empty", "another day"])
def test_a_damaged_record_of_a_kept_release_is_named(fault: str, settings: Settings) -> None:
    first = publish(settings, 0, 1.0)
    publish(settings, 1, 2.0)
    record = settings.releases_dir / first.release_id / "release.json"
    content = record.read_bytes()
    changed = {
        "cut": content[:40],
        "empty": b"",
        "another day": content.replace(b"2026-11-25", b"2026-11-24"),
    }
    record.write_bytes(changed[fault])
    with pytest.raises(DamagedError) as raised:
        publication.rollback(settings)
    assert str(raised.value).startswith(f"{record} ")
    assert "Restore it from a backup, or remove its folder" in str(raised.value)
    assert published_close(settings) == 2.0
    shutil.rmtree(record.parent)
    assert [kept.release_id for kept in publication.published_releases(settings)]


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b'{"release_id": 7}'])
def test_a_damaged_record_of_the_current_release_is_written_again(
    content: bytes, settings: Settings
) -> None:
    release = publish(settings, 0, 1.0)
    record = settings.releases_dir / publication.CURRENT
    whole = record.read_bytes()
    record.write_bytes(content)
    assert publication.current_release(settings) == release
    assert publication.current_inputs(settings) is None
    with publication.release_lock(settings):
        assert record.read_bytes() == whole


def test_a_damaged_record_of_a_rollback_is_named(settings: Settings) -> None:
    first = publish(settings, 0, 1.0, "a")
    publish(settings, 1, 2.0, "a", "b")
    publication.rollback(settings)
    record = settings.releases_dir / first.release_id / publication.ROLLED_BACK
    record.write_bytes(record.read_bytes()[:-20])
    with pytest.raises(DamagedError, match=publication.ROLLED_BACK):
        publication.rolled_back(settings)


def test_the_error_of_a_publication_is_not_hidden_by_a_damaged_file(settings: Settings) -> None:
    publish(settings, 0, 1.0)
    later = START + timedelta(minutes=5)
    second = publication.new_release(later, TODAY, "0.1.0")
    path = build(settings.build_dir, second, 2.0)

    def fail(_: publication.Release) -> None:
        settings.published_file.write_bytes(b"no database")
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space left on device"):
        publication.publish(settings, path, second, fail, later)
