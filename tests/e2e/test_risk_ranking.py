"""Which materials are riskiest for an economy: ranked by what is known for sure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import pytest

Rows = Callable[..., list[tuple[Any, ...]]]


def test_the_riskiest_materials_of_japan_that_it_imports(rows: Rows) -> None:
    """Niobium of Brazil, graphite of China, phosphorus of Viet Nam: points within their bounds."""
    riskiest = rows(
        "select material, supply_risk, supply_risk_low, supply_risk_high "
        "from dependency.risk_ranking where importer_iso3 = 'JPN' and is_critical and is_first "
        "and supply_used = 'global_and_consumer' order by rank_low limit 3"
    )
    assert [name for name, *_ in riskiest] == ["niobium", "natural_graphite", "phosphorus"]
    assert [round(risk, 2) for _, risk, *_ in riskiest] == [4.34, 4.32, 4.05]
    assert all(low < risk < high for _, risk, low, high in riskiest)


def test_what_has_no_point_is_ranked_by_its_lower_bound(rows: Rows) -> None:
    """Of Japan's tungsten and borate the production is not known."""
    found = {
        material: (point, low, high, rank, outranking)
        for material, point, low, high, rank, outranking in rows(
            "select material, supply_risk, supply_risk_low, supply_risk_high, rank_low, "
            "may_outrank from dependency.risk_ranking where importer_iso3 = 'JPN' and is_first"
        )
    }
    point, low, high, rank, _ = found["borate"]
    assert (point, round(low, 2), round(high, 2)) == (None, 3.57, 6.20)
    above = {name for name, row in found.items() if row[3] is not None and row[3] < rank}
    assert rank == len(above) + 1
    assert {"niobium", "natural_graphite", "phosphorus"} <= above
    # It may be above all that are ranked before it, but for what is above 6.20 for sure.
    assert all(("borate" in found[name][4]) == (found[name][1] < high) for name in above)
    point, low, high, rank, _ = found["tungsten"]
    assert point is None
    assert low < 1 < high
    assert rank is not None


def test_every_material_of_an_importer_is_ranked_or_has_no_bound(rows: Rows) -> None:
    wrong = rows(
        "select importer_iso3, material from dependency.risk_ranking "
        "where is_first and (rank_low is null) <> (supply_risk_low is null) "
        "or not is_first and rank_low is not null"
    )
    assert wrong == []


@pytest.mark.parametrize("importer", ["JPN", "DEU", "CHL", "EU27"])
def test_what_may_outrank_is_told_by_the_intervals(rows: Rows, importer: str) -> None:
    ranked = rows(
        "select material, rank_low, supply_risk_low, supply_risk_high, may_outrank "
        "from dependency.risk_ranking where importer_iso3 = ? and rank_low is not null",
        importer,
    )
    assert len(ranked) > 60
    for material, rank, low, _, may_outrank in ranked:
        expected = {
            name for name, other, _, high, _ in ranked
            if name != material and other >= rank and high > low
        }  # fmt: skip
        assert set(may_outrank) == expected
        assert rank == 1 + sum(other > low for _, _, other, _, _ in ranked)


def test_japans_antimony_is_that_of_its_metal_under_three_chinese_clauses(rows: Rows) -> None:
    """By the trade: USD 89 m of metal, and 9 t of ore from Austria."""
    bought: dict[str, float] = defaultdict(float)
    for code, value in rows(
        "select hs6_code, value_usd from trade.baci_flows where importer_iso3 = 'JPN' "
        "and year = 2024 and hs6_code in ('261710', '811010')"
    ):
        bought[code] += value
    found = {
        stage: (is_first, traded, clauses, by)
        for stage, is_first, traded, clauses, by in rows(
            "select stage, is_first, stage_trade_usd, clauses_that_hit, restricted_by "
            "from dependency.risk_ranking where importer_iso3 = 'JPN' and material = 'antimony'"
        )
    }
    assert bought["811010"] > 80e6 > 1e6 > bought["261710"]
    is_first, traded, clauses, by = found["processing"]
    assert is_first
    assert traded == pytest.approx(bought["811010"])
    assert len(clauses) == 3
    assert by == ["CHN"]
    assert all(clause.startswith("CN-") for clause in clauses)
    assert found["extraction"][:2] == (False, pytest.approx(bought["261710"]))


def test_who_relies_on_nobody_has_no_supplier_to_fear(rows: Rows) -> None:
    """China sells more silicon than it buys, and the French part of its imports says nothing."""
    [row] = rows(
        "select top_supplier_iso3, top_supplier_share, is_critical, reason "
        "from dependency.risk_ranking where importer_iso3 = 'CHN' and material = 'silicon_metal'"
    )
    assert row == (None, None, None, "no_reliance")
    ((wrong,),) = rows(
        "select count(*) from dependency.risk_ranking where reason = 'no_reliance' "
        "and (top_supplier_iso3 is not null or is_critical is not null)"
    )
    assert wrong == 0


def test_clauses_that_hit_are_not_known_where_imports_are_not(rows: Rows) -> None:
    ((silent, of_other_years, beside, outside),) = rows(
        "select count(*) filter (where (clauses_that_hit is null) "
        "<> (restricted_share_low is null)), "
        "count(*) filter (where clauses_that_hit is not null and year < newest), "
        "count(*) filter (where clauses_on_codes is not null and clauses_that_hit is null), "
        "count(*) filter (where not list_has_all(clauses_on_codes, clauses_that_hit)) "
        "from (select *, max(year) over (partition by importer_iso3) as newest "
        "from dependency.risk_ranking)"
    )
    assert (silent, of_other_years, outside) == (0, 0, 0)
    assert beside > 100


def test_the_benchmark_of_the_act_is_of_the_unions_consumption(rows: Rows) -> None:
    """More than 65 % from one third country. Of magnesium (810411) the Union makes nothing (USGS,
    metal of 2024), so that it is the share of CEPII's flows from outside; of lithium it may make
    some, so that there are bounds; of one rare earth in a code of all, nothing.
    """
    flows = rows(
        "select flows.exporter_iso3, sum(flows.net_weight_kg) from trade.baci_flows as flows "
        "inner join reference.economies as importers "
        "on flows.importer_iso3 = importers.economy_iso3 and importers.is_eu27 "
        "inner join reference.economies as exporters "
        "on flows.exporter_iso3 = exporters.economy_iso3 and not exporters.is_eu27 "
        "where flows.hs6_code = '810411' and flows.year = 2024 group by 1"
    )
    largest, weight = max(flows, key=lambda row: row[1])
    share = weight / sum(row[1] for row in flows)
    assert (largest, round(share, 2)) == ("CHN", 0.88)
    found = {
        (material, stage): row
        for material, stage, *row in rows(
            "select material, stage, single_country_share_low, single_country_share_high, "
            "is_above_benchmark from dependency.risk_ranking where importer_iso3 = 'EU27'"
        )
    }
    assert found["magnesium", "processing"] == [
        pytest.approx(share, rel=1e-9), pytest.approx(share, rel=1e-9), True
    ]  # fmt: skip
    low, high, is_above = found["lithium", "processing"]
    assert (low < 0.65 < high, is_above) == (True, None)
    assert found["dysprosium", "processing"][2] is None
    assert rows(
        "select count(*) from dependency.risk_ranking "
        "where is_above_benchmark is not null and importer_iso3 <> 'EU27'"
    ) == [(0,)]


def test_more_than_65_per_cent_of_a_stage_is_in_one_economy(rows: Rows) -> None:
    """Platinum metals of 2024 (USGS MCS 2026): South Africa 126 t and 82.6 t of 179 t and 217 t. Of
    rare earths the Commission's study prints shares of each in refining, of China's 66.7 %
    (scandium) to all.
    """
    found = {
        (material, stage): row
        for material, stage, *row in rows(
            "select material, stage, top_producer_iso3, cr1_share, top_share_low, top_share_high, "
            "is_above_65 from dependency.production_concentration "
            "where (source = 'usgs_mcs' and year = 2024 and stage = 'extraction') "
            "or (source = 'ec_crm' and stage = 'processing')"
        )
    }
    first, share, low, high, is_above = found["platinum_group_metals", "extraction"]
    assert (first, is_above) == ("ZAF", False)
    assert share == pytest.approx((126 + 82.6) / (179 + 217))
    assert low < share < high
    first, share, low, high, is_above = found["rare_earths", "processing"]
    assert (first, share, is_above) == ("CHN", None, True)
    assert (low, high) == (pytest.approx(0.667, abs=0.0006), 1)
    assert found["rare_earths", "extraction"][-1] is True
