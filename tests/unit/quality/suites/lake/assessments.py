"""Rows of `assessments` that hold, and a change that breaks each rule."""

from collections.abc import Sequence

from tests.unit.quality.seeded import PROVENANCE, Defects, Row

ASSESSMENT: Row = {
    **PROVENANCE, "assessment": "EC 2017", "year": 2017, "label": "Antimony",
    "stage": "processing", "supply_risk": 4.3, "economic_importance": 4.3,
    "import_reliance": 1.0, "import_reliance_raw": None, "eol_recycling_rate": 0.28,
    "supply_used": "global_and_consumer",
    "substitution_index_economic": 0.91, "substitution_index_supply": 0.93,
    "hhi_global_supply": 7.1, "hhi_consumer_sourcing": 5.7,
}  # fmt: skip

RESULT: Row = {
    **PROVENANCE, "assessment": "EC 2011", "year": 2011, "label": "Antimony", "stage": None,
    "supply_risk": 2.6, "economic_importance": None,
}  # fmt: skip

GOOD: Sequence[Row] = [
    ASSESSMENT,
    {**ASSESSMENT, "stage": "extraction", "supply_used": "consumer"},
    RESULT,
    {**RESULT, "assessment": "EC 2014", "year": 2014},
]

DEFECTS: Defects = {
    "there_is_at_least_one_row": ([], 0),
    "required_columns_are_filled": ({"assessment": None}, 1),
    # The study prints no stage: two results of it are still one too many.
    "one_row_per_result": ([*GOOD, {**RESULT, "supply_risk": 2.5}], 2),
    "stage_is_extraction_or_processing": ({"stage": "reserves"}, 1),
    "supply_used_is_known": ({"supply_used": "GS + EUS"}, 1),
    "year_is_plausible": ({"year": 2107}, 1),
    "import_reliance_is_between_0_and_1": ({"import_reliance": 100.0}, 1),
    # -12 per cent.
    "import_reliance_raw_is_at_most_1": ({"import_reliance_raw": -12.0}, 1),
    "eol_recycling_rate_is_between_0_and_1": ({"eol_recycling_rate": 28.0}, 1),
    "supply_risk_is_between_0_and_10": ({"supply_risk": 43.0}, 1),
    "economic_importance_is_between_0_and_10": ({"economic_importance": 43.0}, 1),
    "substitution_index_economic_is_between_0_and_1": (
        {"substitution_index_economic": 91.0},
        1,
    ),
    "substitution_index_supply_is_between_0_and_1": ({"substitution_index_supply": -0.93}, 1),
    # On the scale of 10,000.
    "hhi_global_supply_is_between_0_and_10": ({"hhi_global_supply": 7100.0}, 1),
    "hhi_consumer_sourcing_is_between_0_and_10": ({"hhi_consumer_sourcing": 57.0}, 1),
}
