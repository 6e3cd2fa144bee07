"""The landing store: documents as received, each with an origin record; write-once.

Nothing here depends on a publisher, and nothing is parsed.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from dagster_project.errors import DamagedError
from dagster_project.lake.records import Records, read_record_file, write_record_file
from dagster_project.lake.store import Store, write_atomically

LEFTOVER_AGE = timedelta(days=8)
"""A folder without an origin record is kept for this long: an unfinished extract may need it."""

WITHDRAWN = "withdrawn"
"""Folder of the landing, beside those of the sources, for the snapshots that were withdrawn."""

UNBUNDLED = "left_bundle"
"""Folder beside it, for records of bundled documents that the program no longer has."""


_REMEDY = (
    "Restore it from a backup, or remove its folder so that the document can be landed or fetched "
    "again."
)

LEDGER = ".ledger"
"""Folder beside the snapshots of a source, for the records of what was asked."""


FUTURE_FROM = timedelta(hours=1)
"""What is later than the clock by more was recorded while a clock was ahead."""

_INSTANT = "%Y%m%dT%H%M%S%f"
_ID = re.compile(r".+-(\d{8}T\d{12})-[0-9a-f]{8}")


class Origin(BaseModel):
    """Where a document comes from, as a reader needs it for a citation."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    producer: str
    citation: str
    licence: str
    licence_url: str
    url: str
    left_out: str = ""


class Part(BaseModel):
    """One answer of an extract, or one file of several landed together.

    `document` is the name of a landed file, or of an answer whose request names it; else empty.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str
    sha256: str
    bytes: int
    media_type: str
    request: str
    retrieved_at: datetime
    headers: Mapping[str, str] = Field(default_factory=dict)
    document: str = ""


class Period(BaseModel):
    """A window in a record: frequency and first day."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    frequency: str
    start: date


class AskedSlices(BaseModel):
    """What an extract requested of a table: what its answer lacks of this is not published."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    table: str
    reporters: Sequence[str]
    flows: Sequence[str]
    commodity_codes: Sequence[str]


class Snapshot(BaseModel):
    """One whole document or extract as it was at one moment.

    Instants are UTC without a zone attached. `sha256` is that of the bytes; of several parts, that
    of their hashes. `windows` are the requested windows whose rows are used: an unchanged window
    stays with the earlier snapshot.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    snapshot_id: str
    source: str
    document: str
    retrieved_at: datetime
    landed_at: datetime
    sha256: str
    bytes: int
    media_type: str
    request: str
    is_bundled: bool
    origin: Origin
    headers: Mapping[str, str] = Field(default_factory=dict)
    parts: tuple[Part, ...] = ()
    windows: tuple[Period, ...] = ()
    asked: tuple[AskedSlices, ...] = ()

    @property
    def is_landed_by_hand(self) -> bool:
        return self.request.startswith("file ")

    @property
    def asked_codes(self) -> list[str]:
        """The codes that were requested, of all tables, sorted."""
        return sorted({code for asked in self.asked for code in asked.commodity_codes})

    @property
    def was_fetched(self) -> bool:
        """Whether it is a publisher's answer: neither bundled nor landed by hand."""
        return not (self.is_bundled or self.is_landed_by_hand)

    def is_from_the_future(self, now: datetime) -> bool:
        """Whether it was retrieved after `now`: a clock was ahead. Bundled ones have a given day.

        No build uses it before its day, and then it would replace what was retrieved meanwhile.
        """
        return not self.is_bundled and self.retrieved_at > now + FUTURE_FROM


class SnapshotRows(BaseModel):
    """The rows of a snapshot in a table: their number, and first and last period as text."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    table: str
    rows: int
    first: str = ""
    last: str = ""


class Withdrawn(BaseModel):
    """A withdrawn snapshot: which, by whom, when (UTC, no zone) and why.

    `rows` describes its rows by table, since they are no longer in the lake.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    snapshot: Snapshot
    by: str
    at: datetime
    reason: str
    rows: tuple[SnapshotRows, ...] = Field(
        default=(), validation_alias=AliasChoices("rows", "held"), serialization_alias="held"
    )
    """`held` in the record's JSON."""

    @property
    def is_for_its_time(self) -> bool:
        """Whether it was withdrawn before its time of retrieval: its bytes may be landed again."""
        return self.snapshot.is_from_the_future(self.at)


class Unbundled(BaseModel):
    """Since when (UTC, no zone) the program no longer bundles the document of a snapshot."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    document: str
    at: datetime


class Landing:
    """Snapshots by source: `<source>/<snapshot_id>/` contains the payloads and `origin.json`.

    The record is written after the payloads: a folder without one is no snapshot. Nor is one with
    a record `withdrawn/<source>/<snapshot_id>.json`, wherever its payloads are; they are moved to
    the folder beside that record. A bundled snapshot whose document the program no longer has is
    kept, and `left_bundle/<source>/<snapshot_id>.json` records since when.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self._records: dict[str, Records[Snapshot]] = {}
        self._withdrawn: dict[str, Records[Withdrawn]] = {}
        self._unbundled: dict[str, Records[Unbundled]] = {}
        self._newest: dict[tuple[str, bool], dict[str, Snapshot]] = {}

    def snapshots(self, source: str) -> list[Snapshot]:
        """Snapshots of a source, oldest first; without those that were withdrawn."""
        landed, withdrawn = self._snapshot_records(source).all(), self.withdrawn(source)
        return [
            snapshot for snapshot_id, snapshot in landed.items() if snapshot_id not in withdrawn
        ]

    def from_the_future(self, source: str, now: datetime) -> list[Snapshot]:
        """The snapshots of a source that were retrieved after `now`.

        A damaged record is skipped.
        """
        landed, _ = self._snapshot_records(source).readable()
        withdrawn = self._withdrawal_records(source).names()
        return [
            snapshot
            for snapshot_id, snapshot in landed.items()
            if snapshot_id not in withdrawn and snapshot.is_from_the_future(now)
        ]

    def withdrawn(self, source: str) -> Mapping[str, Withdrawn]:
        """What was withdrawn of a source, by snapshot, oldest first."""
        return self._withdrawal_records(source).all()

    def unbundled(self, source: str) -> Mapping[str, Unbundled]:
        """The bundled snapshots of a source whose document is no longer bundled."""
        return self._unbundled_records(source).all()

    def mark_unbundled(self, source: str, bundled: Collection[str]) -> None:
        """Record now as the time from which documents other than `bundled` are not bundled.

        A time that is on record stays. A document that is bundled again is a new snapshot, also
        with the same bytes.
        """
        recorded = self.unbundled(source)
        newest = {
            snapshot.document: snapshot
            for snapshot in self.snapshots(source)
            if snapshot.is_bundled
        }
        for document, snapshot in newest.items():
            if document not in bundled and snapshot.snapshot_id not in recorded:
                record = Unbundled(document=document, at=_now())
                self._unbundled_records(source).add(snapshot.snapshot_id, record)
        self._newest.clear()

    def add(
        self,
        payload: bytes,
        *,
        source: str,
        document: str,
        origin: Origin,
        request: str,
        media_type: str,
        retrieved_at: datetime,
        is_bundled: bool = False,
    ) -> tuple[Snapshot, bool]:
        """Store a document; returns the snapshot and whether it is new.

        Bytes equal to the newest snapshot of the document (or of any document of the source, for
        a file under another name) make no new vintage. A bundled document is compared with the
        newest bundled copy of it only: a file landed by hand under its name stays the newer one,
        and the bytes of an older copy, from an earlier version, are a new snapshot. Withdrawn
        bytes are not stored again.
        """
        sha256 = hashlib.sha256(payload).hexdigest()
        known = self.equal_to(sha256, source=source, document=document, is_bundled=is_bundled)
        if known:
            return known, False
        withdrawn = self.withdrawn_bytes(sha256, source=source)
        if withdrawn:
            return withdrawn.snapshot, False
        part = Part(
            file=file_name(document),
            sha256=sha256,
            bytes=len(payload),
            media_type=media_type,
            request=request,
            retrieved_at=retrieved_at,
        )
        snapshot = self.describe(
            self.new_snapshot_id(source), source, document, [part], origin, is_bundled=is_bundled
        )
        self.store.write(f"{source}/{snapshot.snapshot_id}/{part.file}", payload)
        self.record(snapshot)
        return snapshot, True

    def new_snapshot_id(self, source: str) -> str:
        """`<source>-<instant>-<eight characters>`: newer names sort later, whatever a clock said.

        The instant is that of the clock, or one microsecond after the newest one of the source.
        """
        names = self._snapshot_records(source).names() | self._withdrawal_records(source).names()
        known = (instant for name in names if (instant := _instant_of(name)))
        instant = max([_now(), *(each + timedelta(microseconds=1) for each in known)])
        return f"{source}-{instant:{_INSTANT}}-{uuid.uuid4().hex[:8]}"

    def equal_to(
        self, sha256: str, *, source: str, document: str, is_bundled: bool = False
    ) -> Snapshot | None:
        """The snapshot with these bytes, if it is the newest one of its document.

        A document that has no snapshot yet may equal that of any other document of the source. A
        bundled one may not.
        """
        newest = self._newest_by_document(source, is_bundled)
        same_document = newest.get(document)
        candidates: Collection[Snapshot] = newest.values()
        if same_document or is_bundled:
            candidates = [same_document] if same_document else []
        return next((candidate for candidate in candidates if candidate.sha256 == sha256), None)

    def withdrawn_bytes(self, sha256: str, *, source: str) -> Withdrawn | None:
        """The last withdrawal of these bytes, if they may not be landed again."""
        withdrawals = [
            withdrawal
            for withdrawal in self.withdrawn(source).values()
            if withdrawal.snapshot.sha256 == sha256 and not withdrawal.is_for_its_time
        ]
        return max(withdrawals, key=lambda withdrawal: withdrawal.at, default=None)

    def describe(
        self,
        snapshot_id: str,
        source: str,
        document: str,
        parts: Sequence[Part],
        origin: Origin,
        *,
        is_bundled: bool = False,
        windows: Sequence[Period] = (),
        asked: Sequence[AskedSlices] = (),
        retrieved_at: datetime | None = None,
        request: str = "",
    ) -> Snapshot:
        """The record of a snapshot of these parts; the snapshot exists once `record` wrote it.

        `retrieved_at` is the time of the last part if not given: only then was the whole known.
        `request` is recorded where there are no parts: the answer was that nothing is published.
        """
        first = parts[0] if parts else None
        return Snapshot(
            snapshot_id=snapshot_id,
            source=source,
            document=document,
            retrieved_at=retrieved_at or max(part.retrieved_at for part in parts),
            landed_at=_now(),
            sha256=sha256_of(parts),
            bytes=sum(part.bytes for part in parts),
            media_type=first.media_type if first else "",
            request=first.request if first else request,
            is_bundled=is_bundled,
            origin=origin,
            headers=first.headers if first else {},
            parts=tuple(parts),
            windows=tuple(windows),
            asked=tuple(asked),
        )

    def record(self, snapshot: Snapshot) -> None:
        """Write the origin record: from now on the snapshot exists."""
        self._snapshot_records(snapshot.source).add(snapshot.snapshot_id, snapshot)
        newest = self._newest.get((snapshot.source, snapshot.is_bundled))
        if newest is not None:
            newest[snapshot.document] = snapshot
        if snapshot.is_bundled:
            self._newest.pop((snapshot.source, False), None)

    def remove(self, snapshot: Snapshot) -> None:
        """Remove a snapshot whose landing failed, with its record if that was written."""
        self._snapshot_records(snapshot.source).remove(snapshot.snapshot_id)
        self.store.remove(f"{snapshot.source}/{snapshot.snapshot_id}")
        self._newest.clear()

    def file_of(self, snapshot: Snapshot, folder: Path) -> Path:
        """The only part of a snapshot as a file of this machine: in place, else a copy.

        Raises DamagedError if it differs from what was received.
        """
        ((file, sha256),) = self._files(snapshot)
        name = f"{snapshot.source}/{snapshot.snapshot_id}/{file}"
        try:
            path = self.store.as_file(name, folder)
        except FileNotFoundError:
            raise self._damaged(name, "is missing") from None
        if sha256_of_file(path) != sha256:
            raise self._damaged(name, "was changed after it was received")
        return path

    def payloads(self, snapshot: Snapshot) -> Iterator[bytes]:
        """The bytes of the parts, one after the other.

        Raises DamagedError if they differ from what was received.
        """
        for file, sha256 in self._files(snapshot):
            name = f"{snapshot.source}/{snapshot.snapshot_id}/{file}"
            try:
                payload = self.store.read(name)
            except FileNotFoundError:
                raise self._damaged(name, "is missing") from None
            if hashlib.sha256(payload).hexdigest() != sha256:
                raise self._damaged(name, "was changed after it was received")
            yield payload

    def addresses(self, snapshot: Snapshot) -> list[str]:
        """The addresses of its parts."""
        return [
            self.store.address(f"{snapshot.source}/{snapshot.snapshot_id}/{file}")
            for file, _ in self._files(snapshot)
        ]

    def sources(self) -> list[str]:
        """The names of the sources of which something is recorded."""
        folders = (self.store.names(folder) for folder in ("", WITHDRAWN, UNBUNDLED))
        names = {name for of_folder in folders for name in of_folder}
        return sorted(names - {WITHDRAWN, UNBUNDLED})

    def recorded_files(self, source: str) -> Iterator[tuple[str, str | None]]:
        """Names of all files that are recorded of a source, of payloads with their hash.

        What refers to a file comes before it. Neither indexes nor unfinished snapshots are among
        them. Raises FileNotFoundError if a snapshot is withdrawn or reinstated meanwhile.
        """
        withdrawn = dict(self.withdrawn(source))
        landed = self._snapshot_records(source).all()
        if withdrawn.keys() != self._withdrawal_records(source).names():
            raise FileNotFoundError(f"{WITHDRAWN}/{source}")
        for folder in (f"{source}/{LEDGER}", f"{UNBUNDLED}/{source}", f"{WITHDRAWN}/{source}"):
            for name in self.store.names(folder):
                if name.endswith(".json"):
                    yield f"{folder}/{name}", None
        for snapshot_id, record in withdrawn.items():
            for file, sha256 in self._files(record.snapshot):
                name = f"{source}/{snapshot_id}/{file}"
                is_moved = self.store.exists(f"{WITHDRAWN}/{name}")
                yield (f"{WITHDRAWN}/{name}" if is_moved else name), sha256
        for snapshot_id in landed.keys() - withdrawn.keys():
            yield f"{source}/{snapshot_id}/origin.json", None
            for file, sha256 in self._files(landed[snapshot_id]):
                yield f"{source}/{snapshot_id}/{file}", sha256

    def verify(self, source: str) -> Iterator[DamagedError | None]:
        """Read every record and payload of a source; the fault of each, None for a good one."""
        yield from self.verify_records(source)
        landed, _ = self._snapshot_records(source).readable()
        withdrawn, _ = self._withdrawal_records(source).readable()
        snapshots = [record.snapshot for record in withdrawn.values()]
        snapshots += [landed[name] for name in landed.keys() - withdrawn.keys()]
        for snapshot in snapshots:
            for file, sha256 in self._files(snapshot):
                name = f"{source}/{snapshot.snapshot_id}/{file}"
                is_moved = self.store.exists(f"{WITHDRAWN}/{name}")
                yield self._fault_in(f"{WITHDRAWN}/{name}" if is_moved else name, sha256)

    def verify_records(self, source: str) -> Iterator[DamagedError | None]:
        """Read every record of a source; the fault of each, None for a good one."""
        yield from self._snapshot_records(source).verify()
        yield from self._withdrawal_records(source).verify()
        yield from self._unbundled_records(source).verify()

    def _fault_in(self, name: str, sha256: str) -> DamagedError | None:
        try:
            if self.store.is_local:
                actual = sha256_of_file(Path(self.store.path(name)))
            else:
                actual = hashlib.sha256(self.store.read(name)).hexdigest()
        except FileNotFoundError:
            return self._damaged(name, "is missing")
        except OSError as error:
            return self._damaged(name, f"cannot be read ({error.strerror})")
        is_whole = actual == sha256
        return None if is_whole else self._damaged(name, "was changed after it was received")

    def without_record(self, source: str, snapshot_id: str) -> DamagedError:
        """The error for a snapshot whose bytes are landed, and whose origin record is missing."""
        return self._damaged(f"{source}/{snapshot_id}/origin.json", "is missing")

    def _damaged(self, name: str, how: str) -> DamagedError:
        return DamagedError(
            f"{self.store.address(name)} {how}.",
            hint=_REMEDY,
        )

    def quarantine(self, snapshot: Snapshot, quarantine: Path, reason: str) -> Path:
        """Move a snapshot that cannot be used to the folder `quarantine`, with the reason.

        The same bytes are stored there once, however often they are rejected.
        """
        folder = quarantine / snapshot.source / f"{snapshot.source}-{snapshot.sha256[:8]}"
        for file, _ in self._files(snapshot):
            name = f"{snapshot.source}/{snapshot.snapshot_id}/{file}"
            if self.store.exists(name):
                self.store.copy_out(name, folder / file)
        write_record_file(folder / "origin.json", snapshot, indent=2)
        write_atomically(folder / "reason.txt", f"{reason}\n".encode())
        self._snapshot_records(snapshot.source).remove(snapshot.snapshot_id)
        self.discard(snapshot.source, snapshot.snapshot_id)
        self._newest.clear()
        return folder

    def take_back(self, folder: Path, remedy: str = "") -> Snapshot:
        """Make a snapshot that `quarantine` moved to a folder landed again; the folder stays.

        It is landed once its record is written. Raises DamagedError for a damaged record, and for
        bytes that are missing or changed; then nothing is written.
        """
        snapshot = read_record_file(folder / "origin.json", Snapshot, remedy)
        for file, sha256 in self._files(snapshot):
            if not (folder / file).is_file() or sha256_of_file(folder / file) != sha256:
                raise DamagedError(f"{folder / file} is missing or was changed.", hint=remedy)
        for file, _ in self._files(snapshot):
            name = f"{snapshot.source}/{snapshot.snapshot_id}/{file}"
            self.store.copy_in(folder / file, name)
        self.record(snapshot)
        return snapshot

    def withdraw(
        self, snapshot: Snapshot, *, by: str, reason: str, rows: Sequence[SnapshotRows] = ()
    ) -> Withdrawn:
        """Withdraw a snapshot: it is no longer landed, and its bytes are kept.

        It is withdrawn once the record is written; if killed after that, `complete` moves the
        bytes.
        """
        record = Withdrawn(snapshot=snapshot, by=by, at=_now(), reason=reason, rows=tuple(rows))
        self._withdrawal_records(snapshot.source).add(snapshot.snapshot_id, record)
        self._move_to_withdrawn(snapshot)
        return record

    def reinstate(self, withdrawn: Withdrawn) -> None:
        """Make a withdrawn snapshot landed again.

        It is landed once the withdrawal record is removed; if killed before that, `complete`
        moves the bytes back.
        """
        snapshot = withdrawn.snapshot
        source, snapshot_id = snapshot.source, snapshot.snapshot_id
        for file, _ in self._files(snapshot):
            name = f"{source}/{snapshot_id}/{file}"
            self.store.move(f"{WITHDRAWN}/{name}", name)
        self._snapshot_records(source).add(snapshot_id, snapshot)
        self._withdrawal_records(source).remove(snapshot_id)
        self.store.remove(f"{WITHDRAWN}/{source}/{snapshot_id}")
        self._newest.clear()

    def complete(self, source: str) -> None:
        """Finish an interrupted withdrawal or reinstatement.

        The caller must have locked the source: another process may be in the middle of one.
        """
        folders = self.store.names(source)
        for snapshot_id, record in self.withdrawn(source).items():
            if snapshot_id in folders:
                self._move_to_withdrawn(record.snapshot)
        landed_ids = {snapshot.snapshot_id for snapshot in self.snapshots(source)}
        for name in self.store.names(f"{WITHDRAWN}/{source}"):
            if name in landed_ids:
                self.store.remove(f"{WITHDRAWN}/{source}/{name}")

    def discard(self, source: str, snapshot_id: str) -> None:
        """Remove a folder without an origin record; one with a record stays."""
        if not self.store.exists(f"{source}/{snapshot_id}/origin.json"):
            self.store.remove(f"{source}/{snapshot_id}")

    def sweep(self, source: str, in_the_lake: Collection[str] = ()) -> None:
        """Remove folders without a record that are no longer needed.

        One whose rows are in the lake has lost its record: its bytes are kept.
        """
        # First: the bytes of a withdrawn snapshot may be in such a folder.
        self.complete(source)
        for name in self.unrecorded(source, _now() - LEFTOVER_AGE, in_the_lake):
            self.discard(source, name)

    def unrecorded(
        self, source: str, before: datetime, in_the_lake: Collection[str] = ()
    ) -> list[str]:
        """Folders that were begun before an instant (UTC, no zone) and have no origin record.

        Those of withdrawn snapshots have one elsewhere.
        """
        recorded = self._snapshot_records(source).all().keys() | self.withdrawn(source).keys()
        recorded |= set(in_the_lake)
        oldest = f"{source}-{before:{_INSTANT}}"
        return [
            name
            for name in self.store.names(source)
            # A folder with another form of name was put there by a person.
            if name.startswith(f"{source}-") and name not in recorded and name < oldest
        ]

    def _move_to_withdrawn(self, snapshot: Snapshot) -> None:
        """Move the payloads of a withdrawn snapshot beside its withdrawal record."""
        source, snapshot_id = snapshot.source, snapshot.snapshot_id
        for file, _ in self._files(snapshot):
            name = f"{source}/{snapshot_id}/{file}"
            self.store.move(name, f"{WITHDRAWN}/{name}")
        self._snapshot_records(source).remove(snapshot_id)
        self.store.remove(f"{source}/{snapshot_id}")
        self._newest.clear()

    def _files(self, snapshot: Snapshot) -> list[tuple[str, str]]:
        # Records of the first version name no parts: one payload under the document's name.
        if snapshot.parts or snapshot.windows or not snapshot.bytes:
            return [(part.file, part.sha256) for part in snapshot.parts]
        return [(file_name(snapshot.document), snapshot.sha256)]

    def _snapshot_records(self, source: str) -> Records[Snapshot]:
        if source not in self._records:
            self._records[source] = Records(
                self.store, source, Snapshot, "/origin.json", indent=2, remedy=_REMEDY
            )
        return self._records[source]

    def _withdrawal_records(self, source: str) -> Records[Withdrawn]:
        if source not in self._withdrawn:
            self._withdrawn[source] = Records(
                self.store, f"{WITHDRAWN}/{source}", Withdrawn, ".json", indent=2,
                remedy="Restore it from a backup: it says what was withdrawn, and why.",
            )  # fmt: skip
        return self._withdrawn[source]

    def _unbundled_records(self, source: str) -> Records[Unbundled]:
        if source not in self._unbundled:
            self._unbundled[source] = Records(
                self.store, f"{UNBUNDLED}/{source}", Unbundled, ".json",
                remedy="Restore it from a backup, or remove it: a build writes it with its day.",
            )  # fmt: skip
        return self._unbundled[source]

    def _newest_by_document(self, source: str, is_bundled: bool) -> dict[str, Snapshot]:
        key = (source, is_bundled)
        if key not in self._newest:
            unbundled = self.unbundled(source)
            newest = {
                snapshot.document: snapshot
                for snapshot in self.snapshots(source)
                if snapshot.is_bundled or not is_bundled
            }
            self._newest[key] = {
                document: snapshot
                for document, snapshot in newest.items()
                if snapshot.snapshot_id not in unbundled
            }
        return self._newest[key]


def _instant_of(snapshot_id: str) -> datetime | None:
    """The instant in the id of a snapshot; None where it has none, or the last of the calendar."""
    matched = _ID.fullmatch(snapshot_id)
    try:
        instant = datetime.strptime(matched[1], _INSTANT) if matched else None
    except ValueError:
        return None
    return instant if instant and instant.year < datetime.max.year else None


def sha256_of_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_of(parts: Sequence[Part]) -> str:
    """The hash of the bytes; of several parts the hash of their hashes."""
    if len(parts) == 1:
        return parts[0].sha256
    return hashlib.sha256("\n".join(part.sha256 for part in parts).encode()).hexdigest()


def file_name(document: str) -> str:
    """The file name under which the bytes of a document are stored."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", document).lstrip(".") or "payload"


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
