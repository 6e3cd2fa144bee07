"""What hits an importer on a day, asked of the view `exposure.measure_timeline`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from dagster_project.settings import Settings
from dagster_project.sources.registry import source_named
from tests.conftest import needs_reference
from tests.e2e.conftest import run_kido
from tests.e2e.test_facts_of_the_catalogue import intervals, listed
from tests.integration.marts import marts_of

Rows = Callable[..., list[tuple[Any, ...]]]

FIRST_DAY, LAST_DAY = date(2010, 1, 1), date(2028, 12, 31)

STATES: Mapping[str, Sequence[tuple[str, str]]] = {
    "CN-2025-57": [
        ("announced", "2025-10-09"), ("suspended", "2025-11-07"), ("unknown", "2026-11-11"),
    ],
    "CN-2024-46-2": [
        ("in_force", "2024-12-03"), ("suspended", "2025-11-09"), ("unknown", "2026-11-28"),
    ],
    "CN-2024-46-1": [("in_force", "2024-12-03")],
    "CN-2025-18": [("in_force", "2025-04-04")],
    "CN-2025-61-C": [
        ("in_force", "2025-10-09"), ("suspended", "2025-11-07"), ("unknown", "2026-11-11"),
    ],
    "CN-2025-68": [
        ("announced", "2025-10-26"), ("in_force", "2026-01-01"), ("ended", "2028-01-01"),
    ],
    "CN-2023-23": [("announced", "2023-07-03"), ("in_force", "2023-08-01")],
    "CN-2026-1": [("in_force", "2026-01-06")],
}  # fmt: skip
"""The first day of each state, from the texts of the acts; a legal "until D" covers D."""


@pytest.mark.parametrize("clause", STATES)
def test_the_status_of_every_day_from_2010_to_2028(rows: Rows, clause: str) -> None:
    found: dict[date, list[str]] = {}
    for day, status in rows(
        "select cast(days.range as date), timeline.status "
        f"from range(date '{FIRST_DAY}', date '{LAST_DAY + timedelta(1)}', interval 1 day) as days "
        "inner join exposure.measure_timeline as timeline on timeline.valid_from <= days.range "
        "and (timeline.valid_to is null or timeline.valid_to > days.range) "
        "where timeline.clause_id = ?",
        clause,
    ):
        found.setdefault(day, []).append(status)
    status: list[str] = []
    begins = {date.fromisoformat(first): state for state, first in STATES[clause]}
    for number in range((LAST_DAY - FIRST_DAY).days + 1):
        day = FIRST_DAY + timedelta(number)
        status = [begins[day]] if day in begins else status
        assert found.get(day, []) == status, day


@needs_reference
def test_the_view_has_every_interval_of_the_list_for_every_target(rows: Rows) -> None:
    expected = {interval for clause in listed("clause") for interval in intervals(clause)}
    found = rows(
        "select distinct clause_id, status, valid_from, valid_to from exposure.measure_timeline"
    )
    assert set(found) == expected
    assert rows(
        "select clause_id, target_name from exposure.measures "
        "except select clause_id, target_name from exposure.measure_timeline"
    ) == []  # fmt: skip


def test_a_clause_has_its_codes_and_minerals_in_the_view(rows: Rows) -> None:
    ((codes, minerals),) = rows(
        "select hs6_codes, minerals from exposure.measure_timeline where clause_id = 'CN-2025-18'"
    )
    assert codes == ["280530", "284690", "382499", "848690", "850511"]
    assert minerals == [
        "dysprosium", "gadolinium", "lutetium", "samarium", "scandium", "terbium", "yttrium",
    ]  # fmt: skip
    assert rows("select hs6_codes from exposure.measure_timeline where clause_id = 'CN-2025-70'")[
        0
    ] == ([],)


HITS_JAPAN = """
select distinct clause_id, status, valid_to
from timeline
where target_iso3 in ('ALL', 'JPN') and implementer_iso3 = 'CHN'
    and valid_from <= day and (valid_to is null or valid_to > day)
"""

REPLAYS: Mapping[date, Mapping[str, tuple[str, date | None] | None]] = {
    date(2025, 10, 20): {
        "CN-2025-18": ("in_force", None),
        "CN-2025-61-C": ("in_force", None),
        "CN-2025-57": ("announced", date(2025, 11, 8)),
        "CN-2025-70": None,
    },
    date(2025, 11, 20): {
        "CN-2025-57": ("suspended", date(2026, 11, 11)),
        "CN-2025-61-C": ("suspended", date(2026, 11, 11)),
        "CN-2025-18": ("in_force", None),
        "CN-2025-70": ("in_force", date(2026, 11, 11)),
        "CN-2026-1": None,
    },
    date(2026, 2, 10): {
        "CN-2026-1": ("in_force", None),
        # Known, and how long it holds is not.
        "CN-2026-02-PERMITS": ("unknown", None),
        "CN-2025-18": ("in_force", None),
        "CN-2025-57": ("suspended", date(2026, 11, 11)),
        "CN-2026-11": None,
        "CN-2026-12": None,
    },
}
"""What was known on a day: status and the day it was to end; None where nobody knew the clause."""


@pytest.mark.parametrize("day", REPLAYS)
def test_what_hits_japan_as_it_was_known_on_a_day(
    small: Path, day: date, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIDO_HOME", str(small))
    marts = marts_of(
        Settings.load(), source_named("catalogue"), ("exposure.measure_timeline",), day=day
    )
    frame = marts["exposure.measure_timeline"]
    found = {
        clause: (status, until)
        for clause, status, until in pl.SQLContext(timeline=frame)
        .execute(HITS_JAPAN.replace("day", f"date '{day}'"), eager=True)
        .iter_rows()
    }
    assert {clause: found.get(clause) for clause in REPLAYS[day]} == REPLAYS[day]
    assert frame["known_at"].max() <= day  # type: ignore[operator]


def test_a_terminal_shows_what_hits_japan_on_a_day(built: Path) -> None:
    result = run_kido(built, "measures", "Japan", "--on", "2026-01-20")
    assert result.returncode == 0, result.stderr
    page = result.stdout
    assert "Japan: what hits it on 2026-01-20" in page
    in_force, suspended = page.index("In force"), page.index("Suspended")
    assert in_force < page.index("CN-2026-1  from 2026-01-06") < suspended
    assert suspended < page.index("CN-2025-57  from 2025-11-07 to 2026-11-10")
    # A list of companies of February: it changes in the next 90 days, and hits nobody yet.
    assert "CN-2026-12  from" not in page
    assert "CN-2024-46" not in page, "aimed at the United States"
    assert max(map(len, page.splitlines())) <= 80 or "kido build --as-of" in page


def test_what_a_terminal_shows_of_a_file_before_the_catalogue_begins(built: Path) -> None:
    result = run_kido(built, "measures", "JPN", "--on", "2009-06-01")
    assert result.returncode == 0
    assert "No clause of the catalogue bears on it." in result.stdout
