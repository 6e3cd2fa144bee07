"""What `make` shows while it sets up, and that it shows nothing of it afterwards.

With stand-ins for Python, uv and kido: the real set-up takes a minute and a network.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import CHECKOUT

PYTHON = """\
#!/bin/sh
case "$1 $2" in
  "--version ") echo "Python 3.12.4";;
  "-m pip") echo "$*" >> pip.log;;
  "-m tests.parts" | "-m tests.defects") echo "$*"; [ ! -e broken ];;
  "-m venv") mkdir -p .venv/bin; cp stand-ins/* .venv/bin; cp "$0" .venv/bin/python;;
esac
"""
KIDO = '#!/bin/sh\necho "kido $*"\n'
UV = """\
#!/bin/sh
[ ! -e slow ] || sleep 1.5
[ ! -e broken ] || { echo 'error: no such version' >&2; exit 2; }
"""

MAKING = "Making .venv with Python 3.12.4"
INSTALLING = [
    "Installing the locked packages, 2 in requirements.lock",
    "Installing Kido",
    "kido prepare",  # by the stand-in only
]
READY = "Ready: make warehouse builds the warehouse, make dev opens the UI"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout without an environment."""
    shutil.copy(CHECKOUT / "Makefile", tmp_path)
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "requirements-uv.lock").touch()
    (tmp_path / "requirements.lock").write_text(
        "# Generated\nagate==1.9.1 \\\n    --hash=sha256:1c\n    # via dbt\n"
        "babel==2.16 ; sys_platform == 'win32'\n"
    )
    (tmp_path / "stand-ins").mkdir()
    for name, text in (("my-python", PYTHON), ("stand-ins/kido", KIDO), ("stand-ins/uv", UV)):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    return tmp_path


def make(checkout: Path, target: str, **variables: str) -> subprocess.CompletedProcess[str]:
    # The tests may be run by make, which would make this one its child.
    environment = {name: value for name, value in os.environ.items() if "MAKE" not in name}
    return subprocess.run(
        [
            "make", target, f"PYTHON={checkout / 'my-python'}",
            *(f"{name}={value}" for name, value in variables.items()),
        ],
        cwd=checkout, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_a_set_up_names_each_step(checkout: Path) -> None:
    first = make(checkout, "setup")
    assert (first.returncode, first.stderr) == (0, "")
    assert first.stdout.splitlines() == [MAKING, *INSTALLING, READY]
    assert make(checkout, "setup").stdout.splitlines() == [READY]


def test_an_installation_says_while_it_lasts_that_it_goes_on(checkout: Path) -> None:
    (checkout / "slow").touch()
    first = make(checkout, "setup", TICK_S="1")
    assert (first.returncode, first.stderr) == (0, "")
    assert first.stdout.splitlines() == [
        MAKING, INSTALLING[0], "  1 s so far", *INSTALLING[1:], READY,
    ]  # fmt: skip


def test_every_target_sets_up_first_and_later_shows_nothing_of_it(checkout: Path) -> None:
    first = make(checkout, "warehouse")
    assert first.stdout.splitlines() == [MAKING, *INSTALLING, "kido build"]
    again = make(checkout, "warehouse")
    assert (again.stdout, again.stderr) == ("kido build\n", "")


@pytest.mark.parametrize(
    ("target", "variables", "expected"),
    [
        ("test", {}, "-m tests.parts day"),
        ("nightly", {}, "-m tests.parts night"),
        ("nightly", {"PART": "kills"}, "-m tests.parts night --part kills"),
        ("defects", {"OPTIONS": "--only 3"}, "-m tests.defects --only 3"),
    ],
)
def test_a_part_that_fails_is_the_failure_of_make(
    target: str, variables: dict[str, str], expected: str, checkout: Path
) -> None:
    passed = make(checkout, target, **variables)
    assert (passed.returncode, passed.stdout.splitlines()[-1]) == (0, expected)
    (checkout / "broken").touch()
    failed = make(checkout, target, **variables)
    assert (failed.returncode, failed.stdout) == (2, f"{expected}\n")


def test_other_locked_versions_are_installed_into_the_same_environment(checkout: Path) -> None:
    make(checkout, "setup")
    lock = checkout / "requirements.lock"
    lock.write_text(f"{lock.read_text()}croniter==6.0\n")
    later = (checkout / ".venv" / ".ready").stat().st_mtime + 10
    os.utime(lock, (later, later))
    lines = make(checkout, "setup").stdout.splitlines()
    assert lines[:2] == [
        "Using .venv with Python 3.12.4",
        "Installing the locked packages, 3 in requirements.lock",
    ]


def test_a_step_that_fails_is_the_last_one_named(checkout: Path) -> None:
    (checkout / "broken").touch()
    failed = make(checkout, "setup")
    assert failed.returncode != 0
    assert failed.stdout.splitlines() == [MAKING, INSTALLING[0]]
    assert "error: no such version" in failed.stderr
    (checkout / "broken").unlink()
    assert make(checkout, "setup").stdout.splitlines()[-1] == READY


def test_the_installer_is_of_a_version_and_a_hash(checkout: Path) -> None:
    make(checkout, "setup")
    (called,) = (checkout / "pip.log").read_text().splitlines()
    assert "--require-hashes -r requirements-uv.lock" in called
    lock = (CHECKOUT / "requirements-uv.lock").read_text()
    (requirement,) = re.findall(r"^[a-z].*$", lock, re.MULTILINE)
    assert re.fullmatch(r"uv==[0-9.]+ \\", requirement)
    assert len(re.findall(r"--hash=sha256:[0-9a-f]{64}\b", lock)) > 10


def test_actions_are_pinned_by_their_commit() -> None:
    uses = [
        line
        for file in (CHECKOUT / ".github" / "workflows").glob("*.yml")
        for line in file.read_text().splitlines()
        if "uses:" in line
    ]
    assert uses
    assert [line for line in uses if not re.search(r"@[0-9a-f]{40} # v[0-9.]+$", line)] == []


@pytest.mark.parametrize("name", [".env", ".env.local", "deploy/.env"])
def test_a_file_of_secrets_is_ignored_by_git(name: str) -> None:
    result = subprocess.run(["git", "check-ignore", name], cwd=CHECKOUT, check=False)
    assert result.returncode == 0
