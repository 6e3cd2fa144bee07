"""Scenarios: what a file says, and one sentence with its line for each that is impossible."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import permutations
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project import words
from dagster_project.errors import UnknownCodeError, UpstreamFormatError
from dagster_project.lake.schemas import SCENARIO_CHANGES
from dagster_project.settings import BUNDLED
from dagster_project.sources import scenarios
from dagster_project.sources.card import Document
from dagster_project.sources.scenarios import KINDS
from tests.conftest import CHECKOUT
from tests.nightly import times

FOLDER = BUNDLED / "scenarios"
LANDED = Document("mine.yaml", datetime(2026, 12, 1, 9), is_bundled=False)

HEAD = """\
scenario: mine
title: Something happens
importer: JPN
groups: [rare_earths, permanent_magnets]
changes:
"""
"""Five lines: the first change is on line 6."""

EVERY_KIND = f"""{HEAD}\
  - cut: CHN
    share: 0.5
    from: 2027-01
    groups: [rare_earths]
    because: A quota, as of 2010.
    url: https://example.org/quota
  - shift: CHN
    to: AUS
    share: 0.1
    from: 2027-04
  - add: MYS
    tonnes: [900, 1200]
    from: 2027-07
    groups: [rare_earths]
  - add: JPN
    project: MINAMITORISHIMA
    relief: commercial
  - lift: CN-2025-18
    on: 2027-03-31
  - extend: CN-2025-70
    until: 2027-11-10
"""


def rows(text: str, document: Document = LANDED) -> list[dict[str, Any]]:
    return scenarios.parse(text.encode(), document)["scenario_changes"].to_dicts()


def refusal(text: str | bytes, document: Document = LANDED) -> str:
    """The one sentence with which a file is refused."""
    payload = text.encode() if isinstance(text, str) else text
    with pytest.raises(UpstreamFormatError) as caught:
        scenarios.parse(payload, document)
    assert caught.value.hint == ""
    assert "\n" not in caught.value.message
    return caught.value.message


# ---- What a file says


def test_each_kind_of_change_has_its_columns() -> None:
    found = [
        {name: cell for name, cell in row.items() if cell is not None} for row in rows(EVERY_KIND)
    ]
    both = {
        "source": "scenarios", "scenario": "mine", "title": "Something happens",
        "importer_iso3": "JPN", "is_provisional": False, "vintage_at": datetime(2026, 12, 1, 9),
        "mineral_groups": ["permanent_magnets", "rare_earths"],
    }  # fmt: skip
    assert found == [
        {
            **both, "position": 1, "kind": "cut", "mineral_groups": ["rare_earths"],
            "supplier_iso3": "CHN", "share": 0.5, "from_date": date(2027, 1, 1),
            "because": "A quota, as of 2010.", "source_url": "https://example.org/quota",
        },
        {
            **both, "position": 2, "kind": "shift", "supplier_iso3": "CHN",
            "to_supplier_iso3": "AUS", "share": 0.1, "from_date": date(2027, 4, 1),
        },
        {
            **both, "position": 3, "kind": "add", "mineral_groups": ["rare_earths"],
            "supplier_iso3": "MYS", "tonnes_low": 900.0, "tonnes_high": 1200.0,
            "from_date": date(2027, 7, 1),
        },
        {
            **both, "position": 4, "kind": "add", "supplier_iso3": "JPN",
            "project": "MINAMITORISHIMA", "relief_scenario": "commercial",
        },
        {
            **both, "position": 5, "kind": "lift", "clause_id": "CN-2025-18",
            "effective_date": date(2027, 3, 31),
        },
        {
            **both, "position": 6, "kind": "extend", "clause_id": "CN-2025-70",
            "effective_date": date(2027, 11, 10),
        },
    ]  # fmt: skip


def test_the_kinds_are_those_of_the_list_of_words() -> None:
    assert tuple(KINDS) == words.SCENARIO_CHANGES
    assert {row["kind"] for row in rows(EVERY_KIND)} == set(words.SCENARIO_CHANGES)


def test_a_supplier_without_a_share_is_lost_and_a_number_is_both_bounds() -> None:
    (cut, add) = rows(
        f"{HEAD}  - {{cut: CHN, from: 2027-01}}\n  - {{add: MYS, tonnes: 5, "
        "from: 2027-01, groups: [rare_earths]}\n"
    )
    assert cut["share"] == 1
    assert (add["tonnes_low"], add["tonnes_high"]) == (5, 5)


def test_a_project_may_begin_later_than_its_own_first_year() -> None:
    (add,) = rows(f"{HEAD}  - {{add: JPN, project: P, relief: trial, from: 2030-01}}\n")
    assert add["from_date"] == date(2030, 1, 1)


@pytest.mark.parametrize("name", scenarios.CARD.bundled)
def test_a_bundled_file_is_read_and_named_as_its_scenario(name: str) -> None:
    document = Document(name, datetime(2026, 11, 28), is_bundled=True)
    frame = scenarios.parse((FOLDER / name).read_bytes(), document)["scenario_changes"]
    conformed = SCENARIO_CHANGES.conform(
        frame.with_columns(document=frame["scenario"], snapshot_id="title")
    )
    assert conformed.height >= 1
    assert set(conformed["scenario"]) == {name.removesuffix(".yaml")}
    assert set(conformed["importer_iso3"]) == {"JPN"}


def test_the_bundled_files_make_the_assumptions_of_their_titles() -> None:
    found = {
        name: rows((FOLDER / name).read_text("utf8"), Document(name, LANDED.retrieved_at, True))
        for name in scenarios.CARD.bundled
    }
    (cut,) = found["china_stops_to_japan.yaml"]
    assert (cut["kind"], cut["supplier_iso3"], cut["share"]) == ("cut", "CHN", 1)
    assert cut["mineral_groups"] == ["permanent_magnets", "rare_earths"]
    (mud,) = found["minamitorishima_commercial.yaml"]
    assert (mud["supplier_iso3"], mud["project"]) == ("JPN", "MINAMITORISHIMA")
    (plant,) = found["allied_separation.yaml"]
    assert (plant["supplier_iso3"], plant["project"]) == ("FRA", "CAREMAG_LACQ_HEAVY")


def test_each_bundled_file_has_its_origin() -> None:
    files = yaml.safe_load((FOLDER / "origin.yaml").read_text("utf8"))["files"]
    assert [file["file"] for file in files] == list(scenarios.CARD.bundled)


def test_the_example_of_the_docs_is_a_scenario_of_ten_lines() -> None:
    page = (CHECKOUT / "docs" / "scenarios.md").read_text("utf8")
    example = page.partition("```yaml\n")[2].partition("```")[0]
    assert example.count("\n") == 10
    assert [row["kind"] for row in rows(example)] == ["cut", "add", "extend"]


def test_the_order_of_the_changes_changes_nothing_but_their_position() -> None:
    head, *entries = EVERY_KIND.split("  - ")
    entries = entries[:5]

    def changes(order: tuple[str, ...]) -> list[dict[str, Any]]:
        read = rows("".join([head, *(f"  - {entry}" for entry in order)]))
        return sorted(
            ({name: cell for name, cell in row.items() if name != "position"} for row in read),
            key=str,
        )

    expected = changes(tuple(entries))
    for order in permutations(entries):
        assert changes(order) == expected


# ---- What is refused


@pytest.mark.parametrize(
    ("change", "line", "reason"),
    [
        ("cut: CHN\n    share: 1.5\n    from: 2027-01", 7,
         "`share` is 1.5; a share is between 0 and 1"),
        ("cut: CHN\n    share: -0.1\n    from: 2027-01", 7,
         "`share` is -0.1; a share is between 0 and 1"),
        ("cut: CHN\n    share: half\n    from: 2027-01", 7, "`share` is 'half' and not a number"),
        ("cut: CHN\n    share: .nan\n    from: 2027-01", 7,
         "`share` is nan; a share is between 0 and 1"),
        ("cut: CHI\n    from: 2027-01", 6, "`cut` is 'CHI', which is not a known economy"),
        ("cut: WLD\n    from: 2027-01", 6, "`cut` is 'WLD', which is not one economy"),
        ("cut: EU27\n    from: 2027-01", 6, "`cut` is 'EU27', which is not one economy"),
        ("shift: CHN\n    to: AUT2\n    share: 1\n    from: 2027-01", 7,
         "`to` is 'AUT2', which is not a known economy"),
        ("shift: CHN\n    to: CHN\n    share: 1\n    from: 2027-01", 6,
         "it moves supply from CHN to CHN itself"),
        ("shift: CHN\n    to: AUS\n    from: 2027-01", 6, "`share` is missing"),
        ("cut: CHN", 6, "`from` is missing"),
        ("cut: CHN\n    from: 2027", 7, "`from` is 2027 and not a month like 2027-01"),
        ("cut: CHN\n    from: 2027-13", 7, "`from` is '2027-13' and not a month like 2027-01"),
        ("cut: CHN\n    from: 2027-01-01", 7,
         "`from` is '2027-01-01' and not a month like 2027-01"),
        ("cut: CHN\n    from: 2027-01\n    groups: [rare_birds]", 8,
         "`groups` 1 is 'rare_birds', which is not one of the groups of the scenario"),
        ("cut: CHN\n    from: 2027-01\n    groups: []", 8,
         "`groups` is [] and not a list that is not empty"),
        ("cut: CHN\n    from: 2027-01\n    shares: 1", 8,
         "`shares` is not a known field; did you mean `share`"),
        ("ban: CHN\n    from: 2027-01", 6,
         "it has none of `cut`, `shift`, `add`, `lift` or `extend`"),
        ("extends: A\n    until: 2027-01-31", 6,
         "it has none of `cut`, `shift`, `add`, `lift` or `extend`; did you mean `extend`"),
        ("cut: CHN\n    add: MYS\n    from: 2027-01", 6,
         "it has `cut` and `add`; an entry is one change"),
        ("add: MYS\n    from: 2027-01", 6, "it has neither `tonnes` nor `project`"),
        ("add: MYS\n    tonnes: 1\n    project: P\n    from: 2027-01", 6,
         "it has both `tonnes` and `project`; give one of them"),
        ("add: MYS\n    tonnes: 1", 6, "it has `tonnes` without a first month (`from`)"),
        ("add: MYS\n    project: P", 6, "it has a `project` without its scenario (`relief`)"),
        ("add: MYS\n    tonnes: 1\n    relief: trial\n    from: 2027-01", 6,
         "it has a scenario (`relief`) without its `project`"),
        ("add: MYS\n    tonnes: 0\n    from: 2027-01", 7,
         "`tonnes` is 0; tonnes a year are above 0"),
        ("add: MYS\n    tonnes: [-1, 2]\n    from: 2027-01", 7,
         "`tonnes` is [-1, 2]; tonnes a year are above 0"),
        ("add: MYS\n    tonnes: .inf\n    from: 2027-01", 7,
         "`tonnes` is inf; tonnes a year are above 0"),
        ("add: MYS\n    tonnes: [2, 1]\n    from: 2027-01", 7,
         "`tonnes` is [2, 1]; the low number comes first"),
        ("add: MYS\n    tonnes: [1, 2, 3]\n    from: 2027-01", 7,
         "`tonnes` is [1, 2, 3] and neither a number nor a low and a high one like [1, 2]"),
        ("add: MYS\n    tonnes: 1\n    from: 2027-01", 7,
         "`tonnes` are of one mineral group and not of 2; name it in `groups`"),
        ("lift: CN-2025-18", 6, "`on` is missing"),
        ("cut: CHN\n    from: 2061-01", 7, "`from` is in 2061; a scenario reaches to 2060"),
        ("extend: CN-2025-18\n    until: 9999-12-31", 7,
         "`until` is in 9999; a scenario reaches to 2060"),
        ("shift: CHN\n    to: JPN\n    share: 0.1\n    from: 2027-01", 7,
         "`to` is the importer itself; its own supply is an `add`"),
        ("lift: CN-2025-18\n    on: 2027-02-30", 7,
         "`on` is '2027-02-30' and not a day like 2026-01-06"),
        ("lift: CN-2025-18\n    on: 2027-03-31\n    groups: [rare_earths]", 8,
         "`groups` is not a known field"),
        ("cut: CHN\n    from: 2027-01\n    url: Reuters", 8,
         "`url` is 'Reuters' and not an address that begins with https://"),
    ],
)  # fmt: skip
def test_an_impossible_change_is_refused_with_its_line(change: str, line: int, reason: str) -> None:
    message = refusal(f"{HEAD}  - {change}\n")
    assert message == f"scenarios: line {line}: change 1: {reason}."


@pytest.mark.parametrize(
    ("old", "new", "line", "reason"),
    [
        ("importer: JPN", "importer: JAP", 3, "`importer` is 'JAP', which is not a known economy"),
        ("importer: JPN", "importer: _X", 3, "`importer` is '_X', which is not one economy"),
        ("importer: JPN\n", "", 1, "`importer` is missing"),
        ("rare_earths,", "rare_birds,", 4,
         "`groups` 1 is 'rare_birds', which is not a known mineral group"),
        ("[rare_earths, permanent_magnets]", "[]", 4,
         "`groups` is [] and not a list that is not empty"),
        ("[rare_earths,", "[gallium, rare_earths,", 4, "no change is about gallium"),
        ("title:", "titel:", 2, "`titel` is not a known field; did you mean `title`"),
    ],
)  # fmt: skip
def test_an_impossible_head_is_refused_with_its_line(
    old: str, new: str, line: int, reason: str
) -> None:
    changes = "  - {cut: CHN, from: 2027-01, groups: [rare_earths, permanent_magnets]}\n"
    message = refusal(f"{HEAD}{changes}".replace(old, new, 1))
    more = " (and 1 more to correct)" if old == "title:" else ""
    if old == "title:":  # what is missing is named first
        line, reason = 1, "`title` is missing"
    assert message == f"scenarios: line {line}: scenario mine: {reason}{more}."


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("China stops", "'China stops'; a scenario is named like `china_stops_to_japan`"),
        ("../mine", "'../mine'; a scenario is named like `china_stops_to_japan`"),
        ("2027", "2027 and not text; write it in quotes"),
        ("China_2027", "'China_2027'; a scenario is named like `china_stops_to_japan`"),
        ("a" * 61, f"'{'a' * 61}'; a name has at most 60 characters"),
    ],
)
def test_a_scenario_has_a_plain_name(name: str, reason: str) -> None:
    text = f"{HEAD}  - {{cut: CHN, from: 2027-01}}\n".replace("mine", name, 1)
    assert refusal(text) == f"scenarios: line 1: scenario {name}: `scenario` is {reason}."


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (["cut: CHN, share: 0.7", "cut: CHN, share: 0.4"],
         "line 7: change 2: with it the shares of `cut: CHN` add up to 1.1 of permanent_magnets; "
         "the most is 1."),
        (["cut: CHN, share: 0.7, groups: [rare_earths]",
          "cut: CHN, share: 0.4, groups: [permanent_magnets]",
          "cut: CHN, share: 0.61, groups: [permanent_magnets]"],
         "line 8: change 3: with it the shares of `cut: CHN` add up to 1.01 of permanent_magnets; "
         "the most is 1."),
        (["shift: CHN, to: AUS, share: 0.6", "shift: CHN, to: MYS, share: 0.5"],
         "line 7: change 2: with it the shares of `shift: CHN` add up to 1.1 of "
         "permanent_magnets; the most is 1."),
        (["cut: CHN, share: 1", "cut: VNM", "cut: CHN"], "line 8: change 3 repeats change 1."),
        (["shift: CHN, to: VNM, share: 0.3", "cut: VNM, groups: [rare_earths]"],
         "line 6: change 1: `to` is VNM, of which all rare_earths are cut."),
        (["add: JPN, project: P, relief: trial", "add: JPN, project: P, relief: trial, because: b"],
         "line 7: change 2: change 1 adds the project P already."),
    ],
)  # fmt: skip
def test_changes_that_are_impossible_together_are_refused(changes: list[str], message: str) -> None:
    listed = "".join(f"  - {{{change}, from: 2027-01}}\n" for change in changes)
    assert refusal(HEAD + listed) == f"scenarios: {message}"


def test_shares_of_several_suppliers_groups_and_kinds_do_not_add_up() -> None:
    changes = (
        "cut: CHN, share: 0.7, groups: [rare_earths]",
        "cut: CHN, share: 0.7, groups: [permanent_magnets]",
        "cut: VNM, share: 0.7",
        "shift: CHN, to: AUS, share: 0.7",
    )
    listed = "".join(f"  - {{{change}, from: 2027-01}}\n" for change in changes)
    assert len(rows(HEAD + listed)) == 4


def test_ten_tenths_are_a_whole() -> None:
    listed = "".join(f"  - {{cut: CHN, share: 0.1, from: 2027-{n:02}}}\n" for n in range(1, 11))
    assert len(rows(HEAD + listed)) == 10


def test_a_clause_is_changed_once() -> None:
    listed = "  - {lift: A, on: 2027-03-31}\n  - {extend: A, until: 2027-11-10}\n"
    assert refusal(HEAD + listed) == (
        "scenarios: line 7: change 2: change 1 changes the clause A already."
    )


# ---- The past


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("cut: CHN\n    from: 2026-12",
         "`from` is 2026-12; the first month may be 2027-01, the one after the day of landing, "
         "2026-12-01."),
        ("add: JPN\n    from: 2020-01\n    project: P\n    relief: trial",
         "`from` is 2020-01; the first month may be 2027-01, the one after the day of landing, "
         "2026-12-01."),
        ("lift: A\n    on: 2026-11-30",
         "`on` is 2026-11-30, which is before the day of landing, 2026-12-01."),
        ("extend: A\n    until: 2026-11-30",
         "`until` is 2026-11-30, which is before the day of landing, 2026-12-01."),
    ],
)  # fmt: skip
def test_what_is_past_on_the_day_of_landing_is_refused(change: str, message: str) -> None:
    text = f"{HEAD}  - {change}\n"
    assert refusal(text) == f"scenarios: line 7: change 1: {message}"
    bundled = Document("mine.yaml", LANDED.retrieved_at, is_bundled=True)
    assert len(rows(text, bundled)) == 1


def test_the_day_of_landing_and_the_month_after_it_are_not_past() -> None:
    text = f"{HEAD}  - {{lift: A, on: 2026-12-31}}\n  - {{cut: CHN, from: 2027-01}}\n"
    last = Document("mine.yaml", datetime(2026, 12, 31, 23, 59, tzinfo=UTC), is_bundled=False)
    assert len(rows(text, last)) == 2


def test_a_landed_file_that_is_read_again_stays_right() -> None:
    """The day that decides is that of its landing, which is stored with it."""
    assert rows(EVERY_KIND, LANDED) == rows(EVERY_KIND, LANDED)
    later = Document("mine.yaml", datetime(2030, 1, 1), is_bundled=False)
    assert "the day of landing, 2030-01-01" in refusal(EVERY_KIND, later)


# ---- What is no scenario


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        ("", "the file is empty."),
        (" \n", "the file is empty."),
        ("<!DOCTYPE html><html></html>", "HTML page where YAML was expected."),
        ("hello", "the file has no fields, such as `scenario:`."),
        ("- cut: CHN\n", "the file has no fields, such as `scenario:`."),
        ("scenario: [\n", "line 2: did not find expected node content."),
        ("scenario: a\nscenario: b\n", "line 2: `scenario` is duplicated."),
        (HEAD.replace("changes:\n", ""), "line 1: scenario mine: `changes` is missing."),
        (HEAD, "line 5: scenario mine: it changes nothing."),
        (HEAD.replace("changes:", "changes: []"), "line 5: scenario mine: it changes nothing."),
        (HEAD.replace("changes:", "changes: cut"),
         "line 5: scenario mine: `changes` is not a list of entries."),
        (f"{HEAD}  - CHN\n",
         "line 5: scenario mine: `changes`: entry 1 has no fields, it is 'CHN'."),
        ("title: no name\n",
         "line 1: scenario without a name: `scenario` is missing (and 3 more to correct)."),
    ],
)  # fmt: skip
def test_what_is_no_scenario_is_refused_in_a_sentence(payload: str, message: str) -> None:
    assert refusal(payload) == f"scenarios: {message}"


def test_a_file_in_another_encoding_is_refused() -> None:
    assert refusal("scenario: 中国".encode("cp932")) == (
        "scenarios: the file is not UTF-8 text (byte 10)."
    )


def test_an_unknown_code_has_the_type_of_its_error() -> None:
    with pytest.raises(UnknownCodeError):
        rows(f"{HEAD}  - {{cut: CHI, from: 2027-01}}\n")


@given(
    st.text(max_size=60), st.sampled_from(["share: 0.5", "CHN", "2027-01", "CN-2025-18", "mine"])
)
@settings(max_examples=times(at_night=200, by_day=40))
def test_whatever_is_in_a_field_is_read_or_refused_in_a_sentence(text: str, place: str) -> None:
    changed = EVERY_KIND.replace(place, text, 1)
    try:
        found = rows(changed)
    except UpstreamFormatError:
        assert refusal(changed).startswith("scenarios: ")
    else:
        assert 1 <= len(found) <= 6


@pytest.mark.parametrize("name", ["china_2027", "2027", "a_1_b"])
def test_a_name_may_have_digits(name: str) -> None:
    text = f"{HEAD}  - {{cut: CHN, from: 2027-01}}\n".replace(
        "scenario: mine", f'scenario: "{name}"'
    )
    assert rows(text)[0]["scenario"] == name
