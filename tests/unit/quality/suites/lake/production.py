"""Rows of `production` that hold, and a change that breaks each rule."""

import math
from collections.abc import Sequence

from tests.unit.quality.seeded import PROVENANCE, Defects, Row

FIGURE: Row = {
    **PROVENANCE, "label": "Gallium: Primary production", "stage": "processing",
    "scope_iso3": "WLD", "economy_iso3": "CHN", "year": 2024, "reference_period": "2024",
    "edition": 2026, "amount_t": 750.0,
    "share": None, "bound": "exact", "flag": "estimated", "trade_parameter": None,
    "printed": "750,000",
}  # fmt: skip

GOOD: Sequence[Row] = [
    FIGURE,
    {**FIGURE, "economy_iso3": "_X", "amount_t": None, "flag": "not_available", "printed": "NA"},
    {**FIGURE, "economy_iso3": "USA", "amount_t": 0.0, "flag": "zero", "printed": "—"},
    {**FIGURE, "stage": "reserves", "economy_iso3": "WLD", "amount_t": 9e7, "bound": "above",
     "flag": "reported", "printed": ">90,000,000"},
    {**FIGURE, "scope_iso3": "EU27", "reference_period": "2016/2020", "amount_t": None,
     "share": 0.0005, "bound": "below", "flag": "reported", "trade_parameter": 0.8,
     "printed": "<0.1%"},
]  # fmt: skip

DEFECTS: Defects = {
    "there_is_at_least_one_row": ([], 0),
    "required_columns_are_filled": ({"flag": None}, 1),
    # Two forms of a mineral under one label.
    "one_row_per_figure": ([*GOOD, {**FIGURE, "amount_t": 1.0}], 2),
    "economy_is_a_known_economy": ({"economy_iso3": "China8"}, 1),
    "scope_is_a_known_economy": ({"scope_iso3": "Global"}, 1),
    "stage_is_known": ({"stage": "E"}, 1),
    "bound_is_known": ({"bound": "<"}, 1),
    "flag_is_known": ({"flag": "W"}, 1),
    "year_is_plausible": ({"year": 20245}, 1),
    "reference_period_is_a_year_or_an_interval_of_years": (
        {"reference_period": "2016-2020"},
        1,
    ),
    "figures_are_finite_numbers": ({"amount_t": math.inf}, 1),
    "amount_t_is_not_negative": ({"amount_t": -750.0}, 1),
    # Two years of one economy run together.
    "amount_t_is_not_above_the_largest_of_reserves": ({"amount_t": 750_000_750_000.0e3}, 1),
    # The percentage of a share in the next column.
    "trade_parameter_is_between_0_and_10": ({"trade_parameter": 84.9}, 1),
    "share_is_between_0_and_1": ({"share": 84.9}, 1),
    "figure_that_is_not_printed_has_no_amount": ({"flag": "withheld"}, 1),
    "figure_that_is_printed_has_an_amount_or_a_share": ({"amount_t": None}, 1),
}
