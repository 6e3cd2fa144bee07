"""Figures of production, reconciled trade, uses, governance and markets, as their publishers print
them or as one works them out by hand; none is a second run of the project's own rules."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
import yaml

from dagster_project.lake.corrections import corrections
from dagster_project.settings import BUNDLED
from dagster_project.sources.registry import all_sources

Rows = Callable[..., list[tuple[Any, ...]]]

JAPANS_IMPORTS_2024 = [
    # CEPII BACI 2024, Japan: thousand US dollars, HHI, the largest supplier and China.
    ("permanent_magnets", 568_757, 0.2639, "PHL", 0.3238, 0.2758),
    ("hs_850511", 568_757, 0.2639, "PHL", 0.3238, 0.2758),
    ("hs_811292", 84_289, 0.1400, "TWN", 0.1931, 0.1916),
    ("hs_811010", 89_381, 0.2199, "CHN", 0.2811, 0.2811),
    ("hs_250490", 8_254, 0.9123, "CHN", 0.9542, 0.9542),
    ("hs_810194", 34_759, 0.9927, "CHN", 0.9963, 0.9963),
    ("hs_810411", 55_311, 0.9606, "CHN", 0.9801, 0.9801),
]


@pytest.mark.parametrize(
    ("group", "thousand_usd", "hhi", "first", "share", "china"), JAPANS_IMPORTS_2024
)
def test_how_concentrated_japans_imports_are_by_value(
    rows: Rows, group: str, thousand_usd: int, hhi: float, first: str, share: float, china: float
) -> None:
    ((total, found_hhi, top, top_share, source),) = rows(
        "select total_amount, hhi, top_supplier_iso3, top_supplier_share, source "
        "from dependency.import_concentration where importer_iso3 = 'JPN' and mineral_group = ? "
        "and frequency = 'A' and period_start = '2024-01-01' and measure = 'value_usd'",
        group,
    )
    assert total / 1000 == pytest.approx(thousand_usd, abs=0.5)
    assert found_hhi == pytest.approx(hhi, abs=5e-5)
    assert (top, source) == (first, "baci")
    assert top_share == pytest.approx(share, abs=5e-5)
    ((of_china,),) = rows(
        "select share from dependency.supplier_shares where importer_iso3 = 'JPN' "
        "and mineral_group = ? and frequency = 'A' and period_start = '2024-01-01' "
        "and measure = 'value_usd' and supplier_iso3 = 'CHN'",
        group,
    )
    assert of_china == pytest.approx(china, abs=5e-5)


def test_viet_nam_is_the_second_supplier_of_japans_magnets(rows: Rows) -> None:
    ((share, rank),) = rows(
        "select share, supplier_rank from dependency.supplier_shares "
        "where importer_iso3 = 'JPN' and mineral_group = 'permanent_magnets' "
        "and period_start = '2024-01-01' and measure = 'value_usd' and supplier_iso3 = 'VNM'"
    )
    assert share == pytest.approx(0.2791, abs=5e-5)
    assert rank == 2


@pytest.mark.parametrize(
    ("supplier", "by_value", "by_weight"),
    [("CHN", 0.2758, 0.3595), ("PHL", 0.3238, 0.2936), ("VNM", 0.2791, 0.2610)],
)
def test_japans_magnets_of_2024_by_value_and_by_weight(
    rows: Rows, supplier: str, by_value: float, by_weight: float
) -> None:
    found = dict(
        rows(
            "select measure, share from dependency.supplier_shares where importer_iso3 = 'JPN' "
            "and mineral_group = 'permanent_magnets' and period_start = '2024-01-01' "
            "and source = 'baci' and supplier_iso3 = ?",
            supplier,
        )
    )
    assert found == pytest.approx({"value_usd": by_value, "net_weight_kg": by_weight}, abs=5e-5)


@pytest.mark.parametrize(
    ("importer", "year", "source", "by_value", "by_weight"),
    [
        # CEPII BACI, HS 1992, where no declaration is at hand.
        ("JPN", 2000, "baci", 0.7621, 0.8330),
        ("JPN", 2004, "baci", 0.8101, 0.9103),
        ("KOR", 2000, "baci", 0.5595, 0.7954),
        ("FRA", 2000, "baci", 0.6568, 0.4819),
        ("IND", 2000, "baci", 0.3948, 0.5915),
        # Flows with a weight are 83 and 24 % of the value.
        ("USA", 2000, "baci", 0.4094, None),
        ("JPN", 1997, "baci", 0.6789, None),
        # What importers declare comes first.
        ("JPN", 2005, "comtrade_baskets", None, None),
        ("JPN", 2010, "comtrade_baskets", 0.822, 0.816),
        ("JPN", 2024, "comtrade_baskets", 0.440, 0.713),
        ("KOR", 2010, "comtrade_baskets", 0.6000, None),
    ],
)
def test_rare_earths_from_china_since_1995(
    rows: Rows,
    importer: str,
    year: int,
    source: str,
    by_value: float | None,
    by_weight: float | None,
) -> None:
    found = {
        measure: share
        for measure, share, found_source in rows(
            "select measure, share, source from dependency.supplier_shares "
            "where importer_iso3 = ? and mineral_group = 'rare_earths' and frequency = 'A' "
            "and year(period_start) = ? and supplier_iso3 = 'CHN'",
            importer,
            year,
        )
        if found_source == source or pytest.fail(f"of {found_source}")
    }
    assert "value_usd" in found
    exact = 5e-5 if source == "baci" else 5e-4
    for measure, share in (("value_usd", by_value), ("net_weight_kg", by_weight)):
        if share is not None:
            assert found[measure] == pytest.approx(share, abs=exact)
    assert source != "baci" or ("net_weight_kg" in found) == (by_weight is not None)


def test_a_flow_of_baci_has_its_published_value_and_weight(rows: Rows) -> None:
    assert rows(
        "select value_usd, hs_revision from trade.baci_flows "
        "where exporter_iso3 = 'CHN' and importer_iso3 = 'JPN' and hs6_code = '850511' "
        "and year = 2024"
    ) == [(156_879_570.0, "HS2017")]


def test_a_code_and_year_is_of_one_nomenclature_the_newest_there_is(rows: Rows) -> None:
    """13 codes are bundled in both editions: their 2024 is of HS 2017."""
    assert rows(
        "select hs_revision, min(year), max(year), count(distinct hs6_code) "
        "from trade.baci_flows group by all order by all"
    ) == [("HS1992", 1995, 2024, 52), ("HS2017", 2024, 2024, 30)]
    assert rows(
        "select count(*) from (select hs6_code, year from trade.baci_flows group by all "
        "having count(distinct hs_revision) > 1)"
    ) == [(0,)]
    assert rows(
        "select count(distinct hs6_code) from trade.baci_flows "
        "where year = 2024 and hs_revision = 'HS1992'"
    ) == [(52 - 13 - 1,)]  # germanium (811230) ends in 2016


def test_every_code_with_flows_has_its_edition_in_the_lists(rows: Rows) -> None:
    assert (
        rows(
            "select distinct hs6_code, hs_revision from trade.baci_flows "
            "except select hs6_code, hs_revision from reference.commodities"
        )
        == []
    )
    assert (
        rows(
            "select distinct hs6_code, hs_revision from trade.baci_flows "
            "except select hs6_code, hs_revision from reference.mineral_group_codes"
        )
        == []
    )


def test_no_figure_is_compared_across_a_break_of_the_nomenclature(rows: Rows) -> None:
    """Cobalt oxides: crude hydroxide of the Congo is in HS 1992 from 2017 on, never in HS 2017."""
    found = rows(
        "select comparable_since, min(year(period_start)), max(year(period_start)) "
        "from dependency.import_concentration where importer_iso3 = 'JPN' "
        "and mineral_group = 'hs_282200' and measure = 'value_usd' group by all order by 2"
    )
    assert found == [
        (None, 1995, 2016),
        (date(2017, 1, 1), 2017, 2023),
        (date(2024, 1, 1), 2024, 2024),
    ]
    # Magnets are in CEPII's HS 2002 up to 2016, in HS 2017 since.
    assert rows(
        "select distinct mineral_group, comparable_since from dependency.supplier_shares "
        "where importer_iso3 = 'JPN' and mineral_group in ('rare_earths', 'permanent_magnets') "
        "order by all"
    ) == [
        ("permanent_magnets", date(2017, 1, 1)), ("permanent_magnets", None),
        ("rare_earths", None),
    ]  # fmt: skip


def test_magnets_before_2024_are_shares_of_the_largest_flows_only(rows: Rows) -> None:
    """CEPII BACI, six largest suppliers of each importer: China's share of Japan's magnets."""
    found = dict(
        rows(
            "select year(period_start), share from dependency.supplier_shares "
            "where importer_iso3 = 'JPN' and mineral_group = 'permanent_magnets' "
            "and supplier_iso3 = 'CHN' and source = 'baci_top_flows'"
        )
    )
    assert set(found) == {*range(2002, 2022), 2023}
    for year, percent in ((2005, 34), (2010, 34), (2015, 33), (2020, 33), (2023, 26)):
        assert found[year] == pytest.approx(percent / 100, abs=0.01)
    assert rows(
        "select count(*), count(hhi), count(hhi_high), count(hhi_normalised), "
        "count(effective_suppliers), count(partner_coverage_share), min(year(period_start)), "
        "max(year(period_start)) from dependency.import_concentration "
        "where importer_iso3 = 'JPN' and source = 'baci_top_flows' "
        "and mineral_group = 'hs_811292'"
    ) == [(21, 0, 0, 0, 0, 0, 2002, 2023)]
    assert rows(
        "select count(*) from trade.baci_flows where hs6_code = '850511' and year < 2024"
    ) == [(0,)]


def test_a_group_of_two_codes_has_a_row_for_each_year_of_both(rows: Rows) -> None:
    assert rows(
        "select distinct year(period_start) from dependency.supplier_shares "
        "where source = 'baci' and mineral_group = 'natural_graphite' order by 1"
    ) == [(year,) for year in range(1995, 2025)]


def test_exporters_reports_never_feed_shares(rows: Rows) -> None:
    assert rows(
        "select source, count(*), min(period_start), max(period_start) from trade.reported_flows "
        "where reporter_iso3 = 'CHN' and flow = 'export' and frequency = 'M' group by source "
        "order by source"
    ) == [
        ("china_customs_reported", 74, date(2022, 11, 1), date(2026, 3, 1)),
        ("comtrade_baskets", 6_442, date(2017, 1, 1), date(2024, 12, 1)),
    ]
    assert rows(
        "select distinct source, importer_iso3 from dependency.supplier_shares "
        "where frequency = 'M' order by source"
    ) == [("comexstat", "BRA"), ("hmrc", "GBR")]


def test_tables_of_many_reporters_are_empty_and_say_what_fills_them(rows: Rows) -> None:
    for table in ("trade.reconciled_flows", "dependency.bilateral_views", "trade.revisions"):
        assert rows(f"select count(*) from {table}") == [(0,)]
        assert rows(
            "select source from catalog.sources "
            "where source = 'comtrade' and list_contains(fills_tables, ?)",
            table,
        ) == [("comtrade",)]
    assert rows("select 1 from dependency.supplier_shares where source = 'reconciled'") == []


@pytest.mark.parametrize(
    ("month", "tonnes", "partners"),
    [
        (date(2025, 4, 1), 79.5, 21),
        (date(2025, 6, 1), 58.5, 17),
        (date(2025, 11, 1), 135.8, 23),
    ],
)
def test_british_magnets_of_rare_earths_from_china_by_month(
    rows: Rows, month: date, tonnes: float, partners: int
) -> None:
    ((amount, source),) = rows(
        "select amount / 1000, source from dependency.supplier_shares "
        "where importer_iso3 = 'GBR' and mineral_group = 'rare_earth_magnets' and frequency = 'M' "
        "and measure = 'net_weight_kg' and supplier_iso3 = 'CHN' and period_start = ?",
        month,
    )
    assert (round(amount, 1), source) == (tonnes, "hmrc")
    # No total is printed: the partners of the month are the whole.
    ((count, share, unpublished),) = rows(
        "select count(*), sum(share), count(*) filter (where supplier_iso3 = '_X') "
        "from dependency.supplier_shares "
        "where importer_iso3 = 'GBR' and mineral_group = 'rare_earth_magnets' and frequency = 'M' "
        "and measure = 'value_usd' and period_start = ?",
        month,
    )
    assert (count, unpublished) == (partners, 0)
    assert share == pytest.approx(1)


def test_a_line_of_a_tariff_is_not_older_than_its_code(rows: Rows) -> None:
    """Germanium is in 811292 since HS 2007; the Combined Nomenclature of 2023 brought two lines."""
    found = rows(
        "select national_code, valid_from, is_valid_from_known from reference.national_codes "
        "where reporter_iso3 = 'DEU' order by national_code"
    )
    assert [(code, f"{day}", is_known) for code, day, is_known in found] == [
        ("28053031", "2023-01-01", True),
        ("28469060", "1988-01-01", False),
        ("81129289", "2007-01-01", False),
        ("81129295", "2007-01-01", False),
        ("85051110", "2023-01-01", True),
    ]


def test_rare_earths_are_held_against_metals_of_the_crust(rows: Rows) -> None:
    assert rows(
        "select mineral, crust_ppm_low, crust_ppm_high from reference.mineral_abundance "
        "where source = 'rudnick_gao' and mineral in ('cerium', 'copper', 'terbium', 'tin') "
        "order by mineral"
    ) == [("cerium", 43, 63), ("copper", 27, 28), ("terbium", 0.6, 0.7), ("tin", 1.7, 2.1)]
    ((verdict, least, most),) = rows(
        "select verdict, computed_low, computed_high from catalog.claims "
        "where claim_id = 'RE-NOT-RARE'"
    )
    # Terbium against tin, 0.7 / 2.1 of the upper crust; dysprosium against tungsten, 5.2 / 1.25 by
    # the CRC, the largest that the explanation names.
    assert (verdict, least, most) == (
        "supported", pytest.approx(1 / 3), pytest.approx(5.2 / 1.25),
    )  # fmt: skip
    # Each metal is named once. Cerium against copper: 66.5 / 60 by the CRC, 63 / 28 of the upper
    # crust; neodymium: 41.5 / 60 and 27 / 28; lanthanum: 39 / 60 and 31 / 28.
    ((explanation,),) = rows(
        "select explanation from catalog.claims where claim_id = 'RE-NOT-RARE'"
    )
    assert explanation.startswith(
        "The figures agree: cerium 1.11 to 2.25, lanthanum 0.65 to 1.11 and neodymium 0.69 to 0.96 "
        "times as abundant as copper, dysprosium "
    )
    assert "dysprosium 2.05 to 4.16 " in explanation
    for metal in ("copper", "germanium", "tin", "tungsten"):
        assert explanation.count(f" times as abundant as {metal}") == 1, metal


def test_what_the_press_reports_confirms_no_statement_of_the_press(rows: Rows) -> None:
    assert rows(
        "select distinct verdict from catalog.claims where claim_id similar to 'CN-2025-.*'"
    ) == [("not_testable",)]
    assert rows(
        "select count(*) from catalog.claims where claim_id similar to 'CN-2025-.*' "
        "and contains(explanation, 'china_customs_reported')"
    ) == [(17,)]
    assert rows(
        "select count(*) from catalog.claims where claim_id similar to 'CN-2025-.*MAGNETS.*' "
        "and contains(explanation, 'eight-digit line 85051110')"
    ) == [(16,)]


@pytest.mark.parametrize(
    ("year", "economy", "tonnes", "world"),
    [
        # Mineral Commodity Summaries 2026, rare earths, mine production.
        (2024, "CHN", 270_000, 380_000),
        (2025, "CHN", 270_000, 390_000),
        (2024, "MMR", 27_000, 380_000),
        (2025, "USA", 51_000, 390_000),
        # Of the editions before, each is the last that prints a year.
        (2023, "CHN", 255_000, 376_000),
        (2022, "CHN", 210_000, 300_000),
        (2021, "MMR", 35_000, 290_000),
        (2020, "USA", 39_000, 240_000),
    ],
)
def test_the_mines_of_rare_earths(
    rows: Rows, year: int, economy: str, tonnes: int, world: int
) -> None:
    ((amount, share, total),) = rows(
        "select amount_t, share, world_total_t from dependency.production_shares "
        "where material = 'rare_earths' and stage = 'extraction' and source = 'usgs_mcs' "
        "and year = ? and economy_iso3 = ?",
        year,
        economy,
    )
    assert (amount, total) == (tonnes, world)
    assert share == pytest.approx(tonnes / world)


@pytest.mark.parametrize(
    ("material", "stage", "hhi", "cr1", "cr3"),
    [
        # The Commission's study of 2023, from its shares of world supply.
        ("dysprosium", "extraction", 0.7218, 0.844, 0.956),
        ("neodymium", "extraction", 0.4909, 0.683, 0.874),
        ("neodymium", "processing", 0.7325, 0.849, 0.973),
        ("gallium", "processing", 0.8809, 0.938, 0.979),
        ("germanium", "processing", 0.6966, 0.831, 0.926),
        ("antimony", "processing", 0.2895, 0.518, 0.668),
        ("tungsten", "extraction", 0.6878, 0.826, 0.917),
        ("cobalt", "extraction", 0.4071, 0.628, 0.735),
        ("magnesium", "processing", 0.8230, 0.906, 0.962),
        ("dysprosium", "processing", 1.0, 1.0, 1.0),
    ],
)
def test_concentration_of_world_supply_in_the_commissions_study(
    rows: Rows, material: str, stage: str, hhi: float, cr1: float, cr3: float
) -> None:
    ((found_hhi, found_cr1, found_cr3, top),) = rows(
        "select hhi, cr1_share, cr3_share, top_producer_iso3 "
        "from dependency.production_concentration "
        "where material = ? and stage = ? and source = 'ec_crm' and year = 2023",
        material,
        stage,
    )
    assert found_hhi == pytest.approx(hhi, abs=6e-5)
    assert found_cr1 == pytest.approx(cr1, abs=6e-4)
    if material != "dysprosium" or stage != "processing":
        assert found_cr3 == pytest.approx(cr3, abs=6e-4)
    assert top == ("COD" if material == "cobalt" else "CHN")


def test_china_refines_every_heavy_rare_earth_and_most_of_the_light_ones(rows: Rows) -> None:
    found = dict(
        rows(
            "select material, share from dependency.production_shares where source = 'ec_crm' "
            "and stage = 'processing' and economy_iso3 = 'CHN' and year = 2023"
        )
    )
    for heavy in (
        "dysprosium", "erbium", "europium", "gadolinium", "holmium", "lutetium", "terbium",
        "thulium", "ytterbium", "yttrium",
    ):  # fmt: skip
        assert found[heavy] == 1.0
    for light in ("cerium", "lanthanum", "neodymium", "praseodymium", "samarium"):
        assert found[light] == pytest.approx(0.849, abs=5e-4)


def test_the_share_of_neodymium_terbium_and_gadolinium_that_goes_into_magnets(rows: Rows) -> None:
    found = dict(rows("select mineral, use_share from reference.end_uses where nace2_code = 'C25'"))
    assert found["neodymium"] == pytest.approx(0.80)
    assert found["terbium"] == pytest.approx(0.90)
    assert found["gadolinium"] == pytest.approx(0.10)


def test_governance_weighs_the_concentration_of_a_chinese_monopoly_by_chinas_own_score(
    rows: Rows,
) -> None:
    """One supplier: the weighted index is (2.5 - mean of the six) x 2 of that supplier alone.

    World Governance Indicators 2021, China: -1.64, -0.48, 0.84, -0.31, 0.04, 0.05.
    """
    by_hand = (2.5 - (-1.64 - 0.48 + 0.84 - 0.31 + 0.04 + 0.05) / 6) * 2
    ((weighted, coverage),) = rows(
        "select hhi_governance_weighted, governance_coverage_share "
        "from dependency.production_concentration "
        "where material = 'dysprosium' and stage = 'processing' and source = 'ec_crm'"
    )
    assert weighted == pytest.approx(by_hand, abs=0.005)
    assert coverage == 1.0


@pytest.mark.parametrize(
    ("instrument", "prices"),
    [
        # Mineral Commodity Summaries 2026; 2022 and 2023 print 49 for neodymium in 2021.
        ("DYSPROSIUM_OXIDE", [410, 382, 330]),
        ("NEODYMIUM_OXIDE", [98, 134, 78]),
    ],
)
def test_what_a_kilogram_of_an_oxide_cost_from_2021_to_2023(
    rows: Rows, instrument: str, prices: list[float]
) -> None:
    assert rows(
        "select price_date, close, currency, unit, source, is_derived from market.prices "
        "where instrument = ? and year(price_date) between 2021 and 2023 order by price_date",
        instrument,
    ) == [
        (date(year, 1, 1), price, "USD", "USD per kg", "usgs_mcs", False)
        for year, price in zip((2021, 2022, 2023), prices, strict=True)
    ]


def test_a_yearly_price_has_no_window_of_part_of_a_year(rows: Rows) -> None:
    assert rows(
        "select distinct \"window\" from market.performance where frequency = 'A' order by 1"
    ) == [("1y",), ("3y",), ("all",)]
    assert rows(
        "select count(*), count(distinct source) from reference.instruments where frequency = 'A'"
    ) == [(29, 2)]


def test_rare_earths_of_a_century_are_a_series_of_their_own(rows: Rows) -> None:
    assert rows(
        "select year, amount_t, world_total_t from dependency.production_shares "
        "where source = 'usgs_ds140' and economy_iso3 = 'USA' and year in (1900, 1985, 2020) "
        "order by year"
    ) == [(1900, 227, 1_040), (1985, 13_400, 43_500), (2020, 39_000, 243_000)]
    # One producer beside the rest of the world: who was first is known where it had half of it.
    assert rows(
        "select distinct top_producer_iso3, min(cr1_share) >= 0.5 "
        "from dependency.production_concentration where source = 'usgs_ds140' group by 1"
    ) == [("USA", True)]


def test_mines_of_rare_earths_since_2018_stand_beside_those_of_the_summaries(rows: Rows) -> None:
    assert rows(
        "select year, source, amount_t, world_total_t, round(share, 4) "
        "from dependency.production_shares where material = 'rare_earths' "
        "and stage = 'extraction' and economy_iso3 = 'CHN' and year <= 2022 order by year, source"
    ) == [
        (2018, "usgs_myb", 120_000, 190_000, 0.6316),
        (2019, "usgs_myb", 132_000, 223_000, 0.5919),
        (2020, "usgs_mcs", 140_000, 240_000, 0.5833),
        (2020, "usgs_myb", 140_000, 250_000, 0.5600),
        (2021, "usgs_mcs", 168_000, 290_000, 0.5793),
        (2021, "usgs_myb", 168_000, 290_000, 0.5793),
        (2022, "usgs_mcs", 210_000, 300_000, 0.7000),
        (2022, "usgs_myb", 210_000, 297_000, 0.7071),
    ]


def test_chinas_mines_are_its_quota_as_the_publisher_notes(rows: Rows) -> None:
    """MCS 2022 is at hand without notes, and MCS 2026 notes it of 2024 only, not of 2025."""
    noted = rows(
        "select source, year, note from dependency.production_shares "
        "where material = 'rare_earths' and stage = 'extraction' and economy_iso3 = 'CHN' "
        "and note is not null order by source, year"
    )
    assert noted == [
        *(
            ("usgs_mcs", year, "Production quota; does not include undocumented production.")
            for year in range(2021, 2025)
        ),
        *(
            (
                "usgs_myb",
                year,
                "Official production quota. Illegal production could not be quantified.",
            )
            for year in range(2018, 2023)
        ),
    ]


def test_figures_say_which_years_they_are_of_and_what_they_weigh(rows: Rows) -> None:
    assert rows(
        "select distinct source, reference_period, content_basis "
        "from dependency.production_shares where economy_iso3 = 'CHN' and stage = 'extraction' "
        "and (material, source, year) in (('neodymium', 'ec_crm', 2023), "
        "('rare_earths', 'usgs_mcs', 2025), ('rare_earths', 'usgs_myb', 2018), "
        "('tungsten', 'usgs_mcs', 2024), ('bauxite', 'usgs_mcs', 2024), "
        "('natural_graphite', 'usgs_mcs', 2024), ('manganese', 'usgs_mcs', 2024), "
        "('magnesite', 'usgs_mcs', 2024)) order by all"
    ) == [
        ("ec_crm", "2016/2020", None),
        ("usgs_mcs", "2024", "gross"),
        ("usgs_mcs", "2024", "metal"),
        ("usgs_mcs", "2024", "ore"),
        ("usgs_mcs", "2024", None),
        ("usgs_mcs", "2025", "oxide"),
        ("usgs_myb", "2018", "oxide"),
    ]
    assert rows(
        "select distinct reference_period from dependency.production_concentration "
        "where source = 'ec_crm'"
    ) == [("2016/2020",)]
    # The reserves beside manganese content are gross weight; the table of 2025 does not print it.
    assert rows(
        "select distinct year, content_basis from dependency.production_shares "
        "where material = 'manganese' and stage = 'reserves' and year >= 2024 order by year"
    ) == [(2024, None), (2025, "gross")]


def test_totals_of_the_world_without_an_economy_are_kept(rows: Rows) -> None:
    """Data Series 140 has no American figure of 1911; MCS 2026 gives yttrium as 10,000 to 15,000
    tons of the world, and 80 tons of scandium oxide."""
    assert rows(
        "select material, stage, year, economy_iso3, amount_t, share, note "
        "from dependency.production_shares where amount_t is not null and (source, year) in "
        "(('usgs_ds140', 1911), ('usgs_mcs', 2025)) "
        "and material in ('rare_earths', 'yttrium', 'scandium') "
        "and note = 'No figure of an economy is published.' order by all"
    ) == [
        (
            "rare_earths",
            "extraction",
            1911,
            "_X",
            2_490,
            1,
            "No figure of an economy is published.",
        ),
        ("scandium", "capacity", 2025, "_X", 90, 1, "No figure of an economy is published."),
        ("scandium", "processing", 2025, "_X", 80, 1, "No figure of an economy is published."),
        ("yttrium", "extraction", 2025, "_X", 12_500, 1, "No figure of an economy is published."),
    ]
    assert (
        rows(
            "select material from dependency.production_concentration "
            "where material in ('yttrium', 'scandium') and source = 'usgs_mcs'"
        )
        == []
    )


def test_a_note_says_what_a_figure_means_and_not_how_it_is_printed(rows: Rows) -> None:
    """MCS 2026 prints magnesite in thousand tons; of germanium in 2020 the United States' figure is
    withheld, and nothing else is noted."""
    assert rows(
        "select distinct material, economy_iso3, note from dependency.production_shares "
        "where source = 'usgs_mcs' and (material, stage, year, economy_iso3) in "
        "(('magnesite', 'extraction', 2024, 'CHN'), ('magnesite', 'reserves', 2025, 'CHN'), "
        "('borate', 'extraction', 2024, 'ARG'), ('germanium', 'processing', 2020, 'RUS')) "
        "order by all"
    ) == [
        ("borate", "ARG", "World total: World totals cannot be calculated because production and "
         "reserves are not reported in a consistent manner by all countries."),
        ("germanium", "RUS", None),
        ("magnesite", "CHN", "Gross weight of magnesite (magnesium carbonate)."),
        ("magnesite", "CHN", "Gross weight of magnesite (magnesium carbonate). "
         "World total: Excludes U.S. production."),
    ]  # fmt: skip
    assert rows(
        "select note from dependency.production_shares "
        "where note ilike '%withheld%' or note ilike '%rounded%' or note ilike '%thousand%' "
        "or regexp_matches(note, '[^.”] World total: ')"
    ) == []  # fmt: skip


def test_three_largest_producers_are_not_given_where_fewer_are_named(rows: Rows) -> None:
    """Data Series 140 names the United States alone; of germanium in 2020 MCS 2022 gives China
    95 t and Russia 5 t of 140 t."""
    assert rows(
        "select material, year, cr3_share, reason from dependency.production_concentration "
        "where (source, material, stage, year) in (('usgs_ds140', 'rare_earths', 'extraction', "
        "1970), ('usgs_mcs', 'germanium', 'processing', 2020)) order by all"
    ) == [
        ("germanium", 2020, None, "Only two producers are named beside a rest."),
        ("rare_earths", 1970, None, "Only one producer is named beside a rest."),
    ]


def test_a_measure_that_a_rounded_total_lifts_above_one_is_null_with_the_reason(rows: Rows) -> None:
    """MCS 2026, gallium 2025: China 900 t and others 9 t of a total rounded to 900 t."""
    assert rows(
        "select hhi, cr1_share, cr3_share, top_producer_iso3, reason "
        "from dependency.production_concentration "
        "where material = 'gallium' and stage = 'processing' and year = 2025 "
        "and source = 'usgs_mcs'"
    ) == [(None, 1.0, None, "CHN", "The producers add up to more than the rounded total.")]
    assert rows(
        "select count(*) from dependency.production_concentration "
        "where hhi > 1 or cr1_share > 1 or cr3_share > 1"
    ) == [(0,)]


def test_the_rare_earth_fund_since_mid_2025(rows: Rows) -> None:
    ((start, end, gain, fall, volatility),) = rows(
        "select window_start, window_end, return_share, max_drawdown_share, "
        "annualised_volatility from market.performance where instrument = 'REMX' "
        "and \"window\" = 'since_2025_06_30'"
    )
    assert (start, end) == (date(2025, 6, 30), date(2026, 8, 5))
    assert gain == pytest.approx(0.818, abs=5e-4)
    assert fall == pytest.approx(-0.410, abs=5e-4)
    assert volatility == pytest.approx(0.497, abs=5e-4)


@pytest.mark.parametrize(
    ("claim", "verdict", "low", "high"),
    [
        # Published variants of China's share in Japan's rare earths of 2024: 44.0 % of value,
        # 71.3 % of weight. 60 % without a year is 55 to 65 %: 58.0 % of weight in 2018 and 57.5 in
        # 2020, 67.6 in 2023; 42.0, 40.5 and 64.7 % of value. Some 70 % is 65 to 75 %.
        ("JP-2024-CHINA-OVER-60", "depends_on_basis", 0.440, 0.713),
        ("JP-2024-CHINA-60", "depends_on_basis", 0.405, 0.676),
        ("JP-2024-CHINA-60-70", "contradicted", 0.440, 0.713),
        ("JP-2024-CHINA-70", "depends_on_basis", 0.440, 0.713),
        # Of 31,097 t from China in 34,330 t.
        ("JP-2008-CHINA-90-OR-MORE", "supported", 0.906, 0.906),
        # 58.0 % of weight, 42.0 % of value; the text read names no basis. That the figures are
        # Japan's own decides nothing.
        ("JP-2018-CHINA-58", "depends_on_basis", 0.420, 0.580),
        ("JP-2018-VIETNAM-14", "depends_on_basis", 0.135, 0.289),
        ("JP-2018-FRANCE-11", "depends_on_basis", 0.058, 0.110),
        ("JP-2018-MALAYSIA-10", "depends_on_basis", 0.085, 0.098),
        ("JP-2009-CHINA-85", "depends_on_basis", 0.671, 0.855),
        ("JP-2009-CHINA-85-49", "supported", 0.8549, 0.8549),
        # Said in the Diet without a basis: 57.47 % of weight, 40.5 % of value.
        ("JP-2020-CHINA-58", "depends_on_basis", 0.405, 0.5747),
        ("JP-2014-CHINA-59-64", "supported", 0.5964, 0.5964),
        # USGS in January 2025: 270,000 of 390,000 t in 2024. A year later the total is 380,000 t.
        ("CN-SUPPLY-69", "supported", 0.692, 0.692),
        # The Commission's study of 2023: light 84.9 %, heavy 100 %.
        ("CN-REFINED-OVER-90", "depends_on_basis", 0.849, 1.0),
        # REMX, 111.144 on 2025-06-30 and 241.6 on 2026-02-06.
        ("REMX-RISEN-2025", "supported", 1.1738, 1.1738),
    ],
)
def test_what_the_figures_say_of_a_claim(
    rows: Rows, claim: str, verdict: str, low: float, high: float
) -> None:
    ((found, computed_low, computed_high),) = rows(
        "select verdict, computed_low, computed_high from catalog.claims where claim_id = ?", claim
    )
    assert found == verdict
    assert (computed_low, computed_high) == pytest.approx((low, high), abs=6e-4)


def test_what_is_said_of_a_moment_is_judged_then_and_apart_today(rows: Rows) -> None:
    explanations = dict(rows("select claim_id, explanation from catalog.claims"))
    # By the edition of January 2026, of today, 71.1 % of 2024 would not be about 69 %.
    assert explanations["CN-SUPPLY-69"] == (
        "When it was said, the figures agreed: rare earths (69.2 %; USGS 2024). "
        "Today the figures agree: rare earths (69.2 %; USGS 2025)."
    )
    assert explanations["REMX-RISEN-2025"] == (
        "When it was said, the figures agreed: REMX +117.4 % from 2025-06-30 to 2026-02-06. "
        "Today the figures agree: REMX +81.8 % from 2025-06-30 to 2026-08-05, "
        "with a largest fall of 41.0 % on the way."
    )
    # The study of 2023 prints averages of five years.
    assert explanations["CN-REFINED-OVER-90"] == (
        "When it was said, it depended on the basis: it held for heavy rare earths (100.0 %; EC "
        "2023, average of 2016 to 2020), it did not for light rare earths (84.9 %; EC 2023, "
        "average of 2016 to 2020). Today the figures are the same."
    )
    assert rows(
        "select distinct moment, period from catalog.claim_findings "
        "where claim_id = 'CN-REFINED-OVER-90' order by all"
    ) == [("now", "2016/2020"), ("then", "2016/2020")]
    assert rows(
        "select claim_id, moment, is_inside, period from catalog.claim_findings "
        "where claim_id in ('REMX-RISEN-2025', 'CN-SUPPLY-69') order by claim_id, moment"
    ) == [
        ("CN-SUPPLY-69", "now", True, "2025"),
        ("CN-SUPPLY-69", "then", True, "2024"),
        ("REMX-RISEN-2025", "now", True, "2025-06-30/2026-08-05"),
        ("REMX-RISEN-2025", "then", True, "2025-06-30/2026-02-06"),
    ]


def test_a_contradiction_says_how_far_off_it_is(rows: Rows) -> None:
    found = dict(
        rows("select claim_id, explanation from catalog.claims where verdict = 'contradicted'")
    )
    off = {claim: re.findall(r"nearest is (.*) points", text) for claim, text in found.items()}
    # 71.3 - 70.
    assert off == {"JP-2024-CHINA-60-70": ["1.3"]}


def test_60_percent_of_no_year_depends_on_the_year_and_names_each(rows: Rows) -> None:
    ((reading, explanation, claimed_at),) = rows(
        "select reading, explanation, claimed_at from catalog.claims "
        "where claim_id = 'JP-2024-CHINA-60'"
    )
    assert "The speaker named no year." in reading
    assert "compared with 2018 and 2020" in reading
    assert explanation == (
        "It depends on the basis and the year: it holds by 58.0 % of weight in 2018, 57.5 % of "
        "weight in 2020, 64.7 % of value in 2023, it does not by 67.6 % of weight in 2023, 42.0 % "
        "of value in 2018, 40.5 % of value in 2020 (UN Comtrade)."
    )
    assert claimed_at == date(2026, 1, 7)


@pytest.fixture(scope="module")
def entries() -> list[dict[str, Any]]:
    """The claims as their file has them, with a day as text."""
    text = (BUNDLED / "catalogue" / "claims.yaml").read_text("utf8")
    found: list[dict[str, Any]] = yaml.load(text, Loader=yaml.BaseLoader)["claims"]
    return found


def units_of(entry: dict[str, Any]) -> set[str]:
    """Units that a finding on a claim may have, from what its entry says."""
    test, measures = entry["test"], {"value_usd": "value", "net_weight_kg": "weight"}
    either = [measures[entry["basis"]]] if "basis" in entry else ["value", "weight"]
    if test == "supplier_share":
        return {f"share_of_{measure}" for measure in either}
    if test == "trade_change":
        return {f"change_of_{measure}" for measure in either}
    if test == "production_share":
        stage = entry["stage"]
        return {f"share_of_{stage if stage in ('reserves', 'capacity') else 'output'}"}
    return {
        "end_use_share": {"share_of_use"}, "abundance": {"times_as_abundant"},
        "price_return": {"return"}, "reported_flow": {"t"}, "none": set(),
    }[test]  # fmt: skip


def test_a_finding_is_in_the_unit_its_claim_speaks_of(
    rows: Rows, entries: list[dict[str, Any]]
) -> None:
    allowed = {entry["claim"]: units_of(entry) for entry in entries}
    found = rows("select distinct claim_id, unit from catalog.claim_findings")
    assert [(claim, unit) for claim, unit in found if unit not in allowed[claim]] == []
    assert {unit for _, unit in found} == {
        "share_of_value", "share_of_weight", "share_of_output", "share_of_capacity",
        "times_as_abundant", "return", "change_of_value", "change_of_weight", "t",
    }  # fmt: skip


def test_a_claim_without_a_day_has_none_and_is_known_from_when_it_was_noted(
    rows: Rows, entries: list[dict[str, Any]]
) -> None:
    undated = {entry["claim"]: entry["known"] for entry in entries if "claimed_on" not in entry}
    assert len(undated) == 12
    found = rows(
        "select claim_id, cast(known_at as varchar), citation from catalog.claims "
        "where claimed_at is null"
    )
    assert {claim: known for claim, known, _ in found} == undated
    for claim, known, citation in found:
        assert f"noted for this catalogue on {known}" in citation, claim
        assert "not known" in citation, claim


def test_what_a_share_of_imports_is_from_and_how_exact_is_reported(rows: Rows) -> None:
    explanations = dict(rows("select claim_id, explanation from catalog.claims"))
    assert explanations["JP-2011-CHINA-68-37"] == (
        "The figures agree: 68.33 % of weight (UN Comtrade, 2011). It is the same return: what UN "
        "Comtrade has is Japan's own figure, so that it can confirm the quotation and not the "
        "trade."
    )
    # Japan's own figure, and no basis named: said, and judged as any other.
    assert explanations["JP-2024-CHINA-70"] == (
        "It depends on the basis: it holds by 71.3 % of weight, it does not by 44.0 % of value "
        "(UN Comtrade, 2024). It is the same return: what UN Comtrade has is Japan's own figure, "
        "so that it can confirm the quotation and not the trade."
    )
    assert explanations["JP-2024-CHINA-OVER-60"] == (
        "It depends on the basis: it holds by 71.3 % of weight, it does not by 44.0 % of value "
        "(UN Comtrade, 2024)."
    )


def test_a_claim_that_names_no_basis_is_judged_by_both_whoever_said_it(rows: Rows) -> None:
    """Supported only where weight and value agree, whatever the source of the figures."""
    found = rows(
        "select claim_id, verdict, bool_and(is_inside), bool_or(is_inside) "
        "from catalog.claims inner join catalog.claim_findings using (claim_id) "
        "where claims.basis is null and unit in ('share_of_value', 'share_of_weight') "
        "and moment is distinct from 'now' group by all"
    )
    assert len(found) == 10
    for claim, verdict, every, some in found:
        expected = "supported" if every else "depends_on_basis" if some else "contradicted"
        assert verdict == expected, claim


def test_what_only_the_catalogue_could_decide_is_not_testable_and_points_to_it(rows: Rows) -> None:
    pointed = rows(
        "select claim_id, verdict, explanation, evidence_ids from catalog.claims "
        "where len(evidence_ids) > 0"
    )
    assert {"CN-JP-RESTRICTED-2025-2026", "CN-JP-DISPUTE", "CN-JP-FEW-PERMITS", "JP-SEABED-6000M",
            "JP-FULL-TRIAL-2027"} <= {claim for claim, *_ in pointed}  # fmt: skip
    known = {
        entry
        for (entry,) in rows(
            "select clause_id from exposure.measures union "
            "select milestone_id from exposure.milestones"
        )
    }
    for claim, verdict, explanation, entries in pointed:
        assert verdict == "not_testable", claim
        assert set(entries) <= known
        assert explanation.endswith(f" The catalogue has: {', '.join(entries)}."), claim


def test_what_no_figure_decides_reports_what_is_missing(rows: Rows) -> None:
    undecided = rows(
        "select claim_id, explanation, computed_low from catalog.claims "
        "where verdict = 'not_testable'"
    )
    assert {
        "JP-SEABED-COULD-RELIEVE", "JP-TDK-HIT", "USDJPY-REPERCUSSIONS",
        # Two sectors are not all imports; the uses at hand are of no industry that is named.
        "JP-CHINA-DEPENDENT-72", "RE-USED-BY-INDUSTRIES",
    } <= {claim for claim, _, _ in undecided}  # fmt: skip
    assert all(len(explanation) > 20 for _, explanation, _ in undecided)
    assert all(computed is None for _, _, computed in undecided)


def test_every_correction_of_the_registers_is_published_and_applied(rows: Rows) -> None:
    registered = {
        (one.correction, source) for source in all_sources() for one in corrections(source).values()
    }
    assert len(registered) >= 14
    found = rows("select correction_id, source, status, rows_changed from catalog.corrections")
    assert {(name, source) for name, source, _, _ in found} == registered
    assert len(found) == len(registered)
    assert all(status == "applied" and changed > 0 for _, _, status, changed in found)
    assert rows(
        "select wrong_value, right_value, rows_changed from catalog.corrections "
        "where table_name in ('trade_flows', 'price_quotes', 'restriction_scope') order by all"
    ) == [("3117326", "1558663", 195), ("49", "98", 1), ("49", "98", 1),
          ("8110929010", "8112929010", 1)]  # fmt: skip
    assert rows(
        "select status from catalog.checks where table_name = 'catalog.corrections' "
        "and check_name = 'every_correction_still_matches'"
    ) == [("passed",)]


def test_what_the_registers_correct_counts_in_the_marts(rows: Rows) -> None:
    """Half of 6,829,978 dollars; the sum of the economies; the reason beside the code."""
    assert rows(
        "select sum(value_usd) from trade.reported_flows where reporter_iso3 = 'CHN' "
        "and partner_iso3 = 'BEL' and commodity_code = '811292' and year(period_start) = 2024"
    ) == [(3_414_989,)]
    assert rows(
        "select distinct world_total_t from dependency.production_shares "
        "where material = 'manganese' and stage = 'reserves' and year = 2025"
    ) == [(1_800_000_000,)]
    assert rows(
        "select hs6_code, source_codes from exposure.measure_scope "
        "where correction_reason is not null"
    ) == [("811292", "8110929010 8112929090")]


def test_every_label_is_a_material_or_left_out_for_a_reason(rows: Rows) -> None:
    counted = dict(rows("select source, count(*) from reference.materials group by source"))
    assert set(counted) == {
        name for name, source in all_sources().items() if "material_labels" in source.CARD.tables
    }
    assert rows(
        "select count(*) from reference.materials where material is null or left_out = ''"
    ) == [(0,)]


def test_the_answers_of_every_importer_are_figures_of_the_marts(rows: Rows) -> None:
    """Every importer has the lines of the page; a share on it is the one of `supplier_shares`."""
    ((importers, dependents),) = rows(
        "select count(distinct importer_iso3), count(distinct importer_iso3) filter ("
        "importer_iso3 <> 'CHN') from dependency.import_concentration"
    )
    assert importers > 200
    assert rows(
        "select position, count(*) from catalog.answers group by position order by position"
    ) == [
        (position, dependents if position in (1, 2, 3, 4, 5, 10, 12) else importers)
        for position in range(1, 17)
    ] + [
        (17, 28),  # Japan and the European Union
        *((position, 1) for position in range(18, 23)),  # five events of Japan's
    ]
    differing = rows(
        "select answers.importer_iso3, answers.position from catalog.answers as answers "
        "left join dependency.supplier_shares as shares on "
        "answers.importer_iso3 = shares.importer_iso3 and shares.supplier_iso3 = 'CHN' "
        "and shares.frequency = 'A' and year(shares.period_start) = cast(answers.period as int) "
        "and shares.mineral_group = case position "
        "when 4 then 'permanent_magnets' else 'rare_earths' end "
        "and shares.measure = case position when 1 then 'net_weight_kg' else 'value_usd' end "
        "where position in (1, 2, 4) and answers.period is not null "
        "and coalesce(shares.share, 0) <> coalesce(answers.figure, 0)"
    )
    assert differing == []


def test_the_published_file_is_small(built: Any) -> None:
    """Builds of nearly the same code and figures had 138 to 158 MB."""
    assert (built / "kido.duckdb").stat().st_size < 170e6
