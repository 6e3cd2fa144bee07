"""Lets the process beside type and check what a source has landed, ahead of the lake's step.

Its rows lie ready then, as those of a landed file do, and the step only lets them count.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from dagster_project.intake.conform import is_conformed, stage_ahead
from dagster_project.orchestration import beside, transform
from dagster_project.settings import Settings
from dagster_project.sources.card import Source
from dagster_project.sources.registry import source_named


@dataclass(frozen=True)
class Staging:
    """What a source has landed, to be made ready for the lake."""

    source: str
    settings: Settings = field(compare=False)

    def done_here(self) -> int:
        """How many snapshots were made ready."""
        return stage_ahead(self.settings, source_named(self.source))


def begin_staging(settings: Settings, source: Source) -> None:
    """Let the process beside, if there is one, make ready what the lake does not hold yet."""
    process = beside.at_hand()
    if process and not is_conformed(settings, source):
        process.ask(Staging(source.CARD.name, settings))


def wait_for_staging(settings: Settings, source: Source) -> None:
    """Wait until it is done with a source it was asked for; dbt is got ready meanwhile."""
    process, staging = beside.at_hand(), Staging(source.CARD.name, settings)
    if process and process.is_asked(staging):
        transform.load_ahead()
        process.answer(staging)
