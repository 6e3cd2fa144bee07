"""Jobs, and schedules that are off until switched on in the UI."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import dagster as dg

from dagster_project.orchestration.keys import (
    BACKFILL_TAG,
    NEWS_ONLY_TAG,
    PUBLISHED,
    lake_key,
    landing_key,
    mart_keys,
)
from dagster_project.sources.card import Source, can_be_asked
from dagster_project.sources.registry import all_sources


@cache
def jobs() -> Mapping[str, dg.UnresolvedAssetJobDefinition]:
    """`build` renews everything; `renew_<source>` fetches one publisher, and builds."""
    transformed = dg.AssetSelection.assets(*mart_keys()).upstream() - (
        dg.AssetSelection.key_prefixes(["landing"], ["lake"])
    )
    renewals = {
        f"renew_{source.CARD.name}": dg.define_asset_job(
            f"renew_{source.CARD.name}",
            selection=dg.AssetSelection.assets(
                landing_key(source.CARD.name),
                *(lake_key(source.CARD.name, table) for table in source.CARD.tables),
                PUBLISHED,
            )
            | transformed,
            description=f"Fetch what is due from {source.CARD.title}; if anything is new since "
            "the published release, build, audit and publish everything.",
            tags={NEWS_ONLY_TAG: "true"},
        )
        for source in _scheduled()
    }
    return {
        "build": dg.define_asset_job(
            "build",
            selection=dg.AssetSelection.all() - dg.AssetSelection.tag(BACKFILL_TAG, "true"),
            description="Land every source, build every mart, audit, publish.",
        ),
        **renewals,
    }


def schedules() -> list[dg.ScheduleDefinition]:
    """One per publisher with a calendar; off until switched on in the UI."""
    by_name = jobs()
    return [
        dg.ScheduleDefinition(
            name=source.CARD.name,
            job=by_name[f"renew_{source.CARD.name}"],
            cron_schedule=source.CARD.calendar.cron,
            execution_timezone=source.CARD.calendar.timezone,
            description=source.CARD.calendar.description,
            default_status=dg.DefaultScheduleStatus.STOPPED,
        )
        for source in _scheduled()
        if source.CARD.calendar
    ]


def _scheduled() -> list[Source]:
    return [
        source
        for source in all_sources().values()
        if can_be_asked(source) and source.CARD.calendar is not None
    ]
