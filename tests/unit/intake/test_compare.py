"""Before the first build, too, a file is held against the figures that come with the project."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from dagster_project.errors import ImplausibleError
from dagster_project.intake.land import land_bundled, land_files
from dagster_project.intake.stores import landing_of
from dagster_project.intake.withdraw import withdraw
from dagster_project.settings import BUNDLED, Settings
from dagster_project.sources.registry import source_named

PRICES = source_named("pink_sheet")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.load(home=tmp_path / "home")


def prices(folder: Path, name: str, months: slice, factor: float = 1.0) -> Path:
    """Some of the bundled months, copper times a factor."""
    with (BUNDLED / "pink_sheet" / "monthly_prices.csv").open(newline="") as file:
        header, *rows = list(csv.reader(file))
    at = header.index("copper")
    kept = [
        [*row[:at], str(float(row[at]) * factor) if row[at] else "", *row[at + 1 :]]
        for row in rows[months]
    ]
    path = folder / name
    with path.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *kept])
    return path


def test_what_somebody_landed_before_the_first_build_hides_no_bundled_figure(
    settings: Settings, tmp_path: Path
) -> None:
    land_files(settings, PRICES, [prices(tmp_path, "old.csv", slice(0, 100))])
    slip = prices(tmp_path, "slip.csv", slice(-100, None), 1000.0)
    with pytest.raises(ImplausibleError, match="a thousand times what is known for 100 of 100"):
        land_files(settings, PRICES, [slip])
    assert [one.document for one in landing_of(settings).snapshots("pink_sheet")] == ["old.csv"]


def test_copper_times_a_pound_in_all_its_months_is_refused(
    settings: Settings, tmp_path: Path
) -> None:
    """One of fourteen columns: the others are as they were."""
    land_bundled(settings, PRICES)
    slip = prices(tmp_path, "pounds.csv", slice(None), 2.2046)
    of_copper = (
        r"close is 2\.2 times what is known for 7\d\d of 7\d\d changed figures of instrument COPPER"
        ": pounds"
    )
    with pytest.raises(ImplausibleError, match=of_copper):
        land_files(settings, PRICES, [slip])
    assert land_files(settings, PRICES, [slip], replace_all=True).is_new


def test_figures_that_were_withdrawn_are_not_known(settings: Settings, tmp_path: Path) -> None:
    (bundled,) = land_bundled(settings, PRICES).new
    whole = prices(tmp_path, "other.csv", slice(None), 1000.0)
    with pytest.raises(ImplausibleError):
        land_files(settings, PRICES, [whole])
    withdraw(settings, {"pink_sheet": PRICES}, bundled.snapshot_id, "a unit")
    taken = land_files(settings, PRICES, [whole])
    assert taken.is_new
