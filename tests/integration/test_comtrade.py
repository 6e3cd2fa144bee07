"""UN Comtrade from the question to the marts: what is published, what is zero, what is unknown."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from dagster_project import http
from dagster_project.intake import fetch as fetching
from dagster_project.intake.command import fetch_and_report
from dagster_project.intake.land import land_files
from dagster_project.intake.stores import landing_of
from dagster_project.settings import Settings
from dagster_project.sources.registry import source_named
from tests.fakes.comtrade import (
    PREVIEW_CAP,
    WORLD,
    FakeComtrade,
    Flow,
    as_bulk,
    as_csv,
    as_json,
    as_xlsx,
    flows_for,
    rows_of,
)
from tests.integration.marts import Marts
from tests.nightly import nightly

COMTRADE = source_named("comtrade")
CODES = ("250410", "280530", "284610", "284690", "811292")
DAY = datetime(2025, 11, 24, 12)
"""When the publisher is asked: before the day the marts are computed for."""


@pytest.fixture
def comtrade() -> Iterator[FakeComtrade]:
    world = flows_for([392, 842], [156, 704, 699, 276], CODES, ["2022", "2023"], gaps=0)
    with FakeComtrade(world, key="secret") as server:
        yield server


@pytest.fixture
def home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, comtrade: FakeComtrade
) -> Callable[[], Settings]:
    for name, value in {
        "HOME": str(tmp_path / "home"),
        "COMTRADE_URL": comtrade.root,
        "COMTRADE_KEY": "secret",
        "COMTRADE_REPORTERS": "JPN,USA",
        "COMTRADE_CALLS_PER_MINUTE": "60000",
    }.items():
        monkeypatch.setenv(f"KIDO_{name}", value)
    scope_of = fetching.scope_of
    monkeypatch.setattr(
        fetching, "scope_of", lambda *given: replace(scope_of(*given), commodity_codes=CODES)
    )
    monkeypatch.setattr(http, "_now", lambda: DAY)
    return Settings.load


def fetch(settings: Settings, first: str, last: str, *, again: bool = False) -> int:
    return fetch_and_report(
        settings, COMTRADE, first=first, last=last, frequency="A", again=again,
        write=lambda line: None,
    )  # fmt: skip


def is_of(reporter: str, year: int, flow: str = "import") -> pl.Expr:
    return (
        (pl.col("reporter_iso3") == reporter)
        & (pl.col("flow") == flow)
        & (pl.col("period_start") == date(year, 1, 1))
        & (pl.col("frequency") == "A")
    )


def test_a_true_zero_is_distinguished_from_what_is_not_published(
    home: Callable[[], Settings], comtrade: FakeComtrade, marts: Marts
) -> None:
    """Japan reports 2023 without gallium (811292), the United States do not report it at all."""
    comtrade.flows = [
        flow
        for flow in comtrade.flows
        if not (flow.period == "2023" and (flow.reporter == 842 or flow.code == "811292"))
    ]
    assert fetch(home(), "2022", "2023") == 0
    names = ("catalog.coverage", "trade.reported_flows", "catalog.snapshots")
    found = marts(home(), COMTRADE, names)
    coverage, flows, snapshots = (found[name] for name in names)
    japan = coverage.filter(is_of("JPN", 2023))
    # In the made-up world: four codes, each with the world and some of the partners.
    published = [
        flow
        for flow in comtrade.flows
        if (flow.reporter, flow.period, flow.flow) == (392, "2023", "M")
    ]
    assert japan["rows"].to_list() == [len(published)]
    assert len({flow.code for flow in published}) == 4
    usa = coverage.filter(is_of("USA", 2023))
    assert usa["rows"].to_list() == [0]
    # Gallium was asked for, so that none of it was imported is known.
    assert "811292" in snapshots["commodity_codes"].item()
    assert flows.filter(is_of("JPN", 2023), pl.col("commodity_code") == "811292").is_empty()
    assert flows.filter(is_of("JPN", 2022), pl.col("commodity_code") == "811292").height
    # What was never asked for is no row of the table at all.
    assert coverage.filter(is_of("JPN", 2021)).is_empty()
    assert coverage.filter(is_of("DEU", 2023)).is_empty()


def test_an_answer_without_a_period_that_was_published_leaves_the_figures_before_it(
    home: Callable[[], Settings], comtrade: FakeComtrade, marts: Marts,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    assert fetch(home(), "2022", "2023") == 0
    names = ("trade.reported_flows", "dependency.import_concentration")
    before = marts(home(), COMTRADE, names)
    comtrade.flows = [flow for flow in comtrade.flows if flow.period != "2023"]
    monkeypatch.setattr(http, "_now", lambda: DAY + timedelta(days=1))
    sent = len(comtrade.requests)
    assert fetch(home(), "2022", "2023", again=True) == 0
    assert len(comtrade.requests) > sent
    found = marts(home(), COMTRADE, names)
    for name in names:
        assert_frame_equal(found[name], before[name])


def test_a_year_asked_again_alone_may_lack_a_flow_or_a_weight(
    home: Callable[[], Settings], comtrade: FakeComtrade, marts: Marts,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """An origin is corrected, a weight withdrawn: what reporters do every month is no slip."""
    assert fetch(home(), "2022", "2023") == 0
    names = ("trade.reported_flows",)
    before = marts(home(), COMTRADE, names)["trade.reported_flows"]
    of_2023 = [flow for flow in comtrade.flows if flow.period == "2023" and flow.partner != WORLD]
    smallest = min(of_2023, key=lambda flow: flow.value)
    lighter = next(flow for flow in of_2023 if flow.weight and flow != smallest)
    comtrade.withdraw(**one_flow(smallest))
    comtrade.revise(lambda flow: replace(flow, weight=None), **one_flow(lighter))
    monkeypatch.setattr(http, "_now", lambda: DAY + timedelta(days=1))
    assert fetch(home(), "2023", "2023", again=True) == 0
    after = marts(home(), COMTRADE, names)["trade.reported_flows"]
    assert after.height == before.height - 1
    assert after["net_weight_kg"].null_count() == before["net_weight_kg"].null_count() + 1


def one_flow(flow: Flow) -> dict[str, object]:
    """What tells a flow from all others; its total then follows what becomes of it."""
    names = ("reporter", "partner", "flow", "code", "period")
    return {name: getattr(flow, name) for name in names}


def test_asked_again_with_nothing_new_the_marts_stay_as_they_are(
    home: Callable[[], Settings], comtrade: FakeComtrade, marts: Marts,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    assert fetch(home(), "2022", "2023") == 0
    names = ("trade.reported_flows", "catalog.coverage")
    before = marts(home(), COMTRADE, names)
    landed = landing_of(home()).snapshots("comtrade")
    monkeypatch.setattr(http, "_now", lambda: DAY + timedelta(days=1))
    sent = len(comtrade.requests)
    assert fetch(home(), "2022", "2023", again=True) == 0
    assert len(comtrade.requests) > sent
    assert landing_of(home()).snapshots("comtrade") == landed
    found = marts(home(), COMTRADE, names)
    for name, frame in before.items():
        assert_frame_equal(found[name], frame)


@pytest.mark.parametrize(
    "write",
    [as_bulk, *(pytest.param(write, marks=nightly) for write in (as_json, as_csv, as_xlsx))],
)
def test_an_unpinned_download_in_several_files_makes_the_marts_of_a_pinned_one(
    write: Callable[..., bytes],
    home: Callable[[], Settings],
    marts: Marts,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = flows_for([392, 842], [156, 704, 699, 276], CODES, ["2022", "2023"], with_parts=True)

    def landed(name: str, *payloads: bytes) -> Settings:
        monkeypatch.setenv("KIDO_HOME", str(tmp_path / name))
        files = [tmp_path / f"{name} {number}.dat" for number in range(len(payloads))]
        for file, payload in zip(files, payloads, strict=True):
            file.write_bytes(payload)
        land_files(Settings.load(), COMTRADE, files, retrieved=DAY.date())
        return Settings.load()

    names = ("trade.reported_flows", "dependency.supplier_shares",
             "dependency.import_concentration")  # fmt: skip
    expected = marts(landed("pinned", as_json(world)), COMTRADE, names)
    assert expected["dependency.supplier_shares"].height > 50
    chance = random.Random(write.__name__)
    pieces: list[list[Flow]] = [[], [], []]
    for flow in world:
        chance.choice(pieces).append(flow)
    unpinned = landed("unpinned", *(write(piece, pinned=False) for piece in pieces))
    found = marts(unpinned, COMTRADE, names)
    for name in names:
        both = [
            frame[name].drop("document", strict=False).sort(pl.all(), nulls_last=True)
            for frame in (found, expected)
        ]
        assert_frame_equal(*both, rel_tol=1e-12)


def test_an_economy_in_no_list_is_quarantined_and_named_and_the_others_count(
    home: Callable[[], Settings], marts: Marts, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """More than one row in twenty: a new number of a small file is no fault of the file."""
    world = flows_for([392], [156, 704], CODES, ["2022", "2023"], ("M",), gaps=0)
    unknown = [
        Flow(392, 9998, "M", "280530", "2023", 5.0, 1.0),
        Flow(9999, 0, "M", "280530", "2023", 7.0, 1.0),
        Flow(9999, 156, "M", "280530", "2023", 7.0, 1.0),
    ]
    assert len(unknown) > 0.05 * len(world)
    names = ("trade.reported_flows", "catalog.quarantine")
    shown = []
    for name, flows in (("known", world), ("with unknown", [*world, *unknown])):
        monkeypatch.setenv("KIDO_HOME", str(tmp_path / name))
        file = tmp_path / f"{name}.json"
        file.write_bytes(as_json(flows))
        land_files(home(), COMTRADE, [file], retrieved=DAY.date())
        shown.append(marts(home(), COMTRADE, names))
    expected, found = shown
    assert_frame_equal(found["trade.reported_flows"], expected["trade.reported_flows"])
    assert expected["catalog.quarantine"].is_empty()
    assert found["catalog.quarantine"].select("rule", "value").sort("value").rows() == [
        ("partner_is_a_known_economy", "9998"),
        ("reporter_is_a_known_economy", "9999"),
        ("reporter_is_a_known_economy", "9999"),
    ]


def test_without_a_key_the_preview_is_asked_one_period_and_500_rows_a_call(
    home: Callable[[], Settings], comtrade: FakeComtrade, monkeypatch: pytest.MonkeyPatch,
    marts: Marts, tmp_path: Path,
) -> None:  # fmt: skip
    """A year of some 700 rows: the preview cuts it at 500 without a word."""
    comtrade.flows = flows_for(
        [392, 842, 36, 76, 124, 251, 410, 792],
        [156, 704, 699, 276, 458, 410, 643, 757, 826, 36],
        CODES, ["2022", "2023"], gaps=0,
    )  # fmt: skip
    of_a_year = [flow for flow in comtrade.flows if flow.period == "2023"]
    assert len(of_a_year) > PREVIEW_CAP
    monkeypatch.setenv("KIDO_COMTRADE_REPORTERS", "JPN,USA,AUS,BRA,CAN,FRA,KOR,TUR")
    monkeypatch.delenv("KIDO_COMTRADE_KEY")
    monkeypatch.setenv("KIDO_COMTRADE_ENABLED", "true")
    comtrade.periods_per_preview = 1
    assert fetch(home(), "2022", "2023") == 0
    for seen in comtrade.requests:
        assert seen.path == "/public/v1/preview/C/A/HS"
        assert "," not in seen.query["period"]
        assert seen.query["maxRecords"] == "500"
        assert "ocp-apim-subscription-key" not in seen.headers
    found = marts(home(), COMTRADE, ("trade.reported_flows",))["trade.reported_flows"]
    assert sorted(found["value_usd"]) == sorted(row["primaryValue"] for row in rows_of(
        comtrade.flows))  # fmt: skip
