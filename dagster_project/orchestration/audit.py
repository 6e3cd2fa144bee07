"""Checks the marts of a build with their suites: in this process, or in the helper process.

Rules and assets are defined elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from dagster_project.lake.build_file import connect
from dagster_project.lake.scope import CommodityScope, commodities_of
from dagster_project.orchestration import beside
from dagster_project.quality.results import CheckResult
from dagster_project.quality.runner import evaluate
from dagster_project.quality.suites import MART_SUITES

if TYPE_CHECKING:
    import polars as pl

    from dagster_project.orchestration.builds import Build
    from dagster_project.settings import Settings


@dataclass(frozen=True)
class Audit:
    """A check of the marts of a build file with their suites, as of a day, in a scope."""

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
                rows = connection.sql(f"from {name}")
                with commodities_of(self.scope):
                    found = evaluate(
                        rows.pl(lazy=True),
                        suite,
                        today=self.today,
                        distinct_rows=partial(_distinct_rows, rows),
                    )
                yield name, found

    def held(self) -> Iterator[tuple[str, list[CheckResult]]]:
        """The same, from the helper process if it was given this audit."""
        process = beside.at_hand()
        found = process.answer(self) if process else None
        yield from self.held_here() if found is None else found.items()


def _distinct_rows(rows: duckdb.DuckDBPyRelation, columns: Sequence[str]) -> pl.DataFrame:
    """Read from the dictionaries of the file: a tenth of the time for 22 million texts."""
    found: pl.DataFrame = rows.select(*map(duckdb.ColumnExpression, columns)).distinct().pl()
    return found


def audit_of(build: Build, settings: Settings) -> Audit:
    """The audit of the marts of a run's build."""
    return Audit(build.file, settings.today, settings.scope, settings.memory)
