"""Compares the figures of a file with the known ones: what it adds, changes and loses.

Frames of one lake table in, sentences out. Suspicious changes of the figures that it repeats are
found in `slips`. Which rows are known, and what happens to a suspicious file, is decided
elsewhere; every limit is in `limits`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Any

import polars as pl

from dagster_project.errors import counted, listed
from dagster_project.lake.schemas import LakeTable
from dagster_project.quality import limits
from dagster_project.quality.changes import Change, changes
from dagster_project.quality.gaps import Gaps
from dagster_project.quality.slips import Compared, is_alike, period_in_words
from dagster_project.quality.steps import NewPeriods

_SHOWN_GROUPS = 3


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


@dataclass(frozen=True)
class Revision:
    """The effect of a file on the rows of a table that count.

    `added` are its rows under a new key, `unchanged` and `changed` its rows under a known one,
    `removed` the rows that no longer count and have no replacement. `groups` are the
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


def hold_against(
    table: LakeTable,
    known: pl.DataFrame,
    fresh: pl.DataFrame,
    after: pl.DataFrame,
    *,
    is_whole: bool = False,
) -> Revision:
    """Compare the rows of a file with those that count before it.

    `known` are the rows of its source that count before, in the order of their document; `after`
    those that count with the file; `fresh` the file's rows in their order. All are of `table`.
    `is_whole`: they are known to be complete, as the pages of an answer are.
    """
    exact = [*table.key, "snapshot_id"]
    counting = fresh.join(after, on=exact, how="semi", nulls_equal=True, maintain_order="left")
    replaced = known.join(after, on=exact, how="anti", nulls_equal=True, maintain_order="left")
    compared = Compared(table, known, counting)
    losses = _Losses(table, known, replaced, counting, compared.is_next_edition)
    return Revision(
        table=table.name,
        added=counting.height - compared.again.height,
        unchanged=compared.again.height - compared.changed,
        changed=compared.changed,
        removed=losses.removed.height,
        groups=losses.groups,
        objections=tuple(
            dict.fromkeys(
                [
                    *losses.objections(is_whole=is_whole),
                    *compared.objections(is_answer=is_whole),
                    *NewPeriods(table, known, compared).objections(),
                    *Gaps(table, known, compared).objections(),
                ]
            )
        ),
        changes=tuple(changes(table, compared)),
    )


def code_of(table: LakeTable) -> str:
    """The column with the code of a commodity."""
    return next(name for name in table.key if name in ("hs6_code", "commodity_code"))


def sums_of(table: LakeTable, rows: pl.LazyFrame, *more: str) -> pl.DataFrame:
    """Rows and value by commodity and period (`rows`, `total`), and by the columns `more`."""
    (_, sums), by = _measured(table), _by(table)
    return rows.group_by(*by, *more).agg(sums).collect()


def _measured(table: LakeTable) -> tuple[str, list[pl.Expr]]:
    """The first measure of a table, and expressions of the number of rows and its sum."""
    measure = next(name for name, of in table.columns.items() if of.dtype == pl.Float64)
    return measure, [pl.len().alias("rows"), pl.col(measure).sum().alias("total")]


def series_of(table: LakeTable) -> list[str]:
    """The columns with the code of a commodity and, where the table has one, its edition."""
    return [code_of(table), *(["hs_revision"] if "hs_revision" in table.key else [])]


def _by(table: LakeTable) -> list[str]:
    return [*series_of(table), table.period or ""]


def sums_held_against(table: LakeTable, known: pl.LazyFrame, after: pl.DataFrame) -> Revision:
    """Compare the sums of a large document (`sums_of`) with those of the rows that it replaces.

    Compared are rows and value of each known commodity and period; the limits are those of
    `hold_against`. Of several known vintages, the last retrieved one is used.
    """
    code, period = code_of(table), table.period or ""
    (measure, _), by = _measured(table), _by(table)
    of_its_periods = known.join(after.lazy().select(period).unique(), on=period, how="semi")
    before = (
        sums_of(table, of_its_periods, "vintage_at", "snapshot_id")
        .sort("vintage_at", "snapshot_id")
        .group_by(by)
        .last()
    )
    both = before.join(after, on=by, how="inner", suffix=" after", nulls_equal=True)
    least = 1 - limits.LARGEST_LOSS_OF_ROWS
    shrunk = both.filter(
        (pl.col("rows") >= limits.FEWEST_ROWS_TO_SHRINK)
        & (
            (pl.col("rows after") < least * pl.col("rows"))
            | (pl.col("total after") < (1 - limits.LARGEST_LOSS_OF_VALUE) * pl.col("total"))
        )
    ).sort("total", *by, descending=[True, *(False for _ in by)])
    groups = [
        Group(
            f"{row[code]} {period_in_words(row[period], 'A')}",
            row["rows"], row["rows after"], measure, row["total"], row["total after"],
        )
        for row in shrunk.head(_SHOWN_GROUPS).iter_rows(named=True)
    ]  # fmt: skip
    more = shrunk.height - len(groups)
    named = f"{'; '.join(map(str, groups))}{f', and {more:,} more like it' if more else ''}"
    compared = int(both["rows after"].sum())
    return Revision(
        table=table.name,
        added=int(after["rows"].sum()) - compared,
        unchanged=0,
        changed=0,
        removed=0,
        groups=groups,
        objections=(f"It would replace {named}.",) if groups else (),
        by_sums=compared,
    )


class _Losses:
    """The rows that a file replaces, and their replacements."""

    def __init__(
        self,
        table: LakeTable,
        known: pl.DataFrame,
        replaced: pl.DataFrame,
        counting: pl.DataFrame,
        is_next_edition: bool,
    ) -> None:
        self._table = table
        self._replaced = replaced
        self._is_next_edition = is_next_edition
        self._beside = known.join(replaced, on="snapshot_id", how="semi").join(
            replaced, on=table.vintage_slice, how="anti", nulls_equal=True
        )
        """Rows landed with the replaced ones, of slices that the file does not contain."""
        self._counting = counting
        self.removed = replaced.join(counting, on=table.key, how="anti", nulls_equal=True)
        economies = [name for name in table.key if name.endswith("_iso3")]
        self._partners = [name for name in economies if name not in table.vintage_slice]
        self._by = [
            name for name in table.vintage_slice if name not in ("source", *economies)
        ]  # fmt: skip
        self._measure = next(
            (
                name for name, column in table.columns.items()
                if column.dtype == pl.Float64 and replaced[name].count()
            ),
            "",
        )  # fmt: skip
        self._has_many_rows = not set(table.key) <= set(table.vintage_slice)
        """Whether a slice may be of several rows."""
        self._compared = self._compare()

    @cached_property
    def groups(self) -> Sequence[Group]:
        """Before and after of each commodity and period that changes, the largest loss first.

        None where a slice is a row: then single rows are compared.
        """
        if not self._has_many_rows:
            return ()
        return tuple(
            Group(
                name=self._name(row),
                rows_before=row["rows"],
                rows_after=row["rows after"],
                measure=self._measure,
                total_before=row["total"],
                total_after=row["total after"],
            )
            for row in self._compared.filter(
                (pl.col("rows after") != pl.col("rows"))
                | ~is_alike(pl.col("total after"), pl.col("total"))
            )
            .sort((pl.col("rows after") / pl.col("rows")), "rows", descending=[False, True])
            .iter_rows(named=True)
        )

    def objections(self, *, is_whole: bool) -> Iterator[str]:
        yield from self._shrunk()
        yield from self._without_economies(is_whole=is_whole)
        if not is_whole:
            yield from self._cut()

    def _compare(self) -> pl.DataFrame:
        by = [pl.col(name) for name in self._by] or [pl.lit("").alias("whole")]
        total = pl.col(self._measure).sum() if self._measure else pl.lit(0.0)
        partners = pl.struct(self._partners).n_unique() if self._partners else pl.lit(0, pl.UInt32)
        before, after = (
            frame.group_by(by).agg(rows=pl.len(), total=total, partners=partners)
            for frame in (self._replaced, self._counting)
        )
        names = [name for name in before.columns if name not in ("rows", "total", "partners")]
        return before.join(
            after, on=names, how="left", suffix=" after", nulls_equal=True
        ).fill_null(0)

    def _shrunk(self) -> Iterator[str]:
        if not self._has_many_rows:
            return  # a slice cannot lose a part
        is_large = pl.col("rows") >= limits.FEWEST_ROWS_TO_SHRINK
        if not self._measure:  # then only rows are compared
            is_large |= pl.col("rows") - pl.col("rows after") >= limits.FEWEST_FIGURES
        # A few rows of little value are withdrawn in many large answers.
        is_material = pl.col("total") >= limits.SMALLEST_MATERIAL * pl.col("total").sum()
        # The next edition may name fewer of the small producers.
        least = 1 - limits.LARGEST_LOSS_TO_FEWER_ROWS.get(self._table.name, 0)
        is_lost = pl.lit(not self._is_next_edition) | (
            pl.col("total after") < least * pl.col("total")
        )
        shrunk = self._compared.filter(
            (is_large & is_lost
             & (pl.col("rows after") < (1 - limits.LARGEST_LOSS_OF_ROWS) * pl.col("rows")))
            | (
                is_large
                & is_lost
                & (pl.col("partners after")
                   < (1 - limits.LARGEST_LOSS_OF_ECONOMIES) * pl.col("partners"))
            )
            | (
                is_material
                & (is_large | (pl.col("rows after") < pl.col("rows")))
                & (pl.col("total after") < (1 - limits.LARGEST_LOSS_OF_VALUE) * pl.col("total"))
            )
        )  # fmt: skip
        if shrunk.is_empty():
            return
        named = [
            Group(self._name(row), row["rows"], row["rows after"], self._measure, row["total"],
                  row["total after"])
            for row in shrunk.sort(
                "total", "rows", *self._by, descending=[True, True, *(False for _ in self._by)]
            ).head(3).iter_rows(named=True)
        ]  # fmt: skip
        more = f", and {shrunk.height - 3:,} more like it" if shrunk.height > 3 else ""
        yield f"It would replace {'; '.join(map(str, named))}{more}."

    def _without_economies(self, *, is_whole: bool) -> Iterator[str]:
        """Economies that are in the replaced figures and in none of the file's."""
        if self._removed_is_empty:
            return
        is_publishers = is_whole or self._is_next_edition
        largest = limits.LARGEST_GONE_OF_AN_ANSWER if is_publishers else limits.LARGEST_ECONOMY_GONE
        for column in self._partners:
            gone = self._replaced.join(self._counting, on=column, how="anti", nulls_equal=True)
            gone = gone.filter(pl.col(column) != "_X")
            total = self._replaced[self._measure].sum() if self._measure else 0.0
            share = pl.col(self._measure).sum() / total if total else pl.lit(0.0)
            found = (
                gone.group_by(column)
                .agg(rows=pl.len(), share=share)
                .filter(
                    (pl.col("rows") >= limits.FEWEST_ROWS_OF_AN_ECONOMY_GONE)
                    | (pl.col("share") >= largest)
                )
                .sort("share", "rows", column, descending=[True, True, False])
            )
            if found.height:
                rows = int(found["rows"].sum())
                yield (
                    f"{column}: {listed(found[column].to_list())} "
                    f"{'is' if found.height == 1 else 'are'} in {counted(rows, 'row')} that it "
                    "would replace and in none of its own."
                )

    def _cut(self) -> Iterator[str]:
        """One slice lacks its last rows, no other lacks any: the sign of a file that was cut.

        In a file that has all slices of the earlier ones, one missing row may be a revision.
        """
        if self._removed_is_empty or not self._has_many_rows:
            return
        part = list(self._table.vintage_slice)
        cut = self.removed.select(part).unique()
        before = self._replaced.join(
            cut, on=part, how="semi", nulls_equal=True, maintain_order="left"
        )
        there = before.with_row_index().join(
            self._counting, on=self._table.key, how="semi", nulls_equal=True
        )["index"]
        missing = before.height - there.len()
        # The next edition has other years, and other names for some things.
        is_partial = not self._beside.is_empty() and not self._is_next_edition
        others = self._replaced.select(part).n_unique() - cut.height
        # Of several slices whose rows alternate (two years of one label), all lack their last ones.
        is_end = there.len() > 0 and there.max() == there.len() - 1
        if (is_end and (is_partial or missing > cut.height)) or (
            is_partial and cut.height == 1 and others >= limits.FEWEST_WHOLE_BESIDE_A_CUT
        ):
            row = before.row(0, named=True)
            yield (
                f"It seems cut within {self._name(row)}: {missing:,} of "
                f"{counted(before.height, 'known row')} are missing there, and none elsewhere."
            )

    @property
    def _removed_is_empty(self) -> bool:
        return self.removed.is_empty()

    def _name(self, row: dict[str, Any]) -> str:
        values = [
            period_in_words(row[name], row.get("frequency", "A"))
            if name == self._table.period and isinstance(row[name], date)
            else str(row[name])
            for name in self._by
            if name not in ("frequency", "hs_revision") and row[name] not in (None, "")
        ]
        return " ".join(values) or self._table.name


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
