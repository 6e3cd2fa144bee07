"""The bars and lines of `kido fetch` without a name, by a clock of the test."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from dagster_project.serving.fetch_progress import FetchBars, FetchLines


@pytest.fixture(autouse=True)
def terminal_with_a_cursor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


class Terminal:
    """Bars on a terminal that is a text."""

    def __init__(self, columns: int = 120) -> None:
        self.clock = Clock()
        self._file = io.StringIO()
        console = Console(file=self._file, force_terminal=True, width=columns)
        self.bars = FetchBars(console, self.clock)

    @property
    def drawn(self) -> str:
        """The bars as they were last drawn."""
        without_colours = re.sub(r"\x1b\[[0-9;]*m", "", self._file.getvalue())
        frames = re.split(r"\x1b\[[0-9;?]*[A-Za-z]|[\r\n]+", without_colours)
        return [frame for frame in frames if "━" in frame][-1]


def test_a_bar_adds_up_windows_rows_and_bytes() -> None:
    terminal = Terminal()
    with terminal.bars as bars:
        bars.expect("lib", 3)
        assert re.match(r"lib ━+ +0/3 windows +waiting", terminal.drawn)
        bars.begin("lib", 4, "lib: 4 windows.")
        bars.receive("lib", 999)
        bars.receive("lib", 1_000_001)
        bars.settle("lib", 1_200, "", is_failure=False)
        bars.settle("lib", 34, "", is_failure=False)
    assert re.match(r"lib ━+[╸╺ ]?━+ +2/4 windows +1,234 rows +1\.0 MB", terminal.drawn)


def test_a_pause_counts_its_seconds_down_with_the_reason() -> None:
    terminal = Terminal()
    with terminal.bars as bars:
        bars.expect("lib", 3)
        bars.begin("lib", 3, "")
        bars.pause("lib", 0.5, "60 calls a minute")
        assert "pause" not in terminal.drawn
        bars.pause("lib", 42, "the quota\n is used up")
        assert "pause 42 s: the quota is used up" in terminal.drawn
        terminal.clock.now += 40.5
        bars.settle("lib", 0, "", is_failure=False)
        assert "pause 2 s: the quota is used up" in terminal.drawn
        terminal.clock.now += 2
        bars.settle("lib", 0, "", is_failure=False)
        assert "pause" not in terminal.drawn


def test_a_bar_of_the_longest_name_fits_80_columns() -> None:
    terminal = Terminal(columns=80)
    with terminal.bars as bars:
        bars.expect("japan_customs", 130)
        bars.begin("japan_customs", 130, "")
        for _ in range(130):
            bars.settle("japan_customs", 99_999, "", is_failure=False)
        bars.receive("japan_customs", 123_456_789)
        bars.pause("japan_customs", 59, "110 calls a minute")
        drawn = terminal.drawn
    assert len(drawn) <= 80
    assert re.search(r"130/130 windows +12,999,870 rows +123\.5 MB pause 59 s", drawn)


def test_lines_name_a_long_pause_once_for_each_reason() -> None:
    lines: list[str] = []
    with FetchLines(lines.append) as display:
        for _ in range(3):
            display.pause("lib", 1.2, "50 calls a minute")
            display.pause("lib", 12, "5 calls a minute")
        display.pause("lib", 30.2, "The quota is used up.")
        display.pause("other", 12, "5 calls a minute")
    assert lines == [
        "lib: pause of 12 s: 5 calls a minute.",
        "lib: pause of 31 s: The quota is used up.",
        "other: pause of 12 s: 5 calls a minute.",
    ]


@pytest.mark.parametrize("has_bars", [True, False])
def test_a_source_that_was_never_begun_can_end(
    has_bars: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    display: FetchLines | FetchBars = Terminal().bars if has_bars else FetchLines()
    with display:
        display.end("lib", "lib: it cannot be asked.")
        display.remark("Not asked: lib.")
    printed = capsys.readouterr().err.splitlines()
    # Above bars a line goes to the terminal that draws them.
    assert printed == ([] if has_bars else ["lib: it cannot be asked.", "Not asked: lib."])
