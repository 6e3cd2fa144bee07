"""A message for each notice that is to be read, and another when it has waited for too long."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from dagster_project.alerts.notices import unread_notices
from dagster_project.alerts.problems import Problem
from dagster_project.settings import Settings
from tests.unit.serving.test_notices import TODAY, file_of, notice


def problems(folder: Path, *rows: dict[str, Any]) -> list[Problem]:
    file = file_of(folder, *rows)
    return list(unread_notices(Settings.load(home=file.parent, as_of=TODAY), "http://ui"))


def test_each_notice_is_a_problem_of_its_own(tmp_path: Path) -> None:
    first, second = problems(
        tmp_path, notice("2026-50"), notice("2026-51"), notice("2026-1", state="known")
    )
    assert (first.subject, second.subject) == ("mofcom 2026-50", "mofcom 2026-51")
    assert (first.title, first.level) == ("mofcom 2026-50 is to be read", 1)
    assert first.lines == ("商务部: 公告 2026-50", "it names 镓", "https://example.org/a.html")


@pytest.mark.parametrize(("day", "level"), [(22, 1), (21, 2)])
def test_it_is_said_again_after_seven_days(tmp_path: Path, day: int, level: int) -> None:
    published = datetime(2026, 11, day)
    [problem] = problems(
        tmp_path, notice("2026-40", published_at=published.date(), read_at=published)
    )
    assert problem.level == level


def test_a_private_notice_is_said_without_its_words(tmp_path: Path) -> None:
    [problem] = problems(
        tmp_path, notice("7", source="gta", title="CANARY", because="CANARY", url="https://CANARY")
    )
    assert "CANARY" not in f"{problem.title} {problem.lines}"


def test_without_a_published_file_nothing_is_said(tmp_path: Path) -> None:
    assert list(unread_notices(Settings.load(home=tmp_path), "")) == []
