"""Figures of a file that are those of another row: of another economy, series or period.

Rows are paired in `comparison`; what is measured of pairs is in `metrics`.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any

import polars as pl

from dagster_project.errors import counted
from dagster_project.lake.breaks import successions
from dagster_project.quality.comparison import Comparison, is_alike, longest_step, year_of
from dagster_project.quality.limits import FEWEST_MISPLACED

EXPLAINED, EXPLAINED_OF_NEW, MOST_CHANGED = 0.8, 0.9, 0.5
"""At least FEWEST_MISPLACED figures are those of other rows: this part of the changed figures, and
that part of all figures changed. Fewer are chance: of indium in the Mineral Commodity Summaries of
2026, 4 of 6 changed figures of 2024 are those that were known of 2023. Of estimates that the
summaries print for two years, 27 to 79 % are equal, by stage: a new period that repeats more of
another one is a copy."""

FEWEST_IN_ANY_ORDER = 10
"""Of figures that are not those of one other economy, series or period."""

DIGITS_BY_CHANCE = 3
"""Two figures of more significant digits are not equal by chance."""

MOST_EQUAL = 20
"""A value of this many economies, series or periods does not identify its owner; and comparing each
with each other would be billions of pairs."""

LARGEST_OFF = 1.0
"""Natural logarithm of the factor by which the median flow differs from the year before: in BACI
0.66 to 0.89, by year. Unrelated flows differ by more."""


def misplaced_figures(comparison: Comparison, measure: str) -> Iterator[str]:
    """Sentences on the figures of a measure that are known ones of another economy, series or
    period, or of other rows in any order.
    """
    is_same = is_alike(pl.col(measure), pl.col(f"{measure} known")).fill_null(False)
    if comparison.with_known.filter("is_in_file", ~is_same).height < FEWEST_MISPLACED:
        return
    figures, known = _figures_of(comparison, measure)
    changed = figures.filter(~pl.col("is_same"), pl.col("rounded") != 0)
    if changed.height < FEWEST_MISPLACED:
        return
    for column in comparison.figure_key:
        on = [name for name in comparison.table.key if name not in ("source", column)]
        on += ["rounded"]
        of_few = known.filter(pl.len().over(on) <= MOST_EQUAL)
        pairs = changed.join(of_few, on=on, suffix=" known", nulls_equal=True).filter(
            pl.col(column) != pl.col(f"{column} known"),
            # A new row may share one figure with another row, but not all of them.
            pl.col("is_known") | pl.col("all").eq_missing(pl.col("all known")),
        )
        by, owner = column, pl.col(f"{column} known")
        if column == comparison.period:
            by, owner = "is_known", _months_between(pairs, column)
        hits = pairs.group_by(by, theirs=owner).agg(hits=pl.col("figure").n_unique())
        for row in _explained(hits.drop_nulls("theirs"), changed, figures, by):
            share = f"{row['hits']:,} of {row['figures']:,}"
            yield (
                f"{share} figures are those that are known of {_in_time(row['theirs'])}."
                if by == "is_known"
                else f"{column} {row[column]} has the figures that are known of {row['theirs']} "
                f"({share})."
            )
    yield from _in_any_order(comparison, figures, changed, known)
    yield from _a_part_in_any_order(comparison, changed, known)


def _figures_of(comparison: Comparison, measure: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The figures of a measure in the file, with or without a known one under their key; and the
    known ones without 0, which is too frequent. Rounded to six digits, in which two printings of
    one figure agree; `all` are those of all measures of a row, as one text.
    """
    keys, both = comparison.table.key, pl.col(*comparison.measures).round_sig_figs(6)
    rounded = pl.col(measure).round_sig_figs(6)
    columns = {
        "document": pl.lit(""),
        "rounded": rounded,
        "all": pl.concat_str(both.cast(pl.String).fill_null(""), separator=" "),
    }
    is_same = (rounded == pl.col(f"{measure} known").round_sig_figs(6)).fill_null(False)
    rows = comparison.with_known.filter("is_in_file").filter(rounded.is_not_null())
    figures = rows.with_row_index("figure").select(
        "figure", "is_known", *keys, is_same=is_same, **columns
    )
    if "hs_revision" in keys:  # the same flow in another edition of the HS is most often equal
        on = [name for name in keys if name != "hs_revision"]
        others = figures.filter(~pl.col("is_known")).join(
            comparison.known, on=on, how="semi", nulls_equal=True
        )
        figures = figures.join(others, on="figure", how="anti", maintain_order="left")
    return figures, comparison.known.filter(rounded != 0).select(*keys, **columns)


def _months_between(pairs: pl.DataFrame, period: str) -> pl.Expr:
    """Months from the period of the known figure to that of the file; null for parts of one."""
    ours, theirs = pl.col(period), pl.col(f"{period} known")
    if pairs.schema[period] != pl.Date:
        return 12 * (ours - theirs)
    day, their_day = ours.dt, theirs.dt
    years = day.year() - their_day.year()
    months = day.month().cast(pl.Int32) - their_day.month().cast(pl.Int32)
    return pl.when(day.day() == their_day.day()).then(12 * years + months)


def _in_time(months: int) -> str:
    span = abs(months)
    words = counted(span // 12, "year") if span % 12 == 0 else counted(span, "month")
    return f"{words} {'earlier' if months > 0 else 'later'}"


def _explained(
    hits: pl.DataFrame, changed: pl.DataFrame, figures: pl.DataFrame, by: str
) -> list[dict[str, Any]]:
    """Of the groups of which `hits` explain most figures that changed, and most did, the one with
    most hits.
    """
    is_copy = by == "document" or (by == "is_known" and ~pl.col("is_known"))
    part = pl.when(is_copy).then(EXPLAINED_OF_NEW).otherwise(EXPLAINED)
    explained = (
        hits.join(changed.group_by(by).agg(changed=pl.len()), on=by)
        .join(figures.group_by(by).agg(figures=pl.len()), on=by)
        .filter(
            pl.col("hits") >= FEWEST_MISPLACED,
            pl.col("hits") >= part * pl.col("changed"),
            pl.col("changed") >= MOST_CHANGED * pl.col("figures"),
        )
    )
    order = ["hits", *(name for name in hits.columns if name != "hits")]
    return explained.sort(order, descending=[True, *(False for _ in order[1:])]).head(1).to_dicts()


def _in_any_order(
    comparison: Comparison, figures: pl.DataFrame, changed: pl.DataFrame, known: pl.DataFrame
) -> Iterator[str]:
    """The same figures under other keys of the same periods, or known ones of the same series."""
    periods = [name for name in comparison.figure_key if name == comparison.period]
    of_periods = known.join(figures, on=periods, how="semi") if periods else known
    for by, theirs in (
        ("document", of_periods),
        *((name, known) for name in comparison.series_columns),
    ):
        if by != "document":  # a new figure of a series may be one of its old ones
            figures, changed = figures.filter("is_known"), changed.filter("is_known")
        counts = [frame.group_by(by, "rounded").len("hits") for frame in (changed, theirs)]
        both = counts[0].join(counts[1], on=[by, "rounded"], suffix=" known")
        hits = both.group_by(by).agg(hits=pl.min_horizontal("hits", "hits known").sum())
        for row in _explained(hits, changed, figures, by):
            if row["hits"] >= FEWEST_IN_ANY_ORDER:
                of_value = "" if by == "document" else f" of {by} {row[by]}"
                shown = f"{row['hits']:,} of {row['figures']:,} figures{of_value}"
                yield f"{shown} are known ones of other rows."


def _a_part_in_any_order(
    comparison: Comparison, changed: pl.DataFrame, known: pl.DataFrame
) -> Iterator[str]:
    """Figures that changed, however few of a file, and are known ones of their series or economy.

    Only figures of many digits: those of few are equal by chance.
    """
    rounded = pl.col("rounded")
    has_many_digits = rounded != rounded.round_sig_figs(DIGITS_BY_CHANCE)
    ours, theirs = changed.filter("is_known", has_many_digits), known.filter(has_many_digits)
    for by in ("document", *comparison.series_columns, *comparison.economies):
        counts = [frame.group_by(by, "rounded").len("hits") for frame in (ours, theirs)]
        both = counts[0].join(counts[1], on=[by, "rounded"], suffix=" known")
        hits = both.group_by(by).agg(hits=pl.min_horizontal("hits", "hits known").sum())
        groups = (
            hits.join(ours.group_by(by).agg(changed=pl.len()), on=by)
            .filter(
                pl.col("hits") >= FEWEST_IN_ANY_ORDER,
                pl.col("hits") >= EXPLAINED_OF_NEW * pl.col("changed"),
            )
            .sort("hits", by, descending=[True, False])
        )
        for row in groups.head(1).iter_rows(named=True):
            of_value = "" if by == "document" else f" of {by} {row[by]}"
            shown = f"{row['hits']:,} of {row['changed']:,} changed figures{of_value}"
            yield f"{shown} are known ones of other rows."


def under_other_economies(comparison: Comparison) -> Iterator[str]:
    """Sentences on rows of new periods whose figures are near those last known of the same
    economies swapped, or of one that has none any more.
    """
    period, table, known = comparison.period, comparison.table, comparison.known
    if period not in table.key or not comparison.measures or known.is_empty():
        return
    measure = comparison.measures[0]
    series = [name for name in table.key if name not in ("source", period)]
    # An economy that disappeared years ago is another: Netherlands Antilles, Virgin Islands.
    is_recent = pl.col(period) >= pl.col(period).max() - longest_step(known.schema[period])
    last = known.filter(is_recent).sort(period).group_by(series).agg(pl.col(measure).last())
    new = comparison.file.join(known, on=period, how="anti")
    unknown = new.join(last, on=series, how="anti", nulls_equal=True)
    off = (pl.col(measure) / pl.col(f"{measure} known")).log().abs().median()
    for economy, other in combinations(comparison.economies, 2):
        turned = last.rename({economy: other, other: economy})
        turned = unknown.join(turned, on=series, suffix=" known", nulls_equal=True)
        is_near = turned.select(off <= LARGEST_OFF).item()
        if is_near and turned.height >= max(FEWEST_MISPLACED, MOST_CHANGED * new.height):
            share = f"{turned.height:,} of {new.height:,} new rows"
            yield f"{economy} and {other} are the other way round for {share}."
            return
    unknown = unknown.with_columns(year=year_of(new, period))
    for column in comparison.economies:
        succeeding = successions().rename({"successor": column})
        gone = last.join(new, on=column, how="anti").rename({column: "theirs"})
        # An economy that reports for the first time, alone in a file, is near some other.
        if gone["theirs"].n_unique() >= MOST_CHANGED * last[column].n_unique():
            continue
        named = (
            unknown.filter(pl.col(column) != "_X")
            .join(known, on=column, how="anti")
            .join(succeeding, how="anti", on=[column, "year"])
            .with_columns(all=pl.len().over(column))
            .join(
                gone, on=[name for name in series if name != column], suffix=" known",
                nulls_equal=True,
            )
            .group_by(column, "theirs")
            .agg(pl.col("all").first(), rows=pl.len(), off=off)
            .filter(
                pl.col("off") <= LARGEST_OFF,
                pl.col("rows") >= FEWEST_MISPLACED,
                pl.col("rows") >= MOST_CHANGED * pl.col("all"),
            )
            .sort("rows", "off", column, "theirs", descending=[True, False, False, False])
        )  # fmt: skip
        for row in named.head(1).iter_rows(named=True):
            yield (
                f"{column} {row[column]} is new, with figures near those of {row['theirs']}, "
                f"which has none any more ({row['rows']:,} of {counted(row['all'], 'row')})."
            )
