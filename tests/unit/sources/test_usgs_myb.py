"""USGS Minerals Yearbook: our table of what mines put out of rare earths, by country."""

from __future__ import annotations

import csv
import random
from datetime import date, datetime
from pathlib import Path

import pandas as pd
import polars as pl
import pytest
import yaml

from dagster_project.errors import UnknownCodeError, UpstreamFormatError
from dagster_project.lake.schemas import MATERIAL_LABELS, PRODUCTION
from dagster_project.settings import BUNDLED
from dagster_project.sources import usgs_myb
from dagster_project.sources.card import Document
from tests.conftest import CHECKOUT, SHARED, needs_shared

FOLDER = BUNDLED / "usgs_myb"
PRINTED = SHARED / "data" / "usgs_more" / "myb2022_rare_earth_mine_production_2018_2022.csv.gz"
RETRIEVED = datetime(2026, 11, 26, 8, 0)
LANDED = Document("rare_earths.csv", RETRIEVED, is_bundled=False)
FROM_THE_PROJECT = Document("rare_earths.csv", RETRIEVED, is_bundled=True)
HEADER = "label,economy_iso3,year,figure,flag,note\n"
YEARS = range(2018, 2023)
LABEL = "Rare earths: World mine production"
QUOTA = "Official production quota. Illegal production could not be quantified."
"""Footnote 3 of table 8, to China."""


def row(economy: str, year: int | str, figure: str, flag: str = "estimated", note: str = "") -> str:
    return f"{LABEL},{economy},{year},{figure},{flag},{note}\n"


WORLD = {year: row("WLD", year, "1230", "reported") for year in YEARS}
ROWS = [
    *(row("CHN", year, "1000", "reported") for year in YEARS),
    *(row("AUS", year, "230") for year in YEARS),
    *(row("BDI", year, "0", "zero") for year in YEARS),
    *WORLD.values(),
]
"""A whole table of three countries, each year with the same figures."""


def table(*rows: str) -> bytes:
    return (HEADER + "".join(rows or ROWS)).encode()


def with_row(old: str, *new: str) -> bytes:
    """The whole table with other rows in the place of one."""
    assert ROWS.count(old) == 1
    at = ROWS.index(old)
    return table(*ROWS[:at], *new, *ROWS[at + 1 :])


@pytest.fixture(scope="module")
def frames() -> dict[str, pl.DataFrame]:
    payload = (FOLDER / "rare_earths.csv").read_bytes()
    return dict(usgs_myb.parse(payload, FROM_THE_PROJECT))


@pytest.mark.parametrize(
    ("economy", "year", "figure", "flag", "note"),
    [
        ("CHN", 2018, 120_000, "reported", QUOTA),
        ("WLD", 2018, 190_000, "reported", None),
        ("USA", 2018, 14_000, "estimated", None),
        ("AUS", 2019, 20_000, "estimated", None),
        ("MMR", 2020, 35_500, "estimated", None),
        ("WLD", 2020, 250_000, "reported", None),
        ("MDG", 2021, 6_000, "estimated", "revised"),
        ("RUS", 2021, 2_500, "reported", "revised"),
        ("WLD", 2021, 290_000, "reported", "revised"),
        ("USA", 2021, 42_400, "reported", None),
        ("BDI", 2022, 0, "zero", None),
        ("CHN", 2022, 210_000, "estimated", QUOTA),
        ("VNM", 2022, 1_200, "estimated", "Rare-earth oxide content of exports."),
        ("WLD", 2022, 297_000, "reported", None),
    ],
)
def test_the_output_of_mines_is_as_published(
    frames: dict[str, pl.DataFrame],
    economy: str,
    year: int,
    figure: float,
    flag: str,
    note: str | None,
) -> None:
    of_economy = frames["production"].filter(
        pl.col("economy_iso3") == economy, pl.col("year") == year
    )
    (found,) = of_economy.select("amount_t", "flag", "notes").rows()
    assert found == (figure, flag, note)


def test_a_revised_figure_keeps_the_note_on_its_country() -> None:
    noted = row("CHN", 2020, "1000", "reported", f"revised -- {QUOTA}")
    rows = usgs_myb.parse(with_row(row("CHN", 2020, "1000", "reported"), noted), LANDED)
    found = rows["production"].filter(economy_iso3="CHN", year=2020)
    assert found["notes"].to_list() == [f"revised -- {QUOTA}"]
    assert found["reference_period"].to_list() == ["2020"]


def test_every_economy_has_the_five_years_and_the_total_is_among_them(
    frames: dict[str, pl.DataFrame],
) -> None:
    production = frames["production"]
    assert set(production["economy_iso3"]) == {
        "AUS", "BRA", "MMR", "BDI", "CHN", "IND", "MDG", "MYS", "RUS", "THA", "USA", "VNM", "WLD",
    }  # fmt: skip
    for _, rows in production.group_by("economy_iso3"):
        assert sorted(rows["year"]) == list(YEARS)
    for column, value in (
        ("source", "usgs_myb"), ("label", LABEL), ("stage", "extraction"), ("scope_iso3", "WLD"),
        ("edition", 2022), ("bound", "exact"), ("is_provisional", False),
    ):  # fmt: skip
        assert production[column].unique().to_list() == [value]
    assert dict(production.group_by("flag").len().iter_rows()) == {
        "estimated": 49, "reported": 15, "zero": 1,
    }  # fmt: skip


def test_the_frames_fit_the_lake_once_their_provenance_is_added(
    frames: dict[str, pl.DataFrame],
) -> None:
    assert set(frames) == set(usgs_myb.CARD.tables)
    for lake_table in (PRODUCTION, MATERIAL_LABELS):
        frame = frames[lake_table.name].with_columns(
            document=pl.lit("rare_earths.csv"), snapshot_id=pl.lit("u-1")
        )
        conformed = lake_table.conform(frame)
        assert conformed.schema == lake_table.polars_schema
        assert not conformed.select(lake_table.key).is_duplicated().any()


def test_bundled_figures_count_from_a_stated_day_and_landed_ones_from_their_retrieval() -> None:
    bundled = usgs_myb.parse(table(), FROM_THE_PROJECT)["production"]
    assert bundled["vintage_at"].unique().to_list() == [datetime(2026, 1, 31)]
    landed = usgs_myb.parse(table(), LANDED)["production"]
    assert landed["vintage_at"].unique().to_list() == [RETRIEVED]


def test_the_edition_is_the_last_year_of_the_file() -> None:
    later = table(*(line.replace(",2018,", ",2023,") for line in ROWS))
    found = usgs_myb.parse(later, LANDED)["production"]
    assert found["edition"].unique().to_list() == [2023]
    assert sorted(found["year"].unique()) == [2019, 2020, 2021, 2022, 2023]


def test_the_order_of_the_lines_and_of_the_columns_changes_nothing(
    frames: dict[str, pl.DataFrame],
) -> None:
    text = (FOLDER / "rare_earths.csv").read_text("utf8")
    names, *rows = list(csv.reader(text.splitlines()))
    for seed in range(5):
        rng = random.Random(seed)
        rng.shuffle(rows)
        order = rng.sample(range(len(names)), len(names))
        lines = [",".join(cells[at] for at in order) for cells in (names, *rows)]
        payload = "".join(f"{line}\n" for line in lines).encode()
        found = usgs_myb.parse(payload, FROM_THE_PROJECT)
        for name, frame in frames.items():
            assert found[name].equals(frame)


def test_its_label_is_listed_and_its_source_has_a_name() -> None:
    with (FOLDER / "labels.csv").open(encoding="utf-8") as file:
        (line,) = csv.DictReader(file)
    assert (line["label"], line["material"], line["left_out"]) == (LABEL, "rare_earths", "")
    with (CHECKOUT / "dbt" / "seeds" / "seed_publishers.csv").open(encoding="utf-8") as file:
        (seed,) = (line for line in csv.DictReader(file) if line["source"] == "usgs_myb")
    assert (seed["short_name"], seed["is_press"]) == ("USGS MYB", "false")


CHINA, BURUNDI = row("CHN", 2020, "1000", "reported"), row("BDI", 2020, "0", "zero")


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        (CHINA.replace(LABEL, "Rare earths: Stocks"),
         "no material has the label 'Rare earths: Stocks'."),
        (CHINA.replace(LABEL, ""), "'CHN, 2020' has no label."),
        (CHINA.replace("CHN", "China"), "'China, 2020' is not of an economy of our list."),
        (CHINA.replace("CHN", ""), "', 2020' is not of an economy of our list."),
        (CHINA.replace("reported", "guessed"), "'CHN, 2020' has a flag that is not known."),
        (CHINA.replace("reported", "withheld"), "'CHN, 2020' has a flag that is not known."),
        (CHINA.replace("reported", ""), "'CHN, 2020' has a flag that is not known."),
        (CHINA.replace("reported,", "reported,preliminary"),
         "'CHN, 2020' has a note that is not known."),
        (CHINA.replace("reported,", "reported,revised -- preliminary"),
         "'CHN, 2020' has a note that is not known."),
    ],
)  # fmt: skip
def test_a_word_of_no_list_is_refused(changed: str, sentence: str) -> None:
    with pytest.raises(UnknownCodeError) as caught:
        usgs_myb.parse(with_row(CHINA, changed), LANDED)
    assert caught.value.message == f"usgs_myb: {sentence}"


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (CHINA, CHINA.replace("2020", "20"), "'CHN, 20' has an invalid year."),
        (CHINA, CHINA.replace("2020", "2020e"), "'CHN, 2020e' has an invalid year."),
        (CHINA, CHINA.replace("2020", ""), "'CHN, ' has an invalid year."),
        *(
            (CHINA, CHINA.replace(",1000,", f",{figure},"),
             "'CHN, 2020' has a figure that does not fit its flag.")
            for figure in ("", "0", "-1000", "W", "inf", "nan")
        ),
        (BURUNDI, BURUNDI.replace(",0,", ",1,"),
         "'BDI, 2020' has a figure that does not fit its flag."),
        (BURUNDI, BURUNDI.replace(",0,", ",,"),
         "'BDI, 2020' has a figure that does not fit its flag."),
        (CHINA, CHINA * 2, "'CHN, 2020' is duplicated."),
        (CHINA, CHINA + row("CHN", 2020, "0", "zero"), "'CHN, 2020' is duplicated."),
        (CHINA, CHINA.replace("2020", "2019"), "'CHN, 2019' is duplicated."),
        (CHINA, CHINA.replace("2020", "2017"),
         "'CHN, 2017' is before the years of the edition, 2018 to 2022."),
        (CHINA, CHINA + row("CHN", 2023, "1000"),
         "'AUS, 2018', 'BDI, 2018', 'CHN, 2018' is before the years of the edition, 2019 to 2023."),
        (CHINA, "", "'CHN' has missing years between 2018 and 2022."),
        (BURUNDI, "", "'BDI' has missing years between 2018 and 2022."),
        (WORLD[2020], "", "'WLD' has missing years between 2018 and 2022."),
        (CHINA, row("CHN", 2020, "990", "reported"),
         "the world total of 2020 is 1,230 and the sum of its parts 1,220: they differ by more "
         "than rounding."),
        (CHINA, row("CHN", 2020, "1010", "reported"),
         "the world total of 2020 is 1,230 and the sum of its parts 1,240: they differ by more "
         "than rounding."),
        (WORLD[2022], row("WLD", 2022, "12300", "reported"),
         "the world total of 2022 is 12,300 and the sum of its parts 1,230: they differ by more "
         "than rounding."),
        (WORLD[2018], row("WLD", 2018, "0", "zero"),
         "the world total of 2018 is 0 and the sum of its parts 1,230: they differ by more than "
         "rounding."),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_read_is_refused(old: str, new: str, sentence: str) -> None:
    with pytest.raises(UpstreamFormatError) as caught:
        usgs_myb.parse(with_row(old, new), LANDED)
    assert caught.value.message == f"usgs_myb: {sentence}"
    assert not isinstance(caught.value, UnknownCodeError)


@pytest.mark.parametrize("figure", ["995", "1004", "1005"])
def test_a_total_is_the_sum_of_its_parts_rounded_to_three_digits(figure: str) -> None:
    found = usgs_myb.parse(with_row(CHINA, row("CHN", 2020, figure, "reported")), LANDED)
    assert found["production"].height == len(ROWS)


def test_a_year_without_output_has_a_total_of_zero() -> None:
    rows = [row(economy, year, "0", "zero") for economy in ("AUS", "WLD") for year in YEARS]
    assert usgs_myb.parse(table(*rows), LANDED)["production"]["amount_t"].sum() == 0


def test_a_file_that_is_cut_is_refused() -> None:
    with pytest.raises(UpstreamFormatError, match=r"^usgs_myb: the world total is missing: the fi"):
        usgs_myb.parse(table(*ROWS[:-5]), LANDED)
    whole = (FOLDER / "rare_earths.csv").read_text("utf8").splitlines(keepends=True)
    for end in range(len(whole)):
        with pytest.raises(UpstreamFormatError, match=r"^usgs_myb: .*\.$"):
            usgs_myb.parse("".join(whole[:end]).encode(), LANDED)


@pytest.mark.parametrize("column", usgs_myb.COLUMNS)
def test_another_layout_is_refused(column: str) -> None:
    names = HEADER.strip().split(",")
    at = names.index(column)
    lines = table().decode().splitlines()
    without = [line.split(",")[:at] + line.split(",")[at + 1 :] for line in lines]
    for payload in (
        "".join(f"{','.join(cells)}\n" for cells in without).encode(),
        table().replace(column.encode(), b"other", 1),
        table().replace(b"\n", b",1\n").replace(b"note,1", b"note,more", 1),
        b"<html>not found</html>",
        b"",
        HEADER.encode(),
    ):
        with pytest.raises(UpstreamFormatError, match=r"^usgs_myb: "):
            usgs_myb.parse(payload, LANDED)


def test_the_bundled_file_has_its_origin_written_down() -> None:
    files = yaml.safe_load((FOLDER / "origin.yaml").read_text("utf8"))["files"]
    assert [file["file"] for file in files] == list(usgs_myb.CARD.bundled)
    for file in files:
        for word in ("producer", "citation", "licence", "licence_url", "url", "left_out"):
            assert file[word]
        assert file["retrieved"] == date(2026, 11, 26)
        assert Path(FOLDER / file["file"]).stat().st_size < 2_000_000


@needs_shared
def test_every_cell_is_that_of_the_publishers_table(frames: dict[str, pl.DataFrame]) -> None:
    raw = pd.read_csv(PRINTED, keep_default_na=False)
    assert len(raw) == frames["production"].height == 65
    expected = {
        (cell.iso3, cell.year): (
            float(cell.value),
            "zero"
            if cell.availability == "explicit_zero"
            else "estimated"
            if cell.is_estimated
            else "reported",
            bool(cell.is_revised),
        )
        for cell in raw.itertuples()
    }
    found = {
        (economy, year): (amount, flag, "revised" in (note or ""))
        for economy, year, amount, flag, note in frames["production"]
        .select("economy_iso3", "year", "amount_t", "flag", "notes")
        .iter_rows()
    }
    assert found == expected


@needs_shared
def test_totals_are_the_sums_of_the_publishers_table_by_year(
    frames: dict[str, pl.DataFrame],
) -> None:
    raw = pd.read_csv(PRINTED)
    parts = raw[raw["iso3"] != "WLD"].groupby("year")["value"].sum().to_dict()
    assert parts == {2018: 190_330, 2019: 222_776, 2020: 250_290, 2021: 289_880, 2022: 297_420}
    by_year = (
        frames["production"]
        .filter(pl.col("economy_iso3") != "WLD")
        .group_by("year")
        .agg(pl.col("amount_t").sum())
    )
    assert dict(by_year.iter_rows()) == parts
