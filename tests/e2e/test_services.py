"""The commands of the units in `deploy/`: started as by systemd, and stopped by SIGTERM."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dagster_project.orchestration.execute import open_instance
from dagster_project.orchestration.processes import is_group_alive
from dagster_project.settings import Settings
from tests.conftest import CHECKOUT
from tests.e2e.conftest import clean_environment
from tests.e2e.test_the_ui_stops import free_port
from tests.nightly import nightly

pytestmark = nightly
LONGEST_S = 180


def command_of(unit: str, port: int) -> list[str]:
    """What a unit starts, with the programs and the checkout of this test."""
    text = (CHECKOUT / "deploy" / unit).read_text("utf8")
    command = re.search(r"^ExecStart=(.*)$", text, re.MULTILINE)
    assert command is not None
    words = command[1].replace("/opt/kido/.venv/bin", str(Path(sys.executable).parent))
    return [
        str(port) if word == "3000" else word
        for word in words.replace("/opt/kido", str(CHECKOUT)).split()
    ]


@pytest.fixture
def services(tmp_path: Path) -> Iterator[tuple[Path, int, dict[str, subprocess.Popen[bytes]]]]:
    home, port = tmp_path / "home", free_port()
    with open_instance(Settings.load(home=home)):
        pass
    environment = {
        **clean_environment(),
        "KIDO_HOME": str(home),
        "DAGSTER_HOME": str(home / "dagster"),
    }
    started = {}
    for unit in ("kido-web.service", "kido-daemon.service"):
        with (tmp_path / f"{unit}.log").open("wb") as log:
            started[unit] = subprocess.Popen(
                command_of(unit, port), cwd=CHECKOUT, env=environment, start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip
    try:
        yield home, port, started
    finally:
        for process in started.values():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def until(is_so: Callable[[], object]) -> None:
    end = time.monotonic() + LONGEST_S
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.2)


def schedules(port: int) -> list[str]:
    """The schedules that the web server shows; none until it has loaded the code."""
    query = """{ repositoriesOrError { ... on RepositoryConnection
        { nodes { location { name } schedules { name } } } } }"""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/graphql",
        json.dumps({"query": query}).encode(),
        {"content-type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            nodes = json.load(answer)["data"]["repositoriesOrError"].get("nodes", [])
    except OSError:
        return []
    return [schedule["name"] for node in nodes for schedule in node["schedules"]]


def test_both_services_work_and_stop_at_sigterm_with_their_children(
    services: tuple[Path, int, dict[str, subprocess.Popen[bytes]]],
) -> None:
    home, port, processes = services
    until(lambda: schedules(port))
    assert "renew" in schedules(port)
    with open_instance(Settings.load(home=home)) as instance:
        until(lambda: all(status.healthy for status in instance.get_daemon_statuses().values()))
    for process in processes.values():
        assert process.poll() is None
        # As `KillMode=control-group`, the default: every process of the service gets it.
        os.killpg(process.pid, signal.SIGTERM)
    for process in processes.values():
        process.wait(60)  # TimeoutStopSec
        until(lambda group=process.pid: not is_group_alive(group))  # type: ignore[misc]
