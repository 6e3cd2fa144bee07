"""Lists of critical and strategic materials, as governments have decided or published them.

Which figures a material of a list leads to is in `dbt/seeds/seed_materials_of_lists.csv`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, ClassVar, Self

import polars as pl
from pydantic import BeforeValidator, Field, model_validator

from dagster_project import words
from dagster_project.lake.entries import Entry, Identifier, Text, line_of
from dagster_project.sources.catalogue.entries import place_of
from dagster_project.sources.entries import (
    Place,
    listed_entries,
    require_economies,
    require_unique,
    table_of,
    validated,
)
from dagster_project.sources.fields import Address, Day, Economy, Mineral


class Status(Entry):
    """What is known of the state of a list; what it was before, where that was known later."""

    now: Text
    known: Day | None = None
    before: Text | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.known is None) != (self.before is None):
            raise ValueError("needs both `known` and `before`, or neither")
        return self


def _as_fields(value: object) -> object:
    return {"now": value} if isinstance(value, str) else value


class Part(Entry):
    """Materials of a list that have all other fields in common."""

    date: Day
    date_precision: words.DatePrecision = "day"
    known: Day | None = None
    status: Annotated[Status, BeforeValidator(_as_fields)]
    confidence: words.ListConfidence
    note: Text | None = None
    url: Address
    materials: Annotated[dict[Text, Mineral], Field(min_length=1)]
    parts: ClassVar[tuple[type[Entry], ...]] = (Status,)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.known is not None and self.known < self.date:
            raise ValueError(f"it was known ({self.known}) before its day ({self.date})")
        return self


class MaterialList(Part):
    """A list, with the materials that do not differ from it in a field."""

    list_id: Identifier = Field(alias="list")
    name: Text
    jurisdiction: Economy
    kind: words.ListClass = Field(alias="class")


def read_lists(entries: Sequence[dict[str, Any]]) -> Mapping[str, pl.DataFrame]:
    """Entries of `critical_lists:` -> `critical_lists`, a row per list and material as printed.

    Raises UpstreamFormatError for a mistake in an entry, and for a list, or a material of one, that
    is duplicated.
    """
    rows: list[dict[str, object]] = []
    lists: list[tuple[str, Place]] = []
    materials: list[tuple[str, Place]] = []
    for position, entry in enumerate(entries, start=1):
        where = place_of(entry, "list", position)
        fields = {field: value for field, value in entry.items() if field != "parts"}
        own = validated(MaterialList, fields, where)
        require_economies(where, jurisdiction=own.jurisdiction)
        lists.append((own.list_id, where))
        for part, place in ((own, where), *_parts_of(entry, where)):
            materials += ((f"{own.list_id}, {printed}", place) for printed in part.materials)
            rows += _rows(own, part)
    require_unique("list", lists)
    require_unique("list", materials)
    return {"critical_lists": table_of("critical_lists", rows)}


def _parts_of(entry: Mapping[str, Any], where: Place) -> Iterator[tuple[Part, Place]]:
    """The parts of a list, with its fields unless they give their own, and where each is."""
    if "parts" not in entry:
        return
    shared = {
        field: entry[field]
        for field in Part.model_fields
        if field in entry and field != "materials"
    }
    for number, own in enumerate(listed_entries(entry["parts"], f"{where}: `parts`"), start=1):
        place = Place(where.source, line_of(own), f"{where.name}, part {number}")
        yield validated(Part, {**shared, **own}, place), place


def _rows(own: MaterialList, part: Part) -> Iterator[dict[str, object]]:
    for printed, slug in part.materials.items():
        yield {
            "list_id": own.list_id,
            "material_as_printed": printed,
            "jurisdiction_iso3": own.jurisdiction,
            "list_name": own.name,
            "list_date": part.date,
            "date_precision": part.date_precision,
            "class": own.kind,
            "status": part.status.now,
            "status_known_at": part.status.known,
            "status_before": part.status.before,
            "slug": slug,
            "confidence": part.confidence,
            "note": part.note,
            "source_url": part.url,
            "known_at": part.known or part.date,
        }
