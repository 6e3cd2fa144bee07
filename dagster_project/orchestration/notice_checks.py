"""The check `notices_are_read` on the mart of notices: has somebody read what was published?

It looks into the published file, so that it says what readers see.
"""

import dagster as dg

from dagster_project.errors import counted
from dagster_project.orchestration.keys import ALERTED_BY, PUBLISHED
from dagster_project.orchestration.resources import Warehouse
from dagster_project.safe_text import markdown_text
from dagster_project.serving.notices import UNREAD_DAYS, Notice, notices_in

READ = "notices_are_read"
NOTICE_STEP = "unread_notices"
NOTICES = dg.AssetKey(["exposure", "notices"])
TO_BE_READ = "to_be_read"
"""Metadata of the check: how many notices nobody has read, which Dagster plots."""

MOST_SHOWN = 20


@dg.multi_asset_check(
    name=NOTICE_STEP,
    specs=[
        dg.AssetCheckSpec(
            READ,
            asset=NOTICES,
            additional_deps=[PUBLISHED],
            description="No official notice has been waiting to be read for more than "
            f"{UNREAD_DAYS} days. A notice becomes a clause, or is put aside, by an edit of the "
            "catalogue.",
            metadata={ALERTED_BY: "notices"},
        )
    ],
)
def notices_are_read(
    context: dg.AssetCheckExecutionContext, warehouse: Warehouse
) -> dg.AssetCheckResult:
    settings = warehouse.settings(context)
    file = settings.file_of_the_day
    unread = notices_in(file) if file.exists() else []
    days = [notice.days_unread(settings.today) for notice in unread]
    late = sum(count > UNREAD_DAYS for count in days)
    return dg.AssetCheckResult(
        asset_key=NOTICES,
        check_name=READ,
        passed=not late,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "observed": f"{counted(len(unread), 'notice')} to be read, "
            f"{late} for more than {UNREAD_DAYS} days",
            TO_BE_READ: len(unread),
            "longest_days": max(days, default=0),
            "notices": dg.MetadataValue.md(_markdown(unread)),
        },
    )


def _markdown(notices: list[Notice]) -> str:
    lines = [
        f"- {notice.published_at or 'no day printed'} {markdown_text(notice.name)}: "
        f"{markdown_text(notice.shown_title)}"
        + (f" {markdown_text(notice.url)}" if notice.url and not notice.is_private else "")
        for notice in notices[:MOST_SHOWN]
    ]
    more = len(notices) - MOST_SHOWN
    return "\n".join([*lines, *([f"- and {more} more: kido notices"] if more > 0 else [])])
