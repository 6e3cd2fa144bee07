"""What a killed run left open is ended by the next start; a living run is left alone."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.events import EngineEventData

from dagster_project.orchestration.builds import Build, leftovers
from dagster_project.orchestration.killed_runs import end_killed_runs
from dagster_project.orchestration.processes import name_of, own_name
from dagster_project.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.load(home=tmp_path)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as found:
        yield found


def killed_process() -> str:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    name = name_of(child.pid)
    child.kill()
    child.communicate()
    assert name is not None
    return name


@dg.op
def nothing() -> None: ...


@dg.job
def work() -> None:
    nothing()


def run_of(
    instance: dg.DagsterInstance, settings: Settings, owner: str | None, status: str = "STARTED"
) -> str:
    run = instance.create_run_for_job(work, status=dg.DagsterRunStatus(status))
    if owner:
        build = Build(settings.build_dir / run.run_id)
        build.claim(owner)
        build.file.write_bytes(b"half a build")
    return str(run.run_id)


def status_of(instance: dg.DagsterInstance, run_id: str) -> str:
    run = instance.get_run_by_id(run_id)
    assert run is not None
    return str(run.status.value)


@pytest.mark.parametrize("status", ["STARTING", "STARTED", "CANCELING"])
def test_a_run_without_process_fails_in_one_sentence_and_loses_its_folder(
    status: str, instance: dg.DagsterInstance, settings: Settings
) -> None:
    killed = run_of(instance, settings, killed_process(), status)
    assert end_killed_runs(settings, instance) == [killed]
    assert status_of(instance, killed) == "FAILURE"
    (event,) = instance.all_logs(killed, of_type=dg.DagsterEventType.RUN_FAILURE)
    assert event.dagster_event is not None
    assert event.dagster_event.message == (
        "The process of this run was killed; what it had built so far is removed."
    )
    assert not (settings.build_dir / killed).exists()
    assert end_killed_runs(settings, instance) == []


def test_runs_that_live_or_of_which_nobody_can_say_are_left_alone(
    instance: dg.DagsterInstance, settings: Settings
) -> None:
    living = run_of(instance, settings, own_name())
    elsewhere = run_of(instance, settings, "somewhere-else 12 345")
    unknown = run_of(instance, settings, None, "STARTING")
    over = run_of(instance, settings, killed_process(), "SUCCESS")
    assert end_killed_runs(settings, instance) == []
    assert [status_of(instance, run) for run in (living, elsewhere, unknown, over)] == [
        "STARTED", "STARTED", "STARTING", "SUCCESS",
    ]  # fmt: skip
    assert (settings.build_dir / living / "kido.duckdb").exists()
    assert (settings.build_dir / elsewhere / "kido.duckdb").exists()


def test_the_process_of_a_run_without_a_folder_is_found_in_its_log(
    instance: dg.DagsterInstance, settings: Settings
) -> None:
    def logged(pid: str) -> str:
        run = instance.create_run_for_job(work, status=dg.DagsterRunStatus.STARTED)
        data = EngineEventData({"pid": dg.MetadataValue.text(pid)})
        instance.report_engine_event("Executing steps in process", run, data)
        return str(run.run_id)

    killed, living = logged(killed_process().split(" ")[1]), logged(own_name().split(" ")[1])
    assert end_killed_runs(settings, instance) == [killed]
    assert status_of(instance, living) == "STARTED"


def test_the_last_whole_builds_are_no_leftovers_and_a_replay_is_not_todays(
    settings: Settings,
) -> None:
    gone = killed_process()
    builds = [Build(settings.build_dir / name) for name in ("older", "today", "replay", "new")]
    for build in builds:
        build.claim(gone)
        build.file.write_bytes(b"a build")
    older, today, replay, new = builds
    older.declare_complete(is_replay=False)
    today.declare_complete(is_replay=False)
    replay.declare_complete(is_replay=True)
    new.claim(own_name())
    assert leftovers(settings.build_dir) == [older.directory]
    # Its owner is about to write its name.
    (settings.build_dir / "just-made").mkdir()
    assert leftovers(settings.build_dir) == [older.directory]
