"""Japan's customs: pages and files of e-Stat, worked by hand."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from dagster_project.errors import UpstreamFormatError
from dagster_project.lake.scope import CommodityScope
from dagster_project.sources import japan_customs
from dagster_project.sources.card import Answer, Document, Instead, More, Request, Scope, Window
from tests.conftest import SHARED, needs_shared
from tests.fakes.japan_customs import (
    MAINTENANCE,
    FakeJapanCustoms,
    Line,
    calendar_page,
    csv_of,
    month_code,
    spans,
)

RETRIEVED = datetime(2026, 11, 28, 1, 0)
DOCUMENT = Document("japan_customs-2026", RETRIEVED, is_bundled=False)
SCOPE = Scope(commodity_codes=("280530", "284690", "850511"), today=date(2026, 11, 28))

METAL = Line("280530010", "105", {1: (0, 12_000, 98_000), 3: (0, 0, 4)})
MAGNETS = Line("850511000", "110", {1: (700, 3, 20), 2: (800, 4, 30)}, ("NO", "KG"))
PIECES = Line("850511000", "304", {2: (5, 0, 12)}, ("NO", "  "))
CANARIES = Line("284690290", "523", {1: (0, 7, 90)})
NEW_COUNTRY = Line("284690290", "999", {1: (0, 8, 91)})


def page(flow: str, stages: Mapping[int, str], year: int = 2026) -> bytes:
    """The page of a month as the publisher shows it."""
    fake = FakeJapanCustoms()
    fake.publish(flow, year, stages, [])
    return fake._month_page(flow, year, fake.years[flow, year]).encode()


def read(parts: Sequence[bytes], scope: CommodityScope | None = None) -> pl.DataFrame:
    given = [parts, DOCUMENT] if scope is None else [parts, DOCUMENT, scope]
    return japan_customs.parse_extract(*given)["national_trade"]  # type: ignore[arg-type]


def row(frame: pl.DataFrame, **key: Any) -> Mapping[str, Any]:
    (found,) = frame.filter(**key).to_dicts()
    return found


def test_a_line_becomes_a_row_per_published_month_in_yen_and_kilograms() -> None:
    stages = {1: "確報", 2: "確報", 3: "輸入9桁速報"}
    rows = read([page("import", stages), csv_of("import", 2026, [METAL])])
    assert rows.height == 2  # nothing is printed for February
    assert row(rows, period_start=date(2026, 1, 1)) == {
        "source": "japan_customs",
        "reporter_iso3": "JPN",
        "partner_code": "105",
        "partner_iso3": "CHN",
        "flow": "import",
        "national_code": "280530010",
        "hs6_code": "280530",
        "hs_revision": "HS2022",
        "period_start": date(2026, 1, 1),
        "value_local": 98_000_000.0,  # printed in thousand yen
        "currency": "JPY",
        "valuation": "CIF",
        "freight_local": None,
        "insurance_local": None,
        "quantity": 12_000.0,
        "quantity_unit": "KG",
        "net_weight_kg": 12_000.0,
        "is_provisional": True,
        "vintage_at": RETRIEVED,
    }
    tiny = row(rows, period_start=date(2026, 3, 1))
    assert (tiny["value_local"], tiny["net_weight_kg"]) == (4_000.0, 0.0)


def test_the_second_quantity_is_the_weight_only_in_kilograms() -> None:
    rows = read([csv_of("import", 2026, [MAGNETS, PIECES, METAL])])
    counted = row(rows, partner_code="110", period_start=date(2026, 2, 1))
    assert (counted["quantity"], counted["quantity_unit"]) == (800.0, "NO")
    assert counted["net_weight_kg"] == 4.0
    unweighed = row(rows, partner_code="304")
    assert (unweighed["quantity"], unweighed["quantity_unit"]) == (5.0, "NO")
    assert unweighed["net_weight_kg"] is None
    weighed = row(rows, partner_code="105", period_start=date(2026, 1, 1))
    assert (weighed["quantity"], weighed["quantity_unit"]) == (12_000.0, "KG")


def test_a_country_in_no_list_keeps_its_number_without_an_economy() -> None:
    rows = read([csv_of("export", 2026, [CANARIES, NEW_COUNTRY])])
    assert row(rows, partner_code="523")["partner_iso3"] == "ESP"
    assert row(rows, partner_code="999")["partner_iso3"] is None
    assert set(rows["valuation"]) == {"FOB"}


def test_months_are_final_where_the_page_says_so_and_provisional_elsewhere() -> None:
    lines = [replace(METAL, amounts={1: (0, 1, 1), 2: (0, 1, 1)})]
    rows = read(
        [
            page("import", {1: "確定", 2: "確々報"}),
            csv_of("import", 2026, lines),
            page("export", {1: "確報", 2: "確報"}),
            csv_of("export", 2026, lines),
        ]
    )
    final = rows.filter(~pl.col("is_provisional"))
    assert final.select("flow", "period_start").rows() == [("import", date(2026, 1, 1))]
    # Without the page nobody knows.
    assert read([csv_of("import", 2026, lines)])["is_provisional"].all()


def test_april_has_another_name_in_some_years() -> None:
    line = replace(METAL, amounts={4: (0, 5, 6)})
    for april in ("Apr", "Apl"):
        rows = read([csv_of("import", 2008, [line], april)])
        assert rows["period_start"].to_list() == [date(2008, 4, 1)]
        assert rows["hs_revision"].to_list() == ["HS2007"]


def test_a_month_that_the_page_does_not_list_is_an_error() -> None:
    """The file was replaced after the page was read."""
    parts = [page("import", {1: "確報", 2: "輸入9桁速報"}), csv_of("import", 2026, [METAL])]
    with pytest.raises(UpstreamFormatError, match=r"figures up to month 3, and the page lists.*2"):
        read(parts)


def test_a_file_without_the_newest_month_of_the_page_is_an_error() -> None:
    """Else the month would have no trade."""
    parts = [page("import", dict.fromkeys(range(1, 5), "確報")), csv_of("import", 2026, [METAL])]
    with pytest.raises(UpstreamFormatError, match=r"figures up to month 3, and the page lists.*4"):
        read(parts)


def test_a_title_of_two_years_gives_each_month_its_own_stage() -> None:
    title = (
        "確速 26-01 品別国別表 (輸入 1-12月：確定)2021年 , "
        "(輸入 1-3月：確報 , 4月：輸入9桁速報)2022年 6部 28-38類"
    )
    page = f'<html><span>{title}</span><a href="/x?statInfId=000040500123">CSV</a></html>'.encode()
    files = [
        csv_of(
            "import", year, [replace(METAL, amounts=dict.fromkeys(range(1, last + 1), (0, 1, 1)))]
        )
        for year, last in ((2021, 12), (2022, 4))
    ]
    rows = read([page, *files])
    final = rows.filter(~pl.col("is_provisional"))["period_start"]
    assert final.to_list() == [date(2021, month, 1) for month in range(1, 13)]
    assert rows.filter("is_provisional").height == 4


def test_parts_that_were_quarantined_can_be_landed_together() -> None:
    parts = [page("import", dict.fromkeys((1, 2, 3), "確定")), csv_of("import", 2026, [METAL])]
    rows = japan_customs.parse_together([(part, DOCUMENT) for part in parts])["national_trade"]
    assert rows.height == 2
    assert not rows["is_provisional"].any()


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (MAINTENANCE.encode(), "HTML page where CSV was expected"),
        (csv_of("import", 2026, [METAL])[:-30], "last line"),
        (csv_of("import", 2026, [METAL]).replace(b"Country,", b"", 1), "header is not that"),
        (csv_of("import", 2026, [METAL]).replace(b"12000", b"1x000"), "not a whole number"),
        (csv_of("import", 2026, [METAL]).replace(b"'280530010'", b"'28053001'"), "nine digits"),
        (csv_of("import", 2026, []), "no rows"),
        (csv_of("import", 2026, [replace(METAL, code="010121000")]), "no line is of an HS6 code"),
    ],
    ids=["page", "cut", "column lost", "number", "code", "empty", "other codes"],
)
def test_a_file_that_is_not_the_publishers_is_refused_in_a_sentence(
    payload: bytes, reason: str
) -> None:
    with pytest.raises(UpstreamFormatError, match=reason):
        japan_customs.parse(payload, DOCUMENT)


def test_columns_that_are_shifted_are_found_by_the_sums_of_the_year() -> None:
    lines = [replace(METAL, country=f"{number}") for number in (105, 110, 111, 112)]
    text = csv_of("import", 2026, lines).decode()
    shifted = "\r\n".join(
        line.replace(",98000,", ",9,", 1) if number else line
        for number, line in enumerate(text.split("\r\n"))
    )
    with pytest.raises(UpstreamFormatError, match="differs from the sum of its months on 4 of 4"):
        japan_customs.parse(shifted.encode(), DOCUMENT)


def test_codes_in_scope_are_kept() -> None:
    lines = [METAL, replace(METAL, code="010121000")]
    payload = csv_of("import", 2026, lines)
    assert set(read([payload])["hs6_code"]) == {"280530"}
    assert set(read([payload], CommodityScope.named("all"))["hs6_code"]) == {"280530", "010121"}


# Requests.


def months(*keys: str) -> list[Window]:
    return [Window("M", date.fromisoformat(f"{key}-01")) for key in keys]


def answer(tmp_path: Path, text: str) -> Answer:
    file = tmp_path / "answer"
    file.write_text(text, "utf8")
    return Answer("content", 200, file)


def test_a_year_is_asked_for_at_once_with_all_its_months_that_are_over() -> None:
    (older, newer) = japan_customs.plan(months("2025-12", "2026-02"), SCOPE)
    assert (older.document, newer.document) == ("japan_customs-2025", "japan_customs-2026")
    assert len(older.windows) == 12
    assert [window.key for window in newer.windows][-1] == "2026-10"
    assert [request.context["flow"] for request in newer.requests] == ["import", "export"]


def test_the_list_leads_to_the_newest_month_and_the_page_to_the_files_of_the_chapters(
    tmp_path: Path,
) -> None:
    fake = FakeJapanCustoms()
    stages = dict.fromkeys(range(1, 10), "確報")
    fake.publish("import", 2026, stages, [METAL])
    fake.publish("import", 2025, dict.fromkeys(range(1, 13), "確定"), [METAL])
    listing = japan_customs.plan(months("2026-02"), SCOPE)[0].requests[0]
    step = japan_customs.follow(listing, answer(tmp_path, fake._listing("import")))
    assert isinstance(step, Instead)
    (month_page,) = step.requests
    assert (month_page.params["year"], month_page.params["month"]) == ("20260", "23070909")
    text = fake._month_page("import", 2026, fake.years["import", 2026])
    step = japan_customs.follow(month_page, answer(tmp_path, text))
    assert isinstance(step, More)  # the page is kept: it has the stages
    numbers = [request.params["statInfId"] for request in step.requests]
    assert numbers == [fake._number("import", 2026, place) for place in (2, 6)]


def test_a_year_that_is_not_listed_yet_has_no_months(tmp_path: Path) -> None:
    fake = FakeJapanCustoms()
    fake.publish("import", 2025, {12: "確報"}, [METAL])
    listing = japan_customs.plan(months("2026-01"), SCOPE)[0].requests[0]
    step = japan_customs.follow(listing, answer(tmp_path, fake._listing("import")))
    assert step == Instead(())


def test_an_older_year_that_is_not_listed_is_an_error_and_no_empty_year(tmp_path: Path) -> None:
    fake = FakeJapanCustoms()
    fake.publish("import", 2025, {12: "確報"}, [METAL])
    listing = japan_customs.plan(months("1995-01"), SCOPE)[0].requests[0]
    with pytest.raises(UpstreamFormatError, match="no month of 1995, only of 2025 to 2025"):
        japan_customs.follow(listing, answer(tmp_path, fake._listing("import")))


@pytest.mark.parametrize("step", ["listing", "month"])
def test_a_page_without_its_links_is_an_error(step: str, tmp_path: Path) -> None:
    listing = japan_customs.plan(months("2026-01"), SCOPE)[0].requests[0]
    request = Request(listing.url, ("html",), context={**listing.context, "step": step})
    with pytest.raises(UpstreamFormatError, match=r"no link to a month|no file of chapter 28"):
        japan_customs.follow(request, answer(tmp_path, MAINTENANCE))


def test_months_have_the_publishers_codes_and_spans() -> None:
    codes = {7: "23070907", 12: "24101212", 1: "11010301", 9: "23070909"}
    assert {month: month_code(month) for month in codes} == codes
    stages = {**dict.fromkeys(range(1, 9), "確報"), 9: "輸入9桁速報"}
    assert spans(stages) == "1-8月：確報、9月：輸入9桁速報"


@needs_shared
def test_the_real_rows_and_titles_are_read() -> None:
    folder = SHARED / "payloads" / "japan_customs_csv"
    export = (folder / "hinbetsu_kunibetsu_export_2008_REAL_row_Apl.csv").read_bytes()
    rows = read([export], CommodityScope.named("05"))
    assert rows.select("period_start", "partner_iso3", "value_local", "net_weight_kg").rows() == [
        (date(2008, 1, 1), "PAN", 432_000.0, 0.0),
        (date(2008, 4, 1), "PAN", 3_842_000.0, 40.0),
        (date(2008, 12, 1), "PAN", 789_000.0, 22.0),
    ]
    whole = folder / "hinbetsu_kunibetsu_import_2026_SYNTHETIC_6bu_28-38rui.csv"
    lines = read([whole.read_bytes()])
    assert lines["period_start"].max() == date(2026, 9, 1)
    of_china = lines.filter(national_code="280530010", partner_iso3="CHN")
    assert of_china["value_local"].sum() == 650_200_000
    assert date(2026, 3, 1) not in of_china["period_start"].to_list()


# The calendar of releases.


def dates_of(*pages: bytes) -> Mapping[date, datetime]:
    frame = japan_customs.parse_extract(pages, DOCUMENT)["release_dates"]
    assert set(frame["frequency"]) == {"M"}
    return dict(frame.select("period_start", "released_at").iter_rows())


def test_detailed_figures_come_at_half_past_nine_in_tokyo() -> None:
    rows = [
        (2026, "Sep.", "Oct.29"),
        (2026, "Fiscal Year", "Apr.28"),
        # The month after the last is of the next year, with and without saying so.
        (2026, "Dec.", "Jan.28"),
        (2027, "Jan.", "Feb.25,2027"),
        # Not announced yet.
        (2027, "Feb.", "ー"),
    ]
    assert dates_of(calendar_page(rows).encode()) == {
        date(2026, 9, 1): datetime(2026, 10, 29, 0, 30),
        date(2026, 12, 1): datetime(2027, 1, 28, 0, 30),
        date(2027, 1, 1): datetime(2027, 2, 25, 0, 30),
    }


def test_a_calendar_without_dates_is_an_error() -> None:
    with pytest.raises(UpstreamFormatError, match="no date of detailed figures"):
        dates_of(calendar_page([(2026, "Sep.", "ー")]).encode())
    with pytest.raises(UpstreamFormatError, match="'soon 1' is not a day"):
        dates_of(calendar_page([(2026, "Sep.", "soon 1")]).encode())


@needs_shared
def test_the_calendar_of_customs_is_read() -> None:
    page = (SHARED / "payloads" / "japan_mof" / "calend_e_FIXTURE.html").read_bytes()
    assert {month: at.date() for month, at in dates_of(page).items()} == {
        date(2026, 1, 1): date(2026, 2, 26),
        date(2026, 2, 1): date(2026, 3, 27),
        date(2026, 3, 1): date(2026, 4, 28),
        date(2027, 1, 1): date(2027, 2, 25),
    }
