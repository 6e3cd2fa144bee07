"""Global Trade Alert: interventions in exports of critical minerals, as it reports them.

Its rows are private: its terms on passing them on are not public. One is evidence of an official
act, never a clause.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import chain
from typing import Any

import polars as pl

from dagster_project.errors import UpstreamFormatError, counted, shortened
from dagster_project.lake.scope import DEFAULT_SCOPE, CommodityScope
from dagster_project.lake.vocabulary import commodity_codes, economies, economy_by
from dagster_project.sources.card import (
    Answer,
    Calendar,
    Document,
    Done,
    Extract,
    Limits,
    More,
    Request,
    Scope,
    SourceCard,
    Step,
    Window,
)
from dagster_project.sources.formats import utc_naive
from dagster_project.sources.json_text import json_value
from dagster_project.sources.notice_acts import acts_in
from dagster_project.sources.notice_rows import NO_TITLE, Notice, notices_of

CARD = SourceCard(
    name="gta",
    title="Global Trade Alert, interventions in exports",
    publisher="St. Gallen Endowment for Prosperity Through Trade",
    licence="Terms of the key; none on passing rows on is public, so they stay in this warehouse",
    licence_url="https://globaltradealert.org",
    is_redistributable=False,
    cadence="daily",
    domain="restrictions",
    homepage="https://globaltradealert.org",
    tables=("notices",),
    lists=("economies", "notice_words", "nomenclature"),
    description=(
        "Taxes, bans, quotas, licences and other measures on exports since November 2008 that "
        "affect an HS6 code of the warehouse, as reported by Global Trade Alert two to four weeks "
        "after the act. With a key. What it updated since the newest known one is asked each day, "
        "with eight days of overlap; after a code is added to the list of codes, kido fetch gta "
        "--again asks for all of them again. Its rows are in no preview, page or public export."
    ),
    base_url="https://api.globaltradealert.org",
    needs_key=True,
    shows_rows=False,
    limits=Limits(calls_a_minute=60),
    calendar=Calendar("0 6 * * *", "Europe/Zurich", "Every day at 6:00 in St. Gallen."),
)

PATH = "api/v2/gta/data/"
ROWS_ON_A_PAGE = 1000
"""The most that one answer may have."""

FIRST_DAY = date(2008, 11, 1)
"""Global Trade Alert reports acts since then."""

OVERLAP = timedelta(days=8)
"""How far before the newest known day updates are asked for again."""

OUTWARD = 2
"""The flow that an act affects: exports of the economy that implements it."""

TYPES = (18, 19, 20, 21, 35, 37, 63, 74)
"""Export tax, ban, tariff quota, quota, licensing requirement, other export measure, local supply
requirement for exports, export price benchmark."""

ISSUER = "Global Trade Alert"

UNIONS = ("1049", "EU")
"""Number and code of the European Union, which is no single economy."""

_HS6_CODE = re.compile(r"[0-9]{6}")
_NUMBER_IN_ADDRESS = re.compile(r"/intervention/0*([0-9]+)")


def plan(windows: Sequence[Window], scope: Scope) -> Sequence[Extract]:
    """The first page of all interventions, or of those updated since the newest known one.

    Codes are those of the whole list, whatever the scope: rows do not depend on it.
    """
    since, document = FIRST_DAY, "interventions.json"
    if scope.known_until is not None:
        since = scope.known_until - OVERLAP
        document = f"interventions-updated-from-{since}.json"
    return [Extract(document, (_page(since, 0),))]


def _page(since: date, offset: int) -> Request:
    body = {
        "limit": ROWS_ON_A_PAGE,
        "offset": offset,
        "sorting": ["-last_updated"],
        "show_full_names": True,
        "request_data": {
            "affected_flow": [OUTWARD],
            "intervention_types": list(TYPES),
            "affected_products": sorted(map(int, commodity_codes())),
            "update_period": [f"{since}", None],
            "keep_implementation_na": True,
            "keep_revocation_na": True,
        },
    }
    return Request(
        PATH,
        ("json",),
        headers={"Authorization": "APIKey {key}", "Content-Type": "application/json"},
        body=json.dumps(body),
        context={"since": f"{since}", "offset": f"{offset}"},
    )


def follow(request: Request, answer: Answer) -> Step:
    """The next page, after a full one or while the answer counts more rows than were sent.

    Interventions with an invalid field are counted in a warning; they are rows without it.

    Raises UpstreamFormatError where an answer has no rows although it counts more.
    """
    content = json_value(answer.file.read_bytes(), source=CARD.name)
    interventions = _interventions(content)
    warning = _about_invalid(interventions)
    rows = len(interventions)
    offset = int(request.context["offset"]) + rows
    count = content.get("count") if isinstance(content, dict) else None
    has_more = rows >= ROWS_ON_A_PAGE or (isinstance(count, int) and offset < count)
    if not has_more:
        return Done(warning)
    if not rows:
        raise UpstreamFormatError(f"{CARD.name}: {offset:,} of {count:,} interventions were sent.")
    return More((_page(date.fromisoformat(request.context["since"]), offset),), warning)


def _about_invalid(interventions: Sequence[Mapping[str, Any]]) -> str:
    """A sentence on interventions with invalid fields, without a value: it is in logs."""
    invalid = [fields for row in interventions if (fields := tuple(_invalid_fields(row)))]
    if not invalid:
        return ""
    names = ", ".join(sorted(set(chain.from_iterable(invalid))))
    return f"{counted(len(invalid), 'intervention')} without a valid value of {names}."


def _invalid_fields(row: Mapping[str, Any]) -> Iterator[str]:
    if not isinstance(row.get("intervention_id"), int):
        yield "intervention_id"
    if _title(row) == NO_TITLE:
        yield "state_act_title"
    for name in _DAYS:
        if row.get(name) not in (None, "") and _day(row, name) is None:
            yield name
    if not all(map(_HS6_CODE.fullmatch, _printed_codes(row))):
        yield "affected_products"
    jurisdiction = _only_jurisdiction(row)
    if jurisdiction and not _is_union(jurisdiction) and _implementer(row) is None:
        yield "implementing_jurisdictions"


def parse(
    payload: bytes, document: Document, scope: CommodityScope = DEFAULT_SCOPE
) -> Mapping[str, pl.DataFrame]:
    """A page of `/api/v2/gta/data/` -> `notices`, one row per intervention.

    A page is a list of interventions, or an object with them in `results`, which may be a list of
    lists. `hs6_codes` are all that the intervention affects. `implementer_iso3` is null where
    several economies implement it, the European Union, or one that is not in the list. An invalid
    field is left out.
    Raises UpstreamFormatError for another layout, and for an intervention without a number.
    Source: SGEPT API documentation, GTA Data V2.
    """
    return parse_extract([payload], document, scope)


def parse_extract(
    parts: Sequence[bytes], document: Document, scope: CommodityScope = DEFAULT_SCOPE
) -> Mapping[str, pl.DataFrame]:
    """Pages read together: an intervention that was updated meanwhile may be on two of them."""
    retrieved_at = utc_naive(document.retrieved_at)
    contents = (json_value(part, source=CARD.name) for part in parts)
    notices = (
        _notice(each, retrieved_at) for content in contents for each in _interventions(content)
    )
    return {"notices": notices_of(notices, source=CARD.name)}


def _interventions(content: Any) -> Sequence[Mapping[str, Any]]:
    """The interventions of an answer. Raises UpstreamFormatError for another layout."""
    results = content.get("results") if isinstance(content, dict) else content
    if not isinstance(results, list):
        raise UpstreamFormatError(f"{CARD.name}: the answer is no list of interventions.")
    rows = [row for each in results for row in (each if isinstance(each, list) else [each])]
    if not all(isinstance(row, dict) for row in rows):
        raise UpstreamFormatError(f"{CARD.name}: an intervention is no object in JSON.")
    return rows


def _notice(row: Mapping[str, Any], retrieved_at: datetime) -> Notice:
    title, url = _title(row), row.get("intervention_url")
    return Notice(
        notice_id=_number(row),
        published_at=next(filter(None, (_day(row, name) for name in _DAYS)), None),
        issuer=ISSUER,
        kind="intervention",
        title=_without_tags(title) or title,
        vintage_at=retrieved_at,
        summary=_without_tags(*_texts(row, "intervention_description", ("description", "text"))),
        url=url if isinstance(url, str) and url else None,
        implementer_iso3=_implementer(row),
        acts=tuple(acts_in(title, *_texts(row, "state_act_source", ("source", "text")))),
        hs6_codes=tuple(filter(_HS6_CODE.fullmatch, _printed_codes(row))),
    )


_DAYS = ("date_published", "date_announced")
"""The days by which it is published; the first one that is printed counts."""


def _number(row: Mapping[str, Any]) -> str:
    """Its number, also that of its address. Raises UpstreamFormatError without one."""
    number = row.get("intervention_id")
    if isinstance(number, int):
        return f"{number}"
    in_address = _NUMBER_IN_ADDRESS.search(str(row.get("intervention_url")))
    if in_address is None:
        printed = shortened(f"{number!r}")
        raise UpstreamFormatError(f"{CARD.name}: an intervention has no number ({printed}).")
    return in_address[1]


def _title(row: Mapping[str, Any]) -> str:
    title = row.get("state_act_title")
    return title if isinstance(title, str) and title.strip() else NO_TITLE


def _day(row: Mapping[str, Any], name: str) -> date | None:
    """The day of a field, which may have a time; None where it has none that is valid."""
    try:
        return date.fromisoformat(str(row.get(name))[:10])
    except ValueError:
        return None


def _texts(row: Mapping[str, Any], name: str, fields: Sequence[str]) -> list[str]:
    """The texts of a field: of a text, or of a list of texts or of objects with one of `fields`."""
    value = row.get(name) or []
    entries = value if isinstance(value, list) else [value]
    texts = (
        next((each[field] for field in fields if each.get(field)), "")
        if isinstance(each, dict)
        else each
        for each in entries
    )
    return [text for text in texts if isinstance(text, str)]


def _without_tags(*texts: str) -> str | None:
    """Texts in HTML as one without tags; None where nothing is left."""
    # A tag has no other inside it: without that, each of many open ones is read to the end.
    untagged = (html.unescape(re.sub(r"<[^<>]*>", " ", text)) for text in texts)
    return " ".join(" ".join(untagged).split()) or None


def _printed_codes(row: Mapping[str, Any]) -> set[str]:
    """The codes of the affected products, numbers or objects with one, filled to six digits. One
    that is null or empty is an empty text.
    """
    products = row.get("affected_products") or []
    numbers = [
        each.get("product_id") if isinstance(each, dict) else each
        for each in (products if isinstance(products, list) else [products])
    ]
    return {"" if number in (None, "") else f"{number}".zfill(6) for number in numbers}


def _only_jurisdiction(row: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The jurisdiction that implements an intervention; None where it is not a single one."""
    jurisdictions = row.get("implementing_jurisdictions")
    if not isinstance(jurisdictions, list) or len(jurisdictions) != 1:
        return None
    return jurisdictions[0] if isinstance(jurisdictions[0], dict) else None


def _is_union(jurisdiction: Mapping[str, Any]) -> bool:
    return any(str(jurisdiction.get(name) or "") in UNIONS for name in ("id", "iso"))


def _implementer(row: Mapping[str, Any]) -> str | None:
    """The economy that implements an intervention; None where it is not one of the list."""
    jurisdiction = _only_jurisdiction(row)
    if jurisdiction is None or _is_union(jurisdiction):
        return None
    iso3 = str(jurisdiction.get("iso") or "")
    if iso3 in economies():
        return iso3
    # India, France and Italy have the numbers that UN Comtrade gives them, the others those of M49.
    number = str(jurisdiction.get("id") or "")
    return economy_by("comtrade_code").get(number) or economy_by("m49_code").get(number.zfill(3))
