"""Small JSON records, each with a checksum; many under one folder are read through an index.

The records are authoritative, the index is a copy of many: two thousand records are read from one
file instead of two thousand. Nothing here depends on the content of a record.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from dagster_project.errors import DamagedError
from dagster_project.lake.store import Store, write_atomically

Model = TypeVar("Model", bound=BaseModel)
Parsed = TypeVar("Parsed")

_CHECKSUM = re.compile(rb',"checksum":"([0-9a-f]{64})"\}\Z')
"""How a record ends. One of an earlier version of Kido ends without it."""

INDEX = ".index.json"
FEWEST_UNINDEXED = 16
"""The index is written again after this many records were read one by one; with more records in it,
after half their number."""


class Records(Generic[Model]):
    """Records by name: `<folder>/<name><suffix>`.

    The folder's listing decides which records exist, so removals by hand and writes of other
    processes are seen. A folder without its record (an unfinished snapshot) is ignored. The index
    is written only when an instance first lists the folder and has just read all records: an older
    cached record may have been overwritten by another process. It is never written in a read-only
    store. `remedy` says what to do where a record is damaged.
    """

    def __init__(
        self,
        store: Store,
        folder: str,
        model: type[Model],
        suffix: str,
        indent: int | None = None,
        *,
        remedy: str,
    ) -> None:
        self._store = store
        self._folder = folder
        self._suffix = suffix
        self._model = model
        self._indent = indent
        self._remedy = remedy
        self._many = TypeAdapter(dict[str, model])  # type: ignore[valid-type]
        self._known: dict[str, Model] | None = None

    def all(self) -> Mapping[str, Model]:
        """Every record by name, in the order of the names. Raises DamagedError."""
        records, damaged = self.readable()
        for error in damaged.values():
            raise error
        return records

    def readable(self) -> tuple[dict[str, Model], dict[str, DamagedError]]:
        """The records that can be read, in the order of their names; the fault of each other."""
        names = dict.fromkeys(self._names())
        is_first_look = self._known is None
        known = self._indexed_records()
        indexed = len(known)
        for removed in [name for name in known if name not in names]:
            del known[removed]
        damaged: dict[str, DamagedError] = {}
        for name in [name for name in names if name not in known]:
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                try:
                    known[name] = read_record(
                        self._store, self._path(name), self._model, self._remedy
                    )
                except DamagedError as error:
                    damaged[name] = error
        has_many_unindexed = len(known) - indexed > max(FEWEST_UNINDEXED, indexed // 2)
        if is_first_look and has_many_unindexed and not self._store.is_read_only:
            index = with_checksum(self._many.dump_json(known, by_alias=True))
            with contextlib.suppress(OSError):  # a full or read-only disk: nothing is lost
                self._store.write(f"{self._folder}/{INDEX}", index)
        return {name: known[name] for name in names if name in known}, damaged

    def verify(self) -> Iterator[DamagedError | None]:
        """Read every record; the fault of each, None for a good one. The index is not used."""
        for name in self._names():
            try:
                read_record(self._store, self._path(name), self._model, self._remedy)
            except (FileNotFoundError, NotADirectoryError):
                continue
            except DamagedError as error:
                yield error
            else:
                yield None

    def names(self) -> set[str]:
        """The names in the folder, without reading the records."""
        return set(self._names())

    def add(self, name: str, record: Model) -> None:
        """Write a record, replacing one of the same name."""
        self._forget_in_index(name)
        self._store.write(self._path(name), as_payload(record, self._indent))
        self._indexed_records()[name] = record

    def remove(self, name: str) -> None:
        """Remove a record; nothing happens where it is absent."""
        self._forget_in_index(name)
        self._store.remove(self._path(name))
        self._indexed_records().pop(name, None)

    def _names(self) -> Iterator[str]:
        is_folder = self._suffix.startswith("/")
        for name in self._store.names(self._folder):
            if is_folder:
                yield name
            elif name.endswith(self._suffix):
                yield name.removesuffix(self._suffix)

    def _path(self, name: str) -> str:
        return f"{self._folder}/{name}{self._suffix}"

    def _indexed_records(self) -> dict[str, Model]:
        if self._known is None:
            # Without a readable index, the records themselves are read.
            self._known = self._read_index() or {}
        return self._known

    def _read_index(self) -> dict[str, Model] | None:
        """The index as it stands in the store; None where there is none of this version."""
        with contextlib.suppress(FileNotFoundError, DamagedError):
            name = f"{self._folder}/{INDEX}"
            return _parsed(self._store.read(name), self._many, name, "")
        return None

    def _forget_in_index(self, name: str) -> None:
        """Remove the index if it may have a copy of a record; the next reader writes it again."""
        # What this instance remembers says nothing about an index written or left by another.
        index = self._read_index()
        if index is None or name in index:
            self._store.remove(f"{self._folder}/{INDEX}")


def read_record(store: Store, name: str, model: type[Model], remedy: str) -> Model:
    """The record in a file of a store.

    Raises FileNotFoundError, and DamagedError with `remedy` where it is not what was written.
    """
    return _parsed(store.read(name), TypeAdapter(model), store.address(name), remedy)


def read_record_file(path: Path, model: type[Model], remedy: str) -> Model:
    """The record in a file of this machine; raises what `read_record` does."""
    return _parsed(path.read_bytes(), TypeAdapter(model), str(path), remedy)


def write_record_file(path: Path, record: BaseModel, indent: int | None = None) -> None:
    """Write a record to a file of this machine so that no reader ever sees part of it."""
    write_atomically(path, as_payload(record, indent))


def read_name(path: Path) -> str | None:
    """The name or hash in a file of this machine; None where there is no file, or no such text.

    A damaged one names nothing that exists: it is as if it were not there.
    """
    try:
        return path.read_text("ascii").strip() or None
    except (FileNotFoundError, NotADirectoryError, UnicodeDecodeError):
        return None


def as_payload(record: BaseModel, indent: int | None = None) -> bytes:
    """A record as JSON, with the checksum of everything before it as its last field."""
    return with_checksum(record.model_dump_json(indent=indent, by_alias=True).encode())


def with_checksum(payload: bytes) -> bytes:
    """A JSON object that is not empty, with its checksum as the last field."""
    content = payload.removesuffix(b"}").rstrip()
    return content + b',"checksum":"%s"}' % hashlib.sha256(content).hexdigest().encode()


def _parsed(payload: bytes, kind: TypeAdapter[Parsed], address: str, remedy: str) -> Parsed:
    ending = _CHECKSUM.search(payload)
    content = payload[: ending.start()] if ending else payload
    if ending and hashlib.sha256(content).hexdigest().encode() != ending[1]:
        raise DamagedError(f"{address} was changed after it was written.", hint=remedy)
    try:
        return kind.validate_json(content + b"}" if ending else payload)
    except ValidationError:
        how = "is damaged, or of another version of Kido" if payload.strip() else "is empty"
        raise DamagedError(f"{address} {how}.", hint=remedy) from None
