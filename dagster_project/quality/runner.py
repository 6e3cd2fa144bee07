"""Evaluates a frame's suite with Great Expectations.

A small frame is evaluated whole. Of a large one, Great Expectations gets a profile (extremes,
distinct values, duplicated keys; see `profiles.py`) that leads to the same verdict, and the frame
is never whole in memory. The rules themselves are in the suites.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time
from functools import cache
from types import MappingProxyType
from typing import Any, Generic, TypeVar

import polars as pl

from dagster_project.errors import counted, shortened
from dagster_project.lake.scope import DEFAULT_SCOPE, CommodityScope
from dagster_project.quality.markets import markets_of
from dagster_project.quality.profiles import (
    ROW,
    DistinctRows,
    FailingRows,
    Profile,
    WholeFrame,
    first_line,
)
from dagster_project.quality.results import SAMPLE_ROWS, CheckResult, Status
from dagster_project.quality.rules import Rule, Suite, resolved_kwargs

PROFILE_ABOVE_ROWS = 20_000
"""With this many rows both take the same time (the suite of trade flows: 0.17 s). At 200,000 rows
the whole frame takes 1.4 s and the profile 0.5 s; at 3 million, 20 s and 2.5 GB against 3 s and
1.7 GB."""

LARGEST_QUARANTINED_SHARE = 0.05
"""Above this share of quarantined rows the batch is rejected: the file or its parser is wrong."""

LARGEST_SHARE_OF_UNKNOWN_CODES = 0.5
"""The same, where rows whose code is in no list of Kido's are counted too: of a small file they are
soon more than LARGEST_QUARANTINED_SHARE. If most codes are unknown, their column is another."""

MOST_VALUES_NAMED = 3
"""Offending values in a message."""

QUARANTINE_COLUMNS: Mapping[str, type[pl.DataType]] = {
    ROW: pl.Int64, "rule": pl.String, "value": pl.String, "explanation": pl.String,
}  # fmt: skip

Frame = TypeVar("Frame", pl.DataFrame, pl.LazyFrame)


@dataclass(frozen=True, eq=False)
class BatchVerdict(Generic[Frame]):
    """The verdict on a batch.

    `accepted` are the rows that pass (none if the batch is rejected), lazy if the batch is.
    `quarantined` are the others: `row_number`, `rule`, `value`, `explanation`, then the columns of
    the row. Of a large batch with too many of them it has the first SAMPLE_ROWS only. `reason` is
    one sentence, empty unless the batch is rejected.
    """

    results: list[CheckResult]
    accepted: Frame
    quarantined: pl.DataFrame
    is_rejected: bool
    reason: str


def evaluate(
    frame: pl.DataFrame | pl.LazyFrame,
    suite: Suite,
    *,
    today: date | None = None,
    scope: CommodityScope = DEFAULT_SCOPE,
    profile_above: int = PROFILE_ABOVE_ROWS,
    distinct_rows: DistinctRows | None = None,
) -> list[CheckResult]:
    """Evaluate a suite on a frame: one result per rule, in the suite's order.

    `today` is the day a mart is built for, or the day a batch arrived (default: today in UTC).
    `scope` gives the commodities in scope. A frame of more than `profile_above` rows is evaluated
    by a profile. `distinct_rows` returns the distinct rows of some columns, where a database finds
    them faster. A rule whose column is missing or has another type is `could_not_run`; the others
    still run.
    """
    return _evaluate(frame, suite, today, scope, profile_above, distinct_rows).results


def evaluate_batch(
    frame: Frame,
    suite: Suite,
    *,
    today: date | None = None,
    scope: CommodityScope = DEFAULT_SCOPE,
    profile_above: int = PROFILE_ABOVE_ROWS,
) -> BatchVerdict[Frame]:
    """Evaluate the suite of a batch and separate accepted rows from quarantined ones."""
    evaluation = _evaluate(frame, suite, today, scope, profile_above)
    quarantined = evaluation.quarantined
    reasons = [
        _sentence_part(result)
        for rule, result in zip(suite.rules, evaluation.results, strict=True)
        if _rejects(rule, result)
    ]
    if evaluation.exceeded_share is not None:
        first = quarantined.row(0, named=True)
        reasons.append(
            f"{evaluation.to_quarantine} of {evaluation.rows} rows would be quarantined, more than "
            f"{evaluation.exceeded_share:.0%}: {first['rule']}, "
            f"first {shortened(str(first['value']))}"
        )
    return BatchVerdict(
        results=evaluation.results,
        accepted=frame.clear() if reasons else _without(frame, quarantined[ROW]),
        quarantined=quarantined,
        is_rejected=bool(reasons),
        reason=f"{suite.table}: {'; '.join(reasons)}." if reasons else "",
    )


def _rejects(rule: Rule, result: CheckResult) -> bool:
    if rule.on_failure == "stop":
        return result.status != "passed"
    return rule.on_failure == "quarantine" and result.status == "could_not_run"


def _sentence_part(result: CheckResult) -> str:
    verb = "could not be checked" if result.status == "could_not_run" else "fails"
    return f"{result.check_name} {verb}: {result.observed}"


def _without(frame: Frame, rows: pl.Series) -> Frame:
    """The frame without the given rows (counted from 1)."""
    if rows.is_empty():
        return frame
    removed = (rows - 1).cast(pl.get_index_type()).alias("row of the batch").to_frame().lazy()
    remaining = (
        frame.lazy()
        .with_row_index("row of the batch")
        .join(removed, on="row of the batch", how="anti", maintain_order="left")
        .drop("row of the batch")
    )
    return remaining if isinstance(frame, pl.LazyFrame) else remaining.collect()


# --- how a suite is evaluated ---


@dataclass(frozen=True, eq=False)
class _Evaluation:
    """The results of a suite on a frame of `rows` rows, and the rows to be quarantined."""

    rows: int
    results: list[CheckResult]
    to_quarantine: int
    quarantined: pl.DataFrame
    exceeded_share: float | None
    """The share of quarantined rows above which the batch is rejected; None if it is not."""


def _evaluate(
    frame: pl.DataFrame | pl.LazyFrame,
    suite: Suite,
    today: date | None,
    scope: CommodityScope,
    profile_above: int,
    distinct_rows: DistinctRows | None = None,
) -> _Evaluation:
    suite = with_markets(suite, frame)
    data = _data_of(frame, suite.rules, profile_above, distinct_rows)
    values_in_frame = {
        name: data.distinct_values(rule)
        for rule in suite.rules
        if rule.has_list
        for name in rule.evaluated_columns
    }
    kwargs = kwargs_of(suite, today, scope, values_in_frame)
    outcomes = _outcomes(data, kwargs)
    failed = [
        rule
        for rule in suite.rules
        if outcomes[rule.name].success is False and rule.reach in ("row", "key")
    ]
    failing = data.failing_rows({rule.name: outcomes[rule.name].rows for rule in failed}, kwargs)
    quarantining = [rule for rule in failed if rule.on_failure == "quarantine"]
    to_quarantine = _union(failing[rule.name].numbers for rule in quarantining)
    faulty = _union(
        failing[rule.name].numbers for rule in quarantining if not rule.is_of_unknown_codes
    )
    exceeded_share = _exceeded_share(faulty.len(), to_quarantine.len(), data.rows)
    # Of a large batch that is rejected, only the first quarantined rows are read.
    is_large = isinstance(data, Profile)
    is_rejected = exceeded_share is not None
    to_read = to_quarantine.head(SAMPLE_ROWS) if is_large and is_rejected else to_quarantine
    shown = _ShownRows(data, failing, failed, to_read)
    return _Evaluation(
        data.rows,
        [_result(suite, rule, outcomes[rule.name], data, shown, kwargs) for rule in suite.rules],
        to_quarantine.len(),
        _quarantined(shown, quarantining, to_read),
        exceeded_share,
    )


def _exceeded_share(faulty: int, to_quarantine: int, rows: int) -> float | None:
    """The share that is exceeded by `faulty` rows, or by those of unknown codes with them."""
    if faulty > LARGEST_QUARANTINED_SHARE * rows:
        return LARGEST_QUARANTINED_SHARE
    if to_quarantine > LARGEST_SHARE_OF_UNKNOWN_CODES * rows:
        return LARGEST_SHARE_OF_UNKNOWN_CODES
    return None


def _data_of(
    frame: pl.DataFrame | pl.LazyFrame,
    rules: Sequence[Rule],
    profile_above: int,
    distinct_rows: DistinctRows | None,
) -> WholeFrame | Profile:
    if isinstance(frame, pl.LazyFrame):
        first = frame.head(profile_above + 1).collect(engine="streaming")
    else:
        first = frame
    if first.height <= profile_above:
        return WholeFrame(first, rules)
    return Profile(frame.lazy(), rules, distinct_rows)


def _outcomes(
    data: WholeFrame | Profile, kwargs: Mapping[str, Mapping[str, object]]
) -> dict[str, _Outcome]:
    """The outcome of each rule: first whether all pass, then the offending rows of those failed."""
    outcomes = {name: _Outcome(None, problem=problem) for name, problem in data.problems.items()}
    for rules, rows in data.frames(kwargs):
        pandas = rows.to_pandas()
        outcomes |= _validate(pandas, rules, kwargs, "BOOLEAN_ONLY")
        failed = [rule for rule in rules if outcomes[rule.name].success is False]
        outcomes |= _validate(pandas, failed, kwargs, "COMPLETE")
    return outcomes


def _union(numbers: Iterable[pl.Series]) -> pl.Series:
    """Numbers of rows, once each, in ascending order."""
    return pl.concat([pl.Series(dtype=pl.UInt32), *numbers]).unique().sort()


class _ShownRows:
    """The failing rows that are shown or quarantined, with the values that rules evaluate."""

    def __init__(
        self,
        data: WholeFrame | Profile,
        failing: Mapping[str, FailingRows],
        failed: Sequence[Rule],
        quarantined: pl.Series,
    ) -> None:
        self.failing = failing
        samples = [failing[rule.name].numbers.head(SAMPLE_ROWS) for rule in failed]
        self._numbers = _union([quarantined, *samples])
        self._rows, self._values = data.rows_at(self._numbers, failed)

    def rows(self, numbers: pl.Series) -> pl.DataFrame:
        return self._rows[self._numbers.search_sorted(numbers)]

    def values(self, rule: Rule, numbers: pl.Series) -> pl.Series:
        return self._values[rule.name][self._numbers.search_sorted(numbers)]


def _quarantined(shown: _ShownRows, rules: Sequence[Rule], to_read: pl.Series) -> pl.DataFrame:
    """The rows to be quarantined, once each, with every rule they break."""
    rows = shown.rows(to_read)
    if rows.is_empty():
        return pl.DataFrame(schema={**QUARANTINE_COLUMNS, **rows.schema})
    reasons = []
    for rule in rules:
        numbers = shown.failing[rule.name].numbers
        numbers = numbers.filter(numbers.is_in(to_read.implode()))
        reasons.append(
            pl.DataFrame({ROW: numbers, "value": shown.values(rule, numbers)}).select(
                ROW, pl.lit(rule.name).alias("rule"), "value",
                pl.lit(rule.explanation).alias("explanation"),
            )
        )  # fmt: skip
    by_row = (
        pl.concat(reasons)
        .group_by(ROW, maintain_order=True)
        .agg(
            pl.col("rule").str.join(", "),
            pl.col("value").str.join("; "),
            pl.col("explanation").str.join(" "),
        )
        .sort(ROW)
    )
    return by_row.with_columns(pl.col(ROW).cast(pl.Int64) + 1).hstack(rows)


def _result(
    suite: Suite,
    rule: Rule,
    outcome: _Outcome,
    data: WholeFrame | Profile,
    shown: _ShownRows,
    kwargs: Mapping[str, Mapping[str, object]],
) -> CheckResult:
    status: Status = "could_not_run"
    if outcome.success is not None:
        status = "passed" if outcome.success else "failed"
    result = CheckResult(
        layer=suite.layer,
        table_name=suite.table,
        check_name=rule.name,
        engine="great_expectations",
        severity=rule.severity,
        status=status,
        observed=_observed(rule, outcome, data, kwargs[rule.name]),
        failing_rows=0,
        sample=None,
        explanation=rule.explanation,
        rows=data.rows,
    )
    failing = shown.failing.get(rule.name)
    if failing is None or not failing.count:
        return result
    numbers = failing.numbers.head(SAMPLE_ROWS)
    values = (
        shown.values(rule, numbers.head(MOST_VALUES_NAMED)).unique(maintain_order=True).to_list()
    )
    return replace(
        result,
        observed=f"{failing.count} of {counted(data.rows, 'row')}, "
        f"first {shortened('; '.join(values))}",
        failing_rows=failing.count,
        sample=_numbered(shown.rows(numbers), numbers),
        values=tuple(values),
    )


def _numbered(rows: pl.DataFrame, numbers: pl.Series) -> pl.DataFrame:
    """The rows with their numbers, counted from 1, first; rows that have a number keep it."""
    if ROW in rows.columns:
        return rows
    return rows.select((numbers.cast(pl.Int64) + 1).alias(ROW), pl.all())


def _observed(
    rule: Rule, outcome: _Outcome, data: WholeFrame | Profile, kwargs: Mapping[str, object]
) -> str:
    """What a rule observed, where no single row breaks it."""
    if outcome.success is None:
        return outcome.problem
    if outcome.success or rule.reach == "table":
        return counted(data.rows, "row")
    if rule.reach == "distinct":
        present = {str(value) for value in data.distinct_values(rule)}
        required = kwargs["value_set"]
        assert isinstance(required, list)
        missing = [str(value) for value in required if str(value) not in present]
        return f"without {', '.join(missing)}"
    return f"{rule.evaluated_columns[0]}: {outcome.result.get('observed_value')}"


def with_markets(suite: Suite, frame: pl.DataFrame | pl.LazyFrame) -> Suite:
    """The suite with expressions for all derived columns: the exchanges of the frame's instruments
    are looked up.
    """
    if not any(rule.needs_markets for rule in suite.rules):
        return suite
    lazy = frame.lazy()
    names = (
        lazy.select(pl.col("instrument").unique()).collect(engine="streaming").to_series()
        if "instrument" in lazy.collect_schema()
        else ()
    )
    markets = markets_of(names)
    return replace(suite, rules=tuple(rule.with_markets(markets) for rule in suite.rules))


def kwargs_of(
    suite: Suite,
    today: date | None,
    scope: CommodityScope = DEFAULT_SCOPE,
    values_in_frame: Mapping[str, Sequence[object]] = MappingProxyType({}),
) -> dict[str, dict[str, object]]:
    """The expectations' arguments by rule, days as instants, as pandas compares them.

    `values_in_frame` are the distinct values of columns that are compared with a list of codes.
    """
    day = today or datetime.now(UTC).date()
    return {
        rule.name: {
            key: datetime.combine(value, time())
            if isinstance(value, date) and not isinstance(value, datetime)
            else value
            for key, value in resolved_kwargs(
                rule, day, scope, _values_for(rule, values_in_frame)
            ).items()
        }
        for rule in suite.rules
    }


def _values_for(rule: Rule, values_in_frame: Mapping[str, Sequence[object]]) -> list[object]:
    if not rule.has_list:
        return []
    return [value for name in rule.evaluated_columns for value in values_in_frame.get(name, ())]


# --- Great Expectations ---


@dataclass(frozen=True, eq=False)
class _Outcome:
    """The result of an expectation; `success` is None where it could not be evaluated."""

    success: bool | None
    rows: list[int] = field(default_factory=list)
    result: Mapping[str, Any] = field(default_factory=dict)
    problem: str = ""


@cache
def great_expectations() -> tuple[Any, Any]:
    """The module, imported only here, and with its progress bars switched off.

    It reads the variable that switches analytics off on import.
    """
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    return gx, ProgressBarsConfig(globally=False)


@cache
def _batch_definition() -> Any:
    """One data source in one ephemeral context, for the life of the process."""
    gx, progress_bars = great_expectations()
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = progress_bars
    asset = context.data_sources.add_pandas("frames").add_dataframe_asset("frame")
    return asset.add_batch_definition_whole_dataframe("whole")


def expectations_of(rules: Iterable[Rule], kwargs: Mapping[str, Mapping[str, object]]) -> list[Any]:
    """The rules as Great Expectations' own objects, each with its rule's name in `meta`."""
    gx, _ = great_expectations()
    return [
        getattr(gx.expectations, rule.expectation)(
            **kwargs[rule.name], meta={"rule": rule.name}, notes=rule.explanation
        )
        for rule in rules
    ]


def _validate(
    frame: Any,
    rules: Sequence[Rule],
    kwargs: Mapping[str, Mapping[str, object]],
    result_format: str,
) -> dict[str, _Outcome]:
    """Outcomes by rule, matched by `meta`: Great Expectations returns them in its own order."""
    if not rules:
        return {}
    gx, _ = great_expectations()
    suite = gx.ExpectationSuite(name="rules", expectations=expectations_of(rules, kwargs))
    validation = (
        _batch_definition()
        .get_batch({"dataframe": frame})
        .validate(suite, result_format=result_format)
    )
    return {
        result.expectation_config.meta["rule"]: _outcome(result) for result in validation.results
    }


def _outcome(result: Any) -> _Outcome:
    details = result.exception_info or {}
    exceptions = [details] if "raised_exception" in details else list(details.values())
    raised = [item for item in exceptions if item.get("raised_exception")]
    if raised:
        return _Outcome(None, problem=first_line(str(raised[0].get("exception_message") or "")))
    rows = result.result.get("unexpected_index_list") or []
    return _Outcome(bool(result.success), [int(row) for row in rows], result.result)
