"""Rows of `dependency.sourcing_concentration` that hold, and a change that breaks each rule."""

from collections.abc import Sequence

from tests.unit.quality.seeded import PRODUCTION_IN_COMMON, Defects, Row

GOOD: Sequence[Row] = [
    {"material": "aggregates", "stage": "extraction", "year": 2023, "hhi": 0.13, "cr3_share": 0.5,
     "governance_coverage_share": 1.0, "top_producer_iso3": "DEU"},
    # Rounded shares that sum to a little more than 1.
    {"material": "hafnium", "stage": "processing", "year": 2023, "hhi": 0.7, "cr3_share": 1.011,
     "governance_coverage_share": 1.0, "top_producer_iso3": "FRA"},
]  # fmt: skip

DEFECTS: Defects = {
    **PRODUCTION_IN_COMMON,
    "hhi_is_between_0_and_a_little_above_1": ({"hhi": 1300.0}, 1),
    "cr3_share_is_between_0_and_a_little_above_1": ({"cr3_share": 50.0}, 1),
    "governance_coverage_share_is_between_0_and_1": ({"governance_coverage_share": 1.2}, 1),
    "top_producer_is_one_economy": ({"top_producer_iso3": "WLD"}, 1),
}
