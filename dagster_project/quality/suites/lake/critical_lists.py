"""Rules that a batch of `critical_lists` must satisfy before it is used."""

from __future__ import annotations

import polars as pl

from dagster_project import words
from dagster_project.quality import shared_rules
from dagster_project.quality.rules import stop
from dagster_project.quality.shared_lake_rules import (
    has_a_web_address,
    is_filled,
    key_of,
    known_by_today,
)
from dagster_project.quality.shared_rules import (
    has_rows,
    is_known_economy,
    is_not_blank,
    is_one_of,
    matches,
    one_row_per,
)

RULES = (
    has_rows(),
    is_filled("critical_lists"),
    one_row_per("list_and_material", *key_of("critical_lists")),
    is_not_blank("material_as_printed"),
    is_known_economy("jurisdiction_iso3"),
    is_one_of(
        "class_is_known", "class", words.LIST_CLASSES,
        "What is only watched is not critical.",
    ),
    is_one_of(
        "confidence_is_known", "confidence", words.LIST_CONFIDENCES,
        "What no page was read for must be recognisable.",
    ),
    is_one_of(
        "date_precision_is_known", "date_precision", words.DATE_PRECISIONS,
        "A day that stands for a month must be recognisable.",
    ),
    matches(
        "slug_is_a_name", "slug", shared_rules.SLUG,
        "A word leads to figures by its name.",
    ),
    stop(
        "a_later_status_says_what_it_was_before",
        "A build as of an earlier day shows the status of that day.",
        "ExpectColumnValuesToBeInSet",
        {
            "is_complete": pl.col("status_known_at").is_null()
            == pl.col("status_before").is_null()
        },
        column="is_complete",
        value_set=[True],
    ),
    known_by_today(),
    has_a_web_address(),
)  # fmt: skip
