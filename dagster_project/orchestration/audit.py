"""Evaluates the suites of the marts on a build file.

The rules are in `quality`, the check of each mart in `publication_assets`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from dagster_project.lake.build_file import connect
from dagster_project.lake.scope import CommodityScope
from dagster_project.quality.mart_suites import mart_suites
from dagster_project.quality.results import CheckResult
from dagster_project.quality.rules import Suite
from dagster_project.quality.runner import evaluate

if TYPE_CHECKING:
    import polars as pl


def results_of_marts(
    file: Path, marts: Iterable[str], *, today: date, scope: CommodityScope, memory: int
) -> Iterator[tuple[str, list[CheckResult]]]:
    """The name of each mart in `marts`, in their order, with the results of its suite.

    DuckDB reads the marts with at most `memory` bytes.
    """
    suites = mart_suites()
    with connect(file, read_only=True, memory=memory) as connection:
        for name in marts:
            results = _results(connection.sql(f"from {name}"), suites[name], today, scope)
            failed = tuple(rule for rule in suites[name].rules if results[rule.name].failing_rows)
            if failed:
                # Rows of a build have no order of their own; equal builds quote the same ones.
                in_order = connection.sql(f"from {name} order by all")
                results |= _results(in_order, replace(suites[name], rules=failed), today, scope)
            yield name, list(results.values())


def _results(
    rows: duckdb.DuckDBPyRelation, suite: Suite, today: date, scope: CommodityScope
) -> dict[str, CheckResult]:
    """The results of a suite by rule, in its order."""
    results = evaluate(
        rows.pl(lazy=True),
        suite,
        today=today,
        scope=scope,
        distinct_rows=partial(_distinct_rows, rows),
    )
    return {result.check_name: result for result in results}


def _distinct_rows(rows: duckdb.DuckDBPyRelation, columns: Sequence[str]) -> pl.DataFrame:
    """The distinct rows of some columns, computed by DuckDB.

    It reads them from the dictionaries of the file: a tenth of the time for 22 million texts.
    """
    distinct: pl.DataFrame = rows.select(*map(duckdb.ColumnExpression, columns)).distinct().pl()
    return distinct
