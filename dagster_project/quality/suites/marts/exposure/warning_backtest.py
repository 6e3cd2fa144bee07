"""Rules that `exposure.warning_backtest` must satisfy before a build is published."""

from __future__ import annotations

import polars as pl

from dagster_project import words
from dagster_project.quality.mart_parts import is_at_least, no_row_has
from dagster_project.quality.parts import is_not_above, is_not_blank, is_one_of

RULES = (
    is_one_of(
        "signal_is_of_figures", "signal", words.SIGNALS_OF_FIGURES,
        "Signals of clauses say what is known: there is nothing to test.",
    ),
    is_one_of(
        "frequency_is_known", "frequency", words.FREQUENCIES, "A series is of years or months.",
    ),
    is_one_of(
        "verdict_is_known", "verdict", words.BACKTEST_VERDICTS,
        "A reader counts by these words and no others.",
    ),
    is_not_blank("reason"),
    is_at_least("quiet_periods", 0, "It is a count."),
    is_at_least("false_alarms_in_quiet_years", 0, "It is a count."),
    is_not_above(
        "false_alarms_are_of_quiet_periods", "false_alarms_in_quiet_years", "quiet_periods",
        "What cannot be judged is no false alarm.",
    ),
    no_row_has(
        "what_has_fired_did_so_before_the_effect",
        "A warning that comes after the clause took effect is none.",
        too_late=pl.when(
            (pl.col("verdict") == "fired")
            & (pl.col("days_before_effective").is_null() | (pl.col("days_before_effective") < 0))
        ).then("episode"),
    ),
    no_row_has(
        "what_was_missed_did_not_fire_in_time",
        "The verdict and the days say the same.",
        in_time=pl.when(
            (pl.col("verdict") == "missed") & (pl.col("days_before_effective") >= 0)
        ).then("episode"),
    ),
)  # fmt: skip
