"""Rules that `catalog.releases` must satisfy before a build is published."""

from __future__ import annotations

from dagster_project.quality.parts import has_rows, is_not_blank, matches
from dagster_project.quality.rules import stop

RULES = (
    has_rows(),
    stop(
        "one_row_per_release", "A release is published once.",
        "ExpectColumnValuesToBeUnique", column="release_id",
    ),
    matches(
        "contract_version_is_a_version", "contract_version", r"^[0-9]+\.[0-9]+(\.[0-9]+)?$",
        "A BI tool compares it before it trusts the columns.",
    ),
    matches(
        "duckdb_version_is_a_version", "duckdb_version", r"^v?[0-9]+\.[0-9]+\.[0-9]+",
        "The storage version decides which readers can open the file.",
    ),
    is_not_blank("release_id"),
    is_not_blank("code_version"),
)  # fmt: skip
