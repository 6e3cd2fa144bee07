"""Pairs the rows of a file with the known rows of their key, those of a new period with the rows of
the period before.

Frames of one lake table in, frames out. What a difference means is in `metrics`, `misplaced` and
`losses`.
"""

from __future__ import annotations

from datetime import date
from functools import cached_property

import polars as pl

from dagster_project.lake.breaks import breaks_within_editions, successions
from dagster_project.lake.schemas import LakeTable
from dagster_project.quality.limits import ALIKE

_TECHNICAL = frozenset(
    ("source", "hs_revision", "frequency", "procedure_code", "transport_code",
     "second_partner_iso3", "scope_iso3", "unit")
)  # fmt: skip
"""Key columns that do not identify a figure: two editions of the HS share a code."""

NUMERIC_FACTS = frozenset(("split_ratio",))
"""Numbers that are facts of a single day, and not figures of a series."""

_LONGEST_STEP_DAYS = 400
"""The period before is at most this far back: a year and a month, since a month may be missing."""

_NAMES_SOME = frozenset(("production",))
"""Tables whose publications name the main producers: the next edition may name fewer."""


class Comparison:
    """The rows of a file, each paired with the one that it is compared with.

    `known` are the rows that were current before; those that the file replaces are `is_replaced`.
    `file` are the rows of the file that become current. `is_answer`: the file is a whole answer of
    a publisher.
    """

    def __init__(
        self, table: LakeTable, known: pl.DataFrame, file: pl.DataFrame, *, is_answer: bool
    ) -> None:
        self.table, self.is_answer, self.period = table, is_answer, table.period or ""
        self.known, self.file = _with_lists_as_text(known), _with_lists_as_text(file)
        numbers = [
            name
            for name, column in table.columns.items()
            if column.dtype == pl.Float64
            and (file[name].count() or (known[name].count() and not column.is_supplement))
        ]
        self.measures = [name for name in numbers if name not in NUMERIC_FACTS]
        self.facts = [
            name
            for name, dtype in self.file.schema.items()
            if table.known_from != "vintage_at"
            and dtype in (pl.Date, pl.String, pl.Boolean)
            and name not in (*table.key, "is_provisional", "document", "snapshot_id")
        ]
        self.numeric_facts = [name for name in numbers if name in NUMERIC_FACTS]
        self.figure_key = [name for name in table.key if name not in _TECHNICAL]
        """The key of a figure: its period, its economies and `series_columns`."""
        self.economies = [name for name in self.figure_key if name.endswith("_iso3")]
        self.series_columns = [
            name for name in self.figure_key if name not in (*self.economies, self.period)
        ]
        self.slice = [
            name
            for name in table.vintage_slice
            if name != "source" and not name.endswith("_iso3")
        ]  # fmt: skip
        """The commodity and period, or what else a newer file replaces as a whole."""
        self.has_slices_of_rows = not set(table.key) <= set(table.vintage_slice)

    @cached_property
    def with_known(self) -> pl.DataFrame:
        """Every row that is in the file or replaced by it, paired with the known row of its key."""
        return self._paired(self.file, self.known)

    @cached_property
    def repeated(self) -> pl.DataFrame:
        """The rows of the file under a known key."""
        return self.with_known.filter("is_in_file", "is_known")

    @cached_property
    def changed(self) -> int:
        """Rows with a figure or fact that differs from the known one."""
        facts = (*self.facts, *self.numeric_facts)
        is_another = [pl.col(name).ne_missing(pl.col(f"{name} known")) for name in facts]
        is_another += map(differs, self.measures)
        return self.repeated.filter(pl.any_horizontal(pl.lit(False), *is_another)).height

    @cached_property
    def is_next_edition(self) -> bool:
        """Whether all that it repeats was known from an earlier edition of its publication, which
        names the main producers and not all.
        """
        edition = self.table.edition
        if edition is None or self.table.name not in _NAMES_SOME or self.repeated.is_empty():
            return False
        return bool(
            (self.repeated[edition] > self.repeated[f"{edition} known"]).fill_null(False).all()
        )

    @property
    def is_publishers(self) -> bool:
        """Whether a missing row means a withdrawal: in an answer, or in the next edition."""
        return self.is_answer or self.is_next_edition

    @property
    def is_monthly(self) -> bool:
        """Whether some flows are of months: these vary more than those of years."""
        if "flow" not in self.series_columns:
            return False
        if "frequency" not in self.file.columns:
            return self.table.frequency == "M"
        return bool((self.file["frequency"] == "M").any())

    @cached_property
    def with_before(self) -> pl.DataFrame:
        """The rows of new periods and of the periods before them, paired.

        Empty for a table without periods. Declared breaks and successors are not compared.
        """
        period, table = self.period, self.table
        if period not in table.key:
            return self.with_known.clear()
        new, on = self._new_periods, [*self.groups, period]
        known = self.known.join(self.file, on=table.vintage_slice, how="anti", nulls_equal=True)
        before = (
            pl.concat([known.drop("is_replaced"), self.file])
            .rename({period: "before"})
            .join(new, on=[*self.groups, "before"], nulls_equal=True)
            .with_columns(year=year_of(new, period), is_replaced=pl.lit(True))
        )
        for column in self.economies:
            before = before.join(
                successions(), how="anti", left_on=[column, "year"], right_on=["former", "year"]
            )
        code = next((name for name in ("hs6_code", "commodity_code") if name in table.key), "")
        if code and "hs_revision" in table.key:
            edition_columns = ["hs_revision", "year"]
            before = before.join(
                breaks_within_editions(),
                how="anti",
                left_on=[code, *edition_columns],
                right_on=["code", *edition_columns],
            )
        rows = self._paired(self.file.join(new, on=on, how="semi", nulls_equal=True), before)
        if "split_ratio" not in self.numeric_facts:
            return rows
        shares = pl.col("split_ratio").fill_null(1)  # a close of the day before is of those
        return rows.with_columns((pl.col("close known") / shares).alias("close known"))

    @cached_property
    def with_other_edition(self) -> pl.DataFrame:
        """The rows of an edition of the HS in which nothing of their code and period is known, each
        paired with the known row of the newest other edition.
        """
        key = list(self.table.key)
        if "hs_revision" not in key:
            return self.with_known.clear()
        new = self.file.join(self.known, on=self.table.vintage_slice, how="anti", nulls_equal=True)
        on = [name for name in key if name != "hs_revision"]
        others = (
            self.known.sort("hs_revision")
            .unique(on, keep="last", maintain_order=True)
            .drop("hs_revision", "is_replaced")
            .join(new.select(key), on=on, nulls_equal=True)
            .with_columns(is_replaced=pl.lit(True))
        )
        return self._paired(new, others)

    @property
    def groups(self) -> list[str]:
        """Columns of what is published at once each period: a code of a reporter, a series."""
        columns = [*self.series_columns, "reporter_iso3", "frequency", "hs_revision"]
        return [
            name for name in self.table.vintage_slice if name in self.table.key and name in columns
        ]

    @property
    def _new_periods(self) -> pl.DataFrame:
        """The new periods of the groups in the file, with the period `before`; also those of which
        a group lacks all rows, where they are new to its reporter.
        """
        period, groups = self.period, self.groups
        reporter = [name for name in groups if name == "reporter_iso3"]
        here = self.file.select(*groups, period).unique()
        known = self.known.select(*groups, period).unique()
        periods = here.join(known, on=[*reporter, period], how="anti").select(*reporter, period)
        all_groups = here.select(*groups, key=pl.lit(0)).unique()
        expected = all_groups.join(
            periods.with_columns(key=pl.lit(0)).unique(), on=["key", *reporter]
        ).select(*groups, period)
        every = pl.concat([here, known, expected]).unique().sort(*groups, period)
        before = pl.col(period).shift(1).over(groups or [pl.lit(0)])
        return (
            every.with_columns(before=before)
            .filter(pl.col(period) - pl.col("before") <= longest_step(every.schema[period]))
            .join(known, on=[*groups, period], how="anti", nulls_equal=True)
        )

    def _paired(self, file: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
        """The rows of the file, and the `known` rows that are replaced, paired by their key.

        They are in the order of the known rows (`row before`).
        """
        key, table = list(self.table.key), self.table
        values = [*self.measures, *self.facts, *self.numeric_facts, table.edition, "frequency"]
        labels = [name for name in (*table.vintage_slice, self.period) if name]
        names = [name for name in dict.fromkeys((*labels, *values)) if name in file.columns]
        others = [name for name in names if name not in key]
        both = file.select(*key, *others, is_in_file=pl.lit(True)).join(
            known.with_row_index("row before").select(
                *key, *others, "is_replaced", "row before", is_known=pl.lit(True)
            ),
            on=key, how="full", coalesce=True, suffix=" known", nulls_equal=True,
        )  # fmt: skip
        return both.with_columns(
            pl.col("is_in_file", "is_known", "is_replaced").fill_null(False),
            *(pl.coalesce(name, f"{name} known") for name in others if name in labels),
        ).filter(pl.col("is_in_file") | pl.col("is_replaced"))

    def in_words(self, column: str, value: object) -> str:
        """A value of a key column; a period in the form of the file's rows."""
        if column != self.period or not isinstance(value, date):
            return str(value)
        if "frequency" not in self.table.columns:
            return period_in_words(value, self.table.frequency)
        frequencies = self.file.filter(pl.col(column) == value)["frequency"].unique()
        return " and ".join(sorted(period_in_words(value, frequency) for frequency in frequencies))


def longest_step(period: pl.DataType) -> pl.Expr | int:
    """How far back the period before may be: a year where periods are numbers of years."""
    return pl.duration(days=_LONGEST_STEP_DAYS) if period == pl.Date else 1


def year_of(rows: pl.DataFrame, period: str) -> pl.Expr:
    """The year of a column of periods."""
    is_date = rows.schema[period] == pl.Date
    return (pl.col(period).dt.year() if is_date else pl.col(period)).cast(pl.Int32)


def is_alike(figure: pl.Expr, other: pl.Expr) -> pl.Expr:
    """Whether two figures are equal up to rounding."""
    return (figure - other).abs() <= ALIKE * pl.max_horizontal(figure.abs(), other.abs())


def differs(measure: str) -> pl.Expr:
    """Whether a figure differs from the known one, or one of them is missing."""
    new, known = pl.col(measure), pl.col(f"{measure} known")
    return ~is_alike(new, known).fill_null(new.is_null() & known.is_null())


def _with_lists_as_text(rows: pl.DataFrame) -> pl.DataFrame:
    """Lists as one text each, in alphabetical order: their own has no meaning. Empty is null."""
    lists = [name for name, dtype in rows.schema.items() if dtype == pl.List(pl.String)]
    return rows.with_columns(
        pl.when(pl.col(name).list.len() > 0).then(pl.col(name).list.sort().list.join("\n"))
        for name in lists
    )


def period_in_words(first_day: date, frequency: str) -> str:
    """A period by its first day: a year (`A`), a month (`M`) or the day itself."""
    written = {"A": "%Y", "M": "%Y-%m"}.get(frequency, "%Y-%m-%d")
    return first_day.strftime(written)
