"""`kido fetch NAME` and its messages: the number of calls, each window, how to continue.

Without a name it is `fetch_all`, which words its messages with the functions here.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import get_args

from dagster_project.errors import ConfigurationError, counted
from dagster_project.intake.conform import conform
from dagster_project.intake.dry_run import requests_in_words
from dagster_project.intake.fetch import (
    FetchPlan,
    FetchReport,
    SourceFetch,
    WindowOutcome,
    WindowResult,
)
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


@dataclass(frozen=True)
class Periods:
    """The options of `kido fetch` on what to request; without any it is what is due."""

    first: str = ""
    last: str = ""
    frequency: str = ""
    again: bool = False

    def require_none(self) -> None:
        """Raise ConfigurationError for an option that needs the name of a source."""
        options = {
            "--from": self.first,
            "--to": self.last,
            "--frequency": self.frequency,
            "--again": self.again,
        }
        given = [option for option, value in options.items() if value]
        if given:
            raise ConfigurationError(
                f"{' and '.join(given)} need{'s' if len(given) == 1 else ''} a source: "
                "kido fetch NAME, see kido sources."
            )


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
    _require_askable(settings, source)
    fetching = SourceFetch(settings, source)
    with fetching.lock(write):
        plan = plan_periods(source, fetching, first, last, frequency, again)
        if not plan.extracts:
            write(_nothing_to_request(source))
            return ALL_ANSWERED
        return _run(settings, source, fetching, plan, again, write)


def report_requests(
    settings: Settings,
    source: Source,
    *,
    first: str = "",
    last: str = "",
    frequency: str = "",
    again: bool = False,
    write: Callable[[str], None] = print,
) -> None:
    """Write what `fetch_and_report` would request; nothing is sent, locked or written to disk.

    Raises what `fetch_and_report` does.
    """
    _require_askable(settings, source)
    fetching = SourceFetch(settings, source, is_read_only=True)
    plan = plan_periods(source, fetching, first, last, frequency, again)
    if not plan.extracts:
        write(_nothing_to_request(source))
        return
    for line in requests_in_words(settings, source, plan):
        write(line)


def _nothing_to_request(source: Source) -> str:
    return (
        f"{source.CARD.name}: nothing to request; all of it was answered before (--again repeats)."
    )


def _run(
    settings: Settings,
    source: Source,
    fetching: SourceFetch,
    plan: FetchPlan,
    again: bool,
    write: Callable[[str], None],
) -> int:
    name = source.CARD.name
    write(f"{name}: {describe_plan(plan)}.")
    total = plan.number_of_results
    numbers = itertools.count(1)

    def on_settled(result: WindowResult) -> None:
        write(f"  [{next(numbers)}/{total}] {result.name}: {describe_result(result)}")

    fetched = fetching.run(plan, on_settled)
    outcome = conform(settings, source)
    for reason in outcome.rejected.values():
        write(f"{name}: {describe_rejected(reason)}")
    write(_last_line(name, fetched, again))
    return exit_code(fetched, has_rejected=bool(outcome.rejected))


def exit_code(fetched: FetchReport, *, has_rejected: bool) -> int:
    """`has_rejected`: whether an earlier document can no longer be used."""
    if fetched.answer == "quota":
        return OUT_OF_QUOTA
    return SOME_FAILED if fetched.failed or fetched.not_asked or has_rejected else ALL_ANSWERED


def _require_askable(settings: Settings, source: Source) -> None:
    card = source.CARD
    if not can_be_asked(source):
        raise ConfigurationError(
            f"{card.name} cannot be fetched.", hint=f"Land its files: kido land {card.name} FILE."
        )
    own = settings.source(card.name)
    if card.needs_key and own.key is None and not own.enabled:
        variable = f"KIDO_{card.name.upper()}"
        raise ConfigurationError(
            f"{card.name} needs a key: set {variable}_KEY.",
            hint=f"Or set {variable}_ENABLED=true to use its public preview."
            if card.rows_per_call
            else "",
        )


def plan_periods(
    source: Source,
    fetching: SourceFetch,
    first: str = "",
    last: str = "",
    frequency: str = "",
    again: bool = False,
) -> FetchPlan:
    """The plan for the periods from `first` to `last`; without them, for what is due.

    With `again` also for what was answered. Raises ConfigurationError for invalid periods.
    """
    require_periods(source, first, last, frequency)
    if not source.CARD.windows:
        if first:
            return fetching.plan_from(_first_day(first))
        return fetching.plan_windows((), again=True) if again else fetching.plan_due()
    if not (first or last):
        if again:
            return fetching.plan_windows(fetching.newest(frequency), again=True)
        due = fetching.plan_due()
        if not frequency:
            return due
        return fetching.plan_windows(
            [window for window in due.windows if window.frequency == frequency]
        )
    windows = _windows(source, first, last, frequency)
    return fetching.plan_windows(windows, again=again)


def require_periods(source: Source, first: str, last: str, frequency: str) -> None:
    """Raise ConfigurationError for periods that the source does not have, or that are not over."""
    card = source.CARD
    if card.asked_from_a_day:
        _require_only_from(source, first, last, frequency)
        return
    if not card.windows:
        if first or last or frequency:
            raise ConfigurationError(
                f"{card.name} is fetched as one document, not by period.",
                hint=f"kido fetch {card.name} fetches what is due, with --again all of it.",
            )
        return
    frequencies = [each.frequency for each in card.windows]
    if frequency and frequency not in frequencies:
        raise ConfigurationError(
            f"--frequency {frequency}: {card.name} has {' and '.join(frequencies)}."
        )
    if first or last:
        _windows(source, first, last, frequency)


def _require_only_from(source: Source, first: str, last: str, frequency: str) -> None:
    """Raise ConfigurationError unless the only option on periods is a day that is not ahead."""
    name = source.CARD.name
    if last or frequency:
        raise ConfigurationError(
            f"{name} is fetched from a day to today: it takes --from, not --to or --frequency."
        )
    if first and _first_day(first) > datetime.now(UTC).date():
        raise ConfigurationError(f"--from {first}: {name} has published nothing from then on.")


def _first_day(period: str) -> date:
    """A day, or the first day of a year or month. Raises ConfigurationError for another text."""
    if re.fullmatch(r"[0-9]{4}(-[0-9]{2}){2}", period):
        try:
            return date.fromisoformat(period)
        except ValueError:
            raise ConfigurationError(f"{period!r} is not a day of the calendar.") from None
    return _day(period, is_last=False)


def _windows(source: Source, first: str, last: str, frequency: str) -> list[Window]:
    """The finished periods in `first` to `last`, of the given frequencies."""
    start = _day(first, is_last=False) if first else date.min
    today = datetime.now(UTC).date()
    end = min(_day(last, is_last=True), today) if last else today
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


def describe_plan(plan: FetchPlan) -> str:
    windows = len(plan.windows)
    what = f"{counted(windows, 'window')}, " if windows else ""
    return f"{what}{counted(plan.requests, 'call')}, more where an answer is cut"


def describe_rejected(reason: str) -> str:
    return f"an earlier document can no longer be used and is quarantined: {reason}"


def describe_result(result: WindowResult) -> str:
    """The outcome of a window in a line, with what a person should know of its answer."""
    return "; ".join([_describe_outcome(result), *result.warnings])


def _describe_outcome(result: WindowResult) -> str:
    if result.outcome == "failed":
        return f"{result.answer.replace('_', ' ')}: {result.reason}"
    if result.outcome == "empty":
        return f"empty, {result.reason or 'nothing is published'}"
    if result.outcome == "withdrawn":
        return f"{result.rows:,} rows, {result.reason}"
    return f"{result.outcome}, {counted(result.rows, 'row')}"


def describe_outcomes(fetched: FetchReport) -> str:
    """How the windows were settled, and with how many calls."""
    counts = Counter(result.outcome for result in fetched.settled)
    settled = ", ".join(
        f"{counts[outcome]} {outcome}" for outcome in get_args(WindowOutcome) if counts[outcome]
    )
    return f"{settled or 'nothing'}, with {counted(fetched.calls, 'call')}"


def describe_end(name: str, fetched: FetchReport, *, again: bool = False) -> str:
    """Why a fetch ended before its last window, and how to continue."""
    left = f"{len(fetched.not_asked)} left. " if fetched.not_asked else ""
    end = f"{left}{fetched.reason.removeprefix(f'{name}: ')}"
    if fetched.answer == "quota":
        when = f"at {fetched.again_at:%Y-%m-%d %H:%M} UTC" if fetched.again_at else "later"
        end += f" Continue {when} with the same command"
        end += "." if again else ": answered windows are not fetched again."
    return end


def _last_line(name: str, fetched: FetchReport, again: bool) -> str:
    line = f"{name}: {describe_outcomes(fetched)}."
    if fetched.not_asked or fetched.answer == "quota":
        line += f" {describe_end(name, fetched, again=again)}"
    return line
