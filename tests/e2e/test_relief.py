"""What projects announce and could relieve, worked out once more from the files edited by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Rows = Callable[..., list[tuple[Any, ...]]]


def test_the_trial_of_2027_is_a_small_part_of_what_japan_uses(rows: Rows) -> None:
    """350 t of mud a day for 300 days, half to nine tenths of it dry, 3,000 to 6,000 ppm, of which
    0.8 are recovered; of 18,835 t, the demand of 2024 by the Japan Society of Newer Metals."""
    mud = 350 * 300  # 105,000 t a year
    low = mud * 0.5 * 3000 / 1e6 * 0.8  # 52,500 t dry, 157.5 t of oxides, of which 126 t
    high = mud * 0.9 * 6000 / 1e6 * 0.8  # 94,500 t dry, 567 t of oxides, of which 453.6 t
    assert (round(low, 1), round(high, 1)) == (126, 453.6)
    published = rows(
        "select year, importer_iso3, tonnes_low, tonnes_high, consumption_t, consumption_basis, "
        "round(100 * consumption_share_low, 2), round(100 * consumption_share_high, 2), reason "
        "from exposure.relief_scenarios where project = 'MINAMITORISHIMA' and scenario = 'trial'"
    )
    assert published == [
        (2027, "JPN", pytest.approx(low), pytest.approx(high), 18835, "cited", 0.67, 2.41, None)
    ]


def test_a_commercial_mine_is_a_row_of_its_own_that_ramps_up(rows: Rows) -> None:
    """Ten times the trial, a quarter more each year for four years, at the least two years late."""
    published = rows(
        "select year, tonnes_low, tonnes_high, assumptions from exposure.relief_scenarios "
        "where project = 'MINAMITORISHIMA' and scenario = 'commercial' order by year"
    )
    quarters = {2030: (0, 1), 2031: (0, 2), 2032: (1, 3), 2033: (2, 4), 2034: (3, 4), 2035: (4, 4)}
    assert [(year, low, high) for year, low, high, _ in published] == [
        (year, pytest.approx(1260 * low / 4), pytest.approx(4536 * high / 4))
        for year, (low, high) in quarters.items()
    ]
    for assumption in ("mud_t_per_day = 3500", "ramp_years = 4", "delay_years = 0 to 2"):
        assert assumption in published[0][3]
    assert rows(
        "select basis, source like 'Kido: ten times the trial%' from reference.relief_assumptions "
        "where scenario = 'commercial' and assumption = 'mud_t_per_day'"
    ) == [("assumed", True)]


def test_half_of_a_french_plant_is_for_japan(rows: Rows) -> None:
    """JOGMEC: 250 t of dysprosium and 45 t of terbium; the company has 600 t of both in all."""
    assert rows(
        "select tonnes_low, tonnes_high, consumption_t, reason from exposure.relief_scenarios "
        "where project = 'CAREMAG_LACQ_HEAVY' and year = 2032"
    ) == [(250 + 45, 600 / 2, None, "no_code_of_the_material")]


def test_the_plant_that_starts_late_in_2026_delivers_nothing_before_2027(rows: Rows) -> None:
    """METI: a start "late in 2026", deliveries in 2027 at the earliest; then a quarter a year."""
    assert rows(
        "select project, year, tonnes_low, tonnes_high from exposure.relief_scenarios "
        "where project like 'CAREMAG%' and year < 2029 order by all"
    ) == [
        ("CAREMAG_LACQ_HEAVY", 2027, 0, 300 / 4), ("CAREMAG_LACQ_HEAVY", 2028, 0, 300 / 2),
        ("CAREMAG_LACQ_LIGHT", 2027, 0, 800 / 4), ("CAREMAG_LACQ_LIGHT", 2028, 0, 800 / 2),
    ]  # fmt: skip


def test_the_second_phase_of_white_mesa_is_counted_without_the_first(rows: Rows) -> None:
    """From 2029 the mill has 6,000 t of NdPr oxide a year, with the 850 to 1,000 t of today."""
    assert rows(
        "select tonnes_low, tonnes_high from exposure.relief_scenarios "
        "where project = 'WHITE_MESA_2' and material = 'ndpr_oxide' and year = 2034"
    ) == [(6000 - 1000, 6000 - 850)]
    assert rows(
        "select replaced_in_year from reference.supply_projects where project = 'WHITE_MESA_1'"
    ) == [(2029,)]


def test_the_use_that_nobody_cites_is_that_of_trade(rows: Rows) -> None:
    """Of American magnets no production is known: what BACI has of the imports, by weight."""
    ((imports,),) = rows(
        "select sum(net_weight_kg) / 1000 from trade.baci_flows "
        "where importer_iso3 = 'USA' and hs6_code = '850511' and year = 2024 "
        "and hs_revision = 'HS2017'"
    ) or [(None,)]
    published = rows(
        "select consumption_t, consumption_year, consumption_basis, reason "
        "from exposure.relief_scenarios where project = 'MP_10X' and year = 2033"
    )
    assert published == [
        (pytest.approx(imports), 2024, "imports_alone", "production_not_known")
    ]  # fmt: skip


BY_2028 = {
    # Of each page the figure that is a capacity, in tonnes a year, low and high.
    "dy_tb_oxide": {"Mountain Pass": (200, 200), "Lacq": (590, 600)},
    "ndpr_oxide": {"White Mesa, phase 1": (850, 1_000), "Lacq": (800, 800)},
    "rare_earth_oxides": {"Eneabba": (17_500, 17_500), "Silmet": (3_000, 3_000)},
    "feedstock": {"Lynas Malaysia": (0, 5_000)},
    "magnets": {
        "10X, with Independence": (10_000, 10_000), "Narva, phase 1": (2_000, 2_000),
        "Sumter": (2_000, 2_000), "Stillwater, first line": (1_200, 1_200),
        "Columbus": (3_000, 3_000), "Yesan": (1_000, 1_000), "Shin-Etsu Vietnam": (2_200, 2_200),
    },
}  # fmt: skip


def test_capacities_are_added_by_basis_and_never_twice(rows: Rows) -> None:
    """No proposal, no total, no mine, no output; nothing of White Mesa's 2029, and of two phases
    that have the capacity of the first neither is added without a year."""
    assert dict(
        rows(
            "select basis, [coalesce(sum(capacity_t_low), 0), "
            "sum(coalesce(capacity_t_high, capacity_t_low))] from reference.supply_projects "
            "where counted_from_year <= 2028 and coalesce(replaced_in_year > 2028, true) "
            "and stage <> 'mine' and figure_of = 'capacity' "
            "and coalesce(capacity_t_high, capacity_t_low) is not null group by basis"
        )
    ) == {
        basis: [sum(low for low, _ in plants.values()), sum(high for _, high in plants.values())]
        for basis, plants in BY_2028.items()
    }


def test_what_a_plant_includes_is_left_to_the_other(rows: Rows) -> None:
    """10X has 10,000 t with the 1,000 t of Fort Worth, which have rows of their own."""
    assert rows(
        "select max(tonnes_high) filter (project = 'MP_10X'), "
        "max(tonnes_high) filter (project = 'INDEPENDENCE') from exposure.relief_scenarios"
    ) == [(9_000, 1_000)]
    # What operates has no row, nor a proposal.
    assert (
        rows(
            "select distinct project from exposure.relief_scenarios where project in "
            "('NARVA_1', 'SHIN_ETSU_VIETNAM', 'KUANTAN', 'WHITE_MESA_1')"
        )
        == []
    )


def test_the_page_says_what_is_announced_by_basis(rows: Rows) -> None:
    ((figure, period, detail),) = rows(
        "select figure, period, detail from catalog.answers "
        "where importer_iso3 = 'JPN' and position = 15"
    )
    assert (figure, period) == (800, "2028")
    for part in (
        "at least 790 t", "oxide 1,650 to 1,800 t, 3 plants without a capacity",
        # Independence makes metal too, and 10X, which takes over its magnets, does not; Santoku and
        # Shin-Etsu say no year.
        "metal 2 plants without a capacity, 2 plans without a year",
        "magnets 21,400 t, 2 plants without a capacity, 2 plans without a year",
        "(all makers in 2025: 23,750 t)",
    ):  # fmt: skip
        assert part in detail


def test_the_page_says_the_trial_and_the_commercial_mine(rows: Rows) -> None:
    ((subject, figure, period, detail),) = rows(
        "select subject, figure, period, detail from catalog.answers "
        "where importer_iso3 = 'JPN' and position = 14"
    )
    assert subject.startswith("Minamitorishima")
    assert (round(100 * figure, 2), period) == (2.41, "2027")
    assert detail.startswith("0.67 % to 2.41 % of 18,835 t, as cited; Minamitorishima, commercial")
    assert "6.7 % to 24.1 % by 2035" in detail


def test_the_mud_is_a_hundred_times_as_rich_as_the_crust(rows: Rows) -> None:
    """Takaya et al. 2018: 964 ppm on average, almost 8,000 at most; no grade of 2026."""
    assert rows(
        "select figure, amount, qualifier from reference.deposit_grades "
        "where deposit = 'MINAMITORISHIMA' and mineral = 'all_rare_earths' and unit = 'ppm' "
        "and published_date > '2017-01-01' and part not like 'grains%' order by amount"
    ) == [("grade_mean", 964, None), ("grade_max", 8000, "below")]
    assert rows("select max(year(published_date)) from reference.deposit_grades") == [(2018,)]


@pytest.mark.parametrize(
    ("claim", "points_to"),
    [
        ("JP-FULL-TRIAL-2027", "2027"),
        ("JP-SAMPLES-ANALYSED", "reference.deposit_grades"),
        ("JP-SEABED-COULD-RELIEVE", "exposure.relief_scenarios"),
        ("ALLIES-COULD-PARTNER", "reference.supply_projects"),
        ("SPACE-SOLAR", "no publisher"),
        ("CN-GEOPOLITICAL-LEVER", "exposure.joint_exposure"),
    ],
)
def test_what_is_said_of_relief_has_evidence_or_says_what_is_missing(
    rows: Rows, claim: str, points_to: str
) -> None:
    ((verdict, explanation),) = rows(
        "select verdict, explanation from catalog.claims where claim_id = ?", claim
    )
    assert verdict == "not_testable"
    assert points_to in explanation
