"""Rows of `exposure.joint_exposure` that hold, and a change that breaks each rule."""

from collections.abc import Sequence
from datetime import date

from tests.unit.quality.seeded import Defects, Row

GOOD: Sequence[Row] = [
    {"commodity_code": "280530", "valid_from": date(2025, 4, 4), "valid_to": date(2026, 1, 6),
     "exposed_share_low": 0.0, "exposed_share_high": 0.5, "exposed_value_low_usd": 0.0,
     "exposed_value_high_usd": 50.0, "reason": None, "current_reason": None},
    {"commodity_code": "rare_earth_magnets", "valid_from": date(2026, 1, 6), "valid_to": None,
     "exposed_share_low": 1.0, "exposed_share_high": 1.0, "exposed_value_low_usd": 10.0,
     "exposed_value_high_usd": 10.0, "reason": None, "current_reason": "no_figures"},
    {"commodity_code": "810199", "valid_from": date(2026, 1, 6), "valid_to": None,
     "reason": "no_figures", "current_reason": "no_figures"},
]  # fmt: skip

DEFECTS: Defects = {
    "commodity_is_a_code_or_a_group": ({"commodity_code": "80530"}, 1),
    "interval_is_not_empty": ({"valid_to": date(2025, 4, 4)}, 1),
    "current_reason_is_known": ({"current_reason": "withheld"}, 1),
    "reason_is_known": ({"reason": "withheld"}, 1),
    "exposed_share_low_is_between_0_and_1": ({"exposed_share_low": -0.5}, 1),
    "exposed_share_high_is_between_0_and_1": ({"exposed_share_high": 1.5}, 1),
    "exposed_value_low_usd_is_not_negative": ({"exposed_value_low_usd": -1.0}, 1),
    "exposed_share_low_is_not_above_high": ({"exposed_share_high": -1.0}, 1),
    "exposed_value_low_is_not_above_high": ({"exposed_value_high_usd": -1.0}, 1),
}
