"""Rows of `reference.supply_projects` that hold, and a change that breaks each rule."""

from collections.abc import Sequence
from datetime import date

from tests.unit.quality.seeded import Defects, Row

GOOD: Sequence[Row] = [
    {"stage": "separation", "product": "Dy and Tb oxide", "basis": "dy_tb_oxide",
     "figure_of": "capacity",
     "status": "building", "economy_iso3": "FRA", "capacity_t_low": 590.0,
     "capacity_t_high": 600.0, "as_of": date(2025, 3, 19), "date_precision": "day",
     "source_url": "https://example.org/lacq"},
    {"stage": "magnet", "product": "NdFeB magnets", "basis": "magnets", "figure_of": "output",
     "status": "operating",
     "economy_iso3": None, "capacity_t_low": 23750.0, "capacity_t_high": None,
     "as_of": date(2025, 9, 30), "date_precision": "month", "source_url": None},
]  # fmt: skip

DEFECTS: Defects = {
    "stage_is_known": ({"stage": "refinery"}, 1),
    "basis_is_known": ({"basis": "oxide"}, 1),
    "figure_of_is_known": ({"figure_of": "plan"}, 1),
    "status_is_known": ({"status": "soon"}, 1),
    "date_precision_is_known": ({"date_precision": "week"}, 1),
    "economy_is_a_known_economy": ({"economy_iso3": "FR"}, 1),
    "product_is_not_blank": ({"product": " "}, 1),
    "capacity_t_low_is_in_range": ({"capacity_t_low": -1.0}, 1),
    "capacity_t_high_is_in_range": ({"capacity_t_high": 2e6}, 1),
    "capacity_low_is_not_above_high": ({"capacity_t_low": 601.0}, 1),
    "as_of_is_not_after_the_day_of_the_build": ({"as_of": date(2052, 1, 1)}, 1),
    "source_url_is_a_web_address": ({"source_url": "example.org"}, 1),
}
