"""Killed at any moment, an acceptance or a rollback leaves the release before it or the one after.

The files are small: what readers are told first needs marts that they have not.
"""

from __future__ import annotations

import shutil
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace

import duckdb
import pytest

from dagster_project.errors import DamagedReleaseError
from dagster_project.orchestration import builds
from dagster_project.serving import publication
from dagster_project.settings import Settings
from tests.integration.killing import changes, kill_at_seeded_moments
from tests.nightly import times
from tests.unit.serving.test_publication import (
    START,
    build,
    manifest_of_builds,
    publish,
    published_close,
    rolled_back,
    state,
)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """The home of a warehouse that was published twice; 'b' brought the second release."""
    found = Settings.load(home=tmp_path / "home")
    publish(found, 0, 150.0, "a")
    publish(found, 1, 160.0, "a", "b")
    return found


def accept(release: str) -> None:
    """The step that `kido accept` runs."""
    import dagster as dg

    from dagster_project.orchestration import publication_assets
    from dagster_project.orchestration.resources import Warehouse

    found = SimpleNamespace(importer="Japan")
    for name, instead in (
        ("answers", found),
        ("answers_markdown", ""),
        ("headline", ""),
        ("numbers", {}),
    ):
        setattr(publication_assets, name, lambda *_, instead=instead: instead)
    dg.materialize(
        [publication_assets.published_asset(manifest_of_builds())],
        resources={"warehouse": Warehouse()},
        run_config={"ops": {"published__warehouse": {"config": {"accept": release}}}},
    )


def accepted(settings: Settings) -> list[str | None]:
    with duckdb.connect(str(settings.published_file), read_only=True) as connection:
        found = connection.execute(
            "select accepted_losses from catalog.releases order by release_id"
        ).fetchall()
    return [losses for (losses,) in found]


def blocked(settings: Settings) -> list[str]:
    return [build.release.release_id for build in builds.blocked_builds(settings.build_dir)]


def waiting_build(settings: Settings) -> publication.Release:
    """Go back to the first release; a build with the snapshot of the second waits."""
    publication.rollback(settings)
    release = publication.new_release(START + timedelta(minutes=2), date(2026, 11, 25), "0.1.0")
    waiting = builds.Build(settings.build_dir / "waiting")
    waiting.start(release, "inputs", "models")
    shutil.move(build(settings.build_dir, release, 170.0, ["a", "b"]), waiting.file)
    for stage in builds.STAGES:
        waiting.keep_checks(stage, [])
    waiting.seal()
    waiting.block("What was rolled back.")
    return release


def test_an_acceptance_killed_at_any_moment_has_published_the_build_or_not(
    settings: Settings,
) -> None:
    release = waiting_build(settings)
    before = state(settings)
    seen = set()

    def check(home: Path) -> None:
        left = Settings.load(home=home)
        current, names, kept = state(left)
        is_done = current == release.release_id
        seen.add(is_done)
        assert names == ([*before[1], release.release_id] if is_done else before[1])
        assert current in kept
        assert published_close(left) == (170.0 if is_done else 150.0)
        assert (rolled_back(left) is None) == is_done
        assert bool(blocked(left)) or is_done
        # The same again: it is published, once, with what was accepted.
        if blocked(left):
            changes(home, release.release_id, counted=home.parent / "counted", act=accept)
        current, names, kept = state(left)
        assert current == release.release_id
        assert names == kept == [*before[1], release.release_id]
        assert published_close(left) == 170.0
        *earlier, losses = accepted(left)
        assert earlier == [None, None]
        assert losses is not None
        assert "was rolled back on" in losses
        assert publication.current_inputs(left) == "inputs"
        assert blocked(left) == []
        assert not list(left.releases_dir.glob(".new-*"))

    kill_at_seeded_moments(
        14, settings.home, [release.release_id], check, act=accept,
        kills=times(at_night=20, by_day=4),
    )  # fmt: skip
    assert seen == {True, False}


def test_an_acceptance_killed_after_it_published_can_be_repeated(settings: Settings) -> None:
    release = waiting_build(settings)
    waiting = builds.Build(settings.build_dir / "waiting")
    counted = settings.home.parent / "counted"
    changes(settings.home, release.release_id, counted=counted, act=accept)
    waiting.block("What was rolled back.")  # as if this had not been removed yet
    before = state(settings)
    changes(settings.home, release.release_id, counted=counted, act=accept)
    assert state(settings) == before
    assert blocked(settings) == []


def test_a_rollback_killed_at_any_moment_has_gone_back_or_not(settings: Settings) -> None:
    second, names, _ = state(settings)
    seen = set()

    def check(home: Path) -> None:
        left = Settings.load(home=home)
        current, listed, kept = state(left)
        is_done = current != second
        seen.add(is_done)
        assert current in names
        assert listed == kept == names
        assert published_close(left) == (150.0 if is_done else 160.0)
        # What brought the release that is gone back from is known from the same write on.
        assert rolled_back(left) == ((second, ("b",)) if is_done else None)
        publication.rollback(left, names[0])
        assert published_close(left) == 150.0
        assert rolled_back(left) == (second, ("b",))
        assert not list(home.glob(".kido*"))

    kill_at_seeded_moments(15, settings.home, ["rollback"], check)
    assert seen == {True, False}


def test_the_rollback_of_a_damaged_file_killed_at_any_moment_restores_it(
    settings: Settings,
) -> None:
    second, names, _ = state(settings)
    settings.published_file.write_bytes(settings.published_file.read_bytes()[:4096])
    seen = set()

    def check(home: Path) -> None:
        left = Settings.load(home=home)
        try:
            is_done = publication.current_release(left) is not None
        except DamagedReleaseError:
            is_done = False
            assert publication.rollback(left).release_id == second
        seen.add(is_done)
        assert state(left) == (second, names, names)
        assert published_close(left) == 160.0
        publication.rollback(left, names[0])
        assert published_close(left) == 150.0
        assert not list(home.glob(".kido*"))

    kill_at_seeded_moments(16, settings.home, ["rollback"], check, kills=4)
    assert seen == {True, False}
