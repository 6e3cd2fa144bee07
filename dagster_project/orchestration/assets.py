"""The asset graph, in the order of the rooms.

Built from the registry of sources and the dbt manifest.
"""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from dagster_project.orchestration.dbt_models import dbt_models
from dagster_project.orchestration.publication_assets import published_asset
from dagster_project.orchestration.source_assets import lake_assets, landing_asset
from dagster_project.sources.registry import all_sources


def all_assets(manifest: Mapping[str, Any]) -> list[dg.AssetsDefinition]:
    """Every asset of the graph, in the order of the rooms."""
    return [
        *(landing_asset(source) for source in all_sources().values()),
        *(lake_assets(source) for source in all_sources().values()),
        dbt_models(manifest),
        published_asset(),
    ]
