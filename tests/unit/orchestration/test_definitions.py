"""The graph as people see it: a change of keys, checks, jobs or the published schema is a diff.

pytest tests/unit/orchestration --update-golden     # after a change that is meant
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from dagster_project.definitions import defs
from dagster_project.orchestration.keys import PUBLISHED, WRITER_POOL
from dagster_project.orchestration.transform import load_manifest
from dagster_project.sources.registry import all_sources
from tests.conftest import CHECKOUT

GOLDEN = CHECKOUT / "tests" / "golden"


@pytest.fixture(scope="module")
def definitions() -> dg.Definitions:
    return defs()


@pytest.fixture(scope="module")
def graph(definitions: dg.Definitions) -> Any:
    return definitions.resolve_asset_graph()


def compare(name: str, found: object, update: bool) -> None:
    path = GOLDEN / f"{name}.json"
    text = json.dumps(found, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    if update:
        path.write_text(text, "utf8")
    assert Path(path).read_text("utf8") == text


def test_asset_keys_groups_and_dependencies(graph: Any, update_golden: bool) -> None:
    found = {
        key.to_user_string(): {
            "group": graph.get(key).group_name,
            "depends_on": sorted(parent.to_user_string() for parent in graph.get(key).parent_keys),
        }
        for key in graph.materializable_asset_keys
    }
    compare("assets", found, update_golden)


def test_checks_and_which_of_them_block(graph: Any, update_golden: bool) -> None:
    found = {
        f"{key.asset_key.to_user_string()}: {key.name}": graph.get_check_spec(key).blocking
        for key in graph.asset_check_keys
    }
    compare("checks", found, update_golden)


def test_jobs_select_what_they_say(definitions: dg.Definitions, update_golden: bool) -> None:
    found = {
        name: sorted(
            key.to_user_string()
            for key in definitions.resolve_job_def(name).asset_layer.executable_asset_keys
        )
        for name in ("build", "daily_build")
    }
    compare("jobs", found, update_golden)


def test_the_published_schema(update_golden: bool) -> None:
    found = {
        f"{node['schema']}.{node['alias']}": {
            name: column["data_type"] for name, column in node["columns"].items()
        }
        for node in load_manifest()["nodes"].values()
        if node["resource_type"] == "model" and "marts" in node["fqn"]
    }
    compare("published_schema", found, update_golden)


def test_every_asset_has_a_description_an_owner_a_group_and_a_kind(graph: Any) -> None:
    for key in graph.materializable_asset_keys:
        node = graph.get(key)
        assert node.description, key
        assert node.owners, key
        assert node.group_name != "default", key
        assert node.kinds, key


def test_nothing_in_the_graph_is_only_referred_to(graph: Any) -> None:
    assert set(graph.get_all_asset_keys()) == set(graph.materializable_asset_keys)


def test_every_step_that_writes_waits_for_the_one_writer(definitions: dg.Definitions) -> None:
    job = definitions.resolve_job_def("build")
    assert {node.definition.pool for node in job.nodes} == {WRITER_POOL}  # type: ignore[union-attr]


def test_the_instance_lets_one_run_write_at_a_time() -> None:
    import yaml

    configuration = yaml.safe_load((CHECKOUT / "deploy" / "dagster.yaml").read_text())
    assert configuration["concurrency"]["pools"] == {"granularity": "run", "default_limit": 1}


def test_publication_waits_for_every_mart_and_every_source(graph: Any) -> None:
    upstream = dg.AssetSelection.assets(PUBLISHED).upstream().resolve(graph)
    for name, source in all_sources().items():
        for table in source.CARD.tables:
            assert dg.AssetKey(["lake", f"{name}_{table}"]) in upstream


def test_schedules_are_there_and_switched_off(definitions: dg.Definitions) -> None:
    schedules = {schedule.name: schedule for schedule in definitions.schedules or ()}
    assert set(schedules) == {"daily", "monthly"}
    for schedule in schedules.values():
        assert isinstance(schedule, dg.ScheduleDefinition)
        assert schedule.default_status == dg.DefaultScheduleStatus.STOPPED


def test_a_marts_column_leads_back_to_the_lake() -> None:
    from dagster_project.orchestration.transform import load_column_lineage

    lineage = load_column_lineage()
    seen: set[tuple[str, str]] = set()
    todo = [("model.kido.supplier_shares", "amount")]
    while todo:
        node, column = todo.pop()
        if (node, column) not in seen:
            seen.add((node, column))
            todo += [(parent, name) for parent, name in lineage.get(node, {}).get(column, ())]
    assert ("source.kido.lake.trade_flows", "value_usd") in seen
    assert ("source.kido.lake.trade_flows", "net_weight_kg") in seen
