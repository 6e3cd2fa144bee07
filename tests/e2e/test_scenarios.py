"""What if: the scenarios of every build worked out by hand, and those that a person lands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.e2e.conftest import run_kido
from tests.e2e.work import CHINA_2024, HALF, HEAD, LANDED, Work

Rows = Callable[..., list[tuple[Any, ...]]]

ALL_2024 = 22_405.704018
"""Tonnes of rare earths that Japan imported in 2024, by UN Comtrade."""


def results(rows: Rows, scenario: str, group: str, year: int) -> Mapping[str, tuple[float, ...]]:
    """Baseline, scenario and scenario at the most supply, by weight, by metric."""
    return {
        metric: values
        for metric, *values in rows(
            "select metric, baseline_value, scenario_value, value_at_high_supply "
            "from dependency.scenario_results where scenario = ? and mineral_group = ? "
            "and year = ? and measure = 'net_weight_kg'",
            scenario, group, year,
        )
    }  # fmt: skip


def test_china_stops_all_exports_to_japan(rows: Rows) -> None:
    """From January 2027 all of China's tonnes of 2024 are lost and nothing takes their place.
    What remains is Viet Nam's, and what no partner is published of."""
    by_metric = results(rows, "china_stops_to_japan", "rare_earths", 2027)
    remaining = ALL_2024 - CHINA_2024  # 6,424 t
    assert by_metric["lost_t"] == [0, pytest.approx(CHINA_2024), pytest.approx(CHINA_2024)]
    assert by_metric["uncovered_t"][1] == pytest.approx(CHINA_2024), "nothing is added"
    assert by_metric["uncovered_share"][1] == pytest.approx(0.7133, abs=1e-4)
    assert by_metric["total_t"][:2] == [pytest.approx(ALL_2024), pytest.approx(remaining)]
    assert by_metric["supplier_share_CHN"][:2] == [pytest.approx(CHINA_2024 / ALL_2024), 0]
    viet_nam = rows(
        "select amount / 1000 from dependency.supplier_shares where importer_iso3 = 'JPN' "
        "and supplier_iso3 = 'VNM' and mineral_group = 'rare_earths' and frequency = 'A' "
        "and period_start = '2024-01-01' and measure = 'net_weight_kg'"
    )[0][0]
    share = viet_nam / remaining
    assert by_metric["supplier_share_VNM"][1] == pytest.approx(share)
    assert by_metric["supplier_share__X"][1] == pytest.approx(1 - share)
    # More than half of what remains is not published: nobody knows how concentrated it is.
    assert share < 0.5
    assert by_metric["hhi"][1:] == by_metric["top_supplier_share"][1:] == [None, None]
    assert by_metric["top_supplier_share"][0] == pytest.approx(CHINA_2024 / ALL_2024)


def test_what_china_stops_is_no_longer_exposed(rows: Rows) -> None:
    """By value 44.0 % of USD 442.7 m are lost. What China's restrictions hit is gone with it; what
    Malaysia restricts stays."""
    by_metric = {
        metric: (baseline, scenario)
        for metric, baseline, scenario in rows(
            "select metric, baseline_value, scenario_value from dependency.scenario_results "
            "where scenario = 'china_stops_to_japan' and mineral_group = 'rare_earths' "
            "and year = 2028 and measure = 'value_usd'"
        )
    }
    assert by_metric["total_usd"][0] == pytest.approx(442_677_785, abs=1)
    assert by_metric["uncovered_share"] == (0, pytest.approx(0.4398, abs=1e-4))
    # Two thirds of what remains are Viet Nam's: the index is the square of its share.
    viet_nam = by_metric["supplier_share_VNM"][1]
    assert viet_nam == pytest.approx(by_metric["supplier_share_VNM"][0] / (1 - 0.4398), rel=1e-3)
    assert by_metric["top_supplier_share"][1] == pytest.approx(viet_nam)
    assert by_metric["hhi"][1] == pytest.approx(viet_nam**2)
    assert by_metric["exposed_value_low_usd"] == (0, 0)
    ((together,),) = rows(
        "select sum(exposed_value_high_usd) from exposure.joint_exposure "
        "where importer_iso3 = 'JPN' and commodity_code in ('280530', '284610', '284690') "
        "and valid_from <= '2028-01-01' and valid_to is null"
    )
    # CEPII, BACI V202601, 2024: metals and compounds from China, all of which may be controlled.
    ((of_china,),) = rows(
        "select sum(value_usd) from trade.baci_flows where year = 2024 "
        "and (exporter_iso3, importer_iso3) = ('CHN', 'JPN') and hs6_code in ('280530', '284690')"
    )
    assert of_china == 186_336_335
    assert by_metric["exposed_value_high_usd"] == (
        pytest.approx(together), pytest.approx(together - of_china),
    )  # fmt: skip


def test_magnets_lose_the_third_that_comes_from_china(rows: Rows) -> None:
    by_metric = results(rows, "china_stops_to_japan", "permanent_magnets", 2027)
    ((china, everyone),) = rows(
        "select sum(net_weight_kg) filter (where exporter_iso3 = 'CHN') / 1000, "
        "sum(net_weight_kg) / 1000 from trade.baci_flows where importer_iso3 = 'JPN' "
        "and hs6_code = '850511' and year = 2024 and hs_revision = 'HS2017'"
    )
    assert by_metric["uncovered_t"][1] == pytest.approx(china, rel=1e-6)
    assert by_metric["uncovered_share"][1] == pytest.approx(china / everyone, rel=1e-6)


def test_a_commercial_mine_lowers_chinas_share_by_less_than_a_fifth(rows: Rows) -> None:
    """2035: 1,260 to 4,536 t from Japan itself join the 22,406 t that are imported."""
    by_metric = results(rows, "minamitorishima_commercial", "rare_earths", 2035)
    assert by_metric["added_t"] == [0, pytest.approx(1260), pytest.approx(4536)]
    assert by_metric["uncovered_t"] == [0, 0, 0], "nothing is lost"
    assert by_metric["supplier_share_CHN"] == [
        pytest.approx(CHINA_2024 / ALL_2024),  # 71.3 %
        pytest.approx(CHINA_2024 / (ALL_2024 + 1260)),  # 67.5 %
        pytest.approx(CHINA_2024 / (ALL_2024 + 4536)),  # 59.3 %
    ]
    assert by_metric["supplier_share_JPN"][1] == pytest.approx(1260 / (ALL_2024 + 1260))
    # Before the delay is over, the least is nothing.
    assert results(rows, "minamitorishima_commercial", "rare_earths", 2030)["added_t"] == [
        0, 0, pytest.approx(1134),
    ]  # fmt: skip


def test_allied_plants_add_one_per_cent_by_weight(rows: Rows) -> None:
    """2032: half of Lacq, 295 to 300 t of dysprosium and terbium oxide."""
    by_metric = results(rows, "allied_separation", "rare_earths", 2032)
    assert by_metric["total_t"] == [
        pytest.approx(ALL_2024), pytest.approx(ALL_2024 + 295), pytest.approx(ALL_2024 + 300),
    ]  # fmt: skip
    assert by_metric["supplier_share_CHN"][1] == pytest.approx(CHINA_2024 / (ALL_2024 + 295))
    # What France delivers already is among the suppliers that are not published.
    assert by_metric["supplier_share_FRA"] == [None, None, None]
    ((france,),) = rows(
        "select sum(net_weight_kg) / 1000 from trade.baci_flows where importer_iso3 = 'JPN' "
        "and exporter_iso3 = 'FRA' and hs6_code in ('280530', '284610', '284690') and year = 2024"
    )
    assert france > 1_800


def test_by_value_an_addition_has_no_shares(rows: Rows) -> None:
    assert rows(
        "select distinct metric from dependency.scenario_results where measure = 'value_usd' "
        "and scenario in ('minamitorishima_commercial', 'allied_separation') order by metric"
    ) == [("exposed_value_high_usd",), ("exposed_value_low_usd",)]


@pytest.fixture(scope="module")
def landed(work: Work) -> Rows:
    connection = duckdb.connect(str(work.home / "kido.duckdb"), read_only=True)

    def ask(sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        rows: list[tuple[Any, ...]] = connection.execute(sql, list(parameters)).fetchall()
        return rows

    return ask


@pytest.mark.parametrize("scenario", ["nothing", "there_and_back"])
def test_a_scenario_that_changes_nothing_changes_nothing(landed: Rows, scenario: str) -> None:
    changed = landed(
        "select count(*), count(*) filter (where abs(change) > 1e-9), "
        "count(*) filter (where baseline_value is null) "
        "from dependency.scenario_results where scenario = ?",
        scenario,
    )
    assert changed == [(changed[0][0], 0, 0)]
    assert changed[0][0] > 20


def test_what_is_lost_and_added_by_one_supplier_cancels(landed: Rows) -> None:
    by_metric = results(landed, "lost_and_added", "rare_earths", 2031)
    assert by_metric["lost_t"][1] == pytest.approx(HALF)
    assert by_metric["added_t"][1] == pytest.approx(HALF)
    for metric in ("uncovered_t", "hhi", "total_t", "supplier_share_CHN", "supplier_share_VNM"):
        baseline, scenario, _ = by_metric[metric]
        assert scenario == pytest.approx(baseline, abs=1e-6), metric


def test_the_order_of_the_changes_is_none(landed: Rows) -> None:
    columns = "importer_iso3, mineral_group, measure, year, metric, baseline_value, " \
        "scenario_value, value_at_high_supply, assumptions"  # fmt: skip
    in_order, out_of_order = (
        landed(
            f"select {columns} from dependency.scenario_results where scenario = ? order by all",
            scenario,
        )
        for scenario in ("in_order", "out_of_order")
    )
    assert len(in_order) > 20
    assert in_order == out_of_order


def test_a_cut_from_july_on_is_half_of_it_in_its_year(landed: Rows) -> None:
    """2031: a quarter of China for nine months and half of it for six more, 0.4375 of a year."""
    by_metric = results(landed, "in_order", "rare_earths", 2031)
    assert by_metric["lost_t"][1] == pytest.approx(CHINA_2024 * (0.25 * 9 + 0.5 * 6) / 12)
    assert by_metric["added_t"] == [0, pytest.approx(450), pytest.approx(600)]
    assert by_metric["uncovered_t"][1] == pytest.approx(CHINA_2024 * 0.4375 - 450)
    # A tenth of all supply moves to Australia: for three months of what is left of China with three
    # quarters of it, for six with the quarter that is still more than a tenth.
    moved = 0.1 * ALL_2024 * 9 / 12
    assert by_metric["supplier_share_CHN"][1] == pytest.approx(
        (CHINA_2024 * (1 - 0.4375) - moved) / by_metric["total_t"][1]
    )
    assert by_metric["supplier_share_AUS"] == [None, None, None], "it may deliver already"
    # A year later all of it: what is left of China's quarter is more than what moves.
    later = results(landed, "in_order", "rare_earths", 2032)
    assert later["lost_t"][1] == pytest.approx(CHINA_2024 * 0.75)
    assert later["supplier_share_CHN"][1] == pytest.approx(
        (CHINA_2024 * 0.25 - 0.1 * ALL_2024) / later["total_t"][1]
    )


def test_clauses_that_are_lifted_in_june_hit_181_days_of_the_year(landed: Rows) -> None:
    """China's two; what Malaysia restricts stays, of the same year: all of its compounds."""
    ((malaysia,),) = landed(
        "select sum(value_usd) from trade.baci_flows where year = 2024 "
        "and (exporter_iso3, importer_iso3, hs6_code) = ('MYS', 'JPN', '284690')"
    )
    by_year = {
        year: (baseline, scenario)
        for year, baseline, scenario in landed(
            "select year, baseline_value, scenario_value from dependency.scenario_results "
            "where scenario = 'lifted' and metric = 'exposed_value_high_usd' order by year"
        )
    }
    assert list(by_year) == [2031, 2032]
    together = by_year[2032][0]
    assert by_year[2032][1] == pytest.approx(malaysia)
    assert by_year[2031] == (
        pytest.approx(together), pytest.approx((together * 181 + malaysia * 184) / 365),
    )  # fmt: skip


def test_an_extended_clause_hits_from_today_until_its_day(landed: Rows) -> None:
    """The quotas of 2010 hit all of China's cerium compounds, and ended with 2014: in the baseline
    nothing hits them, and in the scenario all of them, 181 days of the last year."""
    ((cerium,),) = landed(
        "select exposed_value_high_usd from exposure.importer_exposure "
        "where clause_id = 'CN-2010-07-QUOTA' and importer_iso3 = 'JPN' "
        "and commodity_code = '284610'"
    )
    ((today,),) = landed("select max(as_of) from catalog.releases")
    by_year = {
        year: (baseline, scenario)
        for year, baseline, scenario in landed(
            "select year, baseline_value, scenario_value from dependency.scenario_results "
            "where scenario = 'extended' and metric = 'exposed_value_low_usd'"
        )
    }
    assert sorted(by_year) == list(range(today.year, 2033))
    assert {baseline for baseline, _ in by_year.values()} == {0}
    assert by_year[today.year + 1][1] == pytest.approx(cerium)
    assert by_year[2031][1] == pytest.approx(cerium * 181 / 365)
    assert by_year[2032][1] == 0
    first_of_next = date(today.year + 1, 1, 1)
    days = (first_of_next - date(today.year, 1, 1)).days
    assert by_year[today.year][1] == pytest.approx(cerium * (first_of_next - today).days / days)


def test_shifts_take_no_more_than_is_there(landed: Rows) -> None:
    """45 and 50 % of all supply are wanted, and China has 71.3 %: each gets its part of that."""
    by_metric = results(landed, "two_shifts", "rare_earths", 2031)
    china = CHINA_2024 / ALL_2024
    viet_nam = by_metric["supplier_share_VNM"][0]
    assert by_metric["supplier_share_CHN"][1] == pytest.approx(0, abs=1e-12)
    assert by_metric["supplier_share_CHN"][1] >= 0
    assert by_metric["supplier_share_VNM"][1] == pytest.approx(viet_nam + china * 0.45 / 0.95)
    assert by_metric["total_t"][1] == pytest.approx(ALL_2024)


def test_a_plant_goes_on_while_a_mine_ramps_up_and_a_trial_ends(landed: Rows) -> None:
    """Lacq has all of its 295 to 300 t in 2032, the mine its 1,260 to 4,536 t in 2035."""
    added = {
        year: results(landed, "plant_and_mine", "rare_earths", year)["added_t"][1:]
        for year in (2027, 2028, 2032, 2035)
    }
    assert added[2027] == [pytest.approx(126), pytest.approx(75 + 453.6)]
    assert added[2028] == [0, pytest.approx(150)]
    assert added[2032] == [pytest.approx(295 + 1260 / 4), pytest.approx(300 + 4536 * 3 / 4)]
    assert added[2035] == [pytest.approx(295 + 1260), pytest.approx(300 + 4536)]


def test_every_row_names_the_file_of_its_scenario(rows: Rows, landed: Rows) -> None:
    for ask in (rows, landed):
        assert ask(
            "select scenario, metric from dependency.scenario_results as results "
            "where not exists (select 1 from catalog.snapshots where source = 'scenarios' "
            "and document = results.scenario || '.yaml' "
            "and list_contains(results.snapshot_ids, snapshot_id))"
        ) == []  # fmt: skip


def test_the_file_is_a_snapshot_and_the_result_is_printed(work: Work, landed: Rows) -> None:
    assert {name for (name,) in landed(
        "select replace(document, '.yaml', '') from catalog.snapshots where source = 'scenarios'"
    )} >= set(LANDED)  # fmt: skip
    assert "Then: kido build." in work.printed["scenario nothing"].stdout
    printed = work.printed["scenario"].stdout
    for word in ("exposed_value_high_usd", "2031", "hhi"):
        assert word in printed


def test_an_impossible_scenario_is_refused_with_its_line(work: Work, tmp_path: Path) -> None:
    for change, sentence in {
        "  - {cut: CHN, share: 1.5, from: 2031-01}\n": "line 6: change 1: `share` is 1.5",
        "  - {cut: XYZ, from: 2031-01}\n": "line 6: change 1: `cut` is 'XYZ'",
        "  - {cut: CHN, from: 2024-01}\n": "line 6: change 1:",
        "  - {lift: CN-1999-1, on: 2031-01-31}\n": "line 6: change 1:",
        "  - {add: JPN, project: NOWHERE, relief: trial}\n": "line 6: change 1:",
    }.items():
        file = tmp_path / "impossible.yaml"
        file.write_text(f"scenario: impossible\ntitle: impossible\n{HEAD}{change}")
        result = run_kido(work.home, "scenario", str(file))
        assert result.returncode != 0, change
        assert sentence in result.stderr.replace("\n", " "), result.stderr
    assert "impossible" not in run_kido(work.home, "landed", "scenarios").stdout
