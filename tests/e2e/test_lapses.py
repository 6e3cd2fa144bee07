"""A suspension that ends without a word on what holds: the page, the measures and the warnings.

Notice 70/2025 suspends seven clauses to 2026-11-10, notice 72/2025 one on the United States to
2026-11-27; MOFCOM's statement of 2026-09-28 names neither.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import takewhile
from pathlib import Path

import duckdb
import pytest

from tests.e2e.conftest import run_kido
from tests.nightly import nightly

OF_NOTICE_70 = "7 clauses"
CLAUSES_OF_NOTICE_70 = [
    "CN-2025-55", "CN-2025-56", "CN-2025-57", "CN-2025-58", "CN-2025-61-AB", "CN-2025-61-C",
    "CN-2025-62",
]  # fmt: skip
TITLE = (
    "Export ban in principle to the US (Ga, Ge, Sb, superhard materials), stricter review of "
    "graphite"
)
OF_NOTICE_72 = f"CN-2024-46-2 ({TITLE})"
SAID = (
    "MOFCOM said on 28 September 2026 that the Kuala Lumpur arrangement runs to 10 January 2027; "
    "it named no notice"
)
SINCE, AFTER = (
    f"; Kido knows of no notice on what holds {when}; {SAID}"
    for when in ("since", "after that day")
)
TENTH, TWENTY_SEVENTH = "suspended until 10 November 2026", "suspended until 27 November 2026"
BY_70 = TENTH.replace("until", "by MOFCOM+GAC Ann. 70/2025 until")
BY_72 = TWENTY_SEVENTH.replace("until", "by MOFCOM Ann. 72/2025 until")
NOTHING = "Nothing that Kido knows of."
LITHIUM = (
    "ZW-2025-06-LICONC (Export ban on lithium concentrate announced for January 2027; only lithium "
    "sulphate and later stages may then leave): in force from January 2027"
)
"""The next that is known for Japan after the lapses."""

ON_THE_PAGE: Mapping[tuple[str, str], tuple[str, str]] = {
    ("2026-11-10", "JPN"): (NOTHING, f"{OF_NOTICE_70}: {BY_70}{AFTER}"),
    ("2026-11-11", "JPN"): (f"{OF_NOTICE_70}: {BY_70}{SINCE}", LITHIUM),
    ("2026-11-27", "JPN"): (f"{OF_NOTICE_70}: {BY_70}{SINCE}", LITHIUM),
    ("2026-11-27", "USA"): (
        f"{OF_NOTICE_70}: {BY_70}{SINCE}", f"{OF_NOTICE_72}: {BY_72}{AFTER}",
    ),
    ("2026-11-28", "USA"): (f"{OF_NOTICE_72}: {BY_72}{SINCE}", LITHIUM),
    ("2026-11-28", "JPN"): (f"{OF_NOTICE_70}: {BY_70}{SINCE}", LITHIUM),
}  # fmt: skip
"""What changed first, and what changes first, by day and importer."""

OF_THE_CLAUSE: Mapping[tuple[str, str, str], str] = {
    ("2026-11-10", "JPN", "CN-2025-57"): "the last day of this state is today",
    ("2026-11-11", "JPN", "CN-2025-57"): f"{TENTH}{SINCE}",
    ("2026-11-27", "USA", "CN-2024-46-2"): "the last day of this state is today",
    ("2026-11-28", "USA", "CN-2024-46-2"): f"{TWENTY_SEVENTH}{SINCE}",
}
"""What `kido measures` says of a clause."""

WARNED: Mapping[str, set[tuple[str, str, float]]] = {
    "2026-11-10": {
        ("CN-2025-57", "lapse_ahead", 0.0), ("CN-2025-58", "lapse_ahead", 0.0),
        ("CN-2024-46-2", "lapse_ahead", 17.0),
    },
    "2026-11-11": {
        ("CN-2025-57", "lapsed_unknown", 1.0), ("CN-2025-58", "lapsed_unknown", 1.0),
        ("CN-2024-46-2", "lapse_ahead", 16.0),
    },
    "2026-11-27": {
        ("CN-2025-57", "lapsed_unknown", 17.0), ("CN-2025-58", "lapsed_unknown", 17.0),
        ("CN-2024-46-2", "lapse_ahead", 0.0),
    },
    "2026-11-28": {
        ("CN-2025-57", "lapsed_unknown", 18.0), ("CN-2025-58", "lapsed_unknown", 18.0),
        ("CN-2024-46-2", "lapsed_unknown", 1.0),
    },
}  # fmt: skip
"""Clauses of which the United States is warned, with the days to the last day or since it. Of the
codes of the others nobody's figures are at hand, or they are on goods of third countries."""


@nightly
@pytest.mark.parametrize("day", ["2026-11-10", "2026-11-11", "2026-11-27", "2026-11-28"])
def test_what_was_what_lapsed_and_what_is_not_known(home: Path, day: str) -> None:
    assert run_kido(home, "build", "--as-of", day).returncode == 0
    file = home / "as_of" / f"kido-{day}.duckdb"
    if not file.exists():
        file = home / "kido.duckdb"

    for (of_day, importer), (past, coming) in ON_THE_PAGE.items():
        if of_day == day:
            for command in ("answers", "measures"):
                assert first_of_sections(page(home, file, command, importer)) == (past, coming)
    for (of_day, importer, clause), words in OF_THE_CLAUSE.items():
        if of_day == day:
            after = page(home, file, "measures", importer).partition(f"\n  {clause}  from ")[2]
            assert words in after.partition("\n  CN-")[0]
    with duckdb.connect(str(file), read_only=True) as connection:
        warned = connection.execute(
            "select distinct clause_id, signal, value from exposure.early_warnings "
            "where importer_iso3 = 'USA' and signal in ('lapse_ahead', 'lapsed_unknown')"
        ).fetchall()
        assert set(warned) == WARNED[day]
        statuses = connection.execute(
            "select distinct status from exposure.measure_status "
            "where clause_id in ('CN-2025-57', 'CN-2025-70') and valid_from = date '2026-11-11'"
        ).fetchall()
        assert statuses == [("unknown",)]


def page(home: Path, file: Path, command: str, importer: str) -> str:
    """What a command prints of a file, in a pipe: nothing is wrapped."""
    given = home.parent / f"home of {file.stem}"
    given.mkdir(exist_ok=True)
    link = given / "kido.duckdb"
    if not link.exists():
        link.hardlink_to(file)
    result = run_kido(given, command, importer)
    assert result.returncode == 0, result.stderr
    return result.stdout


def first_of_sections(printed: str) -> tuple[str, str]:
    """The first sentence of what changed, and of what changes."""
    lines = [line.strip() for line in printed.splitlines()]
    past = lines.index("What changed in the last 30 days")
    coming = lines.index("What changes in the next 90 days")
    assert past < coming < 25
    return lines[past + 1], lines[coming + 1]


def clauses_below(printed: str, beginning: str) -> list[str]:
    """The clauses listed below a sentence."""
    lines = printed.splitlines()
    at = next(at for at, line in enumerate(lines) if line.strip().startswith(beginning))
    below = takewhile(lambda line: line.startswith("    "), lines[at + 1 :])
    return [line.strip().partition(":")[0] for line in below]
