"""Files under a root at any fsspec address; a write is whole or absent.

Nothing here depends on the content of the files.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import fsspec

from dagster_project.errors import ConfigurationError

_TEMPORARY = re.compile(r"\..+\.[0-9a-f]{8}")
"""The name of a file that is being written, and is renamed when it is whole."""


class Store:
    """Files under one root address: a folder, `s3://...`, `memory://...` and the like."""

    def __init__(self, url: str, *, is_read_only: bool = False) -> None:
        """`is_read_only`: whoever reads here shall not write either, not even an index."""
        try:
            self._fs, self._root = fsspec.core.url_to_fs(url)
        except (ImportError, ValueError) as error:
            raise ConfigurationError(f"{url!r} cannot be used as a store: {error}.") from None
        self.url = url
        self.is_read_only = is_read_only

    @property
    def is_local(self) -> bool:
        """Whether the root is a folder of this machine."""
        protocol = self._fs.protocol
        return "file" in ((protocol,) if isinstance(protocol, str) else protocol)

    @property
    def filesystem(self) -> fsspec.AbstractFileSystem:
        return self._fs

    def path(self, name: str) -> str:
        """The full path of a file under the root, without the protocol."""
        return f"{self._root}/{name}"

    def address(self, name: str) -> str:
        """The full address of a file under the root: a plain path where the root is a folder."""
        path = self.path(name)
        return path if self.is_local else str(self._fs.unstrip_protocol(path))

    def read(self, name: str) -> bytes:
        return bytes(self._fs.cat_file(self.path(name)))

    def write(self, name: str, payload: bytes) -> None:
        """Write a file so that no reader ever sees part of it.

        A folder of this machine gets a temporary file, flushed to disk and renamed; an object
        store makes an object visible only when it is complete.
        """
        path = self.path(name)
        if not self.is_local:
            self._fs.pipe_file(path, payload)
            return
        write_atomically(Path(path), payload)

    def copy_in(self, file: Path, name: str) -> None:
        """Write a copy of a file of this machine so that no reader ever sees part of it."""
        if not self.is_local:
            self._fs.put_file(str(file), self.path(name))
            return
        copy_atomically(file, Path(self.path(name)))

    def copy_out(self, name: str, file: Path) -> None:
        """Copy a file under the root to one of this machine. Raises FileNotFoundError."""
        file.parent.mkdir(parents=True, exist_ok=True)
        self._fs.get_file(self.path(name), str(file))

    def as_file(self, name: str, folder: Path) -> Path:
        """A file under the root as one of this machine: in place, else a copy in `folder`.

        Raises FileNotFoundError.
        """
        if self.is_local:
            path = Path(self.path(name))
            if not path.exists():
                raise FileNotFoundError(name)
            return path
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / name.rsplit("/", 1)[-1]
        self._fs.get_file(self.path(name), str(path))
        return path

    def move_in(self, file: Path, name: str) -> None:
        """Move a file of this machine under the root; no reader ever sees part of it."""
        if not self.is_local:
            self._fs.put_file(str(file), self.path(name))
            file.unlink()
            return
        path = Path(self.path(name))
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.replace(file, path)
        except OSError:  # the root is on another disk
            copy_atomically(file, path)
            file.unlink()

    def move(self, name: str, to: str) -> None:
        """Move a file under the root; nothing happens where it is absent.

        At every moment the whole file is at one of the two places (in an object store, which
        copies, at both for a while).
        """
        with contextlib.suppress(FileNotFoundError):
            if self.is_local:
                target = Path(self.path(to))
                target.parent.mkdir(parents=True, exist_ok=True)
                os.replace(self.path(name), target)
            else:
                self._fs.copy(self.path(name), self.path(to))
                self._fs.rm(self.path(name))

    def exists(self, name: str) -> bool:
        return bool(self._fs.exists(self.path(name)))

    def names(self, folder: str) -> list[str]:
        """Names directly under a folder, sorted; none where the folder is absent."""
        try:
            entries = self._fs.ls(self.path(folder), detail=False, refresh=True)
        except FileNotFoundError:
            return []
        return sorted(
            name
            for name in (str(entry).rstrip("/").rsplit("/", 1)[-1] for entry in entries)
            if not name.startswith(".")
        )

    def size(self, name: str) -> int:
        """Bytes of a file, or of all files in a folder; 0 where it is absent."""
        try:
            return int(self._fs.du(self.path(name)))
        except FileNotFoundError:
            return 0

    def remove(self, name: str) -> None:
        """Remove a file or folder; nothing happens where it is absent."""
        with contextlib.suppress(FileNotFoundError):
            self._fs.rm(self.path(name), recursive=True)


def write_atomically(path: Path, payload: bytes) -> None:
    """Write a file of this machine by temporary file, flush to disk and rename."""
    with _written_atomically(path) as file:
        file.write(payload)


def copy_atomically(source: Path, path: Path) -> None:
    """Copy a file of this machine by temporary file, flush to disk and rename."""
    with source.open("rb") as original, _written_atomically(path) as file:
        shutil.copyfileobj(original, file, 1 << 20)


@contextlib.contextmanager
def _written_atomically(path: Path) -> Iterator[BinaryIO]:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
    try:
        with temporary.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def temporary_files(folder: Path) -> Iterator[Path]:
    """Files below a folder that a process is writing, or was writing when it was killed."""
    for path, _, names in os.walk(folder):
        for name in sorted(names):
            if _TEMPORARY.fullmatch(name):
                yield Path(path, name)
