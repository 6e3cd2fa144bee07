"""`kido verify`: reads everything of a home and compares it with what was recorded of it.

Nothing is changed. What a build can make again, a build repairs.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from dagster_project.errors import DamagedError, KidoError, counted, exception_text
from dagster_project.intake.ledger import Ledger
from dagster_project.intake.stores import lake_of, landing_of
from dagster_project.lake.build_file import read_all
from dagster_project.lake.landing import Snapshot, sha256_of_file
from dagster_project.lake.records import read_record_file
from dagster_project.orchestration.builds import STAGES, blocked_builds, complete_build
from dagster_project.orchestration.doctor import Finding
from dagster_project.quality.quarantine import require_as_quarantined
from dagster_project.serving.publication import (
    Release,
    current_release,
    require_as_published,
)
from dagster_project.settings import Settings
from dagster_project.sources.registry import source_names

Faults = Iterator[KidoError | None]
"""The fault of each file that was read; None for a good one."""

_REMOVE_RELEASE = "Remove the folder {}: that release can be restored no more."
_PUBLISHED_AGAIN = "Publish a release that is kept: kido rollback RELEASE, or build: kido build."


def verify(settings: Settings) -> Iterator[Finding]:
    """A finding for each part of the home with the number of files, and one for each fault."""
    for name, part in PARTS:
        read, faults = 0, 0
        try:
            for fault in part(settings):
                read += 1
                if fault is not None:
                    faults += 1
                    yield Finding(name, "failure", str(fault))
        except KidoError as error:
            faults += 1
            yield Finding(name, "failure", str(error))
        except Exception as error:
            faults += 1
            yield Finding(name, "failure", f"It could not be read ({exception_text(error)}).")
        if not faults:
            yield Finding(name, "ok", f"{counted(read, 'file')}, all as they were written.")


def _landing(settings: Settings) -> Faults:
    """Records and payloads of every source, and its ledger."""
    landing, lake = landing_of(settings, is_read_only=True), lake_of(settings)
    for source in source_names():
        yield from landing.verify(source)
        yield from Ledger(landing, source).verify()
        folders = set(landing.store.names(source))
        for snapshot_id in sorted(lake.snapshot_ids(source) & folders):
            if not landing.store.exists(f"{source}/{snapshot_id}/origin.json"):
                yield landing.without_record(source, snapshot_id)


def _lake(settings: Settings) -> Faults:
    lake = lake_of(settings)
    for source in source_names():
        damage = lake.damage(source)
        yield from damage.faults
        yield from [None] * (damage.files - len(damage.faults))


def _releases(settings: Settings) -> Faults:
    """The published file, the kept releases, and the replays of other days."""
    if settings.published_file.exists():
        yield _fault_in(settings.published_file, settings, _PUBLISHED_AGAIN) or _fault_of(
            _require_current, settings
        )
    for record in sorted(settings.releases_dir.glob("[!.]*/")):
        remedy = _REMOVE_RELEASE.format(record)
        yield _fault_of(read_record_file, record / "release.json", Release, remedy)
        file = record / "kido.duckdb"
        yield _fault_in(file, settings, remedy) or _fault_of(
            require_as_published, settings, record.name, file, remedy
        )
    for replay in sorted(settings.replays_dir.glob("*.duckdb")):
        yield _fault_in(replay, settings, "Remove it, then build that day again.")


def _require_current(settings: Settings) -> None:
    """Raise DamagedError if the published file is not the kept one of its release."""
    current = current_release(settings)
    if current:
        require_as_published(
            settings, current.release_id, settings.published_file, _PUBLISHED_AGAIN
        )


def _builds(settings: Settings) -> Faults:
    """The last complete build and the blocked ones: their records, and what was checked."""
    complete = [
        complete_build(settings.build_dir, is_replay=is_replay) for is_replay in (False, True)
    ]
    for build in (*complete, *blocked_builds(settings.build_dir)):
        if build is None:
            continue
        yield _fault_of(getattr, build, "release")
        for stage in STAGES:
            yield _fault_of(build.checks, stage)
        remedy = f"Remove the folder {build.directory}."
        yield _fault_in(build.file, settings, remedy) or _fault_of(build.require_sealed, build.file)


def _quarantine(settings: Settings) -> Faults:
    """Rejected documents with their record, and rejected rows."""
    remedy = "Remove its folder, unless you still need it."
    for file in sorted(settings.quarantine_dir.glob("*/*/*")):
        if file.name == "origin.json":
            yield _fault_of(_read_rejected, file, remedy)
        elif file.suffix == ".parquet":
            yield _fault_of(require_as_quarantined, file, remedy)


def _read_rejected(record: Path, remedy: str) -> None:
    snapshot = read_record_file(record, Snapshot, remedy)
    for part in snapshot.parts:
        file = record.with_name(part.file)
        if not file.exists() or sha256_of_file(file) != part.sha256:
            raise DamagedError(f"{file} is missing or was changed.", hint=remedy)


def _dagster(settings: Settings) -> Faults:
    """The databases in which Dagster keeps runs and schedules, if they are files."""
    for file in sorted(settings.dagster_home.rglob("*.db")):
        yield _fault_of(_read_database, file)


def _read_database(file: Path) -> None:
    uri = f"{file.as_uri()}?mode=ro"
    try:
        with contextlib.closing(sqlite3.connect(uri, uri=True)) as connection:
            ((answer,), *_) = connection.execute("pragma quick_check").fetchall()
    except sqlite3.Error as error:
        answer = str(error)
    if answer != "ok":
        raise DamagedError(
            f"{file} is damaged ({answer}).",
            hint="Restore a backup, or remove it: only the history of runs is lost.",
        )


def _fault_in(file: Path, settings: Settings, remedy: str) -> KidoError | None:
    """The fault of a DuckDB file, of which every block is read."""
    if not file.exists():
        return DamagedError(f"{file} is missing.", hint=remedy)
    try:
        read_all(file, settings.memory)
    except Exception as error:  # DuckDB's types of errors differ by what is damaged
        return DamagedError(f"{file} cannot be read ({exception_text(error)}).", hint=remedy)
    return None


def _fault_of(read: Callable[..., object], *arguments: object) -> KidoError | None:
    """The error that reading a file raises."""
    try:
        read(*arguments)
    except KidoError as error:
        return error
    except FileNotFoundError as error:
        return DamagedError(f"{error.filename} is missing.")
    return None


PARTS: Sequence[tuple[str, Callable[[Settings], Faults]]] = (
    ("landing", _landing),
    ("lake", _lake),
    ("releases", _releases),
    ("builds", _builds),
    ("quarantine", _quarantine),
    ("dagster", _dagster),
)
"""The parts of a home in the order of their lines."""
