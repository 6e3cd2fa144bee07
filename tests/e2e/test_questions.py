"""The questions of README and docs/questions.md are answered by their SQL, as it is printed."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import pytest

from tests.conftest import CHECKOUT

Rows = Callable[..., list[tuple[Any, ...]]]

PAGES = (CHECKOUT / "README.md", CHECKOUT / "docs" / "questions.md")
QUESTION = re.compile(r"^\*\*(\d+)\. [^\n]+\?\*\*\n.*?^```sql\n(.*?)^```", re.MULTILINE | re.DOTALL)

ASKED: Mapping[int, str] = {
    int(number): sql for page in PAGES for number, sql in QUESTION.findall(page.read_text("utf8"))
}


@pytest.fixture
def answer(rows: Rows) -> Callable[[int], list[tuple[Any, ...]]]:
    return lambda number: rows(ASKED[number])


Answer = Callable[[int], list[tuple[Any, ...]]]


def test_there_are_eleven_in_the_readme_and_fourteen_more() -> None:
    assert list(ASKED) == list(range(1, 26))
    assert len(QUESTION.findall(PAGES[0].read_text("utf8"))) == 11


@pytest.mark.parametrize("number", range(1, 26))
def test_each_is_one_ordered_query_with_at_most_one_join(answer: Answer, number: int) -> None:
    sql = ASKED[number].lower()
    assert len(re.findall(r"\bjoin\b", sql)) <= 1
    assert sql.count("select") == 1
    assert re.search(r"\norder by [^\n]+\n$", sql)
    assert answer(number)


def test_what_hangs_on_one_supplier(answer: Answer) -> None:
    found = {(name, supplier): share for name, supplier, share, _ in answer(1)}
    # CEPII, BACI V202601, 2024.
    tungsten = ("Unwrought tungsten and sintered bars (HS 8101.94)", "China")
    assert found[tungsten] == pytest.approx(0.9963, abs=5e-5)
    graphite = ("Natural graphite in other shapes (HS 2504.90)", "China")
    assert found[graphite] == pytest.approx(0.9542, abs=5e-5)
    assert all(share > 0.7 for share in found.values())
    assert [share for *_, share, _ in answer(1)] == sorted(found.values(), reverse=True)


def test_chinas_share_after_2010_and_2018(answer: Answer) -> None:
    shares = {year: round(share, 3) for year, share, _ in answer(2)}
    # UN Comtrade, by weight, as the contract of the published figures states them.
    expected = {2010: 0.816, 2012: 0.579, 2018: 0.580, 2022: 0.663, 2023: 0.676, 2024: 0.713}
    assert {year: shares[year] for year in expected} == expected


def test_what_binds_today(answer: Answer) -> None:
    codes = {clause: found for clause, _, _, found in answer(3)}
    assert {"CN-2025-18", "CN-2026-1"} <= set(codes)
    assert "CN-2025-57" not in codes  # suspended, then of unknown state
    assert set(codes["CN-2023-39"]) >= {"250410", "380110"}


def test_who_else_supplies_what_holds_dysprosium(answer: Answer) -> None:
    found = [(code, supplier, round(share, 4)) for code, _, _, supplier, share in answer(4)]
    assert found[6:] == [
        ("850511", "Philippines", 0.3238), ("850511", "Viet Nam", 0.2791),
        ("850511", "China", 0.2758),
    ]  # fmt: skip
    assert {code for code, *_ in found} == {"280530", "284690", "850511"}


def test_how_the_fund_and_tdk_moved(answer: Answer) -> None:
    (tdk, tdk_change, tdk_day), (remx, remx_change, remx_day) = answer(5)
    assert (tdk, remx, tdk_day, remx_day) == ("6762.T", "REMX", *[date(2026, 1, 30)] * 2)
    # Closes of 2026-01-30 over the last of 2025, in Tokyo of 30 and in New York of 31 December.
    assert tdk_change == pytest.approx(476.97 / 532.348 - 1, abs=1e-4)
    assert remx_change == pytest.approx(238.811 / 206.154 - 1, abs=1e-4)


def test_graphite_for_japan_around_its_licensing(answer: Answer) -> None:
    # UN Comtrade, China's exports: 8,517 t in the month before, 20 t in the month after.
    tonnes = {f"{month:%Y-%m}": round(amount) for month, amount, _ in answer(6)}
    assert tonnes["2023-11"] == 8517
    assert tonnes["2023-12"] == 20
    assert list(tonnes) == sorted(tonnes)


def test_japan_beside_three_others(answer: Answer) -> None:
    found = {name: round(share, 3) for name, share, *_ in answer(7)}
    assert list(found) == ["United States", "South Korea", "Japan", "Germany"]
    assert found["Japan"] == 0.440
    assert found["Germany"] == 0.278


def test_what_makers_of_cars_need(answer: Answer) -> None:
    # European Commission 2023, annex of uses: palladium 88 % and platinum 67 % in autocatalysts.
    assert answer(8)[:2] == [
        ("Palladium", "パラジウム", 0.88, "Autocatalysts"),
        ("Platinum", "白金", 0.67, "Autocatalysts"),
    ]


def test_who_refines_and_how_well_it_is_governed(answer: Answer) -> None:
    found = {
        (material, economy, source): (share, score)
        for material, economy, share, score, _, _, source in answer(9)
    }
    assert found["Dysprosium", "China", "ec_crm"][0] == 1
    assert found["Neodymium", "China", "ec_crm"][0] == 0.849
    assert found["Neodymium", "Malaysia", "ec_crm"][0] == 0.105
    # World Bank, 2021: the mean of the six indicators of China is -0.25.
    assert found["Gallium", "China", "usgs_mcs"][1] == pytest.approx((2.5 + 0.25) * 2, abs=0.01)


def test_what_was_claimed_and_what_holds(answer: Answer) -> None:
    verdicts = [verdict for verdict, *_ in answer(10)]
    assert {verdict: verdicts.count(verdict) for verdict in verdicts} == {
        "contradicted": 1, "depends_on_basis": 10, "supported": 10,
    }  # fmt: skip


def test_gallium_and_germanium_lie_in_one_code_with_more(answer: Answer) -> None:
    found = {f"{month:%Y-%m}": (tonnes, decidable) for month, tonnes, _, decidable in answer(12)}
    assert {month: round(found[month][0]) for month in ("2023-08", "2023-11")} == {
        "2023-08": 84, "2023-11": 360,
    }  # fmt: skip
    assert not any(decidable for _, decidable in found.values())


def test_lithium_cobalt_and_nickel(answer: Answer) -> None:
    found = {(mineral, group): supplier for mineral, group, supplier, *_ in answer(13)}
    assert found["Lithium", "Lithium oxide and hydroxide (HS 2825.20)"] == "China"
    assert found["Lithium", "Lithium carbonate (HS 2836.91)"] == "Chile"
    assert found["Nickel", "Nickel ore and concentrate (HS 2604.00)"] == "New Caledonia"
    assert {mineral for mineral, _ in found} == {"Cobalt", "Lithium", "Nickel"}


def test_magnets_over_time_say_where_they_are_of_cut_lists(answer: Answer) -> None:
    found = {month.year: (share, usd, source) for month, share, usd, source in answer(14)}
    assert found[2024] == (pytest.approx(0.2758, abs=5e-5), pytest.approx(156.88, abs=0.01), "baci")
    assert {source for year, (*_, source) in found.items() if year < 2024} == {"baci_top_flows"}
    # The largest flows of 2023 by hand: 192,399,160 of 740,778,531 dollars.
    assert found[2023][:2] == (pytest.approx(0.2597, abs=5e-5), pytest.approx(192.40, abs=0.01))
    assert 2022 not in found


def test_the_october_package_on_a_day(answer: Answer) -> None:
    status = {clause: state for clause, _, state, *_ in answer(15)}
    assert len(status) == 7
    assert status["CN-2025-57"] == status["CN-2025-56"] == "announced"


def test_what_a_number_is_made_of(answer: Answer) -> None:
    [(share, source, document, *_)] = answer(16)
    assert share == pytest.approx(15_981_526 / 22_405_704.018)
    assert (source, document) == ("comtrade_baskets", "rare_earths.csv")


def test_chinas_share_of_2023_is_smaller_where_both_sides_are_reconciled(
    answer: Answer, rows: Rows
) -> None:
    """BACI, HS 1992, by hand from CEPII's rows: 13,064 of 26,263 t, 412.8 of 816.4 million USD."""
    found = {name: figures for name, *figures in answer(17)}
    assert found["China"] == pytest.approx([13_064.334, 412.849735, 0.4974, 0.5057], abs=5e-5)
    assert round(sum(tonnes or 0 for tonnes, *_ in found.values())) == 26_263
    assert [round(found[name][0]) for name in ("Malaysia", "India")] == [3_502, 3_422]
    declared = dict(
        rows(
            "select supplier_iso3, amount / 1000 from dependency.supplier_shares "
            "where importer_iso3 = 'JPN' and mineral_group = 'rare_earths' and frequency = 'A' "
            "and period_start = '2023-01-01' and measure = 'net_weight_kg'"
        )
    )
    assert round(sum(declared.values())) == 19_305
    assert (round(declared["CHN"]), round(declared["_X"])) == (13_058, 4_283)


def test_what_would_relieve_japan(answer: Answer) -> None:
    found = {(project, scenario, year): figures for project, scenario, year, *figures in answer(11)}
    _, low, high, *shares, _ = found["MINAMITORISHIMA", "trial", 2027]
    assert (low, high) == (pytest.approx(126), pytest.approx(453.6))
    assert shares == [pytest.approx(0.0067, abs=5e-5), pytest.approx(0.0241, abs=5e-5)]
    assert found["MINAMITORISHIMA", "commercial", 2035][1:3] == pytest.approx([1260, 4536])
    assert found["CAREMAG_LACQ_HEAVY", "as_announced", 2032][1:3] == [295, 300]


def test_the_riskiest_materials_of_japan(answer: Answer) -> None:
    name, risk, low, high, supplier, share, *_ = answer(18)[0]
    assert (name, supplier) == ("Niobium", "Brazil")
    assert low < risk < high
    assert risk == pytest.approx(4.34, abs=5e-3)
    # CEPII, BACI V202601, 2024: 5,804.6 of 5,934.9 t of ferro-niobium.
    assert share == pytest.approx(0.978, abs=5e-4)


def test_magnets_of_japan_from_china_hubs_included(answer: Answer, rows: Rows) -> None:
    first = next(row for row in answer(19) if row[:2] == ("China", 1))
    assert first[2:5] == pytest.approx((0.276, 0.270, 0.618), abs=5e-4)
    # CEPII, BACI V202601, 2024: what Japan has from Viet Nam, and what that has from China.
    [(sold, bought)] = rows(
        "select sum(value_usd) filter (importer_iso3 = 'JPN' and exporter_iso3 = 'VNM') "
        "/ sum(value_usd) filter (importer_iso3 = 'JPN'), "
        "sum(value_usd) filter (importer_iso3 = 'VNM' and exporter_iso3 = 'CHN') "
        "/ sum(value_usd) filter (importer_iso3 = 'VNM') "
        "from trade.baci_flows where hs6_code = '850511' and year = 2024"
    )
    assert first[5:] == ("Viet Nam", pytest.approx(sold * bought))


def test_what_is_announced_outside_china_by_2028(answer: Answer) -> None:
    listed = {tuple(key): (low, high) for *key, low, high, _ in answer(20)}
    assert listed["separation", "dy_tb_oxide", "capacity"] == (790, 800)
    assert listed["separation", "ndpr_oxide", "capacity"] == (1_650, 1_800)
    assert listed["separation", "ndpr_oxide", "contract"] == (7_200, 9_600)
    assert listed["separation", "rare_earth_oxides", "capacity"] == (20_500, 20_500)
    assert listed["magnet", "magnets", "capacity"] == (21_400, 21_400)
    assert listed["metal", "metal", "capacity"] == (None, None)


def test_what_china_would_leave_uncovered(answer: Answer) -> None:
    found = {
        (group, measure, metric): (baseline, scenario)
        for group, measure, _, metric, baseline, scenario, _ in answer(21)
    }
    baseline, uncovered = found["rare_earths", "net_weight_kg", "uncovered_t"]
    assert (baseline, uncovered) == (0, pytest.approx(15_981.526))
    # China's 186.3 of the 250.7 million that restrictions may hit; the rest is Malaysia's.
    hit, left = found["rare_earths", "value_usd", "exposed_value_high_usd"]
    assert hit - left == pytest.approx(186_336_335)


def test_who_else_exports_magnesium(answer: Answer) -> None:
    found = {supplier: (rank, world, own) for rank, supplier, world, own, *_ in answer(22)}
    rank, world, own = found["China"]
    assert rank == 1
    assert world > 0.5
    assert own == pytest.approx(0.9801, abs=5e-5)
    assert [rank for rank, *_ in found.values()] == sorted(rank for rank, *_ in found.values())


def test_the_mean_grade_of_the_mud(answer: Answer) -> None:
    grades = [row for row in answer(23) if row[2] == "grade_mean"]
    assert [(deposit, amount, unit) for deposit, _, _, _, amount, unit, *_ in grades] == [
        ("MINAMITORISHIMA", 964, "ppm")
    ]


def test_who_lists_dysprosium(answer: Answer) -> None:
    found = [
        (day.isoformat(), economy, class_, printed)
        for day, economy, _, class_, printed, *_ in answer(24)
    ]
    assert found[0] == ("2016-11-29", "China", "strategic", "Rare earths")
    assert found[-1] == ("2026-02-05", "South Korea", "critical", "희토류 17종")
    assert ("2022-02-24", "United States", "critical", "Dysprosium") in found
    # Of the Union two lists: one of heavy rare earths, one of those that magnets need.
    of_the_union = {row[2:] for row in found if row[1] == "European Union (27 members)"}
    assert of_the_union == {
        ("critical", "heavy rare earth elements"),
        (
            "strategic",
            "rare earth elements for permanent magnets (Nd, Pr, Tb, Dy, Gd, Sm, and Ce)",
        ),
    }  # fmt: skip
    assert len(found) == 16


def test_what_changes_next(answer: Answer) -> None:
    # 90 days from 2026-11-25, from the texts of the acts and of the statements.
    found = {(str(day), kind, subject) for day, kind, subject, *_ in answer(25)}
    assert {
        ("2026-11-28", "suspension_ends", "CN-2024-46-2"),
        ("2027-01-10", "arrangement_ends", "CN-2026-09-KL-EXTENSION"),
        ("2027-02-01", "planned", "JP-2027-02-FULL"),
    } <= found
    days = [str(day) for day, *_ in answer(25)]
    assert days == sorted(days)
    assert days[-1] <= "2027-02-23"
