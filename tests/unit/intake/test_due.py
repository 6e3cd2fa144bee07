"""What is due follows the publisher's calendar, in its own time zone, and the ledger."""

from __future__ import annotations

import os
from datetime import date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.errors import ConfigurationError
from dagster_project.intake import ledger as ledger_module
from dagster_project.intake.due import (
    documents_due,
    due_of,
    expected,
    is_fetched,
    last_moment,
    limits_of,
    scope_of,
    unanswered,
    why_not_asked,
)
from dagster_project.intake.ledger import Answered, Ask, Ledger, WindowAsk
from dagster_project.lake.landing import Landing, Origin, Snapshot
from dagster_project.lake.store import Store
from dagster_project.settings import Settings
from dagster_project.sources.card import (
    Calendar,
    Extract,
    Limits,
    Request,
    Source,
    SourceCard,
    Window,
    Windows,
)

FRANKFURT = Calendar("30 16 * * 1-5", "Europe/Berlin", "Business days at 16:30.")
NEW_YORK = Calendar("0 7 * * 2", "America/New_York", "Tuesday mornings.")
YEARS = Windows("A", date(2000, 1, 1), timedelta(days=180), revised_for=3)
MONTHS = Windows("M", date(2010, 1, 1), timedelta(days=60), revised_for=4)


def source(**card: Any) -> Source:
    plain = {
        "name": "lib",
        "title": "Lists",
        "publisher": "The library",
        "licence": "free",
        "licence_url": "https://example.org/licence",
        "is_redistributable": True,
        "cadence": "monthly",
        "domain": "prices",
        "homepage": "https://example.org",
        "tables": ("price_quotes",),
        "description": "Lists.",
        "base_url": "https://example.org",
        "calendar": FRANKFURT,
    }
    made_up = SimpleNamespace(CARD=SourceCard(**{**plain, **card}), plan=None, parse=None)
    return cast(Source, made_up)


def year(number: int) -> Window:
    return Window("A", date(number, 1, 1))


def month(number: int, of: int) -> Window:
    return Window("M", date(number, of, 1))


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(Landing(Store(str(tmp_path / "landing"))), "lib")


@pytest.fixture
def landing(tmp_path: Path) -> Landing:
    return Landing(Store(str(tmp_path / "landing")))


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("KIDO_"):
            monkeypatch.delenv(name)


def answer(
    landing: Landing, ledger: Ledger, asked_at: datetime, *windows: Window, rows: int = 1
) -> None:
    """The windows were answered, each with rows of a snapshot that is there."""
    snapshot_id = f"lib-{asked_at:%Y%m%dT%H%M%S%f}-00000000"
    landing.record(
        landing.describe(
            snapshot_id,
            "lib",
            "x",
            [],
            Origin(producer="", citation="", licence="", licence_url="", url=""),
            retrieved_at=asked_at,
        )
    )
    ledger.record(
        Ask(
            document="x",
            asked_at=asked_at,
            answer="ok",
            snapshot_id=snapshot_id,
            known_until=asked_at.date(),
            windows=tuple(
                WindowAsk(
                    frequency=window.frequency,
                    start=window.start,
                    rows=rows,
                    digest="d",
                    snapshot_id=snapshot_id,
                    is_new=True,
                )
                for window in windows
            ),
        )
    )


# The calendar.


@pytest.mark.parametrize(
    ("calendar", "now", "moment"),
    [
        # In winter Frankfurt is an hour before UTC, in summer two.
        (FRANKFURT, "2026-01-14T15:29", "2026-01-13T15:30"),
        (FRANKFURT, "2026-01-14T15:31", "2026-01-14T15:30"),
        (FRANKFURT, "2026-07-14T14:29", "2026-07-13T14:30"),
        (FRANKFURT, "2026-07-14T14:31", "2026-07-14T14:30"),
        # The clocks go forward on Sunday 2026-03-29 and back on Sunday 2026-10-25.
        (FRANKFURT, "2026-03-30T14:29", "2026-03-27T15:30"),
        (FRANKFURT, "2026-03-30T14:31", "2026-03-30T14:30"),
        (FRANKFURT, "2026-10-26T15:29", "2026-10-23T14:30"),
        (FRANKFURT, "2026-10-26T15:31", "2026-10-26T15:30"),
        # Nothing on a weekend.
        (FRANKFURT, "2026-07-19T20:00", "2026-07-17T14:30"),
        # New York changes on 2026-03-08 and 2026-11-01: Tuesdays are 2026-03-03, 03-10, 11-03.
        (NEW_YORK, "2026-03-10T10:59", "2026-03-03T12:00"),
        (NEW_YORK, "2026-03-10T11:01", "2026-03-10T11:00"),
        (NEW_YORK, "2026-11-03T11:59", "2026-10-27T11:00"),
        (NEW_YORK, "2026-11-03T12:01", "2026-11-03T12:00"),
        # The day there is another than the day of UTC.
        (Calendar("0 8 1 * *", "Asia/Tokyo", ""), "2026-05-31T23:30", "2026-05-31T23:00"),
        (Calendar("0 8 1 * *", "Asia/Tokyo", ""), "2026-05-31T22:30", "2026-04-30T23:00"),
    ],
)
def test_the_last_moment_is_that_of_the_publishers_clock(
    calendar: Calendar, now: str, moment: str
) -> None:
    assert last_moment(calendar, datetime.fromisoformat(now)) == datetime.fromisoformat(moment)


def test_without_a_calendar_it_is_always_now() -> None:
    now = datetime(2026, 7, 1, 12)
    assert last_moment(None, now) == now


@given(st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1)))
def test_the_last_moment_is_before_now_and_no_longer_ago_than_a_weekend(now: datetime) -> None:
    moment = last_moment(FRANKFURT, now)
    assert moment < now
    # From Friday 16:30 to Monday 16:30, and the hour of a change of clocks.
    assert now - moment <= timedelta(days=3, hours=1)
    assert (moment.hour, moment.minute) in ((14, 30), (15, 30))
    assert moment.weekday() < 5


# Without windows.


LISTS = Extract("lists.json", (Request("lists", ("json",)),))


def is_due(ledger: Ledger, now: datetime, **card: Any) -> bool:
    """Whether the one document of a source without windows is due."""
    return bool(documents_due(source(**card), ledger, now, [LISTS]))


def test_a_source_that_was_never_asked_is_due(ledger: Ledger) -> None:
    assert is_due(ledger, datetime(2026, 7, 14, 15))


def test_a_source_is_asked_once_after_each_moment_of_its_calendar(
    ledger: Ledger, landing: Landing
) -> None:
    # Tuesday: the rates come out at 14:30 UTC.
    answer(landing, ledger, datetime(2026, 7, 14, 13))
    assert not is_due(ledger, datetime(2026, 7, 14, 14, 29))
    assert is_due(ledger, datetime(2026, 7, 14, 14, 31))
    answer(landing, ledger, datetime(2026, 7, 14, 14, 32))
    assert not is_due(ledger, datetime(2026, 7, 15, 14, 29))
    assert is_due(ledger, datetime(2026, 7, 15, 14, 31))


def test_an_answer_on_friday_evening_lasts_until_monday(ledger: Ledger, landing: Landing) -> None:
    answer(landing, ledger, datetime(2026, 7, 17, 20))
    assert not is_due(ledger, datetime(2026, 7, 20, 14, 29))
    assert is_due(ledger, datetime(2026, 7, 20, 14, 31))


def test_an_answer_that_had_nothing_new_counts_as_asked(ledger: Ledger) -> None:
    ledger.record(Ask(document="x", asked_at=datetime(2026, 7, 14, 15), answer="ok"))
    assert not is_due(ledger, datetime(2026, 7, 14, 16))


def test_an_answer_of_a_clock_that_was_ahead_leaves_the_source_due(
    ledger: Ledger, landing: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime(2026, 7, 14, 16)
    monkeypatch.setattr(ledger_module, "_now", lambda: now)
    answer(landing, ledger, now + timedelta(minutes=5), year(2023))
    assert not is_due(ledger, now)
    answer(landing, ledger, now + timedelta(days=365), year(2025))
    (ahead,) = ledger.from_the_future()
    assert ahead.asked_at == now + timedelta(days=365)
    assert is_due(ledger, now + timedelta(days=1))
    windows = due_of(source(windows=(YEARS,)), ledger, now, ledger.windows()).windows
    assert windows == (year(2024), year(2025))


@pytest.mark.parametrize("outcome", ["no_answer", "denied", "rejected", "quota"])
def test_a_failure_leaves_the_source_due(ledger: Ledger, outcome: Any) -> None:
    ledger.record(Ask(document="x", asked_at=datetime(2026, 7, 14, 15), answer=outcome))
    assert is_due(ledger, datetime(2026, 7, 14, 16))


def test_without_a_calendar_every_request_is_sent(ledger: Ledger, landing: Landing) -> None:
    now = datetime(2026, 7, 14, 15)
    answer(landing, ledger, now - timedelta(seconds=1))
    assert is_due(ledger, now, calendar=None)


def test_of_several_documents_those_that_were_not_answered_are_due(ledger: Ledger) -> None:
    books = Extract("books.json", (Request("books", ("json",)),))
    now = datetime(2026, 7, 14, 16)
    assert documents_due(source(), ledger, now, [LISTS, books]) == (LISTS, books)
    ledger.record(Ask(document="lists.json", asked_at=now, answer="ok"))
    ledger.record(Ask(document="books.json", asked_at=now, answer="quota"))
    assert documents_due(source(), ledger, now, [LISTS, books]) == (books,)
    ledger.record(Ask(document="books.json", asked_at=now, answer="ok"))
    assert documents_due(source(), ledger, now, [LISTS, books]) == ()


def test_a_single_document_may_have_another_name_each_time(ledger: Ledger) -> None:
    ledger.record(Ask(document="since-1.csv", asked_at=datetime(2026, 7, 14, 15), answer="ok"))
    assert not is_due(ledger, datetime(2026, 7, 14, 16))


# Windows.


@pytest.mark.parametrize(
    ("today", "newest"),
    [
        # 2025 ends with 2025-12-31; 180 days from 2026-01-01 is 2026-06-30.
        (date(2026, 6, 29), 2024),
        (date(2026, 6, 30), 2025),
        (date(2026, 12, 31), 2025),
    ],
)
def test_a_year_is_expected_half_a_year_after_its_end(today: date, newest: int) -> None:
    found = expected(YEARS, today)
    assert found[0] == year(2000)
    assert found[-1] == year(newest)
    assert len(found) == newest - 2000 + 1


@pytest.mark.parametrize(
    ("today", "newest"),
    [
        # 60 days from 2024-02-01 is 2024-04-01: that February has 29 days.
        (date(2024, 3, 31), month(2023, 12)),
        (date(2024, 4, 1), month(2024, 1)),
        (date(2024, 4, 29), month(2024, 1)),
        (date(2024, 4, 30), month(2024, 2)),
    ],
)
def test_a_month_is_expected_sixty_days_after_its_end(today: date, newest: Window) -> None:
    assert expected(MONTHS, today)[-1] == newest


def test_nothing_is_expected_before_the_first_window_is_out() -> None:
    assert expected(YEARS, date(1999, 6, 1)) == []
    assert expected(YEARS, date(2001, 6, 29)) == []
    assert expected(YEARS, date(2001, 6, 30)) == [year(2000)]


@pytest.mark.parametrize("frequency", ["A", "M"])
def test_windows_that_begin_within_a_period_begin_with_the_next(frequency: Any) -> None:
    windows = Windows(frequency, date(2020, 5, 17), timedelta(0), 1)
    first = expected(windows, date(2022, 1, 1))[0]
    assert first == (year(2021) if frequency == "A" else month(2020, 6))


def test_due_are_the_newest_windows_that_may_still_be_revised(ledger: Ledger) -> None:
    due = due_of(
        source(windows=(YEARS, MONTHS)), ledger, datetime(2026, 7, 14, 15), ledger.windows()
    )
    assert due.is_due
    assert due.windows == (
        *(year(2023), year(2024), year(2025)),
        *(month(2026, 1), month(2026, 2), month(2026, 3), month(2026, 4)),
    )


def test_a_window_that_was_answered_since_the_last_moment_is_not_due(
    ledger: Ledger, landing: Landing
) -> None:
    one = source(windows=(YEARS,))
    answer(landing, ledger, datetime(2026, 7, 14, 14), year(2023))
    answer(landing, ledger, datetime(2026, 7, 14, 14, 40), year(2024))
    assert due_of(one, ledger, datetime(2026, 7, 14, 15), ledger.windows()).windows == (
        year(2023),
        year(2025),
    )
    answer(landing, ledger, datetime(2026, 7, 14, 14, 50), year(2023), year(2025))
    due = due_of(one, ledger, datetime(2026, 7, 14, 15), ledger.windows())
    assert (due.is_due, due.windows) == (False, ())


def test_a_window_that_was_answered_once_and_is_no_longer_revised_is_not_due(
    ledger: Ledger, landing: Landing
) -> None:
    answer(landing, ledger, datetime(2026, 1, 1), year(2022))
    assert (
        year(2022)
        not in due_of(
            source(windows=(YEARS,)), ledger, datetime(2026, 7, 14, 15), ledger.windows()
        ).windows
    )


def test_windows_that_are_never_revised_are_not_due(ledger: Ledger) -> None:
    never = Windows("A", date(2000, 1, 1), timedelta(days=180), revised_for=0)
    assert not due_of(
        source(windows=(never,)), ledger, datetime(2026, 7, 14, 15), ledger.windows()
    ).is_due


def test_unanswered_are_windows_nobody_answered_and_those_that_are_due_again(
    ledger: Ledger, landing: Landing
) -> None:
    answer(landing, ledger, datetime(2026, 1, 1), year(2020), year(2024))
    due = due_of(source(windows=(YEARS,)), ledger, datetime(2026, 7, 14, 15), ledger.windows())
    wanted = [year(2019), year(2020), year(2021), year(2024)]
    # 2024 may still be revised, 2020 not.
    assert unanswered(wanted, ledger.windows(), due) == [year(2019), year(2021), year(2024)]


def test_unanswered_keeps_the_order_and_asks_for_nothing_that_is_not_wanted() -> None:
    output = WindowAsk(
        frequency="A", start=date(2020, 1, 1), rows=0, digest="", snapshot_id="s", is_new=True
    )
    answered = {year(2020): Answered(datetime(2026, 1, 1), output, cast(Snapshot, None))}
    due = due_of(
        source(windows=(YEARS,)),
        Ledger(Landing(Store("memory://nothing-there")), "lib"),
        datetime(2026, 7, 14, 15),
        answered,
    )
    assert unanswered([year(2021), year(2020), year(2019)], answered, due) == [
        year(2021),
        year(2019),
    ]


# What is asked beside periods.


def test_a_reporter_that_is_no_economy_is_named(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIDO_LIB_REPORTERS", "jpn, usa,XQZ")
    with pytest.raises(ConfigurationError, match=r"KIDO_LIB_REPORTERS: 'XQZ' is not an economy\."):
        scope_of(Settings.load(), source(), ledger)


def test_the_scope_is_made_of_settings_card_and_ledger(
    ledger: Ledger, landing: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = source(rows_per_call=(100_000, 500))
    plain = scope_of(Settings.load(), one, ledger)
    assert (plain.reporters, plain.rows_per_call, plain.has_key) == ((), 500, False)
    assert plain.known_until is None
    assert "280530" in plain.commodity_codes
    assert list(plain.commodity_codes) == sorted(plain.commodity_codes)

    answer(landing, ledger, datetime(2026, 7, 14, 15))
    monkeypatch.setenv("KIDO_LIB_KEY", "s3cr3t")
    monkeypatch.setenv("KIDO_LIB_REPORTERS", "jpn, usa")
    keyed = scope_of(Settings.load(), one, ledger)
    assert (keyed.reporters, keyed.rows_per_call, keyed.has_key) == (("JPN", "USA"), 100_000, True)
    assert keyed.known_until == date(2026, 7, 14)
    assert "s3cr3t" not in repr(keyed)

    monkeypatch.setenv("KIDO_LIB_ROWS_PER_CALL", "250")
    assert scope_of(Settings.load(), one, ledger).rows_per_call == 250


def test_a_source_without_a_cap_has_none_and_one_with_windows_no_last_day(
    ledger: Ledger, landing: Landing
) -> None:
    answer(landing, ledger, datetime(2026, 7, 14, 15))
    scope = scope_of(Settings.load(), source(windows=(YEARS,)), ledger)
    assert (scope.rows_per_call, scope.known_until) == (None, None)


def test_limits_are_those_of_the_card_unless_the_subscription_allows_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = source(limits=Limits(calls_a_minute=10, calls_a_day=500, largest_answer_bytes=7))
    assert limits_of(Settings.load(), one) == Limits(10, 500, 7)
    monkeypatch.setenv("KIDO_LIB_CALLS_PER_MINUTE", "60")
    monkeypatch.setenv("KIDO_LIB_CALLS_PER_DAY", "100000")
    assert limits_of(Settings.load(), one) == Limits(60, 100_000, 7)


def test_only_what_can_be_asked_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings.load()
    cannot = cast(Source, SimpleNamespace(CARD=source().CARD))
    assert not is_fetched(settings, source())
    monkeypatch.setenv("KIDO_LIB_ENABLED", "true")
    assert is_fetched(settings, source())
    with pytest.raises(ConfigurationError, match="KIDO_LIB_ENABLED: lib cannot be fetched"):
        is_fetched(settings, cannot)


@pytest.mark.parametrize(
    ("card", "settings", "reason"),
    [
        ({}, {}, ""),
        ({}, {"ENABLED": "true"}, ""),
        ({}, {"ENABLED": "false"}, "switched off"),
        ({"needs_key": True}, {}, "needs a key: KIDO_LIB_KEY"),
        ({"needs_key": True}, {"KEY": " "}, "needs a key: KIDO_LIB_KEY"),
        ({"needs_key": True}, {"KEY": "s3cr3t"}, ""),
        ({"needs_key": True}, {"KEY": "s3cr3t", "ENABLED": "false"}, "switched off"),
        ({"needs_key": True}, {"ENABLED": "true"}, ""),
        (
            {"needs_consent": True}, {},
            "its terms need your consent: KIDO_LIB_ENABLED=true",
        ),
        ({"needs_consent": True}, {"ENABLED": "true"}, ""),
        (
            {"needs_consent": True, "needs_key": True}, {"KEY": "s3cr3t"},
            "its terms need your consent: KIDO_LIB_ENABLED=true",
        ),
    ],
)  # fmt: skip
def test_without_a_name_a_source_is_asked_unless_there_is_a_reason(
    card: dict[str, Any], settings: dict[str, str], reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(f"KIDO_LIB_{name}", value)
    assert why_not_asked(Settings.load(), source(**card)) == reason


# The publisher's own calendar.

RELEASES = {
    month(2026, 4): datetime(2026, 5, 28, 0, 30),
    month(2026, 5): datetime(2026, 6, 26, 0, 30),
}
EARLY = Windows("M", date(2026, 1, 1), timedelta(days=24), revised_for=2)


def test_a_month_is_due_from_its_release_on_and_once(ledger: Ledger, landing: Landing) -> None:
    one = source(windows=(EARLY,))

    def due_at(now: datetime) -> tuple[Window, ...]:
        return due_of(one, ledger, now, ledger.windows(), RELEASES).windows

    # 25 days after May ends it may be published, and is not: customs have named the 26th.
    assert due_at(datetime(2026, 6, 25, 15)) == (month(2026, 4),)
    answer(landing, ledger, datetime(2026, 6, 25, 16), month(2026, 4))
    assert due_at(datetime(2026, 6, 25, 17)) == ()
    assert due_at(datetime(2026, 6, 26, 0, 31)) == (month(2026, 4), month(2026, 5))
    answer(landing, ledger, datetime(2026, 6, 26, 1), month(2026, 4), month(2026, 5))
    # Nothing before the next release, though each day of the card's calendar passes.
    assert due_at(datetime(2026, 7, 14, 15)) == ()


def test_a_month_without_figures_is_due_every_day_of_the_calendar(
    ledger: Ledger, landing: Landing
) -> None:
    one = source(windows=(EARLY,))
    answer(landing, ledger, datetime(2026, 6, 26, 1), month(2026, 4))
    answer(landing, ledger, datetime(2026, 6, 26, 2), month(2026, 5), rows=0)
    due = due_of(one, ledger, datetime(2026, 6, 29, 15), ledger.windows(), RELEASES)
    assert due.windows == (month(2026, 5),)


def test_a_calendar_that_ended_long_ago_is_not_used(ledger: Ledger, landing: Landing) -> None:
    one = source(windows=(EARLY,))
    answer(landing, ledger, datetime(2026, 6, 26, 1), month(2026, 6), month(2026, 7))
    due = due_of(one, ledger, datetime(2026, 8, 26, 15), ledger.windows(), RELEASES)
    assert due.windows == (month(2026, 6), month(2026, 7))
