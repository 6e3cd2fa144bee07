"""Backs up what of a home cannot be rebuilt, and restores it into an empty one.

What refers to something is copied before what it refers to, so that no run, fetch or build has to
wait: a release before the snapshots it was made from. `lake/backup_folder.py` has the files.
"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import yaml

from dagster_project.errors import (
    BusyError,
    ConfigurationError,
    DamagedError,
    amount_of_bytes,
    counted,
    listed,
)
from dagster_project.intake.calls import is_counter
from dagster_project.intake.conform import conform
from dagster_project.intake.source_lock import source_lock
from dagster_project.intake.stores import landing_of
from dagster_project.lake.backup_folder import (
    BackedUpFile,
    BackupFolder,
    BackupRecord,
)
from dagster_project.lake.landing import sha256_of_file
from dagster_project.lake.space import disk_full, require_room
from dagster_project.lake.store import Store
from dagster_project.orchestration.builds import blocked_builds
from dagster_project.orchestration.execute import open_instance
from dagster_project.orchestration.inputs import code_version
from dagster_project.serving.publication import CONTRACT_VERSION, release_lock
from dagster_project.settings import Settings
from dagster_project.sources.registry import all_sources

DAGSTER, INTAKE, LANDING, QUARANTINE, RELEASES, REPLAYS = (
    "dagster", "intake", "landing", "quarantine", "releases", "as_of",
)  # fmt: skip
PUBLISHED = "kido.duckdb"
"""The first part of a name in a backup."""

STAGING = ".restoring"
"""Folder in a home into which files are restored; they are moved to their places at the end."""

NOT_CONTENT = {STAGING, "lost+found"}
"""What an empty folder may have."""

TRIES = 5
"""How often a part is copied again whose files were moved meanwhile."""

_STORAGE_KEYS = ("storage", "run_storage", "event_log_storage", "schedule_storage")
"""Keys of dagster.yaml by which Dagster stores its runs elsewhere than in `dagster/`."""

_DATABASE, _DATABASE_LOGS = ".db", ("-wal", "-shm", "-journal")

Files = dict[str, BackedUpFile]
Write = Callable[[str], None]


def back_up(settings: Settings, folder: Path, keep: int, write: Write) -> str:
    """Back up a home into a folder that may have earlier backups; only new contents are copied.

    The last `keep` backups are kept. `write` gets a line for each part. Returns the backup's name.
    Raises ConfigurationError for a folder or a home that cannot be used, DamagedError for a landed
    file or record whose bytes have changed, and BusyError during another backup into the folder.
    """
    folder = folder.expanduser().absolute()
    settings.require_separate(folder)
    try:
        return _Backup(settings, BackupFolder(folder), write).run(keep)
    except OSError as error:
        full = disk_full(error, [folder])
        if full is None:
            raise
        raise full from None


class _Backup:
    """One backup in the making."""

    def __init__(self, settings: Settings, folder: BackupFolder, write: Write) -> None:
        self._settings = settings
        self._folder = folder
        self._write = write
        self._landing = landing_of(settings, is_read_only=True)
        self._before: Mapping[str, BackedUpFile] = {}

    def run(self, keep: int) -> str:
        if not (self._landing.sources() or self._settings.published_file.exists()):
            raise ConfigurationError(f"{self._settings.home} has nothing to back up.")
        with self._folder.locked():
            last = self._last()
            self._before = last.files if last else {}
            made_at = self._folder.next_instant()
            files: Files = {}
            for title, copy_part in (
                ("dagster", self._dagster),
                ("releases", self._releases),
                ("landing", self._landed),
                ("quarantine", self._quarantine),
                ("intake", self._calls),
            ):
                files |= self._part(title, copy_part)
            self._compare_with(last, files)
            is_local = self._landing.store.is_local
            record = BackupRecord(
                made_at=made_at,
                code_version=code_version(),
                contract_version=CONTRACT_VERSION,
                landing="" if is_local else self._landing.store.address(""),
                files=files,
            )
            name = self._folder.complete(record, keep)
            kept = len(self._folder.names())
        self._write(
            f"Backup {name} is complete: {counted(len(files), 'file')}, "
            f"{amount_of_bytes(record.bytes)}, {amount_of_bytes(self._folder.new_bytes)} of them "
            f"new. {self._folder.folder} has {counted(kept, 'backup')}."
        )
        return name

    def _last(self) -> BackupRecord | None:
        """The last backup that can be read; a line on each record that cannot."""
        readable = self._folder.readable()
        for name in self._folder.names():
            if name not in readable:
                self._write(
                    f"{self._folder.path_of_record(name)} is damaged or of another version, and "
                    "not used. Until you remove it, no content of a backup is removed."
                )
        return next(reversed(readable.values()), None)

    def _part(self, title: str, copy_part: Callable[[], Files]) -> Files:
        """Copy a part, again if files were moved meanwhile, and write a line about it."""
        before = self._folder.new_bytes
        for _ in range(TRIES):
            with contextlib.suppress(FileNotFoundError):
                files = copy_part()
                break
        else:
            raise BusyError(
                f"{title}: files were moved while they were copied.", hint="Run kido backup again."
            )
        size = sum(file.bytes for file in files.values())
        new = self._folder.new_bytes - before
        self._write(
            f"{title}: {counted(len(files), 'file')}, {amount_of_bytes(size)}, "
            f"{amount_of_bytes(new)} of them new"
        )
        return files

    def _releases(self) -> Files:
        """The published file, the kept releases and the replays; none is published meanwhile."""
        settings = self._settings
        with release_lock(settings):
            published = settings.published_file
            paths = {PUBLISHED: published} if published.exists() else {}
            for room, root in (
                (RELEASES, settings.releases_dir),
                (REPLAYS, settings.replays_dir),
            ):
                paths |= _files_under(root, room)
            blocked = blocked_builds(settings.build_dir)
            files = self._add_all(
                {name: path for name, path in paths.items() if path.suffix != ".wal"}
            )
        if blocked:
            self._write(
                f"releases: {counted(len(blocked), 'blocked build')} left out; after a restore "
                "kido build makes it again"
            )
        return files

    def _landed(self) -> Files:
        """Everything that is recorded in the landing, if it is a folder of this machine."""
        store = self._landing.store
        if not store.is_local:
            self._write(f"landing: left out, it is at {store.address('')}")
            return {}
        landing = landing_of(self._settings, is_read_only=True)
        files: Files = {}
        for source in landing.sources():
            # Their index may be older than the damage.
            for fault in filter(None, landing.verify_records(source)):
                raise fault
            for name, sha256 in landing.recorded_files(source):
                files[f"{LANDING}/{name}"] = self._folder.add(Path(store.path(name)), sha256)
        return files

    def _quarantine(self) -> Files:
        return self._add_all(_files_under(self._settings.quarantine_dir, QUARANTINE))

    def _calls(self) -> Files:
        """How many calls were sent to each publisher today: a restored home keeps to its quota."""
        return self._add_all(
            {
                name: path
                for name, path in _files_under(self._settings.intake_dir, INTAKE).items()
                if is_counter(path)
            }
        )

    def _dagster(self) -> Files:
        """Dagster's settings, logs and databases, each database as of one moment."""
        home = self._settings.dagster_home
        if _is_stored_elsewhere(home):
            self._write(
                "dagster: its runs and schedules are in another database, which you back up with "
                "that database's own tool (PostgreSQL: pg_dump)"
            )
        paths = _files_under(home, DAGSTER)
        databases = {name: path for name, path in paths.items() if path.suffix == _DATABASE}
        others = {
            name: path
            for name, path in paths.items()
            if name not in databases and not name.endswith(_DATABASE_LOGS)
        }
        files = {name: self._add_database(name, path) for name, path in databases.items()}
        return {**files, **self._add_all(others)}

    def _add_database(self, name: str, path: Path) -> BackedUpFile:
        """Add a database of SQLite as it is now, by its own online backup."""
        log = path.with_name(f"{path.name}-wal")
        modified_ns = path.stat().st_mtime_ns
        known = self._known(name, modified_ns)  # its copy may have another size
        if known and not (log.exists() and log.stat().st_size):
            return known
        with self._folder.temporary() as copy:
            try:
                with (
                    contextlib.closing(
                        sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
                    ) as read,
                    contextlib.closing(sqlite3.connect(copy)) as written,
                ):
                    read.backup(written)
            except sqlite3.OperationalError:
                path.stat()  # FileNotFoundError if it was removed meanwhile
                raise
            return self._folder.take(copy, sha256_of_file(copy), modified_ns)

    def _add_all(self, paths: Mapping[str, Path]) -> Files:
        return {
            name: self._unchanged(name, path) or self._folder.add(path)
            for name, path in paths.items()
        }

    def _unchanged(self, name: str, path: Path) -> BackedUpFile | None:
        """The file in the last backup, if size and time say that it is the same."""
        status = path.stat()
        known = self._known(name, status.st_mtime_ns)
        return known if known and known.bytes == status.st_size else None

    def _known(self, name: str, modified_ns: int) -> BackedUpFile | None:
        """The file in the last backup, if it has this time and its content is there."""
        known = self._before.get(name)
        is_same = known and known.modified_ns == modified_ns and self._folder.has(known.sha256)
        return known if is_same else None

    def _compare_with(self, last: BackupRecord | None, files: Files) -> None:
        """Say which landed snapshots of the last backup are gone.

        Raises ConfigurationError if all are: the folder has the backups of another home.
        """
        before, now = _snapshots_in(last.files if last else {}), _snapshots_in(files)
        if before and now and before.isdisjoint(now):
            raise ConfigurationError(
                f"{self._folder.folder} has the backups of another warehouse.",
                hint="Choose another folder.",
            )
        if gone := before - now:
            self._write(
                f"landing: {counted(len(gone), 'snapshot')} of the last backup gone: "
                f"{listed(sorted(gone))}"
            )


def restore(
    settings: Settings, folder: Path, name: str, write: Write, *, is_check: bool = False
) -> None:
    """Restore a backup, the last one without a name, into an empty home, and rebuild the lake.

    Every file is compared with its hash before the first is copied; `is_check` ends after that.
    Raises ConfigurationError if the home is not empty or the backup is not there, and DamagedError
    that names the damaged files.
    """
    backups = BackupFolder(folder.expanduser().absolute())
    chosen = backups.named(name)
    with backups.locked_to_read():
        record = backups.read(chosen)
        if not is_check:
            _require_empty(settings, record)
        _require_whole(backups, chosen, record)
        write(
            f"Backup {chosen}: {counted(len(record.files), 'file')}, "
            f"{amount_of_bytes(record.bytes)}, all as they were backed up by Kido "
            f"{record.code_version}"
        )
        if is_check:
            return
        _restore_files(settings, backups, record)
    if not _is_stored_elsewhere(settings.dagster_home):
        _end_runs(settings, record, write)
    _rebuild_lake(settings, write)
    (settings.home / STAGING).rmdir()
    write(f"{settings.home} is restored. Then: kido build.")


def _require_whole(backups: BackupFolder, chosen: str, record: BackupRecord) -> None:
    """Raise DamagedError that names the files of a backup that are not as they were copied."""
    damaged = backups.damaged(record)
    if damaged:
        path = backups.path_of(record.files[damaged[0]].sha256)
        raise DamagedError(
            f"Backup {chosen} is damaged: {listed(damaged)}.",
            hint=f"The first one is {path}: remove it, then kido backup copies it from the home "
            "again. Or restore an earlier one: kido restore DIR --backup NAME.",
        )


def _restore_files(settings: Settings, backups: BackupFolder, record: BackupRecord) -> None:
    """Copy all files beside their places, then move them there, the published file last.

    The home's folder STAGING stays: it says that the restore is not complete.
    """
    roots = {settings.home: settings.home}
    if not record.landing:
        landing = _landing_folder(settings)
        roots[landing] = landing if not landing.is_relative_to(settings.home) else settings.home
    require_room(roots, record.bytes, "the backup")
    for root in roots.values():
        shutil.rmtree(root / STAGING, ignore_errors=True)
    (settings.home / STAGING).mkdir(parents=True)
    places: dict[Path, Path] = {}
    for name, file in record.files.items():
        room, _, inside = name.partition("/")
        if room == LANDING:
            root = roots[landing]
            target = landing / inside
        else:
            root = settings.home
            target = settings.home / name
        relative = target.relative_to(root)
        backups.restore(file, root / STAGING / relative)
        places[root / STAGING / relative.parts[0]] = root / relative.parts[0]
    for staged, place in sorted(places.items(), key=lambda move: move[1].name == PUBLISHED):
        staged.replace(place)
    for root in roots.values():
        if root != settings.home:
            shutil.rmtree(root / STAGING, ignore_errors=True)


def _end_runs(settings: Settings, record: BackupRecord, write: Write) -> None:
    """Mark the runs that were in progress as failed: none of them can go on."""
    from dagster_project.orchestration.killed_runs import end_all_runs

    if not settings.dagster_home.exists():
        return
    with open_instance(settings) as instance:
        ended = end_all_runs(
            instance,
            f"The run was in progress when the backup of {record.made_at:%Y-%m-%d %H:%M} UTC was "
            "made.",
        )
    if ended:
        write(f"dagster: {counted(len(ended), 'run')} in progress marked as failed")


def _rebuild_lake(settings: Settings, write: Write) -> None:
    """Parse the landed documents again: what is landed next is compared with their figures."""
    rows = 0
    rejected: dict[str, str] = {}
    for name, source in all_sources().items():
        with source_lock(settings, name, write):
            report = conform(settings, source)
        rows += sum(report.rows.values())
        rejected |= report.rejected
    write(f"lake: {counted(rows, 'row')} from the landed documents")
    for reason in rejected.values():
        write(f"A document can no longer be used and is quarantined: {reason}")


def _require_empty(settings: Settings, record: BackupRecord) -> None:
    """Raise ConfigurationError if the home has anything, or the landing is not the one recorded."""
    store = Store(settings.landing_url)
    if record.landing and (store.is_local or store.address("") != record.landing):
        raise ConfigurationError(
            f"This backup has no landing: it is at {record.landing}.",
            hint="Set KIDO_LANDING_URL to it.",
        )
    if not (record.landing or store.is_local):
        raise ConfigurationError(
            f"KIDO_LANDING_URL: a landing is not restored to {store.address('')}.",
            hint="Restore it into a folder, then copy it there.",
        )
    folders = [settings.home] if record.landing else [settings.home, _landing_folder(settings)]
    for folder in folders:
        content = {path.name for path in folder.iterdir()} if folder.exists() else set()
        if content - NOT_CONTENT and (settings.home / STAGING).exists():
            raise ConfigurationError(
                f"{folder} is restored in part: the restore was killed.",
                hint=f"Remove {listed(sorted(content))} in it, then restore again.",
            )
        if content - NOT_CONTENT:
            raise ConfigurationError(
                f"{folder} is not empty (it has {listed(sorted(content - NOT_CONTENT))}).",
                hint="Set KIDO_HOME to an empty folder.",
            )


def _landing_folder(settings: Settings) -> Path:
    return Path(Store(settings.landing_url).path("").rstrip("/"))


def _files_under(root: Path, room: str) -> dict[str, Path]:
    """The files under a folder by their names in a backup, without hidden files and folders."""
    return {
        f"{room}/{path.relative_to(root).as_posix()}": path
        for path in sorted(_visible(root))
        if path.is_file()
    }


def _visible(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.name.startswith("."):
            continue
        if path.is_dir():
            yield from _visible(path)
        else:
            yield path


def _snapshots_in(files: Mapping[str, BackedUpFile]) -> set[str]:
    """The snapshots of a backup, landed or withdrawn."""
    parts = [name.split("/") for name in files if name.startswith(f"{LANDING}/")]
    landed = {words[2] for words in parts if words[-1] == "origin.json"}
    withdrawn = {words[3].removesuffix(".json") for words in parts if words[1] == "withdrawn"}
    return landed | withdrawn


def _is_stored_elsewhere(dagster_home: Path) -> bool:
    """Whether dagster.yaml says that runs and schedules are not stored in this folder."""
    configuration = dagster_home / "dagster.yaml"
    if not configuration.exists():
        return False
    content = yaml.safe_load(configuration.read_text("utf8")) or {}
    return any(key in content for key in _STORAGE_KEYS)
