"""Rules that `trade.reported_flows` must satisfy before a build is published."""

from __future__ import annotations

import polars as pl

from dagster_project import words
from dagster_project.quality import parts
from dagster_project.quality.mart_parts import covers_japan, is_at_least
from dagster_project.quality.parts import is_not_later_than_today, is_one_of, matches
from dagster_project.quality.rules import Known

RULES = (
    is_one_of(
        "flow_is_import_export_or_their_returns", "flow", words.FLOWS,
        "A re-export counted as an export is supply that does not exist.",
    ),
    is_one_of(
        "frequency_is_annual_or_monthly", "frequency", words.FREQUENCIES,
        "A quarter beside months would be counted twice.",
    ),
    is_one_of(
        "valuation_is_cif_or_fob", "valuation", words.VALUATIONS,
        "Values with and without freight are distinguished.",
    ),
    matches(
        "code_is_an_hs6_code", "single_code", parts.HS6,
        "A code that went through a number has lost its leading zero.",
    ).with_derived(single_code=pl.when(~pl.col("is_basket")).then("commodity_code")),
    is_one_of(
        "basket_is_a_known_mineral_group", "basket", Known("mineral_groups"),
        "A basket is named by the group whose codes it sums.",
    ).with_derived(basket=pl.when("is_basket").then("commodity_code")),
    parts.starts_its_period(),
    is_at_least("value_usd", 0, "Trade is never negative."),
    is_at_least("net_weight_kg", 0, "Trade is never negative."),
    is_not_later_than_today("period_start"),
    is_not_later_than_today("vintage_at"),
    parts.has_a_plausible_unit_value("value_usd", "net_weight_kg"),
    covers_japan("reporter_iso3"),
)  # fmt: skip
