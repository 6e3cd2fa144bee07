"""Measures, clause by clause: the dates and targets of each clause."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Self

import polars as pl
from pydantic import BeforeValidator, Field, model_validator

from dagster_project import words
from dagster_project.errors import UpstreamFormatError
from dagster_project.lake.entries import Entry, Fields, Identifier, Text, line_of
from dagster_project.sources.catalogue.companies import listed_companies
from dagster_project.sources.catalogue.entries import place_of, require_hs_code
from dagster_project.sources.catalogue.notices import NoticeNumbers, clause_decisions
from dagster_project.sources.catalogue.scope import Scope, scope_rows
from dagster_project.sources.entries import (
    Place,
    listed_entries,
    require_economies,
    require_unique,
    table_of,
    validated,
)
from dagster_project.sources.fields import (
    Address,
    Day,
    Economy,
    Hour,
    time_of,
    zone_of,
)

EVERY_ECONOMY = "ALL"


class Suspension(Entry):
    """A suspension, its first and last day included, and when it became known."""

    first_day: Day
    last_day: Day | None = None
    by: Identifier | None = None
    known: Day

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.last_day is not None and self.last_day < self.first_day:
            raise ValueError(f"ends ({self.last_day}) before it begins ({self.first_day})")
        return self


def _listed(value: object) -> object:
    return [value] if isinstance(value, dict) else value


Suspensions = Annotated[list[Suspension], BeforeValidator(_listed), Field(min_length=1)]
"""One suspension as such, or a list of several: an extension by a later act is one of its own."""


class End(Entry):
    """The last day a clause is in force, and when that became known."""

    last_day: Day
    known: Day


class Doubt(Entry):
    """The first day on which the state of a clause is unknown, and when that became known."""

    first_day: Day
    known: Day


class Target(Entry):
    """The economies, end users or entities a clause targets."""

    economy: Economy = EVERY_ECONOMY
    kind: words.TargetClass = Field("all", alias="class")
    names: list[Text] = Field(default_factory=list)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.kind == "all") != (self.economy == EVERY_ECONOMY) and self.kind != "end_user":
            raise ValueError(f"has class {self.kind!r} and economy {self.economy!r}")
        if bool(self.names) != (self.kind in ("end_user", "entity")):
            raise ValueError(f"has class {self.kind!r} and {len(self.names) or 'no'} names")
        if len(set(self.names)) < len(self.names):
            raise ValueError("has a duplicated name")
        return self


class Clause(Entry):
    """A clause with the fields it shares with the other clauses of its measure."""

    measure: Identifier
    clause: Identifier
    title: Text
    official_reference: Text | None = None
    implementer: Economy
    direction: words.Direction
    gta_code: Text | None = None
    announced: Day
    announced_hour: Hour | None = None
    date_precision: words.DatePrecision = "day"
    known: Day | None = None
    effective: Day | None = None
    suspended: Suspensions = Field(default_factory=list)
    ended: End | None = None
    unknown: Doubt | None = None
    target: Target = Target()
    reach: words.Reach = "direct"
    excludes: Text | None = None
    evidence: words.EvidenceClass
    confidence: Text | None = None
    inferred: list[words.InferredColumn] = Field(default_factory=list)
    remark: Text | None = None
    citation: Text | None = None
    url: Address | None = None
    mofcom: NoticeNumbers = Field(default_factory=list)
    federal_register: NoticeNumbers = Field(default_factory=list)
    gta: NoticeNumbers = Field(default_factory=list)
    scope: list[Scope] = Field(default_factory=list)
    parts: ClassVar[tuple[type[Entry], ...]] = (Suspension, End, Doubt, Target, Scope)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        # Effective before announced is allowed: de-facto stops are reported after they begin.
        if self.ended is not None and self.ended.last_day < self.announced:
            raise ValueError(
                f"it ended ({self.ended.last_day}) before it was announced ({self.announced})"
            )
        if self.known is not None and self.known < self.announced:
            raise ValueError(f"it was known ({self.known}) before it was announced")
        if len(set(self.inferred)) < len(self.inferred):
            raise ValueError("`inferred` has a duplicated column")
        return self


@dataclass(frozen=True)
class _Read:
    """A clause, its fields as written (with those of its measure), and where it is in the file."""

    clause: Clause
    written: Mapping[str, Any]
    where: Place

    def place(self, *path: str | int) -> Place:
        return self.where.at(self.written, *path)


def read_measures(entries: Sequence[dict[str, Any]]) -> Mapping[str, pl.DataFrame]:
    """Entries of `measures:` -> the tables of clauses, of their suspensions, their scope, the
    companies they name and the notices they are in.

    A clause has the fields of its measure, unless it gives its own.
    """
    places = [place_of(entry, "measure", number) for number, entry in enumerate(entries, start=1)]
    read = [
        clause
        for entry, measure in zip(entries, places, strict=True)
        for clause in _clauses_of(entry, measure)
    ]
    require_unique(
        "measure", ((entry["measure"], where) for entry, where in zip(entries, places, strict=True))
    )
    require_unique(
        "clause", ((read_clause.clause.clause, read_clause.where) for read_clause in read)
    )
    scope = []
    for read_clause in read:
        _require_known_codes(read_clause)
        _require_successive_suspensions(read_clause)
        rows = list(scope_rows(read_clause.clause.clause, read_clause.clause.scope))
        names = (f"{row['clause_id']} {row['hs_code']} {row['mineral']}" for row in rows)
        require_unique("the scope of", ((name, read_clause.where) for name in names))
        scope += rows
    _require_suspending_clauses(read)
    clauses = [read_clause.clause for read_clause in read]
    listed = (row for clause in clauses for row in listed_companies(clause))
    suspensions = (row for clause in clauses for row in _suspension_rows(clause))
    decisions = (row for clause in clauses for row in clause_decisions(clause))
    return {
        "restriction_clauses": table_of("restriction_clauses", map(_clause_row, clauses)),
        "restriction_suspensions": table_of("restriction_suspensions", suspensions),
        "restriction_scope": table_of("restriction_scope", scope),
        "company_facts": table_of("company_facts", listed),
        "notice_decisions": table_of("notice_decisions", decisions),
    }


def _clauses_of(entry: Mapping[str, Any], measure: Place) -> Iterator[_Read]:
    shared = {field: value for field, value in entry.items() if field != "clauses"}
    listed = listed_entries(entry.get("clauses"), f"{measure}: `clauses`")
    for number, own in enumerate(listed, start=1):
        clause_place = place_of(own, "clause", number)
        where = replace(clause_place, name=f"{measure.name}, {clause_place.name}")
        if "measure" in own:
            raise UpstreamFormatError(f"{where}: `measure` belongs above the clauses, not in one.")
        written = Fields({**shared, **own})
        written.line = line_of(own)
        clause = validated(Clause, written, where)
        require_economies(where, implementer=clause.implementer)
        if clause.target.economy != EVERY_ECONOMY:
            require_economies(where, target=clause.target.economy)
        yield _Read(clause, written, where)


def _require_known_codes(read_clause: _Read) -> None:
    """Raise UnknownCodeError for a code of the scope that is in no revision of the HS."""
    for number, scope in enumerate(read_clause.clause.scope):
        where = read_clause.place("scope", number)
        for position, code in enumerate(scope.codes, start=1):
            require_hs_code(where, f"`scope` {number + 1}, `codes` {position}", code)


def _require_successive_suspensions(read_clause: _Read) -> None:
    """Raise UpstreamFormatError where a day would be in two suspensions of a clause."""
    numbered = sorted(
        enumerate(read_clause.clause.suspended),
        key=lambda each: (each[1].first_day, each[1].last_day or date.max),
    )
    for (_, earlier), (number, later) in pairwise(numbered):
        this = f"the suspension from {later.first_day}"
        if earlier.last_day is None:
            reason = f"{this} follows one from {earlier.first_day} that has no `last_day`"
        elif later.first_day <= earlier.last_day:
            reason = f"{this} overlaps that from {earlier.first_day} to {earlier.last_day}"
        else:
            continue
        raise UpstreamFormatError(f"{read_clause.place('suspended', number)}: {reason}.")


def _require_suspending_clauses(read: Sequence[_Read]) -> None:
    """Raise UpstreamFormatError for a suspension by what is no clause of the file."""
    clauses = {read_clause.clause.clause for read_clause in read}
    measures = {read_clause.clause.measure for read_clause in read}
    for read_clause in read:
        for number, suspension in enumerate(read_clause.clause.suspended):
            if suspension.by is None or suspension.by in clauses:
                continue
            what = (
                "which is a measure; name the clause of it that suspends"
                if suspension.by in measures
                else "which is no clause of the file"
            )
            place = read_clause.place("suspended", number)
            raise UpstreamFormatError(
                f"{place}: `suspended` {number + 1}, `by` is {suspension.by!r}, {what}."
            )


def _suspension_rows(clause: Clause) -> Iterator[dict[str, object]]:
    for suspension in clause.suspended:
        yield {
            "clause_id": clause.clause,
            "suspended_from": suspension.first_day,
            "suspended_to": suspension.last_day,
            "suspended_by": suspension.by,
            "evidence_class": clause.evidence,
            "known_at": suspension.known,
        }


def _clause_row(clause: Clause) -> dict[str, object]:
    ended, unknown = clause.ended, clause.unknown
    return {
        "measure_id": clause.measure,
        "clause_id": clause.clause,
        "title": clause.title,
        "official_reference": clause.official_reference,
        "implementer_iso3": clause.implementer,
        "direction": clause.direction,
        "gta_code": clause.gta_code,
        "announced_date": clause.announced,
        "announced_time": time_of(clause.announced_hour),
        "announced_zone": zone_of(clause.announced_hour),
        "date_precision": clause.date_precision,
        "effective_date": clause.effective,
        "ended_date": ended and ended.last_day,
        "ended_known_at": ended and ended.known,
        "unknown_from": unknown and unknown.first_day,
        "unknown_known_at": unknown and unknown.known,
        "known_at": clause.known or clause.announced,
        "target_iso3": clause.target.economy,
        "target_class": clause.target.kind,
        "target_names": clause.target.names,
        "reach": clause.reach,
        "excludes": clause.excludes,
        "evidence_class": clause.evidence,
        "confidence": clause.confidence,
        "inferred": sorted(clause.inferred),
        "remark": clause.remark,
        "citation": clause.citation,
        "source_url": clause.url,
    }
