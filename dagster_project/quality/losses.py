"""The table of losses: which rows of those that a file replaces, or of the period before, it may
lack, by group.

How rows are paired is in `comparison`; what is measured of figures is in `metrics`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from dagster_project.errors import counted
from dagster_project.quality.comparison import Comparison, is_alike, period_in_words
from dagster_project.quality.metrics import BEFORE, KNOWN, SMALLEST_MATERIAL

LARGEST_LOSS = 0.3
"""Share of its rows or value that a commodity and period may lose to a file that replaces it.
Publishers merge small partners into a remainder and withdraw a figure; they do not lose three
tenths of them. The largest loss of ten figures between the Mineral Commodity Summaries of 2025 and
2026 is 4 %."""

FEWEST_ROWS = 10
"""Of fewer rows, one or two are a large part: there the value is compared where a row is lost."""

ROWS, AFTER, TOTAL, TOTAL_AFTER = map(pl.col, ("rows", "after", "total", "total_after"))
"""Rows and sum of the first measure of a group, before and after."""
SERIES, SHARE = pl.col("series"), pl.col("share")
"""The number of series of the rows before, and their part of the sum of all groups."""


def _shrinks(comparison: Comparison) -> pl.Expr:
    """Of manganese in 2023, the Mineral Commodity Summaries of 2025 name 12 producers where those
    of 2024 name 18, and lose 2 % of the output.
    """
    # Of a list without values three rows are many.
    is_large = (ROWS >= FEWEST_ROWS) | ((TOTAL == 0) & (ROWS - AFTER >= 3))
    is_lost = TOTAL_AFTER < 0.95 * TOTAL if comparison.is_next_edition else pl.lit(True)
    least, is_material = 1 - LARGEST_LOSS, SHARE >= SMALLEST_MATERIAL
    return (is_large & is_lost & (least * ROWS > AFTER)) | (
        is_material & (is_large | (AFTER < ROWS)) & (least * TOTAL > TOTAL_AFTER)
    )


def _is_gone(comparison: Comparison) -> pl.Expr:
    """In an answer of a publisher a single flow is withdrawn: its origin was another economy; and
    in the next edition a small producer (Georgia's manganese, 2025).
    """
    return (AFTER == 0) & ((ROWS >= 5) | ((0.01 if comparison.is_publishers else 0.0001) <= SHARE))


def _has_fewer_rows(comparison: Comparison) -> pl.Expr:
    """In BACI (1,385 pairs of years of a code) only 811230 in 2007 and 2009 has, whose nomenclature
    changed; of China's exports, natural graphite keeps 0.65 in the month of its controls.
    """
    return (ROWS >= 20) & (AFTER < 0.5 * ROWS)


def _is_gone_in_a_period(comparison: Comparison) -> pl.Expr:
    """From one year to the next in BACI, no economy that still exists loses all of more than 15
    flows (Eritrea, 2004), of a single code of more than 30 (Saudi Arabia's exports of 261400,
    2014); of the governance indicators, only the Netherlands Antilles did. Of three series, Saudi
    Arabia had 3.3 % of the United Kingdom's value in a month, and none in the next.
    """
    fewest = {"production": 5, "governance_scores": 5}.get(comparison.table.name, 20)
    is_gone = (ROWS >= 40) | ((fewest <= ROWS) & (SERIES > 1))
    if "value_usd" in comparison.measures:
        of_three = 0.05 if comparison.is_monthly else SMALLEST_MATERIAL
        least = pl.when(SERIES == 3).then(of_three).otherwise(SMALLEST_MATERIAL)
        is_gone |= (SERIES >= 3) & (least <= SHARE)
    return (AFTER == 0) & is_gone


@dataclass(frozen=True)
class LossLimit:
    """A row of the table: the sentence on the largest of the groups that are over the limit."""

    against: str
    by: Callable[[Comparison], list[list[str]]]
    limit: Callable[[Comparison], pl.Expr]
    sentence: str


LOSSES = (
    LossLimit(KNOWN,
              lambda comparison: [comparison.slice] if comparison.has_slices_of_rows else [],
              _shrinks,
              "It would replace {group}{more}."),
    LossLimit(KNOWN,
              lambda comparison: [[name] for name in comparison.economies
                                  if name not in comparison.table.vintage_slice],
              _is_gone,
              "{economy} is in {counted} that it would replace and in none of its own{more}."),
    LossLimit(BEFORE,
              lambda comparison: [[comparison.period], [comparison.period, *comparison.groups]],
              _has_fewer_rows,
              "{period} is new and has {after:,} rows{of} of what the period before has "
              "{rows:,} of."),
    LossLimit(BEFORE,
              lambda comparison: [[name, comparison.period] for name in comparison.economies
                                  if name != "reporter_iso3"],
              _is_gone_in_a_period,
              "{economy} is in {counted} of the period before {period} and in none of it."),
)  # fmt: skip


def losses(comparison: Comparison, against: str) -> Iterator[str]:
    """A sentence on each kind of loss that is over its limit."""
    rows = comparison.with_known if against == KNOWN else comparison.with_before
    for loss in LOSSES if rows.height else ():
        for by in loss.by(comparison) if loss.against == against else ():
            over = _sums(comparison, rows, by).filter(loss.limit(comparison))
            over = over.sort("total", "rows", *by, descending=[True, True, *(False for _ in by)])
            if over.height:
                yield _sentence(comparison, loss, by, over.row(0, named=True), over.height - 1)
                break


def _sums(comparison: Comparison, rows: pl.DataFrame, by: Sequence[str]) -> pl.DataFrame:
    """Rows and sums of each group that had rows before: before, and after."""
    measure, is_replaced, series = (
        measure_of(comparison),
        pl.col("is_replaced"),
        comparison.series_columns,
    )
    in_period: Sequence[str] = ()
    if by and by[0] in comparison.economies:  # neither a total nor what is not published
        rows, in_period = rows.filter(~pl.col(by[0]).is_in(["WLD", "_X"])), by[1:]
    before = pl.when("is_replaced").then(f"{measure} known" if measure else 0.0)
    return (
        rows.group_by(by or [pl.lit("").alias("document")])
        .agg(
            rows=is_replaced.sum(),
            after=pl.col("is_in_file").sum(),
            total=before.sum(),
            total_after=pl.col(measure).sum() if measure else pl.lit(0.0),
            series=pl.struct(series).filter(is_replaced).n_unique() if in_period else pl.lit(1),
        )
        .with_columns(share=TOTAL / TOTAL.sum().over(in_period or [pl.lit(0)]))
        .filter(ROWS > 0)
    )


def _sentence(
    comparison: Comparison, loss: LossLimit, by: Sequence[str], row: Mapping[str, Any], others: int
) -> str:
    period, name = comparison.period, _name(comparison, row, by[1:])
    return loss.sentence.format(
        rows=row["rows"],
        after=row["after"],
        group=_group(comparison, row),
        economy=f"{by[0]}: {row[by[0]]}" if by else "",
        period=comparison.in_words(period, row[period]) if period in row else "",
        of=f" of {name}" if name else "",
        counted=counted(row["rows"], "row"),
        more=f", and {others:,} more like it" if others else "",
    )


def cut(comparison: Comparison) -> Iterator[str]:
    """A sentence where one slice lacks its last rows and no other lacks any: the file was cut.

    In a file that has all slices of the earlier ones, one missing row may be a revision.
    """
    part = list(comparison.table.vintage_slice)
    rows = comparison.with_known.filter("is_replaced").sort("row before")
    lacking = rows.filter(~pl.col("is_in_file")).select(part).unique()
    before = rows.join(lacking, on=part, how="semi", nulls_equal=True, maintain_order="left")
    there = before["is_in_file"]
    missing = before.height - int(there.sum())
    if not missing or not comparison.has_slices_of_rows:
        return
    # The next edition has other years, and other names for some things.
    replaced = comparison.known.filter("is_replaced")
    landed = comparison.known.join(replaced, on="snapshot_id", how="semi")
    others = landed.join(replaced, on=part, how="anti", nulls_equal=True)
    is_partial = not others.is_empty() and not comparison.is_next_edition
    whole = rows.select(part).n_unique() - lacking.height
    # Of several slices whose rows alternate (two years of one label), all lack their last ones.
    is_end = bool(there.any() and there.head(before.height - missing).all())
    if (is_end and (is_partial or missing > lacking.height)) or (
        is_partial and lacking.height == 1 and whole >= 5
    ):
        name = _name(comparison, before.row(0, named=True), comparison.slice)
        yield (
            f"It seems cut within {name}: {missing:,} of {counted(before.height, 'known row')} are "
            "missing there, and none elsewhere."
        )


@dataclass(frozen=True)
class Group:
    """Rows of one commodity and period (or of another slice of a table): before and after."""

    name: str
    rows_before: int
    rows_after: int
    measure: str
    total_before: float
    total_after: float

    def __str__(self) -> str:
        return (
            f"{counted(self.rows_before, 'row')} of {self.name}"
            f"{_amount(self.measure, self.total_before)} by {self.rows_after:,}"
            f"{_amount(self.measure, self.total_after)}"
        )


def changed_groups(comparison: Comparison) -> tuple[Group, ...]:
    """Before and after of each commodity and period that changes, the largest loss first; none
    where a slice is a row.
    """
    if not comparison.has_slices_of_rows:
        return ()
    by = comparison.slice
    changed = _sums(comparison, comparison.with_known, by).filter(
        (AFTER != ROWS) | ~is_alike(TOTAL_AFTER, TOTAL)
    )
    ordered = changed.sort(AFTER / ROWS, -ROWS.cast(pl.Int64), *by)
    return tuple(_group(comparison, row) for row in ordered.iter_rows(named=True))


def measure_of(comparison: Comparison) -> str:
    """The measure whose sums are compared: the first that the known rows have."""
    return next((name for name in comparison.measures if comparison.known[name].count()), "")


def _group(comparison: Comparison, row: Mapping[str, Any]) -> Group:
    name = _name(comparison, row, comparison.slice) or comparison.table.name
    return Group(
        name, row["rows"], row["after"], measure_of(comparison), row["total"], row["total_after"]
    )


def _name(comparison: Comparison, row: Mapping[str, Any], by: Sequence[str]) -> str:
    """What the rows of a group are of."""
    values = [
        period_in_words(row[name], row.get("frequency", comparison.table.frequency))
        if name == comparison.period and isinstance(row[name], date)
        else str(row[name])
        for name in by
        if name not in ("frequency", "hs_revision") and row.get(name) not in (None, "")
    ]
    return " ".join(values)


def _amount(measure: str, total: float) -> str:
    """An amount in the unit of its column: `, USD 4,963 m`."""
    if measure.endswith("_usd"):
        if total < 1e6:
            return f" (USD {total:,.0f})"
        return f" (USD {total / 1e6:,.{0 if total >= 1e8 else 1}f} m)"
    if measure.endswith("_kg"):
        return f" ({total / 1e3:,.0f} t)"
    if measure.endswith("_t"):
        return f" ({total:,.0f} t)"
    return ""
