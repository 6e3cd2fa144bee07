"""Rules shared by suites of lake tables; those shared by lake and marts are in `shared_rules`."""

from __future__ import annotations

from datetime import date

import polars as pl

from dagster_project.lake.schemas import LAKE_TABLES
from dagster_project.quality import shared_rules
from dagster_project.quality.rules import Known, Rule, Today, quarantine, stop

MOST_VALUE_USD = 1e12
"""The largest flows of one code in a year, crude oil into China or the United States, are below 0.4
of it."""

MOST_WEIGHT_KG = 1e12
"""A thousand million tonnes: of the commodities that are read, coal comes nearest, with half of it
for all grades of the largest exporter. Iron ore into China, not among them, is above."""

FIRST_MEASURE = date(1988, 1, 1)


FIRST_YEAR = date(1900, 1, 1)
"""Statistics of world mining reach back to about here."""


def key_of(table: str) -> tuple[str, ...]:
    return LAKE_TABLES[table].key


def is_filled(table: str) -> Rule:
    """No null where the table's schema allows none."""
    required = [name for name, column in LAKE_TABLES[table].columns.items() if not column.nullable]
    empty = [pl.when(pl.col(name).is_null()).then(pl.lit(name)) for name in required]
    return stop(
        "required_columns_are_filled",
        "An empty cell in one of these is a shifted column or a line that is not a data row (a "
        "note, a total, a line break).",
        "ExpectColumnValuesToBeNull",
        {"empty_column": pl.coalesce(empty)},
        column="empty_column",
    )


def is_of_a_known_economy(column: str) -> Rule:
    """For a publisher of all economies: a new number of one does not stop the others."""
    return quarantine(
        f"{column.removesuffix('_iso3')}_is_a_known_economy",
        "A code of an economy that is in no list is named and its rows are quarantined: add it to "
        "dagster_project/bundled/catalogue/economies.csv.",
        "ExpectColumnValuesToBeInSet",
        column=column,
        value_set=Known("economies"),
    ).of_unknown_codes()


def known_by_today(column: str = "known_at") -> Rule:
    return quarantine(
        f"{column}_is_not_in_the_future",
        "A date of knowledge in the future is a misprint.",
        "ExpectColumnValuesToBeBetween",
        column=column,
        min_value=FIRST_MEASURE,
        max_value=Today(shared_rules.SLACK_DAYS),
    )


def is_finite(*columns: str) -> Rule:
    infinite = [pl.col(column).is_nan() | pl.col(column).is_infinite() for column in columns]
    return quarantine(
        "figures_are_finite_numbers",
        "Missing is null: infinity and not-a-number come from a division or a misread word.",
        "ExpectColumnValuesToBeInSet",
        {"is_finite": ~pl.any_horizontal(infinite)},
        column="is_finite",
        value_set=(True,),
    )


def has_a_web_address() -> Rule:
    return quarantine(
        "source_url_is_a_web_address",
        "A reader opens it; a citation in words belongs in `citation`.",
        "ExpectColumnValuesToMatchRegex",
        column="source_url",
        regex=shared_rules.WEB_ADDRESS,
    )


def is_not_negative(column: str) -> Rule:
    return quarantine(
        f"{column}_is_not_negative",
        "Trade is never negative; a minus is a correction line or a mark for missing.",
        "ExpectColumnValuesToBeBetween",
        column=column,
        min_value=0,
    )


def is_no_more_than_is_traded() -> tuple[Rule, Rule]:
    return (
        quarantine(
            "value_usd_is_at_most_a_million_million",
            "No economy trades that much of one commodity: the figure is in another unit, or two "
            "cells ran together.",
            "ExpectColumnValuesToBeBetween",
            column="value_usd",
            max_value=MOST_VALUE_USD,
        ),
        quarantine(
            "net_weight_kg_is_at_most_a_million_million",
            "No economy ships a thousand million tonnes of one of these commodities: grams or "
            "tonnes were scaled twice, or two cells ran together.",
            "ExpectColumnValuesToBeBetween",
            column="net_weight_kg",
            max_value=MOST_WEIGHT_KG,
        ),
    )


def year_has_begun() -> Rule:
    return quarantine(
        "year_is_plausible",
        "A year before 1900 or to come is a misprint, or another number in the column.",
        "ExpectColumnValuesToBeBetween",
        # A date has no year of five digits, but its row must be quarantined.
        {"first_day": pl.date(pl.col("year").clip(1, 9999), 1, 1)},
        column="first_day",
        min_value=FIRST_YEAR,
        max_value=Today(shared_rules.SLACK_DAYS),
    )
