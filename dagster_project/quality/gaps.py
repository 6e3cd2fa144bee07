"""Finds rows that are missing in a new period, compared with the period before.

Frames of one lake table in, sentences out. Lost known rows are found in `revisions`, suspicious
figures of new periods in `steps`; every limit is in `limits`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from math import comb

import polars as pl

from dagster_project.errors import counted
from dagster_project.lake.breaks import breaks_within_editions, successions
from dagster_project.quality import limits
from dagster_project.quality.slips import HEADERS, TECHNICAL
from dagster_project.quality.steps import OfNewPeriods

_TOTAL = "WLD"


class Gaps(OfNewPeriods):
    """The rows of a file for new periods, with those of the periods before."""

    def objections(self) -> Iterator[str]:
        """Sentences, a few of each kind."""
        if not self._is_there:
            return
        yield from self._without_rows()
        yield from self._cut()
        yield from self._without_economies()
        yield from self._without_series()
        yield from self._below_their_total()

    def _without_rows(self) -> Iterator[str]:
        """Periods with few rows compared with the period before: of the same slices, else of
        all that the file repeats of that period. A code may have fewer after a break of its
        nomenclature.
        """
        slices = [*self._same, *self._reporters]
        sentences = list(self._few(self._all_rows, slices))
        # Some economies report later than others; of a day, some markets are closed.
        if not sentences and not self._is_daily:
            sentences = list(self._few(self._all_rows.filter("is_in_file"), self._reporters))
        yield from sentences

    def _few(self, rows: pl.DataFrame, by: list[str]) -> Iterator[str]:
        """For a period as a whole, else for one slice of it."""
        period = self._period
        of_slices = (
            rows.group_by(*by, period)
            .agg(rows=pl.len(), is_new=pl.col("is_new").all())
            .sort(*by, period)
            .with_columns(before=pl.col("rows").shift(1).over(by or [pl.lit(1)]))
            .filter(pl.col("is_new") & pl.col("before").is_not_null())
        )
        code = next((name for name in by if name in ("hs6_code", "commodity_code")), None)
        if code and "hs_revision" in by:
            of_slices = of_slices.with_columns(year=self._year_of(period)).join(
                breaks_within_editions(), how="anti",
                left_on=[code, "hs_revision", "year"], right_on=["code", "hs_revision", "year"],
            )  # fmt: skip
        for columns in ([], by):
            few = (
                of_slices.group_by(*columns, period)
                .agg(pl.col("rows").sum(), pl.col("before").sum())
                .filter(
                    (pl.col("before") >= limits.FEWEST_ROWS_OF_A_PERIOD)
                    & (pl.col("rows") < limits.SMALLEST_NEW_PERIOD * pl.col("before"))
                )
                .sort(period, *columns)
            )
            for row in few.head(3).iter_rows(named=True):
                of = self._name([row[column] for column in columns if column not in TECHNICAL])
                yield (
                    f"{self._in_words(row[period])} is new and has {row['rows']:,} rows{of} of "
                    f"what the period before has {row['before']:,} of."
                )
            if few.height:
                return

    def _cut(self) -> Iterator[str]:
        """Periods that have the first slices of the period before, in the order of its document,
        and none after one of them: late reporters would not be consecutive.
        """
        period, slices = self._period, [*self._same, *self._reporters]
        if not slices or set(self._table.key) <= set(self._table.vintage_slice):
            return
        for new in self._rows.filter(~pl.col("is_known"))[period].unique().sort():
            of_new = self._all_rows.filter(pl.col(period) == new)
            before = self._all_rows.filter(pl.col(period) < new)[period].max()
            of_before = self._all_rows.filter(pl.col(period) == before)
            if not of_new["is_new"].all() or of_before.is_empty():
                continue
            counts = (
                of_before.group_by(slices, maintain_order=True)
                .agg(before=pl.len())
                .join(
                    of_new.group_by(slices).agg(rows=pl.len()),
                    on=slices, how="left", nulls_equal=True, maintain_order="left",
                )
            )  # fmt: skip
            whole = counts["rows"].is_not_null()
            there = int(whole.sum())
            if not 0 < there < counts.height or not whole.head(there).all():
                continue
            last = counts.row(there - 1, named=True)
            is_partial = (
                last["before"] >= limits.FEWEST_ROWS_TO_SHRINK
                and last["rows"] < limits.SMALLEST_NEW_PERIOD * last["before"]
            )
            if is_partial or comb(counts.height, there) >= limits.FEWEST_ORDERS:
                of = self._name([last[column] for column in slices if column not in TECHNICAL])
                yield (
                    f"{self._in_words(new)} is new and seems cut within the rows{of}: of "
                    f"{counted(counts.height - there, 'slice')} that follow it in the period "
                    "before it has nothing."
                )

    def _without_economies(self) -> Iterator[str]:
        """Economies with many rows, or rows of several series, in the period before and none in the
        new one. The unpublished part (`_X`) is exempt, and an economy that others succeed then.
        """
        partners = [
            name
            for name in self._table.key
            if name.endswith("_iso3") and name not in (*TECHNICAL, *self._reporters)
        ]
        fewest = limits.FEWEST_OF_AN_ECONOMY_GONE.get(self._table.name, limits.FEWEST_OF_AN_ECONOMY)
        is_in_few = pl.col("series") <= limits.FEWEST_SERIES_OF_AN_ECONOMY
        material = (
            pl.when(is_in_few & pl.lit(self._is_monthly))
            .then(limits.MATERIAL_OF_A_MONTH)
            .otherwise(limits.SMALLEST_MATERIAL)
        )
        for column in partners:
            is_part = pl.col(column) != _TOTAL
            before = self._before.with_columns(
                share=pl.when(is_part).then(pl.col("value"))
                / pl.when(is_part).then(pl.col("value")).sum().over("new")
            )
            gone = (
                before.filter(pl.col(column) != "_X")
                .join(
                    self._all_rows.filter("is_new").select(column, new=self._period),
                    on=[column, "new"], how="anti", nulls_equal=True,
                )
                .with_columns(year=self._year_of("new"))
                .join(
                    successions(), how="anti",
                    left_on=[column, "year"], right_on=["former", "year"],
                )
                .group_by(column, "new")
                .agg(
                    rows=pl.len(), series=pl.struct(self._shared).n_unique(),
                    share=pl.col("share").sum(),
                )
                .filter(
                    (pl.col("rows") >= limits.FEWEST_OF_AN_ECONOMY_IN_ONE_SERIES)
                    | ((pl.col("rows") >= fewest) & (pl.col("series") > 1))
                    | (
                        (pl.col("series") >= limits.FEWEST_SERIES_OF_AN_ECONOMY)
                        & (pl.col("share") >= material)
                    )
                )
                .sort("rows", column, descending=[True, False])
            )  # fmt: skip
            for row in gone.head(1).iter_rows(named=True):
                yield (
                    f"{column}: {row[column]} is in {counted(row['rows'], 'row')} of the period "
                    f"before {self._in_words(row['new'])} and in none of it."
                )

    def _without_series(self) -> Iterator[str]:
        """Instruments or indicators that each period before has and the new one lacks, though it
        has most of the others: a blank column. Yearly averages are exempt: they are not columns.
        """
        period = self._period
        if "frequency" in self._rows.columns and bool((self._rows["frequency"] == "A").any()):
            return
        fewest = limits.FEWEST_DAYS_OF_A_STEADY_SERIES if self._is_daily else 2
        for column in [name for name in self._shared if name in HEADERS]:
            known = self._known.select(column, period).unique()
            since = known.group_by(column).agg(first=pl.col(period).min(), there=pl.len())
            is_steady = pl.col("there") >= limits.STEADY_SERIES * pl.col("all")
            steady = (
                since.join(known.select(any=period).unique(), how="cross")
                .filter(pl.col("any") >= pl.col("first"))
                .group_by(column)
                .agg(pl.col("there").first(), all=pl.len())
                .filter(is_steady & (pl.col("all") >= fewest))[column]
            )
            of_before = self._all_rows.join(
                self._all_rows.filter("is_new").select(new=period).unique(), how="cross"
            ).filter(pl.col(period) < pl.col("new"))
            of_before = of_before.filter(pl.col(period) == pl.col(period).max().over("new"))
            for (new,), rows in of_before.sort("new").group_by("new", maintain_order=True):
                had = rows[column].unique()
                of_new = self._all_rows.filter(pl.col(period) == new)
                has = of_new[column].unique()
                lacks = had.filter(~had.is_in(has.implode()) & had.is_in(steady.implode())).sort()
                kept = int(had.is_in(has.implode()).sum())
                if of_new["is_new"].all() and kept >= limits.MOST_OF_A_PATTERN * had.len():
                    for name in lacks.head(1):
                        count = int((rows[column] == name).sum())
                        yield (
                            f"{column}: {name} is in {counted(count, 'row')} of the period before "
                            f"{self._in_words(new)} and in none of it."
                        )

    def _below_their_total(self) -> Iterator[str]:
        """Partners that add up to a reporter's total in the period before, not in the new one."""
        column = "partner_iso3"
        if column not in self._table.key or "value_usd" not in self._table.columns:
            return
        by = [name for name in self._table.key if name not in ("source", column)]
        series = [name for name in by if name != self._period]
        is_total = pl.col(column) == _TOTAL
        value = pl.col("value")
        parts = (
            self._all_rows.group_by(by)
            .agg(
                pl.col("is_new").all(),
                total=value.filter(is_total).sum(),
                parts=value.filter(~is_total).sum(),
            )
            .filter((pl.col("total") > 0) & (pl.col("parts") > 0))
            .with_columns(share=pl.col("parts") / pl.col("total"))
            .sort(by)
            .with_columns(before=pl.col("share").shift(1).over(series))
            .filter(
                pl.col("is_new")
                & (pl.col("before") >= limits.WHOLE_TOTAL)
                & (pl.col("share") < limits.WHOLE_TOTAL)
            )
            .sort("total", *by, descending=[True, *(False for _ in by)])
        )
        for row in parts.head(1).iter_rows(named=True):
            more = f", and {parts.height - 1:,} more like it" if parts.height > 1 else ""
            yield (
                f"The partners of {row['flow']} {row['commodity_code']} of {row['reporter_iso3']} "
                f"make up {row['share']:.2%} of its total in {self._in_words(row[self._period])}, "
                f"and {row['before']:.2%} in the period before{more}."
            )

    @property
    def _same(self) -> list[str]:
        """The columns of a slice, without its period and economies."""
        return [
            name
            for name in self._table.vintage_slice
            if name not in ("source", self._period) and not name.endswith("_iso3")
        ]

    @property
    def _reporters(self) -> list[str]:
        """The column of reporters, each of which publishes on its own day."""
        return [name for name in self._table.vintage_slice if name == "reporter_iso3"]

    @property
    def _is_daily(self) -> bool:
        return "frequency" in self._rows.columns and bool((self._rows["frequency"] == "D").any())

    @property
    def _is_monthly(self) -> bool:
        return "frequency" in self._rows.columns and bool((self._rows["frequency"] == "M").any())

    @cached_property
    def _all_rows(self) -> pl.DataFrame:
        """The rows that count once the file is landed."""
        known = self._known.join(
            self._rows,
            on=self._table.vintage_slice,
            how="anti",
            nulls_equal=True,
            maintain_order="left",
        )
        columns = dict.fromkeys([*self._table.key, *self._table.vintage_slice, self._period])
        value = (
            pl.col("value_usd") if "value_usd" in self._table.columns else pl.lit(None, pl.Float64)
        )
        return pl.concat(
            [
                known.select(
                    *columns, value=value, is_new=pl.lit(False), is_in_file=pl.lit(False)
                ),
                self._rows.select(
                    *columns, value=value, is_new=~pl.col("is_known"), is_in_file=pl.lit(True)
                ),
            ]
        )  # fmt: skip

    @cached_property
    def _before(self) -> pl.DataFrame:
        """The rows of the period before each new one (`new`), of the same slices."""
        period, slices = self._period, [*self._same, *self._reporters]
        new = (
            self._all_rows.group_by(*slices, period)
            .agg(pl.col("is_new").all())
            .sort(*slices, period)
            .with_columns(before=pl.col(period).shift(1).over(slices))
            .filter("is_new", pl.col(period) - pl.col("before") <= self._longest)
            .select(*slices, new=period, **{period: "before"})
        )
        return self._all_rows.join(new, on=[*slices, period], nulls_equal=True)

    @staticmethod
    def _name(values: list[object]) -> str:
        return f" of {' '.join(map(str, values))}" if values else ""

    def _in_words(self, period: object) -> str:
        return self._compared.in_words(self._period, period)
