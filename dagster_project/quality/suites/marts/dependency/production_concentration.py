"""Rules that `dependency.production_concentration` must satisfy before a build is published."""

from __future__ import annotations

from dagster_project.quality.mart_parts import (
    LARGEST_PRODUCTION_SHARE,
    is_within_rounding,
    production_in_common,
)
from dagster_project.quality.parts import is_a_share
from dagster_project.quality.rules import stop

RULES = (
    *production_in_common(),
    is_within_rounding(
        "hhi", 1, LARGEST_PRODUCTION_SHARE**2,
        "It is a sum of squared shares; on a scale to 10,000 it is another column.",
    ),
    *(
        is_within_rounding(
            column, 1, LARGEST_PRODUCTION_SHARE, "A share above that is a percentage."
        )
        for column in ("cr1_share", "cr3_share")
    ),
    is_a_share("governance_coverage_share"),
    is_within_rounding(
        "hhi_governance_weighted", 10, 10 * LARGEST_PRODUCTION_SHARE**2,
        "Governance weighs 0 to 10; more is a weight read from another scale.",
    ),
    stop(
        "top_producer_is_one_economy",
        "The world and the rest of it are not producers.",
        "ExpectColumnValuesToNotBeInSet",
        column="top_producer_iso3", value_set=("WLD", "_X"),
    ),
)  # fmt: skip
