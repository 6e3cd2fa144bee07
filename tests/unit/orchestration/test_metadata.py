"""How the findings of a suite are worded, over all the batches of a table."""

from typing import Any

import dagster as dg
import polars as pl
import pytest

from dagster_project.orchestration.metadata import (
    in_years,
    latest_period_metadata,
    markdown_table,
    suite_check_result,
    suite_check_spec,
)
from dagster_project.quality import shared_rules
from dagster_project.quality.results import CheckResult, from_json, to_json
from dagster_project.quality.rules import Suite, quarantine, report
from dagster_project.quality.runner import evaluate

TABLE = dg.AssetKey(["lake", "flows"])
UNIT_VALUES = Suite("lake", "flows", (shared_rules.has_a_plausible_unit_value("usd", "kg"),))


def batch(*usd_of_a_kilogram: float) -> list[CheckResult]:
    """The results of a batch of flows of a kilogram each."""
    usd = pl.Series("usd", usd_of_a_kilogram, pl.Float64, strict=False)
    frame = usd.to_frame().with_columns(kg=pl.lit(1.0))
    return evaluate(frame, UNIT_VALUES)


def observed(suite: Suite, results: list[CheckResult]) -> str:
    return str(suite_check_result(suite, TABLE, results).metadata["observed"].value)


def test_findings_of_several_snapshots_are_one_with_sums_unit_and_limits() -> None:
    results = [*batch(3, 0.000446123, 40), *batch(7, 8), *batch(5547816.178571428, 0.0004, 9, 9)]
    assert observed(UNIT_VALUES, results) == (
        "unit_value_is_plausible: 3 of 9 rows, such as 0.0004 and 5,547,816 USD per kg "
        "(usual: 0.001 to 1,000,000)"
    )


def test_a_single_unusual_value_is_named_once() -> None:
    assert observed(UNIT_VALUES, batch(1, 0, 0)) == (
        "unit_value_is_plausible: 2 of 3 rows, such as 0 USD per kg (usual: 0.001 to 1,000,000)"
    )


def test_findings_are_the_same_from_the_record_of_a_lake() -> None:
    results = batch(3, 0.0004)
    assert observed(UNIT_VALUES, from_json(to_json(results))) == observed(UNIT_VALUES, results)


def test_a_record_of_an_earlier_version_has_no_values_and_is_unchanged() -> None:
    records = to_json(batch(3, 0.0004))
    for record in records:
        del record["rows"], record["values"]
    assert observed(UNIT_VALUES, from_json(records)) == (
        "unit_value_is_plausible: 1 of 2 rows, first 0.0004"
    )


def test_rows_that_are_left_out_are_said_to_be_quarantined() -> None:
    is_known = quarantine(
        "code_is_known", "A misprint.", "ExpectColumnValuesToBeInSet", column="code",
        value_set=("a",),
    )  # fmt: skip
    suite = Suite("lake", "flows", (is_known,))
    results = evaluate(pl.DataFrame({"code": ["a", "x"]}), suite)
    assert observed(suite, results) == "code_is_known: 1 of 2 rows quarantined, first x"


def test_texts_have_no_unit_and_no_limits() -> None:
    known = report(
        "code_is_known", "A misprint.", "ExpectColumnValuesToBeInSet", column="code",
        value_set=("a",),
    )  # fmt: skip
    suite = Suite("lake", "flows", (known,))
    results = [
        found
        for codes in (["a", "x"], ["y", "x", "a"])
        for found in evaluate(pl.DataFrame({"code": codes}), suite)
    ]
    assert observed(suite, results) == "code_is_known: 3 of 5 rows, first x; y"


def test_quarantined_rows_are_red_in_the_graph_and_stop_nothing() -> None:
    """An unusual value that is only reported is a warning; the spec of the lake never blocks."""
    words: dict[str, Any] = {
        "column": "code", "value_set": ("a",),
    }  # fmt: skip
    rules = {
        kind: kind("code_is_known", "A misprint.", "ExpectColumnValuesToBeInSet", **words)
        for kind in (quarantine, report)
    }
    rows = pl.DataFrame({"code": ["a", "x", "a", "a"]})
    severities = {}
    for kind, rule in rules.items():
        suite = Suite("lake", "flows", (rule,))
        check = suite_check_result(suite, TABLE, evaluate(rows, suite), seconds=1.25)
        severities[kind] = check.severity
        plain = {name: value.value for name, value in check.metadata.items()}
        assert (plain["failing_rows"], plain["share_of_failing_rows"]) == (1, 0.25)
        assert plain["seconds"] == 1.25
        assert not suite_check_spec(suite, TABLE).blocking
    assert severities == {
        quarantine: dg.AssetCheckSeverity.ERROR,
        report: dg.AssetCheckSeverity.WARN,
    }


@pytest.mark.parametrize(
    ("share", "severity"),
    [(0.001, dg.AssetCheckSeverity.WARN), (0.0011, dg.AssetCheckSeverity.ERROR)],
)
def test_more_of_a_source_than_one_row_in_a_thousand_is_an_error(
    share: float, severity: dg.AssetCheckSeverity
) -> None:
    rule = quarantine("code_is_known", "A misprint.", "ExpectColumnValuesToBeInSet",
                      column="code", value_set=("a",))  # fmt: skip
    suite = Suite("lake", "flows", (rule,))
    results = evaluate(pl.DataFrame({"code": ["a", "x"]}), suite)
    check = suite_check_result(suite, TABLE, results, share_quarantined=share)
    assert (check.passed, check.severity) == (False, severity)
    rejected = suite_check_result(suite, TABLE, results, share_quarantined=share, is_rejected=True)
    assert rejected.severity == dg.AssetCheckSeverity.ERROR
    plain = {name: value.value for name, value in check.metadata.items()}
    assert plain["share_of_quarantined_rows"] == share
    assert plain["largest_share_of_quarantined_rows"] == 0.001


def test_a_period_is_a_number_of_years_that_can_be_plotted() -> None:
    assert in_years("2025") == 2025
    assert in_years("2026-07-01") == 2026.5
    assert in_years("2026-12-31 00:00:00") < 2027
    days = ["2026-01-31", "2026-02-01", "2026-02-28", "2026-03-01"]
    assert sorted(days, key=in_years) == days
    assert latest_period_metadata("") == {}


def test_a_table_of_many_rows_shows_the_first_and_counts_the_others() -> None:
    rows = [
        {"year": 2020, "close": None},
        {"year": 2021, "close": -1.5},
        {"year": 2022, "close": 2},
    ]
    first = "| year | close |\n|---|---|\n| 2020 |  |"
    assert markdown_table(rows, 1) == f"{first}\n\n… and 2 more"
    assert markdown_table(rows[:1], 1) == first
    assert markdown_table([]) == "no rows"
