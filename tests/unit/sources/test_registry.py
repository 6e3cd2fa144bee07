"""Which modules are sources, found without importing them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from dagster_project.errors import ConfigurationError
from dagster_project.settings import Settings
from dagster_project.sources.registry import all_sources, source_named, source_names


def test_a_module_with_a_card_is_a_source_and_a_helper_is_none() -> None:
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


def test_an_unknown_source_is_told_the_names_there_are() -> None:
    with pytest.raises(ConfigurationError, match=r"'bacy'.*Known: baci, "):
        source_named("bacy")
