"""Jobs, and schedules that are off until switched on in the UI."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import dagster as dg

from dagster_project.orchestration.keys import (
    AUDITED,
    BACKFILL_TAG,
    NEWS_ONLY_TAG,
    PUBLISHED,
    lake_key,
    landing_key,
)
from dagster_project.orchestration.run_tags import SOURCE_TAG
from dagster_project.sources.card import Source, can_be_asked
from dagster_project.sources.registry import all_sources

RENEW = "renew"
"""The job, and its schedule, that fetches from every enabled publisher."""


@cache
def jobs() -> Mapping[str, dg.UnresolvedAssetJobDefinition]:
    """`build` and `renew` fetch from every publisher, `renew_<source>` from one.

    `build` always builds; the others do only where something is new.
    """
    everything = dg.AssetSelection.all() - dg.AssetSelection.tag(BACKFILL_TAG, "true")
    transformed = dg.AssetSelection.assets(AUDITED).upstream() - (
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
            tags={NEWS_ONLY_TAG: "true", SOURCE_TAG: source.CARD.name},
        )
        for source in _scheduled()
    }
    return {
        "build": dg.define_asset_job(
            "build",
            selection=everything,
            description="Land every source, build every mart, audit, publish.",
        ),
        RENEW: dg.define_asset_job(
            RENEW,
            selection=everything,
            description="Fetch what is due from every enabled publisher; if anything is new since "
            "the published release, build, audit and publish everything.",
            tags={NEWS_ONLY_TAG: "true"},
        ),
        **renewals,
    }


def schedules() -> list[dg.ScheduleDefinition]:
    """One for all publishers, and one per publisher with a calendar; off until switched on in the
    UI.
    """
    by_name = jobs()
    return [
        dg.ScheduleDefinition(
            name=RENEW,
            job=by_name[RENEW],
            cron_schedule="30 10 * * *",
            execution_timezone="Asia/Tokyo",
            description="Every day at 10:30 in Tokyo, from every enabled publisher what its "
            "calendar says may be new: an hour after Japan's customs publish a month. The "
            "schedules of single publishers fetch sooner after a publication.",
            default_status=dg.DefaultScheduleStatus.STOPPED,
        ),
        *_schedules_of_publishers(by_name),
    ]


def _schedules_of_publishers(
    by_name: Mapping[str, dg.UnresolvedAssetJobDefinition],
) -> list[dg.ScheduleDefinition]:
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
        if can_be_asked(source)
        and source.CARD.calendar is not None
        and not source.CARD.only_by_name
    ]
