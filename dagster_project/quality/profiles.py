"""The frames that Great Expectations evaluates: a small frame itself, of a large one a profile.

A profile has few rows and leads to the same verdicts (docs/decisions/0016). A large frame is read
block by block, which bounds memory: once for the profile, and once more if a rule fails. Rules are
evaluated in `runner.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import polars as pl

from dagster_project.quality.results import SAMPLE_ROWS
from dagster_project.quality.rules import Rule

BLOCK_ROWS = 250_000
"""Rows in memory at a time. 10 million lake rows take 1.4 s in blocks of 120,000, 1.2 s in blocks
of 500,000, which need 0.15 GB more."""

KEYS_PER_CHUNK = 1_000_000
"""Duplicated hashes whose keys are compared in one query."""

DistinctRows = Callable[[Sequence[str]], pl.DataFrame]
"""Each combination of the values of some columns of a frame, once."""

ROW = "row_number"
"""Rows are counted from 0 here, and from 1 where people read the number."""

_PLACE = "place in the frame"
_HASH = "hash of the key"

Kwargs = Mapping[str, object]
"""The arguments of an expectation."""


@dataclass(frozen=True, eq=False)
class FailingRows:
    """The rows that break a rule: how many, and their numbers in ascending order.

    Of a rule that quarantines the numbers are complete, of any other the first ones.
    """

    count: int
    numbers: pl.Series


class WholeFrame:
    """A small frame: Great Expectations evaluates all of its rows.

    `rows` is their number; `problems` gives by rule why it cannot be evaluated.
    """

    def __init__(self, frame: pl.DataFrame, rules: Sequence[Rule]) -> None:
        self.rows = frame.height
        self._frame = frame
        self._rules = rules
        self._evaluated, self.problems = evaluate_columns(frame, rules)

    def frames(self, kwargs: Mapping[str, Kwargs]) -> Iterator[tuple[list[Rule], pl.DataFrame]]:
        """Groups of rules, each with the frame that they are evaluated on."""
        rules = [rule for rule in self._rules if rule.name not in self.problems]
        yield rules, self._evaluated

    def distinct_values(self, rule: Rule) -> list[object]:
        """The distinct values of the columns that a rule evaluates; none where it cannot be."""
        if rule.name in self.problems:
            return []
        return [
            value for name in rule.evaluated_columns for value in self._evaluated[name].unique()
        ]

    def failing_rows(
        self, unexpected: Mapping[str, Sequence[int]], kwargs: Mapping[str, Kwargs]
    ) -> dict[str, FailingRows]:
        """The failing rows by rule; `unexpected` are the rows of its frame that break it."""
        return {
            name: FailingRows(len(rows), pl.Series(sorted(rows), dtype=pl.UInt32))
            for name, rows in unexpected.items()
        }

    def rows_at(
        self, numbers: pl.Series, rules: Iterable[Rule]
    ) -> tuple[pl.DataFrame, pl.DataFrame]:
        """The rows with these numbers, and by rule the values that it evaluates, as text."""
        # polars 2.1 panics where it formats columns of which a chunk is empty.
        values = self._evaluated[numbers].rechunk().select(_as_text(rule) for rule in rules)
        return self._frame[numbers], values


class Profile:
    """A large frame: Great Expectations evaluates the values that `Metric`s select from it.

    Not-a-number is missing here, as it is in pandas. `distinct_rows` returns the distinct rows of
    some columns, where a database finds them faster than the frame can be read. The class has
    the same members as `WholeFrame`.
    """

    def __init__(
        self, frame: pl.LazyFrame, rules: Sequence[Rule], distinct_rows: DistinctRows | None = None
    ) -> None:
        self.problems: dict[str, str] = {}
        self.rows = 0
        self._frame = frame
        self._schema = frame.collect_schema()
        self._rules = rules
        self._computed: dict[str, pl.Series] = {}
        self._metrics: dict[tuple[object, ...], Metric | KeyMetric] = {}
        self._metric_of: dict[str, Metric | KeyMetric] = {}
        for rule in rules:
            self._prepare(rule)
        if distinct_rows is not None:
            for metric in self._metrics.values():
                if isinstance(metric, Metric) and metric.inputs:
                    rows = distinct_rows(metric.inputs)
                    metric.set_rows(rows.cast({name: self._schema[name] for name in metric.inputs}))
        self._measure()

    def frames(self, kwargs: Mapping[str, Kwargs]) -> Iterator[tuple[list[Rule], pl.DataFrame]]:
        for metric in self._metrics.values():
            rules = [rule for rule in self._rules if self._metric_of.get(rule.name) is metric]
            if rules:
                yield rules, metric.selected()
        for rule in self._rules:
            if rule.reach == "table":
                yield [rule], _frame_of_length(self.rows, kwargs[rule.name])

    def distinct_values(self, rule: Rule) -> list[object]:
        if rule.name not in self._metric_of:
            return []
        return [
            value for column in self._metric_of[rule.name].selected() for value in column.unique()
        ]

    def failing_rows(
        self, unexpected: Mapping[str, Sequence[int]], kwargs: Mapping[str, Kwargs]
    ) -> dict[str, FailingRows]:
        rules = [rule for rule in self._rules if rule.name in unexpected]
        metrics = {rule.name: self._metric_of[rule.name] for rule in rules}
        conditions = {
            name: metric.condition(unexpected[name], kwargs[name])
            for name, metric in metrics.items()
        }
        numbers = {name: [pl.Series(dtype=pl.UInt32)] for name in metrics}
        counts = dict.fromkeys(metrics, 0)
        first = 0
        for block in self._blocks(rules) if rules else ():
            for rule in rules:
                rows = _rows_with(block, metrics[rule.name].columns, conditions[rule.name])
                missing = SAMPLE_ROWS - counts[rule.name]
                if rule.on_failure != "quarantine" and rows.len() > missing:
                    numbers[rule.name].append(rows.head(max(missing, 0)) + first)
                else:
                    numbers[rule.name].append(rows + first)
                counts[rule.name] += rows.len()
            first += block.height
        return {
            name: FailingRows(
                metric.duplicated_rows if isinstance(metric, KeyMetric) else counts[name],
                pl.concat(numbers[name]),
            )
            for name, metric in metrics.items()
        }

    def rows_at(
        self, numbers: pl.Series, rules: Iterable[Rule]
    ) -> tuple[pl.DataFrame, pl.DataFrame]:
        last = numbers.max()
        places = numbers.cast(pl.get_index_type()).alias(_PLACE).to_frame().lazy()
        whole = (
            self._frame.head(int(last) + 1 if isinstance(last, int) else 0)
            .with_row_index(_PLACE)
            .join(places, on=_PLACE, how="semi")
            .collect(engine="streaming")
            .sort(_PLACE)
            .drop(_PLACE)
        )
        computed = whole.with_columns(column[numbers] for column in self._computed.values())
        values = computed.rechunk().select(_as_text(rule, self._columns(rule)) for rule in rules)
        return whole, values

    # --- what is measured ---

    def _prepare(self, rule: Rule) -> None:
        """Choose the metric of a rule, or record why it cannot be evaluated."""
        absent = [name for name in rule.columns if name not in self._schema]
        if absent:
            self.problems[rule.name] = f"column {', '.join(absent)} is missing"
            return
        try:
            for name in rule.evaluated_columns:
                self._compute(rule, name)
            columns = self._columns(rule)
        except pl.exceptions.PolarsError as error:
            self.problems[rule.name] = first_line(str(error))
            return
        if rule.reach != "table":
            key, metric = _metric_for(rule, columns, self._inputs(rule))
            self._metric_of[rule.name] = self._metrics.setdefault(key, metric)

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
        """The columns a rule evaluates, by name. Raises PolarsError where the types do not fit."""
        columns = {}
        empty = pl.DataFrame(schema=self._schema)
        for name in rule.evaluated_columns:
            if name in self._computed:
                column, dtype = pl.col(f"computed {name}"), self._computed[name].dtype
            else:
                column = rule.expressions().get(name, pl.col(name))
                dtype = empty.select(column).to_series().dtype
            columns[name] = (column.fill_nan(None) if dtype.is_float() else column).alias(name)
        return columns

    def _inputs(self, rule: Rule) -> list[str]:
        """The columns of the frame that a rule's columns are computed from.

        Empty if they may have many combinations (floats) or depend on other rows.
        """
        if any(self._schema[name].is_float() for name in rule.columns) or not all(
            is_row_by_row(expression) for expression in rule.expressions().values()
        ):
            return []
        return list(rule.columns)

    def _measure(self) -> None:
        """Measure all metrics in one pass over the frame."""
        empty = pl.DataFrame(schema=self._schema)
        self._add(empty.with_columns(column.clear() for column in self._computed.values()))
        measured = self._to_measure()
        rules = [rule for rule in self._rules if self._metric_of.get(rule.name) in measured]
        for block in self._blocks(rules):
            self.rows += block.height
            self._add(block)
        for metric in self._metrics.values():
            if isinstance(metric, KeyMetric):
                metric.find_duplicates(self._frame)
            else:
                self._try(metric, metric.selected)

    def _to_measure(self) -> list[Metric | KeyMetric]:
        return [metric for metric in self._metrics.values() if not metric.is_measured]

    def _add(self, block: pl.DataFrame) -> None:
        metrics = self._to_measure()
        try:
            measured = block.select(
                metric.measured.alias(str(number)) for number, metric in enumerate(metrics)
            )
        except pl.exceptions.PolarsError:
            for metric in metrics:
                self._try(metric, partial(block.select, metric.measured))
            if len(self._to_measure()) == len(metrics):
                raise
            self._add(block)
            return
        for metric, values in zip(metrics, measured, strict=True):
            metric.add(values)

    def _try(self, metric: Metric | KeyMetric, compute: Callable[[], object]) -> None:
        """Compute something of a metric; where that fails, its rules cannot be evaluated."""
        try:
            compute()
        except pl.exceptions.PolarsError as error:
            self._metrics = {
                key: other for key, other in self._metrics.items() if other is not metric
            }
            for name in [name for name, other in self._metric_of.items() if other is metric]:
                del self._metric_of[name]
                self.problems[name] = first_line(str(error))

    def _blocks(self, rules: Iterable[Rule]) -> Iterator[pl.DataFrame]:
        """The columns that rules need, with the computed ones, in the frame's order of rows."""
        needed = list(dict.fromkeys(name for rule in rules for name in rule.columns))
        narrow = self._frame.select(needed or self._schema.names()[:1])
        first = 0
        for block in narrow.collect_batches(chunk_size=BLOCK_ROWS, engine="streaming"):
            yield block.with_columns(
                column.slice(first, block.height) for column in self._computed.values()
            )
            first += block.height


# --- what is selected from the columns of a rule ---

Condition = pl.Expr | pl.DataFrame
"""What identifies failing rows: an expression, or their values in some columns."""


class Metric:
    """A few values of a column that break the rules if, and only if, the whole column does.

    Several columns are one of structs. `reduce` is applied to each block, and again to the results
    of several blocks: where blocks begin must not matter. `condition` returns, from the arguments
    of the expectation, what identifies a failing row. Without it the values that break the rule do.
    """

    def __init__(
        self,
        columns: Mapping[str, pl.Expr],
        reduce: Callable[[pl.Expr], pl.Expr],
        condition: Callable[[Kwargs], pl.Expr] | None = None,
        derived: Mapping[str, pl.Expr] | None = None,
    ) -> None:
        self.columns = columns
        self.inputs = list(columns) if derived else []
        self.is_measured = False
        self._reduce = reduce
        self._condition = condition
        self._derived = derived
        self._values: pl.Series | None = None

    @classmethod
    def of_inputs(cls, inputs: Sequence[str], derived: Mapping[str, pl.Expr]) -> Metric:
        """Each combination of some columns of the frame, and what is derived from it."""
        return cls({name: pl.col(name) for name in inputs}, pl.Expr.unique, derived=derived)

    def set_rows(self, rows: pl.DataFrame) -> None:
        """Use these rows instead of measuring the frame."""
        self._values = rows.to_struct() if rows.width > 1 else rows.to_series()
        self.is_measured = True

    @property
    def measured(self) -> pl.Expr:
        """The values selected from a block, as a list."""
        columns = list(self.columns.values())
        return self._reduce(pl.struct(columns) if len(columns) > 1 else columns[0]).implode()

    def add(self, measured: pl.Series) -> None:
        """Add the values that were selected from a block."""
        rows = measured.explode(empty_as_null=False).to_frame("row")
        if self._values is not None:
            both = pl.concat([self._values.to_frame(), rows], how="vertical_relaxed")
            rows = both.select(self._reduce(pl.col("row")).alias("row"))
        self._values = rows.to_series()

    def _rows(self) -> pl.DataFrame:
        assert self._values is not None, "no block was measured"
        if len(self.columns) > 1:
            return self._values.struct.unnest()
        (name,) = self.columns
        return self._values.to_frame(name)

    def selected(self) -> pl.DataFrame:
        """What Great Expectations evaluates."""
        rows = self._rows()
        return rows if self._derived is None else rows.select(self._derived.values())

    def condition(self, unexpected: Sequence[int], kwargs: Kwargs) -> Condition:
        """What identifies a failing row; `unexpected` are the rows of `selected` that break it."""
        if self._condition is not None:
            return self._condition(kwargs)
        return self._rows()[list(unexpected)]


class KeyMetric:
    """Hashes of the keys, 8 bytes a row: only keys with equal hashes are compared."""

    is_measured = False

    def __init__(self, columns: Mapping[str, pl.Expr], ignored: str) -> None:
        self.columns = columns
        self.duplicated_rows = 0
        missing = [column.is_null() for column in columns.values()]
        self._is_ignored = {
            "all_values_are_missing": pl.all_horizontal(missing),
            "any_value_is_missing": pl.any_horizontal(missing),
            "never": pl.lit(False),
        }[ignored]
        self._hashes: list[pl.Series] = []
        self._first = pl.DataFrame(schema=list(columns))

    @property
    def hash(self) -> pl.Expr:
        # A seed for each: else swapping two columns would not change the hash.
        parts = [column.hash(seed) for seed, column in enumerate(self.columns.values(), start=1)]
        return pl.sum_horizontal(parts)

    @property
    def measured(self) -> pl.Expr:
        return self.hash.filter(~self._is_ignored).implode()

    def add(self, measured: pl.Series) -> None:
        self._hashes.append(measured.explode(empty_as_null=False))

    def find_duplicates(self, frame: pl.LazyFrame) -> None:
        """Find the duplicated keys among those with equal hashes."""
        # polars sorts with all cores, numpy with one.
        hashes = pl.concat(self._hashes).alias(_HASH)
        self._hashes = []
        hashes = hashes.sort()
        equal = hashes.filter(hashes == hashes.shift(1)).unique(maintain_order=True)
        del hashes
        keys = (
            frame.with_row_index(_PLACE)
            .filter(~self._is_ignored)
            .select(_PLACE, *self.columns.values(), self.hash.alias(_HASH))
        )
        samples = []
        for start in range(0, len(equal), KEYS_PER_CHUNK):
            chunk = equal[start : start + KEYS_PER_CHUNK]
            duplicated = (
                keys.filter(pl.col(_HASH).is_between(chunk[0], chunk[-1]))
                .join(chunk.to_frame().lazy(), on=_HASH, how="semi")
                .group_by(list(self.columns))
                .agg(pl.len().alias("rows of the key"), pl.col(_PLACE).min())
                .filter(pl.col("rows of the key") > 1)
                .collect(engine="streaming")
            )
            self.duplicated_rows += int(duplicated["rows of the key"].sum())
            samples.append(duplicated.bottom_k(SAMPLE_ROWS, by=_PLACE))
        if samples:
            # Sorted by first row: each of these keys occurs before those that follow.
            self._first = (
                pl.concat(samples).bottom_k(SAMPLE_ROWS, by=_PLACE).select(list(self.columns))
            )

    def selected(self) -> pl.DataFrame:
        return pl.concat([self._first, self._first])

    def condition(self, unexpected: Sequence[int], kwargs: Kwargs) -> Condition:
        return self._first


def _metric_for(
    rule: Rule, columns: Mapping[str, pl.Expr], inputs: Sequence[str]
) -> tuple[tuple[object, ...], Metric | KeyMetric]:
    """The metric of a rule, and a key that is the same for rules with the same metric.

    `inputs` are the columns of the frame that the rule's are computed from, where these have few
    combinations. Then a day is formatted once, and not in each row.
    """
    names = rule.evaluated_columns
    match rule.expectation:
        case "ExpectColumnValuesToBeUnique" | "ExpectCompoundColumnsToBeUnique":
            ignored = str(rule.kwargs.get("ignore_row_if", "all_values_are_missing"))
            return ("key", ignored, names), KeyMetric(columns, ignored)
        case "ExpectColumnSumToBeBetween":
            return ("sum", names), Metric(columns, _sum_and_a_missing)
    breaks = _breaks(rule)
    if breaks is not None:
        in_columns = breaks(*(pl.col(name) for name in names))
        metric = Metric(columns, _one_of_each(breaks, names), lambda _: in_columns)
        return ("one of each", rule.name), metric
    is_range = rule.expectation == "ExpectColumnValuesToBeBetween"
    if inputs and (rule.derived or not is_range):
        return ("distinct", names), Metric.of_inputs(inputs, columns)
    if is_range:
        return ("extremes", names), Metric(columns, _extremes, _is_outside(*names))
    return ("distinct", names), Metric(columns, pl.Expr.unique)


def _extremes(column: pl.Expr) -> pl.Expr:
    """The least and the largest value."""
    return column.min().append(column.max())


def _sum_and_a_missing(column: pl.Expr) -> pl.Expr:
    """The sum, and a missing value, if any: it makes the sum a float."""
    return column.sum().append(column.filter(column.is_null()).head(1))


def _one_of_each(
    breaks: Callable[..., pl.Expr], names: Sequence[str]
) -> Callable[[pl.Expr], pl.Expr]:
    """A row that breaks a rule, and one that does not, where there are any."""

    def one_of_each(row: pl.Expr) -> pl.Expr:
        columns = [row] if len(names) == 1 else [row.struct.field(name) for name in names]
        is_broken = breaks(*columns)
        return row.filter(is_broken).head(1).append(row.filter(~is_broken).head(1))

    return one_of_each


def _breaks(rule: Rule) -> Callable[..., pl.Expr] | None:
    """The condition of a row that breaks a rule on missing values, or on two columns."""
    match rule.expectation:
        case "ExpectColumnValuesToBeNull":
            return pl.Expr.is_not_null
        case "ExpectColumnValuesToNotBeNull":
            return pl.Expr.is_null
    ignored = rule.kwargs.get("ignore_row_if")
    if len(rule.evaluated_columns) != 2 or ignored not in (
        "either_value_is_missing",
        "any_value_is_missing",
    ):
        return None
    match rule.expectation:
        case "ExpectColumnPairValuesAToBeGreaterThanB":
            compare = pl.Expr.lt if rule.kwargs.get("or_equal") else pl.Expr.le
        case "ExpectColumnPairValuesToBeEqual":
            compare = pl.Expr.ne
        case "ExpectSelectColumnValuesToBeUniqueWithinRecord":
            compare = pl.Expr.eq
        case _:
            return None
    return lambda first, second: compare(first, second).fill_null(False)


def _is_outside(name: str) -> Callable[[Kwargs], pl.Expr]:
    """The condition of a value outside the range that an expectation's arguments give."""

    def is_outside(kwargs: Kwargs) -> pl.Expr:
        outside = pl.lit(False)
        low: Any = kwargs.get("min_value")
        high: Any = kwargs.get("max_value")
        column = pl.col(name)
        if low is not None:
            outside |= (column <= low) if kwargs.get("strict_min") else (column < low)
        if high is not None:
            outside |= (column >= high) if kwargs.get("strict_max") else (column > high)
        return outside

    return is_outside


# --- rows ---


def evaluate_columns(
    frame: pl.DataFrame, rules: Iterable[Rule]
) -> tuple[pl.DataFrame, dict[str, str]]:
    """The columns that rules evaluate, derived ones computed; and why a rule cannot be evaluated.

    Not-a-number is missing here, as it is in pandas.
    """
    problems: dict[str, str] = {}
    columns: dict[str, pl.Series] = {}
    for rule in rules:
        absent = [name for name in rule.columns if name not in frame.columns]
        if absent:
            problems[rule.name] = f"column {', '.join(absent)} is missing"
            continue
        try:
            for name in rule.evaluated_columns:
                if name not in columns:
                    expression = rule.expressions().get(name, pl.col(name))
                    columns[name] = frame.select(expression.alias(name)).to_series()
        except pl.exceptions.PolarsError as error:
            problems[rule.name] = first_line(str(error))
    numbered = frame.select(pl.int_range(pl.len(), dtype=pl.UInt32).alias(ROW))
    return numbered.with_columns(columns.values()).fill_nan(None), problems


def _as_text(rule: Rule, columns: Mapping[str, pl.Expr] | None = None) -> pl.Expr:
    """The values a rule evaluates, as text; several columns with their names."""
    evaluated = {name: (columns or {}).get(name, pl.col(name)) for name in rule.evaluated_columns}
    texts = [column.cast(pl.String).fill_null("null") for column in evaluated.values()]
    if len(texts) == 1:
        return texts[0].alias(rule.name)
    named = [pl.format(f"{name}={{}}", text) for name, text in zip(evaluated, texts, strict=True)]
    return pl.concat_str(named, separator=", ").alias(rule.name)


def _frame_of_length(rows: int, kwargs: Kwargs) -> pl.DataFrame:
    """A frame of that many rows, for a rule on their number.

    At most one row above the largest bound, since Great Expectations hashes its input.
    """
    bounds = [
        bound
        for bound in (kwargs.get("min_value"), kwargs.get("max_value"))
        if isinstance(bound, int)
    ]
    shown = min(rows, max(bounds, default=0) + 1)
    return pl.repeat(0, shown, dtype=pl.UInt8, eager=True).to_frame(ROW)


def _rows_with(
    block: pl.DataFrame, columns: Mapping[str, pl.Expr], condition: Condition
) -> pl.Series:
    """The numbers of the rows of a block whose columns meet a condition."""
    numbered = block.select(pl.int_range(pl.len(), dtype=pl.UInt32).alias(_PLACE), **columns)
    if isinstance(condition, pl.Expr):
        return numbered.filter(condition)[_PLACE]
    return numbered.join(
        condition, on=condition.columns, how="semi", nulls_equal=True, maintain_order="left"
    )[_PLACE]


def is_row_by_row(expression: pl.Expr) -> bool:
    """Whether an expression computes each row from that row alone, so that blocks can be computed.

    `is_row_separable` of polars 2.1 checks the outermost step only: it is True for
    `a / a.shift(1).over("b")`. The result is False for an expression that it cannot analyse.
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
