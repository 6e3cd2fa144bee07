"""Supply risk, reliance and concentration against what their publishers print.

The intervals and sums are worked out here once more, from the publishers' own tables where these
are at hand, and share no code with the project.
"""

from __future__ import annotations

import csv
import statistics
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import duckdb
import pytest

from dagster_project.settings import DBT_PROJECT
from tests.conftest import CHECKOUT, SHARED, needs_shared

Rows = Callable[..., list[tuple[Any, ...]]]

BUNDLED = CHECKOUT / "dagster_project" / "bundled"
STUDIES = SHARED / "data" / "ec_critical_raw_materials"
BELOW_ZERO = ("Aggregates", "Feldspar", "Gypsum", "Indium", "Natural cork", "Perlite", "Sulphur")
"""Materials whose reliance the study computes as less than -0.5 %, and uses as 0 (table 13)."""

STAGES = {"E": "extraction", "P": "processing"}
SCOPES = {"global": "WLD", "eu": "EU27", "EU": "EU27"}


def printed(name: str) -> Iterator[Mapping[str, str]]:
    with (STUDIES / name).open(encoding="utf8") as file:
        yield from csv.DictReader(file)


def number(cell: str, by: float = 1) -> float | None:
    return float(cell) / by if cell.strip() else None


@pytest.fixture(scope="module")
def materials(rows_of_module: Rows) -> Mapping[str, str]:
    return dict(
        rows_of_module(
            "select label, material from reference.materials where source = 'ec_crm' "
            "and left_out is null"
        )
    )


@pytest.fixture(scope="module")
def rows_of_module(built: Any) -> Iterator[Rows]:
    with duckdb.connect(str(built / "kido.duckdb"), read_only=True) as connection:
        yield lambda sql, *parameters: connection.execute(sql, parameters).fetchall()


def interval(row: Mapping[str, str]) -> tuple[float, float]:
    """Of the formula of 2017, where each input is off by half a unit of its last digit; a reliance
    below zero is exactly 0."""
    ends = []
    for side in (-1, 1):
        world, sourcing = number(row["HHI_GS"]), number(row["HHI_EU"])
        reliance = number(row["IR_pct"], 100) or 0.0
        recycled = max((number(row["EoL_RIR_pct"], 100) or 0.0) - side * 0.005, 0)
        substitution = float(row["SI_SR"]) + side * 0.05
        # A concentration printed as 0.0 on the side that is not used is none.
        mixes = {
            "GS only": [(world or 0) + side * 0.05],
            "EUS only": [(sourcing or 0) + side * 0.05],
            "GS + EUS": [
                ((world or 0) + side * 0.05) * weight
                + ((sourcing or 0) + side * 0.05) * (1 - weight)
                for step in ((0.0,) if row["material"] in BELOW_ZERO else (-0.005, 0.005))
                for weight in [min(max(reliance + step, 0), 1) / 2]
            ],
        }[row["supply_used"]]
        ends.append((max if side > 0 else min)(mixes) * (1 - recycled) * substitution)
    return ends[0], ends[1]


@needs_shared
class TestStudyOf2017:
    def test_all_78_published_risks_lie_within_the_rounding_of_their_inputs(
        self, rows: Rows, materials: Mapping[str, str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        found = {
            (material, stage): values
            for material, stage, *values in rows(
                "select material, stage, supply_risk, supply_risk_low, supply_risk_high, "
                "published_supply_risk from dependency.supply_risk "
                "where assessment = 'EC 2017' and stage <> 'not_stated'"
            )
        }
        errors, inside = {}, 0
        for row in printed("ec2017_supply_risk.csv"):
            risk, low, high, published = found[materials[row["material"]], row["stage"].lower()]
            expected = interval(row)
            assert (low, high) == pytest.approx(expected), row["material"]
            assert published == float(row["SR_pub"])
            inside += low <= published + 0.05 + 1e-9 and high >= published - 0.05 - 1e-9
            errors[row["material"]] = abs(risk - published)
        assert len(errors) == len(found) == inside == 78
        worst = max(errors, key=lambda name: errors[name])
        with capsys.disabled():
            print(
                f"\nEC 2017: {inside} of 78 within; midpoint off by "
                f"{statistics.median(errors.values()):.3f} in the median, "
                f"at most {errors[worst]:.3f} ({worst})"
            )
        assert statistics.median(errors.values()) <= 0.05
        assert errors[worst] <= 0.25 + 1e-9

    def test_one_side_alone_is_that_concentration_less_recycling_times_substitution(
        self, rows: Rows, materials: Mapping[str, str]
    ) -> None:
        """As table 19 of the study is defined; its own figures are not at hand."""
        found = {
            (material, stage): values
            for material, stage, *values in rows(
                "select material, stage, supply_risk_global_only, supply_risk_sourcing_only "
                "from dependency.supply_risk where assessment = 'EC 2017'"
            )
        }
        for row in printed("ec2017_supply_risk.csv"):
            one_side = found[materials[row["material"]], row["stage"].lower()]
            rest = (1 - float(row["EoL_RIR_pct"]) / 100) * float(row["SI_SR"])
            for concentration, risk in zip((row["HHI_GS"], row["HHI_EU"]), one_side, strict=True):
                if risk is None:
                    assert not concentration or float(concentration) == 0, row["material"]
                else:
                    assert risk == pytest.approx(float(concentration) * rest), row["material"]


@pytest.mark.parametrize(
    ("material", "stage", "formula", "in_study"),
    [
        ("antimony", "processing", 4.147, 4.3),
        ("yttrium", "extraction", 3.795, 3.8),
        ("neodymium", "extraction", 4.722, 4.8),
        ("dysprosium", "extraction", 4.950, 5.2),
        ("germanium", "processing", 1.909, 1.9),
        ("tungsten", "extraction", 1.817, 1.8),
        ("gallium", "processing", 1.508, 1.4),
        ("natural_graphite", "extraction", 2.957, 2.9),
        ("borate", "extraction", 3.050, 3.0),
        ("beryllium", "extraction", 2.400, 2.4),
    ],
)
def test_the_formula_on_the_printed_inputs_of_2017(
    rows: Rows, material: str, stage: str, formula: float, in_study: float
) -> None:
    ((risk, printed_risk),) = rows(
        "select supply_risk, published_supply_risk from dependency.supply_risk "
        "where assessment = 'EC 2017' and material = ? and stage = ?",
        material, stage,
    )  # fmt: skip
    assert risk == pytest.approx(formula, abs=5e-4)
    assert printed_risk == in_study


def test_families_of_2017_have_the_mean_that_the_study_prints(rows: Rows) -> None:
    for family, published in (("light_rare_earths", 5.0), ("heavy_rare_earths", 4.9)):
        ((of_members, members),) = rows(
            "select avg(published_supply_risk), count(*) from dependency.supply_risk "
            "inner join reference.minerals on material = mineral "
            "where assessment = 'EC 2017' and family || 's' = ?",
            family,
        )
        assert members == {"light_rare_earths": 5, "heavy_rare_earths": 10}[family]
        assert round(of_members, 1) == published
        ((risk, low, high, printed_risk),) = rows(
            "select supply_risk, supply_risk_low, supply_risk_high, published_supply_risk "
            "from dependency.supply_risk where assessment = 'EC 2017' and material = ?",
            family,
        )
        assert printed_risk == published
        assert low - 0.05 <= published <= high + 0.05
        assert low < risk < high


def test_a_reliance_below_zero_counts_as_zero_and_stays_visible(rows: Rows) -> None:
    """European Commission 2017, table 13."""
    raw = dict(
        rows(
            "select material, import_reliance_raw from dependency.supply_risk "
            "where assessment = 'EC 2017' and import_reliance = 0 and import_reliance_raw <= 0"
        )
    )
    assert raw == {
        "aggregates": -0.12, "feldspar": -0.25, "gypsum": -0.21, "indium": -0.15,
        "natural_cork": -0.01, "perlite": -0.02, "silica_sand": 0.0, "sulphur": -0.13,
    }  # fmt: skip


@needs_shared
def test_all_218_concentrations_of_2023_equal_the_recomputed_ones_to_their_digits(
    rows: Rows, materials: Mapping[str, str]
) -> None:
    measures = "hhi, hhi_trade_weighted, cr1_share, cr3_share, shannon_entropy"
    found = {
        (scope, material, stage): values
        for scope, material, stage, *values in rows(
            f"select 'WLD', material, stage, {measures} from dependency.production_concentration "
            "where source = 'ec_crm' and year = 2023 union all "
            f"select consumer_iso3, material, stage, {measures} "
            "from dependency.sourcing_concentration where source = 'ec_crm' and year = 2023"
        )
    }
    compared = 0
    for row in printed("ec2023_hhi.csv"):
        values = found[SCOPES[row["scope"]], materials[row["material"]], STAGES[row["stage"]]]
        for value, cell, scale, half_unit in zip(
            values,
            (row["hhi_0_10000"], row["hhi_t_0_10000"], row["cr1"], row["cr3"], row["shannon_nats"]),
            (1e4, 1e4, 1, 1, 1),
            (0.05, 0.05, 0.0005, 0.0005, 0.00005),
            strict=True,
        ):
            if value is None:
                # Fewer than three are named, or they exceed a rounded whole.
                assert cell == row["cr3"], row
                continue
            assert value * scale == pytest.approx(float(cell), abs=half_unit * 1.0001), row
        compared += 1
    assert compared == 218


def test_importance_of_gallium_before_substitution(rows: Rows) -> None:
    """European Commission 2023: (0.75 * 77,000 + 0.25 * 89,422) * 10 / 204,200."""
    found = rows(
        "select distinct importance_unsubstituted from dependency.supply_risk "
        "where material = 'gallium' and importance_unsubstituted is not null"
    )
    assert found == [(pytest.approx(3.923, abs=5e-4),)]


@pytest.mark.parametrize(
    ("code", "thousand_usd", "hhi", "imports_by_exports", "is_dependent"),
    [
        ("850511", 568_757, 0.2639, 1.328, False),
        ("811292", 84_289, 0.1400, 2.477, False),
        ("811010", 89_381, 0.2199, 42.6, False),
        ("250490", 8_254, 0.9123, 25.8, True),
        ("810194", 34_759, 0.9927, 4.47, True),
        ("810411", 55_311, 0.9606, 98.1, True),
    ],
)
def test_strategic_products_of_japan(
    rows: Rows, code: str, thousand_usd: int, hhi: float, imports_by_exports: float,
    is_dependent: bool,
) -> None:  # fmt: skip
    """CEPII BACI 2024."""
    ((imports, cdi1, cdi3, flag),) = rows(
        "select imports_usd, cdi1, cdi3, is_dependent from dependency.strategic_products "
        "where importer_iso3 = 'JPN' and hs6_code = ? and year = 2024",
        code,
    )
    assert imports / 1000 == pytest.approx(thousand_usd, abs=0.5)
    assert cdi1 == pytest.approx(hhi, abs=5e-5)
    assert cdi3 == pytest.approx(imports_by_exports, rel=2e-3)
    assert flag is is_dependent


def test_the_european_union_trades_with_what_is_outside_of_it(rows: Rows) -> None:
    ((within,),) = rows(
        "select sum(flows.value_usd) from trade.baci_flows as flows "
        "inner join reference.economies as sellers on exporter_iso3 = sellers.economy_iso3 "
        "inner join reference.economies as buyers on importer_iso3 = buyers.economy_iso3 "
        "where sellers.is_eu27 and buyers.is_eu27 and hs6_code = '810411' and year = 2024"
    )
    ((outside,),) = rows(
        "select sum(flows.value_usd) from trade.baci_flows as flows "
        "inner join reference.economies as sellers on exporter_iso3 = sellers.economy_iso3 "
        "inner join reference.economies as buyers on importer_iso3 = buyers.economy_iso3 "
        "where not sellers.is_eu27 and buyers.is_eu27 and hs6_code = '810411' and year = 2024"
    )
    ((imports, cdi2),) = rows(
        "select imports_usd, cdi2 from dependency.strategic_products "
        "where importer_iso3 = 'EU27' and hs6_code = '810411' and year = 2024"
    )
    assert imports == pytest.approx(outside)
    assert cdi2 == pytest.approx(outside / (outside + within))


def test_a_flow_without_a_weight_does_not_take_the_unions_weight_away(rows: Rows) -> None:
    """Rare earths of 2024, from the flows that CEPII publishes: of China's compounds all have a
    weight but one of USD 57."""
    flows = BUNDLED / "baci" / "flows_hs1992_2015_2024.parquet"
    members = f"select economy_iso3 from '{BUNDLED / 'catalogue' / 'economies.csv'}' where is_eu27"
    totals = (
        "select sum(net_weight_kg) / 1000, "
        "sum(value_usd) filter (where net_weight_kg is null) / sum(value_usd) "
        f"from '{flows}' where year = 2024 and importer_iso3 in ({members}) "
        f"and exporter_iso3 not in ({members}) "
    )
    (bought, unweighed) = duckdb.execute(
        f"{totals} and hs6_code in ('280530', '284610', '284690')"
    ).fetchall()[0]
    (from_china, _) = duckdb.execute(
        f"{totals} and hs6_code = '284690' and exporter_iso3 = 'CHN'"
    ).fetchall()[0]
    assert (round(bought), round(from_china)) == (14_581, 4_921)
    assert 0 < unweighed < 0.05

    ((imports, low, high),) = rows(
        "select imports_t, supply_risk_low, supply_risk_high from dependency.import_reliance "
        "inner join dependency.supply_risk on economy_iso3 = consumer_iso3 "
        "and supply_risk.year = import_reliance.year "
        "where economy_iso3 = 'EU27' and import_reliance.mineral_group = 'rare_earths' "
        "and method = 'ec_2017' and assessment = 'kido 2024' and material = 'neodymium' "
        "and stage = 'processing'"
    )
    assert imports == pytest.approx(bought)
    assert low < 2.2 < high


def test_what_the_usgs_prints_of_others_is_a_row_as_printed(rows: Rows) -> None:
    """Of the newest summary of each table; what is printed as not available has no amount."""
    with (BUNDLED / "usgs_mcs" / "mcs_2026.csv").open(encoding="utf8") as file:
        printed = [row for row in csv.DictReader(file) if row["economy_iso3"] == "_X"]
    materials = dict(
        rows(
            "select label, material from reference.materials where source = 'usgs_mcs' "
            "and left_out is null"
        )
    )
    shown = {
        tuple(key): amount
        for *key, amount in rows(
            "select material, stage, year, amount_t from dependency.production_shares "
            "where source = 'usgs_mcs' and economy_iso3 = '_X'"
        )
    }
    kinds = Counter()
    for row in printed:
        if row["label"] not in materials:
            continue
        key = (materials[row["label"]], row["stage"], int(row["year"]))
        amount = number(row["amount_t"])
        kinds["not published" if amount is None else "none" if amount == 0 else "some"] += 1
        assert key in shown, key
        if amount is not None:
            assert shown[key] == amount, key
    assert min(kinds.values()) >= 5
    assert len(kinds) == 3


def test_who_is_not_listed_produces_nothing_only_where_the_list_is_whole(rows: Rows) -> None:
    """Mines of rare earths of 2024: 1,000 t of others, so that Laos, which exports 10,748 t, is not
    known to have none. Of selenium, others are not available."""
    found = {
        tuple(key): values
        for *key, values in rows(
            "select economy_iso3, mineral_group, year, [production_t, import_reliance_ec, "
            "import_reliance_low, import_reliance_high] from dependency.import_reliance"
        )
    }
    for year in (2020, 2021, 2024):
        assert found["LAO", "rare_earths", year][0] is None
    assert found["LAO", "rare_earths", 2024] == [None] * 4
    for year in (2023, 2024):
        assert found["KOR", "hs_280490", year][0] is None


# ---- Figures of the USGS that are no points


@pytest.mark.parametrize(
    ("material", "stage", "year", "economy", "low", "high"),
    [
        # Printed as 270,000 and estimated; 45,000 and reported.
        ("rare_earths", "extraction", 2024, "CHN", 265_000, 275_000),
        ("rare_earths", "extraction", 2024, "USA", 44_950, 45_550),
        # 10,000 - 15,000 of the world, of no economy.
        ("yttrium", "extraction", 2025, "_X", 10_000, 15_000),
        # Three tons are two and a half to three and a half.
        ("gallium", "processing", 2024, "JPN", 2.5, 3.5),
    ],
)
def test_a_printed_figure_of_the_usgs_is_an_interval(
    rows: Rows, material: str, stage: str, year: int, economy: str, low: float, high: float
) -> None:
    ((least, largest),) = rows(
        "select amount_low_t, amount_high_t from dependency.production_shares "
        "where source = 'usgs_mcs' and material = ? and stage = ? and year = ? "
        "and economy_iso3 = ?",
        material, stage, year, economy,
    )  # fmt: skip
    assert low <= least <= largest <= high


def test_what_the_usgs_withholds_is_zero_up_to_what_others_leave(rows: Rows) -> None:
    withheld = rows(
        "select amount_low_t, share_low, share_high, is_estimate from dependency.production_shares "
        "where source = 'usgs_mcs' and amount_t is null and share_high is not null"
    )
    assert len(withheld) > 20
    assert all(low == 0 and least == 0 and 0 <= most <= 1 for low, least, most, _ in withheld)


def test_every_point_lies_in_its_interval(rows: Rows) -> None:
    ((outside, without, met, compared),) = rows(
        "select count(*) filter (where not (hhi_low <= hhi and hhi <= hhi_high)), "
        "count(*) filter (where hhi_low is null or hhi_high is null), "
        "count(*) filter (where hhi_high = hhi), count(*) "
        "from dependency.production_concentration where hhi is not null"
    )
    assert (outside, without) == (0, 0)
    # The point is an end where a total is rounded down, so that its parts exceed it.
    assert met < compared / 8


# ---- Any economy


def test_the_european_union_is_assessed_as_others_are(rows: Rows) -> None:
    found = dict(
        rows(
            "select material, supply_risk from dependency.supply_risk "
            "where assessment = 'kido 2024' and method = 'ec_2017' and consumer_iso3 = 'EU27' "
            "and supply_used = 'global_and_consumer' and supply_risk is not null"
        )
    )
    # As docs/supply-risk.md has them; the study of 2023 has 4.4, 4.1 and 3.3.
    assert found["niobium"] == pytest.approx(3.83, abs=5e-3)
    assert found["magnesium"] == pytest.approx(3.53, abs=5e-3)
    assert found["phosphorus"] == pytest.approx(3.15, abs=5e-3)


@pytest.mark.parametrize(
    ("consumer", "material", "stage", "risk"),
    [
        # Brazil makes 88.8 % of the world's ferro-niobium and sells a hundred times what it buys:
        # reliance 0, nearly all of its supply its own, at governance 5.512 and 0.8, times 0.9.
        ("BRA", "niobium", "processing", 0.8 * 5.512 * 0.9),
        # Of China's supply of rare earths its own mines are at most 0.934 (below), at 5.501 * 0.8:
        # its risk is more than that of its own part.
        ("CHN", "terbium", "processing", 5.501 * 0.8 * 0.934**2 * (1 - 0.06) * 0.9),
    ],
)
def test_a_producer_whose_amount_is_not_known_has_its_own_supply_within_its_bounds(
    rows: Rows, consumer: str, material: str, stage: str, risk: float
) -> None:
    ((point, low, high),) = rows(
        "select supply_risk, supply_risk_low, supply_risk_high from dependency.supply_risk "
        "where assessment = 'kido 2024' and method = 'ec_2017' and consumer_iso3 = ? "
        "and material = ? and stage = ?",
        consumer, material, stage,
    )  # fmt: skip
    assert point is None
    assert low < risk < high


def test_a_producer_that_exports_more_than_it_imports_relies_on_nobody(rows: Rows) -> None:
    """Of others it is not known what they rely on: they pass on what they bought or stored, or what
    nobody prints that they produce."""
    ((unequal, exporters, not_null, others),) = rows(
        "select count(*) filter (where production_t > 0 and import_reliance_high <> 0), "
        "count(*) filter (where production_t > 0), "
        "count(*) filter (where production_t = 0 and import_reliance_high is not null), "
        "count(*) filter (where production_t = 0) "
        "from dependency.import_reliance where is_net_exporter"
    )
    assert (unequal, exporters > 300) == (0, True)
    assert (not_null, others > 800) == (0, True)


def test_a_material_is_critical_where_its_whole_interval_is_on_one_side(rows: Rows) -> None:
    wrong = rows(
        "select assessment, consumer_iso3, material from dependency.supply_risk "
        "where method = 'ec_2017' and assessment not like 'EC %' and economic_importance >= 2.8 "
        "and is_critical is distinct from case when supply_risk_low >= 1 then true "
        "when supply_risk_high < 1 then false end"
    )
    assert wrong == []


def test_more_than_a_twentieth_of_the_sourcing_without_a_score_leaves_bounds_alone(
    rows: Rows,
) -> None:
    """Of Japan's rare earths of 2024, by weight, a part of unknown origin."""
    ((not_named,),) = rows(
        "select share from dependency.supplier_shares where importer_iso3 = 'JPN' "
        "and mineral_group = 'rare_earths' and frequency = 'A' and period_start = '2024-01-01' "
        "and measure = 'net_weight_kg' and supplier_iso3 = '_X'"
    )
    points = rows(
        "select hhi_consumer_sourcing from dependency.supply_risk where consumer_iso3 = 'JPN' "
        "and mineral_group = 'rare_earths' and assessment = 'kido 2024' and method = 'ec_2017' "
        "and supply_used = 'global_and_consumer'"
    )
    assert not_named > 0.05
    assert set(points) == {(None,)}


def test_a_geometric_mean_is_that_of_its_three_factors(rows: Rows) -> None:
    found = rows(
        "select disruption_potential, trade_exposure, economic_vulnerability, supply_risk "
        "from dependency.supply_risk where method = 'geometric_mean' and supply_risk is not null"
    )
    assert len(found) > 4_000
    for disruption, exposure, vulnerability, risk in found:
        assert min(disruption, exposure, vulnerability) >= 0
        assert max(disruption, exposure, vulnerability) <= 1
        assert risk**3 == pytest.approx(disruption * exposure * vulnerability, abs=1e-12)


def test_every_group_that_stands_for_a_material_has_imports_or_is_known_to_have_none(
    rows: Rows,
) -> None:
    with (DBT_PROJECT / "seeds" / "seed_trade_groups_of_materials.csv").open() as file:
        groups = {row["mineral_group"] for row in csv.DictReader(file)} - {""}
    traded = {
        group
        for (group,) in rows(
            "select distinct mineral_group from dependency.import_concentration "
            "where frequency = 'A' and period_start >= '2022-01-01'"
        )
    }
    # Their codes are followed, and the bundled flows have none of them.
    assert groups - traded == {"hs_260500", "hs_811231"}


def test_a_risk_without_a_value_says_which_factor_is_missing(rows: Rows) -> None:
    silent = rows(
        "select assessment, material from dependency.supply_risk "
        "where supply_risk is null and len(missing_factors) = 0"
    )
    assert silent == []


@pytest.mark.parametrize(
    ("year", "quoted", "least_kg", "most_kg"),
    [
        (2009, 85.49, 38, 1_865),
        (2010, 81.61, -846, 2_011),
        (2011, 68.37, 7_087, 9_339),
        (2014, 59.64, 500, 2_732),
    ],
)
def test_what_japans_customs_quote_differs_by_a_shipment_or_two(
    rows: Rows, year: int, quoted: float, least_kg: float, most_kg: float
) -> None:
    """What the readings of these claims say of the difference from UN Comtrade's figures."""
    ((of_china, total),) = rows(
        "select shares.amount, totals.total_amount from dependency.supplier_shares as shares "
        "inner join dependency.import_concentration as totals on totals.importer_iso3 = 'JPN' "
        "and totals.mineral_group = shares.mineral_group and totals.measure = shares.measure "
        "and totals.frequency = 'A' and totals.period_start = shares.period_start "
        "where shares.importer_iso3 = 'JPN' and shares.mineral_group = 'rare_earths' "
        "and shares.frequency = 'A' and year(shares.period_start) = ? "
        "and shares.measure = 'net_weight_kg' and shares.supplier_iso3 = 'CHN'",
        year,
    )
    # The quotation is rounded to a hundredth of a per cent.
    assert (quoted - 0.005) / 100 * total - of_china == pytest.approx(least_kg, abs=1)
    assert (quoted + 0.005) / 100 * total - of_china == pytest.approx(most_kg, abs=1)


CRITICAL_OF_2020 = {
    "antimony", "barytes", "bauxite", "beryllium", "bismuth", "borate", "cobalt", "coking_coal",
    "fluorspar", "gallium", "germanium", "hafnium", "heavy_rare_earths", "indium",
    "light_rare_earths", "lithium", "magnesium", "natural_graphite", "natural_rubber", "niobium",
    "phosphate_rock", "phosphorus", "platinum_group_metals", "scandium", "silicon_metal",
    "strontium", "tantalum", "titanium_ores", "tungsten", "vanadium",
}  # fmt: skip
"""The list of COM(2020) 474."""

CRITICAL_OF_2023 = CRITICAL_OF_2020 - {
    "bauxite", "indium", "natural_rubber", "titanium_ores",
} | {
    "aluminium", "arsenic", "feldspar", "helium", "manganese", "titanium_metal",
}  # fmt: skip
"""The list of COM(2023) 160 without copper and nickel, which are on it as strategic materials."""

CRITICAL_OF_2017 = CRITICAL_OF_2020 - {
    "bauxite", "coking_coal", "lithium", "strontium", "titanium_ores",
} | {"helium"}  # fmt: skip
"""The list of COM(2017) 490 without coking coal, which is on it for caution at 0.96."""


@pytest.mark.parametrize(
    ("study", "listed"),
    [
        ("EC 2017", CRITICAL_OF_2017), ("EC 2020", CRITICAL_OF_2020), ("EC 2023", CRITICAL_OF_2023),
    ],
)  # fmt: skip
def test_the_published_figures_give_the_published_lists(
    rows: Rows, study: str, listed: set[str]
) -> None:
    critical = {
        material
        for (material,) in rows(
            "select distinct material from dependency.supply_risk "
            "where assessment = ? and is_critical",
            study,
        )
    }
    members = {
        "cerium", "dysprosium", "erbium", "europium", "gadolinium", "holmium", "iridium",
        "lutetium", "neodymium", "palladium", "platinum", "praseodymium", "rhodium", "ruthenium",
        "samarium", "terbium", "thulium", "ytterbium", "yttrium",
    }  # fmt: skip
    # The lists name the groups of these; the study of 2017 prints each of them as well.
    assert critical - members == listed
    assert {"EC 2017": 26, "EC 2020": 30, "EC 2023": 32}[study] == len(listed)
