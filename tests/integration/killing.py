"""A command in a process of its own that is killed before a chosen change of a home's files."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from pathlib import Path

_context = get_context("forkserver")
_context.set_forkserver_preload(
    ["great_expectations", "dagster_project.cli", "dagster_project.intake.land",
     "dagster_project.intake.withdraw", "dagster_project.sources.registry",
     "dagster_project.quality.runner", "tests.integration.killing"]
)  # fmt: skip

NEVER = 0
_CHANGES = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.link", "os.truncate"}
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


def _run(arguments: Sequence[str], environment: Mapping[str, str], moment: int) -> None:
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

    from dagster_project.cli import app

    sys.addaudithook(watch)
    app(list(arguments), standalone_mode=False)
    Path(environment["COUNTED"]).write_text(str(count))
    os._exit(0)


def changes(home: Path, *arguments: str, counted: Path) -> int:
    """Run a command to its end; how many changes it made to the files of a home."""
    assert _exit_code(home, arguments, NEVER, counted) == 0
    return int(counted.read_text())


def kill(home: Path, *arguments: str, moment: int, counted: Path) -> None:
    """Run a command and kill it (SIGKILL) before the change of that number, the first being 1."""
    assert _exit_code(home, arguments, moment, counted) == -signal.SIGKILL


def _exit_code(home: Path, arguments: Sequence[str], moment: int, counted: Path) -> int | None:
    environment = {"KIDO_HOME": str(home), "COUNTED": str(counted)}
    process: ForkServerProcess = _context.Process(
        target=_run, args=(arguments, environment, moment)
    )
    process.start()
    process.join(300)
    return process.exitcode
