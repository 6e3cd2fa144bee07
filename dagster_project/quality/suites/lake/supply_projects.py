"""Rules that a batch of `supply_projects` must satisfy before it is used."""

from __future__ import annotations

import polars as pl

from dagster_project import words
from dagster_project.quality.rules import quarantine, stop
from dagster_project.quality.shared_lake_rules import (
    has_a_web_address,
    is_filled,
    key_of,
    known_by_today,
)
from dagster_project.quality.shared_rules import (
    has_rows,
    is_known_economy,
    is_not_above,
    is_one_of,
    one_row_per,
)

MOST_TONNES = 1e6
"""Above the world's yearly output of rare-earth oxides (390,000 t in 2025, USGS)."""

RULES = (
    has_rows(),
    is_filled("supply_projects"),
    one_row_per("product_of_a_project", *key_of("supply_projects")),
    is_known_economy("economy_iso3"),
    is_one_of(
        "stage_is_known", "stage", words.PROJECT_STAGES,
        "Announced capacities are compared stage by stage.",
    ),
    is_one_of(
        "basis_is_known", "basis", words.PROJECT_BASES,
        "Tonnes on different bases are never added.",
    ),
    is_one_of(
        "figure_is_known", "figure_of", words.PROJECT_FIGURES,
        "Output and contracts are not capacity.",
    ),
    is_one_of(
        "status_is_known", "status", words.PROJECT_STATUSES,
        "What is only proposed does not count as announced.",
    ),
    is_not_above(
        "least_capacity_is_not_above_the_largest", "capacity_t_low", "capacity_t_high",
        "The two capacities are swapped.",
    ),
    stop(
        "economy_is_missing_of_totals_alone",
        "A project stands somewhere; a total of many has no place and is never added.",
        "ExpectColumnValuesToBeInSet",
        {"is_placed": pl.col("economy_iso3").is_null() == pl.col("is_total")},
        column="is_placed",
        value_set=[True],
    ),
    quarantine(
        "capacity_is_positive_and_below_a_million_tonnes",
        "No plant of this field is larger; kilograms were taken for tonnes.",
        "ExpectColumnValuesToBeBetween",
        {"largest_capacity": pl.max_horizontal("capacity_t_low", "capacity_t_high")},
        column="largest_capacity",
        min_value=0,
        max_value=MOST_TONNES,
        strict_min=True,
    ),
    quarantine(
        "start_year_is_of_this_age",
        "The year is a misprint.",
        "ExpectColumnValuesToBeBetween",
        column="start_year",
        min_value=1950,
        max_value=2060,
    ),
    known_by_today(),
    has_a_web_address(),
)  # fmt: skip
