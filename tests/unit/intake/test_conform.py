"""The lake holds what is landed, read again when its reader, rules or words change."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from dagster_project.errors import UpstreamFormatError
from dagster_project.intake import batch as batches
from dagster_project.intake import conform as conforming
from dagster_project.intake import versions
from dagster_project.intake.conform import conform, recorded_checks, stage
from dagster_project.intake.land import land_bundled, land_files
from dagster_project.intake.stores import lake_of, landing_of, origin_of_card
from dagster_project.intake.withdraw import sweep
from dagster_project.lake import vocabulary
from dagster_project.lake.landing import AskedSlices, Part, Period, Snapshot
from dagster_project.lake.schemas import COVERAGE, PRICE_QUOTES, TRADE_FLOWS
from dagster_project.lake.scope import CommodityScope
from dagster_project.quality.results import CheckResult
from dagster_project.quality.suites import LAKE_SUITES
from dagster_project.settings import Settings
from dagster_project.sources.card import Document
from dagster_project.sources.registry import source_named
from tests.fakes.comtrade import Flow, as_json, world_total
from tests.fakes.ecb import ROWS, history_csv

COMTRADE, ECB = source_named("comtrade"), source_named("ecb")
FLOW = Flow(392, 156, "M", "280530", "2024", 700.0, 7.0)
PAYLOAD = as_json([FLOW, world_total([FLOW])])


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.load(home=tmp_path / "home")


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    calls: Counter[str] = Counter()
    parse = COMTRADE.parse

    def counted(
        payload: bytes, document: Document, scope: CommodityScope
    ) -> Mapping[str, pl.DataFrame]:
        calls[document.name] += 1
        return parse(payload, document, scope)

    monkeypatch.setattr(COMTRADE, "parse", counted)
    return calls


def landed(settings: Settings, name: str = "a.json", payload: bytes = PAYLOAD) -> Snapshot:
    file = settings.home.parent / name
    file.write_bytes(payload)
    land_files(settings, COMTRADE, [file])
    return landing_of(settings).snapshots("comtrade")[-1]


def fetched(
    settings: Settings, payloads: list[bytes], *years: int, name: str = "C-A-HS-2024.json"
) -> Snapshot:
    """A snapshot as an extract makes it, of windows and with what was asked."""
    landing = landing_of(settings)
    at = datetime(2025, 9, 1, 12)
    snapshot_id = f"comtrade-20250901T120000{len(landing.snapshots('comtrade')):06}-abcdef01"
    parts = [
        Part(
            file=f"{number:04}-{name}", sha256=hashlib.sha256(payload).hexdigest(),
            bytes=len(payload), media_type="application/json", request="GET https://example.org",
            retrieved_at=at,
        )
        for number, payload in enumerate(payloads, start=1)
    ]  # fmt: skip
    for part, payload in zip(parts, payloads, strict=True):
        landing.store.write(f"comtrade/{snapshot_id}/{part.file}", payload)
    snapshot = landing.describe(
        snapshot_id, "comtrade", name, parts, origin_of_card(COMTRADE), retrieved_at=at,
        windows=[Period(frequency="A", start=date(year, 1, 1)) for year in years],
        asked=[AskedSlices(table="trade_flows", reporters=("JPN", "USA"), flows=("import",),
                           commodity_codes=("280530",))],
    )  # fmt: skip
    landing.record(snapshot)
    return snapshot


def record_file(settings: Settings, snapshot: Snapshot) -> Path:
    return settings.home / "lake" / "_snapshots" / snapshot.source / f"{snapshot.snapshot_id}.json"


def edit(file: Path, **fields: Any) -> None:
    content = json.loads(file.read_text())
    content.update(fields)
    file.write_text(json.dumps(content))


def flows(settings: Settings) -> dict[str, float]:
    rows = lake_of(settings).rows(TRADE_FLOWS, "comtrade")
    return {} if rows is None else dict(rows.select("partner_iso3", "value_usd").collect().rows())


# Read again, and when not.


def test_what_is_in_the_lake_is_not_parsed_again(settings: Settings, parsed: Counter[str]) -> None:
    landed(settings)
    for _ in range(2):
        outcome = conform(settings, COMTRADE)
        assert (outcome.parsed, outcome.new_snapshots) == (0, 0)
        assert outcome.rows == {"trade_flows": 2}
    assert parsed == {"a.json": 1}


def test_a_changed_module_of_the_source_reads_its_documents_again(
    settings: Settings, parsed: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    landed(settings)
    parse = COMTRADE.parse

    def in_thousands(
        payload: bytes, document: Document, scope: CommodityScope
    ) -> Mapping[str, pl.DataFrame]:
        frames = parse(payload, document, scope)
        return {name: frame.with_columns(pl.col("value_usd") * 1000)
                for name, frame in frames.items()}  # fmt: skip

    monkeypatch.setattr(COMTRADE, "parse", in_thousands)
    assert conform(settings, COMTRADE).parsed == 0
    for module in (conforming, batches):
        monkeypatch.setattr(module, "parser_version", lambda source: "another")
    outcome = conform(settings, COMTRADE)
    assert (outcome.parsed, outcome.new_snapshots) == (1, 1)
    assert flows(settings) == {"CHN": 700_000.0, "WLD": 700_000.0}
    assert conform(settings, COMTRADE).parsed == 0


def test_a_list_that_its_source_reads_and_that_changed_reads_the_document_again(
    settings: Settings, parsed: Counter[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    landed(settings)
    changed = tmp_path / "economies.csv"
    changed.write_bytes(versions.LIST_FILES["economies"].read_bytes() + b"\n")
    files = {**versions.LIST_FILES, "economies": changed}
    monkeypatch.setattr(versions, "LIST_FILES", files)
    assert conform(settings, COMTRADE).parsed == 1
    assert conform(settings, COMTRADE).parsed == 0


def test_a_record_of_an_earlier_kido_is_read_and_its_document_parsed_again(
    settings: Settings, parsed: Counter[str]
) -> None:
    """It has another version, and the words that were looked up."""
    file = record_file(settings, landed(settings))
    edit(file, parser_version="of an earlier day", words={"economies": {"keys": ["JPN"]}})
    assert list(lake_of(settings).records("comtrade"))
    assert conform(settings, COMTRADE).parsed == 1
    assert "words" not in json.loads(file.read_text())
    assert flows(settings)["CHN"] == 700.0


def test_a_changed_rule_holds_the_document_against_the_suite_again(
    settings: Settings, parsed: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    landed(settings)
    suite = LAKE_SUITES["trade_flows"]
    fewer = replace(suite, rules=suite.rules[1:])
    suites = {**LAKE_SUITES, "trade_flows": fewer}
    for module in (conforming, batches):
        monkeypatch.setattr(module, "LAKE_SUITES", suites)
    outcome = conform(settings, COMTRADE)
    assert outcome.parsed == 1
    assert {check.check_name for check in outcome.checks["trade_flows"]} == {
        rule.name for rule in fewer.rules
    }


def test_the_record_of_the_first_version_names_no_parts_and_is_read_all_the_same(
    settings: Settings,
) -> None:
    snapshot = landed(settings)
    file = settings.home / "landing" / "comtrade" / snapshot.snapshot_id / "origin.json"
    content = json.loads(file.read_text())
    for name in ("parts", "windows", "asked", "checksum"):
        content.pop(name)
    file.write_text(json.dumps(content))
    record_file(settings, snapshot).unlink()
    assert conform(settings, COMTRADE).parsed == 1
    assert flows(settings) == {"CHN": 700.0, "WLD": 700.0}


# Rows that lie ready.


def test_rows_that_lie_ready_count_only_once_they_are_conformed(
    settings: Settings, parsed: Counter[str]
) -> None:
    snapshot = fetched(settings, [PAYLOAD], 2024)
    batch = batches.read(
        COMTRADE,
        [(PAYLOAD, Document(snapshot.document, snapshot.retrieved_at, False))],
        settings.scope,
    )
    stage(settings, lake_of(settings), COMTRADE, snapshot, batch)
    assert flows(settings) == {}
    outcome = conform(settings, COMTRADE)
    assert (outcome.parsed, outcome.new_snapshots) == (0, 1)
    assert flows(settings) == {"CHN": 700.0, "WLD": 700.0}
    assert parsed == {snapshot.document: 1}


def test_rows_that_lie_ready_from_an_older_parser_are_parsed_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = fetched(settings, [PAYLOAD], 2024)
    batch = batches.read(
        COMTRADE,
        [(PAYLOAD, Document(snapshot.document, snapshot.retrieved_at, False))],
        settings.scope,
    )
    stage(settings, lake_of(settings), COMTRADE, snapshot, batch)
    for module in (conforming, batches):
        monkeypatch.setattr(module, "parser_version", lambda source: "another")
    assert conform(settings, COMTRADE).parsed == 1
    assert lake_of(settings).records("comtrade")[snapshot.snapshot_id].parser_version == "another"


@pytest.mark.parametrize(("age", "is_kept"), [(timedelta(hours=23), True),
                                              (timedelta(hours=25), False)])  # fmt: skip
def test_rows_for_a_snapshot_that_never_came_are_removed_after_a_day(
    age: timedelta, is_kept: bool, settings: Settings
) -> None:
    batch = batches.read(
        COMTRADE, [(PAYLOAD, Document("a.json", datetime(2025, 1, 1), False))], settings.scope
    )
    snapshot = landed(settings).model_copy(
        update={"snapshot_id": f"comtrade-{datetime.now(UTC) - age:%Y%m%dT%H%M%S%f}-abcdef01"}
    )
    stage(settings, lake_of(settings), COMTRADE, snapshot, batch)
    conform(settings, COMTRADE)
    assert (snapshot.snapshot_id in lake_of(settings).staged("comtrade")) is is_kept
    assert bool(list(settings.home.rglob(f"{snapshot.snapshot_id}.*.parquet"))) is is_kept
    assert flows(settings) == {"CHN": 700.0, "WLD": 700.0}


# Windows and what was asked.


def test_only_the_windows_a_snapshot_speaks_for_come_in(settings: Settings) -> None:
    both = as_json([FLOW, replace(FLOW, period="2023", value=600.0)])
    fetched(settings, [both], 2023)
    conform(settings, COMTRADE)
    assert flows(settings) == {"CHN": 600.0}
    coverage = lake_of(settings).rows(COVERAGE, "comtrade")
    assert coverage is not None
    assert sorted(
        coverage.select("reporter_iso3", "flow", "frequency", "period_start", "rows")
        .collect().rows()
    ) == [
        ("JPN", "import", "A", date(2023, 1, 1), 1),
        ("USA", "import", "A", date(2023, 1, 1), 0),
    ]  # fmt: skip


def test_an_extract_without_an_answer_to_keep_holds_no_rows_and_is_reported(
    settings: Settings,
) -> None:
    fetched(settings, [], 2024)
    outcome = conform(settings, COMTRADE)
    assert outcome.rejected == {}
    assert outcome.rows == {"trade_flows": 0}
    coverage = lake_of(settings).rows(COVERAGE, "comtrade")
    assert coverage is not None
    assert coverage.collect()["rows"].to_list() == [0, 0]
    assert flows(settings) == {}


def test_the_parts_of_an_extract_are_put_together(settings: Settings) -> None:
    other = replace(FLOW, partner=704, value=300.0)
    fetched(settings, [as_json([FLOW]), as_json([other]), as_json([FLOW])], 2024)
    assert conform(settings, COMTRADE).rows["trade_flows"] == 2
    assert flows(settings) == {"CHN": 700.0, "VNM": 300.0}


# What goes.


def test_rows_of_a_snapshot_whose_folder_was_removed_from_the_landing_go(
    settings: Settings,
) -> None:
    first = landed(settings)
    landed(settings, "b.json", as_json([replace(FLOW, period="2023", partner=704)]))
    shutil.rmtree(settings.home / "landing" / "comtrade" / first.snapshot_id)
    assert conform(settings, COMTRADE).rows == {"trade_flows": 1}
    assert flows(settings) == {"VNM": 700.0}
    sweep(settings, COMTRADE)
    assert flows(settings) == {"VNM": 700.0}
    assert not list((settings.home / "lake").rglob(f"{first.snapshot_id}*"))


@pytest.mark.parametrize("is_by_hand", [True, False])
def test_a_snapshot_that_later_rules_refuse_goes_with_the_reason_and_the_others_stay(
    is_by_hand: bool, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = landed(settings, "old.json") if is_by_hand else fetched(
        settings, [PAYLOAD], 2024, name="old.json"
    )  # fmt: skip
    landed(settings, "b.json", as_json([replace(FLOW, period="2023", partner=704)]))
    conform(settings, COMTRADE)
    parse = COMTRADE.parse

    def rejects(
        payload: bytes, document: Document, scope: CommodityScope
    ) -> Mapping[str, pl.DataFrame]:
        if document.name == "old.json":
            raise UpstreamFormatError("comtrade: read otherwise now.")
        return parse(payload, document, scope)

    monkeypatch.setattr(COMTRADE, "parse", rejects)
    monkeypatch.setattr(conforming, "parser_version", lambda source: "another")
    outcome = conform(settings, COMTRADE)
    assert outcome.rejected == {"old.json": "comtrade: old.json: read otherwise now."}
    assert outcome.is_rejected_by_hand is is_by_hand
    assert outcome.rejected_tables == set()
    assert flows(settings) == {"VNM": 700.0}
    sweep(settings, COMTRADE)
    assert not list((settings.home / "lake").rglob(f"{old.snapshot_id}*"))
    assert not (settings.home / "landing" / "comtrade" / old.snapshot_id).exists()
    (reason,) = settings.quarantine_dir.rglob("reason.txt")
    assert "read otherwise now" in reason.read_text()
    assert PAYLOAD in [file.read_bytes() for file in reason.parent.iterdir()]


def test_rows_that_are_quarantined_are_counted_and_shown_and_the_rest_goes_on(
    settings: Settings,
) -> None:
    """A yen rate of 17,568 among 336 days of 120."""
    land_bundled(settings, ECB)
    filler = [
        (f"2020-{month:02}-{day:02}", "1.1", "120", "N/A", "7.8")
        for month in range(12, 0, -1)
        for day in range(28, 0, -1)
    ]
    slipped = ("2026-10-30", "1.1172", "17568", "N/A", "7.4326")
    file = settings.home.parent / "eurofxref-hist.csv"
    file.write_bytes(history_csv((slipped, *filler)))
    brought = land_files(settings, ECB, [file])
    assert brought.quarantined == {"price_quotes": 1}
    assert brought.others.quarantined == {"price_quotes": 1}
    rows = lake_of(settings).rows(PRICE_QUOTES, "ecb")
    assert rows is not None
    last = rows.filter(pl.col("price_date") == date(2026, 10, 30), pl.col("document") == file.name)
    assert sorted(last.collect()["instrument"]) == ["EURCNY", "EURUSD"]
    (file,) = settings.quarantine_dir.rglob("price_quotes.parquet")
    assert "17568" in pl.read_parquet(file)["value"].item()


def test_a_landing_and_a_lake_elsewhere_work_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = Settings.load(
        home=tmp_path / "home",
        landing_url=f"memory://landing-{tmp_path.name}",
        lake_url=f"memory://lake-{tmp_path.name}",
    )
    land_bundled(elsewhere, ECB)
    file = tmp_path / "eurofxref-hist.csv"
    file.write_bytes(history_csv(ROWS))
    outcome = land_files(elsewhere, ECB, [file]).others
    # 26,905 bundled rates (7,126 days in USD, JPY and GBP, CNY since April 2005) and 13 of the
    # file.
    assert outcome.rows["price_quotes"] == 26_905 + 13
    assert not (elsewhere.home / "lake").exists()
    assert len(recorded_checks(lake_of(elsewhere), "ecb")) == 2 * len(
        LAKE_SUITES["price_quotes"].rules
    )


def test_prices_are_read_again_when_the_series_of_their_label_changes(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usgs, file, series = source_named("usgs_mcs"), tmp_path / "mine.csv", tmp_path / "labels.csv"
    file.write_text(
        "edition,label,year,price,flag,printed\n2024,Lithium: Price_dt,2022,100,reported,100\n"
    )
    land_files(settings, usgs, [file], replace_all=True)

    def instruments() -> list[str]:
        rows = lake_of(settings).rows(PRICE_QUOTES, "usgs_mcs")
        assert rows is not None
        return rows.collect()["instrument"].to_list()

    assert (conform(settings, usgs).parsed, instruments()) == (0, ["LITHIUM_CARBONATE"])
    text = vocabulary.price_labels_file("usgs_mcs").read_text("utf8")
    old, new = "LITHIUM_CARBONATE,", "LITHIUM_CARBONATE_REAL,"
    assert text.count(old) == 1
    series.write_text(text.replace(old, new), "utf8")
    with monkeypatch.context() as patch:
        patch.setattr(vocabulary, "price_labels_file", lambda source: series)
        vocabulary.price_labels.cache_clear()
        assert (conform(settings, usgs).parsed, instruments()) == (1, ["LITHIUM_CARBONATE_REAL"])
    vocabulary.price_labels.cache_clear()


def test_a_rejected_batch_is_one_of_the_table_whose_rule_it_failed(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched(settings, [PAYLOAD], 2024, name="a.json")
    failed = CheckResult(
        "lake", "trade_flows", "value_is_positive", "great_expectations", "error", "failed",
        "3 of 9 rows", 3, None, "No flow is negative.",
    )  # fmt: skip

    def rejects(*_: object) -> None:
        error = batches.RejectedWithChecksError("comtrade: a.json: 3 of 9 rows.")
        error.checks = {
            "trade_flows": [failed],
            "coverage": [replace(failed, status="passed")],
        }
        raise error

    monkeypatch.setattr(conforming, "_read_in_scope", rejects)
    outcome = conform(settings, COMTRADE)
    assert outcome.rejected.keys() == {"a.json"}
    assert outcome.rejected_tables == {"trade_flows"}
