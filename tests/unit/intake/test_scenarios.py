"""`kido scenario`: the file is checked, landed like any input, and stands beside the others."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import polars as pl
import pytest
from typer.testing import CliRunner, Result

from dagster_project.cli import app
from dagster_project.errors import KidoError
from dagster_project.intake.conform import conform
from dagster_project.intake.land import land_bundled
from dagster_project.intake.stores import lake_of, landing_of
from dagster_project.lake.schemas import SCENARIO_CHANGES
from dagster_project.lake.vintages import current_rows
from dagster_project.orchestration import execute
from dagster_project.settings import Settings
from dagster_project.sources.registry import source_named

SCENARIOS = source_named("scenarios")
NEXT_YEAR = datetime.now(UTC).year + 1

OWN = f"""\
scenario: mine
title: A quota
importer: JPN
groups: [rare_earths]
changes:
  - cut: CHN
    share: 0.4
    from: {NEXT_YEAR}-03
  - cut: VNM
    from: {NEXT_YEAR}-05
"""

Kido = Callable[..., Result]


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("KIDO_HOME", str(tmp_path / "home"))
    return Settings.load()


@pytest.fixture
def scenario(settings: Settings, tmp_path: Path) -> Kido:
    """Run the command on a file with this text."""

    def run(text: str, *options: str, name: str = "own.yaml") -> Result:
        file = tmp_path / name
        file.write_text(text, "utf8")
        result = CliRunner().invoke(app, ["scenario", str(file), *options])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run


def current(settings: Settings) -> pl.DataFrame:
    """The rows that are current today, by scenario and position."""
    rows = lake_of(settings).rows(SCENARIO_CHANGES, "scenarios", [])
    assert rows is not None
    frame = SCENARIO_CHANGES.conform(rows.collect())
    return current_rows(SCENARIO_CHANGES, frame, datetime.now(UTC).date()).sort(
        "scenario", "position"
    )


def shares(settings: Settings) -> list[tuple[str, str, float]]:
    return current(settings).select("scenario", "supplier_iso3", "share").rows()


def test_a_scenario_is_landed_beside_those_of_other_names(
    settings: Settings, scenario: Kido
) -> None:
    land_bundled(settings, SCENARIOS)
    conform(settings, SCENARIOS)
    result = scenario(OWN, "--no-build")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[0] == (
        "Nothing is published yet: clauses, projects and suppliers are not checked."
    )
    assert result.stdout.splitlines()[1] == "mine.yaml: landed."
    assert result.stdout.splitlines()[-1] == "Then: kido build."
    found = current(settings)
    assert found["scenario"].unique().sort().to_list() == [
        "allied_separation", "china_stops_to_japan", "minamitorishima_commercial", "mine",
    ]  # fmt: skip
    (snapshot,) = [
        each for each in landing_of(settings).snapshots("scenarios") if not each.is_bundled
    ]
    assert (snapshot.document, snapshot.is_landed_by_hand) == ("mine.yaml", True)


def test_a_scenario_of_the_same_name_replaces_the_whole_of_it(
    settings: Settings, scenario: Kido
) -> None:
    scenario(OWN, "--no-build")
    scenario(OWN.replace("mine", "other"), "--no-build")
    one_less, _, _ = OWN.partition("  - cut: VNM")
    scenario(one_less.replace("0.4", "0.9"), "--no-build", name="another.yaml")
    assert shares(settings) == [("mine", "CHN", 0.9), ("other", "CHN", 0.4), ("other", "VNM", 1)]


def test_an_earlier_text_of_a_scenario_can_be_landed_again(
    settings: Settings, scenario: Kido
) -> None:
    scenario(OWN, "--no-build", name="first.yaml")
    scenario(OWN.replace("0.4", "0.9"), "--no-build", name="second.yaml")
    assert "mine.yaml: landed." in scenario(OWN, "--no-build", name="first.yaml").stdout
    assert shares(settings) == [("mine", "CHN", 0.4), ("mine", "VNM", 1)]
    assert "mine.yaml: nothing new." in scenario(OWN, "--no-build", name="first.yaml").stdout


def test_a_bundled_scenario_is_replaced_and_named(settings: Settings, scenario: Kido) -> None:
    land_bundled(settings, SCENARIOS)
    conform(settings, SCENARIOS)
    result = scenario(OWN.replace("mine", "china_stops_to_japan"), "--no-build")
    assert "In place of the bundled china_stops_to_japan.yaml." in result.stdout
    assert [row for row in shares(settings) if row[0] == "china_stops_to_japan"] == [
        ("china_stops_to_japan", "CHN", 0.4), ("china_stops_to_japan", "VNM", 1),
    ]  # fmt: skip


def test_an_impossible_file_lands_nothing(settings: Settings, scenario: Kido) -> None:
    with pytest.raises(KidoError) as caught:
        scenario(OWN.replace("0.4", "4"), "--no-build")
    assert str(caught.value) == (
        "scenarios: line 7: change 1: `share` is 4; a share is between 0 and 1."
    )
    last_month = datetime.now(UTC).date().replace(day=1) - timedelta(days=1)
    with pytest.raises(KidoError, match=r"line 8: change 1: `from` is .* the day of landing"):
        scenario(OWN.replace(f"{NEXT_YEAR}-03", f"{last_month:%Y-%m}"))
    with pytest.raises(KidoError, match=r"no-such-file\.yaml cannot be read"):
        CliRunner().invoke(app, ["scenario", "no-such-file.yaml"], catch_exceptions=False)
    assert landing_of(settings).snapshots("scenarios") == []


def test_what_the_published_file_does_not_have_lands_nothing(
    settings: Settings, scenario: Kido
) -> None:
    settings.published_file.parent.mkdir(parents=True)
    with duckdb.connect(str(settings.published_file)) as connection:
        connection.execute("create schema dependency")
        connection.execute(
            "create table dependency.supplier_shares as select 'JPN' as importer_iso3, "
            "'rare_earths' as mineral_group, 'A' as frequency, date '2024-01-01' as period_start, "
            "'CHN' as supplier_iso3, 0.7 as share"
        )
    with pytest.raises(KidoError) as caught:
        scenario(OWN)
    assert str(caught.value) == (
        "scenarios: line 9: change 2: `cut` is 'VNM', which supplied no rare_earths to JPN in 2024."
    )
    assert landing_of(settings).snapshots("scenarios") == []


def test_a_build_follows_and_its_results_are_printed(
    settings: Settings, scenario: Kido, monkeypatch: pytest.MonkeyPatch
) -> None:
    def build(settings: Settings) -> Path:
        file = settings.published_file
        with duckdb.connect(str(file)) as connection:
            connection.execute("create schema dependency")
            connection.execute(
                "create table dependency.scenario_results as select 'mine' as scenario, "
                "'JPN' as importer_iso3, 'rare_earths' as mineral_group, 'value_usd' as measure, "
                f"{NEXT_YEAR} as year, 'hhi' as metric, null::varchar as supplier_iso3, "
                "0.5 as baseline_value, 0.25 as scenario_value, "
                "null::double as value_at_high_supply, -0.25 as change, 2024 as baseline_year, "
                "'shares of 2024' as assumptions"
            )
        return file

    monkeypatch.setattr(execute, "build_warehouse", build)
    result = scenario(OWN)
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-5:] == [
        "mine: rare_earths into JPN, value_usd",
        f"metric  baseline 2024   {NEXT_YEAR}",
        "hhi             0.500  0.250",
        "",
        "Assumptions: shares of 2024.",
    ]


def test_the_exit_code_says_that_nothing_was_published(
    settings: Settings, scenario: Kido, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(execute, "build_warehouse", lambda _: None)
    result = scenario(OWN)
    assert result.exit_code == 1
    assert "Nothing was published" in result.stderr
    assert len(shares(settings)) == 2
