"""What is to be read, on small published files made by hand."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project import words
from dagster_project.errors import PublicationError
from dagster_project.serving.notices import (
    notices_in,
    print_notices,
    private_by_source,
    publishers_asked,
)
from dagster_project.sources.registry import source_named
from tests.unit.serving.test_answers import published

TODAY = date(2026, 11, 29)
RELEASE = {"release_id": "20261129T010000-abc", "as_of": TODAY}


def notice(notice_id: str, **more: Any) -> dict[str, Any]:
    """A row of `exposure.notices`, which counts from the day of its publication."""
    more.setdefault("known_at", more.get("published_at", date(2026, 11, 28)))
    return {
        "source": "mofcom", "notice_id": notice_id, "published_at": date(2026, 11, 28),
        "issuer": "商务部", "title": f"公告 {notice_id}", "url": "https://example.org/a.html",
        "minerals": ["gallium"], "state": "to_be_read", "because": "it names 镓",
        "read_at": datetime(2026, 11, 29, 1), "days_unread": 0, **more,
    }  # fmt: skip


def source(name: str, *, is_redistributable: bool = True) -> dict[str, Any]:
    return {"source": name, "title": name, "is_redistributable": is_redistributable}


def snapshot(name: str) -> dict[str, Any]:
    return {"snapshot_id": f"{name}-1", "source": name}


def file_of(folder: Path, *rows: dict[str, Any]) -> Path:
    return published(
        folder,
        catalog__releases=[RELEASE],
        catalog__sources=[
            source("mofcom"),
            source("oecd_restrictions"),
            source("gta", is_redistributable=False),
        ],
        catalog__snapshots=[snapshot("mofcom"), snapshot("baci")],
        exposure__notices=rows,
    )


def page(folder: Path, capsys: pytest.CaptureFixture[str], *rows: dict[str, Any]) -> str:
    file = file_of(folder, *rows)
    print_notices(notices_in(file, TODAY), publishers_asked(file))
    return capsys.readouterr().out


def test_the_newest_notice_is_first_and_has_its_link(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = page(
        tmp_path, capsys,
        notice("2026-49", published_at=date(2026, 11, 2)), notice("2026-50"),
        notice("2026-1", state="known"),
    )  # fmt: skip
    assert lines.index("2026-11-28  mofcom 2026-50") < lines.index("2026-11-02  mofcom 2026-49")
    assert "https://example.org/a.html" in lines
    assert "mofcom 2026-1\n" not in lines
    assert "2 notices to be read." in lines
    assert "notices.yaml" in lines


def test_a_notice_is_overdue_after_seven_days_in_which_it_could_be_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = page(
        tmp_path, capsys, notice("2026-40", days_unread=8), notice("2026-41", days_unread=7)
    )
    assert "unread for 8 days" in lines
    assert "unread for 7 days" not in lines


def test_days_go_on_in_a_file_of_an_earlier_day(tmp_path: Path) -> None:
    file = file_of(
        tmp_path, notice("2026-40", days_unread=6),
        notice("2026-1", state="known", days_unread=None),
    )  # fmt: skip
    day = date(2026, 12, 1)
    assert [each.days_unread for each in notices_in(file, day, every=True)] == [None, 8]
    assert [each.days_unread for each in notices_in(file, date(2026, 11, 20))] == [6]


def test_nothing_to_read_is_not_nobody_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "Nothing is to be read of mofcom." in page(tmp_path, capsys)
    print_notices([], [])
    assert "No publisher of notices was asked" in capsys.readouterr().out


def test_all_notices_are_listed_with_their_state(tmp_path: Path) -> None:
    file = file_of(tmp_path, notice("2026-1", state="known"), notice("2026-2"))
    assert [each.state for each in notices_in(file, TODAY, every=True)] == ["known", "to_be_read"]


def test_the_owner_reads_private_notices_at_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    private = notice("7", source="gta", title="CANARY")
    lines = page(tmp_path, capsys, private, notice("2026-50"))
    assert ("gta 7" in lines, "CANARY" in lines) == (True, True)


def test_private_notices_are_counted_by_their_source(tmp_path: Path) -> None:
    private = [notice(number, source="gta") for number in ("7", "8")]
    assert private_by_source(notices_in(file_of(tmp_path, *private, notice("9")), TODAY)) == [
        ("gta", 2)
    ]


def test_a_publisher_of_notices_that_may_not_be_passed_on_is_private() -> None:
    """So the page, which asks the first, and what is new, which asks the second, agree."""
    cards = [source_named(name).CARD for name in words.NOTICE_SOURCES]
    assert [card.name for card in cards if card.is_private] == ["gta"]
    assert [card.name for card in cards if not card.is_redistributable] == ["gta"]


def test_a_file_of_an_earlier_version_is_named(tmp_path: Path) -> None:
    file = tmp_path / "old.duckdb"
    duckdb.connect(str(file)).close()
    with pytest.raises(PublicationError, match=r"old\.duckdb is of an earlier version"):
        notices_in(file, TODAY)
