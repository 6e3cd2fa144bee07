"""Fetches windows from a publisher and lands what is new, each extract whole or not at all.

A failed extract leaves its earlier vintages in place and does not stop the others. The caller may
be `kido fetch`, a build or a backfill.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Literal

import polars as pl

from dagster_project.errors import (
    BatchRejectedError,
    BusyError,
    ConfigurationError,
    DeniedError,
    FetchError,
    KidoError,
    QuotaError,
    ServerFailingError,
    UnexpectedStatusError,
    UpstreamFormatError,
    exception_text,
)
from dagster_project.http import Client
from dagster_project.intake import batch as batches
from dagster_project.intake.ask import ExtractFetch, RejectedAnswerError, requests_left, sweep
from dagster_project.intake.batch import PROVENANCE_COLUMNS
from dagster_project.intake.calls import counter
from dagster_project.intake.compare import compare_with_current, require_plausible
from dagster_project.intake.conform import stage
from dagster_project.intake.due import (
    answered_by,
    due_now,
    extracts_for,
    limits_of,
    newest_of,
    scope_of,
    unanswered,
)
from dagster_project.intake.ledger import Answer, Answered, Ask, Ledger, Outcome, WindowAsk, worst
from dagster_project.intake.source_lock import source_lock
from dagster_project.intake.stores import lake_of, landing_of, origin_of_card
from dagster_project.intake.withdraw import complete, reason_of
from dagster_project.lake.copies import copies_of
from dagster_project.lake.landing import (
    AskedSlices,
    Landing,
    Period,
    Snapshot,
    Withdrawn,
    sha256_of,
)
from dagster_project.lake.schemas import LAKE_TABLES
from dagster_project.lake.space import require_room_to_land
from dagster_project.lake.tables import Lake
from dagster_project.quality.revisions import Revision
from dagster_project.settings import Settings
from dagster_project.sources.card import Document, Extract, Scope, Source, Window

WindowOutcome = Literal["new", "unchanged", "empty", "withdrawn", "failed"]
"""`withdrawn`: the answer repeats a withdrawn snapshot, and stays withdrawn."""

MOST_FAILURES = 3
"""After this many unusable answers in a row the run ends: the next would be unusable, too.
"""


@dataclass(frozen=True)
class WindowResult:
    """The outcome of one window (None: of the document of a source without windows)."""

    window: Window | None
    document: str
    outcome: WindowOutcome
    rows: int = 0
    answer: Outcome = "ok"
    reason: str = ""
    snapshot_id: str = ""

    @property
    def name(self) -> str:
        return self.window.key if self.window else self.document


@dataclass
class FetchReport:
    """The outcome of a fetch. `answer` is the worst of the run, `not_asked` without any.

    `revisions` are the effects of landed answers on the figures that count, by document;
    `not_asked` are windows left for another run, since the publisher had errors.
    """

    settled: list[WindowResult] = field(default_factory=list)
    answer: Answer = "not_asked"
    reason: str = ""
    again_at: datetime | None = None
    revisions: dict[str, Sequence[Revision]] = field(default_factory=dict)
    not_asked: list[Window] = field(default_factory=list)
    calls: int = 0

    @property
    def failed(self) -> list[WindowResult]:
        return [result for result in self.settled if result.outcome == "failed"]

    @property
    def new_snapshots(self) -> list[str]:
        snapshot_ids = (
            result.snapshot_id for result in self.settled if result.outcome in ("new", "empty")
        )
        return sorted({snapshot_id for snapshot_id in snapshot_ids if snapshot_id})


@dataclass(frozen=True)
class FetchPlan:
    """The plan of a fetch: the extracts, and the number of requests as far as known."""

    extracts: Sequence[Extract]
    requests: int

    @property
    def windows(self) -> list[Window]:
        return sorted({window for extract in self.extracts for window in extract.windows})


class SourceFetch:
    """One fetch of a source: its client, its ledger, and its plan."""

    def __init__(self, settings: Settings, source: Source, *, is_patient: bool = True) -> None:
        """`is_patient`: whether requests to a silent publisher are retried (not in a build, which
        others wait for).
        """
        self._settings = settings
        self._source = source
        self._is_patient = is_patient
        self.landing: Landing = landing_of(settings)
        self.ledger = Ledger(self.landing, source.CARD.name)
        self._lake: Lake = lake_of(settings)
        self._run = uuid.uuid4().hex[:8]

    def lock(self, on_wait: Callable[[str], None] | None = None) -> AbstractContextManager[None]:
        """Lock the source: two processes that fetch at once would settle the same extracts.

        Everything from planning to the last window belongs inside. See `source_lock`.
        """
        return source_lock(self._settings, self._source.CARD.name, on_wait)

    def due(self) -> FetchPlan:
        """What the publisher may have published since the last fetch."""
        due = due_now(self._source, self.ledger, _now(), self._scope())
        return self._planned(due.windows) if due.is_due else FetchPlan((), 0)

    def newest(self, frequency: str = "") -> list[Window]:
        """The windows that may still be revised, whenever they were answered."""
        return newest_of(self._source, _now().date(), frequency)

    def wanted(self, windows: Sequence[Window], *, again: bool = False) -> FetchPlan:
        """The plan for given windows: those not answered yet or due; all of them if `again`.

        Without windows: the document, as a whole if `again`.
        """
        if not self._source.CARD.windows:
            return self._planned((), is_whole=again)
        if again:
            return self._planned(windows)
        due = due_now(self._source, self.ledger, _now(), self._scope())
        return self._planned(unanswered(windows, self.answered(windows), due))

    def answered(self, windows: Sequence[Window]) -> Mapping[Window, Answered]:
        """The windows that were answered, to a request as wide as today's or wider."""
        return answered_by(self._source, self.ledger, windows, self._scope())

    def run(
        self,
        planned: FetchPlan,
        on: Callable[[WindowResult], None] = lambda settled: None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> FetchReport:
        """Fetch what is planned. `on` gets each window as soon as it is settled.

        Raises ConfigurationError (no key where one is needed) and DiskFullError; a publisher's
        errors are reported in the result.
        """
        fetched = FetchReport(answer="ok" if planned.extracts else "not_asked")
        in_a_row = 0

        def report(settled: Sequence[WindowResult]) -> None:
            for result in settled:
                fetched.settled.append(result)
                on(result)

        self._sweep()
        if planned.extracts:
            self._require_room()
        # Messages about an answer are redacted too: its body may repeat the key.
        with self._client(fetched, sleep) as client, client.redacting():
            for number, extract in enumerate(planned.extracts):
                outcome: Outcome
                failure: KidoError
                try:
                    settled, revisions = self._fetch(client, extract, sleep)
                    if any(result.outcome == "new" for result in settled):
                        fetched.revisions[extract.document] = revisions
                    report(settled)
                    in_a_row = 0
                    continue
                except QuotaError as error:
                    outcome, fetched.again_at, failure = "quota", error.again_at, error
                except DeniedError as error:
                    outcome, failure = "denied", error
                except (UnexpectedStatusError, UpstreamFormatError, BatchRejectedError) as error:
                    outcome, failure = "rejected", error
                except FetchError as error:
                    outcome, failure = "no_answer", error
                except (KidoError, OSError):
                    raise
                except Exception as error:  # an error in one source's module must not stop others
                    outcome = "rejected"
                    failure = UpstreamFormatError(
                        f"{extract.document} cannot be settled ({exception_text(error)})."
                    )
                in_a_row += 1
                if worst([outcome, fetched.answer]) != fetched.answer:
                    fetched.answer, fetched.reason = outcome, str(failure)
                self._record_failure(extract, outcome, str(failure))
                may_be_this_one = outcome == "rejected" or isinstance(failure, ServerFailingError)
                is_over = not may_be_this_one or in_a_row >= MOST_FAILURES
                if outcome != "quota":
                    report(_failed(extract, outcome, str(failure)))
                if is_over:
                    left = planned.extracts[number + (outcome != "quota") :]
                    fetched.not_asked = [window for each in left for window in each.windows]
                    break
        return fetched

    def _planned(self, windows: Sequence[Window], *, is_whole: bool = False) -> FetchPlan:
        scope = self._scope()
        if is_whole:
            scope = replace(scope, known_until=None)
        extracts = extracts_for(self._source, windows, scope)
        left = (requests_left(self.landing, self._source, extract) for extract in extracts)
        return FetchPlan(extracts, sum(left))

    def _scope(self) -> Scope:
        return scope_of(self._settings, self._source, self.ledger)

    @property
    def _folder(self) -> Path:
        return self._settings.intake_dir

    def _client(self, fetched: FetchReport, sleep: Callable[[float], None]) -> Client:
        name, card = self._source.CARD.name, self._source.CARD
        own = self._settings.source(name)
        limits = limits_of(self._settings, self._source)
        count = counter(self._folder, name, limits.calls_a_day)

        def before_call() -> None:
            count()
            fetched.calls += 1

        return Client(
            base_url=card.base_url or "",
            stand_in=own.url,
            key=own.key,
            limits=limits,
            timeout_s=self._settings.timeout_s,
            attempts_at_silence=3 if self._is_patient else 1,
            before_call=before_call,
            sleep=sleep,
        )

    def _fetch(
        self, client: Client, extract: Extract, sleep: Callable[[float], None]
    ) -> tuple[list[WindowResult], Sequence[Revision]]:
        """Fetch one extract and settle it: its windows, and its effect on the figures that count.
        On an error, nothing of it counts.
        """
        asking = ExtractFetch(self.landing, self._source, extract, self._folder)
        try:
            state = asking.run(client, sleep)
        except RejectedAnswerError as error:
            if error.file is not None:
                asking.quarantine(self._settings.quarantine_dir, str(error), error.file)
            raise
        document = Document(extract.document, state.answered_at, is_bundled=False)
        try:
            batch = batches.read(
                self._source,
                [(payload, document) for payload in asking.payloads()],
                self._settings.scope,
                is_extract=True,
            )
            self._require_windows(extract, batch)
            revisions = self._plausible_revisions(extract, asking, batch)
        except ConfigurationError:
            raise
        except KidoError as error:
            asking.quarantine(self._settings.quarantine_dir, str(error))
            asking.discard()
            raise
        if extract.windows:
            return self._settle_windows(extract, asking, batch), revisions
        return self._settle_document(extract, asking, batch), revisions

    def _settle_windows(
        self, extract: Extract, asking: ExtractFetch, batch: batches.Batch
    ) -> list[WindowResult]:
        """Land the windows with changes; the others stay with the earlier snapshot."""
        state = asking.state
        frames = batch.frames(state.snapshot_id)
        rows = batches.by_window(frames, extract.windows)
        # For a wider request the same rows mean more: what is absent is not published.
        before = answered_by(
            self._source, self.ledger, extract.windows, self._scope(), is_counting=True
        )
        withdrawn = self._withdrawn(asking)
        stays: dict[Window, Withdrawn] = {}
        landed_at = self._last_landed_by_hand()
        asks: list[WindowAsk] = []
        for window in extract.windows:
            digest = batches.digest(rows[window])
            last = before.get(window)
            is_new = (
                last is None
                or last.window_ask.digest != digest
                or (landed_at is not None and landed_at > last.snapshot.retrieved_at)
            )
            holder = last.window_ask.snapshot_id if last and not is_new else state.snapshot_id
            withdrawal = withdrawn(window, digest) if is_new else None
            if withdrawal is not None:
                stays[window], holder, is_new = withdrawal, withdrawal.snapshot.snapshot_id, False
            asks.append(
                WindowAsk(
                    frequency=window.frequency,
                    start=window.start,
                    rows=sum(frame.height for frame in rows[window].values()),
                    digest=digest,
                    snapshot_id=holder,
                    is_new=is_new,
                )
            )
        new = [window_ask.window for window_ask in asks if window_ask.is_new]
        ask = Ask(
            document=extract.document,
            asked_at=state.answered_at,
            answer="ok",
            snapshot_id=state.snapshot_id if new else "",
            run=self._run,
            windows=tuple(asks),
            asked=_asked_slices(extract) if stays else (),
        )
        if new:
            self._land(extract, asking, batch, new, frames, ask)
        else:
            self.ledger.record(ask)
            asking.discard()
        return [
            WindowResult(
                window_ask.window,
                extract.document,
                "withdrawn"
                if window_ask.window in stays
                else "unchanged"
                if not window_ask.is_new
                else "new"
                if window_ask.rows
                else "empty",
                window_ask.rows,
                reason=reason_of(stays[window_ask.window]) if window_ask.window in stays else "",
                snapshot_id=window_ask.snapshot_id,
            )
            for window_ask in asks
        ]

    def _withdrawn(self, asking: ExtractFetch) -> Callable[[Window | None, str], Withdrawn | None]:
        """The withdrawn snapshot that an answer repeats: by its bytes, or by its rows."""
        by_rows = self.ledger.withdrawn()
        by_bytes = self.landing.withdrawn_bytes(
            sha256_of(asking.state.parts), source=self._source.CARD.name
        )
        # Two answers without rows may be the same bytes for different windows.
        if by_bytes is not None and by_bytes.snapshot.was_fetched:
            by_bytes = None
        return lambda window, digest: by_bytes or by_rows.get((window, digest))

    def _settle_document(
        self, extract: Extract, asking: ExtractFetch, batch: batches.Batch
    ) -> list[WindowResult]:
        state = asking.state
        frames = batch.frames(state.snapshot_id)
        digest = batches.digest(frames)
        last = self.ledger.last_of(extract.document)
        # A snapshot landed since, under another name or by hand, may differ.
        is_known = (
            last is not None and last.digest == digest and last.snapshot_id == self._last_landed()
        )
        is_new = batch.rows > 0 and not (is_known or self._is_in_the_lake(frames))
        stays = self._withdrawn(asking)(None, digest) if is_new else None
        is_new = is_new and stays is None
        ask = Ask(
            document=extract.document,
            asked_at=state.answered_at,
            answer="ok",
            snapshot_id=state.snapshot_id if is_new else "",
            digest=digest,
            known_until=_known_until(frames),
            run=self._run,
        )
        if is_new:
            self._land(extract, asking, batch, [], frames, ask)
        else:
            self.ledger.record(ask)
            asking.discard()
        outcome: WindowOutcome = "new" if is_new else "unchanged" if batch.rows else "empty"
        return [
            WindowResult(
                None,
                extract.document,
                "withdrawn" if stays else outcome,
                batch.rows,
                reason=reason_of(stays) if stays else "",
                snapshot_id=ask.snapshot_id,
            )
        ]

    def _land(
        self,
        extract: Extract,
        asking: ExtractFetch,
        batch: batches.Batch,
        windows: Sequence[Window],
        frames: dict[str, pl.DataFrame],
        ask: Ask,
    ) -> Snapshot:
        """Stage the rows, write the ledger, then the origin record that makes all of it count.

        If killed in between, nothing counts, and the parts are kept for the next run.
        """
        snapshot = self._snapshot(extract, asking, windows)
        stage(self._settings, self._lake, self._source, snapshot, batch)
        self.ledger.record(ask)
        self.landing.record(snapshot)
        asking.finish()
        return snapshot

    def _snapshot(
        self, extract: Extract, asking: ExtractFetch, windows: Sequence[Window]
    ) -> Snapshot:
        """The answer as a snapshot that counts for these windows."""
        state = asking.state
        return self.landing.describe(
            state.snapshot_id,
            self._source.CARD.name,
            extract.document,
            state.parts,
            origin_of_card(self._source),
            windows=[Period(frequency=window.frequency, start=window.start) for window in windows],
            asked=_asked_slices(extract),
            retrieved_at=state.answered_at,
        )

    def _require_room(self) -> None:
        """Raise DiskFullError if an answer as large as the largest so far has no room."""
        snapshots = self.landing.snapshots(self._source.CARD.name)
        largest = max((snapshot.bytes for snapshot in snapshots), default=0)
        what = f"asking {self._source.CARD.name}"
        require_room_to_land(self._settings.folders, largest, what)

    def _sweep(self) -> None:
        """Remove leftovers of killed runs that are no longer needed."""
        name = self._source.CARD.name
        complete(self.landing, self._lake, name)
        self.landing.sweep(name)
        sweep(self.landing, self._source)
        # The source is held: a leftover download belongs to no running process.
        for file in self._folder.glob(f"{name}-*.part"):
            file.unlink(missing_ok=True)

    def _is_in_the_lake(self, frames: dict[str, pl.DataFrame]) -> bool:
        """Whether the newest rows of the lake already contain all of these.

        For tables whose slice is a whole document this cannot be decided row by row.
        """
        copies = copies_of(self.landing, self._source.CARD.name, self._lake)
        today = _now().date()
        for name, frame in frames.items():
            table = LAKE_TABLES[name]
            left_out = copies.left_out(table, today)
            known = self._lake.rows(table, self._source.CARD.name, left_out)
            if "document" in table.vintage_slice or (known is None and frame.height):
                return False
            if known is None:
                continue
            newest = (
                table.conform(
                    known.join(frame.lazy(), on=table.key, how="semi", nulls_equal=True).collect()
                )
                .sort("vintage_at", "snapshot_id")
                .unique(table.key, keep="last")
            )
            content = [column for column in frame.columns if column not in PROVENANCE_COLUMNS]
            if frame.join(newest, on=content, how="anti", nulls_equal=True).height:
                return False
        return True

    def _require_windows(self, extract: Extract, batch: batches.Batch) -> None:
        """Raise UpstreamFormatError where rows are outside the requested windows."""
        if not extract.windows:
            return
        for name, table in batch.tables.items():
            declared = LAKE_TABLES[name]
            if declared.period is None:
                continue
            inside = pl.any_horizontal(
                batches.in_window(declared, window) for window in extract.windows
            )
            outside = table.frame.filter(~inside)
            if outside.height:
                raise UpstreamFormatError(
                    f"{self._source.CARD.name}: {extract.document} has {outside.height} rows of "
                    f"periods that were not requested, first {outside[declared.period][0]}."
                )

    def _plausible_revisions(
        self, extract: Extract, asking: ExtractFetch, batch: batches.Batch
    ) -> Sequence[Revision]:
        """The effect of the answer on the figures that count, by table. Raises ImplausibleError
        where it would shrink or shift them.
        """
        name = self._source.CARD.name
        answer = self._snapshot(extract, asking, extract.windows)
        frames = batch.frames(answer.snapshot_id)
        revisions = compare_with_current(
            self.landing, self._lake, self._source, frames, scope=batch.scope, answer=answer
        )
        require_plausible(f"{name}: {extract.document}", revisions, self._how_to_land(asking))
        return revisions

    def _how_to_land(self, asking: ExtractFetch) -> str:
        """The command to land the answer nevertheless: all the parts that will be in quarantine."""
        name, files = self._source.CARD.name, [part.file for part in asking.state.parts]
        folder = asking.quarantined(self._settings.quarantine_dir)
        shown = files if len(files) <= 3 else [files[0], "...", files[-1]]
        return (
            f"If it is right, in {folder}: kido land {name} {' '.join(shown)} --replace"
            f"{f' (all {len(files):,} parts at once)' if len(files) > 1 else ''}."
        )

    def _last_landed(self) -> str:
        """The snapshot that was retrieved last, bundled ones excluded."""
        landed = [
            snapshot
            for snapshot in self.landing.snapshots(self._source.CARD.name)
            if not snapshot.is_bundled
        ]
        newest_one = max(
            landed, key=lambda snapshot: (snapshot.retrieved_at, snapshot.snapshot_id), default=None
        )
        return newest_one.snapshot_id if newest_one else ""

    def _last_landed_by_hand(self) -> datetime | None:
        """When a file was last landed by hand: after it, a repeated answer is new again."""
        return max(
            (
                snapshot.retrieved_at
                for snapshot in self.landing.snapshots(self._source.CARD.name)
                if snapshot.is_landed_by_hand
            ),
            default=None,
        )

    def _record_failure(self, extract: Extract, outcome: Outcome, reason: str) -> None:
        self.ledger.record(
            Ask(
                document=extract.document,
                asked_at=_now(),
                answer=outcome,
                reason=reason,
                run=self._run,
            )
        )


def _asked_slices(extract: Extract) -> tuple[AskedSlices, ...]:
    return tuple(
        AskedSlices(
            table=asked.table,
            reporters=asked.reporters,
            flows=asked.flows,
            commodity_codes=asked.commodity_codes,
        )
        for asked in extract.asked
    )


def fetch_due(settings: Settings, source: Source) -> FetchReport:
    """Fetch what is due, for a build: it waits neither for a silent publisher nor for another run.

    Raises ConfigurationError; other errors are reported in the result.
    """
    fetching = SourceFetch(settings, source, is_patient=False)
    try:
        with fetching.lock():
            return fetching.run(fetching.due())
    except BusyError as error:
        return FetchReport(answer="not_asked", reason=str(error))
    except UpstreamFormatError as error:  # the requests could not be planned
        fetching.ledger.record(
            Ask(document="", asked_at=_now(), answer="rejected", reason=str(error))
        )
        return FetchReport(answer="rejected", reason=str(error))


def _failed(extract: Extract, answer: Outcome, reason: str) -> list[WindowResult]:
    windows: Sequence[Window | None] = extract.windows or (None,)
    return [
        WindowResult(window, extract.document, "failed", answer=answer, reason=reason)
        for window in windows
    ]


def _known_until(frames: dict[str, pl.DataFrame]) -> date | None:
    """The last day of the rows; None for tables whose period is not a day."""
    last_days = [
        frame[period].max()
        for name, frame in frames.items()
        if (period := LAKE_TABLES[name].period) and frame.schema[period] == pl.Date
    ]
    return max((day for day in last_days if isinstance(day, date)), default=None)


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
