"""Rules that `exposure.trade_response` must satisfy before a build is published."""

from __future__ import annotations

import polars as pl

from dagster_project import words
from dagster_project.quality import parts
from dagster_project.quality.mart_parts import is_at_least, no_row_has
from dagster_project.quality.parts import is_not_later_than_today, is_one_of
from dagster_project.quality.rules import stop

RULES = (
    is_one_of(
        "measure_is_value_or_weight", "measure", words.MEASURES,
        "A response is of value or of weight; there is no third basis.",
    ),
    is_one_of(
        "flow_is_a_declared_one", "flow", words.DECLARED_FLOWS,
        "Returned goods are no supplies.",
    ),
    is_one_of(
        "baseline_reason_is_known", "baseline_reason", words.BASELINE_REASONS,
        "A reader looks the reason up in the list.",
    ),
    parts.starts_its_period().with_derived(
        frequency_and_start=pl.format("M {}", pl.col("period_start").cast(pl.String))
    ),
    is_not_later_than_today("period_start"),
    is_at_least("amount", 0, "Trade is never negative."),
    is_at_least("baseline_amount", 0, "Trade is never negative."),
    is_at_least("unit_value", 0, "Trade is never negative."),
    is_at_least("unit_value_change_share", -1, "A price cannot fall by more than itself."),
    stop(
        "baseline_is_of_two_months_at_most",
        "The 24 months before the announcement have a calendar month twice.",
        "ExpectColumnValuesToBeBetween",
        column="baseline_observations", min_value=0, max_value=2,
    ),
    stop(
        "shortfall_is_at_most_the_whole",
        "Trade cannot fall by more than all of it.",
        "ExpectColumnValuesToBeBetween",
        column="shortfall_share", max_value=1,
    ),
    no_row_has(
        "a_true_zero_is_zero",
        "Where something was traded the month is no zero.",
        traded_in_a_zero=pl.when(pl.col("is_true_zero") & (pl.col("amount") != 0)).then("amount"),
    ),
    stop(
        "importer_is_not_the_supplier",
        "A flow of an economy with itself is a re-import, not a supply.",
        "ExpectSelectColumnValuesToBeUniqueWithinRecord",
        column_list=("importer_iso3", "supplier_iso3"),
        ignore_row_if="any_value_is_missing",
    ),
)  # fmt: skip
