"""Rows of `dependency.indirect_dependence` that hold, and a change that breaks each rule."""

from collections.abc import Sequence

from tests.unit.quality.seeded import Defects, Row

GOOD: Sequence[Row] = [
    {"year": 2024, "depth": 1, "direct_share": 0.276, "indirect_share_low": 0.0,
     "indirect_share_high": 0.342, "total_share_low": 0.276, "total_share_high": 0.618,
     "hub_share": 0.249, "assumption": "imports_alone", "reason": None},
    {"year": 2010, "depth": 2, "direct_share": 0.6, "indirect_share_low": None,
     "indirect_share_high": None, "total_share_low": None, "total_share_high": None,
     "hub_share": None, "assumption": "not_known", "reason": "no_flows_of_hubs"},
]  # fmt: skip

DEFECTS: Defects = {
    "depth_is_in_range": ({"depth": 3}, 1),
    "first_day_of_year_is_not_after_the_day_of_the_build": ({"year": 2052}, 1),
    "direct_share_is_in_range": ({"direct_share": 27.6}, 1),
    "indirect_share_low_is_in_range": ({"indirect_share_low": -0.1}, 1),
    "indirect_share_high_is_in_range": ({"indirect_share_high": 1.2}, 1),
    "total_share_low_is_in_range": ({"total_share_low": 1.2}, 1),
    "total_share_high_is_in_range": ({"total_share_high": 1.2}, 1),
    "hub_share_is_in_range": ({"hub_share": 24.9}, 1),
    "assumption_is_known": ({"assumption": "guess"}, 1),
    "reason_is_known": ({"reason": "unknown"}, 1),
}
