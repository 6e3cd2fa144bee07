"""Every rule of every mart suite, held against a row that a wrong model could have made."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime

import polars as pl
import pytest

from dagster_project.quality.mart_suites import MART_SUITES
from dagster_project.quality.rules import Rule, Suite
from dagster_project.quality.runner import evaluate
from tests.unit.quality.seeded import TODAY, Defect, Row, ask, changed

COLUMNS: Mapping[str, str] = {
    "reference.economies": (
        "economy_iso3 name name_ja m49_code comtrade_code japan_customs_code region is_eu27"
    ),
    "reference.minerals": "mineral symbol name name_ja family is_rare_earth",
    "reference.commodities": "hs6_code hs_revision description product_form",
    "reference.mineral_groups": "mineral_group name name_ja",
    "reference.mineral_group_codes": "mineral_group hs6_code hs_revision",
    "reference.commodity_minerals": (
        "hs6_code mineral content_share_low content_share_high basis source"
    ),
    "reference.nomenclature_breaks": (
        "hs6_code break_name hs_revision_before hs_revision_after year_before year_after reason "
        "source"
    ),
    "reference.materials": "source label material mineral mineral_group",
    "reference.mineral_abundance": "mineral element crust_ppm_low crust_ppm_high source",
    "reference.end_uses": "mineral sector nace2_code use_share applications source",
    "reference.instruments": (
        "instrument name kind currency unit frequency market_timezone market_instrument source"
    ),
    "trade.reported_flows": (
        "source reporter_iso3 partner_iso3 flow commodity_code is_basket hs_revision frequency "
        "period_start value_usd net_weight_kg valuation is_provisional vintage_at snapshot_id"
    ),
    "trade.baci_flows": (
        "exporter_iso3 importer_iso3 hs6_code hs_revision year value_usd net_weight_kg vintage_at "
        "snapshot_id"
    ),
    "dependency.supplier_shares": (
        "importer_iso3 mineral_group frequency period_start measure supplier_iso3 amount share "
        "supplier_rank source valuation is_provisional"
    ),
    "dependency.import_concentration": (
        "importer_iso3 mineral_group frequency period_start measure total_amount hhi hhi_high "
        "hhi_normalised cr1_share cr3_share effective_suppliers top_supplier_iso3 "
        "top_supplier_share partner_coverage_share source is_provisional"
    ),
    "dependency.production_shares": (
        "material stage year economy_iso3 source amount_t share world_total_t is_estimate"
    ),
    "dependency.production_concentration": (
        "material stage year source hhi cr1_share cr3_share top_producer_iso3 "
        "hhi_governance_weighted governance_coverage_share"
    ),
    "exposure.measures": (
        "measure_id clause_id title official_reference implementer_iso3 target_iso3 target_class "
        "target_name instrument_type gta_code direction announced_date effective_date ended_date "
        "known_at evidence_class source source_url"
    ),
    "exposure.measure_status": "clause_id valid_from valid_to status because",
    "exposure.measure_scope": (
        "clause_id hs6_code mineral control_share_low control_share_high basis source_codes "
        "correction_reason"
    ),
    "exposure.milestones": (
        "milestone_id kind title project economy_iso3 announced_date event_date planned_date "
        "ended_date statement evidence_class source source_url known_at"
    ),
    "market.prices": (
        "instrument price_date close adjusted_close currency unit source is_derived"
    ),
    "market.performance": (
        "instrument window window_start window_end return_share annualised_volatility "
        "max_drawdown_share sessions"
    ),
    "catalog.releases": (
        "release_id published_at as_of contract_version code_version duckdb_version"
    ),
    "catalog.sources": (
        "source title publisher licence is_redistributable cadence url enabled is_fetched "
        "last_asked_at last_answer last_vintage_at latest_period"
    ),
    "catalog.snapshots": "snapshot_id source retrieved_at sha256 bytes media_type request",
    "catalog.coverage": (
        "source table_name reporter_iso3 flow frequency period_start asked_at rows snapshot_id"
    ),
    "catalog.checks": (
        "layer table_name check_name engine severity status observed failing_rows"
    ),
    "catalog.columns": "schema_name table_name column_name data_type unit description",
    "catalog.claims": (
        "claim_id statement claimed_by claimed_at claimed_low claimed_high basis computed_low "
        "computed_high verdict explanation"
    ),
    "catalog.claim_findings": "claim_id basis value unit period is_inside source",
}  # fmt: skip
"""The columns of the published contract, by hand: a suite may look at these and no others."""

MEMBERS = [f"M{number:02}" for number in range(27)]

GOOD: Mapping[str, Sequence[Row]] = {
    "reference.economies": [
        {"economy_iso3": "JPN", "name": "Japan", "name_ja": "日本", "m49_code": "392",
         "is_eu27": False},
        *({"economy_iso3": code, "name": code, "name_ja": "国", "m49_code": None, "is_eu27": False}
          for code in ("CHN", "USA", "VNM", "_X", "WLD")),
        *({"economy_iso3": code, "name": code, "name_ja": "ドイツ", "m49_code": "276",
           "is_eu27": True} for code in MEMBERS),
    ],
    "reference.minerals": [
        {"mineral": "dysprosium", "symbol": "Dy", "name_ja": "ジスプロシウム",
         "family": "heavy_rare_earth", "is_rare_earth": True},
        *({"mineral": mineral, "symbol": None, "name_ja": "黒鉛", "family": "other",
           "is_rare_earth": False}
          for mineral in ("gallium", "germanium", "graphite", "neodymium", "praseodymium",
                          "samarium", "terbium", "yttrium")),
    ],
    "reference.commodities": [
        {"hs6_code": code, "hs_revision": "HS2022", "description": "Magnets",
         "product_form": "magnet"} for code in ("850511", "280530", "284610", "284690", "081340")
    ],
    "reference.mineral_groups": [
        {"mineral_group": group, "name": "Rare earths", "name_ja": "希土類"}
        for group in ("rare_earths", "permanent_magnets", "natural_graphite",
                      "artificial_graphite", "hs_850511")
    ],
    "reference.mineral_group_codes": [
        {"mineral_group": "rare_earths", "hs6_code": code, "hs_revision": "HS2022"}
        for code in ("280530", "284610", "284690")
    ] + [{"mineral_group": "hs_850511", "hs6_code": "850511", "hs_revision": "HS2022"}],
    "reference.commodity_minerals": [
        {"hs6_code": "284690", "content_share_low": 0.0, "content_share_high": 1.0,
         "basis": "several", "source": "HS 2022"},
    ],
    "reference.nomenclature_breaks": [
        {"hs6_code": "811292", "hs_revision_before": "HS2002", "hs_revision_after": "HS2007",
         "reason": "Germanium came in", "source": "HS 2007"},
    ],
    "reference.materials": [
        {"label": "Rare earths: Mine production", "material": "rare_earths"},
        {"label": "Natural graphite", "material": "natural_graphite"},
    ],
    "reference.mineral_abundance": [
        {"mineral": mineral, "element": element, "crust_ppm_low": 1.0, "crust_ppm_high": 2.0}
        for mineral, element in (
            ("copper", "Cu"), ("dysprosium", "Dy"), ("neodymium", "Nd"), ("tin", "Sn"),
        )
    ],
    "reference.end_uses": [
        {"mineral": "neodymium", "sector": "Manufacture of fabricated metal products",
         "nace2_code": "C25", "use_share": 0.8, "applications": "Magnets"},
        {"mineral": "gallium", "sector": "other", "nace2_code": None, "use_share": 0.0,
         "applications": "Others"},
    ],
    "reference.instruments": [
        {"instrument": name, "kind": "fx", "currency": "JPY", "unit": "JPY per USD",
         "frequency": "D", "market_timezone": zone}
        for name, zone in (("USDJPY", "Europe/Berlin"), ("CNYJPY", "UTC"), ("EURUSD", "UTC"),
                           ("EURJPY", "America/Argentina/Buenos_Aires"), ("EURCNY", "UTC"))
    ],
    "trade.reported_flows": [
        {"reporter_iso3": "JPN", "flow": "import", "commodity_code": "284690", "is_basket": False,
         "frequency": "A", "period_start": date(2024, 1, 1), "value_usd": 4.427e8,
         "net_weight_kg": 2.2406e7, "valuation": "CIF", "vintage_at": datetime(2025, 7, 1)},
        {"reporter_iso3": "JPN", "flow": "import", "commodity_code": "rare_earths",
         "is_basket": True, "frequency": "M", "period_start": date(2024, 7, 1), "value_usd": None,
         "net_weight_kg": 0.0, "valuation": None, "vintage_at": datetime(2026, 11, 25, 23)},
    ],
    "trade.baci_flows": [
        {"importer_iso3": "JPN", "hs6_code": "850511", "hs_revision": "HS2022", "year": 2024,
         "value_usd": 1.5688e8, "net_weight_kg": 3.7e6, "vintage_at": datetime(2026, 1, 31)},
        {"importer_iso3": "_X", "hs6_code": "081340", "hs_revision": "HS1992", "year": 2026,
         "value_usd": 1.0, "net_weight_kg": None, "vintage_at": datetime(2026, 11, 25, 23)},
    ],
    "dependency.supplier_shares": [
        {"importer_iso3": "JPN", "mineral_group": "rare_earths", "frequency": "A",
         "period_start": date(2024, 1, 1), "measure": "net_weight_kg", "supplier_iso3": "CHN",
         "amount": 1.5975e7, "share": 0.713, "supplier_rank": 1},
        {"importer_iso3": "JPN", "mineral_group": "rare_earths", "frequency": "A",
         "period_start": date(2024, 1, 1), "measure": "value_usd", "supplier_iso3": "_X",
         "amount": 0.0, "share": 1.0 + 1e-12, "supplier_rank": None},
    ],
    "dependency.import_concentration": [
        {"importer_iso3": "JPN", "mineral_group": "rare_earths", "frequency": "A",
         "period_start": date(2024, 1, 1), "measure": "net_weight_kg", "total_amount": 2.2406e7,
         "hhi": 0.526, "hhi_high": 0.55, "hhi_normalised": 0.5, "cr1_share": 0.713,
         "cr3_share": 0.9, "effective_suppliers": 1.0, "top_supplier_share": 0.713,
         "partner_coverage_share": 0.84},
    ],
    "dependency.production_shares": [
        # China's 900 t and others' 9 t of a total rounded to 900 t.
        {"material": "gallium", "stage": "processing", "year": 2025, "economy_iso3": "CHN",
         "amount_t": 909.0, "share": 1.01, "world_total_t": 900.0},
        {"material": "gallium", "stage": "processing", "year": 2025, "economy_iso3": "KOR",
         "amount_t": None, "share": None, "world_total_t": 900.0},
        {"material": "neodymium", "stage": "processing", "year": 2023, "economy_iso3": "CHN",
         "amount_t": None, "share": 0.849, "world_total_t": None},
    ],
    "dependency.production_concentration": [
        {"material": "gallium", "stage": "processing", "year": 2025, "hhi": 1.0201,
         "cr1_share": 1.01, "cr3_share": 1.01, "top_producer_iso3": "CHN",
         "hhi_governance_weighted": 10.2, "governance_coverage_share": 1.0},
        {"material": "rhenium", "stage": "reserves", "year": 2024, "hhi": 0.3, "cr1_share": 0.5,
         "cr3_share": None, "top_producer_iso3": "CHL", "hhi_governance_weighted": None,
         "governance_coverage_share": 0.0},
    ],
    "exposure.measures": [
        {"title": "Seven rare earths", "implementer_iso3": "CHN", "target_iso3": "ALL",
         "target_class": "all", "target_name": "", "direction": "restrict",
         "announced_date": date(2025, 4, 4), "effective_date": date(2025, 4, 4),
         "known_at": date(2025, 4, 4), "evidence_class": "official",
         "source_url": "https://exportcontrol.mofcom.gov.cn/"},
        {"title": "Twenty entities", "implementer_iso3": "CHN", "target_iso3": "JPN",
         "target_class": "entity", "target_name": "one", "direction": "restrict",
         "announced_date": date(2026, 2, 24), "effective_date": None,
         "known_at": date(2026, 2, 24), "evidence_class": "official", "source_url": None},
    ],
    "exposure.measure_status": [
        {"valid_from": date(2025, 10, 9), "valid_to": date(2025, 11, 7), "status": "announced",
         "because": "57/2025"},
        {"valid_from": date(2025, 11, 7), "valid_to": None, "status": "ended",
         "because": "70/2025"},
    ],
    "exposure.measure_scope": [
        {"hs6_code": "284690", "mineral": "all_rare_earths", "control_share_low": 0.0,
         "control_share_high": 1.0, "basis": "heading"},
    ],
    "exposure.milestones": [
        {"kind": "supply_project", "title": "Trial", "economy_iso3": "JPN",
         "event_date": date(2026, 1, 12), "evidence_class": "reported",
         "known_at": date(2025, 12, 23), "source_url": "https://www.jamstec.go.jp/"},
    ],
    "market.prices": [
        {"instrument": name, "price_date": day, "close": close, "adjusted_close": close,
         "currency": "JPY", "unit": "per"}
        for name, close in (("USDJPY", 153.9), ("CNYJPY", 21.6), ("EURUSD", 1.16),
                            ("EURJPY", 178.3), ("EURCNY", 8.23))
        for day in (date(2026, 10, 29), date(2026, 10, 30))
    ],
    "market.performance": [
        {"instrument": "REMX", "window": "since_2025_06_30", "window_start": date(2025, 6, 30),
         "window_end": date(2026, 8, 5), "return_share": 0.818, "annualised_volatility": 0.497,
         "max_drawdown_share": -0.41, "sessions": 276},
        {"instrument": "GOLD", "window": "all", "window_start": date(1960, 1, 1),
         "window_end": date(2026, 10, 1), "return_share": 129.0, "annualised_volatility": None,
         "max_drawdown_share": 0.0, "sessions": 1},
    ],
    "catalog.releases": [
        {"release_id": "20261125T120000-abc", "contract_version": "1.0",
         "code_version": "0.1.0+83e2935", "duckdb_version": "2.0.1"},
    ],
    "catalog.sources": [
        {"source": name, "title": "T", "publisher": "P", "licence": "CC BY 4.0",
         "cadence": cadence, "enabled": True, "is_fetched": is_fetched, "last_vintage_at": at,
         "last_answer": "ok" if is_fetched else "not_asked"}
        for name, cadence, is_fetched, at in (
            ("ecb", "daily", True, datetime(2026, 10, 30)),
            ("comtrade_baskets", "annual", True, datetime(2025, 7, 1)),
            ("catalogue", "edited by hand", True, datetime(2019, 1, 1)),
            ("pink_sheet", "monthly", False, datetime(2020, 1, 1)),
        )
    ],
    "catalog.snapshots": [
        {"sha256": "0a" * 32, "bytes": 1234, "request": "GET /v1?fmt=json&key=REDACTED&a=b"},
    ],
    "catalog.coverage": [
        {"table_name": table, "flow": flow, "frequency": frequency, "period_start": start,
         "asked_at": datetime(2026, 11, 24), "rows": rows}
        for table, flow, frequency, start, rows in (
            ("trade_flows", "import", "M", date(2025, 6, 1), 40),
            ("trade_flows", "import", "A", date(2025, 1, 1), 0),
            ("price_quotes", "", "D", date(2026, 10, 30), 3),
        )
    ],
    "catalog.checks": [
        {"engine": "dbt", "severity": "error", "status": "passed", "failing_rows": 0},
        {"engine": "great_expectations", "severity": "warn", "status": "failed",
         "failing_rows": 2},
    ],
    "catalog.columns": [
        {"schema_name": schema, "column_name": "value_usd", "data_type": "double", "unit": "USD",
         "description": "Value in US dollars."}
        for schema in ("trade", "reference", "dependency", "exposure", "market", "catalog")
    ] + [{"schema_name": "trade", "column_name": "flow", "data_type": "VARCHAR", "unit": None,
          "description": "Direction."}],
    "catalog.claims": [
        {"statement": "More than 60 %", "claimed_by": "METI", "claimed_at": date(2025, 1, 1),
         "claimed_low": 0.6, "claimed_high": 1.0, "computed_low": 0.44, "computed_high": 0.713,
         "verdict": "depends_on_basis", "explanation": "By weight yes, by value no."},
        {"statement": "A feeling", "claimed_by": "X", "claimed_at": date(2025, 1, 1),
         "claimed_low": None, "claimed_high": 1.0, "computed_low": None, "computed_high": None,
         "verdict": "not_testable", "explanation": "No figure."},
    ],
    "catalog.claim_findings": [
        {"basis": basis, "value": value, "unit": unit, "period": period, "source": source}
        for basis, value, unit, period, source in (
            ("net_weight_kg", 0.713, "share_of_weight", "2024", "comtrade"),
            ("rare_earths, usgs_mcs 2025", 1.04, "share_of_output", "2025", "usgs_mcs"),
            ("JPN 2026-01-01", 0.94, "share_of_days", "2026-01-01/2026-03-31", "catalogue"),
            ("cerium / copper", 1.11, "times_as_abundant", None, "crc_handbook, rudnick_gao"),
            ("ytd", -0.2, "return", "2025-12-31/2026-08-05", "equity_indices"),
            ("none", None, "t", "2025-10", None),
        )
    ],
}  # fmt: skip


def without(table: str, column: str, value: object) -> Sequence[Row]:
    return [row for row in GOOD[table] if row[column] != value]


CODES: Mapping[str, Defect] = {"hs6_code_has_six_digits": ({"hs6_code": "81340"}, 1)}
EDITION: Mapping[str, Defect] = {"hs_revision_is_a_known_edition": ({"hs_revision": "H6"}, 1)}
SHARES_IN_COMMON: Mapping[str, Defect] = {
    "measure_is_value_or_weight": ({"measure": "value"}, 1),
    "frequency_is_annual_or_monthly": ({"frequency": "Y"}, 1),
    "mineral_group_is_known": ({"mineral_group": "magnets"}, 1),
    "period_starts_on_its_first_day": ({"period_start": date(2024, 12, 31)}, 1),
    "period_start_is_not_after_the_day_of_the_build": ({"period_start": date(2027, 1, 1)}, 1),
    "importer_is_one_economy": ({"importer_iso3": "WLD"}, 1),
}
PRODUCTION_IN_COMMON: Mapping[str, Defect] = {
    "stage_is_known": ({"stage": "refining"}, 1),
    "material_is_a_name": ({"material": "Rare earths"}, 1),
    "first_day_of_year_is_not_after_the_day_of_the_build": ({"year": 2052}, 1),
}
RATIOS = (
    "hhi", "hhi_high", "hhi_normalised", "cr1_share", "cr3_share", "top_supplier_share",
    "partner_coverage_share",
)  # fmt: skip

DEFECTS: Mapping[str, Mapping[str, Defect]] = {
    "reference.economies": {
        "there_is_at_least_one_row": ([], 0),
        "the_well_known_are_there": (without("reference.economies", "economy_iso3", "_X"), 0),
        "name_is_not_blank": ({"name": " "}, 1),
        # Shift-JIS read as Latin-1.
        "name_ja_is_in_japanese": ({"name_ja": "“ú–{"}, 1),
        "m49_code_has_three_digits": ({"m49_code": "4"}, 1),
        # The United Kingdom, still.
        "the_european_union_has_27_members": ({"is_eu27": True}, 0),
    },
    "reference.minerals": {
        "there_is_at_least_one_row": ([], 0),
        "family_is_known": ({"family": "medium_rare_earth"}, 1),
        "the_controlled_minerals_are_there": ({"mineral": "Dysprosium"}, 0),
        "a_light_or_heavy_rare_earth_is_a_rare_earth": ({"is_rare_earth": False}, 1),
        "symbol_is_that_of_an_element": ({"symbol": "Dy2O3"}, 1),
        "name_ja_is_in_japanese": ({"name_ja": "Dysprosium"}, 1),
    },
    "reference.commodities": {
        **CODES,
        **EDITION,
        "there_is_at_least_one_row": ([], 0),
        "product_form_is_known": ({"product_form": "oxide"}, 1),
        "description_is_not_blank": ({"description": ""}, 1),
        "rare_earths_and_magnets_are_there": (
            without("reference.commodities", "hs6_code", "850511"),
            0,
        ),
    },
    "reference.mineral_groups": {
        "there_is_at_least_one_row": ([], 0),
        "the_named_groups_are_there": ({"mineral_group": "rare_earth"}, 0),
        "mineral_group_is_a_name": ({"mineral_group": "Rare earths"}, 1),
        "name_is_not_blank": ({"name": ""}, 1),
        "name_ja_is_in_japanese": ({"name_ja": "?????"}, 1),
    },
    "reference.mineral_group_codes": {
        **CODES,
        **EDITION,
        "there_is_at_least_one_row": ([], 0),
        "rare_earths_have_their_three_codes": ({"hs6_code": "280519"}, 0),
        "a_group_of_one_code_bears_its_number": ({"mineral_group": "hs_284690"}, 1),
    },
    "reference.commodity_minerals": {
        **CODES,
        "there_is_at_least_one_row": ([], 0),
        "content_share_low_is_between_0_and_1": ({"content_share_low": -1.0}, 1),
        "content_share_high_is_between_0_and_1": ({"content_share_high": 100.0}, 1),
        "content_share_low_is_not_above_high": (
            {"content_share_low": 1.0, "content_share_high": 0.5},
            1,
        ),
        "basis_is_not_blank": ({"basis": ""}, 1),
        "source_is_not_blank": ({"source": " "}, 1),
    },
    "reference.nomenclature_breaks": {
        **CODES,
        "there_is_at_least_one_row": ([], 0),
        "edition_is_named_as_in_the_flows": ({"hs_revision_after": "2007"}, 1),
        "reason_is_not_blank": ({"reason": ""}, 1),
        "source_is_not_blank": ({"source": " "}, 1),
    },
    "reference.materials": {
        "label_is_not_blank": ({"label": ""}, 1),
        "material_is_a_name": ({"material": "rare earths"}, 1),
    },
    "reference.mineral_abundance": {
        "element_is_a_symbol": ({"element": "copper"}, 1),
        "crust_ppm_low_is_positive": ({"crust_ppm_low": 0.0}, 1),
        "crust_ppm_low_is_not_above_high": ({"crust_ppm_low": 3.0}, 1),
        "rare_earths_and_what_they_are_held_against_are_covered": ({"mineral": "Copper"}, 0),
    },
    "reference.end_uses": {
        "use_share_is_between_0_and_1": ({"use_share": 80.0}, 1),
        "sector_is_not_blank": ({"sector": ""}, 1),
        "applications_is_not_blank": ({"applications": " "}, 1),
        "nace2_code_is_a_division": ({"nace2_code": "C25.4"}, 1),
        "the_residual_is_of_no_division": ({"sector": "other"}, 1),
        "magnets_and_semiconductors_are_covered": ({"mineral": "Neodymium"}, 0),
    },
    "reference.instruments": {
        "there_is_at_least_one_row": ([], 0),
        "kind_is_known": ({"kind": "rate"}, 1),
        "frequency_is_daily_monthly_or_annual": ({"frequency": "W"}, 1),
        "currency_is_an_iso_4217_code": ({"currency": "yen"}, 1),
        "market_timezone_is_an_iana_name": ({"market_timezone": "JST"}, 1),
        "the_exchange_rates_are_there": ({"instrument": "JPYUSD"}, 0),
        "unit_is_not_blank": ({"unit": ""}, 1),
    },
    "trade.reported_flows": {
        "flow_is_import_export_or_their_returns": ({"flow": "RX"}, 1),
        "frequency_is_annual_or_monthly": ({"frequency": "Q"}, 1),
        "valuation_is_cif_or_fob": ({"valuation": "cif"}, 1),
        "code_is_an_hs6_code": ({"commodity_code": "2846901000"}, 1),
        "basket_is_a_known_mineral_group": ({"is_basket": True}, 1),
        "period_starts_on_its_first_day": ({"period_start": date(2024, 2, 1)}, 1),
        "value_usd_is_not_negative": ({"value_usd": -1.0}, 1),
        "net_weight_kg_is_not_negative": ({"net_weight_kg": -1.0}, 1),
        "period_start_is_not_after_the_day_of_the_build": ({"period_start": date(2027, 1, 1)}, 1),
        "vintage_at_is_not_after_the_day_of_the_build": (
            {"vintage_at": datetime(2026, 11, 27)},
            1,
        ),
        "unit_value_is_plausible": ({"net_weight_kg": 22.0}, 1),
        "japan_is_covered": ([{**GOOD["trade.reported_flows"][0], "reporter_iso3": "KOR"}], 0),
    },
    "trade.baci_flows": {
        **CODES,
        **EDITION,
        "year_is_at_least_1988": ({"year": 24}, 1),
        "first_day_of_year_is_not_after_the_day_of_the_build": ({"year": 2027}, 1),
        "vintage_at_is_not_after_the_day_of_the_build": (
            {"vintage_at": datetime(2026, 11, 27)},
            1,
        ),
        "net_weight_kg_is_not_negative": ({"net_weight_kg": -1.0}, 1),
        # A value in dollars beside a weight that went through a thousand once too often.
        "unit_value_is_plausible": ({"net_weight_kg": 3.7}, 1),
        "japan_is_covered": ([{**GOOD["trade.baci_flows"][0], "importer_iso3": "KOR"}], 0),
    },
    "dependency.supplier_shares": {
        **SHARES_IN_COMMON,
        "japan_is_covered": (
            [{**GOOD["dependency.supplier_shares"][0], "importer_iso3": "KOR"}],
            0,
        ),
        "share_is_between_0_and_1": ({"share": 71.3}, 1),
        "amount_is_not_negative": ({"amount": -1.0}, 1),
        "supplier_rank_is_at_least_1": ({"supplier_rank": 0}, 1),
        "supplier_is_not_the_world": ({"supplier_iso3": "WLD"}, 1),
        "supplier_is_not_the_importer": ({"supplier_iso3": "JPN"}, 1),
        "the_unpublished_part_has_no_rank": ({"supplier_iso3": "_X"}, 1),
    },
    "dependency.import_concentration": {
        **SHARES_IN_COMMON,
        "japan_is_covered": ({"importer_iso3": "KOR"}, 0),
        **{f"{ratio}_is_between_0_and_1": ({ratio: 1.01}, 1) for ratio in RATIOS},
        "total_amount_is_positive": ({"total_amount": 0.0}, 1),
        "effective_suppliers_is_at_least_1": ({"effective_suppliers": 0.526}, 1),
    },
    "dependency.production_shares": {
        **PRODUCTION_IN_COMMON,
        "share_is_between_0_and_1_within_rounding": ({"share": 84.9}, 1),
        "a_share_of_a_total_has_an_amount": ({"amount_t": None}, 1),
        "china_is_covered": ([{**GOOD["dependency.production_shares"][0], "economy_iso3": "C"}], 0),
    },
    "dependency.production_concentration": {
        **PRODUCTION_IN_COMMON,
        "hhi_is_between_0_and_1_within_rounding": ({"hhi": 7325.0}, 1),
        "cr1_share_is_between_0_and_1_within_rounding": ({"cr1_share": 84.9}, 1),
        "cr3_share_is_between_0_and_1_within_rounding": ({"cr3_share": 97.3}, 1),
        "governance_coverage_share_is_between_0_and_1": ({"governance_coverage_share": 1.01}, 1),
        # A rank of 0 to 100 read as an estimate.
        "hhi_governance_weighted_is_between_0_and_10_within_rounding": (
            {"hhi_governance_weighted": 97.0},
            1,
        ),
        "top_producer_is_one_economy": ({"top_producer_iso3": "_X"}, 1),
    },
    "exposure.measures": {
        "direction_is_known": ({"direction": "ban"}, 1),
        "target_class_is_known": ({"target_class": "everyone"}, 1),
        "target_class_all_means_every_economy": ({"target_class": "economy"}, 1),
        "evidence_class_is_known": ({"evidence_class": "A"}, 1),
        "implementer_is_a_known_economy": ({"implementer_iso3": "EU"}, 1),
        "target_is_a_known_economy": ({"target_iso3": "all"}, 1),
        "title_is_not_blank": ({"title": ""}, 1),
        "entities_are_named": ({"target_class": "entity", "target_iso3": "JPN"}, 1),
        "known_at_is_not_after_the_day_of_the_build": ({"known_at": date(2026, 12, 1)}, 1),
        "measure_is_not_effective_before_it_is_announced": (
            {"effective_date": date(2025, 4, 3)},
            1,
        ),
        "source_url_is_a_web_address": ({"source_url": "mofcom.gov.cn"}, 1),
    },
    "exposure.measure_status": {
        "status_is_known": ({"status": "paused"}, 1),
        "interval_is_not_empty": ({"valid_to": date(2025, 10, 9)}, 1),
        "because_is_not_blank": ({"because": ""}, 1),
        "interval_begins_within_five_years_from_now": ({"valid_from": date(2052, 1, 1)}, 1),
        "the_last_word_is_open_or_followed": ({"status": "ended"}, 1),
    },
    "exposure.measure_scope": {
        "hs6_code_has_six_digits": ({"hs6_code": "8505"}, 1),
        "mineral_is_a_name": ({"mineral": "REE all"}, 1),
        "basis_is_known": ({"basis": "ten_digit"}, 1),
        "control_share_low_is_between_0_and_1": ({"control_share_low": -0.5}, 1),
        "control_share_high_is_between_0_and_1": ({"control_share_high": 1.5}, 1),
        "control_share_low_is_not_above_high": ({"control_share_low": 1.5}, 1),
    },
    "exposure.milestones": {
        "kind_is_known": ({"kind": "news"}, 1),
        "evidence_class_is_known": ({"evidence_class": "C"}, 1),
        "economy_is_a_known_economy": ({"economy_iso3": "JAP"}, 1),
        "title_is_not_blank": ({"title": "  "}, 1),
        "event_date_is_not_after_the_day_of_the_build": ({"event_date": date(2027, 2, 1)}, 1),
        "known_at_is_not_after_the_day_of_the_build": ({"known_at": date(2027, 2, 1)}, 1),
        "source_url_is_a_web_address": ({"source_url": "jamstec"}, 1),
    },
    "market.prices": {
        "close_is_positive": ({"close": 0.0}, 1),
        "adjusted_close_is_positive": ({"adjusted_close": -1.0}, 1),
        "exchange_rate_is_not_implausibly_low": ({"close": 1 / 153.9}, 1),
        "exchange_rate_is_not_implausibly_high": ({"close": 15390.0}, 1),
        "currency_is_an_iso_4217_code": ({"currency": "JPY/USD"}, 1),
        "unit_is_not_blank": ({"unit": ""}, 1),
        "price_date_is_not_after_the_day_of_the_build": ({"price_date": date(2026, 12, 24)}, 1),
        "close_is_between_half_and_double_the_one_before": ({"close": 60.0}, 1),
        "the_exchange_rates_are_covered": (without("market.prices", "instrument", "USDJPY"), 0),
    },
    "market.performance": {
        "window_is_known": ({"window": "1Y"}, 1),
        "return_share_is_above_minus_1": ({"return_share": -1.0}, 1),
        "max_drawdown_share_is_between_minus_1_and_0": ({"max_drawdown_share": 0.41}, 1),
        "annualised_volatility_is_not_negative": ({"annualised_volatility": -0.5}, 1),
        # In per cent.
        "annualised_volatility_is_below_3": ({"annualised_volatility": 49.7}, 1),
        "sessions_is_at_least_1": ({"sessions": 0}, 1),
        "window_end_is_not_after_the_day_of_the_build": ({"window_end": date(2027, 8, 5)}, 1),
    },
    "catalog.releases": {
        "there_is_at_least_one_row": ([], 0),
        "contract_version_is_a_version": ({"contract_version": "latest"}, 1),
        "duckdb_version_is_a_version": ({"duckdb_version": "2"}, 1),
        "release_id_is_not_blank": ({"release_id": ""}, 1),
        "code_version_is_not_blank": ({"code_version": ""}, 1),
    },
    "catalog.sources": {
        "there_is_at_least_one_row": ([], 0),
        "the_sources_of_the_first_answer_are_there": (
            without("catalog.sources", "source", "ecb"),
            0,
        ),
        "cadence_is_known": ({"cadence": "weekly"}, 1),
        "title_is_not_blank": ({"title": ""}, 1),
        "publisher_is_not_blank": ({"publisher": ""}, 1),
        "licence_is_not_blank": ({"licence": ""}, 1),
        "last_answer_is_known": ({"last_answer": "404"}, 1),
        "last_vintage_at_is_not_after_the_day_of_the_build": (
            {"last_vintage_at": datetime(2026, 12, 24)},
            1,
        ),
        "daily_sources_have_figures_of_the_last_90_days": (
            {"last_vintage_at": datetime(2026, 8, 1)},
            1,
        ),
        "monthly_sources_have_figures_of_the_last_200_days": (
            {"cadence": "monthly", "last_vintage_at": datetime(2026, 4, 1)},
            1,
        ),
        "annual_sources_have_figures_of_the_last_900_days": (
            {"cadence": "annual", "last_vintage_at": datetime(2024, 4, 1)},
            1,
        ),
    },
    "catalog.snapshots": {
        "sha256_is_64_hex_digits": ({"sha256": "0a"}, 1),
        "bytes_is_positive": ({"bytes": 0}, 1),
        "request_is_not_blank": ({"request": ""}, 1),
        "request_shows_no_credential": ({"request": "GET /v1?fmt=json&key=abc123def456"}, 1),
    },
    "catalog.coverage": {
        "table_name_is_not_blank": ({"table_name": ""}, 1),
        "flow_is_import_export_or_their_returns": ({"flow": "M"}, 1),
        "frequency_is_annual_monthly_or_daily": ({"frequency": "Q"}, 1),
        "period_starts_on_its_first_day": ({"period_start": date(2025, 6, 30)}, 1),
        "rows_is_not_negative": ({"rows": -1}, 1),
        "period_start_is_not_after_the_day_of_the_build": ({"period_start": date(2027, 1, 1)}, 1),
        "asked_at_is_not_after_the_day_of_the_build": ({"asked_at": datetime(2026, 12, 24)}, 1),
    },
    "catalog.checks": {
        "engine_is_known": ({"engine": "pandera"}, 1),
        "severity_is_known": ({"severity": "fatal"}, 1),
        "status_is_known": ({"status": "pass"}, 1),
        "failing_rows_is_not_negative": ({"failing_rows": -1}, 1),
        "a_passed_check_has_no_failing_rows": ({"failing_rows": 3}, 1),
    },
    "catalog.columns": {
        "there_is_at_least_one_row": ([], 0),
        "every_schema_is_described": (without("catalog.columns", "schema_name", "market"), 0),
        "description_is_not_blank": ({"description": " "}, 1),
        "data_type_is_one_of_the_contract": ({"data_type": "hugeint[]"}, 1),
        "a_figure_has_its_unit": ({"unit": None}, 1),
    },
    "catalog.claims": {
        "verdict_is_known": ({"verdict": "true"}, 1),
        "statement_is_not_blank": ({"statement": ""}, 1),
        "claimed_by_is_not_blank": ({"claimed_by": ""}, 1),
        "explanation_is_not_blank": ({"explanation": ""}, 1),
        "claimed_low_is_not_above_high": ({"claimed_high": 0.5}, 1),
        "computed_low_is_not_above_high": ({"computed_low": 0.8}, 1),
        "a_verdict_rests_on_a_figure": ({"computed_low": None, "computed_high": None}, 1),
        "a_statement_that_is_judged_gives_a_bound": (
            {"claimed_low": None, "claimed_high": None},
            1,
        ),
        "claimed_at_is_not_after_the_day_of_the_build": ({"claimed_at": date(2028, 1, 1)}, 1),
    },
    "catalog.claim_findings": {
        "basis_is_not_blank": ({"basis": " "}, 1),
        "unit_is_known": ({"unit": "percent"}, 1),
        # A share in per cent.
        "a_share_lies_between_0_and_1_within_rounding": ({"value": 71.3}, 1),
        "a_ratio_or_an_amount_is_not_negative": ({"value": -1.0, "unit": "t"}, 1),
        "period_is_a_year_a_month_or_an_interval": ({"period": "Oct 2025"}, 1),
        "a_value_has_a_source": ({"source": None}, 1),
    },
}

EVERY_RULE = [(suite, rule) for suite in MART_SUITES.values() for rule in suite.rules]


def frame_of(table: str, rows: Sequence[Row]) -> pl.DataFrame:
    """The rows with the types of the good ones."""
    good = pl.DataFrame([dict(row) for row in GOOD[table]], infer_schema_length=None)
    return pl.DataFrame([dict(row) for row in rows], schema=good.schema)


def test_every_mart_of_the_contract_has_a_suite() -> None:
    assert set(MART_SUITES) == set(COLUMNS)


@pytest.mark.parametrize("suite", MART_SUITES.values(), ids=lambda suite: suite.table)
def test_every_rule_looks_at_columns_of_the_contract(suite: Suite) -> None:
    promised = set(COLUMNS[suite.table].split())
    assert {name for rule in suite.rules for name in rule.columns} <= promised


@pytest.mark.parametrize("suite", MART_SUITES.values(), ids=lambda suite: suite.table)
def test_rows_of_a_right_model_pass_every_rule(suite: Suite) -> None:
    results = evaluate(frame_of(suite.table, GOOD[suite.table]), suite, today=TODAY)
    assert [(r.check_name, r.observed) for r in results if r.status != "passed"] == []


@pytest.mark.parametrize(
    ("suite", "rule"), EVERY_RULE, ids=[f"{suite.table}.{rule.name}" for suite, rule in EVERY_RULE]
)
def test_every_rule_catches_the_defect_it_is_for(suite: Suite, rule: Rule) -> None:
    defect, offending = DEFECTS[suite.table][rule.name]
    result = ask(suite, rule, frame_of(suite.table, changed(GOOD[suite.table], defect)))
    assert (result.status, result.failing_rows) == ("failed", offending), result.observed


@pytest.mark.parametrize(
    "table",
    sorted(
        name
        for name in MART_SUITES
        if name.split(".")[0] not in {"reference", "catalog"}
        or name in {"catalog.claims", "catalog.claim_findings", "catalog.snapshots"}
        or name in {"catalog.checks", "catalog.coverage"}
        or name in {"reference.materials", "reference.mineral_abundance", "reference.end_uses"}
    ),
)
def test_a_table_that_nothing_fills_yet_does_not_keep_a_build_from_being_published(
    table: str,
) -> None:
    results = evaluate(frame_of(table, GOOD[table]).clear(), MART_SUITES[table], today=TODAY)
    assert [r.check_name for r in results if r.severity == "error" and r.status != "passed"] == []


def test_the_same_rows_are_from_the_future_in_a_build_as_of_an_earlier_day() -> None:
    suite = MART_SUITES["trade.reported_flows"]
    frame = frame_of(suite.table, GOOD[suite.table])
    results = evaluate(frame, suite, today=date(2024, 12, 31))
    failed = {result.check_name: result.failing_rows for result in results if result.failing_rows}
    assert failed == {"vintage_at_is_not_after_the_day_of_the_build": 2}
