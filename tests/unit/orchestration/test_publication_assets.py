"""What is published, blocked or refused when `published/warehouse` is materialised.

The files are small: the answers need marts that they have not.
"""

from __future__ import annotations

import errno
import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import dagster as dg
import duckdb
import pytest

from dagster_project.errors import PublicationError
from dagster_project.orchestration import audit, builds, dbt_models, dbt_runner, publication_assets
from dagster_project.orchestration.execute import accept_release
from dagster_project.orchestration.keys import AUDITED, PUBLISHED, mart_keys
from dagster_project.orchestration.resources import Warehouse
from dagster_project.serving import gate, publication
from dagster_project.settings import Settings
from tests.unit.serving.test_publication import (
    build,
    completing,
    manifest_of_builds,
    published_close,
)  # fmt: skip


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("KIDO_HOME", str(tmp_path / "home"))
    for name, instead in (
        ("answers", SimpleNamespace(importer="Japan")),
        ("headline", ""),
        ("numbers", {}),
    ):
        monkeypatch.setattr(publication_assets, name, lambda *_, instead=instead: instead)
    monkeypatch.setattr(publication_assets, "answers_markdown", lambda _: "")
    return Settings.load()


def ready(
    settings: Settings, minutes_ago: int, close: float, *snapshots: str, run: str = "complete"
) -> builds.Build:
    """The folder of a whole build of today that began some minutes ago."""
    moment = datetime.now(UTC).replace(tzinfo=None) - timedelta(minutes=minutes_ago)
    release = publication.new_release(moment, moment.date(), "0.1.0")
    found = builds.Build(settings.build_dir / run)
    found.start(release, f"inputs of {close}", "models")
    shutil.move(build(settings.build_dir, release, close, snapshots), found.file)
    pass_checks(found)
    found.declare_complete(is_replay=False)
    return found


def pass_checks(found: builds.Build) -> None:
    """Every check of the build passes; what was checked is recorded."""
    for stage in builds.STAGES:
        found.keep_checks(stage, [])
    found.seal()


def materialize(run_id: str = "", accept: str = "", as_of: str = "") -> dg.ExecuteInProcessResult:
    job = dg.Definitions(
        assets=[publication_assets.published_asset(manifest_of_builds())],
        resources={"warehouse": Warehouse()},
    ).resolve_implicit_global_asset_job_def()
    return job.execute_in_process(
        run_id=run_id or None,
        run_config={
            "ops": {"published__warehouse": {"config": {"accept": accept}}},
            "resources": {"warehouse": {"config": {"as_of": as_of}}},
        },
        raise_on_error=False,
    )


def failure(result: dg.ExecuteInProcessResult) -> str:
    (event,) = [event for event in result.all_events if event.is_step_failure]
    assert event.step_failure_data.user_failure_data is not None
    return event.step_failure_data.user_failure_data.description or ""


def checks(result: dg.ExecuteInProcessResult) -> dict[str, bool]:
    return {found.check_name: found.passed for found in result.get_asset_check_evaluations()}


@pytest.fixture
def blocked(settings: Settings) -> builds.Build:
    """A build that waits to be accepted, beside the release that readers see."""
    ready(settings, 2, 150.0, "ecb-1", run="first")
    assert materialize().success
    found = ready(settings, 1, 150000.0, "ecb-1", "ecb-2", run="blocked")
    found.block("The yen is a thousand times too low.")
    return found


def test_a_blocked_build_is_accepted_only_as_of_today(
    settings: Settings, blocked: builds.Build
) -> None:
    release = blocked.release.release_id
    refused = materialize(accept=release, as_of="2025-10-20")
    assert failure(refused) == (
        "A blocked build can only be published as of today, not as of 2025-10-20: leave out the "
        "day (as_of, KIDO_AS_OF)."
    )
    assert published_close(settings) == 150.0
    assert blocked.blocked_for
    assert materialize(accept=release).success
    assert published_close(settings) == 150000.0
    assert not blocked.blocked_for


@pytest.mark.parametrize(("content", "is_published"), [("equal", True), ("other", False)])
def test_a_mart_with_the_hash_of_the_release_is_not_compared_with_it(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, content: str, is_published: bool
) -> None:
    """The hash stands in the record beside the kept file. Here it is taken on trust: no row is left
    of a table.
    """
    made = {"catalog.something": "catalog", "market.something": "equal"}
    monkeypatch.setattr(publication_assets.fingerprints, "contents_of_marts", lambda *_: dict(made))
    ready(settings, 2, 150.0, "ecb-1", run="first")
    assert materialize().success
    copies = publication.last_files_for_build_day(settings)
    assert publication.contents_of(copies[0]) == made
    made["market.something"] = content
    second = ready(settings, 1, 160.0, "ecb-1", run="second")
    with duckdb.connect(str(second.file)) as connection:
        connection.execute("delete from market.something")
    pass_checks(second)
    assert materialize().success == is_published
    assert published_close(settings) == (160.0 if is_published else 150.0)


def test_a_run_that_builds_accepts_nothing(settings: Settings, blocked: builds.Build) -> None:
    run = "11111111-1111-1111-1111-111111111111"
    ready(settings, 0, 160.0, "ecb-1", run=run)
    refused = materialize(run, accept=blocked.release.release_id)
    assert failure(refused) == (
        "accept publishes a blocked build: materialise published/warehouse alone."
    )
    assert published_close(settings) == 150.0
    assert blocked.blocked_for


@pytest.mark.parametrize("name", ["kido.duckdb", "checks-dbt.json", "release.json"])
def test_what_was_changed_after_its_checks_is_not_accepted(
    settings: Settings, blocked: builds.Build, name: str
) -> None:
    release = blocked.release
    if name == "release.json":
        far = release.model_copy(update={"as_of": date(2099, 1, 1)})
        (blocked.directory / name).write_text(far.model_dump_json())
    elif name == "kido.duckdb":
        with duckdb.connect(str(blocked.file)) as connection:
            connection.execute("update market.prices set close = 1")
    else:
        (blocked.directory / name).write_text("[] ")
    for accept in (release.release_id, ""):
        assert failure(materialize(accept=accept)) == (
            f"{blocked.directory / name} was changed after the checks of this build. "
            "Build again: kido build --full."
        )
    assert published_close(settings) == 150.0
    assert not (blocked.directory / "checked.duckdb").exists()


def test_a_build_that_met_a_full_disk_is_published_later_as_it_was_checked(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The catalog of its release was written already; the build itself is as it was."""

    def copy_marts(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    ready(settings, 1, 150.0, "ecb-1", run="waiting")
    with monkeypatch.context() as full_disk:
        full_disk.setattr(publication, "copy_marts", copy_marts)
        assert not materialize().success
    assert not settings.published_file.exists()
    assert materialize().success
    assert published_close(settings) == 150.0


def test_a_run_of_the_audit_alone_does_not_seal_what_was_changed(
    settings: Settings, blocked: builds.Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "results_of_marts", lambda *_, **__: [])
    mart = mart_keys()[0]
    definitions = dg.Definitions(
        assets=[dbt_models.dbt_models(dbt_runner.load_manifest())],
        jobs=[dg.define_asset_job("again", dg.AssetSelection.checks_for_assets(mart))],
        resources={"warehouse": Warehouse(), "dbt": dbt_runner.dbt_resource()},
    )
    job = definitions.resolve_job_def("again")
    with duckdb.connect(str(blocked.file)) as connection:
        connection.execute("update market.prices set close = 1")
    result = job.execute_in_process(raise_on_error=False)
    assert failure(result) == (
        f"{blocked.file} was changed after the checks of this build. "
        "Build again: kido build --full."
    )
    assert failure(materialize()).startswith(f"{blocked.file} was changed")


def test_a_mart_is_not_published_by_a_run_that_leaves_its_audit_out(settings: Settings) -> None:
    """Nothing would order the two: the last complete build might be published instead."""
    ready(settings, 1, 150.0, run="last")
    mart = mart_keys()[0]

    @dg.asset(key=mart)
    def made() -> None: ...

    definitions = dg.Definitions(
        assets=[made, publication_assets.published_asset(manifest_of_builds())],
        jobs=[dg.define_asset_job("part", dg.AssetSelection.all())],
        resources={"warehouse": Warehouse()},
    )
    job = definitions.resolve_job_def("part")
    result = job.execute_in_process(asset_selection=[mart, PUBLISHED], raise_on_error=False)
    assert failure(result) == (
        f"What is built is audited before it is published: select {AUDITED.to_user_string()} as "
        f"well, or {PUBLISHED.to_user_string()} alone."
    )
    assert not settings.published_file.exists()


def test_a_release_whose_name_was_edited_is_not_accepted(
    settings: Settings, blocked: builds.Build
) -> None:
    far = "99980101T000000-abcdef"
    edited = blocked.release.model_copy(update={"release_id": far})
    (blocked.directory / "release.json").write_text(edited.model_dump_json())
    assert "release.json was changed after the checks" in failure(materialize(accept=far))
    assert published_close(settings) == 150.0


@pytest.mark.parametrize("stage", builds.STAGES)
def test_a_build_without_results_of_its_checks_is_not_published(
    settings: Settings, blocked: builds.Build, stage: str
) -> None:
    (blocked.directory / f"checks-{stage}.json").unlink()
    for accept in (blocked.release.release_id, ""):
        assert failure(materialize(accept=accept)) == (
            f"{blocked.directory}/checks-{stage}.json is missing. Build again: kido build --full."
        )
    assert published_close(settings) == 150.0


def test_a_build_that_an_earlier_version_blocked_is_built_again(
    settings: Settings, blocked: builds.Build
) -> None:
    (blocked.directory / builds.SEAL).unlink()
    for accept in (blocked.release.release_id, ""):
        assert failure(materialize(accept=accept)) == (
            f"{blocked.directory / builds.SEAL} is missing: nothing records what was checked of "
            "this build. Its checks did not all run, or an earlier version made it. Build again: "
            "kido build --full."
        )
    assert published_close(settings) == 150.0


def test_a_blocked_build_that_was_overtaken_is_not_accepted(
    settings: Settings, blocked: builds.Build, capsys: pytest.CaptureFixture[str]
) -> None:
    """A later build was published while it was looked at; the records still list it as blocked."""
    moment = datetime.now(UTC).replace(tzinfo=None) + timedelta(minutes=9)
    newer = publication.new_release(moment, moment.date(), "0.1.0")
    file = build(settings.build_dir, newer, 151.0, ["ecb-1"])
    publication.publish(settings, file, newer, completing(file), moment)
    with pytest.raises(PublicationError, match="could not be published"):
        accept_release(settings, blocked.release.release_id)
    assert published_close(settings) == 151.0
    assert (
        f"Release {blocked.release.release_id} is not published: {newer.release_id}, whose build "
        "began later, was published meanwhile."
    ) in " ".join(capsys.readouterr().err.split())


def test_what_is_not_blocked_cannot_be_accepted(settings: Settings, blocked: builds.Build) -> None:
    result = materialize(accept="20260101T000000-abcdef")
    assert not [event for event in result.all_events if event.is_step_start]
    (refusal,) = (
        event.engine_event_data.error
        for event in result.all_events
        if event.event_type == dg.DagsterEventType.RESOURCE_INIT_FAILURE
    )
    assert refusal
    assert refusal.message.strip().endswith(
        f"Release 20260101T000000-abcdef is not blocked. Blocked: {blocked.release.release_id}."
    )
    assert published_close(settings) == 150.0


def test_a_blocked_build_of_what_was_withdrawn_since_is_not_accepted(
    settings: Settings, blocked: builds.Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(builds, "withdrawn_snapshots", lambda _: {"ecb-2", "baci-1"})
    release = blocked.release.release_id
    assert failure(materialize(accept=release)) == (
        f"Release {release} used withdrawn snapshots (ecb-2): build again."
    )
    assert published_close(settings) == 150.0


def test_a_replay_leaves_blocked_builds_as_they_are(
    settings: Settings, blocked: builds.Build
) -> None:
    moment = datetime.now(UTC).replace(tzinfo=None)
    past = publication.new_release(moment, date(2025, 10, 20), "0.1.0")
    replay = builds.Build(settings.build_dir / "replay")
    replay.start(past, "inputs", "models")
    shutil.move(build(settings.build_dir, past, 140.0, ["ecb-1"]), replay.file)
    pass_checks(replay)
    replay.declare_complete(is_replay=True)
    assert materialize(as_of="2025-10-20").success
    assert blocked.blocked_for


def test_a_release_that_is_kept_is_gone_forward_to_and_not_accepted(settings: Settings) -> None:
    ready(settings, 9, 150.0, "ecb-1", run="first")
    assert materialize().success
    ready(settings, 8, 160.0, "ecb-1", "ecb-2", run="second")
    assert materialize().success
    second = publication.current_release(settings)
    assert second is not None
    publication.rollback(settings)
    assert failure(materialize()) == (
        f"Release {second.release_id} was published before. "
        f"To go forward to it: kido rollback {second.release_id}."
    )
    assert published_close(settings) == 150.0


def test_a_build_that_a_newer_one_overtook_succeeds_without_publishing(
    settings: Settings,
) -> None:
    ready(settings, 1, 160.0, "ecb-1", run="newer")
    assert materialize().success
    newer = publication.current_release(settings)
    ready(settings, 5, 150.0, "ecb-1", run="older")
    result = materialize()
    assert result.success
    assert publication.current_release(settings) == newer
    (materialization,) = result.asset_materializations_for_node("published__warehouse")
    assert newer is not None
    assert materialization.metadata["release"].value == newer.release_id
    assert materialization.metadata["comparison"].value == (
        "A build that began later is published already; this one is not."
    )
    assert set(checks(result)) == set(gate.KINDS)
    assert all(checks(result).values())


def test_a_rolled_back_snapshot_blocks_a_build_after_a_past_day_too(
    settings: Settings,
) -> None:
    ready(settings, 9, 150.0, "ecb-1", run="first")
    assert materialize().success
    ready(settings, 8, 160.0, "ecb-1", "ecb-2", run="second")
    assert materialize().success
    publication.rollback(settings)
    moment = datetime.now(UTC).replace(tzinfo=None) - timedelta(minutes=7)
    past = publication.new_release(moment, moment.date() - timedelta(days=400), "0.1.0")
    file = build(settings.build_dir, past, 140.0, ["ecb-1"])
    publication.publish(settings, file, past, completing(file), moment)
    assert published_close(settings) == 140.0

    again = ready(settings, 6, 160.0, "ecb-1", "ecb-2", run="again")
    result = materialize()
    assert not result.success
    assert published_close(settings) == 140.0
    assert [name for name, passed in checks(result).items() if not passed] == ["is_not_rolled_back"]
    assert again.blocked_for
    (red,) = [one for one in result.get_asset_check_evaluations() if not one.passed]
    assert red.asset_key == PUBLISHED
    assert "rolled back" in str(red.metadata["observed"].value)
    assert "Compared with release" in str(red.metadata["comparison"].value)


def with_months(settings: Settings, minutes_ago: int, last: int, *snapshots: str) -> str:
    """Publish a build with the months of 2026 up to the last one; returns what is new on the asset.

    Empty where the build is not published.
    """
    found = ready(settings, minutes_ago, 150.0, *snapshots, run=f"run{minutes_ago}")
    with duckdb.connect(str(found.file)) as connection:
        connection.execute("drop table catalog.releases")  # made with the release
        connection.execute(
            "create table catalog.coverage as select 'hmrc' as source, 'trade_flows' as table_name,"
            " 'GBR' as reporter_iso3, 'import' as flow, 'M' as frequency, make_date(2026, month, 1)"
            " as period_start, 9 as rows, 's1' as snapshot_id from range(1, ?) as months (month)",
            [last + 1],
        )
    found.seal()
    result = materialize()
    assert result.success
    (materialization,) = result.asset_materializations_for_node("published__warehouse")
    return str(materialization.metadata["changes"].value)


def test_what_is_new_is_on_the_asset_and_compared_with_what_readers_saw(
    settings: Settings,
) -> None:
    """After a rollback that is the release that was restored; its own rows stay in the table."""
    hmrc = "- hmrc: months of trade flows through 2026"
    said = with_months(settings, 9, 5, "ecb-1")
    assert said.endswith(" is the first release: there is none to compare it with.")
    assert with_months(settings, 8, 6, "ecb-1") == f"{hmrc}-06, 2026-05 before"
    assert with_months(settings, 7, 8, "ecb-1", "ecb-2") == f"{hmrc}-08, 2026-06 before"
    publication.rollback(settings)
    assert with_months(settings, 6, 7, "ecb-1", "ecb-3") == f"{hmrc}-07, 2026-06 before"
    assert "Nothing is new in " in with_months(settings, 5, 7, "ecb-1", "ecb-3")
    names = [release.release_id for release in publication.published_releases(settings)]
    with duckdb.connect(str(settings.published_file), read_only=True) as connection:
        rows = connection.execute(
            "select release_id, before, after from catalog.changes order by release_id"
        ).fetchall()
    assert rows == [(names[1], "2026-05", "2026-06"), (names[3], "2026-06", "2026-07")]
