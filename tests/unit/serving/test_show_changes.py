"""What is new in a release, at a terminal and in the UI: ten lines, or why there is none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from dagster_project.errors import PublicationError
from dagster_project.serving.show_changes import (
    ReleaseChanges,
    changes_markdown,
    changes_of,
    print_changes_of,
    print_new,
)
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
        (10, 8, "  and 2 more: kido changes"),
        (1200, 8, "  and 1,192 more: kido changes"),
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


def test_the_command_prints_every_row_under_the_heading_of_its_kind(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [row(1, "a notice", "notice"), row(2, "a clause", "status"),
            *(row(3 + number, f"month {number}") for number in range(20))]  # fmt: skip
    print_changes_of(changes_of(file_with(tmp_path, *rows)))
    assert lines(capsys) == [
        f"What is new in {LAST}",
        "", "Notices to be read", "  a notice",
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
