"""US Federal Register: documents on minerals of the agencies that restrict trade -> `notices`.

What a document orders is not read here: it is evidence, and a person reads it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType
from typing import Annotated, Any, Self
from urllib.parse import urlencode

import polars as pl
from pydantic import BaseModel, BeforeValidator, ValidationError, model_validator

from dagster_project.errors import UpstreamFormatError, counted, listed, shortened
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
from dagster_project.sources.formats import is_it_the_file_of, utc_naive
from dagster_project.sources.json_text import json_object
from dagster_project.sources.notice_rows import NO_TITLE, Notice, notices_of
from dagster_project.sources.notice_texts import english_words
from dagster_project.words import NoticeKind

CARD = SourceCard(
    name="federal_register",
    title="Documents of the US Federal Register on minerals",
    publisher="Office of the Federal Register, National Archives and Records Administration",
    licence="Public domain (17 U.S.C. 105; 1 CFR 2.6: unrestricted reproduction)",
    licence_url="https://www.federalregister.gov/reader-aids/policy/legal-status",
    is_redistributable=True,
    cadence="daily",
    domain="restrictions",
    homepage="https://www.federalregister.gov/",
    tables=("notices",),
    lists=("nomenclature", "notice_words"),
    description=(
        "Rules, proposed rules, notices and presidential documents of the Department of Commerce "
        "itself, the Bureau of Industry and Security, the International Trade Administration, the "
        "Office of Foreign Assets Control, the US Trade Representative and the Department of "
        "Energy, whose text has a word of the list of words of notices; published on working "
        "days. Each time the documents of the last 60 days are asked for again, since no document "
        "says when it was changed; older ones by kido fetch federal_register --from. Kept are "
        "number, title, abstract, agencies and address."
    ),
    base_url="https://www.federalregister.gov",
    asked_from_a_day=True,
    limits=Limits(calls_a_minute=30),
    calendar=Calendar(
        "0 9 * * 1-5",
        "America/New_York",
        "Weekdays at 9:00 in Washington: an issue is published on working days at about 6:00 and "
        "filed by 8:45.",
    ),
)

AGENCIES = (
    "industry-and-security-bureau",
    "foreign-assets-control-office",
    "trade-representative-office-of-united-states",
    "international-trade-administration",
    "commerce-department",
    "energy-department",
)
"""The publisher's names of agencies; an unknown one is answered by 400. The one of a department
includes its bureaus."""

WITHOUT_OTHER_BUREAUS = "commerce-department"
"""Of this department's bureaus those that are asked for count, and no others: its fisheries name
copper after a river, and its census names everything."""

FIELDS = (
    "document_number", "type", "title", "abstract", "publication_date", "agencies", "citation",
    "correction_of", "html_url",
)  # fmt: skip
"""What is asked of each document: all fields of a thousand would be many megabytes."""

OVERLAP = timedelta(days=60)
"""How far back documents are asked for again: corrections come within weeks."""

MOST_AT_ONCE = 2_000
"""From this many documents on, the days of a request are halved: the publisher counts no more than
10,000, and for a time gave no more than 2,000."""

ON_A_PAGE = 1_000

STATUSES: Mapping[int, Meaning] = MappingProxyType({400: "too_much"})
"""A refusal of the request itself; its text says why."""

_KINDS: Mapping[str, NoticeKind] = MappingProxyType(
    {
        "rule": "rule",
        "proposed rule": "proposed_rule",
        "presidential document": "presidential_document",
    }
)
"""Kinds by the publisher's words; all others are notices."""

_CORRECTION = re.compile(r"^C\d+-(.+)$")
"""The number of a correction: `C1-2026-13124` is the first one of 2026-13124."""

_CORRECTED = re.compile(r"(?:^|/)([A-Z0-9]+(?:-[0-9]+)+)(?:\.json)?/?(?:[?#]|$)")
"""The number at the end of the address of the document that is corrected."""

_WRONG_FILE_HINT = is_it_the_file_of(CARD.homepage)


def _if_text(value: object) -> str:
    """The text in a line; empty for any other value."""
    return " ".join(value.split()) if isinstance(value, str) else ""


def _if_day(value: object) -> date | None:
    try:
        return date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _if_number(value: object) -> int | None:
    return value if isinstance(value, int) else None


def _if_objects(value: object) -> list[object]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


_Text = Annotated[str, BeforeValidator(_if_text)]
_Number = Annotated[int | None, BeforeValidator(_if_number)]


class _Agency(BaseModel):
    """An agency of a document. Those that no longer exist have a `raw_name` alone."""

    id: _Number = None
    parent_id: _Number = None
    name: _Text = ""
    raw_name: _Text = ""
    slug: _Text = ""


class _Printed(BaseModel):
    """A document in an answer. A field with another kind of value counts as empty: one such
    document does not lose the others.
    """

    document_number: _Text = ""
    title: _Text = ""
    type: _Text = ""
    abstract: _Text = ""
    publication_date: Annotated[date | None, BeforeValidator(_if_day)] = None
    agencies: Annotated[list[_Agency], BeforeValidator(_if_objects)] = []
    citation: _Text = ""
    correction_of: _Text = ""
    html_url: _Text = ""

    @property
    def number(self) -> str:
        """Its number; without one its address, or its title."""
        return self.document_number or self.html_url or self.title

    @property
    def missing(self) -> Sequence[str]:
        """The fields that every document has and this one has not."""
        fields = ("document_number", "title", "type", "publication_date", "agencies")
        return [name for name in fields if not getattr(self, name)]

    @property
    def issuers(self) -> Sequence[_Agency]:
        """Its agencies, without a department beside its own bureau."""
        departments = {each.parent_id for each in self.agencies if each.parent_id is not None}
        return [each for each in self.agencies if each.id is None or each.id not in departments]

    @property
    def is_of_another_bureau(self) -> bool:
        """Whether only bureaus issued it that are not asked for (`WITHOUT_OTHER_BUREAUS`)."""
        numbers = {each.id for each in self.agencies if each.slug == WITHOUT_OTHER_BUREAUS}
        others = [
            each.parent_id is not None and each.parent_id in numbers and each.slug not in AGENCIES
            for each in self.issuers
        ]
        return bool(others) and all(others)


class _Page(BaseModel):
    """An answer; `results` may be missing where there are none."""

    count: int
    results: list[_Printed] = []
    next_page_url: str | None = None

    @model_validator(mode="after")
    def _names_its_documents(self) -> Self:
        if not all(each.number for each in self.results):
            raise ValueError("a document has neither number nor address nor title")
        return self


def plan(windows: Sequence[Window], scope: Scope) -> Sequence[Extract]:
    """The documents of the last 60 days, or since 60 days before the last known one if that is
    earlier; since a day where one is given.
    """
    today = scope.today or datetime.now(UTC).date()
    start = scope.first_day or min(today, scope.known_until or today) - OVERLAP
    return [Extract(f"documents-from-{start}.json", (_search(start, today),))]


def _search(first: date, last: date) -> Request:
    """The request for the documents of these days, both included, the oldest first.

    The oldest first, so that one published meanwhile does not move the others to the next page.
    """
    words = (f'"{word}"' if " " in word or "-" in word else word for word in english_words())
    parameters = [
        *(("conditions[agencies][]", agency) for agency in AGENCIES),
        ("conditions[term]", " | ".join(words)),
        ("conditions[publication_date][gte]", f"{first}"),
        ("conditions[publication_date][lte]", f"{last}"),
        *(("fields[]", name) for name in FIELDS),
        ("order", "oldest"),
        ("per_page", f"{ON_A_PAGE}"),
    ]
    # In the address: names are repeated, which parameters of a request cannot be.
    return Request(
        f"api/v1/documents.json?{urlencode(parameters)}",
        expects=("json",),
        statuses=dict(STATUSES),
        context={"first": f"{first}", "last": f"{last}"},
    )


def follow(request: Request, answer: Answer) -> Step:
    """The next page, by the address that the answer names; too many documents in halves of the
    days. A warning says of what is sent without a valid value, or not sent although it is counted.

    Raises UpstreamFormatError for a refused request, an answer that is no page of documents, and
    an address that leads elsewhere or back to the same page.
    """
    if answer.status == 400:
        raise _refused(answer.text)
    page = _page_of(answer.file.read_bytes())
    if "first" in request.context:
        first, last = (date.fromisoformat(request.context[name]) for name in ("first", "last"))
        if page.count and not page.results:
            raise _without_documents(page.count)
        if page.count >= MOST_AT_ONCE and first < last:
            middle = first + (last - first) // 2
            return Instead((_search(first, middle), _search(middle + timedelta(days=1), last)))
    warning = _about_missing(page.results)
    sent = int(request.context.get("sent", 0)) + len(page.results)
    if not (page.next_page_url and page.results):
        return Done(" ".join(filter(None, (warning, _about_unsent(sent, page.count)))))
    return More((_next_page(page.next_page_url, request, sent),), warning)


def _without_documents(count: int) -> UpstreamFormatError:
    return UpstreamFormatError(
        f"{CARD.name}: the answer counts {count:,} documents and has none of them."
    )


def _about_missing(documents: Sequence[_Printed]) -> str:
    """A sentence on documents without a field that all have; they are rows all the same."""
    names = [f"{each.number} ({', '.join(each.missing)})" for each in documents if each.missing]
    if not names:
        return ""
    return f"{counted(len(names), 'document')} without a valid value of a field: {listed(names)}."


def _about_unsent(sent: int, count: int) -> str:
    """A sentence on documents that are counted and on no page; those that are sent are rows."""
    return f"{sent:,} of {counted(count, 'document')} were sent." if sent < count else ""


def _next_page(address: str, request: Request, sent: int) -> Request:
    if not address.startswith(f"{CARD.base_url}/") or address == request.url:
        raise UpstreamFormatError(
            f"{CARD.name}: the next page is said to be at {shortened(address)!r}, which is another "
            "publisher's or the page itself."
        )
    return Request(address, expects=("json",), statuses=dict(STATUSES), context={"sent": f"{sent}"})


def _refused(text: str) -> UpstreamFormatError:
    """The publisher's reasons for a refusal, which names an agency that it does not know."""
    reasons = list(_reasons(text))
    return UpstreamFormatError(
        f"{CARD.name}: the publisher refused the request: "
        f"{listed(reasons) or shortened(text) or 'it gave no reason'}.",
        hint="Agencies are listed at https://www.federalregister.gov/api/v1/agencies.json."
        if "slug" in " ".join(reasons)
        else "",
    )


def _reasons(text: str) -> Iterator[str]:
    """The sentences in `errors` of a refusal; none of one in another form."""
    try:
        errors = json.loads(text)["errors"]
    except (ValueError, TypeError, LookupError, RecursionError):
        return
    values = errors.values() if isinstance(errors, dict) else [errors]
    for value in values:
        yield from map(str, value if isinstance(value, list) else [value])


def parse(
    payload: bytes, document: Document, scope: CommodityScope = DEFAULT_SCOPE
) -> Mapping[str, pl.DataFrame]:
    """A page of documents -> `notices`, one row per document; see `parse_extract`."""
    return parse_extract([payload], document, scope)


def parse_together(
    parts: Sequence[tuple[bytes, Document]], scope: CommodityScope = DEFAULT_SCOPE
) -> Mapping[str, pl.DataFrame]:
    """Pages that are landed together, read as `parse_extract` does."""
    return parse_extract([payload for payload, _ in parts], parts[0][1], scope)


def parse_extract(
    parts: Sequence[bytes], document: Document, scope: CommodityScope = DEFAULT_SCOPE
) -> Mapping[str, pl.DataFrame]:
    """Pages of documents -> `notices`, one row per document, a repeated one once.

    `words`, `minerals` and `hs6_codes` are of title and abstract alone. The publisher searches
    whole texts, so that a row may have none. `acts` are number and citation; of a correction, the
    number of the corrected document first. An invalid field of a document is empty; without a
    number, a document is named by its address.
    Raises UpstreamFormatError for a page in HTML, as those against robots, for other JSON, and for
    a document without number, address and title.
    Source: Federal Register API v1, documents.json.
    """
    retrieved_at = utc_naive(document.retrieved_at)
    pages = [_page_of(payload) for payload in parts]
    printed = [each for page in pages for each in page.results]
    if not printed and any(page.count for page in pages):
        raise _without_documents(max(page.count for page in pages))
    notices = (_notice(each, retrieved_at) for each in printed if not each.is_of_another_bureau)
    return {"notices": notices_of(notices, source=CARD.name)}


def _page_of(payload: bytes) -> _Page:
    content = json_object(payload, source=CARD.name, hint=_WRONG_FILE_HINT)
    # Of no documents the list may be null, too.
    given: dict[str, Any] = {name: value for name, value in content.items() if value is not None}
    try:
        return _Page.model_validate(given)
    except ValidationError as error:
        mistake = error.errors()[0]
        where = ".".join(map(str, mistake["loc"]))
        raise UpstreamFormatError(
            f"{CARD.name}: the answer is no page of documents ({where}: {mistake['msg']}).",
            hint=_WRONG_FILE_HINT,
        ) from error


def _notice(printed: _Printed, retrieved_at: datetime) -> Notice:
    number = printed.number
    corrected = _corrected_by(printed, number)
    acts = [f"FR {each}" for each in (corrected, printed.document_number) if each]
    return Notice(
        notice_id=number,
        published_at=printed.publication_date,
        issuer=_issuer_of(printed.issuers),
        kind="correction" if corrected else _KINDS.get(printed.type.lower(), "notice"),
        title=printed.title or NO_TITLE,
        vintage_at=retrieved_at,
        summary=printed.abstract or None,
        url=printed.html_url or None,
        implementer_iso3="USA",
        acts=(*acts, *([printed.citation] if printed.citation else [])),
        corrects=corrected,
    )


def _corrected_by(printed: _Printed, number: str) -> str | None:
    """The number of the document that a document corrects; None of one that corrects none."""
    corrected = _CORRECTED.search(printed.correction_of) or _CORRECTION.match(number)
    return corrected[1] if corrected else None


def _issuer_of(agencies: Sequence[_Agency]) -> str:
    """The names of agencies."""
    names = (agency.name or agency.raw_name for agency in agencies)
    return "; ".join(dict.fromkeys(filter(None, names))) or "Federal Register"
