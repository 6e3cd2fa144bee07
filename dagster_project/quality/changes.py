"""How many of the figures that a file repeats changed, by how much, and in which series most.

Frames of one lake table in, sentences out. Whether a change looks like an error: see `slips`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from dagster_project.lake.schemas import LakeTable
from dagster_project.quality.slips import TECHNICAL, Compared, differs

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
        return f"{self.measure}: {self._of(self.whole)}{self._of_series()}."

    def _of(self, moved: Moved) -> str:
        share = 100 * moved.changed / moved.figures
        percent = f"{share:.1f}" if share >= 0.1 else "<0.1"
        parts = [f"{moved.changed:,} of {moved.figures:,} changed ({percent}%)"]
        what = "difference" if self.by_difference else "ratio"
        if moved.middle is not None and moved.lowest == moved.highest:
            parts.append(f"{what} {self._number(moved.middle)}")
        elif moved.middle is not None:
            parts.append(
                f"median {what} {self._number(moved.middle)} "
                f"({self._number(moved.lowest)} to {self._number(moved.highest)})"
            )
        parts += [
            f"{count:,} {word}"
            for count, word in ((moved.gone, "now missing"), (moved.come, "missing before"))
            if count
        ]
        return ", ".join(parts)

    def _of_series(self) -> str:
        if len(self.series) == 1:
            return f"; all of {self.series[0][0]}"
        shown = ", ".join(
            f"{name} ({moved.changed:,} of {moved.figures:,}"
            f"{'' if moved.middle is None else f', {self._number(moved.middle)}'})"
            for name, moved in self.series[:_SHOWN_SERIES]
        )
        return f"; most {shown}"

    def _number(self, by: float | None) -> str:
        if by is None:
            return ""
        if abs(by) >= 1000:
            return f"{by:{'+' if self.by_difference else ''},.0f}"
        return f"{by:{'+' if self.by_difference else ''}.3g}"


def changes(table: LakeTable, compared: Compared) -> Iterator[Change]:
    """Each measure with a changed figure."""
    series = _series(table)
    for measure in compared.measures:
        new, known = pl.col(measure), pl.col(f"{measure} known")
        figures = compared.again.filter(new.is_not_null() | known.is_not_null())
        changed = figures.filter(differs(measure))
        if changed.is_empty():
            continue
        lowest = figures.select(pl.min_horizontal(new.min(), known.min())).item()
        by_difference = lowest < 0
        by = new - known if by_difference else pl.when(known > 0).then(new / known)
        figures = figures.select(
            series=pl.concat_str(series, separator=" ", ignore_nulls=True),
            changed=differs(measure),
            gone=new.is_null(),
            come=known.is_null(),
            by=pl.when(differs(measure)).then(by),
        )
        distance = pl.col("middle").abs() if by_difference else pl.col("middle").log().abs()
        by_series = (
            _moved(figures.group_by("series"))
            .filter(pl.col("changed") > 0)
            .sort(distance, "changed", "series", descending=[True, True, False], nulls_last=True)
        )
        (whole,) = _moved(figures.group_by(pl.lit("").alias("series"))).iter_rows()
        yield Change(
            measure,
            by_difference,
            Moved(*whole[1:]),
            [(name, Moved(*row)) for name, *row in by_series.iter_rows()],
        )


def _moved(groups: pl.dataframe.group_by.GroupBy) -> pl.DataFrame:
    by = pl.col("by")
    return groups.agg(
        figures=pl.len(),
        changed=pl.col("changed").sum(),
        gone=pl.col("gone").sum(),
        come=pl.col("come").sum(),
        middle=by.median(),
        lowest=by.min(),
        highest=by.max(),
    )


def _series(table: LakeTable) -> list[str]:
    """Columns that name a commodity, instrument, material ...: those of a slice without its
    period and economy; of a list, those that name an entry.
    """
    things = [
        name
        for name in table.key
        if name not in TECHNICAL and name != table.period and not name.endswith("_iso3")
    ]
    return [name for name in things if name in table.vintage_slice] or things or list(table.key)
