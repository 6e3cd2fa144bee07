"""Every rule of every lake suite, evaluated on a row that a publisher could have sent."""

from collections.abc import Sequence
from datetime import date

import polars as pl
import pytest

from dagster_project.lake.schemas import LAKE_TABLES
from dagster_project.quality.rules import Rule, Suite
from dagster_project.quality.runner import evaluate, evaluate_batch
from dagster_project.quality.suites import LAKE_SUITES
from tests.unit.quality.seeded import TODAY, Row, ask, cases, changed
from tests.unit.quality.suites.lake import price_quotes, reconciled_trade, trade_flows

EVERY_RULE = [(suite, rule) for suite in LAKE_SUITES.values() for rule in suite.rules]


def frame_of(table: str, rows: Sequence[Row]) -> pl.DataFrame:
    schema = LAKE_TABLES[table].polars_schema
    return pl.DataFrame([dict(row) for row in rows], schema=schema)


@pytest.mark.parametrize("suite", LAKE_SUITES.values(), ids=lambda suite: suite.table)
def test_rows_as_publishers_send_them_pass_every_rule(suite: Suite) -> None:
    results = evaluate(frame_of(suite.table, cases(suite)[0]), suite, today=TODAY)
    assert [result.check_name for result in results if result.status != "passed"] == []


@pytest.mark.parametrize("suite", LAKE_SUITES.values(), ids=lambda suite: suite.table)
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


@pytest.mark.parametrize("suite", LAKE_SUITES.values(), ids=lambda suite: suite.table)
def test_every_rule_looks_at_columns_of_its_table(suite: Suite) -> None:
    declared = set(LAKE_TABLES[suite.table].columns)
    assert {name for rule in suite.rules for name in rule.columns} <= declared


MAY_BE_EMPTY = {"company_facts", "restriction_suspensions", "notices", "notice_decisions"}
"""Measures may be suspended or name companies and notices, and a day may have no notice: a document
without any is whole."""


@pytest.mark.parametrize("suite", LAKE_SUITES.values(), ids=lambda suite: suite.table)
def test_a_table_without_rows_is_rejected_and_nothing_else_is_reported(suite: Suite) -> None:
    verdict = evaluate_batch(LAKE_TABLES[suite.table].empty(), suite)
    assert verdict.is_rejected == (suite.table not in MAY_BE_EMPTY)
    if suite.table in MAY_BE_EMPTY:
        return
    failed = {result.check_name for result in verdict.results if result.status != "passed"}
    whole_list = {"the_list_holds_the_well_known", "the_european_union_has_27_members"}
    assert failed - whole_list == {"there_is_at_least_one_row"}


def test_an_unknown_economy_quarantines_its_row_and_is_named() -> None:
    frame = frame_of("trade_flows", changed(trade_flows.GOOD, {"partner_iso3": "9998"}))
    verdict = evaluate_batch(frame, LAKE_SUITES["trade_flows"], today=TODAY)
    assert not verdict.is_rejected
    assert verdict.accepted.equals(frame[1:])
    assert verdict.quarantined.select("rule", "value").rows() == [
        ("partner_is_a_known_economy", "9998")
    ]
    assert "economies.csv" in verdict.quarantined["explanation"].item()


def test_a_column_of_unknown_economies_stops_the_batch_and_is_named() -> None:
    frame = frame_of("trade_flows", trade_flows.GOOD)
    shifted = frame.with_columns(partner_iso3=pl.lit("2024"))
    verdict = evaluate_batch(shifted.unique(), LAKE_SUITES["trade_flows"], today=TODAY)
    assert verdict.is_rejected
    assert verdict.reason.startswith("trade_flows: ")
    assert "partner_is_a_known_economy, first 2024" in verdict.reason


def test_an_economy_of_a_reconciler_that_is_unknown_stops_the_batch() -> None:
    frame = frame_of("reconciled_trade", changed(reconciled_trade.GOOD, {"exporter_iso3": "ZZZ"}))
    verdict = evaluate_batch(frame, LAKE_SUITES["reconciled_trade"], today=TODAY)
    assert verdict.is_rejected
    assert "exporter_is_a_known_economy fails" in verdict.reason


def test_an_instrument_no_list_describes_stops_the_batch_and_is_named() -> None:
    frame = frame_of("price_quotes", changed(price_quotes.GOOD, {"instrument": "PNEODYM"}))
    verdict = evaluate_batch(frame, LAKE_SUITES["price_quotes"], today=TODAY)
    assert verdict.is_rejected
    assert verdict.reason == (
        "price_quotes: instrument_is_in_the_list fails: 1 of 3 rows, first PNEODYM."
    )


def test_one_misprinted_rate_in_a_year_is_quarantined_and_the_others_go_on() -> None:
    days = pl.date_range(date(2025, 1, 1), date(2025, 12, 31), eager=True)
    quotes = [{**price_quotes.QUOTE, "price_date": day, "close": 160.0} for day in days]
    quotes[100] = {**quotes[100], "close": 1.6}
    verdict = evaluate_batch(
        frame_of("price_quotes", quotes), LAKE_SUITES["price_quotes"], today=TODAY
    )
    assert not verdict.is_rejected
    assert verdict.accepted.height == 364
    (row,) = verdict.quarantined.to_dicts()
    assert (row["row_number"], row["price_date"]) == (101, date(2025, 4, 11))
    assert row["rule"] == "exchange_rate_is_not_implausibly_low"
    assert row["value"] == "close=1.6, least_plausible=60.0"


def test_a_monthly_price_that_trebles_is_not_even_reported() -> None:
    monthly: Row = {
        **price_quotes.QUOTE, "instrument": "PLATINUM", "frequency": "M", "currency": "USD",
        "unit": "USD per kg",
    }  # fmt: skip
    frame = frame_of(
        "price_quotes",
        [
            {**monthly, "price_date": date(2025, 4, 1), "close": 280.0},
            {**monthly, "price_date": date(2025, 5, 1), "close": 850.0},
        ],
    )
    verdict = evaluate_batch(frame, LAKE_SUITES["price_quotes"], today=TODAY)
    assert {result.status for result in verdict.results} == {"passed"}


@pytest.mark.parametrize(
    ("table", "figures"),
    [
        # Crude oil into China, coal out of Indonesia, a platinum metal by the kilogram in yen.
        ("trade_flows", {"value_usd": 3.5e11, "net_weight_kg": 5e11}),
        ("reconciled_trade", {"value_usd": 3.5e11, "net_weight_kg": 5e11}),
        ("governance_scores", {"standard_error": 0.0}),
        ("price_quotes", {"instrument": "PLATINUM", "currency": "JPY", "close": 1.1e8}),
    ],
)
def test_the_largest_figures_there_have_been_are_kept(table: str, figures: Row) -> None:
    frame = frame_of(table, changed(cases(LAKE_SUITES[table])[0][:1], figures))
    verdict = evaluate_batch(frame, LAKE_SUITES[table], today=TODAY)
    assert not verdict.is_rejected
    assert verdict.accepted.height == 1


def test_a_published_zero_is_kept() -> None:
    frame = frame_of(
        "trade_flows", changed(trade_flows.GOOD, {"value_usd": 0.0, "net_weight_kg": 0.0})
    )
    verdict = evaluate_batch(frame, LAKE_SUITES["trade_flows"], today=TODAY)
    assert not verdict.is_rejected
    assert verdict.accepted.equals(frame)
