"""Rows of `trade.reported_flows` that hold, and a change that breaks each rule."""

from collections.abc import Sequence
from datetime import date, datetime

from tests.unit.quality.seeded import Defects, Row

GOOD: Sequence[Row] = [
    {"reporter_iso3": "JPN", "flow": "import", "commodity_code": "284690", "is_basket": False,
     "frequency": "A", "period_start": date(2024, 1, 1), "value_usd": 4.427e8,
     "net_weight_kg": 2.2406e7, "valuation": "CIF", "vintage_at": datetime(2025, 7, 1)},
    {"reporter_iso3": "JPN", "flow": "import", "commodity_code": "rare_earths",
     "is_basket": True, "frequency": "M", "period_start": date(2024, 7, 1), "value_usd": None,
     "net_weight_kg": 0.0, "valuation": None, "vintage_at": datetime(2026, 11, 25, 23)},
]  # fmt: skip

DEFECTS: Defects = {
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
    "japan_is_covered": ([{**GOOD[0], "reporter_iso3": "KOR"}], 0),
}
