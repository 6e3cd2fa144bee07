"""A disk that is full at any point of a command: a sentence, and the home as it was before.

Each command runs in copies of a small home on a file system of memory, with more and more bytes
free, until it succeeds. `tests/e2e/test_full_disk.py` has whole builds.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from dagster_project.lake.space import free_bytes
from dagster_project.orchestration import builds
from dagster_project.serving import publication
from dagster_project.settings import Settings
from tests.conftest import CHECKOUT
from tests.e2e.conftest import clean_environment
from tests.forked import context
from tests.integration.killing import Act, kido
from tests.integration.test_gate_killed import accept, waiting_build
from tests.integration.test_killed_at_a_line import publish, published_twice
from tests.integration.test_undo_killed import Scene, after_days, ids, values
from tests.kinds_of_files import files_by_kind
from tests.nightly import is_night, nightly
from tests.unit.serving import test_publication as of_releases

DISK_BYTES = 64_000_000
PAGE = 4096
"""The unit in which such a file system gives out room."""

ON_A_DISK = """
set -e
mount -t tmpfs -o size={size} tmpfs {disk}
{python} -c '
from tests.integration.test_full_disks import try_sizes
try_sizes("{name}", "{disk}", {step})'
"""

State = Callable[[Path], object]
"""What readers and the next build find in a home."""


@dataclass(frozen=True)
class Case:
    """A home, a command that changes it, and what is in the home."""

    home: Path
    arguments: Sequence[str]
    state: State
    act: Act = kido


def state_of_releases(home: Path) -> object:
    settings = Settings.load(home=home)
    builds.sweep(settings.build_dir)  # as the next build does
    return of_releases.state(settings), of_releases.published_close(settings)


def state_of_snapshots(home: Path) -> object:
    after_days(home)
    return ids(home)[:1], len(ids(home)), values(home)


def publication_case(folder: Path) -> Case:
    settings = published_twice(folder / "home")
    release = publication.new_release(
        of_releases.START + timedelta(minutes=2), of_releases.TODAY, "0.1.0"
    )
    of_releases.build(settings.build_dir, release, 170.0, ["a", "b"])
    return Case(settings.home, [release.release_id], state_of_releases, publish)


def rollback_case(folder: Path) -> Case:
    return Case(published_twice(folder / "home").home, ["rollback"], state_of_releases)


def acceptance_case(folder: Path) -> Case:
    settings = published_twice(folder / "home")
    release = waiting_build(settings)
    return Case(settings.home, [release.release_id], state_of_releases, accept)


def landing_case(folder: Path) -> Case:
    scene = Scene(folder)
    return Case(scene.home, ["land", "comtrade", *scene.slip], state_of_snapshots)


def withdrawal_case(folder: Path) -> Case:
    scene = Scene(folder)
    scene.run(scene.home, "land", "comtrade", *scene.slip)
    command = ["withdraw", ids(scene.home)[1], "--because", "a slip"]
    return Case(scene.home, command, state_of_snapshots)


CASES: Mapping[str, Callable[[Path], Case]] = {
    "publish": publication_case,
    "rollback": rollback_case,
    "accept": acceptance_case,
    "land": landing_case,
    "withdraw": withdrawal_case,
}


def run(home: Path, case: Case, output: Path) -> int:
    process = context.Process(target=_run, args=(home, case.act, case.arguments, output))
    process.start()
    process.join(300)
    assert process.exitcode is not None
    return process.exitcode


def _run(home: Path, act: Act, arguments: Sequence[str], output: Path) -> None:
    """Exit code 3 for an error that is not the sentence on a full disk."""
    from dagster_project.intake import land
    from dagster_project.lake import space

    space.LEAST_ROOM_TO_LAND = space.ROOM_PER_PAYLOAD = 0
    assert land.require_room_to_land is space.require_room_to_land
    os.environ["KIDO_HOME"] = str(home)
    written = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(written, stream.fileno())
    try:
        act(*arguments)
    except Exception as error:
        sentence = space.disk_full(error, [home])
        if sentence is None:
            raise
        print(sentence, flush=True)
        os._exit(2)
    os._exit(0)


def try_sizes(name: str, disk: str, step: int) -> None:
    """Run the command with more and more room until it succeeds; raises AssertionError."""
    folder, output = Path(disk), Path(f"{disk}.txt")
    (folder / "start").mkdir()
    case = CASES[name](folder / "start")
    calm = Path(shutil.copytree(case.home, folder / "calm"))
    before, kinds_before = case.state(calm), files_by_kind(calm)
    assert run(calm, case, output) == 0, output.read_text()
    after, kinds_after = case.state(calm), files_by_kind(calm)
    assert after != before
    shutil.rmtree(calm)
    room, failed, code = 0, 0, 2
    while code == 2:
        home = Path(shutil.copytree(case.home, folder / "home"))
        ballast = folder / "ballast"
        ballast.write_bytes(bytes(max(0, free_bytes(folder) - room)))
        code = run(home, case, output)
        assert code in (0, 2), f"{room} bytes free: {output.read_text()}"
        ballast.unlink()
        is_done = case.state(home) == after
        if code:
            failed += 1
            assert is_done or case.state(home) == before
            left = files_by_kind(home) - (kinds_before | kinds_after)
            unswept = [kind for kind in left if not kind.startswith("build/")]
            assert not unswept, f"{room} bytes free: {unswept}; {output.read_text()}"
            repeated = run(home, case, output)
            assert is_done or repeated == 0, output.read_text()
        assert case.state(home) == after
        assert files_by_kind(home) == kinds_after
        shutil.rmtree(home)
        # Every page of what is small, and a dozen sizes of what is large.
        room += max(PAGE, room // 4) * step
    print(f"{failed} full disks, of up to {room} bytes")


@pytest.mark.skipif(shutil.which("unshare") is None, reason="a mount needs unshare (Linux)")
@pytest.mark.parametrize(
    "name", [name if name == "rollback" else pytest.param(name, marks=nightly) for name in CASES]
)
def test_a_full_disk_ends_in_a_sentence_and_leaves_nothing(
    name: str, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    script = ON_A_DISK.format(
        size=DISK_BYTES, disk=disk, python=sys.executable, name=name, step=1 if is_night() else 16
    )
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script], cwd=CHECKOUT, capture_output=True, text=True,
        check=False, timeout=1500, env=clean_environment(),
    )  # fmt: skip
    if "mount:" in done.stderr or "unshare:" in done.stderr:
        pytest.skip(f"a small file system cannot be mounted here: {done.stderr[-200:]}")
    assert done.returncode == 0, done.stderr[-4000:]
    record_property(name, done.stdout.splitlines()[-1])
