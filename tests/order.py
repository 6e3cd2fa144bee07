"""The order in which files of tests run: the longest first, so that no worker waits at the end.

Their seconds are in `tests/seconds.csv`, written by `pytest --update-seconds` (of all files by
`PYTEST_ADDOPTS=--update-seconds make test`).
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import pytest

TABLE = Path(__file__).with_name("seconds.csv")
LISTED_FROM_S = 10
"""What takes less is not listed: it runs last, and its seconds change by chance."""


def known_seconds() -> Mapping[str, float]:
    with TABLE.open(encoding="utf8", newline="") as lines:
        return {row["file"]: float(row["seconds"]) for row in csv.DictReader(lines)}


def longest_first(items: list[pytest.Item], seconds: Mapping[str, float]) -> None:
    """Order the files; the tests of each remain in theirs."""
    items.sort(key=lambda item: -seconds.get(file_of(item.nodeid), 0))


def file_of(nodeid: str) -> str:
    return nodeid.partition("::")[0]


class Seconds:
    """A plugin that writes the table anew: files that have run; others stay, unless gone."""

    def __init__(self) -> None:
        self.measured: dict[str, float] = defaultdict(float)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.measured[file_of(report.nodeid)] += report.duration

    def pytest_sessionfinish(self) -> None:
        seconds = {**known_seconds(), **self.measured}
        with TABLE.open("w", encoding="utf8", newline="") as lines:
            writer = csv.writer(lines, lineterminator="\n")
            writer.writerow(["file", "seconds"])
            for file in sorted(seconds):
                if seconds[file] >= LISTED_FROM_S and (TABLE.parents[1] / file).exists():
                    writer.writerow([file, round(seconds[file])])
