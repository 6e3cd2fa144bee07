"""Britain, Brazil and the European Union: answers of their customs, worked by hand."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import httpx
import polars as pl
import pytest

from dagster_project.errors import ConfigurationError, UpstreamFormatError
from dagster_project.lake.scope import DEFAULT_SCOPE
from dagster_project.sources import comexstat, comext, hmrc
from dagster_project.sources.card import (
    Answer,
    Document,
    Done,
    Instead,
    Meaning,
    More,
    Request,
    Scope,
    Stop,
    Window,
)
from tests.conftest import SHARED, needs_shared
from tests.fakes import comexstat as fake_comexstat
from tests.fakes import comext as fake_comext
from tests.fakes import hmrc as fake_hmrc

RETRIEVED = datetime(2026, 11, 28, 1, 0)
DOCUMENT = Document("answer", RETRIEVED, is_bundled=False)
SCOPE = Scope(commodity_codes=("280530", "284610", "850511"), today=date(2026, 11, 28))
AMOUNTS = ("partner_iso3", "flow", "national_code", "value_local", "net_weight_kg")


def months(*keys: str) -> list[Window]:
    return [Window("M", date.fromisoformat(f"{key}-01")) for key in keys]


def answer(tmp_path: Path, body: bytes, status: int = 200, meaning: Meaning = "content") -> Answer:
    file = tmp_path / "answer"
    file.write_bytes(body)
    return Answer(meaning, status, file, text=body.decode())


def amounts(rows: pl.DataFrame) -> list[tuple[Any, ...]]:
    return rows.select(AMOUNTS).rows()


# Britain.


def ots(*trades: fake_hmrc.Trade) -> bytes:
    return json.dumps({"value": fake_hmrc.summed(trades)}).encode()


def country_list() -> bytes:
    with fake_hmrc.FakeHmrc() as server:
        pass
    rows = [
        {"CountryId": number, "CountryCodeAlpha": alpha}
        for number, (alpha, _) in fake_hmrc.COUNTRIES.items()
    ]
    assert server.requests == []
    return json.dumps({"value": rows}).encode()


def read_hmrc(*trades: fake_hmrc.Trade) -> pl.DataFrame:
    return hmrc.parse_extract([country_list(), ots(*trades)], DOCUMENT)["national_trade"]


def test_ports_and_both_kinds_of_imports_are_one_line_in_pounds() -> None:
    rows = read_hmrc(
        fake_hmrc.Trade(202606, 3, 85051110, 720, 1_250_000, 11_850, port=9),
        fake_hmrc.Trade(202606, 3, 85051110, 720, 310_000, 2_900, port=25),
        fake_hmrc.Trade(202606, 1, 85051110, 720, 1_000, 10),
        fake_hmrc.Trade(202606, 4, 85051110, 400, 21_000, 130),
    )
    assert amounts(rows) == [
        ("CHN", "import", "85051110", 1_561_000.0, 14_760.0),
        ("USA", "export", "85051110", 21_000.0, 130.0),
    ]
    assert set(rows["currency"]) == {"GBP"}
    assert dict(rows.select("flow", "valuation").rows()) == {"import": "CIF", "export": "FOB"}


def test_a_suppressed_partner_is_not_published_and_a_suppressed_weight_is_missing() -> None:
    rows = read_hmrc(
        fake_hmrc.Trade(202606, 3, 28461000, 720, 52_000, 160, suppression=2),
        fake_hmrc.Trade(202606, 3, 28461000, 732, 88_000, 44, suppression=4),
        fake_hmrc.Trade(202606, 3, 28461000, 4, 7_000, 3, suppression=5),
        fake_hmrc.Trade(202606, 3, 28461000, 4, 1_000, 2),
    )
    assert amounts(rows) == [
        # A sum with a missing part is missing.
        ("DEU", "import", "28461000", 8_000.0, None),
        ("JPN", "import", "28461000", 88_000.0, None),
        ("_X", "import", "28461000", 52_000.0, 160.0),
    ]


@pytest.mark.parametrize(
    ("suppression", "expected"),
    [
        (0, ("CHN", 52_000.0, 160.0)),
        (1, ("_X", None, None)),
        (2, ("_X", 52_000.0, 160.0)),
        (3, ("_X", 52_000.0, None)),
        (4, ("CHN", 52_000.0, None)),
        (5, ("CHN", 52_000.0, None)),
    ],
)
def test_what_is_suppressed_is_missing_and_never_zero(
    suppression: int, expected: tuple[Any, ...]
) -> None:
    trade = fake_hmrc.Trade(202606, 3, 28461000, 720, 52_000, 160, suppression)
    rows = read_hmrc(trade)
    assert rows.select("partner_iso3", "value_local", "net_weight_kg").rows() == [expected]


def test_an_address_has_less_than_two_thousand_characters() -> None:
    """With the codes of the default scope, in the months of a year."""
    scope = Scope(commodity_codes=tuple(DEFAULT_SCOPE.codes()))
    keys = [f"2026-{month:02}" for month in range(1, 13)]
    (extract,) = hmrc.plan(months(*keys), scope)
    addresses = [
        httpx.URL(f"{hmrc.CARD.base_url}/{request.url}").copy_merge_params(request.params)
        for request in extract.requests
    ]
    assert len(addresses) > 5
    assert max(len(str(address).replace("+", "%20")) for address in addresses) < 2_000


def test_a_row_that_is_on_two_pages_is_not_added_twice() -> None:
    """A row was added before it while the pages were read."""
    trades = [fake_hmrc.Trade(202606, 3, 28461000, country, 5, 1) for country in (720, 732)]
    pages = [country_list(), ots(*trades), ots(trades[1])]
    with pytest.raises(UpstreamFormatError, match="code 28461000 in 202606 is on two pages"):
        hmrc.parse_extract(pages, DOCUMENT)
    # Rows of single ports are landed by hand only: two of them may be alike.
    rows = [{**row, "PortId": 9} for row in fake_hmrc.summed(trades)]
    pages = [country_list(), *2 * [json.dumps({"value": rows}).encode()]]
    assert hmrc.parse_extract(pages, DOCUMENT)["national_trade"]["value_local"].sum() == 20


def test_ids_that_are_no_code_are_left_out_and_serbia_is_known_by_its_own_code() -> None:
    rows = read_hmrc(
        fake_hmrc.Trade(202606, 1, -990, 959, 148_391_144, None),
        fake_hmrc.Trade(202606, 1, 39_999_999, 959, 5, None),
        fake_hmrc.Trade(202606, 1, 28053010, 93, 6, 1),
        fake_hmrc.Trade(202606, 1, 28053010, 77, 9, 2),
    )
    assert rows.select("partner_code", "partner_iso3").rows() == [("77", None), ("XS", "SRB")]


def test_a_month_may_change_for_twenty_months() -> None:
    rows = read_hmrc(
        fake_hmrc.Trade(202504, 3, 28053010, 720, 5, 1),
        fake_hmrc.Trade(202503, 3, 28053010, 720, 5, 1),
    )
    assert rows.select("period_start", "is_provisional").rows() == [
        (date(2025, 3, 1), False),
        (date(2025, 4, 1), True),
    ]


def test_pages_follow_the_link_and_never_another_host(tmp_path: Path) -> None:
    (extract,) = hmrc.plan(months("2026-01", "2026-02"), SCOPE)
    countries, request = extract.requests
    assert countries.url == "Country"
    text = request.params["$apply"]
    assert "MonthId ge 202601 and MonthId le 202602" in text
    assert "CommodityId ge 28053000 and CommodityId le 28053099" in text
    assert "$top" not in str(request)
    assert " in (" not in text
    link = "https://api.uktradeinfo.com/OTS?$apply=x&$skip=30000"
    page = {"value": [], "@odata.nextLink": link}
    step = hmrc.follow(request, answer(tmp_path, json.dumps(page).encode()))
    assert step == More((Request(link, ("json",)),))
    assert hmrc.follow(request, answer(tmp_path, b'{"value": []}')) == Done()
    page["@odata.nextLink"] = "https://elsewhere.example/OTS"
    with pytest.raises(UpstreamFormatError, match="leads elsewhere"):
        hmrc.follow(request, answer(tmp_path, json.dumps(page).encode()))


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"value": [', "cut or no JSON"),
        (b'{"error": {"code": ""}}', "no list `value`"),
    ],
)
def test_an_answer_that_is_no_page_of_rows_is_an_error(
    body: bytes, reason: str, tmp_path: Path
) -> None:
    with pytest.raises(UpstreamFormatError, match=reason):
        hmrc.follow(Request("OTS", ("json",)), answer(tmp_path, body))


def test_pages_need_the_list_of_countries_and_known_flows() -> None:
    trade = fake_hmrc.Trade(202606, 3, 28053010, 720, 5, 1)
    with pytest.raises(UpstreamFormatError, match="without the list of countries"):
        hmrc.parse_extract([ots(trade)], DOCUMENT)
    with pytest.raises(UpstreamFormatError, match="no valid month, flow"):
        read_hmrc(fake_hmrc.Trade(202606, 7, 28053010, 720, 5, 1))
    with pytest.raises(UpstreamFormatError, match="no valid month, flow"):
        read_hmrc(fake_hmrc.Trade(202613, 3, 28053010, 720, 5, 1))


# Brazil.

IMPORTS = (
    fake_comexstat.Trade(6, "85051110", "160", 1_250, 61_000, 910, 75),
    fake_comexstat.Trade(6, "85051110", "160", 300, 18_000, 1_200, 20, state="AM"),
    fake_comexstat.Trade(6, "85051110", "023", 1, 10, 1, 1),
    fake_comexstat.Trade(6, "85051110", "025", 2, 20, 1, 1),
    fake_comexstat.Trade(5, "28053010", "105", 2, 540, 31, 1),
    fake_comexstat.Trade(5, "28053010", "994", 3, 7, 1, 1),
    fake_comexstat.Trade(5, "28053010", "888", 3, 7, 1, 1),
    fake_comexstat.Trade(6, "02023000", "160", 9, 9, 9, 9),
)


def read_brazil(name: str, payload: bytes) -> pl.DataFrame:
    """A yearly file, landed under that name with the list of countries."""
    given = {"PAIS.csv": fake_comexstat.countries_csv(), name: payload}
    parts = [(part, Document(of, RETRIEVED, is_bundled=False)) for of, part in given.items()]
    return comexstat.parse_together(parts)["national_trade"]


def test_states_and_offices_are_summed_and_costs_kept_beside() -> None:
    rows = read_brazil("IMP_2026.csv", fake_comexstat.year_csv("IMP", 2026, IMPORTS))
    (magnets,) = rows.filter(partner_iso3="CHN").to_dicts()
    assert (magnets["value_local"], magnets["net_weight_kg"]) == (79_000.0, 1_550.0)
    assert (magnets["freight_local"], magnets["insurance_local"]) == (2_110.0, 95.0)
    assert (magnets["currency"], magnets["valuation"]) == ("USD", "FOB")
    assert magnets["is_provisional"]
    assert set(rows["hs6_code"]) == {"850511", "280530"}


def test_an_origin_equal_to_the_reporter_is_kept_among_the_imports() -> None:
    """As printed: the marts call it a re-import."""
    rows = read_brazil("IMP_2026.csv", fake_comexstat.year_csv("IMP", 2026, IMPORTS))
    assert rows.filter(partner_code="105").select("partner_iso3", "flow").rows() == [
        ("BRA", "import")
    ]
    assert rows.filter(partner_code="994")["partner_iso3"].to_list() == ["_X"]
    assert rows.filter(partner_code="888")["partner_iso3"].to_list() == [None]
    # Two codes of the publisher that are one economy stay two lines here, and are summed in dbt.
    assert rows.filter(partner_iso3="DEU")["partner_code"].to_list() == ["023", "025"]


def test_exports_have_no_costs() -> None:
    trades = [fake_comexstat.Trade(6, "28053010", "160", 5, 9)]
    rows = read_brazil("EXP_2026.csv", fake_comexstat.year_csv("EXP", 2026, trades))
    assert rows.select("flow", "value_local", "freight_local").rows() == [("export", 9.0, None)]


def old_imports() -> bytes:
    return fake_comexstat.year_csv("IMP", 2018, IMPORTS[:1], first_with_costs=2019)


def test_imports_without_costs_are_not_read_as_exports() -> None:
    exports = fake_comexstat.year_csv("EXP", 2018, [replace(IMPORTS[0], country="023", fob=5)])
    parts = [fake_comexstat.countries_csv(), old_imports(), exports]
    assert {part.split(b"\n")[0].count(b";") for part in parts[1:]} == {10}
    rows = comexstat.parse_extract(parts, DOCUMENT)["national_trade"]
    assert rows.select("flow", *AMOUNTS[:1], "value_local", "freight_local").rows() == [
        ("export", "DEU", 5.0, None),
        ("import", "CHN", 61_000.0, None),
    ]


@pytest.mark.parametrize(
    ("name", "flow"),
    [
        ("IMP_2018.csv", "import"),
        ("imp_2018.csv", "import"),
        ("EXP_2018.csv", "export"),
        # A part of an answer that was quarantined.
        ("0002-comexstat-2018", "import"),
        ("0003-comexstat-2018", "export"),
    ],
)
def test_a_landed_file_without_costs_has_the_flow_of_its_name(name: str, flow: str) -> None:
    assert read_brazil(name, old_imports())["flow"].to_list() == [flow]


def test_a_landed_file_that_may_be_of_either_flow_is_refused() -> None:
    with pytest.raises(UpstreamFormatError, match="tell imports from exports"):
        read_brazil("brazil.csv", old_imports())
    with_costs = fake_comexstat.year_csv("IMP", 2026, IMPORTS[:1])
    assert read_brazil("brazil.csv", with_costs)["flow"].to_list() == ["import"]
    with pytest.raises(UpstreamFormatError, match="exports has the freight and insurance"):
        read_brazil("EXP_2026.csv", with_costs)


def test_brazil_took_the_edition_of_2022_in_april() -> None:
    trades = [fake_comexstat.Trade(month, "28053010", "160", 5, 9) for month in (3, 4)]
    rows = read_brazil("EXP_2022.csv", fake_comexstat.year_csv("EXP", 2022, trades))
    assert rows["hs_revision"].to_list() == ["HS2017", "HS2022"]


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (fake_comexstat.year_csv("IMP", 2026, IMPORTS)[:-20], "last line"),
        (
            fake_comexstat.year_csv("IMP", 2026, IMPORTS).replace(b";910;75", b";910", 1),
            "another number of values|not a whole number",
        ),
        (
            fake_comexstat.year_csv("IMP", 2026, IMPORTS).replace(b";61000;", b";6x000;"),
            "not a whole number",
        ),
        (
            fake_comexstat.year_csv("IMP", 2026, IMPORTS).replace(b'"VL_FOB"', b'"VL_CIF"'),
            "columns missing: vl_fob",
        ),
        (b"<html><body>manutencao</body></html>", "HTML page where CSV was expected"),
    ],
    ids=["cut", "value lost", "number", "column renamed", "page"],
)
def test_a_yearly_file_that_is_damaged_is_refused_in_a_sentence(
    payload: bytes, reason: str
) -> None:
    with pytest.raises(UpstreamFormatError, match=reason):
        read_brazil("IMP_2026.csv", payload)


def test_a_yearly_file_needs_the_list_of_countries() -> None:
    with pytest.raises(UpstreamFormatError, match="without the list of countries"):
        comexstat.parse(fake_comexstat.year_csv("IMP", 2026, IMPORTS), DOCUMENT)


def test_the_files_of_a_year_are_asked_for_together() -> None:
    (extract,) = comexstat.plan(months("2026-02"), SCOPE)
    assert [request.url.split("/")[-1] for request in extract.requests] == [
        "PAIS.csv", "IMP_2026.csv", "EXP_2026.csv",
    ]  # fmt: skip
    assert [window.key for window in extract.windows][-1] == "2026-10"


# The European Union.


def read_union(*rows: Sequence[fake_comext.Observation]) -> pl.DataFrame:
    flat = [row for group in rows for row in group]
    return comext.parse(fake_comext.csv_data(flat), DOCUMENT)["national_trade"]


def test_quantities_are_in_a_hundred_kilograms_and_blanks_are_not_shown() -> None:
    rows = read_union(
        fake_comext.trade("DE", "CN", "85051110", "1", "2026-09", "41250310", "11820.4"),
        fake_comext.trade("NL", "QY", "28461000", "1", "2026-09", None, None, status="C"),
        fake_comext.trade("EE", "JP", "28053010", "2", "2026-09", "990120", None, flag="p"),
    )
    assert rows.select("reporter_iso3", *AMOUNTS, "is_provisional").rows() == [
        ("DEU", "CHN", "import", "85051110", 41_250_310.0, 1_182_040.0, False),
        ("EST", "JPN", "export", "28053010", 990_120.0, None, True),
        # It is there, and nobody may know how much: not "no trade".
        ("NLD", "_X", "import", "28461000", None, None, False),
    ]
    assert set(rows["currency"]) == {"EUR"}


def test_what_is_confidential_of_an_hs6_code_is_a_part_of_it() -> None:
    """As Germany's exports of 811292 in May 2026, of which the product is not shown."""
    rows = read_union(
        fake_comext.trade("DE", "GB", "81129221", "2", "2026-05", "191"),
        fake_comext.trade("DE", "GB", "811292XX", "2", "2026-05", "68404", "19.2"),
    )
    assert rows.select("national_code", "hs6_code", "value_local", "net_weight_kg").rows() == [
        ("81129221", "811292", 191.0, None),
        ("811292XX", "811292", 68404.0, 1920.0),
    ]


def test_the_united_kingdom_is_not_counted_again_by_its_parts() -> None:
    rows = read_union(
        fake_comext.trade("DE", "GB", "85051110", "1", "2026-05", "100"),
        fake_comext.trade("DE", "XU", "85051110", "1", "2026-05", "97"),
        fake_comext.trade("DE", "XI", "85051110", "1", "2026-05", "3"),
        # Where only the parts are listed, they are what there is.
        fake_comext.trade("DE", "XU", "85051110", "1", "2026-06", "50"),
    )
    assert rows.select("period_start", "partner_code", "partner_iso3", "value_local").rows() == [
        (date(2026, 5, 1), "GB", "GBR", 100.0),
        (date(2026, 6, 1), "XU", "GBR", 50.0),
    ]


def test_the_union_trades_with_what_is_outside_and_members_with_all() -> None:
    rows = read_union(
        *(
            fake_comext.trade(reporter, partner, "85051110", "1", "2026-09", "5", "1")
            for reporter in ("EU27_2020", "DE")
            for partner in ("CN", "FR", "WORLD", "EXT_EU27_2020", "INT_EU27_2020")
        )
    )
    assert rows.select("reporter_iso3", "partner_code", "partner_iso3").rows() == [
        ("DEU", "CN", "CHN"),
        ("DEU", "FR", "FRA"),
        ("DEU", "WORLD", "WLD"),
        ("EU27", "CN", "CHN"),
        ("EU27", "EXT_EU27_2020", "WLD"),
    ]


def test_years_headings_and_other_quantities_are_left_out() -> None:
    row = fake_comext.trade("DE", "CN", "8505", "1", "2026-09", "5", "1")
    assert read_union(row).is_empty()
    payload = fake_comext.csv_data(fake_comext.trade("DE", "CN", "85051110", "1", "2026-09", "5"))
    assert comext.parse(payload.replace(b",M,", b",A,"), DOCUMENT)["national_trade"].is_empty()
    for wrong, reason in ((b"2026-13", "is not a month"), (b",5,,", b",x,,")):
        if isinstance(reason, str):
            with pytest.raises(UpstreamFormatError, match=reason):
                comext.parse(payload.replace(b"2026-09", wrong), DOCUMENT)
        else:
            with pytest.raises(UpstreamFormatError, match="is not a number"):
                comext.parse(payload.replace(wrong, reason), DOCUMENT)


def products_request(**context: str) -> Request:
    (extract,) = comext.plan(months("2026-01", "2026-03"), SCOPE)
    (request,) = extract.requests
    return Request(request.url, request.expects, context={**request.context, **context})


def test_products_lead_to_requests_below_the_limit_of_cells(tmp_path: Path) -> None:
    values = "".join(f"<c:Value>850511{number:02}</c:Value>" for number in range(99))
    body = f"<?xml version='1.0'?><x>{values}<c:Value>8505</c:Value></x>".encode()
    step = comext.follow(products_request(), answer(tmp_path, body))
    assert isinstance(step, Instead)
    for request in step.requests:
        products = request.context["products"].split(",")
        assert len(products) * 3 * comext.PARTNERS * 4 <= comext.MOST_CELLS
        assert (request.params["startPeriod"], request.params["endPeriod"]) == (
            "2026-01",
            "2026-03",
        )
    of_union = [one for one in step.requests if one.context["reporter"] == "EU27_2020"]
    assert sum(len(one.context["products"].split(",")) for one in of_union) == 99
    assert len({one.context["reporter"] for one in step.requests}) == 28


def test_too_much_is_halved_and_a_queued_extraction_is_waited_for(tmp_path: Path) -> None:
    request = comext._data("DE", ["85051110", "85051190"], "2026-01", "2026-03")
    too_big = fake_comext.fault("413", "EXTRACTION_TOO_BIG")
    step = comext.follow(request, answer(tmp_path, too_big, 413, "too_much"))
    assert isinstance(step, Instead)
    assert [one.context["products"] for one in step.requests] == ["85051110", "85051190"]
    with pytest.raises(UpstreamFormatError, match="one product of one reporter"):
        comext.follow(step.requests[0], answer(tmp_path, too_big, 413, "too_much"))
    queued = comext.follow(request, answer(tmp_path, fake_comext.QUEUED.encode()))
    assert isinstance(queued, Stop)
    assert queued.wait == comext.WAIT_FOR_QUEUE


def test_a_fault_is_never_read_as_no_trade(tmp_path: Path) -> None:
    request = comext._data("DE", ["85051110"], "2026-01", "2026-03")
    nothing = fake_comext.fault("100", "No results found.")
    assert comext.follow(request, answer(tmp_path, nothing, 404, "nothing")) == Done()
    moved = fake_comext.fault("100", "ERR_NOT_FOUND_4: The requested dataset is not available")
    with pytest.raises(UpstreamFormatError, match="is no longer at"):
        comext.follow(request, answer(tmp_path, moved, 404, "nothing"))
    with pytest.raises(UpstreamFormatError, match="XML where figures"):
        comext.follow(request, answer(tmp_path, fake_comext.fault("500", "busy")))
    with pytest.raises(UpstreamFormatError, match="lists no product"):
        comext.follow(products_request(), answer(tmp_path, b"<x></x>"))


def test_a_list_of_products_that_is_cut_is_not_a_shorter_one(tmp_path: Path) -> None:
    whole = b"<?xml version='1.0'?><x><c:Value>85051110</c:Value><c:Value>85051190</c:Value></x>"
    assert isinstance(comext.follow(products_request(), answer(tmp_path, whole)), Instead)
    for cut in (whole[:55], whole[:-4]):
        with pytest.raises(UpstreamFormatError, match="is cut or no XML"):
            comext.follow(products_request(), answer(tmp_path, cut))


def test_a_header_without_figures_is_an_answer_without_results(tmp_path: Path) -> None:
    request = comext._data("MT", ["85051110"], "2026-01", "2026-03")
    header, figures = (
        fake_comext.csv_data([]),
        fake_comext.csv_data(fake_comext.trade("MT", "CN", "85051110", "1", "2026-01", "5")),
    )
    assert comext.follow(request, answer(tmp_path, header)) == Instead(())
    assert comext.follow(request, answer(tmp_path, figures)) == Done()
    # Without its end it may be cut.
    assert comext.follow(request, answer(tmp_path, header.rstrip())) == Done()
    with pytest.raises(UpstreamFormatError, match="is cut"):
        comext.parse(header.rstrip(), DOCUMENT)


def test_reporters_are_the_union_and_its_members() -> None:
    def reporters(*wanted: str) -> str:
        scope = Scope(commodity_codes=("850511",), reporters=wanted, today=SCOPE.today)
        return comext.plan(months("2026-01"), scope)[0].requests[0].context["reporters"]

    assert reporters("EU27", "GRC") == "EU27_2020,GR"
    assert len(reporters().split(",")) == 28
    with pytest.raises(ConfigurationError, match="JPN is not in the European Union"):
        reporters("JPN")


# What was seen of the publishers.


@needs_shared
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("DS-045409_ree_confidential_SYNTHETIC.csv", 3),
        ("DS-045409_sdmxcsv_SYNTHETIC_ree.csv", 2),
        ("DS-045409_sdmx30_csv2_SYNTHETIC.csv", 1),
        ("DS-045409_monthly_FIXTURE.csv", 0),
    ],
)
def test_the_payloads_of_eurostat_are_read(name: str, expected: int) -> None:
    payload = (SHARED / "payloads" / "eurostat_comext" / name).read_bytes()
    assert comext.parse(payload, DOCUMENT)["national_trade"].height == expected


@needs_shared
def test_the_faults_of_eurostat_are_waited_for_halved_or_refused(tmp_path: Path) -> None:
    folder = SHARED / "payloads" / "eurostat_comext"
    request = comext._data("DE", ["85051110", "85051190"], "2026-01", "2026-03")

    def step(name: str, status: int = 200, meaning: Meaning = "content") -> object:
        return comext.follow(
            request, answer(tmp_path, (folder / name).read_bytes(), status, meaning)
        )

    assert isinstance(step("async_queued_200_REAL.xml"), Stop)
    assert isinstance(step("error_413_DOC.xml", 413, "too_much"), Instead)
    with pytest.raises(UpstreamFormatError, match="is no longer at"):
        step("error_404_not_found_SYNTHETIC.xml", 404, "nothing")
    with pytest.raises(UpstreamFormatError, match="XML where figures"):
        step("async_status_processing_SYNTHETIC.xml")


@needs_shared
def test_the_payloads_of_britain_and_brazil_are_read() -> None:
    folder = SHARED / "payloads" / "hmrc"
    names = ("Country_SYNTHETIC.json", "OTS_page1_SYNTHETIC.json", "OTS_page2_SYNTHETIC.json")
    rows = hmrc.parse_extract([(folder / name).read_bytes() for name in names], DOCUMENT)
    by_partner: Mapping[str, float] = dict(
        rows["national_trade"].select("partner_code", "value_local").rows()
    )
    assert by_partner["CN"] == 1_560_000.0
    assert by_partner["QV"] == 52_000.0
    folder = SHARED / "payloads" / "comexstat"
    names = ("PAIS_FIXTURE_latin1.csv", "IMP_2026_SYNTHETIC.csv", "EXP_2026_REAL_row.csv")
    rows = comexstat.parse_extract([(folder / name).read_bytes() for name in names], DOCUMENT)
    magnets = rows["national_trade"].filter(national_code="85051110", partner_iso3="CHN")
    assert magnets.select("value_local", "net_weight_kg").row(0) == (79_000.0, 1_550.0)
    cut = (folder / "IMP_2026_cut_SYNTHETIC.csv").read_bytes()
    with pytest.raises(UpstreamFormatError, match="is cut"):
        read_brazil("IMP_2026.csv", cut)
