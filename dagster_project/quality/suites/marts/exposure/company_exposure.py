"""Rules that `exposure.company_exposure` must satisfy before a build is published."""

from __future__ import annotations

import polars as pl

from dagster_project import words
from dagster_project.quality.mart_parts import has_a_web_address, no_row_has
from dagster_project.quality.parts import (
    is_known_economy,
    is_not_blank,
    is_not_later_than_today,
    is_one_of,
)

RULES = (
    is_not_blank("company"),
    is_not_blank("statement"),
    is_known_economy("home_iso3"),
    is_one_of(
        "evidence_is_known", "evidence", words.COMPANY_EVIDENCE,
        "Who is named by an act is hit; of who is only in the sector, nobody said so.",
    ),
    is_one_of(
        "evidence_class_is_known", "evidence_class", words.EVIDENCE_CLASSES,
        "A reader must be able to distinguish an act from a rumour.",
    ),
    no_row_has(
        "every_company_has_a_name",
        "Entities that no source names are counted among the targets, and are no company.",
        unnamed_company=pl.when(pl.col("company").str.to_lowercase() == "unnamed").then("company"),
    ),
    is_not_later_than_today("known_at"),
    has_a_web_address(),
)  # fmt: skip
