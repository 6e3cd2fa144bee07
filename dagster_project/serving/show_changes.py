"""What is new in a release, for a terminal and for the UI: the rows of `catalog.changes`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from pathlib import Path

from dagster_project import words
from dagster_project.errors import PublicationError, counted, listed
from dagster_project.lake.build_file import connect
from dagster_project.safe_text import markdown_text
from dagster_project.serving.catalog import Row, asking
from dagster_project.serving.publication import Release, copies_of, published_releases
from dagster_project.serving.release_changes import recorded_changes
from dagster_project.serving.wording.english.parts import listed as enumerated
from dagster_project.settings import Settings

MOST_LINES = 10
"""Lines of a terminal that a build prints of what is new."""

_LINES_OF_A_ROW: Mapping[words.ChangeKind, int] = {
    "notice": 1, "status": 2, "figure": 2, "period": 2, "correction": 1,
}  # fmt: skip
"""Most lines of a row where not all of them fit: one of each kind does, with two lines to spare for
the heading and the number of the others. A notice has its number first.
"""

MOST_IN_THE_UI = 40
"""Rows on the page of a release in the UI."""

COMMAND = "kido changes"

_INDENT = 2

FIRST_CONTRACT = (3, 5)
"""The contract with which releases began to record what is new in them."""

_NOUNS: Mapping[words.ChangeKind, str] = {
    "notice": "notice", "status": "clause", "figure": "figure", "period": "period",
    "correction": "correction",
}  # fmt: skip

_HEADINGS: Mapping[words.ChangeKind, str] = {
    "notice": "Notices to be read (kido notices has their links)",
    "status": "Clauses with another status",
    "figure": "Figures of the page of answers",
    "period": "Periods of the sources",
    "correction": "Corrections of publishers' errors",
}


@dataclass(frozen=True)
class ReleaseChanges:
    """The rows of one release, the most important first; `nothing` says why there are none."""

    release_id: str
    published_at: datetime
    rows: Sequence[Row]
    nothing: str
    is_compared: bool = True
    """Whether there is a release to compare it with."""

    @property
    def sentences(self) -> Sequence[str]:
        return [row["sentence"] for row in self.rows]


def changes_of(
    published_file: Path, release_id: str = "", *, is_replay: bool = False
) -> ReleaseChanges:
    """What is new in a release that a file lists, by default in its own.

    Raises PublicationError, which names the last releases, for one that the file does not list.
    """
    with connect(published_file, read_only=True) as connection:
        releases = asking(connection)("from catalog.releases order by release_id")
    by_id = {row["release_id"]: row for row in releases}
    release = by_id.get(release_id) if release_id else releases[-1]
    if release is None:
        raise _unknown(release_id, by_id)
    rows = recorded_changes(published_file, [release["release_id"]])
    is_first = release == releases[0]
    return ReleaseChanges(
        release["release_id"],
        release["published_at"],
        sorted(rows, key=lambda row: int(row["position"])),
        _why_nothing(release, is_first=is_first, is_replay=is_replay),
        is_compared=not (is_first or is_replay),
    )


def changes_of_release(settings: Settings, published_file: Path, release_id: str) -> ReleaseChanges:
    """What is new in a release, read from its own copy where that is kept: a later file has no rows
    of a release that was rolled back.

    Raises PublicationError, which names the last releases, for an unknown one.
    """
    if not release_id:
        return changes_of(published_file, is_replay=settings.is_replay)
    releases = {release.release_id: release for release in published_releases(settings)}
    if release_id not in releases:
        raise _unknown(release_id, releases)
    copies = copies_of(settings, release_id)
    return changes_of(copies[0] if copies else published_file, release_id)


def _unknown(release_id: str, releases: Mapping[str, Row | Release]) -> PublicationError:
    newest_first = sorted(releases, reverse=True)
    return PublicationError(
        f"There is no release {release_id!r}.", hint=f"Releases: {listed(newest_first)}."
    )


def _why_nothing(release: Row, *, is_first: bool, is_replay: bool) -> str:
    name, contract = release["release_id"], str(release["contract_version"])
    if is_replay:
        return f"{name} is of another day, beside the releases: it is compared with none of them."
    if is_first:
        return f"{name} is the first release: there is none to compare it with."
    if tuple(map(int, contract.split(".")[:2])) < FIRST_CONTRACT:
        return f"{name} is of contract {contract}, which did not record what is new."
    return f"Nothing is new in {name} since the release before it."


def changes_markdown(changes: ReleaseChanges) -> str:
    """The sentences as a list for the UI, some of each kind."""
    if not changes.rows:
        return markdown_text(changes.nothing)
    shown = _shared_out(changes.rows, [1] * len(changes.rows), MOST_IN_THE_UI)
    lines = [f"- {markdown_text(changes.sentences[position])}" for position in shown]
    more = len(changes.rows) - len(lines)
    return "\n".join([*lines, *([f"- and {more:,} more: {COMMAND}"] if more else [])])


def print_new(changes: ReleaseChanges) -> None:
    """Print what a build has published that is new, in at most MOST_LINES lines of a terminal.

    Where not everything fits, something of each kind does, and the others are counted. Nothing is
    printed of a first release or a replay, which are compared with none.
    """
    from dagster_project.serving.terminal import print_text, width

    if not changes.is_compared:
        return
    if not changes.rows:
        print_text(f"\n{changes.nothing}")
        return
    print_text("\nWhat is new since the release before", style="bold")
    columns = width()
    for text in _in_brief(changes.rows, None if columns is None else columns - _INDENT):
        print_text(text, indent=_INDENT)


def _in_brief(rows: Sequence[Row], room: int | None) -> list[str]:
    """The rows in at most MOST_LINES - 1 lines of `room` columns, with line ends in long ones."""
    from dagster_project.serving.terminal import wrap_at_most

    every = [wrap_at_most(row["sentence"], room, MOST_LINES) for row in rows]
    if sum(map(len, every)) < MOST_LINES:
        return ["\n".join(lines) for lines in every]
    cut = [wrap_at_most(row["sentence"], room, _LINES_OF_A_ROW[row["kind"]]) for row in rows]
    shown = _shared_out(rows, list(map(len, cut)), MOST_LINES - 2)
    hidden = [row for position, row in enumerate(rows) if position not in shown]
    texts = ["\n".join(cut[position]) for position in shown]
    return [*texts, _counted(hidden, room)] if hidden else texts


def _shared_out(rows: Sequence[Row], heights: Sequence[int], lines: int) -> list[int]:
    """The positions of the rows that fit into so many lines: the first of each kind, then the
    second of each, and so on. `heights` are the lines of each row.
    """
    rounds: dict[words.ChangeKind, list[int]] = {}
    for position, row in enumerate(rows):
        rounds.setdefault(row["kind"], []).append(position)
    chosen: list[int] = []
    while rounds:
        for kind, positions in list(rounds.items()):
            if positions and heights[positions[0]] <= lines:
                lines -= heights[positions[0]]
                chosen.append(positions.pop(0))
            else:
                del rounds[kind]
    return sorted(chosen)


def _counted(rows: Sequence[Row], room: int | None) -> str:
    """The number of rows that are not printed, by kind where that fits into a line."""
    kinds = Counter(row["kind"] for row in rows)
    first, *others = [counted(count, _NOUNS[kind]) for kind, count in kinds.items()]
    number, _, noun = first.partition(" ")
    sentence = f"and {enumerated([f'{number} more {noun}', *others])}: {COMMAND}"
    if room is None or len(sentence) <= room:
        return sentence
    return f"and {len(rows):,} more: {COMMAND}"


def print_changes_of(changes: ReleaseChanges) -> None:
    """Print every row of a release, by kind."""
    from dagster_project.serving.terminal import print_text

    if not changes.rows:
        print_text(changes.nothing)
        return
    print_text(f"What is new in {changes.release_id}", style="bold")
    for kind, rows in groupby(changes.rows, key=lambda row: row["kind"]):
        print_text(f"\n{_HEADINGS.get(kind, kind)}", style="bold")
        for row in rows:
            print_text(row["sentence"], indent=2)
