"""Room on a disk: asked for before a piece of work starts, and told in a sentence when it ends."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterable
from pathlib import Path

from dagster_project.errors import DiskFullError

MB = 1_000_000

ROOM_PER_PAYLOAD = 2
"""Bytes that a document takes per byte of it: itself, and its typed rows, which are no larger."""

LEAST_ROOM_TO_LAND = 8 * MB
"""Beside the documents themselves: records, and an answer whose size nobody knows beforehand."""

_WORDS = ("no space left on device", "disk quota exceeded", "disk is full")
"""How the system, DuckDB and SQLite say it, whatever their errors are wrapped in."""


def require_room(folders: Iterable[Path], needed: int, what: str) -> None:
    """Raise DiskFullError if the disk of one of the folders has less than `needed` bytes left."""
    for folder in folders:
        free = room_of(folder)
        if free < needed:
            raise DiskFullError(
                f"The disk of {folder} has {_size(free)} left; {what} needs about {_size(needed)}."
            )


def require_room_to_land(folders: Iterable[Path], payload: int, what: str) -> None:
    """Raise DiskFullError if there is no room for documents of so many bytes and their rows."""
    require_room(folders, ROOM_PER_PAYLOAD * payload + LEAST_ROOM_TO_LAND, what)


def room_of(folder: Path) -> int:
    """Bytes that may still be written to the disk that a folder is on, or will be on."""
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    return shutil.disk_usage(existing).free


def disk_full(error: BaseException | str, folders: Iterable[Path]) -> DiskFullError | None:
    """The sentence for an error (or what a library said of it) that a full disk has caused.

    None for any other. It names the folder whose disk has the least room left.
    """
    if not (_says_so(error) if isinstance(error, str) else _is_caused_by_it(error)):
        return None
    free, folder = min((room_of(folder), folder) for folder in folders)
    return DiskFullError(
        f"The disk of {folder} is full: {_size(free)} are left.",
        hint="Make room, then run it again.",
    )


def _is_caused_by_it(error: BaseException | None) -> bool:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT) or _says_so(str(error)):
            return True
        error = error.__cause__ or error.__context__
    return False


def _says_so(text: str) -> bool:
    return any(words in text.lower() for words in _WORDS)


def _size(count: int) -> str:
    return f"{count / MB:,.0f} MB" if count >= MB else f"{count / 1000:,.0f} kB"
