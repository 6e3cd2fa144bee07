"""A problem that needs a person, its kinds, and the links to the UI.

Which problems stand now is found by the modules of the kinds; nothing is sent here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Unexamined:
    """A subject of which is unknown now whether it is a problem: what was reported of it stays."""

    kind: Kind
    subject: str


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
