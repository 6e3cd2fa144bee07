"""What can be chosen in the UI's launchpad for one run, beyond the day (`resources.py`).

Wrong values end the run in one sentence before its first step. What the choices do is elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import dagster as dg
from pydantic import Field, ValidationError

from dagster_project.errors import ConfigurationError
from dagster_project.intake.command import require_periods
from dagster_project.intake.due import is_fetched
from dagster_project.orchestration import builds
from dagster_project.settings import Settings
from dagster_project.sources.card import Source, can_be_asked
from dagster_project.sources.registry import all_sources

LANDING_STEP = "landing__"
"""How the names of the steps begin that ask a publisher for what is due."""

PUBLISHING_STEP = "published__warehouse"


class AskDocument(dg.Config):
    """What to ask a publisher of one document for."""

    again: bool = Field(
        default=False,
        description="Ask also for what was answered already. Otherwise only what is due is asked.",
    )


class AskPeriods(AskDocument):
    """What to ask a publisher of periods for."""

    first: str = Field(
        default="",
        description="First year or month to ask for (2015, 2015-03); empty for what is due.",
    )
    last: str = Field(
        default="",
        description="Last year or month, included (2016, 2016-12); empty for the newest.",
    )
    frequency: Literal["all", "A", "M"] = Field(
        default="all", description="A for years, M for months, all for those that the source has."
    )

    @property
    def periods(self) -> dict[str, str]:
        frequency = "" if self.frequency == "all" else self.frequency
        return {"first": self.first.strip(), "last": self.last.strip(), "frequency": frequency}


class CleaningUp(dg.Config):
    """Options of the job `clean_up`."""

    dry_run: bool = Field(
        default=False, description="Only report what would be removed; nothing is removed."
    )


def choices_of(source: Source) -> type[AskDocument]:
    """The choices for the landing step of a source that can be asked."""
    return AskPeriods if source.CARD.windows else AskDocument


def options_of(asked: AskDocument) -> dict[str, Any]:
    """The choices as the arguments of `intake.command.plan_periods`."""
    periods = asked.periods if isinstance(asked, AskPeriods) else {}
    return {"again": asked.again, **periods}


def require_valid_choices(settings: Settings, run_config: Mapping[str, Any]) -> None:
    """Raise ConfigurationError for a choice that a step of the run could not follow.

    Types and closed values are checked by Dagster itself when the run is launched.
    """
    for step, given in (run_config.get("ops") or {}).items():
        chosen = (given or {}).get("config") or {}
        name = step.removeprefix(LANDING_STEP)
        source = all_sources().get(name) if step.startswith(LANDING_STEP) else None
        if source is not None and can_be_asked(source):
            try:
                asked = choices_of(source)(**chosen)
            except ValidationError as error:
                field = ".".join(map(str, error.errors()[0]["loc"]))
                raise ConfigurationError(f"{step}: {field} has no such value.") from None
            _require_askable(settings, source, asked)
        if step == PUBLISHING_STEP and chosen.get("accept"):
            _require_blocked(settings, chosen["accept"])


def _require_askable(settings: Settings, source: Source, asked: AskDocument) -> None:
    name, chosen = source.CARD.name, options_of(asked)
    if not any(chosen.values()):
        return
    if not is_fetched(settings, source):
        raise ConfigurationError(
            f"{LANDING_STEP}{name}: no build fetches from {name}.",
            hint=f"Set KIDO_{name.upper()}_ENABLED=true, or fetch by kido fetch {name}.",
        )
    if isinstance(asked, AskPeriods):
        require_periods(source, **asked.periods)


def _require_blocked(settings: Settings, release_id: str) -> None:
    blocked = [build.release.release_id for build in builds.blocked_builds(settings.build_dir)]
    if release_id not in blocked:
        raise ConfigurationError(
            f"Release {release_id} is not blocked. Blocked: {', '.join(blocked) or 'none'}."
        )
