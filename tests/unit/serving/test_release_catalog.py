"""The tables that describe a release: rows counted, columns as described, comments."""

from datetime import date, datetime
from pathlib import Path

import duckdb
import polars as pl
import pytest

from dagster_project.orchestration import dbt_runner
from dagster_project.quality.results import CheckResult, as_frame
from dagster_project.serving.dictionary import Table, add_views, described_tables
from dagster_project.serving.publication import Release, new_release
from dagster_project.serving.release_catalog import (
    CHECKS,
    RELEASE_TABLES,
    RELEASES,
    TABLES,
    catalog_frames,
    write_catalog,
)  # fmt: skip
from dagster_project.serving.release_changes import Change, changes_frame
from tests import contract
from tests.unit.serving.test_dictionary import SHARES, build, manifest, node

__all__ = ["build"]

MOMENT = datetime(2026, 11, 25, 12, 30)
RELEASE = new_release(MOMENT, date(2026, 11, 25), "0.1.0")
PASSED = CheckResult(
    "mart", "market.prices", "close_is_positive", "great_expectations", "error", "passed",
    "8 rows", 0, None, "",
)  # fmt: skip


NEW = Change("period", "ecb price_quotes D", None, "2026-11-24", "ecb: days.", "ecb")
NOTHING_NEW = changes_frame(RELEASE.release_id, [])


def of_tables(build_file: Path, tables: list[Table], *releases: Release) -> pl.DataFrame:
    frames = catalog_frames(
        build_file, tables, releases, as_frame([PASSED], "now"), NOTHING_NEW, rows_of_checks=5
    )
    return frames[TABLES].sort("table_name")


def test_tables_are_listed_with_the_rows_and_the_latest_period_of_the_file(build: Path) -> None:
    tables = described_tables(manifest(SHARES))
    add_views(build, tables)
    assert of_tables(build, tables, RELEASE).rows() == [
        ("dependency", "shares", False, "importer, group and supplier",
         "Who supplies it. `_X` the rest.", 3, date(2024, 1, 1)),
        ("dependency", "shares_named", True, "importer, group and supplier",
         "A view of `dependency.shares` with names in English and Japanese beside the codes. "
         "Who supplies it. `_X` the rest.", 3, date(2024, 1, 1)),
    ]  # fmt: skip


def test_intervals_have_no_latest_period(build: Path) -> None:
    """By law one begins in 2028."""
    with duckdb.connect(str(build)) as connection:
        connection.execute(
            "create table dependency.status as select 'CN-1' as clause_id, "
            "date '2028-01-01' as valid_from, null::date as valid_to"
        )
    tables = described_tables(
        manifest(node("dependency.status", "clause_id", "valid_from", "valid_to"))
    )
    assert of_tables(build, tables, RELEASE)[["rows", "latest_period"]].rows() == [(1, None)]


@pytest.fixture(scope="module")
def described() -> list[Table]:
    """These tables as dbt's project describes them."""
    tables = described_tables(dbt_runner.load_manifest())
    return [table for table in tables if table.full_name in RELEASE_TABLES]


def test_they_are_made_as_they_are_described(tmp_path: Path, described: list[Table]) -> None:
    file = tmp_path / "kido.duckdb"
    earlier = new_release(datetime(2026, 11, 24, 12), date(2026, 11, 24), "0.1.0")
    frames = catalog_frames(
        _empty(file), described, [earlier, RELEASE], as_frame([PASSED], "now"),
        changes_frame(RELEASE.release_id, [NEW]), rows_of_checks=5,
    )  # fmt: skip
    for _ in range(2):  # a build that is published later is described again
        write_catalog(file, described, frames)
    with duckdb.connect(str(file), read_only=True) as connection:
        for table in described:
            columns = connection.execute(
                "select column_name, lower(data_type), is_nullable, comment from duckdb_columns() "
                "where schema_name || '.' || table_name = ? order by column_index",
                [table.full_name],
            ).fetchall()
            assert {name: data_type for name, data_type, *_ in columns} == (
                contract.published()[table.full_name]
            )
            assert all(comment for *_, comment in columns)
            assert [one.is_required for one in table.columns] == [not row[2] for row in columns]
        assert connection.execute(
            "select table_name, rows, latest_period from catalog.tables order by table_name"
        ).fetchall() == [
            ("changes", 1, None), ("checks", 5, None), ("releases", 2, date(2026, 11, 25)),
            ("tables", 4, None),
        ]  # fmt: skip
        assert connection.execute(
            "select release_id, published_at from catalog.releases"
        ).fetchall() == [
            (earlier.release_id, datetime(2026, 11, 24, 12)),
            (RELEASE.release_id, MOMENT),
        ]
        assert connection.execute("select check_name, status from catalog.checks").fetchall() == [
            ("close_is_positive", "passed")
        ]
        assert connection.execute(
            "select release_id, kind, before, position from catalog.changes"
        ).fetchall() == [(RELEASE.release_id, "period", None, 1)]


def test_a_null_in_a_required_column_is_refused_and_nothing_changes(
    tmp_path: Path, described: list[Table]
) -> None:
    file = _empty(tmp_path / "kido.duckdb")
    frames = catalog_frames(
        file, described, [RELEASE], as_frame([PASSED], "now"), NOTHING_NEW, rows_of_checks=1
    )
    write_catalog(file, described, frames)
    broken = frames[CHECKS].with_columns(status=pl.lit(None, pl.String))
    with pytest.raises(duckdb.ConstraintException, match="NOT NULL"):
        write_catalog(file, described, {**frames, CHECKS: broken})
    with duckdb.connect(str(file), read_only=True) as connection:
        assert connection.execute("select status from catalog.checks").fetchall() == [("passed",)]
        assert connection.execute(f"select count(*) from {RELEASES}").fetchone() == (1,)


def _empty(file: Path) -> Path:
    duckdb.connect(str(file)).close()
    return file
