"""Small JSON records under one folder, each written once, read through an index.

The records are authoritative, the index is a copy of many: two thousand records are read from one
file instead of two thousand. Nothing here depends on the content of a record.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Generic, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from dagster_project.lake.store import Store

Model = TypeVar("Model", bound=BaseModel)

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
    store.
    """

    def __init__(
        self, store: Store, folder: str, model: type[Model], suffix: str, indent: int | None = None
    ) -> None:
        self._store = store
        self._folder = folder
        self._suffix = suffix
        self._model = model
        self._indent = indent
        self._many = TypeAdapter(dict[str, model])  # type: ignore[valid-type]
        self._known: dict[str, Model] | None = None

    def all(self) -> Mapping[str, Model]:
        """Every record by name, in the order of the names."""
        names = dict.fromkeys(self._names())
        is_first_look = self._known is None
        known = self._indexed_records()
        indexed = len(known)
        for removed in [name for name in known if name not in names]:
            del known[removed]
        for name in [name for name in names if name not in known]:
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                known[name] = self._model.model_validate_json(self._store.read(self._path(name)))
        has_many_unindexed = len(known) - indexed > max(FEWEST_UNINDEXED, indexed // 2)
        if is_first_look and has_many_unindexed and not self._store.is_read_only:
            index = self._many.dump_json(known, by_alias=True)
            self._store.write(f"{self._folder}/{INDEX}", index)
        return {name: known[name] for name in names if name in known}

    def names(self) -> set[str]:
        """The names in the folder, without reading the records."""
        return set(self._names())

    def add(self, name: str, record: Model) -> None:
        """Write a record, replacing one of the same name."""
        self._forget_in_index(name)
        payload = record.model_dump_json(indent=self._indent, by_alias=True)
        self._store.write(self._path(name), payload.encode())
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
        try:
            return self._many.validate_json(self._store.read(f"{self._folder}/{INDEX}"))
        except (FileNotFoundError, ValidationError):
            return None

    def _forget_in_index(self, name: str) -> None:
        """Remove the index if it may have a copy of a record; the next reader writes it again."""
        # What this instance remembers says nothing about an index written or left by another.
        index = self._read_index()
        if index is None or name in index:
            self._store.remove(f"{self._folder}/{INDEX}")
