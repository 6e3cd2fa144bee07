"""Every rule of every mart suite, held against a row that a wrong model could have made."""

from collections.abc import Sequence
from datetime import date

import polars as pl
import pytest

from dagster_project.quality.mart_suites import mart_suites
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


@pytest.mark.parametrize(
    "table",
    sorted(
        name
        for name in mart_suites()
        if name.split(".")[0] not in {"reference", "catalog"}
        or name in {"catalog.claims", "catalog.claim_findings", "catalog.snapshots"}
        or name in {"catalog.checks", "catalog.corrections", "catalog.coverage"}
        or name in {"reference.materials", "reference.mineral_abundance", "reference.end_uses"}
    ),
)
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
