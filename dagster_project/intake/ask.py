"""Downloads one extract from a publisher, request by request, and resumes after an interruption.

`follow` of the source decides how to continue after an answer; the client sends the requests.
Nothing else here reads an answer.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from dagster_project import partial_body
from dagster_project.errors import (
    DamagedError,
    FetchError,
    QuotaError,
    UpstreamFormatError,
    exception_text,
    redacted,
    shortened,
)
from dagster_project.http import LONGEST_WAIT_S, Client, Received
from dagster_project.lake.landing import (
    Landing,
    Part,
    file_name,
    sha256_of_file,
)
from dagster_project.lake.records import as_payload, read_record
from dagster_project.lake.store import copy_atomically, write_atomically
from dagster_project.sources.card import (
    Answer,
    Done,
    Extract,
    Instead,
    More,
    Request,
    Source,
    Step,
    Stop,
    excerpt_of,
)

RESUMABLE_FOR = timedelta(days=7)
"""The parts of an unfinished extract are used for this long, then all of it is fetched again:
a publisher's pages of last month may not match those of today."""

NOT_MODIFIED = 304

MOST_REJECTED_TEXT_BYTES = 16 << 20
"""How much of a rejected answer is quarantined, unless it is compressed: a page is smaller."""

_COMPRESSED = (b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b", b"7z\xbc\xaf")
"""How compressed files begin: there is no text in them to redact."""

MOST_WAITS = 5
"""How often one request waits for a quota that is renewed within LONGEST_WAIT_S."""


class UnfinishedExtract(BaseModel):
    """An unfinished extract: the parts in the folder of its snapshot, and the remaining requests.

    `plan` is the digest of the requests it began with: an extract of the same name with other
    requests starts again.
    """

    model_config = ConfigDict(extra="forbid")

    document: str
    snapshot_id: str
    plan: str
    started_at: datetime
    answered_at: datetime
    parts: list[Part] = []
    pending: list[Request]
    warnings: list[str] = []


class RejectedAnswerError(UpstreamFormatError):
    """An answer that is not what the publisher is known to send; its bytes are in `file`."""

    file: Path | None = None


class ExtractDownload:
    """The download of one extract: its state is saved after every answer, until it is complete."""

    def __init__(self, landing: Landing, source: Source, extract: Extract, folder: Path) -> None:
        self._landing = landing
        self._source = source
        self._extract = extract
        self._folder = folder
        self._state_file = _state_file(source, extract)
        self.state = self._resume() or self._begin()

    def run(
        self,
        client: Client,
        sleep: Callable[[float], None] = time.sleep,
        on_pause: Callable[[float, str], None] = lambda seconds, reason: None,
    ) -> UnfinishedExtract:
        """Send the remaining requests; every answer is saved before the next request.

        `on_pause` gets the seconds and the reason of each wait for a quota before it begins.
        Raises the client's errors, QuotaError when the source reports that the quota is used up,
        and RejectedAnswerError; saved answers are kept for the next run.
        """
        waits = 0
        while self.state.pending:
            request, *rest = self.state.pending
            received = self._send(client, request)
            step = self._next_step(request, received)
            if isinstance(step, Stop):
                received.answer.file.unlink(missing_ok=True)
                waits += 1
                wait = self._wait_or_raise(step, received.answer, waits)
                on_pause(wait, shortened(step.reason))
                sleep(wait)
                continue
            waits = 0
            self.state.answered_at = received.retrieved_at
            if isinstance(step, Instead):
                received.answer.file.unlink(missing_ok=True)
            else:
                self._store_part(request, received)
            if step.warning and step.warning not in self.state.warnings:
                self.state.warnings.append(step.warning)
            further = list(step.requests) if isinstance(step, Instead | More) else []
            self.state.pending = [*further, *rest]
            self._save()
        return self.state

    def finish(self) -> None:
        """Remove the saved state, once the parts belong to a snapshot."""
        self._landing.store.remove(self._state_file)

    def discard(self) -> None:
        """Remove the saved state and the parts."""
        self._discard(self.state)

    def _discard(self, state: UnfinishedExtract) -> None:
        self._landing.discard(self._source.CARD.name, state.snapshot_id)
        self.finish()

    def payloads(self) -> list[bytes]:
        """The bytes of the parts, in the order of their requests."""
        return [self._landing.store.read(self._path(part.file)) for part in self.state.parts]

    def part_as_file(self, folder: Path) -> Path:
        """The only part as a file of this machine: in place, else a copy in `folder`."""
        (part,) = self.state.parts
        return self._landing.store.as_file(self._path(part.file), folder)

    def quarantine(self, folder: Path, reason: str, file: Path | None = None) -> Path:
        """Copy the parts to the quarantine under `folder`, with the reason; returns their folder.

        With a `file`, only this rejected answer is moved there. Credentials that a publisher
        repeated in its answers are redacted, except in compressed parts, which are copied as they
        are.
        """
        quarantine = self.quarantine_folder(folder)
        if file is not None:
            _copy_redacted(file, quarantine / "answer", most=MOST_REJECTED_TEXT_BYTES)
            file.unlink()
        else:
            for part in self.state.parts:
                copy = self._folder / f"{self.state.snapshot_id}.part.copy"
                self._landing.store.copy_out(self._path(part.file), copy)
                _copy_redacted(copy, quarantine / part.file)
                copy.unlink()
        write_atomically(quarantine / "reason.txt", f"{reason}\n".encode())
        return quarantine

    def quarantine_folder(self, folder: Path) -> Path:
        """The folder under `folder` for its quarantined answers."""
        return folder / self._source.CARD.name / file_name(self._extract.document)

    def _send(self, client: Client, request: Request) -> Received:
        """The answer to a request; the landed copy where it is still what the publisher has."""
        file = self._folder / f"{self.state.snapshot_id}.part"
        landed = self._landed_parts.get(client.named(request))
        try:
            if landed is None:
                return client.send(request, file, excerpt_of(self._source))
            received = client.send(only_if_changed(request, landed.part), file)
            if received.answer.meaning != "unchanged":
                return received
            if landed.copy_to(self._landing, file):
                return _as_landed(received, landed.part, file)
            return client.send(request, file)  # the copy is damaged: all of it again
        except UpstreamFormatError as error:
            raise _rejected(error, file) from error
        except FetchError:
            if partial_body.partial_body(file) is None:
                partial_body.discard(file)
            else:  # the next run goes on with the large body that broke off
                self._save()
            raise

    @cached_property
    def _landed_parts(self) -> Mapping[str, LandedPart]:
        if excerpt_of(self._source):  # today's excerpt of the same body may be another one
            return {}
        return landed_parts(self._landing, self._source.CARD.name)

    def _next_step(self, request: Request, received: Received) -> Step:
        answer = received.answer
        follow = getattr(self._source, "follow", None)
        if follow is not None:
            try:
                step: Step = follow(request, answer)
            except UpstreamFormatError as error:
                raise _rejected(error, answer.file) from error
            except FetchError:
                answer.file.unlink(missing_ok=True)
                raise
            except Exception as error:  # an unexpected answer
                raise _rejected(
                    UpstreamFormatError(
                        f"{self._source.CARD.name}: the answer to {self._extract.document} cannot "
                        f"be read ({exception_text(error)})."
                    ),
                    answer.file,
                ) from error
            return step
        if answer.meaning in ("content", "nothing"):
            return Done()
        if answer.meaning == "quota":
            return Stop(shortened(answer.text.strip()))
        raise _rejected(
            UpstreamFormatError(
                f"{self._source.CARD.name}: {received.url} answered {answer.status}, too much at "
                "once, and cannot be asked for less."
            ),
            answer.file,
        )

    def _wait_or_raise(self, stop: Stop, answer: Answer, waits: int) -> float:
        """The seconds to wait for the quota; raises QuotaError if they are too many."""
        wait = stop.wait
        if wait is None and answer.retry_after_s is not None:
            wait = timedelta(seconds=answer.retry_after_s)
        if wait is not None and wait.total_seconds() <= LONGEST_WAIT_S and waits <= MOST_WAITS:
            return wait.total_seconds()
        raise QuotaError(
            f"{self._source.CARD.name}: {stop.reason}", again_at=_now() + wait if wait else None
        )

    def _store_part(self, request: Request, received: Received) -> None:
        """Store an answer with content as the next part."""
        answer = received.answer
        if answer.meaning != "content":
            return
        name = file_name(request.document or self._extract.document)
        file = f"{len(self.state.parts) + 1:04}-{name}"
        self._landing.store.move_in(answer.file, self._path(file))
        self.state.parts.append(
            Part(
                file=file,
                sha256=received.sha256,
                bytes=received.bytes,
                media_type=answer.media_type,
                request=f"{request.method} {received.url}",
                retrieved_at=received.retrieved_at,
                headers=answer.headers,
                document=request.document,
            )
        )

    def _path(self, file: str) -> str:
        return f"{self._source.CARD.name}/{self.state.snapshot_id}/{file}"

    def _save(self) -> None:
        self._landing.store.write(self._state_file, as_payload(self.state))

    def _resume(self) -> UnfinishedExtract | None:
        """The state that an earlier run saved of the same extract, if usable."""
        state = _saved_state(self._landing, self._source, self._extract)
        if state is None or _is_usable(self._landing, self._source, self._extract, state):
            return state
        # Of other requests, too old, or landed by a run that ended before `finish`: then the folder
        # is a snapshot, and stays.
        self._discard(state)
        return None

    def _begin(self) -> UnfinishedExtract:
        now = _now()
        return UnfinishedExtract(
            document=self._extract.document,
            snapshot_id=self._landing.new_snapshot_id(self._source.CARD.name),
            plan=_digest_of_requests(self._extract),
            started_at=now,
            answered_at=now,
            pending=list(self._extract.requests),
        )


@dataclass(frozen=True)
class LandedPart:
    """A part of a snapshot, and its file in the landing."""

    part: Part
    file: str

    def copy_to(self, landing: Landing, file: Path) -> bool:
        """Copy it to a file of this machine; false if it is missing or not what was received."""
        try:
            landing.store.copy_out(self.file, file)
        except FileNotFoundError:
            return False
        return sha256_of_file(file) == self.part.sha256


def landed_parts(landing: Landing, source: str) -> Mapping[str, LandedPart]:
    """By request: the newest landed answer whose publisher can be asked for changes since.

    It can where it sent an `ETag` or `Last-Modified`.
    """
    oldest_first = sorted(landing.snapshots(source), key=lambda snapshot: snapshot.retrieved_at)
    return {
        part.request: LandedPart(part, f"{source}/{snapshot.snapshot_id}/{part.file}")
        for snapshot in oldest_first
        for part in snapshot.parts
        if part.request.startswith("GET ") and _validators(part)
    }


def only_if_changed(request: Request, part: Part) -> Request:
    """The request for what has changed since a part was received (RFC 9110, section 13)."""
    return replace(
        request,
        headers={**request.headers, **_validators(part)},
        statuses={**request.statuses, NOT_MODIFIED: "unchanged"},
    )


def _validators(part: Part) -> dict[str, str]:
    names = {"etag": "If-None-Match", "last-modified": "If-Modified-Since"}
    return {names[name]: part.headers[name] for name in names if name in part.headers}


def _as_landed(received: Received, part: Part, file: Path) -> Received:
    """The answer "not modified" as the answer that it repeats; retrieved now."""
    answer = replace(
        received.answer,
        meaning="content",
        status=200,
        file=file,
        media_type=part.media_type,
        headers=part.headers,
        text="",
    )
    return replace(received, answer=answer, sha256=part.sha256, bytes=part.bytes)


def requests_left(landing: Landing, source: Source, extract: Extract) -> int:
    """The number of remaining requests, as far as it is known; nothing is changed."""
    state = _saved_state(landing, source, extract)
    if state is not None and _is_usable(landing, source, extract, state):
        return len(state.pending)
    return len(extract.requests)


def sweep(landing: Landing, source: Source, downloads: Path) -> None:
    """Remove the saved states of extracts that are too old to resume, and downloads in a folder.

    The source is locked: such a file belongs to no running process. A large body that broke off is
    kept if its extract goes on.
    """
    name = source.CARD.name
    for state_file, _ in list(unfinished_extracts(landing, name, _now() - RESUMABLE_FOR)):
        landing.store.remove(state_file)
    left = unfinished_extracts(landing, name, datetime.max)
    resumable = {f"{state.snapshot_id}.part" for _, state in left if state}
    for file in downloads.glob(f"{source.CARD.name}-*.part*"):
        download = file.with_name(f"{file.name.partition('.part')[0]}.part")
        if download.name not in resumable or partial_body.partial_body(download) is None:
            file.unlink(missing_ok=True)


def unfinished_extracts(
    landing: Landing, source: str, before: datetime
) -> Iterator[tuple[str, UnfinishedExtract | None]]:
    """The saved states of extracts that were begun before an instant (UTC, no zone), by file.

    None for a state that is damaged or of another version: it cannot be resumed.
    """
    folder = f"{source}/.unfinished"
    for name in landing.store.names(folder):
        try:
            state = read_record(landing.store, f"{folder}/{name}", UnfinishedExtract, "")
        except DamagedError:
            state = None
        if state is None or state.started_at < before:
            yield f"{folder}/{name}", state


def _state_file(source: Source, extract: Extract) -> str:
    return f"{source.CARD.name}/.unfinished/{file_name(extract.document)}.json"


def _saved_state(landing: Landing, source: Source, extract: Extract) -> UnfinishedExtract | None:
    """The state that an earlier run saved of an extract of that name."""
    name = _state_file(source, extract)
    if not landing.store.exists(name):
        return None
    try:
        return read_record(landing.store, name, UnfinishedExtract, "")
    except DamagedError:  # or of another version
        return None


def _is_usable(
    landing: Landing, source: Source, extract: Extract, state: UnfinishedExtract
) -> bool:
    folder = f"{source.CARD.name}/{state.snapshot_id}"
    return (
        state.plan == _digest_of_requests(extract)
        and abs(_now() - state.started_at) < RESUMABLE_FOR  # the clock may have been ahead
        and not landing.store.exists(f"{folder}/origin.json")
        and state.snapshot_id not in landing.withdrawn(source.CARD.name)
        and all(landing.store.exists(f"{folder}/{part.file}") for part in state.parts)
    )


def _rejected(error: UpstreamFormatError, file: Path) -> RejectedAnswerError:
    rejected = RejectedAnswerError(error.message, hint=error.hint)
    rejected.file = file if file.exists() else None
    return rejected


def _copy_redacted(file: Path, copy: Path, most: int = -1) -> None:
    """Copy a file without the credentials in it, of a text at `most` so many bytes."""
    with file.open("rb") as opened:
        start = opened.read(4)
        if start.startswith(_COMPRESSED):
            copy_atomically(file, copy)
            return
        opened.seek(0)
        # Latin-1 maps every byte to a character and back.
        text = redacted(opened.read(most).decode("latin-1"))
    write_atomically(copy, text.encode("latin-1", "replace"))


def _digest_of_requests(extract: Extract) -> str:
    requests = [asdict(request) for request in extract.requests]
    text = json.dumps(requests, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
