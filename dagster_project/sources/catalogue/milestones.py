"""Dated facts on supply projects, disputes, remarks, disclosures, partnerships, arrangements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import polars as pl
from pydantic import model_validator

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
    Hour,
    time_of,
    zone_of,
)


class Milestone(Entry):
    """A dated fact that is no measure, but bears on one or on what could relieve it."""

    milestone: Identifier
    kind: words.MilestoneKind
    title: Text
    official_reference: Text | None = None
    clauses: tuple[Identifier, ...] = ()
    project: Identifier | None = None
    economy: Economy | None = None
    announced: Day | None = None
    happened: Day | None = None
    happened_hour: Hour | None = None
    planned: Day | None = None
    planned_precision: words.DatePrecision = "day"
    review: Day | None = None
    ended: Day | None = None
    statement: Text | None = None
    evidence: words.EvidenceClass
    citation: Text | None = None
    url: Address | None = None
    known: Day

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.ended and self.happened and self.ended < self.happened:
            raise ValueError(f"it ended ({self.ended}) before it happened ({self.happened})")
        if self.happened_hour and not self.happened:
            raise ValueError("it has an hour (`happened_hour`) without a day (`happened`)")
        if self.kind == "arrangement" and not self.planned:
            raise ValueError("it is an arrangement without its last day (`planned`)")
        return self


def read_milestones(entries: Sequence[dict[str, Any]]) -> Mapping[str, pl.DataFrame]:
    """Entries of `milestones:` -> `milestones`."""
    milestones: list[Milestone] = []
    places: list[Place] = []
    for position, entry in enumerate(entries, start=1):
        where = place_of(entry, "milestone", position)
        milestone = validated(Milestone, entry, where)
        require_economies(where, economy=milestone.economy)
        milestones.append(milestone)
        places.append(where)
    names = (milestone.milestone for milestone in milestones)
    require_unique("milestone", zip(names, places, strict=True))
    rows = (
        {
            "milestone_id": milestone.milestone,
            "kind": milestone.kind,
            "title": milestone.title,
            "official_reference": milestone.official_reference,
            "clauses": sorted(set(milestone.clauses)),
            "project": milestone.project,
            "economy_iso3": milestone.economy,
            "announced_date": milestone.announced,
            "event_date": milestone.happened,
            "event_time": time_of(milestone.happened_hour),
            "event_zone": zone_of(milestone.happened_hour),
            "planned_date": milestone.planned,
            "planned_precision": milestone.planned_precision if milestone.planned else None,
            "review_date": milestone.review,
            "ended_date": milestone.ended,
            "statement": milestone.statement,
            "evidence_class": milestone.evidence,
            "citation": milestone.citation,
            "source_url": milestone.url,
            "known_at": milestone.known,
        }
        for milestone in milestones
    )
    return {"milestones": table_of("milestones", rows)}
