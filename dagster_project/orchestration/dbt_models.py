"""The dbt project as assets and checks: one dbt invocation into the run's own file, and its audit.

No model is named here; they are read from the manifest. A table that stands as the last build made
it is not materialised anew, and a check that did not run keeps its last result.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from datetime import UTC, datetime
from typing import Any

import dagster as dg
from dagster_dbt import (
    DagsterDbtTranslator,
    DagsterDbtTranslatorSettings,
    DbtCliResource,
    dbt_assets,
)
from dagster_dbt.asset_utils import get_asset_check_key_for_test

from dagster_project import words
from dagster_project.errors import counted, shortened
from dagster_project.intake.compact import compact_many_small_files
from dagster_project.intake.conform import is_conformed, recorded_checks
from dagster_project.intake.stores import lake_of, landing_of
from dagster_project.intake.withdraw import sweep
from dagster_project.lake.build_file import connect, prepare
from dagster_project.lake.copies import left_out_on
from dagster_project.lake.schemas import INTAKE_TABLES
from dagster_project.lake.space import disk_full
from dagster_project.lake.tables import Contents
from dagster_project.orchestration import builds, dbt_runner, fingerprints
from dagster_project.orchestration.audit import (
    all_checks,
    audit,
    build_to_use,
    carried_suites,
    final_failure,
    suite_checks,
    suite_fingerprints,
)
from dagster_project.orchestration.automation import with_its_inputs
from dagster_project.orchestration.code_references import code_of_audit, code_of_model
from dagster_project.orchestration.days import require_day
from dagster_project.orchestration.inputs import code_version, inputs_version
from dagster_project.orchestration.keys import (
    AUDITED,
    ERROR_TYPE,
    NEWS_ONLY_TAG,
    OWNER,
    WRITER_POOL,
    fail_run_on,
    key_of,
    lake_key,
    mart_keys,
    non_empty,
)
from dagster_project.orchestration.killed_runs import end_killed_runs
from dagster_project.orchestration.lineage import (
    inputs_of_tables,
    sources_of_table,
    tables_by_source,
)
from dagster_project.orchestration.metadata import (
    SKIPPED,
    SUITE_CHECK,
    latest_period_metadata,
    markdown_table,
)
from dagster_project.orchestration.preview import mart_preview
from dagster_project.orchestration.private_rows import PrivateRows, private_rows
from dagster_project.orchestration.resources import Warehouse
from dagster_project.orchestration.runtime_tables import runtime_tables
from dagster_project.quality.results import CheckResult, merge
from dagster_project.serving import publication
from dagster_project.serving.dictionary import NAMES_SUFFIX, add_views, described_tables
from dagster_project.serving.pictures import as_markdown, pictures
from dagster_project.serving.terminal import counter, say
from dagster_project.settings import Settings
from dagster_project.sources.registry import all_sources


class _Translator(DagsterDbtTranslator):
    """dbt nodes as assets: `<schema>/<table>`, a group per schema, downstream of lake assets.

    Seeds are in the group of staging: both are what the models read.
    """

    def __init__(self) -> None:
        super().__init__(settings=DagsterDbtTranslatorSettings(enable_asset_checks=True))
        self._lineage = dbt_runner.load_column_lineage()

    def get_asset_spec(
        self, manifest: Mapping[str, Any], unique_id: str, project: Any
    ) -> dg.AssetSpec:
        node = {**manifest["nodes"], **manifest["sources"]}[unique_id]
        spec = super().get_asset_spec(manifest, unique_id, project)
        name = node.get("alias") or node["name"]
        if node["resource_type"] == "source":
            return spec.replace_attributes(key=dg.AssetKey([node["source_name"], node["name"]]))
        lake_inputs = [
            dg.AssetDep(key)
            for parent in node.get("depends_on", {}).get("nodes", ())
            if parent.startswith("source.")
            for key in _lake_keys(manifest["sources"][parent])
        ]
        models = [dep for dep in spec.deps if dep.asset_key.path[0] not in {"lake", "runtime"}]
        schema = {
            "dagster/column_schema": dg.TableSchema(
                columns=[
                    dg.TableColumn(
                        column, details.get("data_type") or "", details.get("description") or ""
                    )
                    for column, details in node.get("columns", {}).items()
                ]
            )
        }
        domain = node.get("meta", {}).get("domain", "")
        return spec.replace_attributes(
            key=dg.AssetKey([node["schema"], name]),
            deps=list({dep.asset_key: dep for dep in (*models, *lake_inputs)}.values()),
            group_name="staging" if node["resource_type"] == "seed" else node["schema"],
            owners=[f"team:{domain}" if domain else OWNER],
            tags={**spec.tags, **non_empty(domain=domain)},
            automation_condition=with_its_inputs() if node["resource_type"] == "model" else None,
            description=node["description"] or f"dbt {node['resource_type']} {name}.",
            metadata={**spec.metadata, **schema, **code_of_model(node)},
        )

    def column_lineage(self, manifest: Mapping[str, Any], unique_id: str) -> dg.TableColumnLineage:
        """The direct inputs of each column of a model; lake columns by source."""
        deps: dict[str, list[dg.TableColumnDep]] = {}
        for column, origins in self._lineage.get(unique_id, {}).items():
            deps[column] = [
                dg.TableColumnDep(asset_key=key, column_name=origin_column)
                for origin, origin_column in origins
                for key in self._keys_of(manifest, origin)
            ]
        return dg.TableColumnLineage(deps_by_column=deps)

    def _keys_of(self, manifest: Mapping[str, Any], unique_id: str) -> Sequence[dg.AssetKey]:
        if unique_id.startswith("source."):
            return _lake_keys(manifest["sources"][unique_id])
        node = manifest["nodes"][unique_id]
        return [_key_of_node(node)]


def _lake_keys(dbt_source: Mapping[str, Any]) -> list[dg.AssetKey]:
    """The lake assets that a dbt source reads.

    Tables that intake writes beside the rows of a source belong to all of its lake assets.
    """
    name, beside = dbt_source["name"], {table.name for table in INTAKE_TABLES}
    return [
        lake_key(source, table)
        for source in sources_of_table(dbt_source)
        for table in (all_sources()[source].CARD.tables if name in beside else [name])
    ]


def dbt_models(manifest: Mapping[str, Any]) -> dg.AssetsDefinition:
    """The dbt project as assets and checks, built by one dbt invocation, and the audited build,
    which what follows in a run waits for.
    """
    translator = _Translator()

    @dbt_assets(
        manifest=manifest,
        dagster_dbt_translator=translator,
        exclude=" ".join(dbt_runner.NOT_OF_BUILDS),
    )
    def of_dbt() -> Iterator[Any]:
        yield from ()

    @dg.multi_asset(
        name="dbt_build",
        specs=[*of_dbt.specs, _audited_build()],
        check_specs=[*of_dbt.check_specs, *suite_checks()],
        can_subset=True,
        pool=WRITER_POOL,
    )
    def models(
        context: dg.AssetExecutionContext, warehouse: Warehouse, dbt: DbtCliResource
    ) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
        settings = warehouse.settings(context)
        if not context.selected_asset_keys:
            yield from _checked_again(context, warehouse, manifest)
            return
        fail_run_on(lambda: require_day(settings))
        fail_run_on(lambda: publication.restore_damaged(settings))
        inputs = _inputs(settings)
        is_whole = set(_models(manifest)) <= set(context.selected_asset_keys)
        is_news_only = context.run.tags.get(NEWS_ONLY_TAG) == "true" and not warehouse.full
        news_only = is_news_only and is_whole and inputs is not None
        if news_only and inputs == publication.inputs_of_the_day(settings):
            context.log.info("Nothing is new since the published release: nothing is built.")
            return
        fail_run_on(lambda: builds.require_room_to_build(settings))
        build = builds.Build(warehouse.build_dir(context.run_id))
        end_killed_runs(settings, context.instance)
        release = publication.new_release(
            datetime.now(UTC).replace(tzinfo=None),
            settings.today,
            code_version(),
            scope=settings.scope.name,
            after=builds.known_releases(settings),
        )
        last, obstacle = fail_run_on(
            lambda: _beginning(settings, build, manifest, is_full=warehouse.full)
        )
        if last is None:
            context.log.info(f"Every model is built: {obstacle}.")
        selected = _selection(context, manifest, settings, last)
        # Not all models of a partial build are of these inputs.
        build.start(
            release,
            None if selected else inputs,
            _version_of_models(settings),
            fingerprints.engine(),
        )
        say("  building marts" if last else f"  building all marts: {obstacle}")
        read = fail_run_on(lambda: _prepare_build_file(settings, build, manifest))
        variables = dbt_runner.variables_of_models(settings.today, settings.reconciled_shares)
        new = fail_run_on(
            lambda: fingerprints.start(
                build.file, manifest, variables, read, suite_fingerprints(settings), settings.memory
            )
        )
        select = _names(manifest, new, selected) if last else []
        ended: list[dbt_runner.Ended] = []
        results: Sequence[dbt_runner.NodeResult] = []
        if select or not last:
            run = fail_run_on(
                lambda: dbt_runner.DbtBuild(
                    dbt,
                    build.file,
                    variables,
                    target=build.directory / "dbt",
                    memory=settings.memory,
                    select=select,
                )
            )
            for made_node in run.stream(counter("models and tests")):
                if made_node.content:
                    context.log.info(f"dbt has made {made_node.unique_id.split('.')[-1]}.")
                    ended.append(made_node)
            results = fail_run_on(run.results)
        ran = [node.unique_id for node in ended if node.unique_id.startswith("seed.")]
        ran += [node.unique_id for node in results if node.status in {"pass", "warn", "fail"}]
        made = fingerprints.made(build.file, ran, settings.memory)
        models = {node: why for node, why in made.items() if node.startswith("model.")}
        if last:
            for node, why in models.items():
                context.log.info(f"{node.split('.')[-1]} is made: {why}.")
        say(f"    {counted(len(models), 'model')} made; adding views with names")
        if not any(node.status == "error" for node in results):
            tables = described_tables(manifest)
            fail_run_on(lambda: add_views(build.file, tables, settings.memory))
            fail_run_on(lambda: fingerprints.compact(build, settings.memory))
        failed_before = _failed_before(context, last) if last else set()
        yield from _materializations(context, manifest, translator, build, ended, settings)
        yield from _tests(context, manifest, translator, build, results, made, last, settings)
        say("  auditing marts")
        yield from _selected(context, audit(build, last, settings, manifest))
        carried = [*_carried_tests(manifest, translator, build), *carried_suites(build)]
        yield from _selected(context, _to_tell(carried, failed_before, all_checks(build)))
        if AUDITED in context.selected_asset_keys:
            yield dg.MaterializeResult(
                asset_key=AUDITED,
                metadata={
                    "release": release.release_id,
                    "models_made": len(models),
                    "checks": len(all_checks(build)),
                    "report": str(settings.reports_dir / "checks.html"),
                },
            )

    return models


def _audited_build() -> dg.AssetSpec:
    return dg.AssetSpec(
        AUDITED,
        deps=mart_keys(),
        group_name="published",
        kinds={"duckdb"},
        owners=[OWNER],
        description="The files of a build: the tables that it made and those that stand as the "
        "last one made them, all of them checked. Materialised by every build.",
        automation_condition=with_its_inputs(),
        metadata=code_of_audit(),
    )


def _checked_again(
    context: dg.AssetExecutionContext, warehouse: Warehouse, manifest: Mapping[str, Any]
) -> Iterator[dg.AssetCheckResult]:
    """The selected checks of suites, of a run that builds nothing: on the last complete build."""
    if not any(key.name == SUITE_CHECK for key in context.selected_asset_check_keys):
        raise final_failure("A test of dbt runs where its model is made: materialise the model.")
    settings = warehouse.settings(context)
    build = build_to_use(builds.Build(warehouse.build_dir(context.run_id)), settings)
    # It has to be the file whose other checks passed.
    fail_run_on(lambda: build.require_sealed(build.file))
    yield from _selected(context, audit(build, None, settings, manifest, is_repeated=True))


def _selected(
    context: dg.AssetExecutionContext, checks: Iterable[dg.AssetCheckResult]
) -> Iterator[dg.AssetCheckResult]:
    """The checks that the run selects."""
    return (check for check in checks if key_of(check) in context.selected_asset_check_keys)


def _failed_before(context: dg.AssetExecutionContext, last: builds.Build) -> set[dg.AssetCheckKey]:
    """The selected checks whose last evaluation did not pass; builds that came to nothing count.

    None, if no run came after that of the last build: what did not pass there is on its record.
    """
    of_last = [
        each.dagster_run
        for each in context.instance.get_run_records(limit=2)
        if each.dagster_run.run_id != context.run_id
    ]
    if [run.run_id for run in of_last if run.is_success] == [last.directory.name]:
        return set()
    records = context.instance.event_log_storage.get_asset_check_summary_records(
        list(context.selected_asset_check_keys)
    )
    return {
        key
        for key, summary in records.items()
        if (record := summary.last_completed_check_execution_record) is not None
        and record.evaluation is not None
        and not record.evaluation.passed
    }


def _to_tell(
    carried: Iterable[dg.AssetCheckResult],
    failed_before: Collection[dg.AssetCheckKey],
    results: Iterable[CheckResult],
) -> list[dg.AssetCheckResult]:
    """Of the checks that did not run those whose silence would mislead.

    They did not pass, or their last evaluation did not; and all of them where a result blocks: in a
    step that fails, a check without an evaluation would be one that could not run.
    """
    is_blocked = any(result.blocks for result in results)
    return [
        check
        for check in carried
        if is_blocked or not check.passed or key_of(check) in failed_before
    ]


def _carried_tests(
    manifest: Mapping[str, Any], translator: _Translator, build: builds.Build
) -> Iterator[dg.AssetCheckResult]:
    """The tests of dbt that have the results of an earlier build."""
    tests = {
        node["name"]: name
        for name, node in manifest["nodes"].items()
        if node["resource_type"] == "test"
    }
    for result in build.checks("dbt"):
        key = get_asset_check_key_for_test(manifest, translator, tests[result.check_name], None)
        if key is not None and result.checked_in != build.release.release_id:
            yield _evaluation(key, result)


def _beginning(
    settings: Settings, build: builds.Build, manifest: Mapping[str, Any], *, is_full: bool
) -> tuple[builds.Build | None, str]:
    """The complete build whose files a build starts from, copied; if from none, why."""
    if is_full:
        return None, "it was asked for"
    last, obstacle = fingerprints.predecessor(settings)
    if last and not fingerprints.copy_of(last, build, manifest, settings.memory):
        return None, "the last complete build was removed meanwhile"
    return last, obstacle


def _names(manifest: Mapping[str, Any], new: Sequence[str], selected: Sequence[str]) -> list[str]:
    """What dbt is to build of the nodes that may have to be made: names, of a selection if any."""
    names = [manifest["nodes"][unique_id]["name"] for unique_id in new]
    return [name for name in names if not selected or name in selected]


def _prepare_build_file(
    settings: Settings, build: builds.Build, manifest: Mapping[str, Any]
) -> Mapping[str, Contents]:
    sources = all_sources().values()
    for source in sources:
        # Nothing reads merged files any more: they are removed at once.
        compact_many_small_files(settings, source)
        sweep(settings, source)
    lake = lake_of(settings)
    checks = merge(check for source in sources for check in recorded_checks(lake, source.CARD.name))
    build.keep_checks("lake", checks)
    facts = runtime_tables(
        settings,
        sources,
        described_tables(manifest),
        inputs_of_tables(manifest),
        tables_by_source(manifest, dbt_runner.load_column_lineage()),
    )
    return prepare(
        build.file,
        lake,
        facts,
        settings.memory,
        left_out_on(settings.today, landing_of(settings), lake, all_sources()),
    )


def _models(manifest: Mapping[str, Any]) -> dict[dg.AssetKey, Mapping[str, Any]]:
    """The nodes that dbt builds, by asset."""
    return {_key_of_node(node): node for node in manifest["nodes"].values() if _is_asset(node)}


def _is_asset(node: Mapping[str, Any]) -> bool:
    return node["resource_type"] in {"model", "seed"}


def _key_of_node(node: Mapping[str, Any]) -> dg.AssetKey:
    return dg.AssetKey([node["schema"], node.get("alias") or node["name"]])


def _inputs(settings: Settings) -> str | None:
    """The hash of the inputs; None if a source is not conformed yet.

    Without a hash the next build cannot be skipped.
    """
    if not all(is_conformed(settings, source) for source in all_sources().values()):
        return None
    return inputs_version(settings, is_asked=True)


def _selection(
    context: dg.AssetExecutionContext,
    manifest: Mapping[str, Any],
    settings: Settings,
    last: builds.Build | None,
) -> list[str]:
    """The models that dbt builds; empty for all that have to be made.

    A partial build leaves the other models as the last complete build made them, and builds all if
    it cannot start from one of the same day and the same models.
    """
    chosen = context.selected_asset_keys
    nodes = _models(manifest)
    if last is None or set(nodes) <= set(chosen):
        return []
    obstacle = _obstacle(last, settings)
    if obstacle:
        context.log.info(f"Every model is built, not only the selected ones: {obstacle}.")
        return []
    # The catalog describes the run, so every run builds it again.
    return [nodes[key]["name"] for key in nodes if key in chosen or key.path[0] == "catalog"]


def _version_of_models(settings: Settings) -> str:
    """A name of what the models compute: their files, and the setting that they read."""
    version = dbt_runner.project_version()
    return version if settings.reconciled_shares else f"{version} without reconciled shares"


def _obstacle(last: builds.Build, settings: Settings) -> str:
    """Why a build of a part cannot start from a complete one; empty if it can."""
    if last.release.as_of != settings.today:
        return f"the last complete build is as of {last.release.as_of}"
    if last.models != _version_of_models(settings):
        return "the models or KIDO_RECONCILED_SHARES have changed since the last complete build"
    return ""


def _materializations(
    context: dg.AssetExecutionContext,
    manifest: Mapping[str, Any],
    translator: _Translator,
    build: builds.Build,
    ended: Sequence[dbt_runner.Ended],
    settings: Settings,
) -> Iterator[dg.MaterializeResult[None]]:
    """The materializations of what dbt has made, in its order, now that it has released the files.

    A table has the hash of its rows as version: where they are the same, what reads it is as new.
    """
    keys = {node.unique_id: _key_of_node(manifest["nodes"][node.unique_id]) for node in ended}
    chosen = context.selected_asset_keys
    tables = {(key.path[0], key.path[1]) for key in keys.values() if key in chosen}
    previews = _previews(build, tables, settings)
    for node in ended:
        key = keys[node.unique_id]
        if key in chosen:
            yield dg.MaterializeResult(
                asset_key=key,
                metadata={
                    "seconds": round(node.seconds, 3),
                    **previews.get((key.path[0], key.path[1]), {}),
                    "dagster/column_lineage": translator.column_lineage(manifest, node.unique_id),
                },
                data_version=dg.DataVersion(node.content),
            )


def _tests(
    context: dg.AssetExecutionContext,
    manifest: Mapping[str, Any],
    translator: _Translator,
    build: builds.Build,
    outcome: Sequence[dbt_runner.NodeResult],
    made: Collection[str],
    last: builds.Build | None,
    settings: Settings,
) -> Iterator[dg.AssetCheckResult]:
    """The results of tests, and those on record: of a test that did not run, the last.

    Raises Failure if a model or a blocking test failed.
    """
    chosen_checks = context.selected_asset_check_keys
    results: list[CheckResult] = []
    failures: list[str] = []
    private = private_rows(settings, manifest)
    for node in outcome:
        if node.resource_type in {"model", "seed"}:
            if node.status == "error":
                failures.append(f"{node.name}: {_first_line(node.message)}")
        elif node.resource_type == "test" and (node.unique_id in made or node.status == SKIPPED):
            rows = (
                dbt_runner.sample_failing_rows(build.file, node, settings.memory)
                if node.status in {"fail", "warn"}
                else []
            )
            result, check = _dbt_check(manifest, translator, node, rows, private)
            results.append(result)
            if result.status != "passed" and node.status != SKIPPED and node.severity == "error":
                failures.append(f"{node.name}: {result.observed}")
            if check is not None and key_of(check) in chosen_checks:
                yield check
    if last:
        run = {result.check_name for result in results}
        tests = {
            node["name"]
            for node in manifest["nodes"].values()
            if node["resource_type"] == "test" and not dbt_runner.is_left_out(node)
        }
        carried = [check for check in last.checks("dbt") if check.check_name in tests - run]
        results = sorted([*results, *carried], key=lambda result: result.check_name)
    build.keep_checks("dbt", results)
    if failures:
        yield from _selected(context, _carried_tests(manifest, translator, build))
        reason = f"dbt: {len(failures)} failed: {'; '.join(failures)}."
        full = disk_full(reason, settings.folders)
        raise dg.Failure(
            description=str(full or reason),
            metadata={} if full else {ERROR_TYPE: f"dbt: {len(failures)} failed"},
            allow_retries=False,
        )


def _dbt_check(
    manifest: Mapping[str, Any],
    translator: _Translator,
    node: dbt_runner.NodeResult,
    rows: list[dict[str, Any]],
    private: PrivateRows,
) -> tuple[CheckResult, dg.AssetCheckResult | None]:
    import polars as pl

    details = manifest["nodes"][node.unique_id]
    key = get_asset_check_key_for_test(manifest, translator, node.unique_id, None)
    table = ".".join(key.asset_key.path) if key else ""
    status = {"pass": "passed", "fail": "failed", "warn": "failed"}.get(
        node.status, "could_not_run"
    )
    observed = {
        "passed": "no offending rows",
        "failed": offending_rows(node.failures, rows),
    }.get(status, _first_line(node.message) or node.status)
    result = CheckResult(
        layer="mart",
        table_name=table,
        check_name=node.name,
        engine="dbt",
        severity="error" if node.severity == "error" else "warn",
        status=status,  # type: ignore[arg-type]
        observed=observed,
        failing_rows=node.failures,
        sample=pl.DataFrame(rows, infer_schema_length=None) if rows else None,
        explanation=details.get("description") or "",
    )
    (result,) = private.hide([result])
    if key is None:
        return result, None
    return result, _evaluation(key, result, seconds=round(node.seconds, 3))


def _evaluation(
    key: dg.AssetCheckKey, result: CheckResult, **metadata: float
) -> dg.AssetCheckResult:
    """The result of a test of dbt in the UI."""
    passed = result.status == "passed"
    shown = [] if result.sample is None else result.sample.to_dicts()
    offending = {} if passed else {"offending_rows": dg.MetadataValue.md(markdown_table(shown))}
    return dg.AssetCheckResult(
        asset_key=key.asset_key,
        check_name=key.name,
        passed=passed,
        severity=dg.AssetCheckSeverity.ERROR
        if result.severity == "error"
        else dg.AssetCheckSeverity.WARN,
        metadata={
            "engine": "dbt",
            "observed": result.observed,
            "failing_rows": result.failing_rows,
            **metadata,
            **offending,
        },
    )


def _previews(
    build: builds.Build, made: Set[tuple[str, str]], settings: Settings
) -> dict[tuple[str, str], dict[str, Any]]:
    """By schema and table of those `made`, the metadata for the UI: number of rows, latest period,
    a few rows.
    """
    previews: dict[tuple[str, str], dict[str, Any]] = {}
    for file in build.files:
        with connect(file, read_only=True, memory=settings.memory) as connection:
            tables = connection.execute(
                "select schema_name, table_name from duckdb_tables() where not internal "
                "union all "
                "select schema_name, view_name from duckdb_views() "
                "where not internal and list_contains(?, schema_name) "
                "and not ends_with(view_name, ?)",
                [list(words.SCHEMAS), NAMES_SUFFIX],
            ).fetchall()
            for schema, table in made & set(tables):
                count, latest, rows = mart_preview(connection, schema, table, settings.today)
                previews[schema, table] = {
                    "dagster/row_count": count,
                    **latest_period_metadata(latest),
                    "preview": dg.MetadataValue.md(markdown_table(rows)),
                }
            for table_name, svg in pictures(connection, settings.importer).items():
                if table_name in made:
                    previews[table_name]["picture"] = dg.MetadataValue.md(
                        as_markdown(svg, table_name[1])
                    )
    return previews


ROWS_QUOTED = 3
CELLS_QUOTED = 8
"""Offending rows, and cells of each, in a failure message; the check in the UI shows more."""


def offending_rows(count: int, sample: Sequence[Mapping[str, Any]]) -> str:
    """The number of rows that a test returned, and the first cells of the first rows."""
    number = f"{count:,} offending {'row' if count == 1 else 'rows'}"
    rows = [
        " ".join(_cell(cell) for cell in list(row.values())[:CELLS_QUOTED] if cell is not None)
        for row in sample[:ROWS_QUOTED]
    ]
    return f"{number}, first {'; '.join(rows)}" if any(rows) else number


def _cell(cell: object) -> str:
    """A number with ten digits, more than any publisher prints; a text in one short line."""
    return f"{cell:.10g}" if isinstance(cell, float) else shortened(str(cell))


def _first_line(message: str) -> str:
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    return " ".join(lines[:3])
