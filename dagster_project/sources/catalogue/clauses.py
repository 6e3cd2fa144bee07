"""Measures, clause by clause: the dates and targets of each clause."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import polars as pl
from pydantic import Field, model_validator

from dagster_project import words
from dagster_project.errors import UpstreamFormatError
from dagster_project.lake.entries import Entry, Identifier, Text
from dagster_project.sources.catalogue.entries import (
    NAME,
    listed_entries,
    name_of,
    require_economies,
    require_unique,
    table_of,
    validated,
)
from dagster_project.sources.catalogue.fields import (
    Address,
    Day,
    Economy,
    Hour,
)
from dagster_project.sources.catalogue.scope import Scope, scope_rows

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
    suspended: Suspension | None = None
    ended: End | None = None
    unknown: Doubt | None = None
    target: Target = Target()
    evidence: words.EvidenceClass
    confidence: Text | None = None
    inferred: list[words.InferredColumn] = Field(default_factory=list)
    remark: Text | None = None
    citation: Text | None = None
    url: Address | None = None
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


def read_measures(entries: Sequence[dict[str, Any]]) -> Mapping[str, pl.DataFrame]:
    """Entries of `measures:` -> `restriction_clauses` and `restriction_scope`.

    A clause has the fields of its measure, unless it gives its own.
    """
    clauses: list[Clause] = []
    for position, entry in enumerate(entries, start=1):
        measure = name_of(entry, "measure", position)
        shared = {field: value for field, value in entry.items() if field != "clauses"}
        for number, own in enumerate(
            listed_entries(entry.get("clauses"), f"{measure}: `clauses`"), start=1
        ):
            where = f"{measure}, {name_of(own, 'clause', number)}"
            if "measure" in own:
                raise UpstreamFormatError(
                    f"{NAME}: {where}: `measure` belongs above the clauses, not in one."
                )
            clause = validated(Clause, {**shared, **own}, where)
            require_economies(where, implementer=clause.implementer)
            if clause.target.economy != EVERY_ECONOMY:
                require_economies(where, target=clause.target.economy)
            clauses.append(clause)
    require_unique("measure", (entry["measure"] for entry in entries))
    require_unique("clause", (clause.clause for clause in clauses))
    scope = [row for clause in clauses for row in scope_rows(clause.clause, clause.scope)]
    require_unique(
        "the scope of",
        (f"{row['clause_id']} {row['hs_code']} {row['mineral']}" for row in scope),
    )
    return {
        "restriction_clauses": table_of("restriction_clauses", map(_clause_row, clauses)),
        "restriction_scope": table_of("restriction_scope", scope),
    }


def _clause_row(clause: Clause) -> dict[str, object]:
    hour, _, zone = (clause.announced_hour or "").partition(" ")
    suspended, ended, unknown = clause.suspended, clause.ended, clause.unknown
    return {
        "measure_id": clause.measure,
        "clause_id": clause.clause,
        "title": clause.title,
        "official_reference": clause.official_reference,
        "implementer_iso3": clause.implementer,
        "direction": clause.direction,
        "gta_code": clause.gta_code,
        "announced_date": clause.announced,
        "announced_time": hour or None,
        "announced_zone": zone or None,
        "date_precision": clause.date_precision,
        "effective_date": clause.effective,
        "suspended_from": suspended and suspended.first_day,
        "suspended_to": suspended and suspended.last_day,
        "suspended_by": suspended and suspended.by,
        "suspension_known_at": suspended and suspended.known,
        "ended_date": ended and ended.last_day,
        "ended_known_at": ended and ended.known,
        "unknown_from": unknown and unknown.first_day,
        "unknown_known_at": unknown and unknown.known,
        "known_at": clause.known or clause.announced,
        "target_iso3": clause.target.economy,
        "target_class": clause.target.kind,
        "target_names": clause.target.names,
        "evidence_class": clause.evidence,
        "confidence": clause.confidence,
        "inferred": sorted(clause.inferred),
        "remark": clause.remark,
        "citation": clause.citation,
        "source_url": clause.url,
    }
