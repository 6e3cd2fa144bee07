"""What stands behind a supplier, worked out once more from BACI's flows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

import pytest

Rows = Callable[..., list[tuple[Any, ...]]]
Shares = Mapping[str, Mapping[str, float]]


@pytest.fixture
def bought(rows: Rows) -> Shares:
    """Of each importer of magnets in 2024, what share by value it buys from whom."""
    flows: dict[str, dict[str, float]] = defaultdict(dict)
    for exporter, importer, value in rows(
        "select exporter_iso3, importer_iso3, value_usd from trade.baci_flows "
        "where hs6_code = '850511' and year = 2024 and value_usd > 0 and importer_iso3 <> '_X'"
    ):
        flows[importer][exporter] = value
    return {
        importer: {seller: value / sum(of_importer.values()) for seller, value in
                   of_importer.items()}
        for importer, of_importer in flows.items()
    }  # fmt: skip


@pytest.fixture
def passed(rows: Rows) -> Mapping[str, float]:
    """What an economy can have bought of the magnets that it sells: no more than it has bought."""
    bought_kg: dict[str, float] = defaultdict(float)
    sold_kg: dict[str, float] = defaultdict(float)
    for exporter, importer, kg in rows(
        "select exporter_iso3, importer_iso3, net_weight_kg from trade.baci_flows "
        "where hs6_code = '850511' and year = 2024 and net_weight_kg > 0"
    ):
        bought_kg[importer] += kg
        sold_kg[exporter] += kg
    return {
        economy: min(1.0, kg / sold_kg[economy]) if sold_kg[economy] else 1.0
        for economy, kg in bought_kg.items()
    }


def ways(
    bought: Shares, passed: Mapping[str, float], importer: str, origin: str, depth: int
) -> dict[str, float]:
    """What reaches an importer from an origin through each hub; no production is known."""
    through = {}
    for hub, share in bought[importer].items():
        if hub in (origin, importer):
            continue
        of_hub = bought.get(hub, {})
        reached = of_hub.get(origin, 0.0)
        if depth == 2:
            reached += sum(
                of_supplier * passed.get(supplier, 0.0) * bought.get(supplier, {}).get(origin, 0.0)
                for supplier, of_supplier in of_hub.items()
                # What the hub has from the importer is no way to it.
                if supplier not in (importer, origin)
            )
        through[hub] = share * passed.get(hub, 0.0) * reached
    return through


@pytest.mark.parametrize("importer", ["JPN", "DEU", "USA", "KOR", "THA"])
def test_every_row_of_an_importer_is_that_of_its_flows(
    rows: Rows, bought: Shares, passed: Mapping[str, float], importer: str
) -> None:
    found = rows(
        "select origin_iso3, depth, direct_share, indirect_share_low, indirect_share_high, "
        "total_share_low, total_share_high, hub_iso3, hub_share, assumption "
        "from dependency.indirect_dependence where importer_iso3 = ? "
        "and mineral_group = 'permanent_magnets' and year = 2024",
        importer,
    )
    assert len(found) > 10
    assert importer not in {origin for origin, *_ in found}
    for origin, depth, direct, low, high, least, total, hub, hub_share, assumption in found:
        through = ways(bought, passed, importer, origin, depth)
        assert direct == pytest.approx(bought[importer].get(origin, 0.0))
        assert low == 0, "nobody's production of magnets is known"
        assert high == pytest.approx(sum(through.values()), abs=1e-12)
        assert least == pytest.approx(direct * (1 - passed.get(origin, 0.0)), abs=1e-12)
        assert total == pytest.approx(direct + high)
        assert total <= 1
        if hub is not None:
            assert hub_share == pytest.approx(max(through.values()), abs=1e-12)
            assert through[hub] == pytest.approx(hub_share, abs=1e-12)
        assert assumption in ("imports_alone", "no_hub")


def test_japans_magnets_come_from_china_directly_and_through_viet_nam(rows: Rows) -> None:
    """BACI 2024: a quarter directly, a third through hubs, Viet Nam before all."""
    ((direct, low, indirect, at_least, at_most, hub, hub_share),) = rows(
        "select direct_share, indirect_share_low, indirect_share_high, total_share_low, "
        "total_share_high, hub_iso3, hub_share from dependency.indirect_dependence "
        "where importer_iso3 = 'JPN' and mineral_group = 'permanent_magnets' and year = 2024 "
        "and origin_iso3 = 'CHN' and depth = 1"
    )
    assert direct == pytest.approx(0.276, abs=5e-4)
    assert indirect == pytest.approx(0.342, abs=5e-4)
    assert (hub, low) == ("VNM", 0)
    assert hub_share == pytest.approx(0.249, abs=5e-4)
    assert at_most == pytest.approx(0.618, abs=5e-4)
    # China buys a fiftieth of what it sells.
    assert at_least == pytest.approx(0.270, abs=5e-4)


@pytest.mark.parametrize("depth", [1, 2])
def test_no_part_of_a_supply_is_counted_twice_for_sure(rows: Rows, depth: int) -> None:
    """Named: Japan's rare earths summed to 1.08 and Italy's to 1.83 where what passes through a
    supplier counted as its own."""
    sums = rows(
        "select importer_iso3, mineral_group, year, sum(total_share_low), sum(total_share_high) "
        "from dependency.indirect_dependence where reason is null and depth = ? group by all",
        depth,
    )
    assert len(sums) > 8_000
    assert {"JPN", "ITA"} <= {importer for importer, *_ in sums}
    assert [row for row in sums if row[3] > 1 + 1e-9 or row[4] < 0.99] == []


def test_a_producing_hub_has_a_lower_bound_below_its_upper_one(rows: Rows) -> None:
    """Germany's graphite of 2024: 140 t of its own beside 50,475 t imported, 16,682 t exported."""
    ((production, imports, exports),) = rows(
        "select production_t, imports_t, exports_t from dependency.import_reliance "
        "where economy_iso3 = 'DEU' and mineral_group = 'natural_graphite' and year = 2024"
    )
    assert (production, round(imports), round(exports)) == (140, 50_475, 16_682)
    ((low, high),) = rows(
        "select indirect_share_low, indirect_share_high from dependency.indirect_dependence "
        "where importer_iso3 = 'AUT' and mineral_group = 'natural_graphite' and year = 2024 "
        "and origin_iso3 = 'CHN' and depth = 1"
    )
    assert 0 < low < high < 1


def test_shares_of_all_years_stay_within_the_whole_and_say_why_they_are_missing(
    rows: Rows,
) -> None:
    ((outside, silent, least),) = rows(
        "select count(*) filter (where total_share_high > 1 or indirect_share_low < 0 "
        "or indirect_share_low > indirect_share_high + 1e-9), "
        "count(*) filter (where (indirect_share_high is null) <> (reason is not null)), "
        "min(coalesce(total_share_high, direct_share)) from dependency.indirect_dependence"
    )
    assert (outside, silent) == (0, 0)
    assert least >= 0.001
    assert rows(
        "select distinct reason from dependency.indirect_dependence "
        "where mineral_group = 'permanent_magnets' and year < 2023"
    ) == [("no_flows_of_hubs",)]
