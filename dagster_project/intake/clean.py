"""What `kido clean` removes of a home's files: old quarantine, and parts that nobody will finish.

Landed bytes are never removed, not even those that were moved to the quarantine. Runs of Dagster
are in `orchestration/retention.py`.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Literal

from dagster_project.errors import BusyError, DamagedError
from dagster_project.intake.ask import unfinished_extracts
from dagster_project.intake.ledger import Ledger
from dagster_project.intake.source_lock import source_lock
from dagster_project.intake.stores import lake_of, landing_of
from dagster_project.lake.landing import Landing, Snapshot, file_name
from dagster_project.lake.records import read_record_file
from dagster_project.lake.store import temporary_files
from dagster_project.settings import Settings
from dagster_project.sources.card import Source

Kind = Literal["runs", "quarantine", "parts"]


@dataclass(frozen=True)
class Expired:
    """Something that is older than its limit: its size, and why it is kept (empty: it is not)."""

    kind: Kind
    name: str
    bytes: int
    kept_because: str = ""


def clean_quarantine(
    settings: Settings, sources: Mapping[str, Source], used: Collection[str], *, dry_run: bool
) -> Iterator[Expired]:
    """Remove quarantined answers and rows that are older than `keep_quarantine_days`.

    `used` are the snapshots in a release that is published or blocked: what was quarantined of
    them is counted by its checks, and is kept. So are rows of a landed snapshot, the last answer of
    a publisher, which a person may still land, and a document that was landed: its bytes are
    nowhere else.
    """
    landing = landing_of(settings, is_read_only=dry_run)
    limit = timedelta(days=settings.keep_quarantine_days)
    for folder in sorted(settings.quarantine_dir.glob("*/*")):
        if not folder.is_dir() or _now() - _last_change(folder) < limit:
            continue
        source = sources.get(folder.parent.name)
        reason = _why_kept(folder, landing, source, used)
        name = f"{folder.parent.name}/{folder.name}"
        size = _size(folder)
        if not (reason or dry_run):
            reason = _remove(folder)
        yield Expired("quarantine", name, size, reason)


def clean_parts(
    settings: Settings, sources: Mapping[str, Source], *, dry_run: bool
) -> Iterator[Expired]:
    """Remove parts of downloads and landings that were begun `keep_parts_days` ago, unfinished,
    and files that a killed process was writing then.

    A source that is being fetched or landed is left alone.
    """
    landing = landing_of(settings, is_read_only=dry_run)
    before = _now() - timedelta(days=settings.keep_parts_days)
    for name in sources:
        old = list(_old_parts(settings, landing, name, before))
        if not old:
            continue
        lock = contextlib.nullcontext() if dry_run else source_lock(settings, name)
        try:
            with lock:
                for part in old:
                    yield Expired("parts", part.name, part.bytes)
                    if not dry_run:
                        part.remove()
        except BusyError:
            for part in old:
                yield Expired(
                    "parts", part.name, part.bytes, "its source is being fetched or landed"
                )
    yield from _clean_temporary_files(settings.folders, before, dry_run=dry_run)


def _clean_temporary_files(
    folders: Iterable[Path], before: datetime, *, dry_run: bool
) -> Iterator[Expired]:
    # One folder may be in another.
    files = dict.fromkeys(file for folder in folders for file in temporary_files(folder))
    for file in files:
        with contextlib.suppress(FileNotFoundError):  # it was whole meanwhile
            if _last_change(file) < before:
                size = file.stat().st_size
                if not dry_run:
                    file.unlink()
                yield Expired("parts", file.name, size)


@dataclass(frozen=True)
class _Part:
    name: str
    bytes: int
    remove: Callable[[], None]


def _old_parts(
    settings: Settings, landing: Landing, source: str, before: datetime
) -> Iterator[_Part]:
    """Folders of a source without an origin record, states of its extracts, its downloads."""
    store = landing.store
    in_the_lake = lake_of(settings).snapshot_ids(source)
    for snapshot_id in landing.unrecorded(source, before, in_the_lake):
        name = f"{source}/{snapshot_id}"
        # `discard` leaves it alone if it was completed meanwhile.
        yield _Part(name, store.size(name), partial(landing.discard, source, snapshot_id))
    for name, _ in unfinished_extracts(landing, source, before):
        yield _Part(name, store.size(name), partial(store.remove, name))
    for file in sorted(settings.intake_dir.glob(f"{source}-*.part*")):
        if _last_change(file) < before:
            size = file.stat().st_size
            yield _Part(file.name, size, partial(file.unlink, missing_ok=True))


def _why_kept(folder: Path, landing: Landing, source: Source | None, used: Collection[str]) -> str:
    """Why a folder of the quarantine is kept although it is old; empty if it is not."""
    record = folder / "origin.json"
    if record.exists():
        try:
            rejected = read_record_file(record, Snapshot, "")
        except DamagedError:
            return "its record cannot be read"
        is_landed_again = rejected.sha256 in landed_hashes(landing, rejected.source)
        return "" if is_landed_again else "it was landed, and its bytes are nowhere else"
    if folder.name in {snapshot.snapshot_id for snapshot in landing.snapshots(folder.parent.name)}:
        return "its snapshot is landed"
    if folder.name in used:
        return "a release has the other rows of its snapshot"
    if source is not None and folder.name in _unanswered(landing, source):
        return "it is the last answer of its publisher"
    return ""


def _remove(folder: Path) -> str:
    """Remove a folder; returns why it is kept if that is not possible."""
    try:
        shutil.rmtree(folder)
    except OSError as error:
        return f"it cannot be removed: {error.strerror or type(error).__name__}"
    return ""


def landed_hashes(landing: Landing, source: str) -> set[str]:
    """The hashes of the snapshots of a source, withdrawn ones included."""
    withdrawn = [record.snapshot for record in landing.withdrawn(source).values()]
    return {snapshot.sha256 for snapshot in (*landing.snapshots(source), *withdrawn)}


def _unanswered(landing: Landing, source: Source) -> set[str]:
    """The folders of documents whose last request was not answered with a usable document."""
    last = {ask.document: ask.answer for ask in Ledger(landing, source.CARD.name).asks()}
    return {file_name(document) for document, answer in last.items() if answer != "ok"}


def _last_change(path: Path) -> datetime:
    """When a file, or the newest file of a folder, was written (UTC, no zone)."""
    files = [file for file in path.rglob("*") if file.is_file()] if path.is_dir() else []
    newest = max((file.stat().st_mtime for file in files), default=path.stat().st_mtime)
    return datetime.fromtimestamp(newest, UTC).replace(tzinfo=None)


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
