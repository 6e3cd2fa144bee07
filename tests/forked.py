"""Processes that are forked from one that has imported what they need: nothing is imported twice.

Importing Dagster, dbt and Great Expectations takes seconds, many a command less than one. What is
imported before a fork may start no thread.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from tempfile import TemporaryDirectory

context = get_context("forkserver")
context.set_forkserver_preload(
    [
        "dagster_project.definitions",
        "dagster_project.cli",
        "dagster_project.intake.land",
        "dagster_project.intake.withdraw",
        "dagster_project.orchestration.execute",
        "dagster_project.orchestration.publication_assets",
        "dbt.adapters.duckdb.connections",
        "dbt.cli.main",
        "great_expectations",
        "tests.unsynced",
    ]
)


class Command:
    """`kido` with arguments as at a terminal, in a session of its own and only with the environment
    it is given; `prepare` is called in it first.
    """

    def __init__(
        self, *arguments: str, environment: Mapping[str, str], prepare: Callable[[], None]
    ) -> None:
        self._arguments = arguments
        self._folder = TemporaryDirectory(prefix="kido-said-")
        self.process: ForkServerProcess = context.Process(
            target=_run, args=(arguments, dict(environment), Path(self._folder.name), prepare)
        )
        self.process.start()

    @property
    def group(self) -> int:
        """The group of its processes, to kill."""
        pid = self.process.pid
        assert pid is not None
        while self.process.is_alive() and os.getpgid(pid) != pid:
            time.sleep(0.005)
        return pid

    def wait(self, timeout: float = 600) -> subprocess.CompletedProcess[str]:
        """Its output, and its exit code."""
        self.process.join(timeout)
        code = self.process.exitcode
        if code is None:
            self.process.kill()
            raise subprocess.TimeoutExpired(self._arguments, timeout)
        out, errors = (
            (Path(self._folder.name) / name).read_text("utf8") for name in ("out", "err")
        )
        self._folder.cleanup()
        return subprocess.CompletedProcess(list(self._arguments), code, out, errors)


def _run(
    arguments: tuple[str, ...],
    environment: Mapping[str, str],
    folder: Path,
    prepare: Callable[[], None],
) -> None:
    for stream, name in ((sys.stdout, "out"), (sys.stderr, "err")):
        file = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(file, stream.fileno())
        os.close(file)
    os.setsid()
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["kido", *arguments]
    prepare()
    from dagster_project.cli import main

    main()
