"""`kido fetch` without a name: asks every source that is due, and says what each one answered.

Sources are asked one after another, the fewest calls first. This is simpler than in parallel: one
document is read, checked and landed at a time, and an interruption ends all of it. A publisher
stops nobody else: its silence is not waited for twice, and a source that another run has locked is
asked last.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from dagster_project.errors import (
    BusyError,
    KidoError,
    amount_of_bytes,
    counted,
    exception_text,
)
from dagster_project.intake.command import (
    ALL_ANSWERED,
    SOME_FAILED,
    describe_end,
    describe_outcomes,
    describe_plan,
    describe_rejected,
    describe_result,
    exit_code,
)
from dagster_project.intake.conform import conform
from dagster_project.intake.dry_run import requests_in_words
from dagster_project.intake.due import is_fetched, why_not_asked
from dagster_project.intake.fetch import FetchPlan, FetchReport, SourceFetch, WindowResult
from dagster_project.lake.space import disk_full
from dagster_project.settings import Settings
from dagster_project.sources.card import Source, can_be_asked

NOTHING_DUE = "nothing due"
_NO_REQUESTS = FetchPlan((), 0)


class FetchDisplay(Protocol):
    """How the progress of several sources is shown, e.g. as bars or as lines."""

    def expect(self, source: str, windows: int) -> None:
        """A source that will be asked, and the number of its windows."""

    def begin(self, source: str, windows: int, line: str) -> None:
        """A source is asked now; the line says for what."""

    def settle(self, source: str, rows: int, line: str, *, is_failure: bool) -> None:
        """A window is done, with so many landed rows."""

    def receive(self, source: str, size: int) -> None:
        """Bytes have arrived."""

    def pause(self, source: str, seconds: float, reason: str) -> None:
        """The next call waits, for a limit, a quota or a retry."""

    def end(self, source: str, line: str) -> None:
        """A source is done; the line says how it went."""

    def remark(self, line: str) -> None:
        """A line about something else."""


@dataclass(frozen=True)
class Candidate:
    """A source that can be asked: its plan for what is due, or why it is not asked, or an error."""

    source: Source
    plan: FetchPlan = _NO_REQUESTS
    not_asked: str = ""
    error: str = ""

    @property
    def name(self) -> str:
        return self.source.CARD.name


def fetch_all(settings: Settings, sources: Iterable[Source], display: FetchDisplay) -> int:
    """Fetch what is due from every source that may be asked, land and conform what is new.

    A source that fails, or has an invalid setting, stops no other. Returns the exit code: that of
    a failed source, else that of a used-up quota.
    """
    candidates = _candidates(settings, sources)
    due = _due(candidates)
    for each in due:
        display.expect(each.name, each.plan.number_of_results)
    codes = [ALL_ANSWERED]
    for candidate in candidates:
        if candidate.error:
            display.end(candidate.name, candidate.error)
            codes.append(SOME_FAILED)
    locked = []
    for each in due:
        try:
            codes.append(_fetch(settings, each.source, display))
        except BusyError:
            locked.append(each.source)
    codes += [_fetch(settings, source, display, on_wait=display.remark) for source in locked]
    for line in _not_asked(candidates):
        display.remark(line)
    return SOME_FAILED if SOME_FAILED in codes else max(codes)


def report_all_requests(
    settings: Settings, sources: Iterable[Source], write: Callable[[str], None]
) -> int:
    """Write what `fetch_all` would request; nothing is sent, locked or written to disk.

    Returns the exit code: SOME_FAILED if the requests of a source cannot be planned.
    """
    candidates = _candidates(settings, sources, is_read_only=True)
    due = _due(candidates)
    for each in due:
        for line in requests_in_words(settings, each.source, each.plan):
            write(line)
    errors = [candidate.error for candidate in candidates if candidate.error]
    for line in [*errors, *_not_asked(candidates)]:
        write(line)
    calls = sum(each.plan.requests for each in due)
    write(f"In all {counted(calls, 'call')}; nothing was sent.")
    return SOME_FAILED if errors else ALL_ANSWERED


def _candidates(
    settings: Settings, sources: Iterable[Source], *, is_read_only: bool = False
) -> list[Candidate]:
    """The sources that can be asked, and those with a setting that is wrong."""
    candidates = []
    for source in sources:
        try:
            if not can_be_asked(source):
                is_fetched(settings, source)  # raises if it is enabled all the same
                continue
            candidates.append(_candidate(settings, source, is_read_only))
        except Exception as error:
            candidates.append(Candidate(source, error=_in_a_sentence(settings, source, error)))
    return candidates


def _candidate(settings: Settings, source: Source, is_read_only: bool) -> Candidate:
    reason = why_not_asked(settings, source)
    if reason:
        return Candidate(source, not_asked=reason)
    plan = SourceFetch(settings, source, is_read_only=is_read_only).plan_due()
    return Candidate(source, plan, not_asked="" if plan.extracts else NOTHING_DUE)


def _due(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Those that are asked, the fewest calls first, as far as their number is known."""
    due = [candidate for candidate in candidates if candidate.plan.extracts]
    return sorted(due, key=lambda each: (each.plan.requests, each.name))


def _not_asked(candidates: Iterable[Candidate]) -> list[str]:
    """A line with the sources that are not asked, by reason; none if all of them are."""
    by_reason: dict[str, list[str]] = {}
    for candidate in candidates:
        if candidate.not_asked:
            by_reason.setdefault(candidate.not_asked, []).append(candidate.name)
    reasons = [f"{', '.join(names)} ({reason})" for reason, names in by_reason.items()]
    return [f"Not asked: {'; '.join(reasons)}."] if reasons else []


def _fetch(
    settings: Settings,
    source: Source,
    display: FetchDisplay,
    on_wait: Callable[[str], None] | None = None,
) -> int:
    """Fetch what is due from one source; its last line says how it went. Returns its exit code.

    Raises BusyError if another run has locked it, unless that is waited for (`on_wait`).
    """
    name = source.CARD.name
    try:
        fetching = SourceFetch(settings, source, is_patient=False)
        with fetching.lock(on_wait):
            # Planned again: another run may have asked it meanwhile.
            plan = fetching.plan_due()
            if not plan.extracts:
                display.end(name, f"{name}: {NOTHING_DUE} any more.")
                return ALL_ANSWERED
            display.begin(name, plan.number_of_results, f"{name}: {describe_plan(plan)}.")
            fetched = _run(name, fetching, plan, display)
            rejected = conform(settings, source).rejected
    except BusyError:
        raise
    except Exception as error:
        display.end(name, _in_a_sentence(settings, source, error))
        return SOME_FAILED
    for reason in rejected.values():
        display.remark(f"{name}: {describe_rejected(reason)}")
    display.end(name, _last_line(name, fetched))
    if fetched.failed:  # also where its quota is used up after that
        return SOME_FAILED
    return exit_code(fetched, has_rejected=bool(rejected))


def _run(name: str, fetching: SourceFetch, plan: FetchPlan, display: FetchDisplay) -> FetchReport:
    numbers = itertools.count(1)
    reasons: set[str] = set()

    def on_settled(result: WindowResult) -> None:
        # All windows of an extract fail for one reason: it is remarkable once.
        is_remarkable = result.outcome == "failed" and result.reason not in reasons
        reasons.add(result.reason)
        for warning in result.warnings:
            display.remark(f"{name}: {warning}")
        display.settle(
            name,
            result.landed_rows,
            f"{name}: [{next(numbers)}/{plan.number_of_results}] {result.name}: "
            f"{describe_result(result)}",
            is_failure=is_remarkable,
        )

    return fetching.run(
        plan,
        on_settled,
        on_received=lambda size: display.receive(name, size),
        on_pause=lambda seconds, reason: display.pause(name, seconds, reason),
    )


def _last_line(name: str, fetched: FetchReport) -> str:
    landed, received = counted(fetched.landed_rows, "row"), amount_of_bytes(fetched.received_bytes)
    line = f"{name}: {describe_outcomes(fetched)}; {landed} landed, {received} received."
    has_trouble = fetched.failed or fetched.not_asked or fetched.answer == "quota"
    return f"{line} {describe_end(name, fetched)}" if has_trouble else line


def _in_a_sentence(settings: Settings, source: Source, error: Exception) -> str:
    """The line of a source that could not be asked, or not to its end."""
    name = source.CARD.name
    if not isinstance(error, KidoError):
        error = disk_full(error, settings.folders) or error
    if isinstance(error, KidoError):
        return f"{name}: {str(error).removeprefix(f'{name}: ')}"
    return f"{name}: it could not be fetched ({exception_text(error)})."
