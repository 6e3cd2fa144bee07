"""Rows of `trade_flows` that hold, and a change that breaks each rule."""

import math
from collections.abc import Sequence
from datetime import date

from tests.unit.quality.seeded import PROVENANCE, Defects, Row

FLOW: Row = {
    **PROVENANCE, "reporter_iso3": "JPN", "partner_iso3": "CHN", "flow": "import",
    "commodity_code": "284690", "is_basket": False, "hs_revision": "HS2022", "frequency": "A",
    "period_start": date(2024, 1, 1), "value_usd": 44.0, "net_weight_kg": 71.3, "valuation": "CIF",
}  # fmt: skip

GOOD: Sequence[Row] = [
    FLOW,
    {**FLOW, "partner_iso3": "VNM", "value_usd": 56.0, "net_weight_kg": None},
    {**FLOW, "partner_iso3": "WLD", "value_usd": 100.0},
    {
        **FLOW, "commodity_code": "rare_earths", "is_basket": True, "hs_revision": None,
        "frequency": "M", "period_start": date(2024, 7, 1),
    },
]  # fmt: skip

DEFECTS: Defects = {
    "there_is_at_least_one_row": ([], 0),
    "required_columns_are_filled": ({"partner_iso3": None}, 1),
    # The breakdown's column was lost: by sea and by air are now the same flow.
    "one_row_per_flow": ([*GOOD, {**FLOW, "value_usd": 3.0}], 2),
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
    "partners_do_not_exceed_the_total": (
        [
            {**flow, "commodity_code": code, "value_usd": 200.0}
            if flow["partner_iso3"] == "CHN"
            else {**flow, "commodity_code": code}
            for code in ("280530", "284610", "284690")
            for flow in GOOD[:3]
        ],
        3,
    ),
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
}
