"""All assets of the graph, built from the registry of sources and the dbt manifest."""

from collections.abc import Collection, Mapping
from typing import Any

import dagster as dg

from dagster_project.orchestration.dbt_models import dbt_models
from dagster_project.orchestration.publication_assets import published_asset
from dagster_project.orchestration.source_assets import (
    backfill_assets,
    lake_assets,
    landing_asset,
)
from dagster_project.sources.registry import all_sources


def all_assets(manifest: Mapping[str, Any], fetched: Collection[str]) -> list[dg.AssetsDefinition]:
    """Every asset of the graph: backfills, landing, lake, marts, the published file.

    Only the sources that are `fetched` have backfills: without keys the graph has none, and
    "Materialize all" does not require a choice of partitions.
    """
    return [
        *(
            asset
            for name, source in all_sources().items()
            if name in fetched
            for asset in backfill_assets(source)
        ),
        *(
            landing_asset(source, is_scheduled=name in fetched)
            for name, source in all_sources().items()
        ),
        *(
            lake_assets(source, has_backfills=name in fetched)
            for name, source in all_sources().items()
        ),
        dbt_models(manifest),
        published_asset(manifest),
    ]
