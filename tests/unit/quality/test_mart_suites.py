"""Every rule of every mart suite, evaluated on a row that a wrong model could have made."""

import re
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import polars as pl
import pytest
import yaml

from dagster_project.quality.mart_suites import Expectation, mart_suites, suites_of
from dagster_project.quality.rules import Rule, Suite
from dagster_project.quality.runner import evaluate
from tests import contract
from tests.unit.quality.seeded import TODAY, Row, ask, cases, changed

EVERY_RULE = [(suite, rule) for suite in mart_suites().values() for rule in suite.rules]


def frame_of(table: str, rows: Sequence[Row]) -> pl.DataFrame:
    """The rows with the types of the good ones."""
    good, _ = cases(mart_suites()[table])
    typed = pl.DataFrame([dict(row) for row in good], infer_schema_length=None)
    return pl.DataFrame([dict(row) for row in rows], schema=typed.schema)


def test_every_mart_of_the_contract_has_a_suite() -> None:
    assert set(mart_suites()) == set(contract.published())


@pytest.mark.parametrize("suite", mart_suites().values(), ids=lambda suite: suite.table)
def test_every_rule_looks_at_columns_of_the_contract(suite: Suite) -> None:
    promised = set(contract.published()[suite.table])
    assert {name for rule in suite.rules for name in rule.columns} <= promised


@pytest.mark.parametrize("suite", mart_suites().values(), ids=lambda suite: suite.table)
def test_rows_of_a_right_model_pass_every_rule(suite: Suite) -> None:
    results = evaluate(frame_of(suite.table, cases(suite)[0]), suite, today=TODAY)
    assert [(r.check_name, r.observed) for r in results if r.status != "passed"] == []


@pytest.mark.parametrize("suite", mart_suites().values(), ids=lambda suite: suite.table)
def test_a_defect_is_seeded_for_each_rule_and_for_no_other(suite: Suite) -> None:
    """A rule that is left out of its suite leaves its defect behind."""
    assert {rule.name for rule in suite.rules} == set(cases(suite)[1])


@pytest.mark.parametrize(
    ("suite", "rule"), EVERY_RULE, ids=[f"{suite.table}.{rule.name}" for suite, rule in EVERY_RULE]
)
def test_every_rule_catches_the_defect_it_is_for(suite: Suite, rule: Rule) -> None:
    good, defects = cases(suite)
    defect, offending = defects[rule.name]
    result = ask(suite, rule, frame_of(suite.table, changed(good, defect)))
    assert (result.status, result.failing_rows) == ("failed", offending), result.observed


NEVER_EMPTY = {
    "catalog.answers", "catalog.columns", "catalog.lineage", "catalog.releases", "catalog.sources",
    "catalog.tables",
    "reference.code_concordance", "reference.commodities", "reference.commodity_minerals",
    "reference.economies",
    "reference.economy_codes", "reference.instruments", "reference.mineral_group_codes",
    "reference.mass_conversions", "reference.mineral_groups", "reference.minerals",
    "reference.nomenclature_breaks", "reference.relief_assumptions",
}  # fmt: skip
"""Tables whose suites require rows: seeds fill them, or the build itself."""


@pytest.mark.parametrize("table", sorted(mart_suites().keys() - NEVER_EMPTY))
def test_a_table_that_nothing_fills_yet_does_not_keep_a_build_from_being_published(
    table: str,
) -> None:
    suite = mart_suites()[table]
    results = evaluate(frame_of(table, cases(suite)[0]).clear(), suite, today=TODAY)
    assert [r.check_name for r in results if r.severity == "error" and r.status != "passed"] == []


def test_the_same_rows_are_from_the_future_in_a_build_as_of_an_earlier_day() -> None:
    suite = mart_suites()["trade.reported_flows"]
    frame = frame_of(suite.table, cases(suite)[0])
    results = evaluate(frame, suite, today=date(2024, 12, 31))
    failed = {result.check_name: result.failing_rows for result in results if result.failing_rows}
    assert failed == {"vintage_at_is_not_after_the_day_of_the_build": 2}


# --- the entries ---


def test_an_entry_reads_lists_limits_and_days_from_where_they_are_kept() -> None:
    entry = {
        "name": "unit_value_is_low", "type": "expect_column_values_to_be_between",
        "kwargs": {"column": "usd_per_kg", "max_value": {"limit": "largest_usd_per_kg"}},
        "derived": {"usd_per_kg": "case when kg > 0 then usd / kg end"},
        "reason": "Above {largest_usd_per_kg:g} it is another unit.", "severity": "warn",
    }  # fmt: skip
    rule = Expectation.model_validate(entry).rule()
    assert rule.kwargs["max_value"] == 1e6
    assert rule.explanation == "Above 1e+06 it is another unit."
    assert (rule.expectation, rule.on_failure) == ("ExpectColumnValuesToBeBetween", "report")
    frame = pl.DataFrame({"kg": [0.0, 2.0, 1e-9], "usd": [1.0, 3.0, 5.0]})
    (result,) = evaluate(frame, Suite("mart", "t", (rule,)), today=TODAY)
    assert (result.failing_rows, result.values) == (1, ("5000000000.0",))


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"type": "expect_column_to_exist"}, "ExpectColumnToExist is not in EXPECTATIONS"),
        ({"kwargs": {"column": "a", "value_set": {"words": "moods"}}}, "moods is not defined"),
        ({"kwargs": {"column": "a", "value_set": {"words": "stage"}}}, "stage is not defined"),
        ({"kwargs": {"column": "a", "max_value": {"limit": "sky"}}}, "sky is not defined"),
        ({"severity": "fatal"}, "severity"),
        ({"reason": ""}, "type, kwargs and reason"),
        ({"because": "x"}, "because"),
        ({"function": "is_nice"}, "nothing else but its name"),
        ({"derived": {"a": "case when ) end"}}, "b_is_filled"),
    ],
    ids=["type", "list", "type_of_list", "limit", "severity", "reason", "field", "function", "sql"],
)
def test_an_entry_that_cannot_be_read_is_named_with_its_table(
    change: dict[str, object], complaint: str, tmp_path: Path
) -> None:
    entry = {
        "name": "b_is_filled", "type": "expect_column_values_to_not_be_null",
        "kwargs": {"column": "a"}, "reason": "r",
    }  # fmt: skip
    model = {"name": "t", "config": {"meta": {"expectations": [{**entry, **change}]}}}
    file = tmp_path / "t.yml"
    file.write_text(yaml.safe_dump({"models": [model]}))
    with pytest.raises(ValueError, match=re.escape(complaint)) as refused:
        list(suites_of(file))
    assert str(refused.value).startswith("t.yml: t: ")


def test_no_rule_was_lost_on_the_way_to_yaml() -> None:
    """378 rules in 44 tables on 2026-11-28, each with rows it lets pass and a defect it catches."""
    suites = mart_suites().values()
    rules = sum(len(suite.rules) for suite in suites)
    defects = sum(len(cases(suite)[1]) for suite in suites)
    good = sum(len(cases(suite)[0]) for suite in suites)
    print(f"{rules} rules, {defects} defects, {good} rows that pass")
    assert rules >= 378
    assert defects >= 378
    assert all(cases(suite)[0] for suite in suites)
