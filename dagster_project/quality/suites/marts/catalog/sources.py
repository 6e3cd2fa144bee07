"""Rules that `catalog.sources` must satisfy before a build is published."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import polars as pl

from dagster_project import words
from dagster_project.quality.mart_parts import contains
from dagster_project.quality.parts import has_rows, is_not_blank, is_not_later_than_today, is_one_of
from dagster_project.quality.rules import Rule, Today, report

SILENCE_DAYS: Mapping[str, int] = MappingProxyType({"daily": 90, "monthly": 200, "annual": 900})
"""Without a newer figure for this long, a source of that cadence has stopped publishing: a year's
figures come half a year after it, and some publishers skip months."""


def _has_not_fallen_silent(cadence: str) -> Rule:
    days = SILENCE_DAYS[cadence]
    vintage = f"vintage_of_{cadence}_source"
    return report(
        f"{cadence}_sources_have_figures_of_the_last_{days}_days",
        f"A publisher with a {cadence} cadence answers and has nothing newer: its address, its "
        "layout or its calendar has changed.",
        "ExpectColumnValuesToBeBetween",
        {
            vintage: pl.when(pl.col("is_fetched") & (pl.col("cadence") == cadence)).then(
                "last_vintage_at"
            )
        },
        column=vintage,
        min_value=Today(-days),
    )


RULES = (
    has_rows(),
    contains(
        "the_sources_of_the_first_answer_are_there", "source",
        ("catalogue", "comtrade_baskets", "ecb"),
        "Who publishes a figure is part of the figure.",
    ),
    is_one_of(
        "cadence_is_known", "cadence", words.CADENCES,
        "The cadence gives the time of the next figure.",
    ),
    is_not_blank("title"),
    is_not_blank("publisher"),
    is_not_blank("licence"),
    is_one_of(
        "last_answer_is_known", "last_answer", words.ANSWERS,
        "Distinguishes a publisher that does not answer, refuses the key, or sends an invalid "
        "document.",
    ),
    is_not_later_than_today("last_vintage_at"),
    *(_has_not_fallen_silent(cadence) for cadence in SILENCE_DAYS),
)  # fmt: skip
