"""Companies: what is written of them by hand, whom a clause names, and one sentence per mistake."""

from collections import Counter
from datetime import date

import pytest

from dagster_project.sources import catalogue
from tests.unit.sources.catalogue.examples import COMPANY, DOCUMENT, FILES, MEASURE, rejection_of


def facts_of(text: str | bytes) -> list[dict[str, object]]:
    payload = text.encode() if isinstance(text, str) else text
    return catalogue.parse(payload, DOCUMENT)["company_facts"].to_dicts()


def test_who_a_clause_names_is_listed_and_who_is_not_named_is_no_company():
    facts = facts_of(FILES["measures.yaml"])
    # Lists of twenty entities each; of one of them 14 names were not read.
    assert Counter(fact["clause_id"] for fact in facts) == {
        "CN-2026-11": 20, "CN-2026-12": 20, "CN-2026-06-LIST": 6, "CN-2026-28": 20,
    }  # fmt: skip
    assert {fact["evidence"] for fact in facts} == {"listed"}
    assert "unnamed" not in {fact["company"] for fact in facts}
    # The class of an end user is no company.
    assert "military" not in {fact["company"] for fact in facts}
    [tdk] = [fact for fact in facts if fact["company"] == "TDK"]
    assert (tdk["clause_id"], tdk["home_iso3"], tdk["known_at"]) == (
        "CN-2026-12", "JPN", date(2026, 2, 24),
    )  # fmt: skip
    assert str(tdk["statement"]).startswith("Named in MOFCOM Ann. 12/2026: Watch ('concern') list")
    assert (tdk["minerals"], tdk["evidence_class"]) == ([], "official")
    assert str(tdk["source_url"]).startswith("https://www.mofcom.gov.cn/")


def test_tdk_disclosed_what_its_chief_financial_officer_said_of_materials():
    [tdk] = facts_of(FILES["companies.yaml"])
    assert (tdk["company"], tdk["clause_id"]) == ("TDK", "CN-2025-18")
    assert (tdk["evidence"], tdk["evidence_class"]) == ("disclosed", "reported")
    # He spoke of materials.
    assert tdk["minerals"] == []
    assert str(tdk["statement"]).startswith(
        '"Procurement of materials has reached an extremely difficult stage." Tetsuji Yamanishi'
    )
    assert tdk["known_at"] == date(2026, 2, 2)


def test_a_fact_on_several_clauses_is_a_row_for_each():
    facts = facts_of(COMPANY)
    assert [fact["clause_id"] for fact in facts] == ["XX-1-A", "XX-1-B"]
    assert {tuple(fact["minerals"]) for fact in facts} == {("dysprosium", "terbium")}  # type: ignore[arg-type]


def test_measures_that_name_nobody_list_no_company():
    assert facts_of(MEASURE) == []


@pytest.mark.parametrize(
    ("old", "new", "names"),
    [
        ("grade: disclosed", "grade: listed", ("`grade` is 'listed'", "'sector_only'")),
        ("evidence: reported", "evidence: disclosed", ("`evidence`", "disclosed", "'reported'")),
        ("home: JPN", "home: JAP", ("`home`", "JAP")),
        ("clauses: [XX-1-A, XX-1-B]", "clauses: []", ("`clauses`", "not empty")),
        ("XX-1-B", "XX-1-A", ("the fact on Maker XX-1-A is duplicated",)),
        ("terbium", "Tb", ("`minerals` 1", "Tb")),
        ("    known: 2025-01-11\n", "", ("`known` is missing",)),
        ("statement:", "statment:", ("`statement` is missing",)),
    ],
)
def test_a_mistake_in_a_company_is_one_sentence_that_names_it_and_its_line(old, new, names):
    assert old in COMPANY
    message = rejection_of(COMPANY.replace(old, new, 1))
    for name in ("line 2: ", "Maker", *names):
        assert name in message, message
