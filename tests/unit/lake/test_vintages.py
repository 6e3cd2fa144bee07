"""Which rows count on a day, by hand: the words are those of `dbt/macros/vintages.sql`."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import polars as pl
import pytest

from dagster_project.lake.schemas import (
    COVERAGE,
    INSTANT,
    LAKE_TABLES,
    MATERIAL_LABELS,
    MILESTONES,
    PRODUCTION,
    RESTRICTION_SCOPE,
    TRADE_FLOWS,
    LakeTable,
)
from dagster_project.lake.vintages import current_rows, not_withdrawn

TODAY = date(2026, 11, 26)
_REQUIRED: dict[Any, Any] = {
    pl.String: "x", pl.Boolean: False, pl.Date: date(2024, 1, 1), pl.Int32: 2024, pl.Int64: 1,
    pl.Float64: 1.0, INSTANT: datetime(2026, 1, 1), pl.List(pl.String): [],
}  # fmt: skip


def rows(table: LakeTable, *given: dict[str, Any]) -> pl.DataFrame:
    """Rows of which only what matters is named; `came` is the instant of vintage and snapshot."""
    frames = []
    for row in given:
        came = row.pop("came", datetime(2026, 1, 1))
        output = {"vintage_at": came, "snapshot_id": f"x-{came:%Y%m%dT%H%M%S%f}", **row}
        required = {
            name: _REQUIRED[column.dtype]
            for name, column in table.columns.items()
            if not column.nullable and name not in output
        }
        frames.append(table.conform(pl.DataFrame([{**required, **output}])))
    return pl.concat(frames)


def flow(partner: str, value: float, **output: Any) -> dict[str, Any]:
    return {"partner_iso3": partner, "value_usd": value, **output}


def counting(table: LakeTable, of: pl.DataFrame, column: str, day: date = TODAY) -> list[Any]:
    return current_rows(table, of, day)[column].to_list()


def test_of_each_slice_the_newest_vintage_counts_as_a_whole() -> None:
    first, second = datetime(2026, 1, 1), datetime(2026, 2, 1)
    found = rows(
        TRADE_FLOWS,
        flow("CHN", 1, came=first), flow("VNM", 2, came=first),
        flow("CHN", 3, came=second),
        flow("VNM", 4, came=first, commodity_code="280530"),
    )  # fmt: skip
    # Viet Nam's is gone with the vintage; the other code is a slice of its own.
    assert counting(TRADE_FLOWS, found, "value_usd") == [3, 4]
    assert counting(TRADE_FLOWS, found[::-1], "value_usd") == [4, 3]


def test_a_figure_counts_from_the_day_it_was_retrieved() -> None:
    found = rows(
        TRADE_FLOWS,
        flow("CHN", 1, came=datetime(2026, 1, 1)),
        flow("CHN", 2, came=datetime(2026, 2, 1, 23, 59)),
    )
    assert counting(TRADE_FLOWS, found, "value_usd", date(2025, 12, 31)) == []
    assert counting(TRADE_FLOWS, found, "value_usd", date(2026, 1, 1)) == [1]
    assert counting(TRADE_FLOWS, found, "value_usd", date(2026, 1, 31)) == [1]
    assert counting(TRADE_FLOWS, found, "value_usd", date(2026, 2, 1)) == [2]


def test_a_later_edition_counts_before_an_earlier_one_whenever_it_was_retrieved() -> None:
    old, new = datetime(2026, 1, 1), datetime(2026, 2, 1)
    found = rows(
        PRODUCTION,
        {"edition": 2026, "amount_t": 1.0, "came": old},
        {"edition": 2025, "amount_t": 2.0, "came": new},
    )
    assert counting(PRODUCTION, found, "amount_t") == [1]
    again = rows(PRODUCTION, {"edition": 2026, "amount_t": 3.0, "came": new})
    assert counting(PRODUCTION, pl.concat([found, again]), "amount_t") == [3]


def test_an_edition_that_is_not_known_comes_last() -> None:
    table = LAKE_TABLES["reconciled_trade"]
    found = rows(
        table,
        {"edition": None, "value_usd": 1.0, "came": datetime(2026, 2, 1)},
        {"edition": 202401, "value_usd": 2.0, "came": datetime(2026, 1, 1)},
    )
    assert counting(table, found, "value_usd") == [2]


def test_of_one_instant_the_later_landed_counts_then_the_name() -> None:
    came = datetime(2026, 1, 1)
    found = rows(
        TRADE_FLOWS,
        flow("CHN", 1, came=came, snapshot_id="a-20260103T000000000001"),
        flow("CHN", 2, came=came, snapshot_id="z-20260102T000000000000"),
    )
    assert counting(TRADE_FLOWS, found, "value_usd") == [1]
    same = rows(
        TRADE_FLOWS,
        flow("CHN", 3, came=came, snapshot_id="b-20260103T000000000001-2"),
    )
    assert counting(TRADE_FLOWS, pl.concat([found, same]), "value_usd") == [3]


def test_a_code_that_its_publisher_was_asked_for_again_and_did_not_send_is_withdrawn() -> None:
    first, second = datetime(2026, 1, 1), datetime(2026, 2, 1)
    of = {"snapshot_id": "s1", "came": first}
    found = rows(
        TRADE_FLOWS,
        flow("CHN", 1, commodity_code="284610", **of),
        flow("CHN", 2, commodity_code="284610", flow="export", **of),
        flow("CHN", 3, commodity_code="280530", **of),
        flow("CHN", 4, commodity_code="284610", period_start=date(2023, 1, 1), **of),
    )  # fmt: skip
    asks = rows(
        COVERAGE,
        {"table_name": "trade_flows", "rows": 1, "snapshot_id": "s2", "came": second},
        {"table_name": "trade_flows", "rows": 0, "period_start": date(2023, 1, 1),
         "snapshot_id": "s2", "came": second},
    )  # fmt: skip

    def left(asked: dict[str, list[str]], day: date = TODAY) -> list[Any]:
        return not_withdrawn(TRADE_FLOWS, found, asks, asked, day)["value_usd"].to_list()

    # Neither exports were asked for nor the other code, and of 2023 nothing is published.
    assert left({"s2": ["284610", "284690"]}) == [2, 3, 4]
    assert left({"s2": ["284610"]}, date(2026, 1, 31)) == [1, 2, 3, 4]
    assert left({}) == [1, 2, 3, 4]


def fact(title: str, **output: Any) -> dict[str, Any]:
    return {"milestone_id": "M", "title": title, "evidence_class": "reported", **output}


def test_of_two_lists_that_speak_of_one_fact_the_better_evidence_counts_then_the_newer() -> None:
    old, new = datetime(2026, 1, 1), datetime(2026, 2, 1)
    found = rows(
        MILESTONES,
        fact("act", document="a", evidence_class="official", came=old),
        fact("press", document="b", came=new),
        fact("practice", document="c", evidence_class="de_facto", came=new),
    )
    assert counting(MILESTONES, found, "title") == ["act"]
    assert counting(MILESTONES, found[1:], "title") == ["press"]
    assert counting(MILESTONES, found[2:], "title") == ["practice"]
    two = rows(
        MILESTONES,
        fact("older", document="a", came=old), fact("newer", document="b", came=new),
        fact("other", document="a", came=old, milestone_id="N"),
    )  # fmt: skip
    assert counting(MILESTONES, two, "title") == ["newer", "other"]


def test_a_fact_counts_from_the_day_it_was_known_in_the_newest_text() -> None:
    found = rows(
        MILESTONES,
        fact("first text", known_at=date(2024, 5, 1), came=datetime(2026, 1, 1)),
        fact("newest text", known_at=date(2024, 5, 2), came=datetime(2026, 2, 1)),
    )
    # Whenever it was retrieved; and before it was known, the older text does not count either.
    assert counting(MILESTONES, found, "title", date(2024, 5, 2)) == ["newest text"]
    assert counting(MILESTONES, found, "title", date(2024, 5, 1)) == []


def test_of_one_subject_all_rows_of_the_list_that_counts_are_kept() -> None:
    old, new = datetime(2026, 1, 1), datetime(2026, 2, 1)
    found = rows(
        RESTRICTION_SCOPE,
        {"clause_id": "C", "hs_code": "280530", "document": "a", "came": old},
        {"clause_id": "C", "hs_code": "284610", "document": "b", "came": new},
        {"clause_id": "C", "hs_code": "284690", "document": "b", "came": new},
    )
    codes = ["284610", "284690"]
    assert counting(RESTRICTION_SCOPE, found, "hs_code", date(2000, 1, 1)) == codes


def test_a_list_that_lacks_a_label_has_dropped_it() -> None:
    found = rows(
        MATERIAL_LABELS,
        {"label": "Tin", "came": datetime(2026, 1, 1)},
        {"label": "Zinc", "came": datetime(2026, 1, 1)},
        {"label": "Tin", "came": datetime(2026, 2, 1)},
        {"label": "Lead", "source": "y", "came": datetime(2026, 1, 1)},
    )
    assert counting(MATERIAL_LABELS, found, "label") == ["Tin", "Lead"]


@pytest.mark.parametrize("table", LAKE_TABLES.values(), ids=lambda table: table.name)
def test_of_no_rows_none_count_and_the_columns_stay(table: LakeTable) -> None:
    assert current_rows(table, table.empty(), TODAY).schema == table.polars_schema
    one = rows(table, {"known_at": date(2024, 1, 1)} if "known_at" in table.columns else {})
    assert current_rows(table, one, TODAY).equals(one)
