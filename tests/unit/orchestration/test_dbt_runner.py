"""A build that is interrupted while dbt runs."""

import signal
from datetime import date
from pathlib import Path

import dagster as dg
import pytest

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
