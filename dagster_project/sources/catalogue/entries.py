"""Shared by entries of every kind of document: checks, messages and their table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import polars as pl
from pydantic import ValidationError

from dagster_project.errors import UnknownCodeError, UpstreamFormatError, shortened
from dagster_project.lake.entries import Entry, first_mistake, line_of
from dagster_project.lake.schemas import LAKE_TABLES
from dagster_project.lake.vocabulary import economies, hs_codes

NAME = "catalogue"
"""The source's name; every message begins with it."""


EntryType = TypeVar("EntryType", bound=Entry)


def listed_entries(value: object, where: str) -> list[dict[str, Any]]:
    """The value as a list of entries with fields. Raises UpstreamFormatError if it is another."""
    if not isinstance(value, list) or not value:
        raise UpstreamFormatError(f"{NAME}: {where} is not a list of entries.")
    for position, entry in enumerate(value, start=1):
        if not isinstance(entry, dict):
            raise UpstreamFormatError(
                f"{NAME}: {where}: entry {position} has no fields, it is {entry!r}."
            )
    return value


@dataclass(frozen=True)
class Place:
    """Where an entry is in its file, as a message begins: its line, then its name."""

    line: int | None
    name: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.name}" if self.line else self.name

    def at(self, part: object, *path: str | int) -> Place:
        """The same for a part of the entry: the value on the path from `part`, in its own line."""
        return replace(self, line=line_of(part, path) or self.line)


def validated(kind: type[EntryType], entry: Mapping[str, object], where: Place) -> EntryType:
    """The entry as its kind. Raises UpstreamFormatError that names the first invalid field."""
    try:
        return kind.model_validate(entry)
    except ValidationError as error:
        place = where.at(entry, *error.errors(include_url=False)[0]["loc"])
        raise UpstreamFormatError(f"{NAME}: {place}: {first_mistake(kind, error)}.") from None


def require_economies(where: Place, **codes: str | None) -> None:
    """Raise UnknownCodeError for the first field whose code is not a known economy."""
    for field, code in codes.items():
        if code is not None and code not in economies():
            raise UnknownCodeError(
                f"{NAME}: {where}: `{field}` is {code!r}, which is not a known economy."
            )


def require_hs_code(where: Place, field: str, code: str) -> None:
    """Raise UnknownCodeError for a code, or a heading without codes, that no revision has."""
    if code not in hs_codes():
        raise UnknownCodeError(
            f"{NAME}: {where}: {field} is {code!r}, which no known revision of the HS has.",
            hint="HS 2022 is in dagster_project/bundled/nomenclature/hs_2022.csv, codes of older "
            "revisions in dbt/seeds/seed_commodities.csv.",
        )


def require_unique(what: str, identifiers: Iterable[tuple[object, Place]]) -> None:
    """Raise UpstreamFormatError for the first identifier that is duplicated, where it is again."""
    seen: set[object] = set()
    for identifier, where in identifiers:
        if identifier in seen:
            place = Place(where.line, f"{what} {shortened(str(identifier))}")
            raise UpstreamFormatError(f"{NAME}: {place} is duplicated.")
        seen.add(identifier)


def place_of(entry: Mapping[str, object], field: str, position: int) -> Place:
    """How a message names an entry: by its identifier, or by its position from 1."""
    name = shortened(f"{field} {entry.get(field) or f'number {position}'}")
    return Place(line_of(entry), name)


def table_of(table: str, rows: Iterable[Mapping[str, object]]) -> pl.DataFrame:
    """Rows of a lake table, without the columns that every document has in common."""
    given = ("source", "is_provisional", "document", "vintage_at", "snapshot_id")
    schema = {
        name: column.dtype
        for name, column in LAKE_TABLES[table].columns.items()
        if name not in given
    }
    return pl.DataFrame(list(rows), schema=schema, orient="row")
