"""A fetch in a process of its own, that a test may kill: quick to start, as it is forked ready."""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping
from dataclasses import replace
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from tests.forked import context


def _fetch(module: str, environment: Mapping[str, str], options: Mapping[str, str]) -> None:
    os.environ.update(environment)
    from dagster_project.intake import fetch as fetching
    from dagster_project.intake.command import fetch_and_report
    from dagster_project.settings import Settings

    if "FEW_CODES" in environment:  # a pull of all codes in scope takes thousands of small answers
        scope_of = fetching.scope_of
        codes = tuple(environment["FEW_CODES"].split(","))
        fetching.scope_of = lambda *given: replace(scope_of(*given), commodity_codes=codes)
    lines: list[str] = []
    code = fetch_and_report(
        Settings.load(),
        importlib.import_module(module),  # type: ignore[arg-type]
        first=options.get("first", ""),
        last=options.get("last", ""),
        frequency=options.get("frequency", ""),
        again=options.get("again") == "true",
        write=lines.append,
    )
    Path(environment["KIDO_HOME"], environment.get("SAID", "said.txt")).write_text(
        "\n".join(lines), "utf8"
    )
    os._exit(code)


def start_fetch(module: str, environment: Mapping[str, str], **options: str) -> ForkServerProcess:
    """Start `kido fetch` of a source's module; its exit code is that of the command."""
    process = context.Process(target=_fetch, args=(module, dict(environment), options))
    process.start()
    return process


def fetch(module: str, environment: Mapping[str, str], **options: str) -> int:
    """Fetch in a process of its own and wait for it; the exit code."""
    process = start_fetch(module, environment, **options)
    process.join(300)
    assert process.exitcode is not None
    return process.exitcode


def _backfill(environment: Mapping[str, str], frequency: str, first: str, last: str) -> None:
    os.environ.update(environment)
    import dagster as dg

    from dagster_project.intake import fetch as fetching
    from dagster_project.orchestration.execute import prepare_instance
    from dagster_project.orchestration.killed_runs import end_killed_runs
    from dagster_project.orchestration.resources import Warehouse
    from dagster_project.orchestration.source_assets import backfill_assets
    from dagster_project.settings import Settings
    from dagster_project.sources.registry import source_named

    scope_of = fetching.scope_of
    codes = tuple(environment["FEW_CODES"].split(","))
    fetching.scope_of = lambda *given: replace(scope_of(*given), commodity_codes=codes)
    source = source_named("comtrade")
    at = [windows.frequency for windows in source.CARD.windows].index(frequency)  # type: ignore[arg-type]
    home = prepare_instance(Settings.load())
    with dg.DagsterInstance.from_config(str(home)) as instance:
        end_killed_runs(Settings.load(), instance)  # what the UI's daemon does
        result = dg.materialize(
            [backfill_assets(source)[at]],
            instance=instance,
            resources={"warehouse": Warehouse()},
            tags={
                "dagster/asset_partition_range_start": first,
                "dagster/asset_partition_range_end": last,
            },
            raise_on_error=False,
        )
    os._exit(0 if result.success else 1)


def start_backfill(
    environment: Mapping[str, str], frequency: str, first: str, last: str
) -> ForkServerProcess:
    """A run of Dagster that materialises a range of partitions, as the UI launches it."""
    process = context.Process(target=_backfill, args=(dict(environment), frequency, first, last))
    process.start()
    return process
