"""The one resource: the warehouse a run works on, and the day it is built for."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg
from pydantic import Field

from dagster_project.settings import Settings

Context = dg.AssetExecutionContext | dg.AssetCheckExecutionContext


class Warehouse(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Settings of a run. `as_of` replays a past day; empty means the setting, else today."""

    as_of: str = Field(
        default="",
        description="Day to build for (YYYY-MM-DD); empty for KIDO_AS_OF, else today in UTC.",
    )

    def settings(self, context: Context) -> Settings:
        """The settings of the run; its day is fixed when it starts, whatever midnight does."""
        settings = Settings.load(**({"as_of": self.as_of} if self.as_of else {}))
        settings.started_on = _day_of(context)
        return settings

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
