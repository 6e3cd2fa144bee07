"""The one resource: the warehouse a run works on, and the day it is built for."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
from pydantic import Field

from dagster_project.settings import Settings


class Warehouse(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Settings of a run. `as_of` replays a past day; empty means the setting, else today."""

    as_of: str = Field(
        default="",
        description="Day to build for (YYYY-MM-DD); empty for KIDO_AS_OF, else today in UTC.",
    )

    def settings(self) -> Settings:
        return Settings.load(**({"as_of": self.as_of} if self.as_of else {}))

    def build_dir(self, run_id: str) -> Path:
        """The folder a run builds in; runs never share one."""
        return self.settings().build_dir / run_id
