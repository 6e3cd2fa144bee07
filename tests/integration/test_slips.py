"""A slip is stopped by name or changes nothing that is known; an honest revision goes through.

Each file is landed as `kido land` lands it, beside figures that are known: a sample of those that
come with the project, and an answer of UN Comtrade.
"""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from dagster_project.errors import KidoError
from dagster_project.intake.land import Brought, land_files
from dagster_project.intake.stores import lake_of
from dagster_project.lake.schemas import LAKE_TABLES
from dagster_project.lake.vintages import rows_that_count
from dagster_project.settings import Settings
from dagster_project.sources.registry import source_named, source_names
from tests.conftest import SHARED, needs_shared
from tests.integration.slips import LAYOUTS, Case, Counts, Slip, case_of
from tests.integration.slips_of_lists import CASES as CASES_OF_LISTS

BEFORE = date(2026, 6, 30)
"""Day on which the known figures were retrieved."""

CASES: Mapping[str, Callable[[], Case]] = {
    **{str(layout): (lambda layout=layout: case_of(layout)) for layout in LAYOUTS},
    **CASES_OF_LISTS,
}
Rows = Mapping[str, pl.DataFrame]


class Home:
    """A home in which a file is landed; each attempt to land another begins from there."""

    def __init__(self, root: Path, case: Case) -> None:
        self._source = source_named(case.source)
        self._template, self._home, self._files = root / "known", root / "home", root / "files"
        self._files.mkdir()
        land(self._template, case.source, self._write(case.file, case.known), BEFORE)
        shutil.copytree(self._template, self._home)
        self._bytes = held(self._home)
        self.known = self._rows()

    def _write(self, name: str, payload: bytes) -> Path:
        path = self._files / name
        path.write_bytes(payload)
        return path

    def _rows(self) -> Rows:
        """The rows that count, without those columns that say how they came."""
        lake, today = lake_of(Settings.load(home=self._home)), datetime.now(UTC).date()
        found = {}
        for name in self._source.CARD.tables:
            table = LAKE_TABLES[name]
            rows = lake.rows(table, self._source.CARD.name)
            if rows is not None:
                counting = rows_that_count(table, table.conform(rows.collect()), today)
                found[name] = counting.drop("document", "vintage_at", "snapshot_id")
        return found

    def land(self, name: str, payload: bytes) -> Brought:
        return land(self._home, self._source.CARD.name, self._write(name, payload))

    def is_as_before(self) -> bool:
        return held(self._home) == self._bytes

    def differing(self) -> list[str]:
        """Tables in which a row that was known is not there as it was."""
        now = self._rows()
        return [
            name
            for name, rows in self.known.items()
            if rows.join(now[name], on=rows.columns, how="anti", nulls_equal=True).height
        ]

    def undo(self) -> None:
        shutil.rmtree(self._home)
        shutil.copytree(self._template, self._home)


def land(home: Path, source: str, file: Path, retrieved: date | None = None) -> Brought:
    return land_files(Settings.load(home=home), source_named(source), [file], retrieved)


def held(home: Path) -> dict[str, bytes]:
    return {
        path.relative_to(home).as_posix(): path.read_bytes()
        for path in home.rglob("*")
        if path.is_file()
    }


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]()


@pytest.fixture
def home(tmp_path: Path, case: Case) -> Home:
    return Home(tmp_path, case)


def test_a_slip_is_stopped_by_name_or_changes_nothing_that_is_known(case: Case, home: Home) -> None:
    wrong = [f"{slip}: {found}" for slip in case.slips if (found := outcome(home, slip))]
    assert not wrong, "\n".join(wrong)


def outcome(home: Home, slip: Slip) -> str:
    """What is wrong with what became of a slip; empty where nothing is."""
    try:
        home.land(slip.file, slip.payload)
    except KidoError as error:
        if not home.is_as_before():
            return f"refused, and something was written ({error})"
        return "" if any(re.search(word, str(error)) for word in slip.words) else str(error)
    differing = home.differing()
    home.undo()
    return f"landed and changed {differing}" if differing else ""


def test_an_honest_revision_goes_through_and_says_what_it_does(case: Case, home: Home) -> None:
    for revision in case.honest:
        try:
            brought = home.land(revision.file, revision.payload)
        except KidoError as error:
            pytest.fail(f"{revision}: {error}")
        home.undo()
        (taken,) = brought.taken
        assert taken.is_new, revision
        assert not any(taken.set_aside.values()), revision
        said = {
            one.table: Counts(one.added, one.unchanged, one.changed, one.removed)
            for one in taken.revisions
        }
        for table, counts in revision.counts.items():
            assert said[table] == counts, revision
        for one in taken.revisions:
            assert one.objections == (), revision
            assert len(list(one.lines())) == 1 + bool(one.groups), revision


def test_there_are_200_slips_and_40_honest_revisions_of_all_sources() -> None:
    cases = [make() for make in CASES.values()]
    assert {case.source for case in cases} == set(source_names())
    kinds = Counter(slip.kind for case in cases for slip in case.slips)
    assert kinds.keys() == {
        "units", "column shifted", "columns swapped", "column zeroed", "column blank",
        "sign turned", "years moved", "file doubled", "file cut", "period of zeros",
        "partner dropped", "year dropped", "country renamed", "last year's file", "half dropped",
    }  # fmt: skip
    assert all(count >= 5 for count in kinds.values())
    assert kinds.total() >= 200
    assert sum(len(case.honest) for case in cases) >= 40
    for case in cases:
        payloads = [one.payload for one in (*case.slips, *case.honest)]
        assert case.known not in payloads
        assert len({(one.payload, one.file) for one in (*case.slips, *case.honest)}) == len(payloads)
