"""A fetched source in a run of the graph: what its publisher does wrong is shown and stops nothing,
what a person brought wrong does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from dagster_project.errors import UpstreamFormatError
from dagster_project.intake import conform as conforming
from dagster_project.intake import fetch as fetching
from dagster_project.intake.conform import conform
from dagster_project.intake.fetch import FetchReport, SourceFetch
from dagster_project.intake.land import land_bundled, land_files
from dagster_project.intake.ledger import Ledger
from dagster_project.intake.stores import lake_of, landing_of
from dagster_project.lake.schemas import PRICE_QUOTES
from dagster_project.lake.scope import CommodityScope
from dagster_project.orchestration.keys import backfill_key, lake_key, landing_key
from dagster_project.orchestration.metadata import SUITE_CHECK
from dagster_project.orchestration.resources import Warehouse
from dagster_project.orchestration.source_assets import (
    ANSWERED,
    backfill_assets,
    lake_assets,
    landing_asset,
)
from dagster_project.settings import BUNDLED, Settings
from dagster_project.sources.card import Document, Source
from dagster_project.sources.registry import source_named
from tests.fakes.comtrade import FakeComtrade, flows_for
from tests.fakes.ecb import (
    ROWS,
    FakeEcb,
    cut_body,
    failing,
    history_csv,
    history_zip,
    maintenance_page,
    too_many_requests,
)
from tests.fakes.server import Behaviour, send, silent, status

ECB, CATALOGUE, COMTRADE = (source_named(name) for name in ("ecb", "catalogue", "comtrade"))
ZIP = "/stats/eurofxref/eurofxref-hist.zip"
BUNDLED_RATES = 26_905
"""7,126 days in dollar, yen and pound, renminbi since April 2005."""


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("KIDO_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("KIDO_ECB_ENABLED", "true")
    monkeypatch.setenv("KIDO_TIMEOUT_S", "0.5")
    return Settings.load()


@pytest.fixture
def ecb(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeEcb]:
    with FakeEcb() as server:
        monkeypatch.setenv("KIDO_ECB_URL", server.base_url)
        yield server


def ask(settings: Settings, *, again: bool = False) -> FetchReport:
    """Ask what a build would ask, or all of it again; without a wait."""
    one = SourceFetch(settings, ECB, is_patient=False)
    planned = one.plan_windows((), again=True) if again else one.plan_due()
    fetched = one.run(planned, sleep=lambda seconds: None)
    conform(settings, ECB)
    return fetched


def closes(settings: Settings) -> dict[tuple[str, str], float]:
    """The fetched rows of the lake: the close by instrument and day, the newest vintage last."""
    rows = lake_of(settings).rows(PRICE_QUOTES, "ecb")
    if rows is None:
        return {}
    fetched = rows.filter(pl.col("document") != "reference_rates.csv").collect()
    return {
        (row["instrument"], str(row["price_date"])): row["close"]
        for row in fetched.sort("vintage_at", "snapshot_id").iter_rows(named=True)
    }


@pytest.fixture
def tomorrow(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Let the calendar's moments of four days pass: a weekend has none."""
    now = fetching._now
    days = 0

    def forward() -> None:
        nonlocal days
        days += 4
        monkeypatch.setattr(fetching, "_now", lambda: now() + timedelta(days=days))

    return forward


# The European Central Bank.


def test_the_history_comes_first_and_then_only_the_days_since(
    settings: Settings, ecb: FakeEcb, tomorrow: Callable[[], None]
) -> None:
    fetched = ask(settings)
    assert [seen.path for seen in ecb.requests] == [ZIP]
    assert [(one.document, one.outcome) for one in fetched.settled] == [
        ("eurofxref-hist.zip", "new")
    ]
    (snapshot,) = landing_of(settings).snapshots("ecb")
    assert not snapshot.is_bundled
    assert list(landing_of(settings).payloads(snapshot)) == [history_zip()]
    found = closes(settings)
    assert found["EURUSD", "1999-01-04"] == 1.1789
    assert found["EURCNY", "2026-10-30"] == 7.4326
    assert ("EURCNY", "2005-03-31") not in found

    ecb.publish(("2026-11-02", "1.1200", "176.00", "N/A", "7.4500"))
    tomorrow()
    fetched = ask(settings)
    series = ecb.requests[1]
    assert series.path == "/service/data/EXR/D.USD+JPY+CNY+GBP.EUR.SP00.A"
    assert series.query["startPeriod"] == "2026-10-23"
    assert len(ecb.requests) == 2
    assert [one.outcome for one in fetched.settled] == ["new"]
    assert closes(settings)["EURUSD", "2026-11-02"] == 1.12


def test_nothing_new_adds_nothing(
    settings: Settings, ecb: FakeEcb, tomorrow: Callable[[], None]
) -> None:
    ask(settings)
    before = {path: path.stat().st_mtime_ns for path in settings.home.rglob("*.parquet")}
    tomorrow()
    assert [one.outcome for one in ask(settings).settled] == ["unchanged"]
    assert {path: path.stat().st_mtime_ns for path in settings.home.rglob("*.parquet")} == before
    assert len(landing_of(settings).snapshots("ecb")) == 1
    assert [one.answer for one in Ledger(landing_of(settings), "ecb").asks()] == ["ok", "ok"]


def test_within_a_day_of_the_calendar_it_is_asked_once(settings: Settings, ecb: FakeEcb) -> None:
    ask(settings)
    assert ask(settings).answer == "not_asked"
    assert len(ecb.requests) == 1


def test_a_rate_put_right_within_a_week_is_seen(
    settings: Settings, ecb: FakeEcb, tomorrow: Callable[[], None]
) -> None:
    ask(settings)
    ecb.publish(("2026-10-29", "1.2", "175.92", "N/A", "7.4144"))
    tomorrow()
    assert [one.outcome for one in ask(settings).settled] == ["new"]
    assert closes(settings)["EURUSD", "2026-10-29"] == 1.2


def test_no_results_found_is_an_answer_and_another_404_is_rejected(
    settings: Settings, ecb: FakeEcb, tomorrow: Callable[[], None]
) -> None:
    ask(settings)
    tomorrow()
    ecb.rows = []
    fetched = ask(settings)
    assert (fetched.answer, fetched.settled[0].outcome) == ("ok", "empty")
    tomorrow()
    ecb.will(status(404, b'{"title":"Not Found","detail":"No such resource."}'))
    fetched = ask(settings)
    assert fetched.answer == "rejected"
    assert "the data API is no longer at" in fetched.reason
    assert closes(settings)["EURUSD", "2026-10-30"] == 1.1172


@pytest.mark.parametrize(
    "trouble",
    [too_many_requests("0"), failing(500), failing(503), cut_body()],
    ids=("429", "500", "503", "cut body"),
)
def test_passing_trouble_is_waited_out(
    settings: Settings, ecb: FakeEcb, trouble: Behaviour
) -> None:
    ecb.will(trouble, trouble)
    one = SourceFetch(settings, ECB)
    fetched = one.run(one.plan_due(), sleep=lambda seconds: None)
    assert [settled.outcome for settled in fetched.settled] == ["new"]
    assert len(ecb.requests) == 3


# A run of the graph.


def run_graph(source: Source = ECB) -> dg.ExecuteInProcessResult:
    """Landing and lake of a source, and an asset behind them, as a run of the graph has it.

    Its event log is one in memory, which nothing was written to before.
    """

    @dg.asset(deps=[lake_key(source.CARD.name, table) for table in source.CARD.tables])
    def behind() -> None: ...

    with dg.DagsterInstance.ephemeral() as instance:
        return dg.materialize(
            [landing_asset(source), lake_assets(source), behind],
            resources={"warehouse": Warehouse()},
            instance=instance,
            raise_on_error=False,
        )


def answered(result: dg.ExecuteInProcessResult) -> dg.AssetCheckEvaluation:
    (check,) = [one for one in result.get_asset_check_evaluations() if one.check_name == ANSWERED]
    return check


def went_on(result: dg.ExecuteInProcessResult) -> bool:
    return bool(result.asset_materializations_for_node("behind"))


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """No wait between two attempts."""
    run = SourceFetch.run
    monkeypatch.setattr(
        SourceFetch, "run", lambda self, planned, on=lambda one: None: run(
            self, planned, on, sleep=lambda seconds: None)
    )  # fmt: skip


def test_a_publisher_that_answers_is_shown_so(settings: Settings, ecb: FakeEcb) -> None:
    result = run_graph()
    assert result.success
    check = answered(result)
    assert check.passed
    assert check.metadata["answer"].value == "ok"
    (landed,) = result.asset_materializations_for_node("landing__ecb")
    assert landed.metadata["snapshots"].value == 2
    assert landed.metadata["new"].value == 2
    assert landed.metadata["calls"].value == 1
    # A second run on the same day sends no request, and reports that.
    result = run_graph()
    assert answered(result).passed
    assert answered(result).metadata["answer"].value == "not_asked"
    assert len(ecb.requests) == 1


def test_what_an_answer_changed_is_shown_in_the_words_of_kido_land(
    settings: Settings, ecb: FakeEcb, tomorrow: Callable[[], None]
) -> None:
    run_graph()
    ecb.publish(("2026-10-29", "1.2", "175.92", "N/A", "7.4144"))  # after 1.113
    tomorrow()
    (landed,) = run_graph().asset_materializations_for_node("landing__ecb")
    document, *lines = str(landed.metadata["revisions"].value).splitlines()
    assert document == "- exr-from-2026-10-23.csv"
    assert lines == [
        "  - price_quotes: 1 changed, 5 as known.",
        "  - close: 1 of 6 changed (16.7%), ratio 1.08; all of EURUSD.",
    ]
    # A run that lands nothing changes nothing.
    (landed,) = run_graph().asset_materializations_for_node("landing__ecb")
    assert "revisions" not in landed.metadata


def twice(quoted: str = "1.2") -> bytes:
    """A history that has its last day twice, with two dollar rates."""
    return history_zip(
        history_csv((ROWS[0], ("2026-10-30", quoted, "180", "N/A", "7.5"), *ROWS[1:]))
    )


@pytest.mark.parametrize(
    ("trouble", "answer", "reason"),
    [
        (maintenance_page(), "rejected", "HTML page"),
        (silent(), "no answer", "eurofxref-hist.zip"),
        (failing(500), "no answer", "500"),
        (send(body=twice(), media_type="application/zip"), "rejected", "2026-10-30"),
        (status(403), "denied", "403"),
    ],
    ids=("HTML", "silence", "500", "a batch that breaks a rule", "403"),
)
@pytest.mark.usefixtures("at_once")
def test_what_a_live_publisher_does_wrong_is_shown_and_stops_nothing(
    trouble: Behaviour, answer: str, reason: str, settings: Settings, ecb: FakeEcb
) -> None:
    ecb.always(trouble)
    result = run_graph()
    assert result.success
    assert went_on(result)
    check = answered(result)
    assert not check.passed
    assert not check.blocking
    assert check.severity == dg.AssetCheckSeverity.ERROR
    assert str(check.metadata["answer"].value).startswith(f"{answer}: ")
    assert reason in str(check.metadata["answer"].value)
    # The bundled rates are there all the same.
    (lake,) = result.asset_materializations_for_node("lake__ecb")
    assert lake.metadata["dagster/row_count"].value == BUNDLED_RATES
    assert closes(settings) == {}


def test_a_rejected_answer_leaves_the_vintage_before_it_and_the_next_run_is_fine(
    settings: Settings, ecb: FakeEcb, tomorrow: Callable[[], None]
) -> None:
    assert run_graph().success
    before = closes(settings)
    tomorrow()
    ecb.will(maintenance_page())
    result = run_graph()
    assert result.success
    assert not answered(result).passed
    assert closes(settings) == before
    (folder,) = (settings.quarantine_dir / "ecb").iterdir()
    assert b"Maintenance" in b"".join(file.read_bytes() for file in folder.iterdir())
    assert "HTML page" in (folder / "reason.txt").read_text()
    ecb.publish(("2026-11-02", "1.1200", "176.00", "N/A", "7.4500"))
    result = run_graph()
    assert answered(result).passed
    assert closes(settings)["EURUSD", "2026-11-02"] == 1.12


def a_row_off() -> bytes:
    """The last hundred days of the bundled rates, the dollar's each from the day before."""
    lines = (BUNDLED / "ecb" / "reference_rates.csv").read_text("utf8").splitlines()
    days = [line.split(",")[:4] for line in lines[-101:]]
    rows = [
        (day, before[1], yen, "N/A", renminbi) for before, (day, _, yen, renminbi) in pairwise(days)
    ]
    return history_zip(history_csv(rows[::-1]))


def test_a_slip_of_a_publisher_is_named_by_the_red_check_and_the_figures_stay(
    settings: Settings, ecb: FakeEcb
) -> None:
    land_bundled(settings, ECB)
    conform(settings, ECB)
    ecb.will(send(body=a_row_off(), media_type="application/zip"))
    result = run_graph()
    assert result.success
    check = answered(result)
    assert not check.passed
    assert (
        "rejected: ecb: eurofxref-hist.zip: 98 of 100 figures of instrument EURUSD are known "
        "ones of other rows"
    ) in str(check.metadata["answer"].value)
    (lake,) = result.asset_materializations_for_node("lake__ecb")
    assert lake.metadata["dagster/row_count"].value == BUNDLED_RATES
    assert closes(settings) == {}
    (folder,) = (settings.quarantine_dir / "ecb").iterdir()
    assert "known ones of other rows" in (folder / "reason.txt").read_text("utf8")


def test_a_fetched_document_that_later_rules_refuse_stops_nothing(
    settings: Settings, ecb: FakeEcb, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run_graph().success
    assert closes(settings)
    refuse(monkeypatch, lambda document: not document.is_bundled)
    result = run_graph()
    assert result.success
    assert went_on(result)
    (lake,) = result.asset_materializations_for_node("lake__ecb")
    assert "read otherwise now" in str(lake.metadata["rejected"].value)
    assert closes(settings) == {}


def test_a_fetched_document_that_breaks_a_rule_of_today_stops_nothing(
    settings: Settings, ecb: FakeEcb, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run_graph().success
    parse = ECB.parse

    def doubled(
        payload: bytes, document: Document, scope: CommodityScope
    ) -> Mapping[str, pl.DataFrame]:
        frames = parse(payload, document, scope)
        if document.is_bundled:
            return frames
        return {name: pl.concat([frame, frame.with_columns(pl.col("close") + 1)])
                for name, frame in frames.items()}  # fmt: skip

    monkeypatch.setattr(ECB, "parse", doubled)
    monkeypatch.setattr(conforming, "parser_version", lambda source: "another")
    result = run_graph()
    assert result.success
    assert went_on(result)
    (check,) = [
        one for one in result.get_asset_check_evaluations() if one.check_name == SUITE_CHECK
    ]
    assert not check.passed
    # In red in the graph, and without effect on what follows.
    assert (check.severity, check.blocking) == (dg.AssetCheckSeverity.ERROR, False)
    assert check.metadata["offending_rows"].value
    assert closes(settings) == {}


def refuse(monkeypatch: pytest.MonkeyPatch, which: Callable[[Document], bool]) -> None:
    """From now on, documents of the ECB of this kind cannot be parsed."""
    parse = ECB.parse

    def rejects(
        payload: bytes, document: Document, scope: CommodityScope
    ) -> Mapping[str, pl.DataFrame]:
        if which(document):
            raise UpstreamFormatError("ecb: read otherwise now.")
        return parse(payload, document, scope)

    monkeypatch.setattr(ECB, "parse", rejects)
    monkeypatch.setattr(conforming, "parser_version", lambda source: "another")


def test_a_bundled_document_that_is_rejected_stops_the_run(
    settings: Settings, ecb: FakeEcb, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse(monkeypatch, lambda document: document.is_bundled)
    result = run_graph()
    assert not result.success
    assert not went_on(result)
    assert "reference_rates.csv: read otherwise now" in str(result.all_events)


def test_a_landed_document_that_is_rejected_later_stops_the_run(
    settings: Settings, ecb: FakeEcb, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "by hand.csv"
    file.write_bytes(history_csv())
    land_files(settings, ECB, [file])
    assert run_graph().success
    refuse(monkeypatch, lambda document: document.name == "by hand.csv")
    result = run_graph()
    assert not result.success
    assert not went_on(result)
    assert "by hand.csv: read otherwise now" in str(result.all_events)


def test_a_slip_in_the_catalogue_stops_the_run_at_a_check_that_shows_the_rows(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lists that are edited by hand come with the project: here one has a row twice."""
    parse = CATALOGUE.parse

    def slipped(
        payload: bytes, document: Document, scope: CommodityScope
    ) -> Mapping[str, pl.DataFrame]:
        return {
            name: pl.concat([frame, frame.head(1)]) if name == "milestones" else frame
            for name, frame in parse(payload, document, scope).items()
        }

    monkeypatch.setattr(CATALOGUE, "parse", slipped)
    result = run_graph(CATALOGUE)
    assert not result.success
    assert not went_on(result)
    failed = [one for one in result.get_asset_check_evaluations() if not one.passed]
    assert [one.asset_key for one in failed] == [lake_key("catalogue", "milestones")]
    assert failed[0].severity == dg.AssetCheckSeverity.ERROR
    assert failed[0].metadata["offending_rows"].value


def test_a_source_without_bundled_files_and_without_a_key_is_an_empty_part_of_the_graph(
    settings: Settings,
) -> None:
    result = run_graph(COMTRADE)
    assert result.success
    assert answered(result).metadata["answer"].value == "not_asked"


# A backfill: windows that somebody picks.


@pytest.fixture
def comtrade(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeComtrade]:
    codes = ("280530", "284690")
    scope_of = fetching.scope_of
    monkeypatch.setattr(
        fetching, "scope_of", lambda *given: replace(scope_of(*given), commodity_codes=codes)
    )
    world = flows_for([392], [156, 704], codes, ["2015", "2016", "2018"], gaps=0)
    with FakeComtrade(world, key="secret") as server:
        for name, value in {
            "URL": server.root, "KEY": "secret", "REPORTERS": "JPN", "CALLS_PER_MINUTE": "60000",
            "ROWS_PER_CALL": "120",
        }.items():  # fmt: skip
            monkeypatch.setenv(f"KIDO_COMTRADE_{name}", value)
        yield server


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """One event log for all runs of a test, in memory."""
    with dg.DagsterInstance.ephemeral() as found:
        yield found


def backfill(instance: dg.DagsterInstance, first: str, last: str) -> tuple[bool, dict[str, str]]:
    """Whether a run of a range of years succeeds, and its event log's entry for each."""
    annual, _ = backfill_assets(COMTRADE)
    result = dg.materialize(
        [annual],
        resources={"warehouse": Warehouse()},
        instance=instance,
        raise_on_error=False,
        tags={"dagster/asset_partition_range_start": first,
              "dagster/asset_partition_range_end": last},
    )  # fmt: skip
    shown = [
        record.asset_materialization
        for record in instance.fetch_materializations(annual.key, limit=100).records
        if record.run_id == result.run_id
    ]
    return result.success, {
        str(one.partition): str(one.metadata["outcome"].value) for one in shown if one
    }


def test_a_range_of_years_is_asked_in_one_run_and_each_is_shown(
    comtrade: FakeComtrade, settings: Settings, instance: dg.DagsterInstance
) -> None:
    assert backfill(instance, "2015", "2018") == (
        True, {"2015": "new", "2016": "new", "2017": "empty", "2018": "new"},
    )  # fmt: skip
    assert len(comtrade.requests) == 4
    # Once more, nobody is asked: what was answered is shown again.
    again = dict.fromkeys(("2015", "2016", "2017", "2018"), "answered before")
    assert backfill(instance, "2015", "2018") == (True, again)
    assert len(comtrade.requests) == 4
    assert conform(settings, COMTRADE).rows["trade_flows"] > 0


def test_a_window_that_failed_fails_the_run_and_the_answered_ones_are_shown(
    comtrade: FakeComtrade, settings: Settings, instance: dg.DagsterInstance
) -> None:
    comtrade.when(lambda seen: seen.query["period"] == "2016", maintenance_page())
    assert backfill(instance, "2015", "2018") == (
        False, {"2015": "new", "2017": "empty", "2018": "new"},
    )  # fmt: skip
    comtrade.always(None)
    assert backfill(instance, "2015", "2018") == (
        True, {"2015": "answered before", "2016": "new", "2017": "answered before",
               "2018": "answered before"},
    )  # fmt: skip
    assert len(comtrade.requests) == 5


def test_the_keys_of_landing_and_backfill_lie_side_by_side() -> None:
    assert landing_key("comtrade").path == ["landing", "comtrade"]
    assert [asset.key for asset in backfill_assets(COMTRADE)] == [
        backfill_key("comtrade", "A"), backfill_key("comtrade", "M"),
    ]  # fmt: skip
    assert backfill_key("comtrade", "A").path == ["landing", "comtrade_annual"]
    assert backfill_key("comtrade", "M").path == ["landing", "comtrade_monthly"]
