"""Who else exports what an importer buys, worked out once more from BACI's flows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import pytest

Rows = Callable[..., list[tuple[Any, ...]]]
Flows = Mapping[tuple[str, str], tuple[float, float | None]]
"""Value and weight by exporter and importer."""

AS_OF = date(2026, 11, 25)
OF_JAPAN = ["850511", "810411", "250410"]


def flows_of(rows: Rows, code: str) -> Flows:
    """The flows of a code in 2024, the newest year of BACI."""
    return {
        (exporter, importer): (value, weight)
        for exporter, importer, value, weight in rows(
            "select exporter_iso3, importer_iso3, value_usd, net_weight_kg from trade.baci_flows "
            "where hs6_code = ? and year = 2024 and value_usd > 0 "
            "and exporter_iso3 <> importer_iso3",
            code,
        )
    }


@pytest.mark.parametrize("importer", ["JPN", "DEU", "CHN"])
@pytest.mark.parametrize("code", [*OF_JAPAN, "810710"])
def test_exports_ranks_and_shares_are_those_of_the_flows(
    rows: Rows, importer: str, code: str
) -> None:
    flows = flows_of(rows, code)
    exports: dict[str, float] = defaultdict(float)
    weighed: dict[str, float] = defaultdict(float)
    weights: dict[str, float] = defaultdict(float)
    for (exporter, _), (value, weight) in flows.items():
        exports[exporter] += value
        if weight is not None:
            weighed[exporter] += value
            weights[exporter] += weight
    bought = {seller: value for (seller, buyer), (value, _) in flows.items() if buyer == importer}
    ranked = sorted(
        (exporter for exporter in exports if exporter not in (importer, "_X")),
        key=lambda exporter: (-exports[exporter], exporter),
    )
    imports = sum(bought.values())
    expected = {
        supplier: rank
        for rank, supplier in enumerate(ranked, start=1)
        if rank <= 10 or bought.get(supplier, 0.0) / imports >= 0.01
    }

    found = rows(
        "select supplier_iso3, supplier_rank, share_of_importer, share_of_world, exports_usd, "
        "exports_kg, top_supplier_iso3, year from dependency.alternatives "
        "where importer_iso3 = ? and hs6_code = ?",
        importer, code,
    )  # fmt: skip
    assert {supplier: rank for supplier, rank, *_ in found} == expected
    largest = max((seller for seller in bought if seller != "_X"), key=lambda each: bought[each])
    for supplier, _, of_importer, of_world, usd, kg, top, year in found:
        assert of_importer == pytest.approx(bought.get(supplier, 0.0) / imports)
        assert of_world == pytest.approx(exports[supplier] / sum(exports.values()))
        assert usd == pytest.approx(exports[supplier])
        if weighed[supplier] >= 0.95 * exports[supplier]:
            assert kg == pytest.approx(weights[supplier])
        else:
            assert kg is None
        assert (top, year) == (largest, 2024)


@pytest.mark.parametrize("code", OF_JAPAN)
def test_what_is_restricted_is_what_the_clauses_of_the_day_control(rows: Rows, code: str) -> None:
    """Per clause the control shares of its minerals; of several at least one, at most their sum."""
    clauses = rows(
        "select timeline.implementer_iso3, timeline.clause_id, "
        "max(case when timeline.target_class = 'end_user' then 0 "
        "else scope.control_share_low end), least(1, sum(distinct_scope.high)) "
        "from (select distinct clause_id, implementer_iso3, target_class "
        "from exposure.measure_timeline where status = 'in_force' and direction = 'restrict' "
        "and reach = 'direct' and target_class <> 'entity' and target_iso3 in ('ALL', 'JPN') "
        "and valid_from <= ? and coalesce(valid_to > ?, true)) as timeline "
        "inner join exposure.measure_scope as scope "
        "on timeline.clause_id = scope.clause_id and scope.hs6_code = ? "
        "inner join (select clause_id, hs6_code, sum(control_share_high) as high "
        "from exposure.measure_scope group by all) as distinct_scope "
        "on scope.clause_id = distinct_scope.clause_id "
        "and scope.hs6_code = distinct_scope.hs6_code group by all",
        AS_OF, AS_OF, code,
    )  # fmt: skip
    expected: dict[str, tuple[float, float, set[str]]] = {}
    for implementer, clause, low, high in clauses:
        before = expected.get(implementer, (0.0, 0.0, set()))
        expected[implementer] = (
            max(before[0], low), min(1.0, before[1] + high), before[2] | {clause},
        )  # fmt: skip
    for supplier, low, high, in_force in rows(
        "select supplier_iso3, restricted_share_low, restricted_share_high, clauses_in_force "
        "from dependency.alternatives where importer_iso3 = 'JPN' and hs6_code = ?",
        code,
    ):
        assert (low, high, set(in_force)) == expected.get(supplier, (0.0, 0.0, set())), supplier


def test_chinas_magnets_are_restricted_for_japan_and_those_of_others_are_not(rows: Rows) -> None:
    restricted = rows(
        "select supplier_iso3, restricted_share_low, restricted_share_high "
        "from dependency.alternatives where importer_iso3 = 'JPN' and hs6_code = '850511' "
        "and restricted_share_high > 0"
    )
    assert restricted == [("CHN", 0.0, 1.0)]


def test_what_stands_behind_an_alternative_is_its_row_of_indirect_dependence(rows: Rows) -> None:
    found = rows(
        "select alternatives.supplier_iso3, hub_share_high, hub_reason, total_share_high "
        "from dependency.alternatives as alternatives "
        "left join dependency.indirect_dependence as indirect "
        "on alternatives.supplier_iso3 = indirect.importer_iso3 "
        "and alternatives.top_supplier_iso3 = indirect.origin_iso3 "
        "and indirect.mineral_group = 'permanent_magnets' and indirect.year = 2024 "
        "and indirect.depth = 1 "
        "where alternatives.importer_iso3 = 'JPN' and hs6_code = '850511'"
    )
    assert ("PHL", None, "is_top_supplier", None) in found
    for supplier, share, reason, total in found:
        if supplier != "PHL":
            assert (share, reason) == (total or 0.0, None), supplier


def test_production_is_that_of_the_one_material_and_a_missing_figure_is_no_zero(
    rows: Rows,
) -> None:
    """Graphite of 2025 (MCS 2026): Madagascar 80,000 t, the United States none, no Netherlands."""
    found = {
        supplier: figures
        for supplier, *figures in rows(
            "select supplier_iso3, production_t, production_material, production_year, "
            "production_reason from dependency.alternatives "
            "where importer_iso3 = 'JPN' and hs6_code = '250410'"
        )
    }
    assert found["MDG"] == [80_000, "natural_graphite", 2025, None]
    assert found["USA"] == [0, "natural_graphite", 2025, None]
    assert found["NLD"] == [None, "natural_graphite", 2025, "not_published"]
    assert rows(
        "select distinct production_t, production_material, production_reason "
        "from dependency.alternatives where hs6_code = '850511'"
    ) == [(None, None, "no_material_of_code")]


def test_governance_is_that_of_the_newest_year(rows: Rows) -> None:
    assert rows(
        "select count(*) from dependency.alternatives as alternatives "
        "inner join dependency.production_shares as production "
        "on alternatives.supplier_iso3 = production.economy_iso3 "
        "and alternatives.governance_year = production.governance_year "
        "where abs(alternatives.governance_score - production.governance_score) > 1e-9"
    ) == [(0,)]
    ((newest, oldest),) = rows(
        "select max(governance_year), min(governance_year) from dependency.alternatives "
        "where supplier_iso3 in ('CHN', 'JPN', 'DEU')"
    )
    assert newest == oldest
    assert rows(
        "select count(*) from dependency.production_shares where governance_year > ?", newest
    ) == [(0,)]
