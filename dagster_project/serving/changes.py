"""What changed around a day in the measures that apply to an importer, in sentences.

States and days are those of `exposure.measure_status`; here they are worded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby

from dagster_project.errors import counted
from dagster_project.safe_text import markdown_text
from dagster_project.serving.catalog import Ask, Row
from dagster_project.serving.wording.english.parts import day as day_in_words

DAYS = 30
"""A page names the changes of so many days before and after its day."""

NOTHING = "Nothing that Kido knows of."

APPLIES_TO_IMPORTER = """
{measures}.implementer_iso3 <> $importer
and (
    {measures}.target_iso3 in ('ALL', $importer)
    or {measures}.target_iso3 = 'EU27'
    and $importer in (select economy_iso3 from reference.economies where is_eu27)
)
"""
"""Condition on a table with an implementer and a target: the measure applies to the importer."""

_CHANGES = f"""
with states as (
    select
        clause_id, valid_from, status, because,
        -- An end is dated by the last day of the state before, a beginning by its first day.
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
    {APPLIES_TO_IMPORTER.format(measures="measures")}
    and states.turning_day between $day - {DAYS} and $day + {DAYS}
order by states.clause_id
"""


@dataclass(frozen=True)
class Change:
    """A change of state on a day, in words, and its clauses, each with its title."""

    words: str
    clauses: Sequence[tuple[str, str]]
    first_day: date
    """The first day of the new state."""

    @property
    def sentence(self) -> str:
        if len(self.clauses) == 1:
            [(clause, title)] = self.clauses
            return f"{clause} ({title}): {self.words}"
        return f"{counted(len(self.clauses), 'clause')}: {self.words}"

    @property
    def names(self) -> Sequence[str]:
        """The clauses with their titles; none if the sentence names the only one."""
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
    """Changes of state of the clauses that apply to an importer (ISO 3166 alpha-3)."""
    rows = ask(_CHANGES, importer=importer, day=day)
    return Changes(
        _group_changes([row for row in rows if row["valid_from"] <= day], day),
        _group_changes([row for row in rows if row["valid_from"] > day], day),
    )


def dated_changes(ask: Ask, importer: str, day: date, last: date, *, since: date) -> list[Change]:
    """The changes whose new state begins in `since` to `last`, as of `day`, within DAYS of it.

    An announcement is none: no day was waited for.
    """
    rows = ask(_CHANGES, importer=importer, day=day)
    return _group_changes(
        [
            row
            for row in rows
            if since <= row["valid_from"] <= last and row["status"] != "announced"
        ],
        day,
    )


def changes_markdown(changes: Changes) -> list[str]:
    """Lines of the page for the UI."""
    lines = []
    for heading, section in changes.sections:
        lines += [f"**{heading}**", ""]
        for change in section:
            lines += [f"- {markdown_text(change.sentence)}"]
            lines += [f"  - {markdown_text(name)}" for name in change.names]
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


def _group_changes(rows: Sequence[Row], day: date) -> list[Change]:
    """The changes, one for all clauses with the same day and words.

    The nearest day is first, and restrictions are the first of a day.
    """

    def place(row: Row) -> tuple[timedelta, bool, str, date]:
        is_other = row["direction"] != "restrict"
        return abs(row["turning_day"] - day), is_other, _in_words(row, day), row["valid_from"]

    return [
        Change(words, [(row["clause_id"], row["title"]) for row in group], first_day)
        for (*_, words, first_day), group in groupby(sorted(rows, key=place), key=place)
    ]


def _in_words(row: Row, day: date) -> str:
    first: date = row["valid_from"]
    is_past = first <= day
    since = f"{'since' if is_past else 'from'} {day_in_words(str(first))}"
    match row["status"]:
        case "unknown":
            return str(row["because"])
        case "ended":
            return f"{'ended' if is_past else 'ends'} on {day_in_words(str(row['turning_day']))}"
        case "announced":
            return f"announced on {day_in_words(str(first))}"
        case "suspended":
            return f"suspended {since} by {row['because']}"
        case "in_force" if row["was_in_force"]:
            return f"in force again {since}"
        case status:
            return f"{status.replace('_', ' ')} {since}"
