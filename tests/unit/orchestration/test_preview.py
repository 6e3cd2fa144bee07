"""What a table shows at a glance, on tables small enough to read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import duckdb
import polars as pl
import pytest

from dagster_project.lake.schemas import CLAIMS
from dagster_project.lake.store import Store
from dagster_project.lake.tables import Lake, Record, TableRecord
from dagster_project.orchestration.preview import (
    LONGEST_CELL,
    ROWS,
    lake_reach,
    mart_preview,
    period_column,
)

TODAY = date(2026, 11, 25)


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as found:
        found.execute("create schema mart")
        yield found


def test_japan_comes_first_then_the_latest_then_the_largest_share(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    connection.execute(
        "create table mart.shares as from (values "
        "('DEU', 'CHN', date '2024-01-01', 0.9::double), ('JPN', 'VNM', date '2024-01-01', 0.3), "
        "('JPN', 'CHN', date '2023-01-01', 0.7), ('JPN', 'CHN', date '2024-01-01', 0.6)"
        ") as rows (importer_iso3, supplier_iso3, period_start, share)"
    )
    count, latest, rows = mart_preview(connection, "mart", "shares", TODAY)
    assert (count, latest) == (4, "2024-01-01")
    assert [tuple(row.values()) for row in rows] == [
        ("JPN", "CHN", date(2024, 1, 1), "0.6"),
        ("JPN", "VNM", date(2024, 1, 1), "0.3"),
        ("JPN", "CHN", date(2023, 1, 1), "0.7"),
        ("DEU", "CHN", date(2024, 1, 1), "0.9"),
    ]


def test_what_is_after_the_day_of_the_build_is_last_and_no_latest_period(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    connection.execute(
        "create table mart.status as from (values "
        "('JPN', date '2028-01-01'), ('KOR', date '2026-11-25'), "
        "('KOR', null), ('KOR', date '2025-11-08')) as rows (target_iso3, valid_from)"
    )
    _, latest, rows = mart_preview(connection, "mart", "status", TODAY)
    assert latest == "2026-11-25"
    assert [row["valid_from"] for row in rows] == [
        date(2026, 11, 25), date(2025, 11, 8), None, date(2028, 1, 1),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("column", "kept", "ahead"),
    [
        ("year", 2026, 2027),
        ("published_at", datetime(2026, 11, 25, 23, 59), datetime(2026, 11, 26)),
    ],
)
def test_years_and_instants_have_a_day_too(
    connection: duckdb.DuckDBPyConnection, column: str, kept: object, ahead: object
) -> None:
    connection.execute(f"create table mart.t as select unnest(?) as {column}", [[ahead, kept]])
    _, latest, rows = mart_preview(connection, "mart", "t", TODAY)
    assert latest == str(kept)
    assert [row[column] for row in rows] == [kept, ahead]


def test_a_table_that_is_ahead_altogether_has_no_latest_period(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    connection.execute("create table mart.t as select date '2030-01-01' as valid_from")
    assert mart_preview(connection, "mart", "t", TODAY) == (
        1, "", [{"valid_from": date(2030, 1, 1)}]
    )  # fmt: skip


def test_an_empty_table_reports_that_it_is_empty(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("create table mart.t (importer_iso3 varchar, period_start date)")
    assert mart_preview(connection, "mart", "t", TODAY) == (0, "", [])


def test_a_list_without_time_shows_its_rows_and_no_period(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    connection.execute(
        "create table mart.t as from (values ('gallium', 'hs_811292'), "
        "('cerium', 'rare_earths')) as rows (mineral, mineral_group)"
    )
    count, latest, rows = mart_preview(connection, "mart", "t", TODAY)
    assert (count, latest) == (2, "")
    assert [row["mineral"] for row in rows] == ["cerium", "gallium"]


def test_a_preview_has_short_texts_no_empty_columns_and_few_rows(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    connection.execute(
        "create table mart.t as select repeat('a', 200) as statement, null::varchar as remark, "
        "1234567.891 as value_usd, 0.123456789::double as share from range(50)"
    )
    count, _, rows = mart_preview(connection, "mart", "t", TODAY)
    assert count == 50
    assert len(rows) == ROWS
    assert rows[0]["statement"] == "a" * LONGEST_CELL + "…"
    assert rows[0]["share"] == "0.123457"
    assert "remark" not in rows[0]


def test_the_period_of_a_claim_is_the_day_it_became_known() -> None:
    assert period_column(list(CLAIMS.columns)) == "known_at"
    assert period_column(["reporter_iso3", "period_start", "vintage_at"]) == "period_start"
    assert period_column(["mineral"]) is None


def test_the_lake_reaches_to_the_last_claim_known(tmp_path: Path) -> None:
    lake = Lake(Store(str(tmp_path)))
    frame = pl.DataFrame(
        {
            "source": "catalogue", "claim_id": ["a", "b"], "statement": "s", "claimed_by": "METI",
            "test": "reported_flow", "period_start": [date(2014, 1, 1), date(2027, 1, 1)],
            "known_at": [date(2026, 2, 6), date(2025, 1, 1)],
            "claimed_at": date(2025, 1, 1), "is_provisional": False, "document": "claims.yaml",
            "vintage_at": datetime(2026, 8, 6), "snapshot_id": "one", "is_low_excluded": False,
                "is_same_return": False, "evidence_ids": [[], []],
        }
    )  # fmt: skip
    part = TableRecord(rows=2, quarantined=0, suite_version="1", checks=[])
    lake.write(
        "catalogue", "one", {"claims": frame}, Record(parser_version="1", tables={"claims": part})
    )
    assert lake_reach(lake, CLAIMS, "catalogue") == ("2026-08-06", "2026-02-06")
