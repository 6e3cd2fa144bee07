"""The dbt project as tests run it: parsed ahead of time as for a build, on a file of their own."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pytest

from dagster_project.lake.build_file import work_file
from dagster_project.lake.relations import slices_of
from dagster_project.lake.schemas import LAKE_TABLES
from dagster_project.orchestration import dbt_runner
from dagster_project.settings import DBT_PROJECT

ANY_DAY = "1234-05-06"
"""Stands for the day of a build where the models are compiled once for builds of all days."""

SWITCH = "reconciled_flows_feed_shares"
"""Stands for the setting of that meaning, for the same reason."""

QUIET = ("--quiet", "--log-level", "none", "--log-level-file", "none", "--no-use-colors")


def make(connection: duckdb.DuckDBPyConnection, name: str, code: str) -> None:
    """A compiled model as a table; those in Python are run as the adapter does."""
    if "def model(dbt, session)" not in code:
        connection.execute(f"create or replace table {name} as {code}")
        return
    module: dict[str, Any] = {}
    exec(code, module)
    made = module["model"](
        module["dbtObj"](lambda relation: connection.sql(f"from {relation}")), connection
    )
    connection.register("made", made)
    connection.execute(f"create or replace table {name} as from made")
    connection.unregister("made")


def _in_one_file(code: str) -> str:
    return code.replace('"work".', '"kido".').replace('\\"work\\".', '\\"kido\\".')


Outcome = Mapping[str, str]
"""Status by name of what dbt did."""


class Project:
    """The project as it is parsed for a build; runs dbt on a file of its own."""

    def __init__(self, target: Path) -> None:
        self.target = target
        self.manifest: Mapping[str, Any] = dbt_runner.load_manifest()
        self.nodes = list(self.manifest["nodes"].values())
        self.models = [node for node in self.nodes if node["resource_type"] == "model"]
        self.seeds = [node for node in self.nodes if node["resource_type"] == "seed"]
        self.data_tests = [node for node in self.nodes if node["resource_type"] == "test"]
        self.unit_tests = list(self.manifest["unit_tests"].values())
        self.sources = [
            source
            for source in self.manifest["sources"].values()
            if source["source_name"] in ("lake", "runtime")
        ]

    def marts(self) -> dict[str, Mapping[str, Any]]:
        return {
            f"{model['schema']}.{model['alias']}": model
            for model in self.models
            if model["fqn"][1] == "marts"
        }

    def invoke(
        self, command: str, build_file: Path, *options: str, as_of: str = "2026-11-25"
    ) -> Outcome:
        result = run_dbt(
            command, *options, target=self.target, DBT_BUILD_FILE=str(build_file), DBT_AS_OF=as_of
        )
        return {
            entry.node.name: str(getattr(entry.status, "value", entry.status))
            for entry in result.results
        }

    def compiled(
        self, as_of: str = "2026-11-25", *, reconciled_shares: bool = True
    ) -> list[tuple[str, str]]:
        """Every model as (schema.name, code) for a build of that day, parents first, for `make`.

        In one file, named `kido`, that holds what the marts are made from, and the marts.
        """
        # The day of a build is in the code only as it was given (`as_of_day`, `as_of_end`).
        switch = str(reconciled_shares).lower()
        return [
            (name, code.replace(ANY_DAY, as_of).replace(SWITCH, switch))
            for name, code in _compiled()
        ]

    def create_inputs(self, build_file: Path) -> None:
        """`lake.*` and `runtime.*` as the project declares them, without rows."""
        with duckdb.connect(str(work_file(build_file))) as connection:
            for source in self.sources:
                columns = ", ".join(
                    f"{name} {column['data_type']}" for name, column in source["columns"].items()
                )
                connection.execute(f"create schema if not exists {source['schema']}")
                connection.execute(
                    f"create table {source['schema']}.{source['identifier']} ({columns})"
                )
                if source["schema"] == "lake":
                    name = source["identifier"]
                    slices = slices_of(LAKE_TABLES[name], f"lake.{name}")
                    connection.execute(f"create view lake.{name}_slices as {slices}")


def copy_of_build(build_file: Path, folder: Path) -> Path:
    """A copy of both files of a build: a file is open in one process at a time."""
    folder.mkdir(exist_ok=True)
    for file in (build_file, work_file(build_file)):
        shutil.copyfile(file, folder / file.name)
    return folder / build_file.name


def run_dbt(command: str, *options: str, target: Path, **environment: str) -> Any:
    """What dbt returns of a command in this process, in which the project is parsed once.

    A process for each, as a build has it, would take ten seconds more.
    """
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    DuckDBConnectionManager.close_all_connections()  # of another command, on other files
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        result = dbtRunner(manifest=_parsed_project()).invoke(
            [command, *_paths(target), *QUIET, "--no-write-json", *options]
        )
        DuckDBConnectionManager.close_all_connections()
    assert result.result is not None, result.exception
    return result.result


@cache
def _parsed_project() -> Any:
    from dbt.cli.main import dbtRunner

    dbt_runner.prepare()
    with TemporaryDirectory() as target:
        shutil.copy(dbt_runner.TARGET / "partial_parse.msgpack", target)
        return dbtRunner().invoke(["parse", *_paths(Path(target)), *QUIET]).result


def _paths(target: Path) -> tuple[str, ...]:
    return (
        "--project-dir", str(DBT_PROJECT), "--profiles-dir", str(DBT_PROJECT),
        "--target-path", str(target),
    )  # fmt: skip


@cache
def _compiled() -> list[tuple[str, str]]:
    with TemporaryDirectory() as target:
        compiled = run_dbt(
            "compile", "--no-introspect", "--select", "resource_type:model",
            "--indirect-selection", "empty",
            target=Path(target), DBT_AS_OF=ANY_DAY, DBT_RECONCILED_SHARES=SWITCH,
        )  # fmt: skip
    models = {entry.node.unique_id: entry.node for entry in compiled.results}
    parents = {
        name: {parent for parent in node.depends_on.nodes if parent in models}
        for name, node in models.items()
    }
    return [
        (f"{models[name].schema}.{models[name].alias}", _in_one_file(models[name].compiled_code))
        for name in TopologicalSorter(parents).static_order()
    ]
