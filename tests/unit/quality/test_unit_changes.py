"""A step fits a unit where most of a document makes it; one code's own step fits none."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
import pytest

from dagster_project.quality.unit_changes import flag_unit_changes

HONEST = (0.5, 0.7, 0.8, 0.9, 0.95, 1.0, 1.05, 1.1, 1.3, 1.6)
"""Steps of ten codes from one year to the next."""


def fits(
    steps: Sequence[float], typical: Sequence[float] | None = None, *, is_weight: bool = True
) -> list[bool]:
    totals = pl.DataFrame(
        {"document": "file.csv", "step": steps, "typical": typical or steps, "is_weight": is_weight}
    )
    found: list[bool] = flag_unit_changes(totals, ["document"])["is_unit_change"].to_list()
    return found


@pytest.mark.parametrize("power", [10.0, 100.0, 1000.0, 1e6])
@pytest.mark.parametrize("is_up", [True, False])
def test_a_document_of_ten_codes_in_another_power_of_ten_fits(power: float, is_up: bool) -> None:
    factor = power if is_up else 1 / power
    found = fits([step * factor for step in HONEST], is_weight=False)
    assert sum(found) >= 8
    assert not any(fits(HONEST, is_weight=False))


@pytest.mark.parametrize("factor", [35.274, 28.3495, 907.185, 453.592, 2204.62])
def test_ounces_and_short_tons_fit_weights(factor: float) -> None:
    assert sum(fits([step / factor for step in HONEST])) >= 8


@pytest.mark.parametrize("factor", [2.20462, 1 / 2.20462])
def test_pounds_fit_twenty_weights_and_no_values(factor: float) -> None:
    steps = [step * factor for step in (*HONEST, *HONEST)]
    assert sum(fits(steps)) >= 14
    assert not any(fits(steps, is_weight=False))
    # Of fewer, half may step so by themselves.
    assert not any(fits(steps[:19]))


def test_one_code_of_ten_that_is_a_thousand_times_another_fits_nothing() -> None:
    assert not any(fits([*HONEST[:9], 1000.0]))
    assert sum(fits([*HONEST[:5], *(1000.0 * step for step in HONEST[5:])])) == 5
    assert not any(fits([*HONEST[:6], *(1000.0 * step for step in HONEST[6:])]))


def test_ten_codes_may_be_off_a_unit_by_a_factor_of_two_and_nine_may_not() -> None:
    assert fits([7.0] * 10, is_weight=False) == [True] * 10
    assert not any(fits([7.0] * 9, is_weight=False))
    assert fits([19.0] * 10, is_weight=False) == [True] * 10
    assert not any(fits([25.0] * 10, is_weight=False))


@pytest.mark.parametrize("step", [7.0, 1 / 7, 6.69, 12.0, 1 / 12, 20.0])
def test_a_document_of_one_code_may_step_between_the_units(step: float) -> None:
    assert fits([step]) == [False]


@pytest.mark.parametrize("step", [10.0, 0.1, 9.5, 1000.0, 1 / 1000, 700.0, 1400.0, 35.274])
def test_a_document_of_one_or_two_codes_in_another_unit_fits(step: float) -> None:
    assert fits([step]) == [True]
    assert fits([step, 1.1]) == [True, False]


def test_a_total_that_steps_by_one_of_its_rows_fits_nothing() -> None:
    """Tin ore in 2014, by weight: 63 times, and the typical flow 0.84 times."""
    assert fits([62.5], [0.84]) == [False]
    assert fits([10.0], [0.93]) == [False]


def test_documents_are_judged_apart() -> None:
    totals = pl.DataFrame(
        {
            "document": ["right.csv"] * 10 + ["slip.csv"],
            "step": [*HONEST, 1000.0], "typical": [*HONEST, 1000.0], "is_weight": False,
        }
    )  # fmt: skip
    assert flag_unit_changes(totals, ["document"])["is_unit_change"].to_list() == [False] * 10 + [
        True
    ]


@pytest.mark.parametrize("step", [0.0, None, float("inf")])
def test_what_is_no_step_fits_nothing(step: float | None) -> None:
    totals = pl.DataFrame(
        {"document": "f", "step": [step], "typical": [step], "is_weight": True},
        schema_overrides={"step": pl.Float64, "typical": pl.Float64},
    )
    assert flag_unit_changes(totals, ["document"])["is_unit_change"].to_list() == [False]


def test_no_totals_give_no_units() -> None:
    nothing = pl.DataFrame(
        schema={"d": pl.String, "step": pl.Float64, "typical": pl.Float64, "is_weight": pl.Boolean}
    )
    assert flag_unit_changes(nothing, ["d"]).columns == [*nothing.columns, "is_unit_change"]
