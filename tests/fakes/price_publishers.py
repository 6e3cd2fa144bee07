"""Local servers in place of the IMF, FRED, Yahoo and Alpha Vantage, with prices that tests give."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from tests.fakes.server import NOT_FOUND, FakePublisher, Reply, Seen, json_reply

# International Monetary Fund.

DIMENSIONS = ("COUNTRY", "INDICATOR", "DATA_TRANSFORMATION", "FREQUENCY")
EMPTY_SDMX: Mapping[str, Any] = {
    "meta": {},
    "data": {
        "dataSets": [{"action": "Replace"}],
        "structures": [{"dimensions": {"series": [], "observation": []}}],
    },
}
"""The answer to a wrong key: status 200 and no series."""


def sdmx_json(
    series: Mapping[str, Mapping[str, str | None]],
    *,
    periods_in: str = "value",
    key: str = "G001.{}.USD.M",
) -> dict[str, Any]:
    """SDMX-JSON 2.0: by indicator and period the printed price, None for a blank; periods are
    listed newest first.
    """
    codes = [key.format(indicator).split(".") for indicator in series]
    names = [sorted({code[place] for code in codes}) for place in range(len(DIMENSIONS))]
    periods = sorted({period for prices in series.values() for period in prices}, reverse=True)
    data_set = {
        ":".join(str(names[place].index(part)) for place, part in enumerate(code)): {
            "attributes": [0],
            "observations": {
                str(periods.index(period)): [price] for period, price in prices.items()
            },
        }
        for code, prices in zip(codes, series.values(), strict=True)
    }
    dimensions = {
        "series": [
            {"id": name, "values": [{"id": value} for value in values]}
            for name, values in zip(DIMENSIONS, names, strict=True)
        ],
        "observation": [
            {"id": "TIME_PERIOD", "values": [{periods_in: period} for period in periods]}
        ],
    }
    return {
        "meta": {"schema": "https://json.sdmx.org/2.0.0/sdmx-json-data-schema.json"},
        "data": {
            "dataSets": [{"action": "Replace", "series": data_set}],
            "structures": [{"dimensions": dimensions}],
        },
    }


class FakeImf(FakePublisher):
    """`series` are the prices by indicator and period, as they are printed."""

    PATH = "/external/sdmx/3.0/data/dataflow/IMF.RES/PCPS/+/"

    def __init__(self) -> None:
        super().__init__()
        self.series: dict[str, dict[str, str | None]] = {}

    def answer(self, request: Seen) -> Reply:
        if not request.path.startswith(self.PATH):
            return NOT_FOUND
        assert request.headers["accept"] == "application/json"
        country, indicator, unit, frequency = request.path.removeprefix(self.PATH).split(".")
        is_known = (country, unit, frequency) == ("G001", "USD", "M") and indicator in self.series
        content = sdmx_json({indicator: self.series[indicator]}) if is_known else EMPTY_SDMX
        return json_reply(content)


# Federal Reserve Economic Data.


class FakeFred(FakePublisher):
    """`rates` by day, as they are printed; a blank or `.` is a day without a rate."""

    def __init__(self) -> None:
        super().__init__()
        self.rates: dict[str, str] = {}
        self.first_column = "observation_date"

    def answer(self, request: Seen) -> Reply:
        series = request.query.get("id")
        if request.path != "/graph/fredgraph.csv" or series != "DEXJPUS":
            return NOT_FOUND
        first = request.query.get("cosd", "")
        lines = [f"{day},{rate}" for day, rate in sorted(self.rates.items()) if day >= first]
        text = "\n".join([f"{self.first_column},{series}", *lines, ""])
        return Reply(200, text.encode(), "application/csv")


# Yahoo.


@dataclass
class Chart:
    """A symbol: by day the close and the adjusted one, None where a session has none."""

    closes: Mapping[date, tuple[float | None, float | None]]
    currency: str = "USD"
    zone: str = "America/New_York"
    opens: time = time(9, 30)
    interval: str = "1d"
    extra: Mapping[str, Any] = field(default_factory=dict)

    def stamps(self) -> Iterator[int]:
        for day in self.closes:
            yield int(datetime.combine(day, self.opens, ZoneInfo(self.zone)).timestamp())


def chart_json(symbol: str, chart: Chart, first: int = 0, last: int = 2**62) -> dict[str, Any]:
    rows = [
        (stamp, *cells)
        for stamp, cells in zip(chart.stamps(), chart.closes.values(), strict=True)
        if first <= stamp < last
    ]
    closes = [row[1] for row in rows]
    result: dict[str, Any] = {
        "meta": {
            "currency": chart.currency,
            "symbol": symbol,
            "exchangeTimezoneName": chart.zone,
            "dataGranularity": chart.interval,
            **chart.extra,
        },
        "timestamp": [row[0] for row in rows],
        "indicators": {
            "quote": [{"open": closes, "close": closes, "volume": [1 for _ in rows]}],
            "adjclose": [{"adjclose": [row[2] for row in rows]}],
        },
    }
    if not rows:
        del result["timestamp"]
        result["indicators"] = {"quote": [{}], "adjclose": [{}]}
    return {"chart": {"result": [result], "error": None}}


UNKNOWN_SYMBOL = {
    "chart": {
        "result": None,
        "error": {"code": "Not Found", "description": "No data found, symbol may be delisted"},
    }
}
WILL_BE_BACK = b"<!DOCTYPE html><html><body>Will be right back...</body></html>"


class FakeYahoo(FakePublisher):
    def __init__(self) -> None:
        super().__init__()
        self.charts: dict[str, Chart] = {}

    def answer(self, request: Seen) -> Reply:
        symbol = request.path.removeprefix("/v8/finance/chart/")
        if symbol == request.path:
            return NOT_FOUND
        if not request.headers["user-agent"].startswith("Mozilla/5.0"):
            return Reply(429, b"Too Many Requests", "text/plain")
        if symbol not in self.charts:
            return json_reply(UNKNOWN_SYMBOL, 404)
        period = [int(request.query[name]) for name in ("period1", "period2")]
        return json_reply(chart_json(symbol, self.charts[symbol], *period))


# Alpha Vantage.

QUOTA = "Our standard API rate limit is 25 requests per day."


def daily_json(closes: Mapping[str, str], symbol: str = "REMX") -> dict[str, Any]:
    """The newest day first, every figure as text."""
    return {
        "Meta Data": {
            "2. Symbol": symbol,
            "4. Output Size": "Compact",
            "5. Time Zone": "US/Eastern",
        },
        "Time Series (Daily)": {
            day: {"1. open": closes[day], "4. close": closes[day], "5. volume": "634002"}
            for day in sorted(closes, reverse=True)
        },
    }


class FakeAlphaVantage(FakePublisher):
    """Every answer has status 200. `calls_left` are those of the day."""

    def __init__(self, key: str = "secret") -> None:
        super().__init__()
        self.key = key
        self.closes: dict[str, str] = {}
        self.calls_left = 25

    def answer(self, request: Seen) -> Reply:
        query = request.query
        if request.path != "/query":
            return NOT_FOUND
        if query.get("apikey") != self.key:
            return json_reply({"Error Message": "the parameter apikey is invalid or missing."})
        self.calls_left -= 1
        if self.calls_left < 0:
            # It repeats the key.
            return json_reply(
                {"Information": f"We have detected your API key as {self.key}. {QUOTA}"}
            )
        if (query["function"], query["symbol"]) != ("TIME_SERIES_DAILY", "REMX"):
            return json_reply({"Error Message": "Invalid API call."})
        newest = dict(sorted(self.closes.items(), reverse=True)[:100])
        return json_reply(daily_json(newest))


def body(content: object) -> bytes:
    return json.dumps(content).encode()


def sessions_of(
    closes: Mapping[str, float | None], ratio: float = 1.0
) -> dict[date, tuple[float | None, float | None]]:
    """Days with a close, and the same times `ratio` as the adjusted one."""
    return {
        date.fromisoformat(day): (close, None if close is None else close * ratio)
        for day, close in closes.items()
    }
