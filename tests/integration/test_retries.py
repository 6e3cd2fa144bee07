"""A publisher that is silent for some minutes: its step is tried again, and the run goes on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import dagster as dg
import pytest

from dagster_project.errors import DeniedError, QuotaError, ServerFailingError
from dagster_project.intake import fetch as fetching
from dagster_project.intake.fetch import FetchReport, SourceFetch
from dagster_project.intake.stores import landing_of
from dagster_project.orchestration.resources import Warehouse
from dagster_project.orchestration.retries import retry_if_it_may_pass
from dagster_project.orchestration.source_assets import ANSWERED, backfill_assets, landing_asset
from dagster_project.settings import Settings
from dagster_project.sources.registry import source_named
from tests.fakes.comtrade import FakeComtrade, flows_for
from tests.fakes.ecb import FakeEcb
from tests.fakes.server import (
    Behaviour,
    failing,
    maintenance_page,
    no_answer,
    status,
    too_many_requests,
)

ECB, COMTRADE = source_named("ecb"), source_named("comtrade")
ATTEMPTS = 5
"""How often one call is tried by the client at a server's error, within one try of the step."""


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIDO_RETRY_AFTER_S", "0.05")
    run = SourceFetch.run
    monkeypatch.setattr(
        SourceFetch,
        "run",
        lambda self, plan, *args: run(self, plan, *args, sleep=lambda seconds: None),
    )


@pytest.fixture
def ecb(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeEcb]:
    with FakeEcb() as server:
        monkeypatch.setenv("KIDO_ECB_URL", server.base_url)
        monkeypatch.setenv("KIDO_ECB_ENABLED", "true")
        yield server


@dg.asset(op_tags={"dagster/priority": "-1"})
def bystander() -> None:
    """A step that does not wait for the publisher."""


def run(tags: Mapping[str, str] | None = None, **config: Any) -> dg.ExecuteInProcessResult:
    with dg.DagsterInstance.ephemeral() as instance:
        job = dg.Definitions(
            assets=[landing_asset(ECB), bystander],
            jobs=[dg.define_asset_job("both")],
            resources={"warehouse": Warehouse()},
            executor=dg.in_process_executor,
        ).resolve_job_def("both")
        return job.execute_in_process(
            instance=instance, tags=dict(tags or {}), run_config=config, raise_on_error=False
        )


def retries(result: dg.ExecuteInProcessResult) -> int:
    return sum(event.is_step_up_for_retry for event in result.all_events)


def has_answered(result: dg.ExecuteInProcessResult) -> bool:
    (check,) = [
        each for each in result.get_asset_check_evaluations() if each.check_name == ANSWERED
    ]
    return check.passed


@pytest.mark.parametrize("trouble", [failing(503), no_answer()], ids=["503", "cut connection"])
def test_a_server_that_recovers_is_asked_again_in_the_run(
    ecb: FakeEcb, settings: Settings, trouble: Behaviour
) -> None:
    ecb.will(*[trouble] * ATTEMPTS)
    result = run()
    assert (result.success, has_answered(result), retries(result)) == (True, True, 1)
    assert len(ecb.requests) == ATTEMPTS + 1
    assert [each.was_fetched for each in landing_of(settings).snapshots("ecb")].count(True) == 1


def test_other_steps_go_on_while_a_publisher_is_waited_for(
    ecb: FakeEcb, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIDO_RETRY_AFTER_S", "1")
    ecb.will(*[failing(503)] * ATTEMPTS)
    order = [
        (event.step_key, event.event_type_value)
        for event in run().all_events
        if event.is_step_event and event.event_type_value.startswith("STEP_")
    ]
    waits = order.index(("landing__ecb", "STEP_UP_FOR_RETRY"))
    goes_on = order.index(("landing__ecb", "STEP_RESTARTED"))
    assert waits < order.index(("bystander", "STEP_SUCCESS")) < goes_on


def test_after_the_last_try_the_run_goes_on_with_what_there_is(ecb: FakeEcb) -> None:
    ecb.always(failing(503))
    result = run()
    assert (result.success, has_answered(result), retries(result)) == (True, False, 3)
    assert len(ecb.requests) == 4 * ATTEMPTS


@pytest.mark.parametrize(
    "trouble",
    [status(403), status(404), maintenance_page(), too_many_requests("7200")],
    ids=["denied", "not found", "wrong format", "quota until later"],
)
def test_what_another_try_would_meet_again_is_not_tried(ecb: FakeEcb, trouble: Behaviour) -> None:
    ecb.always(trouble)
    result = run()
    assert (result.success, has_answered(result), retries(result)) == (True, False, 0)
    assert len(ecb.requests) == 1


def test_nobody_waits_at_a_terminal(ecb: FakeEcb) -> None:
    ecb.always(failing(503))
    result = run(tags={"kido/front_door": "cli"})
    assert (result.success, has_answered(result), retries(result)) == (True, False, 0)


def test_with_no_seconds_to_wait_a_run_asks_once(
    ecb: FakeEcb, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIDO_RETRY_AFTER_S", "0")
    ecb.always(failing(503))
    assert retries(run()) == 0


def test_a_run_without_retries_still_goes_on_without_the_publisher(ecb: FakeEcb) -> None:
    ecb.always(failing(503))
    result = run(execution={"config": {"retries": {"disabled": {}}}})
    assert (result.success, has_answered(result), retries(result)) == (True, False, 0)


def test_what_is_asked_again_on_demand_is_asked_once_by_each_run(ecb: FakeEcb) -> None:
    assert run().success
    asked = len(ecb.requests)
    assert run().success
    assert len(ecb.requests) == asked  # nothing is due
    assert run(ops={"landing__ecb": {"config": {"again": True}}}).success
    assert len(ecb.requests) > asked


# A backfill.


@pytest.fixture
def comtrade(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeComtrade]:
    codes = ("280530", "284690")
    scope_of = fetching.scope_of
    monkeypatch.setattr(
        fetching, "scope_of", lambda *given: replace(scope_of(*given), commodity_codes=codes)
    )
    world = flows_for([392], [156, 704], codes, ["2015", "2016"], gaps=0)
    with FakeComtrade(world, key="secret") as server:
        for name, value in {
            "URL": server.root, "KEY": "secret", "REPORTERS": "JPN", "CALLS_PER_MINUTE": "60000",
            "ROWS_PER_CALL": "120",
        }.items():  # fmt: skip
            monkeypatch.setenv(f"KIDO_COMTRADE_{name}", value)
        yield server


def test_a_backfill_asks_again_only_for_the_window_that_failed(comtrade: FakeComtrade) -> None:
    left = [failing(503)] * ATTEMPTS
    failed_once = failing(503)

    def second_window_fails(handler: Any, reply: Any) -> None:
        if left:
            left.pop()
            failed_once(handler, reply)
        else:
            handler.write(reply)

    comtrade.when(lambda seen: seen.query["period"] == "2016", second_window_fails)
    annual, _ = backfill_assets(COMTRADE)
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize(
            [annual],
            resources={"warehouse": Warehouse()},
            instance=instance,
            raise_on_error=False,
            tags={"dagster/asset_partition_range_start": "2015",
                  "dagster/asset_partition_range_end": "2016"},
        )  # fmt: skip
        shown = instance.fetch_materializations(annual.key, limit=10).records
    assert (result.success, retries(result)) == (True, 1)
    asked = [seen.query["period"] for seen in comtrade.requests]
    assert (asked.count("2015"), asked.count("2016")) == (1, ATTEMPTS + 1)
    assert sorted(str(record.partition_key) for record in shown) == ["2015", "2016"]


# How long it waits.


def wait_for(report: FetchReport, number: int = 0) -> float | None:
    """The seconds to wait after a fetch, in the try of that number; None if it is not repeated."""
    run = SimpleNamespace(run_config={}, tags={})
    log = SimpleNamespace(warning=lambda text: None)
    context = SimpleNamespace(retry_number=number, run=run, log=log)
    try:
        retry_if_it_may_pass(cast(Any, context), Settings.load(retry_after_s=60), report)
    except dg.RetryRequested as request:
        return request.seconds_to_wait
    return None


def failed(*errors: tuple[Any, Exception]) -> FetchReport:
    report = FetchReport(answer="ok")
    for outcome, error in errors:
        report.add_failure(outcome, cast(Any, error))
    return report


FAILING = ("no_answer", ServerFailingError("503"))


def test_each_wait_is_three_times_the_last_and_there_are_three() -> None:
    report = failed(FAILING)
    for number, least in enumerate((60, 180, 540)):
        seconds = wait_for(report, number)
        assert seconds is not None
        assert least <= seconds <= least * 1.25
    assert wait_for(report, 3) is None


def test_a_publisher_that_names_a_short_wait_is_not_asked_before() -> None:
    again_at = datetime.now(UTC).replace(tzinfo=None) + timedelta(minutes=10)
    seconds = wait_for(failed(("quota", QuotaError("429", again_at=again_at))))
    assert seconds is not None
    assert seconds == pytest.approx(600, abs=30)


def test_a_lasting_failure_beside_a_passing_one_is_left_to_a_person() -> None:
    assert wait_for(failed(FAILING, ("denied", DeniedError("401")))) is None
    assert wait_for(failed(("quota", QuotaError("used up")))) is None
    assert wait_for(FetchReport(answer="ok")) is None
