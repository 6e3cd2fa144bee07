"""What changed of the measures that bear on an importer around a day, in sentences.

States and days are decided in `exposure.measure_status`; here they get their words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from typing import Any

from dagster_project.errors import counted

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
        -- What ends has its last day, and what begins its first.
        valid_from - cast(status in ('ended', 'unknown') as integer) as turning_day,
        bool_or(status = 'in_force') over (
            partition by clause_id order by valid_from
            rows between unbounded preceding and 1 preceding
        ) as was_in_force
    from exposure.measure_status
)
select distinct
    states.valid_from, states.turning_day, states.status, states.was_in_force, states.because,
    states.clause_id, measures.title, measures.direction
from states
inner join exposure.measures as measures on states.clause_id = measures.clause_id
where
    {BEARS_ON.format(measures="measures")}
    and states.turning_day between $day - {DAYS} and $day + {DAYS}
order by states.clause_id
"""


@dataclass(frozen=True)
class Change:
    """What happens on a day, in words, and the clauses it happens to, each with its title."""

    words: str
    clauses: Sequence[tuple[str, str]]

    @property
    def sentence(self) -> str:
        if len(self.clauses) == 1:
            [(clause, title)] = self.clauses
            return f"{clause} ({title}): {self.words}"
        return f"{counted(len(self.clauses), 'clause')}: {self.words}"

    @property
    def names(self) -> Sequence[str]:
        """The clauses with their titles, where the sentence does not name the one there is."""
        if len(self.clauses) == 1:
            return ()
        return [f"{clause}: {title}" for clause, title in self.clauses]


@dataclass(frozen=True)
class Changes:
    """What changed up to a day, the last one first, and what changes after it."""

    past: Sequence[Change]
    coming: Sequence[Change]

    @property
    def sections(self) -> Sequence[tuple[str, Sequence[Change]]]:
        return (
            (f"What changed in the last {DAYS} days", self.past),
            (f"What changes in the next {DAYS} days", self.coming),
        )


def changes_around(ask: Ask, importer: str, day: date) -> Changes:
    """Changes of state of the clauses that bear on an importer (ISO 3166 alpha-3)."""
    rows = ask(_CHANGES, importer=importer, day=day)
    return Changes(
        _together([row for row in rows if row["valid_from"] <= day], day),
        _together([row for row in rows if row["valid_from"] > day], day),
    )


def changes_markdown(changes: Changes) -> list[str]:
    """Lines of the page for the UI."""
    lines = []
    for heading, section in changes.sections:
        lines += [f"**{heading}**", ""]
        for change in section:
            lines += [f"- {change.sentence}", *(f"  - {name}" for name in change.names)]
        lines += ["" if section else f"{NOTHING}\n"]
    return lines


def print_changes(changes: Changes) -> None:
    """The same for a terminal."""
    from dagster_project.serving.terminal import print_text

    for heading, section in changes.sections:
        print_text(heading, style="bold")
        for change in section:
            print_text(change.sentence, indent=2)
            for name in change.names:
                print_text(name, indent=4, style="dim")
        print_text("" if section else f"  {NOTHING}\n")


def _together(rows: Sequence[Row], day: date) -> list[Change]:
    """What happens on one day in the same words is one change.

    The nearest day is first, and of a day what restricts.
    """

    def place(row: Row) -> tuple[timedelta, bool, str]:
        return abs(row["turning_day"] - day), row["direction"] != "restrict", _in_words(row, day)

    return [
        Change(words, [(row["clause_id"], row["title"]) for row in group])
        for (*_, words), group in groupby(sorted(rows, key=place), key=place)
    ]


def _in_words(row: Row, day: date) -> str:
    first: date = row["valid_from"]
    is_past = first <= day
    since = f"{'since' if is_past else 'from'} {day_in_words(first)}"
    match row["status"]:
        case "unknown":
            return str(row["because"])
        case "ended":
            return f"{'ended' if is_past else 'ends'} on {day_in_words(row['turning_day'])}"
        case "announced":
            return f"announced on {day_in_words(first)}"
        case "suspended":
            return f"suspended {since} by {row['because']}"
        case "in_force" if row["was_in_force"]:
            return f"in force again {since}"
        case status:
            return f"{status.replace('_', ' ')} {since}"


def day_in_words(day: date) -> str:
    """`10 November 2026`."""
    return f"{day.day} {day:%B %Y}"
