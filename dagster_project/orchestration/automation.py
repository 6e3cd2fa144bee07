"""When the assets after the landing are built by themselves: Dagster's automation conditions.

One sensor evaluates them; it is off until switched on in the UI. Another one reports what landed
outside of runs.
"""

from __future__ import annotations

from typing import Any

import dagster as dg

from dagster_project.intake.stores import landing_of
from dagster_project.lake.landing import Landing
from dagster_project.orchestration.keys import (
    BACKFILL_TAG,
    NEWS_ONLY_TAG,
    PUBLISHED,
    data_version,
    landing_key,
)
from dagster_project.orchestration.killed_runs import end_killed_runs
from dagster_project.settings import Settings
from dagster_project.sources.registry import source_names

BUILD_WHAT_LANDED = "build_what_landed"
"""The sensor that is the one switch."""

DATA_VERSION_TAG = "dagster/data_version"
"""Dagster's tag of a materialization that has a version."""

HOURLY = "0 * * * *"
"""At most one build an hour: publishers that answer one after another are built together."""


def once_landed() -> dg.AutomationCondition[Any]:
    """Of the lake tables of a source: its landing has other documents than at the last build.

    True at the next full hour, and only while no build runs and its landing is not being made.
    A landing that received nothing new keeps its data version, and causes nothing. When the sensor
    is switched on, every table is requested once: what landed before is not known to it. That run
    builds only if something is new.
    """
    condition = dg.AutomationCondition
    backfills = dg.AssetSelection.tag(BACKFILL_TAG, "true")
    has_landed = condition.any_deps_match(condition.data_version_changed()).ignore(backfills)
    # The windows of a backfill are materialised one by one, without a version of the whole.
    is_backfilled = condition.any_deps_match(condition.newly_updated()).allow(backfills)
    return (
        (has_landed | is_backfilled | condition.initial_evaluation()).since(
            condition.newly_requested() | condition.newly_updated()
        )
        & condition.cron_tick_passed(HOURLY)
        & ~condition.any_deps_in_progress()
        & ~condition.in_progress()
        & ~condition.asset_matches(PUBLISHED, condition.in_progress())
    ).with_label("its landing has other documents, and a full hour has passed")


def with_its_inputs() -> dg.AutomationCondition[Any]:
    """Of every table after the lake, and of the published file: in the run that makes an input."""
    condition = dg.AutomationCondition
    return condition.any_deps_match(condition.will_be_requested()).with_label(
        "an input is made in the same run"
    )


def automation_sensor() -> dg.AutomationConditionSensorDefinition:
    """The sensor that builds what follows from a landing, in one run."""
    return dg.AutomationConditionSensorDefinition(
        BUILD_WHAT_LANDED,
        target=dg.AssetSelection.all() | dg.AssetSelection.all_asset_checks(),
        run_tags={NEWS_ONLY_TAG: "true"},
        minimum_interval_seconds=60,
        default_status=dg.DefaultSensorStatus.STOPPED,
        description="Builds, audits and publishes what follows from documents that landed since "
        "the last build, at most once an hour.",
    )


def landings_sensor() -> dg.SensorDefinition:
    """The sensor that reports documents that a person landed, fetched or withdrew at a terminal."""

    @dg.sensor(
        name="report_landings",
        minimum_interval_seconds=300,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Reports documents that were landed, fetched or withdrawn at a terminal, so "
        "that the UI shows them and build_what_landed builds them. Records builds of a terminal "
        "that were killed as failed. It starts no run.",
    )
    def report_landings(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        settings = Settings.load()
        end_killed_runs(settings, context.instance)
        landing = landing_of(settings)
        return dg.SensorResult(
            asset_events=[
                event
                for name in source_names()
                if (event := unreported(context.instance, landing, name))
            ]
        )

    return report_landings


def unreported(
    instance: dg.DagsterInstance, landing: Landing, source: str
) -> dg.AssetMaterialization | None:
    """The materialization of a landing whose documents are others than Dagster knows of, if so."""
    snapshots = [snapshot.snapshot_id for snapshot in landing.snapshots(source)]
    version = data_version(snapshots).value
    latest = instance.get_latest_materialization_event(landing_key(source))
    known = latest.asset_materialization if latest else None
    if known is None and not snapshots:
        return None
    if known and (known.tags or {}).get(DATA_VERSION_TAG) == version:
        return None
    return dg.AssetMaterialization(
        landing_key(source),
        metadata={"snapshots": len(snapshots), "reported": "landed outside of a run"},
        tags={DATA_VERSION_TAG: version},
    )
