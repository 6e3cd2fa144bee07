"""Files somebody brings: those of one command are one snapshot, or nothing is landed."""

from __future__ import annotations

import errno
import json
import os
import random
import shlex
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from itertools import permutations
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest
from typer.testing import CliRunner

from dagster_project.cli import app
from dagster_project.errors import (
    BatchRejectedError,
    ConfigurationError,
    ContradictionError,
    KidoError,
    UpstreamFormatError,
)
from dagster_project.intake import batch as batches
from dagster_project.intake import conform as conforming
from dagster_project.intake import land as landing_command
from dagster_project.intake.conform import conform
from dagster_project.intake.land import land_bundled, land_files
from dagster_project.intake.landing_report import LandingReport
from dagster_project.intake.source_lock import source_lock
from dagster_project.intake.stores import lake_of, landing_of
from dagster_project.lake.landing import Snapshot
from dagster_project.lake.schemas import CORRECTIONS, LAKE_TABLES, TRADE_FLOWS
from dagster_project.lake.scope import CommodityScope
from dagster_project.lake.vintages import current_rows
from dagster_project.lake.vocabulary import economy_by
from dagster_project.settings import BUNDLED, Settings
from dagster_project.sources.card import Document, Source
from dagster_project.sources.registry import source_named
from tests.conftest import SHARED, needs_shared
from tests.fakes.comtrade import (
    AREAS,
    WORLD,
    Flow,
    as_bulk,
    as_csv,
    as_json,
    as_xlsx,
    flows_for,
    rows_of,
    world_total,
)

COMTRADE = source_named("comtrade")
JAPAN, USA, CHINA, VIETNAM = 392, 842, 156, 704
FROM_CHINA = Flow(JAPAN, CHINA, "M", "280530", "2024", 700.0, 7.0)
FROM_VIETNAM = Flow(JAPAN, VIETNAM, "M", "280530", "2024", 300.0, 3.0)
FROM_ALL = world_total([FROM_CHINA, FROM_VIETNAM])


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("KIDO_HOME", str(tmp_path / "home"))
    return Settings.load()


@pytest.fixture
def bring(settings: Settings, tmp_path: Path) -> Callable[..., LandingReport]:
    """Land files of these names and bytes in one command."""

    def land(
        *files: tuple[str, bytes], retrieved: date | None = None, replace_all: bool = False
    ) -> LandingReport:
        paths = []
        for name, payload in files:
            path = tmp_path / "downloads" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(payload)
            paths.append(path)
        return land_files(settings, COMTRADE, paths, retrieved, replace_all=replace_all)

    return land


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each document of UN Comtrade was parsed, and several together."""
    calls: Counter[str] = Counter()
    parse_together = COMTRADE.parse_together

    def counted(
        parts: Sequence[tuple[bytes, Document]], scope: CommodityScope
    ) -> Mapping[str, pl.DataFrame]:
        calls[" + ".join(document.name for _, document in parts)] += 1
        return parse_together(parts, scope)

    monkeypatch.setattr(COMTRADE, "parse_together", counted)
    return calls


def snapshots(settings: Settings) -> list[Snapshot]:
    return landing_of(settings).snapshots("comtrade")


def counting(settings: Settings) -> pl.DataFrame:
    """Rows of the newest vintage of each slice."""
    rows = lake_of(settings).rows(TRADE_FLOWS, "comtrade")
    assert rows is not None
    rank = pl.struct("vintage_at", "snapshot_id").rank("dense", descending=True)
    return rows.filter(rank.over(TRADE_FLOWS.vintage_slice) == 1).collect()


def values(settings: Settings) -> dict[str, float]:
    """Values by partner, of one reporter, flow, code and period."""
    rows = counting(settings).select("partner_iso3", "value_usd").rows()
    assert len(dict(rows)) == len(rows)
    return dict(rows)


# Parsed once.


def test_a_file_is_parsed_once_until_its_rows_are_in_the_lake(
    settings: Settings, bring: Callable[..., LandingReport], parsed: Counter[str]
) -> None:
    report = bring(("japan.json", as_json([FROM_CHINA, FROM_ALL])))
    assert report.is_new
    assert report.rows == {"trade_flows": 2}
    assert conform(settings, COMTRADE).parsed == 0
    assert values(settings) == {"CHN": 700.0, "WLD": 1000.0}
    assert parsed == {"japan.json": 1}


def test_files_of_one_command_are_parsed_once_together(
    bring: Callable[..., LandingReport], parsed: Counter[str]
) -> None:
    report = bring(
        ("china.json", as_json([FROM_CHINA])),
        ("vietnam.csv", as_csv([FROM_VIETNAM])),
        ("world.xlsx", as_xlsx([FROM_ALL])),
    )
    assert report.rows == {"trade_flows": 3}
    assert parsed == {"china.json + vietnam.csv + world.xlsx": 1}


def test_files_that_are_one_snapshot_are_parsed_again_together(
    settings: Settings,
    bring: Callable[..., LandingReport],
    parsed: Counter[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bring(("china.json", as_json([FROM_CHINA])), ("world.json", as_json([FROM_ALL])))
    parsed.clear()
    monkeypatch.setattr(conforming, "parser_version", lambda source: "another")
    assert conform(settings, COMTRADE).parsed == 1
    assert values(settings) == {"CHN": 700.0, "WLD": 1000.0}


def test_areas_that_are_one_partner_here_are_summed_over_files_and_each_counted_once(
    settings: Settings, bring: Callable[..., LandingReport]
) -> None:
    """Areas not specified (899) and free zones (838) are both `_X`; 899 stands in both files."""
    areas = Flow(JAPAN, 899, "M", "280530", "2024", 40.0, 4.0)
    zones = as_json([replace(areas, value=5.0, weight=1.0)]).replace(b"899", b"838")
    report = bring(
        ("one.json", as_json([FROM_CHINA, areas])),
        ("other.json", as_json([areas])),
        ("zones.json", zones),
    )
    assert report.documents == ("one.json", "other.json", "zones.json")
    assert values(settings) == {"CHN": 700.0, "_X": 45.0}


# What is one landing.


@needs_shared
def test_china_in_one_workbook_and_the_world_in_the_other_are_one_snapshot(
    settings: Settings,
) -> None:
    """Two downloads of UN Comtrade itself: each importer's rows from China, and its totals."""
    folder = SHARED / "data" / "comtrade_v1_sample"
    files = [folder / "comtrade_v1_china.xlsx", folder / "comtrade_v1_world.xlsx"]
    report = land_files(settings, COMTRADE, files)
    assert report.documents == ("comtrade_v1_china.xlsx", "comtrade_v1_world.xlsx")
    (snapshot,) = snapshots(settings)
    assert [part.document for part in snapshot.parts] == list(report.documents)
    assert list(landing_of(settings).payloads(snapshot)) == [file.read_bytes() for file in files]

    printed: dict[tuple[str, int], float] = {}
    for file, partner in zip(files, ("CHN", "WLD"), strict=True):
        header, *lines = openpyxl.load_workbook(file, read_only=True).worksheets[0].values
        for line in lines:
            row = dict(zip(header, line, strict=True))
            # Of the three codes in the files two are headings of four digits, which are not read.
            if str(row["reporterCode"]) == "392" and str(row["cmdCode"]) == "282520":
                printed[partner, int(str(row["period"]))] = float(str(row["primaryValue"]))
    assert len(printed) == 12
    found = counting(settings).filter(pl.col("reporter_iso3") == "JPN")
    assert {
        (row["partner_iso3"], row["period_start"].year): row["value_usd"]
        for row in found.iter_rows(named=True)
    } == printed


REFUSED = (
    "The files of one command become one snapshot: land these one after the other, the newest last."
)


@pytest.mark.parametrize(
    "revised",
    [replace(FROM_CHINA, value=800.0), replace(FROM_CHINA, weight=8.0)],
    ids=["value", "weight"],
)
@pytest.mark.parametrize("is_described", [True, False])
def test_files_that_differ_on_a_figure_are_refused_in_a_sentence(
    revised: Flow, is_described: bool, settings: Settings, bring: Callable[..., LandingReport]
) -> None:
    """Also where a file lacks the columns by which a flow is broken down."""
    first, second = (as_json([flow, FROM_ALL]) for flow in (FROM_CHINA, revised))
    if not is_described:
        first, second = without_breakdown(first), without_breakdown(second)
    with pytest.raises(ContradictionError) as caught:
        bring(("first.json", first), ("revised.json", second), replace_all=True)
    assert str(caught.value) == (
        "comtrade: first.json + revised.json: the files differ on 280530 of reporter 392 and "
        f"partner 156 in 2024. {REFUSED}"
    )
    assert not settings.home.exists()
    bring(("first.json", first))
    bring(("revised.json", second), replace_all=True)
    assert values(settings)["CHN"] == revised.value


def without_breakdown(answer: bytes) -> bytes:
    whole = json.loads(answer)
    lost = ("partner2Code", "customsCode", "motCode")
    whole["data"] = [
        {name: value for name, value in row.items() if name not in lost} for row in whole["data"]
    ]
    return json.dumps(whole).encode()


def test_files_read_one_by_one_are_refused_where_they_differ(
    settings: Settings, tmp_path: Path
) -> None:
    indices = source_named("equity_indices")
    closes = {"a.csv": {"01": 100, "02": 101}, "b.csv": {"01": 100, "02": 102, "03": 103}}
    files = []
    for name, by_day in closes.items():
        files.append(tmp_path / name)
        rows = [f"REMX,2026-09-{day},{close}" for day, close in by_day.items()]
        files[-1].write_text("\n".join(["instrument,date,index", *rows, ""]))
    with pytest.raises(ContradictionError) as caught:
        land_files(settings, indices, files, replace_all=True)
    assert str(caught.value) == (
        "equity_indices: a.csv and b.csv differ on 1 row of price_quotes, first REMX 2026-09-02. "
        + REFUSED
    )
    assert not settings.home.exists()
    files[1].write_text(files[1].read_text().replace("02,102", "02,101"))
    report = land_files(settings, indices, files, replace_all=True)
    # The days that both have are one row each.
    assert report.rows == {"price_quotes": 3}


def test_files_of_different_slices_are_one_snapshot(
    settings: Settings, bring: Callable[..., LandingReport]
) -> None:
    report = bring(
        ("2023.json", as_json([replace(FROM_ALL, period="2023")])),
        ("2024.json", as_json([FROM_ALL])),
        ("exports.json", as_json([replace(FROM_ALL, flow="X")])),
    )
    assert report.documents == ("2023.json", "2024.json", "exports.json")
    assert len(snapshots(settings)) == 1
    assert counting(settings).height == 3


def test_lists_landed_in_one_command_each_replace_a_bundled_one(
    settings: Settings, tmp_path: Path
) -> None:
    """A list counts by its own name, whatever it was landed with, and when it is read again."""
    catalogue = source_named("catalogue")
    land_bundled(settings, catalogue)
    conform(settings, catalogue)
    bundled = BUNDLED / "catalogue"
    names = ("measures.yaml", "milestones.yaml")
    for name in names:
        text = (bundled / name).read_text("utf8")
        (tmp_path / name).write_text(
            "# mine\n" + text.replace("Export licensing of superhard materials", "My own title"),
            "utf8",
        )
    report = land_files(settings, catalogue, [tmp_path / name for name in names])
    assert report.replaces_bundled == ("measures.yaml", "milestones.yaml")
    lake, table = lake_of(settings), LAKE_TABLES["restriction_clauses"]

    def titles_that_count() -> list[str]:
        rows = lake.rows(table, "catalogue")
        assert rows is not None
        today = datetime.now(UTC).date()
        return current_rows(table, rows.collect(), today)["title"].to_list()

    assert "My own title" in titles_that_count()
    assert "Export licensing of superhard materials" not in titles_that_count()
    assert {"measures.yaml", "milestones.yaml"} <= documents_of(settings)


def documents_of(settings: Settings) -> set[str]:
    """The documents of the lists in the lake that were landed by hand."""
    catalogue = landing_of(settings).snapshots("catalogue")
    (landed,) = (one for one in catalogue if one.is_landed_by_hand)
    found = set()
    for table in source_named("catalogue").CARD.tables:
        rows = lake_of(settings).rows(LAKE_TABLES[table], "catalogue")
        if rows is not None:
            of_landed = rows.filter(pl.col("snapshot_id") == landed.snapshot_id)
            found |= set(of_landed.select(pl.col("document").unique()).collect()["document"])
    return found


def test_a_large_file_is_landed_by_itself(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "LARGE_DOCUMENT_BYTES", 1_000)
    small, large = tmp_path / "small.csv", tmp_path / "large.csv"
    small.write_text("small")
    large.write_bytes(b"x" * 1_000)
    with pytest.raises(ConfigurationError) as caught:
        land_files(settings, source_named("baci"), [small, large])
    assert str(caught.value) == (
        "large.csv is too large to be landed together with other files. The files of one command "
        "become one snapshot: land it with a command of its own."
    )
    assert not settings.home.exists()


def test_two_files_of_one_base_name_keep_their_bytes(
    settings: Settings, bring: Callable[..., LandingReport]
) -> None:
    china, world = as_json([FROM_CHINA]), as_json([FROM_ALL])
    report = bring(("one/data.json", china), ("two/data.json", world))
    assert report.documents == ("data.json", "data.json")
    (snapshot,) = snapshots(settings)
    assert set(landing_of(settings).payloads(snapshot)) == {china, world}
    assert len({part.file for part in snapshot.parts}) == 2
    assert values(settings) == {"CHN": 700.0, "WLD": 1000.0}


# All or nothing, and nothing twice.


def test_one_bad_file_and_nothing_of_the_command_is_landed(
    settings: Settings, bring: Callable[..., LandingReport]
) -> None:
    with pytest.raises(UpstreamFormatError, match=r"^comtrade: bad\.json: .*HTML"):
        bring(
            ("good.json", as_json([FROM_CHINA])),
            ("bad.json", b"<!DOCTYPE html><html><body>Maintenance</body></html>"),
        )
    assert not settings.home.exists()


def test_files_that_break_a_rule_only_together_are_not_landed(
    settings: Settings, bring: Callable[..., LandingReport]
) -> None:
    codes = ("280530", "284610", "284690")
    parts = [replace(one, code=code) for code in codes for one in (FROM_CHINA, FROM_VIETNAM)]
    totals = [replace(FROM_ALL, value=100.0, code=code) for code in codes]
    with pytest.raises(BatchRejectedError, match=r"a\.json \+ b\.json.*exceed_the_total"):
        bring(("a.json", as_json(parts)), ("b.json", as_json(totals)))
    assert not settings.home.exists()


def test_a_file_that_is_not_there_is_named(settings: Settings, tmp_path: Path) -> None:
    missing = tmp_path / "not there.json"
    with pytest.raises(ConfigurationError, match=r"not there\.json cannot be read: No such file"):
        land_files(settings, COMTRADE, [missing])
    with pytest.raises(ConfigurationError, match="cannot be read"):
        land_files(settings, COMTRADE, [tmp_path])
    assert not settings.home.exists()


@pytest.mark.parametrize("names", [("china.json",), ("china.json", "world.json")])
def test_the_same_bytes_again_are_nothing_new(
    names: Sequence[str], settings: Settings, bring: Callable[..., LandingReport]
) -> None:
    payloads = {"china.json": as_json([FROM_CHINA]), "world.json": as_json([FROM_ALL])}
    files = [(name, payloads[name]) for name in names]
    assert bring(*files).is_new
    before = {path: path.stat().st_mtime_ns for path in settings.home.rglob("*.parquet")}
    assert not bring(*files).is_new
    assert not bring(*reversed(files)).is_new
    assert len(snapshots(settings)) == 1
    assert {path: path.stat().st_mtime_ns for path in settings.home.rglob("*.parquet")} == before


def test_a_file_named_twice_or_under_two_names_is_landed_once(
    settings: Settings, bring: Callable[..., LandingReport]
) -> None:
    payload = as_json([FROM_CHINA, FROM_ALL])
    report = bring(("a.json", payload), ("a.json", payload), ("copy of a.json", payload))
    assert report.documents == ("a.json",)
    (snapshot,) = snapshots(settings)
    assert list(landing_of(settings).payloads(snapshot)) == [payload]


def test_a_full_disk_at_any_write_leaves_nothing_of_the_command(
    settings: Settings, bring: Callable[..., LandingReport], monkeypatch: pytest.MonkeyPatch
) -> None:
    bring(("known.json", as_json([replace(FROM_CHINA, period="2022")])))
    before = tree(settings.home)
    # Two files, and a row of the second that is quarantined.
    many = [
        replace(FROM_CHINA, partner=partner, code=code, period="2023")
        for partner in sorted(AREAS.keys() - {WORLD, JAPAN, VIETNAM})
        for code in ("280530", "284610")
    ]
    command = (
        ("japan.json", as_json([FROM_CHINA, FROM_ALL])),
        ("more.json", as_json([*many, replace(FROM_VIETNAM, period="2023", weight=-3.0)])),
    )
    fsync, room = os.fsync, 0

    def flushed(descriptor: int) -> None:
        nonlocal room
        room -= 1
        if room < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", flushed)
    stopped = 0
    while True:
        room = stopped
        try:
            bring(*command, replace_all=True)  # the year before has more rows
        except OSError:
            if len(snapshots(settings)) > 1:
                break
            assert tree(settings.home) == before
            stopped += 1
        else:
            break
    assert stopped > 4
    assert len(snapshots(settings)) == 2
    monkeypatch.undo()
    assert not bring(*command).is_new
    assert lake_of(settings).snapshot_ids("comtrade") == {
        one.snapshot_id for one in snapshots(settings)
    }
    assert list(settings.quarantine_dir.rglob("*.parquet"))


def tree(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".lock"
    }


def test_a_landing_waits_for_who_holds_the_source_and_compares_with_what_is_known_then(
    settings: Settings, bring: Callable[..., LandingReport], tmp_path: Path
) -> None:
    bring(("china.json", as_json([FROM_CHINA, FROM_ALL])))
    (known,) = snapshots(settings)
    file, text = tmp_path / "downloads" / "china.json", []
    with ThreadPoolExecutor() as pool:
        with source_lock(settings, "comtrade"):
            landing = pool.submit(land_files, settings, COMTRADE, [file], write=text.append)
            with pytest.raises(TimeoutError):
                landing.result(1.5)
            landing_of(settings).withdraw(known, by="ann", reason="a slip")
        with pytest.raises(ConfigurationError, match=r"these bytes were withdrawn .*a slip"):
            landing.result()
    assert text == ["comtrade: waiting for another run that fetches or lands it."]
    assert snapshots(settings) == []


def test_the_day_of_a_vintage_is_kept(
    settings: Settings, bring: Callable[..., LandingReport]
) -> None:
    payload = as_json([FROM_CHINA, FROM_ALL])
    bring(("a.json", payload), retrieved=date(2025, 3, 1))
    assert set(counting(settings)["vintage_at"]) == {datetime(2025, 3, 1)}
    assert not bring(("a.json", payload)).is_new
    assert not bring(("a.json", payload), retrieved=date(2025, 3, 1)).is_new
    with pytest.raises(ConfigurationError, match="landed already, as retrieved on 2025-03-01"):
        bring(("a.json", payload), retrieved=date(2025, 3, 2))
    with pytest.raises(ConfigurationError, match="is after today"):
        bring(("a.json", payload), retrieved=date.today() + timedelta(days=2))
    assert set(counting(settings)["vintage_at"]) == {datetime(2025, 3, 1)}


def test_another_day_for_one_of_the_files_lands_none_of_them(
    settings: Settings, bring: Callable[..., LandingReport]
) -> None:
    payload = as_json([FROM_ALL])
    bring(("a.json", payload), retrieved=date(2025, 3, 1))
    other = as_json([replace(FROM_ALL, period="2023")])
    with pytest.raises(ConfigurationError, match=r"a\.json is landed already"):
        bring(("b.json", other), ("a.json", payload), retrieved=date(2025, 4, 1))
    assert len(snapshots(settings)) == 1


# What is found about the others.


@pytest.fixture
def stricter(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on, documents named `old` cannot be parsed any more."""
    parse = COMTRADE.parse

    def rejects(
        payload: bytes, document: Document, scope: CommodityScope
    ) -> Mapping[str, pl.DataFrame]:
        if document.name.startswith("old"):
            raise UpstreamFormatError("comtrade: read otherwise now.")
        return parse(payload, document, scope)

    monkeypatch.setattr(COMTRADE, "parse", rejects)
    monkeypatch.setattr(conforming, "parser_version", lambda source: "another")


def test_an_earlier_document_that_is_rejected_meanwhile_is_not_lost_from_sight(
    settings: Settings, bring: Callable[..., LandingReport], request: pytest.FixtureRequest
) -> None:
    bring(("old.json", as_json([replace(FROM_ALL, period="2023")])))
    request.getfixturevalue("stricter")
    report = bring(("new.json", as_json([FROM_ALL])))
    assert report.is_new
    assert set(report.others.rejected) == {"old.json"}
    assert "read otherwise now" in report.others.rejected["old.json"]
    (reason,) = settings.quarantine_dir.rglob("reason.txt")
    assert "old.json" in reason.read_text()
    assert [snapshot.document for snapshot in snapshots(settings)] == ["new.json"]


def test_the_command_reports_it_and_ends_with_exit_code_1(
    bring: Callable[..., LandingReport], request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    bring(("old.json", as_json([replace(FROM_ALL, period="2023")])))
    request.getfixturevalue("stricter")
    new = tmp_path / "new.json"
    new.write_bytes(as_json([FROM_ALL]))
    result = CliRunner().invoke(app, ["land", "comtrade", str(new)])
    assert result.exit_code == 1
    assert "new.json: landed." in result.output
    assert "An earlier document can no longer be used and is quarantined" in result.output
    assert "old.json: read otherwise now." in result.output


def test_the_command_prints_a_table_of_what_was_landed(tmp_path: Path, settings: Settings) -> None:
    names = ("china.json", "world.json")
    for name, flow in zip(names, (FROM_CHINA, FROM_ALL), strict=True):
        (tmp_path / name).write_bytes(as_json([flow]))
    paths = [str(tmp_path / name) for name in names]
    result = CliRunner().invoke(app, ["land", "comtrade", *paths])
    assert result.exit_code == 0
    assert result.output == (
        "china.json + world.json: landed.\ntable        rows  new\ntrade_flows     2    2\n"
    )
    result = CliRunner().invoke(app, ["land", "comtrade", *paths])
    assert result.output == (
        "china.json + world.json: nothing new.\ntable        rows\ntrade_flows     2\n"
    )
    (tmp_path / "china.json").write_bytes(as_json([replace(FROM_CHINA, value=710.0)]))
    result = CliRunner().invoke(app, ["land", "comtrade", *paths])
    assert result.output == (
        "china.json + world.json: landed.\n"
        "table        rows  changed  as known\n"
        "trade_flows     2        1         1\n"
        "trade_flows: Replaces 2 rows of import 280530 2024 (USD 1,700) by 2 (USD 1,710).\n"
        "trade_flows: value_usd: 1 of 2 changed (50.0%), ratio 1.01; all of import 280530.\n"
    )


def test_of_the_bundled_files_only_what_changed_is_new(settings: Settings) -> None:
    ecb: Source = source_named("ecb")
    (snapshot,) = land_bundled(settings, ecb).new
    assert (snapshot.document, snapshot.is_bundled) == ("reference_rates.csv", True)
    again = land_bundled(settings, ecb)
    assert (again.new, again.unchanged) == ((), 1)


# Files that were not pinned to totals, in several pieces.


def test_an_error_that_its_publisher_has_corrected_is_reported_and_nothing_is_changed(
    settings: Settings, tmp_path: Path
) -> None:
    baskets, name = source_named("comtrade_baskets"), "china_exports_monthly.csv"
    land_bundled(settings, baskets)
    conform(settings, baskets)
    (applied,) = corrections_of(settings, baskets)
    assert (applied["status"], applied["rows_changed"]) == ("applied", 195)

    def once(line: str) -> str:
        cells = line.split(",", 9)
        if cells[1] == "BEL":
            cells[7:9] = [str(Decimal(cell) / 2) if cell else "" for cell in cells[7:9]]
        return ",".join(cells)

    file = tmp_path / "mended.csv"
    lines = (BUNDLED / "comtrade_baskets" / name).read_text("utf8").splitlines()
    file.write_text("\n".join(map(once, lines)) + "\n", "utf8")
    result = CliRunner().invoke(app, ["land", "comtrade_baskets", str(file)])
    assert result.exit_code == 0, result.output
    said = " ".join(result.output.split())
    assert (
        "the correction COMTRADE-CHN-EXPORTS-BEL-TWICE no longer matches: there is 1558663 where "
        "3117326 was wrong; it is not changed."
    ) in said
    mended, before = corrections_of(settings, baskets)
    assert before == applied
    assert (mended["status"], mended["rows_changed"]) == ("no_longer_matches", 0)
    assert mended["document"] == "mended.csv"
    assert mended["vintage_at"] > before["vintage_at"]
    flows = lake_of(settings).rows(TRADE_FLOWS, "comtrade_baskets")
    assert flows is not None
    belgian = flows.filter(pl.col("partner_iso3") == "BEL", pl.col("reporter_iso3") == "CHN")
    sums = belgian.group_by("document").agg(pl.col("value_usd").sum()).collect()
    # By hand from the extract: half of 57,878,466 dollars.
    assert dict(sums.iter_rows()) == {name: 28_939_233, "mended.csv": 28_939_233}


def corrections_of(settings: Settings, source: Source) -> list[dict[str, Any]]:
    """What became of the corrections of a source, the newest document first."""
    rows = lake_of(settings).rows(CORRECTIONS, source.CARD.name)
    assert rows is not None
    return rows.sort("vintage_at", descending=True).collect().to_dicts()


@pytest.mark.parametrize("write", [as_json, as_csv, as_xlsx, as_bulk])
def test_an_unpinned_download_in_several_files_has_the_totals_of_a_pinned_one(
    write: Callable[..., bytes],
    settings: Settings,
    bring: Callable[..., LandingReport],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = flows_for(
        [JAPAN, USA], [CHINA, VIETNAM, 699, 276], ["280530", "284690"], ["2023", "2024"],
        with_parts=True,
    )  # fmt: skip
    chance = random.Random(write.__name__)
    files: list[list[Flow]] = [[], [], []]
    for flow in world:
        chance.choice(files).append(flow)
    bring(*((f"{n}.dat", write(some, pinned=False)) for n, some in enumerate(files)))
    assert len(snapshots(settings)) == 1
    found = counting(settings).filter(
        pl.col("procedure_code").is_null(), pl.col("transport_code").is_null(),
        pl.col("second_partner_iso3").is_null(),
    )  # fmt: skip
    expected = {
        (row["reporterISO"], row["partnerISO"], row["flowDesc"].lower(), row["cmdCode"],
         int(row["period"])): (row["primaryValue"], row["netWgt"])
        for row in rows_of(world)
    }  # fmt: skip
    assert {
        (row["reporter_iso3"], row["partner_iso3"].replace("WLD", "W00"), row["flow"],
         row["commodity_code"], row["period_start"].year): (row["value_usd"], row["net_weight_kg"])
        for row in found.iter_rows(named=True)
    } == expected  # fmt: skip


def v1_rows(raw: pl.DataFrame) -> list[dict[str, object]]:
    """Rows of a pull that lost its breakdown columns, with codes of a breakdown again: of each
    key the largest is the total, the others get a mode of transport of their own.
    """
    key = ["reporter", "partner", "cmd", "flow"]
    ranked = raw.with_row_index().with_columns(
        rank=pl.struct(-pl.col("value"), "index").rank("ordinal").over(key)
    )
    return [
        {
            "freqCode": "A", "period": "2024", "reporterCode": row["reporter"],
            "flowCode": row["flow"], "partnerCode": row["partner"], "partner2Code": 0,
            "classificationCode": "H6", "isOriginalClassification": True, "cmdCode": row["cmd"],
            "customsCode": "C00",
            "motCode": 0 if row["rank"] == 1 else 1000 * (1 + row["partner"]) + row["rank"],
            "netWgt": row["netwgt"], "cifvalue": None, "fobvalue": None,
            "primaryValue": row["value"],
        }
        for row in ranked.sort("index").iter_rows(named=True)
    ]  # fmt: skip


@needs_shared
@pytest.mark.parametrize("is_shuffled", [False, True])
def test_a_real_pull_cut_at_arbitrary_lines_keeps_every_importers_total(
    is_shuffled: bool, settings: Settings, bring: Callable[..., LandingReport]
) -> None:
    file = SHARED / "data" / "comtrade_raw" / "comtrade_2024.csv.gz"
    raw = pl.read_csv(file, schema_overrides={"cmd": pl.String}).filter(
        pl.col("cmd").is_in(["850511", "280530", "284690", "250410", "811292"])
    )
    unknown = [
        int(number)
        for number, iso3 in economy_by("comtrade_code").items()
        if iso3 == "_X" and number != "899"
    ]
    if is_shuffled:  # numbers that are one economy here are summed in a file, not across files
        raw = raw.filter(~pl.col("partner").is_in(unknown))
    rows = v1_rows(raw)
    chance = random.Random(0)
    if is_shuffled:
        chance.shuffle(rows)
    cuts = sorted(chance.sample(range(1, len(rows)), 4))
    pieces = [rows[a:b] for a, b in zip([0, *cuts], [*cuts, len(rows)], strict=True)]
    files = [
        (f"{number}.json", json.dumps(
            {"elapsedTime": "1.0 secs", "count": len(piece), "data": piece, "error": ""}
        ).encode())
        for number, piece in enumerate(pieces)
    ]  # fmt: skip
    chance.shuffle(files)
    bring(*files)
    assert len(snapshots(settings)) == 1
    printed: dict[tuple[str, str], float] = {}
    for row in raw.filter(pl.col("partner") == WORLD, pl.col("flow") == "M").to_dicts():
        key = (str(row["reporter"]), row["cmd"])
        printed[key] = max(row["value"], printed.get(key, 0.0))
    totals = counting(settings).filter(
        pl.col("partner_iso3") == "WLD", pl.col("flow") == "import",
        pl.col("transport_code").is_null(),
    )  # fmt: skip
    economies = economy_by("comtrade_code")
    assert {
        (row["reporter_iso3"], row["commodity_code"]): row["value_usd"] for row in totals.to_dicts()
    } == {(economies[number], code): value for (number, code), value in printed.items()}
    assert totals.height == len(printed) > 200


def test_what_stops_a_command_is_one_sentence(bring: Callable[..., LandingReport]) -> None:
    with pytest.raises(KidoError, match=r"a\.json is empty"):
        bring(("a.json", b"  "))


def test_two_pulls_that_differ_on_areas_are_refused(
    settings: Settings, bring: Callable[..., LandingReport]
) -> None:
    areas = Flow(JAPAN, 899, "M", "280530", "2024", 70.0, 4.0)
    with pytest.raises(ContradictionError, match="partner 899 in 2024"):
        bring(
            ("old.json", as_json([FROM_CHINA, areas])),
            ("new.json", as_json([FROM_CHINA, replace(areas, value=30.0), FROM_VIETNAM])),
        )
    assert not settings.home.exists()


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_order_of_the_files_of_a_command_does_not_matter(
    order: tuple[int, ...], bring: Callable[..., LandingReport]
) -> None:
    of_2023 = replace(FROM_CHINA, period="2023")
    files = [
        ("one year.json", as_json([FROM_CHINA])),
        ("other year.json", as_json([of_2023])),
        ("both.json", as_json([FROM_VIETNAM, replace(FROM_VIETNAM, period="2023")])),
    ]
    report = bring(*(files[at] for at in order))
    assert report.documents == ("both.json", "one year.json", "other year.json")
    assert report.rows == {"trade_flows": 4}


def test_checks_that_fail_and_do_not_block_are_shown_with_instrument_and_day(
    settings: Settings, tmp_path: Path
) -> None:
    """A Saturday, a session that is missing and a split, of days that no bundled figure is of."""
    closes = {"09-01": 100, "09-02": 101, "09-04": 50, "09-05": 50, "09-08": 50}
    file = tmp_path / "mine.csv"
    file.write_text(
        "instrument,date,index\n"
        + "".join(f"REMX,2026-{day},{close}\n" for day, close in closes.items())
    )
    report = land_files(settings, source_named("equity_indices"), [file])
    assert report.rows == {"price_quotes": 5}
    assert [warning.split(". ")[0] for warning in report.warnings] == [
        'the check "no close has the step of a split" failed: 1 of 5 rows, '
        "first REMX 2026-09-04: 0.495 times the close before",
        'the check "price date is a session of the exchange" failed: 1 of 5 rows, '
        "first REMX 2026-09-05 (XNYS)",
        'the check "no session is missing" failed: 1 of 5 rows, first REMX, '
        "1 session from 2026-09-03",
    ]
    assert [remark[:9] for remark in report.remarks()].count("Warning: ") == 3


# A clock that was ahead.


@pytest.fixture
def ahead(monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], None]:
    """Sets how far the clock of a landing is ahead."""

    def set_ahead(by: timedelta) -> None:
        class Clock(datetime):
            @classmethod
            def now(cls, tz: tzinfo | None = None) -> datetime:
                return datetime.now(tz) + by

        monkeypatch.setattr(landing_command, "datetime", Clock)

    return set_ahead


def kido(*arguments: str) -> None:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == 0, result.output


def test_a_file_of_a_clock_ahead_is_withdrawn_and_landed_again(
    settings: Settings,
    bring: Callable[..., LandingReport],
    ahead: Callable[[timedelta], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = ("japan.json", as_json([FROM_CHINA, FROM_ALL]))
    ahead(timedelta(days=365))
    assert bring(file).is_new
    assert "a clock was ahead" not in capsys.readouterr().out
    (future,) = snapshots(settings)
    ahead(timedelta(0))

    with pytest.raises(ConfigurationError, match="since a clock was ahead") as refused:
        bring(file)
    withdraw = f"kido withdraw {future.snapshot_id} --because 'the clock was ahead'"
    assert withdraw in refused.value.hint
    of_the_usa = replace(FROM_CHINA, reporter=USA)
    bring(("usa.json", as_json([of_the_usa, world_total([of_the_usa])])))
    assert withdraw in capsys.readouterr().out

    kido(*shlex.split(withdraw)[1:])
    assert bring(file).is_new
    assert not bring(file).is_new
    assert {snapshot.document for snapshot in snapshots(settings)} == {"japan.json", "usa.json"}
    assert max(snapshot.retrieved_at for snapshot in snapshots(settings)) < future.retrieved_at
    assert "a clock was ahead" not in capsys.readouterr().out


def test_what_was_withdrawn_for_its_figures_is_refused(
    settings: Settings, bring: Callable[..., LandingReport]
) -> None:
    file = ("japan.json", as_json([FROM_CHINA, FROM_ALL]))
    bring(file)
    (snapshot,) = snapshots(settings)
    kido("withdraw", snapshot.snapshot_id, "--because", "wrong")
    with pytest.raises(ConfigurationError, match="these bytes were withdrawn"):
        bring(file)
