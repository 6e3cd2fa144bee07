"""A build that is interrupted while dbt runs."""

import signal
from datetime import date
from pathlib import Path

import dagster as dg
import pytest
from dbt.cli.main import dbtRunner, dbtRunnerResult

from dagster_project.orchestration import dbt_runner
from dagster_project.settings import Settings


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_dbt_as_an_interruption(tmp_path: Path, number: signal.Signals) -> None:
    """Dagster's handlers raise what dbt does not know, here as in a run."""

    def of_dagster(*_: object) -> None:
        raise dg.DagsterExecutionInterruptedError

    started: list[int] = []

    def interrupt(which: int, of: int) -> None:
        started.append(which)
        if len(started) == 3:
            signal.raise_signal(number)

    before = signal.signal(number, of_dagster)
    try:
        with pytest.raises(KeyboardInterrupt):
            dbt_runner.run(
                tmp_path / "kido.duckdb",
                date(2026, 12, 1),
                target=tmp_path / "dbt",
                memory=Settings.load(home=tmp_path).memory,
                select=["resource_type:seed"],
                on_start=interrupt,
            )
        assert signal.getsignal(number) is of_dagster
    finally:
        signal.signal(number, before)


def test_an_error_of_dbt_at_a_signal_does_not_hide_the_interruption(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """dbt cancels its queries at a signal, and fails if one's connection is closed by then."""

    def invoke(*_: object) -> dbtRunnerResult:
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            return dbtRunnerResult(success=False, exception=ConnectionError("already closed"))
        raise AssertionError("no interruption reached dbt")

    monkeypatch.setattr(dbtRunner, "invoke", invoke)
    with pytest.raises(KeyboardInterrupt):
        dbt_runner.run(
            tmp_path / "kido.duckdb", date(2026, 12, 1), target=tmp_path / "dbt", memory=2**30
        )
