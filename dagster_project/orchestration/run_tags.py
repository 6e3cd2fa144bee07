"""The tags of a run: what started it, and the source that it renews.

Where Dagster has a tag of its own for this, ours is derived from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

Trigger = Literal["command", "schedule", "automation", "sensor", "backfill", "ui", "other"]

TRIGGER_TAG = "kido/trigger"
"""Tag of every run: what started it, a `Trigger`."""

SOURCE_TAG = "kido/source"
"""Tag of a run that renews one source: its name."""

WHOLE_TAG = "kido/whole"
"""Tag of a run that leaves out the sources of which nothing is new: it makes the whole job good."""

FRONT_DOOR_TAG = "kido/front_door"

AT_A_TERMINAL: Mapping[str, str] = MappingProxyType(
    {FRONT_DOOR_TAG: "cli", TRIGGER_TAG: "command", "dagster/code_location": "kido"}
)
"""Tags of a run of a `kido` command. The UI lists runs by their code location, named as in
workspace.yaml."""

_BY_DAGSTERS_TAG: Mapping[str, Trigger] = MappingProxyType(
    {
        "dagster/backfill": "backfill",
        "dagster/schedule_name": "schedule",
        "dagster/from_automation_condition": "automation",
        "dagster/auto_materialize": "automation",
        "dagster/sensor_name": "sensor",
        "dagster/from_ui": "ui",
    }
)
"""In this order: a backfill is started in the UI, and a condition is evaluated by a sensor."""


CONTINUES_TAG = "dagster/is_asset_resume_retry"
"""Dagster's tag of a run that makes only what the run that it repeats did not make."""

_PARENT_TAG = "dagster/parent_run_id"
"""Dagster's tag of a run that repeats another one, from the UI. It has the other's tags as well."""


def trigger_of(tags: Mapping[str, str]) -> Trigger:
    """What started a run, by its tags; `other` is a program that launched it."""
    if _PARENT_TAG in tags:
        return "ui"
    if is_at_a_terminal(tags):
        return "command"
    return next((trigger for tag, trigger in _BY_DAGSTERS_TAG.items() if tag in tags), "other")


def is_of_whole(tags: Mapping[str, str]) -> bool:
    """Whether a run makes all of its job that has news."""
    return tags.get(WHOLE_TAG) == "true" and tags.get(CONTINUES_TAG) != "true"


def is_at_a_terminal(tags: Mapping[str, str]) -> bool:
    """Whether a person waits for the run at a terminal."""
    return tags.get(FRONT_DOOR_TAG) == "cli" and _PARENT_TAG not in tags
