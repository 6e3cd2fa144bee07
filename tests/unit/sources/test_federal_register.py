"""The Federal Register's documents: what is asked, how pages follow, what a row says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import polars as pl
import pytest

from dagster_project.errors import UpstreamFormatError
from dagster_project.lake.schemas import NOTICES
from dagster_project.sources import federal_register
from dagster_project.sources.card import (
    Answer,
    Document,
    Done,
    Instead,
    More,
    Request,
    Scope,
    Step,
)
from tests.conftest import SHARED, needs_shared
from tests.fakes.federal_register import CAPTCHA, HOME, document

PAYLOADS = SHARED / "payloads" / "federal_register"
RETRIEVED = datetime(2026, 11, 29, 14, 5)
TODAY = date(2026, 11, 29)


def parse(*pages: bytes) -> pl.DataFrame:
    label = Document("documents", RETRIEVED, is_bundled=False)
    return federal_register.parse_extract(pages, label)["notices"]


def page(*documents: Mapping[str, Any], **other: Any) -> bytes:
    content = {"count": len(documents), "results": list(documents), **other}
    return json.dumps(content).encode()


def row(**fields: Any) -> dict[str, Any]:
    return parse(page(document("2026-1", "2026-11-20", **fields))).row(0, named=True)


def search(**scope: Any) -> Request:
    (extract,) = federal_register.plan([], Scope(today=TODAY, **scope))
    (request,) = extract.requests
    return request


def query(request: Request) -> Mapping[str, list[str]]:
    return parse_qs(urlsplit(request.url).query)


def follow(request: Request, payload: bytes, folder: Path, status: int = 200) -> Step:
    file = folder / "answer"
    file.write_bytes(payload if status == 200 else b"")
    meaning = "content" if status == 200 else request.statuses[status]
    text = "" if status == 200 else payload.decode()
    return federal_register.follow(request, Answer(meaning, status, file, text=text))


# What is asked.


def test_the_last_sixty_days_are_asked_for_and_more_after_a_long_pause() -> None:
    days = "conditions[publication_date][gte]"
    assert query(search())[days] == ["2026-09-30"]
    assert query(search(known_until=date(2026, 11, 27)))[days] == ["2026-09-28"]
    assert query(search(known_until=date(2026, 3, 2)))[days] == ["2026-01-01"]
    # A misprinted day ahead does not hide the last sixty.
    assert query(search(known_until=date(2027, 8, 1)))[days] == ["2026-09-30"]
    assert query(search(known_until=date(2026, 3, 2), first_day=date(2025, 1, 1)))[days] == [
        "2025-01-01"
    ]


def test_all_agencies_and_named_fields_are_asked_for_in_one_request() -> None:
    asked = query(search())
    assert set(asked["conditions[agencies][]"]) >= {
        "industry-and-security-bureau", "foreign-assets-control-office",
        "trade-representative-office-of-united-states", "energy-department", "commerce-department",
    }  # fmt: skip
    assert set(asked["fields[]"]) == {
        "document_number", "type", "title", "abstract", "publication_date", "agencies", "citation",
        "correction_of", "html_url",
    }  # fmt: skip
    assert asked["per_page"] == ["1000"]
    assert "[" not in search().url
    assert "|" not in search().url


def test_the_words_are_alternatives_and_phrases_are_in_quotes() -> None:
    (term,) = query(search())["conditions[term]"]
    words = term.split(" | ")
    assert {"gallium", '"rare earth"', '"entity list"'} <= set(words)
    assert not [word for word in words if " " in word and not word.startswith('"')]
    assert "稀土" not in term


# How pages follow.


def test_the_next_page_is_the_address_that_the_answer_names(tmp_path: Path) -> None:
    address = f"{HOME}/api/v1/documents?format=json&search_after_cursor=WzE3ODkzN"
    answer = page(document("2026-1", "2026-11-20"), next_page_url=address, count=2)
    step = follow(search(), answer, tmp_path)
    assert isinstance(step, More)
    assert [request.url for request in step.requests] == [address]
    last = follow(step.requests[0], page(document("2026-2", "2026-11-20"), count=2), tmp_path)
    assert last == Done()


def test_documents_that_are_counted_and_not_sent_are_a_warning(tmp_path: Path) -> None:
    """As on a full page that names no next one: without a word, the rest would never be read."""
    first, second = (document(f"2026-{number}", "2026-11-20") for number in (1, 2))
    cut = follow(search(), page(first, second, count=1_500), tmp_path)
    assert cut == Done("2 of 1,500 documents were sent.")
    address = f"{HOME}/api/v1/documents?format=json&search_after_cursor=WzE3ODkzN"
    step = follow(search(), page(first, count=3, next_page_url=address), tmp_path)
    assert isinstance(step, More)
    last = follow(step.requests[0], page({**second, "title": None}, count=3), tmp_path)
    assert last == Done(
        "1 document without a valid value of a field: 2026-2 (title). 2 of 3 documents were sent."
    )


@pytest.mark.parametrize(
    "address",
    ["https://www.example.org/api/v1/documents?page=2", "http://www.federalregister.gov/x", "#",
     "https://www.federalregister.gov.example.org/api/v1/documents?page=2", "http://["],
)  # fmt: skip
def test_a_next_page_elsewhere_is_not_followed(address: str, tmp_path: Path) -> None:
    answer = page(document("2026-1", "2026-11-20"), next_page_url=address)
    with pytest.raises(UpstreamFormatError, match="next page"):
        follow(search(), answer, tmp_path)


def test_a_page_that_leads_to_itself_ends_in_a_sentence(tmp_path: Path) -> None:
    again = Request(f"{HOME}/api/v1/documents?page=2", expects=("json",))
    answer = page(document("2026-1", "2026-11-20"), next_page_url=again.url)
    with pytest.raises(UpstreamFormatError, match="the page itself"):
        follow(again, answer, tmp_path)


@pytest.mark.parametrize("count", [2_000, 10_000])
def test_too_many_documents_are_asked_for_in_halves(count: int, tmp_path: Path) -> None:
    answer = page(document("2026-1", "2026-11-20"), count=count)
    step = follow(search(), answer, tmp_path)
    assert isinstance(step, Instead)
    days = [
        [query(each)[f"conditions[publication_date][{end}]"][0] for end in ("gte", "lte")]
        for each in step.requests
    ]
    assert days == [["2026-09-30", "2026-10-30"], ["2026-10-31", "2026-11-29"]]


def test_the_days_are_halved_down_to_one_and_no_day_is_lost(tmp_path: Path) -> None:
    answer = page(document("2026-1", "2026-11-20"), count=10_000)
    waiting, days = [search()], []
    while waiting:
        request = waiting.pop()
        step = follow(request, answer, tmp_path)
        if isinstance(step, Instead):
            waiting += step.requests
            continue
        assert step == Done("1 of 10,000 documents were sent.")
        asked = query(request)
        (first,) = asked["conditions[publication_date][gte]"]
        assert asked["conditions[publication_date][lte]"] == [first]
        days.append(date.fromisoformat(first))
    assert sorted(days) == [date(2026, 9, 30) + timedelta(days=day) for day in range(61)]


def test_missing_results_are_none_unless_documents_are_counted(tmp_path: Path) -> None:
    assert follow(search(), b'{"description": "Documents", "count": 0}', tmp_path) == Done()
    assert parse(b'{"description": "Documents", "count": 0}').height == 0
    assert parse(b'{"count": 0, "results": null, "next_page_url": null}').height == 0
    with pytest.raises(UpstreamFormatError, match="counts 12 documents"):
        follow(search(), b'{"description": "Documents", "count": 12}', tmp_path)


def test_a_refusal_names_the_agency_that_is_not_known(tmp_path: Path) -> None:
    refusal = {
        "status": 400,
        "errors": {"conditions[agencies]": "'bureau-of-industry' is not a valid agency slug"},
    }
    with pytest.raises(UpstreamFormatError, match="'bureau-of-industry' is not a valid") as error:
        follow(search(), json.dumps(refusal).encode(), tmp_path, 400)
    assert "agencies.json" in error.value.hint
    with pytest.raises(UpstreamFormatError, match="refused the request: Bad Request"):
        follow(search(), b"Bad Request", tmp_path, 400)


@pytest.mark.parametrize(
    "payload",
    [CAPTCHA, b"", b"[]", b"{}", b'{"status": "busy"}', b'{"count": 1, "results": [{"title": 1}]}',
     b'{"count": 1, "results": ["a"]}', b'{"count": 1, "resul'],
)  # fmt: skip
def test_what_is_no_page_of_documents_is_no_empty_page(payload: bytes, tmp_path: Path) -> None:
    with pytest.raises(UpstreamFormatError, match="federal_register: "):
        parse(payload)
    with pytest.raises(UpstreamFormatError, match="federal_register: "):
        follow(search(), payload, tmp_path)


# What a row says.


def test_a_rule_is_a_row_with_number_agency_act_and_words() -> None:
    found = row(
        title="Controls on  Gallium and Rare-Earth Magnets",
        abstract="Items of heading 8505.11.00.50.",
        citation="91 FR 57078",
    )
    assert found == {
        "source": "federal_register",
        "notice_id": "2026-1",
        "published_at": date(2026, 11, 20),
        "issuer": "Industry and Security Bureau",
        "kind": "rule",
        "title": "Controls on Gallium and Rare-Earth Magnets",
        "summary": "Items of heading 8505.11.00.50.",
        "url": f"{HOME}/documents/2026/11/20/2026-1/x",
        "implementer_iso3": "USA",
        "acts": ["FR 2026-1", "91 FR 57078"],
        "corrects": None,
        "company": None,
        "words": ["gallium", "rare earth"],
        "minerals": ["all_rare_earths", "gallium"],
        "hs6_codes": ["850511"],
        "is_provisional": False,
        "vintage_at": RETRIEVED,
    }


def test_the_frame_fits_the_lake_once_its_provenance_is_added() -> None:
    frame = parse(page(document("2026-1", "2026-11-20"))).with_columns(
        document=pl.lit("documents"), snapshot_id=pl.lit("federal_register-1")
    )
    assert NOTICES.conform(frame).schema == NOTICES.polars_schema


def test_a_document_whose_title_names_nothing_is_kept() -> None:
    found = row(title="Notice of a Meeting", type="Notice")
    assert (found["kind"], found["words"], found["minerals"]) == ("notice", [], [])


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("Rule", "rule"), ("Proposed Rule", "proposed_rule"), ("Notice", "notice"),
        ("Presidential Document", "presidential_document"), ("Uncategorized Document", "notice"),
        ("", "notice"),
    ],
)  # fmt: skip
def test_kinds_are_the_publishers_words(word: str, kind: str) -> None:
    assert row(type=word)["kind"] == kind


@pytest.mark.parametrize(
    ("number", "correction_of"),
    [
        ("C1-2026-13124", f"{HOME}/api/v1/documents/2026-13124?publication_date=2026-07-08"),
        ("2026-14000", f"{HOME}/api/v1/documents/2026-13124/"),
        ("2026-14000", f"{HOME}/api/v1/documents/2026-13124.json?publication_date=2026-07-08"),
        ("C1-2026-13124", None),
        ("C1-2026-13124", "http://["),
    ],
)
def test_a_correction_names_the_document_that_it_corrects(
    number: str, correction_of: str | None
) -> None:
    found = parse(page(document(number, "2026-07-15", correction_of=correction_of)))
    assert found.select("notice_id", "kind", "corrects", "acts").row(0) == (
        number, "correction", "2026-13124", ["FR 2026-13124", f"FR {number}"],
    )  # fmt: skip


def test_a_department_is_not_named_beside_its_own_bureau() -> None:
    bureau = document("2026-1", "2026-11-20")["agencies"]
    ministry = {"id": 476, "parent_id": None, "name": "State Department", "raw_name": "STATE"}
    former = {"raw_name": "Office of the Special Envoy"}
    assert row(agencies=[*bureau, ministry, former])["issuer"] == (
        "Industry and Security Bureau; State Department; Office of the Special Envoy"
    )
    assert row(agencies=[])["issuer"] == "Federal Register"


def test_a_document_without_title_or_day_is_still_to_be_read() -> None:
    printed = {**document("2026-1", "2026-11-20"), "title": None, "publication_date": None}
    found = parse(page(printed)).row(0, named=True)
    assert found["title"] == "[no title]"
    assert found["published_at"] is None


@pytest.mark.parametrize(
    "broken",
    [
        {"type": None}, {"agencies": None}, {"type": 3, "agencies": "BIS"}, {"title": ["a"]},
        {"publication_date": "soon"}, {"abstract": 1, "citation": {}, "html_url": None},
        {"agencies": [None, {"id": "54", "name": 3}]}, {"document_number": None},
        {"correction_of": 7}, {"correction_of": "http://["},
    ],
)  # fmt: skip
def test_a_broken_document_does_not_lose_the_others(broken: dict[str, Any]) -> None:
    good = document("2026-2", "2026-11-20", "Controls on Gallium")
    rows = parse(page({**document("2026-1", "2026-11-20"), **broken}, good))
    assert rows.height == 2
    assert rows.filter(notice_id="2026-2").equals(parse(page(good)))
    if broken.get("document_number", "") is None:
        assert rows["notice_id"][0] == f"{HOME}/documents/2026/11/20/2026-1/x"
        assert rows["acts"][0].to_list() == []


def test_other_bureaus_of_commerce_are_left_out_and_those_of_energy_not() -> None:
    bureau = {"id": 999, "parent_id": 136, "name": "A Bureau", "slug": "a-bureau"}
    of_energy = document("2026-4", "2026-11-20", slug="energy-department")
    rows = parse(
        page(
            document("2026-1", "2026-11-20", slug="commerce-department"),
            document("2026-2", "2026-11-20", slug="international-trade-administration"),
            document("2026-3", "2026-11-20", slug="fisheries-bureau"),
            {**of_energy, "agencies": [*of_energy["agencies"], bureau]},
        )
    )
    assert rows["notice_id"].to_list() == ["2026-1", "2026-2", "2026-4"]


def test_a_document_on_two_pages_is_one_row() -> None:
    first, second, third = (document(f"2026-{n}", "2026-11-20") for n in (1, 2, 3))
    rows = parse(page(first, second), page(second, third))
    assert rows["notice_id"].to_list() == ["2026-1", "2026-2", "2026-3"]
    label = Document("a", RETRIEVED, is_bundled=False)
    landed = federal_register.parse_together(
        [(page(first, second), label), (page(second, third), label)]
    )
    assert landed["notices"]["notice_id"].to_list() == ["2026-1", "2026-2", "2026-3"]


# The publisher's own answers.


@needs_shared
def test_stored_answers_are_read() -> None:
    payloads = {file.stem: file.read_bytes() for file in PAYLOADS.iterdir()}
    both = parse(payloads["page1_with_cursor_SYNTHETIC"], payloads["page2_last_SYNTHETIC"])
    assert both.select("notice_id", "issuer", "kind", "corrects").rows() == [
        ("2026-13124", "Industry and Security Bureau", "rule", None),
        ("2026-14001", "Industry and Security Bureau", "notice", None),
        ("C1-2026-13124", "Industry and Security Bureau", "correction", "2026-13124"),
    ]
    suspension = parse(payloads["documents_bis_SYNTHETIC"]).row(0, named=True)
    assert suspension["notice_id"] == "2025-19846"
    assert suspension["words"] == ["end-user controls"]
    assert parse(payloads["documents_page_REAL_trimmed"]).height == 1
    assert parse(payloads["documents_empty_FIXTURE"]).height == 0
    assert parse(payloads["empty_without_results_SYNTHETIC"]).height == 0
    for name in ("unblock_page_200_SYNTHETIC", "error_404_SYNTHETIC", "error_400_SYNTHETIC"):
        with pytest.raises(UpstreamFormatError):
            parse(payloads[name])
