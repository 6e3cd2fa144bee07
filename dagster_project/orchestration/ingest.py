"""The way of a document: landed, parsed, checked, typed into the lake. One way for every source.

Used by the assets and by `kido land`; knows no publisher and no orchestrator.
"""

from __future__ import annotations

import hashlib
import inspect
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import cast

import polars as pl
import yaml
from pydantic import BaseModel, ConfigDict

from dagster_project import http
from dagster_project.errors import (
    BatchRejectedError,
    ConfigurationError,
    FetchError,
    UpstreamFormatError,
)
from dagster_project.lake import schemas, vocabulary
from dagster_project.lake.landing import Landing, Origin, Snapshot
from dagster_project.lake.store import Store
from dagster_project.lake.tables import Lake, Record, TableRecord
from dagster_project.quality.lake_suites import LAKE_SUITES
from dagster_project.quality.quarantine import write_quarantine
from dagster_project.quality.results import CheckResult, from_json, to_json
from dagster_project.quality.rules import suite_version
from dagster_project.quality.runner import evaluate_batch
from dagster_project.settings import BUNDLED, Settings
from dagster_project.sources import formats
from dagster_project.sources.card import Document, Source


class BundledFile(Origin):
    """An entry of `bundled/<source>/origin.yaml`: a file and where its figures come from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str
    retrieved: date


class BundledFiles(BaseModel):
    """`origin.yaml` of a source's bundled files."""

    model_config = ConfigDict(extra="forbid")

    files: list[BundledFile]


@dataclass(frozen=True)
class Landed:
    """What one landing brought: new snapshots, documents unchanged, and why fetching failed."""

    new: tuple[Snapshot, ...] = ()
    unchanged: int = 0
    failure: str = ""


@dataclass
class Conformed:
    """What one source has in the lake, by table: rows, rows set aside, and the checks' word."""

    rows: dict[str, int] = field(default_factory=dict)
    set_aside: dict[str, int] = field(default_factory=dict)
    checks: dict[str, list[CheckResult]] = field(default_factory=dict)
    new_snapshots: int = 0
    rejected: str = ""
    reasons: list[str] = field(default_factory=list)
    """Why the first row of each table was set aside."""
    quarantine: Path | None = None
    is_instead: bool = False
    """Whether a landed list stands in for the bundled one of its name."""


def landing_of(settings: Settings) -> Landing:
    return Landing(Store(settings.landing_url))


def lake_of(settings: Settings) -> Lake:
    return Lake(Store(settings.lake_url))


def is_fetched(settings: Settings, source: Source) -> bool:
    """Whether a build asks the publisher."""
    card = source.CARD
    return settings.is_fetched(card.name, card.base_url, card.needs_key)


def land(settings: Settings, source: Source) -> Landed:
    """Land the bundled files of a source and, where it is switched on, what it publishes now.

    A publisher that does not answer is reported, not raised: the build goes on with what is
    landed. Raises UpstreamFormatError when it answers with something else than its format.
    """
    landing = landing_of(settings)
    outcomes = [_land_bundled(landing, source, file) for file in bundled_files(source)]
    failure = ""
    if is_fetched(settings, source):
        try:
            outcomes += _land_fetched(settings, landing, source)
        except FetchError as error:
            failure = str(error)
            if not landing.snapshots(source.CARD.name):
                raise
    return Landed(
        new=tuple(snapshot for snapshot, is_new in outcomes if is_new),
        unchanged=sum(not is_new for _, is_new in outcomes),
        failure=failure,
    )


def land_file(settings: Settings, source: Source, path: Path, retrieved: date | None) -> Conformed:
    """Take a file that someone downloaded: parsed and checked first, kept only if it passes.

    Returns what the file holds. Raises KidoError in one sentence; then nothing was written.
    """
    if retrieved and retrieved > datetime.now(UTC).date():
        raise ConfigurationError(f"--retrieved {retrieved} is after today.")
    try:
        payload = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}.") from None
    now = datetime.now(UTC).replace(tzinfo=None)
    retrieved_at = datetime.combine(retrieved, time()) if retrieved else now
    document = Document(name=path.name, retrieved_at=retrieved_at, is_bundled=False)
    batches = _checked(source, payload, document)
    landing = landing_of(settings)
    snapshot, is_new = landing.add(
        payload,
        source=source.CARD.name,
        document=path.name,
        origin=_origin_of_card(source),
        request=f"file {path.name}",
        media_type=_media_type(path.name),
        retrieved_at=retrieved_at,
    )
    if not is_new and retrieved and snapshot.retrieved_at.date() != retrieved:
        raise ConfigurationError(
            f"{path.name} is landed already, as retrieved on {snapshot.retrieved_at:%Y-%m-%d}; "
            "the day of a vintage is not changed afterwards.",
            hint=f"To land it with another day, remove the folder {snapshot.snapshot_id} of the "
            "landing first.",
        )
    conform(settings, source)
    return Conformed(
        rows={table: batch.accepted.height for table, batch in batches.items()},
        set_aside={table: batch.set_aside.height for table, batch in batches.items()},
        checks={table: batch.checks for table, batch in batches.items()},
        new_snapshots=int(is_new),
        reasons=[
            _first_reason(table, batch.set_aside)
            for table, batch in batches.items()
            if batch.set_aside.height
        ],
        quarantine=settings.quarantine_dir / source.CARD.name / snapshot.snapshot_id,
        is_instead=source.CARD.cadence == "edited by hand" and path.name in source.CARD.bundled,
    )


def _first_reason(table: str, set_aside: pl.DataFrame) -> str:
    row = set_aside.row(0, named=True)
    rule = row["rule"].replace("_", " ")
    return f"{table} row {row['row_number']}: not so that {rule} ({row['value']})"


def conform(settings: Settings, source: Source) -> Conformed:
    """Make the lake hold what is landed: every snapshot parsed, checked and typed, and no other.

    A snapshot that cannot be used is set aside whole, with the reason; the others stay. Its failing
    checks are in the outcome, which says so in `rejected`. Rows of a snapshot that is no longer in
    the landing go.
    """
    name = source.CARD.name
    landing, lake = landing_of(settings), lake_of(settings)
    records = lake.records(name)
    outcome = Conformed()
    gone = set(records)
    for snapshot in landing.snapshots(name):
        record = records.get(snapshot.snapshot_id)
        if record is None or not _is_current(source, record):
            document = Document(
                name=snapshot.document,
                retrieved_at=snapshot.retrieved_at,
                is_bundled=snapshot.is_bundled,
            )
            try:
                batches = _checked(source, landing.payload(snapshot), document)
            except (UpstreamFormatError, BatchRejectedError) as error:
                landing.set_aside(snapshot, settings.quarantine_dir, str(error))
                outcome.rejected = str(error)
                if isinstance(error, _RejectedWithChecksError):
                    for table, results in error.checks.items():
                        outcome.checks.setdefault(table, []).extend(results)
                continue
            record = _write(settings, lake, source, snapshot, batches)
            outcome.new_snapshots += 1
        gone.discard(snapshot.snapshot_id)
        for table, part in record.tables.items():
            outcome.rows[table] = outcome.rows.get(table, 0) + part.rows
            outcome.set_aside[table] = outcome.set_aside.get(table, 0) + part.set_aside
            outcome.checks.setdefault(table, []).extend(from_json(part.checks))
    for snapshot_id in sorted(gone):
        lake.remove(name, snapshot_id)
    return outcome


def recorded_checks(lake: Lake, source: str) -> list[CheckResult]:
    """What the checks said of every batch of a source that is in the lake."""
    return [
        check
        for record in lake.records(source).values()
        for part in record.tables.values()
        for check in from_json(part.checks)
    ]


def bundled_files(source: Source) -> list[BundledFile]:
    """The bundled files of a source with their origins, in the card's order."""
    if not source.CARD.bundled:
        return []
    folder = BUNDLED / source.CARD.name
    listed = BundledFiles.model_validate(yaml.safe_load((folder / "origin.yaml").read_text("utf8")))
    by_name = {entry.file: entry for entry in listed.files}
    return [by_name[file] for file in source.CARD.bundled]


def _land_bundled(landing: Landing, source: Source, file: BundledFile) -> tuple[Snapshot, bool]:
    path = BUNDLED / source.CARD.name / file.file
    return landing.add(
        path.read_bytes(),
        source=source.CARD.name,
        document=file.file,
        origin=Origin(**file.model_dump(exclude={"file", "retrieved"})),
        request=f"bundled {file.file}",
        media_type=_media_type(file.file),
        retrieved_at=datetime.combine(file.retrieved, time()),
        is_bundled=True,
    )


def _land_fetched(
    settings: Settings, landing: Landing, source: Source
) -> list[tuple[Snapshot, bool]]:
    own = settings.source(source.CARD.name)
    outcomes = []
    for request in source.plan():
        response = http.fetch(request, base_url=own.url or source.CARD.base_url or "", key=own.key)
        outcomes.append(
            landing.add(
                response.payload,
                source=source.CARD.name,
                document=request.document,
                origin=_origin_of_card(source),
                request=f"GET {response.url}",
                media_type=response.media_type,
                retrieved_at=response.retrieved_at.astimezone(UTC).replace(tzinfo=None),
                headers=response.headers,
            )
        )
    return outcomes


@dataclass(frozen=True)
class _Batch:
    accepted: pl.DataFrame
    set_aside: pl.DataFrame
    checks: list[CheckResult]


class _RejectedWithChecksError(BatchRejectedError):
    checks: Mapping[str, list[CheckResult]]


def _checked(source: Source, payload: bytes, document: Document) -> dict[str, _Batch]:
    """Parse a document and hold its tables against their suites.

    Raises UpstreamFormatError or BatchRejectedError; one bad table rejects the document.
    """
    name = source.CARD.name
    if not payload.strip():
        raise UpstreamFormatError(f"{name}: {document.name} is empty.")
    batches: dict[str, _Batch] = {}
    reasons: list[str] = []
    for table, parsed in _parsed(source, payload, document).items():
        # The snapshot's name is not known before the document is accepted; `_write` gives it.
        frame = schemas.LAKE_TABLES[table].conform(
            parsed.with_columns(
                source=pl.lit(name), document=pl.lit(document.name), snapshot_id=pl.lit("")
            )
        )
        verdict = evaluate_batch(frame, LAKE_SUITES[table])
        batches[table] = _Batch(verdict.accepted, verdict.set_aside, verdict.results)
        if verdict.is_rejected:
            reasons.append(verdict.reason)
    if reasons:
        error = _RejectedWithChecksError(f"{name}: {document.name}: {' '.join(reasons)}")
        error.checks = {table: batch.checks for table, batch in batches.items()}
        raise error
    return batches


def _parsed(source: Source, payload: bytes, document: Document) -> Mapping[str, pl.DataFrame]:
    """`source.parse`; what it refuses names the document."""
    try:
        return source.parse(payload, document)
    except UpstreamFormatError as error:
        if document.name in error.message:
            raise
        said = error.message.removeprefix(f"{source.CARD.name}: ")
        raise type(error)(
            f"{source.CARD.name}: {document.name}: {said}", hint=error.hint
        ) from error


def _write(
    settings: Settings,
    lake: Lake,
    source: Source,
    snapshot: Snapshot,
    batches: Mapping[str, _Batch],
) -> Record:
    name = source.CARD.name
    for table, batch in batches.items():
        write_quarantine(
            settings.quarantine_dir, snapshot.snapshot_id, name, table, batch.set_aside
        )
    record = Record(
        parser_version=parser_version(source),
        tables={
            table: TableRecord(
                rows=batch.accepted.height,
                set_aside=batch.set_aside.height,
                suite_version=suite_version(LAKE_SUITES[table]),
                checks=to_json(batch.checks),
            )
            for table, batch in batches.items()
        },
    )
    frames = {
        table: batch.accepted.with_columns(snapshot_id=pl.lit(snapshot.snapshot_id))
        for table, batch in batches.items()
    }
    lake.write(name, snapshot.snapshot_id, frames, record)
    return record


def _is_current(source: Source, record: Record) -> bool:
    return record.parser_version == parser_version(source) and all(
        table in LAKE_SUITES and part.suite_version == suite_version(LAKE_SUITES[table])
        for table, part in record.tables.items()
    )


@cache
def _hash_of(*files: str) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(Path(file).read_bytes())
    return digest.hexdigest()[:12]


def parser_version(source: Source) -> str:
    """Changes when a source's module, the lake's schemas or the lists of codes and labels change.

    Rows that came in under another version are parsed again from their snapshot.
    """
    labels = vocabulary.labels_file(source.CARD.name)
    return _hash_of(
        inspect.getfile(cast(ModuleType, source)),
        formats.__file__,
        schemas.__file__,
        vocabulary.__file__,
        str(vocabulary.ECONOMIES_FILE),
        str(vocabulary.MINERAL_GROUPS_FILE),
        str(vocabulary.COMMODITIES_FILE),
        str(vocabulary.INSTRUMENTS_FILE),
        *([str(labels)] if labels.exists() else []),
    )


def _origin_of_card(source: Source) -> Origin:
    card = source.CARD
    return Origin(
        producer=card.publisher,
        citation=f"{card.publisher}, {card.title}",
        licence=card.licence,
        licence_url=card.licence_url,
        url=card.homepage,
    )


def _media_type(name: str) -> str:
    return mimetypes.guess_type(name)[0] or "application/octet-stream"
