"""A file is refused for its totals only where a column of it was lost."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from dagster_project.lake.schemas import TRADE_FLOWS
from dagster_project.quality.runner import evaluate_batch
from dagster_project.quality.suites import LAKE_SUITES
from tests.unit.quality.seeded import PROVENANCE, Row

RULE = "partners_do_not_exceed_the_total"


def a_file(
    totals: int, exceeded: int = 0, breakdowns_exceeded: int = 0, column: str = "transport_code"
) -> pl.DataFrame:
    """Each total is of 100 USD from two partners: 40 and 60, or 40 and 160 where it is exceeded.

    The same again by sea, once more than the total where that breakdown is exceeded.
    """
    rows: list[Row] = []
    for number in range(totals):
        flow: Row = {
            **PROVENANCE, "reporter_iso3": "JPN", "flow": "import", "is_basket": False,
            "commodity_code": "284690", "hs_revision": "HS2022", "frequency": "M",
            "period_start": date(1990 + number // 12, number % 12 + 1, 1), "valuation": "CIF",
            "net_weight_kg": 10.0,
        }  # fmt: skip
        second = 160.0 if number < exceeded else 60.0
        by_sea = 160.0 if number < breakdowns_exceeded else 60.0
        rows += [
            {**flow, "partner_iso3": "WLD", "value_usd": 100.0},
            {**flow, "partner_iso3": "CHN", "value_usd": 40.0},
            {**flow, "partner_iso3": "VNM", "value_usd": second},
            {**flow, "partner_iso3": "WLD", "value_usd": 100.0, column: "KOR"},
            {**flow, "partner_iso3": "CHN", "value_usd": 40.0, column: "KOR"},
            {**flow, "partner_iso3": "VNM", "value_usd": by_sea, column: "KOR"},
        ]
    return pl.DataFrame(rows, schema=TRADE_FLOWS.polars_schema)


@pytest.mark.parametrize(
    ("totals", "exceeded", "is_refused"),
    [
        (100, 0, False),
        (100, 5, False),
        (100, 6, True),
        (100, 100, True),
        (2, 2, False),
        (3, 3, True),
    ],
)
def test_one_total_in_twenty_or_two_of_a_few_may_be_exceeded(
    totals: int, exceeded: int, is_refused: bool
) -> None:
    verdict = evaluate_batch(a_file(totals, exceeded), LAKE_SUITES["trade_flows"])
    assert verdict.is_rejected == is_refused
    assert (RULE in verdict.reason) == is_refused


@pytest.mark.parametrize("column", ["procedure_code", "transport_code", "second_partner_iso3"])
def test_a_breakdown_that_exceeds_its_total_refuses_nothing(column: str) -> None:
    verdict = evaluate_batch(
        a_file(100, breakdowns_exceeded=100, column=column), LAKE_SUITES["trade_flows"]
    )
    assert not verdict.is_rejected, verdict.reason
    assert verdict.accepted.height == 600


def test_a_large_file_is_judged_as_a_small_one() -> None:
    """Read block by block, the share of exceeded totals is that of the whole file."""
    frame = a_file(400, exceeded=30)
    for above in (0, 10_000):
        verdict = evaluate_batch(frame, LAKE_SUITES["trade_flows"], profile_above=above)
        assert verdict.reason.count(RULE) == 1, verdict.reason
