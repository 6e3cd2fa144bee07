"""USGS Data Series 140: our table of rare earths since 1900."""

from __future__ import annotations

import csv
from datetime import date, datetime
from pathlib import Path

import pandas as pd
import polars as pl
import pytest
import yaml

from dagster_project.errors import UnknownCodeError, UpstreamFormatError
from dagster_project.lake.schemas import MATERIAL_LABELS, PRICE_QUOTES, PRODUCTION
from dagster_project.settings import BUNDLED
from dagster_project.sources import usgs_ds140
from dagster_project.sources.card import Document
from tests.conftest import CHECKOUT, SHARED, needs_shared

FOLDER = BUNDLED / "usgs_ds140"
OLDER = SHARED / "data" / "usgs_more"
RETRIEVED = datetime(2026, 11, 26, 8, 0)
LANDED = Document("rare_earths.csv", RETRIEVED, is_bundled=False)
FROM_THE_PROJECT = Document("rare_earths.csv", RETRIEVED, is_bundled=True)
HEADER = "label,economy_iso3,year,figure,flag\n"
ROW = "Rare earths: World production,WLD,2020,243000,reported\n"
OTHERS = (
    "Rare earths: Production,USA,2020,39000,reported\n",
    "Rare earths: Unit value ($/t),USA,2020,5000,estimated\n",
)


@pytest.fixture(scope="module")
def frames() -> dict[str, pl.DataFrame]:
    payload = (FOLDER / "rare_earths.csv").read_bytes()
    return dict(usgs_ds140.parse(payload, FROM_THE_PROJECT))


def table(*rows: str) -> bytes:
    return (HEADER + "".join(rows or (ROW,))).encode()


@pytest.mark.parametrize(
    ("year", "world", "united_states", "flag"),
    [
        (1900, 1_040, 227, "reported"),
        (1950, 470, 383, "reported"),
        (1956, None, None, "withheld"),
        (1985, 43_500, 13_400, "reported"),
        (1990, 52_900, 22_700, "reported"),
        (2000, 90_900, 5_000, "reported"),
        (2010, 101_000, 0, "zero"),
        (2020, 243_000, 39_000, "reported"),
    ],
)
def test_the_output_of_mines_is_as_published(
    frames: dict[str, pl.DataFrame],
    year: int,
    world: float | None,
    united_states: float | None,
    flag: str,
) -> None:
    of_year = frames["production"].filter(pl.col("year") == year)
    by_economy = {row["economy_iso3"]: row for row in of_year.to_dicts()}
    assert set(by_economy) == {"WLD", "USA"}
    if world is not None:
        assert by_economy["WLD"]["amount_t"] == world
    assert (by_economy["USA"]["amount_t"], by_economy["USA"]["flag"]) == (united_states, flag)


def test_unit_values_are_of_a_year_and_dated_on_its_first_day(
    frames: dict[str, pl.DataFrame],
) -> None:
    quotes = frames["price_quotes"]
    by_year = {row["price_date"]: row["close"] for row in quotes.to_dicts()}
    assert [by_year[date(year, 1, 1)] for year in (1972, 1990, 2010, 2020)] == [
        3_690, 8_990, 20_000, 5_130,
    ]  # fmt: skip
    assert min(by_year) == date(1972, 1, 1)
    assert quotes.height == len(by_year) == 49
    steps = quotes.sort("price_date")["close"].pct_change().drop_nulls() + 1
    assert steps.is_between(1 / 3, 3.1).all()
    assert set(quotes["frequency"]) == {"A"}
    assert set(quotes["unit"]) == {"USD per t of oxides"}


def test_the_frames_fit_the_lake_once_their_provenance_is_added(
    frames: dict[str, pl.DataFrame],
) -> None:
    assert set(frames) == set(usgs_ds140.CARD.tables)
    for lake_table in (PRODUCTION, PRICE_QUOTES, MATERIAL_LABELS):
        frame = frames[lake_table.name].with_columns(
            document=pl.lit("rare_earths.csv"), snapshot_id=pl.lit("u-1")
        )
        conformed = lake_table.conform(frame)
        assert conformed.schema == lake_table.polars_schema
        assert not conformed.select(lake_table.key).is_duplicated().any()


def test_bundled_figures_count_from_a_stated_day_and_landed_ones_from_their_retrieval() -> None:
    whole = table(ROW, *OTHERS)
    bundled = usgs_ds140.parse(whole, FROM_THE_PROJECT)["production"]
    assert bundled["vintage_at"].to_list() == [datetime(2024, 1, 31)] * 2
    landed = usgs_ds140.parse(whole, LANDED)["production"]
    assert landed["vintage_at"].to_list() == [RETRIEVED] * 2
    assert landed["edition"].to_list() == [2020] * 2


def test_its_instrument_is_described_in_its_unit_and_its_labels_are_listed() -> None:
    with (CHECKOUT / "dbt" / "seeds" / "seed_instruments.csv").open(encoding="utf-8") as file:
        (seed,) = (row for row in csv.DictReader(file) if row["source"] == "usgs_ds140")
    assert (seed["instrument"], seed["unit"], seed["frequency"]) == (
        usgs_ds140.INSTRUMENT, usgs_ds140.UNIT, "A",
    )  # fmt: skip
    assert "no market price" in seed["name"]
    with (FOLDER / "labels.csv").open(encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    taken = {line["label"] for line in lines if not line["left_out"]}
    assert taken == set(usgs_ds140.ECONOMY_OF)
    assert all(line["left_out"].endswith(".") for line in lines if line["left_out"])


@pytest.mark.parametrize(
    ("row", "error", "named"),
    [
        (
            "Rare earths: Stocks,USA,2020,1,reported\n",
            UnknownCodeError,
            "no material has the label",
        ),
        ("Rare earths: Imports,USA,2020,1,reported\n", UnknownCodeError, "not a series that is r"),
        ("Rare earths: Production,CHN,2020,1,reported\n", UnknownCodeError, "not of the economy"),
        ("Rare earths: Production,USA,2020,1,guessed\n", UnknownCodeError, "flag that is not kno"),
        ("Rare earths: Production,USA,1820,1,reported\n", UpstreamFormatError, "not a year since"),
        ("Rare earths: Production,USA,20,1,reported\n", UpstreamFormatError, "is not a year since"),
        ("Rare earths: Production,USA,2020,W,withheld\n", UpstreamFormatError, "not fit its flag"),
        ("Rare earths: Production,USA,2020,0,reported\n", UpstreamFormatError, "not fit its flag"),
        ("Rare earths: Production,USA,2020,1,zero\n", UpstreamFormatError, "not fit its flag"),
        ("Rare earths: Production,USA,2020,,reported\n", UpstreamFormatError, "not fit its flag"),
        ("Rare earths: Production,USA,2019,1,reported\n", UpstreamFormatError, "do not end in the"),
        (
            OTHERS[0],
            UpstreamFormatError,
            r"there is no row of .*Unit value \(\$/t\): the file is cut",
        ),
        (ROW, UpstreamFormatError, "missing or duplicated"),
        (ROW.replace("2020", "2018"), UpstreamFormatError, "missing or duplicated"),
    ],
)
def test_a_row_that_cannot_be_read_is_refused(row: str, error: type[Exception], named: str) -> None:
    with pytest.raises(error, match=named):
        usgs_ds140.parse(table(ROW, row), LANDED)


def test_the_bundled_file_has_its_origin_written_down() -> None:
    files = yaml.safe_load((FOLDER / "origin.yaml").read_text("utf8"))["files"]
    assert [file["file"] for file in files] == list(usgs_ds140.CARD.bundled)
    for file in files:
        for word in ("producer", "citation", "licence", "licence_url", "url", "left_out"):
            assert file[word]
        assert isinstance(file["retrieved"], date)
        assert Path(FOLDER / file["file"]).stat().st_size < 2_000_000


@needs_shared
def test_rows_and_sums_are_those_of_the_publishers_workbook(
    frames: dict[str, pl.DataFrame],
) -> None:
    raw = pd.read_csv(OLDER / "ds140_rare_earths_1900_2020.csv.gz")
    mined = raw[raw["metric"] == "production"]
    # Before 1972 the unit values are left out; see origin.yaml.
    is_kept = (raw["metric"] == "unit_value_current_usd") & (raw["year"] >= 1972)
    unit_values = raw[is_kept & raw["value"].notna()]
    assert len(mined) == frames["production"].height == 242
    assert len(unit_values) == frames["price_quotes"].height == 49
    assert mined.groupby("geography")["value"].sum().to_dict() == dict(
        frames["production"].group_by("economy_iso3").agg(pl.col("amount_t").sum()).iter_rows()
    )
    assert unit_values["value"].sum() == frames["price_quotes"]["close"].sum()
    assert mined["value"].isna().sum() == frames["production"]["amount_t"].null_count() == 36
