"""A fetch in a process of its own, that a test may kill: quick to start, as it is forked ready."""

from __future__ import annotations

import importlib
import multiprocessing
import os
import sys
from collections.abc import Mapping
from multiprocessing.context import ForkServerProcess

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(
    ["great_expectations", "dagster_project.intake.command", "tests.integration.asking"]
)

Outcome = tuple[int, str]


def _fetch(module: str, environment: Mapping[str, str], options: Mapping[str, str]) -> None:
    os.environ.update(environment)
    from dagster_project.intake.command import fetch_and_say
    from dagster_project.settings import Settings

    sys.stderr = open(os.devnull, "w")  # noqa: SIM115, PTH123
    source = importlib.import_module(module)
    again = options.get("again") == "true"
    rest = {name: value for name, value in options.items() if name != "again"}
    code = fetch_and_say(
        Settings.load(),
        source,
        **rest,
        again=again,
        write=lambda line: None,  # type: ignore[arg-type]
    )
    os._exit(code)


def start_fetch(module: str, environment: Mapping[str, str], **options: str) -> ForkServerProcess:
    """Start `kido fetch` of a source's module; its exit code is that of the command."""
    process = _context.Process(target=_fetch, args=(module, dict(environment), options))
    process.start()
    return process


def fetch(module: str, environment: Mapping[str, str], **options: str) -> int:
    """Fetch in a process of its own and wait for it; the exit code."""
    process = start_fetch(module, environment, **options)
    process.join(120)
    assert process.exitcode is not None
    return process.exitcode
