"""Files that are not text in UTF-8: how they are recognised, and the messages."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import get_args
from zoneinfo import ZoneInfo

import numpy as np
import openpyxl
import polars as pl
import pytest

from dagster_project.errors import UpstreamFormatError
from dagster_project.sources.card import Kind
from dagster_project.sources.formats import (
    gunzip,
    header_of,
    looks_like,
    read_sheet,
    read_text_table,
    require_text,
    unzip_member,
    utc_naive,
)
from dagster_project.sources.limits import FREE_BYTES, LONGEST_FIELD, MOST_COLUMNS

OLD_WORKBOOK = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)
SAVE = "Save it as CSV in UTF-8."


def refusal(payload: bytes, *reads: str) -> str:
    with pytest.raises(UpstreamFormatError) as caught:
        require_text(payload, source="a_source", reads=reads or ("CSV",), hint="Look there.")
    return str(caught.value)


def workbook(*sheets: str) -> bytes:
    book = openpyxl.Workbook()
    for place, name in enumerate(sheets):
        sheet = book.create_sheet(name, place)
        sheet.append([f"sheet {place}"])
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_text_in_utf_16_is_reported_with_and_without_its_mark(encoding: str) -> None:
    text = "date,usd\n2026-10-30,1.1172\n"
    assert refusal(f"\ufeff{text}".encode(encoding)) == (
        f"a_source: the file is text in UTF-16. {SAVE}"
    )
    assert refusal(text.encode(encoding)) == (
        f"a_source: the file has NUL bytes: it is text in UTF-16, or not text. {SAVE}"
    )


def test_a_nul_byte_far_into_a_file_is_reported_as_well() -> None:
    payload = b"a,b\n" + b"1,2\n" * 5000 + b"1,\0\n"
    assert refusal(payload).startswith("a_source: the file has NUL bytes")


def test_a_workbook_of_the_old_kind_is_to_be_saved_as_what_the_source_reads() -> None:
    what = "a_source: the file is an Excel workbook of the old kind (.xls)."
    assert refusal(OLD_WORKBOOK) == f"{what} {SAVE}"
    assert refusal(OLD_WORKBOOK, "workbook", "CSV") == f"{what} Save it as .xlsx."


def test_bytes_of_another_encoding_are_reported_with_their_place() -> None:
    assert refusal("Tönsberg".encode("latin-1")) == (
        f"a_source: the file is not UTF-8 text (byte 1). {SAVE}"
    )


@pytest.mark.parametrize(
    ("reads", "expected"),
    [(("CSV",), "CSV"), (("zip archive", "CSV"), "a zip archive or CSV"),
     (("Stata file", "workbook", "CSV"), "a Stata file, workbook or CSV")],
)  # fmt: skip
def test_an_html_page_is_reported_with_all_that_the_source_reads(
    reads: tuple[str, ...], expected: str
) -> None:
    assert refusal(b"<!DOCTYPE html>", *reads) == (
        f"a_source: HTML page where {expected} was expected. Look there."
    )


def test_a_byte_order_mark_of_utf_8_is_no_part_of_the_text() -> None:
    assert require_text("\ufeffa,é\n".encode(), source="a_source") == "a,é\n"


def test_other_columns_are_reported_with_the_hint_where_the_file_should_be_from() -> None:
    with pytest.raises(UpstreamFormatError) as caught:
        read_text_table(b"a,c\n1,2\n", source="a_source", required=["a", "b"], hint="Look there.")
    assert str(caught.value) == "a_source: columns missing: b; not known: c. Look there."


def test_of_two_sheets_whose_names_differ_in_blanks_the_exact_one_is_read() -> None:
    payload = workbook("Prices ", "Prices", "Other")
    assert read_sheet(payload, "Prices", source="a_source").item() == "sheet 1"
    assert read_sheet(payload, " PRICES", source="a_source").item() == "sheet 0"


@pytest.mark.parametrize(
    ("members", "sentence"),
    [
        (
            ["a.csv", "folder/a.dta"],
            "it contains a.csv, folder/a.dta. Unpack it and land folder/a.dta.",
        ),
        (["a.pdf"], "it contains a.pdf."),
        ([], "it contains nothing."),
    ],
)
def test_an_archive_that_is_no_workbook_is_reported_with_what_it_holds(
    members: list[str], sentence: str
) -> None:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for member in members:
            archive.writestr(member, "text")
    with pytest.raises(UpstreamFormatError) as caught:
        read_sheet(written.getvalue(), None, source="a_source")
    assert str(caught.value) == f"a_source: the zip archive is not a workbook, {sentence}"


# How much a document may hold.


def wide(columns: int) -> bytes:
    header = ",".join(f"c{number}" for number in range(columns))
    return f"{header}\n{',' * (columns - 1)}\n".encode()


def test_a_table_may_be_as_wide_as_the_limit_and_no_wider() -> None:
    read = partial(read_text_table, source="a_source", required=["c0"], others=True)
    assert read(wide(MOST_COLUMNS)).width == 1
    with pytest.raises(UpstreamFormatError) as caught:
        read(wide(MOST_COLUMNS + 1))
    assert str(caught.value) == (
        "a_source: the table has 1,001 columns, more than the 1,000 that are read."
    )


def test_a_value_may_be_as_long_as_a_cell_and_no_longer() -> None:
    read = partial(read_text_table, source="a_source", required=["a"])
    longest = "ü" * LONGEST_FIELD
    assert read(f"a\n{longest}\n".encode()).item() == longest
    with pytest.raises(UpstreamFormatError, match="a value has 32,768 characters"):
        read(f"a\n{longest}x\n".encode())


@pytest.mark.parametrize("payload", [b"a,b\r1,2\r", b"a,b\r1,2", b"a,b\r1,2\r\n"])
def test_lines_that_end_in_carriage_returns_alone_are_reported(payload: bytes) -> None:
    with pytest.raises(UpstreamFormatError) as caught:
        read_text_table(payload, source="a_source", required=["a", "b"])
    assert str(caught.value) == (
        "a_source: the lines end in carriage returns only. Save it with the line ends of Windows "
        "or Unix."
    )


def test_line_ends_of_windows_and_quotes_are_no_part_of_the_names() -> None:
    assert header_of(b'\xef\xbb\xbf"A", b ,\r\n1,2,\r\n', source="a_source") == ["a", "b", ""]
    assert header_of(b"a\tb", source="a_source", separator="\t") == ["a", "b"]


def test_blank_rows_below_a_sheet_and_formats_of_blank_cells_are_no_rows() -> None:
    book = openpyxl.Workbook()
    assert book.active is not None
    book.active.append(["a", 1])
    book.active.append([None, None])
    book.active.append(["b", 2])
    for row in (4, 5, 90_000):
        book.active.cell(row, 1).number_format = "0.00"
    written = io.BytesIO()
    book.save(written)
    table = read_sheet(written.getvalue(), None, source="a_source")
    assert table.rows() == [("a", "1"), (None, None), ("b", "2")]


def zipped(content: bytes) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", content)
    return written.getvalue()


@pytest.mark.parametrize("size", [FREE_BYTES, FREE_BYTES + 1])
def test_what_packs_like_nothing_but_repetition_is_small_or_refused(size: int) -> None:
    payload = zipped(bytes(size))
    if size == FREE_BYTES:
        assert unzip_member(payload, "a.csv", source="a_source") == bytes(size)
        assert gunzip(gzip.compress(bytes(size)), source="a_source") == bytes(size)
        return
    with pytest.raises(UpstreamFormatError, match="unpacks to 16 MiB, more than any table does"):
        unzip_member(payload, "a.csv", source="a_source")
    with pytest.raises(UpstreamFormatError, match="unpacks to more than 16 MiB"):
        gunzip(gzip.compress(bytes(size)), source="a_source")


def test_a_large_table_of_figures_unfolds() -> None:
    chance, count = np.random.default_rng(8), 550_000
    figures = [chance.lognormal(3, 3, count).round(3) for _ in range(2)]
    numbers = [chance.integers(highest, size=count) for highest in (900, 900, 10**6)]
    rows = pl.DataFrame([np.full(count, 2024), *numbers, *figures]).write_csv(None).encode()
    assert len(rows) > FREE_BYTES
    assert unzip_member(zipped(rows), "a.csv", source="a_source") == rows
    assert gunzip(gzip.compress(rows, compresslevel=1), source="a_source") == rows


# What the first bytes may be.


KINDS: Mapping[str, bytes] = {
    "csv": b"\xef\xbb\xbfdate,usd\n",
    "tsv": b"date\tusd\n",
    "json": b'\n {"count": 0}',
    "html": b"\r\n<!DOCTYPE html>",
    "xml": b"<?xml version='1.0'?><a/>",
    "zip": b"PK\x03\x04rest",
    "xlsx": b"PK\x03\x04rest",
    "gzip": b"\x1f\x8b\x08rest",
    "text": b"Out of quota.",
}
ALSO = {
    ("csv", "tsv"), ("csv", "text"), ("tsv", "csv"), ("tsv", "text"), ("text", "csv"),
    ("text", "tsv"), ("zip", "xlsx"), ("xlsx", "zip"), ("json", "text"), ("html", "text"),
    ("xml", "html"), ("xml", "text"),
}  # fmt: skip
"""Kinds that the first bytes do not determine: tables in text, and archives."""


@pytest.mark.parametrize("kind", get_args(Kind))
def test_the_first_bytes_tell_what_an_answer_may_be(kind: Kind) -> None:
    for name, payload in KINDS.items():
        assert looks_like(payload, kind) is (name == kind or (name, kind) in ALSO), name


@pytest.mark.parametrize("kind", get_args(Kind))
def test_nothing_is_of_no_kind_and_bytes_of_a_number_are_no_text(kind: Kind) -> None:
    assert not looks_like(b"", kind)
    assert not looks_like(b" \r\n ", kind)
    assert not looks_like(b"\0\1\2\3", kind)


def test_every_kind_a_request_may_expect_is_recognised() -> None:
    assert set(get_args(Kind)) == set(KINDS)


def test_a_gzip_file_is_unpacked_and_one_that_is_cut_is_refused() -> None:
    packed = gzip.compress(b"a,b\n1,2\n" * 100, mtime=0)
    assert gunzip(packed, source="a_source") == b"a,b\n1,2\n" * 100
    for damaged in (packed[:-9], packed[: len(packed) // 2], packed[:10] + b"\0" * 20):
        with pytest.raises(UpstreamFormatError, match="a_source"):
            gunzip(damaged, source="a_source")


def test_an_instant_is_kept_in_utc_without_a_zone() -> None:
    tokyo = datetime(2026, 1, 1, 8, tzinfo=ZoneInfo("Asia/Tokyo"))
    assert utc_naive(tokyo) == datetime(2025, 12, 31, 23)
    assert utc_naive(datetime(2026, 1, 1, 8)) == datetime(2026, 1, 1, 8)
