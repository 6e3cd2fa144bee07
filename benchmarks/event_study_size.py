"""How often the tests of an event study reject where nothing happened, and where something did.

Random days of the bundled REMX, TDK and yen, 120 sessions of constant mean before each: a test at
5 % should reject 5 % of them (its size). Then a return is added to each day: the rate at which it
is found is the power. The seed is fixed; figures, no times.

    python benchmarks/event_study_size.py --dates 2000
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from dagster_project.market.event_study import (
    Estimation,
    Floats,
    assess_window,
    normal_return,
    returns,
)
from dagster_project.settings import BUNDLED

INSTRUMENTS = ("REMX", "6762.T", "USDJPY")
WINDOWS = ((0, 0), (-1, 1), (-5, 5), (0, 10))
ADDED = (0.0, 0.02, 0.04, 0.08)
LEVEL = 0.05
DATES = 2000
SEED = 20261127
ESTIMATION = Estimation(min_sessions=120, max_sessions=120)


@dataclass(frozen=True)
class Rate:
    """The share of random days on which each test rejects at LEVEL, `added` to the day's return."""

    instrument: str
    window: tuple[int, int]
    added: float
    parametric: float
    rank: float


def rates(
    instrument: str,
    dates: int = DATES,
    seed: int = SEED,
    windows: Sequence[tuple[int, int]] = WINDOWS,
    added: Sequence[float] = ADDED,
) -> list[Rate]:
    """Rates of rejection by window and added return; days are drawn with replacement."""
    own = bundled_returns(instrument)
    first = ESTIMATION.min_sessions + ESTIMATION.gap
    last = len(own) - max(end for _, end in WINDOWS)
    days = np.random.default_rng(seed).integers(first, last, dates)
    found = []
    for window in windows:
        for more in added:
            p_values = np.array([_p_values(own, int(day), window, more) for day in days])
            parametric, rank = (p_values < LEVEL).mean(axis=0)
            found.append(Rate(instrument, window, more, float(parametric), float(rank)))
    return found


def _p_values(own: Floats, day: int, window: tuple[int, int], more: float) -> tuple[float, float]:
    first, last = window
    around = own[day + first : day + last + 1].copy()
    around[-first] += more
    answer = assess_window(normal_return(own[ESTIMATION.sessions(day)]), around)
    return answer.p_value, answer.p_value_rank


def bundled_returns(instrument: str) -> Floats:
    """Logarithmic returns of the bundled closes; the first is not a number."""
    if instrument == "USDJPY":
        rates = pl.read_csv(BUNDLED / "ecb" / "reference_rates.csv").sort("date")
        return returns(rates["jpy"] / rates["usd"])
    closes = pl.read_csv(BUNDLED / "equity_indices" / "equity_indices.csv")
    return returns(closes.filter(instrument=instrument).sort("date")["index"])


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--dates", type=int, default=DATES)
    arguments.add_argument("--seed", type=int, default=SEED)
    given = arguments.parse_args()
    before = ESTIMATION.min_sessions
    print(f"{given.dates} random days, seed {given.seed}, {before} sessions before each")
    print(f"{'':8}{'window':>10}{'added':>8}{'t test':>9}{'rank test':>11}")
    for instrument in INSTRUMENTS:
        for rate in rates(instrument, given.dates, given.seed):
            window = f"({rate.window[0]:+d},{rate.window[1]:+d})"
            print(
                f"{instrument:8}{window:>10}{rate.added:>8.0%}"
                f"{rate.parametric:>9.1%}{rate.rank:>11.1%}"
            )


if __name__ == "__main__":
    main()
