"""Rules that `dependency.supplier_shares` must satisfy before a build is published."""

from __future__ import annotations

import polars as pl

from dagster_project.quality.mart_parts import is_at_least, no_row_has, shares_in_common
from dagster_project.quality.parts import is_a_share
from dagster_project.quality.rules import stop

RULES = (
    *shares_in_common(),
    is_a_share("share"),
    is_at_least("amount", 0, "A supplier's amount is never negative."),
    is_at_least("supplier_rank", 1, "The largest supplier has rank 1."),
    stop(
        "supplier_is_not_the_world",
        "The printed total listed with its parts doubles the trade.",
        "ExpectColumnValuesToNotBeInSet",
        column="supplier_iso3", value_set=("WLD",),
    ),
    stop(
        "supplier_is_not_the_importer",
        "A flow of an economy with itself is a re-import, not a dependence.",
        "ExpectSelectColumnValuesToBeUniqueWithinRecord",
        column_list=("importer_iso3", "supplier_iso3"),
        ignore_row_if="any_value_is_missing",
    ),
    no_row_has(
        "the_unpublished_part_has_no_rank",
        "It is not a single supplier, so it cannot be the second largest.",
        rank_of_unpublished=pl.when(pl.col("supplier_iso3") == "_X").then("supplier_rank"),
    ),
)  # fmt: skip
