"""The statistics of an event study against worked examples, a library and identities."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from dagster_project.market.event_study import (
    Estimation,
    Floats,
    ReturnKind,
    assess_window,
    normal_return,
    rank_p_value,
    returns,
    standard_error,
)

TEN_DIGITS = 5e-10
"""Half a unit of the tenth digit of a figure that begins with 1."""

MARKET = [0.010, -0.005, 0.002, 0.008, -0.012, 0.004, -0.003, 0.006, 0.000, -0.010]
OWN = [0.013, -0.004, 0.001, 0.012, -0.015, 0.007, -0.006, 0.009, 0.002, -0.011]
MARKET_AFTER = [0.005, -0.002, 0.003]
OWN_AFTER = [-0.020, -0.010, 0.006]


def prices(of_returns: list[float], kind: ReturnKind) -> Floats:
    """Prices from 100 on that have these returns."""
    steps = np.asarray(of_returns)
    growth = np.exp(steps) if kind == "log" else 1 + steps
    return 100 * np.concatenate(([1.0], np.cumprod(growth)))


@pytest.mark.parametrize("kind", ["log", "simple"])
def test_a_worked_example_to_ten_digits(kind: ReturnKind) -> None:
    """Ten sessions before and three of the event, worked by hand, on either kind of return."""
    own = returns(prices(OWN + OWN_AFTER, kind), kind)
    factor = returns(prices(MARKET + MARKET_AFTER, kind), kind)
    before, after = slice(1, 11), slice(11, 14)
    found = normal_return(own[before], factor[before])
    assert found.alpha == pytest.approx(0.0008, abs=1e-12)
    assert found.factor is not None
    assert found.factor.beta == pytest.approx(1.281124498, rel=TEN_DIGITS)
    assert found.variance == pytest.approx(2.780321285e-06, rel=TEN_DIGITS)
    assert found.degrees_of_freedom == 8
    abnormal = found.abnormal(own[after], factor[after])
    assert abnormal == pytest.approx(
        [-0.02720562249, -0.008237751004, 0.001356626506], rel=TEN_DIGITS
    )
    answer = assess_window(found, own[after], factor[after])
    assert answer.car == pytest.approx(-0.03408674699, rel=TEN_DIGITS)
    assert answer.standard_error == pytest.approx(0.003323287543, rel=TEN_DIGITS)
    assert answer.t_statistic == pytest.approx(-10.25693580, rel=TEN_DIGITS)
    # The short form leaves out that the normal return is an estimate.
    short = standard_error(found, 3, factor[after], forecast_error=False)
    assert short == pytest.approx(0.002888072689, rel=TEN_DIGITS)
    assert answer.car / short == pytest.approx(-11.80259317, rel=TEN_DIGITS)


def test_simple_and_logarithmic_returns_of_one_series_differ() -> None:
    """ln(1.1) and 10 %."""
    assert returns([100, 110])[1] == pytest.approx(0.0953101798, rel=1e-9)
    assert returns([100, 110], "simple")[1] == pytest.approx(0.1, rel=1e-12)
    assert math.isnan(returns([100, 110])[0])


def test_no_return_leads_to_a_missing_price_or_from_it() -> None:
    found = returns([100.0, math.nan, 121.0, 133.1], "simple")
    assert np.isnan(found[:3]).all()
    assert found[3] == pytest.approx(0.1)


def test_the_market_model_equals_a_regression_and_its_forecast() -> None:
    """scipy's least squares, and the standard error of a forecast from the design matrix itself."""
    random = np.random.default_rng(1)
    factor = random.normal(0, 0.01, 153)
    own = 0.001 + 0.8 * factor + random.normal(0, 0.02, 153)
    found = normal_return(own[:150], factor[:150])
    line = stats.linregress(factor[:150], own[:150])
    assert found.factor is not None
    assert found.factor.beta == pytest.approx(line.slope)
    assert found.alpha == pytest.approx(line.intercept)
    design = np.column_stack((np.ones(150), factor[:150]))
    window = np.column_stack((np.ones(3), factor[150:]))
    ones = np.ones(3)
    spread = ones @ (np.eye(3) + window @ np.linalg.inv(design.T @ design) @ window.T) @ ones
    expected = math.sqrt(found.variance * spread)
    assert standard_error(found, 3, factor[150:]) == pytest.approx(expected)


def test_one_session_of_constant_mean_has_the_prediction_interval() -> None:
    """A textbook: mean +- t(n-1) s sqrt(1 + 1/n), here of five returns of mean 0.02 and s 0.01."""
    own = np.array([0.01, 0.01, 0.02, 0.03, 0.03])
    found = normal_return(own)
    assert (found.alpha, found.degrees_of_freedom) == (pytest.approx(0.02), 4)
    answer = assess_window(found, np.array([0.06]))
    assert answer.car == pytest.approx(0.04)
    assert answer.standard_error == pytest.approx(0.01 * math.sqrt(1.2))
    # t(4) at 97.5 % is 2.776445 in any table.
    assert answer.ci95_low == pytest.approx(0.04 - 2.776445 * 0.01 * math.sqrt(1.2), abs=1e-7)
    assert answer.ci95_high == pytest.approx(0.04 + 2.776445 * 0.01 * math.sqrt(1.2), abs=1e-7)
    assert answer.p_value == pytest.approx(2 * stats.t.sf(answer.t_statistic, 4))


def test_the_rank_of_a_single_session_is_exact() -> None:
    """The largest of 20 is one of two extremes: 2/20; the second largest 4/20; the median 1."""
    residuals = np.arange(19, dtype=float)
    assert rank_p_value(residuals, np.array([100.0])) == pytest.approx(0.1)
    assert rank_p_value(residuals, np.array([-100.0])) == pytest.approx(0.1)
    assert rank_p_value(residuals, np.array([17.5])) == pytest.approx(0.2)
    assert rank_p_value(np.arange(20, dtype=float), np.array([9.5])) == pytest.approx(1.0)


def test_the_ranks_of_several_sessions_are_corrados() -> None:
    """Seven returns, the two of the window the largest: ranks 6 and 7 of 1 to 7, mean 4.

    z = (2 + 3) / (sqrt(2) x 2) = 1.767767, since the ranks 1 to 7 deviate by 2.
    """
    p = rank_p_value(np.arange(5, dtype=float), np.array([10.0, 11.0]))
    assert p == pytest.approx(2 * stats.norm.sf(5 / (math.sqrt(2) * 2)))
    assert p == pytest.approx(0.0771, abs=1e-4)


def test_equal_returns_share_the_mean_of_their_ranks() -> None:
    """Ranks 1, 2.5, 2.5, 4: the window's two are 2.5 and 4, 1.5 above twice the mean."""
    p = rank_p_value(np.array([0.0, 1.0]), np.array([1.0, 2.0]))
    spread = math.sqrt((1.5**2 + 1.5**2) / 4)
    assert p == pytest.approx(2 * stats.norm.sf(1.5 / (math.sqrt(2) * spread)))


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (400, range(121, 371)),  # 250 returns, the last one 30 sessions before
        (150, range(1, 121)),  # all there are: 120
        (149, range(1, 120)),
        (30, range(1, 1)),
        (0, range(1, 1)),
    ],
)
def test_the_estimation_window_ends_thirty_sessions_before_the_event(
    event: int, expected: range
) -> None:
    assert list(range(500))[Estimation().sessions(event)] == list(expected)


@pytest.mark.parametrize("bad", [0.0, -1.0])
def test_a_price_of_0_or_less_has_no_return(bad: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        returns([100.0, bad, 101.0])


def test_nothing_is_abnormal_where_nothing_varies() -> None:
    flat = np.zeros(10)
    with pytest.raises(ValueError, match="returns do not vary"):
        normal_return(flat)
    with pytest.raises(ValueError, match="market does not vary"):
        normal_return(np.arange(10, dtype=float), flat)


a_return = st.integers(-2000, 2000).map(lambda basis_points: basis_points / 10_000)
some_returns = st.lists(a_return, min_size=30, max_size=60).filter(
    lambda found: np.std(found[:-3]) > 1e-3
)


@given(some_returns, st.floats(0.001, 1000), st.sampled_from(["log", "simple"]))
def test_a_constant_factor_on_all_prices_changes_nothing(
    found: list[float], factor: float, kind: ReturnKind
) -> None:
    closes = prices(found, kind)
    one, other = returns(closes, kind), returns(factor * closes, kind)
    assert other[1:] == pytest.approx(one[1:], abs=1e-12)
    left, right = (assess_window(normal_return(r[1:-3]), r[-3:]) for r in (one, other))
    assert right.car == pytest.approx(left.car, abs=1e-10)
    assert right.p_value == pytest.approx(left.p_value, abs=1e-6)


@given(some_returns, st.randoms())
def test_the_order_of_the_sessions_before_the_event_changes_nothing(
    found: list[float], random: "np.random.Generator"
) -> None:
    shuffled = list(found[:-3])
    random.shuffle(shuffled)
    left, right = (
        assess_window(normal_return(np.array(o)), np.array(found[-3:]))
        for o in (found[:-3], shuffled)
    )
    assert right.t_statistic == pytest.approx(left.t_statistic, rel=1e-6, abs=1e-9)
    assert right.p_value_rank == pytest.approx(left.p_value_rank, abs=1e-9)


@given(some_returns)
def test_an_interval_holds_zero_if_and_only_if_the_test_does_not_reject(found: list[float]) -> None:
    answer = assess_window(normal_return(np.array(found[:-2])), np.array(found[-2:]))
    assert (answer.ci95_low <= 0 <= answer.ci95_high) == (answer.p_value >= 0.05)
    assert 0 <= answer.p_value <= 1
    assert 0 <= answer.p_value_rank <= 1
