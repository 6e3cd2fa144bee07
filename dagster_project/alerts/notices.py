"""Official notices that are to be read, a problem each."""

from __future__ import annotations

from collections.abc import Iterator

from dagster_project.alerts.problems import Problem, first_lines
from dagster_project.serving.notices import UNREAD_DAYS, notices_in
from dagster_project.settings import Settings


def unread_notices(settings: Settings, link: str) -> Iterator[Problem]:
    """A notice that is to be read: level 1, and level 2 once it has waited for too long.

    Nothing without a published file. Raises PublicationError for one of an earlier version.
    """
    file = settings.published_file
    if not file.exists():
        return
    for notice in notices_in(file):
        days = notice.days_unread(settings.today)
        lines = [f"{notice.issuer}: {notice.shown_title}"]
        if not notice.is_private:
            lines += [notice.because, notice.url or ""]
        yield Problem(
            kind="notices",
            subject=notice.name,
            title=f"{notice.name} is to be read",
            since=str(notice.since),
            lines=first_lines(lines),
            link=link,
            level=1 if days <= UNREAD_DAYS else 2,
            has_end=False,
        )
