"""The statistics of an event study: returns, a model of the usual return, and what is abnormal.

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

Floats = NDArray[np.float64]
ReturnKind = Literal["log", "simple"]


@dataclass(frozen=True)
class Estimation:
    """Which sessions before the event say what is usual.

    `most` of them where there are as many, none of them later than `gap` sessions before the event,
    and no estimate from fewer than `least`.
    """

    least: int = 120
    most: int = 250
    gap: int = 30

    def sessions(self, event: int) -> slice:
        """Positions of their returns, given that of the event's; the return at 0 does not exist."""
        end = max(event - self.gap + 1, 1)
        return slice(max(end - self.most, 1), end)


@dataclass(frozen=True)
class Usual:
    """The usual return of a session: `alpha`, or `alpha` + `beta` times the factor's return.

    `residuals` of the estimation window, their `variance` (sum of squares over `freedom`, the
    degrees of freedom), and what the error of a forecast needs: the factor's mean return and its
    sum of squared deviations. `beta` and these are None without a factor.
    """

    alpha: float
    beta: float | None
    variance: float
    freedom: int
    residuals: Floats
    factor_mean: float | None
    factor_squares: float | None

    @property
    def sessions(self) -> int:
        return len(self.residuals)

    def abnormal(self, own: Floats, factor: Floats | None) -> Floats:
        """What the returns of some sessions are above the usual one."""
        if self.beta is None:
            return own - self.alpha
        assert factor is not None
        return own - self.alpha - self.beta * factor


@dataclass(frozen=True)
class Response:
    """The cumulative abnormal return over a window and its tests; shares, not percentages.

    `standard_error` holds the error of the forecast: the usual return is itself an estimate.
    `p_value` is of the t distribution, two-sided; `p_value_rank` rests on ranks alone.
    """

    car: float
    standard_error: float
    t_statistic: float
    p_value: float
    p_value_rank: float
    ci95_low: float
    ci95_high: float


def returns(prices: ArrayLike, kind: ReturnKind = "log") -> Floats:
    """The return of each session from the one before; the first has none and is not a number.

    Raises ValueError for a price of 0 or less, of which there is no return.
    """
    closes = np.asarray(prices, dtype=np.float64)
    if not (closes > 0).all():
        raise ValueError("A return needs prices above 0.")
    ratios = closes[1:] / closes[:-1]
    found = np.log(ratios) if kind == "log" else ratios - 1
    return np.concatenate(([math.nan], found))


def usual(own: Floats, factor: Floats | None = None) -> Usual:
    """The usual return from those of the estimation window, and from the factor's if there is one.

    Raises ValueError where nothing varies: no return then differs from the usual one.
    """
    count = len(own)
    if factor is None:
        alpha = float(own.mean())
        residuals = own - alpha
        beta = factor_mean = factor_squares = None
        freedom = count - 1
    else:
        factor_mean = float(factor.mean())
        deviations = factor - factor_mean
        factor_squares = float(deviations @ deviations)
        if factor_squares == 0:
            raise ValueError("The factor does not vary.")
        beta = float(deviations @ own) / factor_squares
        alpha = float(own.mean()) - beta * factor_mean
        residuals = own - alpha - beta * factor
        freedom = count - 2
    variance = float(residuals @ residuals) / freedom
    if variance == 0:
        raise ValueError("The returns do not vary.")
    return Usual(alpha, beta, variance, freedom, residuals, factor_mean, factor_squares)


def standard_error(usual: Usual, days: int, factor: Floats | None = None) -> float:
    """Of the sum of the abnormal returns of `days` sessions, with the error of the forecast.

    The variance is s2 (L2 + L2^2 / L1), and with a factor s2 times its squared distance from the
    usual over the sum of squares besides: g' X* (X'X)^-1 X*' g, written out.
    """
    units = days + days**2 / usual.sessions
    if usual.beta is not None:
        assert factor is not None
        assert usual.factor_mean is not None
        assert usual.factor_squares is not None
        distance = float(factor.sum()) - days * usual.factor_mean
        units += distance**2 / usual.factor_squares
    return math.sqrt(usual.variance * units)


def response(usual: Usual, own: Floats, factor: Floats | None = None) -> Response:
    """The cumulative abnormal return of the sessions of a window, and how unusual it is."""
    from scipy.special import stdtr, stdtrit

    abnormal = usual.abnormal(own, factor)
    car = float(abnormal.sum())
    error = standard_error(usual, len(own), factor)
    t = car / error
    reach = float(stdtrit(usual.freedom, 0.975)) * error
    return Response(
        car=car,
        standard_error=error,
        t_statistic=t,
        p_value=float(2 * stdtr(usual.freedom, -abs(t))),
        p_value_rank=rank_p_value(usual.residuals, abnormal),
        ci95_low=car - reach,
        ci95_high=car + reach,
    )


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
