"""Quarantined rows on disk, with the reason and the original row, for `catalog.quarantine`.

Whole documents that cannot be used are quarantined in `lake/landing.py`.
"""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path

import polars as pl
from pydantic import BaseModel

from dagster_project.errors import DamagedError
from dagster_project.lake.records import read_record_file, with_checksum
from dagster_project.lake.store import write_atomically
from dagster_project.quality.results import json_value

QUARANTINE_SCHEMA = pl.Schema(
    {
        "snapshot_id": pl.String,
        "source": pl.String,
        "table_name": pl.String,
        "row_number": pl.Int64,
        "rule": pl.String,
        "value": pl.String,
        "explanation": pl.String,
        "row": pl.String,
    }
)
"""One row per quarantined row; `row_number` counts the batch from 1, `row` is the row as JSON."""


class _Reasons(BaseModel):
    """What is read again of the list of reasons: the hash of its rows."""

    rows_sha256: str | None = None


MOST_ROWS_SHOWN = 1_000
"""Rows of a snapshot, table and rule in the published file; the quarantine has all of them."""


def write_quarantine(
    directory: Path, snapshot_id: str, source: str, table: str, quarantined: pl.DataFrame
) -> Path:
    """Write a verdict's `quarantined`: the rows as Parquet, and a readable list of the reasons.

    One file per snapshot and table; a batch checked again replaces its earlier files, and a batch
    without quarantined rows removes them. Returns the folder.
    """
    folder = directory / source / snapshot_id
    rows_file, reasons_file = folder / f"{table}.parquet", folder / f"{table}.json"
    if quarantined.is_empty():
        for file in (reasons_file, rows_file):
            file.unlink(missing_ok=True)
        return folder
    reason_columns = ("row_number", "rule", "value", "explanation")
    rows = [
        json.dumps({name: json_value(value) for name, value in row.items()}, ensure_ascii=False)
        for row in quarantined.drop(reason_columns).iter_rows(named=True)
    ]
    records = quarantined.select(
        pl.lit(snapshot_id).alias("snapshot_id"),
        pl.lit(source).alias("source"),
        pl.lit(table).alias("table_name"),
        *reason_columns,
        pl.Series("row", rows, dtype=pl.String),
    ).cast(QUARANTINE_SCHEMA)
    buffer = io.BytesIO()
    records.write_parquet(buffer)
    payload = buffer.getvalue()
    write_atomically(rows_file, payload)
    by_rule = records["rule"].value_counts(sort=True).iter_rows()
    reasons = {
        "snapshot_id": snapshot_id,
        "source": source,
        "table": table,
        "rows": records.height,
        "rows_by_rule": dict(by_rule),
        "first": records.row(0, named=True),
        "rows_sha256": hashlib.sha256(payload).hexdigest(),
    }
    write_atomically(
        reasons_file, with_checksum(json.dumps(reasons, ensure_ascii=False, indent=2).encode())
    )
    return folder


def read_quarantine(directory: Path, source: str = "*") -> pl.DataFrame:
    """The quarantined rows under `directory`, of one source or of all, in the order of source,
    snapshot and row.
    """
    files = sorted(directory.glob(f"{source}/*/*.parquet"))
    return pl.concat([pl.DataFrame(schema=QUARANTINE_SCHEMA), *map(_read, files)])


def shown_quarantine(directory: Path) -> pl.DataFrame:
    """The quarantined rows for `catalog.quarantine`, at most MOST_ROWS_SHOWN of a snapshot, table
    and rule; `rows_of_rule` is how many there are.
    """
    group = ("snapshot_id", "table_name", "rule")
    shown = [
        _read(file)
        .drop("row")
        .with_columns(rows_of_rule=pl.len().over(group).cast(pl.Int64))
        .filter(pl.int_range(pl.len()).over(group) < MOST_ROWS_SHOWN)
        for file in sorted(directory.glob("*/*/*.parquet"))
    ]
    schema = {name: dtype for name, dtype in QUARANTINE_SCHEMA.items() if name != "row"}
    return pl.concat([pl.DataFrame(schema={**schema, "rows_of_rule": pl.Int64}), *shown])


def quarantined_rows(directory: Path, source: str) -> dict[str, dict[str, int]]:
    """The number of quarantined rows of a source, by snapshot and table; 0 in a damaged file."""
    rows: dict[str, dict[str, int]] = {}
    for file in directory.glob(f"{source}/*/*.parquet"):
        rows.setdefault(file.parent.name, {})[file.stem] = _read(file).height
    return rows


def require_as_quarantined(file: Path, remedy: str) -> pl.DataFrame:
    """The rows of a file. Raises DamagedError if it is not what was written, or the list of reasons
    beside it, which has its hash, is not.
    """
    payload = file.read_bytes()
    reasons = file.with_suffix(".json")
    try:
        expected = read_record_file(reasons, _Reasons, remedy).rows_sha256
        if expected is None or hashlib.sha256(payload).hexdigest() == expected:
            return pl.read_parquet(payload)
    except FileNotFoundError:
        raise DamagedError(f"{reasons} is missing.", hint=remedy) from None
    except pl.exceptions.PolarsError:
        pass
    raise DamagedError(f"{file} is damaged.", hint=remedy)


def _read(file: Path) -> pl.DataFrame:
    """The rows of a file; none where it is damaged, so that they are made again."""
    try:
        return require_as_quarantined(file, "")
    except (OSError, DamagedError):
        return pl.DataFrame(schema=QUARANTINE_SCHEMA)
