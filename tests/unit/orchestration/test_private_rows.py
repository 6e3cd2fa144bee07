"""Rows of private sources: counted in checks and previews, shown in neither."""

from __future__ import annotations

import duckdb
import polars as pl
import pytest

from dagster_project.orchestration.preview import mart_preview
from dagster_project.orchestration.private_rows import PrivateRows
from dagster_project.quality.results import CheckResult
from dagster_project.sources.registry import all_sources
from tests.unit.quality.seeded import TODAY

PRIVATE = PrivateRows(frozenset({"mine"}), frozenset({"m1"}), ["market.prices"])


def failed(sample: pl.DataFrame | None, table: str = "market.prices") -> CheckResult:
    return CheckResult(
        "mart", table, "close_is_usual", "great_expectations", "warn", "failed",
        "2 of 9 rows, first 4711", 2, sample, "Unusual.", rows=9, values=("4711",),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("sample", "is_shown"),
    [
        (pl.DataFrame({"close": [4711.0], "snapshot_ids": [["e1"]]}), True),
        (pl.DataFrame({"close": [1.0, 4711.0], "snapshot_ids": [["e1"], ["e1", "m1"]]}), False),
        (pl.DataFrame({"close": [4711.0], "snapshot_id": ["m1"]}), False),
        (pl.DataFrame({"close": [4711.0]}), False),
        (None, False),
    ],
    ids=["public", "in part private", "private", "without snapshots", "without rows"],
)
def test_values_are_shown_only_of_rows_that_are_not_private(
    sample: pl.DataFrame | None, is_shown: bool
) -> None:
    (result,) = PRIVATE.hide([failed(sample)])
    if is_shown:
        assert (result.observed, result.values) == ("2 of 9 rows, first 4711", ("4711",))
    else:
        assert (result.observed, result.values, result.sample) == ("2 of 9 rows", (), None)
    assert (result.status, result.failing_rows) == ("failed", 2)


def test_a_table_without_private_sources_shows_its_rows() -> None:
    (result,) = PRIVATE.hide([failed(None, "trade.baci_flows")])
    assert result.observed == "2 of 9 rows, first 4711"


def test_a_preview_counts_private_rows_and_shows_the_others() -> None:
    with duckdb.connect() as connection:
        connection.execute(
            "create schema catalog; create schema market;"
            "create table catalog.snapshots as select * from (values ('e1', 'ecb'), "
            "('m1', 'rare_earth_prices')) as rows(snapshot_id, source);"
            "create table market.prices as select * from (values (1.5, ['e1']), "
            "(4711.0, ['e1', 'm1'])) as rows(close, snapshot_ids)"
        )
        count, _, rows = mart_preview(connection, "market", "prices", TODAY)
    assert count == 2
    assert [str(row["close"]) for row in rows] == ["1.5"]


def test_only_own_files_and_rows_under_terms_are_private() -> None:
    cards = {name: source.CARD for name, source in all_sources().items()}
    private = {name for name, card in cards.items() if card.is_private}
    assert private == {"rare_earth_prices", "exchange_prices", "gta"}
    assert not [name for name in private if cards[name].bundled or cards[name].is_redistributable]
