"""Rules that a batch of `reconciled_trade` must satisfy before it is used."""

from __future__ import annotations

import polars as pl

from dagster_project import words
from dagster_project.quality import shared_rules
from dagster_project.quality.rules import Today, quarantine
from dagster_project.quality.shared_lake_rules import (
    FIRST_MEASURE,
    is_filled,
    is_finite,
    is_no_more_than_is_traded,
    is_not_negative,
    key_of,
)
from dagster_project.quality.shared_rules import (
    has_rows,
    is_known_economy,
    is_one_of,
    matches,
    one_row_per,
)

RULES = (
    has_rows(),
    is_filled("reconciled_trade"),
    one_row_per("flow", *key_of("reconciled_trade")),
    is_known_economy("exporter_iso3"),
    is_known_economy("importer_iso3"),
    matches(
        "code_is_an_hs6_code", "hs6_code", shared_rules.HS6,
        "Six digits as text: a number loses the leading zero, a national line has more.",
    ),
    is_one_of(
        "edition_of_the_hs_is_known", "hs_revision", words.HS_EDITIONS,
        "A code means another thing in another edition of the HS.",
    ),
    matches(
        "period_is_a_year", "day_of_period", r"-01-01$",
        "Reconciled trade is annual; a year is dated 1 January.",
    ).with_derived(day_of_period=pl.col("period_start").cast(pl.String)),
    quarantine(
        "period_is_since_1988_and_has_begun",
        "The Harmonized System began in 1988; trade of a future period is a misprint.",
        "ExpectColumnValuesToBeBetween",
        column="period_start",
        min_value=FIRST_MEASURE,
        max_value=Today(shared_rules.SLACK_DAYS),
    ),
    is_finite("value_usd", "net_weight_kg"),
    quarantine(
        "value_is_positive",
        "A reconciler lists existing flows only; a 0 or a minus is a misread cell.",
        "ExpectColumnValuesToBeBetween",
        column="value_usd",
        min_value=0,
        strict_min=True,
    ),
    is_not_negative("net_weight_kg"),
    *is_no_more_than_is_traded(),
    shared_rules.has_a_plausible_unit_value("value_usd", "net_weight_kg"),
)  # fmt: skip
