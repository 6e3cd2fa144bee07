"""The one resource, `warehouse`: the settings of a run and the day it builds for."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg
from pydantic import Field

from dagster_project.orchestration.builds import Build
from dagster_project.orchestration.days import require_day
from dagster_project.orchestration.keys import fail_run_on
from dagster_project.orchestration.killed_runs import process_in_log
from dagster_project.orchestration.launchpad import require_valid_choices
from dagster_project.orchestration.processes import name_of, own_name
from dagster_project.orchestration.run_tags import TRIGGER_TAG, trigger_of
from dagster_project.settings import Settings, day_from

Context = dg.AssetExecutionContext | dg.AssetCheckExecutionContext | dg.OpExecutionContext


class Warehouse(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Settings of a run. `as_of` replays a past day; empty means the setting, else today."""

    as_of: str = Field(
        default="",
        description="Day to build for (YYYY-MM-DD); empty for KIDO_AS_OF, else today in UTC. "
        "Another day than today is published in a file of its own, as_of/kido-YYYY-MM-DD.duckdb. "
        "A day in the future, or before the first supplier is known, fails the run at once.",
    )
    publish: bool = Field(
        default=False,
        description="Publish another day than today as kido.duckdb, over the file that readers "
        "use.",
    )
    full: bool = Field(
        default=False,
        description="Build all anew, not from what the last build made, and publish it although "
        "nothing is new since the published release.",
    )

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """Fail the run before its first step if it was launched with a wrong day or choice.

        Then record the process that executes the run in the run's folder: a killed run is
        recognised by it.
        """
        if context.run_id is None or context.instance is None:
            return
        run = context.instance.get_run_by_id(context.run_id)
        if run is not None and run.tags.get(TRIGGER_TAG) != (trigger := trigger_of(run.tags)):
            context.instance.add_run_tags(run.run_id, {TRIGGER_TAG: trigger})
        settings = self._settings(_day_of(context.instance, context.run_id))
        if settings.as_of:
            fail_run_on(lambda: require_day(settings))
        if run is not None:
            fail_run_on(lambda: require_valid_choices(settings, run.run_config))
        build = Build(self.build_dir(context.run_id))
        if build.owner is None:
            pid = process_in_log(context.instance, context.run_id)
            build.claim((name_of(int(pid)) if pid else None) or own_name())

    def settings(self, context: Context) -> Settings:
        """The settings of the run; its day is fixed when it starts, also across midnight.

        An invalid day becomes the run's failure in one sentence.
        """
        return self._settings(_day_of(context.instance, context.run.run_id))

    def _settings(self, started_on: date) -> Settings:
        def load() -> Settings:
            day = self.as_of.strip()
            settings = Settings.load(**({"as_of": day_from(day, "as_of")} if day else {}))
            settings.started_on = started_on
            if self.publish:
                settings.publish_as_today()
            settings.require_past_or_today()
            return settings

        return fail_run_on(load)

    def build_dir(self, run_id: str) -> Path:
        """The folder a run builds in; runs never share one."""
        return Settings.load().build_dir / run_id


def _day_of(instance: dg.DagsterInstance, run_id: str) -> date:
    """The day (UTC) on which a run started, the same for all its steps and processes."""
    record = instance.get_run_record_by_id(run_id)
    started = record.start_time if record else None
    if started is None:
        return datetime.now(UTC).date()
    return datetime.fromtimestamp(started, UTC).date()
