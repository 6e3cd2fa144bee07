"""Problems found in Dagster's list of runs: jobs whose last runs failed or were cancelled."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial

import dagster as dg

from dagster_project.alerts.problems import Problem, first_lines
from dagster_project.errors import KidoError, counted, listed
from dagster_project.orchestration.keys import ALERTED_BY, ERROR_TYPE, made_with
from dagster_project.orchestration.run_tags import CONTINUES_TAG, is_of_whole
from dagster_project.orchestration.standing import Installation

_FAILED = [dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]

_FEW = 20
"""Successful runs of a job that are read first: one of the last ends most problems."""

_OF_CHOSEN_ASSETS = "__ASSET_JOB"
"""Dagster's name of runs of assets that were chosen in the UI, or by their conditions."""

PARTITION_TAGS = (
    "dagster/partition", "dagster/asset_partition_range_start", "dagster/asset_partition_range_end",
)  # fmt: skip
"""Dagster's tags of a run: its partition, or the first and the last one of its range."""

_BLOCKING_CHECK = "DagsterAssetCheckFailedError"

_MOST_MATERIALIZATIONS = 10_000
"""Of one asset since its failed run: of all its partitions, several times."""

_PARENT = "dagster/parent_run_id"


@dataclass(frozen=True)
class Scope:
    """What a run makes; a run of a whole job makes all of its assets."""

    job: str
    """Empty for a part of a job, and for assets that were chosen in the UI."""
    assets: frozenset[dg.AssetKey]
    checks: frozenset[dg.AssetCheckKey]
    """Only of a run of checks without assets."""
    partitions: tuple[str, ...]

    @property
    def subject(self) -> str:
        if self.job:
            return " ".join([self.job, *self.partitions])
        assets = sorted(key.to_user_string() for key in self.assets)
        return " ".join([*assets, *sorted(map(str, self.checks)), *self.partitions]) or "a run"

    def covers(self, other: Scope) -> bool:
        """Whether a run of this scope makes all that a run of the other one makes."""
        if self == other:
            return True
        return (
            bool(other.assets)
            and self.assets >= other.assets
            and self.partitions == other.partitions
        )


def failed_runs(installation: Installation) -> Iterator[Problem]:
    """The jobs, and the choices of assets, that failed or were cancelled and did not succeed since.

    They have succeeded if a later run succeeded that makes at least the same assets. A run is left
    out if a failed check or a blocked release explains every failed step of it.
    """
    for scope, records in _failing(installation).items():
        problem = _problem(installation, scope, records)
        if problem is not None:
            yield problem


def _failing(installation: Installation) -> Mapping[Scope, Sequence[dg.RunRecord]]:
    """The runs of each scope that failed and were not made good, the last one first.

    All runs of the record are read: one that is not found would be reported as over.
    """
    instance, repository = installation.instance, installation.repository
    runs: dict[Scope, list[dg.RunRecord]] = {}
    for record in instance.get_run_records(dg.RunsFilter(statuses=_FAILED), order_by="end_time"):
        if repository.has_job(record.dagster_run.job_name):
            runs.setdefault(_scope(repository, record.dagster_run), []).append(record)
    successes = _Successes(instance, repository)
    standing = {}
    for scope, records in runs.items():
        end = successes.last_end(scope, records)
        failing = [record for record in records if _ended(record) > end]
        if failing and not _is_made_good(installation, scope, failing[0]):
            standing[scope] = failing
    return standing


def _scope(repository: dg.RepositoryDefinition, run: dg.DagsterRun) -> Scope:
    tags = run.tags
    partitions = tuple(tags[tag] for tag in PARTITION_TAGS if tag in tags)
    selected, checks = run.asset_selection, frozenset(run.asset_check_selection or ())
    if run.job_name == _OF_CHOSEN_ASSETS:
        assets = frozenset(selected or ())
        return Scope("", assets, frozenset() if assets else checks, partitions)
    of_job = frozenset(repository.get_job(run.job_name).asset_layer.executable_asset_keys)
    is_whole = is_of_whole(tags) or (selected >= of_job if selected else not checks)
    if is_whole:
        return Scope(run.job_name, of_job, frozenset(), partitions)
    return Scope("", frozenset(selected or ()), frozenset() if selected else checks, partitions)


def _ended(record: dg.RunRecord) -> float:
    return record.end_time or record.start_time or record.create_timestamp.timestamp()


class _Successes:
    """The successful runs of each job; they are read once per tick, and as few as are needed."""

    def __init__(self, instance: dg.DagsterInstance, repository: dg.RepositoryDefinition) -> None:
        self._repository = repository
        self._of_job = cache(partial(_successes, instance))

    def last_end(self, scope: Scope, failed: Sequence[dg.RunRecord]) -> float:
        """When the last run ended that made at least the scope; 0 without one since it failed."""
        first = _ended(failed[-1])
        ids = {record.dagster_run.run_id for record in failed}
        ends = [self._last_end(job, scope, ids, first) for job in self._jobs(scope)]
        return max(ends, default=0)

    def _jobs(self, scope: Scope) -> Iterator[str]:
        """The jobs whose runs may make the scope."""
        for job in self._repository.job_names:
            of_job = self._repository.get_job(job).asset_layer.executable_asset_keys
            if job in (scope.job, _OF_CHOSEN_ASSETS) or scope.assets & frozenset(of_job):
                yield job

    def _last_end(self, job: str, scope: Scope, failed: Collection[str], first: float) -> float:
        for most in (_FEW, None):
            records = self._of_job(job, most)
            for record in records:
                end, run = _ended(record), record.dagster_run
                if end <= first:
                    return 0
                continues = run.tags.get(CONTINUES_TAG) == "true" and run.tags[_PARENT] in failed
                if continues or _scope(self._repository, run).covers(scope):
                    return end
            if most is None or len(records) < most:
                break
        return 0


def _successes(instance: dg.DagsterInstance, job: str, most: int | None) -> Sequence[dg.RunRecord]:
    """The successful runs of a job, the last one first."""
    succeeded = dg.RunsFilter(job_name=job, statuses=[dg.DagsterRunStatus.SUCCESS])
    return instance.get_run_records(succeeded, limit=most, order_by="end_time")


def _problem(
    installation: Installation, scope: Scope, records: Sequence[dg.RunRecord]
) -> Problem | None:
    """The problem of a scope, from the runs of it that failed, the last one first."""
    instance = installation.instance
    last = _first_unexplained(instance, records)
    if last is None:
        return None
    first = _first_unexplained(instance, records[::-1]) or last
    is_cancelled = last.dagster_run.status == dg.DagsterRunStatus.CANCELED
    return Problem(
        kind="failed_runs",
        subject=scope.subject,
        title=f"{_named(scope)} {'was cancelled' if is_cancelled else 'failed'}",
        since=minute(_ended(first)),
        lines=first_lines([] if is_cancelled else _reasons(instance, last.dagster_run)),
        link=installation.links.run(last.dagster_run.run_id),
    )


def _first_unexplained(
    instance: dg.DagsterInstance, records: Iterable[dg.RunRecord]
) -> dg.RunRecord | None:
    return next((each for each in records if not _is_explained(instance, each.dagster_run)), None)


def minute(timestamp: float) -> str:
    """A Unix time to the minute: `2026-11-25 00:00 UTC`."""
    return f"{datetime.fromtimestamp(timestamp, UTC):%Y-%m-%d %H:%M} UTC"


def _named(scope: Scope) -> str:
    if scope.job:
        return f"The job {scope.job}"
    assets = sorted(key.to_user_string() for key in scope.assets)
    return f"A run of {counted(len(assets), 'asset')} ({listed(assets)})" if assets else "A run"


def _is_made_good(installation: Installation, scope: Scope, record: dg.RunRecord) -> bool:
    """Whether other runs made all assets of a part, in all its partitions, after a run of it
    began.
    """
    if scope.job or not scope.assets:
        return False
    instance, began = installation.instance, record.start_time or _ended(record)
    if not scope.partitions:
        made = list(set(map(made_with, scope.assets)))
        events = instance.get_latest_materialization_events(made)
        return all(
            (event := events.get(key)) is not None and event.timestamp > began for key in made
        )
    return all(_has_made(installation, key, scope.partitions, began) for key in scope.assets)


def _has_made(
    installation: Installation, asset: dg.AssetKey, partitions: Sequence[str], began: float
) -> bool:
    """Whether each partition, of one or of a first and a last one, was made since an instant."""
    definition = installation.repository.asset_graph.get(asset).partitions_def
    if definition is None:
        return False
    chosen = dg.PartitionKeyRange(partitions[0], partitions[-1])
    if not (
        definition.has_partition_key(chosen.start) and definition.has_partition_key(chosen.end)
    ):
        return False
    names = definition.get_partition_keys_in_range(chosen)
    made = installation.instance.fetch_materializations(
        dg.AssetRecordsFilter(asset, asset_partitions=list(names), after_timestamp=began),
        limit=_MOST_MATERIALIZATIONS,
    )
    return set(names) <= {record.partition_key for record in made.records}


def _is_explained(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    """Whether each failed step of a run is reported by another kind of problem."""
    if run.status != dg.DagsterRunStatus.FAILURE:
        return False
    failures = step_failures(instance, run.run_id)
    return bool(failures) and all(map(_is_of_another_kind, failures.values()))


def _is_of_another_kind(failure: dg.DagsterEvent) -> bool:
    data = failure.step_failure_data
    if data.error is not None and data.error.cls_name == _BLOCKING_CHECK:
        return True
    return data.user_failure_data is not None and ALERTED_BY in data.user_failure_data.metadata


def step_failures(instance: dg.DagsterInstance, run_id: str) -> dict[str, dg.DagsterEvent]:
    """The failures of the steps of a run, by step."""
    return {
        event.step_key or "": event
        for entry in instance.all_logs(run_id, of_type=dg.DagsterEventType.STEP_FAILURE)
        if (event := entry.dagster_event) is not None
    }


def _reasons(instance: dg.DagsterInstance, run: dg.DagsterRun) -> list[str]:
    """Why a run failed: a line per failed step, or what ended the run itself."""
    reasons = [
        f"{step}: {_reason(failure)}"
        for step, failure in step_failures(instance, run.run_id).items()
    ]
    if reasons:
        return reasons
    return [
        entry.dagster_event.message or ""
        for entry in instance.all_logs(run.run_id, of_type=dg.DagsterEventType.RUN_FAILURE)
        if entry.dagster_event is not None
    ]


def _reason(failure: dg.DagsterEvent) -> str:
    """The sentence of Kido that a step failed of; of any other error its type alone.

    The text of another error may contain anything, credentials included. The run's page has it.
    """
    data = failure.step_failure_data
    own = data.user_failure_data
    if own is not None and own.description and ERROR_TYPE not in own.metadata:
        return own.description.strip().splitlines()[0]
    error = (data.error.cause or data.error) if data.error else None
    if error is not None and error.cls_name in _own_errors():
        return error.message.partition(": ")[2].strip().splitlines()[0]
    name = str(own.metadata[ERROR_TYPE].value) if own and ERROR_TYPE in own.metadata else None
    return f"{name or (error and error.cls_name) or 'an error'} (its text is behind the link)"


@cache
def _own_errors() -> Set[str]:
    """The names of the errors of Kido."""

    def names(error: type[KidoError]) -> set[str]:
        return {error.__name__}.union(*map(names, error.__subclasses__()))

    return names(KidoError)
