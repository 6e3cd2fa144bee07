"""Shared by entries of every kind of document: checks, messages and their table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import polars as pl
from pydantic import ValidationError

from dagster_project.errors import UnknownCodeError, UpstreamFormatError, shortened
from dagster_project.lake.entries import Entry, first_mistake
from dagster_project.lake.schemas import LAKE_TABLES
from dagster_project.lake.vocabulary import economies

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


def validated(kind: type[EntryType], entry: Mapping[str, object], where: str) -> EntryType:
    """The entry as its kind. Raises UpstreamFormatError that names the first invalid field."""
    try:
        return kind.model_validate(entry)
    except ValidationError as error:
        raise UpstreamFormatError(f"{NAME}: {where}: {first_mistake(kind, error)}.") from None


def require_economies(where: str, **codes: str | None) -> None:
    """Raise UnknownCodeError for the first field whose code is not a known economy."""
    for field, code in codes.items():
        if code is not None and code not in economies():
            raise UnknownCodeError(
                f"{NAME}: {where}: `{field}` is {code!r}, which is not a known economy."
            )


def require_unique(what: str, identifiers: Iterable[object]) -> None:
    """Raise UpstreamFormatError for the first identifier that is duplicated."""
    seen: set[object] = set()
    for identifier in identifiers:
        if identifier in seen:
            raise UpstreamFormatError(f"{NAME}: {what} {shortened(str(identifier))} is duplicated.")
        seen.add(identifier)


def name_of(entry: Mapping[str, object], field: str, position: int) -> str:
    """How a message names an entry: by its identifier, or by its position from 1."""
    return shortened(f"{field} {entry.get(field) or f'number {position}'}")


def table_of(table: str, rows: Iterable[Mapping[str, object]]) -> pl.DataFrame:
    """Rows of a lake table, without the columns that every document has in common."""
    given = ("source", "is_provisional", "document", "vintage_at", "snapshot_id")
    schema = {
        name: column.dtype
        for name, column in LAKE_TABLES[table].columns.items()
        if name not in given
    }
    return pl.DataFrame(list(rows), schema=schema, orient="row")
