"""Monthly means of neodymium, cerium and bismuth as indices: what is bundled, what is refused."""

from __future__ import annotations

import json
from datetime import date, datetime

import polars as pl
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.errors import UpstreamFormatError
from dagster_project.lake.schemas import PRICE_QUOTES
from dagster_project.settings import BUNDLED
from dagster_project.sources import rare_earth_indices
from dagster_project.sources.card import Document
from tests.conftest import SHARED, needs_shared

FOLDER = BUNDLED / "rare_earth_indices"
FILE = FOLDER / "monthly_indices.csv"
LANDED = Document("mine.csv", datetime(2026, 12, 1), is_bundled=False)
FROM_THE_PROJECT = Document("monthly_indices.csv", datetime(2026, 4, 13), is_bundled=True)
INSTRUMENTS = {"네오디뮴 (Nd)": "NEODYMIUM_FOB_CHINA", "세륨 (Ce)": "CERIUM_FOB_CHINA",
               "창연 (Bi)": "BISMUTH_FOB_CHINA"}  # fmt: skip

HEADER = "instrument,month,index,days,is_provisional\n"
TABLE = HEADER + "A,2026-01,100,20,false\nA,2026-02,98.5,15,true\n"


def parse(text: str | bytes, document: Document = LANDED) -> pl.DataFrame:
    payload = text.encode() if isinstance(text, str) else text
    return rare_earth_indices.parse(payload, document)["price_quotes"]


@pytest.fixture(scope="module")
def bundled() -> pl.DataFrame:
    return parse(FILE.read_bytes(), FROM_THE_PROJECT)


def test_a_month_of_neodymium_is_as_worked_out_by_hand(bundled: pl.DataFrame) -> None:
    """The sums are of the days as printed: 1,294.29 over 22 of January 2024, and 834.40 over seven
    of April 2026; 119.2 over 58.8314 is 2.026.
    """
    of_april = bundled.filter(instrument="NEODYMIUM_FOB_CHINA", price_date=date(2026, 4, 1))
    assert of_april["close"].to_list() == [round(100 * (834.40 / 7) / (1294.29 / 22), 1)]
    assert of_april["close"].to_list() == [202.6]


def test_each_metal_has_28_months_from_100_and_the_last_is_provisional(
    bundled: pl.DataFrame,
) -> None:
    assert bundled.group_by("instrument").len()["len"].to_list() == [28, 28, 28]
    assert bundled.filter(price_date=date(2024, 1, 1))["close"].to_list() == [100.0] * 3
    provisional = bundled.filter("is_provisional")
    assert provisional["price_date"].unique().to_list() == [date(2026, 4, 1)]
    assert bundled["unit"].unique().to_list() == ["index, 2024-01 = 100"]
    assert bundled["currency"].null_count() == bundled.height


def test_a_month_counts_from_its_end_a_provisional_one_from_retrieval(
    bundled: pl.DataFrame,
) -> None:
    counts_from = dict(
        bundled.filter(instrument="BISMUTH_FOB_CHINA")
        .select("price_date", "vintage_at")
        .iter_rows()
    )
    assert counts_from[date(2025, 12, 1)] == datetime(2026, 1, 1)
    assert counts_from[date(2026, 4, 1)] == datetime(2026, 4, 13)
    assert parse(TABLE)["vintage_at"].unique().to_list() == [LANDED.retrieved_at]


def test_neodymium_rose_from_2024_to_2025_as_the_oxide_did_for_usgs(bundled: pl.DataFrame) -> None:
    """USGS, Mineral Commodity Summaries 2026: 56 and 73 US dollars a kilogram (the second an
    estimate made before the year was over).
    """
    yearly = {
        year: bundled.filter(
            pl.col("price_date").dt.year() == year, instrument="NEODYMIUM_FOB_CHINA"
        )["close"].mean()
        for year in (2024, 2025)
    }
    assert yearly[2025] / yearly[2024] == pytest.approx(73 / 56, rel=0.05)  # type: ignore[operator]


def test_the_bundled_rows_fit_the_lake_and_their_origin_is_written_down(
    bundled: pl.DataFrame,
) -> None:
    rows = bundled.with_columns(document=pl.lit(FILE.name), snapshot_id=pl.lit("s"))
    assert PRICE_QUOTES.conform(rows).schema == PRICE_QUOTES.polars_schema
    (entry,) = yaml.safe_load((FOLDER / "origin.yaml").read_text("utf8"))["files"]
    assert (entry["file"],) == rare_earth_indices.CARD.bundled
    assert entry["url"] == rare_earth_indices.CARD.homepage
    assert "KOMIS" in entry["citation"]


@needs_shared
def test_the_bundled_indices_are_those_of_the_publishers_daily_prices() -> None:
    file = SHARED / "data" / "rare_earth_prices" / "komis_prices.json"
    content = json.loads(file.read_text("utf8"))
    (entry,) = yaml.safe_load((FOLDER / "origin.yaml").read_text("utf8"))["files"]
    assert content["source_url"] == entry["url"]
    assert content["source"].startswith("KOMIS")
    daily = pl.concat(
        pl.DataFrame(metal["history"]).with_columns(
            instrument=pl.lit(INSTRUMENTS.get(metal["name"]))
        )
        for metal in content["metals"]
    ).drop_nulls("instrument")
    monthly = (
        daily.group_by("instrument", month=pl.col("date").str.head(7).str.replace(r"\.", "-"))
        .agg(pl.col("value").mean(), days=pl.len())
        .sort("instrument", "month")
        .with_columns(index=100 * pl.col("value") / pl.col("value").first().over("instrument"))
    )
    ours = pl.read_csv(FILE)
    assert ours.select("instrument", "month").equals(monthly.select("instrument", "month"))
    assert ours["days"].to_list() == monthly["days"].to_list()
    assert (ours["index"] - monthly["index"]).abs().max() <= 0.0501  # type: ignore[operator]


def test_the_first_month_of_a_file_is_its_base() -> None:
    rows = parse(TABLE)
    assert rows.select("price_date", "close", "unit", "is_provisional").rows() == [
        (date(2026, 1, 1), 100.0, "index, 2026-01 = 100", False),
        (date(2026, 2, 1), 98.5, "index, 2026-01 = 100", True),
    ]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("A,2026-01,100", "A,2026-01,101", "'A' does not begin at 100"),
        ("2026-02", "2026-13", "'2026-13' is not a month like 2026-03"),
        ("98.5", "-98.5", "'A 2026-02: -98.5' is not an index above 0"),
        ("98.5", "", "'A 2026-02' has no index"),
        (",15,", ",0,", "'A 2026-02' has no days with a price"),
        ("true", "maybe", "does not say whether it is provisional"),
        ("A,2026-02", ",2026-02", "has no instrument"),
        ("index,days", "price,days", "columns missing: index"),
    ],
)
def test_another_file_is_refused_in_one_sentence(old: str, new: str, words: str) -> None:
    with pytest.raises(UpstreamFormatError) as caught:
        parse(TABLE.replace(old, new))
    assert str(caught.value).startswith("rare_earth_indices: ")
    assert words in str(caught.value)


@given(st.permutations(TABLE.splitlines()[1:]))
def test_the_order_of_the_lines_changes_nothing(lines: list[str]) -> None:
    assert parse(HEADER + "\n".join([*lines, ""])).equals(parse(TABLE))
