"""dbt in a process of its own: its nodes as they end, its outcome, and how it is ended."""

import os
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import pytest

from dagster_project.errors import KidoError
from dagster_project.lake.build_file import connect, work_file
from dagster_project.orchestration import dbt_runner
from dagster_project.orchestration.processes import is_alive, name_of
from dagster_project.settings import DBT_PROJECT

DAY = date(2026, 12, 1)


def seeds_build(folder: Path) -> dbt_runner.DbtBuild:
    """A build of the project's seeds, which read nothing."""
    variables = dbt_runner.variables_of_models(DAY, reconciled_shares=True)
    return dbt_runner.DbtBuild(
        dbt_runner.dbt_resource(), folder / "kido.duckdb", variables,
        target=folder / "dbt", memory=2**30, select=["resource_type:seed"],
        exclude=["resource_type:test", "resource_type:unit_test"],
    )  # fmt: skip


def test_seeds_are_told_as_they_end(tmp_path: Path) -> None:
    seeds = {file.stem for file in (DBT_PROJECT / "seeds").rglob("*.csv")}
    started: list[tuple[int, int]] = []
    build = seeds_build(tmp_path)
    ended = list(build.stream(lambda number, total: started.append((number, total))))
    assert {node.unique_id.split(".")[-1] for node in ended} == seeds
    assert all(node.content for node in ended)
    assert {total for _, total in started} == {len(seeds)}
    results = build.results()
    assert {(node.name, node.status) for node in results} == {(name, "success") for name in seeds}
    with connect(work_file(tmp_path / "kido.duckdb"), read_only=True) as connection:
        tables = connection.execute(
            "select table_name from duckdb_tables() where schema_name = 'seeds'"
        ).fetchall()
    assert {name for (name,) in tables} == seeds
    assert not [name for name in os.environ if name.startswith("DBT_")]


def test_what_dbt_says_when_it_cannot_run(tmp_path: Path) -> None:
    (tmp_path / "kido.duckdb").write_text("no database", "utf8")
    build = seeds_build(tmp_path)
    assert list(build.stream()) == []
    with pytest.raises(KidoError, match=r"dbt could not run: .*not a valid DuckDB database file"):
        build.results()


def test_an_interrupted_build_leaves_no_dbt(tmp_path: Path) -> None:
    """Dagster raises its interruption wherever the step is, here as it takes in a node."""
    build = seeds_build(tmp_path)
    nodes = build.stream()
    next(nodes)
    nodes.close()  # as an exception at the place of a `yield` does
    assert build.process.poll() is not None


PARENT = """
import sys, time
from pathlib import Path
from tests.unit.orchestration.test_dbt_runner import seeds_build
build = seeds_build(Path(sys.argv[1]))
for _ in build.stream():
    print("dbt:", build.process.pid, flush=True)
    time.sleep(600)
"""


def test_dbt_ends_with_a_killed_parent(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path)],
        cwd=DBT_PROJECT.parent, stdout=subprocess.PIPE, text=True,
    ) as parent:  # fmt: skip
        assert parent.stdout is not None
        said = next(line for line in parent.stdout if line.startswith("dbt: "))
        dbt = name_of(int(said.removeprefix("dbt: ")))
        assert dbt is not None
        assert is_alive(dbt)
        parent.kill()
    waited_until = time.monotonic() + 60
    while is_alive(dbt) and time.monotonic() < waited_until:
        time.sleep(0.2)
    assert not is_alive(dbt)
