"""What changed and what changes around a day, on a small file made by hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.serving.answers import answers, answers_markdown
from dagster_project.serving.catalog import asking
from dagster_project.serving.changes import NOTHING, Change, Changes, changes_around
from tests.unit.serving.test_answers import published

DAY = date(2026, 11, 25)
"""Day of the file's release."""


def measure(clause: str, **more: Any) -> dict[str, Any]:
    return {
        "clause_id": clause, "title": f"title of {clause}", "implementer_iso3": "CHN",
        "target_iso3": "ALL", "direction": "restrict", **more,
    }  # fmt: skip


def state(clause: str, days_ago: int, status: str, because: str = "Ann. 70/2025") -> dict[str, Any]:
    """A row of `exposure.calendar`; of its kinds only that it is one of a clause is read."""
    return {
        "kind": "begins", "subject_id": clause, "event_date": DAY - timedelta(days_ago),
        "clause_ids": [clause], "title": f"title of {clause}", "status_after": status,
        "because": because, "date_precision": "day",
    }  # fmt: skip


def event(
    kind: str, subject: str, on: date, precision: str = "day", clauses: Sequence[str] = ()
) -> dict[str, Any]:
    """A row of `exposure.calendar` that changes no status."""
    return {
        "kind": kind, "subject_id": subject, "event_date": on, "clause_ids": list(clauses),
        "title": f"title of {subject}", "date_precision": precision,
    }  # fmt: skip


def file_with(folder: Path, *states: dict[str, Any], **of_measure: Any) -> Path:
    clauses = sorted({clause for row in states for clause in row["clause_ids"]})
    return published(
        folder,
        reference__economies=[
            {"economy_iso3": code, "name": code, "is_eu27": code == "DEU"}
            for code in ("JPN", "DEU", "CHN")
        ],
        exposure__measures=[measure(clause, **of_measure) for clause in clauses],
        exposure__calendar=states,
    )


def changes(
    folder: Path, *states: dict[str, Any], importer: str = "JPN", **of_measure: Any
) -> Changes:
    return answers(file_with(folder, *states, **of_measure), importer).changes


@pytest.mark.parametrize(
    ("before", "now", "days_ago", "words"),
    [
        ("announced", "in_force", 3, "in force since 22 November 2026"),
        ("announced", "in_force", -3, "in force from 28 November 2026"),
        ("suspended", "in_force", 0, "in force since 25 November 2026"),
        ("suspended", "in_force", -90, "in force from 23 February 2027"),
        ("in_force", "suspended", 30, "suspended since 26 October 2026 by Ann. 70/2025"),
        ("in_force", "ended", 1, "ended on 23 November 2026"),
        ("in_force", "ended", -1, "ends on 25 November 2026"),
        ("suspended", "unknown", 1, "Ann. 70/2025"),
    ],
)
def test_a_change_is_told_by_its_state_and_day(
    tmp_path: Path, before: str, now: str, days_ago: int, words: str
) -> None:
    found = changes(tmp_path, state("CN-1", 400, before), state("CN-1", days_ago, now))
    change = Change(words, [("CN-1", "title of CN-1")], DAY - timedelta(days_ago))
    assert change.sentence == f"CN-1 (title of CN-1): {words}"
    assert found == (Changes([change], []) if days_ago >= 0 else Changes([], [change]))


def test_only_what_was_in_force_before_its_suspension_is_in_force_again(tmp_path: Path) -> None:
    found = changes(
        tmp_path, state("CN-1", 400, "in_force"), state("CN-1", 300, "suspended"),
        state("CN-1", 3, "in_force"),
    )  # fmt: skip
    assert [change.words for change in found.past] == ["in force again since 22 November 2026"]


def words(changes: Changes) -> tuple[list[str], list[str]]:
    past, coming = ([change.sentence for change in found] for _, found in changes.sections)
    return past, coming


def test_thirty_days_behind_and_ninety_ahead_count_to_the_first_day_of_the_new_state(
    tmp_path: Path,
) -> None:
    found = changes(
        tmp_path, state("CN-1", 2, "announced"), state("CN-2", 31, "in_force"),
        state("CN-3", -90, "ended"), state("CN-4", -91, "ended"), state("CN-5", -91, "in_force"),
        state("CN-6", 30, "unknown", "nobody knows"), state("CN-7", 31, "unknown", "long ago"),
    )  # fmt: skip
    assert words(found) == (
        [
            "CN-1 (title of CN-1): announced on 23 November 2026",
            "CN-6 (title of CN-6): nobody knows",
        ],
        ["CN-3 (title of CN-3): ends on 22 February 2027"],
    )


def test_a_plan_is_said_ahead_of_its_day_as_exactly_as_that_is_known(tmp_path: Path) -> None:
    rows = (
        event("planned", "PAST", date(2026, 11, 20)),
        event("planned", "TRIAL", date(2027, 2, 1), "month"),
        event("planned", "PLANT", date(2027, 1, 1), "year"),
        event("planned", "PIT", date(2027, 1, 1), "year"),
        event("planned", "SHIP", date(2026, 12, 24)),
        state("CN-1", -37, "in_force"),
        {**state("CN-2", -37, "in_force"), "date_precision": "month"},
    )
    soon = [
        "SHIP (title of SHIP): planned for 24 December 2026",
        "CN-1 (title of CN-1): in force from 1 January 2027",
        "CN-2 (title of CN-2): in force from January 2027",
        "TRIAL (title of TRIAL): planned for February 2027",
    ]
    file = file_with(tmp_path, *rows)
    assert words(answers(file, "JPN").changes) == ([], soon)
    with duckdb.connect(str(file), read_only=True) as connection:
        year = changes_around(asking(connection), "JPN", DAY, 365)
    assert words(year) == ([], [*soon[:3], "2 projects: planned for 2027", soon[3]])
    assert year.coming[3].names == ["PIT: title of PIT", "PLANT: title of PLANT"]


def test_an_arrangement_and_a_review_are_said_ahead_and_after(tmp_path: Path) -> None:
    found = changes(
        tmp_path,
        event("arrangement_ends", "TALKS", date(2027, 1, 10), clauses=["CN-1", "CN-2"]),
        event("arrangement_ends", "OVER", date(2026, 11, 25), clauses=["CN-1"]),
        event("review", "REPORT", date(2026, 12, 1)),
        event("review", "LATE", date(2026, 11, 1)),
    )  # fmt: skip
    assert words(found) == (
        [
            "OVER (title of OVER): its last day was 25 November 2026, as stated; "
            "it bears on 1 clause",
            "LATE (title of LATE): a review or report was due on 1 November 2026",
        ],
        [
            "REPORT (title of REPORT): a review or report is due on 1 December 2026",
            "TALKS (title of TALKS): its last day is 10 January 2027, as stated; "
            "it bears on 2 clauses",
        ],
    )


def test_an_arrangement_on_others_is_not_said(tmp_path: Path) -> None:
    talks = event("arrangement_ends", "TALKS", date(2027, 1, 10), clauses=["CN-1"])
    assert changes(tmp_path, talks, target_iso3="USA").coming == []


def test_clauses_with_the_same_change_stand_together_and_the_nearest_is_first(
    tmp_path: Path,
) -> None:
    found = changes(
        tmp_path,
        state("CN-2", 15, "unknown", "nobody knows"), state("CN-1", 15, "unknown", "nobody knows"),
        state("CN-3", 15, "unknown", "somebody said"), state("CN-4", 2, "in_force"),
        state("CN-5", -2, "ended"), state("CN-6", -1, "ended"),
    )  # fmt: skip
    assert words(found) == (
        [
            "CN-4 (title of CN-4): in force since 23 November 2026",
            "2 clauses: nobody knows",
            "CN-3 (title of CN-3): somebody said",
        ],
        [
            "CN-6 (title of CN-6): ends on 25 November 2026",
            "CN-5 (title of CN-5): ends on 26 November 2026",
        ],
    )
    assert found.past[1].names == ["CN-1: title of CN-1", "CN-2: title of CN-2"]


def test_of_a_day_what_restricts_is_told_before_what_relaxes(tmp_path: Path) -> None:
    file = published(
        tmp_path,
        exposure__measures=[measure("CN-1", direction="relax"), measure("CN-2")],
        exposure__calendar=[
            state("CN-1", 2, "unknown", "in force before"),
            state("CN-2", 2, "unknown", "suspended before"),
        ],
    )
    assert words(answers(file, "JPN").changes)[0] == [
        "CN-2 (title of CN-2): suspended before", "CN-1 (title of CN-1): in force before",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("importer", "target", "is_told"),
    [
        ("JPN", "JPN", True), ("JPN", "ALL", True), ("DEU", "EU27", True),
        ("JPN", "EU27", False), ("DEU", "JPN", False), ("CHN", "ALL", False),
    ],
)  # fmt: skip
def test_only_measures_that_bear_on_the_importer_are_told(
    tmp_path: Path, importer: str, target: str, is_told: bool
) -> None:
    found = changes(tmp_path, state("CN-1", 2, "in_force"), importer=importer, target_iso3=target)
    assert bool(found.past) is is_told


def test_a_clause_with_several_targets_is_told_once(tmp_path: Path) -> None:
    rows = [measure("CN-1", target_iso3="JPN", target_name=name) for name in ("One", "Two")]
    file = published(
        tmp_path, exposure__measures=rows, exposure__calendar=[state("CN-1", 2, "in_force")]
    )
    assert len(answers(file, "JPN").changes.past) == 1


def test_the_page_begins_with_what_changed(tmp_path: Path) -> None:
    file = published(
        tmp_path,
        exposure__measures=[measure("CN-1")],
        exposure__calendar=[state("CN-1", 15, "unknown", "nobody knows")],
    )
    lines = [line for line in answers_markdown(answers(file, "JPN")).splitlines() if line]
    assert lines[2:6] == [
        "**What changed in the last 30 days**", "- CN-1 (title of CN-1): nobody knows",
        "**What changes in the next 90 days**", NOTHING,
    ]  # fmt: skip
