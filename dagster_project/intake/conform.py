"""Makes the lake agree with the landing: it has the checked rows of every landed snapshot only.

A snapshot whose rows are staged is not parsed again. One that was parsed with another version of
the parser, the rules or the lists is.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

from dagster_project.errors import (
    BatchRejectedError,
    DamagedError,
    OutOfScopeError,
    UpstreamFormatError,
)
from dagster_project.intake import batch as batches
from dagster_project.intake.coverage import coverage_of, windows_of
from dagster_project.intake.stores import lake_of, landing_of
from dagster_project.intake.versions import depends_on_scope, parser_version
from dagster_project.lake.landing import Landing, Snapshot
from dagster_project.lake.schemas import INTAKE_TABLES, LAKE_TABLES
from dagster_project.lake.scope import CommodityScope
from dagster_project.lake.tables import Damage, Lake, Record, Rows, TableRecord
from dagster_project.quality.limits import FEWEST_QUARANTINED
from dagster_project.quality.quarantine import quarantined_rows, write_quarantine
from dagster_project.quality.results import CheckResult, from_json
from dagster_project.quality.rules import suite_version
from dagster_project.quality.suites import LAKE_SUITES
from dagster_project.safe_text import logger
from dagster_project.settings import Settings
from dagster_project.sources.card import Document, Source

_LOGGER = logger(__name__)

STAGED_FOR = timedelta(days=1)
"""Staged rows of a snapshot that was never landed are removed after this time."""


@dataclass
class ConformReport:
    """One source in the lake, by table: number of rows and of quarantined rows, checks' results.

    `new_snapshots` is the number of snapshots that were added or parsed again, `parsed` of those
    that were not staged. `rejected` gives, by document, why a snapshot was quarantined. `repaired`
    are the faults of the lake's files; the rows in them were made again from the landed bytes.
    `rejected_tables` are those whose checks failed in a snapshot that was quarantined.
    """

    rows: dict[str, int] = field(default_factory=dict)
    quarantined: dict[str, int] = field(default_factory=dict)
    checks: dict[str, list[CheckResult]] = field(default_factory=dict)
    new_snapshots: int = 0
    parsed: int = 0
    rejected: dict[str, str] = field(default_factory=dict)
    repaired: list[str] = field(default_factory=list)
    rejected_tables: set[str] = field(default_factory=set)
    newest: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Rows and quarantined rows of the snapshot that was added last."""
    is_rejected_by_hand: bool = False
    """Whether one of the rejected was bundled or landed by hand."""

    def add(self, record: Record, tables: Collection[str]) -> None:
        """Add what the record of a snapshot says of these tables; the newest comes last."""
        for table in tables:
            if part := record.tables.get(table):
                self.rows[table] = self.rows.get(table, 0) + part.rows
                self.quarantined[table] = self.quarantined.get(table, 0) + part.quarantined
                self.newest[table] = part.rows, part.quarantined
                self.checks.setdefault(table, []).extend(from_json(part.checks))

    def share_quarantined(self, table: str) -> float:
        """The part of the source's rows of a table that is quarantined, 0 to 1.

        Of its newest snapshot, if that is more: millions of known rows hide those of a new file.
        """
        of_source = self.rows.get(table, 0), self.quarantined.get(table, 0)
        newest = self.newest.get(table, (0, 0))
        judged = [of_source, *([newest] if newest[1] >= FEWEST_QUARANTINED else [])]
        return max(
            quarantined / (rows + quarantined) if quarantined else 0.0
            for rows, quarantined in judged
        )


def conform(settings: Settings, source: Source, parse_again: Collection[str] = ()) -> ConformReport:
    """Make the lake agree with the landed snapshots of a source.

    A snapshot that cannot be used is quarantined whole, with the reason; the others are kept.
    Rows of a snapshot that is no longer landed are taken out of the lake. Rows in files that are
    missing or were changed are made again, and so are those of `parse_again`. Raises DamagedError
    for a bundled file or one landed by hand whose bytes have changed.
    """
    name = source.CARD.name
    landing, lake = landing_of(settings), lake_of(settings)
    damage = lake.damage(name)
    records, staged = lake.readable_records(name), lake.readable_staged(name)
    parse_again = {*parse_again, *damage.snapshots}
    records = {key: record for key, record in records.items() if key not in parse_again}
    report, version = ConformReport(), parser_version(source)
    left_out: list[str] = []
    quarantined = quarantined_rows(settings.quarantine_dir, name)
    landed = landing.snapshots(name)
    not_landed = lake.snapshot_ids(name)
    _require_records(landing, name, not_landed - {snapshot.snapshot_id for snapshot in landed})
    newest = {copy.document: copy.snapshot_id for copy in landed if copy.is_bundled}
    bundled_now = {newest[document] for document in newest.keys() & set(source.CARD.bundled)}
    for snapshot in landed:
        record = records.get(snapshot.snapshot_id)
        if (
            record is None
            or not _is_current(source, record, settings.scope, version)
            or not _has_its_quarantine(record, quarantined.get(snapshot.snapshot_id, {}))
        ):
            is_to_parse = snapshot.snapshot_id in parse_again
            in_staging = None if is_to_parse else staged.get(snapshot.snapshot_id)
            if in_staging and _is_current(source, in_staging, settings.scope, version):
                lake.commit(name, snapshot.snapshot_id, in_staging)
                record = in_staging
            else:
                is_replaced = snapshot.is_bundled and snapshot.snapshot_id not in bundled_now
                record = _parse(
                    settings, source, landing, lake, snapshot, report, is_replaced=is_replaced
                )
                if record is None:
                    left_out.append(snapshot.snapshot_id)
                    continue
            report.new_snapshots += 1
        elif snapshot.snapshot_id in staged:  # another process parsed it meanwhile
            lake.unstage(name, snapshot.snapshot_id)
        not_landed.discard(snapshot.snapshot_id)
        report.add(record, source.CARD.tables)
    for snapshot_id in sorted(not_landed):
        lake.withdraw(name, snapshot_id)
    for table in damage.compactions:
        lake.forget_compaction(table, name)
    _report_repaired(name, damage, left_out, report)
    _sweep(lake, name, {snapshot.snapshot_id for snapshot in landed})
    return report


def _report_repaired(
    source: str, damage: Damage, left_out: Sequence[str], report: ConformReport
) -> None:
    """Say which faults of the lake's files were repaired, and which snapshots were left out."""
    outcome = "Its rows were made again from the landed bytes"
    if lost := sorted(damage.snapshots.intersection(left_out)):
        outcome += f", except those of {', '.join(lost)}: its bytes cannot be used"
    for fault in damage.faults:
        report.repaired.append(f"{fault.message} {outcome}.")
        _LOGGER.warning("%s: %s", source, report.repaired[-1])


def repair(settings: Settings, source: Source) -> None:
    """Make damaged rows of a source again, before new figures are compared with them."""
    if lake_of(settings).damage(source.CARD.name).faults:
        conform(settings, source)


def _require_records(landing: Landing, source: str, not_landed: set[str]) -> None:
    """Raise DamagedError for a snapshot with rows and bytes whose origin record is gone."""
    folders = set(landing.store.names(source))
    for snapshot_id in sorted(not_landed & folders - landing.withdrawn(source).keys()):
        raise landing.without_record(source, snapshot_id)


def is_conformed(settings: Settings, source: Source) -> bool:
    """Whether `conform` has nothing to do for a source."""
    name = source.CARD.name
    records = lake_of(settings).readable_records(name)
    landed = {snapshot.snapshot_id for snapshot in landing_of(settings).snapshots(name)}
    version = parser_version(source)
    quarantined = quarantined_rows(settings.quarantine_dir, name)
    return records.keys() == landed and all(
        _is_current(source, record, settings.scope, version)
        and _has_its_quarantine(record, quarantined.get(snapshot_id, {}))
        for snapshot_id, record in records.items()
    )


def stage(
    settings: Settings, lake: Lake, source: Source, snapshot: Snapshot, batch: batches.Batch
) -> None:
    """Stage the rows of a snapshot that will be landed; `conform` then adds them to the lake."""
    frames = _rows(snapshot, batch)
    _write_quarantine(settings, source, snapshot, batch)
    lake.stage(source.CARD.name, snapshot.snapshot_id, frames, _record(source, batch, frames))


def recorded_checks(lake: Lake, source: str) -> list[CheckResult]:
    """The results of the checks of every batch of a source that is in the lake."""
    return [
        check
        for record in lake.records(source).values()
        for part in record.tables.values()
        for check in from_json(part.checks)
    ]


def parts_of(landing: Landing, snapshot: Snapshot) -> list[tuple[bytes, Document]]:
    """The bytes of a snapshot, each part with the document as which it is parsed."""
    names = [part.document or snapshot.document for part in snapshot.parts] or [snapshot.document]
    return [
        (payload, Document(name, snapshot.retrieved_at, snapshot.is_bundled))
        for name, payload in zip(names, landing.payloads(snapshot), strict=False)
    ]


def _parse(
    settings: Settings,
    source: Source,
    landing: Landing,
    lake: Lake,
    snapshot: Snapshot,
    report: ConformReport,
    *,
    is_replaced: bool,
) -> Record | None:
    """Parse a snapshot and write its rows to the lake; None if it is quarantined instead.

    A replaced copy of a bundled document, from an earlier version (`is_replaced`), blocks nothing
    where the current parser cannot read it.
    """
    with batches.spool_folder(settings.spool_dir) as folder:
        try:
            batch = _read_in_scope(settings, source, landing, snapshot, folder)
        except (UpstreamFormatError, BatchRejectedError, DamagedError) as error:
            if isinstance(error, DamagedError) and not snapshot.was_fetched:
                raise
            # First: rows of a snapshot without a record mean that its record was lost.
            lake.withdraw(source.CARD.name, snapshot.snapshot_id)
            landing.quarantine(snapshot, settings.quarantine_dir, str(error))
            report.rejected[snapshot.document] = str(error)
            report.is_rejected_by_hand |= not (snapshot.was_fetched or is_replaced)
            if isinstance(error, batches.RejectedWithChecksError):
                for table, results in error.checks.items():
                    recorded = batches.recorded(source, results)
                    report.checks.setdefault(table, []).extend(recorded)
                    if any(result.status != "passed" for result in recorded):
                        report.rejected_tables.add(table)
            return None
        report.parsed += 1
        frames = _rows(snapshot, batch)
        _write_quarantine(settings, source, snapshot, batch)
        record = _record(source, batch, frames)
        lake.write(source.CARD.name, snapshot.snapshot_id, frames, record)
        return record


def _read_in_scope(
    settings: Settings, source: Source, landing: Landing, snapshot: Snapshot, folder: Path
) -> batches.Batch:
    """The checked rows of a snapshot, without the parts that have none in today's scope.

    A scope may be narrower than when they were landed.
    """

    def read(parts: Sequence[tuple[bytes | Path, Document]]) -> batches.Batch:
        return batches.read_parts(
            source, parts, snapshot.snapshot_id, folder, settings.scope,
            is_extract=snapshot.was_fetched or not parts,
        )  # fmt: skip

    parts = _parts_to_read(source, landing, snapshot, folder)
    try:
        return read(parts)
    except OutOfScopeError:
        kept = [part for part in parts if batches.is_in_scope(source, *part, settings.scope)]
        return read(kept if 0 < len(kept) < len(parts) else [])


def _parts_to_read(
    source: Source, landing: Landing, snapshot: Snapshot, folder: Path
) -> Sequence[tuple[bytes | Path, Document]]:
    """The parts of a snapshot; a large document as its file."""
    is_one_file = len(snapshot.parts) <= 1 and not snapshot.windows
    if is_one_file and batches.is_large(source, snapshot.bytes):
        document = Document(snapshot.document, snapshot.retrieved_at, snapshot.is_bundled)
        return [(landing.file_of(snapshot, folder), document)]
    return parts_of(landing, snapshot)


def _rows(snapshot: Snapshot, batch: batches.Batch) -> Mapping[str, Rows]:
    """The rows of a snapshot for the lake, with its coverage and the results of corrections.

    Of a snapshot with windows only their rows; else all.
    """
    windows = windows_of(snapshot)
    corrections: dict[str, Rows] = {}
    if batch.corrections.height:
        of_snapshot = batch.corrections.with_columns(snapshot_id=pl.lit(snapshot.snapshot_id))
        corrections["corrections"] = of_snapshot
    if not windows:
        return {**batch.rows_of(snapshot.snapshot_id), **corrections}
    frames = batch.frames(snapshot.snapshot_id)
    frames = {
        name: frame
        if LAKE_TABLES[name].period is None
        else frame.filter(
            pl.any_horizontal(batches.in_window(LAKE_TABLES[name], each) for each in windows)
        )
        for name, frame in frames.items()
    }
    return {**frames, "coverage": coverage_of(snapshot, frames), **corrections}


def _record(source: Source, batch: batches.Batch, frames: Mapping[str, Rows]) -> Record:
    record = batch.record(source, frames)
    intake_tables = {
        table.name: TableRecord(
            rows=batches.rows_in(frames[table.name]),
            quarantined=0,
            suite_version=suite_version(LAKE_SUITES[table.name]),
            checks=[],
        )
        for table in INTAKE_TABLES
        if table.name in frames
    }
    return record.model_copy(update={"tables": {**record.tables, **intake_tables}})


def _write_quarantine(
    settings: Settings, source: Source, snapshot: Snapshot, batch: batches.Batch
) -> None:
    for table, rows in batch.tables.items():
        write_quarantine(
            settings.quarantine_dir, snapshot.snapshot_id, source.CARD.name, table, rows.quarantined
        )


def _is_current(source: Source, record: Record, scope: CommodityScope, version: str) -> bool:
    """Whether a record was made with the current parser, rules and lists."""
    return (
        record.parser_version == version
        and all(
            table in LAKE_SUITES and part.suite_version == suite_version(LAKE_SUITES[table])
            for table, part in record.tables.items()
        )
        and (record.scope == scope.name or not depends_on_scope(source))
    )


def _has_its_quarantine(record: Record, rows: Mapping[str, int]) -> bool:
    """Whether the quarantine has as many rows of a snapshot, by table, as its record says.

    It has not where a process was killed after it wrote the one and before the other.
    """
    return all(rows.get(table, 0) == part.quarantined for table, part in record.tables.items())


def _sweep(lake: Lake, source: str, landed: set[str]) -> None:
    """Remove staged rows of a snapshot that was never landed."""
    now = datetime.now(UTC).replace(tzinfo=None)
    oldest = f"{source}-{now - STAGED_FOR:%Y%m%dT%H%M%S}"
    for snapshot_id in lake.staged(source):
        if snapshot_id not in landed and snapshot_id < oldest:
            lake.remove(source, snapshot_id)
