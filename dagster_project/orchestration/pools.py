"""Frees what a killed run still holds of the pools, so that nobody waits for it.

A run that ends frees its slots itself; one that was killed cannot. The UI's daemon notices after a
while; a build at a terminal has no daemon.
"""

from __future__ import annotations

import os

import dagster as dg


def free_slots_of_dead_runs(instance: dg.DagsterInstance) -> list[str]:
    """Free the slots of runs that are over, and of those whose process is gone; returns their ids.

    A run that did not end is marked as failed, so that the UI does not show it as running.
    """
    storage = instance.event_log_storage
    dead = []
    for run_id in storage.get_concurrency_run_ids():
        run = instance.get_run_by_id(run_id)
        if run is not None and not run.is_finished:
            pid = _pid_of(instance, run_id)
            if pid is None or _is_alive(pid):
                continue
            instance.report_run_failed(run, "The process of this run was killed.")
        storage.free_concurrency_slots_for_run(run_id)
        dead.append(run_id)
    return dead


def _pid_of(instance: dg.DagsterInstance, run_id: str) -> int | None:
    """The process that executes the steps of a run, as its own log tells it."""
    for entry in instance.all_logs(run_id, of_type=dg.DagsterEventType.ENGINE_EVENT):
        event = entry.dagster_event
        data = event.engine_event_data if event else None
        pid = data.metadata.get("pid") if data else None
        if pid is not None and str(pid.value).isdigit():
            return int(str(pid.value))
    return None


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
