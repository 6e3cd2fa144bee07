"""Rules that `market.event_studies` must satisfy before a build is published."""

from __future__ import annotations

import polars as pl

from dagster_project import words
from dagster_project.market import LEAST_SESSIONS
from dagster_project.quality.mart_parts import answers_of_a_market, is_at_least, no_row_has
from dagster_project.quality.parts import (
    is_a_share,
    is_not_above,
    is_not_later_than_today,
    is_one_of,
)
from dagster_project.quality.rules import report

LARGEST_RETURN = 0.5
"""A sum of logarithmic returns of a few sessions: the bundled series reach 0.3 in eleven."""

RULES = (
    is_one_of(
        "event_kind_is_known", "event_kind", words.EVENT_KINDS,
        "Other news is looked at for contamination alone.",
    ),
    is_one_of(
        "reason_is_known", "reason", words.EVENT_REASONS, "A reader filters by these words.",
    ),
    *answers_of_a_market("car"),
    no_row_has(
        "there_are_statistics_or_a_reason",
        "A figure that is missing says why, and one that is there needs no reason.",
        unexplained=pl.when(
            pl.any_horizontal(
                pl.col(name).is_null() != pl.col("reason").is_not_null()
                for name in ("car", "standard_error", "t_statistic", "p_value", "p_value_rank",
                             "p_value_bh", "p_value_rank_bh", "ci95_low", "ci95_high")
            )
        ).then("event_id"),
    ),
    *(is_a_share(name) for name in ("p_value", "p_value_rank", "p_value_bh", "p_value_rank_bh")),
    is_not_above(
        "adjusting_for_many_tests_never_lowers_a_p_value", "p_value", "p_value_bh",
        "What is adjusted for many tests is at least as likely by chance.",
    ),
    is_not_above(
        "adjusting_for_many_tests_never_lowers_a_rank_p_value", "p_value_rank", "p_value_rank_bh",
        "What is adjusted for many tests is at least as likely by chance.",
    ),
    is_at_least("estimation_days", 0, "It is a count."),
    no_row_has(
        "estimates_rest_on_enough_sessions",
        f"From fewer than {LEAST_SESSIONS} sessions nothing is estimated.",
        too_few=pl.when(
            pl.col("alpha").is_not_null() & (pl.col("estimation_days") < LEAST_SESSIONS)
        ).then("estimation_days"),
    ),
    no_row_has(
        "estimation_ends_before_the_window_begins",
        "Else the usual return would hold what the event did to it.",
        overlap=pl.when(pl.col("estimation_to") >= pl.col("window_start")).then("event_id"),
    ),
    no_row_has(
        "session_is_not_before_the_day_of_the_event",
        "By more than the day that lies between the zones of the world.",
        too_early=pl.when(
            pl.col("session_date") < pl.col("event_date") - pl.duration(days=1)
        ).then("event_id"),
    ),
    no_row_has(
        "what_is_contaminated_says_by_what",
        "A reader must be able to look it up.",
        unnamed=pl.when(
            pl.col("is_contaminated") != (pl.col("contaminated_by").list.len() > 0)
        ).then("event_id"),
    ),
    is_not_later_than_today("window_end"),
    report(
        "abnormal_return_is_below_half",
        "Beyond it a split was not adjusted or a close is a misprint; it may be true.",
        "ExpectColumnValuesToBeBetween",
        column="car", min_value=-LARGEST_RETURN, max_value=LARGEST_RETURN,
    ),
)  # fmt: skip
