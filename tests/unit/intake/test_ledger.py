"""The ledger records requests; an ask whose snapshot does not exist does not count."""

from __future__ import annotations

import uuid
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from dagster_project.intake.ledger import Ask, Ledger, WindowAsk
from dagster_project.lake.landing import Landing, Origin
from dagster_project.lake.store import Store
from dagster_project.sources.card import Window

NOON = datetime(2026, 7, 14, 12)
Y2023, Y2024 = Window("A", date(2023, 1, 1)), Window("A", date(2024, 1, 1))
MAY = Window("M", date(2024, 5, 1))
JANUARY = Window("M", date(2024, 1, 1))


@pytest.fixture(params=["folder", "memory"])
def landing(request: pytest.FixtureRequest, tmp_path: Path) -> Landing:
    here = str(tmp_path / "landing")
    return Landing(Store(here if request.param == "folder" else f"memory://{uuid.uuid4().hex}"))


@pytest.fixture
def ledger(landing: Landing) -> Ledger:
    return Ledger(landing, "lib")


def land(landing: Landing, snapshot_id: str) -> None:
    landing.record(
        landing.describe(
            snapshot_id,
            "lib",
            "x.json",
            [],
            Origin(producer="", citation="", licence="", licence_url="", url=""),
            retrieved_at=NOON,
        )
    )


def output(
    window: Window, snapshot_id: str, digest: str = "d", *, is_new: bool = True
) -> WindowAsk:
    return WindowAsk(
        frequency=window.frequency,
        start=window.start,
        rows=3,
        digest=digest,
        snapshot_id=snapshot_id,
        is_new=is_new,
    )


def ask(
    asked_at: datetime = NOON, answer: Any = "ok", document: str = "x.json", **more: Any
) -> Ask:
    return Ask(document=document, asked_at=asked_at, answer=answer, **more)


def again(ledger: Ledger, landing: Landing) -> Ledger:
    """As another process opens it."""
    return Ledger(Landing(Store(landing.store.url)), "lib")


def hours(number: int) -> timedelta:
    return timedelta(hours=number)


@pytest.mark.parametrize(
    ("runs", "answer", "reason"),
    [
        ([("a", "ok", "1")], "ok", "1"),
        ([("a", "rejected", "1"), ("a", "ok", "2")], "rejected", "1"),
        ([("a", "ok", "1"), ("a", "rejected", "2"), ("a", "rejected", "3")], "rejected", "2"),
        ([("a", "no_answer", "1"), ("a", "rejected", "2")], "no_answer", "1"),
        ([("a", "rejected", "1"), ("a", "quota", "2")], "quota", "2"),
        ([("a", "denied", "1"), ("b", "ok", "2")], "ok", "2"),
        # Asks of the version before are of no run: the last one stands alone.
        ([("", "denied", "1"), ("", "ok", "2")], "ok", "2"),
    ],
)
def test_of_the_last_run_the_worst_answer_counts(
    ledger: Ledger, runs: list[tuple[str, str, str]], answer: str, reason: str
) -> None:
    for number, (run, found, why) in enumerate(runs):
        ledger.record(ask(NOON + hours(number), found, run=run, reason=why))
    last = ledger.last_run()
    assert last is not None
    assert (last.answer, last.reason) == (answer, reason)


def test_a_ledger_of_a_source_that_was_never_asked_is_empty(ledger: Ledger) -> None:
    assert ledger.asks() == []
    assert ledger.names() == []
    assert ledger.windows() == {}
    assert ledger.last_answered() is None
    assert ledger.last_of("x.json") is None
    assert ledger.known_until() is None


def test_asks_are_read_back_oldest_first_by_every_process(ledger: Ledger, landing: Landing) -> None:
    asks = [
        ask(NOON + hours(2), "quota", reason="lib: no more calls."),
        ask(NOON, "no_answer", reason="lib: nobody there."),
        ask(NOON + hours(1), document="y.json", digest="d"),
    ]
    for one in asks:
        ledger.record(one)
    assert ledger.asks() == [asks[1], asks[2], asks[0]]
    assert again(ledger, landing).asks() == [asks[1], asks[2], asks[0]]
    assert ledger.asks(until=NOON + hours(1)) == [asks[1], asks[2]]


def test_two_asks_of_the_same_moment_are_two(ledger: Ledger) -> None:
    ledger.record(ask(document="a"))
    ledger.record(ask(document="b"))
    assert sorted(one.document for one in ledger.asks()) == ["a", "b"]
    assert len(set(ledger.names())) == 2


def test_asks_of_one_source_are_not_those_of_another(ledger: Ledger, landing: Landing) -> None:
    ledger.record(ask())
    assert Ledger(landing, "other").asks() == []


def test_asks_are_no_snapshots(ledger: Ledger, landing: Landing) -> None:
    for _ in range(20):
        ledger.record(ask())
    assert landing.snapshots("lib") == []
    assert landing.store.names("lib") == []


def test_a_ledger_of_many_asks_is_read_whole(ledger: Ledger, landing: Landing) -> None:
    for number in range(120):
        ledger.record(ask(NOON + hours(number), document=f"{number}"))
    assert [one.document for one in again(ledger, landing).asks()] == [
        f"{number}" for number in range(120)
    ]


def test_an_ask_counts_as_soon_as_its_snapshot_does(ledger: Ledger, landing: Landing) -> None:
    ledger.record(
        ask(snapshot_id="lib-1", windows=(output(Y2024, "lib-1"),), known_until=NOON.date())
    )
    for each in (ledger, again(ledger, landing)):
        assert each.asks() == []
        assert each.windows() == {}
        assert each.last_answered() is None
        assert each.known_until() is None
    land(landing, "lib-1")
    for each in (ledger, again(ledger, landing)):
        assert len(each.asks()) == 1
        assert list(each.windows()) == [Y2024]
        assert each.known_until() == date(2026, 7, 14)


def test_the_last_answer_about_a_window_counts(ledger: Ledger, landing: Landing) -> None:
    land(landing, "lib-1")
    land(landing, "lib-2")
    ledger.record(
        ask(snapshot_id="lib-1", windows=(output(Y2023, "lib-1", "a"), output(Y2024, "lib-1", "b")))
    )
    ledger.record(
        ask(
            NOON + hours(1),
            snapshot_id="lib-2",
            windows=(output(Y2023, "lib-1", "a", is_new=False), output(Y2024, "lib-2", "c")),
        )
    )
    windows = ledger.windows()
    assert {one: answered.window_ask.digest for one, answered in windows.items()} == {
        Y2023: "a",
        Y2024: "c",
    }
    assert {answered.asked_at for answered in windows.values()} == {NOON + hours(1)}
    assert windows[Y2023].window_ask.snapshot_id == "lib-1"


def test_a_year_and_its_january_are_two_windows(ledger: Ledger, landing: Landing) -> None:
    land(landing, "lib-1")
    ledger.record(
        ask(snapshot_id="lib-1", windows=(output(Y2024, "lib-1"), output(JANUARY, "lib-1")))
    )
    assert set(ledger.windows()) == {Y2024, JANUARY}


@pytest.mark.parametrize("outcome", ["no_answer", "denied", "rejected", "quota"])
def test_a_failed_ask_is_kept_and_answers_nothing(ledger: Ledger, outcome: Any) -> None:
    ledger.record(ask(answer=outcome, reason="lib: no."))
    assert [one.answer for one in ledger.asks()] == [outcome]
    assert ledger.last_answered() is None
    assert ledger.last_of("x.json") is None
    assert ledger.windows() == {}


def test_windows_of_a_removed_snapshot_are_asked_again(ledger: Ledger, landing: Landing) -> None:
    land(landing, "lib-1")
    land(landing, "lib-2")
    ledger.record(
        ask(snapshot_id="lib-1", windows=(output(Y2023, "lib-1"), output(MAY, "lib-1", "m")))
    )
    ledger.record(ask(NOON + hours(1), snapshot_id="lib-2", windows=(output(Y2024, "lib-2"),)))
    # Later answers had nothing new, so the rows are still those of the first snapshot.
    ledger.record(ask(NOON + hours(2), windows=(output(MAY, "lib-1", "m", is_new=False),)))
    landing.store.remove("lib/lib-1")  # as a person does
    for each in (ledger, again(ledger, landing)):
        assert set(each.windows()) == {Y2024}


def test_the_last_ask_of_a_document_is_that_of_its_name(ledger: Ledger, landing: Landing) -> None:
    for number, name in enumerate(["x.json", "y.json"], start=1):
        land(landing, f"lib-{number}")
        ledger.record(
            ask(NOON + hours(number), document=name, snapshot_id=f"lib-{number}", digest=name)
        )
    found = ledger.last_of("x.json")
    assert found is not None
    assert found.digest == "x.json"
    assert ledger.last_of("z.json") is None
    last = ledger.last_answered()
    assert last is not None
    assert last.document == "y.json"


def test_a_document_whose_snapshot_was_removed_is_news_again(
    ledger: Ledger, landing: Landing
) -> None:
    land(landing, "lib-1")
    ledger.record(ask(snapshot_id="lib-1", digest="d", known_until=date(2026, 7, 13)))
    # The next day's answer was the same; the rows are those of the snapshot.
    ledger.record(ask(NOON + hours(24), digest="d", known_until=date(2026, 7, 13)))
    found = ledger.last_of("x.json")
    assert found is not None
    assert found.digest == "d"
    landing.store.remove("lib/lib-1")  # as a person does
    for each in (ledger, again(ledger, landing)):
        found = each.last_of("x.json")
        assert found is None or found.digest != "d"
        assert each.known_until() is None
        # It was asked, whatever became of the answer.
        assert each.last_answered() is not None


def test_what_is_known_of_a_source_ends_with_the_last_day_of_any_answer(
    ledger: Ledger, landing: Landing
) -> None:
    for number, day in enumerate([date(2026, 7, 13), date(2026, 7, 10)], start=1):
        land(landing, f"lib-{number}")
        ledger.record(
            ask(NOON + hours(number), snapshot_id=f"lib-{number}", known_until=day, digest="d")
        )
    assert ledger.known_until() == date(2026, 7, 13)


def test_a_name_per_ask_changes_whenever_something_was_asked(
    ledger: Ledger, landing: Landing
) -> None:
    ledger.record(ask())
    before = ledger.names()
    assert again(ledger, landing).names() == before
    again(ledger, landing).record(ask(NOON + hours(1), "no_answer"))
    assert len(ledger.names()) == 2
    assert ledger.names()[:1] == before


def test_an_outcome_nobody_knows_is_rejected() -> None:
    with pytest.raises(ValidationError):
        ask(answer="perhaps")
