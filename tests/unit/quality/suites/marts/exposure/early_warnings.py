"""Rows of `exposure.early_warnings` that hold, and a change that breaks each rule."""

from collections.abc import Sequence
from datetime import date

from tests.unit.quality.seeded import Defects, Row

GOOD: Sequence[Row] = [
    {"frequency": "M", "period_start": date(2023, 12, 1), "signal": "volume_drop", "clause_id": "",
     "severity": "high", "value": 2_725_725.0, "threshold": 9.0e6, "unit": "kg", "usual": 1.5e7,
     "scaled_mads": 6.3, "basis": "comparable_periods", "observations": 36,
     "explanation": "Exports of 250410 from China in December 2023: 2,726 t."},
    {"frequency": "A", "period_start": date(2011, 1, 1), "signal": "price_surge", "clause_id": "",
     "severity": "low", "value": 20.0, "threshold": 20.0, "unit": "usd_per_kg", "usual": 5.0,
     "scaled_mads": None, "basis": "periods_before", "observations": 5,
     "explanation": "Imports of rare earths by Japan in 2011: USD 20.00 per kg."},
    {"frequency": "M", "period_start": date(2026, 12, 1), "signal": "lapse_ahead",
     "clause_id": "CN-2024-46-2", "severity": "low", "value": 6.0, "threshold": 30.0,
     "unit": "days", "usual": None, "scaled_mads": None, "basis": None, "observations": None,
     "explanation": "The suspension ends on 2026-12-01, in 6 days."},
    {"frequency": "M", "period_start": date(2024, 12, 1), "signal": "new_restriction",
     "clause_id": "CN-2024-46-2", "severity": "medium", "value": None, "threshold": 0.0,
     "unit": "share_of_value", "usual": None, "scaled_mads": None, "basis": None,
     "observations": None, "explanation": "CN-2024-46-2 was known on 2024-12-03."},
]  # fmt: skip

DEFECTS: Defects = {
    "frequency_is_known": ({"frequency": "Q"}, 1),
    "period_starts_on_its_first_day": ({"period_start": date(2023, 12, 2)}, 1),
    "signal_is_known": ({"signal": "boycott"}, 1),
    "severity_is_known": ({"severity": "severe"}, 1),
    "unit_is_known": ({"unit": "t"}, 1),
    "basis_is_known": ({"basis": "trend"}, 1),
    "explanation_is_not_blank": ({"explanation": ""}, 1),
    "value_is_not_negative": ({"value": -1.0}, 1),
    "observations_is_at_least_5": ({"observations": 4}, 1),
    "scaled_mads_is_at_least_3": ({"scaled_mads": 2.9}, 1),
    "signals_of_clauses_name_their_clause_and_others_none": ({"clause_id": "CN-2023-39"}, 1),
    "signals_of_figures_say_what_is_usual_and_how_it_is_known": ({"usual": None}, 1),
    "figure_is_beyond_its_threshold": ({"value": 9.1e6}, 1),
    "only_a_lapse_is_ahead": ({"period_start": date(2026, 12, 1)}, 1),
}
