"""The landing store: what publishers sent, untouched, each with an origin record; write-once.

No publisher is known here, and nothing is parsed.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from dagster_project.errors import KidoError
from dagster_project.lake.store import Store, write_atomically


class Origin(BaseModel):
    """Where a document comes from, in the words a reader needs to cite it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    producer: str
    citation: str
    licence: str
    licence_url: str
    url: str
    left_out: str = ""


class Snapshot(BaseModel):
    """One document as it was at one moment. Instants are UTC without a zone attached."""

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


class Landing:
    """Snapshots by source: `<source>/<snapshot_id>/` holds the payload and `origin.json`.

    The record is written after the payload, so a snapshot without one does not exist.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def snapshots(self, source: str) -> list[Snapshot]:
        """Snapshots of a source, oldest first."""
        return [
            Snapshot.model_validate_json(self._store.read(f"{source}/{name}/origin.json"))
            for name in self._store.names(source)
            if self._store.exists(f"{source}/{name}/origin.json")
        ]

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
        headers: Mapping[str, str] | None = None,
    ) -> tuple[Snapshot, bool]:
        """Keep a document; returns the snapshot and whether it is new.

        Bytes equal to the newest snapshot of the document (or of any document of the source, for
        a file under another name) make no new vintage. A bundled document is compared with bundled
        ones only, so that a file someone landed under its name stays the newer one.
        """
        sha256 = hashlib.sha256(payload).hexdigest()
        newest = {
            snapshot.document: snapshot
            for snapshot in self.snapshots(source)
            if snapshot.is_bundled or not is_bundled
        }
        same_document = newest.get(document)
        candidates = [same_document] if same_document else list(newest.values())
        for snapshot in candidates:
            if snapshot.sha256 == sha256:
                return snapshot, False

        landed_at = datetime.now(UTC).replace(tzinfo=None)
        snapshot = Snapshot(
            snapshot_id=f"{source}-{landed_at:%Y%m%dT%H%M%S%f}-{sha256[:8]}",
            source=source,
            document=document,
            retrieved_at=retrieved_at,
            landed_at=landed_at,
            sha256=sha256,
            bytes=len(payload),
            media_type=media_type,
            request=request,
            is_bundled=is_bundled,
            origin=origin,
            headers=headers or {},
        )
        folder = f"{source}/{snapshot.snapshot_id}"
        self._store.write(f"{folder}/{_file_name(document)}", payload)
        self._store.write(f"{folder}/origin.json", snapshot.model_dump_json(indent=2).encode())
        return snapshot, True

    def payload(self, snapshot: Snapshot) -> bytes:
        """The bytes of a snapshot. Raises KidoError if they are no longer what was received."""
        name = f"{snapshot.source}/{snapshot.snapshot_id}/{_file_name(snapshot.document)}"
        payload = self._store.read(name)
        if hashlib.sha256(payload).hexdigest() != snapshot.sha256:
            raise KidoError(
                f"{self._store.address(name)} was changed after it was received.",
                hint="Restore it, or remove its folder so that it is fetched again.",
            )
        return payload

    def set_aside(self, snapshot: Snapshot, quarantine: Path, reason: str) -> Path:
        """Move a snapshot that cannot be used to the quarantine, with the reason.

        The same bytes sent again lie there once, however often they are refused.
        """
        folder = quarantine / snapshot.source / f"{snapshot.source}-{snapshot.sha256[:8]}"
        write_atomically(folder / _file_name(snapshot.document), self.payload(snapshot))
        write_atomically(folder / "origin.json", snapshot.model_dump_json(indent=2).encode())
        write_atomically(folder / "reason.txt", f"{reason}\n".encode())
        self._store.remove(f"{snapshot.source}/{snapshot.snapshot_id}")
        return folder


def _file_name(document: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "_", document).lstrip(".") or "payload"
