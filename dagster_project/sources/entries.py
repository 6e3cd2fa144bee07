"""Entries of documents in YAML that are edited by hand: checks, messages and their table.

The fields of one kind of entry do not belong here, nor the reading of YAML (`yaml_text`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import polars as pl
from pydantic import ValidationError

from dagster_project.errors import UnknownCodeError, UpstreamFormatError, shortened
from dagster_project.lake.entries import Entry, first_mistake, line_of
from dagster_project.lake.schemas import LAKE_TABLES
from dagster_project.lake.vocabulary import economies

EntryType = TypeVar("EntryType", bound=Entry)


def listed_entries(value: object, where: str) -> list[dict[str, Any]]:
    """The value as a list of entries with fields. Raises UpstreamFormatError if it is another.

    `where` begins with the name of the source, as a Place does.
    """
    if not isinstance(value, list) or not value:
        raise UpstreamFormatError(f"{where} is not a list of entries.")
    for position, entry in enumerate(value, start=1):
        if not isinstance(entry, dict):
            raise UpstreamFormatError(f"{where}: entry {position} has no fields, it is {entry!r}.")
    return value


@dataclass(frozen=True)
class Place:
    """Where an entry is, as a message begins: the source, the line in the file, then its name."""

    source: str
    line: int | None
    name: str

    def __str__(self) -> str:
        line = f"line {self.line}: " if self.line else ""
        return f"{self.source}: {line}{self.name}"

    def at(self, part: object, *path: str | int) -> Place:
        """The same for a part of the entry: the value on the path from `part`, in its own line."""
        return replace(self, line=line_of(part, path) or self.line)


def validated(
    kind: type[EntryType],
    entry: Mapping[str, object],
    where: Place,
    find_line: Callable[[object, Iterable[str | int]], int | None] = line_of,
) -> EntryType:
    """The entry as its kind. Raises UpstreamFormatError that names the first invalid field.

    Its line is that of the innermost fields, unless another is found (`line_of_field`).
    """
    try:
        return kind.model_validate(entry)
    except ValidationError as error:
        line = find_line(entry, error.errors(include_url=False)[0]["loc"])
        place = replace(where, line=line or where.line)
        raise UpstreamFormatError(f"{place}: {first_mistake(kind, error)}.") from None


def require_economies(where: Place, **codes: str | None) -> None:
    """Raise UnknownCodeError for the first field whose code is not a known economy."""
    for field, code in codes.items():
        if code is not None and code not in economies():
            raise UnknownCodeError(f"{where}: `{field}` is {code!r}, which is not a known economy.")


def require_unique(what: str, identifiers: Iterable[tuple[object, Place]]) -> None:
    """Raise UpstreamFormatError for the first identifier that is duplicated, where it is again."""
    seen: set[object] = set()
    for identifier, where in identifiers:
        if identifier in seen:
            place = replace(where, name=f"{what} {shortened(str(identifier))}")
            raise UpstreamFormatError(f"{place} is duplicated.")
        seen.add(identifier)


def table_of(table: str, rows: Iterable[Mapping[str, object]]) -> pl.DataFrame:
    """Rows of a lake table, without the columns that every document has in common."""
    given = ("source", "is_provisional", "document", "vintage_at", "snapshot_id")
    schema = {
        name: column.dtype
        for name, column in LAKE_TABLES[table].columns.items()
        if name not in given
    }
    return pl.DataFrame(list(rows), schema=schema, orient="row")
