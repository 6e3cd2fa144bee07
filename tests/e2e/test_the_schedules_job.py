"""The job of the one schedule that an operator switches on, against all stand-ins at once.

From an empty home to the published file, with one publisher down; then once more, without news.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest

from dagster_project.definitions import defs
from dagster_project.intake import due
from dagster_project.intake.stores import lake_of, landing_of
from dagster_project.orchestration.execute import open_instance
from dagster_project.serving.publication import published_releases
from dagster_project.serving.trace import trace
from dagster_project.settings import Settings
from dagster_project.sources.registry import all_sources, source_named
from tests import bundled, contract
from tests.fakes import comexstat as brazil
from tests.fakes import hmrc as britain
from tests.fakes.ecb import FakeEcb
from tests.fakes.japan_customs import FakeJapanCustoms, Line
from tests.fakes.server import FakePublisher
from tests.nightly import nightly

pytestmark = nightly


@cache
def newest_months(source: str) -> tuple[date, date]:
    """The two newest months that a publisher is expected to have published."""
    today = datetime.now(UTC).date()
    before, newest = due.newest_of(source_named(source), today)[-2:]
    return before.start, newest.start


def closed_port() -> int:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return int(unused.getsockname()[1])


# Each publisher has three lines of imports in the newest month, two of one HS6 code and country,
# and one in the month before.


def japan() -> FakeJapanCustoms:
    """Of metal 12 t and 3 t from China, of cerium 5 t; a month before 8 t."""
    server = FakeJapanCustoms()
    before, newest = newest_months("japan_customs")
    figures = (
        (before, "280530010", "105", (0, 8_000, 90_000)),
        (newest, "280530010", "105", (0, 12_000, 130_000)),
        (newest, "280530090", "105", (0, 3_000, 30_000)),
        (newest, "284610000", "110", (0, 5_000, 7_000)),
    )
    for year in {newest.year - 1, before.year, newest.year}:
        lines: dict[tuple[str, str], dict[int, tuple[int, int, int]]] = {}
        for month, code, country, amounts in figures:
            if month.year == year:
                lines.setdefault((code, country), {})[month.month] = amounts
        stages = {month.month: "確報" for month in (before, newest) if month.year == year}
        stages = stages or {12: "確定"}
        imports = [Line(code, country, of_line) for (code, country), of_line in lines.items()]
        server.publish("import", year, stages, imports)
        server.publish("export", year, stages, [])
    return server


def great_britain() -> britain.FakeHmrc:
    """Of magnets 700 kg and 300 kg from China, of cerium 40 kg; a month before 900 kg."""
    before, newest = (month.year * 100 + month.month for month in newest_months("hmrc"))
    return britain.FakeHmrc(
        [
            britain.Trade(newest, 3, 85051110, 720, 30_000.0, 600.0, port=9),
            britain.Trade(newest, 3, 85051110, 720, 5_000.0, 100.0, port=25),
            britain.Trade(newest, 3, 85051190, 720, 9_000.0, 300.0),
            britain.Trade(newest, 1, 28461000, 4, 800.0, 40.0),
            britain.Trade(before, 3, 85051110, 720, 44_000.0, 900.0),
        ]
    )


def brasil() -> brazil.FakeComexstat:
    """Of magnets 1.5 t and 0.5 t from China, of cerium 2 t; a month before 1 t."""
    server = brazil.FakeComexstat()
    before, newest = newest_months("comexstat")
    for year in {month.year for month in (before, newest)} | {newest.year - 1}:
        server.years["IMP", year], server.years["EXP", year] = [], []
    server.years["IMP", newest.year] += [
        brazil.Trade(newest.month, "85051110", "160", 1_000, 50_000, 900, 70),
        brazil.Trade(newest.month, "85051110", "160", 500, 26_000, 400, 30, state="AM"),
        brazil.Trade(newest.month, "85051190", "160", 500, 11_000, 200, 20),
        brazil.Trade(newest.month, "28461000", "399", 2_000, 16_000, 300, 20),
    ]
    server.years["IMP", before.year].append(
        brazil.Trade(before.month, "85051110", "160", 1_000, 55_000, 800, 60)
    )
    return server


@dataclass
class Outcome:
    """A home after two runs of the schedule's job, and what was there after the first."""

    settings: Settings
    first: dg.ExecuteInProcessResult
    second: dg.ExecuteInProcessResult
    after_first: tuple[Any, ...]
    after_second: tuple[Any, ...]
    requests: Mapping[str, tuple[int, int]]
    """How many each publisher got in the first run, and in both."""

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.settings.published_file), read_only=True) as connection:
            return connection.execute(sql).fetchall()


def run_schedule(settings: Settings, **choices: bool) -> dg.ExecuteInProcessResult:
    """What a tick of the schedule `renew` launches, in this process; with `choices` a launchpad."""
    definitions = defs()
    schedule = definitions.resolve_schedule_def("renew")
    job = definitions.resolve_job_def(schedule.job_name)
    with open_instance(settings) as instance:
        return job.execute_in_process(
            run_config={
                "loggers": {"console": {}},
                "resources": {"warehouse": {"config": choices}},
            },
            instance=instance,
            raise_on_error=False,
        )


def state(settings: Settings) -> tuple[Any, ...]:
    """The snapshots in the landing, the releases, and the published file's digest."""
    landing = landing_of(settings)
    snapshots = {
        snapshot.snapshot_id for source in all_sources() for snapshot in landing.snapshots(source)
    }
    releases = [release.release_id for release in published_releases(settings)]
    return snapshots, releases, sha256(settings.published_file.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def outcome(few_flows: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outcome]:
    home = tmp_path_factory.mktemp("schedule") / "home"
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        for name in [name for name in os.environ if name.startswith(("KIDO_", "DAGSTER_"))]:
            patch.delenv(name)
        patch.setenv("KIDO_RETRY_AFTER_S", "0")
        servers: dict[str, FakePublisher] = {
            "japan_customs": stack.enter_context(japan()),
            "hmrc": stack.enter_context(great_britain()),
            "comexstat": stack.enter_context(brasil()),
            "ecb": stack.enter_context(FakeEcb()),
        }
        urls = {name: server.base_url for name, server in servers.items()}
        for name, url in {**urls, "comext": f"http://127.0.0.1:{closed_port()}"}.items():
            patch.setenv(f"KIDO_{name.upper()}_ENABLED", "true")
            patch.setenv(f"KIDO_{name.upper()}_URL", url)
            patch.setenv(f"KIDO_{name.upper()}_CALLS_PER_MINUTE", "60000")
        patch.setenv("KIDO_HOME", str(home))
        bundled.use(few_flows, patch.setattr)
        settings = Settings.load()
        first = run_schedule(settings)
        after_first = state(settings)
        asked = {name: len(server.requests) for name, server in servers.items()}
        # As if every publisher's next day of publication had come.
        patch.setattr(due, "last_moment", lambda calendar, now: now)
        second = run_schedule(settings)
        yield Outcome(
            settings, first, second, after_first, state(settings),
            {name: (asked[name], len(server.requests)) for name, server in servers.items()},
        )  # fmt: skip


def test_the_run_succeeds_and_publishes_although_one_publisher_is_down(outcome: Outcome) -> None:
    assert outcome.first.success
    assert outcome.settings.published_file.exists()
    assert len(published_releases(outcome.settings)) == 1
    assert outcome.ask(
        "select source, last_answer from catalog.sources where source in "
        "('japan_customs', 'hmrc', 'comext', 'comexstat', 'ecb') order by source"
    ) == [
        ("comexstat", "ok"), ("comext", "no_answer"), ("ecb", "ok"), ("hmrc", "ok"),
        ("japan_customs", "ok"),
    ]  # fmt: skip


def test_the_published_lines_are_those_that_the_publishers_sent(outcome: Outcome) -> None:
    """By publisher: months from oldest to newest, with lines, values and weights."""
    assert outcome.ask(
        "select source, dense_rank() over (partition by source order by period_start), "
        "national_code, partner_iso3, flow, value_local, net_weight_kg "
        "from trade.national_lines order by source, period_start, national_code"
    ) == [
        ("comexstat", 1, "85051110", "CHN", "import", 55_000.0, 1_000.0),
        ("comexstat", 2, "28461000", "JPN", "import", 16_000.0, 2_000.0),
        ("comexstat", 2, "85051110", "CHN", "import", 76_000.0, 1_500.0),
        ("comexstat", 2, "85051190", "CHN", "import", 11_000.0, 500.0),
        ("hmrc", 1, "85051110", "CHN", "import", 44_000.0, 900.0),
        ("hmrc", 2, "28461000", "DEU", "import", 800.0, 40.0),
        ("hmrc", 2, "85051110", "CHN", "import", 35_000.0, 700.0),
        ("hmrc", 2, "85051190", "CHN", "import", 9_000.0, 300.0),
        ("japan_customs", 1, "280530010", "CHN", "import", 90_000_000.0, 8_000.0),
        ("japan_customs", 2, "280530010", "CHN", "import", 130_000_000.0, 12_000.0),
        ("japan_customs", 2, "280530090", "CHN", "import", 30_000_000.0, 3_000.0),
        ("japan_customs", 2, "284610000", "VNM", "import", 7_000_000.0, 5_000.0),
    ]


def test_the_published_flows_are_their_sums_by_code_of_six_digits(outcome: Outcome) -> None:
    sums = []
    for source in ("comexstat", "hmrc", "japan_customs"):
        _, newest = newest_months(source)
        sums += outcome.ask(
            "select source, commodity_code, partner_iso3, net_weight_kg from trade.reported_flows "
            f"where source = '{source}' and period_start = '{newest}' and frequency = 'M' "
            "and partner_iso3 <> 'WLD' and commodity_code in ('280530', '284610', '850511') "
            "order by all"
        )
    assert sums == [
        ("comexstat", "284610", "JPN", 2_000.0),
        ("comexstat", "850511", "CHN", 2_000.0),
        ("hmrc", "284610", "DEU", 40.0),
        ("hmrc", "850511", "CHN", 1_000.0),
        ("japan_customs", "280530", "CHN", 15_000.0),
        ("japan_customs", "284610", "VNM", 5_000.0),
    ]


def test_the_coverage_has_their_months_and_none_of_the_one_that_is_down(outcome: Outcome) -> None:
    covered = outcome.ask(
        "select source, period_start, rows from catalog.coverage where table_name = "
        "'national_trade' and flow = 'import' and rows > 0 order by source, period_start"
    )
    expected = [
        (source, month, rows)
        for source in ("comexstat", "hmrc", "japan_customs")
        for month, rows in zip(newest_months(source), (1, 3), strict=True)
    ]
    assert covered == expected
    assert outcome.ask("select count(*) from catalog.coverage where source = 'comext'") == [(0,)]


def test_a_run_without_news_lands_and_publishes_nothing(outcome: Outcome) -> None:
    assert outcome.second.success
    # Everybody was asked again, and answered the same.
    assert all(before < after for before, after in outcome.requests.values()), outcome.requests
    assert outcome.after_second == outcome.after_first


def test_each_figure_of_the_customs_leads_back_to_their_lines(outcome: Outcome) -> None:
    """Of every mart that has some: `kido trace` shows rows of each snapshot that a row names."""
    landing, lake = landing_of(outcome.settings), lake_of(outcome.settings)
    fetched = [
        name for (name,) in outcome.ask("select distinct snapshot_id from trade.national_lines")
    ]
    assert len(fetched) >= 3
    traced = set()
    for mart, columns in contract.published().items():
        if "snapshot_ids" not in columns:
            continue
        keys = ", ".join(f'"{key}"::varchar' for key in contract.grain_of(mart))
        rows = outcome.ask(
            f"select snapshot_ids, {keys} from {mart} "
            f"where list_has_any(snapshot_ids, {fetched}) order by all"
        )
        for snapshot_ids, *values in rows[:: max(1, len(rows) // 3)]:
            given = [
                f"{key}={value}"
                for key, value in zip(contract.grain_of(mart), values, strict=True)
                if value
            ]
            way = trace(
                outcome.settings.published_file, lake, landing, mart, given, outcome.settings.today
            )
            shown = {name for rows in way.rows.values() for name in rows["snapshot_id"]}
            assert shown == set(snapshot_ids), (mart, given)
            traced.add(mart)
    assert traced >= {
        "trade.national_lines", "trade.reported_flows", "dependency.supplier_shares",
        "dependency.import_concentration",
    }  # fmt: skip


def test_a_full_run_without_news_builds_and_publishes(outcome: Outcome) -> None:
    """Last: it changes what the other tests look at."""
    assert run_schedule(outcome.settings, full=True).success
    snapshots, releases, digest = state(outcome.settings)
    assert snapshots == outcome.after_second[0]
    assert len(releases) == len(outcome.after_second[1]) + 1
    assert digest != outcome.after_second[2]
