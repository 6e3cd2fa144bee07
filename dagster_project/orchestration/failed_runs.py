"""Problems found in Dagster's list of runs: jobs whose last runs failed or were cancelled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import dagster as dg

from dagster_project.alerts.problems import Problem, first_lines
from dagster_project.errors import counted, listed
from dagster_project.orchestration.keys import ALERTED_BY
from dagster_project.orchestration.standing import Installation

_FINISHED = [
    dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED,
]  # fmt: skip

_MOST_RUNS = 100
"""Runs of a job that are looked at: since when it fails, and which assets were chosen."""

_OF_CHOSEN_ASSETS = "__ASSET_JOB"
"""Dagster's name of runs of assets that were chosen in the UI, or by their conditions."""

_PARTITION_TAGS = (
    "dagster/partition", "dagster/asset_partition_range_start", "dagster/asset_partition_range_end",
)  # fmt: skip

_BLOCKING_CHECK = "DagsterAssetCheckFailedError"


def failed_runs(installation: Installation) -> Iterator[Problem]:
    """The jobs, and the choices of assets, that failed or were cancelled and did not succeed since.

    A run is left out if a failed check or a blocked release explains every failed step of it.
    """
    for job in dict.fromkeys([*installation.repository.job_names, _OF_CHOSEN_ASSETS]):
        last = _finished(installation.instance, job, 1)
        if not last or (job != _OF_CHOSEN_ASSETS and _has_succeeded(last[0])):
            continue
        for subject, records in _by_subject(
            _finished(installation.instance, job, _MOST_RUNS)
        ).items():
            problem = _problem(installation, subject, records)
            if problem is not None:
                yield problem


def _finished(instance: dg.DagsterInstance, job: str, most: int) -> Sequence[dg.RunRecord]:
    """The last finished runs of a job, the last one first."""
    return instance.get_run_records(
        dg.RunsFilter(job_name=job, statuses=_FINISHED), limit=most, order_by="end_time"
    )


def _by_subject(records: Sequence[dg.RunRecord]) -> dict[str, list[dg.RunRecord]]:
    by_subject: dict[str, list[dg.RunRecord]] = {}
    for record in records:
        by_subject.setdefault(_subject(record.dagster_run), []).append(record)
    return by_subject


def _subject(run: dg.DagsterRun) -> str:
    """The job; of chosen assets also which ones, and which of their partitions."""
    if run.job_name != _OF_CHOSEN_ASSETS:
        return run.job_name
    assets = sorted(key.to_user_string() for key in run.asset_selection or ())
    checks = sorted(str(key) for key in run.asset_check_selection or ()) if not assets else []
    partitions = [run.tags[tag] for tag in _PARTITION_TAGS if tag in run.tags]
    return " ".join([*assets, *checks, *partitions]) or run.job_name


def _problem(
    installation: Installation, subject: str, records: Sequence[dg.RunRecord]
) -> Problem | None:
    """The problem of a subject, from its finished runs, the last one first."""
    failing = []
    for record in records:
        if _has_succeeded(record):
            break
        if not _is_explained(installation.instance, record.dagster_run):
            failing.append(record)
    if not failing or _is_made_good(installation.instance, failing[0]):
        return None
    run, first = failing[0].dagster_run, failing[-1]
    is_cancelled = run.status == dg.DagsterRunStatus.CANCELED
    reasons = [] if is_cancelled else _reasons(installation.instance, run)
    return Problem(
        kind="failed_runs",
        subject=subject,
        title=f"{_named(run)} {'was cancelled' if is_cancelled else 'failed'}",
        since=minute(first.end_time or first.start_time or 0),
        lines=first_lines(reasons),
        link=installation.links.run(run.run_id),
    )


def minute(timestamp: float) -> str:
    """A Unix time to the minute: `2026-11-25 00:00 UTC`."""
    return f"{datetime.fromtimestamp(timestamp, UTC):%Y-%m-%d %H:%M} UTC"


def _named(run: dg.DagsterRun) -> str:
    if run.job_name != _OF_CHOSEN_ASSETS:
        return f"The job {run.job_name}"
    assets = sorted(key.to_user_string() for key in run.asset_selection or ())
    return f"A run of {counted(len(assets), 'asset')} ({listed(assets)})" if assets else "A run"


def _has_succeeded(record: dg.RunRecord) -> bool:
    return record.dagster_run.status == dg.DagsterRunStatus.SUCCESS


def _is_made_good(instance: dg.DagsterInstance, record: dg.RunRecord) -> bool:
    """Whether other runs made all chosen assets after a run of chosen assets began."""
    run = record.dagster_run
    if run.job_name != _OF_CHOSEN_ASSETS or not run.asset_selection:
        return False
    if any(tag in run.tags for tag in _PARTITION_TAGS):
        return False
    events = instance.get_latest_materialization_events(run.asset_selection)
    began = record.start_time or 0
    return all(
        (event := events.get(key)) is not None and event.timestamp > began
        for key in run.asset_selection
    )


def _is_explained(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    """Whether each failed step of a run is reported by another kind of problem."""
    if run.status != dg.DagsterRunStatus.FAILURE:
        return False
    failures = step_failures(instance, run.run_id)
    return bool(failures) and all(map(_is_of_another_kind, failures.values()))


def _is_of_another_kind(failure: dg.DagsterEvent) -> bool:
    data = failure.step_failure_data
    if data.error is not None and data.error.cls_name == _BLOCKING_CHECK:
        return True
    return data.user_failure_data is not None and ALERTED_BY in data.user_failure_data.metadata


def step_failures(instance: dg.DagsterInstance, run_id: str) -> dict[str, dg.DagsterEvent]:
    """The failures of the steps of a run, by step."""
    return {
        event.step_key or "": event
        for entry in instance.all_logs(run_id, of_type=dg.DagsterEventType.STEP_FAILURE)
        if (event := entry.dagster_event) is not None
    }


def _reasons(instance: dg.DagsterInstance, run: dg.DagsterRun) -> list[str]:
    """Why a run failed: a line per failed step, or what ended the run itself."""
    reasons = [
        f"{step}: {_reason(failure)}"
        for step, failure in step_failures(instance, run.run_id).items()
    ]
    if reasons:
        return reasons
    return [
        entry.dagster_event.message or ""
        for entry in instance.all_logs(run.run_id, of_type=dg.DagsterEventType.RUN_FAILURE)
        if entry.dagster_event is not None
    ]


def _reason(failure: dg.DagsterEvent) -> str:
    """The first line of what a step failed of; the run's page has the rest."""
    data = failure.step_failure_data
    said = data.user_failure_data.description if data.user_failure_data else None
    error = data.error
    if said is None and error is not None:
        said = (error.cause or error).message
    lines = (said or "no reason is recorded").strip().splitlines()
    return lines[0]
