"""Runs the graph in this process, on the Dagster instance that the UI shows.

What a run does is defined by the assets; here are its start, its tags and its outcome.
"""

from __future__ import annotations

import contextlib
import io
import logging
import shutil
import sys
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TextIO, cast

from filelock import FileLock

from dagster_project.errors import ConfigurationError, PublicationError
from dagster_project.intake.future import future_snapshots
from dagster_project.orchestration.run_tags import AT_A_TERMINAL, WHOLE_TAG
from dagster_project.settings import CHECKOUT, Settings
from dagster_project.sources.registry import all_sources, source_names

if TYPE_CHECKING:
    import dagster as dg

    from dagster_project.orchestration.builds import Build
    from dagster_project.orchestration.retention import CleanUp


OUTPUT = "output.txt"
"""Standard output of a run at the terminal, in the folder of its build."""


def prepare_instance(settings: Settings) -> Path:
    """The folder of the Dagster instance, with a `dagster.yaml` that enforces the pool limit."""
    home = settings.dagster_home
    home.mkdir(parents=True, exist_ok=True)
    configuration = home / "dagster.yaml"
    if not configuration.exists():
        shutil.copyfile(CHECKOUT / "deploy" / "dagster.yaml", configuration)
    return home


@contextlib.contextmanager
def open_instance(settings: Settings) -> Iterator[dg.DagsterInstance]:
    """The Dagster instance, after the clean-up of killed runs.

    A lock makes one of two processes wait: they would conflict when they create its files.
    """
    import dagster as dg

    from dagster_project.orchestration.killed_runs import end_killed_runs

    settings.dagster_home.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        with FileLock(settings.dagster_home / ".lock"):
            home = prepare_instance(settings)
            instance = stack.enter_context(dg.DagsterInstance.from_config(str(home)))
            end_killed_runs(settings, instance)
        yield instance


def build_warehouse(
    settings: Settings, select: str = "", full: bool = False, verbose: bool = False
) -> Path | None:
    """Run the whole graph, or a selection and its descendants.

    Returns the published file; None if nothing was published. If the published file of the day was
    built from the same code and documents, and no publisher is due, nothing runs and that file is
    returned; `full` builds all anew all the same. Progress goes to standard error, and with
    `verbose` why each model was made.
    Raises ConfigurationError for a day without any figures, and for a selection of nothing.
    """
    from dagster_project.orchestration import builds
    from dagster_project.serving import publication

    if settings.as_of:
        from dagster_project.orchestration.days import require_day

        require_day(settings)
    publication.restore_damaged(settings)
    now = datetime.now(UTC).replace(tzinfo=None)
    future = publication.from_the_future(settings, now)
    if future:
        _print(
            f"Release {future.release_id} is from the future: a clock was ahead when it was built. "
            "New releases follow it all the same."
        )
    for sentence in future_snapshots(settings, source_names(), now):
        _print(sentence)
    if not (select or full) and is_up_to_date(settings):
        if builds.leftovers(settings.build_dir):
            with open_instance(settings):
                pass
        _print(f"Nothing has changed since the {_published_name(settings)}.")
        return settings.file_of_the_day
    builds.require_room_to_build(settings)
    return _build(settings, select, full, verbose)


def _build(settings: Settings, select: str, full: bool, verbose: bool) -> Path | None:
    where = " beside the published file" if settings.is_replay else ""
    first_line = f"Building as of {settings.today}{where} in {settings.home}"
    if not select:
        _print(first_line)
    from dagster_project.definitions import defs
    from dagster_project.orchestration.keys import NEWS_ONLY_TAG

    definitions = defs()
    selected = None
    if select:
        selected = _selected(definitions, select)
        _print(first_line)
    tags = {
        **AT_A_TERMINAL,
        WHOLE_TAG: str(selected is None).lower(),
        NEWS_ONLY_TAG: str(selected is None and not full).lower(),
    }
    has_succeeded, file = _run(settings, definitions, selected, tags, full=full, verbose=verbose)
    if has_succeeded and file is None and is_up_to_date(settings, is_asked=True):
        _print(f"Nothing is new since the {_published_name(settings)}.")
        return settings.file_of_the_day
    return file


def _published_name(settings: Settings) -> str:
    return f"replay of {settings.today}" if settings.is_replay else "published release"


def accept_release(settings: Settings, release_id: str) -> Path:
    """Publish a blocked build although readers lose data; the acceptance is recorded.

    Returns the published file. Raises PublicationError if no blocked build has this release, or if
    it cannot be published.
    """
    from dagster_project.definitions import defs
    from dagster_project.orchestration import builds
    from dagster_project.orchestration.keys import PUBLISHED

    blocked = [build.release.release_id for build in builds.blocked_builds(settings.build_dir)]
    if release_id not in blocked:
        raise PublicationError(
            f"Release {release_id} is not blocked.",
            hint=f"Blocked: {', '.join(blocked) or 'none'}.",
        )
    _, published = _run(
        settings,
        defs(),
        [PUBLISHED],
        AT_A_TERMINAL,
        {"ops": {"published__warehouse": {"config": {"accept": release_id}}}},
    )
    if published is None:
        raise PublicationError(f"Release {release_id} could not be published.")
    return published


def clean_home(settings: Settings, *, dry_run: bool) -> CleanUp:
    """Remove what is older than the settings say; nothing is written if `dry_run`."""
    import dagster as dg

    from dagster_project.orchestration.retention import clean

    if not (settings.dagster_home / "dagster.yaml").exists():
        return clean(settings, None, dry_run=dry_run)
    if dry_run:
        with dg.DagsterInstance.from_config(str(settings.dagster_home)) as instance:
            return clean(settings, instance, dry_run=True)
    with open_instance(settings) as instance:
        return clean(settings, instance)


def _run(
    settings: Settings,
    definitions: dg.Definitions,
    selected: list[dg.AssetKey] | None,
    tags: Mapping[str, str],
    config: Mapping[str, Any] = MappingProxyType({}),
    *,
    full: bool = False,
    verbose: bool = False,
) -> tuple[bool, Path | None]:
    """Run the graph, or a selection of it, in this process.

    Returns whether it succeeded, and the published file, if any.
    """
    from dagster_project.orchestration import builds
    from dagster_project.orchestration.keys import OVERTAKEN, PUBLISHED
    from dagster_project.orchestration.processes import own_name

    job = definitions.resolve_job_def("build")
    run_id = str(uuid.uuid4())
    build = builds.Build(settings.build_dir / run_id)
    with direct_stderr(), open_instance(settings) as instance, contextlib.ExitStack() as stack:
        build.claim(own_name())
        if selected is None and not full:
            selected = _all_but_known(settings, definitions, instance)
        # What dbt prints, a line for each node.
        output = stack.enter_context((build.directory / OUTPUT).open("w", encoding="utf8"))
        stack.enter_context(contextlib.redirect_stdout(output))
        result = job.execute_in_process(
            run_id=run_id,
            run_config={
                "loggers": {"console": {}},
                "resources": {"warehouse": {"config": _warehouse_config(settings, full)}},
                **config,
            },
            instance=instance,
            asset_selection=selected,
            raise_on_error=False,
            tags=dict(tags),
        )
    if verbose and result.success and build.files[1].exists():
        _print_reasons(build, settings)
    published = [
        event.step_materialization_data.materialization.metadata
        for event in result.all_events
        if event.is_step_materialization and event.asset_key == PUBLISHED
    ]
    if not result.success or not published:
        return result.success, None
    metadata = published[-1]
    if OVERTAKEN in metadata:
        _print(
            f"Release {metadata[OVERTAKEN].value} is not published: {metadata['release'].value}, "
            "whose build began later, was published meanwhile."
        )
        return True, None
    return True, Path(str(metadata["dagster/uri"].value))


def _all_but_known(
    settings: Settings, definitions: dg.Definitions, instance: dg.DagsterInstance
) -> list[dg.AssetKey] | None:
    """The assets of a build without those of the sources of which nothing is new; None for all."""
    import dagster as dg

    from dagster_project.orchestration.inputs import sources_to_renew
    from dagster_project.orchestration.jobs import jobs
    from dagster_project.orchestration.keys import lake_key, landing_key
    from dagster_project.orchestration.source_assets import is_shown

    to_renew = sources_to_renew(settings)
    known = [
        source
        for name, source in all_sources().items()
        if name not in to_renew and is_shown(instance, settings, source)
    ]
    if not known:
        return None
    keys = [landing_key(source.CARD.name) for source in known]
    keys += [lake_key(source.CARD.name, name) for source in known for name in source.CARD.tables]
    selection = jobs()["build"].selection - dg.AssetSelection.assets(*keys)
    return sorted(selection.resolve(definitions.resolve_asset_graph()))


def _print_reasons(build: Build, settings: Settings) -> None:
    from dagster_project.orchestration.fingerprints import reasons

    for node, why in reasons(build.file, settings.memory).items():
        if node.startswith("model."):
            _print(f"  {node.split('.')[-1]} was made: {why}")


def _warehouse_config(settings: Settings, full: bool) -> dict[str, str | bool]:
    """The day, if one was given: without one, the start of the run decides what today is."""
    return {
        "as_of": settings.as_of.isoformat() if settings.as_of else "",
        "publish": settings.is_published_as_today,
        "full": full,
    }


def _print(line: str) -> None:
    from dagster_project.serving.terminal import note

    note(line)


@contextlib.contextmanager
def direct_stderr() -> Iterator[None]:
    """Print each line of a run on standard error at once, but two outputs of Dagster not at all.

    These are the statements that its event log could not store (the error itself is raised and
    reported), and warnings of checks that are skipped because nothing is new.
    """
    # The name of a private module: remove it when Dagster no longer warns of skipped checks.
    logging.getLogger("dagster._core.execution.plan.active").setLevel(logging.ERROR)
    with contextlib.redirect_stderr(cast(TextIO, _DirectStderr(sys.stderr))):
        yield


class _DirectStderr:
    """Standard error without the statements, and without a descriptor that could be redirected.

    Dagster would redirect it to a file that `tail` copies to the terminal. It ends `tail` with the
    run: lines would come late, and the last ones at times not at all.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        is_statement = text.startswith("Exception while writing logger call to event log")
        return len(text) if is_statement else self._stream.write(text)

    def fileno(self) -> int:
        raise io.UnsupportedOperation("fileno")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _selected(definitions: dg.Definitions, select: str) -> list[dg.AssetKey]:
    """The assets of a selection and all their descendants, the published file included.

    Raises ConfigurationError if it selects nothing.
    """
    import dagster as dg

    try:
        selection = dg.AssetSelection.from_string(select)
        assets = selection.downstream().resolve(definitions.resolve_asset_graph())
    except Exception:
        assets = set()
    if not assets:
        raise ConfigurationError(
            f"--select {select!r} names no asset.",
            hint='It is Dagster\'s selection syntax, e.g. key:"lake/ecb*" or key:"market/*".',
        )
    return sorted(assets)


def is_up_to_date(settings: Settings, *, is_asked: bool = False) -> bool:
    """Whether a build would only repeat what is published for the day.

    `is_asked`: the publishers were fetched in this run already, so none is due.
    """
    from dagster_project.orchestration.inputs import inputs_version
    from dagster_project.serving.publication import inputs_of_the_day

    published = inputs_of_the_day(settings)
    return published is not None and published == inputs_version(settings, is_asked=is_asked)
