"""China's Ministry of Commerce: the announcements in its lists, and their pages -> `notices`.

A list has titles only, and is read as a sign that there is something new. What an announcement
orders is not read here: it is evidence, and a person reads it.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from html.parser import HTMLParser
from types import MappingProxyType
from typing import Any
from urllib.parse import urljoin

import polars as pl

from dagster_project.errors import DeniedError, UpstreamFormatError
from dagster_project.lake.scope import DEFAULT_SCOPE, CommodityScope
from dagster_project.sources.card import (
    Answer,
    Calendar,
    Document,
    Done,
    Extract,
    Instead,
    Limits,
    Meaning,
    More,
    Request,
    Scope,
    SourceCard,
    Step,
    Window,
)
from dagster_project.sources.formats import looks_like_html, utc_naive
from dagster_project.sources.notice_rows import Notice, notices_of
from dagster_project.sources.quotes import json_object

CARD = SourceCard(
    name="mofcom",
    title="Announcements of China's Ministry of Commerce",
    publisher="Ministry of Commerce of the People's Republic of China",
    licence=(
        "Official documents of a state organ, without copyright (Copyright Law of the People's "
        "Republic of China, article 5)"
    ),
    licence_url="https://www.wipo.int/wipolex/en/members/profile/CN",
    is_redistributable=True,
    cadence="daily",
    domain="restrictions",
    homepage="https://www.mofcom.gov.cn/zwgk/zcfb/index.html",
    tables=("notices",),
    lists=("nomenclature", "notice_words"),
    description=(
        "Titles of the ministry's numbered announcements (公告), alone or with other authorities, "
        "with day and address, of the newest page of its column of published policies; older "
        "pages by kido fetch mofcom --from. At most one request in ten seconds; a refusal by its "
        "firewall ends the run. The page of an announcement can be landed: its minerals and codes "
        "are read then."
    ),
    base_url="https://www.mofcom.gov.cn",
    asked_from_a_day=True,
    limits=Limits(calls_a_minute=6),
    calendar=Calendar(
        "0 18 * * *",
        "Asia/Shanghai",
        "Every day at 18:00 in Beijing: announcements are of working days, those moved to a "
        "weekend among them.",
    ),
)

COLUMNS = ("zwgk/zcfb/index.html",)
"""Pages of the columns with announcements. They have no entries themselves, but the parameters by
which their list is asked for."""

LIST_UNIT = "api-gateway/jpaas-publish-server/front/page/build/unit"
ON_A_PAGE = 15

LIST_TAG = "信息列表"
"""What a page calls the unit that is its list."""

_ALWAYS: Mapping[str, str] = MappingProxyType(
    # The first one is misspelt by the publisher.
    {"parseType": "bulidstatic", "pageType": "column", "tagId": LIST_TAG, "editType": "null"}
)
"""Parameters of a list, unless its column's page gives others."""

_OF_A_PAGE = ("webId", "pageId", "tplSetId")
"""Parameters that only the column's page gives."""

STATUSES: Mapping[int, Meaning] = MappingProxyType({403: "quota"})
"""The firewall's refusal of a machine that asks too much."""

LONGEST_SUMMARY = 2_000
"""Characters of an announcement's text that are kept: its decision and the first items. Words and
codes are read in all of it."""

OWN_AUTHORITY = "商务部"

_PARAMETER = re.compile(r"""(["'])(\w+)\1\s*:\s*(["'])(.*?)\3""")
"""A parameter of a list as in a column's page: `'webId':'0123...'`, which is no JSON."""

_DAY = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")

_ANNOUNCEMENT = re.compile(
    r"^\W*(?P<issuer>\w[\w\s、,]{1,80}?)\s*公告\s*(?P<year>\d{4})\s*年\s*第\s*(?P<number>\d+)\s*号"
)
"""The beginning of an announcement's title: authorities, year and number."""

_ABOUT_ONE = re.compile("关于|就|解读|发言人|负责人")
"""In the words before the number: a text about an announcement, as answers to the press."""


def plan(windows: Sequence[Window], scope: Scope) -> Sequence[Extract]:
    """The newest page of each column; with a day the pages back to it. One extract: of a notice in
    two columns the first address counts.
    """
    since = f"-from-{scope.first_day}" if scope.first_day else ""
    context = {"step": "column", "from": f"{scope.first_day or ''}"}
    return [
        Extract(
            f"announcements{since}",
            tuple(
                Request(column, expects=("html",), statuses=dict(STATUSES), context=context)
                for column in COLUMNS
            ),
        )
    ]


def follow(request: Request, answer: Answer) -> Step:
    """A column's page leads to its list; a page of the list to the next one, where a day is given
    that it does not reach.

    Raises DeniedError when the firewall refuses the request, and UpstreamFormatError for a page
    without the parameters of a list, or a list without entries.
    """
    if answer.meaning == "quota":
        raise DeniedError(
            f"{CARD.name}: the publisher's firewall refuses requests from here ({answer.status}); "
            "the run ends.",
            hint="Wait a day, or save a list or an announcement with a browser and land it: "
            f"kido land {CARD.name} FILE.",
        )
    payload = answer.file.read_bytes()
    context = request.context
    if context["step"] == "column":
        parameters = _parameters_of(payload.decode("utf-8", "replace"), request.url)
        return Instead((_page_of_list(parameters, context["from"], 1),))
    listing = _listing_of(payload)
    number = int(context["page"])
    # The last entry, since older ones may be pinned to the top.
    last_day = next((each.day for each in reversed(listing.entries) if each.day), None)
    is_wanted = last_day is not None and context["from"] and f"{last_day}" >= context["from"]
    if not (is_wanted and number * ON_A_PAGE < listing.count):
        return Done()
    return More((_page_of_list(request.params, context["from"], number + 1),))


def _page_of_list(parameters: Mapping[str, str], since: str, number: int) -> Request:
    page = json.dumps({"pageNo": number, "pageSize": ON_A_PAGE}, separators=(",", ":"))
    return Request(
        LIST_UNIT,
        expects=("json",),
        params={**parameters, "paramJson": page},
        statuses=dict(STATUSES),
        context={"step": "list", "from": since, "page": f"{number}"},
    )


def _parameters_of(page: str, address: str) -> Mapping[str, str]:
    """The parameters of the list of a column's page. Raises UpstreamFormatError without them."""
    reader = _Tags.of_page(page)
    units = [
        {name: value for _, name, _, value in _PARAMETER.findall(attributes["querydata"])}
        for _, attributes in reader.tags
        if attributes.get("querydata")
    ]
    column = {"pageId": reader.meta.get("colid", "")}
    for unit in units:
        given = {**column, **{name: value for name, value in unit.items() if value}}
        if LIST_TAG in given.get("tagId", LIST_TAG) and all(map(given.get, _OF_A_PAGE)):
            known = {name: given[name] for name in (*_ALWAYS, *_OF_A_PAGE) if name in given}
            return {**_ALWAYS, **known}
    raise UpstreamFormatError(
        f"{CARD.name}: the page {address} does not say how its list is asked for.",
        hint="The page of the ministry may have changed.",
    )


def parse(
    payload: bytes, document: Document, scope: CommodityScope = DEFAULT_SCOPE
) -> Mapping[str, pl.DataFrame]:
    """A page of a list, or the page of an announcement -> `notices`; see `parse_extract`."""
    return parse_extract([payload], document, scope)


def parse_together(
    parts: Sequence[tuple[bytes, Document]], scope: CommodityScope = DEFAULT_SCOPE
) -> Mapping[str, pl.DataFrame]:
    """Pages that are landed together, read as `parse_extract` does."""
    # The pages of announcements first: they say more than a list.
    pages = sorted((payload for payload, _ in parts), key=lambda page: not looks_like_html(page))
    return parse_extract(pages, parts[0][1], scope)


def parse_extract(
    parts: Sequence[bytes], document: Document, scope: CommodityScope = DEFAULT_SCOPE
) -> Mapping[str, pl.DataFrame]:
    """Pages of lists, or of announcements -> `notices`, one row per numbered announcement.

    Other entries of a list are dropped. `notice_id` is `2026-1` where the ministry is among the
    authorities, else it begins with their names. Of several addresses the first one counts.
    The day of a title in a list is its `vintage_at`, so that it does not replace what was read in
    the page of the announcement, which counts from its retrieval.
    Raises UpstreamFormatError for a list without entries, and a page that is of no announcement.
    """
    retrieved_at = utc_naive(document.retrieved_at)
    notices = [notice for payload in parts for notice in _notices(payload, retrieved_at)]
    return {"notices": notices_of(notices, source=CARD.name)}


def _notices(payload: bytes, retrieved_at: datetime) -> Iterator[Notice]:
    if looks_like_html(payload):
        yield _announcement(payload.decode("utf-8-sig", "replace"), retrieved_at)
        return
    for entry in _listing_of(payload).entries:
        number = _number_in(entry.title)
        if number is not None:
            yield _notice(number, entry.title, entry.day, retrieved_at, url=entry.url)


def _announcement(page: str, retrieved_at: datetime) -> Notice:
    """The page of an announcement: number and title, day, and its text."""
    reader = _Tags.of_page(page)
    title = _one_line(reader.meta.get("articletitle", ""))
    number = _number_in(title)
    text = "\n".join(reader.body)
    if number is None or not text:
        raise UpstreamFormatError(
            f"{CARD.name}: the page is not that of a numbered announcement with its text.",
            hint="Save the page of an announcement (公告) itself.",
        )
    day = _day_in(reader.meta.get("pubdate", ""))
    is_long = len(text) > LONGEST_SUMMARY
    return _notice(
        number,
        title,
        day,
        retrieved_at,
        summary=f"{text[: LONGEST_SUMMARY - 1]}…" if is_long else text,
        text=text,
        url=reader.meta.get("url") if reader.meta.get("url", "").startswith("http") else None,
    )


@dataclass(frozen=True)
class _Number:
    """Authorities, year and number of an announcement."""

    issuer: str
    year: int
    number: int

    @property
    def in_series(self) -> str:
        return f"{self.year}-{self.number}"

    @property
    def is_own(self) -> bool:
        return OWN_AUTHORITY in self.issuer


def _notice(
    number: _Number, title: str, published_at: date | None, vintage_at: datetime,
    *, url: str | None = None, summary: str | None = None, text: str | None = None,
) -> Notice:  # fmt: skip
    is_own, in_series = number.is_own, number.in_series
    return Notice(
        notice_id=in_series if is_own else f"{number.issuer} {in_series}",
        published_at=published_at,
        issuer=number.issuer,
        kind="announcement",
        title=title,
        vintage_at=vintage_at,
        summary=summary,
        text=text,
        url=url,
        implementer_iso3="CHN",
        acts=(f"MOFCOM {in_series}",) if is_own else (),
    )


def _number_in(title: str) -> _Number | None:
    """The number of the announcement that a title is of; None for another title."""
    # Digits of full width are digits.
    match = _ANNOUNCEMENT.match(_one_line(unicodedata.normalize("NFKC", title)))
    if match is None or _ABOUT_ONE.search(match["issuer"]):
        return None
    return _Number(match["issuer"].strip(), int(match["year"]), int(match["number"]))


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _day_in(text: str) -> date | None:
    match = _DAY.search(text)
    try:
        return date(*map(int, match.groups())) if match else None
    except ValueError:
        return None


@dataclass(frozen=True)
class _Entry:
    """An entry of a list; `url` is its whole address."""

    title: str
    day: date | None
    url: str


@dataclass(frozen=True)
class _Listing:
    """A page of a list; `count` is the number of entries on all pages, where it is printed."""

    entries: Sequence[_Entry]
    count: int


def _listing_of(payload: bytes) -> _Listing:
    """Raises UpstreamFormatError for other JSON, and a list without entries that counts some."""
    content = json_object(payload, source=CARD.name)
    data: Any = content.get("data")
    html = data.get("html") if isinstance(data, dict) else None
    if not isinstance(html, str):
        raise UpstreamFormatError(
            f"{CARD.name}: the answer has no list ({content.get('message') or 'no reason given'}).",
            hint="The page of the ministry may have changed.",
        )
    reader = _Tags.of_page(html)
    counts = [attributes.get("count", "") for _, attributes in reader.tags]
    count = next((int(each) for each in counts if each.isdecimal()), None)
    entries = [
        _Entry(link.title, _day_in(link.around), urljoin(f"{CARD.base_url}/", link.href))
        for link in reader.links
        if link.title
    ]
    if count != 0 and not any(entry.day for entry in entries):
        raise UpstreamFormatError(
            f"{CARD.name}: the list has no entry with a title and a day"
            f"{f', though it counts {count:,}' if count else ''}.",
            hint="The page of the ministry may have changed.",
        )
    return _Listing(entries, count or len(entries))


@dataclass
class _Link:
    """A link: address, title, its text, and the text around it in its entry of a list."""

    href: str
    titled: str
    around: str = ""
    inside: str = ""

    @property
    def title(self) -> str:
        """The longer of title and text, but for a text that is cut."""
        texts = (_one_line(self.titled), _one_line(self.inside))
        return max(texts, key=lambda text: (not text.endswith(("...", "…")), len(text)))


class _Tags(HTMLParser):
    """What is read of a page: tags with their attributes, `meta`, links, and the body's text.

    Names of attributes and of `meta` are in lower case.
    """

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, Mapping[str, str]]] = []
        self.meta: dict[str, str] = {}
        self.body: list[str] = []
        self.links: list[_Link] = []
        self._is_in_link = self._is_in_entry = False
        self._before = ""
        self._divisions = 0
        self._skipped = ""

    @classmethod
    def of_page(cls, page: str) -> _Tags:
        reader = cls()
        reader.feed(page)
        reader.close()
        return reader

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self.tags.append((tag, attributes))
        if tag == "meta" and "name" in attributes:
            self.meta.setdefault(attributes["name"].lower(), attributes.get("content", ""))
        if tag == "a" and attributes.get("href"):
            before = "" if self._is_in_entry else self._before
            self.links.append(_Link(attributes["href"], attributes.get("title", ""), before))
            self._is_in_link = self._is_in_entry = True
        if tag == "li":
            self._end_entry()
        if tag in ("script", "style"):
            self._skipped = tag
        if tag == "div" and (self._divisions or "art-con" in attributes.get("class", "").split()):
            self._divisions += 1
        if tag in ("p", "div", "br", "tr", "li") and self._divisions:
            self.body.append("")
        if tag in ("td", "th") and self._divisions:
            self.body[-1] += " "

    def handle_endtag(self, tag: str) -> None:
        if tag == "a":
            self._is_in_link = False
        if tag == "li":
            self._end_entry()
        if tag == self._skipped:
            self._skipped = ""
        if tag == "div" and self._divisions:
            self._divisions -= 1

    def handle_data(self, data: str) -> None:
        if self._skipped:
            return
        if self._divisions:
            self.body[-1] += data
        if self._is_in_link:
            self.links[-1].inside += data
        elif self._is_in_entry:
            self.links[-1].around += data
        else:
            self._before += data

    def _end_entry(self) -> None:
        self._is_in_link = self._is_in_entry = False
        self._before = ""

    def close(self) -> None:
        super().close()
        self.body = [line for each in self.body if (line := _one_line(each))]
