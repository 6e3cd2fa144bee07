"""When a publisher has published which period, by its card and its own calendar of releases.

What of it the lake has is compared here, for the marts (by the runtime table `lateness`), for
`kido sources` and for the check `published_period_is_held`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Literal
from zoneinfo import ZoneInfo

from dagster_project.intake.due import Releases, is_fetched, releases_of, why_not_asked
from dagster_project.intake.reach import newest_periods
from dagster_project.lake.landing import Landing
from dagster_project.lake.tables import Lake
from dagster_project.settings import Settings
from dagster_project.sources.card import (
    Calendar,
    Source,
    SourceCard,
    Window,
    Windows,
    can_be_asked,
    windows_between,
)
from dagster_project.words import Cadence, PriceFrequency

YEARS_BACK: Mapping[PriceFrequency, int] = {"D": 4, "M": 12, "A": 40}
"""How long ago a period may be due and be listed: a source that is further behind than this is
reported as late since the first listed period."""

_FREQUENCY_OF: Mapping[Cadence, PriceFrequency] = {"daily": "D", "monthly": "M", "annual": "A"}

_DIGITS: Mapping[PriceFrequency, int] = {"A": 4, "M": 7, "D": 10}
"""How much of an ISO day names a period."""

_ANY_WEEKDAY = Calendar("0 0 * * 1-5", "UTC", "Weekdays.")
"""The calendar of a source that nobody asks."""


@dataclass(frozen=True, order=True)
class DuePeriod:
    """A period, and when it is due: the instant in UTC, and the day.

    That is the day at the publisher's place, or that of UTC if it is a later one: days of a build
    are those of UTC, and none is late before it could be fetched.
    """

    frequency: PriceFrequency
    period_start: date
    due_at: datetime
    due_on: date

    @property
    def name(self) -> str:
        """`2024`, `2024-05` or `2024-05-17`."""
        return period_name(self.period_start, self.frequency)


def period_name(start: date, frequency: PriceFrequency) -> str:
    """A period as it is written: `2024`, `2024-05` or `2024-05-17`."""
    return start.isoformat()[: _DIGITS[frequency]]


def shortened_day(day: str, cadence: Cadence) -> str:
    """An ISO day as the period that it stands for at a publisher of that cadence."""
    return day[: _DIGITS[_FREQUENCY_OF.get(cadence, "D")]]


@dataclass(frozen=True)
class Lateness:
    """What is published and missing of one frequency of a source, on a day.

    `newest` is the newest period in the lake, `published_through` the newest one that was due
    before the day. `missing` is the first one after `newest`: it is late if it was due before the
    day, else it is the next to come. Of a source that is fetched and has no figures at all, it is
    the newest one published. `next_one` is the next period that is not due yet and not in the lake.
    None where there is no such period. `is_asked`: whether it can be late, since `kido fetch` asks
    for it without a person.
    """

    frequency: PriceFrequency
    today: date
    is_asked: bool
    newest: date | None = None
    published_through: DuePeriod | None = None
    missing: DuePeriod | None = None
    next_one: DuePeriod | None = None

    @property
    def held_through(self) -> str:
        """The newest period in the lake: `2024`, `2024-05` or `2024-05-17`; empty for none."""
        return period_name(self.newest, self.frequency) if self.newest else ""

    @property
    def days_old(self) -> int:
        """The days since the first missing period was due; 0 if none is missing."""
        return max(0, (self.today - self.missing.due_on).days) if self.missing else 0

    @property
    def days_late(self) -> int:
        return self.days_old if self.is_asked else 0


def lateness_by_frequency(
    settings: Settings, source: Source, lake: Lake, landing: Landing
) -> list[Lateness]:
    """How late each frequency of a source is on the settings' day; empty if none is published."""
    today = settings.today
    releases = releases_of(lake, source, settings.as_of_instant)
    newest = newest_periods(lake, landing, source, today)
    may_be_asked = can_be_asked(source) and not source.CARD.only_by_name
    is_asked = may_be_asked and not why_not_asked(settings, source)
    is_fetched_by_builds = is_asked and is_fetched(settings, source)
    return [
        lateness(
            due_periods(source.CARD, frequency, releases, today, newest.get(frequency)),
            newest.get(frequency),
            today,
            is_asked=is_asked,
            is_expected=is_fetched_by_builds and not newest,
        )
        for frequency in _frequencies(source.CARD)
    ]


def longest_overdue(of_source: Sequence[Lateness]) -> Lateness | None:
    """Of several frequencies the one whose first missing period is due first; None of none.

    Where nothing is missing, for want of any figure, the one whose newest period is published last.
    """
    missing = [each for each in of_source if each.missing]
    if missing:
        return min(missing, key=lambda each: each.missing.due_at if each.missing else datetime.max)
    return max(
        of_source,
        key=lambda each: (
            each.published_through.period_start if each.published_through else date.min
        ),
        default=None,
    )


def lateness(
    due: Sequence[DuePeriod],
    newest: date | None,
    today: date,
    *,
    is_asked: bool,
    is_expected: bool = False,
) -> Lateness:
    """What is missing, from the periods of one frequency and the newest one in the lake.

    `is_expected`: a source without figures should have some, since builds fetch it.
    """
    published = [each for each in due if each.due_on < today]
    missing = [each for each in due if newest is not None and each.period_start > newest]
    if newest is None and is_expected:
        missing = published[-1:]
    to_come = [each for each in due if each.due_on >= today]
    return Lateness(
        due[0].frequency,
        today,
        is_asked,
        newest,
        published[-1] if published else None,
        missing[0] if missing else None,
        next((each for each in to_come if newest is None or each.period_start > newest), None),
    )


def due_periods(
    card: SourceCard,
    frequency: PriceFrequency,
    releases: Releases,
    today: date,
    newest: date | None = None,
) -> list[DuePeriod]:
    """The periods of one frequency from YEARS_BACK on that were due before `today`, and the next
    one that is not in the lake either, whose newest is `newest`; oldest first.

    They are due by the publisher's calendar of releases (`releases`) where it names them, else by
    the card: `published_after` the end of the period, and its tolerance, at the next moment of its
    calendar.
    """
    due = []
    for start, end in _periods(card, frequency, today):
        at = releases.get(Window(frequency, start)) if frequency != "D" else None
        period = _due_period(card, frequency, start, end, at)
        due.append(period)
        if period.due_on >= today and (newest is None or start > newest):
            break
    return due


def _frequencies(card: SourceCard) -> list[PriceFrequency]:
    if card.windows:
        return [windows.frequency for windows in card.windows]
    return [_FREQUENCY_OF[card.cadence]] if card.published_after is not None else []


def _due_period(
    card: SourceCard, frequency: PriceFrequency, start: date, end: date, at: datetime | None
) -> DuePeriod:
    calendar = card.calendar or _ANY_WEEKDAY
    zone = ZoneInfo(calendar.timezone)
    if at is None:
        local = _first_moment(calendar, datetime.combine(end, time()) + _lag(card, frequency))
    else:
        local = at.replace(tzinfo=UTC).astimezone(zone)
    due_at = local.astimezone(UTC).replace(tzinfo=None)
    return DuePeriod(frequency, start, due_at, max(local.date(), due_at.date()))


def _lag(card: SourceCard, frequency: PriceFrequency) -> timedelta:
    if card.published_after is not None:
        return card.published_after
    return next(
        windows.published_after + windows.tolerance
        for windows in card.windows
        if windows.frequency == frequency
    )


def _first_moment(calendar: Calendar, earliest: datetime) -> datetime:
    """The first moment at or after a local time: on a day on which the publisher publishes, at the
    calendar's time of day. Its days of the month are those of polling, and do not matter here.
    """
    minute, hour, *_ = calendar.cron.split()
    moment = datetime.combine(earliest.date(), time(int(hour), int(minute)))
    while moment < earliest or not _publishes_on(calendar, moment.date()):
        moment += timedelta(days=1)
    return moment.replace(tzinfo=ZoneInfo(calendar.timezone))


def _publishes_on(calendar: Calendar, day: date) -> bool:
    if calendar.days != "weekdays" and day <= _last_session(calendar.days):
        return day in _session_days(calendar.days)
    return day.isoweekday() in _weekdays(calendar.cron)


@cache
def _weekdays(cron: str) -> frozenset[int]:
    """The weekdays of a cron line, Monday is 1; Monday to Friday where it names none."""
    from croniter import croniter

    days = croniter.expand(cron)[0][4]
    return frozenset(range(1, 6)) if days == ["*"] else frozenset(int(day) or 7 for day in days)


@cache
def _last_session(name: Literal["TARGET", "XNYS"]) -> date:
    """The last session that is listed; after it any weekday may be one."""
    return max(_session_days(name))


def _session_days(name: Literal["TARGET", "XNYS"]) -> frozenset[date]:
    from dagster_project.market.calendars import session_days

    return session_days(name)


def _periods(
    card: SourceCard, frequency: PriceFrequency, today: date
) -> Iterator[tuple[date, date]]:
    """The periods that may be due from YEARS_BACK on, without end; first days and those after."""
    since = date(today.year - YEARS_BACK[frequency], 1, 1)
    if frequency == "D":
        calendar = card.calendar or _ANY_WEEKDAY
        day = since
        while True:
            if _publishes_on(calendar, day):
                yield day, day + timedelta(days=1)
            day += timedelta(days=1)
    of_frequency = [each.since for each in card.windows if each.frequency == frequency]
    since = max([since, *of_frequency])
    endless = Windows(frequency, since, timedelta(), 0)
    for window in windows_between(endless, since, date.max):
        yield window.start, window.end
