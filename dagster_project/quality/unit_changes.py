"""Finds the totals of a new period that are in another unit than those of the period before.

A frame of totals in, the same frame out. Which totals there are, and what happens to them, is
decided elsewhere; every limit is in `limits`.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log

import polars as pl

from dagster_project.quality import limits

_TOTAL = "number of the total"


def flag_unit_changes(totals: pl.DataFrame, document: Sequence[str]) -> pl.DataFrame:
    """The totals with `is_unit_change`: whether they step by a unit, as most of their document do.

    Columns needed: those of `document`, which identify a document; `step`, the ratio of the total
    to that of the period before; `typical`, the same ratio of the geometric mean of its rows; and
    `is_weight`. A ratio of 0 or null fits no unit.
    """
    steps = totals.with_row_index(_TOTAL).with_columns(
        _in_logarithms("step"), _in_logarithms("typical"), all=pl.len().over(document)
    )
    fits = (
        steps.join(_units(), how="cross")
        .filter(~pl.col("is_of_weight") | pl.col("is_weight"))
        .filter(_fits())
        .with_columns(hits=pl.len().over(*document, "unit"))
        .filter(pl.col("hits") >= limits.MOST_OF_A_DOCUMENT * pl.col("all"))
    )
    is_unit_change = steps[_TOTAL].is_in(fits[_TOTAL].unique().implode())
    return totals.with_columns(is_unit_change.alias("is_unit_change"))


def _in_logarithms(name: str) -> pl.Expr:
    return pl.when(pl.col(name) > 0).then(pl.col(name).log()).alias(name)


def _units() -> pl.DataFrame:
    """Each unit either way round, as the logarithm of its factor."""
    factors = [
        *((log(factor), False) for factor in limits.POWERS_OF_TEN),
        *((log(factor), True) for factor in limits.UNITS_OF_WEIGHT.values()),
    ]
    return pl.DataFrame(
        [(sign * factor, is_of_weight) for factor, is_of_weight in factors for sign in (1, -1)],
        schema={"unit": pl.Float64, "is_of_weight": pl.Boolean},
        orient="row",
    )


def _fits() -> pl.Expr:
    """Whether a step fits a unit: among many totals by itself, among few also by its rows."""
    unit, off = pl.col("unit"), (pl.col("step") - pl.col("unit")).abs()
    is_small = unit.abs() < log(limits.LARGEST_RELEASE_STEP)
    is_step = pl.col("step").abs() >= log(limits.LARGEST_RELEASE_STEP)
    largest_alone = (
        pl.when(unit.abs() < log(100) * (1 - 1e-9))
        .then(log(limits.LARGEST_OFF_A_UNIT_ALONE))
        .otherwise(log(limits.LARGEST_OFF_A_LARGE_UNIT_ALONE))
    )
    return (
        pl.when(is_small)
        # Nearer to the unit than to no change.
        .then((pl.col("all") >= limits.FEWEST_TOTALS_OF_A_SMALL_UNIT) & (off <= unit.abs() / 2))
        .when(pl.col("all") >= limits.FEWEST_TOTALS_OF_A_DOCUMENT)
        .then(is_step & (off <= log(limits.LARGEST_OFF_A_UNIT)))
        .otherwise(is_step & ((pl.col("typical") - unit).abs() <= largest_alone))
    )
