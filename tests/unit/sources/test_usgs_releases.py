"""ScienceBase: from the search for the data releases to the table of the newest edition."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from dagster_project.errors import UpstreamFormatError
from dagster_project.sources import usgs_mcs, usgs_releases
from dagster_project.sources.card import Answer, Done, Instead, Request, Scope
from tests.conftest import SHARED, needs_shared

PAYLOADS = SHARED / "payloads" / "usgs_mcs"
TABLE = b"a,b\n1,2\n"
MD5 = hashlib.md5(TABLE).hexdigest()
CHILDREN = Request(
    "x", ("json",), context={"step": "children", "page": "1", "edition": "2026", "id": "696a"}
)
PARENT = Request("x", ("json",), context={"step": "edition", "edition": "2027", "id": "0000"})


def first_request() -> Request:
    (extract,) = usgs_mcs.plan([], Scope())
    (request,) = extract.requests
    return request


def answer(tmp_path: Path, body: bytes) -> Answer:
    file = tmp_path / "answer"
    file.write_bytes(body)
    return Answer("content", 200, file)


def after(tmp_path: Path, request: Request, content: object) -> Request:
    """The one request that an answer leads to; the answer itself is dropped."""
    step = usgs_mcs.follow(request, answer(tmp_path, json.dumps(content).encode()))
    assert isinstance(step, Instead)
    (following,) = step.requests
    return following


def refusal(tmp_path: Path, request: Request, body: bytes) -> str:
    with pytest.raises(UpstreamFormatError) as caught:
        usgs_mcs.follow(request, answer(tmp_path, body))
    return str(caught.value)


def titled(*titles: str) -> Mapping[str, Sequence[Mapping[str, str]]]:
    return {"items": [{"id": f"id {title}", "title": title} for title in titles]}


def file(name: str, **more: Any) -> Mapping[str, Any]:
    return {"name": name, "url": f"https://www.sciencebase.gov/catalog/file/get/1?f={name}", **more}


EDITIONS = tuple(f"Mineral Commodity Summaries {year} Data Release" for year in range(2022, 2028))


@pytest.mark.parametrize(
    ("titles", "chosen"),
    [
        (EDITIONS, EDITIONS[-1]),
        (EDITIONS[::-1], EDITIONS[-1]),
        (
            ("U.S. Geological Survey Mineral Commodity Summaries 2025 Data Release "
             "(ver. 2.0, April 2025)", "Mineral Commodity Summaries 2024 Data Release"),
            "U.S. Geological Survey Mineral Commodity Summaries 2025 Data Release "
            "(ver. 2.0, April 2025)",
        ),
        # Neither single commodities nor the tables of an edition are the edition.
        (
            ("Mineral Commodity Summaries 2027 Data Release - Cobalt",
             "Mineral Commodity Summaries 2028 Data Release - Commodity Salient Statistics",
             "Data of the Mineral Commodity Summaries 2029 Data Release", EDITIONS[4]),
            EDITIONS[4],
        ),
        (
            (f"{EDITIONS[4]} (ver. 1.1, February 2026)", f"{EDITIONS[4]} (ver. 2.0, May 2026)",
             EDITIONS[4]),
            f"{EDITIONS[4]} (ver. 2.0, May 2026)",
        ),
    ],
)  # fmt: skip
def test_the_newest_edition_is_chosen_by_its_title(
    titles: Sequence[str], chosen: str, tmp_path: Path
) -> None:
    children = after(tmp_path, first_request(), titled(*titles))
    assert children.params["parentId"] == f"id {chosen}"
    assert children.context["edition"] in chosen


def test_the_newest_edition_may_be_on_a_later_page_of_the_search(tmp_path: Path) -> None:
    following = "https://www.sciencebase.gov/catalog/items?q=x&offset=50"
    page_1 = {**titled(EDITIONS[4]), "nextlink": {"rel": "next", "url": following}}
    second = after(tmp_path, first_request(), page_1)
    assert second.url == following
    assert after(tmp_path, second, titled(EDITIONS[5])).params["parentId"] == f"id {EDITIONS[5]}"
    # It stays the one of the first page where the second has none.
    assert after(tmp_path, second, titled("x")).params["parentId"] == f"id {EDITIONS[4]}"


def test_a_search_without_end_ends(tmp_path: Path) -> None:
    page = {**titled(EDITIONS[4]), "nextlink": {"url": "https://www.sciencebase.gov/more"}}
    request = first_request()
    for number in range(2, usgs_releases.MOST_PAGES + 1):
        request = after(tmp_path, request, page)
        assert request.context["page"] == f"{number}"
    with pytest.raises(UpstreamFormatError, match="more than 6 pages"):
        after(tmp_path, request, page)


@pytest.mark.parametrize(("year", "is_refused"), [(2025, True), (2024, False), (None, False)])
def test_an_edition_older_than_that_of_the_lake_is_refused(
    year: int | None, is_refused: bool, tmp_path: Path
) -> None:
    """Output of 2025 is printed in the edition of 2026; the search finds that of 2025."""
    scope = Scope(held_through=date(year, 1, 1) if year else None)
    (extract,) = usgs_releases.plan([], scope)
    if is_refused:
        with pytest.raises(UpstreamFormatError, match="that of 2025, and that of 2026 is known"):
            after(tmp_path, extract.requests[0], titled(EDITIONS[3]))
    else:
        assert (
            after(tmp_path, extract.requests[0], titled(EDITIONS[3])).context["edition"] == "2025"
        )


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (titled("Yale stocks"), "ScienceBase finds no data release of an edition."),
        (titled(*EDITIONS[:3]),
         "the newest edition that ScienceBase finds is that of 2024, an archive of one CSV per "
         "commodity, which is bundled and not fetched."),
        ({"errors": "busy"}, "the answer of ScienceBase has no list of items."),
        ({"items": ["x"]}, "the answer of ScienceBase has no list of items."),
        ([], "the JSON of ScienceBase is not an object."),
    ],
)  # fmt: skip
def test_a_search_that_leads_nowhere_is_an_error(
    content: object, sentence: str, tmp_path: Path
) -> None:
    body = json.dumps(content).encode()
    assert refusal(tmp_path, first_request(), body).startswith(f"usgs_mcs: {sentence}")
    assert "cut or damaged" in refusal(tmp_path, first_request(), body[:-1])


@pytest.mark.parametrize(
    ("edition", "names", "table"),
    [
        ("2026", ["MCS2026_Fig3_Major_Import_Sources.csv", "MCS2026_Commodities_Data.csv"],
         "MCS2026_Commodities_Data.csv"),
        ("2027", ["mcs2027_commodities_data.CSV"], "mcs2027_commodities_data.CSV"),
        ("2025", ["MCS2025_Commodities_Data.csv", "MCS2025_World_Data.csv"],
         "MCS2025_World_Data.csv"),
    ],
)  # fmt: skip
def test_the_table_is_chosen_by_its_name_among_the_files(
    edition: str, names: Sequence[str], table: str, tmp_path: Path
) -> None:
    request = replace(CHILDREN, context={**CHILDREN.context, "edition": edition})
    items = {"items": [{"title": "no files"}, {"files": [file(name) for name in names]}]}
    found = after(tmp_path, request, items)
    assert (found.url, found.expects) == (file(table)["url"], ("csv",))
    assert found.context["md5"] == ""


def test_without_a_child_that_has_the_table_the_edition_itself_is_asked(tmp_path: Path) -> None:
    parent = after(tmp_path, CHILDREN, {"items": []})
    assert (parent.url, parent.params["format"]) == ("catalog/item/696a", "json")
    table = after(tmp_path, parent, {"files": [file("MCS2026_Commodities_Data.csv")]})
    assert table.url.endswith("?f=MCS2026_Commodities_Data.csv")


def test_the_table_may_be_on_a_later_page_of_children(tmp_path: Path) -> None:
    link = "https://www.sciencebase.gov/catalog/items?parentId=696a&offset=50"
    second = after(tmp_path, CHILDREN, {"items": [{}], "nextlink": {"url": link}})
    assert second.url == link
    table = after(tmp_path, second, {"items": [{"files": [file("X_Commodities_Data.csv")]}]})
    assert table.expects == ("csv",)


def test_a_release_without_the_table_is_a_change_of_layout(
    tmp_path: Path,
) -> None:
    body = json.dumps({"files": [file("MCS2027_Fig1_Minerals_in_Economy.csv")]}).encode()
    assert refusal(tmp_path, PARENT, body).startswith(
        "usgs_mcs: the release of the edition of 2027 has no table of the world among its files: "
        "its layout has changed."
    )


def test_of_two_tables_in_a_release_none_is_guessed(tmp_path: Path) -> None:
    files = [file(f"{part}_Commodities_Data.csv") for part in "BA"]
    body = json.dumps({"items": [{"files": files}]}).encode()
    assert refusal(tmp_path, CHILDREN, body) == (
        "usgs_mcs: the edition of 2026 has several tables: A_Commodities_Data.csv, "
        "B_Commodities_Data.csv."
    )


def test_a_file_without_an_address_is_an_error(tmp_path: Path) -> None:
    body = json.dumps({"items": [{"files": [{"name": "X_Commodities_Data.csv"}]}]}).encode()
    assert refusal(tmp_path, CHILDREN, body) == (
        "usgs_mcs: the edition of 2026 has no address of X_Commodities_Data.csv."
    )


@pytest.mark.parametrize("kind", ["MD5", "md5"])
def test_a_checksum_goes_with_the_request_and_is_verified(kind: str, tmp_path: Path) -> None:
    listed = file("MCS2026_Commodities_Data.csv", checksum={"type": kind, "value": MD5.upper()})
    request = after(tmp_path, CHILDREN, {"items": [{"files": [listed]}]})
    assert usgs_mcs.follow(request, answer(tmp_path, TABLE)) == Done()
    assert refusal(tmp_path, request, TABLE[:-1]) == (
        "usgs_mcs: the file of the edition of 2026 has the MD5 "
        f"{hashlib.md5(TABLE[:-1]).hexdigest()}, and ScienceBase gives {MD5}: it is cut, or just "
        "being replaced."
    )


@pytest.mark.parametrize("checksum", [None, {}, {"type": "SHA-256", "value": "0"}, "x"])
def test_without_a_checksum_that_is_known_none_is_verified(
    checksum: object, tmp_path: Path
) -> None:
    listed = file("MCS2026_Commodities_Data.csv", checksum=checksum)
    request = after(tmp_path, CHILDREN, {"items": [{"files": [listed]}]})
    assert usgs_mcs.follow(request, answer(tmp_path, TABLE)) == Done()


@needs_shared
def test_captured_answers_lead_from_the_search_to_the_table(tmp_path: Path) -> None:
    def read(name: str) -> Any:
        return json.loads((PAYLOADS / name).read_text())

    children = after(tmp_path, first_request(), read("search_items_SYNTHETIC.json"))
    assert children.params["parentId"] == "696a75d5d4be0228872d3bf8"
    table = after(tmp_path, children, read("children_2026_FIXTURE.json"))
    assert table.url == (
        "https://www.sciencebase.gov/catalog/file/get/69837e43b66b01367d7ec7c7?f=fixture"
    )
    assert table.context["md5"] == "36185ff3742087e1dd90c52fe634fe12"
    assert after(tmp_path, PARENT, read("sciencebase_item_FIXTURE.json")).url == table.url
    # The edition itself has other tables, and that of 2027 another layout.
    for name in ("item_2026_parent_FIXTURE.json", "item_2027_layout_changed_SYNTHETIC.json"):
        assert "its layout has changed" in refusal(tmp_path, PARENT, (PAYLOADS / name).read_bytes())
