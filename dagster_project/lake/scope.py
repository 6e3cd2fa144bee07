"""Which commodities are fetched and stored: those of the mineral groups, or more of the HS.

The scope is a setting; it is passed to whatever reads, checks or fetches a document.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from dagster_project.lake.vocabulary import NOMENCLATURE_FILE, commodity_codes

MINERALS, ALL = "minerals", "all"

_HS6 = re.compile(r"(0[1-9]|[1-8][0-9]|9[0-7])[0-9]{4}")
_PREFIX = re.compile(r"(0[1-9]|[1-8][0-9]|9[0-7])([0-9]{2}([0-9]{2})?)?")
_GROUP_OF_ONE_CODE = re.compile(r"hs_([0-9]{6})")


@dataclass(frozen=True)
class CommodityScope:
    """The codes of the mineral groups, and the HS6 codes that begin with one of `prefixes`.

    Every code begins with the empty prefix, which stands for all of the HS, chapters 01 to 97.
    """

    prefixes: tuple[str, ...] = ()

    @classmethod
    def named(cls, name: str) -> CommodityScope:
        """`minerals`, `all`, or chapters, headings and codes of the HS, separated by commas.

        Raises ValueError for anything else.
        """
        words = sorted({word.strip() for word in name.lower().split(",") if word.strip()})
        if words in ([], [MINERALS]):
            return cls()
        if words == [ALL]:
            return cls(("",))
        wrong = [word for word in words if not _PREFIX.fullmatch(word)]
        if wrong:
            raise ValueError(
                f"{wrong[0]!r} is not a chapter, heading or code of the HS like 28, 8505 or "
                f"850511, nor {MINERALS} or {ALL}"
            )
        return cls(tuple(words))

    @property
    def name(self) -> str:
        """The text from which `named` makes this scope."""
        return ",".join(self.prefixes) or (ALL if self.prefixes else MINERALS)

    @property
    def is_wide(self) -> bool:
        """Whether it covers more than the mineral groups."""
        return bool(self.prefixes)

    def covers(self, code: object) -> bool:
        """Whether an HS6 code begins with one of `prefixes`, whatever the mineral groups are."""
        return (
            isinstance(code, str)
            and code.startswith(self.prefixes)
            and _HS6.fullmatch(code) is not None
        )

    def select(self, codes: Iterable[object]) -> list[str]:
        """The HS6 codes among these that are in scope, mineral groups included; others are dropped.

        A code that is not text is in no scope.
        """
        minerals = commodity_codes()
        return [
            code
            for code in codes
            if isinstance(code, str) and (code in minerals or self.covers(code))
        ]

    def groups(self, groups: Iterable[object]) -> set[str]:
        """The mineral groups among these of a single code (`hs_850511`) that `prefixes` cover."""
        texts = [group for group in groups if isinstance(group, str)]
        codes = {group: _GROUP_OF_ONE_CODE.fullmatch(group) for group in texts}
        return {group for group, code in codes.items() if code and self.covers(code[1])}

    def codes(self) -> tuple[str, ...]:
        """The HS6 codes to request, sorted; for prefixes, those of HS 2022."""
        more = (code for code in nomenclature() if self.covers(code)) if self.is_wide else ()
        return tuple(sorted({*commodity_codes(), *more}))


OUT_OF_SCOPE = (
    "KIDO_SCOPE sets which codes are kept; by default those of dbt/seeds/seed_commodities.csv."
)
"""Hint of an error about a document without any code in scope."""

DEFAULT_SCOPE = CommodityScope()


@cache
def nomenclature() -> dict[str, str]:
    """Chapters, headings and codes of HS 2022 with their English texts."""
    with NOMENCLATURE_FILE.open(encoding="utf8", newline="") as file:
        return {row["code"]: row["description"] for row in csv.DictReader(file)}
