"""A warehouse as a user gets it: built once by the front door, in a home of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.conftest import CHECKOUT

AS_OF = "2026-11-25"

Kido = Callable[..., subprocess.CompletedProcess[str]]


def run_kido(home: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the front door as a user would, on a home of its own."""
    return subprocess.run(
        [sys.executable, "-m", "dagster_project.cli", *arguments],
        cwd=CHECKOUT,
        env={**clean_environment(), "KIDO_HOME": str(home), **environment},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def clean_environment() -> dict[str, str]:
    """The environment without settings of Kido or Dagster that a developer may have set."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("KIDO_", "DAGSTER_"))
    }


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a warehouse published as of a fixed day. Not to be changed by a test."""
    home = tmp_path_factory.mktemp("built") / "home"
    result = run_kido(home, "build", "--as-of", AS_OF, "--publish")
    assert result.returncode == 0, result.stdout + result.stderr
    (home / "build.out").write_text(result.stdout)
    (home / "build.err").write_text(result.stderr)
    return home


@pytest.fixture
def home(built: Path, tmp_path: Path) -> Path:
    """A copy of the built warehouse that a test may change."""
    copy = tmp_path / "home"
    shutil.copytree(built, copy, ignore=shutil.ignore_patterns("dagster"))
    return copy


@pytest.fixture(scope="session")
def published(built: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The published file, read-only."""
    with duckdb.connect(str(built / "kido.duckdb"), read_only=True) as connection:
        yield connection


@pytest.fixture(scope="session")
def rows(published: duckdb.DuckDBPyConnection) -> Callable[..., list[tuple[Any, ...]]]:
    """Rows of a query on the published file."""

    def ask(sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = published.execute(sql, list(parameters)).fetchall()
        return found

    return ask
