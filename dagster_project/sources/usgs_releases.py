"""Where ScienceBase has the table of the newest edition of the Mineral Commodity Summaries: from
the search for the data releases to the file. How the table is read is in `usgs_mcs`.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from dagster_project.errors import UpstreamFormatError, listed, shortened
from dagster_project.sources.card import (
    Answer,
    Done,
    Extract,
    Instead,
    Request,
    Scope,
    Step,
    Window,
)

NAME = "usgs_mcs"
HOMEPAGE = (
    "https://www.usgs.gov/centers/national-minerals-information-center/mineral-commodity-summaries"
)

TITLE = re.compile(
    r"(?:U\.S\. Geological Survey )?Mineral Commodity Summaries (?P<edition>20[0-9]{2}) "
    r"Data Release(?P<version> ?\(.*\)|,? ver.*)?"
)
"""The title of an edition's data release, whole; those of single commodities go on after it."""

LAST_ARCHIVED = 2024
"""Editions until this one are archives of a CSV per commodity, in changing columns."""

NAMES_OF_TABLES: Mapping[int, re.Pattern[str]] = {
    2025: re.compile(r"World_Data\.csv$", re.IGNORECASE)
}
NAME_OF_TABLE = re.compile(r"Commodities_Data\.csv$", re.IGNORECASE)
"""The file with the tables of the world, of every edition since 2026."""

MOST_PAGES = 6
"""Pages of 50 results that are read: beside the releases there are some 90 of one commodity."""

DOCUMENT = "Mineral-Commodity-Summaries.csv"


def plan(windows: Sequence[Window], scope: Scope) -> Sequence[Extract]:
    """The table of the newest edition, by a search of ScienceBase for the data releases."""
    search = Request(
        "catalog/items",
        ("json",),
        params={
            "q": "Mineral Commodity Summaries Data Release",
            "format": "json",
            "max": "50",
            "fields": "title",
        },
        context={"step": "search", "page": "1", **_least_edition(scope)},
    )
    return [Extract(DOCUMENT, (search,))]


def _least_edition(scope: Scope) -> dict[str, str]:
    """The edition that the lake has: output of a year is printed in the next year's edition."""
    return {"least": f"{scope.held_through.year + 1}"} if scope.held_through else {}


def follow(request: Request, answer: Answer) -> Step:
    """The search leads to the newest edition's children, these or the edition itself to its table,
    whose MD5 is verified where ScienceBase gives one.

    Raises UpstreamFormatError where no edition is found, the newest one is older than that of the
    lake, is an archive or has no table (an earlier edition is not used instead), the file has
    another checksum, the lists have too many pages, and for an answer of another shape.
    """
    context = request.context
    if context["step"] == "table":
        expected = context.get("md5", "")
        md5 = hashlib.md5(answer.file.read_bytes(), usedforsecurity=False).hexdigest()
        if expected and md5 != expected:
            raise UpstreamFormatError(
                f"{NAME}: the file of the edition of {context['edition']} has the MD5 {md5}, "
                f"and ScienceBase gives {expected}: it is cut, or just being replaced."
            )
        return Done()
    content = _json_object(answer)
    if context["step"] == "search":
        return Instead((_after_search(content, context),))
    items = [content] if context["step"] == "edition" else _items(content)
    table = _table_of(items, context["edition"])
    if table is not None:
        return Instead((table,))
    if context["step"] == "children":
        following = _next_page(content, context)
        edition = Request(
            f"catalog/item/{context['id']}",
            ("json",),
            params={"format": "json"},
            context={**context, "step": "edition"},
        )
        return Instead((following or edition,))
    raise UpstreamFormatError(
        f"{NAME}: the release of the edition of {context['edition']} has no table "
        "of the world among its files: its layout has changed.",
        hint=f"See {HOMEPAGE}.",
    )


def _after_search(content: Mapping[str, Any], context: Mapping[str, str]) -> Request:
    """The next page of results, or the children of the newest edition on all pages."""
    best = (context.get("edition", ""), context.get("version", ""), context.get("id", ""))
    for item in _items(content):
        if match := TITLE.fullmatch(str(item.get("title", "")).strip()):
            best = max(best, (match["edition"], match["version"] or "", str(item.get("id", ""))))
    edition, version, item_id = best
    newest = {"edition": edition, "version": version, "id": item_id}
    if following := _next_page(content, {**context, **newest}):
        return following
    if not item_id:
        raise UpstreamFormatError(
            f"{NAME}: ScienceBase finds no data release of an edition.",
            hint=f"Look for it at {HOMEPAGE}, and land its table.",
        )
    if edition < context.get("least", ""):
        raise UpstreamFormatError(
            f"{NAME}: the newest edition that ScienceBase finds is that of {edition}, and that of "
            f"{context['least']} is known.",
            hint=f"Look for it at {HOMEPAGE}, and land its table.",
        )
    if int(edition) <= LAST_ARCHIVED:
        raise UpstreamFormatError(
            f"{NAME}: the newest edition that ScienceBase finds is that of {edition}, an "
            "archive of one CSV per commodity, which is bundled and not fetched."
        )
    return Request(
        "catalog/items",
        ("json",),
        params={"parentId": item_id, "format": "json", "max": "50", "fields": "title,files"},
        context={"step": "children", "page": "1", "edition": edition, "id": item_id},
    )


def _next_page(content: Mapping[str, Any], context: Mapping[str, str]) -> Request | None:
    """The request for the further items of a list.

    Raises UpstreamFormatError after MOST_PAGES: the edition may be on a later one.
    """
    link, page = content.get("nextlink"), int(context["page"])
    address = link.get("url") if isinstance(link, dict) else None
    if not address:
        return None
    if page >= MOST_PAGES:
        raise UpstreamFormatError(f"{NAME}: ScienceBase lists more than {MOST_PAGES} pages.")
    return Request(str(address), ("json",), context={**context, "page": f"{page + 1}"})


def _name_of_table(edition: str) -> re.Pattern[str]:
    return NAMES_OF_TABLES.get(int(edition), NAME_OF_TABLE)


def _table_of(items: Sequence[Mapping[str, Any]], edition: str) -> Request | None:
    """The request for the edition's table, if one of the items has it among its files."""
    name = _name_of_table(edition)
    files = [file for file in _files(items) if name.search(str(file.get("name", "")))]
    if not files:
        return None
    names = sorted({str(file["name"]) for file in files})
    address = files[0].get("url") or files[0].get("downloadUri")
    if len(names) > 1 or not address:
        raise UpstreamFormatError(
            f"{NAME}: the edition of {edition} has "
            + (f"several tables: {listed(names)}." if address else f"no address of {names[0]}.")
        )
    checksum = files[0].get("checksum")
    md5 = ""
    if isinstance(checksum, dict) and str(checksum.get("type", "")).upper() == "MD5":
        md5 = str(checksum.get("value") or "").strip().lower()
    return Request(
        str(address), ("csv",), context={"step": "table", "edition": edition, "md5": md5}
    )


def _files(items: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for item in items:
        files = item.get("files") or []
        yield from (file for file in files if isinstance(file, dict))


def _json_object(answer: Answer) -> Mapping[str, Any]:
    try:
        content = json.loads(answer.file.read_bytes())
    except (ValueError, RecursionError) as error:
        raise UpstreamFormatError(
            f"{NAME}: the JSON of ScienceBase is cut or damaged ({shortened(str(error))})."
        ) from error
    if not isinstance(content, dict):
        raise UpstreamFormatError(f"{NAME}: the JSON of ScienceBase is not an object.")
    return content


def _items(content: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    items = content.get("items")
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise UpstreamFormatError(f"{NAME}: the answer of ScienceBase has no list of items.")
    return items
