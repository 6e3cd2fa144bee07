"""Fetches windows from a publisher and lands what is new, each extract whole or not at all.

A failed extract leaves its earlier vintages in place and does not stop the others. Callers are
`kido fetch`, a build and a backfill.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
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
    UnreachableError,
    UpstreamFormatError,
    exception_text,
)
from dagster_project.http import Client
from dagster_project.intake import batch as batches
from dagster_project.intake.ask import ExtractDownload, RejectedAnswerError, requests_left, sweep
from dagster_project.intake.batch import PROVENANCE_COLUMNS
from dagster_project.intake.calls import counter
from dagster_project.intake.compare import compare_rows, require_plausible
from dagster_project.intake.conform import repair, stage
from dagster_project.intake.due import (
    Due,
    answered_by,
    due_now,
    extracts_for,
    limits_of,
    newest_of,
    releases_of,
    scope_of,
    unanswered,
)
from dagster_project.intake.ledger import Answer, Answered, Ask, Ledger, Outcome, WindowAsk, worst
from dagster_project.intake.source_lock import source_lock
from dagster_project.intake.stores import lake_of, landing_of, origin_of_card
from dagster_project.intake.withdraw import complete, reason_of
from dagster_project.lake.copies import copies_of
from dagster_project.lake.landing import (
    FUTURE_FROM,
    AskedSlices,
    Landing,
    Part,
    Period,
    Snapshot,
    Withdrawn,
    sha256_of,
)
from dagster_project.lake.schemas import LAKE_TABLES
from dagster_project.lake.space import require_room_to_land
from dagster_project.lake.tables import Lake, Rows
from dagster_project.quality.revisions import Revision
from dagster_project.settings import Settings
from dagster_project.sources.card import Document, Extract, Scope, Source, Window

WindowOutcome = Literal["new", "unchanged", "empty", "withdrawn", "failed"]
"""`withdrawn`: the answer repeats a withdrawn snapshot and is not landed."""

MOST_FAILURES = 3
"""After this many failed extracts in a row the run ends: the next would most likely fail, too."""


SHORT_WAIT = timedelta(minutes=15)
"""A publisher that asks for a longer wait is left to a later run."""


@dataclass(frozen=True)
class WindowResult:
    """The outcome of one window (None: of the document of a source without windows).

    `warnings` are those of the answers of a document (`card.Done`).
    """

    window: Window | None
    document: str
    outcome: WindowOutcome
    rows: int = 0
    answer: Outcome = "ok"
    reason: str = ""
    snapshot_id: str = ""
    warnings: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.window.key if self.window else self.document

    @property
    def landed_rows(self) -> int:
        return self.rows if self.outcome == "new" else 0


@dataclass
class FetchReport:
    """The outcome of a fetch. `answer` is the worst of the run, "not_asked" if nothing was sent.

    `revisions` are the effects of landed answers on the current figures, by document. `not_asked`
    are the windows that were not requested because the run ended early. `again_at` is the instant
    (UTC) from which a publisher with a used-up quota answers again, where it is known.
    `received_bytes` are those of bodies as they were sent, also of those that were cut or rejected.
    `lasting` is the number of failures that another try some minutes later would meet again: a
    refused key, a used-up quota, a wrong format.
    """

    settled: list[WindowResult] = field(default_factory=list)
    answer: Answer = "not_asked"
    reason: str = ""
    again_at: datetime | None = None
    revisions: dict[str, Sequence[Revision]] = field(default_factory=dict)
    not_asked: list[Window] = field(default_factory=list)
    calls: int = 0
    received_bytes: int = 0
    lasting: int = 0

    @property
    def may_pass(self) -> bool:
        """Whether it failed, and only for reasons that may be gone in some minutes."""
        return self.answer in ("no_answer", "quota") and not self.lasting

    @property
    def failed(self) -> list[WindowResult]:
        return [result for result in self.settled if result.outcome == "failed"]

    @property
    def landed_rows(self) -> int:
        return sum(result.landed_rows for result in self.settled)

    @property
    def new_snapshots(self) -> list[str]:
        snapshot_ids = (
            result.snapshot_id for result in self.settled if result.outcome in ("new", "empty")
        )
        return sorted({snapshot_id for snapshot_id in snapshot_ids if snapshot_id})

    def add_failure(self, outcome: Outcome, error: KidoError) -> None:
        """Record a failed extract; the worst outcome of the run stays the answer."""
        if isinstance(error, QuotaError):
            self.again_at = error.again_at
        self.lasting += not _may_pass(error)
        if worst([outcome, self.answer]) != self.answer:
            self.answer, self.reason = outcome, str(error)


@dataclass(frozen=True)
class FetchPlan:
    """The plan of a fetch: the extracts, and the number of requests as far as it is known."""

    extracts: Sequence[Extract]
    requests: int

    @property
    def windows(self) -> list[Window]:
        return sorted({window for extract in self.extracts for window in extract.windows})

    @property
    def number_of_results(self) -> int:
        """The number of windows of each extract; a document without windows counts as one."""
        return sum(len(extract.windows) or 1 for extract in self.extracts)


class SourceFetch:
    """One fetch of a source: its plan, its requests, and what is landed of the answers."""

    def __init__(
        self,
        settings: Settings,
        source: Source,
        *,
        is_patient: bool = True,
        is_read_only: bool = False,
    ) -> None:
        """`is_patient`: whether requests to a silent publisher are retried.

        They are not where other sources wait for it: in a build, in a fetch of every source.
        `is_read_only`: whether it only plans; then no file is written. Else damaged rows of the
        source in the lake are made again first: answers are compared with them.
        """
        if not is_read_only:
            repair(settings, source)
        self._settings = settings
        self._source = source
        self._is_patient = is_patient
        self.landing: Landing = landing_of(settings, is_read_only=is_read_only)
        self.ledger = Ledger(self.landing, source.CARD.name)
        self._lake: Lake = lake_of(settings)
        self._run = uuid.uuid4().hex[:8]

    def lock(self, on_wait: Callable[[str], None] | None = None) -> AbstractContextManager[None]:
        """Lock the source: two processes that fetch at once would land the same extracts.

        Everything from planning to the last window belongs inside. See `source_lock`.
        """
        return source_lock(self._settings, self._source.CARD.name, on_wait)

    def plan_due(self) -> FetchPlan:
        """The plan for what the publisher may have published since the last fetch."""
        due = self._due()
        plan = self._plan(due.windows) if due.windows else self._plan_of(due.documents)
        if not due.needs_calendar:
            return plan
        # Last: that it fails must not keep a period from being fetched.
        calendar = self._source.release_calendar()
        return FetchPlan([*plan.extracts, calendar], plan.requests + len(calendar.requests))

    def newest(self, frequency: str = "") -> list[Window]:
        """The windows that may still be revised, even those that were answered just now."""
        return newest_of(self._source, _now().date(), frequency)

    def plan_windows(self, windows: Sequence[Window], *, again: bool = False) -> FetchPlan:
        """The plan for given windows: those not answered yet or due; all of them if `again`.

        For a source without windows: its document, as a whole if `again`.
        """
        if not self._source.CARD.windows:
            return self._plan((), is_whole=again)
        if again:
            return self._plan(windows)
        return self._plan(unanswered(windows, self.answered(windows), self._due()))

    def plan_from(self, day: date) -> FetchPlan:
        """The plan for what a source without windows has published from a day on."""
        scope = replace(self._scope(), first_day=day)
        return self._plan_of(extracts_for(self._source, (), scope))

    def without_answered(self, plan: FetchPlan, since: datetime) -> FetchPlan:
        """A plan without the extracts that were answered since an instant (UTC, no zone)."""
        answered = self.answered(plan.windows)

        def is_answered(extract: Extract) -> bool:
            if not extract.windows:
                last = self.ledger.last_answered(extract.document)
                return last is not None and last.asked_at >= since
            return all(
                window in answered and answered[window].asked_at >= since
                for window in extract.windows
            )

        return self._plan_of([each for each in plan.extracts if not is_answered(each)])

    def _due(self) -> Due:
        releases = releases_of(self._lake, self._source)
        return due_now(self._source, self.ledger, _now(), self._scope(), releases)

    def answered(self, windows: Sequence[Window]) -> Mapping[Window, Answered]:
        """The last answer about each window to a request as wide as today's, or wider."""
        return answered_by(self._source, self.ledger, windows, self._scope())

    def run(
        self,
        plan: FetchPlan,
        on_settled: Callable[[WindowResult], None] = lambda result: None,
        sleep: Callable[[float], None] = time.sleep,
        *,
        on_received: Callable[[int], None] = lambda size: None,
        on_pause: Callable[[float, str], None] = lambda seconds, reason: None,
    ) -> FetchReport:
        """Fetch what is planned; `on_settled` gets the result of each window at once.

        `on_received` gets the size of each block of an answer as it arrives; `on_pause` gets the
        seconds and the reason of each wait for a limit, a quota or a retry before it begins.
        Raises ConfigurationError (no key where one is needed) and DiskFullError; a publisher's
        errors are in the report.
        """
        report = FetchReport(answer="ok" if plan.extracts else "not_asked")
        failures_in_a_row = 0

        def settle(results: Sequence[WindowResult]) -> None:
            for result in results:
                report.settled.append(result)
                on_settled(result)

        self._sweep()
        if plan.extracts:
            self._require_room()
        # Messages about an answer are redacted too: its body may repeat the key.
        client = self._client(report, sleep, on_received, on_pause)
        with client, client.redacting():
            for number, extract in enumerate(plan.extracts):
                try:
                    results, revisions = self._fetch(client, extract, sleep, on_pause)
                    if any(result.outcome == "new" for result in results):
                        report.revisions[extract.document] = revisions
                    settle(results)
                    failures_in_a_row = 0
                    continue
                except Exception as error:
                    failure = self._without_values(_failure_of(error, extract))
                failures_in_a_row += 1
                outcome = _outcome_of(failure)
                report.add_failure(outcome, failure)
                self._record_failure(extract, outcome, str(failure))
                if outcome != "quota":
                    settle(_failed(extract, outcome, str(failure)))
                may_be_this_extract = outcome == "rejected" or isinstance(
                    failure, ServerFailingError
                )
                if not may_be_this_extract or failures_in_a_row >= MOST_FAILURES:
                    not_asked = plan.extracts[number + (outcome != "quota") :]
                    report.not_asked = [window for each in not_asked for window in each.windows]
                    break
        return report

    def _plan(self, windows: Sequence[Window], *, is_whole: bool = False) -> FetchPlan:
        scope = self._scope()
        if is_whole:
            scope = replace(scope, known_until=None)
        return self._plan_of(extracts_for(self._source, windows, scope))

    def _plan_of(self, extracts: Sequence[Extract]) -> FetchPlan:
        left = (requests_left(self.landing, self._source, extract) for extract in extracts)
        return FetchPlan(extracts, sum(left))

    def _scope(self) -> Scope:
        return scope_of(self._settings, self._source, self.ledger)

    @property
    def _folder(self) -> Path:
        return self._settings.intake_dir

    def _client(
        self,
        report: FetchReport,
        sleep: Callable[[float], None],
        on_received: Callable[[int], None],
        on_pause: Callable[[float, str], None],
    ) -> Client:
        """The publisher's client: calls are counted for the day and in the report, bytes in it."""
        name, card = self._source.CARD.name, self._source.CARD
        own = self._settings.source(name)
        limits = limits_of(self._settings, self._source)
        count = counter(self._folder, name, limits.calls_a_day)

        def before_call() -> None:
            count()
            report.calls += 1

        def count_bytes(size: int) -> None:
            report.received_bytes += size
            on_received(size)

        return Client(
            base_url=card.base_url or "",
            stand_in=own.url,
            key=own.key,
            limits=limits,
            timeout_s=self._settings.timeout_s,
            attempts_at_silence=3 if self._is_patient else 1,
            before_call=before_call,
            on_received=count_bytes,
            on_pause=on_pause,
            sleep=sleep,
        )

    def _fetch(
        self,
        client: Client,
        extract: Extract,
        sleep: Callable[[float], None],
        on_pause: Callable[[float, str], None],
    ) -> tuple[list[WindowResult], Sequence[Revision]]:
        """Fetch one extract and land what is new: its windows, and its effect on current figures.

        On an error, nothing of it is landed.
        """
        download = ExtractDownload(self.landing, self._source, extract, self._folder)
        try:
            download.run(client, sleep, on_pause)
        except (RejectedAnswerError, UnexpectedStatusError) as error:
            if isinstance(error, RejectedAnswerError) and error.file is not None:
                download.quarantine(self._settings.quarantine_dir, str(error), error.file)
            if not download.state.parts:
                # The next run begins again: the address that it found may be out of date.
                download.discard()
            raise
        if repeated := self._repeated(extract, download):
            return self._settle_repeated(extract, download, repeated), ()
        with batches.spool_folder(self._settings.spool_dir) as folder:
            try:
                batch = self._read(extract, download, folder)
                self._require_windows(extract, batch)
                revisions = self._plausible_revisions(extract, download, batch)
            except ConfigurationError:
                raise
            except KidoError as error:
                download.quarantine(self._settings.quarantine_dir, str(error))
                download.discard()
                raise
            if extract.windows:
                return self._settle_windows(extract, download, batch), revisions
            return self._settle_document(extract, download, batch), revisions

    def _read(self, extract: Extract, download: ExtractDownload, folder: Path) -> batches.Batch:
        """The answer as a batch; one large document is read block by block."""
        state = download.state
        documents = [
            Document(part.document or extract.document, state.answered_at, is_bundled=False)
            for part in state.parts
        ]
        is_one_file = len(state.parts) == 1 and not extract.windows
        payloads: Sequence[bytes | Path]
        if is_one_file and batches.is_large(self._source, state.parts[0].bytes):
            payloads = [download.part_as_file(folder)]
        else:
            payloads = download.payloads()
        return batches.read_parts(
            self._source,
            list(zip(payloads, documents, strict=True)),
            state.snapshot_id,
            folder,
            self._settings.scope,
            is_extract=True,
        )

    def _repeated(self, extract: Extract, download: ExtractDownload) -> Ask | None:
        """The ask whose snapshot has the same bytes, and is the last one that was landed.

        None where the answer has to be read: of windows each has a snapshot of its own.
        """
        last = self.ledger.last_of(extract.document)
        if extract.windows or last is None or last.snapshot_id != self._last_landed():
            return None
        known = {
            snapshot.snapshot_id: snapshot.sha256
            for snapshot in self.landing.snapshots(self._source.CARD.name)
        }
        is_same = known[last.snapshot_id] == sha256_of(download.state.parts)
        is_in_the_lake = last.snapshot_id in self._lake.records(self._source.CARD.name)
        return last if is_same and is_in_the_lake else None

    def _settle_repeated(
        self, extract: Extract, download: ExtractDownload, repeated: Ask
    ) -> list[WindowResult]:
        """Record an answer of known bytes, without reading it; its parts are discarded."""
        ask = Ask(
            document=extract.document,
            asked_at=download.state.answered_at,
            answer="ok",
            digest=repeated.digest,
            known_until=repeated.known_until,
            run=self._run,
        )
        self.ledger.record(ask)
        download.discard()
        record = self._lake.records(self._source.CARD.name)[repeated.snapshot_id]
        rows = sum(
            part.rows for table, part in record.tables.items() if table in self._source.CARD.tables
        )
        warnings = tuple(download.state.warnings)
        return [WindowResult(None, extract.document, "unchanged", rows, warnings=warnings)]

    def _settle_windows(
        self, extract: Extract, download: ExtractDownload, batch: batches.Batch
    ) -> list[WindowResult]:
        """Land the windows with changes; the others stay with the earlier snapshot."""
        state = download.state
        frames = batch.frames(state.snapshot_id)
        window_asks, repeated = self._compare_windows(extract, download, frames)
        new = [window_ask.window for window_ask in window_asks if window_ask.is_new]
        ask = Ask(
            document=extract.document,
            asked_at=state.answered_at,
            answer="ok",
            snapshot_id=state.snapshot_id if new else "",
            run=self._run,
            windows=tuple(window_asks),
            asked=_asked_slices(extract) if repeated else (),
        )
        self._land_or_discard(extract, download, batch, new, ask)
        return [
            _window_result(extract, window_ask, repeated.get(window_ask.window))
            for window_ask in window_asks
        ]

    def _compare_windows(
        self, extract: Extract, download: ExtractDownload, frames: Mapping[str, pl.DataFrame]
    ) -> tuple[list[WindowAsk], dict[Window, Withdrawn]]:
        """The answer about each window: new or as before; and the withdrawn answers it repeats."""
        rows = batches.by_window(frames, extract.windows)
        # For a wider request the same rows mean more: what is absent is not published.
        before = answered_by(
            self._source, self.ledger, extract.windows, self._scope(), only_current=True
        )
        withdrawal_of = self._withdrawals(download)
        landed_at = self._last_landed_by_hand()
        window_asks: list[WindowAsk] = []
        repeated: dict[Window, Withdrawn] = {}
        for window in extract.windows:
            digest = batches.digest(rows[window])
            last = before.get(window)
            is_new = (
                last is None
                or last.window_ask.digest != digest
                or (landed_at is not None and landed_at > last.snapshot.retrieved_at)
            )
            snapshot_id = download.state.snapshot_id
            if last and not is_new:
                snapshot_id = last.window_ask.snapshot_id
            elif withdrawal := withdrawal_of(window, digest):
                repeated[window], is_new = withdrawal, False
                snapshot_id = withdrawal.snapshot.snapshot_id
            window_asks.append(
                WindowAsk(
                    frequency=window.frequency,
                    start=window.start,
                    rows=sum(frame.height for frame in rows[window].values()),
                    digest=digest,
                    snapshot_id=snapshot_id,
                    is_new=is_new,
                )
            )
        return window_asks, repeated

    def _withdrawals(
        self, download: ExtractDownload
    ) -> Callable[[Window | None, str], Withdrawn | None]:
        """The withdrawn snapshot that an answer repeats: with equal bytes, or with equal rows.

        A function of the window (None: the document) and the digest of its rows.
        """
        by_rows = self.ledger.withdrawn()
        by_bytes = self.landing.withdrawn_bytes(
            sha256_of(download.state.parts), source=self._source.CARD.name
        )
        # Two answers without rows may be the same bytes for different windows.
        if by_bytes is not None and by_bytes.snapshot.was_fetched:
            by_bytes = None
        return lambda window, digest: by_bytes or by_rows.get((window, digest))

    def _settle_document(
        self, extract: Extract, download: ExtractDownload, batch: batches.Batch
    ) -> list[WindowResult]:
        state = download.state
        rows = batch.rows_of(state.snapshot_id)
        digest = _digest(rows, state.parts)
        last = self.ledger.last_of(extract.document)
        # A snapshot landed since, under another name or by hand, may differ.
        is_known = (
            last is not None and last.digest == digest and last.snapshot_id == self._last_landed()
        )
        is_new = batch.rows > 0 and not (is_known or self._is_in_the_lake(rows))
        withdrawal = self._withdrawals(download)(None, digest) if is_new else None
        is_new = is_new and withdrawal is None
        ask = Ask(
            document=extract.document,
            asked_at=state.answered_at,
            answer="ok",
            snapshot_id=state.snapshot_id if is_new else "",
            digest=digest,
            known_until=_known_until(rows),
            run=self._run,
        )
        self._land_or_discard(extract, download, batch, [], ask)
        outcome: WindowOutcome = "new" if is_new else "unchanged" if batch.rows else "empty"
        reason = "" if batch.rows else self._source.CARD.without_rows
        return [
            WindowResult(
                None,
                extract.document,
                "withdrawn" if withdrawal else outcome,
                batch.rows,
                reason=reason_of(withdrawal) if withdrawal else reason,
                snapshot_id=ask.snapshot_id,
                warnings=tuple(state.warnings),
            )
        ]

    def _land_or_discard(
        self,
        extract: Extract,
        download: ExtractDownload,
        batch: batches.Batch,
        windows: Sequence[Window],
        ask: Ask,
    ) -> None:
        """Record an answer in the ledger; land it if it makes a snapshot, else discard its parts.

        The origin record is written last: if killed before it, nothing is landed, and the parts
        are kept for the next run.
        """
        if not ask.snapshot_id:
            self.ledger.record(ask)
            download.discard()
            return
        snapshot = self._snapshot(extract, download, windows)
        stage(self._settings, self._lake, self._source, snapshot, batch)
        self.ledger.record(ask)
        self.landing.record(snapshot)
        download.finish()

    def _snapshot(
        self, extract: Extract, download: ExtractDownload, windows: Sequence[Window]
    ) -> Snapshot:
        """The answer as a snapshot with the rows of these windows."""
        state = download.state
        own_names = [part.document for part in state.parts if part.document]
        return self.landing.describe(
            state.snapshot_id,
            self._source.CARD.name,
            own_names[0] if len(own_names) == len(state.parts) == 1 else extract.document,
            state.parts,
            origin_of_card(self._source),
            windows=[Period(frequency=window.frequency, start=window.start) for window in windows],
            asked=_asked_slices(extract),
            retrieved_at=state.answered_at,
            request=_first_request(self._source, extract),
        )

    def _require_room(self) -> None:
        """Raise DiskFullError if there is no room for an answer as large as the largest so far."""
        snapshots = self.landing.snapshots(self._source.CARD.name)
        largest = max((snapshot.bytes for snapshot in snapshots), default=0)
        what = f"asking {self._source.CARD.name}"
        require_room_to_land(self._settings.folders, largest, what)

    def _sweep(self) -> None:
        """Remove what killed runs left and no run needs."""
        name = self._source.CARD.name
        complete(self.landing, self._lake, name)
        self.landing.sweep(name, self._lake.snapshot_ids(name))
        sweep(self.landing, self._source, self._folder)

    def _is_in_the_lake(self, rows: Mapping[str, Rows]) -> bool:
        """Whether the lake's newest rows that are known by now contain all of these already.

        False for a table whose slice is a whole document: rows do not decide it there. False for
        spooled rows, which are too many to compare.
        """
        frames = {name: frame for name, frame in rows.items() if isinstance(frame, pl.DataFrame)}
        if len(frames) < len(rows):
            return False
        copies = copies_of(self.landing, self._source.CARD.name, self._lake)
        now = _now()
        for name, frame in frames.items():
            table = LAKE_TABLES[name]
            left_out = copies.left_out(table, now.date())
            known = self._lake.rows(table, self._source.CARD.name, left_out)
            if "document" in table.vintage_slice or (known is None and frame.height):
                return False
            if known is None:
                continue
            known = known.filter(pl.col("vintage_at") <= now + FUTURE_FROM)
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
        self, extract: Extract, download: ExtractDownload, batch: batches.Batch
    ) -> Sequence[Revision]:
        """The effect of the answer on the current figures, by table.

        Raises ImplausibleError where it would shrink or shift them.
        """
        name = self._source.CARD.name
        answer = self._snapshot(extract, download, extract.windows)
        rows = batch.rows_of(answer.snapshot_id)
        revisions = compare_rows(
            self.landing, self._lake, self._source, rows, scope=batch.scope, answer=answer
        )
        require_plausible(f"{name}: {extract.document}", revisions, self._how_to_land(download))
        return revisions

    def _how_to_land(self, download: ExtractDownload) -> str:
        """The hint on how to land the answer all the same: the parts that will be in quarantine."""
        name, files = self._source.CARD.name, [part.file for part in download.state.parts]
        folder = download.quarantine_folder(self._settings.quarantine_dir)
        shown = files if len(files) <= 3 else [files[0], "...", files[-1]]
        return (
            f"If it is right, in {folder}: kido land {name} {' '.join(shown)} --replace"
            f"{f' (all {len(files):,} parts at once)' if len(files) > 1 else ''}."
        )

    def _last_landed(self) -> str:
        """The snapshot that was retrieved last, bundled ones and those of the future excluded."""
        now = _now()
        landed = [
            snapshot
            for snapshot in self.landing.snapshots(self._source.CARD.name)
            if not (snapshot.is_bundled or snapshot.is_from_the_future(now))
        ]
        last = max(
            landed, key=lambda snapshot: (snapshot.retrieved_at, snapshot.snapshot_id), default=None
        )
        return last.snapshot_id if last else ""

    def _last_landed_by_hand(self) -> datetime | None:
        """When a file was last landed by hand: after it, a repeated answer is new again."""
        now = _now()
        return max(
            (
                snapshot.retrieved_at
                for snapshot in self.landing.snapshots(self._source.CARD.name)
                if snapshot.is_landed_by_hand and not snapshot.is_from_the_future(now)
            ),
            default=None,
        )

    def _without_values(self, failure: KidoError) -> KidoError:
        """The failure as it is shown and recorded: of a private source without values of rows."""
        card = self._source.CARD
        is_of_rows = isinstance(failure, UpstreamFormatError | BatchRejectedError)
        if not (card.is_private and is_of_rows):
            return failure
        return UpstreamFormatError(
            f"{card.name}: the answer is rejected: kido quarantine {card.name} says why."
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


def _first_request(source: Source, extract: Extract) -> str:
    """Method and address of an extract's first request, without parameters and so without a key."""
    request = extract.requests[0]
    base = "" if "://" in request.url else f"{source.CARD.base_url}/"
    return f"{request.method} {base}{request.url}"


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


def fetch_due(
    settings: Settings,
    source: Source,
    plan: Callable[[SourceFetch], FetchPlan] = SourceFetch.plan_due,
) -> FetchReport:
    """Fetch what is due, for a build: it waits neither for a silent publisher nor for another run.

    With another `plan`, what that one says. Raises ConfigurationError and DiskFullError; a
    publisher's errors are in the report.
    """
    fetching = SourceFetch(settings, source, is_patient=False)
    try:
        with fetching.lock():
            return fetching.run(plan(fetching))
    except BusyError as error:
        return FetchReport(answer="not_asked", reason=str(error))
    except UpstreamFormatError as error:  # raised by `plan` of the source
        fetching.ledger.record(
            Ask(document="", asked_at=_now(), answer="rejected", reason=str(error))
        )
        return FetchReport(answer="rejected", reason=str(error))


def _failure_of(error: Exception, extract: Extract) -> KidoError:
    """The failure of one extract; raises an error that concerns the whole run again."""
    if isinstance(error, FetchError | UpstreamFormatError | BatchRejectedError):
        return error
    if isinstance(error, KidoError | OSError):
        raise error
    # An error in the module of a source must not stop other sources.
    return UpstreamFormatError(f"{extract.document} cannot be settled ({exception_text(error)}).")


def _may_pass(failure: KidoError) -> bool:
    """Whether a failure may be gone in some minutes: silence, an error of the server, a short wait.

    A certificate that cannot be verified, for one, stays.
    """
    if isinstance(failure, QuotaError):
        return failure.again_at is not None and failure.again_at - _now() <= SHORT_WAIT
    return isinstance(failure, UnreachableError | ServerFailingError)


def _outcome_of(failure: KidoError) -> Outcome:
    if isinstance(failure, QuotaError):
        return "quota"
    if isinstance(failure, DeniedError):
        return "denied"
    is_unanswered = isinstance(failure, FetchError) and not isinstance(
        failure, UnexpectedStatusError
    )
    return "no_answer" if is_unanswered else "rejected"


def _window_result(
    extract: Extract, window_ask: WindowAsk, withdrawal: Withdrawn | None
) -> WindowResult:
    """The outcome of a window; `withdrawal` is the withdrawn answer that it repeats."""
    outcome: WindowOutcome
    if withdrawal is not None:
        outcome = "withdrawn"
    elif not window_ask.is_new:
        outcome = "unchanged"
    else:
        outcome = "new" if window_ask.rows else "empty"
    return WindowResult(
        window_ask.window,
        extract.document,
        outcome,
        window_ask.rows,
        reason=reason_of(withdrawal) if withdrawal else "",
        snapshot_id=window_ask.snapshot_id,
    )


def _failed(extract: Extract, answer: Outcome, reason: str) -> list[WindowResult]:
    windows: Sequence[Window | None] = extract.windows or (None,)
    return [
        WindowResult(window, extract.document, "failed", answer=answer, reason=reason)
        for window in windows
    ]


def _digest(rows: Mapping[str, Rows], parts: Sequence[Part]) -> str:
    """Digest of the content of rows; of spooled rows that of the bytes they were read from."""
    frames = {name: frame for name, frame in rows.items() if isinstance(frame, pl.DataFrame)}
    return batches.digest(frames) if len(frames) == len(rows) else sha256_of(parts)[:16]


def _known_until(rows: Mapping[str, Rows]) -> date | None:
    """The last day of the rows; None for tables whose rows are not of a day."""
    last_days = [
        batches.scan(rows_of_table).select(pl.col(day).max()).collect().item()
        for name, rows_of_table in rows.items()
        if (day := LAKE_TABLES[name].period or LAKE_TABLES[name].day)
        and LAKE_TABLES[name].columns[day].dtype == pl.Date
    ]
    return max((day for day in last_days if isinstance(day, date)), default=None)


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
