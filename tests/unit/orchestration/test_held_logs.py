"""Dagster's SQLite files, held open while a run writes its events."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy

from dagster_project.orchestration.held_logs import logs_held_open


@dg.asset(check_specs=[dg.AssetCheckSpec("is_there", asset="flows")])
def flows(
    context: dg.AssetExecutionContext,
) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
    context.log.info("a line of the log")
    yield dg.MaterializeResult(metadata={"rows": 3})
    yield dg.AssetCheckResult(passed=True, check_name="is_there", metadata={"observed": "3 rows"})


RUN_ID = "00000000-0000-4000-8000-000000000001"


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as made:
        yield made


def run(instance: dg.DagsterInstance, run_id: str = RUN_ID) -> None:
    job = dg.Definitions([flows], jobs=[dg.define_asset_job("all")]).resolve_job_def("all")
    assert job.execute_in_process(instance=instance, run_id=run_id).success


def events(instance: dg.DagsterInstance, run_id: str = RUN_ID) -> list[tuple[object, object]]:
    """What the UI reads of a run, without what differs between any two."""
    return [(entry.dagster_event_type, entry.step_key) for entry in instance.all_logs(run_id)]


def write_ahead_logs(home: Path) -> list[str]:
    return [file.name for file in home.rglob("*.db-wal")]


def test_a_run_leaves_the_same_events_as_without(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    with logs_held_open(instance, RUN_ID):
        run(instance)
    held = events(instance)
    (tmp_path / "plain").mkdir()
    with dg.DagsterInstance.local_temp(str(tmp_path / "plain")) as plain:
        run(plain)
        assert held == events(plain)
    event = instance.get_latest_materialization_event(flows.key)
    assert event is not None
    assert event.asset_materialization is not None
    assert event.asset_materialization.metadata["rows"].value == 3
    (check,) = instance.event_log_storage.get_asset_check_execution_history(
        dg.AssetCheckKey(flows.key, "is_there"), limit=5
    )
    evaluation = check.event.dagster_event.asset_check_evaluation_data  # type: ignore[union-attr]
    assert evaluation.target_materialization_data
    assert evaluation.target_materialization_data.run_id == RUN_ID


def test_another_process_reads_each_event_as_it_is_written(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    with logs_held_open(instance, RUN_ID):
        run(instance)
        with dg.DagsterInstance.local_temp(str(tmp_path)) as other:
            assert events(other) == events(instance)
            assert other.get_run_by_id(RUN_ID).status is dg.DagsterRunStatus.SUCCESS  # type: ignore[union-attr]


def test_two_instances_write_to_the_files_at_the_same_time(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    second = RUN_ID[:-1] + "2"
    with (
        dg.DagsterInstance.local_temp(str(tmp_path)) as other,
        logs_held_open(instance, RUN_ID),
        logs_held_open(other, second),
    ):
        run(instance)
        run(other, second)
        assert {record.run_id for record in instance.get_runs()} == {RUN_ID, second}
        assert events(instance, second) == events(instance)


def test_the_write_ahead_logs_are_emptied_once_and_nothing_stays_open(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    with logs_held_open(instance, RUN_ID):
        run(instance)
        assert sorted(write_ahead_logs(tmp_path)) == [
            f"{RUN_ID}.db-wal", "index.db-wal", "runs.db-wal",
        ]  # fmt: skip
    assert write_ahead_logs(tmp_path) == []
    with contextlib.closing(sqlite3.connect(tmp_path / "history" / "runs.db")) as connection:
        assert connection.execute("select count(*) from runs").fetchone() == (1,)


def test_the_storages_are_as_they_were_afterwards(instance: dg.DagsterInstance) -> None:
    storages = (instance.event_log_storage, instance.run_storage)
    before = [set(vars(storage)) for storage in storages]
    with pytest.raises(RuntimeError), logs_held_open(instance, RUN_ID):
        raise RuntimeError
    assert [set(vars(storage)) for storage in storages] == before
    run(instance)
    assert events(instance)


def test_the_file_of_another_run_is_not_held(instance: dg.DagsterInstance, tmp_path: Path) -> None:
    other = RUN_ID[:-1] + "2"
    run(instance, other)
    with logs_held_open(instance, RUN_ID):
        assert events(instance, other)
        assert f"{other}.db-wal" not in write_ahead_logs(tmp_path)


def test_an_instance_without_sqlite_files_is_used_as_it_is() -> None:
    with dg.DagsterInstance.ephemeral() as instance, logs_held_open(instance, RUN_ID):
        run(instance)
        assert events(instance)


def test_a_statement_that_fails_leaves_the_next_one_a_connection(
    instance: dg.DagsterInstance,
) -> None:
    with logs_held_open(instance, RUN_ID):
        with (
            instance.event_log_storage.index_connection() as connection,
            pytest.raises(sqlalchemy.exc.OperationalError),
        ):
            connection.exec_driver_sql("select nothing from nowhere")
        run(instance)
    assert events(instance)
