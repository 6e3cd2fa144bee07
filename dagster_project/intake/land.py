"""Lands files: bundled ones, and those of a `kido land` command, which become one snapshot.

What a reader sees of the outcome is made in `landing_report`.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import cached_property
from pathlib import Path

from dagster_project.errors import ConfigurationError, ContradictionError, shortened
from dagster_project.intake import batch as batches
from dagster_project.intake.compare import compare_rows, require_plausible
from dagster_project.intake.conform import conform, repair, stage
from dagster_project.intake.future import future_snapshots, remedy
from dagster_project.intake.landing_report import LandingReport, report_of
from dagster_project.intake.source_lock import source_lock
from dagster_project.intake.stores import (
    bundled_files,
    lake_of,
    landing_of,
    media_type,
    origin_of_card,
)
from dagster_project.intake.withdraw import complete, refuse_withdrawn
from dagster_project.lake.landing import (
    Landing,
    Origin,
    Part,
    Snapshot,
    file_name,
    sha256_of,
    sha256_of_file,
)
from dagster_project.lake.scope import CommodityScope
from dagster_project.lake.space import require_room_to_land
from dagster_project.lake.tables import Lake
from dagster_project.quality.revisions import Revision
from dagster_project.settings import BUNDLED, Settings
from dagster_project.sources.card import Document, Source, excerpt_of

ONE_SNAPSHOT = "The files of one command become one snapshot"


@dataclass(frozen=True)
class BundledReport:
    """The result of landing bundled files: new snapshots, and the number of unchanged documents."""

    new: tuple[Snapshot, ...] = ()
    unchanged: int = 0


def land_bundled(settings: Settings, source: Source) -> BundledReport:
    """Land the bundled files of a source, and record its documents that are no longer bundled."""
    landing, name = landing_of(settings), source.CARD.name
    new, unchanged = [], 0
    for file in bundled_files(source):
        snapshot, is_new = landing.add(
            (BUNDLED / name / file.file).read_bytes(),
            source=name,
            document=file.file,
            origin=Origin(**file.model_dump(exclude={"file", "retrieved"})),
            request=f"bundled {file.file}",
            media_type=media_type(file.file),
            retrieved_at=datetime.combine(file.retrieved, time()),
            is_bundled=True,
        )
        if is_new:
            new.append(snapshot)
        else:
            unchanged += 1
    landing.mark_unbundled(name, source.CARD.bundled)
    return BundledReport(tuple(new), unchanged)


def land_files(
    settings: Settings,
    source: Source,
    paths: Sequence[Path],
    retrieved: date | None = None,
    *,
    replace_all: bool = False,
    write: Callable[[str], None] = print,
) -> LandingReport:
    """Land downloaded files as one snapshot: parsed and checked first, stored only if all pass.

    `retrieved` is the day on which they were downloaded, today if not given. Files with different
    values for the same figure are rejected, and so is a file that would shrink or shift known
    figures, unless `replace_all`. The source is locked while they are compared, stored and
    conformed; `write` gets a line if another process has to be waited for. Raises KidoError; then
    nothing was written.
    """
    now = datetime.now(UTC).replace(tzinfo=None)
    if retrieved and retrieved > now.date():
        raise ConfigurationError(f"--retrieved {retrieved} is after today.")
    retrieved_at = datetime.combine(retrieved, time()) if retrieved else now
    require_room_to_land(
        settings.folders, sum(path.stat().st_size for path in paths if path.is_file()), "landing"
    )
    repair(settings, source)
    name, lake, landing = source.CARD.name, lake_of(settings), landing_of(settings)
    with batches.spool_folder(settings.spool_dir) as folder:
        files = _files(source, paths, retrieved_at)
        command = _check(source, files, landing.new_snapshot_id(name), folder, settings.scope)
        with source_lock(settings, name, write):
            complete(landing, lake, name)
            snapshot = _landed_before(landing, name, command, retrieved, now)
            revisions: list[Revision] = []
            is_new = snapshot is None
            if snapshot is None:
                revisions = _revisions(landing, lake, source, command, replace_all=replace_all)
                snapshot = _store(settings, landing, lake, source, command, retrieved_at)
            others = conform(settings, source)
    for sentence in future_snapshots(settings, [name], now):
        write(sentence)
    documents = [file.name for file in command.files]
    quarantine = _quarantine(settings, snapshot)
    return report_of(
        source.CARD, documents, command.batch, quarantine, revisions, others, is_new=is_new
    )


def land_document(
    settings: Settings,
    source: Source,
    name: str,
    payload: bytes,
    *,
    replace_all: bool = False,
    write: Callable[[str], None] = print,
) -> LandingReport:
    """Land bytes as the document of that name, as `land_files` lands a file of it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(payload)
        return land_files(settings, source, [path], replace_all=replace_all, write=write)


@dataclass(frozen=True)
class _File:
    """A file to land. The payload of a large one is its path."""

    payload: bytes | Path
    document: Document

    @property
    def name(self) -> str:
        return self.document.name

    @cached_property
    def part(self) -> Part:
        if isinstance(self.payload, Path):
            sha256, size = sha256_of_file(self.payload), self.payload.stat().st_size
        else:
            sha256, size = hashlib.sha256(self.payload).hexdigest(), len(self.payload)
        return Part(
            file=file_name(self.name),
            sha256=sha256,
            bytes=size,
            media_type=media_type(self.name),
            request=f"file {self.name}",
            retrieved_at=self.document.retrieved_at,
            document=self.name,
        )


@dataclass(frozen=True)
class _Command:
    """The checked files of a command, and the id of the snapshot that they become if landed."""

    files: Sequence[_File]
    batch: batches.Batch
    snapshot_id: str

    @property
    def document(self) -> str:
        return " + ".join(file.name for file in self.files)

    @cached_property
    def parts(self) -> list[Part]:
        """A part per file; several are numbered, since two may have the same name."""
        if len(self.files) == 1:
            return [self.files[0].part]
        return [
            file.part.model_copy(update={"file": f"{number:02}-{file.part.file}"})
            for number, file in enumerate(self.files, start=1)
        ]


def _files(source: Source, paths: Sequence[Path], retrieved_at: datetime) -> list[_File]:
    """The files sorted by name, whatever the order of arguments; equal bytes once.

    Of a source with an `excerpt` they have only what it keeps; raises what it does then, and
    ConfigurationError for a file that cannot be read, or a large one among others.
    """
    files: list[_File] = []
    excerpt = excerpt_of(source)
    for path in paths:
        document = Document(name=path.name, retrieved_at=retrieved_at, is_bundled=False)
        try:
            if excerpt is not None:
                files.append(_File(excerpt(path.read_bytes()), document))
                continue
            is_large = batches.is_large(source, path.stat().st_size)
            if is_large and len(set(paths)) > 1:
                raise ConfigurationError(
                    f"{path.name} is too large to be landed together with other files.",
                    hint=f"{ONE_SNAPSHOT}: land it with a command of its own.",
                )
            files.append(_File(path if is_large else path.read_bytes(), document))
        except OSError as error:
            raise ConfigurationError(f"{path} cannot be read: {error.strerror}.") from None
    files.sort(key=lambda file: (file.name, file.part.sha256))
    return list({file.part.sha256: file for file in reversed(files)}.values())[::-1]


def _check(
    source: Source,
    files: Sequence[_File],
    snapshot_id: str,
    folder: Path,
    scope: CommodityScope,
) -> _Command:
    """Check the files as one batch: a rule may need rows of several of them."""
    parts = [(file.payload, file.document) for file in files]
    try:
        batch = batches.read_parts(source, parts, snapshot_id, folder, scope)
        return _Command(files, batch, snapshot_id)
    except ContradictionError as error:
        hint = f"{ONE_SNAPSHOT}: land these one after the other, the newest last."
        raise ContradictionError(error.message, hint=hint) from error


def _landed_before(
    landing: Landing, source: str, command: _Command, retrieved: date | None, now: datetime
) -> Snapshot | None:
    """The snapshot with these bytes, if they are landed already.

    Raises ConfigurationError if they were retrieved on another day than `retrieved`, or after
    `now`, and if they, or those of one of the files, were withdrawn.
    """
    files = [(file.name, file.part.sha256) for file in command.files]
    known = None
    for document, sha256 in (*files, (command.document, sha256_of(command.parts))):
        known = landing.equal_to(sha256, source=source, document=document)
        if known is None:
            refuse_withdrawn(landing, source, document, sha256)
        elif known.is_from_the_future(now):
            raise ConfigurationError(
                f"{document} is landed already, as retrieved on {known.retrieved_at:%Y-%m-%d}, "
                "since a clock was ahead; no build reads it before that day.",
                hint=remedy([known]),
            )
        elif retrieved and known.retrieved_at.date() != retrieved:
            raise ConfigurationError(
                f"{document} is landed already, as retrieved on {known.retrieved_at:%Y-%m-%d}; "
                "the day of a vintage is not changed afterwards.",
                hint=f"To land it with another day, remove the folder {known.snapshot_id} of the "
                "landing first.",
            )
    return known


def _revisions(
    landing: Landing, lake: Lake, source: Source, command: _Command, *, replace_all: bool
) -> list[Revision]:
    """The effect of the files on the current figures, by table.

    Raises ImplausibleError where they would shrink or shift these, unless `replace_all`.
    """
    rows = command.batch.rows_of(command.snapshot_id)
    revisions = compare_rows(landing, lake, source, rows, scope=command.batch.scope)
    if not replace_all:
        title = f"{source.CARD.name}: {shortened(command.document)}"
        require_plausible(title, revisions, "If it is right, land it with --replace.")
    return revisions


def _store(
    settings: Settings,
    landing: Landing,
    lake: Lake,
    source: Source,
    command: _Command,
    retrieved_at: datetime,
) -> Snapshot:
    """Store the files as a new snapshot, which exists once its record is written, at the end.

    On an error, mostly a full disk, all written files are removed: they would fill the disk.
    """
    snapshot = landing.describe(
        command.snapshot_id,
        source.CARD.name,
        command.document,
        command.parts,
        origin_of_card(source),
        retrieved_at=retrieved_at,
    )
    try:
        for part, file in zip(command.parts, command.files, strict=True):
            stored_as = f"{snapshot.source}/{snapshot.snapshot_id}/{part.file}"
            if isinstance(file.payload, Path):
                landing.store.copy_in(file.payload, stored_as)
            else:
                landing.store.write(stored_as, file.payload)
        stage(settings, lake, source, snapshot, command.batch)
        landing.record(snapshot)
    except BaseException:
        landing.remove(snapshot)
        lake.remove(snapshot.source, snapshot.snapshot_id)
        shutil.rmtree(_quarantine(settings, snapshot), ignore_errors=True)
        raise
    return snapshot


def _quarantine(settings: Settings, snapshot: Snapshot) -> Path:
    return settings.quarantine_dir / snapshot.source / snapshot.snapshot_id
