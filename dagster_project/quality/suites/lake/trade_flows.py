"""Rules that a batch of `trade_flows` must satisfy before it is used."""

from __future__ import annotations

import polars as pl

from dagster_project import words
from dagster_project.quality import shared_rules
from dagster_project.quality.rules import Known, Today, quarantine, report, stop
from dagster_project.quality.shared_lake_rules import (
    FIRST_MEASURE,
    is_filled,
    is_finite,
    is_no_more_than_is_traded,
    is_not_negative,
    is_of_a_known_economy,
    key_of,
)
from dagster_project.quality.shared_rules import (
    has_rows,
    is_one_of,
    matches,
    one_row_per,
)

TOTAL_EXCESS = 1.5
"""Partners' sum over the printed total: rounding stays near 1, a breakdown added to its
total is near 2."""

FEWEST_EXCEEDED_TOTALS = 3
LARGEST_SHARE_OF_EXCEEDED_TOTALS = 0.05
"""One or two totals that are off are their publisher's, and marts set their slices apart. None of
3,987 totals by value is exceeded in UN Comtrade's year 2024; a lost column exceeds most of them."""

WEIGHTLESS_VALUE_USD = 100_000
"""From this value on, a weight of 0 kg was not reported; below, it may be grams."""


BREAKDOWNS = ("procedure_code", "transport_code", "second_partner_iso3")


def _partners_over_total() -> pl.Expr:
    """The sum of a flow's partners over its printed total, where more totals are exceeded than a
    publisher's own errors explain. Rows of a breakdown are left out: no mart reads them.
    """
    is_whole = pl.all_horizontal(*(pl.col(name).is_null() for name in BREAKDOWNS))
    flow = [name for name in key_of("trade_flows") if name not in ("partner_iso3", *BREAKDOWNS)]
    is_total = is_whole & (pl.col("partner_iso3") == "WLD")
    value = pl.col("value_usd")
    total = value.filter(is_total).max().over(flow)
    partners = value.filter(is_whole & (pl.col("partner_iso3") != "WLD")).sum().over(flow)
    ratio = pl.when(is_total & (total > 0)).then(partners / total)
    is_exceeded = ratio > TOTAL_EXCESS
    is_common = (is_exceeded.mean() > LARGEST_SHARE_OF_EXCEEDED_TOTALS) & (
        is_exceeded.sum() >= FEWEST_EXCEEDED_TOTALS
    )
    return pl.when(is_common).then(ratio)


RULES = (
    has_rows(),
    is_filled("trade_flows"),
    one_row_per("flow", *key_of("trade_flows")),
    is_of_a_known_economy("reporter_iso3"),
    is_of_a_known_economy("partner_iso3"),
    is_of_a_known_economy("second_partner_iso3"),
    is_one_of(
        "flow_is_import_export_or_their_returns", "flow", words.FLOWS,
        "A re-export counted as an export is supply that does not exist.",
    ),
    is_one_of(
        "frequency_is_annual_or_monthly", "frequency", words.FREQUENCIES,
        "A quarter or a running total is the sum of months and would be counted twice.",
    ),
    is_one_of(
        "valuation_is_cif_or_fob", "valuation", words.VALUATIONS,
        "Values with and without freight must be distinguished to be compared.",
    ),
    is_one_of(
        "basket_is_a_known_mineral_group",
        "basket",
        Known("mineral_groups"),
        "A basket is named by the group whose codes it sums.",
    ).with_derived(basket=pl.when("is_basket").then("commodity_code")),
    matches(
        "code_is_an_hs6_code", "hs6_code", shared_rules.HS6,
        "Six digits as text: a number loses the leading zero, a national line has more.",
    ).with_derived(hs6_code=pl.when(~pl.col("is_basket")).then("commodity_code")),
    is_one_of(
        "code_says_its_hs_edition",
        "edition",
        words.HS_EDITIONS,
        "A code means another thing in another edition of the HS.",
    ).with_derived(
        edition=pl.when(pl.col("is_basket"))
        .then("hs_revision")
        .otherwise(pl.col("hs_revision").fill_null("no edition"))
    ),
    shared_rules.starts_its_period(),
    stop(
        "partners_do_not_exceed_the_total",
        "Rows of a breakdown (transport, procedure, second partner) that lost their column add "
        "up to twice the total: here more than one total in twenty is exceeded.",
        "ExpectColumnValuesToBeBetween",
        {"partners_over_total": _partners_over_total()},
        column="partners_over_total",
        max_value=TOTAL_EXCESS,
    ),
    quarantine(
        "period_is_since_1988_and_has_begun",
        "The Harmonized System began in 1988; trade of a future period is a misprint.",
        "ExpectColumnValuesToBeBetween",
        column="period_start",
        min_value=FIRST_MEASURE,
        max_value=Today(shared_rules.SLACK_DAYS),
    ),
    is_finite("value_usd", "net_weight_kg"),
    is_not_negative("value_usd"),
    is_not_negative("net_weight_kg"),
    *is_no_more_than_is_traded(),
    quarantine(
        "flow_has_a_value_or_a_weight",
        "A row without either has no figure and would count as a partner that reported.",
        "ExpectColumnValuesToNotBeNull",
        {"value_or_weight": pl.coalesce("value_usd", "net_weight_kg")},
        column="value_or_weight",
    ),
    report(
        "a_large_value_has_a_weight",
        "A weight of 0 kg with a large value was not reported: shares by weight are wrong.",
        "ExpectColumnValuesToBeBetween",
        {"weightless_value_usd": pl.when(pl.col("net_weight_kg") == 0).then("value_usd")},
        column="weightless_value_usd",
        max_value=WEIGHTLESS_VALUE_USD,
    ).in_unit("USD without a weight"),
    shared_rules.has_a_plausible_unit_value("value_usd", "net_weight_kg"),
)  # fmt: skip
