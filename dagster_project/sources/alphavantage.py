"""Alpha Vantage: daily closes of the fund REMX, with a key.

The free key gives the last hundred sessions; older ones stay in the lake from earlier fetches.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import polars as pl

from dagster_project.errors import DeniedError, UnknownCodeError, UpstreamFormatError, shortened
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
    Stop,
    Window,
)
from dagster_project.sources.formats import require_every
from dagster_project.sources.json_text import json_object
from dagster_project.sources.quotes import (
    day_of,
    last_finished_day,
    quotes_of,
    retrieval_of,
)

CARD = SourceCard(
    name="alphavantage",
    title="Daily closes of Alpha Vantage",
    publisher="Alpha Vantage",
    licence="Alpha Vantage's terms of service: personal use, no redistribution",
    licence_url="https://www.alphavantage.co/terms_of_service/",
    is_redistributable=False,
    cadence="daily",
    domain="prices",
    homepage="https://www.alphavantage.co",
    tables=("price_quotes",),
    description=(
        "Closes of the fund REMX in US dollars as traded, the last hundred sessions at each fetch. "
        "They are used once they are at least half as many as those of the source with most."
    ),
    base_url="https://www.alphavantage.co",
    needs_key=True,
    published_after=timedelta(hours=-4),
    limits=Limits(calls_a_minute=60, calls_a_day=25),
    calendar=Calendar(
        "0 20 * * 1-5",
        "America/New_York",
        "Weekdays at 20:00 in New York, after its session.",
        days="XNYS",
    ),
)

SYMBOL = "REMX"
ZONE = "America/New_York"
SERIES = "Time Series (Daily)"
CLOSE = "4. close"

REFUSALS = ("Note", "Information")
"""Names of the texts that say, with status 200, that no more calls are allowed."""

PREMIUM = "premium endpoint"
"""What such a text has where the key does not allow the call at all."""


def plan(windows: Sequence[Window], scope: Scope) -> Sequence[Extract]:
    """One call. The key is taken in a parameter only."""
    params = {
        "function": "TIME_SERIES_DAILY",
        "symbol": SYMBOL,
        "outputsize": "compact",
        "apikey": "{key}",
    }
    return [Extract(f"{SYMBOL}-daily.json", (Request("query", ("json",), params=params),))]


def follow(request: Request, answer: Answer) -> Step:
    """All answers have status 200; some say that the quota is used up.

    Raises UpstreamFormatError for an error of the service or an answer without prices, DeniedError
    where the key is refused.
    """
    content = json_object(answer.file.read_bytes(), source=CARD.name)
    refusal = _text_of(content, REFUSALS)
    if PREMIUM in refusal.lower():
        raise DeniedError(f"{CARD.name}: the key does not allow this call: {shortened(refusal)}")
    if refusal:
        return Stop(shortened(refusal))
    _require_series(content)
    return Done()


def _text_of(content: Mapping[str, Any], names: Sequence[str]) -> str:
    return next((str(content[name]) for name in names if name in content), "")


def _require_series(content: Mapping[str, Any]) -> Mapping[str, Any]:
    """The prices by day. Raises what `follow` does."""
    error = _text_of(content, ("Error Message",))
    if "apikey" in error.lower():
        raise DeniedError(f"{CARD.name}: the key is refused: {shortened(error)}")
    if error:
        raise UpstreamFormatError(f"{CARD.name}: the call is refused: {shortened(error)}")
    series = content.get(SERIES)
    if not isinstance(series, dict) or not series:
        said = _text_of(content, REFUSALS)
        raise UpstreamFormatError(
            f"{CARD.name}: the answer has no {SERIES!r}{f': {shortened(said)}' if said else '.'}"
        )
    return series


def parse(
    payload: bytes, document: Document, scope: CommodityScope = DEFAULT_SCOPE
) -> Mapping[str, pl.DataFrame]:
    """`TIME_SERIES_DAILY` -> `price_quotes`, one row per finished session.

    `close` is US dollars per share as traded. A session that was not over when it was retrieved
    makes no row.
    Raises UpstreamFormatError for an answer without prices and an invalid day or close,
    UnknownCodeError for another symbol.
    Source: Alpha Vantage, API documentation, TIME_SERIES_DAILY.
    """
    source = CARD.name
    content = json_object(payload, source=source)
    series = _require_series(content)
    meta = content.get("Meta Data")
    symbol = meta.get("2. Symbol") if isinstance(meta, dict) else None
    if symbol != SYMBOL:
        raise UnknownCodeError(f"{source}: prices of {symbol!r}, not of {SYMBOL}.")
    cells = [day.get(CLOSE) if isinstance(day, dict) else None for day in series.values()]
    closes = pl.DataFrame(
        {
            "day": pl.Series(list(series), dtype=pl.String),
            "printed": pl.Series(map(str, cells), dtype=pl.String),
        }
    ).with_columns(
        day_of("day").alias("price_date"),
        pl.col("printed").cast(pl.Float64, strict=False).alias("close"),
    )
    for rule, value, what in (
        (pl.col("price_date").is_not_null(), pl.col("day"), "is not a day like 2026-10-30"),
        (
            pl.col("close").is_finite() & (pl.col("close") > 0),
            pl.format("{}: {}", "day", "printed"),
            "is not a close above 0",
        ),
    ):
        require_every(rule, table=closes, value=value, what=what, source=source)
    last = last_finished_day(document.retrieved_at, ZONE, source=source)
    quotes = (
        closes.lazy()
        .filter(pl.col("price_date") <= last)
        .with_columns(
            instrument=pl.lit(SYMBOL), currency=pl.lit("USD"), unit=pl.lit("USD per share")
        )
    )
    return {
        "price_quotes": quotes_of(
            quotes, source=source, frequency="D", vintage_at=retrieval_of(document)
        )
    }
