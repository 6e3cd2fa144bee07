"""`kido fetch` without a name: several publishers at once, one of them in trouble, and dry runs."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import polars as pl
import pytest
from filelock import FileLock
from typer.testing import CliRunner, Result

from dagster_project.cli import app
from dagster_project.errors import ConfigurationError
from dagster_project.intake.command import fetch_and_report
from dagster_project.intake.fetch_all import fetch_all, report_all_requests
from dagster_project.intake.stores import lake_of
from dagster_project.lake.schemas import LAKE_TABLES
from dagster_project.serving.fetch_progress import FetchLines
from dagster_project.settings import Settings
from dagster_project.sources.card import Source, can_be_asked
from dagster_project.sources.registry import all_sources, source_named
from tests.conftest import CHECKOUT
from tests.fakes import comexstat as brazil
from tests.fakes import paged
from tests.fakes.comtrade import FakeComtrade, flows_for
from tests.fakes.ecb import FakeEcb, history_zip
from tests.fakes.hmrc import FakeHmrc, Trade
from tests.fakes.server import (
    FakePublisher,
    maintenance_page,
    silent,
    too_many_requests,
)

ASKED = ("comexstat", "comtrade", "ecb", "hmrc")
OTHERS = tuple(
    sorted(
        name
        for name, source in all_sources().items()
        if can_be_asked(source) and name not in ASKED and not source.CARD.only_by_name
    )
)
"""Sources that can be fetched and are switched off in these tests."""

SWITCHED_OFF = (
    f"Not asked: {', '.join(OTHERS)} (switched off); baci (only by name: kido fetch baci)."
)

ROWS_OF_ECB = 13
"""Of the five days that the stand-in has."""


@dataclass
class Publishers:
    """Stand-ins for four publishers; every setting that leads to them is in the environment."""

    ecb: FakeEcb = field(default_factory=FakeEcb)
    hmrc: FakeHmrc = field(default_factory=FakeHmrc)
    comexstat: brazil.FakeComexstat = field(default_factory=brazil.FakeComexstat)
    comtrade: FakeComtrade = field(default_factory=lambda: comtrade_of(date.today().year - 1))

    def of(self, source: str) -> FakePublisher:
        return cast(FakePublisher, getattr(self, source))

    def calls(self) -> dict[str, int]:
        return {source: len(self.of(source).requests) for source in ASKED}


def comtrade_of(year: int) -> FakeComtrade:
    months = [f"{year}{month:02}" for month in range(1, 13)]
    world = flows_for([392], [156, 704], ["280530", "284610"], [str(year), *months], gaps=0)
    return FakeComtrade(world, key="secret")


@pytest.fixture
def publishers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Publishers]:
    monkeypatch.setenv("KIDO_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("KIDO_COMTRADE_KEY", "secret")
    monkeypatch.setenv("KIDO_COMTRADE_REPORTERS", "JPN")
    for source in OTHERS:
        monkeypatch.setenv(f"KIDO_{source.upper()}_ENABLED", "false")
    publishers = Publishers()
    year = date.today().year
    for of_year in range(year - 2, year + 1):
        line = brazil.Trade(1, "28053010", "105", 2, 540, 31, 1)
        publishers.comexstat.years["IMP", of_year] = [line]
        publishers.comexstat.years["EXP", of_year] = [replace(line, country="399")]
    publishers.hmrc.rows = [Trade((year - 1) * 100 + 12, 3, 85051110, 720, 1000.0, 10.0)]
    with ExitStack() as stack:
        for source in ASKED:
            server = stack.enter_context(publishers.of(source))
            monkeypatch.setenv(f"KIDO_{source.upper()}_URL", server.root)
            monkeypatch.setenv(f"KIDO_{source.upper()}_CALLS_PER_MINUTE", "60000")
        yield publishers


def ask_only(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for other in ASKED:
        if other != source:
            monkeypatch.setenv(f"KIDO_{other.upper()}_ENABLED", "false")


def kido(*arguments: str) -> Result:
    result = CliRunner().invoke(app, ["fetch", *arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def line_of(result: Result, source: str) -> str:
    """The last line of a source."""
    return [line for line in result.stderr.splitlines() if line.startswith(f"{source}: ")][-1]


def landed_rows(source: str) -> int:
    lake = lake_of(Settings.load())
    tables = [lake.rows(LAKE_TABLES[name], source) for name in source_named(source).CARD.tables]
    return sum(rows.select(pl.len()).collect().item() for rows in tables if rows is not None)


# Which sources are asked.


def test_every_due_source_is_asked_once_and_reports_its_figures(publishers: Publishers) -> None:
    result = kido()
    assert (result.exit_code, result.stdout) == (0, "")
    assert line_of(result, "ecb") == (
        f"ecb: 1 new, with 1 call; {ROWS_OF_ECB} rows landed, {len(history_zip())} B received."
    )
    calls = publishers.calls()
    assert min(calls.values()) > 0
    for source in ASKED:
        line = line_of(result, source)
        assert f"with {calls[source]} call" in line
        assert f"; {landed_rows(source):,} row" in line
    assert result.stderr.splitlines()[-1] == SWITCHED_OFF

    again = kido()
    assert again.exit_code == 0
    assert again.stderr.splitlines() == [
        f"{SWITCHED_OFF.removesuffix('.')}; comexstat, comtrade, ecb, hmrc (nothing due)."
    ]
    assert publishers.calls() == calls


def test_a_missing_key_and_a_switch_are_named_and_nobody_is_asked(
    publishers: Publishers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KIDO_COMTRADE_KEY")
    monkeypatch.setenv("KIDO_HMRC_ENABLED", "false")
    result = kido()
    assert result.exit_code == 0
    assert result.stderr.splitlines()[-1] == (
        f"Not asked: {', '.join(sorted((*OTHERS, 'hmrc')))} (switched off); "
        "baci (only by name: kido fetch baci); comtrade (needs a key: KIDO_COMTRADE_KEY)."
    )
    assert publishers.calls()["comtrade"] == publishers.calls()["hmrc"] == 0
    assert publishers.calls()["ecb"] == 1


def test_a_preview_that_is_enabled_needs_no_key(
    publishers: Publishers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KIDO_COMTRADE_KEY")
    monkeypatch.setenv("KIDO_COMTRADE_ENABLED", "true")
    result = kido("--dry-run")
    assert re.search("^comtrade: 3 years from ", result.stdout, re.MULTILINE)


def test_terms_that_need_consent_are_asked_for_only_with_it(
    publishers: Publishers, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = replace(paged.CARD, needs_consent=True)
    source = cast(Source, SimpleNamespace(CARD=card, plan=paged.plan, parse=paged.parse))
    lines: list[str] = []
    assert report_all_requests(Settings.load(), [source], lines.append) == 0
    assert lines == [
        "Not asked: made_up (its terms need your consent: KIDO_MADE_UP_ENABLED=true).",
        "In all 0 calls; nothing was sent.",
    ]
    lines.clear()
    monkeypatch.setenv("KIDO_MADE_UP_ENABLED", "true")
    assert report_all_requests(Settings.load(), [source], lines.append) == 0
    assert lines[0].startswith("made_up: 3 years from ")
    assert not source_named("ecb").CARD.needs_consent


# Trouble.


def test_a_silent_publisher_stops_no_other(
    publishers: Publishers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIDO_TIMEOUT_S", "0.5")
    publishers.ecb.always(silent())
    result = kido()
    assert result.exit_code == 1
    assert "the server did not answer in time" in line_of(result, "ecb")
    assert len(publishers.ecb.requests) == 1
    for source in ("comexstat", "comtrade", "hmrc"):
        assert " failed" not in line_of(result, source)
        assert landed_rows(source) > 0


def test_a_wrong_setting_is_the_line_of_its_source_and_stops_no_other(
    publishers: Publishers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIDO_COMTRADE_REPORTERS", "JPN,JAP")
    monkeypatch.setenv("KIDO_HMRC_ENABLED", "perhaps")
    monkeypatch.setenv("KIDO_BACI_ENABLED", "true")
    result = kido()
    assert result.exit_code == 1
    assert line_of(result, "comtrade").startswith(
        "comtrade: KIDO_COMTRADE_REPORTERS: 'JAP' is not an economy."
    )
    assert line_of(result, "hmrc").startswith("hmrc: KIDO_HMRC_ENABLED: ")
    assert "no build fetches baci" in line_of(result, "baci")
    assert landed_rows("ecb") == ROWS_OF_ECB
    assert landed_rows("comexstat") > 0
    assert publishers.calls()["comtrade"] == publishers.calls()["hmrc"] == 0


def test_a_used_up_quota_ends_with_3_and_a_failure_wins(
    publishers: Publishers, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    publishers.comtrade.always(too_many_requests("7200"))
    result = kido()
    assert result.exit_code == 3
    assert re.search(r"Continue at .* UTC with the same command", line_of(result, "comtrade"))
    assert landed_rows("ecb") == ROWS_OF_ECB

    publishers.ecb.always(maintenance_page())
    monkeypatch.setenv("KIDO_HOME", str(tmp_path / "another"))
    result = kido()
    assert result.exit_code == 1
    assert "sent an HTML page where ZIP was expected" in line_of(result, "ecb")
    assert "Continue at" in line_of(result, "comtrade")


def test_a_source_that_another_run_has_locked_is_asked_last(publishers: Publishers) -> None:
    settings = Settings.load()
    settings.intake_dir.mkdir(parents=True)
    lock = FileLock(settings.intake_dir / "ecb.lock")
    lines: list[str] = []

    def write(line: str) -> None:
        lines.append(line)
        if "waiting for another run" in line:
            lock.release()

    lock.acquire()
    assert fetch_all(settings, all_sources().values(), FetchLines(write)) == 0
    waits = lines.index("ecb: waiting for another run that fetches or lands it.")
    for source in ("comexstat", "comtrade", "hmrc"):
        assert any(line.startswith(f"{source}: ") for line in lines[:waits])
        assert not any(line.startswith(f"{source}: ") for line in lines[waits:])
    assert lines[-2].startswith("ecb: 1 new, with 1 call")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--from", "2015"], "--from needs a source: kido fetch NAME, see kido sources."),
        (["--to", "2015", "--again"], "--to and --again need a source: "),
        (["--frequency", "A", "--dry-run"], "--frequency needs a source: "),
    ],
)
def test_options_on_periods_need_a_name(
    publishers: Publishers, options: list[str], sentence: str
) -> None:
    with pytest.raises(ConfigurationError, match=sentence):
        kido(*options)
    assert sum(publishers.calls().values()) == 0


# Dry runs.


def stated_calls(printed: str) -> dict[str, int]:
    stated = re.findall(r"^(\w+): .*: (\d+) calls?[,.]", printed, re.MULTILINE)
    return {source: int(calls) for source, calls in stated}


def files_below(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


def test_a_dry_run_states_the_calls_of_the_fetch_after_it(publishers: Publishers) -> None:
    result = kido("--dry-run")
    assert (result.exit_code, result.stderr) == (0, "")
    assert sum(publishers.calls().values()) == 0
    assert not Path(os.environ["KIDO_HOME"]).exists()
    stated = stated_calls(result.stdout)
    assert kido().exit_code == 0
    assert stated == publishers.calls()
    assert f"In all {sum(stated.values())} calls; nothing was sent." in result.stdout


def test_a_dry_run_names_periods_addresses_and_limits(
    publishers: Publishers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIDO_COMTRADE_URL", f"http://me:word@127.0.0.1:{9}/mirror")
    monkeypatch.delenv("KIDO_HMRC_URL")
    monkeypatch.delenv("KIDO_HMRC_CALLS_PER_MINUTE")
    lines = kido("--dry-run").stdout.splitlines()
    at = {line.partition(":")[0]: number for number, line in enumerate(lines)}
    assert lines[at["ecb"]] == (
        "ecb: eurofxref-hist.zip: 1 call, and more where an answer has pages or leads to files."
    )
    assert re.fullmatch(
        r"comexstat: \d+ months from \d{4}-01 to \d{4}-\d\d: \d+ calls\.", lines[at["comexstat"]]
    )
    assert re.match(
        r"comtrade: 3 years from (\d{4}) to \d{4}, 24 months from \d{4}-\d\d to \d{4}-\d\d: ",
        lines[at["comtrade"]],
    )
    assert lines[at["comtrade"] + 1] == (
        "  From http://127.0.0.1:9/mirror instead of https://comtradeapi.un.org, "
        "at most 60,000 calls a minute and 500 calls a day."
    )
    assert lines[at["hmrc"] + 1] == (
        "  From https://api.uktradeinfo.com, at most 50 calls a minute."
    )


def test_a_dry_run_with_a_name_takes_its_periods(publishers: Publishers) -> None:
    options = ["comtrade", "--from", "2015", "--to", "2016", "--frequency", "A"]
    result = kido(*options, "--dry-run")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith("comtrade: 2 years from 2015 to 2016: 1 call, and more ")
    assert publishers.calls()["comtrade"] == 0
    assert kido(*options).exit_code == 0
    assert publishers.calls()["comtrade"] == 1
    assert kido(*options, "--dry-run").stdout == (
        "comtrade: nothing to request; all of it was answered before (--again repeats).\n"
    )
    result = kido(*options, "--again", "--dry-run")
    assert "500 calls a day (1 sent today)." in result.stdout
    assert publishers.calls()["comtrade"] == 1


def test_a_dry_run_changes_no_file_where_many_answers_are_recorded(
    publishers: Publishers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIDO_COMTRADE_ROWS_PER_CALL", "500")  # an extract for each period
    settings = Settings.load()
    source = source_named("comtrade")
    fetch_and_report(settings, source, first="2005", last="2024", frequency="A", write=str)
    (settings.home / "landing" / "comtrade" / ".ledger" / ".index.json").unlink(missing_ok=True)
    before = files_below(settings.home)
    kido("--dry-run")
    kido("comtrade", "--from", "2000", "--dry-run")
    assert files_below(settings.home) == before


def test_a_dry_run_says_what_cannot_be_planned_and_ends_with_1(
    publishers: Publishers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIDO_COMTRADE_REPORTERS", "JPN,JAP")
    result = kido("--dry-run")
    assert result.exit_code == 1
    assert "comtrade: KIDO_COMTRADE_REPORTERS: 'JAP' is not an economy." in result.stdout
    assert set(stated_calls(result.stdout)) == {"comexstat", "ecb", "hmrc"}


# In a pipe, and in a terminal.

COMMAND = (sys.executable, "-m", "dagster_project.cli", "fetch")
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")


class Terminal:
    """A command whose standard error is a terminal of 80 columns."""

    def __init__(self, *arguments: str, kind: str = "xterm") -> None:
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.process = start(theirs, *arguments, TERM=kind)
        os.close(theirs)
        self._written = b""
        # Read at once: a terminal that is not read stops who writes.
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        with contextlib.suppress(OSError):  # the other end is closed
            while block := os.read(self._ours, 1 << 16):
                self._written += block

    def finish(self) -> tuple[int, str]:
        """Exit code and everything that was written."""
        code = self.process.wait(120)
        self._reader.join(10)
        os.close(self._ours)
        return code, self._written.decode()


def start(stderr: int, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, *arguments], cwd=CHECKOUT, env={**os.environ, **environment},
        stdout=subprocess.DEVNULL, stderr=stderr, text=True,
        # A shell that runs the tests in the background has its children ignore the signal.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip


def screen(written: str) -> list[str]:
    """What is left on a terminal: lines after cursor moves and erasures."""
    lines: list[list[str]] = [[]]
    row = column = 0
    for token in re.findall(r"\x1b\[[0-9;?]*[A-Za-z]|[\s\S]", written):
        if token.startswith("\x1b"):
            if token.endswith("A"):
                row -= int(token[2:-1] or 1)
            elif token.endswith("K"):
                lines[row] = []
        elif token == "\r":
            column = 0
        elif token == "\n":
            row += 1
            lines += [[] for _ in range(row + 1 - len(lines))]
        else:
            lines[row] += [" "] * (column + 1 - len(lines[row]))
            lines[row][column] = token
            column += 1
    return ["".join(line).rstrip() for line in lines]


def without_escapes(written: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", written)


def test_a_pipe_gets_lines_that_begin_with_their_source(publishers: Publishers) -> None:
    publishers.comtrade.will(too_many_requests("5"))
    process = start(subprocess.PIPE, FORCE_COLOR="1")
    _, written = process.communicate(timeout=120)
    assert process.returncode == 0, written
    assert not CONTROL.search(written)
    lines = written.splitlines()
    assert {line.partition(":")[0] for line in lines} == {*ASKED, "Not asked"}
    assert f"ecb: [1/1] eurofxref-hist.zip: new, {ROWS_OF_ECB} rows" in lines
    assert lines.index("ecb: 1 call, more where an answer is cut.") < lines.index(
        f"ecb: [1/1] eurofxref-hist.zip: new, {ROWS_OF_ECB} rows"
    )
    assert sum("[27/27]" in line for line in lines) == 1
    assert "comtrade: pause of 5 s: 429 Too Many Requests." in lines


def test_a_terminal_gets_a_bar_per_source_and_keeps_a_line_of_each(
    publishers: Publishers,
) -> None:
    publishers.comtrade.will(too_many_requests("2"))
    code, written = Terminal().finish()
    assert code == 0, written
    drawn = without_escapes(written)
    for source, windows in (("ecb", "1 window"), ("comtrade", "27 windows")):
        number = windows.partition(" ")[0]
        assert re.search(rf"{source} +━+ +0/{windows} ", drawn)
        assert re.search(rf"{source} +━+ +{number}/{windows} ", drawn)
    assert re.search(rf"ecb +━+ +1/1 window +{ROWS_OF_ECB} rows +{len(history_zip())} B", drawn)
    # Before the first answer of its publisher.
    assert re.search(r"comtrade +━+ +0/27 windows +0 rows +0 B pause 2 s: 429", drawn)
    left = [line for line in screen(written) if line]
    names = [line.partition(":")[0] for line in left]
    assert names[: len(ASKED)] == sorted(
        ASKED, key=lambda source: (publishers.calls()[source], source)
    )
    assert "".join(left[len(ASKED) :]).replace(" ", "") == SWITCHED_OFF.replace(" ", "")
    assert "━" not in "".join(left)
    assert written.count("\x1b[?25l") == written.count("\x1b[?25h")  # the cursor is back


def test_a_failed_window_is_a_line_above_the_bars(
    publishers: Publishers, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask_only("ecb", monkeypatch)
    publishers.ecb.always(maintenance_page())
    code, written = Terminal().finish()
    assert code == 1
    printed = " ".join(" ".join(screen(written)).split())
    assert "ecb: [1/1] eurofxref-hist.zip: rejected: " in printed
    assert re.search(r"ecb: 1 failed, with 1 call; .* sent an HTML page where ZIP", printed)


def test_a_terminal_without_a_cursor_to_move_gets_lines(
    publishers: Publishers, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask_only("ecb", monkeypatch)
    code, written = Terminal(kind="dumb").finish()
    assert code == 0
    assert not CONTROL.search(written.replace("\r\n", "\n"))
    assert f"ecb: [1/1] eurofxref-hist.zip: new, {ROWS_OF_ECB} rows" in written.splitlines()


@pytest.mark.parametrize("name", ["", "hmrc"])
def test_ctrl_c_keeps_what_was_landed_and_is_one_sentence(
    publishers: Publishers, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for other in ("comexstat", "comtrade"):
        monkeypatch.setenv(f"KIDO_{other.upper()}_ENABLED", "false")
    publishers.hmrc.always(silent())
    terminal = Terminal(*[name] * bool(name))
    wait_until_asked(publishers.hmrc)
    terminal.process.send_signal(signal.SIGINT)
    code, written = terminal.finish()
    assert code == 130
    left = [line for line in screen(written) if line]
    assert left[-1] == (
        "Interrupted: what was landed stays, and the same command goes on from there."
    )
    assert "Traceback" not in written
    assert "Aborted" not in written
    if not name:
        assert landed_rows("ecb") == ROWS_OF_ECB
        assert "━" not in "".join(left)


def wait_until_asked(server: FakePublisher, for_s: float = 60) -> None:
    until = time.monotonic() + for_s
    while not server.requests and time.monotonic() < until:
        time.sleep(0.05)
    assert server.requests
