"""Publishers of prices and their ways to misbehave: right rows, a retry, or a sentence.

Nothing that a publisher fails to send is read as "no price", and one source never fills a session
that another lacks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, time
from pathlib import Path

import polars as pl
import pytest

from dagster_project.intake.conform import conform
from dagster_project.intake.due import why_not_asked
from dagster_project.intake.fetch import FetchReport, SourceFetch
from dagster_project.intake.land import land_bundled, land_files
from dagster_project.intake.stores import lake_of, landing_of
from dagster_project.lake.schemas import PRICE_QUOTES
from dagster_project.lake.vocabulary import traded
from dagster_project.market.calendars import sessions
from dagster_project.settings import Settings
from dagster_project.sources.registry import all_sources, source_named
from tests.fakes import price_publishers as fakes
from tests.fakes.price_publishers import Chart, FakeAlphaVantage, FakeFred, FakeImf, FakeYahoo
from tests.fakes.server import (
    Behaviour,
    FakePublisher,
    Reply,
    cut_body,
    empty_body,
    failing,
    instead,
    maintenance_page,
    send,
    status,
    too_many_requests,
)
from tests.integration.marts import Marts

KEY = "a-key-of-alphavantage"
SERVERS: Mapping[str, Callable[[], FakePublisher]] = {
    "imf_pcps": FakeImf,
    "fred": FakeFred,
    "yahoo": FakeYahoo,
    "alphavantage": lambda: FakeAlphaVantage(KEY),
}
REQUESTS = {"imf_pcps": 5, "fred": 1, "yahoo": 7, "alphavantage": 1}
"""How many an undisturbed fetch sends."""

NAMES = ("IMF_COBALT", "IMF_LITHIUM", "IMF_MOLYBDENUM", "IMF_NICKEL", "IMF_RARE_EARTH_CARBONATE")
CODES = ("PCOBA", "PLITH", "PLMMODY", "PNICK", "PREODOM")
TOKYO = ("4063.T", "5713.T", "6762.T", "7203.T", "^N225")
DAYS = ("2026-10-28", "2026-10-29", "2026-10-30")


def publish(server: FakePublisher, times: float = 1.0) -> None:
    """Three days or months of each series; `times` what they were in the last one."""
    values = (60.0, 63.0, 66.0 * times)
    if isinstance(server, FakeImf):
        months = zip(("2026-M07", "2026-M08", "2026-M09"), values, strict=True)
        server.series = {code: {} for code in CODES}
        for month, value in months:
            for prices in server.series.values():
                prices[month] = f"{value}"
    if isinstance(server, FakeFred):
        rates = zip(DAYS, (153.0, 153.5, 154.0 * times), strict=True)
        server.rates = {day: f"{rate}" for day, rate in rates}
    if isinstance(server, FakeYahoo):
        closes = fakes.sessions_of(dict(zip(DAYS, values, strict=True)))
        server.charts = {symbol: Chart(closes) for symbol in ("REMX", "^GSPC")}
        for symbol in TOKYO:
            server.charts[symbol] = Chart(closes, "JPY", "Asia/Tokyo", time(9))
    if isinstance(server, FakeAlphaVantage):
        server.closes = {day: f"{value:.4f}" for day, value in zip(DAYS, values, strict=True)}


@dataclass
class Desk:
    """One publisher, its stand-in, and a warehouse that fetches from it."""

    name: str
    server: FakePublisher
    settings: Settings

    def fetch(self, *, again: bool = True) -> FetchReport:
        source = source_named(self.name)
        one = SourceFetch(self.settings, source)
        with one.lock():
            report = one.run(one.plan_windows((), again=again), sleep=lambda seconds: None)
            conform(self.settings, source)
        return report

    def rows(self) -> pl.DataFrame:
        """The rows of the lake, all vintages, the newest last."""
        rows = lake_of(self.settings).rows(PRICE_QUOTES, self.name)
        found = PRICE_QUOTES.empty() if rows is None else rows.collect()
        return found.sort("vintage_at", "snapshot_id", "instrument", "price_date")

    def closes(self, instrument: str) -> Mapping[str, float]:
        """The newest close by day."""
        rows = self.rows().filter(instrument=instrument).select("price_date", "close")
        return {str(day): close for day, close in rows.iter_rows()}

    @property
    def instruments(self) -> list[str]:
        return sorted(self.rows()["instrument"].unique())


@contextmanager
def at_desk(name: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setenv("KIDO_HOME", str(home))
    with SERVERS[name]() as server:
        publish(server)
        monkeypatch.setenv(f"KIDO_{name.upper()}_URL", server.base_url)
        monkeypatch.setenv(f"KIDO_{name.upper()}_CALLS_PER_MINUTE", "60000")
        monkeypatch.setenv("KIDO_ALPHAVANTAGE_KEY", KEY)
        yield Desk(name, server, Settings.load())


@pytest.fixture(params=SERVERS)
def desk(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Desk]:
    with at_desk(request.param, tmp_path / "home", monkeypatch) as opened:
        yield opened


@pytest.fixture
def imf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    with at_desk("imf_pcps", tmp_path / "home", monkeypatch) as opened:
        yield opened


@pytest.fixture
def fred(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    with at_desk("fred", tmp_path / "home", monkeypatch) as opened:
        yield opened


@pytest.fixture
def yahoo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    with at_desk("yahoo", tmp_path / "home", monkeypatch) as opened:
        yield opened


@pytest.fixture
def vantage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    with at_desk("alphavantage", tmp_path / "home", monkeypatch) as opened:
        yield opened


# All of them.


def test_an_undisturbed_fetch_has_each_price_once_and_the_next_is_no_news(desk: Desk) -> None:
    report = desk.fetch()
    assert report.answer == "ok", report.reason
    assert len(desk.server.requests) == REQUESTS[desk.name]
    rows = desk.rows()
    assert rows.height == 3 * REQUESTS[desk.name]
    assert not rows.select(PRICE_QUOTES.key).is_duplicated().any()
    again = desk.fetch()
    assert {result.outcome for result in again.settled} == {"unchanged"}
    assert again.new_snapshots == []


def test_an_answer_that_is_cut_half_way_is_fetched_again(desk: Desk) -> None:
    desk.server.will(cut_body(), failing(503))
    report = desk.fetch()
    assert report.answer == "ok", report.reason
    assert len(desk.server.requests) == REQUESTS[desk.name] + 2
    assert desk.rows().height == 3 * REQUESTS[desk.name]


@pytest.mark.parametrize(
    ("behaviour", "answer", "words"),
    [
        (maintenance_page(), "rejected", "HTML page"),
        (instead(Reply(200, fakes.WILL_BE_BACK, "text/html")), "rejected", "HTML page"),
        (empty_body(), "rejected", "sent nothing"),
        (instead(Reply(200, b'{"status":"busy"}')), "rejected", ""),
        (instead(Reply(200, b"{}")), "rejected", ""),
        (status(403, b"<html>403</html>", "text/html"), "denied", "403"),
        (status(401, b"Unauthorized", "text/plain"), "denied", "401"),
    ],
    ids=["maintenance", "will be back", "empty", "other JSON", "empty JSON", "403", "401"],
)
def test_another_answer_than_prices_is_a_sentence_and_keeps_the_figures(
    desk: Desk, behaviour: Behaviour, answer: str, words: str
) -> None:
    desk.fetch()
    before = desk.rows()
    publish(desk.server, 1.02)
    desk.server.always(behaviour)
    report = desk.fetch()
    assert report.answer == answer, report.reason
    assert words in report.reason
    assert "Traceback" not in report.reason
    assert desk.rows().equals(before)


def test_too_many_calls_end_the_run_and_a_later_one_goes_on(desk: Desk) -> None:
    desk.server.always(
        send(429, b"Too Many Requests", "text/plain") if desk.name == "yahoo"
        else too_many_requests("7200")
    )  # fmt: skip
    report = desk.fetch()
    assert report.answer == "quota"
    assert "allows no more calls" in report.reason
    assert desk.rows().is_empty()
    desk.server.always(None)
    assert desk.fetch().answer == "ok"


def test_a_corrected_price_is_a_new_vintage(desk: Desk) -> None:
    desk.fetch()
    publish(desk.server, 1.01)
    report = desk.fetch()
    assert report.answer == "ok", report.reason
    assert {result.outcome for result in report.settled} == {"new"}
    for instrument in desk.instruments:
        last = 154.0 if desk.name == "fred" else 66.0
        assert list(desk.closes(instrument).values())[-1] == pytest.approx(1.01 * last)


def test_a_fetched_answer_can_be_landed_by_hand(desk: Desk, tmp_path: Path) -> None:
    desk.fetch()
    source, elsewhere = source_named(desk.name), Settings.load(home=tmp_path / "another")
    for snapshot in landing_of(desk.settings).snapshots(desk.name):
        folder = Path(desk.settings.landing_url, desk.name, snapshot.snapshot_id)
        land_files(elsewhere, source, [folder / part.file for part in snapshot.parts])
    conform(elsewhere, source)
    rows = lake_of(elsewhere).rows(PRICE_QUOTES, desk.name)
    assert rows is not None
    figures = ["instrument", "price_date", "close", "unit"]
    landed = rows.select(figures).collect().sort(figures)
    assert landed.equals(desk.rows().select(figures).sort(figures))


def test_only_what_a_person_may_ask_for_is_asked_without_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIDO_HOME", str(tmp_path))
    monkeypatch.delenv("KIDO_ALPHAVANTAGE_KEY", raising=False)
    settings = Settings.load()
    why = {name: why_not_asked(settings, source_named(name)) for name in SERVERS}
    assert why == {
        "imf_pcps": "",
        "fred": "",
        "yahoo": "its terms need your consent: KIDO_YAHOO_ENABLED=true",
        "alphavantage": "needs a key: KIDO_ALPHAVANTAGE_KEY",
    }
    monkeypatch.setenv("KIDO_YAHOO_ENABLED", "true")
    assert why_not_asked(settings, source_named("yahoo")) == ""


# International Monetary Fund.


def test_a_series_that_the_imf_renames_is_named_and_the_others_come(imf: Desk) -> None:
    assert isinstance(imf.server, FakeImf)
    imf.server.series["PREO"] = imf.server.series.pop("PREODOM")
    report = imf.fetch()
    assert report.answer == "rejected"
    assert "the answer has no series" in report.reason
    assert [one.document for one in report.failed] == ["PCPS-PREODOM.json"]
    assert imf.instruments == [name for name in NAMES if name != "IMF_RARE_EARTH_CARBONATE"]


# Federal Reserve Economic Data.


def test_after_the_history_only_a_month_of_rates_is_asked_for(fred: Desk) -> None:
    assert isinstance(fred.server, FakeFred)
    fred.server.rates |= {"1971-01-04": "357.73", "2026-10-12": "."}
    fred.fetch()
    assert fred.closes("DEXJPUS")["1971-01-04"] == 357.73
    assert "2026-10-12" not in fred.closes("DEXJPUS")
    fred.server.rates |= {"2026-11-02": "154.5"}
    fred.fetch(again=False)
    assert fred.server.requests[-1].query == {"id": "DEXJPUS", "cosd": "2026-09-30"}
    assert fred.closes("DEXJPUS")["2026-11-02"] == 154.5


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        (instead(Reply(200, b"PK\x03\x04daily.csv", "application/zip")), "where CSV was expected"),
        (send(body=b"observation_date,DEXUSEU\n2026-10-30,1.1\n"), "columns missing: dexjpus"),
        (send(body=b"observation_date,DEXJPUS\n"), "a header and no rows"),
    ],
    ids=["zip", "another series", "no rows"],
)
def test_another_file_than_the_rates_is_rejected(
    fred: Desk, behaviour: Behaviour, words: str
) -> None:
    fred.server.always(behaviour)
    report = fred.fetch()
    assert (report.answer, fred.rows().height) == ("rejected", 0)
    assert words in report.reason


# Yahoo.


def test_a_symbol_that_is_unknown_does_not_lose_the_others(yahoo: Desk) -> None:
    assert isinstance(yahoo.server, FakeYahoo)
    del yahoo.server.charts["6762.T"]
    yahoo.server.charts["5713.T"] = Chart({}, "JPY", "Asia/Tokyo")
    report = yahoo.fetch()
    assert report.answer == "rejected"
    assert {one.document: one.reason for one in report.failed} == {
        "chart-5713.T.json": "yahoo: chart-5713.T.json: 5713.T has no prices.",
        "chart-6762.T.json": "yahoo: 6762.T is not known: No data found, symbol may be delisted.",
    }
    assert yahoo.instruments == ["4063.T", "7203.T", "NIKKEI_225", "REMX", "SP500"]


def test_a_null_in_the_arrays_is_a_session_without_a_close(yahoo: Desk) -> None:
    assert isinstance(yahoo.server, FakeYahoo)
    yahoo.server.charts["REMX"] = Chart(
        fakes.sessions_of({"2026-10-28": 60.0, "2026-10-29": None, "2026-10-30": 66.0})
    )
    assert yahoo.fetch().answer == "ok"
    assert yahoo.closes("REMX") == {"2026-10-28": 60.0, "2026-10-30": 66.0}


def long_chart(days: int, ratio: float = 1.0, times: float = 1.0) -> Chart:
    """The last sessions of New York up to 30 October 2026, rising by a tenth of a per cent."""
    trading = sessions("XNYS")
    last = trading.filter(trading <= date(2026, 10, 30)).tail(days)
    closes = {str(day): times * 50 * 1.001**number for number, day in enumerate(last)}
    return Chart(fakes.sessions_of(closes, ratio))


def test_a_dividend_moves_all_adjusted_closes_and_is_no_slip(yahoo: Desk) -> None:
    assert isinstance(yahoo.server, FakeYahoo)
    yahoo.server.charts["REMX"] = long_chart(300)
    assert yahoo.fetch().answer == "ok"
    yahoo.server.charts["REMX"] = long_chart(300, ratio=0.985)
    report = yahoo.fetch()
    assert report.answer == "ok", report.reason
    newest = yahoo.rows().filter(instrument="REMX").unique("price_date", keep="last")
    ratios = (newest["adjusted_close"] / newest["close"]).round(6).unique().to_list()
    assert ratios == [0.985]


def test_a_split_is_confirmed_by_a_person_and_the_next_fetch_is_fine(yahoo: Desk) -> None:
    """All closes become a third, as they would in another currency: a person knows which it is."""
    assert isinstance(yahoo.server, FakeYahoo)
    yahoo.server.charts["REMX"] = long_chart(300)
    assert yahoo.fetch().answer == "ok"
    yahoo.server.charts["REMX"] = long_chart(300, times=1 / 3)
    report = yahoo.fetch()
    assert report.answer == "rejected"
    assert "close is 0.333 times what is known for 300 of 300 changed figures" in report.reason
    assert [one.document for one in report.failed] == ["chart-REMX.json"]
    (file,) = (yahoo.settings.quarantine_dir / "yahoo" / "chart-REMX.json").glob("*.json")
    land_files(yahoo.settings, source_named("yahoo"), [file], replace_all=True)
    assert yahoo.fetch().answer == "ok"
    assert yahoo.closes("REMX")["2026-10-30"] == pytest.approx(50 * 1.001**299 / 3)


# Alpha Vantage.


def test_a_quota_with_status_200_stops_the_run_and_never_shows_the_key(
    vantage: Desk, tmp_path: Path
) -> None:
    assert isinstance(vantage.server, FakeAlphaVantage)
    vantage.server.calls_left = 0
    report = vantage.fetch()
    assert report.answer == "quota"
    assert "25 requests per day" in report.reason
    assert KEY not in report.reason
    assert vantage.server.requests[-1].query["apikey"] == KEY
    vantage.server.calls_left = 25
    assert vantage.fetch().answer == "ok"
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert files
    assert [file for file in files if KEY.encode() in file.read_bytes()] == []


def test_a_key_that_is_refused_with_status_200_is_denied(vantage: Desk) -> None:
    assert isinstance(vantage.server, FakeAlphaVantage)
    vantage.server.key = "another"
    report = vantage.fetch()
    assert report.answer == "denied"
    assert "the key is refused" in report.reason


def test_an_error_message_with_status_200_is_rejected(vantage: Desk) -> None:
    vantage.server.will(instead(Reply(200, fakes.body({"Error Message": "Invalid API call."}))))
    report = vantage.fetch()
    assert report.answer == "rejected"
    assert "Invalid API call" in report.reason
    assert vantage.rows().is_empty()


# In the marts.


def test_a_session_that_yahoo_lacks_is_not_filled_from_the_bundled_index(
    yahoo: Desk, marts: Marts
) -> None:
    """Yahoo lacks 4 August 2026, the bundled index has it; Yahoo goes on after its end."""
    assert isinstance(yahoo.server, FakeYahoo)
    gap = date(2026, 8, 4)
    chart = long_chart(1600)
    yahoo.server.charts["REMX"] = Chart({**chart.closes, gap: (None, None)})
    assert yahoo.fetch().answer == "ok"
    indices = source_named("equity_indices")
    land_bundled(yahoo.settings, indices)
    conform(yahoo.settings, indices)
    found = marts(
        yahoo.settings, indices, ("market.prices", "market.performance"), keep_snapshots=True
    )
    remx = found["market.prices"].filter(instrument="REMX", frequency="D").sort("price_date")
    assert remx["source"].unique().to_list() == ["yahoo"]
    assert gap not in remx["price_date"].to_list()
    assert remx["price_date"].max() == date(2026, 10, 30)
    assert remx.height == 1599
    returns = (remx["return_close"] / remx["return_close"].shift(1)).drop_nulls()
    # Of one session 0.1 %, of the two around the gap 0.2 %.
    assert returns.max() == pytest.approx(1.001**2)
    assert returns.min() == pytest.approx(1.001)
    # TDK: three days of Yahoo are not the ten years of the index.
    tdk = found["market.prices"].filter(instrument="6762.T", frequency="D")
    assert tdk["source"].unique().to_list() == ["equity_indices"]
    assert found["market.performance"].filter(instrument="REMX")["window_end"].max() == date(
        2026, 10, 30
    )


def test_the_dollar_of_the_federal_reserve_is_no_second_dollar(fred: Desk, marts: Marts) -> None:
    fred.fetch()
    ecb = source_named("ecb")
    land_bundled(fred.settings, ecb)
    conform(fred.settings, ecb)
    prices = marts(fred.settings, ecb, ("market.prices",))["market.prices"]
    assert prices.filter(instrument="USDJPY")["source"].unique().to_list() == ["ecb"]
    ours = prices.filter(instrument="DEXJPUS").sort("price_date")
    assert ours.select("price_date", "close", "source").rows() == [
        (date(2026, 10, 28), 153.0, "fred"),
        (date(2026, 10, 29), 153.5, "fred"),
        (date(2026, 10, 30), 154.0, "fred"),
    ]


def test_each_instrument_of_a_price_publisher_is_described() -> None:
    yahoo_module = all_sources()["yahoo"]
    imf_module = all_sources()["imf_pcps"]
    named = {listing.instrument for listing in yahoo_module.SYMBOLS.values()}  # type: ignore[attr-defined]
    named |= {*imf_module.SERIES.values(), "DEXJPUS"}  # type: ignore[attr-defined]
    assert named <= set(traded())
