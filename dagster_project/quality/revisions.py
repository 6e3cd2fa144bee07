"""The effect of a file on the current rows: what it adds, changes and removes, and objections.

Frames of one lake table in, sentences out. Which rows are known, and what happens to a suspicious
file, is decided elsewhere; limits are in the tables of `metrics`, `losses` and `misplaced`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import polars as pl

from dagster_project.lake.schemas import LakeTable
from dagster_project.quality.changes import Change, changes
from dagster_project.quality.comparison import Comparison, period_in_words
from dagster_project.quality.losses import (
    FEWEST_ROWS,
    LARGEST_LOSS,
    Group,
    changed_groups,
    cut,
    losses,
)
from dagster_project.quality.metrics import BEFORE, KNOWN, OTHER_EDITION, errors_of, news_of
from dagster_project.quality.misplaced import misplaced_figures, under_other_economies

_SHOWN_GROUPS = 3
_SHOWN_WARNINGS = 5


@dataclass(frozen=True)
class Revision:
    """The effect of a file on the current rows of a table.

    `added` are its rows under a new key, `unchanged` and `changed` its rows under a known one,
    `removed` the rows that are no longer current and have no replacement. `groups` are the
    commodities and periods with changed or removed rows, `changes` the measures with changed
    figures. `objections` are sentences; none where it looks like an ordinary revision.
    """

    table: str
    added: int
    unchanged: int
    changed: int
    removed: int
    groups: Sequence[Group]
    objections: Sequence[str]
    changes: Sequence[Change] = ()
    warnings: Sequence[str] = ()
    """Sentences on steps of single series in a new period, which may be true."""
    by_sums: int = 0
    """Rows that were compared only by their sums per commodity and period."""

    def with_others(self, others: Revision) -> Revision:
        """The effect of some rows of a document, merged with that of its other rows."""
        return replace(
            self,
            added=self.added + others.added,
            by_sums=self.by_sums + others.by_sums,
            groups=[*others.groups, *self.groups],
            objections=tuple(dict.fromkeys((*others.objections, *self.objections))),
            warnings=tuple(dict.fromkeys((*others.warnings, *self.warnings))),
        )

    def lines(self) -> Iterator[str]:
        """The effect for a reader: a line of counts, one for the changed groups, and one for
        each changed measure.
        """
        counts = (
            (self.added, "new"), (self.changed, "changed"), (self.unchanged, "as known"),
            (self.removed, "removed"), (self.by_sums, "compared by the sums of their codes"),
        )  # fmt: skip
        counted_rows = ", ".join(f"{count:,} {word}" for count, word in counts if count)
        yield f"{self.table}: {counted_rows or 'older than what is known'}."
        if self.groups:
            shown = "; ".join(map(str, self.groups[:_SHOWN_GROUPS]))
            more = len(self.groups) - _SHOWN_GROUPS
            yield f"Replaces {shown}{f'; and {more:,} more' if more > 0 else ''}."
        yield from map(str, self.changes)
        yield from (f"Warning: {warning}" for warning in self.warnings[:_SHOWN_WARNINGS])
        if (more := len(self.warnings) - _SHOWN_WARNINGS) > 0:
            yield f"Warning: {more:,} more series step by as much."


def compare_with_known(
    table: LakeTable,
    known: pl.DataFrame,
    fresh: pl.DataFrame,
    after: pl.DataFrame,
    *,
    is_whole: bool = False,
) -> Revision:
    """Compare the rows of a file with those that are current before it.

    `known` are the current rows of its source, in the order of their document; `after` those that
    are current with the file; `fresh` the file's rows in their order. All are of `table`.
    `is_whole`: they are known to be complete, as the pages of an answer are.
    """
    exact = [*table.key, "snapshot_id"]
    file = fresh.join(after, on=exact, how="semi", nulls_equal=True, maintain_order="left")
    kept = after.select(*exact, is_replaced=pl.lit(False))
    known = known.join(kept, on=exact, how="left", nulls_equal=True, maintain_order="left")
    known = known.with_columns(pl.col("is_replaced").fill_null(True))
    comparison = Comparison(table, known, file, is_answer=is_whole)
    repeated = comparison.repeated.height
    return Revision(
        table=table.name,
        added=file.height - repeated,
        unchanged=repeated - comparison.changed,
        changed=comparison.changed,
        removed=comparison.with_known.filter(~pl.col("is_in_file")).height,
        groups=changed_groups(comparison),
        objections=tuple(dict.fromkeys(_objections(comparison))),
        changes=tuple(changes(comparison)),
        warnings=tuple(
            warning for measure in comparison.measures for warning in news_of(comparison, measure)
        ),
    )


def _objections(comparison: Comparison) -> Iterator[str]:
    """Sentences: on losses, and the most specific one on each measure and column of facts."""
    yield from losses(comparison, KNOWN)
    if not comparison.is_answer:
        yield from cut(comparison)
    for column in (*comparison.measures, *comparison.facts):
        yield from islice(_most_specific(comparison, column), 1)
    under_others = list(under_other_economies(comparison))
    yield from under_others
    for measure in () if under_others else comparison.measures:
        yield from islice((words for _, words in errors_of(comparison, BEFORE, measure)), 1)
    for measure in comparison.measures:
        yield from islice((words for _, words in errors_of(comparison, OTHER_EDITION, measure)), 1)
    yield from losses(comparison, BEFORE)


def _most_specific(comparison: Comparison, column: str) -> Iterator[str]:
    vague = []
    for metric, sentence in errors_of(comparison, KNOWN, column):
        if not metric.is_vague:
            yield sentence
        vague.append(sentence)
    if column in comparison.measures:
        yield from misplaced_figures(comparison, column)
    yield from vague


def code_of(table: LakeTable) -> str:
    """The column with the code of a commodity."""
    return next(name for name in table.key if name in ("hs6_code", "commodity_code"))


def series_of(table: LakeTable) -> list[str]:
    """The columns with the code of a commodity and, where the table has one, its edition."""
    return [code_of(table), *(["hs_revision"] if "hs_revision" in table.key else [])]


def _first_measure(table: LakeTable) -> str:
    return next(name for name, column in table.columns.items() if column.dtype == pl.Float64)


def sums_of(table: LakeTable, rows: pl.LazyFrame, *more: str) -> pl.DataFrame:
    """Rows and value by commodity and period (`rows`, `total`), and by the columns `more`."""
    sums = (pl.len().alias("rows"), pl.col(_first_measure(table)).sum().alias("total"))
    return rows.group_by(*series_of(table), table.period or "", *more).agg(sums).collect()


def compare_sums(table: LakeTable, known: pl.LazyFrame, after: pl.DataFrame) -> Revision:
    """Compare the sums of a large document (`sums_of`) with those of the rows that it replaces.

    Compared are rows and value of each known commodity and period; the limits are those of
    `losses`. Of several known vintages, the last retrieved one is used.
    """
    period, vintage = table.period or "", ("vintage_at", "snapshot_id")
    by, least = [*series_of(table), period], 1 - LARGEST_LOSS
    of_its_periods = known.join(after.lazy().select(period).unique(), on=period, how="semi")
    before = sums_of(table, of_its_periods, *vintage).sort(vintage).group_by(by).last()
    both = before.join(after, on=by, suffix=" after", nulls_equal=True)
    is_less = [pl.col(f"{name} after") < least * pl.col(name) for name in ("rows", "total")]
    shrunk = both.filter(pl.col("rows") >= FEWEST_ROWS, pl.any_horizontal(is_less))
    groups = [
        Group(
            f"{row[by[0]]} {period_in_words(row[period], 'A')}", row["rows"], row["rows after"],
            _first_measure(table), row["total"], row["total after"],
        )
        for row in shrunk.sort(-pl.col("total"), *by).iter_rows(named=True)
    ]  # fmt: skip
    more = f", and {len(groups) - 1:,} more like it" if len(groups) > 1 else ""
    compared = int(both["rows after"].sum())
    return Revision(
        table=table.name,
        added=int(after["rows"].sum()) - compared,
        unchanged=0,
        changed=0,
        removed=0,
        groups=groups,
        objections=[f"It would replace {groups[0]}{more}."] if groups else [],
        by_sums=compared,
    )
