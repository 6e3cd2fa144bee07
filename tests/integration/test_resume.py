"""A backfill of ten years of months that is killed and runs out of quota asks nothing twice."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import dagster as dg
import pytest

from dagster_project.intake.ledger import Ledger
from dagster_project.intake.stores import landing_of
from dagster_project.orchestration.keys import backfill_key
from dagster_project.settings import Settings
from dagster_project.sources.card import Window
from tests.fakes.comtrade import FakeComtrade, flows_for
from tests.fakes.server import after_reply, before_reply
from tests.integration.asking import fetch, start_backfill, start_fetch
from tests.nightly import is_night, nightly

COMTRADE = "dagster_project.sources.comtrade"
CODES = ["280530", "284610", "284690"]
YEARS = range(2015 if is_night() else 2023, 2025)
MONTHS_ASKED = [f"{year}-{month:02}" for year in YEARS for month in range(1, 13)]
MONTHS = [month.replace("-", "") for month in MONTHS_ASKED]
TEN_YEARS = {"first": "2015", "last": "2024"}


@pytest.fixture
def publisher() -> Iterator[FakeComtrade]:
    periods = [*map(str, YEARS), *MONTHS]
    with FakeComtrade(flows_for([392], [156, 704, 276], CODES, periods), key="secret") as server:
        yield server


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def environment(home: Path, url: str) -> dict[str, str]:
    return {
        "KIDO_HOME": str(home),
        "KIDO_COMTRADE_URL": url,
        "KIDO_COMTRADE_KEY": "secret",
        "KIDO_COMTRADE_REPORTERS": "JPN",
        # One month in a call, and where it is cut, by code.
        "KIDO_COMTRADE_ROWS_PER_CALL": "12",
        "KIDO_COMTRADE_CALLS_PER_MINUTE": "60000",
        "KIDO_COMTRADE_CALLS_PER_DAY": "100000",
        "FEW_CODES": ",".join(CODES),
    }


def answered(home: Path) -> set[Window]:
    return set(Ledger(landing_of(Settings.load(home=home)), "comtrade").windows())


def windows(frequency: str) -> set[Window]:
    if frequency == "A":
        return {Window("A", date(year, 1, 1)) for year in YEARS}
    return {Window("M", date(year, month, 1)) for year in YEARS for month in range(1, 13)}


def asked_again(publisher: FakeComtrade) -> int:
    """How many requests the server's own log holds that were there before."""
    seen = Counter(request.target for request in publisher.requests)
    return sum(times - 1 for times in seen.values())


@nightly
def test_a_backfill_killed_three_times_and_once_out_of_quota_sends_nothing_twice(
    publisher: FakeComtrade, home: Path
) -> None:
    env = environment(home, publisher.root)
    chance = random.Random(2015)
    done: list[int] = []
    for hook in (before_reply, after_reply, before_reply):
        at: list[Callable[[], None]] = []
        publisher.only(chance.randrange(40, 90), then=hook(lambda at=at: at[0]()))
        process = start_fetch(COMTRADE, env, **TEN_YEARS)
        at.append(process.kill)
        process.join(120)
        assert process.exitcode == -9
        publisher.always(None)
        done.append(len(answered(home)))
    assert 0 < done[0] < done[1] < done[2] < 130

    with publisher.lock:
        publisher.calls_a_day = publisher.calls_today + 60
    assert fetch(COMTRADE, env, **TEN_YEARS) == 3
    output = (home / "said.txt").read_text("utf8")
    assert "Out of call volume quota" in output
    assert "Continue at" in output
    out_of_quota = len(answered(home))
    assert done[2] < out_of_quota < 130
    with publisher.lock:
        publisher.calls_a_day = None
    publisher.replenish()

    assert fetch(COMTRADE, env, **TEN_YEARS) == 0
    assert answered(home) == windows("A") | windows("M")
    # The three in flight at a kill, and the one that the quota refused.
    assert asked_again(publisher) <= 4
    requests = len(publisher.requests)
    assert fetch(COMTRADE, env, **TEN_YEARS) == 0
    assert len(publisher.requests) == requests


def materialised(home: Path, frequency: str) -> set[str]:
    """The partitions that the UI shows as materialised."""
    key = backfill_key("comtrade", frequency)  # type: ignore[arg-type]
    with dg.DagsterInstance.from_config(str(home / "dagster")) as instance:
        return set(instance.get_materialized_partitions(key))


def test_the_partitions_that_the_ui_shows_are_the_windows_answered_right_after_a_kill(
    publisher: FakeComtrade, home: Path
) -> None:
    env = environment(home, publisher.root)
    at: list[Callable[[], None]] = []
    publisher.only(len(MONTHS) * 5 // 3, then=before_reply(lambda: at[0]()))
    process = start_backfill(env, "M", MONTHS_ASKED[0], MONTHS_ASKED[-1])
    at.append(process.kill)
    process.join(120)
    assert process.exitcode == -9
    publisher.always(None)
    finished = {window.key for window in answered(home)}
    assert 10 < len(finished) < 12 * len(YEARS)
    assert materialised(home, "M") == finished

    # Part of the rest is asked for at a terminal; the next run of the UI knows.
    assert fetch(COMTRADE, env, first="2024", last="2024", frequency="M") == 0
    process = start_backfill(env, "M", MONTHS_ASKED[0], MONTHS_ASKED[-1])
    process.join(120)
    assert process.exitcode == 0
    assert materialised(home, "M") == {window.key for window in windows("M")}
    assert asked_again(publisher) <= 1
