"""Notices through the real commands: Global Trade Alert, the screening list, the OECD's inventory.

No byte of a home has a person of the screening list. Rows of Global Trade Alert are the owner's.
"""

from __future__ import annotations

import os
import re
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
import pytest
from typer.testing import CliRunner, Result

from dagster_project.cli import app
from dagster_project.intake.fetch import SourceFetch
from dagster_project.intake.stores import lake_of, landing_of
from dagster_project.lake.schemas import NOTICES
from dagster_project.orchestration.resources import Warehouse
from dagster_project.orchestration.source_assets import lake_assets, landing_asset
from dagster_project.settings import Settings
from dagster_project.sources import screening_list as source
from dagster_project.sources.registry import source_named
from tests.fakes import gta, screening_list
from tests.fakes.gta import FakeGta, intervention
from tests.fakes.screening_list import FakeScreeningList, listing, person
from tests.fakes.server import (
    Behaviour,
    FakePublisher,
    Handler,
    Reply,
    cut_body,
    empty_body,
    maintenance_page,
    send,
    status,
)
from tests.integration.asking import start_fetch

GTA = source_named("gta")
PERSONS = [person(number, f"CANARY PERSON {number}") for number in range(3000)]
TDK = listing(9001, "TDK Corporation", remarks="Director: CANARY DIRECTOR")


@contextmanager
def serving(
    server: FakePublisher, source: str, monkeypatch: pytest.MonkeyPatch, key: str = ""
) -> Iterator[None]:
    with server:
        monkeypatch.setenv(f"KIDO_{source.upper()}_URL", server.base_url)
        if key:
            monkeypatch.setenv(f"KIDO_{source.upper()}_KEY", key)
        yield


@pytest.fixture(autouse=True)
def without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    run_of_fetch = SourceFetch.run

    def run_at_once(self: SourceFetch, plan: Any, on_settled: Any = lambda _: None) -> Any:
        return run_of_fetch(self, plan, on_settled, sleep=lambda _: None)

    monkeypatch.setattr(SourceFetch, "run", run_at_once)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def rows(settings: Settings, source: str) -> pl.DataFrame:
    found = lake_of(settings).rows(NOTICES, source)
    return NOTICES.empty() if found is None else found.collect()


def snapshots(settings: Settings, source: str) -> int:
    return len(landing_of(settings).snapshots(source))


def files_with(home: Path, text: bytes) -> list[str]:
    """The files of a home that have a text in their bytes, or in a Parquet cell."""
    names = []
    for path in home.rglob("*"):
        if not path.is_file():
            continue
        content = path.read_bytes()
        if path.suffix == ".parquet":
            content += str(pl.read_parquet(path).to_dicts()).encode()
        if text in content:
            names.append(str(path.relative_to(home)))
    return names


# The screening list.


@pytest.fixture
def listed(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[FakeScreeningList, Settings]]:
    server = FakeScreeningList([*PERSONS, TDK])
    with serving(server, "screening_list", monkeypatch):
        yield server, Settings.load()


def test_a_fetch_keeps_companies_and_no_person(
    listed: tuple[FakeScreeningList, Settings],
) -> None:
    server, settings = listed
    result = run("fetch", "screening_list")
    assert result.exit_code == 0, result.output
    assert rows(settings, "screening_list")["title"].to_list() == ["TDK Corporation"]
    assert len(server.answer(server.requests[0]).body) > 500_000
    assert files_with(settings.home, b"CANARY") == []
    assert "CANARY" not in result.output
    assert files_with(settings.home, b"TDK Corporation")
    # A day later the same company is on the list, among other persons.
    server.rows = [person(7, "CANARY ANOTHER"), TDK]
    assert run("fetch", "screening_list", "--again").exit_code == 0
    assert snapshots(settings, "screening_list") == 1
    assert files_with(settings.home, b"CANARY") == []


def test_landing_keeps_companies_and_no_person(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "consolidated.csv"
    file.write_bytes(screening_list.csv_of([*PERSONS, TDK]))
    result = run("land", "screening_list", str(file))
    assert result.exit_code == 0, result.output
    assert rows(settings, "screening_list")["company"].to_list() == ["TDK"]
    assert files_with(settings.home, b"CANARY") == []
    again = run("land", "screening_list", str(file))
    assert "nothing new" in again.output
    file.write_bytes(screening_list.csv_of(PERSONS) + b"CANARY,CANARY\n")
    assert run("land", "screening_list", str(file)).exit_code == 1
    assert files_with(settings.home, b"CANARY") == []


def test_a_list_without_a_company_is_said_plainly_and_is_no_error(
    listed: tuple[FakeScreeningList, Settings], tmp_path: Path
) -> None:
    server, settings = listed
    server.rows = PERSONS
    result = run("fetch", "screening_list")
    assert result.exit_code == 0
    assert "empty, no company of the catalogue is on it" in result.output
    file = tmp_path / "consolidated.csv"
    file.write_bytes(screening_list.csv_of(PERSONS))
    landed = run("land", "screening_list", str(file))
    assert landed.exit_code == 0, landed.output
    assert "no company of the catalogue is on it" in " ".join(landed.output.split())
    assert rows(settings, "screening_list").is_empty()
    assert files_with(settings.home, b"CANARY") == []


@pytest.mark.parametrize(
    "behaviour",
    [
        cut_body(after=400_000),
        send(body=screening_list.csv_of(PERSONS)[:300_000]),
        send(body=screening_list.csv_of(PERSONS, ["name", "remarks"])),
        send(body=b"<html>CANARY</html>", media_type="text/html"),
        status(500, b"CANARY"),
        empty_body(),
        maintenance_page(),
    ],
    ids=["broken off", "cut", "other columns", "page", "failing", "empty", "maintenance"],
)
def test_a_failed_fetch_leaves_no_person_behind(
    behaviour: Behaviour,
    listed: tuple[FakeScreeningList, Settings],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server, settings = listed
    monkeypatch.setattr("dagster_project.partial_body.LEAST_BYTES", 1000)
    server.always(behaviour)
    result = run("fetch", "screening_list")
    assert result.exit_code == 1
    assert "CANARY" not in result.output
    assert files_with(settings.home, b"CANARY") == []
    assert not list(settings.intake_dir.glob("*.part*"))
    server.always(None)
    assert run("fetch", "screening_list").exit_code == 0
    assert rows(settings, "screening_list").height == 1


def test_a_killed_fetch_leaves_no_person_behind(
    listed: tuple[FakeScreeningList, Settings],
) -> None:
    server, settings = listed
    half_sent = threading.Event()

    def stall(handler: Handler, reply: Reply) -> None:
        handler.write_head(reply)
        handler.wfile.write(reply.body[: len(reply.body) // 2])
        handler.wfile.flush()
        half_sent.set()
        handler.publisher.stopping.wait()

    server.will(stall)
    environment = {"KIDO_HOME": str(settings.home), "KIDO_SCREENING_LIST_URL": server.base_url}
    process = start_fetch("dagster_project.sources.screening_list", environment)
    assert half_sent.wait(60)
    time.sleep(0.5)
    os.kill(process.pid or 0, signal.SIGKILL)
    process.join(60)
    assert settings.home.is_dir()
    assert files_with(settings.home, b"CANARY") == []
    assert run("fetch", "screening_list").exit_code == 0
    assert rows(settings, "screening_list").height == 1


def test_another_excerpt_of_the_same_file_is_landed(
    listed: tuple[FakeScreeningList, Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The publisher's file has not changed; the companies of the catalogue have."""
    server, settings = listed
    server.rows = [*PERSONS, TDK, listing(9002, "Unheard Metals Inc.")]
    assert run("fetch", "screening_list").exit_code == 0
    names = {**source._companies(), "unheard metals": "Unheard Metals"}
    monkeypatch.setattr(source, "_companies", lambda: names)
    assert run("fetch", "screening_list", "--again").exit_code == 0
    assert set(rows(settings, "screening_list")["company"]) == {"TDK", "Unheard Metals"}


# Global Trade Alert.


@pytest.fixture
def alert(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[FakeGta, Settings]]:
    server = FakeGta([intervention(1), intervention(2, "Indonesia: Export ban on nickel ore")])
    monkeypatch.setenv("KIDO_GTA_CALLS_PER_MINUTE", "60000")
    with serving(server, "gta", monkeypatch, gta.KEY):
        yield server, Settings.load()


@pytest.mark.parametrize("is_paginated", [False, True])
def test_pages_beyond_10000_interventions_are_followed(
    alert: tuple[FakeGta, Settings], is_paginated: bool
) -> None:
    server, settings = alert
    server.is_paginated = is_paginated
    server.interventions = [intervention(number) for number in range(1, 10_502)]
    result = run("fetch", "gta")
    assert result.exit_code == 0, result.output
    assert len(server.requests) == 11
    assert rows(settings, "gta")["notice_id"].n_unique() == 10_501


def test_a_later_fetch_asks_for_what_was_updated_since(alert: tuple[FakeGta, Settings]) -> None:
    server, settings = alert
    server.interventions = [
        intervention(1, day="2026-09-01"),
        intervention(2, day="2026-11-10"),
    ]
    assert run("fetch", "gta").exit_code == 0
    # A new act, and an old one that was published long ago and updated now.
    server.interventions += [intervention(3, day="2026-11-20")]
    server.interventions[0] = intervention(1, "China: Ended", last_updated="2026-11-21")
    assert run("fetch", "gta", "--again").exit_code == 0
    assert '"2008-11-01"' in server.requests[-1].body  # --again asks for all
    fetching = SourceFetch(settings, source_named("gta"))
    server.interventions += [intervention(4, "Chile: Export tax on lithium", day="2026-11-13")]
    plan = fetching.plan_windows(())
    report = fetching.run(plan)
    assert report.answer == "ok", report.reason
    assert '"update_period": ["2026-11-12", null]' in server.requests[-1].body
    assert '"offset": 0' in server.requests[-1].body
    titles = dict(rows(settings, "gta").select("notice_id", "title").iter_rows())
    assert set(titles) >= {"1", "2", "3"}


@pytest.mark.parametrize("key", ["another-key", gta.KEY])
def test_a_refused_key_is_denied_and_its_rows_stay(
    alert: tuple[FakeGta, Settings], monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    server, settings = alert
    assert run("fetch", "gta").exit_code == 0
    monkeypatch.setenv("KIDO_GTA_KEY", key)
    if key == gta.KEY:
        server.will(status(403, b'{"detail": "Access denied"}'))
    result = run("fetch", "gta", "--again")
    assert result.exit_code == 1
    assert "denied" in result.output
    assert key not in result.output
    assert rows(settings, "gta").height == 2


def test_without_a_key_the_command_says_which_one(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = run("fetch", "gta")
    assert result.exit_code == 1
    assert str(result.exception) == "gta needs a key: set KIDO_GTA_KEY."


BAD: dict[str, Any] = {
    "no number": [
        intervention(4711, "CANARY ACT", intervention_id="CANARY 4711", intervention_url=None)
    ],
}

INVALID: dict[str, Any] = {
    "an invalid day": [intervention(4711, "CANARY ACT", date_published="CANARY DAY")],
    "an unknown economy": [
        intervention(4711, implementing_jurisdictions=[{"id": 9, "iso": "CANARY"}])
    ],
}


@pytest.mark.parametrize("interventions", INVALID.values(), ids=INVALID)
def test_a_warning_names_no_value_of_a_private_row(
    alert: tuple[FakeGta, Settings], interventions: list[dict[str, Any]]
) -> None:
    server, settings = alert
    server.interventions = [intervention(4712), *interventions]
    result = run("fetch", "gta")
    assert result.exit_code == 0
    assert "1 intervention without a valid value of" in " ".join(result.output.split())
    assert "CANARY" not in result.output
    assert "4711" not in result.output
    assert rows(settings, "gta").height == 2


@pytest.mark.parametrize("interventions", BAD.values(), ids=BAD)
def test_a_rejected_answer_names_no_value_of_a_private_row(
    alert: tuple[FakeGta, Settings], interventions: list[dict[str, Any]]
) -> None:
    server, settings = alert
    server.interventions = interventions
    result = run("fetch", "gta")
    assert result.exit_code == 1
    assert "kido quarantine gta says why" in " ".join(result.output.split())
    assert "CANARY" not in result.output
    assert "4711" not in result.output
    leaks = files_with(settings.home, b"CANARY")
    assert leaks
    assert {Path(name).parts[0] for name in leaks} == {"quarantine"}
    # Where it says why, for the owner.
    reason = next((settings.quarantine_dir / "gta").rglob("reason.txt")).read_text("utf8")
    assert "CANARY" in reason or "4711" in reason


def of_the_future() -> list[dict[str, Any]]:
    """Forty acts, and one of a later day than today, which is quarantined."""
    acts = [intervention(4711_000 + number, f"CANARY ACT {number}") for number in range(40)]
    return [*acts, intervention(4711_999, "CANARY FUTURE", day="2099-01-01")]


@pytest.mark.parametrize(
    "interventions",
    [of_the_future(), *BAD.values(), *INVALID.values()],
    ids=["one is quarantined", *BAD, *INVALID],
)
def test_no_event_of_a_run_or_log_names_a_private_row(
    alert: tuple[FakeGta, Settings],
    interventions: list[dict[str, Any]],
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Two runs of landing and lake: metadata, checks, previews and what is logged of them."""
    server, settings = alert
    for answered in (interventions, [*interventions, intervention(4711_500, "CANARY NEW")]):
        server.interventions = answered
        with dg.DagsterInstance.ephemeral() as instance:
            result = dg.materialize(
                [landing_asset(GTA), lake_assets(GTA)],
                resources={"warehouse": Warehouse()},
                instance=instance,
                run_config={"ops": {"landing__gta": {"config": {"again": True}}}},
            )
            logged = [str(entry) for entry in instance.all_logs(result.run_id)]
        assert result.success
        shown = "\n".join([*logged, *map(str, result.all_events), *capfd.readouterr(), caplog.text])
        assert "publisher_answered" in shown
        assert "Rows of a private source are not shown." in shown
        # A moment, in seconds with decimals, may have these digits.
        assert re.findall(r"CANARY|(?<![\d.])4711\d{3}\b", shown) == []
    leaks = {Path(name).parts[0] for name in files_with(settings.home, b"CANARY")}
    assert leaks <= {"landing", "lake", "quarantine", "cache", "intake"}


# The OECD's inventory.


def test_the_oecds_inventory_is_landed_from_its_layout(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "inventory.csv"
    file.write_text(
        "country_iso3,hs6,product,measure_type,date_start\n"
        "CHN,280530,Rare-earth metals,Export tax,2012-01-01\n"
        "CHN,284690,Rare-earth metals,Export tax,2012-01-01\n"
    )
    result = run("land", "oecd_restrictions", str(file), "--retrieved", "2026-06-01")
    assert result.exit_code == 0, result.output
    (row,) = rows(settings, "oecd_restrictions").to_dicts()
    assert row["hs6_codes"] == ["280530", "284690"]
    assert f"{row['vintage_at']:%Y-%m-%d}" == "2026-06-01"
    fetched = run("fetch", "oecd_restrictions")
    assert "kido land oecd_restrictions FILE" in str(fetched.exception)
