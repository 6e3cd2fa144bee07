"""Which source fills which table: by the columns of its key, not by all that it reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from dagster_project.orchestration import dbt_runner
from dagster_project.orchestration.lineage import sources_of_table, tables_by_source
from dagster_project.sources.registry import all_sources


@pytest.fixture(scope="module")
def filled() -> Mapping[str, Sequence[str]]:
    return tables_by_source(dbt_runner.load_manifest(), dbt_runner.load_column_lineage())


def test_every_source_fills_a_table_and_each_table_once(
    filled: Mapping[str, Sequence[str]],
) -> None:
    assert set(filled) == set(all_sources())
    for source, tables in filled.items():
        assert list(tables) == sorted(set(tables)), source


def test_a_source_fills_the_tables_that_list_its_rows_in_any_number_of_steps(
    filled: Mapping[str, Sequence[str]],
) -> None:
    assert {"trade.reported_flows", "dependency.import_concentration"} <= set(filled["comtrade"])
    assert "trade.baci_flows" not in filled["comtrade"]
    assert {"trade.baci_flows", "dependency.supplier_shares"} <= set(filled["baci"])
    assert "trade.reported_flows" not in filled["baci"]
    assert {"trade.national_lines", "trade.reported_flows"} <= set(filled["japan_customs"])
    for source in ("comtrade", "baci", "ecb"):
        assert "trade.revisions" in filled[source]


def test_a_source_does_not_fill_a_table_that_only_uses_its_figures(
    filled: Mapping[str, Sequence[str]],
) -> None:
    """Values of customs are converted at the rates of the European Central Bank."""
    assert "market.prices" in filled["ecb"]
    assert not [table for table in filled["ecb"] if table.startswith(("dependency.", "exposure."))]
    assert not {"trade.national_lines", "trade.reported_flows"} & set(filled["ecb"])


def test_where_columns_are_not_traced_a_source_fills_what_the_whole_model_is_made_from() -> None:
    manifest = dbt_runner.load_manifest()
    untraced = tables_by_source(manifest, {})
    assert "trade.national_lines" in untraced["ecb"]
    [table] = [
        source
        for source in manifest["sources"].values()
        if source["schema"] == "lake" and source["name"] == "reconciled_trade"
    ]
    assert set(sources_of_table(table)) == {
        source for source, tables in untraced.items() if "trade.baci_flows" in tables
    }
