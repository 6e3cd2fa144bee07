"""The whole way of a fetched source, against a server that speaks (and breaks) the ECB's format."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from dagster_project import http
from dagster_project.errors import FetchError, UpstreamFormatError
from dagster_project.lake.schemas import PRICE_QUOTES
from dagster_project.orchestration import ingest
from dagster_project.orchestration.keys import lake_key
from dagster_project.orchestration.metadata import SUITE_CHECK
from dagster_project.orchestration.resources import Warehouse
from dagster_project.orchestration.source_assets import lake_assets, landing_asset
from dagster_project.settings import Settings
from dagster_project.sources.card import Document
from dagster_project.sources.registry import source_named
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

ECB = source_named("ecb")
ZIP = "/stats/eurofxref/eurofxref-hist.zip"


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("KIDO_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("KIDO_ECB_ENABLED", "true")
    monkeypatch.setattr(http, "fetch", partial(http.fetch, sleep=lambda seconds: None))
    return Settings.load()


@pytest.fixture
def ecb(monkeypatch: pytest.MonkeyPatch) -> FakeEcb:  # type: ignore[misc]
    with FakeEcb() as server:
        monkeypatch.setenv("KIDO_ECB_URL", server.base_url)
        yield server


def closes(settings: Settings) -> dict[tuple[str, str], float]:
    """The fetched rows of the lake: the close by instrument and day, the newest vintage last."""
    files = ingest.lake_of(settings).files(PRICE_QUOTES)
    frame = pl.concat([pl.read_parquet(file) for file in sorted(files)])
    return {
        (row["instrument"], str(row["price_date"])): row["close"]
        for row in frame.filter(pl.col("document") == "eurofxref-hist.zip").iter_rows(named=True)
    }


def test_what_the_publisher_sends_is_landed_and_typed(settings: Settings, ecb: FakeEcb) -> None:
    landed = ingest.land(settings, ECB)
    assert [snapshot.document for snapshot in landed.new] == [
        "reference_rates.csv",
        "eurofxref-hist.zip",
    ]
    fetched = landed.new[1]
    assert not fetched.is_bundled
    assert fetched.request == f"GET {ecb.base_url}/eurofxref-hist.zip"
    assert ingest.landing_of(settings).payload(fetched) == history_zip()
    ingest.conform(settings, ECB)
    found = closes(settings)
    assert found["EURUSD", "1999-01-04"] == 1.1789
    assert found["EURCNY", "2026-10-30"] == 7.4326
    assert ("EURCNY", "2005-03-31") not in found


def test_unchanged_bytes_make_no_new_vintage_and_a_revision_makes_one(
    settings: Settings, ecb: FakeEcb
) -> None:
    ingest.land(settings, ECB)
    again = ingest.land(settings, ECB)
    assert again.new == ()
    assert again.unchanged == 2
    revised = (("2026-10-30", "1.1173", "175.68", "N/A", "7.4326"), *ROWS[1:])
    ecb.documents[ZIP] = history_zip(history_csv(revised))
    assert len(ingest.land(settings, ECB).new) == 1
    ingest.conform(settings, ECB)
    assert closes(settings)["EURUSD", "2026-10-30"] == 1.1173


@pytest.mark.parametrize(
    "trouble",
    [too_many_requests("0"), failing(500), failing(503), cut_body()],
    ids=("429", "500", "503", "cut body"),
)
def test_passing_trouble_is_waited_out(settings: Settings, ecb: FakeEcb, trouble: object) -> None:
    ecb.will(trouble, trouble)  # type: ignore[arg-type]
    assert len(ingest.land(settings, ECB).new) == 2
    assert len(ecb.requests) == 3


def test_a_publisher_that_stays_down_is_reported_and_the_rest_goes_on(
    settings: Settings, ecb: FakeEcb
) -> None:
    ecb.will(*[failing(500)] * 20)
    landed = ingest.land(settings, ECB)
    assert "500" in landed.failure
    assert [snapshot.document for snapshot in landed.new] == ["reference_rates.csv"]


def test_without_any_vintage_a_publisher_that_is_down_stops_the_build(
    settings: Settings, ecb: FakeEcb, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest, "bundled_files", lambda source: [])
    ecb.will(*[failing(500)] * 20)
    with pytest.raises(FetchError, match="500"):
        ingest.land(settings, ECB)


def test_an_html_page_is_never_an_empty_result(settings: Settings, ecb: FakeEcb) -> None:
    ecb.will(maintenance_page())
    with pytest.raises(UpstreamFormatError, match="HTML"):
        ingest.land(settings, ECB)


def test_rows_of_a_snapshot_whose_folder_was_removed_from_the_landing_go(
    settings: Settings, ecb: FakeEcb
) -> None:
    fetched = ingest.land(settings, ECB).new[1]
    before = ingest.conform(settings, ECB).rows["price_quotes"]
    assert closes(settings)["EURUSD", "1999-01-04"] == 1.1789
    shutil.rmtree(settings.home / "landing" / "ecb" / fetched.snapshot_id)
    after = ingest.conform(settings, ECB)
    assert closes(settings) == {}
    assert after.rows["price_quotes"] == before - 13
    assert not list((settings.home / "lake").rglob(f"{fetched.snapshot_id}*"))


def test_rows_of_a_snapshot_that_later_rules_refuse_go_at_once(
    settings: Settings, ecb: FakeEcb, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest.land(settings, ECB)
    ingest.conform(settings, ECB)
    assert closes(settings)

    def parse(payload: bytes, document: Document) -> Mapping[str, pl.DataFrame]:
        if not document.is_bundled:
            raise UpstreamFormatError("ecb: read otherwise now.")
        return tables

    bundled = next(one for one in ingest.landing_of(settings).snapshots("ecb") if one.is_bundled)
    tables = ECB.parse(
        ingest.landing_of(settings).payload(bundled),
        Document(bundled.document, bundled.retrieved_at, is_bundled=True),
    )
    monkeypatch.setattr(ECB, "parse", parse)
    monkeypatch.setattr(ingest, "parser_version", lambda source: "another")
    outcome = ingest.conform(settings, ECB)
    assert "read otherwise now" in outcome.rejected
    assert closes(settings) == {}
    assert outcome.rows["price_quotes"] == 19_779


def run_graph(tmp_path: Path) -> dg.ExecuteInProcessResult:
    """Landing and lake of the ECB, and an asset behind them, as a run of the graph has it."""

    @dg.asset(deps=[lake_key("ecb", "price_quotes")])
    def behind() -> None: ...

    return dg.materialize(
        [landing_asset(ECB), lake_assets(ECB), behind],
        resources={"warehouse": Warehouse()},
        instance=dg.DagsterInstance.local_temp(str(tmp_path)),
        raise_on_error=False,
    )


def test_a_day_quoted_twice_stops_the_run_at_a_check_that_shows_the_rows(
    settings: Settings, ecb: FakeEcb, tmp_path: Path
) -> None:
    twice = (ROWS[0], ("2026-10-30", "1.2", "180", "N/A", "7.5"), *ROWS[1:])
    ecb.documents[ZIP] = history_zip(history_csv(twice))
    (tmp_path / "instance").mkdir()
    result = run_graph(tmp_path / "instance")
    assert not result.success
    assert not result.asset_materializations_for_node("behind")
    (check,) = [
        one for one in result.get_asset_check_evaluations() if one.check_name == SUITE_CHECK
    ]
    assert not check.passed
    assert check.blocking
    assert check.severity == dg.AssetCheckSeverity.ERROR
    rows = str(check.metadata["offending_rows"].value)
    assert "2026-10-30" in rows
    assert "1.2" in rows
    # The document is set aside with the reason; what the lake had stays, and the next run is fine.
    (folder,) = (settings.quarantine_dir / "ecb").iterdir()
    assert (folder / "eurofxref-hist.zip").read_bytes() == ecb.documents[ZIP]
    assert "2026-10-30" in (folder / "reason.txt").read_text()
    assert closes(settings) == {}
    ecb.documents[ZIP] = history_zip()
    shutil.rmtree(tmp_path / "instance")
    (tmp_path / "instance").mkdir()
    assert run_graph(tmp_path / "instance").success
    assert closes(settings)["EURJPY", "2026-10-30"] == 175.68


def test_an_implausible_rate_is_set_aside_and_the_rest_goes_on(
    settings: Settings, ecb: FakeEcb
) -> None:
    filler = [
        (f"2020-{month:02}-{day:02}", "1.1", "120", "N/A", "7.8")
        for month in range(12, 0, -1)
        for day in range(28, 0, -1)
    ]
    slipped = ("2026-10-30", "1.1172", "17568", "N/A", "7.4326")
    ecb.documents[ZIP] = history_zip(history_csv((slipped, *filler)))
    ingest.land(settings, ECB)
    outcome = ingest.conform(settings, ECB)
    assert outcome.rejected == ""
    assert outcome.set_aside["price_quotes"] == 1
    found = closes(settings)
    assert ("EURJPY", "2026-10-30") not in found
    assert found["EURUSD", "2026-10-30"] == 1.1172
    (file,) = settings.quarantine_dir.rglob("price_quotes.parquet")
    (row,) = pl.read_parquet(file).to_dicts()
    assert "17568" in row["value"]


def test_a_landing_and_a_lake_elsewhere_work_the_same(
    settings: Settings, ecb: FakeEcb, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KIDO_LANDING_URL", f"memory://landing-{tmp_path.name}")
    monkeypatch.setenv("KIDO_LAKE_URL", f"memory://lake-{tmp_path.name}")
    elsewhere = Settings.load()
    ingest.land(elsewhere, ECB)
    outcome = ingest.conform(elsewhere, ECB)
    # 19,779 bundled rates (7,126 days in USD and JPY, CNY since April 2005) and 13 fetched ones.
    assert outcome.rows["price_quotes"] == 19_779 + 13
    assert not (settings.home / "lake").exists()
