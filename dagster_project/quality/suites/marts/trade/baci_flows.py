"""Rules that `trade.baci_flows` must satisfy before a build is published."""

from __future__ import annotations

import polars as pl

from dagster_project.quality import parts
from dagster_project.quality.mart_parts import (
    covers_japan,
    has_a_known_edition,
    is_an_hs6_code,
    is_at_least,
)
from dagster_project.quality.parts import is_not_later_than_today

RULES = (
    is_an_hs6_code(),
    has_a_known_edition(),
    is_at_least("year", 1988, "The Harmonized System began in 1988."),
    is_not_later_than_today("first_day_of_year").with_derived(
        first_day_of_year=pl.date(pl.col("year"), 1, 1)
    ),
    is_not_later_than_today("vintage_at"),
    is_at_least("net_weight_kg", 0, "Trade is never negative."),
    parts.has_a_plausible_unit_value("value_usd", "net_weight_kg"),
    covers_japan("importer_iso3"),
)  # fmt: skip
