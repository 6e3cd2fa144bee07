"""What clauses have to do with companies: what is written by hand, and whom a clause names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import polars as pl
from pydantic import Field

from dagster_project import words
from dagster_project.lake.entries import Entry, Identifier, Text
from dagster_project.sources.catalogue.entries import place_of
from dagster_project.sources.entries import (
    Place,
    require_economies,
    require_unique,
    table_of,
    validated,
)
from dagster_project.sources.fields import (
    Address,
    Day,
    Economy,
    Identifiers,
    Mineral,
)

if TYPE_CHECKING:
    from dagster_project.sources.catalogue.clauses import Clause

UNNAMED = "unnamed"
"""Among the names of a target: those that no source prints."""


class CompanyFact(Entry):
    """What a company disclosed of clauses, or what is known of its sector."""

    company: Text
    home: Economy
    clauses: Identifiers
    minerals: list[Mineral] = Field(default_factory=list)
    grade: words.WrittenCompanyEvidence
    statement: Text
    evidence: words.EvidenceClass
    citation: Text | None = None
    url: Address | None = None
    known: Day


def read_companies(entries: Sequence[dict[str, Any]]) -> Mapping[str, pl.DataFrame]:
    """Entries of `companies:` -> `company_facts`, a row for each clause of an entry."""
    rows: list[dict[str, object]] = []
    places: list[Place] = []
    for position, entry in enumerate(entries, start=1):
        where = place_of(entry, "company", position)
        fact = validated(CompanyFact, entry, where)
        require_economies(where, home=fact.home)
        for clause in fact.clauses:
            rows.append(_fact_row(fact, clause))
            places.append(where)
    names = (f"{row['company']} {row['clause_id']}" for row in rows)
    require_unique("the fact on", zip(names, places, strict=True))
    return {"company_facts": table_of("company_facts", rows)}


def listed_companies(clause: Clause) -> Iterator[dict[str, object]]:
    """Rows of `company_facts` for the entities that a clause names; no other file has them."""
    if clause.target.kind != "entity":
        return
    act = clause.official_reference
    for name in clause.target.names:
        if name != UNNAMED:
            yield {
                "company": name,
                "home_iso3": clause.target.economy,
                "clause_id": clause.clause,
                "minerals": [],
                "evidence": "listed",
                "evidence_class": clause.evidence,
                "statement": f"Named in {act}: {clause.title}" if act else clause.title,
                "citation": clause.citation,
                "source_url": clause.url,
                "known_at": clause.known or clause.announced,
            }


def _fact_row(fact: CompanyFact, clause: Identifier) -> dict[str, object]:
    return {
        "company": fact.company,
        "home_iso3": fact.home,
        "clause_id": clause,
        "minerals": sorted(set(fact.minerals)),
        "evidence": fact.grade,
        "evidence_class": fact.evidence,
        "statement": fact.statement,
        "citation": fact.citation,
        "source_url": fact.url,
        "known_at": fact.known,
    }
