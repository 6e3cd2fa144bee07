"""UN Comtrade v1: what it is asked, how a cut answer is asked again, and what its rows become."""

from __future__ import annotations

import csv
import gzip
import io
import json
import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import openpyxl
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.errors import (
    ConfigurationError,
    DeniedError,
    UnknownCodeError,
    UpstreamFormatError,
)
from dagster_project.lake.schemas import TRADE_FLOWS
from dagster_project.lake.vocabulary import economies
from dagster_project.sources import comtrade
from dagster_project.sources.card import (
    Answer,
    Document,
    Done,
    Extract,
    Instead,
    Meaning,
    Request,
    Scope,
    Stop,
    Window,
    windows_between,
)
from tests.conftest import SHARED, needs_shared
from tests.nightly import times

RETRIEVED = datetime(2026, 11, 1, 9, 30)
FETCHED = Document("C-M-HS-2025-06.json", RETRIEVED, is_bundled=False)
PAYLOADS = SHARED / "payloads" / "comtrade"

# A row as the API sends it: Japan's imports of magnets from China in June 2025.
ROW: Mapping[str, Any] = {
    "typeCode": "C", "freqCode": "M", "refPeriodId": 20250601, "refYear": 2025, "refMonth": 6,
    "period": "202506", "reporterCode": 392, "reporterISO": None, "reporterDesc": None,
    "flowCode": "M", "flowDesc": None, "partnerCode": 156, "partnerISO": None,
    "partnerDesc": None, "partner2Code": 0, "partner2ISO": None, "partner2Desc": None,
    "classificationCode": "H6", "classificationSearchCode": "HS",
    "isOriginalClassification": True, "cmdCode": "850511", "cmdDesc": None, "aggrLevel": None,
    "isLeaf": None, "customsCode": "C00", "customsDesc": None, "mosCode": "0", "motCode": 0,
    "motDesc": None, "qtyUnitCode": 8, "qtyUnitAbbr": None, "qty": 12.5, "isQtyEstimated": False,
    "altQtyUnitCode": -1, "altQtyUnitAbbr": None, "altQty": None, "isAltQtyEstimated": False,
    "netWgt": 12.5, "isNetWgtEstimated": False, "grossWgt": None, "isGrossWgtEstimated": False,
    "cifvalue": 1000.0, "fobvalue": None, "primaryValue": 1000.0, "legacyEstimationFlag": 0,
    "isReported": True, "isAggregate": False,
}  # fmt: skip
BREAKDOWNS = ("partner2Code", "customsCode", "motCode")
BULK_COLUMNS = (
    *("datasetCode", "typeCode", "freqCode", "refPeriodId", "refYear", "refMonth", "period"),
    *("reporterCode", "flowCode", "partnerCode", "partner2Code", "classificationSearchCode"),
    *("classificationCode", "isOriginalClassification", "cmdCode", "customsCode", "mosCode"),
    *("motCode", "qtyUnitCode", "qty", "isQtyEstimated", "altQtyUnitCode", "altQty"),
    *("isAltQtyEstimated", "netWgt", "isnetWgtEstimated", "grossWgt", "isgrossWgtEstimated"),
    *("cifValue", "fobValue", "primaryValue", "legacyEstimationFlag", "isReported", "isAggregate"),
)


def row(value: float | None = 1000.0, **changes: Any) -> dict[str, Any]:
    """ROW with other cells; `value` is its value, with freight and insurance."""
    return {**ROW, "cifvalue": value, "primaryValue": value, **changes}


def without(*names: str, **changes: Any) -> dict[str, Any]:
    return {name: cell for name, cell in row(**changes).items() if name not in names}


def answer(*rows: Mapping[str, Any], **changes: Any) -> bytes:
    whole = {"elapsedTime": "0.21 secs", "count": len(rows), "data": rows, "error": ""}
    return json.dumps({**whole, **changes}).encode()


def parse(payload: bytes, document: Document = FETCHED) -> pl.DataFrame:
    return comtrade.parse(payload, document)["trade_flows"]


def rows_of(*rows: Mapping[str, Any]) -> pl.DataFrame:
    return parse(answer(*rows))


def refusal(payload: bytes, kind: type[UpstreamFormatError] = UpstreamFormatError) -> str:
    with pytest.raises(kind) as caught:
        parse(payload)
    return str(caught.value)


# What a row becomes.


def test_a_row_reports_what_was_declared_by_whom_and_when_it_was_retrieved() -> None:
    assert rows_of(row()).to_dicts() == [
        {
            "source": "comtrade",
            "reporter_iso3": "JPN",
            "partner_iso3": "CHN",
            "flow": "import",
            "commodity_code": "850511",
            "is_basket": False,
            "hs_revision": "HS2022",
            "frequency": "M",
            "period_start": date(2025, 6, 1),
            "procedure_code": None,
            "transport_code": None,
            "second_partner_iso3": None,
            "value_usd": 1000.0,
            "net_weight_kg": 12.5,
            "valuation": "CIF",
            "is_provisional": False,
            "vintage_at": RETRIEVED,
        }
    ]


def test_a_year_starts_on_its_first_day() -> None:
    (found,) = rows_of(row(freqCode="A", period="2024", refMonth=52)).to_dicts()
    assert (found["frequency"], found["period_start"]) == ("A", date(2024, 1, 1))


def test_the_frame_fits_the_lake_once_its_provenance_is_added() -> None:
    for payload in (answer(row()), answer()):
        frame = parse(payload).with_columns(document=pl.lit("x"), snapshot_id=pl.lit("comtrade-1"))
        assert TRADE_FLOWS.conform(frame).schema == TRADE_FLOWS.polars_schema


def test_an_answer_without_rows_is_an_empty_table_of_the_same_columns() -> None:
    empty = parse(b'{"elapsedTime":"0.58 secs","count":0,"data":[],"error":""}')
    assert empty.is_empty()
    assert empty.schema == rows_of(row()).schema


def test_a_time_of_retrieval_with_a_zone_is_kept_in_utc() -> None:
    document = replace(FETCHED, retrieved_at=RETRIEVED.replace(tzinfo=UTC))
    assert parse(answer(row()), document)["vintage_at"].to_list() == [RETRIEVED]


def test_economies_are_known_by_the_publishers_own_numbers() -> None:
    numbers = (842, 251, 699, 757, 579, 490, 380, 0, 899, 58)
    found = rows_of(*(row(partnerCode=number) for number in numbers))
    assert set(found["partner_iso3"]) == {
        *("USA", "FRA", "IND", "CHE", "NOR", "TWN", "ITA", "WLD", "_X", "BEL"),
    }


@pytest.mark.parametrize(
    ("code", "flow", "valuation"),
    [
        ("M", "import", "CIF"),
        ("X", "export", "FOB"),
        ("RM", "re_import", "CIF"),
        ("RX", "re_export", "FOB"),
    ],
)
def test_a_flow_without_its_kind_of_value_is_valued_by_convention(
    code: str, flow: str, valuation: str
) -> None:
    (found,) = rows_of(row(flowCode=code, cifvalue=None, fobvalue=None)).to_dicts()
    assert (found["flow"], found["valuation"]) == (flow, valuation)


@pytest.mark.parametrize(
    ("cif", "fob", "valuation"),
    [(1000.0, 900.0, "CIF"), (1100.0, 1000.0, "FOB"), (1000.0, 1000.0, "CIF"), (9.0, 8.0, "CIF")],
)
def test_the_valuation_of_an_import_is_that_of_the_value_it_equals(
    cif: float, fob: float, valuation: str
) -> None:
    (found,) = rows_of(row(cifvalue=cif, fobvalue=fob, primaryValue=1000.0)).to_dicts()
    assert (found["value_usd"], found["valuation"]) == (1000.0, valuation)


def test_a_value_of_nothing_gives_no_valuation() -> None:
    (found,) = rows_of(row(0.0, flowCode="X", fobvalue=0.0)).to_dicts()
    assert (found["value_usd"], found["valuation"]) == (0.0, "FOB")


@pytest.mark.parametrize(
    ("value", "weight", "kept"),
    [(1000.0, 0, None), (1000.0, None, None), (0.0, 0, 0.0), (None, 0, 0.0), (1000.0, 2.5, 2.5)],
)
def test_a_weight_of_zero_beside_a_value_was_not_reported(
    value: float | None, weight: float | None, kept: float | None
) -> None:
    (found,) = rows_of(row(value, netWgt=weight)).to_dicts()
    assert (found["value_usd"], found["net_weight_kg"]) == (value, kept)


@pytest.mark.parametrize(
    ("code", "edition"),
    [
        ("H0", "HS1992"),
        ("H1", "HS1996"),
        ("H2", "HS2002"),
        ("H3", "HS2007"),
        ("H4", "HS2012"),
        ("H5", "HS2017"),
        ("H6", "HS2022"),
    ],
)
def test_an_edition_of_the_hs_is_known_by_its_year(code: str, edition: str) -> None:
    assert rows_of(row(classificationCode=code))["hs_revision"].to_list() == [edition]


# What is dropped on purpose.


def test_totals_headings_and_codes_out_of_scope_are_dropped() -> None:
    others = [row(cmdCode=code) for code in ("TOTAL", "85", "8505", "AG2", "010121")]
    assert rows_of(row(), *others).equals(rows_of(row()))


@pytest.mark.parametrize("flow", ["DX", "FM", "MIP", "XIP", "MOP", "XOP"])
def test_a_part_of_a_flow_is_dropped(flow: str) -> None:
    assert rows_of(row(), row(flowCode=flow)).equals(rows_of(row()))


@pytest.mark.parametrize("number", [97, 975])
def test_a_group_of_economies_is_dropped_as_a_reporter(number: int) -> None:
    assert rows_of(row(), row(reporterCode=number)).equals(rows_of(row()))


def test_of_a_flow_in_two_editions_the_reporters_own_is_kept() -> None:
    own = [row(partnerCode=156), row(partnerCode=0)]
    converted = [
        row(7.0, partnerCode=number, classificationCode="H5", isOriginalClassification=False)
        for number in (156, 0, 704)
    ]
    other_month = {**converted[0], "period": "202505"}
    found = rows_of(*converted, *own, other_month)
    assert found.filter(pl.col("period_start") == date(2025, 6, 1)).equals(rows_of(*own))
    assert found.filter(pl.col("period_start") == date(2025, 5, 1))["hs_revision"].item() == (
        "HS2017"
    )


def test_two_editions_that_the_reporter_used_itself_are_both_kept() -> None:
    found = rows_of(row(), row(7.0, classificationCode="H5"))
    assert dict(found.select("hs_revision", "value_usd").iter_rows()) == {
        "HS2017": 7.0,
        "HS2022": 1000.0,
    }


# Breakdowns, duplicates and partners under several numbers.


def test_a_breakdown_keeps_its_codes_and_a_total_has_none() -> None:
    found = rows_of(
        row(),
        row(600.0, motCode=2100),
        row(400.0, customsCode="C04"),
        row(300.0, partner2Code=702),
    )
    breakdown = ("procedure_code", "transport_code", "second_partner_iso3")
    assert {
        tuple(one[name] for name in breakdown): one["value_usd"] for one in found.to_dicts()
    } == {
        (None, None, None): 1000.0,
        (None, "2100", None): 600.0,
        ("C04", None, None): 400.0,
        (None, None, "SGP"): 300.0,
    }


def test_of_rows_with_one_key_the_largest_value_counts_and_nothing_is_summed() -> None:
    found = rows_of(
        row(400.0, netWgt=4.0), row(1000.0, netWgt=9.0), row(1000.0, netWgt=9.0), row(None)
    )
    assert found.select("value_usd", "net_weight_kg").rows() == [(1000.0, 9.0)]


def test_of_equal_values_the_one_with_a_weight_counts() -> None:
    found = rows_of(row(netWgt=None), row(netWgt=5.0), row(netWgt=0))
    assert found["net_weight_kg"].to_list() == [5.0]


def test_rows_that_lost_their_breakdown_count_once_with_the_total() -> None:
    lost = [without(*BREAKDOWNS, value=value) for value in (600.0, 1000.0, 400.0)]
    assert rows_of(*lost).equals(rows_of(row()))


def test_partners_that_are_one_economy_here_are_summed() -> None:
    # Areas, bunkers and special categories: all of them are `_X`.
    found = rows_of(
        row(100.0, partnerCode=899, netWgt=1.0),
        row(20.0, partnerCode=837, netWgt=2.0),
        row(20.0, partnerCode=837, netWgt=2.0),
        row(3.0, partnerCode=839, netWgt=4.0),
    )
    assert found.select("partner_iso3", "value_usd", "net_weight_kg").rows() == [("_X", 123.0, 7.0)]


def test_a_sum_with_a_missing_weight_has_none() -> None:
    found = rows_of(row(100.0, partnerCode=899, netWgt=1.0), row(20.0, partnerCode=837, netWgt=0))
    assert found.select("value_usd", "net_weight_kg").rows() == [(120.0, None)]


def test_second_partners_that_are_one_economy_here_are_summed() -> None:
    found = rows_of(row(100.0, partner2Code=899), row(20.0, partner2Code=837), row())
    assert dict(found.select("second_partner_iso3", "value_usd").iter_rows()) == {
        "_X": 120.0,
        None: 1000.0,
    }


def test_two_numbers_of_one_reporter_are_not_summed() -> None:
    found = rows_of(row(100.0, reporterCode=490), row(100.0, reporterCode=158))
    assert found.select("reporter_iso3", "value_usd").rows() == [("TWN", 100.0)]


# Layouts.


def as_csv(rows: Iterable[Mapping[str, Any]], columns: Sequence[str] = tuple(ROW)) -> bytes:
    out = io.StringIO()
    table = csv.DictWriter(out, columns, extrasaction="ignore", lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    return out.getvalue().encode()


def as_bulk(rows: Iterable[Mapping[str, Any]]) -> bytes:
    lines = ["\t".join(BULK_COLUMNS)]
    for one in rows:
        by_name = {"datasetcode": "20392202506", **{k.lower(): v for k, v in one.items()}}
        cells = (by_name[name.lower()] for name in BULK_COLUMNS)
        lines.append("\t".join("" if cell is None else str(cell) for cell in cells))
    return "\r\n".join([*lines, ""]).encode()


def as_xlsx(rows: Iterable[Mapping[str, Any]], second_sheet: bool = True) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.append(list(ROW))
    for one in rows:
        sheet.append([one[name] for name in ROW])
    if second_sheet:
        book.create_sheet("Sheet2").append(["notes"])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


WORLD = [
    row(1000.0, partnerCode=0, netWgt=None),
    row(700.5, partnerCode=156, cmdDesc='Magnets; permanent, of "metal"', partnerDesc="Türkiye"),
    row(299.5, partnerCode=704, netWgt=0),
    row(80.0, flowCode="X", cifvalue=None, fobvalue=80.0, partnerCode=842),
    row(600.0, motCode=2100),
    row(12.0, cmdCode="TOTAL"),
    row(5.0, freqCode="A", period="2024", classificationCode="H5", reporterCode=842),
]


@pytest.mark.parametrize(
    "payload",
    [
        b"\xef\xbb\xbf" + answer(*WORLD),
        json.dumps(json.loads(answer(*WORLD)), indent=4).encode(),
        answer(*({name.upper(): cell for name, cell in one.items()} for one in WORLD)),
        answer(*({**one, "newColumn": "x"} for one in WORLD)),
        answer(*(dict(reversed(one.items())) for one in WORLD)),
        as_csv(WORLD),
        as_csv(WORLD, [name for name in reversed(ROW) if "Desc" not in name]),
        as_csv(WORLD).replace(b"\n", b"\r\n"),
        b"\xef\xbb\xbf" + as_csv(WORLD),
        as_bulk(WORLD),
        gzip.compress(as_bulk(WORLD)),
        gzip.compress(answer(*WORLD)),
        as_xlsx(WORLD),
        as_xlsx(WORLD, second_sheet=False),
    ],
)  # fmt: skip
def test_every_layout_of_the_publisher_agrees(payload: bytes) -> None:
    expected = parse(answer(*WORLD))
    assert expected.height == 6
    assert parse(payload).equals(expected)


def test_whole_numbers_that_another_program_wrote_with_a_point_are_codes() -> None:
    changes = {"reporterCode": 392.0, "partnerCode": 156.0, "motCode": 0.0, "partner2Code": 0.0}
    assert parse(as_csv([row(**changes)])).equals(rows_of(row()))
    assert rows_of(row(**changes, period="202506.0")).equals(rows_of(row()))


@needs_shared
def test_a_captured_month_is_read() -> None:
    found = parse((PAYLOADS / "get_C_M_HS_monthly_SYNTHETIC.json").read_bytes())
    assert found.select("partner_iso3", "value_usd", "net_weight_kg").rows() == [
        ("CHN", 412_345_678.0, 1_204_500.0),
        ("VNM", 88_345_120.5, 402_100.0),
        ("WLD", 623_456_789.0, 2_104_500.0),
    ]
    assert found["period_start"].unique().to_list() == [date(2025, 6, 1)]


@needs_shared
@pytest.mark.parametrize("name", ["bulk_final_SYNTHETIC.txt", "bulk_final_SYNTHETIC.txt.gz"])
def test_a_bulk_file_is_read(name: str) -> None:
    (found,) = parse((PAYLOADS / name).read_bytes()).to_dicts()
    assert (found["reporter_iso3"], found["partner_iso3"], found["commodity_code"]) == (
        "JPN",
        "CHN",
        "284690",
    )
    assert (found["value_usd"], found["net_weight_kg"]) == (412_345_678.0, 1_204_500.0)


@needs_shared
def test_a_captured_year_of_totals_alone_is_refused() -> None:
    payload = (PAYLOADS / "get_C_A_HS_annual_REAL.json").read_bytes()
    assert refusal(payload).startswith("comtrade: no row is of an HS6 code in scope.")


@needs_shared
@pytest.mark.parametrize("name", ["china", "world"])
def test_a_workbook_of_the_publisher_is_read_code_by_code(name: str) -> None:
    file = SHARED / "data" / "comtrade_v1_sample" / f"comtrade_v1_{name}.xlsx"
    # Independent of the parser: the cells of the first sheet. Headings of four digits are left out.
    sheet = openpyxl.load_workbook(file).worksheets[0]
    header, *cells = sheet.iter_rows(values_only=True)
    table = [dict(zip(header, line, strict=True)) for line in cells]
    iso3 = {36: "AUS", 392: "JPN", 699: "IND", 842: "USA", 156: "CHN", 0: "WLD"}
    expected = {
        (
            iso3[int(str(one["reporterCode"]))],
            iso3[int(str(one["partnerCode"]))],
            date(int(str(one["period"])), 1, 1),
            {"H5": "HS2017", "H6": "HS2022"}[str(one["classificationCode"])],
        ): (one["primaryValue"], one["netWgt"] or None)
        for one in table
        if one["cmdCode"] == "282520"
    }
    found = {
        (one["reporter_iso3"], one["partner_iso3"], one["period_start"], one["hs_revision"]): (
            one["value_usd"],
            one["net_weight_kg"],
        )
        for one in parse(file.read_bytes()).to_dicts()
    }
    assert len(expected) == 24
    assert found == expected


# Pinned and not pinned.


def raw_pull() -> pl.DataFrame:
    """A pull of 2024 that lost its breakdown columns: the total and its parts of each flow."""
    file = SHARED / "data" / "comtrade_raw" / "comtrade_2024.csv.gz"
    return pl.read_csv(file, schema_overrides={"reporter": pl.Int64, "cmd": pl.String})


@needs_shared
def test_a_pull_that_was_not_pinned_counts_each_flow_once() -> None:
    raw = raw_pull().filter(pl.col("cmd").is_in(["850511", "280530", "284690"]))
    found = rows_of(
        *(
            {
                **without(*BREAKDOWNS),
                "freqCode": "A",
                "period": "2024",
                "reporterCode": one["reporter"],
                "partnerCode": one["partner"],
                "cmdCode": one["cmd"],
                "flowCode": one["flow"],
                "netWgt": one["netwgt"],
                "primaryValue": one["value"],
                "cifvalue": None,
                "fobvalue": None,
            }
            for one in raw.to_dicts()
        )
    )
    totals = found.filter(pl.col("flow") == "import", pl.col("partner_iso3") == "WLD")
    world = raw.filter(pl.col("partner") == 0, pl.col("flow") == "M")
    largest: dict[tuple[int, str], float] = {}
    for one in world.to_dicts():
        key = (one["reporter"], one["cmd"])
        largest[key] = max(one["value"], largest.get(key, 0.0))
    assert totals.height == len(largest)
    assert totals["value_usd"].sum() == pytest.approx(sum(largest.values()))
    japan = totals.filter(pl.col("reporter_iso3") == "JPN", pl.col("commodity_code") == "850511")
    assert japan["value_usd"].to_list() == [largest[392, "850511"]]
    # Japan's magnets from China in 2024, as its customs printed them.
    (china,) = found.filter(
        pl.col("reporter_iso3") == "JPN",
        pl.col("partner_iso3") == "CHN",
        pl.col("flow") == "import",
        pl.col("commodity_code") == "850511",
    ).to_dicts()
    assert (round(china["value_usd"]), round(china["net_weight_kg"])) == (157_519_222, 3_682_183)


amount = st.integers(1, 10**9).map(float)


@given(
    st.dictionaries(
        st.tuples(st.sampled_from([0, 156, 704, 842]), st.sampled_from("MX")),
        st.lists(amount, min_size=1, max_size=4),
        min_size=1,
        max_size=8,
    ),
    st.randoms(use_true_random=False),
)
def test_the_totals_of_an_answer_that_is_not_pinned_are_those_of_a_pinned_one(
    flows: dict[tuple[int, str], list[float]], chance: random.Random
) -> None:
    """Each flow comes by modes of transport, with their total beside them."""
    totals = [
        row(sum(parts), partnerCode=partner, flowCode=flow)
        for (partner, flow), parts in flows.items()
    ]
    parts = [
        row(value, partnerCode=partner, flowCode=flow, motCode=1000 + number)
        for (partner, flow), values in flows.items()
        for number, value in enumerate(values)
    ]
    everything = [*totals, *parts]
    chance.shuffle(everything)
    found = rows_of(*everything)
    assert found.filter(pl.col("transport_code").is_null()).equals(rows_of(*totals))
    without_columns = [
        {name: cell for name, cell in one.items() if name not in BREAKDOWNS} for one in everything
    ]
    assert rows_of(*without_columns).equals(rows_of(*totals))


cells = st.fixed_dictionaries(
    {
        "value": st.none() | amount,
        "partnerCode": st.sampled_from([0, 156, 899, 837, 490]),
        "partner2Code": st.sampled_from([0, 899, 838]),
        "flowCode": st.sampled_from(["M", "X", "RX", "DX"]),
        "classificationCode": st.sampled_from(["H5", "H6"]),
        "isOriginalClassification": st.booleans(),
        "netWgt": st.none() | st.sampled_from([0, 1.5, 0.1, 2e9]),
        "motCode": st.sampled_from([0, 2100]),
    }
)


@given(st.lists(cells, min_size=1, max_size=12).flatmap(
    lambda rows: st.tuples(st.just(rows), st.permutations(rows))
))  # fmt: skip
def test_the_order_of_the_rows_changes_nothing(
    orders: tuple[list[dict[str, Any]], list[dict[str, Any]]],
) -> None:
    first, second = (rows_of(*(row(**one) for one in rows)) for rows in orders)
    assert first.equals(second)
    assert not first.select(TRADE_FLOWS.key).is_duplicated().any()


@given(st.integers(0, len(answer(*WORLD))))
@settings(max_examples=times(at_night=200, by_day=50))
def test_a_cut_answer_is_refused_or_whole(length: int) -> None:
    whole = answer(*WORLD)
    try:
        found = parse(whole[:length])
    except UpstreamFormatError:
        assert length < len(whole)
    else:
        assert found.equals(parse(whole))


@given(st.integers(0, len(as_bulk(WORLD))))
@settings(max_examples=times(at_night=200, by_day=50))
def test_a_cut_bulk_file_is_refused_or_ends_with_a_whole_line(length: int) -> None:
    payload = as_bulk(WORLD)[:length]
    try:
        found = parse(payload)
    except UpstreamFormatError:
        return
    lines = payload.rstrip(b"\r\n").count(b"\n")
    assert found.equals(parse(as_bulk(WORLD[:lines])))


# What is refused.

WHOSE = f"Is it the file of {comtrade.CARD.homepage}?"
AGAIN = "Fetch or land the file again."
NOT_AN_ANSWER = (
    f"comtrade: JSON without `count` and `data`, as every answer of the API has them. {WHOSE}"
)
NOT_ROWS = f"comtrade: `data` does not contain rows of plain values. {WHOSE}"
NOT_A_PERIOD = "is not a period of its frequency (2024 for A, 202405 for M)."


def missing(columns: str) -> str:
    return f"comtrade: columns missing: {columns}. {WHOSE}"


@pytest.mark.parametrize(
    ("payload", "sentence"),
    [
        (b"", "comtrade: the file is empty."),
        (b"<!DOCTYPE html><html></html>",
         f"comtrade: HTML page where a JSON, workbook or CSV was expected. {WHOSE}"),
        (answer(row(), count=3),
         f"comtrade: the answer is cut: it has 1 of 3 rows. {AGAIN}"),
        (answer(row(), error="Internal failure"),
         "comtrade: the publisher answered with an error: Internal failure"),
        (b'{"statusCode": 404, "message": "Resource not found"}',
         "comtrade: the publisher answered with an error: Resource not found"),
        (b'{"statusCode": 400, "errorObject": {"errorMessage": "period: no"}}',
         "comtrade: the publisher answered with an error: period: no"),
        (b"[]", NOT_AN_ANSWER),
        (b'{"data": []}', NOT_AN_ANSWER),
        (answer(without("netWgt")), missing("netwgt")),
        (answer({**without("netWgt"), "netWeight": 1}), missing("netwgt")),
        (answer({**without("motCode"), "mot": 0}), missing("motcode")),
        (answer({**ROW, "netwgt": 1}), f"comtrade: columns duplicated: netwgt. {WHOSE}"),
        (answer(without("period", "cmdCode")), missing("period, cmdcode")),
        (as_csv([row()], list(without("primaryValue"))), missing("primaryvalue")),
        (as_csv([row()], list(without("customsCode"))), missing("customscode")),
        (as_csv([]), "comtrade: the file has a header and no rows."),
        (as_xlsx([]), "comtrade: the first sheet has a header and no rows."),
        (answer(1, 2), NOT_ROWS),  # type: ignore[arg-type]
        (answer(row(), 2), NOT_ROWS),  # type: ignore[arg-type]
        (answer(row(cmdCode=["850511"])), NOT_ROWS),
        (answer(row(cmdCode="TOTAL")),
         "comtrade: no row is of an HS6 code in scope. KIDO_SCOPE sets "
         "which codes are kept; by default those of dbt/seeds/seed_commodities.csv."),
        (answer(row(freqCode="Q")), "comtrade: 'Q' is not a frequency, A or M."),
        *(
            (answer(row(period=period)), f"comtrade: {period or ''!r} {NOT_A_PERIOD}")
            for period in ("2025", "202513", "-202506", "2025-06", "0", None)
        ),
        (answer(row(freqCode="A")), f"comtrade: '202506' {NOT_A_PERIOD}"),
        (answer(row(primaryValue="many")), "comtrade: 'many' is not a number (primaryvalue)."),
        (answer(row(netWgt=float("nan"))), "comtrade: 'NaN' is not a number (netwgt)."),
        (answer(row(isOriginalClassification="?")),
         "comtrade: '?' is neither true nor false (isoriginalclassification)."),
    ],
)  # fmt: skip
def test_what_is_not_an_answer_is_refused_in_one_sentence(payload: bytes, sentence: str) -> None:
    assert refusal(payload) == sentence


def test_a_damaged_gzip_file_is_refused() -> None:
    packed = gzip.compress(as_bulk(WORLD))
    assert refusal(packed[:-20]).startswith("comtrade: the gzip file is cut or damaged")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"reporterCode": 0},
         "comtrade: '0' is not the number of an economy (reportercode)."),
        ({"reporterCode": None},
         "comtrade: '' is not the number of an economy (reportercode)."),
        ({"reporterCode": "JPN"},
         "comtrade: 'JPN' is not the number of an economy (reportercode)."),
        ({"partnerCode": None},
         "comtrade: '' is not the number of an economy (partnercode)."),
        ({"partnerCode": "CHN"},
         "comtrade: 'CHN' is not the number of an economy (partnercode)."),
        ({"partner2Code": "CHN"},
         "comtrade: 'CHN' is not the number of an economy (partner2code)."),
        ({"flowCode": "ZZ"}, "comtrade: 'ZZ' is not a flow (flowcode)."),
        ({"classificationCode": "S1"},
         "comtrade: 'S1' is not an edition of the HS like H6 (classificationcode)."),
        ({"classificationCode": "B4"},
         "comtrade: 'B4' is not an edition of the HS like H6 (classificationcode)."),
    ],
)  # fmt: skip
def test_an_unknown_code_is_named(changes: Mapping[str, Any], sentence: str) -> None:
    assert refusal(answer(row(), row(**changes)), UnknownCodeError) == sentence


@pytest.mark.parametrize(
    ("changes", "column", "number"),
    [
        ({"reporterCode": 9999}, "reporter_iso3", "9999"),
        ({"partnerCode": 9998}, "partner_iso3", "9998"),
        ({"partner2Code": 9997}, "second_partner_iso3", "9997"),
    ],
)  # fmt: skip
def test_a_number_of_no_known_economy_stays_as_text(
    changes: Mapping[str, Any], column: str, number: str
) -> None:
    rows = rows_of(row(), row(5.0, **changes))
    unknown = rows.filter(pl.col(column) == number)
    assert unknown["value_usd"].to_list() == [5.0]
    assert rows.filter(pl.col(column).ne_missing(number)).equals(rows_of(row()))


def test_an_unknown_partner_of_a_code_out_of_scope_stops_nothing() -> None:
    assert rows_of(row(), row(cmdCode="TOTAL", partnerCode=9998)).equals(rows_of(row()))


# What is asked.

CODES = ("280530", "850511")
MONTHS = comtrade.CARD.windows[1]
YEARS = comtrade.CARD.windows[0]
ALL_CODES = tuple(f"{number:06}" for number in range(250_000, 250_089))


def months(first: str, last: str) -> list[Window]:
    days = (date.fromisoformat(f"{month}-01") for month in (first, last))
    return list(windows_between(MONTHS, *days))


def years(first: int, last: int) -> list[Window]:
    return list(windows_between(YEARS, date(first, 1, 1), date(last, 1, 1)))


def only(extracts: Sequence[Extract]) -> Request:
    (extract,) = extracts
    (request,) = extract.requests
    return request


def test_a_month_of_one_reporter_is_one_call_of_pinned_totals() -> None:
    scope = Scope(("850511", "280530"), ("JPN",), 100_000, has_key=True)
    (extract,) = comtrade.plan(months("2025-06", "2025-06"), scope)
    (request,) = extract.requests
    assert request.url == "data/v1/get/C/M/HS"
    assert request.headers == {"Ocp-Apim-Subscription-Key": "{key}"}
    assert request.params == {
        "reportercode": "392",
        "flowCode": "M,X,RM,RX",
        "period": "202506",
        "cmdCode": "280530,850511",
        "partner2Code": "0",
        "motCode": "0",
        "customsCode": "C00",
        "maxRecords": "100000",
        "format": "JSON",
        "includeDesc": "false",
    }
    assert request.expects == ("json",)
    assert extract.document == "C-M-HS-2025-06-JPN.json"
    assert [window.key for window in extract.windows] == ["2025-06"]
    (asked,) = extract.asked
    assert asked.table == "trade_flows"
    assert asked.reporters == ("JPN",)
    assert asked.flows == ("import", "export", "re_import", "re_export")
    assert asked.commodity_codes == CODES


def test_without_a_key_the_preview_is_asked() -> None:
    request = only(comtrade.plan(years(2024, 2024), Scope(("850511",), ("JPN",))))
    assert request.url == "public/v1/preview/C/A/HS"
    assert request.headers == {}
    assert request.params["maxRecords"] == "500"
    assert request.params["period"] == "2024"


def test_every_reporter_is_asked_by_naming_none() -> None:
    (extract,) = comtrade.plan(years(2024, 2024), Scope(CODES, has_key=True))
    assert "reportercode" not in only([extract]).params
    assert extract.document == "C-A-HS-2024.json"
    reporters = set(extract.asked[0].reporters)
    assert {"JPN", "CHN", "USA", "FRA", "IND", "TWN"} <= reporters <= set(economies())
    assert reporters.isdisjoint({"WLD", "_X", "EU27"})


def test_an_economy_is_asked_for_by_each_of_its_numbers() -> None:
    scope = Scope(CODES, ("DEU", "BEL", "TWN"), has_key=True)
    request = only(comtrade.plan(years(2024, 2024), scope))
    assert request.params["reportercode"] == "56,58,158,276,280,490"


def test_a_reporter_without_a_number_is_a_wrong_setting() -> None:
    with pytest.raises(ConfigurationError, match="no number for the reporter 'EU27', 'Japan'"):
        comtrade.plan(years(2024, 2024), Scope(CODES, ("JPN", "Japan", "EU27")))


def test_months_of_one_year_are_one_extract_of_few_reporters() -> None:
    scope = Scope(ALL_CODES, ("JPN",), 100_000, has_key=True)
    asked = [*years(2022, 2024), *months("2023-11", "2025-02")]
    extracts = comtrade.plan(list(reversed(asked)), scope)
    assert [extract.document for extract in extracts] == [
        "C-A-HS-2022..2024-JPN.json",
        "C-M-HS-2023-11..2023-12-JPN.json",
        "C-M-HS-2024-01..2024-12-JPN.json",
        "C-M-HS-2025-01..2025-02-JPN.json",
    ]
    assert [only([extract]).params["period"].count(",") + 1 for extract in extracts] == [
        3,
        2,
        12,
        2,
    ]


def test_years_that_do_not_follow_each_other_are_extracts_of_their_own() -> None:
    extracts = comtrade.plan(
        [*years(2019, 2019), *years(2021, 2021)], Scope(CODES, ("JPN",), has_key=True)
    )
    assert [extract.document for extract in extracts] == [
        "C-A-HS-2019-JPN.json",
        "C-A-HS-2021-JPN.json",
    ]


def test_every_period_of_all_reporters_is_an_extract_cut_by_code() -> None:
    extracts = comtrade.plan(months("2024-01", "2024-03"), Scope(ALL_CODES, has_key=True))
    assert [extract.document for extract in extracts] == [
        "C-M-HS-2024-01.json",
        "C-M-HS-2024-02.json",
        "C-M-HS-2024-03.json",
    ]
    for extract in extracts:
        codes = [code for one in extract.requests for code in one.params["cmdCode"].split(",")]
        assert tuple(codes) == ALL_CODES
        assert 1 < len(extract.requests) < 5


def test_many_reporters_make_a_short_name_of_their_own() -> None:
    some = sorted(set(comtrade.plan(years(2024, 2024), Scope(CODES))[0].asked[0].reporters))
    names = {
        comtrade.plan(years(2024, 2024), Scope(CODES, tuple(reporters)))[0].document
        for reporters in (some[:9], some[1:10], list(reversed(some[:9])))
    }
    assert len(names) == 2
    assert all(name.startswith("C-A-HS-2024-9-reporters-") for name in names)


@given(
    st.sets(st.sampled_from([*years(2000, 2024), *months("2010-01", "2025-12")]), max_size=40),
    st.integers(1, 700),
    st.sampled_from([(), ("JPN",), ("DEU", "USA", "CHN", "BEL")]),
    st.booleans(),
)
def test_the_extracts_cover_every_window_and_code_once_within_the_limits(
    windows: set[Window], codes: int, reporters: tuple[str, ...], has_key: bool
) -> None:
    scope = Scope(tuple(str(250_000 + n) for n in range(codes)), reporters, has_key=has_key)
    extracts = comtrade.plan(sorted(windows), scope)
    assert Counter(w for extract in extracts for w in extract.windows) == Counter(windows)
    assert len({extract.document for extract in extracts}) == len(extracts)
    for extract in extracts:
        assert len({window.frequency for window in extract.windows}) == 1
        assert len(extract.windows) <= 12
        asked: Counter[str] = Counter()
        for request in extract.requests:
            query = urlencode(request.params)
            assert len(f"https://comtradeapi.un.org/{request.url}?{query}") < 4_096
            asked.update(request.params["cmdCode"].split(","))
        assert asked == Counter(scope.commodity_codes)


# What is done with an answer.


@pytest.fixture
def given_answer(tmp_path: Path) -> Callable[..., Answer]:
    def make(content: bytes = b"", meaning: Meaning = "content", **changes: Any) -> Answer:
        file = tmp_path / "answer"
        file.write_bytes(content)
        return replace(Answer(meaning, 200, file), **changes)

    return make


def counted(count: int) -> bytes:
    return b'{"elapsedTime":"1.21 secs","count":%d,"data":[],"error":""}' % count


def asking(**changes: str) -> Request:
    scope = Scope(CODES, ("JPN", "USA"), 100_000, has_key=True)
    request = only(comtrade.plan(months("2024-01", "2024-02"), scope))
    return replace(request, params={**request.params, **changes})


LEAF = {"period": "202401", "cmdCode": "850511", "reportercode": "392", "flowCode": "M"}


def test_an_answer_below_every_cap_is_done(given_answer: Callable[..., Answer]) -> None:
    for count in (0, 1, 499, 501, 99_999):
        assert comtrade.follow(asking(), given_answer(counted(count))) == Done()
    assert comtrade.follow(asking(), given_answer(meaning="nothing", status=204)) == Done()


@pytest.mark.parametrize("count", [77_777, 500, 100_000, 250_000])
def test_an_answer_as_large_as_a_cap_is_asked_again_in_halves(
    count: int, given_answer: Callable[..., Answer]
) -> None:
    step = comtrade.follow(asking(maxRecords="77777"), given_answer(counted(count)))
    assert isinstance(step, Instead)
    assert [one.params["period"] for one in step.requests] == ["202401", "202402"]
    for one in step.requests:
        assert {**one.params, "period": ""} == {**asking(maxRecords="77777").params, "period": ""}
        assert (one.url, one.headers, one.statuses) == (
            asking().url,
            asking().headers,
            asking().statuses,
        )


def test_it_is_halved_by_period_then_code_then_reporter_then_flow(
    given_answer: Callable[..., Answer],
) -> None:
    request = asking()
    names = []
    for _ in range(5):
        step = comtrade.follow(request, given_answer(counted(100_000)))
        assert isinstance(step, Instead)
        first, second = step.requests
        names += [name for name in first.params if first.params[name] != second.params[name]]
        request = second
    assert names == ["period", "cmdCode", "reportercode", "flowCode", "flowCode"]


def test_all_reporters_are_halved_by_naming_them(given_answer: Callable[..., Answer]) -> None:
    params = {k: v for k, v in asking(**LEAF).params.items() if k != "reportercode"}
    step = comtrade.follow(replace(asking(), params=params), given_answer(counted(100_000)))
    assert isinstance(step, Instead)
    first, second = (set(one.params["reportercode"].split(",")) for one in step.requests)
    assert first.isdisjoint(second)
    assert {"392", "842", "276", "280", "490"} <= first | second
    assert (first | second).isdisjoint({"0", "899"})


def test_a_single_flow_at_the_cap_it_asked_for_cannot_be_split(
    given_answer: Callable[..., Answer],
) -> None:
    with pytest.raises(UpstreamFormatError) as caught:
        comtrade.follow(asking(**LEAF), given_answer(counted(100_000)))
    assert str(caught.value) == (
        "comtrade: the answer for 202401, 850511, 392, M is too large (100,000 rows) and cannot be "
        "split further. Raise KIDO_COMTRADE_ROWS_PER_CALL to what the subscription allows."
    )


def test_a_single_flow_at_another_cap_is_whole(given_answer: Callable[..., Answer]) -> None:
    assert comtrade.follow(asking(**LEAF), given_answer(counted(500))) == Done()


def test_a_request_that_is_too_large_is_asked_in_halves(
    given_answer: Callable[..., Answer],
) -> None:
    for status in (413, 414):
        assert asking().statuses[status] == "too_much"
        refused = given_answer(meaning="too_much", status=status)
        assert isinstance(comtrade.follow(asking(), refused), Instead)
        with pytest.raises(UpstreamFormatError, match=rf"\(HTTP {status}\) and cannot be split"):
            comtrade.follow(asking(**LEAF), refused)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"<html></html>", "comtrade: HTML page where JSON was expected. Ask or land it again."),
        (counted(5)[:-1], "comtrade: the answer is cut or not JSON"),
        (b"Request URL Too Long", "comtrade: the answer is cut or not JSON"),
        (b"", "comtrade: the answer is cut or not JSON"),
        (b'{"data":[],"error":""}', "comtrade: JSON without `count` and `data`"),
        (b'{"elapsedTime":"0","count":"5","data":[],"error":""}', "comtrade: JSON without `count`"),
        (
            b'{"elapsedTime":"0","count":0,"data":[],"error":"Database \\"X\\" is down"}',
            'comtrade: the publisher answered with an error: Database "X" is down',
        ),
    ],
)
def test_an_answer_that_is_not_the_apis_is_refused(
    content: bytes, sentence: str, given_answer: Callable[..., Answer]
) -> None:
    with pytest.raises(UpstreamFormatError) as caught:
        comtrade.follow(asking(), given_answer(content))
    assert str(caught.value).startswith(sentence)


@pytest.mark.parametrize("indent", [None, 1, 4])
def test_the_count_of_a_large_answer_is_found_however_it_is_laid_out(
    indent: int | None, given_answer: Callable[..., Answer]
) -> None:
    rows = [row(cmdDesc='],"error":""}')] * 500
    content = json.dumps(json.loads(answer(*rows)), indent=indent).encode()
    assert isinstance(comtrade.follow(asking(), given_answer(content)), Instead)
    other_order = dict(reversed(json.loads(content).items()))
    content = b"\xef\xbb\xbf" + json.dumps(other_order).encode()
    assert isinstance(comtrade.follow(asking(), given_answer(content)), Instead)


def test_the_middle_of_an_answer_is_not_read_to_count_it(
    given_answer: Callable[..., Answer],
) -> None:
    content = b'{"elapsedTime":"1 secs","count":7,"data":[' + b"?" * 100_000 + b'],"error":""}'
    assert comtrade.follow(asking(), given_answer(content)) == Done()


QUOTA = '{\n "statusCode": 403,\n "message": "Out of call volume quota. Quota will be replenished in 03:14:17."\n}'  # noqa: E501


@pytest.mark.parametrize(
    ("text", "retry_after_s", "wait"),
    [
        (QUOTA, None, timedelta(hours=3, minutes=14, seconds=17)),
        (QUOTA, 60.0, timedelta(seconds=60)),
        ("Out of call volume quota. Quota will be replenished in 1.00:00:05.", None,
         timedelta(days=1, seconds=5)),
        ('{"message": "Out of call volume quota."}', None, None),
    ],
)  # fmt: skip
def test_a_quota_that_is_used_up_stops_with_its_wait(
    text: str, retry_after_s: float | None, wait: timedelta | None,
    given_answer: Callable[..., Answer],
) -> None:  # fmt: skip
    refused = given_answer(meaning="quota", status=403, text=text, retry_after_s=retry_after_s)
    step = comtrade.follow(asking(), refused)
    assert isinstance(step, Stop)
    assert step.wait == wait
    assert step.reason.startswith("Out of call volume quota.")


@pytest.mark.parametrize(
    ("status", "text", "sentence"),
    [
        (401, '{"statusCode": 401, "message": "Access denied due to invalid subscription key."}',
         "comtrade: HTTP 401: Access denied due to invalid subscription key."),
        (403, "Forbidden\n", "comtrade: HTTP 403: Forbidden"),
        (401, "", "comtrade: HTTP 401: access denied"),
    ],
)  # fmt: skip
def test_a_refused_key_is_denied(
    status: int, text: str, sentence: str, given_answer: Callable[..., Answer]
) -> None:
    assert asking().statuses[status] == "quota"
    with pytest.raises(DeniedError) as caught:
        comtrade.follow(asking(), given_answer(meaning="quota", status=status, text=text))
    assert str(caught.value) == f"{sentence} Check KIDO_COMTRADE_KEY."


@needs_shared
def test_the_captured_refusals_are_distinguished(given_answer: Callable[..., Answer]) -> None:
    def step(name: str, status: int) -> object:
        text = (PAYLOADS / name).read_text()
        return comtrade.follow(asking(), given_answer(meaning="quota", status=status, text=text))

    assert isinstance(step("error_403_quota_REAL.json", 403), Stop)
    for name in ("error_401_invalid_key_REAL.json", "error_401_missing_key_REAL.json"):
        with pytest.raises(DeniedError):
            step(name, 401)


@needs_shared
def test_captured_answers_are_whole(given_answer: Callable[..., Answer]) -> None:
    for name in ("get_C_A_HS_annual_REAL.json", "empty_200_REAL.json", "bulk_list_REAL.json"):
        content = (PAYLOADS / name).read_bytes()
        assert comtrade.follow(asking(), given_answer(content)) == Done()


LISTS = ("period", "cmdCode", "reportercode", "flowCode")
Cell = tuple[str, ...]


def cells_of(request: Request) -> Iterator[Cell]:
    """What a request asks for, one by one; no named reporter stands for all of them."""
    everyone = sorted(comtrade._reporters())
    lists = (
        request.params[name].split(",") if name in request.params else everyone for name in LISTS
    )
    return product(*lists)


@given(
    st.integers(1, 12),
    st.integers(1, 9),
    st.sampled_from([None, "392", "36,156,392", "4,8,12,20,24,28,31"]),
    st.data(),
)
@settings(max_examples=times(at_night=50, by_day=12))
def test_what_is_asked_in_pieces_is_what_was_asked_at_once(
    tmp_path_factory: pytest.TempPathFactory,
    periods: int,
    codes: int,
    reporters: str | None,
    data: st.DataObject,
) -> None:
    """A publisher that cuts answers at random: the pieces cover the whole, none twice."""
    folder = tmp_path_factory.mktemp("answers")
    cut, whole = (folder / name for name in ("cut", "whole"))
    cut.write_bytes(counted(100_000))
    whole.write_bytes(counted(3))
    params = {
        **asking().params,
        "period": ",".join(f"2024{month:02}" for month in range(1, periods + 1)),
        "cmdCode": ",".join(str(850_511 + code) for code in range(codes)),
    }
    params.pop("reportercode")
    if reporters:
        params["reportercode"] = reporters
    start = replace(asking(), params=params)
    chance = data.draw(st.randoms(use_true_random=False))
    pieces, pending, calls = [], [start], 0
    while pending:
        request = pending.pop()
        calls += 1
        is_leaf = all("," not in request.params.get(name, ",") for name in LISTS)
        is_cut = calls < 30 and not is_leaf and chance.random() < 0.7
        step = comtrade.follow(request, Answer("content", 200, cut if is_cut else whole))
        if isinstance(step, Instead):
            assert is_cut
            assert len(step.requests) == 2
            for one in step.requests:
                assert "partnerCode" not in one.params
                changed = {
                    name for name in one.params if one.params[name] != request.params.get(name)
                }
                assert len(changed) == 1
                assert changed < set(LISTS)
            pending += step.requests
        else:
            assert step == Done()
            pieces.append(request)
    covered = Counter(cell for piece in pieces for cell in cells_of(piece))
    assert set(covered.values()) == {1}
    assert set(covered) == set(cells_of(start))


# The card.


def test_the_card_reports_what_can_be_asked_and_how_fast() -> None:
    card = comtrade.CARD
    assert card.base_url == "https://comtradeapi.un.org"
    assert card.needs_key
    assert not card.is_redistributable
    assert not card.bundled
    assert card.rows_per_call == (100_000, 500)
    assert [(one.frequency, one.since) for one in card.windows] == [
        ("A", date(2000, 1, 1)),
        ("M", date(2010, 1, 1)),
    ]
    assert card.limits.calls_a_day == 500
    assert card.limits.calls_a_minute is not None
    assert card.limits.calls_a_minute <= 60
