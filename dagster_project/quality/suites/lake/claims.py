"""Rules that a batch of `claims` must satisfy before it is used."""

from __future__ import annotations

import polars as pl

from dagster_project import words
from dagster_project.quality import shared_rules
from dagster_project.quality.rules import Known, stop
from dagster_project.quality.shared_lake_rules import (
    has_a_web_address,
    is_filled,
    key_of,
    known_by_today,
)
from dagster_project.quality.shared_rules import (
    has_rows,
    is_known_economy,
    is_not_above,
    is_one_of,
    matches,
    one_row_per,
)

RULES = (
    has_rows(),
    is_filled("claims"),
    one_row_per("claim", *key_of("claims")),
    is_known_economy("importer_iso3"),
    is_known_economy("supplier_iso3"),
    is_one_of(
        "mineral_group_is_known", "mineral_group", Known("mineral_groups"),
        "A claim on an undefined group could never be decided.",
    ),
    stop(
        "claim_gives_a_bound",
        "A statement without a figure can be neither supported nor contradicted.",
        "ExpectColumnValuesToNotBeNull",
        {
            "any_bound": pl.when(pl.col("test") != "none")
            .then(pl.coalesce("claimed_low", "claimed_high"))
            .otherwise(0.0)
        },
        column="any_bound",
    ),
    stop(
        "claim_that_no_figure_decides_says_what_is_missing",
        "A claim without a test names the figure that would decide it.",
        "ExpectColumnValuesToNotBeNull",
        {"decided_by": pl.when(pl.col("test") == "none").then("missing").otherwise("test")},
        column="decided_by",
    ),
    is_one_of(
        "stage_is_known", "stage", words.STAGES,
        "The mine and the refinery of one material are in different economies.",
    ),
    is_one_of(
        "flow_is_import_or_export", "flow", words.DECLARED_FLOWS,
        "The flow gives the side whose report the claim is about.",
    ),
    is_one_of(
        "frequency_is_annual_or_monthly", "frequency", words.FREQUENCIES,
        "A claim is on a year or on a month.",
    ),
    matches(
        "nace2_code_is_a_division", "nace2_code", shared_rules.NACE_DIVISION,
        "A letter and two digits (`C25`): a section or a class is another level.",
    ),
    is_not_above(
        "claimed_low_is_not_above_high", "claimed_low", "claimed_high",
        "The bounds are swapped.",
    ),
    *(
        stop(
            f"claimed_share_{side}_is_between_0_and_1",
            "A share above 1 is a percentage: 60 % is 0.6.",
            "ExpectColumnValuesToBeBetween",
            {
                f"claimed_share_{side}": pl.when(pl.col("test").str.contains("share")).then(
                    f"claimed_{side}"
                )
            },
            column=f"claimed_share_{side}",
            min_value=0,
            max_value=1,
        )
        for side in ("low", "high")
    ),
    known_by_today("claimed_at"),
    has_a_web_address(),
)  # fmt: skip
