"""Rules that `market.abnormal_returns` must satisfy before a build is published."""

from __future__ import annotations

import polars as pl

from dagster_project.market import PATH_FROM, PATH_TO
from dagster_project.quality.mart_parts import answers_of_a_market, no_row_has
from dagster_project.quality.rules import stop

RULES = (
    *answers_of_a_market("cumulative_abnormal_return"),
    stop(
        "session_offset_is_on_the_path",
        f"The path leads from the session {PATH_FROM} to the session {PATH_TO}.",
        "ExpectColumnValuesToBeBetween",
        column="session_offset", min_value=PATH_FROM, max_value=PATH_TO,
    ),
    no_row_has(
        "path_begins_with_its_first_abnormal_return",
        "The sum of one return is that return.",
        other_beginning=pl.when(
            (pl.col("session_offset") == PATH_FROM)
            & ((pl.col("abnormal_return") - pl.col("cumulative_abnormal_return")).abs() > 1e-12)
        ).then("event_id"),
    ),
)  # fmt: skip
