"""What changed and what changes around a day for an importer, in sentences.

Days and states are those of `exposure.calendar`; here they are worded.
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
from dagster_project.serving.wording.english.parts import period as period_in_words

DAYS = 30
"""A page names the changes of so many days before its day; so early are messages sent."""

AHEAD = 90
"""A page names the changes of so many days after its day."""

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

_EVENTS = f"""
with events as (
    select
        *,
        bool_or(status_after = 'in_force') over (
            partition by subject_id order by event_date
            rows between unbounded preceding and 1 preceding
        ) as was_in_force,
        max(case when status_after = 'suspended' then because end) over (
            partition by subject_id order by event_date
            rows between unbounded preceding and 1 preceding
        ) as suspended_by
    from exposure.calendar
)
select
    kind, subject_id, event_date, clause_ids, title, status_after, date_precision, because,
    was_in_force, suspended_by,
    exists (
        select 1 from exposure.measures as measures
        where measures.clause_id = events.subject_id and measures.direction = 'restrict'
    ) as restricts
from events
where
    date_diff('day', $day, event_date) between -{DAYS} and $ahead
    -- A suspension that ends is said once, of the clauses that it suspends.
    and not exists (
        select 1 from events as suspended
        inner join exposure.measures as acts
            on suspended.suspended_by in (acts.clause_id, acts.official_reference)
        where
            acts.clause_id = events.subject_id
            and suspended.event_date = events.event_date
    )
    -- Of what is known to the year alone it is not known that it comes so soon.
    and (date_precision <> 'year' or $ahead >= 365)
    and (
        len(clause_ids) = 0
        or exists (
            select 1 from exposure.measures as measures
            where
                list_contains(events.clause_ids, measures.clause_id)
                and {APPLIES_TO_IMPORTER.format(measures="measures")}
        )
    )
order by subject_id
"""

_NOUNS = {"planned": "project", "review": "review", "arrangement_ends": "arrangement"}
"""What several of a kind are; of the others clauses."""


@dataclass(frozen=True)
class Change:
    """A change on a day, in words, and its clauses or projects, each with its title."""

    words: str
    subjects: Sequence[tuple[str, str]]
    day: date
    """The first day of the new state, or the day that is planned or was stated."""
    noun: str = "clause"

    @property
    def sentence(self) -> str:
        if len(self.subjects) == 1:
            [(subject, title)] = self.subjects
            return f"{subject} ({title}): {self.words}"
        return f"{counted(len(self.subjects), self.noun)}: {self.words}"

    @property
    def names(self) -> Sequence[str]:
        """The subjects with their titles; none if the sentence names the only one."""
        if len(self.subjects) == 1:
            return ()
        return [f"{subject}: {title}" for subject, title in self.subjects]


@dataclass(frozen=True)
class Changes:
    """What changed up to a day, the last one first, and what changes after it."""

    past: Sequence[Change]
    coming: Sequence[Change]
    ahead: int = AHEAD
    """So many days are looked ahead."""

    @property
    def sections(self) -> Sequence[tuple[str, Sequence[Change]]]:
        return (
            (f"What changed in the last {DAYS} days", self.past),
            (f"What changes in the next {counted(self.ahead, 'day')}", self.coming),
        )


def changes_around(ask: Ask, importer: str, day: date, ahead: int | None = None) -> Changes:
    """Changes that bear on an importer (ISO 3166 alpha-3), ahead by default AHEAD days.

    What was planned for a day of the past is no change: whether it came is not known.
    """
    days = AHEAD if ahead is None else ahead
    rows = ask(_EVENTS, importer=importer, day=day, ahead=days)
    past = [row for row in rows if row["event_date"] <= day and row["kind"] != "planned"]
    coming = [row for row in rows if row["event_date"] > day]
    return Changes(_group_changes(past, day), _group_changes(coming, day), days)


def dated_changes(ask: Ask, importer: str, day: date, *, since: date) -> list[Change]:
    """The new states of clauses that begin from `since` to DAYS after `day`, as of `day`.

    An announcement is none: no day was waited for.
    """
    rows = ask(_EVENTS, importer=importer, day=day, ahead=DAYS)
    return _group_changes(
        [
            row
            for row in rows
            if row["event_date"] >= since and row["status_after"] not in (None, "announced")
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
    """The changes, one for all clauses or projects with the same day and words.

    The nearest day is first, and restrictions are the first of a day.
    """

    def place(row: Row) -> tuple[timedelta, bool, str, str, date]:
        noun = _NOUNS.get(row["kind"], "clause")
        nearness = abs(row["event_date"] - day)
        return nearness, not row["restricts"], noun, _in_words(row, day), row["event_date"]

    return [
        Change(words, [(row["subject_id"], row["title"]) for row in group], on, noun)
        for (*_, noun, words, on), group in groupby(sorted(rows, key=place), key=place)
    ]


def _in_words(row: Row, day: date) -> str:
    verb = "was" if row["event_date"] <= day else "is"
    match row["kind"]:
        case "planned":
            return f"planned for {_as_known(row)}"
        case "review":
            return f"a review or report {verb} due on {_as_known(row)}"
        case "arrangement_ends":
            bears_on = counted(len(row["clause_ids"]), "clause")
            return f"its last day {verb} {_as_known(row)}, as stated; it bears on {bears_on}"
    return _state_in_words(row, day)


def _as_known(row: Row) -> str:
    """The day as exactly as it is known: `10 January 2027`, `February 2027`, `2027`."""
    on = str(row["event_date"])
    match row["date_precision"]:
        case "year":
            return on[:4]
        case "month":
            return period_in_words(on[:7])
    return day_in_words(on)


def _state_in_words(row: Row, day: date) -> str:
    first: date = row["event_date"]
    is_past = first <= day
    since = f"{'since' if is_past else 'from'} {_as_known(row)}"
    match row["status_after"]:
        case "unknown" if row["suspended_by"]:
            by = f"suspended by {row['suspended_by']} until"
            return str(row["because"]).replace("suspended until", by, 1)
        case "unknown":
            return str(row["because"])
        case "ended":
            last = day_in_words(str(first - timedelta(days=1)))
            return f"{'ended' if is_past else 'ends'} on {last}"
        case "announced":
            return f"announced on {day_in_words(str(first))}"
        case "suspended":
            return f"suspended {since} by {row['because']}"
        case "in_force" if row["was_in_force"]:
            return f"in force again {since}"
        case status:
            return f"{status.replace('_', ' ')} {since}"
