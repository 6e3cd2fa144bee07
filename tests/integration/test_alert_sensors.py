"""What the sensors say of real runs of a small graph, and that each says it once."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from dagster_project.alerts.problems import KINDS
from dagster_project.errors import FetchError
from dagster_project.intake.conform import conform
from dagster_project.intake.land import land_bundled
from dagster_project.orchestration.alert_sensors import alert_sensors, standing_problems
from dagster_project.orchestration.builds import Build
from dagster_project.orchestration.keys import ALERTED_BY, fail_run_on
from dagster_project.orchestration.run_tags import CONTINUES_TAG, WHOLE_TAG
from dagster_project.orchestration.standing import Installation
from dagster_project.serving.publication import Release
from dagster_project.settings import Settings
from dagster_project.sources.registry import source_named, source_names
from tests.fakes.receivers import Received, Webhook
from tests.unit.serving.test_notices import file_of, notice


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
        jobs=[
            dg.define_asset_job("build"),
            dg.define_asset_job("renew"),
            dg.define_asset_job("renew_ecb", selection=["landed"]),
        ],
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

    def run(
        self, job: str = "build", *assets: str, tags: Mapping[str, str] | None = None
    ) -> dg.ExecuteInProcessResult:
        return self.definitions.resolve_job_def(job).execute_in_process(
            instance=self.instance, raise_on_error=False, tags=dict(tags or {}),
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
    assert lines[-2] == f"https://ui.example.org/runs/{failed.run_id}"
    home.run()
    assert home.tick("failed_runs") == []
    home.does.landing = None
    home.run("renew_ecb")
    assert home.tick("failed_runs") == []
    home.run()
    assert home.titles("failed_runs") == ["Kido, over: The job build failed"]
    assert home.tick("failed_runs") == []


def test_each_job_is_a_message_and_the_text_of_an_unknown_error_is_not_sent(home: Home) -> None:
    home.does.landing = ValueError("https://example.org/?token=s3cret")
    home.run("renew_ecb")
    home.run("build")
    messages = {each.title: each.body for each in home.tick("failed_runs")}
    assert messages.keys() == {"Kido: The job renew_ecb failed", "Kido: The job build failed"}
    for body in messages.values():
        assert body.startswith("landed: ValueError (its text is behind the link)\n")
        assert "s3cret" not in body


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (FetchError("ecb: no answer.", hint="Wait."), "landed: ecb: no answer. Wait."),
        (KeyError("s3cret"), "landed: KeyError (its text is behind the link)"),
    ],
)
def test_a_step_sends_its_own_sentence_and_of_other_errors_the_type(
    error: Exception, line: str, home: Home
) -> None:
    def fail() -> None:
        raise error

    with pytest.raises(dg.Failure) as failure:
        fail_run_on(fail)
    home.does.landing = failure.value
    home.run()
    [message] = home.tick("failed_runs")
    assert message.body.splitlines()[0] == line
    home.does.landing = error
    home.cursors.clear()
    home.run()
    [message] = home.tick("failed_runs")
    assert message.body.splitlines()[0] == line


def test_a_message_names_the_installation_that_sends_it(home: Home) -> None:
    home.does.landing = dg.Failure("No answer.")
    home.run()
    [message] = home.tick("failed_runs")
    assert message.body.splitlines()[-1] == f"From {socket.gethostname()}:{Settings.load().home}"


def test_a_build_that_leaves_out_what_is_known_ends_the_failure_of_all_of_its_job(
    home: Home,
) -> None:
    home.does.landing = dg.Failure("No answer.")
    home.run()
    assert home.titles("failed_runs") == ["Kido: The job build failed"]
    home.does.landing = None
    home.run("build", "typed")
    home.run("build", "typed", tags={WHOLE_TAG: "false"})
    # What another such run had left to make, from the UI.
    continues = {CONTINUES_TAG: "true", "dagster/parent_run_id": "another run"}
    home.run("build", "typed", tags={WHOLE_TAG: "true", **continues})
    assert home.tick("failed_runs") == []
    home.run("build", "typed", tags={WHOLE_TAG: "true"})
    assert home.titles("failed_runs") == ["Kido, over: The job build failed"]


def test_the_failure_of_a_build_that_left_out_what_is_known_is_that_of_its_job(
    home: Home,
) -> None:
    home.does.step = dg.Failure("No answer.")
    home.run("build", "typed", tags={WHOLE_TAG: "true"})
    assert home.titles("failed_runs") == ["Kido: The job build failed"]
    home.does.step = None
    home.run("build", "landed")
    assert home.tick("failed_runs") == []
    home.run()
    assert home.titles("failed_runs") == ["Kido, over: The job build failed"]


def test_a_part_of_a_job_that_succeeds_does_not_end_the_failure_of_all_of_it(home: Home) -> None:
    home.does.step = dg.Failure("No such file.")
    home.run("build")
    assert home.titles("failed_runs") == ["Kido: The job build failed"]
    home.run("build", "landed")
    assert home.tick("failed_runs") == []
    home.does.step = None
    home.run("build")
    assert home.titles("failed_runs") == ["Kido, over: The job build failed"]


def test_a_part_of_a_job_that_fails_is_named_as_a_part(home: Home) -> None:
    home.does.landing = dg.Failure("No answer.")
    home.run("build", "landed")
    assert home.titles("failed_runs") == ["Kido: A run of 1 asset (landed) failed"]
    home.does.landing = None
    home.run("build", "landed", "typed")
    assert home.titles("failed_runs") == ["Kido, over: A run of 1 asset (landed) failed"]


def test_a_whole_build_ends_the_failures_of_every_job_that_it_covers(home: Home) -> None:
    home.does.landing = dg.Failure("No answer.")
    for job in ("renew", "renew_ecb", "build"):
        home.run(job)
    assert len(home.tick("failed_runs")) == 3
    home.does.landing = None
    home.run("renew_ecb")
    assert home.titles("failed_runs") == ["Kido, over: The job renew_ecb failed"]
    home.run("build")
    assert sorted(home.titles("failed_runs")) == [
        "Kido, over: The job build failed", "Kido, over: The job renew failed",
    ]  # fmt: skip


def test_a_failure_before_many_other_runs_is_not_over(home: Home) -> None:
    home.instance = dg.DagsterInstance.ephemeral()  # a file per run would take 0.2 s
    home.does.landing = dg.Failure("No answer.")
    home.run("__ASSET_JOB", "landed")
    title = "A run of 1 asset (landed) failed"
    assert home.titles("failed_runs") == [f"Kido: {title}"]
    job = home.definitions.resolve_job_def("__ASSET_JOB")
    for _ in range(120):
        other = home.instance.create_run_for_job(
            job, asset_selection=frozenset({dg.AssetKey("typed")})
        )
        home.instance.report_run_canceled(other)
    [message] = home.tick("failed_runs")
    assert message.title == "Kido: A run of 1 asset (typed) was cancelled"
    home.does.landing = None
    home.run("build", "landed")
    assert home.titles("failed_runs") == [f"Kido, over: {title}"]


def test_a_range_of_partitions_is_over_when_each_of_them_is_made(home: Home) -> None:
    does = home.does

    @dg.asset(partitions_def=dg.StaticPartitionsDefinition(["2021", "2022", "2023"]))
    def backfilled() -> None:
        if does.landing:
            raise does.landing

    home.definitions = dg.Definitions(
        assets=[backfilled], sensors=alert_sensors(), executor=dg.in_process_executor
    )
    job = home.definitions.resolve_job_def("__ASSET_JOB")
    does.landing = dg.Failure("No answer.")
    run = home.instance.create_run_for_job(
        job,
        asset_selection=frozenset({dg.AssetKey("backfilled")}),
        tags={
            "dagster/asset_partition_range_start": "2021",
            "dagster/asset_partition_range_end": "2022",
        },
    )
    home.instance.report_run_failed(run, "The process of this run was killed.")
    title = "A run of 1 asset (backfilled) failed"
    assert home.titles("failed_runs") == [f"Kido: {title}"]
    does.landing = None
    for name, titles in (("2021", []), ("2023", []), ("2022", [f"Kido, over: {title}"])):
        assert job.execute_in_process(instance=home.instance, partition_key=name).success
        assert home.titles("failed_runs") == titles


def test_what_waits_is_sent_although_the_problems_cannot_be_examined(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.does.passes = False
    home.run()
    home.hook.refuse("500")
    assert home.tick("failed_checks") == []
    file = home.instance.event_log_storage

    def fail(*_: object, **__: object) -> None:
        raise OSError("the storage does not answer")

    with monkeypatch.context() as patch:
        patch.setattr(file, "get_latest_asset_check_execution_by_key", fail)
        assert home.titles("failed_checks") == ["Kido: typed: values_are_plausible failed"]
        with pytest.raises(OSError, match="does not answer"):
            home.tick("failed_checks")
    assert home.tick("failed_checks") == []


def test_a_late_source_with_a_wrong_setting_is_not_over(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in source_names():
        monkeypatch.setenv(f"KIDO_{name.upper()}_ENABLED", str(name == "ecb").lower())
    land_bundled(Settings.load(), source_named("ecb"))
    conform(Settings.load(), source_named("ecb"))
    assert home.titles("late_sources") == ["Kido: ecb is late"]
    monkeypatch.setenv("KIDO_ECB_CALLS_PER_MINUTE", "many")
    assert home.tick("late_sources") == []
    monkeypatch.delenv("KIDO_ECB_CALLS_PER_MINUTE")
    assert home.tick("late_sources") == []


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
    assert message.body.splitlines()[-2] == (
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


def test_builds_with_the_same_private_losses_are_said_once(home: Home) -> None:
    said = []
    for day, totals in enumerate(("1 total", "2 totals", "1,200 totals"), 1):
        of_mart = f"{totals} of close in market.prices of mine"
        block(home, day, f"{of_mart} would change: not shown (mine-{day}).")
        said += home.tick("blocked_releases")
    assert len(said) == 1


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


# Notices.


def publish(home: Home, *rows: dict[str, Any]) -> None:
    """Replace the published file by one with these notices."""
    folder = Settings.load().home
    folder.mkdir(exist_ok=True)
    (folder / "kido.duckdb").unlink(missing_ok=True)
    file_of(folder, *rows)


def test_each_notice_is_said_once_with_its_link_and_never_again(home: Home) -> None:
    assert home.tick("notices") == []
    publish(home, notice("2026-50"), notice("2026-51"), notice("2026-1", state="known"))
    first, second = home.tick("notices")
    assert (first.title, second.title) == (
        "Kido: mofcom 2026-50 is to be read", "Kido: mofcom 2026-51 is to be read",
    )  # fmt: skip
    assert first.body.splitlines()[:5] == [
        "商务部: 公告 2026-50", "it names 镓", "https://example.org/a.html", "",
        "https://ui.example.org/assets/published/warehouse?view=checks&checkDetail=notices_are_read",
    ]  # fmt: skip
    assert home.tick("notices") == []
    publish(home, notice("2026-50", days_unread=30), notice("2026-52"))
    assert home.titles("notices") == ["Kido: mofcom 2026-52 is to be read"]
    publish(home)
    assert home.tick("notices") == []


def test_a_first_inventory_is_one_message_and_a_notice_after_it_another(home: Home) -> None:
    inventory = [
        notice(f"CHN / Export tax / {number}", source="oecd_restrictions") for number in range(900)
    ]
    publish(home, *inventory)
    assert home.titles("notices") == ["Kido: 900 official notices are to be read"]
    assert home.tick("notices") == []
    assert len(home.cursors["notices"]) < 100_000
    publish(home, *inventory, notice("2026-50"))
    assert home.titles("notices") == ["Kido: mofcom 2026-50 is to be read"]


def test_no_message_or_record_names_a_private_notice(home: Home) -> None:
    private = [notice(f"98765432{number}", source="gta", title="CANARY") for number in range(3)]
    publish(home, *private)
    [message] = home.tick("notices")
    assert message.title == "Kido: 3 notices of gta are to be read"
    for text in (message.body, home.cursors["notices"]):
        assert "CANARY" not in text
        assert "98765432" not in text


def test_notices_that_an_address_refuses_come_with_the_next_tick(home: Home) -> None:
    publish(home, notice("2026-50"))
    home.hook.refuse("500")
    assert home.tick("notices") == []
    assert home.titles("notices") == ["Kido: mofcom 2026-50 is to be read"]
    assert home.tick("notices") == []


# All of them.


def test_no_sensor_runs_unless_it_is_switched_on() -> None:
    sensors = alert_sensors()
    assert len(sensors) == len(KINDS)
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
    assert result.skip_message == "KIDO_ALERTS is not set, so no message is sent."
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
