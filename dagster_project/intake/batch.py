"""A document or extract on its way in: parsed once, held against the suites of its tables.

What becomes of it (landed, rejected, told to a person) is decided by who asks.
"""

from __future__ import annotations

import hashlib
import shutil
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from dagster_project.errors import BatchRejectedError, KidoError, UpstreamFormatError, stumbled_on
from dagster_project.intake.versions import parser_version
from dagster_project.lake.schemas import LAKE_TABLES, LakeTable, text_of_all
from dagster_project.lake.scope import scope_now
from dagster_project.lake.spool import Spooled, spool, spooled
from dagster_project.lake.tables import Record, Rows, TableRecord
from dagster_project.lake.vocabulary import met_words
from dagster_project.quality.results import CheckResult, to_json
from dagster_project.quality.rules import suite_version
from dagster_project.quality.runner import evaluate_batch
from dagster_project.quality.suites import LAKE_SUITES
from dagster_project.sources.card import Document, Source, Window

LARGE_DOCUMENT_BYTES = 16 << 20
"""From this size on a document is read block by block, where its source can do that."""

LARGEST_HELD_ROWS = 1_000_000
"""Of one table and document: some 150 MB as a frame, five times that while it is checked."""

SPOOLED_FOR_S = 24 * 3600.0

OF_THE_LANDING = ("source", "document", "snapshot_id", "vintage_at")
"""Columns that say when and how a row came, not what the publisher said."""


@dataclass(frozen=True)
class TableBatch:
    """The rows of one table: those that go on, those quarantined, and what the checks said.

    Those that go on are spooled where they are more than LARGEST_HELD_ROWS.
    """

    accepted: Rows
    quarantined: pl.DataFrame
    checks: Sequence[CheckResult]

    @property
    def rows(self) -> int:
        """How many go on."""
        return self.accepted.rows if isinstance(self.accepted, Spooled) else self.accepted.height

    @property
    def frame(self) -> pl.DataFrame:
        """The rows that go on, of a batch that is held."""
        assert isinstance(self.accepted, pl.DataFrame)
        return self.accepted


@dataclass(frozen=True)
class Batch:
    """What a document or extract holds, by table, and which words of the lists it met."""

    tables: Mapping[str, TableBatch]
    words: Mapping[str, Any] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        return sum(batch.rows for batch in self.tables.values())

    @property
    def is_large(self) -> bool:
        """Whether rows of it are spooled."""
        return any(isinstance(batch.accepted, Spooled) for batch in self.tables.values())

    def frames(self, snapshot_id: str) -> dict[str, pl.DataFrame]:
        """The rows that go on, by table, as those of a snapshot; of a batch that is held."""
        return {
            name: batch.frame.with_columns(snapshot_id=pl.lit(snapshot_id))
            for name, batch in self.tables.items()
        }

    def rows_of(self, snapshot_id: str) -> dict[str, Rows]:
        """The same of any batch; what is spooled is of its snapshot already."""
        return {
            name: batch.accepted
            if isinstance(batch.accepted, Spooled)
            else batch.accepted.with_columns(snapshot_id=pl.lit(snapshot_id))
            for name, batch in self.tables.items()
        }

    def record(self, source: Source, frames: Mapping[str, Rows]) -> Record:
        """What the lake keeps of how these rows came in."""
        return Record(
            parser_version=parser_version(source),
            scope=scope_now().name,
            words=self.words,
            tables={
                name: TableRecord(
                    rows=rows_in(frames[name]),
                    files=files_of(frames[name]),
                    quarantined=batch.quarantined.height,
                    suite_version=suite_version(LAKE_SUITES[name]),
                    checks=to_json(batch.checks),
                )
                for name, batch in self.tables.items()
            },
        )


def rows_in(rows: Rows) -> int:
    return rows.rows if isinstance(rows, Spooled) else rows.height


def files_of(rows: Rows) -> int:
    return len(rows.files) if isinstance(rows, Spooled) else 1


class RejectedWithChecksError(BatchRejectedError):
    """A batch that broke a rule; `checks` says what each check found, by table."""

    checks: Mapping[str, Sequence[CheckResult]]


def read(
    source: Source, parts: Iterable[tuple[bytes, Document]], *, is_extract: bool = False
) -> Batch:
    """Parse the parts of a document or extract and hold its tables against their suites.

    Rows that stand in two parts alike count once. An extract (something that was asked for) may
    hold no rows at all; a document may not. Raises UpstreamFormatError or BatchRejectedError; one
    bad table rejects the whole.
    """
    name = source.CARD.name
    with met_words() as met:
        parsed: dict[str, list[pl.DataFrame]] = (
            {table: [] for table in source.CARD.tables} if is_extract else {}
        )
        parts = list(parts)
        title = " + ".join(dict.fromkeys(document.name for _, document in parts))
        if len(parts) > 1 and not is_extract and hasattr(source, "parse_together"):
            with _naming(source, title):
                read_as = [(title, source.parse_together(parts))]
        else:
            read_as = [
                (document.name, parsed_part(source, payload, document))
                for payload, document in parts
            ]
        with _naming(source, title):
            for document_name, frames in read_as:
                for table, frame in frames.items():
                    parsed.setdefault(table, []).append(
                        frame.with_columns(source=pl.lit(name), document=pl.lit(document_name))
                    )
            whole = {
                table: _together(LAKE_TABLES[table], pieces) for table, pieces in parsed.items()
            }
        tables: dict[str, TableBatch] = {}
        reasons: list[str] = []
        for table, frame in whole.items():
            if is_extract and frame.is_empty():
                tables[table] = TableBatch(frame, frame, [])
                continue
            verdict = evaluate_batch(frame, LAKE_SUITES[table])
            tables[table] = TableBatch(verdict.accepted, verdict.quarantined, verdict.results)
            if verdict.is_rejected:
                reasons.append(verdict.reason)
    if reasons:
        error = RejectedWithChecksError(f"{name}: {title}: {' '.join(reasons)}")
        error.checks = {table: batch.checks for table, batch in tables.items()}
        raise error
    return Batch(tables, met.record())


def is_large(source: Source, size: int) -> bool:
    """Whether a document of so many bytes is read block by block."""
    return size >= LARGE_DOCUMENT_BYTES and hasattr(source, "parse_blocks")


@contextmanager
def spool_folder(folder: Path) -> Iterator[Path]:
    """A folder for what is spooled, gone with all that is left there at the end.

    It is made when something is. Those of killed processes go after SPOOLED_FOR_S.
    """
    for left in folder.glob("*"):
        if time.time() - left.stat().st_mtime > SPOOLED_FOR_S:
            shutil.rmtree(left, ignore_errors=True)
    made = folder / uuid.uuid4().hex
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def read_large(
    source: Source, file: Path, document: Document, snapshot_id: str, folder: Path
) -> Batch:
    """Parse a document block by block and hold its tables against their suites.

    What is no more than LARGEST_HELD_ROWS is a batch as any other. More is spooled in `folder`, as
    rows of the snapshot. Raises what `read` does.
    """
    name = source.CARD.name
    files: dict[str, list[Path]] = {}
    tables: dict[str, TableBatch] = {}
    reasons: list[str] = []
    with met_words() as met:
        with _naming(source, document.name):
            for block in source.parse_blocks(file, document):
                for table, rows in block.items():
                    of_snapshot = rows.with_columns(
                        source=text_of_all(name),
                        document=text_of_all(document.name),
                        snapshot_id=text_of_all(snapshot_id),
                    )
                    written = spool(LAKE_TABLES[table], of_snapshot, folder)
                    files.setdefault(table, []).append(written)
                    del rows, of_snapshot
                del block  # else it is held while the next one is read
        for table, blocks in files.items():
            tables[table], reason = _checked(table, spooled(blocks), folder)
            reasons += [reason] if reason else []
    if reasons:
        error = RejectedWithChecksError(f"{name}: {document.name}: {' '.join(reasons)}")
        error.checks = {table: batch.checks for table, batch in tables.items()}
        raise error
    return Batch(tables, met.record())


def _checked(table: str, rows: Spooled, folder: Path) -> tuple[TableBatch, str]:
    """What is spooled, held against its suite; and why it is rejected, if it is."""
    suite = LAKE_SUITES[table]
    if rows.rows <= LARGEST_HELD_ROWS:
        held = rows.scan().collect()
        rows.remove()
        verdict = evaluate_batch(held, suite)
        return TableBatch(verdict.accepted, verdict.quarantined, verdict.results), verdict.reason
    of_large = evaluate_batch(rows.scan(), suite)
    accepted = rows
    if of_large.quarantined.height and not of_large.is_rejected:
        accepted = spooled([spool(LAKE_TABLES[table], of_large.accepted, folder)])
        rows.remove()
    return TableBatch(accepted, of_large.quarantined, of_large.results), of_large.reason


def _together(table: LakeTable, frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """The rows of all parts as rows of the table; its snapshot's name is not known before it is
    accepted, and stays empty.
    """
    conformed = [table.conform(frame.with_columns(snapshot_id=pl.lit(""))) for frame in frames]
    if len(conformed) == 1:
        return conformed[0]
    if not conformed:
        return table.empty()
    whole = pl.concat(conformed)
    said = [name for name in whole.columns if name not in ("document", "vintage_at")]
    return whole.unique(said, keep="first", maintain_order=True)


def parsed_part(source: Source, payload: bytes, document: Document) -> Mapping[str, pl.DataFrame]:
    """`source.parse`; what it rejects names the document, whatever it stumbles on is a sentence."""
    if not payload[:4096].strip():
        raise UpstreamFormatError(f"{source.CARD.name}: {document.name} is empty.")
    with _naming(source, document.name):
        return source.parse(payload, document)


@contextmanager
def _naming(source: Source, title: str) -> Iterator[None]:
    name = source.CARD.name
    try:
        yield
    except UpstreamFormatError as error:
        if title in error.message:
            raise
        said = error.message.removeprefix(f"{name}: ")
        raise type(error)(f"{name}: {title}: {said}", hint=error.hint) from error
    except KidoError:
        raise
    # Whatever a library stumbles on in bytes nobody has seen before; a panic of polars is no
    # Exception to Python.
    except (Exception, pl.exceptions.PanicException) as error:
        raise UpstreamFormatError(
            f"{name}: {title} cannot be read ({stumbled_on(error)})."
        ) from error


def in_window(table: LakeTable, window: Window) -> pl.Expr:
    """Whether a row of a table is of a window."""
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
    """The rows of each window, by table."""
    return {
        window: {
            name: frame.filter(in_window(LAKE_TABLES[name], window))
            for name, frame in frames.items()
            if LAKE_TABLES[name].period is not None
        }
        for window in windows
    }


def digest(frames: Mapping[str, pl.DataFrame]) -> str:
    """Stands for what rows say, in whatever order they come and whenever they were retrieved.

    A publisher's bytes may differ each time (an elapsed time, another order) and say the same.
    """
    whole = hashlib.sha256()
    for name in sorted(frames):
        frame = frames[name].drop(OF_THE_LANDING, strict=False)
        plain = frame.with_columns(
            pl.col(column).list.join("\x1f")
            for column, dtype in frame.schema.items()
            if isinstance(dtype, pl.List)
        )
        whole.update(name.encode())
        whole.update(plain.sort(plain.columns).write_csv().encode())
    return whole.hexdigest()[:16]
