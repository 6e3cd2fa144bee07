"""Which modules are sources, found without importing them."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from zoneinfo import ZoneInfo

import pytest
from croniter import croniter

from dagster_project.errors import ConfigurationError
from dagster_project.lake.schemas import LAKE_TABLES
from dagster_project.settings import Settings
from dagster_project.sources.card import Scope, can_be_asked, windows_between
from dagster_project.sources.registry import all_sources, source_named, source_names


def test_a_module_or_a_package_with_a_card_is_a_source_and_a_helper_is_not() -> None:
    assert {"ecb", "catalogue", "equity_indices"} <= set(source_names())
    assert {"formats", "card", "registry"}.isdisjoint(source_names())
    assert tuple(all_sources()) == source_names()


def test_a_variable_of_a_helper_module_is_no_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIDO_FORMATS_ENABLED", "true")
    with pytest.raises(ConfigurationError, match="KIDO_FORMATS_ENABLED is not a setting"):
        Settings.load().require_known_names(source_names())


def test_names_are_known_without_importing_a_source() -> None:
    program = (
        "import sys\n"
        "from dagster_project.sources.registry import source_names\n"
        "assert source_names()\n"
        "print('dagster_project.sources.ecb' in sys.modules)"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "False"


def test_an_unknown_source_is_reported_with_the_known_names() -> None:
    with pytest.raises(ConfigurationError, match=r"'bacy'.*Known: alphavantage, baci, "):
        source_named("bacy")


# Cards.

KEY_IN_A_PARAMETER = {"alphavantage"}
"""Sources whose publisher takes the key nowhere else."""


def test_what_can_be_asked_has_a_calendar_and_alone_an_address() -> None:
    asked = {name for name, source in all_sources().items() if can_be_asked(source)}
    assert asked == {
        "alphavantage", "baci", "comext", "comexstat", "comtrade", "ecb", "federal_register",
        "fred", "gta", "hmrc", "imf_pcps", "japan_customs", "mofcom", "pink_sheet",
        "screening_list", "usgs_mcs", "wgi", "yahoo",
    }  # fmt: skip
    for name, source in all_sources().items():
        card = source.CARD
        assert (card.base_url is not None) is (name in asked), name
        # Without a publisher to ask, it says on which days there are figures.
        assert card.calendar is not None or name not in asked, name
        assert not (card.windows or card.needs_key or card.rows_per_call) or name in asked, name


def test_a_card_bears_the_name_of_its_module_and_names_tables_that_exist() -> None:
    for name, source in all_sources().items():
        assert source.CARD.name == name
        assert source.CARD.tables
        assert set(source.CARD.tables) <= set(LAKE_TABLES)
        assert "coverage" not in source.CARD.tables  # written for whoever is asked for windows


def test_what_is_asked_by_window_fills_tables_that_say_what_was_asked() -> None:
    for source in all_sources().values():
        for windows in source.CARD.windows:
            assert windows.revised_for > 0
            tables = [LAKE_TABLES[name] for name in source.CARD.tables]
            # What is not asked by window, as a calendar of releases, has no period.
            assert all((table.period is None) == (table.asked_by is None) for table in tables)
            assert any(table.asked_by for table in tables)


def test_the_calendars_are_cron_lines_of_a_time_zone() -> None:
    for source in all_sources().values():
        calendar = source.CARD.calendar
        if calendar is not None:
            assert croniter.is_valid(calendar.cron)
            assert ZoneInfo(calendar.timezone)


def test_every_plan_asks_below_the_address_of_its_card_and_shows_no_key() -> None:
    for source in all_sources().values():
        if not can_be_asked(source):
            continue
        windows = [
            next(iter(windows_between(one, one.since, date(2024, 12, 31))))
            for one in source.CARD.windows
        ]
        reporter = "DEU" if source.CARD.name == "comext" else "JPN"
        scope = Scope(commodity_codes=("280530",), reporters=(reporter,), has_key=True)
        extracts = source.plan(windows, scope)
        assert {window for extract in extracts for window in extract.windows} == set(windows)
        assert len({extract.document for extract in extracts}) == len(extracts)
        for extract in extracts:
            assert {one.table for one in extract.asked} <= set(source.CARD.tables)
            for request in extract.requests:
                assert request.expects
                assert "{key}" not in request.url
                keys = [value for value in request.params.values() if "{key}" in value]
                assert bool(keys) is (source.CARD.name in KEY_IN_A_PARAMETER)
        assert source.plan(windows, scope) == extracts
