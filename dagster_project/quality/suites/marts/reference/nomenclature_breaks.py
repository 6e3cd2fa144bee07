"""Rules that `reference.nomenclature_breaks` must satisfy before a build is published."""

from __future__ import annotations

from dagster_project.quality.mart_parts import is_an_hs6_code
from dagster_project.quality.parts import has_rows, is_not_blank, matches

RULES = (
    has_rows(),
    is_an_hs6_code(),
    matches(
        "edition_is_named_as_in_the_flows", "hs_revision_after", r"^HS[0-9]{4}$",
        "An edition with another name matches no flow, and its break has no effect.",
    ),
    is_not_blank("reason"),
    is_not_blank("source"),
)  # fmt: skip
