"""What changes a home, in a process of its own that is killed before a chosen change of a file."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from tests.forked import context
from tests.nightly import is_night

NEVER = 0
Act = Callable[..., None]
_CHANGES = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.link", "os.truncate"}
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


def kido(*arguments: str) -> None:
    """A command as at a terminal."""
    from dagster_project.cli import app

    app(list(arguments), standalone_mode=False)


def _run(act: Act, arguments: Sequence[str], environment: Mapping[str, str], moment: int) -> None:
    os.environ.update(environment)
    home = environment["KIDO_HOME"]
    count = 0

    def watch(event: str, given: tuple[object, ...]) -> None:
        nonlocal count
        is_change = event in _CHANGES or (
            event == "open" and isinstance(given[2], int) and given[2] & _WRITING
        )
        if is_change and str(given[0]).startswith(home):
            count += 1
            if count == moment:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)
    act(*arguments)
    Path(environment["COUNTED"]).write_text(str(count))
    os._exit(0)


def changes(home: Path, *arguments: str, counted: Path, act: Act = kido) -> int:
    """Run it to its end; how many changes it made to the files of a home."""
    assert _exit_code(home, act, arguments, NEVER, counted) == 0
    return int(counted.read_text())


def kill(home: Path, *arguments: str, moment: int, counted: Path, act: Act = kido) -> None:
    """Run it and kill it (SIGKILL) before the change of that number, the first being 1."""
    assert _exit_code(home, act, arguments, moment, counted) == -signal.SIGKILL


def kill_at_seeded_moments(
    seed: int, start: Path, arguments: Sequence[str], check: Callable[[Path], None],
    act: Act = kido, kills: int = 20,
) -> None:  # fmt: skip
    """Kill it at moments of all it changes, in copies of a home; `check` looks at what is left.

    By day at a fifth of the moments, but always at the first change and at the last.
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
        moments = [1, changed, *moments[: max(0, kills // 5 - 2)]]
    for number, moment in enumerate(moments):
        home = Path(shutil.copytree(start, folder / f"killed-{number}"))
        kill(home, *arguments, moment=moment, counted=counted, act=act)
        check(home)
        shutil.rmtree(home)


def _exit_code(
    home: Path, act: Act, arguments: Sequence[str], moment: int, counted: Path
) -> int | None:
    environment = {"KIDO_HOME": str(home), "COUNTED": str(counted)}
    process: ForkServerProcess = context.Process(
        target=_run, args=(act, arguments, environment, moment)
    )
    process.start()
    process.join(300)
    return process.exitcode
