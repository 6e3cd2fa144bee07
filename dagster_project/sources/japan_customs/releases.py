"""The calendar of customs: on which day the detailed figures of a month are published."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from html.parser import HTMLParser
from zoneinfo import ZoneInfo

import polars as pl

from dagster_project.errors import UpstreamFormatError
from dagster_project.lake.schemas import INSTANT
from dagster_project.sources.card import Document, Extract, Request
from dagster_project.sources.formats import utc_naive
from dagster_project.sources.japan_customs.pages import CALENDAR_CAPTION, NAME

RELEASE_CALENDAR = "https://www.customs.go.jp/toukei/calendar/calend_e.htm"
RELEASED_AT = time(9, 30, tzinfo=ZoneInfo("Asia/Tokyo"))
"""When detailed figures are published on the day that the calendar names."""

_DETAILED = "Detailed"
_DAY = re.compile(r"([A-Z][a-z]{2})\.?\s*([0-9]{1,2})(?:,\s*([0-9]{4}))?")
_MONTH_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def release_calendar() -> Extract:
    """The calendar of customs, which is asked once a day."""
    return Extract(
        f"{NAME}-calendar",
        (Request(RELEASE_CALENDAR, expects=("html",), context={"step": "calendar"}),),
    )


def release_dates(pages: Sequence[bytes], document: Document) -> pl.DataFrame:
    """The dates of detailed figures on the page of the calendar, in UTC.

    A date without a year is in the year of its month, or in the next one. Sums of years are left
    out. Raises UpstreamFormatError where there is no date, or one cannot be read.
    """
    dates: dict[date, datetime] = {}
    for page in pages:
        table = _Table.with_caption(page.decode("utf-8", "replace"), CALENDAR_CAPTION)
        if not table or _DETAILED not in table[0]:
            continue
        column = table[0].index(_DETAILED)
        for year, name, *cells in table[1:]:
            month = name.rstrip(".")[:3]
            # The heading of the year and of its months is one cell.
            day = cells[column - 1] if column - 1 < len(cells) else ""
            if month in _MONTH_NAMES and any(character.isdigit() for character in day):
                period = date(int(year), _MONTH_NAMES.index(month) + 1, 1)
                dates[period] = _released_at(period, day)
    if not dates:
        raise UpstreamFormatError(
            f"{NAME}: the calendar of releases has no date of detailed figures.",
            hint=f"The page may have changed: {RELEASE_CALENDAR}",
        )
    return pl.DataFrame(
        {
            "frequency": "M",
            "period_start": list(dates),
            "released_at": [utc_naive(instant.astimezone(UTC)) for instant in dates.values()],
            "vintage_at": utc_naive(document.retrieved_at),
            "is_provisional": False,
        },
        schema_overrides={"released_at": INSTANT, "vintage_at": INSTANT},
    )


def _released_at(period: date, day: str) -> datetime:
    match = _DAY.search(day)
    if match is None or match[1] not in _MONTH_NAMES:
        raise UpstreamFormatError(f"{NAME}: {day!r} is not a day of the calendar.")
    month = _MONTH_NAMES.index(match[1]) + 1
    year = int(match[3]) if match[3] else period.year + (month < period.month)
    return datetime.combine(date(year, month, int(match[2])), RELEASED_AT)


class _Table(HTMLParser):
    """The rows of the tables of a page, as text; a cell over several rows is in each of them."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: list[tuple[str, list[list[str]]]] = []
        self._spans: list[tuple[int, str]] = []
        self._rows_of_cell = 1
        self._text: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self.tables.append(("", []))
            self._spans = []
        elif tag == "tr" and self.tables:
            self.tables[-1][1].append([text for left, text in self._spans if left])
            self._spans = [(left - 1, text) for left, text in self._spans if left > 1]
        elif tag in ("th", "td", "caption"):
            self._rows_of_cell = int(dict(attrs).get("rowspan") or 1)
            self._text = []

    def handle_data(self, data: str) -> None:
        if self._text is not None:
            self._text.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag not in ("th", "td", "caption") or self._text is None or not self.tables:
            return
        text, self._text = " ".join(" ".join(self._text).split()), None
        rows = self.tables[-1][1]
        if tag == "caption":
            self.tables[-1] = (text, rows)
        elif rows:
            rows[-1].append(text)
            if self._rows_of_cell > 1:
                self._spans.append((self._rows_of_cell - 1, text))

    @classmethod
    def with_caption(cls, page: str, caption: str) -> Sequence[Sequence[str]]:
        reader = cls()
        reader.feed(page)
        reader.close()
        return next((rows for name, rows in reader.tables if name == caption), [])
