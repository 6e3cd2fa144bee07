"""Which changes of clauses are said on a day, ahead of it and from it on."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from dagster_project.alerts.clauses import restriction_clauses
from dagster_project.alerts.problems import Problem
from dagster_project.errors import PublicationError
from dagster_project.settings import Settings
from tests.unit.serving.test_answers import published
from tests.unit.serving.test_changes import DAY, measure, state


def problems(
    folder: Path, *days_ago: int, status: str = "in_force", target: str = "ALL"
) -> list[Problem]:
    """Of a clause per number, whose state changed so many days before DAY."""
    clauses = [f"CN-{number}" for number in range(1, len(days_ago) + 1)]
    file = published(
        folder,
        reference__economies=[
            {"economy_iso3": code, "name": code, "is_eu27": False} for code in ("JPN", "CHN")
        ],
        exposure__measures=[{**measure(clause), "target_iso3": target} for clause in clauses],
        exposure__calendar=[
            row
            for clause, ago in zip(clauses, days_ago, strict=True)
            for row in (state(clause, 400, "announced"), state(clause, ago, status))
        ],
    )
    settings = Settings.load(home=file.parent, as_of=DAY)
    return list(restriction_clauses(settings, "http://ui"))


@pytest.mark.parametrize(
    ("days_ahead", "level", "title"),
    [
        (30, 1, "CN-1 changes state in 30 days, on 25 December 2026"),
        (1, 1, "CN-1 changes state in 1 day, on 26 November 2026"),
        (0, 2, "CN-1 changes state today"),
        (-3, 2, "CN-1 changes state on 22 November 2026, 3 days ago"),
    ],
)
def test_a_change_is_said_up_to_30_days_ahead_and_from_its_day_on(
    tmp_path: Path, days_ahead: int, level: int, title: str
) -> None:
    [found] = problems(tmp_path, -days_ahead)
    assert (found.level, found.title) == (level, title)
    assert found.since == str(DAY + timedelta(days=days_ahead))
    assert not found.has_end


@pytest.mark.parametrize("days_ahead", [31, -4])
def test_what_is_further_away_is_not_said(tmp_path: Path, days_ahead: int) -> None:
    assert problems(tmp_path, -days_ahead) == []


def test_an_announcement_is_no_change_that_is_waited_for(tmp_path: Path) -> None:
    assert problems(tmp_path, 0, status="announced") == []


def test_what_does_not_concern_the_importer_is_not_said(tmp_path: Path) -> None:
    assert problems(tmp_path, 0, target="USA") == []


def test_clauses_that_change_on_a_day_are_one_problem_ahead_and_on_it(tmp_path: Path) -> None:
    (tmp_path / "ahead").mkdir()
    (tmp_path / "on it").mkdir()
    [ahead] = problems(tmp_path / "ahead", -5, -5)
    assert ahead.title == "2 clauses change state in 5 days, on 30 November 2026"
    assert ahead.lines == (
        "2 clauses: in force from 30 November 2026", "CN-1: title of CN-1", "CN-2: title of CN-2",
    )  # fmt: skip
    assert ahead.subject == "2026-11-30 CN-1 CN-2"


def test_without_a_published_file_nothing_is_known(tmp_path: Path) -> None:
    settings = Settings.load(home=tmp_path, as_of=date(2026, 11, 25))
    assert list(restriction_clauses(settings, "")) == []


def test_a_file_of_an_earlier_version_says_so(tmp_path: Path) -> None:
    import duckdb

    settings = Settings.load(home=tmp_path, as_of=date(2026, 11, 25))
    with duckdb.connect(str(settings.published_file)) as connection:
        connection.execute("create table t (a integer)")
    with pytest.raises(PublicationError, match=r"earlier version.*Run kido build"):
        list(restriction_clauses(settings, ""))
