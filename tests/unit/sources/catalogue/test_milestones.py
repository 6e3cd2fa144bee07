"""Milestones: what happened and what is planned, and one sentence per mistake."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.errors import UpstreamFormatError
from dagster_project.sources import catalogue
from tests.conftest import needs_reference
from tests.nightly import times
from tests.unit.sources.catalogue.examples import (
    DOCUMENT,
    MILESTONE,
    as_text,
    reference,
    rejection_of,
    row,
)


def test_milestones_say_what_happened_and_what_is_only_planned(frames):
    milestones = frames["milestones"]
    trial = row(milestones, "milestone_id", "JP-2027-02-FULL")
    assert (trial["planned_date"], trial["event_date"]) == (date(2027, 2, 1), None)
    assert trial["planned_precision"] == "month"
    assert trial["project"] == "MINAMITORISHIMA"
    lift = row(milestones, "milestone_id", "JP-2026-02-FIRST-LIFT")
    assert lift["event_date"] == date(2026, 2, 1)
    for depth in ("5,600 m", "5,700 m", "6,000 m"):
        assert depth in lift["statement"]
    # The aim of the test; the release of JAMSTEC claims no record.
    assert "first continuous" not in lift["statement"]
    told = row(milestones, "milestone_id", "JP-2026-02-TDK")
    assert told["kind"] == "disclosure"
    # The chief financial officer spoke of materials.
    assert "materials" in told["title"]
    assert "rare earth" not in told["title"]
    assert set(milestones["kind"]) == {
        "dispute", "remark", "supply_project", "disclosure", "partnership", "arrangement",
    }  # fmt: skip


def test_a_day_that_was_stated_is_a_field_with_the_day_it_was_known(frames):
    milestones = frames["milestones"]
    arrangement = row(milestones, "milestone_id", "CN-2026-09-KL-EXTENSION")
    assert arrangement["kind"] == "arrangement"
    assert arrangement["planned_date"] == date(2027, 1, 10)
    assert arrangement["known_at"] == date(2026, 9, 28)
    # The statement of 28 September names neither the suspension nor what it suspends.
    assert {"CN-2025-70", "CN-2025-57"} <= set(arrangement["clauses"])
    assert "names neither that suspension nor a notice of October 2025" in arrangement["statement"]
    case = row(milestones, "milestone_id", "US-2026-01-PROC11001")
    assert (case["review_date"], case["planned_precision"]) == (date(2026, 7, 13), None)
    samarium = row(milestones, "milestone_id", "JP-2026-02-SOJITZ-SM")
    assert (samarium["planned_date"], samarium["planned_precision"]) == (date(2026, 4, 1), "month")


@needs_reference
def test_the_milestones_of_the_list_have_its_days(frames):
    listed = [row for row in reference("restriction_clauses.csv") if row["record"] == "milestone"]
    assert len(listed) == 24
    for own in listed:
        found = row(frames["milestones"], "milestone_id", own["clause_id"])
        assert as_text(found["announced_date"]) == own["announced"]
        assert as_text(found["ended_date"]) == own["ended"]
        assert as_text(found["known_at"]) == own["known_at"]
        assert found["evidence_class"] == own["evidence_class"]
        assert found["citation"] == own["source"]
        assert as_text(found["source_url"]) == own["source_url"]
        assert as_text(found["official_reference"]) == own["official_reference"]
        assert found["economy_iso3"] == (own["implementer_iso3"] or own["target_iso3"])
        if found["event_date"] is not None or found["planned_date"] is None:
            assert as_text(found["event_date"]) == own["event_date"]
        else:  # The list's event is the announcement; what is planned has not happened.
            assert as_text(found["planned_date"]) == own["effective"]
            assert as_text(found["announced_date"]) == own["event_date"]


@given(st.text(max_size=60))
@settings(max_examples=times(at_night=150, by_day=37))
def test_whatever_stands_in_a_field_is_read_or_rejected_in_one_sentence(text):
    payload = MILESTONE.replace("title: A remark", f"title: {text}")
    try:
        found = catalogue.parse(payload.encode(), DOCUMENT)
    except UpstreamFormatError:
        rejection_of(payload)
    else:
        assert found["milestones"].height == 1


@pytest.mark.parametrize(
    ("text", "old", "new", "names"),
    [
        (MILESTONE, "kind: remark", "kind: rumour", ("M-1", "`kind`", "rumour")),
        (MILESTONE, "    known: 2025-01-11\n", "", ("M-1", "`known` is missing")),
        (MILESTONE, "    evidence", "    ended: 2025-01-09\n    evidence", ("M-1", "2025-01-09")),
        (MILESTONE, "kind: remark", "kind: arrangement", ("M-1", "arrangement", "`planned`")),
        (MILESTONE, "    known", "    planned_precision: week\n    known", ("M-1", "week")),
    ],
)
def test_a_mistake_in_a_milestone_names_it(text, old, new, names):
    assert old in text
    message = rejection_of(text.replace(old, new, 1))
    for name in names:
        assert name in message, message
