"""The marts on the lake of a home, computed without Dagster: what a build would publish."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import polars as pl

from dagster_project.intake.stores import lake_of, landing_of
from dagster_project.lake.build_file import prepare, work_file
from dagster_project.lake.copies import left_out_on
from dagster_project.orchestration.facts import facts
from dagster_project.orchestration.transform import TARGET
from dagster_project.serving.dictionary import described_tables
from dagster_project.settings import Settings
from dagster_project.sources.card import Source
from dagster_project.sources.registry import all_sources
from tests.dbt_project import Project, make, refers_to

OF_THE_LOADING = ("snapshot_id", "snapshot_ids", "vintage_at", "asked_at")
"""Columns on when and how a row was received, not on its content."""

OF_TRADE = (
    "trade.reported_flows", "dependency.supplier_shares", "dependency.import_concentration",
    "catalog.coverage",
)  # fmt: skip


class Marts:
    """Compiled models on a file with the seeds; `of` computes them for a home.

    Built as of a day; by default one ahead of the clock, so that what a test asks for now counts,
    also around midnight.
    """

    def __init__(self, scratch: Path, day: date | None = None) -> None:
        self._scratch = scratch
        project = Project(scratch / "target")
        build_file = scratch / "template" / "kido.duckdb"
        build_file.parent.mkdir()
        project.create_inputs(build_file)
        assert set(project.invoke("seed", build_file).values()) == {"success"}
        self._template = work_file(build_file)
        self._day = day or datetime.now(UTC).date() + timedelta(days=1)
        self._models = project.compiled(self._day.isoformat())
        self._manifest = json.loads((TARGET / "manifest.json").read_text("utf8"))
        self._number = 0
        with duckdb.connect(str(self._template)) as connection:
            connection.execute("drop schema lake cascade")
            connection.execute("drop schema runtime cascade")

    @property
    def names(self) -> list[str]:
        """Every model, those of staging too."""
        return [name for name, _ in self._models]

    def of(
        self,
        settings: Settings,
        source: Source,
        names: tuple[str, ...] = OF_TRADE,
        *,
        keep_snapshots: bool = False,
    ) -> Mapping[str, pl.DataFrame]:
        """Marts by name, sorted, without the columns OF_THE_LOADING unless they are kept."""
        self._number += 1
        file = self._scratch / str(self._number) / "kido.duckdb"
        file.parent.mkdir()
        shutil.copyfile(self._template, work_file(file))
        lake = lake_of(settings)
        left_out = left_out_on(self._day, landing_of(settings), lake, all_sources())
        of_run = facts(settings, [source], [], [], described_tables(self._manifest))
        prepare(file, lake, of_run, left_out=left_out)
        with duckdb.connect(str(work_file(file))) as connection:
            for schema in {name.split(".")[0] for name, _ in self._models}:
                connection.execute(f"create schema if not exists {schema}")
            for name, sql in self._needed_by(names):
                make(connection, name, sql)
            found = {name: connection.sql(f"from {name}").pl() for name in names}
        work_file(file).unlink()
        return {
            name: frame.drop(() if keep_snapshots else OF_THE_LOADING, strict=False).sort(
                pl.all(), nulls_last=True
            )
            for name, frame in found.items()
        }

    def _needed_by(self, names: tuple[str, ...]) -> list[tuple[str, str]]:
        """The models of some names and what they are made from, parents first."""
        quoted = {name: '"{}"."{}"'.format(*name.split(".")) for name in self.names}
        wanted = set(names)
        needed = []
        for name, sql in reversed(self._models):
            if name in wanted:
                needed.append((name, sql))
                wanted |= {other for other in quoted if refers_to(sql, quoted[other])}
        return needed[::-1]
