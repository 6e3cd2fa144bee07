"""The ledger of requests: when, for which windows, with which outcome, also when nothing was new.

It makes a backfill resumable, decides what is due, and distinguishes a period without trade from
an unpublished one. Figures are not stored here.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from pydantic import BaseModel, ConfigDict

from dagster_project import words
from dagster_project.errors import DamagedError
from dagster_project.lake.landing import (
    FUTURE_FROM,
    LEDGER,
    AskedSlices,
    Landing,
    Snapshot,
    Withdrawn,
)
from dagster_project.lake.records import Records
from dagster_project.sources.card import Window

Outcome = words.Outcome
Answer = words.Answer

_WORST_FIRST: Sequence[Answer] = ("denied", "no_answer", "quota", "rejected", "ok", "not_asked")


def worst(answers: Iterable[Answer]) -> Answer:
    """The outcome reported for several asks of one run: the worst one."""
    return min(answers, key=_WORST_FIRST.index)


class WindowAsk(BaseModel):
    """The answer about one window.

    `snapshot_id` is the snapshot with its rows: of this ask, or an earlier one with the same
    content. `digest` is that of the rows, independent of their order.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    frequency: words.Frequency
    start: date
    rows: int
    digest: str
    snapshot_id: str
    is_new: bool

    @property
    def window(self) -> Window:
        return Window(self.frequency, self.start)


class Ask(BaseModel):
    """One requested extract. Instants are UTC without a zone attached.

    `snapshot_id` is the snapshot it made, empty where it made none. `known_until` is the last day
    of its rows, for a source without windows. `run` is shared by requests of one run. `asked` are
    the requested slices of an answer that repeats a withdrawn snapshot: no landed snapshot records
    them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    document: str
    asked_at: datetime
    answer: Outcome
    reason: str = ""
    snapshot_id: str = ""
    digest: str = ""
    known_until: date | None = None
    run: str = ""
    windows: tuple[WindowAsk, ...] = ()
    asked: tuple[AskedSlices, ...] = ()


@dataclass(frozen=True)
class Answered:
    """One answer about a window: when, its outcome, and the snapshot with its rows.

    `asked` are the requested slices. An answer that repeats a withdrawn one (`is_withdrawn`) is an
    answer, so that the publisher is not asked again and again; its rows are not in the lake.
    """

    asked_at: datetime
    window_ask: WindowAsk
    snapshot: Snapshot
    asked: Sequence[AskedSlices] = ()
    is_withdrawn: bool = False


class Ledger:
    """Asks of one source, stored beside its snapshots (`<source>/.ledger/`)."""

    def __init__(self, landing: Landing, source: str) -> None:
        self._landing = landing
        self._source = source
        self._records = Records(
            landing.store, f"{source}/{LEDGER}", Ask, ".json",
            remedy="Restore it from a backup, or remove it: its windows may be fetched again then.",
        )  # fmt: skip

    def asks(self, until: datetime | None = None) -> list[Ask]:
        """Asks until an instant, else until now, oldest first.

        An ask whose snapshot does not exist is left out, and so is one of a clock that was ahead:
        it says nothing about what was published since.
        """
        until = until or _now() + FUTURE_FROM
        landed = {snapshot.snapshot_id for snapshot in self._landing.snapshots(self._source)}
        return [
            ask
            for ask in self._records.all().values()
            if ask.asked_at <= until and (not ask.snapshot_id or ask.snapshot_id in landed)
        ]

    def from_the_future(self) -> list[Ask]:
        """Asks later than now: a clock was ahead."""
        latest = _now() + FUTURE_FROM
        return [ask for ask in self._records.all().values() if ask.asked_at > latest]

    def verify(self) -> Iterator[DamagedError | None]:
        """Read every record; the fault of each, None for a good one."""
        return self._records.verify()

    def names(self) -> list[str]:
        """A name per ask, in their order: it changes with every new ask."""
        return list(self._records.all())

    def record(self, ask: Ask) -> None:
        """Store an ask. One that made a snapshot is ignored until that snapshot is landed."""
        self._records.add(f"{ask.asked_at:%Y%m%dT%H%M%S%f}-{uuid.uuid4().hex[:6]}", ask)

    def answers(self) -> Mapping[Window, Sequence[Answered]]:
        """The answers about each window, the latest last.

        Without those of withdrawn snapshots; an answer that repeated one afterwards is included.
        """
        landed = {
            snapshot.snapshot_id: snapshot for snapshot in self._landing.snapshots(self._source)
        }
        withdrawn = self._landing.withdrawn(self._source)
        by_window: dict[Window, list[Answered]] = {}
        for ask in self.asks():
            for window_ask in ask.windows if ask.answer == "ok" else ():
                snapshot = landed.get(window_ask.snapshot_id)
                is_withdrawn = snapshot is None and bool(ask.asked)
                if is_withdrawn and window_ask.snapshot_id in withdrawn:
                    snapshot = withdrawn[window_ask.snapshot_id].snapshot
                if snapshot is not None:
                    by_window.setdefault(window_ask.window, []).append(
                        Answered(
                            ask.asked_at,
                            window_ask,
                            snapshot,
                            ask.asked or snapshot.asked,
                            is_withdrawn,
                        )
                    )
        return by_window

    def withdrawn(self) -> Mapping[tuple[Window | None, str], Withdrawn]:
        """What may not be used again, by window (None: without windows) and digest of its rows."""
        withdrawn = {
            snapshot_id: record
            for snapshot_id, record in self._landing.withdrawn(self._source).items()
            if not record.is_for_its_time
        }
        withdrawals: dict[tuple[Window | None, str], Withdrawn] = {}
        for ask in self._records.all().values() if withdrawn else ():
            if ask.snapshot_id in withdrawn and not ask.windows:
                withdrawals[None, ask.digest] = withdrawn[ask.snapshot_id]
            for window_ask in ask.windows:
                if window_ask.snapshot_id in withdrawn:
                    withdrawals[window_ask.window, window_ask.digest] = withdrawn[
                        window_ask.snapshot_id
                    ]
        return withdrawals

    def windows(self) -> Mapping[Window, Answered]:
        """The last answer about each window."""
        return {window: answers[-1] for window, answers in self.answers().items()}

    def last_run(self, until: datetime | None = None) -> Ask | None:
        """The first ask of the last run with its worst outcome."""
        asks = self.asks(until)
        if not asks:
            return None
        run = [ask for ask in asks if ask.run == asks[-1].run] if asks[-1].run else asks[-1:]
        answer = worst(ask.answer for ask in run)
        return next(ask for ask in run if ask.answer == answer)

    def last_answered(self, document: str = "") -> Ask | None:
        """The last ask that was answered; the last one for a document, if it is named."""
        return _last(
            ask for ask in self.asks() if ask.answer == "ok" and document in ("", ask.document)
        )

    def last_of(self, document: str) -> Ask | None:
        """The last ask for a document that made a snapshot.

        Later asks had the same content, or none, and made no snapshot of their own.
        """
        return _last(ask for ask in self.asks() if ask.snapshot_id and ask.document == document)

    def known_until(self) -> date | None:
        """The last day of the snapshots' rows, for a source without windows."""
        days = (ask.known_until for ask in self.asks() if ask.snapshot_id)
        return max((day for day in days if day), default=None)


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


def _last(asks: Iterable[Ask]) -> Ask | None:
    all_asks = list(asks)
    return all_asks[-1] if all_asks else None
