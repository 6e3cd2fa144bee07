"""One process at a time for what must not be done to a source by two at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from filelock import FileLock, Timeout

from dagster_project.errors import BusyError
from dagster_project.settings import Settings


@contextmanager
def alone(
    settings: Settings, source: str, on_wait: Callable[[], None] | None = None
) -> Iterator[None]:
    """Hold a source: to ask its publisher, or to take back what came of it.

    With `on_wait`, which is called first, another process is waited for; without it BusyError is
    raised.
    """
    settings.intake_dir.mkdir(parents=True, exist_ok=True)
    lock = FileLock(settings.intake_dir / f"{source}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        if on_wait is None:
            raise BusyError(f"{source} is being asked by another run.") from None
        on_wait()
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
