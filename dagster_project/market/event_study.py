"""The statistics of an event study: returns, a model of the normal return, and what is abnormal.

Arrays in, figures out: dates and names are `studies`. Logarithmic returns are the default; examples
in print often use simple ones, so the kind is an argument everywhere a price becomes a return.

Sources: MacKinlay 1997 (J. Econ. Lit. 35, 13-39) for the models and the variance of the forecast
error; Corrado 1989 (J. Fin. Econ. 23, 385-395) for the rank test.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dagster_project.market import LEAST_SESSIONS

Floats = NDArray[np.float64]
ReturnKind = Literal["log", "simple"]


LEAST_VARIANCE = 1e-16
"""Of daily returns, a deviation of a millionth of a per cent: below it only rounding varies."""


@dataclass(frozen=True)
class Estimation:
    """Which sessions before the event say what is normal.

    `max_sessions` of them where there are as many, the last of them `gap` sessions before the
    event, and no estimate from fewer than `min_sessions`.
    """

    min_sessions: int = LEAST_SESSIONS
    max_sessions: int = 250
    gap: int = 30

    def sessions(self, event: int) -> slice:
        """Positions of their returns, given that of the event's; the return at 0 does not exist."""
        end = max(event - self.gap + 1, 1)
        return slice(max(end - self.max_sessions, 1), end)


@dataclass(frozen=True)
class Factor:
    """How a return follows the market's: `beta`, and of the market's returns in the estimation
    window the mean and the sum of squared deviations from it.
    """

    beta: float
    mean: float
    sum_of_squares: float


@dataclass(frozen=True)
class NormalReturn:
    """The normal return of a session: `alpha`, and with a factor its beta times the market's return
    besides.

    `residuals` of the estimation window; their `variance` is the sum of squares over the degrees of
    freedom.
    """

    alpha: float
    factor: Factor | None
    variance: float
    degrees_of_freedom: int
    residuals: Floats

    @property
    def sessions(self) -> int:
        return len(self.residuals)

    def abnormal(self, own: Floats, market: Floats | None = None) -> Floats:
        """What the returns of some sessions are above the normal one."""
        explained = 0.0 if self.factor is None else self.factor.beta * _given(market)
        return own - self.alpha - explained


@dataclass(frozen=True)
class CumulativeReturn:
    """The cumulative abnormal return over a window, and its interval; shares, not percentages.

    `standard_error` holds the error of the forecast: the normal return is itself an estimate.
    """

    car: float
    standard_error: float
    ci95_low: float
    ci95_high: float


@dataclass(frozen=True)
class WindowTest(CumulativeReturn):
    """Whether it is unusual: `p_value` is of the t distribution, two-sided; `p_value_rank` rests on
    ranks alone.
    """

    t_statistic: float
    p_value: float
    p_value_rank: float


def returns(prices: ArrayLike, kind: ReturnKind = "log") -> Floats:
    """The return of each session from the one before; the first has none and is not a number.

    A missing price is not a number, and neither are the returns to it and from it.
    Raises ValueError for a price of 0 or less.
    """
    closes = np.asarray(prices, dtype=np.float64)
    if (closes <= 0).any():
        raise ValueError("a return needs prices above 0")
    ratios = closes[1:] / closes[:-1]
    returns_after_first = np.log(ratios) if kind == "log" else ratios - 1
    return np.concatenate(([math.nan], returns_after_first))


def normal_return(own: Floats, market: Floats | None = None) -> NormalReturn:
    """The normal return, from the returns of the estimation window: their mean, or where those of
    the market are given too the least-squares line on them.

    Raises ValueError where nothing varies: no return then differs from the normal one.
    """
    if market is None:
        factor, alpha = None, float(own.mean())
        residuals = own - alpha
    else:
        mean = float(market.mean())
        deviations = market - mean
        sum_of_squares = float(deviations @ deviations)
        if sum_of_squares <= LEAST_VARIANCE * len(market):
            raise ValueError("the market does not vary")
        factor = Factor(float(deviations @ own) / sum_of_squares, mean, sum_of_squares)
        alpha = float(own.mean()) - factor.beta * mean
        residuals = own - alpha - factor.beta * market
    degrees_of_freedom = len(own) - (1 if factor is None else 2)
    variance = float(residuals @ residuals) / degrees_of_freedom
    if variance <= LEAST_VARIANCE:
        raise ValueError("the returns do not vary")
    return NormalReturn(alpha, factor, variance, degrees_of_freedom, residuals)


def standard_error(
    normal: NormalReturn,
    sessions: int,
    market: Floats | None = None,
    *,
    forecast_error: bool = True,
) -> float:
    """Of the sum of the abnormal returns of some sessions.

    Its square is s2 (L2 + L2^2 / L1), and with a factor s2 times the square of the sum of the
    market's deviations from its mean, over its sum of squares, besides: MacKinlay's
    s2 (L2 + g' X* (X'X)^-1 X*' g), written out. Without the `forecast_error` it is the short form,
    s2 L2, which takes the normal return as known.
    """
    units = float(sessions)
    if forecast_error:
        units += sessions**2 / normal.sessions
        if normal.factor is not None:
            distance = float(_given(market).sum()) - sessions * normal.factor.mean
            units += distance**2 / normal.factor.sum_of_squares
    return math.sqrt(normal.variance * units)


def cumulative_return(
    normal: NormalReturn, own: Floats, market: Floats | None = None
) -> CumulativeReturn:
    """The cumulative abnormal return of the sessions of a window, with its interval."""
    from scipy.special import stdtrit

    car = float(normal.abnormal(own, market).sum())
    error = standard_error(normal, len(own), market)
    reach = float(stdtrit(normal.degrees_of_freedom, 0.975)) * error
    return CumulativeReturn(car, error, car - reach, car + reach)


def assess_window(normal: NormalReturn, own: Floats, market: Floats | None = None) -> WindowTest:
    """The cumulative abnormal return of the sessions of a window, and how unusual it is."""
    from scipy.special import stdtr

    summed = cumulative_return(normal, own, market)
    t = summed.car / summed.standard_error
    return WindowTest(
        **vars(summed),
        t_statistic=t,
        p_value=float(2 * stdtr(normal.degrees_of_freedom, -abs(t))),
        p_value_rank=rank_p_value(normal.residuals, normal.abnormal(own, market)),
    )


def _given(market: Floats | None) -> Floats:
    if market is None:
        raise ValueError("the market model needs the market's returns")
    return market


def rank_p_value(residuals: Floats, abnormal: Floats) -> float:
    """The two-sided p-value of the ranks of a window's abnormal returns among the residuals.

    Corrado's statistic for a window of several sessions, against the normal distribution. For a
    single one it is at most the square root of 3 and can never reject at 5 %: there the p-value is
    exact, twice the share of returns at least as far out on the same side.
    """
    from scipy.special import ndtr

    together = np.concatenate((residuals, abnormal))
    ranks = _ranks(together)
    count, days = len(together), len(abnormal)
    if days == 1:
        rank = float(ranks[-1])
        return min(1.0, 2 * min(rank, count + 1 - rank) / count)
    centred = ranks - (count + 1) / 2
    spread = math.sqrt(float(centred @ centred) / count)
    z = float(centred[-days:].sum()) / (math.sqrt(days) * spread)
    return float(2 * ndtr(-abs(z)))


def _ranks(values: Floats) -> Floats:
    """From 1 for the least; equal values share the mean of theirs."""
    ordered = np.sort(values)
    first = np.searchsorted(ordered, values, side="left")
    last = np.searchsorted(ordered, values, side="right")
    return (first + last + 1) / 2
