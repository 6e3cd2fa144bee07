"""What the words of an official notice name: minerals, acts on their trade, HS codes.

The words are those of `lake/notice_words.csv`, in English, Chinese and Japanese.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache

from dagster_project.lake.vocabulary import NoticeWord, hs_2022_codes, notice_words

_TARIFF_CODE = re.compile(
    r"(?<![\d.])(\d{4})\.?(\d{2})(?:\.?\d{2}){1,2}(?![\d.]*\d)|(?<![\d.])(\d{4})\.(\d{2})(?![\d.]*\d)"
)
"""A code of eight or ten digits, with or without dots, or of six with one."""

_DATE = re.compile(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])?")
"""How the digits of a date begin. Codes of chapters 19 and 20, food, may look alike."""


@dataclass(frozen=True)
class Named:
    """What a text names: words of the list as listed, minerals of them, HS6 codes; all sorted."""

    words: tuple[str, ...]
    minerals: tuple[str, ...]
    hs6_codes: tuple[str, ...]


def named_in(*texts: str | None) -> Named:
    """What these texts name together.

    English words are found as whole words in any case, and in plural; a word in characters where it
    is no part of a longer one that names another mineral: the boron in 钕铁硼 is a magnet's. Codes
    are those of HS 2022: what a notice names does not depend on the commodities in scope.
    """
    text = " \n ".join(unicodedata.normalize("NFKC", each) for each in texts if each)
    matching = [
        word
        for word in notice_words()
        if any(match["word"] for match in _pattern(word).finditer(text))
    ]
    codes = {
        code
        for match in _TARIFF_CODE.finditer(text)
        if not _DATE.match(match[0].replace(".", ""))
        and (code := "".join(part for part in match.groups() if part)) in hs_2022_codes()
    }
    return Named(
        tuple(sorted({word.word for word in matching})),
        tuple(sorted({word.mineral for word in matching if word.mineral})),
        tuple(sorted(codes)),
    )


def english_words() -> tuple[str, ...]:
    """The words that a publisher in English is searched for."""
    return tuple(word.word for word in notice_words() if word.language == "en")


@cache
def _pattern(word: NoticeWord) -> re.Pattern[str]:
    """Finds the word as the group `word`, and without that group longer words that it is in."""
    if word.language != "en":
        longer = [
            re.escape(each.word)
            for each in notice_words()
            if word.word in each.word and each.mineral and each.mineral != word.mineral
        ]
        return re.compile("|".join([*longer, f"(?P<word>{re.escape(word.word)})"]))
    between = re.escape(word.word).replace(r"\ ", r"[\s-]+").replace(r"\-", r"[\s-]+")
    return re.compile(rf"(?<![a-z])(?P<word>{between})s?(?![a-z])", re.IGNORECASE)
