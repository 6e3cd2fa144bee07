"""The bundled months of the United Kingdom and of Brazil are the extract's, line by line."""

from __future__ import annotations

import csv
import gzip
from collections import Counter
from datetime import date, datetime
from decimal import Decimal
from types import ModuleType

import polars as pl
import pytest
import yaml

from dagster_project.errors import UnknownCodeError, UpstreamFormatError
from dagster_project.lake.schemas import TRADE_FLOWS
from dagster_project.quality.runner import evaluate
from dagster_project.quality.suites import LAKE_SUITES
from dagster_project.settings import BUNDLED
from dagster_project.sources import comexstat, hmrc
from dagster_project.sources.card import Document
from tests.conftest import SHARED, needs_shared

RETRIEVED = datetime(2026, 11, 25)
FROM_THE_PROJECT = Document("monthly_flows.csv", RETRIEVED, is_bundled=True)

PARTIAL_LINES = {
    "hmrc": {"27011210": 75, "28042910": 498, "28047010": 16, "81129289": 70, "81129295": 90},
    "comexstat": {"28042910": 90, "28047010": 18},
}
"""National lines that are a part of their HS6 code, with their rows in the extract."""


def file_of(name: str) -> bytes:
    return (BUNDLED / name / "monthly_flows.csv").read_bytes()


@pytest.fixture(scope="module")
def british() -> pl.DataFrame:
    return hmrc.parse(file_of("hmrc"), FROM_THE_PROJECT)["trade_flows"]


@pytest.fixture(scope="module")
def brazilian() -> pl.DataFrame:
    return comexstat.parse(file_of("comexstat"), FROM_THE_PROJECT)["trade_flows"]


@pytest.mark.parametrize(
    ("month", "tonnes"),
    [(date(2025, 4, 1), 79.5), (date(2025, 6, 1), 58.5), (date(2025, 11, 1), 135.8)],
)
def test_british_magnets_from_china_are_as_published(
    british: pl.DataFrame, month: date, tonnes: float
) -> None:
    flow = british.filter(
        pl.col("commodity_code") == "rare_earth_magnets",
        pl.col("flow") == "import",
        pl.col("partner_iso3") == "CHN",
        pl.col("period_start") == month,
    ).row(0, named=True)
    assert round(flow["net_weight_kg"] / 1000, 1) == tonnes
    assert (flow["is_basket"], flow["hs_revision"], flow["valuation"]) == (True, None, "CIF")


@pytest.mark.parametrize(
    ("name", "rows", "codes", "first", "last", "months"),
    [
        ("hmrc", 7205, 27, date(2024, 5, 1), date(2026, 6, 1), 26),
        ("comexstat", 2714, 22, date(2025, 1, 1), date(2026, 7, 1), 19),
    ],
)
def test_months_are_complete_and_of_one_reporter(
    name: str, rows: int, codes: int, first: date, last: date, months: int,
    request: pytest.FixtureRequest,
) -> None:  # fmt: skip
    flows: pl.DataFrame = request.getfixturevalue({"hmrc": "british"}.get(name, "brazilian"))
    assert (flows.height, flows["commodity_code"].n_unique()) == (rows, codes)
    period = flows["period_start"]
    assert (period.min(), period.max(), period.n_unique()) == (first, last, months)
    assert set(flows["frequency"]) == {"M"}
    assert set(flows["source"]) == {name}
    assert flows["reporter_iso3"].n_unique() == 1
    # Neither publisher prints a total.
    assert "WLD" not in set(flows["partner_iso3"])


def test_a_part_of_a_code_never_stands_for_it(
    british: pl.DataFrame, brazilian: pl.DataFrame
) -> None:
    for flows in (british, brazilian):
        codes = flows.filter(~pl.col("is_basket"))
        assert set(codes["hs_revision"]) == {"HS2022"}
        assert not {"280429", "280470"} & set(codes["commodity_code"])
    assert not {"270112", "811292", "850511"} & set(british["commodity_code"])
    # Brazil's line for magnets of metal is the whole code.
    assert not brazilian["is_basket"].any()
    assert {"850511", "811292"} <= set(brazilian["commodity_code"])


def test_values_are_cif_where_the_publisher_is_reported(
    british: pl.DataFrame, brazilian: pl.DataFrame
) -> None:
    assert set(british.select("flow", "valuation").iter_rows()) == {
        ("import", "CIF"), ("export", "FOB"),
    }  # fmt: skip
    assert set(brazilian["valuation"]) == {"FOB"}


def test_what_brazil_imports_from_itself_is_a_re_import(brazilian: pl.DataFrame) -> None:
    own = brazilian.filter(pl.col("partner_iso3") == "BRA")
    assert own.height == 15
    assert set(own["flow"]) == {"re_import"}
    assert set(brazilian["flow"]) == {"import", "export", "re_import"}


def test_taiwan_and_confidential_countries_bear_our_codes(
    british: pl.DataFrame, brazilian: pl.DataFrame
) -> None:
    for flows in (british, brazilian):
        assert "TWN" in set(flows["partner_iso3"])
        assert not {"S19", "n/a"} & set(flows["partner_iso3"])
    hidden = british.filter(pl.col("partner_iso3") == "_X")
    assert hidden.select("commodity_code", "flow").unique().rows() == [("251110", "export")]


def test_a_month_counts_from_the_first_day_of_the_fourth_month_after(
    british: pl.DataFrame, brazilian: pl.DataFrame
) -> None:
    for flows, month, day in (
        (british, date(2026, 6, 1), datetime(2026, 10, 1)),
        (british, date(2024, 11, 1), datetime(2025, 3, 1)),
        (brazilian, date(2026, 7, 1), datetime(2026, 11, 1)),
    ):
        of_month = flows.filter(pl.col("period_start") == month)
        assert of_month["vintage_at"].unique().to_list() == [day]
    landed = Document("more.csv", datetime(2026, 11, 26, 9), is_bundled=False)
    again = hmrc.parse(file_of("hmrc"), landed)["trade_flows"]
    assert again["vintage_at"].unique().to_list() == [datetime(2026, 11, 26, 9)]


def test_a_british_month_is_provisional_until_it_is_no_longer_revised(
    british: pl.DataFrame, brazilian: pl.DataFrame
) -> None:
    provisional = british.filter("is_provisional")["period_start"]
    final = british.filter(~pl.col("is_provisional"))["period_start"]
    # Published within two months, revised for 18 more, seen on 2026-11-25.
    assert (final.max(), provisional.min()) == (date(2025, 3, 1), date(2025, 4, 1))
    assert not brazilian["is_provisional"].any()


@pytest.mark.parametrize("name", ["british", "brazilian"])
def test_a_weight_of_zero_is_missing_and_a_value_of_zero_stays(
    name: str, request: pytest.FixtureRequest
) -> None:
    flows: pl.DataFrame = request.getfixturevalue(name)
    assert (flows["net_weight_kg"].drop_nulls() > 0).all()
    assert flows["net_weight_kg"].null_count() == {"british": 136, "brazilian": 261}[name]
    assert flows["value_usd"].null_count() == 0
    assert flows.filter(pl.col("value_usd") == 0).height == {"british": 8, "brazilian": 4}[name]


@pytest.mark.parametrize("name", ["british", "brazilian"])
def test_the_bundled_months_pass_the_rules_that_stop_or_quarantine(
    name: str, request: pytest.FixtureRequest
) -> None:
    flows: pl.DataFrame = request.getfixturevalue(name)
    rows = flows.with_columns(document=pl.lit("monthly_flows.csv"), snapshot_id=pl.lit("m-1"))
    frame = TRADE_FLOWS.conform(rows)
    assert not frame.select(TRADE_FLOWS.key).is_duplicated().any()
    results = evaluate(frame, LAKE_SUITES["trade_flows"], today=date(2026, 11, 25))
    failed = {result.check_name for result in results if result.status != "passed"}
    assert failed <= {"unit_value_is_plausible"}


def test_a_weight_that_cannot_be_is_kept_as_published_and_named(british: pl.DataFrame) -> None:
    magnets = british.filter(
        pl.col("commodity_code") == "rare_earth_magnets", pl.col("net_weight_kg") > 20_000
    ).with_columns(dollars_a_kilogram=pl.col("value_usd") / pl.col("net_weight_kg"))
    odd = magnets.filter(pl.col("dollars_a_kilogram") < 2)
    assert odd.select("partner_iso3", "period_start", "net_weight_kg").rows() == [
        ("DEU", date(2025, 6, 1), 835_613.0)
    ]
    assert "835,613 kg" in (BUNDLED / "hmrc" / "origin.yaml").read_text("utf8")


@pytest.mark.parametrize("source", [hmrc, comexstat])
def test_the_bundled_file_has_its_origin_written_down(source: ModuleType) -> None:
    name = source.CARD.name
    (file,) = yaml.safe_load((BUNDLED / name / "origin.yaml").read_text("utf8"))["files"]
    assert [file["file"]] == list(source.CARD.bundled)
    for word in ("producer", "citation", "licence", "licence_url", "url", "left_out"):
        assert file[word]
    for line in PARTIAL_LINES[name]:
        assert line in file["left_out"]
    assert len(file_of(name)) < 1 << 20


@pytest.mark.parametrize("source", [hmrc, comexstat])
def test_an_unknown_code_and_another_layout_name_the_source(source: ModuleType) -> None:
    text = file_of(source.CARD.name).decode()
    head, first, *_ = text.splitlines(keepends=True)
    unknown = head + first.replace(",ARE,", ",S19,").replace(",ARG,", ",S19,")
    with pytest.raises(
        UnknownCodeError, match=f"^{source.CARD.name}: 'S19' is not a known economy"
    ):
        source.parse(unknown.encode(), FROM_THE_PROJECT)
    with pytest.raises(UpstreamFormatError, match=f"^{source.CARD.name}: columns missing: flow"):
        source.parse((head.replace("flow,", "way,") + first).encode(), FROM_THE_PROJECT)


# ---- Counted again from the extract


def extract(name: str) -> list[dict[str, str]]:
    path = SHARED / "data" / "monthly_mirror" / "monthly_flows.csv.gz"
    with gzip.open(path, "rt", newline="") as file:
        return [row for row in csv.DictReader(file) if row["source"] == name]


def stands_for_itself(row: dict[str, str]) -> bool:
    whole = row["native_code"][6:] == "00"
    return whole or (row["source"], row["native_code"]) == ("hmrc", "85051110")


@needs_shared
@pytest.mark.parametrize("name", ["hmrc", "comexstat"])
def test_every_bundled_line_is_one_of_the_extract_and_none_is_lost(name: str) -> None:
    rows = extract(name)
    assert (
        Counter(row["native_code"] for row in rows if not stands_for_itself(row))
        == (PARTIAL_LINES[name])
    )

    def listed(row: dict[str, str]) -> tuple[str, ...]:
        partner = {"S19": "TWN", "n/a": "_X"}.get(row["partner"], row["partner"])
        flow = f"re_{row['flow']}" if partner == row["reporter"] else row["flow"]
        return row["reporter"], partner, flow, row["native_code"], row["period"]

    kept = {listed(row): row for row in rows if stands_for_itself(row)}
    with (BUNDLED / name / "monthly_flows.csv").open(encoding="utf8", newline="") as file:
        lines = list(csv.DictReader(file))
    ours = {
        (
            line["reporter_iso3"], line["partner_iso3"], line["flow"],
            line["figure_source"].rpartition(" ")[2], line["period"].replace("-", ""),
        ): line
        for line in lines
    }  # fmt: skip
    assert len(ours) == len(lines)
    assert ours.keys() == kept.keys()
    for key, line in ours.items():
        row = kept[key]
        assert Decimal(line["value_usd"]) == Decimal(row["value_usd"]), key
        weight = Decimal(row["qty_kg"])
        assert (Decimal(line["net_weight_kg"]) if line["net_weight_kg"] else 0) == weight, key
        is_basket = row["native_code"] == "85051110"
        assert line["commodity_code"] == ("rare_earth_magnets" if is_basket else row["hs6"])


@needs_shared
@pytest.mark.parametrize("name", ["hmrc", "comexstat"])
def test_sums_by_flow_are_the_extracts(name: str, request: pytest.FixtureRequest) -> None:
    flows: pl.DataFrame = request.getfixturevalue({"hmrc": "british"}.get(name, "brazilian"))
    for flow in ("import", "export"):
        rows = [row for row in extract(name) if stands_for_itself(row) and row["flow"] == flow]
        ours = flows.filter(pl.col("flow").is_in([flow, f"re_{flow}"]))
        assert ours.height == len(rows)
        for column, measure in (("value_usd", "value_usd"), ("qty_kg", "net_weight_kg")):
            total = float(sum(Decimal(row[column]) for row in rows))
            assert ours[measure].sum() == pytest.approx(total, rel=1e-12)
