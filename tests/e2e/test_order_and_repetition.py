"""What the marts say depends on the rows of the lake, not on their order or on how often they came.

The lake of a warehouse, shuffled, and loaded a second time as if a user had landed every file again
under another name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from dagster_project.intake.stores import lake_of
from dagster_project.lake.build_file import work_file
from dagster_project.lake.relations import rows_of
from dagster_project.lake.schemas import LAKE_TABLES, LakeTable
from dagster_project.serving.wording.plugin import add_sentences
from dagster_project.settings import Settings
from tests.dbt_project import Project, make
from tests.nightly import is_night

BY_DAY = ("dependency.import_concentration", "exposure.measure_status", "market.performance")
"""Tables that are made by day, with all that they are made from; at night all are."""

MARTS = ("reference", "trade", "dependency", "exposure", "market", "catalog")
OF_THE_LOADING = ("snapshot_id", "snapshot_ids")
"""Columns that say which loading a row came from."""


@dataclass
class Warehouse:
    connection: duckdb.DuckDBPyConnection
    models: list[tuple[str, str]]

    def marts(self, seed: int, times: int) -> dict[str, pl.DataFrame]:
        """The marts on the lake in an order that `seed` gives, each row loaded `times` over."""
        for table in LAKE_TABLES:
            again = "".join(
                f" union all select * replace ('z{time}-' || snapshot_id as snapshot_id, "
                f"'again.csv' as document) from original.{table}"
                for time in range(1, times)
            )
            self.connection.execute(
                f"create or replace table lake.{table} as "
                f"with loaded as (select * from original.{table}{again}), "
                "numbered as (select *, row_number() over () as row_number from loaded) "
                f"select * exclude (row_number) from numbered order by hash(row_number + {seed})"
            )
        for name, sql in self.models:
            make(self.connection, name, sql)
        return {name: self._sorted(name) for name, _ in self.models if name.split(".")[0] in MARTS}

    def _sorted(self, name: str) -> pl.DataFrame:
        frame = self.connection.sql(f"from {name}").pl()
        kept = [column for column in frame.columns if column not in OF_THE_LOADING]
        exact = [column for column in kept if frame[column].dtype != pl.Float64]
        return frame.select(kept).sort(exact, nulls_last=True)


def load(home: Path, connection: duckdb.DuckDBPyConnection) -> None:
    """The lake of a home as tables of the schema `original`."""
    lake = lake_of(Settings.load(home=home))
    connection.execute("create schema original")
    for table in LAKE_TABLES.values():
        rows = rows_of(lake, table, lake.contents(table).files)
        connection.execute(f"create table original.{table.name} as from lake.{table.name}")
        connection.execute(f"insert into original.{table.name} by name {rows}")


@pytest.fixture(scope="module")
def warehouse(small: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    scratch = tmp_path_factory.mktemp("order")
    project = Project(scratch / "target")
    file = scratch / "kido.duckdb"
    project.create_inputs(file)
    assert set(project.invoke("seed", file).values()) == {"success"}
    connection = duckdb.connect(str(work_file(file)))
    add_sentences(connection)
    load(small, connection)
    models = project.compiled()
    if not is_night():
        wanted = made_from(project, BY_DAY)
        models = [(name, sql) for name, sql in models if name in wanted]
    for schema in {name.split(".")[0] for name, _ in models}:
        connection.execute(f"create schema if not exists {schema}")
    yield Warehouse(connection, models)
    connection.close()


def made_from(project: Project, names: Sequence[str]) -> set[str]:
    """These models and those that they read, directly or not."""
    named = {model["unique_id"]: f"{model['schema']}.{model['alias']}" for model in project.models}
    read_by = {model["unique_id"]: model["depends_on"]["nodes"] for model in project.models}
    wanted, left = set[str](), [each for each, name in named.items() if name in names]
    while left:
        model = left.pop()
        wanted.add(named[model])
        left += [each for each in read_by[model] if each in named and named[each] not in wanted]
    assert wanted >= set(names)
    return wanted


@pytest.fixture(scope="module")
def as_loaded(warehouse: Warehouse) -> dict[str, pl.DataFrame]:
    return warehouse.marts(seed=0, times=1)


def test_the_marts_hold_rows_to_compare(as_loaded: dict[str, pl.DataFrame]) -> None:
    filled = {name for name, frame in as_loaded.items() if frame.height}
    assert set(BY_DAY) | {"dependency.supplier_shares", "market.prices"} <= filled
    if is_night():
        assert {
            "trade.baci_flows", "dependency.production_shares", "reference.end_uses",
            "dependency.production_concentration", "catalog.claims",
        } <= filled  # fmt: skip


@settings(
    max_examples=4,
    phases=list(Phase) if is_night() else [Phase.explicit],
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(seed=st.integers(1, 10**9), times=st.integers(1, 3))
@example(seed=20261125, times=2)
def test_neither_the_order_of_rows_nor_loading_them_again_changes_a_mart(
    warehouse: Warehouse, as_loaded: dict[str, pl.DataFrame], seed: int, times: int
) -> None:
    found = warehouse.marts(seed, times)
    assert found.keys() == as_loaded.keys()
    for name, frame in found.items():
        assert frame.height == as_loaded[name].height, name
        assert_frame_equal(frame, as_loaded[name], rel_tol=1e-12, abs_tol=1e-12)


@pytest.fixture(scope="module")
def lake(
    built: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[duckdb.DuckDBPyConnection]:
    """The whole lake of the default warehouse."""
    file = tmp_path_factory.mktemp("lake") / "kido.duckdb"
    Project(file.parent / "target").create_inputs(file)
    with duckdb.connect(str(work_file(file))) as connection:
        load(built, connection)
        yield connection


@pytest.mark.parametrize("table", LAKE_TABLES.values(), ids=lambda table: table.name)
def test_every_snapshot_fits_the_slices_of_its_table(
    lake: duckdb.DuckDBPyConnection, table: LakeTable
) -> None:
    """A slice is in one snapshot, with one vintage; two equally new ones have the same content.

    Else rows of a slice would be lost to others of it, or to the order of landing.
    """
    slices, edition = ", ".join(table.vintage_slice), table.edition or "null"
    within = ", ".join(f"coalesce(cast({name} as varchar), '')" for name in table.key)
    torn = lake.execute(
        f"select {slices} from original.{table.name} group by {slices}, snapshot_id "
        f"having count(distinct (vintage_at, {edition})) > 1"
    ).fetchall()
    undecided = lake.execute(
        f"with held as (select {slices}, {edition} as its_edition, vintage_at, snapshot_id, "
        f"list_sort(list(concat_ws('|', {within}))) as keys from original.{table.name} "
        f"group by all) select {slices} from held group by {slices}, its_edition, vintage_at "
        "having count(distinct keys) > 1"
    ).fetchall()
    assert torn == []
    assert undecided == []
