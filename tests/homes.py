"""Warehouses that are built once per code and day, for all tests of all workers and later runs.

They lie in pytest's cache. Nobody changes them: whoever wants to change one copies it.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

from filelock import FileLock

CHECKOUT = Path(__file__).resolve().parents[1]
HOMES = CHECKOUT / ".pytest_cache" / "homes"
KEPT = 2
"""So many homes of a name are kept: that of this code, and that of the code before."""

GENERATED = {"__pycache__", "target", "logs", "generated"}


@cache
def content_key() -> str:
    """A hash of all that a build is made by: code, models, bundled figures, locked libraries."""
    digest = hashlib.blake2b(repr(sys.version_info).encode(), digest_size=8)
    for file in sorted(_files()):
        digest.update(str(file.relative_to(CHECKOUT)).encode())
        digest.update(hashlib.blake2b(file.read_bytes()).digest())
    return digest.hexdigest()


def _files() -> Iterator[Path]:
    yield CHECKOUT / "requirements.lock"
    yield from (CHECKOUT / "tests" / name for name in ("bundled.py", "homes.py"))
    for room in ("dagster_project", "dbt"):
        for folder, folders, names in os.walk(CHECKOUT / room):
            folders[:] = [name for name in folders if name not in GENERATED]
            yield from (Path(folder) / name for name in names)


def built_once(name: str, day: str, make: Callable[[Path], None]) -> Path:
    """The folder that `make` fills, of this code and day; made by the first that asks for it."""
    HOMES.mkdir(parents=True, exist_ok=True)
    folder = HOMES / f"{name}-{day}-{content_key()}"
    record = folder.with_suffix(".files")
    with FileLock(folder.with_suffix(".lock")):
        if not record.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            record.write_text(_state(folder), "utf8")
            _remove_old(name)
    return folder


def changed(folder: Path) -> list[str]:
    """What a test has changed in a folder that is not to be changed, but for logs of Dagster."""
    before = set(folder.with_suffix(".files").read_text("utf8").splitlines())
    return sorted(before ^ set(_state(folder).splitlines()))


def _state(folder: Path) -> str:
    """The files with size and time of change; Dagster's records and locks may be opened."""
    files = (
        file
        for file in sorted(folder.rglob("*"))
        if file.is_file() and file.suffix != ".lock" and "dagster" not in file.parts
    )
    return "\n".join(
        f"{file.relative_to(folder)} {file.stat().st_size} {file.stat().st_mtime_ns}"
        for file in files
    )


def _remove_old(name: str) -> None:
    records = sorted(HOMES.glob(f"{name}-*.files"), key=lambda record: record.stat().st_mtime)
    for record in records[:-KEPT]:
        record.unlink()
        shutil.rmtree(record.with_suffix(""), ignore_errors=True)
        record.with_suffix(".lock").unlink(missing_ok=True)


def copy_of(home: Path, folder: Path) -> Path:
    """A copy of a home in a folder, without what Dagster has recorded there.

    Files of DuckDB are linked: the product replaces them and writes none in place.
    """
    copy = folder / "home"
    return Path(
        shutil.copytree(
            home, copy, ignore=shutil.ignore_patterns("dagster"), copy_function=_link_or_copy
        )
    )


def _link_or_copy(source: str, target: str) -> str:
    if source.endswith(".duckdb"):
        with contextlib.suppress(OSError):  # Another file system.
            os.link(source, target)
            return target
    return str(shutil.copy2(source, target))
