"""How many of the figures that a file repeats changed, by how much, and in which series most.

Whether a change looks like an error is in `metrics`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from dagster_project.quality.comparison import Comparison, differs

_SHOWN_SERIES = 3


@dataclass(frozen=True)
class ChangeSummary:
    """How some figures of one measure changed.

    Of `figures` (known ones and their replacements) `changed` differ. Of these some are missing
    now or were missing before; `middle`, `lowest` and `highest` are the changes of the others,
    None where there are none.
    """

    figures: int
    changed: int
    now_missing: int
    missing_before: int
    middle: float | None
    lowest: float | None
    highest: float | None


@dataclass(frozen=True)
class Change:
    """How the figures of one measure changed, in total and by series.

    A change is the ratio to the known figure; where a figure may be below 0 (`by_difference`) it
    is the difference. `series` are those that changed, the largest change first.
    """

    measure: str
    by_difference: bool
    whole: ChangeSummary
    series: Sequence[tuple[str, ChangeSummary]]

    def __str__(self) -> str:
        shown = ", ".join(
            f"{name} ({summary.changed:,} of {summary.figures:,}"
            f"{'' if summary.middle is None else f', {self._number(summary.middle)}'})"
            for name, summary in self.series[:_SHOWN_SERIES]
        )
        of_series = f"most {shown}" if len(self.series) > 1 else f"all of {self.series[0][0]}"
        return f"{self.measure}: {self._of(self.whole)}; {of_series}."

    def _of(self, summary: ChangeSummary) -> str:
        share = 100 * summary.changed / summary.figures
        percent = f"{share:.1f}" if share >= 0.1 else "<0.1"
        words = [f"{summary.changed:,} of {summary.figures:,} changed ({percent}%)"]
        what = "difference" if self.by_difference else "ratio"
        middle, *ends = map(self._number, (summary.middle, summary.lowest, summary.highest))
        if middle:
            is_one = summary.lowest == summary.highest
            words += [
                f"{what} {middle}" if is_one else f"median {what} {middle} ({' to '.join(ends)})"
            ]
        words += [f"{summary.now_missing:,} now missing"] if summary.now_missing else []
        words += [f"{summary.missing_before:,} missing before"] if summary.missing_before else []
        return ", ".join(words)

    def _number(self, by: float | None) -> str:
        if by is None:
            return ""
        sign = "+" if self.by_difference else ""
        return f"{by:{sign},.0f}" if abs(by) >= 1000 else f"{by:{sign}.3g}"


def changes(comparison: Comparison) -> Iterator[Change]:
    """Each measure with a changed figure. A series is a commodity, instrument, material ..., or an
    entry of a list.
    """
    shared, table = comparison.series_columns, comparison.table
    names = [name for name in shared if name in table.vintage_slice] or shared or list(table.key)
    for measure in comparison.measures:
        new, known = pl.col(measure), pl.col(f"{measure} known")
        figures = comparison.repeated.filter(new.is_not_null() | known.is_not_null())
        lowest = figures.select(pl.min_horizontal(new.min(), known.min())).item()
        by_difference = lowest is not None and lowest < 0
        by = new - known if by_difference else pl.when(known > 0).then(new / known)
        figures = figures.select(
            series=pl.concat_str(names, separator=" ", ignore_nulls=True), changed=differs(measure),
            now_missing=new.is_null(), missing_before=known.is_null(),
            by=pl.when(differs(measure)).then(by),
        )  # fmt: skip
        distance = pl.col("middle").abs() if by_difference else pl.col("middle").log().abs()
        of_series = (
            _summaries(figures.group_by("series"))
            .filter(pl.col("changed") > 0)
            .sort(distance, "changed", "series", descending=[True, True, False], nulls_last=True)
        )
        if of_series.height:
            ((_, *whole),) = _summaries(figures.group_by(pl.lit(""))).iter_rows()
            series = [(name, ChangeSummary(*row)) for name, *row in of_series.iter_rows()]
            yield Change(measure, by_difference, ChangeSummary(*whole), series)


def _summaries(groups: pl.dataframe.group_by.GroupBy) -> pl.DataFrame:
    by, sums = pl.col("by"), pl.col("changed", "now_missing", "missing_before").sum()
    return groups.agg(pl.len(), sums, middle=by.median(), lowest=by.min(), highest=by.max())
