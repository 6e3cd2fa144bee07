"""Prices of the IMF, FRED, Yahoo and Alpha Vantage: what is asked, and how answers are read."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.errors import DeniedError, UnknownCodeError, UpstreamFormatError
from dagster_project.lake.schemas import PRICE_QUOTES
from dagster_project.settings import BUNDLED
from dagster_project.sources import alphavantage, fred, imf_pcps, yahoo
from dagster_project.sources.card import Answer, Done, Request, Scope, Source, Stop
from dagster_project.sources.card import Document as Labelled
from dagster_project.sources.registry import source_named
from tests.conftest import SHARED, needs_shared
from tests.fakes.price_publishers import (
    EMPTY_SDMX,
    UNKNOWN_SYMBOL,
    WILL_BE_BACK,
    Chart,
    body,
    chart_json,
    daily_json,
    sdmx_json,
    sessions_of,
)

RETRIEVED = datetime(2026, 11, 2, 23, 0)
"""18:00 in New York on a Monday, 08:00 on Tuesday in Tokyo."""
FETCHED = Labelled("answer", RETRIEVED, is_bundled=False)
PAYLOADS = SHARED / "payloads"


def quotes(source: Source, payload: bytes | Mapping[str, Any]) -> pl.DataFrame:
    given = payload if isinstance(payload, bytes) else body(payload)
    return source.parse(given, FETCHED)["price_quotes"]


def closes(source: Source, payload: bytes | Mapping[str, Any]) -> list[tuple[str, str, float]]:
    rows = quotes(source, payload)
    return [
        (row["instrument"], str(row["price_date"]), row["close"])
        for row in rows.iter_rows(named=True)
    ]


def refusal(source: Source, payload: bytes | Mapping[str, Any]) -> str:
    with pytest.raises(UpstreamFormatError) as caught:
        quotes(source, payload)
    return str(caught.value)


IMF, FRED, YAHOO, VANTAGE = (
    source_named(name) for name in ("imf_pcps", "fred", "yahoo", "alphavantage")
)

CHART = Chart(sessions_of({"2026-10-29": 60.0, "2026-10-30": None, "2026-11-02": 66.0}, 0.5))
WHOLE: Mapping[str, bytes] = {
    "imf_pcps": body(sdmx_json({"PREODOM": {"2026-M07": "4060.1", "2026-M08": "4120.5"}})),
    "fred": b"observation_date,DEXJPUS\n2026-10-29,153.2\n2026-10-30,154\n",
    "yahoo": body(chart_json("REMX", CHART)),
    "alphavantage": body(daily_json({"2026-10-29": "60.0000", "2026-10-30": "61.5000"})),
}


# All of them.


@pytest.mark.parametrize("name", WHOLE)
def test_rows_of_an_answer_fit_the_lake(name: str) -> None:
    rows = quotes(source_named(name), WHOLE[name]).with_columns(
        document=pl.lit("answer"), snapshot_id=pl.lit("s")
    )
    assert rows.height == 2
    assert PRICE_QUOTES.conform(rows).schema == PRICE_QUOTES.polars_schema
    assert rows["vintage_at"].unique().to_list() == [RETRIEVED]
    assert rows["source"].unique().to_list() == [name]


@pytest.mark.parametrize("name", WHOLE)
def test_a_page_or_nothing_is_never_an_answer_without_prices(name: str) -> None:
    source = source_named(name)
    assert "HTML page" in refusal(source, WILL_BE_BACK)
    assert "empty" in refusal(source, b"")


@pytest.mark.parametrize("name", WHOLE)
@given(data=st.data())
def test_a_cut_answer_is_refused_or_has_the_same_figures(name: str, data: st.DataObject) -> None:
    payload, source = WHOLE[name], source_named(name)
    length = data.draw(st.integers(0, len(payload)))
    try:
        found = set(closes(source, payload[:length]))
    except UpstreamFormatError:
        return
    assert found <= set(closes(source, payload))


@pytest.mark.parametrize("name", WHOLE)
def test_a_polled_publisher_says_when_its_figures_are_late(name: str) -> None:
    card = source_named(name).CARD
    assert card.published_after is not None
    assert card.calendar is not None
    assert card.calendar.cron.endswith("1-5")
    assert not card.bundled


def test_only_a_public_domain_series_may_be_passed_on() -> None:
    assert [name for name in WHOLE if source_named(name).CARD.is_redistributable] == ["fred"]


# International Monetary Fund.


def test_each_imf_series_is_asked_for_by_itself() -> None:
    extracts = imf_pcps.plan([], Scope(known_until=date(2026, 8, 1)))
    assert [request.url for extract in extracts for request in extract.requests] == [
        f"external/sdmx/3.0/data/dataflow/IMF.RES/PCPS/+/G001.{code}.USD.M"
        for code in ("PCOBA", "PLITH", "PLMMODY", "PNICK", "PREODOM")
    ]


@pytest.mark.parametrize("periods_in", ["id", "value"])
def test_unordered_months_of_text_become_dated_prices(periods_in: str) -> None:
    series = {
        "PREODOM": {"2026-M08": "4120.5", "2026-M06": "3990", "2026-M07": None},
        "PCOBA": {"2026-M07": "33020.5", "2026-M08": "NaN"},
    }
    assert closes(IMF, sdmx_json(series, periods_in=periods_in)) == [
        ("IMF_COBALT", "2026-07-01", 33020.5),
        ("IMF_RARE_EARTH_CARBONATE", "2026-06-01", 3990.0),
        ("IMF_RARE_EARTH_CARBONATE", "2026-08-01", 4120.5),
    ]


def test_an_imf_price_is_of_a_month_in_dollars_a_ton() -> None:
    row = quotes(IMF, WHOLE["imf_pcps"]).row(0, named=True)
    assert (row["frequency"], row["currency"], row["unit"]) == ("M", "USD", "USD per t")


def test_a_series_of_blanks_makes_no_row_beside_another_with_figures() -> None:
    """As in the publisher's CSV of two series, one of which is blank."""
    answer = sdmx_json({"PREODOM": {"2026-M08": "4120.5"}, "PLITH": {"2026-M08": None}})
    assert closes(source_named("imf_pcps"), answer) == [
        ("IMF_RARE_EARTH_CARBONATE", "2026-08-01", 4120.5)
    ]


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        (EMPTY_SDMX, "the answer has no series"),
        ({"data": {}}, "is not SDMX-JSON 2.0"),
        ([], "no object in JSON"),
        (sdmx_json({"PGOLD": {"2026-M08": "4000"}}), "in scope (it has: PGOLD)"),
        (sdmx_json({"PCOBA": {"2026-M08": "1"}}, key="W00.{}.USD.M"), "'W00.PCOBA.USD.M' is not"),
        (sdmx_json({"PCOBA": {"2026-M08": "1"}}, key="G001.{}.INDEX.M"), "'G001.PCOBA.INDEX.M' is"),
        (sdmx_json({"PCOBA": {"2026-08": "1"}}), "'2026-08' is not a month like 2026-M08"),
        (sdmx_json({"PCOBA": {"2026-M13": "1"}}), "'2026-M13' is not a month"),
        (sdmx_json({"PCOBA": {"2026-M08": "1,000"}}), "'PCOBA 2026-M08: 1,000' is not a price"),
        (sdmx_json({"PCOBA": {"2026-M08": None}}), "'PCOBA' has no figure in any month"),
    ],
)  # fmt: skip
def test_another_imf_answer_is_refused_in_one_sentence(payload: Any, words: str) -> None:
    said = refusal(IMF, body(payload))
    assert said.startswith("imf_pcps: ")
    assert words in said


def test_the_imf_table_says_the_same_as_its_json() -> None:
    table = (
        b"OBS_VALUE,TIME_PERIOD,FREQUENCY,DATA_TRANSFORMATION,INDICATOR,COUNTRY,DATAFLOW\n"
        b"4060.1,2026-M07,M,USD,PREODOM,G001,IMF.RES:PCPS(9.0.0)\n"
        b"4120.5,2026-M08,M,USD,PREODOM,G001,IMF.RES:PCPS(9.0.0)\n"
    )
    assert quotes(IMF, table).equals(quotes(IMF, WHOLE["imf_pcps"]))


@needs_shared
def test_the_imf_payloads_are_read_and_the_empty_one_is_refused() -> None:
    folder = PAYLOADS / "imf_pcps"
    assert closes(IMF, (folder / "PCPS_PREODOM_sdmxjson_SYNTHETIC.json").read_bytes()) == [
        ("IMF_RARE_EARTH_CARBONATE", "2026-06-01", 3990.0),
        ("IMF_RARE_EARTH_CARBONATE", "2026-07-01", 4060.1),
        ("IMF_RARE_EARTH_CARBONATE", "2026-08-01", 4120.5),
    ]
    assert closes(IMF, (folder / "PCPS_sdmxcsv_SYNTHETIC.csv").read_bytes()) == [
        ("IMF_COBALT", "2026-07-01", 33020.5),
        ("IMF_COBALT", "2026-08-01", 33410.0),
    ]
    assert "no series" in refusal(IMF, (folder / "PCPS_empty_200_SYNTHETIC.json").read_bytes())


@needs_shared
def test_real_imf_nickel_is_that_of_the_world_bank_to_the_mean_of_a_month() -> None:
    """Both take it from the London Metal Exchange: one table is a check of the other's unit."""
    file = SHARED / "data" / "comtrade_rare_earths" / "imf_commodity_prices_monthly.csv"
    codes = {"Cobalt": "PCOBA", "Lithium": "PLITH", "Nickel": "PNICK"}
    series: dict[str, dict[str, str | None]] = defaultdict(dict)
    with file.open(encoding="utf-8") as rows:
        for row in csv.DictReader(rows):
            if row["data_transformation"] == "USD" and row["mineral"] in codes:
                series[codes[row["mineral"]]][row["date"].replace("-", "-M")] = row["obs_value"]
    found = quotes(IMF, sdmx_json(series))
    assert found.height == sum(map(len, series.values()))
    assert found["price_date"].max() == date(2026, 3, 1)
    bank = pl.read_csv(BUNDLED / "pink_sheet" / "monthly_prices.csv").select(
        pl.format("{}-01", "month").str.to_date().alias("price_date"), "nickel"
    )
    both = found.filter(instrument="IMF_NICKEL").join(bank, on="price_date")
    assert both.height == 255
    apart = (both["close"] / both["nickel"] - 1).abs()
    assert apart.max() < 0.03  # type: ignore[operator]
    assert apart.median() < 1e-6  # type: ignore[operator]


# Federal Reserve Economic Data.


def test_the_dollars_history_is_asked_for_and_then_its_last_month() -> None:
    (whole,) = fred.plan([], Scope())
    assert (whole.document, whole.requests[0].params) == ("DEXJPUS.csv", {"id": "DEXJPUS"})
    (newest,) = fred.plan([], Scope(known_until=date(2026, 10, 30)))
    assert newest.document == "DEXJPUS-from-2026-09-30.csv"
    assert newest.requests[0].params == {"id": "DEXJPUS", "cosd": "2026-09-30"}


@pytest.mark.parametrize("first", ["observation_date", "DATE"])
def test_days_without_a_rate_make_no_row(first: str) -> None:
    text = f"{first},DEXJPUS\n2026-07-02,158.35\n2026-07-03,\n2026-07-06,.\n2026-07-07,158.90\n"
    assert closes(FRED, text.encode()) == [
        ("DEXJPUS", "2026-07-02", 158.35),
        ("DEXJPUS", "2026-07-07", 158.9),
    ]


def test_the_feds_dollar_is_in_yen_and_an_instrument_of_its_own() -> None:
    row = quotes(FRED, WHOLE["fred"]).row(0, named=True)
    assert (row["instrument"], row["currency"], row["unit"]) == ("DEXJPUS", "JPY", "JPY per USD")


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        (b"observation_date,DEXUSEU\n2026-07-02,1.1\n", "columns missing: dexjpus"),
        (b"observation_date,DEXJPUS,DEXUSEU\n2026-07-02,158,1.1\n", "columns not known: dexusEU"),
        (b"PK\x03\x04 daily.csv", "a zip archive of several series"),
        (b'{"error_code":400}\n', "columns missing"),
        (b"observation_date,DEXJPUS\n", "a header and no rows"),
        (b"observation_date,DEXJPUS\n07/02/2026,158\n", "'07/02/2026' is not a day"),
        (b"observation_date,DEXJPUS\n2026-07-02,ND\n", "'2026-07-02: ND' is not a rate"),
        (b"observation_date,DEXJPUS\n2026-07-02,15", "is cut"),
    ],
)  # fmt: skip
def test_another_answer_than_the_feds_dollar_is_refused(payload: bytes, words: str) -> None:
    said = refusal(FRED, payload)
    assert said.startswith("fred: ")
    assert words.lower() in said.lower()


@needs_shared
def test_the_real_head_of_the_feds_dollar_is_read() -> None:
    payload = (PAYLOADS / "fred" / "fredgraph_DEXJPUS_REAL_head.csv").read_bytes()
    assert closes(FRED, payload.rstrip() + b"\n") == [
        ("DEXJPUS", "1971-01-04", 357.73),
        ("DEXJPUS", "1971-01-05", 357.81),
    ]
    missing = (PAYLOADS / "fred" / "fredgraph_DEXJPUS_SYNTHETIC_missing.csv").read_bytes()
    assert len(closes(FRED, missing.rstrip() + b"\n")) == 3


# Yahoo.


def test_yahoo_is_asked_for_each_symbol_from_2010_to_the_end_of_the_day() -> None:
    extracts = yahoo.plan([], Scope(today=date(2026, 11, 2), known_until=date(2026, 10, 30)))
    paths = [extract.requests[0].url.removeprefix("v8/finance/chart/") for extract in extracts]
    assert paths == ["REMX", "4063.T", "5713.T", "6762.T", "7203.T", "%5EN225", "%5EGSPC"]
    params = extracts[0].requests[0].params
    assert datetime.fromtimestamp(int(params["period1"])).year in (2009, 2010)
    span = timedelta(seconds=int(params["period2"]) - int(params["period1"]))
    assert span == date(2026, 11, 3) - date(2010, 1, 1)
    assert yahoo.CARD.needs_consent


def test_a_session_without_a_close_is_no_row_and_adjusted_ones_stay() -> None:
    rows = quotes(YAHOO, chart_json("REMX", CHART))
    assert rows.select("price_date", "close", "adjusted_close", "unit").rows() == [
        (date(2026, 10, 29), 60.0, 30.0, "USD per share"),
        (date(2026, 11, 2), 66.0, 33.0, "USD per share"),
    ]


def test_a_session_in_tokyo_is_dated_in_tokyo() -> None:
    """It opens at 09:00, midnight of the day in UTC."""
    tokyo = Chart(sessions_of({"2026-10-30": 2000.0}), "JPY", "Asia/Tokyo", CHART.opens)
    assert closes(YAHOO, chart_json("6762.T", tokyo)) == [("6762.T", "2026-10-30", 2000.0)]


def test_the_price_of_a_session_that_is_not_over_is_no_close() -> None:
    chart = Chart(sessions_of({"2026-10-30": 60.0, "2026-11-02": 66.0}))
    payload = body(chart_json("REMX", chart))
    # 15:59 and 17:00 in New York on 2 November (UTC - 5 h).
    for hour, minute, last in ((20, 59, date(2026, 10, 30)), (22, 0, date(2026, 11, 2))):
        document = Labelled("chart", datetime(2026, 11, 2, hour, minute), is_bundled=False)
        rows = yahoo.parse(payload, document)["price_quotes"]
        assert rows["price_date"].max() == last


def test_of_two_entries_of_a_day_the_later_counts() -> None:
    payload = chart_json("REMX", CHART)
    result = payload["chart"]["result"][0]
    result["timestamp"].append(result["timestamp"][-1] + 3600)
    result["indicators"]["quote"][0]["close"].append(66.5)
    result["indicators"]["adjclose"][0]["adjclose"].append(66.5)
    assert closes(YAHOO, payload)[-1] == ("REMX", "2026-11-02", 66.5)


def test_an_index_has_points_and_no_currency() -> None:
    payload = chart_json("^N225", Chart(CHART.closes, "JPY", "Asia/Tokyo"))
    row = quotes(YAHOO, payload).row(0, named=True)
    assert (row["instrument"], row["currency"], row["unit"]) == ("NIKKEI_225", None, "index points")


def changed(**meta: object) -> dict[str, Any]:
    return chart_json("REMX", Chart(CHART.closes, extra=meta))


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        (UNKNOWN_SYMBOL, "No data found, symbol may be delisted"),
        (chart_json("REMX", Chart({})), "REMX has no prices"),
        (changed(currency="GBp"), "REMX is in 'GBp', not in USD"),
        (changed(symbol="APPL"), "'APPL' is none of REMX"),
        (changed(dataGranularity="3mo"), "by '3mo', not by day"),
        (changed(exchangeTimezoneName="Nowhere/City"), "is no time zone"),
        ({"finance": {}}, "is not a chart"),
        ({"chart": {"result": [{}], "error": None}}, "is not a chart"),
        (chart_json("REMX", Chart(sessions_of({"2026-10-29": 0.0}))), "is not a close above 0"),
    ],
)  # fmt: skip
def test_another_chart_is_refused_in_one_sentence(payload: Any, words: str) -> None:
    said = refusal(YAHOO, payload)
    assert said.startswith("yahoo: ")
    assert words in said


def test_lists_of_a_chart_of_unequal_length_are_refused() -> None:
    payload = chart_json("REMX", CHART)
    payload["chart"]["result"][0]["timestamp"].pop()
    assert "is not a chart" in refusal(YAHOO, payload)


def answer_of(tmp_path: Path, content: object, status: int = 200) -> Answer:
    file = tmp_path / "answer"
    file.write_bytes(body(content) if status == 200 else b"")
    meaning = "content" if status == 200 else "nothing"
    text = "" if status == 200 else content if isinstance(content, str) else json.dumps(content)
    return Answer(meaning, status, file, text=text)  # type: ignore[arg-type]


def test_an_unknown_symbol_and_a_lost_address_are_two_sentences(tmp_path: Path) -> None:
    request = Request("v8/finance/chart/REMX", ("json",), context={"symbol": "REMX"})
    assert yahoo.follow(request, answer_of(tmp_path, chart_json("REMX", CHART))) == Done()
    with pytest.raises(UpstreamFormatError, match="REMX is not known: No data found"):
        yahoo.follow(request, answer_of(tmp_path, UNKNOWN_SYMBOL, 404))
    with pytest.raises(UpstreamFormatError, match="no longer at v8/finance/chart/REMX"):
        yahoo.follow(request, answer_of(tmp_path, "<html>", 404))


@needs_shared
def test_the_yahoo_payloads_are_read_or_refused() -> None:
    folder = PAYLOADS / "yahoo"
    late = Labelled("chart", datetime(2027, 1, 4), is_bundled=False)
    rows = yahoo.parse((folder / "chart_v8_SYNTHETIC.json").read_bytes(), late)["price_quotes"]
    assert rows["close"].to_list() == [68.75, 70.01]
    assert rows["price_date"].to_list() == [date(2026, 9, 21), date(2026, 9, 23)]
    said = refusal(YAHOO, (folder / "empty_quote_REAL.json").read_bytes())
    assert said.startswith("yahoo: 'APPL' is none of")
    assert "delisted" in refusal(YAHOO, (folder / "not_found_404_SYNTHETIC.json").read_bytes())


# Alpha Vantage.


def test_the_key_of_alpha_vantage_is_a_placeholder_in_a_parameter() -> None:
    (extract,) = alphavantage.plan([], Scope(has_key=True))
    (request,) = extract.requests
    assert (request.url, request.headers) == ("query", {})
    assert request.params == {
        "function": "TIME_SERIES_DAILY",
        "symbol": "REMX",
        "outputsize": "compact",
        "apikey": "{key}",
    }
    assert alphavantage.CARD.limits.calls_a_day == 25


def test_closes_of_alpha_vantage_are_text_by_day() -> None:
    assert closes(VANTAGE, WHOLE["alphavantage"]) == [
        ("REMX", "2026-10-29", 60.0),
        ("REMX", "2026-10-30", 61.5),
    ]
    later = daily_json({"2026-11-02": "62", "2026-11-03": "63"})
    assert closes(VANTAGE, later) == [("REMX", "2026-11-02", 62.0)]


REQUEST = Request("query", ("json",))


@pytest.mark.parametrize("name", ["Note", "Information"])
def test_a_used_up_quota_stops_the_run_although_its_status_is_200(
    name: str, tmp_path: Path
) -> None:
    step = alphavantage.follow(REQUEST, answer_of(tmp_path, {name: "25 requests per day."}))
    assert step == Stop("25 requests per day.")


@pytest.mark.parametrize(
    ("content", "error", "words"),
    [
        ({"Information": "This is a premium endpoint."}, DeniedError, "does not allow this call"),
        ({"Error Message": "the parameter apikey is invalid"}, DeniedError, "the key is refused"),
        ({"Error Message": "Invalid API call."}, UpstreamFormatError, "Invalid API call"),
        ({}, UpstreamFormatError, "has no 'Time Series"),
        (daily_json({}), UpstreamFormatError, "has no 'Time Series"),
    ],
)  # fmt: skip
def test_an_error_with_status_200_is_an_error(
    content: Any, error: type[Exception], words: str, tmp_path: Path
) -> None:
    with pytest.raises(error, match=words):
        alphavantage.follow(REQUEST, answer_of(tmp_path, content))


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        ({"Information": "25 requests per day."}, "25 requests per day"),
        (daily_json({"2026-10-30": "61"}, symbol="LYC"), "prices of 'LYC', not of REMX"),
        (daily_json({"30/10/2026": "61"}), "'30/10/2026' is not a day"),
        (daily_json({"2026-10-30": "n/a"}), "'2026-10-30: n/a' is not a close above 0"),
        (daily_json({"2026-10-30": "0"}), "is not a close above 0"),
    ],
)  # fmt: skip
def test_another_answer_of_alpha_vantage_is_refused(payload: Any, words: str) -> None:
    said = refusal(VANTAGE, payload)
    assert said.startswith("alphavantage: ")
    assert words in said


def test_another_symbol_is_an_unknown_code() -> None:
    with pytest.raises(UnknownCodeError):
        quotes(VANTAGE, daily_json({"2026-10-30": "61"}, symbol="LYC"))


@needs_shared
def test_the_alpha_vantage_payloads_are_read_or_refused() -> None:
    folder = PAYLOADS / "alphavantage"
    assert closes(VANTAGE, (folder / "daily_SYNTHETIC.json").read_bytes()) == [
        ("REMX", "2026-09-22", 70.01)
    ]
    assert "25 requests" in refusal(VANTAGE, (folder / "limit_200_FIXTURE.json").read_bytes())
    assert "Invalid API call" in refusal(VANTAGE, (folder / "error_200_FIXTURE.json").read_bytes())
