"""CEPII's archive, one of its yearly files and the bundled table, and other files."""

from __future__ import annotations

import csv
import gzip
import io
import multiprocessing
import random
import zipfile
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from dagster_project.errors import UnknownCodeError, UpstreamFormatError
from dagster_project.lake.schemas import RECONCILED_TRADE
from dagster_project.lake.scope import DEFAULT_SCOPE, CommodityScope
from dagster_project.quality.runner import evaluate
from dagster_project.quality.suites import LAKE_SUITES
from dagster_project.settings import BUNDLED
from dagster_project.sources import baci, formats
from dagster_project.sources.card import Answer, Document, Done, Instead, Scope
from tests.conftest import SHARED, needs_shared

FOLDER = BUNDLED / "baci"
RETRIEVED = datetime(2026, 11, 1, 9, 30)
MEMBER = "BACI_HS22_Y2024_V202601.csv"
ARCHIVE = Document("archive.zip", RETRIEVED, is_bundled=False)
YEARLY = Document(MEMBER, RETRIEVED, is_bundled=False)
FROM_THE_PROJECT = Document("flows_2024.csv", datetime(2026, 11, 25), is_bundled=True)

HEADER = "t,i,j,k,v,q"
# Numbers as CEPII prints them: padded, `NA`, France 251, Taiwan 490, Namibia 516, horses 010121.
ROWS = (
    "2024,156,392,284690,412345.678,1204.5",
    "2024,704,392,284690,88345.12,402.1",
    "2024,251,392,280530,12.345,NA",
    "2024,490,392,850511,23111.001,310.25",
    "2024,516,392,260200,       1.234,       0.567",
    "2024,156,392,010121,9.999,1",
)
COUNTRIES = """country_code,country_name,country_iso2,country_iso3
156,China,CN,CHN
251,"France, Monaco",FR,FRA
392,Japan,JP,JPN
490,"Other Asia, nes",,S19
516,Namibia,NA,NAM
704,Viet Nam,VN,VNM
"""
# By hand: thousand dollars to dollars, tons to kilograms.
EXPECTED = {
    ("CHN", "JPN", "284690"): (412345678.0, 1204500.0),
    ("VNM", "JPN", "284690"): (88345120.0, 402100.0),
    ("FRA", "JPN", "280530"): (12345.0, None),
    ("TWN", "JPN", "850511"): (23111001.0, 310250.0),
    ("NAM", "JPN", "260200"): (1234.0, 567.0),
}
WHOSE = f"Is it the file of {baci.CARD.homepage}?"
AGAIN = "Fetch or land the file again."
NO_CODE = "The codes have six digits and no point; they are text, not numbers."
TIDY = "exporter_iso3,importer_iso3,hs6_code,hs_revision,year,value_usd"
TIDY_LINE = "CHN,JPN,850511,HS2022,2024,156879570"


def yearly(rows: Iterable[str] = ROWS, header: str = HEADER) -> bytes:
    return "".join(f"{line}\n" for line in (header, *rows)).encode()


def archive(members: dict[str, bytes | str] | None = None) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in (
            members
            or {
                MEMBER: yearly(),
                "country_codes_V202601.csv": COUNTRIES,
                "product_codes_HS22_V202601.csv": "code,description\n010121,Horses\n",
                "Readme.txt": "BACI",
            }
        ).items():
            file.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def tidy(*lines: str, header: str = TIDY) -> bytes:
    return "".join(f"{line}\n" for line in (header, *(lines or (TIDY_LINE,)))).encode()


def parse(
    payload: bytes, document: Document = ARCHIVE, *, scope: CommodityScope = DEFAULT_SCOPE
) -> pl.DataFrame:
    return baci.parse(payload, document, scope)["reconciled_trade"]


def measures(flows: pl.DataFrame) -> dict[tuple[str, str, str], tuple[float, float | None]]:
    return {
        (row["exporter_iso3"], row["importer_iso3"], row["hs6_code"]): (
            row["value_usd"],
            row["net_weight_kg"],
        )
        for row in flows.to_dicts()
    }


@pytest.fixture(scope="module")
def bundled() -> pl.DataFrame:
    return parse((FOLDER / "flows_2024.csv").read_bytes(), FROM_THE_PROJECT)


def japan(bundled: pl.DataFrame, code: str) -> dict[str, float]:
    rows = bundled.filter(pl.col("importer_iso3") == "JPN", pl.col("hs6_code") == code)
    return dict(rows.select("exporter_iso3", "value_usd").iter_rows())


# ---- The publisher's files


@pytest.mark.parametrize(
    ("payload", "document"), [(archive(), ARCHIVE), (yearly(), YEARLY)], ids=["zip", "csv"]
)
def test_flows_of_codes_in_scope_come_out_in_dollars_and_kilograms(
    payload: bytes, document: Document
) -> None:
    flows = parse(payload, document)
    assert measures(flows) == EXPECTED
    assert flows.height == len(EXPECTED)


def test_a_flow_reports_what_year_and_edition_it_is_of_and_when_it_was_retrieved() -> None:
    flow: dict[str, Any] = parse(archive()).row(0, named=True)
    assert flow == {
        "source": "baci",
        "exporter_iso3": "CHN",
        "importer_iso3": "JPN",
        "hs6_code": "284690",
        "hs_revision": "HS2022",
        "period_start": date(2024, 1, 1),
        "edition": 202601,
        "value_usd": 412345678.0,
        "net_weight_kg": 1204500.0,
        "is_provisional": False,
        "vintage_at": RETRIEVED,
    }


def test_the_frame_fits_the_lake_once_its_provenance_is_added() -> None:
    flows = parse(archive()).with_columns(document=pl.lit(MEMBER), snapshot_id=pl.lit("baci-1"))
    assert RECONCILED_TRADE.conform(flows).schema == RECONCILED_TRADE.polars_schema


def test_a_time_of_retrieval_with_a_zone_is_kept_in_utc() -> None:
    tokyo = RETRIEVED.replace(tzinfo=UTC).astimezone(timezone(timedelta(hours=9)))
    flows = parse(archive(), Document("archive.zip", tokyo, is_bundled=False))
    assert flows["vintage_at"].unique().to_list() == [RETRIEVED]


def editions(payload: bytes, name: str = "archive.zip", *, is_bundled: bool = False) -> list[Any]:
    flows = parse(payload, Document(name, RETRIEVED, is_bundled=is_bundled))
    assert flows.schema["edition"] == pl.Int32
    return flows["edition"].unique().sort().to_list()


@pytest.mark.parametrize(
    ("version", "edition"),
    [("V202601", 202601), ("V202401b", 202401), ("V9", None), ("Vnext", None)],
)
def test_the_version_of_a_figure_is_the_number_in_the_names_of_the_files(
    version: str, edition: int | None
) -> None:
    name = f"BACI_HS22_Y2024_{version}.csv"
    assert editions(archive({f"BACI/{name}": yearly()})) == [edition]
    assert editions(yearly(), name) == [edition]


@pytest.mark.parametrize(
    ("name", "edition"),
    [
        ("BACI_HS22_Y2024_V202601_copy.csv", 202601),
        ("HS22-V202601.csv", 202601),
        ("HS22.csv", None),
        ("HS22_REV202601.csv", None),
        ("HS22_V2026011.csv", None),
    ],
)
def test_a_yearly_file_alone_is_of_the_version_in_its_name(name: str, edition: int | None) -> None:
    assert editions(yearly(), name) == [edition]


def test_the_name_of_an_archive_does_not_say_its_version() -> None:
    member = "BACI_HS22_Y2024_Vx.csv"
    assert editions(archive({member: yearly()}), "BACI_HS22_V202601.zip") == [None]


@pytest.mark.parametrize(
    ("other", "content", "found"),
    [
        ("BACI_HS22_Y2023_V202501.csv", "t,i,j,k,v,q\n2023,156,392,284690,1,1\n",
         "V202501 and V202601"),
        ("BACI_HS22_Y2023_V202601b.csv", "t,i,j,k,v,q\n2023,156,392,284690,1,1\n",
         "V202601 and V202601b"),
        ("country_codes_V202501.csv", COUNTRIES, "V202501 and V202601"),
    ],
)  # fmt: skip
def test_an_archive_of_two_versions_is_refused(other: str, content: str, found: str) -> None:
    with pytest.raises(UpstreamFormatError) as caught:
        parse(archive({MEMBER: yearly(), other: content}))
    assert str(caught.value) == (
        f"baci: the archive contains files of two versions, {found}. Land each version in an "
        "archive of its own."
    )


def test_our_table_is_of_the_version_it_gives() -> None:
    lines = (f"{TIDY_LINE},202501", f"{TIDY_LINE.replace('CHN', 'VNM')},")
    payload = tidy(*lines, header=f"{TIDY},edition")
    assert editions(payload) == [None, 202501]
    assert editions(payload, is_bundled=True) == [202501, 202601]
    assert editions(tidy()) == [None]


@pytest.mark.parametrize("edition", ["V202601", "2026", "202601.0", "-02601"])
def test_an_invalid_version_is_rejected(edition: str) -> None:
    with pytest.raises(UpstreamFormatError) as caught:
        parse(tidy(f"{TIDY_LINE},{edition}", header=f"{TIDY},edition"))
    assert str(caught.value) == f"baci: '{edition}' is not a version of BACI like 202601."


@needs_shared
@pytest.mark.parametrize(
    "name", ["BACI_HS22_V202601_SYNTHETIC.zip", "BACI_HS22_Y2024_V202601_SYNTHETIC.csv"]
)
def test_the_payload_to_build_against_is_read_whether_zip_or_csv(name: str) -> None:
    payload = (SHARED / "payloads" / "baci" / name).read_bytes()
    # Its table of countries leaves the code of Taiwan blank; its fifth row is of horses.
    assert measures(parse(payload, Document(name, RETRIEVED, is_bundled=False))) == {
        key: figures for key, figures in EXPECTED.items() if key[0] != "NAM"
    }


@pytest.mark.parametrize(
    ("digits", "revision"),
    [
        ("92", "HS1992"),
        ("96", "HS1996"),
        ("02", "HS2002"),
        ("07", "HS2007"),
        ("12", "HS2012"),
        ("17", "HS2017"),
        ("22", "HS2022"),
        ("28", "HS2028"),
    ],
)
def test_the_edition_of_the_hs_is_the_one_in_the_names(digits: str, revision: str) -> None:
    name = f"BACI_HS{digits}_Y1999_V202701b.csv"
    payload = yearly(["1999,156,392,284690,1,1"])
    for flows in (
        parse(archive({f"BACI/{name}": payload})),
        parse(payload, Document(name, RETRIEVED, is_bundled=False)),
    ):
        assert flows["hs_revision"].to_list() == [revision]
        assert flows["period_start"].to_list() == [date(1999, 1, 1)]


def test_the_years_of_an_archive_come_out_together() -> None:
    members: dict[str, bytes | str] = {
        f"BACI_HS22_Y{year}_V202601.csv": yearly([f"{year},156,392,284690,{year},NA"])
        for year in (2022, 2023, 2024)
    }
    flows = parse(archive(members))
    assert flows.select("period_start", "value_usd").rows() == [
        (date(year, 1, 1), year * 1000.0) for year in (2022, 2023, 2024)
    ]


@pytest.mark.parametrize(
    "name", ["flows.csv", "BACI_2024.csv", "BACI_HS_2024.csv", "REACHS22.csv", "HS123.csv"]
)
def test_a_yearly_file_whose_name_does_not_say_its_edition_is_refused(name: str) -> None:
    with pytest.raises(UpstreamFormatError) as caught:
        parse(yearly(), Document(name, RETRIEVED, is_bundled=False))
    assert str(caught.value) == (
        f"baci: neither the yearly file nor its name '{name}' gives the edition of the "
        "HS of its codes. Land it under CEPII's name (BACI_HS22_Y2024_V202601.csv), or the whole "
        "archive."
    )


def test_a_file_of_other_columns_is_reported_whatever_its_name_says() -> None:
    with pytest.raises(UpstreamFormatError) as caught:
        parse(b"i,j,cmd,value\nCHN,JPN,850511,1\n", Document("baci_2024.csv", RETRIEVED, False))
    assert str(caught.value) == f"baci: columns missing: t, k, v, q (baci_2024.csv). {WHOSE}"


def test_a_yearly_file_whose_name_gives_no_year_may_be_of_any() -> None:
    rows = ["2019,156,392,284690,1,1", "2020,156,392,284690,1,1"]
    flows = parse(yearly(rows), Document("HS17.csv", RETRIEVED, is_bundled=False))
    assert flows["period_start"].to_list() == [date(2019, 1, 1), date(2020, 1, 1)]


def test_trade_not_specified_has_a_code_with_letters_and_is_left_out() -> None:
    rows = [*ROWS, "2024,156,392,9999AA,1,1", "2024,156,392,999999,1,1"]
    assert measures(parse(yearly(rows), YEARLY)) == EXPECTED


@pytest.mark.parametrize("scope", ["minerals", "all"])
def test_a_file_of_numbers_has_the_rows_that_it_has_as_text_and_block_by_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scope: str
) -> None:
    rng = random.Random(scope)
    # 276 and 280 are Germany, 697, 577 and 711 areas that are no economy: they are summed.
    partners = ["156", "392", "4", "276", "280", "490", "697", "577", "710", "711"]
    codes = ["284690", "280530", "010121", "850511", "9999AA", "870323"]
    years = {}
    for year in ("2023", "2024"):
        lines = {
            (exporter, importer, code): f"{year},{exporter},{importer},{code},"
            f"{rng.uniform(0, 9e4):8.3f},{rng.choice(['NA', f'{rng.uniform(0, 9e3):.3f}'])}"
            for exporter in partners for importer in partners for code in codes
            if exporter != importer and rng.random() < 0.7
        }  # fmt: skip
        years[MEMBER.replace("2024", year)] = yearly(lines.values())
    file = tmp_path / "archive.zip"
    file.write_bytes(archive(years))
    kept = CommodityScope.named(scope)
    found = parse(file.read_bytes(), scope=kept)
    # Texts of a block may be Enum.
    blocks = [
        each["reconciled_trade"].cast({pl.Enum: pl.String}).collect()
        for each in baci.parse_blocks(file, ARCHIVE, kept)
    ]
    with monkeypatch.context() as slowly:
        slowly.setattr(baci, "_as_numbers", lambda blocks, year, scope: None)
        assert_frame_equal(found, parse(file.read_bytes(), scope=kept), abs_tol=0.0011)
    assert [block["period_start"].unique().item().year for block in blocks] == [2023, 2024]
    assert_frame_equal(found, pl.concat(blocks).sort(RECONCILED_TRADE.key), abs_tol=0.0011)
    assert set(found["hs6_code"]) == set(codes) - {"9999AA"} - (
        {"010121", "870323"} if scope == "minerals" else set()
    )


def test_an_archive_with_a_duplicated_year_is_rejected(tmp_path: Path) -> None:
    file = tmp_path / "archive.zip"
    file.write_bytes(archive({f"a/{MEMBER}": yearly(), f"b/{MEMBER}": yearly()}))
    with pytest.raises(UpstreamFormatError, match="contains two yearly files of 2024 in HS22"):
        list(baci.parse_blocks(file, ARCHIVE))


def test_an_archive_may_have_any_name() -> None:
    unnamed = Document("download", RETRIEVED, is_bundled=False)
    assert measures(parse(archive(), unnamed)) == EXPECTED


def test_a_code_that_was_read_as_a_number_gets_its_zero_back() -> None:
    rows = ["2024,4,392,10121,1,1", "2024,8,392, 10121 ,1,1", "2024,12,392,101210,1,1"]
    flows = parse(yearly(rows), YEARLY, scope=CommodityScope.named("010121"))
    assert flows.select("exporter_iso3", "hs6_code").rows() == [
        ("AFG", "010121"),
        ("ALB", "010121"),
    ]


def test_the_archives_own_table_of_countries_comes_first() -> None:
    # 999 is no economy's number, and the table gives its economy here.
    countries = COUNTRIES.replace("704,Viet Nam", "999,Viet Nam")
    rows = ["2024,999,392,284690,1,1"]
    flows = parse(archive({MEMBER: yearly(rows), "country_codes_V202601.csv": countries}))
    assert flows["exporter_iso3"].to_list() == ["VNM"]
    with pytest.raises(UnknownCodeError, match=r"baci: no economy has .* '999'"):
        parse(archive({MEMBER: yearly(rows)}))


def test_without_a_table_of_countries_numbers_are_un_comtrades() -> None:
    assert measures(parse(archive({MEMBER: yearly()}))) == EXPECTED


def test_a_number_of_five_digits_is_an_economy_where_the_table_of_countries_names_which() -> None:
    members = {
        MEMBER: yearly(row.replace(",156,", ",15600,") for row in ROWS),
        "country_codes_V202601.csv": COUNTRIES.replace("156,", "15600,"),
    }
    assert measures(parse(archive(members))) == EXPECTED


def test_areas_that_are_no_single_economy_are_the_part_not_published() -> None:
    countries = COUNTRIES + '697,"Europe EFTA, nes",,R20\n711,SACU (...1999),,ZA1\n'
    rows = ["1999,697,392,284690,3,1", "1999,711,392,284690,2,1", "1999,156,711,284690,1,1"]
    member = MEMBER.replace("2024", "1999")
    flows = parse(archive({member: yearly(rows), "country_codes_V202601.csv": countries}))
    assert measures(flows) == {
        ("_X", "JPN", "284690"): (5000.0, 2000.0),
        ("CHN", "_X", "284690"): (1000.0, 1000.0),
    }


def test_codes_of_one_economy_are_summed_and_a_gap_in_weight_stays_one() -> None:
    # Belgium 56 and Belgium-Luxembourg 58; Germany 276 and the Federal Republic before 1991, 280.
    rows = [
        "1998,56,392,284690,1.5,2", "1998,58,392,284690,2.25,3",
        "1998,276,392,284690,1,1", "1998,280,392,284690,1,NA",
    ]  # fmt: skip
    of_1998 = Document(MEMBER.replace("2024", "1998"), RETRIEVED, is_bundled=False)
    assert measures(parse(yearly(rows), of_1998)) == {
        ("BEL", "JPN", "284690"): (3750.0, 5000.0),
        ("DEU", "JPN", "284690"): (2000.0, None),
    }


def test_a_quantity_of_zero_is_not_a_missing_one() -> None:
    rows = ["2024,156,392,284690,1,0.000", "2024,704,392,284690,1,  NA", "2024,4,392,284690,1,"]
    assert parse(yearly(rows), YEARLY)["net_weight_kg"].to_list() == [None, 0.0, None]


def test_thousands_with_decimals_come_out_as_whole_dollars() -> None:
    # In binary 1.001 x 1000 is 1000.9999999999999, and 32.31 x 1000 is 32310.000000000004.
    rows = ["2024,156,392,284690,1.001,32.310", "2024,704,392,284690,32.310,1.001"]
    assert measures(parse(yearly(rows), YEARLY)) == {
        ("CHN", "JPN", "284690"): (1001.0, 32310.0),
        ("VNM", "JPN", "284690"): (32310.0, 1001.0),
    }


def test_windows_line_ends_quotes_and_a_byte_order_mark_change_nothing() -> None:
    quoted = yearly(header='"t","i","j","k","v","q"').replace(b"284690", b'"284690"')
    for payload in (yearly().replace(b"\n", b"\r\n"), b"\xef\xbb\xbf" + quoted, yearly() + b"\n"):
        assert parse(payload, YEARLY).equals(parse(yearly(), YEARLY))


def test_further_columns_are_dropped() -> None:
    payload = yearly([f"{row},x" for row in ROWS], header=f"{HEADER},note")
    assert parse(payload, YEARLY).equals(parse(yearly(), YEARLY))


@given(st.permutations(ROWS), st.permutations(range(6)), st.integers(1, 80))
def test_neither_the_order_of_rows_and_columns_nor_the_size_of_blocks_matters(
    rows: list[str], order: list[int], size: int
) -> None:
    def reordered(line: str) -> str:
        return ",".join(line.split(",")[place] for place in order)

    payload = yearly(map(reordered, rows), header=reordered(HEADER))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(baci, "BLOCK_BYTES", size)
        patch.setattr(formats, "BLOCK_BYTES", size)
        assert measures(parse(payload, YEARLY)) == EXPECTED
        assert measures(parse(archive({MEMBER: payload}))) == EXPECTED


amount = st.integers(1, 10**12)


@given(
    st.dictionaries(
        st.sampled_from([(i, k) for i in ("156", "704", "251") for k in ("284690", "850511")]),
        st.tuples(amount, st.none() | st.integers(0, 10**10)),
        min_size=1,
    )
)
def test_every_printed_figure_comes_out_to_the_last_digit(
    printed: dict[tuple[str, str], tuple[int, int | None]],
) -> None:
    def thousandths(number: int | None) -> str:
        return "NA" if number is None else f"{number // 1000}.{number % 1000:03}"

    rows = [f"2024,{i},392,{k},{thousandths(v)},{thousandths(q)}" for (i, k), (v, q) in
            printed.items()]  # fmt: skip
    named = {"156": "CHN", "704": "VNM", "251": "FRA"}
    assert measures(parse(yearly(rows), YEARLY)) == {
        (named[i], "JPN", k): (float(v), None if q is None else float(q))
        for (i, k), (v, q) in printed.items()
    }


@given(st.integers(0, len(yearly())))
def test_a_cut_yearly_file_is_refused_or_ends_with_a_whole_line(length: int) -> None:
    payload = yearly()[:length]
    try:
        found = measures(parse(payload, YEARLY))
    except UpstreamFormatError:
        assert not payload.endswith(b"\n") or payload.count(b"\n") == 1
    else:
        assert payload.endswith(b"\n")
        assert found == {key: EXPECTED[key] for key in found}
        assert len(found) == min(payload.count(b"\n") - 1, len(EXPECTED))


@given(st.integers(0, len(archive())))
def test_a_cut_archive_is_refused_or_whole(length: int) -> None:
    whole = archive()
    try:
        flows = parse(whole[:length])
    except UpstreamFormatError:
        assert length < len(whole)
    else:
        assert flows.equals(parse(whole))


def test_an_archive_whose_content_was_changed_on_the_way_is_refused() -> None:
    payload = bytearray(archive())
    payload[len(MEMBER) + 30 + 40] ^= 0xFF
    with pytest.raises(UpstreamFormatError, match="baci: the zip archive is cut or damaged"):
        parse(bytes(payload))


def big_year() -> bytes:
    """An archive of a year with two million flows, 89 MB unpacked; 700 are of codes in scope."""
    exporters = ("4", "8", "12", "156", "251", "276", "392", "490", "699", "842")
    importers = ("36", "40", "48", "50", "52", "56", "60", "68", "76", "84")
    codes = [f"{284600 + number}" for number in range(20_000)]
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file,
        file.open(MEMBER, "w") as member,
    ):
        member.write(f"{HEADER}\n".encode())
        for i in exporters:
            for j in importers:
                rows = (f"2024,{i},{j},{code},       1.234,       0.567\n" for code in codes)
                member.write("".join(rows).encode())
    return buffer.getvalue()


def _memory(field: str) -> int:
    text = Path("/proc/self/status").read_text()
    return 1024 * int(text.split(f"{field}:")[1].split()[0])


def rows_and_memory_of_a_big_year() -> tuple[int, set[str], int]:
    """Rows and codes that come out of `big_year`, and how far memory grew meanwhile, in bytes."""
    payload = big_year()
    parse(archive())
    before = max(_memory("VmRSS"), _memory("VmHWM"))
    flows = parse(payload)
    return flows.height, set(flows["hs6_code"]), _memory("VmHWM") - before


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
def test_a_year_of_two_million_flows_is_never_held_as_a_whole() -> None:
    # In a process of its own, so that memory others have set free does not hide what is used.
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        rows, codes, grown = pool.apply(rows_and_memory_of_a_big_year)
    assert (rows, codes) == (
        800, {"284610", "284690", "284990", "285000", "285210", "285390", "291990", "293190"},
    )  # fmt: skip
    # Read as a whole it takes 650 MB: the text unpacked and six columns of it. In blocks, 90 MB.
    assert grown < 250e6


# ---- What is refused


@pytest.mark.parametrize(
    ("payload", "sentence"),
    [
        (b"", "baci: the file is empty."),
        (b" \n", "baci: the file is empty."),
        (b"<!DOCTYPE html>",
         f"baci: HTML page where a zip archive or CSV was expected. {WHOSE}"),
        (b"code,description\n1,x\n", "baci: columns missing: exporter_iso3, importer_iso3, "
         f"hs6_code, hs_revision, year, value_usd; not known: code, description. {WHOSE}"),
        (b"i,j,cmd,value\nCHN,JPN,850511,1\n",
         f"baci: columns missing: t, k, v, q ({MEMBER}). {WHOSE}"),
        (yearly(header="t,i,j,k,v,v"),
         f"baci: columns missing: q; duplicated: v ({MEMBER}). {WHOSE}"),
        (f"{HEADER}\n".encode(), f"baci: {MEMBER} has no rows. {AGAIN}"),
        *((yearly([*ROWS, f"2024,156,392,{code},1,1"]),
           f"baci: '{code.strip()}' is not an HS6 code ({MEMBER}). {NO_CODE}")
          for code in ("8505.11", "850511.0", "", "  ", "2846", "2846901", "85051O", "-85051")),
        (yearly([*ROWS, "2025,156,704,010121,1,1", "2023,156,704,284690,1,1"]),
         f"baci: '2023', '2025' is not the year of {MEMBER}. Land it under the name of its own "
         "year."),
        (yearly()[:-3], "baci: the last line (line 7) is cut. Fetch or land the file again."),
        (yearly().rstrip(), "baci: the last line (line 7) is cut. Fetch or land the file again."),
        (yearly([*ROWS, "2024,156"]),
         f"baci: line 8 of {MEMBER} does not contain the 6 values of the header."),
        (yearly(["2024,156,392", *ROWS]),
         f"baci: line 2 of {MEMBER} does not contain the 6 values of the header."),
        (yearly([f"{ROWS[0]},9", *ROWS]),
         f"baci: line 2 of {MEMBER} does not contain the 6 values of the header."),
        (yearly([ROWS[0], "", ROWS[1]]),
         f"baci: line 3 of {MEMBER} does not contain the 6 values of the header."),
        (yearly([ROWS[5]]), "baci: no flow is of an HS6 code in scope. KIDO_SCOPE sets "
         "which codes are kept; by default those of dbt/seeds/seed_commodities.csv."),
        (yearly([ROWS[0], ROWS[0]]), "baci: '156 392 284690 HS2022 2024' is duplicated."),
        (yearly(["24,156,392,284690,1,1"]), "baci: '24' is not a year."),
        (yearly([",156,392,284690,1,1"]), "baci: '' is not a year."),
        (yearly(["2024,156,392,284690,NA,1"]),
         "baci: 'CHN JPN 284690 HS2022 2024: NA' is not a number (value_usd)."),
        (yearly(["2024,156,392,284690,,1"]),
         "baci: 'CHN JPN 284690 HS2022 2024: ' is not a number (value_usd)."),
        (yearly(["2024,156,392,284690,inf,1"]),
         "baci: 'CHN JPN 284690 HS2022 2024: inf' is not a number (value_usd)."),
        (yearly(["2024,156,392,284690,1,some"]),
         "baci: 'CHN JPN 284690 HS2022 2024: some' is not a number (net_weight_kg)."),
        (archive({"Readme.txt": "x"}), "baci: the zip archive contains Readme.txt, and no yearly "
         f"file named like BACI_HS22_Y2024_V202601.csv. {WHOSE}"),
        (archive({MEMBER: ""}), f"baci: {MEMBER} has no rows. {AGAIN}"),
        (archive({MEMBER: "<html></html>"}),
         f"baci: columns missing: t, i, j, k, v, q ({MEMBER}). {WHOSE}"),
        (archive({MEMBER: yearly(), MEMBER.replace("2024", "2025"): yearly()}),
         "baci: '2024' is not the year of BACI_HS22_Y2025_V202601.csv. Land it under the name of "
         "its own year."),
        (archive({MEMBER: yearly(), "country_codes_V202601.csv": "code,iso3\n1,X\n"}),
         f"baci: columns missing: country_code, country_iso3. {WHOSE}"),
    ],
)  # fmt: skip
def test_what_is_no_baci_file_is_refused_in_one_sentence(payload: bytes, sentence: str) -> None:
    with pytest.raises(UpstreamFormatError) as caught:
        parse(payload, YEARLY)
    assert str(caught.value) == sentence
    assert not isinstance(caught.value, UnknownCodeError)


@pytest.mark.parametrize(
    "rows",
    [
        ['2024,156,392,"284690,1,1', "2024,704,392,284690,1,1"],
        ['2024,156,392,284690,1,"1', '2024,704,392,284690,1,1"'],
        ["2024,156,392,284690,1,1\xff", "2024,704,392,284690,1,1"],
    ],
    ids=["quote never closed", "quote over a line end", "not UTF-8"],
)
def test_rows_that_are_no_csv_are_refused(rows: Sequence[str]) -> None:
    payload = "".join(f"{line}\n" for line in (HEADER, *rows)).encode("latin-1")
    with pytest.raises(UpstreamFormatError, match=r"^baci: lines? 2 "):
        parse(payload, YEARLY)


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("QQQ,JPN,850511,HS2022,2024,1", "'QQQ' is not a known economy"),
        ("CHN,,850511,HS2022,2024,1", "'' is not a known economy"),
        ("S19,JPN,850511,HS2022,2024,1", "'S19' is not a known economy"),
        ("CHN,JPN,010121,HS2022,2024,1", "'010121' is not an HS6 code in scope"),
        ("CHN,JPN,850511,HS22,2024,1", "'HS22' is not an edition of the HS like HS2022"),
    ],
)
def test_an_unknown_code_in_our_table_stops_it_and_is_named(line: str, named: str) -> None:
    with pytest.raises(UnknownCodeError) as caught:
        parse(tidy(TIDY_LINE, line))
    assert str(caught.value) == f"baci: {named}."


@pytest.mark.parametrize(
    ("payload", "sentence"),
    [
        (tidy(TIDY_LINE, TIDY_LINE), "baci: 'CHN JPN 850511 HS2022 2024' is duplicated."),
        (tidy("CHN,JPN,850511,HS2022,2024-01,1"), "baci: '2024-01' is not a year."),
        (tidy("CHN,JPN,850511,HS2022,2024,much"),
         "baci: 'CHN JPN 850511 HS2022 2024: much' is not a number (value_usd)."),
        (tidy()[:-2], "baci: the last line (line 2) is cut. Fetch or land the file again."),
        (tidy(header=TIDY.replace(",year", "")), f"baci: columns missing: year. {WHOSE}"),
    ],
)  # fmt: skip
def test_a_flaw_in_our_table_is_reported_in_one_sentence(payload: bytes, sentence: str) -> None:
    with pytest.raises(UpstreamFormatError) as caught:
        parse(payload)
    assert str(caught.value) == sentence


def test_our_table_may_hold_weights() -> None:
    flows = parse(tidy(f"{TIDY_LINE},3682183", header=f"{TIDY},net_weight_kg"))
    assert measures(flows) == {("CHN", "JPN", "850511"): (156879570.0, 3682183.0)}


# ---- Our table as Parquet


def parquet(*lines: str, header: str = TIDY, **columns: pl.Expr) -> bytes:
    """The table of `tidy` as Parquet, numbers as numbers."""
    texts = dict.fromkeys(("exporter_iso3", "importer_iso3", "hs6_code", "hs_revision"), pl.String)
    table = pl.read_csv(tidy(*lines, header=header), schema_overrides=texts)
    buffer = io.BytesIO()
    table.with_columns(**columns).write_parquet(buffer)
    return buffer.getvalue()


def test_our_table_agrees_as_parquet(tmp_path: Path) -> None:
    lines = (f"{TIDY_LINE},3682183,202501", "VNM,JPN,284690,HS1992,1995,12,,")
    header = f"{TIDY},net_weight_kg,edition"
    for document in (ARCHIVE, FROM_THE_PROJECT):
        as_text = parse(tidy(*lines, header=header), document)
        assert_frame_equal(as_text, parse(parquet(*lines, header=header), document))
    assert_frame_equal(parse(tidy()), parse(parquet()))
    file = tmp_path / "flows.parquet"
    file.write_bytes(parquet())
    (block,) = baci.parse_blocks(file, ARCHIVE)
    assert_frame_equal(block["reconciled_trade"].collect(), parse(tidy()))


@pytest.mark.parametrize(
    ("payload", "sentence"),
    [
        (parquet(TIDY_LINE, TIDY_LINE), "baci: 'CHN JPN 850511 HS2022 2024' is duplicated."),
        (parquet("QQQ,JPN,850511,HS2022,2024,1"), "baci: 'QQQ' is not a known economy."),
        (parquet("CHN,JPN,010121,HS2022,2024,1"), "baci: '010121' is not an HS6 code in scope."),
        (parquet("CHN,JPN,850511,HS2022,24,1"), "baci: '24' is not a year."),
        (parquet("CHN,JPN,850511,HS2022,2024,", value_usd=pl.lit(None, pl.Int64)),
         "baci: 'CHN JPN 850511 HS2022 2024: ' is not a number (value_usd)."),
        (parquet(value_usd=pl.lit(float("nan"))),
         "baci: 'CHN JPN 850511 HS2022 2024: NaN' is not a number (value_usd)."),
        (parquet(value_usd=pl.lit("much")),
         f"baci: the column value_usd contains String, not numbers. {WHOSE}"),
        (parquet(hs6_code=pl.lit(850511)),
         f"baci: the column hs6_code contains Int32, not text. {WHOSE}"),
        (parquet(Year=pl.lit(2024)), f"baci: columns duplicated: year. {WHOSE}"),
        (parquet(rank=pl.lit(1)), f"baci: columns not known: rank. {WHOSE}"),
        (parquet(TIDY_LINE[:-10], header=TIDY.removesuffix(",value_usd")),
         f"baci: columns missing: value_usd. {WHOSE}"),
        (parquet()[:-9], "baci: the Parquet file is cut or damaged (it does not end as a Parquet "
         "file does). Fetch or land the file again."),
    ],
)  # fmt: skip
def test_a_flaw_in_our_table_as_parquet_is_reported_in_one_sentence(
    payload: bytes, sentence: str
) -> None:
    with pytest.raises(UpstreamFormatError) as caught:
        parse(payload)
    assert str(caught.value) == sentence


# ---- What comes with the project


def test_the_magnets_japan_bought_from_china_in_2024_are_as_published(
    bundled: pl.DataFrame,
) -> None:
    assert japan(bundled, "850511")["CHN"] == 156_879_570


@pytest.mark.parametrize(
    ("code", "thousand_usd", "hhi", "largest", "share"),
    [
        ("850511", 568_757, 0.2639, "PHL", 0.3238),
        ("811292", 84_289, 0.1400, "TWN", 0.1931),
        ("811010", 89_381, 0.2199, "CHN", 0.2811),
        ("250490", 8_254, 0.9123, "CHN", 0.9542),
        ("810194", 34_759, 0.9927, "CHN", 0.9963),
        ("810411", 55_311, 0.9606, "CHN", 0.9801),
    ],
)
def test_japans_concentration_of_2024_is_as_published(
    bundled: pl.DataFrame, code: str, thousand_usd: int, hhi: float, largest: str, share: float
) -> None:
    suppliers = japan(bundled, code)
    total = sum(suppliers.values())
    assert round(total / 1000) == thousand_usd
    assert round(sum((value / total) ** 2 for value in suppliers.values()), 4) == hhi
    assert max(suppliers, key=suppliers.__getitem__) == largest
    assert round(suppliers[largest] / total, 4) == share


def test_the_bundled_flows_count_from_the_release_of_their_version(bundled: pl.DataFrame) -> None:
    assert bundled["vintage_at"].unique().to_list() == [datetime(2026, 1, 31)]
    assert bundled["edition"].unique().to_list() == [202601]
    assert bundled["hs_revision"].unique().to_list() == ["HS2017"]
    assert bundled["period_start"].unique().to_list() == [date(2024, 1, 1)]


def test_one_in_twenty_of_the_bundled_flows_of_2024_has_no_weight(bundled: pl.DataFrame) -> None:
    assert bundled["net_weight_kg"].null_count() == 1_030
    assert (bundled["net_weight_kg"].drop_nulls() > 0).all()


@pytest.fixture(scope="module")
def of_hs_1992() -> pl.DataFrame:
    return pl.concat(
        parse((FOLDER / name).read_bytes(), Document(name, datetime(2026, 11, 25), is_bundled=True))
        for name in baci.CARD.bundled
        if name.endswith(".parquet")
    )


def test_the_bundled_flows_of_hs_1992_lack_what_is_held_back(of_hs_1992: pl.DataFrame) -> None:
    years = of_hs_1992["period_start"].dt.year()
    assert set(years) == set(range(1995, 2025))
    by_year = {
        year: set(of_hs_1992.filter(pl.col("period_start").dt.year() == year)["hs6_code"])
        for year in (2006, 2021, 2022, 2023, 2024)
    }
    assert len(by_year[2006]) == 52
    assert by_year[2006] - by_year[2021] == {"811230"}
    assert by_year[2024] == by_year[2023] == by_year[2022] == by_year[2021]
    assert of_hs_1992["hs_revision"].unique().to_list() == ["HS1992"]
    assert of_hs_1992["edition"].unique().to_list() == [202601]


def test_the_bundled_flows_have_values_and_no_flow_of_an_economy_with_itself(
    bundled: pl.DataFrame, of_hs_1992: pl.DataFrame
) -> None:
    for flows in (bundled, of_hs_1992):
        assert flows.filter(pl.col("exporter_iso3") == pl.col("importer_iso3")).is_empty()
        assert (flows["value_usd"] > 0).all()
        assert flows.select(pl.struct(RECONCILED_TRADE.key).is_unique().all()).item()


def test_the_bundled_flows_pass_the_suite_of_the_lake(bundled: pl.DataFrame) -> None:
    rows = bundled.with_columns(document=pl.lit("flows_2024.csv"), snapshot_id=pl.lit("baci-1"))
    frame = RECONCILED_TRADE.conform(rows)
    results = evaluate(frame, LAKE_SUITES["reconciled_trade"], today=date(2026, 11, 25))
    assert results
    found = {result.check_name for result in results if result.status != "passed"}
    # One flow of sand weighs 1,000 times its value: as CEPII has it.
    assert found == {"unit_value_is_plausible"}


def test_the_bundled_files_are_small_and_have_their_origin_written_down() -> None:
    files = yaml.safe_load((FOLDER / "origin.yaml").read_text("utf8"))["files"]
    assert [file["file"] for file in files] == list(baci.CARD.bundled)
    for file in files:
        assert (FOLDER / file["file"]).stat().st_size < 2_000_000
        for word in ("producer", "citation", "licence", "licence_url", "url", "left_out"):
            assert file[word]
        assert isinstance(file["retrieved"], date)
    assert baci.CARD.is_redistributable


AS_OURS = {"S19": "TWN", "ZA1": "_X"}
"""CEPII's names of Taiwan and of the Southern African Customs Union until 1999."""


@needs_shared
def test_the_bundled_flows_are_the_published_ones_one_for_one(bundled: pl.DataFrame) -> None:
    with (SHARED / "data" / "baci" / "baci_2024.csv").open(newline="") as file:
        published = list(csv.DictReader(file))
    assert len(published) == bundled.height == 21_723
    assert Counter(
        (AS_OURS.get(row["i"], row["i"]), AS_OURS.get(row["j"], row["j"]), row["cmd"],
         round(float(row["value"]))) for row in published
    ) == Counter(
        bundled.select(
            "exporter_iso3", "importer_iso3", "hs6_code", pl.col("value_usd").cast(pl.Int64)
        ).rows()
    )  # fmt: skip
    assert len(set(bundled["hs6_code"])) == 30
    assert bundled["value_usd"].sum() == pytest.approx(
        sum(float(row["value"]) for row in published), rel=1e-12
    )


@needs_shared
def test_the_bundled_weights_of_2024_are_the_published_ones_one_for_one(
    bundled: pl.DataFrame,
) -> None:
    file = SHARED / "data" / "baci_hs17" / "baci_hs17_2024_qty.csv.gz"
    with gzip.open(file, "rt", newline="") as lines:
        published = {
            (AS_OURS.get(row["exporter"], row["exporter"]),
             AS_OURS.get(row["importer"], row["importer"]), row["hs6"]):
            (float(row["value_usd"]), round(float(row["qty_kg"])) if row["qty_kg"] else None)
            for row in csv.DictReader(lines)
        }  # fmt: skip
    assert len(published) == bundled.height == 21_723
    assert measures(bundled) == published


@needs_shared
def test_the_bundled_flows_of_hs_1992_are_the_published_ones(of_hs_1992: pl.DataFrame) -> None:
    """Rows and sums of each code and year, counted by DuckDB, and every 101st flow to the unit."""
    files = str(SHARED / "data" / "baci_hs92" / "*.parquet")
    named = " ".join(f"when '{theirs}' then '{ours}'" for theirs, ours in AS_OURS.items())
    with duckdb.connect() as connection:
        connection.execute(f"create view published as from read_parquet('{files}')")
        connection.register("bundled", of_hs_1992.to_arrow())
        sums = """
            select {code} as code, {year} as year, count(*), round(sum({value})),
                count({weight}), round(sum({weight}))
            from {table} group by all order by all
        """
        published = sums.format(
            table="published", code="hs92", year="year", value="value_kusd * 1000",
            weight="qty_t * 1000",
        )  # fmt: skip
        ours = sums.format(
            table="bundled", code="hs6_code", year="year(period_start)", value="value_usd",
            weight="net_weight_kg",
        )  # fmt: skip
        expected = connection.execute(published).fetchall()
        assert connection.execute(ours).fetchall() == expected
        assert sum(row[2] for row in expected) == of_hs_1992.height == 729_147
        sample = connection.execute(
            f"select case exporter {named} else exporter end, "
            f"case importer {named} else importer end, hs92, year, "
            "round(value_kusd * 1000), round(qty_t * 1000) from (from published order by all) "
            "qualify row_number() over () % 101 = 0"
        ).fetchall()
    held = {tuple(row[:4]): tuple(row[4:]) for row in of_hs_1992.select(
        "exporter_iso3", "importer_iso3", "hs6_code", pl.col("period_start").dt.year(),
        "value_usd", "net_weight_kg",
    ).iter_rows()}  # fmt: skip
    assert len(sample) == 729_147 // 101
    assert all(held[tuple(row[:4])] == tuple(row[4:]) for row in sample)
    assert sum("_X" in row[:2] for row in held) > 1_000


@needs_shared
def test_cepiis_whole_list_of_countries_is_understood() -> None:
    with (SHARED / "data" / "baci" / "country_codes_V202601.csv").open("rb") as file:
        countries = file.read()
    codes = [row["country_code"] for row in csv.DictReader(countries.decode().splitlines())]
    assert len(codes) == 238
    rows = [f"2024,{code},392,284690,1,1" for code in codes if code != "392"]
    flows = parse(archive({MEMBER: yearly(rows), "country_codes_V202601.csv": countries}))
    assert flows["value_usd"].sum() == 237_000
    assert {"TWN", "NAM", "_X", "BEL", "USA", "CHE"} <= set(flows["exporter_iso3"])
    assert flows.equals(parse(yearly(rows), YEARLY))


# ---- What is asked


def page(*names: str) -> bytes:
    links = "".join(f'<a href="/DATA_DOWNLOAD/baci/data/{name}">{name}</a>\n' for name in names)
    return f"<html><body>Donn\xe9es\n{links}</body></html>".encode("latin-1")


def step(payload: bytes, tmp_path: Path) -> Any:
    (extract,) = baci.plan((), Scope())
    (request,) = extract.requests
    file = tmp_path / "answer"
    file.write_bytes(payload)
    return baci.follow(request, Answer("content", 200, file))


def test_the_page_is_asked_at_its_own_address() -> None:
    (extract,) = baci.plan((), Scope())
    (request,) = extract.requests
    address = f"{baci.CARD.base_url}/{request.url}?id={request.params['id']}"
    assert address == baci.CARD.homepage.replace("http://", "https://")
    assert (request.expects, extract.windows) == (("html",), ())


@pytest.mark.parametrize(
    ("names", "newest"),
    [
        (["V202401", "V202601", "V202501"], "V202601"), (["V202601b", "V202601"], "V202601b"),
        (["V202601", "V202701", "V202601b"], "V202701"),
    ],
)  # fmt: skip
def test_the_newest_archive_on_the_page_is_asked_for(
    names: list[str], newest: str, tmp_path: Path
) -> None:
    others = ["BACI_HS92_V202801.zip", "BACI_HS17_V2028.zip", "OLD_BACI_HS17_V202801.zip"]
    found = step(page(*others, *(f"BACI_HS17_{name}.zip" for name in names)), tmp_path)
    assert isinstance(found, Instead)
    (request,) = found.requests
    assert request.url == f"DATA_DOWNLOAD/baci/data/BACI_HS17_{newest}.zip"
    assert request.document == f"BACI_HS17_{newest}.zip"
    assert baci.follow(request, Answer("content", 200, tmp_path / "zip")) == Done()


def test_a_page_that_names_no_archive_is_not_an_empty_answer(tmp_path: Path) -> None:
    with pytest.raises(UpstreamFormatError, match=r"names no archive like BACI_HS17_V202601\.zip"):
        step(page("BACI_HS92_V202601.zip"), tmp_path)


def test_an_archive_may_pad_the_numbers_of_one_year_alone() -> None:
    padded = yearly(["2023,156,392,284690,  1.000,   NA"])
    plain = yearly(["2024,156,392,284690,2.000,3.000"])
    both = archive({"BACI_HS22_Y2023_V202601.csv": padded, "BACI_HS22_Y2024_V202601.csv": plain})
    flows = parse(both).sort("period_start")
    assert flows["value_usd"].to_list() == [1_000, 2_000]
    assert flows["net_weight_kg"].to_list() == [None, 3_000]


@needs_shared
@pytest.mark.parametrize("name", ["BACI_HS22_V202601.zip", "BACI_HS22_Y2024_V202601.csv"])
def test_files_in_cepiis_layout_come_out_in_dollars_and_kilograms(name: str) -> None:
    """Made up: `NA`, Taiwan under its number 490, and horses, which are out of scope."""
    stem, dot, kind = name.rpartition(".")
    file = SHARED / "payloads" / "baci" / f"{stem}_SYNTHETIC{dot}{kind}"
    assert measures(parse(file.read_bytes(), Document(name, RETRIEVED, is_bundled=False))) == {
        ("CHN", "JPN", "284690"): (412_345_678, 1_204_500),
        ("VNM", "JPN", "284690"): (88_345_120, 402_100),
        ("FRA", "JPN", "280530"): (12_345, None),
        ("TWN", "JPN", "850511"): (23_111_001, 310_250),
    }
