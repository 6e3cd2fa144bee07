"""Rules that `exposure.measures` must satisfy before a build is published."""

from __future__ import annotations

import polars as pl

from dagster_project import words
from dagster_project.quality import parts
from dagster_project.quality.mart_parts import has_a_web_address
from dagster_project.quality.parts import (
    is_known_economy,
    is_not_blank,
    is_not_later_than_today,
    is_one_of,
    matches,
)

RULES = (
    is_one_of(
        "direction_is_known", "direction", words.DIRECTIONS,
        "Whether a clause restricts or relaxes decides its exposure.",
    ),
    is_one_of(
        "target_class_is_known", "target_class", words.TARGET_CLASSES,
        "A clause on entities gives no exposure of trade, one on an economy does.",
    ),
    parts.targets_agree(),
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
    parts.inferred_names_columns(),
    is_known_economy("implementer_iso3"),
    is_known_economy("target_iso3", "ALL"),
    is_not_blank("title"),
    matches(
        "entities_are_named", "entity", parts.NOT_BLANK,
        "A clause on entities that names none affects nobody.",
    ).with_derived(
        entity=pl.when(pl.col("target_class") == "entity").then("target_name")
    ),
    is_not_later_than_today("known_at"),
    parts.takes_effect_after_announcement(),
    has_a_web_address(),
)  # fmt: skip
