"""Rules that a batch of `scenario_changes` must satisfy before it is used.

A scenario is used as a whole, so a change that breaks a rule blocks its file.
"""

from __future__ import annotations

import polars as pl

from dagster_project import words
from dagster_project.quality import shared_rules
from dagster_project.quality.rules import stop
from dagster_project.quality.shared_lake_rules import is_filled, key_of
from dagster_project.quality.shared_rules import (
    has_rows,
    is_a_share,
    is_known_economy,
    is_not_above,
    is_not_blank,
    is_one_of,
    matches,
    one_row_per,
)

_NO_NAME = pl.element().filter(~pl.element().str.contains(shared_rules.SLUG))
_IS_OF_A_CLAUSE = pl.col("kind").is_in(words.CHANGES_OF_CLAUSES)

RULES = (
    has_rows(),
    is_filled("scenario_changes"),
    one_row_per("change", *key_of("scenario_changes")),
    matches(
        "scenario_is_a_name", "scenario", shared_rules.SLUG,
        "A scenario has one form of name, else a later file would not replace it.",
    ),
    is_not_blank("title"),
    is_known_economy("importer_iso3"),
    is_known_economy("supplier_iso3"),
    is_known_economy("to_supplier_iso3"),
    is_one_of(
        "kind_is_known", "kind", words.SCENARIO_CHANGES,
        "Each kind of change is computed in a way of its own.",
    ),
    stop(
        "mineral_groups_are_names",
        "Groups have one form of name (`rare_earths`), else they match nothing.",
        "ExpectColumnValuesToBeNull",
        {"not_a_name": pl.col("mineral_groups").list.eval(_NO_NAME).list.first()},
        column="not_a_name",
    ),
    stop(
        "change_is_about_a_mineral_group",
        "A change without a group changes nothing.",
        "ExpectColumnValuesToBeBetween",
        {"number_of_groups": pl.col("mineral_groups").list.len()},
        column="number_of_groups",
        min_value=1,
    ),
    is_a_share("share"),
    stop(
        "tonnes_low_is_not_negative",
        "An added supply is no loss: that is a cut.",
        "ExpectColumnValuesToBeBetween",
        column="tonnes_low",
        min_value=0,
    ),
    is_not_above(
        "tonnes_low_is_not_above_high", "tonnes_low", "tonnes_high", "The bounds are swapped."
    ),
    stop(
        "change_has_its_subject",
        "A change of supply names a supplier, one of a clause the clause.",
        "ExpectColumnValuesToNotBeNull",
        {"subject": pl.when(_IS_OF_A_CLAUSE).then("clause_id").otherwise("supplier_iso3")},
        column="subject",
    ),
    stop(
        "change_has_its_day",
        "Without a day a change is in no year; only a supply project has years of its own.",
        "ExpectColumnValuesToNotBeNull",
        {
            "first_day": pl.when(_IS_OF_A_CLAUSE)
            .then(pl.col("effective_date").cast(pl.String))
            .otherwise(pl.coalesce(pl.col("from_date").cast(pl.String), "project"))
        },
        column="first_day",
    ),
    stop(
        "from_date_is_the_first_of_a_month",
        "A change of supply is dated by its first month.",
        "ExpectColumnValuesToMatchRegex",
        {"first_of_month": pl.col("from_date").cast(pl.String)},
        column="first_of_month",
        regex=r"-01$",
    ),
    matches(
        "source_url_is_a_web_address", "source_url", shared_rules.WEB_ADDRESS,
        "A reader opens it; a source in words belongs in `because`.",
    ),
)  # fmt: skip
