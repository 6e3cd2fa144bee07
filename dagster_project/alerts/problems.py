"""A problem that needs a person, its kinds, and the links to the UI.

Which problems stand now is found by the modules of the kinds; nothing is sent here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args
from urllib.parse import quote, urlencode

from dagster_project.errors import shortened

Kind = Literal[
    "failed_runs", "failed_checks", "blocked_releases", "late_sources", "restriction_clauses",
    "notices",
]  # fmt: skip
KINDS: tuple[Kind, ...] = get_args(Kind)
"""The kinds of problems, which are also the names of their sensors."""

MOST_LINES = 12
"""Most lines of a message: enough to see what is wrong; the link leads to the rest."""


LONGEST_LINE = 500
"""Most characters of a line: a clause's change with its sources has about 250."""


@dataclass(frozen=True)
class Batch:
    """Problems that are one message, which counts them, where more than `most` are new at once."""

    words: str
    """What they are, after their number: `official notices are to be read`."""
    most: int


@dataclass(frozen=True)
class Problem:
    """What stands now and needs a person; it is the same one as long as kind and subject are."""

    kind: Kind
    subject: str
    title: str
    """What is wrong, in words that hold for every level."""
    since: str
    """The day or the minute (UTC) it began, as text."""
    lines: tuple[str, ...] = ()
    """What is known of it, the first offending rows included."""
    link: str = ""
    level: int = 1
    """Grows when it gets worse."""
    has_end: bool = True
    """Whether its end is worth a message: a date that has passed has no end."""
    batch: Batch | None = None
    """What it is counted among; None where each is a message of its own."""


@dataclass(frozen=True)
class Unexamined:
    """A subject of which is unknown now whether it is a problem: what was reported of it stays."""

    kind: Kind
    subject: str


def counted_together(problems: Sequence[Problem]) -> list[Problem]:
    """The problems; of a batch that has more than its most, one that counts them, in the place of
    the first.
    """
    members: dict[Batch | None, list[Problem]] = {}
    for problem in problems:
        members.setdefault(problem.batch, []).append(problem)
    return [
        problem if not _is_large(problem.batch, members) else _sum(members[problem.batch])
        for problem in problems
        if not _is_large(problem.batch, members) or problem is members[problem.batch][0]
    ]


def _is_large(batch: Batch | None, members: Mapping[Batch | None, Sequence[Problem]]) -> bool:
    return batch is not None and len(members[batch]) > batch.most


def _sum(problems: Sequence[Problem]) -> Problem:
    """One problem for those of a batch."""
    first = problems[0]
    assert first.batch is not None
    words = first.batch.words
    lines = dict.fromkeys(": ".join([each.title, *each.lines[:1]]) for each in problems)
    return replace(
        first,
        subject=words,
        title=f"{len(problems):,} {words}",
        since=min(each.since for each in problems),
        lines=first_lines(list(lines)),
    )


def first_lines(lines: Sequence[str]) -> tuple[str, ...]:
    """The first MOST_LINES lines that are not blank, shortened, and how many more there are."""
    given = [line.rstrip() for line in lines if line.strip()]
    shown = tuple(shortened(line, LONGEST_LINE) for line in given[:MOST_LINES])
    return (*shown, f"… and {len(given) - MOST_LINES} more lines") if given[MOST_LINES:] else shown


@dataclass(frozen=True)
class Links:
    """Addresses of pages of the Dagster UI, below its own address."""

    ui_url: str

    def run(self, run_id: str) -> str:
        return self._page("runs", run_id)

    def asset(self, *path: str) -> str:
        return self._page("assets", *path)

    def check(self, name: str, *path: str) -> str:
        return f"{self.asset(*path)}?{urlencode({'view': 'checks', 'checkDetail': name})}"

    def _page(self, *parts: str) -> str:
        return "/".join([self.ui_url.rstrip("/"), *(quote(part, safe="") for part in parts)])
