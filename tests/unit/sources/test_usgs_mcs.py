"""USGS Mineral Commodity Summaries: two layouts of the publisher and our bundled table."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.errors import UnknownCodeError, UpstreamFormatError
from dagster_project.lake import vocabulary
from dagster_project.lake.schemas import MATERIAL_LABELS, PRODUCTION
from dagster_project.settings import BUNDLED
from dagster_project.sources import usgs_mcs
from dagster_project.sources.card import Document
from tests.conftest import CHECKOUT, SHARED, needs_shared
from tests.corrected import corrected_rows
from tests.nightly import nightly

FOLDER = BUNDLED / "usgs_mcs"
REAL = SHARED / "data" / "usgs"
OLDER = SHARED / "data" / "usgs_more"
PAYLOADS = SHARED / "payloads" / "usgs_mcs"
PUBLISHED = {2025: "MCS2025_World_Data.csv", 2026: "MCS2026_Commodities_Data.csv"}
ROWS = {2022: 376, 2023: 1792, 2024: 1815, 2025: 1900, 2026: 1871}
PRICES = {2022: 80, 2023: 95, 2024: 85, 2026: 125}
RETRIEVED = datetime(2026, 11, 25, 8, 0)
LANDED = Document("download.csv", RETRIEVED, is_bundled=False)
FROM_THE_PROJECT = Document("mcs.csv", RETRIEVED, is_bundled=True)
with (FOLDER / "price_labels.csv").open(encoding="utf-8", newline="") as price_labels_file:
    PRICE_LABELS = list(csv.DictReader(price_labels_file))
PRICED = {row["label"] for row in PRICE_LABELS}
IDENTITY = ("material", "stage", "year", "economy_iso3")

WIDE_HEADER = (
    "SOURCE", "COMMODITY", "COUNTRY", "TYPE", "UNIT_MEAS", "PROD_2023", "PROD_EST_ 2024",
    "PROD_NOTES", "CAP_2023", "CAP_EST_ 2024", "CAP_NOTES", "RESERVES_2024", "RESERVE_NOTES",
)  # fmt: skip
LONG_HEADER = (
    "MCS chapter", "Section", "Commodity", "Country", "Statistics", "Statistics_detail", "Unit",
    "Year", "Value", "Notes", "Is critical mineral 2025", "Other notes",
)  # fmt: skip
A_WIDE_ROW = {
    "SOURCE": "MCS2025", "COMMODITY": "Tungsten ", "COUNTRY": "China",
    "TYPE": "Mine production, tungsten content", "UNIT_MEAS": "metric tons",
    "PROD_2023": "66000", "PROD_EST_ 2024": "67000", "RESERVES_2024": "2400000",
}  # fmt: skip
ILMENITE = {
    "COMMODITY": "Titanium Mineral Concentrates",
    "TYPE": "Mine production, ilmentite, titanium dioxide (TiO2) content",
}
A_LONG_ROW = {
    "MCS chapter": "TUNGSTEN", "Section": "World Mine Production and Reserves",
    "Commodity": "Tungsten", "Country": "China", "Statistics": "Production",
    "Statistics_detail": "Mine production", "Unit": "metric tons", "Year": "2025",
    "Value": "67,000", "Is critical mineral 2025": "Yes",
}  # fmt: skip
A_TIDY_ROW = {
    "edition": "2026", "label": "Tungsten: Mine production", "stage": "extraction",
    "economy_iso3": "CHN", "year": "2025", "amount_t": "67000", "bound": "exact",
    "flag": "estimated", "printed": "67,000", "notes": "",
}  # fmt: skip


def written(header: Sequence[str], rows: Sequence[Mapping[str, str]]) -> bytes:
    file = io.StringIO()
    table = csv.DictWriter(file, header, restval="", lineterminator="\n", extrasaction="raise")
    table.writeheader()
    table.writerows(rows)
    return file.getvalue().encode()


def wide(*changes: Mapping[str, str], header: Sequence[str] = WIDE_HEADER) -> bytes:
    return written(header, [{**A_WIDE_ROW, **change} for change in changes or ({},)])


def long(*changes: Mapping[str, str], header: Sequence[str] = LONG_HEADER) -> bytes:
    return written(header, [{**A_LONG_ROW, **change} for change in changes or ({},)])


def tidy(*changes: Mapping[str, str], header: Sequence[str] = usgs_mcs.TIDY_COLUMNS) -> bytes:
    return written(header, [{**A_TIDY_ROW, **change} for change in changes or ({},)])


def parse(payload: bytes, document: Document = LANDED) -> pl.DataFrame:
    return usgs_mcs.parse(payload, document)["production"]


def only(payload: bytes, document: Document = LANDED) -> dict[str, Any]:
    (row,) = parse(payload, document).to_dicts()
    return row


def with_material(production: pl.DataFrame) -> pl.DataFrame:
    materials = {line["label"]: line["material"] for line in label_lines()}
    return production.with_columns(
        material=pl.col("label").replace_strict(materials, return_dtype=pl.String)
    )


def label_lines() -> list[dict[str, str]]:
    with (FOLDER / "labels.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def editions() -> Mapping[int, pl.DataFrame]:
    return {
        edition: with_material(
            corrected((FOLDER / f"mcs_{edition}.csv").read_bytes(), FROM_THE_PROJECT)["production"]
        )
        for edition in ROWS
    }


def corrected(payload: bytes, document: Document = LANDED) -> Mapping[str, pl.DataFrame]:
    return corrected_rows(usgs_mcs, payload, document)[0]


def amount(
    production: pl.DataFrame, material: str, stage: str, economy: str, year: int
) -> float | None:
    found: float | None = production.row(
        by_predicate=(pl.col("material") == material)
        & (pl.col("stage") == stage)
        & (pl.col("economy_iso3") == economy)
        & (pl.col("year") == year),
        named=True,
    )["amount_t"]
    return found


@pytest.mark.parametrize(
    ("edition", "material", "stage", "economy", "year", "published"),
    [
        (2025, "rare_earths", "extraction", "CHN", 2024, 270_000),
        (2025, "rare_earths", "extraction", "WLD", 2024, 390_000),
        (2025, "rare_earths", "extraction", "MMR", 2024, 31_000),
        (2026, "rare_earths", "extraction", "CHN", 2024, 270_000),
        (2026, "rare_earths", "extraction", "WLD", 2024, 380_000),
        (2026, "rare_earths", "extraction", "MMR", 2024, 27_000),
        (2026, "rare_earths", "extraction", "WLD", 2025, 390_000),
        (2025, "rare_earths", "reserves", "CHN", 2024, 44_000_000),
        # Kilograms and thousands become tons: 750,000 kg, 950 kt, 8,900 kt.
        (2025, "gallium", "processing", "CHN", 2024, 750),
        (2025, "palladium", "extraction", "RUS", 2023, 87),
        (2025, "magnesium", "processing", "CHN", 2024, 950_000),
        (2025, "cobalt", "extraction", "COD", 2024, 220_000),
        (2025, "cobalt", "extraction", "USA", 2024, 300),
        (2026, "natural_graphite", "extraction", "WLD", 2024, 1_550_000),
        # Printed as metric tons, in thousands: see corrections.yaml.
        (2025, "titanium_ilmenite", "extraction", "WLD", 2024, 8_900_000),
        (2025, "titanium_rutile", "extraction", "SLE", 2024, 60_000),
        (2026, "vanadium", "reserves", "WLD", 2025, 21_000_000),
        # A note gives the unit of the whole column.
        (2025, "molybdenum", "reserves", "CHN", 2024, 5_900_000),
        (2025, "vanadium", "reserves", "AUS", 2024, 8_500_000),
        (2025, "iron_ore", "reserves", "AUS", 2024, 58_000_000_000),
        # The middle of 10,000 to 15,000.
        (2026, "yttrium", "extraction", "WLD", 2025, 12_500),
    ],
)
def test_the_bundled_figures_are_the_published_ones(
    editions: Mapping[int, pl.DataFrame],
    edition: int,
    material: str,
    stage: str,
    economy: str,
    year: int,
    published: float,
) -> None:
    assert amount(editions[edition], material, stage, economy, year) == published


def test_world_reserves_of_rare_earths_are_a_lower_bound(
    editions: Mapping[int, pl.DataFrame],
) -> None:
    found = {
        edition: production.filter(
            pl.col("material") == "rare_earths",
            pl.col("stage") == "reserves",
            pl.col("economy_iso3") == "WLD",
        ).select("year", "amount_t", "bound", "printed")
        for edition, production in editions.items()
    }
    assert found[2025].rows() == [(2024, 90_000_000.0, "above", ">90000000")]
    assert found[2026].rows() == [(2025, 85_000_000.0, "above", ">85,000,000")]


def test_a_figure_of_a_material_comes_from_one_label(editions: Mapping[int, pl.DataFrame]) -> None:
    for edition, production in editions.items():
        assert production.height == ROWS[edition]
        assert not production.select(IDENTITY).is_duplicated().any()
        assert not production.select(PRODUCTION.key).is_duplicated().any()


def test_the_frames_fit_the_lake_once_their_provenance_is_added() -> None:
    for edition in ROWS:
        payload = (FOLDER / f"mcs_{edition}.csv").read_bytes()
        frames = usgs_mcs.parse(payload, FROM_THE_PROJECT)
        for table in (PRODUCTION, MATERIAL_LABELS):
            frame = frames[table.name].with_columns(
                document=pl.lit("mcs.csv"), snapshot_id=pl.lit("u-1")
            )
            conformed = table.conform(frame)
            assert conformed.schema == table.polars_schema
            required = [name for name, column in table.columns.items() if not column.nullable]
            assert not any(conformed.select(required).null_count().row(0))
    assert set(usgs_mcs.CARD.tables) == {"production", "price_quotes", "material_labels"}


def test_a_figure_has_an_amount_and_a_mark_has_none(editions: Mapping[int, pl.DataFrame]) -> None:
    for production in editions.values():
        with_amount = production.filter(pl.col("amount_t").is_not_null())
        assert set(with_amount["flag"]) == {"reported", "estimated", "zero"}
        without = production.filter(pl.col("amount_t").is_null())
        assert set(without["flag"]) <= {"withheld", "not_available", "not_applicable"}
        assert (production.filter(pl.col("flag") == "zero")["amount_t"] == 0).all()
        assert (production.filter(pl.col("amount_t") == 0)["flag"] == "zero").all()


def test_what_is_read_as_a_zero_is_a_dash_in_the_next_edition(
    editions: Mapping[int, pl.DataFrame],
) -> None:
    # MCS 2025 leaves the cell of a dash blank; MCS 2026 prints the dash for the same year.
    blanks = editions[2025].filter(
        pl.col("flag") == "zero", pl.col("printed").is_null(), pl.col("stage") != "capacity"
    )
    again = blanks.join(editions[2026], on=list(IDENTITY), suffix="_next")
    assert again.height == 42
    assert set(again["printed_next"]) == {"—"}
    capacity = editions[2025].filter(pl.col("flag") == "zero", pl.col("stage") == "capacity")
    next_capacity = editions[2026].filter(pl.col("stage") == "capacity", pl.col("year") == 2025)
    again = capacity.join(next_capacity, on=["material", "economy_iso3"], suffix="_next")
    assert again.height == 9
    assert set(again["printed_next"]) == {"—"}


def test_both_editions_are_in_the_same_unit(editions: Mapping[int, pl.DataFrame]) -> None:
    # A world total does not double within a year, and a wrong unit is a factor of a thousand.
    totals = (
        production.filter(pl.col("economy_iso3") == "WLD", pl.col("amount_t").is_not_null())
        .group_by("material", "stage")
        .agg(pl.col("amount_t").sort_by("year").last())
        for production in (editions[2025], editions[2026])
    )
    before, after = totals
    both = before.join(after, on=["material", "stage"], suffix="_next")
    assert both.height == 79
    ratio = both["amount_t_next"] / both["amount_t"]
    assert ratio.is_between(0.5, 2).all(), both.filter(~ratio.is_between(0.5, 2))


def test_the_world_is_the_sum_of_its_countries_to_the_rounding(
    editions: Mapping[int, pl.DataFrame],
) -> None:
    checked = 0
    for production in editions.values():
        parts = (
            production.filter(pl.col("economy_iso3") != "WLD")
            .group_by("material", "stage", "year")
            .agg(
                parts=pl.col("amount_t").sum(),
                # "<100" may be next to nothing.
                is_whole=(pl.col("flag").ne("not_available") & pl.col("bound").ne("below")).all(),
            )
        )
        totals = production.filter(
            pl.col("economy_iso3") == "WLD",
            pl.col("bound") == "exact",
            pl.col("amount_t").is_not_null(),
        ).join(parts.filter("is_whole"), on=["material", "stage", "year"])
        off = totals.filter((pl.col("parts") / pl.col("amount_t") - 1).abs() > 0.06)
        assert off.is_empty(), off.select("material", "stage", "year", "parts", "amount_t")
        checked += totals.height
    assert checked == 407


def test_a_world_total_without_the_united_states_is_reported(
    editions: Mapping[int, pl.DataFrame],
) -> None:
    for edition, production in editions.items():
        withheld = production.filter(
            pl.col("economy_iso3") == "USA",
            pl.col("flag") == "withheld",
            pl.col("stage").is_in(["extraction", "processing"]),
        )
        totals = production.filter(pl.col("economy_iso3") == "WLD").join(
            withheld.select("label", "stage", "year", "material"), on=["material", "stage", "year"]
        )
        # Where the label of the USA is one of its own, the note of the total is the publisher's.
        assert totals.height >= (4 if edition == 2022 else 16)
        assert totals["notes"].str.contains(r"U\.S\.|United States").all()


def test_what_stands_in_the_wrong_column_is_put_right(
    editions: Mapping[int, pl.DataFrame],
) -> None:
    before, after = editions[2025], editions[2026]

    def stages(material: str) -> set[str]:
        return set(before.filter(pl.col("material") == material)["stage"])

    assert stages("indium") == stages("magnesium") == {"processing", "capacity"}
    assert stages("palladium") == stages("platinum") == {"extraction"}
    assert stages("platinum_group_metals") == {"reserves"}
    assert amount(before, "platinum_group_metals", "reserves", "WLD", 2024) == 81_000
    assert amount(before, "magnesium", "capacity", "CHN", 2024) == 1_800_000
    # Country by country, what MCS 2025 calls reserves of indium is capacity in MCS 2026.
    assert {
        economy: amount(before, "indium", "capacity", economy, 2024)
        for economy in ("BEL", "CAN", "CHN", "FRA", "JPN", "KOR", "RUS")
    } == {
        economy: amount(after, "indium", "capacity", economy, 2025)
        for economy in ("BEL", "CAN", "CHN", "FRA", "JPN", "KOR", "RUS")
    }


def test_estimates_of_the_last_year_are_provisional(editions: Mapping[int, pl.DataFrame]) -> None:
    for edition, production in editions.items():
        provisional = production.filter("is_provisional")
        assert provisional.height > (170 if edition == 2022 else 500)
        assert set(provisional["flag"]) == {"estimated"}
        assert set(provisional["year"]) == {edition - 1}
        settled = production.filter(~pl.col("is_provisional"), pl.col("flag") == "estimated")
        assert set(settled["year"]) <= {edition - 2, edition - 3}


@pytest.mark.parametrize(
    ("edition", "counts_from"), [(2025, datetime(2025, 1, 31)), (2026, datetime(2026, 1, 31))]
)
def test_a_bundled_edition_counts_from_the_end_of_its_january(
    edition: int, counts_from: datetime
) -> None:
    payload = (FOLDER / f"mcs_{edition}.csv").read_bytes()
    for table, frame in usgs_mcs.parse(payload, FROM_THE_PROJECT).items():
        assert frame["vintage_at"].unique().to_list() == [counts_from], table
    for table, frame in usgs_mcs.parse(payload, LANDED).items():
        assert frame["vintage_at"].unique().to_list() == [RETRIEVED], table


# --- labels


def test_every_label_is_a_material_or_left_out_with_a_reason() -> None:
    def column(name: str, of: str) -> set[str]:
        with (CHECKOUT / "dbt" / "seeds" / of).open(encoding="utf-8", newline="") as file:
            return {row[name] for row in csv.DictReader(file)}

    lines = label_lines()
    folded = [line["label"].casefold() for line in lines]
    assert len(set(folded)) == len(folded) == 455
    minerals = column("mineral", "seed_minerals.csv")
    groups = column("mineral_group", "seed_mineral_groups.csv")
    for line in lines:
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", line["material"]), line
        assert line["mineral"] in minerals | {""}, line
        assert line["mineral_group"] in groups | {""}, line
        is_price = line["label"] in PRICED
        assert (bool(line["stage"]), is_price, bool(line["left_out"])).count(True) == 1, line
        if line["left_out"]:
            assert line["left_out"].endswith("."), line
            assert not line["mineral_group"], line
    taken = {line["mineral"] for line in lines if line["stage"] and not line["left_out"]}
    # What the world tables do not hold: single rare earths but yttrium, coal, phosphorus, synthetic
    # diamond, hafnium apart from zirconium; helium is printed as a volume.
    assert minerals - taken == {
        "lanthanum", "cerium", "praseodymium", "neodymium", "samarium", "europium", "gadolinium",
        "terbium", "dysprosium", "holmium", "erbium", "thulium", "ytterbium", "lutetium",
        "coking_coal", "phosphorus", "superhard_materials", "helium", "hafnium",
    }  # fmt: skip


def test_the_rows_of_one_material_agree_on_mineral_and_group() -> None:
    of_material: dict[str, set[tuple[str, str]]] = {}
    for line in label_lines():
        if not line["left_out"]:
            of_material.setdefault(line["material"], set()).add(
                (line["mineral"], line["mineral_group"])
            )
    assert {name for name, found in of_material.items() if len(found) > 1} == set()
    assert of_material["rare_earths"] == {("", "rare_earths")}
    assert of_material["natural_graphite"] == {("graphite", "natural_graphite")}


def test_the_list_of_labels_is_loaded_whole() -> None:
    labels = usgs_mcs.parse(tidy(), LANDED)["material_labels"]
    assert labels.height == 455
    helium = labels.row(by_predicate=pl.col("label") == "Helium: Helium Production", named=True)
    assert helium["material"] == "helium"
    assert helium["left_out"] == "Cubic meters of gas: a volume, not a weight."
    assert (labels["source"] == "usgs_mcs").all()


def test_labels_that_are_left_out_make_no_row_and_their_oddities_stop_nothing() -> None:
    odd = {"COMMODITY": "Abrasives", "TYPE": "Plant capacity, silicon carbide",
           "COUNTRY": "United States and Canada", "UNIT_MEAS": "barrels"}  # fmt: skip
    assert parse(wide({}, odd)).equals(parse(wide()))


@pytest.mark.parametrize("spelling", ["TUNGSTEN", "tungsten", "Tungsten\u00a0"])
def test_case_and_blanks_of_a_label_do_not_count(spelling: str) -> None:
    assert only(long({"Commodity": spelling}))["label"] == "Tungsten: Mine production"


# --- the wide layout


def test_a_wide_row_becomes_figures_of_each_year_and_stage() -> None:
    rows = parse(wide())
    assert rows.select("label", "stage", "economy_iso3", "year", "amount_t", "flag").rows() == [
        ("Tungsten: Mine production, tungsten content", "extraction", "CHN", 2023, 66000.0,
         "reported"),
        ("Tungsten: Mine production, tungsten content", "extraction", "CHN", 2024, 67000.0,
         "estimated"),
        ("Tungsten: Mine production, tungsten content", "reserves", "CHN", 2024, 2400000.0,
         "reported"),
    ]  # fmt: skip
    assert rows.row(1, named=True) == {
        "source": "usgs_mcs",
        "label": "Tungsten: Mine production, tungsten content",
        "stage": "extraction",
        "scope_iso3": "WLD",
        "economy_iso3": "CHN",
        "year": 2024,
        "reference_period": "2024",
        "edition": 2025,
        "amount_t": 67000.0,
        "share": None,
        "bound": "exact",
        "flag": "estimated",
        "trade_parameter": None,
        "printed": "67000",
        "notes": None,
        "is_provisional": True,
        "vintage_at": RETRIEVED,
    }


def test_the_years_are_those_of_the_columns() -> None:
    later = {"2023": "2031", "2024": "2032"}
    header = [re.sub(r"\d{4}", lambda year: later[year[0]], name) for name in WIDE_HEADER]
    header[header.index("PROD_EST_ 2032")] = "PROD_EST_2032"
    row = {**A_WIDE_ROW, "SOURCE": "MCS2033"}
    payload = written(
        header, [dict(zip(header, (row.get(n, "") for n in WIDE_HEADER), strict=True))]
    )
    rows = parse(payload, FROM_THE_PROJECT)
    assert rows["year"].to_list() == [2031, 2032, 2032]
    assert rows["vintage_at"].unique().to_list() == [datetime(2033, 1, 31)]


def wide_cell(note: str, *, cell: str = "", column: str = "PROD_NOTES") -> dict[str, Any]:
    """The last year's figure of the United States with that note, beside a filled row of China."""
    filled = {"PROD_NOTES": "PROD_EST_ 2024", "RESERVE_NOTES": "RESERVES_2024",
              "CAP_NOTES": "CAP_EST_ 2024"}[column]  # fmt: skip
    blank = {"PROD_2023": "", "PROD_EST_ 2024": "", "RESERVES_2024": ""}
    usa = {**blank, "COUNTRY": "United States", column: note, filled: cell}
    rows = parse(wide({"CAP_EST_ 2024": "5"}, usa)).filter(
        pl.col("economy_iso3") == "USA", pl.col("year") == 2024
    )
    stage = {"PROD_NOTES": "extraction", "RESERVE_NOTES": "reserves", "CAP_NOTES": "capacity"}
    return rows.row(by_predicate=pl.col("stage") == stage[column], named=True)


@pytest.mark.parametrize(
    ("note", "column", "flag", "amount_t"),
    [
        ("W for 23-24", "PROD_NOTES", "withheld", None),
        ("W", "CAP_NOTES", "withheld", None),
        ("NA", "PROD_NOTES", "not_available", None),
        ("na", "PROD_NOTES", "not_available", None),
        ("XX", "PROD_NOTES", "not_applicable", None),
        ("xx", "RESERVE_NOTES", "not_applicable", None),
        ("", "PROD_NOTES", "zero", 0.0),
        (" ", "CAP_NOTES", "zero", 0.0),
        ("", "RESERVE_NOTES", "not_available", None),
        ("Large", "RESERVE_NOTES", "not_available", None),
        ("Moderate to Large", "RESERVE_NOTES", "not_available", None),
        ("Included with Other countries", "RESERVE_NOTES", "not_available", None),
        ("United States data are included with ilmenite.", "PROD_NOTES", "not_available", None),
        ("W for 2023", "PROD_NOTES", "zero", 0.0),
    ],
)
def test_the_note_reports_what_a_blank_cell_is(
    note: str, column: str, flag: str, amount_t: float | None
) -> None:
    row = wide_cell(note, column=column)
    assert (row["flag"], row["amount_t"], row["printed"]) == (flag, amount_t, None)
    assert row["notes"] == (note.strip() or None)


def test_less_than_half_a_unit_is_a_bound() -> None:
    row = wide_cell("Less than 1/2 unit")
    assert (row["amount_t"], row["bound"], row["flag"]) == (0.5, "below", "estimated")


def test_a_blank_beside_a_figure_of_another_year_is_not_available() -> None:
    rows = parse(wide({}, {"COUNTRY": "Austria", "PROD_2023": "", "PROD_EST_ 2024": "800"}))
    austria = rows.filter(pl.col("economy_iso3") == "AUT", pl.col("stage") == "extraction")
    assert austria.select("year", "amount_t", "flag").rows() == [
        (2023, None, "not_available"),
        (2024, 800.0, "estimated"),
    ]


def test_a_column_without_a_figure_of_any_country_makes_no_row() -> None:
    rows = parse(wide({"RESERVES_2024": ""}, {"COUNTRY": "Austria", "RESERVES_2024": ""}))
    assert set(rows["stage"]) == {"extraction"}


@pytest.mark.parametrize(
    ("kind", "note", "flag"),
    [
        ("", "", "reported"),
        ("", "reported", "reported"),
        ("", "estimated 2023", "estimated"),
        ("", "estimated, Includes production of crude ore", "estimated"),
        ("", "Estimated based on reported import data for China.", "estimated"),
        (", estimated", "", "estimated"),
        (", estimated", "Reported.", "reported"),
        (", estimated", "Processed ore sold and used by producers, reported", "reported"),
    ],
)
def test_the_earlier_year_is_estimated_where_type_or_note_say_so(
    kind: str, note: str, flag: str
) -> None:
    rows = parse(wide({"TYPE": A_WIDE_ROW["TYPE"] + kind, "PROD_NOTES": note}))
    assert rows["label"].unique().to_list() == ["Tungsten: Mine production, tungsten content"]
    by_year = dict(rows.filter(pl.col("stage") == "extraction").select("year", "flag").iter_rows())
    assert by_year == {2023: flag, 2024: "estimated"}


@pytest.mark.parametrize(
    ("country", "economy", "notes"),
    [
        ("Canada ", "CAN", None),
        ("Congo (Kinshasa)", "COD", None),
        ("Côte d’Ivoire", "CIV", None),
        ("Korea, Republic of", "KOR", None),
        ("Burma", "MMR", None),
        ("Brazil (beneficiated, marketable)", "BRA", "(beneficiated, marketable)"),
        ("United\u00a0States (crude)", "USA", "(crude)"),
        ("World total (rounded)", "WLD", "(rounded)"),
        ("World total (rounded) 10", "WLD", "(rounded)"),
        ("World total", "WLD", None),
        ("Other Countries", "_X", None),
        ("Other countries (rounded)", "_X", "(rounded)"),
    ],
)
def test_countries_are_named_as_the_publisher_names_them(
    country: str, economy: str, notes: str | None
) -> None:
    rows = parse(wide({"COUNTRY": country}))
    assert rows["economy_iso3"].unique().to_list() == [economy]
    assert rows["notes"].unique().to_list() == [notes]


def test_a_total_of_two_labels_is_the_total_of_neither() -> None:
    titanium = {**ILMENITE, "RESERVES_2024": ""}
    rows = parse(
        wide(
            {**titanium, "COUNTRY": "World total (ilmenite, rounded)", "PROD_2023": "8840"},
            {**titanium, "COUNTRY": "World total (ilmenite and rutile, rounded)"},
        )
    )
    assert rows.filter(pl.col("year") == 2023)["amount_t"].to_list() == [8840.0]


def test_rows_of_commas_and_windows_1252_and_a_byte_order_mark_change_nothing() -> None:
    rows = ({"COUNTRY": "Côte d’Ivoire"}, {"COUNTRY": "World total (rounded)"})
    plain = parse(wide(*rows))
    text = wide(*rows).decode()
    commas = ("," * (len(WIDE_HEADER) - 1) + "\n").encode()
    assert parse(text.encode("cp1252")).equals(plain)
    assert parse(b"\xef\xbb\xbf" + text.encode()).equals(plain)
    assert parse(text.replace("\n", "\r\n").encode()).equals(plain)
    assert parse(text.encode() + commas + commas).equals(plain)


countries = st.permutations(["China", "Austria", "Vietnam", "Other Countries", "World total"])


@given(countries, st.permutations(WIDE_HEADER))
def test_a_permutation_of_wide_rows_and_columns_changes_nothing(
    order: list[str], header: list[str]
) -> None:
    rows = ({"COUNTRY": name} for name in order)
    in_order = wide(*({"COUNTRY": name} for name in sorted(order)))
    assert parse(wide(*rows, header=header)).equals(parse(in_order))


def test_a_year_of_a_list_in_the_name_of_a_column_is_no_figure() -> None:
    header = (*WIDE_HEADER, "Is critical mineral 2025")
    assert parse(wide({"Is critical mineral 2025": "Yes"}, header=header)).equals(parse(wide()))


@pytest.mark.parametrize(
    ("edition", "unit", "world", "china_t", "world_t"),
    [
        # Thousands under the name of tons, as MCS 2025 prints them.
        ("MCS2025", "metric tons", "8900", 3_300_000, 8_900_000),
        # A revised file that puts the unit right, or another total.
        ("MCS2025", "thousand metric tons", "8900", 3_300_000, 8_900_000),
        ("MCS2025", "metric tons", "9100", 3_300, 9_100),
        # What a later edition prints is its own.
        ("MCS2026", "metric tons", "8900", 3_300, 8_900),
    ],
)
def test_a_unit_printed_wrong_is_put_right_in_the_file_of_that_edition_only(
    edition: str, unit: str, world: str, china_t: float, world_t: float
) -> None:
    row = {**ILMENITE, "SOURCE": edition, "UNIT_MEAS": unit, "PROD_EST_ 2024": "3300"}
    total = {**row, "COUNTRY": "World total (ilmenite, rounded)", "PROD_EST_ 2024": world}
    last = int(edition.removeprefix("MCS")) - 1
    header = tuple(name.replace("2024", str(last)) for name in WIDE_HEADER)
    rows = [{**A_WIDE_ROW, **each} for each in (row, total)]
    payload = written(
        header, [{k.replace("2024", str(last)): v for k, v in each.items()} for each in rows]
    )
    found = corrected(payload)["production"].filter(pl.col("stage") == "extraction", year=last)
    assert dict(found.select("economy_iso3", "amount_t").iter_rows()) == {
        "CHN": china_t, "WLD": world_t,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("commodity", "kind", "of_2025", "of_2026"),
    [
        ("Indium", "Refinery production", ("Indium: Refinery production", "capacity"),
         ("Indium: Refinery production", "reserves")),
        ("Platinum-Group metals", "Mine production, Palladium content",
         ("Platinum-Group metals: Reserves", "reserves"),
         ("Platinum-Group metals: Mine production, Palladium content", "reserves")),
    ],
)  # fmt: skip
def test_what_one_edition_puts_in_the_wrong_column_the_next_need_not(
    commodity: str, kind: str, of_2025: tuple[str, str], of_2026: tuple[str, str]
) -> None:
    for edition, found in (("MCS2025", of_2025), ("MCS2026", of_2026)):
        row = {"SOURCE": edition, "COMMODITY": commodity, "TYPE": kind, "RESERVES_2024": "1100"}
        rows = parse(wide(row)).filter(pl.col("amount_t") == 1100)
        assert rows.select("label", "stage").rows() == [found]


# --- the long layout


def test_a_long_row_becomes_a_figure() -> None:
    assert only(long({"Notes": "Estimated. -- Tungsten only."})) == {
        "source": "usgs_mcs",
        "label": "Tungsten: Mine production",
        "stage": "extraction",
        "scope_iso3": "WLD",
        "economy_iso3": "CHN",
        "year": 2025,
        "reference_period": "2025",
        "edition": 2026,
        "amount_t": 67000.0,
        "share": None,
        "bound": "exact",
        "flag": "estimated",
        "trade_parameter": None,
        "printed": "67,000",
        "notes": "Tungsten only.",
        "is_provisional": True,
        "vintage_at": RETRIEVED,
    }


def test_the_edition_is_the_year_after_the_last_production() -> None:
    production = {"Year": "2030"}
    reserves = {"Statistics": "Reserves", "Statistics_detail": "Reserves", "Year": "2031"}
    rows = parse(long({"Year": "2029"}, production, reserves), FROM_THE_PROJECT)
    assert rows["vintage_at"].unique().to_list() == [datetime(2031, 1, 31)]


def test_only_the_sections_of_the_world_count() -> None:
    others = (
        {"Section": "Salient Statistics—United States", "Unit": "dollars", "Value": "none",
         "Year": "2021–24", "Statistics": "Price", "Commodity": "Cement"},
        {"Section": "Import Sources", "Country": "Atlantis", "Commodity": "Unobtainium",
         "Statistics": "Import sources 2021-2024"},
        {"Section": "Salient Statistics—United States", "Country": "United States"},
        {"Section": "Salient Statistics—United States", "Country": "World"},
    )  # fmt: skip
    assert parse(long({}, *others)).equals(parse(long()))


def test_one_misprinted_year_does_not_make_another_edition() -> None:
    labels = ({"Commodity": name} for name in ("Tungsten", "Gold", "Zinc"))
    payload = long(*labels, {"Commodity": "Tungsten", "Country": "Austria", "Year": "2029"})
    with pytest.raises(UpstreamFormatError, match="'Tungsten: Mine production, Austria, 2029' is"):
        parse(payload)


@pytest.mark.parametrize("section", ["WORLD MINE PRODUCTION", " world production", "World output"])
def test_case_and_blanks_of_a_section_do_not_count(section: str) -> None:
    assert parse(long({"Section": section})).equals(parse(long()))


@pytest.mark.parametrize(
    "unit",
    ["Thousand Metric Tons", "thousand  metric tons", " THOUSAND\u00a0metric tons , content"],
)
def test_case_and_blanks_of_a_unit_do_not_count(unit: str) -> None:
    assert only(long({"Unit": unit}))["amount_t"] == 67_000_000


def test_a_forgotten_unit_is_that_of_the_others_of_its_table() -> None:
    thousands = {"Unit": "thousand metric tons", "Country": "Austria"}
    rows = parse(long({"Unit": ""}, thousands))
    assert rows["amount_t"].to_list() == [67_000_000, 67_000_000]
    with pytest.raises(UnknownCodeError, match="TONNES_PER_UNIT in dagster_project/sources/usgs"):
        parse(long({"Unit": ""}, thousands, {"Unit": "kilograms", "Country": "Vietnam"}))


def test_rounded_is_about_the_figure_and_not_of_the_label() -> None:
    row = only(long({"Country": "World total", "Statistics_detail": "Mine production: rounded"}))
    assert (row["label"], row["notes"]) == ("Tungsten: Mine production", "(rounded)")


@pytest.mark.parametrize(
    ("notes", "left"),
    [
        ("Estimated.", None),
        ("Estimated .", None),
        ("Reported.", None),
        ("Yes", None),
        ("See Appendix C for resource and reserve definitions.", None),
        ("Estimated. -- Excludes U.S. production.", "Excludes U.S. production."),
        ("Crude ore. -- See Appendix C for more. -- Feldspar only.", "Crude ore. Feldspar only."),
    ],
)
def test_notes_keep_what_the_flag_does_not_say(notes: str, left: str | None) -> None:
    row = only(long({"Notes": notes}))
    assert row["notes"] == left
    assert row["flag"] == ("estimated" if notes.startswith("Estimated") else "reported")


def test_a_total_whose_united_states_are_withheld_is_reported() -> None:
    total = {"Country": "World total", "Statistics_detail": "Mine production: rounded"}
    usa = {"Country": "United States", "Value": "W"}
    rows = parse(long({}, total, usa)).filter(pl.col("economy_iso3") == "WLD")
    assert rows["notes"].to_list() == ["(rounded) (United States withheld)"]
    output = {**total, "Notes": "Excludes U.S. production."}
    rows = parse(long({}, output, usa)).filter(pl.col("economy_iso3") == "WLD")
    assert rows["notes"].to_list() == ["Excludes U.S. production. (rounded)"]


@pytest.mark.parametrize(
    ("printed", "amount_t", "bound", "flag"),
    [
        ("270,000", 270_000.0, "exact", "reported"),
        ("270000", 270_000.0, "exact", "reported"),
        ("0.7", 0.7, "exact", "reported"),
        ("e270,000", 270_000.0, "exact", "estimated"),
        ("270,000e", 270_000.0, "exact", "estimated"),
        ("e 270,000", 270_000.0, "exact", "estimated"),
        ("<1", 1.0, "below", "reported"),
        (">90,000,000", 90_000_000.0, "above", "reported"),
        ("> 90,000,000", 90_000_000.0, "above", "reported"),
        ("500–16,000", 8_250.0, "range", "reported"),
        ("10,000 - 15,000", 12_500.0, "range", "reported"),
        ("e500-16,000", 8_250.0, "range", "estimated"),
        ("Less than ½ unit", 0.5, "below", "reported"),
        ("less than 1/2 unit", 0.5, "below", "reported"),
        ("0", 0.0, "exact", "zero"),
        ("—", 0.0, "exact", "zero"),
        ("–", 0.0, "exact", "zero"),
        ("--", 0.0, "exact", "zero"),
        ("-", 0.0, "exact", "zero"),
        ("W", None, "exact", "withheld"),
        ("NA", None, "exact", "not_available"),
        ("Large", None, "exact", "not_available"),
        ("Moderate to large", None, "exact", "not_available"),
        ("XX", None, "exact", "not_applicable"),
    ],
)
def test_each_way_of_printing_a_figure_is_understood(
    printed: str, amount_t: float | None, bound: str, flag: str
) -> None:
    row = only(long({"Value": printed}))
    assert (row["amount_t"], row["bound"], row["flag"]) == (amount_t, bound, flag)
    assert row["printed"] == printed


def test_an_empty_cell_is_not_available() -> None:
    row = only(long({"Value": ""}))
    assert (row["amount_t"], row["flag"], row["printed"]) == (None, "not_available", None)


def test_an_s_sends_the_reader_to_the_note() -> None:
    half = only(long({"Value": "s", "Notes": "Estimated. -- Less than ½unit."}))
    assert (half["amount_t"], half["bound"], half["flag"]) == (0.5, "below", "estimated")
    elsewhere = only(long({"Value": "s", "Notes": "Included with ilmenite."}))
    assert (elsewhere["amount_t"], elsewhere["flag"]) == (None, "not_available")
    assert (elsewhere["printed"], elsewhere["notes"]) == ("s", "Included with ilmenite.")


IN_TONNES = {
    "metric tons": 1.0,
    "metric tons, tungsten content": 1.0,
    "thousand metric tons": 1000.0,
    "thousand metric dry tons": 1000.0,
    "million metric tons": 1_000_000.0,
    "kilograms": 0.001,
}


@given(
    st.integers(0, 10**9),
    st.sampled_from(sorted(IN_TONNES)),
    st.sampled_from(["{:,}", "{}", "e{:,}", "{:,}e", "<{:,}", ">{:,}"]),
)
def test_a_number_comes_back_however_it_is_printed(number: int, unit: str, form: str) -> None:
    row = only(long({"Value": form.format(number), "Unit": unit}))
    assert row["amount_t"] == pytest.approx(number * IN_TONNES[unit], rel=1e-12)
    assert row["bound"] == {"<": "below", ">": "above"}.get(form[0], "exact")
    is_zero = number == 0 and row["bound"] == "exact"
    assert row["flag"] == ("zero" if is_zero else "estimated" if "e" in form else "reported")


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.sampled_from(["-", "–", "—", " - "]))
def test_a_range_is_its_middle(low: int, high: int, dash: str) -> None:
    row = only(long({"Value": f"{low:,}{dash}{high:,}"}))
    assert (row["amount_t"], row["bound"]) == ((low + high) / 2, "range")


@given(st.text(max_size=12))
def test_any_other_text_is_refused_or_a_known_mark(text: str) -> None:
    text = " ".join(text.replace("\x00", "").replace('"', "").split())
    try:
        row = only(long({"Value": text}))
    except UpstreamFormatError:
        return
    number = re.fullmatch(r"e? ?[<>]? ?[\d.,]+( ?[-–—] ?[\d.,]+)? ?e?", text)
    mark = re.fullmatch(r"-|--|–|—|W|NA|XX|s|S|", text) or "½" in text or "/" in text
    assert number or mark or row["flag"] == "not_available"


@given(countries, st.permutations(LONG_HEADER))
def test_a_permutation_of_long_rows_and_columns_changes_nothing(
    order: list[str], header: list[str]
) -> None:
    rows = ({"Country": name} for name in order)
    in_order = long(*({"Country": name} for name in sorted(order)))
    assert parse(long(*rows, header=header)).equals(parse(in_order))


# --- our table


def test_the_three_layouts_say_the_same() -> None:
    from_wide = parse(
        wide({"SOURCE": "MCS2026", "TYPE": "Mine production", "PROD_2023": "",
              "PROD_EST_ 2024": "", "RESERVES_2024": "", "PROD_EST_2025": "67000"},
             header=(*WIDE_HEADER, "PROD_EST_2025"))
    )  # fmt: skip
    from_long = parse(long({"Notes": "Estimated."}))
    assert from_wide.drop("printed").equals(from_long.drop("printed"))
    assert parse(tidy()).equals(from_long)


@given(st.permutations(["CHN", "AUT", "VNM", "_X", "WLD"]), st.permutations(usgs_mcs.TIDY_COLUMNS))
def test_a_permutation_of_our_rows_and_columns_changes_nothing(
    order: list[str], header: list[str]
) -> None:
    rows = ({"economy_iso3": name} for name in order)
    in_order = tidy(*({"economy_iso3": name} for name in sorted(order)))
    assert parse(tidy(*rows, header=header)).equals(parse(in_order))


def test_the_bundled_files_are_plain_to_read_and_have_their_origin_written_down() -> None:
    files = yaml.safe_load((FOLDER / "origin.yaml").read_text("utf8"))["files"]
    assert [file["file"] for file in files] == list(usgs_mcs.CARD.bundled)
    for file in files:
        for word in ("producer", "citation", "licence", "licence_url", "url", "left_out"):
            assert file[word]
        assert isinstance(file["retrieved"], date)
        path = Path(FOLDER / file["file"])
        assert path.stat().st_size < 500_000
        with path.open(encoding="utf-8", newline="") as table:
            for line in csv.DictReader(table):
                figure = line.get("amount_t", line.get("price", "x"))
                assert not set(figure) - set("0123456789.")
                assert len(figure) <= 12
                assert line["label"].split(": ")[1]
    assert usgs_mcs.CARD.is_redistributable


# --- prices


def prices_of(edition: int) -> pl.DataFrame:
    payload = (FOLDER / f"prices_{edition}.csv").read_bytes()
    return corrected(payload, FROM_THE_PROJECT)["price_quotes"]


A_PRICE = {
    "edition": "2026", "label": "Germanium: Price_Metal_dkg", "year": "2025", "price": "4100",
    "flag": "estimated", "printed": "4,100",
}  # fmt: skip
A_PRICE_IN_LONG = {
    "MCS chapter": "GERMANIUM", "Section": "Salient Statistics—United States",
    "Commodity": "Germanium", "Country": "United States", "Statistics": "Price",
    "Statistics_detail": "Price, annual average, dollars per kilogram: Germanium metal",
    "Unit": "dollars per kilogram", "Value": "4,100", "Notes": "Estimated. -- Source: Argus.",
}  # fmt: skip


def price_table(*changes: Mapping[str, str]) -> bytes:
    return written(usgs_mcs.PRICE_COLUMNS, [{**A_PRICE, **change} for change in changes or ({},)])


@pytest.mark.parametrize(
    ("instrument", "unit", "published"),
    [
        # Mineral Commodity Summaries 2026, but for the years before 2021: 2022 to 2024.
        ("DYSPROSIUM_OXIDE", "USD per kg", [187, 179, 239, 261, 410, 382, 330, 257, 239]),
        ("NEODYMIUM_OXIDE", "USD per kg", [50, 50, 45, 49, 98, 134, 78, 56, 73]),
        ("TERBIUM_OXIDE", "USD per kg", [501, 455, 507, 670, 1340, 2050, 1300, 812, 1010]),
        ("EUROPIUM_OXIDE", "USD per kg", [77, 53, 35, 31, 31, 30, 27, 27, 27]),
        ("LANTHANUM_OXIDE", "USD per kg", [2, 2, 2, 2, 1.51, 1.39, 0.96, 0.97, 1]),
        ("GERMANIUM", "USD per kg", [1082, 1543, 1236, 1046, 1187, 1294, 1392, 1991, 4100]),
        ("COBALT_LME", "USD per lb",
         [25.28, 32.94, 14.88, 14.21, 23.17, 28.83, 15.48, 11.84, 15]),
        ("GRAPHITE_FLAKE", "USD per t", [1390, 1520, 1340, 1340, 1330, 1200, 1080, 1050, 1000]),
    ],
)  # fmt: skip
def test_the_newest_edition_of_each_year_gives_the_published_prices(
    instrument: str, unit: str, published: list[float]
) -> None:
    quotes = pl.concat(prices_of(edition) for edition in PRICES).filter(
        pl.col("instrument") == instrument
    )
    newest = quotes.sort("vintage_at").unique("price_date", keep="last").sort("price_date")
    assert newest["close"].to_list() == published
    assert newest["price_date"].to_list() == [date(year, 1, 1) for year in range(2017, 2026)]
    assert set(newest["unit"]) == {unit}
    assert set(newest["frequency"]) == {"A"}


@pytest.mark.parametrize(
    ("instrument", "first", "last"),
    [
        ("TUNGSTEN_CONCENTRATE", (2018, 261), (2025, 380)),
        ("ANTIMONY", (2018, 3.81), (2025, 25)),
        ("LITHIUM_CARBONATE", (2017, 15_000), (2023, 46_000)),
        ("LITHIUM_CARBONATE_REAL", (2021, 11_700), (2025, 9_000)),
        ("GALLIUM_LOW_PURITY", (2017, 124), (2023, 290)),
        ("GALLIUM", (2021, 277), (2025, 580)),
        ("YTTRIUM_OXIDE", (2018, 3), (2025, 9)),
    ],
)
def test_a_series_that_another_edition_prints_in_another_way_stops_there(
    instrument: str, first: tuple[int, float], last: tuple[int, float]
) -> None:
    quotes = pl.concat(prices_of(edition) for edition in PRICES).filter(
        pl.col("instrument") == instrument
    )
    in_order = quotes.sort("price_date", "vintage_at").select(
        pl.col("price_date").dt.year(), "close"
    )
    assert (in_order.row(0), in_order.row(-1)) == (first, last)


def test_every_instrument_of_a_price_is_described_in_its_unit() -> None:
    with (CHECKOUT / "dbt" / "seeds" / "seed_instruments.csv").open(encoding="utf-8") as file:
        seeds = {row["instrument"]: row for row in csv.DictReader(file)}
    for row in PRICE_LABELS:
        seed = seeds[row["instrument"]]
        assert (seed["unit"], seed["frequency"], seed["source"]) == (row["unit"], "A", "usgs_mcs")
        assert (seed["currency"], seed["kind"]) == ("USD", "commodity")
    assert len(PRICED) == len(PRICE_LABELS)


def test_a_price_is_the_same_in_our_table_and_in_the_publishers_layout() -> None:
    from_long = usgs_mcs.parse(long({}, A_PRICE_IN_LONG), LANDED)
    from_ours = usgs_mcs.parse(price_table(), LANDED)
    assert from_long["price_quotes"].equals(from_ours["price_quotes"])
    assert from_ours["price_quotes"].to_dicts() == [
        {
            "source": "usgs_mcs", "instrument": "GERMANIUM", "price_date": date(2025, 1, 1),
            "edition": 2026,
            "frequency": "A", "close": 4100.0, "adjusted_close": None, "currency": "USD",
            "unit": "USD per kg", "is_provisional": True, "vintage_at": RETRIEVED,
        }
    ]  # fmt: skip
    assert "production" not in from_ours
    assert from_long["production"].equals(parse(long()))


def test_an_extract_without_prices_has_no_quotes_and_no_figure_makes_no_quote() -> None:
    assert set(usgs_mcs.parse(long(), LANDED)) == {"production", "material_labels"}
    for mark in ("NA", "W", "XX", "—"):
        quotes = usgs_mcs.parse(long({}, {**A_PRICE_IN_LONG, "Value": mark}, A_PRICE_IN_LONG | {
            "Year": "2024"}), LANDED)["price_quotes"]  # fmt: skip
        assert quotes["price_date"].to_list() == [date(2024, 1, 1)]


@pytest.mark.parametrize(
    ("change", "error", "named"),
    [
        ({"Unit": "dollars per pound"}, UnknownCodeError, "in another unit than that of the ser"),
        ({"Unit": ""}, UnknownCodeError, "is a price in another unit"),
        (
            {"Statistics_detail": "Price, bars"},
            UnknownCodeError,
            "has the label 'Germanium: Price, b",
        ),
        ({"Value": "900–1,000"}, UpstreamFormatError, "2025: 900–1,000' is not a price"),
        ({"Value": "Variable"}, UpstreamFormatError, "2025: Variable' is not a price"),
        ({"Year": "2026"}, UpstreamFormatError, "is outside the years of the edition"),
        ({"Year": "2021–25"}, UpstreamFormatError, "is outside the years of the edition"),
    ],
)
def test_a_price_that_cannot_be_read_is_refused(
    change: Mapping[str, str], error: type[Exception], named: str
) -> None:
    with pytest.raises(error, match=named):
        parse(long({}, {**A_PRICE_IN_LONG, **change}))


@pytest.mark.parametrize(
    ("change", "error", "named"),
    [
        ({"edition": "26"}, UpstreamFormatError, "'26' is not an edition"),
        ({"flag": "zero"}, UnknownCodeError, "'zero' is not the flag of a price"),
        ({"price": "0x1"}, UpstreamFormatError, "2025: 0x1' is not a price"),
        ({"price": ""}, UpstreamFormatError, "2025' has no price"),
        ({"price": "NA"}, UpstreamFormatError, "2025' has no price"),
        ({"label": "Germanium: Price_dkg"}, UnknownCodeError, "no material has the label"),
        ({"label": "Tungsten: Reserves"}, UnknownCodeError, "give its instrument"),
        ({"year": "2019"}, UpstreamFormatError, "is outside the years of the edition"),
    ],
)
def test_a_row_of_our_table_of_prices_that_says_something_else_is_refused(
    change: Mapping[str, str], error: type[Exception], named: str
) -> None:
    with pytest.raises(error, match=named):
        usgs_mcs.parse(price_table(change), LANDED)


# --- misprints


def test_misprints_of_an_edition_are_put_right_in_it(editions: Mapping[int, pl.DataFrame]) -> None:
    for edition in (2022, 2023, 2024):
        quotes = prices_of(edition).filter(
            pl.col("instrument") == "NEODYMIUM_OXIDE", pl.col("price_date") == date(2021, 1, 1)
        )
        assert quotes["close"].to_list() == [98]
    before, after = editions[2023], editions[2024]
    assert amount(before, "zinc", "reserves", "AUS", 2022) == 66_000_000
    assert amount(before, "chromium", "extraction", "ZAF", 2021) == 18_600_000
    assert amount(before, "chromium", "extraction", "ZAF", 2022) == 18_000_000
    assert amount(before, "chromium", "reserves", "ZAF", 2022) == 200_000_000
    assert amount(before, "rhenium", "reserves", "USA", 2022) == 400
    assert amount(before, "vanadium", "reserves", "AUS", 2022) == 7_400_000
    assert amount(after, "selenium", "reserves", "CHN", 2023) == 5_000
    assert amount(editions[2026], "manganese", "reserves", "WLD", 2025) == 1_800_000_000


@pytest.mark.parametrize("document", [LANDED, FROM_THE_PROJECT])
def test_a_figure_that_its_publisher_has_put_right_is_left_as_it_is(document: Document) -> None:
    neodymium = {"edition": "2023", "label": "Rare Earths: Price_Nd2O3_dkg", "year": "2021"}
    for printed, close, status in (
        ("49", 98, "applied"), ("98", 98, "no_longer_matches"), ("97", 97, "no_longer_matches"),
    ):  # fmt: skip
        payload = price_table({**neodymium, "price": printed})
        rows, statuses = corrected_rows(usgs_mcs, payload, document)
        assert rows["price_quotes"]["close"].to_list() == [close]
        assert statuses == {"USGS-MCS-2023-ND-2021": status}
    # Of another year or edition nothing is known.
    payload = price_table({**neodymium, "edition": "2022", "year": "2020", "price": "49"})
    rows, statuses = corrected_rows(usgs_mcs, payload, document)
    assert (rows["price_quotes"]["close"].to_list(), statuses) == ([49], {})


# --- what is refused


@pytest.mark.parametrize(
    ("payload", "named"),
    [
        (wide({"COMMODITY": "Unobtainium"}), "no material has the label 'Unobtainium: "),
        (long({"Statistics_detail": "Heap leach"}), "has the label 'Tungsten: Heap leach'"),
        (tidy({"label": "Tungsten"}), "no material has the label 'Tungsten'"),
        (wide({"COUNTRY": "Atlantis"}), "no economy has the name 'Atlantis'"),
        (long({"Country": "Atlantis (sunk)"}), "no economy has the name 'Atlantis'"),
        (long({"Country": ""}), "no economy has the name ''"),
        (wide({"UNIT_MEAS": "long tons"}), "content: long tons' is not a known unit of mass"),
        (long({"Unit": ""}), "'Tungsten: Mine production: ' is not a known unit of mass"),
        (
            long({}, {"Statistics": "Resources"}),
            "'Tungsten: Mine production: resources' is not a statistic that is read",
        ),
        (tidy({"economy_iso3": "XAT"}), "'XAT' is not a known economy"),
        (tidy({"stage": "mining"}), "'mining' is not a stage"),
        (tidy({"bound": "about"}), "'about' is not a bound"),
        (tidy({"flag": "guessed"}), "'guessed' is not a flag"),
    ],
)
def test_an_unknown_name_stops_the_batch_and_is_named(payload: bytes, named: str) -> None:
    with pytest.raises(UnknownCodeError) as caught:
        parse(payload)
    assert str(caught.value).startswith("usgs_mcs: ")
    assert named in str(caught.value)


def test_production_under_a_label_of_reserves_is_no_output() -> None:
    with pytest.raises(UnknownCodeError, match="'Tungsten: Reserves' has production"):
        parse(long({"Statistics_detail": "Reserves"}))


def zipped(payload: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("MCS2025_World_Data.csv", payload)
    return file.getvalue()


@pytest.mark.parametrize(
    ("payload", "sentence"),
    [
        (b"", "the file is empty."),
        (b" \n", "the file is empty."),
        (b"<!DOCTYPE html><html></html>", "HTML page where CSV was expected."),
        (zipped(wide()), "zip archive where CSV was expected. Land the CSV inside it."),
        (zipped(wide())[:60], "zip archive where CSV was expected. Land the CSV inside it."),
        (b"\x81\x8d\x8f,b\n1,2\n", "the file is not UTF-8 text (byte 0). Save it as CSV"),
        (b"\x00\x01\x02,b\n1,2\n", "the file has NUL bytes: it is text in UTF-16, or not text."),
        (b"\x01\x02,b\n1,2\n", "the file is not text. Land MCS<year>_World_Data.csv (2025) or"),
        (long().decode().encode("utf-16"), "the file is text in UTF-16. Save it as CSV in UTF-8."),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512),
         "the file is an Excel workbook of the old kind (.xls). Save it as CSV in UTF-8."),
        (long().replace(b",", b";"), "cells are separated by semicolons or tabs where commas"),
        (wide().replace(b",", b"\t"), "cells are separated by semicolons or tabs where commas"),
        (b"a,b\n1,2\n", "the columns are those of no known layout (a, b)."),
        (wide().replace(b"UNIT_MEAS", b"UNITS"), "columns missing: unit_meas."),
        (long().replace(b"Statistics_detail", b"Detail"), "columns missing: statistics_detail."),
        (tidy().replace(b"amount_t", b"amount"), "columns missing: amount_t; not known: amount."),
        (wide().replace(b"PROD_2023", b"BEFORE").replace(b"PROD_EST_ 2024", b"LAST"),
         "no column of production of a year (PROD_2023)."),
        (wide().replace(b"PROD_EST_ 2024", b"PRODUCTION_2024"),
         "columns of a year that are not read: production_2024. Read are PROD_<year>, CAP_<year>"),
        (wide().replace(b"CAP_2023", b"CAPACITY 2023").replace(b"RESERVES_2024", b"RES_2024"),
         "columns of a year that are not read: capacity 2023, res_2024."),
        (wide().split(b"\n")[0] + b"\n", "the file has a header and no rows."),
        (wide()[:-5], "the last line (line 2) is cut."),
        (long()[:-1], "the last line (line 2) is cut."),
        (tidy()[:-1], "the last line (line 2) is cut."),
        (wide({"SOURCE": "BGS"}), "'BGS' is not an edition like MCS2025."),
        (wide({}, {"SOURCE": "MCS2026"}), "several editions in a file: MCS2025, MCS2026."),
        (long({"Section": "Import Sources", "Statistics": "Import"}),
         "no section of the world in the file."),
        (long({}, {"Section": "Mine Production and Reserves", "Year": "2024"}),
         "'Mine Production and Reserves: Tungsten: Mine production, China' is a figure of another "
         "country in a section that does not begin with World, and would not be read."),
        (long({}, {"Section": "", "Statistics": "RESERVES", "Country": "World Region"},
              {"Section": "", "Statistics": "RESERVES", "Country": "Austria"}),
         "': Tungsten: Mine production, Austria' is a figure of another country in a section"),
        (long({"Country": "Vietnam"}, {"Commodity": "Gold", "Year": "2029"}),
         "'Gold: Mine production, China, 2029' is outside the years of the edition of 2026"),
        (long({}, {"Country": "Austria", "Year": "2015"}),
         "'Tungsten: Mine production, Austria, 2015' is outside the years of the edition of 2026"),
        (wide({"SOURCE": "MCS2024"}),
         "'Tungsten: Mine production, tungsten content, China, 2024' is outside the years of the "
         "edition of 2024."),
        (tidy({"year": "2027"}), "'2027' is a year after the edition."),
        (long({"Statistics": "Reserves"}), "no production of a year in the file: its edition"),
        (long({}, {"Year": "2021–24"}),
         "'Tungsten: Mine production, 2021–24' is not a figure of a year like 2024."),
        (wide({"PROD_2023": "many"}),
         "'Tungsten: Mine production, tungsten content, China, 2023: many' is not a figure."),
        (long({"Value": "12,34"}),
         "'Tungsten: Mine production, China, 2025: 12,34' is not a figure."),
        (long({"Value": "E"}), "'Tungsten: Mine production, China, 2025: E' is not a figure."),
        (long({"Value": "-5"}), "'Tungsten: Mine production, China, 2025: -5' is not a figure."),
        (tidy({"edition": "MCS"}), "'MCS' is not an edition like 2025."),
        (tidy({"year": "24"}), "'24' is not a year like 2024."),
        (tidy({"amount_t": "many"}), "'many' is not the amount of its flag"),
        (tidy({"amount_t": "nan"}), "'nan' is not the amount of its flag"),
        (tidy({"amount_t": "-1"}), "'-1' is not the amount of its flag"),
        (tidy({"amount_t": ""}), "'' is not the amount of its flag"),
        (tidy({"flag": "withheld"}), "'67000' is not the amount of its flag"),
    ],
)  # fmt: skip
def test_what_is_not_a_summary_is_refused_in_one_sentence(payload: bytes, sentence: str) -> None:
    with pytest.raises(UpstreamFormatError) as caught:
        parse(payload)
    assert str(caught.value).startswith(f"usgs_mcs: {sentence}")
    assert not isinstance(caught.value, UnknownCodeError)


@given(st.integers(0, len(wide({}, {"COUNTRY": "Austria"}))))
def test_a_cut_file_is_refused_or_ends_with_a_whole_line(length: int) -> None:
    payload = wide({}, {"COUNTRY": "Austria"})[:length]
    try:
        rows = parse(payload)
    except UpstreamFormatError:
        assert not payload.endswith(b"\n") or payload.count(b"\n") == 1
    else:
        assert payload.endswith(b"\n")
        assert rows.height == 3 * (payload.count(b"\n") - 1)


TOTAL: Mapping[str, str] = {
    "Country": "World total",
    "Statistics_detail": "Mine production: rounded",
}
GOLD: Mapping[str, str] = {"Commodity": "Gold"}


def test_a_file_whose_last_table_breaks_off_before_its_total_is_cut() -> None:
    whole: Sequence[Mapping[str, str]] = (
        {},
        TOTAL,
        {**GOLD, "Country": "Austria"},
        {**GOLD, **TOTAL},
    )
    assert parse(long(*whole)).height == 4
    with pytest.raises(UpstreamFormatError) as caught:
        parse(long(*whole[:3], {"Year": "2024"}, {**TOTAL, "Year": "2024"}, whole[2]))
    assert str(caught.value).startswith(
        "usgs_mcs: the last table (Gold, Production, Mine production, 2025) has no world total: "
        "the file is cut. Fetch or land it again."
    )
    with pytest.raises(UpstreamFormatError, match=r"the last table \(Zinc, Mine production, zinc"):
        parse(
            wide(
                {},
                {"COUNTRY": "World total (rounded)"},
                {"COMMODITY": "Gold", "TYPE": "Mine production", "COUNTRY": "World total"},
                {"COMMODITY": "Zinc", "TYPE": "Mine production, zinc content"},
            )
        )


def test_a_table_without_a_total_may_be_the_last_where_most_have_none() -> None:
    assert parse(long({}, TOTAL, GOLD)).height == 3


def test_five_materials_are_an_extract_and_six_a_cut_publication() -> None:
    names = ("Antimony", "Cobalt", "Copper", "Gold", "Lead", "Zinc")
    assert parse(long(*({"Commodity": name} for name in names[:5]))).height == 5
    with pytest.raises(UpstreamFormatError) as caught:
        parse(long(*({"Commodity": name} for name in names)))
    assert str(caught.value) == (
        "usgs_mcs: 45 of the 51 materials of an edition are not in the file (alumina, aluminium, "
        "arsenic, ...): it is cut. Fetch or land it again; an extract contains 5 materials at most."
    )


@needs_shared
def test_in_a_whole_publication_too_the_row_that_is_wrong_is_named() -> None:
    published = (REAL / PUBLISHED[2026]).read_bytes()

    row = (
        b"World Mine Production and Reserves,Antimony,Australia,Production,Mine production,"
        b'metric tons,2024,"1,270"'
    )
    assert published.count(row) == 1
    for before, after, sentence in (
        (b"World Mine", b"Mine",
         "'Mine Production and Reserves: Antimony: Mine production, Australia' is a figure of"),
        (b"metric tons", b"short tons", "'Antimony: Mine production: short tons' is not a known"),
        (b"2024", b"2042",
         "'Antimony: Mine production, Australia, 2042' is outside the years of the edition of"),
        (b"1,270", b"1,27O",
         "'Antimony: Mine production, Australia, 2024: 1,27O' is not a figure."),
    ):  # fmt: skip
        with pytest.raises(UpstreamFormatError) as caught:
            parse(published.replace(row, row.replace(before, after)))
        assert str(caught.value).startswith(f"usgs_mcs: {sentence}")


@needs_shared
@pytest.mark.parametrize("edition", [2025, pytest.param(2026, marks=nightly)])
def test_of_a_publication_cut_at_a_line_end_no_broken_table_is_read(edition: int) -> None:
    lines = (REAL / PUBLISHED[edition]).read_bytes().split(b"\n")
    table = ["label", "stage", "year"]
    whole = parse(b"\n".join(lines)).group_by(table).agg(pl.len())
    read = 0
    for count in range(20, len(lines) - 1, 61):
        try:
            rows = parse(b"\n".join(lines[:count]) + b"\n")
        except UpstreamFormatError:
            continue
        read += 1
        of_file = rows.group_by(table).agg(pl.len()).join(whole, on=table, suffix="_whole")
        short = of_file.filter(pl.col("len") < pl.col("len_whole"))
        assert short.is_empty(), (count, short)
    assert read < 0.2 * len(lines) / 61


# --- what a figure weighs, and what a note says of it

WEIGHS = (
    ("gross", r"gross+ weight"),
    (
        "oxide",
        r"oxide \(REO\)|-oxide eq|boric oxide|arsenic trioxide|scandium oxide|alumina"
        r"|TiO2\) content|ZrO2 content|Y2O3 eq",
    ),
    ("metal", r"\bcontent|contain|magnesium metal|sponge metal|silicon metal"),
    ("ore", r"\bore\b|\bbauxite\b"),
)
"""What a label prints of what it weighs; the first that fits counts."""


def test_a_label_that_prints_what_it_weighs_has_the_word_for_it() -> None:
    labels = [
        label for label in vocabulary.material_labels("usgs_mcs").values()
        if label.stage and not label.left_out
    ]  # fmt: skip
    # `Titanium & titanium dioxide: Sponge metal`: the head of a chapter is not of its tables.
    of_table = {
        label.label: label.label
        if "metal:" in label.label.lower()
        else label.label.split(": ", 1)[1]
        for label in labels
    }
    found = {
        label: next(
            (word for word, printed in WEIGHS if re.search(printed, text, re.IGNORECASE)), None
        )
        for label, text in of_table.items()
    }
    differ = {
        label.label: (label.content_basis, found[label.label])
        for label in labels
        if found[label.label] and label.content_basis != found[label.label]
    }
    assert differ == {}
    assert {*found.values()} == {"gross", "oxide", "metal", "ore", None}


@pytest.mark.parametrize(
    ("label", "basis"),
    [
        ("Rare earths: Mine production, rare-earth-oxide equivalent", "oxide"),
        ("Zirconium: Zirconium reserves(thousand metric tons, ZrO2 content)", "oxide"),
        ("Antimony: Mine production, contained antimony", "metal"),
        ("Titanium Sponge Metal: Titanium sponge metal production", "metal"),
        ("Magnesium Compounds: Mine production, magnesite - gross weight", "gross"),
        ("Bauxite: Mine production, bauxite, dry tons", "ore"),
        # Nothing is printed: a refinery's indium is metal, but the table does not say so.
        ("Indium: Refinery production", None),
        ("Graphite (Natural): Mine production", None),
        # Left out, so that it weighs nothing here.
        ("Iron Ore: Mine production, iron content", None),
        ("Antimony: Price_Metal_dlb", None),
    ],
)
def test_what_a_label_weighs(label: str, basis: str | None) -> None:
    assert vocabulary.material_labels("usgs_mcs")[label].content_basis == basis


@needs_shared
def test_a_label_of_2026_weighs_what_the_head_of_its_chapter_says() -> None:
    """`(Data in metric tons, tungsten content, unless otherwise specified)`."""
    published = pl.read_csv(
        REAL / PUBLISHED[2026], encoding="cp1252", infer_schema=False
    ).filter(pl.col("Section").str.starts_with("World"))  # fmt: skip
    headed: dict[str, set[str]] = {}
    for commodity, detail, head in published.select(
        "Commodity", "Statistics_detail", pl.col("Other notes").str.split(" -- ").list.first()
    ).iter_rows():
        headed.setdefault(f"{commodity}: {detail}", set()).add(head or "")
    checked = 0
    for label in vocabulary.material_labels("usgs_mcs").values():
        heads = headed.get(label.label, set())
        # What a section or a note specifies otherwise.
        otherwise = ("Chromium", "Magnesium Comp", "Strontium", "Manganese", "Zirconium", "Arsenic")
        if (
            not label.stage
            or label.left_out
            or len(heads) != 1
            or label.label.startswith(otherwise)
        ):
            continue
        (head,) = heads
        if "content" in head or "equivalent" in head:
            checked += 1
            assert label.content_basis == ("oxide" if "xide" in head else "metal"), label.label
    assert checked > 50


def test_china_digs_up_its_quota_of_rare_earths() -> None:
    """As the editions of 2023 to 2026 note; that of 2026 no longer does of its last year."""
    of_china = pl.concat(
        parse((FOLDER / f"mcs_{edition}.csv").read_bytes(), FROM_THE_PROJECT).filter(
            pl.col("label").str.to_lowercase().str.starts_with("rare earths"),
            economy_iso3="CHN",
            stage="extraction",
        )
        for edition in range(2022, 2027)
    )
    noted = of_china.filter(notes="Production quota; does not include undocumented production.")
    assert noted.select("edition", "year").rows() == [
        (2023, 2021), (2023, 2022), (2024, 2022), (2024, 2023), (2025, 2023), (2025, 2024),
        (2026, 2024),
    ]  # fmt: skip
    assert of_china.height == 10


@needs_shared
def test_the_note_on_the_quota_of_the_edition_of_2024_is_the_publishers() -> None:
    printed = pl.read_csv(PAYLOADS / "mcs2024-raree_world_REAL.csv", infer_schema=False)
    (note,) = printed.filter(Country="China")["Prod_notes"]
    rows = parse((FOLDER / "mcs_2024.csv").read_bytes(), FROM_THE_PROJECT)
    bundled = rows.filter(
        pl.col("label").str.starts_with("Rare earths"), economy_iso3="CHN", stage="extraction"
    )
    assert bundled["notes"].unique().to_list() == [note]


# --- the publisher's files


@needs_shared
@pytest.mark.parametrize("edition", [2025, 2026])
def test_the_bundled_table_equals_the_publishers_file_row_for_row(edition: int) -> None:
    published = parse((REAL / PUBLISHED[edition]).read_bytes(), FROM_THE_PROJECT)
    bundled = parse((FOLDER / f"mcs_{edition}.csv").read_bytes(), FROM_THE_PROJECT)
    assert published.equals(bundled)


TO_TONNES = {
    "metric tons": 1.0,
    "thousand metric tons": 1e3,
    "thousand metric dry tons": 1e3,
    "million metric tons": 1e6,
    "kilograms": 1e-3,
}


def tidied(text: pd.Series[str]) -> pd.Series[str]:
    return text.str.replace("\u00a0", " ").str.split().str.join(" ")


def taken_labels() -> dict[str, str]:
    return {
        line["label"].casefold(): line["material"] for line in label_lines() if not line["left_out"]
    }


def sums(rows: pl.DataFrame) -> dict[tuple[str, str, int], float]:
    found = rows.group_by("material", "stage", "year").agg(pl.col("amount_t").sum())
    return {(m, s, y): total for m, s, y, total in found.iter_rows() if total}


@needs_shared
def test_the_rows_and_sums_of_mcs_2025_are_those_a_plain_reading_gives(
    editions: Mapping[int, pl.DataFrame],
) -> None:
    raw = pd.read_csv(
        REAL / PUBLISHED[2025], dtype=str, keep_default_na=False, encoding="utf-8-sig"
    ).apply(tidied)
    raw["label"] = (
        raw["COMMODITY"] + ": " + raw["TYPE"].str.replace(r", estimated$", "", regex=True)
    ).str.casefold()
    raw = raw[raw["label"].isin(taken_labels().keys()) & ~raw["COUNTRY"].str.contains(" and ")]
    raw["material"] = raw["label"].map(taken_labels())
    stage = {line["label"].casefold(): line["stage"] for line in label_lines()}
    unit = raw["UNIT_MEAS"].map(TO_TONNES)
    unit[raw["material"].str.startswith("titanium_i") | (raw["material"] == "titanium_rutile")] = (
        1e3
    )

    count = 0
    expected: Counter[tuple[str, str, int]] = Counter()
    for column, notes, year, kind in (
        ("PROD_2023", "PROD_NOTES", 2023, "production"),
        ("PROD_EST_ 2024", "PROD_NOTES", 2024, "production"),
        ("CAP_2023", "CAP_NOTES", 2023, "capacity"),
        ("CAP_EST_ 2024", "CAP_NOTES", 2024, "capacity"),
        ("RESERVES_2024", "RESERVE_NOTES", 2024, "reserves"),
    ):
        part = raw.copy()
        if kind == "reserves":
            part = part[part["material"] != "magnesium"]
            part["material"] = part["material"].replace("palladium", "platinum_group_metals")
        says = part[column].ne("") | part[notes].str.fullmatch(
            r"(?i)W for 23-24|NA|XX|Large|Small|Moderate( to Large)?|Very small"
        )
        used = part.groupby("label")[column].transform(lambda cells: cells.ne("").any())
        part = part[says | used]
        count += len(part)
        number = pd.to_numeric(part[column].str.lstrip(">").str.replace(",", ""), errors="raise")
        factor = unit[part.index].copy()
        if kind == "reserves":
            factor[part["material"].isin(["molybdenum", "vanadium"])] = 1e3
            factor[part["material"] == "iron_ore"] = 1e6
        for label, material, tonnes in zip(
            part["label"], part["material"], number * factor, strict=True
        ):
            if tonnes > 0:
                where = stage[label] if kind == "production" else kind
                where = "capacity" if (material, kind) == ("indium", "reserves") else where
                expected[material, where, year] += tonnes
    assert count == editions[2025].height == ROWS[2025]
    assert sums(editions[2025]) == pytest.approx(dict(expected), rel=1e-12)


@needs_shared
def test_the_rows_and_sums_of_mcs_2026_are_those_a_plain_reading_gives(
    editions: Mapping[int, pl.DataFrame],
) -> None:
    raw = pd.read_csv(
        REAL / PUBLISHED[2026], dtype=str, keep_default_na=False, encoding="cp1252"
    ).apply(tidied)
    raw = raw[raw["Section"].str.startswith("World")]
    detail = raw["Statistics_detail"].str.replace(r"[:,] rounded$", "", regex=True)
    raw["label"] = (raw["Commodity"] + ": " + detail).str.casefold()
    raw = raw[raw["label"].isin(taken_labels().keys())]
    assert len(raw) == editions[2026].height == ROWS[2026]
    stage = {line["label"].casefold(): line["stage"] for line in label_lines()}
    number = pd.to_numeric(
        raw["Value"].str.lstrip("<>").str.replace(",", "").replace("10000 - 15000", "12500"),
        errors="coerce",
    )
    assert set(raw["Value"][number.isna()]) == {"—", "W", "NA", "XX", "Large", "Small", "s"}
    factor = raw["Unit"].map(TO_TONNES)
    factor[raw["label"] == "vanadium: reserves"] = 1e3
    # The total of the edition before, printed once more.
    manganese = (raw["label"] == "manganese: reserves") & raw["Country"].str.startswith("World")
    assert number[manganese].to_list() == [1_700_000]
    number[manganese] = 1_800_000
    expected: Counter[tuple[str, str, int]] = Counter()
    for label, year, tonnes in zip(raw["label"], raw["Year"], number * factor, strict=True):
        if tonnes > 0:
            expected[taken_labels()[label], stage[label], int(year)] += tonnes
    assert sums(editions[2026]) == pytest.approx(dict(expected), rel=1e-12)
    marks = raw["Value"].map({"W": "withheld", "XX": "not_applicable", "—": "zero"}).value_counts()
    flags = dict(editions[2026]["flag"].value_counts().iter_rows())
    assert {flag: flags[flag] for flag in marks.index} == marks.to_dict()


TABLES_OF_COMMODITIES: Mapping[str, Mapping[str, str]] = {
    **{
        code: {"": material}
        for code, material in {
            "alumi": "aluminium", "antim": "antimony", "arsen": "arsenic", "barit": "barytes",
            "beryl": "beryllium", "bismu": "bismuth", "boron": "borate", "cadmi": "cadmium",
            "chrom": "chromium", "cobal": "cobalt", "coppe": "copper", "felds": "feldspar",
            "fluor": "fluorspar", "galli": "gallium", "germa": "germanium", "gold": "gold",
            "graph": "natural_graphite", "indiu": "indium", "lead": "lead", "lithi": "lithium",
            "manga": "manganese", "mgmet": "magnesium", "molyb": "molybdenum", "nicke": "nickel",
            "niobi": "niobium", "phosp": "phosphate_rock", "raree": "rare_earths",
            "rheni": "rhenium", "selen": "selenium", "silve": "silver", "stron": "strontium",
            "tanta": "tantalum", "tellu": "tellurium", "tin": "tin", "titan": "titanium_metal",
            "tungs": "tungsten", "vanad": "vanadium", "zinc": "zinc", "zirco": "zirconium",
        }.items()
    },
    "bauxi": {"alumina": "alumina", "": "bauxite"},
    "feore": {"usable": "iron_ore"},
    "mgcomp": {"gross weight": "magnesite"},
    "plati": {"palladium": "palladium", "platinum": "platinum"},
    "simet": {"silicon metal$": "silicon_metal"},
    # The sum of both is left out.
    "timin": {"(?:ilmenite|ilmentite).*rutile": "", "ilmenite": "titanium_ilmenite",
              "rutile": "titanium_rutile"},
}  # fmt: skip
"""By file of the editions 2022 to 2024, the material by the words in its `type`; first match."""

PLANTS = {
    "alumi", "arsen", "bismu", "cadmi", "galli", "germa", "indiu", "mgmet", "selen", "simet",
    "tellu", "titan",
}  # fmt: skip
TONNES_PER_UNIT = {"t": 1.0, "kt": 1e3, "kg": 1e-3, "Mt": 1e6, "mt": 1e6, "mmt": 1e6}


def read_plainly(edition: int) -> list[tuple[str, str, int, str, float | None]]:
    """The table of the world of an edition before 2025, from the publisher's columns, in pandas:
    material, stage, year, country and tons as printed; of what the project takes."""
    raw = pd.read_csv(OLDER / "mcs_world_2022_2024.csv.gz", dtype=str, keep_default_na=False)
    raw = raw[(raw["release"] == f"MCS{edition}") & raw["raw"].ne("")].reset_index(drop=True)
    # The first of the two tables of cobalt in 2024 is a year behind, in 42 rows; see origin.yaml.
    cobalt = raw.index[(raw["file_code"] == "cobal") & (edition == 2024)][:42]
    late = raw["year"].where(raw["year"].ne(""), str(edition - 1)).astype(int)
    late[cobalt] += raw.loc[cobalt, "year"].ne("").astype(int)
    found: dict[tuple[str, str, int, str], float | None] = {}
    for row, year in zip(raw.to_dict("records"), late, strict=True):
        materials = TABLES_OF_COMMODITIES.get(row["file_code"], {})
        kind = row["type"].casefold()
        material = next((m for words, m in materials.items() if re.search(words, kind)), "")
        if not material or "Pigment" in row["column"]:
            continue
        stage = {"C": "capacity", "R": "reserves"}.get(row["column"][0], "")
        if not stage:
            is_plant = row["file_code"] in PLANTS or kind.startswith("refinery production")
            stage = "processing" if is_plant else "extraction"
        if stage == "reserves" and material in ("palladium", "platinum"):
            # Those of the group stand beside platinum.
            if material == "palladium":
                continue
            material = "platinum_group_metals"
        if stage == "reserves" and kind.startswith("refinery production, copper"):
            continue
        unit = next(part for part in row["column"].split("_")[::-1] if part in TONNES_PER_UNIT)
        number = re.fullmatch(r"[e<>]?([0-9,.]+)", row["raw"])
        tonnes = float(number[1].replace(",", "")) * TONNES_PER_UNIT[unit] if number else None
        country = row["country"].split(", ")[0] if row["file_code"] == "boron" else row["country"]
        found[material, stage, year, country] = tonnes
    with_figures = {key[:3] for key, tonnes in found.items() if tonnes}
    return [
        (*key, tonnes)
        for key, tonnes in found.items()
        if key[1] != "reserves" or key[:3] in with_figures
    ]


RIGHT_TONNES: Mapping[tuple[int, str, str], float] = {
    (2023, "chromium", "extraction"): 1e3,
    (2023, "rhenium", "reserves"): 1e-6,
    (2023, "vanadium", "reserves"): 1e3,
    (2024, "selenium", "reserves"): 1e-3,
}
"""Columns headed with a wrong unit: what they are to be multiplied by."""


@needs_shared
@pytest.mark.parametrize("edition", [2022, 2023, 2024])
def test_the_rows_and_sums_of_an_older_edition_are_those_a_plain_reading_gives(
    editions: Mapping[int, pl.DataFrame], edition: int
) -> None:
    plain = read_plainly(edition)
    assert len(plain) == editions[edition].height == ROWS[edition]
    expected: Counter[tuple[str, str, int]] = Counter()
    for material, stage, year, country, tonnes in plain:
        if (edition, material, stage, country) == (2023, "zinc", "reserves", "Australia"):
            assert tonnes == 1_166_000_000
            tonnes = 66e6
        if tonnes:
            right = RIGHT_TONNES.get((edition, material, stage), 1.0)
            expected[material, stage, year] += tonnes * right
    assert sums(editions[edition]) == pytest.approx(dict(expected), rel=1e-9)


@needs_shared
@pytest.mark.parametrize("edition", PRICES)
def test_the_prices_of_an_edition_are_those_of_the_publishers_file(edition: int) -> None:
    if edition == 2026:
        raw = pd.read_csv(
            REAL / PUBLISHED[2026], dtype=str, keep_default_na=False, encoding="cp1252"
        ).apply(tidied)
        raw = raw[raw["Statistics"] == "Price"].rename(columns={"Year": "year", "Value": "raw"})
        raw["label"] = raw["Commodity"] + ": " + raw["Statistics_detail"]
    else:
        raw = pd.read_csv(OLDER / "mcs_salient_2022_2024.csv.gz", dtype=str, keep_default_na=False)
        raw = raw[raw["release"] == f"MCS{edition}"]
        raw["label"] = raw["commodity"] + ": " + raw["statistic"]
        if edition == 2022:  # of another series; see origin.yaml
            raw = raw[raw["commodity"] != "Tungsten"]
    raw = raw[raw["label"].isin(PRICED)]
    with (FOLDER / f"prices_{edition}.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == len(raw) == PRICES[edition]
    assert {(line["label"], line["year"]): line["printed"] for line in lines} == {
        (label, year): printed
        for label, year, printed in zip(raw["label"], raw["year"], raw["raw"], strict=True)
    }
    quotes = prices_of(edition)
    printed = sum(float(printed.replace(",", "")) for printed in raw["raw"])
    # 49 for 98, in two editions.
    put_right = 49 if edition in (2022, 2023) else 0
    assert quotes["close"].sum() == pytest.approx(printed + put_right, rel=1e-12)


@needs_shared
def test_the_prices_in_the_publishers_file_of_2026_are_the_bundled_ones() -> None:
    landed = usgs_mcs.parse((REAL / PUBLISHED[2026]).read_bytes(), LANDED)["price_quotes"]
    assert landed.drop("vintage_at").equals(prices_of(2026).drop("vintage_at"))
    assert set(landed["vintage_at"]) == {RETRIEVED}


@needs_shared
def test_every_label_of_the_publishers_files_is_in_the_list_and_no_other() -> None:
    listed = {line["label"].casefold() for line in label_lines()}
    wide_file = pd.read_csv(
        REAL / PUBLISHED[2025], dtype=str, keep_default_na=False, encoding="utf-8-sig"
    ).apply(tidied)
    kinds = wide_file["TYPE"].str.replace(r", ?estimated$", "", regex=True)
    printed = set((wide_file["COMMODITY"] + ": " + kinds).str.casefold())
    long_file = pd.read_csv(
        REAL / PUBLISHED[2026], dtype=str, keep_default_na=False, encoding="cp1252"
    ).apply(tidied)
    long_file = long_file[long_file["Section"].str.startswith("World")]
    details = long_file["Statistics_detail"].str.replace(r"[:,] rounded$", "", regex=True)
    printed |= set((long_file["Commodity"] + ": " + details).str.casefold())
    assert printed <= listed
    # Two that the file prints among other labels.
    others = {
        "platinum-group metals: reserves",
        "titanium mineral concentrates: world total (ilmenite and rutile)",
    }
    assert others <= listed - printed
    # The files of one commodity each, of the editions before, name the commodity in the file alone.
    older = pd.read_csv(OLDER / "mcs_world_2022_2024.csv.gz", dtype=str, keep_default_na=False)
    salient = pd.read_csv(OLDER / "mcs_salient_2022_2024.csv.gz", dtype=str)
    kinds = older["type"].str.replace(r", ?estimated$", "", regex=True).str.casefold()
    prices = pd.read_csv(REAL / PUBLISHED[2026], dtype=str, encoding="cp1252").apply(tidied)
    prices = prices[prices["Statistics"] == "Price"]
    known = {
        *kinds,
        *(salient["commodity"] + ": " + salient["statistic"]).str.casefold(),
        *(prices["Commodity"] + ": " + prices["Statistics_detail"]).str.casefold(),
    }
    # Three tables have a blank, NA or XX for the kind, and one names two of them in its columns.
    named_here = {
        "boron: world total", "kyanite: world total", "fluorspar: mine production, fluorspar",
        "iron oxide pigments: mine production, iron oxide pigments",
        "titanium & titanium dioxide: sponge metal production",
    }  # fmt: skip
    unknown = {
        label
        for label in listed - printed - others - named_here
        if label not in known and label.split(": ", 1)[1] not in known
    }
    assert unknown == set()
    assert {kind for kind in kinds if kind not in ("", "na", "xx")} - {
        label.split(": ", 1)[1] for label in listed
    } == {
        "sponge metal production and sponge and pigment capacity",
        "sponge metal production and sponge and pigment yearend operating capacity",
    }


@needs_shared
def test_captured_extracts_of_the_wide_layout_are_read() -> None:
    name = "MCS2025_World_Data_rare_earths_SYNTHETIC.csv"
    rows = with_material(parse((PAYLOADS / name).read_bytes()))
    assert amount(rows, "rare_earths", "extraction", "CHN", 2024) == 270_000
    assert amount(rows, "rare_earths", "extraction", "WLD", 2024) == 390_000
    # Here a zero is printed.
    canada = rows.filter(pl.col("economy_iso3") == "CAN", pl.col("stage") == "extraction")
    assert set(canada.select("amount_t", "flag", "printed").rows()) == {(0.0, "zero", "0")}
    rows = with_material(parse((PAYLOADS / "MCS2025_World_Data_FIXTURE_rows.csv").read_bytes()))
    assert amount(rows, "cobalt", "extraction", "COD", 2024) == 220_000
    assert amount(rows, "cobalt", "reserves", "WLD", 2024) == 11_000_000


@needs_shared
def test_a_captured_extract_of_the_long_layout_names_its_unknown_label() -> None:
    payload = (PAYLOADS / "MCS2026_Commodities_Data_SYNTHETIC_real_header.csv").read_bytes()
    with pytest.raises(UnknownCodeError, match="has the label 'Gallium: Primary'"):
        parse(payload)
    known = b"\n".join(
        line
        for line in payload.split(b"\n")
        if not line.startswith(b"GALLIUM") and b",Price," not in line
    )
    rows = with_material(parse(known))
    assert amount(rows, "rare_earths", "extraction", "CHN", 2024) == 270_000
    assert amount(rows, "rare_earths", "reserves", "WLD", 2025) == 90_000_000
    assert rows.filter(pl.col("year") == 2025)["economy_iso3"].n_unique() == 3


ONE_COMMODITY = (
    "usgs_mcs: editions 2022 to 2024, with a CSV per commodity, are bundled and not read as "
    "published."
)


@needs_shared
def test_a_file_of_one_commodity_of_an_older_edition_is_refused() -> None:
    with pytest.raises(UpstreamFormatError) as caught:
        parse((PAYLOADS / "mcs2024-raree_world_REAL.csv").read_bytes())
    assert str(caught.value) == ONE_COMMODITY


@pytest.mark.parametrize("member", ["mcs2022-raree_world.csv", "world/MCS2024-cobal_salient.csv"])
def test_the_archive_of_an_older_edition_is_refused(member: str) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr(member, "Source,Country,Type\nMCS2024,China,Cobalt\n")
    with pytest.raises(UpstreamFormatError) as caught:
        parse(archive.getvalue())
    assert str(caught.value) == ONE_COMMODITY


# --- the edition of 2027, in the layout of 2026

LIST = "Is critical mineral 2025"


@pytest.mark.parametrize(
    "named", ["Is critical mineral 2025", "Is critical mineral 2026", "Critical mineral"]
)
def test_an_edition_may_name_the_list_of_critical_minerals_otherwise(named: str) -> None:
    header = [named if name == LIST else name for name in LONG_HEADER]
    payload = written(
        header,
        [
            {named if name == LIST else name: cell for name, cell in A_LONG_ROW.items()}
            | {"Year": year}
            for year in ("2025", "2026")
        ],
    )
    rows = parse(payload)
    assert rows.select("edition", "year", "amount_t").rows() == [
        (2027, 2025, 67_000.0), (2027, 2026, 67_000.0),
    ]  # fmt: skip


@needs_shared
def test_a_year_later_the_published_file_of_2026_is_one_of_2027() -> None:
    payload = (REAL / PUBLISHED[2026]).read_bytes().decode("cp1252")
    table = pl.read_csv(payload.encode(), infer_schema_length=0)
    later = table.rename({"Is critical mineral 2025": "Is critical mineral 2026"}).with_columns(
        Year=pl.when(pl.col("Year").str.contains(r"^[0-9]{4}$"))
        .then((pl.col("Year").cast(pl.Int32, strict=False) + 1).cast(pl.String))
        .otherwise("Year")
    )
    rows, of_2026 = parse(later.write_csv().encode()), parse(payload.encode())
    columns = ["label", "stage", "economy_iso3", "year", "edition", "amount_t", "flag"]
    shifted = of_2026.with_columns(pl.col("year", "edition") + 1)
    assert rows.select(columns).equals(shifted.select(columns))
    assert rows.height == ROWS[2026]
