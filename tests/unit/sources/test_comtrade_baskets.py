"""The bundled sums of UN Comtrade add up, and another table than the tidy one is refused."""

from __future__ import annotations

import csv
import gzip
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.errors import UnknownCodeError, UpstreamFormatError
from dagster_project.lake.schemas import TRADE_FLOWS
from dagster_project.quality.runner import evaluate
from dagster_project.quality.suites import LAKE_SUITES
from dagster_project.settings import BUNDLED
from dagster_project.sources import comtrade_baskets
from dagster_project.sources.card import Document
from tests.conftest import SHARED, needs_shared
from tests.corrected import corrected_rows

FOLDER = BUNDLED / "comtrade_baskets"
RETRIEVED = datetime(2026, 11, 1, 9, 30)
LANDED = Document("extract.csv", RETRIEVED, is_bundled=False)
FROM_THE_PROJECT = Document("rare_earths.csv", datetime(2026, 11, 25), is_bundled=True)

COLUMNS = (
    "reporter_iso3", "partner_iso3", "flow", "commodity_code", "frequency", "period", "value_usd",
    "net_weight_kg", "figure_source",
)  # fmt: skip
LINE = {
    "reporter_iso3": "JPN",
    "partner_iso3": "CHN",
    "flow": "import",
    "commodity_code": "rare_earths",
    "frequency": "A",
    "period": "2024",
    "value_usd": "194696451.24",
    "net_weight_kg": "15981526",
    "figure_source": "UN Comtrade, HS 280530+284610+284690",
}


def table(*lines: dict[str, str], columns: Sequence[str] = COLUMNS) -> bytes:
    """The tidy table: LINE with the given cells changed, once for each argument."""
    cells = ([f'"{ {**LINE, **line}[name] }"' for name in columns] for line in lines or ({},))
    return "".join(",".join(row) + "\n" for row in (columns, *cells)).encode()


def parse(payload: bytes, document: Document = LANDED) -> pl.DataFrame:
    return comtrade_baskets.parse(payload, document)["trade_flows"]


def only(payload: bytes, document: Document = LANDED) -> dict[str, Any]:
    return parse(payload, document).row(0, named=True)


@pytest.fixture(scope="module")
def bundled() -> pl.DataFrame:
    return parse((FOLDER / "rare_earths.csv").read_bytes(), FROM_THE_PROJECT)


def japan(bundled: pl.DataFrame, year: int) -> dict[str, tuple[float, float]]:
    rows = bundled.filter(
        pl.col("reporter_iso3") == "JPN", pl.col("period_start") == date(year, 1, 1)
    )
    assert set(rows["flow"]) == {"import"}
    return {
        row["partner_iso3"]: (row["value_usd"], row["net_weight_kg"]) for row in rows.to_dicts()
    }


def test_japan_2024_is_as_published(bundled: pl.DataFrame) -> None:
    flows = japan(bundled, 2024)
    assert flows["WLD"] == (442677785.402, 22405704.018)
    assert flows["CHN"] == (194696451.24, 15981526.0)
    assert flows["VNM"] == (163814545.86, 2973740.0)
    # By hand: 442677785.402 - 194696451.24 - 163814545.86 and 22405704.018 - 15981526 - 2973740.
    assert flows["_X"] == (84166788.302, 3450438.018)
    assert set(flows) == {"WLD", "CHN", "VNM", "_X"}


@pytest.mark.parametrize(
    ("year", "by_weight", "by_value"),
    [
        (2010, 81.6, 82.2),
        (2012, 57.9, 61.6),
        (2018, 58.0, 42.0),
        (2022, 66.3, 65.6),
        (2023, 67.6, 64.7),
        (2024, 71.3, 44.0),
    ],
)
def test_chinas_part_of_japans_imports_is_as_published(
    bundled: pl.DataFrame, year: int, by_weight: float, by_value: float
) -> None:
    flows = japan(bundled, year)
    assert round(100 * flows["CHN"][1] / flows["WLD"][1], 1) == by_weight
    assert round(100 * flows["CHN"][0] / flows["WLD"][0], 1) == by_value


def test_japans_other_suppliers_of_2018_are_as_published(bundled: pl.DataFrame) -> None:
    flows = japan(bundled, 2018)
    parts = {partner: round(100 * kg / flows["WLD"][1], 1) for partner, (_, kg) in flows.items()}
    assert (parts["VNM"], parts["FRA"], parts["MYS"]) == (13.5, 11.0, 9.8)


def test_japans_imports_of_2014_agree_with_its_own_customs(bundled: pl.DataFrame) -> None:
    # Ministry of Finance: 22,307 t, 59.64 % of it from China.
    flows = japan(bundled, 2014)
    assert flows["WLD"][1] / 1000 == pytest.approx(22307.5, abs=0.05)
    assert 100 * flows["CHN"][1] / flows["WLD"][1] == pytest.approx(59.64, abs=0.05)


def lines() -> Iterable[dict[str, str]]:
    with (FOLDER / "rare_earths.csv").open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


@pytest.mark.parametrize("measure", ["value_usd", "net_weight_kg"])
def test_a_total_equals_its_partners_and_re_imports_to_the_last_digit(measure: str) -> None:
    parts: dict[tuple[str, str], list[str]] = {}
    totals: dict[tuple[str, str], str] = {}
    with_remainder = set()
    for line in lines():
        year = (line["reporter_iso3"], line["period"])
        if line["partner_iso3"] == "WLD":
            totals[year] = line[measure]
        else:
            parts.setdefault(year, []).append(line[measure])
        if line["partner_iso3"] == "_X" and line[measure]:
            with_remainder.add(year)
    assert with_remainder
    assert {
        year for year in with_remainder if Decimal(totals[year]) != sum(map(Decimal, parts[year]))
    } == set()


def test_every_importer_with_a_partner_has_a_total_and_a_remainder(bundled: pl.DataFrame) -> None:
    by_year = bundled.group_by("reporter_iso3", "period_start").agg("partner_iso3").to_dicts()
    for group in by_year:
        assert group["partner_iso3"].count("WLD") == 1
        if len(group["partner_iso3"]) > 1:
            assert group["partner_iso3"].count("_X") == 1


def test_a_remainder_has_a_weight_only_if_every_other_weight_is_there(
    bundled: pl.DataFrame,
) -> None:
    years = (
        bundled.filter(pl.col("partner_iso3").n_unique().over("reporter_iso3", "period_start") > 1)
        .group_by("reporter_iso3", "period_start")
        .agg(
            pl.col("net_weight_kg").filter(pl.col("partner_iso3") != "_X").has_nulls().alias("gap"),
            pl.col("net_weight_kg")
            .filter(pl.col("partner_iso3") == "_X")
            .has_nulls()
            .alias("rest"),
        )
    )
    assert (years["gap"] == years["rest"]).all()
    assert years["gap"].any()


def test_a_flow_of_an_economy_with_itself_is_a_re_import(bundled: pl.DataFrame) -> None:
    own = bundled.filter(pl.col("reporter_iso3") == pl.col("partner_iso3"))
    assert set(own["flow"]) == {"re_import"}
    assert own["reporter_iso3"].unique().to_list() == ["CHN"]
    assert own["period_start"].dt.year().sort().to_list() == [2006, 2007, 2009, 2013]
    assert bundled.filter(pl.col("flow") == "re_import").height == own.height


def test_taiwan_bears_its_own_code_and_special_areas_are_folded_in(bundled: pl.DataFrame) -> None:
    economies = set(bundled["reporter_iso3"]) | set(bundled["partner_iso3"])
    assert "TWN" in economies
    assert not economies & {"S19", "XX", "X1", "X2"}
    assert all(economy == economy.strip() for economy in economies)
    # Austria 2005 lists special categories alone: all of its imports have no published partner.
    austria = bundled.filter(
        pl.col("reporter_iso3") == "AUT", pl.col("period_start") == date(2005, 1, 1)
    )
    assert dict(austria.select("partner_iso3", "value_usd").iter_rows()) == {
        "WLD": 16016844.0,
        "_X": 16016844.0,
    }


def test_a_weight_of_zero_is_missing_and_no_figure_is_zero(bundled: pl.DataFrame) -> None:
    assert (bundled["net_weight_kg"].drop_nulls() > 0).all()
    assert (bundled["value_usd"] > 0).all()
    france = bundled.filter(
        pl.col("reporter_iso3") == "FRA",
        pl.col("partner_iso3") == "CHN",
        pl.col("period_start") == date(2018, 1, 1),
    )
    assert france.select("value_usd", "net_weight_kg").row(0) == (50916248.41, None)


def test_every_bundled_line_names_its_source_and_is_plain_to_read() -> None:
    for line in lines():
        assert line["figure_source"].startswith("UN Comtrade, HS 280530+284610+284690")
        assert not set(line["value_usd"] + line["net_weight_kg"]) - set("0123456789.")
        assert line["period"].isdigit()
    assert (FOLDER / "rare_earths.csv").stat().st_size < 400_000


def test_the_bundled_files_have_their_origin_written_down() -> None:
    files = yaml.safe_load((FOLDER / "origin.yaml").read_text("utf8"))["files"]
    assert [file["file"] for file in files] == list(comtrade_baskets.CARD.bundled)
    for file in files:
        for word in ("producer", "citation", "licence", "licence_url", "url", "left_out"):
            assert file[word]
        assert isinstance(file["retrieved"], date)
    assert not comtrade_baskets.CARD.is_redistributable


def raw(name: str) -> list[dict[str, str]]:
    with (SHARED / "data" / "comtrade_rare_earths" / name).open(newline="") as file:
        return [row for row in csv.DictReader(file) if row["mineral"] == "Rare earths"]


def as_ours(code: str) -> str:
    return {"S19": "TWN", "XX": "_X"}.get(code.strip(), code.strip())


@needs_shared
def test_the_bundled_totals_are_the_importers_reports_one_for_one(bundled: pl.DataFrame) -> None:
    imports = [row for row in raw("comtrade_country_ts.csv") if row["flow"] == "Import"]
    assert len(imports) == 2663
    ours = bundled.filter(pl.col("partner_iso3") == "WLD")
    assert ours.height == 2663
    found = {(row["reporter_iso3"], row["period_start"].year): row for row in ours.to_dicts()}
    for row in imports:
        mine = found[as_ours(row["country_iso"]), int(row["year"])]
        assert mine["value_usd"] == pytest.approx(float(row["trade_value_usd"]), abs=1e-6)
        weight = float(row["net_weight_kg"])
        assert mine["net_weight_kg"] == (pytest.approx(weight, abs=1e-6) if weight else None)


@needs_shared
def test_the_bundled_partners_are_the_listed_flows_one_for_one(bundled: pl.DataFrame) -> None:
    listed = raw("comtrade_flows.csv")
    assert len(listed) == 400
    ours = bundled.filter(~pl.col("partner_iso3").is_in(["WLD", "_X"]))
    assert Counter(
        (row["reporter_iso3"], row["partner_iso3"], row["period_start"].year)
        for row in ours.to_dicts()
    ) == Counter(
        (as_ours(row["importer_iso"]), as_ours(row["exporter_iso"]), int(row["year"]))
        for row in listed
        if as_ours(row["exporter_iso"]) != "_X"
    )
    assert ours["value_usd"].sum() == pytest.approx(
        sum(float(row["trade_value_usd"]) for row in listed if row["exporter_iso"] != "XX "),
        rel=1e-12,
    )
    importer_years = {(row["importer_iso"], row["year"]) for row in listed}
    assert bundled.filter(pl.col("partner_iso3") == "_X").height == len(importer_years) == 217


# ---- China's exports by month


@pytest.fixture(scope="module")
def exports() -> pl.DataFrame:
    name = "china_exports_monthly.csv"
    document = Document(name, datetime(2026, 11, 25), is_bundled=True)
    rows, statuses = corrected_rows(comtrade_baskets, (FOLDER / name).read_bytes(), document)
    assert statuses == {"COMTRADE-CHN-EXPORTS-BEL-TWICE": "applied"}
    return rows["trade_flows"]


def test_chinas_exports_are_monthly_flows_of_three_codes(exports: pl.DataFrame) -> None:
    assert exports.height == 6442
    assert exports["commodity_code"].value_counts(sort=True).rows() == [
        ("250410", 2686), ("380110", 2575), ("811292", 1181),
    ]  # fmt: skip
    assert exports["partner_iso3"].n_unique() == 39
    months = exports["period_start"]
    assert (months.min(), months.max(), months.n_unique()) == (
        date(2017, 1, 1), date(2024, 12, 1), 96,
    )  # fmt: skip
    for column, only_value in {
        "reporter_iso3": "CHN", "flow": "export", "frequency": "M", "valuation": "FOB",
        "is_basket": False, "is_provisional": False,
    }.items():  # fmt: skip
        assert exports[column].unique().to_list() == [only_value]


def test_no_total_is_made_up_and_taiwan_and_hong_kong_are_partners_of_their_own(
    exports: pl.DataFrame,
) -> None:
    partners = set(exports["partner_iso3"])
    assert {"TWN", "HKG", "JPN", "KOR", "USA"} <= partners
    assert not partners & {"WLD", "_X", "CHN"}


def test_codes_are_of_the_edition_of_the_hs_in_force(exports: pl.DataFrame) -> None:
    spans = exports.group_by("hs_revision").agg(
        pl.col("period_start").min().alias("first"), pl.col("period_start").max().alias("last")
    )
    assert spans.sort("hs_revision").rows() == [
        ("HS2017", date(2017, 1, 1), date(2021, 12, 1)),
        ("HS2022", date(2022, 1, 1), date(2024, 12, 1)),
    ]


def test_a_month_counts_from_the_first_day_of_the_fourth_month_after(
    exports: pl.DataFrame,
) -> None:
    counts_from = dict(exports.select("period_start", "vintage_at").unique().iter_rows())
    assert counts_from[date(2017, 1, 1)] == datetime(2017, 5, 1)
    assert counts_from[date(2023, 9, 1)] == datetime(2024, 1, 1)
    assert counts_from[date(2024, 12, 1)] == datetime(2025, 4, 1)


def test_weights_are_kilograms_and_missing_ones_are_blank(exports: pl.DataFrame) -> None:
    dollars_a_kilogram = exports.group_by("commodity_code").agg(
        (pl.col("value_usd").sum() / pl.col("net_weight_kg").sum()).alias("unit_value")
    )
    unit_values = dict(dollars_a_kilogram.iter_rows())
    # Flake and artificial graphite trade at one to three thousand dollars a ton, germanium and
    # gallium at hundreds of dollars a kilogram.
    assert 1 < unit_values["250410"] < 3
    assert 1 < unit_values["380110"] < 3
    assert 100 < unit_values["811292"] < 500
    blank = exports.filter(pl.col("net_weight_kg").is_null())
    assert blank["commodity_code"].value_counts(sort=True).rows() == [
        ("811292", 145),
        ("250410", 1),
    ]
    in_2017 = exports.filter(
        pl.col("commodity_code") == "811292", pl.col("period_start").dt.year() == 2017
    )
    assert in_2017["net_weight_kg"].null_count() == in_2017.height == 145
    assert (exports["net_weight_kg"].drop_nulls() > 0).all()
    assert (exports["value_usd"] > 0).all()


def test_chinas_exports_pass_the_rules_that_stop_or_quarantined(exports: pl.DataFrame) -> None:
    rows = exports.with_columns(document=pl.lit("exports.csv"), snapshot_id=pl.lit("c-1"))
    frame = TRADE_FLOWS.conform(rows)
    assert not frame.select(TRADE_FLOWS.key).is_duplicated().any()
    results = evaluate(frame, LAKE_SUITES["trade_flows"], today=date(2026, 11, 25))
    assert results
    failed = {result.check_name for result in results if result.status != "passed"}
    # Small consignments of samples cost thousands of dollars a kilogram: reported, and kept.
    assert failed <= {"unit_value_is_plausible"}


def export_lines() -> list[dict[str, str]]:
    with (FOLDER / "china_exports_monthly.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_line_of_chinas_exports_names_its_source() -> None:
    for line in export_lines():
        assert line["figure_source"] == "UN Comtrade, HS6, exporter's report"
        assert not set(line["value_usd"] + line["net_weight_kg"]) - set("0123456789.")
    assert (FOLDER / "china_exports_monthly.csv").stat().st_size < 700_000


NAMED_BY_THE_EXTRACT = {
    "Australia": "AUS", "Austria": "AUT", "Belgium": "BEL", "Brazil": "BRA", "Canada": "CAN",
    "Czech Republic": "CZE", "Egypt": "EGY", "France": "FRA", "Germany": "DEU",
    "Hong Kong": "HKG", "Hungary": "HUN", "India": "IND", "Indonesia": "IDN", "Iran": "IRN",
    "Italy": "ITA", "Japan": "JPN", "Kazakhstan": "KAZ", "Malaysia": "MYS", "Mexico": "MEX",
    "Mozambique": "MOZ", "Netherlands": "NLD", "New Zealand": "NZL", "Philippines": "PHL",
    "Poland": "POL", "Russia": "RUS", "Singapore": "SGP", "Slovakia": "SVK",
    "South Africa": "ZAF", "South Korea": "KOR", "Spain": "ESP", "Sweden": "SWE",
    "Taiwan": "TWN", "Tanzania": "TZA", "Thailand": "THA", "Turkey": "TUR", "UAE": "ARE",
    "USA": "USA", "United Kingdom": "GBR", "Vietnam": "VNM",
}  # fmt: skip


@needs_shared
def test_chinas_bundled_exports_are_the_extracts_one_for_one() -> None:
    folder = SHARED / "data" / "china_exports_monthly"
    with (folder / "deep_dive_hs6_monthly.csv").open(newline="") as file:
        listed = list(csv.DictReader(file))
    assert len(listed) == 6442
    belgian = [row for row in listed if row["partner_name"] == "Belgium"]
    assert len(belgian) == 195
    assert all(Decimal(row["val"]) % 2 == 0 for row in belgian)
    assert all(Decimal(row["qty"]) * 1000 % 2 == 0 for row in belgian)

    def published(row: dict[str, str]) -> tuple[str, str, str, Decimal, Decimal | None]:
        return (
            NAMED_BY_THE_EXTRACT[row["partner_name"]], row["hs6"], row["period_dt"][:7],
            Decimal(row["val"]), Decimal(row["qty"]) or None,
        )  # fmt: skip

    assert Counter(map(published, listed)) == Counter(
        (
            line["partner_iso3"], line["commodity_code"], line["period"],
            Decimal(line["value_usd"]),
            Decimal(line["net_weight_kg"]) if line["net_weight_kg"] else None,
        )
        for line in export_lines()
    )  # fmt: skip


@needs_shared
def test_chinas_months_of_2024_add_up_to_what_it_reported_for_the_year(
    exports: pl.DataFrame,
) -> None:
    # The year as UN Comtrade has it, by partner; of rows with one key the largest is the total.
    with gzip.open(SHARED / "data" / "comtrade_raw" / "comtrade_2024.csv.gz", "rt") as file:
        reported: dict[str, float] = {}
        for row in csv.DictReader(file):
            if (row["reporter"], row["cmd"], row["flow"]) == ("156", "811292", "X"):
                value = float(row["value"])
                reported[row["partner"]] = max(value, reported.get(row["partner"], 0))
    of_2024 = exports.filter(
        pl.col("commodity_code") == "811292", pl.col("period_start").dt.year() == 2024
    )
    months = dict(of_2024.group_by("partner_iso3").agg(pl.col("value_usd").sum()).iter_rows())
    numbers = {
        "JPN": "392", "KOR": "410", "HKG": "344", "USA": "842", "BEL": "56", "TWN": "490",
        "DEU": "276", "NLD": "528", "IND": "699", "MYS": "458",
    }  # fmt: skip
    assert {code: months[code] for code in numbers} == {
        code: reported[number] for code, number in numbers.items()
    }
    assert months["JPN"] == 4_110_813


# ---- The tidy table


def test_a_line_becomes_a_flow() -> None:
    assert only(table()) == {
        "source": "comtrade_baskets",
        "reporter_iso3": "JPN",
        "partner_iso3": "CHN",
        "flow": "import",
        "commodity_code": "rare_earths",
        "is_basket": True,
        "hs_revision": None,
        "frequency": "A",
        "period_start": date(2024, 1, 1),
        "procedure_code": None,
        "transport_code": None,
        "second_partner_iso3": None,
        "value_usd": 194696451.24,
        "net_weight_kg": 15981526.0,
        "valuation": "CIF",
        "is_provisional": False,
        "vintage_at": RETRIEVED,
    }


def test_the_frame_fits_the_lake_once_its_provenance_is_added(bundled: pl.DataFrame) -> None:
    flows = bundled.with_columns(document=pl.lit("rare_earths.csv"), snapshot_id=pl.lit("c-1"))
    conformed = TRADE_FLOWS.conform(flows)
    assert conformed.schema == TRADE_FLOWS.polars_schema
    assert not conformed.select(TRADE_FLOWS.key).is_duplicated().any()


def test_a_row_of_a_six_digit_code_is_no_basket_and_keeps_its_edition_of_the_hs() -> None:
    columns = (*COLUMNS, "hs_revision")
    flow = only(table({"commodity_code": "850511", "hs_revision": "HS2022"}, columns=columns))
    assert (flow["commodity_code"], flow["is_basket"], flow["hs_revision"]) == (
        "850511", False, "HS2022",
    )  # fmt: skip
    assert only(table({"hs_revision": ""}, columns=columns))["hs_revision"] is None


def test_a_code_keeps_its_leading_zero() -> None:
    assert only(table({"commodity_code": "026110"}))["commodity_code"] == "026110"


def test_a_month_starts_on_its_first_day() -> None:
    flow = only(table({"frequency": "M", "period": "2024-05"}))
    assert (flow["frequency"], flow["period_start"]) == ("M", date(2024, 5, 1))


@pytest.mark.parametrize(
    ("frequency", "period", "counts_from"),
    [
        ("A", "2024", datetime(2025, 7, 1)),
        ("A", "2005", datetime(2006, 7, 1)),
        ("M", "2024-05", datetime(2024, 9, 1)),
        ("M", "2024-12", datetime(2025, 4, 1)),
    ],
)
def test_a_bundled_figure_counts_from_its_release_date(
    frequency: str, period: str, counts_from: datetime
) -> None:
    payload = table({"frequency": frequency, "period": period})
    assert only(payload, FROM_THE_PROJECT)["vintage_at"] == counts_from
    assert only(payload, LANDED)["vintage_at"] == RETRIEVED


@pytest.mark.parametrize(
    ("flow", "valuation"),
    [("import", "CIF"), ("re_import", "CIF"), ("export", "FOB"), ("re_export", "FOB")],
)
def test_imports_are_valued_with_freight_and_exports_without(flow: str, valuation: str) -> None:
    assert only(table({"flow": flow}))["valuation"] == valuation


def test_a_blank_is_missing_and_a_zero_stays_zero() -> None:
    flow = only(table({"value_usd": "0", "net_weight_kg": ""}))
    assert (flow["value_usd"], flow["net_weight_kg"]) == (0.0, None)


@given(st.permutations(COLUMNS), st.permutations(["CHN", "VNM", "FRA", "WLD", "_X"]))
def test_a_permutation_of_rows_and_columns_changes_nothing(
    columns: list[str], partners: list[str]
) -> None:
    lines = [{"partner_iso3": partner} for partner in partners]
    in_order = table(*({"partner_iso3": partner} for partner in sorted(partners)))
    assert parse(table(*lines, columns=columns)).equals(parse(in_order))


@given(st.integers(0, len(table({}, {"partner_iso3": "VNM"}, {"partner_iso3": "WLD"}))))
def test_a_cut_file_is_refused_or_ends_with_a_whole_line(length: int) -> None:
    payload = table({}, {"partner_iso3": "VNM"}, {"partner_iso3": "WLD"})[:length]
    try:
        flows = parse(payload)
    except UpstreamFormatError:
        assert not payload.endswith(b"\n") or payload.count(b"\n") == 1
    else:
        assert payload.endswith(b"\n")
        assert flows.height == payload.count(b"\n") - 1


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"reporter_iso3": "JAP"}, "'JAP' is not a known economy"),
        ({"partner_iso3": "S19"}, "'S19' is not a known economy"),
        ({"partner_iso3": ""}, "'' is not a known economy"),
        ({"flow": "transit"}, "'transit' is not a flow"),
        ({"commodity_code": "unobtainium"}, "'unobtainium' is neither a mineral group nor a code"),
        ({"commodity_code": "28469"}, "'28469' is neither a mineral group nor a code"),
        ({"frequency": "Q"}, "'Q' is not a frequency"),
        ({"hs_revision": "H6"}, "'H6' is not an edition of the HS"),
    ],
)
def test_an_unknown_code_stops_the_batch_and_is_named(change: dict[str, str], named: str) -> None:
    columns = (*COLUMNS, *(name for name in change if name not in COLUMNS))
    with pytest.raises(UnknownCodeError) as caught:
        parse(table(change, columns=columns))
    assert str(caught.value).startswith(f"comtrade_baskets: {named}")


@pytest.mark.parametrize(
    ("payload", "sentence"),
    [
        (b"", "the file is empty."),
        (b"<html></html>", "HTML page where CSV was expected."),
        (table(columns=COLUMNS[1:]), "columns missing: reporter_iso3."),
        (table({"remark": "x"}, columns=(*COLUMNS, "remark")), "columns not known: remark."),
        (table({"period": "2024-05"}), "'2024-05' is not a period of its frequency"),
        (table({"period": "24"}), "'24' is not a period of its frequency"),
        (
            table({"frequency": "M", "period": "2024-13"}),
            "'2024-13' is not a period of its frequency",
        ),
        (table({"value_usd": "12,5"}), "'12,5' is not a number (value_usd)."),
        (table({"net_weight_kg": "nan"}), "'nan' is not a number (net_weight_kg)."),
        (table({"figure_source": ""}), "'' is not a source"),
        (table()[:-3], "the last line (line 2) is cut."),
        (table().rstrip(b"\n"), "the last line (line 2) is cut."),
        (table({"figure_source": 'open"'}, {}), "line 2 does not contain the 9 values"),
    ],
)
def test_another_layout_is_refused_in_one_sentence(payload: bytes, sentence: str) -> None:
    with pytest.raises(UpstreamFormatError) as caught:
        parse(payload)
    assert str(caught.value).startswith(f"comtrade_baskets: {sentence}")
    assert not isinstance(caught.value, UnknownCodeError)


def test_nothing_is_fetched() -> None:
    assert comtrade_baskets.CARD.base_url is None
    assert not hasattr(comtrade_baskets, "plan")
