"""China's exports as the press gives them: months and years that are reported or follow from it."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import date, datetime
from decimal import Decimal

import polars as pl
import pytest
import yaml

from dagster_project.errors import UpstreamFormatError
from dagster_project.lake.schemas import TRADE_FLOWS
from dagster_project.quality.runner import evaluate
from dagster_project.quality.suites import LAKE_SUITES
from dagster_project.settings import BUNDLED
from dagster_project.sources import china_customs_reported
from dagster_project.sources.card import Document
from tests.conftest import SHARED, needs_shared

FOLDER = BUNDLED / "china_customs_reported"
FROM_THE_PROJECT = Document("exports.csv", datetime(2026, 11, 25), is_bundled=True)

GROUP_OF_ITEM = {
    "rare_earth_magnets": "rare_earth_magnets",
    "rare_earths_all_forms_excl_magnets": "rare_earths_all_forms",
    "gallium": "gallium",
    "germanium": "germanium",
}


def parse(payload: bytes, document: Document = FROM_THE_PROJECT) -> pl.DataFrame:
    return china_customs_reported.parse(payload, document)["trade_flows"]


@pytest.fixture(scope="module")
def exports() -> pl.DataFrame:
    return parse((FOLDER / "exports.csv").read_bytes())


def tonnes(exports: pl.DataFrame, group: str, partner: str, frequency: str) -> dict[date, float]:
    rows = exports.filter(
        pl.col("commodity_code") == group,
        pl.col("partner_iso3") == partner,
        pl.col("frequency") == frequency,
    )
    return {row["period_start"]: row["net_weight_kg"] / 1000 for row in rows.to_dicts()}


def test_magnets_fell_and_came_back_as_reported(exports: pl.DataFrame) -> None:
    world = tonnes(exports, "rare_earth_magnets", "WLD", "M")
    assert {day: world[day] for day in sorted(world) if day.year == 2025} == {
        date(2025, 1, 1): 6357, date(2025, 3, 1): 5323, date(2025, 4, 1): 2628,
        date(2025, 5, 1): 1238, date(2025, 6, 1): 3188, date(2025, 7, 1): 5577,
        date(2025, 8, 1): 6146, date(2025, 9, 1): 5774, date(2025, 10, 1): 5473,
        date(2025, 11, 1): 6150, date(2025, 12, 1): 5952,
    }  # fmt: skip
    assert tonnes(exports, "rare_earth_magnets", "JPN", "M") == {
        date(2024, 12, 1): 213, date(2025, 9, 1): 228, date(2025, 10, 1): 226.1,
        date(2025, 11, 1): 305, date(2025, 12, 1): 280,
    }  # fmt: skip
    assert tonnes(exports, "rare_earth_magnets", "WLD", "A") == {date(2025, 1, 1): 57392}


def test_worked_out_months_agree_with_the_changes_that_are_reported(exports: pl.DataFrame) -> None:
    world = tonnes(exports, "rare_earth_magnets", "WLD", "M")
    japan = tonnes(exports, "rare_earth_magnets", "JPN", "M")
    for before, after, per_cent in (
        (japan[date(2024, 12, 1)], japan[date(2025, 12, 1)], 31.4),
        (world[date(2025, 3, 1)], world[date(2026, 3, 1)], -1.6),
        (world[date(2025, 4, 1)], world[date(2025, 5, 1)], -52.9),
        (world[date(2026, 2, 1)], world[date(2026, 3, 1)], 10.5),
    ):
        assert before == round(after / (1 + per_cent / 100))


def test_gallium_and_germanium_are_metal_by_weight(exports: pl.DataFrame) -> None:
    june = date(2025, 6, 1)
    assert [
        tonnes(exports, "gallium", partner, "M")[june] for partner in ("WLD", "JPN", "DEU")
    ] == [4.26, 2.004, 2.0]
    # A published 0 is a figure.
    assert tonnes(exports, "gallium", "WLD", "M")[date(2025, 5, 1)] == 0
    assert tonnes(exports, "germanium", "JPN", "M")[june] == 0


def test_rows_are_exports_by_weight_of_four_groups(exports: pl.DataFrame) -> None:
    assert exports.height == 80
    assert set(exports["commodity_code"]) == set(GROUP_OF_ITEM.values())
    assert exports["is_basket"].all()
    assert exports["hs_revision"].null_count() == exports["value_usd"].null_count() == 80
    assert exports["net_weight_kg"].null_count() == 0
    # An exporter's reports, which no share is made of.
    assert set(exports.select("reporter_iso3", "flow").iter_rows()) == {("CHN", "export")}


def test_partners_do_not_exceed_the_world(exports: pl.DataFrame) -> None:
    slices = exports.group_by("commodity_code", "frequency", "period_start").agg(
        pl.col("net_weight_kg").filter(pl.col("partner_iso3") == "WLD").first().alias("world"),
        pl.col("net_weight_kg").filter(pl.col("partner_iso3") != "WLD").sum().alias("partners"),
    )
    # Of magnets in December 2024 only those to Japan are known.
    without = slices.filter(pl.col("world").is_null())
    assert without["period_start"].to_list() == [date(2024, 12, 1)]
    assert (slices["partners"] <= slices["world"]).drop_nulls().all()


def test_partners_that_weigh_more_than_their_total_are_refused() -> None:
    """A column that moved by a row: no values show it."""
    text = (FOLDER / "exports.csv").read_text("utf8")
    moved = text.replace(
        "CHN,WLD,export,gallium,M,2025-07,,9007", "CHN,WLD,export,gallium,M,2025-07,,392"
    )
    assert moved != text
    with pytest.raises(UpstreamFormatError, match="'export of gallium, 2025-07' has partners that"):
        parse(moved.encode())


def test_a_figure_does_not_count_before_its_report(exports: pl.DataFrame) -> None:
    counts = {
        (row["commodity_code"], row["frequency"], row["period_start"]): row["vintage_at"]
        for row in exports.to_dicts()
        if row["partner_iso3"] == "WLD"
    }
    # The convention: magnets of May 2025 were reported in July, and count from September.
    assert counts["rare_earth_magnets", "M", date(2025, 5, 1)] == datetime(2025, 9, 1)
    assert counts["rare_earth_magnets", "A", date(2025, 1, 1)] == datetime(2026, 7, 1)
    # Read in a later report.
    assert counts["gallium", "M", date(2023, 3, 1)] == datetime(2024, 4, 22)
    assert counts["gallium", "A", date(2024, 1, 1)] == datetime(2026, 1, 20)
    assert exports["vintage_at"].max() == datetime(2026, 7, 1)


def test_a_landed_figure_counts_from_its_retrieval(exports: pl.DataFrame) -> None:
    landed = Document("mine.csv", datetime(2026, 11, 26, 9), is_bundled=False)
    again = parse((FOLDER / "exports.csv").read_bytes(), landed)
    assert again["vintage_at"].unique().to_list() == [datetime(2026, 11, 26, 9)]


def test_a_report_without_a_day_is_refused() -> None:
    head, first, *_ = (FOLDER / "exports.csv").read_text("utf8").splitlines(keepends=True)
    for cell in ("", "2026-01", "2026-02-30"):
        changed = first.replace(",2026-01-20,", f",{cell},")
        assert changed != first
        with pytest.raises(UpstreamFormatError, match=f"^china_customs_reported: '{cell}' is not"):
            parse((head + changed).encode())
    with pytest.raises(UpstreamFormatError, match="columns missing: reported_on"):
        parse((head.replace("reported_on", "remark") + first).encode())


def test_the_bundled_figures_pass_the_rules(exports: pl.DataFrame) -> None:
    rows = exports.with_columns(document=pl.lit("exports.csv"), snapshot_id=pl.lit("c-1"))
    frame = TRADE_FLOWS.conform(rows)
    assert not frame.select(TRADE_FLOWS.key).is_duplicated().any()
    results = evaluate(frame, LAKE_SUITES["trade_flows"], today=date(2026, 11, 25))
    assert {result.check_name for result in results if result.status != "passed"} == set()


def test_the_origin_names_what_is_left_out_and_what_is_worked_out() -> None:
    (file,) = yaml.safe_load((FOLDER / "origin.yaml").read_text("utf8"))["files"]
    assert [file["file"]] == list(china_customs_reported.CARD.bundled)
    for word in ("producer", "citation", "licence", "licence_url", "url"):
        assert file[word]
    for figure in ("5,774 t", "5,773"):
        assert figure in file["left_out"]
    for figure in ("213 t", "5,323 t", "2,628 t", "4,740 t", "15 t"):
        assert figure in file["citation"]
    assert "`reported`" in china_customs_reported.CARD.description
    assert not hasattr(china_customs_reported, "plan")


@needs_shared
def test_every_month_and_year_is_bundled_and_no_sum_over_several_months() -> None:
    path = SHARED / "data" / "china_customs_reported" / "china_customs_reported.csv"
    with path.open(encoding="utf8", newline="") as file:
        figures = list(csv.DictReader(file))
    assert len(figures) == 91
    derived = [row for row in figures if row["kind"] != "reported"]
    cumulated = [row for row in figures if "/" in row["period"]]
    assert (len(derived), len(cumulated)) == (4, 11)
    assert not [row for row in derived if row in cumulated]
    kept = [row for row in figures if row not in cumulated]
    with (FOLDER / "exports.csv").open(encoding="utf8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert Counter(
        (
            GROUP_OF_ITEM[row["item"]], row["period"], row["partner_iso3"],
            Decimal(row["quantity"]) * {"t": 1000, "kg": 1}[row["unit"]],
        )
        for row in kept
    ) == Counter(
        (
            line["commodity_code"], line["period"], line["partner_iso3"],
            Decimal(line["net_weight_kg"]),
        )
        for line in lines
    )  # fmt: skip
    read_at = {row["read_at"] for row in kept}
    for line in lines:
        report = line["figure_source"].partition(": ")[2].partition(";")[0]
        assert report in read_at
        assert (line["frequency"] == "A") is (len(line["period"]) == 4)
    assert Counter(
        line["figure_source"].partition("; worked out: ")[2]
        for line in lines
        if "; worked out: " in line["figure_source"]
    ) == Counter(row["kind"].removeprefix("derived: ") for row in derived)
