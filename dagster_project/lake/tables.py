"""The typed tables as Parquet, one file per source and snapshot: vintages lie side by side.

No publisher is known here; how a vintage is chosen for a day is a rule of dbt.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import polars as pl
from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from dagster_project.lake.landing import Held
from dagster_project.lake.records import Records
from dagster_project.lake.schemas import COVERAGE, LAKE_TABLES, LakeTable
from dagster_project.lake.scope import MINERALS
from dagster_project.lake.spool import Spooled
from dagster_project.lake.store import Store
from dagster_project.lake.vintages import not_withdrawn, rows_that_count

Rows = pl.DataFrame | Spooled


def _file(snapshot_id: str, number: int) -> str:
    return f"{snapshot_id}.{number}.parquet" if number else f"{snapshot_id}.parquet"


class TableRecord(BaseModel):
    """What came in of one table: how many rows, and what the checks said."""

    model_config = ConfigDict(frozen=True)

    rows: int
    files: int = 1
    """Of more than one, the further ones are numbered from 1."""
    quarantined: int = Field(validation_alias=AliasChoices("quarantined", "set_aside"))
    suite_version: str
    checks: Sequence[Mapping[str, Any]]


class Record(BaseModel):
    """What came in of one snapshot, with which parser, and which words of the lists it met.

    `scope` is that of the commodities which were kept of it.
    """

    model_config = ConfigDict(frozen=True)

    parser_version: str
    scope: str = MINERALS
    tables: Mapping[str, TableRecord]
    words: Mapping[str, Any] = Field(default_factory=dict)


class Lake:
    """`<table>/<source>/<snapshot_id>.parquet`; a record per snapshot completes its rows.

    Rows that came in several blocks lie in as many files, `<snapshot_id>.1.parquet` and so on.

    The record (`_snapshots/<source>/<snapshot_id>.json`) is written last. It says with which
    parser and which suites the rows came in, and what the checks said of them. Rows without a
    record do not count. Rows that came in with their document lie there with a record under
    `_staged/` until someone who may write for others makes them count.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self._records: dict[tuple[str, str], Records[Record]] = {}

    def write(
        self, source: str, snapshot_id: str, frames: Mapping[str, Rows], record: Record
    ) -> None:
        """Put the rows of one snapshot in place, then the record that makes them count."""
        self._write_rows(source, snapshot_id, frames)
        self._of("_snapshots", source).add(snapshot_id, record)

    def stage(
        self, source: str, snapshot_id: str, frames: Mapping[str, Rows], record: Record
    ) -> None:
        """Put the rows of one snapshot in place; they do not count before `commit`."""
        self._write_rows(source, snapshot_id, frames)
        self._of("_staged", source).add(snapshot_id, record)

    def staged(self, source: str) -> Mapping[str, Record]:
        """What lies ready, by snapshot."""
        return self._of("_staged", source).all()

    def commit(self, source: str, snapshot_id: str, record: Record) -> None:
        """Let staged rows count."""
        self._of("_snapshots", source).add(snapshot_id, record)
        self._of("_staged", source).remove(snapshot_id)

    def unstage(self, source: str, snapshot_id: str) -> None:
        """Forget that rows lie ready that count already."""
        self._of("_staged", source).remove(snapshot_id)

    def take_out(self, source: str, snapshot_id: str) -> None:
        """Let the rows of one snapshot count no more; nothing happens where there are none.

        Their files stay until `sweep`: a build that chose them reads them until dbt is done.
        """
        self._of("_snapshots", source).remove(snapshot_id)
        self._of("_staged", source).remove(snapshot_id)

    def remove(self, source: str, snapshot_id: str) -> None:
        """Remove the rows of one snapshot with their files; for rows that never counted."""
        self.take_out(source, snapshot_id)
        for name in LAKE_TABLES:
            for file in self.store.names(f"{name}/{source}"):
                if file.split(".")[0] == snapshot_id:
                    self.store.remove(f"{name}/{source}/{file}")

    def sweep(self, source: str, tables: Iterable[str]) -> None:
        """Remove the files of a source's rows that neither count nor lie ready.

        Only while nobody else reads the lake, or writes rows of the source.
        """
        records = [*self.records(source).items(), *self.staged(source).items()]
        for table in tables:
            known = {
                _file(snapshot_id, number)
                for snapshot_id, record in records
                for number in range(record.tables[table].files if table in record.tables else 0)
            }
            for file in self.store.names(f"{table}/{source}"):
                if file not in known:
                    self.store.remove(f"{table}/{source}/{file}")

    def records(self, source: str) -> dict[str, Record]:
        """What the lake holds of a source, by snapshot, oldest first."""
        return dict(self._of("_snapshots", source).all())

    def snapshot_ids(self, source: str) -> set[str]:
        """The snapshots whose rows count; cheaper than what is on record of them."""
        return self._of("_snapshots", source).names()

    def rows(self, table: LakeTable, source: str) -> pl.LazyFrame | None:
        """The rows of a source's table, all vintages; None where there are none yet."""
        files = self.files(table, source)
        if not files:
            return None
        if self.store.is_local:
            return pl.scan_parquet(
                files, schema=table.polars_schema, missing_columns="insert", extra_columns="ignore"
            )
        # polars does not know every address that fsspec does.
        return pl.concat(
            (
                pl.read_parquet(io.BytesIO(self.store.read(f"{table.name}/{source}/{name}")))
                for name in (file.rsplit("/", 1)[-1] for file in files)
            ),
            how="diagonal_relaxed",
        ).lazy()

    def coverage(self, source: str) -> pl.DataFrame:
        """What a source was asked for, all vintages; a frame without rows where it never was."""
        rows = self.rows(COVERAGE, source)
        return COVERAGE.empty() if rows is None else COVERAGE.conform(rows.collect())

    def held(self, source: str, tables: Sequence[LakeTable]) -> dict[str, list[Held]]:
        """What each snapshot holds, by table, with the first and last period of its rows."""
        found: dict[str, list[Held]] = {}
        for table in tables:
            rows = self.rows(table, source)
            if rows is None:
                continue
            period = pl.col(table.period) if table.period else pl.lit(None)
            counted = rows.group_by("snapshot_id").agg(
                pl.len().alias("rows"),
                period.min().cast(pl.String).fill_null("").alias("first"),
                period.max().cast(pl.String).fill_null("").alias("last"),
            )
            for row in counted.collect().iter_rows(named=True):
                held = found.setdefault(row.pop("snapshot_id"), [])
                held.append(Held(table=table.name, **row))
        return found

    def counting(
        self, table: LakeTable, source: str, asked: Mapping[str, Iterable[str]], today: date
    ) -> dict[str, int]:
        """How many rows of each snapshot count in a build for `today`; `asked` are the codes that
        each snapshot of the source was asked for.
        """
        rows = self.rows(table, source)
        if rows is None:
            return {}
        counting = rows_that_count(table, table.conform(rows.collect()), today)
        counting = not_withdrawn(table, counting, self.coverage(source), asked, today)
        return dict(counting.group_by("snapshot_id").agg(pl.len()).iter_rows())

    def files(self, table: LakeTable, source: str | None = None) -> list[str]:
        """Addresses of the Parquet files of a table, those that count; of one source, if named."""
        return [
            self.store.address(f"{table.name}/{name}/{_file(snapshot_id, number)}")
            for name in ([source] if source else self.store.names("_snapshots"))
            for snapshot_id, record in self.records(name).items()
            if table.name in record.tables and record.tables[table.name].rows
            for number in range(record.tables[table.name].files)
        ]

    def _write_rows(self, source: str, snapshot_id: str, frames: Mapping[str, Rows]) -> None:
        for name, frame in frames.items():
            if isinstance(frame, Spooled):
                for number, file in enumerate(frame.files):
                    self.store.take(file, f"{name}/{source}/{_file(snapshot_id, number)}")
                continue
            if frame.is_empty():
                continue
            buffer = io.BytesIO()
            LAKE_TABLES[name].conform(frame).write_parquet(buffer, compression="zstd")
            self.store.write(f"{name}/{source}/{snapshot_id}.parquet", buffer.getvalue())

    def _of(self, folder: str, source: str) -> Records[Record]:
        if (folder, source) not in self._records:
            self._records[folder, source] = Records(
                self.store, f"{folder}/{source}", Record, ".json"
            )
        return self._records[folder, source]
