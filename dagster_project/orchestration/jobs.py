"""Jobs and schedules: what runs together, and when, once someone switches it on."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import dagster as dg

from dagster_project.orchestration.keys import (
    PUBLISHED,
    lake_key,
    landing_key,
    mart_keys,
)
from dagster_project.sources.registry import all_sources


@cache
def jobs() -> Mapping[str, dg.UnresolvedAssetJobDefinition]:
    """`build` renews everything; `daily_build` only asks the daily publishers there are to ask."""
    daily = [
        key
        for name, source in all_sources().items()
        if source.CARD.cadence == "daily" and source.CARD.base_url
        for key in (landing_key(name), *(lake_key(name, table) for table in source.CARD.tables))
    ]
    transformed = dg.AssetSelection.assets(*mart_keys()).upstream() - (
        dg.AssetSelection.key_prefixes(["landing"], ["lake"])
    )
    return {
        "build": dg.define_asset_job(
            "build",
            selection=dg.AssetSelection.all(),
            description="Land every source, build every mart, audit, publish.",
        ),
        "daily_build": dg.define_asset_job(
            "daily_build",
            selection=dg.AssetSelection.assets(*daily, PUBLISHED) | transformed,
            description="Land the daily sources, then build, audit and publish everything.",
        ),
    }


def schedules() -> list[dg.ScheduleDefinition]:
    """Switched off until someone turns them on in the UI."""
    by_name = jobs()
    return [
        dg.ScheduleDefinition(
            name="daily",
            job=by_name["daily_build"],
            cron_schedule="30 16 * * 1-5",
            execution_timezone="Europe/Berlin",
            description="After the ECB's rates of the day (about 16:00 in Frankfurt).",
            default_status=dg.DefaultScheduleStatus.STOPPED,
        ),
        dg.ScheduleDefinition(
            name="monthly",
            job=by_name["build"],
            cron_schedule="0 6 3 * *",
            execution_timezone="Asia/Tokyo",
            description="Everything, after the trade statistics of the month before last are out.",
            default_status=dg.DefaultScheduleStatus.STOPPED,
        ),
    ]
