"""When a period is due, which one is missing, and for how long."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from dagster_project.orchestration.lateness import (
    PERIODS_TO_COME,
    DuePeriod,
    due_periods,
    lateness,
)
from dagster_project.sources.card import Calendar, Source, Window, Windows
from dagster_project.sources.registry import all_sources, source_named

MONTH_IN_LONDON = Calendar("45 9 10-18 * *", "Europe/London", "Mornings.")


def made_up(**card: Any) -> Source:
    """A source with the card of the ECB but for what is given."""
    return cast(Source, SimpleNamespace(CARD=replace(source_named("ecb").CARD, **card)))


def monthly(days: int, tolerance: int = 0, calendar: Calendar | None = None) -> Source:
    windows = Windows(
        "M", date(2020, 1, 1), timedelta(days=days), 12, tolerance=timedelta(days=tolerance)
    )
    return made_up(windows=(windows,), calendar=calendar, published_after=None)


def due(source: Source, today: str, **releases: str) -> dict[str, str]:
    """By period: the instant in UTC at which it is due."""
    named = {
        Window("M", date.fromisoformat(f"{month[1:5]}-{month[5:]}-01")): datetime.fromisoformat(at)
        for month, at in releases.items()
    }
    return {
        each.name: f"{each.due_at:%Y-%m-%d %H:%M}"
        for each in due_periods(source, named, date.fromisoformat(today))
    }


# When a period is due.


def test_a_month_is_due_its_lag_and_tolerance_after_its_end_on_a_weekday() -> None:
    # September ends on Wednesday; 47 days later it is Tuesday the 17th, in winter time.
    listed = due(monthly(40, 7, MONTH_IN_LONDON), "2026-11-28")
    assert listed["2026-09"] == "2026-11-17 09:45"
    # August: 47 days after it, Saturday 17 October: the next Monday, in summer time.
    assert listed["2026-08"] == "2026-10-19 08:45"


def test_the_list_ends_with_the_next_two_periods() -> None:
    listed = list(due(monthly(40, 7, MONTH_IN_LONDON), "2026-11-17"))
    assert listed[-2:] == ["2026-09", "2026-10"]  # September is due today: it is not late yet
    assert list(due(monthly(40, 7, MONTH_IN_LONDON), "2026-11-18"))[-2:] == ["2026-10", "2026-11"]


def test_rates_of_the_euro_are_due_on_days_of_target_only() -> None:
    listed = due(source_named("ecb"), "2026-04-10")
    # Good Friday is 3 April 2026, Easter Monday the 6th; summer time in Frankfurt.
    assert [day for day in listed if day >= "2026-03-31"] == [
        "2026-03-31", "2026-04-01", "2026-04-02", "2026-04-07", "2026-04-08", "2026-04-09",
        "2026-04-10", "2026-04-13",
    ]  # fmt: skip
    assert listed["2026-04-02"] == "2026-04-02 14:30"


def test_closes_of_new_york_are_due_on_its_sessions_only() -> None:
    listed = due(source_named("yahoo"), "2026-11-28")
    # Thanksgiving is 26 November 2026.
    assert [day for day in listed if day >= "2026-11-24"] == [
        "2026-11-24", "2026-11-25", "2026-11-27", "2026-11-30", "2026-12-01",
    ]  # fmt: skip
    assert listed["2026-11-27"] == "2026-11-27 23:30"


@pytest.mark.parametrize("name", ["ecb", "yahoo"])
def test_after_the_last_listed_session_any_weekday_is_due(name: str) -> None:
    # Sessions are listed to the end of next year; in another year nothing may wait for more.
    listed = list(due(source_named(name), "2040-05-04"))
    assert listed[-3:] == ["2040-05-03", "2040-05-04", "2040-05-07"]


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
        for each in due_periods(monthly(24, 0, tokyo), {}, date(2026, 11, 28))
        if each.name == "2026-10"
    ]
    assert f"{october.due_at:%Y-%m-%d %H:%M}" == "2026-11-24 23:50"
    assert october.due_on == date(2026, 11, 25)


def test_nothing_is_expected_of_a_publication_that_has_ended() -> None:
    assert due_periods(made_up(published_after=None), {}, date(2026, 11, 28)) == []


@pytest.mark.parametrize("name", sorted(all_sources()))
def test_each_source_that_publishes_lists_periods_in_order(name: str) -> None:
    source, today = all_sources()[name], date(2026, 11, 28)
    listed = due_periods(source, {}, today)
    for frequency in {each.frequency for each in listed}:
        of_frequency = [each for each in listed if each.frequency == frequency]
        starts = [each.period_start for each in of_frequency]
        assert starts == sorted(set(starts))
        assert [each.due_on for each in of_frequency] == sorted(
            each.due_on for each in of_frequency
        )
        assert sum(each.due_on >= today for each in of_frequency) == PERIODS_TO_COME
    if source.CARD.windows or source.CARD.published_after is not None:
        assert listed


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
    late = lateness(MONTHS, {"M": newest}, date.fromisoformat(today))
    assert late.missing is not None
    assert late.next_one is not None
    assert late.missing.name == missing
    assert late.days_late(date.fromisoformat(today)) == days
    assert late.next_one.name == following


def test_what_is_published_does_not_depend_on_what_is_held() -> None:
    for newest in ({}, {"M": date(2026, 6, 1)}, {"M": date(2026, 9, 1)}):
        late = lateness(MONTHS, cast(Mapping[Any, date], newest), date(2026, 11, 28))
        assert late.published_through is not None
        assert late.published_through.name == "2026-09"


def test_a_source_without_figures_misses_nothing() -> None:
    late = lateness(MONTHS, {}, date(2026, 11, 28))
    assert late.missing is None
    assert late.days_late(date(2026, 11, 28)) == 0
    assert late.held_through == ""


def test_of_years_and_months_the_longest_overdue_is_missing() -> None:
    both = [*MONTHS, *published(a2025="2026-07-01", a2026="2027-07-01", a2027="2028-07-03")]
    late = lateness(both, {"M": date(2026, 8, 1), "A": date(2024, 1, 1)}, date(2026, 11, 28))
    assert late.missing is not None
    assert (late.missing.name, late.held_through) == ("2025", "2026-08")
    # Years were never fetched: months alone decide.
    late = lateness(both, {"M": date(2026, 8, 1)}, date(2026, 11, 28))
    assert late.missing is not None
    assert late.missing.name == "2026-09"
