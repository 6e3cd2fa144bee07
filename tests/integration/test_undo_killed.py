"""Killed at any moment, a landing or an undoing leaves the state before it or the one after."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dagster_project.cli import app
from dagster_project.intake import conform as conforming
from dagster_project.intake import withdraw
from dagster_project.intake.clean import clean_parts
from dagster_project.intake.conform import conform
from dagster_project.intake.stores import lake_of, landing_of
from dagster_project.lake.schemas import TRADE_FLOWS
from dagster_project.settings import Settings
from dagster_project.sources.registry import all_sources, source_named
from tests.fakes.comtrade import Flow, as_json, world_total
from tests.integration.killing import changes, kill, kill_at_seeded_moments
from tests.kinds_of_files import files_by_kind
from tests.nightly import nightly, times

COMTRADE = source_named("comtrade")
FIRST = [Flow(392, 156, "M", "280530", "2024", 700.0, 7.0)]
SECOND = [
    Flow(392, partner, "M", "280530", "2024", 100.0 + partner, 3.0) for partner in (156, 704, 276)
]

OTHER = [Flow(392, 842, "M", "284610", "2023", 50.0, 1.0)]


def files(folder: Path, flows: Sequence[Flow]) -> list[str]:
    """A file per flow and one with the world's total: together they are one snapshot."""
    folder.mkdir()
    found = []
    for number, flow in enumerate([*flows, world_total(list(flows))]):
        file = folder / f"{number}.json"
        file.write_bytes(as_json([flow]))
        found.append(str(file))
    return found


class Scene:
    """A home with one snapshot, and the commands that a test kills in copies of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.counted = folder / "counted"
        self.home = folder / "home"
        self.slip = files(folder / "slip", SECOND)
        self.run(self.home, "land", "comtrade", *files(folder / "right", FIRST))

    def run(self, home: Path, *arguments: str) -> None:
        """Run a command to its end: in this process, which is fast."""
        result = CliRunner().invoke(app, list(arguments), env={"KIDO_HOME": str(home)})
        assert result.exit_code == 0, result.output + str(result.exception)

    def copy(self, home: Path, name: str) -> Path:
        return Path(shutil.copytree(home, self.folder / name))


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def settings_of(home: Path) -> Settings:
    return Settings.load(home=home)


def ids(home: Path) -> list[str]:
    """The snapshots that count; each is whole and as it was received."""
    landing = landing_of(settings_of(home))
    found = landing.snapshots("comtrade")
    for snapshot in found:
        assert sum(len(payload) for payload in landing.payloads(snapshot)) == snapshot.bytes
    return [snapshot.snapshot_id for snapshot in found]


def values(home: Path) -> set[tuple[str, float]]:
    """What the next build would find: the rows of all that counts, checked and typed."""
    settings = settings_of(home)
    conform(settings, COMTRADE)
    assert lake_of(settings).snapshot_ids("comtrade") == set(ids(home))
    rows = lake_of(settings).rows(TRADE_FLOWS, "comtrade")
    return set() if rows is None else set(
        rows.select("partner_iso3", "value_usd").collect().iter_rows()
    )  # fmt: skip


def bytes_of(home: Path) -> dict[str, bytes]:
    """All files of the landing that were not written with the time of the moment."""
    folder = home / "landing"
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.parent.name != "comtrade"
    }


def after_days(home: Path) -> None:
    """What a build and `kido clean` remove days later."""
    settings = Settings.load(home=home)
    settings.keep_parts_days = 0  # kido clean
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(conforming, "STAGED_FOR", timedelta(0))
        conform(settings, COMTRADE)
    withdraw.sweep(settings, COMTRADE)
    list(clean_parts(settings, all_sources(), dry_run=False))


RIGHT = {("CHN", 700.0), ("WLD", 700.0)}
SLIP = {("CHN", 256.0), ("VNM", 804.0), ("DEU", 376.0), ("WLD", 1436.0)}


def test_a_landing_killed_at_any_moment_has_landed_the_file_or_not(scene: Scene) -> None:
    (before,) = ids(scene.home)
    command = ["land", "comtrade", *scene.slip]
    calm = scene.copy(scene.home, "undisturbed")
    scene.run(calm, *command)
    after_days(calm)
    seen = set()

    def check(home: Path) -> None:
        left = ids(home)
        assert left[0] == before
        assert len(left) in (1, 2)
        seen.add(len(left))
        assert values(home) == (RIGHT if len(left) == 1 else RIGHT | SLIP)
        # The same command again: the file is landed once.
        scene.run(home, *command)
        assert len(ids(home)) == 2
        assert values(home) == RIGHT | SLIP
        after_days(home)
        assert files_by_kind(home) == files_by_kind(calm)

    kill_at_seeded_moments(11, scene.home, command, check)
    assert seen == {1, 2}


@nightly
def test_files_of_different_slices_are_all_landed_or_none(scene: Scene) -> None:
    other = scene.folder / "other.json"
    other.write_bytes(as_json(OTHER))
    command = ["land", "comtrade", *scene.slip, str(other)]
    seen = set()

    def check(home: Path) -> None:
        left = ids(home)
        seen.add(len(left))
        assert values(home) == (RIGHT if len(left) == 1 else RIGHT | SLIP | {("USA", 50.0)})
        scene.run(home, *command)
        assert len(ids(home)) == 2
        assert values(home) == RIGHT | SLIP | {("USA", 50.0)}

    kill_at_seeded_moments(34, scene.home, command, check, kills=8)
    assert seen == {1, 2}


def test_a_withdrawal_killed_at_any_moment_has_withdrawn_or_not(scene: Scene) -> None:
    scene.run(scene.home, "land", "comtrade", *scene.slip)
    before, slip = ids(scene.home)
    command = ["withdraw", slip, "--because", "a slip"]
    after = scene.copy(scene.home, "after")
    scene.run(after, *command)
    assert values(after) == RIGHT
    seen = set()

    def check(home: Path) -> None:
        withdrawn = landing_of(settings_of(home)).withdrawn("comtrade")
        assert ids(home) == ([before] if withdrawn else [before, slip])
        seen.add(bool(withdrawn))
        assert values(home) == (RIGHT if withdrawn else RIGHT | SLIP)
        scene.run(home, *command)
        assert bytes_of(home) == bytes_of(after)
        assert ids(home) == [before]
        assert values(home) == RIGHT

    kill_at_seeded_moments(12, scene.home, command, check)
    assert seen == {True, False}


def test_an_undone_withdrawal_killed_at_any_moment_is_undone_or_not(scene: Scene) -> None:
    scene.run(scene.home, "land", "comtrade", *scene.slip)
    before, slip = ids(scene.home)
    landed = bytes_of(scene.home)
    scene.run(scene.home, "withdraw", slip, "--because", "a slip")
    command = ["reinstate", slip]
    seen = set()

    def check(home: Path) -> None:
        withdrawn = landing_of(settings_of(home)).withdrawn("comtrade")
        assert ids(home) == ([before] if withdrawn else [before, slip])
        seen.add(bool(withdrawn))
        assert values(home) == (RIGHT if withdrawn else RIGHT | SLIP)
        scene.run(home, *command)
        assert bytes_of(home) == landed
        assert values(home) == RIGHT | SLIP

    kill_at_seeded_moments(13, scene.home, command, check)
    assert seen == {True, False}


def test_a_withdrawal_that_was_killed_is_finished_by_the_next_ask_even_of_an_old_snapshot(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Folders without a record are swept after days: never with bytes of what is withdrawn."""
    (first,) = ids(scene.home)
    scene.run(scene.home, "withdraw", first, "--because", "a slip")
    away = bytes_of(scene.home)
    monkeypatch.setattr("dagster_project.lake.landing.LEFTOVER_AGE", timedelta(0))
    calm = scene.copy(scene.home, "calm")
    changed = changes(calm, "reinstate", first, counted=scene.counted)
    was_in_two_places = 0
    for moment in range(1, changed + 1, times(at_night=1, by_day=3)):
        home = scene.copy(scene.home, f"swept-{moment}")
        kill(home, "reinstate", first, moment=moment, counted=scene.counted)
        landing = landing_of(settings_of(home))
        if not landing.withdrawn("comtrade"):
            continue
        was_in_two_places += bytes_of(home) != away
        landing.sweep("comtrade")
        assert bytes_of(home) == away
    assert was_in_two_places
