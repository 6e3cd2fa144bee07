"""Acts that a notice names by number, in the form in which several publishers write the same one.

`MOFCOM 2026-1`, `FR 2025-19846`, `90 FR 57078`. What else a notice says is read in `notice_texts`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from itertools import chain

from dagster_project.sources.limits import LONGEST_NOTICE_TEXT

_NUMBER = r"No\.?\s*0*(\d{1,4})"
_YEAR = r"(20\d\d)"
_ANNOUNCEMENT = re.compile(
    rf"(?:announcement|notice|proclamation)\s*\(?\[?(?:"
    rf"{_NUMBER}[\s,]*(?:of|/|\[|\()?\s*{_YEAR}(?!\d)|{_YEAR}[\])]?[\s,]*{_NUMBER})",
    re.IGNORECASE,
)
"""`Announcement No. 18 of 2025`, `Announcement [2025] No. 18`."""

_ISSUER = re.compile(r"\bMOFCOM\b|ministry of commerce", re.IGNORECASE)
_GONGGAO = (
    re.compile(r"公告\s?[〔\[(]?\s?(\d{4})\s?[〕\])]?\s?年?\s?第\s?0*(\d{1,5})\s?号"),
    re.compile(r"(?<!\d)(\d{4})\s?年\s?第\s?0*(\d{1,5})\s?号\s?公告"),
)
"""`公告2025年第18号`, `公告〔2025〕第18号`, `2025年第18号公告`."""

_AUTHORITIES = re.compile(r"[\u4e00-\u9fff\s、]*$")
_LONGEST_AUTHORITIES = 40
"""Characters before a number in which the names of its authorities are looked for."""

_MOFCOM = "商务部"
_AUTHORITY = re.compile(r"[署部局院行]")
"""How the name of a Chinese authority ends."""

_FEDERAL_REGISTER = re.compile(r"federal\s?register|\bFR\b|F\.\s?R\.|fed\.\s?reg", re.IGNORECASE)
_DOCUMENT = re.compile(r"(?<![\d-])(20\d\d-\d{5})(?![\d-])")
_CITATION = re.compile(
    r"(?<!\d)(\d{2,3})\s*(?:FR|F\.\s?R\.|Fed\.\s?Reg\.)\s*(\d{1,3}(?:,\d{3})+|\d{1,6})(?!\d)"
)


def acts_in(*texts: str | None) -> tuple[str, ...]:
    """The acts that these texts name, sorted.

    An announcement in English counts as one of China's Ministry of Commerce where its paragraph
    names the ministry; a number like a document's of the Federal Register where it names that.
    Of a text, the first LONGEST_NOTICE_TEXT characters are read.
    """
    acts: set[str] = set()
    for text in texts:
        for paragraph in unicodedata.normalize(
            "NFKC", (text or "")[:LONGEST_NOTICE_TEXT]
        ).splitlines():
            # A pattern would look at a long run of blanks from each of them.
            acts.update(_acts_of(" ".join(paragraph.split())))
    return tuple(sorted(acts))


def _acts_of(paragraph: str) -> Iterator[str]:
    for match in chain.from_iterable(form.finditer(paragraph) for form in _GONGGAO):
        year, number = match.groups()
        before = paragraph[max(0, match.start() - _LONGEST_AUTHORITIES) : match.start()]
        issuer = _AUTHORITIES.search(before)[0]  # type: ignore[index]
        if _MOFCOM in issuer or not _AUTHORITY.search(issuer):
            yield f"MOFCOM {year}-{int(number)}"
    if _ISSUER.search(paragraph):
        for match in _ANNOUNCEMENT.finditer(paragraph):
            number, year, other_year, other_number = match.groups()
            yield f"MOFCOM {year or other_year}-{int(number or other_number)}"
    if _FEDERAL_REGISTER.search(paragraph):
        yield from (f"FR {match[1]}" for match in _DOCUMENT.finditer(paragraph))
    for match in _CITATION.finditer(paragraph):
        yield f"{match[1]} FR {match[2].replace(',', '')}"
