"""What a source has landed, typed in the process beside: the lake then only lets it count."""

from pathlib import Path
from typing import Any

import pytest

from dagster_project.intake.conform import conform
from dagster_project.intake.land import land_bundled
from dagster_project.orchestration import beside, transform
from dagster_project.orchestration.staging import begin_staging, wait_for_staging
from dagster_project.settings import Settings
from dagster_project.sources.registry import source_named
from tests.unit.orchestration.test_beside import without_rules

SOURCE = source_named("equity_indices")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.load(home=tmp_path)


@pytest.fixture
def got_ready(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found: list[str] = []
    monkeypatch.setattr(transform, "load_ahead", lambda: found.append("dbt"))
    monkeypatch.setattr(beside, "_at_hand", [])
    return found


def test_the_process_beside_types_what_is_landed_and_the_lake_waits_for_it(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, got_ready: list[str]
) -> None:
    process = beside.Beside()
    monkeypatch.setattr(beside, "_at_hand", [process])
    try:
        land_bundled(settings, SOURCE)
        begin_staging(settings, SOURCE)
        wait_for_staging(settings, SOURCE)
        outcome = conform(settings, SOURCE)
        assert (outcome.new_snapshots, outcome.parsed) == (1, 0)
        assert got_ready == ["dbt"]
        # In the lake already: nobody is asked, and nothing is waited for.
        begin_staging(settings, SOURCE)
        wait_for_staging(settings, SOURCE)
        assert got_ready == ["dbt"]
    finally:
        process.end()


@pytest.mark.parametrize("when", ["before it is asked", "before it answers", "there is none"])
def test_where_it_is_gone_the_lake_types_by_itself(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, got_ready: list[str], when: str
) -> None:
    process: Any = None
    if when != "there is none":
        monkeypatch.setenv("PYTHONPATH", str(without_rules(settings.home / "without_rules")))
        process = beside.Beside()
        monkeypatch.setattr(beside, "_at_hand", [process])
    land_bundled(settings, SOURCE)
    if when == "before it is asked":
        process.end()
    begin_staging(settings, SOURCE)
    if when == "before it answers":
        process._process.kill()
    wait_for_staging(settings, SOURCE)
    if process:
        process.end()
    outcome = conform(settings, SOURCE)
    assert outcome.new_snapshots == 1
    assert outcome.rows == {"price_quotes": outcome.rows["price_quotes"]}
    assert outcome.rows["price_quotes"] > 0
