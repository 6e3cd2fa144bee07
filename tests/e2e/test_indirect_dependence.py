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


def ways(bought: Shares, importer: str, origin: str, depth: int) -> dict[str, float]:
    """What reaches an importer from an origin through each hub; no production is known."""
    through = {}
    for hub, share in bought[importer].items():
        if hub in (origin, importer):
            continue
        of_hub = bought.get(hub, {})
        passed = of_hub.get(origin, 0.0)
        if depth == 2:
            passed += sum(
                of_supplier * bought.get(supplier, {}).get(origin, 0.0)
                for supplier, of_supplier in of_hub.items()
                # What the hub has from the importer is no way to it.
                if supplier not in (importer, origin)
            )
        through[hub] = share * passed
    return through


@pytest.mark.parametrize("importer", ["JPN", "DEU", "USA", "KOR", "THA"])
def test_every_row_of_an_importer_is_that_of_its_flows(
    rows: Rows, bought: Shares, importer: str
) -> None:
    found = rows(
        "select origin_iso3, depth, direct_share, indirect_share_low, indirect_share_high, "
        "total_share_high, hub_iso3, hub_share, assumption from dependency.indirect_dependence "
        "where importer_iso3 = ? and mineral_group = 'permanent_magnets' and year = 2024",
        importer,
    )
    assert len(found) > 30
    assert importer not in {origin for origin, *_ in found}
    for origin, depth, direct, low, high, total, hub, hub_share, assumption in found:
        through = ways(bought, importer, origin, depth)
        assert direct == pytest.approx(bought[importer].get(origin, 0.0))
        assert low == 0, "nobody's production of magnets is known"
        assert high == pytest.approx(sum(through.values()), abs=1e-12)
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
    assert at_least == pytest.approx(0.276, abs=5e-4)


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
