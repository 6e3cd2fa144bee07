"""The typed tables as Parquet, one file per source and snapshot: vintages lie side by side.

No publisher is known here; how a vintage is chosen for a day is a rule of dbt.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
from pydantic import BaseModel, ConfigDict

from dagster_project.lake.schemas import LAKE_TABLES, LakeTable
from dagster_project.lake.store import Store


class TableRecord(BaseModel):
    """What came in of one table: how many rows, and what the checks said."""

    model_config = ConfigDict(frozen=True)

    rows: int
    set_aside: int
    suite_version: str
    checks: Sequence[Mapping[str, Any]]


class Record(BaseModel):
    """What came in of one snapshot, and with which parser."""

    model_config = ConfigDict(frozen=True)

    parser_version: str
    tables: Mapping[str, TableRecord]


class Lake:
    """`<table>/<source>/<snapshot_id>.parquet`; a record per snapshot completes its rows.

    The record (`_snapshots/<source>/<snapshot_id>.json`) is written last. It says with which
    parser and which suites the rows came in, and what the checks said of them. Rows without a
    record do not count.
    """

    def __init__(self, store: Store) -> None:
        self.store = store

    def write(
        self, source: str, snapshot_id: str, frames: Mapping[str, pl.DataFrame], record: Record
    ) -> None:
        """Put the rows of one snapshot in place, then the record that makes them count."""
        for name, frame in frames.items():
            buffer = io.BytesIO()
            LAKE_TABLES[name].conform(frame).write_parquet(buffer, compression="zstd")
            self.store.write(f"{name}/{source}/{snapshot_id}.parquet", buffer.getvalue())
        self.store.write(
            f"_snapshots/{source}/{snapshot_id}.json", record.model_dump_json().encode()
        )

    def remove(self, source: str, snapshot_id: str) -> None:
        """Take the rows of one snapshot out again; nothing happens where there are none.

        The record goes first: rows whose files are still there do not count without it.
        """
        self.store.remove(f"_snapshots/{source}/{snapshot_id}.json")
        for name in LAKE_TABLES:
            self.store.remove(f"{name}/{source}/{snapshot_id}.parquet")

    def records(self, source: str) -> dict[str, Record]:
        """What the lake holds of a source, by snapshot, oldest first."""
        return {
            name.removesuffix(".json"): Record.model_validate_json(
                self.store.read(f"_snapshots/{source}/{name}")
            )
            for name in self.store.names(f"_snapshots/{source}")
        }

    def rows(self, table: LakeTable, source: str) -> pl.LazyFrame | None:
        """The rows of a source's table, all vintages; None where there are none yet."""
        files = self.files(table, source)
        if not files:
            return None
        if self.store.is_local:
            return pl.scan_parquet(files)
        # polars does not know every address that fsspec does.
        return pl.concat(
            pl.read_parquet(io.BytesIO(self.store.read(f"{table.name}/{source}/{name}")))
            for name in (file.rsplit("/", 1)[-1] for file in files)
        ).lazy()

    def files(self, table: LakeTable, source: str | None = None) -> list[str]:
        """Addresses of the Parquet files of a table, those that count; of one source, if named."""
        return [
            self.store.address(f"{table.name}/{name}/{snapshot_id}.parquet")
            for name in ([source] if source else self.store.names("_snapshots"))
            for snapshot_id, record in self.records(name).items()
            if table.name in record.tables
        ]
