"""Global Trade Alert: what is asked, how pages are followed, and how interventions are read."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from dagster_project.errors import UpstreamFormatError
from dagster_project.lake.schemas import NOTICES
from dagster_project.lake.vocabulary import commodity_codes
from dagster_project.sources import gta
from dagster_project.sources.card import Answer, Document, Done, More, Request, Scope
from tests.conftest import SHARED, needs_shared
from tests.fakes.gta import intervention

RETRIEVED = datetime(2026, 11, 28, 6, 30)
DOCUMENT = Document("interventions.json", RETRIEVED, is_bundled=False)
PAYLOADS = SHARED / "payloads" / "gta"


def notices(content: Any) -> pl.DataFrame:
    return gta.parse(json.dumps(content).encode(), DOCUMENT)["notices"]


def notice(**fields: Any) -> dict[str, Any]:
    return notices([intervention(4711, **fields)]).row(0, named=True)


def asked(request: Request) -> dict[str, Any]:
    assert request.body is not None
    content: dict[str, Any] = json.loads(request.body)
    return content


def first(**scope: Any) -> Request:
    (extract,) = gta.plan((), Scope(**scope))
    (request,) = extract.requests
    return request


def step(content: object, tmp_path: Path, offset: int = 0) -> Done | More:
    file = tmp_path / "answer"
    file.write_text(json.dumps(content))
    found = gta.follow(gta._page(date(2008, 11, 1), offset), Answer("content", 200, file))
    assert isinstance(found, Done | More)
    return found


def test_the_first_fetch_asks_for_exports_since_2008() -> None:
    body = asked(first())
    assert (body["limit"], body["offset"]) == (1000, 0)
    assert body["sorting"] == ["-last_updated"]
    wanted = body["request_data"]
    assert wanted["update_period"] == ["2008-11-01", None]
    assert wanted["affected_flow"] == [2]
    assert wanted["intervention_types"] == [18, 19, 20, 21, 35, 37, 63, 74]
    assert wanted["keep_implementation_na"] is wanted["keep_revocation_na"] is True
    assert {280530, 250490, 850511} <= set(wanted["affected_products"])
    assert len(wanted["affected_products"]) == len(commodity_codes())


def test_a_later_fetch_asks_for_updates_with_eight_days_of_overlap() -> None:
    (extract,) = gta.plan((), Scope(known_until=date(2026, 11, 20)))
    assert extract.document == "interventions-updated-from-2026-11-12.json"
    (request,) = extract.requests
    assert asked(request)["request_data"]["update_period"] == ["2026-11-12", None]


def test_codes_that_are_asked_do_not_depend_on_the_scope() -> None:
    assert first(commodity_codes=("280530",)).body == first().body


def test_the_key_is_a_placeholder_in_a_header() -> None:
    request = first()
    assert request.method == "POST"
    assert request.headers["Authorization"] == "APIKey {key}"
    assert "{key}" not in (request.body or "")


@pytest.mark.parametrize("is_nested", [False, True])
def test_a_full_page_is_followed_by_the_next_one(tmp_path: Path, is_nested: bool) -> None:
    rows = [intervention(number) for number in range(1000)]
    content = {"count": 5000, "results": [rows]} if is_nested else rows
    more = step(content, tmp_path, offset=12_000)
    assert isinstance(more, More)
    body = asked(more.requests[0])
    assert body["offset"] == 13_000
    assert body["request_data"]["update_period"] == ["2008-11-01", None]


def test_a_short_page_is_the_last_one(tmp_path: Path) -> None:
    assert step([intervention(1)], tmp_path) == Done()
    assert step([], tmp_path, offset=2000) == Done()
    assert step({"count": 1, "results": [[intervention(1)]]}, tmp_path) == Done()


def test_short_pages_are_followed_while_more_rows_are_counted(tmp_path: Path) -> None:
    content = {"count": 501, "next": None, "results": [intervention(n) for n in range(500)]}
    more = step(content, tmp_path)
    assert isinstance(more, More)
    assert asked(more.requests[0])["offset"] == 500
    with pytest.raises(UpstreamFormatError, match="500 of 501 interventions were sent"):
        step({"count": 501, "results": []}, tmp_path, offset=500)


def test_an_intervention_is_a_notice_with_the_day_it_was_published() -> None:
    row = notice(
        title="China: Export bans on gallium (8112.92)",
        products=[280530],
        intervention_description=[
            {"description": "<p>On 4&nbsp;April, the <b>ministry</b></p>\r\n<p>acted.</p>"},
            {"text": "It names germanium &amp; 2846.90."},
        ],
        state_act_source=[
            {"source": "Ministry of Commerce. Announcement No. 18 of 2025: https://x\r\n\r\n"
             "Federal Register 90 FR 57078"}
        ],
    )  # fmt: skip
    assert row["notice_id"] == "4711"
    assert row["published_at"] == date(2025, 4, 7)
    assert (row["issuer"], row["kind"]) == ("Global Trade Alert", "intervention")
    assert row["summary"] == "On 4 April, the ministry acted. It names germanium & 2846.90."
    assert row["implementer_iso3"] == "CHN"
    assert row["acts"] == ["90 FR 57078", "MOFCOM 2025-18"]
    assert row["minerals"] == ["gallium", "germanium"]
    assert row["hs6_codes"] == ["280530", "284690", "811292"]
    assert row["vintage_at"] == RETRIEVED


def test_a_leading_zero_is_put_back_and_bare_numbers_are_codes() -> None:
    assert notice(products=[12190, 280530])["hs6_codes"] == ["012190", "280530"]
    assert notice(affected_products=[12190, 280530])["hs6_codes"] == ["012190", "280530"]


def test_without_a_day_of_publication_that_of_the_announcement_counts() -> None:
    assert notice(date_published=None)["published_at"] == date(2025, 4, 4)
    row = notice(date_published=None, date_announced="")
    assert row["published_at"] is None


@pytest.mark.parametrize(
    ("jurisdictions", "economy"),
    [
        ([{"id": 156, "name": "China", "iso": "CHN"}], "CHN"),
        ([{"id": 699, "name": "India", "iso": None}], "IND"),
        ([{"id": 251, "name": "France"}], "FRA"),
        ([{"id": 840, "name": "United States of America"}], "USA"),
        ([{"id": 40, "iso": "AUT"}, {"id": 56, "iso": "BEL"}], None),
        ([{"id": 1049, "name": "European Union", "iso": "EU"}], None),
        ([{"id": 1049}], None),
        ([{"id": 9999, "iso": "ZZZ"}], None),
        (None, None),
        ("China", None),
        ([], None),
    ],
)
def test_one_implementer_is_named_by_its_code_or_number(
    jurisdictions: object, economy: str | None
) -> None:
    row = notice(implementing_jurisdictions=jurisdictions)
    assert row["implementer_iso3"] == economy


@pytest.mark.parametrize(
    ("broken", "named"),
    [
        ({"affected_products": [{"product_id": None}]}, "affected_products"),
        ({"affected_products": [28053010]}, "affected_products"),
        ({"affected_products": [None, 280530]}, "affected_products"),
        ({"affected_products": [{"product_id": ""}]}, "affected_products"),
        ({"affected_products": "all"}, "affected_products"),
        ({"implementing_jurisdictions": [{"id": 9999, "iso": "ZZZ"}]},
         "implementing_jurisdictions"),
        ({"date_published": "soon"}, "date_published"),
        ({"date_published": None, "date_announced": 7}, "date_announced"),
        ({"state_act_title": " "}, "state_act_title"),
        ({"intervention_id": None}, "intervention_id"),
        ({"intervention_url": 7, "affected_products": None}, ""),
    ],
)  # fmt: skip
def test_a_broken_intervention_is_counted_and_loses_no_other(
    broken: dict[str, Any], named: str, tmp_path: Path
) -> None:
    good, bad = intervention(1), {**intervention(4711, "A CANARY"), **broken}
    rows = notices([good, bad])
    assert rows["notice_id"].to_list() == ["1", "4711"]
    assert rows.head(1).equals(notices([good]))
    assert set(rows["hs6_codes"][1]) <= {"280530"}
    done = step([good, bad], tmp_path)
    sentence = f"1 intervention without a valid value of {named}." if named else ""
    assert done == Done(sentence)


def test_a_list_and_pages_of_results_have_the_same_rows() -> None:
    rows = [intervention(1), intervention(2, "Indonesia: Export ban on nickel ore")]
    bare = notices(rows)
    assert bare.height == 2
    for results in (rows, [rows], [[rows[0]], [rows[1]]]):
        assert notices({"count": 2, "next": None, "results": results}).equals(bare)


def test_rows_fit_the_lake_also_when_there_are_none() -> None:
    for rows in ([], [intervention(1)]):
        frame = notices(rows).with_columns(document=pl.lit("d"), snapshot_id=pl.lit("s"))
        assert NOTICES.conform(frame).height == len(rows)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"detail": "Access denied"}, "no list of interventions"),
        ([1], "no object"),
        ([{"intervention_id": None, "state_act_title": "T"}], "no number"),
    ],
)
def test_another_layout_is_rejected_in_a_sentence(content: Any, message: str) -> None:
    with pytest.raises(UpstreamFormatError, match=message):
        notices(content)


def test_a_sentence_on_a_missing_number_is_short() -> None:
    broken = intervention(1, intervention_id="none " * 20_000, intervention_url=None)
    with pytest.raises(UpstreamFormatError) as raised:
        notices([broken])
    assert raised.value.message.startswith("gta: an intervention has no number ('none none ")
    assert raised.value.message.endswith("…).")
    assert len(raised.value.message) < 400


def test_a_number_in_an_address_has_any_length() -> None:
    """Python makes no number of more than 4,300 digits."""
    named = notice(intervention_id=None, intervention_url=f"/intervention/00{'9' * 5000}")
    assert named["notice_id"] == "9" * 5000


def test_a_page_or_a_cut_answer_is_never_an_empty_list() -> None:
    for payload, message in (
        (b"<html></html>", "HTML page"),
        (b"[{", "cut or no JSON"),
        (b"[" * 100_000, "cut or no JSON"),
    ):
        with pytest.raises(UpstreamFormatError, match=message):
            gta.parse(payload, DOCUMENT)


@needs_shared
def test_the_documented_examples_are_read() -> None:
    for file, number, codes in (
        ("v2_data_response_barelist_SYNTHETIC.json", "999001", ["280530", "284690"]),
        ("v2_data_response_paginated_SYNTHETIC.json", "999001", ["280530", "284690"]),
        ("openapi_v2_full_example_REALDOC.json", "138295", ["292149", "292229", "292429"]),
        ("openapi_v2_basic_example_REALDOC.json", "138295", ["292149", "292229", "292429"]),
    ):
        (row,) = gta.parse((PAYLOADS / file).read_bytes(), DOCUMENT)["notices"].to_dicts()
        assert (row["notice_id"], row["hs6_codes"]) == (number, codes), file
        assert "<" not in (row["summary"] or "")
