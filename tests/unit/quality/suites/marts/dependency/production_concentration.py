"""Rows of `dependency.production_concentration` that hold, and a change that breaks each rule."""

from collections.abc import Sequence

from tests.unit.quality.seeded import PRODUCTION_IN_COMMON, Defects, Row

GOOD: Sequence[Row] = [
    {"material": "gallium", "stage": "processing", "year": 2025, "hhi": None,
     "cr1_share": 1.0, "cr3_share": None, "top_share_high": 1.0, "top_producer_iso3": "CHN",
     "hhi_governance_weighted": None, "governance_coverage_share": 1.0,
     "hhi_trade_weighted": None, "shannon_entropy": 0.03,
     "reason": "The producers add up to more than the rounded total."},
    {"material": "rhenium", "stage": "reserves", "year": 2024, "hhi": 0.3, "cr1_share": 0.5,
     "cr3_share": 0.9, "top_share_high": 0.51, "top_producer_iso3": "CHL",
     "hhi_governance_weighted": 1.2, "governance_coverage_share": 0.5, "hhi_trade_weighted": 0.33,
     "shannon_entropy": 0.9, "reason": None},
]  # fmt: skip

DEFECTS: Defects = {
    **PRODUCTION_IN_COMMON,
    "hhi_is_between_0_and_1": ({"hhi": 7325.0}, 1),
    "cr1_share_is_between_0_and_1": ({"cr1_share": 84.9}, 1),
    # Gallium of 2025, of a total rounded down.
    "cr3_share_is_between_0_and_1": ({"cr3_share": 1.01}, 1),
    "top_share_high_is_between_0_and_1": ({"top_share_high": 65.5}, 1),
    "shannon_entropy_is_not_negative": ({"shannon_entropy": -0.1}, 1),
    "hhi_trade_weighted_is_between_0_and_2": ({"hhi_trade_weighted": 7218.0}, 1),
    "reason_is_not_blank": ({"reason": ""}, 1),
    "governance_coverage_share_is_between_0_and_1": ({"governance_coverage_share": 1.01}, 1),
    # A rank of 0 to 100 read as an estimate.
    "hhi_governance_weighted_is_between_0_and_10": ({"hhi_governance_weighted": 97.0}, 1),
    "top_producer_is_one_economy": ({"top_producer_iso3": "_X"}, 1),
}
