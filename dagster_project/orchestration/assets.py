"""The asset graph: landing and lake per source, the dbt models, their audit, the publication.

Built from the registry of sources and the dbt manifest; a new source adds nothing here.
"""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, dbt_assets
from dagster_dbt.asset_utils import get_asset_check_key_for_test

from dagster_project.errors import KidoError, PublicationError
from dagster_project.lake.build_file import connect, prepare
from dagster_project.lake.schemas import LAKE_TABLES
from dagster_project.lake.store import write_atomically
from dagster_project.orchestration import builds, ingest, transform
from dagster_project.orchestration.facts import code_version, facts
from dagster_project.orchestration.inputs import inputs_version
from dagster_project.orchestration.metadata import (
    lake_column_schema,
    markdown_table,
    suite_check_result,
    suite_check_spec,
)
from dagster_project.orchestration.preview import lake_preview, lake_reach, mart_glance
from dagster_project.orchestration.resources import Warehouse
from dagster_project.quality.lake_suites import LAKE_SUITES
from dagster_project.quality.mart_suites import MART_SUITES
from dagster_project.quality.report import render_report
from dagster_project.quality.results import CheckResult, as_frame, merge
from dagster_project.quality.runner import evaluate
from dagster_project.serving import publication
from dagster_project.serving.answers import ANSWERS, answers, answers_markdown, headline
from dagster_project.sources.card import Source, SourceCard
from dagster_project.sources.registry import all_sources

WRITER_POOL = "warehouse_writer"
"""Every step that writes is in it; its limit of one run keeps two builds apart."""

WHOLE_RUN_TAG = "kido/whole"
"""On a run that renews every asset."""

OWNER = "team:kido"
PUBLISHED = dg.AssetKey(["published", "warehouse"])


def landing_key(source: str) -> dg.AssetKey:
    return dg.AssetKey(["landing", source])


def lake_key(source: str, table: str) -> dg.AssetKey:
    return dg.AssetKey(["lake", f"{source}_{table}"])


def source_group(source: str) -> str:
    """The group of a publisher's assets, from the bytes to the typed rows."""
    return f"source_{source}"


def publisher_page(card: SourceCard) -> dg.MetadataValue[Any]:
    """A link to the publisher's page; the catalogue's is a folder of the project."""
    return (
        dg.MetadataValue.url(card.homepage)
        if "://" in card.homepage
        else dg.MetadataValue.text(card.homepage)
    )


def landing_asset(source: Source) -> dg.AssetsDefinition:
    """`landing/<source>`: the documents of a publisher, as received."""
    card = source.CARD
    key = landing_key(card.name)
    answered = "publisher_answered"
    checks = (
        [
            dg.AssetCheckSpec(
                answered,
                asset=key,
                description="Where the source is fetched, its publisher answered this time.",
            )
        ]
        if card.base_url
        else []
    )

    @dg.multi_asset(
        name=f"landing__{card.name}",
        specs=[
            dg.AssetSpec(
                key,
                description=f"{card.title}, as received. {card.description}",
                group_name=source_group(card.name),
                kinds={"http" if card.base_url else "file"},
                owners=[card.owner],
                tags={"source": card.name},
                metadata={
                    "publisher": card.publisher,
                    "homepage": publisher_page(card),
                    "licence": card.licence,
                    "cadence": card.cadence,
                },
            )
        ],
        check_specs=checks,
        pool=WRITER_POOL,
    )
    def landing(
        context: dg.AssetExecutionContext, warehouse: Warehouse
    ) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
        settings = warehouse.settings()
        landed = _or_fail(lambda: ingest.land(settings, source))
        snapshots = ingest.landing_of(settings).snapshots(card.name)
        if checks:
            yield dg.AssetCheckResult(
                asset_key=key,
                check_name=answered,
                passed=not landed.failure,
                severity=dg.AssetCheckSeverity.WARN,
                metadata={
                    "answer": landed.failure
                    or ("fetched" if ingest.is_fetched(settings, source) else "not asked")
                },
            )
        yield dg.MaterializeResult(
            asset_key=key,
            metadata={
                "snapshots": len(snapshots),
                "new": len(landed.new),
                "unchanged": landed.unchanged,
                "documents": dg.MetadataValue.md(
                    markdown_table(
                        [
                            {
                                "document": snapshot.document,
                                "retrieved": f"{snapshot.retrieved_at:%Y-%m-%d %H:%M}",
                                "bytes": snapshot.bytes,
                                "sha256": snapshot.sha256[:12],
                                "licence": snapshot.origin.licence,
                            }
                            for snapshot in snapshots
                        ]
                    )
                ),
            },
            data_version=_data_version([snapshot.snapshot_id for snapshot in snapshots]),
        )

    return landing


def lake_assets(source: Source) -> dg.AssetsDefinition:
    """`lake/<source>_<table>`: the typed rows of a source, each batch checked before it counts."""
    card = source.CARD
    tables = [LAKE_TABLES[name] for name in card.tables]

    @dg.multi_asset(
        name=f"lake__{card.name}",
        specs=[
            dg.AssetSpec(
                lake_key(card.name, table.name),
                deps=[landing_key(card.name)],
                description=f"{table.description} From {card.title}.",
                group_name=source_group(card.name),
                kinds={"polars", "parquet"},
                owners=[card.owner],
                tags={"source": card.name},
                metadata={
                    "dagster/column_schema": lake_column_schema(table),
                    "publisher": card.publisher,
                    "homepage": publisher_page(card),
                },
            )
            for table in tables
        ],
        check_specs=[
            suite_check_spec(LAKE_SUITES[table.name], lake_key(card.name, table.name))
            for table in tables
        ],
        pool=WRITER_POOL,
    )
    def lake(
        context: dg.AssetExecutionContext, warehouse: Warehouse
    ) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
        settings = warehouse.settings()
        outcome = _or_fail(lambda: ingest.conform(settings, source))
        for table in tables:
            yield suite_check_result(
                LAKE_SUITES[table.name],
                lake_key(card.name, table.name),
                outcome.checks.get(table.name, []),
            )
        if outcome.rejected:
            raise dg.Failure(description=outcome.rejected, allow_retries=False)
        stored = ingest.lake_of(settings)
        versions = list(stored.records(card.name))
        for table in tables:
            vintage, latest = lake_reach(stored, table, card.name)
            yield dg.MaterializeResult(
                asset_key=lake_key(card.name, table.name),
                metadata={
                    "dagster/row_count": outcome.rows.get(table.name, 0),
                    "rows_set_aside": outcome.set_aside.get(table.name, 0),
                    "new_snapshots": outcome.new_snapshots,
                    **_told(last_vintage=vintage, latest_period=latest),
                    "preview": dg.MetadataValue.md(
                        markdown_table(lake_preview(stored, table, card.name))
                    ),
                },
                data_version=_data_version([*versions, table.name]),
            )

    return lake


class _Translator(DagsterDbtTranslator):
    """dbt nodes as assets: `<schema>/<table>`, one group per schema, fed by the sources' lakes."""

    def __init__(self) -> None:
        super().__init__(settings=DagsterDbtTranslatorSettings(enable_asset_checks=True))
        self._lineage = transform.load_column_lineage()

    def get_asset_spec(
        self, manifest: Mapping[str, Any], unique_id: str, project: Any
    ) -> dg.AssetSpec:
        node = {**manifest["nodes"], **manifest["sources"]}[unique_id]
        spec = super().get_asset_spec(manifest, unique_id, project)
        name = node.get("alias") or node["name"]
        if node["resource_type"] == "source":
            return spec.replace_attributes(key=dg.AssetKey([node["source_name"], node["name"]]))
        fed_by = [
            dg.AssetDep(key)
            for parent in node.get("depends_on", {}).get("nodes", ())
            if parent.startswith("source.")
            for key in _keys_behind(manifest["sources"][parent])
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
        return spec.replace_attributes(
            key=dg.AssetKey([node["schema"], name]),
            deps=list({dep.asset_key: dep for dep in (*models, *fed_by)}.values()),
            group_name=node["schema"],
            owners=[OWNER],
            description=node["description"] or f"dbt {node['resource_type']} {name}.",
            metadata={**spec.metadata, **schema},
        )

    def column_lineage(self, manifest: Mapping[str, Any], unique_id: str) -> dg.TableColumnLineage:
        """What each column of a model is made of, one step up; lake columns by source."""
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
            return _keys_behind(manifest["sources"][unique_id])
        node = manifest["nodes"][unique_id]
        return [dg.AssetKey([node["schema"], node.get("alias") or node["name"]])]


def _keys_behind(dbt_source: Mapping[str, Any]) -> list[dg.AssetKey]:
    """The lake assets behind a dbt source; none for the facts of the run."""
    if dbt_source["source_name"] != "lake":
        return []
    return [
        lake_key(name, dbt_source["name"])
        for name, source in all_sources().items()
        if dbt_source["name"] in source.CARD.tables
    ]


def dbt_models(manifest: Mapping[str, Any]) -> dg.AssetsDefinition:
    """The dbt project as assets and checks, built by one dbt invocation in this process."""
    translator = _Translator()

    @dbt_assets(
        manifest=manifest,
        dagster_dbt_translator=translator,
        name="dbt_build",
        exclude="resource_type:unit_test",
        pool=WRITER_POOL,
    )
    def models(
        context: dg.AssetExecutionContext, warehouse: Warehouse
    ) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
        settings = warehouse.settings()
        build = builds.Build(warehouse.build_dir(context.run_id))
        builds.sweep(settings.build_dir, keep=build.directory)
        release = publication.new_release(
            datetime.now(UTC).replace(tzinfo=None), settings.today, code_version()
        )
        # Only a run of everything may say what it was made from: a part of it leaves the rest as
        # it was, and the next build has to look.
        is_whole = context.run.tags.get(WHOLE_RUN_TAG) == "true"
        build.start(release, inputs_version(settings) if is_whole else None)
        select = _subset(context, manifest, settings, build)
        _or_fail(lambda: _prepare_build_file(settings, build, release, manifest))
        outcome = _or_fail(
            lambda: transform.run(
                build.file, settings.today, target=build.directory / "dbt", select=select
            )
        )
        if outcome.error:
            raise dg.Failure(description=outcome.error, allow_retries=False)
        yield from _dbt_events(context, manifest, translator, build, outcome)

    return models


def _prepare_build_file(
    settings: Any, build: builds.Build, release: publication.Release, manifest: Mapping[str, Any]
) -> None:
    sources = all_sources().values()
    landing, lake = ingest.landing_of(settings), ingest.lake_of(settings)
    checks = merge(
        check for source in sources for check in ingest.recorded_checks(lake, source.CARD.name)
    )
    build.keep_checks("lake", checks)
    prepare(
        build.file,
        lake,
        facts(
            settings,
            sources,
            [
                snapshot
                for source in sources
                for snapshot in landing.snapshots(source.CARD.name)
            ],
            checks,
            [*publication.published_releases(settings), release],
            manifest,
        ),
    )  # fmt: skip


def _subset(
    context: dg.AssetExecutionContext,
    manifest: Mapping[str, Any],
    settings: Any,
    build: builds.Build,
) -> list[str]:
    """What dbt is to select: nothing (all of it), or the chosen models on the last whole build."""
    chosen = context.selected_asset_keys
    nodes = {
        dg.AssetKey([node["schema"], node.get("alias") or node["name"]]): node
        for node in manifest["nodes"].values()
        if node["resource_type"] in {"model", "seed"}
    }
    if set(nodes) <= set(chosen):
        return []
    last = builds.complete_build(settings.build_dir)
    if last is None or last.release.as_of != settings.today:
        return []
    shutil.copyfile(last.file, build.file)
    # The catalog is about the run, so it is made anew by every one.
    return [nodes[key]["name"] for key in nodes if key in chosen or key.path[0] == "catalog"]


def _dbt_events(
    context: dg.AssetExecutionContext,
    manifest: Mapping[str, Any],
    translator: _Translator,
    build: builds.Build,
    outcome: transform.DbtOutcome,
) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
    chosen = context.selected_asset_keys
    chosen_checks = context.selected_asset_check_keys
    glances = _glances(build)
    results: list[CheckResult] = []
    broken: list[str] = []
    for node in outcome.results:
        if node.resource_type in {"model", "seed"}:
            details = manifest["nodes"][node.unique_id]
            key = dg.AssetKey([details["schema"], details.get("alias") or details["name"]])
            if node.status == "success" and key in chosen:
                metadata: dict[str, Any] = {"seconds": round(node.seconds, 3)}
                metadata |= glances.get((details["schema"], details["alias"]), {})
                metadata["dagster/column_lineage"] = translator.column_lineage(
                    manifest, node.unique_id
                )
                yield dg.MaterializeResult(asset_key=key, metadata=metadata)
            elif node.status == "error":
                broken.append(f"{node.name}: {_first_line(node.message)}")
        elif node.resource_type == "test":
            rows = (
                transform.sample_failing_rows(build.file, node)
                if node.status in {"fail", "warn"}
                else []
            )
            result, check = _dbt_check(manifest, translator, node, rows)
            results.append(result)
            if result.status != "passed" and node.status != "skipped" and node.severity == "error":
                broken.append(f"{node.name}: {result.observed}")
            if check is not None and _key_of(check) in chosen_checks:
                yield check
    build.keep_checks("dbt", results)
    if broken:
        raise dg.Failure(
            description=f"dbt: {len(broken)} failed: {'; '.join(broken)}.", allow_retries=False
        )


def _dbt_check(
    manifest: Mapping[str, Any],
    translator: _Translator,
    node: transform.NodeResult,
    rows: list[dict[str, Any]],
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
        "failed": f"{node.failures} offending rows",
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
    if key is None:
        return result, None
    metadata: dict[str, Any] = {"engine": "dbt", "observed": observed}
    if status != "passed":
        metadata["failing_rows"] = node.failures
        metadata["offending_rows"] = dg.MetadataValue.md(markdown_table(rows))
    return result, dg.AssetCheckResult(
        asset_key=key.asset_key,
        check_name=key.name,
        passed=status == "passed",
        severity=dg.AssetCheckSeverity.ERROR
        if node.severity == "error"
        else dg.AssetCheckSeverity.WARN,
        metadata=metadata,
    )


def mart_keys() -> list[dg.AssetKey]:
    """The published tables, by their suites: every one has a suite."""
    return [dg.AssetKey(name.split(".")) for name in MART_SUITES]


def mart_audit() -> dg.AssetChecksDefinition:
    """The content of every mart held against its suite, before anything is published."""

    @dg.multi_asset_check(
        name="audit_marts",
        specs=[
            suite_check_spec(suite, dg.AssetKey(name.split(".")))
            for name, suite in MART_SUITES.items()
        ],
        can_subset=True,
        pool=WRITER_POOL,
    )
    def audit(
        context: dg.AssetCheckExecutionContext, warehouse: Warehouse
    ) -> Iterator[dg.AssetCheckResult]:
        settings = warehouse.settings()
        build = _build_of(warehouse, context.run.run_id, settings)
        chosen = context.selected_asset_check_keys
        results: list[CheckResult] = []
        with connect(build.file, read_only=True) as connection:
            for name, suite in MART_SUITES.items():
                key = dg.AssetKey(name.split("."))
                found = evaluate(connection.sql(f"from {name}").pl(), suite, today=settings.today)
                results += found
                check = suite_check_result(suite, key, found)
                if _key_of(check) in chosen:
                    yield check
        build.keep_checks("marts", results)
        write_atomically(
            settings.reports_dir / "checks.html",
            render_report(
                _all_checks(build), title=f"Checks of the build as of {settings.today}"
            ).encode(),
        )
        if not any(result.severity == "error" and result.status != "passed" for result in results):
            build.declare_complete()

    return audit


def published_asset() -> dg.AssetsDefinition:
    """`published/warehouse`: the audited marts in the one file that readers open."""

    @dg.asset(
        key=PUBLISHED,
        deps=mart_keys(),
        description=(
            "The published file `kido.duckdb`: every mart of an audited build, swapped in by one "
            "rename. Readers never wait and never see half a release."
        ),
        group_name="published",
        kinds={"duckdb"},
        owners=[OWNER],
        pool=WRITER_POOL,
    )
    def warehouse_file(
        context: dg.AssetExecutionContext, warehouse: Warehouse
    ) -> dg.MaterializeResult[None]:
        settings = warehouse.settings()
        build = _build_of(warehouse, context.run_id, settings)
        checks = _all_checks(build)
        failed = [
            check for check in checks if check.severity == "error" and check.status != "passed"
        ]
        if failed:
            raise dg.Failure(
                description=f"{len(failed)} checks of the build did not pass; nothing published.",
                allow_retries=False,
            )
        release = _or_fail(
            lambda: publication.publish(
                settings,
                build.file,
                build.release,
                as_frame(checks),
                datetime.now(UTC).replace(tzinfo=None),
                build.inputs,
            )
        )
        found = answers(settings.published_file)
        return dg.MaterializeResult(
            metadata={
                ANSWERS: headline(found),
                "answers": dg.MetadataValue.md(answers_markdown(found)),
                "dagster/uri": str(settings.published_file),
                "release": release.release_id,
                "as_of": str(release.as_of),
                "bytes": settings.published_file.stat().st_size,
                "checks": len(checks),
                "report": str(settings.reports_dir / "checks.html"),
            }
        )

    return warehouse_file


def _build_of(warehouse: Warehouse, run_id: str, settings: Any) -> builds.Build:
    """The run's own build, else (a publication or an audit on its own) the last whole one."""
    own = builds.Build(warehouse.build_dir(run_id))
    if own.file.exists():
        return own
    last = builds.complete_build(settings.build_dir)
    if last is None:
        raise dg.Failure(
            description="Nothing is built yet: materialise the marts first.", allow_retries=False
        )
    return last


def _all_checks(build: builds.Build) -> list[CheckResult]:
    return [check for stage in ("lake", "dbt", "marts") for check in build.checks(stage)]


def _key_of(check: dg.AssetCheckResult) -> dg.AssetCheckKey:
    assert check.asset_key is not None
    assert check.check_name is not None
    return dg.AssetCheckKey(check.asset_key, check.check_name)


def _glances(build: builds.Build) -> dict[tuple[str, str], dict[str, Any]]:
    """What the UI shows of every table of a build file: rows, latest period, a few rows."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    with connect(build.file, read_only=True) as connection:
        tables = connection.execute(
            "select schema_name, table_name from duckdb_tables() where not internal"
        ).fetchall()
        for schema, table in tables:
            count, latest, rows = mart_glance(connection, schema, table)
            found[schema, table] = {
                "dagster/row_count": count,
                **_told(latest_period=latest),
                "preview": dg.MetadataValue.md(markdown_table(rows)),
            }
    return found


def _told(**texts: str) -> dict[str, str]:
    """The entries that say something."""
    return {name: text for name, text in texts.items() if text}


def _data_version(parts: Sequence[str]) -> dg.DataVersion:
    import hashlib

    return dg.DataVersion(hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16])


def _first_line(message: str) -> str:
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    return " ".join(lines[:3])


def _or_fail(step: Any) -> Any:
    """Run a step; what stops it becomes the run's failure in one sentence."""
    try:
        return step()
    except (KidoError, PublicationError) as error:
        raise dg.Failure(description=str(error), allow_retries=False) from error


def all_assets(manifest: Mapping[str, Any]) -> list[dg.AssetsDefinition]:
    """Every asset of the graph, in the order of the rooms."""
    return [
        *(landing_asset(source) for source in all_sources().values()),
        *(lake_assets(source) for source in all_sources().values()),
        dbt_models(manifest),
        published_asset(),
    ]
