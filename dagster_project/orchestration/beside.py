"""A helper process of a build: its workers run jobs in parallel that would otherwise run in
sequence.

Great Expectations is imported there while this process imports Dagster and dbt; the workers are
forked after that. If the helper fails, the build does not: a job without an answer is done in the
build's process. Rules, sources and assets are defined elsewhere. This module is also the helper's
main program.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import io
import itertools
import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from multiprocessing import connection, get_context, parent_process
from typing import Any, Protocol, cast

from dagster_project.quality.runner import great_expectations

WORKERS = 2
"""A machine has two cores at least, where there is a helper; while its workers are busy the build's
own process does little."""

_MODULES_OF_JOBS = (
    "dagster_project.orchestration.audit",
    "dagster_project.orchestration.staging",
    "exchange_calendars",
)
"""They are imported before the workers are forked: once, and not in each of them."""


class Job(Protocol):
    """A piece of work that can be sent to another process; two that are equal are the same work."""

    def done_here(self) -> Any:
        """Do it in this process; the result can be sent back."""
        ...


class Beside:
    """A process whose workers take jobs in their order, and that ends with this one in any case."""

    def __init__(self, imports: Sequence[str] = ()) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", __name__, *imports],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            bufsize=0,
        )  # fmt: skip
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._requests = self._process.stdin
        self._replies = io.BufferedReader(cast(io.RawIOBase, self._process.stdout))
        self._sent = 0
        self._asked: dict[Job, int] = {}
        self._answers: dict[int, Any] = {}

    def ask(self, job: Job) -> None:
        """Send it a job, which is begun after the earlier ones."""
        try:
            self._requests.write(pickle.dumps(job))
        except (OSError, ValueError):  # it has ended
            return
        self._asked[job] = self._sent
        self._sent += 1

    def is_asked(self, job: Job) -> bool:
        """Whether the job was sent, so that `answer` has a result to wait for."""
        return job in self._asked

    def answer(self, job: Job) -> Any:
        """Wait for the result of a job, once; None where it was not sent or failed there."""
        if job not in self._asked:
            return None
        number = self._asked.pop(job)
        while number not in self._answers:
            try:
                done, result = pickle.load(self._replies)
            except (OSError, EOFError, ValueError, pickle.UnpicklingError):  # it has ended
                self._asked.clear()
                self._answers.clear()
                return None
            self._answers[done] = result
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
        _at_hand.append(Beside(_MODULES_OF_JOBS))
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


def _main(imports: Sequence[str]) -> None:
    # Ctrl-C is for the parent process: this one ends with it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Output of libraries is not part of an answer.
    with os.fdopen(os.dup(1), "wb") as replies:
        os.dup2(2, 1)
        great_expectations()
        for module in imports:
            importlib.import_module(module)
        gc.freeze()  # memory that is shared with the workers stays shared
        workers = ProcessPoolExecutor(WORKERS, get_context("fork"), initializer=_end_with_helper)
        workers.submit(int).result()  # forks all of them, before there is any other thread
        with contextlib.suppress(Exception):  # the pipe ends when the parent does
            _answer(workers, replies)
    os._exit(0)


def _answer(workers: ProcessPoolExecutor, replies: io.BufferedWriter) -> None:
    """Do the jobs that arrive, and send back each result, as it is ready, with the job's number."""
    results: queue.SimpleQueue[tuple[int, Any]] = queue.SimpleQueue()
    threading.Thread(target=_reply, args=(results, replies), daemon=True).start()

    def keep(number: int, done: Future[Any]) -> None:
        # The parent does a job again that failed, and reports the error.
        results.put((number, None if done.exception() else done.result()))

    for number in itertools.count():
        job: Job = pickle.load(sys.stdin.buffer)
        try:
            done = workers.submit(job.done_here)
        except BrokenProcessPool as error:
            done = Future()
            done.set_exception(error)
        done.add_done_callback(partial(keep, number))


def _reply(results: queue.SimpleQueue[tuple[int, Any]], replies: io.BufferedWriter) -> None:
    """Send back results; the workers do not wait for a parent that is busy."""
    while True:
        replies.write(pickle.dumps(results.get()))
        replies.flush()


def _end_with_helper() -> None:
    """Let a worker end when the helper is killed, whatever it is doing."""
    helper = parent_process()
    assert helper is not None

    def wait() -> None:
        connection.wait([helper.sentinel])
        os._exit(0)

    threading.Thread(target=wait, daemon=True).start()


if __name__ == "__main__":
    _main(sys.argv[1:])
