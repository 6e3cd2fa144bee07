"""Yahoo Finance's chart service: daily closes of a fund, of makers in Tokyo and of two indices.

It is no published interface; its terms need a person's consent, and nothing of it is bundled.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import quote

import polars as pl

from dagster_project.errors import UnknownCodeError, UpstreamFormatError, exception_text, shortened
from dagster_project.lake.scope import DEFAULT_SCOPE, CommodityScope
from dagster_project.sources.card import (
    Answer,
    Calendar,
    Document,
    Done,
    Extract,
    Limits,
    Request,
    Scope,
    SourceCard,
    Step,
    Window,
)
from dagster_project.sources.formats import require_every
from dagster_project.sources.json_text import json_object
from dagster_project.sources.quotes import last_finished_day, quotes_of, retrieval_of

CARD = SourceCard(
    name="yahoo",
    title="Daily closes of Yahoo Finance",
    publisher="Yahoo",
    licence=(
        "Yahoo's terms of service: personal use only, no redistribution; read them, then set "
        "KIDO_YAHOO_ENABLED=true"
    ),
    licence_url="https://legal.yahoo.com/us/en/yahoo/terms/product-atos/apiforydn/index.html",
    is_redistributable=False,
    cadence="daily",
    domain="prices",
    homepage="https://finance.yahoo.com",
    tables=("price_quotes",),
    description=(
        "Closes of the fund REMX and of TDK, Shin-Etsu Chemical, Sumitomo Metal Mining and Toyota "
        "since 2010, in dollars and yen, as they are and adjusted for dividends; levels of the "
        "Nikkei 225 and the S&P 500. An interface that is not documented and may end any day. "
        "Where it was fetched it replaces the bundled indices of `equity_indices`."
    ),
    base_url="https://query1.finance.yahoo.com",
    needs_consent=True,
    published_after=timedelta(hours=-6),
    limits=Limits(calls_a_minute=20),  # no limit is published; many calls are refused for hours
    calendar=Calendar(
        "30 18 * * 1-5",
        "America/New_York",
        "Weekdays at 18:30 in New York, after its session and before that of the next day in "
        "Tokyo.",
        days="XNYS",
    ),
)


class Listing(NamedTuple):
    """What a symbol is: the instrument, the currency it has to be in, and its unit."""

    instrument: str
    currency: str
    unit: str


def _share(symbol: str, currency: str) -> Listing:
    return Listing(symbol, currency, f"{currency} per share")


SYMBOLS: Mapping[str, Listing] = MappingProxyType(
    {
        "REMX": _share("REMX", "USD"),
        "4063.T": _share("4063.T", "JPY"),
        "5713.T": _share("5713.T", "JPY"),
        "6762.T": _share("6762.T", "JPY"),
        "7203.T": _share("7203.T", "JPY"),
        "^N225": Listing("NIKKEI_225", "JPY", "index points"),
        "^GSPC": Listing("SP500", "USD", "index points"),
    }
)

SINCE = date(2010, 1, 1)
"""REMX began in October 2010."""

USER_AGENT = "Mozilla/5.0 (compatible; Kido; warehouse of critical-mineral dependence)"
"""Clients whose name does not begin like a browser's are refused."""

NOT_FOUND = "Not Found"
"""The code with which an unknown symbol is answered, with status 404."""


def plan(windows: Sequence[Window], scope: Scope) -> Sequence[Extract]:
    """An extract per symbol, its whole history: one that is no longer listed does not keep the
    others from being fetched. A dividend or a split changes all days before it, so that days
    fetched earlier and new ones would not be one series.
    """
    until = (scope.today or datetime.now(UTC).date()) + timedelta(days=1)
    return [
        Extract(
            f"chart-{SYMBOLS[symbol].instrument}.json",
            (
                Request(
                    f"v8/finance/chart/{quote(symbol)}",
                    expects=("json",),
                    params={
                        "interval": "1d",
                        "period1": f"{_seconds(SINCE)}",
                        "period2": f"{_seconds(until)}",
                        "events": "div,splits",
                    },
                    headers={"User-Agent": USER_AGENT},
                    statuses={404: "nothing"},
                    context={"symbol": symbol},
                ),
            ),
        )
        for symbol in SYMBOLS
    ]


def _seconds(day: date) -> int:
    return int(datetime.combine(day, time(), UTC).timestamp())


def follow(request: Request, answer: Answer) -> Step:
    """Every answer is complete.

    Raises UpstreamFormatError for a 404: the symbol is unknown, or, without the error of the
    service, the address is.
    """
    if answer.meaning != "nothing":
        return Done()
    symbol = request.context["symbol"]
    try:
        error = json.loads(answer.text)["chart"]["error"]
        is_unknown, reason = error["code"] == NOT_FOUND, str(error["description"])
    except (KeyError, TypeError, ValueError):
        is_unknown, reason = False, ""
    if is_unknown:
        raise UpstreamFormatError(f"{CARD.name}: {symbol} is not known: {shortened(reason)}.")
    raise UpstreamFormatError(f"{CARD.name}: the chart service is no longer at {request.url}.")


def parse(
    payload: bytes, document: Document, scope: CommodityScope = DEFAULT_SCOPE
) -> Mapping[str, pl.DataFrame]:
    """The chart of one symbol -> `price_quotes`, one row per finished session with a close.

    `close` is in the currency of the exchange per share, adjusted for splits as Yahoo does, so
    `split_ratio` is not given; `adjusted_close` is adjusted for dividends too. The day is that of
    the session in the exchange's time zone. A session without a close (null) makes no row, nor has
    one that was not over when it was retrieved. Of two entries of one day the later counts.
    Raises UpstreamFormatError for an error of the service, a symbol without prices, another
    interval than days, and another layout; UnknownCodeError for a symbol that is not in `SYMBOLS`
    or is in another currency.
    """
    source = CARD.name
    result = _result_of(json_object(payload, source=source))
    try:
        meta = result["meta"]
        symbol, zone = str(meta["symbol"]), str(meta["exchangeTimezoneName"])
        listing = SYMBOLS.get(symbol)
        if listing is None:
            raise UnknownCodeError(f"{source}: {symbol!r} is none of {', '.join(SYMBOLS)}.")
        if not result.get("timestamp"):
            raise UpstreamFormatError(f"{source}: {symbol} has no prices.")
        if meta["currency"] != listing.currency:
            raise UnknownCodeError(
                f"{source}: {symbol} is in {meta['currency']!r}, not in {listing.currency}."
            )
        if meta["dataGranularity"] != "1d":
            raise UpstreamFormatError(
                f"{source}: {symbol} has prices by {meta['dataGranularity']!r}, not by day."
            )
        closes = _closes(result)
    except (AttributeError, IndexError, KeyError, TypeError, pl.exceptions.PolarsError) as error:
        raise UpstreamFormatError(
            f"{source}: the answer is not a chart ({exception_text(error)})."
        ) from error
    last = last_finished_day(document.retrieved_at, zone, source=source)
    require_every(
        pl.all_horizontal(
            pl.col(name).is_null() | (pl.col(name) > 0) for name in ("close", "adjusted_close")
        ),
        table=closes,
        value=pl.format("{}: {}", "timestamp", "close"),
        what=f"is not a close above 0 ({symbol})",
        source=source,
    )
    opened = pl.from_epoch("timestamp", "s").dt.replace_time_zone("UTC")
    quotes = (
        closes.lazy()
        .filter(pl.col("close").is_not_null())
        .with_columns(opened.dt.convert_time_zone(zone).dt.date().alias("price_date"))
        .filter(pl.col("price_date") <= last)
        .sort("timestamp")
        .unique("price_date", keep="last")
        .with_columns(
            instrument=pl.lit(listing.instrument),
            currency=pl.lit(None if "index" in listing.unit else listing.currency, pl.String),
            unit=pl.lit(listing.unit),
        )
    )
    return {
        "price_quotes": quotes_of(
            quotes, source=source, frequency="D", vintage_at=retrieval_of(document)
        )
    }


def _result_of(content: Mapping[str, Any]) -> Mapping[str, Any]:
    """The only result of a chart. Raises UpstreamFormatError for an error of the service."""
    chart = content.get("chart")
    if not isinstance(chart, dict):
        raise UpstreamFormatError(f"{CARD.name}: the answer is not a chart.")
    error, results = chart.get("error"), chart.get("result")
    if error or not isinstance(results, list) or len(results) != 1:
        reason = error.get("description") if isinstance(error, dict) else None
        raise UpstreamFormatError(
            f"{CARD.name}: the answer has no result: {shortened(str(reason or error))}."
        )
    result = results[0]
    return result if isinstance(result, dict) else {}


def _closes(result: Mapping[str, Any]) -> pl.DataFrame:
    """`timestamp`, `close` and `adjusted_close` (null where the answer has none)."""
    stamps = result["timestamp"]
    (quotes,) = result["indicators"]["quote"]
    adjusted = (result["indicators"].get("adjclose") or [{}])[0].get("adjclose")
    return pl.DataFrame(
        {
            "timestamp": pl.Series(stamps, dtype=pl.Int64),
            "close": pl.Series(quotes["close"], dtype=pl.Float64),
            "adjusted_close": pl.Series(adjusted or [None] * len(stamps), dtype=pl.Float64),
        }
    )
