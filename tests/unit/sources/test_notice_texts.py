"""What is read in the words of official notices."""

import pytest

from dagster_project.lake.vocabulary import notice_words
from dagster_project.sources.notice_texts import named_in


@pytest.mark.parametrize(
    ("text", "minerals"),
    [
        ("Rare-Earth Magnets From China", ["all_rare_earths"]),
        ("rare earths", ["all_rare_earths"]),
        ("Certain Aluminum Foil", ["aluminium"]),
        ("Tinned fish; the Maritime Administration; gall stones", []),
        ("商务部公告2026年第9号 公布对镓相关物项实施出口管制的决定", ["gallium"]),
        ("レアアースの輸出管理", ["all_rare_earths"]),
        ("ＧＡＬＬＩＵＭ in full-width letters", ["gallium"]),
    ],
)
def test_minerals_are_read_in_three_languages(text: str, minerals: list[str]) -> None:
    assert list(named_in(text).minerals) == minerals


def test_words_of_title_and_summary_are_read_together() -> None:
    named = named_in("Additions to the Entity List", None, "Controls on gallium")
    assert named.words == ("entity list", "gallium")


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("参考海关商品编号：2805301900、2846901100", ["280530", "284690"]),
        ("heading 8505.11.00.50 and subheading 8505.11", ["850511"]),
        ("Docket 2026-1234567890, 12.5 million, 90 FR 57078, 1234.56", []),
        ("on 20261109 and 2026110912", []),
    ],
)
def test_codes_are_those_of_the_harmonized_system(text: str, codes: list[str]) -> None:
    assert list(named_in(text).hs6_codes) == codes


def test_each_word_is_listed_once_and_is_found_in_itself() -> None:
    words = [(word.word, word.language) for word in notice_words()]
    assert len(words) == len(set(words))
    for word in notice_words():
        named = named_in(word.word)
        assert word.word in named.words
        assert not word.mineral or word.mineral in named.minerals
