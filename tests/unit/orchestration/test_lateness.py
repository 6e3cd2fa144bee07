"""When a period is due, which one is missing, and for how long."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from dagster_project.orchestration.lateness import (
    DuePeriod,
    Lateness,
    due_periods,
    lateness,
    longest_overdue,
)
from dagster_project.sources.card import Calendar, Source, Window, Windows
from dagster_project.sources.registry import all_sources, source_named
from dagster_project.words import PriceFrequency

MONTH_IN_LONDON = Calendar("45 9 10-18 * *", "Europe/London", "Mornings.")


def made_up(**card: Any) -> Source:
    """A source with the card of the ECB but for what is given."""
    return cast(Source, SimpleNamespace(CARD=replace(source_named("ecb").CARD, **card)))


def monthly(days: int, tolerance: int = 0, calendar: Calendar | None = None) -> Source:
    windows = Windows(
        "M", date(2020, 1, 1), timedelta(days=days), 12, tolerance=timedelta(days=tolerance)
    )
    return made_up(windows=(windows,), calendar=calendar, published_after=None)


def frequency_of(source: Source) -> PriceFrequency:
    if source.CARD.windows:
        return source.CARD.windows[0].frequency
    return {"daily": "D", "monthly": "M", "annual": "A"}[source.CARD.cadence]  # type: ignore[return-value]


def due(source: Source, today: str, newest: str | None = None, **releases: str) -> dict[str, str]:
    """By period: the instant in UTC at which it is due."""
    named = {
        Window("M", date.fromisoformat(f"{month[1:5]}-{month[5:]}-01")): datetime.fromisoformat(at)
        for month, at in releases.items()
    }
    return {
        each.name: f"{each.due_at:%Y-%m-%d %H:%M}"
        for each in due_periods(
            source.CARD,
            frequency_of(source),
            named,
            date.fromisoformat(today),
            date.fromisoformat(newest) if newest else None,
        )
    }


# When a period is due.


def test_a_month_is_due_its_lag_and_tolerance_after_its_end_on_a_weekday() -> None:
    # September ends on Wednesday; 47 days later it is Tuesday the 17th, in winter time.
    listed = due(monthly(40, 7, MONTH_IN_LONDON), "2026-11-28")
    assert listed["2026-09"] == "2026-11-17 09:45"
    # August: 47 days after it, Saturday 17 October: the next Monday, in summer time.
    assert listed["2026-08"] == "2026-10-19 08:45"


def test_the_list_ends_with_the_next_period_that_is_not_there() -> None:
    source = monthly(40, 7, MONTH_IN_LONDON)
    # September is due today: it is not late yet.
    assert list(due(source, "2026-11-17"))[-2:] == ["2026-08", "2026-09"]
    assert list(due(source, "2026-11-18"))[-2:] == ["2026-09", "2026-10"]
    # It is there before it is due, and so are later ones.
    assert list(due(source, "2026-11-17", newest="2026-12-01"))[-2:] == ["2026-12", "2027-01"]


def test_rates_of_the_euro_are_due_on_days_of_target_only() -> None:
    listed = due(source_named("ecb"), "2026-04-10")
    # Good Friday is 3 April 2026, Easter Monday the 6th; summer time in Frankfurt.
    assert [day for day in listed if day >= "2026-03-31"] == [
        "2026-03-31", "2026-04-01", "2026-04-02", "2026-04-07", "2026-04-08", "2026-04-09",
        "2026-04-10",
    ]  # fmt: skip
    assert listed["2026-04-02"] == "2026-04-02 14:30"


def test_closes_of_new_york_are_due_on_its_sessions_only() -> None:
    listed = due(source_named("yahoo"), "2026-11-28")
    # Thanksgiving is 26 November 2026.
    assert [day for day in listed if day >= "2026-11-24"] == [
        "2026-11-24", "2026-11-25", "2026-11-27", "2026-11-30",
    ]  # fmt: skip
    assert listed["2026-11-27"] == "2026-11-27 23:30"


@pytest.mark.parametrize("name", ["ecb", "yahoo"])
def test_after_the_last_listed_session_any_weekday_is_due(name: str) -> None:
    # Sessions are listed to the end of next year; in another year nothing may wait for more.
    listed = list(due(source_named(name), "2040-05-04"))
    assert listed[-2:] == ["2040-05-03", "2040-05-04"]


def test_a_weekly_publication_of_days_is_due_on_its_weekday() -> None:
    monday = Calendar("15 16 * * 1", "America/New_York", "Mondays.")
    listed = due(
        made_up(calendar=monday, published_after=timedelta(), cadence="daily"), "2026-11-28"
    )
    # The days of a week are published on the Monday after it; here days are Mondays by the line.
    assert listed["2026-11-16"] == "2026-11-23 21:15"


def test_a_year_is_due_its_lag_after_its_end() -> None:
    annual = made_up(calendar=None, published_after=timedelta(days=181), cadence="annual")
    listed = due(annual, "2026-11-28")
    assert listed["2025"] == "2026-07-01 00:00"
    assert listed["2026"] == "2027-07-01 00:00"


def test_the_publishers_own_calendar_goes_before_the_rule() -> None:
    source = source_named("japan_customs")
    listed = due(source, "2026-11-28", m202610="2026-12-25 00:30", m202609="2026-10-29 00:30")
    assert listed["2026-09"] == "2026-10-29 00:30"
    assert listed["2026-10"] == "2026-12-25 00:30"
    # A month that it does not name: 32 days after its end, 09:35 in Tokyo.
    assert listed["2026-08"] == "2026-10-05 00:35"


def test_the_day_it_is_due_on_is_that_of_the_publishers_place() -> None:
    tokyo = Calendar("50 8 * * *", "Asia/Tokyo", "08:50.")
    (october,) = [
        each
        for each in due_periods(monthly(24, 0, tokyo).CARD, "M", {}, date(2026, 11, 28))
        if each.name == "2026-10"
    ]
    assert f"{october.due_at:%Y-%m-%d %H:%M}" == "2026-11-24 23:50"
    assert october.due_on == date(2026, 11, 25)


def test_an_evening_in_new_york_is_due_on_the_day_that_utc_has_by_then() -> None:
    (friday,) = [
        each
        for each in due_periods(source_named("alphavantage").CARD, "D", {}, date(2026, 11, 28))
        if each.name == "2026-11-27"
    ]
    assert f"{friday.due_at:%Y-%m-%d %H:%M}" == "2026-11-28 01:00"
    assert friday.due_on == date(2026, 11, 28)


@pytest.mark.parametrize("name", sorted(all_sources()))
def test_each_source_that_publishes_lists_periods_in_order(name: str) -> None:
    source, today = all_sources()[name], date(2026, 11, 28)
    if not source.CARD.windows and source.CARD.published_after is None:
        return
    for frequency in [each.frequency for each in source.CARD.windows] or [frequency_of(source)]:
        listed = due_periods(source.CARD, frequency, {}, today)
        starts = [each.period_start for each in listed]
        assert starts == sorted(set(starts))
        assert [each.due_on for each in listed] == sorted(each.due_on for each in listed)
        assert [each.due_on >= today for each in listed][-2:] == [False, True]


# What is missing.


def published(**periods: str) -> list[DuePeriod]:
    """Months by name, `m202609="2026-11-17"`, due at noon of that day."""
    return [
        DuePeriod(
            "A" if name.startswith("a") else "M",
            date(int(name[1:5]), int(name[5:] or 1), 1),
            datetime.fromisoformat(f"{day} 12:00"),
            date.fromisoformat(day),
        )
        for name, day in periods.items()
    ]


MONTHS = published(
    m202607="2026-09-17", m202608="2026-10-19", m202609="2026-11-17", m202610="2026-12-17",
    m202611="2027-01-18",
)  # fmt: skip


def late(newest: date | None, today: str, *, is_asked: bool = True, **more: bool) -> Lateness:
    return lateness(MONTHS, newest, date.fromisoformat(today), is_asked=is_asked, **more)


@pytest.mark.parametrize(
    ("newest", "today", "missing", "days", "following"),
    [
        (date(2026, 9, 1), "2026-11-28", "2026-10", 0, "2026-10"),
        (date(2026, 8, 1), "2026-11-28", "2026-09", 11, "2026-10"),
        (date(2026, 6, 1), "2026-11-28", "2026-07", 72, "2026-10"),
        (date(2026, 8, 1), "2026-11-17", "2026-09", 0, "2026-09"),
        (date(2026, 8, 1), "2026-11-18", "2026-09", 1, "2026-10"),
        (date(2026, 10, 1), "2026-11-28", "2026-11", 0, "2026-11"),
    ],
)
def test_the_first_period_that_is_not_there_decides_how_late_it_is(
    newest: date, today: str, missing: str, days: int, following: str
) -> None:
    found = late(newest, today)
    assert found.missing is not None
    assert found.next_one is not None
    assert (found.missing.name, found.days_late, found.next_one.name) == (missing, days, following)


@pytest.mark.parametrize("newest", [None, date(2026, 6, 1), date(2026, 9, 1)])
def test_what_is_published_does_not_depend_on_what_is_held(newest: date | None) -> None:
    published_through = late(newest, "2026-11-28").published_through
    assert published_through is not None
    assert published_through.name == "2026-09"


def test_who_needs_a_person_is_old_and_not_late() -> None:
    found = late(date(2026, 8, 1), "2026-11-28", is_asked=False)
    assert (found.days_old, found.days_late) == (11, 0)


def test_a_source_without_figures_misses_nothing_unless_builds_fetch_it() -> None:
    found = late(None, "2026-11-28")
    assert (found.missing, found.days_late, found.held_through) == (None, 0, "")
    # Switched on, and nothing has come: September was due on 17 November.
    found = late(None, "2026-11-28", is_expected=True)
    assert found.missing is not None
    assert (found.missing.name, found.days_late) == ("2026-09", 11)


def test_of_years_and_months_the_longest_overdue_is_missing() -> None:
    years = published(a2025="2026-07-01", a2026="2027-07-01")
    today = date(2026, 11, 28)
    months = late(date(2026, 8, 1), f"{today}")
    annual = lateness(years, date(2024, 1, 1), today, is_asked=True)
    never_fetched = lateness(years, None, today, is_asked=True)
    assert longest_overdue([months, annual]) == annual
    assert longest_overdue([never_fetched, months]) == months
    neither = [never_fetched, late(None, f"{today}")]
    assert longest_overdue(neither) == neither[1]  # months are published through 2026-09
    assert longest_overdue([]) is None
