"""Two runs that ask the same publisher at the same time, and one that holds it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from dagster_project.intake.conform import conform
from dagster_project.intake.fetch import SourceFetch, fetch_due
from dagster_project.intake.ledger import Ledger
from dagster_project.intake.stores import landing_of
from dagster_project.settings import Settings
from dagster_project.sources import comtrade
from dagster_project.sources.card import Window
from dagster_project.sources.registry import source_named
from tests.fakes.comtrade import FakeComtrade, flows_for
from tests.fakes.server import before_reply
from tests.integration.asking import start_fetch

CODES = ["280530", "284610"]
YEARS = [str(year) for year in range(2010, 2022)]


@pytest.fixture
def publisher() -> Iterator[FakeComtrade]:
    with FakeComtrade(flows_for([392], [156, 704], CODES, YEARS), key="secret") as server:
        yield server


def environment(home: Path, url: str) -> dict[str, str]:
    return {
        "KIDO_HOME": str(home),
        "KIDO_COMTRADE_URL": url,
        "KIDO_COMTRADE_KEY": "secret",
        "KIDO_COMTRADE_REPORTERS": "JPN",
        "KIDO_COMTRADE_ROWS_PER_CALL": "60",
        "KIDO_COMTRADE_CALLS_PER_MINUTE": "60000",
        "FEW_CODES": ",".join(CODES),
    }


def test_two_fetches_at_once_ask_and_land_each_window_once(
    publisher: FakeComtrade, tmp_path: Path
) -> None:
    env = environment(tmp_path / "home", publisher.root)
    wanted = {"first": "2010", "last": "2021", "frequency": "A"}
    second_waits = threading.Event()
    # The first is in the middle of its first request until the second has come.
    publisher.will(before_reply(lambda: second_waits.wait(60)))
    first = start_fetch(comtrade.__name__, {**env, "SAID": "first.txt"}, **wanted)
    while not publisher.requests:
        time.sleep(0.01)
    second = start_fetch(comtrade.__name__, {**env, "SAID": "second.txt"}, **wanted)
    second.join(1.5)
    assert second.is_alive()
    second_waits.set()
    for process in (first, second):
        process.join(120)
        assert process.exitcode == 0
    output = [(tmp_path / "home" / name).read_text("utf8") for name in ("first.txt", "second.txt")]
    assert "waiting for another run" not in output[0]
    assert output[1].splitlines() == [
        "comtrade: waiting for another run that fetches or lands it.",
        "comtrade: nothing to request; all of it was answered before (--again repeats).",
    ]
    settings = Settings.load(home=tmp_path / "home")
    landing = landing_of(settings)
    years = {Window("A", date(int(year), 1, 1)) for year in YEARS}
    assert set(Ledger(landing, "comtrade").windows()) == years
    found = [period.start.year for one in landing.snapshots("comtrade") for period in one.windows]
    assert sorted(found) == sorted(map(int, YEARS))
    asked = [request.target for request in publisher.requests]
    assert len(asked) == len(set(asked))
    assert conform(settings, source_named("comtrade")).rejected == {}


def test_a_build_does_not_wait_for_another_run_that_asks(
    publisher: FakeComtrade, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in environment(tmp_path / "home", publisher.root).items():
        monkeypatch.setenv(name, text)
    settings, source = Settings.load(), source_named("comtrade")
    with SourceFetch(settings, source).lock():
        fetched = fetch_due(settings, source)
    assert fetched.answer == "not_asked"
    assert fetched.reason == "comtrade is being fetched or landed by another run."
    assert publisher.requests == []


def test_an_answer_nobody_has_seen_before_is_a_rejected_one(
    publisher: FakeComtrade, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumbles(*_: object) -> None:
        raise KeyError("no such thing")

    # All years fit an answer: what is cut is asked for in a hundred pieces.
    env = {**environment(tmp_path / "home", publisher.root), "KIDO_COMTRADE_ROWS_PER_CALL": "1000"}
    for name, text in env.items():
        monkeypatch.setenv(name, text)
    settings, source = Settings.load(), source_named("comtrade")
    monkeypatch.setattr(source, "follow", stumbles)
    fetched = fetch_due(settings, source)
    assert fetched.answer == "rejected"
    assert "cannot be read (KeyError" in fetched.reason
    monkeypatch.undo()
    for name, text in environment(tmp_path / "home", publisher.root).items():
        monkeypatch.setenv(name, text)
    monkeypatch.setattr(source, "parse", lambda payload, document, scope: None)
    fetched = fetch_due(settings, source)
    assert fetched.answer == "rejected"
    assert "cannot be read (AttributeError" in fetched.reason
    # Planned for the first time, and with answers in the ledger.
    monkeypatch.setattr(source, "plan", stumbles)
    assert "cannot be planned (KeyError" in fetch_due(settings, source).reason
    monkeypatch.undo()
    for name, text in environment(tmp_path / "home", publisher.root).items():
        monkeypatch.setenv(name, text)
    monkeypatch.setenv("KIDO_COMTRADE_ROWS_PER_CALL", "100000")
    assert fetch_due(Settings.load(), source).answer == "ok"
    monkeypatch.setattr(source, "plan", stumbles)
    fetched = fetch_due(settings, source)
    assert fetched.answer == "rejected"
    assert "cannot be planned (KeyError" in fetched.reason
    last = Ledger(landing_of(settings), "comtrade").last_run()
    assert last is not None
    assert last.answer == "rejected"
    assert last.reason == fetched.reason


def test_what_is_due_of_one_reporter_is_due_of_another(
    publisher: FakeComtrade, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in environment(tmp_path / "home", publisher.root).items():
        monkeypatch.setenv(name, text)
    monkeypatch.setenv("KIDO_COMTRADE_ROWS_PER_CALL", "100000")
    source = source_named("comtrade")
    assert fetch_due(Settings.load(), source).answer == "ok"
    assert SourceFetch(Settings.load(), source).plan_due().windows == []
    monkeypatch.setenv("KIDO_COMTRADE_REPORTERS", "USA")
    assert len(SourceFetch(Settings.load(), source).plan_due().windows) == 27
    monkeypatch.setenv("KIDO_COMTRADE_REPORTERS", "JPN")
    assert SourceFetch(Settings.load(), source).plan_due().windows == []
