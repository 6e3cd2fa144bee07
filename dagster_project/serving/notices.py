"""The official notices that are to be read, as `exposure.notices` has them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from dagster_project.errors import PublicationError, counted
from dagster_project.lake.build_file import connect
from dagster_project.serving.catalog import Ask, asking
from dagster_project.serving.dictionary import has_table

UNREAD_DAYS = 7
"""A notice that nobody has read for longer is overdue."""

HOW_TO_DECIDE = (
    "A notice that restricts, suspends or lifts something becomes a clause: name its number in "
    "measures.yaml. One that does not is marked as not relevant by a line in notices.yaml. "
    "Then run kido land catalogue with the file, and kido build."
)
NOBODY_ASKED = (
    "No publisher of notices was asked. Try kido fetch federal_register and kido fetch mofcom."
)


@dataclass(frozen=True)
class Notice:
    """A row of `exposure.notices`.

    One that may not be passed on `is_private`: outside the owner's terminal it is counted by its
    source, without its number, day, minerals and title.
    """

    source: str
    notice_id: str
    published_at: date | None
    issuer: str
    title: str
    url: str | None
    minerals: Sequence[str]
    state: str
    because: str
    is_private: bool
    days_unread: int | None
    """Days since it could be read; None unless it is to be read."""

    @property
    def name(self) -> str:
        """Its source and number, which is how notices.yaml names it."""
        return f"{self.source} {self.notice_id}"


def is_overdue(notice: Notice) -> bool:
    """Whether it has been unread for more than UNREAD_DAYS."""
    return notice.days_unread is not None and notice.days_unread > UNREAD_DAYS


def private_by_source(notices: Sequence[Notice]) -> Sequence[tuple[str, int]]:
    """How many notices of each source may not be passed on, by the name of the source."""
    return sorted(Counter(notice.source for notice in notices if notice.is_private).items())


def notices_in(published_file: Path, today: date, *, every: bool = False) -> list[Notice]:
    """The notices to be read, the newest first; with `every`, those of other states too.

    How long they have been unread is counted up to `today`, also in a file of an earlier day.
    Raises PublicationError for a file of an earlier version, which has no notices.
    """
    with connect(published_file, read_only=True) as connection:
        if not has_table(connection, "exposure", "notices"):
            raise PublicationError(
                f"{published_file.name} is of an earlier version, without notices.",
                hint="Run kido build.",
            )
        return _notices(asking(connection), today, every=every)


def publishers_asked(published_file: Path) -> list[str]:
    """The publishers of notices of which the file has an answer, with or without notices."""
    from dagster_project import words

    with connect(published_file, read_only=True) as connection:
        rows = asking(connection)(
            "select distinct source from catalog.snapshots where list_contains($names, source) "
            "order by source",
            names=list(words.NOTICE_SOURCES),
        )
    return [str(row["source"]) for row in rows]


def _notices(ask: Ask, today: date, *, every: bool) -> list[Notice]:
    return [
        Notice(
            source=row["source"],
            notice_id=row["notice_id"],
            published_at=row["published_at"],
            issuer=row["issuer"],
            title=row["title"],
            url=row["url"],
            minerals=row["minerals"],
            state=row["state"],
            because=row["because"],
            is_private=not row["is_redistributable"],
            days_unread=row["days_unread"],
        )
        for row in ask(_NOTICES, today=today, every=every)
    ]


_NOTICES = """
with release as (select max_by(as_of, release_id) as as_of from catalog.releases)

select
    notices.source, notices.notice_id, notices.published_at, notices.issuer, notices.title,
    notices.url, notices.minerals, notices.state, notices.because,
    cast(notices.days_unread + greatest($today - release.as_of, 0) as integer) as days_unread,
    coalesce(sources.is_redistributable, false) as is_redistributable
from exposure.notices as notices
cross join release
left join catalog.sources as sources on notices.source = sources.source
where notices.state = 'to_be_read' or $every
order by notices.known_at desc, notices.source, notices.notice_id
"""


def print_notices(notices: Sequence[Notice], asked: Sequence[str]) -> None:
    """Notices for a terminal: a paragraph each, and what to do with them."""
    from dagster_project.serving.terminal import print_text

    if not notices:
        print_text(f"Nothing is to be read of {', '.join(asked)}." if asked else NOBODY_ASKED)
        return
    for notice in notices:
        day = f"{notice.published_at or 'no day printed'}"
        print_text(f"{day}  {notice.name}", style="bold")
        print_text(notice.title, indent=2)
        print_text(f"{notice.issuer}: {notice.because}", indent=2)
        if notice.url:
            print_text(notice.url, indent=2)
        if notice.state != "to_be_read":
            print_text(notice.state.replace("_", " "), indent=2, style="dim")
        elif is_overdue(notice):
            print_text(f"unread for {notice.days_unread} days", indent=2, style="dim")
        print_text("")
    unread = sum(notice.state == "to_be_read" for notice in notices)
    print_text(f"{counted(unread, 'notice')} to be read. {HOW_TO_DECIDE}")
