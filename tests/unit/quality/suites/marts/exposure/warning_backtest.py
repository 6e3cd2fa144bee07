"""Rows of `exposure.warning_backtest` that hold, and a change that breaks each rule."""

from collections.abc import Sequence

from tests.unit.quality.seeded import Defects, Row

GOOD: Sequence[Row] = [
    {"episode": "one", "signal": "volume_drop", "frequency": "M", "verdict": "fired",
     "days_before_effective": 31, "false_alarms_in_quiet_years": 2, "quiet_periods": 48,
     "reason": "First fired in June 2023, which was over 31 days before the clause took effect."},
    {"episode": "two", "signal": "price_surge", "frequency": "A", "verdict": "missed",
     "days_before_effective": -184, "false_alarms_in_quiet_years": 0, "quiet_periods": 0,
     "reason": "First fired in 2010, which was over 184 days after the clause took effect."},
]  # fmt: skip

DEFECTS: Defects = {
    "signal_is_of_figures": ({"signal": "new_restriction"}, 1),
    "frequency_is_known": ({"frequency": "Q"}, 1),
    "verdict_is_known": ({"verdict": "late"}, 1),
    "reason_is_not_blank": ({"reason": ""}, 1),
    "quiet_periods_is_not_negative": (
        {"quiet_periods": -1, "false_alarms_in_quiet_years": -1}, 1,
    ),
    "false_alarms_in_quiet_years_is_not_negative": ({"false_alarms_in_quiet_years": -1}, 1),
    "false_alarms_are_of_quiet_periods": ({"false_alarms_in_quiet_years": 49}, 1),
    "what_has_fired_did_so_before_the_effect": ({"days_before_effective": -1}, 1),
    "what_was_missed_did_not_fire_in_time": ({"verdict": "missed"}, 1),
}  # fmt: skip
