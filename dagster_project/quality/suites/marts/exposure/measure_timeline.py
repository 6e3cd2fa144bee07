"""Rules that `exposure.measure_timeline` must satisfy before a build is published."""

from __future__ import annotations

from dagster_project import words
from dagster_project.quality import parts
from dagster_project.quality.parts import is_known_economy, is_not_blank, is_one_of

RULES = (
    is_one_of(
        "status_is_known", "status", words.MEASURE_STATUSES,
        "A reader filters by these words and no others.",
    ),
    is_one_of(
        "direction_is_known", "direction", words.DIRECTIONS,
        "What restricts, what relaxes and what only has to be reported are counted apart.",
    ),
    parts.targets_agree(),
    is_known_economy("implementer_iso3"),
    is_known_economy("target_iso3", "ALL"),
    is_not_blank("title"),
    is_not_blank("because"),
)  # fmt: skip
