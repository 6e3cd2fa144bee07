"""Which series answers which event: events and prices in, one row per window of each study out.

The statistics are those of `event_study`; a study without one says why.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from functools import cache
from typing import Any

import polars as pl

from dagster_project import words
from dagster_project.market import event_study
from dagster_project.market.calendars import Calendar, session_of, sessions
from dagster_project.market.event_study import Estimation, Floats, ReturnKind, Usual

WINDOWS = ((0, 0), (-1, 1), (-5, 5), (0, 10))
"""First and last session, the event's being 0: the day, its neighbours, a fortnight, what came."""

PATH_FROM, PATH_TO = -5, 10
"""The path of a study: the cumulative abnormal return from the fifth session before to each one."""

_PATH = tuple((PATH_FROM, day) for day in range(PATH_FROM, PATH_TO + 1))

_REACH = timedelta(days=14)
"""No exchange here is closed for as long: a session is nearer to its news than that."""

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
    "residual_variance": pl.Float64(),
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
"""The columns of `study_events`, and their types: `session_number` counts the prices of the series
from 0, `first_price_date` is the day before the first return that is used, `window_start` and
`window_end` are the days of the window's first and last session, `is_window` and `is_path` say
which of the two lists a window is of."""


@dataclass(frozen=True)
class Series:
    """The sessions with a price, sorted, and the return of each; the factor's too, if there is one.

    A factor's sessions are those that both have, so that both returns are over the same days.
    """

    days: list[date]
    own: Floats
    factor: Floats | None


def study_events(
    events: pl.DataFrame,
    prices: pl.DataFrame,
    instruments: pl.DataFrame,
    *,
    kind: ReturnKind = "log",
    estimation: Estimation | None = None,
) -> pl.DataFrame:
    """Every event studied on every instrument -> SCHEMA, one row per window and point of the path.

    `events`: `event_id`, `event_date`, `event_time`, `event_zone`, `date_precision`. `prices`:
    `instrument`, `price_date`, `return_close`, `unit`, in any order. `instruments`: `instrument`,
    `calendar`, `market_instrument` (null: the constant-mean model alone).
    An event has rows where its session lies within the prices of the instrument. Windows (WINDOWS)
    that cannot be judged have no statistics and a `reason`; a point of the path only exists where
    there is a price.
    Raises ValueError for prices of a day twice, or not above 0.
    """
    rows = [
        row
        for instrument in instruments.sort("instrument").iter_rows(named=True)
        for model, factor in _models(instrument["market_instrument"])
        for series in [_series(prices, instrument["instrument"], factor, kind)]
        if series.days
        for event in events.sort("event_id").iter_rows(named=True)
        for found in _study(event, series, instrument["calendar"], estimation or Estimation())
        for row in [
            {
                "event_id": event["event_id"],
                "instrument": instrument["instrument"],
                "model": model,
                "market_instrument": factor,
                **found,
            }
        ]
    ]
    return pl.DataFrame(rows, schema=SCHEMA)


def _models(market_instrument: str | None) -> list[tuple[words.EventModel, str | None]]:
    """A market row only where there is a factor."""
    constant: tuple[words.EventModel, str | None] = ("constant_mean", None)
    return [constant, ("market", market_instrument)] if market_instrument else [constant]


def _series(prices: pl.DataFrame, instrument: str, factor: str | None, kind: ReturnKind) -> Series:
    own = _closes(prices, instrument)
    if factor is None:
        return Series(own["day"].to_list(), event_study.returns(own["close"], kind), None)
    both = own.join(_closes(prices, factor), on="day", suffix="_of_factor").sort("day")
    return Series(
        both["day"].to_list(),
        event_study.returns(both["close"], kind),
        event_study.returns(both["close_of_factor"], kind),
    )


def _closes(prices: pl.DataFrame, instrument: str) -> pl.DataFrame:
    """In the unit of the last one: an index and a price of the same thing are two series."""
    series = prices.filter(instrument=instrument).sort("price_date")
    in_one_unit = series.filter(pl.col("unit").eq_missing(pl.col("unit").last()))
    closes = in_one_unit.select(day="price_date", close="return_close")
    if closes["day"].is_duplicated().any():
        raise ValueError(f"{instrument} has two prices of a day.")
    return closes


def _study(
    event: dict[str, Any], series: Series, calendar: Calendar, estimation: Estimation
) -> Iterator[dict[str, Any]]:
    """The rows of one event on one series; none where its session is not within the series."""
    if not series.days[0] - _REACH <= event["event_date"] <= series.days[-1] + _REACH:
        return
    session = session_of(calendar, event["event_date"], event["event_time"], event["event_zone"])
    if not series.days[0] <= session <= series.days[-1]:
        return
    position = bisect_left(series.days, session)
    if event["date_precision"] != "day":
        yield from _without("day_not_known")
        return
    facts: dict[str, Any] = {"session_date": session, "session_number": position}
    if series.days[position] != session:
        yield from _without("no_price_on_the_session", **facts)
        return
    before = estimation.sessions(position)
    days = series.days[before]
    facts |= {
        "estimation_days": len(days),
        "estimation_from": days[0] if days else None,
        "estimation_to": days[-1] if days else None,
        "first_price_date": series.days[before.start - 1] if days else None,
    }
    if len(days) < estimation.least:
        yield from _without("estimation_window_short", **facts)
        return
    try:
        model = event_study.usual(series.own[before], _part(series.factor, before))
    except ValueError:
        yield from _without("nothing_varies", **facts)
        return
    facts |= {
        "alpha": model.alpha,
        "beta": model.beta,
        "residual_variance": model.variance,
        "abnormal_return_event_day": _abnormal(model, series, position),
    }
    for first, last in WINDOWS:
        window = slice(position + first, position + last + 1)
        reason = _why_not(series, window, calendar)
        found = facts | _span(first, last, is_window=True)
        yield found | ({"reason": reason} if reason else _judged(model, series, window))
    for first, last in _PATH:
        window = slice(position + first, position + last + 1)
        if _why_not(series, window, calendar) is None:
            found = facts | _span(first, last, is_path=True)
            yield found | _judged(model, series, window)


def _span(
    first: int, last: int, *, is_window: bool = False, is_path: bool = False
) -> dict[str, Any]:
    return {
        "window_from": first, "window_to": last, "is_window": is_window, "is_path": is_path,
    }  # fmt: skip


def _without(reason: words.EventReason, **facts: object) -> Iterator[dict[str, Any]]:
    for first, last in WINDOWS:
        yield {**facts, **_span(first, last, is_window=True), "reason": reason}


def _why_not(series: Series, window: slice, calendar: Calendar) -> words.EventReason | None:
    """A window is cut where the prices end, and has no sum where a session has no price."""
    if window.stop > len(series.days):
        return "event_window_not_complete"
    first, last = series.days[window.start], series.days[window.stop - 1]
    if _sessions_between(calendar, first, last) != window.stop - window.start:
        return "session_without_a_price"
    return None


@cache
def _sessions_between(calendar: Calendar, first: date, last: date) -> int:
    return int(sessions(calendar).is_between(first, last).sum())


def _judged(model: Usual, series: Series, window: slice) -> dict[str, Any]:
    answer = event_study.response(model, series.own[window], _part(series.factor, window))
    return {
        **asdict(answer),
        "window_start": series.days[window.start],
        "window_end": series.days[window.stop - 1],
        "abnormal_return_last_day": _abnormal(model, series, window.stop - 1),
    }


def _abnormal(model: Usual, series: Series, position: int) -> float:
    day = slice(position, position + 1)
    return float(model.abnormal(series.own[day], _part(series.factor, day))[0])


def _part(factor: Floats | None, sessions: slice) -> Floats | None:
    return None if factor is None else factor[sessions]
