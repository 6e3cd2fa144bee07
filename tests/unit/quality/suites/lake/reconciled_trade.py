"""Rows of `reconciled_trade` that hold, and a change that breaks each rule."""

import math
from collections.abc import Sequence
from datetime import date

from tests.unit.quality.seeded import PROVENANCE, Defects, Row

RECONCILED: Row = {
    **PROVENANCE, "exporter_iso3": "CHN", "importer_iso3": "JPN", "hs6_code": "850511",
    "hs_revision": "HS2022", "period_start": date(2024, 1, 1), "value_usd": 156_880_000.0,
    "net_weight_kg": 3_700_000.0,
}  # fmt: skip

GOOD: Sequence[Row] = [
    RECONCILED,
    {**RECONCILED, "exporter_iso3": "VNM", "net_weight_kg": None},
    {**RECONCILED, "hs_revision": "HS2017"},
]

DEFECTS: Defects = {
    "there_is_at_least_one_row": ([], 0),
    "required_columns_are_filled": ({"importer_iso3": None}, 1),
    "one_row_per_flow": ([*GOOD, RECONCILED], 2),
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
}
