"""A day given in the launchpad is checked before the first step, like `--as-of` at a terminal."""

import logging
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from dagster_project.errors import ConfigurationError
from dagster_project.orchestration.days import require_day
from dagster_project.orchestration.progress import StageHandler
from dagster_project.orchestration.resources import Warehouse
from dagster_project.settings import Settings
from tests.unit.orchestration.test_days import FLOW, put

FIRST_DAY = "2016-07-01"


@dataclass
class Run:
    """What a run of one step did."""

    result: dg.ExecuteInProcessResult
    lines: list[str]
    days: list[date] = field(default_factory=list)
    """The day of each step that was executed."""

    @property
    def refusals(self) -> list[str]:
        """The errors that the UI shows on the resource."""
        return [
            event.engine_event_data.error.message.strip()
            for event in self.result.all_events
            if event.event_type == dg.DagsterEventType.RESOURCE_INIT_FAILURE
            and event.engine_event_data.error
        ]


def launch(**config: object) -> Run:
    lines: list[str] = []
    days: list[date] = []

    @dg.asset
    def made(context: dg.AssetExecutionContext, warehouse: Warehouse) -> None:
        days.append(warehouse.settings(context).today)

    @dg.logger
    def console(_: dg.InitLoggerContext) -> logging.Logger:
        logger = logging.Logger("stages", logging.DEBUG)
        logger.addHandler(StageHandler(lines.append))
        return logger

    definitions = dg.Definitions(
        assets=[made],
        jobs=[dg.define_asset_job("build")],
        resources={"warehouse": Warehouse()},
        loggers={"console": console},
    )
    run_config = {"loggers": {"console": {}}, "resources": {"warehouse": {"config": config}}}
    job = definitions.resolve_job_def("build")
    assert dg.validate_run_config(job, run_config)
    result = job.execute_in_process(run_config=run_config, raise_on_error=False)
    return Run(result, [line.strip() for line in lines], days)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home whose first supplier is known since FIRST_DAY."""
    monkeypatch.setenv("KIDO_HOME", str(tmp_path))
    monkeypatch.delenv("KIDO_AS_OF", raising=False)
    put(Settings.load(), "trade_flows", FLOW, FIRST_DAY)
    return tmp_path


def assert_refused(run: Run, sentence: str) -> None:
    assert not run.result.success
    assert run.days == []
    assert [refusal.endswith(f"Failure: {sentence}") for refusal in run.refusals] == [True]
    assert run.lines == [f"✗ {sentence}"]
    assert not any(event.is_step_failure for event in run.result.all_events)


@pytest.mark.parametrize(
    "text", ["2025-13-45", "2025-02-29", "20 Oct 2025", "20251020", "2025-W43-1", "yesterday"]
)
def test_what_is_not_a_day_is_refused_before_the_first_step(text: str, home: Path) -> None:
    assert_refused(launch(as_of=text), f"as_of: '{text}' is not a day like 2026-02-06.")
    assert not (home / "build").exists()


@pytest.mark.parametrize("day", ["2999-01-01", "2016-06-30"])
def test_a_day_without_figures_is_refused_in_the_sentence_of_the_terminal(
    day: str, home: Path
) -> None:
    with pytest.raises(ConfigurationError) as at_the_terminal:
        require_day(Settings.load(as_of=day))
    assert_refused(launch(as_of=day), str(at_the_terminal.value))
    assert not (home / "build").exists()


def test_tomorrow_is_refused_and_today_is_built() -> None:
    today = datetime.now(UTC).date()
    assert launch(as_of=today.isoformat()).result.success
    after_midnight = today + timedelta(days=2)  # the test may run across midnight
    assert not launch(as_of=after_midnight.isoformat()).result.success


def test_publishing_as_today_allows_no_other_days() -> None:
    assert "in the future" in launch(as_of="2999-01-01", publish=True).refusals[0]
    assert "too early" in launch(as_of="2016-06-30", publish=True).refusals[0]


@pytest.mark.parametrize("text", ["2016-07-01", " 2016-07-01", "2016-07-01\n", "\t2016-07-01  "])
def test_the_first_day_is_accepted_with_blanks_around_it(text: str) -> None:
    assert launch(as_of=text).days == [date(2016, 7, 1)]


@pytest.mark.parametrize("text", ["", "   ", "\n"])
def test_blanks_alone_are_no_day(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIDO_AS_OF", "2020-05-05")
    assert launch(as_of=text).days == [date(2020, 5, 5)]


def test_a_wrong_setting_fails_a_run_from_the_ui_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIDO_AS_OF", "2016-06-30")
    assert_refused(
        launch(),
        "2016-06-30 is too early: there is no figure of any supplier before 2016-07-01.",
    )
    monkeypatch.setenv("KIDO_AS_OF", "2025-13-45")
    assert_refused(launch(), "KIDO_AS_OF: '2025-13-45' is not a day like 2026-02-06.")
