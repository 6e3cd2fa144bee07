"""`kido fetch` and its messages: the number of calls, each window, how to continue."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime

from dagster_project.errors import ConfigurationError, counted
from dagster_project.intake.conform import conform
from dagster_project.intake.fetch import FetchPlan, FetchReport, SourceFetch, WindowResult
from dagster_project.settings import Settings
from dagster_project.sources.card import (
    Frequency,
    Source,
    Window,
    can_be_asked,
    windows_between,
)

ALL_ANSWERED, SOME_FAILED, OUT_OF_QUOTA = 0, 1, 3
"""Exit codes."""


def fetch_and_report(
    settings: Settings,
    source: Source,
    *,
    first: str = "",
    last: str = "",
    frequency: str = "",
    again: bool = False,
    write: Callable[[str], None] = print,
) -> int:
    """Fetch windows from a publisher (those due if none are given), land and conform what is new.

    `write` gets the messages, line by line. Returns the exit code. Raises ConfigurationError for a
    source that cannot be fetched, invalid periods, a missing key.
    """
    name = source.CARD.name
    _require_askable(settings, source)
    fetching = SourceFetch(settings, source)
    with fetching.lock(write):
        planned = _planned(source, fetching, first, last, frequency, again)
        if not planned.extracts:
            write(
                f"{name}: nothing to ask for; everything wanted was answered (--again asks again)."
            )
            return ALL_ANSWERED
        return _run(settings, source, fetching, planned, again, write)


def _run(
    settings: Settings,
    source: Source,
    fetching: SourceFetch,
    planned: FetchPlan,
    again: bool,
    write: Callable[[str], None],
) -> int:
    name = source.CARD.name
    write(f"{name}: {_planned_in_words(planned)}.")
    total, settled_so_far = max(len(planned.windows), len(planned.extracts)), 0

    def report(settled: WindowResult) -> None:
        nonlocal settled_so_far
        settled_so_far += 1
        write(f"  [{settled_so_far}/{total}] {settled.name}: {_in_words(settled)}")

    fetched = fetching.run(planned, report)
    outcome = conform(settings, source)
    for reason in outcome.rejected.values():
        write(f"{name}: an earlier document can no longer be used and is quarantined: {reason}")
    write(_last_line(name, fetched, again))
    if fetched.answer == "quota":
        return OUT_OF_QUOTA
    return SOME_FAILED if fetched.failed or fetched.not_asked or outcome.rejected else ALL_ANSWERED


def _require_askable(settings: Settings, source: Source) -> None:
    card = source.CARD
    if not can_be_asked(source):
        raise ConfigurationError(
            f"{card.name} cannot be fetched.", hint=f"Bring its files: kido land {card.name} FILE."
        )
    own = settings.source(card.name)
    if card.needs_key and own.key is None and not own.enabled:
        variable = f"KIDO_{card.name.upper()}"
        raise ConfigurationError(
            f"{card.name} wants a key: set {variable}_KEY.",
            hint=f"Or set {variable}_ENABLED=true to ask its public preview."
            if card.rows_per_call
            else "",
        )


def _planned(
    source: Source, fetching: SourceFetch, first: str, last: str, frequency: str, again: bool
) -> FetchPlan:
    card = source.CARD
    if not card.windows:
        if first or last or frequency:
            raise ConfigurationError(
                f"{card.name} is asked for one document, not for periods.",
                hint=f"kido fetch {card.name} asks for what is due, --again for all of it.",
            )
        return fetching.wanted((), again=True) if again else fetching.due()
    frequencies = [each.frequency for each in card.windows]
    if frequency and frequency not in frequencies:
        raise ConfigurationError(
            f"--frequency {frequency}: {card.name} has {' and '.join(frequencies)}."
        )
    if not (first or last):
        if again:
            return fetching.wanted(fetching.newest(frequency), again=True)
        due = fetching.due()
        if not frequency:
            return due
        return fetching.wanted([window for window in due.windows if window.frequency == frequency])
    windows = _windows(source, first, last, frequency)
    return fetching.wanted(windows, again=again)


def _windows(source: Source, first: str, last: str, frequency: str) -> list[Window]:
    """The finished periods in `first` to `last`, of the given frequencies."""
    start = _day(first, is_last=False) if first else date.min
    today = datetime.now(UTC).date()
    end = min(_day(last, is_last=True) if last else today, today)
    windows = [
        window
        for each in source.CARD.windows
        if not frequency or each.frequency == frequency
        for window in windows_between(each, start, end)
        # Only whole and finished periods of the range: half a year is not requested as a year.
        if window.end <= today and window.start >= start and _last_day(window) <= end
    ]
    if not windows:
        raise ConfigurationError(
            f"{source.CARD.name} has no period from {first or 'its first'} to {last or 'today'} "
            "that is over.",
            hint="Periods begin in "
            + ", ".join(f"{each.since:%Y-%m} ({each.frequency})" for each in source.CARD.windows)
            + ".",
        )
    return windows


def _last_day(window: Window) -> date:
    return date.fromordinal(window.end.toordinal() - 1)


def _day(period: str, *, is_last: bool) -> date:
    """The first or last day of a year or month. Raises ConfigurationError for another text."""
    match = re.fullmatch(r"([0-9]{4})(?:-(0[1-9]|1[0-2]))?", period)
    if match is None or match[1] == "0000":
        raise ConfigurationError(
            f"{period!r} is neither a year like 2015 nor a month like 2015-03."
        )
    if is_last and match[1] == "9999":  # there is no day after it
        return date.max
    kind: Frequency = "M" if match[2] else "A"
    window = Window(kind, date(int(match[1]), int(match[2] or 1), 1))
    return _last_day(window) if is_last else window.start


def _planned_in_words(planned: FetchPlan) -> str:
    windows = len(planned.windows)
    what = f"{counted(windows, 'window')}, " if windows else ""
    return f"{what}{counted(planned.requests, 'call')}, more where an answer is cut"


def _in_words(settled: WindowResult) -> str:
    if settled.outcome == "failed":
        return f"{settled.answer.replace('_', ' ')}: {settled.reason}"
    if settled.outcome == "empty":
        return "empty, nothing is published"
    if settled.outcome == "withdrawn":
        return f"{settled.rows:,} rows, {settled.reason}"
    return f"{settled.outcome}, {counted(settled.rows, 'row')}"


def _last_line(name: str, fetched: FetchReport, again: bool) -> str:
    counts: Sequence[tuple[str, int]] = [
        (news, sum(result.outcome == news for result in fetched.settled))
        for news in ("new", "unchanged", "empty", "withdrawn", "failed")
    ]
    settled = ", ".join(f"{count} {news}" for news, count in counts if count) or "nothing"
    line = f"{name}: {settled}, with {counted(fetched.calls, 'call')}."
    if not (fetched.not_asked or fetched.answer == "quota"):
        return line
    # It stopped before the end: the reason, and how to continue.
    line += f" {len(fetched.not_asked)} left." if fetched.not_asked else ""
    line += f" {fetched.reason.removeprefix(f'{name}: ')}"
    if fetched.answer == "quota":
        when = f"at {fetched.again_at:%Y-%m-%d %H:%M} UTC" if fetched.again_at else "later"
        line += f" Continue {when} with the same command"
        line += "." if again else ": answered windows are not fetched again."
    return line
