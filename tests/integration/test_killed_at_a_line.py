"""Killed (SIGKILL) at any line, a command leaves the state before it or the one after it.

At night, at each line of the modules that change a home (`killing`). By day each of these is killed
in `test_undo_killed`, `test_gate_killed` or `tests/unit/serving/test_publication.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from dagster_project.orchestration import builds
from dagster_project.serving import publication
from dagster_project.settings import Settings
from tests.integration.killing import changes, kill_at_every_line
from tests.integration.test_gate_killed import accept, waiting_build
from tests.integration.test_undo_killed import RIGHT, SLIP, Scene, after_days, ids, values
from tests.nightly import nightly
from tests.unit.serving import test_publication as of_releases

pytestmark = nightly

Record = Callable[[str, object], None]


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def published_twice(home: Path) -> Settings:
    settings = Settings.load(home=home)
    of_releases.publish(settings, 0, 150.0, "a")
    of_releases.publish(settings, 1, 160.0, "a", "b")
    return settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return published_twice(tmp_path / "home")


def test_a_landing_killed_at_any_line(scene: Scene, record_property: Record) -> None:
    command = ["land", "comtrade", *scene.slip]

    def check(home: Path) -> None:
        landed = len(ids(home))
        assert values(home) == (RIGHT if landed == 1 else RIGHT | SLIP)
        scene.run(home, *command)
        assert len(ids(home)) == 2
        assert values(home) == RIGHT | SLIP
        after_days(home)

    kill_at_every_line(scene.home, command, check, record_property)


def test_a_withdrawal_killed_at_any_line(scene: Scene, record_property: Record) -> None:
    scene.run(scene.home, "land", "comtrade", *scene.slip)
    before, slip = ids(scene.home)
    command = ["withdraw", slip, "--because", "a slip"]

    def check(home: Path) -> None:
        landed = ids(home)
        assert landed in ([before], [before, slip])
        assert values(home) == (RIGHT if landed == [before] else RIGHT | SLIP)
        scene.run(home, *command)
        assert values(home) == RIGHT
        after_days(home)

    kill_at_every_line(scene.home, command, check, record_property)


def publish(release_id: str) -> None:
    """Publish a release of this id, as a build does when all is checked."""
    settings = Settings.load()
    release = publication.new_release(of_releases.START, of_releases.TODAY, "0.1.0").model_copy(
        update={"release_id": release_id}
    )
    file = settings.build_dir / f"{release_id}.duckdb"
    publication.publish(
        settings, file, release, of_releases.completing(file), of_releases.START, "inputs"
    )


def test_a_publication_killed_at_any_line(settings: Settings, record_property: Record) -> None:
    release = publication.new_release(
        of_releases.START + timedelta(minutes=2), of_releases.TODAY, "0.1.0"
    )
    of_releases.build(settings.build_dir, release, 170.0, ["a", "b"])
    before, names, _ = of_releases.state(settings)

    def check(home: Path) -> None:
        left = Settings.load(home=home)
        current, listed, kept = of_releases.state(left)
        is_done = current == release.release_id
        assert is_done or current == before
        assert of_releases.published_close(left) == (170.0 if is_done else 160.0)
        assert listed == kept == ([*names, current] if is_done else names)
        changes(home, release.release_id, counted=home.parent / "counted", act=publish)
        assert of_releases.state(left)[0] == release.release_id
        assert of_releases.published_close(left) == 170.0

    kill_at_every_line(
        settings.home, [release.release_id], check, record_property, act=publish, name="publish"
    )


def test_a_rollback_killed_at_any_line(settings: Settings, record_property: Record) -> None:
    second, names, _ = of_releases.state(settings)

    def check(home: Path) -> None:
        left = Settings.load(home=home)
        current, listed, kept = of_releases.state(left)
        assert listed == kept == names
        assert of_releases.published_close(left) == (160.0 if current == second else 150.0)
        publication.rollback(left, names[0])
        assert of_releases.published_close(left) == 150.0

    kill_at_every_line(settings.home, ["rollback"], check, record_property)


def test_an_acceptance_killed_at_any_line(settings: Settings, record_property: Record) -> None:
    release = waiting_build(settings)
    before, names, _ = of_releases.state(settings)

    def check(home: Path) -> None:
        left = Settings.load(home=home)
        current, listed, kept = of_releases.state(left)
        is_done = current == release.release_id
        assert is_done or current == before
        assert listed == kept == ([*names, current] if is_done else names)
        assert of_releases.published_close(left) == (170.0 if is_done else 150.0)
        if builds.blocked_builds(left.build_dir):
            changes(home, release.release_id, counted=home.parent / "counted", act=accept)
        assert of_releases.state(left)[0] == release.release_id
        assert of_releases.published_close(left) == 170.0
        assert builds.blocked_builds(left.build_dir) == []
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(builds, "NEW_FOR_S", 0)
            builds.sweep(left.build_dir)  # as a build does, a minute later

    kill_at_every_line(
        settings.home, [release.release_id], check, record_property, act=accept, name="accept"
    )
