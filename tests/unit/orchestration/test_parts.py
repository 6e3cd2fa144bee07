"""A build starts from the last complete one, unless that is another one than was checked, made by
another engine, or from withdrawn snapshots; one of a part, from one of its day and its models.
"""

from __future__ import annotations

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
from dagster_project.orchestration import audit, dbt_models, dbt_runner, fingerprints
from dagster_project.orchestration.builds import STAGES, Build
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
    for stage in STAGES:
        whole.keep_checks(stage, [])
    whole.seal()
    whole.declare_complete(is_replay=False)
    return settings


def a_build(settings: Settings, name: str) -> Build:
    build = Build(settings.build_dir / name)
    release = new_release(datetime(2026, 11, 25, 12), TODAY, "0.1.0")
    build.start(release, "inputs", dbt_runner.project_version(), fingerprints.engine())
    return build


def withdraw(settings: Settings) -> str:
    (snapshot,) = landing_of(settings).snapshots("ecb")
    landing_of(settings).withdraw(snapshot, by="ann", reason="a slip")
    return snapshot.snapshot_id


def begin(settings: Settings) -> tuple[list[str], str]:
    """What dbt is to build for a run of `market/prices`, nothing for all of it; and why."""
    last, obstacle = fingerprints.predecessor(settings)
    said: list[str] = []
    context = SimpleNamespace(
        selected_asset_keys={dg.AssetKey(["market", "prices"])},
        log=SimpleNamespace(info=said.append),
    )
    chosen = dbt_models._selection(cast(Any, context), MANIFEST, settings, last)
    return chosen, obstacle or " ".join(said)


ON_THE_WHOLE = (["prices", "snapshots"], "")


def test_a_build_starts_from_none_with_withdrawn_snapshots(settings: Settings) -> None:
    assert begin(settings) == ON_THE_WHOLE
    snapshot = withdraw(settings)
    reason = f"the last complete build used withdrawn snapshots ({snapshot})"
    assert begin(settings) == ([], reason)
    reinstate(settings, all_sources(), snapshot)
    assert begin(settings) == ON_THE_WHOLE


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        ("complete", "there is no complete build yet"),
        (
            "whole/engine",
            "libraries or rules of building have changed since the last complete build",
        ),
        ("whole/kido.duckdb", "the last complete build is not as it was checked"),
        ("whole/kido.work.duckdb", "the last complete build is not as it was checked"),
        ("whole/checks-dbt.json", "the last complete build is not as it was checked"),
        (
            "whole/models",
            "Every model is built, not only the selected ones: the models or "
            "KIDO_RECONCILED_SHARES have changed since the last complete build.",
        ),
    ],
)
def test_why_everything_is_built_is_said(settings: Settings, file: str, reason: str) -> None:
    with (settings.build_dir / file).open("a") as changed:
        changed.write("other")
    assert begin(settings) == ([], reason)


def test_a_build_that_is_removed_meanwhile_is_no_beginning(settings: Settings) -> None:
    """As by another build that has ended: half a copy is none."""
    last, _ = fingerprints.predecessor(settings)
    assert last is not None
    work_file(last.file).unlink()
    build = Build(settings.build_dir / "next")
    assert not fingerprints.copy_of(last, build, {"nodes": {}})
    assert list(build.directory.iterdir()) == []


def test_a_part_is_not_built_on_other_shares_or_another_day(settings: Settings) -> None:
    settings.reconciled_shares = False
    assert begin(settings)[0] == []
    settings.reconciled_shares = True
    settings.started_on = settings.as_of = date(2026, 11, 26)
    assert begin(settings) == (
        [],
        "Every model is built, not only the selected ones: the last complete build is as of "
        "2026-11-25.",
    )


def test_a_build_with_withdrawn_snapshots_is_not_published_later(
    settings: Settings,
) -> None:
    def build_to_use(run: str) -> Build:
        return audit.build_to_use(Build(settings.build_dir / run), settings)

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
