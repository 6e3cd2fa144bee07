"""The published file, as an asset that waits for the audited build.

How a file is compared and published is in `serving`.
"""

import shutil
from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import dagster as dg
import duckdb
import polars as pl
from pydantic import Field

from dagster_project.errors import BlockedError, PublicationError
from dagster_project.orchestration import builds, fingerprints
from dagster_project.orchestration.audit import all_checks, build_to_use, final_failure
from dagster_project.orchestration.automation import with_its_inputs
from dagster_project.orchestration.code_references import code_of_publication
from dagster_project.orchestration.keys import (
    ALERTED_BY,
    AUDITED,
    OVERTAKEN,
    OWNER,
    PUBLISHED,
    WRITER_POOL,
    fail_run_on,
    made_with,
    non_empty,
)
from dagster_project.orchestration.lineage import sources_behind
from dagster_project.orchestration.private_rows import private_sources
from dagster_project.orchestration.resources import Warehouse
from dagster_project.quality.mart_suites import mart_suites
from dagster_project.quality.results import CheckResult, as_frame
from dagster_project.quality.runner import evaluate
from dagster_project.serving import gate, publication
from dagster_project.serving.answers import answers, answers_markdown, headline, numbers
from dagster_project.serving.damage import damage_of
from dagster_project.serving.dictionary import Table, described_tables, meta_of_marts
from dagster_project.serving.publication import Release
from dagster_project.serving.release_catalog import (
    CHECKS,
    RELEASE_TABLES,
    catalog_frames,
    write_catalog,
)
from dagster_project.serving.release_changes import (
    changes_between,
    changes_frame,
    recorded_changes,
)
from dagster_project.serving.show_changes import changes_markdown, changes_of
from dagster_project.settings import Settings

T = TypeVar("T")

_OF_ANOTHER_DAY = gate.ReleaseComparison(skipped_because="A build of another day is not compared.")
_OVERTAKEN = gate.ReleaseComparison(
    skipped_because="A build that began later is published already; this one is not."
)


class Publication(dg.Config):
    """Options of a publication in the launchpad."""

    accept: str = Field(
        default="",
        description="Release of a blocked build: publishes it although readers lose the data that "
        "the comparison lists. Materialise this asset alone.",
    )


def published_asset(manifest: Mapping[str, Any]) -> dg.AssetsDefinition:
    """`published/warehouse`: the audited marts in the one file that readers open."""
    contract = _Contract(
        described_tables(manifest), sources_behind(manifest), meta_of_marts(manifest), manifest
    )

    @dg.asset(
        key=PUBLISHED,
        deps=[AUDITED],
        check_specs=[
            dg.AssetCheckSpec(
                kind,
                asset=PUBLISHED,
                description=description,
                blocking=kind != gate.NEWS,
                metadata={} if kind == gate.NEWS else {ALERTED_BY: "blocked_releases"},
            )
            for kind, description in gate.KINDS.items()
        ],
        description=(
            "The published file `kido.duckdb`: every mart of an audited build, swapped in by one "
            "rename. Readers never wait and never see half a release. A replay of another day is "
            "published beside it, as `as_of/kido-YYYY-MM-DD.duckdb`."
        ),
        group_name="published",
        kinds={"duckdb"},
        owners=[OWNER],
        automation_condition=with_its_inputs(),
        metadata=code_of_publication(),
        pool=WRITER_POOL,
    )
    def warehouse_file(
        context: dg.AssetExecutionContext, warehouse: Warehouse, config: Publication
    ) -> Iterator[dg.AssetCheckResult | dg.MaterializeResult[None]]:
        settings = warehouse.settings(context)
        chosen = set(context.run.asset_selection or ())
        if AUDITED not in chosen and AUDITED in map(made_with, chosen):
            raise final_failure(
                f"What is built is audited before it is published: select "
                f"{AUDITED.to_user_string()} as well, or {PUBLISHED.to_user_string()} alone."
            )
        own_build = builds.Build(warehouse.build_dir(context.run_id))
        if not config.accept:
            build = build_to_use(own_build, settings)
        elif own_build.file.exists():
            raise final_failure(
                "accept publishes a blocked build: materialise published/warehouse alone."
            )
        else:
            build = _blocked_build(settings, config.accept)
        with _checked_copy(build) as file:
            checks = fail_run_on(lambda: all_checks(build))
            failed = sum(check.blocks for check in checks)
            if failed:
                raise final_failure(
                    f"{failed} checks of the build did not pass; nothing was published."
                )
            attempt = _Attempt(
                settings, build, file, contract, checks, is_accepted=bool(config.accept)
            )
            release = yield from attempt.publish()
        if release.release_id != build.release.release_id:
            context.log.warning(attempt.comparison.skipped_because)
        yield attempt.materialization(release)

    return warehouse_file


@dataclass(frozen=True)
class _Contract:
    """What the dbt project states of the published tables."""

    tables: Sequence[Table]
    sources_of: Mapping[str, Collection[str]]
    """By table (`schema.table`), the sources from whose rows it is made."""
    metas: gate.Metas
    manifest: Mapping[str, Any]


class _Attempt:
    """The attempt to publish one build, whose blocking checks have passed.

    `publication.publish` calls back while no other publication runs: only then is it known which
    release to compare with.
    """

    def __init__(
        self,
        settings: Settings,
        build: builds.Build,
        file: Path,
        contract: _Contract,
        checks: Sequence[CheckResult],
        *,
        is_accepted: bool,
    ) -> None:
        self._settings = settings
        self._build = build
        self._file = file
        self._contract = contract
        self._checks = checks
        self._is_accepted = is_accepted
        self._now = datetime.now(UTC).replace(tzinfo=None)
        self.comparison = _OF_ANOTHER_DAY if settings.is_replay else _OVERTAKEN

    def publish(self) -> Generator[dg.AssetCheckResult, None, Release]:
        """Publish the build and return the current release; yields the checks of the comparison.

        The current release is another one if a later build was published meanwhile. Raises Failure
        if the build is blocked or cannot be published.
        """
        try:
            release = fail_run_on(self._publish)
        except dg.Failure as failure:
            if not isinstance(failure.__cause__, BlockedError):
                raise
            self._build.block(self.comparison.in_words)
            yield from _gate_checks(self.comparison, dg.AssetCheckSeverity.ERROR)
            raise dg.Failure(
                description="The build is blocked: readers would lose data. To publish it anyway: "
                f"kido accept {self._build.release.release_id}.",
                metadata={
                    "comparison": dg.MetadataValue.md(self.comparison.page),
                    ALERTED_BY: "blocked_releases",
                },
                allow_retries=False,
            ) from failure.__cause__
        if not self._settings.is_replay:
            builds.discard_blocked(self._settings.build_dir, release.release_id)
        yield from _gate_checks(self.comparison, dg.AssetCheckSeverity.WARN)
        return release

    def materialization(self, release: Release) -> dg.MaterializeResult[None]:
        """The published file in the UI: the page of answers, the release, the comparison."""
        published_file = self._settings.file_of_the_day
        page = answers(published_file, self._settings.importer)
        changes = changes_of(published_file, is_replay=self._settings.is_replay)
        comparison = self.comparison.page or self.comparison.skipped_because
        is_overtaken = release.release_id != self._build.release.release_id
        return dg.MaterializeResult(
            metadata={
                **({OVERTAKEN: self._build.release.release_id} if is_overtaken else {}),
                page.importer: headline(page),
                **numbers(page),
                "changes": dg.MetadataValue.md(changes_markdown(changes)),
                "answers": dg.MetadataValue.md(answers_markdown(page)),
                "dagster/uri": str(published_file),
                "release": release.release_id,
                "as_of": str(release.as_of),
                "bytes": published_file.stat().st_size,
                "checks": len(self._checks),
                "comparison": dg.MetadataValue.md(comparison),
                "report": str(self._settings.reports_dir / "checks.html"),
            }
        )

    def _publish(self) -> Release:
        build, settings = self._build, self._settings
        args = (settings, self._file, build.release, self._complete, self._now, build.inputs)
        if settings.is_replay:
            return publication.publish_replay(*args)
        return publication.publish(*args, approve=self._approve)

    def _approve(self, release: Release) -> Release:
        """Compare the build with the release before it; returns the release to publish.

        Raises BlockedError for losses that nobody accepted, and PublicationError for losses of a
        release that was published before and rolled back.
        """
        contents = fingerprints.contents_of_marts(
            self._build.file, self._contract.manifest, self._settings.memory
        )
        self.comparison = _compared(
            self._settings, self._build, self._file, self._contract, contents
        )
        release = release.model_copy(update={"contents": contents})
        losses = self.comparison.in_words
        current = publication.current_release(self._settings)
        # An acceptance that was killed after it had published is repeated.
        is_current = current is not None and current.release_id == release.release_id
        if is_current or not self.comparison.losses:
            return release
        if publication.is_kept(self._settings, release.release_id):
            raise PublicationError(
                f"Release {release.release_id} was published before.",
                hint=f"To go forward to it: kido rollback {release.release_id}.",
            )
        if not self._is_accepted:
            raise BlockedError(losses)
        return release.model_copy(update={"accepted_at": self._now, "accepted_losses": losses})

    def _complete(self, release: Release) -> None:
        """Make the tables of the build that describe its release."""
        gate_checks = [] if self._settings.is_replay else self.comparison.checks
        _describe_release(
            self._settings,
            self._file,
            self._contract.tables,
            release,
            [*self._checks, *gate_checks],
        )


def _describe_release(
    settings: Settings,
    file: Path,
    tables: Sequence[Table],
    release: Release,
    checks: Sequence[CheckResult],
) -> None:
    """Make the tables of a build that describe its release, `checks` and their own checks included.

    Raises PublicationError if one of their rules fails, or the build has no page of answers.
    """
    published = publication.published_releases(settings)
    earlier = [previous for previous in published if previous.release_id < release.release_id]
    frames = catalog_frames(
        file,
        tables,
        [*earlier, release],
        as_frame(checks, release.release_id),
        _changes(settings, file, release, earlier),
        rows_of_checks=len(checks) + sum(len(mart_suites()[name].rules) for name in RELEASE_TABLES),
        memory=settings.memory,
    )
    own = [
        result
        for name, rows in frames.items()
        for result in evaluate(rows, mart_suites()[name], today=settings.today)
    ]
    failed = [
        f"{result.table_name}: {result.check_name}: {result.observed}"
        for result in own
        if result.blocks
    ]
    if failed:
        raise PublicationError(f"The release cannot be described: {'; '.join(failed)}.")
    write_catalog(
        file,
        tables,
        {**frames, CHECKS: as_frame([*checks, *own], release.release_id)},
        settings.memory,
    )
    answers(file, settings.importer)


def _changes(
    settings: Settings, file: Path, release: Release, earlier: Sequence[Release]
) -> pl.DataFrame:
    """What is new in a build since the current release, and in the releases before it.

    A replay follows no release, and has no rows. Raises PublicationError if no copy of the current
    release can be read.
    """
    current = publication.current_release(settings)
    if current is None or settings.is_replay:
        return changes_frame(release.release_id, [])

    def compare(published_file: Path) -> pl.DataFrame:
        changes = changes_between(
            published_file,
            file,
            importer=settings.importer,
            day_before=current.as_of,
            day=release.as_of,
            private=private_sources(),
            memory=settings.memory,
        )
        releases = [each.release_id for each in earlier]
        return changes_frame(
            release.release_id, changes, recorded_changes(published_file, releases)
        )

    _, frame = _from_first_copy(publication.copies_of(settings, current.release_id), compare)
    return frame


def _compared(
    settings: Settings,
    build: builds.Build,
    file: Path,
    contract: _Contract,
    contents: Mapping[str, str],
) -> gate.ReleaseComparison:
    """A build of today compared with the last release of its own day, and with the oldest kept one.

    `contents` are the hashes of its marts. Builds of other days are not compared. Raises
    PublicationError if no copy of the last release can be read.
    """
    if settings.today != settings.run_day:
        return _OF_ANOTHER_DAY
    copies = publication.last_files_for_build_day(settings)
    if not copies:
        return gate.ReleaseComparison(skipped_because="There is no release before it.")
    compare = partial(
        gate.compare,
        withdrawn=builds.withdrawn_snapshots(settings),
        sources_of=contract.sources_of,
        metas=contract.metas,
        memory=settings.memory,
        contract_version=build.release.contract_version,
        scope=build.release.scope,
        added_later=RELEASE_TABLES,
        private=private_sources(),
        contents=lambda path: contents if path == file else publication.contents_of(path),
    )
    last, comparison = _from_first_copy(copies, lambda copy: compare(copy, file))
    oldest = publication.oldest_file_for_build_day(settings)
    if oldest is not None:
        comparison = gate.with_losses_since(comparison, oldest, last, file, compare)
    rollback = publication.rolled_back(settings)
    repeated = rollback and gate.loss_of_rollback(
        file,
        rollback.release.release_id,
        f"{rollback.at:%Y-%m-%d %H:%M} UTC",
        rollback.brought_by,
        rollback.made_from,
        is_same_code=rollback.release.code_version == build.release.code_version,
    )
    return replace(comparison, losses=[repeated, *comparison.losses]) if repeated else comparison


def _from_first_copy(copies: Sequence[Path], read: Callable[[Path], T]) -> tuple[Path, T]:
    """The first copy of a release that can be read, and what is read from it.

    Raises PublicationError if all are damaged.
    """
    for copy in copies:
        try:
            return copy, read(copy)
        except duckdb.Error:
            if not damage_of(copy):
                raise
    raise PublicationError(
        f"{copies[0]} is damaged: the build cannot be compared with the release before it.",
        hint="Restore a release first: kido rollback.",
    )


def _gate_checks(
    comparison: gate.ReleaseComparison, severity: dg.AssetCheckSeverity
) -> Iterator[dg.AssetCheckResult]:
    """A check for each kind of loss, with this severity, and one for the news, which only warns."""
    for kind in gate.KINDS:
        sentences = comparison.sentences(kind)
        severity_of_kind = dg.AssetCheckSeverity.WARN if kind == gate.NEWS else severity
        yield dg.AssetCheckResult(
            asset_key=PUBLISHED,
            check_name=kind,
            passed=not sentences,
            severity=severity_of_kind if sentences else dg.AssetCheckSeverity.ERROR,
            metadata={
                **non_empty(observed="\n".join(sentences) or comparison.skipped_because),
                **({"comparison": dg.MetadataValue.md(comparison.page)} if sentences else {}),
            },
        )


def _blocked_build(settings: Settings, release_id: str) -> builds.Build:
    """The blocked build of a release; raises Failure if it cannot be published as of today."""
    if settings.today != settings.run_day:
        raise final_failure(
            f"A blocked build can only be published as of today, not as of {settings.today}: "
            "leave out the day (as_of, KIDO_AS_OF)."
        )
    blocked = {
        build.release.release_id: build for build in builds.blocked_builds(settings.build_dir)
    }
    if release_id not in blocked:
        raise final_failure(
            f"Release {release_id} is not blocked. Blocked: {', '.join(blocked) or 'none'}."
        )
    withdrawn = builds.withdrawn_from(settings, blocked[release_id])
    if withdrawn:
        raise final_failure(
            f"Release {release_id} used withdrawn snapshots ({withdrawn}): build again."
        )
    return blocked[release_id]


@contextmanager
def _checked_copy(build: builds.Build) -> Iterator[Path]:
    """A copy of a build, which is that which was checked; it is removed afterwards.

    Publishing writes the catalog into it; the build stays as it was checked. Raises Failure if the
    build or the records beside it were changed.
    """
    copy = build.directory / "checked.duckdb"
    try:
        fail_run_on(lambda: shutil.copyfile(build.file, copy))
        fail_run_on(lambda: build.require_sealed(copy))
        yield copy
    finally:
        copy.unlink(missing_ok=True)
