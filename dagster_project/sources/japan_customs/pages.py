"""The pages of e-Stat: which months and files of 品別国別表 are published, and how final."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html.parser import HTMLParser
from types import MappingProxyType

from dagster_project.errors import UpstreamFormatError, listed
from dagster_project.sources.card import (
    Answer,
    Asked,
    Done,
    Extract,
    Instead,
    More,
    Request,
    Scope,
    Step,
    Window,
    months_of_year,
)

NAME = "japan_customs"

TABLES: Mapping[str, str] = MappingProxyType({"import": "000001013182", "export": "000001013181"})
"""e-Stat's class of the table by commodity and country (`tclass2`)."""

TITLE = "品別国別表"
FINAL = "確定"

CALENDAR_CAPTION = "Trade Statistics (Provisional, Detailed)"
"""Of the table with the days of releases, on the page of the calendar."""

Stages = Mapping[tuple[str, int], Mapping[int, str]]
"""By flow and year: the published months, and how final each is."""

_STAT_ID = re.compile(r"stat_?inf_?id=([0-9]{10,14})", re.IGNORECASE)
_MONTH_LINK = re.compile(r"stat-search/files\?.*\byear=([0-9]{4})0\b.*\bmonth=([0-9]{8})\b")
_CHAPTERS = re.compile(r"([0-9]{2})(?:\s*[-～–]\s*([0-9]{2}))?\s*類")
_SPANS = re.compile(r"(輸出|輸入)\s*([^()（）]*)[)）]\s*(?:([0-9]{4})年)?")
_SPAN = re.compile(r"([0-9]{1,2})\s*(?:[-～–]\s*([0-9]{1,2})\s*)?月\s*[：:]\s*([^\s、,，)）]+)")
_YEAR = re.compile(r"([0-9]{4})年")


def is_calendar(page: str) -> bool:
    """Whether a page is the calendar of releases."""
    return CALENDAR_CAPTION in " ".join(page.split())


def plan(windows: Sequence[Window], scope: Scope) -> Sequence[Extract]:
    """An extract per year, imports and exports together: files hold the months of a year.

    All months of the year that are over count as requested; those not published yet have no rows.
    """
    codes = sorted(set(scope.commodity_codes))
    chapters = ",".join(sorted({code[:2] for code in codes}))
    asked = Asked("national_trade", ("JPN",), ("import", "export"), tuple(codes))
    years = sorted({window.start.year for window in windows})
    return [
        Extract(
            f"{NAME}-{year}",
            tuple(_listing(flow, year, chapters) for flow in TABLES),
            windows=tuple(months_of_year(year, windows, scope.today)),
            asked=(asked,),
        )
        for year in years
    ]


def _listing(flow: str, year: int, chapters: str) -> Request:
    return Request(
        "stat-search/files",
        expects=("html",),
        params={
            "page": "1",
            "layout": "datalist",
            "toukei": "00350300",
            "tstat": "000001013141",
            "cycle": "1",
            "tclass1": "000001013180",
            "tclass2": TABLES[flow],
            "tclass3val": "0",
            "metadata": "1",
            "data": "1",
        },
        context={"step": "listing", "flow": flow, "year": str(year), "chapters": chapters},
    )


def follow(request: Request, answer: Answer) -> Step:
    """The list of months leads to the page of a year's newest month, and that to its files.

    The page is kept with the files: it says which months are published, and how final they are.
    Raises UpstreamFormatError for a page without the links it is known to have.
    """
    context = request.context
    if context["step"] == "file":
        return Done()
    page = answer.file.read_text("utf-8", errors="replace")
    if context["step"] == "calendar":
        if not is_calendar(page):
            raise UpstreamFormatError(
                f"{NAME}: the calendar of releases has no table of detailed figures.",
                hint="The page of customs may have changed, or be down for maintenance.",
            )
        return Done()
    if context["step"] == "listing":
        return Instead(_month_page(page, context))
    return More(_files(page, context))


def _month_page(page: str, context: Mapping[str, str]) -> tuple[Request, ...]:
    """The request for the newest month of a year; none where the list has no month of the year."""
    table = TABLES[context["flow"]]
    links = [
        (year, month)
        for href in _Links.in_page(page)
        if f"tclass2={table}" in href
        for year, month in _MONTH_LINK.findall(href)
    ]
    if not links:
        raise UpstreamFormatError(
            f"{NAME}: the list of months of {TITLE} has no link to a month.",
            hint="The page of e-Stat may have changed, or be down for maintenance.",
        )
    of_year = [month for year, month in links if year == context["year"]]
    years = sorted({year for year, _ in links})
    if not of_year and context["year"] > years[-1]:
        return ()
    if not of_year:
        raise UpstreamFormatError(
            f"{NAME}: the list of months of {TITLE} has no month of {context['year']}, only of "
            f"{years[0]} to {years[-1]}.",
            hint="e-Stat may list older years on another page: land their files by hand.",
        )
    listing = _listing(context["flow"], int(context["year"]), context["chapters"])
    # A month's code ends in the month; the rest is its half and its quarter.
    newest = max(of_year, key=lambda code: code[-2:])
    return (
        Request(
            listing.url,
            expects=("html",),
            params={**listing.params, "year": f"{context['year']}0", "month": newest},
            context={**context, "step": "month"},
        ),
    )


def _files(page: str, context: Mapping[str, str]) -> tuple[Request, ...]:
    """The requests for the files of the chapters that are wanted."""
    wanted = set(context["chapters"].split(","))
    files: dict[str, set[str]] = {}
    for title, number in _tables_of(page):
        files.setdefault(number, set()).update(_chapters_in(title))
    absent = wanted - set().union(*files.values())
    if absent:
        raise UpstreamFormatError(
            f"{NAME}: the page of {context['year']} ({context['flow']}s) lists no file of "
            f"chapter {listed(sorted(absent))}.",
            hint="The page of e-Stat may have changed, or be down for maintenance.",
        )
    return tuple(
        Request(
            "stat-search/file-download",
            expects=("csv",),
            params={"statInfId": number, "fileKind": "1"},
            context={"step": "file"},
        )
        for number, chapters in files.items()
        if chapters & wanted
    )


class _Links(HTMLParser):
    """Texts and links of a page, in their order."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.parts += [("link", value or "") for name, value in attrs if name == "href"]

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.parts.append(("text", " ".join(data.split())))

    @classmethod
    def parts_of(cls, page: str) -> Sequence[tuple[str, str]]:
        reader = cls()
        reader.feed(page)
        reader.close()
        return reader.parts

    @classmethod
    def in_page(cls, page: str) -> Iterator[str]:
        return (part for kind, part in cls.parts_of(page) if kind == "link")


def _tables_of(page: str) -> Iterator[tuple[str, str]]:
    """The title and number (`statInfId`) of each file; the title is the text before its link."""
    title, is_complete = "", False
    for kind, part in _Links.parts_of(page):
        if kind == "text" and TITLE in part:
            title, is_complete = part, False
        elif kind == "text" and title and not is_complete:
            title = f"{title} {part}"
        elif kind == "link" and title and (number := _STAT_ID.search(part)):
            is_complete = True
            yield title, number[1]


def _chapters_in(title: str) -> Iterator[str]:
    for first, last in _CHAPTERS.findall(title):
        for chapter in range(int(first), int(last or first) + 1):
            yield f"{chapter:02}"


def stages_of(pages: Iterable[bytes]) -> Stages:
    """By flow and year, the published months and how final each is, as the titles of files say."""
    stages: dict[tuple[str, int], dict[int, str]] = {}
    for page in pages:
        for title, _ in _tables_of(page.decode("utf-8", "replace")):
            leading = _YEAR.search(title)
            for flow, spans, following in _SPANS.findall(title):
                year = following or (leading[1] if leading else "")
                if not year:
                    continue
                months = stages.setdefault(
                    ("import" if flow == "輸入" else "export", int(year)), {}
                )
                for first, last, stage in _SPAN.findall(spans):
                    for month in range(int(first), int(last or first) + 1):
                        months[month] = stage
    return stages
