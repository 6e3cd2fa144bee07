"""Properties of the rule of early warnings, in the models that every warning is read from."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.dbt_project import Project

FIGURES = "intermediate.int_exposure__list_watched_figures"
SCORES = "intermediate.int_exposure__score_periods"

INPUTS = {
    "intermediate.int_exposure__bound_code_shares": (
        "implementer_iso3 varchar, direction varchar, commodity_code varchar"
    ),
    "dependency.import_concentration": (
        "source varchar, importer_iso3 varchar, mineral_group varchar, frequency varchar, "
        "period_start date, measure varchar, total_amount double, weight_coverage_share double, "
        "top_supplier_share double, top_supplier_iso3 varchar, comparable_since date, "
        "is_provisional boolean, snapshot_ids varchar[]"
    ),
    "intermediate.int_trade__list_monthly_supplies": (
        "source varchar, flow varchar, importer_iso3 varchar, supplier_iso3 varchar, "
        "commodity_code varchar, period_start date, value_usd double, net_weight_kg double, "
        "is_provisional boolean, era integer, snapshot_ids varchar[]"
    ),
    "reference.mineral_group_codes": "mineral_group varchar, hs6_code varchar",
    "seeds.seed_source_precedence": "source varchar, is_cut_list boolean",
}

Scored = dict[int, tuple[bool | None, float | None, float | None]]
Score = Callable[[Sequence[tuple[int, float]]], Scored]


@pytest.fixture(scope="module")
def score(tmp_path_factory: pytest.TempPathFactory) -> Score:
    """Weights of years -> by year whether it fired, the scaled deviation and the limit."""
    compiled = dict(Project(tmp_path_factory.mktemp("target")).compiled())
    # Sixteen rows: more threads only wait for each other.
    connection = duckdb.connect(config={"threads": 1})
    connection.execute("attach ':memory:' as kido")
    for table, columns in INPUTS.items():
        connection.execute(f"create schema if not exists kido.{table.split('.')[0]}")
        connection.execute(f"create table kido.{table} ({columns})")
    connection.execute(f"create view kido.{FIGURES} as {compiled[FIGURES]}")
    connection.execute(
        "insert into kido.intermediate.int_exposure__bound_code_shares "
        "values ('CHN', 'restrict', '280530')"
    )

    def score(weights: Sequence[tuple[int, float]]) -> Scored:
        connection.execute("delete from kido.dependency.import_concentration")
        connection.execute(
            "insert into kido.dependency.import_concentration select 's', 'JPN', 'hs_280530', 'A', "
            "make_date(year, 1, 1), 'net_weight_kg', kg, 1, null, null, null, false, ['a'] "
            "from (select unnest($1) as year, unnest($2) as kg)",
            [list(column) for column in zip(*weights, strict=True)],
        )
        found: list[tuple[Any, ...]] = connection.execute(
            "select year(period_start), has_fired, scaled_mads, threshold "
            f"from ({compiled[SCORES]})"
        ).fetchall()
        return {year: (fired, deviation, limit) for year, fired, deviation, limit in found}

    return score


WEIGHTS = st.lists(st.floats(1, 1e6), min_size=6, max_size=16)


def as_years(weights: Sequence[float]) -> list[tuple[int, float]]:
    return [(2001 + n, weight) for n, weight in enumerate(weights)]


def same(one: float | None, other: float | None) -> bool:
    return one == other or (
        one is not None
        and other is not None
        and math.isclose(one, other, rel_tol=1e-6, abs_tol=1e-6)
    )


@settings(max_examples=25, deadline=None)
@given(WEIGHTS, st.sampled_from([1e-3, 0.4536, 7, 1e3]))
def test_a_series_in_another_unit_gives_the_same_warnings(
    score: Score, weights: list[float], factor: float
) -> None:
    here, there = score(as_years(weights)), score(as_years([w * factor for w in weights]))
    assert len(here) == len(weights)
    for year, (fired, deviation, limit) in here.items():
        fired_there, deviation_there, limit_there = there[year]
        assert same(deviation, deviation_there)
        assert limit is None or same(limit * factor / limit_there if limit_there else None, 1.0)
        # On the limit itself the last bit decides.
        is_on_it = limit is not None and math.isclose(weights[year - 2001], limit, rel_tol=1e-9)
        assert fired == fired_there or is_on_it


@settings(max_examples=25, deadline=None)
@given(WEIGHTS, st.randoms(use_true_random=False))
def test_the_order_of_the_rows_changes_nothing(
    score: Score, weights: list[float], rng: random.Random
) -> None:
    years = as_years(weights)
    assert score(rng.sample(years, len(years))) == score(years)


@settings(max_examples=25, deadline=None)
@given(WEIGHTS, st.integers(1, 6))
def test_a_year_is_judged_by_what_is_before_it_alone(
    score: Score, weights: list[float], later: int
) -> None:
    """A warning of the past is the same when later figures are there."""
    years = as_years(weights)
    past = years[: max(1, len(years) - later)]
    whole = score(years)
    assert score(past) == {year: whole[year] for year, _ in past}
