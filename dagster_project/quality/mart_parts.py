"""Rules shared by suites of marts; those shared by lake and marts are in `parts`."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from dagster_project import words
from dagster_project.quality import parts
from dagster_project.quality.parts import is_not_later_than_today, is_one_of, matches
from dagster_project.quality.rules import Known, Rule, report, stop


def contains(
    name: str,
    column: str,
    values: tuple[str, ...],
    explanation: str,
    derived: Mapping[str, pl.Expr] | None = None,
) -> Rule:
    return stop(
        name, explanation, "ExpectColumnDistinctValuesToContainSet", derived,
        column=column, value_set=values,
    )  # fmt: skip


def covers_japan(column: str) -> Rule:
    """Reported only: as of a day before the first figures the table is correctly empty."""
    return report(
        "japan_is_covered",
        "Japan is the first importer a reader asks about.",
        "ExpectColumnDistinctValuesToContainSet",
        column=column,
        value_set=("JPN",),
    )


def is_at_least(column: str, least: float, explanation: str, *, strict: bool = False) -> Rule:
    bound = "positive" if strict else "not_negative" if least == 0 else f"at_least_{least:.0f}"
    return stop(
        f"{column}_is_{bound}",
        explanation,
        "ExpectColumnValuesToBeBetween",
        column=column,
        min_value=least,
        strict_min=strict,
    )


def no_row_has(name: str, explanation: str, **offender: pl.Expr) -> Rule:
    """No row has a value in the derived column, which is null where all is well."""
    (column,) = offender
    return stop(name, explanation, "ExpectColumnValuesToBeNull", offender, column=column)


def is_a_mineral_group() -> Rule:
    return is_one_of(
        "mineral_group_is_known",
        "mineral_group",
        Known("mineral_groups"),
        "A group that is not defined cannot be explained to a reader.",
    )


def is_an_hs6_code() -> Rule:
    return matches(
        "hs6_code_has_six_digits",
        "hs6_code",
        parts.HS6,
        "A code that went through a number has lost its leading zero.",
    )


def has_a_known_edition() -> Rule:
    return is_one_of(
        "hs_revision_is_a_known_edition",
        "hs_revision",
        words.HS_EDITIONS,
        "A code means another thing in another edition of the HS.",
    )


def is_in_japanese(column: str = "name_ja") -> Rule:
    return matches(
        f"{column}_is_in_japanese",
        column,
        r"[぀-ヿ㐀-鿿]",
        "Text read in another encoding shows no kana and no kanji.",
    )


def shares_in_common() -> tuple[Rule, ...]:
    return (
        is_one_of(
            "measure_is_value_or_weight", "measure", words.MEASURES,
            "Shares are of value or of weight; there is no third basis.",
        ),
        is_one_of(
            "frequency_is_annual_or_monthly", "frequency", words.FREQUENCIES,
            "A quarter beside months would be counted twice.",
        ),
        is_a_mineral_group(),
        parts.starts_its_period(),
        is_not_later_than_today("period_start"),
        stop(
            "importer_is_one_economy",
            "The world and the unpublished part import nothing.",
            "ExpectColumnValuesToNotBeInSet",
            column="importer_iso3", value_set=("WLD", "_X"),
        ),
        covers_japan("importer_iso3"),
    )  # fmt: skip


def production_in_common() -> tuple[Rule, ...]:
    return (
        is_one_of(
            "stage_is_known", "stage", words.STAGES,
            "The mine and the refinery of one material are in different economies.",
        ),
        matches(
            "material_is_a_name", "material", parts.SLUG,
            "The name is typed into filters: lower case, no blanks.",
        ),
        is_not_later_than_today("first_day_of_year").with_derived(
            first_day_of_year=pl.date(pl.col("year"), 1, 1)
        ),
    )  # fmt: skip


def has_a_web_address() -> Rule:
    return matches(
        "source_url_is_a_web_address", "source_url", parts.WEB_ADDRESS, "A reader opens it."
    )


def answers_of_a_market(mean: str) -> tuple[Rule, ...]:
    """What holds of every sum of abnormal returns: `mean` is its column."""
    return (
        is_one_of(
            "model_is_known", "model", words.EVENT_MODELS,
            "The usual return is a mean, or a factor's share of what the market did.",
        ),
        no_row_has(
            "the_market_model_and_no_other_has_a_factor",
            "Without a factor there is no market row.",
            wrong_factor=pl.when(
                (pl.col("model") == "market") != pl.col("market_instrument").is_not_null()
            ).then("instrument"),
        ),
        parts.is_not_above(
            "interval_begins_below_the_estimate", "ci95_low", mean,
            "An interval lies around what was estimated.",
        ),
        parts.is_not_above(
            "interval_ends_above_the_estimate", mean, "ci95_high",
            "An interval lies around what was estimated.",
        ),
        is_at_least("standard_error", 0, "A return that varies has an error.", strict=True),
        is_not_later_than_today("session_date"),
    )  # fmt: skip
