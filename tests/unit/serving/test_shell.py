"""The environment of the SQL client for the terminal: made once, whole or not at all, pinned."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from dagster_project.errors import KidoError
from dagster_project.serving import shell

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[Sequence[str]]:
    """The commands of an installation, which makes an environment without a network."""
    found: list[Sequence[str]] = []

    def run(command: Sequence[str], **_: object) -> subprocess.CompletedProcess[str]:
        found.append(command)
        if "venv" in command:
            python = Path(command[-1]) / "bin" / "python"
            python.parent.mkdir(parents=True)
            python.touch()
        return subprocess.CompletedProcess(list(command), 0, "", "")

    monkeypatch.setattr(shell.subprocess, "run", run)
    return found


def test_every_package_is_pinned_by_version_and_hash() -> None:
    packages = re.split(r"\n(?=\w)", shell.LOCK.read_text("utf8").partition("\nclick")[2])
    assert len(packages) > 30
    for package in packages:
        assert "==" in package
        assert "--hash=sha256:" in package
    assert "://" not in shell.LOCK.read_text("utf8")


@pytest.mark.parametrize("has_uv", [True, False])
def test_it_is_installed_once_and_says_what_and_where(
    tmp_path: Path,
    commands: list[Sequence[str]],
    monkeypatch: pytest.MonkeyPatch,
    has_uv: bool,
) -> None:
    monkeypatch.setattr(shell.shutil, "which", lambda *_, **__: "uv" if has_uv else None)
    lines: list[str] = []
    python = shell.installed(tmp_path, lines.append)
    assert python.exists()
    assert lines == [
        f"Installing Harlequin {shell.harlequin_version()}, a SQL client for the terminal (MIT "
        f"licence), with the packages it needs from PyPI into {python.parents[1]}; once, about "
        "290 MB."
    ]
    assert (len(commands), commands[0][0] == "uv") == (2, has_uv)
    assert {"--require-hashes", str(shell.LOCK)} <= set(commands[1])
    assert shell.installed(tmp_path, lines.append) == python
    assert (len(commands), len(lines)) == (2, 1)


def test_another_lock_has_another_environment(
    tmp_path: Path, commands: list[Sequence[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = shell.installed(tmp_path, lambda _: None)
    lock = tmp_path / "shell.lock"
    lock.write_text("harlequin==9.9.9\n")
    monkeypatch.setattr(shell, "LOCK", lock)
    assert shell.installed(tmp_path, lambda _: None) != first
    assert first.exists()


def test_an_installation_that_fails_leaves_nothing_and_gives_the_reason(
    tmp_path: Path, commands: list[Sequence[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    make: Run = shell.subprocess.run

    def run(command: Sequence[str], **more: object) -> subprocess.CompletedProcess[str]:
        if "venv" in command:
            return make(command, **more)
        return subprocess.CompletedProcess(list(command), 1, "", "ERROR: no index.\n")

    monkeypatch.setattr(shell.subprocess, "run", run)
    with pytest.raises(KidoError) as failed:
        shell.installed(tmp_path, lambda _: None)
    assert str(failed.value) == (
        "Harlequin cannot be installed: ERROR: no index. It comes from PyPI, which must be "
        "reachable; kido query needs nothing more."
    )
    assert [path.suffix for path in tmp_path.iterdir()] == [".lock"]


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    taken = tmp_path / "cache"
    taken.touch()
    with pytest.raises(KidoError, match=f"cannot be installed: .*{taken}"):
        shell.installed(taken, lambda _: None)


@pytest.mark.parametrize("language", ["C", "POSIX", "C.UTF-8"])
def test_without_a_language_it_is_not_asked_about_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    monkeypatch.setenv("LC_ALL", language)
    assert shell.command(tmp_path / "python")[-2:] == ["--locale", "C"]


def test_a_language_of_the_user_is_left_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shell.locale, "setlocale", lambda *_: "ja_JP.UTF-8")
    assert shell.command(tmp_path / "python")[-1] == "--read-only"


def test_it_needs_a_terminal(tmp_path: Path) -> None:
    with pytest.raises(KidoError, match="kido shell needs a terminal"):
        shell.open_shell(tmp_path / "kido.duckdb")
