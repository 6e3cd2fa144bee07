"""Finds likely errors: patterns in the figures that a file repeats, compared with the known ones.

Frames of one lake table in, sentences out. Lost rows are found in `revisions`; every limit is in
`limits`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import combinations

import polars as pl

from dagster_project.errors import counted
from dagster_project.lake.schemas import LakeTable
from dagster_project.quality import limits

_POWERS = {
    1: "ten times", 2: "a hundred times", 3: "a thousand times", 6: "a million times",
    -1: "a tenth of", -2: "a hundredth of", -3: "a thousandth of", -6: "a millionth of",
}  # fmt: skip
_UNITS = {
    ("_kg", -3): "tonnes", ("_t", 3): "kilograms", ("_t", -3): "thousand tonnes",
    ("_usd", -3): "thousand dollars", ("_usd", -6): "million dollars", ("share", 2): "per cent",
    ("share", -2): "shares of 0 to 1",
}  # fmt: skip
TECHNICAL = frozenset(
    ("source", "hs_revision", "frequency", "procedure_code", "transport_code",
     "second_partner_iso3", "scope_iso3", "unit")
)  # fmt: skip
"""Key columns along which figures may be equal: two editions of the HS share a code."""

HEADERS = frozenset(("instrument", "indicator"))
"""Columns whose values are columns in a publisher's file: two of them may be swapped."""

NO_MEASURES = frozenset(("split_ratio",))
"""Numbers that are no figures of a series, but facts: each is of a day of its own."""

ROW = "row in the file"


def shared_key(table: LakeTable) -> list[str]:
    """The commodity, instrument or material of a figure: its key without period and economies."""
    return [
        name
        for name in table.key
        if name not in TECHNICAL and name != table.period and not name.endswith("_iso3")
    ]


def longest_step(period: pl.DataType) -> pl.Expr | int:
    """How far back the period before may be: a year where periods are numbers of years."""
    return pl.duration(days=limits.LONGEST_STEP_DAYS) if period == pl.Date else 1


class Compared:
    """The figures of a file, each with the known one under the same key."""

    def __init__(self, table: LakeTable, known: pl.DataFrame, counting: pl.DataFrame) -> None:
        self._table = table
        known, counting = _with_lists_as_text(known), _with_lists_as_text(counting)
        self._known = known
        self.measures = [
            name
            for name, column in table.columns.items()
            if column.dtype == pl.Float64
            and name not in NO_MEASURES
            and (counting[name].count() or known[name].count())
        ]
        self._facts = [
            name
            for name in table.columns
            if table.counts_from != "vintage_at"
            and name not in (*table.key, "is_provisional", "document", "vintage_at", "snapshot_id")
            and known.schema[name] in (pl.Date, pl.String, pl.Boolean)
        ]
        self._numbers = [name for name in table.columns if name in NO_MEASURES]
        edition = [table.edition] if table.edition else []
        before = known.select(
            *table.key,
            *self.measures,
            *self._facts,
            *self._numbers,
            *edition,
            is_known=pl.lit(True),
        )
        self.rows = counting.with_row_index(ROW).join(
            before, on=table.key, how="left", suffix=" known", nulls_equal=True,
            maintain_order="left",
        ).with_columns(pl.col("is_known").fill_null(False))  # fmt: skip
        self.again = self.rows.filter("is_known")

    @cached_property
    def is_next_edition(self) -> bool:
        """Whether all that it repeats was known from an earlier edition of its publication,
        which names the main producers and not all.
        """
        edition, names_some = self._table.edition, limits.LARGEST_LOSS_TO_FEWER_ROWS
        if edition is None or self._table.name not in names_some or self.again.is_empty():
            return False
        return bool((self.again[edition] > self.again[f"{edition} known"]).fill_null(False).all())

    @cached_property
    def changed(self) -> int:
        """Rows with a figure or fact that differs from the known one."""
        is_another = [
            *map(differs, self.measures),
            *(
                pl.col(name).ne_missing(pl.col(f"{name} known"))
                for name in (*self._facts, *self._numbers)
            ),
        ]
        return self.again.filter(pl.any_horizontal(is_another)).height if is_another else 0

    def objections(self, *, is_answer: bool = False) -> Iterator[str]:
        """Sentences, the most specific one for each measure. Of an `is_answer` of a publisher, or
        of its next edition, more figures have to be missing.
        """
        is_publishers = is_answer or self.is_next_edition
        fewest = limits.FEWEST_MISSING_OF_AN_ANSWER if is_publishers else limits.FEWEST_FIGURES
        for measure in self.measures:
            yield from _first(self._of(measure, fewest))
        yield from self._of_facts()

    def _of(self, measure: str, fewest_missing: int) -> Iterator[str]:
        figures = self._figures(measure)
        pairs = figures.filter(pl.col("o").is_not_null())
        yield from self._lost(measure, fewest_missing)
        yield from self._turned(measure, pairs)
        yield from self._of_another_column(measure, pairs)
        yield from self._multiplied(measure, pairs)
        changed = self._changed(figures)
        yield from self._moved(measure, figures, changed)
        yield from self._transposed(measure, figures, changed)
        yield from self._a_row_off(pairs)
        yield from self._shuffled(measure, figures, changed)
        yield from self._changed_a_lot(measure, pairs)

    def _figures(self, measure: str) -> pl.DataFrame:
        """Rows with a figure: `x` in the file, `o` the known one (null where there is none)."""
        return (
            self.rows.with_columns(x=pl.col(measure), o=pl.col(f"{measure} known"))
            .filter(pl.col("x").is_not_null())
            .with_columns(
                is_alike=is_alike(pl.col("x"), pl.col("o")).fill_null(False),
                is_same=(_rounded(pl.col("x")) == _rounded(pl.col("o"))).fill_null(False),
            )
        )

    @property
    def _things(self) -> list[str]:
        """Key columns of a figure, its period included."""
        return [name for name in self._table.key if name not in TECHNICAL]

    def _lost(self, measure: str, fewest_missing: int) -> Iterator[str]:
        known = self.again.filter(pl.col(f"{measure} known").fill_null(0) != 0)
        for what, is_so, fewest in (
            ("missing", pl.col(measure).is_null(), fewest_missing),
            ("0", pl.col(measure) == 0, limits.FEWEST_FIGURES),
        ):
            found = self.largest_pattern(
                known.with_columns(hit=is_so.fill_null(False)),
                self._things,
                period=self._table.period,
            )
            if found and found.hits >= fewest:
                yield f"{measure} is {what} {found.of_known_figures}."

    def _turned(self, measure: str, pairs: pl.DataFrame) -> Iterator[str]:
        found = self.largest_pattern(
            pairs.filter(pl.col("o") != 0).with_columns(
                hit=is_alike(pl.col("x"), -pl.col("o"))
            ),
            self._things,
        )  # fmt: skip
        if found:
            yield f"{measure} has the other sign {found.of_known_figures}."

    def _of_another_column(self, measure: str, pairs: pl.DataFrame) -> Iterator[str]:
        for other in self.measures:
            if other == measure:
                continue
            theirs = pl.col(f"{other} known")
            found = self.largest_pattern(
                pairs.filter(theirs.is_not_null() & (pl.col("x") != 0)).with_columns(
                    hit=~pl.col("is_alike") & is_alike(pl.col("x"), theirs)
                ),
                self._things,
            )
            if found:
                yield f"{measure} is what is known as {other} {found.of_figures}."

    def _multiplied(self, measure: str, pairs: pl.DataFrame) -> Iterator[str]:
        ratio = pl.col("x") / pl.col("o")
        power = ratio.log10().round(0)
        pairs = pairs.filter((pl.col("x") * pl.col("o")) > 0).with_columns(
            ratio=ratio,
            power=pl.when((ratio.log10() - power).abs() < 0.03)
            .then(power.cast(pl.Int32))
            .otherwise(0),
        )
        for number in pairs["power"].value_counts(sort=True)["power"].to_list():
            if number == 0:
                continue
            found = self.largest_pattern(
                pairs.with_columns(hit=pl.col("power") == number), self._things
            )
            if found:
                times = _POWERS.get(number, f"10 to the {number} times")
                unit = next(
                    (word for (end, at), word in _UNITS.items()
                     if at == number and measure.endswith(end)),
                    "",
                )  # fmt: skip
                yield (
                    f"{measure} is {times} what is known {found.of_figures}"
                    f"{f': {unit}?' if unit else '.'}"
                )
        middle = pairs["ratio"].median()
        if (
            pairs.height >= limits.FEWEST_OF_A_RATIO
            and isinstance(middle, float)
            and abs(middle - 1) > 4 * limits.ALIKE
        ):
            hits = pairs.filter(is_alike(pl.col("ratio"), pl.lit(middle))).height
            if hits >= limits.MOST_OF_A_RATIO * pairs.height:
                pattern = _Pattern(hits, pairs.height, "")
                yield f"{measure} is {middle:.3g} times what is known {pattern.of_figures}."

    def _moved(self, measure: str, figures: pl.DataFrame, changed: pl.DataFrame) -> Iterator[str]:
        """Figures under another economy, series or period than the known ones."""
        if changed.height < limits.FEWEST_MOVED:
            return
        known = self._known_figures(measure)
        for column in self._things:
            rest = [name for name in self._table.key if name not in ("source", column)]
            theirs = changed.select(ROW, *self._table.key, "is_known", "rounded", "all").join(
                known.rename({column: "theirs"})
                .select(*rest, "theirs", "rounded", "all")
                # The origin of a very frequent value cannot be determined.
                .filter(pl.len().over(*rest, "rounded") <= limits.MOST_EQUAL),
                on=[*rest, "rounded"], suffix=" known", nulls_equal=True,
            ).filter(
                (pl.col("theirs") != pl.col(column))
                # A new row may share one figure with another row, but not all of them.
                & (pl.col("is_known") | pl.col("all").eq_missing(pl.col("all known")))
            )  # fmt: skip
            if column == self._table.period:
                yield from self._moved_in_time(figures, changed, theirs)
                continue
            hits = theirs.group_by(column, "theirs").agg(hits=pl.col(ROW).n_unique())
            found = _explained(hits, changed, figures, [column], pl.lit(limits.EXPLAINED))
            found = found.sort("hits", "theirs", column, descending=[True, False, False])
            for row in found.head(1).iter_rows(named=True):
                yield (
                    f"{column} {row[column]} has the figures that are known of {row['theirs']} "
                    f"({row['hits']:,} of {row['all']:,})."
                )

    def _moved_in_time(
        self, figures: pl.DataFrame, changed: pl.DataFrame, theirs: pl.DataFrame
    ) -> Iterator[str]:
        period = self._table.period or ""
        periods = pl.concat([self._known[period], figures[period]]).unique().sort()
        number = pl.DataFrame({period: periods, "at": range(len(periods))})
        moved = (
            theirs.join(number, on=period)
            .join(number.rename({period: "theirs", "at": "their_at"}), on="theirs")
            .with_columns(by=pl.col("at") - pl.col("their_at"), unit=pl.lit("period"))
        )
        if periods.dtype == pl.Date:
            # The number of working days varies from year to year.
            month, their_month = (
                12 * pl.col(name).dt.year().cast(pl.Int64) + pl.col(name).dt.month()
                for name in (period, "theirs")
            )
            of_months = moved.filter(
                pl.col(period).dt.day() == pl.col("theirs").dt.day()
            ).with_columns(by=month - their_month, unit=pl.lit("month"))
            moved = pl.concat([moved, of_months])
        others = [name for name in self._things if name != period]
        part = (
            pl.when("is_known")
            .then(limits.EXPLAINED)
            .otherwise(limits.FEWEST_UNCHANGED_IN_A_NEW_PERIOD)
        )
        for columns in ([], *([name] for name in others)):
            hits = moved.group_by(*columns, "is_known", "unit", "by").agg(
                hits=pl.col(ROW).n_unique(), first=pl.col(period).min()
            )
            found = _explained(hits, changed, figures, [*columns, "is_known"], part)
            found = found.sort(
                "hits",
                "unit",
                "by",
                *columns,
                descending=[True, True, False, *(False for _ in columns)],
            )
            for row in found.head(1).iter_rows(named=True):
                of = "".join(f" of {name} {row[name]}" for name in columns)
                yield (
                    f"{row['hits']:,} of {row['all']:,} figures{of} are those that are known of "
                    f"{counted(abs(row['by']), row['unit'])} "
                    f"{'earlier' if row['by'] > 0 else 'later'}, first of "
                    f"{self.in_words(period, row['first'])}."
                )

    def _transposed(
        self, measure: str, figures: pl.DataFrame, changed: pl.DataFrame
    ) -> Iterator[str]:
        if changed.height < limits.FEWEST_FIGURES:
            return
        known = self._known_figures(measure)
        economies = [name for name in self._things if name.endswith("_iso3")]
        for one, other in combinations(sorted(economies), 2):
            swapped = known.rename({one: other, other: one})
            keys = [name for name in self._table.key if name != "source"]
            hits = changed.join(swapped, on=[*keys, "rounded"], how="semi", nulls_equal=True)
            if (
                hits.height >= max(limits.FEWEST_MOVED, limits.EXPLAINED * changed.height)
                and changed.height >= limits.MOST_OF_A_PATTERN * figures.height
            ):
                yield (
                    f"{one} and {other} are the other way round for {hits.height:,} of "
                    f"{figures.height:,} figures."
                )

    def _a_row_off(self, pairs: pl.DataFrame) -> Iterator[str]:
        pairs = pairs.sort(ROW)
        for by, where in ((1, "above"), (-1, "below")):
            beside = pl.col("o").shift(by)
            changed = pl.col("is_same").not_()
            moved = pairs.select(
                changed=changed.sum(),
                hits=(changed & (_rounded(pl.col("x")) == _rounded(beside)).fill_null(False)).sum(),
            ).row(0, named=True)
            if (
                moved["hits"] >= max(limits.FEWEST_MOVED, limits.EXPLAINED * moved["changed"])
                and moved["changed"] >= limits.MOST_OF_A_PATTERN * pairs.height
            ):
                yield (
                    f"{moved['hits']:,} of {pairs.height:,} figures are those known of the row "
                    f"{where}."
                )

    def _shuffled(
        self, measure: str, figures: pl.DataFrame, changed: pl.DataFrame
    ) -> Iterator[str]:
        """The same figures under other keys, in any order."""
        if (
            changed.height < limits.FEWEST_OF_A_RATIO
            or changed.height < limits.MOST_OF_A_PATTERN * figures.height
        ):
            return
        period = [name for name in (self._table.period,) if name]
        known = self._known_figures(measure)
        of_those = known.join(figures, on=period, how="semi") if period else known
        counts = (
            changed["rounded"]
            .value_counts()
            .join(of_those["rounded"].value_counts(), on="rounded", suffix=" known")
        )
        hits = counts.select(pl.min_horizontal("count", "count known").sum()).item() or 0
        if hits >= limits.FEWEST_UNCHANGED_IN_A_NEW_PERIOD * changed.height:
            yield f"{hits:,} of {figures.height:,} figures are known ones of other rows."

    def _changed_a_lot(self, measure: str, pairs: pl.DataFrame) -> Iterator[str]:
        known = self._known[measure]
        lowest, spread = known.min(), known.std()
        size = pl.max_horizontal(pl.col("x").abs(), pl.col("o").abs())
        if isinstance(lowest, float) and lowest < 0 and isinstance(spread, float):
            size = pl.lit(spread)
        hits = pairs.filter((pl.col("x") - pl.col("o")).abs() > limits.CHANGED_A_LOT * size).height
        if (
            pairs.height >= limits.FEWEST_CHANGED_A_LOT
            and hits >= limits.MOST_CHANGED_A_LOT * pairs.height
        ):
            yield (
                f"{measure} differs by more than {limits.CHANGED_A_LOT:.0%} for {hits:,} of "
                f"{pairs.height:,} known figures."
            )

    def _of_facts(self) -> Iterator[str]:
        """Facts of a list: columns that are missing, swapped or changed throughout."""
        swapped = list(self._swapped_facts())
        yield from (sentence for _, _, sentence in swapped)
        named = {name for *names, _ in swapped for name in names}
        for name in self._facts:
            if name not in named:
                yield from _first(self._of_fact(name))

    def _swapped_facts(self) -> Iterator[tuple[str, str, str]]:
        """Two columns that each have the other's known values, and the sentence."""
        for one, other in combinations(self._facts, 2):
            if self.again.schema[one] != self.again.schema[other]:
                continue
            known, known_other = pl.col(f"{one} known"), pl.col(f"{other} known")
            changed = self.again.filter(
                pl.col(one).ne_missing(known) | pl.col(other).ne_missing(known_other)
            )
            hits = changed.filter(
                pl.col(one).eq_missing(known_other) & pl.col(other).eq_missing(known)
            ).height
            if hits >= max(limits.FEWEST_FIGURES, limits.EXPLAINED * changed.height):
                yield one, other, (
                    f"{one} and {other} are the other way round for {hits:,} of "
                    f"{changed.height:,} facts that changed."
                )  # fmt: skip

    def _of_fact(self, name: str) -> Iterator[str]:
        known = self.again.filter(pl.col(f"{name} known").is_not_null())
        missing = known[name].null_count()
        if missing >= max(limits.FEWEST_FIGURES, limits.MOST_OF_A_PATTERN * known.height):
            yield f"{name} is missing for {missing:,} of {known.height:,} known facts."
        pairs = known.filter(pl.col(name).is_not_null())
        changed = pairs.filter(pl.col(name) != pl.col(f"{name} known"))
        if pairs.schema[name] == pl.Date:
            days = (pl.col(name) - pl.col(f"{name} known")).dt.total_days()
            moved = changed.select(days=days)["days"].value_counts().sort("count", "days")
            for row in moved.tail(1).iter_rows(named=True):
                if row["count"] >= max(
                    limits.FEWEST_FIGURES, limits.MOST_OF_A_PATTERN * pairs.height
                ):
                    yield (
                        f"{name} is {abs(row['days']):,} days "
                        f"{'later' if row['days'] > 0 else 'earlier'} than known for "
                        f"{row['count']:,} of {pairs.height:,} facts."
                    )
        if changed.height >= max(
            limits.FEWEST_CHANGED_A_LOT, limits.MOST_CHANGED_A_LOT * pairs.height
        ):
            yield f"{name} is another than known for {changed.height:,} of {pairs.height:,} facts."

    def largest_pattern(
        self,
        figures: pl.DataFrame,
        columns: Sequence[str],
        most: float = limits.MOST_OF_A_PATTERN,
        period: str | None = None,
    ) -> _Pattern | None:
        """Where `hit` holds for most figures: of all, else of one value of a column, else of one
        value in one period.
        """
        hits = int(figures["hit"].sum() or 0)
        if hits >= max(limits.FEWEST_FIGURES, most * figures.height):
            return _Pattern(hits, figures.height, "")
        if hits < limits.FEWEST_FIGURES:
            return None
        # Among many figures, a few of one code may be revised alike.
        material = max(
            limits.FEWEST_FIGURES,
            min(limits.FEWEST_CHANGED_A_LOT, int(limits.SMALLEST_MATERIAL * figures.height)),
        )
        best: _Pattern | None = None
        alone = [(name,) for name in columns]
        in_a_period = [(name, period) for name in columns if period and name != period]
        for names in (*alone, *in_a_period):
            if best and len(names) > 1:
                break
            is_of_economy = any(name.endswith("_iso3") for name in names)
            fewest = limits.FEWEST_OF_AN_ECONOMY if is_of_economy else material
            found = (
                figures.group_by(names)
                .agg(hits=pl.col("hit").sum(), figures=pl.len())
                .filter((pl.col("hits") >= fewest) & (pl.col("hits") >= most * pl.col("figures")))
                .sort("hits", *names, descending=[True, *(False for _ in names)])
            )
            for row in found.head(1).iter_rows(named=True):
                of = " in ".join(f"{name} {self.in_words(name, row[name])}" for name in names)
                if best is None or row["hits"] > best.hits:
                    best = _Pattern(row["hits"], row["figures"], f" of {of}")
        return best

    def in_words(self, column: str, value: object) -> str:
        """A value of a key column; a period in the form of the file's rows."""
        if column != self._table.period or not isinstance(value, date):
            return str(value)
        if "frequency" not in self._table.columns:
            return period_in_words(value, "A")
        frequencies = self.rows.filter(pl.col(column) == value)["frequency"].unique()
        return " and ".join(sorted(period_in_words(value, one) for one in frequencies))

    @property
    def _all_measures(self) -> pl.Expr:
        """All measures of a row, as one text."""
        return pl.concat_str(
            [_rounded(pl.col(name)).cast(pl.String).fill_null("") for name in self.measures],
            separator=" ",
        )

    def _changed(self, figures: pl.DataFrame) -> pl.DataFrame:
        """Figures that differ from the known ones of their key, without 0: it is too frequent."""
        return figures.filter(~pl.col("is_same") & (pl.col("x") != 0)).with_columns(
            rounded=_rounded(pl.col("x")), all=self._all_measures
        )

    def _known_figures(self, measure: str) -> pl.DataFrame:
        """Known figures under their keys, without 0."""
        keys = [name for name in self._table.key if name != "source"]
        period = [name for name in (self._table.period,) if name and name not in keys]
        return self._known.filter(pl.col(measure).fill_null(0) != 0).select(
            *keys, *period, rounded=_rounded(pl.col(measure)), all=self._all_measures
        )


@dataclass(frozen=True)
class _Pattern:
    """A number of the figures, or of those of one economy, series or period."""

    hits: int
    figures: int
    of: str

    @property
    def of_figures(self) -> str:
        return f"for {self.hits:,} of {self.figures:,} figures{self.of}"

    @property
    def of_known_figures(self) -> str:
        return f"for {self.hits:,} of {self.figures:,} known figures{self.of}"


def _first(sentences: Iterable[str]) -> Iterator[str]:
    yield from (sentence for _, sentence in zip(range(1), sentences, strict=False))


def is_alike(one: pl.Expr, other: pl.Expr) -> pl.Expr:
    """Whether two figures are equal up to rounding."""
    return (one - other).abs() <= limits.ALIKE * pl.max_horizontal(one.abs(), other.abs())


def differs(measure: str) -> pl.Expr:
    """Whether a figure differs from the known one, or one of them is missing."""
    new, known = pl.col(measure), pl.col(f"{measure} known")
    return ~is_alike(new, known).fill_null(new.is_null() & known.is_null())


def _rounded(figure: pl.Expr) -> pl.Expr:
    """Rounded to six digits: two printings of one figure agree in these."""
    return figure.round_sig_figs(6)


def _explained(
    hits: pl.DataFrame,
    changed: pl.DataFrame,
    figures: pl.DataFrame,
    by: Sequence[str],
    part: pl.Expr,
) -> pl.DataFrame:
    """Those of `hits` (a number of figures in `hits`, groups in `by`) that explain `part` of the
    figures that changed, where most of all figures did.
    """
    groups = [pl.lit("").alias("all of it"), *map(pl.col, by)]
    names = ["all of it", *by]
    return (
        hits.with_columns(groups[0])
        .join(changed.group_by(groups).agg(changed=pl.len()), on=names)
        .join(figures.group_by(groups).agg(all=pl.len()), on=names)
        .filter(
            (pl.col("hits") >= limits.FEWEST_MOVED)
            & (pl.col("hits") >= part * pl.col("changed"))
            & (pl.col("changed") >= limits.MOST_OF_A_PATTERN * pl.col("all"))
        )
    )


def _with_lists_as_text(rows: pl.DataFrame) -> pl.DataFrame:
    """Lists as one text each, in alphabetical order: their own has no meaning. Empty is null."""
    return rows.with_columns(
        pl.when(pl.col(name).list.len() > 0).then(pl.col(name).list.sort().list.join("\n"))
        for name, dtype in rows.schema.items()
        if dtype == pl.List(pl.String)
    )


def period_in_words(first_day: date, frequency: str) -> str:
    """A period by its first day: a year (`A`), a month (`M`) or the day itself."""
    written = {"A": "%Y", "M": "%Y-%m"}.get(frequency, "%Y-%m-%d")
    return first_day.strftime(written)
