"""Every rule of every lake suite, held against a row that a publisher could really have sent."""

import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime

import polars as pl
import pytest

from dagster_project.lake.schemas import LAKE_TABLES
from dagster_project.quality.lake_suites import LAKE_SUITES
from dagster_project.quality.rules import Rule, Suite
from dagster_project.quality.runner import evaluate, evaluate_batch
from tests.unit.quality.seeded import TODAY, Defect, Row, ask, changed

PROVENANCE: Row = {
    "source": "a_source", "document": "a.csv", "snapshot_id": "", "is_provisional": False,
    "vintage_at": datetime(2026, 7, 1),
}  # fmt: skip

FLOW: Row = {
    **PROVENANCE, "reporter_iso3": "JPN", "partner_iso3": "CHN", "flow": "import",
    "commodity_code": "284690", "is_basket": False, "hs_revision": "HS2022", "frequency": "A",
    "period_start": date(2024, 1, 1), "value_usd": 44.0, "net_weight_kg": 71.3, "valuation": "CIF",
}  # fmt: skip
FLOWS: Sequence[Row] = [
    FLOW,
    {**FLOW, "partner_iso3": "VNM", "value_usd": 56.0, "net_weight_kg": None},
    {**FLOW, "partner_iso3": "WLD", "value_usd": 100.0},
    {
        **FLOW, "commodity_code": "rare_earths", "is_basket": True, "hs_revision": None,
        "frequency": "M", "period_start": date(2024, 7, 1),
    },
]  # fmt: skip

QUOTE: Row = {
    **PROVENANCE, "instrument": "EURJPY", "price_date": date(2026, 10, 29), "frequency": "D",
    "close": 178.0, "adjusted_close": None, "currency": "JPY", "unit": "JPY per EUR",
}  # fmt: skip
QUOTES: Sequence[Row] = [
    QUOTE,
    {**QUOTE, "price_date": date(2026, 10, 30), "close": 179.0},
    {
        **QUOTE, "instrument": "PNEODYM", "price_date": date(2026, 9, 1), "frequency": "M",
        "close": 71000.0, "adjusted_close": 71000.0, "currency": "USD", "unit": "USD per t",
    },
]  # fmt: skip

CLAUSE: Row = {
    **PROVENANCE, "measure_id": "CN-2025-57", "clause_id": "CN-2025-57", "title": "Five more",
    "implementer_iso3": "CHN", "direction": "restrict", "announced_date": date(2025, 10, 9),
    "date_precision": "day", "effective_date": date(2025, 11, 8),
    "suspended_from": date(2025, 11, 7), "suspended_to": date(2026, 11, 10),
    "suspension_known_at": date(2025, 11, 7), "unknown_from": date(2026, 11, 11),
    "unknown_known_at": date(2026, 11, 11), "known_at": date(2025, 10, 9), "target_iso3": "ALL",
    "target_class": "all", "target_names": [], "evidence_class": "official",
    "source_url": "https://exportcontrol.mofcom.gov.cn/article/1177.html",
}  # fmt: skip
CLAUSES: Sequence[Row] = [
    CLAUSE,
    {
        **CLAUSE, "clause_id": "CN-2026-11", "target_iso3": "JPN", "target_class": "entity",
        "target_names": ["one"], "source_url": None, "suspended_from": None,
        "suspended_to": None, "suspension_known_at": None, "unknown_from": None,
    },
]  # fmt: skip

SCOPE: Row = {
    **PROVENANCE, "clause_id": "CN-2025-57", "hs_code": "284690", "mineral": "holmium",
    "control_share_low": 0.0, "control_share_high": 1.0, "basis": "element_split",
}  # fmt: skip
SCOPES: Sequence[Row] = [
    SCOPE,
    {**SCOPE, "hs_code": "8505", "mineral": "all_rare_earths", "basis": "heading"},
]

MILESTONE: Row = {
    **PROVENANCE, "milestone_id": "JP-2026-01-CHIKYU", "kind": "supply_project", "title": "Trial",
    "economy_iso3": "JPN", "announced_date": date(2025, 12, 23), "event_date": date(2026, 1, 12),
    "ended_date": date(2026, 2, 14), "evidence_class": "reported", "known_at": date(2025, 12, 23),
}  # fmt: skip
MILESTONES: Sequence[Row] = [
    MILESTONE,
    {
        **MILESTONE, "milestone_id": "JP-2027-02-FULL", "event_date": None, "ended_date": None,
        "planned_date": date(2027, 2, 1), "source_url": "https://example.org/a",
    },
]  # fmt: skip

CLAIM: Row = {
    **PROVENANCE, "claim_id": "jp-2024-60", "statement": "More than 60 %", "claimed_by": "METI",
    "claimed_at": date(2025, 1, 1), "claimed_low": 0.6, "claimed_high": 1.0,
    "test": "supplier_share", "importer_iso3": "JPN", "supplier_iso3": "CHN",
    "mineral_group": "rare_earths", "known_at": date(2025, 1, 1),
}  # fmt: skip
CLAIMS: Sequence[Row] = [
    CLAIM,
    {
        **CLAIM, "claim_id": "jp-2024-t", "test": "import_total", "claimed_low": 18835.0,
        "claimed_high": None,
    },
]  # fmt: skip

MEMBERS = [
    "AUT", "BEL", "BGR", "CYP", "CZE", "DEU", "DNK", "ESP", "EST", "FIN", "FRA", "GRC", "HRV",
    "HUN", "IRL", "ITA", "LTU", "LUX", "LVA", "MLT", "NLD", "POL", "PRT", "ROU", "SVK", "SVN",
    "SWE",
]  # fmt: skip
ECONOMY: Row = {
    **PROVENANCE, "economy_iso3": "JPN", "name": "Japan", "name_ja": "日本", "m49_code": "392",
    "comtrade_code": "392", "japan_customs_code": None, "is_eu27": False,
}  # fmt: skip
NUMBERLESS: Row = {**ECONOMY, "m49_code": None, "comtrade_code": None}
ECONOMIES: Sequence[Row] = [
    ECONOMY,
    {**ECONOMY, "economy_iso3": "CHN", "m49_code": "156", "comtrade_code": "156",
     "japan_customs_code": "105"},
    {**ECONOMY, "economy_iso3": "USA", "m49_code": "840", "comtrade_code": "842 841"},
    *({**NUMBERLESS, "economy_iso3": code} for code in ("VNM", "_X", "WLD", "EU27")),
    *({**NUMBERLESS, "economy_iso3": code, "is_eu27": True} for code in MEMBERS),
]  # fmt: skip

GOOD: Mapping[str, Sequence[Row]] = {
    "trade_flows": FLOWS,
    "price_quotes": QUOTES,
    "restriction_clauses": CLAUSES,
    "restriction_scope": SCOPES,
    "milestones": MILESTONES,
    "claims": CLAIMS,
    "economies": ECONOMIES,
}

DEFECTS: Mapping[str, Mapping[str, Defect]] = {
    "trade_flows": {
        "there_is_at_least_one_row": ([], 0),
        "required_columns_are_filled": ({"partner_iso3": None}, 1),
        # The breakdown's column was lost: by sea and by air are now the same flow.
        "one_row_per_flow": ([*FLOWS, {**FLOW, "value_usd": 3.0}], 2),
        "reporter_is_a_known_economy": ({"reporter_iso3": "ROM"}, 1),
        "partner_is_a_known_economy": ({"partner_iso3": "S19"}, 1),
        "second_partner_is_a_known_economy": ({"second_partner_iso3": "X2 "}, 1),
        "flow_is_import_export_or_their_returns": ({"flow": "M"}, 1),
        "frequency_is_annual_or_monthly": ({"frequency": "Q"}, 1),
        "valuation_is_cif_or_fob": ({"valuation": "FAS"}, 1),
        "basket_is_a_known_mineral_group": (
            {"is_basket": True, "commodity_code": "lanthanoids", "hs_revision": None},
            1,
        ),
        "code_is_an_hs6_code": ({"commodity_code": "28469"}, 1),
        "code_says_its_hs_edition": ({"hs_revision": None}, 1),
        "period_starts_on_its_first_day": ({"period_start": date(2024, 7, 1)}, 1),
        # Partners' rows counted beside the totals of their breakdown: twice the printed total.
        "partners_do_not_exceed_the_total": ({"value_usd": 144.0}, 1),
        "period_is_since_1988_and_has_begun": ({"period_start": date(2204, 1, 1)}, 1),
        "figures_are_finite_numbers": ({"net_weight_kg": math.inf}, 1),
        "value_usd_is_not_negative": ({"value_usd": -44.0}, 1),
        "net_weight_kg_is_not_negative": ({"net_weight_kg": -1.0}, 1),
        "flow_has_a_value_or_a_weight": ({"value_usd": None, "net_weight_kg": None}, 1),
        "a_large_value_has_a_weight": ({"value_usd": 4.4e6, "net_weight_kg": 0.0}, 1),
        # Milligrams read as kilograms.
        "unit_value_is_plausible": ({"value_usd": 44.0, "net_weight_kg": 7.1e7}, 1),
    },
    "price_quotes": {
        "there_is_at_least_one_row": ([], 0),
        "required_columns_are_filled": ({"price_date": None}, 1),
        "one_row_per_instrument_and_day": ([*QUOTES, QUOTE], 2),
        "frequency_is_daily_or_monthly": ({"frequency": "W"}, 1),
        "currency_is_an_iso_4217_code": ({"currency": "¥"}, 1),
        "instrument_is_named": ({"instrument": "EUR JPY"}, 1),
        "unit_is_given": ({"unit": " "}, 1),
        "monthly_price_is_dated_on_the_first": ({"frequency": "M"}, 1),
        "price_date_is_not_in_the_future": ({"price_date": date(2062, 10, 29)}, 1),
        "quote_has_a_close": ({"close": None}, 1),
        "figures_are_finite_numbers": ({"close": math.nan}, 1),
        "close_is_positive": ({"close": 0.0}, 1),
        "adjusted_close_is_positive": ({"adjusted_close": -1.0}, 1),
        # Upside down: euros per yen.
        "exchange_rate_is_not_implausibly_low": ({"close": 1 / 178}, 1),
        # Yen per hundred euros.
        "exchange_rate_is_not_implausibly_high": ({"close": 17800.0}, 1),
        # 17.8 on the 29th, 179 on the 30th: it is the second that jumps.
        "close_is_between_half_and_double_the_one_before": ({"close": 17.8}, 1),
    },
    "restriction_clauses": {
        "there_is_at_least_one_row": ([], 0),
        "required_columns_are_filled": ({"title": None}, 1),
        "one_row_per_clause": ([*CLAUSES, CLAUSE], 2),
        "implementer_is_a_known_economy": ({"implementer_iso3": "PRC"}, 1),
        "target_is_a_known_economy": ({"target_iso3": "WORLD"}, 1),
        "direction_is_known": ({"direction": "litigate"}, 1),
        "target_class_is_known": ({"target_class": "firm"}, 1),
        "target_class_all_means_every_economy": ({"target_iso3": "JPN"}, 1),
        "evidence_class_is_known": ({"evidence_class": "rumour"}, 1),
        "date_precision_is_known": ({"date_precision": "quarter"}, 1),
        "announced_date_is_since_1988_and_not_far_ahead": (
            {"announced_date": date(2205, 10, 9)},
            1,
        ),
        "effective_date_is_within_five_years_from_now": ({"effective_date": date(2035, 11, 8)}, 1),
        "known_at_is_not_in_the_future": ({"known_at": date(2027, 10, 9)}, 1),
        "clause_does_not_end_before_it_is_announced": (
            {"ended_date": date(2025, 9, 10), "ended_known_at": date(2025, 10, 9)},
            1,
        ),
        "suspension_ends_after_it_begins": ({"suspended_to": date(2025, 10, 11)}, 1),
        "every_change_of_state_says_when_it_was_known": ({"suspension_known_at": None}, 1),
        "measure_is_not_effective_before_it_is_announced": (
            {"effective_date": date(2025, 8, 11)},
            1,
        ),
        "source_url_is_a_web_address": ({"source_url": "MOFCOM 57/2025"}, 1),
    },
    "restriction_scope": {
        "there_is_at_least_one_row": ([], 0),
        "required_columns_are_filled": ({"mineral": None}, 1),
        "one_row_per_clause_code_and_mineral": ([*SCOPES, SCOPE], 2),
        "hs_code_is_an_hs6_code_or_a_heading": ({"hs_code": "2846904000"}, 1),
        "mineral_is_a_name": ({"mineral": "Ho"}, 1),
        "basis_is_known": ({"basis": "guess"}, 1),
        "control_share_low_is_between_0_and_1": ({"control_share_low": -0.1}, 1),
        "control_share_high_is_between_0_and_1": ({"control_share_high": 100.0}, 1),
        "control_share_low_is_not_above_high": (
            {"control_share_low": 1.0, "control_share_high": 0.0},
            1,
        ),
    },
    "milestones": {
        "there_is_at_least_one_row": ([], 0),
        "required_columns_are_filled": ({"known_at": None}, 1),
        "one_row_per_milestone": ([*MILESTONES, MILESTONE], 2),
        "economy_is_a_known_economy": ({"economy_iso3": "JP"}, 1),
        "kind_is_known": ({"kind": "project"}, 1),
        "evidence_class_is_known": ({"evidence_class": "B"}, 1),
        "milestone_has_a_date": ({"announced_date": None, "event_date": None}, 1),
        "known_at_is_not_in_the_future": ({"known_at": date(2052, 12, 23)}, 1),
        "event_date_is_not_in_the_future": ({"event_date": date(2027, 2, 1)}, 1),
        "planned_date_is_within_thirty_years_from_now": ({"planned_date": date(2207, 2, 1)}, 1),
        "milestone_does_not_end_before_it_happens": ({"ended_date": date(2025, 2, 14)}, 1),
        "source_url_is_a_web_address": ({"source_url": "nippon.com/en"}, 1),
    },
    "claims": {
        "there_is_at_least_one_row": ([], 0),
        "required_columns_are_filled": ({"claimed_by": None}, 1),
        "one_row_per_claim": ([*CLAIMS, CLAIM], 2),
        "importer_is_a_known_economy": ({"importer_iso3": "Japan"}, 1),
        "supplier_is_a_known_economy": ({"supplier_iso3": "PRC"}, 1),
        "mineral_group_is_known": ({"mineral_group": "rare earths"}, 1),
        "claim_gives_a_bound": ({"claimed_low": None, "claimed_high": None}, 1),
        "claimed_low_is_not_above_high": ({"claimed_low": 0.9, "claimed_high": 0.6}, 1),
        "claimed_share_low_is_between_0_and_1": ({"claimed_low": 60.0}, 1),
        "claimed_share_high_is_between_0_and_1": ({"claimed_high": 100.0}, 1),
        "claimed_at_is_not_in_the_future": ({"claimed_at": date(2035, 1, 1)}, 1),
        "source_url_is_a_web_address": ({"source_url": "METI"}, 1),
    },
    "economies": {
        "there_is_at_least_one_row": ([], 0),
        "required_columns_are_filled": ({"name_ja": None}, 1),
        "one_row_per_economy": ([*ECONOMIES, ECONOMY], 2),
        "economy_iso3_has_three_signs_or_is_a_special_code": ({"economy_iso3": "JP"}, 1),
        "the_list_holds_the_well_known": (ECONOMIES[1:], 0),
        "m49_code_names_one_economy": ({"m49_code": "156"}, 2),
        "m49_code_has_three_digits": ({"m49_code": "8"}, 1),
        "publishers_codes_are_digits": ({"comtrade_code": "392.0"}, 1),
        "the_european_union_has_27_members": ({"is_eu27": True}, 0),
    },
}

EVERY_RULE = [(suite, rule) for suite in LAKE_SUITES.values() for rule in suite.rules]


def frame_of(table: str, rows: Sequence[Row]) -> pl.DataFrame:
    schema = LAKE_TABLES[table].polars_schema
    return pl.DataFrame([dict(row) for row in rows], schema=schema)


@pytest.mark.parametrize("suite", LAKE_SUITES.values(), ids=lambda suite: suite.table)
def test_rows_as_publishers_send_them_pass_every_rule(suite: Suite) -> None:
    results = evaluate(frame_of(suite.table, GOOD[suite.table]), suite, today=TODAY)
    assert [result.check_name for result in results if result.status != "passed"] == []


@pytest.mark.parametrize(
    ("suite", "rule"), EVERY_RULE, ids=[f"{suite.table}.{rule.name}" for suite, rule in EVERY_RULE]
)
def test_every_rule_catches_the_defect_it_is_for(suite: Suite, rule: Rule) -> None:
    defect, offending = DEFECTS[suite.table][rule.name]
    result = ask(suite, rule, frame_of(suite.table, changed(GOOD[suite.table], defect)))
    assert (result.status, result.failing_rows) == ("failed", offending), result.observed


@pytest.mark.parametrize("suite", LAKE_SUITES.values(), ids=lambda suite: suite.table)
def test_every_rule_looks_at_columns_of_its_table(suite: Suite) -> None:
    declared = set(LAKE_TABLES[suite.table].columns)
    assert {name for rule in suite.rules for name in rule.columns} <= declared


@pytest.mark.parametrize("suite", LAKE_SUITES.values(), ids=lambda suite: suite.table)
def test_a_table_without_rows_is_rejected_and_nothing_else_is_said(suite: Suite) -> None:
    verdict = evaluate_batch(LAKE_TABLES[suite.table].empty(), suite)
    assert verdict.is_rejected
    failed = {result.check_name for result in verdict.results if result.status != "passed"}
    whole_list = {"the_list_holds_the_well_known", "the_european_union_has_27_members"}
    assert failed - whole_list == {"there_is_at_least_one_row"}


def test_an_unknown_economy_stops_the_batch_and_names_itself() -> None:
    frame = frame_of("trade_flows", changed(FLOWS, {"partner_iso3": "ZZZ"}))
    verdict = evaluate_batch(frame, LAKE_SUITES["trade_flows"], today=TODAY)
    assert verdict.is_rejected
    assert verdict.reason == (
        "trade_flows: partner_is_a_known_economy does not hold: 1 of 4 rows, first ZZZ."
    )


def test_one_misprinted_rate_in_a_year_is_set_aside_and_the_others_go_on() -> None:
    days = pl.date_range(date(2025, 1, 1), date(2025, 12, 31), eager=True)
    quotes = [{**QUOTE, "price_date": day, "close": 160.0} for day in days]
    quotes[100] = {**quotes[100], "close": 1.6}
    verdict = evaluate_batch(
        frame_of("price_quotes", quotes), LAKE_SUITES["price_quotes"], today=TODAY
    )
    assert not verdict.is_rejected
    assert verdict.accepted.height == 364
    (row,) = verdict.set_aside.to_dicts()
    assert (row["row_number"], row["price_date"]) == (101, date(2025, 4, 11))
    assert row["rule"] == "exchange_rate_is_not_implausibly_low"
    assert row["value"] == "close=1.6, least_plausible=60.0"


def test_a_dysprosium_price_that_trebles_in_a_month_is_not_even_reported() -> None:
    oxide: Row = {
        **QUOTE, "instrument": "DYSPROSIUM_EU", "frequency": "M", "currency": "USD",
        "unit": "USD per kg",
    }  # fmt: skip
    frame = frame_of(
        "price_quotes",
        [
            {**oxide, "price_date": date(2025, 4, 1), "close": 280.0},
            {**oxide, "price_date": date(2025, 5, 1), "close": 850.0},
        ],
    )
    verdict = evaluate_batch(frame, LAKE_SUITES["price_quotes"], today=TODAY)
    assert {result.status for result in verdict.results} == {"passed"}


def test_a_published_zero_is_kept() -> None:
    frame = frame_of("trade_flows", changed(FLOWS, {"value_usd": 0.0, "net_weight_kg": 0.0}))
    verdict = evaluate_batch(frame, LAKE_SUITES["trade_flows"], today=TODAY)
    assert not verdict.is_rejected
    assert verdict.accepted.equals(frame)
