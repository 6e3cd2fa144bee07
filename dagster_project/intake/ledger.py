"""The ledger of what was asked: when, of which windows, what came of it, also when nothing was new.

It makes a backfill resumable, tells what is due, and tells a period without trade from one that is
not published. What the figures say is not kept here.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from pydantic import BaseModel, ConfigDict

from dagster_project import words
from dagster_project.lake.landing import AskedSlices, Landing, Snapshot, Withdrawn
from dagster_project.lake.records import Records
from dagster_project.sources.card import Window

Outcome = words.Outcome
Answer = words.Answer

_WORST_FIRST: Sequence[Answer] = ("denied", "no_answer", "quota", "rejected", "ok", "not_asked")


def worst(answers: Iterable[Answer]) -> Answer:
    """What is said of several asks of one run: one answer does not make up for another."""
    return min(answers, key=_WORST_FIRST.index)


class WindowAsk(BaseModel):
    """What an answer said of one window.

    `snapshot_id` is the snapshot that holds its rows: this ask's, or an earlier one that said the
    same. `digest` stands for the rows, whatever their order.
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
    """One extract that was asked for. Instants are UTC without a zone attached.

    `snapshot_id` is the snapshot it made, empty where it made none. `known_until` is the last day
    its rows are of, for a source without windows. `run` is shared by what was asked together.
    `asked` is what an answer was asked for that repeats a snapshot which was withdrawn: no snapshot
    that counts keeps it.
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
    """One answer about a window: when, what it was, and the snapshot that holds its rows.

    `asked` is what was asked for. One that repeats what was withdrawn counts as an answer, so that
    the publisher is not asked again and again; its rows do not count.
    """

    asked_at: datetime
    said: WindowAsk
    snapshot: Snapshot
    asked: Sequence[AskedSlices] = ()
    is_withdrawn: bool = False


class Ledger:
    """Asks of one source, kept beside its snapshots (`<source>/.ledger/`)."""

    def __init__(self, landing: Landing, source: str) -> None:
        self._landing = landing
        self._source = source
        self._records = Records(landing.store, f"{source}/.ledger", Ask, ".json")

    def asks(self, until: datetime | None = None) -> list[Ask]:
        """Asks, oldest first; of an ask whose snapshot is not there (any more), nothing counts."""
        kept = {snapshot.snapshot_id for snapshot in self._landing.snapshots(self._source)}
        return [
            ask
            for ask in self._records.all().values()
            if (until is None or ask.asked_at <= until)
            and (not ask.snapshot_id or ask.snapshot_id in kept)
        ]

    def names(self) -> list[str]:
        """A name per ask, in their order: what changes when something was asked."""
        return list(self._records.all())

    def record(self, ask: Ask) -> None:
        """Keep an ask. One that made a snapshot counts as soon as that snapshot does."""
        self._records.add(f"{ask.asked_at:%Y%m%dT%H%M%S%f}-{uuid.uuid4().hex[:6]}", ask)

    def answers(self) -> Mapping[Window, Sequence[Answered]]:
        """The answers about each window, the latest last.

        What was said before a snapshot was withdrawn went with it; an answer that repeated it
        afterwards is there.
        """
        kept = {one.snapshot_id: one for one in self._landing.snapshots(self._source)}
        withdrawn = self._landing.withdrawn(self._source)
        found: dict[Window, list[Answered]] = {}
        for ask in self.asks():
            for said in ask.windows if ask.answer == "ok" else ():
                snapshot = kept.get(said.snapshot_id)
                is_withdrawn = snapshot is None and bool(ask.asked)
                if is_withdrawn and said.snapshot_id in withdrawn:
                    snapshot = withdrawn[said.snapshot_id].snapshot
                if snapshot is not None:
                    found.setdefault(said.window, []).append(
                        Answered(
                            ask.asked_at, said, snapshot, ask.asked or snapshot.asked, is_withdrawn
                        )
                    )
        return found

    def withdrawn(self) -> Mapping[tuple[Window | None, str], Withdrawn]:
        """What was withdrawn, by window (None: without windows) and the digest of its rows."""
        withdrawn = self._landing.withdrawn(self._source)
        found: dict[tuple[Window | None, str], Withdrawn] = {}
        for ask in self._records.all().values() if withdrawn else ():
            if ask.snapshot_id in withdrawn and not ask.windows:
                found[None, ask.digest] = withdrawn[ask.snapshot_id]
            for said in ask.windows:
                if said.snapshot_id in withdrawn:
                    found[said.window, said.digest] = withdrawn[said.snapshot_id]
        return found

    def windows(self) -> Mapping[Window, Answered]:
        """The last answer about each window."""
        return {window: answers[-1] for window, answers in self.answers().items()}

    def last_run(self, until: datetime | None = None) -> Ask | None:
        """The ask of the last run that went worst, the first of them."""
        asks = self.asks(until)
        if not asks:
            return None
        run = [ask for ask in asks if ask.run == asks[-1].run] if asks[-1].run else asks[-1:]
        answer = worst(ask.answer for ask in run)
        return next(ask for ask in run if ask.answer == answer)

    def last_answered(self) -> Ask | None:
        """The last ask that was answered."""
        return _last(ask for ask in self.asks() if ask.answer == "ok")

    def last_of(self, document: str) -> Ask | None:
        """The last ask of that name that made a snapshot: what its rows say now.

        Asks after it said the same, or nothing; without the snapshot they would stand for no rows.
        """
        return _last(ask for ask in self.asks() if ask.snapshot_id and ask.document == document)

    def known_until(self) -> date | None:
        """The last day that snapshots are of, for a source without windows."""
        days = (ask.known_until for ask in self.asks() if ask.snapshot_id)
        return max((day for day in days if day), default=None)


def _last(asks: Iterable[Ask]) -> Ask | None:
    found = list(asks)
    return found[-1] if found else None
