"""Sessions of exchanges are the days on which prices were published; news has its session."""

from datetime import date

import polars as pl
import pytest

from dagster_project.market.calendars import CALENDARS, Calendar, calendar, session_of, sessions
from tests.conftest import CHECKOUT

BUNDLED = CHECKOUT / "dagster_project" / "bundled"


def days_of_rates() -> pl.Series:
    return pl.read_csv(BUNDLED / "ecb" / "reference_rates.csv")["date"].str.to_date()


def days_of_closes(instrument: str) -> pl.Series:
    closes = pl.read_csv(BUNDLED / "equity_indices" / "equity_indices.csv")
    return closes.filter(instrument=instrument)["date"].str.to_date()


@pytest.mark.parametrize(
    ("name", "days"),
    [
        ("TARGET", days_of_rates()),
        ("XNYS", days_of_closes("REMX")),
        ("XTKS", days_of_closes("6762.T")),
        ("XTKS", days_of_closes("7203.T")),
    ],
)
def test_published_days_are_the_sessions_of_the_calendar(name: Calendar, days: pl.Series) -> None:
    """27 years of euro rates and ten of closes, none missing and none too many."""
    expected = sessions(name)
    within = expected.filter(expected.is_between(days.min(), days.max()))
    assert days.sort().to_list() == within.to_list()


@pytest.mark.parametrize(
    ("day", "hour", "zone", "new_york", "tokyo", "frankfurt"),
    [
        # A Friday evening in Beijing is a morning in New York, and Monday in Tokyo.
        ("2025-04-04", "18:00", "Asia/Shanghai", "2025-04-04", "2025-04-07", "2025-04-04"),
        ("2025-10-09", "18:00", "Asia/Shanghai", "2025-10-09", "2025-10-10", "2025-10-09"),
        # The first of the notices of that day was out before Tokyo closed.
        ("2025-10-09", "09:06", "Asia/Shanghai", "2025-10-09", "2025-10-09", "2025-10-09"),
        ("2025-11-07", "18:00", "Asia/Shanghai", "2025-11-07", "2025-11-10", "2025-11-07"),
        ("2026-01-06", "18:00", "Asia/Shanghai", "2026-01-06", "2026-01-07", "2026-01-06"),
        # After the close in Tokyo.
        ("2026-02-02", "17:00", "Asia/Tokyo", "2026-02-02", "2026-02-03", "2026-02-02"),
        # A Sunday, without an hour.
        ("2026-02-01", None, None, "2026-02-02", "2026-02-02", "2026-02-02"),
        # In China's national holidays (a Friday), closed in Tokyo only on the Monday (2025-10-13).
        ("2025-10-10", "18:00", "Asia/Shanghai", "2025-10-10", "2025-10-14", "2025-10-10"),
        # At the minute of the close nobody can answer any more: 15:30 in Tokyo since 2024-11-05.
        ("2025-01-08", "15:29", "Asia/Tokyo", "2025-01-08", "2025-01-08", "2025-01-08"),
        ("2025-01-08", "15:30", "Asia/Tokyo", "2025-01-08", "2025-01-09", "2025-01-08"),
        ("2024-01-10", "15:10", "Asia/Tokyo", "2024-01-10", "2024-01-11", "2024-01-10"),
        # After the close in New York, which mourned a president on 2025-01-09 and did not trade.
        ("2025-01-08", "17:00", "America/New_York", "2025-01-10", "2025-01-09", "2025-01-09"),
        # Past the fixing of the euro's rates at 14:15, before New York closes.
        ("2025-01-08", "14:15", "Europe/Berlin", "2025-01-08", "2025-01-09", "2025-01-09"),
    ],
)  # fmt: skip
def test_news_is_answered_by_the_first_session_that_closes_after_it(
    day: str, hour: str | None, zone: str | None, new_york: str, tokyo: str, frankfurt: str
) -> None:
    expected = {"XNYS": new_york, "XTKS": tokyo, "TARGET": frankfurt}
    for name in CALENDARS:
        found = session_of(name, date.fromisoformat(day), hour, zone)
        assert f"{found}" == expected[name], name


def test_a_close_that_comes_early_counts() -> None:
    """New York closed at 13:00 on 2025-11-28, the day after Thanksgiving."""
    day = date(2025, 11, 28)
    assert session_of("XNYS", day, "12:59", "America/New_York") == day
    assert session_of("XNYS", day, "13:00", "America/New_York") == date(2025, 12, 1)


def test_an_hour_needs_a_zone() -> None:
    with pytest.raises(ValueError, match="zone"):
        session_of("XNYS", date(2025, 1, 8), "18:00")
    with pytest.raises(ValueError, match="zone"):
        session_of("XNYS", date(2025, 1, 8), None, "Asia/Tokyo")


def test_an_unknown_calendar_is_named() -> None:
    with pytest.raises(ValueError, match="XLON"):
        calendar("XLON")  # type: ignore[arg-type]
