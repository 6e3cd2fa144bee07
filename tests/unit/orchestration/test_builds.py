"""The last few blocked builds are kept for acceptance until a newer one is published."""

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from dagster_project.errors import DamagedError
from dagster_project.orchestration.builds import (
    MOST_BLOCKED,
    Build,
    blocked_builds,
    discard_blocked,
    leftovers,
    sweep,
)
from dagster_project.serving.publication import new_release
from tests.unit.orchestration.test_killed_runs import killed_process

START = datetime(2026, 11, 25, 12)


@pytest.fixture
def builds(tmp_path: Path) -> list[Build]:
    """Five builds by processes that are gone, oldest first; the folders' names say nothing."""
    gone = killed_process()
    found = []
    for minute, name in enumerate("dbeac"):
        build = Build(tmp_path / name)
        build.claim(gone)
        release = new_release(START + timedelta(minutes=minute), date(2026, 11, 25), "0.1.0")
        build.start(release, "inputs", "models")
        build.file.write_bytes(b"a build")
        found.append(build)
    return found


def test_a_blocked_build_reports_its_losses_and_is_swept_by_nobody(
    builds: list[Build], tmp_path: Path
) -> None:
    first, second, *_ = builds
    second.block("Half of it would go.")
    assert second.blocked_for == "Half of it would go."
    assert first.blocked_for is None
    assert blocked_builds(tmp_path) == [second]
    sweep(tmp_path)
    assert blocked_builds(tmp_path) == [second]
    assert second.release.release_id.startswith("20261125T120100")
    assert {path.name for path in tmp_path.iterdir()} == {second.directory.name}


def test_the_last_three_blocked_builds_are_kept(builds: list[Build], tmp_path: Path) -> None:
    for build in reversed(builds):
        build.block("Half of it would go.")
    assert blocked_builds(tmp_path) == builds[-3:]
    assert set(leftovers(tmp_path)) == {build.directory for build in builds[:-3]}
    sweep(tmp_path)
    assert blocked_builds(tmp_path) == builds[-3:]
    assert MOST_BLOCKED == 3


def test_a_publication_discards_builds_that_were_blocked_before_it(
    builds: list[Build], tmp_path: Path
) -> None:
    for build in (builds[0], builds[2], builds[4]):
        build.block("Half of it would go.")
    discard_blocked(tmp_path, builds[1].release.release_id)
    assert blocked_builds(tmp_path) == [builds[2], builds[4]]
    discard_blocked(tmp_path, builds[2].release.release_id)
    assert blocked_builds(tmp_path) == [builds[4]]
    assert builds[0].directory in leftovers(tmp_path)


def test_a_mark_without_a_build_file_blocks_nothing(tmp_path: Path) -> None:
    build = Build(tmp_path / "half")
    build.block("Half of it would go.")
    assert blocked_builds(tmp_path) == []


def test_results_of_checks_with_a_flipped_bit_are_named(builds: list[Build]) -> None:
    build, *_ = builds
    build.keep_checks("dbt", [])
    record = build.directory / "checks-dbt.json"
    content = record.read_bytes()
    record.write_bytes(content.replace(b"checks", b"checkr", 1))
    with pytest.raises(DamagedError) as raised:
        build.checks("dbt")
    assert str(raised.value) == (
        f"{record} was changed after it was written. Remove the folder {build.directory}; "
        "kido build makes such a build again."
    )
    record.write_bytes(content)
    assert build.checks("dbt") == []
