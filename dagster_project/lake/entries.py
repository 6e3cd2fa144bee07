"""Entries of YAML files that are edited by hand: their loader, their fields, the first mistake.

The fields of one kind of entry do not belong here.
"""

from __future__ import annotations

import difflib
from collections.abc import Hashable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, cast

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from dagster_project.errors import shortened


class Entry(BaseModel):
    """An entry of a document, or a part of one: only known fields are allowed."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    parts: ClassVar[tuple[type[Entry], ...]] = ()
    """Entries within this one: a field that is misspelt may be one of theirs."""


def as_text(value: object) -> str:
    """The value as text with single blanks. Raises ValueError that continues "`field` ..."."""
    if not isinstance(value, str):
        raise ValueError(f"is {value!r} and not text; write it in quotes")
    if not value.strip():
        raise ValueError("is empty; leave the field out instead")
    return " ".join(value.split())


def _identifier(value: object) -> str:
    identifier = as_text(value)
    if " " in identifier:
        raise ValueError(f"is {identifier!r}; an identifier has no blanks")
    return identifier


class Fields(dict[str, Any]):
    """Fields of an entry as written, and the line of the file on which the first of them is.

    `lines` are the lines of all fields, by name.
    """

    line: int | None = None
    lines: Mapping[str, int] = MappingProxyType({})


def line_of(entry: object, path: Iterable[str | int] = ()) -> int | None:
    """The line of the innermost fields on the path from an entry to one of its values."""
    line = entry.line if isinstance(entry, Fields) else None
    for step in path:
        if isinstance(entry, list) and isinstance(step, int):
            entry = entry[step] if step < len(entry) else None
        elif isinstance(entry, dict) and isinstance(step, str):
            entry = entry.get(step)
        if isinstance(entry, Fields):
            line = entry.line
    return line


def line_of_field(entry: object, path: Iterable[str | int] = ()) -> int | None:
    """The line of the first field on the path; that of the entry if it lacks the field."""
    field = next(iter(path), None)
    line = entry.lines.get(field) if isinstance(entry, Fields) and isinstance(field, str) else None
    return line or line_of(entry)


Text = Annotated[str, BeforeValidator(as_text)]
Identifier = Annotated[str, BeforeValidator(_identifier)]

_OTHER_SHAPES: Mapping[str, str] = {
    "list_type": "a list like [one, two]",
    "too_short": "a list that is not empty",
    "model_type": "fields with their values",
}


def first_mistake(kind: type[Entry], error: ValidationError) -> str:
    """The first invalid field of an entry in a sentence without its end, and how many follow."""
    first, *others = error.errors(include_url=False)
    further = f" (and {len(others)} more to correct)" if others else ""
    return f"{_sentence(kind, first)}{further}"


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


_TAGS_OF_WORDS = frozenset(
    f"tag:yaml.org,2002:{tag}" for tag in ("bool", "int", "float", "null", "merge", "value")
)
"""What YAML may take the name of a field for."""


class PlainLoader(yaml.CSafeLoader):
    """Safe YAML in which a duplicated key is an error, days stay text, and fields have their line.

    Days stay text so that an error can name the field; YAML's own reader of dates cannot. Names of
    fields stay text too: `on` is true to YAML.
    """

    yaml_implicit_resolvers = {  # noqa: RUF012  (typed by the base class)
        first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":timestamp")]
        for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(
        self, node: yaml.MappingNode, deep: bool = False
    ) -> dict[Hashable, object]:
        seen: set[str] = set()
        for key, _ in node.value:
            name = str(key.value)
            if name in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"`{name}` is duplicated", problem_mark=key.start_mark
                )
            seen.add(name)
            if isinstance(key, yaml.ScalarNode) and key.tag in _TAGS_OF_WORDS:
                key.tag = "tag:yaml.org,2002:str"
        return super().construct_mapping(node, deep)


def _fields(loader: PlainLoader, node: yaml.MappingNode) -> Iterator[Fields]:
    fields = Fields()
    fields.line = node.start_mark.line + 1
    fields.lines = {str(key.value): key.start_mark.line + 1 for key, _ in node.value}
    yield fields
    fields.update(cast("dict[str, Any]", loader.construct_mapping(node)))


PlainLoader.add_constructor("tag:yaml.org,2002:map", _fields)
