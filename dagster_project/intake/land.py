"""Lands files: bundled ones, and those given to `kido land`."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time
from functools import cached_property
from pathlib import Path
from typing import cast

import polars as pl

from dagster_project.errors import (
    ConfigurationError,
    ContradictionError,
    counted,
    indented,
    shortened,
)
from dagster_project.intake import batch as batches
from dagster_project.intake.alone import alone
from dagster_project.intake.conform import Conformed, conform, stage
from dagster_project.intake.hold import held_against_known, held_in_part, require_plausible
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
    new_snapshot_id,
    sha256_of,
    sha256_of_file,
)
from dagster_project.lake.schemas import LAKE_TABLES
from dagster_project.lake.scope import commodities_of
from dagster_project.lake.space import require_room_to_land
from dagster_project.lake.spool import Spooled
from dagster_project.lake.tables import Lake
from dagster_project.lake.vocabulary import met_words
from dagster_project.quality.revisions import Revision
from dagster_project.quality.suites import LAKE_SUITES
from dagster_project.settings import BUNDLED, Settings
from dagster_project.sources.card import Document, Source


@dataclass(frozen=True)
class Landed:
    """The result of landing bundled files: new snapshots, and the number of unchanged documents."""

    new: tuple[Snapshot, ...] = ()
    unchanged: int = 0


@dataclass(frozen=True)
class Taken:
    """The outcome of landed files that together are one snapshot.

    `reasons` gives for each table why its first row was quarantined.
    """

    documents: tuple[str, ...]
    rows: dict[str, int]
    quarantined: dict[str, int]
    is_new: bool
    reasons: tuple[str, ...]
    quarantine: Path
    revisions: tuple[Revision, ...] = ()
    """The effect on the figures that count, by table."""
    stands_in_for: str = ""
    """The bundled list that a landed one replaces."""
    mended: tuple[str, ...] = ()
    """The corrections that no longer match, each in a sentence."""
    warnings: tuple[str, ...] = ()
    """The checks that failed and do not block, each in a sentence with the first rows."""


@dataclass(frozen=True)
class Brought:
    """The outcome of all files of one command, and of the other landed snapshots of the source."""

    taken: tuple[Taken, ...]
    others: Conformed = field(default_factory=Conformed)


def land_bundled(settings: Settings, source: Source) -> Landed:
    """Land the bundled files of a source, and record its documents that are no longer bundled."""
    landing = landing_of(settings)
    outcomes = []
    for file in bundled_files(source):
        path = BUNDLED / source.CARD.name / file.file
        outcomes.append(
            landing.add(
                path.read_bytes(),
                source=source.CARD.name,
                document=file.file,
                origin=Origin(**file.model_dump(exclude={"file", "retrieved"})),
                request=f"bundled {file.file}",
                media_type=media_type(file.file),
                retrieved_at=datetime.combine(file.retrieved, time()),
                is_bundled=True,
            )
        )
    landing.leave_bundle(source.CARD.name, source.CARD.bundled)
    return Landed(
        new=tuple(snapshot for snapshot, is_new in outcomes if is_new),
        unchanged=sum(not is_new for _, is_new in outcomes),
    )


def land_files(
    settings: Settings,
    source: Source,
    paths: Sequence[Path],
    retrieved: date | None = None,
    *,
    replace_all: bool = False,
    write: Callable[[str], None] = print,
) -> Brought:
    """Land downloaded files: parsed and checked first, kept only if all of them pass.

    Files that hold parts of the same slices (China in one, the Philippines in the other) become
    one snapshot, since a slice is replaced as a whole; files that contradict each other stay
    separate, and the one named later counts. A file that would shrink or shift known figures is
    accepted only with `replace_all`. They are compared, kept and typed while holding the source;
    `write` gets a line if another process has to be waited for. Raises KidoError with one sentence;
    then nothing was written.
    """
    with commodities_of(settings.scope):
        return _land_files(settings, source, paths, retrieved, replace_all=replace_all, write=write)


def brought_in_words(brought: Brought) -> Iterator[str]:
    """What became of landed files, line by line."""
    for taken in brought.taken:
        rows = ", ".join(
            f"{counted(count, 'row')} of {table}" for table, count in taken.rows.items()
        )
        quarantined = sum(taken.quarantined.values())
        news = "taken" if taken.is_new else "nothing new"
        together = " together" if len(taken.documents) > 1 else ""
        instead = (
            f" It stands in for the bundled {taken.stands_in_for}." if taken.stands_in_for else ""
        )
        yield f"{' + '.join(taken.documents)}: {news}{together}, {rows}.{instead}"
        for revision in taken.revisions:
            for line in revision.lines():
                yield from indented(line, by=2)
        for sentence in taken.warnings:
            yield from indented(f"Warning: {sentence}", by=2)
        for sentence in taken.mended:
            yield from indented(f"{sentence}.", by=2)
        if quarantined:
            yield (
                f"  {quarantined} {'row is' if quarantined == 1 else 'rows are'} quarantined in "
                f"{taken.quarantine}: {'; '.join(taken.reasons)}."
            )


def _land_files(
    settings: Settings,
    source: Source,
    paths: Sequence[Path],
    retrieved: date | None,
    *,
    replace_all: bool,
    write: Callable[[str], None],
) -> Brought:
    now = datetime.now(UTC).replace(tzinfo=None)
    if retrieved and retrieved > now.date():
        raise ConfigurationError(f"--retrieved {retrieved} is after today.")
    retrieved_at = datetime.combine(retrieved, time()) if retrieved else now
    require_room_to_land(
        settings.folders, sum(path.stat().st_size for path in paths if path.is_file()), "landing"
    )
    with batches.spool_folder(settings.spool_dir) as folder:
        groups = _grouped(source, paths, retrieved_at, folder)
        return _landed(
            settings, source, groups, retrieved, retrieved_at, replace_all=replace_all, write=write
        )


def _grouped(
    source: Source, paths: Sequence[Path], retrieved_at: datetime, folder: Path
) -> list[_Group]:
    """The files, parsed and checked, grouped by snapshot."""
    once = _ParsedOnce(source)
    with met_words() as met:
        files = [_read(once, path, retrieved_at) for path in paths]
        summed = getattr(source, "SUMMED", pl.lit(False))
        checked = [
            group
            for files_of_one in _groups(files, summed)
            for group in _checked(once, files_of_one, folder)
        ]
    # Each file is parsed once, so the list entries used are recorded for all files together.
    words = met.record()
    return [replace(group, batch=replace(group.batch, words=words)) for group in checked]


def _landed(
    settings: Settings,
    source: Source,
    groups: Sequence[_Group],
    retrieved: date | None,
    retrieved_at: datetime,
    *,
    replace_all: bool,
    write: Callable[[str], None],
) -> Brought:
    with alone(settings, source.CARD.name, write):
        landing = landing_of(settings)
        complete(landing, lake_of(settings), source.CARD.name)
        found = [_known(landing, source, group, retrieved) for group in groups]
        revisions = _revisions(settings, landing, source, groups, found, replace_all=replace_all)
        snapshots = _keep(settings, landing, source, groups, found, retrieved_at)
        conformed = conform(settings, source)
    taken = [
        _taken(settings, source, group, snapshot, revision, is_new=is_new)
        for group, (snapshot, is_new), revision in zip(groups, snapshots, revisions, strict=True)
    ]
    return Brought(tuple(taken), conformed)


class _ParsedOnce:
    """A source that parses each file of a command once: to group them, and to check each group."""

    def __init__(self, source: Source) -> None:
        self.CARD = source.CARD
        self.original = source
        if hasattr(source, "parse_together"):
            self.parse_together = source.parse_together
        self._frames: dict[tuple[Document, bytes], Mapping[str, pl.DataFrame]] = {}

    def parse(self, payload: bytes, document: Document) -> Mapping[str, pl.DataFrame]:
        key = (document, payload)
        if key not in self._frames:
            self._frames[key] = self.original.parse(payload, document)
        return self._frames[key]


@dataclass(frozen=True)
class _File:
    """A file to land; a large one has a path and no frames: it is landed by itself."""

    name: str
    payload: bytes | Path
    document: Document
    frames: Mapping[str, pl.DataFrame]

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
class _Group:
    """Files that together are one snapshot."""

    files: tuple[_File, ...]
    batch: batches.Batch
    snapshot_id: str
    """The id of their snapshot, if they are not landed already."""

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


def _read(source: _ParsedOnce, path: Path, retrieved_at: datetime) -> _File:
    document = Document(name=path.name, retrieved_at=retrieved_at, is_bundled=False)
    try:
        if batches.is_large(source.original, path.stat().st_size):
            return _File(path.name, path, document, {})
        payload = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}.") from None
    frames = {
        table: LAKE_TABLES[table].conform(
            frame.with_columns(
                source=pl.lit(source.CARD.name), document=pl.lit(path.name), snapshot_id=pl.lit("")
            )
        )
        for table, frame in batches.parsed_part(cast(Source, source), payload, document).items()
    }
    return _File(path.name, payload, document, frames)


def _groups(files: Sequence[_File], summed: pl.Expr) -> list[list[_File]]:
    """Groups of files; each file shares slices with another of its group, and contradicts none.

    A file that fits two groups which contradict each other joins the one named later.
    """
    groups: list[list[_File]] = []
    for file in files:
        joined: list[_File] = []
        rest: list[list[_File]] = []
        for group in reversed(groups):
            fits = any(_share_slices(file, other) for other in group) and not any(
                _contradict(one, other, summed) for one in (file, *joined) for other in group
            )
            if fits:
                joined = [*group, *joined]
            else:
                rest.insert(0, group)
        groups = [*rest, [*joined, file]]
    return groups


def _share_slices(one: _File, other: _File) -> bool:
    """Whether a slice is in both, and one of them has rows of it that the other lacks."""
    for table, mine, theirs in _common(one, other):
        declared = LAKE_TABLES[table]
        for left, right in ((mine, theirs), (theirs, mine)):
            shared = left.join(right, on=declared.vintage_slice, how="semi", nulls_equal=True)
            if shared.join(right, on=declared.key, how="anti", nulls_equal=True).height:
                return True
    return False


def _contradict(one: _File, other: _File, summed: pl.Expr) -> bool:
    """Whether both have a row of the same key, not a sum, with different content."""
    for table, mine, theirs in _common(one, other):
        key = LAKE_TABLES[table].key
        shared = mine.join(theirs, on=key, how="semi", nulls_equal=True)
        if set(summed.meta.root_names()) <= set(shared.columns):
            shared = shared.filter(~summed.fill_null(False))
        content = [name for name in mine.columns if name not in ("document", "vintage_at")]
        if shared.height != shared.join(theirs, on=content, how="semi", nulls_equal=True).height:
            return True
    return False


def _common(one: _File, other: _File) -> list[tuple[str, pl.DataFrame, pl.DataFrame]]:
    return [
        (table, frame, other.frames[table])
        for table, frame in one.frames.items()
        if table in other.frames
    ]


def _checked(source: _ParsedOnce, files: Sequence[_File], folder: Path) -> list[_Group]:
    """The files as one snapshot; where they contradict each other, as one each."""
    (file, *_) = files
    if isinstance(file.payload, Path):
        snapshot_id = new_snapshot_id(source.CARD.name)
        batch = batches.read_large(
            source.original, file.payload, file.document, snapshot_id, folder
        )
        return [_Group((file,), batch, snapshot_id)]
    try:
        return [_checked_together(source, files)]
    except ContradictionError:
        return [_checked_together(source, [file]) for file in files]


def _checked_together(source: _ParsedOnce, files: Sequence[_File]) -> _Group:
    """The files checked with the suites as one batch: a rule may need rows of several of them.

    They are sorted by name, so that the order of arguments does not matter.
    """
    ordered = sorted(files, key=lambda file: (file.name, file.part.sha256))
    parts = [(file.payload, file.document) for file in ordered if isinstance(file.payload, bytes)]
    batch = batches.read(cast(Source, source), parts)
    return _Group(tuple(ordered), batch, new_snapshot_id(source.CARD.name))


def _known(
    landing: Landing, source: Source, group: _Group, retrieved: date | None
) -> Snapshot | None:
    """The snapshot that holds these bytes already.

    Raises ConfigurationError for another day, and for bytes that were withdrawn.
    """
    known = landing.equal_to(
        sha256_of(group.parts),
        source=source.CARD.name,
        document=group.document,
    )
    if known and retrieved and known.retrieved_at.date() != retrieved:
        raise ConfigurationError(
            f"{group.document} is landed already, as retrieved on {known.retrieved_at:%Y-%m-%d}; "
            "the day of a vintage is not changed afterwards.",
            hint=f"To land it with another day, remove the folder {known.snapshot_id} of the "
            "landing first.",
        )
    if known is None:
        refuse_withdrawn(landing, source.CARD.name, group.document, sha256_of(group.parts))
    return known


def _revisions(
    settings: Settings,
    landing: Landing,
    source: Source,
    groups: Sequence[_Group],
    known: Sequence[Snapshot | None],
    *,
    replace_all: bool,
) -> list[tuple[Revision, ...]]:
    """The effect of each of the files on the figures that count. Raises ImplausibleError."""
    lake, name = lake_of(settings), source.CARD.name
    revisions: list[tuple[Revision, ...]] = []
    beside: list[Mapping[str, pl.DataFrame]] = []
    for group, snapshot in zip(groups, known, strict=True):
        if snapshot is not None:
            revisions.append(())
            continue
        rows = group.batch.rows_of(group.snapshot_id)
        frames, found = held_in_part(landing, lake, source, rows)
        is_part = any(isinstance(of_table, Spooled) for of_table in rows.values())
        others = {one.table: one for one in found}
        found = [
            one.with_others(others.pop(one.table)) if one.table in others else one
            for one in held_against_known(landing, lake, source, frames, beside, is_part=is_part)
        ] + list(others.values())
        if not replace_all:
            require_plausible(
                f"{name}: {group.document}", found, "If it is right, land it with --replace."
            )
        revisions.append(tuple(found))
        beside.append(frames)
    return revisions


def _keep(
    settings: Settings,
    landing: Landing,
    source: Source,
    groups: Sequence[_Group],
    known: Sequence[Snapshot | None],
    retrieved_at: datetime,
) -> list[tuple[Snapshot, bool]]:
    """The snapshot of each group, and whether it is new. The new ones count together.

    On an error, mostly a full disk, all written files are removed: they would fill the disk.
    """
    name, lake = source.CARD.name, lake_of(settings)
    fresh = [one or group.snapshot_id for one, group in zip(known, groups, strict=True)]
    ids = [one for one in fresh if isinstance(one, str)]
    try:
        with landing.together(name, ids):
            return [
                (one, False)
                if isinstance(one, Snapshot)
                else _kept(settings, landing, lake, source, group, one, retrieved_at)
                for group, one in zip(groups, fresh, strict=True)
            ]
    except BaseException:
        for snapshot_id in ids:
            lake.remove(name, snapshot_id)
            shutil.rmtree(_quarantine(settings, name, snapshot_id), ignore_errors=True)
        raise


def _kept(
    settings: Settings,
    landing: Landing,
    lake: Lake,
    source: Source,
    group: _Group,
    snapshot_id: str,
    retrieved_at: datetime,
) -> tuple[Snapshot, bool]:
    name = source.CARD.name
    # For a file that was named twice, this landing already has the first one.
    known = _known(landing, source, group, retrieved_at.date())
    if known is not None:
        return known, False
    snapshot = landing.describe(
        snapshot_id,
        name,
        group.document,
        group.parts,
        origin_of_card(source),
        retrieved_at=retrieved_at,
    )
    for part, file in zip(group.parts, group.files, strict=True):
        stored_as = f"{name}/{snapshot_id}/{part.file}"
        if isinstance(file.payload, Path):
            landing.store.copy_in(file.payload, stored_as)
        else:
            landing.store.write(stored_as, file.payload)
    stage(settings, lake, source, snapshot, group.batch)
    landing.record(snapshot)
    return snapshot, True


def _taken(
    settings: Settings,
    source: Source,
    group: _Group,
    snapshot: Snapshot,
    revisions: tuple[Revision, ...],
    *,
    is_new: bool,
) -> Taken:
    card, tables = source.CARD, group.batch.tables
    return Taken(
        documents=tuple(file.name for file in group.files),
        rows={table: batch.rows for table, batch in tables.items()},
        quarantined={table: batch.quarantined.height for table, batch in tables.items()},
        is_new=is_new,
        reasons=tuple(
            _first_reason(table, batch.quarantined)
            for table, batch in tables.items()
            if batch.quarantined.height
        ),
        quarantine=_quarantine(settings, card.name, snapshot.snapshot_id),
        revisions=revisions,
        mended=tuple(_mended(group.batch.corrections)),
        warnings=tuple(
            warning for table, batch in tables.items() for warning in _warnings(table, batch)
        ),
        stands_in_for=next(
            (
                file.name
                for file in group.files
                if card.cadence == "edited by hand" and file.name in card.bundled
            ),
            "",
        ),
    )


def _warnings(table: str, batch: batches.TableBatch) -> Iterator[str]:
    reported = {rule.name for rule in LAKE_SUITES[table].rules if rule.on_failure == "report"}
    for check in batch.checks:
        if check.status == "failed" and check.check_name in reported:
            name = check.check_name.replace("_", " ")
            yield f"{name} does not hold: {check.observed}. {check.explanation}"


def _mended(corrections: pl.DataFrame) -> Iterator[str]:
    for row in corrections.filter(status="no_longer_matches").iter_rows(named=True):
        found = "no figure" if row["found_value"] is None else row["found_value"]
        yield (
            f"the correction {row['correction_id']} no longer matches: there is {found} where "
            f"{row['wrong_value']} was wrong; it is left as it is"
        )


def _quarantine(settings: Settings, source: str, snapshot_id: str) -> Path:
    return settings.quarantine_dir / source / snapshot_id


def _first_reason(table: str, quarantined: pl.DataFrame) -> str:
    row = quarantined.row(0, named=True)
    rule = row["rule"].replace("_", " ")
    return f"{table} row {row['row_number']} fails {rule} ({shortened(str(row['value']))})"
