"""Totals by code and year in a build and in the release before it: which shrank or stepped.

Frames of totals by period in, frames of totals by year out. `gate` reads the totals and words the
sentences; every limit is in `quality.limits`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from typing import Literal

import polars as pl

from dagster_project.quality import limits
from dagster_project.quality.unit_changes import flag_unit_changes

PERIOD, DOCUMENT, ROWS, ECONOMIES = "period", "document", "rows", "economies"
"""Columns of a frame of totals, in addition to its keys and measures."""

AFTER = " after"
PERIODS = "periods"
"""Column of a frame of totals by year: how many periods of it are summed."""


@dataclass(frozen=True)
class Measure:
    """A total of a code and year."""

    name: str
    column: str
    aggregate: Literal["sum", "max", "min"]
    """Of the rows of the year: a sum, or the extreme of single prices."""

    condition: str = ""
    """The rows it is computed from, in SQL; empty: all."""

    may_shrink: bool = False

    @property
    def is_sum(self) -> bool:
        return self.aggregate == "sum"

    @property
    def is_output(self) -> bool:
        return self.name == "amount_t"

    @property
    def fewest_rows(self) -> int:
        """The least number of rows: one for a price, few for an output, more for flows."""
        if not self.is_sum:
            return 1
        return (
            limits.FEWEST_PRODUCERS_OF_A_TOTAL if self.is_output else limits.FEWEST_ROWS_OF_A_TOTAL
        )

    @property
    def in_sql(self) -> str:
        """Of a period: its total, and the sum and number of the logarithms of its figures."""
        of_all = f"filter ({self.condition})" if self.condition else ""
        is_positive = " and ".join(filter(None, (self.condition, f"{self.column} > 0")))
        return f"""
            {self.aggregate}({self.column}) {of_all} as "{self.name}",
            sum(ln({self.column})) filter ({is_positive}) as "{self.name} logarithms",
            count(*) filter ({is_positive}) as "{self.name} figures"
        """

    @property
    def of_a_year(self) -> list[pl.Expr]:
        """The columns of a year, aggregated from those of its periods."""
        return [
            getattr(pl.col(self.name), self.aggregate)().fill_null(0),
            pl.col(f"{self.name} logarithms", f"{self.name} figures").sum(),
        ]

    def is_weight(self, columns: Sequence[str]) -> pl.Expr:
        if self.name == "amount" and "measure" in columns:
            return pl.col("measure").str.ends_with("_kg")
        return pl.lit(self.name.endswith(("_kg", "_t")))


class Totals:
    """The totals of a table, before and after.

    `before` and `after` have one row per key and period: the columns `keys` (`year` among them),
    PERIOD, DOCUMENT (of which it is; null if unknown), ROWS, ECONOMIES (their number; 0 where it is
    not compared), and those of `Measure.in_sql`. A document may have one unit for each value of
    `unit_keys`, such as pounds for its weights and dollars for its values.
    """

    def __init__(
        self,
        keys: Sequence[str],
        unit_keys: Sequence[str],
        measures: Sequence[Measure],
        before: pl.DataFrame,
        after: pl.DataFrame,
    ) -> None:
        self._keys, self._unit_keys, self._measures = list(keys), list(unit_keys), measures
        periods = before.select(*keys, PERIOD).unique().with_columns(is_known=pl.lit(True))
        after = after.join(
            periods, on=[*keys, PERIOD], how="left", nulls_equal=True
        ).with_columns(pl.col("is_known").fill_null(False))  # fmt: skip
        known, new = after.filter("is_known"), after.filter(~pl.col("is_known"))
        of_years, of_known = self._by_year(after), self._by_year(known)
        of_years_before = self._by_year(before)
        self._known = self._join_years(of_years_before, of_years, "left")
        self._known_periods = self._join_years(of_years_before, of_known, "inner")
        new_years = new.join(known, on=keys, how="anti", nulls_equal=True)
        years_before = of_years.with_columns(pl.col("year") + 1)
        new_totals = pl.concat(
            [
                # New months of a year of which some are known.
                self._join_years(of_known, self._by_year(new), "inner").with_columns(
                    is_of_known_year=pl.lit(True)
                ),
                self._join_years(years_before, self._by_year(new_years), "inner").with_columns(
                    is_of_known_year=pl.lit(False)
                ),
            ]
        )
        fewer, more = (
            of_both(ECONOMIES, ECONOMIES + AFTER)
            for of_both in (pl.min_horizontal, pl.max_horizontal)
        )
        self._new = new_totals.filter(more <= limits.LARGEST_GROWTH_OF_ECONOMIES * fewer)

    def _by_year(self, periods: pl.DataFrame) -> pl.DataFrame:
        return periods.group_by(self._keys).agg(
            pl.col(ROWS).sum(),
            pl.col(ECONOMIES).max(),
            pl.len().cast(pl.Float64).alias(PERIODS),
            pl.col(DOCUMENT).max(),
            pl.col(PERIOD).min().alias("first"),
            pl.col(PERIOD).max().alias("last"),
            *(each for measure in self._measures for each in measure.of_a_year),
        )

    def _join_years(
        self, before: pl.DataFrame, after: pl.DataFrame, how: Literal["left", "inner"]
    ) -> pl.DataFrame:
        numbers = [ROWS, *(measure.name for measure in self._measures)]
        return before.join(
            after, on=self._keys, how=how, suffix=AFTER, nulls_equal=True
        ).with_columns(pl.col(f"{name}{AFTER}").fill_null(0) for name in numbers)  # fmt: skip

    def shrunk(self, measure: Measure) -> pl.DataFrame:
        """Known totals that lose more than revisions take."""
        before, after = pl.col(measure.name), pl.col(f"{measure.name}{AFTER}")
        least = (1 - limits.LARGEST_RELEASE_LOSS_OF_A_TOTAL) * before
        return self._known.filter(
            pl.col(ROWS) >= measure.fewest_rows, before > 0, after < least
        )  # fmt: skip

    def changed(self, measure: Measure) -> pl.DataFrame:
        """Totals of known periods that change by a large factor."""
        largest = log(limits.LARGEST_RELEASE_STEP)
        return self._with_step(measure, self._known_periods).filter(
            pl.col("step").log().abs() >= largest
        )

    def of_one_ratio(self, measure: Measure, *, is_series: bool) -> pl.DataFrame:
        """Totals of known periods (or, if `is_series`, of all years) whose typical figure changes
        as the total does: maybe all their figures by one ratio.
        """
        name, totals = measure.name, self._known_periods
        logarithms, figures = f"{name} logarithms", f"{name} figures"
        if is_series:
            summed = [each + side for each in (logarithms, figures, ROWS) for side in ("", AFTER)]
            totals = totals.group_by([key for key in self._keys if key != "year"]).agg(
                pl.col("year").max(),
                *(getattr(pl.col(name + side), measure.aggregate)() for side in ("", AFTER)),
                pl.col(summed).sum(),
            )
        before, after = (pl.col(logarithms + side) / pl.col(figures + side) for side in ("", AFTER))
        whole, typical = (pl.col(name + AFTER) / pl.col(name)).log(), after - before
        least = limits.SMALLEST_RATIO
        return totals.filter(
            pl.min_horizontal(figures, figures + AFTER) >= limits.FEWEST_OF_ONE_RATIO,
            pl.col(name) > 0,
            pl.col(name + AFTER) > 0,
            typical.abs() > least,
            typical.abs() < log(limits.LARGEST_RELEASE_STEP),  # else it is in `changed`
            (whole - typical).abs() < least,
        )

    def stepped(self, measure: Measure) -> pl.DataFrame:
        """Totals of new periods that differ from the period before by a large factor, or by a unit.

        With `is_blocking`: whether they fit a unit, as most of their document does, or known
        figures of the same code change with them. With `is_average`: whether the sums are averages
        of their periods, since the number of periods differs.
        """
        steps = self._with_step(measure, self._new).with_columns(
            is_weight=measure.is_weight(self._keys)
        )
        document = ["source", f"{DOCUMENT}{AFTER}", "year", *self._unit_keys]
        known = self._with_step(measure, self._known_periods).filter(
            pl.col("step").log().abs() > -log(1 - limits.CHANGED_A_LOT)
        )
        series = [name for name in self._keys if name != "year"]
        changes = known.group_by(series).agg(changed_year=pl.col("year").max())
        return (
            flag_unit_changes(steps, document)
            .join(changes, on=series, how="left", nulls_equal=True)
            .with_columns(is_large=pl.col("step").log().abs() >= log(limits.LARGEST_RELEASE_STEP))
            .filter(pl.col("is_large") | pl.col("is_unit_change"))
            .with_columns(
                is_blocking=pl.col("is_unit_change") | pl.col("changed_year").is_not_null(),
                is_average=pl.lit(measure.is_sum) & (pl.col(PERIODS) != pl.col(PERIODS + AFTER)),
            )
            .with_columns(
                pl.when("is_average").then(pl.col(name) / pl.col(periods)).otherwise(name)
                for name, periods in (
                    (measure.name, PERIODS),
                    (measure.name + AFTER, PERIODS + AFTER),
                )
            )
        )

    def _with_step(self, measure: Measure, totals: pl.DataFrame) -> pl.DataFrame:
        """The totals of enough rows, with their factors of change.

        `step` is that of the total, by period or by row, whichever is nearer to 1: with more rows
        it merely grew. `typical` is that of the geometric mean of its rows.
        """

        def growth(name: str) -> pl.Expr:
            return (pl.col(name + AFTER) / pl.col(name)).log()

        whole, no = growth(measure.name), pl.lit(0.0)
        by_period = whole - (growth(PERIODS) if measure.is_sum else no)
        by_row = whole - (growth(ROWS) if measure.is_sum else no)
        step = (
            pl.when(by_period * by_row > 0)
            .then(by_row.sign() * pl.min_horizontal(by_period.abs(), by_row.abs()))
            .otherwise(0.0)
        )
        before, after = (
            pl.col(f"{measure.name} logarithms{side}") / pl.col(f"{measure.name} figures{side}")
            for side in ("", AFTER)
        )
        return totals.filter(
            pl.min_horizontal(ROWS, f"{ROWS}{AFTER}") >= measure.fewest_rows,
            pl.col(measure.name) > 0,
            pl.col(f"{measure.name}{AFTER}") > 0,
        ).with_columns(
            step=step.exp(), typical=((after - before) if measure.is_sum else step).exp()
        )
