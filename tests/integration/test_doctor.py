"""`kido doctor` on homes that are broken in one place each."""

from __future__ import annotations

import importlib.metadata
import json
import os
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import dagster as dg
import duckdb
import pytest
from typer.testing import CliRunner

from dagster_project.cli import app
from dagster_project.intake.calls import sent_today
from dagster_project.intake.conform import conform
from dagster_project.intake.land import land_bundled
from dagster_project.intake.ledger import Ask, Ledger
from dagster_project.intake.probe import probe_all
from dagster_project.intake.source_lock import source_lock
from dagster_project.intake.stores import landing_of, origin_of_card
from dagster_project.orchestration import builds, dbt_runner, doctor
from dagster_project.orchestration.doctor import Finding, examine
from dagster_project.orchestration.execute import open_instance, prepare_instance
from dagster_project.orchestration.processes import name_of
from dagster_project.serving.publication import new_release
from dagster_project.settings import Settings
from dagster_project.sources.registry import all_sources, source_named
from tests.conftest import CHECKOUT
from tests.fakes.ecb import FakeEcb
from tests.fakes.server import FakePublisher, Handler, failing, silent, too_many_requests
from tests.nightly import nightly


@pytest.fixture(autouse=True)
def nobody_else(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """No publisher is asked unless a test says so."""
    for name in [name for name in os.environ if name.startswith("KIDO_") and name != "KIDO_HOME"]:
        monkeypatch.delenv(name)
    for name, source in all_sources().items():
        if source.CARD.base_url and not source.CARD.only_by_name:
            monkeypatch.setenv(f"KIDO_{name.upper()}_ENABLED", "false")


def ask(monkeypatch: pytest.MonkeyPatch, name: str, url: str) -> None:
    monkeypatch.setenv(f"KIDO_{name.upper()}_URL", url)
    monkeypatch.setenv(f"KIDO_{name.upper()}_ENABLED", "true")


def found(check: str, *, offline: bool = True) -> list[tuple[str, str]]:
    return [(each.status, each.finding) for each in examine(offline=offline) if each.check == check]


def test_an_empty_home_has_no_failure() -> None:
    findings = list(examine(offline=True))
    assert {each.status for each in findings} <= {"ok", "warning"}
    assert [each.check for each in findings if each.status == "warning"] == ["published file"]


# Settings.


def test_a_wrong_value_is_a_failure_that_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIDO_AS_OF", "yesterday")
    assert list(examine()) == [
        Finding("settings", "failure", "KIDO_AS_OF: 'yesterday' is not a day like 2026-02-06.")
    ]


def test_each_unknown_or_impossible_setting_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIDO_HOMES", "x")
    monkeypatch.setenv("KIDO_MEMROY", "4GB")
    monkeypatch.setenv("KIDO_BACI_ENABLED", "true")
    assert [status for status, _ in found("settings")] == ["failure"] * 3
    sentences = " ".join(sentence for _, sentence in found("settings"))
    assert "KIDO_HOMES is not a setting. Did you mean KIDO_HOME?" in sentences
    assert "KIDO_MEMROY is not a setting. Did you mean KIDO_MEMORY?" in sentences
    assert "KIDO_BACI_ENABLED: no build fetches baci" in sentences


# Disk and versions.


@pytest.mark.parametrize(
    ("free", "status"), [(59_000_000, "failure"), (100_000_000, "warning"), (10**10, "ok")]
)
def test_the_disk_is_compared_with_what_a_build_needs(
    free: int, status: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "free_bytes", lambda folder: free)
    of_home, *others = found("disk")
    assert of_home[0] == status
    assert of_home[1].startswith(f"{settings.home}: ")
    assert {each for each, _ in others} == {"ok"}


def test_a_missing_a_wrong_and_another_version_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    installed = importlib.metadata.version
    instead = {"duckdb": "1.9.9", "filelock": "999.0"}

    def version(name: str) -> str:
        if name == "polars":
            raise importlib.metadata.PackageNotFoundError(name)
        return instead.get(name) or installed(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    (failure, wrong), (warning, other) = found("versions")
    assert (failure, warning) == ("failure", "warning")
    assert "polars is missing" in wrong
    assert "duckdb 1.9.9 is not" in wrong
    assert "filelock 999.0 (locked: " in other


def test_a_project_that_is_not_parsed_is_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dbt_runner, "STAMP", tmp_path / "absent.json")
    ((status, sentence),) = found("dbt project")
    assert (status, sentence.endswith("Run kido prepare.")) == ("warning", True)


# Publishers and the clock.


def of_publisher(name: str) -> tuple[str, str]:
    (line,) = (
        (status, sentence)
        for status, sentence in found("publishers", offline=False)
        if sentence.startswith(f"{name}: ")
    )
    return line


def test_a_publisher_is_asked_once_without_its_key(monkeypatch: pytest.MonkeyPatch) -> None:
    with FakePublisher() as server:
        ask(monkeypatch, "comtrade", server.root)
        monkeypatch.setenv("KIDO_COMTRADE_KEY", "secret-key")
        assert of_publisher("comtrade") == ("ok", "comtrade: answers (404).")
        (request,) = server.requests
    assert "secret-key" not in f"{request.target} {request.headers}"
    assert sent_today(Settings.load().intake_dir, "comtrade") == 1


@pytest.mark.parametrize(
    ("behaviour", "sentence"),
    [(failing(503), "answers (503)."), (too_many_requests("60"), "answers (429).")],
    ids=["503", "429"],
)
def test_a_publisher_in_trouble_is_a_warning(
    behaviour: object, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FakeEcb() as server:
        server.always(behaviour)  # type: ignore[arg-type]
        ask(monkeypatch, "ecb", server.root)
        assert of_publisher("ecb") == ("warning", f"ecb: {sentence}")
        assert len(server.requests) == 1


def test_if_nobody_answers_the_network_is_the_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        ask(monkeypatch, "ecb", f"http://user:pa55word@127.0.0.1:{closed.getsockname()[1]}")
        lines = found("publishers", offline=False)
    status, sentence = next(line for line in lines if line[1].startswith("ecb: http"))
    assert status == "warning"
    assert "cannot be reached: " in sentence
    assert lines[-1] == (
        "failure", "No publisher can be reached: look at network and proxy.",
    )  # fmt: skip
    assert "pa55word" not in str(lines)


def test_silent_publishers_are_waited_for_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIDO_TIMEOUT_S", "1.5")
    with FakePublisher() as one, FakePublisher() as two, FakePublisher() as three:
        for name, server in {"ecb": one, "wgi": two, "hmrc": three}.items():
            server.always(silent())
            ask(monkeypatch, name, server.root)
        started = time.monotonic()
        probes = probe_all(Settings.load(), all_sources().values())
        assert time.monotonic() - started < 3 * 1.5
    assert [each.source for each in probes if each.error] == ["ecb", "hmrc", "wgi"]


def test_a_publisher_is_not_asked_beyond_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIDO_ECB_CALLS_PER_DAY", "1")
    with FakeEcb() as server:
        ask(monkeypatch, "ecb", server.root)
        assert of_publisher("ecb")[0] == "ok"
        assert of_publisher("ecb") == ("warning", "ecb: 1 calls were sent today.")
        assert len(server.requests) == 1


def test_without_a_key_or_offline_nobody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KIDO_COMTRADE_ENABLED")
    expected = "comtrade: not asked (needs a key: KIDO_COMTRADE_KEY)."
    assert of_publisher("comtrade") == ("ok", expected)
    assert found("publishers") == []


@pytest.mark.parametrize(
    ("minutes", "status", "words"),
    [(6, "failure", "slow"), (-6, "failure", "fast"), (4, "ok", "Within")],
)
def test_the_clock_is_compared_with_those_of_the_publishers(
    minutes: int, status: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def date(handler: Handler, timestamp: float | None = None) -> str:
        moment = datetime.now(UTC) + timedelta(minutes=minutes)
        return f"{moment:%a, %d %b %Y %H:%M:%S} GMT"

    monkeypatch.setattr(Handler, "date_time_string", date)
    with FakeEcb() as server:
        ask(monkeypatch, "ecb", server.root)
        ((found_status, sentence),) = found("clock", offline=False)
    assert found_status == status
    assert words in sentence


# Locks and leftovers.


def test_a_lock_in_use_is_named_and_one_that_is_left_is_not(settings: Settings) -> None:
    with source_lock(settings, "ecb"):
        pass
    assert found("locks") == [("ok", "No lock is in use.")]
    with source_lock(settings, "ecb"):
        assert found("locks") == [("ok", "ecb is being fetched or landed.")]


def ended_process() -> str:
    """The name of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    name = name_of(process.pid)
    process.communicate(b"\n")
    assert name
    return name


def test_the_folder_and_the_run_of_a_killed_build_are_warnings(settings: Settings) -> None:
    @dg.job
    def build() -> None: ...

    with open_instance(settings) as instance:
        run = instance.create_run_for_job(build, status=dg.DagsterRunStatus.STARTED)
    folder = builds.Build(settings.build_dir / run.run_id)
    folder.claim(ended_process())
    assert found("locks") == [("ok", "No lock is in use.")]  # it has built nothing
    folder.file.write_bytes(b"half a build")
    assert found("locks")[1][0] == "warning"
    assert found("locks")[1][1].startswith("1 folder of ended builds (")
    killed = [sentence for status, sentence in found("dagster") if status == "warning"]
    assert [sentence.startswith("1 run recorded as running") for sentence in killed] == [True]


# The published file.


def publish(settings: Settings) -> Path:
    release = new_release(datetime.now(UTC).replace(tzinfo=None), datetime.now(UTC).date(), "0.1")
    settings.home.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(settings.published_file)) as connection:
        connection.execute("create schema catalog")
        columns = ", ".join(f"? as {name}" for name in release.model_dump())
        values = list(release.model_dump().values())
        connection.execute(f"create table catalog.releases as select {columns}", values)
        connection.execute(
            "create table catalog.numbers as select hash(i) as n from range(500000) as numbers (i)"
        )
    return settings.published_file


def test_every_table_of_the_published_file_is_read(settings: Settings) -> None:
    publish(settings)
    ((status, sentence),) = found("published file")
    assert status == "ok"
    assert sentence.endswith("published 0 hours ago: all of its 2 tables can be read.")


def test_a_damaged_block_of_a_table_is_a_failure(settings: Settings) -> None:
    file = publish(settings)
    with file.open("r+b") as opened:
        opened.seek(file.stat().st_size // 2)
        opened.write(b"\x00" * 64)
    ((status, sentence),) = found("published file")
    assert status == "failure"
    assert "hecksum" in sentence


def test_what_is_not_a_database_is_a_failure(settings: Settings) -> None:
    settings.home.mkdir(parents=True)
    settings.published_file.write_bytes(b"half a file")
    assert found("published file")[0][0] == "failure"


# Backups.


def backup_made(monkeypatch: pytest.MonkeyPatch, folder: Path, ago: timedelta) -> Path:
    """A backup without files, and the setting that names its folder."""
    from dagster_project.lake.backup_folder import BackupFolder, BackupRecord

    made_at = datetime.now(UTC).replace(tzinfo=None) - ago
    backups = BackupFolder(folder)
    name = backups.complete(
        BackupRecord(made_at=made_at, code_version="1", contract_version="1", files={}), keep=7
    )
    monkeypatch.setenv("KIDO_BACKUP_DIR", str(folder))
    return backups.path_of_record(name)


@pytest.mark.parametrize(
    ("hours", "status", "words"),
    [(30, "ok", "was made 30 hours ago."), (73, "warning", "was made 3 days ago: look at")],
)
def test_an_old_last_backup_is_a_warning(
    hours: int, status: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert found("backups") == []
    backup_made(monkeypatch, tmp_path / "backups", timedelta(hours=hours, minutes=1))
    ((found_status, sentence),) = found("backups")
    assert found_status == status
    assert words in sentence


def test_no_backup_and_a_damaged_record_are_warnings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = backup_made(monkeypatch, tmp_path / "backups", timedelta(hours=1))
    record.write_text("{}")
    assert [status for status, _ in found("backups")] == ["warning", "warning"]
    assert str(record) in found("backups")[0][1]
    assert "has no complete backup. Run kido backup" in found("backups")[1][1]


# Dagster and late sources.


def test_a_storage_that_does_not_open_stops_no_other_check(settings: Settings) -> None:
    with open_instance(settings):
        pass
    for file in settings.dagster_home.rglob("*.db*"):
        file.write_bytes(b"not a database, " * 100)
    assert found("dagster")[-1][0] == "failure"
    assert found("late sources") == [("ok", "No source is late.")]


def test_a_configuration_of_an_earlier_version_is_a_warning(settings: Settings) -> None:
    file = prepare_instance(settings) / "dagster.yaml"
    file.write_text(file.read_text().replace("retention:", "telemetry:"))
    warnings = [sentence for status, sentence in found("dagster") if status == "warning"]
    assert warnings == [f"{file} has no retention: copy it from deploy/dagster.yaml."]


@nightly
def test_a_schedule_without_a_daemon_is_a_warning(settings: Settings) -> None:
    home = prepare_instance(settings)
    assert ("ok", "No schedule or sensor is switched on.") in found("dagster")
    command = [
        sys.executable, "-m", "dagster", "schedule", "start", "clean_up",
        "-w", str(CHECKOUT / "workspace.yaml"),
    ]  # fmt: skip
    environment = {**os.environ, "DAGSTER_HOME": str(home)}
    subprocess.run(command, cwd=CHECKOUT, env=environment, check=True, capture_output=True)
    assert found("dagster")[-1] == (
        "warning",
        "Switched on: clean_up; but no daemon runs that evaluates clean_up. "
        "Start the daemon (kido dev, kido-daemon.service).",
    )


def evaluated(name: str, kind: str = "SENSOR", status: str = "RUNNING") -> SimpleNamespace:
    """What Dagster's storage has of a schedule or a sensor."""
    return SimpleNamespace(
        instigator_name=name,
        instigator_type=SimpleNamespace(value=kind),
        status=SimpleNamespace(value=status),
    )


@dataclass
class Beats:
    """An instance as doctor sees it: what is switched on, and the daemons that report."""

    states: list[SimpleNamespace]
    daemons: list[str]

    def all_instigator_state(self) -> list[SimpleNamespace]:
        return self.states

    def get_daemon_heartbeats(self) -> dict[str, SimpleNamespace]:
        now = datetime.now(UTC).timestamp()
        return {name: SimpleNamespace(timestamp=now) for name in self.daemons}


def of_daemons(beats: Beats) -> tuple[str, str]:
    (finding,) = doctor._schedules(beats)  # type: ignore[arg-type]
    return finding.status, finding.finding


def test_a_sensor_that_is_on_by_default_needs_no_daemon() -> None:
    on = evaluated("report_landings", status="DECLARED_IN_CODE")
    assert of_daemons(Beats([on], [])) == ("ok", "No schedule or sensor is switched on.")


def test_each_thread_of_the_daemon_is_looked_at() -> None:
    schedule = evaluated("renew", "SCHEDULE")
    sensor = evaluated("failed_runs")
    conditions = evaluated("build_what_landed")
    states = [schedule, sensor, conditions]
    assert of_daemons(Beats(states, ["SCHEDULER", "SENSOR", "ASSET"]))[0] == "ok"
    for absent, name in (
        ("SCHEDULER", "renew"), ("SENSOR", "failed_runs"), ("ASSET", "build_what_landed"),
    ):  # fmt: skip
        daemons = [each for each in ("SCHEDULER", "SENSOR", "ASSET") if each != absent]
        status, finding = of_daemons(Beats(states, daemons))
        assert status == "warning"
        assert f"no daemon runs that evaluates {name}." in finding


def test_addresses_for_messages_are_read(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert found("messages") == [("ok", "KIDO_ALERTS is not set, so no message is sent.")]
    monkeypatch.setenv("KIDO_ALERTS", "mailto://me:s3cret@example.org")
    assert found("messages") == [("ok", "They go to mailto://example.org:25.")]
    monkeypatch.setenv("KIDO_ALERTS", "nosuch://s3cret")
    ((status, sentence),) = found("messages")
    assert status == "failure"
    assert "cannot read address 1 of 1" in sentence
    assert "s3cret" not in sentence


def test_a_late_source_is_a_warning(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIDO_ECB_ENABLED", "true")
    land_bundled(settings, source_named("ecb"))
    conform(settings, source_named("ecb"))
    ((status, sentence),) = found("late sources")
    assert status == "warning"
    assert sentence.startswith("ecb by ")


# A clock that was ahead.


def test_what_was_recorded_in_the_future_is_named(settings: Settings) -> None:
    assert found("clock") == []
    landing, ecb = landing_of(settings), source_named("ecb")
    now = datetime.now(UTC).replace(tzinfo=None)
    day, ahead = f"{now + timedelta(days=365):%Y-%m-%d}", now + timedelta(days=365)
    snapshots = [
        landing.add(
            payload,
            source="ecb",
            document=f"{payload.decode()}.csv",
            origin=origin_of_card(ecb),
            request="file rates.csv",
            media_type="text/csv",
            retrieved_at=retrieved_at,
        )[0]
        for payload, retrieved_at in ((b"a", now), (b"b", ahead))
    ]
    Ledger(landing, "ecb").record(Ask(document="x", asked_at=ahead, answer="ok"))
    (snapshot, asks) = found("clock")
    assert snapshot == (
        "warning",
        f"ecb: a clock was ahead when 1 snapshot of it came: {snapshots[1].snapshot_id}. "
        f"No build reads them before {day}. Withdraw it and land the document again: "
        f"kido withdraw {snapshots[1].snapshot_id} --because 'the clock was ahead'.",
    )
    assert asks == (
        "warning",
        f"ecb: a clock was ahead when it was asked, last on {day}. "
        "These answers are ignored before that day.",
    )
    landing.withdraw(snapshots[1], by="me", reason="the clock was ahead")
    assert found("clock") == [asks]


# The command.


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setenv("COLUMNS", "200")
    return CliRunner()


def test_the_command_prints_a_line_each_and_ends_with_1_on_a_failure(
    run: CliRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    well = run.invoke(app, ["doctor", "--offline"])
    assert well.exit_code == 0
    assert {line[0] for line in well.stdout.splitlines()} == {"✓", "!"}
    monkeypatch.setenv("KIDO_AS_OF", "2026-02-30")
    wrong = run.invoke(app, ["doctor", "--offline"])
    assert wrong.exit_code == 1
    assert wrong.stdout.startswith("✗ settings: KIDO_AS_OF: ")


def test_for_programs_it_prints_an_array_of_objects(
    run: CliRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIDO_HOMES", "x")
    result = run.invoke(app, ["doctor", "--offline", "--json"])
    assert result.exit_code == 1
    findings = json.loads(result.stdout)
    assert findings[0]["status"] == "failure"
    assert {tuple(each) for each in findings} == {("check", "status", "finding")}
