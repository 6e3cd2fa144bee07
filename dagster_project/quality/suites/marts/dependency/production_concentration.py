"""Rules that `dependency.production_concentration` must satisfy before a build is published."""

from __future__ import annotations

from dagster_project.quality.mart_parts import production_in_common
from dagster_project.quality.parts import is_a_share, is_not_blank
from dagster_project.quality.rules import stop

RULES = (
    *production_in_common(),
    *(is_a_share(column) for column in ("hhi", "cr1_share", "cr3_share")),
    is_a_share("governance_coverage_share"),
    stop(
        "hhi_governance_weighted_is_between_0_and_10",
        "Governance weighs 0 to 10; more is a weight read from another scale.",
        "ExpectColumnValuesToBeBetween",
        column="hhi_governance_weighted", min_value=0, max_value=10,
    ),
    is_not_blank("reason"),
    stop(
        "top_producer_is_one_economy",
        "The world and the rest of it are not producers.",
        "ExpectColumnValuesToNotBeInSet",
        column="top_producer_iso3", value_set=("WLD", "_X"),
    ),
)  # fmt: skip
