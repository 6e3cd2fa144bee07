"""A month of the schedule `renew` with all sensors on, against publishers that publish by their
calendars, a webhook and a mail server that both refuse some messages.

One publisher is three days late; one has a misprint that is withdrawn after five days; two refuse
to answer for days, of which one gets late; a suspension of clauses ends. By day the sources and the
clauses alone, without a run.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Set
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest
import time_machine

from dagster_project.alerts.problems import KINDS
from dagster_project.definitions import defs
from dagster_project.intake.conform import conform
from dagster_project.intake.land import land_bundled
from dagster_project.intake.stores import lake_of, landing_of
from dagster_project.intake.withdraw import withdraw
from dagster_project.orchestration.execute import open_instance
from dagster_project.orchestration.keys import lake_key, landing_key
from dagster_project.orchestration.lateness import lateness_by_frequency
from dagster_project.settings import Settings
from dagster_project.sources.registry import all_sources, source_named, source_names
from tests import bundled
from tests.e2e.test_a_year_of_renewal import (
    RUN_AT,
    Brasilia,
    FederalReserve,
    London,
    Publisher,
    Washington,
    fetch,
)
from tests.fakes.price_publishers import FakeFred
from tests.fakes.receivers import MailServer, Webhook
from tests.fakes.server import too_many_requests
from tests.nightly import is_night, nightly

NAMES = ("comexstat", "fred", "hmrc", "pink_sheet")

FIRST, LAST = date(2026, 10, 10), date(2026, 11, 12)

TICKS_A_DAY = 3
"""After the run of the day; a message that is refused comes with the next one."""

LATE_FROM, LATE_UNTIL = date(2026, 10, 20), date(2026, 10, 22)
"""August of the United Kingdom was due on Monday 19 October; it is published on the 22nd, and the
run of the 23rd sees it."""

MISPRINT_FROM, CORRECTED, WITHDRAWN = date(2026, 10, 13), date(2026, 10, 16), date(2026, 10, 18)
"""Runs that see a misprint of the Federal Reserve, its correction, and a lake without
it."""

STORM_OF_BRAZIL = (date(2026, 11, 4), date(2026, 11, 6))
"""October is published on the first of these days and due on 10 November: it is not late."""

STORM_OF_WASHINGTON = (date(2026, 11, 4), date(2026, 11, 8))
"""October is due on 5 November: it is late from the 6th on, and comes on the 9th."""

LAPSES = date(2026, 11, 11)
"""Notice 70/2025 suspends seven clauses until 10 November 2026."""

AHEAD = date(2026, 10, 12)
"""Thirty days before it."""


class LateLondon(London):
    def __init__(self) -> None:
        super().__init__()
        self.seen_on["2026-08"] = LATE_UNTIL + timedelta(days=1)


class MisprintedReserve(FederalReserve):
    """The rate of Thursday 8 October is printed as 0 until it is corrected."""

    def publish(self, day: date) -> None:
        super().publish(day)
        assert isinstance(self.server, FakeFred)
        if MISPRINT_FROM <= day < CORRECTED:
            self.server.rates["2026-10-08"] = "0"


@dataclass
class Month:
    """What happened: by day the messages, and how far the figures reach."""

    hook: Webhook
    mail: MailServer
    said: dict[date, list[str]] = field(default_factory=dict)
    held: dict[date, dict[str, str]] = field(default_factory=dict)
    """The newest period in the lake after the run of a day, by source."""
    published: dict[date, dict[str, str]] = field(default_factory=dict)
    """The latest day of a period in the published file, on the days of a build."""
    failed_runs: list[date] = field(default_factory=list)
    cursors: dict[str, str] = field(default_factory=dict)
    requested: dict[date, set[str]] = field(default_factory=dict)
    """The assets that build_what_landed would build beside the schedule, by day."""
    conditions: Any = None

    @property
    def settings(self) -> Settings:
        """Those of the day: settings remember the day on which they were first asked for it."""
        return Settings.load()

    def evaluate(
        self, day: date, instance: dg.DagsterInstance, definitions: dg.Definitions
    ) -> None:
        """What the sensor `build_what_landed` requests in the hours after the run of the day.

        Landings are reported first, as the sensor `report_landings` does.
        """
        report = definitions.resolve_sensor_def("report_landings")
        result = report(dg.build_sensor_context(instance=instance))
        assert isinstance(result, dg.SensorResult)
        for event in result.asset_events:
            instance.report_runless_asset_event(event)
        for hour in (1, 2):
            evaluated = dg.evaluate_automation_conditions(
                defs=definitions,
                instance=instance,
                cursor=self.conditions,
                evaluation_time=datetime.combine(day, RUN_AT, UTC) + timedelta(hours=hour),
            )
            self.conditions = evaluated.cursor
            self.requested.setdefault(day, set()).update(
                each.key.to_user_string()
                for each in evaluated.results
                if not each.true_subset.is_empty
            )

    def of(self, word: str) -> dict[date, list[str]]:
        """The titles that contain a word, by day."""
        titles = {
            day: [title for title in titles if word in title] for day, titles in self.said.items()
        }
        return {day: listed for day, listed in titles.items() if listed}

    def tick(self, day: date, instance: dg.DagsterInstance, definitions: dg.Definitions) -> None:
        """A tick of every sensor; the instance has their cursors from one to the next."""
        before = len(self.hook.received)
        for kind in KINDS:
            context = dg.build_sensor_context(
                instance=instance, cursor=self.cursors.get(kind), definitions=definitions
            )
            result = definitions.resolve_sensor_def(kind).evaluate_tick(context)
            self.cursors[kind] = result.cursor or ""
        self.said.setdefault(day, []).extend(self.hook.titles[before:])


def days(first: date, last: date) -> Iterator[date]:
    for number in range((last - first).days + 1):
        yield first + timedelta(days=number)


def clean_settings(
    stack: ExitStack, home: Path, publishers: Mapping[str, Publisher]
) -> pytest.MonkeyPatch:
    """An environment with these publishers, both receivers, and no other source."""
    patch = stack.enter_context(pytest.MonkeyPatch.context())
    for name in [name for name in os.environ if name.startswith(("KIDO_", "DAGSTER_"))]:
        patch.delenv(name)
    for name in source_names():
        patch.setenv(f"KIDO_{name.upper()}_ENABLED", str(name in publishers).lower())
    for name, publisher in publishers.items():
        stack.enter_context(publisher.server)
        patch.setenv(f"KIDO_{name.upper()}_URL", publisher.server.base_url)
        patch.setenv(f"KIDO_{name.upper()}_CALLS_PER_MINUTE", "60000")
    patch.setenv("KIDO_HOME", str(home))
    return patch


def month_with(stack: ExitStack, patch: pytest.MonkeyPatch) -> Month:
    hook, mail = stack.enter_context(Webhook()), stack.enter_context(MailServer())
    patch.setenv("KIDO_ALERTS", f"{hook.address} {mail.address}")
    return Month(hook, mail)


# The whole month.


@pytest.fixture(scope="module")
def month(few_flows: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Month]:
    publishers: dict[str, Publisher] = {
        each.name: each for each in (LateLondon(), Brasilia(), Washington(), MisprintedReserve())
    }
    with ExitStack() as stack:
        folder = tmp_path_factory.mktemp("month")
        home = folder / "home"
        patch = clean_settings(stack, home, publishers)
        bundled.use(known_by_then(folder / "bundled", few_flows), patch.setattr)
        month = month_with(stack, patch)
        definitions = defs()
        for day in days(FIRST, LAST):
            for publisher in publishers.values():
                publisher.publish(day)
            meet_storms(publishers, day)
            with time_machine.travel(datetime.combine(day, RUN_AT, UTC)):
                run_day(month, day, definitions)
        yield month


def known_by_then(folder: Path, few_flows: Path) -> Path:
    """The bundled files, with notices decided on the first day: later ones would be quarantined."""
    name = "catalogue/notices.yaml"
    text = (few_flows / name).read_text("utf8")
    decided = re.sub(r"decided: \d{4}-\d\d-\d\d$", f"decided: {FIRST}", text, flags=re.MULTILINE)
    return bundled.with_files(folder, {name: decided.encode()}, few_flows)


def meet_storms(publishers: Mapping[str, Publisher], day: date) -> None:
    for name, (first, last) in (
        ("comexstat", STORM_OF_BRAZIL),
        ("pink_sheet", STORM_OF_WASHINGTON),
    ):
        is_stormy = first <= day <= last
        publishers[name].server.always(too_many_requests("7200") if is_stormy else None)


def run_day(month: Month, day: date, definitions: dg.Definitions) -> None:
    """The schedule's job, then some ticks of each sensor.

    Its marts are built where something landed: each day would have a release of its own, since a
    state is a function of the day.
    """
    if day == WITHDRAWN:
        withdraw_misprint(month.settings)
    if day in (LATE_FROM, LAPSES):
        month.hook.refuse("500")
        month.mail.refuse("451 try again later")
    before = landed_snapshots(month.settings)
    with open_instance(month.settings) as instance:
        run(month, day, definitions, instance, *assets_of_sources())
        month.held[day] = held_through(month.settings)
        if landed_snapshots(month.settings) - before or day == WITHDRAWN:
            build(month, day, definitions, instance)
        for _ in range(TICKS_A_DAY):
            month.tick(day, instance, definitions)
        month.evaluate(day, instance, definitions)


def run(
    month: Month,
    day: date,
    definitions: dg.Definitions,
    instance: dg.DagsterInstance,
    *assets: dg.AssetKey,
) -> None:
    """The job of the schedule, or only some assets of it."""
    result = definitions.resolve_job_def("renew").execute_in_process(
        run_config={"loggers": {"console": {}}}, instance=instance, raise_on_error=False,
        asset_selection=list(assets) or None,
    )  # fmt: skip
    month.failed_runs += [] if result.success else [day]


def build(
    month: Month,
    day: date,
    definitions: dg.Definitions,
    instance: dg.DagsterInstance,
) -> None:
    run(month, day, definitions, instance)
    with duckdb.connect(str(month.settings.published_file), read_only=True) as connection:
        month.published[day] = dict(
            connection.execute(
                "select source, latest_period::varchar from catalog.sources "
                "where list_contains($names, source)",
                {"names": list(NAMES)},
            ).fetchall()
        )


def held_through(settings: Settings) -> dict[str, str]:
    """The newest period in the lake, by source."""
    lake, landing = lake_of(settings), landing_of(settings)
    return {
        name: late.held_through
        for name in NAMES
        for late in lateness_by_frequency(settings, source_named(name), lake, landing)
    }


def assets_of_sources() -> list[dg.AssetKey]:
    return [
        key
        for name in NAMES
        for key in (
            landing_key(name),
            *(lake_key(name, table) for table in source_named(name).CARD.tables),
        )
    ]


def landed_snapshots(settings: Settings) -> Set[tuple[str, str]]:
    """The snapshots of the publishers, with their source."""
    landing = landing_of(settings)
    return {(name, snapshot.snapshot_id) for name in NAMES for snapshot in landing.snapshots(name)}


def withdraw_misprint(settings: Settings) -> None:
    landing = landing_of(settings)
    misprinted = [
        snapshot.snapshot_id
        for snapshot in landing.snapshots("fred")
        if MISPRINT_FROM <= snapshot.retrieved_at.date() < CORRECTED
    ]
    assert len(misprinted) == 1
    withdraw(settings, all_sources(), misprinted[0], "a misprint", print)


@nightly
def test_each_publication_is_landed_and_built_once_on_its_day(month: Month) -> None:
    assert month.failed_runs == []
    news = {
        day: {name: period for name, period in held.items() if month.held[before][name] != period}
        for before, (day, held) in zip(month.held, list(month.held.items())[1:], strict=False)
    }
    tuesdays = [date(2026, 10, 13) + timedelta(weeks=number) for number in range(5)]
    assert {day: of_day for day, of_day in news.items() if of_day} == {
        **{day: {"fred": str(day - timedelta(days=4))} for day in tuesdays},
        LATE_UNTIL + timedelta(days=1): {"hmrc": "2026-08"},
        STORM_OF_BRAZIL[1] + timedelta(days=1): {"comexstat": "2026-10"},
        STORM_OF_WASHINGTON[1] + timedelta(days=1): {"pink_sheet": "2026-10"},
    }
    assert {day for day, of_day in news.items() if of_day} <= month.published.keys()
    for day, published in month.published.items():
        assert published.keys() == month.held[day].keys()
        for name, latest in published.items():
            assert latest.startswith(month.held[day][name]), (day, name)


@nightly
def test_what_the_schedule_has_built_is_not_built_again_by_the_switch(month: Month) -> None:
    """The first day is left out: each table is requested once after the switch is turned on."""
    later = {day: assets for day, assets in month.requested.items() if day > FIRST}
    assert later.keys() == set(days(FIRST + timedelta(days=1), LAST))
    assert {day: assets for day, assets in later.items() if assets} == {}


@nightly
def test_three_days_late_are_one_message_and_one_end(month: Month) -> None:
    assert month.of("hmrc") == {
        LATE_FROM: ["Kido: hmrc is late"],
        LATE_UNTIL + timedelta(days=1): ["Kido, over: hmrc is late"],
    }


@nightly
def test_a_check_that_fails_on_five_days_is_one_message_and_one_end(month: Month) -> None:
    title = "lake/fred_price_quotes: every_rule_of_the_suite_holds failed"
    assert month.of("fred") == {
        MISPRINT_FROM: [f"Kido: {title}"],
        WITHDRAWN: [f"Kido, over: {title}"],
    }


@nightly
def test_a_storm_of_refusals_is_said_only_where_a_source_gets_late(month: Month) -> None:
    assert month.of("comexstat is late") == {}
    assert month.of("pink_sheet") == {
        date(2026, 11, 6): ["Kido: pink_sheet is late"],
        date(2026, 11, 9): ["Kido, over: pink_sheet is late"],
    }


@nightly
def test_the_suspension_that_lapses_is_said_ahead_and_on_its_day(month: Month) -> None:
    assert month.of("7 clauses") == {
        AHEAD: ["Kido: 7 clauses change state in 30 days, on 11 November 2026"],
        LAPSES: ["Kido: 7 clauses change state today"],
    }


@nightly
def test_both_receivers_got_every_message_once_in_the_same_order(month: Month) -> None:
    assert month.hook.titles == month.mail.titles
    assert month.hook.refusals == month.mail.refusals == type(month.hook.refusals)()
    for day, titles in month.said.items():
        assert max(Counter(titles).values(), default=0) <= 1, (day, titles)
    assert month.of("job") == month.of("release") == {}


# By day: the same of a source and of the clauses, without runs.


def test_a_source_three_days_late_is_said_once_and_its_end_once(
    tmp_path: Path, bundled_with_few_flows: Path
) -> None:
    definitions = dg.Definitions(sensors=_sensors())
    with ExitStack() as stack:
        london = LateLondon()
        patch = clean_settings(stack, tmp_path / "home", {"hmrc": london})
        month = month_with(stack, patch)
        instance = stack.enter_context(dg.DagsterInstance.local_temp(str(tmp_path)))
        for day in days(LATE_FROM - timedelta(days=2), LATE_UNTIL + timedelta(days=3)):
            london.publish(day)
            if day == LATE_FROM:
                month.hook.refuse("500", "503")
                month.mail.refuse("451 try again later")
            with time_machine.travel(datetime.combine(day, RUN_AT, UTC), tick=False) as clock:
                settings = Settings.load()
                land_bundled(settings, london.source)
                conform(settings, london.source)
                fetch(settings, london.source, clock)
                for _ in range(TICKS_A_DAY):
                    month.tick(day, instance, definitions)
        assert month.hook.titles == month.mail.titles
        assert month.of("") == {
            LATE_FROM: ["Kido: hmrc is late"],
            LATE_UNTIL + timedelta(days=1): ["Kido, over: hmrc is late"],
        }
        [first, _] = month.mail.received
        assert "published through 2026-08, held through 2026-07, late by 1 day" in first.body
        assert "Since 2026-10-19" in first.body


def test_a_lapse_is_said_ahead_and_on_its_day_and_never_over(built: Path, tmp_path: Path) -> None:
    definitions = dg.Definitions(sensors=_sensors())
    with ExitStack() as stack:
        home = tmp_path / "home"
        home.mkdir()
        (home / "kido.duckdb").symlink_to(built / "kido.duckdb")
        patch = clean_settings(stack, home, {})
        month = month_with(stack, patch)
        if not is_night():  # a mail server gets a message each five seconds
            patch.setenv("KIDO_ALERTS", month.hook.address)
        instance = stack.enter_context(dg.DagsterInstance.local_temp(str(tmp_path)))
        for day in days(AHEAD - timedelta(days=2), LAPSES + timedelta(days=6)):
            with time_machine.travel(datetime.combine(day, RUN_AT, UTC)):
                month.tick(day, instance, definitions)
        assert month.mail.titles == (month.hook.titles if is_night() else [])
        assert month.of("7 clauses") == {
            AHEAD: ["Kido: 7 clauses change state in 30 days, on 11 November 2026"],
            LAPSES: ["Kido: 7 clauses change state today"],
        }
        assert month.of("over") == {}
        [ahead, _] = [each for each in month.hook.received if "7 clauses" in each.title]
        assert "CN-2025-57: Export licensing of five more rare earths" in ahead.body
        assert "suspended by MOFCOM+GAC Ann. 70/2025 until 10 November 2026" in ahead.body
        # Of the United States one more suspension ends, which does not concern Japan.
        assert month.of("CN-2024-46-2") == {}


def _sensors() -> list[dg.SensorDefinition]:
    from dagster_project.orchestration.alert_sensors import alert_sensors

    return alert_sensors()
