"""Rules that a batch of `economies` must satisfy before it is used."""

from __future__ import annotations

import polars as pl

from dagster_project.quality import shared_rules
from dagster_project.quality.rules import stop
from dagster_project.quality.shared_lake_rules import is_filled, key_of
from dagster_project.quality.shared_rules import has_rows, matches, one_row_per

RULES = (
    has_rows(),
    is_filled("economies"),
    one_row_per("economy", *key_of("economies")),
    matches(
        "economy_iso3_has_three_signs_or_is_a_special_code", "economy_iso3",
        r"^([A-Z]{3}|[A-Z]{2}[0-9]|_X|EU27)$",
        "Two-letter codes and numbers of a publisher are mapped before they come here.",
    ),
    stop(
        "the_list_holds_the_well_known",
        "Without them the first question has no answer: the file was cut.",
        "ExpectColumnDistinctValuesToContainSet",
        column="economy_iso3",
        value_set=shared_rules.WELL_KNOWN,
    ),
    stop(
        "m49_code_names_one_economy",
        "Two economies with one number would get each other's trade.",
        "ExpectColumnValuesToBeUnique",
        column="m49_code",
    ),
    matches(
        "m49_code_has_three_digits", "m49_code", r"^[0-9]{3}$",
        "A number has lost its leading zeros (`004` is not `4`).",
    ),
    matches(
        "publishers_codes_are_digits", "publishers_codes", r"^[0-9 ]+$",
        "Codes of a publisher are digits, several after a blank.",
    ).with_derived(
        publishers_codes=pl.concat_str(
            "comtrade_code", "japan_customs_code", separator=" ", ignore_nulls=True
        ).replace("", None)
    ),
    stop(
        "the_european_union_has_27_members",
        "Another number of members is that of another year, or a flag is on the wrong row.",
        "ExpectColumnSumToBeBetween",
        {"members": pl.col("is_eu27").cast(pl.Int64)},
        column="members",
        min_value=27,
        max_value=27,
    ),
)  # fmt: skip
