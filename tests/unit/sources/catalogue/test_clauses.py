"""Measures and their clauses: the clocks, targets and remarks, and one sentence per mistake."""

import re
from datetime import date

import polars as pl
import pytest

from dagster_project.sources import catalogue
from tests.conftest import needs_reference
from tests.unit.sources.catalogue.examples import (
    DOCUMENT,
    MEASURE,
    as_text,
    reference,
    rejection_of,
    row,
)

CLOCKS = (
    "announced_date", "effective_date", "suspended_from", "suspended_to", "suspended_by",
    "ended_date", "unknown_from",
)  # fmt: skip


@pytest.fixture(scope="module")
def dated(frames) -> pl.DataFrame:
    """The clauses with their suspensions beside them; in the bundled file none has two."""
    suspensions = frames["restriction_suspensions"].select(
        "clause_id", "suspended_from", "suspended_to", "suspended_by",
        suspension_known_at="known_at",
    )  # fmt: skip
    return frames["restriction_clauses"].join(
        suspensions, on="clause_id", how="left", validate="1:1"
    )


@pytest.mark.parametrize(
    ("clause", "clocks"),
    [
        # Published: issued 2025-10-09, to take effect 2025-11-08, suspended by 70/2025 on
        # 2025-11-07 until 2026-11-10.
        ("CN-2025-57", (date(2025, 10, 9), date(2025, 11, 8), date(2025, 11, 7),
                        date(2026, 11, 10), "CN-2025-70", None, date(2026, 11, 11))),
        ("CN-2024-46-1", (date(2024, 12, 3), date(2024, 12, 3), None, None, None, None, None)),
        ("CN-2024-46-2", (date(2024, 12, 3), date(2024, 12, 3), date(2025, 11, 9),
                          date(2026, 11, 27), "CN-2025-72", None, date(2026, 11, 28))),
        ("CN-2025-18", (date(2025, 4, 4), date(2025, 4, 4), None, None, None, None, None)),
        ("CN-2025-61-C", (date(2025, 10, 9), date(2025, 10, 9), date(2025, 11, 7),
                          date(2026, 11, 10), "CN-2025-70", None, date(2026, 11, 11))),
        ("CN-2025-68", (date(2025, 10, 26), date(2026, 1, 1), None, None, None,
                        date(2027, 12, 31), None)),
        ("CN-2023-23", (date(2023, 7, 3), date(2023, 8, 1), None, None, None, None, None)),
        ("CN-2026-1", (date(2026, 1, 6), date(2026, 1, 6), None, None, None, None, None)),
        # A de-facto stop is reported after it begins.
        ("CN-2026-01-DEFACTO", (date(2026, 1, 8), date(2026, 1, 6), None, None, None, None,
                                date(2026, 2, 6))),
        ("MY-2023-09", (date(2023, 9, 11), None, None, None, None, date(2023, 12, 31), None)),
        # Announced after the day it runs from, for two years.
        ("CN-2023-11-REEREP", (date(2023, 11, 7), date(2023, 10, 31), None, None, None,
                               date(2025, 10, 31), None)),
        ("CN-2026-06-LIST", (date(2026, 6, 29), date(2026, 6, 29), None, None, None, None, None)),
    ],
)  # fmt: skip
def test_the_clocks_of_a_clause_are_the_published_days(dated, clause, clocks):
    found = row(dated, "clause_id", clause)
    assert tuple(found[column] for column in CLOCKS) == clocks


def test_what_was_suspended_or_ended_was_not_known_before_it_was_published(dated):
    clauses = dated
    for state in ("suspended_from", "ended_date", "unknown_from"):
        known = {
            "suspended_from": "suspension_known_at",
            "ended_date": "ended_known_at",
            "unknown_from": "unknown_known_at",
        }[state]
        assert clauses.filter(pl.col(state).is_null() != pl.col(known).is_null()).is_empty()
        assert clauses.filter(pl.col(known) < pl.col("announced_date")).is_empty()
    assert set(clauses["suspended_by"].drop_nulls()) <= set(clauses["clause_id"])


def test_only_entities_a_source_names_are_named_and_the_rest_is_one_unnamed(frames):
    clauses = frames["restriction_clauses"]
    names = dict(clauses.select("clause_id", "target_names").iter_rows())
    assert names["CN-2026-1"] == ["military"]
    assert names["CN-2025-18"] == []
    # Lists of twenty entities each, of which a source prints these many names.
    assert {"TDK", "SUBARU", "ENEOS"} < set(names["CN-2026-12"])
    for clause, read in (("CN-2026-11", 20), ("CN-2026-12", 20), ("CN-2026-06-LIST", 6),
                         ("CN-2026-28", 20)):  # fmt: skip
        assert len(set(names[clause]) - {"unnamed"}) == read
        assert ("unnamed" in names[clause]) == (read < 20)


def test_no_remark_stores_a_state_that_the_days_decide(frames):
    states = (
        r"(?i)^(in force|suspended|announced|ended|expired|unknown|official|as \d+)\b[^,.]*$"
        r"|UNKNOWN|is in force|still in force"
    )
    assert frames["restriction_clauses"].filter(pl.col("remark").str.contains(states)).is_empty()


CLAUSE_COLUMNS = {
    "measure_id": "measure_id",
    "clause_id": "clause_id",
    "official_reference": "official_reference",
    "implementer_iso3": "implementer_iso3",
    "direction": "direction",
    "gta_code": "gta_type_id",
    "announced_date": "announced",
    "announced_time": "announced_time",
    "announced_zone": "announced_zone",
    "date_precision": "date_precision",
    "effective_date": "effective",
    "suspended_from": "suspended_from",
    "suspended_to": "suspended_to",
    "suspended_by": "suspended_by",
    "suspension_known_at": "suspension_known_at",
    "ended_date": "ended",
    "ended_known_at": "ended_known_at",
    "unknown_from": "unknown_from",
    "unknown_known_at": "unknown_known_at",
    "known_at": "known_at",
    "target_iso3": "target_iso3",
    "target_class": "target_class",
    "evidence_class": "evidence_class",
    "confidence": "confidence",
    "citation": "source",
    "source_url": "source_url",
}
"""Lake column: column of the list. Its remarks are not here: many store a state; what they say
beyond one is checked below."""


FACTS_OF_REMARKS = {
    "CN-2010-07-QUOTA": "terminated on 1 January 2015",
    "CN-2010-09-JPBAN": "evidence on how long it lasted is mixed",
    "ID-2014-ORE": "low-grade nickel ore and washed bauxite",
    "CN-2015-01-QUOTAEND": "fluorspar",
    "ID-2020-NI": "2019-10-28",
    "ZW-2022-LI": "SI 5/2023",
    "ZW-2023-01-BM": "ZW-2026-02",
    "NA-2023-06": "no day of effect",
    "MY-2023-09": "MY-2024-01-REE",
    "MY-2024-01-REE": "Lynas",
    "CN-2023-11-REEREP": "own term",
    "CN-2024-46-1": "Not touched by the suspension",
    "CN-2024-46-2": "names no notice",
    "CD-2025-02-CO": "quota",
    "CN-2025-18": "Not among the notices that CN-2025-70 suspends",
    "ZW-2025-06-LICONC": "ZW-2026-02",
    "IN-2025-06-IREL": "unclear",
    "CN-2025-07-TECH": "licensed, not banned",
    "CN-2025-55": "CN-2025-70",
    "CN-2025-57": "never in force up to 2026-11-10",
    "CN-2025-61-AB": "never in force up to 2026-11-10",
    "CN-2025-61-C": "2025-10-09 through 2025-11-06",
    "CN-2025-62": "2025-10-09 through 2025-11-06",
    "CD-2025-10-CO": "9,600 t",
    "CN-2025-68": "prints no codes",
    "CN-2025-70": "2027-01-10",
    "CN-2025-72": "2026-11-27",
    "VN-2026-REE": "indirect limit on refined rare earths",
    "CD-2025-12-CARRY": "6,650 t",
    "CN-2026-1": "No source of a removal was found",
    "CN-2026-01-DEFACTO": "Eased in part",
    "CN-2026-02-PERMITS": "case by case",
    "CN-2026-11": "a headline that counts 30",
    "ZW-2026-02": "Until further notice",
    "CN-2026-06-THROTTLE": "at the day of the report",
    "CN-2026-06-LIST": "14 of the 20",
    "CN-2026-29-HE": "Foreign Trade Law",
}


@needs_reference
def test_every_clause_is_cell_for_cell_that_of_the_list(dated):
    listed = [row for row in reference("restriction_clauses.csv") if row["record"] == "clause"]
    # The list refers to a page by the name of another list.
    page, named = "event-notes page 1208.html", "the ministry's page 1208.html"
    expected = sorted(
        tuple(row[own].replace(page, named) for own in CLAUSE_COLUMNS.values()) for row in listed
    )
    found = sorted(
        tuple(map(as_text, row)) for row in dated.select(list(CLAUSE_COLUMNS)).iter_rows()
    )
    assert found == expected


@needs_reference
def test_the_names_of_targets_are_those_of_the_list(frames):
    listed = {
        row["clause_id"]: row["target_name"].split(";") if row["target_name"] else []
        for row in reference("restriction_clauses.csv")
        if row["record"] == "clause"
    }
    names = frames["restriction_clauses"].select("clause_id", "target_names")
    assert dict(names.iter_rows()) == listed


# What the list's words on confidence call not found, not read, or taken from elsewhere.
INFERRED = {
    "CN-2010-07-QUOTA": ["official_reference"],
    "ID-2014-ORE": [
        "announced_date",
        "effective_date",
        "ended_date",
        "known_at",
        "official_reference",
    ],
    "CN-2015-01-QUOTAEND": ["official_reference"],
    "CN-2015-05-DUTYEND": ["announced_date", "known_at", "official_reference"],
    "ZW-2023-01-BM": ["announced_date", "effective_date"],
    "NA-2023-06": ["effective_date"],
    "CN-2023-11-REEREP": ["official_reference"],
    "ZW-2025-06-LICONC": ["announced_date", "known_at"],
    "IN-2025-06-IREL": ["announced_date", "effective_date", "known_at"],
    "CN-2025-62": ["effective_date"],
    "CN-2026-06-LIST": ["target_name"],
}


def test_what_no_source_says_is_inferred_and_confidence_tells_why(frames):
    clauses = frames["restriction_clauses"]
    found = dict(clauses.select("clause_id", "inferred").iter_rows())
    assert {clause: columns for clause, columns in found.items() if columns} == INFERRED
    doubts = r"not found|not read|cut off|six names|taken from|from the time stamp"
    for clause in INFERRED:
        confidence = row(clauses, "clause_id", clause)["confidence"]
        assert re.search(doubts, confidence), (clause, confidence)
    # Who is not named has an inferred name, and nobody else has.
    unnamed = clauses.filter(pl.col("target_names").list.contains("unnamed"))["clause_id"]
    assert set(unnamed) == {name for name, of in INFERRED.items() if "target_name" in of}


def test_what_was_remarked_beyond_a_state_is_still_given(frames):
    remarks = dict(frames["restriction_clauses"].select("clause_id", "remark").iter_rows())
    for clause, fact in FACTS_OF_REMARKS.items():
        assert fact in remarks[clause], clause


def test_a_measure_written_by_hand_is_read_whatever_its_file_is_called():
    found = catalogue.parse(MEASURE.encode(), DOCUMENT)
    assert set(found) == {
        "restriction_clauses", "restriction_suspensions", "restriction_scope", "company_facts",
        "notice_decisions",
    }  # fmt: skip
    first, second = found["restriction_clauses"].iter_rows(named=True)
    assert (first["title"], second["title"]) == ("Export licensing", "Another part")
    assert (first["effective_date"], first["announced_date"]) == (
        date(2025, 1, 1), date(2025, 1, 10),
    )  # fmt: skip
    assert second["announced_date"] == date(2025, 1, 11)
    assert (second["target_iso3"], second["target_class"]) == ("ALL", "all")
    assert first["known_at"] == date(2025, 1, 10)
    assert first["inferred"] == second["inferred"] == []
    scope = found["restriction_scope"]
    assert sorted(scope.select("hs_code", "mineral").iter_rows()) == [
        ("010121", "gallium"), ("010121", "germanium"),
        ("280530", "gallium"), ("280530", "germanium"),
    ]  # fmt: skip
    assert set(scope["control_share_high"]) == {0.5}


def test_the_order_of_the_entries_changes_nothing():
    head, *entries = MEASURE.removesuffix("...\n").split("  - measure: XX-1\n")
    one = entries[0]
    two = one.replace("XX-1-A", "XX-2-A").replace("XX-1-B", "XX-2-B")
    first, second = f"  - measure: XX-1\n{one}", f"  - measure: XX-2\n{two}"
    forward = catalogue.parse(f"{head}{first}{second}...\n".encode(), DOCUMENT)
    backward = catalogue.parse(f"{head}{second}{first}...\n".encode(), DOCUMENT)
    for table, keys in (
        ("restriction_clauses", ["clause_id"]),
        ("restriction_suspensions", ["clause_id", "suspended_from"]),
        ("restriction_scope", ["clause_id", "hs_code", "mineral"]),
    ):
        assert forward[table].sort(keys).equals(backward[table].sort(keys))


@pytest.mark.parametrize(
    ("old", "new", "names"),
    [
        # what a code may be
        ('"280530"]', "280530]", ("XX-1-A", "`scope` 1, `codes` 2", "280530", "quotes")),
        ('"010121"', "010121", ("XX-1-A", "`codes` 1", "quotes")),
        ('"280530"', '"28053019"', ("XX-1-A", "`codes` 2", "28053019")),
        ('"280530"', '"2805"', ("XX-1-A", "`scope` 1", "heading")),
        ('["010121", "280530"]', "[]", ("XX-1-A", "`codes`", "a list that is not empty")),
        # days
        ("announced: 2025-01-10", "announced: 2025-02-30", ("XX-1-A", "announced", "2025-02-30")),
        ("announced: 2025-01-10", "announced: soon", ("XX-1-A", "`announced`", "soon")),
        ("announced: 2025-01-10", "announced: 2025", ("XX-1-A", "`announced`", "2025")),
        ("announced: 2025-01-10", "announced: 2025-01-10 18:00:00", ("XX-1-A", "`announced`")),
        ("effective: 2025-01-01",
         "suspended: {first_day: 2025-05-02, last_day: 2025-05-01, known: 2025-05-01}",
         ("XX-1-A", "`suspended`", "2025-05-01", "2025-05-02")),
        ("effective: 2025-01-01", "ended: {last_day: 2025-01-09, known: 2025-01-09}",
         ("XX-1-A", "2025-01-09", "before it was announced")),
        ("effective: 2025-01-01", "suspended: 2025-05-02", ("XX-1-A", "`suspended`", "2025-05-02")),
        ("effective: 2025-01-01", "known: 2025-01-09", ("XX-1-A", "2025-01-09")),
        ("effective: 2025-01-01", "unknown: {first_day: 2025-05-02}",
         ("XX-1-A", "`unknown`, `known` is missing")),
        ("effective: 2025-01-01", "announced_hour: 18:00", ("XX-1-A", "`announced_hour`")),
        ("effective: 2025-01-01", 'announced_hour: "18:00"', ("XX-1-A", "`announced_hour`")),
        # fields
        ("effective:", "efective:", ("XX-1-A", "`efective`", "`effective`")),
        ("    direction: restrict\n", "", ("XX-1-A", "`direction` is missing")),
        ("restrict", "forbid", ("XX-1-A", "`direction`", "forbid", "'restrict'")),
        ("title: Export licensing", "title: 18", ("XX-1-A", "`title`", "18")),
        ("title: Export licensing", 'title: ""', ("XX-1-A", "`title`", "empty")),
        ("share: [0, 0.5]", "share: [0.5, 0]", ("XX-1-A", "`scope` 1, `share`", "low")),
        ("share: [0, 0.5]", "share: [0, 50]", ("XX-1-A", "`share`", "50")),
        ("share: [0, 0.5]", "share: 0.5", ("XX-1-A", "`share`", "0.5")),
        ("basis: element_split", "basis: guess", ("XX-1-A", "`basis`", "guess")),
        ("[gallium, germanium]", "[Ga]", ("XX-1-A", "`minerals` 1", "Ga")),
        ("[gallium, germanium]", "gallium", ("XX-1-A", "`minerals`", "gallium")),
        ("[gallium, germanium]", "[gallium, gallium]", ("XX-1-A", "010121 gallium", "duplicated")),
        ("evidence: official", "evidence: official\n        url: mofcom", ("XX-1-A", "`url`")),
        ("evidence: official", "evidence: official\n        inferred: [announced]",
         ("XX-1-A", "`inferred` 1", "'announced'", "'announced_date'")),
        ("evidence: official", "evidence: official\n        inferred: [title, title]",
         ("XX-1-A", "`inferred`", "duplicated")),
        ("evidence: official", "evidence: official\n        inferred: title",
         ("XX-1-A", "`inferred`", "a list like")),
        ("evidence: official", "evidence: official\n        gta_code: 35",
         ("XX-1-A", "`gta_code`", "35", "quotes")),
        ("evidence: official", "evidence: official\n        evidence: reported",
         ("line 12", "`evidence`", "duplicated")),
        # targets
        ("class: economy", "class: entity", ("XX-1-A", "`target`", "entity")),
        ("{economy: JPN, class: economy}", "{economy: JPN}", ("XX-1-A", "`target`", "JPN")),
        ("class: economy", "class: economy, names: [TDK]", ("XX-1-A", "`target`")),
        # identifiers
        ("clause: XX-1-B", "clause: XX-1-A", ("clause XX-1-A", "duplicated")),
        ("clause: XX-1-B", "clause: XX 1", ("`clause`", "XX 1")),
        ("      - clause: XX-1-B", "      - claus: XX-1-B", ("clause number 2", "`clause`")),
        ("clause: XX-1-B", "clause: XX-1-B\n        measure: XX-2", ("XX-1-B", "`measure`")),
        ("  - measure: XX-1", "  - measur: XX-1", ("measure number 1", "`measure`")),
        ("    clauses:", "    clause:", ("XX-1", "`clauses`")),
    ],
)  # fmt: skip
def test_a_mistake_in_a_measure_is_one_sentence_that_names_it(old, new, names):
    assert old in MEASURE
    message = rejection_of(MEASURE.replace(old, new, 1))
    for name in names:
        assert name in message, message


TERM = "{first_day: 2025-02-01, last_day: 2025-03-31, by: XX-1-B, known: 2025-02-01}"
EXTENSION = "{first_day: 2025-04-01, last_day: 2025-06-30, by: XX-1-B, known: 2025-03-20}"
OPEN = "{first_day: 2025-02-01, by: XX-1-B, known: 2025-02-01}"


def suspended(*suspensions: str) -> str:
    """MEASURE with the first clause suspended: a list of these, one a line from line 10 on."""
    listed = "".join(f"\n          - {each}" for each in suspensions)
    return MEASURE.replace("effective: 2025-01-01", f"suspended:{listed}", 1)


def suspensions_of(text: str) -> list[tuple[object, ...]]:
    found = catalogue.parse(text.encode(), DOCUMENT)["restriction_suspensions"]
    return list(
        found.select(
            "clause_id", "suspended_from", "suspended_to", "suspended_by", "known_at"
        ).iter_rows()
    )


FIRST = ("XX-1-A", date(2025, 2, 1), date(2025, 3, 31), "XX-1-B", date(2025, 2, 1))
SECOND = ("XX-1-A", date(2025, 4, 1), date(2025, 6, 30), "XX-1-B", date(2025, 3, 20))


def test_a_clause_is_suspended_once_or_several_times():
    assert suspensions_of(MEASURE) == []
    one = MEASURE.replace("effective: 2025-01-01", f"suspended: {TERM}", 1)
    assert suspensions_of(one) == suspensions_of(suspended(TERM)) == [FIRST]
    assert suspensions_of(suspended(TERM, EXTENSION)) == [FIRST, SECOND]
    assert suspensions_of(suspended(EXTENSION, TERM)) == [SECOND, FIRST]
    # Only the last may be open.
    still = EXTENSION.replace("last_day: 2025-06-30, ", "")
    assert suspensions_of(suspended(TERM, still))[1][2] is None


@pytest.mark.parametrize(
    ("suspensions", "names"),
    [
        # The day that both have, the last of one and the first of the other.
        ((TERM, EXTENSION.replace("2025-04-01", "2025-03-31")),
         ("line 11: measure XX-1, clause XX-1-A: ", "the suspension from 2025-03-31 overlaps",
          "from 2025-02-01 to 2025-03-31")),
        ((EXTENSION.replace("2025-04-01", "2025-03-01"), TERM),
         ("line 10: measure XX-1, clause XX-1-A: ", "the suspension from 2025-03-01 overlaps")),
        ((TERM, TERM), ("line 11: ", "overlaps")),
        ((OPEN, EXTENSION),
         ("line 11: ", "the suspension from 2025-04-01 follows one from 2025-02-01",
          "no `last_day`")),
        ((TERM, EXTENSION.replace("XX-1-B", "XX-9")),
         ("line 11: measure XX-1, clause XX-1-A: ", "`suspended` 2, `by` is 'XX-9'",
          "no clause of the file")),
        ((TERM.replace("XX-1-B", "XX-1"),),
         ("line 10: ", "`suspended` 1, `by` is 'XX-1'", "a measure")),
        ((TERM, EXTENSION.replace(", known: 2025-03-20", "")),
         ("line 11: ", "`suspended` 2, `known` is missing")),
        ((TERM, EXTENSION.replace("2025-06-30", "2025-03-30")),
         ("line 11: ", "`suspended` 2", "ends (2025-03-30) before it begins")),
    ],
)  # fmt: skip
def test_suspensions_that_cannot_be_are_refused_with_the_line(suspensions, names):
    message = rejection_of(suspended(*suspensions))
    for name in names:
        assert name in message, message


@pytest.mark.parametrize("code", ["811092", "999999"])
def test_a_code_that_no_revision_has_is_refused_with_the_line(code):
    """HS 8110 is antimony, with 8110.10, 8110.20 and 8110.90."""
    message = rejection_of(MEASURE.replace('"280530"', f'"{code}"', 1))
    assert message.startswith("catalogue: line 13: measure XX-1, clause XX-1-A: ")
    assert f"`scope` 1, `codes` 2 is '{code}', which no known revision of the HS has" in message


def headed(code: str) -> str:
    return (
        MEASURE.replace('"010121", "280530"', f'"{code}"', 1)
        .replace("[gallium, germanium]", "[gallium]")
        .replace("element_split", "heading")
    )


def test_a_heading_has_at_least_one_code():
    # 8111 is manganese, not divided in six digits but as 8111.00; 8115 does not exist.
    assert catalogue.parse(headed("8111").encode(), DOCUMENT)
    assert "`codes` 1 is '8115', which no known revision" in rejection_of(headed("8115"))


def test_goods_under_a_code_of_six_digits_have_the_basis_heading():
    [code] = set(
        catalogue.parse(headed("253090").encode(), DOCUMENT)["restriction_scope"]["hs_code"]
    )
    assert code == "253090"


def test_a_code_of_an_older_revision_is_known():
    # Germanium until 2002 was 8112.30, which HS 2022 does not have.
    older = MEASURE.replace('"010121"', '"811230"', 1)
    assert "811230" in catalogue.parse(older.encode(), DOCUMENT)["restriction_scope"]["hs_code"]


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("title: Export licensing", "title: 18", 7),  # a field of the measure, in its first clause
        ("implementer: CHN", "implementer: CHI", 7),
        ("economy: JPN", "economy: JAP", 7),
        ("class: economy", "class: entity", 10),
        ("share: [0, 0.5]", "share: [0, 50]", 13),
        ("clause: XX-1-B", "clause: XX-1-A", 17),
        ('announced: "2025-01-11"', "announced: soon", 17),
        ("    clauses:", "    clause:", 2),
    ],
)  # fmt: skip
def test_a_mistake_names_the_line_of_its_entry(old, new, line):
    assert rejection_of(MEASURE.replace(old, new, 1)).startswith(f"catalogue: line {line}: ")
