"""Which sources a build at a terminal leaves out: their rows stand, and the UI shows those rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import pytest
from typer.testing import CliRunner

from dagster_project.cli import app
from dagster_project.intake.stores import lake_of, landing_of
from dagster_project.orchestration.inputs import sources_to_renew
from dagster_project.orchestration.resources import Warehouse
from dagster_project.orchestration.source_assets import is_shown, lake_assets, landing_asset
from dagster_project.settings import BUNDLED, Settings
from dagster_project.sources.registry import source_named

CATALOGUE = source_named("catalogue")


@dataclass
class Home:
    """A home, and the instance whose runs land and type one source."""

    settings: Settings
    instance: dg.DagsterInstance

    def run(self) -> None:
        """The two steps of a build that make the source."""
        assert dg.materialize(
            [landing_asset(CATALOGUE), lake_assets(CATALOGUE)],
            resources={"warehouse": Warehouse()},
            instance=self.instance,
        ).success

    @property
    def is_to_renew(self) -> bool:
        return "catalogue" in sources_to_renew(Settings.load())

    @property
    def is_shown(self) -> bool:
        return is_shown(self.instance, self.settings, CATALOGUE)


@pytest.fixture
def home(settings: Settings) -> Iterator[Home]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield Home(settings, instance)


@pytest.fixture
def known(home: Home) -> Home:
    """A home whose last run made the source: a build leaves it out."""
    assert home.is_to_renew
    home.run()
    assert not home.is_to_renew
    assert home.is_shown
    return home


def kido(*arguments: str) -> None:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == 0, result.output


def other_list(folder: Path) -> Path:
    """A catalogue of events with another title."""
    text = (BUNDLED / "catalogue" / "measures.yaml").read_text("utf8")
    title = "Export licensing of superhard materials"
    assert text.count(title) == 1
    mine = folder / "measures.yaml"
    mine.write_text(text.replace(title, "My own title"), "utf8")
    return mine


def test_a_source_that_no_run_has_made_is_not_left_out(home: Home) -> None:
    """Also one of which nothing is bundled: its empty tables are shown by the first run."""
    unasked = source_named("alphavantage")
    assert not unasked.CARD.bundled
    assert "alphavantage" not in sources_to_renew(home.settings)
    assert not is_shown(home.instance, home.settings, unasked)


def test_a_landed_document_is_shown_by_the_next_run(known: Home, tmp_path: Path) -> None:
    """The command types it itself, which no run has told of."""
    kido("land", "catalogue", str(other_list(tmp_path)))
    assert not known.is_to_renew
    assert not known.is_shown
    known.run()
    assert not known.is_to_renew
    assert known.is_shown


def test_a_withdrawn_document_and_its_return_are_news(known: Home, tmp_path: Path) -> None:
    kido("land", "catalogue", str(other_list(tmp_path)))
    known.run()
    snapshot = landing_of(known.settings).snapshots("catalogue")[-1].snapshot_id
    for command in (["withdraw", snapshot, "--because", "my title"], ["reinstate", snapshot]):
        kido(*command)
        assert known.is_to_renew or not known.is_shown
        known.run()
        assert not known.is_to_renew
        assert known.is_shown


def test_what_a_build_fetches_is_never_left_out(
    known: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That its publisher is silent is news."""
    monkeypatch.setattr(
        "dagster_project.orchestration.inputs.is_fetched",
        lambda _, source: source is CATALOGUE,
    )
    monkeypatch.setattr(
        "dagster_project.orchestration.inputs._state", lambda *_, **__: "all is as it was"
    )
    assert known.is_to_renew


def test_a_damaged_file_is_made_again(known: Home) -> None:
    lake = lake_of(known.settings)
    files = sorted((known.settings.home / "lake").rglob("*.parquet"))
    mine = [file for file in files if "catalogue" in str(file)]
    assert mine
    mine[0].unlink()
    assert lake.damage("catalogue").faults
    assert known.is_to_renew


def test_another_parser_types_anew(known: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dagster_project.intake.conform.parser_version", lambda _: "another")
    assert known.is_to_renew
