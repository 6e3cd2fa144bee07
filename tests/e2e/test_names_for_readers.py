"""What a reader of the file finds without knowing it: names beside codes, and a table of tables."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import run_kido

Rows = Callable[..., list[tuple[Any, ...]]]

SCHEMAS = "('reference', 'trade', 'dependency', 'exposure', 'market', 'catalog')"
CODES = ("mineral", "mineral_group", "material", "hs6_code", "commodity_code")


@pytest.fixture(scope="module")
def columns(rows: Rows) -> dict[str, list[str]]:
    """The columns of every table and view of the file."""
    found: dict[str, list[str]] = {}
    for schema, table, column in rows(
        "select schema_name, table_name, column_name from duckdb_columns() "
        f"where schema_name in {SCHEMAS} order by schema_name, table_name, column_index"
    ):
        found.setdefault(f"{schema}.{table}", []).append(column)
    return found


def codes_of(table: list[str]) -> list[str]:
    return [column for column in table if column.endswith("_iso3") or column in CODES]


def test_each_table_with_codes_has_a_view_with_all_its_columns(
    columns: dict[str, list[str]],
) -> None:
    coded = {
        table
        for table, names in columns.items()
        if codes_of(names) and "name" not in names and not table.endswith("_named")
    }
    assert len(coded) >= 25
    assert {table.removesuffix("_named") for table in columns if table.endswith("_named")} == coded
    for table in coded:
        beside = columns[f"{table}_named"]
        assert [name for name in beside if name in columns[table]] == columns[table]
        assert (
            len(beside)
            == len(set(beside))
            == len(columns[table])
            + 2
            * len(
                [code for code in codes_of(columns[table]) if f"{code}_name" not in columns[table]]
            )
        )


NOT_FETCHED = [("252810",), ("811241",)]
"""Sodium borates until HS 2007 and rhenium of HS 2022: merged codes, of no mineral group."""


def test_no_row_is_lost_or_duplicated_and_every_code_has_both_names(
    rows: Rows, columns: dict[str, list[str]]
) -> None:
    for view in (table for table in columns if table.endswith("_named")):
        table = view.removesuffix("_named")
        assert rows(f"select count(*) from {view}") == rows(f"select count(*) from {table}"), view
        for code in codes_of(columns[table]):
            at = columns[view].index(code)
            english, japanese = columns[view][at + 1 : at + 3]
            nameless = rows(
                f"select distinct {code} from {view} "
                f"where {code} <> '' and ({english} is null or {japanese} is null)"
            )
            # A code of another edition that is not fetched by default has no name.
            if table == "reference.code_concordance":
                nameless = [row for row in nameless if row not in NOT_FETCHED]
            assert not nameless, (view, code, nameless)


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("distinct importer_name, importer_name_ja from dependency.supplier_shares_named "
         "where importer_iso3 = 'JPN'", ("Japan", "日本")),
        ("distinct supplier_name, supplier_name_ja from dependency.supplier_shares_named "
         "where supplier_iso3 = '_X'", ("Suppliers not published", "公表されない供給国")),
        ("distinct economy_name, economy_name_ja from dependency.production_shares_named "
         "where economy_iso3 = '_X'", ("Rest of the world", "その他の国")),
        ("distinct partner_name, partner_name_ja from trade.reported_flows_named "
         "where partner_iso3 = '_X'", ("Partners not published", "公表されない相手国")),
        ("distinct partner_name, partner_name_ja from trade.reported_flows_named "
         "where partner_iso3 = 'WLD'", ("World", "世界")),
        ("distinct target_economy_name, target_economy_name_ja from exposure.measures_named "
         "where target_iso3 = 'ALL'", ("All economies", "すべての国・地域")),
        ("distinct mineral_name, mineral_name_ja from exposure.measure_scope_named "
         "where mineral = 'dysprosium'", ("Dysprosium", "ジスプロシウム")),
        ("distinct mineral_name, mineral_name_ja from exposure.measure_scope_named "
         "where mineral = 'all_rare_earths'", ("All rare earths", "すべての希土類")),
        ("distinct material_name, material_name_ja from dependency.production_shares_named "
         "where material = 'rare_earths'", ("Rare earths", "希土類")),
        ("distinct commodity_name, commodity_name_ja from exposure.trade_response_named "
         "where commodity_code = '250410'",
         ("Natural graphite as powder or flake (HS 2504.10)",
          "天然黒鉛（粉末・薄片）（HS 2504.10）")),
    ],
)  # fmt: skip
def test_names_as_they_are_written(rows: Rows, query: str, names: tuple[str, str]) -> None:
    assert rows(f"select {query}") == [names]


def test_what_is_not_published_is_named_for_the_table_at_hand(
    rows: Rows, columns: dict[str, list[str]]
) -> None:
    for view in (table for table in columns if table.endswith("_named")):
        for name in columns[view]:
            if name.endswith("_iso3"):
                english = columns[view][columns[view].index(name) + 1]
                found = rows(f"select distinct {english} from {view} where {name} = '_X'")
                assert ("Not published",) not in found, (view, name)


def test_the_table_of_tables_is_of_this_file(rows: Rows, columns: dict[str, list[str]]) -> None:
    listed = {
        f"{schema}.{table}": (is_view, count)
        for schema, table, is_view, count in rows(
            "select schema_name, table_name, is_view, rows from catalog.tables"
        )
    }
    assert set(listed) == set(columns)
    for table, (_, count) in listed.items():
        assert rows(f"select count(*) from {table}") == [(count,)], table
    views = rows(
        f"select schema_name || '.' || view_name from duckdb_views() where schema_name in {SCHEMAS}"
    )
    assert {table for table, (is_view, _) in listed.items() if is_view} == {
        view for (view,) in views
    }


@pytest.mark.parametrize(
    ("table", "grain", "latest_period"),
    [
        ("trade.baci_flows", "exporter, importer, HS6 code and year", date(2024, 1, 1)),
        ("dependency.production_shares", "material, stage, year, economy and source",
         date(2025, 1, 1)),
        ("market.prices", "instrument and day", date(2026, 10, 30)),
        ("reference.economies", "economy", None),
    ],
)  # fmt: skip
def test_a_table_is_listed_with_its_grain_and_its_latest_period(
    rows: Rows, table: str, grain: str, latest_period: date | None
) -> None:
    schema, name = table.split(".")
    found = rows(
        "select grain, latest_period from catalog.tables "
        "where schema_name = $1 and table_name = $2",
        schema,
        name,
    )
    assert found == [(grain, latest_period)]


def test_every_column_is_described_with_the_type_it_has(rows: Rows) -> None:
    assert rows(
        "select schema_name, table_name, column_name, data_type from duckdb_columns() "
        f"where schema_name in {SCHEMAS} order by all"
    ) == rows(
        "select schema_name, table_name, column_name, upper(data_type) from catalog.columns "
        "order by all"
    )


def test_a_producer_has_its_governance_score_of_the_nearest_year_of_the_indicators(
    rows: Rows,
) -> None:
    # Six estimates of 2021 (World Bank, revision of July 2023), by hand: (2.5 - mean) x 2.
    estimates = [
        value
        for (value,) in rows(
            "select governance_score from dependency.production_shares_named where year = 2025 "
            "and source = 'usgs_mcs' and material = 'rare_earths' and stage = 'extraction' "
            "and economy_name in ('China', 'Australia') order by economy_name desc"
        )
    ]
    assert estimates == pytest.approx([5.50, 2.00], abs=0.005)


def test_a_row_of_a_view_leads_back_like_that_of_its_table(built: Path) -> None:
    traced = run_kido(
        built, "trace", "dependency.supplier_shares_named", "importer_name=Japan",
        "supplier_name=China", "mineral_group=rare_earths", "frequency=A", "period_start=2024",
        "measure=net_weight_kg",
    )  # fmt: skip
    assert traced.returncode == 0, traced.stderr
    assert "Made by dbt/models/marts/dependency/supplier_shares.sql" in traced.stdout
    assert "From lake.trade_flows, 4 rows" in traced.stdout
    assert "Snapshot [1] comtrade_baskets-" in traced.stdout
