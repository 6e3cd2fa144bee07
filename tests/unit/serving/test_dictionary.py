"""The data dictionary: what is published, in which unit, and the views with names of codes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.serving.dictionary import add_views, described_tables, meta_of_marts


def node(
    table: str, *columns: str, description: str = "One row per thing. The rest.", **meta: Any
) -> Mapping[str, Any]:
    """A model of dbt's manifest; `meta` is that of the column of the same name."""
    schema, name = table.split(".")
    return {
        "resource_type": "model",
        "name": name,
        "schema": schema,
        "alias": name,
        "description": description,
        "config": {"materialized": "table"},
        "columns": {
            column: {
                "data_type": "integer" if column == "year" else "varchar",
                "description": f"The {column}.",
                "meta": meta.get(column, {}),
            }
            for column in columns
        },
    }


def manifest(*nodes: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"nodes": {f"model.kido.{node['alias']}": node for node in nodes}, "sources": {}}


SHARES = node(
    "dependency.shares",
    "importer_iso3",
    "mineral_group",
    "year",
    "supplier_iso3",
    "source",
    description="One row per importer, group and\n  supplier. Who supplies it.  `_X` the rest.",
    supplier_iso3={"not_published": ["The suppliers' rest", "残り"]},
)


@pytest.fixture
def build(tmp_path: Path) -> Path:
    """A build file with names of two economies and a group, and three shares."""
    path = tmp_path / "build.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            "create schema reference; create schema dependency; create schema catalog"
        )
        connection.execute(
            "create table reference.economies as from (values ('JPN', 'Japan', '日本'), "
            "('CHN', 'China', '中国'), ('_X', 'Not published', '公表されない相手国')) "
            "as economies (economy_iso3, name, name_ja)"
        )
        connection.execute(
            "create table reference.mineral_groups as select 'hs_284690' as mineral_group, "
            "'Compounds' as name, '化合物' as name_ja"
        )
        connection.execute(
            "create table dependency.shares as from (values "
            "('JPN', 'hs_284690', 2023, 'CHN', 's'), ('JPN', 'hs_284690', 2024, '_X', 's'), "
            "('JPN', 'hs_284690', 2024, 'ZZZ', 's')) "
            "as shares (importer_iso3, mineral_group, year, supplier_iso3, source)"
        )
    return path


def names_in(build: Path, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(build), read_only=True) as connection:
        return connection.execute(query).fetchall()


def test_names_stand_beside_the_codes_and_no_row_is_lost(build: Path) -> None:
    add_views(build, described_tables(manifest(SHARES)))
    assert [column for column, *_ in names_in(build, "describe dependency.shares_named")] == [
        "importer_iso3", "importer_name", "importer_name_ja",
        "mineral_group", "mineral_group_name", "mineral_group_name_ja",
        "year", "supplier_iso3", "supplier_name", "supplier_name_ja", "source",
    ]  # fmt: skip
    assert names_in(
        build,
        "select importer_name_ja, mineral_group_name, supplier_name, supplier_name_ja "
        "from dependency.shares_named order by supplier_iso3",
    ) == [
        ("日本", "Compounds", "China", "中国"),
        ("日本", "Compounds", None, None),
        ("日本", "Compounds", "The suppliers' rest", "残り"),
    ]


def test_a_view_is_described_like_a_table_and_replaced_by_the_next_build(build: Path) -> None:
    tables = described_tables(manifest(SHARES))
    add_views(build, tables)
    add_views(build, tables)
    assert names_in(
        build, "select comment from duckdb_views() where view_name = 'shares_named'"
    ) == [
        (
            "One row per importer, group and supplier. A view of `dependency.shares` with names in "
            "English and Japanese beside the codes. Who supplies it. `_X` the rest.",
        )
    ]
    assert names_in(
        build,
        "select comment from duckdb_columns() where table_name = 'shares_named' "
        "and column_name in ('supplier_iso3', 'supplier_name_ja') order by column_index",
    ) == [("The supplier_iso3.",), ("Name of `supplier_iso3` in Japanese.",)]


def test_a_view_reads_the_file_it_lies_in_under_any_name(build: Path, tmp_path: Path) -> None:
    add_views(build, described_tables(manifest(SHARES)))
    copy = build.rename(tmp_path / "another name.duckdb")
    assert names_in(copy, "select count(*) from dependency.shares_named") == [(3,)]


def test_a_table_of_names_and_one_without_codes_have_no_view() -> None:
    found = described_tables(
        manifest(
            node("reference.economies", "economy_iso3", "name", "name_ja"),
            node("market.prices", "instrument", "price_date"),
            node("reference.end_uses", "mineral", "sector"),
        )
    )
    assert [table.full_name for table in found if table.is_view] == ["reference.end_uses_named"]


def test_the_name_of_an_economy_does_not_hide_a_name_that_the_table_has() -> None:
    *_, view = described_tables(manifest(node("exposure.targets", "target_iso3", "target_name")))
    assert [column.name for column in view.columns] == [
        "target_iso3", "target_economy_name", "target_economy_name_ja", "target_name",
    ]  # fmt: skip


def test_a_table_that_has_the_names_of_a_code_gets_no_second_ones() -> None:
    columns = ("material", "material_name", "material_name_ja", "mineral")
    *_, view = described_tables(manifest(node("reference.materials", *columns)))
    assert [column.name for column in view.columns] == [
        *columns, "mineral_name", "mineral_name_ja",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("column", "code", "names"),
    [
        ("hs6_code", "284690", ("Compounds", "化合物")),
        ("commodity_code", "hs_284690", ("Compounds", "化合物")),
        ("commodity_code", "010121", (None, None)),
        ("target_iso3", "ALL", ("All economies", "すべての国・地域")),
        ("home_iso3", "_X", ("Not published", "公表されない相手国")),
        ("home_iso3", None, (None, None)),
    ],
)
def test_codes_and_the_words_that_stand_for_no_code(
    build: Path, column: str, code: str | None, names: tuple[str | None, str | None]
) -> None:
    with duckdb.connect(str(build)) as connection:
        connection.execute(
            f"create table dependency.coded as select ?::varchar as {column}", [code]
        )
    add_views(build, described_tables(manifest(node("dependency.coded", column))))
    [(_, *found)] = names_in(build, "from dependency.coded_named")
    assert tuple(found) == names


def test_the_view_of_a_table_that_is_not_in_the_file_is_left_out(build: Path) -> None:
    add_views(build, described_tables(manifest(SHARES, node("market.absent", "economy_iso3"))))
    assert names_in(build, "select view_name from duckdb_views() where not internal") == [
        ("shares_named",)
    ]


def test_what_a_model_declares_is_known_by_its_published_name() -> None:
    declared = {**SHARES, "config": {"materialized": "table", "meta": {"compared": False}}}
    staged = {**SHARES, "schema": "staging", "alias": "stg", "config": {"meta": {"compared": True}}}
    assert meta_of_marts(manifest(declared, staged)) == {"dependency.shares": {"compared": False}}
