"""Rows of `national_trade` that hold, and a change that breaks each rule."""

import math
from collections.abc import Sequence
from datetime import date

from tests.unit.quality.seeded import PROVENANCE, Defects, Row

LINE: Row = {
    **PROVENANCE, "reporter_iso3": "JPN", "partner_code": "105", "partner_iso3": "CHN",
    "flow": "import", "national_code": "280530010", "hs6_code": "280530",
    "hs_revision": "HS2022", "period_start": date(2026, 1, 1), "value_local": 98_000_000.0,
    "currency": "JPY", "valuation": "CIF", "freight_local": None, "insurance_local": None,
    "quantity": 12_000.0, "quantity_unit": "KG", "net_weight_kg": 12_000.0,
}  # fmt: skip

GOOD: Sequence[Row] = [
    LINE,
    {**LINE, "partner_code": "110", "partner_iso3": "VNM", "net_weight_kg": None},
    {**LINE, "flow": "export", "valuation": "FOB"},
]

DEFECTS: Defects = {
    "there_is_at_least_one_row": ([], 0),
    "required_columns_are_filled": ({"currency": None}, 1),
    "one_row_per_line": ([*GOOD, LINE], 2),
    "reporter_is_a_known_economy": ({"reporter_iso3": "392"}, 1),
    "partner_is_a_known_economy": ({"partner_iso3": "CN"}, 1),
    "flow_is_import_export_or_their_returns": ({"flow": "2"}, 1),
    "valuation_is_cif_or_fob": ({"valuation": "cif"}, 1),
    "national_code_has_eight_to_ten_digits": ({"national_code": "280530"}, 1),
    "code_is_an_hs6_code": ({"hs6_code": "28053"}, 1),
    "code_says_its_hs_edition": ({"hs_revision": "H6"}, 1),
    "currency_is_a_code_of_three_letters": ({"currency": "円"}, 1),
    # A country that the customs added, and no list has yet.
    "partner_code_is_in_the_list": ({"partner_code": "999", "partner_iso3": None}, 1),
    "the_union_trades_with_what_is_outside_it": (
        {"reporter_iso3": "EU27", "partner_iso3": "DEU"},
        1,
    ),
    "period_is_since_1988_and_has_begun": ({"period_start": date(2204, 1, 1)}, 1),
    "period_is_a_month": ({"period_start": date(2026, 1, 31)}, 1),
    "figures_are_finite_numbers": ({"value_local": math.inf}, 1),
    "value_local_is_not_negative": ({"value_local": -1.0}, 1),
    "net_weight_kg_is_not_negative": ({"net_weight_kg": -1.0}, 1),
    "value_local_is_at_most_a_thousand_million_million": ({"value_local": 9.8e16}, 1),
    "net_weight_kg_is_at_most_a_million_million": ({"net_weight_kg": 1.2e13}, 1),
}
