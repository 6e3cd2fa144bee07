"""The unit tests of the dbt project, in parts: all workers take some."""

from __future__ import annotations

from pathlib import Path
from zlib import crc32

import pytest

from tests.dbt_project import Project, copy_of_build

PARTS = 4


@pytest.mark.parametrize("part", range(PARTS))
def test_what_the_models_are_given_leads_to_what_is_expected(
    part: int, project: Project, empty_build: Path, tmp_path: Path
) -> None:
    names = {
        test["name"]: test["model"]
        for test in project.unit_tests
        if crc32(test["model"].encode()) % PARTS == part
    }
    outcome = project.invoke(
        "test", copy_of_build(empty_build, tmp_path), "--resource-type", "unit_test",
        "--select", *sorted(set(names.values())),
    )  # fmt: skip
    assert set(outcome) == set(names)
    assert {name: status for name, status in outcome.items() if status != "pass"} == {}
