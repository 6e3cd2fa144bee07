"""Price files that a person lands, in the one layout of two sources (docs/price-files.md)."""

from __future__ import annotations

import re
from datetime import date, datetime

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.errors import UpstreamFormatError
from dagster_project.lake.schemas import PRICE_QUOTES
from dagster_project.lake.vocabulary import traded
from dagster_project.quality.runner import evaluate_batch
from dagster_project.quality.suites import LAKE_SUITES
from dagster_project.sources import exchange_prices, price_files, rare_earth_prices
from dagster_project.sources.card import Document, Source
from dagster_project.sources.registry import source_named
from tests.conftest import CHECKOUT, SHARED, needs_shared

RETRIEVED = datetime(2026, 11, 2, 9, 30)
LANDED = Document("prices.csv", RETRIEVED, is_bundled=False)
RARE_EARTHS, EXCHANGES = source_named("rare_earth_prices"), source_named("exchange_prices")

COLUMNS = (
    "price_date,product_code,product_name,purity,basis,incoterm,location,currency,unit,"
    "low,high,mid,vat_included,source,source_licence,source_ref,received_at"
)
NDPR = (
    "2026-09-22,NDPR_OX,Oxide,>=99%,spot,EXW,China,CNY,t,545000,550000,547500,true,SMM,"
    "licensed-internal-only,row 12,2026-09-23T00:10:00Z"
)
DY = (
    "2026-09-22,DY_OX,Oxide,>=99.5%,spot,FOB,China,USD,kg,255,265,,false,ARGUS,"
    "licensed-internal-only,row 7,2026-09-23T00:10:00Z"
)
TB = (
    "2026-09-22,TB_OX,Oxide,>=99.99%,spot,CIF,Rotterdam,USD,kg,,-,N/A,false,ASIANMETAL,"
    "licensed-internal-only,row 3,2026-09-23T00:10:00Z"
)
SHORT = "price_date,product_code,currency,unit,low,high,mid,vat_included,source,source_licence"


def file_of(*rows: str, columns: str = COLUMNS) -> bytes:
    return "\n".join([columns, *rows, ""]).encode()


def parse(payload: bytes, source: Source = RARE_EARTHS) -> pl.DataFrame:
    return source.parse(payload, LANDED)["price_quotes"]


def refusal(payload: bytes, source: Source = RARE_EARTHS) -> str:
    with pytest.raises(UpstreamFormatError) as caught:
        parse(payload, source)
    return str(caught.value)


# Rows.


def test_a_price_is_the_mid_or_the_middle_and_none_makes_no_row() -> None:
    rows = parse(file_of(NDPR, DY, TB))
    assert rows.select("instrument", "close", "currency", "unit").rows() == [
        ("DY_OX_FOB_CHINA", 260.0, "USD", "USD per kg, spot, >=99.5%, ARGUS"),
        ("NDPR_OX_EXW_CHINA", 547500.0, "CNY", "CNY per t, with VAT, spot, >=99%, SMM"),
    ]
    assert rows["price_date"].unique().to_list() == [date(2026, 9, 22)]
    assert rows["frequency"].unique().to_list() == ["D"]
    assert rows["vintage_at"].unique().to_list() == [RETRIEVED]


def test_instruments_of_the_example_are_listed_and_rows_fit_the_lake() -> None:
    rows = parse(file_of(NDPR, DY)).with_columns(
        document=pl.lit("prices.csv"), snapshot_id=pl.lit("s")
    )
    rows = PRICE_QUOTES.conform(rows)
    verdict = evaluate_batch(rows, LAKE_SUITES["price_quotes"])
    assert not verdict.is_rejected, verdict.reason
    assert verdict.accepted.height == 2


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (",true,", ",false,"),
        (",CNY,", ",USD,"),
        (",t,545000", ",kg,545000"),
        (",spot,", ",contract,"),
        (",>=99%,", ",>=99.9%,"),
        (",SMM,", ",ARGUS,"),
        (",EXW,", ",FOB,"),
    ],
    ids=["tax", "currency", "unit", "basis", "grade", "assessor", "place"],
)
def test_two_bases_are_never_one_series(old: str, new: str) -> None:
    series = {
        (row["instrument"], row["unit"])
        for text in (NDPR, NDPR.replace(old, new))
        for row in parse(file_of(text)).iter_rows(named=True)
    }
    assert len(series) == 2


def test_columns_are_found_by_name_and_some_may_be_missing() -> None:
    names, cells = COLUMNS.split(","), NDPR.split(",")
    backwards = file_of(",".join(reversed(cells)), columns=",".join(reversed(names)))
    assert parse(backwards).equals(parse(file_of(NDPR)))
    row = "2026-09-22,NDPR_OX_EXW_CHINA,CNY,t,,,547500,TRUE,SMM,own"
    (unit,) = parse(file_of(row, columns=SHORT))["unit"]
    assert unit == "CNY per t, with VAT, SMM"


@pytest.mark.parametrize(
    ("row", "instrument", "unit"),
    [
        ("2026-09-22,6762.T,JPY,share,,,1990,false,TSE,own", "6762.T", "JPY per share, TSE"),
        ("2026-09-22,TOPIX,,index,,,3100.5,false,JPX,own", "TOPIX", "index points, JPX"),
        ("2026-09-22,COPPER,USD,t,,,9800,false,LME,own", "COPPER", "USD per t, LME"),
    ],
)
def test_a_close_of_an_exchange_is_of_a_share_an_index_or_a_metal(
    row: str, instrument: str, unit: str
) -> None:
    found = parse(file_of(row, columns=SHORT), EXCHANGES).row(0, named=True)
    assert (found["instrument"], found["unit"]) == (instrument, unit)
    assert found["currency"] == (row.split(",")[2] or None)
    assert "is not a unit" in refusal(file_of(row.replace(",t,", ",share,"), columns=SHORT))


# What is refused.


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("545000,550000,547500", "551000,550000,", "has a low above its high"),
        ("545000,550000,547500", "545000,550000,560000", "has a mid outside of low and high"),
        ("545000", "0", "'NDPR_OX_EXW_CHINA 2026-09-22 low: 0' is not a price above 0"),
        ("547500", "1e999", "is not a price above 0"),
        ("547500", "n.a.", "mid: n.a.' is not a price above 0"),
        ("2026-09-22", "22/09/2026", "'22/09/2026' is not a day like 2026-10-30"),
        (",true,", ",13%,", "'13%' does not say whether value-added tax is included"),
        (",true,", ",,", "does not say whether value-added tax is included"),
        (",CNY,", ",RMB¥,", "is not a currency like CNY"),
        (",t,545000", ",ton,545000", "'ton' is not a unit (kg, t, lb)"),
        (",spot,", ",tender,", "'tender' is not a basis (spot, contract)"),
        (",SMM,", ",,", "has no source"),
        ("licensed-internal-only", "", "has no source_licence"),
        ("NDPR_OX", "", "is not a product code"),
    ],
)
def test_an_invalid_cell_is_named_in_one_sentence(old: str, new: str, words: str) -> None:
    said = refusal(file_of(NDPR.replace(old, new), DY))
    assert said.startswith("rare_earth_prices: ")
    assert words in said
    assert said.endswith("The layout is described in docs/price-files.md.")


def test_two_prices_of_a_day_are_refused_although_their_units_differ() -> None:
    said = refusal(file_of(NDPR, NDPR.replace(",SMM,", ",ARGUS,")))
    assert "'NDPR_OX_EXW_CHINA 2026-09-22' has two prices of one day" in said


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        (b"", "is empty"),
        (b"<html></html>", "HTML page"),
        (file_of(), "a header and no rows"),
        (file_of(NDPR, columns=COLUMNS.replace("vat_included", "vat")), "missing: vat_included"),
        (file_of(NDPR)[:-20], "is cut"),
        ("price_date\n".encode("utf-16"), "UTF-16"),
    ],
)
def test_another_file_is_refused_in_one_sentence(payload: bytes, words: str) -> None:
    assert words in refusal(payload)


@given(st.integers(0, len(file_of(NDPR, DY))))
def test_a_cut_file_is_refused_or_ends_with_a_whole_line(length: int) -> None:
    payload = file_of(NDPR, DY)
    try:
        rows = parse(payload[:length])
    except UpstreamFormatError:
        return
    whole = parse(payload)
    assert rows.join(whole, on=["instrument", "price_date", "close", "unit"]).height == rows.height


# The page that describes the layout.


def test_the_page_describes_each_column_and_word_of_the_layout() -> None:
    page = (CHECKOUT / "docs" / "price-files.md").read_text("utf8")
    described = re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)
    assert sorted(described) == sorted((*price_files.REQUIRED, *price_files.OPTIONAL))
    for word in (*price_files.BASES, *rare_earth_prices.UNITS, *exchange_prices.UNITS):
        assert f"`{word}`" in page


def test_the_example_of_the_page_can_be_landed() -> None:
    page = (CHECKOUT / "docs" / "price-files.md").read_text("utf8")
    (example,) = re.findall(r"```csv\n(.*?)```", page, re.DOTALL)
    rows = parse(example.encode())
    assert rows.height >= 2
    assert set(rows["instrument"]) <= set(traded())


def test_neither_source_may_be_passed_on_fetched_or_bundled() -> None:
    for source in (RARE_EARTHS, EXCHANGES):
        card = source.CARD
        assert not card.is_redistributable
        assert (card.bundled, card.base_url) == ((), None)


@needs_shared
def test_the_contract_of_the_layout_is_read() -> None:
    folder = SHARED / "payloads" / "byo_prices"
    rows = parse((folder / "rare_earth_prices_contract_SYNTHETIC.csv").read_bytes())
    assert rows.select("instrument", "close").rows() == [
        ("DY_OX_FOB_CHINA", 260.0),
        ("NDPR_OX_EXW_CHINA", 547500.0),
    ]
