"""A document or extract as a batch: parsed once, corrected, checked with the suites of its tables.

Landing, quarantine and reports are the caller's business.
"""

from __future__ import annotations

import hashlib
import shutil
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from dagster_project.errors import (
    BatchRejectedError,
    ConfigurationError,
    ContradictionError,
    KidoError,
    OutOfScopeError,
    UpstreamFormatError,
    counted,
    exception_text,
    shortened,
)
from dagster_project.intake.versions import parser_version
from dagster_project.lake.corrections import apply_corrections, corrections
from dagster_project.lake.schemas import CORRECTIONS, LAKE_TABLES, LakeTable, text_of_all
from dagster_project.lake.scope import CommodityScope
from dagster_project.lake.spool import Spooled, spool
from dagster_project.lake.tables import Record, Rows, TableRecord
from dagster_project.quality.results import CheckResult, to_json, without_values
from dagster_project.quality.rules import suite_version
from dagster_project.quality.runner import evaluate_batch
from dagster_project.quality.suites import LAKE_SUITES
from dagster_project.sources.card import Document, Source, Window, excerpt_of

LARGE_DOCUMENT_BYTES = 16 << 20
"""From this size on a document is read block by block, where its source supports it."""

MAX_ROWS_IN_MEMORY = 1_000_000
"""Most rows in memory, per table and document: 150 MB as a frame, five times that in checks."""

SPOOLED_FOR_S = 24 * 3600.0
"""The folder of a killed process with spooled rows is removed after this time."""

PROVENANCE_COLUMNS = ("source", "document", "snapshot_id", "vintage_at")
"""Columns on when and how a row was received, not on the publisher's data."""


@dataclass(frozen=True)
class TableBatch:
    """The rows of one table: accepted ones, quarantined ones, and the results of the checks.

    Accepted rows are spooled where there are more than MAX_ROWS_IN_MEMORY.
    """

    accepted: Rows
    quarantined: pl.DataFrame
    checks: Sequence[CheckResult]

    @property
    def rows(self) -> int:
        """The number of accepted rows."""
        return self.accepted.rows if isinstance(self.accepted, Spooled) else self.accepted.height

    @property
    def frame(self) -> pl.DataFrame:
        """The accepted rows, of a batch that is in memory."""
        assert isinstance(self.accepted, pl.DataFrame)
        return self.accepted


@dataclass(frozen=True)
class Batch:
    """The tables of a document or extract, and the commodity scope in which it was read.

    `corrections` are rows of that lake table: the results of its source's corrections.
    """

    tables: Mapping[str, TableBatch]
    scope: CommodityScope
    corrections: pl.DataFrame = field(default_factory=CORRECTIONS.empty)

    @property
    def rows(self) -> int:
        return sum(batch.rows for batch in self.tables.values())

    def frames(self, snapshot_id: str) -> dict[str, pl.DataFrame]:
        """The accepted rows of a batch that is in memory, by table, as rows of a snapshot."""
        return {
            name: batch.frame.with_columns(snapshot_id=pl.lit(snapshot_id))
            for name, batch in self.tables.items()
        }

    def rows_of(self, snapshot_id: str) -> dict[str, Rows]:
        """The accepted rows of any batch; spooled rows have their snapshot already."""
        return {
            name: batch.accepted
            if isinstance(batch.accepted, Spooled)
            else batch.accepted.with_columns(snapshot_id=pl.lit(snapshot_id))
            for name, batch in self.tables.items()
        }

    def record(self, source: Source, frames: Mapping[str, Rows]) -> Record:
        """The record of `frames` for the lake, with the results of the checks."""
        return Record(
            parser_version=parser_version(source),
            scope=self.scope.name,
            tables={
                name: TableRecord(
                    rows=rows_in(frames[name]),
                    files=files_of(frames[name]),
                    quarantined=batch.quarantined.height,
                    suite_version=suite_version(LAKE_SUITES[name]),
                    checks=to_json(recorded(source, batch.checks)),
                )
                for name, batch in self.tables.items()
            },
        )


def recorded(source: Source, checks: Sequence[CheckResult]) -> Sequence[CheckResult]:
    """Results of checks as they are recorded: of a private source without values."""
    return [without_values(check) for check in checks] if source.CARD.is_private else checks


def rows_in(rows: Rows) -> int:
    return rows.rows if isinstance(rows, Spooled) else rows.height


def scan(rows: Rows) -> pl.LazyFrame:
    return rows.scan() if isinstance(rows, Spooled) else rows.lazy()


def files_of(rows: Rows) -> int:
    return len(rows.files) if isinstance(rows, Spooled) else 1


class RejectedWithChecksError(BatchRejectedError):
    """A batch that failed a rule; `checks` has the results of the checks, by table."""

    checks: Mapping[str, Sequence[CheckResult]]


def read(
    source: Source,
    parts: Iterable[tuple[bytes, Document]],
    scope: CommodityScope,
    *,
    is_extract: bool = False,
) -> Batch:
    """Parse the parts of a document or extract, apply its source's corrections, check its tables.

    Equal rows of two parts are kept once. An extract (something that was requested) may have no
    rows at all, and so may a document of which an `excerpt` is kept; another one may not. Raises
    UpstreamFormatError (ContradictionError where two files differ on a row of one key) or
    RejectedWithChecksError; one invalid table rejects the whole.
    """
    name = source.CARD.name
    parsed: dict[str, list[pl.DataFrame]] = (
        {table: [] for table in source.CARD.tables} if is_extract else {}
    )
    parts = list(parts)
    title = " + ".join(dict.fromkeys(document.name for _, document in parts))
    if len(parts) > 1 and not is_extract and hasattr(source, "parse_together"):
        frames_by_document = [(title, _parse_together(source, title, parts, scope))]
    elif parts and is_extract and hasattr(source, "parse_extract"):
        with _errors_named(source, title):
            payloads = [payload for payload, _ in parts]
            frames_by_document = [(title, source.parse_extract(payloads, parts[0][1], scope))]
    else:
        frames_by_document = [
            (document.name, _parse_part(source, payload, document, scope))
            for payload, document in parts
        ]
    with _errors_named(source, title):
        for document_name, frames in frames_by_document:
            for table, frame in frames.items():
                parsed.setdefault(table, []).append(
                    frame.with_columns(source=pl.lit(name), document=pl.lit(document_name))
                )
        merged = {
            table: _merge(LAKE_TABLES[table], frames_of_parts, is_extract=is_extract)
            for table, frames_of_parts in parsed.items()
        }
        corrected, outcomes = apply_corrections(name, merged)
    tables: dict[str, TableBatch] = {}
    reasons: list[str] = []
    for table, frame in corrected.items():
        if (is_extract or excerpt_of(source)) and frame.is_empty():
            tables[table] = TableBatch(frame, frame, [])
            continue
        verdict = evaluate_batch(frame, LAKE_SUITES[table], scope=scope)
        tables[table] = TableBatch(verdict.accepted, verdict.quarantined, verdict.results)
        if verdict.is_rejected:
            reasons.append(verdict.reason)
    if reasons:
        error = RejectedWithChecksError(f"{name}: {shortened(title)}: {' '.join(reasons)}")
        error.checks = {table: batch.checks for table, batch in tables.items()}
        raise error
    return Batch(tables, scope, outcomes)


def read_parts(
    source: Source,
    parts: Sequence[tuple[bytes | Path, Document]],
    snapshot_id: str,
    folder: Path,
    scope: CommodityScope,
    *,
    is_extract: bool = False,
) -> Batch:
    """`read`, or `read_large` where the only part is a file, since it `is_large`."""
    first, document = parts[0] if parts else (b"", None)
    if isinstance(first, Path) and document is not None:
        return read_large(source, first, document, snapshot_id, folder, scope)
    in_memory = [(payload, each) for payload, each in parts if isinstance(payload, bytes)]
    return read(source, in_memory, scope, is_extract=is_extract)


def is_in_scope(
    source: Source, payload: bytes | Path, document: Document, scope: CommodityScope
) -> bool:
    """Whether a part of a document has rows in scope; also if it cannot be read alone."""
    try:
        if isinstance(payload, bytes):
            _parse_part(source, payload, document, scope)
    except OutOfScopeError:
        return False
    except UpstreamFormatError:
        pass
    return True


def is_large(source: Source, size: int) -> bool:
    """Whether a document of this size in bytes is read block by block.

    Not if its source has corrections: the row that decides on one may be in any block.
    """
    return (
        size >= LARGE_DOCUMENT_BYTES
        and hasattr(source, "parse_blocks")
        and not corrections(source.CARD.name)
    )


@contextmanager
def spool_folder(folder: Path) -> Iterator[Path]:
    """The path of a new folder under `folder` for spooled rows, removed with its files at the end.

    It does not exist until rows are spooled. Old ones of killed processes are removed.
    """
    for leftover in folder.glob("*"):
        with suppress(FileNotFoundError):  # another process has just removed it
            if time.time() - leftover.stat().st_mtime > SPOOLED_FOR_S:
                shutil.rmtree(leftover, ignore_errors=True)
    own = folder / uuid.uuid4().hex
    try:
        yield own
    finally:
        shutil.rmtree(own, ignore_errors=True)


def read_large(
    source: Source,
    file: Path,
    document: Document,
    snapshot_id: str,
    folder: Path,
    scope: CommodityScope,
) -> Batch:
    """Parse a document block by block and check its tables with their suites.

    Up to MAX_ROWS_IN_MEMORY rows of a table are returned in memory. More stay spooled in `folder`,
    as rows of the snapshot. Raises what `read` does, and ConfigurationError for a source with
    corrections.
    """
    name = source.CARD.name
    files: dict[str, list[Path]] = {}
    tables: dict[str, TableBatch] = {}
    reasons: list[str] = []
    if corrections(name):
        raise ConfigurationError(f"{name} has corrections: it cannot be read block by block.")
    with _errors_named(source, document.name):
        for block in source.parse_blocks(file, document, scope):
            for table, rows in block.items():
                of_snapshot = rows.with_columns(
                    source=text_of_all(name),
                    document=text_of_all(document.name),
                    snapshot_id=text_of_all(snapshot_id),
                )
                written = spool(LAKE_TABLES[table], of_snapshot, folder)
                files.setdefault(table, []).append(written)
                del rows, of_snapshot
            del block  # else it stays in memory while the next one is read
    for table, blocks in files.items():
        tables[table], reason = _check_spooled(table, Spooled.from_files(blocks), folder, scope)
        reasons += [reason] if reason else []
    if reasons:
        error = RejectedWithChecksError(f"{name}: {document.name}: {' '.join(reasons)}")
        error.checks = {table: batch.checks for table, batch in tables.items()}
        raise error
    return Batch(tables, scope)


def _check_spooled(
    table: str, spooled: Spooled, folder: Path, scope: CommodityScope
) -> tuple[TableBatch, str]:
    """Spooled rows checked with their suite, and the reason why they are rejected, or no text."""
    suite = LAKE_SUITES[table]
    if spooled.rows <= MAX_ROWS_IN_MEMORY:
        in_memory = spooled.scan().collect()
        spooled.remove()
        verdict = evaluate_batch(in_memory, suite, scope=scope)
        return TableBatch(verdict.accepted, verdict.quarantined, verdict.results), verdict.reason
    large = evaluate_batch(spooled.scan(), suite, scope=scope)
    accepted = spooled
    if large.quarantined.height and not large.is_rejected:
        accepted = Spooled.from_files([spool(LAKE_TABLES[table], large.accepted, folder)])
        spooled.remove()
    return TableBatch(accepted, large.quarantined, large.results), large.reason


def _merge(table: LakeTable, frames: Sequence[pl.DataFrame], *, is_extract: bool) -> pl.DataFrame:
    """The rows of all parts as rows of the table, equal ones once; without a snapshot's name yet.

    Raises ContradictionError where two files of a document differ on a row.
    """
    conformed = [table.conform(frame.with_columns(snapshot_id=pl.lit(""))) for frame in frames]
    if len(conformed) == 1:
        return conformed[0]
    if not conformed:
        return table.empty()
    rows = pl.concat(frame.with_columns(part=number) for number, frame in enumerate(conformed))
    content = [name for name in table.columns if name not in ("document", "vintage_at")]
    rows = rows.unique(content, keep="first", maintain_order=True)
    if not is_extract:
        _require_agreement(table, rows)
    return rows.drop("part")


def _require_agreement(table: LakeTable, rows: pl.DataFrame) -> None:
    """Raise ContradictionError where two files (`part`) differ on a row of one key."""
    differing = rows.filter(pl.col("part").n_unique().over(table.key) > 1)
    if differing.is_empty():
        return
    keys = differing.group_by(table.key, maintain_order=True).agg("document")
    first = keys.row(0, named=True)
    names = [str(first[name]) for name in table.key if name != "source" and first[name] is not None]
    raise ContradictionError(
        f"{first['source']}: {first['document'][0]} and {first['document'][1]} differ on "
        f"{counted(keys.height, 'row')} of {table.name}, first {' '.join(names)}."
    )


def _parse_together(
    source: Source, title: str, parts: Sequence[tuple[bytes, Document]], scope: CommodityScope
) -> Mapping[str, pl.DataFrame]:
    """`source.parse_together`; an error that one file has by itself names that file alone."""
    try:
        with _errors_named(source, title):
            return source.parse_together(parts, scope)
    except ContradictionError:
        raise
    except UpstreamFormatError:
        for payload, document in parts:
            _parse_part(source, payload, document, scope)
        raise


def _parse_part(
    source: Source, payload: bytes, document: Document, scope: CommodityScope
) -> Mapping[str, pl.DataFrame]:
    """`source.parse`; every error becomes a KidoError that names the document."""
    if not payload[:4096].strip():
        raise UpstreamFormatError(f"{source.CARD.name}: {document.name} is empty.")
    with _errors_named(source, document.name):
        return source.parse(payload, document, scope)


@contextmanager
def _errors_named(source: Source, title: str) -> Iterator[None]:
    """Every error raised inside becomes a KidoError that names the source and the document."""
    name = source.CARD.name
    try:
        yield
    except UpstreamFormatError as error:
        if any(document in error.message for document in title.split(" + ")):
            raise
        reason = error.message.removeprefix(f"{name}: ")
        raise type(error)(f"{name}: {shortened(title)}: {reason}", hint=error.hint) from error
    except KidoError:
        raise
    # Libraries raise anything for unexpected bytes; a panic of polars is no Exception.
    except (Exception, pl.exceptions.PanicException) as error:
        raise UpstreamFormatError(
            f"{name}: {shortened(title)} cannot be read ({exception_text(error)})."
        ) from error


def in_window(table: LakeTable, window: Window) -> pl.Expr:
    """Whether a row of a table is in a window."""
    assert table.period is not None, f"{table.name} has no period"
    period = pl.col(table.period)
    if table.columns[table.period].dtype == pl.Int32:
        return period == window.start.year
    is_inside = (period >= window.start) & (period < window.end)
    if "frequency" in table.columns and table.period == "period_start":
        return is_inside & (pl.col("frequency") == window.frequency)
    return is_inside


def by_window(
    frames: Mapping[str, pl.DataFrame], windows: Sequence[Window]
) -> dict[Window, dict[str, pl.DataFrame]]:
    """The rows of each window, by table, of the tables that have a period."""
    return {
        window: {
            name: frame.filter(in_window(LAKE_TABLES[name], window))
            for name, frame in frames.items()
            if LAKE_TABLES[name].period is not None
        }
        for window in windows
    }


def digest(frames: Mapping[str, pl.DataFrame]) -> str:
    """Digest (16 hex digits) of the content of rows, whatever their order and provenance.

    A publisher's bytes may differ each time (an elapsed time, another order) for the same content.
    """
    content = hashlib.sha256()
    for name in sorted(frames):
        frame = frames[name].drop(PROVENANCE_COLUMNS, strict=False)
        plain = frame.with_columns(
            pl.col(column).list.join("\x1f")
            for column, dtype in frame.schema.items()
            if isinstance(dtype, pl.List)
        )
        content.update(name.encode())
        content.update(plain.sort(plain.columns).write_csv().encode())
    return content.hexdigest()[:16]
