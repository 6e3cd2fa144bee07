"""What is read in the words of official notices."""

import csv

import pytest

from dagster_project.lake.vocabulary import notice_words
from dagster_project.sources.notice_texts import named_in
from tests.conftest import CHECKOUT

MINERALS_FILE = CHECKOUT / "dbt" / "seeds" / "seed_minerals.csv"


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
        ("on 20091231, 2009.12.31, 2008.11 and 2009123108", []),
        ("product 2009.39.00 and 1905310000", ["190531", "200939"]),
    ],
)
def test_codes_are_those_of_the_harmonized_system(text: str, codes: list[str]) -> None:
    assert list(named_in(text).hs6_codes) == codes


def test_every_mineral_has_a_word_in_each_language() -> None:
    with MINERALS_FILE.open(encoding="utf8", newline="") as file:
        minerals = {row["mineral"] for row in csv.DictReader(file)}
    languages = {
        mineral: {word.language for word in notice_words() if word.mineral == mineral}
        for mineral in minerals
    }
    assert {mineral for mineral, named in languages.items() if named != {"en", "zh", "ja"}} == set()


@pytest.mark.parametrize("text", ["中国人民银行", "スズキ株式会社", "プリント基板", "三菱UFJ銀行"])
def test_parts_of_other_words_are_no_minerals(text: str) -> None:
    assert named_in(text).minerals == ()


@pytest.mark.parametrize(
    ("text", "minerals"),
    [
        ("钕铁硼永磁", ("all_rare_earths", "neodymium")),
        ("硼酸和钕铁硼", ("boron", "neodymium")),
        ("钕铁硼和硼酸", ("boron", "neodymium")),
        ("イッテルビウム", ("ytterbium",)),
    ],
)
def test_a_part_of_a_longer_word_is_not_its_own_mineral(
    text: str, minerals: tuple[str, ...]
) -> None:
    assert named_in(text).minerals == minerals


def test_each_word_is_listed_once_and_is_found_in_itself() -> None:
    words = [(word.word, word.language) for word in notice_words()]
    assert len(words) == len(set(words))
    for word in notice_words():
        named = named_in(word.word)
        assert word.word in named.words
        assert not word.mineral or word.mineral in named.minerals
