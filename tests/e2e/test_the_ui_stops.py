"""`kido dev` and `kido web`: the lines they print, and that no process outlives them."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from dagster_project.orchestration.execute import open_instance
from dagster_project.settings import Settings
from tests.conftest import CHECKOUT
from tests.e2e.conftest import clean_environment, run_kido
from tests.nightly import nightly

PROC = Path("/proc")
pytestmark = pytest.mark.skipif(
    not (PROC / "self" / "environ").exists(), reason="processes are recognised by /proc"
)
LONGEST_S = 120
"""Until a test gives up; on an idle machine the UI starts in 8 s and stops in 3."""


class Ui:
    """`kido dev` in a session of its own, as at a terminal, or another command."""

    def __init__(self, home: Path, command: str = "dev") -> None:
        self.home = home
        self.port = free_port()
        self._printed = home.with_suffix(".log")
        with self._printed.open("wb") as printed:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "dagster_project.cli", command, "--port", str(self.port)],
                cwd=CHECKOUT, env={**clean_environment(), "KIDO_HOME": str(home)},
                stdout=printed, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip

    @property
    def lines(self) -> list[str]:
        return self._printed.read_text("utf8").splitlines()

    def processes(self) -> dict[int, str]:
        """Every running process that works on the home, whoever its parent is."""
        mark = f"KIDO_HOME={self.home}".encode()
        found = {}
        for process in PROC.glob("[0-9]*"):
            with contextlib.suppress(OSError):
                state = (process / "stat").read_text().rpartition(")")[2].split()[0]
                if state not in "ZX" and mark in (process / "environ").read_bytes().split(b"\0"):
                    command = (process / "cmdline").read_bytes().replace(b"\0", b" ")
                    found[int(process.name)] = command.decode()
        return found

    def until(self, is_so: Callable[[], object]) -> None:
        end = time.monotonic() + LONGEST_S
        while not is_so():
            assert time.monotonic() < end, self.lines
            assert self.process.poll() is None or is_so(), self.lines
            time.sleep(0.1)

    def until_ready(self) -> None:
        self.until(lambda: any(line.startswith("Ready: ") for line in self.lines))
        assert self.asked("{ version }")["version"], self.lines

    def asked(self, query: str, **variables: object) -> Any:
        """The answer of the UI's GraphQL."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/graphql",
            json.dumps({"query": query, "variables": variables}).encode(),
            {"content-type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)["data"]

    def until_nothing_runs(self) -> None:
        end = time.monotonic() + LONGEST_S
        while running := self.processes():
            assert time.monotonic() < end, running
            time.sleep(0.1)

    def end(self) -> int:
        return self.process.wait(LONGEST_S)


def free_port() -> int:
    """A free port below those that the system gives to the servers and clients of other tests."""
    while True:
        port = random.randrange(20_000, 32_000)
        with (
            contextlib.suppress(OSError),
            socket.create_server(("127.0.0.1", port)),
        ):
            return port


@pytest.fixture(params=["dev"])
def ui(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Ui]:
    started = Ui(tmp_path / "home", request.param)
    try:
        yield started
    finally:
        for process in started.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        started.process.wait()


def lines_of(ui: Ui) -> list[str]:
    address = f"http://127.0.0.1:{ui.port}"
    return [
        f"Starting the Dagster UI on {address}",
        f"Ready: {address}  (Ctrl-C stops it)",
        "Stopping the Dagster UI",
        "Stopped.",
    ]


def test_sigterm_to_kido_alone_stops_all_its_processes(ui: Ui) -> None:
    ui.until_ready()
    commands = " ".join(ui.processes().values())
    services = ("orchestration.web", "dagster_webserver", "dagster-daemon", "code-server", "grpc")
    assert all(name in commands for name in services)
    ui.process.terminate()
    assert ui.end() == 0
    assert ui.processes() == {}
    assert ui.lines == lines_of(ui)


@nightly
def test_ctrl_c_stops_all_its_processes(ui: Ui) -> None:
    ui.until_ready()
    os.killpg(ui.process.pid, signal.SIGINT)  # a terminal sends it to all of the group
    assert ui.end() == 0
    assert ui.processes() == {}
    assert ui.lines == lines_of(ui)


def test_it_can_be_stopped_before_it_is_ready(ui: Ui) -> None:
    ui.until(lambda: len(ui.processes()) > 2)
    ui.process.send_signal(signal.SIGINT)
    assert ui.end() == 0
    assert ui.processes() == {}
    starting, _, stopping, stopped = lines_of(ui)
    assert ui.lines == [starting, stopping, stopped]


def test_a_second_request_does_not_wait_for_the_first(ui: Ui) -> None:
    ui.until(lambda: len(ui.processes()) > 2)
    ui.process.terminate()
    ui.until(lambda: "Stopping the Dagster UI" in ui.lines)
    ui.process.terminate()
    assert ui.end() == 0
    assert ui.processes() == {}
    assert ui.lines[-1].startswith("Stopped")


def test_a_ui_that_ends_by_itself_is_reported_and_leaves_nothing_behind(ui: Ui) -> None:
    ui.until(lambda: len(ui.processes()) > 2)
    os.kill(process_with(ui, "orchestration.services"), signal.SIGKILL)
    assert ui.end() == 1
    assert ui.processes() == {}
    assert ui.lines[-1] == "The Dagster UI ended by itself, with exit code -9."


def process_with(ui: Ui, words: str) -> int:
    (process,) = (pid for pid, command in ui.processes().items() if words in command)
    return process


def folder_of_the_services(ui: Ui) -> Path:
    """The folder that the services of the UI are told to work in: others may run beside it."""
    (folder,) = {
        word
        for command in ui.processes().values()
        for word in command.split()
        if Path(word).name.startswith("kido-ui-")
    }
    return Path(folder)


@nightly
def test_a_killed_kido_leaves_no_process_and_no_folder(ui: Ui) -> None:
    ui.until_ready()
    folder = folder_of_the_services(ui)
    assert folder.is_dir()
    ui.process.kill()
    ui.process.wait()
    ui.until_nothing_runs()
    assert not folder.exists()


def test_kido_killed_before_it_is_ready_leaves_no_process(ui: Ui) -> None:
    ui.until(lambda: len(ui.processes()) > 2)
    ui.process.kill()
    ui.process.wait()
    ui.until_nothing_runs()


@pytest.mark.parametrize("ui", ["web"], indirect=True)
def test_kido_web_stops_and_leaves_no_process(ui: Ui) -> None:
    ui.until_ready()
    commands = " ".join(ui.processes().values())
    assert all(name in commands for name in ("orchestration.web", "dagster_webserver"))
    assert "dagster-daemon" not in commands
    ui.process.terminate()
    assert ui.end() == 0
    assert ui.processes() == {}
    assert ui.lines == lines_of(ui)


@nightly
@pytest.mark.parametrize("ui", ["web"], indirect=True)
@pytest.mark.parametrize("words", ["orchestration.web", "dagster_webserver", "cli web"])
def test_a_killed_part_of_kido_web_ends_the_others(ui: Ui, words: str) -> None:
    ui.until_ready()
    os.kill(process_with(ui, words), signal.SIGKILL)
    assert ui.end() == (-signal.SIGKILL if words == "cli web" else 1)
    ui.until_nothing_runs()


@nightly
@pytest.mark.parametrize(
    "words", ["orchestration.web", "dagster_webserver", "dagster-daemon", "code-server start"]
)
def test_a_killed_service_ends_the_others(ui: Ui, words: str) -> None:
    ui.until_ready()
    folder = folder_of_the_services(ui)
    assert folder.is_dir()
    os.kill(process_with(ui, words), signal.SIGKILL)
    assert ui.end() == 1
    assert ui.processes() == {}
    assert ui.lines[-1] == "The Dagster UI ended by itself, with exit code 1."
    assert not folder.exists()


def test_a_port_in_use_is_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        result = run_kido(tmp_path / "home", "dev", "--port", str(port))
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == (
        f"kido: Port {port} of 127.0.0.1 is in use, perhaps by another kido dev. Stop what uses "
        f"it, or choose another port: kido dev --port {port + 1}.\n"
    )


LAUNCH = """
mutation ($config: RunConfigData) {
  launchRun(executionParams: {
    selector: {
      jobName: "build", repositoryName: "__repository__", repositoryLocationName: "kido"
    },
    runConfigData: $config
  }) { ... on LaunchRunSuccess { run { runId } } }
}
"""
RUNS = "{ runsOrError { ... on Runs { results { runId status } } } }"


def statuses(ui: Ui) -> dict[str, str]:
    return {run["runId"]: run["status"] for run in ui.asked(RUNS)["runsOrError"]["results"]}


@nightly
def test_runs_print_what_went_wrong_and_no_debug_lines_and_stop_with_the_ui(ui: Ui) -> None:
    ui.until_ready()
    config = {"resources": {"warehouse": {"config": {"as_of": "2025-13-45"}}}}
    refused = ui.asked(LAUNCH, config=config)["launchRun"]["run"]["runId"]
    ui.until(lambda: statuses(ui)[refused] == "FAILURE")
    building = ui.asked(LAUNCH)["launchRun"]["run"]["runId"]
    ui.until(lambda: statuses(ui)[building] == "STARTED")
    ui.until(lambda: (ui.home / "build" / building).exists())
    ui.process.terminate()
    assert ui.end() == 0
    assert ui.processes() == {}
    assert "Failure: as_of: '2025-13-45' is not a day like 2026-02-06." in "\n".join(ui.lines)
    assert not any(
        noise in line
        for line in ui.lines
        for noise in ("DEBUG", "INFO", "SupersessionWarning", "debugpy", "  File ")
    )
    assert "Stopping the Dagster UI" in ui.lines
    with open_instance(Settings.load(home=ui.home)) as instance:
        stopped = instance.get_run_by_id(building)
    assert stopped is not None
    assert stopped.status == dg.DagsterRunStatus.FAILURE
    assert not (ui.home / "kido.duckdb").exists()
