"""A partial build starts from the last complete one, unless that used withdrawn snapshots."""

from __future__ import annotations

import logging
from datetime import date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import dagster as dg
import duckdb
import pytest

from dagster_project.intake.conform import conform
from dagster_project.intake.land import land_bundled
from dagster_project.intake.stores import landing_of
from dagster_project.intake.withdraw import reinstate
from dagster_project.lake.build_file import work_file
from dagster_project.orchestration import dbt_models, dbt_runner, publication_assets
from dagster_project.orchestration.builds import Build
from dagster_project.serving.publication import new_release
from dagster_project.settings import Settings
from dagster_project.sources.registry import all_sources, source_named

ECB = source_named("ecb")
TODAY = date(2026, 11, 25)
MANIFEST = {
    "nodes": {
        name: {"schema": schema, "name": name, "alias": name, "resource_type": "model"}
        for schema, name in (("market", "prices"), ("trade", "flows"), ("catalog", "snapshots"))
    }
}


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A home with one whole build, made from the snapshot of the bundled rates."""
    monkeypatch.setenv("KIDO_HOME", str(tmp_path / "home"))
    settings = Settings.load(as_of=TODAY)
    settings.started_on = TODAY
    land_bundled(settings, ECB)
    conform(settings, ECB)
    whole = a_build(settings, "whole")
    with duckdb.connect(str(whole.file)) as connection:
        connection.execute("create schema catalog")
        connection.execute(
            "create table catalog.snapshots as select unnest(?) as snapshot_id",
            [[one.snapshot_id for one in landing_of(settings).snapshots("ecb")]],
        )
    duckdb.connect(str(work_file(whole.file))).close()
    whole.declare_complete(is_replay=False)
    return settings


def a_build(settings: Settings, name: str) -> Build:
    build = Build(settings.build_dir / name)
    release = new_release(datetime(2026, 11, 25, 12), TODAY, "0.1.0")
    build.start(release, "inputs", dbt_runner.project_version())
    return build


def withdraw(settings: Settings) -> str:
    (snapshot,) = landing_of(settings).snapshots("ecb")
    landing_of(settings).withdraw(snapshot, by="ann", reason="a slip")
    return snapshot.snapshot_id


def selected(settings: Settings) -> list[str]:
    """What dbt is to build for a run of `market/prices`; nothing chosen means all of it."""
    context = SimpleNamespace(
        selected_asset_keys={dg.AssetKey(["market", "prices"])}, log=logging.getLogger("run")
    )
    part = a_build(settings, "part")
    part.file.unlink(missing_ok=True)
    chosen = dbt_models._selection(cast(Any, context), MANIFEST, settings, part)
    assert part.file.exists() == bool(chosen)
    return chosen


def test_a_partial_build_starts_from_no_build_with_withdrawn_snapshots(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="run")
    on_the_whole = ["prices", "snapshots"]
    assert selected(settings) == on_the_whole
    assert caplog.messages == []
    snapshot = withdraw(settings)
    assert selected(settings) == []
    assert caplog.messages == [
        "Every model is built, not only the selected ones: the last complete build used "
        f"withdrawn snapshots ({snapshot})."
    ]
    reinstate(settings, all_sources(), snapshot)
    assert selected(settings) == on_the_whole


@pytest.mark.parametrize(
    ("file", "text", "reason"),
    [
        ("complete", "gone", "there is no complete build yet"),
        (
            "whole/models", "others",
            "the models or KIDO_RECONCILED_SHARES have changed since the last complete build",
        ),
    ],
)  # fmt: skip
def test_why_everything_is_built_is_reported(
    settings: Settings, caplog: pytest.LogCaptureFixture, file: str, text: str, reason: str
) -> None:
    caplog.set_level(logging.INFO, logger="run")
    (settings.build_dir / file).write_text(text)
    assert selected(settings) == []
    assert caplog.messages == [f"Every model is built, not only the selected ones: {reason}."]


def test_a_build_with_other_shares_is_no_beginning(settings: Settings) -> None:
    assert selected(settings) != []
    settings.reconciled_shares = False
    assert selected(settings) == []


def test_a_build_with_withdrawn_snapshots_is_not_published_later(
    settings: Settings,
) -> None:
    def build_to_use(run: str) -> Build:
        return publication_assets._build_to_use(Build(settings.build_dir / run), settings)

    last = build_to_use("another-run")
    assert last.directory.name == "whole"
    snapshot = withdraw(settings)
    refusal = rf"withdrawn snapshots \({snapshot}\): materialise the marts first"
    with pytest.raises(dg.Failure, match=refusal):
        build_to_use("another-run")
    # The build of the run itself uses no withdrawn snapshot.
    own = a_build(settings, "a-run")
    own.file.write_bytes(b"a build")
    assert build_to_use("a-run") == own
