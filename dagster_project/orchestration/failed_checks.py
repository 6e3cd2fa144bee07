"""Problems found in the evaluations of checks: those that failed last, those that did not run."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from functools import cache
from typing import Any

import dagster as dg

from dagster_project.alerts.problems import Problem, first_lines
from dagster_project.errors import counted
from dagster_project.orchestration.failed_runs import minute, step_failures
from dagster_project.orchestration.keys import ALERTED_BY
from dagster_project.orchestration.metadata import COULD_NOT_RUN
from dagster_project.orchestration.standing import Installation

WARNING, ERROR = 1, 2
"""Levels: a failure that warns, and one of severity error."""

_MOST_EVALUATIONS = 100
"""Evaluations of a check that are looked at for the day since which it fails."""

_MOST_IN_PROGRESS = 5
"""Runs of one check that may be in progress; the last one that ended says whether it ran."""

_EVALUATED = dg.DagsterEventType.ASSET_CHECK_EVALUATION
_PLANNED = dg.DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED

_SHOWN = ("observed", "offending_rows")
"""Metadata of a check's result that a message shows, in this order."""


def failed_checks(installation: Installation) -> Iterator[Problem]:
    """The checks whose last evaluation failed, and the steps that ended before their checks ran.

    A check whose spec names in ALERTED_BY another kind of problem is left to that one.
    """
    graph = installation.repository.asset_graph
    checks = [
        check
        for check in sorted(graph.asset_check_keys)
        if ALERTED_BY not in graph.get_check_spec(check).metadata
    ]
    storage = installation.instance.event_log_storage
    failed_steps = cache(lambda run_id: step_failures(installation.instance, run_id).keys())
    not_run: dict[str, list[Any]] = {}
    latest = storage.get_latest_asset_check_execution_by_key(checks)
    for check in checks:
        completed: Any = (last := latest.get(check))
        if last is None:
            continue
        if last.event is None or last.event.dagster_event_type != _EVALUATED:
            completed = _last_completed(installation.instance, check)
            step = _step_that_failed_before(installation, check, failed_steps)
            if step:
                not_run.setdefault(step, []).append(last)
        if completed and completed.evaluation and not completed.evaluation.passed:
            yield _failed(installation, check, completed)
    for step, records in sorted(not_run.items()):
        yield _not_run(installation, step, records)


def _failed(installation: Installation, check: dg.AssetCheckKey, record: Any) -> Problem:
    """The problem of a check, from its last completed execution."""
    evaluation: dg.AssetCheckEvaluation = record.evaluation
    is_error = evaluation.severity == dg.AssetCheckSeverity.ERROR
    shown = {name: str(value.value) for name, value in evaluation.metadata.items()}
    did_not_run = COULD_NOT_RUN in shown
    asset = check.asset_key.to_user_string()
    return Problem(
        kind="failed_checks",
        subject=f"{asset}: {check.name}",
        title=f"{asset}: {check.name} {'could not be evaluated' if did_not_run else 'failed'}",
        since=minute(_failing_since(installation.instance, check, record)),
        lines=first_lines(
            [
                "Severity: error" if is_error else "Severity: warning",
                *(evaluation.description or "").splitlines(),
                *(line for name in _SHOWN for line in shown.get(name, "").splitlines()),
            ]
        ),
        link=installation.links.check(check.name, *check.asset_key.path),
        level=ERROR if is_error else WARNING,
    )


def _failing_since(instance: dg.DagsterInstance, check: dg.AssetCheckKey, record: Any) -> float:
    """The time of the first of the failed evaluations that end with this one."""
    since: float = record.create_timestamp
    for earlier in _history(instance, check, _MOST_EVALUATIONS):
        is_evaluated = earlier.event.dagster_event_type == _EVALUATED
        if is_evaluated and earlier.evaluation.passed:
            break
        if is_evaluated:
            since = min(since, earlier.create_timestamp)
    return since


def _last_completed(instance: dg.DagsterInstance, check: dg.AssetCheckKey) -> Any | None:
    """The last execution of a check that evaluated it; runs that left it out follow it."""
    summaries = instance.event_log_storage.get_asset_check_summary_records([check])
    return summaries[check].last_completed_check_execution_record


def _history(instance: dg.DagsterInstance, check: dg.AssetCheckKey, most: int) -> Sequence[Any]:
    """The last executions of a check that have an event, the last one first."""
    history = instance.event_log_storage.get_asset_check_execution_history(check, limit=most)
    return [record for record in history if record.event is not None]


def _step_that_failed_before(
    installation: Installation,
    check: dg.AssetCheckKey,
    failed_steps: Callable[[str], Collection[str]],
) -> str | None:
    """The step that failed before it evaluated the check, in the last run of it that has ended.

    None if the run left the check out, or failed elsewhere: the failed run is the problem then.
    """
    for record in _history(installation.instance, check, _MOST_IN_PROGRESS):
        run = installation.instance.get_run_by_id(record.run_id)
        if run is None or not run.is_finished:
            continue
        event = record.event.dagster_event
        was_planned = event.event_type == _PLANNED and event.step_key in failed_steps(run.run_id)
        return str(event.step_key) if was_planned else None
    return None


def _not_run(installation: Installation, step: str, records: Sequence[Any]) -> Problem:
    """The problem of the checks of one step that were not run."""
    run_ids = {record.run_id: None for record in records}
    return Problem(
        kind="failed_checks",
        subject=f"step {step}",
        title=f"{counted(len(records), 'check')} of the step {step} did not run",
        since=minute(min(record.create_timestamp for record in records)),
        lines=first_lines(
            [f"{record.key.asset_key.to_user_string()}: {record.key.name}" for record in records]
        ),
        link=installation.links.run(next(iter(run_ids))),
        level=ERROR,
    )
