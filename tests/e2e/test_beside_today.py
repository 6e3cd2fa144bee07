"""A past day beside today, two builds at once, and one that is killed: what others see of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest

from dagster_project.definitions import defs
from dagster_project.orchestration.execute import prepare_instance
from dagster_project.orchestration.keys import PUBLISHED
from dagster_project.serving import publication
from dagster_project.settings import Settings
from tests.e2e.conftest import day_of, run_kido, start_kido
from tests.forked import Command
from tests.nightly import nightly
from tests.unit.serving.test_publication import replay

FIGURES = (
    "select count(*), sum(amount::decimal(38, 2)), max(period_start), "
    "(select max(as_of) from catalog.releases) from dependency.supplier_shares"
)


def figures(file: Path) -> tuple[Any, ...]:
    with duckdb.connect(str(file), read_only=True) as connection:
        return connection.execute(FIGURES).fetchone() or ()


@contextmanager
def dashboard(file: Path) -> Iterator[set[tuple[Any, ...]]]:
    """What a dashboard sees that asks the file again and again, beside a reader that holds it.

    Both are processes of their own: DuckDB shares what one process has opened.
    """
    script = (
        "import duckdb, sys\n"
        "held = duckdb.connect(sys.argv[1], read_only=True) if sys.argv[2] == 'held' else None\n"
        "for line in sys.stdin:\n"
        "    own = held or duckdb.connect(sys.argv[1], read_only=True)\n"
        f"    print(own.execute({FIGURES!r}).fetchone(), flush=True)\n"
        "    held or own.close()\n"
    )
    readers = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(file), how],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for how in ("held", "opened anew")
    ]  # fmt: skip
    seen: set[tuple[Any, ...]] = set()
    is_over = threading.Event()

    def poll() -> None:
        while not is_over.wait(0.2):
            for reader in readers:
                assert reader.stdin is not None
                assert reader.stdout is not None
                reader.stdin.write("\n")
                reader.stdin.flush()
                seen.add((reader.args[-1], reader.stdout.readline()))  # type: ignore[index]

    polling = threading.Thread(target=poll)
    polling.start()
    try:
        yield seen
    finally:
        is_over.set()
        polling.join()
        for reader in readers:
            reader.communicate()


def launchpad(home: Path, **config: object) -> dg.ExecuteInProcessResult:
    """A run of the job `build` as the UI's launchpad starts it."""
    settings = Settings.load(home=home)
    with dg.DagsterInstance.from_config(str(prepare_instance(settings))) as instance:
        return (
            defs()
            .resolve_job_def("build")
            .execute_in_process(
                run_config={
                    "loggers": {"console": {}},
                    "resources": {"warehouse": {"config": config}},
                },
                instance=instance,
                raise_on_error=False,
            )
        )


def refusals(result: dg.ExecuteInProcessResult) -> list[str]:
    """The errors that ended a run before its first step."""
    return [
        event.engine_event_data.error.message.strip().partition("Failure: ")[2]
        for event in result.all_events
        if event.event_type == dg.DagsterEventType.RESOURCE_INIT_FAILURE
        and event.engine_event_data.error
    ]


def failures(result: dg.ExecuteInProcessResult) -> dict[str, str]:
    return {
        event.step_key or "": event.step_failure_data.user_failure_data.description or ""
        for event in result.all_events
        if event.is_step_failure and event.step_failure_data.user_failure_data
    }


@nightly
def test_ten_replays_change_no_figure_that_a_reader_or_a_dashboard_sees(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, settings = home / "kido.duckdb", Settings.load(home=home)
    before, releases = file.read_bytes(), publication.published_releases(settings)
    with dashboard(file) as seen:
        by_option = run_kido(home, "build", "--as-of", "2025-10-20")
        by_setting = run_kido(home, "build", KIDO_AS_OF="2024-03-01")
        monkeypatch.setenv("KIDO_HOME", str(home))
        from_the_ui = launchpad(home, as_of="2006-07-01")
        for day in range(1, 8):
            replay(home, datetime(2025, 9, day, tzinfo=UTC).date(), 150.0)
    assert len(seen) == 2
    assert len({line for _, line in seen}) == 1
    assert file.read_bytes() == before
    assert publication.published_releases(settings) == releases
    for done, day in ((by_option, "2025-10-20"), (by_setting, "2024-03-01")):
        assert done.returncode == 0, done.stderr
        assert f"as of {day}" in done.stdout
        assert done.stdout.strip().endswith(f"as_of/kido-{day}.duckdb")
    assert from_the_ui.success
    (published,) = (
        event for event in from_the_ui.all_events
        if event.is_step_materialization and event.asset_key == PUBLISHED
    )  # fmt: skip
    metadata = published.step_materialization_data.materialization.metadata
    assert metadata["dagster/uri"].value == str(home / "as_of" / "kido-2006-07-01.duckdb")
    # A day that is there and unchanged is not built again; today's file has no say in it.
    again = run_kido(home, "build", "--as-of", "2025-10-20")
    assert "Nothing has changed since the replay of 2025-10-20." in again.stderr
    assert again.stdout == by_option.stdout
    last = run_kido(home, "build", "--as-of", day_of(home), "--publish")
    assert "Nothing has changed since the published release." in last.stderr
    # The first day gives rows.
    assert figures(home / "as_of" / "kido-2006-07-01.duckdb")[0] > 0
    asked = run_kido(
        home, "query", "--as-of", "2025-10-20", "--format", "csv",
        "select as_of from catalog.releases order by release_id desc limit 1",
    )  # fmt: skip
    assert asked.stdout == "as_of\n2025-10-20\n"
    absent = run_kido(home, "query", "--as-of", "2025-10-21", "select 1")
    assert absent.returncode == 1
    assert absent.stderr.strip() == (
        f"kido: {home}/as_of/kido-2025-10-21.duckdb does not exist yet. "
        "Run kido build --as-of 2025-10-21."
    )


def test_a_day_that_nothing_is_known_of_is_refused_in_a_sentence(home: Path) -> None:
    early = "2006-06-30 is too early: there is no figure of any supplier before 2006-07-01."
    at_once = run_kido(home, "build", "--as-of", "2006-06-30", "--publish")
    assert (at_once.returncode, at_once.stderr) == (1, f"kido: {early}\n")
    ahead = run_kido(home, "build", "--as-of", "2999-01-01")
    assert ahead.returncode == 1
    assert ahead.stderr.startswith("kido: 2999-01-01 is in the future: nothing is known after")
    assert len(ahead.stderr.splitlines()) == 1


def test_the_launchpad_refuses_a_day_in_the_sentence_of_the_terminal_and_builds_nothing(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIDO_HOME", str(home))
    before = (home / "kido.duckdb").read_bytes(), sorted((home / "build").iterdir())
    for day in ("2006-06-30", "2999-01-01"):
        at_the_terminal = run_kido(home, "build", "--as-of", day).stderr
        result = launchpad(home, as_of=day)
        assert [f"kido: {sentence}\n" for sentence in refusals(result)] == [at_the_terminal]
        assert not any(event.is_step_event and event.step_key for event in result.all_events)
    (malformed,) = refusals(launchpad(home, as_of="20 Oct 2025", publish=True))
    assert malformed == "as_of: '20 Oct 2025' is not a day like 2026-02-06."
    assert ((home / "kido.duckdb").read_bytes(), sorted((home / "build").iterdir())) == before
    assert not (home / "as_of").exists()


@nightly
def test_before_anything_is_built_such_a_day_is_refused_when_the_documents_are_there(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    early = "2006-06-30 is too early: there is no figure of any supplier before 2006-07-01."
    monkeypatch.setenv("KIDO_HOME", str(folder / "empty"))
    result = launchpad(folder / "empty", as_of="2006-06-30")
    assert not result.success
    assert failures(result) == {"dbt_build": early}
    result = launchpad(folder / "empty", as_of="2999-01-01")
    assert not result.success
    assert [output[:27] for output in refusals(result)] == ["2999-01-01 is in the future"]
    assert not (folder / "empty" / "as_of").exists()
    assert not (folder / "empty" / "kido.duckdb").exists()


@nightly
def test_two_builds_at_once_both_end_well(home: Path) -> None:
    for build in [start_build(home, "--full"), start_build(home, "--full")]:
        done = build.wait()
        assert done.returncode == 0, done.stdout + done.stderr
    settings = Settings.load(home=home)
    names = [release.release_id for release in publication.published_releases(settings)]
    assert len(names) == 3
    assert all(publication.is_kept(settings, name) for name in names)
    current = publication.current_release(settings)
    assert current is not None
    assert current.release_id in names[1:]
    assert statuses(home) == ["SUCCESS", "SUCCESS"]


def test_a_build_that_was_killed_is_closed_and_its_folder_removed_by_the_next(home: Path) -> None:
    build = start_build(home, "--full")
    folders = set((home / "build").iterdir())
    while not (new := {folder for folder in set((home / "build").iterdir()) - folders
                       if (folder / "kido.duckdb").exists()}):  # fmt: skip
        assert build.process.is_alive(), build.wait()
        time.sleep(0.02)
    os.killpg(build.group, signal.SIGKILL)
    build.wait()
    assert statuses(home) == ["STARTED"]
    # Nothing has to be built, and it is closed all the same.
    following = run_kido(home, "build", "--as-of", day_of(home), "--publish")
    assert following.returncode == 0, following.stderr
    assert "Nothing has changed" in following.stderr
    assert statuses(home) == ["FAILURE"]
    (folder,) = new
    assert not folder.exists()
    with dg.DagsterInstance.from_config(str(home / "dagster")) as instance:
        (event,) = instance.all_logs(folder.name, of_type=dg.DagsterEventType.RUN_FAILURE)
    assert event.dagster_event is not None
    assert event.dagster_event.message == (
        "The process of this run was killed; what it had built so far is removed."
    )


def start_build(home: Path, *arguments: str) -> Command:
    return start_kido(home, "build", "--as-of", day_of(home), "--publish", *arguments)


def statuses(home: Path) -> list[str]:
    with dg.DagsterInstance.from_config(str(home / "dagster")) as instance:
        return [str(run.status.value) for run in instance.get_runs()]
