"""A file that is landed while a build runs is in the next release, wherever the build was."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path

import pytest

from dagster_project.intake.stores import landing_of
from dagster_project.serving.gate import snapshots_of
from dagster_project.settings import Settings
from tests.e2e.conftest import run_kido, start_kido
from tests.nightly import nightly

PLACES = (
    "landed ecb", "typed ecb", "landed baci", "typed baci", "landed wgi", "typed wgi",
    "landed usgs_mcs", "typed usgs_mcs", "marts built",
)  # fmt: skip
"""Nine stages of a build, by the line that is printed at the end of each."""


def stop_at(place: str, reached: Path, go_on: Path) -> None:
    """Let this process stop at the end of a stage until `go_on` exists."""
    from dagster_project.orchestration.progress import StageHandler

    line_of = StageHandler._line_of

    def stopping(handler: StageHandler, event: object) -> str | None:
        line = line_of(handler, event)
        if line and line.startswith(f"{place} (") and not reached.exists():
            reached.touch()
            while not go_on.exists():
                time.sleep(0.05)
        return line

    StageHandler._line_of = stopping  # type: ignore[method-assign]


@nightly
@pytest.mark.parametrize("place", PLACES)
def test_a_file_landed_while_a_build_runs_is_in_the_next_release(
    place: str, home: Path, tmp_path: Path
) -> None:
    reached, go_on, file = tmp_path / "reached", tmp_path / "go", tmp_path / "rates.csv"
    file.write_text("Date,USD,JPY,CNY\n2026-11-26,1.1563,175.68,8.2326\n")
    landing = landing_of(Settings.load(home=home))
    before = {snapshot.snapshot_id for snapshot in landing.snapshots("ecb")}
    build = start_kido(home, "build", "--full", prepare=partial(stop_at, place, reached, go_on))
    try:
        while build.process.is_alive() and not reached.exists():
            time.sleep(0.05)
        assert reached.exists()
        landed = run_kido(home, "land", "ecb", str(file))
        assert landed.returncode == 0, landed.stderr
        assert build.process.is_alive()
    finally:
        go_on.touch()
    first = build.wait()
    assert first.returncode == 0, first.stderr
    second = run_kido(home, "build")
    assert second.returncode == 0, second.stderr
    (snapshot,) = {snapshot.snapshot_id for snapshot in landing.snapshots("ecb")} - before
    assert snapshot in snapshots_of(home / "kido.duckdb")
