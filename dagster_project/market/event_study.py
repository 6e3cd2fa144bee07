"""The statistics of an event study: returns, models of the normal return, abnormal returns.

Arrays in, figures out: dates and instruments are in `studies`. Logarithmic returns are the default.
Published examples often use simple ones, so the kind is a parameter.

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
"""Of daily returns: a deviation of a millionth of a per cent. Smaller ones are rounding errors."""


@dataclass(frozen=True)
class Estimation:
    """The estimation window: the sessions before an event that define the normal return.

    It has at most `max_sessions` sessions and ends `gap` sessions before the event. With fewer than
    `min_sessions` there is no estimate.
    """

    min_sessions: int = LEAST_SESSIONS
    max_sessions: int = 250
    gap: int = 30

    def sessions(self, event: int) -> slice:
        """Positions of their returns, for the position of the event; there is no return at 0."""
        end = max(event - self.gap + 1, 1)
        return slice(max(end - self.max_sessions, 1), end)


@dataclass(frozen=True)
class Factor:
    """The market factor of a normal return: `beta`, and statistics of the market's returns.

    `mean` and `sum_of_squares` (of the deviations from the mean) are of the estimation window.
    """

    beta: float
    mean: float
    sum_of_squares: float


@dataclass(frozen=True)
class NormalReturn:
    """The normal return of a session: `alpha`, plus beta times the market's return with a factor.

    `residuals` are those of the estimation window. `variance` is their sum of squares over the
    degrees of freedom.
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
        """The abnormal returns of some sessions: returns less normal returns."""
        explained = 0.0 if self.factor is None else self.factor.beta * _given(market)
        return own - self.alpha - explained


@dataclass(frozen=True)
class CumulativeReturn:
    """The cumulative abnormal return over a window and its 95 % interval; shares, not per cent.

    `standard_error` includes the forecast error, since the normal return is an estimate.
    """

    car: float
    standard_error: float
    ci95_low: float
    ci95_high: float


@dataclass(frozen=True)
class WindowTest(CumulativeReturn):
    """Two-sided tests of a cumulative abnormal return against 0.

    `p_value` uses the t distribution, `p_value_rank` only the ranks of the returns.
    """

    t_statistic: float
    p_value: float
    p_value_rank: float


def returns(prices: ArrayLike, kind: ReturnKind = "log") -> Floats:
    """The return of each session from the one before; as many as prices.

    The first return is NaN. A missing price is NaN, and so are the two returns that need it.
    Raises ValueError for a price of 0 or less.
    """
    closes = np.asarray(prices, dtype=np.float64)
    if (closes <= 0).any():
        raise ValueError("a return needs prices above 0")
    ratios = closes[1:] / closes[:-1]
    returns_after_first = np.log(ratios) if kind == "log" else ratios - 1
    return np.concatenate(([math.nan], returns_after_first))


def normal_return(own: Floats, market: Floats | None = None) -> NormalReturn:
    """The normal return, estimated from the returns of the estimation window.

    Without `market` it is their mean (constant-mean model), else their least-squares line on the
    market's returns (market model). Raises ValueError if the returns, or the market's, are
    constant: there would be no variance to test with.
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
    """The standard error of the sum of the abnormal returns of `sessions` sessions.

    With s2 the variance of the residuals, L1 the sessions of the estimation window and L2 those of
    the event window, its square is s2 (L2 + L2^2 / L1). With a factor, s2 D^2 / S is added: D is
    the sum of the market's deviations from its mean in the event window, S its sum of squares in
    the estimation window. This is s2 (L2 + g' X* (X'X)^-1 X*' g) of MacKinlay 1997, written out.
    Without `forecast_error` it is the short form, s2 L2, which assumes a known normal return.
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
    """The cumulative abnormal return of a window with its 95 % interval.

    `own` and `market` are the returns of the sessions of the window.
    """
    from scipy.special import stdtrit

    car = float(normal.abnormal(own, market).sum())
    error = standard_error(normal, len(own), market)
    reach = float(stdtrit(normal.degrees_of_freedom, 0.975)) * error
    return CumulativeReturn(car, error, car - reach, car + reach)


def assess_window(normal: NormalReturn, own: Floats, market: Floats | None = None) -> WindowTest:
    """The cumulative abnormal return of a window with its t and rank test.

    `own` and `market` are the returns of the sessions of the window.
    """
    from scipy.special import stdtr

    cumulative = cumulative_return(normal, own, market)
    t = cumulative.car / cumulative.standard_error
    return WindowTest(
        **vars(cumulative),
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

    For several sessions it is Corrado's statistic (1989) against the normal distribution. For one
    session that statistic is at most the square root of 3 and never rejects at 5 %. There the
    p-value is exact: twice the share of returns at least as extreme on the same side.
    """
    from scipy.special import ndtr

    all_returns = np.concatenate((residuals, abnormal))
    ranks = _ranks(all_returns)
    count, days = len(all_returns), len(abnormal)
    if days == 1:
        rank = float(ranks[-1])
        return min(1.0, 2 * min(rank, count + 1 - rank) / count)
    centred = ranks - (count + 1) / 2
    spread = math.sqrt(float(centred @ centred) / count)
    z = float(centred[-days:].sum()) / (math.sqrt(days) * spread)
    return float(2 * ndtr(-abs(z)))


def _ranks(values: Floats) -> Floats:
    """Ranks from 1 for the smallest value; equal values get the mean of their ranks."""
    ordered = np.sort(values)
    first = np.searchsorted(ordered, values, side="left")
    last = np.searchsorted(ordered, values, side="right")
    return (first + last + 1) / 2
