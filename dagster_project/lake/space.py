"""Disk space: required before work starts, and reported in one sentence when it runs out."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from dagster_project.errors import DiskFullError

MB = 1_000_000

ROOM_PER_PAYLOAD = 2
"""Bytes on disk per byte of a document: itself, and its typed rows, which are no larger."""

LEAST_ROOM_TO_LAND = 8 * MB
"""In addition to the documents: records, and an answer of unknown size."""

_WORDS = ("no space left on device", "disk quota exceeded", "disk is full")
"""How the system, DuckDB and SQLite word it, however their errors are wrapped."""

_WORDS_OF_ANY_DISK_ERROR = "disk i/o error"
"""How SQLite words it when its write-ahead log cannot grow, and when a disk is broken."""

FULL = MB
"""With less than this left, a disk error is taken as a full disk."""


def require_room(folders: Iterable[Path], needed: int, what: str) -> None:
    """Raise DiskFullError if the disk of one of the folders has less than `needed` bytes left."""
    for folder in folders:
        free = room_of(folder)
        if free < needed:
            raise DiskFullError(
                f"The disk of {folder} has {_size(free)} left; {what} needs about {_size(needed)}."
            )


def require_room_to_land(folders: Iterable[Path], payload: int, what: str) -> None:
    """Raise DiskFullError if there is no room for documents of this size and their rows."""
    require_room(folders, ROOM_PER_PAYLOAD * payload + LEAST_ROOM_TO_LAND, what)


def room_of(folder: Path) -> int:
    """Bytes free on the disk that a folder is on, or will be on."""
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    return shutil.disk_usage(existing).free


def disk_full(error: BaseException | str, folders: Iterable[Path]) -> DiskFullError | None:
    """The DiskFullError for an error (or its text from a library) that a full disk has caused.

    None for any other. It names the folder whose disk has the least space left.
    """
    free, folder = min((room_of(folder), folder) for folder in folders)
    texts = [error] if isinstance(error, str) else list(_words_of(error))
    if not any(_is_of_a_full_disk(text, free) for text in texts):
        return None
    return DiskFullError(
        f"The disk of {folder} is full: {_size(free)} are left.",
        hint="Make room, then run it again.",
    )


def _words_of(error: BaseException | None) -> Iterator[str]:
    """The messages of an error and of its causes."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield str(error)
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            yield _WORDS[0]
        error = error.__cause__ or error.__context__


def _is_of_a_full_disk(text: str, free: int) -> bool:
    words = text.lower()
    return any(each in words for each in _WORDS) or (
        _WORDS_OF_ANY_DISK_ERROR in words and free < FULL
    )


def _size(count: int) -> str:
    return f"{count / MB:,.0f} MB" if count >= MB else f"{count / 1000:,.0f} kB"
