"""docs/operations.md: its commands are run in their order, in folders of this test.

What needs root (`sudo`, `systemctl`, `useradd`, ...) is replaced by programs that write down how
they were called; `kido`, `dagster`, `make`, `install`, `mv`, `cp` and `ln` are the real ones.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from dagster_project.cli import app
from tests.conftest import CHECKOUT
from tests.fakes.receivers import Webhook
from tests.nightly import nightly

PAGE = (CHECKOUT / "docs" / "operations.md").read_text("utf8")
BLOCKS = re.findall(r"^```bash\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
LINES = [line for block in BLOCKS for line in block.splitlines()]

FOLDERS = (
    "/opt/kido", "/var/lib/kido", "/var/backups/kido", "/etc/kido", "/etc/systemd", "/etc/nginx",
    "/usr/local/bin",
)  # fmt: skip

COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]

SECTIONS = dict(
    re.findall(r"^#{2,3} ([^\n]*)\n(.*?)(?=^#{2,3} |\Z)", PAGE, re.MULTILINE | re.DOTALL)
)

RECORDED = "apt-get htpasswd journalctl nginx rsync sudoedit systemctl useradd"
"""Programs that are only written down."""

STUBS = {
    "sudo": 'if [ "$1" = -u ]; then shift 2; fi\nexec "$@"',
    "git": """
case "$*" in
*"rev-parse HEAD") echo 0123456789abcdef0123456789abcdef01234567 ;;
esac""",
    "install": """
options=
while [ $# -gt 0 ]; do
  case "$1" in
  -o | -g) shift 2 ;;
  *) options="$options $1"; shift ;;
  esac
done
exec /usr/bin/install $options""",
    **dict.fromkeys(RECORDED.split(), ""),
}


def options_of(line: str) -> tuple[list[str], list[str]]:
    """The words of a `kido` or `dagster` command of the page, and its options."""
    words = re.sub(r"^sudo (-u kido )?", "", line).split()
    return [word for word in words if not word.startswith("-")], [
        word for word in words if word.startswith("--")
    ]


def test_the_page_has_every_step_as_commands() -> None:
    assert len(BLOCKS) > 15
    assert all(line.startswith(("sudo ", "sudoedit ", "BEFORE=")) for line in LINES)
    assert PAGE.count("```") == 2 * len(BLOCKS)


def test_every_kido_command_on_the_page_exists() -> None:
    inline = re.findall(r"`((?:sudo -u kido )?kido [a-z][^`]*)`", PAGE)
    lines = [*(line for line in LINES if " kido kido " in line), *inline]
    assert len(lines) > 20
    for line in lines:
        (_, name, *_), options = options_of(line)
        assert name in COMMANDS, line
        known = {option for parameter in COMMANDS[name].params for option in parameter.opts}
        assert set(options) <= known, line


def test_every_schedule_and_sensor_on_the_page_exists() -> None:
    from dagster_project.definitions import defs

    repository = defs().get_repository_def()
    known = {
        "schedule": {schedule.name for schedule in repository.schedule_defs},
        "sensor": {sensor.name for sensor in repository.sensor_defs},
    }
    started = re.findall(r"dagster (schedule|sensor) (?:start|stop) (\w+)", PAGE)
    assert started
    for kind, name in started:
        assert name in known[kind]


@pytest.mark.parametrize("title", ["Restore", "Upgrade", "Go back"])
def test_what_is_stopped_is_started_again(title: str) -> None:
    def units(action: str) -> set[str]:
        return set(" ".join(re.findall(f"systemctl {action} (.*)", SECTIONS[title])).split())

    by_the_daemon = {"kido-web.service", "kido-daemon.service", "kido-backup.timer"}
    assert units("stop") == by_the_daemon | {"kido-build.timer"}
    assert units("start") == by_the_daemon
    without = SECTIONS["Without the daemon"]
    assert re.search(rf"\b{title}\b", without)
    assert "`sudo systemctl start kido-build.timer`" in without


def test_the_newer_version_restores_before_the_earlier_one_is_back() -> None:
    """The earlier version may have no `kido restore`. tests/e2e/test_upgrade.py does the same."""
    commands = [
        "kido restore",
        "git -C /opt/kido checkout",
        "make -C /opt/kido setup",
        "kido build",
    ]
    places = [SECTIONS["Go back"].index(command) for command in commands]
    assert places == sorted(places)


def test_every_picture_has_a_description_and_a_line_of_text() -> None:
    pictures = re.findall(r"^!\[(.+)\]\(images/(\w[\w-]*)\.png\)\n\n(\w.*)$", PAGE, re.MULTILINE)
    assert {name for _, name, _ in pictures} == {
        "graph", "late-source", "failed-check", "automation", "published", "backfill",
        "cancelled-run",
    }  # fmt: skip
    assert PAGE.count("![") == len(pictures)


class Server:
    """The folders of a server under one folder, and the programs on its path."""

    def __init__(self, root: Path, alerts: str) -> None:
        self.root = root
        self.calls = root / "calls"
        for folder in ("home", "stubs", "etc/systemd/system", "etc/nginx/conf.d", "usr/local/bin"):
            (root / folder).mkdir(parents=True)
        self._check_out(alerts)
        for name, script in STUBS.items():
            stub = root / "stubs" / name
            stub.write_text(f'#!/bin/sh\necho "{name} $*" >> {self.calls}\n{script}\n')
            stub.chmod(0o755)

    def _check_out(self, alerts: str) -> None:
        """What `git clone` and `make setup` leave, with the paths of this server."""
        checkout = self.root / "opt" / "kido"
        (checkout / ".venv").mkdir(parents=True)
        (checkout / ".venv" / "bin").symlink_to(Path(sys.executable).parent)
        (checkout / ".venv" / ".ready").touch()
        for path in CHECKOUT.iterdir():
            if path.name not in (".venv", ".git", "deploy", "data"):
                (checkout / path.name).symlink_to(path)
        (checkout / "deploy").mkdir()
        for path in (CHECKOUT / "deploy").iterdir():
            text = self.here(path.read_text("utf8"))
            if path.name == "kido.env":
                text += f"KIDO_ALERTS={alerts}\n"
            (checkout / "deploy" / path.name).write_text(text)

    def here(self, text: str) -> str:
        return re.sub(rf"(?<![\w/])({'|'.join(FOLDERS)})\b", rf"{self.root}\1", text)

    def run(self, script: str) -> subprocess.CompletedProcess[str]:
        """Run a script as a person would type it, in an environment without settings."""
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", f"set -x\n{self.here(script)}"],
            cwd=self.root / "home", capture_output=True, text=True, timeout=1800, check=False,
            env={
                "HOME": str(self.root / "home"),
                "PATH": f"{self.root}/stubs:{self.root}/usr/local/bin:/usr/bin:/bin",
                "LANG": os.environ.get("LANG", "C.UTF-8"),
            },
        )  # fmt: skip


@nightly
def test_the_page_leads_from_an_empty_server_to_one_and_back(tmp_path: Path) -> None:
    with Webhook() as hook:
        server = Server(tmp_path, hook.address)
        result = server.run("\n".join(LINES))
    print(result.stdout, result.stderr)
    assert result.returncode == 0, result.stderr[-4000:]
    assert set(hook.titles) == {"Kido: test message"}
    # The home was moved away twice, and restored twice.
    for name in ("kido", "kido.before", "kido.after"):
        assert (tmp_path / "var/lib" / name / "kido.duckdb").exists()
    releases = json.loads(server.run("sudo -u kido kido releases --json").stdout)
    assert [release["is_current"] for release in releases] == [True]
    schedules = server.run("sudo -u kido dagster schedule list").stdout
    switched_on = re.findall(r"^sudo -u kido dagster schedule start (\w+)$", PAGE, re.MULTILINE)
    assert re.findall(r"^Schedule: (\w+) \[RUNNING\]", schedules, re.MULTILINE) == sorted(
        set(switched_on)
    )
    assert len(list((tmp_path / "var/backups/kido/backups").glob("*.json"))) == 3
    assert {path.name for path in (tmp_path / "etc/systemd/system").iterdir()} == {
        path.name for path in (CHECKOUT / "deploy").glob("kido-*.*") if path.suffix != ".sh"
    }
    # Readers are in the group kido: they read figures, and neither keys nor backups.
    modes = {"etc/kido": 0o700, "etc/kido/kido.env": 0o600, "var/backups/kido": 0o700}
    for name, mode in {**modes, "var/lib/kido": 0o750}.items():
        assert (tmp_path / name).stat().st_mode & 0o777 == mode
    shipped = tmp_path / "opt/kido/deploy/dagster.yaml"
    upgraded = tmp_path / "var/lib/kido.after/dagster/dagster.yaml"
    assert upgraded.read_text() == shipped.read_text()
    # Nothing but the folders of the page was written to.
    assert list((tmp_path / "home").iterdir()) == []
    calls = server.calls.read_text().splitlines()
    started = [call for call in calls if call.startswith("systemctl enable --now")]
    assert started[0] == (
        "systemctl enable --now kido-web.service kido-daemon.service kido-backup.timer"
    )
