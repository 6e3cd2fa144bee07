"""Of the copies of a bundled document one counts on a day, as a home of that day had it."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pytest

from dagster_project.lake import copies as copies_module
from dagster_project.lake import landing as landing_module
from dagster_project.lake.copies import copies_of, left_out_on
from dagster_project.lake.landing import Landing, Origin, Snapshot
from dagster_project.lake.schemas import (
    ECONOMIES,
    MILESTONES,
    RECONCILED_TRADE,
    LakeTable,
)
from dagster_project.lake.store import Store
from dagster_project.lake.tables import Lake, Record

ORIGIN = Origin(producer="P", citation="C", licence="L", licence_url="U", url="U")
NAMES = ("flows.csv", "more.csv")
FIGURES, FACTS, LIST = RECONCILED_TRADE, MILESTONES, ECONOMIES
"""What counts from its retrieval, from when it was known, always."""


class Home:
    """A landing of which the clock is set; `brings` is what a version of the program does."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self._monkeypatch = monkeypatch

    @property
    def landing(self) -> Landing:
        return Landing(Store(str(self.folder)))

    def at(self, now: datetime) -> None:
        for module in (landing_module, copies_module):
            self._monkeypatch.setattr(module, "_now", lambda: now)

    def brings(self, now: datetime, **texts: str) -> dict[str, tuple[Snapshot, bool]]:
        self.at(now)
        landing = self.landing
        found = {
            document: landing.add(
                text.encode(),
                source="x",
                document=document,
                origin=ORIGIN,
                request=f"bundled {document}",
                media_type="text/csv",
                retrieved_at=datetime(2026, 1, 1),
                is_bundled=True,
            )
            for document, text in texts.items()
        }
        landing.mark_unbundled("x", list(texts))
        return found

    def counting(self, table: LakeTable, day: date) -> set[str]:
        """The bundled snapshots that count on a day."""
        copies = copies_of(self.landing, "x")
        return {one.snapshot_id for one in copies.snapshots} - copies.left_out(table, day)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    return Home(tmp_path / "landing", monkeypatch)


FIRST, SECOND, THIRD = (datetime(2026, month, 10, 12) for month in (3, 5, 7))
BEFORE, THEN, LATER, LATEST = (date(2026, month, 20) for month in (2, 4, 6, 8))


def test_on_each_day_the_copy_counts_that_was_there(home: Home) -> None:
    (old, _) = home.brings(FIRST, flows="old")["flows"]
    (new, is_new) = home.brings(SECOND, flows="new")["flows"]
    assert is_new
    assert home.counting(FIGURES, LATER) == {new.snapshot_id}
    assert home.counting(FIGURES, THEN) == {old.snapshot_id}
    # The day of the change is the newer one's.
    assert home.counting(FIGURES, SECOND.date()) == {new.snapshot_id}
    assert home.counting(FIGURES, date(2026, 5, 9)) == {old.snapshot_id}


def test_a_day_before_the_home_was_is_as_in_a_home_of_today(home: Home) -> None:
    home.brings(FIRST, flows="old")
    (new, _) = home.brings(SECOND, flows="new")["flows"]
    assert home.counting(FIGURES, BEFORE) == {new.snapshot_id}


def test_of_lists_and_facts_the_newest_text_counts_on_every_day(home: Home) -> None:
    home.brings(FIRST, flows="old")
    (new, _) = home.brings(SECOND, flows="new")["flows"]
    for day in (BEFORE, THEN, LATER):
        assert home.counting(FACTS, day) == home.counting(LIST, day) == {new.snapshot_id}


def test_a_version_before_brings_its_own_copy_again(home: Home) -> None:
    (old, _) = home.brings(FIRST, flows="old")["flows"]
    (new, _) = home.brings(SECOND, flows="new")["flows"]
    (again, is_new) = home.brings(THIRD, flows="old")["flows"]
    assert is_new
    assert again.sha256 == old.sha256
    assert home.counting(FIGURES, LATEST) == {again.snapshot_id}
    assert home.counting(FIGURES, LATER) == {new.snapshot_id}
    assert home.counting(FIGURES, THEN) == {old.snapshot_id}
    assert home.brings(datetime(2026, 8, 1), flows="old")["flows"] == (again, False)


def test_documents_are_apart(home: Home) -> None:
    """Two releases of a publisher are two documents, each bundled."""
    (one, _), (other, _) = home.brings(FIRST, flows="2025", more="2026").values()
    assert home.counting(FIGURES, LATER) == {one.snapshot_id, other.snapshot_id}
    changed = home.brings(SECOND, flows="2025", more="2026, corrected")["more"][0]
    assert home.counting(FIGURES, LATER) == {one.snapshot_id, changed.snapshot_id}


def test_a_document_that_left_the_bundle_counts_until_then(home: Home) -> None:
    (kept, _), (gone, _) = home.brings(FIRST, flows="a", more="b").values()
    home.brings(SECOND, flows="a")
    assert home.counting(FIGURES, LATER) == {kept.snapshot_id}
    assert home.counting(FIGURES, THEN) == {kept.snapshot_id, gone.snapshot_id}
    # As in a home of today: it never had the document.
    assert home.counting(FIGURES, BEFORE) == {kept.snapshot_id}
    assert home.counting(FACTS, THEN) == {kept.snapshot_id}
    assert list(home.landing.unbundled("x")) == [gone.snapshot_id]


def test_copies_of_a_document_that_left_do_not_come_up_again(home: Home) -> None:
    for now, text in ((FIRST, "old"), (SECOND, "new")):
        home.brings(now, flows="a", more=text)
    (kept, _) = home.brings(THIRD, flows="a")["flows"]
    assert home.counting(FIGURES, LATEST) == {kept.snapshot_id}
    assert len(home.landing.unbundled("x")) == 1


def test_a_document_under_a_new_name_is_another_although_its_bytes_are_the_same(
    home: Home,
) -> None:
    (old, _) = home.brings(FIRST, flows="a")["flows"]
    (new, is_new) = home.brings(SECOND, more="a")["more"]
    assert is_new
    assert home.counting(FIGURES, LATER) == {new.snapshot_id}
    assert home.counting(FIGURES, THEN) == {old.snapshot_id}


def test_a_document_that_left_and_comes_again_is_a_new_snapshot(home: Home) -> None:
    (old, _) = home.brings(FIRST, flows="a")["flows"]
    home.brings(SECOND, more="b")
    (again, is_new) = home.brings(THIRD, flows="a")["flows"]
    assert is_new
    assert home.counting(FIGURES, LATEST) == {again.snapshot_id}
    (other,) = home.counting(FIGURES, LATER)
    assert other not in (old.snapshot_id, again.snapshot_id)
    assert home.counting(FIGURES, THEN) == {old.snapshot_id}


def test_what_is_withdrawn_takes_no_ones_place(home: Home) -> None:
    (old, _) = home.brings(FIRST, flows="old")["flows"]
    (new, _) = home.brings(SECOND, flows="new")["flows"]
    home.landing.withdraw(new, by="me", reason="wrong")
    assert home.counting(FIGURES, LATER) == {old.snapshot_id}
    assert home.brings(THIRD, flows="new")["flows"] == (new, False)
    assert home.counting(FIGURES, LATEST) == {old.snapshot_id}
    landing = home.landing
    landing.reinstate(landing.withdrawn("x")[new.snapshot_id])
    assert home.counting(FIGURES, LATEST) == {new.snapshot_id}


def test_what_somebody_landed_is_no_copy(home: Home) -> None:
    """Neither replaces it a bundled document nor is it replaced by one, whatever its name."""
    home.brings(FIRST, flows="old")
    mine, is_new = home.landing.add(
        b"mine",
        source="x",
        document="flows",
        origin=ORIGIN,
        request="file flows",
        media_type="text/csv",
        retrieved_at=datetime(2026, 4, 1),
    )
    assert is_new
    (new, _) = home.brings(SECOND, flows="new")["flows"]
    assert home.counting(FIGURES, LATER) == {new.snapshot_id}
    assert mine.snapshot_id not in copies_of(home.landing, "x").left_out(FIGURES, LATER)
    assert home.landing.unbundled("x") == {}


def test_bytes_that_left_the_bundle_are_landed_by_who_brings_them(home: Home) -> None:
    (old, _) = home.brings(FIRST, flows="a")["flows"]
    given = {"source": "x", "document": "mine", "is_bundled": False}
    assert home.landing.equal_to(old.sha256, **given) == old
    home.brings(SECOND, more="b")
    assert home.landing.equal_to(old.sha256, **given) is None


def test_a_copy_that_is_not_typed_yet_takes_no_ones_place(home: Home, tmp_path: Path) -> None:
    """A build under way beside an upgrade reads what it can."""
    (old, _) = home.brings(FIRST, flows="old")["flows"]
    (new, _) = home.brings(SECOND, flows="new")["flows"]
    lake = Lake(Store(str(tmp_path / "lake")))
    record = Record(parser_version="1", tables={})
    lake.write("x", old.snapshot_id, {}, record)
    assert left_out_on(LATER, home.landing, lake, ["x"])(FIGURES) == frozenset()
    lake.write("x", new.snapshot_id, {}, record)
    assert left_out_on(LATER, home.landing, lake, ["x"])(FIGURES) == {old.snapshot_id}
    assert left_out_on(THEN, home.landing, lake, ["x"])(FIGURES) == {new.snapshot_id}


# A clock that was ahead.

AHEAD = datetime(2027, 3, 10, 12)


def test_after_a_clock_was_ahead_an_edit_replaces_the_copy_of_then(home: Home) -> None:
    home.brings(AHEAD, flows="old")
    (edited, is_new) = home.brings(SECOND, flows="edited")["flows"]
    assert is_new
    assert home.brings(SECOND, flows="edited")["flows"] == (edited, False)
    for table in (FIGURES, FACTS, LIST):
        assert home.counting(table, SECOND.date()) == {edited.snapshot_id}
    (again, _) = home.brings(THIRD, flows="edited again")["flows"]
    assert home.counting(FIGURES, LATEST) == {again.snapshot_id}
    assert home.counting(FIGURES, LATER) == {edited.snapshot_id}
    # Also when that day has come.
    home.at(datetime(2027, 5, 10))
    assert home.counting(FIGURES, date(2027, 5, 10)) == {again.snapshot_id}


def test_copies_that_a_clock_ahead_landed_are_there_from_now(home: Home) -> None:
    home.brings(FIRST, flows="old", more="b")
    ahead = home.brings(AHEAD, flows="new", more="c")
    home.at(SECOND)
    both = {snapshot.snapshot_id for snapshot, _ in ahead.values()}
    assert home.counting(FIGURES, SECOND.date()) == both
    (edited, _) = home.brings(SECOND, flows="edited", more="c")["flows"]
    assert home.counting(FIGURES, SECOND.date()) == {
        edited.snapshot_id,
        ahead["more"][0].snapshot_id,
    }
    assert not home.counting(FIGURES, THEN) & both


def test_a_document_that_a_clock_ahead_left_out_is_left_out_from_now(home: Home) -> None:
    (kept, _), _ = home.brings(FIRST, flows="a", more="b").values()
    home.brings(AHEAD, flows="a")
    home.at(SECOND)
    assert home.counting(FIGURES, SECOND.date()) == {kept.snapshot_id}
