"""The folder one run builds in, and what its steps leave there for the next.

Steps may run in one process or in several, so what they tell each other goes through this folder.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dagster_project.lake.store import write_atomically
from dagster_project.quality.results import CheckResult, from_json, to_json
from dagster_project.serving.publication import Release

LEFTOVER_AGE_S = 900
"""A folder without a living owner is kept this long, since another step may still come."""


@dataclass(frozen=True)
class Build:
    """A run's private folder: `kido.duckdb`, the release it is to become, the checks' results."""

    directory: Path

    @property
    def file(self) -> Path:
        return self.directory / "kido.duckdb"

    def start(self, release: Release, inputs: str | None, models: str) -> None:
        """Open the folder for a release, made from what `inputs` is the hash of.

        `models` is the version of the dbt project it is built with.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        write_atomically(self.directory / "models", models.encode())
        if inputs:
            write_atomically(self.directory / "inputs", inputs.encode())
        write_atomically(self.directory / "release.json", release.model_dump_json().encode())
        write_atomically(self.directory / "owner", str(os.getpid()).encode())

    @property
    def inputs(self) -> str | None:
        path = self.directory / "inputs"
        return path.read_text("utf8") if path.exists() else None

    @property
    def models(self) -> str | None:
        path = self.directory / "models"
        return path.read_text("utf8") if path.exists() else None

    @property
    def release(self) -> Release:
        return Release.model_validate_json((self.directory / "release.json").read_bytes())

    def keep_checks(self, stage: str, results: Sequence[CheckResult]) -> None:
        """Keep the results of a stage (`lake`, `dbt`, `marts`)."""
        payload = json.dumps(to_json(list(results)), default=str).encode()
        write_atomically(self.directory / f"checks-{stage}.json", payload)

    def checks(self, stage: str) -> list[CheckResult]:
        path = self.directory / f"checks-{stage}.json"
        return from_json(json.loads(path.read_bytes())) if path.exists() else []

    def declare_complete(self) -> None:
        """Say that every model is built and every test passed: this may be published."""
        pointer = self.directory.parent / "complete"
        write_atomically(pointer, self.directory.name.encode())


def complete_build(build_dir: Path) -> Build | None:
    """The last build that was whole, from this run or an earlier one."""
    pointer = build_dir / "complete"
    if not pointer.exists():
        return None
    build = Build(build_dir / pointer.read_text("utf8"))
    return build if build.file.exists() else None


def sweep(build_dir: Path, keep: Path) -> None:
    """Remove what earlier runs left: all folders but the last whole build and those in use."""
    complete = complete_build(build_dir)
    kept = {keep, complete.directory if complete else keep}
    for folder in build_dir.iterdir() if build_dir.exists() else ():
        if folder.is_dir() and folder not in kept and not _in_use(folder):
            shutil.rmtree(folder, ignore_errors=True)


def _in_use(folder: Path) -> bool:
    try:
        os.kill(int((folder / "owner").read_text("utf8")), 0)
    except (OSError, ValueError):
        return time.time() - folder.stat().st_mtime < LEFTOVER_AGE_S
    return True
