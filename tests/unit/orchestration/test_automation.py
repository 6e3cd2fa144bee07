"""What follows from a landing is built by itself: once, whole, and not while a build runs.

Conditions are evaluated by Dagster on the whole graph; landings are reported without a run.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from dagster_project.definitions import defs
from dagster_project.intake.land import land_files
from dagster_project.orchestration.automation import BUILD_WHAT_LANDED
from dagster_project.orchestration.keys import PUBLISHED, landing_key
from dagster_project.settings import Settings
from dagster_project.sources.registry import source_named

START = datetime(2027, 3, 1, 10, 5, tzinfo=UTC)

Evaluate = Callable[[int], set[str]]


@pytest.fixture(scope="module")
def definitions() -> dg.Definitions:
    return defs()


@pytest.fixture
def instance() -> dg.DagsterInstance:
    return dg.DagsterInstance.ephemeral()


@pytest.fixture
def requested(definitions: dg.Definitions, instance: dg.DagsterInstance) -> Evaluate:
    """The assets that are requested so many minutes after START; called with growing minutes.

    The first full hour after the switch was turned on is over, with the build that it caused.
    """
    cursor: list[Any] = [None]

    def evaluate(minute: int) -> set[str]:
        result = dg.evaluate_automation_conditions(
            defs=definitions,
            instance=instance,
            cursor=cursor[0],
            evaluation_time=START + timedelta(minutes=minute),
        )
        cursor[0] = result.cursor
        return {
            each.key.to_user_string() for each in result.results if not each.true_subset.is_empty
        }

    some_of_all = {"published/warehouse", "lake/ecb_price_quotes", "lake/hmrc_trade_flows"}
    assert evaluate(-60) == set()
    assert some_of_all <= evaluate(0)
    assert evaluate(1) == set()
    return evaluate


def land(instance: dg.DagsterInstance, key: dg.AssetKey, version: str) -> None:
    instance.report_runless_asset_event(
        dg.AssetMaterialization(key, tags={"dagster/data_version": version})
    )


def downstream(definitions: dg.Definitions, *sources: str) -> set[str]:
    """The landings' descendants without themselves: lake tables, models, the published file."""
    landings = [landing_key(source) for source in sources]
    graph = definitions.resolve_asset_graph()
    found = dg.AssetSelection.assets(*landings).downstream(include_self=False).resolve(graph)
    return {key.to_user_string() for key in found}


def test_a_landing_is_built_at_the_next_full_hour_and_once(
    definitions: dg.Definitions, instance: dg.DagsterInstance, requested: Evaluate
) -> None:
    land(instance, landing_key("ecb"), "1")
    assert requested(15) == set()
    built = requested(56)
    assert built == downstream(definitions, "ecb")
    assert {"lake/ecb_price_quotes", "market/prices", "published/warehouse"} <= built
    assert "lake/hmrc_trade_flows" not in built
    assert requested(116) == set()


def test_publishers_that_land_in_one_hour_are_built_in_one_run(
    definitions: dg.Definitions, instance: dg.DagsterInstance, requested: Evaluate
) -> None:
    land(instance, landing_key("ecb"), "1")
    assert requested(5) == set()
    land(instance, landing_key("hmrc"), "1")
    assert requested(20) == set()
    assert requested(56) == downstream(definitions, "ecb", "hmrc")


def test_a_landing_without_a_new_document_causes_nothing(
    instance: dg.DagsterInstance, requested: Evaluate
) -> None:
    land(instance, landing_key("ecb"), "1")
    assert requested(56)
    for minute in (60, 117):
        land(instance, landing_key("ecb"), "1")
        assert requested(minute) == set()


def test_what_a_scheduled_run_has_built_is_not_built_again(
    instance: dg.DagsterInstance, requested: Evaluate
) -> None:
    land(instance, landing_key("ecb"), "1")
    land(instance, dg.AssetKey(["lake", "ecb_price_quotes"]), "1")
    assert requested(10) == set()
    assert requested(56) == set()


def test_nothing_is_built_while_a_build_runs_but_an_hour_later(
    definitions: dg.Definitions, instance: dg.DagsterInstance, requested: Evaluate
) -> None:
    land(instance, landing_key("ecb"), "1")
    assert requested(10) == set()
    run = instance.create_run_for_job(
        definitions.resolve_job_def("build"),
        asset_selection=frozenset({PUBLISHED}),
        status=dg.DagsterRunStatus.STARTED,
    )
    assert requested(56) == set()
    instance.report_run_canceled(run)
    assert requested(60) == set()
    assert requested(116) == downstream(definitions, "ecb")


def test_it_is_one_switch_that_is_off(definitions: dg.Definitions) -> None:
    sensors = {sensor.name: sensor for sensor in definitions.sensors or ()}
    sensor = sensors[BUILD_WHAT_LANDED]
    assert isinstance(sensor, dg.AutomationConditionSensorDefinition)
    assert sensor.default_status == dg.DefaultSensorStatus.STOPPED
    graph = definitions.resolve_asset_graph()
    conditions = {key for key in graph.get_all_asset_keys() if graph.get(key).automation_condition}
    landings = {key for key in graph.get_all_asset_keys() if key.path[0] == "landing"}
    seeds = {key for key in graph.get_all_asset_keys() if key.path[0] == "seeds"}
    assert conditions == set(graph.get_all_asset_keys()) - landings - seeds


def test_what_a_person_lands_is_reported_once_and_then_built(
    definitions: dg.Definitions,
    instance: dg.DagsterInstance,
    requested: Evaluate,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By `kido land`: Dagster hears of it from the sensor, without a run."""
    monkeypatch.setenv("KIDO_HOME", str(tmp_path / "home"))
    sensor = next(each for each in definitions.sensors or () if each.name == "report_landings")
    assert sensor.default_status == dg.DefaultSensorStatus.RUNNING

    def reported() -> list[dg.AssetMaterialization]:
        result = sensor(dg.build_sensor_context(instance=instance))
        assert isinstance(result, dg.SensorResult)
        return [
            event for event in result.asset_events if isinstance(event, dg.AssetMaterialization)
        ]

    assert reported() == []
    rates = tmp_path / "rates.csv"
    rates.write_text("date,usd,jpy,cny,gbp\n2026-10-30,1.10,170.0,7.8,0.87\n")
    land_files(Settings.load(), source_named("ecb"), [rates], replace_all=True)
    (event,) = reported()
    assert event.asset_key == landing_key("ecb")
    instance.report_runless_asset_event(event)
    assert reported() == []
    assert requested(56) == downstream(definitions, "ecb")


def test_the_loss_of_the_only_snapshot_is_reported_and_then_built(
    definitions: dg.Definitions,
    instance: dg.DagsterInstance,
    requested: Evaluate,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The landing was built once; now nothing of it is left."""
    monkeypatch.setenv("KIDO_HOME", str(tmp_path / "home"))
    land(instance, landing_key("ecb"), "1")
    assert requested(56) == downstream(definitions, "ecb")
    assert requested(57) == set()
    sensor = next(each for each in definitions.sensors or () if each.name == "report_landings")
    result = sensor(dg.build_sensor_context(instance=instance))
    assert isinstance(result, dg.SensorResult)
    (event,) = result.asset_events
    assert event.asset_key == landing_key("ecb")
    assert isinstance(event, dg.AssetMaterialization)
    instance.report_runless_asset_event(event)
    assert requested(116) == downstream(definitions, "ecb")
