"""Keeps rows of private sources out of what the UI and the pages on checks show.

They stay in the lake and in the published file, which are the owner's. What may be passed on is
decided in `serving/export.py`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import duckdb
import polars as pl

from dagster_project.intake.stores import landing_of
from dagster_project.orchestration.lineage import sources_behind
from dagster_project.quality.results import CheckResult, without_values
from dagster_project.serving.dictionary import has_table
from dagster_project.serving.passing_on import rows_of_sources
from dagster_project.settings import Settings
from dagster_project.sources.registry import all_sources


@dataclass(frozen=True)
class PrivateRows:
    """The private sources of which something is landed, their snapshots, and the tables
    (`schema.table`) that may have rows of them.
    """

    sources: frozenset[str]
    snapshots: frozenset[str]
    tables: Collection[str]

    def hide(self, results: Iterable[CheckResult]) -> list[CheckResult]:
        """The results of checks of marts, without values where one may be of a private row."""
        return [
            without_values(result)
            if result.table_name in self.tables and self._may_be_in(result.sample)
            else result
            for result in results
        ]

    def _may_be_in(self, sample: pl.DataFrame | None) -> bool:
        if sample is None:
            return True
        rows = []
        if "snapshot_ids" in sample.columns and sample.schema["snapshot_ids"] == pl.List(pl.String):
            snapshots = pl.lit(sorted(self.snapshots), dtype=pl.List(pl.String))
            rows.append(pl.col("snapshot_ids").list.set_intersection(snapshots).list.len() > 0)
        if "snapshot_id" in sample.columns:
            rows.append(pl.col("snapshot_id").is_in(list(self.snapshots)))
        return not rows or bool(sample.select(pl.any_horizontal(*rows).any()).item())


def private_rows(settings: Settings, manifest: Mapping[str, Any]) -> PrivateRows:
    """What is private in this home, and in which tables of the dbt project it may be."""
    landing = landing_of(settings)
    snapshots = {name: landing.snapshots(name) for name in private_sources()}
    landed = frozenset(name for name, of_source in snapshots.items() if of_source)
    behind = sources_behind(manifest) if landed else {}
    return PrivateRows(
        landed,
        frozenset(each.snapshot_id for of_source in snapshots.values() for each in of_source),
        [table for table, sources in behind.items() if sources & landed],
    )


def private_sources() -> set[str]:
    """The names of the private sources, also of those that have no rows."""
    return {name for name, source in all_sources().items() if source.CARD.is_private}


def select_shown(connection: duckdb.DuckDBPyConnection, table: str) -> str:
    """The query for the rows of a table of a build file that may be shown."""
    if not has_table(connection, "catalog", "snapshots"):
        return f"from {table}"
    hidden = rows_of_sources(connection, table, private_sources())
    return f"from {table} where not ({hidden})" if hidden else f"from {table}"
