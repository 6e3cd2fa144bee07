"""The published facts on restrictions and milestones, against the lists they were transcribed from.

The status of a day is worked out here from the list's days, one day after the other, by the rules
of the contract; nothing of the project's own reading takes part.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from itertools import groupby
from typing import Any

import pytest

from tests.conftest import SHARED, needs_reference

Rows = Callable[..., list[tuple[Any, ...]]]
Listed = Mapping[str, str]

FIRST_DAY, LAST_DAY = date(2010, 1, 1), date(2028, 12, 31)
"""No clause changes before or after."""


def listed(record: str) -> list[Listed]:
    """The clauses or the milestones of the list."""
    return [row for row in _list("restriction_clauses.csv") if row["record"] == record]


def _list(name: str) -> list[Listed]:
    with (SHARED / "reference" / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def status_on(day: date, clause: Listed) -> str | None:
    def reached(column: str) -> bool:
        return bool(clause[column]) and date.fromisoformat(clause[column]) <= day

    def passed(column: str) -> bool:
        return bool(clause[column]) and date.fromisoformat(clause[column]) < day

    if passed("ended"):
        return "ended"
    if reached("unknown_from"):
        return "unknown"
    if reached("suspended_from") and not passed("suspended_to"):
        return "suspended"
    if reached("effective"):
        return "in_force"
    return "announced" if reached("announced") else None


def intervals(clause: Listed) -> Iterator[tuple[str, str, date, date | None]]:
    days = [FIRST_DAY + timedelta(n) for n in range((LAST_DAY - FIRST_DAY).days + 1)]
    for status, same in groupby(days, key=lambda day: status_on(day, clause)):
        first, *others = same
        last = others[-1] if others else first
        if status:
            end = None if last == LAST_DAY else last + timedelta(1)
            yield clause["clause_id"], status, first, end


@needs_reference
def test_every_interval_of_every_clause_follows_from_the_days_of_the_list(rows: Rows) -> None:
    expected = sorted(interval for clause in listed("clause") for interval in intervals(clause))
    found = rows("select clause_id, status, valid_from, valid_to from exposure.measure_status")
    assert len({clause for clause, *_ in found}) == 49
    assert sorted(found) == expected


@needs_reference
@pytest.mark.parametrize(
    "day",
    [
        "2010-10-01", "2023-11-03", "2025-10-20", "2026-02-05", "2026-11-10", "2026-11-11",
        "2026-11-27", "2026-11-28",
    ],
)  # fmt: skip
def test_the_status_of_every_clause_on_a_day(rows: Rows, day: str) -> None:
    asked = date.fromisoformat(day)
    expected = {
        clause["clause_id"]: status
        for clause in listed("clause")
        if (status := status_on(asked, clause))
    }
    assert len(expected) > 1
    found = rows(
        "select clause_id, status from exposure.measure_status "
        "where valid_from <= $1 and (valid_to is null or valid_to > $1)",
        asked,
    )
    assert dict(found) == expected


@needs_reference
def test_every_published_measure_has_the_days_number_and_target_of_the_list(rows: Rows) -> None:
    expected = sorted(
        (
            clause["clause_id"], clause["measure_id"], clause["official_reference"],
            clause["implementer_iso3"], clause["direction"],
            clause["gta_type_id"], clause["announced"], clause["date_precision"],
            clause["effective"], clause["ended"], clause["known_at"], clause["target_iso3"],
            clause["target_class"], name, clause["evidence_class"], clause["source"],
            clause["source_url"],
        )
        for clause in listed("clause")
        for name in clause["target_name"].split(";")
    )  # fmt: skip
    found = rows(
        "select clause_id, measure_id, official_reference, implementer_iso3, direction, "
        "gta_code, announced_date::varchar, date_precision, effective_date::varchar, "
        "ended_date::varchar, known_at::varchar, target_iso3, target_class, target_name, "
        "evidence_class, citation, source_url from exposure.measures"
    )
    assert sorted(tuple(cell or "" for cell in row) for row in found) == expected


def test_titles_tell_measures_apart(rows: Rows) -> None:
    found = rows("select title, count(distinct clause_id) from exposure.measures group by title")
    assert len(found) == 49
    assert {clauses for _, clauses in found} == {1}


@needs_reference
def test_every_row_of_scope_is_published_and_a_heading_as_each_of_its_codes(rows: Rows) -> None:
    with (SHARED / "data/classifications/harmonized-system.csv").open(encoding="utf-8") as file:
        codes = {row["hscode"] for row in csv.DictReader(file) if len(row["hscode"]) == 6}
    scope = _list("restriction_scope.csv")
    assert len(scope) == 387
    expected = sorted(
        (
            row["clause_id"], code, row["mineral"], float(row["control_share_low"]),
            float(row["control_share_high"]), row["basis"], row["source_codes"],
            row["correction_reason"],
        )
        for row in scope
        for code in codes
        if code.startswith(row["hs_code"])
    )  # fmt: skip
    found = rows(
        "select clause_id, hs6_code, mineral, control_share_low, control_share_high, basis, "
        "coalesce(source_codes, ''), coalesce(correction_reason, '') from exposure.measure_scope"
    )
    assert sorted(found) == expected


PLANNED = {"JP-2027-02-FULL": "2027-02-01"}
"""What has not happened: the list gives the day of its announcement as the event, and the day it is
planned for as its effect."""


@needs_reference
def test_every_milestone_of_the_list_is_published_with_its_days(rows: Rows) -> None:
    found = {
        row[0]: row[1:]
        for row in rows(
            "select milestone_id, official_reference, economy_iso3, announced_date::varchar, "
            "coalesce(event_date, planned_date)::varchar, "
            "ended_date::varchar, known_at::varchar, evidence_class, citation, source_url "
            "from exposure.milestones"
        )
    }
    own = listed("milestone")
    assert len(own) == 24
    for row in own:
        cells = tuple(cell or "" for cell in found[row["clause_id"]])
        assert cells == (
            row["official_reference"], row["implementer_iso3"] or row["target_iso3"],
            row["announced"], PLANNED.get(row["clause_id"], row["event_date"]), row["ended"],
            row["known_at"], row["evidence_class"], row["source"], row["source_url"],
        )  # fmt: skip


@needs_reference
def test_every_entity_that_the_list_names_is_a_listed_company(rows: Rows) -> None:
    expected = sorted(
        (clause["clause_id"], name, clause["target_iso3"], clause["known_at"], clause["source"],
         clause["source_url"])
        for clause in listed("clause")
        if clause["target_class"] == "entity"
        for name in clause["target_name"].split(";")
        if name != "unnamed"
    )  # fmt: skip
    assert len(expected) == 66
    found = rows(
        "select clause_id, company, home_iso3, known_at::varchar, citation, source_url "
        "from exposure.company_exposure where evidence = 'listed'"
    )
    assert sorted(tuple(cell or "" for cell in row) for row in found) == expected


def test_what_companies_are_exposed_to_has_its_grade_and_its_source(rows: Rows) -> None:
    # Lists of twenty: of the one of June 2026 six names are known.
    assert rows(
        "select clause_id, evidence, count(*) from exposure.company_exposure group by all "
        "order by all"
    ) == [
        ("CN-2025-18", "disclosed", 1), ("CN-2026-06-LIST", "listed", 6),
        ("CN-2026-11", "listed", 20), ("CN-2026-12", "listed", 20), ("CN-2026-28", "listed", 20),
    ]  # fmt: skip
    # TDK spoke of materials before it was listed, and named no mineral.
    assert rows(
        "select clause_id, evidence, evidence_class, minerals, known_at::varchar "
        "from exposure.company_exposure where company = 'TDK' order by clause_id"
    ) == [
        ("CN-2025-18", "disclosed", "reported", [], "2026-02-02"),
        ("CN-2026-12", "listed", "official", [], "2026-02-24"),
    ]  # fmt: skip
    [(statement,)] = rows(
        "select statement from exposure.company_exposure where evidence = 'disclosed'"
    )
    assert "Procurement of materials has reached an extremely difficult stage." in statement


def test_what_is_inferred_is_named_beside_it(rows: Rows) -> None:
    found = {
        (clause, name): inferred
        for clause, name, inferred in rows(
            "select clause_id, target_name, inferred from exposure.measures"
        )
    }
    # Its announcement and its number were not read; the number of the quota notice was not found.
    assert found["CN-2015-05-DUTYEND", ""] == ["announced_date", "known_at", "official_reference"]
    assert found["CN-2010-07-QUOTA", ""] == ["official_reference"]
    # Immediate effect was not read in its text; 18/2025 was read as a whole.
    assert found["CN-2025-62", ""] == ["effective_date"]
    assert found["CN-2025-18", ""] == []
    # Of the list of twenty 14 names were not read.
    assert found["CN-2026-06-LIST", "unnamed"] == ["target_name"]
    assert found["CN-2026-06-LIST", "MHI Logitech"] == []
    assert ("CN-2026-11", "unnamed") not in found
