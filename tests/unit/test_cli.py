"""What every command has in common: help, versions, completion, widths, and output for programs."""

from __future__ import annotations

import inspect
import json
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import fields
from datetime import date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import typer
from rich.cells import cell_len
from typer.testing import CliRunner, Result

from dagster_project import cli
from dagster_project.cli import app
from dagster_project.errors import ConfigurationError
from dagster_project.intake.conform import conform
from dagster_project.intake.land import land_bundled
from dagster_project.intake.withdraw import withdraw
from dagster_project.orchestration import overview
from dagster_project.orchestration.overview import ReleaseState
from dagster_project.serving.publication import CONTRACT_VERSION, Release
from dagster_project.serving.tables import TableEntry
from dagster_project.settings import Settings
from dagster_project.sources.registry import all_sources, source_named
from tests.conftest import CHECKOUT
from tests.unit.serving.published import publish

COMMANDS = sorted(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
SOURCES = ("china_customs_reported", "equity_indices")


def kido(home: Path, *arguments: str, columns: int | None = None, **settings: str) -> Result:
    environment = {"KIDO_HOME": str(home), "COLUMNS": columns and str(columns), **settings}
    result = CliRunner().invoke(app, arguments, env=environment)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sources are landed, the one with the longest name among them; one snapshot withdrawn."""
    folder = tmp_path_factory.mktemp("home")
    settings = Settings.load(home=folder)
    for name in SOURCES:
        source = source_named(name)
        new = land_bundled(settings, source).new
        conform(settings, source)
    withdraw(settings, all_sources(), new[0].snapshot_id, "a slip", lambda _: None)
    return folder


@pytest.mark.parametrize("command", [None, *COMMANDS])
def test_help_is_there_by_its_short_name(command: str | None) -> None:
    words = [command] if command else []
    short = CliRunner().invoke(app, [*words, "-h"])
    assert short.exit_code == 0
    assert "Usage:" in short.output
    assert short.output == CliRunner().invoke(app, [*words, "--help"]).output


def test_the_version_is_that_of_the_code_and_of_the_contract() -> None:
    result = CliRunner().invoke(app, ["--version"])
    assert result.exit_code == 0
    assert re.fullmatch(
        rf"kido \d+\.\d+\.\d+(\+[0-9a-f]+)?, contract {re.escape(CONTRACT_VERSION)}\n",
        result.output,
    )


@pytest.mark.parametrize(
    ("typed", "completions"),
    [
        ("kido des", ["describe"]),
        ("kido fetch com", ["comexstat", "comext", "comtrade", "comtrade_baskets"]),
        ("kido describe refer", ["reference.economies"]),
        ("kido describe reference.", ["reference.economies"]),
        ("kido describe econ", ["economies"]),
        ("kido trace dependency.supplier_shares_", ["dependency.supplier_shares_named"]),
    ],
)
def test_a_shell_completes_commands_sources_and_tables(
    tmp_path: Path, typed: str, completions: list[str]
) -> None:
    publish(tmp_path)
    result = subprocess.run(
        [str(Path(sys.executable).with_name("kido"))],
        cwd=CHECKOUT,
        env={
            **os.environ, "_KIDO_COMPLETE": "complete_bash", "COMP_WORDS": typed,
            "COMP_CWORD": str(typed.count(" ")), "KIDO_HOME": str(tmp_path),
        },
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert result.stdout.split() == completions
    assert "--install-completion" in CliRunner().invoke(app, ["--help"]).output


def documented_keys(command: str) -> list[str]:
    """The keys that the help of a command lists."""
    callback = typer.main.get_command(app).commands[command].callback  # type: ignore[attr-defined]
    text = " ".join((inspect.getdoc(callback) or "").partition("--json: ")[2].split())
    return re.sub(r" \([^)]*\)", "", text).rstrip(".").split(", ")


def test_sources_for_programs_have_the_documented_keys(home: Path) -> None:
    found = json.loads(kido(home, "sources", "--json").stdout)
    assert [row["source"] for row in found] == sorted(all_sources())
    assert all(list(row) == documented_keys("sources") for row in found)
    state = {row["source"]: row for row in found}
    reported = state["china_customs_reported"]
    assert (reported["figures"], reported["latest_period"]) == (["bundled"], "2026-03-01")
    assert (reported["can_be_fetched"], reported["due_periods"]) == (False, None)
    assert (state["ecb"]["last_vintage"], state["ecb"]["latest_period"]) == (None, None)
    assert (state["ecb"]["is_due"], state["ecb"]["due_periods"]) == (True, 0)
    comtrade = state["comtrade"]
    assert (comtrade["needs_key"], comtrade["figures"]) == (True, [])
    assert comtrade["due_periods"] > 0
    assert comtrade["not_asked"] == "needs a key: KIDO_COMTRADE_KEY"
    assert state["baci"]["not_asked"] == "only by name: kido fetch baci"
    assert state["yahoo"]["not_asked"] == ("its terms need your consent: KIDO_YAHOO_ENABLED=true")
    assert (state["ecb"]["not_asked"], reported["not_asked"]) == (None, None)


def test_a_source_that_is_enabled_wrongly_is_named_and_hides_no_other(home: Path) -> None:
    found = json.loads(kido(home, "sources", "--json", KIDO_BACI_ENABLED="true").stdout)
    state = {row["source"]: row for row in found}
    assert state.keys() == all_sources().keys()
    assert state["baci"]["not_asked"].startswith("KIDO_BACI_ENABLED: no build fetches baci")


def test_landed_for_programs_has_the_documented_keys(home: Path) -> None:
    found = json.loads(kido(home, "landed", "--json").stdout)
    assert all(list(row) == documented_keys("landed") for row in found)
    [used] = [row for row in found if row["source"] == "china_customs_reported"]
    [table] = used["tables"]
    assert table == {
        "table_name": "trade_flows", "rows": 80, "counting": 80, "first_period": "2022-11-01",
        "last_period": "2026-03-01",
    }  # fmt: skip
    assert (used["way"], used["is_withdrawn"], used["withdrawn_at"]) == ("bundled", False, None)
    assert datetime.fromisoformat(used["landed_at"]).utcoffset() is not None
    [withdrawn] = [row for row in found if row["is_withdrawn"]]
    assert withdrawn["source"] == "equity_indices"
    assert withdrawn["withdrawn_because"] == "a slip"
    assert {one["counting"] for one in withdrawn["tables"]} == {0}
    assert json.loads(kido(home, "landed", "ecb", "--json").stdout) == []


def test_tables_for_programs_are_documented_by_the_keys_of_the_catalog() -> None:
    assert [field.name for field in fields(TableEntry)] == documented_keys("tables")


RELEASE = Release(
    release_id="20261125T000000-abc123", published_at=datetime(2026, 11, 25, 0, 0, 40),
    as_of=date(2026, 11, 25), contract_version="2.0", code_version="0.1.0+1a2b3c4",
    duckdb_version="2.0.1",
)  # fmt: skip
ACCEPTED = RELEASE.model_copy(
    update={
        "release_id": "20261126T000000-def456", "accepted_at": datetime(2026, 11, 26, 1),
        "accepted_losses": "trade.baci_flows loses the year 1995.",
    }
)  # fmt: skip
BLOCKED = SimpleNamespace(
    release=RELEASE.model_copy(update={"release_id": "20261127T000000-fed789"}),
    blocked_for="market.prices loses 9 of 53 instruments.",
)


@pytest.fixture
def releases(monkeypatch: pytest.MonkeyPatch) -> None:
    """A release, one that was accepted and is read, and a blocked build."""
    monkeypatch.setattr(overview, "published_releases", lambda _: [RELEASE, ACCEPTED])
    monkeypatch.setattr(overview, "current_release", lambda _: ACCEPTED)
    monkeypatch.setattr(overview, "is_kept", lambda _, name: name == ACCEPTED.release_id)
    monkeypatch.setattr(overview, "blocked_builds", lambda _: [BLOCKED])


@pytest.mark.usefixtures("releases")
def test_releases_for_programs_have_the_documented_keys(tmp_path: Path) -> None:
    first, accepted, blocked = json.loads(kido(tmp_path, "releases", "--json").stdout)
    assert list(first) == documented_keys("releases")
    assert [field.name for field in fields(ReleaseState)] == list(first)
    assert first == {
        "release_id": "20261125T000000-abc123", "published_at": "2026-11-25T00:00:40Z",
        "as_of": "2026-11-25", "code_version": "0.1.0+1a2b3c4", "contract_version": "2.0",
        "duckdb_version": "2.0.1", "is_current": False, "is_kept": False, "is_held": False,
        "held_for": None, "accepted_at": None, "accepted_losses": None,
    }  # fmt: skip
    assert (accepted["is_current"], accepted["is_kept"]) == (True, True)
    assert accepted["accepted_losses"] == "trade.baci_flows loses the year 1995."
    assert (blocked["is_held"], blocked["published_at"]) == (True, None)
    assert blocked["held_for"] == "market.prices loses 9 of 53 instruments."


@pytest.mark.usefixtures("releases")
def test_releases_name_the_current_the_accepted_and_the_blocked(tmp_path: Path) -> None:
    lines = kido(tmp_path, "releases").stdout.splitlines()
    assert "◀ current" in lines[2]
    assert "blocked" in lines[3]
    assert lines[4:] == [
        "",
        "20261126T000000-def456 was accepted on 2026-11-26: trade.baci_flows loses the year 1995.",
        "",
        "20261127T000000-fed789 is blocked: market.prices loses 9 of 53 instruments.",
    ]


@pytest.mark.usefixtures("releases")
@pytest.mark.parametrize("columns", [80, 120, 200])
@pytest.mark.parametrize("command", ["sources", "releases", "landed"])
def test_a_list_fits_the_terminal(home: Path, command: str, columns: int) -> None:
    result = kido(home, command, columns=columns)
    assert result.stdout
    assert [line for line in result.output.splitlines() if cell_len(line) > columns] == []
    whole = set(kido(home, command).stdout.split())
    assert set(result.stdout.split()) <= whole, "a word is torn"


def test_sources_name_what_80_columns_leave_out_and_a_pipe_has_all_of_it(home: Path) -> None:
    narrow, piped = kido(home, "sources", columns=80), kido(home, "sources")
    assert " ".join(narrow.stderr.split()) == (
        "Left out, as they do not fit: figures, due, last vintage, needs, last answer, licence. "
        "A pipe has all of it. "
        f"yahoo: {all_sources()['yahoo'].CARD.licence}."
    )
    assert narrow.stdout.splitlines()[0].split("  ")[0] == "source"
    header, *rows = piped.stdout.splitlines()
    assert header.endswith("licence")
    assert len(rows) == len(all_sources())
    assert piped.stderr == ""


@pytest.mark.parametrize("command", [["answers"], ["measures"], ["picture", "markets.svg"]])
def test_a_misspelt_economy_names_the_argument_and_what_is_near(
    home: Path, command: list[str]
) -> None:
    with pytest.raises(ConfigurationError) as error:
        kido(home, *command, "Jpan")
    assert str(error.value) == (
        "IMPORTER: 'Jpan' is not the code or the name of an economy; "
        "the nearest are JPN (Japan) and PAN (Panama)."
    )


def test_an_error_wraps_between_words(home: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "dagster_project.cli", "query", "from suplier_shares"],
        cwd=CHECKOUT,
        env={**os.environ, "KIDO_HOME": str(home / "nowhere"), "COLUMNS": "60"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    lines = result.stderr.splitlines()
    sentence = f"kido: {home / 'nowhere' / 'kido.duckdb'} does not exist yet. Run kido build."
    assert len(lines) > 1
    assert " ".join(lines) == sentence


def test_an_error_that_nobody_foresaw_is_a_sentence_and_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken() -> None:
        raise ZeroDivisionError("of a library")

    monkeypatch.setattr(cli, "app", broken)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 1
    (file,) = tmp_path.iterdir()
    assert " ".join(capsys.readouterr().err.split()) == (
        "kido: This is an error in Kido (ZeroDivisionError: of a library). "
        f"Please report it with its traceback, {file}."
    )
    lines = file.read_text("utf8").splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[-1] == "ZeroDivisionError: of a library"
    assert file.stat().st_mode & 0o077 == 0


def test_without_a_temporary_folder_its_traceback_is_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken() -> None:
        raise ZeroDivisionError("of a library")

    monkeypatch.setattr(cli, "app", broken)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    with pytest.raises(SystemExit):
        cli.main()
    output = capsys.readouterr().err
    assert output.startswith("Traceback (most recent call last):")
    assert output.endswith("Please report it with its traceback.\n")


def test_a_line_of_a_report_wraps_below_its_indent(capsys: Any, monkeypatch: Any) -> None:
    from dagster_project.serving.terminal import note, print_line

    monkeypatch.setenv("COLUMNS", "24")
    print_line("  [1/1] history.zip: no answer at all")
    note("  [1/1] history.zip: no answer at all")
    out, err = capsys.readouterr()
    assert out == err == "  [1/1] history.zip: no\n  answer at all\n"
