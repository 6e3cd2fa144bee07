"""Puts the packages together: the code location that `workspace.yaml` names."""

from __future__ import annotations

import dagster as dg

from dagster_project.intake.due import is_fetched
from dagster_project.orchestration.alert_sensors import alert_sensors
from dagster_project.orchestration.assets import all_assets
from dagster_project.orchestration.automation import automation_sensor, landings_sensor
from dagster_project.orchestration.dbt_runner import dbt_resource, load_manifest
from dagster_project.orchestration.jobs import jobs, schedules
from dagster_project.orchestration.lateness_checks import lateness_checks
from dagster_project.orchestration.notice_checks import notices_are_read
from dagster_project.orchestration.progress import stage_logger
from dagster_project.orchestration.resources import Warehouse
from dagster_project.orchestration.retention import clean_up_job, clean_up_schedule
from dagster_project.settings import Settings
from dagster_project.sources.registry import all_sources


@dg.definitions
def defs() -> dg.Definitions:
    """Assets, checks, jobs, schedules and sensors.

    Steps run in one process unless a launch asks otherwise: a process per step costs one or two
    seconds each, an import of Great Expectations up to four.
    """
    settings = Settings.load()
    fetched = {name for name, source in all_sources().items() if is_fetched(settings, source)}
    cleaning = clean_up_job()
    manifest = load_manifest()
    return dg.Definitions(
        assets=all_assets(manifest, fetched),
        asset_checks=[
            lateness_checks(all_sources().values()),
            notices_are_read,
        ],
        jobs=[*jobs().values(), cleaning],
        schedules=[*schedules(), clean_up_schedule(cleaning)],
        sensors=[automation_sensor(), landings_sensor(), *alert_sensors()],
        resources={"warehouse": Warehouse(), "dbt": dbt_resource()},
        executor=dg.in_process_executor,
        loggers={"console": stage_logger},
    )
