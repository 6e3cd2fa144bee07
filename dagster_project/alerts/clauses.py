"""Clauses whose state changes today or soon, as problems; states and words are those of readers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from dagster_project.alerts.problems import Problem, first_lines
from dagster_project.errors import PublicationError, counted
from dagster_project.lake.build_file import connect
from dagster_project.serving.catalog import asking
from dagster_project.serving.changes import Change, dated_changes
from dagster_project.serving.wording.english.parts import day as day_in_words
from dagster_project.settings import Settings

CATCH_UP_DAYS = 3
"""A change of so many days ago is still said, if nobody looked on its day."""


def restriction_clauses(settings: Settings, link: str) -> Iterator[Problem]:
    """The changes of the clauses that concern the settings' importer, up to `changes.DAYS` ahead.

    Clauses that change on one day for one reason are one problem: level 1 ahead of the day, 2 from
    it on. Nothing without a published file. Raises PublicationError for one of an earlier version.
    """
    import duckdb

    file, today = settings.published_file, settings.today
    if not file.exists():
        return
    since = today - timedelta(days=CATCH_UP_DAYS)
    try:
        with connect(file, read_only=True) as connection:
            changes = dated_changes(asking(connection), settings.importer, today, since=since)
    except duckdb.CatalogException:
        raise PublicationError(
            f"{file.name} is of an earlier version, without the calendar of clauses.",
            hint="Run kido build.",
        ) from None
    for change in changes:
        yield _problem(change, (change.day - today).days, link)


def _problem(change: Change, days_ahead: int, link: str) -> Problem:
    clauses = sorted(clause for clause, _ in change.subjects)
    who = f"{clauses[0]} changes" if len(clauses) == 1 else f"{len(clauses)} clauses change"
    on = day_in_words(str(change.day))
    if days_ahead > 0:
        when = f"in {counted(days_ahead, 'day')}, on {on}"
    else:
        when = "today" if days_ahead == 0 else f"on {on}, {counted(-days_ahead, 'day')} ago"
    return Problem(
        kind="restriction_clauses",
        subject=f"{change.day} {' '.join(clauses)}",
        title=f"{who} state {when}",
        since=str(change.day),
        lines=first_lines([change.sentence, *change.names]),
        link=link,
        level=1 if days_ahead > 0 else 2,
        has_end=False,
    )
