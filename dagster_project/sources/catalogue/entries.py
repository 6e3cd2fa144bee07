"""Shared by entries of every kind of document: checks, messages and their table."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, TypeVar

import polars as pl
from pydantic import BaseModel, ConfigDict, ValidationError

from dagster_project.errors import UnknownCodeError, UpstreamFormatError, shortened
from dagster_project.lake.schemas import LAKE_TABLES
from dagster_project.lake.vocabulary import economies

NAME = "catalogue"
"""The source's name; every message begins with it."""


class Entry(BaseModel):
    """An entry of a document, or a part of one: only known fields are allowed."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    parts: ClassVar[tuple[type[Entry], ...]] = ()
    """Entries within this one: a field that is misspelt may be one of theirs."""


EntryType = TypeVar("EntryType", bound=Entry)

_OTHER_SHAPES: Mapping[str, str] = {
    "list_type": "a list like [one, two]",
    "too_short": "a list that is not empty",
    "model_type": "fields with their values",
}


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
        first, *others = error.errors(include_url=False)
        further = f" (and {len(others)} more to correct)" if others else ""
        raise UpstreamFormatError(f"{NAME}: {where}: {_sentence(kind, first)}{further}.") from None


def _sentence(kind: type[Entry], error: Mapping[str, Any]) -> str:
    path: list[str] = []
    for step in error["loc"]:
        if isinstance(step, int):
            path[-1] += f" {step + 1}"
        else:
            path.append(f"`{shortened(str(step))}`")
    reason = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "missing":
        reason = "is missing"
    elif error["type"] == "extra_forbidden":
        reason = "is not a known field"
        close = difflib.get_close_matches(str(error["loc"][-1]), _field_names(kind), n=1)
        if close:
            reason += f"; did you mean `{close[0]}`?"
    elif error["type"] == "literal_error":
        reason = f"is {error['input']!r}; it may be {error['ctx']['expected']}"
    elif error["type"] in _OTHER_SHAPES:
        reason = f"is {error['input']!r} and not {_OTHER_SHAPES[error['type']]}"
    elif error["type"] != "value_error":
        reason = f"is {error['input']!r}: {reason[0].lower()}{reason[1:]}"
    return f"{', '.join(path)} {reason}".strip().removesuffix("?").removesuffix(".")


def _field_names(kind: type[Entry]) -> list[str]:
    return [
        field.alias or name
        for model in (kind, *kind.parts)
        for name, field in model.model_fields.items()
    ]


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
