"""What changed of the measures that bear on an importer around a day, in sentences.

States and days are decided in `exposure.measure_status`; here they get their words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from typing import Any

DAYS = 30
"""Days before and after the day of a page in which a change is named at its beginning."""

NOTHING = "Nothing that Kido knows of."

Row = Mapping[str, Any]
Ask = Callable[..., list[Row]]
"""Asks a published file: a query with its named parameters -> rows."""

BEARS_ON = """
{measures}.implementer_iso3 <> $importer
and (
    {measures}.target_iso3 in ('ALL', $importer)
    or {measures}.target_iso3 = 'EU27'
    and $importer in (select economy_iso3 from reference.economies where is_eu27)
)
"""
"""Condition on a table with an implementer and a target: the measure is aimed at the importer."""

_CHANGES = f"""
with states as (
    select
        clause_id, valid_from, status, because,
        lag(status) over (partition by clause_id order by valid_from) as previous_status
    from exposure.measure_status
)
select distinct
    states.valid_from, states.status, states.previous_status, states.because,
    states.clause_id, measures.title, measures.direction
from states
inner join exposure.measures as measures on states.clause_id = measures.clause_id
where
    {BEARS_ON.format(measures="measures")}
    and states.valid_from between $day - {DAYS} and $day + {DAYS}
order by states.valid_from, states.clause_id
"""


@dataclass(frozen=True)
class Changes:
    """Sentences on what changed up to a day, the last one first, and on what changes after it."""

    past: Sequence[str]
    coming: Sequence[str]

    @property
    def sections(self) -> Sequence[tuple[str, Sequence[str]]]:
        """Headings with their sentences; one that says so where there are none."""
        return (
            (f"What changed in the last {DAYS} days", self.past or (NOTHING,)),
            (f"What changes in the next {DAYS} days", self.coming or (NOTHING,)),
        )


def changes_around(ask: Ask, importer: str, day: date) -> Changes:
    """Changes of state of the clauses that bear on an importer (ISO 3166 alpha-3)."""
    rows = ask(_CHANGES, importer=importer, day=day)
    return Changes(
        _sentences([row for row in rows if row["valid_from"] <= day], day),
        _sentences([row for row in rows if row["valid_from"] > day], day),
    )


def _sentences(rows: Sequence[Row], day: date) -> list[str]:
    """A sentence per day and what happens on it, with the clauses it happens to.

    The nearest day is first, and of a day what restricts.
    """

    def place(row: Row) -> tuple[timedelta, bool, str]:
        return abs(row["valid_from"] - day), row["direction"] != "restrict", _in_words(row, day)

    return [
        f"{_named(list(group))}: {words}"
        for (*_, words), group in groupby(sorted(rows, key=place), key=place)
    ]


def _named(rows: Sequence[Row]) -> str:
    if len(rows) == 1:
        return f"{rows[0]['clause_id']} ({rows[0]['title']})"
    return ", ".join(row["clause_id"] for row in rows)


def _in_words(row: Row, day: date) -> str:
    first: date = row["valid_from"]
    is_past = first <= day
    since = f"{'since' if is_past else 'from'} {day_in_words(first)}"
    match row["status"]:
        case "unknown":
            return str(row["because"])
        case "ended":
            last = day_in_words(first - timedelta(days=1))
            return f"{'ended' if is_past else 'ends'} on {last}"
        case "announced":
            return f"announced on {day_in_words(first)}"
        case "suspended":
            return f"suspended {since} by {row['because']}"
        case "in_force" if row["previous_status"] == "suspended":
            return f"in force again {since}"
        case status:
            return f"{status.replace('_', ' ')} {since}"


def day_in_words(day: date) -> str:
    """`10 November 2026`."""
    return f"{day.day} {day:%B %Y}"
