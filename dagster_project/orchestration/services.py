"""The processes of `kido dev`: a code server, the web server, the door before it, the daemon.

`python -m dagster_project.orchestration.services HOST PORT FOLDER` starts them and waits. They end
when its standard input ends, which it does also if `kido dev` was killed.
"""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from dagster_project.orchestration.processes import is_group_alive
from dagster_project.orchestration.web import hidden_address, server_command

GRACE_S = 20.0
"""How long the processes may take to stop before they are killed; they take 3 to 6 s."""

_POLL_S = 0.1


class _Stopped(Exception):
    """The services are to stop; raised by a signal, too."""


def run(host: str, port: int, folder: Path) -> int:
    """Run the services until they are to stop, or one of them ends; returns an exit code."""
    signal.signal(signal.SIGINT, _stop)
    signal.signal(signal.SIGTERM, _stop)
    processes: list[subprocess.Popen[bytes]] = []
    code = 0
    try:
        processes.append(_start(_code_server(folder)))
        _wait_for(folder / "code", processes)
        workspace = _write_workspace(folder)
        address = hidden_address()
        processes.append(_start(server_command(address, workspace)))
        _wait_for(address, processes)
        processes.append(_start(_door(host, port, address)))
        processes.append(_start(_daemon(workspace)))
        while not _has_ended(processes):
            pass
        code = 1
    except _Stopped:
        pass
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    for process in reversed(processes):
        process.terminate()
    end = time.monotonic() + GRACE_S
    for process in processes:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(max(0.0, end - time.monotonic()))
    if _is_alone():
        shutil.rmtree(folder, ignore_errors=True)
        _end_group()
    return code


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise _Stopped


def _has_ended(processes: Sequence[subprocess.Popen[bytes]]) -> bool:
    """Whether a process has ended, after a moment. Raises _Stopped at the end of the input."""
    if select.select([sys.stdin], [], [], _POLL_S)[0]:
        raise _Stopped
    return any(process.poll() is not None for process in processes)


def _is_alone() -> bool:
    """Whether `kido dev` is gone: its end of the pipe is closed."""
    return bool(select.select([sys.stdin], [], [], 0)[0])


def _end_group() -> None:
    """Ask the runs that are left in this group of processes to stop; kill what does not."""
    group, end = os.getpgrp(), time.monotonic() + GRACE_S
    while is_group_alive(group, but=1):
        if time.monotonic() > end:
            os.killpg(group, signal.SIGKILL)
        os.killpg(group, signal.SIGTERM)
        time.sleep(1)


def _wait_for(address: str | Path, processes: Sequence[subprocess.Popen[bytes]]) -> None:
    """Return when something listens on the socket or `address:port`, or a process has ended."""
    while not _has_ended(processes):
        with contextlib.suppress(OSError):
            if isinstance(address, Path):
                with socket.socket(socket.AF_UNIX) as connection:
                    connection.connect(str(address))
            else:
                host, _, port = address.rpartition(":")
                socket.create_connection((host, int(port)), timeout=1).close()
            return


def _start(command: Sequence[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, stdin=subprocess.DEVNULL)


def _code_server(folder: Path) -> list[str]:
    return [
        sys.executable, "-m", "dagster", "code-server", "start", "--socket", str(folder / "code"),
        "--module-name", "dagster_project.definitions", "--location-name", "kido",
        "--log-level", "warning",
    ]  # fmt: skip


def _write_workspace(folder: Path) -> Path:
    workspace = folder / "workspace.yaml"
    workspace.write_text(
        f"load_from:\n  - grpc_server:\n      socket: {folder / 'code'}\n"
        "      location_name: kido\n"
    )
    return workspace


def _door(host: str, port: int, address: str) -> list[str]:
    return [sys.executable, "-m", "dagster_project.orchestration.web", host, str(port), address]


def _daemon(workspace: Path) -> list[str]:
    return [
        str(Path(sysconfig.get_path("scripts")) / "dagster-daemon"), "run",
        "--workspace", str(workspace), "--log-level", "warning",
        "--code-server-log-level", "warning",
    ]  # fmt: skip


if __name__ == "__main__":
    sys.exit(run(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])))
