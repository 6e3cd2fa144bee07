"""Counts the calls that all processes of this home sent to a publisher today."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from dagster_project.errors import QuotaError

_CALLS = "-calls-"
"""Between source and day in the name of a counter."""


def counter(folder: Path, source: str, calls_a_day: int | None) -> Callable[[], None]:
    """A function that counts one call, to be used before each; it raises QuotaError at the limit.

    The count is an estimate that avoids needless calls: the publisher itself enforces its limit.
    Days are UTC.
    """

    def count() -> None:
        today = datetime.now(UTC).date()
        file = _file(folder, source, today)
        if calls_a_day is not None and _sent(file) >= calls_a_day:
            again_at = datetime.combine(today + timedelta(days=1), time())
            raise QuotaError(f"{source}: {calls_a_day} calls were sent today.", again_at=again_at)
        if not file.exists():
            folder.mkdir(parents=True, exist_ok=True)
            for other in folder.glob(f"{source}{_CALLS}*"):
                if other != file:  # another process may have begun the day by now
                    other.unlink(missing_ok=True)
        # One byte per call, appended in one write: processes do not overwrite each other.
        with file.open("ab", buffering=0) as opened:
            os.write(opened.fileno(), b".")

    return count


def sent_today(folder: Path, source: str) -> int:
    """The number of calls that were counted today (UTC)."""
    return _sent(_file(folder, source, datetime.now(UTC).date()))


def is_counter(file: Path) -> bool:
    """Whether a file of the folder counts calls."""
    return _CALLS in file.name


def _file(folder: Path, source: str, day: date) -> Path:
    return folder / f"{source}{_CALLS}{day:%Y-%m-%d}"


def _sent(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0
