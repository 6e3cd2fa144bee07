"""Lets the helper process type and check a source's landed documents before the lake's step.

The rows are then staged, like those of a landed file, and the step only commits them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from dagster_project.intake.conform import stage_ahead, unstaged
from dagster_project.orchestration import beside, transform
from dagster_project.settings import Settings
from dagster_project.sources.card import Source
from dagster_project.sources.registry import source_named


@dataclass(frozen=True)
class Staging:
    """A job that stages a share of the landed documents of a source for the lake."""

    source: str
    share: int
    settings: Settings = field(compare=False)
    snapshots: tuple[str, ...] = field(default=(), compare=False)

    def done_here(self) -> int:
        """The number of staged snapshots."""
        return stage_ahead(self.settings, source_named(self.source), self.snapshots)


def begin_staging(settings: Settings, source: Source) -> None:
    """Let the helper process, if there is one, stage what is not in the lake yet."""
    process = beside.at_hand()
    if process is None:
        return
    waiting = unstaged(settings, source)
    for share in range(min(beside.WORKERS, len(waiting))):
        chosen = tuple(waiting[share :: beside.WORKERS])
        process.ask(Staging(source.CARD.name, share, settings, chosen))


def wait_for_staging(settings: Settings, source: Source) -> None:
    """Wait until it has staged a source that was sent to it; dbt is imported meanwhile."""
    process = beside.at_hand()
    for share in range(beside.WORKERS):
        staging = Staging(source.CARD.name, share, settings)
        if process and process.is_asked(staging):
            transform.load_ahead()
            process.answer(staging)
