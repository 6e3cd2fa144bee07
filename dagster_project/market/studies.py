"""Event studies of many events on many instruments: one row per window of each study.

Here are sessions, windows and the reasons for missing statistics; the statistics are in
`event_study`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from dagster_project import words
from dagster_project.market import PATH_FROM, PATH_TO, event_study
from dagster_project.market.calendars import FIRST_DAY, Calendar, session_of, sessions
from dagster_project.market.event_study import Estimation, Floats, NormalReturn, ReturnKind

WINDOWS = ((0, 0), (-1, 1), (-5, 5), (0, 10))
"""First and last session of each window; the session of the event is 0."""

_PATH = tuple((PATH_FROM, day) for day in range(PATH_FROM, PATH_TO + 1))
"""The cumulative abnormal return from the first session of the path to each one."""

_REACH = timedelta(days=14)
"""No exchange is closed for so long: the session of an event is at most this far from it."""

SCHEMA: dict[str, pl.DataType] = {
    "event_id": pl.String(),
    "instrument": pl.String(),
    "model": pl.String(),
    "window_from": pl.Int32(),
    "window_to": pl.Int32(),
    "is_window": pl.Boolean(),
    "is_path": pl.Boolean(),
    "session_date": pl.Date(),
    "session_number": pl.Int32(),
    "market_instrument": pl.String(),
    "alpha": pl.Float64(),
    "beta": pl.Float64(),
    "estimation_days": pl.Int32(),
    "estimation_from": pl.Date(),
    "estimation_to": pl.Date(),
    "first_price_date": pl.Date(),
    "window_start": pl.Date(),
    "window_end": pl.Date(),
    "abnormal_return_event_day": pl.Float64(),
    "abnormal_return_last_day": pl.Float64(),
    "car": pl.Float64(),
    "standard_error": pl.Float64(),
    "t_statistic": pl.Float64(),
    "p_value": pl.Float64(),
    "p_value_rank": pl.Float64(),
    "ci95_low": pl.Float64(),
    "ci95_high": pl.Float64(),
    "reason": pl.String(),
}
"""The columns of `study_events` and their types.

`session_number` numbers the sessions of the series from 0. `first_price_date` is the session before
the first return of the estimation window. `window_start` and `window_end` are the first and last
session of the window. `is_window`: the row is of WINDOWS; `is_path`: of the path, without tests."""


@dataclass(frozen=True)
class Series:
    """The sessions of an instrument from its first price to its last, with the return of each.

    `market` are the returns of the market factor, in the market model. Missing returns are NaN: a
    session without a price has none, nor has the next one, whose return would span two sessions.
    In the market model a price is used only if both have one, so that both returns are of the same
    session.
    """

    days: list[date]
    has_price: NDArray[np.bool_]
    own: Floats
    market: Floats | None

    def part(self, chosen: slice) -> tuple[Floats, Floats | None]:
        return self.own[chosen], None if self.market is None else self.market[chosen]

    def is_whole(self, chosen: slice) -> bool:
        return bool(np.isfinite(self.own[chosen]).all())


def study_events(
    events: pl.DataFrame,
    prices: pl.DataFrame,
    instruments: pl.DataFrame,
    *,
    kind: ReturnKind = "log",
    estimation: Estimation | None = None,
) -> pl.DataFrame:
    """Study every event on every instrument: SCHEMA, one row per window and point of the path.

    `events`: `event_id`, `event_date`, `event_time`, `event_zone`, `date_precision`. `prices`:
    `instrument`, `price_date`, `return_close`, `unit`, in any order. `instruments`: `instrument`,
    `calendar`, `market_instrument` (null: the constant-mean model alone).
    An event has rows if its session is within the prices of the instrument. A window that cannot be
    assessed has no statistics but a `reason`; the path ends before a session without a price.
    Raises ValueError with the name of an instrument that has no calendar, two prices of a day, or a
    price that is not above 0.
    """
    rows = [
        {
            "event_id": event["event_id"],
            "instrument": instrument["instrument"],
            "model": model,
            "market_instrument": market,
            **window,
        }
        for instrument in instruments.sort("instrument").iter_rows(named=True)
        for model, market in _models(instrument["market_instrument"])
        for series in [_series(prices, instrument, market, kind)]
        for event in events.sort("event_id").iter_rows(named=True)
        for window in _study(event, series, instrument["calendar"], estimation or Estimation())
    ]
    return pl.DataFrame(rows, schema=SCHEMA)


def _models(market_instrument: str | None) -> list[tuple[words.EventModel, str | None]]:
    """The models of an instrument; the market model only with a market factor."""
    constant: tuple[words.EventModel, str | None] = ("constant_mean", None)
    return [constant, ("market", market_instrument)] if market_instrument else [constant]


def _series(
    prices: pl.DataFrame, instrument: dict[str, Any], market: str | None, kind: ReturnKind
) -> Series:
    name, calendar = instrument["instrument"], instrument["calendar"]
    if calendar is None:
        raise ValueError(f"{name} has no calendar, so that no event has a session.")
    closes = _closes(prices, name)
    if market is not None:
        closes = closes.join(_closes(prices, market), on="day", suffix="_of_market", how="inner")
    trading = sessions(calendar).alias("day")
    closes = closes.filter(pl.col("day").is_in(trading.implode()))
    first, last = closes["day"].min(), closes["day"].max()
    within = trading.filter(trading.is_between(first, last)) if closes.height else trading.clear()
    by_session = within.to_frame().join(closes, on="day", how="left", maintain_order="left")

    def returns_of(column: str, named: str) -> Floats:
        try:
            return event_study.returns(by_session[column], kind)
        except ValueError as error:
            raise ValueError(f"{named}: {error}.") from error

    return Series(
        by_session["day"].to_list(),
        by_session["close"].is_not_null().to_numpy(),
        returns_of("close", name),
        None if market is None else returns_of("close_of_market", market),
    )


def _closes(prices: pl.DataFrame, instrument: str) -> pl.DataFrame:
    """The closes in the unit of the last one: an index and a price are two series."""
    series = prices.filter(instrument=instrument).sort("price_date")
    in_one_unit = series.filter(pl.col("unit").eq_missing(pl.col("unit").last()))
    closes = in_one_unit.select(day="price_date", close="return_close")
    if closes["day"].is_duplicated().any():
        raise ValueError(f"{instrument} has two prices of a day.")
    return closes


def _study(
    event: dict[str, Any], series: Series, calendar: Calendar, estimation: Estimation
) -> Iterator[dict[str, Any]]:
    """The rows of one event on one series; none if its session is outside the series."""
    if not series.days or event["event_date"] < FIRST_DAY:
        return
    if not series.days[0] - _REACH <= event["event_date"] <= series.days[-1] + _REACH:
        return
    session = session_of(calendar, event["event_date"], event["event_time"], event["event_zone"])
    if not series.days[0] <= session <= series.days[-1]:
        return
    if event["date_precision"] != "day":
        yield from _without("day_not_known")
        return
    position = bisect_left(series.days, session)
    facts: dict[str, Any] = {"session_date": session, "session_number": position}
    if not series.has_price[position]:
        yield from _without("no_price_on_the_session", **facts)
        return
    before = estimation.sessions(position)
    used = [place for place in range(before.start, before.stop) if np.isfinite(series.own[place])]
    facts |= {
        "estimation_days": len(used),
        "estimation_from": series.days[used[0]] if used else None,
        "estimation_to": series.days[used[-1]] if used else None,
        "first_price_date": series.days[used[0] - 1] if used else None,
    }
    if len(used) < estimation.min_sessions:
        yield from _without("estimation_window_short", **facts)
        return
    market = None if series.market is None else series.market[used]
    try:
        normal = event_study.normal_return(series.own[used], market)
    except ValueError:
        yield from _without("nothing_varies", **facts)
        return
    facts |= {
        "alpha": normal.alpha,
        "beta": None if normal.factor is None else normal.factor.beta,
        "abnormal_return_event_day": _abnormal(normal, series, position),
    }
    for first, last in WINDOWS:
        window = slice(position + first, position + last + 1)
        reason = _reason_against(series, window)
        row = facts | _span(first, last, is_window=True)
        if reason:
            yield row | {"reason": reason}
        else:
            assessed = event_study.assess_window(normal, *series.part(window))
            yield row | vars(assessed) | _last_day(normal, series, window)
    for first, last in _PATH:
        window = slice(position + first, position + last + 1)
        if _reason_against(series, window) is None:
            row = facts | _span(first, last, is_path=True)
            cumulative = event_study.cumulative_return(normal, *series.part(window))
            yield row | vars(cumulative) | _last_day(normal, series, window)


def _span(
    first: int, last: int, *, is_window: bool = False, is_path: bool = False
) -> dict[str, Any]:
    return {
        "window_from": first, "window_to": last, "is_window": is_window, "is_path": is_path,
    }  # fmt: skip


def _without(reason: words.EventReason, **facts: object) -> Iterator[dict[str, Any]]:
    for first, last in WINDOWS:
        yield {**facts, **_span(first, last, is_window=True), "reason": reason}


def _reason_against(series: Series, window: slice) -> words.EventReason | None:
    """Why a window has no statistics: prices end within it, or a session has no return."""
    if window.stop > len(series.days):
        return "event_window_not_complete"
    return None if series.is_whole(window) else "session_without_a_price"


def _last_day(normal: NormalReturn, series: Series, window: slice) -> dict[str, Any]:
    return {
        "window_start": series.days[window.start],
        "window_end": series.days[window.stop - 1],
        "abnormal_return_last_day": _abnormal(normal, series, window.stop - 1),
    }


def _abnormal(normal: NormalReturn, series: Series, position: int) -> float | None:
    """The abnormal return of one session; None if it has no return."""
    day = slice(position, position + 1)
    return float(normal.abnormal(*series.part(day))[0]) if series.is_whole(day) else None
