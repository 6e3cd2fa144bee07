"""Rules that a batch of `notices` must satisfy before it is used.

A day without a notice is no fault.
"""

from __future__ import annotations

import polars as pl

from dagster_project import words
from dagster_project.quality import shared_rules
from dagster_project.quality.rules import Today, quarantine, stop
from dagster_project.quality.shared_lake_rules import is_filled, key_of
from dagster_project.quality.shared_rules import (
    is_known_economy,
    is_not_blank,
    is_one_of,
    one_row_per,
)

_NO_CODE = pl.element().filter(~pl.element().str.contains(r"^\d{6}$"))
_NO_NAME = pl.element().filter(~pl.element().str.contains(shared_rules.SLUG))

RULES = (
    is_filled("notices"),
    one_row_per("notice", *key_of("notices")),
    is_not_blank("notice_id"),
    is_not_blank("title"),
    is_known_economy("implementer_iso3"),
    is_one_of(
        "kind_is_known", "kind", words.NOTICE_KINDS,
        "A reader tells a rule from a report of one by its kind.",
    ),
    quarantine(
        "notice_is_not_of_the_future",
        "A notice of a later day than today is a misprint; it would be unread for ever.",
        "ExpectColumnValuesToBeBetween",
        column="published_at",
        max_value=Today(shared_rules.SLACK_DAYS),
    ),
    quarantine(
        "url_is_a_web_address",
        "A reader opens it; with a blank or a bracket in it, it is another text.",
        "ExpectColumnValuesToMatchRegex",
        column="url",
        regex=shared_rules.WEB_ADDRESS,
    ),
    stop(
        "minerals_are_names",
        "Minerals have one form of name (`all_rare_earths`), else they match nothing.",
        "ExpectColumnValuesToBeNull",
        {"not_a_name": pl.col("minerals").list.eval(_NO_NAME).list.first()},
        column="not_a_name",
    ),
    quarantine(
        "codes_have_six_digits",
        "A code of another length matches no flow.",
        "ExpectColumnValuesToBeNull",
        {"not_a_code": pl.col("hs6_codes").list.eval(_NO_CODE).list.first()},
        column="not_a_code",
    ),
)  # fmt: skip
