"""Rules that `exposure.milestones` must satisfy before a build is published."""

from __future__ import annotations

from dagster_project import words
from dagster_project.quality.mart_parts import has_a_web_address
from dagster_project.quality.parts import (
    is_known_economy,
    is_not_blank,
    is_not_later_than_today,
    is_one_of,
)

RULES = (
    is_one_of(
        "kind_is_known", "kind", words.MILESTONE_KINDS,
        "A remark is not a project.",
    ),
    is_one_of(
        "evidence_class_is_known", "evidence_class", words.EVIDENCE_CLASSES,
        "A reader must be able to distinguish an act from a rumour.",
    ),
    is_known_economy("economy_iso3"),
    is_not_blank("title"),
    is_not_later_than_today("event_date"),
    is_not_later_than_today("known_at"),
    has_a_web_address(),
)  # fmt: skip
