"""Names of processes, and whether a process or a group of them is still running."""

from __future__ import annotations

import contextlib
import os
import platform
import subprocess
from collections.abc import Iterator
from pathlib import Path


def name_of(pid: int) -> str | None:
    """Host, number and start of a process in one text; None if it has ended.

    The system may give the number to another process later; with the start it is unique.
    """
    start = _start_of(pid)
    return None if start is None else f"{platform.node()} {pid} {start}"


def is_alive(name: str) -> bool:
    """Whether a process is still running, by its name or by its number alone.

    A process of another host cannot be checked from here and is assumed to be alive.
    """
    if name.isdigit():  # as stored by earlier versions of Kido, and by Dagster
        return _start_of(int(name)) is not None
    host, pid, _ = name.split(" ", 2)
    return host != platform.node() or name_of(int(pid)) == name


def _start_of(pid: int) -> str | None:
    """The start of a process, as a text that does not depend on the clock; None if it has ended."""
    system = Path("/proc")
    if not (system / "self" / "stat").exists():
        started = subprocess.run(
            ["ps", "-o", "stat=,lstart=", "-p", str(pid)],
            capture_output=True, text=True, check=False,
        ).stdout.split(maxsplit=1)  # fmt: skip
        return None if not started or started[0].startswith("Z") else started[-1].strip()
    try:
        # After the command, which may contain any text: the state first, the start as 20th word.
        words = (system / str(pid) / "stat").read_text("utf8").rpartition(")")[2].split()
        boot = (system / "sys/kernel/random/boot_id").read_text("utf8").strip()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if words[0] in "ZX" else f"{boot} {words[19]}"


def is_group_alive(group: int, but: int = 0) -> bool:
    """Whether more than `but` processes of a group are still running.

    A zombie, which has ended but was not waited for by its parent, is not running.
    """
    return sum(words[0] not in "ZX" and words[2] == str(group) for words in _states()) > but


def _states() -> Iterator[list[str]]:
    """State, parent and group of each process."""
    system = Path("/proc")
    if not (system / "self" / "stat").exists():
        listed = subprocess.run(
            ["ps", "-A", "-o", "stat=,ppid=,pgid="], capture_output=True, text=True, check=True
        ).stdout
        yield from (line.split() for line in listed.splitlines())
        return
    for stat in system.glob("[0-9]*/stat"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            yield stat.read_text("utf8", errors="replace").rpartition(")")[2].split()


def own_name() -> str:
    """The name of this process."""
    return name_of(os.getpid()) or str(os.getpid())
