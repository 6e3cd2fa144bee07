"""The profile that Great Expectations evaluates of a frame that is too large to be evaluated whole.

The frame is read block by block, so that memory is bounded: once for the profile, once more for the
offending rows where a rule fails. Rules are measured here and evaluated elsewhere.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from dagster_project.quality.results import SAMPLE_ROWS
from dagster_project.quality.rules import Rule

BLOCK_ROWS = 250_000
"""Rows in memory at a time. 10 million lake rows take 1.4 s in blocks of 120,000, 1.2 s in blocks
of 500,000, which need 0.15 GB more."""

ROW = "row_number"
"""Rows of a frame are counted from 1."""

VALUES_NAMED = 3
"""Most offending values that a message names."""

QUARANTINED: Mapping[str, type[pl.DataType]] = {
    ROW: pl.Int64, "rule": pl.String, "value": pl.String, "explanation": pl.String,
}  # fmt: skip

Sign = pl.Expr | pl.DataFrame
"""How an offending row is identified: by a condition, or by its values in some columns."""

DistinctRows = Callable[[Sequence[str]], pl.DataFrame]
"""Each combination of the values of some columns, once."""

KEYS_AT_A_TIME = 1_000_000
"""Hashes that occur twice whose keys are compared at a time."""


def words(rule: Rule, columns: Mapping[str, pl.Expr] | None = None) -> pl.Expr:
    """The values a rule evaluates, as text: bare if it is one column, else with their names."""
    looked_at = {name: (columns or {}).get(name, pl.col(name)) for name in rule.looks_at}
    texts = [column.cast(pl.String).fill_null("null") for column in looked_at.values()]
    if len(texts) == 1:
        return texts[0].alias("value")
    named = [pl.format(f"{name}={{}}", text) for name, text in zip(looked_at, texts, strict=True)]
    return pl.concat_str(named, separator=", ").alias("value")


def quarantined_rows(
    frame: pl.DataFrame, broken: Iterable[tuple[Rule, pl.Series, pl.Series]], first: int = 0
) -> pl.DataFrame:
    """The rows that break a rule, once each, with every rule they break.

    `broken` gives rows (counted from 0 in `frame`) and their values. `first` is the number of
    rows of the batch before the frame.
    """
    found = [
        pl.DataFrame({ROW: rows, "value": values}).select(
            pl.col(ROW).cast(pl.Int64),
            rule=pl.lit(rule.name),
            value="value",
            explanation=pl.lit(rule.explanation),
        )
        for rule, rows, values in broken
    ]
    rows = (
        pl.concat([pl.DataFrame(schema=QUARANTINED), *found])
        .group_by(ROW, maintain_order=True)
        .agg(
            pl.col("rule").str.join(", "),
            pl.col("value").str.join("; "),
            pl.col("explanation").str.join(" "),
        )
        .sort(ROW)
    )
    return rows.with_columns(pl.col(ROW) + 1 + first).hstack(frame[rows[ROW]])


@dataclass(eq=False)
class Offending:
    """The rows that break one rule: how many, and the first of them with all their columns."""

    rows: int = 0
    sample: pl.DataFrame | None = None
    values: list[str] = field(default_factory=list)


@dataclass(eq=False)
class Quarantine:
    """The rows to be quarantined: how many, and the rows themselves while they are within bounds.

    Above `at_most`, only the first of them are kept: the batch is rejected for their number.
    """

    at_most: float
    rows: int = 0
    kept: list[pl.DataFrame] = field(default_factory=list)

    @property
    def is_full(self) -> bool:
        """Whether there are so many that the batch is rejected."""
        return self.rows > self.at_most

    def add(self, rows: pl.DataFrame) -> None:
        self.kept.append(rows)
        self.rows += rows.height
        if self.is_full:
            self.kept = [pl.concat(self.kept).head(SAMPLE_ROWS)]


# --- what is measured for a rule ---


class _Gauge(ABC):
    """The measures needed to evaluate the rules on some columns, gathered block by block."""

    def __init__(self, columns: Mapping[str, pl.Expr]) -> None:
        self.columns = columns
        self.names = list(columns)
        self.seen: list[pl.DataFrame] = []

    @abstractmethod
    def measures(self) -> list[pl.Expr]:
        """Aggregates of a block, computed together with those of the other gauges."""

    def looked_at(self, block: pl.DataFrame) -> pl.DataFrame:
        """The rows of a block that are measured: all, or a few that give the same measures."""
        return block

    def add(self, measured: pl.DataFrame) -> None:
        """Take in the measures of one block: one row."""
        self.seen.append(measured)

    @abstractmethod
    def shown(self) -> pl.DataFrame:
        """A frame that breaks the rules if, and only if, the whole one does."""

    def broken(self, kwargs: Mapping[str, object], positions: Sequence[int]) -> Sign:
        """What identifies an offending row.

        `positions` are the rows of `shown` that break the rule. For a sum there is no such row.
        """
        return pl.lit(False)


class _Extremes(_Gauge):
    """The least and the largest value: all that a range needs.

    Where a column is computed from one of whole numbers (`root`: a year), each distinct number is
    computed once: converting each of 11 million years to a day takes 0.7 s.
    """

    def __init__(self, columns: Mapping[str, pl.Expr], root: str | None = None) -> None:
        super().__init__(columns)
        self._root = root

    def looked_at(self, block: pl.DataFrame) -> pl.DataFrame:
        return block if self._root is None else block.select(pl.col(self._root).unique())

    def measures(self) -> list[pl.Expr]:
        column = self.columns[self.names[0]]
        return [column.min().alias("least"), column.max().alias("largest")]

    def shown(self) -> pl.DataFrame:
        extremes = pl.col("least").min().append(pl.col("largest").max())
        return pl.concat(self.seen).select(extremes.alias(self.names[0]))

    def broken(self, kwargs: Mapping[str, object], positions: Sequence[int]) -> pl.Expr:
        column = self.columns[self.names[0]]
        outside = pl.lit(False)
        low: Any = kwargs.get("min_value")
        high: Any = kwargs.get("max_value")
        if low is not None:
            outside |= (column <= low) if kwargs.get("strict_min") else (column < low)
        if high is not None:
            outside |= (column >= high) if kwargs.get("strict_max") else (column > high)
        return outside


class _Filled(_Gauge):
    """One value and one missing value, where there are any."""

    def measures(self) -> list[pl.Expr]:
        column = self.columns[self.names[0]]
        return [column.drop_nulls().first().alias("value"), column.null_count().alias("missing")]

    def shown(self) -> pl.DataFrame:
        seen = pl.concat(self.seen)
        value = seen["value"].drop_nulls().head(1)
        if seen["missing"].sum():
            value = value.extend_constant(None, 1)
        return pl.DataFrame({self.names[0]: value})

    def broken(self, kwargs: Mapping[str, object], positions: Sequence[int]) -> pl.Expr:
        column = self.columns[self.names[0]]
        offends_empty = self.shown()[self.names[0]][list(positions)].null_count() > 0
        return column.is_null() if offends_empty else column.is_not_null()


class _Sum(_Gauge):
    """The sum of a column, and a missing value, if any: it makes the sum a float."""

    def measures(self) -> list[pl.Expr]:
        column = self.columns[self.names[0]]
        return [column.sum().alias("sum"), column.null_count().alias("missing")]

    def shown(self) -> pl.DataFrame:
        seen = pl.concat(self.seen)
        whole = seen.select(pl.col("sum").sum())["sum"]
        if seen["missing"].sum():
            whole = whole.extend_constant(None, 1)
        return pl.DataFrame({self.names[0]: whole})


class _Pair(_Gauge):
    """A row that breaks a comparison of two columns, and one that does not, where there are any."""

    def __init__(self, columns: Mapping[str, pl.Expr], offends: pl.Expr) -> None:
        super().__init__(columns)
        self.offends = offends

    def measures(self) -> list[pl.Expr]:
        row = pl.struct(column.alias(name) for name, column in self.columns.items())
        return [
            row.filter(condition).head(1).implode().alias(name)
            for name, condition in (("bad", self.offends), ("good", ~self.offends))
        ]

    def shown(self) -> pl.DataFrame:
        seen = pl.concat(self.seen)
        rows = [seen[name].explode().drop_nulls().head(1) for name in ("bad", "good")]
        return pl.concat(rows).struct.unnest()

    def broken(self, kwargs: Mapping[str, object], positions: Sequence[int]) -> pl.Expr:
        return self.offends


class _Distinct(_Gauge):
    """Each combination of values once: rows that are alike break a row's rule alike.

    Where a column is computed from few others, `roots` are these: a day is then formatted once
    and not once per row.
    """

    def __init__(self, columns: Mapping[str, pl.Expr], roots: Sequence[str]) -> None:
        super().__init__(columns)
        self.kept = {name: pl.col(name) for name in roots} or dict(columns)
        self.is_computed_once = bool(roots)
        self._known: pl.DataFrame | None = None
        self.is_known = False

    def take(self, known: pl.DataFrame) -> None:
        """Take each combination, instead of measuring them."""
        self._known = known
        self.is_known = True

    def measures(self) -> list[pl.Expr]:
        if len(self.kept) == 1:
            ((name, column),) = self.kept.items()
            return [column.unique().implode().alias(name)]
        row = pl.struct(column.alias(name) for name, column in self.kept.items())
        return [row.unique().implode().alias("row")]

    def add(self, measured: pl.DataFrame) -> None:
        found = measured.to_series().explode(empty_as_null=False)
        block = found.to_frame() if len(self.kept) == 1 else found.struct.unnest()
        block.columns = list(self.kept)
        self._known = block if self._known is None else pl.concat([self._known, block]).unique()

    def known(self) -> pl.DataFrame:
        assert self._known is not None, "no block was measured"
        return self._known

    def shown(self) -> pl.DataFrame:
        if not self.is_computed_once:
            return self.known()
        return self.known().select(column.alias(name) for name, column in self.columns.items())

    def broken(self, kwargs: Mapping[str, object], positions: Sequence[int]) -> pl.DataFrame:
        return self.known()[list(positions)]


class _Key(_Gauge):
    """Hashes of the keys, 8 bytes a row: only keys with equal hashes are compared."""

    def __init__(self, columns: Mapping[str, pl.Expr], is_left_out: pl.Expr) -> None:
        super().__init__(columns)
        self.is_left_out = is_left_out
        self.hashes: list[pl.Series] = []
        self.rows = 0
        self.first = pl.DataFrame(schema=list(columns))

    @property
    def hash(self) -> pl.Expr:
        # A seed for each: else swapping two columns would not change the hash.
        parts = [column.hash(seed) for seed, column in enumerate(self.columns.values(), start=1)]
        return pl.sum_horizontal(parts) if len(parts) > 1 else parts[0]

    def measures(self) -> list[pl.Expr]:
        return [self.hash.filter(~self.is_left_out).implode().alias("hash")]

    def add(self, measured: pl.DataFrame) -> None:
        self.hashes.append(measured["hash"].explode(empty_as_null=False))

    def compare(self, frame: pl.LazyFrame) -> None:
        """Find the duplicated keys among those with equal hashes."""
        # polars sorts with all cores, numpy with one.
        hashes = pl.concat(self.hashes)
        self.hashes = []
        hashes = hashes.sort()
        meeting = hashes.filter(hashes == hashes.shift(1)).unique(maintain_order=True)
        del hashes
        numbered = frame.with_row_index(ROW).filter(~self.is_left_out)
        keys = numbered.select(
            ROW, *(column.alias(name) for name, column in self.columns.items()),
            hash_of_key=self.hash,
        )  # fmt: skip
        found = []
        for start in range(0, len(meeting), KEYS_AT_A_TIME):
            some = meeting[start : start + KEYS_AT_A_TIME]
            repeated = (
                keys.filter(pl.col("hash_of_key").is_between(some[0], some[-1]))
                .join(some.alias("hash_of_key").to_frame().lazy(), on="hash_of_key", how="semi")
                .group_by(self.names)
                .agg(pl.len().alias("rows_of_key"), pl.col(ROW).min())
                .filter(pl.col("rows_of_key") > 1)
                .collect(engine="streaming")
            )
            self.rows += int(repeated["rows_of_key"].sum())
            found.append(repeated.bottom_k(SAMPLE_ROWS, by=ROW))
        if found:
            # Sorted by first row: each of these keys occurs before those that follow.
            self.first = pl.concat(found).bottom_k(SAMPLE_ROWS, by=ROW).select(self.names)

    def shown(self) -> pl.DataFrame:
        return pl.concat([self.first, self.first])

    def broken(self, kwargs: Mapping[str, object], positions: Sequence[int]) -> pl.DataFrame:
        return self.first


# --- the frame ---


class Profile:
    """A frame read in blocks: the data each rule is evaluated on, and the rows that break it.

    `rows` is their number; `problems` gives by rule why it cannot be evaluated. Not-a-number is
    missing here, as it is in pandas. `distinct_rows` gives those of some columns, where a database
    finds them faster than the frame can be read.
    """

    def __init__(
        self,
        frame: pl.LazyFrame,
        rules: Iterable[Rule],
        distinct_rows: DistinctRows | None = None,
    ) -> None:
        self.problems: dict[str, str] = {}
        self.rows = 0
        self._frame = frame
        self._schema = frame.collect_schema()
        self._computed: dict[str, pl.Series] = {}
        self._types: dict[str, pl.DataType] = {}
        self._gauges: dict[tuple[object, ...], _Gauge] = {}
        self._gauge_of: dict[str, _Gauge] = {}
        self._rules = list(rules)
        self._distinct_rows = distinct_rows
        for rule in self._rules:
            self._prepare(rule)
        self._measure()

    def groups(self, rules: Iterable[Rule]) -> Iterator[tuple[list[Rule], pl.DataFrame | None]]:
        """The rules that are evaluated on the same frame, and that frame.

        The frame is None for rules on the number of rows.
        """
        alike: dict[int, list[Rule]] = {}
        for rule in rules:
            alike.setdefault(id(self._gauge_of.get(rule.name)), []).append(rule)
        for same in alike.values():
            gauge = self._gauge_of.get(same[0].name)
            yield same, None if gauge is None else gauge.shown()

    def values_of(self, rule: Rule) -> list[object]:
        """The distinct values that a rule on single values evaluates."""
        gauge = self._gauge_of.get(rule.name)
        if not isinstance(gauge, _Distinct):
            return []
        return [value for column in gauge.shown() for value in column.unique()]

    def offending(
        self,
        broken: Mapping[str, Sequence[int]],
        kwargs: Mapping[str, Mapping[str, object]],
        quarantine: Quarantine,
    ) -> dict[str, Offending]:
        """The rows that break rules, by rule, and those that are quarantined.

        `broken` gives, by rule, the rows of what was shown that break it.
        """
        rules = [
            rule
            for rule in self._rules
            if rule.name in broken and rule.reach in ("row", "key") and rule.name in self._gauge_of
        ]
        found = {rule.name: Offending() for rule in rules}
        signs = {
            rule.name: self._gauge_of[rule.name].broken(kwargs[rule.name], broken[rule.name])
            for rule in rules
        }
        if not rules:
            return found
        if any(rule.on_failure == "quarantine" for rule in rules):
            self._find_in_whole_rows(rules, signs, found, quarantine)
        else:
            self._find(rules, signs, found)
        for rule in rules:
            gauge = self._gauge_of[rule.name]
            if isinstance(gauge, _Key):
                found[rule.name].rows = gauge.rows
        return found

    def _find(
        self, rules: Sequence[Rule], signs: Mapping[str, Sign], found: Mapping[str, Offending]
    ) -> None:
        """Count the offending rows in the columns that the rules evaluate; whole rows are read up
        to the last one in the sample.
        """
        shown: dict[str, list[int]] = {rule.name: [] for rule in rules}
        narrow = self._frame.select(list(dict.fromkeys(c for rule in rules for c in rule.columns)))
        first = 0
        for block in self._blocks(narrow):
            for rule in rules:
                rows = self._rows_with(block, signs[rule.name], self._gauge_of[rule.name])
                found[rule.name].rows += rows.len()
                room = SAMPLE_ROWS - len(shown[rule.name])
                shown[rule.name] += [first + row for row in rows.head(room)]
            first += block.height
        last = max((rows[-1] for rows in shown.values() if rows), default=-1)
        first = 0
        for block in self._blocks(self._frame.head(last + 1)):
            for rule in rules:
                here = [row - first for row in shown[rule.name] if 0 <= row - first < block.height]
                self._keep(found[rule.name], block, rule, pl.Series(here, dtype=pl.UInt32), first)
            first += block.height

    def _find_in_whole_rows(
        self,
        rules: Sequence[Rule],
        signs: Mapping[str, Sign],
        found: Mapping[str, Offending],
        quarantine: Quarantine,
    ) -> None:
        """Count the offending rows, and keep those that are quarantined."""
        first = 0
        for block in self._blocks(self._frame):
            wanted = []
            for rule in rules:
                rows = self._rows_with(block, signs[rule.name], self._gauge_of[rule.name])
                found[rule.name].rows += rows.len()
                self._keep(found[rule.name], block, rule, rows, first)
                if rule.on_failure == "quarantine" and rows.len():
                    wanted.append((rule, rows))
            if wanted and quarantine.is_full:
                quarantine.rows += pl.concat([rows for _, rows in wanted]).n_unique()
            elif wanted:
                broken_here = [
                    (rule, rows, block[rows].select(words(rule, self._columns(rule))).to_series())
                    for rule, rows in wanted
                ]
                plain = block.select(self._schema.names())
                quarantine.add(quarantined_rows(plain, broken_here, first))
            first += block.height

    def _keep(
        self, found: Offending, block: pl.DataFrame, rule: Rule, rows: pl.Series, first: int
    ) -> None:
        """Keep the offending rows of a block until the sample is full."""
        room = SAMPLE_ROWS - (0 if found.sample is None else found.sample.height)
        if not rows.len() or not room:
            return
        some = rows.head(room)
        sample = block[some].select(self._schema.names())
        sample = sample.insert_column(0, (some.cast(pl.Int64) + 1 + first).alias(ROW))
        values = block[some].select(words(rule, self._columns(rule))).to_series()
        found.sample = sample if found.sample is None else pl.concat([found.sample, sample])
        found.values = [*found.values, *values][:VALUES_NAMED]

    def _rows_with(self, block: pl.DataFrame, sign: Sign, gauge: _Gauge) -> pl.Series:
        """Rows of a block, counted from 0, that match the sign of an offending row."""
        at = pl.int_range(pl.len(), dtype=pl.UInt32).alias(ROW)
        if isinstance(sign, pl.Expr):
            return block.select(at.filter(sign)).to_series()
        kept = gauge.kept if isinstance(gauge, _Distinct) else gauge.columns
        held = block.select(at, *(column.alias(name) for name, column in kept.items()))
        return held.join(
            sign, on=sign.columns, how="semi", nulls_equal=True, maintain_order="left"
        )[ROW]

    def _prepare(self, rule: Rule) -> None:
        """Choose the gauge of a rule, or record why it cannot be evaluated."""
        absent = [name for name in rule.columns if name not in self._schema]
        if absent:
            self.problems[rule.name] = f"column {', '.join(absent)} is missing"
            return
        try:
            for name in rule.looks_at:
                self._compute(rule, name)
            columns = self._columns(rule)
        except pl.exceptions.PolarsError as error:
            self.problems[rule.name] = first_line(str(error))
            return
        if rule.reach != "table":
            gauge, sort = _gauge(rule, columns, self._roots(rule), self._schema)
            gauge = self._gauges.setdefault((*sort, rule.looks_at), gauge)
            self._gauge_of[rule.name] = gauge
            if isinstance(gauge, _Distinct) and not gauge.is_known:
                self._look_up(gauge)

    def _look_up(self, gauge: _Distinct) -> None:
        """Take a gauge's distinct rows from `distinct_rows`, where it needs plain columns only."""
        # A derived column may have the name of a column; not-a-number is missing only here.
        is_plain = all(
            column.meta.is_column()
            and column.meta.output_name() == name
            and not self._schema[name].is_float()
            for name, column in gauge.kept.items()
        )
        if is_plain and self._distinct_rows is not None:
            found = self._distinct_rows(list(gauge.kept))
            gauge.take(found.cast({name: self._schema[name] for name in gauge.kept}))

    def _compute(self, rule: Rule, name: str) -> None:
        """Compute a column that depends on other rows: from its inputs alone, in one block."""
        expression = rule.expressions().get(name)
        if expression is None or name in self._computed or is_row_by_row(expression):
            return
        narrow = self._frame.select(list(dict.fromkeys(expression.meta.root_names())))
        text = pl.col(pl.String).cast(pl.Categorical)
        try:
            computed = narrow.with_columns(text).collect(engine="streaming").select(expression)
        except pl.exceptions.PolarsError:
            computed = narrow.collect(engine="streaming").select(expression)
        column = computed.to_series()
        self._computed[name] = (
            column.cast(pl.String) if column.dtype == pl.Categorical else column
        ).rename(f"computed {name}")

    def _columns(self, rule: Rule) -> dict[str, pl.Expr]:
        return {name: self._column(rule, name) for name in rule.looks_at}

    def _column(self, rule: Rule, name: str) -> pl.Expr:
        if name in self._computed:
            column, dtype = pl.col(f"computed {name}"), self._computed[name].dtype
        else:
            column = rule.expressions().get(name, pl.col(name))
            if name not in self._types or name in self._schema:
                empty = pl.DataFrame(schema=self._schema)
                self._types[name] = empty.select(column).to_series().dtype
            dtype = self._types[name]
        return column.fill_nan(None) if dtype.is_float() else column

    def _roots(self, rule: Rule) -> tuple[str, ...]:
        """The inputs of a rule's columns, where their combinations are few: no floats."""
        expressions = rule.expressions()
        derived = [expressions[name] for name in rule.looks_at if name in expressions]
        roots = rule.columns
        if (
            not derived
            or not all(is_row_by_row(expression) for expression in derived)
            or any(self._schema[name].is_float() for name in roots)
        ):
            return ()
        return roots

    def _measure(self) -> None:
        """Measure all gauges in one pass over the frame."""
        self._gauges = {
            key: gauge
            for key, gauge in self._gauges.items()
            if not (isinstance(gauge, _Distinct) and gauge.is_known)
        }
        gauges = list(self._gauges.values())
        self._add(pl.DataFrame(schema=self._schema).with_columns(
            series.clear() for series in self._computed.values()
        ))  # fmt: skip
        needed = dict.fromkeys(
            name
            for rule in self._rules
            if self._gauge_of.get(rule.name) in gauges
            for name in rule.columns
        )
        narrow = self._frame.select(list(needed) or self._schema.names()[:1])
        for block in self._blocks(narrow):
            self.rows += block.height
            self._add(block)
        for gauge in gauges:
            if isinstance(gauge, _Key) and gauge in self._gauge_of.values():
                gauge.compare(self._frame)

    def _add(self, block: pl.DataFrame) -> None:
        try:
            self._add_all(block)
        except pl.exceptions.PolarsError:
            self._drop_what_fails(block)
            self._add_all(block)

    def _add_all(self, block: pl.DataFrame) -> None:
        gauges = list(self._gauges.values())
        narrowed = {
            gauge: rows for gauge in gauges if (rows := gauge.looked_at(block)) is not block
        }
        apart = {gauge: rows.select(gauge.measures()) for gauge, rows in narrowed.items()}
        together = [gauge for gauge in gauges if gauge not in apart]
        measures = [
            measure.alias(f"{number} {measure.meta.output_name()}")
            for number, gauge in enumerate(together)
            for measure in gauge.measures()
        ]
        measured = block.select(measures)
        for gauge, own_measures in apart.items():
            gauge.add(own_measures)
        for number, gauge in enumerate(together):
            own = [column for column in measured if column.name.startswith(f"{number} ")]
            gauge.add(pl.DataFrame([part.alias(part.name.partition(" ")[2]) for part in own]))

    def _drop_what_fails(self, block: pl.DataFrame) -> None:
        for key, gauge in list(self._gauges.items()):
            try:
                gauge.looked_at(block).select(gauge.measures())
            except pl.exceptions.PolarsError as error:
                del self._gauges[key]
                for name in [name for name, used in self._gauge_of.items() if used is gauge]:
                    del self._gauge_of[name]
                    self.problems[name] = first_line(str(error))

    def _blocks(self, frame: pl.LazyFrame) -> Iterator[pl.DataFrame]:
        """The frame's rows in their order, with the columns that were computed before."""
        first = 0
        for block in frame.collect_batches(chunk_size=BLOCK_ROWS, engine="streaming"):
            yield block.with_columns(
                series.slice(first, block.height) for series in self._computed.values()
            )
            first += block.height


def _gauge(
    rule: Rule, columns: Mapping[str, pl.Expr], roots: Sequence[str], schema: pl.Schema
) -> tuple[_Gauge, tuple[object, ...]]:
    """The gauge of a rule, and what distinguishes it from others on the same columns."""
    match rule.expectation:
        case "ExpectColumnValuesToBeBetween":
            whole = len(roots) == 1 and schema[roots[0]].is_integer()
            return _Extremes(columns, roots[0] if whole else None), ("extremes",)
        case "ExpectColumnValuesToBeNull" | "ExpectColumnValuesToNotBeNull":
            return _Filled(columns), ("filled",)
        case "ExpectColumnSumToBeBetween":
            return _Sum(columns), ("sum",)
        case "ExpectColumnValuesToBeUnique" | "ExpectCompoundColumnsToBeUnique":
            ignored = rule.kwargs.get("ignore_row_if", "all_values_are_missing")
            missing = [column.is_null() for column in columns.values()]
            left_out = {
                "all_values_are_missing": pl.all_horizontal(missing),
                "any_value_is_missing": pl.any_horizontal(missing),
                "never": pl.lit(False),
            }[str(ignored)]
            return _Key(columns, left_out), ("key", ignored)
    offends = _comparison(rule, columns)
    if offends is not None:
        return _Pair(columns, offends.fill_null(False)), ("pair", rule.name)
    return _Distinct(columns, roots), ("distinct",)


def _comparison(rule: Rule, columns: Mapping[str, pl.Expr]) -> pl.Expr | None:
    """The condition of a row that breaks a comparison of two columns; nulls are left out."""
    left_out = rule.kwargs.get("ignore_row_if")
    if left_out not in ("either_value_is_missing", "any_value_is_missing") or len(columns) != 2:
        return None
    one, other = columns.values()
    match rule.expectation:
        case "ExpectColumnPairValuesAToBeGreaterThanB":
            return one < other if rule.kwargs.get("or_equal") else one <= other
        case "ExpectColumnPairValuesToBeEqual":
            return one != other
        case "ExpectSelectColumnValuesToBeUniqueWithinRecord":
            return one == other
    return None


def is_row_by_row(expression: pl.Expr) -> bool:
    """Whether an expression computes each row from that row alone, so that blocks can be computed.

    `is_row_separable` of polars 2.1 looks at the outermost step only: it is True for
    `a / a.shift(1).over("b")`. What it cannot answer is taken as False.
    """
    try:
        return expression.meta.is_row_separable() and all(
            is_row_by_row(part) for part in expression.meta.pop()
        )
    except pl.exceptions.PolarsError:
        return False


def first_line(text: str) -> str:
    """The first line of a library's message that is not blank."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[0] if lines else "no reason was given"
