"""Rules that a batch of `national_trade` must satisfy before it is used."""

from __future__ import annotations

import polars as pl

from dagster_project import words
from dagster_project.lake.vocabulary import UNION, eu27_members
from dagster_project.quality import shared_rules
from dagster_project.quality.rules import Today, quarantine
from dagster_project.quality.shared_lake_rules import (
    FIRST_MEASURE,
    MOST_WEIGHT_KG,
    is_filled,
    is_finite,
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

MOST_VALUE_LOCAL = 1e15
"""In the currency of the smallest unit that is read, the yen, a thousand times what is traded of
one line."""

RULES = (
    has_rows(),
    is_filled("national_trade"),
    one_row_per("line", *key_of("national_trade")),
    is_known_economy("reporter_iso3"),
    is_known_economy("partner_iso3"),
    is_one_of(
        "flow_is_import_export_or_their_returns", "flow", words.FLOWS,
        "A re-import counted as an import is supply from nowhere.",
    ),
    is_one_of(
        "valuation_is_cif_or_fob", "valuation", words.VALUATIONS,
        "Values with and without freight must be distinguished to be compared.",
    ),
    matches(
        "national_code_has_eight_to_ten_digits", "national_code", r"^[0-9]{6}([0-9]{2,4}|XX)$",
        "A number loses the leading zero; six digits are a sum.",
    ),
    matches(
        "code_is_an_hs6_code", "hs6_code", shared_rules.HS6,
        "The first six digits of a national code are one of the HS.",
    ),
    is_one_of(
        "code_says_its_hs_edition", "hs_revision", words.HS_EDITIONS,
        "A code means another thing in another edition of the HS.",
    ),
    matches(
        "currency_is_a_code_of_three_letters", "currency", r"^[A-Z]{3}$",
        "A name or sign of a currency has no rate.",
    ),
    quarantine(
        "partner_code_is_in_the_list",
        "A code that is in no list is of an economy that would be missing from every share.",
        "ExpectColumnValuesToBeNull",
        {"unlisted_partner_code": pl.when(pl.col("partner_iso3").is_null()).then("partner_code")},
        column="unlisted_partner_code",
    ),
    quarantine(
        "the_union_trades_with_what_is_outside_it",
        "Trade between members is no import of the European Union.",
        "ExpectColumnValuesToBeNull",
        {
            "member_as_partner": pl.when(
                pl.col("reporter_iso3") == UNION,
                pl.col("partner_iso3").is_in(sorted(eu27_members())),
            ).then("partner_iso3")
        },
        column="member_as_partner",
    ),
    quarantine(
        "period_is_since_1988_and_has_begun",
        "The Harmonized System began in 1988; trade of a future period is a misprint.",
        "ExpectColumnValuesToBeBetween",
        column="period_start",
        min_value=FIRST_MEASURE,
        max_value=Today(shared_rules.SLACK_DAYS),
    ),
    quarantine(
        "period_is_a_month",
        "A month begins on its first day.",
        "ExpectColumnValuesToBeInSet",
        {"day_of_month": pl.col("period_start").dt.day().cast(pl.Int64)},
        column="day_of_month",
        value_set=(1,),
    ),
    is_finite("value_local", "freight_local", "insurance_local", "quantity", "net_weight_kg"),
    is_not_negative("value_local"),
    is_not_negative("net_weight_kg"),
    quarantine(
        "value_local_is_at_most_a_thousand_million_million",
        "No economy trades that much of one line: two cells ran together.",
        "ExpectColumnValuesToBeBetween",
        column="value_local",
        max_value=MOST_VALUE_LOCAL,
    ),
    quarantine(
        "net_weight_kg_is_at_most_a_million_million",
        "No economy ships a thousand million tonnes of one line: grams were scaled twice.",
        "ExpectColumnValuesToBeBetween",
        column="net_weight_kg",
        max_value=MOST_WEIGHT_KG,
    ),
)  # fmt: skip
