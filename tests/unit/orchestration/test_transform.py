"""The project as a build needs it: what its nodes can call, and nothing else."""

from types import SimpleNamespace

from dagster_project.orchestration import transform
from dagster_project.orchestration.transform import pruned_for_build


def macro(name: str, *calls: str) -> SimpleNamespace:
    return SimpleNamespace(name=name, depends_on=SimpleNamespace(macros=list(calls)))


def node(materialized: str, *calls: str) -> SimpleNamespace:
    return SimpleNamespace(
        config=SimpleNamespace(materialized=materialized),
        depends_on=SimpleNamespace(macros=list(calls)),
    )


def test_what_nodes_and_their_materializations_call_is_kept() -> None:
    macros = {
        "called": macro("called", "called_by_it"),
        "called_by_it": macro("called_by_it", "called", "of_no_package"),
        "not_called": macro("not_called", "called_by_none"),
        "called_by_none": macro("called_by_none"),
        "table": macro("materialization_table_duckdb", "commented"),
        "commented": macro("duckdb__persist_docs"),
        "snapshot": macro("materialization_snapshot_default"),
        "listed": macro("list_relations_without_caching"),
    }
    project = SimpleNamespace(
        nodes={"model": node("table", "called")}, macros=macros, unit_tests={"one": object()}
    )
    found = pruned_for_build(project)
    assert found.macros.keys() == {"called", "called_by_it", "table", "commented", "listed"}
    assert found.unit_tests == {}


def test_what_dbt_calls_itself_is_in_the_project_and_most_of_its_own_is_left_out() -> None:
    project = transform.parsed_project()
    whole = dict(project.macros)
    names = {macro.name for macro in pruned_for_build(project).macros.values()}
    assert set(transform._CALLED_BY_DBT) <= names
    assert {"materialization_table_duckdb", "duckdb__create_table_as"} <= names
    assert not {"materialization_snapshot_default", "incremental_validate_on_schema_change"} & names
    assert len(project.macros) < len(whole) / 2
    assert not project.unit_tests
