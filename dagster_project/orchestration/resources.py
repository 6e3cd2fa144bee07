"""The one resource: the warehouse a run works on, and the day it is built for."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg
from pydantic import Field

from dagster_project.orchestration.builds import Build
from dagster_project.orchestration.keys import fail_run_on
from dagster_project.orchestration.killed_runs import process_in_log
from dagster_project.orchestration.processes import name_of, own_name
from dagster_project.settings import Settings

Context = dg.AssetExecutionContext | dg.AssetCheckExecutionContext


class Warehouse(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Settings of a run. `as_of` replays a past day; empty means the setting, else today."""

    as_of: str = Field(
        default="",
        description="Day to build for (YYYY-MM-DD); empty for KIDO_AS_OF, else today in UTC. "
        "Another day than today is published in a file of its own, as_of/kido-YYYY-MM-DD.duckdb.",
    )
    publish: bool = Field(
        default=False,
        description="Publish another day than today as kido.duckdb, over the file that readers "
        "hold.",
    )

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """Record in the run's folder the process that executes it, to recognise killed runs."""
        if context.run_id is None or context.instance is None:
            return
        build = Build(self.build_dir(context.run_id))
        if build.owner is None:
            pid = process_in_log(context.instance, context.run_id)
            build.claim((name_of(int(pid)) if pid else None) or own_name())

    def settings(self, context: Context) -> Settings:
        """The settings of the run; its day is fixed when it starts, also across midnight.

        An invalid day becomes the run's failure in one sentence.
        """

        def load() -> Settings:
            settings = Settings.load(**({"as_of": self.as_of} if self.as_of else {}))
            settings.started_on = _day_of(context)
            if self.publish:
                settings.publish_as_today()
            settings.require_past_or_today()
            return settings

        return fail_run_on(load)

    def build_dir(self, run_id: str) -> Path:
        """The folder a run builds in; runs never share one."""
        return Settings.load().build_dir / run_id


def _day_of(context: Context) -> date:
    """The day (UTC) on which a run started, the same for all its steps and processes."""
    record = context.instance.get_run_record_by_id(context.run.run_id)
    started = record.start_time if record else None
    if started is None:
        return datetime.now(UTC).date()
    return datetime.fromtimestamp(started, UTC).date()
