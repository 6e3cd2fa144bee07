"""A process is known by its host, its number and its start."""

import os
import subprocess
import sys

from dagster_project.orchestration.processes import is_alive, name_of, own_name


def test_a_killed_process_is_not_alive_even_if_nobody_waited_for_it() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    name = name_of(child.pid)
    assert name is not None
    assert is_alive(name)
    assert is_alive(str(child.pid))
    child.kill()
    # Waited for without being reaped: the system still lists its number.
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert not is_alive(name)
    assert not is_alive(str(child.pid))
    child.communicate()
    assert not is_alive(name)
    assert name_of(child.pid) is None


def test_a_process_with_a_reused_number_is_another_process() -> None:
    host, pid, start = own_name().split(" ", 2)
    assert is_alive(f"{host} {pid} {start}")
    assert not is_alive(f"{host} {pid} {start}0")


def test_a_process_of_another_host_cannot_be_seen_and_counts_as_alive() -> None:
    _, pid, start = own_name().split(" ", 2)
    assert is_alive(f"somewhere-else {pid} {start}0")
