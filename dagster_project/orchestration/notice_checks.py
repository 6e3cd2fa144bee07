"""The check `notices_are_read` of the published file: has somebody read what was published?

It looks into the published file, so that it says what readers see.
"""

from collections.abc import Sequence
from typing import Any

import dagster as dg

from dagster_project.errors import PublicationError, counted
from dagster_project.orchestration.keys import ALERTED_BY, PUBLISHED
from dagster_project.orchestration.metadata import COULD_NOT_RUN
from dagster_project.orchestration.resources import Warehouse
from dagster_project.safe_text import markdown_text
from dagster_project.serving.notices import (
    UNREAD_DAYS,
    Notice,
    is_overdue,
    notices_in,
    private_by_source,
)
from dagster_project.settings import Settings

READ = "notices_are_read"
NOTICE_STEP = "unread_notices"
TO_BE_READ = "to_be_read"
"""Metadata of the check: how many notices nobody has read, which Dagster plots."""

MOST_SHOWN = 20


@dg.multi_asset_check(
    name=NOTICE_STEP,
    specs=[
        dg.AssetCheckSpec(
            READ,
            asset=PUBLISHED,
            description="No official notice has been waiting to be read for more than "
            f"{UNREAD_DAYS} days. A notice becomes a clause, or is marked as not relevant, by an "
            "edit of the catalogue.",
            metadata={ALERTED_BY: "notices"},
        )
    ],
)
def notices_are_read(
    context: dg.AssetCheckExecutionContext, warehouse: Warehouse
) -> dg.AssetCheckResult:
    return check_of_notices(warehouse.settings(context))


def check_of_notices(settings: Settings) -> dg.AssetCheckResult:
    """Whether the notices of the file that readers see are read; could not run on a file of an
    earlier version, which stays while a newer build is blocked.
    """
    file = settings.file_of_the_day
    try:
        unread = notices_in(file, settings.today) if file.exists() else []
    except PublicationError as error:
        return _result(passed=False, observed=str(error), **{COULD_NOT_RUN: 1})
    late = sum(map(is_overdue, unread))
    return _result(
        passed=not late,
        observed=f"{counted(len(unread), 'notice')} to be read, "
        f"{late} for more than {UNREAD_DAYS} days",
        **{
            TO_BE_READ: len(unread),
            "longest_days": max((notice.days_unread or 0 for notice in unread), default=0),
            "notices": dg.MetadataValue.md(_markdown(unread)),
        },
    )


def _result(*, passed: bool, **metadata: Any) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        asset_key=PUBLISHED,
        check_name=READ,
        passed=passed,
        severity=dg.AssetCheckSeverity.WARN,
        metadata=metadata,
    )


def _markdown(notices: Sequence[Notice]) -> str:
    """The newest with their links; those that may not be passed on are counted."""
    public = [notice for notice in notices if not notice.is_private]
    lines = [
        f"- {notice.published_at or 'no day printed'} {markdown_text(notice.name)}: "
        f"{markdown_text(notice.title)}" + (f" {markdown_text(notice.url)}" if notice.url else "")
        for notice in public[:MOST_SHOWN]
    ]
    more = len(public) - MOST_SHOWN
    rest = [f"{more:,} more"] if more > 0 else []
    rest += [f"{count:,} of {source}" for source, count in private_by_source(notices)]
    return "\n".join([*lines, *(f"- and {part}: kido notices" for part in rest)])
