"""When a step that asks a publisher is tried again in the same run.

Only what may pass in some minutes is tried again: a silent or failing server, a short quota. Single
calls are retried in `http.py`. No other step of the graph is tried again.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime

import dagster as dg

from dagster_project.errors import FetchError
from dagster_project.intake.fetch import FetchReport
from dagster_project.orchestration.run_tags import is_at_a_terminal
from dagster_project.settings import Settings

MOST_RETRIES = 3

GROWTH = 3
"""Each wait is so many times the one before: 1, 3 and 9 minutes bridge a server's restart."""

JITTER = 0.25
"""Largest share that is added to a wait, so that publishers are not asked in step."""

RETRIES = (
    f"up to {MOST_RETRIES} times with growing waits, where the publisher is silent or its server "
    "fails; not for a run at a terminal"
)
"""Value of the metadata `retries` on the assets that ask a publisher."""


def retry_if_it_may_pass(
    context: dg.AssetExecutionContext, settings: Settings, fetched: FetchReport
) -> None:
    """Raise RetryRequested if the publisher may answer in some minutes; else return.

    Other steps of the run go on meanwhile. What was answered is landed and is not asked again. The
    last try returns, and so does a run that a person waits for at a terminal.
    """
    number = context.retry_number
    if not fetched.may_pass or number >= MOST_RETRIES or not _may_wait(context, settings):
        return
    seconds = _seconds(settings.retry_after_s, number, fetched.again_at)
    context.log.warning(
        f"{fetched.reason} Asked again in {seconds:,.0f} s: try {number + 2} of {MOST_RETRIES + 1}."
    )
    raise dg.RetryRequested(max_retries=MOST_RETRIES, seconds_to_wait=seconds) from FetchError(
        fetched.reason
    )


def _may_wait(context: dg.AssetExecutionContext, settings: Settings) -> bool:
    config = context.run.run_config
    executor = config.get("execution", {}).get("config", {}) if isinstance(config, dict) else {}
    if "disabled" in executor.get("retries", {}):
        return False
    return settings.retry_after_s > 0 and not is_at_a_terminal(context.run.tags)


def _seconds(first: float, number: int, again_at: datetime | None) -> float:
    """The wait before the next try; at least until a publisher allows calls again."""
    wait: float = first * GROWTH**number * (1 + JITTER * random.random())
    if again_at is None:
        return wait
    return max(wait, (again_at - datetime.now(UTC).replace(tzinfo=None)).total_seconds())
