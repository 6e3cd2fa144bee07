"""Rows of a table on their way into the lake, in files of this machine: more than are held at once.

Nothing is decided here; what is spooled counts when the lake has it.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from dagster_project.errors import UpstreamFormatError
from dagster_project.lake.schemas import LakeTable


@dataclass(frozen=True)
class Spooled:
    """Rows of a table in Parquet files, in order."""

    files: tuple[Path, ...]
    rows: int

    def scan(self) -> pl.LazyFrame:
        return pl.scan_parquet(list(self.files))

    def remove(self) -> None:
        for file in self.files:
            file.unlink(missing_ok=True)


def spool(table: LakeTable, block: pl.LazyFrame, folder: Path) -> Path:
    """Write a block of rows of a table, conformed; they are computed piece by piece."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{table.name}-{uuid.uuid4().hex[:8]}.parquet"
    try:
        table.conform_lazily(block).sink_parquet(
            # At level 1 the files of 11 million flows are as small as at the default (87 MB).
            file,
            compression="zstd",
            compression_level=1,
            sync_on_close="data",
        )
    except pl.exceptions.InvalidOperationError as error:
        raise UpstreamFormatError(
            f"{table.name}: a value does not fit its type ({str(error).splitlines()[0]})."
        ) from error
    return file


def spooled(files: Iterable[Path]) -> Spooled:
    """Files that are spooled already."""
    files = tuple(files)
    rows = pl.scan_parquet(list(files)).select(pl.len()).collect().item() if files else 0
    return Spooled(files, rows)
