"""Whatever interrupts an ask, the marts are those of one undisturbed pull, or those before it."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from dagster_project.settings import Settings
from dagster_project.sources import comtrade
from dagster_project.sources.card import Source
from tests.fakes import paged
from tests.fakes.comtrade import WORLD, FakeComtrade, Flow, flows_for
from tests.fakes.paged import FakePaged
from tests.fakes.server import after_reply, before_reply, status
from tests.integration.asking import fetch, start_fetch
from tests.integration.marts import OF_TRADE, Marts
from tests.nightly import is_night, nightly, times

COMTRADE = "dagster_project.sources.comtrade"
PAGED = "tests.fakes.paged"
CODES = ["280530", "284610", "284690", "811292", "250410"]
FLOWS = ("trade.reported_flows",)
SHOWN = OF_TRADE if is_night() else FLOWS
"""All other marts of trade are made from the flows."""

MONTHS = [f"2024{month:02}" for month in range(1, 7)]


@pytest.fixture
def world() -> list[Flow]:
    """Japan's and the United States' trade in five codes: two years and six months."""
    return flows_for([392, 842], [156, 704, 699, 276], CODES, ["2023", "2024", *MONTHS])


@pytest.fixture
def publisher(world: list[Flow]) -> Iterator[FakeComtrade]:
    with FakeComtrade(world, key="secret") as server:
        yield server


def environment(home: Path, url: str, **more: str) -> dict[str, str]:
    return {
        "KIDO_HOME": str(home),
        "KIDO_COMTRADE_URL": url,
        "KIDO_COMTRADE_KEY": "secret",
        "KIDO_COMTRADE_REPORTERS": "JPN,USA",
        # Few enough that every answer is cut and asked for in pieces.
        "KIDO_COMTRADE_ROWS_PER_CALL": "40",
        "KIDO_COMTRADE_CALLS_PER_MINUTE": "60000",
        "KIDO_COMTRADE_CALLS_PER_DAY": "100000",
        "FEW_CODES": ",".join(CODES),
        "KIDO_MADE_UP_URL": url,
        "KIDO_MADE_UP_ENABLED": "true",
        **more,
    }


def settings_of(home: Path) -> Settings:
    return Settings.load(home=home)


def equal(found: Mapping[str, pl.DataFrame], expected: Mapping[str, pl.DataFrame]) -> None:
    assert found.keys() == expected.keys()
    for name, frame in expected.items():
        assert_frame_equal(found[name], frame, rel_tol=1e-12)


def output(home: Path) -> str:
    return (home / "said.txt").read_text("utf8")


def is_torn(home: Path, source: str) -> bool:
    """Whether anything counts that is not whole: a snapshot without one of its parts."""
    landing = home / "landing" / source
    for record in landing.glob("*/origin.json"):
        from dagster_project.lake.landing import Snapshot
        from dagster_project.lake.records import read_record_file

        snapshot = read_record_file(record, Snapshot, "")
        if any(not (record.parent / part.file).exists() for part in snapshot.parts):
            return True
    return False


KILLS = times(at_night=18, by_day=2)
"""In each of three homes, by day in one of them."""


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=nightly) for seed in (1, 2))])
def test_a_pull_killed_at_any_moment_ends_in_the_marts_of_an_undisturbed_one(
    seed: int, marts: Marts, publisher: FakeComtrade, tmp_path: Path
) -> None:
    wanted = {"first": "2024", "last": "2024"}
    calm = environment(tmp_path / "calm", publisher.root)
    assert fetch(COMTRADE, calm, **wanted) == 0
    requests = len(publisher.requests)
    expected = marts(settings_of(tmp_path / "calm"), comtrade, SHOWN)
    assert expected["trade.reported_flows"].height > 100
    assert set(expected["trade.reported_flows"]["frequency"]) == {"A", "M"}

    chance = random.Random(seed)
    wild = environment(tmp_path / "wild", publisher.root)
    kills, is_done = 0, False
    for _ in range(60):
        # Once all is answered there is only something to kill where it is asked for again.
        repeated = is_done or chance.random() < 0.3
        first = chance.choice(["2024", "2024-02", "2024-06"]) if repeated else "2024"
        process_at: list[Callable[[], None]] = []

        def kill(
            pause: float = chance.uniform(0, 0.04), at: list[Callable[[], None]] = process_at
        ) -> None:
            # From another thread, so that the answer is not held up by the pause.
            threading.Thread(target=lambda: (time.sleep(pause), at[0]())).start()

        hook = chance.choice([before_reply, after_reply])
        publisher.only(chance.randrange(1, max(2, requests // 6)), then=hook(kill))
        process = start_fetch(COMTRADE, wild, first=first, last="2024", again=str(repeated).lower())
        process_at.append(process.kill)
        process.join(120)
        publisher.always(None)
        assert process.exitcode in (0, -9)
        kills += process.exitcode == -9
        is_done = process.exitcode == 0
        assert not is_torn(tmp_path / "wild", "comtrade")
        if kills == KILLS:
            break
    assert kills == KILLS
    assert fetch(COMTRADE, wild, **wanted) == 0
    equal(marts(settings_of(tmp_path / "wild"), comtrade, SHOWN), expected)


def test_after_revisions_the_marts_are_those_of_one_pull_of_today(
    marts: Marts, publisher: FakeComtrade, tmp_path: Path
) -> None:
    env = environment(tmp_path / "home", publisher.root)
    annual = {"first": "2023", "last": "2024", "frequency": "A"}
    # A small part of the code: of a large one the withdrawal would be quarantined.
    publisher.revise(
        lambda flow: replace(flow, value=flow.value / 1000),
        reporter=842, code="811292", period="2023",
    )  # fmt: skip
    assert fetch(COMTRADE, env, **annual) == 0
    publisher.revise(
        lambda flow: replace(flow, value=flow.value * 3), reporter=392, partner=156, period="2024"
    )
    publisher.withdraw(reporter=842, code="811292", period="2023")
    added = flows_for([392], [458], ["280530"], ["2023"], gaps=0, seed=7)
    publisher.publish(*(flow for flow in added if flow.partner != WORLD))
    assert fetch(COMTRADE, env, **annual, again="true") == 0, output(tmp_path / "home")
    calm = environment(tmp_path / "calm", publisher.root)
    assert fetch(COMTRADE, calm, **annual) == 0
    found = marts(settings_of(tmp_path / "home"), comtrade, SHOWN)
    equal(found, marts(settings_of(tmp_path / "calm"), comtrade, SHOWN))
    flows = found["trade.reported_flows"]
    assert flows.filter(pl.col("partner_iso3") == "MYS").height
    assert flows.filter(
        (pl.col("reporter_iso3") == "USA") & (pl.col("commodity_code") == "811292")
        & (pl.col("period_start") == pl.date(2023, 1, 1))
    ).is_empty()  # fmt: skip


# ---- A slice on two pages


ON_PAGES = [
    *(("JPN", partner, "284690", float(100 + at)) for at, partner in enumerate(
        ("CHN", "PHL", "VNM", "FRA", "EST", "MYS"))),
    *(("USA", partner, "284690", float(200 + at)) for at, partner in enumerate(
        ("CHN", "EST", "JPN", "FRA"))),
]  # fmt: skip
"""Three pages of four: Japan's slice begins on the first and ends on the second."""

YEARS = ("2021", "2022", "2023")


@pytest.fixture
def pages() -> Iterator[FakePaged]:
    with FakePaged(dict.fromkeys(YEARS, ON_PAGES)) as server:
        yield server


def shares(found: Mapping[str, pl.DataFrame], year: int) -> dict[str, float]:
    rows = found["trade.reported_flows"].filter(
        pl.col("period_start").dt.year() == year, pl.col("reporter_iso3") == "JPN"
    )
    return dict(rows.select("partner_iso3", "value_usd").iter_rows())


def test_a_slice_on_two_pages_is_whole(marts: Marts, pages: FakePaged, tmp_path: Path) -> None:
    env = environment(tmp_path / "home", pages.root)
    assert fetch(PAGED, env, first="2021", last="2023") == 0
    found = marts(settings_of(tmp_path / "home"), source(paged), FLOWS)
    assert shares(found, 2022) == {
        "CHN": 100.0, "PHL": 101.0, "VNM": 102.0, "FRA": 103.0, "EST": 104.0, "MYS": 105.0,
    }  # fmt: skip


def test_a_page_lost_for_good_leaves_the_vintage_before_it_whole(
    marts: Marts, pages: FakePaged, tmp_path: Path
) -> None:
    env = environment(tmp_path / "home", pages.root)
    assert fetch(PAGED, env, first="2021", last="2023") == 0
    before = marts(settings_of(tmp_path / "home"), source(paged), FLOWS)
    for year in YEARS:
        # Revised one by one: alike, they would look like another unit.
        pages.flows[year] = [
            (*row[:3], row[3] + 10 + number % 3 * 10 + int(year) - 2021)
            for number, row in enumerate(ON_PAGES)
        ]
    pages.when(lambda seen: seen.query["year"] == "2022" and seen.query["page"] == "2", status(410))
    assert fetch(PAGED, env, first="2021", last="2023", again="true") == 1
    found = marts(settings_of(tmp_path / "home"), source(paged), FLOWS)
    assert shares(found, 2022) == shares(before, 2022)
    assert shares(found, 2021)["CHN"] == 110.0
    assert shares(found, 2023)["CHN"] == 112.0
    # Once it is there again, only that page is asked for.
    pages.always(None)
    asked = len(pages.requests)
    assert fetch(PAGED, env, first="2022", last="2022", again="true") == 0
    assert [seen.query["page"] for seen in pages.requests[asked:]] == ["2", "3"]
    found = marts(settings_of(tmp_path / "home"), source(paged), FLOWS)
    assert shares(found, 2022)["EST"] == 125.0


@pytest.mark.parametrize(
    "killed_at", [n if n == 5 else pytest.param(n, marks=nightly) for n in range(1, 10)]
)
def test_a_kill_between_any_two_pages_tears_nothing(
    killed_at: int, marts: Marts, pages: FakePaged, tmp_path: Path
) -> None:
    env = environment(tmp_path / "home", pages.root)
    at: list[Callable[[], None]] = []
    pages.only(killed_at - 1, then=after_reply(lambda: at[0]()))
    process = start_fetch(PAGED, env, first="2021", last="2023")
    at.append(process.kill)
    process.join(120)
    assert process.exitcode == -9
    found = marts(settings_of(tmp_path / "home"), source(paged), FLOWS)
    assert all(len(shares(found, year)) in (0, 6) for year in (2021, 2022, 2023))
    pages.always(None)
    assert fetch(PAGED, env, first="2021", last="2023") == 0
    assert len(pages.requests) <= 10
    found = marts(settings_of(tmp_path / "home"), source(paged), FLOWS)
    assert [len(shares(found, year)) for year in (2021, 2022, 2023)] == [6, 6, 6]


def source(module: object) -> Source:
    return module  # type: ignore[return-value]
