"""A clock that stood ahead by a year, around whole processes, and then went back."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import CHECKOUT
from tests.e2e.conftest import BUNDLED, clean_environment
from tests.nightly import nightly

pytestmark = [
    nightly,
    pytest.mark.skipif(
        shutil.which("faketime") is None, reason="a false clock needs faketime (Debian's package)"
    ),
]

A_YEAR_AHEAD = ("faketime", "-f", "+365d")

WITH_FEW_FLOWS = """
import sys
from pathlib import Path
from tests import bundled
bundled.use(Path(sys.argv.pop(1)))
from dagster_project.cli import main
main()
"""


def kido(home: Path, *arguments: str, clock: tuple[str, ...] = ()) -> tuple[int, str, str]:
    done = subprocess.run(
        [*clock, sys.executable, "-c", WITH_FEW_FLOWS, str(home.parent / BUNDLED), *arguments],
        cwd=CHECKOUT, capture_output=True, text=True, check=False, timeout=1500,
        env={**clean_environment(), "KIDO_HOME": str(home), "FAKETIME_DONT_FAKE_MONOTONIC": "1"},
    )  # fmt: skip
    return done.returncode, done.stdout, " ".join(done.stderr.split())


def current(home: Path) -> list[str]:
    """The current release, and all that were published."""
    code, listed, errors = kido(home, "releases", "--json")
    assert code == 0, errors
    releases = json.loads(listed)
    (now,) = [release["release_id"] for release in releases if release["is_current"]]
    return [now, *(release["release_id"] for release in releases)]


def test_after_a_year_ahead_and_back_every_build_is_published(folder: Path) -> None:
    home = folder / "home"
    code, _, errors = kido(home, "build", clock=A_YEAR_AHEAD)
    assert code == 0, errors
    (ahead, *_) = current(home)

    code, _, errors = kido(home, "build")
    assert code == 0, errors
    assert f"Release {ahead} is from the future" in errors
    first, *listed = current(home)
    assert listed == [ahead, first]
    assert first > ahead

    code, _, errors = kido(home, "build", "--force")
    assert code == 0, errors
    second, *listed = current(home)
    assert listed == [ahead, first, second]

    code, _, errors = kido(home, "rollback")
    assert code == 0, errors
    assert current(home)[0] == first
