"""What is quarantined, by source and rule, and its replay after a list or correction has changed.

Which rows are quarantined, and why, is decided by the rules in `quality`.
"""

from __future__ import annotations

import difflib
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from dagster_project.errors import (
    BatchRejectedError,
    ConfigurationError,
    DamagedError,
    counted,
    iso_instant,
    listed,
)
from dagster_project.intake.clean import landed_hashes
from dagster_project.intake.conform import conform
from dagster_project.intake.source_lock import source_lock
from dagster_project.intake.stores import lake_of, landing_of
from dagster_project.intake.withdraw import complete
from dagster_project.lake.landing import Landing, Snapshot
from dagster_project.lake.records import read_record_file
from dagster_project.quality.quarantine import read_quarantine
from dagster_project.settings import Settings
from dagster_project.sources.card import Source

RULE_SEPARATOR = ", "
"""Between the rules that one row breaks."""

REASON_FILE, RECORD_FILE = "reason.txt", "origin.json"

_REMEDY = "Remove its folder, and land or fetch the document again."


@dataclass(frozen=True)
class Quarantined:
    """Rows of a snapshot that break a rule, or a whole document that cannot be used.

    Of a document `table_name` and `rule` are empty, and `rows` is 0. `name` is the snapshot, or the
    folder in the quarantine. `can_be_replayed` is false of an answer that was never landed.
    """

    source: str
    table_name: str
    rule: str
    rows: int
    name: str
    document: str
    since: str
    reason: str
    can_be_replayed: bool

    def in_a_row(self) -> dict[str, str | int]:
        """The entry for a terminal: a day instead of an instant."""
        return {
            "source": self.source,
            "table": self.table_name or "the document",
            "rule": self.rule or self.reason,
            "rows": self.rows,
            "since": self.since[: len("2026-01-31")],
            "snapshot": self.name,
        }


def quarantined(settings: Settings, sources: Iterable[Source]) -> Iterator[Quarantined]:
    """What is quarantined of the sources: rows by table, rule and snapshot, then documents."""
    landing = landing_of(settings, is_read_only=True)
    for source in sources:
        name = source.CARD.name
        snapshots = {snapshot.snapshot_id: snapshot for snapshot in landing.snapshots(name)}
        yield from _rows_by_rule(settings, name, snapshots)
        yield from _documents(settings, landing, name)


def rows_of(settings: Settings, source: Source, rule: str = "") -> pl.DataFrame:
    """The quarantined rows of the landed snapshots of a source, that break a rule or any.

    Raises ConfigurationError for a rule by which none of its rows is quarantined.
    """
    rows = _of_landed(settings, landing_of(settings, is_read_only=True), source.CARD.name)
    if not rule:
        return rows
    rules = sorted({each for text in rows["rule"] for each in text.split(RULE_SEPARATOR)})
    if rule not in rules:
        near = difflib.get_close_matches(rule, rules, n=1)
        hint = (
            f"Did you mean {near[0]}?" if near else f"By these: {listed(rules)}." if rules else ""
        )
        raise ConfigurationError(
            f"No row of {source.CARD.name} is quarantined by {rule!r}.", hint=hint
        )
    return rows.filter(_breaks(rule))


def replay(
    settings: Settings, source: Source, rule: str = "", write: Callable[[str], None] = print
) -> bool:
    """Read again, with today's lists and corrections, what of a source is quarantined.

    The landed bytes of each snapshot are parsed and checked again. Accepted rows enter the lake in
    the vintage of their snapshot; the others stay quarantined. With a `rule`, only snapshots with
    rows that break it are read, and no rejected documents. `write` gets a line for each outcome.
    Returns whether rows or documents were accepted. Raises BatchRejectedError if a snapshot with
    rows in the lake is rejected now.
    """
    name = source.CARD.name
    with source_lock(settings, name, write):
        landing = landing_of(settings)
        complete(landing, lake_of(settings), name)
        before = rows_of(settings, source, rule)
        documents = [] if rule else list(_documents(settings, landing, name))
        taken_back = list(_take_back(settings, landing, name, documents, write))
        again = set(before["snapshot_id"])
        document_of = {
            snapshot.snapshot_id: snapshot.document
            for snapshot in landing.snapshots(name)
            if snapshot.snapshot_id in again
        }
        report = conform(settings, source, parse_again=again)
        landing = landing_of(settings)
        landed = {snapshot.snapshot_id for snapshot in landing.snapshots(name)}
        after = _of_landed(settings, landing, name)
    used_again = [each for each in taken_back if each[0].snapshot_id in landed]
    for snapshot, folder in used_again:
        shutil.rmtree(folder, ignore_errors=True)
        write(f"{name}: {snapshot.document} is used again.")
    for document, reason in report.rejected.items():
        write(f"{name}: {document} is rejected: {reason}")
    rows = _by_table(before.filter(pl.col("snapshot_id").is_in(list(landed))))
    left = _by_table(
        after.filter(
            pl.col("snapshot_id").is_in(before["snapshot_id"].unique().to_list()),
            _breaks(rule) if rule else True,
        )
    )
    for table, count in rows.items():
        write(
            f"{name}: {table}: {counted(count, 'quarantined row')} read again, "
            f"{max(count - left[table], 0):,} accepted, {left[table]:,} still quarantined."
        )
    if not (rows or documents or report.rejected):
        write(f"{name}: nothing is quarantined.")
    if lost := report.rejected.keys() & set(document_of.values()):
        raise BatchRejectedError(
            f"{name}: {listed(sorted(lost))} had rows in the lake and has none now.",
            hint="Mend the list or rule that rejects it, then replay again; until then a build "
            "is without it.",
        )
    return bool(used_again) or any(left[table] < count for table, count in rows.items())


def _of_landed(settings: Settings, landing: Landing, source: str) -> pl.DataFrame:
    """The quarantined rows of the landed snapshots of a source."""
    landed = [snapshot.snapshot_id for snapshot in landing.snapshots(source)]
    rows = read_quarantine(settings.quarantine_dir, source)
    return rows.filter(pl.col("snapshot_id").is_in(landed))


def _breaks(rule: str) -> pl.Expr:
    return pl.col("rule").str.split(RULE_SEPARATOR).list.contains(rule)


def _by_table(rows: pl.DataFrame) -> Counter[str]:
    return Counter(rows["table_name"].to_list())


def _take_back(
    settings: Settings,
    landing: Landing,
    source: str,
    documents: Iterable[Quarantined],
    write: Callable[[str], None],
) -> Iterator[tuple[Snapshot, Path]]:
    """Land again what was landed once, each with its folder; a line on each of the others."""
    for document in documents:
        folder = settings.quarantine_dir / source / document.name
        if not document.can_be_replayed:
            write(
                f"{source}: {document.document} was rejected before it was landed: kido fetch "
                f"{source} asks for it again."
            )
            continue
        try:
            yield landing.take_back(folder, _REMEDY), folder
        except DamagedError as error:
            write(f"{source}: {error}")


def _rows_by_rule(
    settings: Settings, source: str, snapshots: Mapping[str, Snapshot]
) -> Iterator[Quarantined]:
    rows = read_quarantine(settings.quarantine_dir, source)
    groups = (
        rows.group_by("snapshot_id", "table_name", "rule", maintain_order=True)
        .agg(pl.len().alias("rows"), pl.col("explanation").first())
        .sort("table_name", "rule", "snapshot_id")
    )
    for group in groups.iter_rows(named=True):
        snapshot = snapshots.get(group["snapshot_id"])
        if snapshot is not None:  # else it was withdrawn, or its landing was killed
            yield Quarantined(
                source=source,
                table_name=group["table_name"],
                rule=group["rule"],
                rows=group["rows"],
                name=snapshot.snapshot_id,
                document=snapshot.document,
                since=iso_instant(snapshot.landed_at),
                reason=group["explanation"],
                can_be_replayed=True,
            )


def _documents(settings: Settings, landing: Landing, source: str) -> Iterator[Quarantined]:
    """The rejected documents and answers of a source that were not landed again."""
    hashes = landed_hashes(landing, source)
    for reason_file in sorted((settings.quarantine_dir / source).glob(f"*/{REASON_FILE}")):
        folder = reason_file.parent
        record = folder / RECORD_FILE
        document = folder.name
        if record.exists():
            try:
                snapshot = read_record_file(record, Snapshot, _REMEDY)
            except DamagedError:
                pass  # `take_back` says so
            else:
                document = snapshot.document
                if snapshot.sha256 in hashes:
                    continue
        changed = datetime.fromtimestamp(reason_file.stat().st_mtime, UTC).replace(tzinfo=None)
        yield Quarantined(
            source=source,
            table_name="",
            rule="",
            rows=0,
            name=folder.name,
            document=document,
            since=iso_instant(changed),
            reason=" ".join(reason_file.read_text("utf8", errors="replace").split()),
            can_be_replayed=record.exists(),
        )
