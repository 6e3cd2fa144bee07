"""Rules that a batch of `notice_decisions` must satisfy before it is used.

A list of measures may name no notice: no decision is no sign of a file cut short.
"""

from __future__ import annotations

import polars as pl

from dagster_project.quality.rules import stop
from dagster_project.quality.shared_lake_rules import is_filled, key_of, known_by_today
from dagster_project.quality.shared_rules import is_not_blank, one_row_per

RULES = (
    is_filled("notice_decisions"),
    one_row_per("notice_and_clause", *key_of("notice_decisions")),
    is_not_blank("notice_id"),
    stop(
        "a_clause_or_a_reason_is_given",
        "A notice belongs to a clause, or somebody has said why it does not matter.",
        "ExpectColumnValuesToNotBeNull",
        {"decision": pl.coalesce(pl.col("reason"), pl.col("clause_id").replace("", None))},
        column="decision",
    ),
    known_by_today(),
)
