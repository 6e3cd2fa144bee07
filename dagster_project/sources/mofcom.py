"""China's Ministry of Commerce: the announcements in its lists, and their pages -> `notices`.

A list has titles only, and is read as a sign that there is something new. What an announcement
orders is not read here: it is evidence, and a person reads it.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from html.parser import HTMLParser
from types import MappingProxyType
from typing import Any
from urllib.parse import urljoin

import polars as pl

from dagster_project.errors import DeniedError, UpstreamFormatError, amount_of_bytes, listed
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
from dagster_project.sources.json_text import json_object
from dagster_project.sources.limits import MOST_PAGE_BYTES
from dagster_project.sources.notice_acts import acts_in
from dagster_project.sources.notice_rows import Notice, notices_of

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
        "with day and address, of three of its columns: their newest pages back to the last known "
        "day; older ones by kido fetch mofcom --from. At most one request in ten seconds; a "
        "refusal by its firewall ends the run. The page of an announcement can be landed: its "
        "minerals and codes are read then."
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

MAIN_COLUMN = "zwgk/zcfb/index.html"
COLUMNS = (MAIN_COLUMN, "zcfb/blgg/index.html", "zcfb/zgdwjjmywg/index.html")
"""Pages of the columns with announcements: policies published, orders and announcements, the
gazette of foreign trade. They have no entries themselves, but the parameters by which their list
is asked for. Without the first one a run fails; the others are known from the addresses of their
announcements, and one that cannot be read is a warning."""

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

STATUSES_OF_A_COLUMN: Mapping[int, Meaning] = MappingProxyType({**STATUSES, 404: "nothing"})
"""Of a column besides the main one, which may have moved."""

LONGEST_SUMMARY = 2_000
"""Characters of an announcement's text that are kept: its decision and the first items. Words and
codes are read in all of it."""

LONGEST_TITLE = 1_000
"""Characters of a title in which a number is looked for; titles have some 100."""

OWN_AUTHORITY = "商务部"

_PARAMETER = re.compile(r"""(["'])(\w+)\1\s*:\s*(["'])(.*?)\3""")
"""A parameter of a list as in a column's page: `'webId':'0123...'`, which is no JSON."""

_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)|<[!?][^>]*(?:>|\Z)", re.DOTALL)
"""A comment or declaration, also one without an end: the parser would look for each one's end."""

_DAY = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})")

_ANNOUNCEMENT = re.compile(
    r"^\W*(?P<issuer>\w[\w\s、,()]{1,80}?)\s*(?:"
    r"公告\s*[〔\[(]?\s*(?P<year>[0-9]{4})\s*[〕\])]?\s*年?\s*第\s*(?P<number>[0-9]{1,5})\s*号"
    r"|(?P<other_year>[0-9]{4})\s*年\s*第\s*(?P<other_number>[0-9]{1,5})\s*号\s*公告)"
)
"""The beginning of an announcement's title: authorities, year and number, as `公告2026年第1号`,
`公告〔2026〕第1号` or `2026年第1号公告`."""

_ABOUT_ONE = re.compile("就(?!业)|解读|发言人|负责人|答记者问")
"""In a title: a text about an announcement, as answers to the press."""

_ABOUT_THE_ONE_BEFORE = re.compile(r"^\W*的?\W*(?:政策)?(?:解读|答记者问)")
"""After a number: `商务部公告2025年第61号解读` is not that announcement."""

_DIGITS = {ord("０") + digit: f"{digit}" for digit in range(10)}
"""Digits of full width, which are digits."""

_LIKE_ONE = re.compile(r"公告.*[0-9]{4}|[0-9]{4}.*公告")
"""A title that may be of an announcement."""


def plan(windows: Sequence[Window], scope: Scope) -> Sequence[Extract]:
    """The pages of each column back to a day where one is given, else to the last known one, else
    the newest one. One extract: of a notice in two columns the first address counts.
    """
    since = f"-from-{scope.first_day}" if scope.first_day else ""
    first_day = scope.first_day or scope.known_until
    return [
        Extract(
            f"announcements{since}", tuple(_column(name, f"{first_day or ''}") for name in COLUMNS)
        )
    ]


def _column(name: str, first_day: str) -> Request:
    return Request(
        name,
        expects=("html",),
        statuses=dict(STATUSES if name == MAIN_COLUMN else STATUSES_OF_A_COLUMN),
        context={"step": "column", "column": name, "from": first_day},
    )


def follow(request: Request, answer: Answer) -> Step:
    """A column's page leads to its list; a page of the list to the next one, where a day is given
    that it does not reach.

    Raises DeniedError when the firewall refuses the request, and UpstreamFormatError where the main
    column's page has no parameters of a list, or its list no entries. Another column in that state
    is left out with a warning.
    """
    if answer.meaning == "quota":
        raise DeniedError(
            f"{CARD.name}: the publisher's firewall refuses requests from here ({answer.status}); "
            "the run ends.",
            hint="Wait a day, or save a list or an announcement with a browser and land it: "
            f"kido land {CARD.name} FILE.",
        )
    column = request.context["column"]
    try:
        if answer.meaning == "nothing":
            raise UpstreamFormatError(
                f"{CARD.name}: {request.url} is not at its address ({answer.status})."
            )
        payload = answer.file.read_bytes()
        if request.context["step"] == "column":
            parameters = _parameters_of(payload.decode("utf-8", "replace"), request.url)
            return Instead((_page_of_list(request, parameters, 1),))
        return _after_a_page(request, _listing_of(payload))
    except UpstreamFormatError as error:
        if column == MAIN_COLUMN:
            raise
        sentence = error.message.removeprefix(f"{CARD.name}: ")
        return Instead((), f"the column {column} is left out: {sentence}")


def _after_a_page(request: Request, listing: _Listing) -> Step:
    """The next page of a list, where one is wanted."""
    context = request.context
    warning = _about_unread(listing, context["column"])
    number = int(context["page"])
    # The last entry, since older ones may be pinned to the top.
    last_day = next((each.day for each in reversed(listing.entries) if each.day), None)
    if not (last_day and context["from"] and f"{last_day}" >= context["from"]):
        return Done(warning)
    if listing.count is None and len(listing.entries) >= ON_A_PAGE:
        gap = (
            f"the list of {context['column']} does not say how many entries it has: of "
            f"{context['from']} to {last_day} there may be more than were read."
        )
        return Done(f"{warning} {gap}".strip())
    if number * ON_A_PAGE >= (listing.count or 0):
        return Done(warning)
    return More((_page_of_list(request, request.params, number + 1),), warning)


def _about_unread(listing: _Listing, column: str) -> str:
    """A sentence on the entries that seem to be announcements, and have no number that is read."""
    unread = [entry.title for entry in listing.entries if _is_unread(entry.title)]
    if not unread:
        return ""
    have = "title has" if len(unread) == 1 else "titles have"
    return (
        f"{len(unread)} {have} 公告 and a year in {column}, and no number that is read, and "
        f"{'is' if len(unread) == 1 else 'are'} left out: {listed(unread)}."
    )


def _page_of_list(request: Request, parameters: Mapping[str, str], number: int) -> Request:
    """The request for a page of the list that a request of the same column leads to."""
    page = json.dumps({"pageNo": number, "pageSize": ON_A_PAGE}, separators=(",", ":"))
    return Request(
        LIST_UNIT,
        expects=("json",),
        params={**parameters, "paramJson": page},
        statuses=dict(STATUSES),
        context={**request.context, "step": "list", "page": f"{number}"},
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
    `vintage_at` is the retrieval, of a list as of a page. `words` has the announcements that a
    title cites besides its own: it may suspend, extend or lift them.
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
        url=_address(reader.meta["url"]) if reader.meta.get("url", "").strip() else None,
    )


def _address(path: str) -> str:
    """The whole address of a path on the ministry's site."""
    return urljoin(f"{CARD.base_url}/", path.strip())


@dataclass(frozen=True)
class _Number:
    """Authorities, year and number of an announcement; `subject` is the title after them."""

    issuer: str
    year: int
    number: int
    subject: str

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
    acts = (f"MOFCOM {in_series}",) if is_own else ()
    return Notice(
        notice_id=in_series if is_own else f"{number.issuer} {in_series}",
        published_at=published_at,
        issuer=number.issuer,
        kind="announcement",
        title=title.translate(_DIGITS),
        vintage_at=vintage_at,
        summary=summary,
        text=text,
        url=url,
        implementer_iso3="CHN",
        acts=acts,
        cited=tuple(act for act in acts_in(number.subject) if act not in acts),
    )


def _number_in(title: str) -> _Number | None:
    """The number of the announcement that a title is of; None for another title."""
    text = _one_line(unicodedata.normalize("NFKC", title))
    match = _ANNOUNCEMENT.match(text)
    if match is None:
        return None
    issuer, subject = match["issuer"].strip(), text[match.end() :]
    is_about_one = _ABOUT_ONE.search(issuer) or _ABOUT_THE_ONE_BEFORE.match(subject)
    if is_about_one or "关于" in issuer or issuer.endswith("的"):
        return None
    year, number = match["year"] or match["other_year"], match["number"] or match["other_number"]
    return _Number(issuer, int(year), int(number), subject)


def _is_unread(title: str) -> bool:
    """Whether a title seems to be of an announcement, and has no number that is read."""
    text = _one_line(unicodedata.normalize("NFKC", title[:LONGEST_TITLE]))
    is_like_one = _LIKE_ONE.search(text) and not _ABOUT_ONE.search(text)
    return bool(is_like_one) and _number_in(title) is None


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
    """A page of a list; `count` is the number of entries on all pages, None if not printed."""

    entries: Sequence[_Entry]
    count: int | None


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
        _Entry(link.title, _day_in("".join(link.around)), _address(link.href))
        for link in reader.links
        if link.title
    ]
    if count != 0 and not any(entry.day for entry in entries):
        raise UpstreamFormatError(
            f"{CARD.name}: the list has no entry with a title and a day"
            f"{f', though it counts {count:,}' if count else ''}.",
            hint="The page of the ministry may have changed.",
        )
    return _Listing(entries, count)


@dataclass
class _Link:
    """A link: address, title, its text, and the text around it in its entry of a list."""

    href: str
    titled: str
    around: list[str]
    inside: list[str] = field(default_factory=list)

    @property
    def title(self) -> str:
        """The longer of title and text, but for a text that is cut."""
        texts = (_one_line(self.titled), _one_line("".join(self.inside)))
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
        self._line: list[str] = []
        self.links: list[_Link] = []
        self._is_in_link = self._is_in_entry = False
        self._before: list[str] = []
        self._divisions = 0
        self._skipped = ""

    @classmethod
    def of_page(cls, page: str) -> _Tags:
        """Raises UpstreamFormatError for a larger page than the ministry has."""
        if len(page) > MOST_PAGE_BYTES:
            raise UpstreamFormatError(
                f"{CARD.name}: the page has more than {amount_of_bytes(MOST_PAGE_BYTES)}."
            )
        reader = cls()
        # Up to the last tag: the parser would look for the end of each tag after it.
        reader.feed(_COMMENT.sub("", page[: page.rfind(">") + 1]))
        reader.close()
        return reader

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self.tags.append((tag, attributes))
        if tag == "meta" and "name" in attributes:
            self.meta.setdefault(attributes["name"].lower(), attributes.get("content", ""))
        if tag == "a" and attributes.get("href"):
            before = [] if self._is_in_entry else list(self._before)
            self.links.append(_Link(attributes["href"], attributes.get("title", ""), before))
            self._is_in_link = self._is_in_entry = True
        if tag == "li":
            self._end_entry()
        if tag in ("script", "style"):
            self._skipped = tag
        if tag == "div" and (self._divisions or "art-con" in attributes.get("class", "").split()):
            self._divisions += 1
        if tag in ("p", "div", "br", "tr", "li") and self._divisions:
            self._end_line()
        if tag in ("td", "th") and self._divisions:
            self._line.append(" ")

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
            self._line.append(data)
        if self._is_in_link:
            self.links[-1].inside.append(data)
        elif self._is_in_entry:
            self.links[-1].around.append(data)
        else:
            self._before.append(data)

    def _end_entry(self) -> None:
        self._is_in_link = self._is_in_entry = False
        self._before = []

    def _end_line(self) -> None:
        if line := _one_line("".join(self._line)):
            self.body.append(line)
        self._line = []

    def close(self) -> None:
        super().close()
        self._end_line()
