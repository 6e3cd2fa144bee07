"""Locks a source for operations that two processes must not do at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from filelock import FileLock, Timeout

from dagster_project.errors import BusyError
from dagster_project.settings import Settings

_MOMENT_S = 0.5
"""How long to wait for another process before `on_wait` gets a line about it."""


@contextmanager
def source_lock(
    settings: Settings, source: str, on_wait: Callable[[str], None] | None = None
) -> Iterator[None]:
    """Lock a source: to fetch from its publisher, to land its files, or to withdraw snapshots.

    Waits for another process; after a moment `on_wait` gets a line about it. Without `on_wait`
    BusyError is raised then.
    """
    settings.intake_dir.mkdir(parents=True, exist_ok=True)
    lock = FileLock(settings.intake_dir / f"{source}.lock")
    try:
        lock.acquire(timeout=_MOMENT_S)
    except Timeout:
        if on_wait is None:
            raise BusyError(f"{source} is being fetched or landed by another run.") from None
        on_wait(f"{source}: waiting for another run that fetches or lands it.")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
