"""Rules that `reference.instruments` must satisfy before a build is published."""

from __future__ import annotations

from dagster_project import words
from dagster_project.quality import parts
from dagster_project.quality.mart_parts import contains
from dagster_project.quality.parts import has_rows, is_not_blank, is_one_of, matches

RULES = (
    has_rows(),
    is_one_of(
        "kind_is_known", "kind", words.INSTRUMENT_KINDS,
        "The kind decides how a price is read.",
    ),
    is_one_of(
        "frequency_is_daily_monthly_or_annual", "frequency", words.PRICE_FREQUENCIES,
        "Returns are computed by session, month or year.",
    ),
    is_one_of(
        "market_factor_is_known", "market_factor", words.MARKET_FACTORS,
        "A basket of peers takes out less than an index of the whole market does.",
    ),
    matches(
        "currency_is_an_iso_4217_code", "currency", parts.ISO_4217,
        "`cents` is a unit, not a currency.",
    ),
    matches(
        "market_timezone_is_an_iana_name", "market_timezone",
        r"^(UTC|[A-Z]\w+(/[\w+-]+)+)$",
        "An abbreviation (JST, EST) does not say when the clocks change.",
    ),
    contains(
        "the_exchange_rates_are_there", "instrument", tuple(parts.RATE_BOUNDS),
        "Yen, dollar, euro and renminbi are what trade is paid in.",
    ),
    is_not_blank("unit"),
)  # fmt: skip
