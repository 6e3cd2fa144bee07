"""What a batch of each lake table must hold before it counts.

An unknown code, a repeated key or a wrong shape stops the batch; a row that is wrong by itself is
quarantined; what is odd but does happen is reported. No rule knows a publisher.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType

import polars as pl

from dagster_project.lake.schemas import LAKE_TABLES
from dagster_project.quality import parts
from dagster_project.quality.parts import (
    has_rows,
    is_known_economy,
    is_not_above,
    is_one_of,
    matches,
    one_row_per,
)
from dagster_project.quality.rules import Known, Rule, Suite, Today, quarantine, report, stop

TOTAL_EXCESS = 1.5
"""Partners' sum over the printed total: rounding stays near 1, a breakdown counted beside its
total is near 2."""

WEIGHTLESS_VALUE_USD = 100_000
"""From this value on, a weight of 0 kg was not reported; below, it may be grams."""

LARGEST_AMOUNT_T = 1e12
"""A million million tons: no output, capacity or reserves of any material reach it."""

MOST_VALUE_USD = 1e12
"""The largest flows of one code in a year, crude oil into China or the United States, are below 0.4
of it."""

MOST_WEIGHT_KG = 1e12
"""A thousand million tonnes: of the commodities that are read, coal comes nearest, with half of it
where the largest exporter ships all its grades. Iron ore into China, not among them, is above."""

MOST_PRICE = 1e9
"""Per unit, in any currency: rhodium by the kilogram in yen stays below a fifth of it."""

FIRST_PRICE = date(1960, 1, 1)
"""The World Bank's commodity prices begin here; nothing we read is older."""

FIRST_MEASURE = date(1988, 1, 1)
FIRST_YEAR = date(1900, 1, 1)
"""Statistics of world mining reach back to about here."""

TABLES_WITH_A_PERIOD = tuple(
    table.name for table in LAKE_TABLES.values() if table.period and table.name != "coverage"
)

LONGEST_NOTICE_DAYS = 5 * 366
LONGEST_PLAN_DAYS = 30 * 366


def _key(table: str) -> tuple[str, ...]:
    return LAKE_TABLES[table].key


def _is_filled(table: str) -> Rule:
    """No null where the table's schema allows none."""
    required = [name for name, column in LAKE_TABLES[table].columns.items() if not column.nullable]
    empty = [pl.when(pl.col(name).is_null()).then(pl.lit(name)) for name in required]
    return stop(
        "required_columns_are_filled",
        "An empty cell in one of these is a column that moved or a row that is no row (a note, a "
        "total, a line break).",
        "ExpectColumnValuesToBeNull",
        {"empty_column": pl.coalesce(empty)},
        column="empty_column",
    )


def _known_by_today(column: str = "known_at") -> Rule:
    return quarantine(
        f"{column}_is_not_in_the_future",
        "Nobody knows tomorrow's news: the year is a misprint.",
        "ExpectColumnValuesToBeBetween",
        column=column,
        min_value=FIRST_MEASURE,
        max_value=Today(parts.SLACK_DAYS),
    )


def _is_finite(*columns: str) -> Rule:
    infinite = [pl.col(column).is_nan() | pl.col(column).is_infinite() for column in columns]
    return quarantine(
        "figures_are_finite_numbers",
        "Missing is null: infinity and not-a-number come from a division or a misread word.",
        "ExpectColumnValuesToBeInSet",
        {"is_finite": ~pl.any_horizontal(infinite)},
        column="is_finite",
        value_set=(True,),
    )


def _has_an_address() -> Rule:
    return quarantine(
        "source_url_is_a_web_address",
        "A reader follows it; a citation in words belongs in `citation`.",
        "ExpectColumnValuesToMatchRegex",
        column="source_url",
        regex=parts.WEB_ADDRESS,
    )


def _is_not_negative(column: str) -> Rule:
    return quarantine(
        f"{column}_is_not_negative",
        "Trade has no sign; a minus is a correction line or a mark for missing.",
        "ExpectColumnValuesToBeBetween",
        column=column,
        min_value=0,
    )


def _is_no_more_than_is_traded() -> tuple[Rule, Rule]:
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


def _partners_over_total() -> pl.Expr:
    """The sum of a flow's partners over its printed total, within one breakdown of it."""
    flow = [name for name in _key("trade_flows") if name != "partner_iso3"]
    is_total = pl.col("partner_iso3") == "WLD"
    total = pl.col("value_usd").filter(is_total).max().over(flow)
    partners = pl.col("value_usd").filter(~is_total).sum().over(flow)
    return pl.when(is_total & (total > 0)).then(partners / total)


_TRADE_FLOWS = Suite(
    "lake",
    "trade_flows",
    (
        has_rows(),
        _is_filled("trade_flows"),
        one_row_per("flow", *_key("trade_flows")),
        is_known_economy("reporter_iso3"),
        is_known_economy("partner_iso3"),
        is_known_economy("second_partner_iso3"),
        is_one_of(
            "flow_is_import_export_or_their_returns", "flow", parts.FLOWS,
            "A re-export counted as an export is supply that does not exist.",
        ),
        is_one_of(
            "frequency_is_annual_or_monthly", "frequency", parts.FREQUENCIES,
            "A quarter or a running total beside months would count twice.",
        ),
        is_one_of(
            "valuation_is_cif_or_fob", "valuation", parts.VALUATIONS,
            "Values with and without freight are told apart or not compared.",
        ),
        is_one_of(
            "basket_is_a_known_mineral_group",
            "basket",
            Known("mineral_groups"),
            "A basket is named by the group whose codes it sums.",
        ).with_derived(basket=pl.when("is_basket").then("commodity_code")),
        matches(
            "code_is_an_hs6_code", "hs6_code", parts.HS6,
            "Six digits as text: a number loses the leading zero, a national line has more.",
        ).with_derived(hs6_code=pl.when(~pl.col("is_basket")).then("commodity_code")),
        is_one_of(
            "code_says_its_hs_edition",
            "edition",
            parts.HS_EDITIONS,
            "A code means another thing in another edition of the HS.",
        ).with_derived(
            edition=pl.when(pl.col("is_basket"))
            .then("hs_revision")
            .otherwise(pl.col("hs_revision").fill_null("no edition"))
        ),
        parts.starts_its_period(),
        stop(
            "partners_do_not_exceed_the_total",
            "Rows of a breakdown (transport, procedure, second partner) that lost their column add "
            "up to twice the total.",
            "ExpectColumnValuesToBeBetween",
            {"partners_over_total": _partners_over_total()},
            column="partners_over_total",
            max_value=TOTAL_EXCESS,
        ),
        quarantine(
            "period_is_since_1988_and_has_begun",
            "The Harmonized System began in 1988; trade of a period to come is a misprint.",
            "ExpectColumnValuesToBeBetween",
            column="period_start",
            min_value=FIRST_MEASURE,
            max_value=Today(parts.SLACK_DAYS),
        ),
        _is_finite("value_usd", "net_weight_kg"),
        _is_not_negative("value_usd"),
        _is_not_negative("net_weight_kg"),
        *_is_no_more_than_is_traded(),
        quarantine(
            "flow_has_a_value_or_a_weight",
            "A row without either says nothing and would count as a partner that reported.",
            "ExpectColumnValuesToNotBeNull",
            {"value_or_weight": pl.coalesce("value_usd", "net_weight_kg")},
            column="value_or_weight",
        ),
        report(
            "a_large_value_has_a_weight",
            "0 kg beside a large value was not reported: shares by weight are off.",
            "ExpectColumnValuesToBeBetween",
            {"weightless_value_usd": pl.when(pl.col("net_weight_kg") == 0).then("value_usd")},
            column="weightless_value_usd",
            max_value=WEIGHTLESS_VALUE_USD,
        ),
        parts.has_a_plausible_unit_value("value_usd", "net_weight_kg"),
    ),
)  # fmt: skip

_RECONCILED_TRADE = Suite(
    "lake",
    "reconciled_trade",
    (
        has_rows(),
        _is_filled("reconciled_trade"),
        one_row_per("flow", *_key("reconciled_trade")),
        is_known_economy("exporter_iso3"),
        is_known_economy("importer_iso3"),
        matches(
            "code_is_an_hs6_code", "hs6_code", parts.HS6,
            "Six digits as text: a number loses the leading zero, a national line has more.",
        ),
        is_one_of(
            "edition_of_the_hs_is_known", "hs_revision", parts.HS_EDITIONS,
            "A code means another thing in another edition of the HS.",
        ),
        matches(
            "period_is_a_year", "day_of_period", r"-01-01$",
            "Reconciled trade is annual; a year is dated 1 January.",
        ).with_derived(day_of_period=pl.col("period_start").cast(pl.String)),
        quarantine(
            "period_is_since_1988_and_has_begun",
            "The Harmonized System began in 1988; trade of a period to come is a misprint.",
            "ExpectColumnValuesToBeBetween",
            column="period_start",
            min_value=FIRST_MEASURE,
            max_value=Today(parts.SLACK_DAYS),
        ),
        _is_finite("value_usd", "net_weight_kg"),
        quarantine(
            "value_is_positive",
            "A reconciler lists flows that are there; a 0 or a minus is a misread cell.",
            "ExpectColumnValuesToBeBetween",
            column="value_usd",
            min_value=0,
            strict_min=True,
        ),
        _is_not_negative("net_weight_kg"),
        *_is_no_more_than_is_traded(),
        parts.has_a_plausible_unit_value("value_usd", "net_weight_kg"),
    ),
)  # fmt: skip


def _year_has_begun() -> Rule:
    return quarantine(
        "year_is_plausible",
        "A year before 1900 or to come is a misprint, or another number in the column.",
        "ExpectColumnValuesToBeBetween",
        # A number of five digits is no year that a date can have, and still to be quarantined.
        {"first_day": pl.date(pl.col("year").clip(1, 9999), 1, 1)},
        column="first_day",
        min_value=FIRST_YEAR,
        max_value=Today(parts.SLACK_DAYS),
    )


_PRODUCTION = Suite(
    "lake",
    "production",
    (
        has_rows(),
        _is_filled("production"),
        one_row_per("figure", *_key("production")),
        is_known_economy("economy_iso3"),
        is_known_economy("scope_iso3"),
        is_one_of(
            "stage_is_known", "stage", parts.STAGES,
            "The mine and the refinery of one mineral lie in different countries.",
        ),
        is_one_of(
            "bound_is_known", "bound", parts.BOUNDS,
            "`<1` read as 1 is a figure nobody printed.",
        ),
        is_one_of(
            "flag_is_known", "flag", parts.FIGURE_FLAGS,
            "Withheld, not available and zero are three different things.",
        ),
        _year_has_begun(),
        _is_finite("amount_t", "share", "trade_parameter"),
        _is_not_negative("amount_t"),
        quarantine(
            "amount_t_is_not_above_the_largest_of_reserves",
            "The world's reserves of iron ore are a fifth of this: more is a unit read wrong, or "
            "two numbers run together.",
            "ExpectColumnValuesToBeBetween",
            column="amount_t",
            max_value=LARGEST_AMOUNT_T,
        ),
        quarantine(
            "trade_parameter_is_between_0_and_10",
            "The factor is printed from 0.8 to 1.5; more is a percentage or another column.",
            "ExpectColumnValuesToBeBetween",
            column="trade_parameter",
            min_value=0,
            max_value=10,
        ),
        quarantine(
            "share_is_between_0_and_1",
            "A share above 1 is a percentage.",
            "ExpectColumnValuesToBeBetween",
            column="share",
            min_value=0,
            max_value=1,
        ),
        stop(
            "figure_that_is_not_printed_has_no_amount",
            "Missing is null: a withheld figure with an amount is a mark read as a number.",
            "ExpectColumnValuesToBeNull",
            {
                "amount_of_no_figure": pl.when(
                    pl.col("flag").is_in(["withheld", "not_available", "not_applicable"])
                ).then(pl.coalesce("amount_t", "share"))
            },
            column="amount_of_no_figure",
        ),
        stop(
            "figure_that_is_printed_has_an_amount_or_a_share",
            "A figure that was lost on the way would read as missing.",
            "ExpectColumnValuesToBeNull",
            {
                "lost_figure": pl.when(
                    pl.col("flag").is_in(["reported", "estimated", "zero"])
                    & pl.coalesce("amount_t", "share").is_null()
                ).then("label")
            },
            column="lost_figure",
        ),
    ),
)  # fmt: skip

_GOVERNANCE_SCORES = Suite(
    "lake",
    "governance_scores",
    (
        has_rows(),
        _is_filled("governance_scores"),
        one_row_per("score", *_key("governance_scores")),
        is_known_economy("economy_iso3"),
        matches(
            "indicator_is_a_name", "indicator", parts.SLUG,
            "Indicators are named one way (`rule_of_law`), else they match nothing.",
        ),
        _year_has_begun(),
        _is_finite("estimate", "standard_error"),
        quarantine(
            "estimate_is_on_the_normal_scale",
            "Estimates lie between about -2.5 and 2.5; a rank of 0 to 100 is another column.",
            "ExpectColumnValuesToBeBetween",
            column="estimate",
            min_value=-4,
            max_value=4,
        ),
        quarantine(
            "standard_error_is_not_negative",
            "An error has no sign: a minus is a mark for missing, or the column of the estimate.",
            "ExpectColumnValuesToBeBetween",
            column="standard_error",
            min_value=0,
        ),
    ),
)  # fmt: skip

_END_USES = Suite(
    "lake",
    "end_uses",
    (
        has_rows(),
        _is_filled("end_uses"),
        one_row_per("use", *_key("end_uses")),
        matches(
            "nace2_code_is_a_division", "nace2_code", parts.NACE_DIVISION,
            "A letter and two digits (`C25`): a section or a class is another level.",
        ),
        _year_has_begun(),
        _is_finite("use_share", "sector_value_added_eur_m"),
        quarantine(
            "use_share_is_between_0_and_1",
            "A share above 1 is a percentage.",
            "ExpectColumnValuesToBeBetween",
            column="use_share",
            min_value=0,
            max_value=1,
        ),
        _is_not_negative("sector_value_added_eur_m"),
    ),
)  # fmt: skip

_ELEMENT_ABUNDANCE = Suite(
    "lake",
    "element_abundance",
    (
        has_rows(),
        _is_filled("element_abundance"),
        one_row_per("estimate", *_key("element_abundance")),
        matches(
            "element_is_a_symbol", "element", parts.ELEMENT,
            "One or two letters (`Nd`): a name or an oxide is another thing.",
        ),
        is_one_of(
            "reservoir_is_known", "reservoir", parts.RESERVOIRS,
            "The upper crust holds twice as much of some elements as the whole.",
        ),
        _is_finite("abundance_ppm", "two_sigma_ppm"),
        quarantine(
            "abundance_ppm_is_above_0_and_at_most_a_million",
            "Every element is there, and no part is more than the whole: a 0 is a mark for "
            "missing, more is another unit.",
            "ExpectColumnValuesToBeBetween",
            column="abundance_ppm",
            min_value=0,
            strict_min=True,
            max_value=1_000_000,
        ),
        quarantine(
            "two_sigma_ppm_is_not_negative",
            "An error has no sign: a minus is a mark for missing, or another column.",
            "ExpectColumnValuesToBeBetween",
            column="two_sigma_ppm",
            min_value=0,
        ),
    ),
)  # fmt: skip

_ASSESSMENTS = Suite(
    "lake",
    "assessments",
    (
        has_rows(),
        _is_filled("assessments"),
        one_row_per("result", *_key("assessments")),
        is_one_of(
            "stage_is_extraction_or_processing", "stage", parts.STAGES[:2],
            "An assessment is of the mine or of the refinery.",
        ),
        is_one_of(
            "supply_used_is_known", "supply_used", parts.SUPPLY_USED,
            "Whose supply counts decides the formula.",
        ),
        _year_has_begun(),
        *(
            quarantine(
                f"{column}_is_between_0_and_1",
                "A share above 1 is a percentage.",
                "ExpectColumnValuesToBeBetween",
                column=column,
                min_value=0,
                max_value=1,
            )
            for column in ("import_reliance", "eol_recycling_rate")
        ),
        *(
            quarantine(
                f"{column}_is_between_0_and_{most}",
                f"The index ends at {most}; more is another index or a shifted point.",
                "ExpectColumnValuesToBeBetween",
                column=column,
                min_value=0,
                max_value=most,
            )
            for column, most in (
                ("supply_risk", 10),
                ("economic_importance", 10),
                ("substitution_index_economic", 1),
                ("substitution_index_supply", 1),
                ("hhi_global_supply", 10),
                ("hhi_consumer_sourcing", 10),
            )
        ),
    ),
)  # fmt: skip

_MATERIAL_LABELS = Suite(
    "lake",
    "material_labels",
    (
        has_rows(),
        _is_filled("material_labels"),
        one_row_per("label", *_key("material_labels")),
        matches(
            "material_is_a_name", "material", parts.SLUG,
            "Materials are named one way (`natural_graphite`), else two publishers never meet.",
        ),
        matches(
            "mineral_is_a_name", "mineral", parts.SLUG,
            "Minerals are named one way (`rare_earths`), else they match nothing.",
        ),
        is_one_of(
            "mineral_group_is_known", "mineral_group", Known("mineral_groups"),
            "A label of a group we do not have would never meet its trade.",
        ),
        matches(
            "reason_is_in_words", "left_out", parts.NOT_BLANK,
            "A label is left out for a reason, or its figures are taken.",
        ),
    ),
)  # fmt: skip

_PRICE_QUOTES = Suite(
    "lake",
    "price_quotes",
    (
        has_rows(),
        _is_filled("price_quotes"),
        one_row_per("instrument_and_day", *_key("price_quotes")),
        is_one_of(
            "frequency_is_daily_monthly_or_annual", "frequency", parts.PRICE_FREQUENCIES,
            "A weekly or quarterly average is another series.",
        ),
        matches(
            "currency_is_an_iso_4217_code", "currency", parts.ISO_4217,
            "`cents` or `$` is a unit, not a currency.",
        ),
        is_one_of(
            "instrument_is_in_the_list", "instrument", Known("instruments"),
            "A price of an instrument no list describes would stop every build: add its line to "
            "dbt/seeds/seed_instruments.csv, then land the file.",
        ),
        matches(
            "unit_is_given", "unit", parts.NOT_BLANK,
            "A price of nothing in particular cannot be compared.",
        ),
        matches(
            "monthly_price_is_dated_on_the_first", "day_of_monthly_price", r"-01$",
            "Else the same month has as many names as days.",
        ).with_derived(
            day_of_monthly_price=pl.when(pl.col("frequency") == "M").then(
                pl.col("price_date").cast(pl.String)
            )
        ),
        matches(
            "annual_price_is_dated_on_the_first_of_january", "day_of_annual_price", r"-01-01$",
            "Else a year's average reads as the close of a day.",
        ).with_derived(
            day_of_annual_price=pl.when(pl.col("frequency") == "A").then(
                pl.col("price_date").cast(pl.String)
            )
        ),
        quarantine(
            "price_date_is_not_in_the_future",
            "A price of a day to come is a misprint, or an expiry read as a day.",
            "ExpectColumnValuesToBeBetween",
            column="price_date",
            min_value=FIRST_PRICE,
            max_value=Today(parts.SLACK_DAYS),
        ),
        quarantine(
            "quote_has_a_close",
            "A day without a price has no row.",
            "ExpectColumnValuesToNotBeNull",
            column="close",
        ),
        _is_finite("close", "adjusted_close"),
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
        *parts.rates_are_plausible(quarantines=True),
        parts.does_not_jump(("source", "instrument"), pl.col("frequency") == "D"),
    ),
)  # fmt: skip


def _clause_without(*pairs: tuple[str, str]) -> pl.Expr:
    """The clause, where a state has a day but not the day it was known."""
    missing = [pl.col(day).is_not_null() & pl.col(known).is_null() for day, known in pairs]
    return pl.when(pl.any_horizontal(missing)).then("clause_id")


_RESTRICTION_CLAUSES = Suite(
    "lake",
    "restriction_clauses",
    (
        has_rows(),
        _is_filled("restriction_clauses"),
        one_row_per("clause", *_key("restriction_clauses")),
        is_known_economy("implementer_iso3"),
        is_known_economy("target_iso3", "ALL"),
        is_one_of(
            "direction_is_known", "direction", parts.DIRECTIONS,
            "Whether a clause binds or frees decides what it hits.",
        ),
        is_one_of(
            "target_class_is_known", "target_class", parts.TARGET_CLASSES,
            "A clause on entities gives no exposure of trade, one on an economy does.",
        ),
        parts.targets_agree(),
        is_one_of(
            "evidence_class_is_known", "evidence_class", parts.EVIDENCE_CLASSES,
            "A reader must tell an act from a rumour.",
        ),
        is_one_of(
            "date_precision_is_known", "date_precision", ("day", "month", "year"),
            "A date known to the year is printed as 1 January or 31 December by some.",
        ),
        quarantine(
            "announced_date_is_since_1988_and_not_far_ahead",
            "An announcement of another century is a misprint.",
            "ExpectColumnValuesToBeBetween",
            column="announced_date",
            min_value=FIRST_MEASURE,
            max_value=Today(parts.SLACK_DAYS),
        ),
        quarantine(
            "effective_date_is_within_five_years_from_now",
            "No measure is announced longer ahead; the year is a misprint.",
            "ExpectColumnValuesToBeBetween",
            column="effective_date",
            min_value=FIRST_MEASURE,
            max_value=Today(LONGEST_NOTICE_DAYS),
        ),
        _known_by_today(),
        is_not_above(
            "clause_does_not_end_before_it_is_announced", "announced_date", "ended_date",
            "The two dates are swapped or belong to two clauses.",
        ),
        is_not_above(
            "suspension_ends_after_it_begins", "suspended_from", "suspended_to",
            "A suspension that ends first would never hold.",
        ),
        stop(
            "every_change_of_state_says_when_it_was_known",
            "A suspension, an end or a doubt without that day would count in no build as of a day.",
            "ExpectColumnValuesToBeNull",
            {
                "clause_with_an_undated_change": _clause_without(
                    ("suspended_from", "suspension_known_at"),
                    ("ended_date", "ended_known_at"),
                    ("unknown_from", "unknown_known_at"),
                )
            },
            column="clause_with_an_undated_change",
        ),
        parts.takes_effect_after_announcement(),
        _has_an_address(),
    ),
)  # fmt: skip

_RESTRICTION_SCOPE = Suite(
    "lake",
    "restriction_scope",
    (
        has_rows(),
        _is_filled("restriction_scope"),
        one_row_per("clause_code_and_mineral", *_key("restriction_scope")),
        matches(
            "hs_code_is_an_hs6_code_or_a_heading", "hs_code", parts.HS6_OR_HEADING,
            "Ten-digit codes of the act belong in `source_codes`; a lost leading zero shows here.",
        ),
        matches(
            "mineral_is_a_name", "mineral", parts.SLUG,
            "Minerals are named one way (`all_rare_earths`), else they match nothing.",
        ),
        is_one_of(
            "basis_is_known", "basis", parts.SCOPE_BASES,
            "How the bounds are known decides how far to trust them.",
        ),
        parts.is_a_share("control_share_low"),
        parts.is_a_share("control_share_high"),
        is_not_above(
            "control_share_low_is_not_above_high", "control_share_low", "control_share_high",
            "The bounds are swapped.",
        ),
    ),
)  # fmt: skip

_MILESTONES = Suite(
    "lake",
    "milestones",
    (
        has_rows(),
        _is_filled("milestones"),
        one_row_per("milestone", *_key("milestones")),
        is_known_economy("economy_iso3"),
        is_one_of(
            "kind_is_known", "kind", parts.MILESTONE_KINDS,
            "A remark is not a project; each kind is read in another place.",
        ),
        is_one_of(
            "evidence_class_is_known", "evidence_class", parts.EVIDENCE_CLASSES,
            "A reader must tell an act from a rumour.",
        ),
        stop(
            "milestone_has_a_date",
            "A fact without any day has no place in a sequence of events.",
            "ExpectColumnValuesToNotBeNull",
            {"any_date": pl.coalesce("event_date", "announced_date", "planned_date")},
            column="any_date",
        ),
        _known_by_today(),
        quarantine(
            "event_date_is_not_in_the_future",
            "What is still to come is planned, and belongs in `planned_date`.",
            "ExpectColumnValuesToBeBetween",
            column="event_date",
            min_value=FIRST_MEASURE,
            max_value=Today(parts.SLACK_DAYS),
        ),
        quarantine(
            "planned_date_is_within_thirty_years_from_now",
            "No plan reaches further; the year is a misprint.",
            "ExpectColumnValuesToBeBetween",
            column="planned_date",
            min_value=FIRST_MEASURE,
            max_value=Today(LONGEST_PLAN_DAYS),
        ),
        is_not_above(
            "milestone_does_not_end_before_it_happens", "event_date", "ended_date",
            "The two dates are swapped.",
        ),
        _has_an_address(),
    ),
)  # fmt: skip

_CLAIMS = Suite(
    "lake",
    "claims",
    (
        has_rows(),
        _is_filled("claims"),
        one_row_per("claim", *_key("claims")),
        is_known_economy("importer_iso3"),
        is_known_economy("supplier_iso3"),
        is_one_of(
            "mineral_group_is_known", "mineral_group", Known("mineral_groups"),
            "A claim on a group we do not have would never be decided.",
        ),
        stop(
            "claim_gives_a_bound",
            "A statement without a figure can neither hold nor fail.",
            "ExpectColumnValuesToNotBeNull",
            {
                "any_bound": pl.when(pl.col("test") != "none")
                .then(pl.coalesce("claimed_low", "claimed_high"))
                .otherwise(0.0)
            },
            column="any_bound",
        ),
        stop(
            "claim_that_no_figure_decides_says_what_is_missing",
            "A reader is told which figure would decide it, or it is no claim but a dead end.",
            "ExpectColumnValuesToNotBeNull",
            {"decided_by": pl.when(pl.col("test") == "none").then("missing").otherwise("test")},
            column="decided_by",
        ),
        is_one_of(
            "stage_is_known", "stage", parts.STAGES,
            "The mine and the refinery of one material lie in different economies.",
        ),
        is_one_of(
            "flow_is_import_or_export", "flow", parts.FLOWS[:2],
            "It says which side's report the claim is of.",
        ),
        is_one_of(
            "frequency_is_annual_or_monthly", "frequency", parts.FREQUENCIES,
            "A claim is on a year or on a month.",
        ),
        matches(
            "nace2_code_is_a_division", "nace2_code", parts.NACE_DIVISION,
            "A letter and two digits (`C25`): a section or a class is another level.",
        ),
        is_not_above(
            "time_does_not_end_before_it_begins", "period_start", "period_end",
            "The two days are swapped.",
        ),
        is_not_above(
            "claimed_low_is_not_above_high", "claimed_low", "claimed_high",
            "The bounds are swapped.",
        ),
        *(
            stop(
                f"claimed_share_{side}_is_between_0_and_1",
                "A share above 1 is a percentage: 60 % is 0.6.",
                "ExpectColumnValuesToBeBetween",
                {
                    f"claimed_share_{side}": pl.when(pl.col("test").str.contains("share")).then(
                        f"claimed_{side}"
                    )
                },
                column=f"claimed_share_{side}",
                min_value=0,
                max_value=1,
            )
            for side in ("low", "high")
        ),
        _known_by_today("claimed_at"),
        _has_an_address(),
    ),
)  # fmt: skip

_ECONOMIES = Suite(
    "lake",
    "economies",
    (
        has_rows(),
        _is_filled("economies"),
        one_row_per("economy", *_key("economies")),
        matches(
            "economy_iso3_has_three_signs_or_is_a_special_code", "economy_iso3",
            r"^([A-Z]{3}|[A-Z]{2}[0-9]|_X|EU27)$",
            "Two-letter codes and numbers of a publisher are mapped before they come here.",
        ),
        stop(
            "the_list_holds_the_well_known",
            "Without them the first question has no answer: the file was cut short.",
            "ExpectColumnDistinctValuesToContainSet",
            column="economy_iso3",
            value_set=parts.WELL_KNOWN,
        ),
        stop(
            "m49_code_names_one_economy",
            "Two economies under one number would take each other's trade.",
            "ExpectColumnValuesToBeUnique",
            column="m49_code",
        ),
        matches(
            "m49_code_has_three_digits", "m49_code", r"^[0-9]{3}$",
            "A number has lost its leading zeros (`004` is not `4`).",
        ),
        matches(
            "publishers_codes_are_digits", "publishers_codes", r"^[0-9 ]+$",
            "Codes of a publisher are digits, several after a blank.",
        ).with_derived(
            publishers_codes=pl.concat_str(
                "comtrade_code", "japan_customs_code", separator=" ", ignore_nulls=True
            ).replace("", None)
        ),
        stop(
            "the_european_union_has_27_members",
            "One more or less is a member of another year, or a flag on the wrong row.",
            "ExpectColumnSumToBeBetween",
            {"members": pl.col("is_eu27").cast(pl.Int64)},
            column="members",
            min_value=27,
            max_value=27,
        ),
    ),
)  # fmt: skip

_COVERAGE = Suite(
    "lake",
    "coverage",
    (
        has_rows(),
        _is_filled("coverage"),
        one_row_per("slice", *_key("coverage")),
        is_one_of(
            "table_is_a_lake_table_with_a_period", "table_name", TABLES_WITH_A_PERIOD,
            "An answer for a table that is not there speaks of nothing.",
        ),
        is_known_economy("reporter_iso3", ""),
        *parts.names_a_slice(),
        stop(
            "rows_is_not_negative",
            "Rows are counted.",
            "ExpectColumnValuesToBeBetween",
            column="rows",
            min_value=0,
        ),
    ),
)  # fmt: skip

LAKE_SUITES: Mapping[str, Suite] = MappingProxyType(
    {
        suite.table: suite
        for suite in (
            _TRADE_FLOWS,
            _RECONCILED_TRADE,
            _PRODUCTION,
            _GOVERNANCE_SCORES,
            _END_USES,
            _ASSESSMENTS,
            _ELEMENT_ABUNDANCE,
            _MATERIAL_LABELS,
            _PRICE_QUOTES,
            _RESTRICTION_CLAUSES,
            _RESTRICTION_SCOPE,
            _MILESTONES,
            _CLAIMS,
            _ECONOMIES,
            _COVERAGE,
        )
    }
)
"""The suite of every lake table, by its name."""
