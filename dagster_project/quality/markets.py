"""Instruments and the sessions of their exchanges, for the rules on prices.

They are read when a suite is evaluated, since the library of calendars takes 0.3 s to import. The
rules themselves are in the suites.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import cast

import polars as pl

from dagster_project.lake.vocabulary import Traded, traded

SHARES = ("equity", "etf")
"""Kinds of instruments that may be split."""


@dataclass(frozen=True)
class Markets:
    """Kind and calendar of the instruments of a frame; `sessions` gives the sorted days of a
    calendar.
    """

    instruments: Mapping[str, Traded]
    sessions: Callable[[str], pl.Series]

    @property
    def shares(self) -> list[str]:
        return sorted(
            name for name, instrument in self.instruments.items() if instrument.kind in SHARES
        )

    @property
    def by_calendar(self) -> dict[str, list[str]]:
        """The instruments of each calendar."""
        names_of_calendar: dict[str, list[str]] = {}
        for name, instrument in sorted(self.instruments.items()):
            if instrument.calendar:
                names_of_calendar.setdefault(instrument.calendar, []).append(name)
        return names_of_calendar


EXAMPLE = Markets(
    {"A": Traded("equity", "XNYS"), "B": Traded("fx", "TARGET")},
    lambda _: pl.Series([date(2026, 1, 5), date(2026, 1, 6)]),
)
"""Two instruments and two sessions, to build the expressions of a rule without a frame: for its
columns and its version."""


def markets_of(instruments: Iterable[object]) -> Markets:
    """The markets of the instruments that are in the list; others are ignored."""
    known = traded()
    names = (name for name in instruments if isinstance(name, str))
    return Markets({name: known[name] for name in names if name in known}, _sessions)


def _sessions(name: str) -> pl.Series:
    from dagster_project.market.calendars import Calendar, sessions

    return sessions(cast(Calendar, name))
