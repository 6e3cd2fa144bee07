"""When a publisher has published which period, by its card and its own calendar of releases.

What of it the lake has is compared by its callers: the mart `catalog.sources`, `kido sources` and
the check `published_period_is_held`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Literal
from zoneinfo import ZoneInfo

import polars as pl

from dagster_project.intake.due import Releases, releases_of, why_not_asked
from dagster_project.lake.copies import copies_of
from dagster_project.lake.landing import Landing
from dagster_project.lake.schemas import LAKE_TABLES
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

PERIODS_TO_COME = 2

_FREQUENCY_OF: Mapping[Cadence, PriceFrequency] = {"daily": "D", "monthly": "M", "annual": "A"}

_ANY_WEEKDAY = Calendar("0 0 * * 1-5", "UTC", "Weekdays.")
"""The calendar of a source that nobody asks."""


@dataclass(frozen=True, order=True)
class DuePeriod:
    """A period, and when it is due: the instant in UTC, and the day at the publisher's place."""

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
    return start.isoformat()[: {"A": 4, "M": 7, "D": 10}[frequency]]


@dataclass(frozen=True)
class Lateness:
    """What is published and missing, for one source, on a day.

    `published_through` is the newest period that was due before the day, `missing` the first one
    after the newest period in the lake: it is late if it was due before the day, else it is the
    next to come. None where no period is expected, or (`missing`) the lake has no period.
    """

    published_through: DuePeriod | None = None
    missing: DuePeriod | None = None
    held_through: str = ""
    """The newest period in the lake: `2024`, `2024-05` or `2024-05-17`; empty if it has none."""
    next_one: DuePeriod | None = None
    """The next period that is not due yet, and not in the lake."""

    def days_late(self, today: date) -> int:
        """The days since the first missing period was due; 0 if none is missing."""
        return max(0, (today - self.missing.due_on).days) if self.missing else 0


def due_periods(source: Source, releases: Releases, today: date) -> list[DuePeriod]:
    """The periods that were due before `today`, and the next two of each frequency, oldest first.

    Two, since the lake may have the next one early. They are due by the publisher's calendar of
    releases (`releases`) where it names them, else by the card: `published_after` the end of the
    period, and its tolerance, at the next moment of its calendar. Empty for a source that publishes
    no further period.
    """
    return [
        period
        for frequency in _frequencies(source.CARD)
        for period in _until_the_next(source.CARD, frequency, releases, today)
    ]


def _held_through(newest: Mapping[PriceFrequency, date]) -> str:
    if not newest:
        return ""
    frequency = max(newest, key=lambda each: newest[each])
    return period_name(newest[frequency], frequency)


def lateness_of(settings: Settings, source: Source, lake: Lake, landing: Landing) -> Lateness:
    """What is published of a source and missing in the lake, on the settings' day."""
    today = settings.today
    releases = releases_of(lake, source, settings.as_of_instant)
    newest = newest_periods(lake, landing, source, today)
    return lateness(due_periods(source, releases, today), newest, today)


def lateness(
    all_due: Sequence[DuePeriod],
    newest: Mapping[PriceFrequency, date],
    today: date,
) -> Lateness:
    """What is missing of a source whose newest period in the lake is `newest`, by frequency.

    Of several frequencies it is the one that is longest overdue. A frequency without any period in
    the lake was never fetched, and is not missing.
    """
    published = [each for each in all_due if each.due_on < today]
    missing = []
    for frequency in {each.frequency for each in all_due}:
        of_frequency = [each for each in all_due if each.frequency == frequency]
        if frequency in newest:
            missing += [each for each in of_frequency if each.period_start > newest[frequency]][:1]
    return Lateness(
        max(published, key=lambda each: each.period_start, default=None),
        min(missing, key=lambda each: each.due_at, default=None),
        _held_through(newest),
        min(
            (
                each
                for each in all_due
                if each.due_on >= today and each.period_start > newest.get(each.frequency, date.min)
            ),
            key=lambda each: each.due_at,
            default=None,
        ),
    )


def newest_periods(
    lake: Lake, landing: Landing, source: Source, today: date
) -> dict[PriceFrequency, date]:
    """The newest period of a source in the lake, by frequency, as known on a day."""
    newest: dict[PriceFrequency, date] = {}
    copies = copies_of(landing, source.CARD.name, lake)
    for table in (LAKE_TABLES[name] for name in source.CARD.tables):
        rows = lake.rows(table, source.CARD.name, copies.left_out(table, today))
        if table.period is None or rows is None:
            continue
        period = pl.col(table.period)
        if table.columns[table.period].dtype == pl.Int32:
            period = pl.date(period, 1, 1)
        has_frequency = "frequency" in table.columns
        frequency = pl.col("frequency") if has_frequency else pl.lit(table.frequency)
        reached = (
            rows.filter(pl.col("vintage_at").dt.date() <= today)
            .group_by(frequency.alias("frequency"))
            .agg(period.max().alias("period"))
            .collect()
        )
        for each, day in reached.iter_rows():
            newest[each] = max(day, newest.get(each, day))
    return newest


def is_asked_by_itself(settings: Settings, source: Source) -> bool:
    """Whether `kido fetch` asks it without a person: nobody else's figures can be late."""
    return can_be_asked(source) and not why_not_asked(settings, source)


def _frequencies(card: SourceCard) -> list[PriceFrequency]:
    if card.windows:
        return [windows.frequency for windows in card.windows]
    return [_FREQUENCY_OF[card.cadence]] if card.published_after is not None else []


def _until_the_next(
    card: SourceCard, frequency: PriceFrequency, releases: Releases, today: date
) -> Iterator[DuePeriod]:
    to_come = 0
    for start, end in _periods(card, frequency, today):
        at = releases.get(Window(frequency, start)) if frequency != "D" else None
        due = _due_period(card, frequency, start, end, at)
        yield due
        to_come += due.due_on >= today
        if to_come == PERIODS_TO_COME:
            return


def _due_period(
    card: SourceCard, frequency: PriceFrequency, start: date, end: date, at: datetime | None
) -> DuePeriod:
    calendar = card.calendar or _ANY_WEEKDAY
    zone = ZoneInfo(calendar.timezone)
    if at is None:
        local = _first_moment(calendar, datetime.combine(end, time()) + _lag(card, frequency))
    else:
        local = at.replace(tzinfo=UTC).astimezone(zone)
    return DuePeriod(frequency, start, local.astimezone(UTC).replace(tzinfo=None), local.date())


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
