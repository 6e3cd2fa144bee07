"""Which notices clauses name, which are not relevant, and one sentence per mistake."""

from datetime import date

import pytest

from dagster_project.sources import catalogue
from tests.unit.sources.catalogue.examples import DOCUMENT, FILES, MEASURE, rejection_of

ASIDE = """
notices:
  - {source: mofcom, notices: ["2026-99", "2026-98"], reason: on tyres, decided: 2026-11-29}
  - {source: federal_register, through: 2025-12-31, reason: read before, decided: 2026-11-29}
...
"""


def decisions_of(text: str | bytes) -> list[dict[str, object]]:
    payload = text.encode() if isinstance(text, str) else text
    return catalogue.parse(payload, DOCUMENT)["notice_decisions"].to_dicts()


@pytest.mark.parametrize(
    ("number", "clauses", "known"),
    [
        ("2026-1", ["CN-2026-1"], date(2026, 1, 6)),
        ("2025-57", ["CN-2025-57"], date(2025, 10, 9)),
        ("2025-18", ["CN-2025-18"], date(2025, 4, 4)),
        ("2025-61", ["CN-2025-61-EXTRA", "CN-2025-61-EXTRA-B"], date(2025, 10, 9)),
    ],
)
def test_the_clauses_of_the_catalogue_name_their_notices(
    number: str, clauses: list[str], known: date
) -> None:
    rows = [row for row in decisions_of(FILES["measures.yaml"]) if row["notice_id"] == number]
    assert {str(row["clause_id"])[:10] for row in rows} == {clause[:10] for clause in clauses}
    assert len(rows) == len(clauses)
    assert {(row["publisher"], row["known_at"]) for row in rows} == {("mofcom", known)}


def test_a_notice_that_was_put_aside_has_a_reason_and_a_day() -> None:
    first, second, rest = decisions_of(ASIDE)
    assert [row["notice_id"] for row in (first, second)] == ["2026-99", "2026-98"]
    assert (first["clause_id"], first["reason"]) == ("", "on tyres")
    assert first["known_at"] == date(2026, 11, 29)
    assert (rest["publisher"], rest["notice_id"]) == ("federal_register", "*")
    assert rest["published_to"] == date(2025, 12, 31)


def test_a_notice_is_named_as_it_is_listed_also_without_a_digit() -> None:
    name = "CHN / Export tax / Rare-earth compounds / undated"
    text = ASIDE.replace('source: mofcom, notices: ["2026-99", "2026-98"]',
                         f'source: oecd_restrictions, notices: ["{name}"]')  # fmt: skip
    assert [row["notice_id"] for row in decisions_of(text)] == [name, "*"]


def test_the_notices_put_aside_so_far_are_mofcoms() -> None:
    rows = decisions_of(FILES["notices.yaml"])
    assert {row["publisher"] for row in rows} == {"mofcom"}
    assert "2026-20" in {row["notice_id"] for row in rows}


def test_measures_that_name_no_notice_decide_nothing() -> None:
    assert decisions_of(MEASURE) == []


@pytest.mark.parametrize(
    ("old", "new", "names"),
    [
        ("source: mofcom", "source: comtrade", "`source`"),
        ('["2026-99", "2026-98"]', "[2026-99, '*']", "`through` marks"),
        ('["2026-99", "2026-98"]', "[2026-99, ' ']", "is empty"),
        ('["2026-99", "2026-98"]', "[]", "`notices`"),
        ('["2026-99", "2026-98"]', '["2026-99", "2026-99"]', "the decision on mofcom 2026-99"),
        ('notices: ["2026-99", "2026-98"], ', "", "either `notices` or `through`"),
        ("reason: on tyres, ", "", "`reason`"),
        ("decided: 2026-11-29}\n  - {source: f", "decided: soon}\n  - {source: f", "`decided`"),
        ("through: 2025-12-31", "through: 2027-01-01", "before the last day of its notices"),
    ],
)
def test_a_mistake_is_told_in_one_sentence(old: str, new: str, names: str) -> None:
    assert old in ASIDE
    assert names in rejection_of(ASIDE.replace(old, new, 1))
