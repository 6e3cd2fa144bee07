"""Formulas of reliance and supply risk on published worked examples, each macro by itself."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest
from jinja2 import Environment

from dagster_project.settings import DBT_PROJECT

MACROS: Any = Environment(extensions=["jinja2.ext.do"]).from_string(
    (DBT_PROJECT / "macros" / "supply_risk.sql").read_text("utf8")
).module  # fmt: skip


def computed(expression: str) -> float | None:
    (value,) = duckdb.execute(f"select {expression}").fetchall()[0]
    return None if value is None else float(value)


def test_the_two_definitions_of_import_reliance_differ_by_what_stocks_lose() -> None:
    """Production 500, imports 1,200, exports 300, 100 drawn from stocks: the USGS's 66.7 %, from
    1,000 of 1,500, and the Commission's 64.3 %, from 900 of 1,400, which knows no stocks."""
    assert computed(MACROS.import_reliance_ec("1200", "300", "500.0")) == pytest.approx(900 / 1400)
    usgs = MACROS.net_import_reliance_usgs("1200", "300", "500.0", "-100")
    assert computed(usgs) == pytest.approx(1000 / 1500)
    # Stocks that grow by 100 are no supply.
    built_up = MACROS.net_import_reliance_usgs("1200", "300", "500.0", "100")
    assert computed(built_up) == pytest.approx(800 / 1300)


def test_with_nothing_left_to_use_there_is_no_reliance() -> None:
    assert computed(MACROS.import_reliance_ec("10", "12", "0.0")) is None
    assert computed(MACROS.import_reliance_ec("0", "100", "500.0")) == pytest.approx(-0.25)


@pytest.mark.parametrize(
    ("used", "world", "sourcing", "reliance", "recycling", "substitution", "risk"),
    [
        # European Commission 2017, tables 3 and 18.
        ("global_and_consumer", 7.1, 5.7, 1.0, 0.28, 0.9, 4.147),
        ("global_and_consumer", 2.9, 1.5, 0.64, 0.02, 1.0, 1.909),
        ("global", 2.4, 9.9, 1.0, 0.0, 1.0, 2.4),
        ("consumer", 9.9, 0.2, 1.0, 0.08, 0.9, 0.166),
        # A reliance below 0 counts as 0.
        ("global_and_consumer", 0.5, 0.7, -0.25, 0.10, 1.0, 0.63),
    ],
)
def test_supply_risk_of_published_inputs(
    used: str, world: float, sourcing: float, reliance: float, recycling: float,
    substitution: float, risk: float,
) -> None:  # fmt: skip
    inputs = [str(value) for value in (world, sourcing, reliance, recycling, substitution)]
    assert computed(MACROS.supply_risk_ec(*inputs, f"'{used}'")) == pytest.approx(risk, abs=1e-3)


def test_a_geometric_mean_is_null_without_a_factor_and_zero_with_a_zero() -> None:
    assert computed(MACROS.supply_risk_geometric("0.5", "1", "0.25")) == pytest.approx(0.5)
    assert computed(MACROS.supply_risk_geometric("0.5", "0", "0.25")) == 0
    assert computed(MACROS.supply_risk_geometric("0.5", "null::double", "0.25")) is None


@pytest.mark.parametrize(
    ("cdi1", "cdi2", "cdi3", "is_dependent"),
    [
        (0.41, "0.51", "1.01", True),
        (0.40, "0.51", "1.01", False),
        (0.41, "0.50", "1.01", False),
        (0.41, "0.51", "1.00", False),
        (0.41, "null", "null", True),
    ],
)
def test_a_product_is_strategic_above_all_three_thresholds(
    cdi1: float, cdi2: str, cdi3: str, is_dependent: bool
) -> None:
    """SWD(2021) 352: 0.4, 0.5 and 1, each exceeded."""
    rule = MACROS.is_strategic_dependency(str(cdi1), f"{cdi2}::double", f"{cdi3}::double")
    assert bool(computed(f"({rule})::int")) is is_dependent


@pytest.mark.parametrize("own", [0.0, 0.2, 0.45, 0.6, 1.0])
def test_the_least_with_an_own_part_is_below_every_part_between_the_bounds(own: float) -> None:
    least = computed(MACROS.least_with_own_part("6.0", "4.0", "0.2", "1.0"))
    most = max(
        float(computed(MACROS.with_own_part("6.0", "4.0", end)) or 0) for end in ("0.2", "1.0")
    )
    part = computed(MACROS.with_own_part("6.0", "4.0", str(own)))
    assert least is not None
    assert part is not None
    if own >= 0.2:
        assert least - 1e-12 <= part <= most + 1e-12
    assert least == pytest.approx(6 * 4 / 10)
