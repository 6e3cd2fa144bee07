"""A local server in place of the Federal Register's search of documents (API v1).

Of a request it knows agencies, days, fields, order and pages; the words are not searched for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.fakes.server import NOT_FOUND, FakePublisher, Reply, Seen, json_reply

HOME = "https://www.federalregister.gov"
"""The publisher's address: the one in its answers, whatever address it is asked at."""

SLUGS = {
    "commerce-department": (54, None, "Commerce Department"),
    "energy-department": (136, None, "Energy Department"),
    "foreign-assets-control-office": (203, 497, "Foreign Assets Control Office"),
    "fisheries-bureau": (361, 54, "National Oceanic and Atmospheric Administration"),
    "industry-and-security-bureau": (241, 54, "Industry and Security Bureau"),
    "international-trade-administration": (261, 54, "International Trade Administration"),
    "trade-representative-office-of-united-states": (
        491, None, "Trade Representative, Office of United States",
    ),
}  # fmt: skip
"""Agencies by their slugs: number, that of the department, name."""

MOST_COUNTED = 10_000
"""The count goes no further, and pages by number end here."""

CAPTCHA = (
    b"<html><head><title>Request Access</title></head><body>Due to aggressive automated scraping "
    b"of FederalRegister.gov, please complete the CAPTCHA</body></html>"
)


def document(
    number: str,
    day: str,
    title: str = "Controls on Certain Items",
    slug: str = "industry-and-security-bureau",
    **fields: Any,
) -> dict[str, Any]:
    """A document with all of its fields; `fields` replace them."""
    agency = _agency(slug)
    parents = [each for each in SLUGS if SLUGS[each][0] == agency["parent_id"]]
    return {
        "document_number": number,
        "type": "Rule",
        "title": title,
        "abstract": None,
        "publication_date": day,
        "agencies": [*map(_agency, parents), agency],
        "citation": None,
        "correction_of": None,
        "html_url": f"{HOME}/documents/{day.replace('-', '/')}/{number}/x",
        "docket_ids": [],
        **fields,
    }


def _agency(slug: str) -> dict[str, Any]:
    number, parent, name = SLUGS[slug]
    return {
        "raw_name": name.upper(),
        "name": name,
        "id": number,
        "url": f"{HOME}/agencies/{slug}",
        "json_url": f"{HOME}/api/v1/agencies/{number}",
        "parent_id": parent,
        "slug": slug,
    }


def _agencies_of_all() -> Iterable[dict[str, Any]]:
    """The agencies by which a document is searched that is printed without any."""
    return map(_agency, SLUGS)


def many(day: date, days: int, on_a_day: int) -> Iterable[dict[str, Any]]:
    """So many documents on each of these days."""
    for offset in range(days):
        at = day + timedelta(days=offset)
        for number in range(on_a_day):
            yield document(f"{at.year}-{offset:03}{number:04}", f"{at}")


class FakeFederalRegister(FakePublisher):
    """`with FakeFederalRegister() as register:` searches its `documents`.

    The next page has a cursor, as the publisher's mostly has, or a number where `pages_by_number`.
    `shift` is added to the first document of each further page: -1 repeats the last one of the page
    before. `most_on_a_page` cuts pages shorter than they are asked for.
    """

    def __init__(self, *, log: Path | None = None) -> None:
        super().__init__(log=log)
        self.documents: list[Mapping[str, Any]] = []
        self.known_slugs = set(SLUGS)
        self.pages_by_number = False
        self.shift = 0
        self.most_on_a_page = 2_000
        self.without_results = False

    def answer(self, request: Seen) -> Reply:
        if request.path not in ("/api/v1/documents.json", "/api/v1/documents"):
            return NOT_FOUND
        query = parse_qs(urlsplit(request.target).query)
        for slug in query["conditions[agencies][]"]:
            if slug not in self.known_slugs:
                errors = {"conditions[agencies]": f"'{slug}' is not a valid agency slug"}
                return json_reply(
                    {"status": 400, "message": "Bad Request", "errors": errors}, status=400
                )
        matching = self._matching(query)
        size = min(int(query["per_page"][0]), self.most_on_a_page)
        start = int(query.get("search_after_cursor", query.get("page", ["0"]))[0])
        if "page" in query and start >= MOST_COUNTED:
            return json_reply({"status": 400, "errors": {"page": "is too high"}}, status=400)
        return json_reply(self._page(matching, query, start, size))

    def _matching(self, query: Mapping[str, list[str]]) -> list[Mapping[str, Any]]:
        first, last = (query[f"conditions[publication_date][{end}]"][0] for end in ("gte", "lte"))
        wanted = set(query["conditions[agencies][]"])
        matching = [
            each
            for each in self.documents
            if first <= each["publication_date"] <= last
            and wanted & {agency["slug"] for agency in each["agencies"] or _agencies_of_all()}
        ]
        is_newest_first = query["order"][0] == "newest"
        return sorted(
            matching,
            key=lambda each: (each["publication_date"], each["document_number"]),
            reverse=is_newest_first,
        )

    def _page(
        self,
        matching: list[Mapping[str, Any]],
        query: Mapping[str, list[str]],
        start: int,
        size: int,
    ) -> dict[str, Any]:
        first = max(0, start + (self.shift if start else 0))
        shown = matching[first : first + size]
        page: dict[str, Any] = {
            "description": "Documents from several agencies",
            "count": min(len(matching), MOST_COUNTED),
        }
        if not matching and self.without_results:
            return page
        fields = query["fields[]"]
        page |= {
            "total_pages": min(50, -(-len(matching) // size)),
            "results": [{name: each.get(name) for name in fields} for each in shown],
        }
        if first + size < len(matching):
            position = "page" if self.pages_by_number else "search_after_cursor"
            kept = [(name, value) for name, values in query.items() for value in values]
            kept = [pair for pair in kept if pair[0] not in ("page", "search_after_cursor")]
            following = urlencode([*kept, ("format", "json"), (position, f"{first + size}")])
            page["next_page_url"] = f"{HOME}/api/v1/documents?{following}"
        return page
