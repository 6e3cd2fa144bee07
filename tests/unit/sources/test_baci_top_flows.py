"""The list of BACI's largest flows: our table of it, and what comes with the project."""

from __future__ import annotations

import csv
import gzip
from collections import Counter
from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest
import yaml

from dagster_project.errors import UnknownCodeError, UpstreamFormatError
from dagster_project.lake.schemas import RECONCILED_TRADE
from dagster_project.quality.runner import evaluate
from dagster_project.quality.suites import LAKE_SUITES
from dagster_project.settings import BUNDLED
from dagster_project.sources import baci_top_flows
from dagster_project.sources.card import Document
from tests.conftest import SHARED, needs_shared

FOLDER = BUNDLED / "baci_top_flows"
NAMES = ("top_flows_2002_2024.csv", "top_flows_2023.csv")
HEADER = "exporter_iso3,importer_iso3,hs6_code,hs_revision,year,value_usd\n"
LANDED = Document("list.csv", datetime(2026, 11, 1, 9, 30, tzinfo=UTC), is_bundled=False)


def parse(payload: bytes, document: Document = LANDED) -> pl.DataFrame:
    return baci_top_flows.parse(payload, document)["reconciled_trade"]


@pytest.fixture(scope="module")
def bundled() -> pl.DataFrame:
    return pl.concat(
        parse((FOLDER / name).read_bytes(), Document(name, datetime(2026, 11, 25), True))
        for name in NAMES
    )


def test_a_flow_is_of_its_own_source_and_counts_from_its_retrieval() -> None:
    flow = parse(f"{HEADER}CHN,JPN,850511,HS2002,2005,25500000\n".encode()).row(0, named=True)
    assert flow == {
        "source": "baci_top_flows",
        "exporter_iso3": "CHN",
        "importer_iso3": "JPN",
        "hs6_code": "850511",
        "hs_revision": "HS2002",
        "period_start": date(2005, 1, 1),
        "edition": None,
        "value_usd": 25_500_000.0,
        "net_weight_kg": None,
        "is_provisional": False,
        "vintage_at": datetime(2026, 11, 1, 9, 30),
    }


@pytest.mark.parametrize(
    ("lines", "error", "sentence"),
    [
        ("QQQ,JPN,850511,HS2002,2005,1\n", UnknownCodeError, "'QQQ' is not a known economy"),
        ("CHN,JPN,010121,HS2002,2005,1\n", UnknownCodeError,
         "'010121' is not an HS6 code in scope"),
        ("CHN,JPN,850511,HS2002,2005,1\n" * 2, UpstreamFormatError,
         "'CHN JPN 850511 HS2002 2005' is duplicated"),
    ],
)  # fmt: skip
def test_a_flaw_stops_the_list_and_is_named(
    lines: str, error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error) as caught:
        parse((HEADER + lines).encode())
    assert str(caught.value) == f"baci_top_flows: {sentence}."


def test_the_bundled_list_is_of_two_codes_and_reports_what_it_lacks(bundled: pl.DataFrame) -> None:
    assert set(bundled["hs6_code"]) == {"850511", "811292"}
    by_edition = {
        revision: set(years)
        for revision, years in bundled.group_by("hs_revision")
        .agg(pl.col("period_start").dt.year())
        .iter_rows()
    }
    assert by_edition == {
        "HS2002": set(range(2002, 2017)), "HS2017": {*range(2017, 2022), 2023, 2024},
    }  # fmt: skip
    assert bundled["net_weight_kg"].null_count() == bundled.height
    assert bundled["vintage_at"].unique().to_list() == [datetime(2026, 1, 31)]
    of_taiwan = bundled.filter(pl.any_horizontal(pl.col("exporter_iso3", "importer_iso3") == "TWN"))
    assert of_taiwan["period_start"].min() == date(2018, 1, 1)
    origins = yaml.safe_load((FOLDER / "origin.yaml").read_text("utf8"))["files"]
    assert [origin["file"] for origin in origins] == list(NAMES)
    assert baci_top_flows.CARD.bundled == NAMES
    assert all("Taiwan and Namibia" in origin["left_out"] for origin in origins)
    assert "Taiwan and Namibia" in baci_top_flows.CARD.description
    assert all((FOLDER / name).stat().st_size < 2_000_000 for name in NAMES)


def test_the_bundled_list_passes_the_suite_of_the_lake(bundled: pl.DataFrame) -> None:
    rows = bundled.with_columns(document=pl.lit(NAMES[0]), snapshot_id=pl.lit("baci_top_flows-1"))
    frame = RECONCILED_TRADE.conform(rows)
    results = evaluate(frame, LAKE_SUITES["reconciled_trade"], today=date(2026, 11, 25))
    assert {result.check_name for result in results if result.status != "passed"} == set()


@needs_shared
def test_the_bundled_list_is_the_published_one_flow_by_flow(bundled: pl.DataFrame) -> None:
    folder = SHARED / "data" / "baci_hs17"
    editions, taiwan = {"HS02": "HS2002", "HS17": "HS2017"}, {"S19": "TWN"}
    published: Counter[tuple[Any, ...]] = Counter()
    for name in ("baci_top_flows_2002_2024.csv.gz", "baci_top_flows_2023.csv.gz"):
        with gzip.open(folder / name, "rt", newline="") as lines:
            published.update(
                (
                    taiwan.get(row["exporter"], row["exporter"]),
                    taiwan.get(row["importer"], row["importer"]),
                    row["hs6"],
                    editions[row["hs_revision"]],
                    int(row["year"]),
                    float(row["value_usd"]),
                )
                for row in csv.DictReader(lines)
                if row["hs6"] in ("850511", "811292")
            )
    assert published.total() == bundled.height == 36_150 + 2_018
    assert published == Counter(
        bundled.select(
            "exporter_iso3", "importer_iso3", "hs6_code", "hs_revision",
            pl.col("period_start").dt.year(), "value_usd",
        ).iter_rows()
    )  # fmt: skip
