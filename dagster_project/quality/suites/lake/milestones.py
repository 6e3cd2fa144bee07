"""Rules that a batch of `milestones` must satisfy before it is used."""

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

LONGEST_PLAN_DAYS = 30 * 366

RULES = (
    has_rows(),
    is_filled("milestones"),
    one_row_per("milestone", *key_of("milestones")),
    is_known_economy("economy_iso3"),
    is_one_of(
        "kind_is_known", "kind", words.MILESTONE_KINDS,
        "A remark is not a project; each kind is used in a different place.",
    ),
    is_one_of(
        "evidence_class_is_known", "evidence_class", words.EVIDENCE_CLASSES,
        "A reader must be able to distinguish an act from a rumour.",
    ),
    stop(
        "milestone_has_a_date",
        "A fact without any day has no place in a sequence of events.",
        "ExpectColumnValuesToNotBeNull",
        {"any_date": pl.coalesce("event_date", "announced_date", "planned_date", "review_date")},
        column="any_date",
    ),
    known_by_today(),
    quarantine(
        "event_date_is_not_in_the_future",
        "A future day is planned, and belongs in `planned_date`.",
        "ExpectColumnValuesToBeBetween",
        column="event_date",
        min_value=FIRST_MEASURE,
        max_value=Today(shared_rules.SLACK_DAYS),
    ),
    *(
        quarantine(
            f"{column}_is_within_thirty_years_from_now",
            "No plan reaches further; the year is a misprint.",
            "ExpectColumnValuesToBeBetween",
            column=column,
            min_value=FIRST_MEASURE,
            max_value=Today(LONGEST_PLAN_DAYS),
        )
        for column in ("planned_date", "review_date")
    ),
    is_not_above(
        "milestone_does_not_end_before_it_happens", "event_date", "ended_date",
        "The two dates are swapped.",
    ),
    has_a_web_address(),
)  # fmt: skip
