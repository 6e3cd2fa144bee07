"""The folder of backups: each content is a file named by its hash, each backup a record of names.

Nothing here depends on what is backed up. A file is never overwritten and a record is written
last, so that a killed backup leaves the earlier ones as they were.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import uuid
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Annotated

from filelock import FileLock, Timeout
from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from dagster_project.errors import BusyError, ConfigurationError, DamagedError, listed
from dagster_project.lake.landing import sha256_of_file
from dagster_project.lake.store import write_atomically

FORMAT = 1
"""Version of the record; a record of a later version is not read."""

FILES, RECORDS, LOCK = "files", "backups", ".lock"

_INSTANT = "%Y%m%dT%H%M%S%f"
"""How a record's name begins: the instant at which the backup was made."""

_HASH_IN_NAME = 8
"""Characters of a record's hash in its name, by which a damaged record is recognised."""


def _safe_name(name: str) -> str:
    """A path inside the folder that is restored into."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise ValueError(f"{name!r} is not a path inside a home")
    return name


class BackedUpFile(BaseModel):
    """A file of a backup. `modified_ns` is the time of the original, as the system gives it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sha256: str
    bytes: int
    modified_ns: int


class BackupRecord(BaseModel):
    """One backup: its files by name. Instants are UTC without a zone attached.

    `landing` is the address of a landing that is not in the backup; empty where it is.
    """

    model_config = ConfigDict(frozen=True)

    format: int = FORMAT
    made_at: datetime
    code_version: str
    contract_version: str
    landing: str = ""
    files: Mapping[Annotated[str, AfterValidator(_safe_name)], BackedUpFile]

    @property
    def bytes(self) -> int:
        return sum(file.bytes for file in self.files.values())


class BackupFolder:
    """`files/<two digits>/<sha256>` and `backups/<time>-<hash>.json`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.new_bytes = 0
        """Bytes that this object has added."""

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Lock the folder for one backup; removes what a killed one left unfinished.

        Raises BusyError while another process makes or reads a backup there.
        """
        if not self.folder.exists():
            # Landed files may be licensed, and dagster.yaml may name a password.
            self.folder.mkdir(parents=True, mode=0o700)
        with self._lock():
            for leftover in (self.folder / FILES).glob(".*"):
                leftover.unlink(missing_ok=True)
            yield

    @contextlib.contextmanager
    def locked_to_read(self) -> Iterator[None]:
        """Lock the folder so that no backup removes what is read; a read-only one needs no lock.

        Raises BusyError while another process makes or reads a backup there.
        """
        with self._lock() if os.access(self.folder, os.W_OK) else contextlib.nullcontext():
            yield

    @contextlib.contextmanager
    def _lock(self) -> Iterator[None]:
        lock = FileLock(self.folder / LOCK, timeout=0)
        try:
            lock.acquire()
        except Timeout:
            raise BusyError(
                f"Another backup or restore is running in {self.folder}.", hint="Wait for its end."
            ) from None
        try:
            yield
        finally:
            lock.release()

    def names(self) -> list[str]:
        """The complete backups, oldest first."""
        return sorted(path.stem for path in (self.folder / RECORDS).glob("[!.]*.json"))

    def readable(self) -> dict[str, BackupRecord]:
        """The records of the complete backups that can be read, oldest first."""
        records: dict[str, BackupRecord] = {}
        for name in self.names():
            with contextlib.suppress(DamagedError, ConfigurationError):
                records[name] = self.read(name)
        return records

    def path_of_record(self, name: str) -> Path:
        return self.folder / RECORDS / f"{name}.json"

    def named(self, name: str = "") -> str:
        """The backup of this name, or of this beginning of one; the last one for an empty name.

        Raises ConfigurationError if there is none, or several.
        """
        matching = [known for known in self.names() if known.startswith(name)]
        if not name:
            matching = matching[-1:]
        if len(matching) == 1:
            return matching[0]
        if not self.names():
            raise ConfigurationError(f"{self.folder} has no complete backup.")
        raise ConfigurationError(
            f"{self.folder} has no backup {name!r}."
            if not matching
            else f"{name!r} is the beginning of several backups.",
            hint=f"It has {listed(self.names())}.",
        )

    def read(self, name: str) -> BackupRecord:
        """The record of a backup. Raises DamagedError, or ConfigurationError for a later format."""
        path = self.path_of_record(name)
        payload = path.read_bytes()
        if not name.endswith(f"-{hashlib.sha256(payload).hexdigest()[:_HASH_IN_NAME]}"):
            raise DamagedError(f"{path} was changed after it was written.", hint=_OTHER_BACKUP)
        try:
            record = BackupRecord.model_validate_json(payload)
        except ValidationError:
            record = None
        if record is None or record.format > FORMAT:
            raise ConfigurationError(
                f"{path} was written by another version of Kido.", hint="Restore it with that one."
            )
        return record

    def next_instant(self) -> datetime:
        """Now, or just after the last backup if the clock was set back; UTC, no zone attached."""
        instants = [datetime.now(UTC).replace(tzinfo=None)]
        for name in self.names():
            # A file that a person put there may have any name.
            with contextlib.suppress(ValueError):
                made_at = datetime.strptime(name.partition("-")[0], _INSTANT)
                instants.append(made_at + timedelta(microseconds=1))
        return max(instants)

    def has(self, sha256: str) -> bool:
        return self.path_of(sha256).exists()

    def add(self, path: Path, sha256: str | None = None) -> BackedUpFile:
        """Add a file of this machine, unless its content is there already.

        `sha256` is its known hash. Raises DamagedError if the file differs from it, and
        FileNotFoundError if it is gone.
        """
        status = path.stat()
        content = sha256 or sha256_of_file(path)
        if self.has(content):
            return BackedUpFile(
                sha256=content, bytes=self._size(content), modified_ns=status.st_mtime_ns
            )
        # What is hashed is the copy: a log may grow meanwhile.
        with self.temporary() as copy:
            shutil.copyfile(path, copy)
            content = sha256_of_file(copy)
            if sha256 not in (None, content):
                raise DamagedError(
                    f"{path} was changed after it was received.",
                    hint="Restore it, or remove its folder so that it is fetched again.",
                )
            return self.take(copy, content, status.st_mtime_ns)

    def take(self, copy: Path, sha256: str, modified_ns: int) -> BackedUpFile:
        """Move a temporary file of this folder to its place, unless its content is there."""
        size = copy.stat().st_size
        if not self.has(sha256):
            target = self.path_of(sha256)
            target.parent.mkdir(exist_ok=True)
            with copy.open("rb") as file:
                os.fsync(file.fileno())
            os.replace(copy, target)
            self.new_bytes += size
        return BackedUpFile(sha256=sha256, bytes=size, modified_ns=modified_ns)

    @contextlib.contextmanager
    def temporary(self) -> Iterator[Path]:
        """The path of a file in this folder, which is removed if it is still there."""
        path = self.folder / FILES / f".{uuid.uuid4().hex}"
        path.parent.mkdir(exist_ok=True)
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)

    def complete(self, record: BackupRecord, keep: int) -> str:
        """Write the record: from now on the backup exists. The last `keep` ones are kept.

        Its `made_at` is later than that of all others: by it they are ordered. While a record
        cannot be read, no content is removed: nothing else says which ones it needs. Returns the
        name of the backup.
        """
        payload = record.model_dump_json(indent=1).encode()
        digest = hashlib.sha256(payload).hexdigest()[:_HASH_IN_NAME]
        name = f"{record.made_at:{_INSTANT}}-{digest}"
        write_atomically(self.path_of_record(name), payload)
        readable = self.readable()
        for earlier in list(readable)[:-keep]:
            self.path_of_record(earlier).unlink()
            del readable[earlier]
        if self.names() == list(readable):
            self._remove_all_but(
                {file.sha256 for kept in readable.values() for file in kept.files.values()}
            )
        return name

    def damaged(self, record: BackupRecord) -> list[str]:
        """The names of files of a backup that are missing or differ from what was backed up."""
        wrong: dict[str, bool] = {}
        for file in record.files.values():
            if file.sha256 not in wrong:
                path = self.path_of(file.sha256)
                wrong[file.sha256] = not path.exists() or sha256_of_file(path) != file.sha256
        return [name for name, file in record.files.items() if wrong[file.sha256]]

    def restore(self, file: BackedUpFile, target: Path) -> None:
        """Copy a file of a backup to its place, with the time of the original.

        Raises DamagedError if the copy differs from what was backed up.
        """
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self.path_of(file.sha256), target)
        if sha256_of_file(target) != file.sha256:
            raise DamagedError(f"{self.path_of(file.sha256)} is damaged.", hint=_OTHER_BACKUP)
        os.utime(target, ns=(file.modified_ns, file.modified_ns))

    def _remove_all_but(self, needed: Collection[str]) -> None:
        for path in (self.folder / FILES).glob("??/*"):
            if path.name not in needed:
                path.unlink()

    def _size(self, sha256: str) -> int:
        return self.path_of(sha256).stat().st_size

    def path_of(self, sha256: str) -> Path:
        """Where a content is, or would be."""
        return self.folder / FILES / sha256[:2] / sha256


_OTHER_BACKUP = "Restore an earlier backup: kido restore DIR --backup NAME."
