"""The ECB's reference rates: its zip, its CSV and our bundled table say the same."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.errors import UpstreamFormatError
from dagster_project.lake.schemas import PRICE_QUOTES
from dagster_project.settings import BUNDLED
from dagster_project.sources import ecb
from dagster_project.sources.card import Document, Scope
from tests.conftest import SHARED, needs_shared
from tests.fakes.ecb import COLUMNS, ROWS, history_csv, history_zip

FOLDER = BUNDLED / "ecb"
RETRIEVED = datetime(2026, 11, 1, 9, 30)
FETCHED = Document("eurofxref-hist.zip", RETRIEVED, is_bundled=False)
FROM_THE_PROJECT = Document("reference_rates.csv", datetime(2026, 10, 30), is_bundled=True)

# The rows of the fake, worked by hand: the renminbi has no rate before 2005-04-01.
EXPECTED = {
    ("EURUSD", date(2026, 10, 30)): 1.1172,
    ("EURUSD", date(2026, 10, 29)): 1.113,
    ("EURUSD", date(2005, 4, 1)): 1.2959,
    ("EURUSD", date(2005, 3, 31)): 1.2964,
    ("EURUSD", date(1999, 1, 4)): 1.1789,
    ("EURJPY", date(2026, 10, 30)): 175.68,
    ("EURJPY", date(2026, 10, 29)): 175.92,
    ("EURJPY", date(2005, 4, 1)): 139.07,
    ("EURJPY", date(2005, 3, 31)): 138.44,
    ("EURJPY", date(1999, 1, 4)): 133.73,
    ("EURCNY", date(2026, 10, 30)): 7.4326,
    ("EURCNY", date(2026, 10, 29)): 7.4144,
    ("EURCNY", date(2005, 4, 1)): 10.7255,
}


def parse(payload: bytes, document: Document = FETCHED) -> pl.DataFrame:
    return ecb.parse(payload, document)["price_quotes"]


def closes(quotes: pl.DataFrame) -> Mapping[tuple[str, date], float]:
    return {(row["instrument"], row["price_date"]): row["close"] for row in quotes.to_dicts()}


@pytest.fixture(scope="module")
def bundled() -> pl.DataFrame:
    return parse((FOLDER / "reference_rates.csv").read_bytes(), FROM_THE_PROJECT)


@pytest.mark.parametrize("payload", [history_zip(), history_csv()], ids=["zip", "csv"])
def test_the_publishers_history_becomes_one_row_per_instrument_and_quoted_day(
    payload: bytes,
) -> None:
    quotes = parse(payload)
    assert closes(quotes) == EXPECTED
    assert quotes.height == len(EXPECTED)


def test_a_quote_reports_what_it_is_of_and_when_it_was_retrieved() -> None:
    quote: dict[str, Any] = parse(history_zip()).row(0, named=True)
    assert quote == {
        "source": "ecb",
        "instrument": "EURCNY",
        "price_date": date(2005, 4, 1),
        "edition": None,
        "frequency": "D",
        "close": 10.7255,
        "adjusted_close": None,
        "currency": "CNY",
        "unit": "CNY per EUR",
        "is_provisional": False,
        "vintage_at": RETRIEVED,
    }


def test_the_frame_fits_the_lake_once_its_provenance_is_added() -> None:
    quotes = parse(history_zip()).with_columns(
        document=pl.lit("eurofxref-hist.zip"), snapshot_id=pl.lit("ecb-1")
    )
    assert PRICE_QUOTES.conform(quotes).schema == PRICE_QUOTES.polars_schema


def test_a_time_of_retrieval_with_a_zone_is_kept_in_utc() -> None:
    tokyo = datetime(2026, 11, 1, 18, 30, tzinfo=timezone(timedelta(hours=9)))
    quotes = parse(history_zip(), Document("h.zip", tokyo, is_bundled=False))
    assert quotes["vintage_at"].unique().to_list() == [RETRIEVED]
    quotes = parse(history_zip(), Document("h.zip", RETRIEVED.replace(tzinfo=UTC), False))
    assert quotes["vintage_at"].unique().to_list() == [RETRIEVED]


def test_a_bundled_rate_counts_from_its_own_day(bundled: pl.DataFrame) -> None:
    assert (bundled["vintage_at"] == bundled["price_date"].cast(pl.Datetime("us"))).all()


def test_the_bundled_rates_are_the_published_ones(bundled: pl.DataFrame) -> None:
    rates = closes(bundled)
    assert rates["EURJPY", date(2026, 10, 30)] == 175.68
    assert rates["EURUSD", date(2026, 10, 30)] == 1.1172
    assert rates["EURCNY", date(2026, 10, 30)] == 7.4326
    assert rates["EURUSD", date(1999, 1, 4)] == 1.1789
    assert rates["EURJPY", date(1999, 1, 4)] == 133.73


def test_the_bundled_rates_span_the_euro_without_a_weekend(bundled: pl.DataFrame) -> None:
    spans = {
        instrument: (days.min(), days.max())
        for (instrument,), group in bundled.group_by("instrument")
        for days in [group["price_date"]]
    }
    last = date(2026, 10, 30)
    assert spans == {
        "EURUSD": (date(1999, 1, 4), last),
        "EURJPY": (date(1999, 1, 4), last),
        "EURCNY": (date(2005, 4, 1), last),
        "EURGBP": (date(1999, 1, 4), last),
    }
    assert bundled["price_date"].dt.weekday().max() == 5
    assert not bundled.select("instrument", "price_date").is_duplicated().any()


def test_every_bundled_line_names_its_source_and_the_days_ascend() -> None:
    table = pl.read_csv(FOLDER / "reference_rates.csv", infer_schema=False)
    assert table.columns == ["date", "usd", "jpy", "cny", "gbp", "figure_source"]
    assert table["figure_source"].unique().to_list() == ["ECB euro reference rate"]
    assert table["date"].is_sorted()
    assert (FOLDER / "reference_rates.csv").stat().st_size < 500_000


def test_the_bundled_files_have_their_origin_written_down() -> None:
    files = yaml.safe_load((FOLDER / "origin.yaml").read_text("utf8"))["files"]
    assert [file["file"] for file in files] == list(ecb.CARD.bundled)
    for word in ("producer", "citation", "licence", "licence_url", "url", "left_out"):
        assert files[0][word]
    assert files[0]["retrieved"] == date(2026, 10, 30)


@needs_shared
def test_the_bundled_rates_equal_the_publishers_file_row_for_row(bundled: pl.DataFrame) -> None:
    payload = (SHARED / "data" / "ecb" / "eurofxref-hist.zip").read_bytes()
    assert parse(payload, FROM_THE_PROJECT).equals(bundled)


@needs_shared
def test_the_bundled_cells_are_printed_as_the_publisher_prints_them() -> None:
    # Independent of the parser: the text of the cells, line by line, oldest day first.
    with zipfile.ZipFile(SHARED / "data" / "ecb" / "eurofxref-hist.zip") as archive:
        lines = archive.read("eurofxref-hist.csv").decode().splitlines()
    at = [lines[0].split(",").index(name) for name in ("Date", "USD", "JPY", "CNY", "GBP")]
    published = [[line.split(",")[place] for place in at] for line in reversed(lines[1:])]
    ours = (FOLDER / "reference_rates.csv").read_text().splitlines()[1:]
    assert [line.split(",")[:5] for line in ours] == [
        ["" if cell == "N/A" else cell for cell in row] for row in published
    ]


@needs_shared
@pytest.mark.parametrize(
    "name", ["eurofxref-hist_REAL_extract.zip", "eurofxref-hist_REAL_extract.csv"]
)
def test_a_captured_extract_is_read(name: str) -> None:
    quotes = parse((SHARED / "payloads" / "ecb" / name).read_bytes())
    assert closes(quotes)["EURUSD", date(2026, 3, 5)] == 1.1618
    assert closes(quotes)["EURCNY", date(2026, 3, 5)] == 8.0177


def test_columns_may_come_in_another_order_and_case() -> None:
    assert closes(parse(b"jpy,cNy,DATE,Usd\n175.68,7.4326,2026-10-30,1.1172\n")) == {
        ("EURCNY", date(2026, 10, 30)): 7.4326,
        ("EURJPY", date(2026, 10, 30)): 175.68,
        ("EURUSD", date(2026, 10, 30)): 1.1172,
    }


def test_windows_line_ends_and_a_byte_order_mark_change_nothing() -> None:
    payload = b"\xef\xbb\xbf" + history_csv().replace(b"\n", b"\r\n")
    assert parse(payload).equals(parse(history_csv()))


def test_a_blank_and_not_available_make_no_row() -> None:
    quotes = parse(b"Date,USD,JPY,CNY,\n2026-10-30,,N/A,7.4326,\n2026-10-29,N/A, ,N/A,\n")
    assert closes(quotes) == {("EURCNY", date(2026, 10, 30)): 7.4326}


def test_a_renminbi_rate_before_its_first_reference_rate_is_not_taken() -> None:
    quotes = parse(b"Date,USD,JPY,CNY,\n2005-03-31,1.2964,138.44,10.7298,\n")
    assert set(quotes["instrument"]) == {"EURUSD", "EURJPY"}


def test_a_file_that_ends_before_the_first_renminbi_rate_may_lack_its_column() -> None:
    quotes = parse(b"Date,USD,JPY,\n2005-03-31,1.2964,138.44,\n")
    assert set(quotes["instrument"]) == {"EURUSD", "EURJPY"}


def test_a_history_whose_renminbi_column_is_renamed_is_refused() -> None:
    payload = history_csv(columns=["CNX" if name == "CNY" else name for name in COLUMNS])
    for refused in (payload, history_zip(payload)):
        with pytest.raises(UpstreamFormatError) as caught:
            parse(refused)
        assert str(caught.value) == f"ecb: columns missing: cny. {WHOSE}"


WHOSE = f"Is it the file of {ecb.CARD.homepage}?"
HEADER = b"Date,USD,JPY,CNY,\n"


@pytest.mark.parametrize(
    ("payload", "sentence"),
    [
        (b"", "ecb: the file is empty."),
        (b" \n", "ecb: the file is empty."),
        (b"<!DOCTYPE html><html></html>", f"ecb: HTML page where CSV was expected. {WHOSE}"),
        (HEADER, "ecb: the file has a header and no rows."),
        (
            b"\x93\x94\xfa,USD\n",
            "ecb: the file is not UTF-8 text (byte 0). Save it as CSV in UTF-8.",
        ),
        (b"Date,USD,JPY,\n2005-04-01,1.3,139,\n", f"ecb: columns missing: cny. {WHOSE}"),
        (b"Day,USD,JPY,\n2026-10-30,1,2,\n", f"ecb: columns missing: date. {WHOSE}"),
        (b"Date,JPY,\n2026-10-30,175.68,\n", f"ecb: columns missing: usd. {WHOSE}"),
        (b"Date,USD,CNY,\n2026-10-30,1.1,7.4,\n", f"ecb: columns missing: jpy. {WHOSE}"),
        (b"Date,USD,JPY,USD,\n2026-10-30,1,2,3,\n", f"ecb: columns duplicated: usd. {WHOSE}"),
        (HEADER + b"2026-10-30,1.1,175.68,seven,\n", "ecb: 'CNY 2026-10-30: seven' is not a rate."),
        (HEADER + b"2026-10-30,1.1172,nan,7.4,\n", "ecb: 'JPY 2026-10-30: nan' is not a rate."),
        (HEADER + b"2026-10-30,inf,175.68,7.4,\n", "ecb: 'USD 2026-10-30: inf' is not a rate."),
        (HEADER + b"30/10/2026,1,2,3,\n", "ecb: '30/10/2026' is not a day like 2026-10-30."),
        (HEADER + b"2026-2-3,1,2,3,\n", "ecb: '2026-2-3' is not a day like 2026-10-30."),
        (HEADER + b"2026-02-30,1,2,3,\n", "ecb: '2026-02-30' is not a day like 2026-10-30."),
        (HEADER + b",1,2,3,\n", "ecb: '' is not a day like 2026-10-30."),
        (
            HEADER + b"2026-10-30,1.1172,175.68,\n2026-10-29,1.113,175.92,7.4144,\n",
            "ecb: line 2 does not contain the 5 values of the header.",
        ),
        (
            HEADER + b"2026-10-30,1.1172,175.68,7.4326,\n2026-10-29,1.113,175",
            "ecb: the last line (line 3) is cut. Fetch or land the file again.",
        ),
        (
            b"date,usd,jpy,cny\n2026-10-30,1.1172,175.68,7.43",
            "ecb: the last line (line 2) is cut. Fetch or land the file again.",
        ),
        (
            history_zip(member="eurofxref.csv"),
            "ecb: the zip archive contains eurofxref.csv, not eurofxref-hist.csv. Land "
            "eurofxref-hist.zip, or the eurofxref-hist.csv inside it.",
        ),
        (history_zip(b""), "ecb: the file is empty."),
        (history_zip(b"<html></html>"), f"ecb: HTML page where CSV was expected. {WHOSE}"),
    ],
)  # fmt: skip
def test_what_is_not_a_history_is_refused_in_one_sentence(payload: bytes, sentence: str) -> None:
    with pytest.raises(UpstreamFormatError) as caught:
        parse(payload)
    assert str(caught.value) == sentence


def test_a_zip_whose_content_was_changed_on_the_way_is_refused() -> None:
    payload = bytearray(history_zip())
    payload[len("eurofxref-hist.csv") + 30 + 20] ^= 0xFF
    with pytest.raises(UpstreamFormatError, match="the zip archive is cut or damaged"):
        parse(bytes(payload))


def test_a_last_line_that_lacks_only_its_line_end_is_whole() -> None:
    assert parse(history_csv().rstrip(b"\n")).equals(parse(history_csv()))


@given(st.permutations(ROWS), st.permutations(range(len(COLUMNS))))
def test_a_permutation_of_rows_and_columns_changes_nothing(
    rows: list[tuple[str, ...]], order: list[int]
) -> None:
    payload = history_csv(
        [[row[place] for place in order] for row in rows], [COLUMNS[place] for place in order]
    )
    assert parse(payload).equals(parse(history_csv()))


@given(st.integers(0, len(history_zip())))
def test_a_cut_zip_is_refused_or_whole(length: int) -> None:
    whole = history_zip()
    try:
        quotes = parse(whole[:length])
    except UpstreamFormatError:
        assert length < len(whole)
    else:
        assert quotes.equals(parse(whole))


@given(st.integers(0, len(history_csv())))
def test_a_cut_csv_is_refused_or_ends_with_a_whole_line(length: int) -> None:
    payload = history_csv()[:length]
    try:
        found = closes(parse(payload))
    except UpstreamFormatError:
        return
    assert payload.rstrip(b"\n").endswith(b",")
    assert found == {key: EXPECTED[key] for key in found}
    assert len({day for _, day in found}) == payload.rstrip(b"\n").count(b"\n")


rate = st.decimals("0.0001", "99999", places=4, allow_nan=False, allow_infinity=False)


@given(
    st.dictionaries(
        st.dates(date(1999, 1, 4), date(2035, 1, 1)),
        st.tuples(st.none() | rate, st.none() | rate, st.none() | rate),
        min_size=1,
        max_size=20,
    )
)
def test_every_printed_rate_comes_out_and_no_other(days: dict[date, tuple[Any, ...]]) -> None:
    rows = [
        (str(day), *("N/A" if cell is None else str(cell) for cell in cells))
        for day, cells in days.items()
    ]
    found = closes(parse(history_zip(history_csv(rows, ("Date", "USD", "JPY", "CNY")))))
    assert found == {
        (f"EUR{currency}", day): float(cell)
        for day, cells in days.items()
        for currency, cell in zip(("USD", "JPY", "CNY"), cells, strict=True)
        if cell is not None and (currency != "CNY" or day >= date(2005, 4, 1))
    }


# The data API.

DATA_ONLY = "KEY,FREQ,CURRENCY,CURRENCY_DENOM,EXR_TYPE,EXR_SUFFIX,TIME_PERIOD,OBS_VALUE"


def series(*observations: tuple[str, str, str], more: Sequence[str] = ()) -> bytes:
    """The API's CSV: currency, day and rate; `more` are further columns with a cell each."""
    names, cells = ("".join(f",{one.split('=')[place]}" for one in more) for place in (0, 1))
    lines = [
        f"EXR.D.{currency}.EUR.SP00.A,D,{currency},EUR,SP00,A,{day},{rate}{cells}"
        for currency, day, rate in observations
    ]
    return "\n".join([DATA_ONLY + names, *lines, ""]).encode()


def test_the_series_of_the_data_api_agree_with_the_history() -> None:
    observations = [
        (currency, row[0], row[COLUMNS.index(currency)])
        for currency in ("CNY", "JPY", "USD")
        for row in reversed(ROWS)
        if row[COLUMNS.index(currency)] != "N/A"
    ]
    quotes = parse(series(*observations))
    assert quotes.equals(parse(history_csv()))
    full = ("OBS_STATUS=A", "OBS_CONF=F", 'TITLE="Yen, US dollar/Euro"')
    assert parse(series(*observations, more=full)).equals(quotes)


@pytest.mark.parametrize("status", ["H", "L", "M", "Q"])
def test_a_day_without_a_rate_makes_no_row(status: str) -> None:
    days = [("USD", "2026-10-30", "1.1172")]
    holidays = [("JPY", "2026-10-30", rate) for rate in ("", "NaN")]
    expected = {("EURUSD", date(2026, 10, 30)): 1.1172}
    assert closes(parse(series(*days, *holidays))) == expected
    marked = series(*days, more=["OBS_STATUS=A"]) + b"".join(
        line + b"\n"
        for line in series(
            ("JPY", "2026-10-30", "175"), more=[f"OBS_STATUS={status}"]
        ).splitlines()[1:]
    )
    assert closes(parse(marked)) == expected


def test_other_series_of_the_data_api_are_dropped() -> None:
    payload = series(("USD", "2026-10-30", "1.1172"), ("CHF", "2026-10-30", "0.93"))
    payload += b"EXR.M.USD.EUR.SP00.A,M,USD,EUR,SP00,A,2026-10,1.12\n"
    payload += b"EXR.D.JPY.EUR.EN00.A,D,JPY,EUR,EN00,A,2026-10-30,99.1\n"
    assert closes(parse(payload)) == {("EURUSD", date(2026, 10, 30)): 1.1172}


@pytest.mark.parametrize(
    ("payload", "sentence"),
    [
        (series(), "ecb: the file has a header and no rows."),
        (series(("CHF", "2026-10-30", "0.93")),
         f"ecb: no row is of a series like EXR.D.USD.EUR.SP00.A. {WHOSE}"),
        (series(("USD", "2026-10-30", "1.1")).replace(b"OBS_VALUE", b"VALUE"),
         f"ecb: columns missing: obs_value. {WHOSE}"),
        (series(("USD", "2026-10", "1.1")), "ecb: '2026-10' is not a day like 2026-10-30."),
        (series(("USD", "2026-10-30", "a")), "ecb: 'USD 2026-10-30: a' is not a rate."),
        (series(("USD", "2026-10-30", "1.1172"))[:-3],
         "ecb: the last line (line 2) is cut. Fetch or land the file again."),
    ],
)  # fmt: skip
def test_what_is_not_of_the_data_api_is_refused_in_one_sentence(
    payload: bytes, sentence: str
) -> None:
    with pytest.raises(UpstreamFormatError) as caught:
        parse(payload)
    assert str(caught.value) == sentence


@needs_shared
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("EXR_csvdata_dataonly_FIXTURE.csv",
         {("EURUSD", date(2026, 10, 2)): 1.1481, ("EURUSD", date(2026, 10, 5)): 1.1502}),
        ("EXR_csvdata_SYNTHETIC_status.csv", {("EURJPY", date(2026, 10, 2)): 171.22}),
    ],
)  # fmt: skip
def test_a_captured_series_is_read(name: str, expected: Mapping[tuple[str, date], float]) -> None:
    assert closes(parse((SHARED / "payloads" / "ecb" / name).read_bytes())) == expected


# What is asked.


def test_without_any_day_the_whole_history_is_asked_for() -> None:
    (extract,) = ecb.plan([], Scope())
    (request,) = extract.requests
    assert ecb.CARD.base_url == "https://www.ecb.europa.eu"
    assert (extract.document, extract.windows) == ("eurofxref-hist.zip", ())
    assert (request.url, request.expects) == ("stats/eurofxref/eurofxref-hist.zip", ("zip",))
    assert not ecb.CARD.needs_key


def test_with_known_days_those_since_a_week_before_are_asked_for() -> None:
    (extract,) = ecb.plan([], Scope(known_until=date(2026, 10, 30)))
    (request,) = extract.requests
    assert extract.document == "exr-from-2026-10-23.csv"
    assert request.url == (
        "https://data-api.ecb.europa.eu/service/data/EXR/D.USD+JPY+CNY+GBP.EUR.SP00.A"
    )
    assert request.params == {
        "format": "csvdata",
        "detail": "dataonly",
        "startPeriod": "2026-10-23",
    }
    assert request.expects == ("csv",)
    assert request.statuses == {404: "nothing"}


def test_rates_are_looked_for_on_business_days_after_they_are_published() -> None:
    calendar = ecb.CARD.calendar
    assert calendar is not None
    assert (calendar.cron, calendar.timezone) == ("30 16 * * 1-5", "Europe/Berlin")
    assert not ecb.CARD.windows


def test_the_bundled_file_is_at_the_path_of_the_card() -> None:
    assert [Path(name) for name in ecb.CARD.bundled if not (FOLDER / name).is_file()] == []
