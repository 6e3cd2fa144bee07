"""Evaluates the suites of the marts on a build: what is not audited is not published.

The rules are in `quality`. A suite is evaluated where its mart, its rules or a day that they name
are others than in the build that this one started from.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
import duckdb

from dagster_project.lake.build_file import connect
from dagster_project.lake.scope import CommodityScope
from dagster_project.lake.store import write_atomically
from dagster_project.lake.vocabulary import LIST_FILES
from dagster_project.orchestration import builds, fingerprints
from dagster_project.orchestration.keys import fail_run_on, mart_keys
from dagster_project.orchestration.metadata import suite_check_result, suite_check_spec
from dagster_project.orchestration.private_rows import private_rows
from dagster_project.quality.mart_suites import mart_suites
from dagster_project.quality.report import render_report
from dagster_project.quality.results import CheckResult
from dagster_project.quality.rules import Rule, Suite, Today, lists_of, suite_version
from dagster_project.quality.runner import evaluate, kwargs_of
from dagster_project.settings import Settings

if TYPE_CHECKING:
    import polars as pl


def suite_checks() -> list[dg.AssetCheckSpec]:
    """The check of every mart that dbt builds."""
    return [suite_check_spec(mart_suites()[".".join(key.path)], key) for key in mart_keys()]


def suite_fingerprints(settings: Settings) -> dict[str, str]:
    """By mart (`schema.table`), a hash of all that its suite says of rows on the day.

    A day that rows may not be later than is left out: `audit` looks at it.
    """
    return {name: _fingerprint(mart_suites()[name], settings) for name in _audited()}


def _fingerprint(suite: Suite, settings: Settings) -> str:
    limits = [(rule.name, "max_value") for rule in _limited_by_day(suite)]
    stated = [
        suite_version(suite),
        [
            (name, key, value)
            for name, arguments in kwargs_of(suite, settings.today, settings.scope).items()
            for key, value in arguments.items()
            if (name, key) not in limits
        ],
        settings.scope.name,
        *(LIST_FILES[name].read_text("utf8") for name in sorted(lists_of(suite))),
        fingerprints.modules_of("dagster_project.quality.runner"),
        Path(__file__).read_text("utf8"),
    ]
    return hashlib.sha256(repr(stated).encode()).hexdigest()


def _limited_by_day(suite: Suite) -> list[Rule]:
    return [rule for rule in suite.rules if isinstance(rule.kwargs.get("max_value"), Today)]


def _audited() -> list[str]:
    return [".".join(key.path) for key in mart_keys()]


def audit(
    build: builds.Build,
    last: builds.Build | None,
    settings: Settings,
    manifest: Mapping[str, Any],
    *,
    is_repeated: bool = False,
) -> Iterator[dg.AssetCheckResult]:
    """Evaluate the suites that are due, keep the results of all, seal the build.

    It is complete from then on, unless one blocks. Suites that are not due have the results of
    `last`, the build that this one started from; `is_repeated`: all are due.
    """
    of_last = last.checks("marts") if last else []
    before = [result for result in of_last if result.table_name in _audited()]
    due = set(_audited() if is_repeated else fingerprints.suites_due(build.file, settings.memory))
    due |= _due_by_day(settings, last, before)
    # Neither is an answer about these rows that may be kept.
    due |= {
        result.table_name for result in before if result.blocks or result.status == "could_not_run"
    }
    private = private_rows(settings, manifest)
    results: dict[str, list[CheckResult]] = {}
    started = time.perf_counter()
    for name, all_results in results_of_marts(
        build.file,
        [name for name in _audited() if name in due],
        today=settings.today,
        scope=settings.scope,
        memory=settings.memory,
    ):
        results[name] = private.hide(all_results)
        yield suite_check_result(
            mart_suites()[name],
            dg.AssetKey(name.split(".")),
            results[name],
            seconds=time.perf_counter() - started,
        )
        started = time.perf_counter()
    for result in before:
        if result.table_name not in due:
            results.setdefault(result.table_name, []).append(result)
    every = [result for name in _audited() for result in results.get(name, ())]
    fail_run_on(lambda: fingerprints.record_suites(build.file, due, settings.memory))
    build.keep_checks("marts", every)
    write_atomically(
        settings.reports_dir / "checks.html",
        render_report(
            all_checks(build), title=f"Checks of the build as of {settings.today}"
        ).encode(),
    )
    build.seal()
    if not any(result.blocks for result in every):
        build.declare_complete(is_replay=settings.is_replay)


def carried_suites(build: builds.Build) -> Iterator[dg.AssetCheckResult]:
    """The checks of an audited build's suites that have the results of an earlier one."""
    results: dict[str, list[CheckResult]] = {}
    for result in build.checks("marts"):
        if result.checked_in != build.release.release_id:
            results.setdefault(result.table_name, []).append(result)
    for name, of_mart in results.items():
        yield suite_check_result(mart_suites()[name], dg.AssetKey(name.split(".")), of_mart)


def _due_by_day(
    settings: Settings, last: builds.Build | None, before: Iterable[CheckResult]
) -> set[str]:
    """The marts whose rows may be later than a day now, or are so no more.

    What is not later than a day is not later than the next one.
    """
    limited = {
        (name, rule.name) for name in _audited() for rule in _limited_by_day(mart_suites()[name])
    }
    if last is not None and settings.today < last.release.as_of:
        return {name for name, _ in limited}
    failed = {
        (result.table_name, result.check_name) for result in before if result.status != "passed"
    }
    return {name for name, _ in limited & failed}


def all_checks(build: builds.Build) -> list[CheckResult]:
    """The results of all checks of a build, in the order of the stages."""
    return [check for stage in builds.STAGES for check in build.checks(stage)]


def build_to_use(own: builds.Build, settings: Settings) -> builds.Build:
    """The run's own build; in a run that builds nothing, the last complete one.

    Raises Failure if there is none of the day, or if it used withdrawn snapshots.
    """
    if own.file.exists():
        return own
    last = builds.complete_build(settings.build_dir, is_replay=settings.is_replay)
    if last is None or (settings.as_of and last.release.as_of != settings.as_of):
        day = f" as of {settings.as_of}" if settings.as_of else ""
        raise final_failure(f"Nothing is built{day} yet: materialise the marts first.")
    withdrawn = builds.withdrawn_from(settings, last)
    if withdrawn:
        raise final_failure(
            f"The last complete build used withdrawn snapshots ({withdrawn}): "
            "materialise the marts first."
        )
    return last


def final_failure(reason: str) -> dg.Failure:
    """A failure of the run that another try would not change."""
    return dg.Failure(description=reason, allow_retries=False)


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
