"""Rows of `claims` that hold, and a change that breaks each rule."""

from collections.abc import Sequence
from datetime import date

from tests.unit.quality.seeded import PROVENANCE, Defects, Row

CLAIM: Row = {
    **PROVENANCE, "claim_id": "jp-2024-60", "statement": "More than 60 %", "claimed_by": "METI",
    "claimed_at": date(2025, 1, 1), "claimed_low": 0.6, "is_low_excluded": True,
    "claimed_high": 1.0, "test": "supplier_share",
    "is_same_return": False, "evidence_ids": [], "importer_iso3": "JPN", "supplier_iso3": "CHN",
    "mineral_group": "rare_earths", "known_at": date(2025, 1, 1),
}  # fmt: skip

GOOD: Sequence[Row] = [
    CLAIM,
    {
        **CLAIM, "claim_id": "jp-2014-t", "test": "reported_flow", "claimed_low": 22306.0,
        "claimed_high": None, "mineral_group": None, "commodity_code": "rare_earths",
        "flow": "import", "frequency": "A", "period_start": date(2014, 1, 1),
    },
    {
        **CLAIM, "claim_id": "cn-lever", "test": "none", "claimed_low": None, "claimed_high": None,
        "missing": "What each economy buys.", "importer_iso3": None, "supplier_iso3": None,
        "mineral_group": None,
    },
    # The day of the statement is not known, only when it was noted.
    {**CLAIM, "claim_id": "jp-2009-85", "claimed_at": None},
]  # fmt: skip

DEFECTS: Defects = {
    "there_is_at_least_one_row": ([], 0),
    "required_columns_are_filled": ({"claimed_by": None}, 1),
    "one_row_per_claim": ([*GOOD, CLAIM], 2),
    "importer_is_a_known_economy": ({"importer_iso3": "Japan"}, 1),
    "supplier_is_a_known_economy": ({"supplier_iso3": "PRC"}, 1),
    "mineral_group_is_known": ({"mineral_group": "rare earths"}, 1),
    "claim_gives_a_bound": ({"claimed_low": None, "claimed_high": None}, 1),
    "claim_that_no_figure_decides_says_what_is_missing": ({"test": "none"}, 1),
    "stage_is_known": ({"stage": "refining"}, 1),
    "flow_is_import_or_export": ({"flow": "re_export"}, 1),
    "frequency_is_annual_or_monthly": ({"frequency": "Q"}, 1),
    "nace2_code_is_a_division": ({"nace2_code": "25"}, 1),
    "claimed_low_is_not_above_high": ({"claimed_low": 0.9, "claimed_high": 0.6}, 1),
    "claimed_share_low_is_between_0_and_1": ({"claimed_low": 60.0}, 1),
    "claimed_share_high_is_between_0_and_1": ({"claimed_high": 100.0}, 1),
    "claimed_at_is_not_in_the_future": ({"claimed_at": date(2035, 1, 1)}, 1),
    "source_url_is_a_web_address": ({"source_url": "METI"}, 1),
}
