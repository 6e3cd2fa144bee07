"""A helper process of a build: it runs jobs in parallel that would otherwise run in sequence.

Great Expectations is imported there while this process imports Dagster and dbt; jobs run in the
order in which they were sent. If the helper fails, the build does not: a job without an answer is
done in the build's process. Rules, sources and assets are defined elsewhere. This module is also
the helper's main program.
"""

from __future__ import annotations

import contextlib
import gc
import io
import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any, Protocol, cast

from dagster_project.quality.runner import great_expectations


class Job(Protocol):
    """A piece of work that can be sent to another process; two that are equal are the same work."""

    def done_here(self) -> Any:
        """Do it in this process; the result can be sent back."""
        ...


class Beside:
    """A process that does jobs in their order, and ends with this one in any case."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", __name__],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            bufsize=0,
        )  # fmt: skip
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._requests = self._process.stdin
        self._replies = io.BufferedReader(cast(io.RawIOBase, self._process.stdout))
        self._asked: list[Job] = []
        self._answers: list[Any] = []

    def ask(self, job: Job) -> None:
        """Send it a job, which it does after the earlier ones."""
        try:
            self._requests.write(pickle.dumps(job))
        except (OSError, ValueError):  # it has ended
            return
        self._asked.append(job)

    def is_asked(self, job: Job) -> bool:
        """Whether the job was sent, so that `answer` has a result to wait for."""
        return job in self._asked

    def answer(self, job: Job) -> Any:
        """Wait for the result of a job, once; None where it was not sent or failed there."""
        if job not in self._asked:
            return None
        number = self._asked.index(job)
        while len(self._answers) <= number:
            try:
                self._answers.append(pickle.load(self._replies))
            except (OSError, EOFError, ValueError, pickle.UnpicklingError):  # it has ended
                self._asked.clear()
                self._answers.clear()
                return None
        self._asked.pop(number)
        return self._answers.pop(number)

    def end(self) -> None:
        """Stop it, immediately if a job is running."""
        self._process.kill()
        for pipe in (self._requests, self._replies):
            pipe.close()
        self._process.wait()


_at_hand: list[Beside] = []


def at_hand() -> Beside | None:
    """The running helper process, if any."""
    return _at_hand[0] if _at_hand else None


def start() -> Beside | None:
    """The helper process, started if there is none.

    None with one core, or where Great Expectations is imported here already.
    """
    is_worthwhile = (os.cpu_count() or 1) > 1 and "great_expectations" not in sys.modules
    if is_worthwhile and not _at_hand:
        _at_hand.append(Beside())
    return at_hand()


def end() -> None:
    """End the helper process, if there is one."""
    while _at_hand:
        _at_hand.pop().end()


@contextlib.contextmanager
def started() -> Iterator[None]:
    """Run with a helper process, which is ended afterwards."""
    start()
    try:
        yield
    finally:
        end()


def _main() -> None:
    # Ctrl-C is for the parent process: this one ends with it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.set_threshold(100_000, 50, 100)  # as the build does: imported objects stay
    asked: queue.SimpleQueue[Job] = queue.SimpleQueue()
    # Output of libraries is not part of an answer.
    with os.fdopen(os.dup(1), "wb") as answers:
        os.dup2(2, 1)
        great_expectations()
        threading.Thread(target=_listen, args=(asked,), daemon=True).start()
        while True:
            job = asked.get()
            try:
                result = job.done_here()
            except Exception:  # the parent does the job again and reports the error
                result = None
            answers.write(pickle.dumps(result))
            answers.flush()


def _listen(asked: queue.SimpleQueue[Job]) -> None:
    """Receive jobs; the pipe ends when the parent does."""
    with contextlib.suppress(Exception):
        while True:
            asked.put(pickle.load(sys.stdin.buffer))
    os._exit(0)


if __name__ == "__main__":
    _main()
