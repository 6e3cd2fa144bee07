"""Rules that a batch of `company_facts` must satisfy before it is used.

A list of measures may name no company: no fact is no sign of a file cut short.
"""

from __future__ import annotations

import polars as pl

from dagster_project import words
from dagster_project.quality import shared_rules
from dagster_project.quality.rules import stop
from dagster_project.quality.shared_lake_rules import (
    has_a_web_address,
    is_filled,
    key_of,
    known_by_today,
)
from dagster_project.quality.shared_rules import (
    is_known_economy,
    is_not_blank,
    is_one_of,
    one_row_per,
)

_NO_NAME = pl.element().filter(~pl.element().str.contains(shared_rules.SLUG))

RULES = (
    is_filled("company_facts"),
    one_row_per("company_and_clause", *key_of("company_facts")),
    is_not_blank("company"),
    is_not_blank("statement"),
    is_known_economy("home_iso3"),
    stop(
        "minerals_are_names",
        "Minerals have one form of name (`all_rare_earths`), else they match nothing.",
        "ExpectColumnValuesToBeNull",
        {"not_a_name": pl.col("minerals").list.eval(_NO_NAME).list.first()},
        column="not_a_name",
    ),
    is_one_of(
        "evidence_is_known", "evidence", words.COMPANY_EVIDENCE,
        "An act hits the companies that it names; others of the sector are not known to be hit.",
    ),
    is_one_of(
        "evidence_class_is_known", "evidence_class", words.EVIDENCE_CLASSES,
        "A reader must be able to distinguish an act from a rumour.",
    ),
    known_by_today(),
    has_a_web_address(),
)  # fmt: skip
