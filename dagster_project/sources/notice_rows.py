"""Rows of the lake's `notices`, from what a publisher prints of each notice.

How a publisher prints them is the business of its own module.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

import polars as pl

from dagster_project.errors import UpstreamFormatError
from dagster_project.lake.schemas import NOTICES
from dagster_project.sources.limits import LONGEST_FIELD, LONGEST_NOTICE_TEXT
from dagster_project.sources.notice_texts import named_in
from dagster_project.words import NoticeKind

NO_TITLE = "[no title]"
"""Of a notice that has none: it is still to be read."""

_GIVEN_LATER = ("document", "snapshot_id")
_READ_ONLY = ("text", "cited")
"""Fields that words and codes are read in, and that are no columns."""

_ADDRESS = re.compile(r"https?://[^\s<>]+")


@dataclass(frozen=True)
class Notice:
    """A notice as its publisher prints it, with the columns of `notices`.

    `text` is what its words, minerals and codes are read in besides the title, where that is more
    than the `summary`. `cited` are acts that the title names besides its own: they are words
    by which it is recognised. `hs6_codes` are those that the publisher prints beside it.
    """

    notice_id: str
    published_at: date | None
    issuer: str
    kind: NoticeKind
    title: str
    vintage_at: datetime
    summary: str | None = None
    text: str | None = None
    url: str | None = None
    implementer_iso3: str | None = None
    acts: tuple[str, ...] = ()
    cited: tuple[str, ...] = ()
    corrects: str | None = None
    company: str | None = None
    hs6_codes: tuple[str, ...] = ()


def notices_of(notices: Iterable[Notice], *, source: str) -> pl.DataFrame:
    """The notices as rows of `notices`, the first of each number, without their provenance.

    `vintage_at` is in UTC, without a zone. What is no address of a page is left out: the notice is
    there to be read without it. Raises UpstreamFormatError for a longer text than any notice has.
    """
    firsts: dict[str, Notice] = {}
    for notice in notices:
        firsts.setdefault(notice.notice_id, notice)
    schema = {
        name: column.dtype for name, column in NOTICES.columns.items() if name not in _GIVEN_LATER
    }
    return pl.DataFrame(
        [_row(notice, source) for notice in firsts.values()], schema=schema, orient="row"
    )


def _require_short(notice: Notice, source: str) -> None:
    for name, value in vars(notice).items():
        most = LONGEST_NOTICE_TEXT if name in ("text", "summary") else LONGEST_FIELD
        texts = value if isinstance(value, tuple) else (value,)
        if any(isinstance(text, str) and len(text) > most for text in texts):
            raise UpstreamFormatError(
                f"{source}: the {name} of a notice has more than {most:,} characters."
            )


def _row(notice: Notice, source: str) -> Mapping[str, object]:
    _require_short(notice, source)
    named = named_in(notice.title, notice.text or notice.summary)
    printed = {name: value for name, value in vars(notice).items() if name not in _READ_ONLY}
    return {
        **printed,
        "source": source,
        "url": notice.url if notice.url and _ADDRESS.fullmatch(notice.url) else None,
        "acts": list(notice.acts),
        "words": sorted({*named.words, *notice.cited}),
        "minerals": list(named.minerals),
        "hs6_codes": sorted({*notice.hs6_codes, *named.hs6_codes}),
        "is_provisional": False,
    }
