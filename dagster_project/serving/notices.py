"""The official notices that are to be read, as `exposure.notices` has them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from dagster_project.errors import PublicationError, counted
from dagster_project.lake.build_file import connect
from dagster_project.serving.catalog import Ask, asking

UNREAD_DAYS = 7
"""A notice that nobody has read for longer is overdue."""

HOW_TO_DECIDE = (
    "A notice that restricts, suspends or lifts something becomes a clause: name its number in "
    "measures.yaml. One that does not is put aside by a line in notices.yaml. Then run kido land "
    "catalogue with the file, and kido build."
)
NOBODY_ASKED = (
    "No publisher of notices was asked. Try kido fetch federal_register and kido fetch mofcom."
)


@dataclass(frozen=True)
class Notice:
    """A row of `exposure.notices`; of one that may not be passed on, `is_private`.

    `since` is the day from which it could be read: its own, or that of its first retrieval.
    """

    source: str
    notice_id: str
    published_at: date | None
    since: date
    issuer: str
    title: str
    url: str | None
    minerals: Sequence[str]
    state: str
    because: str
    is_private: bool

    def days_unread(self, today: date) -> int:
        return max((today - self.since).days, 0)

    @property
    def name(self) -> str:
        """Its source and number, which is how notices.yaml names it."""
        return f"{self.source} {self.notice_id}"

    @property
    def shown_title(self) -> str:
        """The title, for others than the owner of the file; without it where it is private."""
        return f"a notice of {self.source}, to be read there" if self.is_private else self.title


def notices_in(published_file: Path, *, every: bool = False) -> list[Notice]:
    """The notices to be read, the newest first; with `every`, those of other states too.

    Raises PublicationError for a file of an earlier version, which has no notices.
    """
    with connect(published_file, read_only=True) as connection:
        if not connection.execute(_HAS_NOTICES).fetchone():
            raise PublicationError(
                f"{published_file.name} is of an earlier version, without notices.",
                hint="Run kido build.",
            )
        return _notices(asking(connection), every=every)


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


def _notices(ask: Ask, *, every: bool) -> list[Notice]:
    return [
        Notice(
            source=row["source"],
            notice_id=row["notice_id"],
            published_at=row["published_at"],
            since=row["since"],
            issuer=row["issuer"],
            title=row["title"],
            url=row["url"],
            minerals=row["minerals"],
            state=row["state"],
            because=row["because"],
            is_private=not row["is_redistributable"],
        )
        for row in ask(_NOTICES, every=every)
    ]


_HAS_NOTICES = (
    "select 1 from duckdb_tables() where (schema_name, table_name) = ('exposure', 'notices')"
)
_NOTICES = """
select
    notices.source, notices.notice_id, notices.published_at, notices.issuer, notices.title,
    notices.url, notices.minerals, notices.state, notices.because,
    greatest(notices.published_at, cast(notices.read_at as date)) as since,
    coalesce(sources.is_redistributable, false) as is_redistributable
from exposure.notices as notices
left join catalog.sources as sources on notices.source = sources.source
where notices.state = 'to_be_read' or $every
order by
    coalesce(notices.published_at, cast(notices.read_at as date)) desc,
    notices.source, notices.notice_id
"""


def print_notices(notices: Sequence[Notice], asked: Sequence[str], today: date) -> None:
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
        elif notice.days_unread(today) > UNREAD_DAYS:
            print_text(
                f"unread for {counted(notice.days_unread(today), 'day')}", indent=2, style="dim"
            )
        print_text("")
    unread = sum(notice.state == "to_be_read" for notice in notices)
    print_text(f"{counted(unread, 'notice')} to be read. {HOW_TO_DECIDE}")
