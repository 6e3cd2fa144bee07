"""Rules that a batch of `price_quotes` must satisfy before it is used."""

from __future__ import annotations

from datetime import date

import polars as pl

from dagster_project import words
from dagster_project.quality import shared_rules
from dagster_project.quality.rules import Known, Today, quarantine
from dagster_project.quality.shared_lake_rules import is_filled, is_finite, key_of
from dagster_project.quality.shared_rules import has_rows, is_one_of, matches, one_row_per

MOST_PRICE = 1e9
"""Per unit, in any currency: rhodium by the kilogram in yen stays below a fifth of it."""

FIRST_PRICE = date(1960, 1, 1)
"""The World Bank's commodity prices begin here; no other source is older."""

_IS_DAILY = pl.col("frequency") == "D"
_SERIES = ("source", "instrument", "unit", "frequency")


def _ratio(column: str) -> pl.Expr:
    return pl.col(column) / pl.col(column).shift(1).over(_SERIES, order_by="price_date")


RULES = (
    has_rows(),
    is_filled("price_quotes"),
    one_row_per("instrument_and_day", *key_of("price_quotes")),
    is_one_of(
        "frequency_is_daily_monthly_or_annual", "frequency", words.PRICE_FREQUENCIES,
        "A weekly or quarterly average is another series.",
    ),
    matches(
        "currency_is_an_iso_4217_code", "currency", shared_rules.ISO_4217,
        "`cents` or `$` is a unit, not a currency.",
    ),
    is_one_of(
        "instrument_is_in_the_list", "instrument", Known("instruments"),
        "A price of an undescribed instrument would block every build: add its line to "
        "dbt/seeds/seed_instruments.csv, then land the file.",
    ),
    matches(
        "unit_is_given", "unit", shared_rules.NOT_BLANK,
        "A price without a unit cannot be compared.",
    ),
    matches(
        "monthly_price_is_dated_on_the_first", "day_of_monthly_price", r"-01$",
        "Else one month could have as many dates as it has days.",
    ).with_derived(
        day_of_monthly_price=pl.when(pl.col("frequency") == "M").then(
            pl.col("price_date").cast(pl.String)
        )
    ),
    matches(
        "annual_price_is_dated_on_the_first_of_january", "day_of_annual_price", r"-01-01$",
        "Else a year's average would be read as the close of a day.",
    ).with_derived(
        day_of_annual_price=pl.when(pl.col("frequency") == "A").then(
            pl.col("price_date").cast(pl.String)
        )
    ),
    quarantine(
        "price_date_is_not_in_the_future",
        "A price of a future day is a misprint, or an expiry read as a day.",
        "ExpectColumnValuesToBeBetween",
        column="price_date",
        min_value=FIRST_PRICE,
        max_value=Today(shared_rules.SLACK_DAYS),
    ),
    quarantine(
        "quote_has_a_close",
        "A day without a price has no row.",
        "ExpectColumnValuesToNotBeNull",
        column="close",
    ),
    is_finite("close", "adjusted_close", "split_ratio"),
    *(
        quarantine(
            f"{column}_is_positive",
            "0 or less is a mark for missing, and no return can be computed from it.",
            "ExpectColumnValuesToBeBetween",
            column=column,
            min_value=0,
            strict_min=True,
        )
        for column in ("close", "adjusted_close")
    ),
    quarantine(
        "close_is_at_most_a_thousand_million",
        "No price of a unit is that high in any currency: two cells ran together, or an "
        "amount of money was read as a price.",
        "ExpectColumnValuesToBeBetween",
        column="close",
        max_value=MOST_PRICE,
    ),
    quarantine(
        "split_ratio_is_plausible",
        "New shares for one old share are a number above 0; nobody gives more than a hundred.",
        "ExpectColumnValuesToBeBetween",
        column="split_ratio",
        min_value=0,
        strict_min=True,
        max_value=shared_rules.LARGEST_SPLIT,
    ),
    *shared_rules.rates_are_plausible(quarantine),
    shared_rules.does_not_jump(("source", "instrument"), _IS_DAILY),
    shared_rules.has_no_step_of_a_split(
        pl.coalesce(
            _ratio("adjusted_close"), _ratio("close") * pl.col("split_ratio").fill_null(1)
        ),
        _IS_DAILY,
    ),
    shared_rules.is_a_session(_IS_DAILY),
    shared_rules.no_session_is_missing(_SERIES, _IS_DAILY),
)  # fmt: skip
