"""How the progress of `kido fetch` without a name is shown, on standard error.

In a terminal a bar per source, until its last line is printed; elsewhere lines only, without
control characters. What the lines say is worded where the sources are asked.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import TracebackType
from typing import TYPE_CHECKING

from dagster_project.errors import amount_of_bytes, counted
from dagster_project.serving.terminal import say

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID

LEAST_PAUSE_S = 5.0
"""Shortest pause that gets a line: the pace of most limits is a call every second or two."""

LEAST_SHOWN_PAUSE_S = 1.0
"""Shortest pause that a bar shows."""

BAR_WIDTH = 12


def fetch_display() -> FetchLines | FetchBars:
    """Bars if standard error is a terminal that can move its cursor, else lines."""
    from rich.console import Console

    if not sys.stderr.isatty():
        return FetchLines()
    console = Console(stderr=True, force_terminal=True)
    return FetchLines() if console.is_dumb_terminal else FetchBars(console)


class FetchLines(AbstractContextManager["FetchLines"]):
    """A line for each window, for a long pause that has a new reason, and for each source."""

    def __init__(self, write: Callable[[str], None] = say) -> None:
        self._write = write
        self._last_reason: dict[str, str] = {}

    def __exit__(self, *error: object) -> None:
        """Nothing to put right."""

    def expect(self, source: str, windows: int) -> None:
        """A source that is not asked yet has no line."""

    def begin(self, source: str, windows: int, line: str) -> None:
        self._write(line)

    def settle(self, source: str, rows: int, line: str, *, is_failure: bool) -> None:
        self._write(line)

    def receive(self, source: str, size: int) -> None:
        """Bytes are in the last line."""

    def pause(self, source: str, seconds: float, reason: str) -> None:
        # The pace of calls per minute would else be a line per call.
        if seconds >= LEAST_PAUSE_S and reason != self._last_reason.get(source):
            self._last_reason[source] = reason
            self._write(f"{source}: pause of {math.ceil(seconds)} s: {reason.rstrip('.')}.")

    def end(self, source: str, line: str) -> None:
        self._write(line)

    def remark(self, line: str) -> None:
        self._write(line)


class FetchBars(AbstractContextManager["FetchBars"]):
    """A bar per source: windows done of those due, landed rows, received bytes, and a pause.

    Failed windows and the last lines of sources are printed above the bars.
    """

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._bars = _bars(console, clock)
        self._tasks: dict[str, TaskID] = {}
        self._rows: dict[str, int] = {}
        self._bytes: dict[str, int] = {}

    def __enter__(self) -> FetchBars:
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._bars.stop()

    def expect(self, source: str, windows: int) -> None:
        self._tasks[source] = self._bars.add_task(
            source, total=windows, rows="", size="", state="waiting", reason="", paused_until=0.0
        )

    def begin(self, source: str, windows: int, line: str) -> None:
        self._bars.update(
            self._tasks[source], total=windows, rows=counted(0, "row"), size="0 B", state="",
            refresh=True,
        )  # fmt: skip

    def settle(self, source: str, rows: int, line: str, *, is_failure: bool) -> None:
        self._rows[source] = self._rows.get(source, 0) + rows
        self._bars.update(
            self._tasks[source], advance=1, rows=counted(self._rows[source], "row"), refresh=True
        )
        if is_failure:
            say(line)

    def receive(self, source: str, size: int) -> None:
        self._bytes[source] = self._bytes.get(source, 0) + size
        self._bars.update(self._tasks[source], size=amount_of_bytes(self._bytes[source]))

    def pause(self, source: str, seconds: float, reason: str) -> None:
        if seconds >= LEAST_SHOWN_PAUSE_S:
            self._bars.update(
                self._tasks[source],
                paused_until=self._clock() + seconds,
                reason=" ".join(reason.split()),
                refresh=True,
            )

    def end(self, source: str, line: str) -> None:
        if source in self._tasks:
            self._bars.update(self._tasks[source], visible=False, refresh=True)
        say(line)

    def remark(self, line: str) -> None:
        say(line)


def _bars(console: Console, clock: Callable[[], float]) -> Progress:
    from rich.progress import BarColumn, Progress, ProgressColumn, Task
    from rich.table import Column
    from rich.text import Text

    class Pause(ProgressColumn):
        """`pause 42 s: 50 calls a minute`, counted down; the state of a source otherwise."""

        def render(self, task: Task) -> Text:
            left = math.ceil(task.fields["paused_until"] - clock())
            return Text(
                f"pause {left} s: {task.fields['reason']}" if left > 0 else task.fields["state"]
            )

    class Field(ProgressColumn):
        """A text that the task carries."""

        def __init__(self, name: str, width: int) -> None:
            super().__init__(Column(justify="right", no_wrap=True, min_width=width))
            self._name = name

        def render(self, task: Task) -> Text:
            return Text(str(task.fields[self._name]))

    class Windows(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(f"{task.completed:.0f}/{counted(int(task.total or 0), 'window')}")

    class Name(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(task.description)

    return Progress(
        Name(Column(no_wrap=True)),
        BarColumn(BAR_WIDTH),
        Windows(Column(justify="right", no_wrap=True)),
        Field("rows", len("9,999 rows")),
        Field("size", len("999.9 MB")),
        Pause(Column(no_wrap=True, overflow="ellipsis", ratio=1)),
        console=console,
        transient=True,
        redirect_stdout=False,
        expand=True,
    )
