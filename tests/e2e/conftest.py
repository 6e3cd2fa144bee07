"""Warehouses as a user gets them: built once by the command line, each in its own home.

`built` is of the bundled figures, as of a fixed day. Where these do not matter a test begins with
`home`: of the same figures but for the flows of most codes before 2024 (`tests.bundled`), in a
ninth of the rows, and of today: only builds of today are compared with the current release.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from tests import bundled, homes
from tests.conftest import CHECKOUT, made_once
from tests.forked import Command
from tests.homes import copy_of

if TYPE_CHECKING:
    from tests.e2e.work import Work

AS_OF = "2026-11-25"
BUNDLED = "bundled"
"""A home next to a folder of this name uses the bundled files from it."""


def run_kido(home: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command line as a user would, on its own home."""
    return start_kido(home, *arguments, **environment).wait()


def start_kido(
    home: Path, *arguments: str, prepare: Callable[[], None] | None = None, **environment: str
) -> Command:
    return Command(
        *arguments,
        environment={**clean_environment(), "KIDO_HOME": str(home), **environment},
        prepare=partial(_prepare, home.parent / BUNDLED, prepare),
    )


def _prepare(folder: Path, prepare: Callable[[], None] | None) -> None:
    if folder.exists():
        bundled.use(folder)
    if prepare:
        prepare()


def clean_environment() -> dict[str, str]:
    """The environment without settings of Kido or Dagster that a developer may have set."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("KIDO_", "DAGSTER_"))
    }


@pytest.fixture(scope="session")
def built() -> Iterator[Path]:
    """The home of a warehouse published as of a fixed day. Not to be changed by a test.

    By a process as a terminal starts it: nothing is imported or prepared before.
    """

    def make(folder: Path) -> None:
        home = folder / "home"
        result = subprocess.run(
            [sys.executable, "-m", "dagster_project.cli", "build", "--as-of", AS_OF, "--publish"],
            cwd=CHECKOUT, env={**clean_environment(), "KIDO_HOME": str(home)},
            capture_output=True, text=True, timeout=600, check=False,
        )  # fmt: skip
        assert result.returncode == 0, result.stdout + result.stderr
        (home / "build.out").write_text(result.stdout)
        (home / "build.err").write_text(result.stderr)

    made = homes.built_once("built", AS_OF, make)
    yield made / "home"
    assert homes.changed(made) == []


@pytest.fixture(scope="session")
def small() -> Iterator[Path]:
    """Built as of today, with few flows. Not to be changed by a test."""

    def make(folder: Path) -> None:
        bundled.few_flows(folder / BUNDLED)
        result = run_kido(folder / "home", "build")
        assert result.returncode == 0, result.stdout + result.stderr

    made = homes.built_once("small", datetime.now(UTC).date().isoformat(), make)
    yield made / "home"
    assert homes.changed(made) == []


@pytest.fixture(scope="session")
def work(small: Path, few_flows: Path, tmp_path_factory: pytest.TempPathFactory) -> Work:
    """A day of work and what came of it (`tests.e2e.work`). Not to be changed by a test."""
    from tests.e2e.work import Work, day_of_work

    return Work(
        made_once(tmp_path_factory, "work", partial(day_of_work, small=small, few_flows=few_flows))
    )


@pytest.fixture
def folder(bundled_with_few_flows: Path, tmp_path: Path) -> Path:
    """The folder in which homes have few flows."""
    (tmp_path / BUNDLED).symlink_to(bundled_with_few_flows)
    return tmp_path


def day_of(home: Path) -> str:
    """The day that a home is published for: with it nothing is due, also after midnight."""
    with duckdb.connect(str(home / "kido.duckdb"), read_only=True) as connection:
        found = connection.execute(
            "select as_of::varchar from catalog.releases order by release_id desc limit 1"
        ).fetchone()
    assert found is not None
    return str(found[0])


@pytest.fixture
def home(small: Path, folder: Path) -> Path:
    """A copy of a built warehouse that a test may change."""
    return copy_of(small, folder)


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
