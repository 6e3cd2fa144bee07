"""Every rule of every lake suite, held against a row that a publisher could really have sent."""

import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime

import polars as pl
import pytest

from dagster_project.lake.schemas import LAKE_TABLES
from dagster_project.quality.rules import Rule, Suite
from dagster_project.quality.runner import evaluate, evaluate_batch
from dagster_project.quality.suites import LAKE_SUITES
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

RECONCILED: Row = {
    **PROVENANCE, "exporter_iso3": "CHN", "importer_iso3": "JPN", "hs6_code": "850511",
    "hs_revision": "HS2022", "period_start": date(2024, 1, 1), "value_usd": 156_880_000.0,
    "net_weight_kg": 3_700_000.0,
}  # fmt: skip
RECONCILED_FLOWS: Sequence[Row] = [
    RECONCILED,
    {**RECONCILED, "exporter_iso3": "VNM", "net_weight_kg": None},
    {**RECONCILED, "hs_revision": "HS2017"},
]

FIGURE: Row = {
    **PROVENANCE, "label": "Gallium: Primary production", "stage": "processing",
    "scope_iso3": "WLD", "economy_iso3": "CHN", "year": 2024, "edition": 2026, "amount_t": 750.0,
    "share": None, "bound": "exact", "flag": "estimated", "trade_parameter": None,
    "printed": "750,000",
}  # fmt: skip
FIGURES: Sequence[Row] = [
    FIGURE,
    {**FIGURE, "economy_iso3": "_X", "amount_t": None, "flag": "not_available", "printed": "NA"},
    {**FIGURE, "economy_iso3": "USA", "amount_t": 0.0, "flag": "zero", "printed": "—"},
    {**FIGURE, "stage": "reserves", "economy_iso3": "WLD", "amount_t": 9e7, "bound": "above",
     "flag": "reported", "printed": ">90,000,000"},
    {**FIGURE, "scope_iso3": "EU27", "amount_t": None, "share": 0.0005, "bound": "below",
     "flag": "reported", "trade_parameter": 0.8, "printed": "<0.1%"},
]  # fmt: skip

SCORE: Row = {
    **PROVENANCE, "indicator": "rule_of_law", "economy_iso3": "PRK", "year": 2021,
    "estimate": -1.61, "standard_error": 0.2,
}  # fmt: skip
SCORES: Sequence[Row] = [
    SCORE,
    {**SCORE, "economy_iso3": "FIN", "estimate": 2.06, "standard_error": None},
    {**SCORE, "indicator": "control_of_corruption"},
]

USE: Row = {
    **PROVENANCE, "label": "Neodymium", "application": "Magnets",
    "sector": "Manufacture of fabricated metal products", "nace2_code": "C25", "year": 2023,
    "use_share": 0.8, "sector_value_added_eur_m": 163_568.0,
}  # fmt: skip
USES: Sequence[Row] = [
    USE,
    {**USE, "application": "Glass", "nace2_code": "C23", "use_share": 0.0},
    {**USE, "label": "Indium", "application": "Others", "sector": "other", "nace2_code": None,
     "use_share": 0.1, "sector_value_added_eur_m": None},
]  # fmt: skip

ASSESSMENT: Row = {
    **PROVENANCE, "assessment": "EC 2017", "year": 2017, "label": "Antimony",
    "stage": "processing", "supply_risk": 4.3, "economic_importance": 4.3,
    "import_reliance": 1.0, "eol_recycling_rate": 0.28, "supply_used": "global_and_consumer",
    "substitution_index_economic": 0.91, "substitution_index_supply": 0.93,
    "hhi_global_supply": 7.1, "hhi_consumer_sourcing": 5.7,
}  # fmt: skip
RESULT: Row = {
    **PROVENANCE, "assessment": "EC 2011", "year": 2011, "label": "Antimony", "stage": None,
    "supply_risk": 2.6, "economic_importance": None,
}  # fmt: skip
ASSESSMENTS: Sequence[Row] = [
    ASSESSMENT,
    {**ASSESSMENT, "stage": "extraction", "supply_used": "consumer"},
    RESULT,
    {**RESULT, "assessment": "EC 2014", "year": 2014},
]

LABEL: Row = {
    **PROVENANCE, "label": "Natural graphite", "material": "natural_graphite",
    "mineral": "graphite", "mineral_group": "natural_graphite", "left_out": None,
}  # fmt: skip
LABELS: Sequence[Row] = [
    LABEL,
    {**LABEL, "label": "Peat: Reserves", "material": "peat", "mineral": None,
     "mineral_group": None, "left_out": "No mineral followed here."},
]  # fmt: skip

QUOTE: Row = {
    **PROVENANCE, "instrument": "EURJPY", "price_date": date(2026, 10, 29), "frequency": "D",
    "close": 178.0, "adjusted_close": None, "currency": "JPY", "unit": "JPY per EUR",
}  # fmt: skip
QUOTES: Sequence[Row] = [
    QUOTE,
    {**QUOTE, "price_date": date(2026, 10, 30), "close": 179.0},
    {
        **QUOTE, "instrument": "NICKEL", "price_date": date(2026, 9, 1), "frequency": "M",
        "close": 15100.0, "adjusted_close": 15100.0, "currency": "USD", "unit": "USD per t",
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
    "claimed_at": date(2025, 1, 1), "claimed_low": 0.6, "is_low_excluded": True,
    "claimed_high": 1.0, "test": "supplier_share", "importer_iso3": "JPN", "supplier_iso3": "CHN",
    "mineral_group": "rare_earths", "known_at": date(2025, 1, 1),
}  # fmt: skip
CLAIMS: Sequence[Row] = [
    CLAIM,
    {
        **CLAIM, "claim_id": "jp-2014-t", "test": "reported_flow", "claimed_low": 22306.0,
        "claimed_high": None, "mineral_group": None, "commodity_code": "rare_earths",
        "flow": "import", "frequency": "A", "period_start": date(2014, 1, 1),
    },
    {
        **CLAIM, "claim_id": "cn-lever", "test": "none", "claimed_low": None, "claimed_high": None,
        "missing": "What each economy buys.", "importer_iso3": None, "supplier_iso3": None,
        "mineral_group": None,
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

SLICE: Row = {
    **PROVENANCE, "table_name": "trade_flows", "reporter_iso3": "JPN", "flow": "import",
    "frequency": "M", "period_start": date(2025, 6, 1), "rows": 40,
}  # fmt: skip
SLICES: Sequence[Row] = [
    SLICE,
    {**SLICE, "period_start": date(2026, 9, 1), "rows": 0},
    {**SLICE, "table_name": "reconciled_trade", "reporter_iso3": "", "flow": "", "frequency": "A",
     "period_start": date(2024, 1, 1)},
    {**SLICE, "table_name": "price_quotes", "reporter_iso3": "", "flow": "", "frequency": "D",
     "period_start": date(2026, 10, 30)},
]  # fmt: skip

ESTIMATE: Row = {
    **PROVENANCE, "element": "Nd", "reservoir": "upper_crust", "abundance_ppm": 27.0,
    "two_sigma_ppm": 4.0,
}  # fmt: skip
ESTIMATES: Sequence[Row] = [
    ESTIMATE,
    {**ESTIMATE, "reservoir": "bulk_crust", "abundance_ppm": 20.0, "two_sigma_ppm": None},
    {**ESTIMATE, "element": "W", "abundance_ppm": 1.9},
]

GOOD: Mapping[str, Sequence[Row]] = {
    "trade_flows": FLOWS,
    "reconciled_trade": RECONCILED_FLOWS,
    "production": FIGURES,
    "governance_scores": SCORES,
    "end_uses": USES,
    "assessments": ASSESSMENTS,
    "element_abundance": ESTIMATES,
    "material_labels": LABELS,
    "price_quotes": QUOTES,
    "restriction_clauses": CLAUSES,
    "restriction_scope": SCOPES,
    "milestones": MILESTONES,
    "claims": CLAIMS,
    "economies": ECONOMIES,
    "coverage": SLICES,
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
        # 44 dollars and 71.3 kilograms, scaled from millions and from thousands of tonnes twice.
        "value_usd_is_at_most_a_million_million": ({"value_usd": 44e12}, 1),
        "net_weight_kg_is_at_most_a_million_million": ({"net_weight_kg": 71.3e12}, 1),
        "flow_has_a_value_or_a_weight": ({"value_usd": None, "net_weight_kg": None}, 1),
        "a_large_value_has_a_weight": ({"value_usd": 4.4e6, "net_weight_kg": 0.0}, 1),
        # Milligrams read as kilograms.
        "unit_value_is_plausible": ({"value_usd": 44.0, "net_weight_kg": 7.1e7}, 1),
    },
    "reconciled_trade": {
        "there_is_at_least_one_row": ([], 0),
        "required_columns_are_filled": ({"importer_iso3": None}, 1),
        "one_row_per_flow": ([*RECONCILED_FLOWS, RECONCILED], 2),
        # BACI's number for China, and its code for Taiwan.
        "exporter_is_a_known_economy": ({"exporter_iso3": "156"}, 1),
        "importer_is_a_known_economy": ({"importer_iso3": "S19"}, 1),
        "code_is_an_hs6_code": ({"hs6_code": "81340"}, 1),
        "edition_of_the_hs_is_known": ({"hs_revision": "HS22"}, 1),
        "period_is_a_year": ({"period_start": date(2024, 7, 1)}, 1),
        "period_is_since_1988_and_has_begun": ({"period_start": date(2204, 1, 1)}, 1),
        "figures_are_finite_numbers": ({"net_weight_kg": math.nan}, 1),
        "value_is_positive": ({"value_usd": 0.0}, 1),
        "net_weight_kg_is_not_negative": ({"net_weight_kg": -3.7}, 1),
        "value_usd_is_at_most_a_million_million": ({"value_usd": 156_880_000.0 * 1e6}, 1),
        "net_weight_kg_is_at_most_a_million_million": ({"net_weight_kg": 3_700_000.0 * 1e6}, 1),
        # Tonnes read as kilograms, and thousands of dollars as millions.
        "unit_value_is_plausible": ({"value_usd": 1.5688e11, "net_weight_kg": 3700.0}, 1),
    },
    "production": {
        "there_is_at_least_one_row": ([], 0),
        "required_columns_are_filled": ({"flag": None}, 1),
        # Two forms of a mineral under one label.
        "one_row_per_figure": ([*FIGURES, {**FIGURE, "amount_t": 1.0}], 2),
        "economy_is_a_known_economy": ({"economy_iso3": "China8"}, 1),
        "scope_is_a_known_economy": ({"scope_iso3": "Global"}, 1),
        "stage_is_known": ({"stage": "E"}, 1),
        "bound_is_known": ({"bound": "<"}, 1),
        "flag_is_known": ({"flag": "W"}, 1),
        "year_is_plausible": ({"year": 20245}, 1),
        "figures_are_finite_numbers": ({"amount_t": math.inf}, 1),
        "amount_t_is_not_negative": ({"amount_t": -750.0}, 1),
        # Two years of one economy run together.
        "amount_t_is_not_above_the_largest_of_reserves": ({"amount_t": 750_000_750_000.0e3}, 1),
        # The percentage of a share in the next column.
        "trade_parameter_is_between_0_and_10": ({"trade_parameter": 84.9}, 1),
        "share_is_between_0_and_1": ({"share": 84.9}, 1),
        "figure_that_is_not_printed_has_no_amount": ({"flag": "withheld"}, 1),
        "figure_that_is_printed_has_an_amount_or_a_share": ({"amount_t": None}, 1),
    },
    "governance_scores": {
        "there_is_at_least_one_row": ([], 0),
        "required_columns_are_filled": ({"estimate": None}, 1),
        "one_row_per_score": ([*SCORES, {**SCORE, "estimate": -1.5}], 2),
        # A region among the countries.
        "economy_is_a_known_economy": ({"economy_iso3": "EAS"}, 1),
        "indicator_is_a_name": ({"indicator": "RL.EST"}, 1),
        "year_is_plausible": ({"year": 21}, 1),
        "figures_are_finite_numbers": ({"standard_error": math.inf}, 1),
        "estimate_is_on_the_normal_scale": ({"estimate": 97.6}, 1),
        "standard_error_is_not_negative": ({"standard_error": -1.0}, 1),
    },
    "end_uses": {
        "there_is_at_least_one_row": ([], 0),
        "required_columns_are_filled": ({"sector": None}, 1),
        "one_row_per_use": ([*USES, USE], 2),
        "nace2_code_is_a_division": ({"nace2_code": "C"}, 1),
        "year_is_plausible": ({"year": 163_568}, 1),
        "figures_are_finite_numbers": ({"sector_value_added_eur_m": math.nan}, 1),
        "use_share_is_between_0_and_1": ({"use_share": 80.0}, 1),
        "sector_value_added_eur_m_is_not_negative": ({"sector_value_added_eur_m": -1.0}, 1),
    },
    "element_abundance": {
        "there_is_at_least_one_row": ([], 0),
        "required_columns_are_filled": ({"reservoir": None}, 1),
        "one_row_per_estimate": ([*ESTIMATES, ESTIMATE], 2),
        "element_is_a_symbol": ({"element": "neodymium"}, 1),
        "reservoir_is_known": ({"reservoir": "mantle"}, 1),
        "figures_are_finite_numbers": ({"two_sigma_ppm": math.nan}, 1),
        "abundance_ppm_is_above_0_and_at_most_a_million": ({"abundance_ppm": 0.0}, 1),
        "two_sigma_ppm_is_not_negative": ({"two_sigma_ppm": -4.0}, 1),
    },
    "assessments": {
        "there_is_at_least_one_row": ([], 0),
        "required_columns_are_filled": ({"assessment": None}, 1),
        # The study prints no stage: two results of it are still one too many.
        "one_row_per_result": ([*ASSESSMENTS, {**RESULT, "supply_risk": 2.5}], 2),
        "stage_is_extraction_or_processing": ({"stage": "reserves"}, 1),
        "supply_used_is_known": ({"supply_used": "GS + EUS"}, 1),
        "year_is_plausible": ({"year": 2107}, 1),
        "import_reliance_is_between_0_and_1": ({"import_reliance": 100.0}, 1),
        "eol_recycling_rate_is_between_0_and_1": ({"eol_recycling_rate": 28.0}, 1),
        "supply_risk_is_between_0_and_10": ({"supply_risk": 43.0}, 1),
        "economic_importance_is_between_0_and_10": ({"economic_importance": 43.0}, 1),
        "substitution_index_economic_is_between_0_and_1": (
            {"substitution_index_economic": 91.0},
            1,
        ),
        "substitution_index_supply_is_between_0_and_1": ({"substitution_index_supply": -0.93}, 1),
        # On the scale of 10,000.
        "hhi_global_supply_is_between_0_and_10": ({"hhi_global_supply": 7100.0}, 1),
        "hhi_consumer_sourcing_is_between_0_and_10": ({"hhi_consumer_sourcing": 57.0}, 1),
    },
    "material_labels": {
        "there_is_at_least_one_row": ([], 0),
        "required_columns_are_filled": ({"material": None}, 1),
        "one_row_per_label": ([*LABELS, LABEL], 2),
        "material_is_a_name": ({"material": "Natural graphite"}, 1),
        "mineral_is_a_name": ({"mineral": "C"}, 1),
        "mineral_group_is_known": ({"mineral_group": "graphite"}, 1),
        "reason_is_in_words": ({"left_out": " "}, 1),
    },
    "price_quotes": {
        "there_is_at_least_one_row": ([], 0),
        "required_columns_are_filled": ({"price_date": None}, 1),
        "one_row_per_instrument_and_day": ([*QUOTES, QUOTE], 2),
        "frequency_is_daily_monthly_or_annual": ({"frequency": "W"}, 1),
        "currency_is_an_iso_4217_code": ({"currency": "¥"}, 1),
        "instrument_is_in_the_list": ({"instrument": "PNEODYM"}, 1),
        "unit_is_given": ({"unit": " "}, 1),
        "monthly_price_is_dated_on_the_first": ({"frequency": "M"}, 1),
        "annual_price_is_dated_on_the_first_of_january": ({"frequency": "A"}, 1),
        "price_date_is_not_in_the_future": ({"price_date": date(2062, 10, 29)}, 1),
        "quote_has_a_close": ({"close": None}, 1),
        "figures_are_finite_numbers": ({"close": math.nan}, 1),
        "close_is_positive": ({"close": 0.0}, 1),
        "adjusted_close_is_positive": ({"adjusted_close": -1.0}, 1),
        "close_is_at_most_a_thousand_million": ({"close": 1e30}, 1),
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
        "claim_that_no_figure_decides_says_what_is_missing": ({"test": "none"}, 1),
        "stage_is_known": ({"stage": "refining"}, 1),
        "flow_is_import_or_export": ({"flow": "re_export"}, 1),
        "frequency_is_annual_or_monthly": ({"frequency": "Q"}, 1),
        "nace2_code_is_a_division": ({"nace2_code": "25"}, 1),
        "time_does_not_end_before_it_begins": (
            {"period_start": date(2026, 3, 31), "period_end": date(2025, 10, 1)},
            1,
        ),
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
    "coverage": {
        "there_is_at_least_one_row": ([], 0),
        "required_columns_are_filled": ({"rows": None}, 1),
        "one_row_per_slice": ([*SLICES, {**SLICE, "rows": 3}], 2),
        "table_is_a_lake_table_with_a_period": ({"table_name": "restriction_clauses"}, 1),
        "reporter_is_a_known_economy": ({"reporter_iso3": "392"}, 1),
        "flow_is_import_export_or_their_returns": ({"flow": "M"}, 1),
        "frequency_is_annual_monthly_or_daily": ({"frequency": "Q"}, 1),
        "period_starts_on_its_first_day": ({"period_start": date(2025, 6, 30)}, 1),
        "rows_is_not_negative": ({"rows": -1}, 1),
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


def test_an_instrument_no_list_describes_stops_the_batch_and_names_itself() -> None:
    frame = frame_of("price_quotes", changed(QUOTES, {"instrument": "PNEODYM"}))
    verdict = evaluate_batch(frame, LAKE_SUITES["price_quotes"], today=TODAY)
    assert verdict.is_rejected
    assert verdict.reason == (
        "price_quotes: instrument_is_in_the_list does not hold: 1 of 3 rows, first PNEODYM."
    )


def test_one_misprinted_rate_in_a_year_is_quarantined_and_the_others_go_on() -> None:
    days = pl.date_range(date(2025, 1, 1), date(2025, 12, 31), eager=True)
    quotes = [{**QUOTE, "price_date": day, "close": 160.0} for day in days]
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
        **QUOTE, "instrument": "PLATINUM", "frequency": "M", "currency": "USD",
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
    frame = frame_of(table, changed(GOOD[table][:1], figures))
    verdict = evaluate_batch(frame, LAKE_SUITES[table], today=TODAY)
    assert not verdict.is_rejected
    assert verdict.accepted.height == 1


def test_a_published_zero_is_kept() -> None:
    frame = frame_of("trade_flows", changed(FLOWS, {"value_usd": 0.0, "net_weight_kg": 0.0}))
    verdict = evaluate_batch(frame, LAKE_SUITES["trade_flows"], today=TODAY)
    assert not verdict.is_rejected
    assert verdict.accepted.equals(frame)
