"""Rows of `dependency.production_concentration` that hold, and a change that breaks each rule."""

from collections.abc import Sequence

from tests.unit.quality.seeded import PRODUCTION_IN_COMMON, Defects, Row

GOOD: Sequence[Row] = [
    {"material": "gallium", "stage": "processing", "year": 2025, "hhi": 1.0201,
     "cr1_share": 1.01, "cr3_share": 1.01, "top_producer_iso3": "CHN",
     "hhi_governance_weighted": 10.2, "governance_coverage_share": 1.0},
    {"material": "rhenium", "stage": "reserves", "year": 2024, "hhi": 0.3, "cr1_share": 0.5,
     "cr3_share": None, "top_producer_iso3": "CHL", "hhi_governance_weighted": None,
     "governance_coverage_share": 0.0},
]  # fmt: skip

DEFECTS: Defects = {
    **PRODUCTION_IN_COMMON,
    "hhi_is_between_0_and_1_within_rounding": ({"hhi": 7325.0}, 1),
    "cr1_share_is_between_0_and_1_within_rounding": ({"cr1_share": 84.9}, 1),
    "cr3_share_is_between_0_and_1_within_rounding": ({"cr3_share": 97.3}, 1),
    "governance_coverage_share_is_between_0_and_1": ({"governance_coverage_share": 1.01}, 1),
    # A rank of 0 to 100 read as an estimate.
    "hhi_governance_weighted_is_between_0_and_10_within_rounding": (
        {"hhi_governance_weighted": 97.0},
        1,
    ),
    "top_producer_is_one_economy": ({"top_producer_iso3": "_X"}, 1),
}
