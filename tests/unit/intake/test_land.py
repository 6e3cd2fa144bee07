"""Files somebody brings: what belongs together is one snapshot, what contradicts itself is not."""

from __future__ import annotations

import errno
import json
import os
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, datetime, timedelta
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
    KidoError,
    UpstreamFormatError,
)
from dagster_project.intake import conform as conforming
from dagster_project.intake.alone import alone
from dagster_project.intake.conform import conform
from dagster_project.intake.land import Brought, brought_in_words, land_bundled, land_files
from dagster_project.intake.stores import lake_of, landing_of
from dagster_project.lake.landing import Snapshot
from dagster_project.lake.schemas import CORRECTIONS, TRADE_FLOWS
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
def bring(settings: Settings, tmp_path: Path) -> Callable[..., Brought]:
    """Land files of these names and bytes in one command."""

    def land(
        *files: tuple[str, bytes], retrieved: date | None = None, replace_all: bool = False
    ) -> Brought:
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
    """How often each document of UN Comtrade was parsed."""
    calls: Counter[str] = Counter()
    parse = COMTRADE.parse

    def counted(payload: bytes, document: Document) -> Mapping[str, pl.DataFrame]:
        calls[document.name] += 1
        return parse(payload, document)

    monkeypatch.setattr(COMTRADE, "parse", counted)
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
    settings: Settings, bring: Callable[..., Brought], parsed: Counter[str]
) -> None:
    (taken,) = bring(("japan.json", as_json([FROM_CHINA, FROM_ALL]))).taken
    assert taken.is_new
    assert taken.rows == {"trade_flows": 2}
    assert conform(settings, COMTRADE).parsed == 0
    assert values(settings) == {"CHN": 700.0, "WLD": 1000.0}
    assert parsed == {"japan.json": 1}


def test_files_that_are_one_snapshot_are_parsed_once_each(
    bring: Callable[..., Brought], parsed: Counter[str]
) -> None:
    bring(
        ("china.json", as_json([FROM_CHINA])),
        ("vietnam.csv", as_csv([FROM_VIETNAM])),
        ("world.xlsx", as_xlsx([FROM_ALL])),
    )
    assert parsed == {"china.json": 1, "vietnam.csv": 1, "world.xlsx": 1}


def test_files_that_are_one_snapshot_are_parsed_again_when_a_word_of_any_of_them_changes(
    settings: Settings,
    bring: Callable[..., Brought],
    parsed: Counter[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bring(("china.json", as_json([FROM_CHINA])), ("world.json", as_json([FROM_ALL])))
    (record,) = lake_of(settings).records("comtrade").values()
    assert {"156", "0", "392"} <= set(record.words["economies.comtrade_code"]["keys"])
    assert record.words["commodity_codes"]["keys"] == ["280530"]
    # The rules look words up as well.
    assert {"CHN", "JPN", "WLD"} <= set(record.words["economies"]["keys"])
    parsed.clear()
    monkeypatch.setattr(conforming, "still_hold", lambda words: False)
    assert conform(settings, COMTRADE).parsed == 1
    assert values(settings) == {"CHN": 700.0, "WLD": 1000.0}


def test_areas_that_are_one_partner_here_are_summed_over_files_and_each_counted_once(
    settings: Settings, bring: Callable[..., Brought]
) -> None:
    """Areas not specified (899) and free zones (838) are both `_X`; 899 stands in both files."""
    areas = Flow(JAPAN, 899, "M", "280530", "2024", 40.0, 4.0)
    zones = as_json([replace(areas, value=5.0, weight=1.0)]).replace(b"899", b"838")
    brought = bring(
        ("one.json", as_json([FROM_CHINA, areas])),
        ("other.json", as_json([areas])),
        ("zones.json", zones),
    )
    (taken,) = brought.taken
    assert taken.documents == ("one.json", "other.json", "zones.json")
    assert values(settings) == {"CHN": 700.0, "_X": 45.0}


# What belongs together.


@needs_shared
def test_china_in_one_workbook_and_the_world_in_the_other_are_one_snapshot(
    settings: Settings,
) -> None:
    """Two downloads of UN Comtrade itself: each importer's rows from China, and its totals."""
    folder = SHARED / "data" / "comtrade_v1_sample"
    files = [folder / "comtrade_v1_china.xlsx", folder / "comtrade_v1_world.xlsx"]
    (taken,) = land_files(settings, COMTRADE, files).taken
    assert taken.documents == ("comtrade_v1_china.xlsx", "comtrade_v1_world.xlsx")
    (snapshot,) = snapshots(settings)
    assert [part.document for part in snapshot.parts] == list(taken.documents)
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


def test_files_that_contradict_each_other_stay_apart_and_the_one_named_later_counts(
    settings: Settings, bring: Callable[..., Brought]
) -> None:
    first = as_json([FROM_CHINA, FROM_ALL])
    revised = as_json([replace(FROM_CHINA, value=800.0), replace(FROM_ALL, value=1100.0)])
    brought = bring(("first.json", first), ("revised.json", revised))
    assert [taken.documents for taken in brought.taken] == [("first.json",), ("revised.json",)]
    assert len(snapshots(settings)) == 2
    assert values(settings) == {"CHN": 800.0, "WLD": 1100.0}


def test_the_other_way_round_the_other_one_counts(
    settings: Settings, bring: Callable[..., Brought]
) -> None:
    first = as_json([FROM_CHINA, FROM_ALL])
    revised = as_json([replace(FROM_CHINA, value=800.0), replace(FROM_ALL, value=1100.0)])
    bring(("revised.json", revised), ("first.json", first))
    assert values(settings) == {"CHN": 700.0, "WLD": 1000.0}


@pytest.mark.parametrize("place", range(3))
def test_a_file_that_fits_two_that_contradict_each_other_goes_with_the_later(
    place: int, settings: Settings, bring: Callable[..., Brought]
) -> None:
    files = [
        ("china.json", as_json([FROM_CHINA])),
        ("china revised.json", as_json([replace(FROM_CHINA, value=800.0)])),
    ]
    files.insert(place, ("world.json", as_json([FROM_ALL])))
    # One of the two lacks the world's total.
    brought = bring(*files, replace_all=True)
    together = [set(taken.documents) for taken in brought.taken if len(taken.documents) > 1]
    # Named between the two, it was with the first before the second came.
    partner = "china revised.json" if place == 2 else "china.json"
    assert together == [{"world.json", partner}]
    assert len(snapshots(settings)) == 2
    assert values(settings)["CHN"] == 800.0


def test_files_of_different_slices_lie_side_by_side(
    settings: Settings, bring: Callable[..., Brought]
) -> None:
    brought = bring(
        ("2023.json", as_json([replace(FROM_ALL, period="2023")])),
        ("2024.json", as_json([FROM_ALL])),
        ("exports.json", as_json([replace(FROM_ALL, flow="X")])),
    )
    assert len(brought.taken) == len(snapshots(settings)) == 3
    assert counting(settings).height == 3


def test_two_files_of_one_base_name_keep_their_bytes(
    settings: Settings, bring: Callable[..., Brought]
) -> None:
    china, world = as_json([FROM_CHINA]), as_json([FROM_ALL])
    (taken,) = bring(("one/data.json", china), ("two/data.json", world)).taken
    assert taken.documents == ("data.json", "data.json")
    (snapshot,) = snapshots(settings)
    assert set(landing_of(settings).payloads(snapshot)) == {china, world}
    assert len({part.file for part in snapshot.parts}) == 2
    assert values(settings) == {"CHN": 700.0, "WLD": 1000.0}


def test_two_files_of_one_base_name_that_contradict_each_other_are_two_vintages(
    settings: Settings, bring: Callable[..., Brought]
) -> None:
    bring(
        ("one/data.json", as_json([FROM_CHINA])),
        ("two/data.json", as_json([replace(FROM_CHINA, value=800.0)])),
    )
    assert len(snapshots(settings)) == 2
    assert values(settings) == {"CHN": 800.0}


# All or nothing, and nothing twice.


def test_one_bad_file_and_nothing_of_the_command_is_landed(
    settings: Settings, bring: Callable[..., Brought]
) -> None:
    with pytest.raises(UpstreamFormatError, match=r"bad\.json.*HTML"):
        bring(
            ("good.json", as_json([FROM_CHINA])),
            ("bad.json", b"<!DOCTYPE html><html><body>Maintenance</body></html>"),
        )
    assert not settings.home.exists()


def test_files_that_break_a_rule_only_together_are_not_landed(
    settings: Settings, bring: Callable[..., Brought]
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
    names: Sequence[str], settings: Settings, bring: Callable[..., Brought]
) -> None:
    payloads = {"china.json": as_json([FROM_CHINA]), "world.json": as_json([FROM_ALL])}
    files = [(name, payloads[name]) for name in names]
    assert [taken.is_new for taken in bring(*files).taken] == [True]
    before = {path: path.stat().st_mtime_ns for path in settings.home.rglob("*.parquet")}
    assert [taken.is_new for taken in bring(*files).taken] == [False]
    assert [taken.is_new for taken in bring(*reversed(files)).taken] == [False]
    assert len(snapshots(settings)) == 1
    assert {path: path.stat().st_mtime_ns for path in settings.home.rglob("*.parquet")} == before


def test_a_file_named_twice_or_under_two_names_is_landed_once(
    settings: Settings, bring: Callable[..., Brought]
) -> None:
    payload = as_json([FROM_CHINA, FROM_ALL])
    brought = bring(("a.json", payload), ("a.json", payload), ("copy of a.json", payload))
    assert [taken.is_new for taken in brought.taken] == [True, False, False]
    assert len(snapshots(settings)) == 1


def test_a_full_disk_at_any_write_leaves_nothing_of_the_command(
    settings: Settings, bring: Callable[..., Brought], monkeypatch: pytest.MonkeyPatch
) -> None:
    bring(("known.json", as_json([replace(FROM_CHINA, period="2022")])))
    before = tree(settings.home)
    # Two snapshots, and a row of the second that is quarantined.
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
            brought = bring(*command)
        except OSError:
            if len(snapshots(settings)) > 1:
                break
            assert tree(settings.home) == before
            stopped += 1
        else:
            break
    assert stopped > 8
    assert len(snapshots(settings)) == 3
    monkeypatch.undo()
    brought = bring(*command)
    assert [taken.is_new for taken in brought.taken] == [False, False]
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
    settings: Settings, bring: Callable[..., Brought], tmp_path: Path
) -> None:
    bring(("china.json", as_json([FROM_CHINA, FROM_ALL])))
    (known,) = snapshots(settings)
    file, text = tmp_path / "downloads" / "china.json", []
    with ThreadPoolExecutor() as pool:
        with alone(settings, "comtrade"):
            landing = pool.submit(land_files, settings, COMTRADE, [file], write=text.append)
            with pytest.raises(TimeoutError):
                landing.result(1.5)
            landing_of(settings).withdraw(known, by="ann", reason="a slip")
        with pytest.raises(ConfigurationError, match=r"these bytes were withdrawn .*a slip"):
            landing.result()
    assert text == ["comtrade: waiting for another run that asks or lands it."]
    assert snapshots(settings) == []


def test_the_day_of_a_vintage_is_kept(settings: Settings, bring: Callable[..., Brought]) -> None:
    payload = as_json([FROM_CHINA, FROM_ALL])
    bring(("a.json", payload), retrieved=date(2025, 3, 1))
    assert set(counting(settings)["vintage_at"]) == {datetime(2025, 3, 1)}
    assert not bring(("a.json", payload)).taken[0].is_new
    assert not bring(("a.json", payload), retrieved=date(2025, 3, 1)).taken[0].is_new
    with pytest.raises(ConfigurationError, match="landed already, as retrieved on 2025-03-01"):
        bring(("a.json", payload), retrieved=date(2025, 3, 2))
    with pytest.raises(ConfigurationError, match="is after today"):
        bring(("a.json", payload), retrieved=date.today() + timedelta(days=2))
    assert set(counting(settings)["vintage_at"]) == {datetime(2025, 3, 1)}


def test_another_day_for_one_of_the_files_lands_none_of_them(
    settings: Settings, bring: Callable[..., Brought]
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

    def rejects(payload: bytes, document: Document) -> Mapping[str, pl.DataFrame]:
        if document.name.startswith("old"):
            raise UpstreamFormatError("comtrade: read otherwise now.")
        return parse(payload, document)

    monkeypatch.setattr(COMTRADE, "parse", rejects)
    monkeypatch.setattr(conforming, "parser_version", lambda source: "another")


def test_an_earlier_document_that_is_rejected_meanwhile_is_not_lost_from_sight(
    settings: Settings, bring: Callable[..., Brought], request: pytest.FixtureRequest
) -> None:
    bring(("old.json", as_json([replace(FROM_ALL, period="2023")])))
    request.getfixturevalue("stricter")
    brought = bring(("new.json", as_json([FROM_ALL])))
    assert brought.taken[0].is_new
    assert set(brought.others.rejected) == {"old.json"}
    assert "read otherwise now" in brought.others.rejected["old.json"]
    (reason,) = settings.quarantine_dir.rglob("reason.txt")
    assert "old.json" in reason.read_text()
    assert [snapshot.document for snapshot in snapshots(settings)] == ["new.json"]


def test_the_command_reports_it_and_ends_with_exit_code_1(
    bring: Callable[..., Brought], request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    bring(("old.json", as_json([replace(FROM_ALL, period="2023")])))
    request.getfixturevalue("stricter")
    new = tmp_path / "new.json"
    new.write_bytes(as_json([FROM_ALL]))
    result = CliRunner().invoke(app, ["land", "comtrade", str(new)])
    assert result.exit_code == 1
    assert "new.json: taken, 1 row of trade_flows." in result.output
    assert "An earlier document can no longer be used and is quarantined" in result.output
    assert "old.json: read otherwise now." in result.output


def test_the_command_reports_what_was_landed_together(tmp_path: Path, settings: Settings) -> None:
    names = ("china.json", "world.json")
    for name, flow in zip(names, (FROM_CHINA, FROM_ALL), strict=True):
        (tmp_path / name).write_bytes(as_json([flow]))
    paths = [str(tmp_path / name) for name in names]
    result = CliRunner().invoke(app, ["land", "comtrade", *paths])
    assert result.exit_code == 0
    assert result.output == "china.json + world.json: taken together, 2 rows of trade_flows.\n"
    result = CliRunner().invoke(app, ["land", "comtrade", *paths])
    assert (
        result.output == "china.json + world.json: nothing new together, 2 rows of trade_flows.\n"
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
        "3117326 was wrong; it is left as it is."
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
    bring: Callable[..., Brought],
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
    is_shuffled: bool, settings: Settings, bring: Callable[..., Brought]
) -> None:
    file = SHARED / "data" / "comtrade_raw" / "comtrade_2024.csv.gz"
    raw = pl.read_csv(file, schema_overrides={"cmd": pl.String}).filter(
        pl.col("cmd").is_in(["850511", "280530", "284690", "250410", "811292"])
    )
    numbers = economy_by("comtrade_code").among(raw["partner"].cast(pl.String).unique())
    unknown = [int(number) for number, iso3 in numbers.items() if iso3 == "_X" and number != "899"]
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


def test_what_stops_a_command_is_one_sentence(bring: Callable[..., Brought]) -> None:
    with pytest.raises(KidoError, match=r"a\.json is empty"):
        bring(("a.json", b"  "))


def test_two_pulls_that_differ_on_areas_are_apart_and_the_one_named_later_counts(
    settings: Settings, bring: Callable[..., Brought]
) -> None:
    areas = Flow(JAPAN, 899, "M", "280530", "2024", 70.0, 4.0)
    revised = replace(areas, value=30.0)
    brought = bring(
        ("old.json", as_json([FROM_CHINA, areas])),
        ("new.json", as_json([FROM_CHINA, revised, FROM_VIETNAM])),
    )
    assert [taken.documents for taken in brought.taken] == [("old.json",), ("new.json",)]
    assert landing_of(settings).snapshots("comtrade")[-1].document == "new.json"


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_file_that_shares_slices_with_two_others_joins_them(
    order: tuple[int, ...], bring: Callable[..., Brought]
) -> None:
    of_2023 = replace(FROM_CHINA, period="2023")
    files = [
        ("one year.json", as_json([FROM_CHINA])),
        ("other year.json", as_json([of_2023])),
        ("both.json", as_json([FROM_VIETNAM, replace(FROM_VIETNAM, period="2023")])),
    ]
    (taken,) = bring(*(files[at] for at in order)).taken
    assert taken.documents == ("both.json", "one year.json", "other year.json")
    assert taken.rows == {"trade_flows": 4}


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
    (taken,) = land_files(settings, source_named("equity_indices"), [file]).taken
    assert taken.rows == {"price_quotes": 5}
    assert [warning.split(". ")[0] for warning in taken.warnings] == [
        "no close has the step of a split does not hold: 1 of 5 rows, "
        "first REMX 2026-09-04: 0.495 times the close before",
        "price date is a session of the exchange does not hold: 1 of 5 rows, "
        "first REMX 2026-09-05 (XNYS)",
        "no session is missing does not hold: 1 of 5 rows, first REMX, 1 session from 2026-09-03",
    ]
    shown = "\n".join(brought_in_words(Brought((taken,))))
    assert shown.count("  Warning: ") == 3
