"""The list of published tables and their descriptions, also of files of earlier versions."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rich.cells import cell_len
from typer.testing import CliRunner, Result

from dagster_project.cli import app
from dagster_project.errors import KidoError
from dagster_project.serving.tables import (
    describe,
    did_you_mean_table,
    full_name,
    published_tables,
)
from tests import contract
from tests.unit.serving.published import publish

NAMES = list(contract.published())


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    publish(folder)
    return folder


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a file that has no list of its tables."""
    folder = tmp_path_factory.mktemp("earlier")
    publish(folder, has_list_of_tables=False)
    return folder


def kido(home: Path, *arguments: str, columns: int | None = None) -> Result:
    environment = {"KIDO_HOME": str(home), "COLUMNS": columns and str(columns)}
    return CliRunner().invoke(app, arguments, env=environment)


def test_the_list_has_the_columns_of_the_catalog(home: Path) -> None:
    found = json.loads(kido(home, "tables", "--json").stdout)
    assert found[0] == {
        "schema_name": "dependency", "table_name": "supplier_shares", "is_view": False,
        "grain": "importer, HS6 code and year", "description": "The share.", "rows": 100,
        "latest_period": "2024-01-01",
    }  # fmt: skip
    assert [row["is_view"] for row in found] == [False, True, False]
    assert found[2]["latest_period"] is None


def test_the_list_of_an_earlier_file_comes_from_its_comments(earlier: Path) -> None:
    found = {table.name: table for table in published_tables(earlier / "kido.duckdb")}
    shares = found["dependency.supplier_shares"]
    assert shares.grain == "importer, HS6 code and year"
    assert shares.description == "The share of each supplier; nothing is renormalised."
    assert (shares.rows, shares.is_view, shares.latest_period) == (100, False, None)
    named = found["dependency.supplier_shares_named"]
    assert (named.rows, named.is_view, named.description) == (100, True, None)
    assert found["catalog.sources"].grain is None


@pytest.mark.parametrize("columns", [80, 120, 200])
def test_the_list_fits_the_terminal_with_full_names(home: Path, columns: int) -> None:
    shown = kido(home, "tables", columns=columns)
    assert all(cell_len(line) <= columns for line in shown.output.splitlines())
    assert "dependency.supplier_shares  " in shown.stdout
    assert "importer, HS6 code" in shown.stdout
    assert "_named  " not in shown.stdout
    assert "1 more view with the names of codes" in " ".join(shown.stderr.split())
    with_views = kido(home, "tables", "--views", columns=columns)
    assert "dependency.supplier_shares_named  " in with_views.stdout
    assert with_views.stderr == ""


def test_a_description_has_grain_units_sources_an_example_and_a_query(home: Path) -> None:
    shown = kido(home, "describe", "supplier_shares").stdout
    first, grain, *rest = shown.splitlines()
    assert first == "dependency.supplier_shares: table, 100 rows, latest period 2024-01-01"
    assert grain == "One row per importer, HS6 code and year."
    lines = [" ".join(line.split()) for line in rest]
    assert "importer_iso3 ISO 3166-1 alpha-3 Importer. varchar" in lines
    assert "amount USD Imports from the supplier. double" in lines
    assert "baci Reconciled trade CEPII Etalab Open Licence 2.0" in lines
    assert "amount 15,981,526" in lines
    assert "year 2024" in lines
    assert lines[-1] == (
        "kido query \"from dependency.supplier_shares where importer_iso3 = 'JPN'\""
    )


def test_the_example_query_has_the_example_row(home: Path) -> None:
    found = describe(home / "kido.duckdb", "dependency.supplier_shares")
    result = kido(home, "query", found.example_query, "--limit", "1", "--format", "json")
    (row,) = json.loads(result.stdout)
    assert found.example is not None
    assert (row["share"], row["supplier_rank"]) == (
        found.example["share"], found.example["supplier_rank"],
    )  # fmt: skip


@pytest.mark.parametrize("columns", [80, 120, 200])
def test_a_description_fits_the_terminal(home: Path, columns: int) -> None:
    shown = kido(home, "describe", "supplier_shares", columns=columns)
    assert all(cell_len(line) <= columns for line in shown.output.splitlines())
    assert "  snapshot_ids" in shown.stdout


def test_a_table_whose_rows_name_no_source_says_so(earlier: Path) -> None:
    found = describe(earlier / "kido.duckdb", "economies")
    assert found.sources == []
    assert [column.data_type for column in found.columns] == ["varchar"] * 3
    assert "Its rows name no source." in kido(earlier, "describe", "economies").stdout


@pytest.mark.parametrize(
    ("given", "nearest"),
    [
        ("supplier_share", "dependency.supplier_shares"),
        ("dependency.suplier_shares", "dependency.supplier_shares"),
        ("dependancy.supplier_shares", "dependency.supplier_shares"),
        ("Supplier_Shares", "dependency.supplier_shares"),
        ("dependency.economies", "reference.economies"),
        ("trade.bacci_flows", "trade.baci_flows"),
    ],
)
def test_a_misspelt_table_leads_to_the_nearest(given: str, nearest: str) -> None:
    assert did_you_mean_table(given, NAMES) == f"Did you mean {nearest}?"
    with pytest.raises(KidoError, match=f"No published table is called '{given}'"):
        full_name(given, NAMES)


def test_every_published_table_is_found_by_its_name_alone() -> None:
    for name in NAMES:
        assert full_name(name.partition(".")[2], NAMES) == name


def test_a_name_that_is_like_no_table_leads_to_the_list() -> None:
    assert did_you_mean_table("zzz", NAMES) == "kido tables lists them."


def test_a_name_in_several_schemas_is_asked_for_in_full() -> None:
    with pytest.raises(KidoError, match=r"'prices' is in several schemas. a.prices or b.prices\?"):
        full_name("prices", ["b.prices", "a.prices"])
