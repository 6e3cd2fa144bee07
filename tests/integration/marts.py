"""Marts on the lake of a home, made by dbt as in a build, without Dagster and without checks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl

from dagster_project.intake.stores import lake_of, landing_of
from dagster_project.lake.build_file import connect, prepare, work_file
from dagster_project.lake.copies import left_out_on
from dagster_project.orchestration import dbt_runner
from dagster_project.orchestration.runtime_tables import runtime_tables
from dagster_project.serving.dictionary import described_tables
from dagster_project.serving.wording.plugin import add_sentences
from dagster_project.settings import Settings
from dagster_project.sources.card import Source
from dagster_project.sources.registry import all_sources
from tests.dbt_project import copy_of_build, run_dbt

OF_THE_LOADING = ("snapshot_id", "snapshot_ids", "vintage_at", "asked_at")
"""Columns on when and how a row was received, not on its content."""

OF_TRADE = (
    "trade.reported_flows", "dependency.supplier_shares", "dependency.import_concentration",
    "catalog.coverage",
)  # fmt: skip

WITHOUT_TESTS = (*dbt_runner.NOT_OF_BUILDS, "resource_type:test")

Marts = Callable[..., Mapping[str, pl.DataFrame]]
"""`marts_of` with a `base`."""


def tomorrow() -> date:
    """A day ahead of the clock: what a test asks for now counts, also around midnight."""
    return datetime.now(UTC).date() + timedelta(days=1)


def marts_of(
    settings: Settings,
    source: Source,
    names: Sequence[str] = OF_TRADE,
    *,
    others: Sequence[Source] = (),
    day: date,
    base: Path | None = None,
    reconciled_shares: bool = True,
    keep_snapshots: bool = False,
) -> dict[str, pl.DataFrame]:
    """Marts by name, sorted, without the columns OF_THE_LOADING unless they are kept.

    The build knows snapshots and requests of `source` and of the `others`.
    `base` is a build of the same day without rows (`build_without_rows`): lists and views are
    taken from it.
    """
    with TemporaryDirectory() as folder:
        build_file = Path(folder) / "kido.duckdb"
        if base:
            copy_of_build(base, build_file.parent)
        _prepare(build_file, settings, [source, *others], day)
        selected = [f"+{models()[name]['name']}" for name in names]
        if base:
            selected = [f"{name},config.materialized:table" for name in selected]
        _run(build_file, settings, day, selected, reconciled_shares)
        with connect(build_file, read_only=True) as connection:
            connection.execute(f"attach '{work_file(build_file)}' as work (read_only)")
            add_sentences(connection)
            frames = {
                name: connection.sql(f"from {models()[name]['relation_name']}").pl()
                for name in names
            }
    left_out = () if keep_snapshots else OF_THE_LOADING
    return {
        name: frame.drop(left_out, strict=False).sort(pl.all(), nulls_last=True)
        for name, frame in frames.items()
    }


@cache
def _manifest() -> Mapping[str, Any]:
    return dbt_runner.load_manifest()


@cache
def models() -> Mapping[str, Mapping[str, Any]]:
    """The models of the project by the names of what they make, staging among them."""
    return {
        f"{node['schema']}.{node['alias']}": node
        for node in _manifest()["nodes"].values()
        if node["resource_type"] == "model"
    }


def build_without_rows(folder: Path, day: date) -> None:
    """Every list and model in the file `kido.duckdb`, on the lake of an empty home."""
    settings = Settings.load(home=folder / "home")
    build_file = folder / "kido.duckdb"
    _prepare(build_file, settings, list(all_sources().values()), day)
    _run(build_file, settings, day, ["resource_type:seed", "resource_type:model"], True)


def _prepare(build_file: Path, settings: Settings, sources: Sequence[Source], day: date) -> None:
    lake = lake_of(settings)
    facts = runtime_tables(settings, sources, described_tables(_manifest()))
    left_out = left_out_on(day, landing_of(settings), lake, all_sources())
    prepare(build_file, lake, facts, left_out=left_out)


def _run(
    build_file: Path, settings: Settings, day: date, select: Sequence[str], reconciled_shares: bool
) -> None:
    outcome = run_dbt(
        "build", "--full-refresh", "--exclude", *WITHOUT_TESTS, "--select", *select,
        target=build_file.parent / "dbt", DBT_BUILD_FILE=str(build_file),
        DBT_MEMORY_LIMIT=str(settings.memory),
        **dbt_runner.variables_of_models(day, reconciled_shares),
    )  # fmt: skip
    assert [entry for entry in outcome.results if entry.status != "success"] == []
