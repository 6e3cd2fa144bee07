"""Quarantined rows and documents, read again after a person has added what was missing."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import Result
from typer.testing import CliRunner

from dagster_project.cli import app
from dagster_project.errors import BatchRejectedError, ConfigurationError
from dagster_project.intake import batch as batches
from dagster_project.intake import conform as conforming
from dagster_project.intake import replay as replaying
from dagster_project.intake.clean import clean_quarantine
from dagster_project.intake.conform import ConformReport, conform, is_conformed
from dagster_project.intake.land import land_files
from dagster_project.intake.replay import quarantined, replay, rows_of
from dagster_project.intake.stores import lake_of, landing_of
from dagster_project.lake.schemas import NATIONAL_TRADE
from dagster_project.lake.tables import Lake, Record, TableRecord
from dagster_project.quality.quarantine import read_quarantine
from dagster_project.settings import Settings
from dagster_project.sources.registry import source_named
from tests import other_lists
from tests.conftest import made_once
from tests.fakes.japan_customs import FakeJapanCustoms, Line, csv_of

JAPAN = source_named("japan_customs")
RULE = "partner_code_is_in_the_list"
NEW = "999"
"""A code of a country that no list has; in these tests Tuvalu gets it."""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.load(home=tmp_path / "home")


@pytest.fixture
def forget(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    yield
    monkeypatch.undo()
    other_lists.forget_lists()


@pytest.fixture(scope="session")
def quarantined_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty lines of China, and two months of a country that is in no list."""

    def make(folder: Path) -> None:
        files = files_with_a_new_country(folder)
        land_files(Settings.load(home=folder / "home"), JAPAN, files, date(2026, 10, 1))

    return made_once(tmp_path_factory, "a country in no list", make) / "home"


@pytest.fixture
def landed(quarantined_home: Path, settings: Settings) -> Settings:
    shutil.copytree(quarantined_home, settings.home)
    return settings


def files_with_a_new_country(folder: Path) -> list[Path]:
    amounts = {1: (0, 1000, 1000), 2: (0, 2000, 2500)}
    lines = [Line(f"2805300{code}", "105", amounts) for code in range(10, 70)]
    lines.append(Line("280530010", NEW, {1: (0, 7, 77), 2: (0, 8, 88)}))
    server = FakeJapanCustoms()
    server.publish("import", 2026, {1: "確報", 2: "確報"}, lines)
    page, figures = folder / "page.html", folder / "figures.csv"
    page.write_bytes(server._month_page("import", 2026, server.years["import", 2026]).encode())
    figures.write_bytes(csv_of("import", 2026, lines))
    return [page, figures]


@pytest.fixture
def tuvalu(landed: Settings, forget: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The code is of Tuvalu from now on."""
    file = landed.home.parent / "economies.csv"
    other_lists.economies_with(file, "japan_customs_code", NEW, "TUV")
    other_lists.use_economies(file, monkeypatch.setattr)


def yen_by_partner(settings: Settings) -> dict[str, float]:
    rows = lake_of(settings).rows(NATIONAL_TRADE, "japan_customs")
    assert rows is not None
    by_partner = rows.group_by("partner_iso3").agg(pl.col("value_local").sum()).collect()
    return dict(by_partner.rows())


def test_what_is_quarantined_is_listed_by_source_table_and_rule(landed: Settings) -> None:
    (entry,) = quarantined(landed, [JAPAN, source_named("ecb")])
    (snapshot,) = landing_of(landed).snapshots("japan_customs")
    assert (entry.source, entry.table_name, entry.rule, entry.rows, entry.name) == (
        "japan_customs", "national_trade", RULE, 2, snapshot.snapshot_id,
    )  # fmt: skip
    assert entry.since.startswith(f"{snapshot.landed_at:%Y-%m-%dT%H:%M}")
    rows = rows_of(landed, JAPAN, RULE)
    assert rows["value"].to_list() == [NEW, NEW]
    assert rows["explanation"].str.contains("economy").all()


def test_the_share_of_a_source_that_is_quarantined_counts_all_its_rows(landed: Settings) -> None:
    assert conform(landed, JAPAN).share_quarantined("national_trade") == 2 / 122


def test_the_share_of_a_new_snapshot_is_not_hidden_by_known_rows() -> None:
    def record(rows: int, quarantined: int) -> Record:
        part = TableRecord(rows=rows, quarantined=quarantined, suite_version="1", checks=[])
        return Record(parser_version="1", tables={"national_trade": part})

    report = ConformReport()
    report.add(record(11_000_000, 0), ["national_trade"])
    report.add(record(2_853, 147), ["national_trade"])
    assert report.share_quarantined("national_trade") == 147 / 3_000
    report.add(record(290, 9), ["national_trade"])  # misprints
    assert report.share_quarantined("national_trade") < 0.001


def test_a_rule_that_is_misspelt_is_refused_with_the_nearest(landed: Settings) -> None:
    with pytest.raises(ConfigurationError, match=f"Did you mean {RULE}"):
        rows_of(landed, JAPAN, "partner_code_is_in_list")


@pytest.mark.usefixtures("tuvalu")
@pytest.mark.parametrize("rule", ["", RULE])
def test_rows_of_a_country_that_was_added_enter_in_their_own_vintage(
    landed: Settings, rule: str
) -> None:
    before, lines = yen_by_partner(landed), list[str]()
    assert replay(landed, JAPAN, rule, lines.append)
    assert yen_by_partner(landed) == {**before, "TUV": 165_000.0}
    rows = lake_of(landed).rows(NATIONAL_TRADE, "japan_customs")
    assert rows is not None
    tuvalu = rows.filter(pl.col("partner_iso3") == "TUV").collect()
    (snapshot,) = landing_of(landed).snapshots("japan_customs")
    assert set(tuvalu["snapshot_id"]) == {snapshot.snapshot_id}
    assert {at.date() for at in tuvalu["vintage_at"]} == {date(2026, 10, 1)}
    assert read_quarantine(landed.quarantine_dir).is_empty()
    assert lines == [
        "japan_customs: national_trade: 2 quarantined rows read again, 2 accepted, 0 still "
        "quarantined."
    ]
    assert is_conformed(landed, JAPAN)


def test_without_a_change_the_rows_stay_quarantined(landed: Settings) -> None:
    before, lines = yen_by_partner(landed), list[str]()
    assert not replay(landed, JAPAN, "", lines.append)
    assert lines == [
        "japan_customs: national_trade: 2 quarantined rows read again, 0 accepted, 2 still "
        "quarantined."
    ]
    assert yen_by_partner(landed) == before


@pytest.mark.usefixtures("tuvalu")
@pytest.mark.parametrize("place", ["quarantine", "lake"])
def test_a_replay_that_was_killed_loses_no_row(
    landed: Settings, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed before it writes the one, and after: the next build makes both agree."""
    monkeypatch.setattr(conforming, "_is_current", lambda *given: True)  # the day alone has changed

    def killed(*given: Any, **named: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        if place == "lake":
            patched.setattr(Lake, "write", killed)
        else:
            patched.setattr(conforming, "write_quarantine", killed)
        with pytest.raises(KeyboardInterrupt):
            replay(landed, JAPAN)
    if place == "quarantine":
        assert replay(landed, JAPAN, "", list[str]().append)
    else:
        assert not is_conformed(landed, JAPAN)
        conform(landed, JAPAN)
    assert yen_by_partner(landed)["TUV"] == 165_000.0
    assert read_quarantine(landed.quarantine_dir).is_empty()
    assert is_conformed(landed, JAPAN)


def test_a_lost_or_damaged_quarantine_is_made_again(landed: Settings) -> None:
    for damage in (b"", b"PAR1 of something else"):
        (file,) = landed.quarantine_dir.rglob("*.parquet")
        file.write_bytes(damage)
        conform(landed, JAPAN)
        assert read_quarantine(landed.quarantine_dir)["value"].to_list() == [NEW, NEW]
    file.unlink()
    assert not is_conformed(landed, JAPAN)
    conform(landed, JAPAN)
    assert read_quarantine(landed.quarantine_dir)["value"].to_list() == [NEW, NEW]


@pytest.fixture
def rejected(landed: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The document can no longer be read, as after a slip in its module."""
    with monkeypatch.context() as patched:
        for module in (conforming, batches):
            patched.setattr(module, "parser_version", lambda source: "with a slip")
        patched.setattr(batches, "_merge", _slip)
        assert conform(landed, JAPAN).rejected
    return landed


def _slip(*given: Any, **named: Any) -> Any:
    raise ValueError("a slip in the module")


def test_a_document_that_was_rejected_is_used_again_once_it_can_be(rejected: Settings) -> None:
    lake = lake_of(rejected)
    assert lake.rows(NATIONAL_TRADE, "japan_customs") is None
    (entry,) = quarantined(rejected, [JAPAN])
    assert (entry.table_name, entry.rule, entry.can_be_replayed) == ("", "", True)
    assert "a slip in the module" in entry.reason
    lines: list[str] = []
    assert replay(rejected, JAPAN, "", lines.append)
    assert any(line.endswith("is used again.") for line in lines)
    (snapshot,) = landing_of(rejected).snapshots("japan_customs")
    assert snapshot.retrieved_at.date() == date(2026, 10, 1)
    assert yen_by_partner(rejected)["CHN"] == 60 * 3_500_000.0
    assert [entry.rule for entry in quarantined(rejected, [JAPAN])] == [RULE]


def test_a_rejected_document_whose_bytes_changed_stays_where_it_is(rejected: Settings) -> None:
    (file,) = rejected.quarantine_dir.rglob("*figures.csv")
    file.write_bytes(file.read_bytes() + b"x")
    lines: list[str] = []
    assert not replay(rejected, JAPAN, "", lines.append)
    assert any("is missing or was changed" in line for line in lines)
    assert landing_of(rejected).snapshots("japan_customs") == []
    assert len(list(quarantined(rejected, [JAPAN]))) == 1


def test_an_answer_that_was_never_landed_is_named_with_what_to_do(settings: Settings) -> None:
    folder = settings.quarantine_dir / "japan_customs" / "answer-of-2026"
    folder.mkdir(parents=True)
    (folder / "reason.txt").write_text("an HTML page where CSV was expected\n")
    (entry,) = quarantined(settings, [JAPAN])
    assert not entry.can_be_replayed
    lines: list[str] = []
    assert not replay(settings, JAPAN, "", lines.append)
    assert any("kido fetch japan_customs" in line for line in lines)


def test_nothing_quarantined_is_said_and_changes_nothing(settings: Settings) -> None:
    lines: list[str] = []
    assert not replaying.replay(settings, JAPAN, "", lines.append)
    assert lines == ["japan_customs: nothing is quarantined."]


def kido(settings: Settings, *arguments: str) -> Result:
    environment = {"KIDO_HOME": str(settings.home)}
    return CliRunner().invoke(app, ["quarantine", *arguments], env=environment)


def test_the_command_lists_shows_and_limits(landed: Settings) -> None:
    listed = kido(landed).stdout
    assert all(word in listed for word in ("japan_customs", "national_trade", RULE))
    shown = kido(landed, "japan_customs", "--limit", "1").stdout
    assert shown.count("partner_code_is_in_the_list") == 1
    assert "1 more rows; --limit 0 prints all." in shown
    assert "more rows" not in kido(landed, "japan_customs", "--limit", "0").stdout


def test_programs_get_keys_of_the_help(landed: Settings, settings: Settings) -> None:
    (entry,) = json.loads(kido(landed, "--json").stdout)
    rows = json.loads(kido(landed, "japan_customs", "--json").stdout)
    help_text = " ".join(CliRunner().invoke(app, ["quarantine", "-h"]).output.split())
    assert ", ".join(rows[0]) in help_text
    assert all(key in help_text for key in entry)


@pytest.mark.parametrize("arguments", [("--rule", RULE), ("replay",), ("ecb", "wgi")])
def test_a_command_without_its_source_is_refused(
    settings: Settings, arguments: tuple[str, ...]
) -> None:
    assert isinstance(kido(settings, *arguments).exception, ConfigurationError)


def test_a_replay_that_loses_rows_says_so_and_ends_with_an_error(
    landed: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines: list[str] = []
    with monkeypatch.context() as patched:
        patched.setattr(batches, "_merge", _slip)
        with pytest.raises(BatchRejectedError, match="had rows in the lake and has none now"):
            replay(landed, JAPAN, "", lines.append)
    assert any("a slip in the module" in line for line in lines)
    assert replay(landed, JAPAN, "", lines.append)
    assert yen_by_partner(landed)["CHN"] == 60 * 3_500_000.0


def test_kido_clean_keeps_what_is_quarantined_of_landed_snapshots(landed: Settings) -> None:
    """Without it the snapshot would be read again by each build after a cleaning."""
    years_ago = time.time() - 1000 * 24 * 3600
    for path in landed.quarantine_dir.rglob("*"):
        os.utime(path, (years_ago, years_ago))
    (old,) = clean_quarantine(landed, {JAPAN.CARD.name: JAPAN}, set(), dry_run=False)
    assert old.kept_because == "its snapshot is landed"
    assert is_conformed(landed, JAPAN)
