"""Rules that a batch of `restriction_suspensions` must satisfy before it is used.

A list of measures may have none: no suspension is no sign of a file cut short.
"""

from __future__ import annotations

from dagster_project import words
from dagster_project.quality.rules import Today, quarantine
from dagster_project.quality.shared_lake_rules import (
    FIRST_MEASURE,
    is_filled,
    key_of,
    known_by_today,
)
from dagster_project.quality.shared_rules import is_not_above, is_one_of, one_row_per

LONGEST_NOTICE_DAYS = 5 * 366

RULES = (
    is_filled("restriction_suspensions"),
    one_row_per("clause_and_first_day", *key_of("restriction_suspensions")),
    is_not_above(
        "suspension_ends_after_it_begins", "suspended_from", "suspended_to",
        "A suspension that ends before it begins would never apply.",
    ),
    quarantine(
        "suspension_begins_within_five_years_from_now",
        "No suspension is announced longer ahead; the year is a misprint.",
        "ExpectColumnValuesToBeBetween",
        column="suspended_from",
        min_value=FIRST_MEASURE,
        max_value=Today(LONGEST_NOTICE_DAYS),
    ),
    is_one_of(
        "evidence_class_is_known", "evidence_class", words.EVIDENCE_CLASSES,
        "A reader must be able to distinguish an act from a rumour.",
    ),
    known_by_today(),
)  # fmt: skip
