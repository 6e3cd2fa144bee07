"""What can be chosen in the launchpad, what a wrong choice does, and what a run says started it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg
import pytest

from dagster_project.definitions import defs
from dagster_project.orchestration.resources import Warehouse
from dagster_project.orchestration.run_tags import trigger_of
from dagster_project.orchestration.source_assets import landing_asset
from dagster_project.settings import Settings
from dagster_project.sources.registry import source_named
from tests.fakes.comtrade import FakeComtrade

COMTRADE, ECB = source_named("comtrade"), source_named("ecb")


@pytest.fixture(scope="module")
def definitions() -> dg.Definitions:
    with pytest.MonkeyPatch.context() as environment:
        for name in [name for name in os.environ if name.startswith("KIDO_")]:
            environment.delenv(name)
        return defs()


def is_valid(definitions: dg.Definitions, job: str, config: Mapping[str, Any]) -> bool:
    """Whether the UI's launchpad would launch it."""
    try:
        dg.validate_run_config(definitions.resolve_job_def(job), dict(config))
    except dg.DagsterInvalidConfigError:
        return False
    return True


@pytest.mark.parametrize(
    ("job", "config"),
    [
        ("build", {"resources": {"warehouse": {"config": {"as_of": "2025-10-20"}}}}),
        ("build", {"resources": {"warehouse": {"config": {"publish": True}}}}),
        ("build", {"ops": {"published__warehouse": {"config": {"accept": "20260101T000000"}}}}),
        ("renew", {"resources": {"warehouse": {"config": {"full": True}}}}),
        ("renew", {"ops": {"landing__ecb": {"config": {"again": True}}}}),
        (
            "renew_comtrade",
            {"ops": {"landing__comtrade": {"config": {"first": "2015", "frequency": "A"}}}},
        ),
        ("clean_up", {"ops": {"remove_what_is_old": {"config": {"dry_run": True}}}}),
    ],
)
def test_the_launchpad_takes_each_choice(
    definitions: dg.Definitions, job: str, config: Mapping[str, Any]
) -> None:
    assert is_valid(definitions, job, config)


@pytest.mark.parametrize(
    ("job", "config"),
    [
        ("renew", {"ops": {"landing__ecb": {"config": {"first": "2015"}}}}),
        ("renew", {"ops": {"landing__comtrade": {"config": {"frequency": "W"}}}}),
        ("renew", {"resources": {"warehouse": {"config": {"full": "yes"}}}}),
        ("clean_up", {"ops": {"remove_what_is_old": {"config": {"days": 1}}}}),
    ],
)
def test_the_launchpad_refuses_what_is_not_offered(
    definitions: dg.Definitions, job: str, config: Mapping[str, Any]
) -> None:
    assert not is_valid(definitions, job, config)


def test_every_choice_is_described(definitions: dg.Definitions) -> None:
    """As the UI gets it: the types of the configuration, with the description of each field."""
    for job, names in {
        "renew_comtrade": {"again", "first", "last", "frequency", "as_of", "publish", "full"},
        "clean_up": {"dry_run", "as_of", "publish", "full"},
    }.items():
        schema = definitions.resolve_job_def(job).get_job_snapshot().config_schema_snapshot
        types = schema.all_config_snaps_by_key.values()
        fields = [field for each in types for field in each.fields or []]
        described = {field.name: field.description for field in fields if field.name in names}
        assert described.keys() == names
        assert all(described.values())


# A wrong choice.


def run(config: Mapping[str, Any], *assets: dg.AssetsDefinition) -> dg.ExecuteInProcessResult:
    with dg.DagsterInstance.ephemeral() as instance:
        return dg.materialize(
            assets,
            resources={"warehouse": Warehouse()},
            instance=instance,
            run_config=dict(config),
            raise_on_error=False,
        )


def refusal(result: dg.ExecuteInProcessResult) -> str:
    """The sentence of a run that failed before its first step."""
    assert not result.success
    assert not [event for event in result.all_events if event.is_step_start]
    (error,) = (
        event.engine_event_data.error
        for event in result.all_events
        if event.event_type == dg.DagsterEventType.RESOURCE_INIT_FAILURE
    )
    assert error
    return error.message.strip().rpartition("Failure: ")[2]


@pytest.fixture
def comtrade(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeComtrade]:
    with FakeComtrade([], key="secret") as server:
        monkeypatch.setenv("KIDO_COMTRADE_URL", server.root)
        monkeypatch.setenv("KIDO_COMTRADE_KEY", "secret")
        monkeypatch.setenv("KIDO_COMTRADE_CALLS_PER_MINUTE", "60000")
        yield server


@pytest.mark.parametrize(
    ("chosen", "sentence"),
    [
        ({"first": "2015-13"}, "'2015-13' is neither a year like 2015 nor a month like 2015-03."),
        ({"first": "2999"}, "comtrade has no period from 2999 to today that is over."),
        ({"last": "yesterday"}, "'yesterday' is neither a year like 2015"),
    ],
)
def test_wrong_periods_are_refused_before_the_first_step(
    chosen: Mapping[str, str], sentence: str, comtrade: FakeComtrade
) -> None:
    config = {"ops": {"landing__comtrade": {"config": chosen}}}
    assert refusal(run(config, landing_asset(COMTRADE))).startswith(sentence)
    assert comtrade.requests == []


def test_a_source_that_no_build_fetches_cannot_be_asked_again(settings: Settings) -> None:
    config = {"ops": {"landing__ecb": {"config": {"again": True}}}}
    assert refusal(run(config, landing_asset(ECB))) == (
        "landing__ecb: no build fetches from ecb. Set KIDO_ECB_ENABLED=true, or fetch by kido "
        "fetch ecb."
    )


def test_chosen_periods_are_asked_for(comtrade: FakeComtrade) -> None:
    chosen = {"first": "2015", "last": "2015", "frequency": "A"}
    assert run({"ops": {"landing__comtrade": {"config": chosen}}}, landing_asset(COMTRADE)).success
    assert {request.query["period"] for request in comtrade.requests} == {"2015"}


# Tags.


@pytest.mark.parametrize(
    ("tags", "trigger"),
    [
        ({"kido/front_door": "cli"}, "command"),
        ({"dagster/schedule_name": "renew"}, "schedule"),
        ({"dagster/sensor_name": "late_sources"}, "sensor"),
        (
            {"dagster/sensor_name": "default", "dagster/from_automation_condition": "true"},
            "automation",
        ),
        ({"dagster/backfill": "abcdefgh", "dagster/from_ui": "true"}, "backfill"),
        ({"dagster/from_ui": "true"}, "ui"),
        # Repeated in the UI: the tags of the first run are copied.
        ({"kido/front_door": "cli", "dagster/parent_run_id": "1"}, "ui"),
        ({"dagster/schedule_name": "renew", "dagster/parent_run_id": "1"}, "ui"),
        ({}, "other"),
    ],
)
def test_what_started_a_run(tags: Mapping[str, str], trigger: str) -> None:
    assert trigger_of(tags) == trigger


def test_every_run_says_what_started_it(settings: Settings) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize(
            [landing_asset(ECB)],
            resources={"warehouse": Warehouse()},
            instance=instance,
            tags={"dagster/schedule_name": "ecb"},
        )
        found = instance.get_runs(dg.RunsFilter(tags={"kido/trigger": "schedule"}))
        assert [run.run_id for run in found] == [result.run_id]
