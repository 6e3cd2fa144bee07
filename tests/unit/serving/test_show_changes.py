"""What is new in a release, at a terminal and in the UI: ten lines, or why there is none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_project import words
from dagster_project.errors import PublicationError
from dagster_project.serving.show_changes import (
    MOST_LINES,
    ReleaseChanges,
    _in_brief,
    changes_markdown,
    changes_of,
    print_changes_of,
    print_new,
)
from dagster_project.serving.terminal import _width
from tests.unit.serving.test_answers import published

FIRST, OLD, LAST = "20261123T120000-aaaaaa", "20261124T120000-bbbbbb", "20261125T120000-cccccc"
RELEASES = [
    {"release_id": name, "published_at": datetime(2026, 11, day, 13), "as_of": date(2026, 11, day),
     "contract_version": contract}
    for name, day, contract in ((FIRST, 23, "3.3"), (OLD, 24, "3.4.1"), (LAST, 25, "3.10"))
]  # fmt: skip


def row(position: int, sentence: str, kind: str = "period", release: str = LAST) -> dict[str, Any]:
    return {
        "release_id": release, "kind": kind, "subject": str(position), "before": None,
        "after": "2025", "sentence": sentence, "source": "hmrc", "position": position,
    }  # fmt: skip


def file_with(folder: Path, *rows: Mapping[str, Any]) -> Path:
    return published(folder, catalog__releases=RELEASES, catalog__changes=rows)


def of_sentences(*sentences: str) -> ReleaseChanges:
    rows = [row(position, sentence) for position, sentence in enumerate(sentences, 1)]
    return ReleaseChanges(LAST, datetime(2026, 11, 25), rows, "Nothing.")


def lines(capsys: pytest.CaptureFixture[str]) -> Sequence[str]:
    return capsys.readouterr().out.strip("\n").splitlines()


def test_rows_of_the_file_s_own_release_are_read_in_their_order(tmp_path: Path) -> None:
    rows = [row(2, "second"), row(10, "last"), row(1, "first", "notice"),
            row(1, "earlier", release=OLD)]  # fmt: skip
    file = file_with(tmp_path, *rows)
    assert changes_of(file).sentences == ["first", "second", "last"]
    assert changes_of(file, OLD).sentences == ["earlier"]


@pytest.mark.parametrize(
    ("release", "is_replay", "sentence"),
    [
        (LAST, False, f"Nothing is new in {LAST} since the release before it."),
        (FIRST, False, f"{FIRST} is the first release: there is none to compare it with."),
        (OLD, False, f"{OLD} is of contract 3.4.1, which did not record what is new."),
        ("", True, f"{LAST} is of another day, beside the releases: it is compared with none of "
         "them."),
    ],
)  # fmt: skip
def test_a_release_without_rows_says_why(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    release: str,
    is_replay: bool,
    sentence: str,
) -> None:
    changes = changes_of(file_with(tmp_path), release, is_replay=is_replay)
    print_changes_of(changes)
    assert lines(capsys) == [sentence]
    assert changes_markdown(changes) == sentence
    print_new(changes)
    is_compared = release in (LAST, OLD)
    assert lines(capsys) == ([sentence] if is_compared else [])


def test_an_unknown_release_is_named_with_those_that_exist(tmp_path: Path) -> None:
    with pytest.raises(PublicationError) as error:
        changes_of(file_with(tmp_path), "nobody")
    assert str(error.value) == (f"There is no release 'nobody'. Releases: {LAST}, {OLD}, {FIRST}.")


@pytest.mark.parametrize(
    ("count", "shown", "last"),
    [
        (1, 1, "  sentence 1"),
        (9, 9, "  sentence 9"),
        (10, 8, "  and 2 more periods: kido changes"),
        (1200, 8, "  and 1,192 more periods: kido changes"),
    ],
)
def test_a_build_prints_at_most_ten_lines(
    capsys: pytest.CaptureFixture[str], count: int, shown: int, last: str
) -> None:
    print_new(of_sentences(*(f"sentence {number}" for number in range(1, count + 1))))
    printed = lines(capsys)
    assert len(printed) <= 10
    assert printed[0] == "What is new since the release before"
    assert printed[1 : shown + 1] == [f"  sentence {number}" for number in range(1, shown + 1)]
    assert printed[-1] == last


def of_kinds(**sentences: Sequence[str]) -> ReleaseChanges:
    """Changes with these sentences, by kind."""
    texts = [(kind, sentence) for kind, of_kind in sentences.items() for sentence in of_kind]
    rows = [row(position, text, kind) for position, (kind, text) in enumerate(texts, 1)]
    return ReleaseChanges(LAST, datetime(2026, 11, 25), rows, "Nothing.")


NOTICES = [
    f"federal_register 2026-1984{number} is to be read: Revisions to Controls on Gallium, "
    "Germanium and Related Items for the People's Republic of China (23 November 2026)"
    for number in range(8)
]
STATUS = (
    "CN-2024-46-2 (Ban on exports of gallium, germanium and antimony to the Uni…): of unknown "
    "state since 27 November 2026, suspended before"
)
FIGURE = (
    "Japan: Magnets of rare earths arriving in the United Kingdom from China, by month: 110.0 t "
    "(July 2026), 6.4 t more than 103.6 t (June 2026)"
)
PERIOD = "hmrc: months of trade flows through 2026-07, 2026-06 before"


def test_many_notices_leave_room_for_something_of_each_kind(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    print_new(of_kinds(notice=NOTICES, status=[STATUS], figure=[FIGURE] * 3, period=[PERIOD]))
    assert lines(capsys) == [
        "What is new since the release before",
        "  federal_register 2026-19840 is to be read: Revisions to Controls on Gallium,…",
        "  federal_register 2026-19841 is to be read: Revisions to Controls on Gallium,…",
        "  federal_register 2026-19842 is to be read: Revisions to Controls on Gallium,…",
        "  CN-2024-46-2 (Ban on exports of gallium, germanium and antimony to the Uni…):",
        "  of unknown state since 27 November 2026, suspended before",
        "  Japan: Magnets of rare earths arriving in the United Kingdom from China, by",
        "  month: 110.0 t (July 2026), 6.4 t more than 103.6 t (June 2026)",
        "  hmrc: months of trade flows through 2026-07, 2026-06 before",
        "  and 5 more notices and 2 figures: kido changes",
    ]


@given(
    st.lists(
        st.tuples(st.sampled_from(words.CHANGE_KINDS), st.integers(1, 300), st.sampled_from("x镓")),
        min_size=1, max_size=40,
    ),
    st.integers(50, 200),
)  # fmt: skip
def test_ten_lines_of_a_terminal_have_something_of_each_kind(
    given_rows: Sequence[tuple[words.ChangeKind, int, str]], columns: int
) -> None:
    """Whatever the sentences are, also long words and characters of two columns."""
    given_rows = sorted(given_rows, key=lambda each: words.CHANGE_KINDS.index(each[0]))
    rows = [
        row(position, f"{kind} {position} " + " ".join([letter * 7] * (length // 8)), kind)
        for position, (kind, length, letter) in enumerate(given_rows)
    ]
    texts = _in_brief(rows, columns)
    printed = [line for text in texts for line in text.split("\n")]
    assert len(printed) < MOST_LINES
    assert max(map(_width, printed)) <= columns
    kinds = [kind for kind, *_ in given_rows]
    assert {text.split(" ")[0] for text in texts} - {"and"} == set(kinds)
    shown = [text for text in texts if not text.startswith("and ")]
    hidden = len(rows) - len(shown)
    assert (len(texts) > len(shown)) == (hidden > 0)


def test_a_title_without_blanks_is_cut_at_the_width(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    print_new(of_kinds(notice=[f"mofcom 2026-987 is to be read: {'公布对镓' * 30}"] * 12))
    printed = lines(capsys)
    assert len(printed) == 10
    assert printed[1].endswith("公布对…")
    assert all(_width(line) <= 80 for line in printed)
    assert printed[-1] == "  and 4 more notices: kido changes"


def test_the_number_of_the_others_is_one_line_of_a_narrow_terminal() -> None:
    changes = of_kinds(
        notice=NOTICES * 9, status=[STATUS] * 9, figure=[FIGURE] * 9, period=[PERIOD] * 9,
        correction=["Correction X"] * 9,
    )  # fmt: skip
    *_, last = _in_brief(changes.rows, 60)
    assert last == "and 102 more: kido changes"
    *_, last = _in_brief(changes.rows, None)
    assert last == (
        "and 70 more notices, 7 clauses, 7 figures, 8 periods and 8 corrections: kido changes"
    )


def test_the_page_of_a_release_has_something_of_each_kind_too() -> None:
    changes = of_kinds(notice=NOTICES * 20, status=[STATUS], figure=[FIGURE], period=[PERIOD])
    listed = changes_markdown(changes).splitlines()
    assert (len(listed), listed[-1]) == (41, "- and 123 more: kido changes")
    assert listed[-2] == f"- {PERIOD}"


def test_the_command_prints_every_row_under_the_heading_of_its_kind(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [row(1, "a notice", "notice"), row(2, "a clause", "status"),
            *(row(3 + number, f"month {number}") for number in range(20))]  # fmt: skip
    print_changes_of(changes_of(file_with(tmp_path, *rows)))
    assert lines(capsys) == [
        f"What is new in {LAST}",
        "", "Notices to be read (kido notices has their links)", "  a notice",
        "", "Clauses with another status", "  a clause",
        "", "Periods of the sources", *(f"  month {number}" for number in range(20)),
    ]  # fmt: skip


def test_the_list_of_the_ui_has_no_markup_of_a_publisher() -> None:
    changes = of_sentences("<b>bold</b> [link](https://a.example)", *map(str, range(60)))
    listed = changes_markdown(changes).splitlines()
    assert listed[0] == "- `<b>bold</b> [link](https://a.example)`"
    assert len(listed) == 41
    assert listed[-1] == "- and 21 more: kido changes"


def test_a_hostile_sentence_stays_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    print_new(changes_of(file_with(tmp_path, row(1, "\x1b[2Jgone\nKido: all is well"))))
    assert lines(capsys)[1:] == ["   [2Jgone Kido: all is well"]
