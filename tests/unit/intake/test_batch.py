"""A document or extract on its way in: what counts, what is rejected, and what stands for it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.errors import (
    BatchRejectedError,
    ConfigurationError,
    ContradictionError,
    KidoError,
    UnknownCodeError,
    UpstreamFormatError,
)
from dagster_project.intake import batch as batches
from dagster_project.intake.batch import RejectedWithChecksError, by_window, digest, in_window
from dagster_project.lake.corrections import corrections
from dagster_project.lake.schemas import LAKE_TABLES, PRICE_QUOTES, TRADE_FLOWS
from dagster_project.lake.scope import DEFAULT_SCOPE, CommodityScope
from dagster_project.sources import ecb
from dagster_project.sources.card import Document, Source, Window
from tests.nightly import times

RETRIEVED = datetime(2026, 10, 30, 16)


def document(name: str = "rates.csv", retrieved_at: datetime = RETRIEVED) -> Document:
    return Document(name, retrieved_at, is_bundled=False)


def source(
    parse: Callable[[bytes, Document, CommodityScope], Mapping[str, pl.DataFrame]],
    tables: tuple[str, ...] = ("price_quotes",),
) -> Source:
    """A made-up source; its parser version is that of the ECB's module."""
    return cast(
        Source,
        SimpleNamespace(CARD=SimpleNamespace(name="lib", tables=tables, lists=()), parse=parse),
    )


def test_a_source_with_corrections_is_read_as_a_whole(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The row that decides on a correction may be in any block."""
    large = cast(Source, SimpleNamespace(**vars(source(lambda *_: {})), parse_blocks=lambda *_: ()))
    size = batches.LARGE_DOCUMENT_BYTES
    assert batches.is_large(large, size)
    assert not batches.is_large(large, size - 1)
    with_one = {"A-1": corrections("usgs_mcs")["USGS-MCS-2023-ND-2021"]}
    monkeypatch.setattr(batches, "corrections", lambda name: with_one)
    assert not batches.is_large(large, size)
    with pytest.raises(ConfigurationError, match="cannot be read block by block"):
        batches.read_large(large, tmp_path / "a.csv", document(), "s1", tmp_path, DEFAULT_SCOPE)


def quotes(*rows: tuple[str, float], vintage_at: datetime = RETRIEVED) -> pl.DataFrame:
    """Yen per euro on days: `("2026-10-29", 175.92)`."""
    return pl.DataFrame(
        {
            "instrument": "EURJPY",
            "price_date": [date.fromisoformat(day) for day, _ in rows],
            "frequency": "D",
            "close": [close for _, close in rows],
            "currency": "JPY",
            "unit": "JPY per EUR",
            "is_provisional": False,
            "vintage_at": vintage_at,
        },
        schema_overrides={"price_date": pl.Date, "close": pl.Float64},
    )


def lines(
    payload: bytes, doc: Document, scope: CommodityScope = DEFAULT_SCOPE
) -> Mapping[str, pl.DataFrame]:
    """A made-up format: a day and a rate per line; a first line `#` alone holds nothing."""
    rows = [line.split(" ") for line in payload.decode().splitlines() if line != "#"]
    frame = quotes(*((day, float(rate)) for day, rate in rows), vintage_at=doc.retrieved_at)
    return {"price_quotes": frame}


LINES = source(lines)


def read(*parts: bytes, of: Source = LINES, is_extract: bool = False) -> batches.Batch:
    return batches.read(
        of, [(part, document()) for part in parts], DEFAULT_SCOPE, is_extract=is_extract
    )


def closes(batch: batches.Batch) -> list[tuple[str, float]]:
    frame = batch.tables["price_quotes"].accepted.sort("price_date", "close")
    return [(f"{day}", close) for day, close in frame.select("price_date", "close").iter_rows()]


# Parts.


def test_the_rows_of_all_parts_are_put_together() -> None:
    batch = read(b"2026-10-28 175.5", b"2026-10-29 175.92\n2026-10-30 175.68")
    assert closes(batch) == [
        ("2026-10-28", 175.5),
        ("2026-10-29", 175.92),
        ("2026-10-30", 175.68),
    ]
    assert batch.rows == 3


def test_rows_that_stand_in_two_parts_alike_count_once() -> None:
    batch = read(b"2026-10-28 175.5\n2026-10-29 175.92", b"2026-10-29 175.92\n2026-10-30 175.68")
    assert [day for day, _ in closes(batch)] == ["2026-10-28", "2026-10-29", "2026-10-30"]


def test_rows_of_parts_retrieved_at_other_times_under_other_names_count_once() -> None:
    batch = batches.read(
        LINES,
        [
            (b"2026-10-29 175.92", document("a.csv")),
            (b"2026-10-29 175.92", document("b.csv", RETRIEVED + timedelta(hours=1))),
        ],
        DEFAULT_SCOPE,
    )
    assert batch.rows == 1
    assert batch.tables["price_quotes"].accepted["document"].to_list() == ["a.csv"]


def test_pages_of_an_answer_that_differ_on_a_figure_are_rejected() -> None:
    pages = [(page, document()) for page in (b"2026-10-29 175.92", b"2026-10-29 175.93")]
    with pytest.raises(RejectedWithChecksError, match=r"lib: rates\.csv: price_quotes:") as caught:
        batches.read(LINES, pages, DEFAULT_SCOPE, is_extract=True)
    failed = [check for check in caught.value.checks["price_quotes"] if check.status == "failed"]
    assert [check.failing_rows for check in failed] == [2]


def test_files_that_differ_on_figures_are_named_with_the_first() -> None:
    parts = [
        (b"2026-10-28 175.10\n2026-10-29 175.92", document("a.csv")),
        (b"2026-10-30 176.50", document("b.csv")),
        (b"2026-10-28 175.11\n2026-10-29 175.93", document("c.csv")),
    ]
    with pytest.raises(ContradictionError) as caught:
        batches.read(LINES, parts, DEFAULT_SCOPE)
    assert str(caught.value) == (
        "lib: a.csv and c.csv differ on 2 rows of price_quotes, first EURJPY 2026-10-28."
    )


def test_a_rejected_batch_names_every_document() -> None:
    parts = [
        (b"2026-10-29 175.92\n2026-10-29 175.93", document("a.csv")),
        (b"2026-10-30 176.50", document("b.csv")),
    ]
    with pytest.raises(BatchRejectedError, match=r"lib: a\.csv \+ b\.csv: price_quotes"):
        batches.read(LINES, parts, DEFAULT_SCOPE)


def test_a_duplicated_row_in_one_document_is_rejected() -> None:
    with pytest.raises(BatchRejectedError):
        read(b"2026-10-29 175.92\n2026-10-29 175.92")


@settings(max_examples=times(at_night=20, by_day=6))
@given(st.data())
def test_however_rows_are_shared_out_among_parts_the_batch_is_the_same(data: Any) -> None:
    days = [f"2026-10-{day:02} {170 + day}" for day in range(1, 13)]
    parts = data.draw(
        st.lists(st.lists(st.sampled_from(days), unique=True, min_size=1), min_size=2, max_size=4)
    )
    covered = sorted({day for part in parts for day in part})
    whole = read("\n".join(covered).encode())
    pieces = read(*("\n".join(part).encode() for part in parts))
    assert closes(pieces) == closes(whole)
    assert digest(pieces.frames("lib-2")) == digest(whole.frames("lib-1"))


def test_rows_bear_their_source_document_and_snapshot() -> None:
    frame = read(b"2026-10-29 175.92").frames("lib-1")["price_quotes"]
    assert frame.select("source", "document", "snapshot_id").row(0) == ("lib", "rates.csv", "lib-1")
    assert frame.columns == list(PRICE_QUOTES.columns)


def test_tables_with_lists_in_their_columns_are_put_together_too() -> None:
    table = LAKE_TABLES["restriction_clauses"]
    clause = {name: [None] for name in table.columns if name not in ("source", "document")}
    clause |= {
        "measure_id": ["CN-2024-46"],
        "clause_id": ["CN-2024-46-2"],
        "title": ["Ban"],
        "implementer_iso3": ["CHN"],
        "direction": ["restrict"],
        "announced_date": [date(2024, 12, 3)],
        "date_precision": ["day"],
        "known_at": [date(2024, 12, 3)],
        "target_iso3": ["USA"],
        "target_class": ["economy"],
        "target_names": [["Acme", "Bolt"]],
        "evidence_class": ["official"],
        "is_provisional": [False],
        "vintage_at": [RETRIEVED],
    }
    frame = pl.DataFrame(clause).drop("snapshot_id")
    conformed = [
        frame.with_columns(source=pl.lit("lib"), document=pl.lit(name)) for name in ("a", "b")
    ]
    assert batches._merge(table, conformed, is_extract=False).height == 1


# Extracts.


def test_an_extract_without_parts_has_every_table_of_the_card_without_rows() -> None:
    two = source(lines, ("price_quotes", "trade_flows"))
    batch = read(of=two, is_extract=True)
    assert {name: table.accepted.height for name, table in batch.tables.items()} == {
        "price_quotes": 0,
        "trade_flows": 0,
    }
    assert batch.rows == 0
    for name, frame in batch.frames("lib-1").items():
        assert frame.columns == list(LAKE_TABLES[name].columns)


def test_an_extract_may_hold_no_rows_and_a_document_may_not() -> None:
    assert read(b"#", is_extract=True).rows == 0
    with pytest.raises(BatchRejectedError):
        read(b"#")


def test_an_extract_of_which_one_part_holds_nothing_is_whole() -> None:
    batch = read(b"#", b"2026-10-29 175.92", is_extract=True)
    assert closes(batch) == [("2026-10-29", 175.92)]


# Rows quarantined.


def test_a_few_invalid_rows_are_quarantined_and_the_rest_goes_on() -> None:
    good = [f"{date(2026, 1, 1) + timedelta(days=day)} 170.5" for day in range(40)]
    batch = read("\n".join([*good, "2026-10-29 -1"]).encode())
    table = batch.tables["price_quotes"]
    assert (table.accepted.height, table.quarantined.height) == (40, 1)
    assert table.quarantined["row_number"].to_list() == [41]
    assert table.quarantined["close"].to_list() == [-1.0]


def test_many_invalid_rows_reject_the_batch() -> None:
    with pytest.raises(BatchRejectedError, match="would be quarantined"):
        read(b"2026-10-28 175.5\n2026-10-29 -1")


def test_the_record_reports_what_came_in_and_under_which_rules() -> None:
    good = [f"{date(2026, 1, 1) + timedelta(days=day)} 170.5" for day in range(40)]
    payload = "\n".join([*good, "2026-10-29 -1"]).encode()

    batch = read(payload)
    record = batch.record(cast(Source, ecb), batch.frames("lib-1"))
    table = record.tables["price_quotes"]
    assert (table.rows, table.quarantined) == (40, 1)
    assert table.suite_version
    assert record.parser_version
    assert len(table.checks) == len(batch.tables["price_quotes"].checks)


# What a parse stumbles on.


def failing_with(error: BaseException) -> Source:
    def parse(payload: bytes, doc: Document, scope: CommodityScope) -> Mapping[str, pl.DataFrame]:
        raise error

    return source(parse)


@pytest.mark.parametrize(
    ("error", "output"),
    [
        (
            ValueError("could not\n  convert: 'x'"),
            "lib: rates.csv cannot be read (ValueError: could not convert: 'x').",
        ),
        (KeyError("data"), "lib: rates.csv cannot be read (KeyError: 'data')."),
        (ZeroDivisionError(), "lib: rates.csv cannot be read (ZeroDivisionError: )."),
        (
            pl.exceptions.ColumnNotFoundError("no column 'a'"),
            "lib: rates.csv cannot be read (ColumnNotFoundError: no column 'a').",
        ),
        (MemoryError(), "lib: rates.csv cannot be read (MemoryError: )."),
        (RecursionError("too deep"), "lib: rates.csv cannot be read (RecursionError: too deep)."),
        (
            pl.exceptions.PanicException("index out of bounds"),
            "lib: rates.csv cannot be read (PanicException: index out of bounds).",
        ),
    ],
)
def test_whatever_a_parser_stumbles_on_becomes_one_sentence(
    error: BaseException, output: str
) -> None:
    with pytest.raises(UpstreamFormatError) as caught:
        read(b"...", of=failing_with(error))
    assert str(caught.value) == output


def test_a_long_error_is_cut_and_stays_on_one_line() -> None:
    with pytest.raises(UpstreamFormatError) as caught:
        read(b"...", of=failing_with(ValueError("x\n" * 5000)))
    assert len(str(caught.value)) < 300
    assert "\n" not in str(caught.value)


def test_a_sentence_of_the_source_gets_the_name_of_the_document() -> None:
    error = UpstreamFormatError("lib: the last line (line 3) is cut.", hint="Fetch it again.")
    with pytest.raises(UpstreamFormatError) as caught:
        read(b"...", of=failing_with(error))
    assert str(caught.value) == "lib: rates.csv: the last line (line 3) is cut. Fetch it again."


def test_a_sentence_that_names_the_document_is_left_as_it_is() -> None:
    error = UnknownCodeError("lib: rates.csv: 'XQZ' is in no list.", hint="Add it.")
    with pytest.raises(UnknownCodeError) as caught:
        read(b"...", of=failing_with(error))
    assert caught.value is error


def test_the_kind_of_a_sentence_is_kept() -> None:
    with pytest.raises(UnknownCodeError, match=r"lib: rates\.csv: 'XQZ' is in no list\."):
        read(b"...", of=failing_with(UnknownCodeError("lib: 'XQZ' is in no list.")))


def test_another_sentence_of_ours_goes_through() -> None:
    with pytest.raises(ConfigurationError, match="no such list"):
        read(b"...", of=failing_with(ConfigurationError("no such list.")))


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(1)])
def test_someone_who_stops_the_run_is_heard(error: BaseException) -> None:
    with pytest.raises(type(error)):
        read(b"...", of=failing_with(error))


@pytest.mark.parametrize("payload", [b"", b" \r\n\t\n"])
@pytest.mark.parametrize("is_extract", [True, False])
def test_an_empty_part_is_named(payload: bytes, is_extract: bool) -> None:
    with pytest.raises(UpstreamFormatError, match=r"^lib: rates\.csv is empty\.$"):
        read(b"2026-10-29 175.92", payload, is_extract=is_extract)


@settings(max_examples=times(at_night=60, by_day=15))
@given(st.binary(max_size=60))
def test_any_bytes_end_in_rows_or_in_one_sentence(payload: bytes) -> None:
    for each in (LINES, cast(Source, ecb)):
        output = ""
        try:
            read(payload, of=each)
        except KidoError as error:
            output = str(error)
        assert len(output.splitlines()) <= 1


# Windows.


def year(number: int) -> Window:
    return Window("A", date(number, 1, 1))


def month(number: int, of: int) -> Window:
    return Window("M", date(number, of, 1))


def flows(*periods: tuple[str, date]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "frequency": [frequency for frequency, _ in periods],
            "period_start": [start for _, start in periods],
        }
    )


def inside(frame: pl.DataFrame, table: str, window: Window) -> list[int]:
    return frame.with_row_index().filter(in_window(LAKE_TABLES[table], window))["index"].to_list()


def test_a_year_of_flows_is_the_annual_rows_of_that_year() -> None:
    frame = flows(
        ("A", date(2024, 1, 1)),
        ("M", date(2024, 1, 1)),
        ("M", date(2024, 12, 1)),
        ("A", date(2023, 1, 1)),
        ("A", date(2025, 1, 1)),
    )
    assert inside(frame, "trade_flows", year(2024)) == [0]
    assert inside(frame, "trade_flows", month(2024, 1)) == [1]
    assert inside(frame, "trade_flows", month(2024, 12)) == [2]
    assert inside(frame, "trade_flows", month(2024, 2)) == []


def test_a_window_of_prices_holds_its_first_day_and_not_the_one_after_its_last() -> None:
    days = [date(2024, 1, 31), date(2024, 2, 1), date(2024, 2, 29), date(2024, 3, 1)]
    frame = pl.DataFrame({"price_date": days, "frequency": "D"})
    assert inside(frame, "price_quotes", month(2024, 2)) == [1, 2]
    assert inside(frame, "price_quotes", year(2024)) == [0, 1, 2, 3]
    assert inside(frame, "price_quotes", year(2023)) == []


def test_a_december_ends_with_the_year() -> None:
    frame = pl.DataFrame({"price_date": [date(2024, 12, 31), date(2025, 1, 1)], "frequency": "D"})
    assert inside(frame, "price_quotes", month(2024, 12)) == [0]


@pytest.mark.parametrize(
    "table",
    [
        name
        for name, table in LAKE_TABLES.items()
        if table.period and table.columns[table.period].dtype == pl.Int32
    ],
)
def test_a_window_of_a_table_by_year_is_that_year(table: str) -> None:
    period = LAKE_TABLES[table].period or ""
    frame = pl.DataFrame({period: [2023, 2024, 2025]}, schema={period: pl.Int32})
    assert inside(frame, table, year(2024)) == [1]


@pytest.mark.parametrize("table", [name for name, one in LAKE_TABLES.items() if one.period])
def test_every_table_with_a_period_can_be_parted_by_window(table: str) -> None:
    by = by_window({table: LAKE_TABLES[table].empty()}, [year(2024), month(2024, 5)])
    assert {window: {name: frame.height for name, frame in frames.items()}
            for window, frames in by.items()} == {
        year(2024): {table: 0}, month(2024, 5): {table: 0},
    }  # fmt: skip


def test_rows_are_parted_by_window_and_tables_without_a_period_left_out() -> None:
    frames = {
        "price_quotes": read(b"2026-09-30 170\n2026-10-01 171\n2026-10-02 172").frames("lib-1")[
            "price_quotes"
        ],
        "milestones": LAKE_TABLES["milestones"].empty(),
    }
    by = by_window(frames, [month(2026, 9), month(2026, 10), month(2026, 11)])
    assert [list(tables) for tables in by.values()] == [["price_quotes"]] * 3
    assert [tables["price_quotes"].height for tables in by.values()] == [1, 2, 0]


# The digest.

BASE = quotes(("2026-10-28", 175.5), ("2026-10-29", 175.92), ("2026-10-30", 175.68))


def conformed(frame: pl.DataFrame, snapshot_id: str = "lib-1", doc: str = "a") -> pl.DataFrame:
    return PRICE_QUOTES.conform(
        frame.with_columns(
            source=pl.lit("lib"), document=pl.lit(doc), snapshot_id=pl.lit(snapshot_id)
        )
    )


@given(st.permutations(range(3)))
def test_the_digest_does_not_depend_on_the_order_of_rows(order: list[int]) -> None:
    plain = digest({"price_quotes": conformed(BASE)})
    assert digest({"price_quotes": conformed(BASE[order])}) == plain


def test_the_digest_does_not_depend_on_when_and_where_rows_came_from() -> None:
    later = BASE.with_columns(vintage_at=pl.lit(RETRIEVED + timedelta(days=1)))
    assert digest({"price_quotes": conformed(later, "lib-2", "b")}) == digest(
        {"price_quotes": conformed(BASE)}
    )


def test_the_digest_does_not_depend_on_the_order_of_tables() -> None:
    quoted, traded = conformed(BASE), TRADE_FLOWS.empty()
    assert digest({"price_quotes": quoted, "trade_flows": traded}) == digest(
        {"trade_flows": traded, "price_quotes": quoted}
    )


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("instrument", "EURUSD"),
        ("price_date", date(2026, 10, 27)),
        ("frequency", "M"),
        ("close", 175.50000000000003),
        ("close", None),
        ("adjusted_close", 0.0),
        ("currency", None),
        ("currency", ""),
        ("unit", "JPY per EUR "),
        ("is_provisional", True),
    ],
)
def test_the_digest_depends_on_every_value(column: str, value: object) -> None:
    frame = conformed(BASE)
    changed = frame.with_columns(
        pl.when(pl.int_range(pl.len()) == 0)
        .then(pl.lit(value, frame.schema[column]))
        .otherwise(pl.col(column))
        .alias(column)
    )
    assert digest({"price_quotes": changed}) != digest({"price_quotes": frame})


def test_missing_and_empty_and_zero_are_three_things() -> None:
    frame = conformed(BASE)
    digests = {
        digest({"price_quotes": frame.with_columns(currency=pl.lit(value, pl.String))})
        for value in (None, "", "0")
    } | {
        digest({"price_quotes": frame.with_columns(adjusted_close=pl.lit(value, pl.Float64))})
        for value in (0.0, 1e-300)
    }
    assert len(digests) == 5


def test_the_digest_depends_on_how_often_a_row_stands_there_and_which_rows_belong_together() -> (
    None
):
    frame = conformed(BASE)
    swapped = frame.with_columns(close=pl.col("close").reverse())
    assert (
        len(
            {
                digest({"price_quotes": one})
                for one in (frame, frame[:2], pl.concat([frame, frame[:1]]), swapped, frame[:0])
            }
        )
        == 5
    )


def test_the_digest_distinguishes_tables() -> None:
    frame = pl.DataFrame({"a": [1]})
    assert digest({"one": frame}) != digest({"two": frame})
    assert digest({}) != digest({"one": frame[:0]})


def test_the_digest_distinguishes_lists() -> None:
    lists: Iterable[list[str] | None] = (["a", "b"], ["b", "a"], ["ab"], ["a,b"], ["a"], [], None)
    frames = [pl.DataFrame({"names": [one]}, schema={"names": pl.List(pl.String)}) for one in lists]
    assert len({digest({"t": frame}) for frame in frames}) == 7


VALUES = st.one_of(
    st.none(), st.text("ab,\"\n\r ;|'", max_size=4), st.sampled_from(["null", "1", "1.0"])
)


@given(
    st.lists(st.tuples(VALUES, VALUES), min_size=1, max_size=4),
    st.lists(st.tuples(VALUES, VALUES), min_size=1, max_size=4),
    st.randoms(use_true_random=False),
)
def test_two_digests_are_equal_exactly_where_the_rows_are(
    one: list[tuple[str | None, str | None]],
    other: list[tuple[str | None, str | None]],
    chance: random.Random,
) -> None:
    def frame(rows: list[tuple[str | None, str | None]]) -> pl.DataFrame:
        return pl.DataFrame(rows, schema={"a": pl.String, "b": pl.String}, orient="row")

    shuffled = chance.sample(one, len(one))
    assert digest({"t": frame(one)}) == digest({"t": frame(shuffled)})
    same = sorted(map(repr, one)) == sorted(map(repr, other))
    assert (digest({"t": frame(one)}) == digest({"t": frame(other)})) is same


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(allow_nan=False))
def test_two_numbers_have_the_same_digest_only_where_they_are_the_same(
    one: float, other: float
) -> None:
    digests = [digest({"t": pl.DataFrame({"a": [value]})}) for value in (one, other)]
    assert (digests[0] == digests[1]) is (repr(one) == repr(other))
