"""Daily closes as indices: the bundled table, the same a user brings, and what is refused."""

from __future__ import annotations

import csv
import math
import random
from datetime import date, datetime
from typing import Any

import polars as pl
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.errors import UpstreamFormatError
from dagster_project.lake.schemas import PRICE_QUOTES
from dagster_project.quality.runner import evaluate_batch
from dagster_project.quality.suites import LAKE_SUITES
from dagster_project.settings import BUNDLED
from dagster_project.sources import equity_indices
from dagster_project.sources.card import Document
from tests.conftest import SHARED, needs_shared

FOLDER = BUNDLED / "equity_indices"
RETRIEVED = datetime(2027, 2, 1, 9, 30)
LANDED = Document("my_indices.csv", RETRIEVED, is_bundled=False)
FROM_THE_PROJECT = Document("equity_indices.csv", datetime(2026, 8, 6), is_bundled=True)

TABLE = """instrument,date,index
REMX,2026-08-04,100
REMX,2026-08-05,101.25
6762.T,2026-08-04,100
6762.T,2026-08-05,
6762.T,2026-08-06,99.5
"""


def parse(text: str | bytes, document: Document = LANDED) -> pl.DataFrame:
    payload = text.encode() if isinstance(text, str) else text
    return equity_indices.parse(payload, document)["price_quotes"]


@pytest.fixture(scope="module")
def bundled() -> pl.DataFrame:
    return parse((FOLDER / "equity_indices.csv").read_bytes(), FROM_THE_PROJECT)


def test_a_session_becomes_a_row_and_one_without_a_close_none() -> None:
    assert parse(TABLE).select("instrument", "price_date", "close").rows() == [
        ("6762.T", date(2026, 8, 4), 100.0),
        ("6762.T", date(2026, 8, 6), 99.5),
        ("REMX", date(2026, 8, 4), 100.0),
        ("REMX", date(2026, 8, 5), 101.25),
    ]


def test_a_quote_reports_what_it_is_and_when_it_counts_from() -> None:
    quote: dict[str, Any] = parse(TABLE).row(3, named=True)
    assert quote == {
        "source": "equity_indices",
        "instrument": "REMX",
        "price_date": date(2026, 8, 5),
        "edition": None,
        "frequency": "D",
        "close": 101.25,
        "adjusted_close": None,
        "split_ratio": None,
        "currency": None,
        "unit": "index, 2026-08-04 = 100",
        "is_provisional": False,
        "vintage_at": RETRIEVED,
    }
    bundled = parse(TABLE, FROM_THE_PROJECT)
    assert bundled["vintage_at"].to_list() == [
        datetime.combine(day, datetime.min.time()) for day in bundled["price_date"]
    ]


def test_the_unit_names_the_first_day_with_a_close_of_each_instrument() -> None:
    text = TABLE.replace("6762.T,2026-08-04,100", "6762.T,2026-08-04,").replace("99.5", "100")
    units = parse(text).select("instrument", "unit").unique().sort("instrument")
    assert units.rows() == [
        ("6762.T", "index, 2026-08-06 = 100"),
        ("REMX", "index, 2026-08-04 = 100"),
    ]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "equity_indices: the file is empty."),
        ("<html>gone</html>", "equity_indices: HTML page where CSV was expected."),
        ("instrument,date\nREMX,2026-08-04\n", "equity_indices: columns missing: index."),
        (TABLE[:-2], "equity_indices: the last line (line 6) is cut."),
        (
            TABLE.replace("2026-08-06", "6 August"),
            "equity_indices: '6 August' is not a day like 2026-08-05.",
        ),
        (
            TABLE.replace("99.5", "#VALUE!"),
            "equity_indices: '6762.T 2026-08-06: #VALUE!' is not an index above 0.",
        ),
        (
            TABLE.replace("99.5", "-3"),
            "equity_indices: '6762.T 2026-08-06: -3' is not an index above 0.",
        ),
        (
            TABLE.replace("REMX,2026-08-04,100", "REMX,2026-08-04,35.85"),
            "equity_indices: 'REMX' does not begin at 100.",
        ),
        (
            TABLE.replace("REMX,2026-08-05", ",2026-08-05"),
            "equity_indices: '2026-08-05' has no instrument.",
        ),
    ],
)
def test_what_is_no_table_of_indices_is_refused_in_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(UpstreamFormatError) as refusal:
        parse(text)
    assert refusal.value.message == sentence


WITH_SPLIT = """instrument,date,index,split_ratio
6762.T,2024-09-26,100,
6762.T,2024-09-27,20.5,5
REMX,2024-09-26,100,
"""
WITH_ADJUSTED = """instrument,date,index,adjusted_index
6762.T,2024-09-26,100,100
6762.T,2024-09-27,20.5,103
6762.T,2024-09-28,,
REMX,2024-09-26,100,
"""


def test_a_split_is_of_its_day_and_the_closes_stay_as_traded() -> None:
    assert parse(WITH_SPLIT).select(
        "price_date", "close", "adjusted_close", "split_ratio"
    ).rows() == [
        (date(2024, 9, 26), 100.0, None, None),
        (date(2024, 9, 27), 20.5, None, 5.0),
        (date(2024, 9, 26), 100.0, None, None),
    ]


def test_an_adjusted_index_is_the_adjusted_close_of_the_instruments_that_have_one() -> None:
    assert parse(WITH_ADJUSTED).select("price_date", "close", "adjusted_close").rows() == [
        (date(2024, 9, 26), 100.0, 100.0),
        (date(2024, 9, 27), 20.5, 103.0),
        (date(2024, 9, 26), 100.0, None),
    ]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            WITH_SPLIT.replace(",5\n", ",5 for 1\n"),
            "equity_indices: '6762.T 2024-09-27: 5 for 1' is not a split ratio above 0.",
        ),
        (
            WITH_SPLIT.replace(",5\n", ",0\n"),
            "equity_indices: '6762.T 2024-09-27: 0' is not a split ratio above 0.",
        ),
        (
            WITH_SPLIT.replace(",20.5,5", ",,5"),
            "equity_indices: '6762.T 2024-09-27' has a split and no index.",
        ),
        (
            WITH_ADJUSTED.replace(",20.5,103", ",20.5,x"),
            "equity_indices: '6762.T 2024-09-27: x' is not an adjusted index above 0.",
        ),
        (
            WITH_ADJUSTED.replace(",20.5,103", ",20.5,"),
            "equity_indices: '6762.T 2024-09-27' has only one of index and adjusted_index.",
        ),
        (
            WITH_ADJUSTED.replace("2024-09-28,,", "2024-09-28,,104"),
            "equity_indices: '6762.T 2024-09-28' has only one of index and adjusted_index.",
        ),
        (
            WITH_ADJUSTED.replace("100,100", "100,19.5"),
            "equity_indices: '6762.T' has an adjusted index that does not begin at 100.",
        ),
        (
            WITH_SPLIT.replace("split_ratio", "split"),
            "equity_indices: columns not known: split.",
        ),
    ],
)
def test_a_split_or_adjusted_index_that_is_none_is_refused_in_one_sentence(
    text: str, sentence: str
) -> None:
    with pytest.raises(UpstreamFormatError) as refusal:
        parse(text)
    assert refusal.value.message == sentence


@needs_shared
@pytest.mark.parametrize(
    ("instrument", "ex_date", "shares"),
    [
        ("6762.T", date(2021, 9, 29), 3),
        ("6762.T", date(2024, 9, 27), 5),
        ("7203.T", date(2021, 9, 29), 5),
        ("4063.T", date(2023, 3, 30), 5),
    ],
)
def test_the_bundled_closes_are_adjusted_for_the_splits_there_were(
    bundled: pl.DataFrame, instrument: str, ex_date: date, shares: float
) -> None:
    """Days on which the shares first traded without the right to the new ones; they took effect
    on the first of the next month. None moves by a twentieth of the split.
    """
    one = bundled.filter(instrument=instrument).sort("price_date")
    returns = dict(one.select("price_date", pl.col("close").pct_change()).rows())
    assert abs(returns[ex_date]) < 0.03 < abs(1 / shares - 1) / 20
    effective = date(ex_date.year, ex_date.month + 1, 1)
    first = min(day for day in returns if day >= effective)
    assert abs(returns[first]) < 0.07


@given(st.randoms(use_true_random=False))
def test_the_order_of_the_lines_changes_nothing(shuffle: random.Random) -> None:
    header, *lines = TABLE.splitlines()
    shuffle.shuffle(lines)
    assert parse("\n".join([header, *lines, ""])).equals(parse(TABLE))


def test_the_bundled_table_passes_its_suite_and_fits_the_lake(bundled: pl.DataFrame) -> None:
    frame = PRICE_QUOTES.conform(
        bundled.with_columns(document=pl.lit("equity_indices.csv"), snapshot_id=pl.lit("s"))
    )
    verdict = evaluate_batch(frame, LAKE_SUITES["price_quotes"])
    assert not verdict.is_rejected
    assert verdict.quarantined.is_empty()


def test_the_bundled_table_holds_no_price_and_names_where_it_comes_from(
    bundled: pl.DataFrame,
) -> None:
    firsts = bundled.sort("price_date").group_by("instrument").agg(pl.col("close").first())
    assert dict(firsts.rows()) == dict.fromkeys(
        ("REMX", "6762.T", "4063.T", "5713.T", "7203.T"), 100.0
    )
    assert dict(bundled.select("instrument", "unit").unique().rows()) == {
        "REMX": "index, 2019-01-02 = 100",
        **dict.fromkeys(("6762.T", "4063.T", "5713.T", "7203.T"), "index, 2016-02-05 = 100"),
    }
    (entry,) = yaml.safe_load((FOLDER / "origin.yaml").read_text("utf8"))["files"]
    assert entry["file"] in equity_indices.CARD.bundled
    assert "2020-10-01" in entry["left_out"]
    assert bundled.filter(pl.col("price_date") == date(2020, 10, 1))["instrument"].to_list() == [
        "REMX"
    ]


@needs_shared
@pytest.mark.parametrize("instrument", ["REMX", "6762.T", "4063.T", "5713.T", "7203.T"])
def test_every_close_is_there_as_a_multiple_of_the_first(
    bundled: pl.DataFrame, instrument: str
) -> None:
    name = "REMX_close.csv" if instrument == "REMX" else f"{instrument}.csv"
    with (SHARED / "data" / "equities" / name).open(encoding="utf-8-sig", newline="") as file:
        rows = [{key.lower(): cell for key, cell in row.items()} for row in csv.DictReader(file)]
    closes = {
        date.fromisoformat(row["date"]): float(row["close"])
        for row in rows
        if not row["close"].startswith("#")
    }
    first = closes[min(closes)]
    found = dict(
        bundled.filter(pl.col("instrument") == instrument).select("price_date", "close").rows()
    )
    assert found.keys() == closes.keys()
    assert all(
        math.isclose(found[day], close / first * 100, rel_tol=5.1e-6)
        for day, close in closes.items()
    )
