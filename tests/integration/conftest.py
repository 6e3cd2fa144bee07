"""What several of these tests begin with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dagster_project.settings import Settings
from tests.integration import asked_once
from tests.integration.marts import Marts


@pytest.fixture(scope="package", autouse=True)
def ask_once() -> Iterator[None]:
    """Many of these tests land the same files."""
    with asked_once.everywhere():
        yield


@pytest.fixture(scope="session")
def marts(tmp_path_factory: pytest.TempPathFactory) -> Marts:
    return Marts(tmp_path_factory.mktemp("marts"))


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """An empty home, of this process and of the commands it starts."""
    monkeypatch.setenv("KIDO_HOME", str(tmp_path / "home"))
    return Settings.load()
