"""Rows of a table in local files before they are moved into the lake: too many for memory.

Nothing reads spooled rows but the checks of their batch.
"""

from __future__ import annotations

import io
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from dagster_project.errors import UpstreamFormatError
from dagster_project.lake.schemas import LakeTable

_TYPES = "ARROW:schema"
"""Key of a Parquet file's metadata with the types of its columns; text and Enum are stored
alike."""


@dataclass(frozen=True)
class Spooled:
    """Rows of a table in Parquet files, in order; `rows` is their number."""

    files: tuple[Path, ...]
    rows: int

    @classmethod
    def from_files(cls, files: Iterable[Path]) -> Spooled:
        """The rows in files that `spool` wrote."""
        files = tuple(files)
        rows = pl.scan_parquet(list(files)).select(pl.len()).collect().item() if files else 0
        return cls(files, rows)

    def scan(self) -> pl.LazyFrame:
        return pl.scan_parquet(list(self.files))

    def remove(self) -> None:
        """Remove the files."""
        for file in self.files:
            file.unlink(missing_ok=True)


def spool(table: LakeTable, block: pl.LazyFrame, folder: Path) -> Path:
    """Write a block of rows of a table to a new file in `folder`, conformed and streamed.

    Texts may be Enum, which takes half the time; they are read back as text. Raises
    UpstreamFormatError for other columns than declared, or a value that does not fit its type.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{table.name}-{uuid.uuid4().hex[:8]}.parquet"
    try:
        _with_enums_of(block, table).conform_lazily(block).sink_parquet(
            # At level 1 the files of 11 million flows are as small as at the default (87 MB).
            file,
            compression="zstd",
            compression_level=1,
            sync_on_close="data",
            metadata={_TYPES: _types_of(table)},
        )
    except pl.exceptions.InvalidOperationError as error:
        raise UpstreamFormatError(
            f"{table.name}: a value does not fit its type ({str(error).splitlines()[0]})."
        ) from error
    return file


def _with_enums_of(block: pl.LazyFrame, table: LakeTable) -> LakeTable:
    """The table with the Enum types of the block's text columns."""
    schema = block.collect_schema()
    return replace(
        table,
        columns={
            name: replace(column, dtype=schema[name])
            if column.dtype == pl.String and isinstance(schema.get(name), pl.Enum)
            else column
            for name, column in table.columns.items()
        },
    )


def _types_of(table: LakeTable) -> str:
    """The declared types, as polars writes them to a Parquet file's metadata."""
    file = io.BytesIO()
    table.empty().write_parquet(file)
    file.seek(0)
    return pl.read_parquet_metadata(file)[_TYPES]
