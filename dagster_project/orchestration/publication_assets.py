"""The audit of the marts, and the published file.

`serving` publishes the file; here it waits for the checks.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import dagster as dg
from pydantic import Field

from dagster_project.errors import HeldError, PublicationError
from dagster_project.lake.store import write_atomically
from dagster_project.orchestration import builds
from dagster_project.orchestration.audit import results_of_marts
from dagster_project.orchestration.keys import (
    OWNER,
    PUBLISHED,
    WRITER_POOL,
    fail_run_on,
    key_of,
    mart_keys,
    non_empty,
)
from dagster_project.orchestration.lineage import sources_behind
from dagster_project.orchestration.metadata import (
    suite_check_result,
    suite_check_spec,
)
from dagster_project.orchestration.resources import Warehouse
from dagster_project.quality.mart_suites import mart_suites
from dagster_project.quality.report import render_report
from dagster_project.quality.results import CheckResult, as_frame
from dagster_project.quality.runner import evaluate
from dagster_project.serving import gate, publication
from dagster_project.serving.answers import answers, answers_markdown, headline
from dagster_project.serving.dictionary import Table, described_tables, meta_of_marts
from dagster_project.serving.publication import Release
from dagster_project.serving.release_catalog import (
    CHECKS,
    OF_A_RELEASE,
    catalog_frames,
    write_catalog,
)
from dagster_project.settings import Settings

AUDITED = tuple(name for name in mart_suites() if name not in OF_A_RELEASE)
"""The marts that dbt builds; those that describe a release are made, and checked, with it."""


def mart_audit() -> dg.AssetChecksDefinition:
    """The check of every mart with its suite, before anything is published."""

    @dg.multi_asset_check(
        name="audit_marts",
        specs=[
            suite_check_spec(mart_suites()[name], dg.AssetKey(name.split("."))) for name in AUDITED
        ],
        can_subset=True,
        pool=WRITER_POOL,
    )
    def audit(
        context: dg.AssetCheckExecutionContext, warehouse: Warehouse
    ) -> Iterator[dg.AssetCheckResult]:
        settings = warehouse.settings(context)
        build = _build_of(warehouse, context.run.run_id, settings)
        chosen = context.selected_asset_check_keys
        results: list[CheckResult] = []
        of_marts = results_of_marts(
            build.file,
            AUDITED,
            today=settings.today,
            scope=settings.scope,
            memory=settings.memory,
        )
        for name, of_mart in of_marts:
            results += of_mart
            check = suite_check_result(mart_suites()[name], dg.AssetKey(name.split(".")), of_mart)
            if key_of(check) in chosen:
                yield check
        build.keep_checks("marts", results)
        write_atomically(
            settings.reports_dir / "checks.html",
            render_report(
                all_checks(build), title=f"Checks of the build as of {settings.today}"
            ).encode(),
        )
        if not any(result.blocks for result in results):
            build.declare_complete(is_replay=settings.is_replay)

    return audit


_OF_ANOTHER_DAY = gate.Comparison(is_left_out="A build of another day is not compared.")
_OVERTAKEN = gate.Comparison(
    is_left_out="A build that began later is published already; this one is not."
)


class Publication(dg.Config):
    """Options of a publication in the launchpad."""

    accept: str = Field(
        default="",
        description="Release of a held build, to publish it although readers lose data as in "
        "the comparison. Materialise this asset alone.",
    )


def published_asset(manifest: Mapping[str, Any]) -> dg.AssetsDefinition:
    """`published/warehouse`: the audited marts in the one file that readers open."""
    sources_of, metas = sources_behind(manifest), meta_of_marts(manifest)
    tables = described_tables(manifest)

    @dg.asset(
        key=PUBLISHED,
        deps=mart_keys(),
        check_specs=[
            dg.AssetCheckSpec(
                kind, asset=PUBLISHED, description=description, blocking=kind != gate.NEWS
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
        pool=WRITER_POOL,
    )
    def warehouse_file(
        context: dg.AssetExecutionContext, warehouse: Warehouse, config: Publication
    ) -> Iterator[dg.AssetCheckResult | dg.MaterializeResult[None]]:
        settings = warehouse.settings(context)
        if config.accept and builds.Build(warehouse.build_dir(context.run_id)).file.exists():
            raise dg.Failure(
                description="accept publishes a held build: materialise published/warehouse alone.",
                allow_retries=False,
            )
        if config.accept:
            build = _held_build(settings, config.accept)
        else:
            build = _build_of(warehouse, context.run_id, settings)
        checks = all_checks(build)
        failed = [check for check in checks if check.blocks]
        if failed:
            raise dg.Failure(
                description=f"{len(failed)} checks of the build did not pass; nothing published.",
                allow_retries=False,
            )
        compared = _OF_ANOTHER_DAY if settings.is_replay else _OVERTAKEN
        now = datetime.now(UTC).replace(tzinfo=None)

        def judge(release: Release) -> Release:
            nonlocal compared
            compared = _compared(settings, build, sources_of, metas)
            if compared.losses and publication.is_kept(settings, release.release_id):
                raise PublicationError(
                    f"Release {release.release_id} was published before.",
                    hint=f"To go forward to it: kido rollback {release.release_id}.",
                )
            if compared.losses and not config.accept:
                raise HeldError(compared.in_words)
            if not compared.losses:
                return release
            return release.model_copy(
                update={"accepted_at": now, "accepted_losses": compared.in_words}
            )

        def complete(release: Release) -> None:
            of_gate = [] if settings.is_replay else compared.checks
            _describe_release(settings, build, tables, release, [*checks, *of_gate])

        def publish() -> Release:
            args = (settings, build.file, build.release, complete, now, build.inputs)
            if settings.is_replay:
                return publication.publish_replay(*args)
            return publication.publish(*args, judge=judge)

        try:
            release = fail_run_on(publish)
        except dg.Failure as failure:
            if not isinstance(failure.__cause__, HeldError):
                raise
            build.hold(compared.in_words)
            yield from _gate_checks(compared, dg.AssetCheckSeverity.ERROR)
            raise dg.Failure(
                description=(
                    f"The build is held: readers would lose what it lacks. To publish it all the "
                    f"same: kido accept {build.release.release_id}."
                ),
                metadata={"comparison": dg.MetadataValue.md(compared.page)},
                allow_retries=False,
            ) from failure.__cause__
        if release.release_id != build.release.release_id:
            context.log.warning(compared.is_left_out)
        if not settings.is_replay:
            builds.release_held(settings.build_dir, release.release_id)
        yield from _gate_checks(compared, dg.AssetCheckSeverity.WARN)
        published_file = settings.file_of_the_day
        page = answers(published_file, settings.importer)
        yield dg.MaterializeResult(
            metadata={
                page.importer: headline(page),
                "answers": dg.MetadataValue.md(answers_markdown(page)),
                "dagster/uri": str(published_file),
                "release": release.release_id,
                "as_of": str(release.as_of),
                "bytes": published_file.stat().st_size,
                "checks": len(checks),
                "comparison": dg.MetadataValue.md(compared.page or compared.is_left_out),
                "report": str(settings.reports_dir / "checks.html"),
            }
        )

    return warehouse_file


def _describe_release(
    settings: Settings,
    build: builds.Build,
    tables: Sequence[Table],
    release: Release,
    checks: Sequence[CheckResult],
) -> None:
    """Make the tables of a build that describe its release; their own checks are among `checks`.

    Raises PublicationError where a rule of theirs fails, or the build has no page of answers.
    """
    earlier = publication.published_releases(settings)
    frames = catalog_frames(
        build.file,
        tables,
        [*(previous for previous in earlier if previous.release_id < release.release_id), release],
        as_frame(checks),
        rows_of_checks=len(checks) + sum(len(mart_suites()[name].rules) for name in OF_A_RELEASE),
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
        build.file, tables, {**frames, CHECKS: as_frame([*checks, *own])}, settings.memory
    )
    answers(build.file, settings.importer)


def _compared(
    settings: Settings,
    build: builds.Build,
    sources_of: Mapping[str, Collection[str]],
    metas: gate.Metas,
) -> gate.Comparison:
    """A build of today compared with the last release of its own day; other days are not
    compared.
    """
    if settings.today != settings.run_day:
        return _OF_ANOTHER_DAY
    last = publication.last_file_of_its_day(settings)
    if last is None:
        return gate.Comparison(is_left_out="There is no release before it.")
    compared = gate.compare(
        last,
        build.file,
        builds.withdrawn_snapshots(settings),
        sources_of,
        metas,
        settings.memory,
        contract_version=build.release.contract_version,
        to_come=OF_A_RELEASE,
    )
    back = publication.rolled_back(settings)
    again = back and gate.came_back(
        build.file,
        back.release.release_id,
        f"{back.at:%Y-%m-%d %H:%M} UTC",
        back.brought_by,
        back.made_from,
        is_same_code=back.release.code_version == build.release.code_version,
    )
    return replace(compared, losses=[again, *compared.losses]) if again else compared


def _gate_checks(
    compared: gate.Comparison, severity: dg.AssetCheckSeverity
) -> Iterator[dg.AssetCheckResult]:
    """A check for each kind of loss, of this severity, and one for the news, which only warns."""
    for kind in gate.KINDS:
        sentences = compared.sentences(kind)
        of_kind = dg.AssetCheckSeverity.WARN if kind == gate.NEWS else severity
        yield dg.AssetCheckResult(
            asset_key=PUBLISHED,
            check_name=kind,
            passed=not sentences,
            severity=of_kind if sentences else dg.AssetCheckSeverity.ERROR,
            metadata={
                **non_empty(observed="\n".join(sentences) or compared.is_left_out),
                **({"comparison": dg.MetadataValue.md(compared.page)} if sentences else {}),
            },
        )


def _held_build(settings: Settings, release_id: str) -> builds.Build:
    if settings.today != settings.run_day:
        raise dg.Failure(
            description=f"A held build is published as what readers see today, not as of "
            f"{settings.today}: leave the day (as_of, KIDO_AS_OF) out.",
            allow_retries=False,
        )
    held = {build.release.release_id: build for build in builds.held_builds(settings.build_dir)}
    if release_id not in held:
        raise dg.Failure(
            description=f"Release {release_id} is not held. Held: {', '.join(held) or 'none'}.",
            allow_retries=False,
        )
    withdrawn = builds.withdrawn_from(settings, held[release_id])
    if withdrawn:
        raise dg.Failure(
            description=f"Release {release_id} used withdrawn snapshots ({withdrawn}): "
            "build again.",
            allow_retries=False,
        )
    return held[release_id]


def _build_of(warehouse: Warehouse, run_id: str, settings: Settings) -> builds.Build:
    """The run's own build, else (a publication or an audit on its own) the last complete one."""
    own = builds.Build(warehouse.build_dir(run_id))
    if own.file.exists():
        return own
    last = builds.complete_build(settings.build_dir, is_replay=settings.is_replay)
    if last is None or (settings.as_of and last.release.as_of != settings.as_of):
        day = f" as of {settings.as_of}" if settings.as_of else ""
        raise dg.Failure(
            description=f"Nothing is built{day} yet: materialise the marts first.",
            allow_retries=False,
        )
    withdrawn = builds.withdrawn_from(settings, last)
    if withdrawn:
        raise dg.Failure(
            description=f"The last complete build used withdrawn snapshots ({withdrawn}): "
            "materialise the marts first.",
            allow_retries=False,
        )
    return last


def all_checks(build: builds.Build) -> list[CheckResult]:
    """The results of all checks of a build, in the order of the stages."""
    return [check for stage in ("lake", "dbt", "marts") for check in build.checks(stage)]
