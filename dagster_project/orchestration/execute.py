"""Runs the graph in this process, or opens the UI on it, on the same Dagster instance."""

from __future__ import annotations

import contextlib
import gc
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from dagster_project.errors import ConfigurationError
from dagster_project.settings import CHECKOUT, Settings

if TYPE_CHECKING:
    import dagster as dg


def prepare_instance(settings: Settings) -> Path:
    """The folder of the Dagster instance, with a `dagster.yaml` whose pool limit is real."""
    home = settings.dagster_home
    home.mkdir(parents=True, exist_ok=True)
    configuration = home / "dagster.yaml"
    if not configuration.exists():
        shutil.copyfile(CHECKOUT / "deploy" / "dagster.yaml", configuration)
    return home


def build_warehouse(settings: Settings, select: str = "", force: bool = False) -> bool:
    """Run the whole graph, or a selection and what is made from it; True if it is published.

    Nothing is run when the published release was made from the same code, the same documents and
    for the same day, and no publisher is to be asked. The run is recorded in the instance that
    the UI shows. Progress goes to standard error.
    """
    if not (select or force) and is_up_to_date(settings):
        print("Nothing has changed since the published release.", file=sys.stderr, flush=True)
        return True
    import dagster as dg

    from dagster_project.definitions import defs
    from dagster_project.orchestration.keys import PUBLISHED, WHOLE_RUN_TAG
    from dagster_project.orchestration.pools import free_slots_of_dead_runs

    home = prepare_instance(settings)
    definitions = defs()
    job = definitions.resolve_job_def("build")
    selected = _selected(definitions, select) if select else None
    print(f"Building as of {settings.today} in {settings.home}", file=sys.stderr, flush=True)
    # Imports and dbt make millions of objects that stay: looking through them again and again for
    # garbage costs a build seconds.
    gc.set_threshold(100_000, 50, 100)
    with dg.DagsterInstance.from_config(str(home)) as instance, logs_held_open(home):
        free_slots_of_dead_runs(instance)
        result = job.execute_in_process(
            run_config={
                "loggers": {"console": {}},
                "resources": {"warehouse": {"config": {"as_of": settings.today.isoformat()}}},
            },
            instance=instance,
            asset_selection=selected,
            raise_on_error=False,
            tags={"kido/front_door": "cli", WHOLE_RUN_TAG: str(selected is None).lower()},
        )
    return result.success and any(
        event.is_step_materialization and event.asset_key == PUBLISHED
        for event in result.all_events
    )


@contextlib.contextmanager
def logs_held_open(home: Path) -> Iterator[None]:
    """Keep a connection to the instance's SQLite files while a run writes its events.

    Dagster opens and closes one per event, and SQLite empties its write-ahead log into the file
    whenever the last one closes: with one held open it does so once.
    """
    with contextlib.ExitStack() as held:
        for file in (home / "history" / "runs.db", home / "history" / "runs" / "index.db"):
            if file.exists():
                connection = held.enter_context(contextlib.closing(sqlite3.connect(file)))
                connection.execute("select count(*) from sqlite_master").fetchone()
        yield


def _selected(definitions: dg.Definitions, select: str) -> list[dg.AssetKey]:
    """The assets of a selection and all that is made from them, the published file among them.

    Raises ConfigurationError if it selects nothing.
    """
    import dagster as dg

    try:
        selection = dg.AssetSelection.from_string(select)
        found = selection.downstream().resolve(definitions.resolve_asset_graph())
    except Exception:
        found = set()
    if not found:
        raise ConfigurationError(
            f"--select {select!r} names no asset.",
            hint='It is Dagster\'s selection syntax, e.g. key:"lake/ecb*" or key:"market/prices".',
        )
    return sorted(found)


def is_up_to_date(settings: Settings) -> bool:
    """Whether a build would only repeat the published release."""
    from dagster_project.orchestration.inputs import inputs_version
    from dagster_project.serving.publication import current_inputs

    published = current_inputs(settings)
    return published is not None and published == inputs_version(settings)


def start_ui(settings: Settings, host: str, port: int) -> int:
    """`dagster dev` on this warehouse; returns when it is stopped."""
    environment = {
        **os.environ,
        "DAGSTER_HOME": str(prepare_instance(settings)),
        "KIDO_HOME": str(settings.home),
    }
    print(f"Dagster UI: http://{host}:{port}  (Ctrl-C stops it)", file=sys.stderr, flush=True)
    command = [
        sys.executable, "-m", "dagster", "dev", "--workspace", str(CHECKOUT / "workspace.yaml"),
        "--host", host, "--port", str(port), "--log-level", "warning",
    ]  # fmt: skip
    try:
        return subprocess.run(command, cwd=CHECKOUT, env=environment, check=False).returncode
    except KeyboardInterrupt:
        return 0
