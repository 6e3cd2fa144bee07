"""Space is required before work starts; errors of a full disk end in one sentence."""

import errno
import os
import shutil
import sqlite3
from pathlib import Path
from types import SimpleNamespace

import duckdb
import pytest

from dagster_project.errors import DiskFullError
from dagster_project.lake.space import MB, disk_full, no_access, require_room, require_room_to_land


def leave(free: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=free))


def test_work_that_has_no_room_reports_what_is_full_and_what_is_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave(12 * MB, monkeypatch)
    home = tmp_path / "not" / "there" / "yet"
    require_room([home], 12 * MB, "a build")
    with pytest.raises(DiskFullError) as raised:
        require_room([home], 70 * MB, "a build")
    assert str(raised.value) == f"The disk of {home} has 12 MB left; a build needs about 70 MB."
    # A document of 2 MB and its rows take 4 MB, what is written beside them up to 8.
    require_room_to_land([home], 2 * MB, "landing")
    with pytest.raises(DiskFullError, match="landing needs about 14 MB"):
        require_room_to_land([home], 3 * MB, "landing")


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EDQUOT, "Disk quota exceeded"),
        duckdb.IOException('IO Error: Could not write file "x": No space left on device'),
        sqlite3.OperationalError("database or disk is full"),
        sqlite3.OperationalError("disk I/O error"),
    ],
)
def test_a_full_disk_is_known_by_what_caused_an_error(
    error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave(20_000, monkeypatch)
    try:
        raise RuntimeError("a library's own words") from error
    except RuntimeError as wrapped:
        full = disk_full(wrapped, [tmp_path])
    output = f"The disk of {tmp_path} is full: 20 kB are left. Make room, then run it again."
    assert str(full) == output
    assert str(disk_full(str(error), [tmp_path])) == output


def test_another_error_is_not_that_of_a_full_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave(500 * MB, monkeypatch)
    assert disk_full(OSError(errno.EACCES, "Permission denied"), [tmp_path]) is None
    # With room left it is a disk that is broken.
    assert disk_full(sqlite3.OperationalError("disk I/O error"), [tmp_path]) is None


@pytest.mark.parametrize("code", [errno.EROFS, errno.EACCES, errno.EPERM])
def test_a_folder_that_cannot_be_written_to_is_named(code: int, tmp_path: Path) -> None:
    error = RuntimeError("a step failed")
    error.__cause__ = OSError(code, os.strerror(code), str(tmp_path / "ecb.lock"))
    refusal = no_access(error)
    assert refusal is not None
    assert str(refusal).startswith(f"The folder {tmp_path} cannot be written to (")
    assert no_access(OSError(errno.ENOSPC, "full", str(tmp_path))) is None
    assert no_access(ValueError("x")) is None
