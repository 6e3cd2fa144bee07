"""What changes a home, in a process of its own that is killed at a chosen moment.

A moment is a change of a file, or a line of a module that changes files.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from types import FrameType
from typing import Any, Literal

from tests.conftest import CHECKOUT
from tests.forked import context
from tests.kinds_of_files import files_by_kind
from tests.nightly import is_night

NEVER = 0
Act = Callable[..., None]
Moments = Literal["changes", "lines"]
"""Before each change of a file of the home; at each line of CHANGING that finds a home changed
since the line before: between two of these, a kill leaves the same files."""

CHANGING = tuple(
    str(CHECKOUT / "dagster_project" / module)
    for module in (
        "intake/conform.py", "intake/land.py", "intake/source_lock.py", "intake/withdraw.py",
        "lake/landing.py", "lake/records.py", "lake/store.py", "lake/tables.py",
        "orchestration/builds.py", "orchestration/publication_assets.py",
        "serving/publication.py",
    )
)  # fmt: skip
"""The modules that change the home."""

_CHANGES = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.link", "os.truncate"}
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


def kido(*arguments: str) -> None:
    """A command as at a terminal."""
    from dagster_project.cli import app

    app(list(arguments), standalone_mode=False)


def _run(
    act: Act, arguments: Sequence[str], environment: Mapping[str, str], moments: Moments, last: int
) -> None:
    os.environ.update(environment)
    count = 0

    def reached() -> None:
        nonlocal count
        count += 1
        if count == last:
            os.kill(os.getpid(), signal.SIGKILL)

    {"changes": _watch_changes, "lines": _watch_lines}[moments](environment["KIDO_HOME"], reached)
    act(*arguments)
    sys.settrace(None)
    Path(environment["COUNTED"]).write_text(str(count))
    os._exit(0)


def _watch_changes(home: str, reached: Callable[[], None]) -> None:
    def watch(event: str, given: tuple[object, ...]) -> None:
        is_change = event in _CHANGES or (
            event == "open" and isinstance(given[2], int) and given[2] & _WRITING
        )
        if is_change and str(given[0]).startswith(home):
            reached()

    sys.addaudithook(watch)


def _watch_lines(home: str, reached: Callable[[], None]) -> None:
    before = _files_in(home)

    def watch(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal before
        if frame.f_code.co_filename not in CHANGING:
            return None
        if event == "line":
            files = _files_in(home)
            if files != before:
                before = files
                reached()
        return watch

    threading.settrace(watch)
    sys.settrace(watch)


def _files_in(folder: str) -> list[tuple[str, int, int, int]]:
    """Path, inode, size and time of each file and folder."""
    files = []
    with contextlib.suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in entries:
            with contextlib.suppress(FileNotFoundError):
                status = entry.stat(follow_symlinks=False)
                is_folder = entry.is_dir(follow_symlinks=False)
                size, time = (0, 0) if is_folder else (status.st_size, status.st_mtime_ns)
                files.append((entry.path, status.st_ino, size, time))
                if is_folder:
                    files += _files_in(entry.path)
    return sorted(files)


def moments_of(
    home: Path, *arguments: str, counted: Path, act: Act = kido, moments: Moments = "changes"
) -> int:
    """Run it to its end; how many moments it has."""
    assert _exit_code(home, act, arguments, moments, NEVER, counted) == 0
    return int(counted.read_text())


def changes(home: Path, *arguments: str, counted: Path, act: Act = kido) -> int:
    """Run it to its end; how many changes it made to the files of a home."""
    return moments_of(home, *arguments, counted=counted, act=act)


def kill(
    home: Path, *arguments: str, moment: int, counted: Path, act: Act = kido,
    moments: Moments = "changes",
) -> None:  # fmt: skip
    """Run it and kill it (SIGKILL) at the moment of that number, the first being 1."""
    assert _exit_code(home, act, arguments, moments, moment, counted) == -signal.SIGKILL


def kill_at_seeded_moments(
    seed: int, start: Path, arguments: Sequence[str], check: Callable[[Path], None],
    act: Act = kido, kills: int = 20,
) -> None:  # fmt: skip
    """Kill it at moments of all it changes, in copies of a home; `check` looks at what is left.

    By day at the first change, at the last and, of many `kills`, at one between.
    """
    folder, counted = start.parent, start.parent / "counted"
    changed = changes(
        Path(shutil.copytree(start, folder / "calm")), *arguments, counted=counted, act=act
    )
    assert changed > kills // 2
    chance = random.Random(seed)
    moments = chance.sample(range(1, changed + 1), min(kills, changed))
    # Where it makes fewer changes than there are kills, each is killed, some of them twice.
    moments += chance.choices(range(1, changed + 1), k=kills - len(moments))
    assert len(moments) == kills
    if not is_night():
        moments = [1, changed, *moments[: kills // 20]]
    for number, moment in enumerate(moments):
        home = Path(shutil.copytree(start, folder / f"killed-{number}"))
        kill(home, *arguments, moment=moment, counted=counted, act=act)
        check(home)
        shutil.rmtree(home)


def kill_at_every_line(
    start: Path, arguments: Sequence[str], check: Callable[[Path], None],
    record_property: Callable[[str, object], None], act: Act = kido, name: str = "",
) -> None:  # fmt: skip
    """Kill it at each line that finds the home changed, in copies of it.

    `check` looks at what is left, and does what a person would do next. After that a home has the
    same kinds of files as one in which nothing was killed.
    """
    folder, counted = start.parent, start.parent / "counted"
    calm = Path(shutil.copytree(start, folder / "calm"))
    lines = moments_of(calm, *arguments, counted=counted, act=act, moments="lines")
    assert lines > 6
    check(calm)
    expected = files_by_kind(calm)
    for moment in range(1, lines + 1):
        home = Path(shutil.copytree(start, folder / f"killed-{moment}"))
        kill(home, *arguments, moment=moment, counted=counted, act=act, moments="lines")
        check(home)
        left = files_by_kind(home)
        assert not (left - expected), f"after {moment}: {left - expected}"
        assert not (expected - left), f"after {moment}: {expected - left}"
        shutil.rmtree(home)
    record_property(f"{name or arguments[0]} killed at lines that find the home changed", lines)


def _exit_code(
    home: Path, act: Act, arguments: Sequence[str], moments: Moments, last: int, counted: Path
) -> int | None:
    environment = {"KIDO_HOME": str(home), "COUNTED": str(counted)}
    process: ForkServerProcess = context.Process(
        target=_run, args=(act, arguments, environment, moments, last)
    )
    process.start()
    process.join(300)
    return process.exitcode
