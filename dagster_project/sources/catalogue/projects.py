"""Supply projects as announced, and grades of the deposits they may draw on."""

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
    Amount,
    Day,
    Economy,
    Flag,
    Mineral,
    Minerals,
    Year,
)


class Project(Entry):
    """A product of a supply project, with what is announced of its capacity and its start."""

    project: Identifier
    name: Text
    company: Text
    economy: Economy | None = None
    is_total: Flag = False
    stage: words.ProjectStage
    product: Text
    minerals: Minerals
    capacity_low: Amount | None = None
    capacity_high: Amount | None = None
    figure_of: words.ProjectFigure = "capacity"
    basis: words.ProjectBasis
    status: words.ProjectStatus
    status_note: Text | None = None
    start: Year | None = None
    includes: tuple[Identifier, ...] = ()
    note: Text | None = None
    known: Day
    known_precision: words.DatePrecision = "day"
    citation: Text | None = None
    url: Address | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        low, high = self.capacity_low, self.capacity_high
        if low is not None and high is not None and low > high:
            raise ValueError(f"its least capacity ({low:g} t) is above its largest ({high:g} t)")
        if self.is_total == (self.economy is not None):
            raise ValueError("it needs an `economy`, unless it `is_total`, which has none")
        if self.project in self.includes:
            raise ValueError("it includes itself")
        return self


class Grade(Entry):
    """A grade or an amount of a deposit, as a study gives it."""

    deposit: Identifier
    part: Text
    figure: words.DepositFigure
    mineral: Mineral
    amount: Amount
    qualifier: words.Qualifier | None = None
    area_km2: Amount | None = None
    sample: Text | None = None
    known: Day
    known_precision: words.DatePrecision = "day"
    citation: Text | None = None
    url: Address | None = None


def read_projects(entries: Sequence[dict[str, Any]]) -> Mapping[str, pl.DataFrame]:
    """Entries of `projects:` -> `supply_projects`, capacities in tonnes a year.

    Raises UpstreamFormatError for a mistake in an entry, and for a product of a project that is
    duplicated.
    """
    projects: list[tuple[Place, Project]] = []
    for position, entry in enumerate(entries, start=1):
        where = place_of(entry, "project", position)
        project = validated(Project, entry, where)
        require_economies(where, economy=project.economy)
        projects.append((where, project))
    require_unique(
        "project",
        ((f"{own.project}, {own.stage}, {own.product}", where) for where, own in projects),
    )
    rows = (
        {
            "project": project.project,
            "name": project.name,
            "company": project.company,
            "economy_iso3": project.economy,
            "is_total": project.is_total,
            "stage": project.stage,
            "product": project.product,
            "minerals": sorted(set(project.minerals)),
            "capacity_t_low": project.capacity_low,
            "capacity_t_high": project.capacity_high,
            "figure_of": project.figure_of,
            "basis": project.basis,
            "status": project.status,
            "status_note": project.status_note,
            "start_year": None if project.start is None else int(project.start),
            "includes": sorted(set(project.includes)),
            "note": project.note,
            "citation": project.citation,
            "source_url": project.url,
            "known_at": project.known,
            "known_precision": project.known_precision,
        }
        for _, project in projects
    )
    return {"supply_projects": table_of("supply_projects", rows)}


def read_grades(entries: Sequence[dict[str, Any]]) -> Mapping[str, pl.DataFrame]:
    """Entries of `deposit_grades:` -> `deposit_grades`, amounts in the unit of their figure.

    Raises UpstreamFormatError for a mistake in an entry, and for a figure that is duplicated.
    """
    grades: list[tuple[Place, Grade]] = []
    for position, entry in enumerate(entries, start=1):
        where = place_of(entry, "deposit", position)
        grades.append((where, validated(Grade, entry, where)))
    require_unique(
        "deposit",
        (
            (f"{own.deposit}, {own.part}, {own.figure}, {own.mineral}, {own.known}", where)
            for where, own in grades
        ),
    )
    rows = (
        {
            "deposit": grade.deposit,
            "part": grade.part,
            "figure": grade.figure,
            "mineral": grade.mineral,
            "amount": grade.amount,
            "qualifier": grade.qualifier,
            "area_km2": grade.area_km2,
            "sample": grade.sample,
            "citation": grade.citation,
            "source_url": grade.url,
            "known_at": grade.known,
            "known_precision": grade.known_precision,
        }
        for _, grade in grades
    )
    return {"deposit_grades": table_of("deposit_grades", rows)}
