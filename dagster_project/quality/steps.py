"""Finds likely errors in the figures of new periods, compared with the period before.

Frames of one lake table in, sentences out. Known figures are compared in `slips`, missing rows of
new periods are found in `gaps`; every limit is in `limits`.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from math import log

import polars as pl

from dagster_project.errors import counted
from dagster_project.lake.breaks import successions
from dagster_project.lake.schemas import LakeTable
from dagster_project.quality import limits
from dagster_project.quality.slips import (
    HEADERS,
    ROW,
    TECHNICAL,
    Compared,
    longest_step,
    shared_key,
)


class OfNewPeriods:
    """The rows of a file for new periods, and the known ones of those before; `_is_there`: it has
    new rows, and there is another period to compare them with.
    """

    def __init__(self, table: LakeTable, known: pl.DataFrame, compared: Compared) -> None:
        self._table = table
        self._known = known
        self._compared = compared
        self._rows = compared.rows
        self._period = table.period or ""
        self._shared = shared_key(table)
        self._longest = longest_step(compared.rows.schema[self._period]) if self._period else 1
        self._is_there = (
            bool(self._period)
            and not compared.rows["is_known"].all()
            and pl.concat([known[self._period], compared.rows[self._period]]).n_unique() > 1
        )

    def _year_of(self, period: str) -> pl.Expr:
        """The year of a column of periods."""
        is_date = self._rows.schema[self._period] == pl.Date
        return (pl.col(period).dt.year() if is_date else pl.col(period)).cast(pl.Int32)


class NewPeriods(OfNewPeriods):
    """The figures of a file for new periods, each with that of the period before."""

    def objections(self) -> Iterator[str]:
        """Sentences, the most specific one for each measure."""
        if not self._is_there:
            return
        under_others = list(self._under_other_economies())
        yield from under_others
        for measure in () if under_others else self._compared.measures:
            yield from list(self._of(measure))[:1]

    @property
    def _series(self) -> list[str]:
        """Key columns of a figure, without its period."""
        return [name for name in self._table.key if name not in ("source", self._period)]

    def _of(self, measure: str) -> Iterator[str]:
        steps = self._steps(measure)
        nothing = self._compared.largest_pattern(
            steps.with_columns(hit=pl.col("x").is_null()), [self._period, *self._shared], most=1.0
        )
        if nothing and nothing.hits >= limits.FEWEST_FLOWS_OF_A_STEP:
            yield f"{measure} is missing {nothing.of_figures}, and was not in the period before."
        steps = steps.filter(pl.col("x").is_not_null())
        zeros = self._compared.largest_pattern(
            steps.filter(pl.col("before") != 0).with_columns(hit=pl.col("x") == 0),
            [self._period, *self._shared],
            most=1.0,
        )
        if zeros:
            yield f"{measure} is 0 {zeros.of_figures}, and was not in the period before."
        yield from self._multiplied(measure, steps)
        yield from self._misplaced(measure, steps)

    def _steps(self, measure: str) -> pl.DataFrame:
        """New rows, in order, for which the period before has a figure (`before`): `x`, null where
        it is missing, and `above` and `below`, the `before` of the adjacent rows of that
        period. A close of the day before a split is that of the new shares.
        """
        shares = (
            pl.col("split_ratio").fill_null(1)
            if measure == "close" and "split_ratio" in self._table.columns
            else pl.lit(1.0)
        )
        period = self._period
        known = self._known.join(self._rows, on=self._table.key, how="anti", nulls_equal=True)
        return (
            pl.concat(
                [
                    known.select(
                        *self._series, period, x=measure, shares=shares, is_new=pl.lit(False),
                        row=pl.lit(None, self._rows.schema[ROW]),
                    ),
                    self._rows.select(*self._series, period, x=measure, shares=shares,
                                      is_new=~pl.col("is_known"), row=ROW),
                ]
            )
            .filter(pl.col("x").is_not_null() | pl.col("is_new"))
            .sort(period)
            .with_columns(
                before=pl.when(
                    pl.col(period) - pl.col(period).shift(1).over(self._series) <= self._longest
                ).then(pl.col("x").shift(1).over(self._series) / pl.col("shares"))
            )
            .filter("is_new")
            .sort("row")
            .with_columns(
                above=pl.col("before").shift(1).over(period),
                below=pl.col("before").shift(-1).over(period),
            )
            .filter(pl.col("before").is_not_null())
        )  # fmt: skip

    def _are_monthly_flows(self, steps: pl.DataFrame) -> bool:
        """Whether some are: a flow varies more from month to month than from year to year."""
        is_by_month = "frequency" in steps.columns and bool((steps["frequency"] == "M").any())
        return is_by_month and self._table.name not in limits.FEWEST_FIGURES_OF_A_STEP

    def _multiplied(self, measure: str, steps: pl.DataFrame) -> Iterator[str]:
        fewest = limits.FEWEST_FIGURES_OF_A_STEP.get(
            self._table.name, limits.FEWEST_FLOWS_OF_A_STEP
        )
        steps = steps.filter(pl.col("x") * pl.col("before") > 0).with_columns(
            ratio=pl.col("x") / pl.col("before")
        )
        # The median of one economy's flows may change by any factor: ten of Lesotho's, 26 in 2001.
        is_monthly = self._are_monthly_flows(steps)
        for column in ("whole", self._period, *self._shared):
            # In a file of one commodity, all groups show the change of that commodity.
            is_of_one = pl.lit(column in self._shared) | (pl.col("commodities") == 1)
            largest = (
                pl.when(pl.lit(is_monthly) & is_of_one)
                .then(limits.LARGEST_STEP_OF_A_MONTH)
                .otherwise(limits.LARGEST_STEP)
            )
            found = (
                steps.with_columns(
                    whole=pl.lit(""),
                    commodity=pl.struct(name for name in self._shared if name != "flow"),
                )
                .group_by(column)
                .agg(
                    middle=pl.col("ratio").median(),
                    figures=pl.len(),
                    commodities=pl.col("commodity").n_unique(),
                )
                .filter(
                    pl.col("figures") >= fewest,
                    (pl.col("middle") >= largest) | (pl.col("middle") <= 1 / largest),
                )
                .sort("figures", column, descending=[True, False])
            )
            for row in found.head(1).iter_rows(named=True):
                of = "" if column == "whole" else (
                    f" of {column} {self._compared.in_words(column, row[column])}"
                )  # fmt: skip
                yield (
                    f"{measure}{of} is {row['middle']:.3g} times that of the period before, in the "
                    f"middle of {counted(row['figures'], 'new figure')}."
                )

    def _misplaced(self, measure: str, steps: pl.DataFrame) -> Iterator[str]:
        """New figures that fit the period before of another row or series, or with the other sign,
        much better than their own.
        """
        lowest = self._known[measure].min()
        is_signed = isinstance(lowest, float) and lowest < 0
        if not is_signed:
            steps = steps.filter((pl.col("x") > 0) & (pl.col("before") > 0)).with_columns(
                pl.col("x", "before", "above", "below").log()
            )
        own = (pl.col("x") - pl.col("before")).abs()
        fewest = (
            limits.FEWEST_MONTHLY_FLOWS_OF_A_FIT
            if self._are_monthly_flows(steps)
            else limits.FEWEST_OF_A_RATIO
        )
        headers = [name for name in self._shared if name in HEADERS]
        others = {
            "fit the period before of the row above": pl.col("above"),
            "fit the period before of the row below": pl.col("below"),
            **(
                {"fit the period before with the other sign": -pl.col("before")}
                if is_signed
                else {}
            ),
        }
        for words, other in others.items():
            off = (pl.col("x") - other).abs()
            for column in ("whole", *headers):
                found = (
                    steps.with_columns(whole=pl.lit(""))
                    .group_by(column)
                    .agg(own=own.median(), other=off.median(), figures=pl.len())
                    .filter(
                        (pl.col("figures") >= fewest)
                        & (pl.col("other") < limits.BETTER_FIT * pl.col("own"))
                    )
                    .sort("figures", column, descending=[True, False])
                )
                for row in found.head(1).iter_rows(named=True):
                    of = "" if column == "whole" else f" of {column} {row[column]}"
                    yield (
                        f"{counted(row['figures'], 'new figure')} of {measure}{of} {words} better "
                        "than their own."
                    )
        for name in headers:
            yield from self._swapped(measure, steps, name, is_signed=is_signed)
        far = steps.filter(own > log(limits.LARGEST_STEP)).height
        if (
            not is_signed
            and steps.height >= limits.FEWEST_SCATTERED
            and far >= limits.MOST_OF_A_PATTERN * steps.height
        ):
            yield (
                f"{measure} is off the period before by a factor of {limits.LARGEST_STEP:g} or "
                f"more, up or down, for {far:,} of {steps.height:,} new figures."
            )

    def _swapped(
        self, measure: str, steps: pl.DataFrame, column: str, *, is_signed: bool
    ) -> Iterator[str]:
        rest = [name for name in self._table.key if name not in ("source", column)]
        pairs = (
            steps.select(*rest, column, "x", "before")
            .join(
                steps.select(*rest, "x", "before", theirs=column),
                on=rest, suffix=" theirs", nulls_equal=True,
            )
            .filter(pl.col(column) < pl.col("theirs"))
            .group_by(column, "theirs")
            .agg(
                own=((pl.col("x") - pl.col("before")).abs()
                     + (pl.col("x theirs") - pl.col("before theirs")).abs()).median() / 2,
                other=((pl.col("x") - pl.col("before theirs")).abs()
                       + (pl.col("x theirs") - pl.col("before")).abs()).median() / 2,
                figures=pl.len(),
            )
            .sort("figures", column, "theirs", descending=[True, False, False])
        )  # fmt: skip
        for row in pairs.iter_rows(named=True):
            few = row["figures"] < limits.FEWEST_OF_A_RATIO
            if few and (is_signed or row["own"] < limits.CHANGED_A_LOT):
                continue
            if row["other"] < limits.BETTER_FIT * row["own"]:
                yield (
                    f"{column} {row[column]} and {row['theirs']} fit the period before better the "
                    f"other way round, for {counted(row['figures'], 'new figure')} of {measure} "
                    "each."
                )
                return

    def _under_other_economies(self) -> Iterator[str]:
        """Rows of new series, with figures near those last known of the same economies swapped, or
        of one that has none any more.
        """
        if not self._compared.measures:
            return
        measure = self._compared.measures[0]
        period = pl.col(self._period)
        # An economy that disappeared years ago is another: Netherlands Antilles, Virgin Islands.
        recent = self._known.filter(period >= period.max() - self._longest)
        last = recent.sort(self._period).group_by(self._series).agg(pl.col(measure).last())
        new = self._rows.filter(~pl.col("is_known")).join(self._known, on=self._period, how="anti")
        unknown = new.join(last, on=self._series, how="anti", nulls_equal=True)
        economies = [
            name for name in self._table.key if name.endswith("_iso3") and name not in TECHNICAL
        ]
        # Imports of others from an economy that reports for the first time are not its figures.
        off = (pl.col(measure) / pl.col(f"{measure} other")).log().abs().median()
        is_near = pl.col("off") <= limits.LARGEST_OFF
        for one, other in combinations(economies, 2):
            turned = unknown.join(
                last.rename({one: other, other: one}), on=self._series, suffix=" other",
                nulls_equal=True,
            ).select(rows=pl.len(), off=off).filter(
                is_near,
                pl.col("rows") >= max(limits.FEWEST_MOVED, limits.MOST_OF_A_PATTERN * new.height),
            )  # fmt: skip
            for rows in turned["rows"]:
                yield (
                    f"{one} and {other} are the other way round for {rows:,} of {new.height:,} new "
                    "rows."
                )
                return
        fewest = limits.FEWEST_OF_ANOTHER_NAME.get(self._table.name, limits.FEWEST_MOVED)
        for column in economies:
            # An economy that reports for the first time, alone in a file, is near some other.
            gone = last.join(new, on=column, how="anti")
            if gone[column].n_unique() >= limits.MOST_OF_A_PATTERN * last[column].n_unique():
                continue
            rest = [name for name in self._series if name != column]
            named = (
                unknown.filter(pl.col(column) != "_X")
                .join(self._known, on=column, how="anti")
                .with_columns(all=pl.len().over(column))
                .join(
                    gone.rename({column: "theirs"}), on=rest, suffix=" other", nulls_equal=True,
                )
                .group_by(column, "theirs")
                .agg(
                    pl.col("all").first(), rows=pl.len(), off=off,
                    year=self._year_of(self._period).min(),
                )
                .join(
                    successions(), how="anti",
                    left_on=["theirs", column, "year"], right_on=["former", "successor", "year"],
                )
                .filter(
                    is_near,
                    pl.col("rows") >= fewest,
                    pl.col("rows") >= limits.MOST_OF_A_PATTERN * pl.col("all"),
                )
                .sort("rows", "off", column, "theirs", descending=[True, False, False, False])
            )  # fmt: skip
            for row in named.head(1).iter_rows(named=True):
                yield (
                    f"{column} {row[column]} is new, with figures near those of {row['theirs']}, "
                    f"which has none any more ({row['rows']:,} of {counted(row['all'], 'row')})."
                )
