"""Rules that a batch of `restriction_clauses` must satisfy before it is used."""

from __future__ import annotations

import polars as pl

from dagster_project import words
from dagster_project.quality import shared_rules
from dagster_project.quality.rules import Today, quarantine, stop
from dagster_project.quality.shared_lake_rules import (
    FIRST_MEASURE,
    has_a_web_address,
    is_filled,
    key_of,
    known_by_today,
)
from dagster_project.quality.shared_rules import (
    has_rows,
    is_known_economy,
    is_not_above,
    is_one_of,
    one_row_per,
)

LONGEST_NOTICE_DAYS = 5 * 366


def _clause_without(*pairs: tuple[str, str]) -> pl.Expr:
    """The clause, where a state has a day but not the day it became known."""
    missing = [pl.col(day).is_not_null() & pl.col(known).is_null() for day, known in pairs]
    return pl.when(pl.any_horizontal(missing)).then("clause_id")


RULES = (
    has_rows(),
    is_filled("restriction_clauses"),
    one_row_per("clause", *key_of("restriction_clauses")),
    is_known_economy("implementer_iso3"),
    is_known_economy("target_iso3", "ALL"),
    is_one_of(
        "direction_is_known", "direction", words.DIRECTIONS,
        "Whether a clause restricts or relaxes decides its exposure.",
    ),
    is_one_of(
        "target_class_is_known", "target_class", words.TARGET_CLASSES,
        "A clause on entities gives no exposure of trade, one on an economy does.",
    ),
    shared_rules.targets_agree(),
    is_one_of(
        "reach_is_known", "reach", words.REACHES,
        "A clause on goods that leave third countries exposes no trade with its implementer.",
    ),
    is_one_of(
        "evidence_class_is_known", "evidence_class", words.EVIDENCE_CLASSES,
        "A reader must be able to distinguish an act from a rumour.",
    ),
    is_one_of(
        "date_precision_is_known", "date_precision", words.DATE_PRECISIONS,
        "A date known to the year is printed as 1 January or 31 December by some.",
    ),
    shared_rules.inferred_names_columns(),
    quarantine(
        "announced_date_is_since_1988_and_not_far_ahead",
        "An announcement in another century is a misprint.",
        "ExpectColumnValuesToBeBetween",
        column="announced_date",
        min_value=FIRST_MEASURE,
        max_value=Today(shared_rules.SLACK_DAYS),
    ),
    quarantine(
        "effective_date_is_within_five_years_from_now",
        "No measure is announced longer ahead; the year is a misprint.",
        "ExpectColumnValuesToBeBetween",
        column="effective_date",
        min_value=FIRST_MEASURE,
        max_value=Today(LONGEST_NOTICE_DAYS),
    ),
    known_by_today(),
    is_not_above(
        "clause_does_not_end_before_it_is_announced", "announced_date", "ended_date",
        "The two dates are swapped or belong to two clauses.",
    ),
    stop(
        "every_change_of_state_says_when_it_was_known",
        "An end or a doubt without that day would be used in no build as of a day.",
        "ExpectColumnValuesToBeNull",
        {
            "clause_with_an_undated_change": _clause_without(
                ("ended_date", "ended_known_at"),
                ("unknown_from", "unknown_known_at"),
            )
        },
        column="clause_with_an_undated_change",
    ),
    shared_rules.takes_effect_after_announcement(),
    has_a_web_address(),
)  # fmt: skip
