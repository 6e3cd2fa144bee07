"""When a publisher has published which period, by its card and its own calendar of releases.

What of it the lake has is compared by its callers: the mart `catalog.sources`, `kido sources` and
the check `published_period_is_held`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from dagster_project.intake.due import Releases, why_not_asked
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

PERIODS_TO_COME = 2

_FREQUENCY_OF: Mapping[Cadence, PriceFrequency] = {"daily": "D", "monthly": "M", "annual": "A"}

_ANY_WEEKDAY = Calendar("0 0 * * 1-5", "UTC", "Weekdays.")
"""The calendar of a source that nobody asks."""


@dataclass(frozen=True, order=True)
class Publication:
    """A period, and when it is due: the instant in UTC, and the day at the publisher's place."""

    frequency: PriceFrequency
    period_start: date
    due_at: datetime
    due_on: date


@dataclass(frozen=True)
class Lateness:
    """What is published and missing, for one source, on a day.

    `published_through` is the newest period that was due before the day, `missing` the first one
    after the newest period in the lake: it is late if it was due before the day, else it is the
    next to come. None where no period is expected, or (`missing`) the lake has no period.
    """

    published_through: Publication | None = None
    missing: Publication | None = None

    def days_late(self, today: date) -> int:
        """The days since the first missing period was due; 0 if none is missing."""
        return max(0, (today - self.missing.due_on).days) if self.missing else 0


def publications(source: Source, releases: Releases, today: date) -> list[Publication]:
    """The periods that were due before `today`, and the next two of each frequency, oldest first.

    Two, since the lake may have the next one early.

    By the publisher's calendar of releases (`releases`) where it names the period, else by the
    card: `published_after` the end of the period, and its tolerance, at the next moment of its
    calendar. Empty for a
    source that publishes no further period.
    """
    return [
        publication
        for frequency in _frequencies(source.CARD)
        for publication in _until_the_next(source.CARD, frequency, releases, today)
    ]


def lateness(
    all_publications: list[Publication], newest: Mapping[PriceFrequency, date], today: date
) -> Lateness:
    """What is missing of a source whose newest period in the lake is `newest`, by frequency.

    Of several frequencies it is the one that is longest overdue. A frequency without any period in
    the lake was never fetched, and is not missing.
    """
    published = [each for each in all_publications if each.due_on < today]
    missing = []
    for frequency in {each.frequency for each in all_publications}:
        of_frequency = [each for each in all_publications if each.frequency == frequency]
        if frequency in newest:
            missing += [each for each in of_frequency if each.period_start > newest[frequency]][:1]
    return Lateness(
        max(published, key=lambda each: each.period_start, default=None),
        min(missing, key=lambda each: each.due_at, default=None),
    )


def is_asked_by_itself(settings: Settings, source: Source) -> bool:
    """Whether `kido fetch` asks it without a person: nobody else's figures can be late."""
    return can_be_asked(source) and not why_not_asked(settings, source)


def _frequencies(card: SourceCard) -> list[PriceFrequency]:
    if card.windows:
        return [windows.frequency for windows in card.windows]
    return [_FREQUENCY_OF[card.cadence]] if card.published_after is not None else []


def _until_the_next(
    card: SourceCard, frequency: PriceFrequency, releases: Releases, today: date
) -> Iterator[Publication]:
    to_come = 0
    for start, end in _periods(card, frequency, today):
        at = releases.get(Window(frequency, start)) if frequency != "D" else None
        publication = _publication(card, frequency, start, end, at)
        yield publication
        to_come += publication.due_on >= today
        if to_come == PERIODS_TO_COME:
            return


def _publication(
    card: SourceCard, frequency: PriceFrequency, start: date, end: date, at: datetime | None
) -> Publication:
    calendar = card.calendar or _ANY_WEEKDAY
    zone = ZoneInfo(calendar.timezone)
    if at is None:
        local = _first_moment(calendar, datetime.combine(end, time()) + _lag(card, frequency))
    else:
        local = at.replace(tzinfo=UTC).astimezone(zone)
    return Publication(frequency, start, local.astimezone(UTC).replace(tzinfo=None), local.date())


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
    if calendar.days == "TARGET":
        return day in _target_days()
    return day.isoweekday() in _weekdays(calendar.cron)


@cache
def _weekdays(cron: str) -> frozenset[int]:
    """The weekdays of a cron line, Monday is 1; Monday to Friday where it names none."""
    from croniter import croniter

    days = croniter.expand(cron)[0][4]
    return frozenset(range(1, 6)) if days == ["*"] else frozenset(int(day) or 7 for day in days)


def _target_days() -> frozenset[date]:
    from dagster_project.market.calendars import session_days

    return session_days("TARGET")


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
    since = max(since, *(each.since for each in card.windows if each.frequency == frequency), since)
    endless = Windows(frequency, since, timedelta(), 0)
    for window in windows_between(endless, since, date.max):
        yield window.start, window.end
