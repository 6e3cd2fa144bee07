"""Disk space: required before work starts, and reported in one sentence when it runs out."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from dagster_project.errors import AccessError, DiskFullError

MB = 1_000_000

ROOM_PER_PAYLOAD = 2
"""Bytes on disk per byte of a document: itself, and its typed rows, which are no larger."""

LEAST_ROOM_TO_LAND = 8 * MB
"""In addition to the documents: records, and an answer of unknown size."""

_FULL_DISK_MESSAGES = ("no space left on device", "disk quota exceeded", "disk is full")
"""Parts of the messages of the system, DuckDB and SQLite, however their errors are wrapped."""

_ANY_DISK_ERROR_MESSAGE = "disk i/o error"
"""SQLite's message when its write-ahead log cannot grow, and also when a disk is broken."""

LEAST_FREE = MB
"""With fewer bytes free, a full disk is assumed to be the cause of any disk error."""


def require_room(folders: Iterable[Path], needed: int, what: str) -> None:
    """Raise DiskFullError if the disk of one of the folders has less than `needed` bytes free."""
    for folder in folders:
        free = free_bytes(folder)
        if free < needed:
            raise DiskFullError(
                f"The disk of {folder} has {_size(free)} left; {what} needs about {_size(needed)}."
            )


def require_room_to_land(folders: Iterable[Path], payload: int, what: str) -> None:
    """Raise DiskFullError if there is no room for documents of `payload` bytes and their rows."""
    require_room(folders, ROOM_PER_PAYLOAD * payload + LEAST_ROOM_TO_LAND, what)


def free_bytes(folder: Path) -> int:
    """Bytes free on the disk of a folder, which need not exist yet."""
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    return shutil.disk_usage(existing).free


def disk_full(error: BaseException | str, folders: Iterable[Path]) -> DiskFullError | None:
    """The DiskFullError for an error (or a library's message) that a full disk has caused.

    None for any other. It names the folder whose disk has the fewest bytes free.
    """
    free, folder = min((free_bytes(folder), folder) for folder in folders)
    messages = [error] if isinstance(error, str) else list(_messages_of(error))
    if not any(_means_full_disk(message, free) for message in messages):
        return None
    return DiskFullError(
        f"The disk of {folder} is full: {_size(free)} are left.",
        hint="Make room, then run it again.",
    )


def no_access(error: BaseException) -> AccessError | None:
    """The AccessError for an error of a folder that this user cannot use; None for any other."""
    for cause in chain_of(error):
        if not isinstance(cause, OSError) or cause.errno not in (
            errno.EROFS, errno.EACCES, errno.EPERM
        ):  # fmt: skip
            continue
        path = Path(os.fsdecode(cause.filename or ""))
        if path.is_file() and not os.access(path, os.R_OK):
            return AccessError(f"{path} cannot be read by this user ({cause.strerror}).")
        folder = path if path.is_dir() else path.parent
        return AccessError(
            f"The folder {folder} cannot be written to ({cause.strerror}).",
            hint="Run it as the user who owns the folder, on a disk that is not read-only.",
        )
    return None


def _messages_of(error: BaseException | None) -> Iterator[str]:
    """The messages of an error and of its causes."""
    for cause in chain_of(error):
        yield str(cause)
        if isinstance(cause, OSError) and cause.errno in (errno.ENOSPC, errno.EDQUOT):
            yield _FULL_DISK_MESSAGES[0]


def chain_of(error: BaseException | None) -> Iterator[BaseException]:
    """An error and its causes."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _means_full_disk(message: str, free: int) -> bool:
    message = message.lower()
    return any(part in message for part in _FULL_DISK_MESSAGES) or (
        _ANY_DISK_ERROR_MESSAGE in message and free < LEAST_FREE
    )


def _size(count: int) -> str:
    return f"{count / MB:,.0f} MB" if count >= MB else f"{count / 1000:,.0f} kB"
