"""What was decided on notices: which clause they belong to, or that they are not relevant."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Self

import polars as pl
from pydantic import BeforeValidator, Field, model_validator

from dagster_project import words
from dagster_project.lake.entries import Entry, Text, as_text
from dagster_project.sources.catalogue.entries import place_of
from dagster_project.sources.entries import Place, require_unique, table_of, validated
from dagster_project.sources.fields import Day

if TYPE_CHECKING:
    from dagster_project.sources.catalogue.clauses import Clause

EVERY_NOTICE = "*"
"""The `notice_id` of a decision on all notices of a source up to a day."""

NO_CLAUSE = ""
"""The `clause_id` of a decision that a notice is not relevant."""


def _number(value: object) -> str:
    number = as_text(value)
    if not re.search(r"\d", number):
        raise ValueError(f"is {number!r}; a notice is named by its number, such as 2026-1")
    return number


def _name(value: object) -> str:
    name = as_text(value)
    if name == EVERY_NOTICE:
        raise ValueError(f"is {name!r}; `through` marks all notices up to a day as not relevant")
    return name


NoticeNumbers = Annotated[list[Annotated[str, BeforeValidator(_number)]], Field(min_length=1)]
"""Notices of publishers that number them, as a clause names them."""

NoticeNames = Annotated[list[Annotated[str, BeforeValidator(_name)]], Field(min_length=1)]
"""Notices as `kido notices` prints them; those of the OECD need not have a digit."""


class NotRelevant(Entry):
    """Notices of a source that somebody has read and found not relevant."""

    source: words.NoticeSource
    notices: NoticeNames | None = None
    through: Day | None = None
    reason: Text
    decided: Day

    @model_validator(mode="after")
    def _names_notices(self) -> Self:
        if (self.notices is None) == (self.through is None):
            raise ValueError("needs either `notices` or `through`")
        if self.through is not None and self.through > self.decided:
            raise ValueError(
                f"it was decided ({self.decided}) before the last day of its notices "
                f"({self.through})"
            )
        return self


def read_notices(entries: Sequence[dict[str, Any]]) -> Mapping[str, pl.DataFrame]:
    """Entries of `notices:` -> `notice_decisions`, a row for each number."""
    rows: list[dict[str, object]] = []
    places: list[Place] = []
    for position, entry in enumerate(entries, start=1):
        where = place_of(entry, "source", position)
        decision = validated(NotRelevant, entry, where)
        for number in decision.notices or [EVERY_NOTICE]:
            rows.append(
                {
                    "publisher": decision.source,
                    "notice_id": number,
                    "published_to": decision.through,
                    "clause_id": NO_CLAUSE,
                    "reason": decision.reason,
                    "known_at": decision.decided,
                }
            )
            places.append(where)
    names = (f"{row['publisher']} {row['notice_id']}" for row in rows)
    require_unique("the decision on", zip(names, places, strict=True))
    return {"notice_decisions": table_of("notice_decisions", rows)}


def clause_decisions(clause: Clause) -> Iterator[dict[str, object]]:
    """A row for each notice that the clause names."""
    numbers = {
        "mofcom": clause.mofcom,
        "federal_register": clause.federal_register,
        "gta": clause.gta,
    }
    for source, of_source in numbers.items():
        for number in dict.fromkeys(of_source):
            yield {
                "publisher": source,
                "notice_id": number,
                "clause_id": clause.clause,
                "known_at": clause.known or clause.announced,
            }
