"""The result of a check, and how it is stored: as JSON with a batch, as rows for the catalog.

Takes results of any engine (Great Expectations, dbt); nothing is evaluated here.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

import polars as pl

from dagster_project import words
from dagster_project.errors import counted
from dagster_project.quality.rules import Layer, Severity

Engine = words.Engine
Status = words.CheckStatus

SAMPLE_ROWS = 20
"""Offending rows in a result: enough to see the pattern, few enough for a page."""

CHECKS_SCHEMA = pl.Schema(
    {
        "layer": pl.String,
        "table_name": pl.String,
        "check_name": pl.String,
        "engine": pl.String,
        "severity": pl.String,
        "status": pl.String,
        "observed": pl.String,
        "failing_rows": pl.Int64,
        "checked_in": pl.String,
    }
)


@dataclass(frozen=True, eq=False)
class CheckResult:
    """The result of one check of one table.

    `failing_rows` is 0 where a failure has no single row (a table without rows). `sample` has
    the first offending rows with all their columns.
    """

    layer: Layer
    table_name: str
    check_name: str
    engine: Engine
    severity: Severity
    status: Status
    observed: str
    failing_rows: int
    sample: pl.DataFrame | None
    explanation: str
    rows: int = 0
    """Rows it was evaluated on; 0 if unknown."""
    values: tuple[str, ...] = ()
    """The first offending values, as text."""
    checked_in: str = ""
    """The release in whose build it was evaluated; empty for the one being built."""

    @property
    def blocks(self) -> bool:
        """Whether it blocks the publication of the build."""
        return self.severity == "error" and self.status != "passed"


NOT_SHOWN = "values are not shown: they are of a private source"


def without_values(result: CheckResult) -> CheckResult:
    """The result without values of the rows: how many fail, not which."""
    observed = result.observed
    if result.failing_rows:
        observed = f"{result.failing_rows:,} of {counted(result.rows, 'row')}"
    elif result.status == "failed":
        observed = NOT_SHOWN
    return replace(result, observed=observed, sample=None, values=())


def as_frame(results: Iterable[CheckResult], release_id: str) -> pl.DataFrame:
    """The results as rows of `catalog.checks` of a release, in the order given."""
    return pl.DataFrame(
        [{name: getattr(result, name) for name in CHECKS_SCHEMA} for result in results],
        schema=CHECKS_SCHEMA,
    ).with_columns(pl.col("checked_in").replace("", release_id))


_WORST_FIRST = tuple(reversed(words.CHECK_STATUSES))


def merge(results: Iterable[CheckResult]) -> list[CheckResult]:
    """One result per layer, table and check, over all checked batches.

    The worst status is kept, rows and failing rows add up, and only the failures are described.
    """
    by_check: dict[tuple[str, str, str], list[CheckResult]] = {}
    for result in results:
        by_check.setdefault((result.layer, result.table_name, result.check_name), []).append(result)
    return [_merged(same) for same in by_check.values()]


def _merged(same: list[CheckResult]) -> CheckResult:
    if len(same) == 1:
        return same[0]
    shown = [result for result in same if result.status != "passed"] or same
    samples = [result.sample for result in shown if result.sample is not None]
    return replace(
        same[0],
        status=min((result.status for result in same), key=_WORST_FIRST.index),
        observed="; ".join(dict.fromkeys(result.observed for result in shown)),
        failing_rows=sum(result.failing_rows for result in same),
        sample=pl.concat(samples, how="diagonal_relaxed").head(SAMPLE_ROWS) if samples else None,
        rows=sum(result.rows for result in same) if all(result.rows for result in same) else 0,
        values=tuple(dict.fromkeys(value for result in shown for value in result.values)),
    )


def to_json(results: Iterable[CheckResult]) -> list[dict[str, Any]]:
    """The results as plain records; in a sample, types unknown to JSON become text."""
    return [
        {
            **{name: getattr(result, name) for name in CHECKS_SCHEMA},
            "explanation": result.explanation,
            "rows": result.rows,
            "values": list(result.values),
            "sample": None
            if result.sample is None
            else [
                {name: json_value(value) for name, value in row.items()}
                for row in result.sample.to_dicts()
            ],
        }
        for result in results
    ]


def from_json(records: Iterable[Mapping[str, Any]]) -> list[CheckResult]:
    """The results from records of `to_json`; days and instants of a sample stay text."""
    return [
        CheckResult(
            **{
                **record,
                "values": tuple(record.get("values", ())),
                "sample": pl.DataFrame(record["sample"], infer_schema_length=None)
                if record["sample"]
                else None,
            }
        )
        for record in records
    ]


def json_value(value: object) -> object:
    """The value as one that JSON can represent."""
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, list):
        return [json_value(item) for item in value]
    return str(value)
