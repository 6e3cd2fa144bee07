"""What `kido dev` prints of what its processes print, and the port it listens on."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from dagster_project.errors import ConfigurationError
from dagster_project.orchestration.processes import is_group_alive
from dagster_project.orchestration.ui import free_port, news

AT = "2026-11-27 12:06:22 +0000 - dagster"
RUN = "build - 7cebd4a9-c204-4b9b-b6f9-5d7a1c6176c3 - 7581"
PRINTED = f"""\
{AT} - DEBUG - {RUN} - RUN_START - Started execution of run for "build".
{AT}.daemon - INFO - Launching run.
    with 3 steps
{AT} - ERROR - {RUN} - STEP_FAILURE - Execution of step "landing__ecb" failed.

dagster._core.definitions.events.Failure: 2999-01-01 is in the future.

Stack Trace:
  File "/kido/orchestration/resources.py", line 57, in settings
    return fail_run_on(load)
           ^^^^^^^^^^^^^^^^^

The above exception was caused by the following exception:
dagster_project.errors.ConfigurationError: 2999-01-01 is in the future.

Stack Trace:
  File "/kido/orchestration/keys.py", line 91, in fail_run_on
    return step()

{AT} - DEBUG - {RUN} - ENGINE_EVENT - Finished steps in process (pid: 7581) in 26ms
{AT} - WARNING - {RUN} - landing__ecb - The publisher did not answer.
Traceback (most recent call last):
  File "/kido/definitions.py", line 4, in <module>
ImportError: cannot import name 'defs'
"""


def test_warnings_and_errors_of_runs_are_printed_without_stack_traces() -> None:
    assert list(news(PRINTED.splitlines(keepends=True), lambda: False)) == [
        f'{AT} - ERROR - {RUN} - STEP_FAILURE - Execution of step "landing__ecb" failed.',
        "dagster._core.definitions.events.Failure: 2999-01-01 is in the future.",
        "The above exception was caused by the following exception:",
        "dagster_project.errors.ConfigurationError: 2999-01-01 is in the future.",
        f"{AT} - WARNING - {RUN} - landing__ecb - The publisher did not answer.",
        "Traceback (most recent call last):",
        '  File "/kido/definitions.py", line 4, in <module>',
        "ImportError: cannot import name 'defs'",
    ]


def test_while_it_stops_only_records_are_printed() -> None:
    assert list(news(PRINTED.splitlines(keepends=True), lambda: True)) == [
        f'{AT} - ERROR - {RUN} - STEP_FAILURE - Execution of step "landing__ecb" failed.',
        f"{AT} - WARNING - {RUN} - landing__ecb - The publisher did not answer.",
    ]


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_port_in_use_is_refused_and_free_again_afterwards(taken: int) -> None:
    with pytest.raises(ConfigurationError) as refused:
        free_port("127.0.0.1", taken)
    assert str(refused.value) == (
        f"Port {taken} of 127.0.0.1 is in use, perhaps by another kido dev. "
        f"Stop what uses it, or choose another port: kido dev --port {taken + 1}."
    )


def test_port_zero_is_any_free_one() -> None:
    port = free_port("127.0.0.1", 0)
    assert port >= 1024
    assert free_port("127.0.0.1", port) == port  # looking at it does not take it


@pytest.mark.parametrize(
    ("host", "port", "sentence"),
    [
        ("127.0.0.1", 65536, "--port 65536: a port is a number up to 65535."),
        ("127.0.0.1", -1, "--port -1: a port is a number up to 65535."),
        ("203.0.113.7", 0, "--host 203.0.113.7: this is not an address of this machine."),
        ("not a host", 0, "--host not a host: this is not an address of this machine."),
    ],
)
def test_what_cannot_be_listened_on_is_refused(host: str, port: int, sentence: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        free_port(host, port)
    assert str(refused.value) == sentence


def test_a_group_without_processes_is_not_alive() -> None:
    assert not is_group_alive(2**22 + 1)  # above the largest number of a process
