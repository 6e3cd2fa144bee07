"""Rows of `market.event_studies` that hold, and a change that breaks each rule."""

from collections.abc import Sequence
from datetime import date

from tests.unit.quality.seeded import MARKET_ANSWERS, Defects, Row

JUDGED: Row = {
    "event_id": "CN-2026-1", "event_kind": "clause", "instrument": "REMX",
    "model": "constant_mean", "window_from": -1, "window_to": 1,
    "event_date": date(2026, 1, 6), "session_date": date(2026, 1, 6), "market_instrument": None,
    "alpha": 0.002, "estimation_days": 250, "estimation_to": date(2025, 11, 20),
    "window_start": date(2026, 1, 5), "window_end": date(2026, 1, 7), "car": 0.0965,
    "standard_error": 0.0449, "t_statistic": 2.15, "p_value": 0.032, "p_value_rank": 0.025,
    "p_value_bh": 0.51, "p_value_rank_bh": 0.29, "ci95_low": 0.008, "ci95_high": 0.185,
    "is_contaminated": True, "contaminated_by": ["CN-2026-01-CIVIL-USE"], "reason": None,
}  # fmt: skip

GOOD: Sequence[Row] = [
    JUDGED,
    {**JUDGED, "instrument": "6762.T", "model": "market", "market_instrument": "PEERS_6762.T"},
    {
        **JUDGED, "window_to": 10, "reason": "event_window_not_complete", "window_start": None,
        "window_end": None, "is_contaminated": False, "contaminated_by": [],
        **dict.fromkeys(
            ("car", "standard_error", "t_statistic", "p_value", "p_value_rank", "p_value_bh",
             "p_value_rank_bh", "ci95_low", "ci95_high")
        ),
    },
    # Its day is not known, and so neither is its session.
    {
        **dict.fromkeys(JUDGED), "event_id": "XX-1", "event_kind": "milestone",
        "instrument": "REMX", "model": "constant_mean", "window_from": 0, "window_to": 0,
        "event_date": date(2026, 1, 1), "reason": "day_not_known",
    },
]  # fmt: skip

DEFECTS: Defects = {
    **MARKET_ANSWERS,
    "event_kind_is_known": ({"event_kind": "other_news"}, 1),
    "reason_is_known": ({"reason": "no luck"}, 1),
    "interval_begins_below_the_estimate": ({"ci95_low": 0.1}, 1),
    "interval_ends_above_the_estimate": ({"ci95_high": 0.09}, 1),
    "there_are_statistics_or_a_reason": ({"p_value": None}, 1),
    "p_value_is_between_0_and_1": ({"p_value": -0.1}, 1),
    "p_value_rank_is_between_0_and_1": ({"p_value_rank": -0.1}, 1),
    "p_value_bh_is_between_0_and_1": ({"p_value_bh": 1.1}, 1),
    "p_value_rank_bh_is_between_0_and_1": ({"p_value_rank_bh": 1.1}, 1),
    "adjusting_for_many_tests_never_lowers_a_p_value": ({"p_value_bh": 0.031}, 1),
    "adjusting_for_many_tests_never_lowers_a_rank_p_value": ({"p_value_rank_bh": 0.024}, 1),
    "estimation_days_is_not_negative": ({"estimation_days": -1}, 1),
    "estimates_rest_on_enough_sessions": ({"estimation_days": 119}, 1),
    "estimation_ends_before_the_window_begins": ({"estimation_to": date(2026, 1, 5)}, 1),
    "session_is_not_before_the_day_of_the_event": ({"event_date": date(2026, 1, 8)}, 1),
    "what_is_contaminated_says_by_what": ({"contaminated_by": []}, 1),
    "window_end_is_not_after_the_day_of_the_build": ({"window_end": date(2026, 12, 24)}, 1),
    "abnormal_return_is_below_half": ({"car": -0.9, "ci95_low": -0.99}, 1),
}
