"""Rules that `catalog.coverage` must satisfy before a build is published."""

from __future__ import annotations

from dagster_project.quality import parts
from dagster_project.quality.mart_parts import is_at_least
from dagster_project.quality.parts import is_not_blank, is_not_later_than_today

RULES = (
    is_not_blank("table_name"),
    *parts.names_a_slice(),
    is_at_least("rows", 0, "Rows are counted."),
    is_not_later_than_today("period_start"),
    is_not_later_than_today("asked_at"),
)  # fmt: skip
