"""`kido shell`: Harlequin, a SQL client for the terminal, on the published file, read-only.

It has an environment of its own in the user's cache, since its pins are not Kido's; made on first
use from `shell.lock`, which names every package by version and hash.
"""

from __future__ import annotations

import hashlib
import locale
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock
from platformdirs import user_cache_path

from dagster_project.errors import KidoError, shortened

LOCK = Path(__file__).with_name("shell.lock")
_READY = ".ready"


def open_shell(published_file: Path, write: Callable[[str], None] = print) -> int:
    """Open the file in Harlequin and wait for its end; returns its exit code.

    `write` gets a line on what is installed. Raises KidoError without a terminal, or where the
    installation fails.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise KidoError(
            "kido shell needs a terminal.", hint='In a pipe: kido query "..." --format csv.'
        )
    python = installed(user_cache_path("kido"), write)
    return subprocess.call([*command(python), str(published_file)])


def command(python: Path) -> list[str]:
    """Harlequin without the file: read-only, whatever the user's own settings of it say.

    Without a language of the user's it would first print a page about that: it gets the locale C.
    """
    language = locale.setlocale(locale.LC_CTYPE, "").partition(".")[0]
    return [
        str(python), "-I", "-m", "harlequin", "--adapter", "duckdb", "--read-only",
        *(["--locale", "C"] if language in ("C", "POSIX") else []),
    ]  # fmt: skip


def installed(cache: Path, write: Callable[[str], None]) -> Path:
    """The Python of Harlequin's environment, which is made if it is not there.

    Each lock and version of Python has its own; two commands at once make it once. Raises KidoError
    where it cannot be installed; then nothing of it is left.
    """
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    digest = hashlib.sha256(LOCK.read_bytes() + version.encode()).hexdigest()[:12]
    folder = cache / f"shell-{digest}"
    python = folder / "bin" / "python"
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with FileLock(cache / f"{folder.name}.lock"):
            if not (folder / _READY).exists() or not python.exists():
                write(
                    f"Installing Harlequin {harlequin_version()}, a SQL client for the terminal "
                    f"(MIT licence), with the packages it needs from PyPI into {folder}; once, "
                    "about 290 MB."
                )
                _install(folder, python)
                (folder / _READY).touch()
    except OSError as error:
        raise KidoError(f"Harlequin cannot be installed: {error}.") from None
    return python


def harlequin_version() -> str:
    """The version in the lock."""
    found = re.search(r"^harlequin==(\S+)", LOCK.read_text("utf8"), re.MULTILINE)
    assert found is not None
    return found[1]


def _install(folder: Path, python: Path) -> None:
    """A new environment with what the lock lists, by uv or, in ten times the time, by pip."""
    shutil.rmtree(folder, ignore_errors=True)
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
    locked = ["--no-deps", "--require-hashes", "-r", str(LOCK)]
    if uv:
        steps = [
            [uv, "venv", "--quiet", "--python", sys.executable, str(folder)],
            [uv, "pip", "install", "--quiet", "--python", str(python), *locked],
        ]
    else:
        steps = [
            [sys.executable, "-m", "venv", str(folder)],
            [
                str(python),
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                *locked,
            ],
        ]
    for step in steps:
        done = subprocess.run(step, capture_output=True, text=True, check=False)
        if done.returncode:
            shutil.rmtree(folder, ignore_errors=True)
            lines = [line.strip() for line in (done.stderr or done.stdout).splitlines()]
            reason = shortened(" ".join(filter(None, lines))) or f"exit code {done.returncode}"
            raise KidoError(
                f"Harlequin cannot be installed: {reason.rstrip('.')}.",
                hint="It comes from PyPI, which must be reachable; kido query needs nothing more.",
            )
