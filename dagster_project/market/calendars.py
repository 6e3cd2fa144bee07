"""The sessions of the exchanges whose prices are in the warehouse, and the session of an event.

Days and hours of trading come from `exchange_calendars`. It has no calendar of TARGET, the days of
the euro's reference rates: that one is defined here.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from functools import cache
from typing import TYPE_CHECKING, Literal, get_args
from zoneinfo import ZoneInfo

import polars as pl

if TYPE_CHECKING:
    from exchange_calendars import ExchangeCalendar

Calendar = Literal["XNYS", "XTKS", "TARGET"]
CALENDARS: tuple[Calendar, ...] = get_args(Calendar)
"""New York and Tokyo by their market identifier codes (ISO 10383), and the days of the ECB's
reference rates."""

FIRST_DAY = date(1999, 1, 1)
"""The euro's first rate is of 1999-01-04; no daily price here is older."""


@cache
def calendar(name: Calendar) -> ExchangeCalendar:
    """Sessions from 1999 to the end of next year, with their closing times.

    Raises ValueError for a name that is not in CALENDARS.
    """
    if name not in CALENDARS:
        raise ValueError(f"{name!r} is not one of {', '.join(CALENDARS)}.")
    import exchange_calendars

    if name == "TARGET":
        return _target()
    return exchange_calendars.get_calendar(name, start=f"{FIRST_DAY}", end=f"{_last_day()}")


def _last_day() -> date:
    return date(date.today().year + 1, 12, 31)


def _target() -> ExchangeCalendar:
    """Days of the euro's reference rates, fixed about 14:15 in Frankfurt when TARGET is open.

    Source: ECB, long-term calendar of TARGET closing days. In 1999, its first year, TARGET was open
    on Good Friday and Easter Monday. It was closed on the last days of 1999 and 2001.
    """
    from exchange_calendars import ExchangeCalendar
    from exchange_calendars.common_holidays import (
        boxing_day,
        christmas,
        european_labour_day,
        new_years_day,
    )
    from exchange_calendars.exchange_calendar import HolidayCalendar
    from pandas import Timestamp
    from pandas.tseries.holiday import Holiday
    from pandas.tseries.offsets import BaseOffset, Day, Easter

    def of_easter(holiday: str, days: int) -> Holiday:
        offset: list[BaseOffset] = [Easter(), Day(days)]
        return Holiday(holiday, month=1, day=1, offset=offset, start_date="2000-01-01")

    class Target(ExchangeCalendar):  # type: ignore[misc]
        name = "TARGET"
        tz = ZoneInfo("Europe/Berlin")
        open_times = ((None, time(7)),)
        close_times = ((None, time(14, 15)),)

        @property
        def regular_holidays(self) -> HolidayCalendar:
            return HolidayCalendar(
                [
                    new_years_day(), european_labour_day(), christmas(), boxing_day(),
                    of_easter("Good Friday", -2), of_easter("Easter Monday", 1),
                ]
            )  # fmt: skip

        @property
        def adhoc_holidays(self) -> list[Timestamp]:
            return [Timestamp("1999-12-31"), Timestamp("2001-12-31")]

    return Target(start=f"{FIRST_DAY}", end=f"{_last_day()}")


@cache
def sessions(name: Calendar) -> pl.Series:
    """The trading days as dates, sorted, from 1999 to the end of next year."""
    days = [session.date() for session in calendar(name).sessions]
    return pl.Series("session", days, pl.Date)


@cache
def session_days(name: Calendar) -> frozenset[date]:
    """The days of `sessions`."""
    return frozenset(sessions(name))


def session_of(name: Calendar, day: date, hour: str | None = None, zone: str | None = None) -> date:
    """The session of an event: the first one that closes after the event became known.

    `hour` (`18:00`) and `zone` (IANA) are the time at which it became known. Without them it is the
    session of the day itself. If there is no trading on the day, it is the next session.
    So an evening in Beijing is the same day in New York and the next session in Tokyo.
    Raises ValueError for a day outside the calendar, and for an hour without a zone.
    """
    if (hour is None) != (zone is None):
        raise ValueError(f"An hour needs a zone and a zone an hour: {hour!r}, {zone!r}.")
    exchange = calendar(name)
    if hour is None or zone is None:
        return _session_from(exchange, day)
    known_at = datetime.combine(day, time.fromisoformat(hour), ZoneInfo(zone))
    session = _session_from(exchange, known_at.astimezone(exchange.tz).date())
    closes = exchange.session_close(session.isoformat()).to_pydatetime()
    return session if known_at < closes else _session_from(exchange, session + timedelta(days=1))


def _session_from(exchange: ExchangeCalendar, day: date) -> date:
    """The session of a day, or the next one."""
    session: date = exchange.date_to_session(day.isoformat(), direction="next").date()
    return session
