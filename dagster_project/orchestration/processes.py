"""Which process does a piece of work, and whether it is still there. No run is known here."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path


def name_of(pid: int) -> str | None:
    """Host, number and start of a process in one text; None where it is gone.

    The number alone is given to another process one day; with its start it names one for good.
    """
    start = _start_of(pid)
    return None if start is None else f"{platform.node()} {pid} {start}"


def is_alive(name: str) -> bool:
    """Whether a process is still there, by its name or its bare number.

    One of another host cannot be seen from here and counts as alive.
    """
    if name.isdigit():  # as earlier versions of Kido kept it, and as Dagster does
        return _start_of(int(name)) is not None
    host, pid, _ = name.split(" ", 2)
    return host != platform.node() or name_of(int(pid)) == name


def _start_of(pid: int) -> str | None:
    """When a process was started, in a text that does not change with the clock."""
    system = Path("/proc")
    if not (system / "self" / "stat").exists():
        started = subprocess.run(
            ["ps", "-o", "stat=,lstart=", "-p", str(pid)],
            capture_output=True, text=True, check=False,
        ).stdout.split(maxsplit=1)  # fmt: skip
        return None if not started or started[0].startswith("Z") else started[-1].strip()
    try:
        # After the command, which may hold anything: the state, and as the 20th word the start.
        words = (system / str(pid) / "stat").read_text("utf8").rpartition(")")[2].split()
        boot = (system / "sys/kernel/random/boot_id").read_text("utf8").strip()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if words[0] in "ZX" else f"{boot} {words[19]}"


def own_name() -> str:
    """The name of this process."""
    return name_of(os.getpid()) or str(os.getpid())
