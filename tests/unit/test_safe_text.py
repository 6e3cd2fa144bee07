"""Hostile texts in a terminal, a Markdown page and an XML file: shown, and nothing else."""

from __future__ import annotations

import html
from xml.etree import ElementTree

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dagster_project.safe_text import (
    for_output,
    markdown_cell,
    markdown_text,
    printable,
    xml_text,
)
from tests.hostile import TEXTS, markup_of, tokens_of_markdown

MARKUP = st.text(st.sampled_from("ab <>[]()!`*_~|\\#-+.:/@&;=\n\x1b\u202e1w"), max_size=40)
ANY = st.one_of(MARKUP, st.text(max_size=40), st.sampled_from(list(TEXTS.values())))


@given(ANY)
def test_a_printable_text_has_a_blank_for_what_cannot_be_seen(text: str) -> None:
    shown = printable(text)
    assert shown.isprintable()
    assert len(shown) == len(text)
    assert all(new in (old, " ") for old, new in zip(text, shown, strict=True))


def test_a_text_that_is_printable_stays_as_it_is() -> None:
    for text in ("", "Terres rares, 71,3 %", "希土類", "Côte d'Ivoire", "a | b"):
        assert printable(text) == text
    assert printable("a\nb", keep="\n") == "a\nb"


def test_only_a_terminal_gets_another_text_than_a_program() -> None:
    assert for_output("a\x1b[31m\u202e\n", is_terminal=False) == "a\x1b[31m\u202e\n"
    assert for_output("a\x1b[31m\u202e\tb\n", is_terminal=True) == "a [31m \tb\n"


def visible(text: str) -> str:
    """What a reader of a Markdown text sees, without blanks."""
    parts = (
        html.unescape(token["raw"]) if token["type"] == "codespan" else token["raw"]
        for token in tokens_of_markdown(text)
        if token["type"] in ("text", "codespan")
    )
    return "".join("".join(parts).split())


@given(ANY)
@example("-")
@example("1.")
@example("---")
@example("===")
@example("    0")
def test_a_text_is_no_markup_and_is_read_as_it_was_written(text: str) -> None:
    assert markup_of(f"Before {markdown_text(text)}") == set()
    if "&" not in text:  # the parser of this test reads entities in code, browsers do not
        assert visible(markdown_text(text)) == "".join(printable(text).split())


@given(st.lists(ANY, min_size=1, max_size=4))
def test_a_row_of_a_table_has_as_many_cells_as_texts(texts: list[str]) -> None:
    row = f"| {' | '.join(map(markdown_cell, texts))} |"
    head = f"| {' | '.join('h' for _ in texts)} |\n|{'---|' * len(texts)}"
    tokens = list(tokens_of_markdown(f"{head}\n{row}"))
    cells = [token for token in tokens if token["type"] == "table_cell"]
    assert len(cells) == 2 * len(texts)
    assert markup_of(f"{head}\n{row}") == set()


def test_plain_words_stay_plain_in_markdown() -> None:
    for text in ("rare_earths", "71.3 % in 2024", "Imports of Japan, by weight", "2024-01-01"):
        assert markdown_text(text) == text


@given(ANY)
def test_a_text_in_xml_is_read_back(text: str) -> None:
    read = ElementTree.fromstring(f"<text>{xml_text(text)}</text>").text or ""
    assert read == printable(text)


@pytest.mark.parametrize("name", TEXTS)
def test_each_hostile_text_is_no_markup(name: str) -> None:
    assert markup_of(markdown_text(TEXTS[name])) == set()
