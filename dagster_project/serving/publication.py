"""Publishing: the audited marts in a compact file, which replaces the published one by a rename.

The rename decides: the current release is the one in the file. Readers never wait and never see
half a release; the last ones are kept for a rollback. A replay of another day has its own file.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import shutil
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Literal

import duckdb
from filelock import FileLock
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dagster_project import words
from dagster_project.errors import DamagedError, DamagedReleaseError, PublicationError
from dagster_project.lake.build_file import STORAGE_VERSION, connect, connect_in_memory
from dagster_project.lake.landing import FUTURE_FROM, sha256_of_file
from dagster_project.lake.records import read_name, read_record_file, write_record_file
from dagster_project.lake.store import write_atomically
from dagster_project.safe_text import logger
from dagster_project.serving.damage import damage_of, damaged, require_readable
from dagster_project.serving.dictionary import quoted
from dagster_project.serving.gate import snapshots_of
from dagster_project.settings import Settings

SHOW_FAILED_CHECKS = "kido query \"from catalog.checks where status <> 'passed'\""
"""The command that lists the checks of the published file that did not pass."""

CONTRACT_VERSION = "4.1"
"""Version of the published tables (docs/contract.md): the first number changes if a column is
removed or redefined, the second if something is added."""

PUBLISHED_SCHEMAS = words.SCHEMAS
LARGEST_FREE_SHARE = 0.2
"""Largest share of free blocks in a published file; tables that are rebuilt leave free blocks. A
build of the bundled figures leaves 0.11. Copying its tables takes two seconds, duplicating the file
none."""

RELEASES_KEPT = 5
ROLLED_BACK = "rolled-back.json"
"""File in the folder of a kept release: the release that was rolled back to it."""

REPLACED = "instead-of"
"""File in the folder of a release of another day: the release that it replaces."""

CURRENT = ".current.json"

_REMEDY = "Restore it from a backup, or remove its folder; that release can be restored no more."

HOW_TO_REPLACE = "kido rollback restores the kept copy; kido build makes a new one."
"""What to do about a damaged published file."""

_INSTANT = "%Y%m%dT%H%M%S"
_log = logger(__name__)

_COPY_BYTES = 1 << 30
"""Bytes that one call copies."""


class Release(BaseModel):
    """One published state of the warehouse. Instants are UTC without a zone attached."""

    model_config = ConfigDict(frozen=True)

    release_id: str
    published_at: datetime
    as_of: date
    contract_version: str
    code_version: str
    duckdb_version: str
    built_on: date | None = None
    """Day (UTC) on which the build began; null for releases of earlier versions."""
    scope: str | None = None
    """Name of the scope of commodities; null for releases of earlier versions."""
    accepted_at: datetime | None = None
    accepted_losses: str | None = None
    """The losses for readers, as sentences, where they were accepted."""
    contents: Mapping[str, str] = Field(default_factory=dict)
    """Hash of the rows of each mart; without any for releases that were not compared."""

    @property
    def is_for_build_day(self) -> bool:
        """Whether it was built for the day on which the build began, not for another."""
        if self.built_on:
            return self.built_on == self.as_of
        return self.release_id.startswith(f"{self.as_of:%Y%m%d}T")


class KeptRelease(Release):
    """The record in the folder of a release that was published."""

    file_sha256: str | None = None
    """Of its file, which is that of the published file too; null in those of earlier versions."""


def new_release(
    started_at: datetime,
    as_of: date,
    code_version: str,
    *,
    scope: str | None = None,
    after: Iterable[str] = (),
) -> Release:
    """The release of a new build; `published_at` is set when it is published.

    The ids are the order of the releases. A new one sorts behind all of `after`, also where the
    clock was set back: then its time is a second later than the last of these.
    """
    instants = filter(None, map(instant_of, after))
    instant = max([started_at, *(earlier + timedelta(seconds=1) for earlier in instants)])
    return Release(
        release_id=f"{instant:{_INSTANT}}-{uuid.uuid4().hex[:6]}",
        published_at=started_at,
        as_of=as_of,
        contract_version=CONTRACT_VERSION,
        code_version=code_version,
        duckdb_version=duckdb.__version__,
        built_on=started_at.date(),
        scope=scope,
    )


def instant_of(release_id: str) -> datetime | None:
    """The time in the id of a release; None where it has none, or the last of the calendar."""
    try:
        instant = datetime.strptime(release_id.partition("-")[0], _INSTANT)
    except ValueError:
        return None
    return instant if instant.year < datetime.max.year else None


def from_the_future(settings: Settings, now: datetime) -> Release | None:
    """The newest published release if it is later than `now` (UTC): a clock was ahead."""
    newest = max(published_releases(settings), key=lambda each: each.release_id, default=None)
    instant = instant_of(newest.release_id) if newest else None
    return newest if instant and instant > now + FUTURE_FROM else None


class RolledBack(BaseModel):
    """A release that was rolled back; stored with the one that was restored."""

    model_config = ConfigDict(frozen=True)

    release: Release
    at: datetime
    made_from: tuple[str, ...]
    brought_by: tuple[str, ...]
    """Its snapshots, and those of them that the restored release does not have."""


class MadeFrom(BaseModel):
    """The inputs of a replay; valid only for the release in the replay's file."""

    model_config = ConfigDict(frozen=True)

    release_id: str
    inputs: str


class CurrentRelease(BaseModel):
    """The release in the published file, valid as long as the file is unchanged.

    It saves opening the file, which takes 20 ms.
    """

    model_config = ConfigDict(frozen=True)

    release_id: str
    file: tuple[int, int, int]


def published_releases(settings: Settings) -> list[Release]:
    """Releases that were published, oldest first: those kept, and those the current file lists."""
    releases = {release.release_id: release for release in _kept_releases(settings)}
    for release in _releases_in(settings.published_file):
        releases.setdefault(release.release_id, release)
    return sorted(releases.values(), key=lambda release: release.release_id)


def current_release(settings: Settings) -> Release | None:
    """The release that readers see now."""
    return _release_in(settings.published_file)


def is_kept(settings: Settings, release_id: str) -> bool:
    """Whether a release can be restored."""
    return _kept_folder(settings, release_id) is not None


def publish(
    settings: Settings,
    build_file: Path,
    release: Release,
    complete: Callable[[Release], None],
    published_at: datetime,
    inputs: str | None = None,
    *,
    approve: Callable[[Release], Release] = lambda release: release,
) -> Release:
    """Publish an audited build file as the release that readers see; the last ones are kept.

    `inputs` is a hash of the release's inputs. The caller has verified every blocking check. Waits
    for another publication; `approve` then compares with the current release, and returns the
    release to publish or raises. `complete` gets that release and makes the tables of the build
    file that describe it. If a newer release was published meanwhile, that one is returned and
    this one is not published. Raises PublicationError if a schema is missing.
    """
    with release_lock(settings):
        current, is_published = current_release(settings), is_kept(settings, release.release_id)
        if current and current.release_id > release.release_id and not is_published:
            return current
        release = approve(release)
        with _removed_on_error(settings, release.release_id):
            if not is_published:
                release = release.model_copy(update={"published_at": published_at})
                complete(release)
                _prepare(settings, build_file, release, inputs)
            _activate_release(settings, release.release_id)
        _finalise(settings)
    return release


@contextlib.contextmanager
def _removed_on_error(settings: Settings, release_id: str) -> Iterator[None]:
    """Remove the folder of a release that could not be published, on a full disk above all.

    Where the published file cannot be read, the folder stays: it may have the only good copy.
    """
    try:
        yield
    except BaseException:
        with contextlib.suppress(Exception):  # the error to report is the first one
            current = current_release(settings)
            if current is None or current.release_id != release_id:
                shutil.rmtree(_prepared_folder(settings, release_id), ignore_errors=True)
        raise


def publish_replay(
    settings: Settings,
    build_file: Path,
    release: Release,
    complete: Callable[[Release], None],
    published_at: datetime,
    inputs: str | None = None,
) -> Release:
    """Publish an audited build file as the replay of its day, in a file of its own.

    Takes the arguments of `publish`. The kept releases do not change.
    """
    release = release.model_copy(update={"published_at": published_at})
    target = settings.replay_file
    settings.replays_dir.mkdir(parents=True, exist_ok=True)
    with release_lock(settings):
        fresh = _fresh_beside(target)
        try:
            complete(release)
            copy_marts(build_file, fresh, settings.memory)
            if inputs:
                made_from = MadeFrom(release_id=release.release_id, inputs=inputs)
                write_record_file(_made_from(target), made_from)
            _swap_in(fresh, target)
        finally:
            fresh.unlink(missing_ok=True)
    return release


def current_inputs(settings: Settings) -> str | None:
    """The hash of the published release's inputs; None where unknown."""
    current = _recorded_current(settings) or current_release(settings)
    folder = _kept_folder(settings, current.release_id) if current else None
    record = folder / "inputs" if folder else None
    return read_name(record) if record else None


def replay_inputs(settings: Settings) -> str | None:
    """The hash of the inputs of the day's replay; None where unknown."""
    record = _made_from(settings.replay_file)
    try:
        current = _release_in(settings.replay_file)
    except DamagedReleaseError:  # a build replaces it
        return None
    if current is None or not record.exists():
        return None
    try:
        made_from = read_record_file(record, MadeFrom, "")
    except DamagedError:  # the build of that day is repeated
        return None
    return made_from.inputs if made_from.release_id == current.release_id else None


def inputs_of_the_day(settings: Settings) -> str | None:
    """The hash of the inputs of what is published for the settings' day; None where unknown."""
    return replay_inputs(settings) if settings.is_replay else current_inputs(settings)


def rollback(settings: Settings, release_id: str | None = None) -> Release:
    """Make an earlier release the published one: the one before the current, or the one named.

    A damaged published file is first replaced by the kept copy of its release: without a name, that
    is all. Damaged copies are passed over. Waits for another publication. Raises PublicationError
    if the release is not kept.
    """
    with release_lock(settings, reads_all=True) as restored:
        if restored and release_id is None:
            return restored
        kept = {release.release_id: release for release in _kept_releases(settings)}
        release_id = release_id or _earlier_release(settings, kept)
        if release_id not in kept:
            raise PublicationError(
                f"Release {release_id} is not kept.",
                hint=f"Kept: {', '.join(sorted(kept)) or 'none'}.",
            )
        require_readable(
            _kept_file(settings, release_id), "Choose another one: kido releases lists them."
        )
        folder = _kept_folder(settings, release_id)
        back = rolled_back(settings)
        newest = back.release if back else last_for_build_day(settings)
        if newest and folder and release_id < newest.release_id:
            _record_rollback(settings, newest, folder)
        _activate_release(settings, release_id)
        _finalise(settings)
        return kept[release_id]


def _earlier_release(settings: Settings, kept: Iterable[str]) -> str:
    """The last release before the current one whose kept file can be read."""
    current = current_release(settings)
    for name in sorted(kept, reverse=True):
        is_earlier = current is None or name < current.release_id
        if is_earlier and not _is_damaged(settings.releases_dir / name):
            return name
    raise PublicationError("There is no earlier release to restore.")


def _is_damaged(folder: Path) -> bool:
    """Whether the copy in the folder of a kept release cannot be read; a warning says so."""
    is_damaged = bool(damage_of(folder / "kido.duckdb"))
    if is_damaged:
        _log.warning("The kept copy of release %s is damaged; it is passed over.", folder.name)
    return is_damaged


def rolled_back(settings: Settings) -> RolledBack | None:
    """The release that was rolled back to the current one; None where there is none.

    Publishing a release of another day does not clear it.
    """
    for release in (current_release(settings), last_for_build_day(settings)):
        folder = _kept_folder(settings, release.release_id) if release else None
        record = folder / ROLLED_BACK if folder else None
        if record is not None and record.exists():
            return read_record_file(record, RolledBack, _REMEDY)
    return None


def require_as_published(settings: Settings, release_id: str, file: Path, remedy: str) -> None:
    """Raise DamagedError if a file with a release is not the one that was published.

    A program that opens the file can write into it; DuckDB's own checksums are then right. Nothing
    is compared where the release is not kept, or its record cannot be read.
    """
    folder = _kept_folder(settings, release_id)
    if folder is None:
        return
    try:
        expected = read_record_file(folder / "release.json", KeptRelease, _REMEDY).file_sha256
    except (FileNotFoundError, DamagedError):
        return
    if expected and sha256_of_file(file) != expected:
        raise DamagedError(f"{file} was changed after it was published.", hint=remedy)


def last_for_build_day(settings: Settings) -> Release | None:
    """The release that readers see; where it is of another day, the one that it replaces."""
    current = current_release(settings)
    if current is None or current.is_for_build_day:
        return current
    folder = _kept_folder(settings, current.release_id)
    record = folder / REPLACED if folder else None
    name = read_name(record) if record else None
    return next((kept for kept in _kept_releases(settings) if kept.release_id == name), None)


def last_files_for_build_day(settings: Settings) -> list[Path]:
    """The copies of that release; empty where there is no such release."""
    last = last_for_build_day(settings)
    return copies_of(settings, last.release_id) if last else []


def contents_of(file: Path) -> Mapping[str, str]:
    """The hashes of the marts of a kept release, by the record beside its file; if any."""
    try:
        return read_record_file(file.parent / "release.json", KeptRelease, _REMEDY).contents
    except (FileNotFoundError, DamagedError):
        return {}


def copies_of(settings: Settings, release_id: str) -> list[Path]:
    """The files with a release: the kept copy, which readers do not change, before the published
    one; empty where neither has it.
    """
    kept, current = _kept_file(settings, release_id), current_release(settings)
    is_current = current is not None and release_id == current.release_id
    return [*([kept] if kept.exists() else []), *([settings.published_file] if is_current else [])]


def oldest_file_for_build_day(settings: Settings) -> Path | None:
    """The file of the oldest kept release of its own day, if it is older than the last one."""
    last = last_for_build_day(settings)
    for release in _kept_releases(settings):
        is_older = last is not None and release.release_id < last.release_id
        if is_older and release.is_for_build_day:
            file = _kept_file(settings, release.release_id)
            if not damage_of(file, reads_all=False):
                return file
    return None


def _record_rollback(settings: Settings, current: Release, to: Path) -> None:
    """Record the snapshots of the release that is rolled back.

    It is written into the folder of the restored release before the swap, and valid once that one
    is current. After two rollbacks, the newest of the three releases is the one rolled back.
    """
    earlier, published = rolled_back(settings), snapshots_of(settings.published_file)
    made_from = set(earlier.made_from) if earlier else published
    record = RolledBack(
        release=earlier.release if earlier else current,
        at=datetime.now(UTC).replace(tzinfo=None),
        made_from=tuple(sorted(made_from)),
        brought_by=tuple(sorted((made_from | published) - snapshots_of(to / "kido.duckdb"))),
    )
    write_record_file(to / ROLLED_BACK, record)


def copy_marts(build_file: Path, target: Path, memory: int | None = None) -> None:
    """Copy the published schemas with constraints and comments into a new, compact file.

    A build file that is ready for readers is duplicated as a file, else every table is copied.
    Raises PublicationError if a published schema has no table. DuckDB uses at most `memory` bytes.
    """
    with connect_in_memory(build_file, memory) as connection:
        connection.execute(f"attach '{quoted(build_file)}' as build (read_only)")
        schemas = {schema for schema, *_ in _published(connection, "table")}
        absent = set(PUBLISHED_SCHEMAS) - schemas
        if absent:
            raise PublicationError(f"The build has no table in {', '.join(sorted(absent))}.")
        is_fit = _is_fit_for_readers(connection, build_file)
        if not is_fit:
            _copy_tables(connection, target)
    if is_fit:
        _duplicate(build_file, target)
    _flush(target)


def _published(
    connection: duckdb.DuckDBPyConnection, kind: Literal["table", "view"]
) -> list[tuple[str, ...]]:
    """Schema, name, statement and comment of every table, or view, of the build that is published.

    Views refer to tables without a database name, so that they read those of their own file.
    """
    return _rows(
        connection,
        f"select schema_name, {kind}_name, sql, comment from duckdb_{kind}s() "
        "where database_name = 'build' and list_contains(?, schema_name) order by all",
        [list(PUBLISHED_SCHEMAS)],
    )


def _is_fit_for_readers(connection: duckdb.DuckDBPyConnection, build_file: Path) -> bool:
    """Whether the build file is compact, in the readers' format, and has only published tables.

    A build of an earlier version also has the inputs of its marts, in a newer format.
    """
    private = _rows(
        connection,
        "select table_name from duckdb_tables() "
        "where database_name = 'build' and not list_contains(?, schema_name) "
        "union all select view_name from duckdb_views() "
        "where database_name = 'build' and not internal and not list_contains(?, schema_name)",
        [list(PUBLISHED_SCHEMAS)] * 2,
    )
    [(version, total, free)] = _rows(
        connection,
        "select tags['storage_version'], total_blocks, free_blocks "
        "from duckdb_databases() join pragma_database_size() using (database_name) "
        "where database_name = 'build'",
        [],
    )
    return (
        not private
        and str(version).startswith(STORAGE_VERSION)
        and int(free) <= LARGEST_FREE_SHARE * int(total)
        and not build_file.with_name(f"{build_file.name}.wal").exists()
    )


def _copy_tables(connection: duckdb.DuckDBPyConnection, target: Path) -> None:
    """Copy every published table of the build and the views on them, with constraints and comments.

    `create table as` would drop both.
    """
    connection.execute(
        f"attach '{quoted(target)}' as published (storage_version '{STORAGE_VERSION}')"
    )
    tables, views = _published(connection, "table"), _published(connection, "view")
    columns = _rows(
        connection,
        "select schema_name, table_name, column_name, comment from duckdb_columns() "
        "where database_name = 'build' and comment is not null "
        "and list_contains(?, schema_name)",
        [list(PUBLISHED_SCHEMAS)],
    )
    connection.execute("use published")
    for schema in PUBLISHED_SCHEMAS:
        connection.execute(f"create schema {schema}")
    for schema, table, create, comment in tables:
        connection.execute(create)
        connection.execute(f"insert into {schema}.{table} from build.{schema}.{table}")
        if comment:
            connection.execute(f"comment on table {schema}.{table} is '{quoted(comment)}'")
    for schema, view, create, comment in views:
        connection.execute(create)
        if comment:
            connection.execute(f"comment on view {schema}.{view} is '{quoted(comment)}'")
    for schema, table, column, comment in columns:
        connection.execute(f"comment on column {schema}.{table}.{column} is '{quoted(comment)}'")
    connection.execute("use memory")
    # Detaching closes and checkpoints: a file that needs its .wal would not open elsewhere.
    connection.execute("detach published")


@contextlib.contextmanager
def release_lock(settings: Settings, *, reads_all: bool = False) -> Iterator[Release | None]:
    """Wait until no other process publishes; then complete what a killed one left unfinished.

    A damaged published file is replaced; yields the release that was restored. `reads_all`: every
    block of the published file is read to find damage, which takes a second per 200 MB.
    """
    settings.releases_dir.mkdir(parents=True, exist_ok=True)
    with FileLock(settings.releases_dir / ".lock"):
        # A file that a program has opened for writing is found out now, and is not replaced.
        _releases_of.cache_clear()
        restored = _restore_damaged(settings, reads_all=reads_all)
        _finalise(settings)
        _remove_leftovers(settings)
        yield restored


def restore_damaged(settings: Settings) -> None:
    """Replace a published file that cannot be opened by the kept copy of its release.

    A release that was restored, or the absence of a copy, is logged as a warning.
    """
    try:
        current_release(settings)
    except DamagedReleaseError:
        with release_lock(settings):
            return


def _restore_damaged(settings: Settings, *, reads_all: bool) -> Release | None:
    """Replace a damaged published file by the kept copy of its release, else of the newest one.

    Without a copy it is renamed, so that a build can publish; so is what is not of Kido. The caller
    must have the lock.
    """
    file = settings.published_file
    is_damaged = file.is_dir() or (file.exists() and bool(damage_of(file, reads_all=reads_all)))
    if not is_damaged and _lists_releases(file):
        return None
    if file.is_dir() or not is_damaged:
        _put_aside(file)
    recorded = _last_recorded(settings)
    folders = [path.parent for path in settings.releases_dir.glob("[!.]*/release.json")]
    folders.sort(key=lambda folder: folder.name, reverse=True)
    folders.sort(key=lambda folder: recorded is None or folder.name != recorded.release_id)
    for folder in folders:
        if _is_damaged(folder):
            continue
        try:
            release = read_record_file(folder / "release.json", Release, _REMEDY)
        except DamagedError as error:
            _log.warning("%s", error)
            continue
        _swap_in_copy(settings, folder)
        _log.warning("%s was damaged: it is release %s again.", file, release.release_id)
        return release
    if file.exists():
        _put_aside(file)
    return None


def _lists_releases(file: Path) -> bool:
    """Whether there is no file, or one with the list of releases that a file of Kido has."""
    try:
        _releases_in(file)
    except DamagedReleaseError:
        return False
    return True


def _put_aside(file: Path) -> None:
    """Rename a file that no reader of Kido can use; nothing that is there is replaced."""
    names = itertools.chain([""], (f".{number}" for number in itertools.count(2)))
    asides = (file.with_name(f"{file.name}.damaged{name}") for name in names)
    aside = next(aside for aside in asides if not aside.exists())
    os.replace(file, aside)
    _log.warning("%s was damaged, or is no file of Kido: it is %s now.", file, aside)


def _prepare(
    settings: Settings,
    build_file: Path,
    release: Release,
    inputs: str | None,
) -> None:
    """Create the folder of a release, which is valid once its file is the published one."""
    fresh = _prepared_folder(settings, release.release_id)
    fresh.mkdir()
    copy_marts(build_file, fresh / "kido.duckdb", settings.memory)
    if inputs:
        write_atomically(fresh / "inputs", inputs.encode())
    last = last_for_build_day(settings)
    if last and not release.is_for_build_day:
        write_atomically(fresh / REPLACED, last.release_id.encode())
    kept = KeptRelease(**release.model_dump(), file_sha256=sha256_of_file(fresh / "kido.duckdb"))
    write_record_file(fresh / "release.json", kept, indent=2)


def _activate_release(settings: Settings, release_id: str) -> None:
    """Publish a release: the one write that makes it the current one."""
    _swap_in_copy(
        settings, _kept_folder(settings, release_id) or _prepared_folder(settings, release_id)
    )


def _swap_in_copy(settings: Settings, folder: Path) -> None:
    """Replace the published file by a copy of that in a folder of `releases/`."""
    # Not a link: a reader that opens the published file for writing must not change a release.
    fresh = _fresh_beside(settings.published_file)
    try:
        _duplicate(folder / "kido.duckdb", fresh)
        _flush(fresh)
        _swap_in(fresh, settings.published_file)
    finally:
        fresh.unlink(missing_ok=True)


def _finalise(settings: Settings) -> None:
    """Rename the folder of the current release to that of a kept one; remove the oldest.

    The release is current before that, since its file is the published one.
    """
    if _recorded_current(settings):
        return
    current = current_release(settings)
    if current is None:
        return
    prepared = _prepared_folder(settings, current.release_id)
    if prepared.is_dir():
        os.replace(prepared, settings.releases_dir / current.release_id)
    last = last_for_build_day(settings)
    needed = {kept.release_id for kept in (current, last) if kept}
    others = [kept for kept in _kept_releases(settings) if kept.release_id not in needed]
    for release in others[: -(RELEASES_KEPT - len(needed))]:
        _remove(settings.releases_dir / release.release_id)
    # The pointer to the current release of earlier versions of Kido.
    (settings.releases_dir / "current").unlink(missing_ok=True)
    record = CurrentRelease(
        release_id=current.release_id, file=_identity_of(settings.published_file)
    )
    write_record_file(settings.releases_dir / CURRENT, record)


def _recorded_current(settings: Settings) -> CurrentRelease | None:
    """The record of the current release; None where it is about another file."""
    recorded = _last_recorded(settings)
    if recorded is None or not settings.published_file.exists():
        return None
    return recorded if recorded.file == _identity_of(settings.published_file) else None


def _last_recorded(settings: Settings) -> CurrentRelease | None:
    """The last record of a current release; None where there is none that can be read."""
    try:
        return read_record_file(settings.releases_dir / CURRENT, CurrentRelease, "")
    except (FileNotFoundError, DamagedError):  # the published file says it as well
        return None


def _identity_of(file: Path) -> tuple[int, int, int]:
    status = file.stat()
    return status.st_ino, status.st_size, status.st_mtime_ns


def _remove(folder: Path) -> None:
    """Remove a kept release. It is renamed first: an interrupted removal leaves no kept release."""
    gone = folder.with_name(f".gone-{folder.name}")
    os.replace(folder, gone)
    shutil.rmtree(gone, ignore_errors=True)


def _duplicate(source: Path, target: Path) -> None:
    """Create a separate file with the same content, sharing blocks where that is possible.

    Btrfs and XFS on Linux share blocks, other file systems copy.
    """
    copy_range = getattr(os, "copy_file_range", None)
    if copy_range is not None:
        with source.open("rb") as read, target.open("wb") as written:
            try:
                while copy_range(read.fileno(), written.fileno(), _COPY_BYTES):
                    pass
                # Some file systems report success without copying anything.
                if os.fstat(written.fileno()).st_size == os.fstat(read.fileno()).st_size:
                    return
            except OSError as error:
                if error.errno in (errno.ENOSPC, errno.EDQUOT):
                    raise
    shutil.copyfile(source, target)


def _swap_in(fresh: Path, target: Path) -> None:
    # A .wal left by a writing reader belongs to the replaced file, and would break this one.
    target.with_name(f"{target.name}.wal").unlink(missing_ok=True)
    os.replace(fresh, target)


def _kept_releases(settings: Settings) -> list[Release]:
    folders = [record.parent for record in settings.releases_dir.glob("[!.]*/release.json")]
    current = current_release(settings)
    prepared = _prepared_folder(settings, current.release_id) if current else None
    if prepared and (prepared / "release.json").exists():
        folders.append(prepared)
    return sorted(
        (read_record_file(folder / "release.json", Release, _REMEDY) for folder in folders),
        key=lambda release: release.release_id,
    )


def _kept_folder(settings: Settings, release_id: str) -> Path | None:
    """The folder of a published release; the rename to this name is the last write."""
    folder = settings.releases_dir / release_id
    if folder.is_dir():
        return folder
    prepared, current = _prepared_folder(settings, release_id), current_release(settings)
    return prepared if current and current.release_id == release_id and prepared.is_dir() else None


def _kept_file(settings: Settings, release_id: str) -> Path:
    folder = _kept_folder(settings, release_id)
    return (folder or settings.releases_dir / release_id) / "kido.duckdb"


def _prepared_folder(settings: Settings, release_id: str) -> Path:
    return settings.releases_dir / f".new-{release_id}"


def _fresh_beside(target: Path) -> Path:
    return target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}")


def _made_from(replay_file: Path) -> Path:
    return replay_file.with_suffix(".json")


def _remove_leftovers(settings: Settings) -> None:
    """Remove leftovers of a killed publication; the caller must have the lock."""
    for leftover in (
        *settings.releases_dir.glob(".new-*"),
        *settings.releases_dir.glob(".gone-*"),
    ):
        shutil.rmtree(leftover, ignore_errors=True)
    for leftover in (
        *settings.home.glob(".kido.duckdb.*"),
        *settings.replays_dir.glob(".kido-*"),
        # Records that were being written: `write_atomically` names them so.
        *settings.releases_dir.glob(f".{CURRENT}.*"),
        *settings.releases_dir.glob(f"*/.{ROLLED_BACK}.*"),
    ):
        leftover.unlink(missing_ok=True)


def _releases_in(file: Path) -> Sequence[Release]:
    """The releases listed in a published file, its own last; empty without a file."""
    try:
        status = file.stat()
    except FileNotFoundError:
        return ()
    # Each write and each rename changes the last of these.
    state = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    return _releases_of(file, state)


@lru_cache(maxsize=16)
def _releases_of(file: Path, state: tuple[int, ...]) -> Sequence[Release]:
    """The releases in a state of the file, read once: opening it takes 20 ms."""
    try:
        with connect(file, read_only=True) as connection:
            result = connection.execute("from catalog.releases order by release_id")
            names = [column[0] for column in result.description or ()]
            return tuple(Release(**dict(zip(names, row, strict=True))) for row in result.fetchall())
    except (duckdb.Error, ValidationError) as error:
        raise damaged(file, error, HOW_TO_REPLACE) from None


def _release_in(file: Path) -> Release | None:
    releases = _releases_in(file)
    return releases[-1] if releases else None


def _rows(
    connection: duckdb.DuckDBPyConnection, query: str, parameters: Sequence[object]
) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = connection.execute(query, list(parameters)).fetchall()
    return rows


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
