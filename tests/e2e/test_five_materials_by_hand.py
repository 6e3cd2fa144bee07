"""Japan's supply risk of 2024, worked out by hand for five materials from the published file.

Each test states its inputs as printed in the file, rounded, and takes them from there unrounded:
shares of the world's production (`dependency.production_shares`), shares of Japan's imports
(`dependency.supplier_shares`), tons of trade and production (`dependency.import_reliance`).
Governance is worked out from the six World Governance Indicators as they are bundled. Recycling and
substitution are of the European Commission's study of 2017.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

import pytest

from dagster_project.settings import BUNDLED

Rows = Callable[..., list[tuple[Any, ...]]]

CHINA_RESTRICTS_GRAPHITE = 1.1
"""CN-2023-39, licences for graphite, is in force on 2024-12-31; no other of the five is restricted
to Japan on that day."""

OWN = 0.8
"""The trade parameter of a consumer's own production."""


@cache
def governance() -> Mapping[str, float]:
    """0 the best, 10 the worst: (2.5 - mean of six estimates) x 2, of the last year, 2021."""
    with (BUNDLED / "wgi" / "estimates.csv").open(encoding="utf8") as file:
        rows = [row for row in csv.DictReader(file) if row["year"] == "2021"]
    estimates = {
        row["economy_iso3"]: [
            float(row[indicator])
            for indicator in (
                "voice_and_accountability", "political_stability", "government_effectiveness",
                "regulatory_quality", "rule_of_law", "control_of_corruption",
            )
            if row[indicator]
        ]
        for row in rows
    }  # fmt: skip
    return {
        economy: (2.5 - sum(values) / 6) * 2
        for economy, values in estimates.items()
        if len(values) == 6
    }


def weighted(shares: Mapping[str, float], trade: Mapping[str, float] | None = None) -> float:
    """Sum of squared shares x governance x trade parameter, over who has a score."""
    trade = trade or {}
    return sum(
        share**2 * governance()[economy] * trade.get(economy, 1.0)
        for economy, share in shares.items()
        if economy in governance()
    )


@pytest.fixture(scope="module")
def producers(built: object, request: pytest.FixtureRequest) -> Iterator[Callable[..., Any]]:
    import duckdb

    with duckdb.connect(str(built / "kido.duckdb"), read_only=True) as connection:  # type: ignore[operator]

        def shares(material: str, stage: str, source: str, period: str) -> dict[str, float]:
            return dict(
                connection.execute(
                    "select economy_iso3, share from dependency.production_shares "
                    "where material = ? and stage = ? and source = ? and reference_period = ? "
                    "and share is not null and economy_iso3 <> '_X'",
                    [material, stage, source, period],
                ).fetchall()
            )

        yield shares


def suppliers(rows: Rows, group: str) -> dict[str, float]:
    return dict(
        rows(
            "select supplier_iso3, share from dependency.supplier_shares "
            "where importer_iso3 = 'JPN' and mineral_group = ? and frequency = 'A' "
            "and period_start = '2024-01-01' and measure = 'net_weight_kg'",
            group,
        )
    )


def tons(rows: Rows, group: str) -> tuple[float, float, float]:
    ((imports, exports, production),) = rows(
        "select imports_t, exports_t, production_t from dependency.import_reliance "
        "where economy_iso3 = 'JPN' and mineral_group = ? and year = 2024",
        group,
    )
    return imports, exports, production


def published(rows: Rows, material: str, stage: str) -> tuple[float, float, float, float]:
    ((world, sourcing, reliance, risk),) = rows(
        "select hhi_global_supply, hhi_consumer_sourcing, import_reliance, supply_risk "
        "from dependency.supply_risk where assessment = 'kido 2024' and method = 'ec_2017' "
        "and consumer_iso3 = 'JPN' and material = ? and stage = ?",
        material, stage,
    )  # fmt: skip
    return world, sourcing, reliance, risk


def test_governance_of_the_largest_suppliers() -> None:
    assert governance()["CHN"] == pytest.approx(5.501, abs=5e-4)
    assert governance()["BRA"] == pytest.approx(5.512, abs=5e-4)
    assert governance()["COD"] > governance()["CHN"] > governance()["JPN"]


def test_magnesium(rows: Rows, producers: Callable[..., dict[str, float]]) -> None:
    world = producers("magnesium", "processing", "usgs_mcs", "2024")
    assert world["CHN"] == pytest.approx(953_000 / 1_080_000, abs=1e-4)
    of_world = weighted(world)
    assert of_world == pytest.approx(0.8824**2 * 5.501 + 0.0546**2 * 6.408, abs=0.01)

    imports = suppliers(rows, "hs_810411")
    assert imports["CHN"] == pytest.approx(20_068.6 / 20_317.7, abs=1e-3)
    of_japan = weighted(imports)

    bought, sold, made = tons(rows, "hs_810411")
    assert (round(bought), round(sold), made) == (20_318, 185, 0)
    reliance = (bought - sold) / (made + bought - sold)
    assert reliance == 1

    # All is imported: half of the weight on the world, half on Japan's own sourcing.
    risk = (of_world * 0.5 + of_japan * 0.5) * (1 - 0.09) * 0.9
    assert published(rows, "magnesium", "processing") == pytest.approx(
        (of_world, of_japan, reliance, risk)
    )
    assert risk == pytest.approx(3.96, abs=5e-3)


def test_natural_graphite(rows: Rows, producers: Callable[..., dict[str, float]]) -> None:
    world = producers("natural_graphite", "extraction", "usgs_mcs", "2024")
    assert world["CHN"] == pytest.approx(1_270_000 / 1_550_000, abs=1e-4)
    of_world = weighted(world, {"CHN": CHINA_RESTRICTS_GRAPHITE})

    imports = suppliers(rows, "natural_graphite")
    assert imports["CHN"] == pytest.approx(0.8903, abs=5e-5)
    of_japan = weighted(imports, {"CHN": CHINA_RESTRICTS_GRAPHITE})

    bought, sold, made = tons(rows, "natural_graphite")
    assert (round(bought), round(sold), made) == (46_207, 2_117, 0)

    risk = (of_world * 0.5 + of_japan * 0.5) * (1 - 0.03) * 1.0
    assert published(rows, "natural_graphite", "extraction") == pytest.approx(
        (of_world, of_japan, 1.0, risk)
    )
    assert risk == pytest.approx(4.32, abs=5e-3)


def test_niobium(rows: Rows, producers: Callable[..., dict[str, float]]) -> None:
    world = producers("niobium", "processing", "ec_crm", "2016/2020")
    assert world == {"BRA": 0.888, "CAN": 0.112}
    of_world = 0.888**2 * governance()["BRA"] + 0.112**2 * governance()["CAN"]

    imports = suppliers(rows, "hs_720293")
    assert imports["BRA"] == pytest.approx(5_804.6 / 5_934.9, abs=1e-4)
    of_japan = weighted(imports)

    # Nobody but Brazil and Canada makes it, so that all of Japan's is imported.
    _, _, made = tons(rows, "hs_720293")
    assert made == 0
    risk = (of_world * 0.5 + of_japan * 0.5) * (1 - 0.0) * 0.9
    assert published(rows, "niobium", "processing") == pytest.approx(
        (of_world, of_japan, 1.0, risk)
    )
    assert risk == pytest.approx(4.34, abs=5e-3)


def test_bismuth_that_japan_makes_itself(
    rows: Rows, producers: Callable[..., dict[str, float]]
) -> None:
    world = producers("bismuth", "processing", "usgs_mcs", "2024")
    assert world["CHN"] == pytest.approx(14_000 / 16_300, abs=1e-4)
    of_world = weighted(world, {"JPN": OWN})

    bought, sold, made = tons(rows, "hs_810600")
    assert (round(bought), round(sold), made) == (268, 191, 500)
    reliance = (bought - sold) / (made + bought - sold)
    assert reliance == pytest.approx(77 / 577, abs=1e-3)

    # What Japan makes is a part of its supply: 500 of 768 t.
    own = made / (made + bought)
    supply = {s: share * (1 - own) for s, share in suppliers(rows, "hs_810600").items()}
    supply["JPN"] = own
    assert own == pytest.approx(0.651, abs=5e-4)
    of_japan = weighted(supply, {"JPN": OWN})

    risk = (of_world * reliance / 2 + of_japan * (1 - reliance / 2)) * (1 - 0.01) * 0.9
    assert published(rows, "bismuth", "processing") == pytest.approx(
        (of_world, of_japan, reliance, risk)
    )
    assert risk == pytest.approx(1.21, abs=5e-3)


def test_cobalt_of_the_mine_by_the_worlds_supply_alone(
    rows: Rows, producers: Callable[..., dict[str, float]]
) -> None:
    """Trade in ore (HS 2605) is not bundled: Japan's sourcing is not known, and nothing is made up.

    Namibia forbids exports of unprocessed cobalt since 2023, and produces none of it.
    """
    world = producers("cobalt", "extraction", "usgs_mcs", "2024")
    assert max(world, key=lambda economy: world[economy]) == "COD"
    assert "NAM" not in world
    of_world = weighted(world)
    risk = of_world * (1 - 0.0) * 1.0
    assert published(rows, "cobalt", "extraction") == (
        pytest.approx(of_world), None, None, pytest.approx(risk),
    )  # fmt: skip
    ((used, missing),) = rows(
        "select supply_used, missing_factors from dependency.supply_risk "
        "where assessment = 'kido 2024' and method = 'ec_2017' and consumer_iso3 = 'JPN' "
        "and material = 'cobalt' and stage = 'extraction'"
    )
    assert used == "global"
    assert missing == ["hhi_consumer_sourcing", "import_reliance"]
