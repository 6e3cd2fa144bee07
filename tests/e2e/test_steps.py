"""Tests of the steps between the lake and what is published: no build of a user runs them."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.dbt_project import Project
from tests.e2e.conftest import AS_OF


def test_keys_and_identities_of_steps_hold_on_the_bundled_figures(
    built: Path, tmp_path: Path
) -> None:
    [build] = [path for path in (built / "build").iterdir() if path.is_dir()]
    for file in build.glob("kido*.duckdb"):
        shutil.copy(file, tmp_path)
    project = Project(tmp_path / "target")
    outcome = project.invoke(
        "test", tmp_path / "kido.duckdb", "--select", "tag:step", "--exclude",
        "resource_type:unit_test", as_of=AS_OF,
    )  # fmt: skip
    steps = {test["name"] for test in project.data_tests if "step" in test["tags"]}
    assert len(steps) > 60
    assert set(outcome) == steps
    assert {name: status for name, status in outcome.items() if status != "pass"} == {}


def test_no_build_runs_them_and_every_build_tests_published_keys(built: Path) -> None:
    project = Project(built / "unused")
    steps = {test["name"] for test in project.data_tests if "step" in test["tags"]}
    keys = {
        test["name"]
        for test in project.data_tests
        if (test.get("test_metadata") or {}).get("name") == "one_row_per"
    }
    [checks] = (built / "build").glob("*/checks-dbt.json")
    ran = checks.read_text("utf8")
    assert {name for name in steps if f'"{name}"' in ran} == set()
    assert {name for name in keys - steps if f'"{name}"' not in ran} == set()
