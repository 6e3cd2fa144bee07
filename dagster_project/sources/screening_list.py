"""The Consolidated Screening List of the United States: listings of companies of the catalogue.

The list names natural persons. Only rows that name a company of the catalogue are kept, and of
these only the columns read here; nothing else of the file is ever written (`excerpt`).
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import cache

import polars as pl

from dagster_project.errors import UpstreamFormatError
from dagster_project.lake.scope import DEFAULT_SCOPE, CommodityScope
from dagster_project.sources.card import (
    Calendar,
    Document,
    Extract,
    Limits,
    Request,
    Scope,
    SourceCard,
    Window,
)
from dagster_project.sources.catalogue.company_names import company_names
from dagster_project.sources.formats import (
    is_it_the_file_of,
    require_columns,
    require_text,
    require_width,
    utc_naive,
)
from dagster_project.sources.limits import LONGEST_FIELD
from dagster_project.sources.notice_acts import acts_in
from dagster_project.sources.notice_rows import Notice, notices_of

CARD = SourceCard(
    name="screening_list",
    title="Consolidated Screening List",
    publisher="International Trade Administration, US Department of Commerce",
    licence="Public domain (works of the US government)",
    licence_url="https://www.trade.gov/consolidated-screening-list",
    is_redistributable=True,
    cadence="daily",
    domain="restrictions",
    homepage="https://www.trade.gov/consolidated-screening-list",
    tables=("notices",),
    lists=("companies", "measures", "notice_words", "nomenclature"),
    description=(
        "Listings of companies of the catalogue on the lists of the United States (Entity List, "
        "Unverified List, Military End User List and others). The daily file of 17 MB also names "
        "natural persons: kept are only rows whose name or alternative name is a company of "
        "companies.yaml or an entity that a clause of measures.yaml targets, with that name. For a "
        "company that is added to these later, the next daily file is needed: an older excerpt "
        "does not have it."
    ),
    without_rows="no company of the catalogue is on it",
    base_url="https://data.trade.gov",
    limits=Limits(calls_a_minute=6, largest_answer_bytes=128 << 20),
    calendar=Calendar("0 9 * * *", "America/New_York", "Every day at 9:00 in Washington."),
)

FILE = "consolidated.csv"
PATH = f"downloadable_consolidated_screening_list/v1/{FILE}"

COLUMNS = (
    "_id", "source", "type", "name", "federal_register_notice", "start_date",
    "license_requirement", "source_list_url", "alt_names", "source_information_url",
)  # fmt: skip
"""The columns that are read and kept. Those with addresses, dates of birth and remarks are not."""

PERSON = "individual"
"""The type of a row that is a natural person. The lists of Commerce leave the type blank."""

COLUMNS_OF_PERSONS = (
    "dates_of_birth", "places_of_birth", "nationalities", "citizenships", "title",
)  # fmt: skip
"""Columns that are filled for natural persons alone. An excerpt has none of them."""

BETWEEN_NAMES = ";"

_FORMS = (
    "co", "company", "corp", "corporation", "inc", "incorporated", "ltd", "limited", "llc", "llp",
    "lp", "plc", "gmbh", "ag", "kg", "sa", "sas", "sarl", "spa", "srl", "bv", "nv", "ab", "oy",
    "kk", "kabushiki", "kaisha", "pte", "pty", "sdn", "bhd", "jsc", "ojsc", "pjsc", "the",
)  # fmt: skip
"""Words of a name that say only the form of the company."""

_FORMS_IN_CHARACTERS = ("株式会社", "有限公司", "有限责任公司")
"""The same in Japanese and Chinese, which put no blank around them."""

_WRONG_FILE_HINT = is_it_the_file_of(CARD.homepage)


def plan(windows: Sequence[Window], scope: Scope) -> Sequence[Extract]:
    """The whole file: it has no day in its name, and no part of it can be asked for."""
    return [Extract(FILE, (Request(PATH, ("csv",)),))]


def excerpt(payload: bytes) -> bytes:
    """The header and the rows that name a company of the catalogue, with the columns read here.

    Of the names of a row only the one that is the company's is kept, as its `name`: the others may
    be those of natural persons.
    Raises UpstreamFormatError where the payload is not the list; no text of a row is quoted.
    """
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(COLUMNS)
    lines.writerows([row[name] for name in COLUMNS] for row, _ in _listings(payload))
    return text.getvalue().encode()


def parse(
    payload: bytes, document: Document, scope: CommodityScope = DEFAULT_SCOPE
) -> Mapping[str, pl.DataFrame]:
    """The list, or an excerpt of it -> `notices`, one row per listing of a company.

    `title` is the name as printed that is the company's, `company` the name in the catalogue. Most
    lists print no day: then a listing is known from the day it was retrieved. Columns may be in any
    order.
    Raises UpstreamFormatError for a missing column, a page, a cut file, a listing without a number
    and an invalid `start_date`.
    Source: International Trade Administration, Consolidated Screening List, CSV of all lists.
    """
    retrieved_at = utc_naive(document.retrieved_at)
    notices = (_notice(row, company, retrieved_at) for row, company in _listings(payload))
    return {"notices": notices_of(notices, source=CARD.name)}


def _notice(row: Mapping[str, str], company: str, retrieved_at: datetime) -> Notice:
    if not row["_id"]:
        raise UpstreamFormatError(f"{CARD.name}: the listing of {company} has no _id.")
    return Notice(
        notice_id=row["_id"],
        published_at=_day(row["start_date"], company),
        issuer=row["source"],
        kind="listing",
        title=row["name"],
        vintage_at=retrieved_at,
        summary=row["license_requirement"] or None,
        url=row["source_list_url"] or row["source_information_url"] or None,
        implementer_iso3="USA",
        acts=tuple(acts_in(row["federal_register_notice"])),
        company=company,
    )


def _day(text: str, company: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise UpstreamFormatError(
            f"{CARD.name}: the start_date of the listing of {company} is not a day like 2025-03-28."
        ) from None


def _listings(payload: bytes) -> Iterator[tuple[Mapping[str, str], str]]:
    """The rows that name a company of the catalogue, with that name alone, and its name there."""
    companies = _companies()
    for row in _rows(payload):
        if row["type"].casefold() == PERSON or any(row.get(name) for name in COLUMNS_OF_PERSONS):
            continue
        names = (row["name"], *row["alt_names"].split(BETWEEN_NAMES))
        name = next((each for each in names if comparable_name(each) in companies), None)
        if name is not None:
            only_name = {**row, "name": name.strip(), "alt_names": ""}
            yield only_name, companies[comparable_name(name)]


def _rows(payload: bytes) -> Iterator[Mapping[str, str]]:
    """The rows of the file: cells by column, without blanks around them.

    Errors name the number of a row and none of its text: it may be a person's name.
    """
    text = require_text(payload, source=CARD.name, hint=_WRONG_FILE_HINT)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    number = 1
    try:
        names = next(reader)
        require_width(len(names), source=CARD.name)
        header = [name.strip().lower() for name in names]
        require_columns(header, COLUMNS, source=CARD.name, hint=_WRONG_FILE_HINT)
        of_persons = [name for name in COLUMNS_OF_PERSONS if name in header]
        position = {name: header.index(name) for name in (*COLUMNS, *of_persons)}
        for number, cells in enumerate(reader, start=2):
            if not cells:
                continue
            if len(cells) != len(header):
                raise UpstreamFormatError(
                    f"{CARD.name}: row {number:,} does not contain the {len(header)} values of the "
                    "header: the file is cut or damaged."
                )
            if max(map(len, cells)) > LONGEST_FIELD:
                raise UpstreamFormatError(
                    f"{CARD.name}: a value of row {number:,} has more than the {LONGEST_FIELD:,} "
                    "characters that a cell may contain."
                )
            yield {name: cells[place].strip() for name, place in position.items()}
    except csv.Error:
        raise UpstreamFormatError(
            f"{CARD.name}: the file is cut or damaged after row {number:,}."
        ) from None


@cache
def _companies() -> Mapping[str, str]:
    """The companies of the catalogue by their comparable names."""
    names = ((comparable_name(name), name) for name in reversed(company_names()))
    return {comparable: name for comparable, name in names if comparable}


def comparable_name(name: str) -> str:
    """A name without case, marks, punctuation and the form of the company, to be compared.

    `Example Rare Metals Co., Ltd.` and `EXAMPLE RARE-METALS` are the same.
    """
    text = unicodedata.normalize("NFKD", name).casefold().replace("&", " and ")
    for form in _FORMS_IN_CHARACTERS:
        text = text.replace(form, " ")
    letters = "".join(character for character in text if not unicodedata.combining(character))
    words = re.sub(r"[^\w]+|_", " ", re.sub(r"[.'’]", "", letters)).split()
    while len(words) > 1 and words[-1] in _FORMS:
        words.pop()
    return " ".join(words[1:] if len(words) > 1 and words[0] == "the" else words)
