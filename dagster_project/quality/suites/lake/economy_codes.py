"""Rules that a batch of `economy_codes` must satisfy before it is used."""

from __future__ import annotations

import polars as pl

from dagster_project import words
from dagster_project.quality.rules import stop
from dagster_project.quality.shared_lake_rules import is_filled, key_of
from dagster_project.quality.shared_rules import has_rows, is_known_economy, is_one_of, one_row_per

RULES = (
    has_rows(),
    is_filled("economy_codes"),
    one_row_per("code", *key_of("economy_codes")),
    is_known_economy("economy_iso3"),
    is_one_of(
        "scheme_is_known", "scheme", words.CODE_SCHEMES,
        "Codes of a scheme that no source reads are of no use.",
    ),
    stop(
        "a_code_ends_after_it_begins",
        "First and last day are swapped.",
        "ExpectColumnValuesToBeNull",
        {"ends_early": pl.when(pl.col("valid_to") < pl.col("valid_from")).then("code")},
        column="ends_early",
    ),
)  # fmt: skip
