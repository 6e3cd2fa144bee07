"""The unit tests of the dbt project."""

from __future__ import annotations

from pathlib import Path

from tests.dbt_project import Project, copy_of_build


def test_what_the_models_are_given_leads_to_what_is_expected(
    project: Project, empty_build: Path, tmp_path: Path
) -> None:
    outcome = project.invoke(
        "test", copy_of_build(empty_build, tmp_path), "--resource-type", "unit_test"
    )
    assert set(outcome) == {test["name"] for test in project.unit_tests}
    assert {name: status for name, status in outcome.items() if status != "pass"} == {}
