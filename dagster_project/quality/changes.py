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
class Moved:
    """How some figures of one measure changed.

    Of `figures` (known ones and their replacements) `changed` differ: `gone` are missing now,
    `come` were missing before. `middle`, `lowest` and `highest` are the changes of the others;
    None where there are none.
    """

    figures: int
    changed: int
    gone: int
    come: int
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
    whole: Moved
    series: Sequence[tuple[str, Moved]]

    def __str__(self) -> str:
        shown = ", ".join(
            f"{name} ({moved.changed:,} of {moved.figures:,}"
            f"{'' if moved.middle is None else f', {self._number(moved.middle)}'})"
            for name, moved in self.series[:_SHOWN_SERIES]
        )
        of_series = f"most {shown}" if len(self.series) > 1 else f"all of {self.series[0][0]}"
        return f"{self.measure}: {self._of(self.whole)}; {of_series}."

    def _of(self, moved: Moved) -> str:
        share = 100 * moved.changed / moved.figures
        percent = f"{share:.1f}" if share >= 0.1 else "<0.1"
        words = [f"{moved.changed:,} of {moved.figures:,} changed ({percent}%)"]
        what = "difference" if self.by_difference else "ratio"
        middle, *ends = map(self._number, (moved.middle, moved.lowest, moved.highest))
        if middle:
            is_one = moved.lowest == moved.highest
            words += [
                f"{what} {middle}" if is_one else f"median {what} {middle} ({' to '.join(ends)})"
            ]
        words += [f"{moved.gone:,} now missing"] if moved.gone else []
        words += [f"{moved.come:,} missing before"] if moved.come else []
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
    shared, table = comparison.shared, comparison.table
    names = [name for name in shared if name in table.vintage_slice] or shared or list(table.key)
    for measure in comparison.measures:
        new, known = pl.col(measure), pl.col(f"{measure} known")
        figures = comparison.again.filter(new.is_not_null() | known.is_not_null())
        lowest = figures.select(pl.min_horizontal(new.min(), known.min())).item()
        by_difference = lowest is not None and lowest < 0
        by = new - known if by_difference else pl.when(known > 0).then(new / known)
        figures = figures.select(
            series=pl.concat_str(names, separator=" ", ignore_nulls=True), changed=differs(measure),
            gone=new.is_null(), come=known.is_null(), by=pl.when(differs(measure)).then(by),
        )  # fmt: skip
        distance = pl.col("middle").abs() if by_difference else pl.col("middle").log().abs()
        of_series = (
            _moved(figures.group_by("series"))
            .filter(pl.col("changed") > 0)
            .sort(distance, "changed", "series", descending=[True, True, False], nulls_last=True)
        )
        if of_series.height:
            ((_, *whole),) = _moved(figures.group_by(pl.lit(""))).iter_rows()
            series = [(name, Moved(*row)) for name, *row in of_series.iter_rows()]
            yield Change(measure, by_difference, Moved(*whole), series)


def _moved(groups: pl.dataframe.group_by.GroupBy) -> pl.DataFrame:
    by, sums = pl.col("by"), pl.col("changed", "gone", "come").sum()
    return groups.agg(pl.len(), sums, middle=by.median(), lowest=by.min(), highest=by.max())
