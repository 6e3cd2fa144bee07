"""Landing and lake: a publisher's documents as received, and its typed rows.

Built from a source's card; a new source adds nothing here.
"""

from collections.abc import Iterator

import dagster as dg

from dagster_project.lake.schemas import LAKE_TABLES
from dagster_project.orchestration import ingest
from dagster_project.orchestration.keys import (
    WRITER_POOL,
    data_version,
    lake_key,
    landing_key,
    or_fail,
    publisher_page,
    source_group,
    told,
)
from dagster_project.orchestration.metadata import (
    lake_column_schema,
    markdown_table,
    suite_check_result,
    suite_check_spec,
)
from dagster_project.orchestration.preview import lake_preview, lake_reach
from dagster_project.orchestration.resources import Warehouse
from dagster_project.quality.lake_suites import LAKE_SUITES
from dagster_project.sources.card import Source


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
        landed = or_fail(lambda: ingest.land(settings, source))
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
            data_version=data_version([snapshot.snapshot_id for snapshot in snapshots]),
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
        outcome = or_fail(lambda: ingest.conform(settings, source))
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
                    **told(last_vintage=vintage, latest_period=latest),
                    "preview": dg.MetadataValue.md(
                        markdown_table(lake_preview(stored, table, card.name))
                    ),
                },
                data_version=data_version([*versions, table.name]),
            )

    return lake
