"""A source whose publisher is ahead of the lake: its check warns, and `kido sources` says so."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg
import pytest
import time_machine

from dagster_project.intake.command import fetch_and_report
from dagster_project.intake.land import land_bundled
from dagster_project.orchestration.keys import landing_key
from dagster_project.orchestration.lateness_checks import HELD, lateness_checks
from dagster_project.orchestration.overview import SourceState, source_states
from dagster_project.orchestration.resources import Warehouse
from dagster_project.orchestration.source_assets import lake_assets, landing_asset
from dagster_project.settings import Settings
from dagster_project.sources.registry import source_named
from tests.fakes.ecb import FakeEcb

ECB, SHARES = source_named("ecb"), source_named("equity_indices")
WEDNESDAY = datetime(2026, 11, 4, 20, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("KIDO_HOME", str(tmp_path / "home"))
    return Settings.load()


@pytest.fixture
def ecb(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeEcb]:
    with FakeEcb() as server:
        monkeypatch.setenv("KIDO_ECB_URL", server.base_url)
        monkeypatch.setenv("KIDO_ECB_ENABLED", "true")
        yield server


def with_rates_of(ecb: FakeEcb, day: str) -> None:
    """The server has rates until that day, which is one of its days or a copy of its last one."""
    with ecb.lock:
        newest = max(ecb.rows)
        ecb.rows = [row for row in ecb.rows if row[0] < day] + [(day, *newest[1:])]


def state(name: str) -> SourceState:
    return next(each for each in source_states(Settings.load()) if each.source == name)


def run_graph(*sources: object) -> tuple[bool, dict[str, dg.AssetCheckEvaluation]]:
    """Land, conform and check; whether the run succeeded, and the checks by source."""
    assets = [build(source) for source in sources for build in (landing_asset, lake_assets)]  # type: ignore[operator]
    result = dg.materialize(
        [*assets, lateness_checks(sources)],  # type: ignore[arg-type, list-item]
        resources={"warehouse": Warehouse()},
    )
    return result.success, {
        check.asset_key.path[-1]: check
        for check in result.get_asset_check_evaluations()
        if check.check_name == HELD
    }


def observed(check: dg.AssetCheckEvaluation) -> object:
    return check.metadata["observed"].value


def test_a_missing_day_warns_blocks_nothing_and_passes_once_it_is_there(ecb: FakeEcb) -> None:
    with_rates_of(ecb, "2026-10-30")
    with time_machine.travel(WEDNESDAY):
        has_succeeded, checks = run_graph(ECB)
    assert has_succeeded
    check = checks["ecb"]
    assert check.asset_key == landing_key("ecb")
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.WARN)
    # Monday the 2nd was due that day at 16:30; Wednesday's rate is not expected before tomorrow.
    assert (
        observed(check) == "published through 2026-11-03, held through 2026-10-30, late by 2 days"
    )
    assert check.metadata["days_late"].value == 2
    with_rates_of(ecb, "2026-11-05")
    with time_machine.travel(datetime(2026, 11, 5, 20, tzinfo=UTC)):
        _, checks = run_graph(ECB)
    assert checks["ecb"].passed
    assert observed(checks["ecb"]) == "published through 2026-11-04, held through 2026-11-05"


def test_a_source_that_nobody_asks_is_old_and_never_late(settings: Settings) -> None:
    with time_machine.travel(WEDNESDAY):
        has_succeeded, checks = run_graph(SHARES)
        shares = state("equity_indices")
    assert has_succeeded
    assert checks["equity_indices"].passed
    # The bundled closes end on Wednesday 5 August 2026; Thursday's was due on Friday.
    assert observed(checks["equity_indices"]) == (
        "published through 2026-11-02, held through 2026-08-05, not asked, old since 2026-08-07"
    )
    assert (shares.days_late, shares.old_since) == (0, "2026-08-07")


def test_a_source_that_is_switched_off_is_not_late(
    ecb: FakeEcb, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_rates_of(ecb, "2026-10-30")
    with time_machine.travel(WEDNESDAY):
        run_graph(ECB)
        assert state("ecb").days_late == 2
        monkeypatch.setenv("KIDO_ECB_ENABLED", "false")
        assert (state("ecb").days_late, state("ecb").old_since) == (0, "2026-11-02")


def test_what_was_known_on_a_past_day_is_late_by_that_day(
    ecb: FakeEcb, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_rates_of(ecb, "2026-10-30")
    with time_machine.travel(WEDNESDAY):
        run_graph(ECB)
    with_rates_of(ecb, "2026-11-12")
    with time_machine.travel(datetime(2026, 11, 12, 20, tzinfo=UTC)):
        run_graph(ECB)
        assert state("ecb").days_late == 0
        monkeypatch.setenv("KIDO_AS_OF", "2026-11-11")
        late = state("ecb")
    assert (late.held_through, late.days_late) == ("2026-10-30", 9)


def test_a_day_before_all_figures_holds_nothing(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with time_machine.travel(WEDNESDAY):
        run_graph(source_named("wgi"))
        # The bundled scores of 1996 count from 1997-09-30.
        monkeypatch.setenv("KIDO_AS_OF", "1997-09-29")
        has_succeeded, checks = run_graph(source_named("wgi"))
    assert has_succeeded
    assert observed(checks["wgi"]).endswith("held nothing")  # type: ignore[attr-defined]


def test_a_source_that_was_never_fetched_holds_nothing(settings: Settings) -> None:
    with time_machine.travel(WEDNESDAY):
        _, checks = run_graph(source_named("japan_customs"))
    assert checks["japan_customs"].passed
    assert observed(checks["japan_customs"]) == "published through 2026-09, held nothing"


def test_sources_says_what_is_published_held_and_missing(ecb: FakeEcb) -> None:
    with_rates_of(ecb, "2026-10-30")
    with time_machine.travel(WEDNESDAY):
        land_bundled(Settings.load(), ECB)
        fetch_and_report(Settings.load(), ECB, write=lambda line: None)
        rates = state("ecb")
    assert (rates.published_through, rates.held_through) == ("2026-11-03", "2026-10-30")
    assert (rates.days_late, rates.old_since) == (2, "2026-11-02")
    assert (rates.next_period, rates.next_released_at) == ("2026-11-04", "2026-11-04T15:30:00Z")
    assert date.fromisoformat(str(rates.latest_period)) == date(2026, 10, 30)
