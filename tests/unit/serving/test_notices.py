"""What is to be read, on small published files made by hand."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.errors import PublicationError
from dagster_project.serving.notices import notices_in, print_notices, publishers_asked
from tests.unit.serving.test_answers import published

TODAY = date(2026, 11, 29)


def notice(notice_id: str, **more: Any) -> dict[str, Any]:
    """A row of `exposure.notices`."""
    return {
        "source": "mofcom", "notice_id": notice_id, "published_at": date(2026, 11, 28),
        "issuer": "商务部", "title": f"公告 {notice_id}", "url": "https://example.org/a.html",
        "minerals": ["gallium"], "state": "to_be_read", "because": "it names 镓",
        "read_at": datetime(2026, 11, 29, 1), **more,
    }  # fmt: skip


def source(name: str, *, is_redistributable: bool = True) -> dict[str, Any]:
    return {"source": name, "title": name, "is_redistributable": is_redistributable}


def snapshot(name: str) -> dict[str, Any]:
    return {"snapshot_id": f"{name}-1", "source": name}


def file_of(folder: Path, *rows: dict[str, Any]) -> Path:
    return published(
        folder,
        catalog__sources=[source("mofcom"), source("gta", is_redistributable=False)],
        catalog__snapshots=[snapshot("mofcom"), snapshot("baci")],
        exposure__notices=rows,
    )


def page(folder: Path, capsys: pytest.CaptureFixture[str], *rows: dict[str, Any]) -> str:
    file = file_of(folder, *rows)
    print_notices(notices_in(file), publishers_asked(file), TODAY)
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
        tmp_path, capsys,
        notice("2026-40", published_at=date(2026, 11, 1), read_at=datetime(2026, 11, 21, 1)),
        notice("2026-41", published_at=date(2026, 11, 1), read_at=datetime(2026, 11, 22, 1)),
    )  # fmt: skip
    assert "unread for 8 days" in lines
    assert "unread for 7 days" not in lines


def test_nothing_to_read_is_not_nobody_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "Nothing is to be read of mofcom." in page(tmp_path, capsys)
    print_notices([], [], TODAY)
    assert "No publisher of notices was asked" in capsys.readouterr().out


def test_all_notices_are_listed_with_their_state(tmp_path: Path) -> None:
    file = file_of(tmp_path, notice("2026-1", state="known"), notice("2026-2"))
    assert [each.state for each in notices_in(file, every=True)] == ["known", "to_be_read"]


def test_the_title_of_a_private_notice_is_for_the_owner_alone(tmp_path: Path) -> None:
    file = file_of(tmp_path, notice("7", source="gta", title="CANARY"))
    [private] = notices_in(file)
    assert private.is_private
    assert (private.title, "CANARY" in private.shown_title) == ("CANARY", False)


def test_a_file_of_an_earlier_version_is_named(tmp_path: Path) -> None:
    file = tmp_path / "old.duckdb"
    duckdb.connect(str(file)).close()
    with pytest.raises(PublicationError, match=r"old\.duckdb is of an earlier version"):
        notices_in(file)
