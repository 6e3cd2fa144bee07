"""The graph as people see it: a change of keys, dependencies or checks is a diff.

pytest tests/unit/orchestration --update-golden     # after a change that is meant
"""

from __future__ import annotations

import json
import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from dagster_project.definitions import defs
from dagster_project.orchestration.assets import all_assets
from dagster_project.orchestration.code_references import base_url
from dagster_project.orchestration.dbt_runner import load_manifest
from dagster_project.orchestration.keys import PUBLISHED, WRITER_POOL, lake_key
from dagster_project.orchestration.lateness_checks import LATENESS_STEP
from dagster_project.orchestration.notice_checks import NOTICE_STEP
from dagster_project.orchestration.resources import Warehouse
from dagster_project.orchestration.source_assets import window_of
from dagster_project.sources.card import can_be_asked, windows_between
from dagster_project.sources.registry import all_sources
from tests.conftest import CHECKOUT

GOLDEN = CHECKOUT / "tests" / "golden"
RENEWALS = {
    f"renew_{name}": name
    for name in (
        "alphavantage", "comext", "comexstat", "comtrade", "ecb", "federal_register", "fred",
        "gta", "hmrc", "imf_pcps", "japan_customs", "mofcom", "pink_sheet", "screening_list",
        "usgs_mcs", "wgi", "yahoo",
    )
}  # fmt: skip
"""The jobs that ask one publisher."""


@pytest.fixture(scope="module")
def definitions() -> dg.Definitions:
    """As without any key, whatever is set where the tests run."""
    with pytest.MonkeyPatch.context() as environment:
        for name in [name for name in os.environ if name.startswith("KIDO_")]:
            environment.delenv(name)
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


def test_a_check_that_another_kind_of_message_reports_says_which(graph: Any) -> None:
    """A publisher's silence and its late period are those of a late source, a loss of the gate is
    a blocked release; everything else is said as a failed check.
    """
    kinds: dict[str, set[str]] = {}
    for key in graph.asset_check_keys:
        kind = graph.get_check_spec(key).metadata.get("kido/alerted_by", "failed_checks")
        kinds.setdefault(kind, set()).add(key.name)
    assert kinds["late_sources"] == {"publisher_answered", "published_period_is_held"}
    gate = {key.name for key in graph.asset_check_keys if key.asset_key == PUBLISHED}
    of_gate = gate - {"new_totals_keep_their_magnitude", "notices_are_read"}
    assert kinds["blocked_releases"] == of_gate
    assert kinds["notices"] == {"notices_are_read"}
    assert kinds.keys() == {"late_sources", "blocked_releases", "failed_checks", "notices"}
    blocking = {
        key.name
        for key in graph.asset_check_keys
        if graph.get_check_spec(key).blocking and key.asset_key != PUBLISHED
    }
    assert blocking <= kinds["failed_checks"]


def test_a_sensor_per_kind_of_problem_and_none_runs_by_itself(definitions: dg.Definitions) -> None:
    kinds = (
        "failed_runs",
        "failed_checks",
        "blocked_releases",
        "late_sources",
        "restriction_clauses",
        "notices",
    )
    sensors = [definitions.resolve_sensor_def(kind) for kind in kinds]
    stopped = dg.DefaultSensorStatus.STOPPED
    assert {sensor.default_status for sensor in sensors} == {stopped}
    intervals = [sensor.minimum_interval_seconds for sensor in sensors]
    assert intervals == [60, 60, 60, 3600, 3600, 3600]


def selected(definitions: dg.Definitions, job: str) -> set[str]:
    layer = definitions.resolve_job_def(job).asset_layer
    return {key.to_user_string() for key in layer.executable_asset_keys}


@pytest.mark.parametrize("job", ["build", "renew"])
def test_a_build_makes_everything(job: str, definitions: dg.Definitions, graph: Any) -> None:
    everything = {key.to_user_string() for key in graph.materializable_asset_keys}
    assert selected(definitions, job) == everything


def test_every_job_is_known_and_renewals_build_only_on_news(definitions: dg.Definitions) -> None:
    jobs = {job.name: job for job in definitions.resolve_all_job_defs()}
    named = {name for name in jobs if not name.startswith("__")}
    assert named == {"build", "renew", "clean_up", *RENEWALS}
    on_news = {name for name in named if jobs[name].tags.get("kido/news_only") == "true"}
    assert on_news == named - {"build", "clean_up"}
    sources = {name: jobs[name].tags["kido/source"] for name in named if name in RENEWALS}
    assert sources == RENEWALS


def test_a_renewal_asks_one_publisher_and_builds_on_what_came(definitions: dg.Definitions) -> None:
    """Marts, audit and publication are those of a build; the other publishers are left alone."""
    whole = selected(definitions, "build")
    for job, name in RENEWALS.items():
        own = {f"landing/{name}"} | {
            f"lake/{name}_{table}" for table in all_sources()[name].CARD.tables
        }
        others = {key for key in whole if key.startswith(("landing/", "lake/"))} - own
        assert own <= whole
        # No mart reads the releases that publishers announce.
        assert selected(definitions, job) == whole - others - {"staging/stg_lake__release_dates"}


def test_every_asset_has_a_description_an_owner_a_group_and_a_kind(graph: Any) -> None:
    for key in graph.materializable_asset_keys:
        node = graph.get(key)
        assert node.description, key
        assert node.owners, key
        assert node.group_name != "default", key
        assert node.kinds, key


def test_sources_are_grouped_and_owned_by_domain(graph: Any) -> None:
    """Four groups in place of one per publisher: the closed graph fits a screen."""
    of_sources = {
        key: graph.get(key)
        for key in graph.materializable_asset_keys
        if key.path[0] in ("landing", "lake")
    }
    groups = {node.group_name for node in of_sources.values()}
    assert groups == {
        "sources_trade", "sources_prices", "sources_restrictions", "sources_production_and_uses",
    }  # fmt: skip
    for key, node in of_sources.items():
        domain = node.group_name.removeprefix("sources_")
        assert node.owners == [f"team:{domain}"], key
        assert node.tags["domain"] == domain, key
        assert node.tags["publisher"], key
    everything = {graph.get(key).group_name for key in graph.materializable_asset_keys}
    assert len(everything) <= 14
    assert graph.get(dg.AssetKey(["exposure", "measures"])).owners == ["team:restrictions"]


def file_of(reference: dg.LocalFileCodeReference | dg.UrlCodeReference) -> Path:
    """The file that is linked, on this machine or where the checkout was cloned from."""
    if isinstance(reference, dg.LocalFileCodeReference):
        return Path(reference.file_path)
    return CHECKOUT / reference.url.removeprefix(f"{base_url()}/")


def test_every_asset_leads_to_the_files_that_make_it(graph: Any) -> None:
    for key in graph.materializable_asset_keys:
        references = graph.get(key).metadata["dagster/code_references"].code_references
        assert references, key
        for reference in references:
            assert file_of(reference).is_file(), (key, reference)
    prices = graph.get(lake_key("ecb", "price_quotes")).metadata["dagster/code_references"]
    assert [file_of(each).name for each in prices.code_references] == [
        "ecb.py", "schemas.py", "price_quotes.py", "README.md",
    ]  # fmt: skip


def test_a_publisher_that_builds_ask_is_fresh_by_its_calendar() -> None:
    """Each of its times is a deadline three hours later, in its zone; the daily run is enough."""

    def policies(*fetched: str) -> dict[str, dg.FreshnessPolicy]:
        return {
            spec.key.to_user_string(): spec.freshness_policy
            for asset in all_assets(load_manifest(), set(fetched))
            for spec in asset.specs
            if spec.freshness_policy
        }

    assert policies() == {}
    assert policies("ecb", "hmrc", "baci") == {
        "landing/ecb": dg.FreshnessPolicy.cron("30 19 * * 1-5", timedelta(days=1), "Europe/Berlin"),
        "landing/hmrc": dg.FreshnessPolicy.cron(
            "45 12 10-18 * *", timedelta(days=1), "Europe/London"
        ),
    }
    # Every calendar makes a policy: Dagster accepts its cron line three hours later.
    asked = {name for name, source in all_sources().items() if can_be_asked(source)}
    assert len(policies(*asked)) == len(RENEWALS)


def test_the_daemon_evaluates_freshness() -> None:
    import yaml

    configuration = yaml.safe_load((CHECKOUT / "deploy" / "dagster.yaml").read_text())
    assert configuration["freshness"] == {"enabled": True}


def test_nothing_in_the_graph_is_only_referred_to(graph: Any) -> None:
    assert set(graph.get_all_asset_keys()) == set(graph.materializable_asset_keys)


def test_each_publisher_has_its_own_pool_and_all_writers_share_one(
    definitions: dg.Definitions,
) -> None:
    """Asking takes minutes: no build waits for it that does not need it."""
    job = definitions.resolve_job_def("build")
    pools = {node.name: node.definition.pool for node in job.nodes}  # type: ignore[union-attr]
    asking = {
        f"landing__{name}": f"publisher_{name}" if can_be_asked(source) else None
        for name, source in all_sources().items()
    }
    assert {name: pool for name, pool in pools.items() if name in asking} == asking
    # The checks of what is due and of what is unread write nothing.
    writing = set(pools) - set(asking) - {LATENESS_STEP, NOTICE_STEP}
    assert {pools[name] for name in writing} == {WRITER_POOL}


def test_the_instance_lets_one_step_write_at_a_time_and_only_while_it_runs() -> None:
    import yaml

    configuration = yaml.safe_load((CHECKOUT / "deploy" / "dagster.yaml").read_text())
    assert configuration["concurrency"]["pools"] == {"granularity": "op", "default_limit": 1}


def test_publication_waits_for_every_mart_and_every_source(graph: Any) -> None:
    upstream = dg.AssetSelection.assets(PUBLISHED).upstream().resolve(graph)
    for name, source in all_sources().items():
        for table in source.CARD.tables:
            assert dg.AssetKey(["lake", f"{name}_{table}"]) in upstream


def test_what_was_asked_comes_in_with_the_rows_that_were_answered(graph: Any) -> None:
    """The lake's `coverage` is written where a source with windows is conformed."""
    coverage = graph.get(dg.AssetKey(["staging", "stg_lake__coverage"]))
    assert coverage.parent_keys == {
        lake_key(name, table)
        for name, source in all_sources().items()
        if source.CARD.windows
        for table in source.CARD.tables
    }
    assert dg.AssetKey(["lake", "comtrade_trade_flows"]) in coverage.parent_keys


def test_each_publisher_with_a_calendar_has_a_schedule_that_is_off(
    definitions: dg.Definitions,
) -> None:
    schedules = {schedule.name: schedule for schedule in definitions.schedules or ()}
    cleaning = schedules.pop("clean_up")
    assert isinstance(cleaning, dg.ScheduleDefinition)
    assert cleaning.default_status == dg.DefaultScheduleStatus.STOPPED
    of_all = schedules.pop("renew")
    assert set(schedules) == set(RENEWALS.values())
    assert isinstance(of_all, dg.ScheduleDefinition)
    assert (of_all.job_name, of_all.default_status) == ("renew", dg.DefaultScheduleStatus.STOPPED)
    # An hour after the detailed files of Japan's customs are published.
    assert (of_all.cron_schedule, of_all.execution_timezone) == ("30 10 * * *", "Asia/Tokyo")
    assert (of_all.description or "").startswith("Every day at 10:30 in Tokyo")
    for name, schedule in schedules.items():
        assert isinstance(schedule, dg.ScheduleDefinition)
        assert schedule.job_name == f"renew_{name}"
        assert schedule.default_status == dg.DefaultScheduleStatus.STOPPED
        calendar = all_sources()[name].CARD.calendar
        assert calendar is not None
        assert schedule.description == calendar.description
    # Business days at 16:30 in Frankfurt, half an hour after the rates; Tuesdays in New York.
    output = {
        name: (schedule.cron_schedule, schedule.execution_timezone)
        for name, schedule in schedules.items()
        if isinstance(schedule, dg.ScheduleDefinition)
    }
    assert output == {
        "ecb": ("30 16 * * 1-5", "Europe/Berlin"),
        "comtrade": ("0 7 * * 2", "America/New_York"),
        # In the days in which the customs publish a month.
        "japan_customs": ("35 9 24-31,1-3 * *", "Asia/Tokyo"),
        "hmrc": ("45 9 10-18 * *", "Europe/London"),
        "comext": ("30 11 16,20 * *", "Europe/Luxembourg"),
        "comexstat": ("0 18 1-10 * *", "America/Sao_Paulo"),
        # Early in the month; late in a year, and at its beginning.
        "pink_sheet": ("30 11 * * 1-5", "America/New_York"),
        "wgi": ("30 9 * * 1", "America/New_York"),
        "usgs_mcs": ("30 10 * * 2", "America/New_York"),
        # Publishers of prices, on weekdays after the sessions of New York.
        "alphavantage": ("0 20 * * 1-5", "America/New_York"),
        "fred": ("30 17 * * 1-5", "America/New_York"),
        "imf_pcps": ("0 12 * * 1-5", "America/New_York"),
        "yahoo": ("30 18 * * 1-5", "America/New_York"),
        # Publishers of notices: so often that a notice is seen within a day.
        "federal_register": ("0 9 * * 1-5", "America/New_York"),
        "mofcom": ("0 18 * * *", "Asia/Shanghai"),
        "gta": ("0 6 * * *", "Europe/Zurich"),
        "screening_list": ("0 9 * * *", "America/New_York"),
    }


# Backfills: there only where a source is asked.


def backfills(*asked: str) -> dict[str, dg.AssetsDefinition]:
    return {
        asset.key.to_user_string(): asset
        for asset in all_assets(load_manifest(), set(asked))
        if len(list(asset.keys)) == 1 and asset.partitions_def is not None
    }


def test_without_a_key_nothing_can_be_backfilled(graph: Any) -> None:
    assert backfills() == {}
    assert backfills("ecb") == {}  # it is asked for one document, not for periods
    assert not [
        key for key in graph.materializable_asset_keys if graph.get(key).partitions_def is not None
    ]


def test_the_partitions_of_a_backfill_are_the_windows_of_its_card() -> None:
    found = backfills("comtrade")
    assert set(found) == {"landing/comtrade_annual", "landing/comtrade_monthly"}
    until = datetime(2025, 3, 15)
    for name, frequency, first, last, count in (
        ("annual", "A", "2000", "2024", 25),
        ("monthly", "M", "2010-01", "2025-02", 15 * 12 + 2),
    ):
        partitions = found[f"landing/comtrade_{name}"].partitions_def
        assert partitions is not None
        keys = partitions.get_partition_keys(current_time=until)
        assert (keys[0], keys[-1], len(keys)) == (first, last, count)
        (windows,) = (
            one for one in all_sources()["comtrade"].CARD.windows if one.frequency == frequency
        )
        over = [
            window.key
            for window in windows_between(windows, windows.since, until.date())
            if window.end <= until.date()
        ]
        assert keys == over
        assert [window_of(windows.frequency, key).key for key in keys] == keys
        assert found[f"landing/comtrade_{name}"].backfill_policy == dg.BackfillPolicy.single_run()
        spec = next(iter(found[f"landing/comtrade_{name}"].specs))
        assert spec.tags["kido/backfill"] == "true"


def test_with_a_key_they_are_there_and_in_no_job(
    tmp_path: Path, definitions: dg.Definitions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIDO_HOME", str(tmp_path))
    monkeypatch.setenv("KIDO_COMTRADE_KEY", "not a real one")
    asked = defs()
    graph = asked.resolve_asset_graph()
    assert {
        key.to_user_string()
        for key in graph.materializable_asset_keys
        if graph.get(key).partitions_def is not None
    } == {"landing/comtrade_annual", "landing/comtrade_monthly"}
    assert selected(asked, "build") == selected(definitions, "build")
    assert {
        node.definition.pool
        for node in asked.resolve_implicit_global_asset_job_def().nodes
        if node.name.removeprefix("landing__comtrade") in ("", "_annual", "_monthly")
    } == {"publisher_comtrade"}


def test_sources_that_can_be_fetched_have_a_check_that_does_not_block(
    graph: Any,
) -> None:
    found = {
        key.asset_key.to_user_string(): graph.get_check_spec(key).blocking
        for key in graph.asset_check_keys
        if key.name == "publisher_answered"
    }
    assert found == dict.fromkeys(
        (
            "landing/alphavantage", "landing/baci", "landing/comext", "landing/comexstat",
            "landing/comtrade", "landing/ecb", "landing/federal_register", "landing/fred",
            "landing/gta", "landing/hmrc", "landing/imf_pcps", "landing/japan_customs",
            "landing/mofcom", "landing/pink_sheet", "landing/screening_list", "landing/usgs_mcs",
            "landing/wgi", "landing/yahoo",
        ),
        False,
    )  # fmt: skip


# The day of a run.


def context(started_at: datetime | None) -> Any:
    record = SimpleNamespace(start_time=started_at.timestamp() if started_at else None)
    return SimpleNamespace(
        instance=SimpleNamespace(get_run_record_by_id=lambda run_id: record),
        run=SimpleNamespace(run_id="a run"),
    )


def test_the_day_of_a_run_is_the_one_it_started_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KIDO_HOME", str(tmp_path))
    monkeypatch.delenv("KIDO_AS_OF", raising=False)
    just_before_midnight = datetime(2025, 3, 1, 23, 59, 59, tzinfo=UTC)
    # Days have passed since, and every step of the run still builds for that one.
    for _ in range(2):
        settings = Warehouse().settings(context(just_before_midnight))
        assert settings.today == date(2025, 3, 1)
        assert settings.as_of_instant == datetime(2025, 3, 1, 23, 59, 59, 999999)
    # In a zone that has the next day already, it is the day of UTC.
    tokyo = datetime(2025, 3, 2, 8, 59, tzinfo=ZoneInfo("Asia/Tokyo"))
    assert Warehouse().settings(context(tokyo)).today == date(2025, 3, 1)


def test_a_day_that_is_asked_for_goes_before_the_day_of_the_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KIDO_HOME", str(tmp_path))
    started = context(datetime(2025, 3, 1, tzinfo=UTC))
    assert Warehouse(as_of="2024-05-05").settings(started).today == date(2024, 5, 5)
    monkeypatch.setenv("KIDO_AS_OF", "2024-06-06")
    assert Warehouse().settings(started).today == date(2024, 6, 6)
    assert Warehouse(as_of="2024-05-05").settings(started).today == date(2024, 5, 5)


def test_another_day_is_a_replay_unless_publish_is_set_in_the_launchpad(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KIDO_HOME", str(tmp_path))
    monkeypatch.delenv("KIDO_AS_OF", raising=False)
    started = context(datetime(2025, 3, 1, tzinfo=UTC))
    assert not Warehouse().settings(started).is_replay
    assert not Warehouse(as_of="2025-03-01").settings(started).is_replay
    assert Warehouse(as_of="2024-05-05").settings(started).is_replay
    assert not Warehouse(as_of="2024-05-05", publish=True).settings(started).is_replay
    monkeypatch.setenv("KIDO_AS_OF", "2024-06-06")
    assert Warehouse().settings(started).is_replay


@pytest.mark.parametrize(
    ("day", "output"),
    [
        ("2025-03-02", "2025-03-02 is in the future: nothing is known after 2025-03-01 (UTC)."),
        ("soon", "as_of: 'soon' is not a day like 2026-02-06."),
    ],
)
def test_a_wrong_day_in_the_launchpad_fails_the_step_in_a_sentence(
    day: str, output: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KIDO_HOME", str(tmp_path))
    with pytest.raises(dg.Failure) as raised:
        Warehouse(as_of=day).settings(context(datetime(2025, 3, 1, 23, tzinfo=UTC)))
    assert raised.value.description == output


def test_a_run_that_has_not_started_yet_is_of_today(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KIDO_HOME", str(tmp_path))
    monkeypatch.delenv("KIDO_AS_OF", raising=False)
    before = datetime.now(UTC).date()
    found = Warehouse().settings(context(None)).today
    assert before <= found <= datetime.now(UTC).date()


def test_a_marts_column_leads_back_to_the_lake() -> None:
    from dagster_project.orchestration.dbt_runner import load_column_lineage

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
