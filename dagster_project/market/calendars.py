"""The sessions of the exchanges whose prices are in the warehouse, and the session of news.

Days and hours of trading come from `exchange_calendars`; only TARGET, the calendar of the euro's
reference rates, is described here, as the library has no such calendar.
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
    """Sessions from 1999 to the end of next year, with the hour each closes.

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
    """The euro's reference rates, fixed about 14:15 in Frankfurt on days when TARGET is open.

    Source: ECB, long-term calendar of TARGET closing days. It was open on Good Friday and Easter
    Monday of 1999, its first year, and closed on the last days of 1999 and 2001.
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
    """The days of trading, sorted, from 1999 to the end of next year."""
    days = [session.date() for session in calendar(name).sessions]
    return pl.Series("session", days, pl.Date)


def session_of(name: Calendar, day: date, hour: str | None = None, zone: str | None = None) -> date:
    """The first session that can answer a piece of news of a day: one that closes after it.

    `hour` (`18:00`) and `zone` (IANA) say when it was out. Without them the news is of the whole
    day, and its own session answers; a day without trading always leads to the next one with.
    A Beijing evening is thus the same day in New York and the next session in Tokyo.
    Raises ValueError for a day outside the calendar, and for an hour without a zone.
    """
    if (hour is None) != (zone is None):
        raise ValueError(f"An hour needs a zone and a zone an hour: {hour!r}, {zone!r}.")
    exchange = calendar(name)
    if hour is None or zone is None:
        return _from(exchange, day)
    out = datetime.combine(day, time.fromisoformat(hour), ZoneInfo(zone))
    local = out.astimezone(exchange.tz)
    session = _from(exchange, local.date())
    closes = exchange.session_close(session.isoformat()).to_pydatetime()
    return session if out < closes else _from(exchange, session + timedelta(days=1))


def _from(exchange: ExchangeCalendar, day: date) -> date:
    session: date = exchange.date_to_session(day.isoformat(), direction="next").date()
    return session
