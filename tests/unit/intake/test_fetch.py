"""Requests to a publisher and the stored answers, with servers in its format."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from dagster_project import http
from dagster_project.intake import ask as asking
from dagster_project.intake import fetch as fetching
from dagster_project.intake.conform import conform
from dagster_project.intake.fetch import FetchReport, SourceFetch, WindowResult
from dagster_project.intake.land import land_files
from dagster_project.intake.ledger import Ledger
from dagster_project.intake.stores import lake_of, landing_of
from dagster_project.lake.schemas import COVERAGE, LAKE_TABLES, TRADE_FLOWS
from dagster_project.lake.scope import CommodityScope
from dagster_project.settings import Settings
from dagster_project.sources.card import Document, Window
from dagster_project.sources.registry import source_named
from tests.fakes.comtrade import FakeComtrade, Flow, as_json, flows_for, world_total
from tests.fakes.ecb import ROWS, FakeEcb
from tests.fakes.server import (
    Behaviour,
    column_missing,
    failing,
    maintenance_page,
    repeating,
    send,
    silent,
)

COMTRADE, ECB = source_named("comtrade"), source_named("ecb")
CODES = ("280530", "284610", "284690", "811292")
YEARS = tuple(Window("A", date(year, 1, 1)) for year in (2022, 2023, 2024))
NOON = datetime(2025, 11, 25, 12)
"""A Tuesday: UN Comtrade's calendar has its moment at 07:00 in New York, 12:00 UTC."""


KEY = "s3cr3t-subscription-key"


@dataclass
class Clock:
    now: datetime = NOON + timedelta(hours=1)

    def forward(self, **by: float) -> None:
        self.now += timedelta(**by)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    for module in (http, asking, fetching):
        monkeypatch.setattr(module, "_now", lambda: found.now)
    return found


@pytest.fixture
def world() -> list[Flow]:
    years = [window.key for window in YEARS]
    return flows_for([392, 842], [156, 704, 699, 276], CODES, years, gaps=0)


@pytest.fixture
def comtrade(world: list[Flow]) -> Iterator[FakeComtrade]:
    with FakeComtrade(world, key="secret") as server:
        yield server


@pytest.fixture
def settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, comtrade: FakeComtrade, clock: Clock
) -> Settings:
    for name, value in {
        "HOME": str(tmp_path / "home"),
        "COMTRADE_URL": comtrade.root,
        "COMTRADE_KEY": "secret",
        "COMTRADE_REPORTERS": "JPN,USA",
        "COMTRADE_CALLS_PER_MINUTE": "60000",
        "TIMEOUT_S": "0.5",
    }.items():
        monkeypatch.setenv(f"KIDO_{name}", value)
    scope_of = fetching.scope_of
    monkeypatch.setattr(
        fetching, "scope_of", lambda *given: replace(scope_of(*given), commodity_codes=CODES)
    )
    return Settings.load()


@pytest.fixture
def fetch(settings: Settings) -> Callable[..., FetchReport]:
    """Ask for windows and conform what is new; without a wait."""

    def run(*windows: Window, again: bool = False, is_patient: bool = True) -> FetchReport:
        one = SourceFetch(settings, COMTRADE, is_patient=is_patient)
        found = one.run(one.plan_windows(windows, again=again), sleep=lambda seconds: None)
        conform(settings, COMTRADE)
        return found

    return run


def news(fetched: FetchReport) -> dict[str, str]:
    return {one.name: one.outcome for one in fetched.settled}


def files_of(settings: Settings) -> dict[str, bytes]:
    """The content of landing and lake, without the ledger."""
    return {
        str(path.relative_to(settings.home)): path.read_bytes()
        for name in ("landing", "lake")
        for path in (settings.home / name).rglob("*")
        if path.is_file() and ".ledger" not in path.parts
    }


def value(settings: Settings, day: date, year: int, partner: str = "CHN") -> float:
    """Japan's imports of 280530 from a partner, as known at the end of a day."""
    rows = lake_of(settings).rows(TRADE_FLOWS, "comtrade")
    assert rows is not None
    known = rows.filter(
        pl.col("vintage_at") < day + timedelta(days=1), pl.col("reporter_iso3") == "JPN",
        pl.col("flow") == "import", pl.col("commodity_code") == "280530",
        pl.col("period_start") == date(year, 1, 1),
    ).collect()  # fmt: skip
    newest = known.filter(pl.col("vintage_at") == known["vintage_at"].max())
    return float(newest.filter(pl.col("partner_iso3") == partner)["value_usd"].item())


def a_flow(world: list[Flow], year: str) -> Flow:
    return next(
        flow
        for flow in world
        if (flow.reporter, flow.partner, flow.flow, flow.code, flow.period)
        == (392, 156, "M", "280530", year)
    )


# New, unchanged, revised, empty.


def test_what_is_new_is_landed_as_it_was_sent_and_parsed_once(
    settings: Settings, fetch: Callable[..., FetchReport], world: list[Flow],
    comtrade: FakeComtrade, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    calls: Counter[str] = Counter()
    parse = COMTRADE.parse

    def counted(
        payload: bytes, document: Document, scope: CommodityScope
    ) -> Mapping[str, pl.DataFrame]:
        calls[document.name] += 1
        return parse(payload, document, scope)

    monkeypatch.setattr(COMTRADE, "parse", counted)
    fetched = fetch(*YEARS)
    assert news(fetched) == {"2022": "new", "2023": "new", "2024": "new"}
    assert (fetched.answer, fetched.calls, len(comtrade.requests)) == ("ok", 1, 1)
    assert sum(one.rows for one in fetched.settled) == len(world)
    (snapshot,) = landing_of(settings).snapshots("comtrade")
    assert fetched.new_snapshots == [snapshot.snapshot_id]
    assert calls == {snapshot.document: 1}
    assert [period.start.year for period in snapshot.windows] == [2022, 2023, 2024]
    assert snapshot.parts[0].request.startswith(f"GET {comtrade.root}/data/v1/get/C/A/HS?period=")
    assert "secret" not in snapshot.model_dump_json()
    rows = lake_of(settings).rows(TRADE_FLOWS, "comtrade")
    assert rows is not None
    expected = sorted(flow.value for flow in world)
    assert sorted(rows.collect()["value_usd"]) == expected


def test_an_answer_that_agrees_adds_nothing_but_an_ask(
    settings: Settings, fetch: Callable[..., FetchReport], comtrade: FakeComtrade, clock: Clock
) -> None:
    fetch(*YEARS)
    before = files_of(settings)
    clock.forward(days=1)
    fetched = fetch(*YEARS, again=True)
    assert len(comtrade.requests) == 2  # which never get equal bytes: time and order differ
    assert set(news(fetched).values()) == {"unchanged"}
    assert fetched.new_snapshots == []
    assert files_of(settings) == before
    first, second = Ledger(landing_of(settings), "comtrade").asks()
    assert (first.asked_at, second.asked_at) == (clock.now - timedelta(days=1), clock.now)
    assert {one.is_new for one in first.windows} == {True}
    assert {one.is_new for one in second.windows} == {False}
    assert {one.snapshot_id for one in second.windows} == {first.snapshot_id}


def test_of_an_extract_of_three_years_only_the_revised_one_is_landed_again(
    settings: Settings, fetch: Callable[..., FetchReport], comtrade: FakeComtrade, clock: Clock,
    world: list[Flow],
) -> None:  # fmt: skip
    fetch(*YEARS)
    first_day, old = clock.now.date(), a_flow(world, "2023").value
    clock.forward(days=7)
    comtrade.revise(
        lambda flow: replace(flow, value=old * 3), reporter=392, partner=156, flow="M",
        code="280530", period="2023",
    )  # fmt: skip
    fetched = fetch(*YEARS, again=True)
    assert news(fetched) == {"2022": "unchanged", "2023": "new", "2024": "unchanged"}
    _, second = landing_of(settings).snapshots("comtrade")
    assert [period.start.year for period in second.windows] == [2023]
    rows = lake_of(settings).rows(TRADE_FLOWS, "comtrade")
    assert rows is not None
    later = rows.filter(pl.col("snapshot_id") == second.snapshot_id).collect()
    assert set(later["period_start"].dt.year()) == {2023}
    assert value(settings, clock.now.date(), 2023) == old * 3
    assert value(settings, first_day, 2023) == old
    assert value(settings, clock.now.date() - timedelta(days=1), 2023) == old
    assert value(settings, clock.now.date(), 2024) == a_flow(world, "2024").value


def test_a_period_that_is_not_published_is_kept_as_asked_with_no_rows(
    settings: Settings, fetch: Callable[..., FetchReport], clock: Clock, comtrade: FakeComtrade
) -> None:
    empty = Window("A", date(2021, 1, 1))
    fetched = fetch(empty, YEARS[0])
    assert news(fetched) == {"2021": "empty", "2022": "new"}
    coverage = lake_of(settings).rows(COVERAGE, "comtrade")
    assert coverage is not None
    by_year = (
        coverage.group_by(pl.col("period_start").dt.year()).agg(pl.col("rows").sum(), pl.len())
    ).collect()
    # Two reporters in four flows each; in the made-up world neither has re-imports or re-exports.
    assert {row[0]: row[2] for row in by_year.rows()} == {2021: 8, 2022: 8}
    rows = dict(by_year.select("period_start", "rows").iter_rows())
    assert rows[2021] == 0
    assert rows[2022] == fetched.settled[1].rows
    asked = len(comtrade.requests)
    assert news(fetch(empty)) == {}
    assert len(comtrade.requests) == asked
    clock.forward(days=1)
    assert news(fetch(empty, again=True)) == {"2021": "unchanged"}


def test_a_period_that_is_withdrawn_altogether_is_empty(
    settings: Settings, fetch: Callable[..., FetchReport], comtrade: FakeComtrade, clock: Clock
) -> None:
    fetch(*YEARS)
    clock.forward(days=1)
    comtrade.flows = [flow for flow in comtrade.flows if flow.period != "2023"]
    assert news(fetch(*YEARS, again=True))["2023"] == "empty"
    _, second = landing_of(settings).snapshots("comtrade")
    assert [period.start.year for period in second.windows] == [2023]


def test_the_same_rows_to_a_wider_question_say_more(
    settings: Settings, fetch: Callable[..., FetchReport], clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """That there is no trade in a code is known only once the code was asked for."""
    fetch(*YEARS)
    clock.forward(days=1)
    scope_of = fetching.scope_of
    wider = (*CODES, "250410")
    monkeypatch.setattr(
        fetching, "scope_of", lambda *given: replace(scope_of(*given), commodity_codes=wider)
    )
    assert set(news(fetch(*YEARS, again=True)).values()) == {"new"}
    newest = landing_of(settings).snapshots("comtrade")[-1]
    assert "250410" in newest.asked[0].commodity_codes
    clock.forward(days=1)
    assert set(news(fetch(*YEARS, again=True)).values()) == {"unchanged"}


def test_a_file_landed_after_an_ask_makes_the_next_equal_answer_new_again(
    settings: Settings, fetch: Callable[..., FetchReport], clock: Clock, world: list[Flow],
    tmp_path: Path,
) -> None:  # fmt: skip
    fetch(YEARS[2])
    published = a_flow(world, "2024")
    wrong = replace(published, value=1.0)
    file = tmp_path / "by hand.json"
    file.write_bytes(as_json([wrong, world_total([wrong])]))
    clock.forward(days=2)
    land_files(settings, COMTRADE, [file], retrieved=clock.now.date(), replace_all=True)
    assert value(settings, clock.now.date(), 2024) == 1.0
    clock.forward(days=1)
    assert news(fetch(YEARS[2], again=True)) == {"2024": "new"}
    assert value(settings, clock.now.date(), 2024) == published.value
    clock.forward(days=1)
    assert news(fetch(YEARS[2], again=True)) == {"2024": "unchanged"}


# What is due.


def due(settings: Settings) -> list[str]:
    return [window.key for window in SourceFetch(settings, COMTRADE).plan_due().windows]


def test_what_is_due_is_asked_for_once_after_each_moment_of_the_calendar(
    settings: Settings, clock: Clock, comtrade: FakeComtrade
) -> None:
    # Years come out 180 days after their end and are revised for three; months after 60 days.
    assert due(settings)[:1] == ["2022"]
    assert {key for key in due(settings) if len(key) == 4} == {"2022", "2023", "2024"}
    months = [key for key in due(settings) if len(key) == 7]
    assert (months[0], months[-1], len(months)) == ("2023-09", "2025-08", 24)
    one = SourceFetch(settings, COMTRADE)
    one.run(one.plan_due())
    assert due(settings) == []
    clock.forward(days=4)
    assert due(settings) == []
    # September is out since, and was never asked for; the others wait for the calendar.
    clock.forward(days=2, hours=22, minutes=59)
    assert due(settings) == ["2025-09"]
    clock.forward(minutes=1, seconds=1)
    assert len(due(settings)) == 3 + 24


def test_an_older_window_is_asked_for_only_when_somebody_wants_it(
    settings: Settings, fetch: Callable[..., FetchReport], clock: Clock
) -> None:
    old = Window("A", date(2015, 1, 1))
    assert "2015" not in due(settings)
    assert news(fetch(old)) == {"2015": "empty"}
    clock.forward(days=30)
    assert "2015" not in due(settings)
    assert news(fetch(old)) == {}
    assert news(fetch(old, again=True)) == {"2015": "unchanged"}


def test_after_a_failure_it_is_still_due(
    settings: Settings, fetch: Callable[..., FetchReport], comtrade: FakeComtrade
) -> None:
    comtrade.always(maintenance_page())
    assert news(fetch(*YEARS)) == dict.fromkeys(("2022", "2023", "2024"), "failed")
    assert {"2022", "2023", "2024"} < set(due(settings))


# Trouble.


def quarantined(settings: Settings) -> dict[str, bytes]:
    return {
        path.name: path.read_bytes()
        for path in (settings.quarantine_dir / "comtrade").rglob("*")
        if path.is_file()
    }


def twice(flows: list[Flow]) -> bytes:
    """Figures of one key that no total explains: the partners exceed their total by far."""
    return as_json(
        [replace(flow, value=flow.value * (1 if flow.partner == 0 else 5)) for flow in flows]
    )


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [
        (maintenance_page(), "HTML page"),
        (column_missing("primaryValue"), "primaryvalue"),
        (send(body=b'{"elapsedTime":"0.1 secs","count":2,"data":[{}],"error":""}'), "cut"),
    ],
    ids=("HTML", "column missing", "cut"),
)
def test_a_rejected_extract_is_quarantined_with_its_bytes_and_the_vintage_before_it_stays(
    trouble: Behaviour, reason: str, settings: Settings, fetch: Callable[..., FetchReport],
    comtrade: FakeComtrade, clock: Clock, world: list[Flow],
) -> None:  # fmt: skip
    fetch(*YEARS)
    before = files_of(settings)
    clock.forward(days=1)
    comtrade.will(trouble)
    fetched = fetch(*YEARS, again=True)
    assert fetched.answer == "rejected"
    assert reason in fetched.reason
    assert {one.outcome for one in fetched.settled} == {"failed"}
    kept = quarantined(settings)
    assert reason in kept.pop("reason.txt").decode()
    (payload,) = kept.values()
    assert payload
    assert {name: found for name, found in files_of(settings).items() if "unfinished" not in name
            } == before  # fmt: skip
    assert value(settings, clock.now.date(), 2024) == a_flow(world, "2024").value
    assert Ledger(landing_of(settings), "comtrade").asks()[-1].answer == "rejected"
    # The next time it is asked anew.
    clock.forward(days=1)
    assert set(news(fetch(*YEARS, again=True)).values()) == {"unchanged"}


def test_a_batch_that_breaks_a_rule_is_quarantined_too(
    settings: Settings, fetch: Callable[..., FetchReport], comtrade: FakeComtrade, world: list[Flow]
) -> None:
    body = twice(world)
    comtrade.will(send(body=body))
    fetched = fetch(*YEARS)
    assert fetched.answer == "rejected"
    assert "partners_do_not_exceed_the_total" in fetched.reason
    kept = quarantined(settings)
    assert "partners_do_not_exceed_the_total" in kept.pop("reason.txt").decode()
    assert list(kept.values()) == [body]
    assert files_of(settings) == {}


def test_rows_of_periods_that_were_not_asked_for_are_rejected(
    settings: Settings, fetch: Callable[..., FetchReport], comtrade: FakeComtrade
) -> None:
    others = flows_for([392], [156, 704], CODES, ["2019"], gaps=0)
    comtrade.will(send(body=as_json([*comtrade.flows, *others])))
    fetched = fetch(*YEARS)
    assert f"has {len(others)} rows of periods that were not requested" in fetched.reason
    assert "2019-01-01" in fetched.reason
    assert landing_of(settings).snapshots("comtrade") == []
    assert "not requested" in quarantined(settings)["reason.txt"].decode()


@pytest.fixture
def one_by_one(monkeypatch: pytest.MonkeyPatch) -> list[Window]:
    """Six years, each an extract of its own."""
    monkeypatch.setenv("KIDO_COMTRADE_ROWS_PER_CALL", "500")
    return [Window("A", date(year, 1, 1)) for year in range(2019, 2025)]


def test_three_rejected_answers_in_a_row_end_the_ask(
    settings: Settings, fetch: Callable[..., FetchReport], comtrade: FakeComtrade,
    one_by_one: list[Window],
) -> None:  # fmt: skip
    comtrade.always(maintenance_page())
    fetched = fetch(*one_by_one)
    assert len(comtrade.requests) == 3
    assert [one.name for one in fetched.failed] == ["2019", "2020", "2021"]
    assert [window.key for window in fetched.not_asked] == ["2022", "2023", "2024"]


def test_a_rejected_answer_among_good_ones_ends_nothing(
    settings: Settings, fetch: Callable[..., FetchReport], comtrade: FakeComtrade,
    one_by_one: list[Window],
) -> None:  # fmt: skip
    comtrade.when(lambda seen: seen.query["period"] in ("2020", "2021", "2023", "2024"),
                  maintenance_page())  # fmt: skip
    fetched = fetch(*one_by_one)
    assert news(fetched) == {
        "2019": "empty", "2020": "failed", "2021": "failed", "2022": "new", "2023": "failed",
        "2024": "failed",
    }  # fmt: skip
    assert fetched.not_asked == []
    assert fetched.answer == "rejected"


@pytest.mark.parametrize(("is_patient", "requests"), [(True, 3), (False, 1)])
def test_a_silent_publisher_ends_the_ask_at_once(
    is_patient: bool, requests: int, settings: Settings, fetch: Callable[..., FetchReport],
    comtrade: FakeComtrade, one_by_one: list[Window], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    settings.timeout_s = 0.2
    comtrade.always(silent())
    fetched = fetch(*one_by_one, is_patient=is_patient)
    assert fetched.answer == "no_answer"
    assert len(comtrade.requests) == requests
    assert [one.name for one in fetched.failed] == ["2019"]
    assert len(fetched.not_asked) == 5


def test_a_publisher_that_fails_three_windows_in_a_row_is_left_alone(
    settings: Settings, fetch: Callable[..., FetchReport], comtrade: FakeComtrade,
    one_by_one: list[Window],
) -> None:  # fmt: skip
    comtrade.always(failing(503))
    fetched = fetch(*one_by_one)
    assert fetched.answer == "no_answer"
    assert "503" in fetched.reason
    assert len(fetched.failed) == 3
    assert len(fetched.not_asked) == 3


def test_a_refused_key_ends_the_ask_and_is_not_repeated_anywhere(
    settings: Settings, fetch: Callable[..., FetchReport], comtrade: FakeComtrade,
    one_by_one: list[Window], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("KIDO_COMTRADE_KEY", "wrong-key")
    fetched = fetch(*one_by_one)
    assert fetched.answer == "denied"
    assert "Check KIDO_COMTRADE_KEY." in fetched.reason
    assert len(comtrade.requests) == 1
    for path in settings.home.rglob("*"):
        assert not path.is_file() or b"wrong-key" not in path.read_bytes()


@pytest.mark.parametrize(
    "behaviour",
    [
        *(repeating(f"the key {KEY} is wrong", code) for code in (302, 401, 403, 429, 500)),
        repeating(f"the key {KEY} is wrong", 200, "text/html"),
        send(200, f'{{"error": "the key {KEY} is wrong"}}'.encode()),
        send(200, f'{{"count": 1, "data": [{{"{KEY}": 1}}], "error": ""}}'.encode()),
        send(200, f'{{"count": "{KEY}"'.encode()),
    ],
    ids=["302", "401", "403", "429", "500", "page", "error", "other columns", "cut"],
)
def test_a_publisher_that_repeats_the_key_leaves_it_in_no_file(
    settings: Settings, fetch: Callable[..., FetchReport], comtrade: FakeComtrade,
    monkeypatch: pytest.MonkeyPatch, behaviour: Behaviour,
) -> None:  # fmt: skip
    monkeypatch.setenv("KIDO_COMTRADE_KEY", KEY)
    comtrade.always(behaviour)
    fetched = fetch(*YEARS)
    assert fetched.answer != "ok"
    assert KEY not in repr(fetched)
    assert any(KEY in repr(request) for request in comtrade.requests)
    files = [path for path in settings.home.rglob("*") if path.is_file()]
    assert files
    assert [path for path in files if KEY.encode() in path.read_bytes()] == []


def test_out_of_quota_it_reports_from_when_on_and_goes_on_where_it_was(
    settings: Settings, fetch: Callable[..., FetchReport], comtrade: FakeComtrade,
    one_by_one: list[Window], clock: Clock,
) -> None:  # fmt: skip
    comtrade.calls_a_day = 4
    fetched = fetch(*one_by_one)
    assert fetched.answer == "quota"
    assert fetched.again_at == clock.now + timedelta(hours=3, minutes=14, seconds=17)
    assert [one.name for one in fetched.settled] == ["2019", "2020", "2021", "2022"]
    assert [window.key for window in fetched.not_asked] == ["2023", "2024"]
    assert fetched.failed == []
    comtrade.replenish()
    asked = len(comtrade.requests)
    fetched = fetch(*one_by_one)
    assert [seen.query["period"] for seen in comtrade.requests[asked:]] == ["2023", "2024"]
    assert news(fetched) == {"2023": "new", "2024": "new"}


def test_the_calls_of_a_day_are_counted_here_too(
    settings: Settings, fetch: Callable[..., FetchReport], comtrade: FakeComtrade,
    one_by_one: list[Window], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("KIDO_COMTRADE_CALLS_PER_DAY", "2")
    fetched = fetch(*one_by_one)
    assert (fetched.answer, fetched.calls, len(comtrade.requests)) == ("quota", 2, 2)
    assert fetched.again_at is not None
    assert fetched.again_at.time() == datetime.min.time()


def test_each_window_is_reported_as_soon_as_it_is_settled(
    settings: Settings, comtrade: FakeComtrade, one_by_one: list[Window]
) -> None:
    one = SourceFetch(settings, COMTRADE)
    seen: list[tuple[str, int]] = []

    def on(settled: WindowResult) -> None:
        seen.append((settled.name, len(comtrade.requests)))

    one.run(one.plan_windows(one_by_one[:3]), on)
    assert seen == [("2019", 1), ("2020", 2), ("2021", 3)]


# A source without windows: the whole first, then what is new.


@pytest.fixture
def ecb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: Clock) -> Iterator[FakeEcb]:
    with FakeEcb() as server:
        monkeypatch.setenv("KIDO_HOME", str(tmp_path / "home"))
        monkeypatch.setenv("KIDO_ECB_URL", server.base_url)
        monkeypatch.setenv("KIDO_ECB_ENABLED", "true")
        yield server


def ask_ecb(*, again: bool = False) -> tuple[FetchReport, Settings]:
    settings = Settings.load()
    one = SourceFetch(settings, ECB)
    found = one.run(
        one.plan_windows((), again=again) if again else one.plan_due(), sleep=lambda s: None
    )
    conform(settings, ECB)
    return found, settings


def dollar(settings: Settings, day: str) -> float:
    rows = lake_of(settings).rows(LAKE_TABLES["price_quotes"], "ecb")
    assert rows is not None
    found = rows.filter(
        pl.col("instrument") == "EURUSD", pl.col("price_date") == date.fromisoformat(day)
    ).collect()
    return float(found.sort("vintage_at", "snapshot_id")["close"][-1])


DAY = "2026-10-30"
REVISED = (DAY, "1.2", "175.68", "N/A", "7.4326")


def test_a_day_that_was_put_right_and_put_back_is_new_both_times(
    ecb: FakeEcb, clock: Clock
) -> None:
    assert [one.outcome for one in ask_ecb()[0].settled] == ["new"]
    for row, expected in ((REVISED, 1.2), (ROWS[0], 1.1172)):
        clock.forward(days=1)
        ecb.publish(row)
        fetched, settings = ask_ecb(again=True)
        assert [one.outcome for one in fetched.settled] == ["new"]
        assert dollar(settings, DAY) == expected
        clock.forward(days=1)
        fetched, _ = ask_ecb(again=True)
        assert [one.outcome for one in fetched.settled] == ["unchanged"]


def test_the_history_is_new_again_when_a_later_answer_differed_in_between(
    ecb: FakeEcb, clock: Clock
) -> None:
    ask_ecb()
    clock.forward(days=1)
    ecb.publish(REVISED)
    fetched, settings = ask_ecb()
    assert fetched.settled[0].document == "exr-from-2026-10-23.csv"
    assert fetched.settled[0].outcome == "new"
    assert dollar(settings, DAY) == 1.2
    clock.forward(days=1)
    ecb.publish(ROWS[0])
    fetched, settings = ask_ecb(again=True)
    assert fetched.settled[0].document == "eurofxref-hist.zip"
    assert fetched.settled[0].outcome == "new"
    assert dollar(settings, DAY) == 1.1172


def test_rates_landed_after_an_ask_make_the_next_equal_answer_new_again(
    ecb: FakeEcb, clock: Clock, tmp_path: Path
) -> None:
    ask_ecb()
    clock.forward(days=1)
    file = tmp_path / "rates.csv"
    file.write_text(f"Date,USD,JPY,CNY\n{DAY},1.5,175.68,7.4326\n")
    land_files(Settings.load(), ECB, [file], retrieved=clock.now.date())
    assert dollar(Settings.load(), DAY) == 1.5
    clock.forward(days=1)
    fetched, settings = ask_ecb(again=True)
    assert [one.outcome for one in fetched.settled] == ["new"]
    assert dollar(settings, DAY) == 1.1172


# A clock that was ahead.


def test_after_a_clock_was_ahead_the_source_is_fetched_again(ecb: FakeEcb, clock: Clock) -> None:
    today = datetime.now(UTC).replace(tzinfo=None)
    clock.now = today + timedelta(days=365)
    ask_ecb()
    (future,) = landing_of(Settings.load()).snapshots("ecb")
    clock.now = today
    assert ask_ecb()[0].settled[0].outcome == "new"
    clock.forward(days=4)
    assert [one.outcome for one in ask_ecb()[0].settled] == ["unchanged"]
    (_, again) = landing_of(Settings.load()).snapshots("ecb")
    assert again.retrieved_at == today
    assert future.retrieved_at > today


def test_what_was_withdrawn_for_its_time_is_fetched_again(ecb: FakeEcb, clock: Clock) -> None:
    today = datetime.now(UTC).replace(tzinfo=None)
    clock.now = today + timedelta(days=365)
    ask_ecb()
    landing = landing_of(Settings.load())
    (future,) = landing.from_the_future("ecb", today)
    landing.withdraw(future, by="me", reason="the clock was ahead")
    clock.now = today
    fetched, settings = ask_ecb()
    assert [one.outcome for one in fetched.settled] == ["new"]
    assert landing_of(settings).from_the_future("ecb", today) == []
    assert dollar(settings, DAY) == 1.1172


def test_windows_of_a_clock_ahead_are_fetched_again(
    settings: Settings, fetch: Callable[..., FetchReport], clock: Clock, world: list[Flow]
) -> None:
    today = datetime.now(UTC).replace(tzinfo=None)
    clock.now = today + timedelta(days=365)
    fetch(YEARS[2])
    landing = landing_of(settings)
    (future,) = landing.from_the_future("comtrade", today)
    landing.withdraw(future, by="me", reason="the clock was ahead")
    clock.now = today
    assert news(fetch(YEARS[2])) == {"2024": "new"}
    assert value(settings, today.date(), 2024) == a_flow(world, "2024").value
    clock.forward(days=1)
    assert news(fetch(YEARS[2], again=True)) == {"2024": "unchanged"}
