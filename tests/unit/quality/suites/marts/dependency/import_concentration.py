"""Rows of `dependency.import_concentration` that hold, and a change that breaks each rule."""

from collections.abc import Sequence
from datetime import date

from tests.unit.quality.seeded import SHARES_IN_COMMON, Defects, Row

RATIOS = (
    "hhi", "hhi_low", "hhi_high", "hhi_normalised", "cr1_share", "cr3_share", "top_supplier_share",
    "partner_coverage_share",
)  # fmt: skip

GOOD: Sequence[Row] = [
    {"importer_iso3": "JPN", "mineral_group": "rare_earths", "frequency": "A",
     "period_start": date(2024, 1, 1), "measure": "net_weight_kg", "total_amount": 2.2406e7,
     "hhi": 0.526, "hhi_low": 0.526, "hhi_high": 0.55, "hhi_normalised": 0.5, "cr1_share": 0.713,
     "cr3_share": 0.9, "effective_suppliers": 1.0, "top_supplier_share": 0.713,
     "partner_coverage_share": 0.84},
]  # fmt: skip

DEFECTS: Defects = {
    **SHARES_IN_COMMON,
    "japan_is_covered": ({"importer_iso3": "KOR"}, 0),
    **{f"{ratio}_is_between_0_and_1": ({ratio: 1.01}, 1) for ratio in RATIOS},
    "total_amount_is_positive": ({"total_amount": 0.0}, 1),
    "effective_suppliers_is_at_least_1": ({"effective_suppliers": 0.526}, 1),
}
