"""Rows of `trade.reconciled_flows` that hold, and a change that breaks each rule."""

from collections.abc import Sequence
from datetime import datetime

from tests.unit.quality.seeded import CODES, EDITION, Defects, Row

GOOD: Sequence[Row] = [
    {"hs6_code": "850511", "hs_revision": "HS2017", "year": 2024, "value_usd": 1.5486e8,
     "net_weight_kg": 3.99e6, "basis": "two_sided", "exporter_weight_share": 0.261,
     "cif_markup_ln": 0.0145, "exporter_error_variance": 0.88, "importer_error_variance": 0.32,
     "vintage_at": datetime(2025, 11, 24)},
    {"hs6_code": "081340", "hs_revision": "HS2022", "year": 2026, "value_usd": 1.0,
     "net_weight_kg": None, "basis": "exporter_only", "exporter_weight_share": 1.0,
     "cif_markup_ln": None, "exporter_error_variance": None, "importer_error_variance": None,
     "vintage_at": datetime(2026, 11, 25, 23)},
]  # fmt: skip

DEFECTS: Defects = {
    **CODES,
    **EDITION,
    "year_is_at_least_1988": ({"year": 24}, 1),
    "first_day_of_year_is_not_after_the_day_of_the_build": ({"year": 2027}, 1),
    "vintage_at_is_not_after_the_day_of_the_build": ({"vintage_at": datetime(2026, 11, 27)}, 1),
    "basis_is_a_known_word": ({"basis": "mirrored"}, 1),
    "net_weight_kg_is_not_negative": ({"net_weight_kg": -1.0}, 1),
    "exporter_weight_share_is_between_0_and_1": ({"exporter_weight_share": 1.2}, 1),
    "error_variances_are_positive": ({"importer_error_variance": 0.0}, 1),
    "cif_markup_ln_is_not_negative": ({"cif_markup_ln": -0.1}, 1),
    "unit_value_is_plausible": ({"net_weight_kg": 3.7}, 1),
}
