"""The size of the tests of an event study: how often they reject on days drawn at random."""

import pytest

from benchmarks.event_study_size import INSTRUMENTS, WINDOWS, rates


@pytest.mark.parametrize("seed", [20261127, 1, 2, 3])
@pytest.mark.parametrize("instrument", INSTRUMENTS)
def test_the_rank_test_of_three_sessions_rejects_one_random_day_in_twenty(
    instrument: str, seed: int
) -> None:
    """2,000 days, 120 sessions before each; 5 % +- three standard deviations of 2,000 draws."""
    (rate,) = rates(instrument, seed=seed, windows=[(-1, 1)], added=[0.0])
    assert 0.035 <= rate.rank <= 0.065


@pytest.mark.parametrize("instrument", INSTRUMENTS)
def test_the_t_test_and_the_exact_rank_of_one_session_reject_too_often(instrument: str) -> None:
    """Volatility comes in clusters: a quiet year makes the next wild day look impossible."""
    (rate,) = rates(instrument, windows=[(0, 0)], added=[0.0])
    assert 0.05 < rate.parametric <= 0.09
    assert 0.05 < rate.rank <= 0.08


@pytest.mark.parametrize("window", WINDOWS)
def test_the_larger_a_return_that_is_added_the_more_often_it_is_found(
    window: tuple[int, int],
) -> None:
    found = rates("REMX", 400, windows=[window], added=[0.0, 0.02, 0.04, 0.08])
    for test in ("parametric", "rank"):
        by_size = [getattr(rate, test) for rate in found]
        assert by_size == sorted(by_size)
        assert by_size[-1] > by_size[0]


def test_eight_percent_on_one_day_is_found_in_one_session_not_in_eleven() -> None:
    alone, among = (
        rates("6762.T", 400, windows=[window], added=[0.08])[0] for window in ((0, 0), (-5, 5))
    )
    assert alone.rank > 0.8
    assert among.rank < 0.2
