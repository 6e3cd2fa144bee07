"""The folder of one run's build, and the data its steps leave there for later steps.

Steps may run in one process or in several, so they share data through this folder.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel, RootModel

from dagster_project.errors import KidoError, PublicationError, listed
from dagster_project.intake.stores import landing_of
from dagster_project.lake.build_file import work_file
from dagster_project.lake.records import (
    read_name,
    read_record_file,
    with_checksum,
    write_record_file,
)
from dagster_project.lake.space import MB, require_room
from dagster_project.lake.store import write_atomically
from dagster_project.orchestration.processes import is_alive
from dagster_project.quality.results import CheckResult, from_json, to_json
from dagster_project.serving.gate import snapshots_of
from dagster_project.serving.publication import Release, published_releases
from dagster_project.settings import Settings
from dagster_project.sources.registry import source_names

NEW_FOR_S = 60
"""A folder without an owner is kept this long: its owner may be about to write its name."""

STAGES = ("lake", "dbt", "marts")
"""The stages whose checks have results, in their order."""

SEAL = "seal.json"
"""File with the SHA-256 of what was checked, in the folder of a build: nothing else is published.
"""

BLOCKED_RECORD = "held"
"""File with the losses, in the folder of a blocked build; earlier versions wrote it as well."""

MOST_BLOCKED = 3
"""Number of blocked builds, waiting for acceptance, that are kept."""

LEAST_ROOM = 70 * MB
"""The first build of the bundled figures takes 60 MB: 20 to build in, 10 each for the copy that is
compared with its seal, the release and the published file, 5 each for the run's log and the
documents with their rows."""

ROOM_PER_PUBLISHED = 6
"""Bytes that a build needs per published byte: 2 to build in (1.1 for many rows), 1 each for the
copy that is compared with its seal, the release and the file to be swapped in, 0.5 for the run's
log, and 0.5 for growth."""


def require_room_to_build(settings: Settings) -> None:
    """Raise DiskFullError if the disk has no room for a build."""
    require_room([settings.home], room_to_build(settings), "a build")


def room_to_build(settings: Settings) -> int:
    """Bytes that a build needs on the disk of the home."""
    published = settings.published_file
    size = published.stat().st_size if published.exists() else 0
    return max(LEAST_ROOM, ROOM_PER_PUBLISHED * size)


class _Checks(BaseModel):
    """The results of the checks of a stage, as `quality.results` writes them."""

    checks: list[dict[str, Any]]


class _Seal(RootModel[dict[str, str]]):
    """SHA-256 by the name of a file of the build."""


@dataclass(frozen=True)
class Build:
    """A run's private folder: `kido.duckdb` and its work file, the release, the checks' results."""

    directory: Path

    @property
    def file(self) -> Path:
        return self.directory / "kido.duckdb"

    @property
    def files(self) -> tuple[Path, Path]:
        """The file of the marts, and the one of their inputs."""
        return self.file, work_file(self.file)

    def claim(self, process: str) -> None:
        """Record the process that executes the run, so that its folder is kept while it runs."""
        write_atomically(self.directory / "owner", process.encode())

    @property
    def owner(self) -> str | None:
        return read_name(self.directory / "owner")

    def start(self, release: Release, inputs: str | None, models: str, engine: str = "") -> None:
        """Create the folder for a release.

        `inputs` is the hash of its inputs, None for a partial build; `models` is the version of
        the dbt project, `engine` that of what builds it (`fingerprints.engine`).
        """
        write_atomically(self.directory / "models", models.encode())
        write_atomically(self.directory / "engine", engine.encode())
        if inputs:
            write_atomically(self.directory / "inputs", inputs.encode())
        write_record_file(self.directory / "release.json", release)

    @property
    def _remedy(self) -> str:
        return f"Remove the folder {self.directory}; kido build makes such a build again."

    @property
    def inputs(self) -> str | None:
        return read_name(self.directory / "inputs")

    @property
    def models(self) -> str | None:
        return read_name(self.directory / "models")

    @property
    def engine(self) -> str | None:
        return read_name(self.directory / "engine")

    @property
    def release(self) -> Release:
        return read_record_file(self.directory / "release.json", Release, self._remedy)

    def keep_checks(self, stage: str, results: Sequence[CheckResult]) -> None:
        """Store the results of one of the STAGES."""
        payload = json.dumps({"checks": to_json(list(results))}, default=str).encode()
        write_atomically(self._checks_file(stage), with_checksum(payload))

    def checks(self, stage: str) -> list[CheckResult]:
        """The results of a stage. Raises PublicationError if there are none, and DamagedError."""
        try:
            record = read_record_file(self._checks_file(stage), _Checks, self._remedy)
        except FileNotFoundError:
            raise PublicationError(
                f"The results of the checks of the {stage} are missing in {self.directory}.",
                hint="Build again: kido build --full.",
            ) from None
        release_id = self.release.release_id
        return [
            replace(result, checked_in=result.checked_in or release_id)
            for result in from_json(record.checks)
        ]

    def _checks_file(self, stage: str) -> Path:
        return self.directory / f"checks-{stage}.json"

    def seal(self) -> None:
        """Record the SHA-256 of the build, its release and its checks, when these are complete."""
        work = {self.files[1].name: _sha256(self.files[1])}
        write_record_file(self.directory / SEAL, _Seal(self._hashes(self.file) | work))

    def _hashes(self, file: Path) -> dict[str, str]:
        """SHA-256 by name, with `file` as the build file; of files that are missing, empty."""
        named = [self.directory / "release.json", *map(self._checks_file, STAGES)]
        files = {self.file.name: file} | {path.name: path for path in named}
        return {name: _sha256(path) for name, path in files.items()}

    def require_sealed(self, file: Path) -> None:
        """Raise PublicationError unless `file`, a copy of the build, and the records beside it are
        what was checked.
        """
        record = self.directory / SEAL
        again = "Build again: kido build --full."
        if not record.exists():
            raise PublicationError(
                f"{record} is missing: nothing records what was checked of this build.",
                hint=f"Its checks did not all run, or an earlier version made it. {again}",
            )
        hashes = self._hashes(file)
        sealed = read_record_file(record, _Seal, again).root
        missing = sorted(name for name, sha256 in hashes.items() if not sha256)
        if missing:
            raise PublicationError(f"{self._named(missing)} is missing.", hint=again)
        changed = sorted(name for name, sha256 in hashes.items() if sealed.get(name) != sha256)
        if changed:
            raise PublicationError(
                f"{self._named(changed)} was changed after the checks of this build.", hint=again
            )

    def is_as_sealed(self) -> bool:
        """Whether both files and the records beside them are what was checked."""
        try:
            self.require_sealed(self.file)
            sealed = read_record_file(self.directory / SEAL, _Seal, self._remedy).root
        except KidoError:
            return False
        return sealed.get(self.files[1].name) == _sha256(self.files[1])

    def _named(self, names: Sequence[str]) -> str:
        return listed([str(self.directory / name) for name in names])

    def block(self, losses: str) -> None:
        """Block its publication until a person accepts that readers lose data."""
        write_atomically(self.directory / BLOCKED_RECORD, losses.encode())

    @property
    def blocked_for(self) -> str | None:
        """The losses that block it, as sentences; None for a build that is not blocked."""
        path = self.directory / BLOCKED_RECORD
        return path.read_text("utf8", errors="replace") if path.exists() else None

    def declare_complete(self, *, is_replay: bool) -> None:
        """Record that every model is built and every blocking check passed: it may be published."""
        write_atomically(_pointer(self.directory.parent, is_replay), self.directory.name.encode())


def complete_build(build_dir: Path, *, is_replay: bool = False) -> Build | None:
    """The last complete build (or replay), from this run or an earlier one."""
    run = read_name(_pointer(build_dir, is_replay))
    build = Build(build_dir / run) if run else None
    return build if build and build.file.exists() else None


def known_releases(settings: Settings) -> list[str]:
    """The ids of the published releases and of the builds: those that a new release follows."""
    published = [release.release_id for release in published_releases(settings)]
    records = settings.build_dir.glob("*/release.json")
    return [*published, *(Build(record.parent).release.release_id for record in records)]


def withdrawn_from(settings: Settings, build: Build) -> str:
    """The withdrawn snapshots that a build was made from, as text; empty without any."""
    return listed(sorted(withdrawn_snapshots(settings) & snapshots_of(build.file)))


def withdrawn_snapshots(settings: Settings) -> set[str]:
    """The withdrawn snapshots of all sources."""
    landing = landing_of(settings)
    return {snapshot for source in source_names() for snapshot in landing.withdrawn(source)}


def blocked_builds(build_dir: Path) -> list[Build]:
    """The last MOST_BLOCKED builds that wait for acceptance, oldest first."""
    builds = [Build(record.parent) for record in build_dir.glob(f"*/{BLOCKED_RECORD}")]
    return sorted(
        (build for build in builds if build.file.exists()),
        key=lambda build: build.release.release_id,
    )[-MOST_BLOCKED:]


def discard_blocked(build_dir: Path, until: str) -> None:
    """Stop keeping blocked builds that are not newer than the published release `until`."""
    for build in blocked_builds(build_dir):
        if build.release.release_id <= until:
            (build.directory / BLOCKED_RECORD).unlink(missing_ok=True)


def leftovers(build_dir: Path) -> list[Path]:
    """Folders not needed any more: of no last complete build, no blocked one, and not in use."""
    complete = [complete_build(build_dir, is_replay=is_replay) for is_replay in (False, True)]
    needed = {build.directory for build in (*complete, *blocked_builds(build_dir)) if build}
    return [
        folder
        for folder in (build_dir.iterdir() if build_dir.exists() else ())
        if folder.is_dir() and folder not in needed and not _is_in_use(Build(folder))
    ]


def sweep(build_dir: Path) -> None:
    """Remove leftover folders of earlier runs."""
    for folder in leftovers(build_dir):
        shutil.rmtree(folder, ignore_errors=True)


def _sha256(file: Path) -> str:
    """The hash of a file; empty if it is missing."""
    try:
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except FileNotFoundError:
        return ""


def _pointer(build_dir: Path, is_replay: bool) -> Path:
    # A replay is separate from builds of today: a partial build of today needs one of today.
    return build_dir / ("complete-replay" if is_replay else "complete")


def _is_in_use(build: Build) -> bool:
    if build.owner is not None:
        return is_alive(build.owner)
    try:
        return time.time() - build.directory.stat().st_mtime < NEW_FOR_S
    except FileNotFoundError:
        return False
