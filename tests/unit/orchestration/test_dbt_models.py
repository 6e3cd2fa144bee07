"""The message of a failed test of the dbt project, in the line that a person reads first."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from dagster_project.orchestration.builds import Build
from dagster_project.orchestration.dbt_models import (
    _dbt_check,
    _failed_before,
    _Translator,
    offending_rows,
)
from dagster_project.orchestration.dbt_runner import NodeResult, load_manifest
from dagster_project.orchestration.private_rows import PrivateRows


@pytest.mark.parametrize(
    ("count", "sample", "output"),
    [
        (
            2,
            [{"instrument": "XYZ", "n": 1}, {"instrument": "ABC"}],
            "2 offending rows, first XYZ 1; ABC",
        ),
        (
            1,
            [{"n_records": 3, "unit": None, "economy_iso3": "ZZZ"}],
            "1 offending row, first 3 ZZZ",
        ),
        (3000, [{"year": 2024, "share": 14157552.0}], "3,000 offending rows, first 2024 14157552"),
        (3, [], "3 offending rows"),
    ],
)
def test_the_first_text_of_the_first_row_is_named(
    count: int, sample: Sequence[Mapping[str, object]], output: str
) -> None:
    assert offending_rows(count, sample) == output


def test_the_rows_that_fail_a_test_are_shown_with_the_check_of_their_table() -> None:
    manifest = load_manifest()
    tested = "model.kido.import_concentration"
    unique_id, name = min(
        (unique_id, node["name"])
        for unique_id, node in manifest["nodes"].items()
        if node["resource_type"] == "test" and node.get("attached_node") == tested
    )
    node = NodeResult(unique_id, name, "test", "fail", "", 1, 0.25, "select 1", "error")
    rows = [{"importer_iso3": "JPN", "year": 2024}]

    result, check = _dbt_check(
        manifest, _Translator(), node, rows, PrivateRows(frozenset(), frozenset(), [])
    )
    assert (result.table_name, result.status, result.severity) == (
        "dependency.import_concentration", "failed", "error",
    )  # fmt: skip
    assert check is not None
    assert not check.passed
    assert check.severity == dg.AssetCheckSeverity.ERROR
    assert check.metadata["failing_rows"].value == 1
    assert check.metadata["offending_rows"].value == (
        "| importer_iso3 | year |\n|---|---|\n| JPN | 2024 |"
    )


def test_checks_that_failed_are_asked_for_unless_the_last_run_was_that_of_the_last_build() -> None:
    """A run that came between may have failed a check that the last build knows nothing of."""
    asked: list[set[dg.AssetCheckKey]] = []
    last, fails = "no run", False

    @dg.asset(check_specs=[dg.AssetCheckSpec("rows", asset="mart")])
    def mart(context: dg.AssetExecutionContext) -> Iterator[Any]:
        asked.append(_failed_before(context, Build(Path("builds") / last)))
        yield dg.MaterializeResult()
        yield dg.AssetCheckResult(passed=False, severity=dg.AssetCheckSeverity.WARN)
        if fails:
            raise dg.Failure("The disk is full.")

    with dg.DagsterInstance.ephemeral() as instance:

        def run() -> str:
            return dg.materialize([mart], instance=instance, raise_on_error=False).run_id

        failed = dg.AssetCheckKey(mart.key, "rows")
        last = run()
        fails = True
        run()
        assert asked == [set(), set()]
        fails = False
        run()
        last = run()
        run()
        assert asked[2:] == [{failed}, {failed}, set()]
