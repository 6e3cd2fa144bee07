"""Rules that `dependency.production_shares` must satisfy before a build is published."""

from __future__ import annotations

import polars as pl

from dagster_project import words
from dagster_project.quality.mart_parts import no_row_has, production_in_common
from dagster_project.quality.parts import is_a_share, is_not_blank, is_one_of
from dagster_project.quality.rules import report

RULES = (
    *production_in_common(),
    is_a_share("share"),
    is_one_of(
        "content_basis_is_known", "content_basis", words.CONTENT_BASES,
        "A ton of oxide and a ton of the metal in it are not added up.",
    ),
    is_not_blank("note"),
    is_not_blank("reason"),
    no_row_has(
        "a_share_of_a_total_has_an_amount",
        "More is a share of another total than the one in its row.",
        share_without_amount=pl.when(
            pl.col("world_total_t").is_not_null() & pl.col("amount_t").is_null()
        ).then("share"),
    ),
    report(
        "china_is_covered",
        "China is the first producer a reader asks about.",
        "ExpectColumnDistinctValuesToContainSet",
        column="economy_iso3", value_set=("CHN",),
    ),
)  # fmt: skip
