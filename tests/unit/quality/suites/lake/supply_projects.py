"""Rows of `supply_projects` that hold, and a change that breaks each rule."""

from collections.abc import Sequence
from datetime import date

from tests.unit.quality.seeded import PROVENANCE, Defects, Row

PROJECT: Row = {
    **PROVENANCE, "project": "LACQ", "name": "Lacq", "company": "Carester",
    "economy_iso3": "FRA", "is_total": False, "stage": "separation", "product": "Dy and Tb oxide",
    "minerals": ["dysprosium", "terbium"], "capacity_t_low": 590.0, "capacity_t_high": 600.0,
    "basis": "dy_tb_oxide", "figure_of": "capacity", "status": "building",
    "start_year": 2026, "includes": [],
    "known_at": date(2025, 3, 19), "known_precision": "day",
}  # fmt: skip

GOOD: Sequence[Row] = [
    PROJECT,
    {
        **PROJECT, "project": "ALL", "economy_iso3": None, "is_total": True,
        "capacity_t_high": None, "start_year": None, "source_url": "https://example.org/a",
    },
]  # fmt: skip

DEFECTS: Defects = {
    "there_is_at_least_one_row": ([], 0),
    "required_columns_are_filled": ({"company": None}, 1),
    "one_row_per_product_of_a_project": ([*GOOD, PROJECT], 2),
    "economy_is_a_known_economy": ({"economy_iso3": "FR"}, 1),
    "stage_is_known": ({"stage": "refinery"}, 1),
    "basis_is_known": ({"basis": "oxide"}, 1),
    "figure_is_known": ({"figure_of": "plan"}, 1),
    "status_is_known": ({"status": "soon"}, 1),
    "least_capacity_is_not_above_the_largest": ({"capacity_t_low": 601.0}, 1),
    "economy_is_missing_of_totals_alone": ({"economy_iso3": None}, 1),
    "capacity_is_positive_and_below_a_million_tonnes": ({"capacity_t_high": 5.9e6}, 1),
    "start_year_is_of_this_age": ({"start_year": 20260}, 1),
    "known_at_is_not_in_the_future": ({"known_at": date(2052, 3, 19)}, 1),
    "source_url_is_a_web_address": ({"source_url": "projectblue.com"}, 1),
}
