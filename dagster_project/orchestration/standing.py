"""What the finders of problems look at, and problems found in the files: blocked, late, clauses.

Problems that Dagster's storage knows of are in `failed_runs` and `failed_checks`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

import dagster as dg

from dagster_project.alerts.problems import Links, Problem, Unexamined, first_lines
from dagster_project.errors import ConfigurationError
from dagster_project.intake.stores import lake_of, landing_of
from dagster_project.orchestration.builds import blocked_builds
from dagster_project.orchestration.keys import PUBLISHED, landing_key
from dagster_project.orchestration.lateness import (
    Lateness,
    lateness_by_frequency,
    longest_overdue,
)
from dagster_project.orchestration.lateness_checks import in_words
from dagster_project.settings import Settings
from dagster_project.sources.card import Source
from dagster_project.sources.registry import all_sources

LATE_LEVELS = (1, 7, 30)
"""Days late from which the first, second and third level of a late source count."""


@dataclass(frozen=True)
class Installation:
    """Where problems are looked for."""

    settings: Settings
    instance: dg.DagsterInstance
    repository: dg.RepositoryDefinition

    @property
    def links(self) -> Links:
        return Links(self.settings.ui_url)


def blocked_releases(installation: Installation) -> Iterator[Problem]:
    """The newest build that is blocked since readers would lose data.

    Builds that are blocked for the same losses, one a day, are one problem.
    """
    blocked = blocked_builds(installation.settings.build_dir)
    if not blocked:
        return
    newest = blocked[-1]
    losses = newest.blocked_for or ""
    kind_of_loss = _without_amounts(losses)
    same = [build for build in blocked if _without_amounts(build.blocked_for or "") == kind_of_loss]
    release = newest.release.release_id
    yield Problem(
        kind="blocked_releases",
        subject=sha256(kind_of_loss.encode()).hexdigest()[:16],
        title="A release is blocked, since readers would lose data",
        since=_minute_of(same[0].release.release_id),
        lines=(
            *first_lines(losses.splitlines()),
            f"To publish it anyway: kido accept {release}",
            "To undo the cause: kido withdraw SNAPSHOT (it is named above), then kido build",
        ),
        link=installation.links.asset(*PUBLISHED.path),
    )


_AMOUNTS = re.compile(
    r" \([^()]*\)\.|[\d,]+ of [\d,]+|from \S+( \S+)? to \S+( \S+)?|, and [\d,]+ more like it"
    r"|[\d,]+ totals? (?=of )"
)
"""What differs between two builds with the same losses: causes and amounts."""


def _without_amounts(losses: str) -> str:
    return _AMOUNTS.sub("", losses)


def _minute_of(release_id: str) -> str:
    """`20261125T000000-abc123` as `2026-11-25 00:00 UTC`."""
    return f"{release_id[:4]}-{release_id[4:6]}-{release_id[6:8]} " + (
        f"{release_id[9:11]}:{release_id[11:13]} UTC"
    )


def late_sources(installation: Installation) -> Iterator[Problem | Unexamined]:
    """The sources with a period that is late and can be fetched without a person.

    A source with an invalid setting cannot be examined; its run fails for that reason.
    """
    lake, landing = lake_of(installation.settings), landing_of(installation.settings)
    for name, source in all_sources().items():
        try:
            late = longest_overdue(
                lateness_by_frequency(installation.settings, source, lake, landing)
            )
        except ConfigurationError:
            yield Unexamined("late_sources", name)
            continue
        if late is not None and late.days_late and late.missing is not None:
            yield _late(name, source, late, str(late.missing.due_on), installation.links)


def _late(name: str, source: Source, late: Lateness, since: str, links: Links) -> Problem:
    return Problem(
        kind="late_sources",
        subject=name,
        title=f"{name} is late",
        since=since,
        lines=(f"{source.CARD.title}: {in_words(late)}",),
        link=links.asset(*landing_key(name).path),
        level=sum(late.days_late >= days for days in LATE_LEVELS),
    )
