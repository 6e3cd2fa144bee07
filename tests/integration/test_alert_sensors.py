"""What the sensors say of real runs of a small graph, and that each says it once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from dagster_project.orchestration.alert_sensors import alert_sensors, standing_problems
from dagster_project.orchestration.builds import Build
from dagster_project.orchestration.keys import ALERTED_BY
from dagster_project.orchestration.standing import Installation
from dagster_project.serving.publication import Release
from dagster_project.settings import Settings
from tests.fakes.receivers import Received, Webhook


@dataclass
class Behaviour:
    """What the steps of the small graph do next."""

    landing: Exception | None = None
    step: Exception | None = None
    passes: bool = True
    severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.WARN
    could_not_run: bool = False
    other_passes: bool = True


def small_graph(does: Behaviour) -> dg.Definitions:
    """An asset, and one after it with three checks: one of its own, one blocking, one that another
    kind reports.
    """

    @dg.asset
    def landed() -> None:
        if does.landing:
            raise does.landing

    @dg.asset(
        deps=[landed],
        check_specs=[
            dg.AssetCheckSpec("values_are_plausible", asset="typed", blocking=True),
            dg.AssetCheckSpec(
                "publisher_answered", asset="typed", metadata={ALERTED_BY: "late_sources"}
            ),
        ],
    )
    def typed() -> Iterator[Any]:
        if does.step:
            raise does.step
        yield dg.AssetCheckResult(check_name="publisher_answered", passed=does.other_passes)
        yield dg.AssetCheckResult(
            check_name="values_are_plausible",
            passed=does.passes,
            severity=does.severity,
            metadata={
                "observed": "2 of 9 rows, such as -1",
                "offending_rows": dg.MetadataValue.md("| close |\n|---|\n| -1 |"),
                **({"could_not_run": 1} if does.could_not_run else {}),
            },
        )
        yield dg.MaterializeResult()

    return dg.Definitions(
        assets=[landed, typed],
        jobs=[dg.define_asset_job("build"), dg.define_asset_job("renew_ecb")],
        sensors=alert_sensors(),
        executor=dg.in_process_executor,
    )


@dataclass
class Home:
    """A home with an instance of Dagster, the small graph, and a receiver of messages."""

    hook: Webhook
    instance: dg.DagsterInstance
    does: Behaviour
    definitions: dg.Definitions
    cursors: dict[str, str] = field(default_factory=dict)

    def run(self, job: str = "build", *assets: str) -> dg.ExecuteInProcessResult:
        return self.definitions.resolve_job_def(job).execute_in_process(
            instance=self.instance, raise_on_error=False,
            asset_selection=[dg.AssetKey(asset) for asset in assets] or None,
        )  # fmt: skip

    def tick(self, kind: str) -> list[Received]:
        """What a tick of a sensor sends."""
        before = len(self.hook.received)
        context = dg.build_sensor_context(
            instance=self.instance,
            cursor=self.cursors.get(kind),
            definitions=self.definitions,
            sensor_name=kind,
        )
        result = self.definitions.resolve_sensor_def(kind).evaluate_tick(context)
        assert not result.run_requests
        assert result.skip_message
        self.cursors[kind] = result.cursor or ""
        return self.hook.received[before:]

    def titles(self, kind: str) -> list[str]:
        return [each.title for each in self.tick(kind)]


def instance_in(folder: Path) -> dg.DagsterInstance:
    return dg.DagsterInstance.local_temp(str(folder), overrides={"telemetry": {"enabled": False}})


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    with Webhook() as hook, instance_in(tmp_path) as instance:
        monkeypatch.setenv("KIDO_HOME", str(tmp_path / "home"))
        monkeypatch.setenv("KIDO_ALERTS", hook.address)
        monkeypatch.setenv("KIDO_UI_URL", "https://ui.example.org")
        does = Behaviour()
        yield Home(hook, instance, does, small_graph(does))


# Runs.


def test_a_failed_job_is_said_once_and_its_next_success_ends_it(home: Home) -> None:
    home.run()
    assert home.tick("failed_runs") == []
    home.does.landing = dg.Failure("ecb: HTML where CSV was expected.\nMore of it.")
    failed = home.run()
    [message] = home.tick("failed_runs")
    assert message.title == "Kido: The job build failed"
    lines = message.body.splitlines()
    assert lines[0] == "landed: ecb: HTML where CSV was expected."
    assert lines[-1] == f"https://ui.example.org/runs/{failed.run_id}"
    home.run()
    assert home.tick("failed_runs") == []
    home.does.landing = None
    home.run("renew_ecb")
    assert home.tick("failed_runs") == []
    home.run()
    assert home.titles("failed_runs") == ["Kido, over: The job build failed"]
    assert home.tick("failed_runs") == []


def test_jobs_are_told_apart_and_any_error_has_its_reason(home: Home) -> None:
    home.does.landing = ValueError("no such column")
    home.run("renew_ecb")
    home.run("build")
    messages = {each.title: each.body for each in home.tick("failed_runs")}
    assert messages.keys() == {"Kido: The job renew_ecb failed", "Kido: The job build failed"}
    assert all(body.startswith("landed: ValueError: no such column") for body in messages.values())


def test_a_cancelled_run_is_said(home: Home) -> None:
    run = home.instance.create_run_for_job(home.definitions.resolve_job_def("build"))
    home.instance.report_run_canceled(run)
    assert home.titles("failed_runs") == ["Kido: The job build was cancelled"]


def test_a_killed_run_says_what_ended_it(home: Home) -> None:
    run = home.instance.create_run_for_job(home.definitions.resolve_job_def("build"))
    home.instance.report_run_failed(run, "The process of this run was killed.")
    [message] = home.tick("failed_runs")
    assert "The process of this run was killed." in message.body


def test_a_run_that_a_blocking_check_ended_is_left_to_the_check(home: Home) -> None:
    home.does.passes, home.does.severity = False, dg.AssetCheckSeverity.ERROR
    assert not home.run().success
    assert home.tick("failed_runs") == []
    assert home.titles("failed_checks") == ["Kido: typed: values_are_plausible failed"]


def test_a_run_that_a_blocked_release_ended_is_left_to_the_release(home: Home) -> None:
    home.does.step = dg.Failure("The build is blocked.", metadata={ALERTED_BY: "blocked_releases"})
    home.run()
    assert home.tick("failed_runs") == []
    # It does not hide a failure before it that nothing else reports.
    home.does.step = dg.Failure("The disk is full.")
    home.run()
    home.does.step = dg.Failure("The build is blocked.", metadata={ALERTED_BY: "blocked_releases"})
    home.run()
    assert home.titles("failed_runs") == ["Kido: The job build failed"]


def test_chosen_assets_are_over_when_all_of_them_are_made(home: Home) -> None:
    home.does.step = dg.Failure("No such file.")
    home.run("__ASSET_JOB", "landed", "typed")
    title = "A run of 2 assets (landed, typed) failed"
    assert home.titles("failed_runs") == [f"Kido: {title}"]
    home.does.step = None
    home.run("__ASSET_JOB", "landed")
    assert home.tick("failed_runs") == []
    home.run("build")
    assert home.titles("failed_runs") == [f"Kido, over: {title}"]


# Checks.


def test_a_check_that_fails_on_five_days_is_said_once(home: Home) -> None:
    home.run()
    home.does.passes = False
    said = []
    for _ in range(5):
        home.run()
        said += home.tick("failed_checks")
    [message] = said
    assert message.title == "Kido: typed: values_are_plausible failed"
    assert message.body.startswith(
        "Severity: warning\n2 of 9 rows, such as -1\n| close |\n|---|\n| -1 |\n\nSince 20"
    )
    assert message.body.splitlines()[-1] == (
        "https://ui.example.org/assets/typed?view=checks&checkDetail=values_are_plausible"
    )
    home.does.passes = True
    home.run()
    assert home.titles("failed_checks") == ["Kido, over: typed: values_are_plausible failed"]


def test_an_error_after_a_warning_is_worse_and_a_warning_after_it_is_not(home: Home) -> None:
    title = "typed: values_are_plausible failed"
    home.does.passes = False
    home.run()
    assert home.titles("failed_checks") == [f"Kido: {title}"]
    home.does.severity = dg.AssetCheckSeverity.ERROR
    home.run()
    [worse] = home.tick("failed_checks")
    assert worse.title == f"Kido, worse: {title}"
    assert worse.body.startswith("Severity: error")
    home.does.severity = dg.AssetCheckSeverity.WARN
    home.run()
    assert home.tick("failed_checks") == []


def test_since_when_is_the_first_failure_in_a_row(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.does.passes = False
    home.run()
    [first] = home.tick("failed_checks")
    home.run()
    home.cursors.clear()
    [again] = home.tick("failed_checks")
    since = [line for line in first.body.splitlines() if line.startswith("Since ")]
    assert since == [line for line in again.body.splitlines() if line.startswith("Since ")]


def test_a_check_that_another_kind_reports_is_left_out(home: Home) -> None:
    home.does.other_passes = False
    home.run()
    assert home.tick("failed_checks") == []


def test_a_rule_that_could_not_run_has_not_failed(home: Home) -> None:
    home.does.passes, home.does.could_not_run = False, True
    home.run()
    assert home.titles("failed_checks") == [
        "Kido: typed: values_are_plausible could not be evaluated"
    ]


def test_checks_that_did_not_run_are_one_message_of_their_step(home: Home) -> None:
    home.does.step = dg.Failure("No such file.")
    home.run()
    [message] = home.tick("failed_checks")
    assert message.title == "Kido: 1 check of the step typed did not run"
    assert message.body.startswith("typed: values_are_plausible")
    home.run()
    assert home.tick("failed_checks") == []
    home.does.step = None
    home.run()
    assert home.titles("failed_checks") == ["Kido, over: 1 check of the step typed did not run"]


def test_checks_after_a_step_that_failed_are_not_said(home: Home) -> None:
    """The failed run is the problem, and says so."""
    home.does.landing = dg.Failure("No answer.")
    home.run()
    assert home.tick("failed_checks") == []
    assert len(home.tick("failed_runs")) == 1


def test_a_failed_check_stays_failed_while_the_next_run_is_in_progress(home: Home) -> None:
    home.does.passes = False
    home.run()
    assert len(home.tick("failed_checks")) == 1
    # It plans the check, and has not started yet.
    home.instance.create_run_for_job(home.definitions.resolve_job_def("build"))
    assert home.tick("failed_checks") == []


# Releases.


def block(home: Home, day: int, losses: str) -> Build:
    settings = Settings.load()
    build = Build(settings.build_dir / f"run{day}")
    at = datetime(2026, 11, day, 1, 30)
    release = Release(
        release_id=f"{at:%Y%m%dT%H%M%S}-abc123", published_at=at, as_of=at.date(),
        contract_version="3", code_version="c", duckdb_version="2",
    )  # fmt: skip
    build.start(release, None, "models")
    build.file.write_bytes(b"a file")
    build.block(losses)
    return build


LOSSES = "trade.flows of baci would have {after} of 712 rows (baci-{day} was added)."


def test_builds_with_the_same_losses_are_said_once(home: Home) -> None:
    said = []
    for day in range(1, 6):
        block(home, day, LOSSES.format(after=400 + day, day=day))
        said += home.tick("blocked_releases")
    [message] = said
    assert message.title == "Kido: A release is blocked, since readers would lose data"
    lines = message.body.splitlines()
    assert lines[0] == "trade.flows of baci would have 401 of 712 rows (baci-1 was added)."
    assert "kido accept 20261101T013000-abc123" in lines[1]
    assert "kido withdraw" in lines[2]
    assert "Since 2026-11-01 01:30 UTC" in lines


def test_other_losses_are_another_message(home: Home) -> None:
    block(home, 1, LOSSES.format(after=400, day=1))
    home.tick("blocked_releases")
    block(home, 2, "trade.flows of baci would lose 2 codes: 280530, 284690 (baci-2 was added).")
    assert len(home.tick("blocked_releases")) == 2
    block(home, 3, "trade.flows of baci would lose 2 codes: 280530, 811292 (baci-2 was added).")
    over, new = home.tick("blocked_releases")
    assert (over.title[:10], new.title[:10]) == ("Kido, over", "Kido: A re")


def test_a_release_that_is_published_ends_it(home: Home) -> None:
    from dagster_project.orchestration.builds import discard_blocked

    build = block(home, 1, LOSSES.format(after=400, day=1))
    home.tick("blocked_releases")
    discard_blocked(Settings.load().build_dir, build.release.release_id)
    assert home.titles("blocked_releases") == [
        "Kido, over: A release is blocked, since readers would lose data"
    ]


# All of them.


def test_no_sensor_runs_unless_it_is_switched_on() -> None:
    sensors = alert_sensors()
    assert len(sensors) == 5
    assert {each.default_status for each in sensors} == {dg.DefaultSensorStatus.STOPPED}


@pytest.mark.parametrize("kind", [each.name for each in alert_sensors()])
def test_without_an_address_a_tick_says_so_and_forgets_nothing(
    kind: str, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.does.passes = False
    home.run()
    home.tick(kind)
    cursor = home.cursors[kind]
    monkeypatch.delenv("KIDO_ALERTS")
    context = dg.build_sensor_context(
        instance=home.instance, cursor=cursor, definitions=home.definitions
    )
    result = home.definitions.resolve_sensor_def(kind).evaluate_tick(context)
    assert result.skip_message == "KIDO_ALERTS is not set, so nobody is told."
    assert result.cursor == cursor


def test_a_message_that_was_refused_comes_with_the_next_tick(home: Home) -> None:
    home.does.passes = False
    home.run()
    home.hook.refuse("500")
    assert home.tick("failed_checks") == []
    assert home.titles("failed_checks") == ["Kido: typed: values_are_plausible failed"]
    assert home.tick("failed_checks") == []


def test_a_cursor_that_cannot_be_read_says_everything_once_more(home: Home) -> None:
    home.does.passes = False
    home.run()
    assert len(home.tick("failed_checks")) == 1
    home.cursors["failed_checks"] = "not JSON"
    assert len(home.tick("failed_checks")) == 1
    assert home.tick("failed_checks") == []


def test_what_stands_is_what_the_command_lists(home: Home) -> None:
    home.does.passes = False
    home.run()
    block(home, 1, LOSSES.format(after=400, day=1))
    installation = Installation(
        Settings.load(), home.instance, home.definitions.get_repository_def()
    )
    kinds = [each.kind for each in standing_problems(installation) if each.kind != "late_sources"]
    assert kinds == ["failed_checks", "blocked_releases"]
