"""The Pink Sheet: the World Bank's workbook, our bundled table, and what is refused."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.errors import UnknownCodeError, UpstreamFormatError
from dagster_project.lake.schemas import LAKE_TABLES
from dagster_project.lake.vocabulary import material_labels
from dagster_project.quality.runner import evaluate_batch
from dagster_project.quality.suites import LAKE_SUITES
from dagster_project.settings import BUNDLED
from dagster_project.sources import pink_sheet
from dagster_project.sources.card import Answer, Document, Done, Instead, Request, Scope
from dagster_project.sources.formats import read_sheet
from tests.conftest import CHECKOUT, SHARED, needs_shared
from tests.fakes.pink_sheet import LINK, FakePinkSheet
from tests.fakes.pink_sheet import workbook as written_workbook
from tests.nightly import nightly, times

FOLDER = BUNDLED / "pink_sheet"
RETRIEVED = datetime(2026, 7, 3, 9, 30)
LANDED = Document("downloaded.xlsx", RETRIEVED, is_bundled=False)
FROM_THE_PROJECT = Document("monthly_prices.csv", datetime(2026, 6, 2), is_bundled=True)
JUNE_2026 = SHARED / "data" / "pink_sheet" / "CMO-Historical-Data-Monthly_2026-06.xlsx"
VINTAGES = (
    (SHARED / "data" / "pink_sheet" / "CMO-Historical-Data-Monthly_2025-05.xlsx", 784),
    (
        SHARED / "payloads" / "worldbank_pinksheet"
        / "CMO-Historical-Data-Monthly_REAL_full_2026-03.xlsx",
        794,
    ),
    (JUNE_2026, 797),
)  # fmt: skip

NAMES = (
    "Sorghum", "Copper", "Coal, South African **", "Gold ", "Iron ore, cfr spot", "Aluminum",
    "Lead", "Tin", "Nickel", "Zinc", "Platinum", "Silver ",
)  # fmt: skip
UNITS = (
    "($/mt)", "($/mt)", "($/mt)", "($/troy oz)", "($/dmtu)", *["($/mt)"] * 5, *["($/troy oz)"] * 2,
)  # fmt: skip
MONTHS: Sequence[tuple[Any, ...]] = (
    ("2026M03", "...", 12500.5, 90.56, 5000, 105.53, 3300, "…", "…", "…", "…", "…", "…"),
    ("2026M04", "...", 12951.35, "…", 4721.42, "…", "…", 1950.5, "…", "…", 3400, "…", "…"),
    ("2026M05", "...", 13543.19, 91, 4587.21, 108.64, "…", 1991, 50001, 18805.77, "…", 2000, 75.5),
)
INDICES: Sequence[tuple[Any, ...]] = (
    (None, "Total Index", "Energy", None, "Precious Metals", None),
    (None, None, None, "Metals  & Minerals", None, None),
    (None, " ", None, " ", None, "Base Metals (ex. iron ore)"),
    ("2026M04", 139.96, 151.2, 143.57, 375.29, "…"),
    ("2026M05", 132.43, 133.91, 148.82, 368.73, 166.1),
)

# The rows of the workbook below, worked by hand.
EXPECTED = {
    ("COPPER", date(2026, 3, 1)): 12500.5,
    ("COPPER", date(2026, 4, 1)): 12951.35,
    ("COPPER", date(2026, 5, 1)): 13543.19,
    ("GOLD", date(2026, 3, 1)): 5000.0,
    ("GOLD", date(2026, 4, 1)): 4721.42,
    ("GOLD", date(2026, 5, 1)): 4587.21,
    ("IRON_ORE", date(2026, 3, 1)): 105.53,
    ("IRON_ORE", date(2026, 5, 1)): 108.64,
    ("ALUMINUM", date(2026, 3, 1)): 3300.0,
    ("LEAD", date(2026, 4, 1)): 1950.5,
    ("LEAD", date(2026, 5, 1)): 1991.0,
    ("TIN", date(2026, 5, 1)): 50001.0,
    ("NICKEL", date(2026, 5, 1)): 18805.77,
    ("ZINC", date(2026, 4, 1)): 3400.0,
    ("PLATINUM", date(2026, 5, 1)): 2000.0,
    ("SILVER", date(2026, 5, 1)): 75.5,
    ("WB_TOTAL_INDEX", date(2026, 4, 1)): 139.96,
    ("WB_TOTAL_INDEX", date(2026, 5, 1)): 132.43,
    ("WB_METALS_AND_MINERALS", date(2026, 4, 1)): 143.57,
    ("WB_METALS_AND_MINERALS", date(2026, 5, 1)): 148.82,
    ("WB_PRECIOUS_METALS", date(2026, 4, 1)): 375.29,
    ("WB_PRECIOUS_METALS", date(2026, 5, 1)): 368.73,
    ("WB_BASE_METALS", date(2026, 5, 1)): 166.1,
}

WHOSE = f"Is it the file of {pink_sheet.CARD.homepage}?"
AGAIN = "Fetch or land the file again."
ADD = "Add it in dagster_project/sources/pink_sheet.py: figures before and after do not compare."


def workbook(**changes: Any) -> bytes:
    """The workbook of the rows above, but for the changes."""
    return written_workbook(
        **{"names": NAMES, "units": UNITS, "months": MONTHS, "indices": INDICES, **changes}
    )


WORKBOOK = workbook()


def parse(payload: bytes, document: Document = LANDED) -> pl.DataFrame:
    return pink_sheet.parse(payload, document)["price_quotes"]


def closes(quotes: pl.DataFrame) -> Mapping[tuple[str, date], float]:
    return {(row["instrument"], row["price_date"]): row["close"] for row in quotes.to_dicts()}


def refusal(payload: bytes, error: type[Exception] = UpstreamFormatError) -> str:
    with pytest.raises(error) as caught:
        parse(payload)
    return str(caught.value)


@pytest.fixture(scope="module")
def bundled() -> Mapping[str, pl.DataFrame]:
    return pink_sheet.parse((FOLDER / "monthly_prices.csv").read_bytes(), FROM_THE_PROJECT)


def test_the_workbook_becomes_one_row_per_series_in_scope_and_month_with_a_figure() -> None:
    quotes = parse(WORKBOOK)
    assert closes(quotes) == EXPECTED
    assert quotes.height == len(EXPECTED)


def test_a_price_gives_its_currency_and_unit() -> None:
    assert parse(WORKBOOK).filter(instrument="COPPER").row(0, named=True) == {
        "source": "pink_sheet",
        "instrument": "COPPER",
        "price_date": date(2026, 3, 1),
        "edition": None,
        "frequency": "M",
        "close": 12500.5,
        "adjusted_close": None,
        "currency": "USD",
        "unit": "USD per t",
        "is_provisional": False,
        "vintage_at": RETRIEVED,
    }


def test_gold_is_by_the_troy_ounce_iron_ore_by_the_dry_ton_and_an_index_has_no_currency() -> None:
    kinds = set(parse(WORKBOOK).select("instrument", "currency", "unit").rows())
    assert ("GOLD", "USD", "USD per troy oz") in kinds
    assert ("IRON_ORE", "USD", "USD per dry t") in kinds
    assert ("WB_PRECIOUS_METALS", None, "index, 2010 = 100") in kinds


def test_a_bundled_figure_counts_from_the_end_of_its_files_month() -> None:
    quotes = parse(WORKBOOK, Document("x.xlsx", RETRIEVED, is_bundled=True))
    assert quotes["vintage_at"].unique().to_list() == [datetime(2026, 6, 30)]


def test_every_label_is_listed_with_its_material_or_the_reason_it_is_left_out() -> None:
    labels = pink_sheet.parse(WORKBOOK, LANDED)["material_labels"]
    by_label = {row["label"]: row for row in labels.to_dicts()}
    assert len(by_label) == labels.height == 71 + 16
    assert by_label["Aluminum"]["material"] == by_label["Aluminum"]["mineral"] == "aluminium"
    assert by_label["Iron ore, cfr spot"]["material"] == "iron_ore"
    assert by_label["Maize"]["left_out"] == "food or drink: not a mineral"
    taken = {label for label, row in by_label.items() if row["left_out"] is None}
    assert taken == {*pink_sheet.PRICES, *pink_sheet.INDICES}


def test_the_frames_fit_the_lake_and_pass_its_rules(bundled: Mapping[str, pl.DataFrame]) -> None:
    assert set(bundled) == set(pink_sheet.CARD.tables)
    for table, frame in bundled.items():
        batch = LAKE_TABLES[table].conform(
            frame.with_columns(document=pl.lit("monthly_prices.csv"), snapshot_id=pl.lit("s-1"))
        )
        verdict = evaluate_batch(batch, LAKE_SUITES[table])
        assert not verdict.is_rejected, verdict.reason
        assert verdict.accepted.height == frame.height
        assert {result.status for result in verdict.results} == {"passed"}


def test_every_instrument_is_in_the_seed_with_the_same_unit_and_currency(
    bundled: Mapping[str, pl.DataFrame],
) -> None:
    with (CHECKOUT / "dbt" / "seeds" / "seed_instruments.csv").open(encoding="utf8") as file:
        seed = {
            (row["instrument"], row["currency"] or None, row["unit"], row["frequency"])
            for row in csv.DictReader(file)
            if row["source"] == "pink_sheet"
        }
    kept = bundled["price_quotes"].select("instrument", "currency", "unit", "frequency")
    assert set(kept.rows()) == seed


def test_the_bundled_figures_are_the_published_ones(bundled: Mapping[str, pl.DataFrame]) -> None:
    figures = closes(bundled["price_quotes"])
    assert len(figures) == 797 * 14
    assert figures["COPPER", date(2026, 5, 1)] == 13543.19
    assert figures["GOLD", date(2026, 5, 1)] == 4587.21
    assert figures["NICKEL", date(2026, 5, 1)] == 18805.77
    assert figures["COPPER", date(1960, 1, 1)] == 715.4
    assert figures["WB_BASE_METALS", date(2026, 5, 1)] == 166.1
    in_2010 = [
        value for (name, day), value in figures.items()
        if name == "WB_METALS_AND_MINERALS" and day.year == 2010
    ]  # fmt: skip
    assert sum(in_2010) / 12 == pytest.approx(100, abs=0.05)
    assert bundled["price_quotes"]["vintage_at"].unique().to_list() == [datetime(2026, 6, 30)]


def test_the_bundled_files_have_their_origin_written_down() -> None:
    files = yaml.safe_load((FOLDER / "origin.yaml").read_text("utf8"))["files"]
    assert [file["file"] for file in files] == list(pink_sheet.CARD.bundled)
    for word in ("producer", "citation", "licence", "licence_url", "url", "left_out"):
        assert files[0][word]
    assert (FOLDER / "monthly_prices.csv").stat().st_size < 200_000


def cells(path: Any, sheet: str, names_in: Sequence[int], first: int) -> dict[str, list[Any]]:
    """The columns of a sheet by name, read without our parser: by the numbers of its rows."""
    rows = list(openpyxl.load_workbook(path, data_only=True)[sheet].iter_rows(values_only=True))
    found: dict[str, list[Any]] = {}
    for place in range(1, len(rows[first - 1])):
        names = [str(rows[row - 1][place] or "").strip() for row in names_in]
        name = next((name for name in names if name), "")
        if name:
            body = [row[place] for row in rows[first - 1 :] if row[0]]
            found[" ".join(name.replace("*", "").split())] = body
    return found


@needs_shared
@pytest.mark.parametrize(
    ("path", "months"),
    # The newest by day.
    [*(pytest.param(*older, marks=nightly) for older in VINTAGES[:-1]), VINTAGES[-1]],
    ids=lambda part: str(part)[-12:],
)
def test_every_figure_of_a_real_workbook_comes_out(path: Any, months: int) -> None:
    quotes = parse(path.read_bytes())
    columns = {
        **cells(path, "Monthly Prices", [5], 7),
        **cells(path, "Monthly Indices", [6, 7, 8, 9], 10),
    }
    assert len(columns) == 71 + 16
    assert set(columns) == set(material_labels("pink_sheet"))
    instruments = {label: name for label, (name, _) in pink_sheet.PRICES.items()}
    for label, instrument in {**instruments, **pink_sheet.INDICES}.items():
        ours = quotes.filter(pl.col("instrument") == instrument).sort("price_date")
        assert ours["close"].to_list() == columns[label]
        assert ours.height == months
    assert quotes.height == months * 14


@needs_shared
def test_the_bundled_table_equals_the_publishers_workbook(
    bundled: Mapping[str, pl.DataFrame],
) -> None:
    assert parse(JUNE_2026.read_bytes(), FROM_THE_PROJECT).equals(bundled["price_quotes"])


@needs_shared
def test_the_phosphate_price_stands_still_as_in_its_reason() -> None:
    phosphate = cells(JUNE_2026, "Monthly Prices", [5], 7)["Phosphate rock"]
    december_2023 = (2023 - 1960) * 12 + 11
    assert set(phosphate[december_2023:]) == {152.5}
    reason = material_labels("pink_sheet")["Phosphate rock"].left_out
    assert reason is not None
    assert "unchanged since December 2023" in reason


@needs_shared
def test_a_captured_extract_with_an_empty_sheet_of_indices_is_read() -> None:
    name = "CMO-Historical-Data-Monthly_REAL_extract.xlsx"
    quotes = parse((SHARED / "payloads" / "worldbank_pinksheet" / name).read_bytes())
    assert quotes.height == 70
    assert closes(quotes)["COPPER", date(2026, 2, 1)] == 12951.35


@pytest.mark.parametrize(
    "name",
    [
        "Copper **", "  Copper", "Copper\xa0", "copper", "Copper *†", "Copper 1/", "Copper1/",
        "Copper (a)", "Copper¹", "Copper ²³", "COPPER b/", "Copper 1/ 2/", "Copper ** (b), 1/ *",
    ],
)  # fmt: skip
def test_a_footnote_mark_a_blank_or_another_case_changes_no_name(name: str) -> None:
    names = ["Sorghum", name, *NAMES[2:]]
    assert parse(workbook(names=names)).equals(parse(WORKBOOK))


def test_brackets_that_belong_to_a_name_are_no_footnote() -> None:
    heading = "Base Metals (ex. iron ore)"
    noted = [[f"{cell} 3/" if cell == heading else cell for cell in row] for row in INDICES]
    assert parse(workbook(indices=noted)).equals(parse(WORKBOOK))
    other = [["Base Metals" if cell == heading else cell for cell in row] for row in INDICES]
    assert "'Base Metals'" in refusal(workbook(indices=other), UnknownCodeError)


def test_a_footnote_after_a_name_nobody_knows_does_not_make_it_known() -> None:
    sentence = refusal(workbook(names=["Sorghum", "Lithium 1/", *NAMES[2:]]), UnknownCodeError)
    assert sentence.startswith("pink_sheet: no material has the label 'Lithium 1/'.")


@pytest.mark.parametrize(
    "sheets",
    [("Monthly prices", "MONTHLY INDICES"), (" Monthly Prices ", "Monthly Indices  ")],
)
def test_a_sheet_is_known_by_its_name_in_any_case_with_blanks_around_it(
    sheets: tuple[str, str],
) -> None:
    assert parse(workbook(sheets=sheets)).equals(parse(WORKBOOK))


def test_a_unit_is_the_same_in_any_case() -> None:
    units = [unit.upper() for unit in UNITS]
    assert parse(workbook(units=units)).equals(parse(WORKBOOK))


def without(name: str) -> dict[str, Any]:
    """The sheet of prices without a series."""
    place = NAMES.index(name)
    return {
        "names": [*NAMES[:place], *NAMES[place + 1 :]],
        "units": [*UNITS[:place], *UNITS[place + 1 :]],
        "months": [[*row[: place + 1], *row[place + 2 :]] for row in MONTHS],
    }


@pytest.mark.parametrize(("name", "output"), [("Copper", "Copper"), ("Silver ", "Silver")])
def test_a_workbook_that_lacks_a_series_in_scope_is_refused(name: str, output: str) -> None:
    assert refusal(workbook(**without(name))) == (
        f"pink_sheet: the sheet 'Monthly Prices' lacks {output!r}. {WHOSE}"
    )


def test_a_workbook_that_lacks_indices_in_scope_is_refused() -> None:
    assert refusal(workbook(indices=[row[:4] for row in INDICES])) == (
        "pink_sheet: the sheet 'Monthly Indices' lacks 'Base Metals (ex. iron ore)', "
        f"'Precious Metals'. {WHOSE}"
    )


def test_a_series_out_of_scope_may_be_left_out() -> None:
    assert parse(workbook(**without("Sorghum"))).equals(parse(WORKBOOK))


@pytest.mark.parametrize("cell", [None, "…", "..."])
def test_a_workbook_in_which_a_series_in_scope_is_blank_in_every_month_is_refused(
    cell: str | None,
) -> None:
    place = 1 + NAMES.index("Copper")
    months = [[*row[:place], cell, *row[place + 1 :]] for row in MONTHS]
    assert refusal(workbook(months=months)) == (
        f"pink_sheet: no month has a figure of 'COPPER'. {WHOSE}"
    )


@pytest.mark.parametrize(
    ("changes", "output"),
    [
        ({"months": [MONTHS[0], MONTHS[2]]}, "2026-04 is missing between 2026-03 and 2026-05"),
        (
            {"months": [("2025M12", *MONTHS[0][1:]), *MONTHS]},
            "2026-01, 2026-02 is missing between 2025-12 and 2026-05",
        ),
        (
            {"months": [*MONTHS, *((f"2026M{month}", "…", 1, 1) for month in (10, 11, 12))]},
            "2026-06, 2026-07, 2026-08 and 1 more is missing between 2026-03 and 2026-12",
        ),
        (
            {"indices": [*INDICES, ("2026M07", 1, 1, 1, 1)]},
            "2026-06 is missing between 2026-04 and 2026-07",
        ),
    ],
)
def test_a_month_missing_between_the_first_and_the_last_is_named(changes: Any, output: str) -> None:
    instrument = "WB_TOTAL_INDEX" if "indices" in changes else "COPPER"
    assert refusal(workbook(**changes)) == f"pink_sheet: {output} ({instrument}). {AGAIN}"


def test_a_month_missing_in_our_table_is_named() -> None:
    rows = "".join(f"2026-{month:02}{',1' * 14}\n" for month in (1, 2, 4))
    assert refusal(f"{HEADER}\n{rows}".encode()) == (
        f"pink_sheet: 2026-03 is missing between 2026-01 and 2026-04 (ALUMINUM). {AGAIN}"
    )


def test_an_extract_of_a_few_months_of_many_years_is_read() -> None:
    months = [("1960M01", *MONTHS[0][1:]), *MONTHS]
    quotes = parse(workbook(months=months))
    assert quotes.height == len(EXPECTED) + 4
    assert closes(quotes)["COPPER", date(1960, 1, 1)] == 12500.5


def test_a_sheet_without_names_and_months_is_passed_over() -> None:
    quotes = parse(workbook(indices=[]))
    assert closes(quotes) == {
        key: close for key, close in EXPECTED.items() if not key[0].startswith("WB_")
    }


def test_a_series_nobody_knows_stops_the_file_and_is_named() -> None:
    sentence = refusal(workbook(names=["Sorghum", "Lithium", *NAMES[2:]]), UnknownCodeError)
    assert sentence.startswith("pink_sheet: no material has the label 'Lithium'.")


def test_an_unknown_index_stops_the_file_and_is_named() -> None:
    head = (None, "Total Index", "Critical Minerals", None, "Precious Metals")
    sentence = refusal(workbook(indices=[head, *INDICES[1:]]), UnknownCodeError)
    assert "'Critical Minerals'" in sentence


def test_a_price_in_another_unit_stops_the_file() -> None:
    sentence = refusal(workbook(units=["($/mt)", "($/kg)", *UNITS[2:]]), UnknownCodeError)
    assert sentence == "pink_sheet: 'Copper' is in '($/kg)', not in '($/mt)'. " + ADD


def test_a_price_without_a_unit_stops_the_file() -> None:
    sentence = refusal(workbook(units=["($/mt)", None, *UNITS[2:]]), UnknownCodeError)
    assert sentence == "pink_sheet: 'Copper' is in None, not in '($/mt)'. " + ADD


def test_indices_of_another_base_year_stop_the_file() -> None:
    sentence = refusal(workbook(note="monthly indices, 2020=100"), UnknownCodeError)
    assert sentence == (
        "pink_sheet: the sheet 'Monthly Indices' does not give 2010=100 as its base. " + ADD
    )


def test_a_note_below_the_months_is_no_row() -> None:
    noted = workbook(months=[*MONTHS, (None,), ("** Revised.",)])
    assert parse(noted).equals(parse(WORKBOOK))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"months": [*MONTHS, ("2026M6", "...", 1, 2, 3, 4)]},
            "pink_sheet: 'row 10: 2026M6' has figures and no month like 1960M01 "
            "(sheet Monthly Prices).",
        ),
        (
            {"months": [*MONTHS, (None, "...", 1, 2, 3, 4)]},
            "pink_sheet: 'row 10: ' has figures and no month like 1960M01 (sheet Monthly Prices).",
        ),
        ({"months": [("2026M13", 1, 2, 3, 4, 5)]}, "pink_sheet: '2026-13' is not a month."),
        (
            {"months": [("2026M05", "...", "n.a.", 2, 3, 4)]},
            "pink_sheet: 'COPPER 2026-05: n.a.' is not a price.",
        ),
        (
            {"months": [("2026M05", "...", "nan", 2, "inf", 4)]},
            "pink_sheet: 'COPPER 2026-05: nan', 'GOLD 2026-05: inf' is not a price.",
        ),
        (
            {"months": []},
            f"pink_sheet: the sheet 'Monthly Prices' has no month like 1960M01. {WHOSE}",
        ),
        (
            {"indices": INDICES[:3]},
            f"pink_sheet: the sheet 'Monthly Indices' has no month like 1960M01. {WHOSE}",
        ),
        (
            {"names": ["Copper **", *NAMES[1:]]},
            "pink_sheet: the sheet 'Monthly Prices' has a duplicated 'Copper'.",
        ),
        (
            {"names": ["Sorghum", None, *NAMES[2:]]},
            "pink_sheet: the sheet 'Monthly Prices' has figures without a name above them "
            "(column 2).",
        ),
        (
            {"units": ["($/mt)", "Lead", *UNITS[2:]]},
            "pink_sheet: the sheet 'Monthly Prices' has two names above one series: "
            "'Copper', 'Lead'.",
        ),
        (
            {"sheets": ("Annual Prices", "Monthly Indices")},
            "pink_sheet: the workbook has no sheet 'Monthly Prices' (it has: AFOSHEET, Annual "
            f"Prices, Monthly Indices). {WHOSE}",
        ),
        (
            {"sheets": ("Monthly Prices", "Indices")},
            "pink_sheet: the workbook has no sheet 'Monthly Indices' (it has: AFOSHEET, Monthly "
            f"Prices, Indices). {WHOSE}",
        ),
        (
            {"names": ["Maize"], "units": ["($/mt)"], "months": [("2026M05", 1)], "indices": []},
            "pink_sheet: the sheet 'Monthly Prices' lacks 'Aluminum', 'Iron ore, cfr spot', "
            "'Copper', 'Lead', 'Tin', 'Nickel', 'Zinc', 'Gold', 'Platinum', 'Silver'. " + WHOSE,
        ),
        (
            {"names": [], "units": [], "months": [], "indices": []},
            f"pink_sheet: the file contains no price of the series in scope. {WHOSE}",
        ),
    ],
)  # fmt: skip
def test_a_workbook_of_another_shape_is_refused_in_one_sentence(
    changes: Any, sentence: str
) -> None:
    assert refusal(workbook(**changes)) == sentence


def zipped(member: str) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        archive.writestr(member, "text")
    return written.getvalue()


HEADER = ",".join(["month", *(name.lower() for name in pink_sheet.UNIT_OF)])


@pytest.mark.parametrize(
    ("payload", "sentence"),
    [
        (b"", "pink_sheet: the file is empty."),
        (
            b"<!DOCTYPE html><html></html>",
            f"pink_sheet: HTML page where a workbook or CSV was expected. {WHOSE}",
        ),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512),
            "pink_sheet: the file is an Excel workbook of the old kind (.xls). Save it as .xlsx.",
        ),
        (
            "month,aluminum\n".encode("utf-16"),
            "pink_sheet: the file is text in UTF-16. Save it as CSV in UTF-8.",
        ),
        (HEADER.encode() + b"\n", "pink_sheet: the file has a header and no rows."),
        (
            HEADER.replace(",copper", "").encode() + b"\n2026-05" + b",1" * 13 + b"\n",
            f"pink_sheet: columns missing: copper. {WHOSE}",
        ),
        (
            HEADER.encode() + b",lithium\n2026-05" + b",1" * 15 + b"\n",
            f"pink_sheet: columns not known: lithium. {WHOSE}",
        ),
        (
            HEADER.encode() + b"\n2026M05" + b",1" * 14 + b"\n",
            "pink_sheet: '2026M05' is not a month.",
        ),
        (
            HEADER.encode() + b"\n2026-05,dear" + b",1" * 13 + b"\n",
            "pink_sheet: 'ALUMINUM 2026-05: dear' is not a price.",
        ),
        (
            HEADER.encode() + b"\n2026-05" + b",1" * 13 + b",\n",
            f"pink_sheet: no month has a figure of 'WB_PRECIOUS_METALS'. {WHOSE}",
        ),
        (
            HEADER.encode() + b"\n2026-05" + b"," * 14 + b"\n",
            f"pink_sheet: the file contains no price of the series in scope. {WHOSE}",
        ),
        (
            HEADER.encode() + b"\n2026-05" + b",1" * 14,
            "pink_sheet: the last line (line 2) is cut. Fetch or land the file again.",
        ),
    ],
)
def test_what_is_no_pink_sheet_is_refused_in_one_sentence(payload: bytes, sentence: str) -> None:
    assert refusal(payload) == sentence


def test_a_zip_that_is_no_workbook_is_refused() -> None:
    assert refusal(zipped("readme.txt")) == (
        "pink_sheet: the zip archive is not a workbook, it contains readme.txt."
    )
    assert refusal(zipped("CMO-Historical-Data-Monthly.xlsx")) == (
        "pink_sheet: the zip archive is not a workbook, it contains "
        "CMO-Historical-Data-Monthly.xlsx. Unpack it and land CMO-Historical-Data-Monthly.xlsx."
    )


def test_a_workbook_changed_on_the_way_is_refused() -> None:
    payload = bytearray(WORKBOOK)
    with zipfile.ZipFile(io.BytesIO(WORKBOOK)) as archive:
        member = archive.getinfo("xl/worksheets/sheet2.xml")
    payload[member.header_offset + 30 + len(member.filename) + member.compress_size // 2] ^= 0xFF
    assert refusal(bytes(payload)).startswith("pink_sheet: the workbook is cut or damaged (")


@settings(max_examples=times(at_night=60, by_day=15))
@given(st.integers(4, len(WORKBOOK) - 1))
def test_a_cut_workbook_is_refused(length: int) -> None:
    assert "the workbook is cut or damaged" in refusal(WORKBOOK[:length])


@settings(max_examples=25)
@given(st.permutations(range(len(NAMES))), st.permutations(MONTHS))
def test_a_permutation_of_series_and_months_changes_nothing(
    order: Sequence[int], months: Sequence[tuple[Any, ...]]
) -> None:
    shuffled = workbook(
        names=[NAMES[place] for place in order],
        units=[UNITS[place] for place in order],
        months=[(row[0], *(row[1 + place] for place in order)) for row in months],
    )
    assert parse(shuffled).equals(parse(WORKBOOK))


figure = st.decimals("0.0001", "999999", places=4).map(float) | st.integers(1, 10**6)
price = figure | st.sampled_from(["…", "...", None])


@settings(max_examples=25)
@given(st.lists(st.tuples(price, price), max_size=11), st.tuples(figure, figure))
def test_every_printed_figure_comes_out_and_no_other(
    rows: list[tuple[Any, Any]], last: tuple[float, float]
) -> None:
    printed = [*rows, last]  # a series without any figure would be refused
    months = [
        (f"2025M{number:02}", *row, *[1] * 8) for number, row in enumerate(printed, start=1)
    ]  # fmt: skip
    others = [name for name in pink_sheet.PRICES if name not in ("Lead", "Silver")]
    units = ["($/mt)", "($/troy oz)", *(pink_sheet.PRICES[name][1] for name in others)]
    quotes = parse(workbook(names=["Lead", "Silver ", *others], units=units, months=months))
    assert {
        key: close for key, close in closes(quotes).items() if key[0] in ("LEAD", "SILVER")
    } == {
        (instrument, date(2025, number, 1)): float(cell)
        for number, row in enumerate(printed, start=1)
        for instrument, cell in zip(("LEAD", "SILVER"), row, strict=True)
        if cell not in (None, "…", "...")
    }


# Asked for.


def answer(tmp_path: Path, body: bytes) -> Answer:
    file = tmp_path / "answer"
    file.write_bytes(body)
    return Answer("content", 200, file)


def first_request(held_through: date | None = None) -> Request:
    (extract,) = pink_sheet.plan([], Scope(held_through=held_through))
    assert extract.document == "CMO-Historical-Data-Monthly.xlsx"
    (request,) = extract.requests
    return request


def test_the_first_request_is_for_the_page() -> None:
    request = first_request()
    assert (request.url, request.expects) == ("en/research/commodity-markets", ("html",))


@pytest.mark.parametrize(
    ("page", "link"),
    [
        (f'<a href="{LINK}">Monthly prices</a>', LINK),
        (f"<a href='{LINK}'>Monthly prices</a>", LINK),
        (f"<a href={LINK}>Monthly prices</a>", LINK),
        (f'<a href="{LINK.replace("Monthly", "Annual")}"></a>\n<a href="{LINK}">', LINK),
        (f'<a href="{LINK}">now</a><a href="{LINK.replace("doc/", "doc/old-")}">old</a>', LINK),
        # A path of another depth, and a query before it.
        ('<a href="?a=1&amp;b=2"></a><a href="https://thedocs.worldbank.org/x/'
         'CMO-Historical-Data-Monthly.xlsx">',
         "https://thedocs.worldbank.org/x/CMO-Historical-Data-Monthly.xlsx"),
    ],
)  # fmt: skip
def test_the_page_leads_to_the_workbook_on_another_host(
    page: str, link: str, tmp_path: Path
) -> None:
    step = pink_sheet.follow(first_request(), answer(tmp_path, page.encode()))
    assert isinstance(step, Instead)
    assert [(request.url, request.expects) for request in step.requests] == [(link, ("xlsx",))]


@pytest.mark.parametrize(
    "page",
    [
        '<html><div id="root"></div><script src="/app.js"></script></html>',
        f'<a href="{LINK.replace("Monthly", "Annual")}">Annual prices</a>',
        f'<a href="{LINK.replace("thedocs.worldbank.org", "example.org")}">Monthly prices</a>',
        # Two addresses in a row are not one.
        f'<a href="{LINK.replace("Monthly.xlsx", "x.pdf")}">CMO-Historical-Data-Monthly.xlsx</a>',
    ],
)
def test_a_page_without_the_link_is_an_error(page: str, tmp_path: Path) -> None:
    with pytest.raises(UpstreamFormatError) as caught:
        pink_sheet.follow(first_request(), answer(tmp_path, page.encode()))
    assert str(caught.value).startswith(
        "pink_sheet: the page en/research/commodity-markets has no link to "
        "CMO-Historical-Data-Monthly.xlsx."
    )


@needs_shared
def test_of_a_captured_page_the_monthly_workbook_is_taken(tmp_path: Path) -> None:
    folder = SHARED / "payloads" / "worldbank_pinksheet"
    page = (folder / "commodity_markets_page_FIXTURE.html").read_bytes()
    step = pink_sheet.follow(first_request(), answer(tmp_path, page))
    assert isinstance(step, Instead)
    assert step.requests[0].url == LINK
    with pytest.raises(UpstreamFormatError, match="has no link"):
        pink_sheet.follow(
            first_request(),
            answer(tmp_path, (folder / "page_without_link_SYNTHETIC.html").read_bytes()),
        )


@pytest.mark.parametrize(
    ("held_through", "is_old"),
    [(None, False), (date(2026, 4, 1), False), (date(2026, 5, 1), False), (date(2026, 6, 1), True)],
)
def test_a_workbook_that_ends_before_the_last_known_month_is_old(
    held_through: date | None, is_old: bool, tmp_path: Path
) -> None:
    page = answer(tmp_path, FakePinkSheet.page_linking_to(LINK).encode())
    step = pink_sheet.follow(first_request(held_through), page)
    assert isinstance(step, Instead)
    received = answer(tmp_path, WORKBOOK)
    if not is_old:
        assert pink_sheet.follow(step.requests[0], received) == Done()
        return
    with pytest.raises(UpstreamFormatError) as caught:
        pink_sheet.follow(step.requests[0], received)
    assert str(caught.value) == (
        "pink_sheet: the workbook ends in 2026-05, and 2026-06 is known: it is an old one."
    )


# Two editions of the workbook.


def printed_cells(path: Path) -> pl.DataFrame:
    """Every figure of the sheet of prices as printed: `month`, `series`, `cell`.

    In both workbooks names are in the fifth row and months from the seventh on.
    """
    sheet = read_sheet(path.read_bytes(), "Monthly Prices", source="test")
    names = sheet.row(4)[1:]
    return (
        sheet.slice(6)
        .rename({"column 0": "month"})
        .unpivot(index="month", variable_name="column", value_name="cell")
        .with_columns(
            series=pl.col("column").replace_strict(
                {f"column {place}": name for place, name in enumerate(names, start=1)}
            )
        )
        .filter(pl.col("cell").cast(pl.Float64, strict=False).is_not_null())
        .select("month", pl.col("series").str.strip_chars(" *"), "cell")
    )


@needs_shared
def test_two_editions_differ_in_14_figures_beyond_what_they_print() -> None:
    """49,285 figures are in both; 22,612 are printed otherwise, most of them with fewer digits. A
    difference counts from half a unit of the coarser cell's last digit on.
    """
    (may_2025, _), _, (june_2026, _) = VINTAGES
    both = printed_cells(may_2025).join(
        printed_cells(june_2026), on=["month", "series"], suffix=" later", validate="1:1"
    )
    decimals = [
        pl.col(name).str.extract(r"\.([0-9]+)$").str.len_chars().fill_null(0)
        for name in ("cell", "cell later")
    ]
    old, new = pl.col("cell").cast(pl.Float64), pl.col("cell later").cast(pl.Float64)
    half_a_unit = pl.lit(10.0).pow(-pl.min_horizontal(decimals).cast(pl.Float64)) / 2
    rounding = 1e-9 * pl.max_horizontal(old.abs(), new.abs())
    assert both.height == 49_285
    assert both.filter(old != new).height == 22_612
    revised = both.filter((old - new).abs() > half_a_unit + rounding)
    assert revised.height == 14
    assert dict(revised["series"].value_counts().iter_rows()) == {
        "Groundnuts": 6, "Tobacco, US import u.v.": 2, "Liquefied natural gas, Japan": 1,
        "Natural gas index": 1, "Soybeans": 1, "Soybean oil": 1, "Sunflower oil": 1, "DAP": 1,
    }  # fmt: skip
