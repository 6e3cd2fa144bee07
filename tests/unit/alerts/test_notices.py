"""A message for each notice that is to be read; of private ones and of many at once, a number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from dagster_project.alerts.messages import Message, Reported, news
from dagster_project.alerts.notices import MOST_AT_ONCE, unread_notices
from dagster_project.alerts.problems import Problem
from dagster_project.settings import Settings
from tests.unit.serving.test_notices import TODAY, file_of, notice

Row = Mapping[str, Any]


def problems(folder: Path, *rows: Row) -> list[Problem]:
    folder.mkdir(parents=True, exist_ok=True)
    file = file_of(folder, *map(dict, rows))
    return list(unread_notices(Settings.load(home=file.parent, as_of=TODAY), "http://ui"))


def said_over(folder: Path, *ticks: Sequence[Row]) -> list[Sequence[Message]]:
    """What is said in each tick, of a file with these rows."""
    said: Mapping[str, Reported] = {}
    messages_of_ticks = []
    for number, rows in enumerate(ticks):
        messages, said = news("notices", problems(folder / str(number), *rows), said)
        messages_of_ticks.append(messages)
    return messages_of_ticks


def titles(messages: Sequence[Message]) -> list[str]:
    return [message.title for message in messages]


def test_each_notice_is_a_problem_of_its_own(tmp_path: Path) -> None:
    first, second = problems(
        tmp_path, notice("2026-50"), notice("2026-51"), notice("2026-1", state="known")
    )
    assert (first.subject, second.subject) == ("mofcom 2026-50", "mofcom 2026-51")
    assert (first.title, first.level) == ("mofcom 2026-50 is to be read", 1)
    assert first.lines == ("商务部: 公告 2026-50", "it names 镓", "https://example.org/a.html")


@pytest.mark.parametrize("days", [7, 8, 400])
def test_a_notice_is_said_once_however_long_it_waits(tmp_path: Path, days: int) -> None:
    first, later, much_later = said_over(
        tmp_path, [notice("2026-40")], [notice("2026-40", days_unread=days)],
        [notice("2026-40", days_unread=days + 1)],
    )  # fmt: skip
    assert (titles(first), later, much_later) == (["Kido: mofcom 2026-40 is to be read"], [], [])


def test_many_that_are_new_at_once_are_one_message_with_their_number(tmp_path: Path) -> None:
    many = [notice(f"2026-{number}") for number in range(100, 101 + MOST_AT_ONCE)]
    at_most = many[:MOST_AT_ONCE]
    (each,) = said_over(tmp_path / "at most", at_most)
    assert len(each) == MOST_AT_ONCE
    first, nothing, one_more = said_over(tmp_path / "more", many, many, [*many, notice("2026-999")])
    (message,) = first
    assert message.title == "Kido: 21 official notices are to be read"
    assert message.body.splitlines() == [
        *(f"mofcom 2026-{number} is to be read: 商务部: 公告 2026-{number}"
          for number in range(100, 112)),
        "… and 9 more lines", "", "http://ui",
    ]  # fmt: skip
    assert (nothing, titles(one_more)) == ([], ["Kido: mofcom 2026-999 is to be read"])


def test_private_notices_are_said_without_numbers_days_and_words(tmp_path: Path) -> None:
    canary = {"source": "gta", "title": "CANARY", "because": "CANARY", "url": "https://CANARY",
              "minerals": ["CANARY"]}  # fmt: skip
    rows = [notice(f"98765432{number}", **canary) for number in range(3)]
    ticks = said_over(tmp_path, rows[:1], rows[:1], rows)
    assert [titles(messages) for messages in ticks] == [
        ["Kido: A notice of gta is to be read"], [], ["Kido: 2 notices of gta are to be read"],
    ]  # fmt: skip
    assert ticks[2][0].body.splitlines() == [
        "A notice of gta is to be read: kido notices names it at the terminal", "", "http://ui",
    ]  # fmt: skip
    for problem in problems(tmp_path / "all", *rows):
        assert "98765432" not in f"{problem}"
        assert "CANARY" not in f"{problem}"


def test_what_is_recorded_of_a_notice_is_its_name_alone(tmp_path: Path) -> None:
    """The record is written each hour, and an inventory has thousands of them."""
    _, said = news("notices", problems(tmp_path, notice("2026-50")), {})
    assert said == {"mofcom 2026-50": Reported(level=1, has_end=False)}
    assert said["mofcom 2026-50"].model_dump(exclude_defaults=True) == {
        "level": 1, "has_end": False,
    }  # fmt: skip


def test_without_a_published_file_nothing_is_said(tmp_path: Path) -> None:
    assert list(unread_notices(Settings.load(home=tmp_path), "")) == []
