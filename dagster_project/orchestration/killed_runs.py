"""Cleans up after killed runs: their entry in the list of runs, their folder, their pools.

A run that ends does this itself; a killed one cannot. The UI's daemon does part of it after a
while; a build at a terminal has no daemon.
"""

from __future__ import annotations

import dagster as dg

from dagster_project.orchestration import builds
from dagster_project.orchestration.processes import is_alive
from dagster_project.settings import Settings

_MAY_BE_RUNNING = [
    dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]  # fmt: skip


def end_killed_runs(settings: Settings, instance: dg.DagsterInstance) -> list[str]:
    """Mark runs as failed whose process has ended, free their pools, remove their folders.

    Returns their ids. A run that is alive, or whose state cannot be determined, is left alone.
    """
    killed = killed_runs(settings, instance)
    for run in killed:
        instance.report_run_failed(
            run, "The process of this run was killed; what it had built so far is removed."
        )
    storage = instance.event_log_storage
    for run_id in storage.get_concurrency_run_ids():
        holder = instance.get_run_by_id(run_id)
        if holder is None or holder.is_finished:
            storage.free_concurrency_slots_for_run(run_id)
    builds.sweep(settings.build_dir)
    return [run.run_id for run in killed]


def killed_runs(settings: Settings, instance: dg.DagsterInstance) -> list[dg.DagsterRun]:
    """Runs that are recorded as running, and whose process has ended."""
    return [
        run
        for run in instance.get_runs(dg.RunsFilter(statuses=_MAY_BE_RUNNING))
        if (owner := _owner_of(settings, instance, run.run_id)) and not is_alive(owner)
    ]


def process_in_log(instance: dg.DagsterInstance, run_id: str) -> str | None:
    """The number of the process that executes a run, as the run's own log gives it."""
    for entry in instance.all_logs(run_id, of_type=dg.DagsterEventType.ENGINE_EVENT):
        event = entry.dagster_event
        data = event.engine_event_data if event else None
        pid = data.metadata.get("pid") if data else None
        if pid is not None and str(pid.value).isdigit():
            return str(pid.value)
    return None


def _owner_of(settings: Settings, instance: dg.DagsterInstance, run_id: str) -> str | None:
    return builds.Build(settings.build_dir / run_id).owner or process_in_log(instance, run_id)


def end_all_runs(instance: dg.DagsterInstance, reason: str) -> list[str]:
    """Mark every run in progress as failed and free its pools; returns their ids.

    Only for a copy of an instance, of which no run can be running.
    """
    runs = instance.get_runs(dg.RunsFilter(statuses=_MAY_BE_RUNNING))
    for run in runs:
        instance.report_run_failed(run, reason)
        instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
    return [run.run_id for run in runs]
