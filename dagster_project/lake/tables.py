"""The typed tables as Parquet, by table and source, with all vintages.

Nothing here depends on a publisher; the vintage of a day is selected in dbt, files are merged in
`compaction.py`.
"""

from __future__ import annotations

import contextlib
import io
import os
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from dagster_project.errors import ConfigurationError
from dagster_project.lake.landing import Held
from dagster_project.lake.records import Records
from dagster_project.lake.schemas import COVERAGE, LAKE_TABLES, LakeTable
from dagster_project.lake.scope import MINERALS
from dagster_project.lake.slices import Slices, as_frame, counted, listed
from dagster_project.lake.spool import Spooled
from dagster_project.lake.store import Store
from dagster_project.lake.vintages import not_withdrawn, rows_that_count

Rows = pl.DataFrame | Spooled

BY_PERIOD = "by_period"
"""Folder of a source's table for files of many snapshots, beside those of single ones."""

_FETCHES_AT_ONCE = 8


class TableRecord(BaseModel):
    """The landed rows of one table: their number, and the results of the checks."""

    model_config = ConfigDict(frozen=True)

    rows: int
    files: int = 1
    """Number of files; those after the first are numbered from 1."""
    quarantined: int = Field(validation_alias=AliasChoices("quarantined", "set_aside"))
    suite_version: str
    checks: Sequence[Mapping[str, Any]]
    slices: Slices | None = None
    """None where there are too many for the number of rows, or an earlier version wrote the
    record."""


class Record(BaseModel):
    """The landed rows of one snapshot, and the version of the parser.

    `scope` is that of the commodities which were kept. `written` is different each time that its
    rows are written, and part of their files' names: a file is never overwritten.
    """

    model_config = ConfigDict(frozen=True)

    parser_version: str
    scope: str = MINERALS
    tables: Mapping[str, TableRecord]
    written: str = ""
    """Empty where an earlier version wrote it."""


class RowsOf(BaseModel):
    """The rows of a snapshot in a file of many: their `written` and number."""

    model_config = ConfigDict(frozen=True)

    written: str
    rows: int


class CompactedFile(BaseModel):
    """A file with the rows of several snapshots, of the periods from `first` to `last`."""

    model_config = ConfigDict(frozen=True)

    name: str
    first: str = ""
    last: str = ""
    snapshots: Mapping[str, RowsOf]

    @property
    def rows(self) -> int:
        return sum(rows_of_snapshot.rows for rows_of_snapshot in self.snapshots.values())


class Compaction(BaseModel):
    """The files that hold the rows of several snapshots of a source's table, instead of their own.

    `snapshots` gives the `written` of each: one that is written again counts with its own file.
    """

    model_config = ConfigDict(frozen=True)

    snapshots: Mapping[str, str] = Field(default_factory=dict)
    files: tuple[CompactedFile, ...] = ()


@dataclass(frozen=True)
class LakeFile:
    """A Parquet file: the snapshots in it that count, and the others. `name` is its path in the
    lake.
    """

    name: str
    snapshots: frozenset[str]
    others: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Contents:
    """The contents of a table that count at one moment: its files, and the recorded slices.

    `unlisted` are the snapshots whose slices have to be read from their rows.
    """

    table: LakeTable
    files: tuple[LakeFile, ...]
    listed: Mapping[str, Slices]
    unlisted: frozenset[str]

    def files_of_unlisted(self) -> list[LakeFile]:
        """The files with rows of `unlisted`; rows of other snapshots in them are left out."""
        return self.files_of(self.unlisted)

    def files_of(self, snapshots: Collection[str]) -> list[LakeFile]:
        """The files with rows of `snapshots`; rows of other snapshots in them are left out."""
        return _of_snapshots(self.files, snapshots)


class Lake:
    """`<table>/<source>/<snapshot_id>.<written>.parquet`; a record per snapshot completes its rows.

    Rows of several blocks are in as many files, numbered from the second: `.1.parquet`. Files
    written before `written` was recorded have no such part in their names.

    The record (`_snapshots/<source>/<snapshot_id>.json`) is written last. It gives the versions of
    parser and suites, the results of the checks, and the slices. Rows without a record do not
    count. Rows parsed when their document was landed are staged with a record under `_staged/`
    until `commit`.

    Rows of many snapshots are merged under `<table>/<source>/by_period/` as recorded in
    `_compacted/<source>/<table>.json`, which is written last, too.

    Every file of a lake that is not on this machine is kept in the folder `cache` once it was
    read, for as long as it belongs to the lake.
    """

    def __init__(self, store: Store, cache: Path | None = None) -> None:
        self.store = store
        self._cache = cache
        self._records: dict[tuple[str, str], Records[Record]] = {}

    def write(
        self, source: str, snapshot_id: str, frames: Mapping[str, Rows], record: Record
    ) -> None:
        """Write the rows of one snapshot, then the record that makes them count."""
        written = self._write_rows(source, snapshot_id, frames, record)
        self._of("_snapshots", source).add(snapshot_id, written)

    def stage(
        self, source: str, snapshot_id: str, frames: Mapping[str, Rows], record: Record
    ) -> None:
        """Write the rows of one snapshot; they do not count before `commit`."""
        written = self._write_rows(source, snapshot_id, frames, record)
        self._of("_staged", source).add(snapshot_id, written)

    def staged(self, source: str) -> Mapping[str, Record]:
        """The records of staged rows, by snapshot."""
        return self._of("_staged", source).all()

    def commit(self, source: str, snapshot_id: str, record: Record) -> None:
        """Let staged rows count."""
        self._of("_snapshots", source).add(snapshot_id, record)
        self._of("_staged", source).remove(snapshot_id)

    def unstage(self, source: str, snapshot_id: str) -> None:
        """Remove the staging record of rows that count already."""
        self._of("_staged", source).remove(snapshot_id)

    def withdraw(self, source: str, snapshot_id: str) -> None:
        """Let the rows of one snapshot no longer count; nothing happens where there are none.

        Their files are kept until `sweep`: a running build may read them until dbt has finished.
        """
        self._of("_snapshots", source).remove(snapshot_id)
        self._of("_staged", source).remove(snapshot_id)

    def remove(self, source: str, snapshot_id: str) -> None:
        """Remove the rows of one snapshot with their files; for rows that never counted."""
        self.withdraw(source, snapshot_id)
        for name in LAKE_TABLES:
            for file in self.store.names(f"{name}/{source}"):
                if file.split(".")[0] == snapshot_id:
                    self.store.remove(f"{name}/{source}/{file}")

    def sweep(self, source: str, tables: Iterable[str]) -> None:
        """Remove the files of a source's rows that neither count nor are staged.

        Only while no other process reads the lake, or writes rows of the source.
        """
        staged = self.staged(source)
        for table in tables:
            files = {file.name for file in self._files(LAKE_TABLES[table], source)}
            files |= {
                name
                for snapshot_id, record in staged.items()
                for name in _own_files(table, source, snapshot_id, record)
            }
            folder = f"{table}/{source}"
            for place in (folder, f"{folder}/{BY_PERIOD}"):
                for name in self.store.names(place):
                    if name != BY_PERIOD and f"{place}/{name}" not in files:
                        self.store.remove(f"{place}/{name}")
            if not self.store.is_local and self._cache is not None:
                for cached in (self._cache / folder).rglob("*.parquet"):
                    name = str(cached.relative_to(self._cache))
                    is_whole = "/." not in name  # else another process is fetching it
                    if is_whole and name not in files:
                        cached.unlink(missing_ok=True)

    def records(self, source: str) -> dict[str, Record]:
        """The records of a source, by snapshot, oldest first."""
        return dict(self._of("_snapshots", source).all())

    def snapshot_ids(self, source: str) -> set[str]:
        """The snapshots whose rows count; cheaper than reading their records."""
        return self._of("_snapshots", source).names()

    def rows(
        self, table: LakeTable, source: str, left_out: Collection[str] = frozenset()
    ) -> pl.LazyFrame | None:
        """The rows of a source's table, all vintages except those of the snapshots `left_out`; None
        where there are none.
        """
        return self.rows_in(table, self.contents(table, source, left_out).files)

    def rows_in(self, table: LakeTable, files: Sequence[LakeFile]) -> pl.LazyFrame | None:
        """The rows that count in files of a table; None where there are no files."""
        scans = []
        for addresses, others in self.to_read(files):
            rows = pl.scan_parquet(
                addresses,
                schema=table.polars_schema,
                missing_columns="insert",
                extra_columns="ignore",
            )
            scans.append(
                rows.filter(~pl.col("snapshot_id").is_in(list(others))) if others else rows
            )
        return pl.concat(scans) if len(scans) > 1 else next(iter(scans), None)

    def to_read(self, files: Sequence[LakeFile]) -> list[tuple[list[str], frozenset[str]]]:
        """The local paths of files, with the snapshots whose rows in them are left out.

        Files that are not on this machine are fetched, unless they are cached.
        """
        places = self._on_this_machine([file.name for file in files])
        together: dict[frozenset[str], list[str]] = {}
        for file in files:
            together.setdefault(file.others, []).append(places[file.name])
        return [(addresses, others) for others, addresses in together.items()]

    def contents(
        self,
        table: LakeTable,
        source: str | None = None,
        left_out: Collection[str] = frozenset(),
    ) -> Contents:
        """The current contents of a table; of one source, if named, and without the snapshots
        `left_out`.
        """
        files: list[LakeFile] = []
        listed: dict[str, Slices] = {}
        unlisted: set[str] = set()
        for name in [source] if source else self.store.names("_snapshots"):
            records = self.records(name)
            current = self._files(table, name, records)
            files += _of_snapshots(current, records.keys() - left_out) if left_out else current
            for snapshot_id, record in records.items():
                recorded = record.tables.get(table.name)
                if recorded is None or not recorded.rows or snapshot_id in left_out:
                    continue
                if recorded.slices is None:
                    unlisted.add(snapshot_id)
                else:
                    listed[snapshot_id] = recorded.slices
        return Contents(table, tuple(files), listed, frozenset(unlisted))

    def slices(
        self, table: LakeTable, source: str, left_out: Collection[str] = frozenset()
    ) -> pl.DataFrame:
        """The slices of a source's table with the number of their rows, all vintages except those
        of the snapshots `left_out`.

        Rows are read only of snapshots whose slices are not on record.
        """
        contents = self.contents(table, source, left_out)
        known = as_frame(table, contents.listed)
        rows = self.rows_in(table, contents.files_of_unlisted())
        return known if rows is None else pl.concat([known, counted(table, rows)])

    def coverage(self, source: str) -> pl.DataFrame:
        """The coverage of a source, all vintages; without rows where it was never asked."""
        rows = self.rows(COVERAGE, source)
        return COVERAGE.empty() if rows is None else COVERAGE.conform(rows.collect())

    def held(self, source: str, tables: Sequence[LakeTable]) -> dict[str, list[Held]]:
        """The contents of each snapshot, by table, with the first and last period of its rows."""
        by_snapshot: dict[str, list[Held]] = {}
        for table in tables:
            if table.period is None:
                for snapshot_id, record in self.records(source).items():
                    recorded = record.tables.get(table.name)
                    if recorded is not None and recorded.rows:
                        held = by_snapshot.setdefault(snapshot_id, [])
                        held.append(Held(table=table.name, rows=recorded.rows))
                continue
            if table.period in table.vintage_slice:
                slices = self.slices(table, source).lazy()
            else:
                rows = self.rows(table, source)
                if rows is None:
                    continue
                slices = rows.with_columns(rows=pl.lit(1, pl.Int64))
            period = pl.col(table.period)
            of_each = slices.group_by("snapshot_id").agg(
                pl.col("rows").sum(),
                period.min().cast(pl.String).fill_null("").alias("first"),
                period.max().cast(pl.String).fill_null("").alias("last"),
            )
            for row in of_each.collect().iter_rows(named=True):
                held = by_snapshot.setdefault(row.pop("snapshot_id"), [])
                held.append(Held(table=table.name, **row))
        return by_snapshot

    def counting(
        self,
        table: LakeTable,
        source: str,
        asked: Mapping[str, Iterable[str]],
        today: date,
        left_out: Collection[str] = frozenset(),
    ) -> dict[str, int]:
        """How many rows of each snapshot count in a build for `today`; `asked` are the codes that
        were requested for each snapshot of the source, `left_out` the copies of bundled documents
        that do not count then (`Copies.left_out`).

        Rows are read only for a table with subjects (lists, facts).
        """
        if table.subject:
            rows = self.rows(table, source, left_out)
            if rows is None:
                return {}
            counting = rows_that_count(table, table.conform(rows.collect()), today)
            return dict(counting.group_by("snapshot_id").agg(pl.len()).iter_rows())
        counting = rows_that_count(table, self.slices(table, source, left_out), today)
        if table.asked_by:
            counting = not_withdrawn(table, counting, self.coverage(source), asked, today)
        return dict(counting.group_by("snapshot_id").agg(pl.col("rows").sum()).iter_rows())

    def compaction(self, table: LakeTable, source: str) -> Compaction:
        """Which files hold the rows of several snapshots; an empty one where none do."""
        try:
            written = self.store.read(f"_compacted/{source}/{table.name}.json")
        except (FileNotFoundError, NotADirectoryError):
            return Compaction()
        return Compaction.model_validate_json(written)

    def record_compaction(self, table: LakeTable, source: str, compaction: Compaction) -> None:
        """Let the rows be read from these files from now on."""
        payload = compaction.model_dump_json().encode()
        self.store.write(f"_compacted/{source}/{table.name}.json", payload)

    def _files(
        self, table: LakeTable, source: str, records: Mapping[str, Record] | None = None
    ) -> list[LakeFile]:
        records = self.records(source) if records is None else records
        of_table = {
            snapshot_id: record
            for snapshot_id, record in records.items()
            if table.name in record.tables and record.tables[table.name].rows
        }
        if not of_table:
            return []
        compaction = self.compaction(table, source)
        written = {snapshot_id: record.written for snapshot_id, record in of_table.items()}
        compacted = {
            snapshot_id
            for snapshot_id, when in compaction.snapshots.items()
            if written.get(snapshot_id) == when
        }
        files = [
            LakeFile(name, frozenset([snapshot_id]))
            for snapshot_id, record in of_table.items()
            if snapshot_id not in compacted
            for name in _own_files(table.name, source, snapshot_id, record)
        ]
        for file in compaction.files:
            counting = frozenset(
                snapshot_id
                for snapshot_id, rows_of_snapshot in file.snapshots.items()
                if snapshot_id in compacted and written[snapshot_id] == rows_of_snapshot.written
            )
            if counting:
                others = frozenset(file.snapshots) - counting
                files.append(LakeFile(f"{table.name}/{source}/{file.name}", counting, others))
        return files

    def _on_this_machine(self, names: Sequence[str]) -> dict[str, str]:
        if self.store.is_local:
            return {name: self.store.path(name) for name in names}
        if self._cache is None:
            raise ConfigurationError(f"{self.store.url} needs a folder to be read into.")
        places = {name: self._cache / name for name in names}
        absent = [name for name, place in places.items() if not place.exists()]
        with ThreadPoolExecutor(_FETCHES_AT_ONCE) as pool:
            list(pool.map(lambda name: self._fetch(name, places[name]), absent))
        return {name: str(place) for name, place in places.items()}

    def _fetch(self, name: str, place: Path) -> None:
        fetched = self.store.as_file(name, place.parent / f".{uuid.uuid4().hex[:8]}")
        os.replace(fetched, place)
        with contextlib.suppress(OSError):
            fetched.parent.rmdir()

    def _write_rows(
        self, source: str, snapshot_id: str, frames: Mapping[str, Rows], record: Record
    ) -> Record:
        """Write the rows; returns what is recorded of them: files and slices."""
        record = record.model_copy(update={"written": uuid.uuid4().hex[:8]})
        tables = dict(record.tables)
        for name, frame in frames.items():
            table = LAKE_TABLES[name]
            if isinstance(frame, Spooled):
                slices = listed(table, frame.scan(), frame.rows)
                files = _own_files(name, source, snapshot_id, record, len(frame.files))
                for file, place in zip(frame.files, files, strict=True):
                    self.store.take(file, place)
            elif frame.is_empty():
                continue
            else:
                rows = table.conform(frame)
                slices = listed(table, rows.lazy(), rows.height)
                buffer = io.BytesIO()
                rows.write_parquet(buffer, compression="zstd")
                (place,) = _own_files(name, source, snapshot_id, record, 1)
                self.store.write(place, buffer.getvalue())
            if name in tables:
                tables[name] = tables[name].model_copy(update={"slices": slices})
        return record.model_copy(update={"tables": tables})

    def _of(self, folder: str, source: str) -> Records[Record]:
        if (folder, source) not in self._records:
            self._records[folder, source] = Records(
                self.store, f"{folder}/{source}", Record, ".json"
            )
        return self._records[folder, source]


def _of_snapshots(files: Iterable[LakeFile], snapshots: Collection[str]) -> list[LakeFile]:
    """The files with rows of `snapshots`; rows of other snapshots in them are left out."""
    wanted = frozenset(snapshots)
    return [
        LakeFile(file.name, chosen, file.others | (file.snapshots - chosen))
        for file in files
        if (chosen := file.snapshots & wanted)
    ]


def _own_files(
    table: str, source: str, snapshot_id: str, record: Record, count: int | None = None
) -> list[str]:
    """The files of a snapshot's rows of a table, as many as are on record if not given."""
    if count is None:
        recorded = record.tables.get(table)
        count = recorded.files if recorded is not None and recorded.rows else 0
    stem = ".".join(part for part in (snapshot_id, record.written) if part)
    return [
        f"{table}/{source}/{stem}{f'.{number}' if number else ''}.parquet"
        for number in range(count)
    ]
