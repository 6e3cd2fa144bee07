"""Official notices that are to be read, a problem each."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256

from dagster_project.alerts.problems import Batch, Problem, first_lines
from dagster_project.serving.notices import Notice, notices_in
from dagster_project.settings import Settings

MOST_AT_ONCE = 20
"""More notices that are new at once are one message: the first inventory has thousands."""

_PUBLIC = Batch("official notices are to be read", MOST_AT_ONCE)


def unread_notices(settings: Settings, link: str) -> Iterator[Problem]:
    """The notices that are to be read; those that may not be passed on are counted, not named.

    Nothing without a published file. Raises PublicationError for one of an earlier version.
    """
    file = settings.published_file
    if not file.exists():
        return
    for notice in notices_in(file, settings.today):
        since = settings.today - timedelta(days=notice.days_unread or 0)
        yield (_private if notice.is_private else _public)(notice, str(since), link)


def _public(notice: Notice, since: str, link: str) -> Problem:
    return Problem(
        kind="notices",
        subject=notice.name,
        title=f"{notice.name} is to be read",
        since=since,
        lines=first_lines([f"{notice.issuer}: {notice.title}", notice.because, notice.url or ""]),
        link=link,
        has_end=False,
        batch=_PUBLIC,
    )


def _private(notice: Notice, since: str, link: str) -> Problem:
    """One without its number, which would stay in Dagster's record of what was sent."""
    return Problem(
        kind="notices",
        subject=f"{notice.source} {sha256(notice.name.encode()).hexdigest()[:16]}",
        title=f"A notice of {notice.source} is to be read",
        since=since,
        lines=("kido notices names it at the terminal",),
        link=link,
        has_end=False,
        batch=Batch(f"notices of {notice.source} are to be read", most=1),
    )
