"""Each script of `benchmarks/` still runs: at night once, at its smallest size. No figures here."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.conftest import CHECKOUT, SHARED, needs_shared
from tests.nightly import nightly

ROWS = "2000"
ARCHIVE = "ARCHIVE"
"""Stands for a generated archive of so many rows."""

YEAR = str(SHARED / "data" / "comtrade_raw" / "comtrade_2024.csv.gz")
BACI = str(SHARED / "data" / "baci" / "baci_2024.csv")

SMALLEST: Mapping[str, tuple[str, ...]] = {
    "build.py": ("--rounds", "1"),
    "changes.py": ("--rounds", "1"),
    "checks.py": ("--rows", ROWS, "--rounds", "1"),
    "checksums.py": ("--rows", ROWS, "--pairs", "1"),
    "documents.py": ("--rounds", "1"),
    "event_study_size.py": ("--dates", "20"),
    "floor.py": (ARCHIVE, "floor.duckdb"),
    "generated_baci.py": ("BACI_HS22_V202601.zip", "--rows", ROWS),
    "models.py": ("--rows", "20000", "40000"),
    "reconciliation.py": (YEAR, BACI, "--picture", "picture.svg"),
    "rows.py": ("--rows", ROWS, "--rounds", "1"),
    "unchecked.py": ("baci", ARCHIVE),
}
"""The arguments with which a script measures least."""

PART_OF_ANOTHER = {"reconciliation_picture.py"}
"""Only imported by another script."""


def test_each_benchmark_has_a_smallest_size() -> None:
    scripts = {path.name for path in (CHECKOUT / "benchmarks").glob("*.py")}
    assert scripts - {"__init__.py"} == SMALLEST.keys() | PART_OF_ANOTHER


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("archive")
    run("generated_baci.py", SMALLEST["generated_baci.py"], folder)
    return folder / "BACI_HS22_V202601.zip"


def run(script: str, arguments: tuple[str, ...], folder: Path) -> str:
    """What the script prints, with a home and a working directory of its own."""
    result = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{script.removesuffix('.py')}", *arguments],
        cwd=folder, capture_output=True, text=True, check=False,
        env={
            **os.environ, "PYTHONPATH": str(CHECKOUT), "KIDO_HOME": str(folder / "home"),
            "KIDO_SCOPE": "all",
        },
    )  # fmt: skip
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@nightly
@pytest.mark.parametrize(
    "script",
    [
        pytest.param(name, marks=needs_shared if YEAR in arguments else ())
        for name, arguments in SMALLEST.items()
    ],
)
def test_a_benchmark_runs_at_its_smallest_size(script: str, archive: Path, tmp_path: Path) -> None:
    arguments = tuple(str(archive) if each == ARCHIVE else each for each in SMALLEST[script])
    run(script, arguments, tmp_path)
