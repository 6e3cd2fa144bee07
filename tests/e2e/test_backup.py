"""A backup of a built warehouse, made at rest and during a build, restored into an empty home."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from dagster_project.orchestration.execute import open_instance
from dagster_project.settings import Settings
from tests.e2e.conftest import BUNDLED, day_of, run_kido, start_kido
from tests.nightly import nightly

QUESTIONS = (
    "from dependency.import_concentration order by all",
    "from exposure.measure_timeline order by all",
    "from market.prices order by all",
    "from catalog.snapshots order by all",
)


@pytest.fixture
def restored(small: Path, few_flows: Path, tmp_path: Path) -> Path:
    """The home that a backup of a built one was restored into."""
    (tmp_path / BUNDLED).symlink_to(few_flows)
    said(run_kido(small, "backup", str(tmp_path / "backups")))
    said(run_kido(tmp_path / "home", "restore", str(tmp_path / "backups")))
    return tmp_path / "home"


def said(result: object) -> str:
    assert result.returncode == 0, result.stdout + result.stderr  # type: ignore[attr-defined]
    return str(result.stdout)  # type: ignore[attr-defined]


def runs_of(home: Path) -> dict[str, dg.DagsterRunStatus]:
    with open_instance(Settings.load(home=home)) as instance:
        return {run.run_id: run.status for run in instance.get_runs()}


def test_a_restored_warehouse_answers_as_before(small: Path, restored: Path) -> None:
    for question in QUESTIONS:
        answers = [said(run_kido(home, "query", question, "--format", "csv"))
                   for home in (small, restored)]  # fmt: skip
        assert answers[0] == answers[1]
        assert answers[0].count("\n") > 20
    assert (small / "kido.duckdb").read_bytes() == (restored / "kido.duckdb").read_bytes()
    for command in ("releases", "landed", "sources"):
        assert said(run_kido(small, command, "--json")) == said(
            run_kido(restored, command, "--json")
        )
    assert runs_of(small) == runs_of(restored)
    with open_instance(Settings.load(home=restored)) as instance:
        assert instance.get_latest_materialization_event(dg.AssetKey(["published", "warehouse"]))


@nightly
def test_a_build_goes_on_from_a_restored_home(restored: Path, tmp_path: Path) -> None:
    """Backups that are made while that build runs are whole, whatever moment they are of."""
    result = run_kido(restored, "build", KIDO_AS_OF=day_of(restored))
    assert "Nothing has changed since the published release." in result.stderr
    build = start_kido(restored, "build", "--full")
    backups, made = tmp_path / "during", 0
    while build.process.is_alive():
        said(run_kido(restored, "backup", str(backups), "--keep", "1000"))
        made += 1
    said(build.wait())
    assert made > 2
    before, now = json.loads(said(run_kido(restored, "releases", "--json")))
    assert now["is_current"]
    assert before["is_kept"]
    names = sorted(path.stem for path in (backups / "backups").glob("*.json"))
    for name in (names[1], names[-1]):
        home = tmp_path / name
        said(run_kido(home, "restore", str(backups), "--backup", name))
        assert_whole(home)
        shutil.rmtree(home)
    said(run_kido(restored, "rollback"))
    assert before["release_id"] in said(run_kido(restored, "releases"))


def assert_whole(home: Path) -> None:
    """Every snapshot that the published file names is landed; no run is in progress."""
    landed = {
        entry["snapshot_id"] for entry in json.loads(said(run_kido(home, "landed", "--json")))
    }
    with duckdb.connect(str(home / "kido.duckdb"), read_only=True) as connection:
        named = connection.execute("select snapshot_id from catalog.snapshots").fetchall()
    assert named
    assert {name for (name,) in named} <= landed
    assert set(runs_of(home).values()) <= {
        dg.DagsterRunStatus.SUCCESS,
        dg.DagsterRunStatus.FAILURE,
    }
