"""The Consolidated Screening List: whose rows are kept, and how a listing is read."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.errors import UpstreamFormatError
from dagster_project.lake.schemas import NOTICES
from dagster_project.sources import screening_list
from dagster_project.sources.card import Document
from dagster_project.sources.catalogue.company_names import company_names
from dagster_project.sources.screening_list import comparable_name, excerpt
from tests.conftest import SHARED, needs_shared
from tests.fakes.screening_list import COLUMNS, UNVERIFIED, csv_of, listing, person

DOCUMENT = Document("consolidated.csv", datetime(2026, 11, 28, 14), is_bundled=False)

PERSONS = [person(number, f"CANARY PERSON {number}") for number in range(20)]
TDK = listing(
    100,
    "TDK Corporation",
    federal_register_notice="90 F.R. 12345 03/28/2025; 89 F.R. 100 01/02/2024",
    start_date="2025-03-28",
    license_requirement="For all items of gallium (8112.92)",
    source_list_url="http://bis.example",
    addresses="1 CANARY Street, Tokyo, JP",
    remarks="Director: CANARY DIRECTOR",
)
SUBARU = listing(101, "Example Holding", source=UNVERIFIED, alt_names="EH; SUBARU CORP.")
STRANGER = listing(102, "TDK Trading Partners Ltd.", alt_names="Not TDK; TDK Subsidiary")
ROWS = [*PERSONS, TDK, STRANGER, SUBARU]


def notices(rows: Sequence[Mapping[str, str]], columns: Sequence[str] = COLUMNS) -> pl.DataFrame:
    return screening_list.parse(csv_of(rows, columns), DOCUMENT)["notices"]


def test_the_companies_are_those_of_both_files_of_the_catalogue() -> None:
    names = company_names()
    assert {"TDK", "SUBARU", "Mitsubishi Materials"} <= set(names)
    assert len(names) == len(set(names)) > 60
    assert not {"military", "unnamed"} & set(names)


def test_a_listing_of_a_company_is_a_notice() -> None:
    row, other = notices(ROWS).to_dicts()
    assert row["notice_id"] == TDK["_id"]
    assert (row["title"], row["company"]) == ("TDK Corporation", "TDK")
    assert row["published_at"] == date(2025, 3, 28)
    assert row["issuer"] == "Entity List (EL) - Bureau of Industry and Security"
    assert (row["kind"], row["implementer_iso3"]) == ("listing", "USA")
    assert row["acts"] == ["89 FR 100", "90 FR 12345"]
    assert row["url"] == "http://bis.example"
    assert (row["minerals"], row["hs6_codes"]) == (["gallium"], ["811292"])
    assert (other["title"], other["company"]) == ("SUBARU CORP.", "SUBARU")
    assert other["published_at"] is None
    assert (other["url"], other["acts"]) == (None, [])


def test_an_excerpt_has_no_person_address_or_remark() -> None:
    kept = excerpt(csv_of(ROWS))
    assert b"CANARY" not in kept
    assert STRANGER["name"].encode() not in kept
    assert kept.count(b"\n") == 3


def test_rows_are_the_same_from_the_file_and_its_excerpt() -> None:
    kept = excerpt(csv_of(ROWS))
    assert screening_list.parse(kept, DOCUMENT)["notices"].equals(notices(ROWS))
    assert excerpt(kept) == kept


def test_columns_may_be_in_any_order() -> None:
    columns = list(COLUMNS)
    random.Random(7).shuffle(columns)
    assert columns != list(COLUMNS)
    assert notices(ROWS, [*columns, "a_new_one"]).equals(notices(ROWS))
    assert excerpt(csv_of(ROWS, columns)) == excerpt(csv_of(ROWS))


@pytest.mark.parametrize("column", screening_list.COLUMNS)
def test_a_missing_column_is_named(column: str) -> None:
    payload = csv_of(ROWS, [name for name in COLUMNS if name != column])
    for read in (excerpt, lambda content: screening_list.parse(content, DOCUMENT)):
        with pytest.raises(UpstreamFormatError, match=f"missing: {column}"):
            read(payload)


def test_a_person_with_the_name_of_a_company_is_not_kept() -> None:
    assert notices([person(1, "TDK")]).is_empty()


@pytest.mark.parametrize("column", screening_list.COLUMNS_OF_PERSONS)
def test_a_person_is_recognised_on_a_list_without_types(column: str) -> None:
    canary = listing(1, "CANARY PERSON", alt_names="TDK", **{column: "1960"})
    assert notices([canary]).is_empty()
    assert b"CANARY" not in excerpt(csv_of([canary, TDK]))


def test_of_the_names_of_a_listing_only_the_companys_is_kept() -> None:
    rows = [
        listing(1, "CANARY PERSON", alt_names="CANARY ALIAS; TDK Corp.; CANARY OTHER"),
        listing(2, "SUBARU", alt_names="CANARY DIRECTOR; Subaru Corporation"),
    ]
    assert b"CANARY" not in excerpt(csv_of(rows))
    read = notices(rows)
    assert read.select("title", "company").rows() == [("TDK Corp.", "TDK"), ("SUBARU", "SUBARU")]
    # An excerpt of earlier, with all names, is read alike.
    assert screening_list.parse(csv_of(rows, screening_list.COLUMNS), DOCUMENT)["notices"].equals(
        read
    )


def test_no_company_on_the_list_means_no_notice_and_no_error() -> None:
    frame = notices(PERSONS).with_columns(document=pl.lit("d"), snapshot_id=pl.lit("s"))
    assert frame.is_empty()
    assert NOTICES.conform(frame).schema == NOTICES.polars_schema
    assert "no company" in screening_list.CARD.without_rows


@pytest.mark.parametrize(
    ("name", "other", "is_same"),
    [
        ("TDK", "T.D.K. Corporation", True),
        ("TDK", "TDK Co., Ltd.", True),
        ("TDK", "TDK株式会社", True),
        ("MITSUI E&S", "Mitsui E and S Co Ltd", True),
        ("The Fujikura Parachute", "FUJIKURA-PARACHUTE CO LTD", True),
        ("TDK", "TDK Lambda", False),
        ("Tokin", "To Kin", False),
        ("IHI Aerospace", "IHI", False),
    ],
)
def test_names_are_compared_without_case_marks_and_form(
    name: str, other: str, is_same: bool
) -> None:
    assert (comparable_name(name) == comparable_name(other)) is is_same


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        (b"<!DOCTYPE html><html>CANARY</html>", "HTML page"),
        (b"", "empty"),
        (b"\xef\xbb\xbf", "the file is empty"),
        (b'{"results": [{"name": "CANARY"}]}', "missing"),
        (csv_of(ROWS)[:-20].rpartition(b",")[0], "cut or damaged"),
        (csv_of(ROWS) + b'1,"CANARY', "cut or damaged"),
        (csv_of(ROWS) + b"CANARY,CANARY\n", "row 25 does not contain the 29 values"),
        (csv_of([listing(1, "TDK", start_date="CANARY")]), "start_date of the listing of TDK"),
        (csv_of([{**listing(1, "TDK"), "_id": ""}]), "has no _id"),
    ],
)  # fmt: skip
def test_another_file_is_rejected_and_none_of_it_is_quoted(payload: bytes, message: str) -> None:
    with pytest.raises(UpstreamFormatError, match=message) as caught:
        screening_list.parse(payload, DOCUMENT)
    assert "CANARY" not in str(caught.value)


@given(order=st.permutations(range(len(ROWS))))
def test_the_order_of_rows_changes_nothing(order: Sequence[int]) -> None:
    shuffled: list[dict[str, Any]] = [ROWS[number] for number in order]
    assert notices(shuffled).sort("notice_id").equals(notices(ROWS).sort("notice_id"))


@needs_shared
def test_the_published_layout_is_read() -> None:
    payload = (SHARED / "payloads" / "csl" / "consolidated_SYNTHETIC.csv").read_bytes()
    assert screening_list.parse(payload, DOCUMENT)["notices"].is_empty()
    named = payload.replace(b"ERM Ltd", b"TDK")
    (row,) = screening_list.parse(named, DOCUMENT)["notices"].to_dicts()
    assert row["title"] == "TDK"
    assert (row["company"], row["acts"]) == ("TDK", ["90 FR 12345"])
