"""What readers, publications, landings and withdrawals do at the same time.

Two builds at once are in `tests/e2e/test_beside_today.py`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import duckdb
import pytest

from dagster_project.intake.stores import landing_of
from dagster_project.serving import publication
from dagster_project.settings import Settings
from tests.e2e.conftest import start_kido
from tests.fakes.comtrade import as_json
from tests.forked import context
from tests.integration.test_undo_killed import OTHER, RIGHT, SLIP, Scene, ids, settings_of, values
from tests.kinds_of_files import files_by_kind
from tests.nightly import times
from tests.unit.serving import test_publication as of_releases

Record = Callable[[str, object], None]

READERS = times(at_night=8, by_day=2)
RELEASES = times(at_night=20, by_day=5)
PATIENCE_S = 120


def read_again_and_again(file: Path, said: Path, end: Path) -> None:
    """Open the published file until `end` exists; write release, close and snapshot each time."""
    with said.open("a") as lines:
        while not end.exists():
            try:
                with duckdb.connect(str(file), read_only=True) as connection:
                    (release,) = connection.execute(
                        "select max(release_id) from catalog.releases"
                    ).fetchone() or ("",)
                    (close,) = connection.execute("select close from market.prices").fetchone() or (
                        0.0,
                    )
                    (snapshot,) = connection.execute(
                        "select snapshot_id from catalog.snapshots"
                    ).fetchone() or ("",)
                lines.write(f"{release} {close:g} {snapshot}\n")
            except Exception as error:
                lines.write(f"failed: {error!r}\n")
            lines.flush()


def test_no_reader_sees_an_error_a_mixture_or_an_older_release_again(
    tmp_path: Path, record_property: Record
) -> None:
    settings, end = Settings.load(home=tmp_path / "home"), tmp_path / "end"
    release = of_releases.publish(settings, 0, 0.0, "0")
    published = [f"{release.release_id} 0 0"]
    outputs = [tmp_path / f"reader-{number}.txt" for number in range(READERS)]
    readers = [
        context.Process(
            target=read_again_and_again, args=(settings.published_file, output, end), daemon=True
        )
        for output in outputs
    ]
    for reader in readers:
        reader.start()
    try:
        for number in range(1, RELEASES + 1):
            # Each reader has begun again since the last publication.
            wait_for(lambda: all(file.exists() for file in outputs))
            before = [file.stat().st_size for file in outputs]
            wait_for(
                lambda before=before: all(
                    file.stat().st_size > size for file, size in zip(outputs, before, strict=True)
                )
            )
            release = of_releases.publish(settings, number, float(number), str(number))
            published.append(f"{release.release_id} {number} {number}")
        wait_for(lambda: all(published[-1] in file.read_text() for file in outputs))
    finally:
        end.touch()
        for reader in readers:
            reader.join(PATIENCE_S)
    seen = [file.read_text().splitlines() for file in outputs]
    for lines in seen:
        assert set(lines) <= set(published)
        assert lines == sorted(lines)
        assert len(set(lines)) > RELEASES // 2
    record_property(
        f"times that {READERS} readers read {RELEASES + 1} releases", sum(map(len, seen))
    )
    assert publication.current_release(settings) == release


def wait_for(is_done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not is_done():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def rounds() -> int:
    return times(at_night=10, by_day=2)


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def at_once(home: Path, *commands: Sequence[str]) -> list[int]:
    """Start the commands at the same time; their exit codes."""
    ends = [command.wait() for command in [start_kido(home, *command) for command in commands]]
    for end in ends:
        assert "Traceback" not in end.stderr, end.stderr
    return [end.returncode for end in ends]


def test_two_landings_at_once_are_both_landed_once(scene: Scene, record_property: Record) -> None:
    other = scene.folder / "other.json"
    other.write_bytes(as_json(OTHER))
    slip, further = ["land", "comtrade", *scene.slip], ["land", "comtrade", str(other)]
    calm = scene.copy(scene.home, "calm")
    for command in (slip, further):
        scene.run(calm, *command)
    for number in range(rounds()):
        home = scene.copy(scene.home, f"round-{number}")
        assert at_once(home, slip, further, slip) == [0, 0, 0]
        assert len(ids(home)) == 3
        assert values(home) == RIGHT | SLIP | {("USA", 50.0)}
        assert files_by_kind(home) == files_by_kind(calm)
    record_property("rounds of three landings at once", rounds())


def test_a_landing_and_a_withdrawal_at_once_both_count(
    scene: Scene, record_property: Record
) -> None:
    scene.run(scene.home, "land", "comtrade", *scene.slip)
    before, slip = ids(scene.home)
    other = scene.folder / "other.json"
    other.write_bytes(as_json(OTHER))
    withdraw = ["withdraw", slip, "--because", "a slip"]
    for number in range(rounds()):
        home = scene.copy(scene.home, f"round-{number}")
        assert at_once(home, withdraw, ["land", "comtrade", str(other)]) == [0, 0]
        (first, _) = ids(home)
        assert first == before
        assert values(home) == RIGHT | {("USA", 50.0)}
    record_property("rounds of a landing and a withdrawal at once", rounds())


def test_bytes_that_are_landed_while_they_are_withdrawn_stay_withdrawn(
    scene: Scene, record_property: Record
) -> None:
    scene.run(scene.home, "land", "comtrade", *scene.slip)
    before, slip = ids(scene.home)
    withdraw = ["withdraw", slip, "--because", "a slip"]
    codes = set()
    for number in range(rounds()):
        home = scene.copy(scene.home, f"round-{number}")
        withdrawn, landed = at_once(home, withdraw, ["land", "comtrade", *scene.slip])
        assert withdrawn == 0
        codes.add(landed)
        assert ids(home) == [before]
        assert values(home) == RIGHT
        assert list(landing_of(settings_of(home)).withdrawn("comtrade")) == [slip]
    # It was landed already, or it had been withdrawn.
    assert codes <= {0, 1}
    record_property("rounds of a landing and a withdrawal of the same bytes", rounds())
