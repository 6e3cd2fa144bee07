"""The typed tables as Parquet, by table and source, with all vintages.

Nothing here depends on a publisher. The current vintage is selected in dbt (`vintages.py` runs its
macros on frames), files are merged in `compaction.py`.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import zip_longest
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from dagster_project.errors import ConfigurationError, DamagedError
from dagster_project.lake.landing import SnapshotRows, sha256_of_file
from dagster_project.lake.records import Records, as_payload, read_record
from dagster_project.lake.schemas import COVERAGE, LAKE_TABLES, LakeTable
from dagster_project.lake.scope import MINERALS
from dagster_project.lake.slices import Slices, as_frame, count_slices, slices_to_record
from dagster_project.lake.spool import Spooled
from dagster_project.lake.store import Store
from dagster_project.lake.vintages import current_rows, not_withdrawn

Rows = pl.DataFrame | Spooled

BY_PERIOD = "by_period"
"""Folder of a source's table for merged files; files of single snapshots are beside it."""

_DOWNLOADS_AT_ONCE = 8

REMEDY = "kido build makes it again from the landed bytes."
"""For everything in the lake: it is made from the landing."""


class TableRecord(BaseModel):
    """The rows of one snapshot in one table: their number, and the results of the checks."""

    model_config = ConfigDict(frozen=True)

    rows: int
    files: int = 1
    """Number of files; those after the first are numbered from 1."""
    sha256: tuple[str, ...] = ()
    """The hash of each file; empty where an earlier version wrote the record."""
    quarantined: int = Field(validation_alias=AliasChoices("quarantined", "set_aside"))
    suite_version: str
    checks: Sequence[Mapping[str, Any]]
    slices: Slices | None = None
    """None where there are too many for the number of rows, or an earlier version wrote the
    record."""


class Record(BaseModel):
    """The rows of one snapshot, and the version of the parser that made them.

    `scope` is the commodity scope in which they were parsed. `written` is a new random text each
    time the rows are written. It is part of their files' names: a file is never overwritten.
    """

    model_config = ConfigDict(frozen=True)

    parser_version: str
    scope: str = MINERALS
    tables: Mapping[str, TableRecord]
    written: str = ""
    """Empty where an earlier version wrote it."""


class MergedRows(BaseModel):
    """The rows of one snapshot in a merged file: its record's `written`, and their number."""

    model_config = ConfigDict(frozen=True)

    written: str
    rows: int


class CompactedFile(BaseModel):
    """A file with the rows of several snapshots, of the periods from `first` to `last`."""

    model_config = ConfigDict(frozen=True)

    name: str
    first: str = ""
    last: str = ""
    sha256: str = ""
    """Empty where an earlier version wrote it."""
    snapshots: Mapping[str, MergedRows]

    @property
    def rows(self) -> int:
        return sum(merged.rows for merged in self.snapshots.values())


class Compaction(BaseModel):
    """The merged files of a source's table, which replace the files of single snapshots.

    `snapshots` gives the `written` of each merged snapshot. Of one that has been written again
    since, its own files are read.
    """

    model_config = ConfigDict(frozen=True)

    snapshots: Mapping[str, str] = Field(default_factory=dict)
    files: tuple[CompactedFile, ...] = ()


@dataclass(frozen=True)
class LakeFile:
    """A Parquet file: the snapshots in use of which it has rows, and the others.

    `name` is its path in the lake. `sha256` is the hash of what was written, empty where an earlier
    version wrote it.
    """

    name: str
    snapshots: frozenset[str]
    others: frozenset[str] = frozenset()
    sha256: str = ""


@dataclass(frozen=True)
class Damage:
    """What of a source's lake is not as it was written: the snapshots to be parsed again, and each
    fault in a sentence.

    Files of an earlier version, without a hash, are parsed again as well; that is no fault.
    """

    snapshots: frozenset[str]
    faults: tuple[DamagedError, ...]
    compactions: frozenset[str] = frozenset()
    """The tables whose record of merged files is damaged."""
    files: int = 0
    """How many records and files were read."""


@dataclass(frozen=True)
class Contents:
    """The contents of a table at one moment: its files in use, and the recorded slices.

    `without_slices` are the snapshots whose slices have to be read from their rows.
    """

    table: LakeTable
    files: tuple[LakeFile, ...]
    slices: Mapping[str, Slices]
    without_slices: frozenset[str]

    def files_without_slices(self) -> list[LakeFile]:
        """The files with rows of `without_slices`, and of no other snapshot."""
        return self.files_of(self.without_slices)

    def files_of(self, snapshots: Collection[str]) -> list[LakeFile]:
        """The files with rows of `snapshots`; rows of other snapshots in them are left out."""
        return _of_snapshots(self.files, snapshots)


class Lake:
    """Rows in `<table>/<source>/<snapshot_id>.<written>.parquet`, and a record per snapshot.

    Rows of several blocks are in as many files, numbered from the second: `.1.parquet`. Files
    written before `written` was recorded have no such part in their names.

    The record (`_snapshots/<source>/<snapshot_id>.json`) is written last. It gives the versions of
    parser and suites, the results of the checks, and the slices. Rows without a record are not in
    the lake. Rows parsed when their document was landed are staged with a record under `_staged/`
    until `commit`.

    Rows of many snapshots are merged under `<table>/<source>/by_period/` as recorded in
    `_compacted/<source>/<table>.json`, which is written last, too.

    Of a lake on another machine, every file that was read is cached in the folder `cache`, until a
    sweep finds that it is no longer in the lake.
    """

    def __init__(self, store: Store, cache: Path | None = None) -> None:
        self.store = store
        self._cache = cache
        self._records: dict[tuple[str, str], Records[Record]] = {}

    def write(
        self, source: str, snapshot_id: str, frames: Mapping[str, Rows], record: Record
    ) -> None:
        """Write the rows of one snapshot, then the record that adds them to the lake."""
        written = self._write_rows(source, snapshot_id, frames, record)
        self._records_in("_snapshots", source).add(snapshot_id, written)

    def stage(
        self, source: str, snapshot_id: str, frames: Mapping[str, Rows], record: Record
    ) -> None:
        """Write the rows of one snapshot; `commit` adds them to the lake."""
        written = self._write_rows(source, snapshot_id, frames, record)
        self._records_in("_staged", source).add(snapshot_id, written)

    def staged(self, source: str) -> Mapping[str, Record]:
        """The records of staged rows, by snapshot."""
        return self._records_in("_staged", source).all()

    def readable_staged(self, source: str) -> dict[str, Record]:
        """The records of staged rows that are not damaged, by snapshot."""
        return self._records_in("_staged", source).readable()[0]

    def commit(self, source: str, snapshot_id: str, record: Record) -> None:
        """Add staged rows to the lake."""
        self._records_in("_snapshots", source).add(snapshot_id, record)
        self._records_in("_staged", source).remove(snapshot_id)

    def unstage(self, source: str, snapshot_id: str) -> None:
        """Remove the staging record of rows that are in the lake already."""
        self._records_in("_staged", source).remove(snapshot_id)

    def withdraw(self, source: str, snapshot_id: str) -> None:
        """Take the rows of one snapshot out of the lake; nothing happens where there are none.

        Their files stay until `sweep`: a running build may read them until dbt has finished.
        """
        self._records_in("_snapshots", source).remove(snapshot_id)
        self._records_in("_staged", source).remove(snapshot_id)

    def remove(self, source: str, snapshot_id: str) -> None:
        """Remove the rows of one snapshot with their files; for rows that no build has read."""
        self.withdraw(source, snapshot_id)
        for name in LAKE_TABLES:
            for file in self.store.names(f"{name}/{source}"):
                if file.split(".")[0] == snapshot_id:
                    self.store.remove(f"{name}/{source}/{file}")

    def sweep(self, source: str, tables: Iterable[str]) -> None:
        """Remove the files of a source's rows that are neither in the lake nor staged.

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
                    is_whole = "/." not in name  # else another process is downloading it
                    if is_whole and name not in files:
                        cached.unlink(missing_ok=True)

    def records(self, source: str) -> dict[str, Record]:
        """The records of a source, by snapshot, oldest first. Raises DamagedError."""
        return dict(self._records_in("_snapshots", source).all())

    def readable_records(self, source: str) -> dict[str, Record]:
        """The records of a source that are not damaged, by snapshot, oldest first."""
        return self._records_in("_snapshots", source).readable()[0]

    def damage(self, source: str) -> Damage:
        """Compare the source's files in use with the hashes on record.

        A file is read once per process, unless it changes. Files of another machine are cached.
        """
        records, unreadable = self._records_in("_snapshots", source).readable()
        faults, compactions = list(unreadable.values()), set()
        snapshots = set(unreadable)
        read = len(records) + len(unreadable)
        for name in sorted({name for record in records.values() for name in record.tables}):
            table = LAKE_TABLES.get(name)
            if table is None:
                continue
            try:
                compaction = self.compaction(table, source)
            except DamagedError as error:
                faults.append(error)
                compactions.add(name)
                compaction = Compaction()
            files = self._files(table, source, records, compaction)
            read += len(files)
            for file, fault in zip(files, self._faults_in(files), strict=True):
                if fault is not None or not file.sha256:
                    snapshots |= file.snapshots
                if fault is not None:
                    faults.append(fault)
        return Damage(frozenset(snapshots), tuple(faults), frozenset(compactions), read)

    def forget_compaction(self, table: str, source: str) -> None:
        """Remove the record of merged files; only when every snapshot has files of its own."""
        self.store.remove(f"_compacted/{source}/{table}.json")

    def snapshot_ids(self, source: str) -> set[str]:
        """The snapshots whose rows are in the lake; cheaper than reading their records."""
        return self._records_in("_snapshots", source).names()

    def rows(
        self, table: LakeTable, source: str, left_out: Collection[str] = frozenset()
    ) -> pl.LazyFrame | None:
        """The rows of a source's table, all vintages except those of the snapshots `left_out`; None
        where there are none.
        """
        return self.rows_in(table, self.contents(table, source, left_out).files)

    def rows_in(self, table: LakeTable, files: Sequence[LakeFile]) -> pl.LazyFrame | None:
        """The rows in files of a table, of the snapshots in use; None where there are no files."""
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

        Files that are not on this machine are fetched, unless they are cached. Raises DamagedError
        for a file that is missing or differs from what was written.
        """
        for fault in self._faults_in(files):
            if fault is not None:
                raise fault
        by_others: dict[frozenset[str], list[str]] = {}
        for file in files:
            by_others.setdefault(file.others, []).append(str(self._place_of(file)))
        return [(addresses, others) for others, addresses in by_others.items()]

    def contents(
        self,
        table: LakeTable,
        source: str | None = None,
        left_out: Collection[str] = frozenset(),
    ) -> Contents:
        """The contents of a table; of one source, if named, without the snapshots `left_out`."""
        files: list[LakeFile] = []
        slices: dict[str, Slices] = {}
        without_slices: set[str] = set()
        for name in [source] if source else self.store.names("_snapshots"):
            records = self.records(name)
            in_use = self._files(table, name, records)
            files += _of_snapshots(in_use, records.keys() - left_out) if left_out else in_use
            for snapshot_id, record in records.items():
                recorded = record.tables.get(table.name)
                if recorded is None or not recorded.rows or snapshot_id in left_out:
                    continue
                if recorded.slices is None:
                    without_slices.add(snapshot_id)
                else:
                    slices[snapshot_id] = recorded.slices
        return Contents(table, tuple(files), slices, frozenset(without_slices))

    def slices(
        self, table: LakeTable, source: str, left_out: Collection[str] = frozenset()
    ) -> pl.DataFrame:
        """The slices of a source's table with the number of their rows, all vintages.

        Without those of the snapshots `left_out`. Rows are read only of snapshots whose slices are
        not on record.
        """
        contents = self.contents(table, source, left_out)
        recorded = as_frame(table, contents.slices)
        rows = self.rows_in(table, contents.files_without_slices())
        return recorded if rows is None else pl.concat([recorded, count_slices(table, rows)])

    def coverage(self, source: str) -> pl.DataFrame:
        """The coverage of a source, all vintages; without rows where nothing was requested."""
        rows = self.rows(COVERAGE, source)
        return COVERAGE.empty() if rows is None else COVERAGE.conform(rows.collect())

    def rows_by_snapshot(
        self, source: str, tables: Sequence[LakeTable]
    ) -> dict[str, list[SnapshotRows]]:
        """What each snapshot of a source has in these tables, one entry per table with rows."""
        by_snapshot: dict[str, list[SnapshotRows]] = {}
        for table in tables:
            for snapshot_id, rows in self._rows_of_table(source, table):
                by_snapshot.setdefault(snapshot_id, []).append(rows)
        return by_snapshot

    def _rows_of_table(self, source: str, table: LakeTable) -> Iterator[tuple[str, SnapshotRows]]:
        """The rows of each snapshot in a table: their number, first and last period."""
        if table.period is None:
            for snapshot_id, record in self.records(source).items():
                recorded = record.tables.get(table.name)
                if recorded is not None and recorded.rows:
                    yield snapshot_id, SnapshotRows(table=table.name, rows=recorded.rows)
            return
        if table.period in table.vintage_slice:
            slices = self.slices(table, source).lazy()
        else:
            rows = self.rows(table, source)
            if rows is None:
                return
            slices = rows.with_columns(rows=pl.lit(1, pl.Int64))
        period = pl.col(table.period)
        by_snapshot = slices.group_by("snapshot_id").agg(
            pl.col("rows").sum(),
            period.min().cast(pl.String).fill_null("").alias("first"),
            period.max().cast(pl.String).fill_null("").alias("last"),
        )
        for row in by_snapshot.collect().iter_rows(named=True):
            yield row.pop("snapshot_id"), SnapshotRows(table=table.name, **row)

    def current_row_counts(
        self,
        table: LakeTable,
        source: str,
        asked: Mapping[str, Iterable[str]],
        today: date,
        left_out: Collection[str] = frozenset(),
    ) -> dict[str, int]:
        """How many rows of each snapshot are current in a build for `today`.

        `asked` are the codes that were requested for each snapshot of the source, `left_out` the
        replaced copies of bundled documents (`Copies.left_out`). Rows are read only for a table
        with subjects (lists, facts).
        """
        if table.subject:
            rows = self.rows(table, source, left_out)
            if rows is None:
                return {}
            current = current_rows(table, table.conform(rows.collect()), today)
            return dict(current.group_by("snapshot_id").agg(pl.len()).iter_rows())
        current = current_rows(table, self.slices(table, source, left_out), today)
        if table.asked_by:
            current = not_withdrawn(table, current, self.coverage(source), asked, today)
        return dict(current.group_by("snapshot_id").agg(pl.col("rows").sum()).iter_rows())

    def compaction(self, table: LakeTable, source: str) -> Compaction:
        """The merged files of a source's table; an empty compaction where there are none.

        Raises DamagedError.
        """
        try:
            name = f"_compacted/{source}/{table.name}.json"
            return read_record(self.store, name, Compaction, REMEDY)
        except (FileNotFoundError, NotADirectoryError):
            return Compaction()

    def record_compaction(self, table: LakeTable, source: str, compaction: Compaction) -> None:
        """Read the rows of a source's table from these files from now on."""
        self.store.write(f"_compacted/{source}/{table.name}.json", as_payload(compaction))

    def _files(
        self,
        table: LakeTable,
        source: str,
        records: Mapping[str, Record] | None = None,
        compaction: Compaction | None = None,
    ) -> list[LakeFile]:
        """The files in use of a source's table: of single snapshots, then the merged ones."""
        records = self.records(source) if records is None else records
        with_rows = {
            snapshot_id: record
            for snapshot_id, record in records.items()
            if table.name in record.tables and record.tables[table.name].rows
        }
        if not with_rows:
            return []
        compaction = self.compaction(table, source) if compaction is None else compaction
        written = {snapshot_id: record.written for snapshot_id, record in with_rows.items()}
        compacted = {
            snapshot_id
            for snapshot_id, written_then in compaction.snapshots.items()
            if written.get(snapshot_id) == written_then
        }
        files = [
            LakeFile(name, frozenset([snapshot_id]), sha256=sha256)
            for snapshot_id, record in with_rows.items()
            if snapshot_id not in compacted
            for name, sha256 in zip_longest(
                _own_files(table.name, source, snapshot_id, record),
                record.tables[table.name].sha256,
                fillvalue="",
            )
        ]
        for file in compaction.files:
            in_use = frozenset(
                snapshot_id
                for snapshot_id, merged in file.snapshots.items()
                if snapshot_id in compacted and written[snapshot_id] == merged.written
            )
            if in_use:
                others = frozenset(file.snapshots) - in_use
                name = f"{table.name}/{source}/{file.name}"
                files.append(LakeFile(name, in_use, others, file.sha256))
        return files

    def _place_of(self, file: LakeFile) -> Path:
        """Where a file is on this machine, or is cached if it is on another."""
        if self.store.is_local:
            return Path(self.store.path(file.name))
        if self._cache is None:
            raise ConfigurationError(f"{self.store.url} needs a folder to be read into.")
        return self._cache / file.name

    def _faults_in(self, files: Sequence[LakeFile]) -> list[DamagedError | None]:
        """The fault of each file; None for one that is as it was written, or has no hash."""
        if self.store.is_local:
            return [self._fault_in(file) for file in files]
        with ThreadPoolExecutor(_DOWNLOADS_AT_ONCE) as pool:
            return list(pool.map(self._fault_in, files))

    def _fault_in(self, file: LakeFile) -> DamagedError | None:
        place = self._place_of(file)
        is_cached = not self.store.is_local and place.exists()
        try:
            if not (self.store.is_local or is_cached):
                self._download(file.name, place)
            is_whole = is_as_written(place, file)
            if is_cached and not is_whole:
                self._download(file.name, place)
                is_whole = is_as_written(place, file)
        except FileNotFoundError:
            return self._damaged(file, "is missing")
        except OSError as error:
            if not self.store.is_local:  # the network, or its server
                raise
            return self._damaged(file, f"cannot be read ({error.strerror})")
        return None if is_whole else self._damaged(file, "was changed after it was written")

    def _damaged(self, file: LakeFile, how: str) -> DamagedError:
        return DamagedError(f"{self.store.address(file.name)} {how}.", hint=REMEDY)

    def _download(self, name: str, path: Path) -> None:
        downloaded = self.store.as_file(name, path.parent / f".{uuid.uuid4().hex[:8]}")
        os.replace(downloaded, path)
        with contextlib.suppress(OSError):
            downloaded.parent.rmdir()

    def _write_rows(
        self, source: str, snapshot_id: str, frames: Mapping[str, Rows], record: Record
    ) -> Record:
        """Write the rows; returns the record, completed with their `written` and slices."""
        record = record.model_copy(update={"written": uuid.uuid4().hex[:8]})
        tables = dict(record.tables)
        for name, frame in frames.items():
            table = LAKE_TABLES[name]
            if isinstance(frame, Spooled):
                slices = slices_to_record(table, frame.scan(), frame.rows)
                files = _own_files(name, source, snapshot_id, record, len(frame.files))
                sha256 = tuple(sha256_of_file(file) for file in frame.files)
                for file, stored_as in zip(frame.files, files, strict=True):
                    self.store.move_in(file, stored_as)
            elif frame.is_empty():
                continue
            else:
                rows = table.conform(frame)
                slices = slices_to_record(table, rows.lazy(), rows.height)
                buffer = io.BytesIO()
                rows.write_parquet(buffer, compression="zstd")
                (stored_as,) = _own_files(name, source, snapshot_id, record, 1)
                payload = buffer.getvalue()
                sha256 = (hashlib.sha256(payload).hexdigest(),)
                self.store.write(stored_as, payload)
            if name in tables:
                update = {"slices": slices, "sha256": sha256}
                tables[name] = tables[name].model_copy(update=update)
        return record.model_copy(update={"tables": tables})

    def _records_in(self, folder: str, source: str) -> Records[Record]:
        if (folder, source) not in self._records:
            self._records[folder, source] = Records(
                self.store, f"{folder}/{source}", Record, ".json", remedy=REMEDY
            )
        return self._records[folder, source]


def _of_snapshots(files: Iterable[LakeFile], snapshots: Collection[str]) -> list[LakeFile]:
    """The files with rows of `snapshots`; rows of other snapshots in them are left out."""
    selected = frozenset(snapshots)
    return [
        LakeFile(file.name, in_file, file.others | (file.snapshots - in_file), file.sha256)
        for file in files
        if (in_file := file.snapshots & selected)
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


def is_as_written(path: Path, file: LakeFile) -> bool:
    """Whether a file has the recorded hash, if there is one. Raises FileNotFoundError."""
    status = path.stat()
    state = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    return not file.sha256 or _sha256_of(path, state) == file.sha256


@lru_cache(maxsize=1 << 16)
def _sha256_of(path: Path, state: tuple[int, ...]) -> str:
    """The hash of a state of a file, read once in a process."""
    return sha256_of_file(path)
