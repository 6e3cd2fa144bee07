"""`kido clean` and the job `clean_up`: removes what is older than the settings say, and reports it.

Here are the runs of Dagster with their events and logs; the files are in `intake/clean.py`.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, get_args
from uuid import UUID

import dagster as dg

from dagster_project.errors import amount_of_bytes, counted
from dagster_project.intake.clean import Expired, Kind, clean_parts, clean_quarantine
from dagster_project.orchestration import builds
from dagster_project.orchestration.failed_runs import PARTITION_TAGS
from dagster_project.orchestration.keys import fail_run_on, made_with
from dagster_project.orchestration.launchpad import CleaningUp
from dagster_project.orchestration.metadata import markdown_table
from dagster_project.orchestration.resources import Warehouse
from dagster_project.orchestration.run_tags import is_of_whole
from dagster_project.serving.gate import snapshots_of
from dagster_project.settings import Settings
from dagster_project.sources.registry import all_sources

CLEAN_UP = "clean_up"

_FINISHED = [
    dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED,
]  # fmt: skip

_REPEATS_TAGS = ("dagster/root_run_id", "dagster/parent_run_id")
"""Dagster's tags of a run that repeats another one."""

_NOUNS: dict[Kind, str] = {
    "runs": "run", "quarantine": "quarantined folder", "parts": "unfinished part",
}  # fmt: skip


@dataclass(frozen=True)
class CleanUp:
    """What was removed, or would be, and what was kept although it is old."""

    old: tuple[Expired, ...]
    is_dry: bool

    def removed(self, kind: Kind) -> list[Expired]:
        return [each for each in self.old if each.kind == kind and not each.kept_because]

    def kept(self, kind: Kind) -> Counter[str]:
        """How many were kept, by reason."""
        return Counter(
            each.kept_because for each in self.old if each.kind == kind and each.kept_because
        )

    def lines(self) -> Iterator[str]:
        """A line per kind: `runs: 12 runs removed (3.4 MB); kept: 2 (its build is kept).`."""
        verb = "would be removed" if self.is_dry else "removed"
        for kind in get_args(Kind):
            removed = self.removed(kind)
            size = amount_of_bytes(sum(each.bytes for each in removed))
            line = f"{kind}: {counted(len(removed), _NOUNS[kind])} {verb} ({size})"
            kept = [f"{number:,} ({reason})" for reason, number in self.kept(kind).items()]
            yield f"{line}; kept: {', '.join(kept)}." if kept else f"{line}."

    def metadata(self) -> dict[str, Any]:
        """Numbers for the UI, which plots them, and a table of what was kept for a reason."""
        numbers: dict[str, Any] = {}
        for kind in get_args(Kind):
            removed = self.removed(kind)
            numbers[f"{kind}_removed"] = len(removed)
            numbers[f"{kind}_bytes"] = sum(each.bytes for each in removed)
            numbers[f"{kind}_kept"] = self.kept(kind).total()
        kept = [
            {"what": kind, "number": number, "kept because": reason}
            for kind in get_args(Kind)
            for reason, number in self.kept(kind).items()
        ]
        return numbers | {
            "dry_run": self.is_dry,
            "kept_although_old": dg.MetadataValue.md(markdown_table(kept) if kept else "nothing"),
        }


def clean(
    settings: Settings, instance: dg.DagsterInstance | None, *, dry_run: bool = False
) -> CleanUp:
    """Remove what is older than the settings say; nothing if `dry_run`.

    Without an `instance` there are no runs yet.
    """
    sources = all_sources()
    used = _used_snapshots(settings)
    return CleanUp(
        (
            *(clean_runs(settings, instance, dry_run=dry_run) if instance else ()),
            *clean_quarantine(settings, sources, used, dry_run=dry_run),
            *clean_parts(settings, sources, dry_run=dry_run),
        ),
        dry_run,
    )


def clean_runs(
    settings: Settings, instance: dg.DagsterInstance, *, dry_run: bool
) -> Iterator[Expired]:
    """Remove finished runs older than `keep_runs_days`, with their events and logs.

    A run is kept while the UI needs it: for the latest materialization of an asset or a partition,
    for the latest result of a check, as the last run of its job, or for a build that is kept. So is
    a failed run without a success since. A run in progress is never old.
    """
    before = datetime.now(UTC) - timedelta(days=settings.keep_runs_days)
    needed = _NeededRuns(settings, instance)
    finished = dg.RunsFilter(statuses=_FINISHED, created_before=before)
    for record in instance.get_run_records(finished):
        run = record.dagster_run
        if (record.end_time or record.update_timestamp.timestamp()) >= before.timestamp():
            continue
        reason = needed.reason(run)
        files = _files_of(instance, run.run_id)
        size = sum(map(_size, (*files, *_logs_of(instance, run.run_id))))
        yield Expired("runs", run.run_id, size, reason)
        if not (reason or dry_run):
            instance.delete_run(run.run_id)
            instance.compute_log_manager.delete_logs(prefix=[run.run_id])
            _unlink(files)
    yield from _orphans(instance, before, dry_run=dry_run)


class _NeededRuns:
    """Why a run is kept: what the UI would otherwise show as missing, or what a person waits for.

    All of it is read from the instance; the graph is not loaded.
    """

    def __init__(self, settings: Settings, instance: dg.DagsterInstance) -> None:
        self._settings = settings
        self._instance = instance
        self._latest: dict[tuple[dg.AssetKey, str | None], str] = {}
        self._latest_checks: dict[dg.AssetCheckKey, set[str]] = {}

    def reason(self, run: dg.DagsterRun) -> str:
        """Why a finished run is kept; empty if it is not."""
        if run.run_id in self._builds:
            return "its build is kept"
        if run.run_id in self._last_of_jobs:
            return "the last run of its job"
        if run.run_id in self._standing and not self._is_made_since(run):
            return "it failed, and did not succeed since"
        if run.run_id in self._repeated:
            return "another run repeats it"
        events = self._instance.get_records_for_run(
            run.run_id,
            of_type={
                dg.DagsterEventType.ASSET_MATERIALIZATION,
                dg.DagsterEventType.ASSET_CHECK_EVALUATION,
            },
        ).records
        for record in events:
            event = record.event_log_entry.dagster_event
            if event is None:
                continue
            key, partition = event.asset_key, event.partition
            if event.is_step_materialization and key:
                if self._is_latest(run.run_id, key, None):
                    return "the latest materialization of an asset"
                if partition and self._is_latest(run.run_id, key, partition):
                    return "the latest materialization of a partition"
            elif event.event_type == dg.DagsterEventType.ASSET_CHECK_EVALUATION:
                check = event.asset_check_evaluation_data.asset_check_key
                if run.run_id in self._runs_of_check(check):
                    return "the latest result of a check"
        return ""

    @cached_property
    def _builds(self) -> set[str]:
        """Runs whose builds are complete or blocked; their folders bear the ids of the runs."""
        folder = self._settings.build_dir
        complete = [builds.complete_build(folder, is_replay=each) for each in (False, True)]
        kept = (*complete, *builds.blocked_builds(folder))
        return {build.directory.name for build in kept if build}

    @cached_property
    def _last_of_jobs(self) -> set[str]:
        """The last finished run of each job."""
        last: dict[str, str] = {}
        for run in self._instance.get_runs(dg.RunsFilter(statuses=_FINISHED)):  # the newest first
            last.setdefault(run.job_name, run.run_id)
        return set(last.values())

    @cached_property
    def _standing(self) -> set[str]:
        """The last runs that failed, of each job or part of it, that did not succeed since.

        Without its run a problem would be reported as over.
        """
        failed: dict[tuple[object, ...], str] = {}
        whole_since: set[str] = set()
        for run in self._instance.get_runs(dg.RunsFilter(statuses=_FINISHED)):  # the newest first
            is_whole = is_of_whole(run.tags)
            selected = (
                (None, None) if is_whole else (run.asset_selection, run.asset_check_selection)
            )
            partitions = tuple(run.tags.get(tag) for tag in PARTITION_TAGS)
            scope = (run.job_name, *selected, *partitions)
            if run.status == dg.DagsterRunStatus.SUCCESS:
                failed.setdefault(scope, "")
                whole_since |= {run.job_name} if selected == (None, None) else set()
            elif run.job_name not in whole_since:
                failed.setdefault(scope, run.run_id)
        return set(failed.values()) - {""}

    def _is_made_since(self, run: dg.DagsterRun) -> bool:
        """Whether all assets that were chosen for a run were made after it began."""
        record = self._instance.get_run_record_by_id(run.run_id)
        chosen = list(set(map(made_with, run.asset_selection or ())))
        if record is None or not chosen or any(tag in run.tags for tag in PARTITION_TAGS):
            return False
        events = self._instance.get_latest_materialization_events(chosen)
        began = record.start_time or record.create_timestamp.timestamp()
        return all((event := events.get(key)) and event.timestamp > began for key in chosen)

    @cached_property
    def _repeated(self) -> set[str]:
        """Runs that others name as those that they repeat; the UI shows them together."""
        tags = [run.tags for run in self._instance.get_runs()]
        return {each[name] for each in tags for name in _REPEATS_TAGS if name in each}

    def _is_latest(self, run_id: str, asset: dg.AssetKey, partition: str | None) -> bool:
        if (asset, partition) not in self._latest:
            newest = self._instance.fetch_materializations(
                dg.AssetRecordsFilter(asset, asset_partitions=[partition] if partition else None),
                limit=1,
            ).records
            self._latest[asset, partition] = newest[0].run_id if newest else ""
        return self._latest[asset, partition] == run_id

    def _runs_of_check(self, check: dg.AssetCheckKey) -> set[str]:
        """The run with the last result of a check, and the last one that planned it."""
        if check not in self._latest_checks:
            history = self._instance.event_log_storage.get_asset_check_execution_history(
                check, limit=_MOST_UNFINISHED
            )
            finished = (each.run_id for each in history if each.event is not None)
            newest = (each.run_id for each in history[:1])
            self._latest_checks[check] = {*newest, *list(finished)[:1]}
        return self._latest_checks[check]


_MOST_UNFINISHED = 50
"""Number of runs in a row, planned to evaluate a check and ended before it, that are looked at."""


def _files_of(instance: dg.DagsterInstance, run_id: str) -> list[Path]:
    """The file of a run's events in Dagster's SQLite storage, which deleting a run leaves there."""
    folder = _events_folder(instance)
    return sorted(folder.glob(f"{run_id}.db*")) if folder else []


def _logs_of(instance: dg.DagsterInstance, run_id: str) -> list[Path]:
    """The files with what a run printed, where they are on this machine."""
    if instance.is_ephemeral:
        return []
    return [
        path for path in Path(instance.storage_directory(), run_id).rglob("*") if path.is_file()
    ]


def _events_folder(instance: dg.DagsterInstance) -> Path | None:
    """The folder with a file per run; None for an instance in memory or on PostgreSQL."""
    if instance.is_ephemeral:
        return None
    folder = Path(instance.root_directory) / "history" / "runs"
    return folder if folder.is_dir() else None


def _orphans(instance: dg.DagsterInstance, before: datetime, *, dry_run: bool) -> Iterator[Expired]:
    """Files of runs that were deleted, in the UI or by a clean-up that was killed."""
    folder = _events_folder(instance)
    for file in sorted(folder.glob("*.db")) if folder else ():
        is_old = file.stat().st_mtime < before.timestamp()
        if is_old and _is_run_id(file.stem) and instance.get_run_by_id(file.stem) is None:
            files = sorted(file.parent.glob(f"{file.name}*"))
            yield Expired("runs", file.stem, sum(_size(path) for path in files))
            if not dry_run:
                _unlink(files)


def _is_run_id(name: str) -> bool:
    try:
        UUID(name)
    except ValueError:
        return False
    return True


def _unlink(files: Iterable[Path]) -> None:
    for file in files:
        file.unlink(missing_ok=True)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _used_snapshots(settings: Settings) -> set[str]:
    """The snapshots in the published release and in the builds that wait for acceptance."""
    blocked = [build.file for build in builds.blocked_builds(settings.build_dir)]
    files = [settings.published_file, *blocked]
    return {snapshot for file in files if file.exists() for snapshot in snapshots_of(file)}


def clean_up_job() -> dg.JobDefinition:
    """The job `clean_up`; its one step shows what it removed."""

    @dg.op(description="Removes old runs, quarantine and unfinished parts; landed bytes never.")
    def remove_what_is_old(
        context: dg.OpExecutionContext, warehouse: Warehouse, config: CleaningUp
    ) -> dg.Output[None]:
        settings = warehouse.settings(context)
        report = fail_run_on(lambda: clean(settings, context.instance, dry_run=config.dry_run))
        for line in report.lines():
            context.log.info(line)
        if not config.dry_run:
            builds.sweep(settings.build_dir)
        return dg.Output(None, metadata=report.metadata())

    @dg.job(
        name=CLEAN_UP,
        description="Remove what is older than KIDO_KEEP_RUNS_DAYS, KIDO_KEEP_QUARANTINE_DAYS and "
        "KIDO_KEEP_PARTS_DAYS say. Its step shows what was removed, and what was kept and why.",
    )
    def clean_up() -> None:
        remove_what_is_old()

    return clean_up


def clean_up_schedule(job: dg.JobDefinition) -> dg.ScheduleDefinition:
    """The schedule `clean_up`, off until it is switched on."""
    return dg.ScheduleDefinition(
        name=CLEAN_UP,
        job=job,
        cron_schedule="40 3 * * *",
        execution_timezone="UTC",
        description="Every day at 03:40 UTC: removes what is older than the settings say.",
        default_status=dg.DefaultScheduleStatus.STOPPED,
    )
