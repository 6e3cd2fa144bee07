"""Rows of `exposure.importer_exposure` that hold, and a change that breaks each rule."""

from collections.abc import Sequence
from datetime import date

from tests.unit.quality.seeded import Defects, Row

GOOD: Sequence[Row] = [
    {"commodity_code": "280530", "baseline_frequency": "A", "baseline_from": date(2024, 1, 1),
     "baseline_to": date(2024, 12, 31), "baseline_gap_years": 1, "baseline_value_usd": 50.0,
     "baseline_weight_kg": None, "baseline_share": 0.5, "control_share_low": 0.0,
     "control_share_high": 1.0, "exposed_value_low_usd": 0.0, "exposed_value_high_usd": 50.0,
     "exposed_share_low": 0.0, "exposed_share_high": 0.5, "other_exporters_share": None,
     "reason": None, "current_reason": None, "current_value_usd": None},
    {"commodity_code": "rare_earth_magnets", "baseline_frequency": "M",
     "baseline_from": date(2024, 10, 1), "baseline_to": date(2025, 9, 30),
     "baseline_gap_years": 0, "baseline_value_usd": 10.0, "baseline_weight_kg": 0.0,
     "baseline_share": 1.0, "control_share_low": 1.0, "control_share_high": 1.0,
     "exposed_value_low_usd": 10.0, "exposed_value_high_usd": 10.0, "exposed_share_low": 1.0,
     "exposed_share_high": 1.0, "other_exporters_share": 0.25, "reason": None,
     "current_reason": "no_figures"},
    # Nothing came before the clause, and something comes today.
    {"commodity_code": "261710", "baseline_frequency": "A", "baseline_from": date(2023, 1, 1),
     "baseline_to": date(2023, 12, 31), "baseline_gap_years": 0, "baseline_value_usd": 0.0,
     "baseline_share": 0.0, "control_share_low": 1.0, "control_share_high": 1.0,
     "exposed_value_low_usd": 0.0, "exposed_value_high_usd": 0.0, "exposed_share_low": 0.0,
     "exposed_share_high": 0.0, "reason": None, "current_reason": None,
     "current_value_usd": 5.0},
    # Exports of the restricting economy alone; and nobody's figures.
    {"commodity_code": "380110", "baseline_frequency": "M", "baseline_from": date(2022, 10, 1),
     "baseline_to": date(2023, 9, 30), "baseline_gap_years": 0, "baseline_value_usd": 10.0,
     "control_share_low": 0.0, "control_share_high": 1.0, "exposed_value_low_usd": 0.0,
     "exposed_value_high_usd": 10.0, "reason": "exports_only", "current_reason": "no_figures"},
    {"commodity_code": "810199", "control_share_low": 0.0, "control_share_high": 1.0,
     "reason": "no_figures", "current_reason": "no_figures"},
]  # fmt: skip

DEFECTS: Defects = {
    "baseline_frequency_is_annual_or_monthly": ({"baseline_frequency": "Q"}, 1),
    "commodity_is_a_code_or_a_group": ({"commodity_code": "80530"}, 1),
    "period_starts_on_its_first_day": ({"baseline_from": date(2024, 1, 31)}, 1),
    "baseline_is_of_twelve_months": ({"baseline_to": date(2024, 6, 30)}, 1),
    "baseline_to_is_not_after_the_day_of_the_build": ({"baseline_to": date(2027, 12, 31)}, 1),
    "baseline_is_at_most_a_year_older_than_it_should_be": ({"baseline_gap_years": 2}, 1),
    "baseline_value_or_current_value_is_positive": ({"baseline_value_usd": 0.0}, 1),
    "baseline_value_usd_is_not_negative": ({"baseline_value_usd": -1.0}, 1),
    "baseline_weight_kg_is_not_negative": ({"baseline_weight_kg": -1.0}, 1),
    "baseline_share_is_between_0_and_1": ({"baseline_share": 24.4}, 1),
    "control_share_low_is_between_0_and_1": ({"control_share_low": -0.5}, 1),
    "control_share_high_is_between_0_and_1": ({"control_share_high": 1.5}, 1),
    "exposed_share_low_is_between_0_and_1": ({"exposed_share_low": -0.5}, 1),
    "exposed_share_high_is_between_0_and_1": ({"exposed_share_high": 1.5}, 1),
    "other_exporters_share_is_between_0_and_1": ({"other_exporters_share": 78.0}, 1),
    "current_reason_is_known": ({"current_reason": "withheld"}, 1),
    "reason_is_known": ({"reason": "withheld"}, 1),
    "exposed_value_low_usd_is_not_negative": ({"exposed_value_low_usd": -1.0}, 1),
    "control_share_low_is_not_above_high": ({"control_share_high": -1.0}, 1),
    "exposed_share_low_is_not_above_high": ({"exposed_share_high": -1.0}, 1),
    "exposed_value_low_is_not_above_high": ({"exposed_value_high_usd": -1.0}, 1),
    "exposed_value_is_not_above_what_was_bought": ({"exposed_value_high_usd": 51.0}, 1),
}
