"""Rules that `reference.materials` must satisfy before a build is published."""

from __future__ import annotations

from dagster_project.quality import parts
from dagster_project.quality.parts import is_not_blank, matches

RULES = (
    is_not_blank("label"),
    matches(
        "material_is_a_name", "material", parts.SLUG,
        "Materials have one form of name (`natural_graphite`), else two publishers do not match.",
    ),
)  # fmt: skip
