"""The output of `kido fetch`, and its exit code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dagster_project.cli import app
from dagster_project.errors import ConfigurationError, UpstreamFormatError
from dagster_project.intake import conform as conforming
from dagster_project.intake import fetch as fetching
from dagster_project.intake.command import fetch_and_report
from dagster_project.intake.land import land_files
from dagster_project.lake.scope import CommodityScope
from dagster_project.settings import Settings
from dagster_project.sources.card import Document
from dagster_project.sources.registry import source_named
from tests.fakes.comtrade import FakeComtrade, as_json, flows_for
from tests.fakes.ecb import FakeEcb
from tests.fakes.server import maintenance_page

COMTRADE = source_named("comtrade")
CODES = ("280530", "284610", "284690", "811292")
MONTHS = [f"2024{month:02}" for month in range(1, 13)]


@dataclass
class Said:
    """Runs the command and keeps its lines."""

    lines: list[str] = field(default_factory=list)
    source: str = "comtrade"

    def __call__(self, **options: object) -> int:
        self.lines = []
        return fetch_and_report(
            Settings.load(),
            source_named(self.source),
            write=self.lines.append,
            **options,  # type: ignore[arg-type]
        )

    @property
    def last(self) -> str:
        return self.lines[-1]


@pytest.fixture
def comtrade(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeComtrade]:
    world = flows_for([392, 842], [156, 704, 699], CODES, ["2022", "2023", "2024", *MONTHS], gaps=0)
    scope_of = fetching.scope_of
    monkeypatch.setattr(
        fetching, "scope_of", lambda *given: replace(scope_of(*given), commodity_codes=CODES)
    )
    with FakeComtrade(world, key="secret") as server:
        for name, value in {
            "HOME": str(tmp_path / "home"),
            "COMTRADE_URL": server.root,
            "COMTRADE_KEY": "secret",
            "COMTRADE_REPORTERS": "JPN,USA",
            "COMTRADE_CALLS_PER_MINUTE": "60000",
            # A period is an extract of one call.
            "COMTRADE_ROWS_PER_CALL": "500",
        }.items():
            monkeypatch.setenv(f"KIDO_{name}", value)
        yield server


@pytest.fixture
def say(comtrade: FakeComtrade) -> Said:
    return Said()


# What came of it.


def test_each_window_is_reported_with_what_came_of_it_and_at_the_end_the_sum(say: Said) -> None:
    assert say(first="2021", last="2023", frequency="A") == 0
    rows = re.search(r"2022: new, (\d+) rows", say.lines[2])
    assert rows is not None
    assert say.lines == [
        "comtrade: 3 windows, 3 calls, more where an answer is cut.",
        "  [1/3] 2021: empty, nothing is published",
        f"  [2/3] 2022: new, {rows[1]} rows",
        say.lines[3],
        "comtrade: 2 new, 1 empty, with 3 calls.",
    ]
    assert say.lines[3].startswith("  [3/3] 2023: new, ")
    # Two reporters, four codes, imports and exports, one to three partners and the total.
    assert 2 * 4 * 2 * 2 <= int(rows[1]) <= 2 * 4 * 2 * 4


def test_what_was_answered_is_not_asked_again_unless_it_is_wanted(
    say: Said, comtrade: FakeComtrade
) -> None:
    # Years that are no longer revised: they are due to nobody.
    wanted = {"first": "2010", "last": "2011", "frequency": "A"}
    assert say(**wanted) == 0
    asked = len(comtrade.requests)
    assert say(**wanted) == 0
    assert say.lines == [
        "comtrade: nothing to request; all of it was answered before (--again repeats)."
    ]
    assert len(comtrade.requests) == asked
    assert say(**wanted, again=True) == 0
    assert say.last == "comtrade: 2 unchanged, with 2 calls."


def test_a_year_brings_its_months_along_and_a_month_no_year(
    say: Said, comtrade: FakeComtrade
) -> None:
    assert say(first="2024-02", last="2024-03") == 0
    assert [seen.query["period"] for seen in comtrade.requests] == ["202402", "202403"]
    comtrade.requests.clear()
    assert say(first="2023", last="2023") == 0
    asked = [seen.query["period"] for seen in comtrade.requests]
    assert asked == ["2023", *(f"2023{month:02}" for month in range(1, 13))]


def test_half_a_year_is_not_asked_for_the_whole(say: Said, comtrade: FakeComtrade) -> None:
    say(first="2023-07", last="2024-06", frequency="M")
    assert len(comtrade.requests) == 12
    with pytest.raises(ConfigurationError, match="no period from 2023-07 to 2024-06"):
        say(first="2023-07", last="2024-06", frequency="A")


def test_without_periods_what_is_due_is_asked_for(say: Said, comtrade: FakeComtrade) -> None:
    assert say(frequency="A") == 0
    assert say.lines[0] == "comtrade: 3 windows, 3 calls, more where an answer is cut."
    assert len(comtrade.requests) == 3
    assert say(frequency="A") == 0
    assert say.lines[0].startswith("comtrade: nothing to request")
    assert say(frequency="A", again=True) == 0
    assert say.last == "comtrade: 3 unchanged, with 3 calls."
    assert say(frequency="M") == 0
    assert say.lines[0].startswith("comtrade: 24 windows, 24 calls")


# Trouble.


def test_a_rejected_window_is_reported_with_the_reason_and_the_others_come(
    say: Said, comtrade: FakeComtrade
) -> None:
    comtrade.when(lambda seen: seen.query["period"] == "2023", maintenance_page())
    assert say(first="2022", last="2024", frequency="A") == 1
    assert "  [2/3] 2023: rejected: " in say.lines[2]
    assert "sent an HTML page where JSON was expected" in say.lines[2]
    assert say.last == "comtrade: 2 new, 1 failed, with 3 calls."
    comtrade.always(None)
    assert say(first="2022", last="2024", frequency="A") == 0
    assert say.last == "comtrade: 1 new, with 1 call."


def test_three_rejected_windows_and_the_rest_is_left(say: Said, comtrade: FakeComtrade) -> None:
    comtrade.always(maintenance_page())
    assert say(first="2015", last="2020", frequency="A") == 1
    assert say.last.startswith("comtrade: 3 failed, with 3 calls. 3 left. http://127.0.0.1:")
    assert say.last.endswith(" sent an HTML page where JSON was expected.")


def test_out_of_quota_the_exit_code_is_3_and_the_way_to_continue_is_reported(
    say: Said, comtrade: FakeComtrade
) -> None:
    comtrade.calls_a_day = 2
    assert say(first="2021", last="2024", frequency="A") == 3
    assert say.last.startswith("comtrade: 1 new, 1 empty, with 3 calls. 2 left. Out of call ")
    assert re.search(
        r"03:14:17\. Continue at \d{4}-\d\d-\d\d \d\d:\d\d UTC with the same command: "
        r"answered windows are not fetched again\.$",
        say.last,
    )
    comtrade.replenish()
    comtrade.calls_a_day = None
    assert say(first="2021", last="2024", frequency="A") == 0
    assert say.last == "comtrade: 2 new, with 2 calls."


def test_a_refused_key_ends_with_what_to_check(
    say: Said, comtrade: FakeComtrade, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIDO_COMTRADE_KEY", "another")
    assert say(first="2022", last="2024", frequency="A") == 1
    assert "Access denied due to invalid subscription key" in say.last
    assert "Check KIDO_COMTRADE_KEY." in say.last
    assert say.last.startswith("comtrade: 1 failed, with 1 call. 2 left. HTTP 401: Access denied")
    assert "another" not in "\n".join(say.lines)


def test_an_earlier_document_that_is_rejected_meanwhile_is_reported(
    say: Said, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "old.json"
    file.write_bytes(as_json(flows_for([392], [156], CODES, ["2009"], gaps=0)))
    land_files(Settings.load(), COMTRADE, [file])
    parse = COMTRADE.parse

    def rejects(payload: bytes, document: Document, scope: CommodityScope) -> object:
        if document.name == "old.json":
            raise UpstreamFormatError("comtrade: read otherwise now.")
        return parse(payload, document, scope)

    monkeypatch.setattr(COMTRADE, "parse", rejects)
    monkeypatch.setattr(conforming, "parser_version", lambda source: "another")
    assert say(first="2023", last="2023", frequency="A") == 1
    assert say.lines[-2] == (
        "comtrade: an earlier document can no longer be used and is quarantined: "
        "comtrade: old.json: read otherwise now."
    )
    assert say.last == "comtrade: 1 new, with 1 call."


# What cannot be asked.


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"first": "2024-13"}, "'2024-13' is neither a year like 2015 nor a month like 2015-03."),
        ({"last": "24"}, "'24' is neither"),
        ({"first": "2024-01-01"}, "'2024-01-01' is neither"),
        ({"first": "0000"}, "'0000' is neither"),
        ({"first": "२०२४"}, "is neither"),
        ({"first": "2024", "last": "2020"}, "no period from 2024 to 2020 that is over"),
        ({"first": "2999"}, "no period from 2999 to today that is over"),
        ({"first": "9999"}, "no period from 9999 to today that is over"),
        ({"first": "2999", "last": "9999"}, "no period from 2999 to 9999 that is over"),
        ({"first": "1990", "last": "1995"}, r"Periods begin in 2000-01 \(A\), 2010-01 \(M\)\."),
        ({"frequency": "Q"}, "--frequency Q: comtrade has A and M."),
        ({"frequency": "D", "first": "2020"}, "--frequency D: comtrade has A and M."),
    ],
)
def test_periods_that_are_none_end_in_one_sentence(
    options: dict[str, str], sentence: str, say: Said, comtrade: FakeComtrade
) -> None:
    with pytest.raises(ConfigurationError, match=sentence):
        say(**options)
    assert comtrade.requests == []


def test_to_the_end_of_time_is_to_today(say: Said, comtrade: FakeComtrade) -> None:
    assert say(first="2023", last="9999", frequency="A") == 0
    asked = [seen.query["period"] for seen in comtrade.requests]
    assert asked == [str(year) for year in range(2023, date.today().year)]


def test_without_a_key_it_names_the_setting(say: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KIDO_COMTRADE_KEY")
    with pytest.raises(ConfigurationError) as caught:
        say(first="2023", last="2023")
    assert str(caught.value) == (
        "comtrade needs a key: set KIDO_COMTRADE_KEY. Or set KIDO_COMTRADE_ENABLED=true to use its "
        "public preview."
    )


def test_a_source_that_cannot_be_fetched_is_landed(say: Said) -> None:
    with pytest.raises(ConfigurationError) as caught:
        fetch_and_report(Settings.load(), source_named("baci_top_flows"))
    assert str(caught.value) == (
        "baci_top_flows cannot be fetched. Land its files: kido land baci_top_flows FILE."
    )


def test_a_reporter_that_is_no_economy_is_named(say: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIDO_COMTRADE_REPORTERS", "JPN,JAP")
    with pytest.raises(
        ConfigurationError, match="KIDO_COMTRADE_REPORTERS: 'JAP' is not an economy"
    ):
        say(first="2023", last="2023")


# A source without windows.


@pytest.fixture
def ecb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeEcb]:
    with FakeEcb() as server:
        monkeypatch.setenv("KIDO_HOME", str(tmp_path / "home"))
        monkeypatch.setenv("KIDO_ECB_URL", server.base_url)
        yield server


def test_one_document_is_asked_for_by_its_name(ecb: FakeEcb) -> None:
    say = Said(source="ecb")
    assert say() == 0
    assert say.lines == [
        "ecb: 1 call, more where an answer is cut.",
        "  [1/1] eurofxref-hist.zip: new, 13 rows",
        "ecb: 1 new, with 1 call.",
    ]
    assert say() == 0
    assert say.lines == [
        "ecb: nothing to request; all of it was answered before (--again repeats)."
    ]
    assert say(again=True) == 0
    assert say.last == "ecb: 1 unchanged, with 1 call."


@pytest.mark.parametrize("options", [{"first": "2024"}, {"last": "2024"}, {"frequency": "A"}])
def test_it_is_not_asked_for_periods(options: dict[str, str], ecb: FakeEcb) -> None:
    with pytest.raises(ConfigurationError, match="is fetched as one document, not by period"):
        Said(source="ecb")(**options)


# The command itself.


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["comtrade", "--from", "2022", "--to", "2024", "--frequency", "A"], 0, "3 new, with 3"),
        (["comtrade", "--from", "2021", "--to", "2021", "--frequency", "A"], 0, "1 empty, with 1"),
    ],
)
def test_the_command_agrees_to_standard_error(
    arguments: list[str], code: int, sentence: str, say: Said
) -> None:
    result = CliRunner().invoke(app, ["fetch", *arguments])
    assert result.exit_code == code
    assert sentence in result.stderr
    assert result.stdout == ""


def test_the_command_ends_with_3_out_of_quota(say: Said, comtrade: FakeComtrade) -> None:
    comtrade.calls_a_day = 0
    arguments = ["fetch", "comtrade", "--from", "2022", "--to", "2024", "--frequency", "A"]
    assert CliRunner().invoke(app, arguments).exit_code == 3
    comtrade.calls_a_day = None
    comtrade.always(maintenance_page())
    assert CliRunner().invoke(app, arguments).exit_code == 1
