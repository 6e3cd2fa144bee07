"""What several of these tests begin with."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from dagster_project.settings import Settings
from tests.conftest import made_once
from tests.integration.marts import Marts, build_without_rows, marts_of, tomorrow


@pytest.fixture(scope="session")
def marts(tmp_path_factory: pytest.TempPathFactory) -> Marts:
    """Marts as of tomorrow (`marts_of`)."""
    day = tomorrow()
    base = made_once(tmp_path_factory, f"no-rows-{day}", partial(build_without_rows, day=day))
    return partial(marts_of, day=day, base=base / "kido.duckdb")


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """An empty home, of this process and of the commands it starts."""
    monkeypatch.setenv("KIDO_HOME", str(tmp_path / "home"))
    return Settings.load()
