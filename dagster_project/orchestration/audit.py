"""Holds the marts of a build against their suites: in this process, or ahead of time in one beside.

No rule and no asset is known here. Run as a program it is the process beside.
"""

from __future__ import annotations

import gc
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from dagster_project.lake.build_file import connect
from dagster_project.lake.scope import CommodityScope, commodities_of
from dagster_project.quality.mart_suites import MART_SUITES
from dagster_project.quality.results import CheckResult
from dagster_project.quality.runner import evaluate, great_expectations

if TYPE_CHECKING:
    from dagster_project.orchestration.builds import Build
    from dagster_project.settings import Settings

Found = Mapping[str, list[CheckResult]]


@dataclass(frozen=True)
class Audit:
    """What is held against the suites: the marts of a build file, as of a day, in a scope."""

    file: Path
    today: date
    scope: CommodityScope
    memory: int

    def held_here(self) -> Iterator[tuple[str, list[CheckResult]]]:
        """The results of each mart, by name, in the order of the suites."""
        with connect(self.file, read_only=True, memory=self.memory) as connection:
            for name, suite in MART_SUITES.items():
                rows = connection.sql(f"from {name}").pl(lazy=True)
                with commodities_of(self.scope):
                    found = evaluate(rows, suite, today=self.today)
                yield name, found

    def held(self) -> Iterator[tuple[str, list[CheckResult]]]:
        """The same, from the process beside where one was told to begin with this very audit."""
        ahead = _begun.pop(self, None)
        found = ahead.found() if ahead else None
        yield from self.held_here() if found is None else found.items()


def audit_of(build: Build, settings: Settings) -> Audit:
    """The audit of the marts of a run's build."""
    return Audit(build.file, settings.today, settings.scope, settings.memory)


class Ahead:
    """A process that imports Great Expectations while dbt builds the marts, then audits them.

    The import takes 2 s and the suites of small marts 1.5 s, all of it in one thread of Python, as
    what this process does meanwhile is. Whatever becomes of it, the audit is not: without its
    results the marts are held against their suites here. It ends with this process.
    """

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", __name__],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            bufsize=0,
        )  # fmt: skip

    @classmethod
    def if_worthwhile(cls) -> Ahead | None:
        """None with one core, or where Great Expectations is imported here already."""
        is_imported = "great_expectations" in sys.modules
        return None if is_imported or (os.cpu_count() or 1) < 2 else cls()

    def begin(self, audit: Audit) -> None:
        """Let it hold the marts of a finished build file against their suites."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(pickle.dumps(audit))
        except OSError:  # it is gone
            self.end()
            return
        _begun[audit] = self

    def found(self) -> Found | None:
        """What it found, waited for; None where it did not come to an end."""
        assert self._process.stdout is not None
        answer = self._process.stdout.read()
        self.end()
        # It says last that it is done: what was cut off is no answer.
        if not answer.endswith(_DONE):
            return None
        found: Found = pickle.loads(answer.removesuffix(_DONE))
        return found

    def end(self) -> None:
        """Stop it, at once, if it is not done."""
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process.wait()


_begun: dict[Audit, Ahead] = {}
_DONE = b"done"


def _main() -> None:
    # Ctrl-C is for the process that asked: this one ends with it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.set_threshold(100_000, 50, 100)  # as the build does: what is imported stays
    # What a library prints is no part of the answer.
    with os.fdopen(os.dup(1), "wb") as answer:
        os.dup2(2, 1)
        great_expectations()
        try:
            audit = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        threading.Thread(target=_end_with_who_asked, daemon=True).start()
        pickle.dump(dict(audit.held_here()), answer)
        answer.write(_DONE)
    os._exit(0)  # nothing is left to be done, and Python would take its time


def _end_with_who_asked() -> None:
    """Nothing more is sent: the pipe ends when whoever asked does."""
    os.read(0, 1)
    os._exit(1)


if __name__ == "__main__":
    # Audits are pickled under the module's own name, not as parts of the program that is run.
    from dagster_project.orchestration import audit

    audit._main()
