"""The dbt project, built once for all workers before any source has landed anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import made_once
from tests.dbt_project import Project


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return Project(tmp_path_factory.mktemp("target"))


@pytest.fixture(scope="session")
def empty_build(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every model and list on an empty lake. Not to be changed by a test."""

    def make(folder: Path) -> None:
        build_file = folder / "kido.duckdb"
        project.create_inputs(build_file)
        no_tests = ("--exclude-resource-types", "test", "unit_test")
        outcome = project.invoke("build", build_file, *no_tests)
        assert {name: status for name, status in outcome.items() if status != "success"} == {}

    return made_once(tmp_path_factory, "empty_build", make) / "kido.duckdb"
