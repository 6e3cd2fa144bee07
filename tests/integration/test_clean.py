"""`kido clean`: what is old goes, what the UI, a release or a person still needs stays."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
import time_machine

from dagster_project.intake.ask import ExtractDownload
from dagster_project.intake.clean import clean_parts, clean_quarantine
from dagster_project.intake.land import land_bundled
from dagster_project.intake.ledger import Ask, Ledger
from dagster_project.intake.source_lock import source_lock
from dagster_project.intake.stores import landing_of
from dagster_project.orchestration import builds
from dagster_project.orchestration.execute import clean_home, open_instance
from dagster_project.orchestration.resources import Warehouse
from dagster_project.orchestration.retention import CLEAN_UP, clean_runs, clean_up_job
from dagster_project.settings import BUNDLED, Settings
from dagster_project.sources.card import Extract, Request
from dagster_project.sources.registry import all_sources, source_named

ECB = source_named("ecb")


def days_ago(days: float) -> datetime:
    return datetime.now(UTC).replace(tzinfo=None) - timedelta(days=days)


def age(path: Path, days: float) -> None:
    """Let files have been written so many days ago."""
    moment = days_ago(days).replace(tzinfo=UTC).timestamp()
    for file in (path, *(path.rglob("*") if path.is_dir() else ())):
        os.utime(file, (moment, moment))


# Runs.


@dg.asset(check_specs=[dg.AssetCheckSpec("is_fine", asset="prices")])
def prices() -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
    yield dg.AssetCheckResult(check_name="is_fine", passed=True)
    yield dg.MaterializeResult()


@dg.asset(partitions_def=dg.StaticPartitionsDefinition(["2024", "2025"]))
def years() -> None: ...


@dg.op
def something() -> None: ...


@dg.job
def chore() -> None:
    something()


@pytest.fixture
def instance(settings: Settings) -> Iterator[dg.DagsterInstance]:
    with open_instance(settings) as opened:
        yield opened


def materialized(instance: dg.DagsterInstance, *assets: dg.AssetsDefinition, **given: str) -> str:
    return dg.materialize(assets, instance=instance, **given).run_id  # type: ignore[arg-type]


def cleaned(settings: Settings, instance: dg.DagsterInstance, after: int = 91) -> dict[str, str]:
    """The old runs after so many days, each with the reason why it is kept."""
    with time_machine.travel(datetime.now(UTC) + timedelta(days=after)):
        old = clean_runs(settings, instance, dry_run=False)
        return {each.name: each.kept_because for each in old}


def test_an_old_run_goes_with_its_events_and_the_newer_one_stays(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    first, last = materialized(instance, prices), materialized(instance, prices)
    events = settings.dagster_home / "history" / "runs" / f"{first}.db"
    assert events.exists()
    logs = settings.dagster_home / "storage" / first
    assert logs.is_dir()
    kept = cleaned(settings, instance)
    assert kept[first] == ""
    assert kept[last] != ""
    assert [run.run_id for run in instance.get_runs()] == [last]
    assert not events.exists()
    assert not logs.exists()
    assert instance.get_latest_materialization_event(prices.key) is not None


def test_before_its_days_are_over_no_run_goes(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    materialized(instance, prices)
    materialized(instance, prices)
    assert cleaned(settings, instance, after=89) == {}
    assert len(instance.get_runs()) == 2


def test_each_partition_is_still_shown_as_materialized(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    replaced = materialized(instance, years, partition_key="2024")
    needed = materialized(instance, years, partition_key="2024")
    materialized(instance, years, partition_key="2025")
    materialized(instance, prices)  # the last run of the job
    kept = cleaned(settings, instance)
    assert kept[replaced] == ""
    assert kept[needed] == "the latest materialization of a partition"
    partitions = years.partitions_def
    assert partitions
    shown = instance.get_status_by_partition(years.key, ["2024", "2025"], partitions)
    assert shown
    assert {name: status.value for name, status in shown.items() if status} == {
        "2024": "MATERIALIZED", "2025": "MATERIALIZED",
    }  # fmt: skip


def test_the_last_result_of_a_check_is_kept_without_its_asset(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    @dg.asset(name="prices")
    def without_check() -> None: ...

    checked = materialized(instance, prices)
    materialized(instance, without_check)
    assert cleaned(settings, instance)[checked] == "the latest result of a check"
    record = instance.get_latest_asset_check_evaluation_record(
        dg.AssetCheckKey(prices.key, "is_fine")
    )
    assert record
    assert record.run_id == checked


def test_the_last_run_of_a_job_and_one_that_is_repeated_are_kept(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    first, middle, last = (chore.execute_in_process(instance=instance).run_id for _ in range(3))
    again = chore.execute_in_process(
        instance=instance, tags={"dagster/parent_run_id": middle, "dagster/root_run_id": middle}
    ).run_id
    assert cleaned(settings, instance) == {
        first: "", middle: "another run repeats it", last: "", again: "the last run of its job",
    }  # fmt: skip


def test_a_run_in_progress_and_the_run_of_a_kept_build_stay(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    built = chore.execute_in_process(instance=instance).run_id
    chore.execute_in_process(instance=instance)
    running = instance.create_run_for_job(chore, status=dg.DagsterRunStatus.STARTED)
    build = builds.Build(settings.build_dir / built)
    build.directory.mkdir(parents=True)
    build.file.touch()
    build.declare_complete(is_replay=False)
    assert cleaned(settings, instance)[built] == "its build is kept"
    assert instance.get_run_by_id(running.run_id) is not None


def test_files_of_runs_that_were_deleted_in_the_ui_go_as_well(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    gone = chore.execute_in_process(instance=instance).run_id
    instance.delete_run(gone)
    file = settings.dagster_home / "history" / "runs" / f"{gone}.db"
    assert file.exists()
    assert cleaned(settings, instance) == {gone: ""}
    assert not file.exists()
    assert (settings.dagster_home / "history" / "runs" / "index.db").exists()


# Quarantine.


def quarantined(settings: Settings, name: str, days: float, **files: str) -> Path:
    folder = settings.quarantine_dir / "ecb" / name
    folder.mkdir(parents=True)
    for file, text in (files or {"answer": "<html>"}).items():
        (folder / file.replace("_", ".")).write_text(text)
    age(folder, days)
    return folder


def kept_quarantine(settings: Settings, *used: str) -> dict[str, str]:
    old = clean_quarantine(settings, all_sources(), set(used), dry_run=False)
    return {each.name.removeprefix("ecb/"): each.kept_because for each in old}


def test_old_quarantine_goes_and_newer_stays(settings: Settings) -> None:
    old, new = quarantined(settings, "a.zip", 181), quarantined(settings, "b.zip", 179)
    assert kept_quarantine(settings) == {"a.zip": ""}
    assert not old.exists()
    assert new.exists()


def test_what_a_release_counts_as_quarantined_stays(settings: Settings) -> None:
    rows = quarantined(settings, "ecb-1", 400, price_quotes_parquet="rows")
    assert kept_quarantine(settings, "ecb-1") == {
        "ecb-1": "a release has the other rows of its snapshot"
    }
    assert rows.exists()
    assert kept_quarantine(settings) == {"ecb-1": ""}


def test_an_answer_that_a_person_may_still_land_stays_until_a_good_one(
    settings: Settings,
) -> None:
    ledger = Ledger(landing_of(settings), "ecb")
    ledger.record(Ask(document="rates of 2026.zip", asked_at=days_ago(200), answer="rejected"))
    quarantined(settings, "rates_of_2026.zip", 200)
    assert kept_quarantine(settings) == {
        "rates_of_2026.zip": "it is the last answer of its publisher"
    }
    later = Ledger(landing_of(settings), "ecb")
    later.record(Ask(document="rates of 2026.zip", asked_at=days_ago(10), answer="ok"))
    assert kept_quarantine(settings) == {"rates_of_2026.zip": ""}


def test_bytes_that_were_landed_stay_until_they_are_landed_again(settings: Settings) -> None:
    land_bundled(settings, ECB)
    landing = landing_of(settings)
    (snapshot,) = landing.snapshots("ecb")
    folder = landing.quarantine(snapshot, settings.quarantine_dir, "an older layout")
    age(folder, 1000)
    reason = "it was landed, and its bytes are nowhere else"
    assert kept_quarantine(settings) == {folder.name: reason}
    assert (folder / snapshot.parts[0].file).read_bytes() == (
        BUNDLED / "ecb" / snapshot.document
    ).read_bytes()
    land_bundled(settings, ECB)
    assert kept_quarantine(settings) == {folder.name: ""}


# Unfinished parts.


def parts(settings: Settings, *, dry_run: bool = False) -> dict[str, str]:
    old = clean_parts(settings, all_sources(), dry_run=dry_run)
    return {each.name: each.kept_because for each in old}


def unfinished(settings: Settings, days: float) -> tuple[ExtractDownload, str]:
    """A download that was begun so many days ago and has one part; and the folder's name."""
    extract = Extract(f"of {days}.csv", (Request("rates", ("csv",)),))
    with time_machine.travel(datetime.now(UTC) - timedelta(days=days)):
        landing = landing_of(settings)
        download = ExtractDownload(landing, ECB, extract, settings.intake_dir)
    name = f"ecb/{download.state.snapshot_id}"
    landing.store.write(f"{name}/0001-part.csv", b"1,2")
    landing.store.write(
        f"ecb/.unfinished/of_{days}.csv.json", download.state.model_dump_json().encode()
    )
    return download, name


def test_parts_that_nobody_finished_for_a_month_go(settings: Settings) -> None:
    _, old = unfinished(settings, 31)
    _, new = unfinished(settings, 29)
    settings.intake_dir.mkdir(parents=True, exist_ok=True)
    body = settings.intake_dir / "ecb-20260101T000000000000-aaaaaaaa.part"
    body.write_bytes(b"cut")
    age(body, 31)
    assert parts(settings) == {old: "", "ecb/.unfinished/of_31.csv.json": "", body.name: ""}
    store = landing_of(settings).store
    assert (store.exists(old), store.exists(new), body.exists()) == (False, True, False)
    assert store.names("ecb/.unfinished") == ["of_29.csv.json"]


def test_files_that_a_killed_process_was_writing_go_after_a_month(settings: Settings) -> None:
    unfinished(settings, 1)
    folders = ("landing/withdrawn/ecb", "lake/_snapshots/ecb", "releases")
    old = [settings.home / folder / ".a-record.json.0123abcd" for folder in folders]
    new, whole = (
        settings.home / "landing" / "ecb" / name for name in (".b.json.0123abcd", "b.0123abcd")
    )
    for file in (*old, new, whole):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"{")
        age(file, 1 if file == new else 31)
    expected = [(file.name, 1) for file in old]
    for dry_run in (True, False):
        assert [file.exists() for file in old] == [True, True, True]
        removed = clean_parts(settings, all_sources(), dry_run=dry_run)
        assert [(each.name, each.bytes) for each in removed] == expected
    assert [file.exists() for file in old] == [False, False, False]
    assert new.exists()
    assert whole.exists()


def test_parts_of_a_source_that_is_being_fetched_are_left_alone(settings: Settings) -> None:
    _, old = unfinished(settings, 31)
    with source_lock(settings, "ecb"):
        reasons = set(parts(settings).values())
    assert reasons == {"its source is being fetched or landed"}
    assert landing_of(settings).store.exists(old)


def test_landed_and_withdrawn_bytes_are_never_removed(settings: Settings, tmp_path: Path) -> None:
    with time_machine.travel(datetime.now(UTC) - timedelta(days=900)):
        land_bundled(settings, ECB)
        land_bundled(settings, source_named("wgi"))
        landing = landing_of(settings)
        (snapshot,) = landing.snapshots("ecb")
        landing.withdraw(snapshot, by="me", reason="a test")
    before = files_under(settings.home / "landing")
    assert parts(settings) == {}
    assert kept_quarantine(settings) == {}
    assert files_under(settings.home / "landing") == before


def files_under(folder: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file()
    }


# The command and the job.


def test_a_dry_run_says_the_same_and_removes_nothing(settings: Settings) -> None:
    with open_instance(settings) as instance:
        for _ in range(3):
            chore.execute_in_process(instance=instance)
    quarantined(settings, "a.zip", 400)
    unfinished(settings, 400)
    with time_machine.travel(datetime.now(UTC) + timedelta(days=91)):
        before = files_under(settings.home)
        dry = clean_home(settings, dry_run=True)
        assert files_under(settings.home).keys() == before.keys()
        wet = clean_home(settings, dry_run=False)
    assert [each.name for each in dry.old] == [each.name for each in wet.old]
    assert [len(wet.removed(kind)) for kind in ("runs", "quarantine", "parts")] == [2, 1, 2]
    lines = list(dry.lines())
    assert lines[0].startswith("runs: 2 runs would be removed (")
    assert lines[0].endswith("; kept: 1 (the last run of its job).")
    assert lines[1] == "quarantine: 1 quarantined folder would be removed (6 B)."
    assert next(wet.lines()).startswith("runs: 2 runs removed (")


def test_in_an_empty_home_there_is_nothing_to_clean(settings: Settings) -> None:
    report = clean_home(settings, dry_run=True)
    assert report.old == ()
    assert not settings.home.exists()


def test_the_job_reports_numbers_and_reasons(settings: Settings) -> None:
    quarantined(settings, "a.zip", 400)
    job = dg.Definitions(
        jobs=[clean_up_job()], resources={"warehouse": Warehouse()}
    ).resolve_job_def(CLEAN_UP)
    with open_instance(settings) as instance:
        for _ in range(2):
            chore.execute_in_process(instance=instance)
        with time_machine.travel(datetime.now(UTC) + timedelta(days=91)):
            dry = job.execute_in_process(
                instance=instance,
                run_config={"ops": {"remove_what_is_old": {"config": {"dry_run": True}}}},
            )
            assert (settings.quarantine_dir / "ecb" / "a.zip").exists()
            result = job.execute_in_process(instance=instance)
    for each in (dry, result):
        (output,) = (event for event in each.all_events if event.is_successful_output)
        metadata = {name: value.value for name, value in output.step_output_data.metadata.items()}
        assert metadata["runs_removed"] == 1
        assert metadata["runs_kept"] == 1
        assert metadata["quarantine_removed"] == 1
        assert metadata["quarantine_bytes"] == len("<html>")
        assert "the last run of its job" in str(metadata["kept_although_old"])
    assert not (settings.quarantine_dir / "ecb" / "a.zip").exists()


def test_a_failed_run_is_kept_until_it_succeeds(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    """Without it, the message of its failure would be followed by one that it is over."""
    fails = [True]

    @dg.asset
    def failing_asset() -> None:
        if fails:
            raise dg.Failure("No answer.")

    job = dg.Definitions(assets=[failing_asset, prices]).resolve_job_def("__ASSET_JOB")

    def run(asset: dg.AssetsDefinition) -> str:
        return job.execute_in_process(
            instance=instance, asset_selection=[asset.key], raise_on_error=False
        ).run_id

    failed = run(failing_asset)
    run(prices)  # the last run of the job
    assert cleaned(settings, instance)[failed] == "it failed, and did not succeed since"
    fails.clear()
    run(failing_asset)
    run(prices)
    assert cleaned(settings, instance)[failed] == ""


@pytest.mark.parametrize("is_readable", [True, False])
def test_what_cannot_be_removed_or_read_is_reported_as_kept(
    is_readable: bool, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = settings.quarantine_dir / "ecb" / "ecb-1"
    folder.mkdir(parents=True)
    (folder / "rows.csv").write_text("a,b")
    if not is_readable:
        (folder / "origin.json").write_text('{"version": 99}')

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("dagster_project.intake.clean.shutil.rmtree", refuse)
    with time_machine.travel(datetime.now(UTC) + timedelta(days=181)):
        (expired,) = clean_quarantine(settings, {}, (), dry_run=False)
    assert folder.exists()
    assert expired.kept_because == (
        "it cannot be removed: Permission denied" if is_readable else "its record cannot be read"
    )
