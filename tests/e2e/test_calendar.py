"""The dated changes behind and ahead of a day, against the texts of the catalogue.

The expected days are taken from the YAML as a person reads it, without the reader of the catalogue.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from dagster_project.settings import BUNDLED, Settings
from dagster_project.sources.registry import source_named
from tests.e2e.conftest import AS_OF, run_kido
from tests.integration.marts import marts_of

Rows = Callable[..., list[tuple[Any, ...]]]


def entries(kind: str) -> list[dict[str, Any]]:
    text = (BUNDLED / "catalogue" / f"{kind}.yaml").read_text("utf8")
    return list(yaml.safe_load(text)[kind])


CLAUSES = {
    clause["clause"]: clause for measure in entries("measures") for clause in measure["clauses"]
}
MILESTONES = {entry["milestone"]: entry for entry in entries("milestones")}
BUILT = date.fromisoformat(AS_OF)


def test_the_arrangement_ends_on_the_day_that_was_stated(rows: Rows) -> None:
    stated = MILESTONES["CN-2026-09-KL-EXTENSION"]
    assert stated["planned"] == date(2027, 1, 10)
    [(day, clauses, known, before, after, days, codes)] = rows(
        "select event_date, clause_ids, known_at, status_before, status_after, days_ahead, "
        "hs6_codes from exposure.calendar where kind = 'arrangement_ends'"
    )
    assert (day, known) == (stated["planned"], stated["known"])
    assert clauses == sorted(stated["clauses"])
    assert (before, after) == (None, None), "the statement names no notice: no status follows"
    assert days == (stated["planned"] - BUILT).days
    # Of 46/2024, which it bears on: gallium, germanium and antimony.
    assert {"811292", "811010"} <= set(codes)


def test_a_suspension_ends_on_the_day_after_its_last(rows: Rows) -> None:
    clause = CLAUSES["CN-2024-46-2"]
    last, known = clause["suspended"]["last_day"], clause["suspended"]["known"]
    assert last == date(2026, 11, 27)
    assert rows(
        "select event_date, status_before, status_after, known_at, days_ahead, is_inferred, "
        "target_iso3 from exposure.calendar "
        "where subject_id = 'CN-2024-46-2' and kind = 'suspension_ends'"
    ) == [
        (last + timedelta(1), "suspended", "unknown", known, (last - BUILT).days + 1, False, "USA")
    ]  # fmt: skip


def test_every_stated_day_of_a_milestone_is_a_row(rows: Rows) -> None:
    expected = {
        (name, entry[field])
        for name, entry in MILESTONES.items()
        for field in ("planned", "review")
        if field in entry
    }
    assert len(expected) == 4
    found = rows(
        "select subject_id, event_date from exposure.calendar "
        "where kind in ('planned', 'review', 'arrangement_ends') and date_precision <> 'year'"
    )
    assert set(found) == expected


def test_every_change_of_status_is_a_row_and_no_other(rows: Rows) -> None:
    changes = "select clause_id, valid_from, status from exposure.measure_status"
    calendar = (
        "select subject_id, event_date, status_after from exposure.calendar "
        "where status_after is not null"
    )
    assert rows(f"({changes}) except ({calendar})") == []
    assert rows(f"({calendar}) except ({changes})") == []


@pytest.mark.parametrize(
    ("day", "is_known"), [(date(2026, 9, 27), False), (date(2026, 9, 28), True)]
)
def test_a_build_of_a_day_before_the_statement_has_no_such_day(
    small: Path, day: date, is_known: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIDO_HOME", str(small))
    marts = marts_of(Settings.load(), source_named("catalogue"), ("exposure.calendar",), day=day)
    frame = marts["exposure.calendar"]
    assert ("arrangement_ends" in set(frame["kind"])) is is_known
    assert frame["known_at"].max() <= day  # type: ignore[operator]


def test_a_terminal_lists_as_many_days_ahead_as_are_asked_for(built: Path) -> None:
    def ahead(importer: str, days: str) -> str:
        listed = run_kido(built, "measures", importer, "--on", "2026-11-25", "--ahead", days)
        assert listed.returncode == 0, listed.stderr
        heading = f"What changes in the next {days} days\n"
        return listed.stdout.partition(heading)[2].partition("\n\n")[0]

    [suspended] = ahead("USA", "3").splitlines()
    assert suspended.split()[0] == "CN-2024-46-2"
    assert "suspended by MOFCOM Ann. 72/2025 until 27 November 2026" in suspended
    year = ahead("JPN", "365")
    assert "its last day is 10 January 2027, as stated; it bears on 10 clauses" in year
    assert "planned for February 2027" in year
    assert " projects: planned for 2027" in year
    assert "planned for 2027" not in ahead("JPN", "90")
    assert "CN-2024-46-2" not in year, "aimed at the United States"


@pytest.mark.parametrize("ahead", ["-1", "0", "soon", "99999999999999999999"])
def test_a_number_of_days_that_is_none_is_refused_in_a_sentence(built: Path, ahead: str) -> None:
    refused = run_kido(built, "measures", "JPN", "--ahead", ahead)
    assert refused.returncode == 2
    assert "Invalid value for '--ahead': Input should be" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_suspension_that_ended_is_said_once_of_the_clauses_it_suspended(built: Path) -> None:
    """Announcement 70 of 2025 suspended seven clauses, to 10 November 2026."""
    listed = run_kido(built, "measures", "JPN", "--on", "2026-11-25")
    assert listed.returncode == 0, listed.stderr
    changed = listed.stdout.partition("What changed in the last 30 days\n")[2].partition("\n\n")[0]
    first, *clauses = [line.strip() for line in changed.splitlines()]
    assert first.startswith(
        "7 clauses: suspended by MOFCOM+GAC Ann. 70/2025 until 10 November 2026; Kido knows of no "
        "notice on what holds since; "
    )
    assert [line.partition(":")[0] for line in clauses] == [
        "CN-2025-55", "CN-2025-56", "CN-2025-57", "CN-2025-58", "CN-2025-61-AB", "CN-2025-61-C",
        "CN-2025-62",
    ]  # fmt: skip
