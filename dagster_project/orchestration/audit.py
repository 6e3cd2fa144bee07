"""Holds the marts of a build against their suites: in this process, or in the one beside.

No rule and no asset is known here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from dagster_project.lake.build_file import connect
from dagster_project.lake.scope import CommodityScope, commodities_of
from dagster_project.orchestration import beside
from dagster_project.quality.mart_suites import MART_SUITES
from dagster_project.quality.results import CheckResult
from dagster_project.quality.runner import evaluate

if TYPE_CHECKING:
    from dagster_project.orchestration.builds import Build
    from dagster_project.settings import Settings


@dataclass(frozen=True)
class Audit:
    """What is held against the suites: the marts of a build file, as of a day, in a scope."""

    file: Path
    today: date
    scope: CommodityScope
    memory: int

    def done_here(self) -> dict[str, list[CheckResult]]:
        """All results, by mart."""
        return dict(self.held_here())

    def held_here(self) -> Iterator[tuple[str, list[CheckResult]]]:
        """The results of each mart, by name, in the order of the suites."""
        with connect(self.file, read_only=True, memory=self.memory) as connection:
            for name, suite in MART_SUITES.items():
                rows = connection.sql(f"from {name}").pl(lazy=True)
                with commodities_of(self.scope):
                    found = evaluate(rows, suite, today=self.today)
                yield name, found

    def held(self) -> Iterator[tuple[str, list[CheckResult]]]:
        """The same, from the process beside where it was asked for this very audit."""
        process = beside.at_hand()
        found = process.answer(self) if process else None
        yield from self.held_here() if found is None else found.items()


def audit_of(build: Build, settings: Settings) -> Audit:
    """The audit of the marts of a run's build."""
    return Audit(build.file, settings.today, settings.scope, settings.memory)
